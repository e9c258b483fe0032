"""Which authentication and which strength each real capture has, as those say who made them."""

from __future__ import annotations

from typing import Any

import pytest
from captures import WALKED, lab
from places import CAPTURES

import pptpcap
from pptpcap.audit import Weakness, audit

CLEAR, MD5, PAP, V1, V2 = Weakness.IN_CLEAR, Weakness.CHAP_MD5, Weakness.PAP, Weakness.MS_CHAP, Weakness.MS_CHAP_V2
EAP_MD5, NOT_KNOWN = Weakness.EAP_MD5, Weakness.NOT_KNOWN
# All MPPE here is stateless: the software never asks for anything else.
BITS_128, BITS_40 = {Weakness.NO_INTEGRITY}, {Weakness.NO_INTEGRITY, Weakness.BITS_40}

# The findings of each call.
CALLS: dict[str, list[set[Weakness]]] = {
    "auth_fail_mschapv2.pcap": [{V2}],
    "auth_fail_pap.pcap": [{PAP}],
    "auth_mismatch_lcp_reject.pcap": [set()],
    "chapmd5_plain_noacfc_nopfc.pcap": [{MD5, CLEAR}],
    "chapmd5_vj_deflate.pcap": [{MD5, CLEAR}],
    "connection_refused.pcap": [],
    "echo_both_60s_default.pcap": [{MD5, CLEAR}],
    "echo_client_5s.pcap": [{MD5, CLEAR}],
    "echo_client_no_reply.pcap": [{MD5, CLEAR}],
    "echo_server_60s.pcap": [{MD5, CLEAR}],
    "fmt_any_sll.pcap": [{MD5, CLEAR}],
    "fmt_any_sll2.pcap": [{MD5, CLEAR}],
    "fmt_client_usec.pcap": [{MD5, CLEAR}],
    "fmt_control_only.pcap": [set()],
    "fmt_dumpcap_ng.pcapng": [{MD5, CLEAR}],
    "fmt_dumpcap_ng_2if.pcapng": [{CLEAR, NOT_KNOWN}],
    "fmt_filtered_bpf.pcap": [{MD5, CLEAR}],
    "fmt_gre_only.pcap": [{MD5, CLEAR}],
    "fmt_gre_only_midstream.pcap": [{CLEAR, NOT_KNOWN}],
    "fmt_nsec.editcap.pcapng": [{MD5, CLEAR}],
    "fmt_nsec.pcap": [{MD5, CLEAR}],
    "fmt_usec.bigendian.pcap": [{MD5, CLEAR}],
    "fmt_usec.editcap.pcapng": [{MD5, CLEAR}],
    "fmt_usec.pcap": [{MD5, CLEAR}],
    "fmt_usec.pcap.gz": [{MD5, CLEAR}],
    "fmt_usec.truncated_tail.pcap": [{MD5, CLEAR}],
    "gre_ipfrag_mtu576.pcap": [{MD5, CLEAR}],
    "gre_ipfrag_mtu576.snaplen96.pcap": [{MD5, CLEAR}],
    "ipip_dlt_raw.pcap": [{MD5, CLEAR}],
    "ipip_outer_eth.pcap": [{MD5, CLEAR}],
    "killed_client.pcap": [{V2} | BITS_128],
    "killed_server.pcap": [{V2} | BITS_128],
    "link_cut_then_server_lcp_timeout.pcap": [{V2} | BITS_128],
    "loss5_reorder_dup.client.pcap": [{V2} | BITS_128],
    "loss5_reorder_dup.merged_both_ends.pcapng": [{V2} | BITS_128],
    "loss5_reorder_dup.server.pcap": [{V2} | BITS_128],
    "mppe128_normal.pcap": [{V2} | BITS_128],
    "mschapv1_mppe128.pcap": [{V1, Weakness.SAME_KEY} | BITS_128],
    "mschapv2_mppe128_stateful_allowed.pcap": [{V2} | BITS_128],
    "mschapv2_mppe40.pcap": [{V2} | BITS_40],
    "mss88.pcap": [{V2} | BITS_128],
    "mss88.snaplen96.pcap": [{V2} | BITS_128],
    "mss88_no_timestamps.pcap": [{V2} | BITS_128],
    "mss88_no_timestamps.snaplen96.pcap": [{V2} | BITS_128],
    "mss88_second.pcap": [{V2} | BITS_128],
    "mss88_second.snaplen96.pcap": [{V2} | BITS_128],
    "multi8_clients.server.pcap": [
        {MD5},
        {MD5},
        {MD5, CLEAR},
        {MD5, CLEAR},
        {V1, CLEAR},
        {MD5},
        {EAP_MD5, CLEAR},
        {MD5},
        {MD5, CLEAR},
        {MD5},
    ],
    "multi8_clients.switchport_client3.pcap": [{MD5, CLEAR}, {MD5, CLEAR}],
    "nic_e1000_padded_mppe.client.pcap": [{V2} | BITS_128],
    "nic_e1000_padded_mppe.server.pcap": [{V2} | BITS_128],
    "pap_plain.pcap": [{PAP, CLEAR}],
    "pap_plain_full.pcap": [{PAP, CLEAR}],
    "pap_plain_snaplen64.pcap": [{PAP, CLEAR}],
    "pap_plain_snaplen96.pcap": [{PAP, CLEAR}],
    "pap_vj.pcap": [{PAP, CLEAR}],
    "quirk_bezeq_lcp_timeout.pcap": [set()],
    "sigterm_manager_then_client_teardown.pcap": [{MD5, CLEAR}],
    "sigterm_pptpctrl_ignored.pcap": [{MD5, CLEAR}],
    "slow2mbit_40ms.pcap": [{MD5, CLEAR}],
    "synthetic_scapy_all15.pcap": [{CLEAR, NOT_KNOWN}, {CLEAR, NOT_KNOWN}, set()],
    "term_client_callmgr.pcap": [{MD5, CLEAR}],
    "term_server_pppd.pcap": [{MD5, CLEAR}],
    "vlan10_any_sll.pcap": [{MD5, CLEAR}],
    "vlan10_any_sll2.pcap": [{MD5, CLEAR}],
    "vlan10_subif.pcap": [{MD5, CLEAR}],
    "vlan10_tagged.pcap": [{MD5, CLEAR}],
}


# Of some, severity, evidence and packets of each finding, typed from the packets.
EVIDENCE: dict[str, list[tuple[str, str, str, tuple[int, ...]]]] = {
    "pap_plain.pcap": [
        ("CRITICAL", "PAP", "pns_authentication PAP, pns_authenticated YES", (19, 20, 21)),
        ("CRITICAL", "IN_CLEAR", "ipv4_packets 568, ipv6_packets 4", (32, 33)),
    ],
    "chapmd5_vj_deflate.pcap": [
        ("MEDIUM", "CHAP_MD5", "pns_authentication CHAP_MD5, pns_authenticated YES", (19, 22, 23)),
        (
            "CRITICAL",
            "IN_CLEAR",
            "ipv4_packets 70, compressed_packets 468, pns_compression DEFLATE, pac_compression DEFLATE",
            (28, 33, 38, 39, 43, 311),
        ),
    ],
    "mschapv1_mppe128.pcap": [
        ("HIGH", "MS_CHAP", "pns_authentication MS_CHAP, pns_authenticated YES", (18, 22, 23)),
        *(
            (
                severity,
                weakness,
                "pns_mppe_bits 0x01000040, pac_mppe_bits 0x01000040, encrypted_packets 321",
                (26, 28, 38, 40),
            )
            for severity, weakness in (("HIGH", "SAME_KEY"), ("MEDIUM", "NO_INTEGRITY"))
        ),
    ],
    "mschapv2_mppe40.pcap": [
        ("HIGH", "MS_CHAP_V2", "pns_authentication MS_CHAP_V2, pns_authenticated YES", (19, 21, 22)),
        *(
            (
                severity,
                weakness,
                "pns_mppe_bits 0x01000020, pac_mppe_bits 0x01000020, encrypted_packets 341",
                (25, 26, 36, 37),
            )
            for severity, weakness in (("HIGH", "BITS_40"), ("MEDIUM", "NO_INTEGRITY"))
        ),
    ],
    "mss88.pcap": [
        ("HIGH", "MS_CHAP_V2", "pns_authentication MS_CHAP_V2, pns_authenticated YES", (29, 35, 36)),
        (
            "MEDIUM",
            "NO_INTEGRITY",
            "pns_mppe_bits 0x01000040, pac_mppe_bits 0x01000040, encrypted_packets 14",
            (39, 40, 52, 53),
        ),
    ],
}


@pytest.mark.parametrize("name", CALLS)
def test_findings(name):
    calls = pptpcap.read(lab(name), tables=["calls"])["calls"]
    found: list[set[Any]] = [set() for _ in range(len(calls))]
    for finding in audit(calls):
        assert (finding.call < 0) is (finding.weakness is Weakness.PPTP)
        if finding.call >= 0:
            found[finding.call].add(finding.weakness)
    assert found == CALLS[name]


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence(name):
    findings = [finding for finding in audit(pptpcap.read(lab(name))) if finding.call >= 0]
    assert [
        (finding.weakness.severity.name, finding.weakness.name, finding.evidence, finding.packets)
        for finding in findings
    ] == EVIDENCE[name]


def test_one_direction_concludes_nothing_of_the_other():
    """The server's packets alone: a challenge and a success, and LCP without authentication of the server."""
    capture, not_known, clear = audit(pptpcap.read(CAPTURES / "found" / "oneside_server_no_authentication.pcap"))
    assert (capture.call, capture.weakness, capture.packets) == (-1, Weakness.PPTP, (3,))
    assert (not_known.weakness, not_known.packets) == (NOT_KNOWN, (5, 7))
    assert not_known.evidence == (
        "pns_authentication NOT_SEEN, pac_authentication NONE, pns_authentication_asked MS_CHAP_V2, "
        "pns_authenticated YES, phase NETWORK"
    )
    assert (clear.weakness, clear.evidence, clear.packets) == (CLEAR, "ipv4_packets 3", (11,))


def test_every_capture_with_a_tunnel_is_in_the_table():
    assert {name for name in WALKED if ".inner_ppp0_" not in name} == set(CALLS)

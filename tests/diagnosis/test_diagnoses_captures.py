"""What is told of every bundled capture: typed by hand from the packets as tshark shows them.

A capture that is not named here has a session in which nothing is wrong, and nothing may be told of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from captures import PACKED, lab
from helpers import EngineName
from places import CAPTURES

import pptpcap

FOUND = CAPTURES / "found"
# Formats that are recognised and refused.
UNREAD = {
    "container_empty.pcap",
    "container_pcap_2_3.pcap",
}
LAB = sorted({path.name.removesuffix(".xz") for path in PACKED.glob("*.xz") if ".ref.json" not in path.name} - UNREAD)
OTHERS = sorted({path.name for path in FOUND.iterdir() if path.suffix != ".txt"} - UNREAD)

# Call, kind and the packets that the sentence names.
TOLD: dict[str, list[tuple[int, str, tuple[int, ...]]]] = {
    # CHAP Failure.
    "auth_fail_mschapv2.pcap": [(0, "AUTHENTICATION_FAILED", (21,))],
    # Authenticate-Nak.
    "auth_fail_pap.pcap": [(0, "AUTHENTICATION_FAILED", (21,))],
    # The request, its Configure-Reject, and the Terminate-Request with the reason.
    "auth_mismatch_lcp_reject.pcap": [(0, "AUTHENTICATION_NOT_AGREED", (17, 18, 25))],
    # SYN and RST; packets 1 and 2 are ARP.
    "connection_refused.pcap": [(-1, "CONNECTION_REFUSED", (3, 4))],
    # One segment has Echo-Request, Call-Clear-Request and Stop-Control-Connection-Request.
    "echo_client_no_reply.pcap": [(0, "PEER_SILENT", (52,))],
    # Packet 10 is the Outgoing-Call-Reply; the capture filter was tcp port 1723.
    "fmt_control_only.pcap": [(0, "NO_GRE", (10,))],
    # FINs, whose packets no table has.
    "killed_client.pcap": [(0, "CONTROL_LOST", (52,))],
    "killed_server.pcap": [(0, "CONTROL_LOST", (53,))],
    # The last packet of the client, and the first and last of three LCP Echo-Requests.
    "link_cut_then_server_lcp_timeout.pcap": [(0, "PEER_SILENT", (51, 53, 57))],
    # 5 % loss, reordering and 2 % duplicates were made on the way to this end.
    "loss5_reorder_dup.client.pcap": [
        (-1, "FRAGMENTS_LOST", (492, 1138)),
        (0, "REORDERED", (72, 1270)),
        (0, "LOSS", (136, 1166)),
    ],
    "loss5_reorder_dup.server.pcap": [
        (-1, "FRAGMENTS_LOST", (149, 449)),
        (0, "LOSS", (73, 1198)),
        (0, "REORDERED", (126, 1198)),
    ],
    # Both ends in one file.
    "loss5_reorder_dup.merged_both_ends.pcapng": [(0, "COPIES", (37, 39, 2535, 2541))],
    # Five clients require encryption of a server that has none: their Terminate-Requests.
    "multi8_clients.server.pcap": [
        (0, "MPPE_REQUIRED", (54,)),
        (1, "MPPE_REQUIRED", (88,)),
        (5, "MPPE_REQUIRED", (482,)),
        (7, "MPPE_REQUIRED", (544,)),
        (9, "MPPE_REQUIRED", (1990,)),
    ],
    # Ten Configure-Requests of the server; a Call-Clear-Request with an id that nobody gave.
    "quirk_bezeq_lcp_timeout.pcap": [(0, "GRE_BLOCKED", (16, 31)), (0, "ID_MISMATCH", (33,))],
    # The queue of 2 Mbit/s drops packets.
    "slow2mbit_40ms.pcap": [
        (-1, "FRAGMENTS_LOST", (312, 320)),
        (0, "LOSS", (255, 449)),
        (0, "LOSS", (849, 863, 1099)),
    ],
    # Call-Disconnect-Notify with lost carrier, Outgoing-Call-Reply with busy.
    "synthetic_scapy_all15.pcap": [(1, "DISCONNECTED", (58,)), (2, "CALL_REFUSED", (52,))],
    # Interfaces eth0 and eth0.10 both.
    "vlan10_any_sll.pcap": [(0, "COPIES", (28, 30, 715, 719))],
    "vlan10_any_sll2.pcap": [(0, "COPIES", (30, 32, 717, 721))],
    # Snap lengths of 96 and 64.
    "gre_ipfrag_mtu576.snaplen96.pcap": [(0, "CUT", (6, 12))],
    "mss88.snaplen96.pcap": [(0, "CUT", (10, 24, 34, 35))],
    "mss88_no_timestamps.snaplen96.pcap": [(0, "CUT", (10, 18, 29, 30))],
    "mss88_second.snaplen96.pcap": [(0, "CUT", (10, 24, 33, 34))],
    "pap_plain_snaplen64.pcap": [(-1, "CUT", (6, 8)), (0, "CUT", (14, 15, 29, 274))],
    "pap_plain_snaplen96.pcap": [(0, "CUT", (6, 12))],
    # Packets to one id only.
    "any_router_fragments_dup.pcap": [(0, "ONE_DIRECTION", (3,))],
    # And numbers that jump by 69,895 to the datagram of packets 7 and 8.
    "stale_fragment_id_reuse.pcap": [(0, "ONE_DIRECTION", (2,)), (0, "GAP", (8,))],
    # The clock is set 300 s back.
    "clock_back_300s_silence.pcap": [(0, "CLOCK", (43,))],
    # The second Outgoing-Call-Request takes the id of the first.
    "nat_same_callid.pcap": [(0, "SHARED_ID", (12,)), (1, "SHARED_ID", (12,))],
    # Packets of the server only.
    "oneside_server_no_authentication.pcap": [(0, "ONE_DIRECTION", (3,))],
    # Each packet twice.
    "span_dup.pcap": [(0, "COPIES", (18, 20, 52, 54))],
    # Two customers with the same addresses and ports in two VLANs are one connection if nobody asks to separate them.
    "vlan_overlap.pcap": [(0, "MIXED", (4,)), (0, "MIXED", (20, 62))],
}
# Captures in which something was made to fail.  Of all others, only notes may be told.
FAULTS = {"slow2mbit_40ms.pcap", "nat_same_callid.pcap", "synthetic_scapy_all15.pcap", "multi8_clients.server.pcap"} | {
    name for name in TOLD if name.startswith(("auth_", "conn", "echo", "kill", "link_cut", "loss5", "quirk"))
}


def path_of(name: str) -> Path | list[Path]:
    if name in LAB:
        return lab(name)
    path = FOUND / name
    return sorted(path.iterdir(), key=lambda one: (len(one.name), one.name)) if path.is_dir() else path


@pytest.mark.parametrize("name", [*LAB, *OTHERS])
def test_captures(engine: EngineName, name):
    found = pptpcap.read(path_of(name), engine=engine).diagnose()
    assert [(one.call, one.kind.name, one.packets) for one in found] == TOLD.get(name, [])
    assert name in FAULTS or all(one.kind.is_note for one in found)


SENTENCES = {
    "auth_fail_mschapv2.pcap": "The server (PAC) refused the login of the client (PNS) with MS-CHAPv2: CHAP Failure "
    "with error 691 (authentication failure) (packet 21).",
    "auth_fail_pap.pcap": "The server (PAC) refused the login of the client (PNS) with PAP: PAP Authenticate-Nak "
    "(packet 21).",
    "auth_mismatch_lcp_reject.pcap": "The server (PAC) asks for MS-CHAPv2 (packet 17); the client (PNS) rejected any "
    'authentication (packet 18), and they agreed on none. The server ended it with "peer refused to authenticate" '
    "(packet 25).",
    "connection_refused.pcap": "10.77.0.1:1723 answered the SYN of 10.77.0.2:57824 with a reset (packets 3 and 4): "
    "nothing listens there, or a firewall rejects it.",
    "killed_client.pcap": "The client (PNS) ended the control connection with a FIN while the network was up "
    "(packet 52); for this call the capture has no Terminate-Request and no Call-Clear-Request before it.",
    "link_cut_then_server_lcp_timeout.pcap": "The server (PAC) had no reply to its last 3 LCP Echo-Requests (packets 53 "
    "to 57), and ended the call: the call has no Enhanced GRE of the client (PNS) behind packet 51.",
    "multi8_clients.server.pcap": "The client (PNS) requires MPPE and ended the call for lack of it: its "
    'Terminate-Request (packet 54) says "MPPE required but not available"; the authentication was CHAP-MD5, which makes '
    "no keys for it.",
    "quirk_bezeq_lcp_timeout.pcap": "The server (PAC) sent 10 LCP Configure-Requests (packets 16 to 31) and got no "
    "Enhanced GRE back: protocol 47 is probably blocked on the side of the client (PNS), or the client sent none.",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences(name):
    assert pptpcap.read(lab(name)).diagnose()[0].sentence == SENTENCES[name]

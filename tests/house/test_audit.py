"""What is weak about a call, on rows made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pptpcap import schema
from pptpcap.audit import Audit, Finding, Severity, Totals, Weakness, audit
from pptpcap.wire.status import Authenticated, Authentication, CallPhase, Compression

# RFC 3078 section 2.1: H stateless, S 128 bits, L 40 bits, M 56 bits, C MPPC.
H, S, L, M, C = 0x01000000, 0x40, 0x20, 0x80, 0x01
NONE, NOT_SEEN = Authentication.NONE, Authentication.NOT_SEEN


def call(**columns):
    row = np.zeros(1, schema.dtype("calls"))
    row["pns_tunnel"], row["pac_tunnel"] = 0, 1
    for name, value in columns.items():
        row[name] = value
    return row


def mppe(bits, **more):
    method = Compression.MPPE
    more = {"pns_compression": method, "pac_compression": method, "pns_mppe_bits": bits, "pac_mppe_bits": bits, **more}
    return call(mppe_bits=bits, **more)


def names(row):
    """Kinds of finding about the call."""
    return [finding.weakness.name for finding in audit(row) if finding.call >= 0]


def only(row):
    (finding,) = (finding for finding in audit(row) if finding.call >= 0)
    return finding.weakness.name, finding.evidence


def test_a_call_of_which_nothing_was_seen_has_no_finding():
    assert audit(call()) == []
    assert audit(schema.empty("calls")) == []


# ---- kinds


def test_severities_are_the_standard_ones_and_kinds_stand_in_their_order():
    order = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]
    assert [severity.name for severity in Severity] == order
    ranks = [order.index(weakness.severity.name) for weakness in Weakness]
    assert ranks == sorted(ranks)


SEVERITIES = {
    "CRITICAL": "IN_CLEAR NOT_USED ONE_DIRECTION NO_AUTHENTICATION PAP",
    "HIGH": "MS_CHAP MS_CHAP_V2 EAP_MS_CHAP_V2 EAP_LEAP BITS_40 BITS_56 SAME_KEY",
    "MEDIUM": "CHAP_MD5 CHAP_SHA1 EAP_MD5 EAP_PASSCODE STATEFUL NO_INTEGRITY PPTP",
    "LOW": "EAP_TUNNEL",
    "INFO": "NOT_KNOWN",
}


def test_severity_of_each_kind():
    assert {
        severity.name: " ".join(weakness.name for weakness in Weakness if weakness.severity is severity)
        for severity in Severity
    } == SEVERITIES


@pytest.mark.parametrize("weakness", Weakness)
def test_each_kind_says_what_to_do(weakness):
    assert weakness.advice.endswith(".")
    assert len(weakness.meaning) > 20
    assert not weakness.meaning.endswith(".")


# ---- authentication


@pytest.mark.parametrize(
    ("method", "weakness"),
    [
        ("PAP", "PAP"), ("CHAP_MD5", "CHAP_MD5"), ("CHAP_SHA1", "CHAP_SHA1"), ("MS_CHAP", "MS_CHAP"),
        ("MS_CHAP_V2", "MS_CHAP_V2"), ("OTHER", "NOT_KNOWN"),
    ],
)  # fmt: skip
def test_methods(method, weakness):
    row = call(pns_authentication=Authentication[method], pns_authenticated=Authenticated.YES, phase=CallPhase.NETWORK)
    assert only(row) == (weakness, f"pns_authentication {method}, pns_authenticated YES")


EAP = {
    0: ("NOT_KNOWN", "0"), 4: ("EAP_MD5", "MD5"), 5: ("EAP_PASSCODE", "OTP"), 6: ("EAP_PASSCODE", "GTC"),
    17: ("EAP_LEAP", "LEAP"), 21: ("EAP_TUNNEL", "TTLS"), 25: ("EAP_TUNNEL", "PEAP"),
    26: ("EAP_MS_CHAP_V2", "MS_CHAP_V2"), 43: ("EAP_TUNNEL", "FAST"), 55: ("EAP_TUNNEL", "TEAP"),
    18: ("NOT_KNOWN", "SIM"), 52: ("NOT_KNOWN", "PWD"), 200: ("NOT_KNOWN", "200"), 255: ("NOT_KNOWN", "255"),
}  # fmt: skip


@pytest.mark.parametrize("number", EAP)
def test_methods_of_eap(number):
    weakness, name = EAP[number]
    row = call(pac_authentication=Authentication.EAP, pac_eap_method=number)
    assert only(row) == (
        weakness,
        f"pac_authentication EAP, pac_eap_method {name}, pac_authenticated NOT_SEEN",
    )


def test_eap_tls_is_no_finding():
    assert names(call(pns_authentication=Authentication.EAP, pns_eap_method=13, phase=CallPhase.NETWORK)) == []


def test_an_eap_method_is_nothing_where_something_else_was_agreed_on():
    assert names(call(pns_authentication=Authentication.PAP, pns_eap_method=4)) == ["PAP"]


def test_the_side_that_need_not_prove_anything_is_no_finding_where_the_other_does():
    row = call(pns_authentication=Authentication.MS_CHAP_V2, pac_authentication=NONE, phase=CallPhase.NETWORK)
    assert names(row) == ["MS_CHAP_V2"]


def test_both_sides_may_have_to_prove_who_they_are():
    row = call(pns_authentication=Authentication.MS_CHAP_V2, pac_authentication=Authentication.PAP)
    assert names(row) == ["MS_CHAP_V2", "PAP"]


def test_no_authentication_is_said_once():
    row = call(pns_authentication=NONE, pac_authentication=NONE, authentication=NONE, phase=CallPhase.NETWORK)
    evidence = "pns_authentication NONE, pac_authentication NONE, phase NETWORK"
    assert only(row) == ("NO_AUTHENTICATION", evidence)
    row["phase"] = CallPhase.LINK
    assert names(row) == [], "no network opened that anybody could have entered"


@pytest.mark.parametrize(
    ("pns", "pac", "both"),
    [(NONE, NOT_SEEN, NONE), (NOT_SEEN, NONE, NONE), (NOT_SEEN, NOT_SEEN, NOT_SEEN), (NONE, NONE, NOT_SEEN)],
)
def test_half_a_link_does_not_show_that_it_had_no_authentication(pns, pac, both):
    """The last has both Configure-Acks, and a challenge too."""
    row = call(pns_authentication=pns, pac_authentication=pac, authentication=both, phase=CallPhase.NETWORK)
    evidence = f"pns_authentication {pns.name}, pac_authentication {pac.name}, phase NETWORK"
    assert only(row) == ("NOT_KNOWN", evidence)
    row["phase"] = CallPhase.AUTHENTICATED
    assert names(row) == []


# ---- content


@pytest.mark.parametrize(
    ("columns", "evidence"),
    [
        ({"ipv4_packets": 1}, "ipv4_packets 1"),
        ({"ipv6_packets": 3, "ipv4_packets": 1200}, "ipv4_packets 1,200, ipv6_packets 3"),
        ({"multilink_ip_packets": 7}, "multilink_ip_packets 7"),
    ],
)
def test_clear_packets_are_the_evidence(columns, evidence):
    assert only(call(**columns)) == ("IN_CLEAR", evidence)


CLEAR = ["MPPC", "DEFLATE", "BSD_COMPRESS", "PREDICTOR", "STAC_LZS"]


@pytest.mark.parametrize("method", CLEAR)
def test_compressed_packets_are_in_clear(method):
    kind = Compression[method]
    evidence = f"compressed_packets 7, pns_compression {method}, pac_compression {method}"
    assert only(call(compressed_packets=7, pns_compression=kind, pac_compression=kind)) == ("IN_CLEAR", evidence)


def test_compressed_packets_of_the_only_side_that_was_captured_are_in_clear():
    row = call(compressed_packets=7, pns_compression=Compression.DEFLATE, pac_tunnel=-1)
    assert only(row) == ("IN_CLEAR", "compressed_packets 7, pns_compression DEFLATE, pac_compression NOT_SEEN")
    row = call(compressed_packets=7, pac_compression=Compression.MPPC, pns_tunnel=-1)
    assert only(row) == ("IN_CLEAR", "compressed_packets 7, pns_compression NOT_SEEN, pac_compression MPPC")


@pytest.mark.parametrize(
    ("pns", "pac"),
    [
        ("NOT_SEEN", "NOT_SEEN"), ("NOT_SEEN", "DEFLATE"), ("DEFLATE", "NOT_SEEN"), ("OTHER", "OTHER"),
        ("DEFLATE", "OTHER"), ("NONE", "NONE"), ("NONE", "MPPC"),
    ],
)  # fmt: skip
def test_compressed_packets_of_which_the_method_is_not_known(pns, pac):
    row = call(compressed_packets=7, pns_compression=Compression[pns], pac_compression=Compression[pac])
    assert only(row) == ("NOT_KNOWN", f"compressed_packets 7, pns_compression {pns}, pac_compression {pac}")


def test_compressed_packets_beside_mppe_are_not_known():
    """They came while MPPE was not in force, as far as the capture tells."""
    assert names(mppe(H | S, compressed_packets=7)) == ["NOT_KNOWN", "NO_INTEGRITY"]


def test_packets_of_other_protocols_are_not_known():
    """Such as ECP's 0053, or multilink fragments that begin no IP header."""
    assert only(call(other_packets=1234)) == ("NOT_KNOWN", "other_packets 1,234")
    assert names(call(other_packets=1, ipv4_packets=1)) == ["NOT_KNOWN", "IN_CLEAR"]


def test_mppe_that_was_agreed_on_and_not_used():
    row = mppe(H | S, ipv4_packets=1, encrypted_packets=5)
    assert names(row) == ["IN_CLEAR", "NOT_USED", "NO_INTEGRITY"]
    assert audit(row)[1].evidence == "pns_compression MPPE, pac_compression MPPE, ipv4_packets 1"
    row = mppe(H | S, pac_mppe_bits=0, pac_compression=Compression.NOT_SEEN, multilink_ip_packets=1)
    assert names(row) == ["IN_CLEAR", "NOT_USED", "NO_INTEGRITY"]


@pytest.mark.parametrize("method", ["NONE", *CLEAR])
@pytest.mark.parametrize("side", ["pns", "pac"])
def test_mppe_in_one_direction(side, method):
    other = {"pns": "pac", "pac": "pns"}[side]
    row = mppe(H | S, **{f"{other}_mppe_bits": 0, f"{other}_compression": Compression[method]})
    assert names(row) == ["ONE_DIRECTION", "NO_INTEGRITY"]
    row["ipv4_packets"] = 5
    assert names(row) == ["IN_CLEAR", "ONE_DIRECTION", "NO_INTEGRITY"]


@pytest.mark.parametrize("method", ["NOT_SEEN", "OTHER"])
def test_mppe_in_one_direction_and_something_unknown_in_the_other(method):
    """Half a conversation, or a method that may encrypt."""
    assert names(mppe(H | S, pac_mppe_bits=0, pac_compression=Compression[method])) == ["NO_INTEGRITY"]


# ---- MPPE


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (S, ["STATEFUL", "NO_INTEGRITY"]),
        (H | S, ["NO_INTEGRITY"]),
        (H | S | C, ["NO_INTEGRITY"]),
        (L, ["BITS_40", "STATEFUL", "NO_INTEGRITY"]),
        (H | L, ["BITS_40", "NO_INTEGRITY"]),
        (M, ["BITS_56", "STATEFUL", "NO_INTEGRITY"]),
        (H | M, ["BITS_56", "NO_INTEGRITY"]),
        (H | L | M | S, ["BITS_40", "BITS_56", "NO_INTEGRITY"]),
        (C, []),
        (H, []),
    ],
)
def test_strengths(bits, expected):
    method = Compression.MPPE if bits & (S | L | M) else Compression.NONE
    assert names(mppe(bits, pns_compression=method, pac_compression=method)) == expected


def test_evidence_of_mppe_names_the_sides_that_show_it():
    row = mppe(H | S, pac_mppe_bits=L, encrypted_packets=1500)
    assert {finding.weakness.name: finding.evidence for finding in audit(row)} == {
        "BITS_40": "pac_mppe_bits 0x00000020, encrypted_packets 1,500",
        "STATEFUL": "pac_mppe_bits 0x00000020, encrypted_packets 1,500",
        "NO_INTEGRITY": "pns_mppe_bits 0x01000040, pac_mppe_bits 0x00000020, encrypted_packets 1,500",
    }


@pytest.mark.parametrize(
    ("pns", "pac", "same"),
    [
        ("MS_CHAP", "NOT_SEEN", True), ("NONE", "MS_CHAP", True), ("MS_CHAP", "MS_CHAP", True),
        ("MS_CHAP", "MS_CHAP_V2", False), ("MS_CHAP_V2", "NONE", False), ("EAP", "NONE", False),
        ("NOT_SEEN", "NOT_SEEN", False),
    ],
)  # fmt: skip
def test_one_key_for_both_directions(pns, pac, same):
    row = mppe(H | S, pns_authentication=Authentication[pns], pac_authentication=Authentication[pac])
    assert ("SAME_KEY" in names(row)) is same
    row["pac_mppe_bits"] = 0
    assert "SAME_KEY" not in names(row), "only one direction is known to be encrypted"


# ---- the capture, order and totals


def test_pptp_itself_is_one_finding_of_the_capture():
    phases = (CallPhase.NONE, CallPhase.REQUESTED, CallPhase.CONNECTED, CallPhase.NETWORK)
    rows = np.concatenate([call(phase=phase, first_packet=10 + phase) for phase in phases])
    assert audit(rows[:2]) == []
    assert audit(rows)[0] == Finding(-1, Weakness.PPTP, "call 2: phase CONNECTED", (12,))
    assert [finding.call for finding in audit(rows)] == [-1, 3]


def test_findings_stand_in_the_order_of_the_calls():
    rows = np.concatenate([call(ipv4_packets=1), call(), call(ipv6_packets=1)])
    assert [finding.call for finding in audit(rows)] == [0, 2]


def test_totals():
    rows = [
        call(pns_authentication=Authentication.PAP, authentication=Authentication.PAP, ipv4_packets=1),
        call(pns_authentication=Authentication.EAP, pns_eap_method=13, authentication=Authentication.EAP),
        call(encrypted_packets=4),
        call(),
        call(other_packets=1, compressed_packets=1),
        mppe(H | S),
    ]
    auditor = Audit()
    for number, row in enumerate(rows):
        assert all(finding.call == number for finding in auditor.take(row, number))
    assert auditor.totals == Totals(
        with_findings=3,
        without_findings=2,
        nothing_seen=1,
        severities={Severity.CRITICAL: 1, Severity.MEDIUM: 1, Severity.INFO: 1},
        weaknesses={Weakness.IN_CLEAR: 1, Weakness.PAP: 1, Weakness.NO_INTEGRITY: 1, Weakness.NOT_KNOWN: 1},
    )
    assert auditor.totals.calls == 6
    assert list(auditor.totals.severities) == [Severity.CRITICAL, Severity.MEDIUM, Severity.INFO]


def test_a_column_that_was_not_read():
    with pytest.raises(ValueError, match="pns_authentication"):
        audit(call()[["phase"]])


def test_the_hash_of_a_refused_password_and_a_shared_id_are_told():
    row = call(pns_authentication=6, pns_authenticated=2, status=0x20)
    assert only(row) == (
        "MS_CHAP_V2",
        "pns_authentication MS_CHAP_V2, pns_authenticated REFUSED: "
        "the hash may be of another password than the account's, status SHARED_ID",
    )

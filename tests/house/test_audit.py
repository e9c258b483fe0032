"""What is weak about a call, on rows made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pptpcap import schema
from pptpcap.audit import Weakness, audit
from pptpcap.wire.status import Authenticated, Authentication, CallPhase, Compression

# RFC 3078 section 2.1: H stateless, S 128 bits, L 40 bits, M 56 bits, C MPPC.
H, S, L, M, C = 0x01000000, 0x40, 0x20, 0x80, 0x01


def call(**columns):
    row = np.zeros(1, schema.dtype("calls"))
    for name, value in columns.items():
        row[name] = value
    return row


def mppe(bits, **more):
    method = Compression.MPPE
    return call(
        pns_mppe_bits=bits, pac_mppe_bits=bits, pns_compression=method, pac_compression=method, mppe_bits=bits, **more
    )


def weaknesses(row):
    return [finding.weakness for finding in audit(row)]


def test_a_call_of_which_nothing_was_seen_has_no_finding():
    assert audit(call()) == []
    assert audit(schema.empty("calls")) == []


@pytest.mark.parametrize(
    ("method", "weakness"),
    [
        (Authentication.NONE, Weakness.NO_AUTHENTICATION),
        (Authentication.PAP, Weakness.PAP),
        (Authentication.CHAP_MD5, Weakness.CHAP_MD5),
        (Authentication.MS_CHAP, Weakness.MS_CHAP),
        (Authentication.MS_CHAP_V2, Weakness.MS_CHAP_V2),
    ],
)
def test_methods(method, weakness):
    row = call(
        pns_authentication=method, authentication=method, pns_authenticated=Authenticated.YES, phase=CallPhase.NETWORK
    )
    (finding,) = audit(row)
    assert (finding.call, finding.weakness) == (0, weakness)
    assert finding.evidence == f"pns_authentication {method.name}, pns_authenticated YES"


@pytest.mark.parametrize("method", [Authentication.NOT_SEEN, Authentication.EAP, Authentication.OTHER])
def test_methods_that_are_no_finding(method):
    assert audit(call(pns_authentication=method, authentication=method)) == []


def test_the_side_that_need_not_prove_anything_is_no_finding_where_the_other_does():
    row = call(
        pns_authentication=Authentication.MS_CHAP_V2,
        pac_authentication=Authentication.NONE,
        authentication=Authentication.MS_CHAP_V2,
    )
    assert weaknesses(row) == [Weakness.MS_CHAP_V2]


def test_no_authentication_is_said_once():
    none = Authentication.NONE
    row = call(pns_authentication=none, pac_authentication=none, authentication=none, phase=CallPhase.NETWORK)
    assert weaknesses(row) == [Weakness.NO_AUTHENTICATION]
    row["phase"] = CallPhase.LINK
    assert weaknesses(row) == [], "no network opened that anybody could have entered"


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (S, []),
        (H | S, [Weakness.STATELESS]),
        (L, [Weakness.BITS_40]),
        (H | L, [Weakness.BITS_40, Weakness.STATELESS]),
        (M, [Weakness.BITS_56]),
        (H | M, [Weakness.BITS_56, Weakness.STATELESS]),
        (C, []),
        (H, []),
    ],
)
def test_strengths(bits, expected):
    assert weaknesses(mppe(bits)) == expected


def test_two_directions_that_agreed_on_different_keys_are_two_findings():
    row = mppe(S)
    row["pac_mppe_bits"] = L
    found = audit(row)
    assert [finding.weakness for finding in found] == [Weakness.BITS_40]
    assert "0x00000020" in found[0].evidence


def test_clear_packets_are_the_evidence():
    (finding,) = audit(call(ipv4_packets=12, ipv6_packets=3))
    assert (finding.weakness, finding.evidence) == (Weakness.IN_CLEAR, "ipv4_packets 12, ipv6_packets 3")


def test_mppe_that_was_agreed_on_and_not_used():
    found = weaknesses(mppe(H | S, ipv4_packets=1, encrypted_packets=5))
    assert found == [Weakness.IN_CLEAR, Weakness.NOT_USED, Weakness.STATELESS]


@pytest.mark.parametrize("method", [Compression.DEFLATE, Compression.MPPC, Compression.BSD_COMPRESS])
def test_compressed_packets_are_in_clear(method):
    (finding,) = audit(call(compressed_packets=7, pns_compression=method))
    assert (finding.weakness, finding.evidence) == (Weakness.IN_CLEAR, f"compressed_packets 7 of {method.name}")


def test_compressed_packets_without_negotiation_are_not_known():
    (finding,) = audit(call(compressed_packets=7))
    assert finding.weakness is Weakness.NOT_KNOWN


def test_findings_stand_in_the_order_of_the_calls():
    rows = np.concatenate([call(ipv4_packets=1), call(), call(ipv6_packets=1)])
    assert [finding.call for finding in audit(rows)] == [0, 2]

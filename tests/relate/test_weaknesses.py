"""The audit of captures made by hand: which packets prove a finding, nothing secret in it, and the same however split.

The control connection says that the client is the PNS.
"""

from __future__ import annotations

from random import Random

import pytest
from builder import cut, pcap
from call_builder import CLIENT_SIDE, SERVER_SIDE, Session, octets, packet
from captures import WALKED, lab
from hypothesis import given
from hypothesis import strategies as st
from relations import relations

import pptpcap
from pptpcap.audit import Audit, Finding, Totals, audit
from pptpcap.engine import Data

PNS, PAC = CLIENT_SIDE, SERVER_SIDE
# Packets of the control connection in front of the tunnels.
BEFORE = 5
NAME = "616c696365"
SECRET = "5365437245743778"
MPPE_128, MPPE_56, MPPE_40, STATEFUL_128 = "1206 01000040", "1206 01000080", "1206 01000020", "1206 00000040"
DEFLATE, MPPC = "1a04 7800", "1206 00000001"
# 20 octets, protocol 17, 10.0.0.1 to 10.0.0.2.
IPV4 = "4500 0014 0000 0000 40 11 66d7 0a000001 0a000002"


def ccp(option: str) -> str:
    return packet("80fd", 2, option)


def packets(*texts: tuple[int, str]) -> list[bytes]:
    """The handshake and two messages of a call, then these PPP packets of either side."""
    talk = Session().outgoing(0x11, 0x22)
    assert len(talk.packets) == BEFORE
    for number, (side, text) in enumerate(texts):
        talk.tunnelled(side, 0x22 if side == PNS else 0x11, number, payload=octets(text))
    return talk.frames()


def found(engine, *texts: tuple[int, str]) -> list[tuple[str, tuple[int, ...]]]:
    """Findings about the call, with their packets; the first text is 1."""
    return told(audit(pptpcap.read(pcap(packets(*texts)), engine=engine)))


def told(findings: list[Finding]) -> list[tuple[str, tuple[int, ...]]]:
    of_call = [finding for finding in findings if finding.call >= 0]
    return [(finding.weakness.name, tuple(number - BEFORE for number in finding.packets)) for finding in of_call]


# ---- authentication, with the packets that prove it

LOGIN = {
    "PAP": ("0304c023", packet("c023", 1, f"05 {NAME} 03 707764"), packet("c023", 2, "00"), "PAP"),
    "CHAP with MD5": ("0305c22305", packet("c223", 2, "10" + "ab" * 16 + NAME), packet("c223", 3), "CHAP_MD5"),
    "CHAP with SHA-1": ("0305c22306", packet("c223", 2, "14" + "ab" * 20 + NAME), packet("c223", 3), "CHAP_SHA1"),
    "MS-CHAPv1": ("0305c22380", packet("c223", 2, "31" + "cd" * 48 + "01"), packet("c223", 3), "MS_CHAP"),
    "MS-CHAPv2": ("0305c22381", packet("c223", 2, "31" + "cd" * 48 + "00"), packet("c223", 4), "MS_CHAP_V2"),
    "EAP-MD5": ("0304c227", packet("c227", 2, "04 10" + "ab" * 16), packet("c227", 3), "EAP_MD5"),
    "EAP-OTP": ("0304c227", packet("c227", 2, "05 313233"), packet("c227", 3), "EAP_PASSCODE"),
    "EAP-GTC": ("0304c227", packet("c227", 2, "06 313233"), packet("c227", 4), "EAP_PASSCODE"),
    "LEAP": ("0304c227", packet("c227", 2, "11 01 00 18" + "ab" * 24), packet("c227", 3), "EAP_LEAP"),
    "EAP-TTLS": ("0304c227", packet("c227", 2, "15 00"), packet("c227", 3), "EAP_TUNNEL"),
    "PEAP": ("0304c227", packet("c227", 2, "19 00"), packet("c227", 3), "EAP_TUNNEL"),
    "MS-CHAPv2 in EAP": ("0304c227", packet("c227", 2, "1a 02 01 0006 31"), packet("c227", 3), "EAP_MS_CHAP_V2"),
    "EAP without a method": ("0304c227", packet("c227", 2, f"01 {NAME}"), packet("c227", 4), "NOT_KNOWN"),
    "EAP of another type": ("0304c227", packet("c227", 2, "c8"), packet("c227", 3), "NOT_KNOWN"),
}


@pytest.mark.parametrize("name", LOGIN)
def test_the_packets_that_prove_how_a_side_proved_who_it_is(engine, name):
    """LCP, then the first answer, a second one that counts, and the outcome."""
    option, answer, outcome, weakness = LOGIN[name]
    texts = [(PNS, packet("c021", 2, option)), (PAC, packet("c021", 2)), (PNS, answer), (PNS, answer), (PAC, outcome)]
    assert found(engine, *texts) == [(weakness, (1, 4, 5))]


def test_eap_tls_is_no_finding(engine):
    texts = [(PNS, packet("c021", 2, "0304c227")), (PNS, packet("c227", 2, "0d 00")), (PAC, packet("c227", 3))]
    assert found(engine, *texts) == []


def test_a_method_that_is_cut_off_is_not_known(engine):
    *rest, last = packets((PNS, packet("c021", 2, "0304c227")), (PNS, packet("c227", 2, "04")))
    capture = pptpcap.read(pcap([*rest, cut(last, len(last) - 1)]), engine=engine)
    assert told(audit(capture)) == [("NOT_KNOWN", (1, 2))]


def test_packets_that_negotiate_nothing_prove_nothing(engine):
    """A Configure-Ack with a broken option behind the one that counts, and an answer longer than its packet."""
    texts = [(PNS, packet("c021", 2, "0304c023")), (PNS, packet("c021", 2, "0309c223")), (PNS, "c023 01 01 0009 00")]
    assert found(engine, *texts) == [("PAP", (1,))]


OPEN = [(PNS, packet("c021", 2)), (PAC, packet("c021", 2)), (PNS, packet("8021", 2)), (PAC, packet("8021", 2))]


def test_a_network_without_authentication(engine):
    assert found(engine, *OPEN) == [("NO_AUTHENTICATION", (1, 2))]
    assert found(engine, *OPEN[:3]) == [], "the network did not open"
    challenge = (PAC, packet("c223", 1, "0141"))
    assert found(engine, *OPEN, challenge) == [("NOT_KNOWN", (1, 2))]


@pytest.mark.parametrize("side", [PNS, PAC])
def test_a_network_of_which_one_direction_was_captured(engine, side):
    mine = [text for text in OPEN if text[0] == side]
    assert found(engine, *mine) == [("NOT_KNOWN", (1,))]


def test_a_network_of_which_one_acknowledgment_was_captured(engine):
    assert found(engine, *OPEN[1:], (PNS, "21 45")) == [("NOT_KNOWN", (1,)), ("IN_CLEAR", (4,))]


# ---- content

LOGGED_IN = [(PNS, packet("c021", 2, "0304c227")), (PNS, packet("c227", 2, "0d 00")), (PAC, packet("c227", 3))]
CLEAR = {
    "IPv4": ("21 45", (4, 5)),
    "VJ": ("002d 00", (4, 5)),
    "IPv6": ("ff03 0057 60", (4, 5)),
    "multilink": (f"003d c0000001 0021 {IPV4}", (4, 5)),
    "multilink, short sequence number": (f"3d c001 21 {IPV4}", (4, 5)),
}


@pytest.mark.parametrize("name", CLEAR)
def test_packets_in_clear(engine, name):
    """The first of each direction; EAP-TLS is no finding."""
    text, numbers = CLEAR[name]
    texts = [*LOGGED_IN, (PNS, text), (PAC, text), (PNS, text), (PAC, text)]
    assert found(engine, *texts) == [("IN_CLEAR", numbers)]


UNKNOWN = {
    "compressed": "00fd 9000 00",
    "compressed by link": "00fb 00",
    "multilink that begins no IP packet": "003d c0000001 00fd 9000",
    "multilink that goes on": f"003d 40000001 0021 {IPV4}",
    "ECP": "0053 0001 abcd",
    "ECP of one link": "0055 0001 abcd",
    "IPX": "002b 00",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_packets_of_which_it_is_not_known(engine, name):
    ecp = [(PNS, packet("8053", 2)), (PAC, packet("8053", 2))] if "ECP" in name else []
    first = 4 + len(ecp)
    texts = [*LOGGED_IN, *ecp, (PNS, UNKNOWN[name]), (PNS, UNKNOWN[name]), (PAC, UNKNOWN[name])]
    assert found(engine, *texts) == [("NOT_KNOWN", (first, first + 2))]


@pytest.mark.parametrize("option", [DEFLATE, MPPC, "1503 2f", "0102", "1105 000104"])
def test_compression_without_encryption(engine, option):
    texts = [*LOGGED_IN, (PNS, ccp(option)), (PAC, ccp(option)), (PAC, "fd 00"), (PNS, "fd 00"), (PNS, "fd 00")]
    # With the two packets that agree on the method.
    assert found(engine, *texts) == [("IN_CLEAR", (4, 5, 6, 7))]


def test_compression_of_which_one_side_was_not_seen(engine):
    texts = [*LOGGED_IN, (PNS, ccp(DEFLATE)), (PNS, "fd 00"), (PAC, "fd 00")]
    assert found(engine, *texts) == [("NOT_KNOWN", (5, 6))]


# ---- MPPE

STRENGTHS = {
    MPPE_128: ["NO_INTEGRITY"],
    STATEFUL_128: ["STATEFUL", "NO_INTEGRITY"],
    MPPE_56: ["BITS_56", "NO_INTEGRITY"],
    MPPE_40: ["BITS_40", "NO_INTEGRITY"],
}


@pytest.mark.parametrize("option", STRENGTHS)
def test_encryption(engine, option):
    texts = [*LOGGED_IN, (PNS, ccp(option)), (PAC, ccp(option)), (PAC, "fd 9000"), (PNS, "fd 9000"), (PNS, "fd 9001")]
    assert found(engine, *texts) == [(weakness, (4, 5, 6, 7)) for weakness in STRENGTHS[option]]


def test_encryption_that_is_not_used(engine):
    texts = [*LOGGED_IN, (PNS, ccp(MPPE_128)), (PAC, ccp(MPPE_128)), (PNS, "fd 9000"), (PAC, "21 45")]
    assert found(engine, *texts) == [("IN_CLEAR", (7,)), ("NOT_USED", (4, 5, 7)), ("NO_INTEGRITY", (4, 5, 6))]


@pytest.mark.parametrize("option", ["", DEFLATE, MPPC])
def test_encryption_of_one_direction(engine, option):
    texts = [*LOGGED_IN, (PNS, ccp(option)), (PAC, ccp(MPPE_40)), (PAC, "fd 9000"), (PNS, "21 45")]
    assert found(engine, *texts) == [
        ("IN_CLEAR", (7,)),
        ("ONE_DIRECTION", (4, 5)),
        ("BITS_40", (5, 6)),
        ("NO_INTEGRITY", (5, 6)),
    ]


def test_encryption_of_the_direction_that_was_captured(engine):
    texts = [(PAC, ccp(MPPE_128)), (PAC, "fd 9000")]
    assert [name for name, _ in found(engine, *texts)] == ["NOT_KNOWN", "NO_INTEGRITY"]


# ---- the capture


def test_pptp_itself(engine):
    """Packet 4 is the request of the first call; the handshake has three."""
    talk = Session().outgoing(0x11, 0x22)
    findings = audit(pptpcap.read(talk.pcap(), engine=engine))
    assert [(finding.call, finding.weakness.name, finding.packets) for finding in findings] == [(-1, "PPTP", (4,))]


def test_without_the_tables_of_packets_findings_name_none(engine):
    texts = [(PNS, packet("c023", 1, f"05 {NAME} 03 707764")), (PNS, "21 45"), (PAC, "21 45")]
    capture = pptpcap.read(pcap(packets(*texts)), engine=engine)
    alone = audit(capture["calls"])
    assert [(finding.weakness, finding.evidence) for finding in alone] == [
        (finding.weakness, finding.evidence) for finding in audit(capture)
    ]
    assert told(alone) == [("PAP", ()), ("IN_CLEAR", ())]
    assert told(audit({"calls": capture["calls"], "gre": capture["gre"]})) == [("PAP", ()), ("IN_CLEAR", (2, 3))]


@pytest.mark.parametrize("identities", [False, True])
def test_nothing_secret_is_in_a_finding(engine, identities):
    """Nor a name."""
    for text in (
        packet("c023", 1, f"05 {NAME} 08 {SECRET}"),
        packet("c223", 1, f"08 {SECRET}"),
        packet("c223", 2, "10" + SECRET * 2 + NAME),
        packet("c223", 2, "31" + SECRET * 6 + "00" + NAME),
        packet("c223", 3, SECRET),
        packet("c223", 4, SECRET),
        packet("c227", 2, f"01 {NAME}"),
        packet("c227", 2, f"06 {SECRET}"),
        packet("c021", 5, SECRET),
    ):
        capture = pptpcap.read(pcap(packets((PNS, text), (PAC, text))), engine=engine, identities=identities)
        words = repr(audit(capture)).lower()
        for secret in (SECRET, NAME):
            assert secret.lower() not in words
            assert octets(secret).decode().lower() not in words


# ---- laws


def split(data: Data, size: int) -> tuple[list[Finding], Totals]:
    auditor, findings = Audit(), []
    for batch in pptpcap.iterate(data, batch_packets=size):
        findings += auditor.take(batch, batch.first_row["calls"])
    return [*auditor.of_capture, *findings], auditor.totals


def whole(data: Data) -> tuple[list[Finding], Totals]:
    auditor = Audit()
    findings = auditor.take(pptpcap.read(data))
    return [*auditor.of_capture, *findings], auditor.totals


@pytest.mark.slow
@given(st.integers(0, 2**32), st.sampled_from((1, 3, 20, 1000)))
def test_any_capture_and_any_split(seed, size):
    """Nothing raises; batches change nothing; each packet that is named is one of the call's tunnels."""
    data = pcap(relations(Random(seed), 120))
    capture = pptpcap.read(data)
    findings, totals = whole(data)
    assert split(data, size) == (findings, totals)
    assert totals.calls == len(capture["calls"])
    tunnel_of = dict(zip(capture["gre"]["packet"].tolist(), capture["gre"]["tunnel"].tolist(), strict=True))
    for finding in findings:
        if finding.call >= 0:
            call = capture["calls"][finding.call]
            assert {tunnel_of[number] for number in finding.packets} <= {call["pns_tunnel"], call["pac_tunnel"]}
    alone = Audit()
    assert [finding.evidence for finding in alone.take(capture["calls"])] == [
        finding.evidence for finding in findings if finding.call >= 0
    ]
    assert alone.totals == totals


def test_generated_captures_have_findings_of_many_kinds():
    kinds = {finding.weakness.name for seed in range(60) for finding in whole(pcap(relations(Random(seed), 150)))[0]}
    assert kinds >= {"PAP", "EAP_MD5", "EAP_MS_CHAP_V2", "IN_CLEAR", "NOT_KNOWN", "PPTP"}


@pytest.mark.parametrize("name", WALKED)
def test_any_split_of_a_capture_of_the_lab(name):
    assert split(lab(name).read_bytes(), 37) == whole(lab(name).read_bytes())

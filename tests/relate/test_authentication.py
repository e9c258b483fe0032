"""How each side proved who it is, whether it was believed, its name where that was asked for, and no secret anywhere.

The rows of decoding 10.4 on PAP, CHAP and EAP, and what calls have of them by 10.5.  The client is the PNS.
"""

from __future__ import annotations

import pytest
from builder import cut, pcap
from call_builder import CLIENT_SIDE, SERVER_SIDE, Session, octets, packet, packets
from helpers import EngineName, decode
from related import holds, only_call

import pptpcap

PNS, PAC = CLIENT_SIDE, SERVER_SIDE
ALICE = "05 616c696365"
NAME = "616c696365"
PAP = packet("c023", 1, f"{ALICE} 03 707764")
PAP_ACK, PAP_NAK = packet("c023", 2, "00"), packet("c023", 3, "03 6e6f21")
CHAP_SUCCESS = packet("c223", 3, b"S=8C2219D18B9A7C49A0ACB4A6D2D7A3F8F1C3E2D4 M=ok".hex())


def failure(text: bytes) -> str:
    return packet("c223", 4, text.hex())


def response(value: str, name: str = NAME) -> str:
    """A CHAP Response with a value."""
    return packet("c223", 2, f"{len(value) // 2:02x} {value} {name}")


MD5 = "ab" * 16
SHA1 = "ab" * 20
# MS-CHAPv1: 24 octets of LM response, 24 of NT response, flags 1.  Version 2: 16 of peer challenge, 8 reserved, 24 of
# response, flags 0.
V1 = "cd" * 24 + "ef" * 24 + "01"
V2 = "cd" * 16 + "00" * 8 + "ef" * 24 + "00"


def read(engine: EngineName, *texts: tuple[int, str], identities: bool = False):
    return pptpcap.read(pcap(packets(*texts)), engine=engine, identities=identities)


def said_by(engine: EngineName, *texts: tuple[int, str], identities: bool = False):
    """The row of the call."""
    return only_call(read(engine, *texts, identities=identities))


def said_in_a_call(engine: EngineName, *texts: tuple[int, str]):
    """The row of a call whose messages say that the client is the PNS."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0)
    for number, (side, text) in enumerate(texts, 1):
        talk.tunnelled(side, 0x22 if side == CLIENT_SIDE else 0x11, number, payload=octets(text))
    return only_call(pptpcap.read(talk.pcap(), engine=engine))


# ---- what was seen

SEEN = {
    "PAP": (PAP, "PAP"),
    "MD5": (response(MD5), "CHAP_MD5"),
    "SHA-1": (response(SHA1), "CHAP_SHA1"),
    "MS-CHAPv1": (response(V1), "MS_CHAP"),
    "MS-CHAPv1 with flags 0": (response("cd" * 48 + "00"), "MS_CHAP"),
    "MS-CHAPv1, LM alone": (response("cd" * 24 + "00" * 25), "MS_CHAP"),
    "MS-CHAPv2": (response(V2), "MS_CHAP_V2"),
    "MS-CHAPv2 with flags 1": (response(V2[:-2] + "01"), "MS_CHAP"),
    "MS-CHAPv2, last reserved octet": (response("cd" * 16 + "00" * 7 + "01" + "ef" * 24 + "00"), "MS_CHAP"),
    "MS-CHAPv2, first reserved octet": (response("cd" * 16 + "01" + "00" * 7 + "ef" * 24 + "00"), "MS_CHAP"),
    "value of 15": (response("ab" * 15), "NOT_SEEN"),
    "value of 48": (response("cd" * 48), "NOT_SEEN"),
    "value of 50": (response("cd" * 16 + "00" * 34), "NOT_SEEN"),
    "challenge": (packet("c223", 1, f"10 {MD5} {NAME}"), "NOT_SEEN"),
    "value longer than the packet": (packet("c223", 2, "31" + "00" * 48), "NOT_SEEN"),
    "no value": (packet("c223", 2), "NOT_SEEN"),
    "EAP identity": (packet("c227", 2, f"01 {NAME}"), "EAP"),
    "EAP of a method": (packet("c227", 2, "04 10" + MD5), "EAP"),
    "EAP request": (packet("c227", 1, "01"), "NOT_SEEN"),
}


@pytest.mark.parametrize("name", SEEN)
def test_seen(engine, name):
    """Nothing was agreed on that the capture has, so what the PNS sent says how it proves who it is."""
    text, method = SEEN[name]
    row = said_by(engine, (PNS, text))
    holds(row, pns_authentication=method, pac_authentication="NOT_SEEN", authentication=method)
    holds(row, pns_authenticated="NOT_SEEN", authenticated="NOT_SEEN")


def test_a_response_that_is_cut_by_the_capture(engine):
    """49 octets of which 48 are captured tell nothing; of MD5 the length is enough."""
    for text, missing, method in ((response(V2, ""), 1, "NOT_SEEN"), (response(MD5, ""), 1, "CHAP_MD5")):
        *rest, last = packets((PNS, text))
        got = decode(pcap([*rest, cut(last, len(last) - missing)]), engine)
        holds(got["calls"][0], pns_authentication=method)


def test_the_last_that_was_seen_counts(engine):
    holds(said_by(engine, (PNS, PAP), (PNS, response(MD5))), pns_authentication="CHAP_MD5")


def test_what_was_agreed_on_comes_before_what_was_seen(engine):
    """LCP acknowledged MS-CHAPv2, and the PNS sent its password in clear."""
    ack = packet("c021", 2, "0305c22381")
    holds(said_by(engine, (PNS, ack), (PNS, PAP)), pns_authentication="MS_CHAP_V2")


def test_what_was_seen_comes_before_an_agreement_on_nothing(engine):
    holds(said_by(engine, (PNS, packet("c021", 2)), (PNS, PAP)), pns_authentication="PAP", authentication="PAP")
    holds(said_by(engine, (PNS, packet("c021", 2))), pns_authentication="NONE", authentication="NONE")


# ---- EAP methods (RFC 3748 section 5): the octet behind the head is the type

EAP = {
    "MD5": (["04 10" + MD5], 4),
    "One-Time Password": (["05 313233"], 5),
    "Generic Token Card": (["06 313233"], 6),
    "TLS": (["0d 00"], 13),
    "LEAP": (["11 01 00 18" + "ab" * 24], 17),
    "TTLS": (["15 00"], 21),
    "PEAP": (["19 00"], 25),
    "MS-CHAPv2": (["1a 02 01 0006 31 00"], 26),
    "FAST": (["2b 01"], 43),
    "type without a name": (["c8"], 200),
    "expanded": (["fe 000000 00000001"], 254),
    "last type": (["ff"], 255),
    "identity": ([f"01 {NAME}"], 0),
    "notification": (["02"], 0),
    "nak": (["03 04"], 0),
    "type 0": (["00"], 0),
    "no type": ([""], 0),
    "identity, nak, method": ([f"01 {NAME}", "03 0d", "0d 00"], 13),
    "method, then notification, nak and identity": (["0d 00", "02", "03 04", f"01 {NAME}", "00", ""], 13),
    "the last counts": (["04 10" + MD5, "0d 00"], 13),
}


@pytest.mark.parametrize("name", EAP)
def test_eap_method(engine, name):
    bodies, method = EAP[name]
    row = said_by(engine, *((PNS, packet("c227", 2, body)) for body in bodies))
    holds(row, pns_eap_method=method, pac_eap_method=0, pns_authentication="EAP")


@pytest.mark.parametrize("text", [packet("c227", 1, "04"), packet("c227", 3, "04"), packet("c227", 4, "04")])
def test_only_a_response_names_the_eap_method(engine, text):
    holds(said_by(engine, (PNS, text)), pns_eap_method=0, pac_eap_method=0)


def test_each_side_has_its_eap_method(engine):
    row = said_in_a_call(engine, (PNS, packet("c227", 2, "1a")), (PAC, packet("c227", 2, "0d")))
    holds(row, pns_eap_method=26, pac_eap_method=13)


def test_a_type_that_the_capture_cuts_off_leaves_the_eap_method(engine):
    *rest, last = packets((PNS, packet("c227", 2, "0d")), (PNS, packet("c227", 2, "04")))
    for missing, method in ((0, 4), (1, 13), (2, 13)):
        got = decode(pcap([*rest, cut(last, len(last) - missing)]), engine)
        holds(got["calls"][0], pns_eap_method=method)


# ---- what was believed

BELIEVED = {
    "PAP": (PAP_ACK, "YES", 0),
    "PAP refused": (PAP_NAK, "REFUSED", 0),
    "PAP without a message": (packet("c023", 2), "YES", 0),
    "CHAP": (CHAP_SUCCESS, "YES", 0),
    "CHAP refused": (failure(b"no"), "REFUSED", 0),
    "CHAP refused with a code": (failure(b"E=691 R=1 C=0011223344556677 V=3 M=Access denied"), "REFUSED", 691),
    "code with zeros": (failure(b"E=0100 R=0"), "REFUSED", 100),
    "code before a sign next to the digits": (failure(b"E=64:1"), "REFUSED", 64),
    "code before the sign on their other side": (failure(b"E=64/1"), "REFUSED", 64),
    "code at the end": (failure(b"E=648"), "REFUSED", 648),
    "code of nine digits": (failure(b"E=999999999"), "REFUSED", 999_999_999),
    "code of ten digits": (failure(b"E=1234567890"), "REFUSED", 123_456_789),
    "no digits": (failure(b"E=x"), "REFUSED", 0),
    "code not at the start": (failure(b" E=691"), "REFUSED", 0),
    "failure without a text": (failure(b""), "REFUSED", 0),
    "EAP": (packet("c227", 3), "YES", 0),
    "EAP refused": (packet("c227", 4), "REFUSED", 0),
}


@pytest.mark.parametrize("name", BELIEVED)
def test_believed(engine, name):
    """The PAC believes the PNS, which proved who it is."""
    text, believed, error = BELIEVED[name]
    row = said_by(engine, (PNS, PAP), (PAC, text))
    holds(row, pns_authenticated=believed, pns_authentication_error=error, authenticated=believed)
    holds(row, pac_authenticated="NOT_SEEN", pac_authentication_error=0)


def test_a_code_whose_last_digits_the_capture_may_cut_off_is_none(engine):
    """E=691 R=1 C=0: of 69 nobody knows whether it is 69, but 691 ends at its blank."""
    *rest, last = packets((PNS, PAP), (PAC, failure(b"E=691 R=1 C=0")))
    for missing, error in ((0, 691), (7, 691), (8, 0), (9, 0), (11, 0), (12, 0), (13, 0)):
        got = decode(pcap([*rest, cut(last, len(last) - missing)]), engine)
        holds(got["calls"][0], pns_authenticated="REFUSED", pns_authentication_error=error)
    *rest, last = packets((PNS, PAP), (PAC, failure(b"E=1234567890")))
    got = decode(pcap([*rest, cut(last, len(last) - 1)]), engine)
    holds(got["calls"][0], pns_authentication_error=123_456_789)


def test_the_last_that_was_believed_counts(engine):
    texts = [(PNS, response(V2)), (PAC, failure(b"E=691")), (PNS, response(V2)), (PAC, CHAP_SUCCESS)]
    holds(said_by(engine, *texts), pns_authenticated="YES", pns_authentication_error=0, authenticated="YES")
    texts += [(PAC, failure(b"E=649"))]
    holds(said_by(engine, *texts), pns_authenticated="REFUSED", pns_authentication_error=649)


def test_the_pac_proves_who_it_is(engine):
    """Nothing was seen of the PNS: the call's authentication is the PAC's, and so is what became of it."""
    row = said_in_a_call(engine, (PAC, PAP), (PNS, PAP_ACK))
    holds(row, pac_authentication="PAP", pac_authenticated="YES", pns_authenticated="NOT_SEEN")
    holds(row, authentication="PAP", authenticated="YES")


def test_both_prove_who_they_are(engine):
    row = said_by(engine, (PAC, PAP), (PNS, PAP_ACK), (PNS, response(V2)), (PAC, failure(b"E=691")))
    holds(row, pac_authentication="PAP", pac_authenticated="YES", pns_authentication="MS_CHAP_V2")
    holds(row, authentication="MS_CHAP_V2", authenticated="REFUSED")


def test_the_pac_does_where_the_pns_agreed_on_nothing(engine):
    row = said_in_a_call(engine, (PNS, packet("c021", 2)), (PAC, PAP), (PNS, PAP_NAK))
    holds(row, pns_authentication="NONE", authentication="PAP", authenticated="REFUSED")


def test_an_outcome_of_a_side_that_agreed_on_nothing(engine):
    """Each agreed on no authentication, and is believed all the same: how was not seen."""
    for side, other in ((PNS, PAC), (PAC, PNS)):
        row = said_in_a_call(engine, (side, packet("c021", 2)), (other, PAP_ACK))
        holds(row, authentication="NOT_SEEN", authenticated="YES")


def test_an_outcome_without_a_method_is_none_of_the_call(engine):
    """The capture has the acknowledgment and not the request."""
    row = said_by(engine, (PAC, PAP_ACK))
    holds(
        row,
        pns_authenticated="YES",
        authentication="NOT_SEEN",
        authenticated="YES",
        status={"ROLES_FROM_PPP", "TUNNEL_INFERRED"},
    )


# ---- names

NAMES = {
    "PAP": (PAP, b"alice"),
    "CHAP": (response(MD5), b"alice"),
    "MS-CHAPv1": (response(V1), b"alice"),
    "MS-CHAPv2": (response(V2), b"alice"),
    "EAP": (packet("c227", 2, f"01 {NAME}"), b"alice"),
    "64 octets": (response(MD5, "61" * 65), b"a" * 64),
    "none": (response(MD5, ""), b""),
    "EAP of a method": (packet("c227", 2, f"04 {NAME}"), b""),
    "challenge": (packet("c223", 1, f"10 {MD5} {NAME}"), b""),
    "PAP, bad field": (packet("c023", 1, f"{ALICE} 04 707764"), b""),
    "CHAP of no known size": (response("ab" * 15), b""),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_where_they_were_asked_for(engine, name):
    text, known = NAMES[name]
    holds(said_by(engine, (PNS, text), identities=True), pns_name=known, pac_name=b"")


@pytest.mark.parametrize("name", NAMES)
def test_no_names_unless_asked_for(engine, name):
    """Nothing else changes."""
    text, _ = NAMES[name]
    without, asked = (read(engine, (PNS, text), identities=asked_for) for asked_for in (False, True))
    holds(without["calls"][0], pns_name=b"", pac_name=b"")
    for table in without:
        for column in without[table].dtype.names:
            if column not in ("pns_name", "pac_name"):
                assert without[table][column].tobytes() == asked[table][column].tobytes(), (table, column)
        assert b"alice" not in without[table].tobytes()


def test_the_last_name_that_is_not_empty_counts(engine):
    texts = [(PNS, PAP), (PNS, response(MD5, "626f62")), (PNS, response(MD5, ""))]
    holds(said_by(engine, *texts, identities=True), pns_name=b"bob")


def test_each_side_has_its_name(engine):
    texts = [(PNS, PAP), (PAC, response(MD5, "737276"))]
    holds(said_by(engine, *texts, identities=True), pns_name=b"alice", pac_name=b"srv")


def test_a_name_as_far_as_it_is_captured(engine):
    *rest, last = packets((PNS, response(MD5)))
    got = pptpcap.read(pcap([*rest, cut(last, len(last) - 2)]), engine=engine, identities=True)
    holds(got["calls"][0], pns_name=b"ali")


def test_names_batch_by_batch(engine):
    data = pcap(packets((PNS, PAP), (PAC, PAP_ACK)))
    *_, last = pptpcap.iterate(data, batch_packets=1, engine=engine, identities=True)
    holds(last["calls"][0], pns_name=b"alice", pns_authenticated="YES")


# ---- secrets

SECRET = "5365437245743778"


@pytest.mark.parametrize("identities", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        packet("c023", 1, f"{ALICE} 08 {SECRET}"),
        packet("c023", 1, f"00 08 {SECRET}"),
        packet("c023", 1, f"{ALICE} ff {SECRET}"),
        packet("c023", 1, f"10 {SECRET}"),
        packet("c023", 2, f"08 {SECRET}"),
        response(SECRET * 2),
        response(SECRET * 6 + "01"),
        response(SECRET * 2 + "00" * 8 + SECRET * 3 + "00"),
        response(SECRET),
        packet("c223", 2, f"ff {SECRET}"),
        packet("c223", 1, f"08 {SECRET}"),
        packet("c223", 3, SECRET),
        packet("c223", 4, SECRET),
        packet("c227", 2, f"04 08 {SECRET}"),
        packet("c227", 2, f"1a {SECRET}"),
        packet("c021", 9, f"00000000 {SECRET}"),
    ],
)
def test_secrets_are_in_no_table(engine, text, identities):
    """Nor parts of them, in either byte order, whether names were asked for or not."""
    got = read(engine, (PNS, text), identities=identities)
    assert len(got["ppp"]) == 1
    octets = bytes.fromhex(SECRET)
    rows = b"".join(got[table].tobytes() for table in got)
    for part in (octets[:4], octets[4:], octets[3::-1], octets[:3:-1]):
        assert part not in rows

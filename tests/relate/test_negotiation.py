"""What is negotiated: each row of the table in decoding 10.4, and what calls have of it by 10.5.

The client sends the first packet, so it is the PNS.  Octets typed from RFC 1661, 1332, 1334, 1994, 2433, 2759, 1962,
3078, 3748 and 5072.
"""

from __future__ import annotations

import pytest
from builder import cut, gre, gre_frame, pcap
from call_builder import CLIENT_SIDE, SERVER_SIDE, Session, octets, outgoing_reply, packet, packets
from helpers import EngineName, decode, drive
from related import all_calls, holds, mapped, only_call, said

PNS, PAC = CLIENT_SIDE, SERVER_SIDE
DATA = "00fd 9000 00"


def said_by(engine: EngineName, *texts: tuple[int, str]):
    """The row of the call."""
    return only_call(decode(pcap(packets(*texts)), engine))


def lcp(code: int, body: str = "") -> str:
    return packet("c021", code, body)


REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED, ECHO, ECHOED = 1, 2, 3, 4, 5, 6, 9, 10

# ---- LCP


def test_mru_and_accm_are_of_the_side_whose_wish_was_acknowledged(engine):
    """The PAC acknowledges what the PNS asked for."""
    row = said_by(engine, (PAC, lcp(ACK, "01040578 0206000a0000")), (PNS, lcp(ACK, "010405dc")))
    holds(row, pns_mru=1400, pns_accm=0x000A0000, pac_mru=1500, pac_accm=0, mru=1400)


def test_mru_that_one_side_agreed_on(engine):
    holds(said_by(engine, (PAC, lcp(ACK, "01040578")), (PNS, lcp(ACK))), pns_mru=1400, pac_mru=0, mru=1400)


@pytest.mark.parametrize("code", [REQUEST, NAK, REJECT])
def test_nothing_is_agreed_on_without_an_acknowledgment(engine, code):
    row = said_by(engine, (PAC, lcp(code, "01040578 0206000a0000")))
    holds(row, pns_mru=0, pac_mru=0, mru=0, pns_accm=0, pac_authentication="NOT_SEEN", authentication="NOT_SEEN")


def test_the_last_acknowledgment_counts_with_all_it_has(engine):
    row = said_by(engine, (PAC, lcp(ACK, "01040578 0206000a0000 0304c023")), (PAC, lcp(ACK, "01040500")))
    holds(row, pns_mru=0x500, pns_accm=0, pac_authentication="NONE")


@pytest.mark.parametrize("body", ["010305 020300 0304c023", "0105057800 02070000000000 0304c023"])
def test_option_of_another_length(engine, body):
    """An MRU option of 3 or 5 octets is none, nor is an ACCM of 3 or 7; what is behind them stands."""
    holds(said_by(engine, (PAC, lcp(ACK, body))), pns_mru=0, pns_accm=0, pac_authentication="PAP")


def test_of_several_options_of_a_type_the_first_counts(engine):
    holds(
        said_by(engine, (PAC, lcp(ACK, "01040578 010405dc 0304c023 0305c22305"))),
        pns_mru=1400,
        pac_authentication="PAP",
    )


METHODS = {
    "0304c023": "PAP", "0304c227": "EAP", "0305c22305": "CHAP_MD5", "0305c22306": "CHAP_SHA1", "0305c22380": "MS_CHAP",
    "0305c22381": "MS_CHAP_V2", "0305c22382": "OTHER", "0304c223": "OTHER", "0304c025": "OTHER", "0303c0": "OTHER",
    "0302": "OTHER", "0306c2238100": "MS_CHAP_V2", "": "NONE", "01040578": "NONE",
}  # fmt: skip


@pytest.mark.parametrize("body", METHODS)
def test_authentication_is_agreed_on_by_whoever_acknowledges(engine, body):
    """The PNS acknowledges that the PAC wants it to prove who it is."""
    row = said_by(engine, (PNS, lcp(ACK, body)))
    holds(row, pns_authentication=METHODS[body], pac_authentication="NOT_SEEN", authentication=METHODS[body])


@pytest.mark.parametrize("body", METHODS)
def test_asked_by_the_other_side(engine, body):
    """A request without the option asks for nothing."""
    asked = "NOT_SEEN" if METHODS[body] == "NONE" else METHODS[body]
    row = said_by(engine, (PAC, lcp(REQUEST, body)))
    holds(row, pns_authentication_asked=asked, pac_authentication_asked="NOT_SEEN", authentication="NOT_SEEN")


def test_the_first_that_was_asked_for_counts(engine):
    """Refused, the PAC asks for something weaker."""
    row = said_by(
        engine, (PAC, lcp(REQUEST)), (PAC, lcp(REQUEST, "0305c22381")), (PNS, lcp(NAK, "0304c023")),
        (PAC, lcp(REQUEST, "0304c023")), (PNS, lcp(ACK, "0304c023")),
    )  # fmt: skip
    holds(row, pns_authentication_asked="MS_CHAP_V2", pns_authentication="PAP", authentication="PAP")


def test_echoes_are_counted_by_their_sender(engine):
    row = said_by(
        engine, (PNS, lcp(ECHO, "00000000")), (PAC, lcp(ECHOED, "00000000")), (PNS, lcp(ECHO, "00000000")),
        (PAC, lcp(ECHO, "00000000")), (PAC, lcp(11, "00000000")),
    )  # fmt: skip
    holds(row, pns_lcp_echo_requests=2, pns_lcp_echo_replies=0, pac_lcp_echo_requests=1, pac_lcp_echo_replies=1)


def test_the_first_reason_to_terminate(engine):
    row = said_by(engine, (PNS, lcp(TERMINATE, b"User request".hex())), (PNS, lcp(TERMINATE, b"again".hex())))
    holds(row, pns_terminate_reason=b"User request", pac_terminate_reason=b"")
    assert said(row, "present") >= {"PNS_TERMINATE"}
    assert "PAC_TERMINATE" not in said(row, "present")


def test_a_reason_that_is_empty_is_present(engine):
    row = said_by(engine, (PAC, lcp(TERMINATE)), (PAC, lcp(TERMINATE, b"late".hex())))
    holds(row, pac_terminate_reason=b"")
    assert said(row, "present") >= {"PAC_TERMINATE"}


def test_64_octets_of_a_reason_are_kept(engine):
    row = said_by(engine, (PNS, lcp(TERMINATE, (b"a" * 64 + b"b").hex())))
    holds(row, pns_terminate_reason=b"a" * 64)


def test_a_reason_as_far_as_it_is_captured(engine):
    *rest, last = packets((PNS, lcp(TERMINATE, b"User request".hex())))
    got = decode(pcap([*rest, cut(last, len(last) - 8)]), engine)
    holds(got["calls"][0], pns_terminate_reason=b"User")


# ---- CCP

CCP = {
    "1206 01000040": ("MPPE", 0x01000040), "1206 01000020": ("MPPE", 0x01000020), "1206 01000080": ("MPPE", 0x01000080),
    "1206 000000e1": ("MPPE", 0x000000E1), "1206 00000001": ("MPPC", 1), "1206 01000000": ("NONE", 0x01000000),
    "1206 00000010": ("NONE", 0x10), "1205 010000": ("OTHER", 0), "1207 0100004000": ("OTHER", 0),
    "1a04 7800": ("DEFLATE", 0), "1804 7800": ("DEFLATE", 0), "1503 2f": ("BSD_COMPRESS", 0), "0102": ("PREDICTOR", 0),
    "0202": ("PREDICTOR", 0), "1105 000104": ("STAC_LZS", 0), "0006 00000000": ("OTHER", 0), "1302": ("OTHER", 0),
    "": ("NONE", 0), "1503 2f 1206 01000040": ("BSD_COMPRESS", 0), "1206 01000040 1503 2f": ("MPPE", 0x01000040),
}  # fmt: skip


@pytest.mark.parametrize("body", CCP)
def test_compression_is_agreed_on_by_whoever_acknowledges(engine, body):
    """By the first of the options."""
    method, bits = CCP[body]
    row = said_by(engine, (PNS, packet("80fd", ACK, body)))
    holds(
        row, pns_compression=method, pns_mppe_bits=bits, pac_compression="NOT_SEEN", pac_mppe_bits=0,
        compression=method, mppe_bits=bits,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pns", "pac", "compression", "bits"),
    [
        ("1206 01000060", "1206 01000040", "MPPE", 0x01000040),
        ("1206 01000020", "1206 00000040", "MPPE", 0),
        ("1206 01000040", "", "MPPE", 0x01000040),
        ("", "1206 01000040", "NONE", 0x01000040),
        ("1a04 7800", "1206 01000040", "DEFLATE", 0x01000040),
    ],
)
def test_bits_that_both_have(engine, pns, pac, compression, bits):
    row = said_by(engine, (PNS, packet("80fd", ACK, pns)), (PAC, packet("80fd", ACK, pac)))
    holds(row, compression=compression, mppe_bits=bits)


def test_compression_of_the_pac_where_the_pns_agreed_on_none(engine):
    holds(said_by(engine, (PAC, packet("80fd", ACK, "1a04 7800"))), pns_compression="NOT_SEEN", compression="DEFLATE")


MPPE = packet("80fd", ACK, "1206 01000040")
# What follows the agreement, and whether MPPE is in force then.
IN_FORCE = {
    "nothing": ([], True),
    "again": ([(PNS, MPPE)], True),
    "of the other side": ([(PAC, lcp(REQUEST)), (PAC, packet("80fd", TERMINATE)), (PAC, lcp(ACK))], True),
    "CCP request": ([(PNS, packet("80fd", REQUEST, "1206 01000040"))], True),
    "CCP reset": ([(PNS, packet("80fd", 14)), (PNS, packet("80fd", 15))], True),
    "MPPC": ([(PNS, packet("80fd", ACK, "1206 00000001"))], False),
    "CCP terminate request": ([(PNS, packet("80fd", TERMINATE))], False),
    "CCP terminate acknowledgment": ([(PNS, packet("80fd", TERMINATED))], False),
    "LCP request": ([(PNS, lcp(REQUEST))], False),
    "LCP acknowledgment": ([(PNS, lcp(ACK))], False),
    "LCP echo": ([(PNS, lcp(ECHO, "00000000"))], True),
    "terminated and agreed on anew": ([(PNS, packet("80fd", TERMINATE)), (PNS, MPPE)], True),
}


@pytest.mark.parametrize("name", IN_FORCE)
def test_what_is_encrypted(engine, name):
    """A packet of 00FD before the agreement, one behind it, of the side that agreed; the other side's is another matter."""
    after, in_force = IN_FORCE[name]
    texts = [(PNS, DATA), (PNS, MPPE), *after, (PNS, DATA), (PAC, DATA)]
    got = decode(pcap(packets(*texts)), engine)
    holds(got["tunnels"][0], encrypted_packets=int(in_force), compressed_packets=2 - int(in_force))
    holds(got["tunnels"][1], encrypted_packets=0, compressed_packets=1)
    holds(got["calls"][0], encrypted_packets=int(in_force), compressed_packets=3 - int(in_force))


# ---- IPCP and IPv6CP


def test_addresses_are_of_the_side_whose_wish_was_acknowledged(engine):
    row = said_by(
        engine, (PAC, packet("8021", ACK, "0306 c0a80102")), (PNS, packet("8021", ACK, "0306 c0a80101")),
        (PAC, packet("8057", ACK, "010a 0211223344556677")), (PNS, packet("8057", ACK, "010a 8899aabbccddeeff")),
    )  # fmt: skip
    holds(
        row, pns_ipv4=mapped(bytes([192, 168, 1, 2])), pac_ipv4=mapped(bytes([192, 168, 1, 1])),
        pns_interface_identifier=0x0211223344556677, pac_interface_identifier=0x8899AABBCCDDEEFF,
    )  # fmt: skip


def test_addresses_that_nobody_acknowledged(engine):
    row = said_by(engine, (PNS, packet("8021", REQUEST, "0306 c0a80102")), (PAC, packet("8021", NAK, "0306 0a000001")))
    holds(row, pns_ipv4=bytes(16), pac_ipv4=bytes(16), pns_interface_identifier=0)


def test_address_0_was_acknowledged(engine):
    """It is one: ::ffff:0.0.0.0, and not all 0."""
    holds(said_by(engine, (PAC, packet("8021", ACK, "0306 00000000"))), pns_ipv4=mapped(bytes(4)))


@pytest.mark.parametrize("body", ["", "0305 c0a801", "0307 c0a8010200", "8106 08080808"])
def test_last_acknowledgment_without_an_address(engine, body):
    row = said_by(engine, (PAC, packet("8021", ACK, "0306 c0a80102")), (PAC, packet("8021", ACK, body)))
    holds(row, pns_ipv4=bytes(16))


@pytest.mark.parametrize(("body", "number"), [("0206 002d0f01", 0x2D), ("0204 0003", 3), ("0203 00", 0), ("", 0)])
def test_ip_compression_is_agreed_on_by_whoever_acknowledges(engine, body, number):
    row = said_by(engine, (PNS, packet("8021", ACK, "0206 002d0f01")), (PNS, packet("8021", ACK, body)))
    holds(row, pns_ip_compression=number, pac_ip_compression=0)


@pytest.mark.parametrize("body", ["", "0109 02112233445566", "010b 021122334455667788"])
def test_last_acknowledgment_without_an_identifier(engine, body):
    row = said_by(engine, (PAC, packet("8057", ACK, "010a 0211223344556677")), (PAC, packet("8057", ACK, body)))
    holds(row, pns_interface_identifier=0)


# ---- what is used of a packet

UNUSED = {
    "no head": "c021 02",
    "length 3": "c021 02070003 01040578",
    "length one more": "c021 02070009 01040578",
    "bad option": "c021 0207000c 01040578 02090000",
    "bad option in front": "c021 0207000c 02000000 01040578",
}


@pytest.mark.parametrize("name", UNUSED)
def test_packet_that_is_not_used(engine, name):
    holds(said_by(engine, (PAC, UNUSED[name])), pns_mru=0, pac_authentication="NOT_SEEN")


def test_padding_is_not_read(engine):
    """An MRU behind the length."""
    holds(said_by(engine, (PAC, "c021 02070004 01040578")), pns_mru=0, pac_authentication="NONE")
    holds(said_by(engine, (PAC, "c021 02070008 01040578 0206000a0000")), pns_mru=1400, pns_accm=0)


@pytest.mark.parametrize(("missing", "expected"), [(0, "PAP"), (1, "NONE"), (4, "NONE"), (5, "NONE")])
def test_options_as_far_as_they_are_captured(engine, missing, expected):
    """The authentication option is the last: cut by the capture, it has no row and says nothing."""
    *rest, last = packets((PNS, lcp(ACK, "01040578 0304c023")))
    got = decode(pcap([*rest, cut(last, len(last) - missing)]), engine)
    holds(got["calls"][0], pns_authentication=expected, pac_mru=0 if missing > 4 else 1400)


def test_head_that_is_not_captured(engine):
    *rest, last = packets((PNS, lcp(ACK)))
    got = decode(pcap([*rest, cut(last, len(last) - 1)]), engine)
    holds(got["calls"][0], pns_authentication="NOT_SEEN")


def test_a_packet_without_a_sequence_number_is_used(engine):
    """No real stack takes it, but what it says is told."""
    talk = Session(begins=False).client_sends(0x22, 1)
    got = decode(pcap([*talk.packets, gre_frame(gre(octets(lcp(ACK, "0304c023")), 0x22))]), engine)
    only_call(got, pns_authentication="PAP", pns_packets=1, control_packets=0)


def test_options_of_a_reply_in_a_multilink_fragment(engine):
    """A whole packet behind a multilink header is read; it counts as what its own protocol is not."""
    row = said_by(engine, (PNS, "003d c0000001 " + lcp(ACK, "0304c023")))
    holds(row, pns_authentication="PAP", control_packets=0, other_packets=1)


def test_what_is_said_belongs_to_the_tunnel(engine):
    """A call that takes its ids again knows nothing of what was said before."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 1, payload=octets(lcp(ACK, "0304c023")))
    talk.outgoing(0x11, 0x22).client_sends(0x22, 1)
    assert all_calls(decode(talk.pcap(), engine), "pns_authentication") == [("PAP",), ("NOT_SEEN",)]


def test_roles_that_are_learnt_later(engine):
    """The server sent first, and was taken for the PNS until the reply told better."""
    talk = Session(begins=False).server_sends(0x11, 1, payload=octets(lcp(REQUEST, "0304c023")))
    talk.client_sends(0x22, 1, payload=octets(lcp(ACK, "0304c023")))
    got = decode(talk.pcap(), engine)
    holds(got["calls"][0], pac_authentication="PAP", pac_authentication_asked="PAP", authentication="PAP")
    got = decode(Session(talk.packets).server_says(outgoing_reply(0x22, 0x11)).pcap(), engine)
    only_call(got, pns_authentication="PAP", pns_authentication_asked="PAP", authentication="PAP")


def test_every_split(engine):
    texts = [(PAC, lcp(REQUEST, "0305c22381")), (PNS, lcp(ACK, "0305c22381")), (PNS, MPPE), (PNS, DATA), (PAC, DATA)]
    data = pcap(packets(*texts))
    for records in (1, 2, 4):
        got = drive(data, engine, records=records)
        only_call(got, pns_authentication="MS_CHAP_V2", encrypted_packets=1, compressed_packets=1)

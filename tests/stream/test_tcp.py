"""TCP headers and checksums: which segments are control segments, and what of them is data."""

from __future__ import annotations

import pytest
from builder import CLIENT, CLIENT6, SERVER, SERVER6, Conversation, cut, echo, ethernet, ipv4, pcap, tcp
from helpers import EngineName, column, decode, identifiers, issues, only, statuses
from vectors import CONTROL_HEX

HEADERS = 14 + 20


def found(engine: EngineName, frame):
    return decode(pcap([frame]), engine)


# ---- the header


def test_header_cut(engine):
    frame = ethernet(ipv4(tcp(echo(1), 7, options=b"\x01" * 4), 6))
    for size in range(20):
        got = found(engine, cut(frame, HEADERS + size))
        assert issues(got) == [(1, "TCP", "HEADER_CUT", 20, size)]
        only(got, ip_malformed=1)
        assert len(got["connections"]) == 0


def test_header_cut_on_another_port(engine):
    """Four octets are enough to know that nobody is concerned; fewer are not."""
    frame = ethernet(ipv4(tcp(echo(1), 7, destination_port=80), 6))
    for size in range(20):
        got = found(engine, cut(frame, HEADERS + size))
        assert issues(got) == ([(1, "TCP", "HEADER_CUT", 20, size)] if size < 4 else [])
        only(got, **({"ip_malformed": 1} if size < 4 else {"ip_other": 1}))


def test_header_short_on_the_wire(engine):
    for size in range(20):
        got = found(engine, ethernet(ipv4(tcp(b"", 7)[:size], 6)))
        assert issues(got) == [(1, "TCP", "MALFORMED", 20, size)]
        only(got, ip_malformed=1)


@pytest.mark.parametrize("length", [0, 4, 16])
def test_data_offset_too_small(engine, length):
    got = found(engine, ethernet(ipv4(tcp(echo(1), 7, header_length=length), 6)))
    assert issues(got) == [(1, "TCP", "MALFORMED", 20, length)]
    only(got, ip_malformed=1)
    got = found(engine, ethernet(ipv4(tcp(echo(1), 7, header_length=length, destination_port=80), 6)))
    assert issues(got) == []
    only(got, ip_other=1)


def test_data_offset_above_the_wire(engine):
    got = found(engine, ethernet(ipv4(tcp(bytes(8), 7, header_length=32), 6)))
    assert issues(got) == [(1, "TCP", "MALFORMED", 32, 28)]
    only(got, ip_malformed=1)
    # Ethernet padding is no header either
    got = found(engine, ethernet(ipv4(tcp(b"", 7, header_length=24), 6)).ljust(80, b"\0"))
    assert issues(got) == [(1, "TCP", "MALFORMED", 24, 20)]


def test_options_are_no_data(engine):
    for words in range(11):
        talk = Conversation().client(-1, flags="S", options=b"\x01" * 4 * words)
        talk.client(0, echo(1), options=b"\x01\x01\x05\x0a" * words)
        got = decode(talk.pcap(), engine)
        assert identifiers(got) == [1]
        assert issues(got) == []


def test_options_cut_by_the_snap_length(engine):
    """The length of the data is known, none of it is: a header of no known octet, and step is lost."""
    talk = Conversation().handshake().client(0, echo(1), options=bytes(12)).client(16, echo(2))
    talk.packets[3] = cut(talk.packets[3], HEADERS + 25)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"RESYNCHRONISED"}]
    assert issues(got) == [(4, "CONTROL", "HEADER_CUT", 12, 0), (5, "CONTROL", "SKIPPED", 0, 16)]
    assert column(got, "connections", "initiator_octets") == [32]


# ---- ports


@pytest.mark.parametrize(
    ("ports", "read"), [((1723,), False), ((1724,), True), ((1723, 1724), True), ((40000,), True), ((1,), False)]
)
def test_ports_are_an_argument(engine, ports, read):
    """Either side may have the port; who has it is the responder where no SYN tells."""
    talk = Conversation(server_port=1724).client(0, echo(1)).server(0, echo(2))
    got = decode(talk.pcap(), engine, ports)
    assert identifiers(got) == ([1, 2] if read else [])
    only(got, **({"control_segments": 2} if read else {"ip_other": 2}))
    if read:
        assert column(got, "connections", "responder_port") == [40000 if ports == (40000,) else 1724]


def test_other_ports_are_counted_and_left(engine):
    talk = Conversation(server_port=1722).handshake().client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 0
    only(got, ip_other=4)


# ---- checksums


def test_wrong_checksum(engine):
    """Marked and told, never dropped."""
    talk = Conversation().handshake().client(0, echo(1)).client(16, echo(2), spoil=1)
    right = int.from_bytes(talk.frames()[4][HEADERS + 16 : HEADERS + 18], "big") - 1
    assert 0 < right < 0xFFFF
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), {"BAD_CHECKSUM"}]
    assert issues(got) == [(5, "TCP", "BAD_CHECKSUM", right, right + 1)]


def test_only_segments_with_data_are_judged(engine):
    talk = Conversation().client(-1, flags="S", checksum=1).server(-1, flags="SA", checksum=1).client(0, checksum=1)
    talk.client(0, echo(1)).client(16, flags="FA", checksum=1)
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [set()]
    assert issues(got) == []


def test_cut_segment_is_not_judged(engine):
    """A checksum over octets that are not there is neither right nor wrong."""
    talk = Conversation().handshake().client(0, CONTROL_HEX[1], snap=155, spoil=1)
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [{"CUT"}]
    assert issues(got) == []


def test_every_segment_of_a_message_counts(engine):
    octets = CONTROL_HEX[1]
    talk = Conversation().handshake().client(0, octets[:50]).client(50, octets[50:99], spoil=3).client(99, octets[99:])
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [{"BAD_CHECKSUM"}]
    assert [issue[:3] for issue in issues(got)] == [(5, "TCP", "BAD_CHECKSUM")]


def test_checksum_over_ipv6(engine):
    talk = Conversation(client=CLIENT6, server=SERVER6).handshake().client(0, echo(1)).client(16, echo(2), spoil=1)
    talk.client(32, echo(3) + b"\0")
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [set(), {"BAD_CHECKSUM"}, set()]
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "connections", "initiator_address") == [list(CLIENT6)]


def test_checksum_of_a_segment_of_odd_length(engine):
    talk = Conversation().handshake().client(0, echo(1)[:9]).client(9, echo(1)[9:])
    got = decode(talk.pcap(), engine)
    assert issues(got) == []
    assert statuses(got) == [set()]


# What a kernel leaves to the network card: the sum of the words of both addresses and 6, the protocol, and of the length
# of header and data, but where the card cuts the segment up.  It is not complemented, as a checksum is.
#
#   10.0.0.2, 10.0.0.1                   0A00 + 0002 + 0A00 + 0001 + 0006 = 1409
#   192.168.255.250, 192.168.255.1       C0A8 + FFFA + C0A8 + FF01 + 0006 = 38051, which folds to 8054
#   10.0.0.2, 245.247.0.0                0A00 + 0002 + F5F7 + 0000 + 0006 = 1FFFF - 10000 = FFFF
#   2001:db8::2, 2001:db8::1             2001 + 0DB8 + 0002 + 2001 + 0DB8 + 0001 + 0006 = 5B7B
#   fe80::a:ffff, fe80::b:fffe           FE80 + 000A + FFFF + FE80 + 000B + FFFE + 0006 = 3FD18, which folds to FD1B
HIGH4 = bytes([192, 168, 255, 250]), bytes([192, 168, 255, 1])
ONES4 = bytes([10, 0, 0, 2]), bytes([245, 247, 0, 0])
HIGH6 = bytes.fromhex("fe80000000000000 00000000000affff"), bytes.fromhex("fe80000000000000 00000000000bfffe")
# Octets of data, addresses, the sum; a header has 20 octets.
LEFT = {
    "0": (16, (CLIENT, SERVER), 0x0000),
    "0, IPv6": (16, (CLIENT6, SERVER6), 0x0000),
    "IPv4": (16, (CLIENT, SERVER), 0x1409),
    "IPv4, length 0024": (16, (CLIENT, SERVER), 0x142D),
    "IPv4, length 001D": (9, (CLIENT, SERVER), 0x1426),
    "IPv4 that carries": (16, HIGH4, 0x8054),
    "IPv4 that carries, length 0024": (16, HIGH4, 0x8078),
    "IPv4 of all ones": (16, ONES4, 0xFFFF),
    "IPv4 of all ones, length 001D": (9, ONES4, 0x001D),
    "IPv6": (16, (CLIENT6, SERVER6), 0x5B7B),
    "IPv6, length 0024": (16, (CLIENT6, SERVER6), 0x5B9F),
    "IPv6, length 001D": (9, (CLIENT6, SERVER6), 0x5B98),
    "IPv6 that carries": (16, HIGH6, 0xFD1B),
    "IPv6 that carries, length 0024": (16, HIGH6, 0xFD3F),
}
WRONG = {
    "all ones": 0xFFFF,
    "complement of the sum": 0xEBF6,
    "complement of the sum, length 0024": 0xEBD2,
    "length of the data alone": 0x1419,
    "one less": 0x1408,
    "one more": 0x142E,
    "octets the other way round": 0x0914,
}


def left(octets: int, ends: tuple[bytes, bytes], found: int, **more) -> Conversation:
    """A segment of so many octets of a message; what is behind them is in one whose checksum is right."""
    talk = Conversation(client=ends[0], server=ends[1]).handshake()
    talk.client(0, echo(1)[:octets], checksum=found, **more)
    return talk.client(octets, echo(1)[octets:])


@pytest.mark.parametrize("name", LEFT)
def test_checksum_left_to_the_network_card(engine, name):
    """Nothing is known, so nothing is told."""
    got = decode(left(*LEFT[name]).pcap(), engine)
    assert identifiers(got) == [1]
    assert statuses(got) == [set()]
    assert issues(got) == []
    assert got.counters["checksums_offloaded"] == 1


@pytest.mark.parametrize("name", WRONG)
def test_checksum_that_is_like_one_left_to_the_network_card(engine, name):
    got = decode(left(16, (CLIENT, SERVER), WRONG[name]).pcap(), engine)
    assert [(kind, had) for _, _, kind, _, had in issues(got)] == [("BAD_CHECKSUM", WRONG[name])]
    assert got.counters["checksums_offloaded"] == 0


def test_checksum_left_in_a_segment_that_is_cut_is_not_counted(engine):
    got = decode(left(16, (CLIENT, SERVER), 0x142D, snap=15).pcap(), engine)
    assert statuses(got) == [{"CUT"}]
    assert issues(got) == []
    assert got.counters["checksums_offloaded"] == 0


def test_checksum_left_in_a_segment_without_data_is_not_counted(engine):
    talk = Conversation().client(-1, flags="S", checksum=0x1409).server(-1, flags="SA", checksum=0).client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert issues(got) == []
    assert got.counters["checksums_offloaded"] == 0


def test_checksum_of_0_that_is_right(engine):
    """The identifier has what is missing to a sum of all ones.  So it verifies: a copy that differs does not replace it."""
    missing = int.from_bytes(Conversation().segment(0, 16, echo(1))[36:38], "big")
    talk = Conversation().handshake().client(16, echo(1 + missing)).client(16, echo(7)).client(0, echo(1))
    assert talk.frames()[3][HEADERS + 16 : HEADERS + 18] == b"\0\0"
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 1 + missing]
    assert got.counters["checksums_offloaded"] == 0


def test_checksum_left_in_ip_fragments(engine):
    """Counted once, where the datagram is whole."""
    segment = tcp(echo(1), 1001, checksum=0x142D)
    syn = ethernet(ipv4(tcp(b"", 1000, flags="S"), 6))
    parts = [ipv4(segment[:24], 6, identification=7, more=True), ipv4(segment[24:], 6, identification=7, offset=24)]
    got = decode(pcap([syn, *map(ethernet, parts)]), engine)
    assert statuses(got) == [{"FRAGMENTED"}]
    assert got.counters["checksums_offloaded"] == 1


def test_each_segment_of_a_message_counts_its_own(engine):
    """46 of 156 octets and a header, 0042 octets; the others are right."""
    octets = CONTROL_HEX[1]
    talk = Conversation().handshake().client(0, octets[:50]).client(50, octets[50:96], checksum=0x144B)
    got = decode(talk.client(96, octets[96:], checksum=0).pcap(), engine)
    assert statuses(got) == [set()]
    assert got.counters["checksums_offloaded"] == 2


def test_checksum_where_total_length_is_zero(engine):
    """Segmentation offload: the length is that of the frame."""
    segment = tcp(echo(1), 1001)
    syn = ethernet(ipv4(tcp(b"", 1000, flags="S"), 6))
    got = decode(pcap([syn, ethernet(ipv4(segment, 6, total_length=0))]), engine)
    assert statuses(got) == [set()]
    assert issues(got) == []
    assert identifiers(got) == [1]

"""IPv6: its lengths, and every chain of extension headers."""

from __future__ import annotations

import pytest
from builder import Conversation, authentication, cut, echo, ethernet, extension, fragment_header, gre, ipv6, pcap
from helpers import EngineName, column, decode, identifiers, issues, only, statuses

GRE = gre(b"\x00\x57", sequence=1)  # 14 octets
BY_EIGHTS = (0, 43, 60, 135, 139, 140)


def found(engine: EngineName, frame):
    return decode(pcap([frame]), engine)


def is_read(engine: EngineName, packet: bytes) -> None:
    got = found(engine, ethernet(packet))
    assert column(got, "gre", "available") == [2]
    assert column(got, "gre", "status") == [0]
    assert issues(got) == []
    only(got, gre_packets=1)


def test_header_cut(engine):
    for size in range(40):
        got = found(engine, cut(ethernet(ipv6(GRE, 47)), 14 + size))
        assert issues(got) == [(1, "IP", "HEADER_CUT", 40, size)]
        only(got, ip_malformed=1)


@pytest.mark.parametrize("version", [0, 4, 5, 7])
def test_wrong_version(engine, version):
    got = found(engine, ethernet(ipv6(GRE, 47, version=version), 0x86DD))
    assert issues(got) == [(1, "IP", "MALFORMED", 6, version)]
    only(got, ip_malformed=1)


def test_payload_length_of_zero_means_what_was_on_the_wire(engine):
    is_read(engine, ipv6(GRE, 47, payload_length=0))
    got = found(engine, ethernet(ipv6(GRE, 47, payload_length=0)) + bytes(6))
    assert statuses(got, "gre") == [{"PAYLOAD_SURPLUS"}]


def test_payload_length_above_the_frame(engine):
    got = found(engine, ethernet(ipv6(GRE, 47, payload_length=15)))
    assert column(got, "gre", "available") == [2]
    assert statuses(got, "gre") == [set()]
    assert issues(got) == [(1, "IP", "LENGTH_EXCEEDS_FRAME", 55, 54)]
    only(got, gre_packets=1)


def test_payload_length_cuts_padding_and_payload(engine):
    is_read(engine, ipv6(GRE, 47) + bytes(40))
    got = found(engine, ethernet(ipv6(GRE, 47, payload_length=13)))
    assert column(got, "gre", "available") == [1]
    assert "PAYLOAD_SHORT" in statuses(got, "gre")[0]


@pytest.mark.parametrize("protocol", [17, 58, 59, 89, 132, 253])
def test_other_protocols(engine, protocol):
    got = found(engine, ethernet(ipv6(GRE, protocol)))
    assert issues(got) == []
    only(got, ip_other=1)
    got = found(engine, ethernet(ipv6(GRE, protocol, extensions=[extension(0), authentication()])))
    assert issues(got) == []
    only(got, ip_other=1)


@pytest.mark.parametrize("number", BY_EIGHTS)
def test_extension_header_in_units_of_eight(engine, number):
    for units in (0, 1, 5, 31, 255):
        is_read(engine, ipv6(GRE, 47, extensions=[extension(number, units)]))


def test_authentication_header_in_units_of_four(engine):
    for words in (0, 1, 2, 4, 5, 255):
        is_read(engine, ipv6(GRE, 47, extensions=[authentication(words)]))


def test_atomic_fragment_is_walked_over(engine):
    """Offset 0 and no more fragments: the packet is whole."""
    is_read(engine, ipv6(GRE, 47, extensions=[fragment_header(0, False, 7)]))
    is_read(engine, ipv6(GRE, 47, extensions=[extension(0), fragment_header(0, False, 7), extension(60, 3)]))


def test_chain_of_every_kind(engine):
    chain = [extension(0, 2), extension(60), extension(43, 1), fragment_header(0, False, 1), authentication(4)]
    chain += [extension(135), extension(139), extension(140), extension(60, 4)]
    is_read(engine, ipv6(GRE, 47, extensions=chain))
    talk = Conversation(client=bytes(15) + b"\2", server=bytes(15) + b"\1")
    packet = talk.segment(0, 0, echo(5))
    longer = ipv6(packet[40:], 6, packet[8:24], packet[24:40], extensions=chain)
    assert identifiers(found(engine, ethernet(longer))) == [5]


def test_length_of_the_chain(engine):
    """16 headers; the seventeenth, if it is one, is too deep."""
    is_read(engine, ipv6(GRE, 47, extensions=[extension(60)] * 16))
    for count in (17, 18, 1000):
        got = found(engine, ethernet(ipv6(GRE, 47, extensions=[extension(60)] * count)))
        assert issues(got) == [(1, "IP", "TOO_DEEP", 16, 17)]
        only(got, ip_malformed=1)
    got = found(engine, ethernet(ipv6(GRE, 47, extensions=[extension(60)] * 16 + [fragment_header(0, True, 1)])))
    assert issues(got) == [(1, "IP", "TOO_DEEP", 16, 17)]
    got = found(engine, ethernet(ipv6(GRE, 17, extensions=[extension(60)] * 16)))
    only(got, ip_other=1)


@pytest.mark.parametrize("number", [0, 43, 44, 51, 60, 135, 139, 140])
def test_fewer_than_eight_octets_of_an_extension_header(engine, number):
    packet = ipv6(b"", 47, extensions=[(number, bytes(7))])
    for size in range(8):
        expected = [(1, "IP", "HEADER_CUT", 8, size)]
        got = found(engine, cut(ethernet(packet), 14 + 40 + size))
        assert issues(got) == expected
        # the same where the packet itself ends there
        got = found(engine, ethernet(ipv6(packet[40 : 40 + size], number)))
        assert issues(got) == expected
        only(got, ip_malformed=1)


def test_extension_header_above_the_wire(engine):
    """24 octets claimed, 20 there."""
    got = found(engine, ethernet(ipv6(b"\x2f\x02" + bytes(18), 60)))
    assert issues(got) == [(1, "IP", "MALFORMED", 24, 20)]
    only(got, ip_malformed=1)
    got = found(engine, ethernet(ipv6(b"\x2f\x04" + bytes(18), 51)))
    assert issues(got) == [(1, "IP", "MALFORMED", 24, 20)]


def test_extension_header_above_the_capture(engine):
    """24 octets on the wire, 20 captured; behind another header, from whose end the octets are counted."""
    packet = ipv6(GRE, 47, extensions=[extension(0), extension(60, 2)])
    got = found(engine, cut(ethernet(packet), 14 + 40 + 8 + 20))
    assert issues(got) == [(1, "IP", "HEADER_CUT", 24, 20)]
    only(got, ip_malformed=1)


def test_extension_header_above_wire_and_capture(engine):
    """What the packet does is told before what the capture does."""
    packet = ipv6(b"\x2f\x02" + bytes(18), 60)
    got = found(engine, cut(ethernet(packet), 14 + 40 + 10))
    assert issues(got) == [(1, "IP", "MALFORMED", 24, 20)]


def test_payload_length_ends_the_chain(engine):
    """Octets behind the payload length are padding, also for a header."""
    packet = ipv6(GRE, 47, extensions=[extension(60, 1)], payload_length=12)
    got = found(engine, ethernet(packet))
    assert issues(got) == [(1, "IP", "MALFORMED", 16, 12)]


def test_header_of_no_length_cannot_stall(engine):
    """An authentication header of 0 words still has 8 octets."""
    got = found(engine, ethernet(ipv6(bytes([51, 0] + [0] * 6) * 40, 51)))
    assert issues(got) == [(1, "IP", "TOO_DEEP", 16, 17)]

"""From the link header to IP, and IPv4: what is peeled, what is cut, what is padding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builder import (
    CLIENT6,
    ETHERNET,
    IPV4,
    IPV6,
    LOOP,
    NULL,
    RAW,
    SERVER6,
    SLL,
    SLL2,
    Conversation,
    Record,
    cut,
    echo,
    ethernet,
    family,
    gre,
    gre_frame,
    ipv4,
    ipv6,
    pcap,
    sll,
    sll2,
    tcp,
)
from helpers import EngineName, column, decode, drive, faults, identifiers, issues, only, statuses
from walks import is_not_followed

GRE = gre(b"\x00\x57", sequence=1)  # 14 octets
V4 = ipv4(GRE, 47)  # 34
V6 = ipv6(GRE, 47)  # 54
TAGS = (0x8100, 0x88A8, 0x9100, 0x9200, 0x9300)


def found(engine: EngineName, frame, link: int = ETHERNET):
    return decode(pcap([frame], link=link), engine)


def is_read(engine: EngineName, frame, link: int = ETHERNET) -> None:
    got = found(engine, frame, link)
    assert column(got, "gre", "available") == [2]
    assert column(got, "gre", "status") == [0]
    assert issues(got) == []
    only(got, gre_packets=1)


# ---- Ethernet and its tags


def test_ethernet(engine):
    is_read(engine, ethernet(V4))
    is_read(engine, ethernet(V6))


@pytest.mark.parametrize("tag", TAGS)
def test_each_vlan_tag(engine, tag):
    for wrap in (ethernet, sll, sll2):
        link = {ethernet: ETHERNET, sll: SLL, sll2: SLL2}[wrap]
        is_read(engine, wrap(V4, tags=[tag]), link)
        is_read(engine, wrap(V6, tags=[tag, 0x8100]), link)


def test_vlan_stack_to_the_cap(engine):
    for depth in range(9):
        is_read(engine, ethernet(V4, tags=[0x88A8] * depth))
    for depth in (9, 10, 300):
        got = found(engine, ethernet(V4, tags=[0x88A8] * depth))
        assert len(got["gre"]) == 0
        assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]
        only(got, ip_malformed=1)


def test_vlan_stack_too_deep_behind_sll(engine):
    got = found(engine, sll2(V4, tags=[0x8100] * 9), SLL2)
    assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]


@pytest.mark.parametrize("ether_type", [0, 46, 0x05DC, 0x0806, 0x8863, 0x8864, 0x88CC, 0x888E])
def test_other_ether_types(engine, ether_type):
    """ARP, LLC lengths, PPPoE, LLDP, EAPOL: none is read here."""
    got = found(engine, ethernet(V4, ether_type))
    assert issues(got) == []
    only(got, not_ip=1)
    got = found(engine, ethernet(V4, ether_type, tags=[0x8100]))
    only(got, not_ip=1)


@pytest.mark.parametrize("ether_type", [0x0600, 0x0801, 0x6558, 0x86DC, 0x880B, 0xFFFF])
def test_unknown_ether_types(engine, ether_type):
    """They may hold IP, and are told."""
    is_not_followed(engine, ethernet(V4, ether_type), "ETHERTYPE")
    is_not_followed(engine, ethernet(V4, ether_type, tags=[0x8100]), "ETHERTYPE")
    is_not_followed(engine, sll(V4, ether_type), "ETHERTYPE", SLL)


@pytest.mark.parametrize(
    ("link", "wrap", "need"),
    [(ETHERNET, ethernet, 14), (SLL, sll, 16), (SLL2, sll2, 20), (NULL, family, 4), (LOOP, family, 4)],
)
def test_link_header_cut(engine, link, wrap, need):
    for size in range(need):
        got = found(engine, cut(wrap(V4), size), link)
        assert issues(got) == [(1, "LINK", "FRAME_CUT", need, size)]
        only(got, frames_cut=1)
    # the header alone is whole: what is cut then is the IP header
    got = found(engine, cut(wrap(V4), need), link)
    assert issues(got) == [(1, "IP", "HEADER_CUT", 20, 0)]
    only(got, ip_malformed=1)


@pytest.mark.parametrize(("link", "wrap", "size"), [(ETHERNET, ethernet, 14), (SLL, sll, 16), (SLL2, sll2, 20)])
def test_vlan_tag_cut(engine, link, wrap, size):
    """Octets captured are counted from the start of the tag."""
    for octets in range(8):
        got = found(engine, cut(wrap(V4, tags=[0x8100, 0x8100]), size + octets), link)
        assert issues(got) == [(1, "LINK", "FRAME_CUT", 4, octets % 4)]
        only(got, frames_cut=1)


# ---- other links


@pytest.mark.parametrize("link", [12, 14, RAW])
def test_raw(engine, link):
    is_read(engine, V4, link)
    is_read(engine, V6, link)
    got = found(engine, b"\x50" + V4[1:], link)
    assert issues(got) == []
    only(got, not_ip=1)
    got = found(engine, cut(V4, 0), link)
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 1, 0)]
    only(got, frames_cut=1)


def test_ip_without_a_link_header(engine):
    is_read(engine, V4, IPV4)
    is_read(engine, V6, IPV6)
    got = found(engine, V6, IPV4)
    assert issues(got) == [(1, "IP", "MALFORMED", 4, 6)]
    got = found(engine, V4, IPV6)
    assert issues(got) == [(1, "IP", "HEADER_CUT", 40, 34)]
    got = found(engine, V4 + bytes(20), IPV6)
    assert issues(got) == [(1, "IP", "MALFORMED", 6, 4)]
    only(got, ip_malformed=1)
    got = found(engine, b"", IPV4)
    assert issues(got) == [(1, "IP", "HEADER_CUT", 20, 0)]


@pytest.mark.parametrize("link", [NULL, LOOP])
@pytest.mark.parametrize("order", ["<", ">"])
def test_address_family_in_either_order(engine, link, order):
    is_read(engine, family(V4, 2, order), link)
    for number in (10, 23, 24, 28, 30):
        is_read(engine, family(V6, number, order), link)
    for number in (0, 1, 3, 7, 255, 65535, 0x02000002):
        got = found(engine, family(V4, number, order), link)
        assert issues(got) == []
        only(got, not_ip=1)


def test_address_family_decides_against_the_version(engine):
    got = found(engine, family(V6, 2), NULL)
    assert issues(got) == [(1, "IP", "MALFORMED", 4, 6)]


def test_cooked_packets_of_another_kind(engine):
    only(found(engine, sll(V4, 0x0004), SLL), not_ip=1)
    only(found(engine, sll2(V4, 0x0806), SLL2), not_ip=1)


@pytest.mark.parametrize("link", [2, 8, 11, 147, 149, 65535])
def test_unsupported_link(engine, link):
    """One issue a file, however many packets and however few of them a scan takes."""
    data = pcap([V4, V4, V4], link=link)
    expected = [(1, "LINK", "UNSUPPORTED_LINK", 0, link)]
    got = decode(data, engine)
    assert issues(got) == expected
    only(got, unsupported_link=3)
    assert issues(drive(data, engine, records=1)) == expected
    two = drive([data, data], engine, records=2)
    assert faults(two) == [(1, "LINK", "UNSUPPORTED_LINK", 0, link), (4, "LINK", "UNSUPPORTED_LINK", 0, link)]
    only(two, unsupported_link=6)
    assert issues(decode(pcap([], link=link), engine)) == []


# ---- IPv4


def test_ipv4_options(engine):
    for words in range(11):
        is_read(engine, ethernet(ipv4(GRE, 47, options=b"\x01" * 4 * words)))


def test_ipv4_header_cut(engine):
    frame = ethernet(ipv4(GRE, 47, options=bytes(8)))
    for size in range(20):
        got = found(engine, cut(frame, 14 + size))
        assert issues(got) == [(1, "IP", "HEADER_CUT", 20, size)]
        only(got, ip_malformed=1)
    for size in range(20, 28):
        got = found(engine, cut(frame, 14 + size))
        assert issues(got) == [(1, "IP", "HEADER_CUT", 28, size)]
        only(got, ip_malformed=1)


@pytest.mark.parametrize("length", [0, 4, 16])
def test_ipv4_header_length_too_small(engine, length):
    got = found(engine, ethernet(ipv4(GRE, 47, header_length=length)))
    assert issues(got) == [(1, "IP", "MALFORMED", 20, length)]
    only(got, ip_malformed=1)


def test_ipv4_header_length_above_the_packet(engine):
    got = found(engine, ethernet(ipv4(GRE, 47, header_length=60)))
    assert issues(got) == [(1, "IP", "HEADER_CUT", 60, 34)]


@pytest.mark.parametrize("version", [0, 5, 6, 15])
def test_ipv4_wrong_version(engine, version):
    got = found(engine, ethernet(ipv4(GRE, 47, version=version), 0x0800))
    assert issues(got) == [(1, "IP", "MALFORMED", 4, version)]
    only(got, ip_malformed=1)


@pytest.mark.parametrize("protocol", [0, 1, 2, 17, 51, 89, 255])
def test_other_protocols_are_not_judged(engine, protocol):
    """A header length of 4 and a fragment are nobody's concern where the protocol is."""
    for packet in (ipv4(GRE, protocol), ipv4(GRE, protocol, header_length=4), ipv4(GRE, protocol, more=True)):
        got = found(engine, ethernet(packet))
        assert issues(got) == []
        only(got, ip_other=1)


def test_total_length_of_zero_means_what_was_on_the_wire(engine):
    """Segmentation offload.  Then padding cannot be told from payload."""
    is_read(engine, ethernet(ipv4(GRE, 47, total_length=0)))
    got = found(engine, ethernet(ipv4(GRE, 47, total_length=0)) + bytes(12))
    assert statuses(got, "gre") == [{"PAYLOAD_SURPLUS"}]
    got = found(engine, cut(ethernet(ipv4(GRE, 47, total_length=0)), 14 + 20 + 13))
    assert column(got, "gre", "available") == [1]
    assert "PAYLOAD_CUT" in statuses(got, "gre")[0]


@pytest.mark.parametrize("length", [1, 19])
def test_total_length_below_the_header(engine, length):
    got = found(engine, ethernet(ipv4(GRE, 47, total_length=length)))
    assert issues(got) == [(1, "IP", "MALFORMED", 20, length)]
    only(got, ip_malformed=1)


def test_total_length_below_a_header_with_options(engine):
    got = found(engine, ethernet(ipv4(GRE, 47, options=bytes(4), total_length=23)))
    assert issues(got) == [(1, "IP", "MALFORMED", 24, 23)]


def test_total_length_above_the_frame(engine):
    """The packet is read as far as it goes."""
    got = found(engine, ethernet(ipv4(GRE, 47, total_length=35)))
    assert column(got, "gre", "available") == [2]
    assert statuses(got, "gre") == [set()]
    assert issues(got) == [(1, "IP", "LENGTH_EXCEEDS_FRAME", 35, 34)]
    only(got, gre_packets=1)


def test_a_cut_frame_is_no_wrong_length(engine):
    """Total length is compared with the wire, not with what the snap length left."""
    got = found(engine, cut(ethernet(V4), 14 + 33))
    assert issues(got) == []
    assert column(got, "gre", "available") == [1]
    assert "PAYLOAD_CUT" in statuses(got, "gre")[0]


def test_total_length_cuts_the_payload(engine):
    got = found(engine, ethernet(ipv4(GRE, 47, total_length=33)))
    assert column(got, "gre", "available") == [1]
    assert issues(got) == [(1, "GRE", "PAYLOAD_SHORT", 2, 1), (1, "PPP", "NO_PROTOCOL", 0, 1)]


@pytest.mark.parametrize("pad", [b"\0", b"\xff", b"\x00\x10\x00\x01\x1a\x2b\x3c\x4d\x00\x05"])
def test_ethernet_padding_is_never_payload(engine, pad):
    """A bare acknowledgment of 54 octets is padded to 60: six octets that the stream must not see."""
    talk = Conversation().handshake().client(0).client(0, echo(1)[:10]).client(10, echo(1)[10:]).server(0, b"", ack=16)
    talk.packets = [packet + (pad * 6)[: max(0, 60 - len(packet))] for packet in talk.frames()]
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1]
    assert column(got, "connections", "initiator_octets") == [16]
    assert column(got, "connections", "initiator_data_segments") == [2]
    assert issues(got) == []


# ---- packets in packets

Header = Callable[[bytes, int], bytes]
KINDS: dict[str, tuple[Header, int, Header]] = {
    "4in4": (ipv4, 4, ipv4),
    "6in4": (ipv4, 41, ipv6),
    "4in6": (ipv6, 4, ipv4),
    "6in6": (ipv6, 41, ipv6),
}


@pytest.mark.parametrize("kind", KINDS)
def test_ip_in_ip(engine, kind):
    outer, protocol, inner = KINDS[kind]
    is_read(engine, ethernet(outer(inner(GRE, 47), protocol)))


def nest(depth: int) -> bytes:
    """`depth` IP headers, of both versions in turn, around a GRE packet."""
    packet, protocol = GRE, 47
    for level in range(depth):
        packet, protocol = (ipv4(packet, protocol), 4) if level % 2 else (ipv6(packet, protocol), 41)
    return packet


def test_depth_of_ip_headers(engine):
    for depth in range(1, 5):
        is_read(engine, ethernet(nest(depth)))
    for depth in (5, 6, 40):
        got = found(engine, ethernet(nest(depth)))
        assert issues(got) == [(1, "IP", "TOO_DEEP", 4, 5)]
        only(got, ip_malformed=1)


def test_addresses_are_those_of_the_innermost_packet(engine):
    packet = ipv4(ipv6(GRE, 47, SERVER6, CLIENT6), 41)
    got = found(engine, ethernet(packet))
    assert got["tunnels"]["source"][0].tolist() == list(SERVER6)
    assert got["tunnels"]["destination"][0].tolist() == list(CLIENT6)


def test_inner_lengths_are_held_within_the_outer(engine):
    """The outer packet is all there is of the inner one, whatever stands behind it in the frame."""
    inner = ipv4(GRE, 47, total_length=40)
    got = found(engine, ethernet(ipv4(inner, 4)) + bytes(30))
    assert column(got, "gre", "available") == [2]
    assert statuses(got, "gre") == [set()]
    assert issues(got) == [(1, "IP", "LENGTH_EXCEEDS_FRAME", 40, 34)]
    got = found(engine, ethernet(ipv4(V4, 4, total_length=20 + 33)))
    assert column(got, "gre", "available") == [1]
    assert issues(got)[0] == (1, "IP", "LENGTH_EXCEEDS_FRAME", 34, 33)


def test_inner_header_cut(engine):
    got = found(engine, ethernet(ipv4(V4[:19], 4)))
    assert issues(got) == [(1, "IP", "HEADER_CUT", 20, 19)]
    only(got, ip_malformed=1)
    got = found(engine, cut(ethernet(ipv6(V6, 41)), 14 + 40 + 39))
    assert issues(got) == [(1, "IP", "HEADER_CUT", 40, 39)]


def test_protocol_41_holds_version_6_only(engine):
    got = found(engine, ethernet(ipv4(V4 + bytes(40), 41)))
    assert issues(got) == [(1, "IP", "MALFORMED", 6, 4)]


def test_control_connection_over_everything(engine):
    """One stream whose segments came over VLAN tags, options, tunnels: the endpoints are what counts."""
    octets = echo(1) + echo(2)
    wraps = [
        ethernet,
        lambda packet: ethernet(packet, tags=[0x8100]),
        lambda packet: ethernet(ipv4(packet, 4)),
        lambda packet: ethernet(ipv6(packet, 4)),
    ]
    packets = []
    for number, at in enumerate(range(0, 32, 8)):
        packets.append(wraps[number](Conversation().segment(0, at, octets[at : at + 8])))
    got = decode(pcap([ethernet(Conversation().segment(0, -1, flags="S")), *packets]), engine)
    assert identifiers(got) == [1, 2]
    assert len(got["connections"]) == 1
    assert column(got, "messages", "packet") == [3, 5]
    only(got, control_segments=5)


def test_mixed_capture_counts_each_frame_once(engine):
    frames: list[bytes | Record] = [
        ethernet(V4),
        ethernet(V4, 0x0806),
        ethernet(ipv4(bytes(8), 17)),
        ethernet(ipv4(tcp(b"x", 1, source_port=80, destination_port=81), 6)),
        ethernet(ipv4(tcp(b"", 1), 6)),
        cut(ethernet(V4), 10),
        gre_frame(gre(protocol_type=0x0800)),
        ethernet(ipv4(GRE, 47, version=7), 0x0800),
        ethernet(ipv4(GRE[:8], 47, more=True)),
    ]
    got = decode(pcap(frames), engine)
    assert got.counters["packets"] == 9
    only(
        got,
        gre_packets=1,
        not_ip=1,
        ip_other=2,
        control_segments=1,
        frames_cut=1,
        gre_other=1,
        ip_malformed=1,
        fragments=1,
    )

"""Frames of which a mirror sent the head only: what it cuts off is as what a snap length cuts off.

Vectors are lines of words as in ``test_mirror_vectors``.  Each holds a SYN in a packet of 40 or 60 octets, of which
`longer` makes the head of one with 30 octets of data.
"""

from __future__ import annotations

import struct
from functools import cache, partial

import pytest
from builder import Record, ethernet, pcap
from helpers import Decoded, EngineName, decode, issues, only, same_but_around
from link_builder import MPLS_UNICAST, PPPOE_SESSION, mpls, of_length, ppp, pppoe, snap, wireless
from mirror_builder import Stored, Wrap, erspan, gre_ip, link, outer, records, stored, tzsp, vxlan
from tag_builder import KINDS, aggregate
from test_mirror_vectors import in_ip, in_udp, octets
from test_mirrors import SMALL, plain
from walks import walk

from pptpcap.wire.carriers import Carrier

# Behind GRE.
ERSPAN = [
    "000088be D 0800 I4",
    "100088be 00000001 100a0064 00000000 D 8100 000a 0800 I4",
    "100022eb 00000001 200a0064 00000000 00000000 D 86dd I6",
    "100022eb 00000001 200a0064 00000000 00000800 I4",
    # LLC and PPPoE, whose lengths are those of the whole frame
    "000088be D 004e aaaa03000000 0800 I4",
    "000088be D 8864 1100 0005 0048 0021 I4",
    "000088be D 8100 000a 8864 1100 0005 005c 0057 I6",
    # labels, and pseudowires with a control word and without
    "000088be D 8847 000641ff I4",
    "000088be D 8847 00064000 000071ff I6",
    "000088be D 8847 000001ff I4",
    "000088be D 8847 000641ff 00000000 E4",
    "000088be D 8847 000641ff E4",
    # and to addresses that look like an IPv4 header, an IPv6 header, an associated channel
    "000088be D 8847 000641ff 450000000002 020000000001 0800 I4",
    "000088be D 8847 000641ff 450000360002 020000000001 0800 I4",
    "000088be D 8847 000641ff 4e7f2543e44f 020000000001 0800 I4",
    "000088be D 8847 000641ff 600000000002 020000000001 0800 I4",
    "000088be D 8847 000641ff 600000000002 001122334455 0800 I4",
    "000088be D 8847 000641ff 100000000002 020000000001 0800 I4",
    # tags; the check value of MACsec was cut off, too
    "000088be D 8926 00000014 0800 I4",
    "000088be D 893f 000010050000 0800 I4",
    "000088be D 892f 004c 0001 0800 I4",
    "000088be D 8909 010100010005 0800 I4",
    "000088be D d28b 0001 0010 00*8 0800 I4",
    "000088be D 88e5 000000000009 0800 I4",
    "000088be D 88e5 200000000009 00*8 86dd I6",
    "000088be D 894f 0fc20201 000000ff I4",
    "000088be D 894f 0fc20205 000000ff 000641ff I4",
    # frames in frames
    "000088be D 894f 0fc60103 000000ff 00*16 E4",
    "000088be D 88a8 0005 88e7 00001234 E4",
    "000088be D 22f3 0014 0001 0002 E6",
    "000088be 020202020202 020202020202 8903 0420 E4",
    "000088be D 4305 400f3201 0200000000a2 E4",
    "000088be D 88e7 00001234 D 8847 000641ff 00000000 D 8864 1100 0005 0048 0021 I4",
]
# Behind UDP to the port of TZSP: Ethernet, 802.11, two frames of an aggregate of which the second one is cut.
TZSP = [
    "01000001 01 E4",
    "01000001 2902005c 01 D 8864 1100 0005 0048 0021 I4",
    "01000012 01 W4",
    "01000012 01 88020000 020000000002 0200000000a1 020000000001 0000 8000 D 004e aaaa03000000 0800 I4",
    "01000012 01 88020000 020000000002 0200000000a1 020000000001 0000 8000 D 0024 aaaa03000000 0806 00*28 00*2"
    " D 004e aaaa03000000 0800 I4",
    "01000077 01 4400000090000000 00*136 W4",
    "0100007f 01 8021100100000040 00*56 W4",
]
VECTORS = [(text, in_ip(47, text)) for text in ERSPAN] + [(text, in_udp(37008, text)) for text in TZSP]


HEADS = octets("45000028 00010000 40068e90"), octets("60000000 0014 0640 20010db8")


def longer(frame: bytes, data: int = 30) -> bytes:
    """The same, but the SYN in it claims so many octets of data."""
    four = struct.pack(">HHIHH", 0x4500, 40 + data, 0x00010000, 0x4006, 0x8E90 - data)
    six = struct.pack(">IHHI", 0x60000000, 20 + data, 0x0640, 0x20010DB8)
    return frame.replace(HEADS[0], four).replace(HEADS[1], six)


@cache
def of_snap_length(version: int, engine: EngineName) -> Decoded:
    """What a capture tells of the longer SYN whose data a snap length cut off."""
    frame = longer(link(octets(f"I{version}")))
    return walk(pcap([Record(frame, original=len(frame) + 30)]), engine)


@pytest.mark.parametrize(("text", "frame"), VECTORS, ids=[text for text, _ in VECTORS])
def test_head_of_a_frame(engine, text, frame):
    """Whole it has no fault; of the longer one the data are missing, and nothing else is wrong."""
    others = int("0806" in text)
    got = walk(pcap([frame]), engine)
    only(got, control_segments=1, not_ip=others)
    assert issues(got) == []
    assert longer(frame) != frame
    got = walk(pcap([longer(frame)]), engine)
    only(got, control_segments=1, not_ip=others)
    expected = of_snap_length(6 if "I6" in text or "E6" in text else 4, engine)
    assert issues(got) == issues(expected) != []
    assert got.counters["checksums_offloaded"] == 0


def test_a_control_word_may_tell_of_more_than_is_there(engine):
    for length, data in ((0x3A, 0), (0x3F, 5)):
        frame = longer(in_ip(47, f"000088be D 8847 000641ff 00{length:02x}0000 E4"), data)
        only(walk(pcap([frame]), engine), control_segments=1)
    # In a frame that cannot be cut no such word is one.
    only(walk(pcap([octets("D 8847 000641ff 003f0000 E4")]), engine), not_ip=1)


def test_a_checksum_that_is_not_captured_proves_no_ip_header(engine):
    """The address 4f:00:00:50:.. begins as a header of 60 octets would, of which a snap length left 54."""
    frame = longer(octets("D 8847 000641ff 4f0000500002 020000000001 0800 I4"))
    only(walk(pcap([Record(frame, original=len(frame) + 30)]), engine), control_segments=1)
    # Where no frame is there, it is IP.
    frame = octets("D 8847 000641ff 4f000050 00010000 402f0000 0a000002 0a000001 00*34")
    got = walk(pcap([Record(frame, original=len(frame) + 30)]), engine)
    assert issues(got) == [(1, "IP", "HEADER_CUT", 60, 54)]


def test_the_check_value_of_macsec_is_no_payload(engine):
    """Whether it is there or not, and with a short length, which says where it begins."""
    for text in (
        "D 88e5 000000000009 0800 I4 00*16",
        "D 88e5 002a00000009 0800 I4 00*16",
        "D 88e5 002a00000009 0800 I4",
    ):
        got = walk(pcap([in_ip(47, f"000088be {text}")]), engine)
        only(got, control_segments=1)
        assert issues(got) == []
    got = walk(pcap([in_ip(47, "000088be D 88e5 000100000009 0800 I4")]), engine)
    only(got, not_ip=1)
    assert issues(got) == [(1, "LINK", "UNFOLLOWED", Carrier.MACSEC.value, 1)]


def test_what_is_too_short_to_be_checked_is_walked(engine):
    """As where a snap length cut a frame in a frame; from 64 octets on the check is made."""
    for size in (0, 13, 14, 33, 34, 53, 54):
        frame = octets("D 88e7 00001234 E4")[: 18 + size]
        got = walk(pcap([in_ip(47, f"000088be {frame.hex()}")]), engine)
        expected = walk(pcap([Record(frame, original=72)]), engine)
        assert issues(got) == issues(expected)
        assert (len(issues(got)) > 0) == (size < 54)
    for size, carrier in ((63, Carrier.ETHERTYPE), (64, Carrier.PBB)):
        got = walk(pcap([in_ip(47, f"000088be D 88e7 00001234 D 1234 00*{size - 14}")]), engine)
        only(got, not_ip=1)
        assert issues(got) == [(1, "LINK", "UNFOLLOWED", carrier.value, 1)]


# ---- what cannot be cut


def test_a_tunnel_that_cuts_is_not_followed(engine):
    for text, carrier in (
        ("00006558 E4", Carrier.GRE),
        ("00000800 I4", Carrier.GRE),
        ("20006558 00123400 E4", Carrier.NVGRE),
    ):
        got = walk(pcap([longer(in_ip(47, text))]), engine)
        only(got, gre_other=1)
        assert issues(got) == [(1, "IP", "UNFOLLOWED", carrier.value, 1)]


def test_a_frame_without_a_mirror_is_not_cut(engine):
    """What is left says how much there was, as before, also in the packet behind one of a mirror."""
    plain_frame = octets("D 8864 1100 0005 0048 0021 I4")
    got = walk(pcap([in_ip(47, "000088be D 8864 1100 0005 0048 0021 I4"), longer(plain_frame)]), engine)
    only(got, control_segments=2)
    assert (2, "IP", "LENGTH_EXCEEDS_FRAME", 70, 40) in issues(got)
    for text, carrier in (
        ("D 88e7 00001234 E4 00*10", Carrier.PBB),
        ("D 22f3 0014 0001 0002 E4 00*10", Carrier.TRILL),
    ):
        got = walk(pcap([longer(octets(text))]), engine)
        only(got, not_ip=1)
        assert issues(got) == [(1, "LINK", "UNFOLLOWED", carrier.value, 1)]


def test_only_the_first_ip_header_says_how_much_there_was(engine):
    """What is in its packet goes by it: one that fits is cut with it, one that does not is wrong."""
    inner = longer(octets("I4"))
    whole = inner + bytes(30)
    for packet in (outer(whole, 4), gre_ip(whole), vxlan(ethernet(whole))):
        frame = ethernet(packet)
        got = walk(pcap([link(erspan(frame[:-30], 1))]), engine)
        expected = walk(pcap([Record(frame[:-30], original=len(frame))]), engine)
        only(got, control_segments=1)
        assert issues(got) == issues(expected) != []
    # The outer packet claims 10 octets more than the mirror sent, the inner one 30.
    frame = ethernet(outer(inner + bytes(10), 4))[:-10]
    got = walk(pcap([link(erspan(frame, 1))]), engine)
    assert (1, "IP", "LENGTH_EXCEEDS_FRAME", 70, 50) in issues(got)
    frame = ethernet(vxlan(ethernet(inner + bytes(10))))[:-10]
    got = walk(pcap([link(erspan(frame, 1))]), engine)
    assert issues(got) == [(1, "IP", "UNFOLLOWED", Carrier.VXLAN.value, 1)]
    frame = ethernet(vxlan(ethernet(pppoe(ppp(inner + bytes(10))), PPPOE_SESSION)))[:-10]
    got = walk(pcap([link(erspan(frame, 1))]), engine)
    assert (1, "IP", "LENGTH_EXCEEDS_FRAME", 70, 50) in issues(got)


def test_a_frame_of_an_aggregate_says_how_long_it_is(engine):
    """One that is whole holds no more than it says; of one that is cut so much is missing."""
    got = walk(pcap([in_udp(37008, f"01000012 01 {longer(aggregate([octets('I4')])).hex()}")]), engine)
    only(got, control_segments=1)
    assert (1, "IP", "LENGTH_EXCEEDS_FRAME", 70, 40) in issues(got)
    text = "88020000 020000000002 0200000000a1 020000000001 0000 8000 D 003a aaaa03000000 0800 I4"
    got = walk(pcap([longer(in_udp(37008, f"01000012 01 {text}"))]), engine)
    assert (1, "IP", "LENGTH_EXCEEDS_FRAME", 70, 50) in issues(got)
    # Without a mirror its length is wrong.
    got = walk(pcap([longer(octets(text))], link=105), engine)
    only(got, not_ip=1)
    assert issues(got) == [(1, "LINK", "UNFOLLOWED", Carrier.WIRELESS.value, 1)]


# ---- every cut


# Ethernet frames around an IP packet, and how many octets are needed to see that it is one.
TAGGED: dict[str, tuple[int, Wrap]] = {name: (14, wrap) for name, (kind, wrap) in KINDS.items() if kind == 1}
ETHERNETS = TAGGED | {
    "pbb_tagged": (18, KINDS["pbb_tagged"][1]),
    "ip": (34, ethernet),
    "vlan": (38, lambda packet: ethernet(packet, tags=[0x8100])),
    "llc": (42, lambda packet: of_length(snap(packet))),
    "mpls": (14, lambda packet: ethernet(mpls(packet, 2), MPLS_UNICAST)),
    "pppoe": (14, lambda packet: ethernet(pppoe(ppp(packet)), PPPOE_SESSION)),
}
RADIO = {"802.11": (52, wireless), "aggregate": (40, lambda packet: aggregate([packet]))}
MIRRORS: list[Wrap] = [*(partial(erspan, kind=kind) for kind in (1, 2, 3)), tzsp]


def each_cut(wrap: Wrap, least: int, mirror: Wrap) -> tuple[bytes, bytes]:
    """Three packets of a capture, each cut at each octet from `least` on: by a mirror, and by a snap length."""
    several = list(records(plain(SMALL)))
    by_mirror, by_snap_length = [], []
    for record in (several[number] for number in (0, 4, 20)):
        frame = wrap(record.octets[14:])
        for size in range(least, len(frame) + 1):
            mirrored = link(mirror(frame[:size]))
            by_mirror.append(Stored(record.time, mirrored, len(mirrored)))
            by_snap_length.append(Stored(record.time, frame[:size], len(frame)))
    head = plain(SMALL)[:20]
    kind = (105 if wrap in [one for _, one in RADIO.values()] else 1).to_bytes(4, "little")
    return stored(plain(SMALL)[:24], by_mirror), stored(head + kind, by_snap_length)


@pytest.mark.parametrize("kind", ETHERNETS)
def test_each_cut_of_ethernet(engine, kind):
    least, wrap = ETHERNETS[kind]
    mirror = MIRRORS[list(ETHERNETS).index(kind) % len(MIRRORS)]
    by_mirror, by_snap_length = each_cut(wrap, least, mirror)
    same_but_around(decode(by_mirror, engine), decode(by_snap_length, engine), kind)


@pytest.mark.parametrize("kind", RADIO)
def test_each_cut_of_802_11(engine, kind):
    least, wrap = RADIO[kind]
    by_mirror, by_snap_length = each_cut(wrap, least, lambda frame: tzsp(frame, 18))
    same_but_around(decode(by_mirror, engine), decode(by_snap_length, engine), kind)

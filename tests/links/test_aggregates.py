"""Frames that hold several (802.11 A-MSDU): each is walked as if it came alone, and their rows keep an order."""

from __future__ import annotations

import pytest
from builder import Conversation, Record, cut, echo, gre, ipv4, ipv6, pcap
from helpers import column, faults, identifiers, issues, of_capture, only, same
from hypothesis import given
from hypothesis import strategies as st
from link_builder import DATA, FROM_DS, IEEE802_11, ORDER, QOS, SNAP, TO_DS, snap, vlan, wireless_header
from tag_builder import PPI, aggregate, ppi, subframe
from walks import found, is_not_followed, is_not_ip, twins, walk

import pptpcap
from pptpcap.wire.carriers import Carrier
from pptpcap.wire.limits import Limits

GRE = gre(b"\x00\x57", sequence=1)
V4 = ipv4(GRE, 47)  # 34 octets
HEADER = wireless_header(DATA | QOS, 0x80)  # 26


def packets_of(talk: Conversation) -> list[bytes]:
    """What was said, packet by packet."""
    return [packet.data if isinstance(packet, Record) else packet for packet in talk.packets]


def numbered(*numbers: int) -> list[bytes]:
    """Packets of Enhanced GRE with these sequence numbers and payloads of 1, 2, ... octets."""
    return [ipv4(gre(b"\x57" + bytes(length), sequence=n), 47) for length, n in enumerate(numbers)]


@pytest.mark.parametrize("control", [DATA | QOS, DATA | QOS | FROM_DS, DATA | QOS | TO_DS | FROM_DS | ORDER])
def test_all_frames_of_one(engine, control):
    """Their lengths leave 0 to 3 octets of padding."""
    got = found(engine, aggregate(numbered(7, 8, 9, 10, 11), control), IEEE802_11)
    assert column(got, "gre", "sequence_number") == [7, 8, 9, 10, 11]
    assert column(got, "gre", "packet") == [1] * 5
    assert issues(got) == []
    only(got, gre_packets=5)


def test_padding_behind_the_last_one_and_a_check_sequence(engine):
    for tail in (b"", b"fcs!", bytes(3), bytes(13)):
        got = found(engine, aggregate(numbered(7, 8), last_padded=True) + tail, IEEE802_11)
        assert column(got, "gre", "sequence_number") == [7, 8]
        assert issues(got) == []


def test_frames_of_other_kinds_are_counted_each(engine):
    frames = [snap(V4), snap(V4, 0x0806), snap(V4, 0x9998), b"\0" * 7, b"", snap(ipv4(b"", 1)), snap(V4[:10])]
    parts = [subframe(frame) for frame in frames]
    got = found(engine, HEADER + b"".join(part + bytes(-len(part) % 4) for part in parts), IEEE802_11)
    only(got, gre_packets=1, not_ip=4, ip_other=1, ip_malformed=1)
    assert faults(got) == [
        (1, "IP", "HEADER_CUT", 20, 10),
        (1, "LINK", "UNFOLLOWED", Carrier.ETHERTYPE, 1),
    ]


def test_a_length_beyond_the_frame_ends_it(engine):
    """What was read stays."""
    first = subframe(snap(V4))
    first += bytes(-len(first) % 4)
    for length in (len(snap(V4)) + 1, 0xFFFF):
        got = found(engine, HEADER + first + subframe(snap(V4), length), IEEE802_11)
        only(got, gre_packets=1, not_ip=1)
        assert faults(got) == [(1, "LINK", "UNFOLLOWED", Carrier.WIRELESS, 1)]
    is_not_followed(engine, HEADER + subframe(snap(V4), 0xFFFF), "WIRELESS", IEEE802_11)


def test_no_frame_at_all(engine):
    for tail in (0, 1, 13):
        is_not_ip(engine, HEADER + bytes(tail), IEEE802_11)


def test_cut_at_each_octet(engine):
    """14 octets of addresses and length, then LLC, then IP. What is not captured of the second frame is told as well."""
    frame = aggregate([V4, V4], DATA | QOS)
    assert len(frame) == 26 + 56 + 56
    for size in range(26, len(frame)):
        start = 26 if size < 82 else 82
        had = size - start
        expected = []
        if had < 14:
            expected.append((1, "LINK", "FRAME_CUT", 14, had))
        elif had < 22:
            expected.append((1, "LINK", "FRAME_CUT", 3 if had < 17 else 8, had - 14))
        elif had < 42:
            expected.append((1, "IP", "HEADER_CUT", 20, had - 22))
        if start == 26 and had >= 14:
            expected.append((1, "LINK", "FRAME_CUT", 14, 0))
        got = found(engine, cut(frame, size), IEEE802_11)
        assert [issue for issue in issues(got) if issue[1] != "GRE"] == expected, size
        assert got.counters["frames_cut"] == sum(kind == "FRAME_CUT" for _, _, kind, _, _ in expected)


def test_tags_count_anew_in_each(engine):
    with_tag, without = packets_of(Conversation(wrap=bytes).handshake())[:2]
    frames = [SNAP + b"\0\0\0\x81\0" + vlan(with_tag, 0x0800), snap(without)]
    parts = [subframe(frame) for frame in frames]
    data = HEADER + b"".join(part + bytes(-len(part) % 4) for part in parts)
    got = pptpcap.read(pcap([data], link=IEEE802_11), engine=engine, separate="layers")
    assert got.connections["vlan"].tolist() == [10, -1]


def test_a_conversation_in_one_frame(engine):
    """Segments of both directions, and packets of the tunnel between them."""
    talk = Conversation(wrap=bytes).handshake().client(0, echo(1)[:7])
    talk.packets += numbered(1)
    talk.client(7, echo(1)[7:])
    talk.packets += numbered(2)
    talk.server(0, echo(2))
    got = walk(pcap([aggregate(packets_of(talk))], link=IEEE802_11), engine)
    assert sorted(identifiers(got)) == [1, 2]
    assert column(got, "gre", "sequence_number") == [1, 2]
    assert issues(got) == []


def test_nested_to_the_cap(engine):
    """Each level is a carrier, and PPI around it another one."""
    frame, levels = aggregate([V4]), 7
    for level in range(levels):
        frame = ppi(frame, IEEE802_11 if level == 0 else PPI)
    got = walk(pcap([frame], link=PPI), engine, limits=Limits(carriers=levels + 1))
    only(got, gre_packets=1)
    got = walk(pcap([frame], link=PPI), engine, limits=Limits(carriers=levels))
    assert issues(got) == [(1, "LINK", "TOO_DEEP", levels, levels + 1)]
    only(got, ip_malformed=1)


# ---- several rows of one packet

LCP = bytes.fromhex("ff03c021 01 07 0008 01040578")
FRAGMENTS = [
    ipv4(gre(LCP, sequence=5)[:8], 47, identification=9, more=True),
    ipv4(gre(LCP, sequence=5)[8:], 47, identification=9, offset=8),
]
PARTS = [
    *numbered(1, 2),
    ipv4(gre(LCP, sequence=3), 47),
    ipv4(gre(LCP, sequence=4), 47),
    ipv6(gre(LCP, sequence=4), 47),
    *FRAGMENTS,
    *packets_of(Conversation(wrap=bytes).handshake().client(0, echo(1)).server(0, echo(2))),
    ipv4(b"\0" * 4, 47),
    ipv4(b"\0" * 4, 6),
    V4[:10],
]


@pytest.mark.parametrize("duplicates", ["keep", "drop"])
@given(several=st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=9), min_size=1, max_size=6))
def test_twins_on_any_mixture(duplicates, several):
    """Rows, control packets, payloads, copies and issues of several packets of one frame."""
    data = pcap([aggregate(parts) for parts in several], link=IEEE802_11)
    one, other = (
        pptpcap.read(data, engine=engine, duplicates=duplicates, identities=True)
        for engine in ("compiled", "reference")
    )
    same(of_capture(one), of_capture(other), duplicates)
    twins(data)
    twins(data, records=1)


def test_control_packets_belong_to_their_rows(engine):
    frame = aggregate([*numbered(1), ipv4(gre(LCP, sequence=2), 47), *numbered(3), ipv4(gre(LCP, sequence=4), 47)])
    got = walk(pcap([frame, frame], link=IEEE802_11), engine)
    assert column(got, "ppp", "gre") == [1, 3, 5, 7]


def test_copies_are_left_out_row_by_row(engine):
    """The second frame has two packets of the first, seen at another place, and one that is new."""
    first = aggregate(numbered(1, 2))
    again = [bytearray(packet) for packet in numbered(1, 2)]
    for packet in again:
        packet[8] -= 1  # TTL
    fresh = ipv4(gre(LCP, sequence=3), 47)
    records = [
        Record(frame, seconds=1, fraction=n) for n, frame in enumerate((first, aggregate([*map(bytes, again), fresh])))
    ]
    got = pptpcap.read(pcap(records, link=IEEE802_11), engine=engine, duplicates="drop")
    assert got.gre["sequence_number"].tolist() == [1, 2, 3]
    assert got.ppp["gre"].tolist() == [2]
    assert got.summary.copies == 2
    assert got.summary.gre_packets == 3

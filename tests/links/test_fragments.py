"""IP fragments: order, overlap, holes, caps, and what a reassembled datagram says about itself.

Packets are more than a second apart, so a fragment that contradicts a datagram begins a new one.  Fragments that are
nearer, old or copied are in ``test_fragments_twice``.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from builder import (
    CLIENT,
    SERVER,
    Conversation,
    cut,
    ethernet,
    fragment_header,
    gre,
    gre_frame,
    ipv4,
    ipv6,
    pcap,
    piece4,
    piece6,
    split,
    time_of,
)
from helpers import column, decode, drive, issues, nanoseconds, only, statuses
from vectors import CONTROL_HEX

from pptpcap.wire.limits import Limits

GRE = gre(b"\x00\x57" + bytes(range(34)), sequence=9)  # 12 octets of header and 36 of payload
OTHER = gre(b"\x00\x57" + bytes(range(100, 134)), sequence=10)
# 20 octets of TCP header and 156 of data: host name at 48 of the segment, vendor name at 112
TCP = Conversation().segment(0, 0, CONTROL_HEX[1])[20:]


PIECES = {"IPv4": piece4, "IPv6": piece6}


@pytest.fixture(params=PIECES)
def piece(request):
    return PIECES[request.param]


def whole(got, packet: int) -> None:
    """One GRE packet, all of it, at this packet."""
    row = got["gre"][0]
    assert len(got["gre"]) == 1
    assert (row["packet"], row["time"]) == (packet, nanoseconds(time_of(packet)))
    assert (row["sequence_number"], row["payload_length"], row["available"], row["ppp_protocol"]) == (9, 36, 36, 0x0057)
    assert statuses(got, "gre") == [{"FRAGMENTED"}]


# ---- order


def test_any_order(engine, piece):
    for order in permutations(split(piece, GRE, 16, 32)):
        got = decode(pcap(order), engine)
        whole(got, 3)
        assert issues(got) == []
        only(got, fragments=3, datagrams_reassembled=1, gre_packets=1)


def test_the_row_stands_where_the_datagram_completes(engine, piece):
    first, last = split(piece, GRE, 24)
    plain = gre_frame(gre(b"\x00\x57", sequence=1))
    got = decode(pcap([first, plain, last, plain]), engine)
    assert column(got, "gre", "packet") == [2, 3, 4]
    # The last one is a duplicate of the first.
    assert column(got, "gre", "status") == [0, 0x0200, 0x0800]
    size = 16 + len(plain)
    assert column(got, "gre", "record_offset") == [
        24 + 16 + len(first),
        24 + 16 + len(first) + size,
        24 + 32 + size + len(first + last),
    ]
    assert column(got, "tunnels", "first_packet") == ([2, 3] if piece is piece6 else [2])


def test_control_message_in_fragments(engine):
    """The message says FRAGMENTED, its checksum is judged over the whole segment."""
    frames = split(piece4, TCP, 8, 80, protocol=6)
    syn = ethernet(Conversation().segment(0, -1, flags="S"))
    got = decode(pcap([syn, *reversed(frames)]), engine)
    assert column(got, "messages", "packet") == [4]
    assert column(got, "messages", "segments") == [1]
    assert statuses(got) == [{"FRAGMENTED"}]
    assert column(got, "start_control_connection_request", "vendor_name") == [b"Acme PNS"]
    assert issues(got) == []
    only(got, fragments=3, datagrams_reassembled=1, control_segments=2)
    wrong = bytearray(TCP)
    wrong[100] ^= 1
    got = decode(pcap([syn, *split(piece4, bytes(wrong), 8, 80, protocol=6)]), engine)
    assert statuses(got) == [{"FRAGMENTED", "BAD_CHECKSUM", "TEXT_TAIL"}]


def test_keys_do_not_mix(engine):
    """Identification, protocol, addresses, version: each parts what is otherwise alike."""
    first, last = split(piece4, GRE, 24)
    others = [
        piece4(GRE[24:], 24, False, key=8),
        ethernet(ipv4(GRE[24:], 4, identification=7, offset=24)),
        ethernet(ipv4(GRE[24:], 47, SERVER, CLIENT, identification=7, offset=24)),
        ethernet(ipv4(GRE[24:], 47, CLIENT, bytes([10, 0, 0, 9]), identification=7, offset=24)),
        piece6(GRE[24:], 24, False),
    ]
    mapped = [bytes(10) + b"\xff\xff" + address for address in (CLIENT, SERVER)]
    others.append(ethernet(ipv6(GRE[24:], 47, *mapped, extensions=[fragment_header(24, False, 7)])))
    got = decode(pcap([first, *others, last]), engine)
    whole(got, 8)
    assert issues(got) == [(8, "IP", "FRAGMENT_INCOMPLETE", first, 24) for first in range(2, 8)]
    assert got.counters["datagrams_reassembled"] == 1


def test_interleaved_datagrams(engine, piece):
    one, two = split(piece, GRE, 16, 32, key=1), split(piece, GRE, 24, key=2)
    got = decode(pcap([one[0], two[1], one[2], two[0], one[1]]), engine)
    assert column(got, "gre", "packet") == [4, 5]
    assert issues(got) == []


def test_identification_can_be_used_again(engine, piece):
    """Other octets are another datagram."""
    got = decode(pcap([*split(piece, GRE, 24), *split(piece, OTHER, 24)]), engine)
    assert column(got, "gre", "packet") == [2, 4]
    assert column(got, "gre", "sequence_number") == [9, 10]
    assert issues(got) == []
    only(got, fragments=4, datagrams_reassembled=2, gre_packets=2)


@pytest.mark.parametrize("other", [0x0107, 0x0700, 0x8007, 0x0006])
def test_identification_of_16_bits(engine, other):
    """Both octets of it."""
    first, last = split(piece4, GRE, 24, key=7)
    got = decode(pcap([first, piece4(GRE[24:], 24, False, key=other), last]), engine)
    assert column(got, "gre", "packet") == [3]
    assert issues(got) == [(3, "IP", "FRAGMENT_INCOMPLETE", 2, 24)]


def test_identification_of_32_bits(engine):
    first, last = split(piece6, GRE, 24, key=0x10007)
    got = decode(pcap([piece6(GRE[:24], 0, True, key=7), last, first]), engine)
    assert column(got, "gre", "packet") == [3]
    assert issues(got) == [(3, "IP", "FRAGMENT_INCOMPLETE", 1, 24)]


# ---- overlap


def test_equal_overlap(engine, piece):
    frames = [piece(GRE[a:b], a, b < 48) for a, b in ((0, 24), (0, 24), (8, 40), (16, 24), (32, 48))]
    got = decode(pcap(frames), engine)
    whole(got, 5)
    assert issues(got) == []
    only(got, fragments=5, datagrams_reassembled=1, gre_packets=1)


def test_octets_that_differ_are_of_another_datagram(engine):
    """Octets 40 to 56 came twice; the copies differ in 3 of them, in the host name."""
    other = bytearray(TCP)
    other[48:51] = b"XYZ"
    frames = [piece4(TCP[:56], 0, True, protocol=6), piece4(bytes(other[40:]), 40, False, protocol=6)]
    got = decode(pcap(frames), engine)
    assert len(got["messages"]) == 0
    assert issues(got) == [(2, "IP", "FRAGMENT_CONFLICT", 16, 3), (2, "IP", "FRAGMENT_INCOMPLETE", 2, 136)]
    got = decode(pcap([*frames, piece4(bytes(other[:40]), 0, True, protocol=6)]), engine)
    assert column(got, "start_control_connection_request", "host_name") == [b"XYZ.example"]
    assert [issue[:3] for issue in issues(got)] == [(2, "IP", "FRAGMENT_CONFLICT"), (3, "TCP", "BAD_CHECKSUM")]


def test_conflict_is_told_once_a_fragment(engine, piece):
    """A fragment over two others, with an octet changed in each overlap: compared 16 + 8, differing 2."""
    middle = bytearray(GRE[8:40])
    middle[10] ^= 1
    middle[-1] ^= 1
    frames = [piece(GRE[:24], 0, True), piece(GRE[32:], 32, False), piece(bytes(middle), 8, True)]
    got = decode(pcap(frames), engine)
    assert len(got["gre"]) == 0
    assert issues(got) == [(3, "IP", "FRAGMENT_CONFLICT", 24, 2), (3, "IP", "FRAGMENT_INCOMPLETE", 3, 32)]


def test_octets_that_were_not_captured_are_not_compared(engine, piece):
    frames = split(piece, GRE, 24)
    half = cut(frames[0], len(frames[0]) - 8)
    changed = bytearray(GRE[:24])
    changed[20] ^= 1
    got = decode(pcap([half, piece(bytes(changed), 0, True), frames[1]]), engine)
    assert issues(got) == []
    # octets 16 to 24 came without being captured, and a later copy does not bring them back
    assert column(got, "gre", "available") == [4]
    changed[15] ^= 1
    got = decode(pcap([half, piece(bytes(changed), 0, True), frames[1]]), engine)
    assert issues(got) == [(2, "IP", "FRAGMENT_CONFLICT", 16, 1)]
    assert column(got, "gre", "available") == [36]


# ---- ends and holes


def test_hole(engine, piece):
    frames = split(piece, GRE, 16, 32)
    plain = gre_frame(gre(b"\x00\x57", sequence=1))
    got = decode(pcap([frames[0], frames[2], plain]), engine)
    assert column(got, "gre", "packet") == [3]
    assert issues(got) == [(3, "IP", "FRAGMENT_INCOMPLETE", 1, 32)]
    got = decode(pcap([frames[1], frames[0], frames[1], plain]), engine)
    assert issues(got) == [(4, "IP", "FRAGMENT_INCOMPLETE", 1, 32)]
    only(got, fragments=3, gre_packets=1)


def test_incomplete_datagrams_at_the_end(engine, piece):
    """Least recently touched first."""
    frames = [piece(bytes(8 * key), 0, True, key=key) for key in (1, 2, 3)]
    frames.append(piece(bytes(8), 80, True, key=1))
    got = decode(pcap(frames), engine)
    assert issues(got) == [(4, "IP", "FRAGMENT_INCOMPLETE", *one) for one in ((2, 16), (3, 24), (1, 16))]
    assert column(got, "issues", "time") == [time_of(4)] * 3


@pytest.mark.parametrize(
    ("ends", "compared"),
    [
        # one end and another
        ([(16, 24, False), (24, 48, False)], 0),
        # an end in front of what came, or where another fragment said that more follows
        ([(32, 48, True), (16, 24, False)], 0),
        ([(0, 32, True), (16, 24, False)], 8),
        ([(0, 24, True), (16, 24, False)], 8),
        # octets behind the end
        ([(16, 24, False), (32, 40, True)], 0),
        ([(16, 24, False), (16, 40, True)], 8),
        ([(16, 24, False), (0, 24, True)], 8),
    ],
)
def test_ends_that_contradict_each_other(engine, piece, ends, compared):
    """All octets are equal, and yet these are two datagrams."""
    frames = [piece(GRE[a:b], a, more) for a, b, more in ends]
    a, b, more = ends[1]
    got = decode(pcap(frames), engine)
    assert issues(got) == [
        (2, "IP", "FRAGMENT_CONFLICT", compared, 0),
        (2, "IP", "FRAGMENT_INCOMPLETE", 2, b - a),
    ]
    # the second one goes on, and nothing of the first one is in it
    rest = [piece(OTHER[b:], b, False)] if more else []
    rest += [piece(OTHER[:a], 0, True)] if a else []
    got = decode(pcap([*frames, *rest]), engine)
    assert column(got, "gre", "packet") == [2 + len(rest)]
    assert column(got, "gre", "sequence_number") == [10 if a else 9]


@pytest.mark.parametrize("bounds", [[(16, 24), (0, 16)], [(0, 16), (16, 24)]])
def test_ends_that_just_fit(engine, piece, bounds):
    """No fragment with more-fragments ends where the last one does."""
    got = decode(pcap([piece(GRE[a:b], a, b < 24) for a, b in bounds]), engine)
    assert column(got, "gre", "available") == [12]
    assert statuses(got, "gre") == [{"FRAGMENTED", "PAYLOAD_SHORT"}]
    assert issues(got) == [(2, "GRE", "PAYLOAD_SHORT", 36, 12)]


def test_lengths_that_cannot_be(engine, piece):
    """Fragments in front of others hold whole units of 8 octets, and no fragment is empty."""
    frames = [
        piece(GRE[:12], 0, True),
        piece(b"", 16, True),
        piece(b"", 16, False),
        piece(GRE[:24], 0, True),
        piece(GRE[24:], 24, False),
    ]
    if piece is piece6:
        # an IPv6 packet with nothing behind its fragment header still has a payload length, of 8
        assert frames[1][14 + 4 : 14 + 6] == b"\0\x08"
    got = decode(pcap(frames), engine)
    whole(got, 5)
    assert issues(got) == [(1, "IP", "MALFORMED", 16, 12), (2, "IP", "MALFORMED", 1, 0), (3, "IP", "MALFORMED", 1, 0)]


def test_too_long(engine, piece):
    """65,535 octets are the most: the ping of death ends here, and nothing stays in flight."""
    got = decode(pcap([piece(bytes(8), 65528, False), piece(bytes(16), 65520, True)]), engine)
    assert issues(got) == [(n, "IP", "FRAGMENT_TOO_LONG", 65535, 65536) for n in (1, 2)]
    got = decode(pcap([piece(bytes(7), 65528, False)]), engine)
    assert issues(got) == [(1, "IP", "FRAGMENT_INCOMPLETE", 1, 7)]
    limits = Limits(datagram_length=40)
    got = drive(pcap([*split(piece, GRE, 16, 32), piece(GRE[:40], 0, True)]), engine, limits=limits)
    assert issues(got) == [(3, "IP", "FRAGMENT_TOO_LONG", 40, 48), (4, "IP", "FRAGMENT_INCOMPLETE", 1, 40)]


def test_greatest_datagram(engine):
    payload = gre(b"\x00\x57" + bytes(65521), sequence=9)
    assert len(payload) == 65535
    frames = split(piece4, payload, *range(1480, 65535, 1480))
    got = decode(pcap(reversed(frames)), engine)
    assert column(got, "gre", "available") == [65523]
    assert issues(got) == []


# ---- cut by the snap length


@pytest.mark.parametrize(("lost", "available"), [(0, 36), (1, 19), (4, 16), (16, 4)])
def test_snap_cut_fragment(engine, piece, lost, available):
    """What counts as captured ends at the first octet that is not."""
    frames = split(piece, GRE, 16, 32)
    got = decode(pcap([frames[0], cut(frames[1], len(frames[1]) - lost), frames[2]]), engine)
    assert column(got, "gre", "available") == [available]
    assert statuses(got, "gre") == [{"FRAGMENTED", "PAYLOAD_CUT"} if lost else {"FRAGMENTED"}]
    assert issues(got) == []


def test_snap_cut_in_the_gre_header(engine, piece):
    frames = split(piece, GRE, 16, 32)
    got = decode(pcap([cut(frames[0], len(frames[0]) - 6), *frames[1:]]), engine)
    assert statuses(got, "gre") == [{"FRAGMENTED", "HEADER_CUT"}]
    assert column(got, "gre", "call_id") == [0x2222]
    assert column(got, "gre", "sequence_number") == [0]
    assert column(got, "gre", "tunnel") == [-1]
    assert issues(got) == []


# ---- caps


def test_eviction(engine, piece):
    """Three datagrams where two may be in flight: the one touched least recently gives way."""
    one, two, three = (split(piece, GRE, 16, 32, key=key) for key in (1, 2, 3))
    frames = [one[0], two[0], one[1], three[0], one[2], three[2], three[1]]
    got = drive(pcap(frames), engine, limits=Limits(datagrams=2))
    assert column(got, "gre", "packet") == [5, 7]
    assert issues(got) == [(4, "IP", "FRAGMENT_INCOMPLETE", 2, 16)]
    assert got.counters["datagrams_reassembled"] == 2


def test_eviction_of_what_its_last_fragment_began(engine, piece):
    one, two = (split(piece, GRE, 16, 32, key=key) for key in (1, 2))
    got = drive(pcap([one[2], *two]), engine, limits=Limits(datagrams=1))
    assert issues(got) == [(2, "IP", "FRAGMENT_INCOMPLETE", 1, 16)]
    assert column(got, "gre", "packet") == [4]


def test_too_many_fragments(engine, piece):
    """The datagram is dropped, and told once; what comes then starts it anew."""
    frames = [
        piece(GRE[:8], 0, True),
        piece(GRE[16:24], 16, True),
        piece(GRE[32:40], 32, True),
        piece(GRE[40:48], 40, False),
    ]
    apart = [*frames[:3], piece(bytes(8), 64, True)]
    limits = Limits(fragments=3)
    got = drive(pcap(apart), engine, limits=limits)
    assert issues(got) == [(4, "IP", "FRAGMENT_LIMIT", 3, 4)]
    got = drive(pcap([*apart, apart[0]]), engine, limits=limits)
    assert issues(got) == [(4, "IP", "FRAGMENT_LIMIT", 3, 4), (5, "IP", "FRAGMENT_INCOMPLETE", 5, 8)]


def test_conflict_in_front_of_the_fragment_that_is_too_many(engine, piece):
    """Only the octets of the new datagram count."""
    other = bytes(octet ^ 1 for octet in GRE[8:24])
    frames = [piece(GRE[8:16], 8, True), piece(other, 8, True), piece(GRE[:8], 0, True)]
    got = drive(pcap(frames), engine, limits=Limits(fragments=1))
    assert issues(got) == [(2, "IP", "FRAGMENT_CONFLICT", 8, 8), (3, "IP", "FRAGMENT_LIMIT", 1, 2)]


def test_copies_are_no_extents(engine, piece):
    frames = split(piece, GRE, 16, 32)
    got = drive(pcap([frames[0]] * 9 + [frames[2]] * 9 + [frames[1]]), engine, limits=Limits(fragments=3))
    whole(got, 19)
    assert issues(got) == []

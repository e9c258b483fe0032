"""IP fragments whose key comes twice: copies, datagrams that are too old, and two datagrams at once.

No payload is ever made of octets of two datagrams.
"""

from __future__ import annotations

import pytest
from builder import CLIENT, SERVER, Record, cut, ethernet, gre, gre_frame, ipv4, pcap, piece4, piece6, split
from helpers import column, decode, drive, issues, only, statuses
from pcapng_builder import started
from places import CAPTURES

from pptpcap.wire.limits import Limits

A = gre(b"\x00\x57" + b"A" * 34, sequence=1)  # 12 octets of header and 36 of payload, like the others
B = gre(b"\x00\x57" + b"B" * 34, sequence=2)
# Its octets from 16 on are those of A.
TAIL = gre(b"\x00\x57CC" + b"A" * 32, sequence=3)
PIECES = {"IPv4": piece4, "IPv6": piece6}
START = 1_700_000_000_000_000


@pytest.fixture(params=PIECES)
def piece(request):
    return PIECES[request.param]


def at(microseconds: int, frame: bytes | Record) -> Record:
    """The frame at so many microseconds behind the first one."""
    data, original = (frame.data, frame.original) if isinstance(frame, Record) else (frame, None)
    seconds, fraction = divmod(START + microseconds, 1_000_000)
    return Record(data, original=original, seconds=seconds, fraction=fraction)


def near(*frames: bytes | Record) -> list[Record]:
    """Frames one millisecond apart."""
    return [at(1_000 * number, frame) for number, frame in enumerate(frames)]


def sequences(got) -> list[tuple[int, int]]:
    """Packet and sequence number of each row of gre."""
    return list(zip(column(got, "gre", "packet"), column(got, "gre", "sequence_number"), strict=True))


def told(got) -> list[tuple[int, str, str, int, int]]:
    """Issues of IP; clocks that step are another matter."""
    return [issue for issue in issues(got) if issue[1] == "IP"]


def copied(got) -> int:
    count: int = got.counters["fragments_copied"]
    return count


# ---- captures made after public reports


def test_capture_of_all_interfaces_of_a_router(engine):
    """Three datagrams of two fragments, each fragment twice."""
    got = decode(CAPTURES / "found" / "any_router_fragments_dup.pcap", engine)
    assert sequences(got) == [(3, 1), (7, 2), (11, 3)]
    assert column(got, "gre", "available") == [1528, 1528, 1528]
    assert told(got) == []
    assert copied(got) == 6
    assert column(got, "tunnels", "duplicated") == [0]


def test_identification_that_comes_again_after_ten_minutes(engine):
    got = decode(CAPTURES / "found" / "stale_fragment_id_reuse.pcap", engine)
    expected = [(2, 101), (3, 102), (4, 103), (5, 104), (6, 105)]
    assert sequences(got) == [*expected, (8, 70000), (9, 70001), (10, 70002), (11, 70003)]
    assert told(got) == [(7, "IP", "FRAGMENT_INCOMPLETE", 1, 1480)]
    assert column(got, "tunnels", "packets") == [9]


# ---- copies (decoding 4.7)


@pytest.mark.parametrize("order", [(0, 0, 1, 1), (0, 1, 0, 1), (1, 1, 0, 0), (1, 0, 1, 0), (0, 1, 1, 0)])
def test_each_fragment_twice(engine, piece, order):
    """Beside each other, or one datagram behind the other."""
    frames = split(piece, A, 24)
    complete = order.index(1 - order[0]) + 1
    got = decode(pcap(near(*(frames[number] for number in order))), engine)
    assert sequences(got) == [(complete, 1)]
    assert told(got) == []
    assert copied(got) == 2
    only(got, fragments=4, datagrams_reassembled=1, gre_packets=1)


def test_copies_that_were_split_again(engine, piece):
    """A router with a smaller MTU splits what is split: in front of the datagram, in it, or behind it."""
    large, small = split(piece, A, 32), split(piece, A, 16, 32)
    for frames, counted in (([*large, *small], 3), ([large[0], *small, large[1]], 3), ([*small, *large], 2)):
        got = decode(pcap(near(*frames)), engine)
        assert column(got, "gre", "sequence_number") == [1]
        assert told(got) == []
        assert copied(got) == counted


def test_fragment_with_new_octets_is_no_copy(engine, piece):
    """Old octets or not: 8 to 32 brings 16 new ones."""
    got = decode(pcap(near(piece(A[:16], 0, True), piece(A[8:32], 8, True), piece(A[32:], 32, False))), engine)
    assert sequences(got) == [(3, 1)]
    assert copied(got) == 0


def test_what_differs_from_a_complete_datagram_begins_another(engine, piece):
    """In one octet of the last fragment: no conflict, since the first datagram is complete."""
    other = A[:47] + b"x"
    got = decode(pcap(near(*split(piece, A, 24), *reversed(split(piece, other, 24)))), engine)
    assert column(got, "gre", "packet") == [2]
    # the first fragment of it is a copy too
    assert told(got) == [(4, "IP", "FRAGMENT_INCOMPLETE", 3, 24)]
    assert copied(got) == 1
    later = [at(2_000_000, frame) for frame in reversed(split(piece, other, 24))]
    got = decode(pcap([*near(*split(piece, A, 24)), *later]), engine)
    assert column(got, "gre", "packet") == [2, 4]
    assert told(got) == []


@pytest.mark.parametrize(("start", "end", "more"), [(24, 48, True), (24, 40, False), (40, 56, False), (48, 56, True)])
def test_another_end_than_that_of_a_complete_datagram(engine, piece, start, end, more):
    octets = (A + b"A" * 8)[start:end]
    got = decode(pcap(near(*split(piece, A, 24), piece(octets, start, more))), engine)
    assert told(got) == [(3, "IP", "FRAGMENT_INCOMPLETE", 3, end - start)]
    assert copied(got) == 0


def test_copies_of_which_other_octets_are_captured(engine, piece):
    """Only those are compared that were captured in both."""
    first, last = split(piece, A, 24)
    changed = bytearray(A[:24])
    changed[20] ^= 1
    short = cut(first, len(first) - 8)
    got = decode(pcap(near(short, last, piece(bytes(changed), 0, True), last)), engine)
    assert (copied(got), len(got["gre"]), told(got)) == (2, 1, [])
    got = decode(pcap(near(first, last, cut(piece(bytes(changed), 0, True), len(first) - 4))), engine)
    assert (copied(got), len(got["gre"]), told(got)) == (1, 1, [])
    got = decode(pcap(near(first, last, cut(piece(bytes(changed), 0, True), len(first) - 3))), engine)
    assert (copied(got), told(got)) == (0, [(3, "IP", "FRAGMENT_INCOMPLETE", 3, 24)])


@pytest.mark.parametrize(("away", "rows"), [(60_000_000, 1), (60_000_001, 2), (-60_000_000, 1), (-60_000_001, 2)])
def test_copies_are_expected_for_a_minute(engine, piece, away, rows):
    """From the fragment that came first; in either direction."""
    frames = split(piece, A, 24)
    first = [at(0, frames[0]), at(3_000_000, frames[1])]
    got = decode(pcap([*first, *(at(away, frame) for frame in frames)]), engine)
    assert column(got, "gre", "packet") == [2, 4][:rows]
    assert copied(got) == 4 - 2 * rows
    assert told(got) == []


def test_late_copy_beside_the_next_datagram(engine, piece):
    """A is complete, B has begun: the copy of the last fragment of A completes nothing."""
    a, b = split(piece, A, 24), split(piece, B, 24)
    got = decode(pcap(near(*a, b[0], *a, b[1], *b)), engine)
    assert sequences(got) == [(2, 1), (6, 2)]
    assert copied(got) == 4
    assert told(got) == []


@pytest.mark.parametrize(("away", "rows"), [(1_000_000, 1), (1_000_001, 2)])
def test_copies_beside_the_next_datagram_are_expected_for_a_second(engine, piece, away, rows):
    """The last fragment of the next datagram is like that of the first one, and could be a copy."""
    a, tail = split(piece, A, 24), split(piece, TAIL, 24)
    assert a[1] == tail[1]
    got = decode(pcap([*near(*a), at(away, tail[0]), at(away + 1, tail[1])]), engine)
    assert sequences(got) == [(2, 1), (4, 3)][:rows]
    assert told(got) == [(4, "IP", "FRAGMENT_INCOMPLETE", 3, 24)][: 2 - rows]
    assert copied(got) == 2 - rows


def test_next_datagram_takes_the_place_of_the_first(engine, piece):
    """Copies of B are copies then, and those of A are not."""
    a, b = split(piece, A, 24), split(piece, B, 24)
    got = decode(pcap(near(*a, *b, *b, a[0])), engine)
    assert sequences(got) == [(2, 1), (4, 2)]
    assert copied(got) == 2
    assert told(got) == [(7, "IP", "FRAGMENT_INCOMPLETE", 7, 24)]


@pytest.mark.parametrize(("cap", "counted"), [(304, 2), (303, 0), (0, 0)])
def test_cap_on_what_is_remembered(engine, piece, cap, counted):
    """48 octets and 128 for each of two extents; without memory the copies are a datagram of their own."""
    frames = split(piece, A, 24)
    got = drive(pcap(near(*frames, *frames)), engine, limits=Limits(remembered_octets=cap))
    assert copied(got) == counted
    assert column(got, "gre", "packet") == ([2] if counted else [2, 4])


@pytest.mark.parametrize(("cap", "packets"), [(912, [2, 4, 7]), (911, [2, 4, 7, 13]), (608, [2, 4, 7, 13])])
def test_what_was_complete_first_is_forgotten_first(engine, piece, cap, packets):
    """Of three, all or two are remembered; a copy makes none of them younger."""
    one, two, three = (split(piece, A, 24, key=key) for key in (1, 2, 3))
    frames = [*one, *two, one[0], *three, *two, *three, *one]
    got = drive(pcap(near(*frames)), engine, limits=Limits(remembered_octets=cap))
    assert column(got, "gre", "packet") == packets
    assert copied(got) == (7 if len(packets) == 3 else 5)


def test_what_is_replaced_counts_no_more(engine, piece):
    two = split(piece, A, 24, key=2)
    frames = [*split(piece, A, 24, key=1), *split(piece, B, 24, key=1), *two, *split(piece, B, 24, key=1), *two]
    got = drive(pcap(near(*frames)), engine, limits=Limits(remembered_octets=608))
    assert copied(got) == 4


def test_only_captured_octets_count_in_the_cap(engine, piece):
    """Of 48 octets 40 are captured."""
    frames = [piece(A[:24], 0, True), cut(piece(A[24:], 24, False), len(piece(A[24:], 24, False)) - 8)]
    for cap, counted in ((296, 2), (295, 0)):
        got = drive(pcap(near(*frames, *frames)), engine, limits=Limits(remembered_octets=cap))
        assert copied(got) == counted


# ---- datagrams that are too old (decoding 4.6)


@pytest.mark.parametrize("away", [60_000_000, -60_000_000])
def test_fragments_of_a_minute_belong_together(engine, piece, away):
    frames = split(piece, A, 24)
    got = decode(pcap([at(0, frames[0]), at(away, frames[1])]), engine)
    assert sequences(got) == [(2, 1)]
    assert told(got) == []


@pytest.mark.parametrize("away", [60_000_001, -60_000_001, 600_000_000])
def test_fragments_of_more_than_a_minute_do_not(engine, piece, away):
    first, last = split(piece, A, 24)
    got = decode(pcap([at(0, first), at(away, last)]), engine)
    assert len(got["gre"]) == 0
    assert told(got) == [(2, "IP", "FRAGMENT_INCOMPLETE", 1, 24), (2, "IP", "FRAGMENT_INCOMPLETE", 2, 24)]
    got = decode(pcap([at(0, first), at(away, split(piece, B, 24)[1]), at(away, split(piece, B, 24)[0])]), engine)
    assert sequences(got) == [(3, 2)]
    assert told(got) == [(2, "IP", "FRAGMENT_INCOMPLETE", 1, 24)]


def test_age_is_that_of_the_first_fragment(engine, piece):
    frames = split(piece, A, 16, 32)
    got = decode(pcap([at(0, frames[0]), at(59_000_000, frames[1]), at(61_000_000, frames[2])]), engine)
    assert told(got) == [(3, "IP", "FRAGMENT_INCOMPLETE", 1, 32), (3, "IP", "FRAGMENT_INCOMPLETE", 3, 16)]


def test_old_datagram_that_no_fragment_meets_waits_for_the_end(engine, piece):
    plain = gre_frame(gre(b"\x00\x57", sequence=7))
    got = decode(pcap([at(0, split(piece, A, 24)[0]), at(600_000_000, plain)]), engine)
    assert told(got) == [(2, "IP", "FRAGMENT_INCOMPLETE", 1, 24)]


def test_packet_with_a_wrong_clock_harms_no_other_datagram(engine, piece):
    first, last = split(piece, A, 24)
    wrong = split(piece, B, 24, key=9)
    got = decode(pcap([at(0, first), at(10**15, wrong[0]), at(-(10**15), wrong[1]), at(1_000, last)]), engine)
    assert sequences(got) == [(4, 1)]
    assert told(got) == [(3, "IP", "FRAGMENT_INCOMPLETE", 2, 24), (4, "IP", "FRAGMENT_INCOMPLETE", 3, 24)]


def test_times_at_both_ends_of_the_range(engine):
    """Their difference is more than 2^63 ns."""
    first, last = split(piece4, A, 24)
    least = (-(2**63) // 10**9 + 1).to_bytes(8, "little", signed=True)
    file = started().packet(first, 0, 2**63 // 1000 - 1).interface(1, [(14, least)]).packet(last, 1, 0)
    got = decode(file.octets, engine)
    assert len(got["gre"]) == 0
    assert got["issues"]["time"].tolist()[-2:] == [-(2**63) // 10**9 * 10**9 + 10**9] * 2
    assert told(got) == [(2, "IP", "FRAGMENT_INCOMPLETE", 1, 24), (2, "IP", "FRAGMENT_INCOMPLETE", 2, 24)]


def test_fragments_without_a_time_have_no_age(engine, piece):
    """A Simple Packet Block has none."""
    first, last = split(piece, A, 24)
    got = decode(started().packet(first, 0, 5).simple(last).octets, engine)
    assert sequences(got) == [(2, 1)]
    got = decode(started().simple(first).packet(last, 0, 5).simple(first).octets, engine)
    assert sequences(got) == [(2, 1)]
    assert copied(got) == 1


def others(count: int, first: int = 1000) -> list[bytes]:
    """So many fragments between the same addresses, each of another datagram."""
    return [piece4(bytes(8), 8, True, key=first + number) for number in range(count)]


@pytest.mark.parametrize(("count", "rows"), [(128, 1), (129, 0)])
def test_other_fragments_make_a_datagram_old(engine, count, rows):
    """A fast sender uses the identification again within a minute."""
    first, last = split(piece4, A, 24)
    got = decode(pcap(near(first, *others(count), last)), engine)
    assert len(got["gre"]) == rows
    found = [issue for issue in told(got) if issue[4] == 24]
    assert found == ([] if rows else [(131, "IP", "FRAGMENT_INCOMPLETE", first, 24) for first in (1, 131)])


def test_a_copy_makes_a_datagram_young(engine):
    first, last = split(piece4, A, 24)
    got = decode(pcap(near(first, *others(128), first, *others(128, 2000), last)), engine)
    assert sequences(got) == [(259, 1)]


@pytest.mark.parametrize(("count", "rows"), [(126, 1), (127, 0)])
def test_copies_count_as_other_fragments(engine, count, rows):
    """Two fragments of another datagram, and copies of one of them."""
    first, last = split(piece4, A, 24)
    other = split(piece4, B, 24, key=8)
    got = decode(pcap(near(first, *other, *[other[0]] * count, last)), engine)
    assert len(got["gre"]) == 1 + rows
    assert copied(got) == count


def test_fragments_of_others_do_not_make_a_datagram_old(engine):
    """Of another protocol, direction, address or version; and those that cannot be right."""
    first, last = split(piece4, A, 24)
    strange = [
        *(ethernet(ipv4(bytes(8), 4, identification=n, offset=8, more=True)) for n in range(130)),
        *(ethernet(ipv4(bytes(8), 47, SERVER, CLIENT, identification=n, offset=8, more=True)) for n in range(130)),
        *(ethernet(ipv4(bytes(8), 47, CLIENT, bytes(4), identification=n, offset=8, more=True)) for n in range(130)),
        *(piece6(bytes(8), 8, True, key=n) for n in range(130)),
        *(piece4(bytes(7), 8, True, key=n) for n in range(130)),
    ]
    got = decode(pcap(near(first, *strange, last)), engine)
    assert sequences(got) == [(652, 1)]


# ---- two datagrams at once (decoding 4.2)


def test_two_datagrams_at_once(engine, piece):
    """Nothing tells whether the last fragments are of A or of B."""
    a, b = split(piece, A, 24), split(piece, B, 24)
    got = decode(pcap(near(a[0], b[0], a[1], b[1], *a, *b)), engine)
    assert len(got["gre"]) == 0
    # the addresses of the header are equal, its sequence number and all octets behind it are not
    assert told(got) == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]
    assert copied(got) == 0
    only(got, fragments=8)


@pytest.mark.parametrize(("away", "packets"), [(1_000_000, []), (1_000_001, [3]), (-1_000_000, []), (-1_000_001, [3])])
def test_datagrams_more_than_a_second_apart_are_not_at_once(engine, piece, away, packets):
    """The rest of A was lost; B begins where A is given up."""
    b = split(piece, B, 24)
    got = decode(pcap([at(0, split(piece, A, 24)[0]), *(at(away, frame) for frame in b)]), engine)
    assert column(got, "gre", "packet") == packets
    assert told(got) == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]


@pytest.mark.parametrize(("away", "packets"), [(1_000_000, []), (1_000_001, [5])])
def test_two_datagrams_at_once_end_where_a_second_is_quiet(engine, piece, away, packets):
    """Counted from the last fragment of the key, whichever datagram it is of."""
    a, b, c = split(piece, A, 24), split(piece, B, 24), split(piece, TAIL, 24)
    frames = [at(0, a[0]), at(1_000, b[0]), at(900_000, b[1])]
    got = decode(pcap([*frames, *(at(900_000 + away, frame) for frame in c)]), engine)
    assert column(got, "gre", "packet") == packets
    assert told(got) == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]


@pytest.mark.parametrize(("count", "rows"), [(128, 0), (129, 1)])
def test_two_datagrams_at_once_end_behind_other_fragments(engine, count, rows):
    a, b, c = split(piece4, A, 24), split(piece4, B, 24), split(piece4, TAIL, 24)
    got = decode(pcap(near(a[0], b[0], *others(count), *c)), engine)
    assert len(got["gre"]) == rows
    assert [issue for issue in told(got) if issue[4] != 8] == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]


def test_two_datagrams_at_once_take_a_place(engine, piece):
    """They give way like any other, and say nothing again."""
    a, b = split(piece, A, 24), split(piece, B, 24)
    c = split(piece, TAIL, 24, key=8)
    frames = near(a[0], b[0], c[0], c[1], *b)
    got = drive(pcap(frames), engine, limits=Limits(datagrams=1))
    assert sequences(got) == [(4, 3), (6, 2)]
    assert told(got) == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]
    got = drive(pcap(frames), engine, limits=Limits(datagrams=2))
    assert sequences(got) == [(4, 3)]
    assert told(got) == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]


def test_two_datagrams_at_once_without_times(engine, piece):
    a, b = split(piece, A, 24), split(piece, B, 24)
    file = started()
    for frame in (a[0], b[0], b[1], *a):
        file.simple(frame)
    got = decode(file.octets, engine)
    assert len(got["gre"]) == 0
    assert told(got) == [(2, "IP", "FRAGMENT_CONFLICT", 24, 11)]


def test_complete_datagrams_are_no_datagrams_in_flight(engine, piece):
    """The cap on these is not reached by those."""
    one, two, three = (split(piece, A, 24, key=key) for key in (1, 2, 3))
    got = drive(pcap(near(three[0], *one, *two, three[1], *one)), engine, limits=Limits(datagrams=2))
    assert column(got, "gre", "packet") == [3, 5, 6]
    assert told(got) == []
    assert copied(got) == 2
    assert statuses(got, "gre")[0] == {"FRAGMENTED"}

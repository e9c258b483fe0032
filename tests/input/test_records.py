"""Records of a pcap file: byte orders, times, and every way in which one can be damaged."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from builder import (
    FIRST_TIME,
    Conversation,
    Record,
    cut,
    echo,
    ethernet,
    gre,
    gre_frame,
    ipv4,
    pcap,
    pcap_header,
    stream,
    time_of,
)
from costs import is_linear
from helpers import column, decode, drive, faults, identifiers, issues, kinds, nanoseconds, only, statuses

from pptpcap import iterate, read
from pptpcap.wire.status import Kind

GRE_FRAME = gre_frame(gre(b"\x00\x57", sequence=1))
ORDERS = [("<", False), ("<", True), (">", False), (">", True)]


def offset_of(record: int, *frames: bytes) -> int:
    """Where record number `record`, from 1, starts."""
    return 24 + sum(16 + len(frame) for frame in frames[: record - 1])


# ---- byte order, resolution, time


@pytest.mark.parametrize(("order", "fine"), ORDERS)
def test_byte_order_and_resolution(engine, order, fine):
    got = decode(pcap([GRE_FRAME] * 3, order=order, nanoseconds=fine), engine)
    assert column(got, "gre", "packet") == [1, 2, 3]
    assert column(got, "gre", "time") == [time_of(1), time_of(2), time_of(3)]
    assert column(got, "gre", "record_offset") == [offset_of(n, *[GRE_FRAME] * 3) for n in (1, 2, 3)]
    assert issues(got) == []


@pytest.mark.parametrize("order", ["<", ">"])
def test_nanoseconds_are_exact(engine, order):
    got = decode(pcap([Record(GRE_FRAME, seconds=1, fraction=123_456_789)], order=order, nanoseconds=True), engine)
    assert column(got, "gre", "time") == [1_123_456_789]


def test_seconds_are_unsigned(engine):
    """To the year 2106."""
    got = decode(pcap([Record(GRE_FRAME, seconds=0xFFFFFFFF, fraction=999_999)]), engine)
    assert column(got, "gre", "time") == [4_294_967_295_999_999_000]
    assert statuses(got, "gre") == [set()]


@pytest.mark.parametrize(("fine", "ticks"), [(False, 1_000_000), (True, 1_000_000_000)])
@pytest.mark.parametrize("above", [-1, 0, 1, None])
def test_fraction_of_a_second_or_more(engine, fine, ticks, above):
    """Seconds and fraction are added up all the same."""
    fraction = 0xFFFFFFFF if above is None else ticks + above
    talk = Conversation().handshake().client(0, echo(1))
    talk.packets[3] = Record(talk.frames()[3], seconds=7, fraction=fraction)
    talk.packets.append(Record(GRE_FRAME, seconds=7, fraction=fraction))
    got = decode(talk.pcap(nanoseconds=fine), engine)
    expected = 7_000_000_000 + fraction * (1 if fine else 1000)
    assert column(got, "messages", "time") == [expected]
    assert column(got, "gre", "time") == [expected]
    bad = above != -1
    assert statuses(got) == [{"TIME_FRACTION"} if bad else set()]
    assert statuses(got, "gre") == [{"TIME_FRACTION"} if bad else set()]
    found = [(4, "CONTAINER", "TIME_FRACTION", ticks, fraction), (5, "CONTAINER", "TIME_FRACTION", ticks, fraction)]
    assert faults(got) == (found if bad else [])
    if bad:
        assert column(got, "issues", "time")[-2:] == [expected, expected]
        assert column(got, "issues", "connection")[-2:] == [-1, -1]
    assert not got.damaged


def test_time_fraction_of_an_earlier_segment_marks_the_message(engine):
    """The status says what the octets came from, as for a checksum."""
    talk = Conversation().handshake().client(0, echo(1)[:4]).client(4, echo(1)[4:] + echo(2))
    talk.packets[3] = Record(talk.frames()[3], fraction=1_000_000)
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [{"TIME_FRACTION"}, set()]


def test_time_that_goes_backwards(engine):
    """Rows stand in the order of the file."""
    packets = [Record(GRE_FRAME, seconds=second, fraction=0) for second in (30, 10, 20)]
    got = decode(pcap(packets), engine)
    assert column(got, "gre", "time") == [30 * 10**9, 10 * 10**9, 20 * 10**9]
    assert column(got, "tunnels", "first_time") == [30 * 10**9]
    assert column(got, "tunnels", "last_time") == [20 * 10**9]
    driven = drive(pcap(packets), engine)
    assert [int(np.datetime64(t, "ns").astype("int64")) for t in (driven.earliest, driven.latest)] == [
        10 * 10**9,
        30 * 10**9,
    ]


# ---- lengths


def test_nothing_but_a_header(engine):
    got = decode(pcap([]), engine)
    assert issues(got) == [(1, "CONTAINER", "NO_PACKETS", 1, 0)]
    assert all(len(got[name]) == 0 for name in got if name != "issues")
    assert got.counters["packets"] == 0
    assert not got.damaged
    only(got)


def test_counters(engine):
    frames: list[bytes | Record] = [GRE_FRAME, cut(GRE_FRAME, 40), Record(GRE_FRAME, original=10)]
    got = decode(pcap(frames), engine)
    size = len(GRE_FRAME)
    assert got.counters["packets"] == 3
    assert got.counters["captured_octets"] == size + 40 + size
    assert got.counters["original_octets"] == size + size + 10
    only(got, gre_packets=3)


def test_captured_above_original(engine):
    """What is in the file was on the wire."""
    got = decode(pcap([GRE_FRAME, Record(GRE_FRAME, original=20)]), engine)
    assert column(got, "gre", "available") == [2, 2]
    assert statuses(got, "gre") == [set(), {"DUPLICATED"}]
    assert issues(got) == [(2, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 20, len(GRE_FRAME))]
    assert not got.damaged


def test_both_issues_of_one_record(engine):
    got = decode(pcap([Record(GRE_FRAME, original=0, fraction=1_000_001)]), engine)
    assert issues(got) == [
        (1, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 0, len(GRE_FRAME)),
        (1, "CONTAINER", "TIME_FRACTION", 1_000_000, 1_000_001),
    ]


@pytest.mark.parametrize("snap_length", [0, 1, 40, 0xFFFFFFFF])
def test_snap_length_of_the_header_limits_nothing(engine, snap_length):
    got = decode(pcap([GRE_FRAME] * 2, snap_length=snap_length), engine)
    assert column(got, "gre", "available") == [2, 2]
    assert issues(got) == []


@pytest.mark.parametrize("upper", [0x10000000, 0xF4000000, 0x00010000])
def test_upper_half_of_the_link_type(engine, upper):
    """Class and FCS bits; the link type is the lower half."""
    got = decode(pcap([GRE_FRAME], link=upper | 1), engine)
    assert column(got, "gre", "available") == [2]


def test_packets_without_octets(engine):
    got = decode(pcap([b"", GRE_FRAME, b""]), engine)
    assert column(got, "gre", "packet") == [2]
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 14, 0), (3, "LINK", "FRAME_CUT", 14, 0)]
    only(got, frames_cut=2, gre_packets=1)


@pytest.mark.slow
def test_many_records_of_nothing(engine):
    """200,000 records of no octet, a microsecond behind 1970: a row each, and no step that costs more than the last.

    The slow engine has a tenth of them.
    """
    nothing = struct.pack("<IIII", 0, 1, 0, 0)
    number = 200_000 if engine == "compiled" else 20_000
    got = decode(pcap_header() + nothing * number, engine)
    assert got.counters["packets"] == number
    only(got, frames_cut=number)
    assert faults(got) == issues(got)[:-1]
    assert kinds(got)[-1] == "CLOCK_STANDS"
    assert got["issues"]["packet"].tolist() == [*range(1, number + 1), number]
    assert (got["issues"]["time"] == nanoseconds(1000)).all()
    if engine == "compiled":
        assert is_linear(lambda count: decode(pcap_header() + nothing * count, engine), 50_000)


# ---- damage


def damaged(got, packet: int, offset: int, kind: str, needed: int, had: int) -> None:
    """The last issue is of the container, has no time, and nothing of the record was counted."""
    assert got.damaged
    assert issues(got)[-1] == (packet, "CONTAINER", kind, needed, had)
    last = got["issues"][-1]
    assert np.isnat(last["time"])
    assert (last["record_offset"], last["file"], last["connection"]) == (offset, 0, -1)
    assert got.counters["packets"] == packet - 1
    assert len(got["issues"]) == 1


@pytest.mark.parametrize("left", range(1, 16))
def test_record_header_cut(engine, left):
    whole = pcap([GRE_FRAME] * 3)
    start = offset_of(3, *[GRE_FRAME] * 3)
    got = decode(whole[: start + left], engine)
    assert column(got, "gre", "packet") == [1, 2]
    damaged(got, 3, start, "TRUNCATED_RECORD", 16, left)


def test_record_cut(engine):
    whole = pcap([GRE_FRAME] * 2)
    start = offset_of(2, *[GRE_FRAME] * 2)
    for left in range(16, 16 + len(GRE_FRAME)):
        got = decode(whole[: start + left], engine)
        assert column(got, "gre", "packet") == [1]
        damaged(got, 2, start, "TRUNCATED_RECORD", 16 + len(GRE_FRAME), left)


def test_file_that_ends_with_a_record_is_whole(engine):
    got = decode(pcap([GRE_FRAME] * 2), engine)
    assert not got.damaged
    assert issues(got) == []


@pytest.mark.parametrize("length", [262_145, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF])
@pytest.mark.parametrize("order", ["<", ">"])
def test_captured_length_above_the_cap(engine, length, order):
    """Also where the file is shorter still: the cap is looked at first, and 16 + length does not wrap."""
    packets: list[bytes | Record] = [GRE_FRAME, Record(GRE_FRAME, captured=length), GRE_FRAME]
    got = decode(pcap(packets, order=order), engine)
    assert column(got, "gre", "packet") == [1]
    damaged(got, 2, offset_of(2, GRE_FRAME), "CORRUPT_RECORD", 262_144, length)


def test_captured_length_at_the_cap(engine):
    frame = GRE_FRAME.ljust(262_144, b"\0")
    got = decode(pcap([frame, GRE_FRAME]), engine)
    assert column(got, "gre", "packet") == [1, 2]
    assert not got.damaged
    got = decode(pcap([frame, GRE_FRAME])[: 24 + 16 + 262_143], engine)
    damaged(got, 1, 24, "TRUNCATED_RECORD", 262_160, 262_159)


def test_garbage_between_records(engine):
    """The walk stops: it does not look for the next record."""
    garbage = b"garbage, not a record header"
    whole = pcap([GRE_FRAME])
    got = decode(whole + garbage + whole[24:], engine)
    assert column(got, "gre", "packet") == [1]
    length = int.from_bytes(garbage[8:12], "little")
    damaged(got, 2, len(whole), "CORRUPT_RECORD", 262_144, length)


def test_damage_ends_connections_like_the_end_of_a_capture(engine):
    """What was whole is kept; the cut message behind it is found at the last packet that was walked."""
    got = decode(stream(echo(1) + echo(2)[:14], echo(2)[14:])[:-1], engine)
    assert identifiers(got) == [1, 0]
    assert statuses(got) == [set(), {"CUT"}]
    assert sorted(issues(got)) == [
        (4, "CONTROL", "MESSAGE_CUT", 16, 14),
        (5, "CONTAINER", "TRUNCATED_RECORD", 16 + 56, 16 + 55),
    ]
    assert got.damaged


# ---- several files


def test_files_of_one_capture(engine, tmp_path):
    """A stream goes on across the boundary, packets are numbered on, offsets start anew."""
    talk = Conversation().handshake().client(0, echo(1)[:5]).client(5, echo(1)[5:])
    halves = [pcap(talk.packets[:4]), pcap(talk.packets[4:], order=">", nanoseconds=True)]
    paths = []
    for number, half in enumerate(halves):
        path = tmp_path / f"{number}.pcap"
        path.write_bytes(half)
        paths.append(path)
    for got in (decode(paths, engine), drive(halves, engine)):
        row = got["messages"][0]
        assert (row["file"], row["packet"], row["record_offset"], row["segments"]) == (1, 5, 24, 2)
        assert row["time"] == nanoseconds(FIRST_TIME)  # the builder's clock starts anew in each file
        assert got.counters["packets"] == 5
        assert len(got["connections"]) == 1
        assert issues(got) == [
            (5, "CONTAINER", "FILES_OUT_OF_ORDER", 0, 1),
            (5, "CONTAINER", "CLOCK_BACK", 0, time_of(4) - FIRST_TIME),
        ]


def test_datagram_across_files(engine):
    packet = gre(bytes.fromhex("0057") + bytes(22), sequence=1)
    first = ethernet(ipv4(packet[:16], 47, identification=9, more=True))
    last = ethernet(ipv4(packet[16:], 47, identification=9, offset=16))
    got = drive([pcap([first]), pcap([last])], engine)
    assert column(got, "gre", "packet") == [2]
    assert column(got, "gre", "file") == [1]
    assert statuses(got, "gre") == [{"FRAGMENTED"}]


def test_damage_in_the_first_file(engine):
    """The number of the record that was not walked is the number of the next file's first packet."""
    halves = [pcap([GRE_FRAME] * 2)[:-1], pcap([GRE_FRAME])]
    got = drive(halves, engine)
    assert column(got, "gre", "packet") == [1, 2]
    assert column(got, "gre", "file") == [0, 1]
    size = 16 + len(GRE_FRAME)
    assert issues(got) == [(2, "CONTAINER", "TRUNCATED_RECORD", size, size - 1)]
    assert column(got, "issues", "file") == [0]
    assert got.damaged


def test_record_header_is_read_in_the_order_of_the_file(engine):
    """A length that reads as plausible the other way round is still corrupt."""
    data = pcap_header("<") + struct.pack(">IIII", 1, 0, 0x10, 0x10) + bytes(16)
    got = decode(data, engine)
    damaged(got, 1, 24, "CORRUPT_RECORD", 262_144, 0x10000000)


# ---- clocks


def at(*times: int, order: str = "<") -> bytes:
    """A capture of packets at these microseconds behind 2020-09-13 12:26:40."""
    return pcap(
        [Record(GRE_FRAME, seconds=1_600_000_000 + time // 10**6, fraction=time % 10**6) for time in times], order=order
    )


@pytest.mark.parametrize(("before", "after", "back"), [(5_000_000, 4_000_001, 0), (5_000_000, 4_000_000, 10**9)])
def test_clock_that_goes_back_by_a_second(engine, before, after, back):
    got = decode(at(0, before, after, 9_000_000), engine)
    assert issues(got) == ([(3, "CONTAINER", "CLOCK_BACK", 0, back)] if back else [])
    assert column(got, "gre", "packet") == [1, 2, 3, 4]


def test_one_packet_of_another_year(engine):
    """A packet of the future is told of at the packet behind it, one of the past at itself."""
    assert issues(decode(at(0, 10**14, 3), engine)) == [(3, "CONTAINER", "CLOCK_BACK", 0, 10**17 - 3000)]
    past = decode(at(0, 1, -(10**14), 3), engine)
    assert issues(past) == [(3, "CONTAINER", "CLOCK_BACK", 0, 10**17 + 1000)]


def test_clock_goes_back_from_file_to_file(engine, tmp_path):
    """Whatever the ranges, the packet behind is that of the step."""
    (tmp_path / "1.pcap").write_bytes(at(9_000_000, 9_000_001))
    (tmp_path / "2.pcap").write_bytes(at(2, 3))
    found = read(sorted(tmp_path.iterdir()), engine=engine).issues
    assert [(row["packet"], Kind(row["kind"]).name, row["had"]) for row in found] == [
        (3, "FILES_OUT_OF_ORDER", 1),
        (3, "CLOCK_BACK", 8_999_999_000),
    ]


@pytest.mark.parametrize("batch_bytes", [1, 200, 1 << 20])
def test_clock_goes_back_in_any_batch(engine, batch_bytes):
    times = [0, 10**7, 5, 10**8, 10**7, 3, 3]
    told = [
        (int(row["packet"]), int(row["had"]))
        for batch in iterate(at(*times), engine=engine, batch_bytes=batch_bytes)
        for row in batch["issues"]
    ]
    assert told == [(3, 9_999_995_000), (5, 90_000_000_000), (6, 9_999_997_000)]


@pytest.mark.parametrize(("packets", "stands"), [(7, False), (8, True)])
def test_clock_that_stands(engine, packets, stands):
    told = [(packets, "CONTAINER", "CLOCK_STANDS", 0, packets)] if stands else []
    assert issues(decode(at(*[77] * packets), engine)) == told
    assert issues(decode(at(*[77] * packets, 78), engine)) == []


def test_clock_issue_stands_first(engine):
    """Behind it what the lengths and the fraction of the same record give."""
    frames = [Record(GRE_FRAME, seconds=9), Record(GRE_FRAME, seconds=1, fraction=10**6, original=1)]
    assert [kind for _, _, kind, _, _ in issues(decode(pcap(frames), engine))][:3] == [
        "CLOCK_BACK", "CAPTURED_EXCEEDS_ORIGINAL", "TIME_FRACTION",
    ]  # fmt: skip

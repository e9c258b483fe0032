"""Blocks of a pcapng file that is whole: sections, interfaces, the three kinds of packets, and what is stepped over."""

from __future__ import annotations

import numpy as np
import pytest
from builder import (
    ETHERNET,
    RAW,
    SLL,
    Conversation,
    Record,
    echo,
    gre,
    gre_frame,
    ipv4,
    pcap,
    sll,
    time_of,
)
from helpers import column, faults, identifiers, issues, kinds, names_of, nanoseconds, only, same, statuses
from pcapng_builder import (
    EPB,
    IDB,
    ISB,
    MAGIC,
    NRB,
    OTHER_ORDER,
    PB,
    SHB,
    SPB,
    File,
    option,
    started,
    tsoffset,
    tsresol,
)
from walks import twins, walk

from pptpcap.wire.container import Interface
from pptpcap.wire.limits import Limits

V4 = ipv4(gre(b"\x00\x57", sequence=1), 47)  # 34 octets
FRAME = gre_frame(gre(b"\x00\x57", sequence=1))  # 48 octets
ORDERS = ["<", ">"]


def times(got) -> list[int | None]:
    """Nanoseconds of each GRE row, None for NaT."""
    return [None if np.isnat(time) else int(time.astype("i8")) for time in got["gre"]["time"]]


# ---- one section


@pytest.mark.parametrize("order", ORDERS)
def test_enhanced_packet_blocks(engine, order):
    """Microseconds are the resolution where the interface says nothing."""
    got = walk(started(order).packets(FRAME, FRAME, FRAME).octets, engine)
    assert column(got, "gre", "packet") == [1, 2, 3]
    assert times(got) == [time_of(1), time_of(2), time_of(3)]
    assert column(got, "gre", "record_offset") == [48, 128, 208]
    assert column(got, "gre", "available") == [2, 2, 2]
    assert issues(got) == []
    only(got, gre_packets=3)
    assert [got.counters[name] for name in ("packets", "captured_octets", "original_octets")] == [3, 144, 144]
    assert (got.earliest, got.latest) == (time_of(1), time_of(3))
    assert not got.damaged


def test_the_same_packets_as_pcap(engine):
    """A control connection, cut frames and fragments of a second: rows of both formats differ in offsets alone."""
    talk = (
        Conversation().handshake().client(0, echo(1)[:5]).client(5, echo(1)[5:] + echo(2), snap=25).server(0, echo(3))
    )
    talk.packets.append(FRAME)
    whole = walk(talk.pcap(nanoseconds=True), engine)
    for order in ORDERS:
        file = started(order, options=[tsresol(9)])
        for number, packet in enumerate(talk.packets, 1):
            record = packet if isinstance(packet, Record) else Record(packet)
            file.packet(record.data, 0, time_of(number), original=record.original)
        got = walk(file.octets, engine)
        assert len(whole["messages"]) == 3
        for name in whole:
            for field in set(names_of(whole[name])) - {"record_offset"}:
                assert got[name][field].tobytes() == whole[name][field].tobytes(), (name, field)
        assert got.counters == whole.counters
        assert (got.earliest, got.latest) == (whole.earliest, whole.latest)


def test_snap_cut_packet(engine):
    """On the wire is the original length."""
    got = walk(started().packet(FRAME[:47], original=48).packet(FRAME[:13], original=48).octets, engine)
    assert column(got, "gre", "available") == [1]
    assert "PAYLOAD_CUT" in statuses(got, "gre")[0]
    assert issues(got) == [(2, "LINK", "FRAME_CUT", 14, 13)]
    only(got, gre_packets=1, frames_cut=1)
    assert [got.counters[name] for name in ("captured_octets", "original_octets")] == [60, 96]


@pytest.mark.parametrize("order", ORDERS)
def test_obsolete_packet_block(engine, order):
    """Interface of 2 octets; the drops behind it are not looked at."""
    file = started(order).interface(RAW, [tsresol(9)])
    for drops in (0, 1, 0xFFFF):
        file.old_packet(V4, 1, time_of(2), drops=drops).old_packet(FRAME, 0, time_of(1) // 1000, drops=drops)
    got = walk(file.octets, engine)
    assert times(got) == [time_of(2), time_of(1)] * 3
    assert column(got, "gre", "record_offset") == [80 + n for n in (0, 68, 148, 216, 296, 364)]
    assert faults(got) == []
    only(got, gre_packets=6)


# ---- simple packet blocks


@pytest.mark.parametrize("order", ORDERS)
def test_simple_packet_block(engine, order):
    """Interface 0, no time."""
    file = File(order).section().interface(RAW).interface(ETHERNET).simple(V4).simple(V4).packet(FRAME, 1, 5)
    got = walk(file.octets, engine)
    assert times(got) == [None, None, 5000]
    assert column(got, "gre", "record_offset") == [68, 68 + 52, 68 + 104]
    assert issues(got) == []
    assert [got.counters[name] for name in ("packets", "captured_octets", "original_octets")] == [3, 34 + 34 + 48, 116]
    assert (got.earliest, got.latest) == (5000, 5000)


@pytest.mark.parametrize(
    ("snap", "data", "original", "captured"),
    [
        (0, 48, 48, 48),
        (48, 48, 48, 48),
        (47, 47, 48, 47),
        (47, 48, 48, 47),
        (1, 48, 48, 1),
        (0xFFFFFFFF, 48, 48, 48),
        (0, 44, 48, 44),
        (46, 44, 48, 44),
        (0, 48, 47, 47),
        (0, 48, 0, 0),
        (0, 48, 0xFFFFFFFF, 48),
        (0, 0, 48, 0),
        (20, 0, 0, 0),
    ],
)
def test_captured_length_of_a_simple_packet_block(engine, snap, data, original, captured):
    """The least of original length, snap length unless 0, and what the block has room for."""
    got = walk(started(snap=snap).simple(FRAME[:data], original).octets, engine)
    assert [got.counters[name] for name in ("packets", "captured_octets", "original_octets")] == [1, captured, original]
    assert set(kinds(got)) <= {"FRAME_CUT", "HEADER_CUT", "LENGTH_EXCEEDS_FRAME", "PAYLOAD_SHORT", "NO_PROTOCOL"}
    assert (kinds(got) == ["FRAME_CUT"]) == (captured < 14)
    assert column(got, "gre", "available") == ([captured - 46] if captured >= 46 else [0] if captured == 44 else [])
    assert np.isnat(got["issues"]["time"]).all()


def test_simple_packets_of_a_connection(engine):
    """What has no time has NaT wherever a time stands."""
    file = started()
    for packet in Conversation().handshake().client(0, echo(1)).client(16, flags="FA").frames():
        file.simple(packet)
    got = walk(file.octets, engine)
    assert identifiers(got) == [1]
    row = got["connections"][0]
    assert [bool(np.isnat(row[name])) for name in ("first_time", "last_time", "end_time")] == [True] * 3
    assert (row["first_packet"], row["last_packet"], row["end"]) == (1, 5, 1)
    assert np.isnat(got["messages"]["time"]).all()
    assert (got.earliest, got.latest) == (None, None)
    only(got, control_segments=5)


# ---- interfaces and sections


@pytest.mark.parametrize("order", ORDERS)
def test_interfaces_of_their_own_link_and_resolution(engine, order):
    file = File(order).section().interface(ETHERNET).interface(RAW, [tsresol(9)])
    file.interface(SLL, [tsresol(0x80 | 10), tsoffset(order, 100)])
    file.packet(V4, 1, 1_234_567_891).packet(sll(V4), 2, 3 << 9).packet(FRAME, 0, 2_000_001).packet(V4, 1, 7)
    got = walk(file.octets, engine)
    assert times(got) == [1_234_567_891, 101_500_000_000, 2_000_001_000, 7]
    assert faults(got) == []
    only(got, gre_packets=4)
    assert (got.earliest, got.latest) == (7, 101_500_000_000)


def test_interface_in_the_middle_of_a_section(engine):
    file = started().packet(FRAME, 0, 1).interface(RAW, [tsresol(3)]).packet(V4, 1, 1).packet(FRAME, 0, 1)
    assert times(walk(file.octets, engine)) == [1000, 1_000_000, 1000]


@pytest.mark.parametrize("order", ORDERS)
def test_sections_of_either_byte_order(engine, order):
    """The second section knows nothing of the first one's interfaces."""
    other = OTHER_ORDER[order]
    file = started(order, RAW, [tsresol(9)]).packet(V4, 0, 7)
    file.section(other).interface(ETHERNET).interface(SLL, [tsresol(0)]).packet(FRAME, 0, 7).packet(sll(V4), 1, 8)
    file.section(order).interface(SLL).packet(sll(V4), 0, 9).packet(V4, 1, 10)
    got = walk(file.octets, engine)
    assert times(got) == [7, 7000, 8_000_000_000, 9000]
    assert faults(got) == [(5, "CONTAINER", "UNKNOWN_INTERFACE", 1, 1)]
    only(got, gre_packets=4, unsupported_link=1)
    assert got.containers[0].byte_order == {"<": "little", ">": "big"}[order]
    assert got.containers[0].interfaces == (Interface(SLL, 0, 1_000_000, 0),)


def test_packets_before_any_interface(engine):
    """Each is a packet that belongs to no interface, and has no time."""
    file = File().section().packet(FRAME, 0, 5).old_packet(FRAME, 3, 5).simple(FRAME).interface().packet(FRAME, 0, 5)
    got = walk(file.packet(FRAME, 1, 6).packet(FRAME, 0xFFFFFFFF, 7).section().packet(FRAME, 0, 8).octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "UNKNOWN_INTERFACE", 0, 0),
        (2, "CONTAINER", "UNKNOWN_INTERFACE", 0, 3),
        (3, "CONTAINER", "UNKNOWN_INTERFACE", 0, 0),
        (5, "CONTAINER", "UNKNOWN_INTERFACE", 1, 1),
        (6, "CONTAINER", "UNKNOWN_INTERFACE", 1, 0xFFFFFFFF),
        (7, "CONTAINER", "UNKNOWN_INTERFACE", 0, 0),
    ]
    assert np.isnat(got["issues"]["time"]).all()
    assert column(got, "issues", "record_offset") == [28, 108, 188, 352, 432, 540]
    assert column(got, "issues", "connection") == [-1] * 6
    assert column(got, "gre", "packet") == [4]
    only(got, gre_packets=1, unsupported_link=6)
    assert got.counters["captured_octets"] == got.counters["original_octets"] == 7 * 48
    assert (got.earliest, got.latest) == (5000, 5000)
    assert not got.damaged


def test_what_a_scan_learnt(engine):
    """The container at the end of a file, typed by hand."""
    file = File(">").section().interface(ETHERNET, snap=65535)
    file.interface(RAW, [tsresol(9), tsoffset(">", -3)], snap=1).interface(276, [tsresol(0x80 | 63)])
    file.interface(65535, [tsresol(19)]).interface(1, [tsresol(20)]).packet(FRAME).interface(1, [tsresol(0)])
    container = walk(file.octets, engine).containers[0]
    assert (container.format, container.byte_order) == ("pcapng", "big")
    assert container.interfaces == (
        Interface(1, 65535, 10**6, 0),
        Interface(101, 1, 10**9, -3),
        Interface(276, 0, 2**63, 0),
        Interface(65535, 0, 10**19, 0),
        Interface(1, 0, 0, 0),
        Interface(1, 0, 1, 0),
    )


def rich() -> File:
    """Two sections of either order with every kind of block, and a connection that goes on through both."""
    packets = Conversation().handshake().client(0, echo(1)[:9]).client(9, echo(1)[9:]).client(16, echo(2)).frames()
    file = File(">").section(options=[(1, b"a comment")]).interface(147).add(NRB, bytes(8)).interface(1, [tsresol(9)])
    file.packet(packets[0], 1, 10).packet(FRAME, 0, 11).old_packet(packets[1], 1, 12).interface(1, [tsresol(30)])
    file.packet(packets[2], 2, 13).packet(FRAME, 3, 14).packet(packets[3], 1, 15, original=500).add(ISB, bytes(12))
    file.section("<").interface(1, [tsoffset("<", 1), (9, b"")]).interface(148).packet(packets[4], 0, 16)
    file.packet(FRAME, 0, 2**64 - 1).simple(packets[5]).packet(FRAME, 1, 17).packet(FRAME, 1, 18)
    return file.packet(FRAME[:20], captured=60).packet(FRAME, 0, 19).add(0x80000001, b"end")


def test_ranges_and_windows_change_nothing(engine):
    """Also where a range ends inside a block, and where a window shows one octet more at a time."""
    data = rich().octets
    whole = walk(data, engine)
    assert identifiers(whole) == [1, 2]
    assert kinds(whole).count("UNSUPPORTED_LINK") == 2
    assert {"BAD_OPTION", "UNKNOWN_INTERFACE", "TIME_RANGE", "CAPTURED_EXCEEDS_BLOCK"} <= set(kinds(whole))
    for records in (1, 2, 5):
        same(walk(data, engine, records=records), whole, f"{records} records")
    for window in (3, 64, 101, 500):
        got = walk(data, engine, window=window)
        same(got, whole, f"windows of {window}")
        assert got.containers == whole.containers
    for stop in range(1, len(data), 13):
        same(walk(data, engine, stops=[stop]), whole, f"range to {stop}")
    every = walk(data, engine, stops=range(1, len(data)))
    same(every, whole, "a range at every octet")
    assert every.scans == len(rich().blocks)


def test_twins(engine):
    assert walk(rich().octets, engine).counters == twins(rich().octets).counters


# ---- what is stepped over


@pytest.mark.parametrize("order", ORDERS)
def test_other_blocks(engine, order):
    """Whatever their type and content, empty ones too; a type in the other byte order is another type."""
    file = started(order)
    for kind in (0, NRB, ISB, 7, 8, 9, 10, 0x0BAD, 0x40000BAD, 0x80000001, 0xFFFFFFFF, 0x06000000, 0x01000000):
        file.add(kind).add(kind, FRAME).packet(FRAME, 0, 1).add(kind, b"\xff" * 400)
    got = walk(file.octets, engine)
    assert column(got, "gre", "packet") == list(range(1, 14))
    assert faults(got) == []
    assert got.counters["packets"] == 13


def test_options_of_other_blocks_are_not_read(engine):
    """Options that reach far behind the end of a section header and of a packet."""
    file = File().section(options=[option("<", 4, b"x", length=0xFFFF)]).interface()
    file.packet(FRAME, 0, 1, options=[option("<", 1, b"x", length=0xFFFF)]).add(ISB, b"\x01\0\xff\xff")
    got = walk(file.old_packet(FRAME, 0, 1, options=[(1, b"")]).octets, engine)
    assert times(got) == [1000, 1000]
    assert issues(got) == []


@pytest.mark.parametrize("length", [-2, 0, 8, 1, 2**62, -(2**63), 2**63 - 1])
def test_section_length_is_not_used(engine, length):
    file = File(">").section(section_length=length).interface().packet(FRAME, 0, 1).section("<").interface()
    got = walk(file.packet(FRAME, 0, 2).octets, engine)
    assert times(got) == [1000, 2000]
    assert not got.damaged


@pytest.mark.parametrize("minor", [0, 1, 2, 0xFFFF])
def test_minor_version_is_not_used(engine, minor):
    got = walk(File().section(minor=minor).interface().packet(FRAME).octets, engine)
    assert len(got["gre"]) == 1
    assert not got.damaged


def test_file_without_packets(engine):
    for file in (File().section(), File(">").section().interface(), File().section().add(NRB).section(">")):
        got = walk(file.octets, engine)
        assert all(len(got[name]) == 0 for name in got)
        only(got)
        assert got.counters["packets"] == 0
        assert not got.damaged


# ---- captured length above original


def test_captured_above_original(engine):
    got = walk(started().packet(FRAME, 0, 1, original=20).old_packet(FRAME, 0, 2, original=0).octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 20, 48),
        (2, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 0, 48),
    ]
    assert column(got, "gre", "available") == [2, 2]
    assert statuses(got, "gre") == [set(), {"DUPLICATED"}]
    assert [got.counters[name] for name in ("captured_octets", "original_octets")] == [96, 20]


def test_order_of_the_issues_of_one_packet(engine):
    file = started(options=[tsresol(0)]).interface(147)
    file.packet(FRAME, 0, 10**10, original=5).packet(FRAME[:5], 0, 10**10, original=4).packet(FRAME, 1, 0, original=3)
    got = walk(file.packet(FRAME, 2, 10**10, original=2).octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "TIME_RANGE", 0, 10**10),
        (1, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 5, 48),
        (2, "CONTAINER", "TIME_RANGE", 0, 10**10),
        (2, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 4, 5),
        (2, "LINK", "FRAME_CUT", 14, 5),
        (3, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 3, 48),
        (3, "LINK", "UNSUPPORTED_LINK", 1, 147),
        (4, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 2, 48),
        (4, "CONTAINER", "UNKNOWN_INTERFACE", 2, 2),
    ]


# ---- files in a row


def test_pcap_and_pcapng_in_one_capture(engine):
    """Interfaces of one file are unknown in the next; the connection goes on."""
    packets = Conversation().handshake().client(0, echo(1)[:9]).client(9, echo(1)[9:]).frames()
    first = started("<").packet(packets[0], 0, 1).packet(packets[1], 0, 2).octets
    second = pcap(packets[2:4])
    third = File(">").section().packet(FRAME, 0, 1).interface(options=[tsresol(9)]).packet(packets[4], 0, 9).octets
    got = walk([first, second, third], engine)
    row = got["messages"][0]
    assert (row["packet"], row["file"], row["record_offset"], row["segments"]) == (6, 2, 28 + 80 + 32, 2)
    assert row["time"] == nanoseconds(9)
    assert len(got["connections"]) == 1
    assert faults(got) == [(5, "CONTAINER", "UNKNOWN_INTERFACE", 0, 0)]
    assert issues(got)[1:] == [
        (6, "CONTAINER", "FILES_OUT_OF_ORDER", 1, 2),
        (6, "CONTAINER", "CLOCK_BACK", 0, time_of(2) - 9),
    ]
    assert set(column(got, "issues", "file")) == {2}


def test_numbers_of_the_builder():
    """Those that the specification gives."""
    assert (SHB, IDB, PB, SPB, NRB, ISB, EPB, MAGIC) == (0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 0x1A2B3C4D)
    assert File(">").section().octets == bytes.fromhex("0a0d0d0a0000001c1a2b3c4d00010000ffffffffffffffff0000001c")
    assert File().section().octets == bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000")
    assert Limits().interfaces == 65_536
    assert Limits().block_length == 16_777_216

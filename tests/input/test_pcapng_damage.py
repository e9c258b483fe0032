"""Every way in which a pcapng file can be cut or wrong: what came before is kept, and the walk never looks for more."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from builder import Conversation, echo, gre, gre_frame, ipv4
from helpers import column, faults, identifiers, issues, only, same, statuses
from pcapng_builder import EPB, IDB, ISB, NRB, OTHER_ORDER, PB, SHB, SPB, File, block, started, tsresol
from walks import walk

from pptpcap.wire.container import Interface
from pptpcap.wire.limits import Limits

pytestmark = pytest.mark.slow

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))  # 48 octets
ORDERS = ["<", ">"]
# Least total length of a block, from the specification: all fields that every such block has.
LEAST = {SHB: 28, IDB: 20, EPB: 32, PB: 32, SPB: 16, NRB: 12, ISB: 12, 0x0BAD: 12, 0: 12}
CAP = 16_777_216


def ends(got, packet: int, offset: int, kind: str, needed: int, had: int, file: int = 0) -> None:
    """The walk ended at this block, which was no packet, and said so once, without a time."""
    assert got.damaged
    assert issues(got) == [(packet, "CONTAINER", kind, needed, had)]
    row = got["issues"][0]
    assert np.isnat(row["time"])
    assert (row["record_offset"], row["file"], row["connection"]) == (offset, file, -1)
    assert got.counters["packets"] == packet - 1
    assert column(got, "gre", "packet") == list(range(1, packet))


# ---- lengths of blocks


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", LEAST)
def test_impossible_length(engine, order, kind):
    """Too small, or no multiple of 4: the walk ends there, for it cannot know where the next block is."""
    least = LEAST[kind]
    for length in {0, 1, 4, 8, 11, 13, least - 4, least - 1, least + 1, least + 2, least + 3, 0xFFFFFFFF, 0x7FFFFFFE}:
        body = struct.pack(order + "IHH", 0x1A2B3C4D, 1, 0) + bytes(40)
        bad = struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)
        got = walk(started(order).packet(FRAME).raw(bad).packet(FRAME).octets, engine)
        ends(got, 2, 128, "CORRUPT_BLOCK", least, length)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", LEAST)
def test_length_above_the_cap(engine, order, kind):
    """The cap is looked at before the file's end, and no sum of lengths wraps."""
    for length in (CAP + 4, 0x7FFFFFFC, 0x80000000, 0xFFFFFFFC, 0xFFFFFFF0):
        bad = block(order, kind, struct.pack(order + "IHH", 0x1A2B3C4D, 1, 0) + bytes(40), length=length)
        got = walk(started(order).packet(FRAME).raw(bad).packet(FRAME).octets, engine)
        ends(got, 2, 128, "CORRUPT_BLOCK", CAP, length)


@pytest.mark.parametrize("order", ORDERS)
def test_length_above_what_is_left(engine, order):
    for kind, least in LEAST.items():
        body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + bytes(24)  # 40 octets
        for length in {64, CAP, max(least, 56)}:
            got = walk(started(order).packet(FRAME).raw(block(order, kind, body, length)).octets, engine)
            ends(got, 2, 128, "TRUNCATED_RECORD", length, 52)


def test_length_at_the_cap(engine):
    """A block of 64 octets, one of 16 MiB, and one of 4 octets more."""
    file = started().packet(FRAME[:32]).packet(FRAME)
    got = walk(file.octets, engine, limits=Limits(block_length=64))
    assert issues(got) == [(1, "IP", "HEADER_CUT", 20, 18), (2, "CONTAINER", "CORRUPT_BLOCK", 64, 80)]
    assert got.counters["packets"] == 1
    frame = FRAME.ljust(CAP - 32, b"\0")
    got = walk(started().packet(frame).packet(FRAME).octets, engine)
    assert column(got, "gre", "packet") == [1, 2]
    assert not got.damaged
    assert got.counters["captured_octets"] == CAP - 32 + 48
    got = walk(started().packet(frame + bytes(4)).packet(FRAME).octets, engine)
    ends(got, 1, 48, "CORRUPT_BLOCK", CAP, CAP + 4)


@pytest.mark.parametrize("order", ORDERS)
def test_the_two_lengths_differ(engine, order):
    for kind, least in LEAST.items():
        body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + bytes(24)
        for trailer in (0, 12, 48, 53, 0xFFFFFFFC, struct.unpack(">I", struct.pack("<I", 52))[0]):
            bad = block(order, kind, body, trailer=trailer)
            got = walk(started(order).packet(FRAME).raw(bad).packet(FRAME).octets, engine)
            ends(got, 2, 128, "CORRUPT_BLOCK", 52, trailer)
        assert least <= 52


def test_least_blocks_are_whole(engine):
    """Each kind with no octet but those it must have."""
    file = File().section().interface().add(NRB).add(0).simple(b"").packet(b"").old_packet(b"").add(0x0BAD)
    assert [len(one) for one in file.blocks] == [28, 20, 12, 12, 16, 32, 32, 12]
    got = walk(file.octets, engine)
    assert issues(got) == [(packet, "LINK", "FRAME_CUT", 14, 0) for packet in (1, 2, 3)]
    only(got, frames_cut=3)
    assert not got.damaged


def test_length_that_is_plausible_in_the_other_order(engine):
    for order in ORDERS:
        other = OTHER_ORDER[order]
        bad = struct.pack(order + "I", NRB) + struct.pack(other + "I", 12) + struct.pack(other + "I", 12)
        got = walk(started(order).packet(FRAME).raw(bad).octets, engine)
        ends(got, 2, 128, "CORRUPT_BLOCK", CAP, 0x0C000000)


def test_garbage_behind_the_last_block(engine):
    garbage = b"garbage, and no block at all"
    got = walk(started().packet(FRAME).raw(garbage).packet(FRAME).octets, engine)
    ends(got, 2, 128, "CORRUPT_BLOCK", 12, int.from_bytes(garbage[4:8], "little"))
    for size in range(1, 12):
        got = walk(started().packet(FRAME).raw(b"\0" * size).octets, engine)
        ends(got, 2, 128, "TRUNCATED_RECORD", 12, size)
    got = walk(started().packet(FRAME).raw(bytes(500)).octets, engine)
    ends(got, 2, 128, "CORRUPT_BLOCK", 12, 0)


# ---- section headers


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("magic", [0, 0x1A2B3C4E, 0x3C4D1A2B, 0xFFFFFFFF, 0x4D3C2B1B, 0x0A0D0D0A])
def test_no_byte_order_magic(engine, order, magic):
    """The number is told as it stands in the file, in neither order."""
    file = started(order).packet(FRAME)
    file.raw(struct.pack(">IIIHHqI", SHB, 0, magic, 1, 0, -1, 0)).packet(FRAME)
    ends(walk(file.octets, engine), 2, 128, "CORRUPT_BLOCK", 0x1A2B3C4D, magic)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("major", [0, 2, 0x0100, 0xFFFF])
def test_another_version(engine, order, major):
    file = started(order).packet(FRAME).section(OTHER_ORDER[order], major=major).interface().packet(FRAME)
    ends(walk(file.octets, engine), 2, 128, "CORRUPT_BLOCK", 1, major)


def test_order_of_what_is_wrong_with_a_section_header(engine):
    """Too short for the magic, magic, length, what is left, trailing length, version."""
    start = started().packet(FRAME).octets

    def last(header: bytes):
        return walk(start + header, engine)

    for size in (12, 13, 15):
        ends(last(struct.pack("<IIII", SHB, 3, 99, 0)[:size]), 2, 128, "TRUNCATED_RECORD", 16, size)
    ends(last(struct.pack("<IIII", SHB, 3, 99, 0)), 2, 128, "CORRUPT_BLOCK", 0x1A2B3C4D, 99 << 24)
    ends(last(struct.pack("<IIIHH", SHB, 24, 0x1A2B3C4D, 9, 9)), 2, 128, "CORRUPT_BLOCK", 28, 24)
    ends(last(struct.pack("<IIIHH", SHB, 28, 0x1A2B3C4D, 9, 9)), 2, 128, "TRUNCATED_RECORD", 28, 16)
    ends(last(struct.pack(">IIIHHqI", SHB, 28, 0x1A2B3C4D, 9, 9, 0, 24)), 2, 128, "CORRUPT_BLOCK", 28, 24)
    ends(last(struct.pack(">IIIHHqI", SHB, 28, 0x1A2B3C4D, 9, 9, 0, 28)), 2, 128, "CORRUPT_BLOCK", 1, 9)


def test_damaged_section_header_changes_nothing_of_what_is_known(engine):
    """Also not where the damage is at the very first block of a file."""
    ends(walk(File().section(major=7).octets, engine), 1, 0, "CORRUPT_BLOCK", 1, 7)
    ends(walk(File(">").section(trailer=24).octets, engine), 1, 0, "CORRUPT_BLOCK", 28, 24)
    ends(walk(File(">").section().octets[:20], engine), 1, 0, "TRUNCATED_RECORD", 28, 20)


# ---- cut at every octet


def every_block() -> File:
    file = started("<").packet(FRAME, 0, 1).interface(101, [tsresol(9)]).old_packet(FRAME, 0, 2).simple(FRAME)
    file.add(NRB, bytes(20)).section(">", options=[(1, b"again")]).interface().packet(FRAME, 0, 3).add(ISB)
    return file.packet(FRAME, 0, 4).section("<")


def test_cut_at_every_octet(engine):
    """Whole blocks count, the cut one is told with what it needs; windows see the same."""
    file = every_block()
    data = file.octets
    bounds = [file.offset(number) for number in range(len(file.blocks))] + [len(data)]
    packets = [number for number, one in enumerate(file.blocks) if one[:4].strip(b"\0") in (b"\2", b"\3", b"\6")]
    assert len(packets) == 5
    for size in range(12, len(data) + 1):
        got = walk(data[:size], engine)
        number = max(n for n, bound in enumerate(bounds) if bound <= size)
        left = size - bounds[number]
        walked = sum(packet < number for packet in packets)
        if left == 0:
            assert not got.damaged
            assert issues(got) == []
            assert column(got, "gre", "packet") == list(range(1, walked + 1))
            continue
        one = file.blocks[number]
        needed = 12 if left < 12 else 16 if one[0] == 0x0A and left < 16 else len(one)
        ends(got, walked + 1, bounds[number], "TRUNCATED_RECORD", needed, left)
        if size % 7 == 0:
            same(walk(data[:size], engine, window=50, records=2), got, f"cut at {size}")


def test_damage_in_the_first_of_two_files(engine):
    first = started().packet(FRAME).packet(FRAME).octets[:-1]
    second = started(">").packet(FRAME, 0, 7).octets
    got = walk([first, second], engine)
    assert column(got, "gre", "packet") == [1, 2]
    assert column(got, "gre", "file") == [0, 1]
    assert issues(got) == [(2, "CONTAINER", "TRUNCATED_RECORD", 80, 79)]
    assert got.damaged


def test_damage_ends_connections_like_the_end_of_a_capture(engine):
    talk = Conversation().handshake().client(0, echo(1) + echo(2)[:14])
    got = walk(started().packets(*talk.frames()).add(NRB, bytes(8)).octets[:-1], engine)
    assert identifiers(got) == [1, 0]
    assert statuses(got) == [set(), {"CUT"}]
    assert sorted(issues(got)) == [
        (4, "CONTROL", "MESSAGE_CUT", 16, 14),
        (5, "CONTAINER", "TRUNCATED_RECORD", 20, 19),
    ]


# ---- captured length above the block


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "captured", [49, 51, 52, 80, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFF]
)
def test_captured_length_above_the_block(engine, order, captured):
    """The blocks go on; of this packet nothing is read, neither from its own block nor from the next."""
    file = started(order).packet(FRAME, 0, 1, captured=captured).old_packet(FRAME, 0, 2, captured=captured)
    got = walk(file.packet(FRAME, 0, 3).octets, engine)
    assert issues(got) == [(packet, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", captured, 48) for packet in (1, 2)]
    assert column(got, "issues", "time") == [1000, 2000]
    assert column(got, "issues", "record_offset") == [48, 128]
    assert column(got, "gre", "packet") == [3]
    only(got, frames_cut=2, gre_packets=1)
    counted = [got.counters[name] for name in ("packets", "captured_octets", "original_octets")]
    assert counted == [3, 48, 2 * captured + 48]
    assert (got.earliest, got.latest) == (1000, 3000)
    assert not got.damaged


def test_captured_length_to_the_end_of_the_block(engine):
    """Room is what lies before the trailing length: padding and options are no reason to doubt the length."""
    got = walk(
        started().packet(FRAME + b"op", captured=52).packet(FRAME, captured=56, options=[(1, b"")]).octets, engine
    )
    assert column(got, "gre", "available") == [2, 2]
    assert issues(got) == []
    assert got.counters["captured_octets"] == 52 + 56
    got = walk(started().packet(FRAME, captured=57, options=[(1, b"")]).packet(b"", captured=1).octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", 57, 56),
        (2, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", 1, 0),
    ]


def test_captured_length_above_the_block_and_the_original(engine):
    """Both are told, in the order that holds for every packet."""
    got = walk(started().packet(FRAME, 0, 1, captured=0xFFFFFFFF, original=40).octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 40, 0xFFFFFFFF),
        (1, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", 0xFFFFFFFF, 48),
    ]
    assert [got.counters[name] for name in ("captured_octets", "original_octets")] == [0, 40]
    only(got, frames_cut=1)


def test_captured_length_above_the_block_of_an_unknown_interface(engine):
    """The first of the two is told; there is no time all the same."""
    file = started().packet(FRAME, 1, 1, captured=49).old_packet(FRAME, 9, 1, captured=500)
    got = walk(file.octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", 49, 48),
        (2, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", 500, 48),
    ]
    assert np.isnat(got["issues"]["time"]).all()
    only(got, frames_cut=2)
    assert got.counters["captured_octets"] == 0
    assert (got.earliest, got.latest) == (None, None)


def test_captured_length_above_the_block_of_an_unsupported_link(engine):
    """The frame is done before its link is asked for."""
    file = started(link=147).packet(FRAME, captured=49, ticks=2**63).packet(FRAME)
    got = walk(file.octets, engine)
    assert issues(got) == [
        (1, "CONTAINER", "TIME_RANGE", 0, 2**63 // 10**6),
        (1, "CONTAINER", "CAPTURED_EXCEEDS_BLOCK", 49, 48),
        (2, "LINK", "UNSUPPORTED_LINK", 0, 147),
    ]
    only(got, frames_cut=1, unsupported_link=1)


# ---- caps


def test_interfaces_above_the_cap(engine):
    """They are ignored, options and all, and their packets belong to nobody; a new section begins anew."""
    file = started().interface(101).interface(1, [tsresol(99)]).interface(1).packet(FRAME, 2, 1)
    file.packet(ipv4(gre(b"\x00\x57", sequence=1), 47), 1, 1).section(">").interface().interface().interface()
    file.packet(FRAME, 1, 1)
    got = walk(file.octets, engine, limits=Limits(interfaces=2))
    assert issues(got) == [
        (1, "CONTAINER", "INTERFACE_LIMIT", 2, 3),
        (1, "CONTAINER", "INTERFACE_LIMIT", 2, 3),
        (1, "CONTAINER", "UNKNOWN_INTERFACE", 2, 2),
        (3, "CONTAINER", "INTERFACE_LIMIT", 2, 3),
    ]
    assert column(got, "issues", "record_offset") == [68, 100, 120, 120 + 80 + 68 + 28 + 40]
    assert np.isnat(got["issues"]["time"]).all()
    assert column(got, "gre", "packet") == [2, 3]
    assert not got.damaged
    assert got.containers[0].interfaces == (Interface(1, 0),) * 2


def test_a_hundred_thousand_interfaces(engine):
    """65,536 of a section are known. What is known of them is taken over from each of 100 ranges to the next."""
    description = File().interface().octets
    file = File().section().raw(description * 100_000)
    for _ in range(50):
        file.packet(FRAME, 65_535, 1).packet(FRAME, 65_536, 1)
    got = walk(file.octets, engine, records=1)
    limit = got["issues"][got["issues"]["kind"] == 13]
    assert len(limit) == 34_464
    assert (limit["needed"] == 65_536).all()
    assert (limit["had"] == 65_537).all()
    assert limit["record_offset"].tolist() == list(range(28 + 65_536 * 20, 28 + 100_000 * 20, 20))
    assert faults(got)[34_464:] == [
        (packet, "CONTAINER", "UNKNOWN_INTERFACE", 65_536, 65_536) for packet in range(2, 101, 2)
    ]
    only(got, gre_packets=50, unsupported_link=50)
    assert len(got.containers[0].interfaces) == 65_536


def test_fifty_thousand_sections(engine):
    """With an interface each: what a section knew is gone when it ends."""
    file = File().raw(File().section().interface().octets * 50_000).packet(FRAME, 0, 1).packet(FRAME, 1, 1)
    got = walk(file.octets, engine)
    assert column(got, "gre", "packet") == [1]
    assert issues(got) == [(2, "CONTAINER", "UNKNOWN_INTERFACE", 1, 1)]
    assert len(got.containers[0].interfaces) == 1

"""Times of a pcapng file to the nanosecond, whatever an interface says of its clock; and the options that say it.

Where a number is not typed it is reckoned in Python's integers by the specification's formula: ticks since 1970, divided
by ticks a second, plus the offset in seconds.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from builder import Conversation, echo, gre, gre_frame
from costs import is_linear
from helpers import column, faults, issues, only, same, statuses
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import IF_NAME, IF_TSOFFSET, IF_TSRESOL, File, option, started, tsoffset, tsresol
from walks import twins, walk

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))
LEAST, GREATEST = -(2**63) + 1, 2**63 - 1
NS = 10**9


def times(got) -> list[int | None]:
    """Nanoseconds of each GRE row, None for NaT."""
    return [None if np.isnat(one) else int(one.astype("i8")) for one in got["gre"]["time"]]


def expected(ticks: int, a_second: int, offset: int = 0) -> int | None:
    found = ticks * NS // a_second + offset * NS
    return found if LEAST <= found <= GREATEST else None


def one(engine: str, options, ticks: int = 0, order: str = "<"):
    """One packet of an interface with these options."""
    return walk(started(order, options=options).packet(FRAME, 0, ticks).octets, engine)


# ---- resolution


@pytest.mark.parametrize(
    ("resolution", "ticks", "nanoseconds"),
    [
        (0, 1_600_000_000, 1_600_000_000_000_000_000),
        (0, 9_223_372_036, 9_223_372_036_000_000_000),
        (1, 16_000_000_001, 1_600_000_000_100_000_000),
        (3, 1_600_000_000_999, 1_600_000_000_999_000_000),
        (6, 1_600_000_000_000_001, 1_600_000_000_000_001_000),
        (9, 1_600_000_000_123_456_789, 1_600_000_000_123_456_789),
        (9, 2**63 - 1, 9_223_372_036_854_775_807),
        (10, 19, 1),
        (12, 1_999, 1),
        (12, 2**64 - 1, 18_446_744_073_709_551),
        (19, 9_999_999_999, 0),
        (19, 12_345_678_901_234_567_890, 1_234_567_890),
        (19, 2**64 - 1, 1_844_674_407),
        (0x80, 7, 7_000_000_000),
        (0x81, 3, 1_500_000_000),
        (0x80 | 10, 1_025, 1_000_976_562),
        (0x80 | 20, 5_242_881, 5_000_000_953),
        (0x80 | 32, 2**63, 2**31 * NS),
        (0x80 | 32, 2**32 - 1, 999_999_999),
        (0x80 | 63, 2**63, 1_000_000_000),
        (0x80 | 63, 2**63 - 1, 999_999_999),
        (0x80 | 63, 2**64 - 1, 1_999_999_999),
        (0x80 | 63, 9_223_372_036, 0),
        (0x80 | 63, 9_223_372_037, 1),
    ],
)
def test_resolution(engine, resolution, ticks, nanoseconds):
    got = one(engine, [tsresol(resolution)], ticks)
    assert times(got) == [nanoseconds]
    assert issues(got) == []
    assert (got.earliest, got.latest) == (nanoseconds, nanoseconds)


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_resolution(engine, order):
    """10^0 to 10^19 and 2^0 to 2^63, at the ends of what 64 bits hold and around each whole second."""
    clocks = [(power, 10**power) for power in range(20)] + [(0x80 | power, 2**power) for power in range(64)]
    file = File(order).section()
    wanted, told = [], []
    for number, (code, a_second) in enumerate(clocks):
        file.interface(options=[tsresol(code)])
        for ticks in (0, 1, a_second - 1, a_second, a_second + 1, 7 * a_second // 3, 10**18 + 7, 2**63, 2**64 - 1):
            if ticks < 2**64:
                file.packet(FRAME, number, ticks)
                wanted.append(expected(ticks, a_second))
                if wanted[-1] is None:
                    told.append((len(wanted), "CONTAINER", "TIME_RANGE", 0, ticks // a_second))
    got = walk(file.octets, engine)
    assert times(got) == wanted
    assert faults(got) == told
    assert {found for found in wanted if found is not None} > {0, 1, 999_999_999, NS}
    assert len(told) > 20
    only(got, gre_packets=len(wanted))


@given(
    code=st.one_of(st.integers(0, 19), st.integers(0x80, 0x80 | 63)),
    offset=st.one_of(st.integers(-5, 5), st.integers(-(2**34), 2**34), st.integers(-(2**63), 2**63 - 1)),
    ticks=st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 10**6)), min_size=1, max_size=5),
    order=st.sampled_from("<>"),
)
def test_any_clock(code, offset, ticks, order):
    a_second = 2 ** (code & 127) if code & 0x80 else 10**code
    file = started(order, options=[tsresol(code), tsoffset(order, offset)])
    for number in ticks:
        file.packet(FRAME, 0, number).old_packet(FRAME, 0, number)
    wanted = [expected(number, a_second, offset) for number in ticks for _ in range(2)]
    got = twins(file.octets)
    assert times(got) == wanted
    assert faults(got) == [
        (packet, "CONTAINER", "TIME_RANGE", 0, ticks[(packet - 1) // 2] // a_second)
        for packet, found in enumerate(wanted, 1)
        if found is None
    ]
    known = [(packet, found) for packet, found in enumerate(wanted, 1) if found is not None]
    assert [issue for issue in issues(got) if issue[2] == "CLOCK_BACK"] == [
        (packet, "CONTAINER", "CLOCK_BACK", 0, before - found)
        for (_, before), (packet, found) in pairwise(known)
        if before - found >= NS
    ]
    found_times = [found for _, found in known]
    assert (got.earliest, got.latest) == ((min(found_times), max(found_times)) if known else (None, None))


@pytest.mark.parametrize(
    ("code", "told"), [(20, (19, 20)), (127, (19, 127)), (0x80 | 64, (63, 64)), (0xFF, (63, 127)), (63, (19, 63))]
)
def test_resolution_that_is_none(engine, code, told):
    """Times of the interface are not known; nothing is said of each packet."""
    file = File().section().interface().interface(options=[tsresol(code), tsoffset("<", 5)]).packet(FRAME, 0, 1)
    got = walk(file.packet(FRAME, 1, 1).packet(FRAME, 1, 2**64 - 1).packet(FRAME, 0, 2).octets, engine)
    assert times(got) == [1000, None, None, 2000]
    assert issues(got) == [(1, "CONTAINER", "BAD_OPTION", *told)]
    assert column(got, "issues", "record_offset") == [48]
    assert np.isnat(got["issues"]["time"][0])
    # One packet, four times.
    assert statuses(got, "gre") == [set()] + [{"DUPLICATED"}] * 3
    assert (got.earliest, got.latest) == (1000, 2000)
    assert not got.damaged


# ---- offset


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("offset", "resolution", "ticks", "nanoseconds"),
    [
        (-1, 6, 0, -1_000_000_000),
        (-2, 6, 1_500_000, -500_000_000),
        (-1_600_000_000, 6, 1_600_000_000_000_001, 1000),
        (1_600_000_000, 0, 1, 1_600_000_001_000_000_000),
        (-1, 12, 1, -1_000_000_000),
        (-1, 12, 1_999, -999_999_999),
        (9_223_372_036, 9, 854_775_807, 9_223_372_036_854_775_807),
        (-9_223_372_037, 9, 145_224_193, -9_223_372_036_854_775_807),
        (-9_223_372_036, 9, 0, -9_223_372_036_000_000_000),
        # what does not fit on the way fits at the end
        (-(2**63), 0, 2**63, 0),
        (-(2**63), 0, 2**63 + 5, 5_000_000_000),
        (-(2**63), 0x80, 2**63 - 9, -9_000_000_000),
        (-(10**19 // 2), 1, 5 * 10**18, None),
        (-(18_446_744_073), 9, 2**64 - 1, 709_551_615),
        (-(18_446_744_073_709), 6, 2**64 - 1, 551_615_000),
    ],
)
def test_offset(engine, order, offset, resolution, ticks, nanoseconds):
    got = one(engine, [tsresol(resolution), tsoffset(order, offset)], ticks, order)
    assert times(got) == [nanoseconds]
    assert bool(issues(got)) == (nanoseconds is None)


@pytest.mark.parametrize(
    ("offset", "resolution", "ticks", "seconds"),
    [
        (9_223_372_036, 9, 854_775_808, 0),
        (9_223_372_037, 9, 0, 0),
        # the least number of 64 bits is NaT itself
        (-9_223_372_037, 9, 145_224_192, 0),
        (-9_223_372_037, 9, 145_224_191, 0),
        (2**63 - 1, 6, 3_999_999, 3),
        (-(2**63), 6, 0, 0),
        (0, 9, 2**63, 9_223_372_036),
        (0, 9, 2**64 - 1, 18_446_744_073),
        (0, 0, 9_223_372_037, 9_223_372_037),
        (0, 0, 2**64 - 1, 2**64 - 1),
        (-(2**63), 0, 2**64 - 1, 2**64 - 1),
        # these would be near 1970 again if the sum were cut to 64 bits
        (0, 0, 2**55, 2**55),
        (2**55, 0, 0, 0),
        (-(2**55), 0x80 | 63, 0, 0),
        (2**62, 0, 2**62, 2**62),
    ],
)
def test_time_out_of_range(engine, offset, resolution, ticks, seconds):
    file = started(options=[tsresol(resolution), tsoffset("<", offset)]).packet(FRAME, 0, ticks)
    got = walk(file.old_packet(FRAME, 0, ticks).octets, engine)
    assert times(got) == [None, None]
    assert issues(got) == [(packet, "CONTAINER", "TIME_RANGE", 0, seconds) for packet in (1, 2)]
    assert np.isnat(got["issues"]["time"]).all()
    assert column(got, "issues", "record_offset") == [72, 152]
    assert statuses(got, "gre") == [set(), {"DUPLICATED"}]
    assert (got.earliest, got.latest) == (None, None)
    assert not got.damaged


def test_times_out_of_range_in_a_connection(engine):
    """Messages and ends have no time where their packet has none."""
    talk = Conversation().handshake().client(0, echo(1)).client(16, flags="FA")
    file = started(options=[tsresol(0)])
    for ticks, packet in zip([1, 2, 3, 2**40, 5], talk.frames(), strict=True):
        file.packet(packet, 0, ticks)
    got = walk(file.octets, engine)
    assert np.isnat(got["messages"]["time"]).tolist() == [True]
    assert [column(got, "connections", name) for name in ("first_time", "last_time")] == [[NS], [5 * NS]]
    assert (got.earliest, got.latest) == (NS, 5 * NS)


# ---- options


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("length", [0, 2, 3, 4, 8, 100])
def test_resolution_of_another_length(engine, order, length):
    """It is ignored: microseconds, or what another option said."""
    wrong = (IF_TSRESOL, b"\x09" * length)
    told = [(1, "CONTAINER", "BAD_OPTION", 1, length)]
    for options, nanoseconds in (
        ([wrong], 1_001_000),
        ([tsresol(9), wrong], 1001),
        ([wrong, tsresol(3)], 1_001_000_000),
    ):
        got = one(engine, options, 1001, order)
        assert times(got) == [nanoseconds]
        assert issues(got) == told
        assert column(got, "issues", "record_offset") == [28]
        assert not got.damaged


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("length", [0, 1, 4, 7, 9, 16])
def test_offset_of_another_length(engine, order, length):
    wrong = (IF_TSOFFSET, b"\x01" * length)
    for options, nanoseconds in (([wrong], 7000), ([tsoffset(order, -1), wrong], -999_993_000)):
        got = one(engine, options, 7, order)
        assert times(got) == [nanoseconds]
        assert issues(got) == [(1, "CONTAINER", "BAD_OPTION", 8, length)]


def test_the_last_of_several_options_counts(engine):
    assert times(one(engine, [tsresol(9), tsresol(3)], 5)) == [5_000_000]
    assert times(one(engine, [tsoffset("<", 9), tsoffset("<", -1), tsresol(0)], 5)) == [4 * NS]
    # a resolution that is none, then one that is, and the other way round
    got = one(engine, [tsresol(20), tsresol(9)], 5)
    assert times(got) == [5]
    assert issues(got) == [(1, "CONTAINER", "BAD_OPTION", 19, 20)]
    got = one(engine, [tsresol(9), tsresol(0xFF)], 5)
    assert times(got) == [None]
    assert issues(got) == [(1, "CONTAINER", "BAD_OPTION", 63, 127)]


def test_every_bad_option_is_told_in_order(engine):
    wrong = [
        (IF_TSOFFSET, b"1"),
        tsresol(99),
        (IF_TSRESOL, b"12"),
        (IF_TSOFFSET, bytes(12)),
        option("<", 5, b"", length=9),
    ]
    got = walk(started().packet(FRAME).interface(options=wrong, end=False).octets, engine)
    assert issues(got) == [
        (2, "CONTAINER", "BAD_OPTION", *numbers) for numbers in ((8, 1), (19, 99), (1, 2), (8, 12), (9, 0))
    ]
    assert column(got, "issues", "record_offset") == [128] * 5
    assert got.counters["packets"] == 1


@pytest.mark.parametrize("length", range(10))
def test_other_options_are_stepped_over_with_their_padding(engine, length):
    got = one(engine, [(IF_NAME, b"\x09\0\x01\0\x09\0\x01\0\x09"[:length]), (0x8009, b"\0"), tsresol(9)], 5)
    assert times(got) == [5]
    assert issues(got) == []


def test_end_of_options(engine):
    """Behind code 0 nothing is an option, whatever its length; and no end is needed."""
    rest = option("<", 9, b"\x09") + option("<", 9, b"", length=0xFFFF)
    for end in (option("<", 0), option("<", 0, b"", length=4), option("<", 0, b"", length=0xFFFF)):
        got = walk(started(options=[tsresol(3), end, rest], end=False).packet(FRAME, 0, 5).octets, engine)
        assert times(got) == [5_000_000]
        assert issues(got) == []
    got = walk(started(options=[tsoffset("<", 1), tsresol(9)], end=False).packet(FRAME, 0, 5).octets, engine)
    assert times(got) == [1_000_000_005]
    assert issues(got) == []


@pytest.mark.parametrize(
    ("code", "length", "there"), [(9, 1, 0), (14, 8, 4), (9, 5, 4), (2, 9, 8), (9, 0xFFFF, 8), (14, 8, 0)]
)
def test_option_that_reaches_behind_the_block(engine, code, length, there):
    """What came before it counts, nothing of it does; its length is not judged a second time."""
    over = option("<", code, b"\x09" * there, length=length)
    file = started(options=[tsresol(9), over], end=False).packet(FRAME, 0, 5)
    got = walk(file.octets, engine)
    assert times(got) == [5]
    assert issues(got) == [(1, "CONTAINER", "BAD_OPTION", length, there)]
    assert not got.damaged


def test_value_that_ends_with_the_block(engine):
    """Its padding is in the block too, so that no option can end but at a multiple of 4."""
    for length in range(1, 9):
        over = option("<", 2, bytes(length))
        got = walk(started(options=[over], end=False).packet(FRAME, 0, 5).octets, engine)
        assert issues(got) == []
        got = walk(started(options=[option("<", 2, bytes(8), length=8 + length)], end=False).octets, engine)
        assert issues(got) == [(1, "CONTAINER", "BAD_OPTION", 8 + length, 8)]


@pytest.mark.parametrize("what", [(IF_NAME, b""), (IF_TSRESOL, b"\x06")])
def test_two_hundred_thousand_options(engine, what):
    """One after the other: no step that costs more than the last, and the last one counts."""

    def walked(count):
        return walk(started(options=[option("<", *what) * count, tsresol(9)]).packet(FRAME, 0, 5).octets, engine)

    got = walked(200_000)
    assert times(got) == [5]
    assert issues(got) == []
    assert is_linear(walked, 20_000)


def test_many_bad_options(engine):
    """An issue each."""
    count = 200_000 if engine == "compiled" else 20_000
    file = started(options=[option("<", IF_TSRESOL, b"") * count, tsresol(9)]).packet(FRAME, 0, 5)
    got = walk(file.octets, engine)
    assert times(got) == [5]
    assert len(got["issues"]) == count
    for name, value in (("packet", 1), ("needed", 1), ("had", 0), ("record_offset", 28)):
        assert (got["issues"][name] == value).all()


def test_options_of_an_interface_go_from_range_to_range(engine):
    file = started(options=[tsresol(0x80 | 63), tsoffset("<", -(2**62))]).packet(FRAME, 0, 2**63).packet(FRAME, 0, 1)
    whole = walk(file.octets, engine)
    same(walk(file.octets, engine, records=1), whole)
    same(walk(file.octets, engine, window=16), whole)

"""Zeros where a record is due (decoding 1.9): how many are a record, how many are none, and what is said of them."""

from __future__ import annotations

import gzip
import io
import struct

import numpy as np
import pytest
from builder import RAW, gre, gre_frame, pcap, pcap_header
from commands import call
from costs import is_linear
from helpers import column, decode, faults, issues, same
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import twins, walk

import pptpcap

FRAMES = [gre_frame(gre(b"\x00\x21" + bytes([number]) * number, sequence=number)) for number in range(1, 9)]
WHOLE = pcap(FRAMES)
RUN = 1024


def zeros(packet: int, start: int, count: int) -> tuple[int, str, str, int, int]:
    return packet, "CONTAINER", "ZEROS", start + count, count


@pytest.mark.parametrize("count", [16, 17, 31, 32, 1023, 1024, 1025, 4096, 1 << 20])
def test_zeros_to_the_end_are_no_records(engine, count):
    got = decode(WHOLE + bytes(count), engine)
    assert issues(got) == [zeros(9, len(WHOLE), count)]
    assert got.counters["packets"] == 8
    assert got.damaged
    assert np.isnat(got["issues"]["time"][0])
    assert column(got, "issues", "record_offset") == [len(WHOLE)]


@pytest.mark.parametrize("count", range(1, 16))
def test_fewer_than_a_header_are_a_record_that_is_cut(engine, count):
    assert issues(decode(WHOLE + bytes(count), engine)) == [(9, "CONTAINER", "TRUNCATED_RECORD", 16, count)]


def test_nothing_but_zeros(engine):
    got = decode(pcap_header() + bytes(48), engine)
    assert issues(got) == [zeros(1, 24, 48)]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("fine", [False, True])
def test_any_header(engine, order, fine):
    assert issues(decode(pcap(FRAMES, order=order, nanoseconds=fine) + bytes(99), engine)) == [zeros(9, len(WHOLE), 99)]


def test_kuznetzov(engine):
    """Of 16 zeros and 8 that are none, the record has no octets; of 24 zeros, there is none."""
    header = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, RAW)
    got = decode(header + bytes(16) + b"\1" * 8 + bytes(24), engine)
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 1, 0), zeros(2, 48, 24)] or faults(got)[-1] == zeros(2, 48, 24)
    assert issues(decode(header + bytes(23), engine)) == [(1, "CONTAINER", "TRUNCATED_RECORD", 24, 23)]


@pytest.mark.parametrize("records", [1, 2, RUN // 16 - 1])
def test_a_shorter_run_is_made_of_records(engine, records):
    """The octet behind the run is one more that is not zero."""
    got = decode(WHOLE + bytes(16 * records) + WHOLE[24:], engine)
    assert got.counters["packets"] == 16 + records
    assert column(got, "gre", "packet") == [*range(1, 9), *range(9 + records, 17 + records)]
    assert not got.damaged


@pytest.mark.parametrize("count", [RUN, RUN + 1, 5000])
def test_a_run_in_the_middle_ends_the_walk(engine, count):
    data = WHOLE + bytes(count) + b"\1" + bytes(40)
    got = decode(data, engine)
    assert issues(got) == [zeros(9, len(WHOLE), count)]
    assert got.damaged
    (file,) = pptpcap.read(data, engine=engine).summary.files
    assert (file.packets, file.damaged) == (8, True)


@pytest.mark.parametrize("count", [RUN, RUN + 1, 5000])
def test_salvage_continues_behind_the_run(engine, count):
    got = decode(WHOLE + bytes(count) + WHOLE[24:], engine, on_corrupt="salvage")
    start = len(WHOLE)
    # The seconds of the next record begin with a zero.
    assert WHOLE[24] == 0 != WHOLE[25]
    assert faults(got) == [
        zeros(9, start, count + 1),
        (9, "CONTAINER", "SKIPPED_OCTETS", start + count, count),
    ]
    assert column(got, "gre", "packet") == [*range(1, 17)]


def test_salvage_of_zeros_to_the_end_has_nothing_to_search(engine):
    got = decode(WHOLE + bytes(3000), engine, on_corrupt="salvage")
    assert issues(got) == [zeros(9, len(WHOLE), 3000)]


def test_zeros_between_two_captures(engine):
    """A file header behind zeros is found by salvage alone."""
    data = WHOLE + bytes(2000) + WHOLE
    assert len(decode(data, engine)["gre"]) == 8
    assert len(decode(data, engine, on_corrupt="salvage")["gre"]) == 16


@pytest.mark.parametrize("compress", [lambda octets: octets, gzip.compress])
def test_pipes_and_compressed_files(engine, compress):
    data = WHOLE + bytes(9 << 20)
    for source in (compress(data), io.BytesIO(compress(data))):
        capture = pptpcap.read(source, engine=engine)
        assert issues(capture) == [zeros(9, len(WHOLE), 9 << 20)]
        assert capture.summary.packets == 8


def test_compressed_data_that_are_cut_in_the_zeros(engine):
    data = gzip.compress(WHOLE) + gzip.compress(bytes(500)) + gzip.compress(b"more")[:5]
    end = len(WHOLE) + 500
    assert issues(pptpcap.read(data, engine=engine)) == [
        zeros(9, len(WHOLE), 500),
        (9, "CONTAINER", "CORRUPT_COMPRESSION", end, 0),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("salvage", [False, True])
@pytest.mark.parametrize("behind", [b"", b"\1" * 70, WHOLE[24:], WHOLE])
@pytest.mark.parametrize("count", [40, RUN - 16, RUN, RUN + 5])
def test_law_of_the_split(salvage, behind, count):
    data = WHOLE + bytes(count) + behind
    whole = twins(data, salvage=salvage)
    start = len(WHOLE)
    for stop in (start - 1, start, start + 1, start + 15, start + 16, start + 17, start + count - 1, start + count):
        found = twins(data, stops=(stop,), salvage=salvage)
        same(found, whole, f"ends at {stop}")
        assert found.containers == whole.containers
    for window in (1, 16, 17, 100, 1023, 1024, 1025, len(data) - 1):
        same(twins(data, window=window, salvage=salvage), whole, f"windows of {window}")
    same(twins(data, stops=range(25, len(data), 7), salvage=salvage), whole, "ranges of 7 octets")
    same(twins(data, records=1, salvage=salvage), whole, "record by record")


@pytest.mark.slow
@settings(max_examples=30)
@given(
    counts=st.lists(st.sampled_from([0, 1, 15, 16, 40, RUN - 1, RUN, RUN + 1, 3000]), min_size=1, max_size=4),
    window=st.integers(1, 3000),
    salvage=st.booleans(),
)
def test_any_zeros_anywhere(counts, window, salvage):
    data = WHOLE + b"".join(bytes(count) + WHOLE[24:] for count in counts)
    whole = twins(data, salvage=salvage)
    same(twins(data, window=window, salvage=salvage), whole, "windows")
    same(walk(data, "compiled", stops=range(30, len(data), window), salvage=salvage), whole, "ranges")


def test_time_is_linear():
    """Runs that are just too short, so that each of their records is looked at."""
    unit = bytes(RUN - 16) + struct.pack("<IIII", 1, 0, 0, 0)
    assert is_linear(lambda count: decode(pcap_header() + unit * count, "compiled"), 300)
    assert is_linear(lambda count: decode(pcap_header() + bytes(16 * count), "compiled", on_corrupt="salvage"), 50_000)


def test_the_commands_tell(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(WHOLE + bytes(4096))
    code, out, err = call("info", path)
    end = len(WHOLE) + 4096
    place = f"packet 9, offset {len(WHOLE)}: 4096 octets up to offset {end} are zeros, not records"
    assert (code, err) == (3, f"pptpcap: {path}: damaged: {place}\n")
    assert "CONTAINER ZEROS" in out

"""Ranges scanned at once: the rows are those of one thread, whatever is guessed."""

from __future__ import annotations

import importlib
import io
import random
import struct
from pathlib import Path

import pytest
from builder import echo, gre, gre_frame, pcap, stream
from captures import WALKED, lab
from helpers import BUNDLED, MODULES, container_of, of_capture, same
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import started
from walks import beginning

import pptpcap
from pptpcap._reading import batches, prescan
from pptpcap.schema import TABLE_NAMES
from pptpcap.wire.limits import DEFAULT

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))


class Taken:
    """How many scans came from threads, and how many were asked for."""

    def __init__(self) -> None:
        self.hits = self.asked = self.dropped = 0


@pytest.fixture
def taken(monkeypatch) -> Taken:
    found = Taken()
    take, discard = prescan.Ahead.take, prescan.Ahead.discard

    def counted(self, wanted):
        scan = take(self, wanted)
        found.asked += 1
        found.hits += scan is not None
        return scan

    def dropped(self):
        found.dropped += len(self._begun)
        discard(self)

    monkeypatch.setattr(prescan.Ahead, "take", counted)
    monkeypatch.setattr(prescan.Ahead, "discard", dropped)
    return found


@pytest.fixture
def ranges(monkeypatch):
    """Sets how long ranges are."""

    def chosen(octets: int) -> None:
        monkeypatch.setattr(batches, "_RANGE", octets)
        monkeypatch.setattr(batches, "_LEAST_RANGE", octets)
        monkeypatch.setattr(batches, "_LARGE_RANGE", octets)

    return chosen


def rows(data, threads, **more):
    return of_capture(pptpcap.read(data, threads=threads, **more))


def nested(packets: int, seed: int = 1) -> bytes:
    """Packets of other traffic, each full of records that would follow each other if one looked there."""
    rng = random.Random(seed)
    inner = pcap([FRAME] * 6)[24:]
    talk = stream(*[echo(number) for number in range(1, 40)])
    frames, at = [], 24
    while at < len(talk):
        length = struct.unpack_from("<I", talk, at + 8)[0]
        frames.append(talk[at + 16 : at + 16 + length])
        at += 16 + length
    several = []
    for _ in range(packets):
        if frames and rng.random() < 0.3:
            several.append(frames.pop(0))
        several.append(bytes(rng.randrange(14, 60)) + inner * rng.randrange(1, 5) + bytes(rng.randrange(9)))
    return pcap(several)


# ---- the law of the split


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_threads_and_ranges_change_no_row(name, ranges):
    path = lab(name)
    data = path.read_bytes()
    whole = rows(data, 1)
    for octets in (200, 1_500, 64 << 10, 1 << 20, len(data)):
        ranges(max(octets, len(data) // 200))
        for threads in (2, 3, 7):
            same(rows(path, threads), whole, f"{threads} threads, {octets} octets")


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.name)
def test_threads_change_no_row_of_the_reference(path, ranges):
    ranges(1_500)
    same(rows(path, 3, engine="reference"), rows(path, 1), path.name)


@pytest.mark.parametrize("octets", [64 << 10, 1 << 20])
def test_guesses_are_right_in_an_ordinary_capture(ranges, taken, octets):
    """Or threads would do nothing."""
    ranges(octets)
    data = Path(BUNDLED[0]).parent.joinpath("mss88.pcap").read_bytes()
    data += data[24:] * 400
    whole = rows(data, 1)
    taken.hits = taken.asked = 0
    same(rows(data, 2), whole)
    assert taken.asked >= len(data) // octets
    # What no thread has come to is scanned by the caller.
    assert taken.hits
    assert taken.dropped == 0


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("octets", [700, 2_000, 64 << 10, 1 << 20])
def test_captures_inside_packets_make_no_row(engine, ranges, taken, threads, octets):
    data = nested(900 if engine == "compiled" else 120)
    whole = rows(data, 1)
    assert len(whole["gre"]) == 0
    ranges(octets)
    same(rows(data, threads, engine=engine), whole, f"{threads} threads, {octets} octets")
    if octets < 64 << 10:
        assert taken.dropped, "no guess was wrong"


@given(st.data())
def test_any_cut_of_any_file(draw):
    """Also of files that are damaged, with and without salvage, of both formats."""
    kind = draw.draw(st.sampled_from(["nested", "pcapng", "bundled"]))
    if kind == "nested":
        data = nested(30, draw.draw(st.integers(0, 50)))
    elif kind == "pcapng":
        file = started(draw.draw(st.sampled_from("<>")))
        for number in range(draw.draw(st.integers(1, 60))):
            if number % 7 == 3:
                file.interface(draw.draw(st.sampled_from([1, 101, 147])))
            if number == 41:
                file.section(draw.draw(st.sampled_from("<>"))).interface()
            file.packet(FRAME, draw.draw(st.integers(0, 5)), number)
        data = file.octets
    else:
        data = draw.draw(st.sampled_from(BUNDLED)).read_bytes()
    if draw.draw(st.booleans()):
        at = draw.draw(st.integers(24, len(data) - 1))
        data = data[:at] + draw.draw(st.binary(max_size=20)) + data[at + draw.draw(st.integers(0, 20)) :]
    how = draw.draw(st.sampled_from(["stop", "salvage"]))
    octets = draw.draw(st.integers(60, 5_000))
    threads = draw.draw(st.integers(2, 7))
    source = data if draw.draw(st.booleans()) else io.BytesIO(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_RANGE", octets)
        patch.setattr(batches, "_LEAST_RANGE", octets)
        patch.setattr(batches, "_LARGE_RANGE", octets)
        found = rows(source, threads, on_corrupt=how)
    same(found, rows(data, 1, on_corrupt=how), f"{kind}, {threads} threads, {octets} octets, {how}")


@pytest.mark.parametrize("batch_bytes", [1, 333, 5_000])
@pytest.mark.parametrize("octets", [100, 1_000])
def test_batches_end_where_they_would(ranges, batch_bytes, octets):
    """Each batch is the same, not only all together."""
    data = nested(60)
    ranges(octets)
    one, several = (list(pptpcap.iterate(data, batch_bytes=batch_bytes, threads=threads)) for threads in (1, 3))
    assert len(one) == len(several)
    for left_batch, right_batch in zip(one, several, strict=True):
        for table in TABLE_NAMES:
            assert left_batch[table].tobytes() == right_batch[table].tobytes(), table
        assert left_batch.summary == right_batch.summary


def test_interfaces_that_a_range_tells_of(ranges, taken):
    """What was scanned without knowing them is scanned again."""
    file = started()
    for number in range(40):
        for _ in range(5):
            file.packet(FRAME, number)
        file.interface(1 if number % 3 else 147)
    ranges(900)
    whole = rows(file.octets, 1)
    assert whole.counters["unsupported_link"]
    same(rows(file.octets, 4), whole)
    assert taken.dropped


def test_windows_of_a_stream(ranges, monkeypatch):
    data = nested(400)
    whole = rows(data, 1)
    ranges(900)
    monkeypatch.setattr("pptpcap._input.views.CHUNK", 5_000)
    for threads in (2, 5):
        same(rows(io.BytesIO(data), threads), whole, f"{threads} threads")


def test_several_files(ranges):
    """Packets are numbered on; each file has threads of its own."""
    files = [nested(50), started().packets(*[FRAME] * 40).octets, nested(50, 2)]
    ranges(1_000)
    same(rows(files, 3), rows(files, 1))


# ---- what the engines give for it


def test_number_of_packets_before_is_told_later(engine):
    """Of rows, segments, fragments and issues alike, and of what the end of the capture lets go."""
    module = importlib.import_module(MODULES[engine])
    path = next(path for path in BUNDLED if path.name == "mss88.snaplen96.pcap")
    data = path.read_bytes() + b"\xff" * 20

    def decoded(before: int, later: int):
        assembler = module.Assembler((1723,), DEFAULT)
        assembler.begin_file()
        scan = module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT, packets_before=before)
        scan.rebase(later)
        assembler.feed(scan)
        assembler.finish()
        return {**assembler.take(), **assembler.entities()}

    right, found = decoded(1_000, 0), decoded(700, 300)
    for table in right:
        assert right[table].tobytes() == found[table].tobytes(), table
    assert right["gre"]["packet"][0] > 1_000
    assert right["issues"]["packet"].min() > 1_000


def test_fragments_are_told_their_packet_later(engine):
    module = importlib.import_module(MODULES[engine])
    from builder import ethernet, ipv4

    packet = gre(bytes.fromhex("0057") + bytes(22), sequence=1)
    parts = [
        ethernet(ipv4(packet[:16], 47, identification=9, more=True)),
        ethernet(ipv4(packet[16:], 47, identification=9, offset=16)),
    ]
    data = pcap(parts)
    scan = module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT)
    scan.rebase(70)
    assembler = module.Assembler((1723,), DEFAULT)
    assembler.feed(scan)
    assert assembler.take()["gre"]["packet"].tolist() == [72]


def test_scan_that_was_taken_in_is_not_changed():
    from pptpcap import core

    data = pcap([FRAME])
    scan = core.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT)
    core.Assembler((1723,), DEFAULT).feed(scan)
    with pytest.raises(ValueError, match="taken in"):
        scan.rebase(1)


def test_where_records_begin(engine):
    module = importlib.import_module(MODULES[engine])
    size = 16 + len(FRAME)
    data = pcap([FRAME] * 9)
    container = container_of(data)
    for start in range(24, 24 + 5 * size):
        expected = 24 + (start - 24 + size - 1) // size * size
        assert module.find_record(data, start, len(data), container, DEFAULT) == expected
    assert module.find_record(data, 25, 25 + size - 2, container, DEFAULT) == 25 + size - 2
    assert module.find_record(data, len(data), len(data), container, DEFAULT) == len(data)
    # Three records are none while more may come, and some where the file ends.
    at = 24 + 6 * size
    assert module.find_record(data, at, at + 1, container, DEFAULT, final=False) == at + 1
    assert module.find_record(data, at, at + 1, container, DEFAULT) == at


@pytest.mark.parametrize("order", ["<", ">"])
def test_where_blocks_begin(engine, order):
    module = importlib.import_module(MODULES[engine])
    file = started(order).packets(*[FRAME] * 9)
    data = file.octets
    for start in range(file.offset(3) + 1, file.offset(4) + 1):
        assert module.find_record(data, start, len(data), beginning(data), DEFAULT) == file.offset(4)

"""Frames that are decompressed at once: the rows, the damage and its place are those of one thread."""

from __future__ import annotations

import _thread
import io
import struct
import subprocess
import sys
import time
import zlib
from contextlib import closing
from typing import Any

import pytest
from compressors import (
    BGZF_END,
    COMPRESSORS,
    bgzf,
    cut,
    gzip_plain,
    lz4_plain,
    skippable,
    zstd,
    zstd_checked,
    zstd_frames,
    zstd_plain,
)
from helpers import of_capture, same
from hypothesis import given
from hypothesis import strategies as st
from places import CAPTURES, TESTS

import pptpcap
from pptpcap._input import chunks, codecs, fill, streams, views

pytestmark = pytest.mark.slow

MSS88 = (CAPTURES / "mss88.pcap").read_bytes()
THREADS = (2, 3, 7)


@pytest.fixture
def small(monkeypatch):
    """Several units even in a small file; `taken` has the frames of each."""
    taken = []
    take = chunks.next_unit

    def counted(octets):
        unit = take(octets)
        if unit is not None:
            taken.append(len(unit.frames))
        return unit

    monkeypatch.setattr(chunks, "_ENOUGH", 3_000)
    monkeypatch.setattr(fill, "_AHEAD", 5_000)
    monkeypatch.setattr(fill, "next_unit", counted)
    return taken


def read(octets, threads, **more):
    """What a capture holds, or why it is none."""
    try:
        return of_capture(pptpcap.read(octets, threads=threads, **more))
    except pptpcap.CaptureError as error:
        return str(error)


def same_as_one_thread(octets, **more) -> Any:
    """What one thread gives, when several give it too."""
    one = read(octets, 1, **more)
    for threads in THREADS:
        several = read(octets, threads, **more)
        if isinstance(one, str) or isinstance(several, str):
            assert several == one
        else:
            same(several, one, f"{threads} threads")
    return one


def block(octets: bytes, size: int | None = None, length: int | None = None) -> bytes:
    """A block of BGZF that may say something else of its size and of what it holds."""
    state = zlib.compressobj(9, wbits=-15)
    raw = state.compress(octets) + state.flush()
    size = 18 + len(raw) + 8 if size is None else size
    length = len(octets) if length is None else length
    head = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + struct.pack("<HBBHH", 6, 66, 67, 2, size - 1)
    return head + raw + struct.pack("<II", zlib.crc32(octets), length)


# ---- whole files


@pytest.mark.parametrize("name", [*COMPRESSORS])
def test_threads_change_no_row(engine, small, name):
    found = COMPRESSORS[name](MSS88)
    expected = of_capture(pptpcap.read(MSS88, engine=engine))
    same(same_as_one_thread(found, engine=engine), expected)
    # Or nothing were tried here.
    assert max(small, default=0) > 0 or name.startswith(("gzip", "zeros", "lz4", "xz", "bzip2"))


@pytest.mark.parametrize("compress", [bgzf, zstd_frames])
def test_file_and_stream_that_can_begin_again(small, tmp_path, compress):
    path = tmp_path / "capture"
    path.write_bytes(compress(MSS88))
    one = of_capture(pptpcap.read(path, threads=1))
    with open(path, "rb") as file:
        for what in (path, file, io.BytesIO(path.read_bytes())):
            small.clear()
            same(of_capture(pptpcap.read(what, threads=3)), one)
            assert len(small) > 3


def test_what_waits_for_a_writer_is_read_by_one_thread(small):
    stream = type("Reader", (), {"read": io.BytesIO(bgzf(MSS88)).read})()
    same(of_capture(pptpcap.read(stream, threads=3)), of_capture(pptpcap.read(MSS88)))
    assert not small


def test_kinds_that_follow_each_other(small):
    parts = [bgzf(MSS88[:5000]), zstd_frames(MSS88[5000:9000]), bgzf(MSS88[9000:12000]), zstd_plain(MSS88[12000:])]
    expected = of_capture(pptpcap.read(MSS88))
    same(same_as_one_thread(b"".join(parts)), expected)
    for at in range(5):
        several = [*parts]
        # Behind a member that does not say how long it is, one thread does all.
        several.insert(at, gzip_plain(b"") if at % 2 else lz4_plain(b""))
        same(same_as_one_thread(b"".join(several)), expected)


def test_batches(small):
    found = bgzf(MSS88)
    ways: list[dict[str, Any]] = [{"batch_packets": 7}, {"batch_bytes": 900}]
    for more in ways:
        one, several = (list(pptpcap.iterate(found, threads=threads, **more)) for threads in (1, 3))
        assert len(one) == len(several) > 10
        for left, right in zip(one, several, strict=True):
            same(of_capture(right), of_capture(left))


def test_frames_are_taken_whole(small):
    """As many as make a unit; what is stepped over goes with them."""
    blocks = [block(part) for part in cut(MSS88, 1_000)]
    octets = streams.MemoryInput(b"".join(blocks))
    unit = chunks.next_unit(octets)
    assert unit is not None
    assert (unit.name, unit.limits, b"".join(unit.frames)) == ("gzip", [1_000] * 3, b"".join(blocks[:3]))
    assert chunks.unpacked(unit) == cut(MSS88, 1_000)[:3]
    # with what Python's objects take for three frames and a unit
    assert unit.weight == 3_000 + sum(map(len, blocks[:3])) + 3 * 256 + 2048
    octets = streams.MemoryInput(skippable(5) + zstd_plain(MSS88[:50]) + skippable(0) + blocks[0])
    unit = chunks.next_unit(octets)
    assert unit is not None
    assert (unit.name, len(unit.frames)) == ("zstd", 3)
    assert chunks.unpacked(unit) == [MSS88[:50]]
    unit = chunks.next_unit(octets)
    assert unit is not None and unit.name == "gzip"
    assert chunks.next_unit(octets) is None


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"\x1f",
        gzip_plain(MSS88),
        lz4_plain(MSS88),
        lz4_plain(b"") * 9,
        bgzf(MSS88)[:17],
        block(MSS88[:500])[:-1],
        block(MSS88[:500], length=(64 << 10) + 1),
        block(b"", size=27),
        zstd_plain(MSS88)[:-1],
        zstd_plain(MSS88)[:5],
        # A window of 16 MiB; a longer block than may be.
        b"\x28\xb5\x2f\xfd\x00" + bytes([14 << 3]) + b"\x09\0\0a",
        b"\x28\xb5\x2f\xfd\x00"
        + bytes([13 << 3])
        + struct.pack("<I", ((128 << 10) + 1) << 3 | 1)[:3]
        + bytes(128 << 10) * 2,
        # Runs of what would be too much.
        b"\x28\xb5\x2f\xfd\x00" + bytes([13 << 3]) + (struct.pack("<I", (128 << 10) << 3 | 2)[:3] + b"\0") * 129,
        # Blocks of nothing, each of which would take memory.
        b"\x28\xb5\x2f\xfd\x00" + bytes([13 << 3]) + bytes(3) * 5_000 + b"\x01\0\0",
        skippable(10)[:-1],
        skippable((1 << 20) + 1),
    ],
)
def test_what_is_no_unit_stays(found):
    octets = streams.MemoryInput(found)
    assert chunks.next_unit(octets) is None
    assert octets.take(len(found) + 1) == found


def test_largest_frame_is_a_unit():
    run = struct.pack("<I", (128 << 10) << 3 | 2)[:3] + b"\0"
    octets = streams.MemoryInput(
        b"\x28\xb5\x2f\xfd\x00" + bytes([13 << 3]) + run * 127 + run.replace(run[:1], bytes([run[0] | 1]), 1)
    )
    unit = chunks.next_unit(octets)
    assert unit is not None and unit.limits == [16 << 20]


# ---- damage


def zstd_parts(octets: bytes) -> bytes:
    return b"".join(zstd_checked(part) for part in cut(octets, 1_500))


@pytest.mark.parametrize("compress", [bgzf, zstd_parts])
def test_cut_anywhere(engine, small, compress):
    found = compress(MSS88)
    step = 31 if engine == "compiled" else 499
    damaged = 0
    for end in range(1, len(found), step):
        one = same_as_one_thread(found[:end], engine=engine)
        damaged += not isinstance(one, str) and one.damaged
    assert damaged > len(found) // step // 2
    assert small


@pytest.mark.parametrize("compress", [bgzf, zstd_parts])
@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_corrupt_anywhere(small, compress, change):
    found = compress(MSS88)
    damaged = 0
    for place in range(0, len(found), 41):
        one = same_as_one_thread(found[:place] + bytes([found[place] ^ change]) + found[place + 1 :])
        damaged += not isinstance(one, str) and one.damaged
    assert damaged > len(found) // 41 // 2


@pytest.mark.parametrize("behind", [b"garbage", bytes(600) + b"\1", bytes(700), MSS88, b"\x1f\x8b", skippable(9)[:-1]])
def test_what_stands_behind(engine, small, behind):
    for compress in (bgzf, zstd_frames):
        same_as_one_thread(compress(MSS88) + behind, engine=engine)
    # No octet came: the reason is told, and names what came before.
    for nothing in (BGZF_END, zstd_plain(b""), skippable(3)):
        assert isinstance(same_as_one_thread(nothing * 200 + behind, engine=engine), str)


@pytest.mark.parametrize("missing", [False, True])
def test_blocks_that_lie_are_read_all_the_same(small, monkeypatch, missing):
    """Of their length, or of what they hold: gzip knows nothing of the one, and a checksum holds the other."""
    if missing:
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    parts = cut(MSS88, 1_000)
    whole = of_capture(pptpcap.read(MSS88))
    for lie in ({"size": 60}, {"size": 500}, {"size": 65_536}):
        same(
            same_as_one_thread(b"".join(block(part, **(lie if at == 7 else {})) for at, part in enumerate(parts))),
            whole,
        )
    for lie in ({"length": 0}, {"length": 999}, {"length": 1_001}, {"length": 1 << 31}):
        one = same_as_one_thread(b"".join(block(part, **(lie if at == 7 else {})) for at, part in enumerate(parts)))
        assert one.damaged
        assert one["issues"][-1]["needed"] == 8_000


def test_frame_that_lies_of_its_content(small):
    parts = cut(MSS88, 1_000)
    found = [zstd.compress(part) for part in parts]
    # One frame with a content size of two octets, which are 256 less.
    broken = bytearray(found[7])
    assert broken[4] >> 6 == 1
    for change in (1, 3, 255):
        broken[5] ^= change
        one = same_as_one_thread(b"".join([*found[:7], bytes(broken), *found[8:]]))
        assert one.damaged
        assert one["issues"][-1]["needed"] in (7_000, 8_000)


def test_several_places_that_are_corrupt(small):
    """The first one counts, though a thread finds the last one sooner."""
    blocks = [bytearray(block(part)) for part in cut(MSS88, 1_000)]
    for at in (5, 6, 9, 15):
        blocks[at][30] ^= 0xFF
    one = same_as_one_thread(b"".join(blocks))
    assert 5_000 <= one["issues"][-1]["needed"] <= 6_000


@given(st.data())
def test_any_damage_of_any_container(data):
    found = bytearray(COMPRESSORS[data.draw(st.sampled_from(["bgzf", "zstd_frames", "zstd_checked"]))](MSS88[:9000]))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(found) - 1))
        found[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_ENOUGH", data.draw(st.sampled_from([1, 1_000, 3_000])))
        patch.setattr(fill, "_AHEAD", data.draw(st.sampled_from([1, 4_000, 1 << 20])))
        patch.setattr(views, "CHUNK", data.draw(st.sampled_from([100, 4_000, 1 << 20])))
        same_as_one_thread(bytes(found), on_corrupt=data.draw(st.sampled_from(["stop", "salvage"])))


# ---- sizes


def test_so_much_waits_for_its_turn(monkeypatch):
    """With large frames one for each thread, with small ones what so many octets are."""
    most = []
    begin = fill.Decompressed._begin

    def counted(self, function):
        if function.func is chunks.unpacked:
            most.append(function.args[0].weight)
        return begin(self, function)

    for size, ahead in ((1_000, 12_000), (4_000, 1)):
        monkeypatch.setattr(chunks, "_ENOUGH", 500)
        monkeypatch.setattr(fill, "_AHEAD", ahead)
        monkeypatch.setattr(fill.Decompressed, "_begin", counted)
        most.clear()
        flow = fill.Decompressed(streams.MemoryInput(bgzf(MSS88 * 4, size)), 3)
        flow.begin(memoryview(bytearray(10)))
        assert flow.filled() == 10
        flow.close()
        if ahead == 1:
            assert len(most) == 3
        else:
            assert 3 * ahead - max(most) < sum(most) < 3 * ahead + 2 * max(most)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_next_octets_are_made_while_nobody_waits(threads):
    flow = fill.Decompressed(streams.MemoryInput(gzip_plain(MSS88)), threads)
    with closing(flow):
        first, room = memoryview(bytearray(100)), memoryview(bytearray(len(MSS88) - 99))
        flow.begin(first)
        assert flow.filled() == 100
        flow.begin(room)
        deadline = time.monotonic() + 60
        while not flow._filling.has_ended():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert bytes(first) + bytes(room[:-1]) == MSS88
        assert flow.filled() == len(MSS88) - 100


@pytest.mark.parametrize("compress", [bytes, gzip_plain, zstd_plain])
def test_a_small_file_begins_no_thread(tmp_path, monkeypatch, compress):
    """There may be very many of them."""
    begun = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: begun.append(1))
    path = tmp_path / "file"
    path.write_bytes(compress(MSS88))
    assert len(pptpcap.read(path, threads=1, io="read").gre) == 57
    assert not begun


BOMB = """
import resource, struct, sys
name, *sys.path[:0] = sys.argv[1:]
import compressors, pptpcap, test_units
size = 24 + 40 * (12 << 20)
head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1)
nothing = bytes(12 << 20)
if name == "zstd":
    found = compressors.zstd_plain(head) + compressors.zstd_plain(nothing) * 40
else:
    # A block holds 64 KiB by what it says, and a thousand times its own octets by what it does.
    one = b"".join(test_units.block(part, length=65_280) for part in compressors.cut(nothing, 6 << 20))
    assert all(len(part) < 65_536 for part in (one,))
    found = test_units.block(head) + one * 40
del nothing
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for last in pptpcap.iterate(found, threads=4, batch_bytes=1 << 20, on_corrupt="stop"): pass
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize("name", ["zstd", "bgzf"])
def test_bomb_takes_bounded_memory(name):
    arguments = [sys.executable, "-c", BOMB, name, str(TESTS / "input"), str(TESTS / "support")]
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    # Of 480 MiB; for each of the four threads a frame's content, as it comes and as it is joined, and a window.
    assert int(run.stdout) < 240, f"{run.stdout} MiB"


def test_missing_library_of_zstd_is_named_with_threads_too(monkeypatch):
    monkeypatch.setitem(sys.modules, zstd.__name__, None)
    with pytest.raises(ImportError, match="pip install"):
        pptpcap.read(bgzf(MSS88[:100]) + zstd_plain(MSS88[100:]), threads=3)
    assert codecs.fast_inflate(streams.MemoryInput(b""))

"""Frames that hold nothing, millions of them: they are passed over together, and those that wait are weighed.

What is counted are frames, units and decompressors; all octets are typed here.
"""

from __future__ import annotations

from contextlib import closing

import pytest
from compressors import BGZF_END, bzip2_plain, gzip_plain, lz4_plain, skippable, xz_plain, zstd, zstd_plain
from helpers import of_capture, same
from places import CAPTURES

import pptpcap
from pptpcap._input import chunks, codecs, fill, streams

pytestmark = pytest.mark.slow

MSS88 = (CAPTURES / "mss88.pcap").read_bytes()
MANY = 300_000

EMPTY = [
    ("zstd", "28b52ffd 20 00 010000"),
    ("zstd", "28b52ffd 00 00 010000"),
    ("zstd", "28b52ffd 00 77 010000"),
    ("zstd", "28b52ffd 80 58 00000000 010000"),
    ("zstd", "28b52ffd a0 00000000 010000"),
    ("zstd", "28b52ffd c0 58 0000000000000000 010000"),
    ("zstd", "28b52ffd e0 0000000000000000 010000"),
    ("zstd", "28b52ffd 24 00 010000 99e9d851"),
    ("zstd", "28b52ffd 04 58 010000 99e9d851"),
    ("zstd", "28b52ffd 84 58 00000000 010000 99e9d851"),
    ("zstd", "28b52ffd a4 00000000 010000 99e9d851"),
    ("zstd", "28b52ffd c4 58 0000000000000000 010000 99e9d851"),
    ("zstd", "28b52ffd e4 0000000000000000 010000 99e9d851"),
    ("gzip", "1f8b0800 00000000 00ff 0300 00000000 00000000"),
    ("gzip", "1f8b0800 0a1b2c0a 0203 0300 00000000 00000000"),
    ("gzip", "1f8b0800 00000000 04ff 010000ffff 00000000 00000000"),
    ("gzip", "1f8b0804 00000000 00ff 0600 4243 0200 1b00 0300 00000000 00000000"),
    ("lz4", "04224d18 604082 00000000"),
    ("lz4", "04224d18 6440a7 00000000 055dcc02"),
    ("xz", "fd377a585a00 0000 ff12d941 00000000 1cdf4421 06729e7a 01000000 0000 595a"),
    ("xz", "fd377a585a00 0001 6922de36 00000000 1cdf4421 9042990d 01000000 0001 595a"),
    ("xz", "fd377a585a00 0004 e6d6b446 00000000 1cdf4421 1fb6f37d 01000000 0004 595a"),
    ("xz", "fd377a585a00 000a e1fb0ca1 00000000 1cdf4421 189b4b9a 01000000 000a 595a"),
    ("bzip2", "425a6831 177245385090 00000000"),
    ("bzip2", "425a6839 177245385090 00000000"),
    ("", "502a4d18 00000000"),
    ("", "5f2a4d18 00000000"),
]

# The same with one thing else: each is no frame without content, or a library has to say what is wrong with it.
OTHER = [
    ("zstd", "28b52ffd 20 01 090000 61"),
    ("zstd", "28b52ffd 20 00 000000 010000"),
    ("zstd", "28b52ffd 20 01 010000"),
    ("zstd", "28b52ffd 00 78 010000"),
    ("zstd", "28b52ffd 40 58 0000 010000"),
    ("zstd", "28b52ffd 60 0000 010000"),
    ("zstd", "28b52ffd 28 00 010000"),
    ("zstd", "28b52ffd 21 01 00 010000"),
    ("zstd", "28b52ffd a0 00000001 010000"),
    ("zstd", "28b52ffd 24 00 010000 99e9d850"),
    ("zstd", "28b52ffd 24 00 010000"),
    ("zstd", "28b52ffd 20 00 0100"),
    ("gzip", "1f8b0800 00000000 00ff 0300 01000000 00000000"),
    ("gzip", "1f8b0800 00000000 00ff 0300 00000000 01000000"),
    ("gzip", "1f8b0800 00000000 00ff 0300 00000000 000000"),
    ("gzip", "1f8b0802 00000000 00ff 0300 00000000 00000000"),
    ("gzip", "1f8b0700 00000000 00ff 0300 00000000 00000000"),
    ("gzip", "1f8b0820 00000000 00ff 0300 00000000 00000000"),
    ("lz4", "04224d18 604083 00000000"),
    ("lz4", "04224d18 6440a7 00000000 055dcc03"),
    ("lz4", "04224d18 604082 01000080 61 00000000"),
    ("xz", "fd377a585a00 0001 ff12d941 00000000 1cdf4421 06729e7a 01000000 0000 595a"),
    ("xz", "fd377a585a00 0004 e6d6b446 00000000 1cdf4421 06729e7a 01000000 0000 595a"),
    ("xz", "fd377a585a00 0000 ff12d941 00000000 1cdf4421 06729e7a 01000000 0000 59"),
    ("bzip2", "425a6830 177245385090 00000000"),
    ("bzip2", "425a6839 177245385090 00000001"),
    ("", "502a4d18 01000000 00"),
    ("", "502a4d18 000000"),
]


def read(octets, threads):
    """What a capture holds, or why it is none."""
    try:
        return of_capture(pptpcap.read(octets, threads=threads))
    except pptpcap.CaptureError as error:
        return str(error)


@pytest.mark.parametrize(("name", "octets"), EMPTY)
def test_what_holds_nothing_is_passed_over_and_is_sound(name, octets):
    frame = bytes.fromhex(octets)
    assert codecs.empty_run(streams.MemoryInput(frame), name) == b""
    behind = streams.MemoryInput(frame * 9 + frame[:-1])
    assert behind.peek(4) == frame[:4]
    assert codecs.empty_run(behind, name) == frame * 9
    assert behind.position == 9 * len(frame)
    assert codecs.is_empty_run(frame * 9, name)
    assert not codecs.is_empty_run(frame * 9 + frame[:-1], name)
    # The libraries say the same of it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codecs, "empty_run", lambda *_: b"")
        assert b"".join(codecs.pieces(streams.MemoryInput(frame * 2), 32 << 20)) == b""


@pytest.mark.parametrize(("name", "octets"), OTHER)
def test_anything_else_is_left_to_the_library(name, octets):
    frame = bytes.fromhex(octets)
    behind = streams.MemoryInput(frame)
    behind.peek(4)
    assert codecs.empty_run(behind, name) == b""
    assert behind.position == 0
    assert not codecs.is_empty_run(frame, name)


@pytest.mark.parametrize(("name", "octets"), [*EMPTY, *OTHER])
def test_rows_and_damage_are_those_of_the_library(name, octets):
    """Before a capture, inside it, and behind it, with several threads and with one."""
    frame = bytes.fromhex(octets)
    compress = {"gzip": gzip_plain, "lz4": lz4_plain, "xz": xz_plain, "bzip2": bzip2_plain}.get(name, zstd_plain)
    first, second = compress(MSS88[:5000]), compress(MSS88[5000:])
    for found in (frame * 3 + first + second, first + frame * 3 + second, first + second + frame * 3 + bytes(7)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(codecs, "empty_run", lambda *_: b"")
            expected = read(found, 1)
        for threads in (1, 3):
            several = read(found, threads)
            if isinstance(expected, str):
                assert several == expected
            else:
                same(several, expected)


def test_empty_frames_make_few_objects(monkeypatch):
    """One for each run, and no decompressor, but for those that a piece of the file ends in."""
    made = []
    decompressor = zstd.ZstdDecompressor

    def counted(*arguments, **more):
        made.append(1)
        return decompressor(*arguments, **more)

    taken = []
    take = chunks.next_unit

    def noted(octets):
        unit = take(octets)
        taken.append(len(unit.frames) if unit else 0)
        return unit

    monkeypatch.setattr(zstd, "ZstdDecompressor", counted)
    monkeypatch.setattr(fill, "next_unit", noted)
    found = zstd_plain(MSS88[:5000]) + bytes.fromhex("28b52ffd2000010000") * MANY + zstd_plain(MSS88[5000:])
    for threads in (1, 4):
        made.clear()
        assert len(pptpcap.read(found, threads=threads).gre) == 57
        assert len(made) < 30
    # A run has 4,096 frames, and each 256 KiB of input one that ends in the next.
    assert MANY // 4096 < sum(taken) < 150


@pytest.mark.parametrize(
    ("frame", "first"),
    [
        # Frames of two empty blocks, and of one octet: small as they lie, and each some objects.
        (bytes.fromhex("28b52ffd 2000 000000 010000"), zstd_plain(MSS88)),
        (bytes.fromhex("28b52ffd 2001 090000 00"), zstd_plain(MSS88)),
        (skippable(1), zstd_plain(MSS88)),
    ],
)
@pytest.mark.parametrize("threads", [2, 3])
def test_what_waits_is_weighed_with_its_objects(monkeypatch, frame, first, threads):
    waiting = []
    begin = fill.Decompressed._begin

    def counted(self, function):
        if function.func is chunks.unpacked:
            waiting.append(len(function.args[0].frames))
        return begin(self, function)

    monkeypatch.setattr(fill.Decompressed, "_begin", counted)
    monkeypatch.setattr(fill, "_AHEAD", 2 << 20)
    with closing(fill.Decompressed(streams.MemoryInput(first + frame * MANY), threads)) as flow:
        flow.begin(memoryview(bytearray(10)))
        assert flow.filled() == 10
    # 256 octets at least are counted for each frame, of 2 MiB for each thread; a unit has 4,096 frames at most.
    assert threads * 4096 < sum(waiting) < (threads * (2 << 20)) // 256 + 4097
    assert max(waiting) <= 4096


def test_units_of_one_small_frame_are_weighed_too(monkeypatch):
    """Where the kinds of frames take turns, each is a unit."""
    waiting = []
    begin = fill.Decompressed._begin

    def counted(self, function):
        if function.func is chunks.unpacked:
            waiting.append(1)
        return begin(self, function)

    monkeypatch.setattr(fill.Decompressed, "_begin", counted)
    monkeypatch.setattr(fill, "_AHEAD", 1 << 20)
    found = zstd_plain(MSS88) + (BGZF_END + bytes.fromhex("28b52ffd2000010000")) * 10_000
    with closing(fill.Decompressed(streams.MemoryInput(found), 2)) as flow:
        flow.begin(memoryview(bytearray(10)))
        assert flow.filled() == 10
    assert 100 < len(waiting) <= (2 << 20) // 2048 + 1

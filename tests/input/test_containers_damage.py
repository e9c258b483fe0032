"""Compressed data that are cut, corrupt or not what they seem: what comes before stays, and nothing is silent."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from commands import call
from compressors import (
    COMPRESSORS,
    bgzf,
    bzip2_plain,
    bzip2_streams,
    gzip_members,
    gzip_plain,
    lz4_linked,
    lz4_plain,
    skippable,
    xz_plain,
    zstd,
    zstd_blocks,
    zstd_checked,
    zstd_plain,
)
from helpers import issues, kinds
from hypothesis import given
from hypothesis import strategies as st
from places import CAPTURES

import pptpcap
from pptpcap import schema
from pptpcap._input import codecs
from pptpcap._input.opening import opened
from pptpcap._input.options import Options

pytestmark = pytest.mark.slow

MSS88 = (CAPTURES / "mss88.pcap").read_bytes()
# Where records begin, and the end.
BOUNDS = [24, *pptpcap.read(MSS88).gre["record_offset"].tolist(), len(MSS88)]


def stream(octets):
    """A file object that cannot go back."""
    return type("Reader", (), {"read": io.BytesIO(octets).read})()


def sound(octets):
    """What zlib makes of gzip members, octet by octet, up to the first error."""
    made = b""
    while octets:
        state = zlib.decompressobj(wbits=31)
        try:
            for place in range(len(octets)):
                made += state.decompress(octets[place : place + 1])
                if state.eof:
                    break
        except zlib.error:
            return made
        if not state.eof:
            return made
        octets = octets[place + 1 :]
    return made


def is_damaged_after(capture, octets, engine):
    """The rows of these octets, and behind them the issue of the container."""
    expected = pptpcap.read(octets, engine=engine)
    for name in schema.EVENTS:
        if name != "issues":
            assert capture[name].tobytes() == expected[name].tobytes(), name
    assert capture.connections.tobytes() == expected.connections.tobytes()
    assert capture.summary.counters == expected.summary.counters
    told, others = issues(capture), issues(expected)
    (place,) = (place for place, (_, _, kind, _, _) in enumerate(told) if kind == "CORRUPT_COMPRESSION")
    assert told.pop(place) == (expected.summary.packets + 1, "CONTAINER", "CORRUPT_COMPRESSION", len(octets), 0)
    # What the end of the capture brings comes behind it, since more files might follow.
    assert told == others
    issue = capture.issues[place]
    assert np.isnat(issue["time"])
    assert issue["connection"] == -1
    start = len(octets)
    if expected.summary.damaged:
        assert others[place - 1][2] == "TRUNCATED_RECORD"
        start = expected.issues["record_offset"][place - 1]
    assert issue["record_offset"] == start
    assert capture.summary.damaged
    assert [file.damaged for file in capture.summary.files] == [True]
    return True


# ---- cut


@pytest.mark.parametrize("compress", [gzip_plain, gzip_members, bgzf], ids=lambda function: function.__name__)
def test_cut_gzip_gives_all_rows_before_the_cut(engine, compress):
    found = compress(MSS88)
    for end in range(40, len(found), 397):
        octets = sound(found[:end])
        if len(octets) < 24:
            continue
        for what in (found[:end], stream(found[:end])):
            capture = pptpcap.read(what, engine=engine)
            # Between two members nothing tells that more was there.
            assert capture.summary.damaged
            assert is_damaged_after(capture, octets, engine)


@pytest.mark.parametrize("compress", [zstd_blocks, lz4_linked], ids=lambda function: function.__name__)
def test_cut_frames_give_all_rows_of_whole_blocks(engine, compress):
    found = compress(MSS88)
    sizes = []
    for end in range(900, len(found), 211):
        with opened(stream(found[:end]), Options()) as view:
            assert view.damage.endswith("data that are cut")
            size = len(view.data)
        assert is_damaged_after(pptpcap.read(found[:end], engine=engine), MSS88[:size], engine)
        sizes.append(size)
    assert sizes == sorted(sizes)
    # Blocks of 700 octets: no more than that is missing.
    assert sizes[-1] > len(MSS88) - 1400


def decompressed(found, new, error):
    """What a library makes of streams, octet by octet, up to the first error."""
    made = b""
    while found:
        state = new()
        try:
            for place in range(len(found)):
                made += state.decompress(found[place : place + 1])
                if state.eof:
                    break
        except error:
            return made
        if not state.eof:
            return made
        found = found[place + 1 :]
    return made


STREAMS = [(xz_plain, lzma.LZMADecompressor, lzma.LZMAError), (bzip2_streams, bz2.BZ2Decompressor, OSError)]


@pytest.mark.parametrize(("compress", "new", "error"), STREAMS, ids=["xz", "bzip2"])
def test_cut_streams_give_all_octets_before_the_cut(engine, compress, new, error):
    found = compress(MSS88)
    told = 0
    for end in range(100, len(found), 211):
        octets = decompressed(found[:end], new, error)
        if len(octets) < 24:
            continue
        for what in (found[:end], stream(found[:end])):
            assert is_damaged_after(pptpcap.read(what, engine=engine), octets, engine)
        told += 1
    assert told > 10


@pytest.mark.parametrize(("compress", "new", "error"), STREAMS, ids=["xz", "bzip2"])
def test_corrupt_streams_give_what_comes_before_from_every_road(engine, compress, new, error):
    found = compress(MSS88)
    told = 0
    for place in range(100, len(found), 137):
        broken = found[:place] + bytes([found[place] ^ 0x55]) + found[place + 1 :]
        octets = decompressed(broken, new, error)
        if len(octets) < 24:
            continue
        captures = [pptpcap.read(what, engine=engine) for what in (broken, stream(broken))]
        assert captures[0].summary.damaged
        assert captures[0].issues.tobytes() == captures[1].issues.tobytes()
        assert captures[0].gre.tobytes() == captures[1].gre.tobytes()
        if "CORRUPT_COMPRESSION" in kinds(captures[0]):
            # The library may give the rest of a block before it looks at its checksum.
            size = captures[0].issues["needed"][captures[0].issues["kind"] == 14][0]
            assert size >= len(octets)
            told += 1
    assert told > 5


def test_wrong_check_of_a_stream_takes_no_row(engine):
    for check, size in ((lzma.CHECK_CRC32, 4), (lzma.CHECK_CRC64, 8), (lzma.CHECK_SHA256, 32)):
        # Behind the check stand an index of 16 octets or less, and the footer of 12.
        found = bytearray(lzma.compress(MSS88, check=check))
        index = 4 * (1 + int.from_bytes(found[-8:-4], "little"))
        found[-12 - index - size] ^= 1
        for what in (found, stream(bytes(found))):
            assert is_damaged_after(pptpcap.read(what, engine=engine), MSS88, engine)


def test_window_of_xz_is_limited_like_that_of_zstd(engine):
    def made(megabytes):
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": megabytes << 20}]
        return lzma.compress(MSS88, filters=filters)

    assert len(pptpcap.read(made(64), engine=engine).gre) == 57
    assert len(pptpcap.read(made(128), engine=engine, max_window=128 << 20).gre) == 57
    for what in (made(128), stream(made(128)), made(96)):
        with pytest.raises(pptpcap.CaptureError) as caught:
            pptpcap.read(what, engine=engine)
        assert (caught.value.offset, caught.value.found) == (
            0,
            "xz data that need a window of more than 67,108,864 octets",
        )
    second = lzma.compress(MSS88[:5000]) + bytes(8) + made(128)
    with pytest.raises(pptpcap.CaptureError, match="at offset") as caught:
        pptpcap.read(second, engine=engine)
    assert caught.value.offset == len(second) - len(made(128))


def test_cut_of_the_end_alone_is_told(engine):
    for compress, most in (
        (gzip_plain, 8), (zstd_checked, 4), (zstd_blocks, 7), (lz4_linked, 8), (lz4_plain, 4), (xz_plain, 32),
    ):  # fmt: skip
        found = compress(MSS88)
        for less in range(1, most + 1):
            capture = pptpcap.read(found[:-less], engine=engine)
            assert is_damaged_after(capture, MSS88, engine), (compress, less)


def test_cut_exactly_between_two_records_is_told(engine, tmp_path):
    for start in BOUNDS:
        for rest in (b"\x1f", b"\x1f\x8b\x08", gzip_plain(b"more")[:11]):
            capture = pptpcap.read(gzip_plain(MSS88[:start]) + rest, engine=engine)
            assert is_damaged_after(capture, MSS88[:start], engine)
    path = tmp_path / "cut"
    path.write_bytes(gzip_plain(MSS88[: BOUNDS[5]]) + b"\x1f\x8b\x08")
    for command in ("info", "messages"):
        code, _, err = call(command, "--engine", engine, path)
        assert code == 3
        place = (
            f"packet 31, offset {BOUNDS[5]}: compressed data are cut or corrupt after {BOUNDS[5]} decompressed octets"
        )
        assert err == f"pptpcap: {path}: damaged: {place}\n"


def test_damage_of_one_file_does_not_stop_the_others(engine):
    found = gzip_plain(MSS88)
    capture = pptpcap.read([found[:3000], found, found[:-3], MSS88], engine=engine)
    assert [file.damaged for file in capture.summary.files] == [True, False, True, False]
    assert [file.packets for file in capture.summary.files][1:] == [109] * 3
    told = capture.issues[capture.issues["kind"] == 14]
    assert told["file"].tolist() == [0, 2]
    assert told["packet"].tolist() == [capture.summary.files[0].packets + 1, capture.summary.files[0].packets + 219]


def test_batches_tell_damage_once_and_in_its_place(engine):
    found = lz4_linked(MSS88)[:-1]
    whole = pptpcap.read([found, found], engine=engine)
    ways: list[dict[str, Any]] = [{"batch_packets": 1}, {"batch_packets": 109}, {"batch_bytes": 1000}]
    for arguments in ways:
        batches = list(pptpcap.iterate([found, found], engine=engine, **arguments))
        assert b"".join(batch.issues.tobytes() for batch in batches) == whole.issues.tobytes()
        assert batches[-1].summary == whole.summary
    with pytest.raises(
        pptpcap.IssueError, match=r"CORRUPT_COMPRESSION.*cut or corrupt after 15764 decompressed octets"
    ):
        pptpcap.read(found, engine=engine, errors="raise")
    assert pptpcap.read(found, engine=engine, tables=["gre"]).summary.damaged


# ---- corrupt


@pytest.mark.parametrize("missing", [False, True])
def test_corrupt_gzip_gives_all_octets_before_the_corrupt_one(engine, monkeypatch, missing):
    if missing:
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    for name in ("gzip_plain", "gzip_stored", "bgzf"):
        found = COMPRESSORS[name](MSS88)
        told = 0
        for place in range(12, len(found), 499):
            broken = found[:place] + bytes([found[place] ^ 0x55]) + found[place + 1 :]
            octets = sound(broken)
            if len(octets) < 24:
                continue
            expected = pptpcap.read(octets, engine=engine)
            for what in (broken, stream(broken)):
                capture = pptpcap.read(what, engine=engine)
                if octets == MSS88 and name == "bgzf" and not capture.summary.damaged:
                    # The length in a header that nobody needs, and no checksum holds.
                    continue
                assert capture.summary.damaged
                if "CORRUPT_RECORD" in kinds(expected):
                    # The walk ended before: garbage came out first.
                    assert issues(capture) == issues(expected)
                else:
                    assert is_damaged_after(capture, octets, engine)
                    told += 1
        assert told


def test_wrong_checksums_take_no_row(engine):
    cases = {
        "gzip CRC": (gzip_plain(MSS88), -8),
        "gzip length": (gzip_plain(MSS88), -1),
        "stored": (gzip.compress(MSS88, 0), -8),
        "zstd": (zstd_checked(MSS88), -1),
        "lz4": (lz4_linked(MSS88), -1),
    }
    for name, (found, place) in cases.items():
        broken = bytearray(found)
        broken[place] ^= 1
        for what in (broken, stream(bytes(broken))):
            assert is_damaged_after(pptpcap.read(what, engine=engine), MSS88, engine), name


def test_corrupt_block_gives_the_blocks_before(engine):
    for compress in (zstd_blocks, lz4_linked):
        found = compress(MSS88)
        told = 0
        for place in range(len(found) // 2, len(found) - 8, 777):
            broken = found[:place] + bytes([found[place] ^ 0xFF]) + found[place + 1 :]
            capture = pptpcap.read(broken, engine=engine)
            assert capture.summary.damaged
            if "CORRUPT_COMPRESSION" in kinds(capture):
                with opened(broken, Options()) as view:
                    octets = bytes(view.data)
                assert is_damaged_after(capture, octets, engine)
                assert len(octets) > len(MSS88) // 3
                told += 1
        assert told


@given(st.data())
def test_no_damage_is_more_than_an_issue(data):
    found = bytearray(COMPRESSORS[data.draw(st.sampled_from(sorted(COMPRESSORS)))](MSS88[:3000]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(found) - 1))
        found[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for what in (bytes(found), stream(bytes(found))):
        try:
            capture = pptpcap.read(what)
        except pptpcap.CaptureError:
            continue
        assert capture.summary.packets <= 40


def test_octets_behind_compressed_data_are_told(engine):
    for found, behind in (
        (gzip_plain(MSS88), b"garbage"),
        (gzip_plain(MSS88), bytes(600) + b"\1"),
        (gzip_plain(MSS88), MSS88),
        (zstd_plain(MSS88), bytes(8)),
        (xz_plain(MSS88), bytes(6)),
        (xz_plain(MSS88), bytes(8) + b"\1"),
        (xz_plain(MSS88), b"garbage"),
        (bzip2_plain(MSS88), bytes(4)),
        (bzip2_plain(MSS88), b"garbage"),
        (bzip2_plain(MSS88), MSS88),
        (lz4_plain(MSS88), b"x"),
        (lz4_plain(MSS88), b"\x04\x22\x4d"),
        (zstd_plain(MSS88), skippable(100)[:-1]),
        (zstd_plain(MSS88), skippable(100)[:7]),
    ):
        assert is_damaged_after(pptpcap.read(found + behind, engine=engine), MSS88, engine)


def test_frame_that_wants_too_much_memory_is_refused():
    head = b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00"
    with pytest.raises(
        pptpcap.CaptureError, match=r"at offset 0: found a zstd frame that needs a window of 2,147,483,648 octets"
    ):
        pptpcap.read(head)


# ---- not what it seems


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (gzip_plain(gzip_plain(MSS88)), "gzip data inside gzip data"),
        (zstd_plain(gzip_plain(MSS88)), "gzip data inside zstd data"),
        (gzip_plain(zstd_plain(MSS88)), "zstd data inside gzip data"),
        (skippable(3) + lz4_plain(skippable(0)), "zstd or lz4 data inside zstd or lz4 data"),
        (zstd_plain(lz4_plain(MSS88)), "lz4 data inside zstd data"),
        (gzip_plain(bz2.compress(MSS88)), "bzip2 data inside gzip data"),
        (bz2.compress(lzma.compress(MSS88)), "xz data inside bzip2 data"),
        (lzma.compress(b""), "an empty file"),
        (bz2.compress(b"some text"), "text"),
        (lzma.compress(MSS88)[:30], "xz data that are cut"),
        (bz2.compress(MSS88)[:30], "bzip2 data that are cut"),
        (b"BZh91AY&SX" + bytes(20), "corrupt bzip2 data (Invalid data stream)"),
        (b"\xfd7zXZ\0" + bytes(20), "corrupt xz data (Corrupt input data)"),
        (b"\x02\x21\x4c\x18" + bytes(20), "lz4 data of the legacy format, which this version does not read"),
        (gzip_plain(b""), "an empty file"),
        (zstd_plain(b""), "an empty file"),
        (skippable(100), "an empty file"),
        (gzip_plain(b"some text"), "text"),
        (gzip_plain(MSS88)[:9], "gzip data that are cut"),
        (b"\x1f\x8b\x07" + bytes(20), "corrupt gzip data (unknown compression method)"),
        (zstd_plain(MSS88)[:5], "zstd data that are cut"),
        (lz4_plain(MSS88)[:5], "lz4 data that are cut"),
        (lz4_plain(MSS88)[:4] + bytes(20), "corrupt lz4 data (ERROR_headerVersion_wrong)"),
    ],
)
def test_what_holds_no_capture_is_refused_with_the_reason(engine, found, words, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(found)
    for what in (found, stream(found), path):
        with pytest.raises(pptpcap.CaptureError) as caught:
            pptpcap.read(what, engine=engine)
        assert (caught.value.offset, caught.value.found) == (0, words)
    assert call("info", path) == (
        1,
        "",
        f"pptpcap: {path}: at offset 0: found {words}, expected a pcap or pcapng file\n",
    )


@pytest.mark.parametrize("compress", [zstd_plain, lz4_plain])
def test_missing_library_is_named(monkeypatch, tmp_path, compress):
    for module in ("isal.isal_zlib", "lz4.frame", zstd.__name__):
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "file"
    path.write_bytes(compress(MSS88))
    name = compress.__name__.removesuffix("_plain")
    reason = f"{path} is {name} data, for which a library is missing: pip install 'pptpcap[compression]'"
    with pytest.raises(ImportError) as caught:
        pptpcap.read(path)
    assert str(caught.value) == reason
    assert call("info", path) == (1, "", f"pptpcap: {reason}\n")
    assert len(pptpcap.read(gzip_members(MSS88)).gre) == 57


def test_fast_library_and_zlib_agree_where_data_are_cut(monkeypatch):
    pytest.importorskip("isal")
    found = gzip_members(MSS88, 5000)
    for end in range(1, len(found), 13):
        made = []
        for missing in (False, True):
            if missing:
                monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
            octets = codecs.pieces(opened_input(found[:end]), 32 << 20)
            parts = []
            with pytest.raises(codecs.DamageError) if end < len(found) else pytest.raises(StopIteration):
                while True:
                    parts.append(next(octets))
            made.append(b"".join(parts))
            monkeypatch.undo()
        assert made[0] == made[1]


def test_reserved_flags_of_gzip_are_corrupt_from_every_road(engine):
    for flag in (0x20, 0x40, 0x80):
        found = bytearray(gzip_plain(MSS88))
        found[3] |= flag
        for what in (found, stream(bytes(found)), found[:-9]):
            with pytest.raises(pptpcap.CaptureError, match="unknown header flags set"):
                pptpcap.read(what, engine=engine)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("size", [(512 << 10) - 1, 512 << 10, (512 << 10) + 1, 1 << 20, 3 << 20])
def test_members_that_hold_much(monkeypatch, missing, size):
    """What one call gives is bounded; a member may end with the last octet of such a piece, and more stand behind it."""
    if missing:
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    parts = [bytes(size), b"1" * size, MSS88]
    pieces = [*codecs.pieces(opened_input(b"".join(map(gzip_plain, parts))), 32 << 20)]
    assert b"".join(pieces) == b"".join(parts)
    assert max(map(len, pieces)) <= 512 << 10


def opened_input(octets):
    from pptpcap._input.streams import MemoryInput

    return MemoryInput(octets)

"""The window that a zstd frame asks for: above 32 MiB it is refused by name, unless more is allowed."""

from __future__ import annotations

import io
import struct

import pytest
from commands import call
from compressors import bgzf, zstd_frames, zstd_plain
from helpers import of_capture, same
from places import CAPTURES

import pptpcap
from pptpcap.decapsulate import decapsulate
from pptpcap.export import convert

MSS88 = (CAPTURES / "mss88.pcap").read_bytes()
M = 1 << 20


def stored(octets: bytes, *, window: int | None = None, content: int | None = None) -> bytes:
    """A frame of one stored block: with an octet for its window, or a single segment that says what it holds."""
    if content is None:
        assert window is not None
        head = bytes([0x00, window])
    else:
        head = b"\xe0" + struct.pack("<Q", content)
    return b"\x28\xb5\x2f\xfd" + head + struct.pack("<I", len(octets) << 3 | 1)[:3] + octets


def refused(what, **more) -> pptpcap.CaptureError:
    with pytest.raises(pptpcap.CaptureError) as caught:
        pptpcap.read(what, **more)
    return caught.value


# The octet of a window, RFC 8878 section 3.1.1.1.2, and the window.
@pytest.mark.parametrize(
    ("window", "size"),
    [
        (0x78, 32 * M),
        (0x79, 36 * M),
        (0x80, 64 * M),
        (0x87, 120 * M),
        (0x88, 128 * M),
        (0x90, 256 * M),
        (0xA0, 1 << 30),
    ],
)
@pytest.mark.parametrize("threads", [1, 4])
def test_window_is_refused_by_name_and_read_with_the_option(engine, tmp_path, window, size, threads):
    expected = pptpcap.read(MSS88, engine=engine)
    found = stored(MSS88, window=window)
    path = tmp_path / "capture"
    path.write_bytes(found)
    for make in (lambda: found, lambda: path, lambda: io.BytesIO(found), lambda: _reader(found)):
        if size > 32 * M:
            error = refused(make(), engine=engine, threads=threads)
            assert error.offset == 0
            assert error.found == f"a zstd frame that needs a window of {size:,} octets"
            assert error.expected == "33,554,432 at most, unless max_window (--max-window) allows more"
            assert f"needs a window of {size:,}" in str(
                refused(make(), engine=engine, threads=threads, max_window=max(size - 1, 32 * M))
            )
        same(of_capture(pptpcap.read(make(), engine=engine, threads=threads, max_window=size)), of_capture(expected))


def _reader(octets):
    """What can be read once only."""
    return type("Reader", (), {"read": io.BytesIO(octets).read})()


@pytest.mark.parametrize("threads", [1, 4])
def test_content_of_a_single_segment_is_its_window(threads):
    found = stored(MSS88, content=40 * M)
    assert refused(found, threads=threads).found == "a zstd frame that needs a window of 41,943,040 octets"
    # with the option the library finds that it holds less than it says
    assert refused(found, threads=threads, max_window=64 * M).found.startswith("corrupt zstd data")
    # Behind the capture, octets that are no record: 319 runs of 128 KiB, and what is left.
    run, left = (128 << 10) << 3 | 2, (128 << 10) - len(MSS88)
    runs = (struct.pack("<I", run)[:3] + b"\xff") * 319 + struct.pack("<I", left << 3 | 3)[:3] + b"\xff"
    whole = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", 40 * M) + struct.pack("<I", len(MSS88) << 3)[:3] + MSS88 + runs
    assert refused(whole, threads=threads).found == "a zstd frame that needs a window of 41,943,040 octets"
    assert len(pptpcap.read(whole, threads=threads, max_window=40 * M).gre) == 57


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("compress", [zstd_frames, bgzf])
def test_frame_behind_others_is_refused_with_its_place(compress, threads):
    before = compress(MSS88[:9000])
    found = before + stored(MSS88[9000:], window=0x80)
    assert refused(found, threads=threads).offset == len(before)
    # Nothing is skipped: salvage does not help, and batches before it may have come.
    assert refused(found, threads=threads, on_corrupt="salvage").offset == len(before)
    same(of_capture(pptpcap.read(found, threads=threads, max_window=64 * M)), of_capture(pptpcap.read(MSS88)))


@pytest.mark.parametrize("threads", [1, 4])
def test_what_is_damaged_before_it_ends_the_file_first(threads):
    broken = bytearray(zstd_plain(MSS88[5000:9000]))
    broken[-20] ^= 0xFF
    found = zstd_plain(MSS88[:5000]) + bytes(broken) + stored(MSS88[9000:], window=0x80)
    assert pptpcap.read(found, threads=threads).summary.damaged


@pytest.mark.parametrize("threads", [1, 4])
def test_head_that_is_cut_says_no_window(threads):
    for head in (stored(b"", window=0x80)[:5], stored(b"", content=40 * M)[:12], b"\x28\xb5\x2f\xfd\x80\x80\0"):
        for what in (head, _reader(head)):
            assert refused(what, threads=threads).found == "zstd data that are cut"


@pytest.mark.parametrize("size", [0, 32 * M - 1, (1 << 31) + 1, -1])
def test_max_window_out_of_range_is_refused(size):
    with pytest.raises(ValueError, match="max_window"):
        pptpcap.read(MSS88, max_window=size)


@pytest.mark.parametrize("size", ["16M", "2049M", "many", ""])
def test_option_out_of_range_is_refused(tmp_path, size):
    code, _, err = call("info", "--max-window", size, tmp_path / "none.pcap")
    assert code == 2
    assert "--max-window" in err


def test_everything_that_reads_takes_the_option(tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(stored(MSS88, window=0x80))
    with pytest.raises(pptpcap.CaptureError, match="max_window"):
        list(pptpcap.iterate(path))
    with pytest.raises(pptpcap.CaptureError, match="max_window"):
        convert(path, tmp_path / "out", format="csv")
    with pytest.raises(pptpcap.CaptureError, match="max_window"):
        decapsulate(path, tmp_path / "out.pcap")
    assert sum(len(batch.gre) for batch in pptpcap.iterate(path, max_window=64 * M)) == 57
    assert convert(path, tmp_path / "out", format="csv", max_window=64 * M).rows["gre"] == 57
    decapsulate(path, tmp_path / "out.pcap", max_window=64 * M)
    for command, *more in (
        ("info",),
        ("messages",),
        ("calls",),
        ("convert", "--format", "csv", "-o", tmp_path / "folder"),
        ("decapsulate", "-o", tmp_path / "file"),
    ):
        code, _, err = call(command, *more, path)
        assert code == 1
        assert err.endswith(
            f"{path}: at offset 0: found a zstd frame that needs a window of 67,108,864 octets, "
            "expected 33,554,432 at most, unless max_window (--max-window) allows more\n"
        )
        code, _, err = call(command, "--max-window", "64M", *more, path)
        assert (code, err) == (0, "")

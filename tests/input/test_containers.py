"""One capture in every container and by every road: the same rows, in memory that does not grow with it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading

import pytest
from compressors import (
    COMPRESSORS,
    bgzf,
    bzip2_plain,
    cut,
    gzip_members,
    gzip_plain,
    lz4_plain,
    skippable,
    xz_plain,
    zstd_plain,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pcapng_builder import File
from places import CAPTURES, TESTS
from test_rotated import as_pcap, as_pcapng, packets

import pptpcap
from pptpcap import schema
from pptpcap._input import streams, views

pytestmark = pytest.mark.slow

MSS88 = (CAPTURES / "mss88.pcap").read_bytes()
PCAPNG = as_pcapng(*packets(MSS88), "<")
PLACES = {"file", "record_offset"}


def same(one, other):
    """All tables to the bit, counters, times and damage."""
    for name in schema.TABLE_NAMES:
        assert one[name].tobytes() == other[name].tobytes(), name
    assert one.summary.counters == other.summary.counters
    assert one.summary.damaged == other.summary.damaged
    return True


def same_but_places(one, other):
    for name in schema.TABLE_NAMES:
        for column in set(one[name].dtype.names) - PLACES:
            assert one[name][column].tobytes() == other[name][column].tobytes(), (name, column)
    return True


class Trickle(io.RawIOBase):
    """A stream that gives 1 to 7 octets at a time, and says neither where it stands nor its name."""

    def __init__(self, octets):
        self.octets, self.position, self.turn = octets, 0, 0

    def read(self, size=-1):
        self.turn = self.turn % 7 + 1
        part = self.octets[self.position : self.position + min(size, self.turn)]
        self.position += len(part)
        return part

    def seekable(self):
        return False


class Reader:
    """The least that a file object can be."""

    def __init__(self, octets):
        self.read = io.BytesIO(octets).read


def by_pipe(octets):
    """The reading end of a pipe into which a thread writes, some octets at a time."""
    reading, writing = os.pipe()
    write_later(lambda: writing, octets)
    return open(reading, "rb", buffering=0)


def write_later(opener, octets):
    def write():
        with open(opener(), "wb", buffering=0) as file:
            for part in cut(octets, 4001):
                file.write(part)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


# ---- roads


@pytest.mark.parametrize("compressor", [None, *COMPRESSORS])
@pytest.mark.parametrize("octets", [MSS88, PCAPNG], ids=["pcap", "pcapng"])
def test_every_road_gives_the_same_rows(engine, tmp_path, octets, compressor):
    expected = pptpcap.read(octets, engine=engine)
    assert len(expected.messages) == 17
    found = COMPRESSORS[compressor](octets) if compressor else octets
    path = tmp_path / "a name that says nothing"
    path.write_bytes(found)
    with open(path, "rb") as file, open(path, "rb", buffering=0) as raw, by_pipe(found) as pipe:
        for what in (
            path, found, bytearray(found), memoryview(found), file, raw, io.BytesIO(found), Trickle(found), Reader(found),
            pipe,
        ):  # fmt: skip
            assert same(pptpcap.read(what, engine=engine), expected)
        assert not file.closed
        assert not pipe.closed
    for how in ("mmap", "read"):
        capture = pptpcap.read(path, engine=engine, io=how)
        assert same(capture, expected)
        assert capture.summary.files[0].size == len(octets)
        assert capture.summary.files[0].path == str(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("make", [as_pcap, as_pcapng])
@pytest.mark.parametrize("compressor", [None, "bgzf", "zstd_frames", "lz4_linked"])
def test_every_format_and_byte_order_gives_the_same_rows(engine, make, order, compressor):
    octets = make(*packets(MSS88), order)
    capture = pptpcap.read(COMPRESSORS[compressor](octets) if compressor else octets, engine=engine)
    assert same_but_places(capture, pptpcap.read(MSS88, engine=engine))


def test_named_pipe_is_waited_for_and_read(engine, tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path, octets in ((pipe, MSS88), (str(link), gzip_members(MSS88)), (pipe, zstd_plain(PCAPNG))):
        writer = write_later(lambda: pipe, octets)
        capture = pptpcap.read(path, engine=engine)
        writer.join(10)
        assert same_but_places(capture, pptpcap.read(MSS88, engine=engine))
        assert capture.summary.files[0].path == str(path)


def small(monkeypatch, window):
    monkeypatch.setattr(views, "CHUNK", window)
    monkeypatch.setattr(streams, "_CHUNK", window)


@pytest.mark.parametrize("window", [64, 101, 1000])
@pytest.mark.parametrize("compressor", [None, *COMPRESSORS])
def test_windows_change_no_row(engine, monkeypatch, tmp_path, window, compressor):
    small(monkeypatch, window)
    found = COMPRESSORS[compressor](MSS88) if compressor else MSS88
    path = tmp_path / "capture"
    path.write_bytes(found)
    expected = pptpcap.read(MSS88, engine=engine)
    for what in (Trickle(found), path):
        assert same(pptpcap.read(what, engine=engine, io="read"), expected)


@settings(max_examples=40)
@given(st.data())
def test_pieces_of_any_length_in_any_container_are_one_stream(data):
    octets = data.draw(st.sampled_from([MSS88[:2000], PCAPNG[:2000]]))
    bounds = data.draw(st.lists(st.integers(0, len(octets)), max_size=5).map(sorted))
    pieces = [octets[start:end] for start, end in zip([0, *bounds], [*bounds, len(octets)], strict=True)]
    family = data.draw(st.sampled_from(["gzip", "bgzf", "zstd", "lz4", "bzip2", "xz_plain"]))
    kinds = [kind for kind in COMPRESSORS if kind.startswith(family) and kind != "zeros_behind"]
    found = b"".join(COMPRESSORS[data.draw(st.sampled_from(kinds))](piece) for piece in pieces)
    expected = pptpcap.read(octets)
    with pytest.MonkeyPatch.context() as patch:
        small(patch, data.draw(st.sampled_from([64, 99, 500, 1 << 20])))
        for what in (found, Trickle(found)):
            assert same(pptpcap.read(what), expected)


def test_batches_of_compressed_files_are_the_capture(engine):
    for found in (bgzf(MSS88), zstd_plain(PCAPNG), lz4_plain(MSS88), xz_plain(MSS88), bzip2_plain(PCAPNG)):
        whole = pptpcap.read(found, engine=engine)
        batches = list(pptpcap.iterate(found, batch_packets=10, engine=engine))
        assert len(batches) == 11
        assert sum(len(batch.messages) for batch in batches) == len(whole.messages) == 17
        assert b"".join(batch.gre.tobytes() for batch in batches) == whole.gre.tobytes()
        assert batches[-1].summary == whole.summary


# ---- sets of files


def test_set_of_files_in_all_containers_is_one_capture(engine, tmp_path, monkeypatch):
    link, several = packets(MSS88)
    roads = [None, "gzip_plain", "lz4_frames", "zstd_blocks", "bgzf", "xz_streams", "bzip2_plain"]
    for number, start in enumerate(range(0, len(several), 11)):
        make, order = (as_pcap, as_pcapng)[number % 2], "<>"[number // 2 % 2]
        octets = make(link, several[start : start + 11], order)
        road = roads[number % len(roads)]
        (tmp_path / f"ring-{number:02}").write_bytes(COMPRESSORS[road](octets) if road else octets)
    expected = pptpcap.read(MSS88, engine=engine)
    for what in (str(tmp_path / "ring-*"), sorted(tmp_path.iterdir())):
        for how in ("mmap", "read"):
            capture = pptpcap.read(what, engine=engine, io=how)
            assert len(capture.summary.files) == 10
            assert same_but_places(capture, expected)
            assert len(capture.connections) == 1
    batches = list(pptpcap.iterate(str(tmp_path / "ring-*"), batch_packets=7, engine=engine))
    assert sum(len(batch.gre) for batch in batches) == len(expected.gre)


def test_progress_counts_what_lies_on_the_disk(engine, tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(zstd_plain(MSS88))
    other.write_bytes(MSS88)
    told = []
    pptpcap.read([path, other], engine=engine, progress=lambda walked, total: told.append((walked, total)))
    total = path.stat().st_size + other.stat().st_size
    assert [of for _, of in told] == [total] * len(told)
    assert [walked for walked, _ in told] == sorted(walked for walked, _ in told)
    assert told[-1][0] == total


# ---- sizes


BOMB = """
import io, resource, struct, sys
sys.path[:0] = sys.argv[2:]
import compressors, pptpcap
name = sys.argv[1]
# Records of zeros, 4 MiB of them, 50 times over.
part = (struct.pack("<IIII", 1, 2, 250_000, 250_000) + bytes(250_000)) * 16
head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1)
if name == "one":
    state = compressors.zlib.compressobj(9, wbits=31)
    found = state.compress(head) + b"".join(state.compress(part) for _ in range(50)) + state.flush()
else:
    compress = compressors.COMPRESSORS[name]
    found = compress(head) + compress(part) * 50
size = 24 + 50 * len(part)
assert len(found) * (200 if name != "bgzf" else 80) < size, (len(found), size)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for what, engine in ((found, "compiled"), (type("Reader", (), {"read": io.BytesIO(found).read})(), "reference")):
    for last in pptpcap.iterate(what, engine=engine, batch_bytes=1 << 20): pass
    assert last.summary.packets == 800 and last.summary.files[0].size == size and not last.summary.damaged
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize("name", ["one", "gzip_plain", "bgzf", "zstd_plain", "lz4_plain", "xz_plain", "bzip2_plain"])
def test_bomb_takes_time_and_no_memory(name):
    arguments = [sys.executable, "-c", BOMB, name, str(TESTS / "support"), str(TESTS / "input")]
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 80, f"{run.stdout} MiB"


def test_window_grows_with_a_block_and_no_further(engine):
    large = File().section().interface()
    for _ in range(6):
        large.add(0x0BAD, bytes((16 << 20) - 12))
    octets = large.octets + as_pcapng(*packets(MSS88), "<")
    capture = pptpcap.read(gzip_plain(octets), engine=engine)
    assert same_but_places(capture, pptpcap.read(MSS88, engine=engine))
    sizes = []
    more = views.Window._more

    def measured(self):
        more(self)
        sizes.append(len(self.data))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views.Window, "_more", measured)
        capture = pptpcap.read(Reader(octets), engine=engine)
    assert same_but_places(capture, pptpcap.read(MSS88, engine=engine))
    assert 16 << 20 < max(sizes) < (16 << 20) + 2 * views.CHUNK


def test_many_empty_members_and_blocks_take_linear_time(engine):
    nothing = {
        "gzip": gzip_plain(b"") * 20_000,
        "skippable": skippable(0) * 100_000,
        "lz4": lz4_plain(b"") * 20_000,
        "zstd": zstd_plain(b"") * 20_000,
        "xz": xz_plain(b"") * 20_000,
        "bzip2": bzip2_plain(b"") * 20_000,
    }
    for family, octets in nothing.items():
        compress = COMPRESSORS[family + "_plain" if family in ("gzip", "xz", "bzip2") else "lz4_plain"]
        assert len(pptpcap.read(octets + compress(MSS88), engine=engine).gre) == 57, family


# ---- files that change


@pytest.mark.parametrize("compressor", [None, "gzip_stored", "zstd_plain", "lz4_plain"])
@pytest.mark.parametrize("how", ["mmap", "read"])
def test_file_that_shrinks_is_an_error_and_no_crash(engine, tmp_path, monkeypatch, how, compressor):
    small(monkeypatch, 1000)
    path = tmp_path / "shrinks"
    path.write_bytes(COMPRESSORS[compressor](MSS88) if compressor else MSS88)
    batches = pptpcap.iterate(path, batch_packets=10, engine=engine, io=how)
    next(batches)
    os.truncate(path, 2000)
    with pytest.raises(pptpcap.CaptureError, match="shrank") as caught:
        list(batches)
    assert caught.value.offset == 2000


def test_file_that_shrinks_between_a_check_and_the_read_is_an_error_too(tmp_path, monkeypatch):
    small(monkeypatch, 1000)
    monkeypatch.setattr(views.Window, "check", lambda _: None)
    path = tmp_path / "shrinks"
    for octets in (MSS88, COMPRESSORS["gzip_stored"](MSS88 + MSS88[24:] * 40)):
        path.write_bytes(octets)
        batches = pptpcap.iterate(path, batch_packets=10, io="read")
        next(batches)
        os.truncate(path, 2000)
        with pytest.raises(pptpcap.CaptureError, match="shrank"):
            list(batches)


@pytest.mark.parametrize("compressor", [None, "gzip_plain", "zstd_plain", "lz4_plain"])
@pytest.mark.parametrize("how", ["mmap", "read"])
def test_file_that_grows_is_read_as_it_was(engine, tmp_path, how, compressor):
    path = tmp_path / "grows"
    found = COMPRESSORS[compressor](MSS88) if compressor else MSS88
    path.write_bytes(found)
    batches = pptpcap.iterate(path, batch_packets=10, engine=engine, io=how)
    next(batches)
    with open(path, "ab") as file:
        file.write(found + b"garbage")
    (*_, last) = batches
    assert last.summary.packets == 109
    assert not last.summary.damaged


def test_reading_that_is_given_up_closes_its_file(tmp_path):
    path = tmp_path / "capture"
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    for compressor in (None, "gzip_members", "zstd_blocks"):
        path.write_bytes(COMPRESSORS[compressor](MSS88 * 3) if compressor else MSS88)
        for how in ("mmap", "read"):
            batches = pptpcap.iterate(path, batch_packets=10, io=how)
            next(batches)
            batches.close()
    if before:
        assert set(os.listdir("/proc/self/fd")) == before


def test_header_alone_is_a_capture_in_every_container(engine):
    for name, compress in COMPRESSORS.items():
        capture = pptpcap.read(compress(MSS88[:24]), engine=engine)
        assert (capture.summary.packets, capture.summary.damaged) == (0, False), name


def test_unknown_way_of_reading_is_refused(tmp_path):
    with pytest.raises(ValueError, match="io must be one of mmap, read, not 'map'"):
        pptpcap.read(MSS88, io="map")  # type: ignore[arg-type]

"""Files that grow and are rotated while they are read.

Nothing here depends on time: whoever reads and whoever writes take turns, and a reader that missed something would wait
for ever.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builder import Record, gre, gre_frame, pcap
from compressors import gzip_plain
from helpers import ENGINES, EngineName, issues, joined
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import started
from places import CAPTURES

import pptpcap
from pptpcap._input import fill, following, opening
from pptpcap.schema import EVENTS

OCTETS = (CAPTURES / "found" / "base.pcap").read_bytes()
START = 1_600_000_000
CORRUPT = struct.pack("<IIII", START, 654_321, 2**31, 2**31)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Nobody sleeps for long."""
    monkeypatch.setattr(following, "_LOOKS", 0)
    monkeypatch.setattr(fill, "_PATIENCE", 0.001)


def frame(number: int) -> bytes:
    return gre_frame(gre(b"\x00\x57", sequence=number))


def capture(*numbers: int) -> bytes:
    """A packet of Enhanced GRE for each number, which is its sequence number, and how many seconds later it came."""
    return pcap([Record(frame(number), seconds=START + number, fraction=654_321) for number in numbers])


def records(*numbers: int) -> bytes:
    """The same, to be appended to a capture."""
    return capture(*numbers)[24:]


def append(path: Path, octets: bytes) -> None:
    with path.open("ab") as file:
        file.write(octets)


class Follower:
    """A reading, and what it gave so far."""

    def __init__(self, source: Any, engine: EngineName = "compiled", **more: Any) -> None:
        self.reading = pptpcap.iterate(source, follow=True, engine=engine, **more)
        self.batches: list[Any] = []

    def until(self, reached: Callable[[Any], bool]) -> None:
        while not self.batches or not reached(self.batches[-1].summary):
            self.batches.append(next(self.reading))

    def packets(self, number: int) -> None:
        """Read until so many packets have come, and no more."""
        self.until(lambda summary: summary.packets >= number)
        assert self.batches[-1].summary.packets == number

    def table(self, name: str) -> Any:
        return joined([batch[name] for batch in self.batches])

    @property
    def sequence(self) -> list[int]:
        return [int(number) for number in self.table("gre")["sequence_number"]]

    @property
    def files(self) -> list[str]:
        return [os.path.basename(file.path) for file in self.batches[-1].summary.files]

    @property
    def issues(self) -> list[Any]:
        return issues({"issues": self.table("issues")})

    @property
    def damaged(self) -> list[bool]:
        return [file.damaged for file in self.batches[-1].summary.files]


# ---- one file


def test_a_file_that_grows(engine, tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1, 2))
    follower = Follower(path, engine)
    follower.packets(2)
    append(path, records(3))
    follower.packets(3)
    append(path, records(4, 5, 6))
    follower.packets(6)
    assert (follower.sequence, follower.issues, follower.damaged) == ([1, 2, 3, 4, 5, 6], [], [False])


def test_a_record_that_is_not_complete_yet(engine, tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1) + records(2)[:30])
    follower = Follower(path, engine)
    follower.packets(1)
    append(path, records(2)[30:] + records(3)[:5])
    follower.packets(2)
    append(path, records(3)[5:])
    follower.packets(3)
    assert (follower.sequence, follower.issues) == ([1, 2, 3], [])


def test_a_file_that_has_nothing_yet(tmp_path, monkeypatch):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(b"")
    follower = Follower(path)
    octets = capture(1)
    left = [octets[:10], octets[10:24], octets[24:]]
    monkeypatch.setattr("pptpcap._input.following.time.sleep", lambda _: append(path, left.pop(0) if left else b""))
    follower.packets(1)
    assert (follower.sequence, follower.issues, left) == ([1], [], [])


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(engine, tmp_path, order):
    path = tmp_path / "vpn.pcapng"
    path.write_bytes(started(order).packet(frame(1)).octets)
    follower = Follower(path, engine)
    follower.packets(1)
    block = started(order).packet(frame(2)).octets[48:]
    append(path, block[:-1])
    append(path, block[-1:])
    follower.packets(2)
    assert (follower.sequence, follower.issues) == ([1, 2], [])


def test_a_compressed_file(engine, tmp_path):
    """Its compressor is flushed behind each packet; the end of its data is not that of the file."""
    path = tmp_path / "vpn.pcap.gz"
    compressor = zlib.compressobj(wbits=31)
    path.write_bytes(compressor.compress(capture(1)) + compressor.flush(zlib.Z_SYNC_FLUSH))
    follower = Follower(path, engine)
    follower.packets(1)
    append(path, compressor.compress(records(2)) + compressor.flush(zlib.Z_SYNC_FLUSH))
    follower.packets(2)
    append(path, compressor.flush())
    append(path, gzip_plain(records(3)))
    follower.packets(3)
    assert (follower.sequence, follower.issues, follower.damaged) == ([1, 2, 3], [], [False])


def test_a_new_file_of_the_name(engine, tmp_path):
    """What was written to the old one before that is read; what streams hold goes on."""
    path, new = tmp_path / "vpn.pcap", tmp_path / "new"
    whole = pptpcap.read(OCTETS, engine=engine)
    place = int(whole.messages["record_offset"][5])
    path.write_bytes(OCTETS[: place // 2])
    follower = Follower(path, engine)
    follower.until(lambda summary: summary.packets > 0)
    append(path, OCTETS[place // 2 : place])
    new.write_bytes(OCTETS[:24] + OCTETS[place:])
    path.rename(tmp_path / "old")
    new.rename(path)
    follower.packets(whole.summary.packets)
    expected = pptpcap.read([OCTETS[:place], OCTETS[:24] + OCTETS[place:]], engine=engine)
    for table in EVENTS:
        assert follower.table(table).tobytes() == expected[table].tobytes(), table
    assert follower.files == ["vpn.pcap", "vpn.pcap"]


def test_a_name_that_is_gone_for_a_while(tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1))
    follower = Follower(path)
    follower.packets(1)
    path.unlink()
    # It is still written.
    (tmp_path / "new").write_bytes(capture(2))
    (tmp_path / "new").rename(path)
    follower.packets(2)
    assert (follower.sequence, follower.issues) == ([1, 2], [])


@pytest.mark.parametrize("rest", [b"", records(9)[:7]], ids=["whole", "cut"])
@pytest.mark.parametrize("new", [capture(5), capture(5, 6, 7, 8)], ids=["smaller", "larger"])
def test_a_file_that_is_begun_anew(engine, tmp_path, rest, new):
    """In place, as by a shell's ``>``; it may be larger again when it is looked at."""
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1, 2, 3) + rest)
    follower = Follower(path, engine)
    follower.packets(3)
    path.write_bytes(new)
    numbers = [5, 6, 7, 8] if new == capture(5, 6, 7, 8) else [5]
    follower.packets(3 + len(numbers))
    append(path, records(10))
    follower.packets(4 + len(numbers))
    assert follower.sequence == [1, 2, 3, *numbers, 10]
    read = len(capture(1, 2, 3) + rest)
    cut = [(4, "CONTAINER", "TRUNCATED_RECORD", 16, 7)] if rest else []
    assert follower.issues == [*cut, (4, "CONTAINER", "BEGUN_ANEW", read, len(new))]
    assert follower.damaged == [bool(rest), False]


def test_damage_ends_the_walk_of_a_file_until_the_next(engine, tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1))
    follower = Follower(path, engine)
    follower.packets(1)
    append(path, CORRUPT + records(3, 4))
    follower.until(lambda summary: summary.damaged)
    # This is told before there is another.
    assert [kind for _, _, kind, *_ in follower.issues] == ["CORRUPT_RECORD"]
    (tmp_path / "new").write_bytes(capture(5))
    (tmp_path / "new").rename(path)
    follower.packets(2)
    assert (follower.sequence, follower.damaged) == ([1, 5], [True, False])


def test_salvage_goes_on_behind_damage(engine, tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1))
    follower = Follower(path, engine, on_corrupt="salvage")
    follower.packets(1)
    append(path, CORRUPT + records(*range(3, 9)))
    follower.until(lambda summary: summary.packets == 7)
    assert follower.sequence == [1, *range(3, 9)]


# ---- patterns


@pytest.mark.parametrize("names", [("vpn.pcap", "vpn.pcap1", "vpn.pcap2"), ("vpn9.pcap", "vpn10.pcap", "vpn11.pcap")])
def test_the_next_file_of_a_pattern(engine, tmp_path, names):
    """In natural order, and a file is read to its end before the next."""
    first, second, third = (tmp_path / name for name in names)
    for number, path in enumerate((first, second), 1):
        path.write_bytes(capture(number))
        os.utime(path, ns=(number, number))
    follower = Follower(str(tmp_path / "vpn*"), engine)
    follower.packets(2)
    append(second, records(3))
    follower.packets(3)
    append(second, records(4))
    third.write_bytes(capture(5))
    follower.packets(5)
    # Nobody goes back to a file that was read.
    append(first, records(11))
    append(second, records(12))
    append(third, records(6))
    follower.packets(6)
    assert (follower.sequence, follower.issues, follower.files) == ([1, 2, 3, 4, 5, 6], [], list(names))


def test_a_ring_that_writes_over_its_files(engine, tmp_path):
    """It has begun anew over the first before, and goes on with the last, which is cut short first."""
    paths = [tmp_path / f"vpn.pcap{number}" for number in range(3)]
    for changed, (path, numbers) in enumerate(zip((paths[1], paths[2], paths[0]), ((1, 2), (3, 4), (5,)), strict=True)):
        path.write_bytes(capture(*numbers))
        os.utime(path, ns=(changed, changed))
    follower = Follower(str(tmp_path / "vpn.pcap?"), engine)
    follower.packets(5)
    append(paths[0], records(6))
    follower.packets(6)
    paths[1].write_bytes(b"")
    append(paths[1], capture(7))
    follower.packets(7)
    paths[2].write_bytes(capture(8, 9, 10))
    follower.packets(10)
    paths[0].unlink()
    paths[0].write_bytes(capture(11, 12))
    follower.packets(12)
    assert (follower.sequence, follower.issues) == ([*range(1, 13)], [])
    assert follower.files == [f"vpn.pcap{number}" for number in (1, 2, 0, 1, 2, 0)]


def test_files_that_are_renamed(tmp_path):
    """As by logrotate: the new file has the old name, and the old one a name that is matched too."""
    path = tmp_path / "vpn.pcap"
    path.write_bytes(capture(1))
    follower = Follower(str(tmp_path / "vpn.pcap*"))
    follower.packets(1)
    for number in (2, 3):
        if (tmp_path / "vpn.pcap.1").exists():
            (tmp_path / "vpn.pcap.1").rename(tmp_path / "vpn.pcap.2")
        path.rename(tmp_path / "vpn.pcap.1")
        path.write_bytes(capture(number))
        follower.packets(number)
    assert (follower.sequence, follower.issues) == ([1, 2, 3], [])


def test_a_file_that_is_gone_before_it_is_opened(tmp_path, monkeypatch):
    path, other = tmp_path / "vpn1.pcap", tmp_path / "vpn2.pcap"
    path.write_bytes(capture(1))
    follower = Follower(str(tmp_path / "vpn*.pcap"))
    follower.packets(1)
    before = opening.open_regular

    def opened(name: str) -> int:
        if name == str(other) and other.exists():
            other.unlink()
            (tmp_path / "vpn3.pcap").write_bytes(capture(2))
        return before(name)

    monkeypatch.setattr(following, "open_regular", opened)
    other.write_bytes(capture(7))
    follower.packets(2)
    assert (follower.sequence, follower.files) == ([1, 2], ["vpn1.pcap", "vpn3.pcap"])


# ---- the law


@pytest.mark.slow
@given(data=st.data())
def test_turns_change_no_row(data):
    """Whatever is written between two looks, and wherever a file ends."""
    engine = data.draw(st.sampled_from(ENGINES))
    ends = [24]
    while ends[-1] < len(OCTETS):
        ends.append(ends[-1] + 16 + struct.unpack_from("<I", OCTETS, ends[-1] + 8)[0])
    stops = sorted(data.draw(st.sets(st.sampled_from(ends[1:-1]), max_size=4)))
    parts = [OCTETS[start:stop] for start, stop in zip([24, *stops], [*stops, len(OCTETS)], strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"vpn{number}.pcap" for number in range(len(parts))]
        paths[0].write_bytes(OCTETS[:24])
        source = data.draw(st.sampled_from([str(Path(folder) / "vpn*.pcap")] if stops else [paths[0]]))
        follower = Follower(source, engine)
        packets = 0
        for path, part, start in zip(paths, parts, [24, *stops], strict=True):
            append(path, b"" if path.exists() else OCTETS[:24])
            written = 0
            for place in [*sorted(data.draw(st.lists(st.integers(1, len(part)), max_size=6))), len(part)]:
                append(path, part[written:place])
                written = place
                packets = sum(24 < end <= start + written for end in ends)
                if packets and (path == paths[-1] or data.draw(st.booleans())):
                    follower.packets(packets)
        follower.reading.close()
        files = [OCTETS[:24] + part for part in parts]
    expected = pptpcap.read(files, engine=engine)
    for table in EVENTS:
        assert follower.table(table).tobytes() == expected[table].tobytes(), table


# ---- ends and refusals


def test_what_is_opened_is_closed(tmp_path):
    """Also the next file, which is opened before the present one is left."""
    first, second = tmp_path / "vpn1.pcap", tmp_path / "vpn2.pcap"
    before = len(os.listdir("/proc/self/fd"))
    for path in (first, second):
        path.write_bytes(capture(1))
    follower = Follower(str(tmp_path / "vpn*.pcap"))
    follower.batches.append(next(follower.reading))
    assert len(os.listdir("/proc/self/fd")) > before
    follower.reading.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_cannot_be_followed(tmp_path):
    path = tmp_path / "vpn.pcap"
    with pytest.raises(FileNotFoundError, match="No such file"):
        next(pptpcap.iterate(path, follow=True))
    with pytest.raises(FileNotFoundError):
        next(pptpcap.iterate(str(tmp_path / "*.pcap"), follow=True))
    with pytest.raises(pptpcap.CaptureError, match="found a directory"):
        next(pptpcap.iterate(tmp_path, follow=True))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(pptpcap.CaptureError, match="found no regular file"):
        next(pptpcap.iterate(tmp_path / "pipe", follow=True))
    for source in (capture(1), [path], path.open):
        with pytest.raises(TypeError, match="only a path or a pattern can be followed"):
            pptpcap.iterate(source, follow=True)
    with pytest.raises(ValueError, match="cannot be sorted"):
        pptpcap.iterate(path, follow=True, order="time")
    path.write_bytes(b"text" * 20)
    with pytest.raises(pptpcap.CaptureError, match="found text"):
        next(pptpcap.iterate(path, follow=True))

"""Rows come as their packets come: from pipes, sockets and other streams, whatever the pauses.

Nothing here depends on time.  Where a stream is written step by step, each step waits for the rows of the one before, so
a reader that waited for more would wait for ever.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from compressors import COMPRESSORS, zstd_whole
from helpers import ENGINES, Decoded, decode, joined, same
from hypothesis import given
from hypothesis import strategies as st
from places import CAPTURES

import pptpcap
from pptpcap._input import fill, views
from pptpcap._input.streams import Input
from pptpcap.schema import TABLE_NAMES

FOUND = CAPTURES / "found"
BASE = FOUND / "base.pcap"
OCTETS = BASE.read_bytes()
# A format is recognised by these, or by all octets of a smaller file.
RECOGNISED = 64


def record_ends(data: bytes) -> list[int]:
    """Where the header and each record of a little-endian pcap file end."""
    found = [24]
    while found[-1] < len(data):
        found.append(found[-1] + 16 + struct.unpack_from("<I", data, found[-1] + 8)[0])
    return found


ENDS = record_ends(OCTETS)


def complete(size: int) -> int:
    """Packets of the capture in so many octets of it."""
    return sum(end <= size for end in ENDS[1:])


def between(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Octets cut at these places."""
    stops = [0, *sorted(places), len(data)]
    return [data[start:stop] for start, stop in itertools.pairwise(stops) if start < stop]


class Arriving:
    """A stream that gives one piece after the other, and counts what it gave; it cannot be asked whether more comes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.rest = b""
        self.given = 0

    def read(self, size: int) -> bytes:
        self.rest = self.rest or next(self.pieces, b"")
        part, self.rest = self.rest[:size], self.rest[size:]
        self.given += len(part)
        return part


def of_batches(batches: list[Any]) -> Decoded:
    summary = batches[-1].summary
    tables = {name: joined([batch[name] for batch in batches]) for name in TABLE_NAMES}
    return Decoded(tables, dict(summary.counters), bool(summary.damaged))


def live(source: Any, **more: Any) -> Decoded:
    return of_batches(list(pptpcap.iterate(source, live=True, **more)))


# ---- a stream that cannot be asked whether more comes


@given(places=st.lists(st.integers(1, len(OCTETS) - 1), max_size=60), engine=st.sampled_from(ENGINES))
def test_a_batch_has_every_packet_that_has_come(places, engine):
    """And there is one for each piece that completes a packet, but those by which the format is recognised."""
    stream = Arriving(between(OCTETS, places))
    seen = set()
    for batch in pptpcap.iterate(stream, live=True, engine=engine, tables=["messages"]):
        assert batch.summary.packets == complete(stream.given)
        seen.add(batch.summary.packets)
    sizes = [*(size for size in places if size >= RECOGNISED), len(OCTETS)]
    assert seen == {complete(size) for size in sizes} - {0}


FILES = {
    name: (FOUND / name).read_bytes()
    for name in (
        *("base.pcap", "any_router_fragments_dup.pcap", "concat_two_pcaps.pcap", "trailing_zeros.pcap"),
        *("container_snoop.snoop", "container_netmon2.cap", "container_zip.pcap.zip"),
    )
}
FILES |= {name: compress(OCTETS) for name, compress in COMPRESSORS.items()}


@given(data=st.data())
def test_pauses_change_no_row(data):
    """Whatever the format, the damage and the size of batches."""
    octets = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    octets = octets[: data.draw(st.integers(70, len(octets)))]
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets = octets[:place] + data.draw(st.binary(min_size=1, max_size=8)) + octets[place + 1 :]
    more: dict[str, Any] = {"engine": data.draw(st.sampled_from(ENGINES))}
    more["on_corrupt"] = data.draw(st.sampled_from(["stop", "salvage"]))
    batches = data.draw(st.sampled_from([{}, {"batch_packets": 5}, {"batch_bytes": 1_000}]))
    stream = Arriving(between(octets, data.draw(st.lists(st.integers(1, len(octets)), max_size=40))))
    try:
        expected = decode(octets, **more)
    except pptpcap.CaptureError as error:
        with pytest.raises(pptpcap.CaptureError, match=re.escape(error.found)):
            live(stream, **more, **batches)
        return
    same(live(stream, **more, **batches), expected)


def flushed_gzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=31)
    for part in parts:
        yield compressor.compress(part) + compressor.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize("compressed", [flushed_gzip, lambda parts: map(zstd_whole, parts)], ids=["gzip", "zstd"])
@pytest.mark.parametrize("window", [views.CHUNK, 1], ids=["large", "always full"])
def test_what_is_decompressed_is_not_held_back(engine, monkeypatch, compressed, window):
    monkeypatch.setattr(views, "CHUNK", window)
    pieces = list(compressed(between(OCTETS, ENDS)))
    sizes = itertools.accumulate(map(len, pieces))
    # The first piece has the header.
    packets = {size: number for number, size in enumerate(sizes)}
    seen = []
    stream = Arriving(pieces)
    for batch in pptpcap.iterate(stream, live=True, engine=engine, tables=["messages"]):
        seen.append(batch.summary.packets)
        if len(seen) < len(pieces):
            assert seen[-1] == packets[stream.given]
    assert sorted(set(seen)) == list(range(1, len(pieces)))


def test_batches_are_full_unless_they_are_to_be_live(engine):
    stream = Arriving(between(OCTETS, ENDS))
    assert [batch.summary.packets for batch in pptpcap.iterate(stream, engine=engine)] == [len(ENDS) - 1]


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_what_waits_for_nobody_is_read_as_ever(engine, kind):
    source: Any = {"path": BASE, "bytes": OCTETS, "file": io.BytesIO(OCTETS)}[kind]
    assert len(list(pptpcap.iterate(source, live=True, engine=engine))) == 1


# ---- step by step


class Writer:
    """The other end of a stream."""

    def __init__(self, write: Callable[[bytes], object], close: Callable[[], object]) -> None:
        self.write, self.close = write, close


@pytest.fixture(params=["unbuffered", "buffered", "named", "socket"])
def stream(request, tmp_path):
    """Something to read, and the other end of it."""
    if request.param == "socket":
        one, two = socket.socketpair()
        with one, two, one.makefile("rb") as file:
            yield file, Writer(two.sendall, lambda: two.shutdown(socket.SHUT_WR))
        return
    if request.param == "named":
        path = tmp_path / "pipe"
        os.mkfifo(path)
        # On Linux this waits for nobody.
        with open(path, "r+b", buffering=0) as file:
            yield path, Writer(file.write, file.close)
        return
    ours, theirs = os.pipe()
    buffering = 0 if request.param == "unbuffered" else -1
    with open(ours, "rb", buffering=buffering) as file, open(theirs, "wb", buffering=0) as other:
        yield file, Writer(other.write, other.close)


@pytest.mark.parametrize("window", [views.CHUNK, 1], ids=["large", "always full"])
def test_a_packet_that_waits_for_the_one_before(engine, monkeypatch, stream, window):
    monkeypatch.setattr(views, "CHUNK", window)
    monkeypatch.setattr(fill, "_PATIENCE", 0.001)
    source, other = stream
    reading = pptpcap.iterate(source, live=True, engine=engine)
    steps = between(OCTETS, ENDS)
    other.write(steps[0] + steps[1])
    batches = [next(reading)]
    for number, step in enumerate(steps[2:], 2):
        assert batches[-1].summary.packets == number - 1
        # A record that has not come as a whole is no packet yet.
        other.write(step[:20])
        other.write(step[20:])
        while batches[-1].summary.packets < number:
            batches.append(next(reading))
    other.close()
    batches += reading
    same(of_batches(batches), decode(OCTETS, engine))


def test_what_never_pauses_is_not_held_back_either(monkeypatch):
    """Octets that always come in time fill no window of any size: a clock that goes on by itself ends it."""

    class Endless(Input):
        path, waits = "endless", True

        def comes(self, _seconds: float) -> bool:
            return True

        def _read(self, _size: int) -> bytes:
            return bytes(10)

    monkeypatch.setattr(fill, "time", SimpleNamespace(monotonic=itertools.count(1, fill._PATIENCE / 10).__next__))
    flow = fill.Plain(Endless(), live=True)
    flow.begin(memoryview(bytearray(10_000)))
    assert 10 <= flow.filled() <= 120
    assert flow.paused


def test_a_stream_that_does_not_block_has_not_ended(engine):
    """Where it has nothing now, that is an error, not the end."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    with open(ours, "rb") as file, open(theirs, "wb", buffering=0) as other:
        other.write(OCTETS)
        reading = pptpcap.iterate(file, live=True, engine=engine)
        assert next(reading).summary.packets == len(ENDS) - 1
        with pytest.raises(BlockingIOError, match="the stream does not block"):
            next(reading)

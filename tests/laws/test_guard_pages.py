"""Nothing is read outside the captured octets: each frame, cut at each length, in memory that ends at a forbidden page.

A read of one octet too many, or of one before the first, ends the process.  Without a Linux of ``mprotect`` these tests
would prove nothing, so they fail there.
"""

from __future__ import annotations

import struct
from random import Random

import pytest
from builder import pcap_header
from fuzz.guard import Guard
from fuzz.links import LINKS, Frame, pcap, pcapng, wrap
from fuzz.targets import frames_of
from fuzz.traffic import conversation, network
from helpers import BUNDLED

from pptpcap import core
from pptpcap._input.identify import identify
from pptpcap.wire.limits import DEFAULT

pytestmark = pytest.mark.slow

PORTS = (1723,)
# Of each capture, the first frames of each length: all kinds of them and none a hundred times.
MOST_FRAMES = 12


def rows(scanned, container) -> int:
    """Scan all of it, take it in, count what came out."""
    assembler = core.Assembler(PORTS, DEFAULT)
    assembler.feed(core.scan_range(scanned, 0, len(scanned), container, PORTS, DEFAULT))
    assembler.finish()
    return sum(map(len, assembler.take().values()))


def chosen(frames):
    by_length: dict[int, Frame] = {}
    for frame in frames:
        by_length.setdefault(len(frame.data), frame)
    return list(by_length.values())[:MOST_FRAMES]


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.name)
def test_every_length_of_every_frame(path):
    container = identify(path.read_bytes()[:64], 64, path.name)
    guard = Guard()
    for frame in chosen(frames_of(path.read_bytes())):
        for length in range(len(frame.data) + 1):
            head = struct.pack("<IIII", frame.seconds, frame.fraction, length, frame.original)
            record = head + frame.data[:length]
            assert rows(guard.before_end(record), container) == rows(record, container)
            assert rows(guard.behind_start(record), container) == rows(record, container)


@pytest.mark.parametrize("link", LINKS)
def test_every_length_of_every_link(link):
    rng = Random(link)
    packets = [packet for part in conversation(rng, False) for packet in network(rng, *part)]
    container = identify(pcap_header(link=link), 24, "a")
    guard = Guard()
    for packet in packets[:6]:
        frame = wrap(rng, link, packet)
        for length in range(min(len(frame), 120) + 1):
            record = struct.pack("<IIII", 1, 2, length, len(frame)) + frame[:length]
            assert rows(guard.before_end(record), container) == rows(record, container)


@pytest.mark.parametrize("write", [pcap, pcapng])
@pytest.mark.parametrize("salvage", [False, True])
def test_every_length_of_a_file(write, salvage):
    rng = Random(7)
    frames = [
        Frame(1, wrap(rng, 1, packet), 99, 5, 6) for part in conversation(rng, False) for packet in network(rng, *part)
    ]
    data = write(rng, frames[:6])
    container = identify(data[:64], len(data), "a")
    guard = Guard()
    for length in range(container.first_record, len(data) + 1):
        part = guard.before_end(data[:length])
        scan = core.scan_range(part, container.first_record, length, container, PORTS, DEFAULT, salvage=salvage)
        assert scan.end <= length

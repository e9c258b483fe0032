"""What is tried: containers, boxes, frames and streams, GRE and PPP, and what is kept.  A target makes a file of numbers.

Knows how to take a capture apart and put it together damaged; every choice comes from a ``random.Random``.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from builder import CLIENT, CLIENT6, SERVER, SERVER6

from fuzz.boxes import packed, written
from fuzz.links import LINKS, Frame, pcap, pcapng, wrap
from fuzz.traffic import conversation, edge, network, octets, tunnelled

CAPTURES = Path(__file__).resolve().parent.parent / "captures"

# Inputs above this are cut: what takes long finds little.
MOST_OCTETS = 24_000
MOST_FRAMES = 90


@cache
def seeds() -> tuple[tuple[Frame, ...], ...]:
    """The frames of each capture that comes with the tests, and of those inside mirrors."""
    paths = sorted(CAPTURES.glob("*.pcap")) + sorted(CAPTURES.glob("found/tunnel_*.pcap"))
    return tuple(tuple(frames_of(path.read_bytes())) for path in paths)


def frames_of(data: bytes) -> list[Frame]:
    """The frames of a pcap file, as far as its records are whole."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    found, start = [], 24
    while start + 16 <= len(data):
        seconds, fraction, captured, original = struct.unpack_from(order + "IIII", data, start)
        octets = data[start + 16 : start + 16 + captured]
        if len(octets) < captured:
            break
        found.append(Frame(link, octets, original, seconds, fraction))
        start += 16 + captured
    return found


def damaged(rng: Random, data: bytes, reach: int) -> bytes:
    """Some octets changed, taken out, put in or repeated; mostly in the first `reach`."""
    work = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8, 30))):
        if not work:
            break
        at = rng.randrange(min(len(work), reach) if rng.random() < 0.8 else len(work))
        choice = rng.random()
        if choice < 0.35:
            work[at] ^= 1 << rng.randrange(8)
        elif choice < 0.55:
            work[at] = rng.choice((0, 1, 4, 6, 8, 41, 44, 47, 0x45, 0x60, 0x80, 255))
        elif choice < 0.7:
            width = rng.choice((1, 2, 4))
            number = edge(rng, width).to_bytes(width, rng.choice(("big", "little")))
            work[at : at + width] = number
        elif choice < 0.8:
            del work[at : at + rng.randrange(1, 24)]
        elif choice < 0.9:
            work[at:at] = work[max(0, at - 24) : at]
        else:
            work[at:at] = octets(rng, rng.randrange(1, 12))
    return bytes(work)


def _taken(rng: Random, frames: list[Frame]) -> list[Frame]:
    """A part of the frames, some moved, repeated, cut short, or with another time."""
    start = rng.randrange(max(1, len(frames) - 5))
    found = frames[start : start + rng.randrange(1, MOST_FRAMES)]
    for _ in range(rng.randrange(4)):
        if len(found) > 1:
            found.insert(rng.randrange(len(found)), found[rng.randrange(len(found))])
            if rng.random() < 0.5:
                found.pop(rng.randrange(len(found)))
    snap = rng.choice((65535, 65535, 65535, 96, 64, 60, 54, 42, 34))
    for index, frame in enumerate(found):
        data = frame.data[:snap] if rng.random() > 0.02 else frame.data[: rng.randrange(len(frame.data) + 1)]
        original = frame.original if rng.random() > 0.01 else edge(rng, 4)
        fraction = frame.fraction if rng.random() > 0.01 else rng.choice((10**6, 10**9, 2**32 - 1))
        seconds = frame.seconds if rng.random() > 0.01 else frame.seconds + rng.choice((-61, -2, 2, 61, 10**6))
        found[index] = Frame(frame.link, data, original, seconds % 2**32, fraction)
    return found


def _framed(rng: Random, packets: Sequence[bytes], link: int) -> list[Frame]:
    found = []
    packets_a_second = rng.choice((1, 1, 50))
    for number, packet in enumerate(packets[: 2 * MOST_FRAMES]):
        data = wrap(rng, link, packet)
        found.append(Frame(link, data, len(data), 1_600_000_000 + number // packets_a_second, number))
    return found


def _built(rng: Random, gre_alone: bool = False) -> list[Frame]:
    """Frames of conversations and tunnels, woven into each other."""
    six = rng.random() < 0.2
    ends = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    queues: list[list[tuple[bytes, bytes, int, bytes]]] = []
    if not gre_alone:
        queues += [conversation(rng, six) for _ in range(rng.randrange(1, 4))]
    tunnels = []
    for _ in range(rng.randrange(5, 60) if gre_alone else rng.randrange(rng.choice((6, 50)))):
        order = ends if rng.random() < 0.5 else ends[::-1]
        tunnels.append((*order, 47, tunnelled(rng)))
    queues.append(tunnels)
    packets: list[bytes] = []
    while any(queues):
        queue = rng.choice([queue for queue in queues if queue])
        packets += network(rng, *queue.pop(0))
    link = rng.choice(LINKS)
    return _framed(rng, packets, link)


def _frames(rng: Random) -> list[Frame]:
    """Frames of a seed or built ones."""
    return list(rng.choice(seeds())) if rng.random() < 0.4 else _built(rng)


def containers(rng: Random) -> bytes:
    """A file whose records or blocks lie: any format, byte order, resolution; then damaged, cut, spliced."""
    frames = _taken(rng, _frames(rng))[:30]
    if rng.random() < 0.3:
        frames += _taken(rng, _frames(rng))[:10]
    write = pcapng if rng.random() < 0.7 else pcap
    data = write(rng, frames)
    choice = rng.random()
    if choice < 0.35:
        work = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(work)) & ~3
            work[at : at + 4] = edge(rng, 4).to_bytes(4, rng.choice(("big", "little")))
        data = bytes(work)
    elif choice < 0.5:
        data = damaged(rng, data, 200)
    elif choice < 0.6:
        data = data[: rng.randrange(len(data) + 1)]
    elif choice < 0.7:
        data += rng.choice((pcap, pcapng))(rng, frames[:3])
    elif choice < 0.75:
        at = rng.randrange(len(data)) & ~3
        data = data[:at] + bytes(rng.choice((4, 12, 16, 32, 400))) + data[at:]
    return data[:MOST_OCTETS]


def boxes(rng: Random) -> bytes:
    """Files of other formats, compressed, in archives; damaged before and after they are packed."""
    data = written(rng, _taken(rng, _frames(rng))[:30])
    if rng.random() < 0.4:
        data = damaged(rng, data, rng.choice((32, 200, len(data))))
    data = packed(rng, data)
    choice = rng.random()
    if choice < 0.5:
        data = damaged(rng, data, rng.choice((32, 200, len(data))))
    elif choice < 0.6:
        data = data[: rng.randrange(len(data) + 1)]
    return data[:MOST_OCTETS]


def frames(rng: Random) -> bytes:
    """Frames and streams: conversations that overlap, reorder and lie; headers damaged; fragments; every link."""
    found = _taken(rng, _frames(rng)) if rng.random() < 0.7 else _frames(rng)
    if rng.random() < 0.5:
        for index in range(len(found)):
            if rng.random() < 0.15:
                frame = found[index]
                data = damaged(rng, frame.data, 70)
                found[index] = Frame(frame.link, data, max(len(data), frame.original), frame.seconds, frame.fraction)
    return pcap(rng, found)[:MOST_OCTETS] if rng.random() < 0.9 else pcapng(rng, found)[:MOST_OCTETS]


def gre(rng: Random) -> bytes:
    """Enhanced GRE and PPP: flags, lengths and framings that contradict each other, cut at every place."""
    found = _built(rng, gre_alone=True)
    for index, frame in enumerate(found):
        choice = rng.random()
        data, original = frame.data, frame.original
        if choice < 0.2:
            data = data[: rng.randrange(len(data) + 1)]
        elif choice < 0.4:
            data = damaged(rng, data, 60)
            original = len(data)
        elif choice < 0.45:
            data += octets(rng, rng.randrange(20))
            original = len(data)
        elif choice < 0.47:
            original = edge(rng, 4)
        found[index] = Frame(frame.link, data, original, frame.seconds, frame.fraction)
    return pcap(rng, found)[:MOST_OCTETS]


def kept(rng: Random) -> bytes:
    """An input that is kept because it reaches what no other does, or failed once; damaged."""
    return damaged(rng, rng.choice(_kept()), 400)[:MOST_OCTETS]


@cache
def _kept() -> tuple[bytes, ...]:
    # What is kept stands in forms that begin from this module.
    from fuzz.corpus import kept

    return tuple(each.capture for each in kept())


TARGETS: dict[str, Callable[[Random], bytes]] = {
    "containers": containers,
    "boxes": boxes,
    "frames": frames,
    "gre": gre,
    "kept": kept,
}


def input_of(target: str, seed: int, number: int) -> bytes:
    """Input `number` of a target: the same on every machine.  Those of ``kept`` begin with what is kept, as it is."""
    if target == "kept" and number < len(_kept()):
        return _kept()[number]
    return TARGETS[target](Random(f"{seed} {target} {number}"))

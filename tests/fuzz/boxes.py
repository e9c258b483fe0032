"""Captures in other formats, compressed and in archives, damaged outside and inside.

Knows builders of these formats; every choice comes from a ``random.Random``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from compressors import COMPRESSORS
from other_formats import as_netmon, as_snoop
from zip_builder import DEFLATED, STORED, Member, archive

from fuzz.links import Frame, pcap, pcapng

_VERSIONS = ((1, 1), (2, 0), (2, 1), (2, 2), (2, 3))
_NAMES = (b"a.pcap", b"b/", b"__MACOSX/._a.pcap", b"\xff\x1b[31m", b"../x", b"")
_BEHIND = ("", "", "signed", "plain", "signed 8", "plain 8")


def written(rng: Random, frames: Sequence[Frame]) -> bytes:
    """A file of any format."""
    choice = rng.random()
    if choice < 0.2:
        return pcap(rng, frames)
    if choice < 0.3:
        return pcapng(rng, frames)
    several = [
        (frame.seconds * 10**9 + frame.fraction % 10**6 * 1000, frame.original, frame.data)
        for frame in frames
        if frame.seconds < 1 << 31
    ]
    if choice < 0.6 or not several:
        return as_snoop(
            several, link=rng.choice((4, 4, 4, 0, 9, rng.getrandbits(5))), version=rng.choice((2, 2, 2, 3, 5))
        )
    # The captured length of the oldest version has 16 bits, its time 32.
    near = [
        (time, original & 0xFFFF, octets)
        for time, original, octets in several
        if 0 <= time - several[0][0] < 10**14 and len(octets) < 1 << 16
    ]
    return as_netmon(near, rng.choice(_VERSIONS))


def packed(rng: Random, data: bytes) -> bytes:
    """The file as it is, compressed, or in an archive with others."""
    choice = rng.random()
    if choice < 0.3:
        return data
    if choice < 0.6:
        return COMPRESSORS[rng.choice(sorted(COMPRESSORS))](data)
    return archive(*(_member(rng, data) for _ in range(rng.randrange(1, 4))), wide=rng.random() < 0.2)


def _member(rng: Random, data: bytes) -> Member:
    content = rng.choice((data, data, b"text", COMPRESSORS[rng.choice(sorted(COMPRESSORS))](data)))
    behind = rng.choice(_BEHIND)
    wrong = {name: rng.getrandbits(rng.choice((8, 32))) for name in ("crc", "size", "compressed", "offset")}
    lie = rng.choice(("crc", "size", "compressed", "offset")) if rng.random() < 0.1 else ""
    return Member(
        rng.choice(_NAMES), content, rng.choice((DEFLATED, DEFLATED, DEFLATED if behind else STORED)),
        flags=rng.choice((0, 0, 0, 0x800)), behind=behind, wide=rng.random() < 0.2,
        crc=wrong["crc"] if lie == "crc" else None, size=wrong["size"] if lie == "size" else None,
        compressed=wrong["compressed"] if lie == "compressed" else None,
        offset=wrong["offset"] if lie == "offset" else None,
    )  # fmt: skip

"""Takes compressed frames that state their length from an input, so that several can be decompressed in parallel.

Knows where BGZF blocks and zstd frames end.  A stated length is trusted only if decompressing confirms it; ``codecs``
reads all other frames.  Must not know threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .codecs import (
    MAGIC_SIZE,
    ZSTD_CONTENT_SIZE,
    empty_run,
    fast_inflate,
    is_empty_run,
    is_skippable,
    name_of,
    zstd_head_size,
    zstd_library,
)
from .streams import Input

__all__ = ["Unit", "next_unit", "unpacked"]

# Largest frame, compressed and decompressed; larger ones are decompressed a piece at a time.
_MOST = 16 << 20
# Most headers and blocks of one frame: each takes memory of its own.
_MOST_PARTS = 4096
# A unit is complete at this size: the overhead of a unit is small then.
_ENOUGH = 1 << 20
# Overhead in memory of a frame, beside its compressed and decompressed bytes, and of a unit.
_FRAME_COST = 256
_UNIT_COST = 2048

# The header of a BGZF block, SAM specification section 4.1: its only optional field is the length of the block.
_BGZF_MAGIC = b"\x1f\x8b\x08\x04"
_BGZF_EXTRA = b"\x06\x00BC\x02\x00"
_BGZF_HEAD = 18
_BGZF_LEAST = 28
_BGZF_CONTENT = 64 << 10

_SKIPPABLE_HEAD = 8
# Octets that a block holds at most, RFC 8878 section 3.1.1.2.
_ZSTD_BLOCK = 128 << 10
_ZSTD_RUN, _ZSTD_COMPRESSED = 1, 2
# A window of 2 ** (10 + 13) octets, and up to seven eighths more, is less than `_MOST`.
_ZSTD_EXPONENT = 13


class Unit(NamedTuple):
    """Frames that one task decompresses.

    Attributes
    ----------
    name : str
        What they are, "" where all are to be stepped over.
    frames : list of bytes
        As they lie; of those that hold nothing, a run is one.
    limits : list of int
        Octets that each holds at most.
    library : module
        It reads them.
    """

    name: str
    frames: list[bytes]
    limits: list[int]
    library: Any

    @property
    def weight(self) -> int:
        """Largest memory that the frames take, compressed, decompressed, and as Python objects."""
        return sum(map(len, self.frames)) + sum(self.limits) + _FRAME_COST * len(self.frames) + _UNIT_COST


def next_unit(octets: Input) -> Unit | None:
    """Take the next frames: a large one, or several small ones.

    Parameters
    ----------
    octets : Input
        It stands where a frame begins.

    Returns
    -------
    Unit or None
        None, and nothing is taken, where the next frame does not say how long it is, is cut or is too large.
    """
    name, library = "", None
    frames: list[bytes] = []
    limits: list[int] = []
    size = most = 0
    while size < _ENOUGH and most < _ENOUGH:
        head = octets.peek(MAGIC_SIZE)
        found = "" if is_skippable(head) else name_of(head)
        if found not in _TAKERS or (name and found and found != name):
            break
        frame, limit = empty_run(octets, found), 0
        if not frame:
            taken = _Taken(octets)
            try:
                limit = _TAKERS[found](taken)
            except _NoUnitError:
                octets.back(taken.frame)
                break
            frame = taken.frame
        if found and not name:
            name, library = found, fast_inflate(octets) if found == "gzip" else zstd_library(octets)
        frames.append(frame)
        limits.append(limit)
        size += len(frame) + _FRAME_COST
        most += limit
    return Unit(name, frames, limits, library) if frames else None


def unpacked(unit: Unit) -> list[bytes] | None:
    """The content of a unit; None if a frame is corrupt, or its stated length is wrong."""
    pieces = []
    for whole, limit in zip(unit.frames, unit.limits, strict=True):
        frame = memoryview(whole)
        if is_skippable(whole[:MAGIC_SIZE]) or (not limit and is_empty_run(whole, unit.name)):
            continue
        state = unit.library.decompressobj(wbits=31) if unit.name == "gzip" else unit.library.ZstdDecompressor()
        error = unit.library.error if unit.name == "gzip" else unit.library.ZstdError
        try:
            if unit.name == "zstd":
                # The header alone first: given a complete frame, the library checks less.
                head = zstd_head_size(whole[4])
                state.decompress(frame[:head])
                frame = frame[head:]
            # One byte more, so that a frame of exactly the limit reaches its end.
            piece = state.decompress(frame, limit + 1)
        except error:
            return None
        if not state.eof or state.unused_data or len(piece) > limit:
            return None
        if piece:
            pieces.append(piece)
    return pieces


class _Taken:
    """Octets that were taken of a frame."""

    def __init__(self, octets: Input) -> None:
        self._octets = octets
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def frame(self) -> bytes:
        """All of them."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def peek(self, size: int) -> bytes:
        """See the next ones."""
        return self._octets.peek(size)

    def more(self, size: int) -> bytes:
        """Take the next ones."""
        part = self._octets.take(size)
        self._parts.append(part)
        self._size += len(part)
        _require(len(part) == size and self._size <= _MOST and len(self._parts) <= _MOST_PARTS)
        return part


class _NoUnitError(Exception):
    """The frame cannot be taken as part of a unit."""


def _require(condition: bool) -> None:
    if not condition:
        raise _NoUnitError


def _bgzf_block(taken: _Taken) -> int:
    """Take a block of BGZF; octets that it holds at most."""
    head = taken.peek(_BGZF_HEAD)
    _require(head[:4] == _BGZF_MAGIC and head[10:16] == _BGZF_EXTRA and len(head) == _BGZF_HEAD)
    size = int.from_bytes(head[16:], "little") + 1
    _require(size >= _BGZF_LEAST)
    limit = int.from_bytes(taken.more(size)[-4:], "little")
    _require(limit <= _BGZF_CONTENT)
    return limit


def _zstd_frame(taken: _Taken) -> int:
    """Take a zstd frame, RFC 8878 section 3.1.1; octets that it holds at most."""
    flags = taken.more(5)[4]
    head = taken.more(zstd_head_size(flags) - 5)
    single_segment = flags >> 5 & 1
    # The decoder allocates a window, or room for the content, before it has any.
    _require(bool(single_segment) or head[0] >> 3 <= _ZSTD_EXPONENT)
    width = ZSTD_CONTENT_SIZE[flags >> 6] or single_segment
    said = int.from_bytes(head[len(head) - width :], "little") + (256 if width == 2 else 0)
    content = 0
    last = False
    while not last:
        word = int.from_bytes(taken.more(3), "little")
        last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
        _require(size <= _ZSTD_BLOCK)
        content += _ZSTD_BLOCK if kind == _ZSTD_COMPRESSED else size
        taken.more(1 if kind == _ZSTD_RUN else size)
        _require((said if width else content) <= _MOST)
    if flags & 4:
        taken.more(4)
    return min(said, content) if width else content


def _skippable(taken: _Taken) -> int:
    """Take a skippable frame."""
    head = taken.more(_SKIPPABLE_HEAD)
    _require(is_skippable(head[:MAGIC_SIZE]))
    size = int.from_bytes(head[4:], "little")
    _require(size <= _ENOUGH)
    taken.more(size)
    return 0


_TAKERS = {"gzip": _bgzf_block, "zstd": _zstd_frame, "": _skippable}

"""Decompresses gzip members, zstd frames and lz4 frames one behind the other, a little at a time.

Knows frames and the libraries that read them, which it imports when they are needed, and nothing of captures.  Called
by ``source``; its octets are walked through ``windows``.
"""

from __future__ import annotations

import importlib
import sys
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from . import windows
from .inputs import Input

__all__ = ["MAGIC_SIZE", "Decompressed", "name_of"]

# Octets of a file that `name_of` wants to see.
MAGIC_SIZE = 4

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LZ4 = b"\x04\x22\x4d\x18"
# zstd and lz4 share them; the low half of the first octet is free.
_SKIPPABLE = b"\x50\x2a\x4d\x18"

# Octets of gzip data that are inflated at once.  Deflate makes 1032 of one at most, so this bounds what a bomb can do.
_GZIP_CHUNK = 16 << 10
_SKIP_CHUNK = 1 << 20

_ZSTD_LIBRARY = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
_ZSTD_DICTIONARY = (0, 1, 2, 4)
_ZSTD_CONTENT_SIZE = (0, 2, 4, 8)
_ZSTD_RUN = 1
_LZ4_BLOCKS = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}


def name_of(head: bytes) -> str:
    """What kind of compressed data begins with these octets, "" where none does."""
    if head[:2] == _GZIP:
        return "gzip"
    if head[:4] == _ZSTD:
        return "zstd"
    if head[:4] == _LZ4:
        return "lz4"
    return "zstd or lz4" if _is_skippable(head) else ""


def _is_skippable(head: bytes) -> bool:
    return len(head) == 4 and head[0] & 0xF0 == _SKIPPABLE[0] and head[1:] == _SKIPPABLE[1:]


class _DamageError(Exception):
    """Compressed data are cut or corrupt; what was given before is sound."""


@dataclass
class _Batch:
    """What is decompressed at once, and whether it was the last."""

    pieces: list[bytes]
    ended: bool = False
    damage: str = ""


class Decompressed:
    """What compressed input holds, as a ``windows.Flow``.

    Where reading the input waits for nobody, the next octets are made while the last are walked.

    Parameters
    ----------
    octets : Input
        The file, from its first octet.
    """

    def __init__(self, octets: Input) -> None:
        self.path = octets.path
        self.damage = ""
        self._input = octets
        self._pieces = _pieces(octets)
        self._ready: deque[memoryview] = deque()
        self._ended = False
        self._stopped = False
        self._worker = ThreadPoolExecutor(1, "pptpcap-decompress") if octets.prompt else None
        self._worker_ident = 0
        self._future: Future[_Batch] | None = None

    @property
    def consumed(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self._input.consumed

    def into(self, room: memoryview) -> int:
        """Put the next octets at the start of `room`, say how many; 0 at the end."""
        while not self._ready:
            if self._ended:
                return 0
            self._take(self._next())
        piece = self._ready.popleft()
        count = min(len(piece), len(room))
        room[:count] = piece[:count]
        if count < len(piece):
            self._ready.appendleft(piece[count:])
        return count

    def check(self) -> None:
        """Raise CaptureError where the file shrank."""
        self._input.check()

    def close(self) -> None:
        """Let go of the file."""
        if self._worker is None:
            self._input.close()
            return
        # Behind what the worker still does: a descriptor that is closed meanwhile may be another file's by then.
        self._stopped = True
        self._worker.submit(self._input.close)
        # A reading that nobody finished may be collected in any thread, this one too.
        self._worker.shutdown(wait=threading.get_ident() != self._worker_ident)

    def _take(self, batch: _Batch) -> None:
        self._ready.extend(map(memoryview, batch.pieces))
        self._ended = batch.ended
        self.damage = batch.damage

    def _next(self) -> _Batch:
        if self._worker is None:
            return self._collect()
        batch = (self._future or self._worker.submit(self._collect)).result()
        self._future = None if batch.ended else self._worker.submit(self._collect)
        return batch

    def _collect(self) -> _Batch:
        self._worker_ident = threading.get_ident()
        batch = _Batch([])
        size = 0
        try:
            while size < windows.CHUNK and not self._stopped:
                piece = next(self._pieces, None)
                if piece is None:
                    batch.ended = True
                    break
                size += len(piece)
                if piece:
                    batch.pieces.append(piece)
        except _DamageError as error:
            batch.ended = True
            batch.damage = str(error)
        return batch


def _pieces(octets: Input) -> Iterator[bytes]:
    """All that is decompressed, with empty pieces where much is read and nothing comes."""
    inflate = _library("isal.isal_zlib", "") if octets.again else None
    if inflate is None:
        yield from _frames(octets, zlib)
        return
    given = 0
    try:
        for piece in _frames(octets, inflate):
            given += len(piece)
            yield piece
        return
    except inflate.error:
        octets.begin_again()
    # Of the call that failed, isal gives nothing; zlib gives all that comes before the first octet that is corrupt.
    for piece in _frames(octets, zlib):
        yield piece[given:]
        given -= min(given, len(piece))


def _frames(octets: Input, inflate: Any) -> Iterator[bytes]:
    name = "skippable"
    while head := octets.peek(MAGIC_SIZE):
        found = name_of(head)
        if not found and name == "gzip" and head[0] == 0:
            # A tape is filled up with zeros.
            yield from _skip_zeros(octets)
            continue
        if not found:
            raise _DamageError(f"octets behind {name} data that are none")
        if _is_skippable(head):
            yield from _skip(octets)
            continue
        name = found
        if name == "gzip":
            yield from _gzip(octets, inflate)
        else:
            yield from _zstd(octets) if name == "zstd" else _lz4(octets)


def _library(module: str, needed_for: str) -> Any:
    """A library that may be missing: None where it can be done without, else an error that says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if not needed_for:
            return None
        raise ImportError(f"{needed_for}: pip install 'pptpcap[compression]'", name=error.name) from error


def _needed(octets: Input, size: int, name: str) -> bytes:
    return _require(octets.take(size), size, name)


def _require(part: bytes, size: int, name: str) -> bytes:
    if len(part) < size:
        raise _DamageError(f"{name} data that are cut")
    return part


def _skip_zeros(octets: Input) -> Iterator[bytes]:
    while part := octets.some(_SKIP_CHUNK):
        if behind := part.lstrip(b"\0"):
            octets.back(behind)
            return
        yield b""


def _skip(octets: Input) -> Iterator[bytes]:
    head = _needed(octets, 8, "zstd or lz4")
    size = int.from_bytes(head[4:], "little")
    while size:
        size -= len(_needed(octets, min(size, _SKIP_CHUNK), "zstd or lz4"))
        yield b""


def _gzip(octets: Input, inflate: Any) -> Iterator[bytes]:
    """One member, RFC 1952."""
    state = inflate.decompressobj(wbits=31)
    while not state.eof:
        part = octets.some(_GZIP_CHUNK)
        if not part:
            raise _DamageError("gzip data that are cut")
        if inflate is not zlib:
            yield state.decompress(part)
            continue
        before = state.copy()
        try:
            yield state.decompress(part)
        except zlib.error as error:
            yield _sound(before, part)
            raise _DamageError(f"corrupt gzip data ({_reason(error)})") from error
    octets.back(state.unused_data)


def _sound(before: Any, part: bytes) -> bytes:
    """What can be inflated of octets of which one is corrupt: all that comes before that one."""
    good, bad = 0, len(part)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            before.copy().decompress(part[:middle])
        except zlib.error:
            bad = middle
        else:
            good = middle
    return bytes(before.decompress(part[:good]))


def _zstd(octets: Input) -> Iterator[bytes]:
    """One frame, RFC 8878, block by block: of a call that fails nothing is given."""
    zstd = _library(_ZSTD_LIBRARY, f"{octets.path} is zstd data, for which a library is missing")
    head = _needed(octets, 5, "zstd")
    flags = head[4]
    single_segment = flags >> 5 & 1
    content_size = _ZSTD_CONTENT_SIZE[flags >> 6] or single_segment
    head += _needed(octets, 1 - single_segment + _ZSTD_DICTIONARY[flags & 3] + content_size, "zstd")
    state = zstd.ZstdDecompressor()
    try:
        yield state.decompress(head)
        last = 0
        while not last:
            block = _needed(octets, 3, "zstd")
            word = int.from_bytes(block, "little")
            last = word & 1
            yield state.decompress(block)
            if size := 1 if word >> 1 & 3 == _ZSTD_RUN else word >> 3:
                body = octets.take(size)
                # What of a block is there may be good as far as it goes.
                yield state.decompress(body)
                _require(body, size, "zstd")
        if flags & 4:
            yield state.decompress(_needed(octets, 4, "zstd"))
    except (zstd.ZstdError, EOFError) as error:
        raise _DamageError(f"corrupt zstd data ({_reason(error)})") from error
    if not state.eof:
        raise _DamageError("corrupt zstd data (the last block does not end the frame)")


def _lz4(octets: Input) -> Iterator[bytes]:
    """One frame, block by block."""
    lz4 = _library("lz4.frame", f"{octets.path} is lz4 data, for which a library is missing")
    head = _needed(octets, 6, "lz4")
    flags, sizes = head[4:]
    head += _needed(octets, (8 if flags & 8 else 0) + (4 if flags & 1 else 0) + 1, "lz4")
    greatest = _LZ4_BLOCKS.get(sizes >> 4 & 7, 0)
    block_checksum = 4 if flags & 0x10 else 0
    state = lz4.LZ4FrameDecompressor()
    try:
        yield state.decompress(head)
        while size := int.from_bytes(block := _needed(octets, 4, "lz4"), "little") & 0x7FFFFFFF:
            if size > greatest:
                raise _DamageError(f"corrupt lz4 data (a block of {size} octets, where {greatest} is the limit)")
            yield state.decompress(block)
            body = octets.take(size := size + block_checksum)
            # Without the limit, the end of a block comes with the next one only.
            yield state.decompress(body, greatest)
            _require(body, size, "lz4")
        yield state.decompress(block + _needed(octets, 4 if flags & 4 else 0, "lz4"))
    except (RuntimeError, EOFError) as error:
        raise _DamageError(f"corrupt lz4 data ({_reason(error)})") from error
    if not state.eof:
        raise _DamageError("corrupt lz4 data (the end mark does not end the frame)")


def _reason(error: Exception) -> str:
    # The libraries' own words begin with what they were doing.
    return str(error).rpartition(": ")[2]

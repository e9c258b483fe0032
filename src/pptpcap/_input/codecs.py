"""Decompresses gzip members, zstd and lz4 frames, xz and bzip2 streams in sequence, a piece at a time.

Knows these formats, and imports their libraries on demand.  Must not know captures or threads.
"""

from __future__ import annotations

import importlib
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from ..errors import CaptureError
from ..wire.limits import XZ_WINDOW
from .streams import DamageError, Input

__all__ = [
    "MAGIC_SIZE",
    "ZSTD_CONTENT_SIZE",
    "DamageError",
    "empty_run",
    "fast_inflate",
    "inflated",
    "is_empty_run",
    "is_skippable",
    "name_of",
    "pieces",
    "zstd_head_size",
    "zstd_library",
]

# Octets of a file that `name_of` wants to see.
MAGIC_SIZE = 6

_GZIP = b"\x1f\x8b"
_GZIP_FLAGS, _GZIP_RESERVED = 3, 0xE0
_ZSTD = b"\x28\xb5\x2f\xfd"
_LZ4 = b"\x04\x22\x4d\x18"
_XZ = b"\xfd7zXZ\0"
_BZIP2 = tuple(b"BZh%d" % level for level in range(1, 10))
# zstd and lz4 share them; the low half of the first octet is free.
_SKIPPABLE = b"\x50\x2a\x4d\x18"

# Input and output of one call that inflates, or decompresses xz or bzip2; deflate expands one byte to 1,032 at most.
_CHUNK = 16 << 10
_PIECE = 512 << 10
# Octets of zstd data that are looked through for blocks, and blocks that are decompressed at once; each gives 128 KiB
# at most.
_ZSTD_CHUNK = 512 << 10
_ZSTD_AT_ONCE = 8
_SKIP_CHUNK = 1 << 20

_ZSTD_LIBRARY = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
_ZSTD_DICTIONARY = (0, 1, 2, 4)
# Octets of the field, by the upper two bits of a frame's flags; with a single segment, at least one.
ZSTD_CONTENT_SIZE = (0, 2, 4, 8)
_ZSTD_RUN = 1
# An empty frame costs a library call, and a file may have millions of them.  So these patterns match runs of the
# usual forms: right checksums, no dictionary, windows below 32 MiB.  A run is limited, because the pattern engine
# keeps state for each frame while it matches.
_EMPTY = {
    "": re.compile(rb"(?:[\x50-\x5F]\x2A\x4D\x18\0{4}){1,4096}"),
    # A plain header or that of a BGZF block; a last block, stored or with fixed codes.
    "gzip": re.compile(
        rb"(?:\x1F\x8B\x08(?:\0.{6}|\x04.{6}\x06\0BC\x02\0\x1B\0)(?:\x03\0|\x01\0\0\xFF\xFF)\0{8}){1,4096}", re.DOTALL
    ),
    # With each field of the content's size, with a window or a single segment; without a checksum and with it.
    "zstd": re.compile(
        rb"(?:\x28\xB5\x2F\xFD(?:"
        rb"(?:\x20\0|\0[\0-\x77]|\x80[\0-\x77]\0{4}|\xA0\0{4}|\xC0[\0-\x77]\0{8}|\xE0\0{8})\x01\0\0|"
        rb"(?:\x24\0|\x04[\0-\x77]|\x84[\0-\x77]\0{4}|\xA4\0{4}|\xC4[\0-\x77]\0{8}|\xE4\0{8})\x01\0\0\x99\xE9\xD8\x51"
        rb")){1,4096}"
    ),
    # As the lz4 library writes them, without a checksum of the content and with it.
    "lz4": re.compile(rb"(?:\x04\x22\x4D\x18(?:\x60\x40\x82\0{4}|\x64\x40\xA7\0{4}\x05\x5D\xCC\x02)){1,4096}"),
    # Without a check, with CRC32, CRC64 and SHA-256.
    "xz": re.compile(
        rb"(?:\xFD7zXZ\0\0(?:"
        rb"\0\xFF\x12\xD9\x41\0{4}\x1C\xDF\x44\x21\x06\x72\x9E\x7A\x01\0{4}\0|"
        rb"\x01\x69\x22\xDE\x36\0{4}\x1C\xDF\x44\x21\x90\x42\x99\x0D\x01\0{4}\x01|"
        rb"\x04\xE6\xD6\xB4\x46\0{4}\x1C\xDF\x44\x21\x1F\xB6\xF3\x7D\x01\0{4}\x04|"
        rb"\x0A\xE1\xFB\x0C\xA1\0{4}\x1C\xDF\x44\x21\x18\x9B\x4B\x9A\x01\0{4}\x0A"
        rb")YZ){1,4096}"
    ),
    "bzip2": re.compile(rb"(?:BZh[1-9]\x17\x72\x45\x38\x50\x90\0{4}){1,4096}"),
}
# What a decoder of xz needs beside its window, and the library's words for a limit that is too low.
_XZ_STATE = 1 << 20
_MEMORY_LIMIT = "Memory usage limit exceeded"
_LZ4_BLOCKS = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}


def name_of(head: bytes) -> str:
    """The kind of compressed data that begins with these bytes, "" for none."""
    if head[:2] == _GZIP:
        return "gzip"
    if head[:4] == _ZSTD:
        return "zstd"
    if head[:4] == _LZ4:
        return "lz4"
    if head[:6] == _XZ:
        return "xz"
    if head.startswith(_BZIP2):
        return "bzip2"
    return "zstd or lz4" if is_skippable(head) else ""


def is_skippable(head: bytes) -> bool:
    """Whether these bytes begin a skippable frame of zstd or lz4."""
    return head[1:4] == _SKIPPABLE[1:] and head[0] & 0xF0 == _SKIPPABLE[0]


def empty_run(octets: Input, name: str) -> bytes:
    """Take a run of empty frames of this kind, "" for skippable ones; more may follow."""
    return octets.run(_EMPTY[name])


def is_empty_run(octets: bytes, name: str) -> bool:
    """Whether these bytes are a run that `empty_run` takes."""
    return _EMPTY[name].fullmatch(octets) is not None


class _FastError(Exception):
    """The same, but more data may be sound than was yielded."""


def pieces(octets: Input, max_window: int, name: str = "", given: int = 0) -> Iterator[bytes]:
    """All that is decompressed, with empty pieces where much is read and nothing comes.

    Parameters
    ----------
    octets : Input
        It stands where a frame begins.
    max_window : int
        Octets of the window of a zstd frame or an xz stream, at most; `XZ_WINDOW` is always allowed for xz.
    name : str
        What the last frame before it was, "" where there was none.
    given : int
        Octets that the frames before it held.

    Raises
    ------
    CaptureError
        Where a zstd frame or an xz stream asks for a larger window.
    DamageError
        Behind the last octets that are sound.
    """
    try:
        for piece in _frames(octets, max_window, name, fast=octets.again):
            given += len(piece)
            yield piece
        return
    except _FastError:
        octets.begin_again()
    # Decompressors discard their output on error; we need every byte before the corrupt one.
    for piece in _frames(octets, max_window, "", fast=False):
        yield piece[given:]
        given -= min(given, len(piece))


def fast_inflate(octets: Input) -> Any:
    """The library for gzip members: isal, if installed, and if zlib can read again what isal rejects."""
    return (_library("isal.isal_zlib", "") if octets.again else None) or zlib


def _frames(octets: Input, max_window: int, name: str, *, fast: bool) -> Iterator[bytes]:
    """Frame by frame; with `fast`, what is damaged may raise _FastError, and is to be read again without."""
    while head := octets.peek(MAGIC_SIZE):
        found = name_of(head)
        if not found and name in ("gzip", "xz") and head[0] == 0:
            # Tapes are padded with zeros, xz streams with a multiple of four.
            start = octets.position
            yield from _skip_zeros(octets)
            if name == "xz" and (octets.position - start) % 4:
                raise DamageError("zeros behind xz data that are no multiple of 4")
            continue
        if not found:
            raise DamageError(f"octets behind {name or 'skippable'} data that are none")
        kind = "" if is_skippable(head) else found
        name = kind or name
        if empty_run(octets, kind):
            yield b""
        elif not kind:
            yield from _skip(octets)
        elif kind == "gzip":
            # isal does not mind flags that no member may have.
            is_odd = len(head) > _GZIP_FLAGS and head[_GZIP_FLAGS] & _GZIP_RESERVED
            yield from inflated(octets, "gzip", fast_inflate(octets) if fast and not is_odd else zlib, 31)
        elif kind == "zstd":
            yield from _fast_zstd(octets, max_window) if fast else _zstd(octets, max_window)
        elif kind == "xz":
            yield from _xz(octets, max_window, fast=fast)
        elif kind == "bzip2":
            yield from _bzip2(octets, fast=fast)
        else:
            yield from _lz4(octets)


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
        raise DamageError(f"{name} data that are cut")
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


def inflated(octets: Input, name: str, inflate: Any = zlib, wbits: int = -15) -> Iterator[bytes]:
    """What deflate made, RFC 1951, or with `wbits` 31 one member of gzip, RFC 1952.

    Raises
    ------
    DamageError
        Behind the last octets that are sound; `name` says whose they are.
    """
    state = inflate.decompressobj(wbits=wbits)
    while not state.eof:
        part = octets.some(_CHUNK)
        if not part:
            raise DamageError(f"{name} data that are cut")
        before = state.copy() if inflate is zlib else None
        given = 0
        try:
            for piece in _inflated(state, part):
                yield piece
                given += len(piece)
        except inflate.error as error:
            if before is None:
                raise _FastError from error
            yield _sound(before, part)[given:]
            raise DamageError(f"corrupt {name} data ({_reason(error)})") from error
    octets.back(state.unused_data)


def _inflated(state: Any, part: bytes) -> Iterator[bytes]:
    """Inflate a few bytes, whose output may be large, a piece at a time."""
    size = _PIECE
    while size == _PIECE and not state.eof:
        piece = state.decompress(part, _PIECE)
        size, part = len(piece), state.unconsumed_tail
        yield piece


def _sound(before: Any, part: bytes) -> bytes:
    """Inflate the bytes before the first corrupt one."""
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


def zstd_library(octets: Input) -> Any:
    """The library for zstd frames; if it is missing, an error that says what to install."""
    return _library(_ZSTD_LIBRARY, f"{octets.path} is zstd data, for which a library is missing")


def zstd_head_size(flags: int) -> int:
    """Octets of a frame's magic number and header, RFC 8878 section 3.1.1.1, by its fifth octet."""
    single_segment = flags >> 5 & 1
    content_size = ZSTD_CONTENT_SIZE[flags >> 6] or single_segment
    return 5 + 1 - single_segment + _ZSTD_DICTIONARY[flags & 3] + content_size


def _zstd_state(zstd: Any, path: str, start: int, head: bytes, max_window: int) -> Any:
    """A decompressor for the frame with this header; refuse a window that is too large."""
    window = _zstd_window(head)
    if window > max_window:
        raise CaptureError(
            path,
            start,
            f"a zstd frame that needs a window of {window:,} octets",
            f"{max_window:,} at most, unless max_window (--max-window) allows more",
        )
    # The library has a lower limit of its own.
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: (max_window - 1).bit_length()})


def _zstd_window(head: bytes) -> int:
    """Octets of what came before that a frame needs, RFC 8878 section 3.1.1.1.2, by its whole head."""
    flags = head[4]
    if flags & 0x20:
        width = ZSTD_CONTENT_SIZE[flags >> 6] or 1
        return int.from_bytes(head[5 + _ZSTD_DICTIONARY[flags & 3] :], "little") + (256 if width == 2 else 0)
    least = 1 << 10 + (head[5] >> 3)
    return least + (least >> 3) * (head[5] & 7)


def _fast_zstd(octets: Input, max_window: int) -> Iterator[bytes]:
    """One frame, RFC 8878, several blocks at once."""
    zstd = zstd_library(octets)
    start = octets.position
    head = octets.take(5)
    if len(head) < 5:
        raise _FastError
    size = zstd_head_size(head[4])
    head += octets.take(size - 5)
    if len(head) < size:
        raise _FastError
    state = _zstd_state(zstd, octets.path, start, head, max_window)
    try:
        # The header alone first: given a complete frame, the library checks less.
        yield state.decompress(head)
        for blocks in _zstd_blocks(octets):
            yield state.decompress(blocks)
        if head[4] & 4:
            yield state.decompress(octets.take(4))
    except (zstd.ZstdError, EOFError) as error:
        raise _FastError from error
    if not state.eof:
        raise _FastError


def _zstd_blocks(octets: Input) -> Iterator[memoryview]:
    """The blocks of a frame, a few complete ones at a time, so that no corrupt one is decompressed in part."""
    chunk, start, last = b"", 0, False
    while not last:
        end = start
        for _ in range(_ZSTD_AT_ONCE):
            word = int.from_bytes(chunk[end : end + 3], "little")
            behind = end + 3 + (1 if word >> 1 & 3 == _ZSTD_RUN else word >> 3)
            if behind > len(chunk):
                break
            end, last = behind, bool(word & 1)
            if last:
                break
        if end > start:
            yield memoryview(chunk)[start:end]
        else:
            more = octets.some(_ZSTD_CHUNK)
            if not more:
                raise _FastError
            chunk, end = chunk[start:] + more, 0
        start = end
    octets.back(chunk[start:])


def _zstd(octets: Input, max_window: int) -> Iterator[bytes]:
    """One frame, RFC 8878, block by block, because the library discards its output on error."""
    zstd = zstd_library(octets)
    start = octets.position
    head = _needed(octets, 5, "zstd")
    flags = head[4]
    head += _needed(octets, zstd_head_size(flags) - 5, "zstd")
    state = _zstd_state(zstd, octets.path, start, head, max_window)
    try:
        yield state.decompress(head)
        last = 0
        while not last:
            word = int.from_bytes(_require(octets.peek(3), 3, "zstd"), "little")
            last = word & 1
            size = 3 + (1 if word >> 1 & 3 == _ZSTD_RUN else word >> 3)
            block = octets.take(size)
            # The available part of a cut block may be good.
            yield state.decompress(block)
            _require(block, size, "zstd")
        if flags & 4:
            yield state.decompress(_needed(octets, 4, "zstd"))
    except (zstd.ZstdError, EOFError) as error:
        raise DamageError(f"corrupt zstd data ({_reason(error)})") from error
    if not state.eof:
        raise DamageError("corrupt zstd data (the last block does not end the frame)")


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
                raise DamageError(f"corrupt lz4 data (a block of {size} octets, where {greatest} is the limit)")
            yield state.decompress(block)
            body = octets.take(size := size + block_checksum)
            # Without the limit, the library keeps the end of a block until the next call.
            yield state.decompress(body, greatest)
            _require(body, size, "lz4")
        yield state.decompress(block + _needed(octets, 4 if flags & 4 else 0, "lz4"))
    except (RuntimeError, EOFError) as error:
        raise DamageError(f"corrupt lz4 data ({_reason(error)})") from error
    if not state.eof:
        raise DamageError("corrupt lz4 data (the end mark does not end the frame)")


def _xz(octets: Input, max_window: int, *, fast: bool) -> Iterator[bytes]:
    """One stream of the xz format, version 1.1."""
    lzma = _library("lzma", f"{octets.path} is xz data, for which this Python has no library")
    start, window = octets.position, max(max_window, XZ_WINDOW)
    new = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, window + _XZ_STATE)
    try:
        yield from _stream(octets, "xz", new, lzma.LZMAError, fast=fast)
    except _MemoryLimitError:
        raise CaptureError(
            octets.path,
            start,
            f"xz data that need a window of more than {window:,} octets",
            "no more, unless max_window (--max-window) allows it",
        ) from None


def _bzip2(octets: Input, *, fast: bool) -> Iterator[bytes]:
    """One stream."""
    bz2 = _library("bz2", f"{octets.path} is bzip2 data, for which this Python has no library")
    yield from _stream(octets, "bzip2", bz2.BZ2Decompressor, OSError, fast=fast)


class _MemoryLimitError(Exception):
    """A stream needs more memory than it may take."""


def _stream(octets: Input, name: str, new: Callable[[], Any], error: type[Exception], *, fast: bool) -> Iterator[bytes]:
    """One stream of xz or bzip2.

    Chunks are counted from its start, so that damage gives the same octets whatever they are read from.
    """
    state = new()
    # The libraries discard their output on error, and their state cannot be copied: this one is a chunk behind.
    behind = None if fast else new()
    while not state.eof:
        part = octets.take(_CHUNK)
        if not part:
            raise DamageError(f"{name} data that are cut")
        given = 0
        try:
            for piece in _decompressed(state, part):
                yield piece
                given += len(piece)
        except error as reason:
            if str(reason) == _MEMORY_LIMIT:
                raise _MemoryLimitError from reason
            if behind is None:
                raise _FastError from reason
            yield from _octet_by_octet(behind, part, given, error)
            raise DamageError(f"corrupt {name} data ({_reason(reason)})") from reason
        if behind is not None:
            for _ in _decompressed(behind, part):
                pass
    octets.back(state.unused_data)


def _decompressed(state: Any, part: bytes) -> Iterator[bytes]:
    """Decompress a few octets of xz or bzip2, whose output may be large, a piece at a time."""
    yield state.decompress(part, _PIECE)
    while not state.eof and not state.needs_input:
        yield state.decompress(b"", _PIECE)


def _octet_by_octet(state: Any, part: bytes, given: int, error: type[Exception]) -> Iterator[bytes]:
    """What the octets before the corrupt one give, but for the octets that were given already."""
    with suppress(error):
        for place in range(len(part)):
            for piece in _decompressed(state, part[place : place + 1]):
                yield piece[given:]
                given -= min(given, len(piece))


def _reason(error: Exception) -> str:
    # The messages of the libraries begin with the operation.
    return str(error).rpartition(": ")[2]

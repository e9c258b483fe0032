"""Compressed captures: members and frames of every kind, whole, in several pieces, with what may stand between them.

Knows the compressors and nothing of the package.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import struct
import zlib
from collections.abc import Callable
from types import ModuleType

import lz4.frame


def _zstd() -> ModuleType:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError("no zstd")


zstd = _zstd()
zstd_whole: Callable[..., bytes] = zstd.compress
lz4_whole: Callable[..., bytes] = lz4.frame.compress

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def cut(octets: bytes, size: int) -> list[bytes]:
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def skippable(size: int, number: int = 10) -> bytes:
    return struct.pack("<II", 0x184D2A50 + number, size) + bytes([0xA5]) * size


def gzip_plain(octets: bytes) -> bytes:
    return gzip.compress(octets, mtime=0)


def gzip_members(octets: bytes, size: int = 1000) -> bytes:
    return b"".join(gzip_plain(part) for part in cut(octets, size)) + gzip_plain(b"")


def gzip_named(octets: bytes) -> bytes:
    """Every optional field of the header: extra, name, comment, header checksum."""
    head = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\x00\x03" + struct.pack("<H", 3) + b"abc" + b"name\0" + b"comment\0"
    body = gzip_plain(octets)[10:]
    return head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + body


def gzip_stored(octets: bytes) -> bytes:
    return gzip.compress(octets, 0, mtime=0)


def bgzf(octets: bytes, size: int = 4000) -> bytes:
    """Blocks as bgzip makes them, with the length of each in its header, and the empty one at the end."""
    blocks = []
    for part in cut(octets, size):
        raw = zlib.compress(part, 6, wbits=-15)
        head = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + struct.pack("<HBBHH", 6, 66, 67, 2, 18 + len(raw) + 8 - 1)
        blocks.append(head + raw + struct.pack("<II", zlib.crc32(part), len(part)))
    return b"".join(blocks) + BGZF_END


def zstd_plain(octets: bytes) -> bytes:
    return zstd_whole(octets)


def zstd_checked(octets: bytes) -> bytes:
    return zstd_whole(octets, options={zstd.CompressionParameter.checksum_flag: 1})


def zstd_blocks(octets: bytes, size: int = 700) -> bytes:
    """One frame of unknown size, of many blocks, ended by a checksum."""
    state = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1})
    parts = [state.compress(part, state.FLUSH_BLOCK) for part in cut(octets, size)]
    return b"".join([*parts, state.flush()])


def zstd_frames(octets: bytes) -> bytes:
    parts = [zstd_whole(part) for part in cut(octets, 3333)]
    return skippable(9) + (skippable(0, 0) + zstd_whole(b"")).join(parts) + skippable(70_000, 15)


def lz4_plain(octets: bytes) -> bytes:
    return lz4_whole(octets)


def lz4_blocks(octets: bytes, size: int = 700, **more: object) -> bytes:
    state = lz4.frame.LZ4FrameCompressor(content_checksum=True, block_checksum=True, **more)
    parts = [state.begin()]
    parts += [state.compress(part) for part in cut(octets, size)]
    return b"".join([*parts, state.flush()])


def lz4_unlinked(octets: bytes) -> bytes:
    return lz4_blocks(octets, block_linked=False, auto_flush=True)


def lz4_linked(octets: bytes) -> bytes:
    return lz4_blocks(octets, block_linked=True, auto_flush=True)


def lz4_frames(octets: bytes) -> bytes:
    parts = [lz4_whole(part, store_size=bool(place & 1)) for place, part in enumerate(cut(octets, 3333))]
    return skippable(1) + skippable(5, 0).join(parts) + lz4_whole(b"")


def zeros_behind(octets: bytes) -> bytes:
    return gzip_plain(octets) + bytes(10_000)


def xz_plain(octets: bytes) -> bytes:
    return lzma.compress(octets)


def xz_streams(octets: bytes) -> bytes:
    """Streams with each kind of check, an empty one, padding between and behind them."""
    checks = (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256)
    parts = [lzma.compress(part, check=checks[place % 4]) for place, part in enumerate(cut(octets, 3333))]
    return bytes(4).join(parts) + lzma.compress(b"") + bytes(1000)


def bzip2_plain(octets: bytes) -> bytes:
    return bz2.compress(octets)


def bzip2_streams(octets: bytes) -> bytes:
    parts = [bz2.compress(part, 1 + place % 9) for place, part in enumerate(cut(octets, 3333))]
    return b"".join(parts) + bz2.compress(b"")


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    function.__name__: function
    for function in (
        gzip_plain, gzip_members, gzip_named, gzip_stored, bgzf, zeros_behind,
        zstd_plain, zstd_checked, zstd_blocks, zstd_frames,
        lz4_plain, lz4_unlinked, lz4_linked, lz4_frames,
        xz_plain, xz_streams, bzip2_plain, bzip2_streams,
    )
}  # fmt: skip

"""snoop and Network Monitor files made octet by octet from their specifications; nothing of the package is used."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate

# 2023-11-14 22:13:20, a Tuesday, in the words of Network Monitor and in 100 ns since 1601.
START = (2023, 11, 2, 14, 22, 13, 20, 0)
START_NS = 1_700_000_000 * 10**9
TICKS_1601 = 133_444_736_000_000_000

# Nanoseconds since 1970, original length, octets.
Packet = tuple[int, int, bytes]


def snoop_record(
    octets: bytes, seconds: int = 1_700_000_000, micros: int = 0, *, original: int | None = None,
    captured: int | None = None, length: int | None = None, pad: int | None = None, drops: int = 0,
) -> bytes:  # fmt: skip
    captured = len(octets) if captured is None else captured
    pad = -len(octets) % 4 if pad is None else pad
    length = 24 + len(octets) + pad if length is None else length
    original = captured if original is None else original
    return struct.pack(">6I", original, captured, length, drops, seconds, micros) + octets + bytes(pad)


def snoop(*records: bytes, version: int = 2, link: int = 4) -> bytes:
    return b"snoop\0\0\0" + struct.pack(">II", version, link) + b"".join(records)


def as_snoop(several: Sequence[Packet], **more: int) -> bytes:
    return snoop(
        *(
            snoop_record(octets, time // 10**9, time % 10**9 // 1000, original=original, drops=0)
            for time, original, octets in several
        ),
        **more,
    )


def netmon(
    *records: bytes, version: tuple[int, int] = (2, 0), medium: int = 1, start: Sequence[int] = START,
    table: Sequence[int] | None = None, table_at: int | None = None, table_size: int | None = None,
    behind: bytes = b"", gap: bytes = b"",
) -> bytes:  # fmt: skip
    """A file; the table is in the order of the records unless it is given."""
    parts = [record + gap for record in records]
    body = b"".join(parts)
    starts = accumulate(map(len, parts[:-1]), initial=128) if parts else ()
    offsets = [*starts] if table is None else list(table)
    octets = struct.pack(f"<{len(offsets)}I", *offsets)
    table_at = 128 + len(body) if table_at is None else table_at
    table_size = len(octets) if table_size is None else table_size
    major, minor = version
    magic = b"RTSS" if major == 1 else b"GMBU"
    head = magic + struct.pack("<BBH8HII", minor, major, medium, *start, table_at, table_size)
    return head.ljust(128, b"\0") + body + octets + behind


def frame(
    octets: bytes, time: int, version: tuple[int, int] = (2, 0), *, original: int | None = None,
    captured: int | None = None, medium: int = 1, utc: int = 0,
) -> bytes:  # fmt: skip
    """A record: `time` in the unit of its version, since the start."""
    captured = len(octets) if captured is None else captured
    original = captured if original is None else original
    if version[0] == 1:
        return struct.pack("<IHH", time, original, captured) + octets
    head = struct.pack("<QII", time & (1 << 64) - 1, original, captured)
    trailer = {0: b"", 1: struct.pack("<H", medium), 2: struct.pack("<HI", medium, 7)}
    return head + octets + trailer.get(version[1], struct.pack("<HIQB", medium, 7, utc, 1))


def as_netmon(several: Sequence[Packet], version: tuple[int, int] = (2, 0)) -> bytes:
    """With times since the second of the first packet; only those of versions 2 are exact."""
    unit = 1_000_000 if version[0] == 1 else 1000
    first = several[0][0] // 10**9
    begin = datetime.fromtimestamp(first, UTC)
    start = (begin.year, begin.month, 0, begin.day, begin.hour, begin.minute, begin.second, 0)
    return netmon(
        *(
            frame(
                octets, (time - first * 10**9) // unit, version, original=original,
                utc=TICKS_1601 + (time - START_NS) // 100,
            )
            for time, original, octets in several
        ),
        version=version,
        start=start,
    )  # fmt: skip

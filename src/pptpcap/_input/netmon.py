"""Rewrites captures of Network Monitor, versions 1 and 2, to pcapng, in the order of their table of frames.

Knows the headers of both.  Must not know where octets come from, or what packets hold.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Callable, Generator, Iterator

from ..errors import CaptureError
from ..wire import link
from ..wire.container import (
    BYTE_ORDER_MAGIC,
    ENHANCED_PACKET_BLOCK,
    INTERFACE_DESCRIPTION_BLOCK,
    OPTION_TIME_RESOLUTION,
    SECTION_HEADER_BLOCK,
)
from ..wire.status import Kind
from .views import Remark

__all__ = ["HEADER_SIZE", "MAGICS", "most_octets", "rewritten"]

MAGICS = (b"RTSS", b"GMBU")
HEADER_SIZE = 128

# Minor and major version, medium, start (eight numbers), place and octets of the table of frames.
_HEADER = struct.Struct("<4xBBH8HII")
_TABLE_CHUNK = 64 << 10
_ENTRY = 4
# Of a record: milliseconds and two lengths, or microseconds and two; what stands behind the data, by minor version.
_RECORD = {1: struct.Struct("<IHH"), 2: struct.Struct("<QII")}
_TRAILER = {0: struct.Struct("<"), 1: struct.Struct("<H"), 2: struct.Struct("<H4x"), 3: struct.Struct("<H4xQx")}
_WITH_UTC = 3

# Nanoseconds of a unit, and 100 ns from 1601 to 1970.
_MILLISECOND, _TICK = 1_000_000, 100
_TICKS_TO_1970 = 116_444_736_000_000_000

_WIRELESS = 6
_WIRELESS_HEADER = 32
_LINKS = {
    0: link.ETHERNET,
    1: link.ETHERNET,
    2: 6,
    3: 10,
    _WIRELESS: link.IEEE802_11,
    **dict.fromkeys((7, 8, 9), link.RAW),
}
# From here on media are link types of pcap, up to those that Network Monitor has beside them.
_OF_PCAP, _BESIDE_PCAP = 0xE000, 0xE080
# What no link type has: other media get numbers with this bit.
_NO_LINK = 0x8000

At = Callable[[int, int], bytes]


def most_octets(most: int) -> int:
    """Octets of a file that its offsets can reach, if a record captures `most` octets."""
    return (1 << 32) + max(form.size for form in _RECORD.values()) + most + _TRAILER[_WITH_UTC].size


def rewritten(
    path: str, table: At, at: At, size: int, most: int, remarks: list[Remark]
) -> Generator[bytes, None, None]:
    """The octets of the pcapng file.

    Parameters
    ----------
    path : str
        Name of the file for errors.
    table, at : callable
        Give the octets at a place, by offset and number, fewer at the end: of the table, and of records.
    size : int
        Octets of the file.
    most : int
        Captured octets of a record, at most.
    remarks : list of Remark
        Gets what is to be told of the file.

    Yields
    ------
    bytes
        Blocks: a section, interfaces as their link types come, packets.

    Raises
    ------
    CaptureError
        Where the header is cut or no table of frames can be where it says.
    """
    head = table(0, HEADER_SIZE)
    if len(head) < HEADER_SIZE:
        raise CaptureError(path, len(head), "the end of the file", f"a header of {HEADER_SIZE} octets")
    minor, major, medium, *start, table_at, table_size = _HEADER.unpack_from(head)
    if major not in _RECORD:
        raise CaptureError(path, 4, f"version {major}.{minor} of Network Monitor", "version 1 or 2")
    if table_size % _ENTRY or not table_size:
        raise CaptureError(path, 28, f"a table of frames of {table_size} octets", "a multiple of 4")
    yield _section()
    form, trailer = _RECORD[major], _TRAILER[min(minor, _WITH_UTC) if major == 2 else 0]
    has_times = trailer is _TRAILER[_WITH_UTC]
    begin = _start(*start)
    interfaces: dict[int, int] = {}
    bad = table_size // _ENTRY
    # Each record stands once: a table that says otherwise would make much of a small file.
    left = size
    for (offset,) in _entries(table, table_at, table_size):
        record = at(offset, form.size)
        if len(record) < form.size:
            continue
        time, original, captured = form.unpack(record)
        if captured > most or form.size + captured > left:
            continue
        data = at(offset + form.size, captured + trailer.size)
        if len(data) < captured + trailer.size:
            continue
        left -= form.size + captured
        data, behind = data[:captured], trailer.unpack(data[captured:])
        number = behind[0] if behind else medium
        if number == _WIRELESS:
            header = int.from_bytes(data[1:3], "little")
            if not _WIRELESS_HEADER <= header <= captured:
                continue
            data, original = data[header:], max(original - header, 0)
        bad -= 1
        if has_times:
            time = (behind[1] - _TICKS_TO_1970) * _TICK
        elif major == 1:
            time = begin + time * _MILLISECOND
        else:
            time = begin + _signed(time * 10) * _TICK
        link_type = _link_type(number)
        if link_type not in interfaces:
            interfaces[link_type] = len(interfaces)
            yield _interface(link_type)
        yield _packet(interfaces[link_type], time, data, original)
    if bad:
        remarks.append(Remark(Kind.MISSING_RECORDS, table_size // _ENTRY, bad, damages=True))
    if not has_times:
        remarks.append(Remark(Kind.LOCAL_TIME, 0, 0))


def _entries(table: At, table_at: int, table_size: int) -> Iterator[tuple[int]]:
    """Entries of the table, as far as it is there."""
    for place in range(table_at, table_at + table_size, _TABLE_CHUNK):
        chunk = table(place, min(_TABLE_CHUNK, table_at + table_size - place))
        yield from struct.iter_unpack("<I", chunk[: len(chunk) // _ENTRY * _ENTRY])
        if len(chunk) < _TABLE_CHUNK:
            return


def _start(year: int, month: int, _: int, day: int, hour: int, minute: int, second: int, millisecond: int) -> int:
    """When the capture began, in ns since 1970, as if local time were UTC; 0 where it is no time."""
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return 0
    return (int(moment.timestamp()) * 1000 + millisecond) * _MILLISECOND


def _signed(number: int) -> int:
    """The low 64 bits as a signed number: frames may be older than the start."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >> 63 else number


def _link_type(medium: int) -> int:
    if _OF_PCAP <= medium < _BESIDE_PCAP:
        return medium - _OF_PCAP
    return _LINKS.get(medium, medium | _NO_LINK)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def _section() -> bytes:
    return _block(SECTION_HEADER_BLOCK, struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1))


def _interface(link_type: int) -> bytes:
    nanoseconds = struct.pack("<HHB3xI", OPTION_TIME_RESOLUTION, 1, 9, 0)
    return _block(INTERFACE_DESCRIPTION_BLOCK, struct.pack("<HHI", link_type, 0, 0) + nanoseconds)


def _packet(interface: int, time: int, data: bytes, original: int) -> bytes:
    # A time before 1970 becomes one that no datetime64[ns] can hold.
    high, low = divmod(time & (1 << 64) - 1, 1 << 32)
    head = struct.pack("<5I", interface, high, low, len(data), original)
    return _block(ENHANCED_PACKET_BLOCK, head + data + bytes(-len(data) % 4))

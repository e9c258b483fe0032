"""Rewrites snoop files (RFC 1761) to pcap, record by record.

Knows the headers of both.  Must not know where octets come from, or what packets hold.
"""

from __future__ import annotations

import struct
from collections.abc import Generator

from ..errors import CaptureError
from ..wire import link
from ..wire.container import MICROSECONDS, PCAP_VERSION, READABLE
from ..wire.status import Kind
from .streams import Input
from .views import Remark

__all__ = ["MAGIC", "rewritten"]

MAGIC = b"snoop\0\0\0"

_HEADER = struct.Struct(">8xII")
_RECORD = struct.Struct(">6I")
_PCAP_HEADER = struct.Struct(">IHHiIII")
_PCAP_RECORD = struct.Struct(">4I")

_VERSION = 2
# Those of a tool that puts the frame check sequence into the data, and 16 octets or more behind the first record.
_SURVEYOR_VERSIONS = (3, 4, 5)
_SURVEYOR_PAD = 16
_SURVEYOR_LINKS = {10: link.ETHERNET, 12: link.ETHERNET}
# Numbers of snoop to those of pcap; what pcap calls token ring, FDDI and ATM has the same headers.
_LINKS = {
    0: link.ETHERNET, 2: 6, 4: link.ETHERNET, 8: 10, 9: link.NULL, 14: link.NULL, 18: 123, 26: 242, 0x80000005: 226,
}  # fmt: skip


def rewritten(octets: Input, most: int, remarks: list[Remark]) -> Generator[bytes, None, None]:
    """The octets of the pcap file.

    Parameters
    ----------
    octets : Input
        The file, from its first octet.
    most : int
        Captured octets of a record, and octets of padding behind it, at most.
    remarks : list of Remark
        Gets what is to be told of the file.

    Yields
    ------
    bytes
        A file header, then records.  One that is cut or captures too much is so in the pcap file too, and is the last.

    Raises
    ------
    CaptureError
        Where version or link type are not read.
    """
    head = octets.take(_HEADER.size)
    if len(head) < _HEADER.size:
        raise CaptureError(octets.path, len(head), "the end of the file", f"a snoop header of {_HEADER.size} octets")
    version, number = _HEADER.unpack(head)
    if version not in (_VERSION, *_SURVEYOR_VERSIONS):
        raise CaptureError(octets.path, 8, f"snoop version {version}", f"version {_VERSION}")
    links = _LINKS | _SURVEYOR_LINKS if version != _VERSION or _is_of_surveyor(octets) else _LINKS
    if number not in links:
        raise CaptureError(octets.path, 12, f"link type {number} of snoop, which this version does not read", READABLE)
    yield _PCAP_HEADER.pack(MICROSECONDS, *PCAP_VERSION, 0, 0, 0, links[number])
    dropped = 0
    while head := octets.take(_RECORD.size):
        if len(head) < _RECORD.size:
            yield bytes(min(len(head), _PCAP_RECORD.size - 1))
            break
        original, captured, length, drops, seconds, microseconds = _RECORD.unpack(head)
        padding = length - _RECORD.size - captured
        if captured <= most and not 0 <= padding <= most:
            remarks.append(Remark(Kind.CORRUPT_BLOCK, _RECORD.size + captured, length, damages=True))
            break
        dropped = max(dropped, drops)
        yield _PCAP_RECORD.pack(seconds, microseconds, captured, original) + octets.take(min(captured, most))
        if captured > most:
            break
        octets.take(padding)
    if dropped:
        remarks.append(Remark(Kind.DROPPED_PACKETS, 0, dropped))


def _is_of_surveyor(octets: Input) -> bool:
    head = octets.peek(_RECORD.size)
    if len(head) < _RECORD.size:
        return False
    _, captured, length, *_ = _RECORD.unpack(head)
    return bool(length - _RECORD.size - captured >= _SURVEYOR_PAD)

"""Capture file formats: magic numbers, header sizes, and what a walk needs to know of a file.

Knows no file.  Called by ``containers``, which reads the first octets of one, and by both engines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PCAP_HEADER_SIZE = 24
RECORD_HEADER_SIZE = 16
PCAP_VERSION = (2, 4)

MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
KUZNETZOV = 0xA1B2CD34

TICKS = {MICROSECONDS: 1_000_000, NANOSECONDS: 1_000_000_000}

# Formats that are told apart and refused by name: first octets, name.
REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x0a\x0d\x0d\x0a", "a pcapng file"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"snoop\x00\x00\x00", "a snoop file"),
    (b"\xa1\xb2\xcd\x34", "a pcap file with Kuznetzov's modified header"),
    (b"\x34\xcd\xb2\xa1", "a pcap file with Kuznetzov's modified header"),
)


@dataclass(frozen=True)
class Container:
    """What a walk needs to know of one capture file.

    Parameters
    ----------
    format : str
        "pcap".
    byte_order : {"little", "big"}
        Of the headers.
    ticks : int
        Ticks in a second: 10**6 or 10**9.
    link_type : int
        Low 16 bits of the header's link type.
    snap_length : int
        As the header says; it limits nothing here.
    first_record : int
        Offset of the first record.
    """

    format: str
    byte_order: Literal["little", "big"]
    ticks: int
    link_type: int
    snap_length: int
    first_record: int

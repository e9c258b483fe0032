"""Capture file formats: magic numbers, header sizes, and what a walk needs to know of a file.

Must not know files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

PCAP_HEADER_SIZE = 24
RECORD_HEADER_SIZE = 16
PCAP_VERSION = (2, 4)

MICROSECONDS = 0xA1B2C3D4
NANOSECONDS = 0xA1B23C4D
KUZNETZOV = 0xA1B2CD34

ZIP_LOCAL = b"PK\x03\x04"

# What is read, in the words of errors.
READABLE = "a pcap or pcapng file"
CONVERTIBLE = f"{READABLE}; `editcap -F pcapng` may convert it"


class PcapVariant(NamedTuple):
    """What the magic number of a pcap file says: ticks in a second, size of a record header."""

    ticks: int
    record_header: int = RECORD_HEADER_SIZE


PCAP_VARIANTS = {
    MICROSECONDS: PcapVariant(10**6),
    NANOSECONDS: PcapVariant(10**9),
    # Interface (4 octets), protocol (2), packet type (1) and padding (1) follow the four numbers of a record header.
    KUZNETZOV: PcapVariant(10**6, 24),
}

# Formats that are told apart and refused by name: first octets, name, whether there is a converter.
REFUSED: tuple[tuple[bytes, str, bool], ...] = (
    (b"\x02\x21\x4c\x18", "lz4 data of the legacy format", False),
    (b"\x1f\x9d", "data of compress", False),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", False),
    (b"Rar!\x1a\x07", "a rar archive", False),
    (b"PK\x05\x06", "a zip archive without a file", False),
    (ZIP_LOCAL, "a zip archive inside compressed data", False),
    (b"TRSNIFF data    \x1a", "a Sniffer capture", True),
    (b"XCP\0", "a capture of Sniffer for Windows or NetXRay", True),
    # Relatives of pcap, in either byte order.
    (b"\x1c\x00\x01\xac", "an IXIA capture in nanoseconds", True),
    (b"\xac\x01\x00\x1c", "an IXIA capture in nanoseconds", True),
    (b"\x1c\x00\x01\xab", "an IXIA capture in microseconds", True),
    (b"\xab\x01\x00\x1c", "an IXIA capture in microseconds", True),
    (b"\xa1\x2b\x3c\x4d", "a Navtel capture", False),
    (b"\x4d\x3c\x2b\xa1", "a Navtel capture", False),
    (b"\xa1\xb2\x34\xcd", "a pcap file of the reserved kind a1b234cd", False),
    (b"\xcd\x34\xb2\xa1", "a pcap file of the reserved kind a1b234cd", False),
    (b"\xa1\xb2\xc3\xcb", "a pcap file of the reserved kind a1b2c3cb", False),
    (b"\xcb\xc3\xb2\xa1", "a pcap file of the reserved kind a1b2c3cb", False),
)
# The name of a NetScaler trace stands behind a few numbers, within so many octets.
NETSCALER, NETSCALER_WITHIN = b"NetScaler", 32
# A record of ERF: its header, its types, and the seconds from 1995 to 2038 that make it likely.
ERF_HEADER_SIZE = 16
ERF_MOST_TYPE = 48
ERF_SECONDS = range(788_918_400, 1 << 31)

# A clock that goes back by so many seconds was set; packets of several queues are out of order by less.
BACK_SECONDS = 1
# So many packets with one time show a clock that stands.
STANDS_PACKETS = 8

SECTION_HEADER_BLOCK = 0x0A0D0D0A
INTERFACE_DESCRIPTION_BLOCK = 1
PACKET_BLOCK = 2
SIMPLE_PACKET_BLOCK = 3
ENHANCED_PACKET_BLOCK = 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
# Least total length of a block, by type; 12 for any other.
LEAST_BLOCK = {
    SECTION_HEADER_BLOCK: 28,
    INTERFACE_DESCRIPTION_BLOCK: 20,
    PACKET_BLOCK: 32,
    SIMPLE_PACKET_BLOCK: 16,
    ENHANCED_PACKET_BLOCK: 32,
}
OPTION_TIME_RESOLUTION = 9
OPTION_TIME_OFFSET = 14
# Types of block that a search for the next good one believes: packets and interfaces, sections, names (4), statistics (5),
# systemd journal (9), secrets (10), custom blocks.
PLAUSIBLE_BLOCKS = (SECTION_HEADER_BLOCK, 1, 2, 3, 4, 5, 6, 9, 10, 0x0BAD, 0x40000BAD)
# Record headers, or blocks, in a row that make a place plausible; seconds that two records may be apart.
RECORD_CHAIN = 4
BLOCK_CHAIN = 3
CHAIN_SECONDS = 86_400


@dataclass(frozen=True)
class Interface:
    """One interface of a pcapng section.

    Parameters
    ----------
    link_type, snap_length : int
        As the block says.
    ticks : int
        Ticks in a second, 0 where that is not known.
    offset : int
        Seconds to add.
    """

    link_type: int
    snap_length: int
    ticks: int = 1_000_000
    offset: int = 0


@dataclass(frozen=True)
class Container:
    """What a walk needs to know of one capture file, at the place where the walk begins.

    Parameters
    ----------
    format : {"pcap", "pcapng"}
        Which of the two.
    byte_order : {"little", "big"}
        Of the headers; in pcapng, of the section.
    ticks : int
        Ticks in a second: 10**6 or 10**9; 0 in pcapng, where each interface has its own.
    link_type : int
        Low 16 bits of the header's link type; -1 in pcapng.
    snap_length : int
        As the header says; it limits nothing here.
    first_record : int
        Offset of the first record or block.
    interfaces : tuple of Interface
        In pcapng, those of the section so far.
    record_header : int
        Octets of a record header in pcap.
    lost_at : int
        Offset in the file of the corrupt record after which the walk searches for a good one; -1 if it does not.
    prepared : object
        What an engine made of `interfaces` for its next scan; has no meaning elsewhere.
    """

    format: str
    byte_order: Literal["little", "big"]
    ticks: int
    link_type: int
    snap_length: int
    first_record: int
    interfaces: tuple[Interface, ...] = ()
    record_header: int = RECORD_HEADER_SIZE
    lost_at: int = -1
    prepared: object = field(default=None, compare=False, repr=False)

"""Captures that are joined in one file: where the next one begins, and what its header says (decoding 1.8, 1.10).

Must not know what a packet holds, or what was walked before.
"""

from __future__ import annotations

import struct
from typing import Literal

from ..engine import Data
from ..wire.container import (
    AIX_LINKS,
    AIX_VERSION,
    BYTE_ORDER_MAGIC,
    PCAP_HEADER_SIZE,
    PCAP_VARIANTS,
    PCAP_VERSIONS,
    SECTION_HEADER_BLOCK,
    Container,
    LengthOrder,
)

# Type, total length and byte-order magic of a Section Header Block.
_SECTION_HEAD = 12


def lengths_of(order: LengthOrder, first: int, second: int) -> tuple[int, int]:
    """Captured and original length of a record header (decoding 1.10)."""
    if order == "original" or (order == "lesser" and first > second):
        return second, first
    return first, second


def part_at(data: Data, at: int, first_record: int) -> Container | None:
    """What the file header at an offset says; None where there is none."""
    head = bytes(data[at : at + PCAP_HEADER_SIZE])
    if head[:4] == SECTION_HEADER_BLOCK.to_bytes(4, "big") and len(head) >= _SECTION_HEAD:
        magic = BYTE_ORDER_MAGIC.to_bytes(4, "big")
        if head[8:12] in (magic, magic[::-1]):
            return Container("pcapng", "big" if head[8:12] == magic else "little", 0, -1, 0, first_record)
    if len(head) < PCAP_HEADER_SIZE or any(head[8:16]):
        return None
    orders: tuple[tuple[Literal["little", "big"], str], ...] = (("little", "<IHH8xII"), ("big", ">IHH8xII"))
    for byte_order, layout in orders:
        number, major, minor, snap_length, link_type = struct.unpack(layout, head)
        link_type &= 0xFFFF
        is_aix = (major, minor) == AIX_VERSION and link_type in AIX_LINKS
        if number in PCAP_VARIANTS and major == 2 and (major, minor) in PCAP_VERSIONS and snap_length and not is_aix:
            variant = PCAP_VARIANTS[number]
            return Container(
                format="pcap",
                byte_order=byte_order,
                ticks=variant.ticks,
                link_type=link_type,
                snap_length=snap_length,
                first_record=first_record,
                record_header=variant.record_header,
                lengths=PCAP_VERSIONS[major, minor],
            )
    return None


def begins_part(data: Data, at: int, final: bool, cap: int) -> bool | None:
    """Whether another capture begins at an offset (decoding 1.8); None where more octets are needed to tell."""
    if not _has_magic(data, at):
        return False
    has_blocks = bytes(data[at : at + 4]) == SECTION_HEADER_BLOCK.to_bytes(4, "big")
    if len(data) - at < (_SECTION_HEAD if has_blocks else PCAP_HEADER_SIZE):
        return False if final else None
    part = part_at(data, at, 0)
    if part is None or has_blocks:
        return part is not None
    behind = at + PCAP_HEADER_SIZE
    left = len(data) - behind
    if left < part.record_header:
        return True if final else None
    if _has_magic(data, behind):
        return True
    layout = "<4x3I" if part.byte_order == "little" else ">4x3I"
    fraction, first, second = struct.unpack_from(layout, data, behind)
    return fraction < part.ticks and lengths_of(part.lengths, first, second)[0] <= cap


def _has_magic(data: Data, at: int) -> bool:
    """Whether the first four octets are those of a file header."""
    head = bytes(data[at : at + 4])
    numbers = int.from_bytes(head, "little"), int.from_bytes(head, "big")
    return len(head) == 4 and (numbers[1] == SECTION_HEADER_BLOCK or any(number in PCAP_VARIANTS for number in numbers))

"""Tells capture formats apart by their first octets.

Knows magic numbers from ``wire.container`` and opens no file.  Called by ``reading`` with the first
octets of each file.
"""

from __future__ import annotations

import codecs
from typing import Literal

from ..errors import CaptureError
from ..wire.container import (
    BYTE_ORDER_MAGIC,
    PCAP_HEADER_SIZE,
    PCAP_VERSION,
    RECORD_HEADERS,
    REFUSED,
    SECTION_HEADER_BLOCK,
    TICKS,
    Container,
)

__all__ = ["HEAD_SIZE", "identify"]

# Octets that `identify` wants to see of a file that has them.
HEAD_SIZE = 64

_READABLE = "a pcap or pcapng file"
_WHITE_SPACE = "\t\n\v\f\r"


def identify(head: bytes, size: int, path: str) -> Container:
    """What kind of capture begins with these octets.

    Parameters
    ----------
    head : bytes
        The first octets of the file: `HEAD_SIZE` of them, or all where there are fewer.
    size : int
        Octets in the file; of a stream, the octets of `head`.
    path : str
        Name of the file for the error.

    Returns
    -------
    Container
        What a walk needs to know.  In pcap, the link type is the low 16 bits of the header's word; the bits above tell
        of frame check sequences, which stand behind the IP packet, are cut off by its length, and so need no rule.  In
        pcapng, the walk begins with the first block and learns the rest from it.

    Raises
    ------
    CaptureError
        Where the file is no capture, or one of a format that is not read; formats that are known are named.
    """
    if size == 0:
        raise CaptureError(path, 0, "an empty file", _READABLE)
    for magic, name in REFUSED:
        if head.startswith(magic):
            raise CaptureError(path, 0, f"{name}, which this version does not read", _READABLE)
    if int.from_bytes(head[:4], "big") == SECTION_HEADER_BLOCK:
        return _pcapng(head, path)
    byte_order = _byte_order(head)
    if byte_order is None:
        raise CaptureError(path, 0, _what_else(head), _READABLE)
    if len(head) < PCAP_HEADER_SIZE:
        raise CaptureError(path, len(head), "the end of the file", f"a pcap header of {PCAP_HEADER_SIZE} octets")

    def number(offset: int, width: int) -> int:
        return int.from_bytes(head[offset : offset + width], byte_order)

    version = number(4, 2), number(6, 2)
    if version != PCAP_VERSION:
        raise CaptureError(path, 4, "pcap version {}.{}".format(*version), "version {}.{}".format(*PCAP_VERSION))
    return Container(
        format="pcap",
        byte_order=byte_order,
        ticks=TICKS[number(0, 4)],
        link_type=number(20, 4) & 0xFFFF,
        snap_length=number(16, 4),
        first_record=PCAP_HEADER_SIZE,
        record_header=RECORD_HEADERS[number(0, 4)],
    )


def _pcapng(head: bytes, path: str) -> Container:
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for byte_order in orders:
        if int.from_bytes(head[8:12], byte_order) == BYTE_ORDER_MAGIC:
            return Container(
                format="pcapng", byte_order=byte_order, ticks=0, link_type=-1, snap_length=0, first_record=0
            )
    raise CaptureError(path, min(8, len(head)), "no byte-order magic, as pcapng would have", _READABLE)


def _byte_order(head: bytes) -> Literal["little", "big"] | None:
    if int.from_bytes(head[:4], "little") in TICKS:
        return "little"
    if int.from_bytes(head[:4], "big") in TICKS:
        return "big"
    return None


def _what_else(head: bytes) -> str:
    """Name what is no capture, in words that hold none of its octets but as hexadecimal numbers."""
    try:
        # An incremental decoder does not mind that the last character is cut.
        characters = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        characters = "\0"
    if all(character.isprintable() or character in _WHITE_SPACE for character in characters):
        return "text"
    if len(head) < 4:
        return f"{len(head)} octets"
    return f"the magic number {head[:4].hex()}"

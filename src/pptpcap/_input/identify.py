"""Recognises capture formats by their first bytes.

Knows the magic numbers of ``wire.container``.  Must not open files.
"""

from __future__ import annotations

import codecs
from typing import Literal

from ..errors import CaptureError
from ..wire.container import (
    BYTE_ORDER_MAGIC,
    CONVERTIBLE,
    ERF_HEADER_SIZE,
    ERF_MOST_TYPE,
    ERF_SECONDS,
    NETSCALER,
    NETSCALER_WITHIN,
    PCAP_HEADER_SIZE,
    PCAP_VARIANTS,
    PCAP_VERSION,
    READABLE,
    REFUSED,
    SECTION_HEADER_BLOCK,
    Container,
)

__all__ = ["HEAD_SIZE", "identify"]

# Octets that `identify` wants to see of a file that has them.
HEAD_SIZE = 64

_TEXT = "text"
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
        What a walk needs to know.  A walk of pcapng learns the rest from the blocks.

    Raises
    ------
    CaptureError
        Where the file is no capture, or one of a format that is not read; formats that are known are named.
    """
    if size == 0:
        raise CaptureError(path, 0, "an empty file", READABLE)
    for magic, name, converts in REFUSED:
        if head.startswith(magic):
            raise _refusal(path, name, converts=converts)
    for read in _READERS:
        container = read(head, path)
        if container is not None:
            return container
    what = _what_else(head)
    if what != _TEXT and NETSCALER in head[:NETSCALER_WITHIN]:
        raise _refusal(path, "a NetScaler trace")
    if what != _TEXT and _may_be_erf(head):
        raise _refusal(path, "what may be an ERF file")
    raise CaptureError(path, 0, what, READABLE)


def _refusal(path: str, name: str, *, converts: bool = True) -> CaptureError:
    return CaptureError(path, 0, f"{name}, which this version does not read", CONVERTIBLE if converts else READABLE)


def _may_be_erf(head: bytes) -> bool:
    """Whether these octets could begin an ERF record: the format has no magic number.

    A time (8 octets, little-endian, seconds in the upper half), type and flags, length of the record, a counter, length
    on the wire.
    """
    if len(head) < ERF_HEADER_SIZE:
        return False
    seconds, kind = int.from_bytes(head[4:8], "little"), head[8] & 0x7F
    size, wire = int.from_bytes(head[10:12], "big"), int.from_bytes(head[14:16], "big")
    return seconds in ERF_SECONDS and 0 < kind <= ERF_MOST_TYPE and size >= ERF_HEADER_SIZE and 0 < wire <= size + 0xFF


def _pcap(head: bytes, path: str) -> Container | None:
    byte_order: Literal["little", "big"]
    if int.from_bytes(head[:4], "little") in PCAP_VARIANTS:
        byte_order = "little"
    elif int.from_bytes(head[:4], "big") in PCAP_VARIANTS:
        byte_order = "big"
    else:
        return None
    if len(head) < PCAP_HEADER_SIZE:
        raise CaptureError(path, len(head), "the end of the file", f"a pcap header of {PCAP_HEADER_SIZE} octets")

    def number(offset: int, width: int) -> int:
        return int.from_bytes(head[offset : offset + width], byte_order)

    version = number(4, 2), number(6, 2)
    if version != PCAP_VERSION:
        raise CaptureError(path, 4, "pcap version {}.{}".format(*version), "version {}.{}".format(*PCAP_VERSION))
    variant = PCAP_VARIANTS[number(0, 4)]
    return Container(
        format="pcap",
        byte_order=byte_order,
        ticks=variant.ticks,
        # The bits above are about frame check sequences, which follow the IP packet and are cut off by its length.
        link_type=number(20, 4) & 0xFFFF,
        snap_length=number(16, 4),
        first_record=PCAP_HEADER_SIZE,
        record_header=variant.record_header,
    )


def _pcapng(head: bytes, path: str) -> Container | None:
    if int.from_bytes(head[:4], "big") != SECTION_HEADER_BLOCK:
        return None
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for byte_order in orders:
        if int.from_bytes(head[8:12], byte_order) == BYTE_ORDER_MAGIC:
            return Container(
                format="pcapng", byte_order=byte_order, ticks=0, link_type=-1, snap_length=0, first_record=0
            )
    raise CaptureError(path, min(8, len(head)), "no byte-order magic, as pcapng would have", READABLE)


# Each knows one format: None for a file of another, an error for a file of its own that cannot be read.
_READERS = (_pcap, _pcapng)


def _what_else(head: bytes) -> str:
    """Name what is no capture, in words that hold none of its octets but as hexadecimal numbers."""
    try:
        # An incremental decoder does not mind that the last character is cut.
        characters = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        characters = "\0"
    if all(character.isprintable() or character in _WHITE_SPACE for character in characters):
        return _TEXT
    if len(head) < 4:
        return f"{len(head)} octets"
    return f"the magic number {head[:4].hex()}"

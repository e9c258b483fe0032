"""What a header in front of IP can lead to.

Each of these is the answer of one reader, which decides nothing else.  Offsets count from the start of its header.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..wire.carriers import Carrier


class Need(NamedTuple):
    """More octets than are captured, counted from `start` on."""

    octets: int
    start: int = 0


class Refused(NamedTuple):
    """What follows is not followed, or is not IP where the carrier is NONE."""

    carrier: Carrier = Carrier.NONE


class Network(NamedTuple):
    """An IP header; all that is left is its packet, or `captured` octets of `on_wire`."""

    at: int
    version: int
    captured: int | None = None
    on_wire: int | None = None


class Typed(NamedTuple):
    """What an EtherType, or a length, leads to."""

    at: int
    ethertype: int
    may_be_length: bool = False
    captured: int | None = None
    on_wire: int | None = None


class Inside(NamedTuple):
    """A frame of a link type."""

    at: int
    link_type: int
    captured: int | None = None
    on_wire: int | None = None


class Aggregate(NamedTuple):
    """The frames of an A-MSDU."""

    at: int


Head: TypeAlias = Need | Refused | Network | Typed | Inside | Aggregate


def word(octets: bytes, at: int) -> int:
    """Two octets as a number."""
    return octets[at] << 8 | octets[at + 1]

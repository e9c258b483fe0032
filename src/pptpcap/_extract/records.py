"""Hands chosen records of a capture to a target, as they stand in its files.

Knows where records and blocks begin, and their headers.  Must not know what a packet holds.
"""

from __future__ import annotations

import struct

import numpy as np

from .._input.identify import identify
from .._input.opening import View
from ..engine import Scan
from ..wire.container import (
    BYTE_ORDER_MAGIC,
    INTERFACE_DESCRIPTION_BLOCK,
    PCAP_HEADER_SIZE,
    SECTION_HEADER_BLOCK,
    Container,
)
from .numbers import Packets
from .targets import Target

__all__ = ["Records"]

_SECTION = SECTION_HEADER_BLOCK.to_bytes(4, "big")
# Where a Section Header Block has the length of its section, and a pcap file its link type.
_SECTION_LENGTH = slice(16, 24)
_LINK_TYPE = slice(20, 24)
# Octets of blocks about sections and interfaces that wait for a chosen packet.
_MOST_WAITING = 1 << 20


class Records:
    """Visits the ranges of a capture, as ``_reading.batches.Visitor`` says.

    Parameters
    ----------
    chosen : Packets
        Numbers of the packets that are wanted.
    target : Target
        Takes them.

    Attributes
    ----------
    packets : int
        Packets that were handed over.
    """

    def __init__(self, chosen: Packets, target: Target) -> None:
        self._chosen = chosen
        self._target = target
        self.packets = 0
        # Of pcap; None in a section of pcapng.
        self._container: Container | None = None
        self._record = struct.Struct("<4I")
        self._order = "<"
        # Headers that the target did not get: it gets those of sections with chosen packets.
        self._waiting = bytearray()

    def begin(self, view: View, container: Container) -> None:
        """A file begins; the first section of pcapng is met by the walk."""
        if container.format == "pcap":
            self._begin_pcap(bytes(view.data[:PCAP_HEADER_SIZE]), container)

    def take(self, view: View, scan: Scan, packets: int) -> None:
        """Hand over what is chosen of a range."""
        places = scan.take_places()
        is_packet = places >= 0
        is_wanted = ~is_packet
        is_wanted[is_packet] = self._chosen.has(packets + np.arange(1, 1 + np.count_nonzero(is_packet)))
        for place in places[is_wanted].tolist():
            if place < 0:
                self._head(view, ~place - view.origin)
                continue
            if self._waiting:
                self._give_waiting()
            if self._container is None:
                self._target.block(self._block(view, place - view.origin), self._order)
            else:
                self._give_record(view, place - view.origin, self._container)
            self.packets += 1

    def _head(self, view: View, at: int) -> None:
        """A header begins: of a section, of an interface, or of a pcap file that was joined."""
        head = bytes(view.data[at : at + PCAP_HEADER_SIZE])
        if head[:4] == _SECTION:
            self._container = None
            self._order = "<" if int.from_bytes(head[8:12], "little") == BYTE_ORDER_MAGIC else ">"
            self._waiting = bytearray(self._block(view, at))
            # Not all of its blocks follow.
            self._waiting[_SECTION_LENGTH] = b"\xff" * 8
        elif self._container is None and self._number(head) == INTERFACE_DESCRIPTION_BLOCK:
            self._waiting += self._block(view, at)
        else:
            self._begin_pcap(head, identify(head, len(head), view.path))
        if len(self._waiting) > _MOST_WAITING:
            self._give_waiting()

    def _begin_pcap(self, head: bytes, container: Container) -> None:
        self._container = container
        self._order = "<" if container.byte_order == "little" else ">"
        self._record = struct.Struct(f"{self._order}4I")
        self._waiting = bytearray(head)

    def _give_waiting(self) -> None:
        octets = bytes(self._waiting)
        self._waiting.clear()
        if self._container is None:
            self._target.section(octets)
        else:
            self._target.file(self._container, self._number(octets[_LINK_TYPE]), self._order)

    def _block(self, view: View, at: int) -> bytes:
        size = self._number(bytes(view.data[at + 4 : at + 8]))
        return bytes(view.data[at : at + size])

    def _give_record(self, view: View, at: int, container: Container) -> None:
        seconds, fraction, captured, original = self._record.unpack_from(view.data, at)
        if container.lengths == "original" or (container.lengths == "lesser" and captured > original):
            captured, original = original, captured
        at += container.record_header
        self._target.record(seconds, fraction, original, bytes(view.data[at : at + captured]))

    def _number(self, octets: bytes) -> int:
        return int.from_bytes(octets[:4], "little" if self._order == "<" else "big")

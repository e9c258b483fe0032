"""Tunnels: which Enhanced GRE packets flow one way under one call id.

Knows rows of ``gre`` in the order of packets, nothing of control connections.  Called by
``assemble``.
"""

from __future__ import annotations

from typing import TypeAlias

from ..wire.gre import ACKNOWLEDGMENT_PRESENT, SEQUENCE_PRESENT
from ..wire.status import GreStatus
from .columns import Row
from .events import GrePacket
from .streams import signed_difference

# Source, destination, call id.
Key: TypeAlias = tuple[bytes, bytes, int]


class Tunnel:
    """One tunnel, and the row that it will have.

    Parameters
    ----------
    found : GrePacket
        Its first packet.
    """

    def __init__(self, found: GrePacket) -> None:
        self._key = (found.source, found.destination, found.call_id)
        self._first = self._last = found.packet
        self._packets = 0
        self._payload_octets = 0
        self._acks = 0
        self._first_sequence = 0
        self._last_sequence = 0

    def add(self, found: GrePacket) -> None:
        """Count a packet."""
        self._last = found.packet
        if found.flags_and_version & SEQUENCE_PRESENT:
            number = found.sequence_number
            if not self._packets:
                self._first_sequence = self._last_sequence = number
            elif signed_difference(number, self._last_sequence) > 0:
                self._last_sequence = number
            self._packets += 1
            self._payload_octets += found.payload_length
        elif found.flags_and_version & ACKNOWLEDGMENT_PRESENT:
            self._acks += 1

    def row(self) -> Row:
        """Its row in ``tunnels`` as it stands."""
        source, destination, call_id = self._key
        return (
            tuple(source),
            tuple(destination),
            call_id,
            self._first.time,
            self._last.time,
            self._first.number,
            self._last.number,
            self._packets,
            self._payload_octets,
            self._acks,
            self._first_sequence,
            self._last_sequence,
        )


class Tunnels:
    """All tunnels of one capture, numbered at first sight (decoding 8.6)."""

    def __init__(self) -> None:
        self._tunnels: list[Tunnel] = []
        self._indexes: dict[Key, int] = {}

    def index(self, found: GrePacket) -> int:
        """Count a packet; give the row of its tunnel, -1 where the header is cut."""
        if found.status & GreStatus.HEADER_CUT.value:
            return -1
        key = (found.source, found.destination, found.call_id)
        index = self._indexes.setdefault(key, len(self._tunnels))
        if index == len(self._tunnels):
            self._tunnels.append(Tunnel(found))
        self._tunnels[index].add(found)
        return index

    def rows(self) -> list[Row]:
        """The rows of ``tunnels`` as they stand."""
        return [tunnel.row() for tunnel in self._tunnels]

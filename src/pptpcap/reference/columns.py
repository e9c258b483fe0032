"""Builds structured arrays from rows, which are tuples in the order of the columns.

Knows which value belongs in which column.  Decides nothing about traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..engine import SEGMENT, Rows
from ..schema import EVENTS, dtype, empty
from ..wire.control import BY_CODE
from ..wire.status import End, Kind, Layer
from .control import Header, read_fields
from .events import ControlPacket, GrePacket, Packet

# One row: values in the order of the columns.  A time is an integer or None.
Row: TypeAlias = tuple[Any, ...]
# Data octets of an option that its row has.
_VALUE_OCTETS = 8
# The place of a message's call in its row.
_CALL = dtype("messages").names.index("call")  # type: ignore[union-attr]


class Told(NamedTuple):
    """A message that was delivered at the packet `now`, and its row: number, packet, fields."""

    now: Packet
    packet: Packet
    connection: int
    from_initiator: bool
    number: int
    code: int
    values: dict[str, int | bytes]
    available: int


class Ended(NamedTuple):
    """A connection that ended at the packet `now`."""

    now: Packet
    connection: int
    end: End
    from_initiator: bool


def to_array(table: str, rows: Sequence[Row]) -> Rows:
    """A structured array of the table's dtype."""
    if not rows:
        return empty(table)
    return np.array(rows, dtype=dtype(table))


class Output:
    """Rows of the event tables that were not taken yet.

    Parameters
    ----------
    payloads : bool
        Give the payloads of rows of ``gre`` too.
    members : bool
        Give the segments of connections too.
    """

    def __init__(self, payloads: bool = False, members: bool = False) -> None:
        self._payloads: list[bytes] | None = [] if payloads else None
        self._segments: list[Row] | None = [] if members else None
        self._rows: dict[str, list[Row]] = {name: [] for name in EVENTS}
        # Messages and ends that are not related yet, in order.
        self.told: list[Told | Ended] = []
        # Rows of each table since the capture began: indexes go on after a take.
        self._totals = dict.fromkeys(EVENTS, 0)

    def issue(self, packet: Packet, connection: int, layer: Layer, kind: Kind, needed: int, had: int) -> None:
        """Add a row to ``issues``; `connection` is -1 where it concerns none."""
        self._add(
            "issues",
            (
                packet.time,
                packet.file,
                packet.number,
                packet.record_offset,
                connection,
                layer.value,
                kind.value,
                needed,
                had,
            ),
        )

    def issues(self) -> int:
        """How many rows ``issues`` has."""
        return len(self._rows["issues"])

    def move_issues(self, start: int, place: int) -> None:
        """Put the rows of ``issues`` from `start` on in front of that at `place`."""
        rows = self._rows["issues"]
        rows[place:] = rows[start:] + rows[place:start]

    def entity_limit(self, packet: Packet, connection: int, layer: Layer, cap: int) -> None:
        """Report that an entity table has reached its cap."""
        self.issue(packet, connection, layer, Kind.ENTITY_LIMIT, cap, cap + 1)

    def message(
        self,
        now: Packet,
        packet: Packet,
        connection: int,
        from_initiator: bool,
        segments: int,
        status: int,
        header: Header,
        octets: bytes,
    ) -> tuple[int, dict[str, int | bytes]]:
        """Add a row to ``messages``, and one to the table of its type if it has one; give its row and its fields."""
        values: dict[str, int | bytes] = {}
        row = -1
        message = BY_CODE.get(header.control_message_type) if header.is_control else None
        if message is not None:
            values = read_fields(message.code, octets)
            row = self._add(message.name, (self._totals["messages"], *values.values()))
        index = self._add(
            "messages",
            (
                packet.time,
                packet.file,
                packet.number,
                packet.record_offset,
                connection,
                -1,
                from_initiator,
                segments,
                status,
                row,
                *header,
                len(octets),
            ),
        )
        if row >= 0 and connection >= 0:
            code = header.control_message_type
            self.told.append(Told(now, packet, connection, from_initiator, index, code, values, len(octets)))
        return index, values

    def segment(self, packet: Packet, connection: int) -> None:
        """Tell of a segment of a connection; -1 is one without a row."""
        if self._segments is not None:
            self._segments.append((packet.time, packet.number, connection))

    def belongs(self, message: int, call: int) -> None:
        """A message that was not taken yet belongs to this call."""
        rows = self._rows["messages"]
        place = message - self._totals["messages"]
        rows[place] = (*rows[place][:_CALL], call, *rows[place][_CALL + 1 :])

    def gre(self, found: GrePacket, tunnel: int, status: int, skipped: int) -> None:
        """Add a row to ``gre``, whose number gives it more statuses, and those of the PPP control packet in it."""
        packet = found.packet
        self._add(
            "gre",
            (
                packet.time,
                packet.file,
                packet.number,
                packet.record_offset,
                found.flags_and_version,
                found.call_id,
                found.payload_length,
                found.sequence_number,
                found.acknowledgment_number,
                found.ppp_protocol,
                len(found.payload),
                tunnel,
                skipped,
                found.status | status,
            ),
        )
        if self._payloads is not None:
            self._payloads.append(found.payload)
        if found.control is not None:
            self._control(packet, found.control, tunnel)

    def _control(self, packet: Packet, found: ControlPacket, tunnel: int) -> None:
        index = self._add(
            "ppp",
            (
                packet.time,
                packet.file,
                packet.number,
                packet.record_offset,
                self._totals["gre"] - 1,
                tunnel,
                found.protocol,
                found.code,
                found.identifier,
                found.length,
                len(found.octets),
                len(found.options),
                found.status,
            ),
        )
        for option in found.options:
            value = int.from_bytes(option.data[:_VALUE_OCTETS], "big")
            self._add("ppp_options", (index, option.type, option.length, value))

    def take(self) -> dict[str, Rows]:
        """Every event table, with its rows since the last call."""
        taken = {name: to_array(name, rows) for name, rows in self._rows.items()}
        self._rows = {name: [] for name in EVENTS}
        if self._payloads is not None:
            taken["payloads"] = np.frombuffer(b"".join(self._payloads), np.uint8)
            self._payloads = []
        if self._segments is not None:
            taken["segments"] = np.array(self._segments, SEGMENT)
            self._segments = []
        return taken

    def _add(self, table: str, row: Row) -> int:
        self._rows[table].append(row)
        self._totals[table] += 1
        return self._totals[table] - 1

"""Rows become structured arrays: lists of tuples in the order of the schema's columns.

Knows which value stands in which column, decides nothing of the traffic.  Called by ``assemble``,
``cutter`` and ``connections``, which hand rows over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..engine import Rows
from ..schema import EVENTS, dtype, empty
from ..wire.control import BY_CODE
from ..wire.status import Kind, Layer
from .control import Header, read_fields
from .events import GrePacket, Packet

# One row: values in the order of the columns.  A time is an integer or None.
Row: TypeAlias = tuple[Any, ...]


def to_array(table: str, rows: Sequence[Row]) -> Rows:
    """A structured array of the table's dtype."""
    if not rows:
        return empty(table)
    return np.array(rows, dtype=dtype(table))


class Output:
    """Rows of the event tables that were not taken yet."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {name: [] for name in EVENTS}
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

    def message(
        self,
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
                from_initiator,
                segments,
                status,
                row,
                *header,
                len(octets),
            ),
        )
        return index, values

    def gre(self, found: GrePacket, tunnel: int) -> None:
        """Add a row to ``gre``."""
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
                found.available,
                tunnel,
                found.status,
            ),
        )

    def take(self) -> dict[str, Rows]:
        """Every event table, with its rows since the last call."""
        taken = {name: to_array(name, rows) for name, rows in self._rows.items()}
        self._rows = {name: [] for name in EVENTS}
        return taken

    def _add(self, table: str, row: Row) -> int:
        self._rows[table].append(row)
        self._totals[table] += 1
        return self._totals[table] - 1

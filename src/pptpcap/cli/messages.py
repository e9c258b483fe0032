"""``pptpcap messages``: one line per control message, for people or as JSON.

Knows how a message is written, and streams: memory does not grow with the capture.  Called by the command group.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click
import numpy as np

from .. import describe
from ..capture import Capture, Summary
from ..reading import batches
from ..wire.control import BY_CODE, HEADER, MESSAGES
from ..wire.model import Field
from ..wire.status import MessageStatus
from .common import Damage, files_and_options, sources, wants_progress

__all__ = ["messages"]

_TABLES = ("messages", *(message.name for message in MESSAGES), "connections", "issues")
_BATCH_BYTES = 16 << 20
# Rows that are Python objects at once.
_SLICE = 4096


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every field of header and body.")
@files_and_options
def messages(files: tuple[str, ...], ports: tuple[int, ...], engine: str, as_json: bool) -> int:
    r"""Write one line per control message of the FILEs.

    In JSON, a field that is not in the capture is null; text ends at its first zero octet and has \xNN for what is no
    printable ASCII, and where that is not all that the field holds, NAME_hex has its octets.
    """
    summary: Summary | None = None
    damage = Damage()
    width = 0
    for batch in batches(
        sources(files),
        batch_bytes=_BATCH_BYTES,
        entities_always=True,
        tables=_TABLES,
        ports=ports,
        errors="keep",
        engine=engine,
        progress=wants_progress(while_printing=True),
    ):
        summary = batch.summary
        damage.note(batch)
        for message in _of(batch):
            if not as_json:
                width = max(width, len(message.ends))
            sys.stdout.write((message.json() if as_json else message.line(width)) + "\n")
    assert summary is not None
    return damage.finish(summary)


@dataclass
class _Message:
    """One message with all that is known of it."""

    index: int
    time: np.datetime64
    nanoseconds: bool
    row: dict[str, Any]
    body: dict[str, Any] | None
    source: tuple[str, int]
    destination: tuple[str, int]

    @property
    def abbreviation(self) -> str:
        return describe.message_abbreviation(self.row["message_type"], self.row["control_message_type"])

    @property
    def status(self) -> list[str]:
        return describe.flags(self.row["status"], MessageStatus)

    @property
    def known(self) -> int:
        return int(min(self.row["available"], self.row["length"]))

    @cached_property
    def ends(self) -> str:
        return " > ".join(describe.endpoint(*side) for side in (self.source, self.destination))

    def fields(self) -> Iterator[tuple[Field, Any]]:
        """Fields of the body with their contents, None where they are not in the capture."""
        if self.body is None:
            return
        for field, start in _BODIES[self.row["control_message_type"]]:
            # Of a text that is cut, the octets before the cut are there.
            there = start < self.known if field.kind == "text" else start + field.width <= self.known
            yield field, self.body[field.name] if there else None

    def offset(self, field: Field) -> int:
        return BY_CODE[self.row["control_message_type"]].offset(field.name)

    def line(self, width: int) -> str:
        time = describe.instant(self.time, self.nanoseconds)
        parts = [f"{time} {self.row['packet']:>6}  {self.ends:<{width}}  {self.abbreviation:<8}"]
        for field, content in self.fields():
            idle = content is None or (field.name.startswith("reserved") and not content)
            if not idle:
                cut = field.kind == "text" and self.offset(field) + field.width > self.known
                parts.append(f"{field.name}={describe.value(field, content)}{'...' if cut else ''}")
        if self.status:
            parts.append(f"[{' '.join(self.status)}]")
        return " ".join(parts).rstrip()

    def json(self) -> str:
        row = self.row
        document: dict[str, Any] = {
            "index": self.index,
            "time": describe.instant(self.time).replace(" ", "T") + "Z",
            "file": row["file"],
            "packet": row["packet"],
            "record_offset": row["record_offset"],
            "connection": row["connection"],
            "from_initiator": row["from_initiator"],
            "source_address": self.source[0],
            "source_port": self.source[1],
            "destination_address": self.destination[0],
            "destination_port": self.destination[1],
            "segments": row["segments"],
            "status": self.status,
            "message": self.abbreviation,
            **{field.name: row[field.name] for field in HEADER},
            "available": row["available"],
        }
        for field, content in self.fields():
            if content is not None and field.kind == "text":
                document[field.name] = describe.escape_octets(content)
                if not describe.plain(content):
                    document[f"{field.name}_hex"] = content.hex()
            else:
                document[field.name] = content
        return json.dumps(document)


# Fields of each type's body, and where they start in the message.
_BODIES = {
    message.code: [(field, message.offset(field.name)) for field in message.fields if field not in HEADER]
    for message in MESSAGES
}


def _of(batch: Capture) -> Iterator[_Message]:
    rows = batch["messages"]
    fine = [file.resolution == "ns" for file in batch.summary.files]
    sides: dict[int, tuple[tuple[str, int], tuple[str, int]]] = {}
    for start in range(0, len(rows), _SLICE):
        part = rows[start : start + _SLICE]
        bodies = _bodies(batch, part)
        times = part["time"]
        for place, row in enumerate(_dicts(part)):
            number = row["connection"]
            if number not in sides:
                sides[number] = _sides(batch["connections"][number])
            initiator, responder = sides[number]
            source, destination = (initiator, responder) if row["from_initiator"] else (responder, initiator)
            index = batch.first_row["messages"] + start + place
            body = bodies[row["control_message_type"], row["row"]] if row["row"] >= 0 else None
            yield _Message(index, times[place], fine[row["file"]], row, body, source, destination)


def _bodies(batch: Capture, part: np.ndarray[Any, Any]) -> dict[tuple[int, int], dict[str, Any]]:
    """Rows of the types' tables that these messages have, by type and row."""
    bodies = {}
    with_body = part[part["row"] >= 0]
    for code in np.unique(with_body["control_message_type"]).tolist():
        table = BY_CODE[code].name
        numbers = with_body["row"][with_body["control_message_type"] == code]
        first, last = int(numbers.min()), int(numbers.max())
        before = batch.first_row[table]
        chosen = batch[table][first - before : last - before + 1]
        bodies.update({(code, first + place): row for place, row in enumerate(_dicts(chosen))})
    return bodies


def _dicts(rows: np.ndarray[Any, Any]) -> Iterator[dict[str, Any]]:
    names = rows.dtype.names or ()
    return (dict(zip(names, row, strict=True)) for row in rows.tolist())


def _sides(connection: Any) -> tuple[tuple[str, int], tuple[str, int]]:
    initiator, responder = (
        (describe.address(connection[f"{side}_address"]), int(connection[f"{side}_port"]))
        for side in ("initiator", "responder")
    )
    return initiator, responder

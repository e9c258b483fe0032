"""``pptpcap messages``: prints one line per control message, as text or as JSON.

Knows how a message is printed.  Streams, so memory does not grow with the capture.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import click
import numpy as np

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._reading.conditions import Condition, fulfilling_all
from .._show import words
from .._show.null import octets_needed
from ..capture import Capture, Summary
from ..wire.control import BY_CODE, HEADER, MESSAGES
from ..wire.model import Field
from ..wire.status import MessageStatus
from .common import Damage, choosing, files_and_options, sources, wants_progress

__all__ = ["messages"]

_TABLES = ("messages", *(message.name for message in MESSAGES), "issues")
_BATCH_BYTES = 16 << 20
# Rows that become Python objects at a time.
_SLICE = 4096


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines with every field of header and body.")
@choosing("messages")
@files_and_options
def messages(files: tuple[str, ...], reading: ReadOptions, as_json: bool, conditions: tuple[Condition, ...]) -> int:
    r"""Print one line per control message of the FILEs.

    In JSON, a field that is not in the capture is null; text ends at its first zero octet and has \xNN for what is no
    printable ASCII, and where that is not all that the field holds, NAME_hex has its octets.
    """
    summary: Summary | None = None
    damage = Damage()
    width = 0
    for batch in batches(
        sources(files),
        batch_bytes=_BATCH_BYTES,
        ends=True,
        tables=_TABLES,
        options=Options.of(reading),
        progress=wants_progress(while_printing=True),
    ):
        summary = batch.summary
        damage.note(batch)
        for message in _of(batch, conditions):
            if as_json:
                line = message.json()
            else:
                width = max(width, len(message.ends.text))
                line = message.line(width)
            sys.stdout.write(line + "\n")
    assert summary is not None
    return damage.finish(summary)


class _Ends(NamedTuple):
    """Both ends of a connection, as one side's messages have them."""

    source: tuple[str | None, int | None]
    destination: tuple[str | None, int | None]
    text: str


# Of a connection that has no row.
_NOBODY = _Ends((None, None), (None, None), "-")


@dataclass(slots=True)
class _Message:
    """One message with all that is known of it; its time is text with nanoseconds."""

    index: int
    time: str
    nanoseconds: bool
    row: dict[str, Any]
    body: dict[str, Any] | None
    ends: _Ends

    @property
    def abbreviation(self) -> str:
        return words.message_abbreviation(self.row["message_type"], self.row["control_message_type"])

    @property
    def status(self) -> tuple[str, ...]:
        return words.flags(self.row["status"], MessageStatus)

    def fields(self) -> Iterator[tuple[Field, Any, bool]]:
        """Fields of the body, their contents, and whether they are whole; None where they are not in the capture."""
        if self.body is None:
            return
        known = min(self.row["available"], self.row["length"])
        for field, needed, end in _BODIES[self.row["control_message_type"]]:
            yield field, self.body[field.name] if known >= needed else None, known >= end

    def line(self, width: int) -> str:
        time = self.time if self.nanoseconds else self.time[:-3]
        parts = [f"{time} {self.row['packet']:>6}  {self.ends.text:<{width}}  {self.abbreviation:<8}"]
        for field, content, whole in self.fields():
            if content is None or (not content and field.name.startswith("reserved")):
                continue
            parts.append(f"{field.name}={words.value(field, content)}{'' if whole else '...'}")
        if self.status:
            parts.append(f"[{' '.join(self.status)}]")
        return " ".join(parts).rstrip()

    def json(self) -> str:
        row = self.row
        document: dict[str, Any] = {
            "index": self.index,
            "time": self.time.replace(" ", "T") + "Z",
            "file": row["file"],
            "packet": row["packet"],
            "record_offset": row["record_offset"],
            "connection": row["connection"],
            "from_initiator": row["from_initiator"],
            "source_address": self.ends.source[0],
            "source_port": self.ends.source[1],
            "destination_address": self.ends.destination[0],
            "destination_port": self.ends.destination[1],
            "segments": row["segments"],
            "status": self.status,
            "message": self.abbreviation,
            **{field.name: row[field.name] for field in HEADER},
            "available": row["available"],
        }
        for field, content, _ in self.fields():
            if content is not None and field.kind == "text":
                document[field.name] = words.escape_octets(content)
                if not words.plain(content):
                    document[f"{field.name}_hex"] = content.hex()
            else:
                document[field.name] = content
        return json.dumps(document)


# Fields of each type's body, the octets of the message without which there is nothing of them, and where they end.
_BODIES = {
    message.code: [
        (field, octets_needed(message, field), message.offset(field.name) + field.width)
        for field in message.fields
        if field not in HEADER
    ]
    for message in MESSAGES
}


def _of(batch: Capture, conditions: tuple[Condition, ...]) -> Iterator[_Message]:
    rows = batch["messages"]
    chosen = np.flatnonzero(fulfilling_all(conditions, "messages", batch))
    fine = [file.resolution == "ns" for file in batch.summary.files]
    ends: dict[int, tuple[_Ends, _Ends]] = {}
    for start in range(0, len(chosen), _SLICE):
        places = chosen[start : start + _SLICE]
        part = rows[places]
        bodies = _bodies(batch, part)
        times = words.instants(part["time"])
        numbers = (batch.first_row["messages"] + places).tolist()
        for index, time, row in zip(numbers, times, _dicts(part), strict=True):
            number = row["connection"]
            if number not in ends:
                ends[number] = _ends(batch.ends[number]) if number >= 0 else (_NOBODY, _NOBODY)
            body = bodies[row["control_message_type"], row["row"]] if row["row"] >= 0 else None
            yield _Message(index, time, fine[row["file"]], row, body, ends[number][not row["from_initiator"]])


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


def _ends(connection: Any) -> tuple[_Ends, _Ends]:
    """Ends of the messages of the initiator, and of the responder."""
    one, other = (
        (words.address(connection[f"{side}_address"]), int(connection[f"{side}_port"]))
        for side in ("initiator", "responder")
    )
    return _directed(one, other), _directed(other, one)


def _directed(source: tuple[str, int], destination: tuple[str, int]) -> _Ends:
    return _Ends(source, destination, f"{words.endpoint(*source)} > {words.endpoint(*destination)}")

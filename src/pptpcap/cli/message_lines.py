"""Formats control messages as lines, for people and as JSON.

Knows how a message is printed.  Must not know files.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from .._show import words
from .._show.null import Mask, octets_needed
from ..capture import Capture
from ..engine import Rows
from ..export.formatting import write_lines
from ..wire.control import BY_CODE, HEADER, MESSAGES
from ..wire.model import Field
from ..wire.status import MessageStatus

__all__ = ["FIELDS", "MessageLines", "body_of", "ends_of"]

Values: TypeAlias = np.ndarray[Any, np.dtype[Any]]
# What `write_lines` takes: what stands in front, values, which were not seen, and texts that values are indexes of.
Column: TypeAlias = tuple[bytes, Values, Mask | None, list[bytes] | None]
# Address and port.
End: TypeAlias = tuple[str, int]

# Rows that are formatted at a time.
_SLICE = 1 << 16

# Fields of each type's body, the octets of the message without which there is nothing of them, and where they end.
FIELDS = {
    message.code: [
        (field, octets_needed(message, field), message.offset(field.name) + field.width)
        for field in message.fields
        if field not in HEADER
    ]
    for message in MESSAGES
}


class MessageLines:
    """Lines of the messages of a capture, batch by batch.

    Parameters
    ----------
    as_json : bool
        JSON, and not text for people.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        # Of the ends of a connection, the widest so far.
        self._width = 0

    def of(self, batch: Capture, places: Values) -> Iterator[str]:
        """Lines of some messages of a batch, each with its end.

        Parameters
        ----------
        batch : Capture
            A batch with ``messages``, the 15 tables and ``ends``.
        places : numpy.ndarray
            Indexes in the batch's ``messages``.
        """
        for start in range(0, len(places), _SLICE):
            yield from self._slice(batch, places[start : start + _SLICE])

    def _slice(self, batch: Capture, places: Values) -> list[str]:
        rows = batch["messages"][places]
        ends = self._ends(batch, rows)
        fine = np.array([file.resolution == "ns" for file in batch.summary.files], np.bool_)[rows["file"]]
        kinds = np.where(rows["row"] < 0, 0, rows["control_message_type"])
        lines = np.empty(len(rows), object)
        for kind in np.unique(kinds).tolist():
            for is_fine in (False, True):
                chosen = np.flatnonzero((kinds == kind) & (fine == is_fine))
                if len(chosen):
                    part, beside = rows[chosen], (ends[0], ends[1][chosen], None, ends[3])
                    body = body_of(batch, kind, part) if kind else None
                    if self._as_json:
                        columns = _json_columns(part, batch.first_row["messages"] + places[chosen], beside, kind, body)
                    else:
                        columns = _text_columns(part, beside, kind, body)
                    lines[chosen] = _lines(columns, len(part), self._as_json, is_fine)
        in_order: list[str] = lines.tolist()
        return in_order

    def _ends(self, batch: Capture, rows: Rows) -> Column:
        """Both ends of the connection of each message, the sender first."""
        ways, which = np.unique(2 * rows["connection"].astype(np.int64) + ~rows["from_initiator"], return_inverse=True)
        ends = [ends_of(batch, way) for way in ways.tolist()]
        if self._as_json:
            return b"", which, None, [_json_ends(pair) for pair in ends]
        texts = [
            f"{words.endpoint(*source)} > {words.endpoint(*destination)}" if source and destination else "-"
            for source, destination in ends
        ]
        # A line is as wide as the widest so far, wherever the batches end.
        widths = np.maximum.accumulate(np.maximum(np.array([len(text) for text in texts])[which], self._width))
        self._width = int(widths[-1])
        padded, which = np.unique(which << 32 | widths, return_inverse=True)
        return b"  ", which, None, [texts[one >> 32].ljust(one & 0xFFFFFFFF).encode() for one in padded.tolist()]


def ends_of(batch: Capture, way: int) -> tuple[End | None, End | None]:
    """Sender and receiver, by the number of their connection and by who sends; None if it has no row."""
    number, from_responder = way >> 1, way & 1
    if number < 0:
        return None, None
    row = batch.ends[number]
    initiator, responder = (
        (words.address(row[f"{side}_address"]), int(row[f"{side}_port"])) for side in ("initiator", "responder")
    )
    return (responder, initiator) if from_responder else (initiator, responder)


def _json_ends(pair: tuple[End | None, End | None]) -> bytes:
    said: dict[str, Any] = {}
    for name, end in zip(("source", "destination"), pair, strict=True):
        said[f"{name}_address"], said[f"{name}_port"] = end or (None, None)
    return b", " + json.dumps(said)[1:-1].encode()


def body_of(batch: Capture, kind: int, rows: Rows) -> Rows:
    """The rows that messages of one type have in its table."""
    table = BY_CODE[kind].name
    bodies: Rows = batch[table][rows["row"] - batch.first_row[table]]
    return bodies


def _lines(columns: list[Column], count: int, as_json: bool, is_fine: bool) -> list[str]:
    """A line for each message."""
    octets = io.BytesIO()
    if as_json:
        write_lines(octets.write, columns, count, null=b"null", quote=b'"', end=b"}\n")
    else:
        digits = 9 if is_fine else 6
        write_lines(
            octets.write,
            columns,
            count,
            null=b"-",
            quote=b"",
            end=b"\n",
            separator=b" ",
            digits=digits,
            says_zone=False,
        )
    return octets.getvalue().decode("ascii").splitlines(keepends=True)


def _text_columns(rows: Rows, ends: Column, kind: int, body: Rows | None) -> list[Column]:
    columns = [
        (b"", rows["time"], np.isnat(rows["time"]), None),
        _packets(rows["packet"]),
        ends,
        _abbreviations(rows, lambda text: f"  {text:<8}"),
    ]
    if body is not None:
        known = np.minimum(rows["available"], rows["length"])
        columns += [_text_field(field, needed, end, body[field.name], known) for field, needed, end in FIELDS[kind]]
    return [*columns, _spelled(rows["status"], _text_status)]


def _packets(numbers: Values) -> Column:
    """Numbers of packets, in columns of six digits as long as they fit."""
    if numbers.min() >= 100_000:
        return b" ", numbers, None, None
    different, which = np.unique(numbers, return_inverse=True)
    return b"", which, None, [b" %6d" % number for number in different.tolist()]


def _text_field(field: Field, needed: int, end: int, values: Values, known: Values) -> Column:
    """A field with its name; nothing where it is not in the capture, or reserved and zero."""
    if known.min() >= end and words.is_in_digits(field) and not field.name.startswith("reserved"):
        return f" {field.name}=".encode(), values, None, None
    different, which = np.unique(values, return_inverse=True)
    contents = different.tolist()
    places, which = np.unique(which * 4 + (known >= needed) * 2 + (known >= end), return_inverse=True)
    texts = []
    for place in places.tolist():
        content = contents[place >> 2]
        is_shown = place & 2 and (content or not field.name.startswith("reserved"))
        rest = "" if place & 1 else "..."
        texts.append(f" {field.name}={words.value(field, content)}{rest}".encode() if is_shown else b"")
    return b"", which, None, texts


def _text_status(number: int) -> str:
    names = words.flags(number, MessageStatus)
    return f" [{' '.join(names)}]" if names else ""


def _json_columns(rows: Rows, numbers: Values, ends: Column, kind: int, body: Rows | None) -> list[Column]:
    columns: list[Column] = [
        (b'{"index": ', numbers, None, None),
        (b', "time": ', rows["time"], np.isnat(rows["time"]), None),
        *(_json_number(rows, name) for name in ("file", "packet", "record_offset", "connection", "from_initiator")),
        ends,
        _json_number(rows, "segments"),
        _spelled(rows["status"], lambda number: f', "status": {json.dumps(words.flags(number, MessageStatus))}'),
        _abbreviations(rows, lambda text: f', "message": {json.dumps(text)}'),
        *(_json_number(rows, field.name) for field in HEADER),
        _json_number(rows, "available"),
    ]
    if body is None:
        return columns
    known = np.minimum(rows["available"], rows["length"])
    for field, needed, _ in FIELDS[kind]:
        column = _json_number(body, field.name) if field.kind == "unsigned" else _json_text(body, field)
        before, values, _, texts = column
        columns.append((before, values, known < needed, texts))
    return columns


def _json_number(rows: Rows, name: str) -> Column:
    return f', "{name}": '.encode(), rows[name], None, None


def _json_text(body: Rows, field: Field) -> Column:
    different, which = np.unique(body[field.name], return_inverse=True)
    texts = []
    for octets in different.tolist():
        text = json.dumps(words.escape_octets(octets))
        if not words.plain(octets):
            text += f', "{field.name}_hex": "{octets.hex()}"'
        texts.append(text.encode())
    return f', "{field.name}": '.encode(), which, None, texts


def _abbreviations(rows: Rows, spelled: Callable[[str], str]) -> Column:
    types = rows["message_type"].astype(np.int64) << 16 | rows["control_message_type"]
    return _spelled(types, lambda one: spelled(words.message_abbreviation(one >> 16, one & 0xFFFF)))


def _spelled(values: Values, text: Callable[[int], str]) -> Column:
    """The text of each number."""
    different, which = np.unique(values, return_inverse=True)
    return b"", which, None, [text(number).encode() for number in different.tolist()]

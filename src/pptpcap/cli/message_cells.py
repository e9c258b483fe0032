"""Chosen columns of control messages.

Knows which columns a message has.  Must not know files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .._show import words
from ..capture import Capture
from ..engine import Rows
from ..wire.status import MessageStatus
from .cells import Cells, Values
from .message_lines import FIELDS, body_of, ends_of
from .names import ENDS

__all__ = ["message_lines"]


def message_lines(
    batch: Capture, places: Values, names: Sequence[str], lines_of: Callable[[Sequence[Cells], int], list[str]]
) -> Iterator[str]:
    """A line for each of some messages of a batch; a column that its type has not is one that was not seen."""
    rows = batch["messages"][places]
    numbers = batch.first_row["messages"] + places
    kinds = np.where(rows["row"] < 0, 0, rows["control_message_type"])
    lines = np.empty(len(rows), object)
    for kind in np.unique(kinds).tolist():
        chosen = np.flatnonzero(kinds == kind)
        part = rows[chosen]
        body = body_of(batch, kind, part) if kind else None
        columns = [_cells(name, batch, part, numbers[chosen], kind, body) for name in names]
        lines[chosen] = lines_of(columns, len(part))
    yield from lines.tolist()


def _cells(name: str, batch: Capture, rows: Rows, numbers: Values, kind: int, body: Rows | None) -> Cells:
    if name == "index":
        return Cells(name, numbers)
    if name in ENDS:
        return _ends(name, batch, rows)
    if name == "status":
        different, which = np.unique(rows[name], return_inverse=True)
        return Cells(name, which, None, [[*words.flags(number, MessageStatus)] for number in different.tolist()])
    if name == "message":
        types = rows["message_type"].astype(np.int64) << 16 | rows["control_message_type"]
        different, which = np.unique(types, return_inverse=True)
        return Cells(name, which, None, [words.message_abbreviation(n >> 16, n & 0xFFFF) for n in different.tolist()])
    if name == "time":
        return Cells(name, rows[name], np.isnat(rows[name]))
    if name in (rows.dtype.names or ()):
        return Cells(name, rows[name])
    for field, needed, _ in FIELDS.get(kind, ()):
        if field.name == name and body is not None:
            missing = np.minimum(rows["available"], rows["length"]) < needed
            if field.kind == "unsigned":
                return Cells(name, body[name], missing)
            different, which = np.unique(body[name], return_inverse=True)
            return Cells(name, which, missing, [words.escape_octets(octets) for octets in different.tolist()])
    return Cells(name, np.zeros(len(rows), np.uint8), np.ones(len(rows), np.bool_))


def _ends(name: str, batch: Capture, rows: Rows) -> Cells:
    """Address or port of one end of the connection; not seen where it has no row."""
    ways, which = np.unique(2 * rows["connection"].astype(np.int64) + ~rows["from_initiator"], return_inverse=True)
    place, is_port = divmod(ENDS.index(name), 2)
    ends = [ends_of(batch, way)[place] for way in ways.tolist()]
    missing = np.array([end is None for end in ends], np.bool_)[which]
    return Cells(name, which, missing, ["" if end is None else end[is_port] for end in ends])

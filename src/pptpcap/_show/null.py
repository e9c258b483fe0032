"""Decides which values of a row were never seen: arrays have 0 there, people and exports get nothing.

Knows NumPy and what columns mean.  Must not know files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from ..engine import Rows
from ..wire import gre
from ..wire.control import MESSAGES
from ..wire.model import Absence, Column, Equal, Field, Message, Unset
from ..wire.status import GreStatus, PppStatus
from ..wire.tables import BY_NAME

__all__ = ["Mask", "Octets", "absent", "octets_known", "octets_needed"]

Mask: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
Masks: TypeAlias = Iterator[tuple[str, Mask]]
Octets: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint16]]

_MESSAGES = {message.name: message for message in MESSAGES}
# An option's own type and length.
_OPTION_HEAD = 2


def octets_needed(message: Message, field: Field) -> int:
    """Bytes of a message that a field needs to have a value; a text needs its first byte only."""
    start = message.offset(field.name)
    return start + (1 if field.kind == "text" else field.width)


def octets_known(table: str, tables: Mapping[str, Rows], first_row: Mapping[str, int]) -> Octets | None:
    """For one of the 15 tables of messages, how many octets of each row's message are known; None for other tables.

    Parameters
    ----------
    table : str
        Name of a table.
    tables : mapping of str to numpy.ndarray
        Tables of a capture or a batch, ``messages`` among them.
    first_row : mapping of str to int
        Rows of each in earlier batches.
    """
    if table not in _MESSAGES:
        return None
    messages = tables["messages"]
    of_each = np.minimum(messages["available"], messages["length"])
    known: Octets = of_each[tables[table]["message"] - first_row["messages"]]
    return known


def absent(table: str, rows: Rows, known: Octets | None = None) -> dict[str, Mask]:
    """Masks of the values that were not seen.

    Parameters
    ----------
    table : str
        Name of a table.
    rows : numpy.ndarray
        Rows of it, with all columns.
    known : numpy.ndarray, optional
        For the 15 tables of messages: the lesser of ``available`` and ``length`` of each row's message.

    Returns
    -------
    dict of str to numpy.ndarray
        By column, true for each row without a value.  Other columns always have one, but for times that are NaT.
    """
    masks = {}
    for column in BY_NAME[table].columns:
        if column.dtype.startswith("int"):
            # An index below 0 refers to no row.
            masks[column.name] = rows[column.name] < 0
        for absence in column.absent:
            mask = _mask(rows, column, absence)
            masks[column.name] = masks[column.name] | mask if column.name in masks else mask
    if table in _MESSAGES:
        assert known is not None
        message = _MESSAGES[table]
        masks.update({field.name: known < octets_needed(message, field) for field in message.fields})
    elif table in _RULES:
        masks.update(_RULES[table](rows))
    return masks


def _mask(rows: Rows, column: Column, absence: Absence) -> Mask:
    """Rows in which a column has no value."""
    match absence:
        case Unset(name, bits):
            values = rows[name]
            # -1 stands for all bits; an unsigned column may have more than a signed number holds.
            return np.asarray(values == 0 if bits < 0 else values & bits == 0)
        case Equal(name, value):
            return np.asarray(rows[name] == value)
    empty: Mask = np.equal(rows[column.name], np.zeros((), rows.dtype[column.name].base))
    return np.all(empty, axis=1) if column.shape else empty


def _gre(rows: Rows) -> Masks:
    flags = rows["flags_and_version"]
    # Fields after the cut are 0, so a field is absent if it and all after it are 0.
    behind = rows["status"] & GreStatus.HEADER_CUT != 0
    for name, flag in (
        ("acknowledgment_number", gre.ACKNOWLEDGMENT_PRESENT),
        ("sequence_number", gre.SEQUENCE_PRESENT),
        ("call_id", 0),
        ("payload_length", 0),
    ):
        behind = behind & (rows[name] == 0)
        yield name, behind | (flags & flag != flag)


def _ppp(rows: Rows) -> Masks:
    status, available = rows["status"], rows["available"]
    none = status & PppStatus.NO_HEAD != 0
    # A header that the packet itself cuts has length 0, unlike one that claims a length below 4.
    empty = (available > 0) | ((rows["code"] == 0) & (rows["identifier"] == 0))
    short = (status & PppStatus.MALFORMED != 0) & (rows["length"] == 0) & empty
    cut = (status & PppStatus.HEAD_CUT != 0) | short
    for name, needed in (("code", 1), ("identifier", 2), ("length", 4)):
        yield name, none | (cut & (available < needed))


def _ppp_options(rows: Rows) -> Masks:
    yield "value", rows["length"] <= _OPTION_HEAD


_RULES: dict[str, Callable[[Rows], Masks]] = {
    "gre": _gre,
    "ppp": _ppp,
    "ppp_options": _ppp_options,
}

"""Decides which values of a row were never seen: arrays have 0 there, people and exports get nothing.

Knows NumPy and what columns mean.  Must not know files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..engine import Rows
from ..wire import gre
from ..wire.control import MESSAGES
from ..wire.model import Absence, Column, Equal, Field, Message, Unset, Zero
from ..wire.status import GreStatus, PppStatus
from ..wire.tables import BY_NAME

__all__ = ["Mask", "Octets", "absent", "octets_known", "octets_needed", "sources"]

Mask: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
# Columns by name.
Values: TypeAlias = Mapping[str, np.ndarray[Any, np.dtype[Any]]]
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


def absent(
    table: str, rows: Rows | Values, known: Octets | None = None, columns: Iterable[str] | None = None
) -> dict[str, Mask]:
    """Masks of the values that were not seen.

    Parameters
    ----------
    table : str
        Name of a table.
    rows : numpy.ndarray or mapping of str to numpy.ndarray
        Rows of it, or their columns by name: all, or those that `sources` names.
    known : numpy.ndarray, optional
        For the 15 tables of messages: the lesser of ``available`` and ``length`` of each row's message.
    columns : iterable of str, optional
        Names of the columns to tell of; all without.

    Returns
    -------
    dict of str to numpy.ndarray
        By column, true for each row without a value.  Other columns always have one, but for times that are NaT.
    """
    wanted = {column.name for column in BY_NAME[table].columns} if columns is None else set(columns)
    masks = {}
    for column in BY_NAME[table].columns:
        if column.name not in wanted:
            continue
        if column.dtype.startswith("int"):
            # An index below 0 refers to no row.
            masks[column.name] = rows[column.name] < 0
        for absence in column.absent:
            mask = _mask(rows, column, absence)
            masks[column.name] = masks[column.name] | mask if column.name in masks else mask
    if table in _MESSAGES:
        message = _MESSAGES[table]
        for field in message.fields:
            if field.name in wanted:
                assert known is not None
                masks[field.name] = known < octets_needed(message, field)
    elif table in _RULES and wanted.intersection(_RULES[table].tells):
        masks.update((name, mask) for name, mask in _RULES[table].masks(rows) if name in wanted)
    return masks


def sources(table: str, columns: Iterable[str]) -> set[str]:
    """Columns of the array that these need, also to tell which values are absent; besides, messages' ``messages``."""
    return set(_sources(table, frozenset(columns)))


@cache
def _sources(table: str, columns: frozenset[str]) -> set[str]:
    derived = {column.name: column.made_of for column in BY_NAME[table].derived}
    wanted = {one for name in columns for one in derived.get(name, (name,))}
    needed = set(wanted)
    for column in BY_NAME[table].columns:
        if column.name in wanted:
            needed.update(absence.column for absence in column.absent if not isinstance(absence, Zero))
    if table in _MESSAGES:
        needed.add("message")
    elif table in _RULES and wanted.intersection(_RULES[table].tells):
        needed.update(_RULES[table].tells, _RULES[table].reads)
    return needed


def _mask(rows: Rows | Values, column: Column, absence: Absence) -> Mask:
    """Rows in which a column has no value."""
    match absence:
        case Unset(name, bits):
            values = rows[name]
            # -1 stands for all bits; an unsigned column may have more than a signed number holds.
            return np.asarray(values == 0 if bits < 0 else values & bits == 0)
        case Equal(name, value):
            return np.asarray(rows[name] == value)
    values = rows[column.name]
    empty: Mask = np.equal(values, np.zeros((), values.dtype))
    return np.all(empty, axis=1) if column.shape else empty


def _gre(rows: Rows | Values) -> Masks:
    flags = rows["flags_and_version"]
    # Fields after the cut are 0, so a field is absent if it and all after it are 0.
    behind = rows["status"] & int(GreStatus.HEADER_CUT) != 0
    for name, flag in (
        ("acknowledgment_number", gre.ACKNOWLEDGMENT_PRESENT),
        ("sequence_number", gre.SEQUENCE_PRESENT),
        ("call_id", 0),
        ("payload_length", 0),
    ):
        behind = behind & (rows[name] == 0)
        yield name, behind | (flags & flag != flag)


def _ppp(rows: Rows | Values) -> Masks:
    status, available = rows["status"], rows["available"]
    none = status & int(PppStatus.NO_HEAD) != 0
    # A header that the packet itself cuts has length 0, unlike one that claims a length below 4.
    empty = (available > 0) | ((rows["code"] == 0) & (rows["identifier"] == 0))
    short = (status & int(PppStatus.MALFORMED) != 0) & (rows["length"] == 0) & empty
    cut = (status & int(PppStatus.HEAD_CUT) != 0) | short
    for name, needed in (("code", 1), ("identifier", 2), ("length", 4)):
        yield name, none | (cut & (available < needed))


def _ppp_options(rows: Rows | Values) -> Masks:
    yield "value", rows["length"] <= _OPTION_HEAD


class _Rule(NamedTuple):
    """Masks of a table's columns that depend on several: which columns, and what else they depend on."""

    masks: Callable[[Rows | Values], Masks]
    tells: tuple[str, ...]
    reads: tuple[str, ...]


_RULES: dict[str, _Rule] = {
    "gre": _Rule(
        _gre,
        ("acknowledgment_number", "sequence_number", "call_id", "payload_length"),
        ("flags_and_version", "status"),
    ),
    "ppp": _Rule(_ppp, ("code", "identifier", "length"), ("status", "available")),
    "ppp_options": _Rule(_ppp_options, ("value",), ("length",)),
}

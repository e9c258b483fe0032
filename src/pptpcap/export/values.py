"""Converts columns to the values of files: numbers, booleans, times, and escaped text.

Knows NumPy.  Must not know formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import numpy as np

from .._show import words
from .._show.null import Mask
from ..engine import Rows
from ..wire.model import Column, Table

__all__ = ["CellKind", "kind_of", "objects", "texts"]

# Rows that become Python objects at a time.
_SLICE = 4096


class CellKind(Enum):
    """The kind of values of a column."""

    NUMBER = 0
    TRUTH = 1
    TIME = 2
    TEXT = 3
    ADDRESS = 4


def kind_of(column: Column) -> CellKind:
    """The kind of values of a column."""
    if column.shape:
        return CellKind.ADDRESS
    if column.dtype.startswith("S"):
        return CellKind.TEXT
    if column.dtype.startswith("datetime64"):
        return CellKind.TIME
    return CellKind.TRUTH if column.dtype == "bool" else CellKind.NUMBER


def texts(
    kind: CellKind, values: np.ndarray[Any, Any], text: Callable[[bytes], str] = words.escape_all_octets
) -> list[str]:
    """The text of each address or text field, without the zeros at its end."""
    if kind is CellKind.ADDRESS:
        values = np.ascontiguousarray(values).view("V16")[:, 0]
        text = words.address
    octets = values.tolist()
    # Few distinct values occur in many rows.
    spelled = {one: text(one) for one in set(octets)}
    return [spelled[one] for one in octets]


def objects(
    table: Table, rows: Rows, missing: dict[str, Mask], text: Callable[[bytes], str] = words.escape_all_octets
) -> Iterator[tuple[Any, ...]]:
    """Each row as Python objects: int, bool, str or, where there is no value, None.

    Parameters
    ----------
    table : Table
        What the rows are of.
    rows : numpy.ndarray
        Rows with all columns.
    missing : dict of str to numpy.ndarray
        What `absent` says of them.
    text : callable
        How octets from the wire are written.
    """
    for start in range(0, len(rows), _SLICE):
        part = slice(start, start + _SLICE)
        columns = []
        for column in table.columns:
            values = _column(kind_of(column), rows[column.name][part], text)
            for place in np.flatnonzero(missing[column.name][part]).tolist() if column.name in missing else ():
                values[place] = None
            columns.append(values)
        yield from zip(*columns, strict=True)


def _column(kind: CellKind, values: np.ndarray[Any, Any], text: Callable[[bytes], str]) -> list[Any]:
    if kind in (CellKind.TEXT, CellKind.ADDRESS):
        return list(texts(kind, values, text))
    if kind is CellKind.TIME:
        instants = np.datetime_as_string(values, unit="ns").tolist()
        return [None if one == "NaT" else one + "Z" for one in instants]
    return list(values.tolist())

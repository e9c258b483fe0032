"""Formats rows of calls, connections and tunnels as JSON.

Knows how such a row is printed.  Must not know files.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from .._show import words
from .._show.null import absent
from ..engine import Rows
from ..export.formatting import write_lines
from ..wire.ip import ADDRESS
from ..wire.model import Column
from ..wire.tables import BY_NAME

__all__ = ["row_lines"]

Values: TypeAlias = np.ndarray[Any, Any]


def row_lines(table: str, rows: Rows, numbers: Iterable[int]) -> list[str]:
    """A JSON object for each row of ``calls``, ``connections`` or ``tunnels``: its number, then every column."""
    missing = absent(table, rows)
    columns: list[tuple[bytes, Values, Values | None, list[bytes] | None]] = [
        (f'{{"{table.removesuffix("s")}": '.encode(), np.fromiter(numbers, np.int64, len(rows)), None, None)
    ]
    for column in BY_NAME[table].columns:
        values, texts = _cells(rows[column.name], column)
        mask = np.isnat(values) if values.dtype.kind == "M" else missing.get(column.name)
        columns.append((f', "{column.name}": '.encode(), values, mask, texts))
    octets = io.BytesIO()
    write_lines(octets.write, columns, len(rows), null=b"null", quote=b'"', end=b"}\n")
    return octets.getvalue().decode("ascii").splitlines()


def _cells(values: Values, column: Column) -> tuple[Values, list[bytes] | None]:
    """Numbers, truths or times; or texts, and for each row an index of one."""
    said: list[str | list[str]]
    if column.shape:
        different, which = np.unique(np.ascontiguousarray(values).view(f"S{ADDRESS}")[:, 0], return_inverse=True)
        # NumPy leaves out zeros at the end.
        said = [words.address(octets.ljust(ADDRESS, b"\0")) for octets in different.tolist()]
    elif column.dtype.startswith("S"):
        different, which = np.unique(values, return_inverse=True)
        said = [words.escape_octets(octets) for octets in different.tolist()]
    elif isinstance(column.names, type):
        different, which = np.unique(values, return_inverse=True)
        said = [words.code(number, column.names) for number in different.tolist()]
    else:
        return values, None
    return which, [json.dumps(one).encode() for one in said]

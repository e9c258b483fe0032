"""The cells of rows of calls, connections and tunnels, and such a row as JSON.

Knows how a value of these tables is printed.  Must not know files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .._show import words
from .._show.null import absent
from ..engine import Rows
from ..wire.ip import ADDRESS
from ..wire.model import Column
from ..wire.tables import BY_NAME
from .cells import Cells, Values, json_lines

__all__ = ["row_cells", "row_lines"]


def row_lines(table: str, rows: Rows, numbers: Iterable[int]) -> list[str]:
    """A JSON object for each row of ``calls``, ``connections`` or ``tunnels``: its number, then every column."""
    return json_lines(row_cells(table, rows, numbers), len(rows))


def row_cells(table: str, rows: Rows, numbers: Iterable[int], names: Sequence[str] = ()) -> list[Cells]:
    """Cells of rows: their number, which has the name of the table without its s, then every column, or some."""
    missing = absent(table, rows)
    key = table.removesuffix("s")
    known = {column.name: column for column in BY_NAME[table].columns}
    cells = []
    for name in names or (key, *known):
        if name == key:
            cells.append(Cells(key, np.fromiter(numbers, np.int64, len(rows))))
            continue
        values, texts = _texts(rows[name], known[name])
        cells.append(Cells(name, values, np.isnat(values) if values.dtype.kind == "M" else missing.get(name), texts))
    return cells


def _texts(values: Values, column: Column) -> tuple[Values, list[str | list[str]] | None]:
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
    return which, said

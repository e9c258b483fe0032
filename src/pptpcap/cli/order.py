"""The order of rows by one of their columns.

Must not know files, or how rows are printed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._show.null import absent
from ..engine import Rows

__all__ = ["in_order"]


def in_order(table: str, rows: Rows, by: str) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Places of rows by a column, the largest first with a minus sign in front of its name.

    Values that were not seen come last.  Rows that are equal stay as they stand, and so do all by the rows' own number,
    which is no column.
    """
    name = by.removeprefix("-")
    sign = -1 if by.startswith("-") else 1
    if name not in (rows.dtype.names or ()):
        return np.arange(len(rows))[::sign]
    values = rows[name]
    missing = np.isnat(values) if values.dtype.kind == "M" else absent(table, rows).get(name)
    if values.ndim > 1:
        values = np.ascontiguousarray(values).view(f"S{values.shape[1]}")[:, 0]
    _, ranks = np.unique(values, return_inverse=True)
    return np.lexsort((sign * ranks, np.zeros(len(rows), np.bool_) if missing is None else missing))

"""Writes NumPy's own files.

Knows the header of the format.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from ..tables import Table

__all__ = ["NpyWriter"]


class NpyWriter:
    """The structured array as it is, with nothing left out; its length is written when it is known."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        self._file = file
        self._dtype = table.to_numpy().dtype
        self._rows = 0
        self._head()

    def _head(self) -> None:
        # NumPy leaves room for a length that grows, so the header has one size.
        header = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": (self._rows,)}
        npy.write_array_header_1_0(self._file, header)

    def write(self, table: Table) -> None:
        """Add rows."""
        self._file.write(np.ascontiguousarray(table.to_numpy()).view("u1").data)
        self._rows += len(table)

    def close(self) -> None:
        """Write the length."""
        self._file.seek(0)
        self._head()

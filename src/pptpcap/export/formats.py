"""The formats by name, and the groups in which rows are written.

Knows the writers.  Must not know folders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Literal, Protocol, TypeAlias

import numpy as np

from .. import schema
from .._show.null import Mask, Octets, absent
from ..engine import Rows
from ..wire.model import Table
from .arrow import ArrowWriter, ParquetWriter
from .npy import NpyWriter
from .text import CsvWriter, JsonLinesWriter

__all__ = ["FORMATS", "Format", "Grouped", "file_name"]

Format: TypeAlias = Literal["parquet", "arrow", "csv", "jsonl", "npy"]

# Most rows and bytes of a group, so that the waiting rows of all tables stay small.
_GROUP_ROWS = 1 << 17
_GROUP_OCTETS = 8 << 20


class Writer(Protocol):
    """A table's file in some format."""

    def write(self, rows: Rows, missing: dict[str, Mask]) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write the end of the file, and leave the file open."""


FORMATS: dict[Format, Callable[[BinaryIO, Table], Writer]] = {
    "parquet": ParquetWriter,
    "arrow": ArrowWriter,
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "npy": NpyWriter,
}


def file_name(table: str, form: str) -> str:
    """Name of a table's file."""
    return f"{table}.{form}"


class Grouped:
    """Passes rows to a writer in groups that do not depend on the batches.

    Parameters
    ----------
    writer : Writer
        Of a table's file.
    table : Table
        That table.
    """

    def __init__(self, writer: Writer, table: Table) -> None:
        self.writer = writer
        self.rows = 0
        self._table = table.name
        self._size = min(_GROUP_ROWS, _GROUP_OCTETS // schema.dtype(table.name).itemsize)
        self._waiting: list[tuple[Rows, Octets | None]] = []
        self._wait = 0

    def add(self, rows: Rows, known: Octets | None) -> None:
        """Take rows; `known` is as `absent` wants it."""
        self.rows += len(rows)
        while self._wait + len(rows) >= self._size:
            end = self._size - self._wait
            self._take(rows[:end], known if known is None else known[:end])
            self._write()
            rows, known = rows[end:], known if known is None else known[end:]
        if len(rows):
            # Copy, so that a few rows do not keep a batch alive.
            self._take(rows.copy(), known)

    def _take(self, rows: Rows, known: Octets | None) -> None:
        self._waiting.append((rows, known))
        self._wait += len(rows)

    def _write(self) -> None:
        if not self._wait:
            return
        rows = np.concatenate([one for one, _ in self._waiting]) if len(self._waiting) > 1 else self._waiting[0][0]
        lengths = [known for _, known in self._waiting if known is not None]
        self._waiting, self._wait = [], 0
        self.writer.write(rows, absent(self._table, rows, np.concatenate(lengths) if lengths else None))

    def close(self) -> None:
        """Write the waiting rows and the end of the file."""
        self._write()
        self.writer.close()

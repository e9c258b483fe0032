"""Writes Arrow IPC files and Parquet.

Knows pyarrow, which it imports on demand.
"""

from __future__ import annotations

import importlib
import json
from typing import Any, BinaryIO

import numpy as np

from .._show.null import Mask
from ..engine import Rows
from ..wire.model import Column, Table
from .values import CellKind, kind_of, texts

__all__ = ["ArrowWriter", "ParquetWriter"]

_WIDE = 4


class _BatchWriter:
    """Rows as record batches, for whatever takes such."""

    _writer: Any

    def __init__(self, table: Table, extra: str) -> None:
        self._pyarrow = _library("pyarrow", extra)
        self._table = table
        self._schema = self._pyarrow.schema(
            [self._field(column) for column in table.columns],
            metadata=_said({"table": table.name, "one_row_per": table.one_row_per, "order": table.order}),
        )

    def _field(self, column: Column) -> Any:
        said = {name: getattr(column, name) for name in ("meaning", "unit", "section", "tshark")}
        if column.values:
            said["values"] = json.dumps(column.values)
        return self._pyarrow.field(column.name, self._type(column), metadata=_said(said))

    def _type(self, column: Column) -> Any:
        kind = kind_of(column)
        if kind is CellKind.TIME:
            return self._pyarrow.timestamp("ns", tz="UTC")
        if kind in (CellKind.TEXT, CellKind.ADDRESS):
            return self._pyarrow.string()
        return self._pyarrow.from_numpy_dtype(np.dtype(column.dtype))

    def write(self, rows: Rows, missing: dict[str, Mask]) -> None:
        """Add rows, in a batch or group of their own; `missing` is what `absent` says of them."""
        arrays = []
        for column, field in zip(self._table.columns, self._schema, strict=True):
            kind, values = kind_of(column), rows[column.name]
            cells = texts(kind, values) if kind in (CellKind.TEXT, CellKind.ADDRESS) else np.ascontiguousarray(values)
            arrays.append(self._pyarrow.array(cells, type=field.type, mask=missing.get(column.name)))
        self._writer.write_batch(self._pyarrow.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()


class ArrowWriter(_BatchWriter):
    """An IPC file, not compressed: a map of it is the table."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        super().__init__(table, "arrow")
        self._writer = _library("pyarrow.ipc", "arrow").new_file(file, self._schema)


class ParquetWriter(_BatchWriter):
    """A Parquet file: what grows from row to row as differences, what repeats as a dictionary."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        super().__init__(table, "parquet")
        growing = [column.name for column in table.columns if _grows(column)]
        self._writer = _library("pyarrow.parquet", "parquet").ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            use_dictionary=[column.name for column in table.columns if column.name not in growing],
            column_encoding=dict.fromkeys(growing, "DELTA_BINARY_PACKED"),
        )


def _grows(column: Column) -> bool:
    kind = kind_of(column)
    return kind is CellKind.TIME or (kind is CellKind.NUMBER and np.dtype(column.dtype).itemsize >= _WIDE)


def _said(words: dict[str, str]) -> dict[str, str]:
    return {name: word for name, word in words.items() if word}


def _library(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{extra} files need pyarrow: pip install 'pptpcap[{extra}]'", name=error.name) from error

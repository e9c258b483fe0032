"""Writes a stream of rows to a Parquet file.

Knows pyarrow, which it imports on demand.  Must not know how rows are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from .._output.whole import WholeFile
from ..tables import library

__all__ = ["parquet_writer", "write_parquet"]

_MAGIC = b"PAR1"
# Least rows of a group, but of the last one.
_GROUP_ROWS = 1 << 17
# Types of columns that grow from row to row or have many values.
_GROWING = ("int32", "int64", "uint32", "uint64", "timestamp[ns, tz=UTC]")


def parquet_writer(file: BinaryIO, schema: Any) -> Any:
    """A writer of pyarrow for a Parquet file: what grows from row to row as differences, what repeats as a dictionary.

    Parameters
    ----------
    file : binary file object
        Takes the octets, and stays open.
    schema : pyarrow.Schema
        Of the rows.
    """
    growing = [field.name for field in schema if str(field.type) in _GROWING]
    return library("pyarrow.parquet", "parquet").ParquetWriter(
        file,
        schema,
        compression="zstd",
        use_dictionary=[name for name in schema.names if name not in growing],
        column_encoding=dict.fromkeys(growing, "DELTA_BINARY_PACKED"),
    )


def write_parquet(stream: Any, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write an Arrow stream to a file that is there when it is complete.

    Parameters
    ----------
    stream : object with ``__arrow_c_stream__``
        The rows.
    path, overwrite
        Name of the file, and whether one that is there is replaced.
    """
    pyarrow = library("pyarrow", "parquet")
    with WholeFile(os.fsdecode(path), _MAGIC, overwrite=overwrite) as file:
        reader = pyarrow.RecordBatchReader.from_stream(stream)
        with parquet_writer(file, reader.schema) as writer:
            for group in _groups(pyarrow, reader):
                writer.write_table(group)


def _groups(pyarrow: Any, batches: Any) -> Iterator[Any]:
    """Batches together, as tables whose columns have one dictionary each."""
    waiting: list[Any] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        if rows >= _GROUP_ROWS:
            yield pyarrow.Table.from_batches(waiting).unify_dictionaries()
            waiting, rows = [], 0
    if waiting:
        yield pyarrow.Table.from_batches(waiting).unify_dictionaries()

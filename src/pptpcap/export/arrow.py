"""Writes Arrow IPC files and Parquet.

Knows pyarrow, which it imports on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

from .._reading.parquet import parquet_writer
from ..tables import Table, library

__all__ = ["ArrowWriter", "Copy", "ParquetWriter"]

# Copies a file to another.
Copy: TypeAlias = Callable[[BinaryIO, BinaryIO], None]


class ParquetWriter:
    """A Parquet file, with a group of rows for each `write`."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        # Not pyarrow.table, which imports pandas where it is installed.
        self._stream = library("pyarrow", "parquet").RecordBatchReader.from_stream
        self._writer = parquet_writer(file, self._stream(table).schema)

    def write(self, table: Table) -> None:
        """Add rows."""
        self._writer.write_table(self._stream(table).read_all().unify_dictionaries())

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()


class ArrowWriter:
    """An IPC file, not compressed: a map of it is the table.

    Such a file has one dictionary for each column.  Where a later batch has further texts it grows by a delta, which
    not every reader knows, so the file is then copied at the end, behind whole dictionaries.
    """

    def __init__(self, file: BinaryIO, table: Table) -> None:
        self._pyarrow, self._ipc = library("pyarrow", "arrow"), library("pyarrow.ipc", "arrow")
        self._compute = library("pyarrow.compute", "arrow")
        self._schema = self._pyarrow.RecordBatchReader.from_stream(table).schema
        self._texts: dict[int, Any] = {}
        self._grew = False
        options = self._ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        self._writer = self._ipc.new_file(file, self._schema, options=options)

    def write(self, table: Table) -> None:
        """Add rows."""
        for batch in self._pyarrow.RecordBatchReader.from_stream(table):
            columns = [self._indexed(place, column) for place, column in enumerate(batch.columns)]
            self._writer.write_batch(self._pyarrow.record_batch(columns, schema=self._schema))

    def _indexed(self, place: int, column: Any) -> Any:
        """A column whose dictionary begins with the texts that it had before."""
        if not self._pyarrow.types.is_dictionary(column.type):
            return column
        if place not in self._texts:
            self._texts[place] = column.dictionary
            return column
        indexes = self._compute.index_in(column.dictionary, self._texts[place])
        added = column.dictionary.filter(indexes.is_null())
        if len(added):
            self._grew = True
            self._texts[place] = self._pyarrow.concat_arrays([self._texts[place], added])
            indexes = self._compute.index_in(column.dictionary, self._texts[place])
        return self._pyarrow.DictionaryArray.from_arrays(indexes.take(column.indices), self._texts[place])

    def close(self) -> Copy | None:
        """Write the end of the file; what copies it if a dictionary grew."""
        self._writer.close()
        return self._copy if self._grew else None

    def _copy(self, old: BinaryIO, new: BinaryIO) -> None:
        reader = self._ipc.open_file(old)
        with self._ipc.new_file(new, self._schema) as writer:
            for number in range(reader.num_record_batches):
                columns = reader.get_batch(number).columns
                for place, texts in self._texts.items():
                    columns[place] = self._pyarrow.DictionaryArray.from_arrays(columns[place].indices, texts)
                writer.write_batch(self._pyarrow.record_batch(columns, schema=self._schema))

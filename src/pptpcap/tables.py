"""A table of a capture for other libraries: Arrow streams, data frames, contiguous arrays.

Knows arrays, the schema and how other libraries take a stream.  Must not know engines or files.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrow.cells import Vector, batch, chosen, fields, vectors
from ._arrow.stream import Cells, schema_capsule, stream_capsule
from ._show.null import Octets, absent
from .engine import Rows
from .wire.tables import BY_NAME

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow

__all__ = ["Table", "joined", "library"]

# Rows of a batch, whose columns fit in a cache.
_BATCH = 1 << 16


class Table:
    """A table of a capture, which every library that takes Arrow streams can read.

    `Capture.table` makes them.  The first column is the key: the number by which other tables point to a row.  Numbers
    of enumerations are their names, addresses are text, times are UTC, and what was not seen is null.

    Parameters
    ----------
    name : str
        Name of the table.
    rows : numpy.ndarray
        Structured array with all its columns, or with what `columns` need.
    known : numpy.ndarray, optional
        For the 15 tables of messages: octets that are known of each message.
    keys : numpy.ndarray of int64, optional
        Number of each row in the whole capture; from 0 on without.
    columns : iterable of str, optional
        Names of its columns, in this order; all without.
    codes : bool
        Numbers of enumerations stay numbers.

    Raises
    ------
    ValueError
        Where there is no such column.

    Examples
    --------
    >>> import pptpcap
    >>> calls = pptpcap.read("vpn.pcap").table("calls")
    >>> len(calls), calls.names[:3]
    (1, ('call', 'connection', 'pns_tunnel'))
    """

    def __init__(
        self,
        name: str,
        rows: Rows,
        known: Octets | None = None,
        *,
        keys: np.ndarray[Any, np.dtype[np.int64]] | None = None,
        columns: Iterable[str] | None = None,
        codes: bool = False,
    ) -> None:
        self.name = name
        self._rows = rows
        self._known = known
        self._keys = np.arange(len(rows), dtype=np.int64) if keys is None else keys
        self._codes = codes
        self._table = BY_NAME[name]
        self._columns = chosen(self._table, columns)
        self._is_whole = columns is None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, the key first."""
        return tuple(field.decode() for field in self._field.names)

    @property
    def _field(self) -> Any:
        return fields(self._table, self._columns, self._codes)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<pptpcap.Table {self.name}: {len(self):,} rows, {len(self.names)} columns>"

    def __arrow_c_schema__(self) -> object:
        """Capsule of the schema (Arrow PyCapsule interface)."""
        return schema_capsule(self._field)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Capsule of a fresh stream of batches (Arrow PyCapsule interface); a requested schema is not looked at."""
        return stream_capsule(self._field, self.cells())

    def cells(self) -> Iterator[Cells]:
        """The batches of a stream."""
        for start, columns in zip(range(0, len(self), _BATCH), self.vectors(), strict=True):
            yield batch(columns, min(_BATCH, len(self) - start))

    def vectors(self) -> Iterator[list[Vector]]:
        """The columns of each of these batches."""
        for start in range(0, len(self), _BATCH):
            yield self._vectors(slice(start, start + _BATCH))

    def _vectors(self, part: slice) -> list[Vector]:
        rows, known = self._rows[part], None if self._known is None else self._known[part]
        missing = absent(self.name, rows, known, [column.name for column in self._columns if column])
        return vectors(self._columns, rows, missing, self._keys[part], self._codes)

    def to_numpy(self) -> Rows:
        """The structured array, as it is in the capture; of chosen columns, a new one with them."""
        if self._is_whole:
            return self._rows
        kinds = [(name, array.dtype, array.shape[1:]) for name, array in self.columns().items()]
        rows = np.empty(len(self), kinds)
        for name, array in self.columns().items():
            rows[name] = array
        return rows

    def columns(self) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Contiguous arrays by name, without the key unless it was chosen; what was not seen is 0."""
        if self._is_whole:
            return {name: np.ascontiguousarray(self._rows[name]) for name in self._rows.dtype.names or ()}
        return {
            name: self._keys if column is None else np.ascontiguousarray(self._rows[name])
            for name, column in zip(self.names, self._columns, strict=True)
        }

    def to_arrow(self) -> pyarrow.Table:
        """A table of pyarrow; ImportError where it is not installed."""
        return library("pyarrow", "arrow").table(self)

    def to_polars(self) -> polars.DataFrame:
        """A frame of Polars; ImportError where it is not installed."""
        frame: polars.DataFrame = library("polars", "polars").DataFrame(self)
        return frame

    def to_duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """A relation of DuckDB, of this connection or of the default one; ImportError where it is not installed."""
        database = library("duckdb", "duckdb") if connection is None else connection
        return database.from_arrow(self)

    def to_pandas(self) -> pandas.DataFrame:
        """A frame of pandas, made from NumPy: nullable numbers, categories; ImportError where it is not installed."""
        module = library("pandas", "pandas")
        columns = self._vectors(slice(None))
        series = {name: _series(module, column) for name, column in zip(self.names, columns, strict=True)}
        frame: pandas.DataFrame = module.DataFrame(series, copy=False)
        return frame


def joined(tables: list[Table]) -> Table:
    """The rows of several tables, which have the same columns, as one."""
    first = tables[0]
    # As bytes: NumPy joins structured arrays field by field.
    rows = np.concatenate([table._rows.view(np.uint8) for table in tables]).view(first._rows.dtype)
    known = [table._known for table in tables if table._known is not None]
    return Table(
        first.name,
        rows,
        np.concatenate(known) if known else None,
        keys=np.concatenate([table._keys for table in tables]),
        columns=None if first._is_whole else first.names,
        codes=first._codes,
    )


def _series(pandas: Any, column: Vector) -> Any:
    """A column as pandas has it."""
    values, mask = column.values, column.mask
    if column.texts is not None:
        places = values if mask is None else np.where(mask, -1, values)
        texts = pandas.Categorical.from_codes(places, column.texts)
        return texts if column.is_dictionary else texts.astype("str")
    if values.dtype.kind == "M":
        return pandas.DatetimeIndex(values).tz_localize("UTC")
    array = pandas.arrays.BooleanArray if values.dtype == np.bool_ else pandas.arrays.IntegerArray
    return array(values, np.zeros(len(values), np.bool_) if mask is None else mask)


def library(module: str, extra: str) -> Any:
    """A module of an extra; ImportError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this needs {module}: pip install 'pptpcap[{extra}]'", name=error.name) from error

"""A table of a capture for other libraries: Arrow streams, data frames, contiguous arrays.

Knows arrays, the schema and how other libraries take a stream.  Must not know engines or files.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ._arrow.cells import Values, Vector, batch, chosen, fields, schema, values_of, vectors
from ._arrow.columns import Columns, separated
from ._arrow.community import require_seed
from ._arrow.stream import Cells, Field, schema_capsule, stream_capsule
from ._show.null import Octets, absent, sources
from .engine import Rows
from .wire.tables import BY_NAME

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow

__all__ = ["Beside", "Table", "concatenated", "library", "streamed"]

Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

# Rows of a batch, and of one of a stream that begins with fewer rows than these.
_BATCH, _FEW = 1 << 16, 1 << 12
# By kind of dtype, what stands where there is no row.
_NOTHING = {"i": -1, "M": np.datetime64("NaT"), "S": b""}


@dataclass(frozen=True)
class Beside:
    """The rows of a table beside those of another one that point to them.

    Parameters
    ----------
    pointer : str
        Name of the column that points to them.
    table : Table
        The table.
    places : numpy.ndarray of int64
        For each row of the other table a row of this one, -1 for none.
    """

    pointer: str
    table: Table
    places: Places

    def vectors(self, places: Places) -> list[Vector]:
        """Its columns in some of these places."""
        # NumPy takes the last row for -1.
        is_none = places < 0
        return [
            replace(column, mask=is_none if column.mask is None else column.mask | is_none)
            for column in self.table._at(places)._vectors()
        ]

    def arrays(self) -> list[Values]:
        """Its columns as NumPy has them; where there is no row, they are 0, NaT, or -1 if they can be negative."""
        columns = []
        for column in self.table.columns().values():
            values = column[self.places]
            values[self.places < 0] = _NOTHING.get(values.dtype.kind, 0)
            columns.append(values)
        return columns


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
    community_seed : int
        Seed of the column ``community_id``.
    besides : sequence of Beside
        Tables to whose rows the rows of this one point.
    join : callable, optional
        ``Capture.joined`` of the whole capture.

    Raises
    ------
    ValueError
        Where there is no such column, or the seed has more than 16 bits.

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
        community_seed: int = 0,
        besides: Sequence[Beside] = (),
        join: Callable[..., Table] | None = None,
    ) -> None:
        self.name = name
        self._rows = rows
        self._known = known
        self._keys = np.arange(len(rows), dtype=np.int64) if keys is None else keys
        self._codes = codes
        self._community_seed = require_seed(community_seed)
        self._table = BY_NAME[name]
        self._columns = chosen(self._table, columns)
        self._besides = besides
        self._join = join
        self._is_whole = columns is None and not besides

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, the key first."""
        return tuple(field.decode() for field in self.field.names)

    @property
    def field(self) -> Field:
        """Its schema, as streams have it."""
        children = fields(self._table, self._columns, self._codes)
        for beside in self._besides:
            children += fields(beside.table._table, beside.table._columns, self._codes, beside.pointer)
        return schema(self._table, children)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        name = " with ".join([self.name, *(beside.pointer for beside in self._besides)])
        return f"<pptpcap.Table {name}: {len(self):,} rows, {len(self.names)} columns>"

    def __arrow_c_schema__(self) -> object:
        """Capsule of the schema (Arrow PyCapsule interface)."""
        return schema_capsule(self.field)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Capsule of a fresh stream of batches (Arrow PyCapsule interface); a requested schema is not looked at."""
        return stream_capsule(self.field, self.cells())

    def cells(self) -> Iterator[Cells]:
        """The batches of a stream."""
        for start in range(0, len(self), _BATCH):
            part = self._at(slice(start, start + _BATCH))
            yield batch(part._vectors(), len(part))

    def vectors(self) -> Iterator[list[Vector]]:
        """The columns of each of these batches."""
        for start in range(0, len(self), _BATCH):
            yield self._at(slice(start, start + _BATCH))._vectors()

    @property
    def _sources(self) -> set[str]:
        """The columns of the rows that its columns are made of, or that tell which values were seen."""
        return sources(self.name, [column.name for column in self._columns if column])

    def _at(self, part: slice | Places) -> Table:
        """Some of the rows."""
        found = copy(self)
        found._rows, found._keys = self._rows[part], self._keys[part]
        found._known = None if self._known is None else self._known[part]
        found._besides = [replace(beside, places=beside.places[part]) for beside in self._besides]
        return found

    def _without_rows(self, part: slice) -> Table:
        """What is beside some of the rows."""
        found = self._at(part)
        found._rows = np.empty(0, self._rows.dtype)
        return found

    def _vectors(self, rows: Mapping[str, Values] | None = None) -> list[Vector]:
        """Its columns; where `rows` has the sources of them, its own rows are not looked at."""
        # On contiguous columns NumPy tells null from 0 many times faster than on rows.
        rows = separated(self._rows, self._sources) if rows is None else rows
        missing = absent(self.name, rows, self._known, [column.name for column in self._columns if column])
        columns = vectors(self._columns, rows, missing, self._keys, self._codes, self._community_seed)
        for beside in self._besides:
            columns += beside.vectors(beside.places)
        return columns

    def with_call(self) -> Table:
        """The same rows beside their calls: ``Capture.joined(name, "calls")``.

        Raises
        ------
        ValueError
            Where the rows belong to no call, or the table is not of a whole capture.

        Examples
        --------
        >>> import pptpcap
        >>> pptpcap.read("vpn.pcap").table("gre").with_call().names[15:18]
        ('skipped', 'call', 'call_connection')
        """
        if self._join is None:
            raise ValueError(f"the calls of these rows of {self.name} are not at hand: use Capture.table")
        return self._join(self.name, "calls", codes=self._codes, community_seed=self._community_seed)

    def to_numpy(self) -> Rows:
        """The structured array, as it is in the capture; of chosen or joined columns, a new one with them."""
        if self._is_whole:
            return self._rows
        kinds = [(name, array.dtype, array.shape[1:]) for name, array in self.columns().items()]
        rows = np.empty(len(self), kinds)
        for name, array in self.columns().items():
            rows[name] = array
        return rows

    def columns(self) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Contiguous arrays by name; what was not seen is 0.

        The key, and columns that the capture's array does not have, are among them if columns were chosen or joined.
        """
        if self._is_whole:
            return separated(self._rows, self._rows.dtype.names or ())
        needed = {name for column in self._columns if column for name in (column.made_of or (column.name,))}
        rows = separated(self._rows, needed)
        arrays = [
            self._keys if column is None else values_of(column, rows, self._community_seed) for column in self._columns
        ]
        for beside in self._besides:
            arrays += beside.arrays()
        return dict(zip(self.names, arrays, strict=True))

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
        columns = self._vectors()
        series = {name: _series(module, column) for name, column in zip(self.names, columns, strict=True)}
        frame: pandas.DataFrame = module.DataFrame(series, copy=False)
        return frame


def streamed(tables: Iterable[Table]) -> Iterator[Cells]:
    """The rows of several tables, which have the same columns, as batches of one stream.

    Each table is let go of before the next one is taken.
    """
    parts: list[Table] = []
    room = 0
    for table in tables:
        start = 0
        while start < len(table):
            if not room:
                room = _BATCH if len(table) >= _FEW else _FEW
                columns, parts = Columns(table._rows.dtype, table._sources, room), []
            part = slice(start, min(start + room, len(table)))
            columns.add(table._rows[part])
            parts.append(table._without_rows(part))
            start, room = part.stop, room - (part.stop - start)
            if not room:
                yield _together(parts, columns)
        del table
    if room:
        yield _together(parts, columns)


def _together(parts: list[Table], columns: Columns) -> Cells:
    """The batch of several tables, whose rows are in `columns`."""
    whole, known = copy(parts[0]), [part._known for part in parts if part._known is not None]
    whole._known = np.concatenate(known) if known else None
    whole._keys = np.concatenate([part._keys for part in parts])
    return batch(whole._vectors(columns.by_name), len(whole._keys))


def concatenated(tables: list[Table]) -> Table:
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
        community_seed=first._community_seed,
    )


def _series(pandas: Any, column: Vector) -> Any:
    """A column as pandas has it."""
    values, mask = column.values, column.mask
    if column.texts is not None:
        places = values if mask is None else np.where(mask, -1, values)
        texts = pandas.Categorical.from_codes(places, column.texts)
        return texts if column.is_dictionary else texts.astype("str")
    if values.dtype.kind == "M":
        times = values if mask is None else np.where(mask, np.datetime64("NaT"), values)
        return pandas.DatetimeIndex(times).tz_localize("UTC")
    array = pandas.arrays.BooleanArray if values.dtype == np.bool_ else pandas.arrays.IntegerArray
    return array(values, np.zeros(len(values), np.bool_) if mask is None else mask)


def library(module: str, extra: str) -> Any:
    """A module of an extra; ImportError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this needs {module}: pip install 'pptpcap[{extra}]'", name=error.name) from error

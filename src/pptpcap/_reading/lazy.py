"""The function ``scan``: rows of one table that are read when a result is asked for, filtered batch by batch.

Knows tables, conditions and `batches`.  Must not know engines or how a condition is tested.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, overload

import numpy as np

from .. import schema
from .._arrow.cells import chosen, key_of, type_of
from .._arrow.community import require_seed
from .._arrow.stream import schema_capsule, stream_capsule
from .._input.again import State, require_unchanged, states
from .._input.opening import Item, Source, items
from .._input.options import Options, ReadOptions, require_one_of, taking_options
from .._show.nearest import nearest
from .._show.null import octets_known, sources
from ..capture import Capture
from ..engine import Rows
from ..tables import Table, concatenated, library, streamed
from ..wire.control import MESSAGES
from ..wire.tables import BY_NAME
from .api import Progress, batches
from .conditions import Condition, condition, fulfilling_all
from .expressions import lazy_frame, places_of, predicate_of
from .known import Known, add_columns, known_entities
from .parquet import write_parquet

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars
    import pyarrow

__all__ = ["Scan", "scan", "with_sources"]

_TYPES = frozenset(message.name for message in MESSAGES)
# What the 15 tables of messages need of `messages` to tell what was not seen.
_OF_MESSAGES = ("available", "length")
# Most of a capture that is read at a time for a stream, whose batches do not depend on it: no more than is scanned at
# a time, so that rows are not joined before their columns are separated.
_STREAMED_BYTES = 16 << 20


@dataclass(frozen=True)
class _Plan:
    """What is to be read, and which rows and columns of it are wanted."""

    source: Source
    table: str
    options: Options
    reading: Mapping[str, Any]
    codes: bool
    community_seed: int
    columns: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    predicates: tuple[polars.Expr, ...] = ()
    most: int | None = None
    # Not empty when a file object of the source was read: one list for all scans that are made from one.
    begun: list[bool] = field(default_factory=list)


@taking_options
def scan(
    source: Source,
    *,
    table: str,
    codes: bool = False,
    community_seed: int = 0,
    batch_bytes: int = 64 << 20,
    batch_packets: int | None = None,
    errors: Literal["keep", "raise"] = "keep",
    identities: bool = False,
    progress: Progress = None,
    **options: Unpack[ReadOptions],
) -> Scan:
    """One table of a capture that is read when a result is asked for, with the rows and columns that are wanted.

    Parameters
    ----------
    source, errors, identities, progress, ports, on_corrupt, duplicates, separate, threads, engine, io, max_memory,
    max_window
        As for `read`.  The source is opened anew for each result; a stream has one result only.
    table : str
        Name of the table.
    codes : bool
        Numbers of enumerations stay numbers; without, they are their names.
    community_seed : int
        As for `Capture.table`.
    batch_bytes, batch_packets
        As for `iterate`.

    Returns
    -------
    Scan
        All rows and columns of the table; its methods narrow them.

    Raises
    ------
    ValueError, TypeError
        Where there is no such table, or an argument is none of these.

    Examples
    --------
    >>> import pptpcap
    >>> gre = pptpcap.scan("vpn.pcap", table="gre")
    >>> gre.where(call=0, sequence_number=(0, 3)).select("packet", "sequence_number").to_numpy().tolist()
    [(27, 1), (28, 0), (29, 2), (30, 1), (31, 2)]
    """
    if table not in BY_NAME:
        raise ValueError(f"there is no table {table!r}{nearest(str(table), BY_NAME)}")
    for name, value in (("batch_bytes", batch_bytes), ("batch_packets", batch_packets)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    require_one_of("errors", errors, "keep", "raise")
    # What gives names one by one gives them once.
    if isinstance(source, Iterator) and not hasattr(source, "read"):
        source = list(cast(Iterable[Item], source))
    reading = {
        "batch_bytes": batch_bytes,
        "batch_packets": batch_packets,
        "errors": errors,
        "identities": identities,
        "progress": progress,
    }
    return Scan(_Plan(source, table, Options.of(options), reading, codes, require_seed(community_seed)))


class Scan:
    """Rows and columns of one table, not yet read.

    `scan` makes them.  `select`, `where` and `head` give a new `Scan`.  Each result reads the source anew, and no
    columns but those that are selected or that conditions name.  Every library that takes Arrow streams takes a `Scan`.

    Attributes
    ----------
    table : str
        Name of the table.

    Examples
    --------
    >>> import pptpcap
    >>> calls = pptpcap.scan("vpn.pcap", table="calls").where(address="10.0.0.0/8", phase=("LINK", None))
    >>> calls.select("call", "pns_packets")
    <pptpcap.Scan calls: 2 columns, 2 conditions>
    >>> calls.select("call", "pns_packets").to_numpy().tolist()
    [(0, 22)]
    """

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self.table = plan.table
        self._columns = chosen(BY_NAME[plan.table], plan.columns)

    def __repr__(self) -> str:
        plan = self._plan
        conditions = len(plan.conditions) + len(plan.predicates)
        said = [f"{len(self._columns)} columns"]
        said += [f"{conditions} condition" + "s" * (conditions > 1)] if conditions else []
        said += [f"at most {plan.most:,} rows"] if plan.most is not None else []
        return f"<pptpcap.Scan {self.table}: {', '.join(said)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns; the key is the first unless others were selected."""
        return tuple(key_of(self.table) if column is None else column.name for column in self._columns)

    @property
    def schema(self) -> dict[str, str]:
        """Types of the columns in Arrow, by name; nothing is read."""
        codes = self._plan.codes
        return {name: type_of(column, codes) for name, column in zip(self.names, self._columns, strict=True)}

    def select(self, *names: str) -> Scan:
        """Only these columns, in this order; ValueError for an unknown name, or none, TypeError for no text."""
        if not all(isinstance(name, str) for name in names):
            raise TypeError("select takes names of columns one by one, as in select('time', 'file')")
        if not names:
            raise ValueError(f"no column is named; {self.table} has {', '.join(self.names)}")
        if len(set(names)) < len(names):
            raise ValueError(f"a column is named twice: {', '.join(names)}")
        chosen(BY_NAME[self.table], names)
        return Scan(replace(self._plan, columns=names))

    def where(self, *expressions: polars.Expr, **conditions: Any) -> Scan:
        """Only rows that fulfil all of these, and the conditions from before.

        Parameters
        ----------
        *expressions : polars.Expr
            Expressions of Polars on columns of the table, selected or not.  Each row must be told from itself alone.
        **conditions
            By name of a column, or ``time``, ``address``, ``call``, ``connection``, ``message``: a value, a list of
            values, or a tuple ``(a, b)`` for ``a <= value < b``, where None is no limit.  ``docs/frames.md`` has the
            rules.

        Raises
        ------
        ValueError, TypeError
            Where there is no such column, condition or value, or an expression looks at several rows.
        """
        plan = self._plan
        told = tuple(condition(self.table, name, value) for name, value in conditions.items())
        if expressions:
            all_columns = Scan(replace(plan, columns=None, conditions=(), predicates=()))
            expressions = (predicate_of(all_columns._empty(), expressions),)
        return Scan(replace(plan, conditions=plan.conditions + told, predicates=plan.predicates + expressions))

    def head(self, n: int) -> Scan:
        """The first `n` rows of those that fulfil the conditions, also of conditions that are given later."""
        n = operator.index(n)
        if n < 0:
            raise ValueError(f"the number of rows must be at least 0, not {n}")
        most = self._plan.most
        return Scan(replace(self._plan, most=n if most is None else min(n, most)))

    def batches(self) -> Iterator[Table]:
        """The rows batch by batch, in memory that does not grow with the capture; no batch is empty.

        Yields
        ------
        Table
            Rows of one batch that fulfil the conditions; keys count in the whole capture.

        Raises
        ------
        CaptureError, IssueError, ImportError, OSError
            As `read`.
        ValueError
            Where a condition needs two readings, and the source is a stream, or a file object was read for another
            result; OSError where the source changes meanwhile.
        """
        left = self._plan.most
        if left == 0:
            return
        several = items(self._plan.source)
        known, before = self._entities(several)
        if any(hasattr(item, "read") for item in several):
            if self._plan.begun:
                raise ValueError("a file object has one result of a scan, and this one was read for another")
            self._plan.begun.append(True)
        with closing(self._walk(several, self._needed())) as walk:
            for batch in walk:
                require_unchanged(before)
                table = self._narrowed(batch, known, left)
                if left is not None:
                    left -= len(table)
                # The next batch is not read before this one is let go of.
                del batch
                if len(table):
                    yield table
                del table
                if left == 0:
                    return

    def _walk(self, several: list[Item], columns: Mapping[str, set[str]]) -> Generator[Capture, None, None]:
        """Batches of these columns."""
        plan = self._plan
        wanted = with_sources(columns)
        ends = "connection" in wanted.get("messages", ())
        return batches(several, options=plan.options, tables=wanted, columns=wanted, ends=ends, **plan.reading)

    def _needed(self) -> dict[str, set[str]]:
        """Columns of the walk, by table: those that are wanted, and those that conditions name."""
        needed = {self.table: {*self.names, *self._named()} - {key_of(self.table)}}
        if self.table in _TYPES:
            needed["messages"] = set(_OF_MESSAGES)
        for one in self._plan.conditions:
            add_columns(needed, one.reads(self.table))
        return needed

    def _named(self) -> list[str]:
        """Columns that expressions name."""
        return list(dict.fromkeys(name for one in self._plan.predicates for name in one.meta.root_names()))

    def _entities(self, several: list[Item]) -> tuple[Known, dict[str, State]]:
        """What only the end of the capture tells of conditions, and what the files are that were read for it."""
        through = [one for one in self._plan.conditions if one.entity]
        # Batches have the connections of their messages.
        if not through or self.table in ("messages", *_TYPES):
            return {}, {}
        before = states(several, f"scan with the condition {through[0].name!r}")
        return known_entities(through, partial(self._walk, several)), before

    def _narrowed(self, batch: Capture, known: Known, most: int | None) -> Table:
        """The wanted rows of a batch, at most so many."""
        plan = self._plan
        if not plan.conditions and not plan.predicates:
            return self._part(batch, slice(most), plan.columns)
        places = np.flatnonzero(fulfilling_all(plan.conditions, self.table, batch, known))
        if plan.predicates:
            tested = self._part(batch, places, self._named() or [key_of(self.table)])
            places = places[places_of(tested, plan.predicates)]
        return self._part(batch, places[:most], plan.columns)

    def _part(self, batch: Capture, places: Any, columns: Iterable[str] | None) -> Table:
        """Some rows and columns of a batch."""
        rows, first = batch[self.table], batch.first_row[self.table]
        octets = octets_known(self.table, batch, batch.first_row)
        return Table(
            self.table,
            rows[places],
            octets if octets is None else octets[places],
            keys=np.arange(first, first + len(rows), dtype=np.int64)[places],
            columns=columns,
            codes=self._plan.codes,
            community_seed=self._plan.community_seed,
        )

    def _empty(self) -> Table:
        """No rows, with the columns that are wanted."""
        rows = np.empty(0, schema.narrowed(self.table, with_sources(self._needed())[self.table]))
        known = np.empty(0, np.uint16) if self.table in _TYPES else None
        return Table(
            self.table,
            rows,
            known,
            columns=self._plan.columns,
            codes=self._plan.codes,
            community_seed=self._plan.community_seed,
        )

    def _whole(self) -> Table:
        """All rows in memory."""
        return concatenated([self._empty(), *self.batches()])

    def __arrow_c_schema__(self) -> object:
        """Capsule of the schema (Arrow PyCapsule interface); nothing is read."""
        return schema_capsule(self._empty().field)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Capsule of a stream that reads as it is consumed (Arrow PyCapsule interface)."""
        plan = self._plan
        reading = {**plan.reading, "batch_bytes": min(plan.reading["batch_bytes"], _STREAMED_BYTES)}
        tables = Scan(replace(plan, reading=reading)).batches()
        return stream_capsule(self._empty().field, streamed(tables))

    def to_numpy(self) -> Rows:
        """A structured array: the columns of the capture's, or those that were selected."""
        return self._whole().to_numpy()

    def write_parquet(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the rows to a Parquet file, which is there when it is complete, and not before.

        Parameters
        ----------
        path : str or os.PathLike
            Its name.  Only its owner can read it.
        overwrite : bool
            Replace a file of that name.

        Raises
        ------
        FileExistsError
            Where there is such a file, and it is not to be replaced.
        ImportError
            Where pyarrow is not installed.
        """
        write_parquet(self, path, overwrite=overwrite)

    def to_arrow(self) -> pyarrow.Table:
        """A table of pyarrow; ImportError where it is not installed."""
        return library("pyarrow", "arrow").table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """A frame of pandas, as `Table.to_pandas` makes it; ImportError where it is not installed."""
        library("pandas", "pandas")
        return self._whole().to_pandas()

    @overload
    def to_polars(self, *, lazy: Literal[False] = False) -> polars.DataFrame: ...
    @overload
    def to_polars(self, *, lazy: Literal[True]) -> polars.LazyFrame: ...

    def to_polars(self, *, lazy: bool = False) -> polars.DataFrame | polars.LazyFrame:
        """A frame of Polars; ImportError where it is not installed.

        Parameters
        ----------
        lazy : bool
            Nothing is read before the frame is collected, and then no more than the query needs: its columns, and its
            first rows where it asks for these.
        """
        module = library("polars", "polars")
        if not lazy:
            frame: polars.DataFrame = module.DataFrame(self)
            return frame
        frames: polars.LazyFrame = lazy_frame(self._empty(), self._hinted)
        return frames

    def _hinted(self, columns: list[str], predicate: polars.Expr | None, most: int | None) -> Iterator[Table]:
        """What a lazy frame needs of the rows."""
        plan = replace(self._plan, columns=tuple(columns))
        if most is not None:
            return Scan(plan).head(most).batches()
        # The rows of `head` are taken first.
        if predicate is not None and plan.most is None:
            plan = replace(plan, predicates=(*plan.predicates, predicate))
        return Scan(plan).batches()

    def to_duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """A relation of DuckDB, of this connection or of the default one; each query reads the source anew.

        ImportError where DuckDB is not installed.
        """
        database = library("duckdb", "duckdb") if connection is None else connection
        return database.from_arrow(self)


def with_sources(needed: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Columns to read, by table: also those that tell which values were seen, and at least one."""
    return {table: sources(table, columns) or {BY_NAME[table].columns[0].name} for table, columns in needed.items()}

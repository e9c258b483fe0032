"""Expressions of Polars as conditions, and tables as sources of a lazy frame.

Knows Polars, which it imports on demand.  Must not know how tables are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .._show.nearest import nearest
from ..tables import Table, library

if TYPE_CHECKING:
    import polars

__all__ = ["lazy_frame", "places_of", "predicate_of"]


def predicate_of(empty: Table, expressions: tuple[polars.Expr, ...]) -> polars.Expr:
    """One expression for several, with its columns by name.

    Parameters
    ----------
    empty : Table
        A table without rows, with all columns.
    expressions : tuple of polars.Expr
        What rows have to fulfil.

    Raises
    ------
    TypeError
        Where one is no expression.
    ValueError
        Where one looks at several rows: batches would change what it says.  Polars hands an expression to a source
        only if it looks at each row alone.
    """
    module = library("polars", "polars")
    for one in expressions:
        if not isinstance(one, module.Expr):
            raise TypeError(f"a condition is an expression of Polars or has a name, {one!r} is none of these")
    frame = empty.to_polars()
    handed: list[Any] = []

    def source(columns: list[str] | None, predicate: Any, *_: Any) -> Iterator[polars.DataFrame]:
        handed.append(predicate)
        yield frame if columns is None else frame.select(columns)

    lazy = library("polars.io.plugins", "polars").register_io_source(source, schema=frame.schema)
    try:
        lazy.filter(*expressions).collect()
    except module.exceptions.ColumnNotFoundError:
        named = [name for one in expressions for name in one.meta.root_names() if name not in frame.columns]
        hints = ", ".join(f"{name!r}{nearest(name, frame.columns)}" for name in named)
        raise ValueError(f"{empty.name} has no column {hints}") from None
    # Nothing is read where no row can fulfil it.
    predicate: polars.Expr | None = handed[0] if handed else module.lit(False)
    if predicate is None:
        raise ValueError("an expression looks at several rows: use it on the frame, to_polars(lazy=True).filter(...)")
    return predicate


def places_of(table: Table, predicates: tuple[polars.Expr, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Places of the rows of a table that fulfil all expressions."""
    frame = table.to_polars().with_row_index("place").filter(*predicates)
    places: np.ndarray[Any, np.dtype[np.int64]] = frame["place"].to_numpy().astype(np.int64)
    return places


def lazy_frame(empty: Table, rows: Callable[[list[str], polars.Expr | None, int | None], Iterator[Table]]) -> Any:
    """A lazy frame that reads when it is collected.

    Parameters
    ----------
    empty : Table
        A table without rows, with the columns of the frame.
    rows : callable
        Tables of the columns of these names; rows that do not fulfil the expression may be left out, and of all rows,
        those behind the first so many have to be.
    """
    frame = empty.to_polars()

    def source(
        columns: list[str] | None, predicate: polars.Expr | None, most: int | None, _: int | None
    ) -> Iterator[polars.DataFrame]:
        wanted = frame.columns if columns is None else columns
        tested = [] if predicate is None else predicate.meta.root_names()
        # Polars takes the first rows before it looks which of them fulfil the expression.
        for table in rows(list(dict.fromkeys([*wanted, *tested])), predicate if most is None else None, most):
            whole = table.to_polars()
            yield (whole if predicate is None else whole.filter(predicate)).select(wanted)

    return library("polars.io.plugins", "polars").register_io_source(source, schema=frame.schema)

"""Dtypes and column descriptions, derived from ``wire``.

Knows NumPy.  Must not know engines or files.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .wire.tables import BY_NAME, TABLES

__all__ = ["EVENTS", "ENTITIES", "TABLE_NAMES", "dtype", "empty", "narrowed"]

TABLE_NAMES: tuple[str, ...] = tuple(table.name for table in TABLES)
EVENTS: tuple[str, ...] = tuple(table.name for table in TABLES if not table.is_entity)
ENTITIES: tuple[str, ...] = tuple(table.name for table in TABLES if table.is_entity)

_DTYPES = {
    table.name: np.dtype([(column.name, column.dtype, column.shape) for column in table.columns]) for table in TABLES
}


def dtype(table: str) -> np.dtype[np.void]:
    """Structured dtype of a table: packed, native byte order, columns in the documented order.

    Parameters
    ----------
    table : str
        Name of a table.

    Returns
    -------
    numpy.dtype
        Structured dtype.

    Raises
    ------
    KeyError
        Where there is no such table.

    Examples
    --------
    >>> from pptpcap import schema
    >>> row = schema.dtype("gre")
    >>> row["time"].str[1:], row["sequence_number"].name
    ('M8[ns]', 'uint32')
    """
    return _DTYPES[BY_NAME[table].name]


def narrowed(table: str, columns: Iterable[str]) -> np.dtype[np.void]:
    """Structured dtype of some columns of a table: packed, in the documented order.

    Parameters
    ----------
    table : str
        Name of a table.
    columns : iterable of str
        Names of columns.

    Returns
    -------
    numpy.dtype
        Structured dtype.

    Raises
    ------
    KeyError
        Where there is no such table.
    ValueError
        Where there is no such column, or none is named.

    Examples
    --------
    >>> from pptpcap import schema
    >>> schema.narrowed("gre", ["sequence_number", "time"]).names
    ('time', 'sequence_number')
    """
    whole = dtype(table)
    wanted = {columns} if isinstance(columns, str) else set(columns)
    names = whole.names or ()
    unknown = sorted(map(str, wanted.difference(names)))
    if unknown or not wanted:
        raise ValueError(f"no such column in {table}: {', '.join(unknown) or 'none'}; there are {', '.join(names)}")
    return np.dtype([(name, whole[name]) for name in names if name in wanted])


def empty(table: str) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """An empty table.

    Parameters
    ----------
    table : str
        Name of a table.

    Returns
    -------
    numpy.ndarray
        Shape ``(0,)``, of the dtype that `dtype` returns.

    Raises
    ------
    KeyError
        Where there is no such table.

    Examples
    --------
    >>> from pptpcap import schema
    >>> schema.empty("calls").shape
    (0,)
    """
    return np.empty(0, dtype=dtype(table))

"""The columns of a table as Arrow has them: contiguous values, a bit for each that is there, dictionaries of texts.

Knows NumPy, the schema and what columns mean.  Must not know streams' consumers or files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from .._show import words
from .._show.nearest import nearest
from .._show.null import Mask
from ..wire.ip import ADDRESS
from ..wire.model import Column, Table
from ..wire.tables import BY_NAME
from .columns import looked_up, numbers_in
from .community import community_ids
from .stream import Cells, Field

__all__ = [
    "Values",
    "Vector",
    "batch",
    "chosen",
    "fields",
    "is_code",
    "key_of",
    "schema",
    "type_of",
    "values_of",
    "vectors",
]

Values: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# The number by which other tables point to a row; of the tables of messages, that by which `messages` does.
KEYS: Mapping[str, str] = {
    "messages": "message",
    "gre": "gre",
    "ppp": "ppp",
    "ppp_options": "ppp_option",
    "connections": "connection",
    "tunnels": "tunnel",
    "calls": "call",
    "issues": "issue",
}
_KEY_OF_A_MESSAGE = "row"

_FORMS = {
    "bool": b"b",
    "int8": b"c",
    "uint8": b"C",
    "int16": b"s",
    "uint16": b"S",
    "int32": b"i",
    "uint32": b"I",
    "int64": b"l",
    "uint64": b"L",
}
_TEXT, _TIME, _INDEX = b"u", b"tsn:UTC", b"i"


def key_of(table: str) -> str:
    """Name of the first column of a table outside of arrays."""
    return KEYS.get(table, _KEY_OF_A_MESSAGE)


def chosen(table: Table, names: Iterable[str] | None) -> list[Column | None]:
    """The columns of these names, all without; None stands for the key.  ValueError for an unknown name."""
    known: dict[str, Column | None] = {key_of(table.name): None}
    known.update({column.name: column for column in (*table.columns, *table.derived)})
    names = list(known) if names is None else list(names)
    for name in names:
        if name not in known:
            raise ValueError(f"{table.name} has no column {name!r}{nearest(name, known)}")
    return [known[name] for name in names]


def is_code(column: Column) -> bool:
    """Whether each number of a column has a name; bits have names that go together, and stay numbers."""
    return bool(column.names) and not (isinstance(column.names, type) and issubclass(column.names, IntFlag))


def schema(table: Table, children: list[Field]) -> Field:
    """The schema of a batch of these columns, with the metadata that Parquet files have."""
    said = {"table": table.name, "one_row_per": table.one_row_per, "order": table.order}
    return Field(b"", b"+s", _metadata(said), children)


def fields(table: Table, columns: Iterable[Column | None], codes: bool, pointer: str = "") -> list[Field]:
    """Columns of a schema; beside another table, with the name in front of the column that points to this one."""
    # A column has a mapping, and no hash.
    return [_field(table.name, column and column.name, codes, pointer) for column in columns]


@cache
def _field(table_name: str, column_name: str | None, codes: bool, pointer: str) -> Field:
    table = BY_NAME[table_name]
    column = next((one for one in (*table.columns, *table.derived) if one.name == column_name), None)
    if column is None:
        said = {"meaning": f"row in {table.name}: the number by which other tables point to it"}
        return Field((pointer or key_of(table.name)).encode(), b"l", _metadata(said))
    said = {name: getattr(column, name) for name in ("meaning", "unit", "section", "tshark")}
    if column.values:
        said["values"] = json.dumps(column.values)
    name, metadata = (f"{pointer}_{column.name}" if pointer else column.name).encode(), _metadata(said)
    if column.shape or (is_code(column) and not codes):
        return Field(name, _INDEX, metadata, None, Field(b"", _TEXT))
    if column.dtype.startswith("S"):
        return Field(name, _TEXT, metadata)
    return Field(name, _TIME if column.dtype.startswith("datetime64") else _FORMS[column.dtype], metadata)


def type_of(column: Column | None, codes: bool) -> str:
    """Name of a column's type in Arrow."""
    if column is None:
        return "int64"
    if column.shape or (is_code(column) and not codes):
        return "dictionary<int32, utf8>"
    if column.dtype.startswith("S"):
        return "utf8"
    return "timestamp[ns, UTC]" if column.dtype.startswith("datetime64") else column.dtype


def _metadata(said: dict[str, str]) -> bytes:
    pairs = [(name.encode(), text.encode()) for name, text in said.items() if text]
    octets = np.int32(len(pairs)).tobytes()
    for pair in pairs:
        octets += b"".join(np.int32(len(part)).tobytes() + part for part in pair)
    return octets


@dataclass(frozen=True)
class Vector:
    """One column of some rows.

    Parameters
    ----------
    values : numpy.ndarray
        Contiguous numbers, truths or times; indexes where there are texts.
    mask : numpy.ndarray, optional
        True for each value that was not seen.
    texts : list of str, optional
        What indexes stand for.
    is_dictionary : bool
        Consumers get the indexes and the texts, not a text each row.
    """

    values: Values
    mask: Mask | None = None
    texts: list[str] | None = None
    is_dictionary: bool = False


def values_of(column: Column, rows: Mapping[str, Values], community_seed: int) -> Values:
    """A column of rows, which are columns by name; one that no array has is made of others."""
    if column.made_of:
        made_of = [rows[name] for name in column.made_of]
        return community_ids((made_of[0], made_of[1]), tuple(made_of[2:]), community_seed)
    return rows[column.name]


def vectors(
    columns: Iterable[Column | None],
    rows: Mapping[str, Values],
    missing: dict[str, Mask],
    keys: Values,
    codes: bool,
    community_seed: int,
) -> list[Vector]:
    """Some columns of rows.

    Parameters
    ----------
    columns : iterable of Column or None
        As `chosen` returns them.
    rows : mapping of str to numpy.ndarray
        Contiguous columns of the arrays by name, with what these are made of.
    missing : dict of str to numpy.ndarray
        What `absent` says of them.
    keys : numpy.ndarray
        Key of each row.
    codes : bool
        Numbers in place of their names.
    community_seed : int
        Seed of Community IDs.
    """
    return [
        Vector(keys)
        if column is None
        else _vector(column, values_of(column, rows, community_seed), missing.get(column.name), codes)
        for column in columns
    ]


def _vector(column: Column, values: Values, mask: Mask | None, codes: bool) -> Vector:
    values = np.ascontiguousarray(values)
    if column.shape:
        different, indexes = np.unique(values.view("S16")[:, 0], return_inverse=True)
        # NumPy leaves out zeros at the end.
        texts = [words.address(one.ljust(ADDRESS, b"\0")) for one in different.tolist()]
        return Vector(indexes, mask, texts, True)
    if column.dtype.startswith("S"):
        different, indexes = np.unique(values, return_inverse=True)
        return Vector(indexes, mask, [words.escape_all_octets(one) for one in different.tolist()])
    if is_code(column) and not codes:
        return Vector(*_named(values, mask, column.values), True)
    return Vector(values, np.isnat(values) if column.dtype.startswith("datetime64") else mask)


def _named(values: Values, mask: Mask | None, names: dict[int, str]) -> tuple[Values, Mask | None, list[str]]:
    """Indexes into the names of numbers; a number without a name is named by its digits."""
    is_narrow = values.itemsize <= 2
    found = np.flatnonzero(numbers_in(values)) if is_narrow else np.unique(values)
    numbers = sorted(names) + sorted({*found.tolist()} - names.keys())
    texts = [names.get(number, str(number)) for number in numbers]
    if is_narrow:
        places = np.empty(1 << 8 * values.itemsize, np.int32)
        places[numbers] = np.arange(len(numbers))
        return looked_up(values, places), mask, texts
    order = np.argsort(numbers)
    return order[np.searchsorted(numbers, values, sorter=order)], mask, texts


def batch(columns: Iterable[Vector], length: int) -> Cells:
    """Columns of so many rows, as Arrow has them."""
    return Cells(length, 0, [None], [_cells(column) for column in columns])


def _cells(column: Vector) -> Cells:
    values, mask = column.values, column.mask
    nulls = 0 if mask is None else int(np.count_nonzero(mask))
    bits = np.packbits(~mask, bitorder="little") if mask is not None and nulls else None
    if column.texts is None:
        cells = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else values
        return Cells(len(values), nulls, [bits, cells])
    encoded = [text.encode() for text in column.texts]
    if column.is_dictionary:
        spelled = Cells(len(encoded), 0, [None, *_text(encoded)])
        return Cells(len(values), nulls, [bits, values.astype(np.int32, copy=False)], None, spelled)
    return Cells(len(values), nulls, [bits, *_text([encoded[index] for index in values.tolist()])])


def _text(encoded: list[bytes]) -> tuple[Values, bytes]:
    """Where each text ends, from 0 on, and all of them."""
    return np.cumsum([0, *map(len, encoded)], dtype=np.int32), b"".join(encoded)

"""Which rows of entity tables fulfil conditions, and which conditions a table can have.

Knows conditions and batches.  Must not know how a reading is made.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np

from .._show.null import Mask
from ..capture import Capture
from .conditions import Condition, applies, condition, fulfilling

__all__ = ["Known", "Walk", "add_columns", "choices", "known_entities"]

# By condition that goes through an entity table, which of its rows fulfil it.
Known: TypeAlias = dict[Condition, dict[str, Mask]]
# Batches that have these columns of these tables.
Walk: TypeAlias = Callable[[Mapping[str, set[str]]], Generator[Capture, None, None]]


def known_entities(conditions: Iterable[Condition], walk: Walk) -> Known:
    """What only the end of the capture tells of conditions that go through entities; empty where none does."""
    through = {one: one.entity for one in conditions if one.entity}
    if not through:
        return {}
    needed: dict[str, set[str]] = {}
    for table, one in through.values():
        add_columns(needed, one.reads(table, entities=True))
    with closing(walk(needed)) as walked:
        pieces = list(walked)
    tables = {table: np.concatenate([piece[table] for piece in pieces]) for table in needed}
    whole = Capture(tables, pieces[-1].summary)
    return {one: {table: fulfilling(rest, table, whole, {})} for one, (table, rest) in through.items()}


def add_columns(needed: dict[str, set[str]], more: Mapping[str, set[str]]) -> None:
    """Columns of tables besides those that are needed already."""
    for table, columns in more.items():
        needed.setdefault(table, set()).update(columns)


def choices(tables: Iterable[str], where: Mapping[str, Any], *, named: bool) -> dict[str, tuple[Condition, ...]]:
    """The conditions of each table; a table that cannot have one is left out, or is an error if it was `named`.

    Raises
    ------
    ValueError, TypeError
        Where no table is left, or a value is none that it can have.
    """
    wanted = list(tables)
    able = [table for table in wanted if named or all(applies(table, name, value) for name, value in where.items())]
    # Of tables of which none can have it, the first one names the nearest.
    return {
        table: tuple(condition(table, name, value) for name, value in where.items()) for table in able or wanted[:1]
    }

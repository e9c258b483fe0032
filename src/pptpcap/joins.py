"""The tables to whose rows the rows of a table point: of messages, their connections and their calls.

Knows which columns point where.  Must not know engines or files.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ._show.nearest import nearest
from .engine import Rows
from .tables import Beside, Places, Table
from .wire.tables import POINTERS

__all__ = ["besides"]


def besides(
    tables: Mapping[str, Rows], name: str, others: tuple[str, ...], codes: bool, community_seed: int
) -> list[Beside]:
    """Other tables, to stand beside one.

    Parameters
    ----------
    tables : mapping of str to numpy.ndarray
        The tables of a capture, with all columns.
    name : str
        Name of the table whose rows point to them.
    others : tuple of str
        Their names.
    codes : bool
        Numbers of enumerations stay numbers.
    community_seed : int
        Seed of the column ``community_id``.

    Returns
    -------
    list of Beside
        One for each column that points to a table: for ``calls``, two of ``tunnels``.

    Raises
    ------
    ValueError
        Where no column leads to one of them.
    """
    found = []
    own = np.arange(len(tables[name]))
    for other in others:
        ways = _ways(name, other)
        if not ways:
            reached = [one for one in POINTERS if _ways(name, one)]
            raise ValueError(f"no column of {name} leads to {other!r}{nearest(other, reached)}")
        # Where there is no row, one of zeros is masked.
        rows = tables[other] if len(tables[other]) else np.zeros(1, tables[other].dtype)
        names = Table(other, rows).names
        for way in ways:
            # A pointer in the table itself is the key already.
            table = Table(other, rows, columns=names[len(way) == 1 :], codes=codes, community_seed=community_seed)
            found.append(Beside(way[-1], table, _places(tables, name, way, own)))
    return found


def _ways(name: str, other: str) -> list[tuple[str, ...]]:
    """The columns that lead from a table to another one, by the shortest ways."""
    ways: dict[tuple[str, ...], str] = {(): name}
    passed: set[str] = set()
    while ways and other not in ways.values():
        passed.update(ways.values())
        ways = {
            (*way, column): to for way, at in ways.items() for column, to in POINTERS[at].items() if to not in passed
        }
    return [way for way, at in ways.items() if at == other and way]


def _places(tables: Mapping[str, Rows], name: str, way: tuple[str, ...], places: Places) -> Places:
    """The rows to which these rows of a table lead; -1 for none."""
    for column in way:
        pointers = tables[name][column]
        # NumPy takes the last one for -1.
        places = np.where(places < 0, -1, pointers[places] if len(pointers) else -1)
        name = POINTERS[name][column]
    return places

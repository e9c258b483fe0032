"""Packets by call and outcome.

Knows numbers of calls and nothing of packets.  Users have it in ``Decapsulated``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np

from .outcome import Outcome

__all__ = ["NO_CALL", "Counts"]

Table: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint64]]

# Stands for packets that belong to no call.
NO_CALL = -1


class Counts(Mapping[int, dict[Outcome, int]]):
    """By call, packets by outcome: outcomes that are not 0, in their order, of calls that have any.

    Parameters
    ----------
    calls : int
        Calls of the capture.
    """

    def __init__(self, calls: int) -> None:
        # A row for each outcome takes no memory while it is 0.  The last column is that of NO_CALL.
        self.__setstate__(np.zeros((len(Outcome), calls + 1), np.uint64))

    def __getstate__(self) -> Table:
        return self._table

    def __setstate__(self, table: Table) -> None:
        self._table = table
        # A memoryview changes single elements faster than an array; it is not pickled.
        self._views = {outcome: row.data for outcome, row in zip(Outcome, table, strict=True)}

    def add(self, call: int, outcome: Outcome, times: int = 1) -> None:
        """Count packets of one call."""
        self._views[outcome][call] += times

    def add_rows(self, calls: np.ndarray[tuple[int], np.dtype[np.int32]], outcome: Outcome) -> None:
        """Count one packet for each row, under the call of that row."""
        np.add.at(self._table[[*Outcome].index(outcome)], calls, 1)

    def total(self) -> dict[Outcome, int]:
        """Of all calls together."""
        return _by_outcome(self._table.sum(axis=1))

    def __getitem__(self, call: int) -> dict[Outcome, int]:
        found = _by_outcome(self._table[:, call]) if NO_CALL <= call < self._table.shape[1] - 1 else {}
        if not found:
            raise KeyError(call)
        return found

    def __iter__(self) -> Iterator[int]:
        calls = np.flatnonzero(np.roll(self._table.any(axis=0), 1)) - 1
        return map(int, calls)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._table.any(axis=0)))

    def __repr__(self) -> str:
        return f"<outcomes of {len(self):,} calls>"


def _by_outcome(column: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> dict[Outcome, int]:
    return {outcome: count for outcome, count in zip(Outcome, column.tolist(), strict=True) if count}

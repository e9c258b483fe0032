"""Calls that are told in full: their connections and tunnels, and what collects their timelines and diagnoses.

Must not know how they are told.  Keeps rows of entities alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from .. import diagnosis, timeline
from ..diagnosis import Diagnoses
from ..engine import Rows
from ..timeline import ENTITIES, EVENTS, Timelines

__all__ = ["ENTITIES", "EVENTS", "Entities", "columns"]

# Connections without a call that are looked at.
_MOST = 20


def columns(tables: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns of these tables that timelines and diagnoses need."""
    needed = (timeline.COLUMNS, diagnosis.COLUMNS)
    return {
        name: tuple({column: None for columns in needed for column in columns.get(name, ())})
        for name in tables
        if name in timeline.COLUMNS
    }


class Entities:
    """The calls that are wanted, their connections and their tunnels, from the batches of one reading.

    Parameters
    ----------
    wanted : sequence of int
        Numbers of calls.
    alone : bool
        Take connections without a call too, where there is something to tell of them.
    """

    def __init__(self, wanted: Sequence[int], *, alone: bool) -> None:
        self._wanted = wanted
        self._alone = alone
        #: Calls of the capture so far.
        self.count = 0
        self.calls: dict[int, Any] = {}
        self._tunnels: dict[int, Any] = {}
        self._connections: list[Rows] = []
        # Connections that have a call, and calls without one between the addresses of a call that is wanted.
        self._called: list[Rows] = []
        self._strangers: dict[frozenset[bytes], list[Any]] = {}

    def take(self, batch: Any) -> None:
        """Take the next rows of entities."""
        calls, tunnels = batch["calls"], batch["tunnels"]
        first = batch.first_row["calls"]
        # Copies: a row keeps its whole batch.
        self.calls.update({n: calls[n - first].copy() for n in self._wanted if first <= n < first + len(calls)})
        self.count += len(calls)
        self._called.append(np.unique(calls["connection"]))
        # Calls that no control message tells of come behind the others.
        pairs = {diagnosis.pair(call) for call in self.calls.values() if call["connection"] >= 0}
        for call in calls[calls["connection"] < 0]:
            if (between := diagnosis.pair(call)) in pairs:
                known = self._strangers.setdefault(between, [])
                known += [call.copy()] if len(known) < diagnosis.STRANGERS else []
        first = batch.first_row["tunnels"]
        of_wanted = np.flatnonzero(np.isin(tunnels["call"], list(self._wanted)))
        self._tunnels.update({first + place: tunnels[place].copy() for place in of_wanted.tolist()})
        # A call can come before its connection.
        self._connections.append(batch["connections"])

    def collectors(self) -> tuple[Timelines, Diagnoses]:
        """What makes timelines and diagnoses of them; IndexError if a call is not there."""
        # A range is as many as there may be.
        for number in () if isinstance(self._wanted, range) else self._wanted:
            if number >= self.count:
                raise IndexError(f"There is no call {number}; the capture has {self.count}, counted from 0.")
        connections = np.concatenate(self._connections)
        numbers = {int(call["connection"]) for call in self.calls.values()}
        of_calls = {n: connections[n] for n in numbers if n >= 0}
        strangers = [call for known in self._strangers.values() for call in known]
        return (
            Timelines(self.calls, of_calls, self._tunnels),
            Diagnoses(self.calls, {**of_calls, **self._without_call(connections)}, self._tunnels, strangers),
        )

    def _without_call(self, connections: Rows) -> dict[int, Any]:
        """Connections of which there is something to tell though they have no call; some of them, if they are many."""
        if not self._alone:
            return {}
        alone = np.setdiff1d(np.arange(len(connections)), np.concatenate(self._called))
        suspect = (int(number) for number in alone if diagnosis.is_suspect(connections[number]))
        return {number: connections[number] for number in islice(suspect, _MOST)}

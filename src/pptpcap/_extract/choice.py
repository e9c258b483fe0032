"""Which packets are chosen: those of connections and tunnels, those with issues, those that are named by number.

Knows conditions, rows and what an assembler gives beside them.  Must not know files.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._reading.conditions import Condition, condition, fulfilling
from .._reading.lazy import with_sources
from ..capture import Capture
from ..engine import Rows
from ..wire.status import Kind
from .numbers import Intervals, Mask, Numbers, Packets

__all__ = ["GRE_COLUMNS", "Choice", "Wanted"]

Reading: TypeAlias = Callable[..., Iterator[Capture]]

# Columns of gre that are needed.
GRE_COLUMNS = ("time", "packet", "tunnel")
# Issues of a file or of what is no packet; their number is that of a packet that they do not concern.
_OF_NO_PACKET = (
    *(Kind.TRUNCATED_RECORD, Kind.CORRUPT_RECORD, Kind.CORRUPT_BLOCK, Kind.CORRUPT_COMPRESSION, Kind.SKIPPED_OCTETS),
    *(Kind.BAD_OPTION, Kind.INTERFACE_LIMIT, Kind.ZEROS, Kind.NO_PACKETS, Kind.NO_CAPTURE, Kind.LOCAL_TIME),
    *(Kind.MISSING_RECORDS, Kind.DROPPED_PACKETS),
)


class Wanted(NamedTuple):
    """What a user named; None is no condition."""

    time: Any
    address: Any
    call: Any
    connection: Any
    issue: Any
    packets: Any


class Choice:
    """The chosen packets of a capture that is read twice: first its entities and issues, then its packets.

    Parameters
    ----------
    wanted : Wanted
        What a packet has to fulfil: all of it.

    Attributes
    ----------
    packets : Packets
        The chosen ones, once all batches were taken.

    Raises
    ------
    ValueError, TypeError
        Where a condition has no such value.
    """

    def __init__(self, wanted: Wanted) -> None:
        named = {name: getattr(wanted, name) for name in ("address", "call", "connection")}
        self._named = {name: value for name, value in named.items() if value is not None}
        # By table, what its rows have to fulfil.
        self._conditions = {
            "tunnels": [condition("tunnels", *one) for one in self._named.items()],
            "connections": [condition("connections", *one) for one in self._named.items() if one[0] != "call"],
            "calls": [condition("calls", *one) for one in self._named.items() if one[0] == "call"],
        }
        self._time = None if wanted.time is None else condition("gre", "time", wanted.time)
        self._issue = None if wanted.issue is None else _of_issue(wanted.issue)
        self._numbers = None if wanted.packets is None else Intervals(wanted.packets)
        asks_for_rows = bool(self._named) or wanted.time is not None
        self._needs_rows = asks_for_rows or (wanted.issue is None and wanted.packets is None)
        # Of each connection and each tunnel, whether it is chosen; the last is what has no row.
        self._connections = self._tunnels = np.ones(1, np.bool_)
        self._with_issue = Packets()
        self._found = Packets()
        # Those that completed datagrams of which a fragment was found.
        self._whole = Packets()
        self.packets = Packets()
        self._before = 0

    @property
    def needs_entities(self) -> bool:
        """Whether there is something that the first reading has to tell."""
        return bool(self._named) or self._issue is not None

    def learn(self, reading: Reading) -> None:
        """Learn from the first reading which connections and tunnels are chosen, and which packets have issues.

        Raises
        ------
        IndexError
            Where a call or connection is named that is not there.
        """
        needed: dict[str, set[str]] = {}
        if self._named:
            needed = {"calls": {"connection"}, "tunnels": set(), "connections": set()}
        for table, conditions in self._conditions.items():
            for one in conditions:
                for name, columns in one.reads(table, entities=True).items():
                    needed[name] |= columns
        if self._issue is not None:
            needed["issues"] = {"packet", "kind"}
        pieces: dict[str, list[Rows]] = {table: [] for table in needed if table != "issues"}
        columns_of = with_sources(needed)
        for batch in reading(tables=columns_of, columns=columns_of):
            if self._issue is not None:
                rows = batch["issues"]
                self._with_issue.add(rows["packet"][fulfilling(self._issue, "issues", batch, {})])
            for table, rows_of in pieces.items():
                rows_of.append(batch[table])
            summary = batch.summary
        if self._named:
            whole = Capture({table: np.concatenate(rows_of) for table, rows_of in pieces.items()}, summary)
            self._choose(whole)

    def _choose(self, entities: Capture) -> None:
        for name in ("call", "connection"):
            _require_there(name, self._named.get(name), len(entities[f"{name}s"]))

        def fulfil(table: str) -> Mask:
            masks = [fulfilling(one, table, entities, {}) for one in self._conditions[table]]
            return reduce(operator.and_, masks, np.ones(len(entities[table]), np.bool_))

        connections = fulfil("connections")
        if self._conditions["calls"]:
            of_calls = np.zeros(len(connections) + 1, np.bool_)
            of_calls[entities["calls"]["connection"][fulfil("calls")]] = True
            connections &= of_calls[:-1]
        self._connections = np.append(connections, False)
        self._tunnels = np.append(fulfil("tunnels"), False)

    def take(self, batch: Capture) -> None:
        """Take the next rows of the second reading, which has ``gre`` and is read with `members`."""
        found = self._chosen_of(batch)
        self._before = batch.summary.packets
        self._found.add(found)
        self.packets.add(found)
        parts = batch.beside["parts"]
        came_again = parts["whole"] < 0
        late, parts = parts[came_again], parts[~came_again]
        # The parts of a datagram are told together.
        wholes, places = np.unique(parts["whole"], return_inverse=True)
        is_chosen = np.zeros(len(wholes), np.bool_)
        is_chosen[places[self._found.has(parts["packet"])]] = True
        self.packets.add(parts["packet"][is_chosen[places]])
        self._whole.add(wholes[is_chosen])
        self.packets.add(late["packet"][self._whole.has(-late["whole"])])

    def _chosen_of(self, batch: Capture) -> Numbers:
        """Packets of a batch that fulfil all that is wanted, without the other fragments of their datagrams."""
        if self._needs_rows:
            segments, gre = batch.beside["segments"], batch["gre"]
            of_rows = [
                rows["packet"][self._fulfil(rows, entities, column)]
                for rows, entities, column in (
                    (segments, self._connections, "connection"),
                    (gre, self._tunnels, "tunnel"),
                )
            ]
            numbers = np.concatenate(of_rows)
        else:
            numbers = np.arange(self._before + 1, batch.summary.packets + 1)
        if self._issue is not None:
            numbers = numbers[self._with_issue.has(numbers)]
        return numbers if self._numbers is None else numbers[self._numbers.has(numbers)]

    def _fulfil(self, rows: Rows, entities: Mask, column: str) -> Mask:
        # A changed capture may have more entities; its result is discarded.
        mask: Mask = entities.take(rows[column], mode="wrap")
        if self._time is not None:
            ((_, test),) = self._time.tests
            mask = mask & test(rows["time"])
        return mask

    def finish(self) -> None:
        """All batches were taken.

        Raises
        ------
        IndexError
            Where a packet is named that is not there.
        ValueError
            Where no packet is chosen.
        """
        if self._numbers is not None and self._numbers.highest_start > self._before:
            raise IndexError(_not_there("packet", self._numbers.highest_start, self._before, 1))
        if not self.packets:
            raise ValueError("nothing is chosen: no packet of the capture fulfils all conditions")


def _of_issue(value: Any) -> Condition:
    one = condition("issues", "kind", value)
    ((_, test),) = one.tests
    of_no_packet = np.array(_OF_NO_PACKET, np.uint8)
    found = of_no_packet[test(of_no_packet)].tolist()
    if found:
        raise ValueError(f"issue: {Kind(found[0]).name} concerns no packet")
    return one


def _require_there(name: str, value: Any, count: int) -> None:
    """IndexError for a number that is named and not there; a range may reach further."""
    if value is None or isinstance(value, tuple):
        return
    highest = max(value if isinstance(value, Iterable) else [value], default=-1)
    if highest >= count:
        raise IndexError(_not_there(name, highest, count, 0))


def _not_there(name: str, number: int, count: int, first: int) -> str:
    return f"there is no {name} {number}; the capture has {count}, counted from {first}"

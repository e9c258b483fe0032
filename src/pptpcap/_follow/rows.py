"""Gives the rows of a batch to the calls, connections and tunnels that they are of.

Knows the columns by which tables point to each other.  Must not know what rows mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..engine import Rows
from ..wire.status import GreStatus

__all__ = ["groups", "of_calls", "ppp_packets", "require"]


def require(
    capture: Mapping[str, Rows], tables: Iterable[str], columns: Mapping[str, Iterable[str]], what: str
) -> None:
    """Raise KeyError if a table was not read, ValueError if a column of one was not."""
    for name in tables:
        lacking = sorted(set(columns.get(name, ())).difference(capture[name].dtype.names or ()))
        if lacking:
            raise ValueError(f"a {what} needs columns of {name} that were not read: {', '.join(lacking)}")


def of_calls(calls: Iterable[int], tunnels: Mapping[int, Any]) -> dict[int, dict[int, Any]]:
    """The tunnels of each call, by their row."""
    found: dict[int, dict[int, Any]] = {number: {} for number in calls}
    for tunnel, row in sorted(tunnels.items()):
        if (number := int(row["call"])) in found:
            found[number][tunnel] = row
    return found


def groups(rows: Rows, column: str, wanted: Iterable[int]) -> Iterator[tuple[int, Rows]]:
    """Rows of each wanted number of a column, in their order."""
    rows = rows[np.isin(rows[column], list(wanted))]
    order = np.argsort(rows[column], kind="stable")
    numbers, starts = np.unique(rows[column][order], return_index=True)
    for number, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False):
        yield number, rows[places]


def ppp_packets(
    batch: Mapping[str, Rows], first_row: Mapping[str, int], tunnels: Iterable[int]
) -> Iterator[tuple[int, Any, Rows, bool]]:
    """PPP control packets of tunnels, in the order of packets, because either side answers the other.

    Yields the tunnel, the row of ``ppp``, its rows of ``ppp_options``, and whether its sequence number came before.
    """
    ppp, options, gre = batch["ppp"], batch["ppp_options"], batch["gre"]
    ends = np.cumsum(ppp["options"], dtype=np.int64)
    is_old = gre["status"][ppp["gre"] - first_row["gre"]] & GreStatus.DUPLICATED != 0
    for place in np.flatnonzero(np.isin(ppp["tunnel"], list(tunnels))).tolist():
        row = ppp[place]
        own = options[ends[place] - int(row["options"]) : ends[place]]
        yield int(row["tunnel"]), row, own, bool(is_old[place])

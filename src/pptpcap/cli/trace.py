"""``pptpcap trace``: tells what happened in a call, line by line, from the first packet to why it ended.

Knows how a timeline is printed.  Reads twice, so memory does not grow with the capture.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click
import numpy as np

from .._input.again import require_unchanged, states
from .._input.opening import items
from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._show import stories, words
from .._show.null import absent
from ..capture import Capture
from ..engine import Rows
from ..timeline import COLUMNS, ENTITIES, EVENTS, Event, EventKind, Timelines
from .common import Damage, files_and_options, sources, wants_progress

__all__ = ["trace"]

_BATCH_BYTES = 16 << 20
# Calls that are told if none is named.
_MOST = 20


@click.command()
@click.option(
    "--call",
    "calls",
    type=click.IntRange(min=0),
    multiple=True,
    help=f"Number of a call, as the command calls lists it; may be repeated.  [default: all, if at most {_MOST}]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@click.option("--identities", is_flag=True, help="Include the user names of both sides.")
@files_and_options
def trace(files: tuple[str, ...], reading: ReadOptions, calls: tuple[int, ...], as_json: bool, identities: bool) -> int:
    """Tell what happened in a call of the FILEs, line by line, and why it ended.

    A line has time (UTC), the numbers of the packets that prove it, the side, and what happened.  It tells of control
    messages, of PPP control packets with their options, of the first and the last data, of loss, late packets and
    duplicates, and of echoes and their times.  The last line has the reason.  The FILEs are read twice.
    """
    if "-" in files:
        raise click.UsageError(
            "The FILEs are read twice, and standard input can be read only once; write it to a file first."
        )
    several = items(sources(files))
    try:
        before = states(several, "trace")
    except ValueError as error:
        raise click.UsageError(words.escape(str(error))) from None
    readings = partial(batches, several, options=Options.of(reading), batch_bytes=_BATCH_BYTES)
    entities = _Entities(sorted(set(calls)))
    for batch in readings(tables=ENTITIES, columns=_columns(ENTITIES), identities=identities):
        entities.take(batch)
    timelines = entities.timelines()
    damage = Damage()
    for batch in readings(tables=EVENTS, columns=_columns(EVENTS), progress=wants_progress(while_printing=False)):
        damage.note(batch)
        timelines.take(batch, batch.first_row)
        summary = batch.summary
    require_unchanged(before)
    nanoseconds = any(file.resolution == "ns" for file in summary.files)
    if not entities.calls and not as_json:
        sys.stdout.write("no calls\n")
    for place, (number, call) in enumerate(entities.calls.items()):
        events = timelines.events(number)
        if as_json:
            lines = [json.dumps(_document(number, event)) for event in events]
        else:
            lines = _lines(number, call, events, nanoseconds=nanoseconds)
            sys.stdout.write("\n" if place else "")
        for line in lines:
            sys.stdout.write(line + "\n")
    return damage.finish(summary)


def _columns(tables: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {name: COLUMNS[name] for name in tables if name in COLUMNS}


class _Entities:
    """The calls that are wanted, their connections and their tunnels, from the batches of the first reading."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted or range(_MOST)
        self._is_chosen = bool(wanted)
        self._count = 0
        self.calls: dict[int, Any] = {}
        self._tunnels: dict[int, Any] = {}
        self._connections: list[Rows] = []

    def take(self, batch: Capture) -> None:
        """Take the next rows of entities."""
        calls, tunnels = batch["calls"], batch["tunnels"]
        first = batch.first_row["calls"]
        # Copies: a row keeps its whole batch.
        self.calls.update({n: calls[n - first].copy() for n in self._wanted if first <= n < first + len(calls)})
        self._count += len(calls)
        first = batch.first_row["tunnels"]
        of_wanted = np.flatnonzero(np.isin(tunnels["call"], list(self._wanted)))
        self._tunnels.update({first + place: tunnels[place].copy() for place in of_wanted.tolist()})
        # A call can come before its connection.
        self._connections.append(batch["connections"])

    def timelines(self) -> Timelines:
        """Timelines of the calls; a usage error if one is not there, or there are too many to tell of all."""
        if self._is_chosen and (lacking := [number for number in self._wanted if number >= self._count]):
            raise click.UsageError(f"There is no call {lacking[0]}; the capture has {self._count}, counted from 0.")
        if not self._is_chosen and self._count > _MOST:
            raise click.UsageError(
                f"The capture has {self._count:,} calls; choose with --call.  The command calls lists them."
            )
        connections = np.concatenate(self._connections)
        numbers = {int(call["connection"]) for call in self.calls.values()}
        return Timelines(self.calls, {n: connections[n] for n in numbers if n >= 0}, self._tunnels)


def _lines(number: int, call: Any, events: Sequence[Event], nanoseconds: bool) -> list[str]:
    lines = [f"call {number}: {_head(call)}"]
    times = words.instants(np.array([event.time for event in events], "datetime64[ns]"), nanoseconds)
    packets = ["-".join(map(str, event.packets)) for event in events]
    width = max(map(len, packets))
    for time, numbers, event in zip(times, packets, events, strict=True):
        when = "-" if event.kind is EventKind.MISSING else time
        lines.append(f"{when:{len(times[-1])}}  {numbers:>{width}}  {event.side:3}  {event.text}")
    return lines


def _head(call: Any) -> str:
    """Who, which ids, and what was agreed on."""
    missing = absent("calls", call.reshape(1))
    ends = []
    for side in ("pns", "pac"):
        said = f"{side.upper()}{' (assumed)' if stories.assumed(call) else ''} {words.address(call[f'{side}_address'])}"
        if not missing[f"{side}_call_id"][0]:
            said += f" id {int(call[f'{side}_call_id'])}"
        if call[f"{side}_name"]:
            said += f" name {words.quote(call[f'{side}_name'])}"
        ends.append(said)
    agreed = [words.authentication(int(call["authentication"]), int(call["authenticated"])), words.encryption(call)]
    return "; ".join([", ".join(ends), *(said for said in agreed if said != "-")])


def _document(number: int, event: Event) -> dict[str, object]:
    return {
        "call": number,
        "time": None if np.isnat(event.time) else words.instant(event.time).replace(" ", "T") + "Z",
        "packets": event.packets,
        "side": event.side or None,
        "kind": event.kind.name,
        "name": event.name or None,
        "text": event.text,
    }

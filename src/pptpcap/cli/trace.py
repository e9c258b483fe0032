"""``pptpcap trace``: tells what happened in a call, line by line, why it ended, and what is wrong with it.

Knows how timelines and diagnoses are printed.  Reads twice, so memory does not grow with the capture.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import click
import numpy as np

from .._input.again import require_unchanged, states
from .._input.opening import items
from .._input.options import Options, ReadOptions
from .._page.chosen import ENTITIES, EVENTS, Entities, columns
from .._reading.api import batches
from .._reading.conditions import condition, fulfilling_all
from .._show import stories, words
from .._show.null import absent
from ..capture import Capture
from ..diagnosis import Diagnoses, Diagnosis
from ..timeline import Event, EventKind, Timelines
from .common import Damage, wants_progress
from .inputs import sources

__all__ = ["trace"]

_BATCH_BYTES = 16 << 20
# Calls that are told if none is named.
_MOST = 20


def trace(files: tuple[str, ...], reading: ReadOptions, named: dict[str, Any], as_json: bool, identities: bool) -> int:
    """Print the timelines and diagnoses of the calls that are chosen."""
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
    chosen = _chosen(readings, **named)
    entities = Entities(range(_MOST) if chosen is None else chosen, alone=chosen is None)
    for batch in readings(tables=ENTITIES, columns=columns(ENTITIES), identities=identities):
        entities.take(batch)
    timelines, diagnoses = _collectors(entities, is_chosen=chosen is not None)
    damage = Damage()
    for batch in readings(tables=EVENTS, columns=columns(EVENTS), progress=wants_progress(while_printing=False)):
        damage.note(batch)
        timelines.take(batch, batch.first_row)
        diagnoses.take(batch, batch.first_row)
        summary = batch.summary
    require_unchanged(before)
    nanoseconds = any(file.resolution == "ns" for file in summary.files)
    if not entities.calls and not as_json:
        sys.stdout.write("no calls\n")
    for place, (number, call) in enumerate(entities.calls.items()):
        events, found = timelines.events(number), diagnoses.of_call(number)
        if as_json:
            lines = [*(_document(number, event) for event in events), *map(_diagnosis, found)]
        else:
            lines = [*_lines(number, call, events, nanoseconds=nanoseconds), *_said(found)]
            sys.stdout.write("\n" if place else "")
        _write(lines)
    if others := diagnoses.others():
        _write([*map(_diagnosis, others)] if as_json else ["", "capture:", *_said(others)])
    return damage.finish(summary)


def _chosen(readings: Callable[..., Iterator[Capture]], call: Sequence[int] = (), **named: Any) -> list[int] | None:
    """Numbers of the calls that fulfil all conditions, in order; None where there is no condition."""
    if not named:
        return sorted({*call}) or None
    try:
        conditions = [condition("calls", name, value) for name, value in named.items()]
    except ValueError as error:
        raise click.UsageError(words.escape(str(error))) from None
    chosen: list[int] = []
    count = 0
    for batch in readings(tables=("calls",)):
        places = np.flatnonzero(fulfilling_all(conditions, "calls", batch))
        chosen += (batch.first_row["calls"] + places).tolist()
        count += len(batch["calls"])
    if call:
        for number in sorted(call):
            _require_there(number, count)
        return sorted({*call} & {*chosen})
    if len(chosen) > _MOST:
        raise click.UsageError(f"{len(chosen):,} calls fulfil this; choose with --call.  The command calls lists them.")
    return chosen


def _require_there(number: int, count: int) -> None:
    if number >= count:
        raise click.UsageError(f"There is no call {number}; the capture has {count}, counted from 0.")


def _collectors(entities: Entities, is_chosen: bool) -> tuple[Timelines, Diagnoses]:
    """Timelines and diagnoses; a usage error if a call is not there, or there are too many to tell of all."""
    if not is_chosen and entities.count > _MOST:
        raise click.UsageError(
            f"The capture has {entities.count:,} calls; choose with --call.  The command calls lists them."
        )
    try:
        return entities.collectors()
    except IndexError as error:
        raise click.UsageError(str(error)) from None


def _write(lines: Sequence[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


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
    of_either = " (of this call or another)" if stories.shared(call) else ""
    return "; ".join([", ".join(ends), *(f"{said}{of_either}" for said in agreed if said != "-")])


def _said(found: Sequence[Diagnosis]) -> list[str]:
    lines = []
    for one in found:
        lines += [f"{'note' if one.kind.is_note else 'diagnosis'}: {one.sentence}", f"  try: {one.advice}"]
    return lines


def _diagnosis(found: Diagnosis) -> str:
    """In the keys of an event, and two more."""
    document = {
        "call": None if found.call < 0 else found.call,
        "time": None,
        "packets": found.packets,
        "side": None,
        "kind": "NOTE" if found.kind.is_note else "DIAGNOSIS",
        "name": found.kind.name,
        "text": found.sentence,
        "connection": None if found.connection < 0 else found.connection,
        "advice": found.advice,
    }
    return json.dumps(document)


def _document(number: int, event: Event) -> str:
    document = {
        "call": number,
        "time": None if np.isnat(event.time) else words.instant(event.time).replace(" ", "T") + "Z",
        "packets": event.packets,
        "side": event.side or None,
        "kind": event.kind.name,
        "name": event.name or None,
        "text": event.text,
    }
    return json.dumps(document)

"""``pptpcap calls``: which calls there were, who called whom, how long, why each ended, what was lost, how safe it was.

Knows how a call is written.  Keeps no event and no line: calls are written a group at a time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click
import numpy as np

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._show import words
from .._show.null import Mask, absent
from ..audit import audit
from ..capture import Summary
from ..engine import Rows
from ..wire.calls import CALLS
from ..wire.model import Column
from ..wire.status import CallEnd, CallKind
from .common import Damage, aligned, files_and_options, sources, wants_progress

__all__ = ["calls"]

_BATCH_BYTES = 16 << 20


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines with every column.")
@click.option("--audit", "audited", is_flag=True, help="Name each call that is weak, and what proves it.")
@click.option("--identities", is_flag=True, help="Say by which names the sides made themselves known.")
@files_and_options
def calls(files: tuple[str, ...], reading: ReadOptions, as_json: bool, audited: bool, identities: bool) -> int:
    """Show the calls of the FILEs: who called whom, how long, what was lost, why it ended, how it was secured.

    Two numbers with a plus sign are what the PNS sent and what the PAC sent.  A dash is what was not seen.
    """
    damage = Damage()
    table = _Table(_TITLES + (("names",) if identities else ()), right=[0, 2])
    findings = _Table(_FINDING_TITLES, right=[0])
    summary: Summary | None = None
    for batch in batches(
        sources(files),
        batch_bytes=_BATCH_BYTES,
        tables=("calls", "issues"),
        options=Options.of(reading),
        identities=identities,
        progress=wants_progress(while_printing=False),
    ):
        damage.note(batch)
        summary = batch.summary
        rows, first = batch["calls"], batch.first_row["calls"]
        if as_json:
            lines = _documents(rows, first, audited)
        elif audited:
            lines = findings.lines(_findings(rows, first))
        else:
            lines = table.lines(_cells(rows, first, identities))
        for line in lines:
            sys.stdout.write(line + "\n")
    assert summary is not None
    if not as_json and findings.is_empty and table.is_empty:
        sys.stdout.write("no findings\n" if audited else "no calls\n")
    return damage.finish(summary)


_TITLES = (
    *("call", "start (UTC)", "lasted", "PNS", "PAC", "ids", "kind", "end", "packets", "lost", "round trip"),
    *("authentication", "encryption"),
)
_FINDING_TITLES = ("call", "PNS", "PAC", "finding", "what it means", "seen")


class _Table:
    """Aligned lines below titles; each group of rows is at least as wide as those before."""

    def __init__(self, titles: Sequence[str], right: Sequence[int]) -> None:
        self.is_empty = True
        self._titles = titles
        self._right = right
        self._widths = [0] * len(titles)

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        if not rows:
            return
        shown = [self._titles, *rows] if self.is_empty else rows
        self.is_empty = False
        self._widths = [max(width, *map(len, cells)) for width, *cells in zip(self._widths, *shown, strict=True)]
        yield from aligned([[" " * width for width in self._widths], *shown], right=self._right, indent="")[1:]


def _cells(rows: Rows, first: int, identities: bool) -> list[list[str]]:
    table = []
    missing = absent("calls", rows)
    starts = words.instants(rows["start_time"], nanoseconds=False)
    for index, (start, row) in enumerate(zip(starts, rows, strict=True)):
        cells = [
            str(first + index),
            start,
            _lasted(row["start_time"], row["last_time"]),
            words.address(row["pns_address"]),
            words.address(row["pac_address"]),
            " + ".join(_shown(row, f"{side}_call_id", missing, index) for side in ("pns", "pac")),
            CallKind(int(row["kind"])).name.lower(),
            _end(row),
            " + ".join(f"{int(row[f'{side}_packets']):,}" for side in ("pns", "pac")),
            " + ".join(f"{int(row[f'{side}_lost']):,}" for side in ("pns", "pac")),
            " + ".join(_milliseconds(row, side) for side in ("pns", "pac")),
            words.authentication(int(row["authentication"]), int(row["authenticated"])),
            words.encryption(row),
        ]
        if identities:
            names = [row[f"{side}_name"] for side in ("pns", "pac")]
            cells.append(" + ".join(words.quote(name) for name in names if name))
        table.append(cells)
    return table


def _lasted(start: Any, end: Any) -> str:
    span = end - start
    return "-" if np.isnat(span) else words.duration(int(span.astype(np.int64)))


def _milliseconds(row: Any, side: str) -> str:
    if not row[f"{side}_rtt_samples"]:
        return "-"
    return f"{int(row[f'{side}_rtt_mean_ns']) / 1e6:.1f} ms"


def _shown(row: Any, name: str, missing: dict[str, Mask], index: int) -> str:
    return "-" if missing[name][index] else str(int(row[name]))


def _end(row: Any) -> str:
    end = CallEnd(int(row["end"]))
    side = "PNS" if row["end_from_pns"] else "PAC"
    words = {
        CallEnd.OPEN: "open",
        CallEnd.CALL_CLEAR: "clear by PNS",
        CallEnd.DISCONNECT_NOTIFY: f"disconnect by {side} ({int(row['disconnect_result_code'])})",
        CallEnd.STOP: f"stop by {side}",
        CallEnd.FIN: f"FIN of {side}",
        CallEnd.RST: f"RST of {side}",
        CallEnd.NEW_CONNECTION: "new connection",
        CallEnd.EVICTED: "evicted",
        CallEnd.REFUSED: f"refused by {side} ({int(row['result_code'])})",
        CallEnd.SILENCE: "silence",
    }[end]
    cleared = not np.isnat(row["clear_time"]) and end is not CallEnd.CALL_CLEAR and row["clear_time"] <= row["end_time"]
    return f"{words}, cleared" if cleared else words


def _findings(rows: Rows, first: int) -> list[tuple[str, ...]]:
    table = []
    for finding in audit(rows, first):
        row = rows[finding.call - first]
        ends = (words.address(row[f"{side}_address"]) for side in ("pns", "pac"))
        table.append((str(finding.call), *ends, finding.weakness.name, finding.weakness.value, finding.evidence))
    return table


def _documents(rows: Rows, first: int, audited: bool) -> Iterator[str]:
    findings: dict[int, list[dict[str, str]]] = {}
    for finding in audit(rows, first) if audited else ():
        told = {"weakness": finding.weakness.name, "meaning": finding.weakness.value, "seen": finding.evidence}
        findings.setdefault(finding.call, []).append(told)
    missing = absent("calls", rows)
    for index, row in enumerate(rows):
        document: dict[str, Any] = {"call": first + index}
        for column in CALLS.columns:
            none = column.name in missing and missing[column.name][index]
            document[column.name] = None if none else _value(row[column.name], column)
        if audited:
            document["findings"] = findings.get(first + index, [])
        yield json.dumps(document)


def _value(content: Any, column: Column) -> Any:
    """What a column says."""
    if isinstance(content, np.datetime64):
        return None if np.isnat(content) else words.instant(content).replace(" ", "T") + "Z"
    if isinstance(content, bytes):
        return words.escape_octets(content)
    if isinstance(content, np.ndarray):
        return words.address(content)
    if isinstance(content, np.bool_):
        return bool(content)
    names = column.names
    return words.code(int(content), names) if isinstance(names, type) else int(content)

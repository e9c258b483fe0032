"""``pptpcap calls``: lists calls with their parties, duration, loss, how far they came, why they ended, and security.

Knows how a call is printed.  Prints calls in groups, and keeps no event rows.
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
from ..capture import Summary
from ..engine import Rows
from ..wire.calls import CALLS
from ..wire.model import Column
from ..wire.status import CallEnd, CallKind, CallPhase, CallReason, CallStatus, Side
from .common import Damage, aligned, files_and_options, sources, wants_progress
from .findings import print_findings

__all__ = ["calls"]

_BATCH_BYTES = 16 << 20


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines with every column.")
@click.option(
    "--audit", "audited", is_flag=True, help="List the weaknesses of each call: severity, evidence, what to do, totals."
)
@click.option("--identities", is_flag=True, help="Include the user names of both sides.")
@files_and_options
def calls(files: tuple[str, ...], reading: ReadOptions, as_json: bool, audited: bool, identities: bool) -> int:
    """List the calls of the FILEs: parties, duration, how far they came, why they ended, loss and security.

    Two numbers with a plus sign are those of the PNS and of the PAC.  A dash stands for a value that was not seen.
    """
    if audited:
        return print_findings(files, reading, _documents if as_json else None, identities=identities)
    damage = Damage()
    table = _Table(_TITLES + (("names",) if identities else ()), right=[0, 2])
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
        lines: Iterator[str]
        if as_json:
            lines = map(json.dumps, _documents(rows, first))
        else:
            lines = table.lines(_cells(rows, first, identities))
        for line in lines:
            sys.stdout.write(line + "\n")
    assert summary is not None
    if not as_json and table.is_empty:
        sys.stdout.write("no calls\n")
    return damage.finish(summary)


_TITLES = (
    *("call", "start (UTC)", "lasted", "PNS", "PAC", "ids", "kind", "reached", "ended", "packets", "lost"),
    *("ack delay", "authentication", "encryption"),
)


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
            _reached(row),
            _ended(row),
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
    if not row[f"{side}_ack_delay_samples"]:
        return "-"
    return f"{int(row[f'{side}_ack_delay_mean_ns']) / 1e6:.1f} ms"


def _shown(row: Any, name: str, missing: dict[str, Mask], index: int) -> str:
    return "-" if missing[name][index] else str(int(row[name]))


def _reached(row: Any) -> str:
    """How far a call came."""
    return {
        CallPhase.NONE: "-",
        CallPhase.REQUESTED: "request",
        CallPhase.CONNECTED: "connected",
        CallPhase.LINK: "link",
        CallPhase.AUTHENTICATED: "authenticated",
        CallPhase.NETWORK: "network",
    }[CallPhase(int(row["phase"]))]


def _ended(row: Any) -> str:
    """Why a call ended, and which side acted first."""
    reason = CallReason(int(row["reason"]))
    if reason is CallReason.OPEN:
        return "open"
    by = Side(int(row["ended_by"]))
    why = {
        CallReason.REFUSED: f"refused ({int(row['result_code'])})",
        CallReason.NO_REPLY: "no reply",
        CallReason.ONE_WAY: f"no PPP from the {'PAC' if row['pns_packets'] else 'PNS'}",
        CallReason.LINK_NOT_AGREED: "LCP not agreed",
        CallReason.AUTHENTICATION_NOT_AGREED: "authentication not agreed",
        CallReason.AUTHENTICATION_FAILED: f"login failed{_login_error(row)}",
        CallReason.NETWORK_NOT_AGREED: "no network protocol",
        CallReason.PEER_SILENT: f"{'PAC' if by is Side.PNS else 'PNS'} silent",
        CallReason.TERMINATED: "terminated",
        CallReason.DISCONNECTED: f"disconnected ({int(row['disconnect_result_code'])})",
        CallReason.CLEARED: "stopped" if row["end"] == CallEnd.STOP else "cleared",
        CallReason.CONNECTION_LOST: f"lost, {_LOST.get(CallEnd(int(row['end'])), 'end')}",
        CallReason.SILENCE: "silence",
    }[reason]
    if by is Side.NONE:
        return why
    verb = " by" if reason in _ACTS else ", ended by"
    return f"{why}{verb} {by.name}{' (assumed)' if row['status'] & CallStatus.ROLES_ASSUMED else ''}"


# Reasons that are acts of a side.
_ACTS = frozenset(
    (CallReason.REFUSED, CallReason.TERMINATED, CallReason.DISCONNECTED, CallReason.CLEARED, CallReason.CONNECTION_LOST)
)
_LOST = {
    CallEnd.FIN: "FIN",
    CallEnd.RST: "RST",
    CallEnd.NEW_CONNECTION: "new connection",
    CallEnd.EVICTED: "evicted",
}


def _login_error(row: Any) -> str:
    error = int(row["pns_authentication_error"]) or int(row["pac_authentication_error"])
    return f" ({error})" if error else ""


def _documents(rows: Rows, first: int) -> Iterator[dict[str, Any]]:
    missing = absent("calls", rows)
    for index, row in enumerate(rows):
        document: dict[str, Any] = {"call": first + index}
        for column in CALLS.columns:
            none = column.name in missing and missing[column.name][index]
            document[column.name] = None if none else _value(row[column.name], column)
        yield document


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

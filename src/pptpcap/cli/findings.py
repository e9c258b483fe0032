"""``pptpcap calls --audit``: prints findings with their evidence, what to do, and totals.

Knows how a finding is printed.  Keeps no event rows.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._show import stories, words
from ..audit import Audit, Finding, Weakness
from ..capture import Summary
from ..engine import Rows
from .columns import aligned
from .common import Damage, wants_progress
from .inputs import sources
from .row_lines import row_lines

__all__ = ["print_findings"]

_BATCH_BYTES = 16 << 20
_COLUMNS = {
    "gre": ("packet", "tunnel", "flags_and_version", "ppp_protocol", "status"),
    "ppp": ("packet", "tunnel", "protocol", "code", "status"),
}
_TITLES = ("call", "PNS", "PAC", "severity", "finding", "seen", "packets")
_WIDTH = 100


def print_findings(files: tuple[str, ...], reading: ReadOptions, *, as_json: bool, identities: bool) -> int:
    """Print the findings of all calls: as JSON behind the columns of each call, or as tables."""
    damage, auditor, titles = Damage(), Audit(), [_TITLES]
    summary: Summary | None = None
    for batch in batches(
        sources(files),
        batch_bytes=_BATCH_BYTES,
        tables=("calls", "issues", *_COLUMNS),
        columns=_COLUMNS,
        options=Options.of(reading),
        identities=identities,
        progress=wants_progress(while_printing=False),
    ):
        damage.note(batch)
        summary = batch.summary
        rows, first = batch["calls"], batch.first_row["calls"]
        findings = auditor.take(batch, first)
        if as_json:
            lines = _json(rows, first, findings)
        else:
            cells = _cells(rows, first, findings)
            lines = iter(aligned([*titles, *cells], right=[0], indent="") if cells else ())
            titles = [] if cells else titles
        for line in lines:
            sys.stdout.write(line + "\n")
    assert summary is not None
    lines = iter([json.dumps(_last_document(auditor))]) if as_json else _text(auditor)
    for line in lines:
        sys.stdout.write(line + "\n")
    return damage.finish(summary)


def _cells(rows: Rows, first: int, findings: list[Finding]) -> list[tuple[str, ...]]:
    cells: list[tuple[str, ...]] = []
    for finding in findings:
        weakness, row = finding.weakness, rows[finding.call - first]
        doubt = " (assumed)" if stories.assumed(row) else ""
        ends = (words.address(row[f"{side}_address"]) + doubt for side in ("pns", "pac"))
        numbers = ", ".join(map(str, finding.packets)) or "-"
        cells.append((str(finding.call), *ends, weakness.severity.name, weakness.name, finding.evidence, numbers))
    return cells


def _text(auditor: Audit) -> Iterator[str]:
    """What each kind of finding means, what to do, and how many calls have it."""
    totals = auditor.totals
    for weakness in Weakness:
        concerned = [
            f"Seen: {finding.evidence}, packet {', '.join(map(str, finding.packets))}."
            for finding in auditor.of_capture
            if finding.weakness is weakness
        ]
        if weakness not in totals.weaknesses and not concerned:
            continue
        number = "the whole capture" if concerned else words.times(totals.weaknesses[weakness], "call")
        yield f"\n{weakness.name}, {weakness.severity.name}, {number}"
        for sentence in (f"{weakness.meaning}.", *concerned, f"What to do: {weakness.advice}"):
            yield textwrap.fill(sentence, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    if not totals.calls:
        yield "no calls"
        return
    worst = ", ".join(f"{count:,} {severity.name}" for severity, count in totals.severities.items())
    yield (
        f"\n{words.times(totals.calls, 'call')}: {totals.with_findings:,} with findings"
        f"{f' ({worst})' if worst else ''}, {totals.without_findings:,} without, {totals.nothing_seen:,} of which "
        "too little was seen"
    )


def _json(rows: Rows, first: int, findings: list[Finding]) -> Iterator[str]:
    """Each call with its findings."""
    of_call: dict[int, list[dict[str, Any]]] = {}
    for finding in findings:
        of_call.setdefault(finding.call, []).append(_document(finding))
    for number, line in enumerate(row_lines("calls", rows, range(first, first + len(rows))), first):
        yield f'{line[:-1]}, "findings": {json.dumps(of_call.get(number, []))}}}'


def _document(finding: Finding) -> dict[str, Any]:
    weakness = finding.weakness
    return {
        "weakness": weakness.name,
        "severity": weakness.severity.name,
        "meaning": weakness.meaning,
        "advice": weakness.advice,
        "seen": finding.evidence,
        "packets": list(finding.packets),
    }


def _last_document(auditor: Audit) -> dict[str, Any]:
    """Totals, and what concerns the whole capture."""
    totals = auditor.totals
    return {
        "totals": {
            "calls": totals.calls,
            "with_findings": totals.with_findings,
            "without_findings": totals.without_findings,
            "nothing_seen": totals.nothing_seen,
            "severities": {severity.name: count for severity, count in totals.severities.items()},
            "weaknesses": {weakness.name: count for weakness, count in totals.weaknesses.items()},
        },
        "findings": [_document(finding) for finding in auditor.of_capture],
    }

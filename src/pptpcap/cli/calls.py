"""``pptpcap calls``: lists calls with their parties, duration, loss, how far they came, why they ended, and security.

Knows how a call is printed.  Prints calls in groups, and keeps no event rows.
"""

from __future__ import annotations

import sys

import click
import numpy as np

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._reading.conditions import Condition, fulfilling_all
from ..capture import Summary
from .call_table import CallTable, Fitted, line_width
from .common import Damage, copies_told, wants_progress
from .findings import print_findings
from .inputs import sources
from .row_lines import row_lines

__all__ = ["calls"]

_BATCH_BYTES = 16 << 20


def calls(
    files: tuple[str, ...],
    reading: ReadOptions,
    as_json: bool,
    audited: bool,
    identities: bool,
    conditions: tuple[Condition, ...],
) -> int:
    """Print the calls that fulfil all conditions, or the findings of the audit."""
    if audited and conditions:
        raise click.UsageError("--audit tells of all calls, and can be combined with no choice of some.")
    if audited:
        return print_findings(files, reading, as_json=as_json, identities=identities)
    damage = Damage()
    width = line_width()
    table = CallTable(identities=identities) if width is None else Fitted(width, identities=identities)
    summary: Summary | None = None
    options = Options.of(reading)
    for batch in batches(
        sources(files),
        batch_bytes=_BATCH_BYTES,
        tables=("calls", "issues"),
        options=options,
        identities=identities,
        progress=wants_progress(while_printing=False),
    ):
        damage.note(batch)
        summary = batch.summary
        places = np.flatnonzero(fulfilling_all(conditions, "calls", batch))
        rows, numbers = batch["calls"][places], (batch.first_row["calls"] + places).tolist()
        for line in row_lines("calls", rows, numbers) if as_json else table.of(rows, numbers):
            sys.stdout.write(line + "\n")
    assert summary is not None
    if not as_json:
        for line in copies_told(summary, drops=options.drops_copies):
            sys.stdout.write(line.strip() + "\n")
    if not as_json and table.is_empty:
        sys.stdout.write("no calls\n")
    for note in table.notes():
        sys.stdout.write(note + "\n")
    return damage.finish(summary)

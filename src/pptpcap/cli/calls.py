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
from .common import Damage, choosing, copies_told, files_and_options, sources, wants_progress
from .findings import print_findings
from .row_lines import row_lines

__all__ = ["calls"]

_BATCH_BYTES = 16 << 20


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines with every column.")
@click.option(
    "--audit", "audited", is_flag=True, help="List the weaknesses of each call: severity, evidence, what to do, totals."
)
@click.option("--identities", is_flag=True, help="Include the user names of both sides.")
@choosing("calls")
@files_and_options
def calls(
    files: tuple[str, ...],
    reading: ReadOptions,
    as_json: bool,
    audited: bool,
    identities: bool,
    conditions: tuple[Condition, ...],
) -> int:
    """List the calls of the FILEs: parties, duration, how far they came, why they ended, loss and security.

    Two numbers with a plus sign are those of the PNS and of the PAC.  A dash stands for a value that was not seen.
    "missing" is what of a call the capture does not have; PNS or PAC alone stands for that whole side.  It also says
    that another call has the same id, and that PNS and PAC are assumed.  "ack delay" is the mean over the packets whose
    acknowledgment was timed.  A call lasts from its first packet to what ended it on the control connection, or to its
    last packet.  Durations are rounded.

    On a terminal, columns that have no room in a line are left out, and long addresses are cut on the left.  Any other
    output has all columns, unless the environment has COLUMNS.
    """
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

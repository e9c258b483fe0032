"""``pptpcap calls``: lists calls with their parties, duration, loss, how far they came, why they ended, and security.

Knows how a call is printed.  Prints calls in groups, unless they are to be in order, and keeps no event rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
import numpy as np

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._reading.conditions import Condition, fulfilling_all
from ..capture import Summary
from ..engine import Rows
from .call_table import CallTable, Fitted, line_width
from .cells import Values
from .common import Damage, copies_told, wants_progress
from .findings import print_findings
from .inputs import sources
from .names import CALLS
from .order import in_order
from .printing import Printed
from .row_lines import row_cells

__all__ = ["calls"]

_BATCH_BYTES = 16 << 20


def calls(
    files: tuple[str, ...],
    reading: ReadOptions,
    form: str,
    columns: tuple[str, ...],
    by: str | None,
    limit: int,
    audited: bool,
    identities: bool,
    conditions: tuple[Condition, ...],
) -> int:
    """Print the calls that fulfil all conditions, or the findings of the audit."""
    if audited and conditions:
        raise click.UsageError("--audit tells of all calls, and can be combined with no choice of some.")
    if audited and (columns or by or limit or form == "tsv"):
        raise click.UsageError("--audit has lines of its own: no --columns, --order-by, --limit or --format tsv.")
    if audited:
        return print_findings(files, reading, as_json=form == "json", identities=identities)
    damage = Damage()
    shown = _Shown(form, columns, limit, identities=identities)
    kept: list[tuple[Rows, Values]] = []
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
        rows, numbers = batch["calls"][places], batch.first_row["calls"] + places
        if by is None:
            shown.show(rows, numbers)
        else:
            kept.append((rows, numbers))
    assert summary is not None
    if by is not None:
        rows, numbers = (np.concatenate(parts) for parts in zip(*kept, strict=True))
        places = in_order("calls", rows, by)
        shown.show(rows[places], numbers[places])
    if form == "table":
        copies = [line.strip() for line in copies_told(summary, drops=options.drops_copies)]
        sys.stdout.writelines(line + "\n" for line in (*copies, *shown.notes()))
    return damage.finish(summary)


class _Shown:
    """The calls on standard output: chosen columns, every column, or what there is for people."""

    def __init__(self, form: str, names: tuple[str, ...], limit: int, *, identities: bool) -> None:
        self._limit = limit or sys.maxsize
        self._count = 0
        self._names = names or CALLS
        self._printed = Printed(form, self._names) if names or form != "table" else None
        width = line_width()
        self._table = CallTable(identities=identities) if width is None else Fitted(width, identities=identities)

    def show(self, rows: Rows, numbers: Values) -> None:
        """Print the next calls, as long as there are not enough."""
        left = max(0, self._limit - self._count)
        self._count += len(rows)
        rows, numbers = rows[:left], numbers[:left]
        if self._printed is not None:
            self._printed.lines(self._printed.lines_of(row_cells("calls", rows, numbers, self._names), len(rows)))
        else:
            sys.stdout.writelines(line + "\n" for line in self._table.of(rows, numbers.tolist()))

    def notes(self) -> Iterator[str]:
        """Lines for people below the calls."""
        if not self._count:
            yield "no calls"
        if self._count > self._limit:
            yield f"... and {self._count - self._limit:,} more (--limit 0 shows all)"
        yield from self._table.notes()

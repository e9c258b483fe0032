"""Shared by the commands that read captures: reports of damage and of copies, progress, octets on standard output.

Must not know options, or any table but ``issues``.
"""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

import click
import numpy as np

from .._show.words import issue_place
from ..capture import Capture, Summary
from ..wire.status import Kind
from .exits import DAMAGED, FINE, complain

__all__ = ["Damage", "copies_told", "standard_output", "wants_progress"]

# Issues that tell where a file is damaged.
_DAMAGES = (
    Kind.TRUNCATED_RECORD,
    Kind.CORRUPT_RECORD,
    Kind.CORRUPT_BLOCK,
    Kind.CORRUPT_COMPRESSION,
    Kind.SKIPPED_OCTETS,
    Kind.ZEROS,
    Kind.MISSING_RECORDS,
)
# Issues of a set of files, which a person is to know of whatever is shown.
_SETS = (Kind.NO_PACKETS, Kind.FILES_OUT_OF_ORDER, Kind.BEGUN_ANEW)
# Places that are named: salvage may find any number.
_MOST_PLACES = 100


def standard_output() -> BinaryIO:
    """Standard output for octets; a usage error where it is a terminal."""
    if sys.stdout.isatty():
        raise click.UsageError("Standard output is a terminal; send it to a file or a program.")
    return sys.stdout.buffer


def wants_progress(*, while_printing: bool) -> bool:
    """Whether standard error is a terminal on which a progress bar disturbs no output."""
    return sys.stderr is not None and sys.stderr.isatty() and not (while_printing and sys.stdout.isatty())


def copies_told(summary: Summary, *, drops: bool) -> list[str]:
    """What a person is to know of packets that a capture holds more than once: lines, none where there are none."""
    if not summary.copies:
        return []
    packets = "1 packet is a copy" if summary.copies == 1 else f"{summary.copies:,} packets are copies"
    effect = "they were left out" if drops else "--drop-duplicates leaves them out"
    return [f"  {packets} of others (mirror port, any, merged captures): {effect}"]


class Damage:
    """Collects the places where files are cut or corrupt, and what is wrong with the set of files."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.more = 0

    def note(self, batch: Capture) -> None:
        """Collect from the issues of one batch."""
        issues = batch["issues"]
        if not len(issues):
            # The first call of isin imports much of NumPy.
            return
        rows = issues[np.isin(issues["kind"], _DAMAGES + _SETS)]
        named = rows[: _MOST_PLACES - len(self.rows)]
        self.rows += [row.copy() for row in named]
        self.more += len(rows) - len(named)

    def finish(self, summary: Summary) -> int:
        """Report the places; return the exit code."""
        self.tell(summary)
        return DAMAGED if summary.damaged else FINE

    def tell(self, summary: Summary) -> None:
        """Report the places so far."""
        paths = [file.path for file in summary.files]
        for row in self.rows:
            what = "damaged: " if row["kind"] in _DAMAGES else ""
            complain(f"{paths[row['file']]}: {what}{issue_place(row, paths)}")
        if self.more:
            complain(f"and {self.more:,} more such places")
        self.rows.clear()
        self.more = 0

"""``pptpcap messages``: prints one line per control message, as text or as JSON.

Knows how a message is printed.  Streams, so memory does not grow with the capture.
"""

from __future__ import annotations

import sys
from contextlib import closing

import click
import numpy as np

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._reading.conditions import Condition, fulfilling_all
from ..capture import Summary
from ..wire.control import MESSAGES
from .common import Damage, wants_progress
from .inputs import sources
from .message_cells import message_lines
from .message_lines import MessageLines
from .names import MESSAGES_COMMON
from .printing import Printed

__all__ = ["messages"]

_TABLES = ("messages", *(message.name for message in MESSAGES), "issues")
_BATCH_BYTES = 16 << 20


def messages(
    files: tuple[str, ...],
    reading: ReadOptions,
    form: str,
    columns: tuple[str, ...],
    limit: int,
    follow: bool,
    conditions: tuple[Condition, ...],
) -> int:
    """Print the messages that fulfil all conditions."""
    if follow and (len(files) != 1 or files[0] == "-" or reading["order"] == "time"):
        raise click.UsageError("--follow needs one FILE, which is a path or a quoted pattern, and no --sort.")
    summary: Summary | None = None
    damage, lines = Damage(), MessageLines(as_json=form == "json")
    names = columns or MESSAGES_COMMON
    printed = Printed(form, names) if columns or form == "tsv" else None
    left = limit or sys.maxsize
    found = batches(
        files[0] if follow else sources(files),
        batch_bytes=_BATCH_BYTES,
        ends=True,
        live=True,
        follow=follow,
        tables=_TABLES,
        options=Options.of(reading),
        progress=wants_progress(while_printing=True),
    )
    with closing(found):
        for batch in found:
            summary = batch.summary
            damage.note(batch)
            places = np.flatnonzero(fulfilling_all(conditions, "messages", batch))[:left]
            left -= len(places)
            if printed is not None:
                printed.lines(message_lines(batch, places, names, printed.lines_of))
            else:
                sys.stdout.writelines(lines.of(batch, places))
            sys.stdout.flush()
            if follow:
                damage.tell(summary)
            if not left:
                break
    assert summary is not None
    return damage.finish(summary)

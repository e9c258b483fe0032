"""``pptpcap messages``: prints one line per control message, as text or as JSON.

Knows how a message is printed.  Streams, so memory does not grow with the capture.
"""

from __future__ import annotations

import sys

import click
import numpy as np

from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._reading.conditions import Condition, fulfilling_all
from ..capture import Summary
from ..wire.control import MESSAGES
from .common import Damage, wants_progress
from .inputs import sources
from .message_lines import MessageLines

__all__ = ["messages"]

_TABLES = ("messages", *(message.name for message in MESSAGES), "issues")
_BATCH_BYTES = 16 << 20


def messages(
    files: tuple[str, ...], reading: ReadOptions, as_json: bool, follow: bool, conditions: tuple[Condition, ...]
) -> int:
    """Print the messages that fulfil all conditions."""
    if follow and (len(files) != 1 or files[0] == "-" or reading["order"] == "time"):
        raise click.UsageError("--follow needs one FILE, which is a path or a quoted pattern, and no --sort.")
    summary: Summary | None = None
    damage, lines = Damage(), MessageLines(as_json=as_json)
    for batch in batches(
        files[0] if follow else sources(files),
        batch_bytes=_BATCH_BYTES,
        ends=True,
        live=True,
        follow=follow,
        tables=_TABLES,
        options=Options.of(reading),
        progress=wants_progress(while_printing=True),
    ):
        summary = batch.summary
        damage.note(batch)
        places = np.flatnonzero(fulfilling_all(conditions, "messages", batch))
        sys.stdout.writelines(lines.of(batch, places))
        sys.stdout.flush()
        if follow:
            damage.tell(summary)
    assert summary is not None
    return damage.finish(summary)

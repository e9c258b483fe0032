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
from .common import Damage, choosing, files_and_options, sources, wants_progress
from .message_lines import MessageLines

__all__ = ["messages"]

_TABLES = ("messages", *(message.name for message in MESSAGES), "issues")
_BATCH_BYTES = 16 << 20
_EXAMPLES = """\b
Examples:
  pptpcap messages vpn.pcap
  tcpdump -U -i eth0 -w - | pptpcap messages -
  pptpcap messages --follow 'vpn*.pcap'"""


@click.command(epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines with every field of header and body.")
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    help="Go on as the FILE grows and is rotated, until Ctrl-C; of a quoted pattern, with the next file that appears.",
)
@choosing("messages")
@files_and_options
def messages(
    files: tuple[str, ...], reading: ReadOptions, as_json: bool, follow: bool, conditions: tuple[Condition, ...]
) -> int:
    r"""Print one line per control message of the FILEs.

    Of a pipe, a message is printed within a second of its packet.

    In JSON, a field that is not in the capture is null; text ends at its first zero octet and has \xNN for what is no
    printable ASCII, and where that is not all that the field holds, NAME_hex has its octets.
    """
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

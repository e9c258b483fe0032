"""``pptpcap info``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..options import files_and_options, forms
from ..running import run

__all__ = ["info"]

_EXAMPLE = """\b
Example, the counters, for another program:
  pptpcap info --format tsv vpn.pcap | grep ^counters"""


@click.command(epilog=_EXAMPLE)
@forms("Print one JSON object, on one line: --format json.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Number of connections and tunnels to list; 0 lists all.",
)
@files_and_options
def info(**told: Any) -> int:
    """Summarise the FILEs: format, times, counters, messages by type, connections, tunnels, issues by severity.

    The JSON object has the same, all counters, and every column of the connections and tunnels that are listed.  With
    --format tsv, each value of that object has a line: its place, such as counters.packets, and the value.
    """
    return run("info", **told)

"""``pptpcap info``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..options import files_and_options
from ..running import run

__all__ = ["info"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, on one line.")
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

    The JSON object has the same, all counters, and every column of the connections and tunnels that are listed.
    """
    return run("info", **told)

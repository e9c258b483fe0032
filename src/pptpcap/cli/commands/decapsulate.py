"""``pptpcap decapsulate``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..options import files_and_options
from ..running import run

__all__ = ["decapsulate"]

_EXAMPLE = """\b
Example, what is inside the first call:
  pptpcap decapsulate --call 0 -o inner.pcap vpn.pcap"""


@click.command(epilog=_EXAMPLE)
@click.option(
    "-o", "--output", metavar="OUT.pcap", required=True, type=click.Path(dir_okay=False), help="File to write."
)
@click.option(
    "--call",
    "calls",
    type=click.IntRange(min=0),
    multiple=True,
    help="Only this row of the table calls; may be repeated.",
)
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File whose first line is your password, to decrypt MPPE; - is standard input.",
)
@click.option("--insecure", is_flag=True, help="Accept a password file that others can read.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Number of calls to list; 0 lists all."
)
@files_and_options
def decapsulate(**told: Any) -> int:
    """Write the IP packets inside calls to a pcap file, and report why others are missing."""
    return run("decapsulate", **told)

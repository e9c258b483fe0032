"""``pptpcap report``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..options import files_and_options
from ..running import run

__all__ = ["report"]

_EXAMPLE = """\b
Example, a page for a browser:
  pptpcap report -o vpn.html vpn.pcap"""


@click.command(epilog=_EXAMPLE)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    help="HTML file to write; - is standard output.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing page.")
@click.option("--identities", is_flag=True, help="Include the user names of both sides.")
@files_and_options
def report(**told: Any) -> int:
    """Write a page about the FILEs: calls and their stories, plots, security, control messages, issues.

    It is one HTML file of fewer than 500,000 octets that loads nothing, for a browser, a mail or paper.  Of more than
    40 calls it tells of those that came least far or lost most, and of others as if drawn by lot.  The FILEs are read
    three times.
    """
    return run("report", **told)

"""``pptpcap trace``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..options import choosing, files_and_options
from ..running import run

__all__ = ["trace"]

_EXAMPLE = """\b
Example, why the first call ended:
  pptpcap trace --call 0 vpn.pcap"""


@click.command(epilog=_EXAMPLE)
@choosing(None)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@click.option("--identities", is_flag=True, help="Include the user names of both sides.")
@files_and_options
def trace(**told: Any) -> int:
    """Tell what happened in a call of the FILEs, line by line, and why it ended.

    Calls are told that fulfil all options that choose: all calls without any.  More than 20 are told only if --call
    names them.  The command calls lists their numbers.

    A line has time (UTC), the numbers of the packets that prove it, the side, and what happened.  It tells of control
    messages, of PPP control packets with their options, of the first and the last data, of loss, late packets and
    duplicates, and of echoes and their times.  The last line has the reason.  Below it stands what is wrong with the
    call, if anything is, and what to try; notes say what the capture cannot tell.  The FILEs are read twice, and once
    more if other things than numbers choose calls.
    """
    return run("trace", **told)

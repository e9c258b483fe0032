"""``pptpcap calls``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..names import CALLS
from ..options import Name, choosing, files_and_options, forms
from ..running import run

__all__ = ["calls"]

_EXAMPLE = """\b
Example, the calls that lost most:
  pptpcap calls --columns call,pns_address,pns_lost --order-by -pns_lost --limit 10 vpn.pcap"""


@click.command(epilog=_EXAMPLE)
@forms("Print JSON lines with every column: --format json.")
@click.option(
    "--columns",
    metavar="NAMES",
    type=Name("column", lambda: CALLS, several=True),
    default=(),
    help="Print these columns, with commas between them: call, and those that schema calls lists.",
)
@click.option(
    "--order-by",
    "by",
    metavar="COLUMN",
    type=Name("column", lambda: CALLS, signed=True),
    help="Print the calls in the order of a column; the largest first with - in front of it.",
)
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Number of calls to print; 0 prints all.")
@click.option(
    "--audit", "audited", is_flag=True, help="List the weaknesses of each call: severity, evidence, what to do, totals."
)
@click.option("--identities", is_flag=True, help="Include the user names of both sides.")
@choosing("calls")
@files_and_options
def calls(**told: Any) -> int:
    """List the calls of the FILEs: parties, duration, how far they came, why they ended, loss and security.

    Two numbers with a plus sign are those of the PNS and of the PAC.  A dash stands for a value that was not seen.
    "missing" is what of a call the capture does not have; PNS or PAC alone stands for that whole side.  It also says
    that another call has the same id, and that PNS and PAC are assumed.  "ack delay" is the mean over the packets whose
    acknowledgment was timed.  A call lasts from its first packet to what ended it on the control connection, or to its
    last packet.  Durations are rounded.

    On a terminal, columns that have no room in a line are left out, and long addresses are cut on the left.  Any other
    output has all columns, unless the environment has COLUMNS.
    """
    return run("calls", **told)

"""``pptpcap messages``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..names import MESSAGES_ALL
from ..options import Name, choosing, files_and_options, forms
from ..running import run

__all__ = ["messages"]

_EXAMPLE = """\b
Example, who asked for which call, and when:
  pptpcap messages --message outgoing_call_request --columns time,source_address,call_id vpn.pcap"""


@click.command(epilog=_EXAMPLE)
@forms("Print JSON lines with every field of header and body: --format json.")
@click.option(
    "--columns",
    metavar="NAMES",
    type=Name("column", lambda: MESSAGES_ALL, several=True),
    default=(),
    help="Print these columns, with commas between them: keys of the JSON lines, of any type of message.",
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=0, help="Number of messages to print and then end; 0 prints all."
)
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    help="Go on as the FILE grows and is rotated, until Ctrl-C; of a quoted pattern, with the next file that appears.",
)
@choosing("messages")
@files_and_options
def messages(**told: Any) -> int:
    r"""Print one line per control message of the FILEs.

    Of a pipe, as in "tcpdump -U -w - | pptpcap messages -", a message is printed within a second of its packet.

    In JSON, a field that is not in the capture is null; text ends at its first zero octet and has \xNN for what is no
    printable ASCII, and where that is not all that the field holds, NAME_hex has its octets.
    """
    return run("messages", **told)

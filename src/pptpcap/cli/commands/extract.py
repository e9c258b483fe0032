"""``pptpcap extract``: its options and its help."""

from __future__ import annotations

import re
import sys
from typing import Any

import click

from ..._show.escaping import escape
from ...wire.status import Kind
from ..options import choosing, files_and_options
from ..running import run

__all__ = ["extract"]

_EXAMPLE = """\b
Example, all packets of the first call:
  pptpcap extract --call 0 -o call.pcapng vpn.pcap"""


def _packets(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[range]:  # noqa: ARG001
    """Numbers and ranges, both ends of which belong to them.  It raises BadParameter."""
    ranges = []
    for part in ",".join(values).split(",") if values else ():
        match = re.fullmatch(r"(\d{1,18})(-(\d{1,18})?)?", part, re.ASCII)
        first = int(match[1]) if match else 0
        last = sys.maxsize - 1 if match and match[2] == "-" else int(match[3] or first) if match else 0
        if not 1 <= first <= last:
            raise click.BadParameter(f"{escape(part)!r} is no packet or range of packets such as 5, 7-9 or 20-.")
        ranges.append(range(first, last + 1))
    return ranges


def _kinds(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [kind.name for kind in Kind if kind.name.startswith(incomplete.upper())]


@click.command(epilog=_EXAMPLE)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File to write: pcap if its name ends in .pcap, else pcapng; - is standard output.",
)
@choosing(None)
@click.option(
    "--issue",
    "issues",
    metavar="KIND",
    multiple=True,
    shell_complete=_kinds,
    help="Only packets with this issue; may be repeated.",
)
@click.option(
    "--packets",
    metavar="NUMBERS",
    multiple=True,
    callback=_packets,
    help="Only packets of these numbers, such as 5,7-9,20-; may be repeated.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@files_and_options
def extract(**told: Any) -> int:
    """Write packets of the FILEs to a capture file as they stand there, octet for octet.

    A packet is written if it fulfils all options that choose, and with it all fragments of its datagram.  Without any,
    every packet of a control connection or a tunnel is written.  To a call belong its control connection and its
    tunnels.  The FILEs are read two or three times.
    """
    return run("extract", **told)

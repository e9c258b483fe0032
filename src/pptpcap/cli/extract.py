"""``pptpcap extract``: writes the packets of chosen calls, connections, addresses, times or issues to a capture file.

Knows options and messages.  The package ``_extract`` does the work.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from .._extract import extract as extract_packets
from .._input.options import ReadOptions
from .._show.words import escape
from ..errors import CaptureError
from .common import Damage, standard_output, wants_progress
from .inputs import sources

__all__ = ["extract"]


def extract(
    files: tuple[str, ...],
    output: str,
    named: dict[str, Any],
    issues: tuple[str, ...],
    packets: list[range],
    overwrite: bool,
    reading: ReadOptions,
) -> int:
    """Write the packets, and print how many they are."""
    if "-" in files:
        raise click.UsageError(
            "The FILEs are read several times, and standard input can be read only once; write it to a file first."
        )
    damage = Damage()
    try:
        done = extract_packets(
            sources(files),
            standard_output() if output == "-" else output,
            **named,
            issue=list(issues) or None,
            packets=packets or None,
            overwrite=overwrite,
            progress=wants_progress(while_printing=False),
            watch=damage.note,
            **reading,
        )
    except CaptureError:
        raise
    except (IndexError, ValueError) as error:
        raise click.UsageError(escape(str(error))) from None
    print(f"{done.packets:,} of {done.summary.packets:,} packets", file=sys.stderr if output == "-" else sys.stdout)
    return damage.finish(done.summary)

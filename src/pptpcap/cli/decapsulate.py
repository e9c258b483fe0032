"""``pptpcap decapsulate``: writes the IP packets inside calls to a pcap file, and reports why others are missing.

Knows options and messages.  The package ``decapsulate`` does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import click

from .._input.opening import items
from .._input.options import ReadOptions
from .._show.words import escape
from ..decapsulate import Decapsulated, Outcome
from ..decapsulate import decapsulate as decapsulate_calls
from ..errors import CaptureError
from .columns import aligned
from .common import Damage, wants_progress
from .inputs import sources
from .password import read_password

__all__ = ["decapsulate"]


def decapsulate(
    files: tuple[str, ...],
    output: str,
    calls: tuple[int, ...],
    password_file: str | None,
    insecure: bool,
    overwrite: bool,
    limit: int,
    reading: ReadOptions,
) -> int:
    """Write the packets inside calls, and print what became of all others."""
    if "-" in files:
        raise click.UsageError(
            "The FILEs are read twice, and standard input can be read only once; write it to a file first."
        )
    password = None
    if password_file is not None:
        named = [item for item in items(sources(files)) if isinstance(item, str)]
        password = read_password(password_file, [output, *named], insecure=insecure)
    damage = Damage()
    # There is nothing but to keep them.
    try:
        result = decapsulate_calls(
            sources(files),
            output,
            calls=calls or None,
            password=password,
            overwrite=overwrite,
            progress=wants_progress(while_printing=False),
            watch=damage.note,
            **reading,
        )
    except CaptureError:
        raise
    except (IndexError, ValueError) as error:
        raise click.UsageError(escape(str(error))) from None
    for line in _lines(result, limit):
        print(line)
    return damage.finish(result.summary)


def _lines(result: Decapsulated, limit: int) -> Iterator[str]:
    yield "all calls"
    yield from _counts(result.counts) if result.counts else ["  0  packets with a payload"]
    if len(result.calls) < 2:
        return
    for call in islice(result.calls, limit or None):
        yield from ("", f"call {call}" if call >= 0 else "no call")
        yield from _counts(result.calls[call])
    if 0 < limit < len(result.calls):
        yield from ("", f"... and {len(result.calls) - limit:,} more (--limit 0 shows all)")


def _counts(counts: dict[Outcome, int]) -> list[str]:
    return aligned([(f"{count:,}", outcome.value) for outcome, count in counts.items()], right=[0])

"""``pptpcap report``: writes a page that tells what a capture holds.

Knows options.  The package ``_report`` does the work.
"""

from __future__ import annotations

import click

from .._input.options import ReadOptions
from .._report import report as write_report
from .._show.words import escape
from ..errors import CaptureError
from .common import Damage, standard_output, wants_progress
from .inputs import sources

__all__ = ["report"]


def report(files: tuple[str, ...], reading: ReadOptions, output: str, overwrite: bool, identities: bool) -> int:
    """Write the page."""
    if "-" in files:
        raise click.UsageError(
            "The FILEs are read three times, and standard input can be read only once; write it to a file first."
        )
    damage = Damage()
    try:
        summary = write_report(
            sources(files),
            standard_output() if output == "-" else output,
            identities=identities,
            overwrite=overwrite,
            progress=wants_progress(while_printing=False),
            watch=damage.note,
            **reading,
        )
    except CaptureError:
        raise
    except ValueError as error:
        raise click.UsageError(escape(str(error))) from None
    return damage.finish(summary)

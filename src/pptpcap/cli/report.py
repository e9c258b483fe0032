"""``pptpcap report``: writes a page that tells what a capture holds.

Knows options.  The package ``_report`` does the work.
"""

from __future__ import annotations

import click

from .._input.options import ReadOptions
from .._report import report as write_report
from .._show.words import escape
from ..errors import CaptureError
from .common import Damage, files_and_options, sources, standard_output, wants_progress

__all__ = ["report"]


@click.command()
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
def report(files: tuple[str, ...], reading: ReadOptions, output: str, overwrite: bool, identities: bool) -> int:
    """Write a page about the FILEs: calls and their stories, plots, security, control messages, issues.

    It is one HTML file of fewer than 500,000 octets that loads nothing, for a browser, a mail or paper.  Of more than
    40 calls it tells of those that came least far or lost most, and of others as if drawn by lot.  The FILEs are read
    three times.
    """
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

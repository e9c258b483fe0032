"""``pptpcap convert``: the tables as files, of one capture or of each.

Knows options and lines; what is written is for the package ``export``.  Called by the command group.
"""

from __future__ import annotations

import errno
import os
from typing import Any

import click

from .._input.opening import Item, items
from .._input.options import ReadOptions
from .._show.words import escape
from ..errors import CaptureError
from ..export import FORMATS, Converted, inodes
from ..export import convert as convert_capture
from ..schema import TABLE_NAMES
from .common import DAMAGED, FAILED, FINE, Damage, aligned, complain, files_and_options, sources, wants_progress, words

__all__ = ["convert"]


@click.command()
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    required=True,
    type=click.Path(file_okay=False),
    help="Where to write.",
)
@click.option("--format", type=click.Choice([*FORMATS]), default="parquet", show_default=True, help="Of the files.")
@click.option(
    "--table",
    "tables",
    metavar="TABLE",
    type=click.Choice(TABLE_NAMES),
    multiple=True,
    help="Only this table; may be repeated.",
)
@click.option("--identities", is_flag=True, help="Say by which names the sides of calls made themselves known.")
@click.option("--each", is_flag=True, help="Each FILE is a capture of its own, in a folder of its name inside FOLDER.")
@click.option("--overwrite", is_flag=True, help="Put the files in the place of those of another run.")
@files_and_options
def convert(
    files: tuple[str, ...], folder: str, each: bool, tables: tuple[str, ...], reading: ReadOptions, **options: Any
) -> int:
    """Write the tables of the FILEs to FOLDER, a file each, and capture.json, which says what was done.

    What the same version did before of the same FILEs with the same options is not done again.
    """
    options |= {"tables": tables or None, **reading}
    if not each:
        done, code = _one(sources(files), folder, options)
        print("\n".join(aligned([(f"{count:,}", table) for table, count in done.rows.items()], right=[0])))
        return code
    if "-" in files:
        raise click.UsageError("With --each the FILEs have names, which standard input has not.")
    codes = {FINE}
    several = items(files)
    # The results of one must not replace another that is read later.
    options["spare"] = inodes(several)
    for name, item in _by_name(several).items():
        try:
            codes.add(_one([item], os.path.join(folder, name), options)[1])
        except CaptureError as error:
            complain(str(error))
            codes.add(FAILED)
        except OSError as error:
            # No other would fit either, or nobody listens.
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
                raise
            complain(words(error))
            codes.add(FAILED)
    return max(codes, key=(FINE, DAMAGED, FAILED).index)


def _one(several: list[Item], folder: str, options: dict[str, Any]) -> tuple[Converted, int]:
    """What was done, and the exit code; a line says it."""
    damage = Damage()
    options = options | {"watch": damage.note, "progress": wants_progress(while_printing=False)}
    try:
        done = convert_capture(several, folder, **options)
    except (KeyboardInterrupt, SystemExit) as error:
        # There are some where files were being replaced.
        for note in getattr(error, "__notes__", []):
            complain(f"{folder}: {note}")
        raise
    print(f"{escape(folder)}: {sum(done.rows.values()):,} rows{', converted before' if done.again else ''}")
    if done.summary is not None:
        return done, damage.finish(done.summary)
    if done.damaged:
        complain(f"{folder}: what was converted before is of a damaged capture")
    return done, DAMAGED if done.damaged else FINE


def _by_name(several: list[Item]) -> dict[str, Item]:
    """Files by the names of their folders."""
    named: dict[str, Item] = {}
    for item in several:
        assert isinstance(item, str)
        name = os.path.basename(os.path.normpath(item))
        if name in named:
            raise click.UsageError(
                f"With --each, {escape(str(named[name]))} and {escape(item)} would be in one folder."
            )
        named[name] = item
    return named

"""``pptpcap convert``: writes the tables of one capture, or of each, to files.

Knows options and messages.  The package ``export`` does the work.
"""

from __future__ import annotations

from typing import Any, get_args

import click

from .._input.again import states
from .._input.opening import Item, items
from .._input.options import Options, ReadOptions
from .._reading.api import table_names
from .._reading.known import choices
from .._show.words import escape
from ..export import FORMATS, Converted, Partition
from ..export.conversion import Request, by_name, convert_each, convert_one, inodes
from ..schema import TABLE_NAMES
from .common import (
    DAMAGED,
    FAILED,
    FINE,
    Damage,
    aligned,
    choosing,
    complain,
    files_and_options,
    sources,
    wants_progress,
    words,
)

__all__ = ["convert"]


@click.command()
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    required=True,
    type=click.Path(file_okay=False),
    help="Folder for the files.",
)
@click.option(
    "--format", "form", type=click.Choice([*FORMATS]), default="parquet", show_default=True, help="Format of the files."
)
@click.option(
    "--table",
    "tables",
    metavar="TABLE",
    type=click.Choice(TABLE_NAMES),
    multiple=True,
    help="Write only this table; may be repeated.",
)
@click.option("--only", is_flag=True, help="Remove the tables of earlier conversions that are not written now.")
@click.option("--codes", is_flag=True, help="Write numbers in place of their names.")
@click.option(
    "--community-seed",
    type=click.IntRange(0, 0xFFFF),
    default=0,
    show_default=True,
    help="Seed of the Community IDs of connections and tunnels.",
)
@click.option(
    "--partition",
    type=click.Choice(get_args(Partition)),
    help="Write the rows of events to a file for each day or hour (UTC), in a folder for each table.",
)
@click.option("--identities", is_flag=True, help="Include the user names of both sides of calls.")
@click.option(
    "--each",
    is_flag=True,
    help="Convert each FILE alone, into a folder of its name inside FOLDER; equal names get folders in front.",
)
@choosing(None)
@click.option("--overwrite", is_flag=True, help="Replace tables of another conversion.")
@click.option("--quiet", is_flag=True, help="Print nothing but what is wrong.")
@files_and_options
def convert(
    files: tuple[str, ...],
    folder: str,
    each: bool,
    quiet: bool,
    tables: tuple[str, ...],
    reading: ReadOptions,
    named: dict[str, Any],
    **options: Any,
) -> int:
    """Write each table of the FILEs to a file in FOLDER, and a summary to capture.json.

    Tables that the same version wrote before, of the same FILEs and with the same options, are not written again.  Of
    each table those rows are written that fulfil all options that choose.  A table whose rows cannot fulfil one is left
    out, such as connections of --call.
    """
    damage = Damage()
    several = items(sources(files))
    try:
        chosen = choices(table_names(tables or None), named, named=bool(tables))
        if any(one.entity for some in chosen.values() for one in some):
            states(several, "convert with conditions")
    except ValueError as error:
        raise click.UsageError(escape(str(error))) from None
    request = Request(
        tables=tuple(chosen),
        where=named,
        choices=chosen if named else {},
        options=Options.of(reading),
        progress=wants_progress(while_printing=False) and not quiet,
        watch=lambda batch: damage.note(batch),
        **options,
    )
    codes = {FINE}
    try:
        if not each:
            done = convert_one(request, several, folder, inodes(several))
            _tell(done, quiet)
            for line in aligned([(f"{count:,}", table) for table, count in done.rows.items()], right=[0]):
                _say(line, quiet)
            return _finish(done, damage)
        for outcome in convert_each(request, _named(several), folder):
            if isinstance(outcome, Converted):
                _tell(outcome, quiet)
                codes.add(_finish(outcome, damage))
            else:
                complain(words(outcome) if isinstance(outcome, OSError) else str(outcome))
                codes.add(FAILED)
            damage = Damage()
    except (KeyboardInterrupt, SystemExit) as error:
        # There are some where files were being replaced.
        for note in getattr(error, "__notes__", []):
            complain(note)
        raise
    return max(codes, key=(FINE, DAMAGED, FAILED).index)


def _named(several: list[Item]) -> dict[str, Item]:
    try:
        return by_name(several)
    except ValueError as error:
        raise click.UsageError(f"--each: {error}.") from None


def _tell(done: Converted, quiet: bool) -> None:
    how = ", converted before" if done.again else ", begun anew after an interrupted conversion" if done.anew else ""
    _say(f"{escape(done.folder)}: {sum(done.rows.values()):,} rows{how}", quiet)


def _say(line: str, quiet: bool) -> None:
    if not quiet:
        print(line)


def _finish(done: Converted, damage: Damage) -> int:
    """Report the damage; return the exit code."""
    if done.summary is not None:
        return damage.finish(done.summary)
    if done.damaged:
        complain(f"{done.folder}: converted before, from a damaged capture")
    return DAMAGED if done.damaged else FINE

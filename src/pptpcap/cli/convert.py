"""``pptpcap convert``: writes the tables of one capture, or of each, to files.

Knows options and messages.  The package ``export`` does the work.
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
    help="Folder for the files.",
)
@click.option(
    "--format", type=click.Choice([*FORMATS]), default="parquet", show_default=True, help="Format of the files."
)
@click.option(
    "--table",
    "tables",
    metavar="TABLE",
    type=click.Choice(TABLE_NAMES),
    multiple=True,
    help="Write only this table; may be repeated.",
)
@click.option("--identities", is_flag=True, help="Include the user names of both sides of calls.")
@click.option(
    "--each",
    is_flag=True,
    help="Convert each FILE alone, into a folder of its name inside FOLDER; equal names get folders in front.",
)
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier conversion.")
@files_and_options
def convert(
    files: tuple[str, ...], folder: str, each: bool, tables: tuple[str, ...], reading: ReadOptions, **options: Any
) -> int:
    """Write each table of the FILEs to a file in FOLDER, and a summary to capture.json.

    What the same version did before of the same FILEs with the same options is not done again.
    """
    options |= {"tables": tables or None, **reading}
    if not each:
        done, code = _one(sources(files), folder, options)
        print("\n".join(aligned([(f"{count:,}", table) for table, count in done.rows.items()], right=[0])))
        return code
    if "-" in files:
        raise click.UsageError("--each needs FILEs with names; standard input has none.")
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
    """Convert, print a line, and return the result with its exit code."""
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
        complain(f"{folder}: converted before, from a damaged capture")
    return done, DAMAGED if done.damaged else FINE


def _by_name(several: list[Item]) -> dict[str, Item]:
    """Files by the names of their folders: their own, with the folders in front that tell equal names apart."""
    groups: dict[str, dict[str, Item]] = {}
    for item in several:
        assert isinstance(item, str)
        path = os.path.abspath(item)
        group = groups.setdefault(os.path.basename(path), {})
        if path in group:
            raise _in_one_folder(str(group[path]), item)
        group[path] = item
    named: dict[str, Item] = {}
    for group in groups.values():
        depth = 1
        while len({_end(path, depth) for path in group}) < len(group):
            depth += 1
        named |= {_end(path, depth): item for path, item in group.items()}
    for name, item in named.items():
        above = os.path.dirname(name)
        while above:
            if above in named:
                raise _in_one_folder(str(named[above]), str(item))
            above = os.path.dirname(above)
    order = {item: place for place, item in enumerate(several)}
    return dict(sorted(named.items(), key=lambda pair: order[pair[1]]))


def _end(path: str, depth: int) -> str:
    return os.path.join(*path.split(os.sep)[-depth:])


def _in_one_folder(one: str, other: str) -> click.UsageError:
    return click.UsageError(f"With --each, {escape(one)} and {escape(other)} would be in one folder.")

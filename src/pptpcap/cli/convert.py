"""``pptpcap convert``: writes the tables of one capture, or of each, to files.

Knows options and messages.  The package ``export`` does the work.
"""

from __future__ import annotations

from typing import Any

import click

from .._input.again import states
from .._input.opening import Item, items
from .._input.options import Options, ReadOptions
from .._reading.api import table_names
from .._reading.known import choices
from .._show.words import escape
from ..export import Converted
from ..export.conversion import Request, by_name, convert_each, convert_one, inodes
from .columns import aligned
from .common import Damage, wants_progress
from .exits import DAMAGED, FAILED, FINE, complain, words
from .inputs import sources

__all__ = ["convert"]


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
    """Write the tables, and print how many rows each has."""
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

"""Shared by the commands: the FILE arguments, the reading options, aligned columns, the report of damage.

Knows click.  Must not know any table but ``issues``.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, BinaryIO, TypeVar, cast

import click
import numpy as np

from .._input.opening import Item, items
from .._input.options import Options, ReadOptions, Separate
from .._input.sets import captures_in
from .._reading.conditions import condition
from .._reading.order import require_files
from .._show.words import escape, issue_place
from ..capture import Capture, Summary
from ..wire.control import DEFAULT_PORT, MESSAGES
from ..wire.limits import LEAST_MEMORY, MOST_ZSTD_WINDOW, ZSTD_WINDOW
from ..wire.status import Kind
from .exits import DAMAGED, FAILED, FINE, complain, words

__all__ = [
    "DAMAGED",
    "FAILED",
    "FINE",
    "Damage",
    "aligned",
    "choosing",
    "copies_told",
    "complain",
    "files_and_options",
    "sources",
    "wants_progress",
    "words",
]

# Issues that tell where a file is damaged.
_DAMAGES = (
    Kind.TRUNCATED_RECORD,
    Kind.CORRUPT_RECORD,
    Kind.CORRUPT_BLOCK,
    Kind.CORRUPT_COMPRESSION,
    Kind.SKIPPED_OCTETS,
    Kind.ZEROS,
    Kind.MISSING_RECORDS,
)
# Issues of a set of files, which a person is to know of whatever is shown.
_SETS = (Kind.NO_PACKETS, Kind.FILES_OUT_OF_ORDER, Kind.BEGUN_ANEW)
_TYPES = [message.name for message in MESSAGES]
# Places that are named: salvage may find any number.
_MOST_PLACES = 100

Command = TypeVar("Command", bound=Callable[..., Any])


def _size(least: int, most: int | None = None) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """A parser of sizes in bytes; K, M and G are powers of 1,024.  It raises BadParameter."""

    def octets(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:  # noqa: ARG001
        if value is None:
            return None
        match = re.fullmatch(r"(\d{1,12})([KMG]?)(?:i?B)?", value, re.ASCII | re.IGNORECASE)
        if match is None:
            raise click.BadParameter(f"{escape(value)!r} is no size such as 512M or 4G.")
        size = int(match[1]) << 10 * " KMG".index(match[2].upper() or " ")
        if size < least:
            raise click.BadParameter(f"{escape(value)} is less than {least >> 20}M.")
        if most is not None and size > most:
            raise click.BadParameter(f"{escape(value)} is more than {most >> 20}M.")
        return size

    return octets


def _mirror_ports(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, list[int]]:  # noqa: ARG001
    """KIND=PORT, any number of times, as `Options.mirrors` has it.  It raises BadParameter."""
    named: dict[str, list[int]] = {}
    for value in values:
        kind, _, port = value.partition("=")
        if not re.fullmatch(r"\d{1,5}", port, re.ASCII):
            raise click.BadParameter(f"{escape(value)!r} is not KIND=PORT, such as vxlan=4800.")
        named.setdefault(kind, []).append(int(port))
    try:
        Options(mirrors=named)
    except ValueError as error:
        raise click.BadParameter(escape(str(error))) from None
    return named


def files_and_options(command: Command) -> Command:
    """The FILE arguments and the options of every command that reads captures.

    The command is called with `files`, and with `reading`: what `batches` is to be told of how to read them.
    """

    @wraps(command)
    def told(
        *,
        files: tuple[str, ...],
        salvage: bool,
        drop_duplicates: bool,
        separate: Separate,
        sort: bool,
        recursive: bool,
        **more: Any,
    ) -> Any:
        # Files that somebody cuts short while they are read must not end the process with a signal.
        reading: dict[str, Any] = {name: more.pop(name) for name in ReadOptions.__annotations__ if name in more}
        reading |= {"on_corrupt": "salvage" if salvage else "stop", "io": "read"}
        reading["duplicates"] = "drop" if drop_duplicates else "keep"
        reading["separate"] = separate
        reading["order"] = "time" if sort else "given"
        if recursive:
            files = _expanded(files, Options.of(cast(ReadOptions, reading)))
        if sort:
            _require_files(files)
        return command(files=files, reading=cast(ReadOptions, reading), **more)

    decorated = cast(Command, told)
    for decorator in (
        click.option(
            "--salvage",
            is_flag=True,
            help="Continue at the next good record after a corrupt one.",
        ),
        click.option(
            "--drop-duplicates",
            is_flag=True,
            help="Leave out packets that the capture holds twice, as from a mirror port.",
        ),
        click.option(
            "--separate",
            type=click.Choice(["none", "layers"]),
            default="none",
            help="Keep traffic of different VLANs apart, as of customers with the same addresses.  [default: none]",
        ),
        click.option(
            "--sort",
            is_flag=True,
            help="Read the FILEs in the order of their first packets, as those of a ring that began anew.",
        ),
        click.option(
            "-r",
            "--recursive",
            is_flag=True,
            help="A FILE may be a folder: read the captures in it, in the order of the numbers in their names.",
        ),
        click.option(
            "--mirror-port",
            "mirrors",
            metavar="KIND=PORT",
            multiple=True,
            callback=_mirror_ports,
            help="UDP port of a mirror or overlay besides its own, such as vxlan=4800; may be repeated.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(min=1),
            help="Threads that read, decompress and scan.  [default: one per core]",
        ),
        click.option(
            "--max-memory",
            metavar="SIZE",
            callback=_size(LEAST_MEMORY),
            help="Limit of memory, such as 512M or 4G; caps connections, tunnels and calls.",
        ),
        click.option(
            "--max-window",
            metavar="SIZE",
            callback=_size(ZSTD_WINDOW, MOST_ZSTD_WINDOW),
            help="Largest window of a zstd frame.  [default: 32M]",
        ),
        click.option(
            "--engine",
            type=click.Choice(["compiled", "reference"]),
            default="compiled",
            show_default=True,
            help="The Cython engine, or the slow reference in Python.",
        ),
        click.option(
            "--port",
            "ports",
            type=click.IntRange(1, 65535),
            multiple=True,
            default=[DEFAULT_PORT],
            show_default=True,
            help="TCP port of control connections; may be repeated.",
        ),
        click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.UNPROCESSED),
    ):
        decorated = decorator(decorated)
    return decorated


def _expanded(files: Sequence[str], options: Options) -> tuple[str, ...]:
    """The FILE arguments, with the captures in folders in their place; what is no capture there is named."""
    found: list[str] = []
    for file in files:
        if not os.path.isdir(file):
            found.append(file)
            continue
        captures, others = captures_in(file, options)
        found += captures
        for error in others:
            complain(f"left out: {error}")
    return tuple(found)


def _require_files(files: Sequence[str]) -> None:
    """UsageError where several FILEs are to be sorted and one cannot be read twice."""
    try:
        require_files(items(sources(files)))
    except ValueError:
        raise click.UsageError(
            "--sort reads each FILE twice, and standard input and pipes can be read only once."
        ) from None


def choosing(table: str | None) -> Callable[[Command], Command]:
    """The options that choose rows of a table; the command is called with `conditions`.

    Without a table, it is called with `named`: the values of each condition, by name.
    """
    options = (
        click.option("--from", "start", metavar="TIME", help="Not what was before: ISO 8601, UTC unless it says."),
        click.option("--to", "stop", metavar="TIME", help="Not what was then or later."),
        click.option(
            "--address", metavar="NETWORK", multiple=True, help="Only of this address or network; may be repeated."
        ),
        click.option("--call", type=click.IntRange(min=0), multiple=True, help="Only this call; may be repeated."),
        click.option(
            "--connection", type=click.IntRange(min=0), multiple=True, help="Only this connection; may be repeated."
        ),
        *(
            [
                click.option(
                    "--message", type=click.Choice(_TYPES), multiple=True, help="Only this type; may be repeated."
                )
            ]
            if table == "messages"
            else []
        ),
    )

    def decorate(command: Command) -> Command:
        @wraps(command)
        def told(*, start: str | None, stop: str | None, **more: Any) -> Any:
            named = {name: list(more.pop(name, ())) for name in ("address", "call", "connection", "message")}
            given: dict[str, Any] = {name: values for name, values in named.items() if values}
            if start is not None or stop is not None:
                given["time"] = (start, stop)
            if table is None:
                return command(named=given, **more)
            try:
                conditions = tuple(condition(table, name, value) for name, value in given.items())
            except ValueError as error:
                raise click.UsageError(escape(str(error))) from None
            return command(conditions=conditions, **more)

        decorated = cast(Command, told)
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def sources(files: Sequence[str]) -> list[Item]:
    """The FILE arguments as sources: - is standard input."""
    if files.count("-") > 1:
        raise click.UsageError("- is standard input, which can be read only once.")
    return [_standard_input() if file == "-" else file for file in files]


def _standard_input() -> Item:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "there is no standard input", "-")
    # Without the buffer, of which nothing was read yet, what has come is read at once, and signals are heard.
    return getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)


def standard_output() -> BinaryIO:
    """Standard output for octets; a usage error where it is a terminal."""
    if sys.stdout.isatty():
        raise click.UsageError("Standard output is a terminal; send it to a file or a program.")
    return sys.stdout.buffer


def wants_progress(*, while_printing: bool) -> bool:
    """Whether standard error is a terminal on which a progress bar disturbs no output."""
    return sys.stderr is not None and sys.stderr.isatty() and not (while_printing and sys.stdout.isatty())


def copies_told(summary: Summary, *, drops: bool) -> list[str]:
    """What a person is to know of packets that a capture holds more than once: lines, none where there are none."""
    if not summary.copies:
        return []
    packets = "1 packet is a copy" if summary.copies == 1 else f"{summary.copies:,} packets are copies"
    effect = "they were left out" if drops else "--drop-duplicates leaves them out"
    return [f"  {packets} of others (mirror port, any, merged captures): {effect}"]


class Damage:
    """Collects the places where files are cut or corrupt, and what is wrong with the set of files."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.more = 0

    def note(self, batch: Capture) -> None:
        """Collect from the issues of one batch."""
        issues = batch["issues"]
        rows = issues[np.isin(issues["kind"], _DAMAGES + _SETS)]
        named = rows[: _MOST_PLACES - len(self.rows)]
        self.rows += [row.copy() for row in named]
        self.more += len(rows) - len(named)

    def finish(self, summary: Summary) -> int:
        """Report the places; return the exit code."""
        self.tell(summary)
        return DAMAGED if summary.damaged else FINE

    def tell(self, summary: Summary) -> None:
        """Report the places so far."""
        paths = [file.path for file in summary.files]
        for row in self.rows:
            what = "damaged: " if row["kind"] in _DAMAGES else ""
            complain(f"{paths[row['file']]}: {what}{issue_place(row, paths)}")
        if self.more:
            complain(f"and {self.more:,} more such places")
        self.rows.clear()
        self.more = 0


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: str = "  ") -> list[str]:
    """Lines with aligned columns; `right` lists the columns that are aligned on the right."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

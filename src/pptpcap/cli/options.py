"""The FILE arguments, the reading options, and the options that choose rows.

Knows click.  What it needs of the package it imports when a command runs: help and completion need no NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from .._show.escaping import escape
from .._show.nearest import nearest
from ..wire.control import DEFAULT_PORT, MESSAGES
from ..wire.limits import LEAST_MEMORY, MOST_ZSTD_WINDOW, ZSTD_WINDOW

if TYPE_CHECKING:
    from .._input.options import ReadOptions

__all__ = ["CaptureFile", "Name", "choosing", "files_and_options", "forms"]

_TYPES = [message.name for message in MESSAGES]

Command = TypeVar("Command", bound=Callable[..., Any])


class CaptureFile(click.ParamType):  # type: ignore[type-arg]
    """A path, a pattern or -, as it stands; a shell completes paths."""

    name = "file"

    def shell_complete(self, _: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Ask the shell, which knows how names are quoted."""
        return [CompletionItem(incomplete, type="file")]


class Name(click.ParamType):  # type: ignore[type-arg]
    """A name, or several with commas, of those that are known when one is asked for.

    Parameters
    ----------
    what : str
        What the names are of, such as "table".
    known : callable
        Returns all names.
    several : bool
        The value is a tuple of names.
    signed : bool
        A name may have a minus sign in front, which stays.
    """

    def __init__(
        self, what: str, known: Callable[[], Sequence[str]], *, several: bool = False, signed: bool = False
    ) -> None:
        self.name = what
        self._known = known
        self._several = several
        self._signed = signed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check each name; a usage error asks whether the nearest one was meant."""
        if not isinstance(value, str):
            return value
        known = self._known()
        names = value.split(",") if self._several else [value]
        for name in names:
            if (bare := name.removeprefix("-") if self._signed else name) not in known:
                hint = nearest(bare, known) or f"; there are {', '.join(known)}"
                self.fail(f"there is no {self.name} {escape(bare)!r}{hint}", param, ctx)
        return tuple(dict.fromkeys(names)) if self._several else value

    def shell_complete(self, _: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        """Complete the last name; click takes one with a minus sign for an option."""
        before, comma, begun = incomplete.rpartition(",") if self._several else ("", "", incomplete)
        return [CompletionItem(before + comma + name) for name in self._known() if name.startswith(begun)]


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
    from .._input.options import Options

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
        separate: str,
        sort: bool,
        recursive: bool,
        **more: Any,
    ) -> Any:
        from .._input.options import Options, ReadOptions

        # Files that somebody cuts short while they are read must not end the process with a signal.
        reading: dict[str, Any] = {name: more.pop(name) for name in ReadOptions.__annotations__ if name in more}
        reading |= {"on_corrupt": "salvage" if salvage else "stop", "io": "read"}
        reading["duplicates"] = "drop" if drop_duplicates else "keep"
        reading["separate"] = separate
        reading["order"] = "time" if sort else "given"
        if recursive or sort:
            from .inputs import expanded, require_sortable
        if recursive:
            files = expanded(files, Options.of(cast("ReadOptions", reading)))
        if sort:
            require_sortable(files)
        return command(files=files, reading=cast("ReadOptions", reading), **more)

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
        click.argument("files", metavar="FILE...", nargs=-1, required=True, type=CaptureFile()),
    ):
        decorated = decorator(decorated)
    return decorated


def forms(help: str) -> Callable[[Command], Command]:  # noqa: A002
    """The options --format and --json, with what JSON has; the command is called with `form`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def told(*, form: str | None, as_json: bool, **more: Any) -> Any:
            if as_json and form not in (None, "json"):
                raise click.UsageError(f"--json is --format json, and cannot be combined with --format {form}.")
            return command(form="json" if as_json else form or "table", **more)

        form = click.option(
            "--format",
            "form",
            type=click.Choice(["table", "tsv", "json"]),
            help="For people, values between tabulators below a line of names, or JSON.  [default: table]",
        )
        return form(click.option("--json", "as_json", is_flag=True, help=help)(cast(Command, told)))

    return decorate


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
            from .._reading.conditions import condition

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

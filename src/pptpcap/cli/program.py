"""The command group, and how the process ends.

Knows exit codes, errors and the names of commands.  Must not know what a command does.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from .. import __version__
from .._show.escaping import escape
from .._show.nearest import nearest
from ..errors import CaptureError, IssueError
from . import signals
from .exits import BROKEN_PIPE, DAMAGED, FAILED, FINE, USAGE, complain, words

__all__ = ["program", "run"]

_EPILOG = (
    "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 finished but the input is damaged (cut or corrupt); "
    "141 the reader of the output closed the pipe; 129, 130, 143 ended by SIGHUP, SIGINT (Ctrl-C) or SIGTERM."
    "\n\n\b\nExample, what is in a capture:\n  pptpcap info vpn.pcap"
)
_COMMANDS = (
    "calls",
    "completion",
    "convert",
    "decapsulate",
    "extract",
    "info",
    "messages",
    "report",
    "schema",
    "trace",
)
# After a signal, seconds to flush the output, whose reader may have stopped reading.
_FLUSH = 1.0


class _Commands(click.Group):
    """The commands, each in the module of its name, which is imported on demand."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f".commands.{name}", __package__), name)
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if hint := "" if name in _COMMANDS or context.resilient_parsing else nearest(name, _COMMANDS):
            context.fail(f"No such command {escape(name)!r}{hint}")
        return super().resolve_command(context, arguments)


@click.group(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="pptpcap", message="%(prog)s %(version)s")
def program() -> None:
    """Decode captures of PPTP (RFC 2637).

    Every FILE is a pcap, pcapng, snoop or Network Monitor file, plain, compressed with gzip, zstd, lz4, xz or bzip2, or
    several in a zip archive; or it is a quoted pattern, or - for standard input.  Several FILEs are one capture in the
    order given, or with --sort in the order of their first packets.  With -r, a FILE may be a folder.
    """


def run() -> NoReturn:
    """Run, turn every expected failure and every signal into an exit code, and print one line for a failure."""
    # Names are escaped before they are printed; what the terminal's encoding lacks must not end the program either.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _flush(_code())
        signals.ignore_all()
    except BaseException as error:
        code = signals.exit_code(error)
        if not code:
            raise
        signals.ignore_all()
        with signals.at_most(_FLUSH):
            _flush(code)
    sys.exit(code)


def _code() -> int:
    """Run the command and return the exit code."""
    try:
        return _run()
    except BrokenPipeError:
        return BROKEN_PIPE
    except (CaptureError, IssueError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(words(error))
    except ImportError as error:
        if signals.exit_code():
            # A signal interrupted the import.
            raise
        ours = (error.name or "").startswith("pptpcap")
        return _fail(f"{error}; is the package built?" if ours else str(error))
    except MemoryError:
        return _fail("out of memory")


def _flush(code: int) -> int:
    """Flush standard output while a failure can still be reported; return the exit code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # The interpreter would flush, and fail, once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        if code in (FINE, DAMAGED):
            return _fail(words(error))
    return code


def _run() -> int:
    if sys.stdout is None:
        raise OSError("there is no standard output")
    # Not program.main(), which handles broken pipes in its own way.
    try:
        if asked := os.environ.get("_PPTPCAP_COMPLETE"):
            from .completion import answer

            return answer(program, asked)
        with program.make_context("pptpcap", sys.argv[1:]) as context:
            result = program.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        if sys.stderr is not None:
            error.show()
        return USAGE
    return result if isinstance(result, int) else FINE


def _fail(reason: str) -> int:
    complain(reason)
    return signals.exit_code() or FAILED

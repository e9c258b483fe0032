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
from ..errors import CaptureError, IssueError
from . import signals
from .exits import BROKEN_PIPE, DAMAGED, FAILED, FINE, USAGE, complain, words

__all__ = ["program", "run"]

_EPILOG = (
    "Exit codes: 0 fine, 1 failed, 2 usage, 3 finished but the input was damaged (cut or corrupt); "
    "141 where the reader of the output went away, 129, 130, 143 where SIGHUP, SIGINT (Ctrl-C) or SIGTERM ended it."
)
_COMMANDS = ("calls", "convert", "decapsulate", "info", "messages", "schema")
# Seconds that what was printed before a signal has to be written out; whoever reads it may have stopped to.
_FLUSH = 1.0


class _Commands(click.Group):
    """The commands, each in the module of its name, which is imported when it is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f".{name}", __package__), name)
        return command


@click.group(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="pptpcap", message="%(prog)s %(version)s")
def program() -> None:
    """Say what PPTP (RFC 2637) captures hold.

    Every FILE is a pcap or pcapng file, as it is or compressed with gzip, zstd or lz4, a pattern in quotes, or - for
    standard input; several are one capture in the order given.
    """
    # The command was imported.  From here on there may be something to clean up.
    signals.handle(signals.interrupt)


def run() -> NoReturn:
    """Run, and turn every foreseeable failure and every signal into an exit code, and failures into one line."""
    # Names are escaped before they are printed; what the terminal's encoding lacks must not end the program either.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _flush(_code())
        signals.handle(signals.ignore)
    except BaseException as error:
        code = signals.exit_code(error)
        if not code:
            raise
        signals.handle(signals.ignore)
        with signals.at_most(_FLUSH):
            _flush(code)
    sys.exit(code)


def _code() -> int:
    """Run the command; the exit code."""
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
    """Write out what waits, now that a failure can still be told; the exit code."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # It would be tried, and fail, once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        if code in (FINE, DAMAGED):
            return _fail(words(error))
    return code


def _run() -> int:
    if sys.stdout is None:
        raise OSError("there is no standard output")
    # Not program.main(): it has its own mind about broken pipes.
    try:
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

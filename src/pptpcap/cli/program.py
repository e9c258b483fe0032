"""The command group, and how the program ends.

Knows exit codes and errors, not what commands do.  Called by ``main``.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from .. import __version__
from ..errors import CaptureError, IssueError
from .calls import calls
from .common import BROKEN_PIPE, DAMAGED, FAILED, FINE, INTERRUPTED, USAGE, complain, words
from .convert import convert
from .decapsulate import decapsulate
from .info import info
from .messages import messages
from .schema import schema

__all__ = ["program", "run"]

_EPILOG = (
    "Exit codes: 0 fine, 1 failed, 2 usage, 3 finished but the input was damaged (cut or corrupt); "
    "141 where the reader of the output went away, 130 where Ctrl-C was pressed."
)


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pptpcap", message="%(prog)s %(version)s")
def program() -> None:
    """Say what PPTP (RFC 2637) captures hold.

    Every FILE is a pcap or pcapng file, as it is or compressed with gzip, zstd or lz4, a pattern in quotes, or - for
    standard input; several are one capture in the order given.
    """


program.add_command(info)
program.add_command(messages)
program.add_command(calls)
program.add_command(convert)
program.add_command(decapsulate)
program.add_command(schema)


def run() -> NoReturn:
    """Run, and turn every foreseeable failure into one line and an exit code."""
    # Names are escaped before they are printed; what the terminal's encoding lacks must not end the program either.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
    except BrokenPipeError:
        code = BROKEN_PIPE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (CaptureError, IssueError) as error:
        code = _fail(str(error))
    except OSError as error:
        code = _fail(words(error))
    except ImportError as error:
        ours = (error.name or "").startswith("pptpcap")
        code = _fail(f"{error}; is the package built?" if ours else str(error))
    except MemoryError:
        code = _fail("out of memory")
    sys.exit(_flush(code))


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
    return FAILED

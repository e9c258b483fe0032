"""The FILE arguments as sources: standard input, folders, and files that are to be sorted.

Knows click's errors.  Must not know options or commands.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from .._input.opening import Item, items
from .._input.options import Options
from .._input.sets import captures_in
from .._reading.order import require_files
from .exits import complain

__all__ = ["expanded", "require_sortable", "sources"]


def expanded(files: Sequence[str], options: Options) -> tuple[str, ...]:
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


def require_sortable(files: Sequence[str]) -> None:
    """UsageError where several FILEs are to be sorted and one cannot be read twice."""
    try:
        require_files(items(sources(files)))
    except ValueError:
        raise click.UsageError(
            "--sort reads each FILE twice, and standard input and pipes can be read only once."
        ) from None


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

"""Exit codes, and the one line on standard error that explains a failure.

Must not know commands, or import anything slow.
"""

from __future__ import annotations

import os
import sys

from .._show.escaping import escape

__all__ = ["BROKEN_PIPE", "DAMAGED", "FAILED", "FINE", "USAGE", "complain", "words"]

FINE = 0
FAILED = 1
USAGE = 2
DAMAGED = 3
# What a shell reports of a program that SIGPIPE ended.
BROKEN_PIPE = 141


def complain(reason: str) -> None:
    """Write one line to standard error, where there is one."""
    if sys.stderr is not None:
        print(f"pptpcap: {escape(reason)}", file=sys.stderr)


def words(error: OSError) -> str:
    """What went wrong, with which file, and what was noted of its consequences."""
    reason = "; ".join([error.strerror or str(error), *getattr(error, "__notes__", [])])
    return reason if error.filename is None else f"{os.fsdecode(error.filename)}: {reason}"

"""Imports what a command does, and calls it.

Must not know commands, or import one before it is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import signals

__all__ = ["run"]


def run(command: str, **told: Any) -> int:
    """Call the function of this name in the module of this name; the arguments are those of its options."""
    does = getattr(import_module(f".{command}", __package__), command)
    # All is imported.  From here on there may be something to clean up.
    signals.handle(signals.interrupt)
    code: int = does(**told)
    return code

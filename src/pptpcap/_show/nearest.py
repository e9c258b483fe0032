"""Asks whether another name was meant, where there is none of that name.

Must not know what the names are of.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(name: str, names: Iterable[str]) -> str:
    """A question whether another name was meant; empty if none is like it."""
    # Slow to import, and needed in errors only.
    import difflib

    near = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""

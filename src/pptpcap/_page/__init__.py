"""Makes one page of a capture: what it holds, what happened to its calls, how safe they were, and how good it is.

Knows rows of all tables.  Must not know files or readers.  Takes the rows three times, so its memory does not grow with
the capture.
"""

from __future__ import annotations

from .writing import Readings, page

__all__ = ["Readings", "page"]

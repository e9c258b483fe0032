"""The errors that files raise.  Packets raise none.

Imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

__all__ = ["CaptureError", "IssueError"]


class CaptureError(ValueError):
    """A file is no capture, or is one that is not read.

    Parameters
    ----------
    path : str
        The file as the caller named it.
    offset : int
        Where in the file the reason stands.
    found, expected : str
        What stands there and what should.

    Attributes
    ----------
    path, offset, found, expected
        As given.
    """

    def __init__(self, path: str, offset: int, found: str, expected: str) -> None:
        super().__init__(path, offset, found, expected)
        self.path = path
        self.offset = offset
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.path}: at offset {self.offset}: found {self.found}, expected {self.expected}"


class IssueError(ValueError):
    """The first issue of a capture that was read with ``errors="raise"``.

    Attributes
    ----------
    issue : numpy.void
        The row of the table ``issues``.
    """

    def __init__(self, description: str, issue: Any) -> None:
        super().__init__(description, issue)
        self.description = description
        self.issue = issue

    def __str__(self) -> str:
        return self.description

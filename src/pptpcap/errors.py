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
        Where in the file the reason stands, in octets.
    found, expected : str
        What stands there and what should.

    Attributes
    ----------
    path, offset, found, expected
        As given.

    Examples
    --------
    >>> import pptpcap
    >>> try:
    ...     pptpcap.read(b"GET / HTTP/1.0")
    ... except pptpcap.CaptureError as error:
    ...     print(error)
    <bytes>: at offset 0: found text, expected a pcap or pcapng file
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

    Parameters
    ----------
    description : str
        The issue in words.
    issue : numpy.void
        The row of the table ``issues``, of dtype ``pptpcap.schema.dtype("issues")``.

    Attributes
    ----------
    description, issue
        As given.

    Examples
    --------
    >>> from pathlib import Path
    >>> import pptpcap
    >>> octets = Path("vpn.pcap").read_bytes()
    >>> try:
    ...     pptpcap.read(octets[:-5], errors="raise")
    ... except pptpcap.IssueError as error:
    ...     print(error.description.rpartition(": ")[2])
    ...     print(error.issue["packet"])
    it needs 82 octets, 77 are left
    109
    """

    def __init__(self, description: str, issue: Any) -> None:
        super().__init__(description, issue)
        self.description = description
        self.issue = issue

    def __str__(self) -> str:
        return self.description

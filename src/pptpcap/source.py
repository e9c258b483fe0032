"""Opens what the user named, and shows it to the walk window by window.

Knows files, maps and streams, and nothing of what their octets mean.  Called by ``reading``.
"""

from __future__ import annotations

import errno
import glob
import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias

from .engine import Data
from .errors import CaptureError

__all__ = ["Item", "Source", "View", "items", "opened", "total_size"]


class Readable(Protocol):
    """A binary file object; it is read, never sought or closed."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` octets, none at the end."""


Item: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable
Source: TypeAlias = Item | Iterable[Item]

# Octets that a stream's window grows by.
_CHUNK = 4 << 20

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe (the command line reads one as: pptpcap ... - < PIPE)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class View:
    """The octets of one file that can be seen now, and how far the walk has come in them.

    Attributes
    ----------
    path : str
        Name of the file for people.
    data : buffer
        Octets of the file from `origin` on.
    position : int
        Offset in `data` of the first octet that was not walked.
    origin : int
        Offset of ``data[0]`` in the file.
    final : bool
        `data` reaches to the end of the file.
    """

    path: str
    data: Data
    position: int = 0
    origin: int = 0
    final: bool = True

    def left(self) -> bool:
        """Whether there are octets that were not walked; a stream reads on to tell."""
        return self.position < len(self.data)

    def advance(self, position: int) -> None:
        """Go on at ``data[position]``; a walk that stands still is shown more of a stream."""
        if position <= self.position:
            raise RuntimeError(f"{self.path}: the walk stands still at offset {self.origin + self.position}")
        self.position = position

    def check(self) -> None:
        """See that the file is still as it was; raise CaptureError where it shrank."""

    def close(self) -> None:
        """Let go of the data."""


class _Octets(View):
    def __init__(self, octets: bytes | bytearray | memoryview) -> None:
        self.path = "<bytes>"
        self.data = octets if isinstance(octets, bytes) else memoryview(octets).cast("B")


class _Map(View):
    """A regular file, mapped: pages that were walked are let go, so that memory does not grow with the file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = _open_regular(path)
        self._let_go = 0
        try:
            self._size = os.fstat(self._descriptor).st_size
            # A map of nothing is an error of its own.
            self._map = mmap.mmap(self._descriptor, self._size, access=mmap.ACCESS_READ) if self._size else None
        except BaseException:
            os.close(self._descriptor)
            raise
        self.data = self._map if self._map is not None else b""

    def advance(self, position: int) -> None:
        super().advance(position)
        page = position - position % mmap.PAGESIZE
        if self._map is not None and page > self._let_go and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, self._let_go, page - self._let_go)
            self._let_go = page

    def check(self) -> None:
        # A page of the map that is behind the end of the file kills the process.
        size = os.fstat(self._descriptor).st_size
        if size < self._size:
            raise CaptureError(
                self.path, size, "the end of the file, which shrank while it was read", f"{self._size} octets"
            )

    def close(self) -> None:
        os.close(self._descriptor)
        if self._map is not None:
            # What was scanned may still be alive, in a traceback: it holds the map until it goes.
            with suppress(BufferError):
                self._map.close()


class _Stream(View):
    def __init__(self, stream: Readable) -> None:
        name = getattr(stream, "name", None)
        self.path = name if isinstance(name, str) else "<stream>"
        self._stream = stream
        self.data: bytes = b""
        self.final = False
        self._more()

    def left(self) -> bool:
        if self.position >= len(self.data) and not self.final:
            self._more()
        return super().left()

    def advance(self, position: int) -> None:
        if position == self.position and not self.final:
            self._more()
        else:
            super().advance(position)

    def _more(self) -> None:
        # The window is filled even from a pipe that gives little at a time.
        parts = [self.data[self.position :]]
        wanted = _CHUNK
        while wanted > 0 and not self.final:
            part = self._stream.read(wanted)
            if part is None:
                raise BlockingIOError(errno.EAGAIN, "the stream does not block", self.path)
            if not isinstance(part, bytes):
                raise TypeError(f"{self.path}: read() gave {type(part).__name__}, open the file in binary mode")
            self.final = not part
            parts.append(part)
            wanted -= len(part)
        self.origin += self.position
        self.position = 0
        self.data = b"".join(parts)


def _open_regular(path: str) -> int:
    # Asked before opening: to open a pipe and close it again would break it for whoever writes.
    _require_regular(path, os.stat(path).st_mode)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise CaptureError(path, 0, _KINDS.get(stat.S_IFMT(mode), "no regular file"), "a pcap file")


def items(source: Source) -> list[Item]:
    """The files that a source names, in the order in which they are read.

    Parameters
    ----------
    source : path, bytes-like, binary file object, or iterable of these
        A string with the marks ``*``, ``?`` or ``[`` that names no file as it stands is a pattern; the files that it
        matches are sorted by name.

    Raises
    ------
    FileNotFoundError
        Where a pattern matches nothing.
    TypeError
        Where something is none of these.
    ValueError
        Where the iterable is empty.
    """
    if _is_item(source):
        return _expanded(source)
    if not isinstance(source, Iterable):
        raise TypeError(
            f"a capture is a path, bytes, a binary file object, or several of these, not {type(source).__name__}"
        )
    several: list[Item] = []
    for item in source:
        if not _is_item(item):
            raise TypeError(f"a capture file is a path, bytes or a binary file object, not {type(item).__name__}")
        several += _expanded(item)
    if not several:
        raise ValueError("no files were given")
    return several


def _is_item(thing: Any) -> bool:
    return isinstance(thing, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(thing, "read")


def _expanded(item: Any) -> list[Item]:
    if not isinstance(item, str) or not glob.has_magic(item) or os.path.lexists(item):
        return [item]
    found = sorted(glob.glob(item, recursive=True))
    if not found:
        raise FileNotFoundError(errno.ENOENT, "no file matches the pattern", item)
    return list(found)


def total_size(several: list[Item]) -> int | None:
    """Octets in all files together, None where that cannot be known beforehand."""
    total = 0
    for item in several:
        if isinstance(item, bytes | bytearray | memoryview):
            total += memoryview(item).nbytes
        elif isinstance(item, str | os.PathLike):
            try:
                total += os.stat(item).st_size
            except OSError:
                return None
        else:
            return None
    return total


@contextmanager
def opened(item: Item) -> Iterator[View]:
    """One file, open for as long as the context lasts.

    Raises
    ------
    CaptureError
        Where the path names something that is no regular file.
    OSError
        Where the system does not let it be read.
    """
    view: View
    if isinstance(item, bytes | bytearray | memoryview):
        view = _Octets(item)
    elif isinstance(item, str | os.PathLike):
        view = _Map(os.fsdecode(item))
    else:
        view = _Stream(item)
    try:
        yield view
    finally:
        view.close()

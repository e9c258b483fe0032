"""Presents the bytes of one file to a scan: complete, mapped, or window by window.

Knows positions and buffers.  Must not know where a file comes from or what its bytes mean.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from ..engine import Data
from ..errors import CaptureError
from ..wire.status import Kind
from .guarded import Guard

__all__ = ["CHUNK", "Flow", "Map", "Octets", "Remark", "View", "Window", "require_size", "shrank"]

# Octets that a window grows by.
CHUNK = 4 << 20


class Remark(NamedTuple):
    """An issue of a whole file: the kind, its two numbers, and whether the file is damaged."""

    kind: Kind
    needed: int
    had: int
    damages: bool = False


class View:
    """The bytes of one file that are visible now, and the position of the walk in them.

    Attributes
    ----------
    path : str
        Name of the file for people.
    data : buffer
        Octets of the file from `origin` on; only good until `advance` or `left` is called.
    position : int
        Offset in `data` of the first octet that was not walked.
    origin : int
        Offset of ``data[0]`` in the file.
    final : bool
        `data` reaches to the end of the file.
    live : bool
        `data` has what has come, rather than be full.
    paused : bool
        More than `data` has would have to be waited for.
    compression : str
        What the file is compressed with, "" where it is not.
    format : str
        What the file is where it was rewritten, "" where it was not.
    damage : str
        Why the file ends where it does, where compressed data are cut or corrupt there; known once `final` is true.
    remarks : sequence of Remark
        What is to be told of the whole file where it was rewritten; known at the end.
    """

    path: str
    data: Data
    position: int = 0
    origin: int = 0
    final: bool = True
    live: bool = False
    paused: bool = False
    compression: str = ""
    format: str = ""
    damage: str = ""
    remarks: Sequence[Remark] = ()

    @property
    def consumed(self) -> int:
        """Octets of the file, as it was found, that were walked or are being; of compressed files, compressed ones."""
        return self.position

    def left(self) -> bool:
        """Whether bytes are left; a window reads more to find out."""
        return self.position < len(self.data)

    def advance(self, position: int) -> None:
        """Continue at ``data[position]``; if the walk has not advanced, a window grows."""
        if position <= self.position:
            raise RuntimeError(f"{self.path}: the walk stands still at offset {self.origin + self.position}")
        self.position = position

    def check(self) -> None:
        """Check that `data` is still what the file had; raise CaptureError if the file shrank."""

    def close(self) -> None:
        """Release the data."""


class Octets(View):
    """Octets in memory."""

    def __init__(self, octets: bytes | memoryview) -> None:
        self.path = "<bytes>"
        self.data = octets


class Map(View):
    """A mapped regular file.  Walked pages are released, so that memory does not grow with the file."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._let_go = 0
        # Its size is asked for once, as the file may shrink; an empty file cannot be mapped.
        self._map: mmap.mmap | None = None
        with suppress(ValueError):
            self._map = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        self._size = len(self._map) if self._map is not None else 0
        self._guard = Guard(self._map) if self._map is not None else None
        self.data = self._map if self._map is not None else b""

    def advance(self, position: int) -> None:
        """Go on at ``data[position]``."""
        super().advance(position)
        page = position - position % mmap.PAGESIZE
        if self._map is not None and page > self._let_go and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, self._let_go, page - self._let_go)
            self._let_go = page

    def check(self) -> None:
        """Raise CaptureError if the file shrank, OSError if the system cannot read it any more."""
        require_size(self.path, self._descriptor, self._size)
        lost = self._guard.lost if self._guard is not None else -1
        if lost >= 0:
            # A failing disk loses pages too; a read reports that.
            os.pread(self._descriptor, 1, lost)
            raise shrank(self.path, lost, self._size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
        if self._guard is not None:
            self._guard.close()
        if self._map is not None:
            # A scan may be alive in a traceback; it keeps the map until it is freed.
            with suppress(BufferError):
                self._map.close()


def require_size(path: str, descriptor: int, size: int) -> None:
    """Raise CaptureError if an open file has become shorter than `size`."""
    found = os.fstat(descriptor).st_size
    if found < size:
        raise shrank(path, found, size)


def shrank(path: str, found: int, size: int) -> CaptureError:
    """The error of a file that ends at `found` and had `size` octets when it was opened."""
    return CaptureError(path, found, "the end of the file, which shrank while it was read", f"{size} octets")


class Flow(Protocol):
    """The source of a window's bytes."""

    @property
    def path(self) -> str:
        """Name of the file for people."""

    @property
    def damage(self) -> str:
        """Why the data ended early, empty for a regular end."""

    @property
    def consumed(self) -> int:
        """Octets that were taken from the file, as it was found."""

    @property
    def beside(self) -> bool:
        """Whether another thread may fill a buffer while the caller continues."""

    @property
    def live(self) -> bool:
        """Whether it may pause."""

    @property
    def paused(self) -> bool:
        """Whether the last octets are fewer than there was room for because more would have to be waited for."""

    def begin(self, room: memoryview) -> None:
        """Begin to put the next octets at the start of `room`."""

    def filled(self) -> int:
        """How many octets were put there since `begin`; fewer than there is room for only at the end and at a pause."""

    def check(self) -> None:
        """Raise CaptureError if the file shrank."""

    def close(self) -> None:
        """Close the file."""


def _buffer(size: int) -> memoryview:
    """A page-aligned buffer, of which only the filled part takes memory and time.

    Large memory from malloc begins 16 octets behind a page, and some processors take much longer to copy a page of a
    file to where its octets are so little shifted.
    """
    try:
        return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except OSError as error:
        raise MemoryError from error


class Window(View):
    """The bytes of a flow in a buffer that is refilled; a longer record gets a buffer of its own.

    Where the flow works beside the walk there are two in turn: one is looked at, one is filled.
    """

    def __init__(self, flow: Flow) -> None:
        self.path = flow.path
        self.live = flow.live
        self._flow = flow
        # Room in front of the filled part, for the unread rest of the previous one.
        self._head = CHUNK // 8
        self._spare: list[memoryview] = []
        # The buffer of `data`, None if `data` is the buffer of one long record.
        self._shown: memoryview | None = None
        self._seen = memoryview(b"")
        self.data = self._seen
        self.final = False
        if flow.beside:
            self._begin()
        self._more()

    @property
    def consumed(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self._flow.consumed

    def left(self) -> bool:
        """Whether bytes are left; reads more to find out."""
        if self.position >= len(self.data) and not self.final:
            self._more()
        return super().left()

    def advance(self, position: int) -> None:
        """Go on at ``data[position]``."""
        if position == self.position and not self.final:
            self._more()
        else:
            super().advance(position)

    def check(self) -> None:
        """Raise CaptureError if the file shrank."""
        self._flow.check()

    def close(self) -> None:
        """Close the file."""
        self._flow.close()

    def _begin(self) -> None:
        self._filling = self._spare.pop() if self._spare else _buffer(self._head + CHUNK)
        self._flow.begin(self._filling[self._head :])

    def _let_go(self) -> None:
        # Release the old view, so that stale readers fail.
        self._seen.release()
        if self._shown is not None:
            self._spare.append(self._shown)
            self._shown = None

    def _more(self) -> None:
        rest = self._seen[self.position :]
        if not self._flow.beside:
            with rest as shown_rest:
                rest = memoryview(bytes(shown_rest))
            self._let_go()
            self._begin()
        count, buffer, head = self._flow.filled(), self._filling, self._head
        self.paused = self._flow.paused
        self.final = count < len(buffer) - head and not self.paused
        self.damage = self._flow.damage
        start, end = head - len(rest), head + count
        shown: memoryview | None = buffer
        if start >= 0:
            buffer[start:head] = rest
            seen = buffer[start:end]
        else:
            seen = memoryview(bytearray(len(rest) + count))
            seen[: len(rest)] = rest
            seen[len(rest) :] = buffer[head:end]
            self._spare.append(buffer)
            shown = None
        rest.release()
        self._let_go()
        self._shown = shown
        self.origin += self.position
        self.position = 0
        self.data = self._seen = seen
        if self._flow.beside and not self.final:
            self._begin()

"""Reads the raw bytes of a regular file, a pipe, a file object or a bytes object.

Knows how to read exact lengths and how to rewind.  Must not know what the bytes mean.
"""

from __future__ import annotations

import errno
import io
import operator
import os
import re
import select
from typing import Protocol

from .views import require_size, shrank

__all__ = ["FileInput", "Input", "MemoryInput", "Readable", "StreamInput"]

_CHUNK = 256 << 10
# A signal that comes just before a read begins is heard only when the read ends.  So a read that may wait begins when
# there is something to read, and until then Python looks for signals this often.
_HEARING_MS = 100


class Readable(Protocol):
    """A binary file object; it is read from where it stands, and never closed."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` octets, none at the end."""


class Input:
    """Octets one behind the other, in the pieces that the reader asks for.

    Attributes
    ----------
    path : str
        Name of the file for people.
    consumed : int
        Octets that were taken from the file.
    prompt : bool
        Reading never waits for anybody, so another thread may do it.
    again : bool
        The input can be begun again.
    """

    path: str
    consumed = 0
    prompt = False
    again = False

    def __init__(self) -> None:
        # What was read last, and how much of it was given.
        self._chunk = b""
        self._given = 0

    @property
    def position(self) -> int:
        """Where in the file the next octet stands."""
        return self.consumed - len(self._chunk) + self._given

    def peek(self, size: int) -> bytes:
        """The next `size` octets, fewer where there are no more; they are given again."""
        octets = self.take(size)
        self.back(octets)
        return octets

    def take(self, size: int) -> bytes:
        """The next `size` octets, fewer where there are no more."""
        part = self._give(size)
        if len(part) == size:
            return part
        parts = [part]
        size -= len(part)
        while size and self._fetch():
            parts.append(self._give(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def some(self, most: int) -> bytes:
        """At most `most` octets, none at the end."""
        return self._give(most) or (self._give(most) if self._fetch() else b"")

    def run(self, pattern: re.Pattern[bytes]) -> bytes:
        """The next octets as far as they match and were read already; none where they do not match."""
        match = pattern.match(self._chunk, self._given, self._given + _CHUNK)
        return self._give(match.end() - self._given) if match else b""

    def back(self, octets: bytes) -> None:
        """Give these octets again, which were the last that were given."""
        if len(octets) <= self._given:
            self._given -= len(octets)
        else:
            self._chunk = octets + self._chunk[self._given :]
            self._given = 0

    def fill(self, room: memoryview) -> int:
        """Put the next octets in `room`, all that fit even from a pipe that gives little at a time; how many."""
        filled = 0
        while filled < len(room):
            with room[filled:] as part:
                count = self._into(part)
            if not count:
                break
            filled += count
        return filled

    def begin_again(self) -> None:
        """Go back to the start, where `again` says that it can be done."""
        self._chunk = b""
        self._given = 0
        self.consumed = 0
        self._rewind()

    def check(self) -> None:
        """Raise CaptureError where the file shrank."""

    def close(self) -> None:
        """Let go of the file."""

    def _fetch(self) -> bool:
        self._chunk = self._read(_CHUNK)
        self._given = 0
        self.consumed += len(self._chunk)
        return bool(self._chunk)

    def _give(self, size: int) -> bytes:
        part = self._chunk[self._given : self._given + size]
        self._given += len(part)
        return part

    def _into(self, room: memoryview) -> int:
        if part := self._give(len(room)):
            room[: len(part)] = part
            return len(part)
        count = self._read_into(room)
        self.consumed += count
        return count

    def _read_into(self, room: memoryview) -> int:
        part = self._read(len(room))
        room[: len(part)] = part
        return len(part)

    def _read(self, size: int) -> bytes:
        raise NotImplementedError

    def _rewind(self) -> None:
        raise NotImplementedError


class FileInput(Input):
    """A regular file as long as it was when it was opened: what is appended is not read."""

    prompt = True
    again = True

    def __init__(self, path: str, descriptor: int) -> None:
        super().__init__()
        self.path = path
        self._size = os.fstat(descriptor).st_size
        self._position = 0
        # Until this object is made, the descriptor is the caller's: what is made halfway must not close it.
        self._file = io.FileIO(descriptor, closefd=False)

    def check(self) -> None:
        """Raise CaptureError where the file shrank."""
        require_size(self.path, self._file.fileno(), self._size)

    def close(self) -> None:
        """Let go of the file."""
        if not self._file.closed:
            descriptor = self._file.fileno()
            self._file.close()
            os.close(descriptor)

    def _read_into(self, room: memoryview) -> int:
        with room[: self._size - self._position] as part:
            count = self._file.readinto(part) or 0
            self._require(count, len(part))
        return count

    def _read(self, size: int) -> bytes:
        wanted = min(size, self._size - self._position)
        part = self._file.read(wanted) or b""
        self._require(len(part), wanted)
        return part

    def _require(self, count: int, wanted: int) -> None:
        if wanted and not count:
            raise shrank(self.path, self._position, self._size)
        self._position += count

    def _rewind(self) -> None:
        self._position = self._file.seek(0)


class MemoryInput(Input):
    """Octets in memory."""

    path = "<bytes>"
    prompt = True
    again = True

    def __init__(self, octets: bytes | memoryview) -> None:
        super().__init__()
        self._octets = octets
        self._position = 0

    def _read(self, size: int) -> bytes:
        part = bytes(self._octets[self._position : self._position + size])
        self._position += len(part)
        return part

    def _rewind(self) -> None:
        self._position = 0


class StreamInput(Input):
    """A file object of the caller's, or of a pipe that was opened for this."""

    def __init__(self, stream: Readable, path: str | None = None) -> None:
        super().__init__()
        name = getattr(stream, "name", None) if path is None else path
        self.path = name if isinstance(name, str) else "<stream>"
        self._stream = stream
        self._own = path is not None
        self._start = _place(stream)
        self.again = self._start is not None
        # What can be sought does not wait for a writer; an object of the caller's own class stays in this thread.
        self.prompt = self.again and isinstance(stream, io.FileIO | io.BufferedReader | io.BytesIO)
        self._poll = None
        # What a buffered reader holds already could not be polled for.
        if not self.again and isinstance(stream, io.FileIO) and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(stream, select.POLLIN)

    def close(self) -> None:
        """Let go of the file."""
        if self._own and isinstance(self._stream, io.FileIO):
            self._stream.close()

    def _read(self, size: int) -> bytes:
        while self._poll and not self._poll.poll(_HEARING_MS):
            pass
        part = self._stream.read(size)
        if part is None:
            raise BlockingIOError(errno.EAGAIN, "the stream does not block", self.path)
        if not isinstance(part, bytes):
            raise TypeError(f"{self.path}: read() gave {type(part).__name__}, open the file in binary mode")
        return part

    def _rewind(self) -> None:
        self._stream.seek(self._start)  # type: ignore[attr-defined]


def _place(stream: object) -> int | None:
    """Where a stream stands, None where it cannot go back to that."""
    try:
        return operator.index(stream.tell()) if stream.seekable() else None  # type: ignore[attr-defined]
    except (AttributeError, OSError, TypeError, ValueError):
        return None

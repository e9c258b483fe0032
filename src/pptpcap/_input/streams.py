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
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from .views import Remark, require_size, shrank

__all__ = ["DamageError", "FileInput", "Input", "MemoryInput", "Pieces", "Readable", "StreamInput"]

_CHUNK = 256 << 10
# Python handles a signal that arrives just before a blocking read only after that read.  So a read that may block
# starts when there is data, and until then Python checks for signals this often.
_HEARING_MS = 100


class Readable(Protocol):
    """A binary file object; it is read from where it stands, and never closed."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` octets, none at the end."""


class DamageError(Exception):
    """Data are cut or corrupt; everything that was given before is sound."""


class Input:
    """A sequence of bytes, in the pieces that the reader requests.

    Attributes
    ----------
    path : str
        Name of the file for people.
    consumed : int
        Octets that were taken from the file.
    prompt : bool
        Reading never waits for anybody, so another thread may do it.
    again : bool
        The input can be begun again, and at any place.
    waits : bool
        Reading waits for somebody who writes.
    damage : str
        Why the octets end where they do, "" for a regular end; known at the end.
    compression : str
        What the octets were taken out of, "" where they are those of a file.
    remarks : sequence of Remark
        What is to be told of the whole input; known at the end.
    """

    path: str
    consumed = 0
    prompt = False
    again = False
    waits = False
    damage = ""
    compression = ""
    remarks: Sequence[Remark] = ()

    def __init__(self) -> None:
        # The last block that was read, and how much of it was returned.
        self._chunk = b""
        self._given = 0

    @property
    def position(self) -> int:
        """Where in the file the next octet stands."""
        return self.consumed - len(self._chunk) + self._given

    @property
    def taken(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self.consumed

    @property
    def size(self) -> int:
        """Octets from the start to the end, if `again` says that they can be counted."""
        raise NotImplementedError

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end; they are not consumed."""
        octets = self.take(size)
        self.back(octets)
        return octets

    def take(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end."""
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
        """The bytes that match the pattern, among those already read; empty if they do not match."""
        match = pattern.match(self._chunk, self._given, self._given + _CHUNK)
        return self._give(match.end() - self._given) if match else b""

    def back(self, octets: bytes) -> None:
        """Put back the bytes that were returned last."""
        if len(octets) <= self._given:
            self._given -= len(octets)
        else:
            self._chunk = octets + self._chunk[self._given :]
            self._given = 0

    def comes(self, seconds: float) -> bool:
        """Whether octets, or the end, come within so many seconds; False where that cannot be told."""
        return self._given < len(self._chunk) or self._wait(seconds)

    def fill(self, room: memoryview, pauses: Callable[[int], bool]) -> int:
        """Fill `room`, even from a pipe with short reads, and return the number of bytes.

        `pauses` is asked before each read, and at the end, whether so many bytes are enough.
        """
        filled = 0
        while not pauses(filled) and filled < len(room):
            with room[filled:] as part:
                count = self._into(part)
            if not count:
                break
            filled += count
        return filled

    def begin_again(self) -> None:
        """Go back to the start, if `again` says that this is possible."""
        self.begin_at(0)

    def begin_at(self, place: int) -> None:
        """Go on at a place, if `again` says that this is possible."""
        self._chunk = b""
        self._given = 0
        self.consumed = place
        self._seek(place)

    def check(self) -> None:
        """Raise CaptureError if the file shrank."""

    def close(self) -> None:
        """Close the file."""

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

    def _seek(self, place: int) -> None:
        raise NotImplementedError

    def _wait(self, _seconds: float) -> bool:
        return False


class FileInput(Input):
    """A regular file as long as it was when it was opened: what is appended is not read."""

    prompt = True
    again = True

    def __init__(self, path: str, descriptor: int) -> None:
        super().__init__()
        self.path = path
        self._size = os.fstat(descriptor).st_size
        self._position = 0
        # The caller owns the descriptor until this object is complete: a partial object must not close it.
        self._file = io.FileIO(descriptor, closefd=False)

    @property
    def size(self) -> int:
        """Octets of the file when it was opened."""
        return self._size

    def check(self) -> None:
        """Raise CaptureError if the file shrank."""
        require_size(self.path, self._file.fileno(), self._size)

    def close(self) -> None:
        """Close the file."""
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

    def _seek(self, place: int) -> None:
        self._position = self._file.seek(place)


class MemoryInput(Input):
    """Octets in memory."""

    path = "<bytes>"
    prompt = True
    again = True

    def __init__(self, octets: bytes | memoryview) -> None:
        super().__init__()
        self._octets = octets
        self._position = 0

    @property
    def size(self) -> int:
        """Octets of them."""
        return len(self._octets)

    def _read(self, size: int) -> bytes:
        part = bytes(self._octets[self._position : self._position + size])
        self._position += len(part)
        return part

    def _seek(self, place: int) -> None:
        self._position = place


class StreamInput(Input):
    """A file object of the caller's, or of a pipe that was opened for this."""

    def __init__(self, stream: Readable, path: str | None = None) -> None:
        super().__init__()
        name = getattr(stream, "name", None) if path is None else path
        self.path = name if isinstance(name, str) else "<stream>"
        self._stream = stream
        self._own = path is not None
        start = _place(stream)
        self._start = start or 0
        self.again = start is not None
        self.waits = not self.again
        # Its `read` waits for all that was asked for.
        self._buffered = stream if self.waits and isinstance(stream, io.BufferedReader) else None
        # Seekable input does not wait for a writer; an object of the caller's own class stays in this thread.
        self.prompt = self.again and isinstance(stream, io.FileIO | io.BufferedReader | io.BytesIO)
        self._poll = None
        # Data inside a buffered reader cannot be polled for.
        if not self.again and isinstance(stream, io.FileIO) and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(stream, select.POLLIN)

    @property
    def size(self) -> int:
        """Octets from where the stream stood to its end; it stands at the end then."""
        self._stream.seek(0, os.SEEK_END)  # type: ignore[attr-defined]
        return operator.index(self._stream.tell()) - self._start  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close the file."""
        if self._own and isinstance(self._stream, io.FileIO):
            self._stream.close()

    def _read(self, size: int) -> bytes:
        while self._poll and not self._poll.poll(_HEARING_MS):
            pass
        # Only `read` tells the end from a stream that does not block and has nothing now.
        part = (self._buffered.read1(size) if self._buffered else b"") or self._stream.read(size)
        if part is None:
            raise BlockingIOError(errno.EAGAIN, "the stream does not block", self.path)
        if not isinstance(part, bytes):
            raise TypeError(f"{self.path}: read() gave {type(part).__name__}, open the file in binary mode")
        return part

    def _seek(self, place: int) -> None:
        self._stream.seek(self._start + place)  # type: ignore[attr-defined]

    def _wait(self, seconds: float) -> bool:
        return self._poll is not None and bool(self._poll.poll(1000 * seconds))


class Pieces(Input):
    """Octets that a generator gives, in pieces of any length; where it raises DamageError, they end.

    Attributes
    ----------
    is_told : bool
        Whoever reads them has told of damage.  Damage alone does not say that: it may be found while reading ahead.
    found_again : callable, optional
        Makes the same from the archive that they are taken out of, without what stands in front of them there.
    """

    is_told = False
    found_again: Callable[[Input], Pieces] | None = None

    def __init__(self, path: str, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self.path = path
        self._pieces = pieces
        # What of a piece was not asked for yet.
        self._rest = b""
        self._rest_at = 0

    def drain(self) -> None:
        """Read what is left, to the damage if there is any."""
        while self.some(_CHUNK):
            pass

    def _read(self, size: int) -> bytes:
        while self._rest_at == len(self._rest):
            try:
                piece = next(self._pieces, None)
            except DamageError as error:
                self.damage = str(error)
                return b""
            if piece is None:
                return b""
            self._rest, self._rest_at = piece, 0
        part = self._rest[self._rest_at : self._rest_at + size]
        self._rest_at += len(part)
        return part


def _place(stream: object) -> int | None:
    """The position of a stream, None if it cannot seek back to it."""
    try:
        return operator.index(stream.tell()) if stream.seekable() else None  # type: ignore[attr-defined]
    except (AttributeError, OSError, TypeError, ValueError):
        return None

"""Follows files that grow and are rotated: those of a name or a pattern, one after the other, each as a stream.

Knows names and the file system.  Must not know what is in a file.
"""

from __future__ import annotations

import errno
import io
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from ..wire.status import Kind
from .opening import items, natural, open_regular
from .streams import Input
from .views import Remark

__all__ = ["following"]

# Seconds between two looks at a file that has nothing new.
_LOOKS = 0.1
# Octets that tell one content of a file from another: of a pcap file they hold the time of the first packet.
_HEAD = 64


def following(source: str | os.PathLike[str]) -> Generator[Input, None, None]:
    """The files of a path or a pattern, for ever; each ends when the next is there.

    The next file of a path is the one that has the name then.  Those of a pattern stand in natural order, and behind
    the last is the first again: the next is the first behind the present one that was not read, or was begun anew since
    it was.  At the start, the file that was changed last stands at the end.

    Yields
    ------
    Input
        It is good until the next is asked for.

    Raises
    ------
    CaptureError
        Where a name is that of a directory, a socket, a pipe or a device.
    OSError
        Where there is no file at the start, or the system does not let one be read.
    """
    files = _Files(source)
    with closing(files):
        if not files.come():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source)
        while True:
            while not files.come():
                time.sleep(_LOOKS)
            with closing(files.take()) as file:
                yield file


@dataclass(slots=True)
class _Known:
    """What was read of a file: how many octets, and the first of them."""

    size: int = 0
    head: bytes = b""

    def is_lost(self, descriptor: int) -> bool:
        """Whether the file has something else now."""
        return os.fstat(descriptor).st_size < self.size or os.pread(descriptor, len(self.head), 0) != self.head


class _Files:
    """The files of a name or a pattern: what was read of them, and which is the next."""

    def __init__(self, source: str | os.PathLike[str]) -> None:
        self._source = source
        # By device and inode, since files are renamed.
        self._known: dict[tuple[int, int], _Known] = {}
        self._next: _Growing | None = None
        # The file in front of the next.
        self._present = max(self._names(), key=lambda name: (_changed(name), natural(name)), default="")

    def come(self) -> bool:
        """Whether the next file is there."""
        if self._next is None:
            names = self._names()
            behind = bisect_right(names, natural(self._present), key=natural)
            found = map(self._opened, names[behind:] + names[:behind])
            self._next = next(filter(None, found), None)
        return self._next is not None

    def take(self) -> _Growing:
        """The next file, which is there."""
        assert self._next is not None
        file, self._next = self._next, None
        self._present = file.path
        return file

    def close(self) -> None:
        """Close the next file."""
        if self._next is not None:
            self._next.close()

    def _names(self) -> list[str]:
        try:
            return [os.fsdecode(name) for name in items(self._source)]  # type: ignore[arg-type]
        except FileNotFoundError:
            return []

    def _opened(self, name: str) -> _Growing | None:
        """A file that is there and was not read."""
        try:
            file = io.FileIO(name, opener=lambda path, _: open_regular(path))
        except FileNotFoundError:
            return None
        status = os.fstat(file.fileno())
        identity = status.st_dev, status.st_ino
        before = self._known.get(identity)
        if before is not None and not before.is_lost(file.fileno()):
            file.close()
            return None
        known = self._known[identity] = _Known()
        return _Growing(name, file, known, self.come)


def _changed(name: str) -> int:
    """When a file was changed last, 0 where it is gone."""
    try:
        return os.stat(name).st_mtime_ns
    except FileNotFoundError:
        return 0


class _Growing(Input):
    """A file that may grow, until the next is there."""

    waits = True

    def __init__(self, path: str, file: io.FileIO, known: _Known, is_next: Callable[[], bool]) -> None:
        super().__init__()
        self.path = path
        self._file = file
        self._known = known
        self._is_next = is_next
        self.remarks: list[Remark] = []

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, size: int) -> bytes:
        known, is_over = self._known, False
        while not known.is_lost(self._file.fileno()):
            part = self._file.read(size)
            if part or is_over:
                known.size += len(part)
                known.head += part[: _HEAD - len(known.head)]
                return part
            # Whoever writes the next file has written the rest of this one.
            is_over = self._is_next()
            if not is_over:
                time.sleep(_LOOKS)
        found = os.fstat(self._file.fileno()).st_size
        self.remarks[:] = [Remark(Kind.BEGUN_ANEW, known.size, found)]
        return b""

    def _wait(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while os.fstat(self._file.fileno()).st_size <= self._known.size and not self._is_next():
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOKS))
        return True

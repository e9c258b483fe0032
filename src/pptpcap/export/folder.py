"""A folder that gets all its files or none: written beside, renamed, and of one process at a time.

Knows names and no format.  Called by the package.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import BinaryIO

__all__ = ["PART", "Folder"]

PART = ".pptpcap.part"
_LOCK = "lock"
_BUFFER = 64 << 10


class Folder:
    """A context in which files are written into a part of the folder that is removed at its end.

    Parameters
    ----------
    path : str
        The folder; it is made where it is not there.

    Raises
    ------
    BlockingIOError
        On entering, where another process is writing there.
    OSError
        Where the system does not let it be written.

    Attributes
    ----------
    stale : bool
        Another process left its part: it did not come to its end.
    """

    def __init__(self, path: str) -> None:
        self.stale = False
        self._path = path
        self._part = os.path.join(path, PART)
        self._made: list[str] = []
        self._files = contextlib.ExitStack()

    def __enter__(self) -> Folder:
        self._make(self._path)
        self._lock = self._locked()
        for name in os.listdir(self._part):
            if name != _LOCK:
                self.stale = True
                os.unlink(os.path.join(self._part, name))
        return self

    def _make(self, path: str) -> None:
        """Make a folder and those above it, and remember which."""
        above = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(above):
            self._make(above)
        if not os.path.isdir(path):
            os.mkdir(path)
            self._made.append(path)

    def _locked(self) -> int:
        """The lock on the part, which is made; it goes with the process that has it."""
        place = os.path.join(self._part, _LOCK)
        while True:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._part)
            try:
                descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            except FileNotFoundError:
                # Its owner came to its end just now, and removed it.
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.exists(place) and os.path.samestat(os.fstat(descriptor), os.stat(place)):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise BlockingIOError(errno.EAGAIN, "another process is writing there", self._path) from None
            os.close(descriptor)

    def open(self, name: str) -> BinaryIO:
        """A new file in the part, closed at the end of the context at the latest."""
        return self._files.enter_context(open(os.path.join(self._part, name), "xb", buffering=_BUFFER))

    def keep(self, names: Iterable[str], last: str, instead_of: Collection[str]) -> None:
        """Put files in their places.

        Parameters
        ----------
        names : iterable of str
            What was opened.
        last : str
            The file that says of the others that they are there: the old one goes first, the new one comes last.
        instead_of : collection of str
            Files that are removed where there are such.
        """
        # What does not fit on the disk is told here at the latest.
        self._files.close()
        for name in (last, *instead_of):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._path, name))
        for name in (*names, last):
            os.replace(os.path.join(self._part, name), os.path.join(self._path, name))
        self._made.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # What is thrown away may fail to be written.
            with contextlib.suppress(OSError):
                self._files.close()
            for name in os.listdir(self._part):
                if name != _LOCK:
                    os.unlink(os.path.join(self._part, name))
            # The lock last: whoever finds none may begin.
            os.unlink(os.path.join(self._part, _LOCK))
            with contextlib.suppress(OSError):
                os.rmdir(self._part)
                for folder in reversed(self._made):
                    os.rmdir(folder)
        finally:
            os.close(self._lock)

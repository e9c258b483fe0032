"""A folder that gets all its files or none: written beside, renamed, and of one process at a time.

Knows names and no format.  Called by the package.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Collection
from types import TracebackType
from typing import BinaryIO

__all__ = ["PART", "Folder"]

PART = ".pptpcap.part"
_LOCK = "lock"
# While files are put in their places, this one says so.
_MOVING = "moving"
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
        Where the system does not let it be written, or something else is in the place of the folder or of its part.

    Attributes
    ----------
    half : bool
        A process was killed while it put its files in their places.
    """

    def __init__(self, path: str) -> None:
        self.half = False
        self._path = path
        self._part = os.path.join(path, PART)
        self._new = False
        self._files = contextlib.ExitStack()

    def __enter__(self) -> Folder:
        self._lock = self._locked()
        try:
            self.half = os.path.lexists(os.path.join(self._part, _MOVING))
            self._clear()
        except BaseException:
            self._end()
            raise
        return self

    def _locked(self) -> int:
        """The lock on the part, which is made; it goes with the process that has it."""
        place = os.path.join(self._part, _LOCK)
        while True:
            self._new |= _made(self._path)
            # Its owner may come to its end at any moment, and remove it.
            with contextlib.suppress(FileNotFoundError):
                _made(self._part)
                descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.path.samestat(os.fstat(descriptor), os.stat(place)):
                        return descriptor
                except BlockingIOError:
                    os.close(descriptor)
                    raise BlockingIOError(errno.EAGAIN, "another process is writing there", self._path) from None
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(descriptor)

    def open(self, name: str) -> BinaryIO:
        """A new file in the part, closed at the end of the context at the latest."""
        return self._files.enter_context(open(os.path.join(self._part, name), "xb", buffering=_BUFFER))

    def keep(self, names: Collection[str], last: str, instead_of: Collection[str]) -> None:
        """Put files in their places, or leave all as it was.

        Parameters
        ----------
        names : collection of str
            What was opened.
        last : str
            The file that says of the others that they are there: the old one goes first, the new one comes last.
        instead_of : collection of str
            Other files that are removed where there are such.
        """
        # What does not fit on the disk is told here at the latest.
        self._files.close()
        old = [name for name in (last, *names, *instead_of) if self._is_file(name)]
        new = [*names, last]
        with open(os.path.join(self._part, _MOVING), "xb"):
            pass
        try:
            for name in old:
                os.replace(os.path.join(self._path, name), os.path.join(self._part, f"old.{name}"))
            for name in new:
                os.replace(os.path.join(self._part, name), os.path.join(self._path, name))
        except BaseException:
            for name in new:
                if not os.path.lexists(os.path.join(self._part, name)):
                    os.unlink(os.path.join(self._path, name))
            for name in reversed(old):
                if os.path.lexists(os.path.join(self._part, f"old.{name}")):
                    os.replace(os.path.join(self._part, f"old.{name}"), os.path.join(self._path, name))
            raise
        self._new = False

    def _is_file(self, name: str) -> bool:
        """Whether there is such a file; a folder in its place is an error."""
        path = os.path.join(self._path, name)
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, "is a folder, where a file is to be", path)
        return os.path.lexists(path)

    def _clear(self) -> None:
        with os.scandir(self._part) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                elif entry.name != _LOCK:
                    os.unlink(entry.path)

    def _end(self) -> None:
        """Remove the part, and the folder if it is new and empty; then let go of the lock."""
        try:
            self._clear()
            # The lock last: whoever finds none may begin.
            os.unlink(os.path.join(self._part, _LOCK))
            with contextlib.suppress(OSError):
                os.rmdir(self._part)
                if self._new:
                    os.rmdir(self._path)
        finally:
            os.close(self._lock)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is thrown away may fail to be written.
        with contextlib.suppress(OSError):
            self._files.close()
        self._end()


def _made(path: str) -> bool:
    """Make a folder, with those above it, and whether it was not there; something else in its place is an error."""
    try:
        os.makedirs(path)
    except FileExistsError:
        pass
    else:
        return True
    # A link is followed to the folder that is to be written, but not to a part, which is emptied.
    found = os.lstat(path) if os.path.basename(path) == PART else os.stat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "is no folder", path)
    return False

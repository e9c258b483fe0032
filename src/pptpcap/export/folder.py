"""A folder that gets all its files or none: written beside, renamed, and of one process at a time.

Knows names and no format.  Called by the package.
"""

from __future__ import annotations

import _thread
import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Collection
from types import TracebackType
from typing import BinaryIO

from ..crew import Call

__all__ = ["PART", "Folder"]

PART = ".pptpcap.part"
_LOCK = "lock"
# Names of the files that are being put in their places, and before the names of those that they replace.
_MOVING = "moving"
_OLD = "old."
_BUFFER = 64 << 10
# Others may remove what was made just now, but not so often.
_ATTEMPTS = 100


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
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._made: list[str] = []
        self._entered = False
        self._open = contextlib.ExitStack()
        self._files = contextlib.ExitStack()

    def __enter__(self) -> Folder:
        try:
            _undisturbed(self._enter)
        except KeyboardInterrupt:
            if self._entered:
                _undisturbed(self._exit)
            raise
        return self

    def _enter(self) -> None:
        try:
            self._lock()
            # What another process did not bring to its end is as if it had never begun.
            self._undo()
            self._clear()
            self._entered = True
        except BaseException:
            self._leave()
            raise

    def _lock(self) -> None:
        """Make the part, and lock it; the lock goes with the process that has it."""
        for _ in range(_ATTEMPTS):
            self._open.close()
            # Its owner may come to its end at any moment, and remove it.
            with contextlib.suppress(FileNotFoundError):
                self._made += _made(self._path)
                self._folder = self._directory(self._path)
                with contextlib.suppress(FileExistsError):
                    os.mkdir(PART, dir_fd=self._folder)
                self._part = self._directory(PART, os.O_NOFOLLOW, self._folder)
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
                lock = os.open(_LOCK, flags, 0o666, dir_fd=self._part)
                self._open.callback(os.close, lock)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise BlockingIOError(errno.EAGAIN, "another process is writing there", self._path) from None
                if os.path.samestat(os.fstat(lock), os.stat(os.path.join(self._path, PART, _LOCK))):
                    return
        raise FileNotFoundError(errno.ENOENT, "no folder can be made there", self._path)

    def _directory(self, path: str, flags: int = 0, above: int | None = None) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | flags, dir_fd=above)
        except NotADirectoryError:
            where = path if above is None else os.path.join(self._path, path)
            raise NotADirectoryError(errno.ENOTDIR, "is no folder", where) from None
        self._open.callback(os.close, descriptor)
        return descriptor

    def open(self, name: str) -> BinaryIO:
        """A new file in the part, closed at the end of the context at the latest."""
        return self._files.enter_context(open(name, "xb", buffering=_BUFFER, opener=self._opener))

    def _opener(self, name: str, flags: int) -> int:
        return os.open(name, flags, 0o666, dir_fd=self._part)

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
        _undisturbed(lambda: self._keep(names, last, instead_of))

    def _keep(self, names: Collection[str], last: str, instead_of: Collection[str]) -> None:
        # What does not fit on the disk is told here at the latest.
        self._files.close()
        new = [*names, last]
        for name in new:
            os.stat(name, dir_fd=self._part)
        old = [name for name in (last, *names, *instead_of) if self._is_replaced(name)]
        with self.open(_MOVING) as file:
            file.write("\n".join(new).encode())
        try:
            for name in old:
                os.replace(name, _OLD + name, src_dir_fd=self._folder, dst_dir_fd=self._part)
            for name in new:
                os.replace(name, name, src_dir_fd=self._part, dst_dir_fd=self._folder)
        except BaseException:
            self._undo()
            raise
        self._made.clear()

    def _is_replaced(self, name: str) -> bool:
        """Whether there is such a file; a folder in its place is an error."""
        try:
            mode = os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder", os.path.join(self._path, name))
        return True

    def _undo(self) -> None:
        """Take back what was begun to be put in its place, unless all of it was: as often as it is asked for."""
        there = set(os.listdir(self._part))
        if _MOVING not in there:
            return
        with open(_MOVING, "rb", opener=self._opener) as file:
            new = file.read().decode().split("\n")
        if new[-1] not in there:
            return
        for name in new:
            if name not in there:
                with contextlib.suppress(FileNotFoundError):
                    os.replace(name, name, src_dir_fd=self._folder, dst_dir_fd=self._part)
        for name in there:
            if name.startswith(_OLD):
                os.replace(name, name.removeprefix(_OLD), src_dir_fd=self._part, dst_dir_fd=self._folder)
        os.unlink(_MOVING, dir_fd=self._part)

    def _clear(self) -> None:
        with os.scandir(self._part) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.name, dir_fd=self._part)
                elif entry.name != _LOCK:
                    os.unlink(entry.name, dir_fd=self._part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _undisturbed(self._exit)

    def _exit(self) -> None:
        try:
            # What is thrown away may fail to be written.
            with contextlib.suppress(OSError):
                self._files.close()
            # Where it could not be taken back, the next one does.
            self._undo()
            self._clear()
            # The lock last: whoever finds none may begin.
            os.unlink(_LOCK, dir_fd=self._part)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Let go of the lock, and remove the part, and the folders that were made, where they are empty."""
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(self._path, PART))
        with contextlib.suppress(OSError):
            for path in reversed(self._made):
                os.rmdir(path)
        self._open.close()


def _made(path: str) -> list[str]:
    """Make a folder, with those above it; those that were not there."""
    missing = []
    above = os.path.abspath(path)
    while not os.path.lexists(above):
        missing.append(above)
        above = os.path.dirname(above)
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(one)
    return missing[::-1]


def _undisturbed(act: Callable[[], None]) -> None:
    """Do something that Ctrl-C must not leave half done: only the main thread hears it, and raises it behind this."""
    call, heard = Call(act), None
    while True:
        try:
            while not call.has_ended():
                # The second to come does nothing.
                _thread.start_new_thread(call.run, ())
                call.wait()
            break
        except KeyboardInterrupt as error:
            heard = error
        except RuntimeError:
            # The system gives no thread.
            call.run()
    call.result()
    if heard is not None:
        raise heard

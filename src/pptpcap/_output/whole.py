"""A file that is whole or absent, whoever ends the process and when.

Knows files and folders, and no format.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import BinaryIO, TypeAlias

__all__ = ["Identity", "WholeFile", "identity"]

# Device and inode identify a file under any name.
Identity: TypeAlias = tuple[int, int]

_BUFFER = 1 << 20
# Octets of a part that are looked at.
_HEAD = 64
_PART = re.compile(r"\.pptpcap\.[0-9a-f]{16}\.part")
# Systems and file systems without unnamed files; without hard links; whose folders cannot be synced.
_NOT_UNNAMED = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
_NO_SYNC = (errno.EINVAL, errno.EOPNOTSUPP)
_THERE = "is there already, and is not to be overwritten"


class WholeFile:
    """A context with an open file, which gets its name if the context ends without an error, and is removed otherwise.

    Until then the file has no name, so that nothing is left of it where the process is killed.  Where the system has no
    unnamed files, and for the moment in which another file is replaced, its name is that of a part; parts of processes
    that were killed are removed by the next one.  Only the owner can read the file.

    Parameters
    ----------
    path : str
        Its name.
    begin : bytes or tuple of bytes
        What the caller's files begin with, or may begin with.  A part that begins otherwise is not removed.
    overwrite : bool
        Whether a file of that name is replaced.
    spared : collection of (int, int)
        Device and inode of files that are not to be removed, although they are named like parts.

    Raises
    ------
    FileExistsError
        On entering or leaving, where there is such a file and it is not to be replaced.
    OSError
        Where the system does not let it be written, or what would be replaced is no regular file.  It has the path, and
        says so where the file is there all the same.
    """

    def __init__(
        self, path: str, begin: bytes | tuple[bytes, ...], *, overwrite: bool, spared: Collection[Identity] = ()
    ) -> None:
        self._path = path
        self._begin = begin
        self._overwrite = overwrite
        self._spared = spared
        self._folder: int | None = None
        self._file: BinaryIO | None = None
        self._part = ""

    def __enter__(self) -> BinaryIO:
        try:
            with self._errors():
                return self._open()
        except BaseException:
            self._discard()
            raise

    def _open(self) -> BinaryIO:
        folder, name = os.path.split(self._path)
        self._name = name or os.curdir
        self._folder = os.open(folder or os.curdir, os.O_RDONLY | os.O_DIRECTORY)
        self._require_replaceable()
        # A folder that cannot be listed does not prevent writing.
        with contextlib.suppress(OSError):
            for name in filter(_PART.fullmatch, os.listdir(self._folder)):
                with contextlib.suppress(OSError):
                    self._remove_stale(name)
        descriptor = self._unnamed()
        self._file = os.fdopen(self._named() if descriptor is None else descriptor, "wb", _BUFFER)
        return self._file

    def _require_replaceable(self) -> None:
        """Refuse an existing output, unless it is a file to be replaced."""
        if not self._is_there():
            return
        if not self._overwrite:
            raise FileExistsError(errno.EEXIST, _THERE)
        # A link itself is replaced, unless its target is a device or a folder.
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(os.stat(self._name, dir_fd=self._folder).st_mode):
                raise OSError(errno.EINVAL, "is no regular file")

    def _is_there(self) -> bool:
        try:
            os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _remove_stale(self, name: str) -> None:
        """Remove a part whose process has ended."""
        status = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or identity(status) in self._spared:
            return
        descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._folder)
        try:
            # A live process has locked it.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            begins = os.pread(descriptor, _HEAD, 0)
            is_ours = not begins or begins.startswith(self._begin)
            if is_ours and identity(os.fstat(descriptor)) == identity(status):
                os.unlink(name, dir_fd=self._folder)
        finally:
            os.close(descriptor)

    def _unnamed(self) -> int | None:
        """A new unnamed file, None if the file system has none."""
        if not hasattr(os, "O_TMPFILE"):
            return None
        try:
            descriptor = os.open(os.curdir, os.O_RDWR | os.O_TMPFILE, 0o600, dir_fd=self._folder)
        except OSError as error:
            if error.errno in _NOT_UNNAMED:
                return None
            raise
        if os.path.exists(_by_descriptor(descriptor)):
            _lock(descriptor)
            return descriptor
        os.close(descriptor)
        return None

    def _named(self) -> int:
        """A new part."""
        while True:
            self._part = _part_name()
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self._folder)
            _lock(descriptor)
            # Before the lock, another process may have removed it as stale.
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with self._errors():
                    self._finish()
        finally:
            # A signal may come in between.
            try:
                self._discard()
            finally:
                self._discard()

    def _finish(self) -> None:
        assert self._file is not None
        assert self._folder is not None
        self._file.flush()
        # A full disk is reported here at the latest.
        os.fsync(self._file.fileno())
        self._place(self._file.fileno())
        try:
            if self._part:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._part, dir_fd=self._folder)
                self._part = ""
            os.fsync(self._folder)
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise OSError(error.errno, f"is there and whole, but not its folder: {error.strerror}") from error

    def _place(self, descriptor: int) -> None:
        """Give the file its name."""
        folder = self._folder
        unnamed = not self._part
        if self._overwrite:
            if unnamed:
                self._part = _part_name()
                os.link(_by_descriptor(descriptor), self._part, dst_dir_fd=folder)
            os.replace(self._part, self._name, src_dir_fd=folder, dst_dir_fd=folder)
            return
        try:
            if unnamed:
                os.link(_by_descriptor(descriptor), self._name, dst_dir_fd=folder)
            else:
                os.link(self._part, self._name, src_dir_fd=folder, dst_dir_fd=folder)
        except FileExistsError:
            raise FileExistsError(errno.EEXIST, _THERE) from None
        except OSError as error:
            if unnamed or error.errno not in _NO_LINKS:
                raise
            self._require_replaceable()
            os.rename(self._part, self._name, src_dir_fd=folder, dst_dir_fd=folder)

    def _discard(self) -> None:
        """Close everything, and remove the part.  Idempotent."""
        if self._file is not None:
            # A discarded file may fail to be flushed.
            with contextlib.suppress(OSError):
                self._file.close()
        if self._folder is not None:
            if self._part:
                # If this fails, the next process removes it.
                with contextlib.suppress(OSError):
                    os.unlink(self._part, dir_fd=self._folder)
            folder, self._folder = self._folder, None
            with contextlib.suppress(OSError):
                os.close(folder)

    def named(self, error: OSError) -> OSError:
        """The error with the full path, which calls on a descriptor do not know."""
        return OSError(error.errno, error.strerror, self._path)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self.named(error) from error


def _part_name() -> str:
    return f".pptpcap.{secrets.token_hex(8)}.part"


def _by_descriptor(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def identity(status: os.stat_result) -> Identity:
    """What identifies a file."""
    return status.st_dev, status.st_ino


def _lock(descriptor: int) -> None:
    # Without locks, a stale part cannot be recognised, so none is removed.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)

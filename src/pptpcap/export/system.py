"""System calls whose errors name a file, and the errors that may be ignored.

Knows descriptors and errnos.  Must not know what is in a folder.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

from .._input.workers import Crew, Task, come_to

__all__ = ["Inode", "inode", "naming", "remove_empty", "sync_files", "sync_folder"]

# Concurrent fsyncs share commits of the file system's journal.
_SYNCED_AT_ONCE = 8

Inode: TypeAlias = tuple[int, int]


def inode(status: os.stat_result) -> Inode:
    """Identity of a file, the same under all its names."""
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Put this path into any OSError, which has only a name relative to a descriptor, or none."""
    try:
        yield
    except OSError as error:
        error.filename = path
        raise


def remove_empty(path: str, above: int | None = None) -> None:
    """Remove a folder if it is empty and exists."""
    try:
        os.rmdir(path, dir_fd=above)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR):
            raise


def sync_files(files: Mapping[str, int]) -> None:
    """Sync files, given as paths and descriptors, in parallel."""
    calls = [Task(partial(_sync, path, descriptor)) for path, descriptor in files.items()]
    crew = Crew(_SYNCED_AT_ONCE - 1)
    try:
        for call in calls[1:]:
            crew.give(call)
        for number, call in enumerate(calls):
            come_to(call, calls[number:])
    finally:
        crew.close()


def sync_folder(descriptor: int, path: str) -> None:
    """Sync a folder, if the file system supports that."""
    try:
        _sync(path, descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def _sync(path: str, descriptor: int) -> None:
    with naming(path):
        os.fsync(descriptor)

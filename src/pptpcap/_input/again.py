"""Sources that are read twice: which ones can be, and whether they are still what they were.

Knows paths and the file system.  Must not know what is in a file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from typing import TypeAlias

from .opening import Item

__all__ = ["State", "require_unchanged", "state", "states"]

# Device and inode, size, time of the last change.
State: TypeAlias = tuple[tuple[int, int], int, int]


def states(several: Iterable[Item], reader: str) -> dict[str, State]:
    """What identifies each file and its content, by path.

    Raises
    ------
    ValueError
        For input that can be read only once; `reader` is who reads it.
    OSError
        Where there is no such file.
    """
    return {path: state(path) for item in several if (path := _path(item, reader)) is not None}


def _path(item: Item, reader: str) -> str | None:
    """The path of a source, None for bytes."""
    if isinstance(item, bytes | bytearray | memoryview):
        return None
    if not isinstance(item, str | os.PathLike):
        raise ValueError(f"{reader} reads its source twice: give a file, not a file object")
    path = os.fsdecode(item)
    if stat.S_ISFIFO(os.stat(path).st_mode):
        raise ValueError(f"{reader} reads its source twice: {path!r} is a pipe; write it to a file first")
    return path


def state(path: str) -> State:
    """What identifies a file and its content."""
    status = os.stat(path)
    return (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns


def require_unchanged(before: dict[str, State]) -> None:
    """Fail if a file changed: the numbers of both readings match only for the same content."""
    for path, was in before.items():
        if state(path) != was:
            raise OSError(errno.EBUSY, "changed while it was read", path)

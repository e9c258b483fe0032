"""Where output goes: a file that is whole or absent, or what the caller opened.

Must not know what is written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator
from typing import BinaryIO

from .whole import Identity, WholeFile, identity

__all__ = ["opened"]


@contextlib.contextmanager
def opened(
    destination: str | os.PathLike[str] | BinaryIO,
    begin: bytes | tuple[bytes, ...],
    *,
    read: Collection[Identity],
    overwrite: bool,
) -> Iterator[Callable[[bytes], object]]:
    """What writes to the destination.

    Parameters
    ----------
    destination : path or binary file object
        The file, which gets its name when it is whole.
    begin : bytes, or tuple of these
        What a file begins with that may be replaced.
    read : collection of (int, int)
        Device and inode of the files that are read.
    overwrite : bool
        Whether a file that is there is replaced.

    Raises
    ------
    FileExistsError
        Where the destination is there, and is not to be overwritten.
    ValueError
        Where the destination is one of the files that are read.
    """
    if not isinstance(destination, str | os.PathLike):
        yield destination.write
        return
    path = os.fsdecode(destination)
    with contextlib.suppress(OSError):
        if identity(os.stat(path)) in read:
            raise ValueError(f"the output {path!r} is one of the files that are read")
    whole = WholeFile(path, begin, overwrite=overwrite, spared=read)
    with whole as file:

        def write(octets: bytes) -> None:
            try:
                file.write(octets)
            except OSError as error:
                raise whole.named(error) from error

        yield write

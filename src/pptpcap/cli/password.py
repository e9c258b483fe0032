"""Reads a password file: who may read it, and which part of it is the password.

Must not know commands.  The rules are in ``docs/decapsulation.md``.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from typing import BinaryIO, cast

import click

from .._show.words import escape
from .inputs import sources

__all__ = ["read_password"]

# More is no password of anybody (RFC 2759 section 8.3 has 256 letters).
_LONGEST = 1_024


def read_password(path: str, apart_from: Iterable[str], *, insecure: bool) -> str:
    """The first line of a file; neither it nor any part of it is in an error.

    Parameters
    ----------
    path : str
        A file, a pipe, or - for standard input.
    apart_from : iterable of str
        Files that it must not be, under whatever name; one need not be there.
    insecure : bool
        Read it although others may, too.
    """
    (source,) = sources([path])
    with open(path, "rb") if path != "-" else contextlib.nullcontext(cast(BinaryIO, source)) as file:
        if file.isatty():
            raise click.UsageError("The password cannot come from a terminal, which would show it.")
        status = os.fstat(file.fileno())
        for other in apart_from:
            if _is(other, status):
                raise click.UsageError(f"The password file is also {escape(other)}.")
        # The content of a pipe is stored nowhere.
        if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_IRGRP | stat.S_IROTH) and not insecure:
            raise PermissionError(errno.EACCES, "others may read this password: chmod 600, or --insecure", path)
        line = file.readline(len(codecs.BOM_UTF8) + _LONGEST + len(b"\r\n"))
    octets = line.removeprefix(codecs.BOM_UTF8).removesuffix(b"\n").removesuffix(b"\r")
    if not 0 < len(octets) <= _LONGEST:
        raise click.UsageError(f"{escape(path)} does not begin with a password of 1 to {_LONGEST} octets.")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        pass
    # Outside of the handler: the error that was handled holds the octets.
    raise click.UsageError(f"{escape(path)} is not UTF-8.")


def _is(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except OSError:
        return False

"""Sets of files: in which order names stand, and which files of a folder are captures.

Must not know times; see ``_reading.order``.
"""

from __future__ import annotations

import errno
import os
from contextlib import closing, nullcontext

from ..errors import CaptureError
from ..wire.container import READABLE
from .identify import HEAD_SIZE, identify
from .opening import natural, opened, unpacked
from .options import Options

__all__ = ["captures_in"]


def captures_in(folder: str, options: Options) -> tuple[list[str], list[CaptureError]]:
    """The captures in a folder and in the folders inside it, in natural order, and why other files are none.

    Parameters
    ----------
    folder : str
        Links to folders are not followed.
    options : Options
        How a file is read.

    Raises
    ------
    FileNotFoundError
        Where the folder has no capture.
    OSError
        Where the system does not let a folder or a file be read.
    """
    captures: list[str] = []
    others: list[CaptureError] = []
    paths = [os.path.join(place, name) for place, _, names in os.walk(folder, onerror=_raise) for name in names]
    for path in sorted(paths, key=natural):
        try:
            refused = _refusal(path, options)
        except CaptureError as error:
            refused = error
        if refused is None:
            captures.append(path)
        else:
            others.append(refused)
    if not captures:
        raise FileNotFoundError(errno.ENOENT, "no capture in the folder", folder)
    return captures, others


def _refusal(path: str, options: Options) -> CaptureError | None:
    """Why a file, or the first in an archive without a capture, is no capture; CaptureError where it is not opened."""
    if os.path.islink(path) and not os.path.exists(path):
        return CaptureError(path, 0, "a link to nothing", READABLE)
    refused: CaptureError | None = None
    # A named pipe would wait for its writer.
    with closing(unpacked(path)) if os.path.isfile(path) else nullcontext([path]) as files:
        for file in files:
            try:
                with opened(file, options) as view:
                    identify(bytes(view.data[:HEAD_SIZE]), len(view.data), view.path)
                return None
            except CaptureError as error:
                refused = refused or error
    return refused


def _raise(error: OSError) -> None:
    raise error

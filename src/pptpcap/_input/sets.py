"""Sets of files: in which order names stand, and which files of a folder are captures.

Must not know times; see ``_reading.order``.
"""

from __future__ import annotations

import errno
import os

from ..errors import CaptureError
from .identify import HEAD_SIZE, identify
from .opening import natural, opened
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
            with opened(path, options) as view:
                identify(bytes(view.data[:HEAD_SIZE]), len(view.data), path)
        except CaptureError as error:
            others.append(error)
        else:
            captures.append(path)
    if not captures:
        raise FileNotFoundError(errno.ENOENT, "no capture in the folder", folder)
    return captures, others


def _raise(error: OSError) -> None:
    raise error

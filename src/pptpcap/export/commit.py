"""Replaces the files of a folder: all of them or none, or leaves a state that the next run completes.

Knows the order of the steps.  Must not know formats.  At each moment ``capture.json`` lists every file that is ours, so
nothing has to be recovered after a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from .document import NAME
from .folder import OLD, PART, UNFINISHED, Folder

__all__ = ["replace"]


def replace(
    folder: Folder, old: Collection[str], new: Collection[str], unfinished: bytes, finished: bytes, before: bytes
) -> None:
    """Move files from the part into the folder, and remove the old ones.

    Parameters
    ----------
    folder : Folder
        With the new files in its part.
    old : collection of str
        Files of the folder that are replaced or removed.
    new : collection of str
        The new files, without capture.json.
    unfinished, finished : bytes
        What capture.json says meanwhile, where it lists old and new files, and at the end.
    before : bytes
        What it says now, where it is among `old`.

    Raises
    ------
    OSError
        Where the system refuses a step.  A note says in what state the folder is.
    """
    # A full disk fails here, before anything is touched.
    folder.write(UNFINISHED, unfinished)
    folder.write(NAME, finished)
    folder.close()
    steps, in_place = _Steps(), False
    folder.keeps_part = True
    try:
        if NAME in old:
            folder.save(NAME, before)
            steps.make(partial(folder.put, UNFINISHED, NAME), back=partial(folder.put, OLD + NAME, NAME))
        else:
            steps.make(partial(folder.put, UNFINISHED, NAME), back=partial(folder.remove, NAME))
        steps.make(folder.sync, back=folder.sync)
        for name in sorted({*old} - {NAME}):
            steps.make(partial(folder.take, name, OLD + name), back=partial(folder.put, OLD + name, name))
        for name in new:
            steps.make(partial(folder.put, name), back=partial(folder.take, name))
        folder.sync()
        folder.put(NAME)
        in_place = True
        folder.sync()
    except BaseException as error:
        if not isinstance(error, OSError):
            # Ctrl-C may have come just after the last rename.
            in_place = not folder.holds(NAME)
        if in_place:
            folder.keeps_part = False
            note = "the tables are all in place, but may be lost in a power failure"
        else:
            note = _rolled_back(folder, steps)
        # Other errors have a path.
        error.add_note(note if isinstance(error, OSError) else f"{folder.path}: {note}")
        raise
    folder.keeps_part = False


class _Steps:
    """An undo log in memory."""

    def __init__(self) -> None:
        self._back: list[Callable[[], None]] = []
        self._is_begun = False

    def make(self, step: Callable[[], None], back: Callable[[], None]) -> None:
        """Make a step.  A step that raises OSError was not made, so it is not undone."""
        # Logged first: Ctrl-C may come just before the step, and just after it.
        self._is_begun = True
        self._back.append(back)
        try:
            step()
        except OSError:
            self._back.pop()
            self._is_begun = False
            raise
        self._is_begun = False

    def undo(self) -> None:
        """Undo the steps, the last one first."""
        for back in reversed(self._back):
            try:
                back()
            except FileNotFoundError:
                if not self._is_begun:
                    raise
            self._is_begun = False


def _rolled_back(folder: Folder, steps: _Steps) -> str:
    """Roll back, and describe the resulting state.  If this fails, capture.json still lists all files."""
    try:
        steps.undo()
    except OSError as error:
        return (
            f"not all could be put back ({error.strerror}), so {folder.path} is unfinished until the next run; "
            f"old files are in {PART}, which that run removes"
        )
    folder.keeps_part = False
    return "all is as it was before"

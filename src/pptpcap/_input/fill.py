"""Fills windows with bytes that are read or decompressed in other threads, while the previous window is scanned.

Knows threads and units of frames.  Must not know captures, or how a frame is decompressed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from ..wire.limits import ZSTD_WINDOW
from .chunks import Unit, next_unit, unpacked
from .codecs import MAGIC_SIZE, DamageError, name_of, pieces
from .streams import Input
from .workers import Crew, Task, come_to

__all__ = ["MAGIC_SIZE", "Decompressed", "Plain", "name_of"]

Result = TypeVar("Result")

# Seconds after which what has come is looked at, though there is room for more.
_PATIENCE = 0.2
# Memory of waiting units, per thread.
_AHEAD = 8 << 20


class Plain:
    """Uncompressed input, as a `Flow`.

    Where reading the input waits for nobody, the next octets are made while the last are walked.

    Parameters
    ----------
    octets : Input
        The file, from its first octet.
    threads : int
        Threads that may be at work, at most.
    live : bool
        Fill less than there is room for where the rest would have to be waited for.
    """

    def __init__(self, octets: Input, threads: int = 1, *, live: bool = False) -> None:
        self.path = octets.path
        self.damage = ""
        self.beside = octets.prompt
        self.live = live and octets.waits
        self.paused = False
        # When what has come is to be looked at.
        self._due = 0.0
        self._input = octets
        self._crew = Crew(threads) if octets.prompt else None
        self._has_begun = False

    @property
    def consumed(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self._input.taken

    def begin(self, room: memoryview) -> None:
        """Begin to fill `room`.  The caller fills the first one, because it has nothing to scan yet."""
        fill = partial(self._fill, room)
        self._filling = self._begin(fill) if self._has_begun else Task(fill)
        self._has_begun = True

    def filled(self) -> int:
        """Octets in it."""
        count, self.damage = come_to(self._filling, ())
        return count

    def check(self) -> None:
        """Raise CaptureError if the file shrank."""
        self._input.check()

    def close(self) -> None:
        """Close the file."""
        if self._crew is not None:
            # If a thread still reads, a closed descriptor may already belong to another file.
            self._crew.close()
        self._input.close()

    def _fill(self, room: memoryview) -> tuple[int, str]:
        """Number of bytes put into `room`, and the damage after them."""
        return self._input.fill(room, self._pauses), self._input.damage

    def _pauses(self, size: int) -> bool:
        """Whether the octets that have come, of which there are `size`, are to be looked at before more are read."""
        self.paused = False
        if not self.live or not size:
            self._due = 0.0
            return False
        now = time.monotonic()
        self._due = self._due or now + _PATIENCE
        self.paused = now >= self._due or not self._input.comes(self._due - now)
        return self.paused

    def _begin(self, function: Callable[[], Result]) -> Task[Result]:
        call = Task(function)
        if self._crew is not None:
            self._crew.give(call)
        return call


class Decompressed(Plain):
    """Decompressed input, as a `Flow`.

    Units of several frames are decompressed at once, as long as all frames say how long they are; behind the first that
    does not, or is not as it says, and with one thread, a little at a time by one thread.

    Parameters
    ----------
    octets, threads, live
        As for `Plain`.
    max_window : int
        Octets of the window of a zstd frame, at most; one that asks for more raises CaptureError.
    """

    def __init__(self, octets: Input, threads: int = 1, max_window: int = ZSTD_WINDOW, *, live: bool = False) -> None:
        super().__init__(octets, threads, live=live)
        self._threads = threads
        self._max_window = max_window
        # The last frame of the units that were taken, and the size of their content.
        self._name = ""
        self._given = 0
        self._pieces = self._all()
        # The rest of a piece that did not fit into the window.
        self._rest = b""
        self._stopped = False

    def close(self) -> None:
        """Close the file."""
        self._stopped = True
        super().close()

    def _fill(self, room: memoryview) -> tuple[int, str]:
        # Copy each piece while it is in the cache; a buffer for all of them would be fresh memory.
        size = 0
        try:
            while not self._pauses(size) and size < len(room) and not self._stopped:
                piece = self._rest or next(self._pieces, None)
                if piece is None:
                    break
                count = min(len(piece), len(room) - size)
                room[size : size + count] = piece[:count]
                self._rest = piece[count:]
                size += count
        except DamageError as error:
            return size, str(error)
        return size, self._input.damage

    def _all(self) -> Iterator[bytes]:
        if self._crew is not None and self._threads > 1:
            yield from self._in_units()
        yield from pieces(self._input, self._max_window, self._name, self._given)

    def _in_units(self) -> Iterator[bytes]:
        """Decompress units in parallel, as long as there are any."""
        begun: deque[tuple[Unit, Task[list[bytes] | None]]] = deque()
        weight, follows = 0, True
        while True:
            while follows and (len(begun) < self._threads or weight < self._threads * _AHEAD):
                unit = next_unit(self._input)
                if unit is None:
                    follows = False
                else:
                    weight += unit.weight
                    begun.append((unit, self._begin(partial(unpacked, unit))))
            if not begun:
                return
            unit, call = begun.popleft()
            weight -= unit.weight
            found = come_to(call, [later for _, later in begun])
            if found is None:
                # Discard the units after it: one thread reads on from here, so that damage is reported in the same way.
                frames = unit.frames
                for later, needless in begun:
                    needless.claim()
                    frames += later.frames
                self._input.back(b"".join(frames))
                return
            self._name = unit.name or self._name
            self._given += sum(map(len, found))
            yield from found

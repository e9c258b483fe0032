"""Fills windows with bytes that are read or decompressed in other threads, while the previous window is scanned.

Knows threads and units of frames.  Must not know captures, or how a frame is decompressed.
"""

from __future__ import annotations

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

# Octets of memory that units take which wait for their turn, for each thread.
_AHEAD = 8 << 20


class Plain:
    """Input as it lies, as a ``windows.Flow``.

    Where reading the input waits for nobody, the next octets are made while the last are walked.

    Parameters
    ----------
    octets : Input
        The file, from its first octet.
    threads : int
        Threads that may be at work, at most.
    """

    def __init__(self, octets: Input, threads: int = 1) -> None:
        self.path = octets.path
        self.damage = ""
        self.beside = octets.prompt
        self._input = octets
        self._crew = Crew(threads) if octets.prompt else None
        self._has_begun = False

    @property
    def consumed(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self._input.consumed

    def begin(self, room: memoryview) -> None:
        """Begin to fill `room`; the first is left to the caller, who has nothing to walk yet."""
        fill = partial(self._fill, room)
        self._filling = self._begin(fill) if self._has_begun else Task(fill)
        self._has_begun = True

    def filled(self) -> int:
        """Octets in it."""
        count, self.damage = come_to(self._filling, ())
        return count

    def check(self) -> None:
        """Raise CaptureError where the file shrank."""
        self._input.check()

    def close(self) -> None:
        """Let go of the file."""
        if self._crew is not None:
            # A descriptor that is closed while a thread reads may be another file's by then.
            self._crew.close()
        self._input.close()

    def _fill(self, room: memoryview) -> tuple[int, str]:
        """Octets that were put in `room`, and what is wrong behind them."""
        return self._input.fill(room), ""

    def _begin(self, function: Callable[[], Result]) -> Task[Result]:
        call = Task(function)
        if self._crew is not None:
            self._crew.give(call)
        return call


class Decompressed(Plain):
    """What compressed input holds.

    Units of several frames are decompressed at once, as long as all frames say how long they are; behind the first that
    does not, or is not as it says, and with one thread, a little at a time by one thread.

    Parameters
    ----------
    octets, threads
        As for `Plain`.
    max_window : int
        Octets of the window of a zstd frame, at most; one that asks for more raises CaptureError.
    """

    def __init__(self, octets: Input, threads: int = 1, max_window: int = ZSTD_WINDOW) -> None:
        super().__init__(octets, threads)
        self._threads = threads
        self._max_window = max_window
        # The last frame of the units that were taken, and octets that they held.
        self._name = ""
        self._given = 0
        self._pieces = self._all()
        # What did not fit where the piece before it went.
        self._rest = b""
        self._stopped = False

    def close(self) -> None:
        """Let go of the file."""
        self._stopped = True
        super().close()

    def _fill(self, room: memoryview) -> tuple[int, str]:
        # Each piece is copied while the cache has it: memory for all of them would be fresh.
        size = 0
        try:
            while size < len(room) and not self._stopped:
                piece = self._rest or next(self._pieces, None)
                if piece is None:
                    break
                count = min(len(piece), len(room) - size)
                room[size : size + count] = piece[:count]
                self._rest = piece[count:]
                size += count
        except DamageError as error:
            return size, str(error)
        return size, ""

    def _all(self) -> Iterator[bytes]:
        if self._crew is not None and self._threads > 1:
            yield from self._in_units()
        yield from pieces(self._input, self._max_window, self._name, self._given)

    def _in_units(self) -> Iterator[bytes]:
        """Decompress units at once, as long as there are any."""
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
                # Nobody needs what threads make of those behind it; whatever is wrong is told as one thread tells it.
                frames = unit.frames
                for later, needless in begun:
                    needless.claim()
                    frames += later.frames
                self._input.back(b"".join(frames))
                return
            self._name = unit.name or self._name
            self._given += sum(map(len, found))
            yield from found

"""Decompresses input while what came before is walked, and several of its frames at once where they allow it.

Knows threads and neither frames nor captures.  Called by ``source``; its octets are walked through ``windows``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from . import windows
from .crew import Call, Crew
from .frames import MAGIC_SIZE, DamageError, name_of, pieces
from .inputs import Input
from .units import Unit, next_unit, unpacked

__all__ = ["MAGIC_SIZE", "Decompressed", "name_of"]

Result = TypeVar("Result")

# Octets of memory that units take which wait for their turn, for each thread.
_AHEAD = 8 << 20


@dataclass
class _Batch:
    """What is decompressed at once, and whether it was the last."""

    pieces: list[bytes]
    ended: bool = False
    damage: str = ""


class Decompressed:
    """What compressed input holds, as a ``windows.Flow``.

    Where reading the input waits for nobody, the next octets are made while the last are walked: units of several
    frames at once, as long as all frames say how long they are; behind the first that does not, or is not as it says,
    and with one thread, a little at a time by one thread.

    Parameters
    ----------
    octets : Input
        The file, from its first octet.
    threads : int
        Threads that decompress, at most.
    """

    def __init__(self, octets: Input, threads: int = 1) -> None:
        self.path = octets.path
        self.damage = ""
        self._input = octets
        self._threads = threads
        self._crew = Crew(threads) if octets.prompt else None
        # The last frame of the units that were taken, and octets that they held.
        self._name = ""
        self._given = 0
        self._pieces: Iterator[bytes] = iter(())
        self._batches = self._all()
        self._ready: deque[memoryview] = deque()
        self._ended = False
        self._stopped = False

    @property
    def consumed(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self._input.consumed

    def into(self, room: memoryview) -> int:
        """Put the next octets at the start of `room`, say how many; 0 at the end."""
        while not self._ready:
            if self._ended:
                return 0
            self._take(next(self._batches))
        piece = self._ready.popleft()
        count = min(len(piece), len(room))
        room[:count] = piece[:count]
        if count < len(piece):
            self._ready.appendleft(piece[count:])
        return count

    def check(self) -> None:
        """Raise CaptureError where the file shrank."""
        self._input.check()

    def close(self) -> None:
        """Let go of the file."""
        self._stopped = True
        self._batches.close()
        if self._crew is not None:
            # A descriptor that is closed while a thread reads may be another file's by then.
            self._crew.close()
        self._input.close()

    def _take(self, batch: _Batch) -> None:
        self._ready.extend(map(memoryview, batch.pieces))
        self._ended = batch.ended
        self.damage = batch.damage

    def _all(self) -> Generator[_Batch]:
        if self._crew is not None and self._threads > 1:
            yield from self._in_units()
        yield from self._one_by_one()

    def _in_units(self) -> Iterator[_Batch]:
        """Decompress units at once, as long as there are any."""
        begun: deque[tuple[Unit, Call[list[bytes] | None]]] = deque()
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
            found = self._result(call)
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
            yield _Batch(found)

    def _one_by_one(self) -> Iterator[_Batch]:
        """Decompress a little at a time, one batch ahead where there is a thread for it."""
        self._pieces = pieces(self._input, self._name, self._given)
        batch = _Batch([])
        call = self._begin(self._collect)
        while not batch.ended:
            batch = self._result(call)
            if not batch.ended:
                call = self._begin(self._collect)
            yield batch

    def _begin(self, function: Callable[[], Result]) -> Call[Result]:
        call = Call(function)
        if self._crew is not None:
            self._crew.give(call)
        return call

    def _result(self, call: Call[Result]) -> Result:
        # Where no thread has come to it yet, it is the caller's.
        call.run()
        call.wait()
        return call.result()

    def _collect(self) -> _Batch:
        batch = _Batch([])
        size = 0
        try:
            while size < windows.CHUNK and not self._stopped:
                piece = next(self._pieces, None)
                if piece is None:
                    batch.ended = True
                    break
                size += len(piece)
                if piece:
                    batch.pieces.append(piece)
        except DamageError as error:
            batch.ended = True
            batch.damage = str(error)
        return batch

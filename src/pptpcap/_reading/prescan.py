"""Scans the next ranges of a file in threads, each from a guessed start.

A prepared scan is used only if its start, its end and what it knew of the file are those that the walk would pass now,
so a wrong guess costs time and never a row.  Must not know packets or rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from .._input.views import View
from .._input.workers import Crew, Task, come_to
from ..engine import Scan
from ..wire.container import Container

__all__ = ["Ahead", "Stretch"]

# Most steps without guessing; the number doubles after each wrong guess.
_MOST_PATIENCE = 64


class Stretch(NamedTuple):
    """A range to scan: its start, the limit for the start of its last record, and what is known of the file."""

    start: int
    stop: int
    container: Container


class Ahead:
    """Prepared scans of one file.

    Parameters
    ----------
    threads : int
        Scans at once, that of the caller among them; with 1, nothing is scanned ahead.
    scan : callable
        Scans a range of a view; it is called in threads.
    find : callable
        Where in a view, behind an offset, records seem to begin; None where that cannot be told.
    span : callable
        Octets of a range that begins where so many octets of the batch have been walked.
    """

    def __init__(
        self,
        threads: int,
        scan: Callable[[View, Stretch], Scan],
        find: Callable[[View, int, Container], int | None],
        span: Callable[[View, int], int],
    ) -> None:
        self._threads = threads
        self._scan = scan
        self._find = find
        self._span = span
        self._crew = Crew(threads - 1)
        self._begun: deque[tuple[Stretch, Task[Scan]]] = deque()
        # The start of the next range and the bytes of its batch before it; None if nothing can be guessed.
        self._next: tuple[int, int] | None = None
        # Remaining steps without guessing, and their number after the last wrong guess.
        self._patience = 0
        self._penalty = 1

    def take(self, wanted: Stretch) -> Scan | None:
        """The prepared scan of this range; None if the caller has to make it."""
        if not self._begun:
            return None
        found, call = self._begun[0]
        if found == wanted:
            self._penalty = 1
            self._begun.popleft()
            # No thread has claimed it, so the caller makes it.
            if call.claim():
                return None
            return come_to(call, [later for _, later in self._begun])
        self.discard()
        self._penalty = self._patience = min(2 * self._penalty, _MOST_PATIENCE)
        return None

    def begin_behind(self, view: View, own: Stretch, batch_octets: int) -> None:
        """Begin scans of the ranges after the one that the caller is about to scan."""
        if self._is_idle():
            return
        if not self._begun:
            self._next = self._behind(view, own, batch_octets)
        self._fill(view, own.container)

    def begin(self, view: View, start: int, container: Container, batch_octets: int) -> None:
        """Begin scans from `start` on, while the caller does something else."""
        if self._begun and self._begun[0][0].container != container:
            self.discard()
        if self._is_idle():
            self._patience = max(self._patience - 1, 0)
            return
        if not self._begun:
            self._next = start, batch_octets
        self._fill(view, container)

    def discard(self) -> None:
        """Discard all prepared scans.  When this returns, no thread reads the data."""
        for _, call in self._begun:
            if not call.claim():
                call.wait()
        self._begun.clear()
        self._next = None

    def close(self) -> None:
        """End the threads."""
        for _, call in self._begun:
            call.claim()
        self._crew.close()
        self._begun.clear()

    def _is_idle(self) -> bool:
        return self._threads < 2 or self._patience > 0

    def _fill(self, view: View, container: Container) -> None:
        """Begin one scan more than there are threads, so that no thread is idle."""
        while self._next is not None and len(self._begun) <= self._threads:
            self._next = self._submit(view, container, *self._next)

    def _submit(self, view: View, container: Container, start: int, batch_octets: int) -> tuple[int, int] | None:
        """Begin one scan; return the start of the next."""
        octets = self._span(view, batch_octets)
        if octets <= 0:
            batch_octets, octets = 0, self._span(view, 0)
        this = Stretch(start, min(start + octets, len(view.data)), container)
        if this.start >= this.stop:
            return None
        call = Task(partial(self._scan, view, this))
        self._begun.append((this, call))
        self._crew.give(call)
        return self._behind(view, this, batch_octets)

    def _behind(self, view: View, this: Stretch, batch_octets: int) -> tuple[int, int] | None:
        """The guessed start of the range after this one, and the bytes of its batch before it."""
        if this.stop >= len(view.data):
            return None
        start = self._find(view, this.stop, this.container)
        return None if start is None else (start, batch_octets + start - this.start)

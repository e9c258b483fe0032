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

# Steps for which nothing is guessed, at most: twice as many after each guess that was wrong.
_MOST_PATIENCE = 64


class Stretch(NamedTuple):
    """Where a scan begins, where the last of its records begins at the latest, and what is known there."""

    start: int
    stop: int
    container: Container


class Ahead:
    """Scans of one file that were begun before their turn.

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
        # Where the range behind those begins, and octets of its batch before it; None where no more can be guessed.
        self._next: tuple[int, int] | None = None
        # Steps for which nothing is begun, and how many there were after the last wrong guess.
        self._patience = 0
        self._penalty = 1

    def take(self, wanted: Stretch) -> Scan | None:
        """The scan of this range, if it was begun; else it is the caller's to make."""
        if not self._begun:
            return None
        found, call = self._begun[0]
        if found == wanted:
            self._penalty = 1
            self._begun.popleft()
            # Where no thread has come to it yet: the caller is one too.
            if call.claim():
                return None
            return come_to(call, [later for _, later in self._begun])
        self.discard()
        self._penalty = self._patience = min(2 * self._penalty, _MOST_PATIENCE)
        return None

    def begin_behind(self, view: View, own: Stretch, batch_octets: int) -> None:
        """Begin scans of what comes behind a range that the caller is about to scan."""
        if self._is_idle():
            return
        if not self._begun:
            self._next = self._behind(view, own, batch_octets)
        self._fill(view, own.container)

    def begin(self, view: View, start: int, container: Container, batch_octets: int) -> None:
        """Begin scans of what comes from `start` on, where the caller has something else to do."""
        if self._begun and self._begun[0][0].container != container:
            self.discard()
        if self._is_idle():
            self._patience = max(self._patience - 1, 0)
            return
        if not self._begun:
            self._next = start, batch_octets
        self._fill(view, container)

    def discard(self) -> None:
        """Forget what was begun; whoever comes back from this finds no thread at the data."""
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
        """Begin as many scans as there are threads, and one more, so that none waits for the next."""
        while self._next is not None and len(self._begun) <= self._threads:
            self._next = self._submit(view, container, *self._next)

    def _submit(self, view: View, container: Container, start: int, batch_octets: int) -> tuple[int, int] | None:
        """Begin one scan; where the next one begins."""
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
        """Where the range behind one seems to begin, and octets of its batch before it."""
        if this.stop >= len(view.data):
            return None
        start = self._find(view, this.stop, this.container)
        return None if start is None else (start, batch_octets + start - this.start)

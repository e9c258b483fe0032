"""Scans the ranges that come next in threads of its own, each from a guessed start.

Knows how ranges follow each other and neither packets nor rows: what a scan gives is the caller's.  A scan is given
only where it began exactly where the walk stands, knew what the walk knows and was told to end where the walk would
have it end, so that a wrong guess costs time and nothing else.  Called by ``walk``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from .engine import Scan
from .windows import View
from .wire.container import Container

__all__ = ["Ahead", "Range"]

# Steps for which nothing is guessed, at most: twice as many after each guess that was wrong.
_MOST_PATIENCE = 64


class Range(NamedTuple):
    """Where a scan begins, where the last of its records begins at the latest, and what is known there."""

    start: int
    stop: int
    container: Container


class Ahead:
    """Scans of one file that were begun before their turn.

    Parameters
    ----------
    threads : int
        Scans at once; with 1, nothing is scanned ahead.
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
        scan: Callable[[View, Range], Scan],
        find: Callable[[View, int, Container], int | None],
        span: Callable[[View, int], int],
    ) -> None:
        self._threads = threads
        self._scan = scan
        self._find = find
        self._span = span
        self._pool: ThreadPoolExecutor | None = None
        self._idents: set[int] = set()
        self._begun: deque[tuple[Range, Future[Scan]]] = deque()
        # Where the range behind those begins, and octets of its batch before it; None where no more can be guessed.
        self._next: tuple[int, int] | None = None
        self._misses = 0
        self._patience = 0

    def take(self, wanted: Range) -> Scan | None:
        """The scan of this range, if it was begun."""
        if not self._begun:
            return None
        found, future = self._begun.popleft()
        if found == wanted:
            self._misses = 0
            return future.result()
        self._begun.appendleft((found, future))
        self.discard()
        self._misses += 1
        self._patience = min(1 << self._misses, _MOST_PATIENCE)
        return None

    def begin(self, view: View, start: int, container: Container, batch_octets: int) -> None:
        """Begin scans of what comes from `start` on, as many as there are threads."""
        if self._threads < 2:
            return
        if self._begun and self._begun[0][0].container != container:
            self.discard()
        if self._patience:
            self._patience -= 1
            return
        if not self._begun:
            self._next = start, batch_octets
        while self._next is not None and len(self._begun) <= self._threads:
            self._next = self._submit(view, container, *self._next)

    def discard(self) -> None:
        """Forget what was begun; whoever comes back from this finds no thread at the data."""
        for _, future in self._begun:
            future.cancel()
        wait([future for _, future in self._begun if not future.cancelled()])
        self._begun.clear()
        self._next = None

    def close(self) -> None:
        """End the threads."""
        self._begun.clear()
        if self._pool is not None:
            # A reading that nobody finished may be collected in any thread, one of these too.
            self._pool.shutdown(wait=threading.get_ident() not in self._idents, cancel_futures=True)

    def _submit(self, view: View, container: Container, start: int, batch_octets: int) -> tuple[int, int] | None:
        """Begin one scan; where the next one begins."""
        size = len(view.data)
        octets = self._span(view, batch_octets)
        if octets <= 0:
            batch_octets, octets = 0, self._span(view, 0)
        stop = min(start + octets, size)
        if start >= stop or (stop == size and not self._begun):
            # What is left is one range: it is scanned as soon by whoever asks for it.
            return None
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "pptpcap-scan")
        this = Range(start, stop, container)
        self._begun.append((this, self._pool.submit(self._run, view, this)))
        following = self._find(view, stop, container) if stop < size else None
        return None if following is None else (following, batch_octets + following - start)

    def _run(self, view: View, this: Range) -> Any:
        self._idents.add(threading.get_ident())
        return self._scan(view, this)

"""A thread pool whose tasks are run by the first who claims them: a thread, or the caller that needs the result.

Must not know captures.  The pools of the standard library wait forever for a thread that the system accepted and never
ran, for want of memory.  Here nobody waits for an unclaimed task, and a claimed task always ends.
"""

from __future__ import annotations

import _thread
import atexit
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Generic, TypeVar

__all__ = ["Task", "Crew", "come_to"]

Result = TypeVar("Result")

# Seconds for which a thread is waited for that has not begun to run: it may be one that never will.
_LATE = 1.0

# While the interpreter ends, threads stop wherever they want its lock, and who waits for one waits for ever.  So the
# threads of readings that nobody finished are ended before.
_alive: weakref.WeakSet[Crew] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for crew in [*_alive]:
        crew.close()


class Task(Generic[Result]):
    """Something to be done once, by the first who claims it."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._claimed = _thread.allocate_lock()
        self._running = _thread.allocate_lock()
        self._running.acquire()
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def claim(self) -> bool:
        """Whether it is the caller's; then nobody else makes it."""
        return self._claimed.acquire(blocking=False)

    def run(self) -> None:
        """Make the call, unless somebody has claimed it."""
        if not self.claim():
            return
        # Where no thread runs, nobody takes the call out of the crew's list: it must not keep what it was made of.
        function = self._function
        del self._function
        try:
            # Nothing else in this thread may hold on to it: what a scan holds cannot be filled anew.
            self._results.append(function())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._error = error
        finally:
            self._running.release()

    def has_ended(self) -> bool:
        """Whether the call came to its end."""
        return not self._running.locked()

    def wait(self) -> None:
        """Wait for the end of a call that somebody else has claimed."""
        with self._running:
            pass

    def result(self) -> Result:
        """What the call gave or raised, behind `wait`; it is given once."""
        if self._error is not None:
            raise self._error
        return self._results.pop()


def come_to(call: Task[Result], later: Iterable[Task[Any]]) -> Result:
    """What a call gives: whoever waits for it makes it, or, where it is being made, makes those that come later."""
    call.run()
    for other in later:
        if call.has_ended():
            break
        other.run()
    call.wait()
    return call.result()


class Crew:
    """Threads that wait for calls.

    Parameters
    ----------
    most : int
        Threads at most; each is begun when there is something for it to do.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._calls: deque[Task[Any]] = deque()
        self._members: list[_Member] = []
        self._closed = False
        _alive.add(self)

    def give(self, call: Task[Any]) -> None:
        """Let a thread make a call, if one is free before the call is claimed."""
        if self._closed:
            return
        self._calls.append(call)
        if len(self._members) < self._most:
            member = _Member()
            try:
                _thread.start_new_thread(self._work, (member,))
            except RuntimeError:
                # The system gives no more of them.
                self._most = len(self._members)
            else:
                self._members.append(member)
        self._wake()

    def close(self) -> None:
        """End the threads."""
        self._calls.clear()
        self._closed = True
        self._wake()
        members, self._members = self._members, []
        for member in members:
            # A reading that nobody finished may be collected in any thread, one of these too.
            if member.ident != _thread.get_ident():
                member.ended.acquire(timeout=-1 if member.ident else _LATE)

    def _wake(self) -> None:
        for member in self._members:
            # One that is awake looks for calls before it sleeps.
            with suppress(RuntimeError):
                member.sleep.release()

    def _work(self, member: _Member) -> None:
        try:
            member.ident = _thread.get_ident()
            while not self._closed:
                try:
                    self._calls.popleft().run()
                except IndexError:
                    member.sleep.acquire()
        finally:
            member.ended.release()


class _Member:
    """One thread: locks that are held while it sleeps and until it has ended, and its number once it runs."""

    def __init__(self) -> None:
        self.sleep = _thread.allocate_lock()
        self.ended = _thread.allocate_lock()
        self.sleep.acquire()
        self.ended.acquire()
        self.ident = 0

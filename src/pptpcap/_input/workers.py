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

# Seconds to wait for a thread that has not begun to run: it may never.
_LATE = 1.0

# At interpreter exit, a thread that requests the GIL stops, and waiting for it would hang.  So the threads of
# unfinished readings are ended before.
_alive: weakref.WeakSet[Crew] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for crew in [*_alive]:
        crew.close()


class Task(Generic[Result]):
    """A call that the first claimant runs, once."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._claimed = _thread.allocate_lock()
        self._running = _thread.allocate_lock()
        self._running.acquire()
        self._results: list[Result] = []
        self._error: BaseException | None = None

    def claim(self) -> bool:
        """Claim the call; True if the caller is the first."""
        return self._claimed.acquire(blocking=False)

    def run(self) -> None:
        """Run the call, unless it is claimed."""
        if not self.claim():
            return
        # If no thread runs, the crew's queue keeps this object, which must not keep the function's arguments.
        function = self._function
        del self._function
        try:
            # No other reference may stay in this thread: data of a scan cannot be overwritten.
            self._results.append(function())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._error = error
        finally:
            self._running.release()

    def has_ended(self) -> bool:
        """Whether the call has ended."""
        return not self._running.locked()

    def wait(self) -> None:
        """Wait for the end of a claimed call."""
        with self._running:
            pass

    def result(self) -> Result:
        """The result of the call, or its exception, after `wait`; available once."""
        if self._error is not None:
            raise self._error
        return self._results.pop()


def come_to(call: Task[Result], later: Iterable[Task[Any]]) -> Result:
    """The result of a call.  Run it here if it is unclaimed; otherwise run later ones while waiting."""
    call.run()
    for other in later:
        if call.has_ended():
            break
        other.run()
    call.wait()
    return call.result()


class Crew:
    """A pool of threads.

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
        """Queue a call for the threads; whoever claims it first runs it."""
        if self._closed:
            return
        self._calls.append(call)
        if len(self._members) < self._most:
            member = _Member()
            try:
                _thread.start_new_thread(self._work, (member,))
            except RuntimeError:
                # The system refuses another thread.
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
            # The garbage collector may close an unfinished reading in any thread, including one of these.
            if member.ident != _thread.get_ident():
                member.ended.acquire(timeout=-1 if member.ident else _LATE)

    def _wake(self) -> None:
        for member in self._members:
            # A thread that is awake checks the queue before it sleeps.
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
    """One thread: locks that are held while it sleeps and until it ends, and its id once it runs."""

    def __init__(self) -> None:
        self.sleep = _thread.allocate_lock()
        self.ended = _thread.allocate_lock()
        self.sleep.acquire()
        self.ended.acquire()
        self.ident = 0

"""Turns SIGINT, SIGTERM and SIGHUP into an exception, so that clean-up runs, and into the exit code of a shell.

Must not know commands.  Needs the standard library alone, because it is imported before anything slow.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["Interrupted", "at_most", "exit_code", "handle", "ignore_all", "interrupt", "leave"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Shells add the number of the signal to this.
_SHELL = 128

Handler = Callable[[int, FrameType | None], None]

# The first signal that was raised as an exception, 0 before.
_raised = 0


class Interrupted(KeyboardInterrupt):
    """A signal ends the command, wherever it is; the argument is its number."""


def handle(handler: Handler) -> None:
    """Call `handler` for each of the signals but those that were ignored from the start (nohup, background jobs)."""
    # Another thread than the main one cannot, nor is it interrupted.
    with contextlib.suppress(ValueError):
        for number in _SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                signal.signal(number, handler)


def leave(number: int, _: FrameType | None) -> None:
    """Handler: exit at once, for as long as there is nothing to clean up.

    An exception would not do: libraries that are being imported may print it, or make another of it.
    """
    os._exit(_SHELL + number)


def interrupt(number: int, _: FrameType | None) -> None:
    """Handler: raise `Interrupted`, but not into the clean-up after another signal."""
    error = sys.exception()
    while error is not None:
        if isinstance(error, Interrupted):
            return
        error = error.__context__
    global _raised
    _raised = _raised or number
    raise Interrupted(number)


def ignore_all() -> None:
    """Ignore the signals: the command has ended, and Python is about to.

    A handler would not do: while it ends, Python gives them back their default actions, which end the process.
    """
    with contextlib.suppress(ValueError):
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def exit_code(error: BaseException | None = None) -> int:
    """The exit code after a signal, 0 where none came; `error` is what it may have become on its way.

    An import that is interrupted may end in another error.
    """
    if _raised:
        return _SHELL + _raised
    return _SHELL + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 0


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError where the block takes longer."""

    def late(_number: int, _: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

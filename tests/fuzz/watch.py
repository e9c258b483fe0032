"""Runs numbered tasks in processes of their own, and tells which task a process died of or hung in.

Knows nothing of captures: a task is a number, done by a function that gives a line where something is wrong.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

_CONTEXT = multiprocessing.get_context("spawn")
_WAIT = 0.05


class _Job:
    """Tasks `first`, `first` + `step` and so on below `count`, in a process that is started anew behind one that died."""

    def __init__(
        self, work: Callable[..., str | None], arguments: tuple[Any, ...], first: int, step: int, count: int
    ) -> None:
        self.work, self.arguments, self.step, self.count = work, arguments, step, count
        # The task that is being done, when it began, and how many are done.
        self.task = _CONTEXT.Value("q", first, lock=False)
        self.began = _CONTEXT.Value("d", time.monotonic(), lock=False)
        self.done = _CONTEXT.Value("q", 0, lock=False)
        self.faults = _CONTEXT.SimpleQueue()
        self.process: Any = None
        self.start()

    def start(self) -> None:
        self.began.value = time.monotonic() + 10
        shared = (self.task, self.began, self.done, self.faults)
        self.process = _CONTEXT.Process(
            target=_do, args=(self.work, self.arguments, self.step, self.count, *shared), daemon=True
        )
        self.process.start()

    def skip(self) -> None:
        """Go on behind the task that ended the process."""
        self.task.value += self.step
        self.done.value += 1
        if self.task.value < self.count:
            self.start()


def _do(
    work: Callable[..., str | None],
    arguments: tuple[Any, ...],
    step: int,
    count: int,
    task: Any,
    began: Any,
    done: Any,
    faults: Any,
) -> None:
    # Ctrl-C is for the process that watches.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while task.value < count:
        began.value = time.monotonic()
        fault = work(task.value, *arguments)
        if fault is not None:
            faults.put((task.value, fault))
        done.value += 1
        task.value += step


def watch(
    work: Callable[..., str | None],
    arguments: tuple[Any, ...] = (),
    *,
    count: int = 1 << 62,
    jobs: int = 1,
    seconds: float = float("inf"),
    most: float = 60.0,
    first: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[tuple[int, str]]:
    """Do the tasks from `first` to `count`, or until the time is over; give (task, what is wrong with it).

    Parameters
    ----------
    work : callable
        ``work(task, *arguments)``, of a module that a new process can import; None where all is well.
    most : float
        Seconds after which a task counts as hung, and its process is killed.
    progress : callable
        Given the number of tasks done, at the end.
    """
    several = [_Job(work, arguments, first + number, jobs, count) for number in range(jobs)]
    end = time.monotonic() + seconds
    try:
        while any(job.process.is_alive() or job.task.value < count for job in several) and time.monotonic() < end:
            time.sleep(_WAIT)
            for job in several:
                while not job.faults.empty():
                    yield job.faults.get()
                if not job.process.is_alive() and job.task.value < count:
                    yield job.task.value, f"the process ended with {_ending(job.process.exitcode)}"
                    job.skip()
                elif job.process.is_alive() and time.monotonic() - job.began.value > most:
                    job.process.kill()
                    job.process.join()
                    yield job.task.value, f"hung for {most:.0f} s"
                    job.skip()
        for job in several:
            while not job.faults.empty():
                yield job.faults.get()
    finally:
        for job in several:
            job.process.kill()
            job.process.join()
        progress(sum(job.done.value for job in several))


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"

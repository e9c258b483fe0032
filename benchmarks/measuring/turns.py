"""Takes turns: all subjects of a workload, round by round, every answer checked.

Knows the order of a measurement and what becomes of a subject that fails or finds something else, not what is measured.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from . import answers, floor
from .answers import Answer, WrongAnswerError
from .figures import Figures, Workload
from .worker import Worker, WorkerError


class Reader(Protocol):
    """Reads a capture as ``Worker.read`` does."""

    def read(self, path: Path) -> dict[str, Any]:
        """``answer``, ``seconds``, ``processor_seconds``, ``peak_octets``."""


class Floor:
    """The floor's program as a reader.

    Parameters
    ----------
    way : str
        "walk" or "map_and_walk".
    """

    def __init__(self, way: str) -> None:
        self._way = way

    def read(self, path: Path) -> dict[str, Any]:
        """As ``Worker.read``; memory is not looked at."""
        try:
            found = floor.run(path)
        except floor.FloorError as error:
            raise WorkerError(str(error)) from error
        (seconds,), (processor_seconds,) = found[self._way]["seconds"], found[self._way]["processor_seconds"]
        return {
            "answer": answers.of_floor(found),
            "seconds": seconds,
            "processor_seconds": processor_seconds,
            "peak_octets": None,
        }


@dataclass(frozen=True)
class Entrant:
    """A subject with what it reads.

    Parameters
    ----------
    name : str
        Of the subject, as tables have it.
    subject : tuple or str or Worker
        What a ``Worker`` is made with; a way of the floor; or a worker that its caller ends.
    path : Path
        The capture.
    expected : dict
        What is in it.
    may_fail : bool
        Whether the run goes on without this one where it cannot read the capture.
    may_differ : bool
        Whether the run goes on where this one counts otherwise, as long as packets are the same.
    times : int
        How often the subject reads the capture in a turn.
    """

    name: str
    subject: tuple[Any, ...] | str | Worker
    path: Path
    expected: Answer
    may_fail: bool = False
    may_differ: bool = False
    times: int = 1


def take_turns(workload: Workload, entrants: Sequence[Entrant], rounds: int) -> None:
    """Warm up, then let all take turns so many times; figures, those that are absent, and remarks go to the workload.

    Raises
    ------
    WrongAnswerError
        Where a subject finds something else than is expected.
    WorkerError
        Where one fails that may not.
    """
    with ExitStack() as stack:
        running: list[tuple[Entrant, Reader, Figures]] = []
        say(f"{workload.name}: warm up")
        for entrant in entrants:
            reader = _reader(entrant, stack)
            packets, octets = entrant.expected["packets"], entrant.path.stat().st_size
            figures = Figures(entrant.name, packets * entrant.times, octets * entrant.times)
            try:
                found = reader.read(entrant.path)["answer"]
            except WorkerError as error:
                if not entrant.may_fail:
                    raise WorkerError(f"{workload.name}, {entrant.name}: {error}") from error
                workload.absent[entrant.name] = str(error)
                continue
            _check(workload, entrant, found, workload.remarks)
            running.append((entrant, reader, figures))
            workload.figures.append(figures)
        for turn in range(rounds):
            say(f"{workload.name}: round {turn + 1} of {rounds}")
            for entrant, reader, figures in running:
                result = reader.read(entrant.path)
                _check(workload, entrant, result["answer"], [])
                figures.seconds.append(result["seconds"])
                figures.processor_seconds.append(result["processor_seconds"])
                figures.peak_octets = result["peak_octets"]


def _reader(entrant: Entrant, stack: ExitStack) -> Reader:
    if isinstance(entrant.subject, str):
        return Floor(entrant.subject)
    if isinstance(entrant.subject, Worker):
        return entrant.subject
    return stack.enter_context(Worker(*entrant.subject))


def _check(workload: Workload, entrant: Entrant, found: Answer, remarks: list[str]) -> None:
    who, expected = f"{workload.name}, {entrant.name}", entrant.expected
    if not entrant.may_differ:
        answers.require(who, found, expected)
        return
    try:
        answers.require(who, found, expected)
    except WrongAnswerError as error:
        if "packets" in found and found["packets"] != expected["packets"]:
            raise
        remarks.append(str(error).partition(", ")[2])


def say(what: str) -> None:
    """Tell on standard error how far a run is."""
    print(what, file=sys.stderr, flush=True)

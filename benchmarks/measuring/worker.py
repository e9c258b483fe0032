"""One subject in a process of its own: reads the captures that it is told to, says what it found and how long it took.

Knows how time and memory are taken, and nothing of other processes' subjects.  A line of JSON goes in for each read, a
line of JSON comes out.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    # Run by path: this folder's parent is where the package is found.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

if TYPE_CHECKING:
    from measuring.subjects import Subject

# The header of a pcap file over Ethernet: a capture without packets.
_EMPTY_CAPTURE = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


class WorkerError(Exception):
    """The subject failed, as the message says, or its process ended."""


class Worker:
    """A subject's process, for ``with``; it ends with the block.

    Parameters
    ----------
    *subject
        A key of ``subjects.SUBJECTS``, and what that is made with.
    source : Path, optional
        A folder with another ``pptpcap`` than the installed one.
    """

    def __init__(self, *subject: Any, source: Path | None = None) -> None:
        self._name = " ".join(map(str, subject))
        command = [sys.executable, str(Path(__file__).resolve()), json.dumps(subject)]
        environment = dict(os.environ)
        if source:
            environment["PYTHONPATH"] = str(source)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind:
            self._process.kill()
        # Closes the pipes and waits: the process ends when there is no more to read.
        self._process.communicate()

    def read(self, path: Path) -> dict[str, Any]:
        """Read a capture: ``answer``, ``seconds``, ``processor_seconds``, ``peak_octets`` of resident memory so far.

        Raises
        ------
        WorkerError
            Where it could not be read.
        """
        return self._ask("read", path)

    def tables(self, path: Path) -> dict[str, list[Any]]:
        """Of each table of an engine: how many rows, which columns, and a digest of its octets."""
        return self._ask("tables", path)

    def _ask(self, what: str, path: Path) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        line = ""
        try:
            self._process.stdin.write(json.dumps([what, str(path)]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            raise WorkerError(f"the process of {self._name} ended")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise WorkerError(found["error"])
        return found


def _peak_octets(program: bool) -> int:
    """Most resident memory of this process, or of the largest that it ran; never of what it was forked from."""
    try:
        for line in () if program else Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN if program else resource.RUSAGE_SELF).ru_maxrss * unit


def _processor(program: bool) -> float:
    if not program:
        return time.process_time()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(subject: Subject, path: Path) -> tuple[Any, float, float]:
    gc.collect()
    start, processor_start = time.perf_counter(), _processor(subject.PROGRAM)
    result = subject.read(path)
    return result, time.perf_counter() - start, _processor(subject.PROGRAM) - processor_start


def _measured(subject: Subject, path: Path, empty: Path) -> dict[str, Any]:
    result, seconds, processor_seconds = _read(subject, path)
    if subject.PROGRAM or hasattr(subject, "CALLS_TAKEN_OFF"):
        # Starting is no reading: what the same takes over a capture without packets is taken off.  What is too short to
        # be told from that is no more than something to divide by.
        _, start, processor_start = _read(subject, empty)
        seconds, processor_seconds = max(seconds - start, 1e-9), max(processor_seconds - processor_start, 1e-9)
    return {
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "peak_octets": _peak_octets(subject.PROGRAM),
        "answer": subject.answer(result),
    }


def _serve(kind: str, *made_with: Any) -> None:
    # Only here, so that the process which starts programs, whose memory they begin with, is small.
    from measuring.subjects import SUBJECTS

    subject: Any = None
    # What a library prints is no answer.
    answers_to, sys.stdout = sys.stdout, sys.stderr
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.pcap"
        empty.write_bytes(_EMPTY_CAPTURE)
        for line in sys.stdin:
            what, path = json.loads(line)
            try:
                subject = subject or SUBJECTS[kind](*made_with)
                path = Path(path)
                found = subject.tables(path) if what == "tables" else _measured(subject, path, empty)
            except Exception as error:  # noqa: BLE001
                found = {"error": str(error) if type(error) is RuntimeError else f"{type(error).__name__}: {error}"}
            answers_to.write(json.dumps(found) + "\n")
            answers_to.flush()


if __name__ == "__main__":
    _serve(*json.loads(sys.argv[1]))

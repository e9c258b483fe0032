"""One engine in a process of its own: reads the captures that it is told to, says what it found and how long it took.

Knows ``pptpcap.read`` and nothing of the other engine's process.  Run by ``Worker``, which is how ``run`` uses it: a
line of JSON goes in for each read, a line of JSON comes out.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

if __name__ == "__main__":
    # Run by path: this folder's parent is where the package is found.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from measuring import answers


class WorkerError(Exception):
    """The process ended; what it had to say is on standard error."""


class Worker:
    """An engine's process, for ``with``; it ends with the block.

    Parameters
    ----------
    engine : str
        "compiled" or "reference".
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        command = [sys.executable, str(Path(__file__).resolve()), engine]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind:
            self._process.kill()
        # Closes the pipes and waits: the process ends when there is no more to read.
        self._process.communicate()

    def read(self, path: Path) -> dict[str, Any]:
        """Read a capture: ``answer``, ``seconds``, ``processor_seconds``, ``peak_octets`` of resident memory so far."""
        return self._ask("read", path)

    def compare(self, path: Path) -> dict[str, Any]:
        """Read a capture with both engines: ``different`` names the tables that are not equal row for row."""
        return self._ask("compare", path)

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
            raise WorkerError(f"the process of the {self.engine} engine ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def peak_octets() -> int:
    """Most resident memory of this process; the kernel's figure of this image, not of what it was forked from."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _read(path: str, engine: Any) -> dict[str, Any]:
    import pptpcap

    gc.collect()
    start, processor_start = time.perf_counter(), time.process_time()
    capture = pptpcap.read(path, engine=engine)
    return {
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - processor_start,
        "peak_octets": peak_octets(),
        "answer": answers.of_capture(capture),
    }


def _compare(path: str) -> dict[str, Any]:
    import pptpcap

    compiled, reference = pptpcap.read(path), pptpcap.read(path, engine="reference")
    names = {*compiled, *reference}
    # Octets, not values: NaT is not equal to itself.
    return {"different": sorted(name for name in names if compiled[name].tobytes() != reference[name].tobytes())}


def _serve(engine: str) -> None:
    for line in sys.stdin:
        what, path = json.loads(line)
        answer = _compare(path) if what == "compare" else _read(path, engine)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])

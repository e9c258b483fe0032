"""Time and memory of a call, with 1 thread, as calls grow in number: ``python benchmarks/calls.py`` prints the table.

Knows the order of a run: make a capture, read it in a process of its own, check the answer, forget the capture.  No
time is printed unless every answer was right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import answers, machine, tables
from measuring.worker import Worker
from traffic.counts import Counts
from traffic.frames import FILE_HEADER
from traffic.many_calls import many_calls

_SIZES = (10_000, 100_000, 1_000_000)
_HEAD = (
    "calls",
    "packets",
    "MiB",
    "us a call",
    "against the first",
    "us a call, fresh memory",
    "against the first",
    "peak MiB",
    "octets a call",
)


def write(path: Path, calls: int, seed: int) -> answers.Answer:
    """Write a capture of so many calls; what a reader must find in it comes back."""
    counts = Counts()
    octets = len(FILE_HEADER)
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for records in many_calls(calls, seed, counts):
            file.write(records.data)
            octets += len(records)
    return {**answers.promised(counts.promise(octets)), "calls": calls}


def measure(calls: int, seed: int, repeat: int, folder: Path) -> dict[str, Any]:
    """Read a capture of so many calls in a process of its own; each answer must be right.

    The first read takes pages that the kernel has to find and clear; those behind it have some of what it left.
    """
    path = folder / "calls.pcap"
    expected = write(path, calls, seed)
    reads = []
    with Worker("engine", "compiled", 1) as worker:
        for _ in range(1 + repeat):
            reads.append(worker.read(path))
            answers.require("the compiled engine", reads[-1]["answer"], expected)
    return {
        "packets": expected["packets"],
        "octets": path.stat().st_size,
        "fresh_seconds": reads[0]["seconds"],
        "seconds": min(read["seconds"] for read in reads[1:]),
        # Memory of the first read: what a later one adds is that the arrays of the one before are not yet gone.
        "peak_octets": reads[0]["peak_octets"],
    }


def table(figures: dict[int, dict[str, Any]], floor: int) -> str:
    """One row for each number of calls; `floor` is the memory of a process that reads a single call."""
    rows: list[tuple[str, ...]] = []
    first: dict[str, float] = {}
    for calls, found in figures.items():
        times = []
        for which in ("seconds", "fresh_seconds"):
            each = found[which] / calls
            times += [f"{1e6 * each:.2f}", f"{each / first.setdefault(which, each):.2f}"]
        rows.append(
            (
                f"{calls}",
                f"{found['packets']}",
                f"{found['octets'] / 2**20:.0f}",
                *times,
                f"{found['peak_octets'] / 2**20:.0f}",
                f"{(found['peak_octets'] - floor) / calls:.0f}",
            )
        )
    return tables.markdown(_HEAD, rows, texts=0)


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    parser = argparse.ArgumentParser(description="Time and memory of a call as calls grow in number.")
    parser.add_argument("--calls", type=int, nargs="+", default=_SIZES, metavar="N", help="numbers of calls")
    parser.add_argument("--repeat", type=int, default=3, help="reads behind the first, of which the fastest counts (3)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            floor = measure(1, options.seed, 1, folder)["peak_octets"]
            figures = {calls: measure(calls, options.seed, options.repeat, folder) for calls in options.calls}
        except answers.WrongAnswerError as error:
            print(f"wrong answer: {error}", file=sys.stderr)
            return 1
    print(table(figures, floor))
    print()
    print(tables.facts_table(machine.facts()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

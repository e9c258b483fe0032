"""Peak memory and time of ``iterate``, or of ``convert``, as a capture grows: ``python benchmarks/flat.py``.

Knows how large captures are made: they repeat the records of one generated chunk, take 7 GiB of disk, and are removed
at the end.  Each size is read in a process of its own, since a peak never goes down.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import generate
from generate import MIB, Parameters
from measuring import command, goals
from measuring.figures import Workload
from measuring.turns import Entrant, say, take_turns
from measuring.worker import Worker, WorkerError
from traffic.frames import FILE_HEADER

CHUNK = 256


def repeated(chunk: Path, times: int, path: Path) -> None:
    """Write the records of a capture so many times behind one file header."""
    records = chunk.read_bytes()[len(FILE_HEADER) :]
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for _ in range(times):
            file.write(records)


def measured(
    name: str,
    rounds: int,
    seed: int,
    kind: str = "haystack",
    chunk_size: float = CHUNK,
    sizes: Sequence[float] = goals.GROWING_SIZES,
) -> Workload:
    """Captures of some sizes in turns, read by iterate with 1 thread, or by the command convert.

    Parameters
    ----------
    name : str
        "iterate" or "convert".
    rounds, seed : int
        How many rounds; of the generated chunk.
    kind : str
        What traffic the chunk is of.
    chunk_size : float
        MiB of the chunk.
    sizes : sequence of float
        MiB of the captures, each a multiple of that.
    """
    workload = Workload(name, pairs=[(goals.mib(size), goals.mib(sizes[0])) for size in sizes[1:]])
    chunk, promise = generate.kept(Parameters(kind, int(chunk_size * MIB), seed))
    with Worker(name) as worker:
        try:
            worker.read(chunk)
        except WorkerError as error:
            workload.absent = {goals.mib(size): str(error) for size in sizes}
            return workload
    with tempfile.TemporaryDirectory(dir=generate.DATA, prefix=".flat-") as folder:
        entrants = []
        for size in sizes:
            say(f"{name}: {goals.mib(size)}")
            times = round(size / chunk_size)
            path = Path(folder) / f"{size:g}.pcap"
            repeated(chunk, times, path)
            expected = {what: promise[what] * times for what in ("packets", "gre")} | {"damaged": False}
            entrants.append(Entrant(goals.mib(size), (name,), path, expected))
        take_turns(workload, entrants, rounds)
    return workload


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; 1 where an answer was wrong or a goal was not met."""
    parser = argparse.ArgumentParser(description="Peak memory and time as a capture grows.")
    parser.add_argument("--iterate", action="append_const", dest="names", const="iterate", help="this, by default")
    parser.add_argument("--convert", action="append_const", dest="names", const="convert", help="the command")
    parser.add_argument("--workload", choices=generate.WORKLOADS, default="haystack")
    parser.add_argument("--chunk", type=float, default=CHUNK, metavar="MIB", help=f"what is repeated ({CHUNK})")
    sizes = " ".join(map(str, goals.GROWING_SIZES))
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=goals.GROWING_SIZES, metavar="MIB", help=f"of the captures ({sizes})"
    )
    options = command.arguments(parser, given_arguments)
    return command.run(
        lambda: [
            measured(name, options.repeat, options.seed, options.workload, options.chunk, options.sizes)
            for name in options.names or ["iterate"]
        ],
        options.repeat,
    )


if __name__ == "__main__":
    sys.exit(main())

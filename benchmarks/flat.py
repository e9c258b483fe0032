"""Peak memory and time of ``iterate`` as a capture grows: ``python benchmarks/flat.py``, which needs 8 GiB of disk.

Knows the public face of ``pptpcap``.  Each size is read in a process of its own, since a peak never goes down; sizes
take turns.  The captures repeat the records of one generated chunk, and are removed at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import generate
from generate import MIB, Parameters
from traffic.frames import FILE_HEADER

HERE = Path(__file__).resolve().parent
MOST_OCTETS = 200_000_000
MOST_FROM_LINEAR = 0.05
_READ = """
import json, sys, time
sys.path.insert(0, sys.argv[2])
from measuring.worker import peak_octets
import pptpcap
start, batches, packets = time.perf_counter(), 0, 0
for batch in pptpcap.iterate(sys.argv[1]):
    batches, packets = batches + 1, batch.summary.packets
print(json.dumps([time.perf_counter() - start, peak_octets(), packets, batches]))
"""


def repeated(chunk: Path, times: int, path: Path) -> None:
    """Write the records of a capture so many times behind one file header."""
    records = chunk.read_bytes()[len(FILE_HEADER) :]
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for _ in range(times):
            file.write(records)


def read(path: Path) -> list[Any]:
    """Seconds, peak octets, packets, batches of one reading in a new process."""
    command = [sys.executable, "-c", _READ, str(path), str(HERE)]
    found: list[Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def measured(workload: str, mib: float, times: tuple[int, ...], rounds: int, folder: Path) -> bool:
    """Print a row for each size; whether memory was flat and time linear comes back."""
    chunk = folder / "chunk.pcap"
    packets = generate.generate(Parameters(workload, int(mib * MIB)), chunk)["packets"]
    paths = [folder / f"{number}.pcap" for number in times]
    for number, path in zip(times, paths, strict=True):
        repeated(chunk, number, path)
        read(path)
    results: list[list[list[Any]]] = [[] for _ in times]
    for _ in range(rounds):
        for path, of_size in zip(paths, results, strict=True):
            of_size.append(read(path))
    good, first = True, 0.0
    print("| MiB | packets | batches | median s | least s | most s | time over linear | peak MB |")
    print("|----:|--------:|--------:|---------:|--------:|-------:|-----------------:|--------:|")
    for number, path, of_size in zip(times, paths, results, strict=True):
        if any(one[2] != packets * number for one in of_size):
            print(f"wrong answer: {of_size[0][2]} packets, not {packets * number}", file=sys.stderr)
            return False
        seconds, peak = [one[0] for one in of_size], max(one[1] for one in of_size)
        first = first or median(seconds) / number
        linear = median(seconds) / number / first
        good = good and peak < MOST_OCTETS and abs(linear - 1) <= MOST_FROM_LINEAR
        size = path.stat().st_size / MIB
        times_of_one = f"{median(seconds):.3f} | {min(seconds):.3f} | {max(seconds):.3f}"
        print(f"| {size:.1f} | {of_size[0][2]} | {of_size[0][3]} | {times_of_one} | {linear:.3f} | {peak / 1e6:.0f} |")
    print(
        f"\nunder {MOST_OCTETS // 10**6} MB and within {MOST_FROM_LINEAR:.0%} of linear: {'met' if good else 'not met'}"
    )
    return good


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; 1 where an answer was wrong or the goal was not met."""
    parser = argparse.ArgumentParser(description="Peak memory and time of iterate at 1, 2 and 4 times a size.")
    parser.add_argument("--workload", choices=generate.WORKLOADS, default="haystack")
    parser.add_argument("--chunk", type=float, default=256, metavar="MIB", help="what is repeated (256)")
    parser.add_argument("--chunks", type=int, default=4, metavar="N", help="chunks of the smallest capture (4)")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="rounds (5)")
    options = parser.parse_args(given_arguments)
    data = HERE / "data"
    data.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix=".flat-") as folder:
        times = (options.chunks, 2 * options.chunks, 4 * options.chunks)
        return 0 if measured(options.workload, options.chunk, times, options.repeat, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())

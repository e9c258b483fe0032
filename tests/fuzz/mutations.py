"""Real captures damaged at random, through both engines in every way: how many, how long, how much memory.

Knows files and how to damage them, not what is right: ``engines`` judges.  The same seed gives the same inputs
everywhere.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import sys
import time
import zlib
from functools import cache
from pathlib import Path
from random import Random

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from fuzz.engines import Finding, examine
from fuzz.run import FOUND, keep
from fuzz.targets import CAPTURES, damaged
from fuzz.watch import watch

# Octets of a file that are taken: its header, and what stands from some record on.
MOST_OCTETS = 40_000
HEADER = 24
SUFFIXES = (".pcap", ".pcapng", ".gz", ".cap", ".snoop", ".zip", ".xz", ".bz2")
GZIP = b"\x1f\x8b"
# Of the mutations of a compressed file, so many damage the capture inside.  Damage to what is compressed mostly ends at a
# checksum, and the capture behind it is never reached.
SHARE_INSIDE = 0.5
# From this input on, a worker may grow by so much.
SETTLED = 1_000
MOST_GROWTH_KIB = 64 << 10


@cache
def originals(folder: str) -> tuple[Path, ...]:
    """Captures of a folder, in the order of their names."""
    found = sorted(path for path in Path(folder).iterdir() if path.suffix in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder}: no captures")
    return tuple(found)


@cache
def octets_of(path: Path) -> bytes:
    """All octets of a file; the cache keeps them for the many mutations of each."""
    return path.read_bytes()


def inside(data: bytes) -> bytes:
    """What a gzip file holds, as far as it is whole: the first octets of its first member."""
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, MOST_OCTETS)


def mutation(folder: str, seed: int, number: int) -> tuple[str, bytes]:
    """Name of the capture, and the octets that are left of it."""
    rng = Random(f"{seed} {number}")
    paths = originals(folder)
    path = paths[number % len(paths)]
    data = octets_of(path)
    if data.startswith(GZIP) and rng.random() < SHARE_INSIDE:
        data = inside(data)
        return path.name, gzip.compress(damaged(rng, data, rng.choice((200, 2_000, len(data)))), mtime=0)
    if len(data) > MOST_OCTETS:
        # A capture that begins in the middle of one; in pcapng the first blocks are what tells of the others.
        start = rng.choice((HEADER, rng.randrange(HEADER, len(data)))) if path.suffix == ".pcap" else HEADER
        data = data[:HEADER] + data[start : start + MOST_OCTETS]
    return path.name, damaged(rng, data, rng.choice((200, 2_000, len(data))))


def work(task: int, folder: str, seed: int) -> str | None:
    """Task of ``watch``."""
    name, data = mutation(folder, seed, task)
    try:
        # Engines do not decompress; the face does.
        examine(data, window=64 + task % 4000, thorough=task % 16 == 0 or data.startswith(GZIP))
    except Finding as finding:
        return f"{name}: {finding}"
    return _grown(task)


_first_peak = 0


def _grown(task: int) -> str | None:
    global _first_peak
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if task >= SETTLED and not _first_peak:
        _first_peak = peak
    if _first_peak and peak > _first_peak + MOST_GROWTH_KIB:
        return f"memory: {_first_peak} KiB at input {SETTLED}, {peak} KiB now"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Mutate; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=CAPTURES)
    parser.add_argument("--found", type=Path, default=FOUND, help="folder for inputs that fail")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    done = [0]
    findings = 0
    for task, fault in watch(
        work,
        (str(options.folder), options.seed),
        count=options.count,
        jobs=options.jobs,
        progress=lambda count: done.__setitem__(0, count),
    ):
        findings += 1
        print(f"mutation {options.seed}-{task}: {fault}", flush=True)
        keep(
            options.found,
            f"mutation-{options.seed}-{task}",
            mutation(str(options.folder), options.seed, task)[1],
            fault,
        )
    took = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    files = len(originals(str(options.folder)))
    print(
        f"mutations: {done[0]} of {files} captures, seed {options.seed}, {took:.0f} s, "
        f"most resident in one process {peak:.0f} MiB, {findings} findings"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""The fuzzer that needs nothing: numbered inputs of each target through both engines, until the time is over.

Knows the command line and the folder of findings; inputs come from ``targets``, judgement from ``engines``.  The same
seed gives the same inputs everywhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from fuzz.engines import Finding, examine
from fuzz.minimise import minimised
from fuzz.targets import TARGETS, input_of
from fuzz.watch import watch

FOUND = Path("build/fuzz")
# Every so many inputs, the reference is split too, and the public face is asked.
THOROUGH = 8


def fault_of(data: bytes, number: int) -> str | None:
    """What is wrong with an input, None where nothing is."""
    try:
        examine(data, window=24 + number % 200, thorough=number % THOROUGH == 0)
    except Finding as finding:
        return str(finding)
    return None


def work(task: int, names: tuple[str, ...], seed: int) -> str | None:
    """Task of ``watch``: the targets take turns."""
    number, target = divmod(task, len(names))
    return fault_of(input_of(names[target], seed, number), number)


def _dies(task: int, data: bytes, number: int) -> str | None:
    return fault_of(data, number)


def fails_alike(data: bytes, number: int, fault: str) -> bool:
    """Whether an input still does what the fault says; one that ends the process is tried in another one."""
    if "process ended" in fault or "hung" in fault:
        return any(True for _ in watch(_dies, (data, number), count=1, most=15))
    found = fault_of(data, number)
    return found is not None and found.partition(":")[0] == fault.partition(":")[0]


def keep(folder: Path, name: str, data: bytes, fault: str, fails: Callable[[bytes], bool] | None = None) -> Path:
    """Write a failing input and, with `fails`, what is left of it when all that does not matter is taken out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pcap").write_bytes(data)
    (folder / f"{name}.txt").write_text(fault + "\n", encoding="utf-8")
    if fails is None:
        return folder / f"{name}.pcap"
    path = folder / f"{name}.least.pcap"
    path.write_bytes(minimised(data, fails))
    return path


def main(arguments: list[str] | None = None) -> int:
    """Fuzz; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--inputs", type=int, default=1 << 62, help="stop after this many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input, to take one up again")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--target", choices=tuple(TARGETS), action="append", help="all unless said")
    parser.add_argument("--found", type=Path, default=FOUND, help="folder for inputs that fail")
    parser.add_argument("--most", type=int, default=5, help="stop after this many findings")
    options = parser.parse_args(arguments)
    names = tuple(options.target or TARGETS)
    began = time.monotonic()
    done = [0]
    findings = 0
    for task, fault in watch(
        work,
        (names, options.seed),
        count=options.first + options.inputs,
        jobs=options.jobs,
        seconds=options.seconds,
        first=options.first,
        progress=lambda count: done.__setitem__(0, count),
    ):
        number, index = divmod(task, len(names))
        name = f"{names[index]}-{options.seed}-{number}"
        print(f"{name}: {fault}", flush=True)
        data = input_of(names[index], options.seed, number)
        path = keep(options.found, name, data, fault, partial(fails_alike, number=number, fault=fault))
        print(f"{name}: kept as {path}, {path.stat().st_size} octets", flush=True)
        findings += 1
        if findings == options.most:
            break
    took = time.monotonic() - began
    print(f"fuzz: {done[0]} inputs ({', '.join(names)}), seed {options.seed}, {took:.0f} s, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""Time per item for n, 2n and 4n of each hostile shape: it must not grow.

Knows ``shapes`` and the public face.  Prints a table, and ends with 1 where time per item at 4n is more than ``MOST``
times that at n.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from shapes import SHAPES

import pptpcap

# What is linear has 1; caches that no longer hold everything, and a machine that is not quiet, make it more.
MOST = 3.0
FACTORS = (1, 2, 4)
# Of these, the usual n takes less than 2 ms, most of which no item is to blame for: they have as many times n.  4n of the
# options of one block stays below the cap on the length of a block.  Options of a packet are quick at any n: nobody walks them.
TIMES_AS_MANY = {
    "damaged_options": 8,
    "interface_options": 8,
    "extension_headers": 20,
    "carrier_tags": 20,
    "ppp_options": 20,
}


def seconds(data: bytes, repeat: int) -> float:
    """Least processor time of some readings."""
    least = float("inf")
    for _ in range(repeat):
        began = time.process_time()
        pptpcap.read(data, on_corrupt="salvage")
        least = min(least, time.process_time() - began)
    return least


def row(shape: Callable[[int], bytes], count: int, repeat: int) -> list[float]:
    """Nanoseconds an item."""
    return [seconds(shape(factor * count), repeat) / (factor * count) * 1e9 for factor in FACTORS]


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=50_000, help="n")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--shape", choices=tuple(SHAPES), action="append", help="all unless said")
    options = parser.parse_args(arguments)
    print("| shape | " + " | ".join(f"ns an item, {factor * options.count:,}" for factor in FACTORS) + " | 4n / n |")
    print("|---|" + "---:|" * (len(FACTORS) + 1))
    grew = []
    for name in options.shape or SHAPES:
        times = row(SHAPES[name], options.count * TIMES_AS_MANY.get(name, 1), options.repeat)
        growth = times[-1] / times[0]
        if growth > MOST:
            grew.append(name)
        many = f" (n x {TIMES_AS_MANY[name]})" if name in TIMES_AS_MANY else ""
        print(f"| {name}{many} | " + " | ".join(f"{ns:,.0f}" for ns in times) + f" | {growth:.2f} |", flush=True)
    if grew:
        print(f"growth: more than linear: {', '.join(grew)}", file=sys.stderr)
    return 1 if grew else 0


if __name__ == "__main__":
    sys.exit(main())

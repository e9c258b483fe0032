"""Reading compressed captures against decompressing them to nowhere: ``python benchmarks/compressed.py``.

Knows how the captures are compressed, which is as the commands gzip and zstd do it by default.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import generate
from generate import MIB, Parameters
from measuring import answers, command, goals
from measuring.figures import Workload
from measuring.turns import Entrant, say, take_turns

SIZE = 64
WORKLOADS = ("haystack", "tunnel", "control")
_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3


def write(path: Path, compression: str, folder: Path) -> Path:
    """Compress a file; the path of what was written comes back."""
    data = path.read_bytes()
    if compression == "gzip":
        made = folder / f"{path.name}.gz"
        made.write_bytes(gzip.compress(data, _GZIP_LEVEL))
        return made
    zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    made = folder / f"{path.name}.zst"
    made.write_bytes(zstd.compress(data, _ZSTD_LEVEL))
    return made


def measured(rounds: int, seed: int, size: float = SIZE, names: tuple[str, ...] = WORKLOADS) -> list[Workload]:
    """The engine with 1 thread, and one that decompresses, against decompressing alone, in turns."""
    workloads = []
    generate.DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=generate.DATA, prefix=".compressed-") as name_of_folder:
        folder = Path(name_of_folder)
        for compression in goals.COMPRESSIONS:
            for name in names:
                path, promise = generate.kept(Parameters(name, int(size * MIB), seed))
                workload = Workload(goals.compressed(compression, name), pairs=[(goals.ONE, goals.NOWHERE)])
                workloads.append(workload)
                say(f"{workload.name}: compress {size:g} MiB")
                try:
                    small = write(path, compression, folder)
                except ImportError as error:
                    workload.absent[goals.ONE] = f"{error.name} is not installed"
                    continue
                workload.remarks.append(f"{promise['octets'] / small.stat().st_size:.2f} octets in one")
                expected = answers.promised(promise) | {"decompressed_octets": promise["octets"]}
                entrants = [
                    Entrant(goals.ONE, ("engine", "compiled", 1), small, expected),
                    Entrant(goals.NOWHERE, ("nowhere",), small, expected),
                ]
                take_turns(workload, entrants, rounds)
                small.unlink()
    return workloads


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    parser = argparse.ArgumentParser(description="Reading compressed captures against decompressing to nowhere.")
    parser.add_argument("--size", type=float, default=SIZE, metavar="MIB", help=f"before it is compressed ({SIZE})")
    parser.add_argument("--workload", action="append", choices=generate.WORKLOADS, help="may be given again")
    options = command.arguments(parser, given_arguments)
    names = tuple(options.workload or WORKLOADS)
    return command.run(lambda: measured(options.repeat, options.seed, options.size, names), options.repeat)


if __name__ == "__main__":
    sys.exit(main())

"""Writes the benchmarks' captures: ``python benchmarks/generate.py WORKLOAD --size MIB -o FILE``.

Knows the workloads by name and how to keep files; what is in the packets is in ``traffic``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from traffic.control import control_only, many_flows
from traffic.counts import Counts
from traffic.draw import Octets
from traffic.frames import FILE_HEADER
from traffic.mix import HAYSTACK, MIRRORED, TUNNEL, TUNNEL_SMALL, mixed

HERE = Path(__file__).resolve().parent
DATA = HERE / "data"
MIB = 1 << 20


@dataclass(frozen=True)
class Parameters:
    """What a capture is made from; equal parameters give equal bytes.

    Parameters
    ----------
    workload : str
        A key of ``WORKLOADS``.
    octets : int
        Most octets of the file; for many_flows 0 means one message on each connection.
    seed : int
        Any number from 0.
    connections : int
        Connections of many_flows; others take no notice.
    """

    workload: str
    octets: int
    seed: int = 1
    connections: int = 1_000_000


WORKLOADS: dict[str, Callable[[Parameters, int, Counts], Iterator[Octets]]] = {
    "haystack": lambda parameters, octets, counts: mixed(HAYSTACK, octets, parameters.seed, counts),
    "mirrored": lambda parameters, octets, counts: mixed(MIRRORED, octets, parameters.seed, counts),
    "tunnel": lambda parameters, octets, counts: mixed(TUNNEL, octets, parameters.seed, counts),
    "tunnel_small": lambda parameters, octets, counts: mixed(TUNNEL_SMALL, octets, parameters.seed, counts),
    "control": lambda parameters, octets, counts: control_only(octets, parameters.seed, counts),
    "many_flows": lambda parameters, octets, counts: many_flows(
        octets if parameters.octets else None, parameters.seed, counts, parameters.connections
    ),
}

# SHA-256 of each workload at most a MiB long, with seed 1 and a thousand connections.
DIGESTS = {
    "haystack": "1f0bc7471be9fe3dc0f95daa19e6e69df9ea901d422fdbd6e0cf70bd20ac4340",
    "mirrored": "5b014a2fb069bcb619f53d8dbcfb2e5cbc699371e2e39705a74064931d055142",
    "tunnel": "039a5bfdad796f1c44585ce8fa6866ea2c677c301c00d04b7301e7e38d31a48a",
    "tunnel_small": "08615fdae6ea758f505656fdbfcea672bc35d6742e309b46c019f4ec2a092ad6",
    "control": "06cde0e4c7c4a847c08e41246f1399f1344052ba015de737436dac17da084d85",
    "many_flows": "910d910efbd27d8fbd32c7bbf8cafeec4e3fb156c249189672f569387479f55d",
}


def write(parameters: Parameters, file: BinaryIO) -> dict[str, Any]:
    """Write a capture to an open file.

    Parameters
    ----------
    parameters : Parameters
        What to write.
    file : binary file
        Open for writing, at its start.

    Returns
    -------
    dict
        What the capture holds, see ``Counts.promise``.

    Raises
    ------
    KeyError
        Where there is no such workload.
    """
    counts = Counts()
    octets = file.write(FILE_HEADER)
    room = max(parameters.octets - octets, 0)
    for records in WORKLOADS[parameters.workload](parameters, room, counts):
        file.write(records.data)
        octets += len(records)
    return counts.promise(octets)


def generate(parameters: Parameters, path: Path) -> dict[str, Any]:
    """Make sure that `path` is the capture of these parameters, with its promise in ``path.json`` beside it.

    Parameters
    ----------
    parameters : Parameters
        What to write.
    path : Path
        The capture; written beside and renamed, left alone where it is there already.

    Returns
    -------
    dict
        What the capture holds, see ``Counts.promise``.
    """
    beside = path.with_name(path.name + ".json")
    made_from = {"parameters": asdict(parameters), "generator": _generator()}
    try:
        kept = json.loads(beside.read_text())
        if kept["made_from"] == made_from and path.stat().st_size == kept["promise"]["octets"]:
            return dict(kept["promise"])
    except (OSError, ValueError, KeyError):
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    promise: dict[str, Any] = {}
    beside.unlink(missing_ok=True)
    replace(path, lambda file: promise.update(write(parameters, file)))
    text = json.dumps({"made_from": made_from, "promise": promise}, indent=2)
    replace(beside, lambda file: file.write(text.encode()))
    return promise


def kept(parameters: Parameters) -> tuple[Path, dict[str, Any]]:
    """The capture of these parameters in ``DATA``, and what it holds; made where it is not there yet."""
    connections = f"-{parameters.connections}" if parameters.workload == "many_flows" else ""
    size = f"{parameters.octets / MIB:.6g}"
    path = DATA / f"{parameters.workload}{connections}-{size}MiB-seed{parameters.seed}.pcap"
    return path, generate(parameters, path)


def replace(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write a file whole or not at all: beside its place, then renamed."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
        part = Path(folder) / path.name
        with part.open("wb") as file:
            fill(file)
        os.replace(part, path)


@cache
def _generator() -> str:
    """Which generator this is: a digest of its source."""
    digest = hashlib.sha256()
    for source in (HERE / "generate.py", *sorted((HERE / "traffic").glob("*.py"))):
        digest.update(source.read_bytes())
    return digest.hexdigest()


class _Digest:
    """A file that keeps nothing but the digest of what is written to it."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, octets: Any) -> int:
        self.sha256.update(octets)
        return memoryview(octets).nbytes


def digest(workload: str) -> str:
    """SHA-256 of a workload as listed in ``DIGESTS``."""
    file: Any = _Digest()
    write(Parameters(workload, MIB, 1, 1_000), file)
    return str(file.sha256.hexdigest())


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    parser = argparse.ArgumentParser(description="Write a capture that the benchmarks run on.")
    parser.add_argument("workload", nargs="?", choices=WORKLOADS)
    parser.add_argument(
        "--size",
        type=float,
        default=64,
        metavar="MIB",
        help="most MiB of the file (64); many_flows: 0 for one message each",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connections", type=int, default=1_000_000, help="connections of many_flows (1000000)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="compare a MiB of each workload with its SHA-256")
    options = parser.parse_args(arguments)
    if options.check:
        wrong = {name: found for name, known in DIGESTS.items() if (found := digest(name)) != known}
        for name, found in wrong.items():
            print(f"{name}: SHA-256 is {found}, not {DIGESTS[name]}", file=sys.stderr)
        return 1 if wrong else 0
    if options.workload is None or options.output is None:
        parser.error("give a workload and -o FILE, or --check")
    parameters = Parameters(options.workload, int(options.size * MIB), options.seed, options.connections)
    print(json.dumps(generate(parameters, options.output), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

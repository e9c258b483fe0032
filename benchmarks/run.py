"""Measures the engine against the floor, its twin and other tools, in one run: ``make bench``.

Knows which subjects are measured on which captures, and which other measurements the table of goals needs; how turns
are taken is in ``measuring``.  No time is printed unless every answer was right.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import compressed
import flat
import generate
import leaving
import many_flows
import peers
from generate import MIB, Parameters
from measuring import answers, command, floor, goals, machine, plot, tables
from measuring.figures import FLOOR, FLOOR_MAPPING, REFERENCE, Workload, pptpcap
from measuring.turns import Entrant, say, take_turns
from measuring.worker import Worker

DEFAULT_WORKLOADS = ("haystack", "mirrored", "tunnel", "control")
DEFAULT_SIZE = 256
# Sizes on which those that are slow by nature take about a second: the reference and the peers that decode.
SMALL_SIZES = {"haystack": 16, "mirrored": 16, "tunnel": 16, "tunnel_small": 4, "control": 1, "many_flows": 1}
SMALL_SIZE_OF_FILE = 4
PLOT = floor.BUILD / "ratios.svg"


@dataclass(frozen=True)
class Captures:
    """The capture of a workload, a smaller one for slow subjects, and what is in them.

    Parameters
    ----------
    name : str
        Of the workload.
    path, small : Path
        The captures; without `small` nothing slow is run.
    expected, expected_small : dict
        What is in them, see ``answers``.
    given : bool
        Whether the capture is the user's: it may be of a kind that others do not know.
    """

    name: str
    path: Path
    small: Path | None
    expected: answers.Answer
    expected_small: answers.Answer
    given: bool = False


def generated(name: str, size: float, small_size: float, options: argparse.Namespace) -> Captures:
    """A workload of the generator."""
    found: list[Any] = []
    for mib in (size, small_size):
        say(f"{name}: {mib:g} MiB")
        found.append(generate.kept(Parameters(name, int(mib * MIB), options.seed, options.connections)))
    (path, promise), (small, small_promise) = found
    return Captures(name, path, small, answers.promised(promise), answers.promised(small_promise))


def given(path: Path, small_size: float) -> Captures:
    """A capture of the user's: what the engine finds first is what all others must find again."""
    small = path if path.stat().st_size <= small_size * MIB else beginning_of(path, int(small_size * MIB))
    with Worker("engine", "compiled", 1) as worker:
        expected = worker.read(path)["answer"]
        expected_small = worker.read(small)["answer"] if small else {}
    return Captures(path.name, path, small, expected, expected_small, given=True)


def beginning_of(path: Path, octets: int) -> Path | None:
    """The first records of a pcap file, in the folder of generated captures; None for another format."""
    with path.open("rb") as file:
        data = file.read(octets)
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
    if data[:4] not in order or len(data) < 24:
        return None
    end = 24
    while end + 16 <= len(data):
        (captured,) = struct.unpack_from(order[data[:4]] + "I", data, end + 8)
        if end + 16 + captured > len(data):
            break
        end += 16 + captured
    beginning = generate.DATA / "given-beginning.pcap"
    generate.DATA.mkdir(parents=True, exist_ok=True)
    generate.replace(beginning, lambda file: file.write(data[:end]))
    return beginning


def entrants(captures: Captures, workload: Workload, threads: Sequence[int], without: Sequence[str]) -> list[Entrant]:
    """All subjects of a workload; those that cannot be run are named in it, with the reason."""
    # Of what the user's capture holds, others need not know everything.
    lenient: dict[str, Any] = {"may_fail": captures.given, "may_differ": captures.given}
    large, small = (captures.path, captures.expected), (captures.small, captures.expected_small)
    found = [
        Entrant(FLOOR, "walk", *large, **lenient),
        Entrant(FLOOR_MAPPING, "map_and_walk", *large, **lenient),
        *(Entrant(pptpcap(number), ("engine", "compiled", number), *large) for number in threads),
    ]
    for name in (*peers.PEERS, REFERENCE):
        why = "left out, as --without says" if name in without else peers.absent(name) if name in peers.PEERS else ""
        if not why and name in peers.PEERS and captures.name == "mirrored":
            why = "it is not told to look into VXLAN"
        path, expected = large if name == "tcpdump" else small
        if not why and path is None:
            why = "the file is long, and no pcap file that could be cut"
        if why or path is None:
            workload.absent[name] = why
        elif name == REFERENCE:
            found.append(Entrant(name, ("engine", "reference", 1), path, expected))
        else:
            found.append(Entrant(name, ("peer", name), path, expected, may_fail=True, may_differ=captures.given))
    return found


def measured(captures: Captures, options: argparse.Namespace) -> Workload:
    """All subjects of a workload in turns, after the two engines have given equal tables."""
    one, cores = pptpcap(1), machine.cores()
    threads = sorted({1, min(2, cores), options.threads})
    workload = Workload(captures.name)
    if 2 not in threads:
        workload.absent[pptpcap(2)] = "this process may use one core"
    others = [pptpcap(number) for number in threads if number > 1]
    workload.pairs = [(one, FLOOR), (one, FLOOR_MAPPING), *((one, other) for other in others)]
    workload.pairs += [(other, one) for other in (*peers.PEERS, REFERENCE)]
    running = entrants(captures, workload, threads, options.without)
    if captures.small and REFERENCE not in workload.absent:
        require_equal_tables(captures.name, captures.small)
    take_turns(workload, running, options.repeat)
    return workload


def require_equal_tables(name: str, path: Path) -> None:
    """Raise where the two engines' tables are not equal row for row."""
    with Worker("engine", "compiled", 1) as compiled, Worker("engine", "reference", 1) as reference:
        of_compiled, of_reference = compiled.tables(path), reference.tables(path)
    names = of_compiled.keys() | of_reference.keys()
    different = sorted(table for table in names if of_compiled.get(table) != of_reference.get(table))
    if different:
        raise answers.WrongAnswerError(f"{name}: the engines differ in {', '.join(different)}")


def of_goals(options: argparse.Namespace, not_run: dict[str, str]) -> list[Workload]:
    """What the goals are about besides the workloads; what is too large by default is named with its command."""
    if options.workload or options.file:
        return []
    found = [many_flows.measured(options.repeat, options.seed)]
    found += compressed.measured(options.repeat, options.seed)
    found += leaving.measured(options.repeat, options.seed)
    for name in goals.GROWING:
        if options.full:
            found.append(flat.measured(name, options.repeat, options.seed))
        else:
            not_run[name] = f"`python benchmarks/flat.py --{name}` does, on 8 GiB of disk, and so does --full"
    return found


def arguments(given_arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure the engine against the floor and others, in one run.")
    add: Any = parser.add_argument
    add("--workload", action="append", choices=generate.WORKLOADS, help="only this; may be given again")
    add("--size", type=float, metavar="MIB", help=f"of each workload's capture ({DEFAULT_SIZE})")
    add("--full", action="store_true", help="all goals, at the sizes at which they are stated; 13 GiB of disk")
    add("--small-size", type=float, metavar="MIB", help="of the capture for what is slow by nature (1 to 16)")
    add("--threads", type=int, default=machine.cores(), metavar="N", help="beside 1 and 2 (all cores)")
    add("--without", action="append", default=[], choices=(*peers.PEERS, REFERENCE), help="leave this out")
    add("--repeat", type=int, default=5, metavar="N", help="rounds (5)")
    add("--seed", type=int, default=1, help="of the generated captures (1)")
    add("--connections", type=int, default=1_000_000, metavar="N", help="of many_flows (1000000)")
    add("--file", type=Path, action="append", metavar="CAPTURE", help="only this capture; may be given again")
    add("--json", type=Path, metavar="OUT", help="write all figures to this file too")
    add("--plot", type=Path, default=PLOT, metavar="OUT", help="where ratios to the floor are drawn, .svg or .png")
    options = parser.parse_args(given_arguments)
    if options.repeat < 1 or options.threads < 1:
        parser.error("--repeat and --threads must be at least 1")
    if options.full and options.size is not None:
        parser.error("--full and --size exclude each other")
    return options


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    options = arguments(given_arguments)
    facts = machine.facts() | {name: peers.version(name) for name in peers.PEERS if not peers.absent(name)}
    names = options.workload or (() if options.file else DEFAULT_WORKLOADS)
    not_run: dict[str, str] = {}

    def measure() -> list[Workload]:
        workloads = []
        for name in names:
            size = options.size
            if size is None:
                size = goals.STATED_SIZES[name] if options.full else DEFAULT_SIZE
            small = SMALL_SIZES[name] if options.small_size is None else options.small_size
            workloads.append(measured(generated(name, size, small, options), options))
        for path in options.file or ():
            small = SMALL_SIZE_OF_FILE if options.small_size is None else options.small_size
            workloads.append(measured(given(path, small), options))
        return workloads + of_goals(options, not_run)

    workloads = command.attempt(measure)
    if isinstance(workloads, int):
        return workloads
    some = bool(options.workload or options.file)
    chosen = goals.of_workloads(workload.name for workload in workloads) if some else goals.GOALS
    judged = goals.verdicts(workloads, not_run, chosen)
    print(tables.report(workloads, judged, facts, options.repeat))
    print(f"\n{plot.draw(workloads, options.plot)}")
    if options.json:
        whole = {"machine": facts, "workloads": [asdict(workload) for workload in workloads]}
        whole["goals"] = [{**asdict(one), "met": one.met} for one in judged]
        options.json.write_text(json.dumps(whole, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

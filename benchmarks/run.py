"""Measures both engines against the floor, in one run: ``python benchmarks/run.py``, which is what ``make bench`` does.

Knows the order of a run: make the captures, warm up, check every answer, take turns, print.  No time is printed unless
every answer was right.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import generate
from generate import MIB, Parameters
from measuring import answers, floor, machine, tables
from measuring.tables import COMPILED, FLOOR, FLOOR_MAPPING, REFERENCE, Figures, Workload
from measuring.worker import Worker, WorkerError

DATA = Path(__file__).resolve().parent / "data"
DEFAULT_WORKLOADS = ("haystack", "tunnel", "control")
DEFAULT_SIZE = 256
# Sizes at which the project's goals are stated, and sizes on which the reference takes about a second.
FULL_SIZES = {"haystack": 2048, "tunnel": 1024, "tunnel_small": 1024, "control": 256, "many_flows": 0}
REFERENCE_SIZES = {"haystack": 16, "tunnel": 16, "tunnel_small": 4, "control": 1, "many_flows": 1}
REFERENCE_SIZE_OF_FILE = 4


class Subject:
    """What is measured on one workload: the capture, the smaller one of the reference, and what is in them.

    Parameters
    ----------
    name : str
        Of the workload.
    path, small : Path
        The capture, and a smaller one of the same kind for the reference; None where there is none.
    expected, expected_small : dict
        What is in them, see ``answers``; empty where that is not known beforehand.
    """

    def __init__(
        self, name: str, path: Path, small: Path | None, expected: answers.Answer, expected_small: answers.Answer
    ) -> None:
        self.name = name
        self.path = path
        self.small = small
        self.expected = expected
        self.expected_small = expected_small
        self.remarks: list[str] = []


def generated(name: str, size: float, small_size: float, options: argparse.Namespace) -> Subject:
    """A workload of the generator."""
    paths, promises = [], []
    for mib in (size, small_size):
        parameters = Parameters(name, int(mib * MIB), options.seed, options.connections)
        connections = f"-{options.connections}" if name == "many_flows" else ""
        path = DATA / f"{name}{connections}-{mib:g}MiB-seed{options.seed}.pcap"
        say(f"{name}: {mib:g} MiB")
        promises.append(answers.promised(generate.generate(parameters, path)))
        paths.append(path)
    return Subject(name, paths[0], paths[1], promises[0], promises[1])


def given(path: Path, small_size: float) -> Subject:
    """A capture of the user's: the answers of the first reading are what all others must find again."""
    subject = Subject(path.name, path, None, {}, {})
    if path.stat().st_size <= small_size * MIB:
        subject.small = path
    else:
        subject.small = beginning_of(path, int(small_size * MIB))
    if subject.small is None:
        subject.remarks.append("reference engine not run: the file is long, and no pcap file that could be cut")
    return subject


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
    beginning = DATA / "given-beginning.pcap"
    DATA.mkdir(parents=True, exist_ok=True)
    generate.replace(beginning, lambda file: file.write(data[:end]))
    return beginning


def measured(subject: Subject, repeats: int) -> Workload:
    """Warm up, check, then let all take turns `repeats` times; every answer of every turn is checked."""
    with ExitStack() as stack:
        compiled = stack.enter_context(Worker("compiled"))
        reference = stack.enter_context(Worker("reference")) if subject.small else None
        expected, expected_small = subject.expected, subject.expected_small

        say(f"{subject.name}: warm up")
        first = compiled.read(subject.path)["answer"]
        answers.require(f"{subject.name}, {COMPILED}", first, expected or first)
        expected = expected or first
        with_floor = try_floor(subject, first)
        if reference and subject.small:
            first = reference.read(subject.small)["answer"]
            answers.require(f"{subject.name}, {REFERENCE}", first, expected_small or first)
            expected_small = expected_small or first
            with Worker("compiled") as both:
                different = both.compare(subject.small)["different"]
            if different:
                raise answers.WrongAnswerError(f"{subject.name}: the engines differ in {', '.join(different)}")

        size, packets = subject.path.stat().st_size, expected["packets"]
        floors = [Figures(FLOOR, packets, size), Figures(FLOOR_MAPPING, packets, size)] if with_floor else []
        of_compiled = Figures(COMPILED, packets, size)
        figures = [*floors, of_compiled]
        if reference and subject.small:
            of_reference = Figures(REFERENCE, expected_small["packets"], subject.small.stat().st_size)
            figures.append(of_reference)
        for turn in range(repeats):
            say(f"{subject.name}: round {turn + 1} of {repeats}")
            if floors:
                found = floor.run(subject.path)
                if subject.expected:
                    answers.require(f"{subject.name}, {FLOOR}", answers.of_floor(found), expected)
                for figures_of_one, times in zip(floors, (found["walk"], found["map_and_walk"]), strict=True):
                    figures_of_one.seconds += times["seconds"]
                    figures_of_one.processor_seconds += times["processor_seconds"]
            one_turn(subject.name, compiled, subject.path, of_compiled, expected)
            if reference and subject.small:
                one_turn(subject.name, reference, subject.small, of_reference, expected_small)
    return Workload(subject.name, figures, subject.remarks)


def one_turn(name: str, worker: Worker, path: Path, figures: Figures, expected: answers.Answer) -> None:
    """One read, checked, and its figures kept."""
    result = worker.read(path)
    answers.require(f"{name}, {figures.subject}", result["answer"], expected)
    figures.seconds.append(result["seconds"])
    figures.processor_seconds.append(result["processor_seconds"])
    figures.peak_octets = result["peak_octets"]


def try_floor(subject: Subject, of_engine: answers.Answer) -> bool:
    """Whether the floor can walk this file; what it counts must be right, but on a user's file need not be all."""
    try:
        found = answers.of_floor(floor.run(subject.path))
    except floor.FloorError as error:
        if subject.expected:
            raise
        subject.remarks.append(f"floor not run: {error}")
        return False
    if subject.expected:
        answers.require(f"{subject.name}, {FLOOR}", found, subject.expected)
    else:
        answers.require(f"{subject.name}, {FLOOR}", {"packets": found["packets"]}, of_engine)
        for name in ("control_segments", "gre"):
            if found[name] != of_engine[name]:
                subject.remarks.append(
                    f"{name}: the floor counts {found[name]}, the engine {of_engine[name]}; the floor knows neither "
                    "VLAN tags, IPv6 extension headers nor fragments, and takes all GRE for Enhanced GRE"
                )
    return True


def report(workloads: list[Workload], facts: dict[str, str], peers: dict[str, str], repeats: int) -> str:
    """All of a run in Markdown."""
    remarks = [f"* {workload.name}: {remark}" for workload in workloads for remark in workload.remarks]
    remarks += [f"* not run: {name} ({why})" for name, why in peers.items()]
    return "\n".join(
        (
            "## Ratios\n",
            tables.ratios_table(workloads),
            "\nTime per packet over time per packet, round by round; `by processor` is the median of the same with the",
            "processor's time, which other processes disturb less.  The reference reads a smaller capture of the same",
            "workload.  Both engines gave equal tables on that one, and every answer of every round was as promised.",
            "\n## Figures\n",
            tables.figures_table(workloads),
            f"\n{repeats} rounds, all subjects in turn in each, after one round to warm up; files in the page cache.",
            "Peak memory is the resident memory of the process, pages of the mapped file included.",
            "\n## Machine\n",
            tables.facts_table(facts),
            *(["\n## Remarks\n", *remarks] if remarks else []),
        )
    )


def say(what: str) -> None:
    """Tell on standard error how far the run is."""
    print(what, file=sys.stderr, flush=True)


def arguments(given_arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure both engines against the floor, in one run.")
    add: Any = parser.add_argument
    add("--workload", action="append", choices=generate.WORKLOADS, help="may be given again; haystack, tunnel, control")
    add("--size", type=float, metavar="MIB", help=f"of each workload's capture ({DEFAULT_SIZE})")
    add("--full", action="store_true", help="the sizes at which the goals are stated, up to 2048 MiB")
    add("--reference-size", type=float, metavar="MIB", help="of the capture that the reference reads (1 to 16)")
    add("--repeat", type=int, default=5, metavar="N", help="rounds (5)")
    add("--seed", type=int, default=1, help="of the generated captures (1)")
    add("--connections", type=int, default=1_000_000, metavar="N", help="of many_flows (1000000)")
    add("--file", type=Path, action="append", metavar="CAPTURE", help="measure this capture; may be given again")
    add("--json", type=Path, metavar="OUT", help="write all figures to this file too")
    options = parser.parse_args(given_arguments)
    if options.repeat < 1:
        parser.error("--repeat must be at least 1")
    if options.full and options.size is not None:
        parser.error("--full and --size exclude each other")
    return options


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    options = arguments(given_arguments)
    facts, peers = machine.facts(), machine.peers()
    names = options.workload or (() if options.file else DEFAULT_WORKLOADS)
    workloads = []
    try:
        for name in names:
            size = FULL_SIZES[name] if options.full else DEFAULT_SIZE if options.size is None else options.size
            small = REFERENCE_SIZES[name] if options.reference_size is None else options.reference_size
            workloads.append(measured(generated(name, size, small, options), options.repeat))
        for path in options.file or ():
            small = REFERENCE_SIZE_OF_FILE if options.reference_size is None else options.reference_size
            workloads.append(measured(given(path, small), options.repeat))
    except answers.WrongAnswerError as error:
        say(f"wrong answer, so there are no times: {error}")
        return 1
    except (WorkerError, floor.FloorError, OSError, subprocess.CalledProcessError) as error:
        say(f"the run failed: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    print(report(workloads, facts, peers, options.repeat))
    if options.json:
        whole = {"machine": facts, "peers": peers, "workloads": [asdict(workload) for workload in workloads]}
        options.json.write_text(json.dumps(whole, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What rows take on their way out of the arrays, against reading alone and others: ``python benchmarks/leaving.py``.

Knows which ways are measured against which.  Frames are compared with reading the capture, text with what Polars and
DuckDB take for the same rows, what the commands print with what tshark and tcpdump print of the same packets.
"""

from __future__ import annotations

import argparse
import sys

import generate
import peers
from generate import MIB, Parameters
from measuring import answers, command, goals
from measuring.figures import Workload
from measuring.turns import Entrant, take_turns

SIZE, PRINTED_SIZE = 256, 20


def frames(rounds: int, seed: int, size: float = SIZE) -> Workload:
    """Enhanced GRE as a frame of Polars, whole and two columns of it."""
    path, promise = generate.kept(Parameters("tunnel", int(size * MIB), seed))
    expected = answers.promised(promise)
    workload = Workload(goals.FRAMES, pairs=[(goals.WHOLE_FRAME, goals.ONE), (goals.TWO_COLUMNS, goals.WHOLE_FRAME)])
    ways = ((goals.WHOLE_FRAME, ()), (goals.TWO_COLUMNS, ("time", "sequence_number")))
    entrants = [Entrant(goals.ONE, ("engine", "compiled", 1), path, expected)]
    entrants += [Entrant(name, ("frame", *columns), path, expected) for name, columns in ways]
    take_turns(workload, entrants, rounds)
    return workload


def texts(kind: str, rounds: int, seed: int, size: float = SIZE) -> Workload:
    """The rows of Enhanced GRE as CSV or JSON lines, each from the capture to a file."""
    path, promise = generate.kept(Parameters("tunnel", int(size * MIB), seed))
    expected = {"packets": promise["packets"], "lines": promise["gre"]}
    workload = Workload(goals.text(kind), pairs=[(goals.OURS, other) for other in goals.WRITERS])
    entrants = [Entrant(who, ("text", who, kind), path, expected) for who in (goals.OURS, *goals.WRITERS)]
    take_turns(workload, entrants, rounds)
    return workload


def printed(rounds: int, seed: int, size: float = PRINTED_SIZE) -> Workload:
    """What the commands print of control messages."""
    path, promise = generate.kept(Parameters("control", int(size * MIB), seed))
    expected = {name: promise[name] for name in ("packets", "messages")} | {"is_empty": False}
    workload = Workload(goals.PRINTED, pairs=[(way, program) for way in goals.COMMANDS for program in goals.PRINTERS])
    entrants = [Entrant(way, ("printed", *way.split()), path, expected) for way in goals.COMMANDS]
    for name in goals.PRINTERS:
        if why := peers.absent(name):
            workload.absent[name] = why
        else:
            entrants.append(Entrant(name, ("printed", name), path, expected, may_fail=True))
    take_turns(workload, entrants, rounds)
    return workload


def measured(rounds: int, seed: int, size: float = SIZE, printed_size: float = PRINTED_SIZE) -> list[Workload]:
    """All of them."""
    found = [frames(rounds, seed, size)]
    found += [texts(kind, rounds, seed, size) for kind in goals.TEXTS]
    return [*found, printed(rounds, seed, printed_size)]


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; 1 where an answer was wrong or a goal was not met."""
    parser = argparse.ArgumentParser(description="What rows take on their way out of the arrays.")
    parser.add_argument("--size", type=float, default=SIZE, metavar="MIB", help=f"of the tunnel ({SIZE})")
    parser.add_argument(
        "--printed-size",
        type=float,
        default=PRINTED_SIZE,
        metavar="MIB",
        help=f"of the control traffic ({PRINTED_SIZE})",
    )
    options = command.arguments(parser, given_arguments)
    return command.run(
        lambda: measured(options.repeat, options.seed, options.size, options.printed_size), options.repeat
    )


if __name__ == "__main__":
    sys.exit(main())

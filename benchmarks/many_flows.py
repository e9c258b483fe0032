"""Time per packet of a million connections against a thousand: ``python benchmarks/many_flows.py``.

Knows what is compared: captures of as many messages, one each of many connections, or a thousand times as many of each
of fewer.  Called by ``run`` for the table of goals.
"""

from __future__ import annotations

import argparse
import sys

import generate
from generate import Parameters
from measuring import answers, command, goals
from measuring.figures import Workload
from measuring.turns import Entrant, take_turns


def measured(
    rounds: int, seed: int, most: int = goals.MOST_CONNECTIONS, fewest: int = goals.FEWEST_CONNECTIONS
) -> Workload:
    """The engine with 1 thread on captures of two numbers of connections, in turns."""
    path, promise = generate.kept(Parameters("many_flows", 0, seed, most))
    # As many messages: with one for each connection, fewer connections would measure little but the call.
    fewer_path, fewer_promise = generate.kept(Parameters("many_flows", promise["octets"], seed, fewest))
    workload = Workload(goals.CONNECTIONS)
    workload.remarks.append(
        f"time per packet, 1 thread: a message of each of {most} connections against as many messages of {fewest}"
    )
    workload.remarks.append(
        "memory kept: the process gives no memory back, so that no page is fresh behind the first round; what is more "
        "without it is the kernel's, which finds and clears pages"
    )
    entrants = []
    for kept in (False, True):
        names = [goals.connections(number, memory_kept=kept) for number in (most, fewest)]
        workload.pairs.append((names[0], names[1]))
        for name, file, counts in zip(names, (path, fewer_path), (promise, fewer_promise), strict=True):
            # A process for each: memory that one capture left would be there for the other.
            engine = ("engine", "compiled", 1)
            entrants.append(Entrant(name, engine, file, answers.promised(counts), keeps_memory=kept))
    take_turns(workload, entrants, rounds)
    return workload


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    parser = argparse.ArgumentParser(description="Time per packet of many connections against few.")
    parser.add_argument("--most", type=int, default=goals.MOST_CONNECTIONS, metavar="N", help="connections (1000000)")
    parser.add_argument("--fewest", type=int, default=goals.FEWEST_CONNECTIONS, metavar="N", help="connections (1000)")
    options = command.arguments(parser, given_arguments)
    return command.run(lambda: [measured(options.repeat, options.seed, options.most, options.fewest)], options.repeat)


if __name__ == "__main__":
    sys.exit(main())

"""Time per packet of a million connections against a thousand: ``python benchmarks/many_flows.py``.

Knows what is compared: captures of one message of each connection, and of as many messages of fewer connections.
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
    few_path, few_promise = generate.kept(Parameters("many_flows", 0, seed, fewest))
    long_path, long_promise = generate.kept(Parameters("many_flows", promise["octets"], seed, fewest))
    workload = Workload(goals.CONNECTIONS)
    workload.remarks.append(
        f"time per packet, 1 thread: a message of each of {most} connections against one of each of {fewest}, which "
        "are read again and again and from which the calls are taken off, and against as many messages of those"
    )
    names = [
        goals.connections(most),
        goals.connections(fewest),
        goals.connections(fewest, a_message_each=False),
    ]
    workload.pairs += [(names[0], name) for name in names[1:]]
    times = max(most // fewest, 1)
    entrants = [
        Entrant(names[0], ("engine", "compiled", 1), path, answers.promised(promise)),
        Entrant(names[1], ("often", "compiled", 1, times), few_path, answers.promised(few_promise), times=times),
        Entrant(names[2], ("engine", "compiled", 1), long_path, answers.promised(long_promise)),
    ]
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

"""What all commands that measure have in common: options, what becomes of an error, what is printed.

Knows figures and goals, not what is measured.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable

from . import goals, machine, tables
from .answers import WrongAnswerError
from .figures import Workload
from .floor import FloorError
from .turns import say
from .worker import WorkerError


def arguments(parser: argparse.ArgumentParser, given: list[str] | None) -> argparse.Namespace:
    """The command line, with what every command takes."""
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="rounds (5)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated captures (1)")
    options = parser.parse_args(given)
    if options.repeat < 1:
        parser.error("--repeat must be at least 1")
    return options


def attempt(measure: Callable[[], list[Workload] | int]) -> list[Workload] | int:
    """What was measured, or the exit code of it, or that where nothing may be printed."""
    try:
        return measure()
    except WrongAnswerError as error:
        say(f"wrong answer, so there are no times: {error}")
        return 1
    except (WorkerError, FloorError, OSError, subprocess.CalledProcessError) as error:
        say(f"the run failed: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def run(measure: Callable[[], list[Workload]], rounds: int) -> int:
    """Measure and print, with the goals that this is about; the exit code comes back, 1 where one is not met."""
    facts = machine.facts()
    workloads = attempt(measure)
    if isinstance(workloads, int):
        return workloads
    judged = goals.verdicts(workloads, {}, goals.of_workloads(workload.name for workload in workloads))
    judged = [one for one in judged if one.met is not None or one.why_not != goals.NOT_ASKED_FOR]
    print(tables.report(workloads, judged, facts, rounds))
    return 1 if any(one.met is False for one in judged) else 0

"""The goals that the project has set itself, as data, and whether figures meet them.

Knows the names of workloads and subjects and no times.  A goal is a ratio of times per packet within a round, of which
the median counts, or a peak of memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .figures import FLOOR, REFERENCE, Workload, pptpcap

ONE, TWO = pptpcap(1), pptpcap(2)

# MiB of the captures at which the goals are stated; many_flows has a message for each connection.
STATED_SIZES = {
    "haystack": 2048,
    "mirrored": 1024,
    "tunnel": 1024,
    "tunnel_small": 1024,
    "control": 256,
    "many_flows": 0,
}

CONNECTIONS = "many connections"
MOST_CONNECTIONS, FEWEST_CONNECTIONS = 1_000_000, 1_000
COMPRESSIONS = ("gzip", "zstd")
NOWHERE = "decompressing to nowhere"
GROWING = ("iterate", "convert")
GROWING_SIZES = (1024, 2048, 4096)
FRAMES, WHOLE_FRAME, TWO_COLUMNS = "frames", "to_polars", "two columns, lazily"
TEXTS = ("csv", "jsonl")
OURS, WRITERS = "convert", ("polars", "duckdb")
PRINTED, COMMANDS = "printed", ("messages", "messages --json", "calls --json")
PRINTERS = ("tcpdump", "tshark")
NOT_ASKED_FOR = "not asked for"
_MOST_FROM_LINEAR = 0.05
_MOST_OCTETS = 200_000_000


@dataclass(frozen=True)
class Goal:
    """A ratio of times per packet that is to be `least` at least or `most` at most, or both.

    Parameters
    ----------
    workload : str
        Where both subjects are measured.
    above, below : str
        The subjects.
    least, most : float, optional
        The bounds.
    """

    workload: str
    above: str
    below: str
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        if self.least is None:
            bounds = f"at most {self.most:g}"
        else:
            bounds = f"at least {self.least:g}" if self.most is None else f"{self.least:g} to {self.most:g}"
        return f"{self.above} / {self.below}: {bounds}"

    def measured(self, workload: Workload) -> list[float]:
        """The ratio of each round."""
        return workload.ratios(self.above, self.below)[0]


@dataclass(frozen=True)
class MemoryGoal:
    """A peak of resident memory, in MB, that is to be under `under`."""

    workload: str
    subject: str
    under: float

    def __str__(self) -> str:
        return f"{self.subject}: peak memory under {self.under:g} MB"

    def measured(self, workload: Workload) -> list[float]:
        """The peak, a single number."""
        figures = workload.of(self.subject)
        return [] if figures is None or figures.peak_octets is None else [figures.peak_octets / 1e6]


def mib(size: float) -> str:
    """The name of a subject that reads so many MiB."""
    return f"{size:g} MiB"


def connections(number: int, *, a_message_each: bool = True) -> str:
    """The name of a subject that reads so many connections, of one message each or of as many as another's."""
    return f"{number} connections" + ("" if a_message_each else " of as many messages")


def compressed(compression: str, workload: str) -> str:
    """The name of a workload in compressed files."""
    return f"{workload}, {compression}"


def text(kind: str) -> str:
    """The name of a workload that writes text."""
    return f"rows as {kind}"


GOALS: tuple[Goal | MemoryGoal, ...] = (
    Goal("haystack", ONE, FLOOR, most=1.1),
    Goal("mirrored", ONE, FLOOR, most=1.3),
    Goal("tunnel", ONE, FLOOR, most=1.6),
    Goal("control", ONE, FLOOR, most=4),
    *(Goal(name, ONE, TWO, least=1.7) for name in ("haystack", "tunnel", "control")),
    Goal("haystack", "tcpdump", ONE, least=1.7),
    Goal("tunnel", "tcpdump", ONE, least=1.4),
    Goal("control", "tcpdump", ONE, least=1.4),
    *(
        Goal(name, subject, ONE, least=least)
        for subject, least in (("tshark", 200), ("dpkt", 80), ("scapy", 1500), (REFERENCE, 100))
        for name in ("haystack", "tunnel", "control")
    ),
    *(MemoryGoal(name, mib(GROWING_SIZES[-1]), _MOST_OCTETS / 1e6) for name in GROWING),
    *(
        Goal(name, mib(size), mib(GROWING_SIZES[0]), 1 - _MOST_FROM_LINEAR, 1 + _MOST_FROM_LINEAR)
        for name in GROWING
        for size in GROWING_SIZES[1:]
    ),
    *(
        Goal(
            CONNECTIONS,
            connections(MOST_CONNECTIONS),
            connections(FEWEST_CONNECTIONS, a_message_each=each),
            most=3,
        )
        for each in (True, False)
    ),
    *(
        Goal(compressed(compression, name), ONE, NOWHERE, most=1.15)
        for compression in COMPRESSIONS
        for name in ("haystack", "tunnel", "control")
    ),
    Goal(FRAMES, WHOLE_FRAME, ONE, most=1.15),
    Goal(FRAMES, TWO_COLUMNS, WHOLE_FRAME, most=0.6),
    *(Goal(text(kind), OURS, other, most=1) for kind in TEXTS for other in WRITERS),
    *(Goal(PRINTED, way, other, most=1) for way in COMMANDS for other in PRINTERS),
    *(MemoryGoal(PRINTED, way, _MOST_OCTETS / 1e6) for way in COMMANDS),
)


@dataclass(frozen=True)
class Verdict:
    """A goal, what was measured, and whether it is met; without a measurement, why there is none."""

    goal: Goal | MemoryGoal
    measured: list[float]
    why_not: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median is within the bounds; None where nothing was measured."""
        if not self.measured:
            return None
        middle = median(self.measured)
        if isinstance(self.goal, MemoryGoal):
            return middle < self.goal.under
        least, most = self.goal.least, self.goal.most
        return (least is None or middle >= least) and (most is None or middle <= most)


def verdicts(
    workloads: Iterable[Workload], not_run: Mapping[str, str], goals: Sequence[Goal | MemoryGoal] = GOALS
) -> list[Verdict]:
    """A verdict on each goal.

    Parameters
    ----------
    workloads : iterable of Workload
        What was measured.
    not_run : mapping of str to str
        Workloads that were not measured, each with why.
    goals : sequence
        Which goals.
    """
    by_name = {workload.name: workload for workload in workloads}
    found = []
    for goal in goals:
        workload = by_name.get(goal.workload)
        if workload is None:
            found.append(Verdict(goal, [], not_run.get(goal.workload, NOT_ASKED_FOR)))
            continue
        subjects = (goal.above, goal.below) if isinstance(goal, Goal) else (goal.subject,)
        why = [f"{name}: {workload.absent[name]}" for name in subjects if name in workload.absent]
        found.append(Verdict(goal, goal.measured(workload), "; ".join(why) or NOT_ASKED_FOR))
    return found


def of_workloads(names: Iterable[str]) -> list[Goal | MemoryGoal]:
    """The goals that are about some workloads."""
    chosen = set(names)
    return [goal for goal in GOALS if goal.workload in chosen]

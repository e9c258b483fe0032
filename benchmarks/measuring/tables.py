"""The tables of a run in Markdown, from seconds that were measured and answers that were right.

Knows figures and their units, not how they came to be.  Called by ``run``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Figures:
    """Times of one subject on one file, a number for each round.

    Parameters
    ----------
    subject : str
        What was measured.
    packets, octets : int
        Of the file.
    seconds, processor_seconds : list of float
        One for each round, on the wall and of the processor.
    peak_octets : int or None
        Most resident memory of its process.
    """

    subject: str
    packets: int
    octets: int
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    peak_octets: int | None = None


@dataclass
class Workload:
    """All figures of one workload, what was not run and why, and remarks."""

    name: str
    figures: list[Figures]
    remarks: list[str] = field(default_factory=list)

    def ratios(self, above: str, below: str) -> tuple[list[float], list[float]]:
        """Time per packet of one subject over that of another, round by round: on the wall, of the processor.

        Both are empty where one of the two was not run.
        """
        by_name = {figures.subject: figures for figures in self.figures}
        if above not in by_name or below not in by_name:
            return [], []
        x, y = by_name[above], by_name[below]
        scale = y.packets / x.packets
        wall = [scale * a / b for a, b in zip(x.seconds, y.seconds, strict=True)]
        return wall, [scale * a / b for a, b in zip(x.processor_seconds, y.processor_seconds, strict=True)]


FLOOR, FLOOR_MAPPING, COMPILED, REFERENCE = "floor", "floor and mapping", "compiled engine", "reference engine"

# What the project aims at: the compiled engine's time over the floor's at most, the reference's over its at least.
MOST_OVER_FLOOR = {"haystack": 1.1, "tunnel": 1.6, "control": 4.0}
LEAST_OVER_COMPILED = 100.0

_FIGURES_HEAD = ("workload", "subject", "MiB", "packets", "median s", "least s", "most s", "ns a packet", "packets/s")
_RATIOS_HEAD = ("workload", "ratio", "median", "least", "most", "by processor", "goal")


def figures_table(workloads: list[Workload]) -> str:
    """One row for each subject and workload."""
    rows = []
    for workload in workloads:
        for one in workload.figures:
            middle = median(one.seconds)
            rows.append(
                (
                    workload.name,
                    one.subject,
                    f"{one.octets / 2**20:.0f}",
                    f"{one.packets}",
                    f"{middle:.4f}",
                    f"{min(one.seconds):.4f}",
                    f"{max(one.seconds):.4f}",
                    f"{1e9 * middle / one.packets:.1f}",
                    f"{one.packets / middle / 1e6:.3f} M",
                    f"{one.octets / middle / 1e9:.3f}",
                    "" if one.peak_octets is None else f"{one.peak_octets / 2**20:.0f} MiB",
                )
            )
    return markdown((*_FIGURES_HEAD, "GB/s", "peak memory"), rows, texts=2)


def ratios_table(workloads: list[Workload]) -> str:
    """One row for each ratio that means something, with the goal where there is one."""
    rows = []
    for workload in workloads:
        for above, below in ((COMPILED, FLOOR), (COMPILED, FLOOR_MAPPING), (REFERENCE, COMPILED)):
            ratios, by_processor = workload.ratios(above, below)
            if not ratios:
                continue
            middle, goal = median(ratios), ""
            if below == FLOOR and workload.name in MOST_OVER_FLOOR:
                most = MOST_OVER_FLOOR[workload.name]
                goal = f"at most {most:g}: {'met' if middle <= most else 'not met'}"
            elif above == REFERENCE:
                goal = f"at least {LEAST_OVER_COMPILED:g}: {'met' if middle >= LEAST_OVER_COMPILED else 'not met'}"
            numbers = (f"{middle:.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}", f"{median(by_processor):.2f}")
            rows.append((workload.name, f"{above} / {below}", *numbers, goal))
    return markdown(_RATIOS_HEAD, rows, texts=2)


def facts_table(facts: dict[str, str]) -> str:
    """Two columns of text."""
    return markdown(("", ""), list(facts.items()), texts=2)


def markdown(head: tuple[str, ...], rows: list[Any], texts: int) -> str:
    """A table whose first columns are text and whose others are numbers, legible as it stands."""
    widths = [max(3, *(len(str(row[column])) for row in [head, *rows])) for column in range(len(head))]
    rules = [width * "-" if column < texts else (width - 1) * "-" + ":" for column, width in enumerate(widths)]
    lines = []
    for row in [head, rules, *rows]:
        cells = (
            str(cell).ljust(width) if column < texts else str(cell).rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)

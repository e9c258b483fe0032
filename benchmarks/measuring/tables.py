"""What a run prints, in Markdown: ratios, figures, the machine, remarks, and at the end the goals.

Knows how numbers are shown, not how they came to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from .figures import Workload
from .goals import STATED_SIZES, MemoryGoal, Verdict

_FIGURES_HEAD = ("workload", "subject", "MiB", "packets", "median s", "least s", "most s", "ns a packet", "packets/s")
_RATIOS_HEAD = ("workload", "ratio", "median", "least", "most", "by processor")
_GOALS_HEAD = ("workload", "goal", "met", "median", "least", "most")


def report(workloads: Sequence[Workload], judged: Sequence[Verdict], facts: Mapping[str, str], rounds: int) -> str:
    """All of a run.

    Parameters
    ----------
    workloads : sequence of Workload
        What was measured.
    judged : sequence of Verdict
        The goals; without any there is no table of them.
    facts : mapping of str to str
        The machine and versions.
    rounds : int
        How many there were.
    """
    remarks = [f"* {workload.name}: {remark}" for workload in workloads for remark in workload.remarks]
    remarks += [
        f"* {workload.name}: not run: {subject} ({why})"
        for workload in workloads
        for subject, why in workload.absent.items()
    ]
    return "\n".join(
        (
            "## Ratios\n",
            ratios_table(workloads),
            "\nTime per packet over time per packet, round by round; `by processor` is the median of the same with the",
            "processor's time, which other processes disturb less.  Every answer of every round was as expected.",
            "\n## Figures\n",
            figures_table(workloads),
            f"\n{rounds} rounds, all subjects in turn in each, after one round to warm up; files in the page cache.",
            "Peak memory is the resident memory of the process, pages of the mapped file included.",
            "\n## Machine\n",
            facts_table(facts),
            *(["\n## Remarks\n", *remarks] if remarks else []),
            *(["\n## Goals\n", goals_table(judged), *_sizes(workloads)] if judged else []),
        )
    )


def _sizes(workloads: Iterable[Workload]) -> list[str]:
    """Which captures have other sizes than those at which the goals are stated."""
    other = []
    for workload in workloads:
        stated = STATED_SIZES.get(workload.name)
        if stated and workload.figures:
            size = max(figures.octets for figures in workload.figures) / 2**20
            if round(size) != stated:
                other.append(f"{workload.name} at {stated} MiB, not at {size:.0f}")
    return [f"\nGoals are stated for {'; '.join(other)}: `--full` makes captures of these sizes."] if other else []


def figures_table(workloads: Iterable[Workload]) -> str:
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
                    f"{one.packets / middle / 1e6:.3f} M" if middle else "",
                    f"{one.octets / middle / 1e9:.3f}" if middle else "",
                    "" if one.peak_octets is None else f"{one.peak_octets / 2**20:.0f} MiB",
                )
            )
    return markdown((*_FIGURES_HEAD, "GB/s", "peak memory"), rows, texts=2)


def ratios_table(workloads: Iterable[Workload]) -> str:
    """One row for each pair of subjects that says something."""
    rows = []
    for workload in workloads:
        for above, below in workload.pairs:
            ratios, by_processor = workload.ratios(above, below)
            if ratios:
                last = f"{median(by_processor):.2f}" if by_processor else ""
                rows.append((workload.name, f"{above} / {below}", *spread(ratios), last))
    return markdown(_RATIOS_HEAD, rows, texts=2)


def goals_table(judged: Iterable[Verdict]) -> str:
    """One row for each goal: met or not, and by what figures; or why there are none."""
    rows = []
    for one in judged:
        met = {True: "met", False: "not met", None: f"not measured: {one.why_not}"}[one.met]
        numbers = spread(one.measured) if one.measured else ("", "", "")
        if isinstance(one.goal, MemoryGoal) and one.measured:
            numbers = (f"{one.measured[0]:.0f} MB", "", "")
        rows.append((one.goal.workload, str(one.goal), met, *numbers))
    return markdown(_GOALS_HEAD, rows, texts=3)


def spread(numbers: Sequence[float]) -> tuple[str, str, str]:
    """Median, least and most."""
    places = 0 if median(numbers) >= 100 else 2
    low, middle, high = min(numbers), median(numbers), max(numbers)
    return f"{middle:.{places}f}", f"{low:.{places}f}", f"{high:.{places}f}"


def facts_table(facts: Mapping[str, str]) -> str:
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

"""Draws how many times the floor's time each subject takes, workload by workload, on a logarithmic scale.

Knows figures, the goals that are against the floor, and matplotlib, which may be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .figures import FLOOR, Workload
from .goals import GOALS, Goal


def draw(workloads: Sequence[Workload], path: Path) -> str:
    """Write the picture; a sentence on what became of it comes back.

    Parameters
    ----------
    workloads : sequence of Workload
        Those without a floor are left out.
    path : Path
        The picture, in the format that its suffix says.
    """
    ratios = {workload.name: _over_floor(workload) for workload in workloads}
    ratios = {name: of_subjects for name, of_subjects in ratios.items() if of_subjects}
    if not ratios:
        return "Nothing is drawn: no floor was measured."
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "Nothing is drawn: matplotlib is not installed, make bench installs it."
    height = 1.2 + sum(0.32 * len(of_subjects) + 0.7 for of_subjects in ratios.values())
    figure = Figure(figsize=(9, height), layout="constrained")
    panels = figure.subplots(
        len(ratios), 1, sharex=True, squeeze=False, height_ratios=[len(of_subjects) for of_subjects in ratios.values()]
    )[:, 0]
    for panel, (name, of_subjects) in zip(panels, ratios.items(), strict=True):
        places = range(len(of_subjects))
        for place, numbers in zip(places, of_subjects.values(), strict=True):
            middle = median(numbers)
            panel.plot([min(numbers), max(numbers)], [place, place], color="tab:blue", linewidth=5, alpha=0.4)
            panel.plot([middle], [place], marker="o", color="tab:blue")
            panel.annotate(f"{middle:.3g}", (middle, place), (8, 0), textcoords="offset points", va="center")
        panel.set_xscale("log")
        panel.set_yticks(places, of_subjects)
        panel.set_ylim(len(of_subjects) - 0.5, -0.5)
        panel.margins(x=0.12)
        panel.grid(axis="x", alpha=0.3)
        panel.set_title(name, loc="left", fontsize="medium")
        for goal in GOALS:
            if isinstance(goal, Goal) and (goal.workload, goal.below) == (name, FLOOR) and goal.above in of_subjects:
                panel.plot([goal.most], [list(of_subjects).index(goal.above)], marker="|", color="black", markersize=16)
    panels[-1].set_xlabel("time per packet over the floor's: median, least to most; black: the goal")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return f"Ratios to the floor are drawn in {path}."


def _over_floor(workload: Workload) -> dict[str, list[float]]:
    """Ratios of each subject, fastest first; of a time that is too short to be told from none, nothing can be drawn."""
    found = {one.subject: workload.ratios(one.subject, FLOOR)[0] for one in workload.figures if one.subject != FLOOR}
    found = {subject: numbers for subject, numbers in found.items() if numbers and min(numbers) > 0}
    return dict(sorted(found.items(), key=lambda item: median(item[1])))

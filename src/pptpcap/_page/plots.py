"""Places of the marks of plots, in pixels: what came when, and the calls side by side.

Must not know HTML; the template draws the marks.  Every plot has its numbers as a table too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .._show import words
from ..timeline import Event, EventKind
from .course import Course

__all__ = ["Mark", "Plot", "calls_plot", "course_plot"]

_LEFT, _WIDTH, _RIGHT = 150, 800, 20
_STRIP, _GAP = 46, 22
_ROW = 38
# Of a call, marks of control messages.
_MOST_TICKS = 24
_STRIPS = (
    ("messages", "control messages"),
    ("packets", "Enhanced GRE"),
    ("octets", "octets of payload"),
    ("skipped", "numbers skipped"),
    ("reordered", "came late"),
    ("duplicated", "duplicates"),
)
# What the bars of a call are of, one below the other: the class, the kinds of event, how their names begin.
_SPANS = (
    ("lcp", "LCP", (EventKind.LCP,), "Configure"),
    ("login", "authentication", (EventKind.AUTHENTICATION,), ""),
    ("network", "network protocols", (EventKind.NETWORK, EventKind.COMPRESSION), "Configure"),
    ("data", "data", (EventKind.DATA,), ""),
)
_BAR = 5


@dataclass(frozen=True)
class Mark:
    """A rectangle of a kind, with what it says."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    said: str


@dataclass
class Plot:
    """A title, marks, labels at their places, and the numbers as a table."""

    title: str
    said: str
    height: int = 0
    width: int = _LEFT + _WIDTH + _RIGHT
    marks: list[Mark] = field(default_factory=list)
    labels: list[tuple[float, float, str, str]] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)
    titles: Sequence[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)


def course_plot(course: Course) -> Plot | None:
    """A strip for each thing that was counted; None where nothing has a time."""
    strips = [(name, said) for name, said in _STRIPS if course.counts[name].any()]
    if not strips:
        return None
    span = words.duration(course.width)
    plot = Plot("What came when", f"Each bar is {span} long; the greatest bar of each strip has its number beside it.")
    width = _WIDTH / course.parts
    for place, (name, said) in enumerate(strips):
        top = place * (_STRIP + _GAP) + 8
        counts = course.counts[name]
        most = int(counts.max())
        plot.labels += [
            (_LEFT - 8, top + _STRIP / 2, said, "end"),
            (_LEFT - 8, top + _STRIP / 2 + 16, f"most {most:,}", "end"),
        ]
        plot.marks.append(Mark(_LEFT, top + _STRIP, _WIDTH, 1, "axis", ""))
        for part in np.flatnonzero(counts).tolist():
            height = max(round(_STRIP * int(counts[part]) / most, 1), 1)
            x = round(_LEFT + part * width, 1)
            plot.marks.append(Mark(x, top + _STRIP - height, round(max(width - 0.5, 0.5), 1), height, name, ""))
    bottom = len(strips) * (_STRIP + _GAP) + 14
    plot.labels += _ends(course, bottom)
    plot.height = bottom + 12
    plot.titles = ("from", *(said for _, said in strips))
    parts = np.flatnonzero(sum(course.counts[name] for name, _ in strips))
    starts = words.instants(course.earliest + parts * course.width)
    for start, part in zip(starts, parts.tolist(), strict=True):
        plot.rows.append((start, *(f"{int(course.counts[name][part]):,}" for name, _ in strips)))
    return plot


def _ends(course: Course, y: float) -> list[tuple[float, float, str, str]]:
    first, last = words.instants(np.array([course.earliest, course.earliest + course.parts * course.width]), False)
    return [(_LEFT, y, first, "start"), (_LEFT + _WIDTH, y, last, "end")]


def calls_plot(course: Course, events: Mapping[int, Sequence[Event]]) -> Plot | None:
    """A line for each call: when LCP, authentication, network protocols and data began and ended."""
    if not course.parts or not events:
        return None
    said = (
        "A thin mark is a control message, of more than 24 the first and the last twelve.  Each bar below is from the "
        "first to the last packet of its kind."
    )
    plot = Plot("Calls side by side", said)
    plot.legend = [("control", "control message"), *((kind, said) for kind, said, *_ in _SPANS)]
    plot.titles = ("call", *(f"{said}, {end}" for _, said, *_ in _SPANS for end in ("first", "last")))
    whole = course.parts * course.width

    def place(time: np.datetime64) -> float:
        return round(_LEFT + _WIDTH * int((time - course.earliest).astype(np.int64)) / whole, 1)

    for line, (call, told) in enumerate(events.items()):
        top = line * _ROW + 4
        known = [event for event in told if not np.isnat(event.time) and event.kind is not EventKind.MISSING]
        plot.labels.append((_LEFT - 8, top + 20, f"call {call}", "end"))
        plot.marks.append(Mark(_LEFT, top + _ROW - 5, _WIDTH, 0.5, "axis", ""))
        control = [event for event in known if event.kind is EventKind.CONTROL]
        if len(control) > _MOST_TICKS:
            control = [*control[: _MOST_TICKS // 2], *control[-_MOST_TICKS // 2 :]]
        plot.marks += [Mark(place(event.time), top + 1, 1.5, 8, "control", event.name) for event in control]
        cells = [str(call)]
        for lane, (kind, said, kinds, name) in enumerate(_SPANS):
            times = [event.time for event in known if event.kind in kinds and event.name.startswith(name)]
            if not times:
                cells += ["-", "-"]
                continue
            first, last = min(times), max(times)
            cells += words.instants(np.array([first, last]))
            width = max(round(place(last) - place(first), 1), 2)
            plot.marks.append(Mark(place(first), top + 10 + lane * _BAR, width, _BAR - 1, kind, said))
        plot.rows.append(cells)
    bottom = len(events) * _ROW + 20
    plot.labels += _ends(course, bottom)
    plot.height = bottom + 12
    return plot

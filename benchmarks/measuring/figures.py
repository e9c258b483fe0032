"""What a run measured: times of a subject on a capture, and the subjects of a workload beside each other.

Knows figures and their units, not how they came to be nor how they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FLOOR, FLOOR_MAPPING, REFERENCE = "floor", "floor and mapping", "reference"


def pptpcap(threads: int) -> str:
    """The compiled engine's name with so many threads."""
    return f"pptpcap, {threads} thread{'s' if threads > 1 else ''}"


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
    """All figures of one workload.

    Parameters
    ----------
    name : str
        Of the workload.
    figures : list of Figures
        One for each subject.
    pairs : list of (str, str)
        Subjects whose times are worth putting one over the other.
    absent : dict of str to str
        Subjects that were not run, each with why.
    remarks : list of str
        What else whoever reads the figures should know.
    """

    name: str
    figures: list[Figures] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def of(self, subject: str) -> Figures | None:
        """The figures of a subject, None where it was not run."""
        return next((figures for figures in self.figures if figures.subject == subject), None)

    def ratios(self, above: str, below: str) -> tuple[list[float], list[float]]:
        """Time per packet of one subject over that of another, round by round: on the wall, of the processor.

        Both are empty where one of the two was not run.
        """
        x, y = self.of(above), self.of(below)
        if x is None or y is None:
            return [], []
        scale = y.packets / x.packets
        wall = [scale * a / b for a, b in zip(x.seconds, y.seconds, strict=True)]
        return wall, [scale * a / b for a, b in zip(x.processor_seconds, y.processor_seconds, strict=True) if b]

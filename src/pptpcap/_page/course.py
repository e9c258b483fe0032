"""What came when: control messages and tunnel traffic in equal parts of the time of a capture.

Must not know calls.  Memory does not depend on the number of packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine import Rows
from ..wire.status import GreStatus

__all__ = ["COLUMNS", "Course"]

COLUMNS = {
    "gre": ("time", "payload_length", "skipped", "status"),
    "messages": ("time",),
}
_PARTS = 120


class Course:
    """Numbers of packets in each part of the time between two packets.

    Parameters
    ----------
    earliest, latest : numpy.datetime64
        Times of the first and of the last packet, ns; NaT where there are none.

    Attributes
    ----------
    parts : int
        How many parts there are; 0 without times.
    width : int
        Length of a part in ns.
    counts : dict of str to numpy.ndarray
        Numbers of each part, ``int64``, by what is counted.
    """

    NAMES = ("messages", "packets", "octets", "skipped", "reordered", "duplicated")

    def __init__(self, earliest: np.datetime64, latest: np.datetime64) -> None:
        self.earliest = earliest
        span = 0 if np.isnat(earliest) or np.isnat(latest) else int((latest - earliest).astype(np.int64)) + 1
        self.width = max(-(-span // _PARTS), 1)
        self.parts = -(-span // self.width)
        self.counts = {name: np.zeros(self.parts, np.int64) for name in self.NAMES}

    def take(self, batch: Mapping[str, Rows]) -> None:
        """Count the rows of a batch."""
        if not self.parts:
            return
        messages, gre = batch["messages"], batch["gre"]
        self._add("messages", messages["time"], np.ones(len(messages)))
        time, status = gre["time"], gre["status"]
        self._add("packets", time, np.ones(len(gre)))
        self._add("octets", time, gre["payload_length"])
        self._add("skipped", time, gre["skipped"])
        self._add("reordered", time, status & GreStatus.REORDERED != 0)
        self._add("duplicated", time, status & GreStatus.DUPLICATED != 0)

    def _add(self, name: str, times: Any, weights: Any) -> None:
        known = ~np.isnat(times)
        places = (times[known] - self.earliest).astype(np.int64) // self.width
        # Each weight is below 2^32, and a double holds their sum in a batch.
        self.counts[name] += np.bincount(
            np.clip(places, 0, self.parts - 1), weights=np.asarray(weights, np.float64)[known], minlength=self.parts
        ).astype(np.int64)

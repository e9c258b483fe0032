"""How the cost of something grows with its size, whatever else the machine does meanwhile.

Must not know what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_TRIES = 12
# Of four times as much: 4 is right, 16 is quadratic.
_MOST = 9
# Seconds below which nothing is measured.
_NOISE = 0.02


def is_linear(action: Callable[[int], object], count: int) -> bool:
    """Whether four times as much takes about four times the time of this process.

    Parameters
    ----------
    action : callable
        Does what is measured, for a number of items.
    count : int
        The smaller number.

    Returns
    -------
    bool
        False where each of several tries, and the best of all of them, took much more.
    """
    best = {count: float("inf"), 4 * count: float("inf")}
    for _ in range(_TRIES):
        for size in best:
            begun = time.process_time()
            action(size)
            best[size] = min(best[size], time.process_time() - begun)
        if best[4 * count] < _MOST * best[count] + _NOISE:
            return True
    return False

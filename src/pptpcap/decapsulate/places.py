"""What the first reading tells: which tunnel is which side of which call, and where each call ends.

Knows rows of the table ``tunnels``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from ..engine import Rows
from .counts import NO_CALL

__all__ = ["TUNNEL_COLUMNS", "Places"]

Numbers: TypeAlias = "np.ndarray[tuple[int], np.dtype[Any]]"

# Columns of tunnels that are needed.
TUNNEL_COLUMNS = ("call", "from_pns", "last_packet")
# A call that is not selected.
_PASSED_OVER = -2


class Places:
    """Compact: 5 octets for a tunnel, 8 for a call.

    Parameters
    ----------
    tunnels : structured array
        The columns `TUNNEL_COLUMNS`.
    calls : int
        Calls of the capture.
    wanted : iterable of int, optional
        Calls whose packets are wanted; all by default.

    Attributes
    ----------
    calls : int
        As given.
    """

    def __init__(self, tunnels: Rows, calls: int, wanted: Iterable[int] | None = None) -> None:
        self.calls = calls
        # Rows of gre without a tunnel find the last one, by -1.
        self._call = np.append(tunnels["call"], np.int32(NO_CALL))
        self._side = np.append(tunnels["from_pns"], False)
        self._last = np.zeros(calls, np.uint64)
        of_calls = tunnels[tunnels["call"] >= 0]
        np.maximum.at(self._last, of_calls["call"], of_calls["last_packet"])
        if wanted is not None:
            passed_over = np.ones(calls + 1, np.bool_)
            passed_over[[*wanted]] = False
            self._call[passed_over[self._call]] = _PASSED_OVER

    def of(self, tunnels: Numbers) -> tuple[Numbers, Numbers]:
        """Calls and sides of rows of ``gre``, by tunnel; a call is `NO_CALL`, or below that if it is skipped."""
        # A changed capture may have new tunnels; its result is discarded.
        return self._call.take(tunnels, mode="wrap"), self._side.take(tunnels, mode="wrap")

    def ends(self, calls: Numbers, packets: Numbers) -> Numbers:
        """Whether these packets are the last of their calls, which are none of those that are below 0."""
        return np.equal(self._last[calls], packets)

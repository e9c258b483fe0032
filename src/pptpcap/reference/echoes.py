"""Echo-Requests of one side and their replies: LCP's, or those of the control connection (decoding 10.4.1).

Must not know packets.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ..wire.calls import MOST_NS, SILENCE_NS


@dataclass(slots=True)
class _Request:
    identifier: int
    time: int | None
    is_answered: bool = False


class Echoes:
    """Echo-Requests of one side, the last of them first.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._kept: deque[_Request] = deque(maxlen=most)
        self._requests = 0
        self._answered = 0
        self._samples = 0
        self._least = 0
        self._sum = 0
        # How many of the last ones are not answered, nor one behind them.
        self.in_vain = 0

    def ask(self, identifier: int, time: int | None) -> None:
        """The side sent a request."""
        self._requests += 1
        self.in_vain += 1
        self._kept.appendleft(_Request(identifier, time))

    def answer(self, identifier: int, time: int | None) -> None:
        """The other side sent a reply."""
        for place, request in enumerate(self._kept):
            if request.identifier == identifier:
                self.in_vain = min(self.in_vain, place)
                if not request.is_answered:
                    request.is_answered = True
                    self._answered += 1
                    self._time(request.time, time)
                return

    def _time(self, asked: int | None, answered: int | None) -> None:
        if asked is None or answered is None:
            return
        sample = answered - asked
        if 0 <= sample <= SILENCE_NS and self._sum + sample < MOST_NS:
            self._least = min(self._least, sample) if self._samples else sample
            self._sum += sample
            self._samples += 1

    def row(self) -> tuple[int, int, int, int]:
        """Samples, least and mean time, requests without a reply."""
        mean = self._sum // self._samples if self._samples else 0
        return self._samples, self._least, mean, self._requests - self._answered

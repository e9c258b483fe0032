"""Packets of one direction in the order of their sequence numbers, within a small window.

Knows sequence numbers and no payload.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Given", "ReorderWindow", "Payload"]

# Most packets that wait for a missing one.
_WAITING = 64
# Remembered numbers, to tell duplicates from late packets; a number further behind begins a new sequence.
_REMEMBERED = 4_096
_MASK = (1 << _REMEMBERED) - 1
_HALF = 0x80000000


class Payload(NamedTuple):
    """One Enhanced GRE packet with a payload."""

    row: int
    time: int
    sequence: int
    octets: bytes
    missing: int


class Given(NamedTuple):
    """A packet in processing order.

    Parameters
    ----------
    packet : Payload
        The packet.
    lost : bool
        A number before it was given up.
    late : bool
        It is one that was given up before.
    duplicate : bool
        Its number came before.
    """

    packet: Payload
    lost: bool = False
    late: bool = False
    duplicate: bool = False


class ReorderWindow:
    """The window of one direction."""

    __slots__ = ("_next", "_seen", "_waiting")

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, Payload] = {}
        # Bit n: the number that is n + 1 below the next one came.
        self._seen = 0

    def add(self, packet: Payload) -> list[Given]:
        """Add one packet; return those that can be processed now."""
        if packet.sequence == self._next and not self._waiting:
            self._seen = (self._seen << 1 | 1) & _MASK
            self._next = (packet.sequence + 1) & 0xFFFFFFFF
            return [Given(packet)]
        given: list[Given] = []
        ahead = 0 if self._next is None else _signed(packet.sequence - self._next)
        if ahead < -_REMEMBERED:
            given = self.finish()
            self._seen = ahead = 0
            self._next = None
        if ahead < 0:
            duplicate = bool(self._seen >> (-ahead - 1) & 1)
            self._seen |= 1 << (-ahead - 1)
            return [Given(packet, late=not duplicate, duplicate=duplicate)]
        if packet.sequence in self._waiting:
            return [Given(packet, duplicate=True)]
        self._waiting[packet.sequence] = packet
        if ahead == 0:
            self._next = packet.sequence
            given += self._run(lost=False)
        elif len(self._waiting) > _WAITING:
            given += self.release()
        return given

    def waits(self, packet: Payload) -> bool:
        """Whether the packet still waits."""
        return self._waiting.get(packet.sequence) is packet

    @property
    def is_waiting(self) -> bool:
        """Whether any packet waits."""
        return bool(self._waiting)

    def first(self) -> int:
        """Row of the waiting packet that arrived first."""
        return min(packet.row for packet in self._waiting.values())

    def release(self) -> list[Given]:
        """Give up the missing numbers before the lowest waiting packet."""
        if not self._waiting or self._next is None:
            return []
        base = self._next
        self._next = min(self._waiting, key=lambda sequence: _signed(sequence - base))
        self._pass(_signed(self._next - base), came=False)
        return self._run(lost=True)

    def finish(self) -> list[Given]:
        """Give up all missing numbers."""
        given: list[Given] = []
        while self._waiting:
            given += self.release()
        return given

    def _run(self, *, lost: bool) -> list[Given]:
        given: list[Given] = []
        assert self._next is not None
        while self._next in self._waiting:
            given.append(Given(self._waiting.pop(self._next), lost=lost))
            lost = False
            self._pass(1, came=True)
            self._next = (self._next + 1) & 0xFFFFFFFF
        return given

    def _pass(self, numbers: int, *, came: bool) -> None:
        """Remember whether so many numbers came."""
        self._seen = self._seen << numbers & _MASK | came if numbers < _REMEMBERED else 0


def _signed(difference: int) -> int:
    return (difference + _HALF & 0xFFFFFFFF) - _HALF

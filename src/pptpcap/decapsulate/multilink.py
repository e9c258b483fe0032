"""Multilink PPP: fragments of one direction of one call become packets (RFC 1990).

Knows no packet but its own header.
"""

from __future__ import annotations

__all__ = ["Multilink"]

_BEGIN = 0x80
_END = 0x40
# Bits that are zero, or classes of RFC 2686, which are not told apart here.
_LONG_RESERVED = 0x3F
_SHORT_RESERVED = 0x30

_LONGEST = 65_535
_MOST_FRAGMENTS = 1_024


class Multilink:
    """Fragments in the order of their numbers; one that is missed ends the packet that it belongs to.

    Attributes
    ----------
    short : bool
        The sender agreed to use short sequence numbers.
    waiting : int
        Fragments of the packet that is not whole yet.
    """

    __slots__ = ("_cut", "_next", "_octets", "short", "waiting")

    def __init__(self) -> None:
        self.short = False
        self.waiting = 0
        self._octets = bytearray()
        self._next: int | None = None
        self._cut = False

    @property
    def octets(self) -> int:
        """Octets that it holds."""
        return len(self._octets)

    def add(self, octets: bytes, missing: int) -> tuple[bytes | None, bool, int, int]:
        """Take one fragment in.

        Returns
        -------
        packet : bytes or None
            The packet that it completes.
        cut : bool
            Octets of that packet were not captured.
        used : int
            Earlier fragments that the packet is made of.
        dropped : int
            Fragments that belong to nothing that can be made whole, this one among them where it does.
        """
        size, bits = (2, 12) if self.short else (4, 24)
        reserved = _SHORT_RESERVED if self.short else _LONG_RESERVED
        if len(octets) < size or octets[0] & reserved:
            return None, False, 0, self.drop() + 1
        number = int.from_bytes(octets[:size], "big") & ((1 << bits) - 1)
        dropped = 0
        if octets[0] & _BEGIN:
            dropped = self.drop()
        elif number != self._next or self.waiting >= _MOST_FRAGMENTS:
            return None, False, 0, self.drop() + 1
        if len(self._octets) + len(octets) - size > _LONGEST:
            return None, False, 0, dropped + self.drop() + 1
        self._octets += octets[size:]
        self._cut = self._cut or missing > 0
        if not octets[0] & _END:
            self.waiting += 1
            self._next = (number + 1) & ((1 << bits) - 1)
            return None, False, 0, dropped
        packet, cut, used = bytes(self._octets), self._cut, self.waiting
        self.drop()
        return packet, cut, used, dropped

    def drop(self) -> int:
        """Forget the packet that is not whole; how many fragments it had."""
        dropped, self.waiting = self.waiting, 0
        self._octets.clear()
        self._next, self._cut = None, False
        return dropped

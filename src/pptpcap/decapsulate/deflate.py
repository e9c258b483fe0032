"""PPP Deflate: the history of one direction (RFC 1979).

Knows zlib and two octets of numbers.
"""

from __future__ import annotations

import zlib
from typing import Any

__all__ = ["Deflate"]

_LONGEST = 65_535 + 4
# Each packet ends at an empty stored block, whose lengths are left out (RFC 1979 section 2.1).
_FLUSH = b"\x00\x00\xff\xff"
_SMALLEST_WINDOW = 8
_LARGEST_WINDOW = 15
_METHOD = 8


class Deflate:
    """What one side inflates; behind a loss, nothing more until the sender begins anew.

    Parameters
    ----------
    option : bytes
        Two octets of the configuration option: window and method, check.
    """

    # Octets that it holds: a window of 32 KiB and zlib's state.
    OCTETS = 48 << 10

    __slots__ = ("_inflater", "_next", "_window")

    def __init__(self, option: bytes) -> None:
        self._window = (option[0] >> 4) + _SMALLEST_WINDOW
        self.reset()

    @staticmethod
    def supported(option: bytes) -> bool:
        """Whether the option asks for what is undone here."""
        return (
            len(option) == 2
            and option[0] & 15 == _METHOD
            and (option[0] >> 4) + _SMALLEST_WINDOW <= _LARGEST_WINDOW
            and option[1] & 3 == 0
        )

    def reset(self) -> None:
        """The sender has begun anew (Reset-Ack)."""
        # None behind a loss.
        self._inflater: Any = zlib.decompressobj(-self._window)
        self._next = 0

    def decompress(self, octets: bytes) -> bytes | None:
        """The frame that a compressed one stands for, None behind a loss or where it does not inflate."""
        if self._inflater is None or len(octets) < 2 or octets[0] << 8 | octets[1] != self._next:
            self.lose()
            return None
        self._next = (self._next + 1) & 0xFFFF
        return self._inflate(octets[2:] + _FLUSH)

    def plain(self, protocol: int, information: bytes) -> None:
        """Take a frame that was sent as it is into the history (RFC 1979 section 2.2)."""
        if self._inflater is None:
            return
        self._next = (self._next + 1) & 0xFFFF
        octets = (bytes((protocol,)) if protocol < 0x100 else protocol.to_bytes(2, "big")) + information
        if len(octets) > 0xFFFF:
            self.lose()
            return
        length = len(octets).to_bytes(2, "little")
        # As a stored block: packets end where blocks do.
        self._inflate(b"\x00" + length + bytes(octet ^ 0xFF for octet in length) + octets)

    def lose(self) -> None:
        """A packet is not there whole, so the history is not either."""
        self._inflater = None

    def _inflate(self, octets: bytes) -> bytes | None:
        try:
            inflated: bytes = self._inflater.decompress(octets, _LONGEST)
        except zlib.error:
            self.lose()
            return None
        if self._inflater.unconsumed_tail or self._inflater.eof:
            self.lose()
            return None
        return inflated

"""Two copies of the same octets.

Must not know any protocol.
"""

from __future__ import annotations

from operator import ne


def differing(first: bytes | bytearray, second: bytes | bytearray) -> int:
    """How many octets differ; both have one length."""
    if first == second:
        return 0
    return sum(map(ne, first, second))

"""Compares two copies of the same bytes.

Must not know protocols.
"""

from __future__ import annotations

from operator import ne


def differing(first: bytes | bytearray, second: bytes | bytearray) -> int:
    """Number of bytes that differ; both have the same length."""
    if first == second:
        return 0
    return sum(map(ne, first, second))

"""Takes out of a failing input what does not matter: records or blocks first, then runs of octets.

Knows where records and blocks begin and nothing of what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

# Inputs that are tried at most.
_TRIES = 600


def _pieces(data: bytes) -> list[bytes]:
    """The header of the file, and its records or blocks; the last takes what cannot be told apart."""
    order: Literal["little", "big"] = "little" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else "big"
    blocks = data[:4] == b"\x0a\x0d\x0d\x0a"
    if blocks:
        order = "little" if data[8:12] == b"\x4d\x3c\x2b\x1a" else "big"
    start = 0 if blocks else 24
    found = [data[:start]]
    while start + 16 <= len(data):
        at = start + 4 if blocks else start + 8
        size = int.from_bytes(data[at : at + 4], order) + (0 if blocks else 16)
        if size < 12 or start + size > len(data):
            break
        found.append(data[start : start + size])
        start += size
    return [*found, data[start:]]


def _fewer(pieces: list[bytes], fails: Callable[[bytes], bool], left: list[int]) -> list[bytes]:
    """Without the pieces that do not matter: halves, then quarters, down to single ones; the first one stays."""
    size = max(1, len(pieces) // 2)
    while left[0] > 0:
        at = len(pieces)
        while at > 1 and left[0] > 0:
            low = max(1, at - size)
            shorter = pieces[:low] + pieces[at:]
            left[0] -= 1
            if fails(b"".join(shorter)):
                pieces = shorter
            at = low
        if size == 1:
            break
        size //= 2
    return pieces


def minimised(data: bytes, fails: Callable[[bytes], bool], tries: int = _TRIES) -> bytes:
    """A shorter input for which `fails` is true as well; `data` itself where it is not true of `data`.

    Parameters
    ----------
    data : bytes
        A file.
    fails : callable
        Whether an input fails as `data` does.
    tries : int
        Inputs to try at most.
    """
    if not fails(data):
        return data
    left = [tries]
    pieces: Sequence[bytes] = _fewer(_pieces(data), fails, left)
    data = b"".join(pieces)
    octets = [data[:1], *(data[at : at + 1] for at in range(1, len(data)))]
    return b"".join(_fewer(octets, fails, left)) if len(octets) < 4000 else data

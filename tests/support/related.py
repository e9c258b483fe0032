"""How tests say what became of tunnels and calls: columns in words, times as numbers of packets.

Knows what the schema calls things; knows nothing of what is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from builder import FIRST_TIME, TIME_STEP

from pptpcap.wire.status import (
    Authenticated,
    Authentication,
    CallEnd,
    CallKind,
    CallPhase,
    CallPresent,
    CallReason,
    CallStatus,
    Compression,
    Side,
)

_NAMES: dict[str, Any] = {
    "kind": CallKind,
    "end": CallEnd,
    "phase": CallPhase,
    "reason": CallReason,
    "ended_by": Side,
    "authentication": Authentication,
    "authentication_asked": Authentication,
    "authenticated": Authenticated,
    "compression": Compression,
}
_BITS: dict[str, Any] = {"status": CallStatus, "present": CallPresent}


def packet_at(time: np.datetime64) -> int | None:
    """The number of the packet that has this time by default, None of NaT."""
    if np.isnat(time):
        return None
    steps, rest = divmod(int(time.astype("i8")) - FIRST_TIME, TIME_STEP)
    assert rest == 0, f"{time} is the time of no packet"
    return steps + 1


def said(row: np.void, name: str) -> Any:
    """A column's value: names of numbers and of bits, a packet's number for a time, octets for an address."""
    value = row[name]
    column = name.removeprefix("pns_").removeprefix("pac_")
    if name in _BITS:
        return {bit.name for bit in _BITS[name] if int(value) & bit}
    if column in _NAMES:
        return _NAMES[column](int(value)).name
    if isinstance(value, np.datetime64):
        return packet_at(value)
    return value.tobytes() if isinstance(value, np.ndarray) else value.item()


def holds(row: np.void, **expected: Any) -> None:
    """The row has these values."""
    assert {name: said(row, name) for name in expected} == expected


def only_call(got: Mapping[str, np.ndarray], **expected: Any) -> np.void:
    """There is one call, and it has these values."""
    assert len(got["calls"]) == 1
    call: np.void = got["calls"][0]
    holds(call, **expected)
    return call


def all_calls(got: Mapping[str, np.ndarray], *names: str) -> list[tuple[Any, ...]]:
    """These columns of each call."""
    return [tuple(said(row, name) for name in names) for row in got["calls"]]


def all_tunnels(got: Mapping[str, np.ndarray], *names: str) -> list[tuple[Any, ...]]:
    """These columns of each tunnel."""
    return [tuple(said(row, name) for name in names) for row in got["tunnels"]]


def mapped(address: bytes) -> bytes:
    """An IPv4 address as tables have it."""
    return bytes(10) + b"\xff\xff" + address

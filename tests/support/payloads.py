"""Rows of Enhanced GRE with the octets of their payloads, and inner packets of them.

Knows the reference engine and the sorter; pairs tunnels by their addresses.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pptpcap
from pptpcap.decapsulate.login import Password
from pptpcap.decapsulate.places import Places
from pptpcap.decapsulate.sorter import Sorter
from pptpcap.reference import frames
from pptpcap.reference.gre import walk_gre as walk_every_gre


@dataclass
class Inner:
    """Inner packets with their times, and what became of all packets."""

    packets: list[tuple[int, bytes]]
    counts: dict[str, int]
    with_payload: int


def rows_and_payloads(source: Any) -> tuple[pptpcap.Capture, list[bytes]]:
    """A capture, and the captured octets of the payload of each row of ``gre``."""
    payloads: list[bytes] = []
    original = walk_every_gre

    def walk_gre(findings: Any, *arguments: Any) -> None:
        *_, packet, _, _, octets, at, _, _ = arguments
        before = len(findings.events)
        original(findings, *arguments)
        for event in findings.events[before:]:
            if hasattr(event, "ppp_protocol"):
                word = event.flags_and_version
                start = at + 8 + 4 * bool(word & 0x1000) + 4 * bool(word & 0x0080)
                found[packet.number, event.sequence_number, event.call_id] = octets[start:]

    found: dict[tuple[int, int, int], bytes] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "walk_gre", walk_gre)
        capture = pptpcap.read(source, tables=("gre", "tunnels"), engine="reference")
    for row in capture.gre:
        behind = found[int(row["packet"]), int(row["sequence_number"]), int(row["call_id"])]
        payloads.append(behind[: int(row["available"])])
    return capture, payloads


def places(tunnels: np.ndarray) -> Places:
    """Call and side of each tunnel; the n-th tunnel from A to B and the n-th from B to A are one call."""
    seen: Counter[tuple[bytes, bytes]] = Counter()
    calls: dict[tuple[frozenset[bytes], int], int] = {}
    tunnels = tunnels.copy()
    for tunnel in tunnels:
        ends = bytes(tunnel["source"]), bytes(tunnel["destination"])
        tunnel["call"] = calls.setdefault((frozenset(ends), seen[ends]), len(calls))
        tunnel["from_pns"] = ends[0] > ends[1]
        seen[ends] += 1
    return Places(tunnels, len(calls))


def inner_of(source: Path | bytes, password: str | None = None, batch_rows: int = 1 << 30, **caps: int) -> Inner:
    """What is inside all calls of a capture."""
    capture, payloads = rows_and_payloads(source)
    sorter = Sorter(places(capture.tunnels), None if password is None else Password(password), others=True, **caps)
    packets: list[tuple[int, bytes]] = []
    for start in range(0, max(len(capture.gre), 1), batch_rows):
        part = slice(start, start + batch_rows)
        packets += sorter.take(capture.gre[part], np.frombuffer(b"".join(payloads[part]), np.uint8))
    packets += sorter.finish()
    return Inner(
        packets,
        {outcome.name: count for outcome, count in sorter.counts.total().items()},
        int(np.count_nonzero(capture.gre["payload_length"])),
    )

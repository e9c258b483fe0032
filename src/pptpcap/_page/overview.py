"""Counts what a whole capture has, and chooses the calls that a page tells of in full.

Must not know HTML.  Keeps a bounded number of rows.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._show import words
from ..audit import Audit, Finding, Totals, Weakness
from ..engine import Rows
from ..wire.enumerations import ENUMERATIONS
from ..wire.issues import MEANINGS
from ..wire.status import CallKind, CallPhase, CallReason, Kind

__all__ = ["COLUMNS", "MOST_CALLS", "TABLES", "Overview", "Weak"]

TABLES = ("calls", "connections", "tunnels", "messages", "issues", "gre", "ppp")
COLUMNS = {
    "connections": ("initiator_address",),
    "tunnels": ("packets", "payload_octets", "lost", "duplicated", "reordered", "copies"),
    "messages": ("packet", "from_initiator", "message_type", "control_message_type"),
    # What an audit needs.
    "gre": ("packet", "tunnel", "flags_and_version", "ppp_protocol", "status"),
    "ppp": ("packet", "tunnel", "protocol", "code", "status"),
}
#: Calls that a page tells of; of more calls so many of the worst ones, and others.
MOST_CALLS = 40
_WORST = 30
# Of each weakness, calls that are named.
_NAMED = 20


@dataclass
class Weak:
    """One weakness: how many calls have it, and the first of them with what was seen and the packets."""

    weakness: Weakness
    calls: int
    findings: list[Finding]


class Overview:
    """Counters of a capture, from its batches."""

    def __init__(self) -> None:
        self.calls = self.connections = 0
        self.phases: Counter[int] = Counter()
        self.reasons: Counter[int] = Counter()
        self.authentications: Counter[str] = Counter()
        self.encryptions: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.messages: Counter[tuple[int, int, bool]] = Counter()
        self.issues: Counter[tuple[int, int]] = Counter()
        self.first_issues: dict[tuple[int, int], Any] = {}
        self.tunnels = dict.fromkeys(("packets", "payload_octets", "lost", "duplicated", "reordered", "copies"), 0)
        self.tunnel_count = 0
        self.open_calls = 0
        self._audit = Audit()
        self._findings: dict[Weakness, list[Finding]] = {}
        self._worst: list[tuple[float, int]] = []
        self._others: list[tuple[int, int]] = []

    def take(self, batch: Any) -> None:
        """Take the next batch."""
        first = batch.first_row["calls"]
        for finding in self._audit.take(batch, first):
            kept = self._findings.setdefault(finding.weakness, [])
            kept += [finding] if len(kept) < _NAMED else []
        self._take_calls(batch["calls"], first)
        self.connections += len(batch["connections"])
        self.tunnel_count += len(batch["tunnels"])
        for name in self.tunnels:
            self.tunnels[name] += int(batch["tunnels"][name].sum())
        for message_type, code, initiator, count in _counted(
            batch["messages"], "message_type", "control_message_type", "from_initiator"
        ):
            self.messages[message_type, code, bool(initiator)] += count
        issues = batch["issues"]
        for layer, kind, count in _counted(issues, "layer", "kind"):
            if (layer, kind) not in self.first_issues:
                place = np.flatnonzero((issues["layer"] == layer) & (issues["kind"] == kind))[0]
                self.first_issues[layer, kind] = issues[place].copy()
            self.issues[layer, kind] += count

    def _take_calls(self, rows: Rows, first: int) -> None:
        self.calls += len(rows)
        self.phases.update(rows["phase"].tolist())
        self.reasons.update(rows["reason"].tolist())
        for number, row in enumerate(rows, first):
            self.authentications[words.authentication(int(row["authentication"]), int(row["authenticated"]))] += 1
            self.encryptions[words.encryption(row)] += 1
            if row["result_code"]:
                self.results[_result(row)] += 1
            self.open_calls += row["reason"] == CallReason.OPEN
            _keep(self._worst, (_badness(row), -number), MOST_CALLS)
            # As if drawn by lot, and the same ones in each reading.
            _keep(self._others, (number * 0x9E3779B97F4A7C15 % 2**64, -number), MOST_CALLS)

    def chosen(self) -> list[int]:
        """Numbers of the calls that are told in full, in order."""
        if self.calls <= MOST_CALLS:
            return list(range(self.calls))
        worst = [-number for _, number in sorted(self._worst, reverse=True)[:_WORST]]
        others = [-number for _, number in sorted(self._others, reverse=True) if -number not in worst]
        return sorted(worst + others[: MOST_CALLS - _WORST])

    @property
    def network(self) -> int:
        """Calls that came so far that a network protocol was open."""
        return self.phases[CallPhase.NETWORK]

    def why_not(self) -> list[tuple[str, int]]:
        """Why calls ended, with the number of calls, the most frequent reason first."""
        return [(CallReason(reason).name, count) for reason, count in self.reasons.most_common()]

    def weak(self) -> list[Weak]:
        """What the audit found, the worst first."""
        totals = self._audit.totals.weaknesses
        of_capture = {finding.weakness: finding for finding in self._audit.of_capture}
        for weakness, finding in of_capture.items():
            self._findings.setdefault(weakness, [finding])
        return [
            Weak(weakness, totals.get(weakness, 0), self._findings[weakness])
            for weakness in Weakness
            if weakness in self._findings
        ]

    @property
    def audited(self) -> Totals:
        """Totals of the audit."""
        return self._audit.totals

    def issues_told(self) -> list[tuple[tuple[int, int], int, Any]]:
        """Layer and kind, how many, and the first of them; the worst kind first."""

        def by_severity(item: tuple[tuple[int, int], int]) -> tuple[int, int, int]:
            (layer, kind), _ = item
            return MEANINGS[Kind(kind)].severity, layer, kind

        return [(key, count, self.first_issues[key]) for key, count in sorted(self.issues.items(), key=by_severity)]


def _keep(heap: list[Any], item: Any, most: int) -> None:
    """Keep the greatest items."""
    if len(heap) < most:
        heapq.heappush(heap, item)
    elif item > heap[0]:
        heapq.heapreplace(heap, item)


def _badness(call: Any) -> float:
    """The further a call was from the network, and the more it lost, the worse."""
    packets = int(call["pns_packets"]) + int(call["pac_packets"])
    lost = int(call["pns_lost"]) + int(call["pac_lost"])
    return int(CallPhase.NETWORK) - int(call["phase"]) + lost / max(packets + lost, 1)


def _result(call: Any) -> str:
    incoming = call["kind"] == CallKind.INCOMING
    names = ENUMERATIONS["incoming_result" if incoming else "outgoing_result"]
    kind = "Incoming" if incoming else "Outgoing"
    number = int(call["result_code"])
    return f"{kind}-Call-Reply, result {number} ({names.get(number, 'unknown')})"


def _counted(rows: Rows, *names: str) -> list[tuple[int, ...]]:
    """Values of the columns that occur together, each with how often."""
    key = np.zeros(len(rows), np.uint64)
    for name in names:
        key = key << np.uint64(16) | rows[name].astype(np.uint64)
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    return [
        (*(int(rows[name][index]) for name in names), count)
        for index, count in zip(first.tolist(), counts.tolist(), strict=True)
    ]

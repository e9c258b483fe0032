"""Finds what is weak about calls, each finding with its severity, its evidence and what to do.

Knows rows of ``calls``, and numbers of packets from ``ppp`` and ``gre``.  Must not know engines or files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import Rows
from ..wire.status import CallPhase
from .kinds import Severity, Weakness
from .packets import Packets
from .rules import INNER, weaknesses

__all__ = ["Audit", "Finding", "Severity", "Totals", "Weakness", "audit"]


@dataclass(frozen=True)
class Finding:
    """One weakness of one call, or of the protocol.

    Attributes
    ----------
    call : int
        Row in calls; -1 for a finding about the whole capture.
    weakness : Weakness
        What it is, how bad, and what to do.
    evidence : str
        What was seen: columns of the call and their values.
    packets : tuple of int
        Numbers of packets that show it, ascending; empty without the tables ``ppp`` and ``gre``.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.audit import audit
    >>> finding = audit(pptpcap.read("vpn.pcap"))[1]
    >>> finding.weakness.name, finding.evidence, finding.packets
    ('MS_CHAP_V2', 'pns_authentication MS_CHAP_V2, pns_authenticated YES', (29, 35, 36))
    """

    call: int
    weakness: Weakness
    evidence: str
    packets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Totals:
    """How many calls have what; each call counts in one of the first three.

    Attributes
    ----------
    with_findings : int
        Calls with a finding.
    without_findings : int
        Calls of which something was seen, and no finding.
    nothing_seen : int
        Calls of which neither the authentication nor an inner packet was seen, and no finding.
    severities : dict of Severity to int
        Calls by the severity of their worst finding, the worst first.
    weaknesses : dict of Weakness to int
        Calls by weakness.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.audit import Audit
    >>> auditor = Audit()
    >>> findings = auditor.take(pptpcap.read("vpn.pcap"))
    >>> auditor.totals.with_findings, {weakness.name: n for weakness, n in auditor.totals.weaknesses.items()}
    (1, {'MS_CHAP_V2': 1, 'NO_INTEGRITY': 1})
    """

    with_findings: int
    without_findings: int
    nothing_seen: int
    severities: dict[Severity, int]
    weaknesses: dict[Weakness, int]

    @property
    def calls(self) -> int:
        """All calls."""
        return self.with_findings + self.without_findings + self.nothing_seen


def audit(tables: Rows | Mapping[str, Rows]) -> list[Finding]:
    """Weaknesses of each call, in the order of the calls, behind one finding about PPTP itself.

    Parameters
    ----------
    tables : pptpcap.Capture, mapping of str to numpy.ndarray, or numpy.ndarray
        A capture, or its table ``calls`` alone.  With the tables ``ppp`` and ``gre`` too, findings name packets.

    Returns
    -------
    list of Finding
        Nothing of a call that has no weakness, or of which nothing was seen that would tell.

    Raises
    ------
    ValueError
        Where a column that it needs was not read.

    Notes
    -----
    ``docs/audit.md`` says what each finding rests on.  MS-CHAPv2 is RFC 2759, MPPE is RFC 3078 and RFC 3079.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.audit import audit
    >>> calls = pptpcap.read("vpn.pcap", tables=["calls"]).calls
    >>> [finding.weakness.name for finding in audit(calls)]
    ['PPTP', 'MS_CHAP_V2', 'NO_INTEGRITY']
    """
    auditor = Audit()
    findings = auditor.take(tables)
    return [*auditor.of_capture, *findings]


class Audit:
    """The audit of one capture, whose tables may come batch by batch.

    Attributes
    ----------
    of_capture : list of Finding
        Findings about the whole capture, once a call came so far that they hold.
    totals : Totals
        Of the calls that were taken so far.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.audit import Audit
    >>> auditor = Audit()
    >>> for batch in pptpcap.iterate("vpn.pcap", tables=["calls", "ppp", "gre"]):
    ...     for finding in auditor.take(batch, batch.first_row["calls"]):
    ...         print(finding.weakness.severity.name, finding.weakness.name, finding.packets)
    HIGH MS_CHAP_V2 (29, 35, 36)
    MEDIUM NO_INTEGRITY (39, 40, 52, 53)
    >>> [finding.weakness.name for finding in auditor.of_capture]
    ['PPTP']
    """

    def __init__(self) -> None:
        self.of_capture: list[Finding] = []
        self._packets = Packets()
        self._without_findings = 0
        self._nothing_seen = 0
        self._severities = dict.fromkeys(Severity, 0)
        self._weaknesses = dict.fromkeys(Weakness, 0)

    def take(self, tables: Rows | Mapping[str, Rows], first_row: int = 0) -> list[Finding]:
        """Take in the rows of a batch; return the findings about its calls.

        Parameters
        ----------
        tables : mapping of str to numpy.ndarray, or numpy.ndarray
            As of `audit`.
        first_row : int
            Number of the first of these calls in the table of the whole capture.

        Returns
        -------
        list of Finding
            In the order of the calls.
        """
        if isinstance(tables, np.ndarray):
            tables = {"calls": tables}
        self._packets.take(tables)
        found: list[Finding] = []
        for index, call in enumerate(tables["calls"], first_row):
            own = [Finding(index, *one) for one in weaknesses(call, self._packets)]
            self._count(call, {finding.weakness for finding in own})
            if not self.of_capture and call["phase"] >= CallPhase.CONNECTED:
                evidence = f"call {index}: phase {CallPhase(int(call['phase'])).name}"
                self.of_capture.append(Finding(-1, Weakness.PPTP, evidence, (int(call["first_packet"]),)))
            found += own
        return found

    def _count(self, call: Any, kinds: set[Weakness]) -> None:
        for weakness in kinds:
            self._weaknesses[weakness] += 1
        if kinds:
            self._severities[min(kinds, key=list(Weakness).index).severity] += 1
        elif call["authentication"] or any(call[name] for name in INNER):
            self._without_findings += 1
        else:
            self._nothing_seen += 1

    @property
    def totals(self) -> Totals:
        """How many calls have what."""
        return Totals(
            sum(self._severities.values()),
            self._without_findings,
            self._nothing_seen,
            {severity: count for severity, count in self._severities.items() if count},
            {weakness: count for weakness, count in self._weaknesses.items() if count},
        )

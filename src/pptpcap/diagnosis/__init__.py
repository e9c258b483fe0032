"""Says in sentences what is wrong with calls and control connections, with the packets that prove it.

Knows rows of all tables.  Must not know engines or files.  Memory does not grow with the capture: packets are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._follow.rows import groups, of_calls, ppp_packets, require
from ..engine import Rows
from ..wire.status import GreStatus, Kind
from .case import Case, Found, Whole
from .connections import of_connection
from .data import is_mixed, losses, notes, of_capture
from .ends import ended, ids, refused, silent
from .facts import Connection
from .kinds import DiagnosisKind
from .ppp import authentication_failed, encryption, enhanced_gre, negotiation

__all__ = ["COLUMNS", "ENTITIES", "EVENTS", "STRANGERS", "Diagnoses", "Diagnosis", "DiagnosisKind", "diagnose"]

#: Tables that `Diagnoses` needs before the first event, and those whose rows it takes.
ENTITIES = ("connections", "tunnels", "calls")
EVENTS = ("messages", "echo_request", "echo_reply", "gre", "ppp", "ppp_options", "issues")
#: Columns that it needs of the tables that can be large.
COLUMNS: dict[str, tuple[str, ...]] = {
    "messages": (
        *("packet", "connection", "call", "from_initiator", "status", "row", "length", "control_message_type"),
        "available",
    ),
    "gre": ("time", "packet", "flags_and_version", "sequence_number", "tunnel", "skipped", "status"),
    "ppp": ("packet", "gre", "tunnel", "protocol", "code", "identifier", "length", "options", "status"),
    "tunnels": (*("call", "from_pns", "last_packet", "packets", "lost", "duplicated", "reordered", "acks", "copies"),),
    "connections": (
        *("initiator_address", "responder_address", "initiator_port", "responder_port", "first_time", "last_time"),
        *("first_packet", "last_packet", "initiator_messages", "initiator_segments", "initiator_data_segments"),
        *("responder_segments", "responder_data_segments", "result_code", "error_code", "present", "midstream"),
        *("end", "end_from_initiator", "initiator_out_of_order", "responder_out_of_order", "responder_gaps"),
    ),
}

#: Calls without a control connection between two addresses that are looked at.
STRANGERS = 8
# Steps back of the clock that are kept.
_CLOCK_BACKS = 1_000


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong, or a note about what the capture cannot tell.

    Attributes
    ----------
    call : int
        Row in ``calls``; -1 if it is of no call.
    connection : int
        Row in ``connections`` of the control connection; -1 if there is none, or if it is of the whole capture.
    kind : DiagnosisKind
        What it is, and whether it is only a note.
    sentence : str
        What was seen and what follows, for people, without secrets, with all that came from the wire escaped.
    packets : tuple of int
        Numbers of the packets that the sentence names, ascending.
    advice : str
        What to try.

    Examples
    --------
    >>> import pptpcap
    >>> pptpcap.read("vpn.pcap").diagnose()
    []
    """

    call: int
    connection: int
    kind: DiagnosisKind
    sentence: str
    packets: tuple[int, ...]
    advice: str


class Diagnoses:
    """Diagnoses of some calls and control connections of a capture, made from its rows, batch by batch.

    Parameters
    ----------
    calls, connections, tunnels : mapping of int to numpy.void
        The calls by their row, with all columns; the connections and the tunnels of these calls by theirs, and
        connections without a call.
    strangers : iterable of numpy.void
        Calls without a control connection: they may be the Enhanced GRE that another call lacks.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.diagnosis import ENTITIES, Diagnoses
    >>> of = pptpcap.read("vpn.pcap", tables=ENTITIES)
    >>> diagnoses = Diagnoses(
    ...     dict(enumerate(of.calls)), dict(enumerate(of.connections)), dict(enumerate(of.tunnels))
    ... )
    >>> for batch in pptpcap.iterate("vpn.pcap", batch_packets=40):
    ...     diagnoses.take(batch, batch.first_row)
    >>> diagnoses.all()
    []
    """

    def __init__(
        self,
        calls: Mapping[int, Any],
        connections: Mapping[int, Any],
        tunnels: Mapping[int, Any],
        strangers: Iterable[Any] = (),
    ) -> None:
        own = of_calls(calls, tunnels)
        between: dict[frozenset[bytes], list[Any]] = {}
        for row in strangers:
            known = between.setdefault(pair(row), [])
            known += [row] if len(known) < STRANGERS else []
        self._whole = Whole()
        self._connections = {number: Connection(row) for number, row in connections.items()}
        self._cases = {}
        for number, call in calls.items():
            connection = self._connections.get(int(call["connection"]))
            known = between.get(pair(call), []) if connection is not None else []
            self._cases[number] = Case(number, call, connection, own[number], known)
        self._mixed: set[frozenset[bytes]] | None = None
        self._of_tunnel = {tunnel: case for case in self._cases.values() for tunnel in case.flows}

    def take(self, batch: Mapping[str, Rows], first_row: Mapping[str, int]) -> None:
        """Take the next batch of rows.

        Parameters
        ----------
        batch : mapping of str to numpy.ndarray
            The tables of `EVENTS`, with the columns of `COLUMNS` at least.
        first_row : mapping of str to int
            Rows of each table in earlier batches, as in ``Capture.first_row``.
        """
        self._mixed = None
        for number, rows in groups(batch["messages"], "connection", self._connections):
            self._connections[number].take(rows, self._cases.keys(), batch, first_row)
        for number, rows in groups(batch["gre"], "tunnel", self._of_tunnel):
            self._of_tunnel[number].flows[number].take(rows)
        for tunnel, row, options, is_copy in ppp_packets(batch, first_row, self._of_tunnel):
            if not is_copy:
                self._of_tunnel[tunnel].take_ppp(tunnel, row, options)
        self._take_issues(batch["issues"])
        self._take_gre(batch["gre"])

    def _take_gre(self, gre: Rows) -> None:
        whole, status = self._whole, gre["status"]
        whole.gre_packets += len(gre)
        whole.no_tunnel += int(np.count_nonzero(gre["tunnel"] < 0))
        whole.fragmented += int(np.count_nonzero(status & GreStatus.FRAGMENTED))
        whole.skipped += int(gre["skipped"][status & GreStatus.REORDERED == 0].sum(dtype=np.int64))

    def _take_issues(self, issues: Rows) -> None:
        for number, rows in groups(issues, "connection", self._connections):
            self._connections[number].take_issues(rows)
        for row in issues[np.isin(issues["kind"], (Kind.CLOCK_BACK, Kind.CLOCK_STANDS, Kind.FRAGMENT_INCOMPLETE))]:
            kind, packet = int(row["kind"]), int(row["packet"])
            if kind == Kind.FRAGMENT_INCOMPLETE:
                self._whole.incomplete.include(int(row["needed"]))
            elif kind == Kind.CLOCK_STANDS:
                self._whole.clock_stands.add(packet)
            elif len(self._whole.clock_backs) < _CLOCK_BACKS:
                self._whole.clock_backs.append((packet, int(row["had"])))

    def of_call(self, call: int) -> list[Diagnosis]:
        """Diagnoses of one call, from all rows that were taken.

        Parameters
        ----------
        call : int
            Row of the call.

        Returns
        -------
        list of Diagnosis
            In the order of their first packets; empty if nothing is wrong.
        """
        case, whole = self._cases[call], self._whole
        if self._mixed is None:
            self._mixed = {pair(one.call) for one in self._cases.values() if is_mixed(one)}
        case.is_mixed = pair(case.call) in self._mixed
        rules = (
            enhanced_gre(case, whole),
            negotiation(case),
            authentication_failed(case),
            encryption(case),
            refused(case),
            silent(case),
            ended(case),
            ids(case),
            losses(case, whole),
            notes(case, whole),
        )
        return _sorted(call, int(case.call["connection"]), (found for rule in rules for found in rule))

    def others(self) -> list[Diagnosis]:
        """Diagnoses of no call: of control connections without a call, and of the whole capture.

        Returns
        -------
        list of Diagnosis
            In the order of their first packets.
        """
        with_calls = {int(case.call["connection"]) for case in self._cases.values()}
        found = _sorted(-1, -1, of_capture(self._whole))
        for number, connection in self._connections.items():
            if number not in with_calls:
                found += _sorted(-1, number, of_connection(connection))
        return sorted(found, key=lambda one: one.packets[:1])

    def all(self) -> list[Diagnosis]:
        """All diagnoses: those of no call, then those of each call."""
        return [*self.others(), *(one for call in sorted(self._cases) for one in self.of_call(call))]


def pair(call: Any) -> frozenset[bytes]:
    """The addresses of a call, whichever side has which."""
    return frozenset(call[f"{side}_address"].tobytes() for side in ("pns", "pac"))


def is_suspect(connection: Any) -> bool:
    """Whether there is something to tell of a connection that has no call."""
    # Its messages may be cut, which only issues tell.
    is_cut = connection["initiator_data_segments"] and not connection["initiator_messages"]
    return bool(is_cut) or any(True for _ in of_connection(Connection(connection)))


def _sorted(call: int, connection: int, found: Iterable[Found]) -> list[Diagnosis]:
    diagnoses = [
        Diagnosis(
            call, connection, one.kind, one.sentence, tuple(sorted(one.packets.numbers)), one.advice or one.kind.advice
        )
        for one in found
    ]
    return sorted(diagnoses, key=lambda one: (one.kind.is_note, one.packets[:1]))


def diagnose(capture: Mapping[str, Rows]) -> list[Diagnosis]:
    """What is wrong with the calls and control connections of a capture that was read at once.

    Parameters
    ----------
    capture : mapping of str to numpy.ndarray
        All tables, as `pptpcap.read` returns them.

    Returns
    -------
    list of Diagnosis
        Those of no call, then those of each call; of each, faults before notes, in the order of their first packets.
        Empty if nothing is wrong.

    Raises
    ------
    KeyError
        Where a table that it needs was not read.
    ValueError
        Where a column that it needs was not read.

    Notes
    -----
    ``docs/diagnoses.md`` has the rule of each kind: what must have been seen, and what the sentence rests on.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.diagnosis import diagnose
    >>> diagnose(pptpcap.read("vpn.pcap"))
    []
    """
    require(capture, (*ENTITIES, *EVENTS), COLUMNS, "diagnosis")
    calls = capture["calls"]
    diagnoses = Diagnoses(
        dict(enumerate(calls)),
        dict(enumerate(capture["connections"])),
        dict(enumerate(capture["tunnels"])),
        calls[calls["connection"] < 0],
    )
    diagnoses.take(capture, dict.fromkeys(EVENTS, 0))
    return diagnoses.all()

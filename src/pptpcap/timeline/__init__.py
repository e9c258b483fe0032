"""The timeline of a call: a line for each thing that happened, from the first packet to why it ended.

Knows rows of all tables.  Must not know engines or files.  Memory does not grow with the capture: what a call can have
any number of is summed up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._follow.rows import groups, of_calls, ppp_packets, require
from .._show import stories
from ..engine import Rows
from ..wire.control import MESSAGES
from .control import CALL_MESSAGES, Control
from .data import Flow
from .event import Event, EventKind
from .lines import Facts
from .link import Link
from .story import told

__all__ = ["COLUMNS", "ENTITIES", "EVENTS", "Event", "EventKind", "Timelines", "timeline"]

#: Tables that `Timelines` needs before the first event, and those whose rows it takes.
ENTITIES = ("connections", "tunnels", "calls")
EVENTS = ("messages", *(message.name for message in MESSAGES), "gre", "ppp", "ppp_options", "issues")
#: Columns that it needs of the tables that can be large.
COLUMNS: dict[str, tuple[str, ...]] = {
    "messages": (
        *("time", "packet", "connection", "call", "from_initiator", "status", "row", "length", "message_type"),
        *("control_message_type", "available"),
    ),
    "gre": (
        *("time", "packet", "flags_and_version", "payload_length", "sequence_number", "ppp_protocol", "tunnel"),
        *("skipped", "status"),
    ),
    "ppp": (
        *("time", "packet", "gre", "tunnel", "protocol", "code", "identifier", "length", "available", "options"),
        "status",
    ),
    "tunnels": ("call", "from_pns", "first_sequence", "encrypted_packets", "compressed_packets"),
    "connections": (
        *("initiator_address", "responder_address", "initiator_port", "responder_port", "first_time", "first_packet"),
        *("initiator_segments", "responder_segments", "midstream", "end", "end_from_initiator"),
        *("end_time", "end_packet"),
    ),
}


class _Call:
    """What is known of one call."""

    def __init__(self, number: int, call: Any, connection: Any, tunnels: dict[int, Any]) -> None:
        self.number = number
        self.call = call
        self.facts = Facts()
        self.control = None if connection is None else Control(call, connection, self.facts)
        self.link = Link(call)
        shared = stories.shared(call)
        self.flows = {
            tunnel: Flow("PNS" if row["from_pns"] else "PAC", row, shared=shared) for tunnel, row in tunnels.items()
        }

    def events(self) -> list[Event]:
        return told(self.call, self.control, self.link, list(self.flows.values()), self.facts)


class Timelines:
    """Timelines of some calls of a capture, made from its rows, batch by batch.

    Parameters
    ----------
    calls, connections, tunnels : mapping of int to numpy.void
        The calls by their row, with all columns; the connections and the tunnels of these calls by theirs.

    Notes
    -----
    These are summed up: echo requests of a side in a row that were all answered, or none of which was; in one direction
    of the data, loss or duplicates with at most a second between them.  Of each there are at most 64 lines for a side;
    with more, the neighbours with the least time between them are summed up.  Of control messages, PPP control packets
    and issues of a connection, the first 1,000 and the last 1,000 have a line.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.timeline import ENTITIES, Timelines
    >>> of = pptpcap.read("vpn.pcap", tables=ENTITIES)
    >>> timelines = Timelines(
    ...     dict(enumerate(of.calls)), dict(enumerate(of.connections)), dict(enumerate(of.tunnels))
    ... )
    >>> for batch in pptpcap.iterate("vpn.pcap", batch_packets=40):
    ...     timelines.take(batch, batch.first_row)
    >>> timelines.events(0)[-1].text
    'ended: terminated, PNS first; reached: network; LCP Terminate-Request of the PNS in packet 94: "MPPE disabled"'
    """

    def __init__(self, calls: Mapping[int, Any], connections: Mapping[int, Any], tunnels: Mapping[int, Any]) -> None:
        own = of_calls(calls, tunnels)
        self._calls = {
            number: _Call(number, call, connections.get(int(call["connection"])), own[number])
            for number, call in calls.items()
        }
        self._of_tunnel = {tunnel: call for call in self._calls.values() for tunnel in call.flows}
        self._of_connection: dict[int, list[_Call]] = {}
        for call in self._calls.values():
            if call.control is not None:
                self._of_connection.setdefault(int(call.call["connection"]), []).append(call)

    def take(self, batch: Mapping[str, Rows], first_row: Mapping[str, int]) -> None:
        """Take the next batch of rows.

        Parameters
        ----------
        batch : mapping of str to numpy.ndarray
            The tables of `EVENTS`, with the columns of `COLUMNS` at least.
        first_row : mapping of str to int
            Rows of each table in earlier batches, as in ``Capture.first_row``.
        """
        for number, rows in groups(batch["messages"], "connection", self._of_connection):
            for call in self._of_connection[number]:
                assert call.control is not None
                call.control.take(rows[_is_of(rows, call.number)], batch, first_row)
                call.control.note_cut(rows)
        for number, rows in groups(batch["issues"], "connection", self._of_connection):
            for call in self._of_connection[number]:
                assert call.control is not None
                call.control.take_issues(rows)
        for number, rows in groups(batch["gre"], "tunnel", self._of_tunnel):
            self._of_tunnel[number].flows[number].take(rows)
        for tunnel, row, options, is_copy in ppp_packets(batch, first_row, self._of_tunnel):
            call = self._of_tunnel[tunnel]
            side = call.flows[tunnel].side
            call.link.take(side, row, options, is_copy, tunnel == call.call[f"{side.lower()}_tunnel"])

    def events(self, call: int) -> list[Event]:
        """The timeline of a call, from all rows that were taken.

        Parameters
        ----------
        call : int
            Row of the call.

        Returns
        -------
        list of Event
            What is missing, then events in the order of their first packets, then the end.
        """
        return self._calls[call].events()


def _is_of(rows: Rows, call: int) -> Any:
    """Which messages of a connection are of a call, or of the connection as such."""
    of_calls = np.isin(rows["control_message_type"], CALL_MESSAGES) & (rows["row"] >= 0)
    return (rows["call"] == call) | ((rows["call"] < 0) & ~of_calls)


def timeline(capture: Mapping[str, Rows], call: int) -> list[Event]:
    """What happened in one call of a capture that was read at once, a line each.

    Parameters
    ----------
    capture : mapping of str to numpy.ndarray
        All tables, as `pptpcap.read` returns them.
    call : int
        Row of the table ``calls``.

    Returns
    -------
    list of Event
        What is missing, then events in the order of their first packets, then why the call ended.

    Raises
    ------
    KeyError
        Where a table that it needs was not read.
    ValueError
        Where there is no such call, or a column that it needs was not read.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.timeline import EventKind, timeline
    >>> for event in timeline(pptpcap.read("vpn.pcap"), 0):
    ...     if event.kind is EventKind.ECHO:
    ...         print(event.side, event.text)
    PAC 3 LCP Echo-Requests answered in 7.1, 12.3, 20.0 ms (least, mean, greatest)
    PNS 6 control Echo-Requests answered in 1.1, 5.7, 19.6 ms (least, mean, greatest)
    """
    require(capture, (*ENTITIES, *EVENTS), COLUMNS, "timeline")
    calls, connections, tunnels = capture["calls"], capture["connections"], capture["tunnels"]
    if not 0 <= call < len(calls):
        raise ValueError(f"there is no call {call}; the capture has {len(calls)}, counted from 0")
    number = int(calls[call]["connection"])
    timelines = Timelines(
        {call: calls[call]},
        {number: connections[number]} if number >= 0 else {},
        {int(place): tunnels[place] for place in np.flatnonzero(tunnels["call"] == call)},
    )
    timelines.take(capture, dict.fromkeys(EVENTS, 0))
    return timelines.events(call)

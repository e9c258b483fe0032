"""Diagnoses of control connections that have no call.

Knows rows of ``connections``.  Must not know calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._show import words
from ..wire.control import BY_NAME
from ..wire.status import End, Present
from .case import Found, Packets, outcome
from .facts import Connection, Span
from .kinds import DiagnosisKind

__all__ = ["of_connection"]

_START_REPLY = BY_NAME["start_control_connection_reply"].code
_SUCCESS = 1
# A SYN that nobody answers is repeated, after 3 s or more in all.
_SYNS = 3
_WAIT = np.timedelta64(3, "s")
# So long a client waits for the first reply, at least.
_PATIENCE = np.timedelta64(10, "s")
# Messages of a client that had no reply: a Start-Control-Connection-Request, and a Stop-Control-Connection-Request.
_BEFORE_REPLY = 2
_CLOSED = {End.FIN: "closed it with a FIN", End.RST: "reset it"}


def of_connection(connection: Connection) -> Iterator[Found]:
    """What went wrong before there was a call."""
    row = connection.row
    if cut := connection.no_header:
        numbers = Packets()
        said = f"The capture lacks the end of headers of control messages ({numbers.of(cut)}): which calls the "
        said += "connection had cannot be told"
        yield Found(DiagnosisKind.CUT, f"{said}.", numbers)
        return
    if row["midstream"]:
        return
    client, server = (
        words.endpoint(words.address(row[f"{side}_address"]), int(row[f"{side}_port"]))
        for side in ("initiator", "responder")
    )
    end, by_server = End(int(row["end"])), not row["end_from_initiator"]
    first, last = int(row["first_packet"]), int(row["last_packet"])
    packets = Packets()
    place = packets.of(Span(int(row["initiator_segments"] + row["responder_segments"]), first, last))
    lasted = row["last_time"] - row["first_time"]
    no_data = not row["initiator_data_segments"] and not row["responder_data_segments"]
    if not row["responder_segments"]:
        if row["initiator_segments"] >= _SYNS and no_data and end in (End.OPEN, End.NEW_CONNECTION) and lasted >= _WAIT:
            # No table tells a SYN that is repeated from an acknowledgment of what the capture lacks.
            said = f"{client} sent a SYN to {server}, {int(row['initiator_segments'])} segments without data in all "
            said += f"({place}), and no answer is in the capture: probably the SYN was repeated and nobody answered"
            yield Found(DiagnosisKind.NO_ANSWER, f"{said}, if the capture has both directions.", packets)
    elif end is End.RST and by_server and row["initiator_segments"] == row["responder_segments"] == 1 and no_data:
        said = f"{server} answered the SYN of {client} with a reset ({place}): nothing listens there"
        yield Found(DiagnosisKind.CONNECTION_REFUSED, f"{said}, or a firewall rejects it.", packets)
    elif row["present"] & Present.RESULT and row["result_code"] > _SUCCESS:
        yield _refused(connection, client, server)
    elif row["responder_data_segments"] or row["responder_gaps"] or row["initiator_messages"] > _BEFORE_REPLY:
        return
    elif end in _CLOSED and by_server:
        # With its end alone it accepted nothing.
        if row["responder_segments"] == 1:
            return
        said = f"{server} accepted the TCP connection of {client} and {_CLOSED[end]} ({place}); no PPTP message of it "
        said += "is in the capture"
        if row["initiator_messages"]:
            said += f", though the client had sent {words.times(int(row['initiator_messages']), 'message')}"
        yield Found(DiagnosisKind.SERVER_CLOSED, f"{said}.", packets)
    elif row["initiator_messages"] and (end in _CLOSED or lasted >= _PATIENCE):
        said = f"{server} accepted the TCP connection of {client} ({place}), and no reply to "
        said += "its Start-Control-Connection-Request is in the capture"
        yield Found(DiagnosisKind.START_NOT_ANSWERED, f"{said}.", packets)


def _refused(connection: Connection, client: str, server: str) -> Found:
    row: Any = connection.row
    packets, reply = Packets(), connection.messages.get((-1, _START_REPLY))
    said = f"{server} refused the control connection of {client}"
    said += f" ({packets.of(reply)})" if reply else ""
    said += f": {outcome('start_result', int(row['result_code']), int(row['error_code']))}"
    return Found(DiagnosisKind.START_REFUSED, f"{said}.", packets)

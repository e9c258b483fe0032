"""Events of the control connection of a call.

Knows ``messages``, the tables of its types, ``connections`` and ``issues``.  Must not know PPP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .._follow.messages import ECHO_REPLY, echo_identifier
from .._show import words
from .._show.null import octets_needed
from .._show.stories import heard, initiator, other
from ..engine import Rows
from ..wire.control import BY_CODE, BY_NAME, HEADER
from ..wire.model import Message
from ..wire.status import End, Kind, MessageStatus
from .echoes import Echoes
from .event import Event, EventKind
from .lines import Facts, Lines

__all__ = ["CALL_MESSAGES", "Control"]

# Types of the messages that are of a call.
CALL_MESSAGES = range(BY_NAME["outgoing_call_request"].code, BY_NAME["set_link_info"].code + 1)
# Those that are the request or the reply of one.
_SET_UP = range(BY_NAME["outgoing_call_request"].code, BY_NAME["incoming_call_reply"].code + 1)
# Shown even if they are 0.
_ALWAYS = frozenset({"call_id", "peer_call_id", "identifier", "result_code", "reason"})
_HEADER = frozenset(field.name for field in HEADER)
_NEVER = np.datetime64("NaT", "ns")
_ENDS = {
    End.FIN: "FIN",
    End.RST: "RST",
    End.NEW_CONNECTION: "a new connection uses the same addresses and ports",
    End.EVICTED: "what was known of the TCP connection was dropped: too many connections",
}


class Control:
    """The control connection, as one call sees it.

    Parameters
    ----------
    call, connection : numpy.void
        Rows of ``calls`` and ``connections``.
    facts : Facts
        Where packets are noted.

    Attributes
    ----------
    echoes : Echoes
        Those of the time of the call.
    has_cut : bool
        The end of a message that no call has is not captured, and it may be the request or the reply of this one.
    """

    def __init__(self, call: Any, connection: Any, facts: Facts) -> None:
        self._call = call
        self._row = connection
        self._facts = facts
        self.echoes = Echoes("control")
        self.has_cut = False
        self._lines = Lines("control messages")
        self._issues = Lines("issues")
        self._initiator = initiator(call, connection)

    def _side(self, is_initiator: bool) -> str:
        return self._initiator if is_initiator else other(self._initiator)

    @property
    def captured(self) -> set[str]:
        """The sides of which the capture has TCP segments."""
        return heard(self._call, self._row)

    def take(self, messages: Rows, batch: Mapping[str, Rows], first_row: Mapping[str, int]) -> None:
        """Take the next messages of the call and of its connection as such."""
        for row in messages:
            kind = int(row["control_message_type"])
            if (identifier := echo_identifier(row, batch, first_row)) is not None:
                self._echo(row, kind, identifier)
            elif row["row"] < 0 or kind not in BY_CODE:
                self._add(row, words.message_abbreviation(int(row["message_type"]), kind), "")
            else:
                message = BY_CODE[kind]
                body = batch[message.name][int(row["row"]) - first_row[message.name]]
                self._add(row, message.title, _fields(message, body, int(min(row["available"], row["length"]))))

    def note_cut(self, messages: Rows) -> None:
        """Take the next messages of the connection, of whichever call."""
        is_stray = (messages["call"] < 0) & np.isin(messages["control_message_type"], _SET_UP)
        self.has_cut |= bool((is_stray & (messages["status"] & MessageStatus.CUT != 0)).any())

    def _echo(self, row: Any, code: int, identifier: int) -> None:
        """An echo, if it is of the time of the call: the connection can be much older, and live on."""
        packet, time = int(row["packet"]), row["time"]
        side, nanoseconds = self._side(bool(row["from_initiator"])), int(time.astype(np.int64))
        if code == ECHO_REPLY:
            self.echoes.reply(side, identifier, nanoseconds, packet)
            return
        end = self._call["end_time"]
        is_later = packet > self._call["last_packet"] and not np.isnat(end) and not time <= end
        if packet >= self._call["first_packet"] and not is_later:
            self.echoes.request(side, identifier, nanoseconds, packet)

    def _add(self, row: Any, name: str, said: str) -> None:
        packet, side = int(row["packet"]), self._side(bool(row["from_initiator"]))
        self._facts.note(name, side, packet, name, row["time"])
        flags = words.flags(int(row["status"]), MessageStatus)
        text = f"{name}{': ' if said else ''}{said}{' [' + ' '.join(flags) + ']' if flags else ''}"
        self._lines.add(Event(row["time"], (packet,), side, EventKind.CONTROL, name, text))

    def take_issues(self, issues: Rows) -> None:
        """Take the next issues of the connection."""
        self.has_cut |= bool((issues["kind"] == Kind.HEADER_CUT).any())
        for row in issues:
            place = words.issue_place(row).partition(": ")[2]
            text = f"{words.issue_kind(row['kind'])}: {place}"
            self._issues.add(Event(row["time"], (int(row["packet"]),), "", EventKind.ISSUE, "", text))

    def events(self) -> Iterator[Event]:
        """What is to be said, after all messages."""
        row = self._row
        ends = {
            side: words.endpoint(words.address(row[f"{side}_address"]), int(row[f"{side}_port"]))
            for side in ("initiator", "responder")
        }
        # No table says whether the first packet is the SYN or the SYN-ACK: the SYN may be lost, or come later.
        begins = "is older than the capture" if row["midstream"] else "begins: SYN or SYN-ACK"
        text = f"TCP connection {ends['initiator']} > {ends['responder']} {begins}"
        yield Event(row["first_time"], (int(row["first_packet"]),), "", EventKind.CONNECTION, "", text)
        yield from self.echoes.events(self.captured)
        yield from self._lines.all()
        yield from self._issues.all()

    def end(self) -> Event | None:
        """The end of the TCP connection, if the capture has it."""
        end = End(int(self._row["end"]))
        if end is End.OPEN:
            return None
        side = self._side(bool(self._row["end_from_initiator"])) if end in (End.FIN, End.RST) else ""
        packets, text = (int(self._row["end_packet"]),), f"TCP connection ends: {_ENDS[end]}"
        return Event(self._row["end_time"], packets, side, EventKind.CONNECTION, "", text)


def _fields(message: Message, body: Any, known: int) -> str:
    """The fields of a message that say something."""
    said = []
    for field in message.fields:
        content = body[field.name]
        if field.name in _HEADER or field.length_of or field.name.startswith("reserved"):
            continue
        if known < octets_needed(message, field) or not (content or field.name in _ALWAYS):
            continue
        is_whole = known >= message.offset(field.name) + field.width
        said.append(f"{field.name.replace('_', ' ')} {words.value(field, content)}{'' if is_whole else '...'}")
    return ", ".join(said)

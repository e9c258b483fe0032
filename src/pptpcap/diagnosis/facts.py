"""What a diagnosis rests on: packets of one call and of its connection, summed up as rows come.

Knows event rows.  Must not know words for people.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._follow.messages import ECHO_REQUEST as CONTROL_ECHO_REQUEST
from .._follow.messages import echo_identifier
from .._follow.numbers import Numbers
from .._show import ppp as show
from ..engine import Rows
from ..wire.calls import ECHOES
from ..wire.control import BY_NAME
from ..wire.gre import ACKNOWLEDGMENT_PRESENT, SEQUENCE_PRESENT
from ..wire.mppe import MPPE_BITS, OPTION
from ..wire.options import AUTHENTICATION, PROTOCOL_REJECT, REFUSALS
from ..wire.ppp import (
    CCP,
    CONFIGURE_ACK,
    CONFIGURE_NAK,
    CONFIGURE_REJECT,
    CONFIGURE_REQUEST,
    ECHO_REPLY,
    ECHO_REQUEST,
    FIRST_LINK_CONTROL,
    HEAD_SIZE,
    LCP,
    OPENS_NO_NETWORK,
    TERMINATE_REQUEST,
)
from ..wire.status import HEADLESS, OUT_OF_TURN, GreStatus, Kind, MessageStatus, PppStatus

__all__ = ["Connection", "Flow", "Link", "Said", "Span", "Vain"]

# Options that a side refused, and network protocols that it asked for, are told of no more than these.
_MOST = 64
# Things that a side said, of one kind.
_TOLD = 4
_ANSWERS = (CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT)
_REFUSES = (CONFIGURE_NAK, CONFIGURE_REJECT)
# Messages that end a call, or all calls.
_ENDS = frozenset(
    BY_NAME[name].code
    for name in (
        *("call_clear_request", "call_disconnect_notify"),
        *("stop_control_connection_request", "stop_control_connection_reply"),
    )
)


@dataclass
class Span:
    """Packets of one kind: how many, the first and the last."""

    count: int = 0
    first: int = 0
    last: int = 0

    def __bool__(self) -> bool:
        return self.count > 0

    def add(self, packet: int, last: int | None = None, count: int = 1) -> None:
        """Take one more, or several from a first to a last one."""
        self.first = self.first if self.count else packet
        self.count += count
        self.last = packet if last is None else last

    def include(self, packet: int) -> None:
        """Take one more, whose number may be below that of the others."""
        first, last = (min(self.first, packet), max(self.last, packet)) if self.count else (packet, packet)
        self.count, self.first, self.last = self.count + 1, first, last


class Vain:
    """Echo requests of a side since the last one that was answered (decoding 10.4.1)."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: deque[tuple[int, int]] = deque(maxlen=ECHOES)
        self._first = 0

    def ask(self, identifier: int, packet: int) -> None:
        """The side asks."""
        self._first = self._first if self.count else packet
        self.count += 1
        self._kept.append((identifier, packet))

    def answer(self, identifier: int) -> None:
        """The other side replies: what was asked before this request is forgotten."""
        for later, (asked, _) in enumerate(reversed(self._kept)):
            if asked == identifier:
                if later < self.count:
                    self.count = later
                    self._first = self._kept[-later][1] if later else 0
                return

    @property
    def span(self) -> Span:
        """The packets of the requests."""
        return Span(self.count, self._first, self._kept[-1][1]) if self.count else Span()


@dataclass
class Said(Span):
    """Packets in which a side says something, and what: each thing once, the first ones and the last."""

    # Whether it rejects the thing, and the thing.
    what: list[tuple[bool, str]] = field(default_factory=list)

    def say(self, packet: int, text: str, *, rejects: bool = False) -> None:
        """Take one more."""
        self.add(packet)
        if (rejects, text) not in self.what:
            del self.what[_TOLD - 1 :]
            self.what.append((rejects, text))

    def in_turn(self, wants: str = "{}", rejects: str = "") -> str:
        """What the packets say, one after the other, in the words for a thing that is wanted and one that is not."""
        told = ((rejects if is_no else wants).format(text) for is_no, text in self.what)
        return ", then ".join(dict.fromkeys(told))


@dataclass
class Link:
    """What one side said in PPP control packets, without copies."""

    requests: Span = field(default_factory=Span)
    answers: Span = field(default_factory=Span)
    asks: Said = field(default_factory=Said)
    declines: Said = field(default_factory=Said)
    refusal: Said = field(default_factory=Said)
    mppe: Said = field(default_factory=Said)
    mppe_bits: int = 0
    no_mppe: Said = field(default_factory=Said)
    protocol_rejects: Span = field(default_factory=Span)
    networks: dict[int, Span] = field(default_factory=dict)
    refused: dict[tuple[int, int], Said] = field(default_factory=dict)
    termination: Span = field(default_factory=Span)
    # Octets of the text of the first Terminate-Request, and whether all are captured.
    ending_octets: int = 0
    is_ending_cut: bool = False
    # It sent a Terminate-Request, and no Configure-Ack since.
    is_closing: bool = False
    cut: Span = field(default_factory=Span)
    echoes: Vain = field(default_factory=Vain)

    def take(self, row: Any, options: Rows, peer: Link) -> None:
        """Take the next packet of the side."""
        protocol, code, packet, status = (int(row[name]) for name in ("protocol", "code", "packet", "status"))
        if status & (PppStatus.CUT | PppStatus.HEAD_CUT):
            self.cut.add(packet)
        if status & HEADLESS:
            return
        if code == REFUSALS.get(protocol):
            self.refusal = Said()
            self.refusal.say(packet, f"{show.protocol_name(protocol)} {show.code_name(protocol, code)}")
        elif protocol == LCP:
            if code == TERMINATE_REQUEST and not self.termination:
                self.ending_octets = int(row["length"]) - HEAD_SIZE
                self.is_ending_cut = bool(status & PppStatus.CUT)
            self._take_lcp(code, packet, int(row["identifier"]), peer)
        elif code == CONFIGURE_REQUEST and protocol < FIRST_LINK_CONTROL and protocol not in OPENS_NO_NETWORK:
            self._take_network(protocol, packet)
        if not status & PppStatus.BAD_OPTION:
            self._take_options(protocol, code, packet, options, peer)

    def _take_network(self, protocol: int, packet: int) -> None:
        if protocol in self.networks or len(self.networks) < _MOST:
            self.networks.setdefault(protocol, Span()).add(packet)

    def _take_lcp(self, code: int, packet: int, identifier: int, peer: Link) -> None:
        if code == CONFIGURE_REQUEST:
            self.requests.add(packet)
        elif code in _ANSWERS:
            self.answers.add(packet)
            self.is_closing = self.is_closing and code != CONFIGURE_ACK
        elif code == PROTOCOL_REJECT:
            self.protocol_rejects.add(packet)
        elif code == TERMINATE_REQUEST:
            self.termination.add(packet)
            self.is_closing = True
        elif code == ECHO_REQUEST and not self.is_closing:
            self.echoes.ask(identifier, packet)
        elif code == ECHO_REPLY:
            peer.echoes.answer(identifier)

    def _take_options(self, protocol: int, code: int, packet: int, options: Rows, peer: Link) -> None:
        for option in options:
            kind, length, value = (int(option[name]) for name in ("type", "length", "value"))
            of = (protocol, kind)
            if code == CONFIGURE_REQUEST and of == (LCP, AUTHENTICATION):
                self.asks.say(packet, _method(kind, length, value))
            elif code == CONFIGURE_REQUEST and of == (CCP, OPTION) and length == 6 and value & MPPE_BITS:
                self.mppe.say(packet, show.option(protocol, kind, length, value))
                self.mppe_bits |= value & MPPE_BITS
            if code not in _REFUSES:
                continue
            if of not in self.refused and len(self.refused) == _MOST:
                continue
            text, rejects = show.option(protocol, kind, length, value), code == CONFIGURE_REJECT
            self.refused.setdefault(of, Said()).say(packet, text, rejects=rejects)
            if of == (LCP, AUTHENTICATION):
                self.declines.say(packet, _method(kind, length, value), rejects=rejects)
            elif of == (CCP, OPTION) and (rejects or not value & peer.mppe_bits):
                self.no_mppe.say(packet, text, rejects=rejects)


def _method(kind: int, length: int, value: int) -> str:
    return show.option(LCP, kind, length, value).partition(" ")[2] or "an unknown method"


class Flow:
    """The packets of one tunnel."""

    def __init__(self, tunnel: Any) -> None:
        self.row = tunnel
        self.acks = Span()
        self.gaps = Span()
        # The most numbers that were passed over at once, and the packet at which that was seen.
        self.burst = 0
        self.burst_at = 0
        self.late = Span()
        self.again = Span()
        self.numbers = Numbers()

    def take(self, rows: Rows) -> None:
        """Take the next rows of the tunnel."""
        self.numbers.take(rows[rows["flags_and_version"] & SEQUENCE_PRESENT != 0])
        _note(self.acks, rows[rows["flags_and_version"] & ACKNOWLEDGMENT_PRESENT != 0])
        _note(self.late, rows[rows["status"] & GreStatus.REORDERED != 0])
        _note(self.again, rows[rows["status"] & GreStatus.DUPLICATED != 0])
        is_new = (rows["flags_and_version"] & SEQUENCE_PRESENT != 0) & (rows["status"] & OUT_OF_TURN == 0)
        gaps = rows[is_new & (rows["skipped"] > 0)]
        if len(gaps):
            _note(self.gaps, gaps)
            largest = gaps[np.argmax(gaps["skipped"])]
            if largest["skipped"] > self.burst:
                self.burst, self.burst_at = int(largest["skipped"]), int(largest["packet"])

    def missing(self, behind: int = 0) -> Span:
        """How many numbers never came, and the packets between which they are, without those up to a packet."""
        periods = self.numbers.missing(behind)
        if not periods:
            return Span()
        count = sum(period.count - period.late for period in periods)
        return Span(count, periods[0].first, max(period.last for period in periods))


def _note(span: Span, rows: Rows) -> None:
    if len(rows):
        span.add(int(rows["packet"][0]), int(rows["packet"][-1]), len(rows))


class Connection:
    """Messages and faults of a control connection.

    Attributes
    ----------
    row : numpy.void
        The row of ``connections``.
    messages : dict
        Packets of messages, by call and type; call -1 for those of the connection as such.
    """

    def __init__(self, row: Any) -> None:
        self.row = row
        self.messages: dict[tuple[int, int], Span] = {}
        self.cut = Span()
        self.gaps = Span()
        self.gap_octets = 0
        self.foreign = Span()
        self.no_header = Span()
        self.unknown = Span()
        # The id of the last message that no call has.
        self.unknown_id = 0
        self.shared: dict[int, tuple[int, int]] = {}
        self._echoes = {True: Vain(), False: Vain()}
        # Echoes in vain when a call was ended, by call; call -1 for when all were.
        self._at_end: dict[int, dict[bool, Span]] = {}
        # The last echo request of the initiator, and of the responder.
        self.last_echo = {True: 0, False: 0}

    def take(
        self, messages: Rows, calls: Container[int], batch: Mapping[str, Rows], first_row: Mapping[str, int]
    ) -> None:
        """Take the next messages; packets are kept of these calls, and of the connection as such."""
        for row in messages:
            kind, packet = int(row["control_message_type"]), int(row["packet"])
            call = int(row["call"])
            if row["status"] & MessageStatus.CUT:
                self.cut.add(packet)
            if row["row"] < 0:
                continue
            if call < 0 or call in calls:
                self.messages.setdefault((call, kind), Span()).add(packet)
                if kind in _ENDS and -1 not in self._at_end:
                    self._at_end.setdefault(call, {side: vain.span for side, vain in self._echoes.items()})
            if (identifier := echo_identifier(row, batch, first_row)) is not None:
                by = bool(row["from_initiator"])
                if kind == CONTROL_ECHO_REQUEST:
                    self._echoes[by].ask(identifier, packet)
                    self.last_echo[by] = packet
                else:
                    self._echoes[not by].answer(identifier)

    def take_issues(self, issues: Rows) -> None:
        """Take the next issues of the connection."""
        for row in issues:
            packet, needed, had = (int(row[name]) for name in ("packet", "needed", "had"))
            match int(row["kind"]):
                case Kind.GAP:
                    self.gaps.add(packet)
                    self.gap_octets += needed
                case Kind.OUT_OF_WINDOW:
                    self.foreign.add(packet)
                case Kind.HEADER_CUT:
                    self.no_header.add(packet)
                case Kind.UNKNOWN_CALL:
                    self.unknown.add(packet)
                    self.unknown_id = had
                case Kind.SHARED_ID if len(self.shared) < _MOST:
                    self.shared.setdefault(needed, (had, packet))

    def unanswered(self, call: int, by_initiator: bool) -> Span:
        """The last echo requests of a side until the call was ended, if nothing answered them."""
        at_end = self._at_end.get(call) or self._at_end.get(-1)
        return self._echoes[by_initiator].span if at_end is None else at_end[by_initiator]

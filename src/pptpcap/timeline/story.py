"""Joins the events of a call in order, and says why it ended, with the packets that prove it.

Knows rows of ``calls`` and what the other modules found.  Must not know event rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from .._show import stories
from ..wire.calls import UNANSWERED
from ..wire.status import CallEnd, CallPhase, CallReason, CallStatus
from .control import Control
from .data import Flow
from .echoes import Echoes
from .event import Event, EventKind
from .lines import Fact, Facts
from .link import Link

__all__ = ["told"]


def told(call: Any, control: Control | None, link: Link, flows: list[Flow], facts: Facts) -> list[Event]:
    """All events of a call: what is missing, what happened in the order of packets, and the end."""
    captured = {flow.side for flow in flows}
    events = [*link.events(captured)]
    for flow in flows:
        events += flow.events()
    if control is not None:
        events = [*control.events(), *events]
    if control is not None and (end := control.end()) is not None:
        events.append(end)
    # Sorting is stable: of one packet, control messages come first, and the end of the TCP connection last.
    events.sort(key=lambda event: event.packets[0])
    is_half = _lacks_other(call, control, captured)
    return [*_missing(call, control, captured), *events, _end(call, control, link, facts, is_half=is_half)]


def _lacks_other(call: Any, control: Control | None, linked: set[str]) -> bool:
    """Whether packets of the side that did not act first, of TCP or of an open link, are not in the capture."""
    by = stories.by(call)
    if not by:
        return False
    peer = stories.other(by)
    # A shared id has the Enhanced GRE of both calls in one.
    is_linked = call["phase"] >= CallPhase.LINK and by in linked and not stories.shared(call)
    return (control is not None and peer not in control.captured) or (is_linked and peer not in linked)


def _missing(call: Any, control: Control | None, linked: set[str]) -> Iterator[Event]:
    """What the capture lacks, and what is assumed."""

    def event(side: str, text: str) -> Event:
        return Event(call["start_time"], (), side, EventKind.MISSING, "", text)

    if stories.shared(call):
        text = "another call has the same id: Enhanced GRE to it is counted in the later call, and may be of either"
        yield event("", text)
    heard: set[str] = set() if control is None else control.captured
    if call["status"] & CallStatus.ROLES_ASSUMED:
        yield event("", "PNS and PAC are assumed: the sender of the first packet is taken to be the PNS")
    elif call["status"] & CallStatus.ROLES_FROM_PPP:
        yield event("", "no control message says who the PNS is: the side that authenticates the other is the PAC")
    if control is None:
        yield event("", "the call has no control messages")
    if stories.lacks_agreement(call):
        yield event("", "how the link was agreed on is not in the capture: it has no LCP Configure-Ack of the call")
    for side, what in stories.lacks_messages(call):
        if side in heard or not side:
            cut = "cut, or " if control is not None and control.has_cut else ""
            yield event(side, f"the {what} of the call {'is' if side else 'are'} {cut}not in the capture")
    for side in ("PNS", "PAC"):
        other = stories.other(side)
        if control is not None and side not in heard and other in heard:
            yield event(side, f"half a conversation: the control connection has no TCP segment of the {side}")
        if side in linked or stories.shared(call) or call["phase"] < CallPhase.CONNECTED:
            continue
        if other in linked and side in heard:
            text = f"the call has no Enhanced GRE of the {side}, though the capture has its TCP segments"
            yield event(side, text)
        elif other in linked:
            yield event(side, f"half a conversation: the call has no Enhanced GRE of the {side}")
        elif side == "PNS":
            yield event("", "the call has no Enhanced GRE")


def _end(call: Any, control: Control | None, link: Link, facts: Facts, *, is_half: bool) -> Event:
    """The last line: the reason, and the packets that prove it."""
    act = None if CallReason(int(call["reason"])) in _NO_ACT else _act(stories.by(call), link, facts)
    proofs = [*_proofs(call, control, link, facts), *([] if act is None else [act])]
    named = [f"{what} in {_packets(fact)}" for what, fact in proofs]
    if act is not None:
        named[-1] += link.terminate_reason(stories.by(call), act[1].first)
    lost = _connection_end(call, control, is_named=act is not None)
    lost_at = [int(call["end_packet"])] if lost else []
    if lost:
        named.append(lost)
    reached = stories.reached(call)
    said = [stories.story(call, is_half=is_half), *(["" if reached == "-" else f"reached: {reached}"])]
    text = "; ".join(filter(None, (*said, ", ".join(named))))
    numbers = sorted({*lost_at, *(number for _, fact in proofs for number in (fact.first, fact.last))})
    packets = (numbers[0], numbers[-1]) if len(numbers) > 1 else tuple(numbers)
    return Event(_end_time(call, proofs, act), packets, stories.by(call), EventKind.END, "", text)


def _end_time(call: Any, proofs: list[tuple[str, Fact]], act: tuple[str, Fact] | None) -> np.datetime64:
    """The time of the packet that ended the call: an act, a refusal, or the end that the row of the call has."""
    if act is not None:
        return act[1].time
    if proofs and CallReason(int(call["reason"])) is CallReason.REFUSED:
        return proofs[-1][1].time
    time: np.datetime64 = call["last_time"] if np.isnat(call["end_time"]) else call["end_time"]
    return time


def _packets(fact: Fact) -> str:
    if fact.count == 1:
        return f"packet {fact.first}"
    return f"{fact.count:,} packets from {fact.first} to {fact.last}"


def _connection_end(call: Any, control: Control | None, *, is_named: bool) -> str:
    """The end of the TCP connection, if no act is named and that is what ended the call."""
    end = None if control is None else control.end()
    if end is None or call["end"] not in (CallEnd.FIN, CallEnd.RST, CallEnd.NEW_CONNECTION, CallEnd.EVICTED):
        return ""
    if is_named:
        return ""
    return f"{stories.with_side(end.text.partition(': ')[2], end.side)} in packet {end.packets[0]}"


# What proves a reason, of either side.
_PROOFS = {
    CallReason.REFUSED: ("Outgoing-Call-Reply", "Incoming-Call-Reply"),
    CallReason.NO_REPLY: ("Outgoing-Call-Request", "Incoming-Call-Request"),
    CallReason.ONE_WAY: ("LCP request",),
    CallReason.LINK_NOT_AGREED: ("LCP request",),
    CallReason.AUTHENTICATION_NOT_AGREED: ("authentication request", "authentication declined"),
    CallReason.AUTHENTICATION_FAILED: ("refusal",),
    CallReason.NETWORK_NOT_AGREED: ("success", "network request"),
}
# Acts that end a call.
_ACTS = ("termination", "Call-Clear-Request", "Call-Disconnect-Notify", "Stop-Control-Connection-Request")
# Reasons that are no act of a side, and those for which no act is named beyond what proves them.
_QUIET = (CallReason.OPEN, CallReason.SILENCE)
_NO_ACT = (*_QUIET, CallReason.REFUSED, CallReason.NO_REPLY, CallReason.CONNECTION_LOST)


def _proofs(call: Any, control: Control | None, link: Link, facts: Facts) -> Iterator[tuple[str, Fact]]:
    """What proves the reason."""
    reason, side = CallReason(int(call["reason"])), stories.by(call)
    for what in _PROOFS.get(reason, ()):
        for one in ("PNS", "PAC"):
            if fact := link.facts.before(what, one) or facts.get(what, one):
                yield stories.with_side(fact.said, one), fact
    if reason is CallReason.PEER_SILENT:
        for name, echoes in _echoes(call, control, link):
            # One request may be lost.
            if (asked := echoes.unanswered(side)) and asked[0] >= UNANSWERED:
                said = f"unanswered {name} Echo-Request"
                yield stories.with_side(said, side), Fact(said, *asked, call["last_time"])
                break
    if reason in _QUIET:
        last = int(call["last_packet"])
        yield "last seen", Fact("", 1, last, last, call["last_time"])


def _echoes(call: Any, control: Control | None, link: Link) -> Iterator[tuple[str, Echoes]]:
    """The echoes that show whether a side is silent: of LCP, where its replies can be in the capture, then others."""
    if call["pns_tunnel"] >= 0 and call["pac_tunnel"] >= 0:
        yield "LCP", link.echoes
    if control is not None:
        yield "control", control.echoes


def _act(side: str, link: Link, facts: Facts) -> tuple[str, Fact] | None:
    """The first act of the side that ended the call: a message, or a packet of PPP."""
    if not side:
        return None
    acts = [fact for what in _ACTS if (fact := link.facts.get(what, side) or facts.get(what, side))]
    if acts:
        first = min(acts, key=lambda fact: fact.first)
        return stories.with_side(first.said, side), replace(first, count=1, last=first.first)
    # The act itself is not in the capture, but the answer to it.
    other = stories.other(side)
    for what in ("termination acknowledged", "Call-Disconnect-Notify"):
        if fact := link.facts.get(what, other) or facts.get(what, other):
            return stories.with_side(fact.said, other), replace(fact, count=1, last=fact.first)
    return None

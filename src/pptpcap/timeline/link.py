"""Events of the PPP control packets of a call.

Knows ``ppp`` and ``ppp_options``.  Must not know control messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from .._follow.periods import GAP_NS, Periods, distance
from .._show import ppp as show
from .._show import stories, words
from ..engine import Rows
from ..wire.options import AUTHENTICATION, REFUSALS, RESETS, SUCCESSES
from ..wire.ppp import (
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
    QUALITY_REPORT,
    TERMINATE_ACK,
    TERMINATE_REQUEST,
)
from ..wire.status import HEADLESS, Authenticated, PppStatus
from .echoes import Echoes
from .event import Event, EventKind
from .lines import Facts, Lines

__all__ = ["Link"]

# What packets of LCP prove; some only if they have the option of authentication.
_LCP_FACTS = {
    CONFIGURE_REQUEST: "LCP request",
    CONFIGURE_NAK: "authentication declined",
    CONFIGURE_REJECT: "authentication declined",
    TERMINATE_REQUEST: "termination",
    TERMINATE_ACK: "termination acknowledged",
}
_DECLINES = (CONFIGURE_NAK, CONFIGURE_REJECT)
# Statuses that say nothing about the traffic.
_QUIET = PppStatus.PADDED | PppStatus.NO_HEAD
# Options that are shown of one packet.
_SHOWN = 24


@dataclass
class _Often:
    """Packets of one kind of which a call can have any number."""

    what: str
    start: int
    end: int
    first: int
    last: int
    count: int = 1

    def add(self, later: Self) -> None:
        self.end, self.last = later.end, later.last
        self.count += later.count


def _soon(period: _Often, later: _Often) -> bool:
    return distance(period, later) <= GAP_NS


class Link:
    """The PPP link of a call.

    Parameters
    ----------
    call : numpy.void
        The row of ``calls``.

    Attributes
    ----------
    facts : Facts
        What packets prove.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self.facts = Facts()
        self.echoes = Echoes("LCP")
        self._lines = Lines("PPP control packets")
        self._often: dict[tuple[str, str], Periods[_Often]] = {}
        self._reports: dict[str, _Often] = {}
        # Of each side, its first Terminate-Request with what it says, and its last refusal.
        self._terminating: dict[str, tuple[int, str]] = {}
        self._refusing: dict[str, int] = {}

    def take(self, side: str, row: Any, options: Rows, is_copy: bool, told: bool) -> None:
        """Take the next packet, which a side sent.

        Parameters
        ----------
        side : str
            "PNS" or "PAC".
        row : numpy.void
            The row of ``ppp``.
        options : numpy.ndarray
            Its rows of ``ppp_options``.
        is_copy : bool
            A packet with the same sequence number came before.
        told : bool
            The terminate reason of the side in ``calls`` is that of this tunnel.
        """
        protocol, code, identifier, status = (int(row[name]) for name in ("protocol", "code", "identifier", "status"))
        time, packet = int(row["time"].astype(np.int64)), int(row["packet"])
        is_sound = not status & HEADLESS
        # What a side asks behind its Terminate-Request is no echo (decoding 10.4.1).
        is_echo = code == ECHO_REPLY or (code == ECHO_REQUEST and self.facts.get("termination", side) is None)
        if protocol == LCP and is_echo and is_sound:
            if not is_copy:
                take = self.echoes.request if code == ECHO_REQUEST else self.echoes.reply
                take(side, identifier, time, packet)
            return
        name = show.code_name(protocol, code)
        if protocol == QUALITY_REPORT:
            report = _Often("LQR", time, time, packet, packet)
            self._reports.setdefault(side, replace(report, count=0)).add(report)
            return
        if protocol in OPENS_NO_NETWORK and code in RESETS and is_sound:
            what = f"{show.protocol_name(protocol)} {name}"
            self._often.setdefault((side, what), Periods(_soon)).add(_Often(what, time, time, packet, packet))
            return
        if is_sound:
            self._note(side, protocol, code, row, options)
        text = _text(protocol, name, row, options)
        if protocol == LCP and code == TERMINATE_REQUEST and is_sound and told and side not in self._terminating:
            octets, is_cut = int(row["length"]) - HEAD_SIZE, bool(status & PppStatus.CUT)
            self._terminating[side] = packet, stories.terminate_reason(self._call, side, octets, is_cut=is_cut)
            text += self.terminate_reason(side, packet)
        # Of two calls with one id, both count from 0.
        if is_copy and not stories.shared(self._call):
            text += " [DUPLICATED]"
        self._lines.add(Event(row["time"], (packet,), side, _kind(protocol), name if is_sound else "", text))

    def _note(self, side: str, protocol: int, code: int, row: Any, options: Rows) -> None:
        """Note what proves the end of a call."""
        packet, is_used = int(row["packet"]), not row["status"] & PppStatus.BAD_OPTION
        ends = side == stories.by(self._call)
        what = None
        asks = protocol == LCP and bool((options["type"] == AUTHENTICATION).any())
        if code == REFUSALS.get(protocol):
            what = "refusal"
            self._refusing[side] = packet
        elif code == SUCCESSES.get(protocol):
            what = "success"
            self.facts.forget("refusal", side)
            self._refusing.pop(side, None)
        elif protocol == LCP and is_used:
            if code == CONFIGURE_ACK:
                self.facts.forget("termination", side)
                if ends:
                    self.facts.release()
            elif code == TERMINATE_REQUEST and ends:
                # What comes later proves nothing of why this was sent.
                self.facts.hold()
            what = _LCP_FACTS.get(code) if asks or code not in _DECLINES else None
        elif protocol < FIRST_LINK_CONTROL and protocol not in OPENS_NO_NETWORK and code == CONFIGURE_REQUEST:
            what = "network request"
        # Of network protocols there are several.
        of = "network protocol" if what == "network request" else show.protocol_name(protocol)
        said = f"{of} {show.code_name(protocol, code)}"
        if what is not None:
            self.facts.note(what, side, packet, said, row["time"])
        if asks and code == CONFIGURE_REQUEST and is_used:
            self.facts.note("authentication request", side, packet, f"{said} with authentication", row["time"])

    def terminate_reason(self, side: str, packet: int) -> str:
        """The text of the first Terminate-Request of a side, if this packet is it."""
        first, said = self._terminating.get(side, (0, ""))
        return f": {said}" if first == packet and said else ""

    def events(self, captured: set[str]) -> Iterator[Event]:
        """What is to be said, after all packets; `captured` are the sides of which there is Enhanced GRE."""
        for event in self._lines.all():
            yield self._with_error(event)
        for (side, _), periods in self._often.items():
            for period in periods.all:
                text = period.what if period.count == 1 else f"{period.count:,} {period.what}s"
                yield _summary(period, side, EventKind.COMPRESSION, text)
        for side, reports in self._reports.items():
            text = "link quality report" if reports.count == 1 else f"{reports.count:,} link quality reports"
            yield _summary(reports, side, EventKind.PPP, text)
        yield from self.echoes.events(captured)

    def _with_error(self, event: Event) -> Event:
        """The last refusal of a side with the error code that the call has."""
        side = event.side
        if not side or event.packets != (self._refusing.get(side),) or event.kind is not EventKind.AUTHENTICATION:
            return event
        refused = stories.other(side).lower()
        error = int(self._call[f"{refused}_authentication_error"])
        if not error or self._call[f"{refused}_authenticated"] != Authenticated.REFUSED:
            return event
        return replace(event, text=f"{event.text}: error {error} ({stories.refusal_words(error)})")


def _summary(period: _Often, side: str, kind: EventKind, text: str) -> Event:
    packets = (period.first,) if period.first == period.last else (period.first, period.last)
    return Event(np.datetime64(period.start, "ns"), packets, side, kind, "", text)


def _kind(protocol: int) -> EventKind:
    if protocol == LCP:
        return EventKind.LCP
    if show.is_authentication(protocol):
        return EventKind.AUTHENTICATION
    if protocol in OPENS_NO_NETWORK:
        return EventKind.COMPRESSION
    return EventKind.NETWORK if protocol < FIRST_LINK_CONTROL else EventKind.PPP


def _text(protocol: int, name: str, row: Any, options: Rows) -> str:
    status = int(row["status"])
    text = f"{show.protocol_name(protocol)} {name} id {int(row['identifier'])}"
    if status & PppStatus.HEAD_CUT or (status & PppStatus.MALFORMED and not row["length"]):
        text = f"{show.protocol_name(protocol)} packet without a whole head"
    said = [
        show.option(protocol, int(option["type"]), int(option["length"]), int(option["value"]))
        for option in options[:_SHOWN]
    ]
    if len(options) > _SHOWN:
        said.append(f"and {len(options) - _SHOWN:,} more options")
    flags = words.flags(status & ~int(_QUIET), PppStatus)
    return text + (f": {', '.join(said)}" if said else "") + (f" [{' '.join(flags)}]" if flags else "")

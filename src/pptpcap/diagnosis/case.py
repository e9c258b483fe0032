"""What is known of one call, and how sentences about it name sides and packets.

Knows rows of ``calls`` and facts.  Must not know rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._show import stories, words
from ..engine import Rows
from ..wire.enumerations import ENUMERATIONS
from ..wire.status import CallPhase, CallStatus
from .facts import Connection, Flow, Link, Span
from .kinds import DiagnosisKind

__all__ = ["SIDES", "Case", "Found", "Packets", "Whole", "outcome"]

SIDES = ("PNS", "PAC")
_INNER = ("ipv4_packets", "ipv6_packets", "multilink_ip_packets", "encrypted_packets", "compressed_packets")


class Packets:
    """Numbers of packets, collected as a sentence names them."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()

    def of(self, span: Span) -> str:
        """The packets of a span in words."""
        self.numbers |= {span.first, span.last}
        if span.first == span.last:
            return f"packet {span.first}"
        return f"packets {span.first} {'and' if span.count == 2 else 'to'} {span.last}"

    def bounds(self, span: Span) -> str:
        """The first and the last packet of a span in words."""
        self.numbers |= {span.first, span.last}
        return f"{span.first} and {span.last}"

    def at(self, packet: int) -> str:
        """One packet in words."""
        return self.of(Span(1, int(packet), int(packet)))


class Found(NamedTuple):
    """A diagnosis without the call that it is of."""

    kind: DiagnosisKind
    sentence: str
    packets: Packets
    advice: str = ""


@dataclass
class Whole:
    """What is known of the whole capture."""

    # Packets of Enhanced GRE; those of no tunnel, and those that came in fragments.
    gre_packets: int = 0
    no_tunnel: int = 0
    fragmented: int = 0
    # Sequence numbers that were passed over.
    skipped: int = 0
    # Datagrams that lack fragments, by the first fragment that came.
    incomplete: Span = field(default_factory=Span)
    # Packet at which the clock went back, and by how many ns.
    clock_backs: list[tuple[int, int]] = field(default_factory=list)
    clock_stands: Span = field(default_factory=Span)


class Case:
    """One call.

    Parameters
    ----------
    number : int
        Its row.
    call : numpy.void
        The row of ``calls``.
    connection : Connection or None
        Its control connection.
    tunnels : mapping of int to numpy.void
        The rows of its tunnels.
    strangers : list of numpy.void
        Calls between the same addresses of which no control message tells.
    """

    def __init__(
        self, number: int, call: Any, connection: Connection | None, tunnels: dict[int, Any], strangers: list[Any]
    ) -> None:
        self.number = number
        self.call = call
        self.connection = connection
        # What was there before the call is of another one.
        self.strangers = [one for one in strangers if one["first_packet"] > call["first_packet"]]
        self.links = {side: Link() for side in SIDES}
        self.flows = {place: Flow(row) for place, row in tunnels.items()}
        self._side_of = {place: "PNS" if row["from_pns"] else "PAC" for place, row in tunnels.items()}
        self.initiator = "" if connection is None else stories.initiator(call, connection.row)
        self.is_assumed = stories.assumed(call)
        # Packets between the two addresses may be counted in another call than theirs.
        self.is_mixed = False

    def side_of(self, tunnel: int) -> str:
        """The side that sends a tunnel."""
        return self._side_of[tunnel]

    def take_ppp(self, tunnel: int, row: Any, options: Rows) -> None:
        """Take the next PPP control packet of a tunnel."""
        side = self._side_of[tunnel]
        self.links[side].take(row, options, self.links[stories.other(side)])

    def flows_of(self, side: str) -> list[Flow]:
        """The tunnels that a side sends."""
        return [flow for place, flow in self.flows.items() if self._side_of[place] == side]

    def who(self, side: str) -> str:
        """A side, where a sentence names it first."""
        if self.is_assumed:
            return f"{side} (assumed)"
        return f"{self.short(side)} ({side})" if self.initiator == "PNS" else side

    def short(self, side: str) -> str:
        """A side, where a sentence names it again."""
        if self.initiator == "PNS" and not self.is_assumed:
            return "client" if side == "PNS" else "server"
        return side

    @property
    def heard(self) -> set[str]:
        """The sides of which the capture has TCP segments."""
        return set() if self.connection is None else stories.heard(self.call, self.connection.row)

    @property
    def is_heard(self) -> bool:
        """The capture has TCP segments of both sides."""
        return len(self.heard) == 2

    @property
    def last_packet(self) -> int:
        """The last packet of the call or of its connection."""
        rows = [self.call] if self.connection is None else [self.call, self.connection.row]
        return max(int(row["last_packet"]) for row in rows)

    @property
    def linked(self) -> set[str]:
        """The sides of which the call has Enhanced GRE."""
        return set(self._side_of.values())

    def other_ids(self, side: str) -> Iterator[tuple[int, int]]:
        """Ids of Enhanced GRE that a side sends to the other, and nobody gave, each with its first packet."""
        sender = bytes(self.call[f"{side.lower()}_address"])
        for one in self.strangers:
            sends, gets = ("pns", "pac") if bytes(one["pns_address"]) == sender else ("pac", "pns")
            # With both tunnels it is a call of its own.
            if one[f"{sends}_tunnel"] >= 0 and one[f"{gets}_tunnel"] < 0:
                yield int(one[f"{gets}_call_id"]), int(one["first_packet"])

    @property
    def is_shared(self) -> bool:
        """Another call has one of its ids, so packets of the two are mixed."""
        return bool(self.call["status"] & CallStatus.SHARED_ID)

    @property
    def is_unsure(self) -> bool:
        """Packets of the call may be counted in another one, or those of another one here."""
        return self.is_shared or self.is_mixed

    @property
    def phase(self) -> CallPhase:
        """How far it came."""
        return CallPhase(int(self.call["phase"]))

    @property
    def has_data(self) -> bool:
        """An inner packet was seen."""
        return any(self.call[name] for name in _INNER)

    def acks(self, side: str) -> bool:
        """A side acknowledged packets of Enhanced GRE."""
        return any(flow.acks for flow in self.flows_of(side))

    def but(self, packets: Packets, *sides: str, behind: int = 0) -> str:
        """What the capture lacks behind a packet, as a doubt of what did not come; "" if nothing.

        Enhanced GRE of these sides, or the control connection if none is named.
        """
        parts = []
        if not sides and self.connection is not None and self.connection.gaps.last > behind:
            octets, gaps = self.connection.gap_octets, packets.of(self.connection.gaps)
            parts.append(f"{words.times(octets, 'octet')} of the control connection ({gaps})")
        for place, flow in self.flows.items():
            side = self._side_of[place]
            if side in sides and (missing := flow.missing(behind)):
                lost = words.times(missing.count, "packet")
                parts.append(f"{lost} of the {self.short(side)} (between packets {packets.bounds(missing)})")
        return f"; but the capture lacks {' and '.join(parts)}, which may tell otherwise" if parts else ""

    def quoted_ending(self, side: str) -> str:
        """The text of the first Terminate-Request of a side; "" if it has none."""
        link = self.links[side]
        return stories.terminate_reason(self.call, side, link.ending_octets, is_cut=link.is_ending_cut)

    def message(self, *kinds: int) -> Span:
        """Packets of the call's messages of these types, or of those of its connection."""
        if self.connection is None:
            return Span()
        spans = (self.connection.messages.get((of, kind)) for kind in kinds for of in (self.number, -1))
        return next((span for span in spans if span), Span())


def outcome(enumeration: str, result: int, error: int) -> str:
    """The codes of a reply, with their names."""
    said = f"result {result} ({ENUMERATIONS[enumeration].get(result, 'unknown')})"
    return f"{said}, error {error} ({ENUMERATIONS['error_code'].get(error, 'unknown')})" if error else said

"""Processes GRE rows, messages and ends of connections in packet order, and writes entity rows (decoding 10).

Knows the order of columns.  The rules are in ``tunnels`` and ``calls``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ..wire.calls import SILENCE_NS
from ..wire.gre import SEQUENCE_PRESENT
from ..wire.ip import ADDRESS, MAPPED
from ..wire.limits import Limits
from ..wire.status import (
    Authenticated,
    Authentication,
    CallEnd,
    CallKind,
    CallPresent,
    CallStatus,
    Compression,
    GreStatus,
    Side,
)
from .calls import Calls, EchoesOf, Ends
from .columns import Output, Row, Told
from .copies import Copies
from .entities import Call, Tunnel
from .events import GrePacket, Packet
from .negotiation import Said
from .sequence import Numbers
from .story import role, tell
from .tunnels import Tunnels

_NONE = bytes(16)
_CONTENTS = (
    "ipv4_packets",
    "ipv6_packets",
    "encrypted_packets",
    "compressed_packets",
    "control_packets",
    "multilink_ip_packets",
    "other_packets",
)


class _Half:
    """A call as its row has it: one that messages tell of, or one of tunnels alone."""

    def __init__(self, call: Call | None, from_pns: Tunnel | None, from_pac: Tunnel | None) -> None:
        self.call = call
        self.tunnels = {True: from_pns, False: from_pac}

    def find_roles(self) -> CallStatus:
        """Who is the PAC of a call that no message told of (decoding 10.5.1)."""
        first, second = self.tunnels[True], self.tunnels[False]
        roles = role(first), role(second)
        if roles[0] is roles[1]:
            return CallStatus.ROLES_ASSUMED
        if roles[0] is Side.PAC or roles[1] is Side.PNS:
            self.tunnels = {True: second, False: first}
        return CallStatus.ROLES_FROM_PPP

    def moments(self) -> list[tuple[Packet, Packet]]:
        """First and last packets of its messages and of its tunnels."""
        found = [(tunnel.first, tunnel.last) for tunnel in self.tunnels.values() if tunnel is not None]
        if self.call is not None and self.call.first is not None and self.call.last is not None:
            found.append((self.call.first, self.call.last))
        return found

    @property
    def first(self) -> Packet:
        """The lowest packet."""
        return min((first for first, _ in self.moments()), key=lambda packet: packet.number)

    @property
    def last(self) -> Packet:
        """The highest packet."""
        return max((last for _, last in self.moments()), key=lambda packet: packet.number)


class Relating:
    """State of tunnels and calls.

    Parameters
    ----------
    output : Output
        Takes issues.
    ends : callable
        Addresses of a connection by its row.
    echoes : callable
        Takes the echoes of connections.
    limits : Limits
        Caps.
    identities : bool
        Keep the names by which the sides made themselves known.
    drops_copies : bool
        Copies do not count in their tunnel.
    """

    def __init__(
        self,
        output: Output,
        ends: Callable[[int], Ends],
        echoes: EchoesOf,
        limits: Limits,
        identities: bool,
        drops_copies: bool,
    ) -> None:
        self._output = output
        self._ends = ends
        self._tunnels = Tunnels(output, limits.tunnels, identities)
        self._drops_copies = drops_copies
        # Of rows with a sequence number, and without.
        self.copies = {True: Copies(), False: Copies()}
        # The last row that was looked for among those before it.
        self._asked: GrePacket | None = None
        self._calls = Calls(output, self._tunnels, ends, echoes, limits.calls)

    def is_copy(self, found: GrePacket) -> bool:
        """Whether a row is a copy of an earlier one (decoding 4b)."""
        tunnel = None
        if not found.status & (GreStatus.HEADER_CUT.value | GreStatus.FRAGMENTED.value):
            tunnel = self._tunnels.current((found.source, found.destination, found.call_id))
        if tunnel is None or not tunnel.may_be_copy(found):
            return False
        self._asked = found
        is_copy = self._copies_of(found).is_copy(*_sighted(found, tunnel.index))
        if is_copy and not self._drops_copies:
            tunnel.copies += 1
        return is_copy

    def tunnel(self, found: GrePacket) -> tuple[int, int, int]:
        """Count a row; the row of its tunnel, -1 without one, and what its number says: statuses and ``skipped``."""
        is_cut = found.status & GreStatus.HEADER_CUT.value
        tunnel = None if is_cut else self._tunnels.of(found)
        if tunnel is None:
            return -1, 0, 0
        if found is not self._asked and not found.status & GreStatus.FRAGMENTED.value:
            self._copies_of(found).let_pass(*_sighted(found, tunnel.index))
        return tunnel.index, *tunnel.add(found)

    def _copies_of(self, found: GrePacket) -> Copies:
        return self.copies[bool(found.flags_and_version & SEQUENCE_PRESENT)]

    def unlisted(self) -> tuple[int, int]:
        """Rows without a tunnel and calls that were not made because of a cap."""
        return self._tunnels.unlisted, self._calls.unlisted

    def drain(self) -> None:
        """Take in what the connections found since the last call."""
        told, self._output.told = self._output.told, []
        for one in told:
            if isinstance(one, Told):
                self._calls.message(one)
            else:
                self._calls.ended(one)

    def rows(self, last_packets: list[Packet], heard: list[bool]) -> tuple[list[Row], list[Row]]:
        """Rows of tunnels and of calls.

        Parameters
        ----------
        last_packets : list of Packet
            The last one of each connection.
        heard : list of bool
            Whether each connection has segments of both sides.
        """
        halves = [_Half(c, c.tunnel(from_pns=True), c.tunnel(from_pns=False)) for c in self._calls.all]
        places = {id(half.call): half for half in halves}
        belongs: dict[int, tuple[_Half, bool]] = {}
        for tunnel, call, of_pns in self._only_ones():
            half = places[id(call)]
            half.call = call.with_tunnel(of_pns, tunnel.key[2])
            half.tunnels[not of_pns] = tunnel
            belongs[tunnel.index] = (half, not of_pns)
        for tunnel in self._tunnels.all:
            if tunnel.index in belongs:
                continue
            if tunnel.call is not None:
                belongs[tunnel.index] = (places[id(tunnel.call)], not tunnel.leads_to_pns)
                continue
            partner = belongs.get(tunnel.partner.index) if tunnel.partner is not None else None
            if partner is not None and partner[0].call is None:
                partner[0].tunnels[False] = tunnel
                belongs[tunnel.index] = (partner[0], False)
            else:
                half = _Half(None, tunnel, None)
                halves.append(half)
                belongs[tunnel.index] = (half, True)
        roles = {id(half): half.find_roles() for half in halves if half.call is None}
        index_of = {id(half): index for index, half in enumerate(halves)}
        tunnels = [
            _tunnel_row(tunnel, index_of[id(half)], half.tunnels[True] is tunnel if half.call is None else from_pns)
            for tunnel, (half, from_pns) in ((tunnel, belongs[tunnel.index]) for tunnel in self._tunnels.all)
        ]
        calls = []
        for half in halves:
            call = half.call or self._of_tunnels(half, roles[id(half)])
            of_connection = last_packets[call.connection] if call.connection >= 0 else None
            calls.append(self._call_row(half, call, of_connection, call.connection >= 0 and heard[call.connection]))
        return tunnels, calls

    def _only_ones(self) -> list[tuple[Tunnel, Call, bool]]:
        """Tunnels that lead to a side of which one call alone lacks the id (decoding 10.2.5), and those calls."""
        loose: dict[tuple[bytes, bytes], list[Tunnel]] = {}
        for tunnel in self._tunnels.all:
            if tunnel.call is None and tunnel.partner is None:
                loose.setdefault(tunnel.key[:2], []).append(tunnel)
        lacking: dict[tuple[bytes, bytes], list[tuple[Call, bool]]] = {}
        for call in self._calls.all:
            initiator, responder = self._ends(call.connection)
            for of_pns in (True, False):
                if call.reply_message < 0 and not call.has_id(of_pns):
                    ends = (responder, initiator) if of_pns == call.pns_is_initiator else (initiator, responder)
                    lacking.setdefault(ends, []).append((call, of_pns))
        return [
            (loose[ends][0], call, of_pns)
            for ends, ((call, of_pns), *others) in lacking.items()
            if not others and len(loose.get(ends, ())) == 1 and loose[ends][0].first.number >= call.request_packet
        ]

    def _call_row(self, half: _Half, call: Call, of_connection: Packet | None, both_heard: bool) -> Row:
        pns, pac = half.tunnels[True], half.tunnels[False]
        alone = pns or pac
        status, present = call.status, call.present
        for tunnel, bit in ((pns, CallPresent.PNS_TERMINATE), (pac, CallPresent.PAC_TERMINATE)):
            if tunnel is not None and tunnel.said.terminate_reason is not None:
                present |= bit
        if half.call is None and alone is not None:
            source, destination, _ = alone.key
            addresses = {alone is pns: source, alone is not pns: destination}
        else:
            initiator, responder = self._ends(call.connection)
            addresses = {call.pns_is_initiator: initiator, not call.pns_is_initiator: responder}
        first, last = half.first, half.last
        end, end_from_pns, ended_at = self._end(call, half.tunnels, of_connection)
        in_vain = self._calls.in_vain(call) if both_heard else {True: 0, False: 0}
        story = tell(call, end, half.tunnels, both_heard, in_vain)
        sides = {of_pns: _side(half.tunnels[of_pns], half.tunnels[not of_pns]) for of_pns in (True, False)}
        return (
            call.connection,
            pns.index if pns else -1,
            pac.index if pac else -1,
            call.request_message,
            call.reply_message,
            call.disconnect_message,
            call.kind.value,
            status.value,
            present.value,
            tuple(addresses[True][:ADDRESS]),
            tuple(addresses[False][:ADDRESS]),
            call.call_ids[True],
            call.call_ids[False],
            call.serial,
            first.number,
            last.number,
            first.time,
            last.time,
            call.connect_time,
            call.clear_time,
            call.disconnect_time,
            ended_at.time if ended_at else None,
            ended_at.number if ended_at else 0,
            end.value,
            end_from_pns,
            *(column.value for column in story),
            call.result,
            call.error,
            call.cause,
            call.disconnect_result,
            call.disconnect_error,
            call.disconnect_cause,
            call.set_link_infos,
            call.wan_error_notifies,
            *sides[True],
            *sides[False],
            *_summary(half),
            *(sum(tunnel.contents[name] for tunnel in half.tunnels.values() if tunnel) for name in _CONTENTS),
        )

    @staticmethod
    def _of_tunnels(half: _Half, roles: CallStatus) -> Call:
        """What is known of a call that no message told of (decoding 10.5.1)."""
        call = Call({}, -1, -1, CallKind.UNKNOWN, True)
        call.status |= roles
        for from_pns, tunnel in half.tunnels.items():
            if tunnel is not None:
                call.give_id(not from_pns, tunnel.key[2])
        if None not in half.tunnels.values():
            call.status |= CallStatus.TUNNEL_INFERRED
        return call

    @staticmethod
    def _end(
        call: Call, tunnels: dict[bool, Tunnel | None], of_connection: Packet | None
    ) -> tuple[CallEnd, bool, Packet | None]:
        # decoding 10.1
        if call.end is not CallEnd.OPEN:
            return call.end, call.end_from_pns, call.ended_at
        there = [tunnel for tunnel in tunnels.values() if tunnel is not None]
        if len(there) == 2:
            silent, other = sorted(there, key=lambda tunnel: tunnel.last.number)
            sign = max((silent.last, of_connection or silent.last), key=lambda packet: packet.number)
            went_on = [packet for packet in other.last_two if packet.number > sign.number]
            if len(went_on) == 2 and all(_is_long(sign.time, packet.time) for packet in went_on):
                return CallEnd.SILENCE, False, sign
        return CallEnd.OPEN, False, None


def _is_long(start: int | None, end: int | None) -> bool:
    """Whether more time lies between two than any answer takes."""
    return start is not None and end is not None and end - start > SILENCE_NS


def _sighted(found: GrePacket, tunnel: int) -> tuple[Hashable, Hashable, int | None]:
    """Identity and vantage of a row of a tunnel, and its time."""
    sighting = found.sighting
    identity = (
        tunnel,
        found.flags_and_version,
        found.payload_length,
        found.sequence_number,
        found.acknowledgment_number,
        found.ppp_protocol,
        sighting.identification,
        sighting.content,
    )
    return identity, (tunnel, sighting.vantage), found.packet.time


def _figures(tunnel: Tunnel | None) -> Row:
    numbers = tunnel.numbers if tunnel else Numbers()
    return (
        numbers.packets,
        tunnel.payload_octets if tunnel else 0,
        tunnel.acks if tunnel else 0,
        numbers.first,
        numbers.last,
        numbers.lost,
        numbers.duplicated,
        numbers.reordered,
        tunnel.copies if tunnel else 0,
        numbers.samples,
        numbers.least_ns,
        numbers.mean_ns,
    )


def _tunnel_row(tunnel: Tunnel, call: int, from_pns: bool) -> Row:
    source, destination, call_id = tunnel.key
    return (
        tuple(source[:ADDRESS]),
        tuple(destination[:ADDRESS]),
        call_id,
        *tunnel.layers.row(),
        tunnel.generation,
        call,
        from_pns,
        tunnel.first.time,
        tunnel.last.time,
        tunnel.first.number,
        tunnel.last.number,
        *_figures(tunnel),
        *(tunnel.contents[name] for name in _CONTENTS),
    )


def _said(tunnel: Tunnel | None) -> Said:
    return tunnel.said if tunnel else Said(False)


def _side(own_tunnel: Tunnel | None, peer_tunnel: Tunnel | None) -> Row:
    own, peer = _said(own_tunnel), _said(peer_tunnel)
    return (
        *_figures(own_tunnel),
        peer.mru,
        peer.accm,
        _method(own).value,
        own.eap_method,
        peer.asked.value,
        peer.believed.value,
        peer.error,
        own.compression.value,
        own.bits,
        own.ip_compression,
        tuple(MAPPED + peer.ipv4 if peer.ipv4 is not None else _NONE),
        peer.interface_identifier,
        own.echo_requests,
        own.echo_replies,
        *own.echoes.row(),
        own.terminate_reason or b"",
        own.name,
    )


def _method(own: Said) -> Authentication:
    is_told = own.acknowledged > Authentication.NONE or own.seen is Authentication.NOT_SEEN
    return own.acknowledged if is_told else own.seen


def _leaves_open(method: Authentication, peer: Said) -> bool:
    """Whether a side that agreed on no authentication may have had to prove itself all the same."""
    is_tried = peer.challenged or peer.believed is not Authenticated.NOT_SEEN
    return is_tried or (method is Authentication.NOT_SEEN and peer.asked is not Authentication.NOT_SEEN)


def _summary(half: _Half) -> Row:
    # decoding 10.5.4
    pns, pac = _said(half.tunnels[True]), _said(half.tunnels[False])
    methods = _method(pns), _method(pac)
    if methods[0] > Authentication.NONE:
        method, authenticated = methods[0], pac.believed
    elif methods[1] > Authentication.NONE:
        method, authenticated = methods[1], pns.believed
    else:
        method = max(methods)
        authenticated = pac.believed or pns.believed
        if any(_leaves_open(method_of, peer) for method_of, peer in zip(methods, (pac, pns), strict=True)):
            method = Authentication.NOT_SEEN
    compression = pac.compression if pns.compression is Compression.NOT_SEEN else pns.compression
    bits = pns.bits & pac.bits if pns.bits and pac.bits else pns.bits | pac.bits
    mru = min((mru for mru in (pns.mru, pac.mru) if mru), default=0)
    return mru, method.value, authenticated.value, compression.value, bits

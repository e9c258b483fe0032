"""The state of one tunnel, and of one call that messages reveal (decoding 10).

Must not decide which row or message belongs to which; ``tunnels`` and ``calls`` do.
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from typing import TypeAlias

from ..wire import ppp
from ..wire.gre import ACKNOWLEDGMENT_PRESENT, SEQUENCE_PRESENT
from ..wire.status import CallEnd, CallKind, CallPresent, CallStatus, GreStatus, PppStatus
from .events import ControlPacket, GrePacket, Packet
from .layers import Layers
from .negotiation import Said
from .sequence import Arrival, Numbers
from .streams import signed_difference

# Source, destination, call id.
Key: TypeAlias = tuple[bytes, bytes, int]

_IPV4 = (ppp.IPV4, ppp.VJ_COMPRESSED, ppp.VJ_UNCOMPRESSED)


class Tunnel:
    """One tunnel.

    Parameters
    ----------
    index : int
        Row in tunnels.
    key : tuple
        Source, destination, call id.
    layers : Layers
        Those of its first packet.
    generation : int
        Tunnels of this key before it.
    packet : Packet
        The first one.
    identities : bool
        Keep the names of its sender.
    """

    def __init__(self, index: int, key: Key, layers: Layers, generation: int, packet: Packet, identities: bool) -> None:
        self.index = index
        self.key = key
        self.layers = layers
        self.generation = generation
        self.first = packet
        self.last_two: list[Packet] = []
        self.numbers = Numbers()
        self.said = Said(identities)
        self.payload_octets = 0
        self.acks = 0
        self.copies = 0
        self.contents: Counter[str] = Counter()
        self.call: Call | None = None
        # It leads to the PNS of its call, and so comes from the PAC.
        self.leads_to_pns = False
        self.is_inferred = False
        self.partner: Tunnel | None = None

    def add(self, found: GrePacket) -> Arrival:
        """Count a row (decoding 10.3)."""
        packet, word, arrival = found.packet, found.flags_and_version, Arrival(0, 0)
        self.last_two = [*self.last_two, packet][-2:]
        control = found.control
        if control is not None:
            used = self.said.take(control, packet.number, packet.time)
            if control.protocol == ppp.LCP:
                self._echo(control, packet, used)
        if word & ACKNOWLEDGMENT_PRESENT and self.partner is not None:
            self.partner.numbers.acknowledge(found.acknowledgment_number, packet.time)
        if word & SEQUENCE_PRESENT:
            arrival = self.numbers.add(found.sequence_number)
            if not arrival.status and packet.time is not None and self.partner is not None:
                self.numbers.wait(packet.time)
            self.payload_octets += found.payload_length
            self.contents[self._content(found.ppp_protocol, found.status)] += 1
        elif word & ACKNOWLEDGMENT_PRESENT:
            self.acks += 1
        return arrival

    def _echo(self, control: ControlPacket, packet: Packet, used: bool) -> None:
        """What an LCP packet means for the echoes of both sides (decoding 10.4.1)."""
        if self.partner is None:
            # Nobody could tell which replies are to this side.
            self.said.echoes.in_vain = 0
        elif used and control.code == ppp.ECHO_REPLY:
            self.partner.said.echoes.answer(control.identifier, packet.time)
        elif control.status & PppStatus.HEAD_CUT.value:
            # It may be a reply.
            self.partner.said.echoes.in_vain = 0

    @property
    def last(self) -> Packet:
        """The last packet."""
        return self.last_two[-1]

    def may_be_copy(self, found: GrePacket) -> bool:
        """Whether there may be an earlier packet with the number of a row (decoding 4b.4)."""
        if not found.flags_and_version & SEQUENCE_PRESENT:
            return True
        return self.numbers.packets > 0 and signed_difference(found.sequence_number, self.numbers.last) <= 0

    def part(self) -> None:
        """Separate both from their partner."""
        if self.partner is not None:
            for one in (self, self.partner):
                one.partner = None
                one.numbers.forget_timed()

    def _content(self, protocol: int, status: int) -> str:
        if protocol in _IPV4:
            return "ipv4_packets"
        if protocol == ppp.IPV6:
            return "ipv6_packets"
        if protocol == ppp.COMPRESSED and self.said.is_encrypted:
            return "encrypted_packets"
        if protocol in (ppp.COMPRESSED, ppp.LINK_COMPRESSED):
            return "compressed_packets"
        if status & GreStatus.MULTILINK_IP:
            return "multilink_ip_packets"
        return "control_packets" if protocol >= ppp.FIRST_CONTROL else "other_packets"


class Call:
    """One call that messages tell of.

    Parameters
    ----------
    ids : dict
        Connection, whether the initiator gave it, and id: the call to which it was given last.
    index : int
        Row in calls, -1 if no message tells of it.
    connection : int
        Row in connections.
    kind : CallKind
        Who asked for it.
    pns_is_initiator : bool
        Which side of the connection is the PNS.
    """

    def __init__(
        self,
        ids: dict[tuple[int, bool, int], Call],
        index: int,
        connection: int,
        kind: CallKind,
        pns_is_initiator: bool,
    ) -> None:
        self._ids = ids
        self.index = index
        self.connection = connection
        self.kind = kind
        self.pns_is_initiator = pns_is_initiator
        self.status = CallStatus(0)
        self.present = CallPresent(0)
        self.request_message = self.reply_message = self.disconnect_message = -1
        # 0 if no request was seen: every packet comes after it.
        self.request_packet = 0
        self.first: Packet | None = None
        self.last: Packet | None = None
        self.serial = 0
        self.call_ids = {True: 0, False: 0}
        self._tunnels: dict[bool, Tunnel] = {}
        self.connect_time: int | None = None
        self.clear_time: int | None = None
        self.disconnect_time: int | None = None
        self.end = CallEnd.OPEN
        self.end_from_pns = False
        # The packet of the end, None while it is open.
        self.ended_at: Packet | None = None
        # Then, how many of the last echoes of its connection the PNS, or the PAC, had sent in vain.
        self.in_vain = {True: 0, False: 0}
        self.is_connected = False
        self.result = self.error = self.cause = 0
        self.disconnect_result = self.disconnect_error = self.disconnect_cause = 0
        self.set_link_infos = 0
        self.wan_error_notifies = 0

    def see(self, packet: Packet) -> None:
        """A message of it."""
        if self.first is None or packet.number < self.first.number:
            self.first = packet
        if self.last is None or packet.number > self.last.number:
            self.last = packet

    @property
    def is_live(self) -> bool:
        """Whether nothing was seen that ends it."""
        return self.end is CallEnd.OPEN

    def has_id(self, of_pns: bool) -> bool:
        """Whether the id that this side gave is known."""
        return bool(self.present & (CallPresent.PNS_CALL_ID if of_pns else CallPresent.PAC_CALL_ID))

    def give_id(self, of_pns: bool, call_id: int) -> None:
        """Keep the id that this side gave."""
        self.call_ids[of_pns] = call_id
        self.present |= CallPresent.PNS_CALL_ID if of_pns else CallPresent.PAC_CALL_ID
        self._ids[self.connection, of_pns == self.pns_is_initiator, call_id] = self

    def with_tunnel(self, of_pns: bool, call_id: int) -> Call:
        """The same call with an id that only a tunnel told; this one stays as it is."""
        call = copy(self)
        call._ids, call.call_ids = {}, {**self.call_ids}
        call.give_id(of_pns, call_id)
        call.status |= CallStatus.TUNNEL_INFERRED
        return call

    def tunnel(self, *, from_pns: bool) -> Tunnel | None:
        """What the PNS sends, or the PAC."""
        return self._tunnels.get(from_pns)

    def take_tunnel(self, tunnel: Tunnel) -> None:
        """The tunnel is its own."""
        self._tunnels[not tunnel.leads_to_pns] = tunnel

    def let_go_inferred(self, leads_to_pns: bool) -> None:
        """Detach a tunnel that was joined by its addresses and has another id than the one now known."""
        tunnel = self._tunnels.get(not leads_to_pns)
        if tunnel is not None and tunnel.is_inferred and tunnel.key[2] != self.call_ids[leads_to_pns]:
            tunnel.call, tunnel.is_inferred = None, False
            tunnel.part()
            del self._tunnels[not leads_to_pns]

    def finish(self, end: CallEnd, from_pns: bool, packet: Packet) -> None:
        """Record the end of a call; the first one counts."""
        if self.end is CallEnd.OPEN:
            self.end, self.end_from_pns, self.ended_at = end, from_pns, packet

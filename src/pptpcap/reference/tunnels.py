"""Assigns rows to tunnels, tunnels to calls, and tunnels to partners (decoding 10.2).

Knows keys, ids and sides.  Of messages it knows only that they carry ids.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ..wire.status import CallStatus, Layer
from .columns import Output
from .entities import Call, Key, Tunnel
from .events import GrePacket


class Waiting(NamedTuple):
    """A call that waits for the tunnel that leads to its PNS, or to its PAC."""

    call: Call
    leads_to_pns: bool


class Tunnels:
    """All tunnels of one capture.

    Parameters
    ----------
    output : Output
        Takes issues.
    most : int
        Tunnels at most.
    identities : bool
        Keep names.
    """

    def __init__(self, output: Output, most: int, identities: bool) -> None:
        self._output = output
        self._most = most
        self._identities = identities
        # Rows without a tunnel because of the cap.
        self.unlisted = 0
        self.all: list[Tunnel] = []
        self._holders: dict[Key, Tunnel | Waiting] = {}
        self._generations: Counter[Key] = Counter()
        # The tunnel between two addresses that was made last.
        self._made_last: dict[tuple[bytes, bytes], Tunnel] = {}

    def of(self, found: GrePacket) -> Tunnel | None:
        """The tunnel of a row, a new one if none is current (decoding 10.2.1); None beyond the cap."""
        key = (found.source, found.destination, found.call_id)
        holder = self._holders.get(key)
        if isinstance(holder, Tunnel):
            return holder
        if len(self.all) >= self._most:
            if not self.unlisted:
                self._output.entity_limit(found.packet, -1, Layer.GRE, self._most)
            self.unlisted += 1
            return None
        tunnel = Tunnel(len(self.all), key, found.layers, self._generations[key], found.packet, self._identities)
        self._generations[key] += 1
        self.all.append(tunnel)
        opposite = self._made_last.get((found.destination, found.source))
        self._made_last[found.source, found.destination] = tunnel
        self._holders[key] = tunnel
        if holder is not None:
            self._adopt(holder.call, tunnel, holder.leads_to_pns)
        elif opposite is not None and opposite.partner is None and _lacks_other(opposite):
            _pair(tunnel, opposite)
            if opposite.call is not None:
                _join(opposite.call, tunnel, not opposite.leads_to_pns)
        return tunnel

    def current(self, key: Key) -> Tunnel | None:
        """The current tunnel of a key."""
        holder = self._holders.get(key)
        return holder if isinstance(holder, Tunnel) else None

    def claim(self, call: Call, key: Key, leads_to_pns: bool) -> Call | None:
        """A message told the id in the key (decoding 10.2.2); the other call that had it until now."""
        holder = self._holders.get(key)
        if holder is not None and holder.call is call:
            return None
        call.let_go_inferred(leads_to_pns)
        is_free = isinstance(holder, Tunnel) and holder.call is None
        if isinstance(holder, Tunnel) and is_free and holder.first.number >= call.request_packet:
            self._adopt(call, holder, leads_to_pns)
            return None
        self._holders[key] = Waiting(call, leads_to_pns)
        return holder.call if holder is not None else None

    @staticmethod
    def _adopt(call: Call, tunnel: Tunnel, leads_to_pns: bool) -> None:
        tunnel.call, tunnel.leads_to_pns, tunnel.is_inferred = call, leads_to_pns, False
        call.take_tunnel(tunnel)
        other = call.tunnel(from_pns=leads_to_pns)
        if other is not None:
            _pair(tunnel, other)
        elif tunnel.partner is not None and tunnel.partner.call is None and not call.has_id(not leads_to_pns):
            _join(call, tunnel.partner, not leads_to_pns)


def _lacks_other(tunnel: Tunnel) -> bool:
    """Whether it has no call, or a call of which the other id is not present."""
    return tunnel.call is None or not tunnel.call.has_id(not tunnel.leads_to_pns)


def _join(call: Call, tunnel: Tunnel, leads_to_pns: bool) -> None:
    """The tunnel is the call's by its addresses alone (decoding 10.2.3)."""
    tunnel.call, tunnel.leads_to_pns, tunnel.is_inferred = call, leads_to_pns, True
    call.take_tunnel(tunnel)
    call.status |= CallStatus.TUNNEL_INFERRED
    call.give_id(leads_to_pns, tunnel.key[2])


def _pair(one: Tunnel, other: Tunnel) -> None:
    if one.partner is not other:
        one.part()
        other.part()
        one.partner, other.partner = other, one

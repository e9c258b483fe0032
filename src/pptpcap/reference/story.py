"""How far a call came, why it ended, and who acted first (decoding 10.5.6 to 10.5.8).

Knows what both sides said.  Must not know messages or columns.
"""

from __future__ import annotations

from typing import NamedTuple

from ..wire import ppp
from ..wire.calls import UNANSWERED
from ..wire.status import Authenticated, Authentication, CallEnd, CallPhase, CallPresent, CallReason, CallStatus, Side
from .entities import Call, Tunnel
from .negotiation import Said

_REQUESTED_TO_DISCONNECT = 4
_INNER = ("ipv4_packets", "ipv6_packets", "multilink_ip_packets", "encrypted_packets", "compressed_packets")
_ACTS = {
    CallEnd.DISCONNECT_NOTIFY: CallReason.DISCONNECTED,
    CallEnd.CALL_CLEAR: CallReason.CLEARED,
    CallEnd.STOP: CallReason.CLEARED,
}
_BY_NOBODY = (CallEnd.OPEN, CallEnd.SILENCE, CallEnd.NEW_CONNECTION, CallEnd.EVICTED)


class Story(NamedTuple):
    """Three columns of a call."""

    phase: CallPhase
    reason: CallReason
    ended_by: Side


def role(tunnel: Tunnel | None) -> Side:
    """Which side the sender of a tunnel is, as its authentication shows."""
    if tunnel is None:
        return Side.NONE
    said = tunnel.said
    asks = said.challenged or said.believed is not Authenticated.NOT_SEEN
    proves = said.seen is not Authentication.NOT_SEEN
    return Side.NONE if asks == proves else Side.PAC if asks else Side.PNS


def tell(
    call: Call, end: CallEnd, tunnels: dict[bool, Tunnel | None], both_heard: bool, in_vain: dict[bool, int]
) -> Story:
    """The story of a call that ended in this way on its control connection.

    Parameters
    ----------
    call : Call
        What messages told.
    end : CallEnd
        SILENCE is one.
    tunnels : dict
        What the PNS sends, and the PAC.
    both_heard : bool
        Its connection has segments of both sides.
    in_vain : dict
        The last echoes of the PNS on the connection, and of the PAC, that were not answered.
    """
    phase = _phase(call, tunnels)
    kind, by = _first_act(call, end, tunnels)
    if kind is CallReason.OPEN:
        return Story(phase, kind, by)
    reason = _reason(call, phase, tunnels, both_heard)
    if reason is None and _is_silent(tunnels, in_vain, by):
        reason = CallReason.PEER_SILENT
    return Story(phase, reason or kind, by)


def _phase(call: Call, tunnels: dict[bool, Tunnel | None]) -> CallPhase:
    there = [tunnel for tunnel in tunnels.values() if tunnel is not None]
    if not there:
        if call.is_connected:
            return CallPhase.CONNECTED
        is_requested = call.request_message >= 0 or call.present & CallPresent.RESULT
        return CallPhase.REQUESTED if is_requested else CallPhase.NONE
    networks = set.intersection(*(tunnel.said.opened_networks for tunnel in there))
    if networks or any(tunnel.contents[name] for tunnel in there for name in _INNER):
        return CallPhase.NETWORK
    if not all(ppp.LCP in tunnel.said.opened for tunnel in there):
        return CallPhase.CONNECTED
    return CallPhase.AUTHENTICATED if any(tunnel.said.accepted for tunnel in there) else CallPhase.LINK


def _first_act(call: Call, end: CallEnd, tunnels: dict[bool, Tunnel | None]) -> tuple[CallReason, Side]:
    """What ended it first, as a reason, and by whom."""
    acts: list[tuple[int, CallReason, Side]] = []
    if call.ended_at is not None:
        by = Side.NONE if end in _BY_NOBODY else Side.PNS if call.end_from_pns else Side.PAC
        kind = _ACTS.get(end, CallReason.CONNECTION_LOST)
        if (end, by, call.disconnect_result) == (CallEnd.DISCONNECT_NOTIFY, Side.PAC, _REQUESTED_TO_DISCONNECT):
            kind, by = CallReason.CLEARED, Side.PNS
        acts.append((call.ended_at.number, kind, by))
    for from_pns, tunnel in tunnels.items():
        own, other = (Side.PNS, Side.PAC) if from_pns else (Side.PAC, Side.PNS)
        if tunnel is None:
            continue
        if tunnel.said.terminate is not None:
            acts.append((tunnel.said.terminate, CallReason.TERMINATED, own))
        if tunnel.said.terminate_ack is not None and tunnels[not from_pns] is None:
            acts.append((tunnel.said.terminate_ack, CallReason.TERMINATED, other))
    if acts:
        _, kind, by = min(acts, key=lambda act: act[0])
        return kind, by
    return (CallReason.SILENCE if end is CallEnd.SILENCE else CallReason.OPEN), Side.NONE


def _reason(call: Call, phase: CallPhase, tunnels: dict[bool, Tunnel | None], both_heard: bool) -> CallReason | None:
    """What was wrong with a call before its network opened; None if nothing was."""
    if call.end is CallEnd.REFUSED:
        return CallReason.REFUSED
    there = [tunnel for tunnel in tunnels.values() if tunnel is not None]
    if both_heard and not there and call.request_message >= 0 and call.reply_message < 0:
        return CallReason.NO_REPLY
    sending = [tunnel for tunnel in there if tunnel.numbers.packets]
    is_mixed = call.status & CallStatus.SHARED_ID
    if phase is CallPhase.CONNECTED and both_heard and not is_mixed and len(sending) == 1:
        said = sending[0].said
        if said.requested_link and ppp.LCP not in said.opened:
            return CallReason.ONE_WAY
    return None if phase is CallPhase.NETWORK else _not_agreed(phase, [tunnel.said for tunnel in there])


def _not_agreed(phase: CallPhase, said: list[Said]) -> CallReason | None:
    is_whole = len(said) == 2
    if is_whole and any(_would_not(own, peer) for own, peer in (said, reversed(said))):
        return CallReason.AUTHENTICATION_NOT_AGREED
    if is_whole and phase is CallPhase.CONNECTED and all(own.requested_link for own in said):
        return CallReason.LINK_NOT_AGREED
    if any(own.believed is Authenticated.REFUSED for own in said):
        return CallReason.AUTHENTICATION_FAILED
    nobody_asked = all(own.asked is Authentication.NOT_SEEN for own in said)
    if is_whole and (phase is CallPhase.AUTHENTICATED or (phase is CallPhase.LINK and nobody_asked)):
        return CallReason.NETWORK_NOT_AGREED
    return None


def _would_not(own: Said, peer: Said) -> bool:
    return own.declined and own.acknowledged <= Authentication.NONE and peer.asked is not Authentication.NOT_SEEN


def _is_silent(tunnels: dict[bool, Tunnel | None], in_vain: dict[bool, int], by: Side) -> bool:
    """Whether the last echoes of the side that ended it were not answered."""
    if by is Side.NONE:
        return False
    ending, peer = tunnels[by is Side.PNS], tunnels[by is not Side.PNS]
    if ending is not None and peer is not None and ending.said.echoes.in_vain >= UNANSWERED:
        return True
    return in_vain[by is Side.PNS] >= UNANSWERED

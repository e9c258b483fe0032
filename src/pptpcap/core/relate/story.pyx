"""Tells how far a call came, why it ended, and who acted first (decoding sections 10.5.6 to 10.5.8).

Knows what both sides said.  Must not know messages.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memset

from ..base.numbers cimport (
    AUTHENTICATED_NOT_SEEN, AUTHENTICATED_REFUSED, AUTHENTICATION_NONE, AUTHENTICATION_NOT_SEEN, CALL_END_CALL_CLEAR,
    CALL_END_DISCONNECT_NOTIFY, CALL_END_EVICTED, CALL_END_NEW_CONNECTION, CALL_END_OPEN, CALL_END_REFUSED,
    CALL_END_SILENCE, CALL_END_STOP, CALL_PRESENT_RESULT, CALL_STATUS_SHARED_ID, PHASE_AUTHENTICATED, PHASE_CONNECTED,
    PHASE_LINK, PHASE_NETWORK, PHASE_NONE, PHASE_REQUESTED, REASON_AUTHENTICATION_FAILED,
    REASON_AUTHENTICATION_NOT_AGREED, REASON_CLEARED, REASON_CONNECTION_LOST, REASON_DISCONNECTED,
    REASON_LINK_NOT_AGREED, REASON_NETWORK_NOT_AGREED, REASON_NO_REPLY, REASON_ONE_WAY, REASON_OPEN, REASON_PEER_SILENT,
    REASON_REFUSED, REASON_SILENCE, REASON_TERMINATED, SIDE_NONE, SIDE_PAC, SIDE_PNS, UNANSWERED, CallRow,
)
from ..stream.control cimport InVain
from .negotiation cimport OPENED_LCP, OPENED_NETWORKS, Negotiation
from .state cimport PAC, PNS, Call, Relations, Tunnel, tunnel_at

cdef enum:
    # Result code of a Call-Disconnect-Notify that answers a Call-Clear-Request.
    REQUESTED_TO_DISCONNECT = 4


cdef struct Sides:
    # Of the roles that have a tunnel; what a side said is all zero where it said nothing.
    const Tunnel* tunnel[2]
    const Negotiation* said[2]
    int count


cdef int role_of(const Tunnel* tunnel) noexcept nogil:
    """Which side the sender of a tunnel is, as its authentication shows."""
    cdef const Negotiation* said = tunnel.negotiation
    cdef bint asks
    cdef bint proves
    if said == NULL:
        return SIDE_NONE
    asks = said.challenged or said.believed != AUTHENTICATED_NOT_SEEN
    proves = said.seen != AUTHENTICATION_NOT_SEEN
    if asks == proves:
        return SIDE_NONE
    return SIDE_PAC if asks else SIDE_PNS


cdef int phase_of(const CallRow* row, const Call* call, const Sides* sides) noexcept nogil:
    cdef int opened = OPENED_LCP | OPENED_NETWORKS
    cdef bint accepted = False
    cdef int role
    if sides.count == 0:
        if call.connected:
            return PHASE_CONNECTED
        return PHASE_REQUESTED if call.request >= 0 or call.present & CALL_PRESENT_RESULT else PHASE_NONE
    for role in range(2):
        if sides.tunnel[role] != NULL:
            opened &= sides.said[role].opened
            accepted = accepted or sides.said[role].accepted
    if opened & OPENED_NETWORKS or (
        row.contents.ipv4_packets or row.contents.ipv6_packets or row.contents.encrypted_packets
        or row.contents.compressed_packets or row.contents.multilink_ip_packets
    ):
        return PHASE_NETWORK
    if not opened & OPENED_LCP:
        return PHASE_CONNECTED
    return PHASE_AUTHENTICATED if accepted else PHASE_LINK


cdef void first_act(CallRow* row, const Call* call, const Sides* sides) noexcept nogil:
    """What ended it first, as ``reason``, and by whom."""
    cdef uint64_t first = ~<uint64_t>0
    cdef int role
    row.reason = REASON_SILENCE if row.end == CALL_END_SILENCE else REASON_OPEN
    row.ended_by = SIDE_NONE
    if call.end != CALL_END_OPEN:
        first = call.end_packet
        row.reason = REASON_CONNECTION_LOST
        if call.end != CALL_END_NEW_CONNECTION and call.end != CALL_END_EVICTED:
            row.ended_by = SIDE_PNS if call.end_from_pns else SIDE_PAC
        if call.end == CALL_END_CALL_CLEAR or call.end == CALL_END_STOP:
            row.reason = REASON_CLEARED
        elif call.end == CALL_END_DISCONNECT_NOTIFY:
            row.reason = REASON_DISCONNECTED
            if not call.end_from_pns and call.disconnect_result == REQUESTED_TO_DISCONNECT:
                row.reason = REASON_CLEARED
                row.ended_by = SIDE_PNS
    for role in range(2):
        if sides.tunnel[role] == NULL:
            continue
        if sides.said[role].terminate and sides.said[role].terminate < first:
            first = sides.said[role].terminate
            row.reason = REASON_TERMINATED
            row.ended_by = SIDE_PAC if role == PAC else SIDE_PNS
        if sides.tunnel[1 - role] == NULL and sides.said[role].terminate_ack and sides.said[role].terminate_ack < first:
            first = sides.said[role].terminate_ack
            row.reason = REASON_TERMINATED
            row.ended_by = SIDE_PNS if role == PAC else SIDE_PAC


cdef bint is_one_way(const CallRow* row, const Sides* sides) noexcept nogil:
    """Whether one side alone sent PPP, LCP among it, and acknowledged nothing."""
    cdef const Negotiation* said = NULL
    cdef int role
    # Packets of two calls with one id are mixed.
    if row.phase != PHASE_CONNECTED or row.status & CALL_STATUS_SHARED_ID:
        return False
    for role in range(2):
        if sides.tunnel[role] != NULL and sides.tunnel[role].figures.packets:
            if said != NULL:
                return False
            said = sides.said[role]
    return said != NULL and said.requested_link and not said.opened & OPENED_LCP


cdef bint would_not(const Negotiation* own, const Negotiation* peer) noexcept nogil:
    """Whether the peer asked for authentication and this side did not agree to any."""
    return (
        own.declined and own.authentication <= AUTHENTICATION_NONE and peer.asked != AUTHENTICATION_NOT_SEEN
    )


cdef int not_agreed(const CallRow* row, const Sides* sides) noexcept nogil:
    """What was not agreed on before the network opened; OPEN where nothing was."""
    cdef const Negotiation* pns = sides.said[PNS]
    cdef const Negotiation* pac = sides.said[PAC]
    cdef bint whole = sides.count == 2
    cdef bint asked = pns.asked != AUTHENTICATION_NOT_SEEN or pac.asked != AUTHENTICATION_NOT_SEEN
    if row.phase == PHASE_NETWORK:
        return REASON_OPEN
    if whole and (would_not(pns, pac) or would_not(pac, pns)):
        return REASON_AUTHENTICATION_NOT_AGREED
    if whole and row.phase == PHASE_CONNECTED and pns.requested_link and pac.requested_link:
        return REASON_LINK_NOT_AGREED
    if pns.believed == AUTHENTICATED_REFUSED or pac.believed == AUTHENTICATED_REFUSED:
        return REASON_AUTHENTICATION_FAILED
    if whole and (row.phase == PHASE_AUTHENTICATED or (row.phase == PHASE_LINK and not asked)):
        return REASON_NETWORK_NOT_AGREED
    return REASON_OPEN


cdef bint is_silent(
    const CallRow* row, const Sides* sides, const Call* call, const InVain* in_vain
) noexcept nogil:
    """Whether the last echoes of the side that ended it were not answered."""
    cdef int role = PNS if row.ended_by == SIDE_PNS else PAC
    if row.ended_by == SIDE_NONE:
        return False
    if sides.count == 2 and sides.said[role].echoes.in_vain >= UNANSWERED:
        return True
    if in_vain == NULL:
        return False
    role ^= call.pns_side
    if call.end != CALL_END_OPEN:
        return call.unanswered >> role & 1
    return in_vain.side[role] >= UNANSWERED


cdef void tell_story(CallRow* row, const Relations* state, const Call* call, const InVain* in_vain) noexcept nogil:
    """Write ``phase``, ``reason`` and ``ended_by`` of a row that has its end and its content.

    `in_vain` has the echoes of its connection, NULL where that has not segments of both sides.
    """
    cdef Negotiation nothing
    cdef Sides sides
    cdef int role
    cdef int reason = REASON_OPEN
    cdef bint both_heard = in_vain != NULL
    memset(&nothing, 0, sizeof(Negotiation))
    sides.count = 0
    for role in range(2):
        sides.tunnel[role] = tunnel_at(state, call.tunnel[role]) if call.tunnel[role] >= 0 else NULL
        sides.said[role] = &nothing
        if sides.tunnel[role] != NULL:
            sides.count += 1
            if sides.tunnel[role].negotiation != NULL:
                sides.said[role] = sides.tunnel[role].negotiation
    row.phase = <unsigned char>phase_of(row, call, &sides)
    first_act(row, call, &sides)
    if row.reason == REASON_OPEN:
        return
    if call.end == CALL_END_REFUSED:
        reason = REASON_REFUSED
    elif both_heard and sides.count == 0 and call.request >= 0 and call.reply < 0:
        reason = REASON_NO_REPLY
    elif both_heard and is_one_way(row, &sides):
        reason = REASON_ONE_WAY
    else:
        reason = not_agreed(row, &sides)
    if reason == REASON_OPEN and is_silent(row, &sides, call, in_vain):
        reason = REASON_PEER_SILENT
    if reason != REASON_OPEN:
        row.reason = <unsigned char>reason

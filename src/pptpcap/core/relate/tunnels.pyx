"""Assigns rows to tunnels, tunnels to calls, and tunnels to partners (decoding section 10.2).

Knows keys, ids and roles.  Must not know messages or headers.
"""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from ..base.buffers cimport buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.keys cimport Key, flow_key
from ..base.numbers cimport (
    CALL_PRESENT_PNS_CALL_ID, CALL_STATUS_TUNNEL_INFERRED, KIND_ENTITY_LIMIT, LAYER_GRE, Caps, GreRow, IssueRow,
)
from ..base.packets cimport Packet, add_issue
from ..base.table cimport table_add, table_find, table_free, table_init
from ..stream.copies cimport copies_failed, copies_free, copies_init
from .negotiation cimport negotiation_free
from .sequence cimport forget_timed
from .state cimport (
    NO_MEMORY, NO_ROOM, Call, Holder, Relations, Tunnel, call_at, id_key, tunnel_at,
)

cdef enum:
    # In the place of a call id, that of the tunnel between two addresses that was made last.
    LAST_MADE = 1 << 16


cdef void relations_init(
    Relations* state, uint64_t seed, const Caps* caps, uint64_t key_layers, bint identities, bint drops_copies
) noexcept nogil:
    memset(state, 0, sizeof(Relations))
    state.most_tunnels = caps.tunnels
    state.most_calls = caps.calls
    table_init(&state.keys, seed)
    table_init(&state.ids, seed)
    buffer_init(&state.holders, sizeof(Holder))
    buffer_init(&state.tunnels, sizeof(Tunnel))
    buffer_init(&state.calls, sizeof(Call))
    buffer_init(&state.id_calls, sizeof(int32_t))
    buffer_init(&state.open, sizeof(uint32_t))
    buffer_init(&state.issues, sizeof(IssueRow))
    state.key_layers = key_layers
    state.identities = identities
    copies_init(&state.copies, seed, drops_copies)
    copies_init(&state.ack_copies, seed, drops_copies)


cdef void relations_free(Relations* state) noexcept nogil:
    cdef Py_ssize_t index
    cdef Tunnel* tunnel
    for index in range(state.tunnels.count):
        tunnel = tunnel_at(state, <int32_t>index)
        free(tunnel.below)
        free(tunnel.timed)
        negotiation_free(tunnel.negotiation)
    table_free(&state.keys)
    table_free(&state.ids)
    buffer_free(&state.holders)
    buffer_free(&state.tunnels)
    buffer_free(&state.calls)
    buffer_free(&state.id_calls)
    buffer_free(&state.open)
    buffer_free(&state.issues)
    copies_free(&state.copies)
    copies_free(&state.ack_copies)


cdef bint relations_failed(const Relations* state) noexcept nogil:
    return (
        state.failed or state.keys.failed or state.ids.failed or state.holders.failed or state.tunnels.failed
        or state.calls.failed or state.id_calls.failed or state.open.failed or state.issues.failed
        or copies_failed(&state.copies) or copies_failed(&state.ack_copies)
    )


cdef inline bint has_id(const Call* call, int role) noexcept nogil:
    return call.present & (CALL_PRESENT_PNS_CALL_ID << role)


cdef void part(Relations* state, Tunnel* tunnel) noexcept nogil:
    """Separate a tunnel from its partner."""
    cdef Tunnel* partner
    if tunnel.partner < 0:
        return
    partner = tunnel_at(state, tunnel.partner)
    partner.partner = -1
    forget_timed(partner)
    tunnel.partner = -1
    forget_timed(tunnel)


cdef void pair(Relations* state, int32_t one, int32_t other) noexcept nogil:
    """Make two tunnels partners; separate each from its former partner."""
    if tunnel_at(state, one).partner == other:
        return
    part(state, tunnel_at(state, one))
    part(state, tunnel_at(state, other))
    tunnel_at(state, one).partner = other
    tunnel_at(state, other).partner = one


cdef bint give_id(Relations* state, int32_t call, int role, uint16_t call_id) noexcept nogil:
    """The side of that role gave this id to the call; False if memory runs out."""
    cdef Call* known = call_at(state, call)
    cdef int64_t number
    cdef Key key
    known.call_id[role] = call_id
    known.present |= <uint16_t>(CALL_PRESENT_PNS_CALL_ID << role)
    id_key(&key, known.connection, known.pns_side ^ role, call_id)
    number = table_find(&state.ids, &key)
    if number < 0:
        if not buffer_reserve(&state.id_calls, 1):
            return False
        number = table_add(&state.ids, &key)
        if number < 0:
            return False
        buffer_push(&state.id_calls)
    (<int32_t*>state.id_calls.data)[number] = call
    return True


cdef void join(Relations* state, int32_t call, int role, int32_t index) noexcept nogil:
    """Give the call a tunnel to the side of that role, by its addresses alone."""
    cdef Tunnel* tunnel = tunnel_at(state, index)
    cdef Call* known = call_at(state, call)
    tunnel.call = call
    tunnel.role = <unsigned char>role
    tunnel.inferred = True
    known.tunnel[1 - role] = index
    known.status |= CALL_STATUS_TUNNEL_INFERRED
    give_id(state, call, role, tunnel.call_id)


cdef void adopt(Relations* state, int32_t call, int role, int32_t index) noexcept nogil:
    """Give the call a tunnel to the side of that role, by a known id."""
    cdef Tunnel* tunnel = tunnel_at(state, index)
    cdef Call* known = call_at(state, call)
    tunnel.call = call
    tunnel.role = <unsigned char>role
    known.tunnel[1 - role] = index
    if known.tunnel[role] >= 0:
        pair(state, index, known.tunnel[role])
    elif tunnel.partner >= 0 and tunnel_at(state, tunnel.partner).call < 0 and not has_id(known, 1 - role):
        join(state, call, 1 - role, tunnel.partner)


cdef void release_inferred(Relations* state, int32_t call, int role) noexcept nogil:
    """Detach a tunnel that was joined by its addresses and has another id than the one now known."""
    cdef Call* known = call_at(state, call)
    cdef Tunnel* tunnel
    if known.tunnel[1 - role] < 0:
        return
    tunnel = tunnel_at(state, known.tunnel[1 - role])
    if tunnel.inferred and tunnel.call_id != known.call_id[role]:
        tunnel.call = -1
        tunnel.inferred = False
        part(state, tunnel)
        known.tunnel[1 - role] = -1


cdef Holder* holder_of(Relations* state, const Key* key) noexcept nogil:
    """The holder of a key, an empty one where it was never seen; NULL if memory runs out."""
    cdef Holder* holder
    cdef int64_t number = table_find(&state.keys, key)
    if number >= 0:
        return <Holder*>buffer_at(&state.holders, number)
    if not buffer_reserve(&state.holders, 1) or table_add(&state.keys, key) < 0:
        return NULL
    holder = <Holder*>buffer_push(&state.holders)
    holder.tunnel = -1
    holder.call = -1
    holder.generation = 0
    return holder


cdef int32_t current_tunnel(const Relations* state, const Key* key) noexcept nogil:
    """The tunnel that holds the key, -1 where none does."""
    cdef int64_t number = table_find(&state.keys, key)
    return -1 if number < 0 else (<Holder*>buffer_at(&state.holders, number)).tunnel


cdef int32_t claim(Relations* state, const Key* key, int32_t call, int role) noexcept nogil:
    """Claim a key for a call that knows the id of the side of that role (10.2.2).

    Gives the call that held it until now, -1 without.
    """
    cdef Call* known = call_at(state, call)
    cdef Holder* holder = holder_of(state, key)
    cdef Tunnel* tunnel
    cdef int32_t index
    cdef int32_t former = -1
    if holder == NULL:
        return -1
    index = holder.tunnel
    if index >= 0:
        tunnel = tunnel_at(state, index)
        former = tunnel.call
        if former == call:
            return -1
        if former < 0 and (known.request < 0 or tunnel.first.packet >= known.request_packet):
            release_inferred(state, call, role)
            adopt(state, call, role, index)
            return -1
        tunnel.current = False
        holder.tunnel = -1
    elif holder.call == call:
        return -1
    else:
        former = holder.call
    release_inferred(state, call, role)
    holder.call = call
    holder.role = <unsigned char>role
    return former


cdef int32_t make_tunnel(
    Relations* state, const Key* key, uint64_t layers, const GreRow* row, uint32_t generation
) noexcept nogil:
    """Add a tunnel without a call; -1 if memory runs out."""
    cdef int32_t index = <int32_t>state.tunnels.count
    cdef Tunnel* tunnel = <Tunnel*>buffer_push(&state.tunnels)
    if tunnel == NULL:
        return -1
    memset(tunnel, 0, sizeof(Tunnel))
    memcpy(tunnel.source, &key.words[0], 16)
    memcpy(tunnel.destination, &key.words[2], 16)
    tunnel.call_id = <uint16_t>key.words[4]
    tunnel.layers = layers
    tunnel.generation = generation
    tunnel.first.packet = row.packet
    tunnel.first.time = row.time
    tunnel.partner = -1
    tunnel.call = -1
    tunnel.current = True
    return index


cdef int32_t replace_last_made(Relations* state, const Key* key, int32_t index) noexcept nogil:
    """Remember the tunnel as the last one made between its addresses; gives the last one the other way, -1 without."""
    cdef Key pair_key
    cdef Holder* holder
    cdef int32_t opposite
    flow_key(
        &pair_key, <const unsigned char*>&key.words[2], <const unsigned char*>&key.words[0], LAST_MADE, key.words[5]
    )
    opposite = current_tunnel(state, &pair_key)
    pair_key = key[0]
    pair_key.words[4] = LAST_MADE
    holder = holder_of(state, &pair_key)
    if holder != NULL:
        holder.tunnel = index
    return opposite


cdef void refuse_tunnel(Relations* state, const GreRow* row) noexcept nogil:
    """Report a row that would exceed the cap on tunnels."""
    cdef Packet now
    if state.gre_unlisted == 0:
        memset(&now, 0, sizeof(Packet))
        now.time = row.time
        now.packet = row.packet
        now.record_offset = row.record_offset
        now.file = row.file
        add_issue(&state.issues, &now, LAYER_GRE, KIND_ENTITY_LIMIT, state.most_tunnels, state.most_tunnels + 1)
    state.gre_unlisted += 1


cdef int32_t tunnel_of(Relations* state, const Key* flow, const GreRow* row) noexcept nogil:
    """The current tunnel of a flow in its layers, a new one where there is none (10.2.1).

    NO_ROOM beyond the cap on tunnels, NO_MEMORY when memory is out.
    """
    cdef Holder* holder
    cdef Tunnel* found
    cdef Key key = flow[0]
    cdef int32_t index
    cdef int32_t call
    cdef int32_t opposite
    cdef int role
    key.words[5] &= state.key_layers
    index = current_tunnel(state, &key)
    if index >= 0:
        return index
    if state.tunnels.count >= state.most_tunnels:
        refuse_tunnel(state, row)
        return NO_ROOM
    holder = holder_of(state, &key)
    if holder == NULL:
        return NO_MEMORY
    index = make_tunnel(state, &key, flow.words[5], row, holder.generation)
    if index < 0:
        return NO_MEMORY
    call = holder.call
    role = holder.role
    holder.tunnel = index
    holder.call = -1
    holder.generation += 1
    opposite = replace_last_made(state, &key, index)
    if call >= 0:
        adopt(state, call, role, index)
    elif opposite >= 0:
        found = tunnel_at(state, opposite)
        if found.partner < 0 and (found.call < 0 or not has_id(call_at(state, found.call), 1 - found.role)):
            pair(state, index, opposite)
            if found.call >= 0:
                join(state, found.call, 1 - found.role, index)
    return index

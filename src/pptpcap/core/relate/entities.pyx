"""Writes rows of tunnels and calls, on request (decoding section 10.5).

``entities_init`` finds the calls that only tunnels reveal; any slice of either table can be written after it.  Knows
columns.  Must not change state.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ..base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.keys cimport Key, carrier_of, flow_key, inner_vlan_of, network_of, vlan_of
from ..base.numbers cimport (
    AUTHENTICATED_NOT_SEEN, AUTHENTICATION_NONE, AUTHENTICATION_NOT_SEEN, CALL_END_OPEN, CALL_END_SILENCE,
    CALL_KIND_UNKNOWN, CALL_PRESENT_PAC_CALL_ID, CALL_PRESENT_PAC_TERMINATE, CALL_PRESENT_PNS_CALL_ID,
    CALL_PRESENT_PNS_TERMINATE, CALL_STATUS_ROLES_ASSUMED, CALL_STATUS_ROLES_FROM_PPP, CALL_STATUS_TUNNEL_INFERRED,
    COMPRESSION_NOT_SEEN, SIDE_NONE, SIDE_PAC, SIDE_PNS, SILENCE_SECONDS, TEXT_WIDTH, CallRow, CallSideRow,
    ConnectionRow, ContentsRow, FiguresRow, TunnelRow,
)
from ..base.octets cimport map_ipv4
from ..base.packets cimport not_a_time
from ..base.table cimport HashTable, table_add, table_find, table_free, table_init
from ..stream.control cimport InVain, Output
from .echoes cimport mean_echo
from .negotiation cimport Negotiation
from .story cimport role_of, tell_story
from .state cimport PAC, PNS, Call, Moment, Relations, Tunnel, call_at, layers_of, tunnel_at


cdef enum:
    NOBODY = -1
    SEVERAL = -2


cdef struct Span:
    Moment first
    Moment last


cdef void write_figures(FiguresRow* row, const Tunnel* tunnel) noexcept nogil:
    row[0] = tunnel.figures
    if row.packets:
        row.lost = <uint64_t>(tunnel.highest + 1) - tunnel.came
    if row.ack_delay_samples:
        row.ack_delay_mean_ns = <int64_t>(<uint64_t>tunnel.ack_delay_sum // row.ack_delay_samples)


cdef void write_tunnel(TunnelRow* row, const Tunnel* tunnel, int32_t call, bint from_pns) noexcept nogil:
    memset(row, 0, sizeof(TunnelRow))
    memcpy(row.source, tunnel.source, 16)
    memcpy(row.destination, tunnel.destination, 16)
    row.call_id = tunnel.call_id
    row.vlan = vlan_of(tunnel.layers)
    row.inner_vlan = inner_vlan_of(tunnel.layers)
    row.carrier = carrier_of(tunnel.layers)
    row.network_id = network_of(tunnel.layers)
    row.generation = tunnel.generation
    row.call = call
    row.from_pns = from_pns
    row.first_time = tunnel.first.time
    row.last_time = tunnel.last.time
    row.first_packet = tunnel.first.packet
    row.last_packet = tunnel.last.packet
    write_figures(&row.figures, tunnel)
    row.contents = tunnel.contents


cdef void add_contents(ContentsRow* row, const ContentsRow* more) noexcept nogil:
    row.ipv4_packets += more.ipv4_packets
    row.ipv6_packets += more.ipv6_packets
    row.encrypted_packets += more.encrypted_packets
    row.compressed_packets += more.compressed_packets
    row.control_packets += more.control_packets
    row.multilink_ip_packets += more.multilink_ip_packets
    row.other_packets += more.other_packets


cdef void write_said(CallSideRow* row, const Negotiation* own) noexcept nogil:
    """What this side said itself."""
    row.authentication = own.authentication
    if own.authentication <= AUTHENTICATION_NONE and own.seen != AUTHENTICATION_NOT_SEEN:
        row.authentication = own.seen
    row.eap_method = own.eap_method
    row.compression = own.compression
    row.mppe_bits = own.bits
    row.ip_compression = own.ip_compression
    row.lcp_echo_requests = own.echo_requests
    row.lcp_echo_replies = own.echo_replies
    row.echo_rtt_samples = own.echoes.samples
    row.echo_rtt_min_ns = own.echoes.least
    row.echo_rtt_mean_ns = mean_echo(&own.echoes)
    row.echo_rtt_unanswered = own.echoes.requests - own.echoes.answered
    if own.terminate_reason != NULL:
        memcpy(row.terminate_reason, own.terminate_reason, TEXT_WIDTH)
    if own.name != NULL:
        memcpy(row.name, own.name, TEXT_WIDTH)


cdef void write_granted(CallSideRow* row, const Negotiation* peer) noexcept nogil:
    """What the other side acknowledged, requested and accepted of this one."""
    row.mru = peer.mru
    row.accm = peer.accm
    row.authentication_asked = peer.asked
    row.authenticated = peer.believed
    row.authentication_error = peer.authentication_error
    if peer.has_ipv4:
        map_ipv4(row.ipv4, peer.ipv4)
    row.interface_identifier = peer.interface_identifier


cdef bint leaves_open(const CallSideRow* side) noexcept nogil:
    """Whether a side that agreed on no authentication may have had to prove itself all the same."""
    return side.authenticated != AUTHENTICATED_NOT_SEEN or (
        side.authentication == AUTHENTICATION_NOT_SEEN and side.authentication_asked != AUTHENTICATION_NOT_SEEN
    )


cdef void summarize(CallRow* row, bint challenged) noexcept nogil:
    """The columns that tell of both sides at once (10.5.4); `challenged` is whether either side was."""
    cdef CallSideRow* pns = &row.side[PNS]
    cdef CallSideRow* pac = &row.side[PAC]
    if pns.authentication > AUTHENTICATION_NONE:
        row.authentication = pns.authentication
        row.authenticated = pns.authenticated
    elif pac.authentication > AUTHENTICATION_NONE:
        row.authentication = pac.authentication
        row.authenticated = pac.authenticated
    else:
        row.authenticated = pns.authenticated if pns.authenticated != AUTHENTICATED_NOT_SEEN else pac.authenticated
        if not challenged and not leaves_open(pns) and not leaves_open(pac):
            row.authentication = max(pns.authentication, pac.authentication)
    row.compression = pns.compression if pns.compression != COMPRESSION_NOT_SEEN else pac.compression
    row.mppe_bits = pns.mppe_bits & pac.mppe_bits if pns.mppe_bits and pac.mppe_bits else pns.mppe_bits | pac.mppe_bits
    row.mru = min(pns.mru, pac.mru) if pns.mru and pac.mru else pns.mru | pac.mru


cdef void write_sides(CallRow* row, const Relations* state, const Call* call) noexcept nogil:
    cdef const Tunnel* tunnel
    cdef bint challenged = False
    cdef int role
    for role in range(2):
        if call.tunnel[role] < 0:
            continue
        tunnel = tunnel_at(state, call.tunnel[role])
        write_figures(&row.side[role].figures, tunnel)
        add_contents(&row.contents, &tunnel.contents)
        if tunnel.negotiation == NULL:
            continue
        write_said(&row.side[role], tunnel.negotiation)
        write_granted(&row.side[1 - role], tunnel.negotiation)
        challenged = challenged or tunnel.negotiation.challenged
        if tunnel.negotiation.terminated:
            row.present |= CALL_PRESENT_PAC_TERMINATE if role == PAC else CALL_PRESENT_PNS_TERMINATE
    summarize(row, challenged)


cdef bint is_silent(const Relations* state, const Call* call, const Moment* connection, Moment* sign) noexcept nogil:
    """Whether one side went on and nothing came of the other any more, and its last sign (10.1).

    `connection` is the last packet of the control connection, 0 without one.
    """
    cdef const Tunnel* silent
    cdef const Tunnel* other
    if call.tunnel[PNS] < 0 or call.tunnel[PAC] < 0:
        return False
    silent = tunnel_at(state, call.tunnel[PNS])
    other = tunnel_at(state, call.tunnel[PAC])
    if silent.last.packet > other.last.packet:
        silent, other = other, silent
    sign[0] = silent.last if silent.last.packet > connection.packet else connection[0]
    return (
        other.before.packet > sign.packet
        and is_long(sign.time, other.before.time) and is_long(sign.time, other.last.time)
    )


cdef inline bint is_long(int64_t start, int64_t end) noexcept nogil:
    """Whether more time lies between two than any answer takes."""
    return (
        start != not_a_time() and start < end
        and <uint64_t>end - <uint64_t>start > <uint64_t>SILENCE_SECONDS * 1_000_000_000
    )


cdef void write_end(CallRow* row, const Relations* state, const Call* call, const Moment* connection) noexcept nogil:
    cdef Moment sign
    if call.end != CALL_END_OPEN:
        row.end = call.end
        row.end_from_pns = call.end_from_pns
        row.end_time = call.end_time
        row.end_packet = call.end_packet
    elif is_silent(state, call, connection, &sign):
        row.end = CALL_END_SILENCE
        row.end_time = sign.time
        row.end_packet = sign.packet
    else:
        row.end_time = not_a_time()


cdef void write_call(
    CallRow* row, const Relations* state, const Call* call, const Span* span, const Output* out
) noexcept nogil:
    cdef const ConnectionRow* connection
    cdef const Tunnel* tunnel
    cdef Moment sign
    # Where both sides of the connection were captured.
    cdef const InVain* in_vain = NULL
    sign.packet = 0
    sign.time = not_a_time()
    memset(row, 0, sizeof(CallRow))
    row.connection = call.connection
    row.pns_tunnel = call.tunnel[PNS]
    row.pac_tunnel = call.tunnel[PAC]
    row.request_message = call.request
    row.reply_message = call.reply
    row.disconnect_message = call.disconnect
    row.kind = call.kind
    row.status = call.status
    row.present = call.present
    if call.connection >= 0:
        connection = <const ConnectionRow*>buffer_at(&out.connections, call.connection)
        sign.packet = connection.last_packet
        sign.time = connection.last_time
        if connection.side[0].segments > 0 and connection.side[1].segments > 0:
            in_vain = <const InVain*>buffer_at(&out.in_vain, call.connection)
        memcpy(&row.pac_address[0] if call.pns_side else &row.pns_address[0], connection.initiator_address, 16)
        memcpy(&row.pns_address[0] if call.pns_side else &row.pac_address[0], connection.responder_address, 16)
    else:
        tunnel = tunnel_at(state, call.tunnel[PNS] if call.tunnel[PNS] >= 0 else call.tunnel[PAC])
        memcpy(&row.pns_address[0] if call.tunnel[PNS] >= 0 else &row.pac_address[0], tunnel.source, 16)
        memcpy(&row.pac_address[0] if call.tunnel[PNS] >= 0 else &row.pns_address[0], tunnel.destination, 16)
    row.pns_call_id = call.call_id[PNS]
    row.pac_call_id = call.call_id[PAC]
    row.call_serial_number = call.serial
    row.first_packet = span.first.packet
    row.last_packet = span.last.packet
    row.start_time = span.first.time
    row.last_time = span.last.time
    row.connect_time = call.connect_time
    row.clear_time = call.clear_time
    row.disconnect_time = call.disconnect_time
    write_end(row, state, call, &sign)
    row.result_code = call.result
    row.error_code = call.error
    row.cause_code = call.cause
    row.disconnect_result_code = call.disconnect_result
    row.disconnect_error_code = call.disconnect_error
    row.disconnect_cause_code = call.disconnect_cause
    row.set_link_infos = call.set_link_infos
    row.wan_error_notifies = call.wan_error_notifies
    write_sides(row, state, call)
    tell_story(row, state, call, in_vain)


cdef void write_span(Span* span, const Relations* state, const Call* call) noexcept nogil:
    """First and last packet, among messages and tunnels."""
    cdef const Tunnel* tunnel
    cdef int role
    span.first = call.first
    span.last = call.last
    for role in range(2):
        if call.tunnel[role] < 0:
            continue
        tunnel = tunnel_at(state, call.tunnel[role])
        if tunnel.first.packet < span.first.packet:
            span.first = tunnel.first
        if tunnel.last.packet > span.last.packet:
            span.last = tunnel.last


cdef void half_known(Call* call, const Relations* state, const Half* half) noexcept nogil:
    """A call of which no message told."""
    cdef int role
    memset(call, 0, sizeof(Call))
    call.kind = CALL_KIND_UNKNOWN
    call.status = half.status
    call.connection = -1
    call.request = -1
    call.reply = -1
    call.disconnect = -1
    call.first.packet = ~<uint64_t>0
    call.connect_time = not_a_time()
    call.clear_time = not_a_time()
    call.disconnect_time = not_a_time()
    for role in range(2):
        call.tunnel[role] = half.tunnel[role]
        if half.tunnel[role] >= 0:
            call.call_id[1 - role] = tunnel_at(state, half.tunnel[role]).call_id
            call.present |= CALL_PRESENT_PAC_CALL_ID if role == PNS else CALL_PRESENT_PNS_CALL_ID
    if half.tunnel[PNS] >= 0 and half.tunnel[PAC] >= 0:
        call.status |= CALL_STATUS_TUNNEL_INFERRED


cdef const Call* any_call(
    const Relations* state, const Entities* entities, Py_ssize_t index, Call* made
) noexcept nogil:
    """A call by its row; one that tunnels alone tell of, or that one of them joins, is made in `made`."""
    cdef int role
    if index < state.calls.count:
        if entities.joined == NULL or entities.joined[index] < 0:
            return call_at(state, <int32_t>index)
        made[0] = call_at(state, <int32_t>index)[0]
        role = PAC if made.present & CALL_PRESENT_PNS_CALL_ID else PNS
        made.tunnel[1 - role] = entities.joined[index]
        made.call_id[role] = tunnel_at(state, entities.joined[index]).call_id
        made.present |= CALL_PRESENT_PAC_CALL_ID if role == PAC else CALL_PRESENT_PNS_CALL_ID
        made.status |= CALL_STATUS_TUNNEL_INFERRED
        return made
    half_known(made, state, <const Half*>buffer_at(&entities.halves, index - state.calls.count))
    return made


cdef void find_roles(Half* half, const Relations* state) noexcept nogil:
    """Who is the PAC of a call that no message told of (10.5.1)."""
    cdef int32_t first = half.tunnel[PNS]
    cdef int32_t second = half.tunnel[PAC]
    cdef int first_role = role_of(tunnel_at(state, first))
    cdef int second_role = role_of(tunnel_at(state, second)) if second >= 0 else SIDE_NONE
    half.status = CALL_STATUS_ROLES_ASSUMED
    if first_role == second_role:
        return
    half.status = CALL_STATUS_ROLES_FROM_PPP
    if first_role == SIDE_PAC or second_role == SIDE_PNS:
        half.tunnel[PNS] = second
        half.tunnel[PAC] = first


cdef Pair* pair_of(
    HashTable* table, Buffer* pairs, const unsigned char* source, const unsigned char* destination, uint64_t layers,
    bint add,
) noexcept nogil:
    """The entry of two addresses in their layers; NULL where there is none, and none is added or memory runs out."""
    cdef Key key
    cdef Pair* pair
    cdef int64_t number
    flow_key(&key, source, destination, 0, layers)
    number = table_find(table, &key)
    if number >= 0:
        return <Pair*>buffer_at(pairs, number)
    if not add or not buffer_reserve(pairs, 1) or table_add(table, &key) < 0:
        return NULL
    pair = <Pair*>buffer_push(pairs)
    pair.tunnel = NOBODY
    pair.call = NOBODY
    return pair


cdef bint join_only_ones(Entities* entities, const Relations* state, const Buffer* connections) noexcept nogil:
    """Tunnels that lead to a side of which one call alone lacks the id (10.2.5).  False if memory runs out."""
    cdef HashTable table
    cdef Buffer pairs
    cdef const Tunnel* tunnel
    cdef const Call* call
    cdef const ConnectionRow* row
    cdef Pair* pair
    cdef int32_t index
    cdef uint64_t layers
    cdef int role
    cdef bint enough
    table_init(&table, state.keys.seed)
    buffer_init(&pairs, sizeof(Pair))
    for index in range(<int32_t>state.calls.count):
        call = call_at(state, index)
        if call.reply >= 0:
            continue
        row = <const ConnectionRow*>buffer_at(connections, call.connection)
        layers = layers_of(state, row)
        for role in range(2):
            if call.present & (CALL_PRESENT_PNS_CALL_ID << role):
                continue
            # The side of that role is the responder where the PNS is, and the other way round.
            if call.pns_side ^ role:
                pair = pair_of(&table, &pairs, row.initiator_address, row.responder_address, layers, True)
            else:
                pair = pair_of(&table, &pairs, row.responder_address, row.initiator_address, layers, True)
            if pair != NULL:
                pair.call = index if pair.call == NOBODY else SEVERAL
    enough = not table.failed and not pairs.failed
    if enough and pairs.count:
        entities.joined = <int32_t*>malloc(<size_t>state.calls.count * sizeof(int32_t))
        enough = entities.joined != NULL
    if enough and pairs.count:
        memset(entities.joined, 0xFF, <size_t>state.calls.count * sizeof(int32_t))
        for index in range(<int32_t>state.tunnels.count):
            tunnel = tunnel_at(state, index)
            if tunnel.call < 0 and tunnel.partner < 0:
                pair = pair_of(
                    &table, &pairs, tunnel.source, tunnel.destination, tunnel.layers & state.key_layers, False
                )
                if pair != NULL:
                    pair.tunnel = index if pair.tunnel == NOBODY else SEVERAL
        for index in range(<int32_t>pairs.count):
            pair = <Pair*>buffer_at(&pairs, index)
            if (
                pair.tunnel >= 0 and pair.call >= 0
                and tunnel_at(state, pair.tunnel).first.packet >= call_at(state, pair.call).request_packet
            ):
                entities.joined[pair.call] = pair.tunnel
                entities.calls_of[pair.tunnel] = pair.call
    table_free(&table)
    buffer_free(&pairs)
    return enough


cdef bint find_halves(Entities* entities, const Relations* state) noexcept nogil:
    """The call of each tunnel; tunnels without one get calls behind all others.  False if memory runs out."""
    cdef Py_ssize_t known = state.calls.count
    cdef const Tunnel* tunnel
    cdef Half* half
    cdef int32_t index
    cdef int32_t joined
    for index in range(<int32_t>state.tunnels.count):
        tunnel = tunnel_at(state, index)
        if tunnel.call >= 0:
            entities.calls_of[index] = tunnel.call
        if entities.calls_of[index] >= 0:
            continue
        joined = entities.calls_of[tunnel.partner] if 0 <= tunnel.partner < index else -1
        if joined >= known:
            (<Half*>buffer_at(&entities.halves, joined - known)).tunnel[PAC] = index
        else:
            joined = <int32_t>(known + entities.halves.count)
            half = <Half*>buffer_push(&entities.halves)
            if half == NULL:
                return False
            half.tunnel[PNS] = index
            half.tunnel[PAC] = -1
        entities.calls_of[index] = joined
    for index in range(<int32_t>entities.halves.count):
        find_roles(<Half*>buffer_at(&entities.halves, index), state)
    return True


cdef bint entities_init(Entities* entities, const Relations* state, const Buffer* connections) noexcept nogil:
    """Relate what no message told of (10.5.1), for as long as the state stays as it is.  False if memory runs out."""
    cdef size_t size = <size_t>max(state.tunnels.count, 1) * sizeof(int32_t)
    memset(entities, 0, sizeof(Entities))
    buffer_init(&entities.halves, sizeof(Half))
    entities.calls_of = <int32_t*>malloc(size)
    if entities.calls_of == NULL:
        return False
    memset(entities.calls_of, 0xFF, size)
    return join_only_ones(entities, state, connections) and find_halves(entities, state)


cdef void entities_free(Entities* entities) noexcept nogil:
    free(entities.calls_of)
    free(entities.joined)
    buffer_free(&entities.halves)
    memset(entities, 0, sizeof(Entities))


cdef Py_ssize_t count_calls(const Entities* entities, const Relations* state) noexcept nogil:
    return state.calls.count + entities.halves.count


cdef bint write_tunnels(
    const Entities* entities, const Relations* state, Py_ssize_t start, Py_ssize_t stop, Buffer* rows
) noexcept nogil:
    """Rows of a part of the tunnels; False if memory runs out."""
    cdef const Tunnel* tunnel
    cdef const Half* half
    cdef Py_ssize_t index
    cdef bint from_pns
    if not buffer_reserve(rows, stop - start):
        return False
    for index in range(start, stop):
        tunnel = tunnel_at(state, <int32_t>index)
        if tunnel.call >= 0:
            from_pns = tunnel.role == PAC
        elif entities.calls_of[index] < state.calls.count:
            # It joined the call because the other side's id alone was told.
            from_pns = bool(call_at(state, entities.calls_of[index]).present & CALL_PRESENT_PNS_CALL_ID)
        else:
            half = <const Half*>buffer_at(&entities.halves, entities.calls_of[index] - state.calls.count)
            from_pns = index == half.tunnel[PNS]
        write_tunnel(<TunnelRow*>buffer_push(rows), tunnel, entities.calls_of[index], from_pns)
    return True


cdef bint write_calls(
    const Entities* entities, const Relations* state, const Output* out, Py_ssize_t start, Py_ssize_t stop,
    Buffer* rows,
) noexcept nogil:
    """Rows of a part of the calls; False if memory runs out."""
    cdef const Call* call
    cdef Py_ssize_t place
    cdef Call made
    cdef Span span
    if not buffer_reserve(rows, stop - start):
        return False
    for place in range(start, stop):
        call = any_call(state, entities, place, &made)
        write_span(&span, state, call)
        write_call(<CallRow*>buffer_push(rows), state, call, &span, out)
    return True

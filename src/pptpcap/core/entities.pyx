"""Rows of tunnels and calls as they stand, made when they are asked for (decoding section 10.5).

Knows columns, changes no state.  Called by ``assemble``.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcpy, memset

from .buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from .negotiation cimport Negotiation
from .numbers cimport (
    AUTHENTICATION_NONE, AUTHENTICATION_NOT_SEEN, CALL_END_CALL_CLEAR, CALL_END_OPEN, CALL_END_SILENCE,
    CALL_KIND_UNKNOWN, CALL_PRESENT_PAC_CALL_ID, CALL_PRESENT_PAC_TERMINATE, CALL_PRESENT_PNS_CALL_ID,
    CALL_PRESENT_PNS_TERMINATE, CALL_STATUS_ROLES_ASSUMED, CALL_STATUS_TUNNEL_INFERRED, CallRow, CallSideRow,
    COMPRESSION_NOT_SEEN, ConnectionRow, ContentsRow, FiguresRow, SILENCE_SECONDS, TEXT_WIDTH, TunnelRow,
)
from .octets cimport map_ipv4
from .sink cimport not_a_time
from .tunnels cimport PAC, PNS, Call, Moment, Relations, Tunnel, call_at, tunnel_at


cdef struct Span:
    # What orders a call among others, and its place before that.
    Moment first
    Moment last
    int32_t index


cdef struct Belonging:
    # The call of a tunnel, and the role of the side to which it leads.
    int32_t call
    uint8_t role


cdef int compare_spans(const void* left, const void* right) noexcept nogil:
    cdef const Span* one = <const Span*>left
    cdef const Span* other = <const Span*>right
    if one.first.packet != other.first.packet:
        return -1 if one.first.packet < other.first.packet else 1
    return -1 if one.index < other.index else 1


cdef void write_figures(FiguresRow* row, const Tunnel* tunnel) noexcept nogil:
    row[0] = tunnel.figures
    if row.packets:
        row.lost = <uint64_t>(tunnel.highest + 1) - tunnel.came
    if row.rtt_samples:
        row.rtt_mean_ns = <int64_t>(<uint64_t>tunnel.rtt_sum // row.rtt_samples)


cdef void write_tunnel(TunnelRow* row, const Tunnel* tunnel, int32_t call, bint from_pns) noexcept nogil:
    memset(row, 0, sizeof(TunnelRow))
    memcpy(row.source, tunnel.source, 16)
    memcpy(row.destination, tunnel.destination, 16)
    row.call_id = tunnel.call_id
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
    row.other_packets += more.other_packets


cdef void write_said(CallSideRow* row, const Negotiation* own) noexcept nogil:
    """What this side said itself."""
    row.authentication = own.authentication
    if own.authentication <= AUTHENTICATION_NONE and own.seen != AUTHENTICATION_NOT_SEEN:
        row.authentication = own.seen
    row.compression = own.compression
    row.mppe_bits = own.bits
    row.ip_compression = own.ip_compression
    row.lcp_echo_requests = own.echo_requests
    row.lcp_echo_replies = own.echo_replies
    if own.terminate_reason != NULL:
        memcpy(row.terminate_reason, own.terminate_reason, TEXT_WIDTH)
    if own.name != NULL:
        memcpy(row.name, own.name, TEXT_WIDTH)


cdef void write_granted(CallSideRow* row, const Negotiation* peer) noexcept nogil:
    """What the other side acknowledged, asked for and believed of this one."""
    row.mru = peer.mru
    row.accm = peer.accm
    row.authentication_asked = peer.asked
    row.authenticated = peer.believed
    row.authentication_error = peer.authentication_error
    if peer.has_ipv4:
        map_ipv4(row.ipv4, peer.ipv4)
    row.interface_identifier = peer.interface_identifier


cdef void summarize(CallRow* row) noexcept nogil:
    """The columns that tell of both sides at once (10.5.4)."""
    cdef CallSideRow* pns = &row.side[PNS]
    cdef CallSideRow* pac = &row.side[PAC]
    if pns.authentication > AUTHENTICATION_NONE:
        row.authentication = pns.authentication
        row.authenticated = pns.authenticated
    elif pac.authentication > AUTHENTICATION_NONE:
        row.authentication = pac.authentication
        row.authenticated = pac.authenticated
    else:
        row.authentication = max(pns.authentication, pac.authentication)
    row.compression = pns.compression if pns.compression != COMPRESSION_NOT_SEEN else pac.compression
    row.mppe_bits = pns.mppe_bits & pac.mppe_bits if pns.mppe_bits and pac.mppe_bits else pns.mppe_bits | pac.mppe_bits
    row.mru = min(pns.mru, pac.mru) if pns.mru and pac.mru else pns.mru | pac.mru


cdef void write_sides(CallRow* row, const Relations* state, const Call* call) noexcept nogil:
    cdef const Tunnel* tunnel
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
        if tunnel.negotiation.terminated:
            row.present |= CALL_PRESENT_PAC_TERMINATE if role == PAC else CALL_PRESENT_PNS_TERMINATE
    summarize(row)


cdef void write_end(CallRow* row, const Call* call, int64_t sign, int64_t latest) noexcept nogil:
    """How it ended; `sign` is its last sign of life, `latest` the greatest time of a packet, NaT where unknown."""
    if call.end != CALL_END_OPEN:
        row.end = call.end
        row.end_from_pns = call.end_from_pns
        row.end_time = call.end_time
    elif call.clear_time != not_a_time():
        row.end = CALL_END_CALL_CLEAR
        row.end_from_pns = True
        row.end_time = call.clear_time
    elif (
        sign != not_a_time() and sign < latest
        and <uint64_t>latest - <uint64_t>sign > <uint64_t>SILENCE_SECONDS * 1_000_000_000
    ):
        row.end = CALL_END_SILENCE
        row.end_time = sign
    else:
        row.end_time = not_a_time()


cdef void write_call(
    CallRow* row, const Relations* state, const Call* call, const Span* span, const Buffer* connections, int64_t latest
) noexcept nogil:
    cdef const ConnectionRow* connection
    cdef const Tunnel* tunnel
    cdef int64_t sign = span.last.time
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
        connection = <const ConnectionRow*>buffer_at(connections, call.connection)
        sign = max(sign, connection.last_time)
        memcpy(&row.pac_address[0] if call.pns_side else &row.pns_address[0], connection.initiator_address, 16)
        memcpy(&row.pns_address[0] if call.pns_side else &row.pac_address[0], connection.responder_address, 16)
    else:
        tunnel = tunnel_at(state, call.tunnel[PNS])
        memcpy(row.pns_address, tunnel.source, 16)
        memcpy(row.pac_address, tunnel.destination, 16)
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
    write_end(row, call, sign, latest)
    row.result_code = call.result
    row.error_code = call.error
    row.cause_code = call.cause
    row.disconnect_result_code = call.disconnect_result
    row.disconnect_error_code = call.disconnect_error
    row.disconnect_cause_code = call.disconnect_cause
    row.set_link_infos = call.set_link_infos
    row.wan_error_notifies = call.wan_error_notifies
    write_sides(row, state, call)


cdef void write_span(Span* span, const Relations* state, const Call* call, int32_t index) noexcept nogil:
    """First and last packet, among messages and tunnels."""
    cdef const Tunnel* tunnel
    cdef int role
    span.first = call.first
    span.last = call.last
    span.index = index
    for role in range(2):
        if call.tunnel[role] < 0:
            continue
        tunnel = tunnel_at(state, call.tunnel[role])
        if tunnel.first.packet < span.first.packet:
            span.first = tunnel.first
        if tunnel.last.packet > span.last.packet:
            span.last = tunnel.last


cdef Call* half_known(Buffer* made, const Tunnel* tunnel, int32_t index) noexcept nogil:
    """A call of which no message told, from a tunnel that its PNS is said to send; NULL when memory is out."""
    cdef Call* call = <Call*>buffer_push(made)
    if call == NULL:
        return NULL
    memset(call, 0, sizeof(Call))
    call.kind = CALL_KIND_UNKNOWN
    call.status = CALL_STATUS_ROLES_ASSUMED
    call.present = CALL_PRESENT_PAC_CALL_ID
    call.connection = -1
    call.request = -1
    call.reply = -1
    call.disconnect = -1
    call.first.packet = ~<uint64_t>0
    call.connect_time = not_a_time()
    call.clear_time = not_a_time()
    call.disconnect_time = not_a_time()
    call.tunnel[PNS] = index
    call.tunnel[PAC] = -1
    call.call_id[PAC] = tunnel.call_id
    return call


cdef bint relate_rest(const Relations* state, Belonging* belongings, Buffer* made) noexcept nogil:
    """The call of each tunnel; those that have none are given to calls in `made`, numbered behind all others."""
    cdef Py_ssize_t known = state.calls.count
    cdef const Tunnel* tunnel
    cdef Call* call
    cdef int32_t index
    cdef int32_t joined
    for index in range(<int32_t>state.tunnels.count):
        tunnel = tunnel_at(state, index)
        if tunnel.call >= 0:
            belongings[index].call = tunnel.call
            belongings[index].role = tunnel.role
            continue
        joined = belongings[tunnel.partner].call if 0 <= tunnel.partner < index else -1
        if joined >= known:
            call = <Call*>buffer_at(made, joined - known)
            call.status |= CALL_STATUS_TUNNEL_INFERRED
            call.present |= CALL_PRESENT_PNS_CALL_ID
            call.call_id[PNS] = tunnel.call_id
            call.tunnel[PAC] = index
            belongings[index].role = PNS
        else:
            joined = <int32_t>(known + made.count)
            if half_known(made, tunnel, index) == NULL:
                return False
            belongings[index].role = PAC
        belongings[index].call = joined
    return True


cdef inline const Call* any_call(const Relations* state, const Buffer* made, Py_ssize_t index) noexcept nogil:
    """Calls that were made here are numbered behind those that messages told of."""
    if index < state.calls.count:
        return call_at(state, <int32_t>index)
    return <const Call*>buffer_at(made, index - state.calls.count)


cdef bint write_rows(
    const Relations* state, const Buffer* connections, int64_t latest, Belonging* belongings, const Buffer* made,
    Buffer* tunnels, Buffer* calls,
) noexcept nogil:
    cdef Py_ssize_t count = state.calls.count + made.count
    cdef Py_ssize_t place
    cdef Span* spans
    cdef int32_t* places
    cdef int32_t index
    if not buffer_reserve(tunnels, state.tunnels.count) or not buffer_reserve(calls, count):
        return False
    spans = <Span*>malloc(<size_t>max(count, 1) * sizeof(Span))
    places = <int32_t*>malloc(<size_t>max(count, 1) * sizeof(int32_t))
    if spans != NULL and places != NULL:
        for place in range(count):
            write_span(&spans[place], state, any_call(state, made, place), <int32_t>place)
        qsort(spans, <size_t>count, sizeof(Span), compare_spans)
        for place in range(count):
            index = spans[place].index
            places[index] = <int32_t>place
            write_call(
                <CallRow*>buffer_push(calls), state, any_call(state, made, index), &spans[place], connections, latest
            )
        for index in range(<int32_t>state.tunnels.count):
            write_tunnel(
                <TunnelRow*>buffer_push(tunnels), tunnel_at(state, index), places[belongings[index].call],
                belongings[index].role == PAC,
            )
    free(spans)
    free(places)
    return spans != NULL and places != NULL


cdef bint write_entities(
    const Relations* state, const Buffer* connections, int64_t latest, Buffer* tunnels, Buffer* calls
) noexcept nogil:
    """Rows of both tables into empty buffers; `latest` is the greatest time of a packet.  False when memory is out."""
    cdef Buffer made
    cdef bint enough
    cdef Belonging* belongings = <Belonging*>malloc(<size_t>max(state.tunnels.count, 1) * sizeof(Belonging))
    if belongings == NULL:
        return False
    buffer_init(&made, sizeof(Call))
    enough = (
        relate_rest(state, belongings, &made)
        and write_rows(state, connections, latest, belongings, &made, tunnels, calls)
    )
    buffer_free(&made)
    free(belongings)
    return enough

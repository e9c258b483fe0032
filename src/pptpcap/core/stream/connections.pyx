"""Assigns segments to control connections: when one begins, and what ends it (decoding section 6).

Knows TCP flags and sequence numbers.  Must not know bytes; see ``streams``.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memcpy, memset

from ..base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.keys cimport Key, carrier_of, flow_key, inner_vlan_of, network_of, vlan_of
from ..base.numbers cimport (
    END_EVICTED, END_FIN, END_NEW_CONNECTION, END_OPEN, END_RST, KIND_ENTITY_LIMIT, KIND_EVICTED, KIND_OUT_OF_WINDOW,
    KIND_RESET_IGNORED, LAYER_TCP, RESET_WINDOW, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, WINDOW, Caps, ConnectionRow,
)
from ..base.octets cimport CACHE_LINE, compare_addresses, prefetch
from ..base.order cimport order_failed, order_first, order_free, order_init, order_remove, order_reserve, order_touch
from ..base.packets cimport Packet, not_a_time
from ..base.table cimport (
    hash_of, table_add, table_digest, table_find_hashed, table_free, table_guess, table_init, table_key,
    table_prefetch, table_remove,
)
from ..scan.segments cimport CHECKSUM_UNKNOWN, Segment
from ..scan.sink cimport is_port
from .control cimport InVain, Output, connection_issue, give_event, give_segment
from .copies cimport copies_begin, copies_failed, copies_free, copies_init, digest, drop_copy, is_copy
from .state cimport START_FROM_SYN, START_UNKNOWN, Direction, contiguous_end, direction_at, distance
from .streams cimport (
    direction_free, direction_init, finish_direction, lose_holes, set_start, streams_free, streams_init,
    take_acknowledgment, take_data,
)

cdef enum:
    # Endpoints are looked up this many segments ahead, and the state of their connections is prefetched.
    AHEAD = 16


cdef struct Instance:
    int64_t serial
    int64_t number


cdef struct Endpoints:
    # The lower one first.
    Key key
    uint64_t digest
    # Of the two addresses alone.
    uint64_t pair
    bint source_is_low


cdef void connections_init(
    Connections* state, Output* out, const Caps* caps, const unsigned char* ports, uint64_t seed, uint64_t key_layers,
    bint drops_copies,
) noexcept nogil:
    memset(state, 0, sizeof(Connections))
    table_init(&state.table, seed)
    buffer_init(&state.places, sizeof(Connection))
    order_init(&state.order)
    streams_init(&state.streams, out, caps)
    state.ports = ports
    state.key_layers = key_layers
    copies_init(&state.copies, seed, drops_copies)


cdef bint connections_failed(const Connections* state) noexcept nogil:
    return (
        state.table.failed or state.places.failed or order_failed(&state.order)
        or state.streams.directions.failed or order_failed(&state.streams.order) or copies_failed(&state.copies)
    )


cdef void connections_free(Connections* state) noexcept nogil:
    buffer_free(&state.places)
    order_free(&state.order)
    streams_free(&state.streams)
    table_free(&state.table)
    copies_free(&state.copies)


cdef inline Connection* connection_at(const Connections* state, int64_t number) noexcept nogil:
    return <Connection*>state.places.data + number


cdef inline Direction* side_at(const Connections* state, int64_t number, int side) noexcept nogil:
    return direction_at(&state.streams, 2 * number + side)


cdef inline ConnectionRow* row_of(Output* out, const Connection* connection) noexcept nogil:
    return <ConnectionRow*>buffer_at(&out.connections, connection.row)


cdef void drop(Connections* state, int64_t number) noexcept nogil:
    """Forget the state of a connection; its row stays."""
    connection_at(state, number).row = -1
    table_remove(&state.table, number)
    order_remove(&state.order, <int32_t>number)
    direction_free(&state.streams, 2 * number)
    direction_free(&state.streams, 2 * number + 1)


cdef void find_endpoints(const Connections* state, const Segment* segment, Endpoints* endpoints) noexcept nogil:
    """Hash the endpoints of a segment; prefetch its slot in the table and its data."""
    cdef int order = compare_addresses(segment.source, segment.destination)
    endpoints.source_is_low = order < 0 or (order == 0 and segment.source_port <= segment.destination_port)
    if endpoints.source_is_low:
        flow_key(
            &endpoints.key, segment.source, segment.destination,
            (<uint64_t>segment.source_port << 16) | segment.destination_port, segment.layers & state.key_layers,
        )
    else:
        flow_key(
            &endpoints.key, segment.destination, segment.source,
            (<uint64_t>segment.destination_port << 16) | segment.source_port, segment.layers & state.key_layers,
        )
    endpoints.digest = table_digest(&state.table, &endpoints.key, &endpoints.pair)
    table_prefetch(&state.table, hash_of(endpoints.digest))
    prefetch(segment.data)


cdef void prefetch_state(const Connections* state, const Endpoints* endpoints) noexcept nogil:
    """Prefetch the state of a connection: with many connections, none is in the cache."""
    cdef int64_t number = table_guess(&state.table, hash_of(endpoints.digest))
    cdef const char* sides
    if number < 0:
        return
    sides = <const char*>side_at(state, number, 0)
    prefetch(table_key(&state.table, number))
    prefetch(connection_at(state, number))
    prefetch(<const uint64_t*>state.order.touches.data + number)
    prefetch(<const uint64_t*>state.streams.order.touches.data + 2 * number)
    prefetch(sides)
    prefetch(sides + CACHE_LINE)
    prefetch(sides + 2 * CACHE_LINE)
    prefetch(sides + 3 * CACHE_LINE)


cdef void prefetch_row(const Connections* state, const Endpoints* endpoints) noexcept nogil:
    """Prefetch the counters in the row of a connection, and the end of its history."""
    cdef const Output* out = state.streams.out
    cdef int64_t number = table_guess(&state.table, hash_of(endpoints.digest))
    cdef const Connection* connection
    cdef const Direction* sender
    cdef const ConnectionRow* row
    if number < 0 or connection_at(state, number).row < 0:
        return
    connection = connection_at(state, number)
    sender = side_at(state, number, connection.low_initiates != endpoints.source_is_low)
    prefetch(sender.history + sender.history_count)
    row = <const ConnectionRow*>buffer_at(&out.connections, connection.row)
    prefetch(&row.last_time)
    # Six counters side by side, which seldom begin a line.
    prefetch(&row.side[sender.side].messages)
    prefetch(&row.side[sender.side].octets)
    prefetch(&row.side[sender.side].echo_rtt_unanswered)


cdef void end_row(
    Output* out, const Connection* connection, int end, bint from_initiator, const Packet* now
) noexcept nogil:
    """Record the end of a connection; the first one counts."""
    cdef ConnectionRow* row = row_of(out, connection)
    if row.end == END_OPEN:
        row.end = <uint8_t>end
        row.end_from_initiator = from_initiator
        row.end_time = now.time
        row.end_packet = now.packet
        give_event(out, now, connection.row, end, from_initiator, -1, -1)


cdef void finish(
    Connections* state, int64_t number, const Packet* now
) noexcept nogil:
    cdef int side
    for side in range(2):
        # If nothing waits, nothing is reported; the state is freed in any case.
        if side_at(state, number, side).waiting != NULL:
            finish_direction(&state.streams, side_at(state, number, side), now)


cdef void evict(Connections* state, const Packet* now) noexcept nogil:
    """Evict the least recently used connection."""
    cdef Output* out = state.streams.out
    cdef int64_t most = state.streams.caps.connections
    cdef int32_t number = order_first(&state.order)
    cdef Connection* connection
    if number < 0:
        return
    connection = connection_at(state, number)
    connection_issue(out, now, connection.row, LAYER_TCP, KIND_EVICTED, most, most + 1)
    finish(state, number, now)
    end_row(out, connection, END_EVICTED, False, now)
    drop(state, number)


cdef bint make_room(Connections* state) noexcept nogil:
    """Reserve room for a connection in all arrays before anything changes; False if memory runs out."""
    cdef Output* out = state.streams.out
    return (
        buffer_reserve(&out.connections, 1)
        and buffer_reserve(&state.places, 1)
        and buffer_reserve(&state.streams.directions, 2)
        and order_reserve(&state.order, <int32_t>state.places.count + 1)
        and order_reserve(&state.streams.order, <int32_t>(2 * state.places.count) + 2)
    )


cdef int64_t new_connection(
    Connections* state, const Key* key, const Segment* segment, bint source_is_low
) noexcept nogil:
    """Add an instance with its row and return its number; -1 if memory runs out."""
    cdef Output* out = state.streams.out
    cdef Connection* connection
    cdef ConnectionRow* row
    cdef InVain* in_vain
    cdef int64_t number
    cdef bint from_source
    if state.table.count >= state.streams.caps.connections:
        evict(state, &segment.packet)
    if not make_room(state):
        state.places.failed = True
        return -1
    number = table_add(&state.table, key)
    if number < 0:
        return -1
    if number == state.places.count:
        buffer_push(&state.places)
        state.streams.directions.count += 2
    connection = connection_at(state, number)
    memset(connection, 0, sizeof(Connection))
    connection.serial = out.instances
    connection.row = <int32_t>min(out.instances, out.connection_rows)
    out.instances += 1
    if connection.row == out.connections.count:
        buffer_push(&out.connections)
        in_vain = <InVain*>buffer_push(&out.in_vain)
        if in_vain != NULL:
            memset(in_vain, 0, sizeof(InVain))
    row = row_of(out, connection)
    if connection.serial == out.connection_rows:
        connection_issue(
            out, &segment.packet, connection.row, LAYER_TCP, KIND_ENTITY_LIMIT, out.connection_rows,
            out.connection_rows + 1,
        )
    direction_init(side_at(state, number, 0), connection.row, 0)
    direction_init(side_at(state, number, 1), connection.row, 1)
    if segment.flags & TCP_SYN:
        from_source = not segment.flags & TCP_ACK
    else:
        from_source = is_port(state.ports, segment.destination_port)
    # If both endpoints are the same, every segment counts as the initiator's.
    connection.low_initiates = from_source == source_is_low or (
        segment.source_port == segment.destination_port and compare_addresses(segment.source, segment.destination) == 0
    )
    # Unwritten mapped memory is zero.
    if not out.connections.memory.mapped:
        memset(row, 0, sizeof(ConnectionRow))
    if from_source:
        memcpy(row.initiator_address, segment.source, 16)
        memcpy(row.responder_address, segment.destination, 16)
        row.initiator_port = segment.source_port
        row.responder_port = segment.destination_port
    else:
        memcpy(row.initiator_address, segment.destination, 16)
        memcpy(row.responder_address, segment.source, 16)
        row.initiator_port = segment.destination_port
        row.responder_port = segment.source_port
    row.first_time = segment.packet.time
    row.first_packet = segment.packet.packet
    row.vlan = vlan_of(segment.layers)
    row.inner_vlan = inner_vlan_of(segment.layers)
    row.carrier = carrier_of(segment.layers)
    row.network_id = network_of(segment.layers)
    row.midstream = True
    row.end_time = not_a_time()
    return number


cdef bint is_reused(const Connection* connection, const Direction* sender, const Segment* segment) noexcept nogil:
    """Whether a TCP_SYN starts a new instance on endpoints that are in use (6.1)."""
    if connection.closed:
        return True
    return (
        not segment.flags & TCP_ACK and sender.start_known != START_UNKNOWN and sender.start != segment.sequence + 1
    )


cdef int64_t connection_of(
    Connections* state, const Segment* segment, const Endpoints* endpoints, int* side
) noexcept nogil:
    """The number of the instance to which a segment belongs, and which side sent it; -1 if memory runs out."""
    cdef Output* out = state.streams.out
    cdef bint source_is_low = endpoints.source_is_low
    cdef int64_t number = table_find_hashed(&state.table, &endpoints.key, hash_of(endpoints.digest))
    cdef Connection* connection
    if number >= 0:
        connection = connection_at(state, number)
        side[0] = connection.low_initiates != source_is_low
        if segment.flags & TCP_SYN and is_reused(connection, side_at(state, number, side[0]), segment):
            finish(state, number, &segment.packet)
            end_row(out, connection, END_NEW_CONNECTION, False, &segment.packet)
            drop(state, number)
            number = -1
    if number < 0:
        number = new_connection(state, &endpoints.key, segment, source_is_low)
        if number < 0:
            return -1
        side[0] = connection_at(state, number).low_initiates != source_is_low
    order_touch(&state.order, <int32_t>number)
    return number


cdef void take_segment(
    Connections* state, const Segment* segment, const Endpoints* endpoints, bint is_copied
) noexcept nogil:
    cdef Output* out = state.streams.out
    cdef Connection* connection
    cdef ConnectionRow* row
    cdef Direction* sender
    cdef Direction* receiver
    cdef int side
    cdef int64_t away
    cdef const Packet* now = &segment.packet
    cdef int64_t number = connection_of(state, segment, endpoints, &side)
    if number < 0:
        return
    connection = connection_at(state, number)
    give_segment(out, now, connection.row)
    row = row_of(out, connection)
    sender = side_at(state, number, side)
    receiver = side_at(state, number, 1 - side)
    row.last_time = now.time
    row.last_packet = now.packet
    row.side[side].segments += 1
    if is_copied:
        row.side[side].copies += 1
    if segment.wire > 0:
        row.side[side].data_segments += 1

    if segment.flags & TCP_SYN:
        if sender.start_known != START_UNKNOWN and sender.start != segment.sequence + 1:
            away = <int32_t>(segment.sequence + 1 - sender.start)
            connection_issue(out, now, connection.row, LAYER_TCP, KIND_OUT_OF_WINDOW, 1, away if away > 0 else -away)
            return
        row.midstream = False
        if sender.start_known == START_UNKNOWN:
            set_start(sender, segment.sequence + 1, START_FROM_SYN)
        if segment.flags & TCP_ACK and receiver.start_known == START_UNKNOWN:
            set_start(receiver, segment.acknowledgment, START_FROM_SYN)

    if segment.flags & TCP_RST:
        away = distance(sender, segment.sequence)
        if sender.start_known != START_UNKNOWN and (away >= RESET_WINDOW or away <= -RESET_WINDOW):
            connection_issue(
                out, now, connection.row, LAYER_TCP, KIND_RESET_IGNORED, RESET_WINDOW, away if away > 0 else -away
            )
            return
        connection.closed = True
        end_row(out, connection, END_RST, side == 0, now)
        lose_holes(&state.streams, side_at(state, number, 0), now)
        lose_holes(&state.streams, side_at(state, number, 1), now)
        return
    if segment.flags & TCP_ACK and not segment.flags & TCP_SYN:
        take_acknowledgment(&state.streams, receiver, now, segment.acknowledgment)
    if segment.wire > 0:
        take_data(&state.streams, sender, segment, connection.closed)
    if segment.flags & TCP_FIN:
        take_fin(out, connection, sender, segment)


cdef void take_fin(Output* out, Connection* connection, Direction* sender, const Segment* segment) noexcept nogil:
    """The end of one direction (6.8)."""
    cdef int64_t away
    if sender.start_known != START_UNKNOWN:
        away = distance(sender, segment.sequence + (1 if segment.flags & TCP_SYN else 0))
        if away <= -WINDOW or away >= WINDOW:
            return
        if sender.fin < 0:
            sender.fin = max(contiguous_end(sender) + away + segment.wire, <int64_t>0)
    connection.fin[sender.side] = True
    if connection.fin[1 - sender.side]:
        connection.closed = True
    end_row(out, connection, END_FIN, sender.side == 0, &segment.packet)


cdef inline bint is_copied_segment(
    Connections* state, const Segment* segment, const Endpoints* endpoints
) noexcept nogil:
    """Whether a segment is a copy (4b)."""
    cdef uint64_t way = endpoints.digest + endpoints.source_is_low
    # Ports say nothing of the place.
    cdef uint64_t pair = endpoints.pair + endpoints.source_is_low
    cdef uint64_t identity = digest(
        way ^ (<uint64_t>segment.flags << 32 | segment.sighting.facts),
        (<uint64_t>segment.sequence << 32 | segment.acknowledgment) + segment.wire * 0x9E3779B97F4A7C15U,
    )
    return is_copy(&state.copies, identity, <uint32_t>pair ^ segment.sighting.vantage, segment.packet.time)


cdef void drop_segment(Connections* state, const Segment* segment) noexcept nogil:
    """Leave a copy out; without a checksum that verifies or is wrong, the card was to make one."""
    drop_copy(&state.copies, segment.packet.packet)
    state.offloaded_dropped += (
        segment.checksum == CHECKSUM_UNKNOWN and segment.wire > 0 and segment.captured == segment.wire
    )


cdef void take_segments(
    Connections* state, const Buffer* scanned, const Buffer* reassembled
) noexcept nogil:
    """Segments of a scan and of reassembled datagrams, in the order of packets."""
    cdef const Segment* left = <const Segment*>scanned.data
    cdef const Segment* right = <const Segment*>reassembled.data
    cdef const Segment* right_end = right + reassembled.count
    cdef Endpoints ahead[AHEAD]
    cdef Endpoints endpoints
    cdef Py_ssize_t index
    cdef Py_ssize_t place
    cdef bint is_copied
    if scanned.count and not copies_begin(&state.copies):
        return
    memset(ahead, 0, sizeof(ahead))
    for index in range(min(scanned.count, <Py_ssize_t>AHEAD)):
        find_endpoints(state, left + index, &ahead[index])
    for index in range(scanned.count):
        while right < right_end and right.packet.packet < left[index].packet.packet:
            find_endpoints(state, right, &endpoints)
            take_segment(state, right, &endpoints, False)
            right += 1
        place = index & (AHEAD - 1)
        prefetch_state(state, &ahead[(place + AHEAD // 2) & (AHEAD - 1)])
        prefetch_row(state, &ahead[(place + AHEAD // 4) & (AHEAD - 1)])
        is_copied = is_copied_segment(state, left + index, &ahead[place])
        if is_copied and state.copies.drops:
            drop_segment(state, left + index)
        else:
            take_segment(state, left + index, &ahead[place], is_copied)
        if index + AHEAD < scanned.count:
            find_endpoints(state, left + index + AHEAD, &ahead[place])
    while right < right_end:
        find_endpoints(state, right, &endpoints)
        take_segment(state, right, &endpoints, False)
        right += 1


cdef int compare_serials(const void* left, const void* right) noexcept nogil:
    return -1 if (<const Instance*>left).serial < (<const Instance*>right).serial else 1


cdef void finish_all(Connections* state, const Packet* now) noexcept nogil:
    """End all live instances, in the order in which they began."""
    cdef Instance* live
    cdef Py_ssize_t count = 0
    cdef Py_ssize_t index
    if state.streams.waiting == 0:
        # No instance has anything to report.
        connections_free(state)
        return
    live = <Instance*>malloc(<size_t>max(state.places.count, 1) * sizeof(Instance))
    if live == NULL:
        state.places.failed = True
        return
    for index in range(state.places.count):
        if connection_at(state, index).row >= 0:
            live[count].serial = connection_at(state, index).serial
            live[count].number = index
            count += 1
    qsort(live, <size_t>count, sizeof(Instance), &compare_serials)
    for index in range(count):
        finish(state, live[index].number, now)
    free(live)
    connections_free(state)

"""Control connections: which segment belongs to which instance, and what ends one (decoding section 6).

Knows TCP flags and numbers; octets are ``streams``' matter.  Called by ``assemble``, segment by
segment, in the order of packets.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from .buffers cimport buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from .control cimport Output, connection_issue, give_event
from .numbers cimport (
    ConnectionRow, END_EVICTED, END_FIN, END_NEW_CONNECTION, END_OPEN, END_RST, KIND_EVICTED, KIND_OUT_OF_WINDOW,
    KIND_RESET_IGNORED, LAYER_TCP, RESET_WINDOW, WINDOW,
)
from .sink cimport Caps, Packet, Segment, is_port, not_a_time
from .streams cimport (
    START_FROM_SYN, START_UNKNOWN, Direction, Piece, declare_lost, direction_free, direction_init, distance,
    finish_direction, set_start, take_acknowledgment, take_data, waits,
)
from .table cimport Key, Slot, flow_key, table_find, table_free, table_init, table_insert, table_remove

cdef enum:
    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    ACK = 0x10


cdef void connections_init(Connections* state, const unsigned char* ports, uint64_t seed) noexcept nogil:
    memset(state, 0, sizeof(Connections))
    table_init(&state.table, seed)
    buffer_init(&state.places, sizeof(Connection*))
    buffer_init(&state.vacant, sizeof(uint32_t))
    buffer_init(&state.held.spare, sizeof(Piece))
    state.ports = ports


cdef bint connections_failed(const Connections* state) noexcept nogil:
    return state.table.failed or state.places.failed or state.vacant.failed


cdef void unlink(Connections* state, Connection* connection) noexcept nogil:
    if connection.before != NULL:
        connection.before.behind = connection.behind
    elif state.first == connection:
        state.first = connection.behind
    if connection.behind != NULL:
        connection.behind.before = connection.before
    elif state.last == connection:
        state.last = connection.before
    connection.before = NULL
    connection.behind = NULL


cdef void touch(Connections* state, Connection* connection) noexcept nogil:
    unlink(state, connection)
    connection.before = state.last
    if state.last != NULL:
        state.last.behind = connection
    else:
        state.first = connection
    state.last = connection


cdef void drop(Connections* state, Connection* connection) noexcept nogil:
    """Forget the state of a connection; its row stays."""
    cdef Slot* slot = table_find(&state.table, &connection.key)
    cdef uint32_t* vacant
    if slot != NULL:
        vacant = <uint32_t*>buffer_push(&state.vacant)
        if vacant != NULL:
            vacant[0] = slot.value - 1
        (<Connection**>state.places.data)[slot.value - 1] = NULL
        table_remove(&state.table, &connection.key)
    unlink(state, connection)
    direction_free(&connection.side[0], &state.held)
    direction_free(&connection.side[1], &state.held)
    free(connection)


cdef void connections_free(Connections* state) noexcept nogil:
    while state.first != NULL:
        drop(state, state.first)
    buffer_free(&state.places)
    buffer_free(&state.vacant)
    buffer_free(&state.held.spare)
    table_free(&state.table)


cdef void endpoints_key(Key* key, const Segment* segment) noexcept nogil:
    """The two endpoints in an order that does not depend on the direction."""
    cdef int order = memcmp(segment.source, segment.destination, 16)
    if order < 0 or (order == 0 and segment.source_port <= segment.destination_port):
        flow_key(
            key, segment.source, segment.destination,
            (<uint64_t>segment.source_port << 16) | segment.destination_port,
        )
    else:
        flow_key(
            key, segment.destination, segment.source,
            (<uint64_t>segment.destination_port << 16) | segment.source_port,
        )


cdef inline ConnectionRow* row_of(Output* out, const Connection* connection) noexcept nogil:
    return <ConnectionRow*>buffer_at(&out.connections, connection.row)


cdef void end_row(
    Output* out, const Connection* connection, int end, bint from_initiator, const Packet* now
) noexcept nogil:
    """The first thing that ends a connection is what its row says."""
    cdef ConnectionRow* row = row_of(out, connection)
    if row.end == END_OPEN:
        row.end = <uint8_t>end
        row.end_from_initiator = from_initiator
        row.end_time = now.time
        give_event(out, now, connection.row, end, from_initiator, -1, -1)


cdef void finish(
    Connections* state, Output* out, const Caps* caps, Connection* connection, const Packet* now
) noexcept nogil:
    finish_direction(&connection.side[0], out, caps, &state.held, now)
    finish_direction(&connection.side[1], out, caps, &state.held, now)


cdef Connection* new_connection(
    Connections* state, Output* out, const Caps* caps, const Key* key, const Segment* segment
) noexcept nogil:
    """A new instance and its row; the least recently seen gives way at the cap.  NULL when memory is out."""
    cdef Connection* connection
    cdef ConnectionRow* row
    cdef uint32_t index
    cdef bint from_source
    if state.table.count >= caps.connections and state.first != NULL:
        connection = state.first
        connection_issue(
            out, &segment.packet, connection.row, LAYER_TCP, KIND_EVICTED, caps.connections, caps.connections + 1
        )
        finish(state, out, caps, connection, &segment.packet)
        end_row(out, connection, END_EVICTED, False, &segment.packet)
        drop(state, connection)
    connection = <Connection*>calloc(1, sizeof(Connection))
    if connection == NULL or not buffer_reserve(&state.places, 1) or not buffer_reserve(&out.connections, 1):
        state.places.failed = True
        free(connection)
        return NULL
    index = <uint32_t>state.places.count
    if state.vacant.count:
        index = (<uint32_t*>state.vacant.data)[state.vacant.count - 1]
    if not table_insert(&state.table, key, index):
        free(connection)
        return NULL
    if state.vacant.count:
        state.vacant.count -= 1
    else:
        buffer_push(&state.places)
    (<Connection**>state.places.data)[index] = connection
    row = <ConnectionRow*>buffer_push(&out.connections)
    connection.key = key[0]
    connection.row = <int32_t>(out.connections.count - 1)
    direction_init(&connection.side[0], connection.row, 0)
    direction_init(&connection.side[1], connection.row, 1)
    if segment.flags & SYN:
        from_source = not segment.flags & ACK
    else:
        from_source = is_port(state.ports, segment.destination_port)
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
    row.midstream = True
    row.end_time = not_a_time()
    return connection


cdef int sender_of(const ConnectionRow* row, const Segment* segment) noexcept nogil:
    """0 where the initiator sent the segment, else 1."""
    if row.initiator_port != segment.source_port or memcmp(row.initiator_address, segment.source, 16) != 0:
        return 1
    return 0


cdef bint is_reused(const Connection* connection, const Direction* sender, const Segment* segment) noexcept nogil:
    """Whether a SYN starts a new instance on endpoints that are in use (6.1)."""
    if connection.closed:
        return True
    return (
        not segment.flags & ACK and sender.start_known != START_UNKNOWN and sender.start != segment.sequence + 1
    )


cdef void take_segment(Connections* state, Output* out, const Caps* caps, const Segment* segment) noexcept nogil:
    cdef Connection* connection = NULL
    cdef ConnectionRow* row
    cdef Direction* sender
    cdef Direction* receiver
    cdef Key key
    cdef int side
    cdef int64_t away
    cdef const Packet* now = &segment.packet
    cdef Slot* slot
    endpoints_key(&key, segment)
    slot = table_find(&state.table, &key)
    if slot != NULL:
        connection = (<Connection**>state.places.data)[slot.value - 1]
        side = sender_of(row_of(out, connection), segment)
        if segment.flags & SYN and is_reused(connection, &connection.side[side], segment):
            finish(state, out, caps, connection, now)
            end_row(out, connection, END_NEW_CONNECTION, False, now)
            drop(state, connection)
            connection = NULL
    if connection == NULL:
        connection = new_connection(state, out, caps, &key, segment)
        if connection == NULL:
            return
    touch(state, connection)
    row = row_of(out, connection)
    side = sender_of(row, segment)
    sender = &connection.side[side]
    receiver = &connection.side[1 - side]
    row.last_time = now.time
    row.last_packet = now.packet
    row.side[side].segments += 1
    if segment.wire > 0:
        row.side[side].data_segments += 1

    if segment.flags & SYN:
        if sender.start_known != START_UNKNOWN and sender.start != segment.sequence + 1:
            away = distance(sender, segment.sequence + 1)
            connection_issue(
                out, now, connection.row, LAYER_TCP, KIND_OUT_OF_WINDOW, WINDOW, away if away > 0 else -away
            )
            return
        row.midstream = False
        if sender.start_known == START_UNKNOWN:
            set_start(sender, segment.sequence + 1, START_FROM_SYN)
        if segment.flags & ACK and receiver.start_known == START_UNKNOWN:
            set_start(receiver, segment.acknowledgment, START_FROM_SYN)

    if segment.flags & RST:
        away = distance(sender, segment.sequence)
        if sender.start_known != START_UNKNOWN and (away >= RESET_WINDOW or away <= -RESET_WINDOW):
            connection_issue(
                out, now, connection.row, LAYER_TCP, KIND_RESET_IGNORED, RESET_WINDOW, away if away > 0 else -away
            )
            return
        connection.closed = True
        end_row(out, connection, END_RST, side == 0, now)
        while waits(&connection.side[0]):
            declare_lost(&connection.side[0], out, caps, &state.held, now)
        while waits(&connection.side[1]):
            declare_lost(&connection.side[1], out, caps, &state.held, now)
        return
    if segment.flags & ACK and not segment.flags & SYN:
        take_acknowledgment(receiver, out, caps, &state.held, now, segment.acknowledgment)
    if segment.wire > 0:
        take_data(sender, out, caps, &state.held, segment, connection.closed)
    if segment.flags & FIN:
        take_fin(out, connection, side, segment)


cdef void take_fin(Output* out, Connection* connection, int side, const Segment* segment) noexcept nogil:
    """The end of one direction (6.8)."""
    cdef Direction* sender = &connection.side[side]
    cdef int64_t away
    if sender.start_known != START_UNKNOWN:
        away = distance(sender, segment.sequence + (1 if segment.flags & SYN else 0))
        if away <= -WINDOW or away >= WINDOW:
            return
        if sender.fin < 0:
            sender.fin = max(sender.end + away + segment.wire, <int64_t>0)
    connection.fin[side] = True
    if connection.fin[1 - side]:
        connection.closed = True
    end_row(out, connection, END_FIN, side == 0, &segment.packet)


cdef void finish_all(Connections* state, Output* out, const Caps* caps, const Packet* now) noexcept nogil:
    """The capture ends: all live instances, in the order of their rows."""
    cdef Connection** by_row
    cdef Connection* connection = state.first
    cdef Py_ssize_t index
    if connection == NULL:
        return
    by_row = <Connection**>calloc(<size_t>out.connections.count, sizeof(Connection*))
    if by_row == NULL:
        state.places.failed = True
        return
    while connection != NULL:
        by_row[connection.row] = connection
        connection = connection.behind
    for index in range(out.connections.count):
        if by_row[index] != NULL:
            finish(state, out, caps, by_row[index], now)
            drop(state, by_row[index])
    free(by_row)

"""Assigns messages to calls, records what they say, and ends calls (decoding section 10.1).

Knows the rows of messages and of calls.  Of tunnels it knows only that ids claim them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from ..base.buffers cimport buffer_at, buffer_push, buffer_reserve
from ..base.keys cimport Key, flow_key
from ..base.numbers cimport (
    CALL_END_CALL_CLEAR, CALL_END_DISCONNECT_NOTIFY, CALL_END_FIN, CALL_END_OPEN, CALL_END_REFUSED, CALL_END_STOP,
    CALL_KIND_INCOMING, CALL_KIND_OUTGOING, CALL_KIND_UNKNOWN, CALL_PRESENT_DISCONNECT, CALL_PRESENT_RESULT,
    CALL_PRESENT_SERIAL, CALL_STATUS_OTHER_ID, CALL_STATUS_REQUEST_NOT_SEEN, CALL_STATUS_SHARED_ID, END_FIN, END_OPEN,
    END_RST, KIND_ENTITY_LIMIT, KIND_SHARED_ID, KIND_UNKNOWN_CALL, LAYER_CONTROL, TYPE_CALL_CLEAR_REQUEST,
    TYPE_CALL_DISCONNECT_NOTIFY, TYPE_INCOMING_CALL_CONNECTED, TYPE_INCOMING_CALL_REPLY, TYPE_INCOMING_CALL_REQUEST,
    TYPE_OUTGOING_CALL_REPLY, TYPE_OUTGOING_CALL_REQUEST, TYPE_SET_LINK_INFO, TYPE_STOP_CONTROL_CONNECTION_REPLY,
    TYPE_STOP_CONTROL_CONNECTION_REQUEST, TYPE_WAN_ERROR_NOTIFY, UNANSWERED, ConnectionRow, IssueRow, MessageRow,
)
from ..base.packets cimport Packet, add_issue, not_a_time
from ..base.table cimport table_find
from ..stream.control cimport Event, InVain, Output
from .state cimport PAC, PNS, Call, Moment, Relations, call_at, id_key, layers_of, tunnel_at
from .tunnels cimport claim, current_tunnel, give_id

cdef enum:
    CONNECTS = 1


cdef struct MessageFields:
    # The packet at which it was delivered.
    const Packet* now
    MessageRow* row
    const char* fields
    # The number of its row, and which side of the connection sent it: 0 the initiator, 1 the responder.
    int64_t number
    int32_t connection
    int sender
    const ConnectionRow* ends
    const InVain* in_vain


cdef inline uint8_t field8(const MessageFields* message, int offset) noexcept nogil:
    return <uint8_t>message.fields[offset]


cdef inline uint16_t field16(const MessageFields* message, int offset) noexcept nogil:
    """A field of two octets by its offset on the wire, which is that in its row behind ``message`` too."""
    cdef uint16_t value
    memcpy(&value, message.fields + offset, 2)
    return value


cdef int octets_read(int kind) noexcept nogil:
    """How many octets of a message of that type are read here, 0 where none are."""
    if kind == TYPE_OUTGOING_CALL_REQUEST or kind == TYPE_INCOMING_CALL_REQUEST:
        return 16
    if kind == TYPE_OUTGOING_CALL_REPLY:
        return 20
    if kind == TYPE_INCOMING_CALL_REPLY or kind == TYPE_CALL_DISCONNECT_NOTIFY:
        return 18
    if kind == TYPE_STOP_CONTROL_CONNECTION_REQUEST or kind == TYPE_STOP_CONTROL_CONNECTION_REPLY:
        return 12
    return 14


cdef const unsigned char* address_of(const ConnectionRow* row, int side) noexcept nogil:
    if side:
        return row.responder_address
    return row.initiator_address


cdef void id_claim_key(
    Key* key, const Relations* state, const MessageFields* message, int side, uint16_t call_id
) noexcept nogil:
    """The key of a tunnel that leads to a side of the connection."""
    flow_key(
        key, address_of(message.ends, 1 - side), address_of(message.ends, side),
        call_id, layers_of(state, message.ends),
    )


cdef int32_t call_of(const Relations* state, const MessageFields* message, int side, uint16_t call_id) noexcept nogil:
    """The call to which a side gave an id last, -1 where there is none."""
    cdef Key key
    cdef int64_t number
    id_key(&key, message.connection, side, call_id)
    number = table_find(&state.ids, &key)
    return -1 if number < 0 else (<int32_t*>state.id_calls.data)[number]


cdef inline bint is_live(const Call* call) noexcept nogil:
    """Whether nothing was seen that ends it."""
    return call.end == CALL_END_OPEN


cdef void see(Call* call, const MessageFields* message) noexcept nogil:
    """Count a message in the call's first and last packet."""
    cdef Moment moment
    moment.packet = message.row.packet
    moment.time = message.row.time
    if moment.packet < call.first.packet:
        call.first = moment
    if moment.packet > call.last.packet:
        call.last = moment


cdef void belong(Relations* state, int32_t index, const MessageFields* message) noexcept nogil:
    """The message is one of the call."""
    message.row.call = index
    see(call_at(state, index), message)


cdef void call_issue(
    Relations* state, const MessageFields* message, int32_t connection, int kind, int64_t needed, int64_t had
) noexcept nogil:
    cdef Py_ssize_t index = state.issues.count
    add_issue(&state.issues, message.now, LAYER_CONTROL, kind, needed, had)
    if state.issues.count > index:
        (<IssueRow*>buffer_at(&state.issues, index)).connection = connection


cdef int32_t new_call(Relations* state, const MessageFields* message, int kind, int pns_side) noexcept nogil:
    """Add an open call, first in the list of its connection; -1 at the cap or if memory runs out."""
    cdef int32_t index = <int32_t>state.calls.count
    cdef Py_ssize_t more = message.connection + 1 - state.open.count
    cdef uint32_t* first
    cdef Call* call
    if state.calls.count >= state.most_calls:
        if state.calls_unlisted == 0:
            call_issue(
                state, message, message.connection, KIND_ENTITY_LIMIT, state.most_calls, state.most_calls + 1
            )
        state.calls_unlisted += 1
        return -1
    if more > 0:
        if not buffer_reserve(&state.open, more):
            return -1
        memset(buffer_at(&state.open, state.open.count), 0, <size_t>more * sizeof(uint32_t))
        state.open.count += more
    call = <Call*>buffer_push(&state.calls)
    if call == NULL:
        return -1
    memset(call, 0, sizeof(Call))
    call.kind = <uint8_t>kind
    call.connection = message.connection
    call.pns_side = <uint8_t>pns_side
    call.request = -1
    call.reply = -1
    call.disconnect = -1
    call.first.packet = ~<uint64_t>0
    call.connect_time = not_a_time()
    call.clear_time = not_a_time()
    call.disconnect_time = not_a_time()
    call.end_time = not_a_time()
    call.tunnel[PNS] = -1
    call.tunnel[PAC] = -1
    first = <uint32_t*>buffer_at(&state.open, message.connection)
    call.before = -1
    call.behind = <int32_t>first[0] - 1
    if call.behind >= 0:
        call_at(state, call.behind).before = index
    first[0] = <uint32_t>index + 1
    return index


cdef void end_call(
    Relations* state, int32_t index, int end, bint from_pns, uint64_t packet, int64_t time, const InVain* in_vain
) noexcept nogil:
    """Record the end of a call; the first one counts."""
    cdef Call* call = call_at(state, index)
    cdef int side
    if call.end != CALL_END_OPEN:
        return
    for side in range(2):
        call.unanswered |= <uint8_t>((in_vain.side[side] >= UNANSWERED) << side)
    call.end = <uint8_t>end
    call.end_from_pns = from_pns
    call.end_packet = packet
    call.end_time = time
    if call.before >= 0:
        call_at(state, call.before).behind = call.behind
    else:
        (<uint32_t*>buffer_at(&state.open, call.connection))[0] = <uint32_t>(call.behind + 1)
    if call.behind >= 0:
        call_at(state, call.behind).before = call.before


cdef void tell_id(
    Relations* state, const MessageFields* message, int32_t index, int role, uint16_t call_id
) noexcept nogil:
    """A message tells the id that the side of that role gave to the call."""
    cdef Key key
    cdef int32_t former
    if not give_id(state, index, role, call_id):
        return
    id_claim_key(&key, state, message, call_at(state, index).pns_side ^ role, call_id)
    former = claim(state, &key, index, role)
    if former >= 0 and is_live(call_at(state, former)):
        call_at(state, index).status |= CALL_STATUS_SHARED_ID
        call_at(state, former).status |= CALL_STATUS_SHARED_ID
        call_issue(state, message, message.connection, KIND_SHARED_ID, former, call_id)
        call_issue(state, message, call_at(state, former).connection, KIND_SHARED_ID, index, call_id)


cdef void take_request(Relations* state, const MessageFields* message, int kind, int role) noexcept nogil:
    """7 and 9: a call begins, of which the sender has this role; or the capture has the reply in front of it."""
    cdef int32_t index = call_of(state, message, message.sender, field16(message, 12))
    cdef Call* call = NULL if index < 0 else call_at(state, index)
    if call == NULL or call.kind != kind or call.request >= 0 or not is_live(call):
        index = new_call(state, message, kind, message.sender ^ role)
        if index < 0:
            return
        call = call_at(state, index)
        call.request_packet = message.row.packet
    call.status &= <uint16_t>~CALL_STATUS_REQUEST_NOT_SEEN
    call.request = message.number
    call.serial = field16(message, 14)
    call.present |= CALL_PRESENT_SERIAL
    belong(state, index, message)
    tell_id(state, message, index, role, field16(message, 12))


cdef void take_reply(Relations* state, const MessageFields* message, int kind, int role) noexcept nogil:
    """8 and 10: the answer of the sender, who has this role."""
    cdef int32_t index = call_of(state, message, 1 - message.sender, field16(message, 14))
    cdef Call* call
    if index < 0 or call_at(state, index).kind != kind:
        index = new_call(state, message, kind, message.sender ^ role)
        if index < 0:
            return
        call_at(state, index).status |= CALL_STATUS_REQUEST_NOT_SEEN
        tell_id(state, message, index, 1 - role, field16(message, 14))
    call = call_at(state, index)
    belong(state, index, message)
    if call.reply >= 0:
        return
    call.reply = message.number
    call.present |= CALL_PRESENT_RESULT
    call.result = field8(message, 16)
    call.error = field8(message, 17)
    if kind == CALL_KIND_OUTGOING:
        call.cause = field16(message, 18)
    if call.result != CONNECTS:
        end_call(
            state, index, CALL_END_REFUSED, role == PNS, message.row.packet, message.row.time, message.in_vain
        )
        return
    if kind == CALL_KIND_OUTGOING:
        call.connected = True
        call.connect_time = message.row.time
    tell_id(state, message, index, role, field16(message, 12))


cdef int32_t call_of_tunnel(
    Relations* state, const MessageFields* message, int side, uint16_t call_id, int pns_side, bint* exists
) noexcept nogil:
    """A call of which nothing but its tunnel was seen, the one that leads to this side; -1 without.

    `exists` says whether there is such a tunnel, which may be another call's.
    """
    cdef Key key
    cdef int32_t tunnel
    cdef int32_t index
    id_claim_key(&key, state, message, side, call_id)
    tunnel = current_tunnel(state, &key)
    exists[0] = tunnel >= 0
    if tunnel < 0 or tunnel_at(state, tunnel).call >= 0:
        return -1
    index = new_call(state, message, CALL_KIND_UNKNOWN, pns_side)
    if index >= 0:
        call_at(state, index).status |= CALL_STATUS_REQUEST_NOT_SEEN
        tell_id(state, message, index, side ^ pns_side, call_id)
    return index


cdef int32_t find_call(Relations* state, const MessageFields* message) noexcept nogil:
    """The call of a message of type 11 to 15; -1, and an issue, without."""
    cdef uint64_t refused = state.calls_unlisted
    cdef int kind = message.row.control_message_type
    cdef int sender = message.sender
    cdef int other = 1 - sender
    cdef uint16_t call_id = field16(message, 12)
    cdef bint of_sender = kind == TYPE_CALL_CLEAR_REQUEST or kind == TYPE_CALL_DISCONNECT_NOTIFY
    cdef bint exists = False
    cdef bint by_other = not of_sender
    cdef int pns_side = sender
    cdef int32_t index = -1
    if kind != TYPE_CALL_CLEAR_REQUEST and kind != TYPE_SET_LINK_INFO:
        pns_side = other
    if of_sender:
        index = call_of(state, message, sender, call_id)
    if index < 0:
        index = call_of(state, message, other, call_id)
        by_other = index >= 0
    if index < 0:
        if of_sender:
            index = call_of_tunnel(state, message, sender, call_id, pns_side, &exists)
        if index < 0 and not exists:
            index = call_of_tunnel(state, message, other, call_id, pns_side, &exists)
            by_other = index >= 0
    if index >= 0:
        if of_sender and by_other:
            call_at(state, index).status |= CALL_STATUS_OTHER_ID
    elif state.calls_unlisted == refused:
        call_issue(state, message, message.connection, KIND_UNKNOWN_CALL, 0, call_id)
    return index


cdef void take_other(Relations* state, const MessageFields* message) noexcept nogil:
    """11 to 15."""
    cdef int kind = message.row.control_message_type
    cdef int32_t index = find_call(state, message)
    cdef Call* call
    if index < 0:
        return
    call = call_at(state, index)
    belong(state, index, message)
    if kind == TYPE_INCOMING_CALL_CONNECTED:
        if call.kind == CALL_KIND_INCOMING:
            call.connected = True
            if call.connect_time == not_a_time():
                call.connect_time = message.row.time
    elif kind == TYPE_CALL_CLEAR_REQUEST:
        if call.clear_time == not_a_time():
            call.clear_time = message.row.time
        end_call(
            state, index, CALL_END_CALL_CLEAR, message.sender == call.pns_side, message.row.packet, message.row.time,
            message.in_vain,
        )
    elif kind == TYPE_WAN_ERROR_NOTIFY:
        call.wan_error_notifies += 1
    elif kind == TYPE_SET_LINK_INFO:
        call.set_link_infos += 1
    elif not call.present & CALL_PRESENT_DISCONNECT:
        call.present |= CALL_PRESENT_DISCONNECT
        call.disconnect = message.number
        call.disconnect_time = message.row.time
        call.disconnect_result = field8(message, 14)
        call.disconnect_error = field8(message, 15)
        call.disconnect_cause = field16(message, 16)
        end_call(
            state, index, CALL_END_DISCONNECT_NOTIFY, message.sender == call.pns_side, message.row.packet,
            message.row.time, message.in_vain,
        )


cdef void end_calls(
    Relations* state, int32_t connection, int end, int side, uint64_t packet, int64_t time, const InVain* in_vain,
    const MessageFields* message,
) noexcept nogil:
    """End the open calls of a connection.  Each call ends once, so this is linear in total.

    `side` is that of who ended them, -1 where nobody did; `message` is what ended them, or NULL.
    """
    cdef int32_t index
    cdef Call* call
    if connection >= state.open.count:
        return
    index = <int32_t>(<uint32_t*>buffer_at(&state.open, connection))[0] - 1
    while index >= 0:
        call = call_at(state, index)
        if message != NULL:
            see(call, message)
        end_call(state, index, end, side == call.pns_side, packet, time, in_vain)
        index = call.behind


cdef void take_event(Relations* state, const Output* out, const Event* event) noexcept nogil:
    """What the connections found: a message, or an end."""
    cdef MessageFields message
    cdef int side = 0 if event.from_initiator else 1
    cdef int kind
    if event.end != END_OPEN:
        # The ends of a call by its connection stand in the order of those of connections.
        if event.end != END_FIN and event.end != END_RST:
            side = -1
        end_calls(
            state, event.connection, CALL_END_FIN + (event.end - END_FIN), side, event.now.packet, event.now.time,
            &event.in_vain, NULL,
        )
        return
    message.now = &event.now
    message.row = <MessageRow*>buffer_at(&out.messages, event.message)
    kind = message.row.control_message_type
    if message.row.available < octets_read(kind):
        return
    message.fields = buffer_at(&out.bodies[kind], event.body) + sizeof(int64_t)
    message.number = out.messages_before + event.message
    message.connection = event.connection
    message.sender = side
    message.in_vain = &event.in_vain
    message.ends = <const ConnectionRow*>buffer_at(&out.connections, event.connection)
    if kind == TYPE_OUTGOING_CALL_REQUEST:
        take_request(state, &message, CALL_KIND_OUTGOING, PNS)
    elif kind == TYPE_INCOMING_CALL_REQUEST:
        take_request(state, &message, CALL_KIND_INCOMING, PAC)
    elif kind == TYPE_OUTGOING_CALL_REPLY:
        take_reply(state, &message, CALL_KIND_OUTGOING, PAC)
    elif kind == TYPE_INCOMING_CALL_REPLY:
        take_reply(state, &message, CALL_KIND_INCOMING, PNS)
    elif kind == TYPE_STOP_CONTROL_CONNECTION_REQUEST or kind == TYPE_STOP_CONTROL_CONNECTION_REPLY:
        # A reply shows that the other side asked.
        end_calls(
            state, event.connection, CALL_END_STOP, side if kind == TYPE_STOP_CONTROL_CONNECTION_REQUEST else 1 - side,
            message.row.packet, message.row.time, &event.in_vain, &message,
        )
    else:
        take_other(state, &message)

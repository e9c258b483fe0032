"""Decodes control messages by the field plan that ``wire.control`` yields.

The plan is checked when it is made, so one comparison with the size of a message is enough to read it.  Must not know
streams.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memchr, memcmp, memcpy, memset

from ..base.buffers cimport Buffer, buffer_at, buffer_push
from ..base.numbers cimport (
    CONTROL_MESSAGE, END_OPEN, KIND_MANAGEMENT, KIND_NUMBER_LENGTH, KIND_UNKNOWN_TYPE, KIND_WRONG_LENGTH,
    LARGEST_MESSAGE, LAYER_CONTROL, MESSAGE_CUT, MESSAGE_MANAGEMENT, MESSAGE_NUMBER_LENGTH, MESSAGE_TEXT_TAIL,
    MESSAGE_TYPES, MESSAGE_UNKNOWN_TYPE, MESSAGE_WRONG_LENGTH, TYPE_OUTGOING_CALL_REQUEST,
    TYPE_STOP_CONTROL_CONNECTION_REPLY, TYPE_STOP_CONTROL_CONNECTION_REQUEST, IssueRow, MessageRow,
)
from ..base.octets cimport load16, load32
from ..base.packets cimport Packet, add_issue

from ...schema import dtype
from ...wire.control import MESSAGES


cdef void add_field(Plan* plan, const FieldPlan* field, bint is_text) noexcept:
    if is_text:
        plan.text[plan.texts] = field[0]
        plan.texts += 1
        return
    plan.number[plan.numbers] = field[0]
    plan.numbers += 1
    if field.width == 2:
        plan.two[plan.twos] = field.offset
        plan.twos += 1
    elif field.width == 4:
        plan.four[plan.fours] = field.offset
        plan.fours += 1
    if field.counted:
        plan.count[plan.counts] = field[0]
        plan.counts += 1


cdef class ControlPlan:
    """Where each field of each message stands, on the wire and behind ``message`` in its row."""

    def __init__(self):
        cdef Plan* plan
        cdef FieldPlan place
        memset(self.plans, 0, sizeof(self.plans))
        for message in MESSAGES:
            if not (1 <= message.code <= MESSAGE_TYPES and message.size <= LARGEST_MESSAGE):
                raise ImportError(f"{message.name} does not fit the compiled core: build it again")
            if len(message.fields) > MAXIMUM_FIELDS:
                raise ImportError(f"{message.name} has more fields than the compiled core can hold")
            plan = &self.plans[<int>message.code]
            plan.size = message.size
            columns = dtype(message.name).fields
            widths = {item.name: item.width for item in message.fields}
            expected = sizeof(int64_t)
            for item in message.fields:
                column, offset = columns[item.name][:2]
                if (column.itemsize, offset, message.offset(item.name)) != (
                    item.width, expected, expected - sizeof(int64_t)
                ):
                    raise ImportError(f"{message.name}.{item.name} does not stand in its row as on the wire")
                expected += item.width
                place.offset = message.offset(item.name)
                place.width = item.width
                place.counted = widths.get(item.length_of, 0)
                add_field(plan, &place, item.kind == "text")
            if expected != sizeof(int64_t) + message.size:
                raise ImportError(f"the fields of {message.name} are not all of it")


cdef void connection_issue(
    Output* out, const Packet* now, int32_t connection, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil:
    cdef Py_ssize_t index = out.issues.count
    add_issue(&out.issues, now, layer, kind, needed, had)
    if out.issues.count > index:
        (<IssueRow*>buffer_at(&out.issues, index)).connection = listed(out, connection)


cdef inline bint has_tail(const uint8_t* text, int64_t n) noexcept nogil:
    """Whether the `n` bytes at `text` have a nonzero byte after their first zero."""
    cdef const uint8_t* zero = <const uint8_t*>memchr(text, 0, <size_t>n) if n > 0 else NULL
    # All are zero where each equals the one before it.
    return zero != NULL and memcmp(zero, zero + 1, <size_t>(text + n - zero - 1)) != 0


cdef inline void turn_numbers(const Plan* plan, char* row) noexcept nogil:
    """Swap from network order to native order, in place."""
    cdef int index
    cdef uint16_t two
    cdef uint32_t four
    for index in range(plan.twos):
        two = load16(<const uint8_t*>row + plan.two[index])
        memcpy(row + plan.two[index], &two, 2)
    for index in range(plan.fours):
        four = load32(<const uint8_t*>row + plan.four[index])
        memcpy(row + plan.four[index], &four, 4)


cdef int read_body(Output* out, const Delivery* delivery, const Plan* plan, const uint8_t* p, char* row) noexcept nogil:
    """Needs ``plan.size`` octets at `p`, zeros behind ``delivery.available``; gives fields and status bits."""
    cdef const FieldPlan* field
    cdef int index
    cdef int status = 0
    cdef uint16_t octets
    memcpy(row, p, plan.size)
    if delivery.available < plan.size:
        for index in range(plan.numbers):
            field = &plan.number[index]
            if delivery.available < field.offset + field.width:
                # A number of which some octets are missing is not known at all.
                memset(row + field.offset, 0, field.width)
    turn_numbers(plan, row)
    for index in range(plan.counts):
        field = &plan.count[index]
        memcpy(&octets, row + field.offset, 2)
        if octets > field.counted:
            status |= MESSAGE_NUMBER_LENGTH
            connection_issue(
                out, delivery.now, delivery.connection, LAYER_CONTROL, KIND_NUMBER_LENGTH, field.counted, octets
            )
    for index in range(plan.texts):
        field = &plan.text[index]
        if has_tail(
            <const uint8_t*>row + field.offset, min(delivery.available - field.offset, <int64_t>field.width)
        ):
            status |= MESSAGE_TEXT_TAIL
    return status


cdef char* give_message(Output* out, Delivery* delivery) noexcept nogil:
    """Needs the 12 header octets; gives a row in ``messages`` and, for a known type, in its own table.

    Returns the row in the type's table, NULL where there is none.
    """
    cdef uint8_t padded[LARGEST_MESSAGE]
    cdef const uint8_t* p = delivery.octets
    cdef const Plan* plan
    cdef Buffer* bodies
    cdef char* body = NULL
    cdef int64_t number
    cdef int status = delivery.status
    cdef uint16_t length = load16(p)
    cdef uint16_t kind = load16(p + 8)
    cdef MessageRow* row = <MessageRow*>buffer_push(&out.messages)
    if row == NULL:
        return NULL
    delivery.row = row
    row.time = delivery.arrival.time
    row.file = delivery.arrival.file
    row.packet = delivery.arrival.packet
    row.record_offset = delivery.arrival.record_offset
    row.connection = listed(out, delivery.connection)
    row.call = -1
    row.from_initiator = delivery.from_initiator
    row.segments = <uint16_t>delivery.segments
    row.row = -1
    row.length = length
    row.message_type = load16(p + 2)
    row.magic_cookie = load32(p + 4)
    row.control_message_type = kind
    row.reserved0 = load16(p + 10)
    row.available = <uint16_t>delivery.available
    if delivery.available < length:
        status |= MESSAGE_CUT
    if row.message_type != CONTROL_MESSAGE:
        row.status = <uint16_t>(status | MESSAGE_MANAGEMENT)
        connection_issue(
            out, delivery.now, delivery.connection, LAYER_CONTROL, KIND_MANAGEMENT, CONTROL_MESSAGE, row.message_type
        )
        return NULL
    if not 1 <= kind <= MESSAGE_TYPES:
        row.status = <uint16_t>(status | MESSAGE_UNKNOWN_TYPE)
        connection_issue(out, delivery.now, delivery.connection, LAYER_CONTROL, KIND_UNKNOWN_TYPE, 0, kind)
        return NULL
    plan = &out.plans[kind]
    if length != plan.size:
        status |= MESSAGE_WRONG_LENGTH
        connection_issue(
            out, delivery.now, delivery.connection, LAYER_CONTROL, KIND_WRONG_LENGTH, plan.size, length
        )
    bodies = &out.bodies[kind]
    number = out.messages_before + out.messages.count - 1
    body = buffer_push(bodies)
    if body == NULL:
        row.status = <uint16_t>status
        return NULL
    row.row = out.bodies_before[kind] + bodies.count - 1
    memcpy(body, &number, sizeof(number))
    if delivery.available < plan.size:
        memset(padded, 0, sizeof(padded))
        memcpy(padded, p, <size_t>delivery.available)
        p = padded
    row.status = <uint16_t>(status | read_body(out, delivery, plan, p, body + sizeof(number)))
    # What relating wants to know of: calls, and Stop messages.
    if (
        kind >= TYPE_OUTGOING_CALL_REQUEST or kind == TYPE_STOP_CONTROL_CONNECTION_REQUEST
        or kind == TYPE_STOP_CONTROL_CONNECTION_REPLY
    ):
        give_event(
            out, delivery.now, delivery.connection, END_OPEN, delivery.from_initiator, out.messages.count - 1,
            bodies.count - 1,
        )
    return body

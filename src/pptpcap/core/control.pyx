"""From the octets of one control message to its rows (decoding section 7.2).

Knows the field plan that ``wire.control`` yields, nothing of streams.  Called by ``streams``.  The
plan is proved when it is made, so one comparison with the message's size is enough to read it.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memchr, memcpy, memset

from .buffers cimport buffer_at, buffer_push
from .numbers cimport (
    CONTROL_MESSAGE, END_OPEN, IssueRow, KIND_MANAGEMENT, KIND_NUMBER_LENGTH, KIND_UNKNOWN_TYPE, KIND_WRONG_LENGTH,
    LARGEST_MESSAGE, LAYER_CONTROL, MESSAGE_CUT, MESSAGE_MANAGEMENT, MESSAGE_NUMBER_LENGTH, MESSAGE_TEXT_TAIL,
    MESSAGE_TYPES, MESSAGE_UNKNOWN_TYPE, MESSAGE_WRONG_LENGTH, MessageRow, TYPE_OUTGOING_CALL_REQUEST,
    TYPE_STOP_CONTROL_CONNECTION_REQUEST,
)
from .octets cimport load16, load32
from .sink cimport Packet, add_issue

from ..schema import dtype
from ..wire.control import MESSAGES


cdef class ControlPlan:
    """Where each field of each message stands, on the wire and in its row."""

    def __init__(self):
        cdef Plan* plan
        cdef PlanField* field
        memset(self.plans, 0, sizeof(self.plans))
        for message in MESSAGES:
            if not (1 <= message.code <= MESSAGE_TYPES and message.size <= LARGEST_MESSAGE):
                raise ImportError(f"{message.name} does not fit the compiled core: build it again")
            if len(message.fields) > MAXIMUM_FIELDS:
                raise ImportError(f"{message.name} has more fields than the compiled core can hold")
            plan = &self.plans[<int>message.code]
            plan.size = message.size
            plan.fields = len(message.fields)
            columns = dtype(message.name).fields
            widths = {item.name: item.width for item in message.fields}
            for index, item in enumerate(message.fields):
                column, offset = columns[item.name][:2]
                if column.itemsize != item.width:
                    raise ImportError(f"{message.name}.{item.name} is not as wide in its table as on the wire")
                field = &plan.field[<int>index]
                field.wire_offset = message.offset(item.name)
                field.row_offset = offset
                field.width = item.width
                field.kind = FIELD_TEXT if item.kind == "text" else FIELD_UNSIGNED
                field.counted = widths.get(item.length_of, 0)


cdef void connection_issue(
    Output* out, const Packet* now, int32_t connection, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil:
    cdef Py_ssize_t index = out.issues.count
    add_issue(&out.issues, now, layer, kind, needed, had)
    if out.issues.count > index:
        (<IssueRow*>buffer_at(&out.issues, index)).connection = connection


cdef inline void read_unsigned(const PlanField* field, const uint8_t* p, char* row) noexcept nogil:
    cdef uint16_t two
    cdef uint32_t four
    if field.width == 1:
        row[field.row_offset] = <char>p[field.wire_offset]
    elif field.width == 2:
        two = load16(p + field.wire_offset)
        memcpy(row + field.row_offset, &two, 2)
    else:
        four = load32(p + field.wire_offset)
        memcpy(row + field.row_offset, &four, 4)


cdef inline bint has_tail(const uint8_t* text, int64_t n) noexcept nogil:
    """Whether an octet other than zero stands behind the first zero of the `n` at `text`."""
    cdef const uint8_t* zero = <const uint8_t*>memchr(text, 0, <size_t>n) if n > 0 else NULL
    cdef const uint8_t* end = text + n
    if zero == NULL:
        return False
    while zero < end:
        if zero[0] != 0:
            return True
        zero += 1
    return False


cdef int read_body(Output* out, const Delivery* delivery, const Plan* plan, const uint8_t* p, char* row) noexcept nogil:
    """Needs ``plan.size`` octets at `p`, zeros behind ``delivery.available``; gives fields and status bits."""
    cdef const PlanField* field
    cdef int index
    cdef int status = 0
    cdef int64_t present
    for index in range(plan.fields):
        field = &plan.field[index]
        present = min(delivery.available - field.wire_offset, <int64_t>field.width)
        if field.kind == FIELD_TEXT:
            memcpy(row + field.row_offset, p + field.wire_offset, field.width)
            if has_tail(p + field.wire_offset, present):
                status |= MESSAGE_TEXT_TAIL
        elif present < field.width:
            # A number of which some octets are missing is not known at all.
            memset(row + field.row_offset, 0, field.width)
        else:
            read_unsigned(field, p, row)
            if field.counted and load16(p + field.wire_offset) > field.counted:
                status |= MESSAGE_NUMBER_LENGTH
                connection_issue(
                    out, delivery.now, delivery.connection, LAYER_CONTROL, KIND_NUMBER_LENGTH,
                    field.counted, load16(p + field.wire_offset),
                )
    return status


cdef char* give_message(Output* out, const Delivery* delivery) noexcept nogil:
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
    row.time = delivery.arrival.time
    row.file = delivery.arrival.file
    row.packet = delivery.arrival.packet
    row.record_offset = delivery.arrival.record_offset
    row.connection = delivery.connection
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
    row.status = <uint16_t>(status | read_body(out, delivery, plan, p, body))
    if kind == TYPE_STOP_CONTROL_CONNECTION_REQUEST or kind >= TYPE_OUTGOING_CALL_REQUEST:
        give_event(
            out, delivery.now, delivery.connection, END_OPEN, delivery.from_initiator, out.messages.count - 1,
            bodies.count - 1,
        )
    return body

"""The field plan of the 15 messages, and the buffers that decoded messages go to."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport Buffer, buffer_at, buffer_push
from ..base.numbers cimport MESSAGE_TYPES, MessageRow
from ..base.packets cimport Packet


cdef enum:
    MAXIMUM_FIELDS = 24


cdef struct FieldPlan:
    uint16_t offset
    uint16_t width
    # Of a number that counts the octets of a text field: how many that can hold.
    uint16_t counted


cdef struct Plan:
    # Octets of the message, which stand in its row as on the wire, but for the order of those of numbers.
    uint16_t size
    # How many of each there are.
    uint16_t numbers
    uint16_t twos
    uint16_t fours
    uint16_t counts
    uint16_t texts
    FieldPlan number[MAXIMUM_FIELDS]
    # Offsets of the numbers of two and of four octets.
    uint16_t two[MAXIMUM_FIELDS]
    uint16_t four[MAXIMUM_FIELDS]
    FieldPlan count[MAXIMUM_FIELDS]
    FieldPlan text[MAXIMUM_FIELDS]


cdef struct InVain:
    uint32_t side[2]


cdef struct SegmentRow:
    int64_t time
    uint64_t packet
    # -1 where it has no row.
    int64_t connection


cdef struct Event:
    # What relating wants to know of connections, in order; `end` is END_OPEN where a message was delivered.
    Packet now
    int32_t connection
    int end
    bint from_initiator
    # The echoes of the connection so far.
    InVain in_vain
    # Its places in `messages` and in the table of its type, as they stand now.
    Py_ssize_t message
    Py_ssize_t body


cdef struct Output:
    const Plan* plans
    Buffer messages
    # Index 0 is not used: the table of type t is at t.
    Buffer bodies[MESSAGE_TYPES + 1]
    Buffer issues
    # Instances beyond the cap have no row of their own: they share the one behind all others, which nobody is given.
    Buffer connections
    int64_t connection_rows
    # By the same numbers: how many of the last Echo-Requests of each side were not answered.
    Buffer in_vain
    # Instances that were made.
    int64_t instances
    # Every segment and its connection, if they are wanted.
    bint keep_segments
    Buffer segments
    Buffer events
    # Rows that were taken out of `messages` and `bodies` before.
    int64_t messages_before
    int64_t bodies_before[MESSAGE_TYPES + 1]


cdef struct Delivery:
    # The packet at which this happens, and the one that the message is attributed to.
    const Packet* now
    const Packet* arrival
    int32_t connection
    bint from_initiator
    int segments
    int status
    # Octets of the message that are known, and how many there are.
    const uint8_t* octets
    int64_t available
    # Its row in ``messages``, once it has one.
    MessageRow* row


cdef class ControlPlan:
    cdef Plan plans[MESSAGE_TYPES + 1]


cdef inline Py_ssize_t listed_connections(const Output* out) noexcept nogil:
    """How many rows of connections there are to give."""
    return <Py_ssize_t>min(out.instances, out.connection_rows)


cdef inline int32_t listed(const Output* out, int32_t connection) noexcept nogil:
    """The number of a connection's row as rows say it: -1 where it has none of its own."""
    return connection if connection < out.connection_rows else -1


cdef inline void give_segment(Output* out, const Packet* now, int32_t connection) noexcept nogil:
    cdef SegmentRow* row
    if out.keep_segments:
        row = <SegmentRow*>buffer_push(&out.segments)
        if row != NULL:
            row.time = now.time
            row.packet = now.packet
            row.connection = listed(out, connection)


cdef inline void give_event(
    Output* out, const Packet* now, int32_t connection, int end, bint from_initiator,
    Py_ssize_t message, Py_ssize_t body,
) noexcept nogil:
    cdef Event* event
    # Calls belong to connections that have rows.
    if listed(out, connection) < 0 or connection >= out.in_vain.count:
        return
    event = <Event*>buffer_push(&out.events)
    if event == NULL:
        return
    event.now = now[0]
    event.connection = connection
    event.end = end
    event.from_initiator = from_initiator
    event.in_vain = (<const InVain*>buffer_at(&out.in_vain, connection))[0]
    event.message = message
    event.body = body


cdef void connection_issue(
    Output* out, const Packet* now, int32_t connection, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil

cdef char* give_message(Output* out, Delivery* delivery) noexcept nogil

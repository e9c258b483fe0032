"""The state of the directions of control connections.

Structs, and what follows from one alone.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport Buffer
from ..base.numbers cimport Caps
from ..base.order cimport Order
from ..base.packets cimport Packet
from .control cimport Output


cdef struct Piece:
    int64_t position
    # Octets on the wire, and how many of them are in the capture.
    int64_t length
    int64_t captured
    const uint8_t* data
    # What `data` points into, NULL while that is the capture itself.
    uint8_t* storage
    Packet packet
    uint16_t marks
    uint8_t checksum


cdef enum Start:
    START_UNKNOWN
    START_FROM_SYN
    START_FROM_DATA


cdef struct Undelivered:
    # State that a direction needs only while it has undelivered bytes.
    Packet arrival
    Buffer pieces
    # How many of the pieces are contiguous with the cursor, and where those end.
    Py_ssize_t contiguous
    int64_t end
    # Position where a header may stand behind a hole, -1 without one; octets skipped since the step was lost.
    int64_t resume
    int64_t skipped
    # Its share of the held bytes of all directions.
    int64_t weight
    # Next in the list of spare ones.
    Undelivered* next


cdef enum Echo:
    ECHO_NONE
    ECHO_WAITS
    ECHO_ANSWERED


cdef struct Direction:
    # Row of its connection.
    int32_t connection
    uint32_t start
    # Positions in the stream: what is cut, the highest seen, what the other side has, the FIN; -1 for unknown ones.
    int64_t cursor
    int64_t highest
    int64_t acked
    int64_t fin
    # NULL while all received bytes are delivered.
    Undelivered* waiting
    # The bytes before the cursor.
    uint8_t* history
    uint32_t history_count
    uint32_t history_room
    uint16_t pending
    uint8_t side
    uint8_t start_known
    uint8_t in_step
    # Its last Echo-Request: whether there is one and it was answered, when, and with which identifier; the sum of the
    # times that its echoes took.
    uint8_t echo
    uint32_t echo_identifier
    int64_t echo_time
    int64_t echo_sum


cdef struct Streams:
    # Constant for the whole capture: where messages and issues go, and the caps.
    Output* out
    const Caps* caps
    # Two for each connection: that of number n has the directions 2 n and 2 n + 1.
    Buffer directions
    # Directions that hold bytes, and the number of bytes of all of them.
    Order order
    int64_t octets
    # Directions of which not all octets are delivered.
    int64_t waiting
    # Spare ones for the next directions that need them.
    Undelivered* spare
    int spares


cdef inline Direction* direction_at(const Streams* streams, int64_t number) noexcept nogil:
    return <Direction*>streams.directions.data + number


cdef inline int64_t contiguous_end(const Direction* direction) noexcept nogil:
    return direction.cursor if direction.waiting == NULL else direction.waiting.end


cdef inline int64_t distance(const Direction* direction, uint32_t sequence) noexcept nogil:
    """From the contiguous end to a sequence number, signed, by the 32 bits that are on the wire."""
    cdef uint32_t expected = direction.start + <uint32_t>(<uint64_t>contiguous_end(direction) & 0xFFFFFFFFU)
    return <int32_t>(sequence - expected)


cdef inline bint waits(const Direction* direction) noexcept nogil:
    """Whether octets wait behind a hole."""
    return direction.waiting != NULL and direction.waiting.contiguous < direction.waiting.pieces.count

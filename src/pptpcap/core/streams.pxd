"""One direction of a control connection: its state, and what ``assemble`` may do with it."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from .buffers cimport Buffer
from .control cimport Output
from .sink cimport Caps, Packet, Segment


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


cdef struct Direction:
    int32_t connection
    int side
    Start start_known
    uint32_t start
    bint in_step
    int pending
    # Positions in the stream: what is cut, what is contiguous, the highest seen, and -1 for unknown ones.
    int64_t cursor
    int64_t end
    int64_t highest
    int64_t resume
    int64_t acked
    int64_t fin
    int64_t skipped
    Packet arrival
    Buffer pieces
    # How many of the pieces are contiguous with the cursor.
    Py_ssize_t contiguous
    Buffer history
    # Its share of what is held together.
    int64_t weight
    Direction* held_before
    Direction* held_behind


cdef struct Held:
    # Directions that hold octets, the least recently touched first, and what they hold together.
    Direction* first
    Direction* last
    int64_t octets
    # Memory for the pieces of a direction that holds none between segments, which is the common case.
    Buffer spare


cdef void direction_init(Direction* direction, int32_t connection, int side) noexcept nogil
cdef void direction_free(Direction* direction, Held* held) noexcept nogil
cdef void set_start(Direction* direction, uint32_t start, Start how) noexcept nogil
cdef int64_t distance(const Direction* direction, uint32_t sequence) noexcept nogil
cdef void take_data(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Segment* segment, bint closed
) noexcept nogil
cdef void take_acknowledgment(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now, uint32_t number
) noexcept nogil
cdef void declare_lost(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil
cdef void finish_direction(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil
cdef bint waits(const Direction* direction) noexcept nogil

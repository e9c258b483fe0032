"""What may be done with one direction of a control connection."""

from libc.stdint cimport int32_t, int64_t, uint32_t

from ..base.numbers cimport Caps
from ..base.packets cimport Packet
from ..scan.segments cimport Segment
from .control cimport Output
from .state cimport Direction, Start, Streams


cdef void streams_init(Streams* streams, Output* out, const Caps* caps) noexcept nogil
cdef void streams_free(Streams* streams) noexcept nogil
cdef void direction_init(Direction* direction, int32_t connection, int side) noexcept nogil
cdef void direction_free(Streams* streams, int64_t number) noexcept nogil
cdef void set_start(Direction* direction, uint32_t start, Start how) noexcept nogil
cdef void take_data(
    Streams* streams, Direction* direction, const Segment* segment, bint closed
) noexcept nogil
cdef void take_acknowledgment(
    Streams* streams, Direction* direction, const Packet* now, uint32_t number
) noexcept nogil
cdef void lose_holes(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil
cdef void finish_direction(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil

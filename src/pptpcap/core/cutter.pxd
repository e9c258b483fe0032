"""What ``streams`` may call of ``cutter``."""

from libc.stdint cimport int64_t

from .control cimport Output
from .sink cimport Caps, Packet, Segment
from .streams cimport Direction, Streams


cdef void cut(Direction* direction, Output* out, const Caps* caps, Streams* streams, const Packet* now) noexcept nogil
cdef int64_t end_partial(
    Direction* direction, Output* out, const Caps* caps, Streams* streams, const Packet* now
) noexcept nogil
cdef void lose_step(Direction* direction) noexcept nogil
cdef int64_t cut_whole(
    Direction* direction, Output* out, const Caps* caps, Streams* streams, const Segment* segment, bint closed
) noexcept nogil

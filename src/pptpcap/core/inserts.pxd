"""What ``streams`` may call of ``inserts``."""

from libc.stdint cimport int64_t

from .control cimport Output
from .sink cimport Caps, Segment
from .streams cimport Direction, Streams


cdef void insert(
    Direction* direction, Output* out, const Caps* caps, Streams* streams, const Segment* segment, int64_t position,
    bint closed,
) noexcept nogil

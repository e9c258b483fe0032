"""What ``streams`` may call of ``inserts``."""

from libc.stdint cimport int64_t

from ..scan.segments cimport Segment
from .state cimport Direction, Streams


cdef void insert(
    Streams* streams, Direction* direction, const Segment* segment, int64_t position,
    bint closed,
) noexcept nogil

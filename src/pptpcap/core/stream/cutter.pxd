"""What ``streams`` may call of ``cutter``."""

from libc.stdint cimport int64_t

from ..base.packets cimport Packet
from ..scan.segments cimport Segment
from .state cimport Direction, Streams


cdef void cut(Streams* streams, Direction* direction, const Packet* now) noexcept nogil
cdef int64_t end_partial(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil
cdef void lose_step(Direction* direction) noexcept nogil
cdef int64_t cut_whole(
    Streams* streams, Direction* direction, const Segment* segment, bint closed
) noexcept nogil

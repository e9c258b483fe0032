"""What ``streams`` may call of ``cutter``."""

from libc.stdint cimport int64_t

from .control cimport Output
from .sink cimport Caps, Packet
from .streams cimport Direction, Held


cdef void cut(Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now) noexcept nogil
cdef int64_t end_partial(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil
cdef void lose_step(Direction* direction) noexcept nogil

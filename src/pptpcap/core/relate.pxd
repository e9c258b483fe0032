"""What ``assemble`` may call to relate rows, messages and ends (decoding section 10)."""

from .buffers cimport Buffer
from .control cimport Output
from .merging cimport Merged, Start
from .tunnels cimport Relations


cdef bint relate(
    Relations* state, Output* out, const Buffer* keys, Merged* merged, const Start* start
) noexcept nogil

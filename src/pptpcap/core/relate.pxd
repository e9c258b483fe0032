"""What ``assemble`` may call to relate rows, messages and ends (decoding section 10)."""

from .control cimport Output
from .merging cimport Merged, Start
from .table cimport Key
from .tunnels cimport Relations


cdef bint relate(
    Relations* state, Output* out, const Key* keys, Py_ssize_t flows, Merged* merged, const Start* start
) noexcept nogil

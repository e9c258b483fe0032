"""Which call a message belongs to, and what it says of it (decoding section 10.1)."""

from .control cimport Event, Output
from .tunnels cimport Relations


cdef void take_event(Relations* state, const Output* out, const Event* event) noexcept nogil

"""Declarations of ``calls`` (decoding section 10.1)."""

from ..stream.control cimport Event, Output
from .state cimport Relations


cdef void take_event(Relations* state, const Output* out, const Event* event) noexcept nogil

"""Rows of tunnels and calls, made when they are asked for (decoding section 10.5)."""

from libc.stdint cimport int64_t

from .buffers cimport Buffer
from .tunnels cimport Relations


cdef bint write_entities(
    const Relations* state, const Buffer* connections, int64_t latest, Buffer* tunnels, Buffer* calls
) noexcept nogil

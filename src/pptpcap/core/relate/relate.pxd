"""Declarations of ``relate`` (decoding section 10)."""

from ..base.buffers cimport Buffer
from ..stream.control cimport Output
from ..stream.merging cimport Merged, RowStart
from .state cimport Relations


cdef bint relate(
    Relations* state, Output* out, const Buffer* keys, Merged* merged, const RowStart* start, const Buffer* sightings
) noexcept nogil

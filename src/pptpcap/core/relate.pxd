"""What ``assemble`` may call to relate rows, messages and ends (decoding section 10)."""

from .buffers cimport Buffer
from .control cimport Output
from .tunnels cimport Relations


cdef bint relate(
    Relations* state, Output* out, const Buffer* keys, Buffer* rows, Py_ssize_t start
) noexcept nogil

"""State of control connections, and what ``assemble`` may do with it."""

from libc.stdint cimport int32_t, int64_t, uint64_t

from .buffers cimport Buffer
from .control cimport Output
from .sink cimport Caps, Packet, Segment
from .streams cimport Direction, Held
from .table cimport Key, Table


cdef struct Connection:
    Direction side[2]
    Key key
    int32_t row
    bint closed
    bint fin[2]
    Connection* before
    Connection* behind


cdef struct Connections:
    # Endpoints -> index in `places`, a buffer of pointers; free places are in `vacant`.
    Table table
    Buffer places
    Buffer vacant
    # The least recently seen first.
    Connection* first
    Connection* last
    Held held
    const unsigned char* ports


cdef void connections_init(Connections* state, const unsigned char* ports, uint64_t seed) noexcept nogil
cdef void connections_free(Connections* state) noexcept nogil
cdef bint connections_failed(const Connections* state) noexcept nogil
cdef void take_segment(Connections* state, Output* out, const Caps* caps, const Segment* segment) noexcept nogil
cdef void finish_all(Connections* state, Output* out, const Caps* caps, const Packet* now) noexcept nogil

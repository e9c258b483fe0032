"""State of control connections, and what ``assemble`` may do with it."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from ..base.buffers cimport Buffer
from ..base.numbers cimport Caps
from ..base.order cimport Order
from ..base.packets cimport Packet
from ..base.table cimport HashTable
from .control cimport Output
from .copies cimport Copies
from .state cimport Streams


cdef struct Connection:
    # How many instances were made before the one that is alive.
    int64_t serial
    # Its row, -1 where this number has none.
    int32_t row
    # Whether the initiator is the lower one of the two endpoints.
    uint8_t low_initiates
    uint8_t closed
    uint8_t fin[2]


cdef struct Connections:
    # The two endpoints, the lower one first; what is known of the connection is at its key's number.
    HashTable table
    Buffer places
    Order order
    Streams streams
    const unsigned char* ports
    # Of the layers of a segment, those that are part of its connection's key: all or none.
    uint64_t key_layers
    Copies copies
    # Segments that were left out, of those whose checksum was left to the network card.
    uint64_t offloaded_dropped


cdef void connections_init(
    Connections* state, Output* out, const Caps* caps, const unsigned char* ports, uint64_t seed, uint64_t key_layers,
    bint drops_copies,
) noexcept nogil
cdef void connections_free(Connections* state) noexcept nogil
cdef bint connections_failed(const Connections* state) noexcept nogil
cdef void take_segments(
    Connections* state, const Buffer* scanned, const Buffer* reassembled
) noexcept nogil
cdef void finish_all(Connections* state, const Packet* now) noexcept nogil

"""State of IP reassembly, and what ``assemble`` may do with it."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from ..base.buffers cimport Buffer
from ..base.order cimport Order
from ..base.packets cimport Packet
from ..base.table cimport HashTable
from ..scan.segments cimport Fragment
from ..scan.sink cimport Sink


cdef struct Extent:
    int64_t position
    # Octets on the wire, and how many of them are in the capture.
    int64_t length
    int64_t captured
    uint8_t* data


cdef struct Datagram:
    int32_t number
    int protocol
    int64_t headers
    # End of the last fragment, -1 while it is not known.
    int64_t total
    int64_t came
    Buffer extents


cdef struct Reassembly:
    # By the numbers of their keys: pointers to the datagrams in flight, NULL where there is none.
    HashTable table
    Buffer datagrams
    Order order
    # Memory of complete datagrams, to which segments point until they are assembled.
    Buffer complete


cdef void reassembly_init(Reassembly* state, unsigned long long seed) noexcept nogil
cdef void reassembly_free(Reassembly* state) noexcept nogil
cdef bint reassembly_failed(const Reassembly* state) noexcept nogil
cdef void take_fragment(Reassembly* state, Sink* sink, const Fragment* fragment) noexcept nogil
cdef int64_t release_complete(Reassembly* state) noexcept nogil
cdef void give_up(Reassembly* state, Buffer* issues, const Packet* now) noexcept nogil

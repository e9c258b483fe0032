"""State of IP reassembly, and what ``assemble`` may do with it."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

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
    # Numbers of its key and of its flow.
    int32_t number
    int32_t flow
    int protocol
    # Its fragments cannot be told from those of another datagram: they are dropped.
    bint mixed
    int64_t headers
    # Time and packet of the fragment that came first.
    int64_t time
    int64_t packet
    # The number in its flow of the fragment that touched it last.
    int64_t touched
    # End of the last fragment, -1 while it is not known; and the greatest end of the others.
    int64_t total
    int64_t beyond
    int64_t came
    Buffer extents
    # Packets that brought its fragments, if they are wanted; the packet that made it complete.
    Buffer packets
    uint64_t whole


cdef struct Slot:
    # Of one key; NULL where there is none.
    Datagram* flying
    Datagram* complete


cdef struct Flow:
    int64_t fragments
    # In flight; a flow without one is forgotten.
    int64_t datagrams


cdef struct Pool:
    # Whether it holds datagrams of carriers, which give issues only where their first octets came (3b.10).
    bint carried
    HashTable table
    # By the numbers of their keys.
    Buffer slots
    Order flying
    Order complete
    int64_t in_flight
    # What the complete ones count together.
    int64_t remembered
    # By keys without identification.
    HashTable flow_table
    Buffer flows
    # Memory of payloads, to which segments point until they are assembled.
    Buffer payloads


cdef struct PartRow:
    uint64_t packet
    int64_t whole


cdef struct Parts:
    # The packets of datagrams, if they are wanted; those that brought the present fragment.
    bint kept
    Buffer rows
    Buffer came


cdef struct Reassembly:
    Pool plain
    Pool carried
    Parts parts
    # Of the layers of a fragment, those that are part of its key: all or none.
    uint64_t key_layers


cdef void reassembly_init(
    Reassembly* state, unsigned long long seed, uint64_t key_layers, bint members
) noexcept nogil
cdef void reassembly_free(Reassembly* state) noexcept nogil
cdef bint reassembly_failed(const Reassembly* state) noexcept nogil
cdef void take_fragment(Reassembly* state, Sink* sink, const Fragment* fragment) noexcept nogil
cdef int64_t release_complete(Reassembly* state) noexcept nogil
cdef void give_up(Reassembly* state, Buffer* issues, const Packet* now) noexcept nogil

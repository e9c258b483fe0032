"""What a walk gives: rows, and what later stages need, in buffers; and the facts of one packet.

Knows the row layouts, no header.  Filled by ``frames`` for ``scan`` and for ``fragments``.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from .buffers cimport Buffer, buffer_push
from .numbers cimport COUNTERS, IssueRow
from .table cimport Key, Slot, Table, table_find, table_insert


cdef struct Caps:
    int64_t captured_length
    int64_t block_length
    int64_t interfaces
    int64_t link_headers
    int64_t network_headers
    int64_t extension_headers
    int64_t datagrams
    int64_t datagram_length
    int64_t fragments
    int64_t connections
    int64_t pieces
    int64_t waiting_octets
    int64_t history
    int64_t held_octets


cdef struct Packet:
    int64_t time
    uint64_t packet
    int64_t record_offset
    uint32_t file
    bint time_fraction
    bint fragmented


cdef enum Checksum:
    CHECKSUM_UNKNOWN
    CHECKSUM_VERIFIES
    CHECKSUM_WRONG


cdef struct Segment:
    Packet packet
    uint8_t source[16]
    uint8_t destination[16]
    uint16_t source_port
    uint16_t destination_port
    uint32_t sequence
    uint32_t acknowledgment
    uint8_t flags
    uint8_t checksum
    const uint8_t* data
    int64_t captured
    int64_t wire


cdef struct Fragment:
    Packet packet
    # Source, destination, protocol and identification, as a table key.
    Key key
    uint8_t version
    uint8_t protocol
    bint more
    int64_t headers
    int64_t position
    const uint8_t* data
    int64_t captured
    int64_t wire


cdef struct Sink:
    Buffer gre
    Buffer segments
    Buffer fragments
    Buffer issues
    # Flows of Enhanced GRE met so far: key -> index; their keys in order.
    Table* flows
    Buffer* flow_keys
    const uint8_t* ports
    Caps caps
    uint64_t counters[COUNTERS]
    # The interface of the packet that is walked, and whether its unsupported link type was told.
    int64_t interface
    bint unsupported_seen
    # In the walk of a reassembled datagram: counters of frames do not count again.
    bint inside_datagram
    uint32_t last_flow


cdef inline int64_t not_a_time() noexcept nogil:
    """NumPy's NaT."""
    return <int64_t>(<uint64_t>1 << 63)


cdef inline void add_issue(
    Buffer* issues, const Packet* packet, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """An issue at `packet` that concerns no connection."""
    cdef IssueRow* row = <IssueRow*>buffer_push(issues)
    if row == NULL:
        return
    row.time = packet.time
    row.file = packet.file
    row.packet = packet.packet
    row.record_offset = packet.record_offset
    row.connection = -1
    row.layer = <uint8_t>layer
    row.kind = <uint8_t>kind
    row.needed = <uint64_t>needed
    row.had = <uint64_t>had


cdef inline void count(Sink* sink, int counter) noexcept nogil:
    """Count a frame where its walk ends; a reassembled datagram was counted with its fragments."""
    if not sink.inside_datagram:
        sink.counters[counter] += 1


cdef inline bint is_port(const uint8_t* ports, uint16_t port) noexcept nogil:
    return (ports[port >> 3] >> (port & 7)) & 1


cdef inline void flow_key(Key* key, const uint8_t* source, const uint8_t* destination, uint64_t rest) noexcept nogil:
    memcpy(&key.words[0], source, 16)
    memcpy(&key.words[2], destination, 16)
    key.words[4] = rest


cdef inline int64_t flow_index(Sink* sink, const Key* key) noexcept nogil:
    """Index of a flow among those of this scan, new ones at the end; -1 when memory is out."""
    cdef Slot* slot
    cdef Key* keys = <Key*>sink.flow_keys.data
    cdef Key* fresh
    if <Py_ssize_t>sink.last_flow < sink.flow_keys.count and memcmp(&keys[sink.last_flow], key, sizeof(Key)) == 0:
        return sink.last_flow
    slot = table_find(sink.flows, key)
    if slot != NULL:
        sink.last_flow = slot.value - 1
        return sink.last_flow
    fresh = <Key*>buffer_push(sink.flow_keys)
    if fresh == NULL:
        return -1
    fresh[0] = key[0]
    if not table_insert(sink.flows, key, <uint32_t>(sink.flow_keys.count - 1)):
        return -1
    sink.last_flow = <uint32_t>(sink.flow_keys.count - 1)
    return sink.last_flow

"""Where a scan puts its rows, segments, counters and issues.

Knows the row layouts.  Must not know headers.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport Buffer, buffer_free, buffer_init
from ..base.keys cimport Key, same_key
from ..base.numbers cimport COUNTERS, Caps, GreRow, IssueRow, PppOptionRow, PppRow
from ..base.table cimport HashTable, table_add, table_find, table_key
from .segments cimport Fragment, PppBody, Segment, Sighting


cdef struct Sink:
    Buffer gre
    # Parallel to `gre`.
    Buffer sightings
    # Rows, and what each of them was read from.
    Buffer ppp
    Buffer ppp_bodies
    Buffer ppp_options
    # Captured payloads of the rows of Enhanced GRE, one behind the other.
    bint keep_payloads
    Buffer payloads
    Buffer segments
    Buffer fragments
    Buffer issues
    # Flows of Enhanced GRE met so far.
    HashTable* flows
    const uint8_t* ports
    Caps caps
    uint64_t counters[COUNTERS]
    # The interface of the present packet, and whether its unsupported link type was reported.
    int64_t interface
    bint unsupported_seen
    # VLANs of the present packet, the outermost two, 12 bits each; 0 where layers are not kept apart.
    bint separate
    uint32_t layers
    # In the walk of a reassembled datagram: counters of frames do not count again.
    bint inside_datagram
    # Of the present packet: where it and its first IP header begin; TTL and identification of the innermost one.
    const uint8_t* frame
    const uint8_t* network
    uint8_t hops
    uint16_t identification
    uint32_t last_flow


cdef inline void sink_init(Sink* sink) noexcept nogil:
    buffer_init(&sink.gre, sizeof(GreRow))
    buffer_init(&sink.sightings, sizeof(Sighting))
    buffer_init(&sink.ppp, sizeof(PppRow))
    buffer_init(&sink.ppp_bodies, sizeof(PppBody))
    buffer_init(&sink.ppp_options, sizeof(PppOptionRow))
    buffer_init(&sink.payloads, 1)
    buffer_init(&sink.segments, sizeof(Segment))
    buffer_init(&sink.fragments, sizeof(Fragment))
    buffer_init(&sink.issues, sizeof(IssueRow))


cdef inline void sink_free(Sink* sink) noexcept nogil:
    buffer_free(&sink.gre)
    buffer_free(&sink.sightings)
    buffer_free(&sink.ppp)
    buffer_free(&sink.ppp_bodies)
    buffer_free(&sink.ppp_options)
    buffer_free(&sink.payloads)
    buffer_free(&sink.segments)
    buffer_free(&sink.fragments)
    buffer_free(&sink.issues)


cdef inline void sink_empty(Sink* sink) noexcept nogil:
    """Rows were taken over; issues are another stage's matter."""
    sink.gre.count = 0
    sink.ppp.count = 0
    sink.ppp_bodies.count = 0
    sink.ppp_options.count = 0
    sink.payloads.count = 0
    sink.segments.count = 0


cdef inline bint sink_failed(const Sink* sink) noexcept nogil:
    """Whether memory has run out."""
    return (
        sink.gre.failed or sink.sightings.failed or sink.ppp.failed or sink.ppp_bodies.failed or sink.ppp_options.failed
        or sink.payloads.failed or sink.segments.failed or sink.fragments.failed or sink.issues.failed
    )


cdef inline void count(Sink* sink, int counter) noexcept nogil:
    """Count a frame where its walk ends; a reassembled datagram was counted with its fragments."""
    if not sink.inside_datagram:
        sink.counters[counter] += 1


cdef inline bint is_port(const uint8_t* ports, uint16_t port) noexcept nogil:
    return (ports[port >> 3] >> (port & 7)) & 1


cdef inline int64_t flow_index(Sink* sink, const Key* key) noexcept nogil:
    """Index of a flow among those of this scan, new ones at the end; -1 if memory runs out."""
    cdef int64_t found
    if (
        <Py_ssize_t>sink.last_flow < sink.flows.keys.count
        and same_key(table_key(sink.flows, sink.last_flow), key)
    ):
        return sink.last_flow
    found = table_find(sink.flows, key)
    if found < 0:
        found = table_add(sink.flows, key)
    if found >= 0:
        sink.last_flow = <uint32_t>found
    return found

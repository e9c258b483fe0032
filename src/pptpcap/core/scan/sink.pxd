"""Where a scan puts its rows, segments, counters and issues.

Knows the row layouts.  Must not know headers.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport Buffer, buffer_free, buffer_init, buffer_push
from ..base.keys cimport CARRIER_AT, HAS_NETWORK_AT, INNER_VLAN_AT, VLAN_AT, Key, same_key
from ..base.numbers cimport CARRIERS, COUNTERS, Caps, GreRow, IssueRow, PppOptionRow, PppRow
from ..base.packets cimport Packet
from ..base.table cimport HashTable, table_add, table_find, table_key
from .segments cimport Fragment, PppBody, Segment, Sighting


cdef enum Inside:
    # What the walk of a packet still has to open: nothing, an Ethernet frame, a frame of a link type, what an EtherType
    # leads to, LLC, frames of an aggregate, an IP packet, the payload of an IP packet.
    INSIDE_NOTHING
    INSIDE_ETHERNET
    INSIDE_LINK
    INSIDE_ETHERTYPE
    INSIDE_LLC
    INSIDE_AGGREGATE
    INSIDE_IP
    INSIDE_PROTOCOL


cdef struct Inner:
    # Octets behind a carrier's header, which `packets` opens; the link type, EtherType, IP version or protocol.
    Inside kind
    int number
    const uint8_t* data
    int64_t captured
    int64_t wire
    # Of what carried it, where `mirrors` opened it: network id, -1 without; VLAN that its header names, 0 without;
    # whether it may have sent the head of a frame only.
    int carrier
    int64_t network
    int vlan
    bint may_be_cut


cdef enum:
    # Of a kind of port: followed only where the user names the port.
    MIRROR_ONLY_TOLD = 0x80


cdef struct Mirrors:
    # UDP ports that carry something, and the Carrier of each, 0 for none.
    uint8_t ports[8192]
    uint8_t kinds[65536]


cdef struct Unfollowed:
    # Packets that a carrier holds and that are not followed, and the first of them.
    uint64_t packets
    Packet first


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
    # Offset in the file of each packet's record or block, and ~offset of each header of a file, section or interface.
    bint keep_places
    Buffer places
    Buffer segments
    Buffer fragments
    Buffer issues
    # Flows of Enhanced GRE met so far.
    HashTable* flows
    const uint8_t* ports
    const Mirrors* mirrors
    Caps caps
    uint64_t counters[COUNTERS]
    # The interface of the present packet, and whether its unsupported link type was reported.
    int64_t interface
    bint unsupported_seen
    # Byte order of the file, or of the present section.
    bint big_endian
    # Of the present packet: its layers, as keys have them, IP headers and carriers so far, whether `frame` is of a
    # mirror that may have sent its head only, what is still to be opened.
    uint64_t layers
    int64_t headers
    int64_t carriers
    bint may_be_cut
    Inner inner
    Unfollowed unfollowed[CARRIERS]
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
    buffer_init(&sink.places, sizeof(int64_t))
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
    buffer_free(&sink.places)
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
        or sink.payloads.failed or sink.places.failed or sink.segments.failed or sink.fragments.failed
        or sink.issues.failed
    )


cdef inline void add_place(Sink* sink, int64_t place) noexcept nogil:
    """Keep where a packet or a header begins, if that is wanted."""
    cdef int64_t* at
    if sink.keep_places:
        at = <int64_t*>buffer_push(&sink.places)
        if at != NULL:
            at[0] = place


cdef inline void count(Sink* sink, int counter) noexcept nogil:
    """Count a frame where its walk ends; a reassembled datagram was counted with its fragments."""
    if not sink.inside_datagram:
        sink.counters[counter] += 1


cdef inline void add_vlan(Sink* sink, uint64_t vlan) noexcept nogil:
    """One more tag of the present frame (2b); 0 is a tag of priority alone."""
    if sink.layers >> VLAN_AT == 0:
        sink.layers |= vlan << VLAN_AT
    elif sink.layers >> INNER_VLAN_AT & 0xFFF == 0:
        sink.layers |= vlan << INNER_VLAN_AT


cdef inline void enter_frame(Sink* sink) noexcept nogil:
    """An Ethernet frame inside a carrier begins, whose tags count anew."""
    sink.layers &= (<uint64_t>1 << INNER_VLAN_AT) - 1


cdef inline void enter_carrier(Sink* sink, int carrier) noexcept nogil:
    """The packet goes on inside a carrier, which has no network id."""
    sink.layers = sink.layers >> INNER_VLAN_AT << INNER_VLAN_AT | <uint64_t>carrier << CARRIER_AT


cdef inline void enter_network(Sink* sink, int carrier, uint32_t network) noexcept nogil:
    """The packet goes on inside a carrier, in one of its networks."""
    enter_carrier(sink, carrier)
    sink.layers |= <uint64_t>1 << HAS_NETWORK_AT | network


cdef inline void open_later(
    Sink* sink, Inside kind, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """Leave what a carrier holds to the driver of the walk, once this function's caller has returned to it."""
    sink.inner.kind = kind
    sink.inner.data = p
    sink.inner.captured = captured
    sink.inner.wire = wire


cdef inline void open_numbered(
    Sink* sink, Inside kind, int number, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """The same, of a link type, behind an EtherType, or of an IP protocol."""
    open_later(sink, kind, p, captured, wire)
    sink.inner.number = number


cdef inline void count_unfollowed(Sink* sink, const Packet* packet, int carrier) noexcept nogil:
    """A carrier was recognised and what it holds is not followed (2c)."""
    cdef Unfollowed* unfollowed = &sink.unfollowed[carrier]
    if unfollowed.packets == 0:
        unfollowed.first = packet[0]
    unfollowed.packets += 1


cdef inline void take_unfollowed(Unfollowed* known, Sink* sink) noexcept nogil:
    """Add what a scan, or the datagrams that it completed, found of each carrier and could not follow."""
    cdef Unfollowed* found
    cdef int carrier
    for carrier in range(CARRIERS):
        found = &sink.unfollowed[carrier]
        if found.packets == 0:
            continue
        if known[carrier].packets == 0 or found.first.packet < known[carrier].first.packet:
            known[carrier].first = found.first
        known[carrier].packets += found.packets
        found.packets = 0


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

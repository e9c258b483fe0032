"""Reads one Enhanced GRE packet into one row (decoding section 8).

Knows the GRE header and PPP framing.  Must not know what carried the packet.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t

from libc.string cimport memcpy

from ..base.buffers cimport buffer_at, buffer_push, buffer_reserve
from ..base.keys cimport Key, flow_key
from ..base.numbers cimport (
    CARRIER_PPP_IN_GRE, COUNT_GRE_OTHER, COUNT_GRE_PACKETS, COUNT_IP_MALFORMED, GRE_ACKNOWLEDGMENT_PRESENT,
    GRE_EMPTY_SEQUENCE, GRE_FIXED_SIZE, GRE_FORBIDDEN, GRE_FORBIDDEN_FLAGS, GRE_FRAGMENTED, GRE_HEADER_CUT,
    GRE_KEY_PRESENT, GRE_MULTILINK_IP, GRE_NO_KEY, GRE_NO_PROTOCOL, GRE_NO_SEQUENCE, GRE_PAYLOAD_CUT, GRE_PAYLOAD_SHORT,
    GRE_PAYLOAD_SURPLUS, GRE_PROTOCOL_TYPE, GRE_SEQUENCE_PRESENT, GRE_TIME_FRACTION, GRE_VERSION, GRE_VERSION_MASK,
    IP_PROTOCOL_GRE, KIND_FORBIDDEN_FLAGS, KIND_HEADER_CUT, KIND_MALFORMED, KIND_NO_KEY, KIND_NO_PROTOCOL,
    KIND_NO_SEQUENCE, KIND_PAYLOAD_SHORT, KIND_WRONG_VERSION, LAYER_GRE, LAYER_PPP, PPP_FIRST_CONTROL, PPP_MULTILINK,
    GreRow,
)
from ..base.octets cimport load16, load32
from ..base.packets cimport Packet, add_issue
from .ppp cimport begins_ip, read_control, read_ppp_protocol
from .segments cimport Sighting
from .sightings cimport sight
from .sink cimport INSIDE_PROTOCOL, Sink, count_unfollowed, flow_index, open_numbered


cdef inline void keep_payload(Sink* sink, const uint8_t* p, int64_t n) noexcept nogil:
    """The octets of a row, behind those of the rows before it."""
    if n > 0 and buffer_reserve(&sink.payloads, n):
        memcpy(buffer_at(&sink.payloads, sink.payloads.count), p, <size_t>n)
        sink.payloads.count += n


cdef inline void read_gre(
    Sink* sink, const Packet* packet, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire,
) noexcept nogil:
    """Needs `captured` octets at `p`, of `wire` that were on the wire; gives a row, issues, counters."""
    cdef GreRow* row
    cdef Sighting* sighting
    cdef Key key
    cdef uint16_t flags
    cdef int64_t header
    cdef int64_t length
    cdef int64_t rest
    cdef int64_t available
    cdef int64_t size
    cdef int status = 0
    if wire < 4 or captured < 4:
        if wire < 4:
            add_issue(&sink.issues, packet, LAYER_GRE, KIND_MALFORMED, 4, wire)
        else:
            add_issue(&sink.issues, packet, LAYER_GRE, KIND_HEADER_CUT, 4, captured)
        if not sink.inside_datagram:
            sink.counters[COUNT_IP_MALFORMED] += 1
        return
    flags = load16(p)
    if load16(p + 2) != GRE_PROTOCOL_TYPE:
        open_numbered(sink, INSIDE_PROTOCOL, IP_PROTOCOL_GRE, p, captured, wire)
        return
    if flags & GRE_VERSION_MASK != GRE_VERSION:
        if not flags & GRE_VERSION_MASK:
            count_unfollowed(sink, packet, CARRIER_PPP_IN_GRE)
        sink.counters[COUNT_GRE_OTHER] += 1
        add_issue(&sink.issues, packet, LAYER_GRE, KIND_WRONG_VERSION, GRE_VERSION, flags & GRE_VERSION_MASK)
        return
    row = <GreRow*>buffer_push(&sink.gre)
    if row == NULL:
        return
    if not sink.inside_datagram:
        sighting = <Sighting*>buffer_push(&sink.sightings)
        if sighting == NULL:
            return
        sight(sink, sighting, <uint64_t>wire)
    sink.counters[COUNT_GRE_PACKETS] += 1
    row.time = packet.time
    row.file = packet.file
    row.packet = packet.packet
    row.record_offset = packet.record_offset
    row.flags_and_version = flags
    row.call_id = 0
    row.payload_length = 0
    row.sequence_number = 0
    row.acknowledgment_number = 0
    row.ppp_protocol = 0
    row.available = 0
    row.tunnel = -1
    row.skipped = 0
    if packet.time_fraction:
        status |= GRE_TIME_FRACTION
    if packet.fragmented:
        status |= GRE_FRAGMENTED
    if flags & GRE_FORBIDDEN:
        status |= GRE_FORBIDDEN_FLAGS
        add_issue(&sink.issues, packet, LAYER_GRE, KIND_FORBIDDEN_FLAGS, 0, flags & GRE_FORBIDDEN)
    if not flags & GRE_KEY_PRESENT:
        status |= GRE_NO_KEY
        add_issue(&sink.issues, packet, LAYER_GRE, KIND_NO_KEY, GRE_KEY_PRESENT, 0)

    header = GRE_FIXED_SIZE
    if captured >= 6:
        row.payload_length = load16(p + 4)
    if captured >= 8:
        row.call_id = load16(p + 6)
    if flags & GRE_SEQUENCE_PRESENT:
        if captured >= header + 4:
            row.sequence_number = load32(p + header)
        header += 4
    if flags & GRE_ACKNOWLEDGMENT_PRESENT:
        if captured >= header + 4:
            row.acknowledgment_number = load32(p + header)
        header += 4
    if captured < header:
        if wire < header:
            add_issue(&sink.issues, packet, LAYER_GRE, KIND_MALFORMED, header, wire)
        row.status = <uint16_t>(status | GRE_HEADER_CUT)
        return

    length = row.payload_length
    rest = wire - header
    if rest < length:
        status |= GRE_PAYLOAD_SHORT
        add_issue(&sink.issues, packet, LAYER_GRE, KIND_PAYLOAD_SHORT, length, rest)
    elif rest > length:
        status |= GRE_PAYLOAD_SURPLUS
    available = min(captured - header, length)
    row.available = <uint16_t>available
    if available < min(rest, length):
        status |= GRE_PAYLOAD_CUT
    if flags & GRE_SEQUENCE_PRESENT:
        if length == 0:
            status |= GRE_EMPTY_SEQUENCE
    elif length != 0:
        status |= GRE_NO_SEQUENCE
        add_issue(&sink.issues, packet, LAYER_GRE, KIND_NO_SEQUENCE, 0, length)
    if length != 0:
        row.ppp_protocol = read_ppp_protocol(p + header, available, &size)
        if row.ppp_protocol == 0:
            status |= GRE_NO_PROTOCOL
            if not status & GRE_PAYLOAD_CUT:
                add_issue(&sink.issues, packet, LAYER_PPP, KIND_NO_PROTOCOL, 0, available)
        elif row.ppp_protocol >= PPP_FIRST_CONTROL or row.ppp_protocol == PPP_MULTILINK:
            size += header
            if row.ppp_protocol == PPP_MULTILINK and begins_ip(
                p + size, available + header - size, min(rest, length) + header - size
            ):
                status |= GRE_MULTILINK_IP
            read_control(
                sink, packet, row.ppp_protocol, flags & GRE_SEQUENCE_PRESENT, p + size, available + header - size,
                min(rest, length) + header - size,
            )
        if sink.keep_payloads:
            keep_payload(sink, p + header, available)
    row.status = <uint16_t>status
    flow_key(&key, source, destination, row.call_id, sink.layers)
    row.tunnel = <int>flow_index(sink, &key)

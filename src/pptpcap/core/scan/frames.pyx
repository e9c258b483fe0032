"""From an IP header to its payload: IP in IP, TCP, GRE, fragments (decoding sections 3 to 5).

Has no state.  Compares each length from the wire before it is used.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ..base.buffers cimport buffer_push
from ..base.keys cimport flow_key
from ..base.numbers cimport (
    COUNT_CHECKSUMS_OFFLOADED, COUNT_CONTROL_SEGMENTS, COUNT_FRAGMENTS, COUNT_IP_MALFORMED, COUNT_IP_OTHER,
    IP_AUTHENTICATION_HEADER, IP_FRAGMENT_HEADER, IP_PROTOCOL_GRE, IP_PROTOCOL_IPV4, IP_PROTOCOL_IPV6, IP_PROTOCOL_TCP,
    IP_PROTOCOL_UDP,
    KIND_BAD_CHECKSUM, KIND_HEADER_CUT, KIND_LENGTH_EXCEEDS_FRAME, KIND_MALFORMED, KIND_TOO_DEEP, LAYER_IP, LAYER_TCP,
    in_IP_CARRIERS, in_IP_EXTENSIONS, in_IP_FOLLOWED, in_IP_REASSEMBLED,
)
from ..base.octets cimport load16, load32, map_ipv4
from ..base.packets cimport Packet, add_issue
from .gre cimport read_gre
from .segments cimport CHECKSUM_UNKNOWN, CHECKSUM_VERIFIES, CHECKSUM_WRONG, Fragment, Segment
from .sightings cimport sight
from .sink cimport INSIDE_PROTOCOL, Sink, count, is_port, open_numbered


cdef void malformed(
    Sink* sink, const Packet* packet, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil:
    count(sink, COUNT_IP_MALFORMED)
    add_issue(&sink.issues, packet, layer, kind, needed, had)


cdef inline uint64_t sum16(const uint8_t* p, int64_t n, uint64_t total) noexcept nogil:
    """Sum of 16-bit words in the order of this machine, not yet folded; an odd octet is padded with zero.

    In ones' complement the sum of turned words is the turned sum.
    """
    cdef int64_t i = 0
    cdef uint64_t words
    cdef uint32_t four
    cdef uint16_t two
    while i + 8 <= n:
        memcpy(&words, p + i, 8)
        total += (words & 0xFFFFFFFFU) + (words >> 32)
        i += 8
    if i + 4 <= n:
        memcpy(&four, p + i, 4)
        total += four
        i += 4
    if i + 2 <= n:
        memcpy(&two, p + i, 2)
        total += two
        i += 2
    if i < n:
        two = 0
        memcpy(&two, p + i, 1)
        total += two
    return total


cdef inline uint32_t fold16(uint64_t total) noexcept nogil:
    """The sum in 16 bits; 0 only of 0."""
    return <uint32_t>((total - 1) % 0xFFFFU + 1) if total else 0


cdef inline uint64_t turned16(uint64_t total) noexcept nogil:
    """A sum in the order of this machine in that of the wire, or the other way round, folded."""
    cdef uint16_t words = <uint16_t>fold16(total)
    return load16(<const uint8_t*>&words)


cdef void read_tcp(
    Sink* sink, const Packet* packet, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire,
) noexcept nogil:
    """Needs `captured` bytes at `p`; adds a segment if a port is a control port."""
    cdef Segment* segment
    cdef int64_t header
    cdef uint64_t addresses
    cdef uint64_t octets
    cdef uint64_t ends
    cdef uint64_t pseudo
    cdef uint32_t right
    cdef uint16_t found
    if wire < 20:
        malformed(sink, packet, LAYER_TCP, KIND_MALFORMED, 20, wire)
        return
    if captured >= 4 and not is_port(sink.ports, load16(p)) and not is_port(sink.ports, load16(p + 2)):
        count(sink, COUNT_IP_OTHER)
        return
    if captured < 20:
        malformed(sink, packet, LAYER_TCP, KIND_HEADER_CUT, 20, captured)
        return
    header = (p[12] >> 4) * 4
    if header < 20:
        malformed(sink, packet, LAYER_TCP, KIND_MALFORMED, 20, header)
        return
    if header > wire:
        malformed(sink, packet, LAYER_TCP, KIND_MALFORMED, header, wire)
        return
    segment = <Segment*>buffer_push(&sink.segments)
    if segment == NULL:
        return
    sink.counters[COUNT_CONTROL_SEGMENTS] += 1
    segment.packet = packet[0]
    segment.layers = sink.layers
    octets = 0
    if captured == wire:
        octets = sum16(p, wire, 0)
    if not sink.inside_datagram:
        # Without the checksum, which a sender may leave to its network card.
        memcpy(&found, p + 16, 2)
        sight(sink, &segment.sighting, fold16(octets - found) if captured == wire else 0)
    memcpy(segment.source, source, 16)
    memcpy(segment.destination, destination, 16)
    segment.source_port = load16(p)
    segment.destination_port = load16(p + 2)
    segment.sequence = load32(p + 4)
    segment.acknowledgment = load32(p + 8)
    segment.flags = p[13]
    segment.wire = wire - header
    segment.captured = max(captured - header, 0)
    segment.data = p + min(header, captured)
    segment.checksum = CHECKSUM_UNKNOWN
    if segment.wire == 0 or captured < wire:
        return
    # The mapped prefix of an IPv4 address adds 0xFFFF, which is zero in ones' complement.
    addresses = sum16(source, 16, 0) + sum16(destination, 16, 0)
    ends = addresses + turned16(IP_PROTOCOL_TCP)
    pseudo = ends + turned16(<uint64_t>wire)
    if fold16(pseudo + octets) == 0xFFFF:
        segment.checksum = CHECKSUM_VERIFIES
        return
    found = load16(p + 16)
    if found == 0 or found == turned16(ends) or found == turned16(pseudo):
        sink.counters[COUNT_CHECKSUMS_OFFLOADED] += 1
        return
    segment.checksum = CHECKSUM_WRONG
    right = (~fold16(turned16(pseudo + octets) + (~found & 0xFFFFU))) & 0xFFFFU
    add_issue(&sink.issues, packet, LAYER_TCP, KIND_BAD_CHECKSUM, right, found)


cdef void keep_fragment(
    Sink* sink, const Packet* packet, int version, int protocol, uint32_t identification, int64_t position, bint more,
    const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers,
) noexcept nogil:
    cdef Fragment* fragment
    # Inside a carrier it is a packet of its own.
    if sink.inside_datagram and sink.carriers == 0:
        return
    count(sink, COUNT_FRAGMENTS)
    fragment = <Fragment*>buffer_push(&sink.fragments)
    if fragment == NULL:
        return
    fragment.packet = packet[0]
    sight(sink, &fragment.sighting, 0)
    flow_key(
        &fragment.key, source, destination,
        (<uint64_t>(version == 6) << 39) | (<uint64_t>protocol << 32) | identification, 0,
    )
    fragment.layers = sink.layers
    fragment.version = <uint8_t>version
    fragment.protocol = <uint8_t>protocol
    fragment.more = more
    fragment.headers = headers
    fragment.position = position
    fragment.data = p
    fragment.captured = captured
    fragment.wire = wire


cdef inline bint carries(
    Sink* sink, int protocol, int64_t position, bint more, const uint8_t* p, int64_t captured
) noexcept nogil:
    """Whether the payload at `p`, whole or a fragment, may hold another packet (3b): UDP only by its ports."""
    if position:
        return in_IP_REASSEMBLED(protocol)
    if protocol == IP_PROTOCOL_UDP:
        return captured >= 8 and (is_port(sink.mirrors.ports, load16(p + 2)) or is_port(sink.mirrors.ports, load16(p)))
    return in_IP_REASSEMBLED(protocol) if more else in_IP_CARRIERS(protocol)


cdef bint ipv4_carries(Sink* sink, const uint8_t* p, int64_t captured) noexcept nogil:
    """Whether the payload of an IPv4 packet may hold another one; needs 20 octets."""
    cdef int64_t header = (p[0] & 15) * 4
    cdef uint16_t fragment = load16(p + 6)
    if header < 20 or captured < header or 0 < load16(p + 2) < header:
        return False
    return carries(
        sink, p[9], 8 * <int64_t>(fragment & 0x1FFF), fragment & 0x2000 != 0, p + header, captured - header
    )


cdef inline bint is_cut_off(const Sink* sink, const uint8_t* p) noexcept nogil:
    """Whether the IP packet at `p` may be longer than what is left: it is the first one of a frame that may be cut."""
    return sink.may_be_cut and p == sink.network


cdef void walk_ipv4(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, int64_t headers
) noexcept nogil:
    cdef uint8_t source[16]
    cdef uint8_t destination[16]
    cdef int64_t header
    cdef int64_t total
    cdef int protocol
    cdef uint16_t fragment
    if captured < 20:
        malformed(sink, packet, LAYER_IP, KIND_HEADER_CUT, 20, captured)
        return
    if p[0] >> 4 != 4:
        malformed(sink, packet, LAYER_IP, KIND_MALFORMED, 4, p[0] >> 4)
        return
    protocol = p[9]
    if not in_IP_FOLLOWED(protocol) and not ipv4_carries(sink, p, captured):
        count(sink, COUNT_IP_OTHER)
        return
    header = (p[0] & 15) * 4
    if header < 20:
        malformed(sink, packet, LAYER_IP, KIND_MALFORMED, 20, header)
        return
    if captured < header:
        malformed(sink, packet, LAYER_IP, KIND_HEADER_CUT, header, captured)
        return
    total = load16(p + 2)
    if total == 0:
        total = wire
    elif total < header:
        malformed(sink, packet, LAYER_IP, KIND_MALFORMED, header, total)
        return
    elif total > wire and not is_cut_off(sink, p):
        add_issue(&sink.issues, packet, LAYER_IP, KIND_LENGTH_EXCEEDS_FRAME, total, wire)
        total = wire
    captured = min(captured, total) - header
    wire = total - header
    map_ipv4(source, p + 12)
    map_ipv4(destination, p + 16)
    sink.hops = p[8]
    sink.identification = load16(p + 4)
    fragment = load16(p + 6)
    if fragment & 0x3FFF:
        keep_fragment(
            sink, packet, 4, protocol, sink.identification, 8 * <int64_t>(fragment & 0x1FFF), fragment & 0x2000 != 0,
            source, destination, p + header, captured, wire, headers,
        )
        return
    walk_protocol(sink, packet, protocol, source, destination, p + header, captured, wire, headers)


cdef void walk_ipv6(
    Sink* sink, const Packet* packet, const uint8_t* p, int64_t captured, int64_t wire, int64_t headers
) noexcept nogil:
    cdef const uint8_t* source = p + 8
    cdef const uint8_t* destination = p + 24
    cdef int64_t length
    cdef int64_t extensions = 0
    cdef int protocol
    cdef uint16_t fragment
    if captured < 40:
        malformed(sink, packet, LAYER_IP, KIND_HEADER_CUT, 40, captured)
        return
    if p[0] >> 4 != 6:
        malformed(sink, packet, LAYER_IP, KIND_MALFORMED, 6, p[0] >> 4)
        return
    length = load16(p + 4)
    if length == 0:
        length = wire - 40
    elif length > wire - 40 and not is_cut_off(sink, p):
        add_issue(&sink.issues, packet, LAYER_IP, KIND_LENGTH_EXCEEDS_FRAME, 40 + length, wire)
        length = wire - 40
    protocol = p[6]
    sink.hops = p[7]
    sink.identification = 0
    p += 40
    captured = min(captured - 40, length)
    wire = length
    while in_IP_EXTENSIONS(protocol):
        if extensions == sink.caps.extension_headers:
            malformed(sink, packet, LAYER_IP, KIND_TOO_DEEP, extensions, extensions + 1)
            return
        extensions += 1
        if captured < 8:
            malformed(sink, packet, LAYER_IP, KIND_HEADER_CUT, 8, captured)
            return
        if protocol == IP_FRAGMENT_HEADER:
            length = 8
        elif protocol == IP_AUTHENTICATION_HEADER:
            length = 4 * (<int64_t>p[1] + 2)
        else:
            length = 8 * (<int64_t>p[1] + 1)
        if length > wire:
            malformed(sink, packet, LAYER_IP, KIND_MALFORMED, length, wire)
            return
        if length > captured:
            malformed(sink, packet, LAYER_IP, KIND_HEADER_CUT, length, captured)
            return
        if protocol == IP_FRAGMENT_HEADER:
            fragment = load16(p + 2)
            if fragment & 0xFFF9:
                if not in_IP_FOLLOWED(p[0]) and not carries(
                    sink, p[0], fragment & 0xFFF8, fragment & 1, p + 8, captured - 8
                ):
                    count(sink, COUNT_IP_OTHER)
                    return
                keep_fragment(
                    sink, packet, 6, p[0], load32(p + 4), fragment & 0xFFF8, fragment & 1,
                    source, destination, p + 8, captured - 8, wire - 8, headers,
                )
                return
        protocol = p[0]
        p += length
        captured -= length
        wire -= length
    if not in_IP_FOLLOWED(protocol) and not carries(sink, protocol, 0, False, p, captured):
        count(sink, COUNT_IP_OTHER)
        return
    walk_protocol(sink, packet, protocol, source, destination, p, captured, wire, headers)


cdef void walk_ip(
    Sink* sink, const Packet* packet, int version, const uint8_t* p, int64_t captured, int64_t wire, int64_t headers
) noexcept nogil:
    """One more IP header, number `headers` + 1 of its packet."""
    if sink.network == NULL:
        sink.network = p
    sink.headers = headers + 1
    if headers == sink.caps.network_headers:
        malformed(sink, packet, LAYER_IP, KIND_TOO_DEEP, headers, headers + 1)
    elif version == 4:
        walk_ipv4(sink, packet, p, captured, wire, headers + 1)
    else:
        walk_ipv6(sink, packet, p, captured, wire, headers + 1)


cdef void walk_protocol(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers,
) noexcept nogil:
    """The payload of an IP packet; depth is bounded by the cap on IP headers."""
    if protocol == IP_PROTOCOL_GRE:
        read_gre(sink, packet, source, destination, p, captured, wire)
    elif protocol == IP_PROTOCOL_TCP:
        read_tcp(sink, packet, source, destination, p, captured, wire)
    elif protocol == IP_PROTOCOL_IPV4 or protocol == IP_PROTOCOL_IPV6:
        walk_ip(sink, packet, 4 if protocol == IP_PROTOCOL_IPV4 else 6, p, captured, wire, headers)
    else:
        open_numbered(sink, INSIDE_PROTOCOL, protocol, p, captured, wire)

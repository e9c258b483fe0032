"""PPP inside Enhanced GRE: the protocol number, and control packets in clear with their options (decoding section 8b).

Must not know GRE, or what is negotiated.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport buffer_push
from ..base.numbers cimport (
    KIND_PPP_FIELD, KIND_PPP_LENGTH, KIND_PPP_OPTION, KIND_PPP_OPTION_LIMIT, LAYER_PPP, PPP_BAD_FIELD, PPP_BAD_OPTION,
    PPP_CBCP, PPP_CHAP, PPP_CONFIGURE_REJECT, PPP_CUT, PPP_EAP, PPP_FIRST_CONTROL, PPP_FIRST_LINK_CONTROL, PPP_HEAD_CUT,
    PPP_HEAD_SIZE, PPP_IPV4, PPP_IPV6, PPP_LAST_CBCP, PPP_MALFORMED, PPP_MULTILINK, PPP_MULTILINK_FIRST,
    PPP_MULTILINK_HEADER, PPP_MULTILINK_LAST, PPP_MULTILINK_RESERVED, PPP_MULTILINK_SHORT_HEADER,
    PPP_MULTILINK_SHORT_RESERVED, PPP_MULTILINK_STATUS, PPP_MULTILINK_WHOLE, PPP_NO_HEAD, PPP_NO_SEQUENCE,
    PPP_OPTION_LIMIT, PPP_PADDED, PPP_PAP, PPP_QUALITY_REPORT, PppOptionRow, PppRow, in_PPP_WITH_OPTIONS,
)
from ..base.octets cimport load16
from ..base.packets cimport Packet, add_issue
from .segments cimport PppBody
from .sink cimport Sink


cdef inline uint16_t read_ppp_protocol(const uint8_t* p, int64_t n, int64_t* size) noexcept nogil:
    """PPP protocol of the `n` octets at `p`, 0 where there is none; `size` octets stand before the information."""
    cdef int64_t at = 0
    if n >= 2 and p[0] == 0xFF and p[1] == 0x03:
        at = 2
    size[0] = at + 1
    if n < at + 1:
        return 0
    if p[at] & 1:
        return p[at]
    size[0] = at + 2
    if n < at + 2 or not p[at + 1] & 1:
        return 0
    return load16(p + at)


cdef inline bint is_ipv4(const uint8_t* p, int64_t n) noexcept nogil:
    """Whether a whole IPv4 header stands at `p` whose checksum is right."""
    cdef uint32_t total = 0
    cdef int64_t size
    cdef int64_t index
    if n < 20 or p[0] >> 4 != 4:
        return False
    size = 4 * (p[0] & 15)
    if size < 20 or n < size:
        return False
    for index in range(0, size, 2):
        total += load16(p + index)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16) == 0xFFFF


cdef inline bint is_ip(const uint8_t* p, int64_t captured, int64_t wire, bint whole) noexcept nogil:
    """Whether a PPP packet is IP in clear beyond doubt; `whole` is whether all of it was in the fragment."""
    cdef int64_t size = 0
    cdef uint16_t protocol
    if captured <= 0:
        return False
    protocol = read_ppp_protocol(p, captured, &size)
    if protocol == PPP_IPV4:
        return is_ipv4(p + size, captured - size)
    if protocol != PPP_IPV6 or not whole or captured - size < 40:
        return False
    return p[size] >> 4 == 6 and load16(p + size + 4) + 40 == wire - size


cdef inline bint begins_ip(const uint8_t* p, int64_t captured, int64_t wire) noexcept nogil:
    """Whether the multilink fragment at `p` begins an IP packet in clear, with the header of either size."""
    cdef bint whole
    if captured < 1 or not p[0] & PPP_MULTILINK_FIRST:
        return False
    whole = p[0] & PPP_MULTILINK_LAST
    if not p[0] & PPP_MULTILINK_RESERVED and is_ip(
        p + PPP_MULTILINK_HEADER, captured - PPP_MULTILINK_HEADER, wire - PPP_MULTILINK_HEADER, whole
    ):
        return True
    return not p[0] & PPP_MULTILINK_SHORT_RESERVED and is_ip(
        p + PPP_MULTILINK_SHORT_HEADER, captured - PPP_MULTILINK_SHORT_HEADER, wire - PPP_MULTILINK_SHORT_HEADER,
        whole,
    )


cdef inline bint ppp_issue(
    Sink* sink, const Packet* packet, PppRow* row, int status, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """Mark the row and add an issue; returns False."""
    row.status |= <uint16_t>status
    add_issue(&sink.issues, packet, LAYER_PPP, kind, needed, had)
    return False


cdef inline bint has_options(const PppRow* row) noexcept nogil:
    if row.protocol == PPP_CBCP:
        return 1 <= row.code <= PPP_LAST_CBCP
    if row.protocol >= PPP_FIRST_LINK_CONTROL and not in_PPP_WITH_OPTIONS(row.protocol):
        return False
    return 1 <= row.code <= PPP_CONFIGURE_REJECT


cdef inline bint read_options(Sink* sink, const Packet* packet, PppRow* row, const uint8_t* p) noexcept nogil:
    """The options of a packet of which ``row.available`` octets are at `p`; each step moves by two octets at least."""
    cdef PppOptionRow* option
    cdef int64_t at = PPP_HEAD_SIZE
    cdef int64_t left
    cdef int64_t size
    cdef int64_t index
    while at < row.length:
        left = row.length - at
        if left < 2:
            return ppp_issue(sink, packet, row, PPP_BAD_OPTION, KIND_PPP_OPTION, 2, left)
        if row.available < at + 2:
            return True
        size = p[at + 1]
        if size < 2 or size > left:
            return ppp_issue(sink, packet, row, PPP_BAD_OPTION, KIND_PPP_OPTION, left, size)
        if row.available < at + size:
            return True
        if row.options == sink.caps.ppp_options:
            return ppp_issue(
                sink, packet, row, PPP_OPTION_LIMIT, KIND_PPP_OPTION_LIMIT, sink.caps.ppp_options,
                sink.caps.ppp_options + 1,
            )
        option = <PppOptionRow*>buffer_push(&sink.ppp_options)
        if option == NULL:
            return False
        option.ppp = 0
        option.type = p[at]
        option.length = <uint8_t>size
        option.value = 0
        for index in range(at + 2, at + min(size, <int64_t>10)):
            option.value = option.value << 8 | p[index]
        row.options += 1
        at += size
    return True


cdef inline bint check_claim(Sink* sink, const Packet* packet, PppRow* row, int64_t claimed) noexcept nogil:
    """Whether so many octets stand behind the head, as on the wire."""
    cdef int64_t there = row.length - PPP_HEAD_SIZE
    if claimed <= there:
        return True
    return ppp_issue(sink, packet, row, PPP_BAD_FIELD, KIND_PPP_FIELD, claimed, there)


cdef inline void check_fields(Sink* sink, const Packet* packet, PppRow* row, const uint8_t* p) noexcept nogil:
    """Check captured lengths inside an authentication packet; nothing of its content is kept."""
    cdef int64_t captured = row.available - PPP_HEAD_SIZE
    cdef const uint8_t* data = p + PPP_HEAD_SIZE
    cdef int64_t identity
    if row.protocol == PPP_EAP and (row.code == 1 or row.code == 2):
        check_claim(sink, packet, row, 1)
    elif row.protocol == PPP_CHAP and (row.code == 1 or row.code == 2):
        if check_claim(sink, packet, row, 1) and captured > 0:
            check_claim(sink, packet, row, 1 + data[0])
    elif row.protocol == PPP_PAP and row.code == 1:
        if not check_claim(sink, packet, row, 1) or captured <= 0:
            return
        identity = 2 + data[0]
        if check_claim(sink, packet, row, identity) and captured >= identity:
            check_claim(sink, packet, row, identity + data[identity - 1])
    elif row.protocol == PPP_PAP and (row.code == 2 or row.code == 3) and captured > 0:
        check_claim(sink, packet, row, 1 + data[0])


cdef inline void read_packet(
    Sink* sink, const Packet* packet, PppRow* row, const uint8_t* p, int64_t captured, int64_t wire
) noexcept nogil:
    """Head, options and fields of a control packet of which `captured` octets are at `p`, of `wire`."""
    row.available = <uint16_t>captured
    if row.protocol == PPP_QUALITY_REPORT:
        row.status |= PPP_NO_HEAD
        return
    if wire < PPP_HEAD_SIZE:
        ppp_issue(sink, packet, row, PPP_MALFORMED, KIND_PPP_LENGTH, PPP_HEAD_SIZE, wire)
    elif captured < PPP_HEAD_SIZE:
        row.status |= PPP_HEAD_CUT
    if captured >= 1:
        row.code = p[0]
    if captured >= 2:
        row.identifier = p[1]
    if captured < PPP_HEAD_SIZE:
        return
    row.length = load16(p + 2)
    row.available = min(row.available, row.length)
    if row.length < PPP_HEAD_SIZE:
        ppp_issue(sink, packet, row, PPP_MALFORMED, KIND_PPP_LENGTH, PPP_HEAD_SIZE, row.length)
        return
    if row.length > wire:
        ppp_issue(sink, packet, row, PPP_MALFORMED, KIND_PPP_LENGTH, wire, row.length)
        return
    if row.length < wire:
        row.status |= PPP_PADDED
    if row.available < row.length:
        row.status |= PPP_CUT
    if has_options(row):
        read_options(sink, packet, row, p)
    elif row.protocol >= PPP_FIRST_LINK_CONTROL:
        check_fields(sink, packet, row, p)


cdef inline void read_control(
    Sink* sink, const Packet* packet, uint16_t protocol, bint has_sequence, const uint8_t* p, int64_t captured,
    int64_t wire,
) noexcept nogil:
    """Needs `captured` octets of information at `p`, of `wire` that were there; gives a row where it is control's."""
    cdef PppRow* row
    cdef PppBody* body
    cdef int64_t size = 0
    cdef uint16_t status = 0 if has_sequence else PPP_NO_SEQUENCE
    if protocol == PPP_MULTILINK:
        if captured < PPP_MULTILINK_HEADER or p[0] & PPP_MULTILINK_WHOLE != PPP_MULTILINK_WHOLE:
            return
        protocol = read_ppp_protocol(p + PPP_MULTILINK_HEADER, captured - PPP_MULTILINK_HEADER, &size)
        if protocol < PPP_FIRST_CONTROL:
            return
        size += PPP_MULTILINK_HEADER
        p += size
        captured -= size
        wire -= size
        status |= PPP_MULTILINK_STATUS
    row = <PppRow*>buffer_push(&sink.ppp)
    body = <PppBody*>buffer_push(&sink.ppp_bodies)
    if row == NULL or body == NULL:
        return
    row.time = packet.time
    row.file = packet.file
    row.packet = packet.packet
    row.record_offset = packet.record_offset
    row.gre = sink.gre.count - 1
    row.tunnel = -1
    row.protocol = protocol
    row.code = 0
    row.identifier = 0
    row.length = 0
    row.options = 0
    row.status = status
    read_packet(sink, packet, row, p, captured, wire)
    body.octets = p
    body.available = row.available

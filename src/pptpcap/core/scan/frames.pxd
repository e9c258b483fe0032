"""Declarations of ``frames``."""

from libc.stdint cimport int64_t, uint8_t

from ..base.numbers cimport IP_PROTOCOL_TCP
from ..base.octets cimport load16
from ..base.packets cimport Packet
from .sink cimport Sink, is_port


cdef inline bint is_other_tcp(const Sink* sink, const uint8_t* p, int64_t captured, int64_t wire) noexcept nogil:
    """Whether an IPv4 packet is a plain one of TCP without a control port; False where anything needs a second look."""
    cdef int64_t total
    if captured < 24 or p[0] != 0x45 or p[9] != IP_PROTOCOL_TCP or load16(p + 6) & 0x3FFF:
        return False
    total = load16(p + 2)
    return (
        40 <= total <= wire and not is_port(sink.ports, load16(p + 20)) and not is_port(sink.ports, load16(p + 22))
        and sink.caps.network_headers > 0
    )


cdef void malformed(
    Sink* sink, const Packet* packet, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil

cdef void walk_ip(
    Sink* sink, const Packet* packet, int version, const uint8_t* p, int64_t captured, int64_t wire, int64_t headers
) noexcept nogil

cdef void walk_protocol(
    Sink* sink, const Packet* packet, int protocol, const uint8_t* source, const uint8_t* destination,
    const uint8_t* p, int64_t captured, int64_t wire, int64_t headers,
) noexcept nogil

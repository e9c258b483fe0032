"""Declarations of ``negotiation``."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ..base.numbers cimport PppOptionRow, PppRow
from ..scan.segments cimport PppBody


cdef struct Negotiation:
    uint64_t interface_identifier
    uint32_t accm
    uint32_t bits
    uint32_t authentication_error
    uint32_t echo_requests
    uint32_t echo_replies
    uint16_t mru
    uint16_t ip_compression
    uint8_t authentication
    uint8_t asked
    uint8_t seen
    uint8_t believed
    uint8_t compression
    bint has_ipv4
    uint8_t ipv4[4]
    bint terminated
    # Of TEXT_WIDTH octets, NULL while there are none.
    uint8_t* terminate_reason
    uint8_t* name


cdef void negotiation_free(Negotiation* negotiation) noexcept nogil

cdef bint negotiate(
    Negotiation** place, uint8_t* encrypted, const PppRow* row, const PppOptionRow* options, const PppBody* body,
    bint identities,
) noexcept nogil

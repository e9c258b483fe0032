"""Declarations of ``negotiation``."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ..base.numbers cimport PppOptionRow, PppRow
from ..scan.segments cimport PppBody
from .echoes cimport Echoes


cdef enum:
    # Protocols of which it acknowledged a Configure-Request.
    OPENED_LCP = 1
    OPENED_IPCP = 2
    OPENED_IPV6CP = 4
    OPENED_OTHER = 8
    OPENED_NETWORKS = 14


cdef struct Negotiation:
    # Packets of its first Terminate-Request and Terminate-Ack since it acknowledged LCP, 0 without.
    uint64_t terminate
    uint64_t terminate_ack
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
    uint8_t eap_method
    uint8_t believed
    uint8_t compression
    bint has_ipv4
    uint8_t ipv4[4]
    bint terminated
    uint8_t opened
    bint requested_link
    # It rejected the authentication option, or proposed another.
    bint declined
    bint challenged
    bint accepted
    Echoes echoes
    # Of TEXT_WIDTH octets, NULL while there are none.
    uint8_t* terminate_reason
    uint8_t* name


cdef void negotiation_free(Negotiation* negotiation) noexcept nogil

cdef bint is_used(const PppRow* row) noexcept nogil

cdef bint negotiate(
    Negotiation** place, uint8_t* encrypted, const PppRow* row, const PppOptionRow* options, const PppBody* body,
    bint identities,
) noexcept nogil

"""Records what one side of a PPP link said in its control packets (decoding section 10.4).

Knows codes and options.  Must not know tunnels.  Of an authentication packet it keeps only what the rules name.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from ..base.numbers cimport (
    AUTHENTICATED_REFUSED, AUTHENTICATED_YES, AUTHENTICATION_CHAP_MD5, AUTHENTICATION_CHAP_SHA1, AUTHENTICATION_EAP,
    AUTHENTICATION_MS_CHAP, AUTHENTICATION_MS_CHAP_V2, AUTHENTICATION_NONE, AUTHENTICATION_NOT_SEEN,
    AUTHENTICATION_OTHER, AUTHENTICATION_PAP, COMPRESSION_BSD_COMPRESS, COMPRESSION_DEFLATE, COMPRESSION_MPPC,
    COMPRESSION_MPPE, COMPRESSION_NONE, COMPRESSION_OTHER, COMPRESSION_PREDICTOR, COMPRESSION_STAC_LZS, MPPE_MPPC,
    MPPE_MPPE_BITS, MPPE_OPTION, MPPE_OPTION_LENGTH, PPP_BAD_FIELD, PPP_BAD_OPTION, PPP_CCP, PPP_CHAP, PPP_CHAP_MD5,
    PPP_CHAP_MS, PPP_CHAP_MS_V2, PPP_CHAP_SHA1, PPP_CONFIGURE_ACK, PPP_CONFIGURE_NAK, PPP_CONFIGURE_REJECT,
    PPP_CONFIGURE_REQUEST, PPP_CUT, PPP_EAP, PPP_ECHO_REPLY, PPP_ECHO_REQUEST, PPP_FIRST_CONTROL,
    PPP_FIRST_LINK_CONTROL, PPP_HEAD_CUT, PPP_HEAD_SIZE, PPP_IPCP, PPP_IPCP_ADDRESS, PPP_IPCP_COMPRESSION, PPP_IPV6CP,
    PPP_IPV6CP_IDENTIFIER, PPP_LCP, PPP_LCP_ACCM, PPP_LCP_AUTHENTICATION, PPP_LCP_MRU, PPP_MALFORMED, PPP_NO_HEAD,
    PPP_PAP, PPP_TERMINATE_ACK, PPP_TERMINATE_REQUEST, TEXT_WIDTH, PppOptionRow, PppRow, in_PPP_OPENS_NO_NETWORK,
)
from ..scan.segments cimport PppBody
from .echoes cimport ask_echo

cdef enum:
    # Sizes of CHAP values by kind; the place in an MS-CHAP value where zeros mark version 2.
    MD5_SIZE = 16
    SHA1_SIZE = 20
    MS_CHAP_SIZE = 49
    RESERVED_AT = 16
    RESERVED_SIZE = 8
    EAP_IDENTITY = 1
    EAP_NAK = 3
    MOST_DIGITS = 9


cdef void negotiation_free(Negotiation* negotiation) noexcept nogil:
    if negotiation == NULL:
        return
    free(negotiation.terminate_reason)
    free(negotiation.name)
    free(negotiation)


cdef bint keep_text(uint8_t** place, const uint8_t* text, int64_t n) noexcept nogil:
    """The first octets of a text; False if memory runs out."""
    if place[0] == NULL:
        place[0] = <uint8_t*>calloc(1, TEXT_WIDTH)
        if place[0] == NULL:
            return False
    memset(place[0], 0, TEXT_WIDTH)
    memcpy(place[0], text, <size_t>min(n, <int64_t>TEXT_WIDTH))
    return True


cdef const PppOptionRow* option_of(const PppRow* row, const PppOptionRow* options, int kind) noexcept nogil:
    """The first option of a type, NULL without."""
    cdef int index
    for index in range(row.options):
        if options[index].type == kind:
            return &options[index]
    return NULL


cdef const PppOptionRow* option_of_length(
    const PppRow* row, const PppOptionRow* options, int kind, int length
) noexcept nogil:
    """The same, where it has that length."""
    cdef const PppOptionRow* option = option_of(row, options, kind)
    return option if option != NULL and option.length == length else NULL


cdef inline uint32_t leading(const PppOptionRow* option, int octets) noexcept nogil:
    """The number that the first data octets are, of which there must be so many."""
    cdef int there = min(option.length - 2, 8)
    return <uint32_t>(option.value >> (8 * (there - octets)))


cdef uint8_t authentication_of(const PppRow* row, const PppOptionRow* options) noexcept nogil:
    cdef const PppOptionRow* option = option_of(row, options, PPP_LCP_AUTHENTICATION)
    cdef uint32_t protocol
    cdef uint32_t algorithm
    if option == NULL:
        return AUTHENTICATION_NONE
    if option.length < 4:
        return AUTHENTICATION_OTHER
    protocol = leading(option, 2)
    if protocol == PPP_PAP:
        return AUTHENTICATION_PAP
    if protocol == PPP_EAP:
        return AUTHENTICATION_EAP
    if protocol != PPP_CHAP or option.length < 5:
        return AUTHENTICATION_OTHER
    algorithm = leading(option, 3) & 0xFF
    if algorithm == PPP_CHAP_MD5:
        return AUTHENTICATION_CHAP_MD5
    if algorithm == PPP_CHAP_SHA1:
        return AUTHENTICATION_CHAP_SHA1
    if algorithm == PPP_CHAP_MS:
        return AUTHENTICATION_MS_CHAP
    if algorithm == PPP_CHAP_MS_V2:
        return AUTHENTICATION_MS_CHAP_V2
    return AUTHENTICATION_OTHER


cdef bint take_lcp(
    Negotiation* own, uint8_t* encrypted, const PppRow* row, const PppOptionRow* options, const uint8_t* data, int64_t n
) noexcept nogil:
    cdef const PppOptionRow* option
    if row.code == PPP_CONFIGURE_ACK:
        option = option_of_length(row, options, PPP_LCP_MRU, 4)
        own.mru = 0 if option == NULL else <uint16_t>option.value
        option = option_of_length(row, options, PPP_LCP_ACCM, 6)
        own.accm = 0 if option == NULL else <uint32_t>option.value
        own.authentication = authentication_of(row, options)
        own.opened |= OPENED_LCP
        own.terminate = 0
        own.terminate_ack = 0
        encrypted[0] = False
    elif row.code == PPP_CONFIGURE_REQUEST:
        own.requested_link = True
        if own.asked == AUTHENTICATION_NOT_SEEN and option_of(row, options, PPP_LCP_AUTHENTICATION) != NULL:
            own.asked = authentication_of(row, options)
        encrypted[0] = False
    elif row.code == PPP_ECHO_REQUEST:
        own.echo_requests += 1
        if own.terminate == 0:
            ask_echo(&own.echoes, row.identifier, row.time)
    elif row.code == PPP_ECHO_REPLY:
        own.echo_replies += 1
    elif row.code == PPP_TERMINATE_ACK:
        if own.terminate_ack == 0:
            own.terminate_ack = row.packet
    elif row.code == PPP_CONFIGURE_NAK or row.code == PPP_CONFIGURE_REJECT:
        own.declined = own.declined or option_of(row, options, PPP_LCP_AUTHENTICATION) != NULL
    elif row.code == PPP_TERMINATE_REQUEST:
        if own.terminate == 0:
            own.terminate = row.packet
        if not own.terminated:
            own.terminated = True
            return n <= 0 or keep_text(&own.terminate_reason, data, n)
    return True


cdef void take_ccp(
    Negotiation* own, uint8_t* encrypted, const PppRow* row, const PppOptionRow* options
) noexcept nogil:
    cdef int kind
    if row.code == PPP_TERMINATE_REQUEST or row.code == PPP_TERMINATE_ACK:
        encrypted[0] = False
    if row.code != PPP_CONFIGURE_ACK:
        return
    own.bits = 0
    if row.options == 0:
        own.compression = COMPRESSION_NONE
    else:
        kind = options[0].type
        if kind == MPPE_OPTION and options[0].length == MPPE_OPTION_LENGTH:
            own.bits = <uint32_t>options[0].value
            if own.bits & MPPE_MPPE_BITS:
                own.compression = COMPRESSION_MPPE
            else:
                own.compression = COMPRESSION_MPPC if own.bits & MPPE_MPPC else COMPRESSION_NONE
        elif kind == 26 or kind == 24:
            own.compression = COMPRESSION_DEFLATE
        elif kind == 21:
            own.compression = COMPRESSION_BSD_COMPRESS
        elif kind == 1 or kind == 2:
            own.compression = COMPRESSION_PREDICTOR
        elif kind == 17:
            own.compression = COMPRESSION_STAC_LZS
        else:
            own.compression = COMPRESSION_OTHER
    encrypted[0] = own.compression == COMPRESSION_MPPE


cdef void take_network(Negotiation* own, const PppRow* row, const PppOptionRow* options) noexcept nogil:
    """Acknowledged addresses."""
    cdef const PppOptionRow* option
    cdef int index
    if row.code != PPP_CONFIGURE_ACK:
        return
    if row.protocol == PPP_IPV6CP:
        option = option_of_length(row, options, PPP_IPV6CP_IDENTIFIER, 10)
        own.interface_identifier = 0 if option == NULL else option.value
        return
    option = option_of_length(row, options, PPP_IPCP_ADDRESS, 6)
    own.has_ipv4 = option != NULL
    if option != NULL:
        for index in range(4):
            own.ipv4[index] = <uint8_t>(option.value >> (8 * (3 - index)))
    option = option_of(row, options, PPP_IPCP_COMPRESSION)
    own.ip_compression = 0
    if option != NULL and option.length >= 4:
        own.ip_compression = <uint16_t>leading(option, 2)


cdef inline void believe(Negotiation* own, bint yes, uint32_t error) noexcept nogil:
    own.believed = AUTHENTICATED_YES if yes else AUTHENTICATED_REFUSED
    own.accepted = own.accepted or yes
    own.authentication_error = error


cdef uint32_t error_of(const uint8_t* data, int64_t n, bint is_cut) noexcept nogil:
    """The number behind "E=" at the start of a failure's text, where all its digits are captured."""
    cdef uint32_t error = 0
    cdef int64_t index = 2
    if n < 2 or data[0] != c'E' or data[1] != c'=':
        return 0
    while index < min(n, <int64_t>(2 + MOST_DIGITS)) and c'0' <= data[index] <= c'9':
        error = error * 10 + (data[index] - c'0')
        index += 1
    return 0 if is_cut and index == n and index < 2 + MOST_DIGITS else error


cdef bint take_chap(
    Negotiation* own, const PppRow* row, const uint8_t* data, int64_t n, bint identities
) noexcept nogil:
    cdef uint8_t zeros[RESERVED_SIZE]
    cdef int64_t size
    if row.code == 3 or row.code == 4:
        believe(own, row.code == 3, error_of(data, n, row.status & PPP_CUT != 0) if row.code == 4 else 0)
        return True
    if row.code == 1:
        own.challenged = True
    if row.code != 2 or n < 1 or row.status & PPP_BAD_FIELD:
        return True
    size = data[0]
    if size == MD5_SIZE:
        own.seen = AUTHENTICATION_CHAP_MD5
    elif size == SHA1_SIZE:
        own.seen = AUTHENTICATION_CHAP_SHA1
    elif size == MS_CHAP_SIZE and n > size:
        memset(zeros, 0, RESERVED_SIZE)
        own.seen = AUTHENTICATION_MS_CHAP
        if memcmp(data + 1 + RESERVED_AT, zeros, RESERVED_SIZE) == 0 and data[size] == 0:
            own.seen = AUTHENTICATION_MS_CHAP_V2
    else:
        return True
    if not identities or n <= 1 + size:
        return True
    return keep_text(&own.name, data + 1 + size, n - 1 - size)


cdef bint take_pap(Negotiation* own, const PppRow* row, const uint8_t* data, int64_t n, bint identities) noexcept nogil:
    cdef int64_t size
    if row.code == 2 or row.code == 3:
        believe(own, row.code == 2, 0)
    if row.code != 1:
        return True
    own.seen = AUTHENTICATION_PAP
    if not identities or n < 2 or row.status & PPP_BAD_FIELD:
        return True
    size = min(<int64_t>data[0], n - 1)
    return size == 0 or keep_text(&own.name, data + 1, size)


cdef bint take_eap(Negotiation* own, const PppRow* row, const uint8_t* data, int64_t n, bint identities) noexcept nogil:
    if row.code == 3 or row.code == 4:
        believe(own, row.code == 3, 0)
    if row.code == 1:
        own.challenged = True
    if row.code != 2:
        return True
    own.seen = AUTHENTICATION_EAP
    if n >= 1 and data[0] > EAP_NAK:
        own.eap_method = data[0]
    if not identities or n < 2 or data[0] != EAP_IDENTITY:
        return True
    return keep_text(&own.name, data + 1, n - 1)


cdef bint is_used(const PppRow* row) noexcept nogil:
    return not row.status & (PPP_MALFORMED | PPP_HEAD_CUT | PPP_NO_HEAD | PPP_BAD_OPTION)


cdef void open_network(Negotiation* own, int protocol) noexcept nogil:
    """It acknowledged a Configure-Request of a network control protocol, if it is one."""
    if protocol == PPP_IPCP:
        own.opened |= OPENED_IPCP
    elif protocol == PPP_IPV6CP:
        own.opened |= OPENED_IPV6CP
    elif PPP_FIRST_CONTROL <= protocol < PPP_FIRST_LINK_CONTROL and not in_PPP_OPENS_NO_NETWORK(protocol):
        own.opened |= OPENED_OTHER


cdef bint negotiate(
    Negotiation** place, uint8_t* encrypted, const PppRow* row, const PppOptionRow* options, const PppBody* body,
    bint identities,
) noexcept nogil:
    """Take in one control packet of a tunnel's sender; False if memory runs out.

    `encrypted` is whether MPPE is in force.
    """
    cdef Negotiation* own = place[0]
    cdef const uint8_t* data = body.octets + PPP_HEAD_SIZE
    cdef int64_t n = body.available - PPP_HEAD_SIZE
    if not is_used(row):
        return True
    if own == NULL:
        own = <Negotiation*>calloc(1, sizeof(Negotiation))
        if own == NULL:
            return False
        place[0] = own
    if row.code == PPP_CONFIGURE_ACK:
        open_network(own, row.protocol)
    if row.protocol == PPP_LCP:
        return take_lcp(own, encrypted, row, options, data, n)
    if row.protocol == PPP_CHAP:
        return take_chap(own, row, data, n, identities)
    if row.protocol == PPP_PAP:
        return take_pap(own, row, data, n, identities)
    if row.protocol == PPP_EAP:
        return take_eap(own, row, data, n, identities)
    if row.protocol == PPP_CCP:
        take_ccp(own, encrypted, row, options)
    elif row.protocol == PPP_IPCP or row.protocol == PPP_IPV6CP:
        take_network(own, row, options)
    return True

"""What one side of a PPP link said in its control packets (decoding section 10.4).

Knows codes and options, no tunnel.  Called by ``relate``, packet by packet; of an authentication packet
nothing is kept but what the rules name.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from .numbers cimport (
    AUTHENTICATED_REFUSED, AUTHENTICATED_YES, AUTHENTICATION_CHAP_MD5, AUTHENTICATION_CHAP_SHA1, AUTHENTICATION_EAP,
    AUTHENTICATION_MS_CHAP, AUTHENTICATION_MS_CHAP_V2, AUTHENTICATION_NONE, AUTHENTICATION_NOT_SEEN,
    AUTHENTICATION_OTHER, AUTHENTICATION_PAP, COMPRESSION_BSD_COMPRESS, COMPRESSION_DEFLATE, COMPRESSION_MPPC,
    COMPRESSION_MPPE, COMPRESSION_NONE, COMPRESSION_OTHER, COMPRESSION_PREDICTOR, COMPRESSION_STAC_LZS, TEXT_WIDTH,
)
from .octets cimport load16, load32

cdef enum:
    IPCP = 0x8021
    IPV6CP = 0x8057
    CCP = 0x80FD
    LCP = 0xC021
    PAP = 0xC023
    CHAP = 0xC223
    EAP = 0xC227

cdef enum:
    CONFIGURE_REQUEST = 1
    CONFIGURE_ACK = 2
    TERMINATE_REQUEST = 5
    TERMINATE_ACK = 6
    ECHO_REQUEST = 9
    ECHO_REPLY = 10

cdef enum:
    # Of PAP, CHAP and EAP.
    AUTHENTICATE_REQUEST = 1
    AUTHENTICATE_ACK = 2
    AUTHENTICATE_NAK = 3
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4
    IDENTITY = 1

cdef enum:
    # Code, identifier and length; then, in an option, type and length.
    HEAD = 4
    MPPE_BITS = 0xE0
    MPPC_BIT = 0x01
    MOST_DIGITS = 9


cdef void negotiation_free(Negotiation* negotiation) noexcept nogil:
    if negotiation == NULL:
        return
    free(negotiation.terminate_reason)
    free(negotiation.name)
    free(negotiation)


cdef bint keep_text(uint8_t** text, const uint8_t* octets, int64_t count) noexcept nogil:
    """Keep at most ``TEXT_WIDTH`` octets, zeros behind them; False when memory is out."""
    if count <= 0:
        return True
    if text[0] == NULL:
        text[0] = <uint8_t*>malloc(TEXT_WIDTH)
        if text[0] == NULL:
            return False
    memset(text[0], 0, TEXT_WIDTH)
    memcpy(text[0], octets, <size_t>min(count, <int64_t>TEXT_WIDTH))
    return True


cdef bint keep_name(Negotiation* own, const Said* said, int64_t start, int64_t end) noexcept nogil:
    """The octets from `start` to `end` of a packet, as far as they are captured; False when memory is out."""
    if not said.identities:
        return True
    return keep_text(&own.name, said.octets + start, min(end, said.available) - start)


cdef int authentication_of(const Option* option) noexcept nogil:
    """What an option of LCP asks for; needs two octets of value."""
    cdef uint16_t protocol = load16(option.value)
    if protocol == PAP:
        return AUTHENTICATION_PAP
    if protocol == EAP:
        return AUTHENTICATION_EAP
    if protocol == CHAP and option.length > 4:
        if option.value[2] == 5:
            return AUTHENTICATION_CHAP_MD5
        if option.value[2] == 6:
            return AUTHENTICATION_CHAP_SHA1
        if option.value[2] == 0x80:
            return AUTHENTICATION_MS_CHAP
        if option.value[2] == 0x81:
            return AUTHENTICATION_MS_CHAP_V2
    return AUTHENTICATION_OTHER


cdef void acknowledge_link(Negotiation* own, const Said* said) noexcept nogil:
    """LCP Configure-Ack: what is not among its options was not agreed on."""
    cdef const Option* option
    cdef int index
    own.mru = 0
    own.accm = 0
    own.authentication = AUTHENTICATION_NONE
    for index in range(said.option_count):
        option = &said.options[index]
        if option.kind == 1 and option.length == 4:
            own.mru = load16(option.value)
        elif option.kind == 2 and option.length == 6:
            own.accm = load32(option.value)
        elif option.kind == 3 and option.length >= 4:
            own.authentication = <uint8_t>authentication_of(option)


cdef void ask(Negotiation* own, const Said* said) noexcept nogil:
    """LCP Configure-Request: how the other side is to prove who it is."""
    cdef const Option* option
    cdef int index
    for index in range(said.option_count):
        option = &said.options[index]
        if option.kind == 3 and option.length >= 4 and own.asked == AUTHENTICATION_NOT_SEEN:
            own.asked = <uint8_t>authentication_of(option)


cdef bint take_link(Negotiation* own, const Said* said) noexcept nogil:
    if said.code == CONFIGURE_REQUEST:
        ask(own, said)
        own.encrypted = False
    elif said.code == CONFIGURE_ACK:
        acknowledge_link(own, said)
        own.encrypted = False
    elif said.code == ECHO_REQUEST:
        own.echo_requests += 1
    elif said.code == ECHO_REPLY:
        own.echo_replies += 1
    elif said.code == TERMINATE_REQUEST and not own.terminated:
        own.terminated = True
        return keep_text(&own.terminate_reason, said.octets + HEAD, said.available - HEAD)
    return True


cdef void take_compression(Negotiation* own, const Said* said) noexcept nogil:
    cdef const Option* option = said.options
    if said.code == TERMINATE_REQUEST or said.code == TERMINATE_ACK:
        own.encrypted = False
    if said.code != CONFIGURE_ACK:
        return
    own.bits = 0
    if said.option_count == 0:
        own.compression = COMPRESSION_NONE
    elif option.kind == 18 and option.length == 6:
        own.bits = load32(option.value)
        if own.bits & MPPE_BITS:
            own.compression = COMPRESSION_MPPE
        elif own.bits & MPPC_BIT:
            own.compression = COMPRESSION_MPPC
        else:
            own.compression = COMPRESSION_NONE
    elif option.kind == 26 or option.kind == 24:
        own.compression = COMPRESSION_DEFLATE
    elif option.kind == 21:
        own.compression = COMPRESSION_BSD_COMPRESS
    elif option.kind == 1 or option.kind == 2:
        own.compression = COMPRESSION_PREDICTOR
    elif option.kind == 17:
        own.compression = COMPRESSION_STAC_LZS
    else:
        own.compression = COMPRESSION_OTHER
    own.encrypted = own.compression == COMPRESSION_MPPE


cdef void take_ipv4(Negotiation* own, const Said* said) noexcept nogil:
    cdef const Option* option
    cdef int index
    if said.code != CONFIGURE_ACK:
        return
    own.has_ipv4 = False
    own.ip_compression = 0
    for index in range(said.option_count):
        option = &said.options[index]
        if option.kind == 3 and option.length == 6:
            own.has_ipv4 = True
            memcpy(own.ipv4, option.value, 4)
        elif option.kind == 2 and option.length >= 4:
            own.ip_compression = load16(option.value)


cdef void take_ipv6(Negotiation* own, const Said* said) noexcept nogil:
    cdef const Option* option
    cdef int index
    if said.code != CONFIGURE_ACK:
        return
    own.interface_identifier = 0
    for index in range(said.option_count):
        option = &said.options[index]
        if option.kind == 1 and option.length == 10:
            own.interface_identifier = (<uint64_t>load32(option.value) << 32) | load32(option.value + 4)


cdef bint take_pap(Negotiation* own, const Said* said) noexcept nogil:
    if said.code == AUTHENTICATE_REQUEST:
        own.seen = AUTHENTICATION_PAP
        if said.available > HEAD:
            return keep_name(own, said, HEAD + 1, min(said.length, HEAD + 1 + <int64_t>said.octets[HEAD]))
    elif said.code == AUTHENTICATE_ACK:
        own.believed = AUTHENTICATED_YES
    elif said.code == AUTHENTICATE_NAK:
        own.believed = AUTHENTICATED_REFUSED
    return True


cdef int response_of(const Said* said) noexcept nogil:
    """Which kind of CHAP a response is, by the size of its value; needs that size."""
    cdef int size = said.octets[HEAD]
    cdef const uint8_t* value = said.octets + HEAD + 1
    cdef int index
    if size == 16:
        return AUTHENTICATION_CHAP_MD5
    if size == 20:
        return AUTHENTICATION_CHAP_SHA1
    if size != 49 or said.available < HEAD + 1 + size:
        return AUTHENTICATION_NOT_SEEN
    # Version 2 has 8 octets that are reserved, and no flags.
    for index in range(16, 24):
        if value[index] != 0:
            return AUTHENTICATION_MS_CHAP
    return AUTHENTICATION_MS_CHAP if value[48] != 0 else AUTHENTICATION_MS_CHAP_V2


cdef uint32_t failure_of(const Said* said) noexcept nogil:
    """The number behind "E=", with which a message of failure may begin; 0 where there is none."""
    cdef const uint8_t* text = said.octets + HEAD
    cdef int64_t count = min(said.available - HEAD, <int64_t>2 + MOST_DIGITS)
    cdef int64_t index = 2
    cdef uint32_t number = 0
    if count < 2 or text[0] != c"E" or text[1] != c"=":
        return 0
    while index < count and c"0" <= text[index] <= c"9":
        number = 10 * number + text[index] - c"0"
        index += 1
    return number


cdef bint take_chap(Negotiation* own, const Said* said) noexcept nogil:
    cdef int kind
    if said.code == RESPONSE:
        if said.available > HEAD:
            kind = response_of(said)
            if kind != AUTHENTICATION_NOT_SEEN:
                own.seen = <uint8_t>kind
            return keep_name(own, said, HEAD + 1 + <int64_t>said.octets[HEAD], said.length)
    elif said.code == SUCCESS:
        own.believed = AUTHENTICATED_YES
        own.authentication_error = 0
    elif said.code == FAILURE:
        own.believed = AUTHENTICATED_REFUSED
        own.authentication_error = failure_of(said)
    return True


cdef bint take_eap(Negotiation* own, const Said* said) noexcept nogil:
    if said.code == RESPONSE:
        own.seen = AUTHENTICATION_EAP
        if said.available > HEAD and said.octets[HEAD] == IDENTITY:
            return keep_name(own, said, HEAD + 1, said.length)
    elif said.code == SUCCESS:
        own.believed = AUTHENTICATED_YES
    elif said.code == FAILURE:
        own.believed = AUTHENTICATED_REFUSED
    return True


cdef bint negotiate(Negotiation** negotiation, const Said* said) noexcept nogil:
    """Keep what a packet says, whose head is whole; False when memory is out."""
    cdef Negotiation* own = negotiation[0]
    if own == NULL:
        own = <Negotiation*>calloc(1, sizeof(Negotiation))
        if own == NULL:
            return False
        negotiation[0] = own
    if said.protocol == LCP:
        return take_link(own, said)
    if said.protocol == PAP:
        return take_pap(own, said)
    if said.protocol == CHAP:
        return take_chap(own, said)
    if said.protocol == EAP:
        return take_eap(own, said)
    if said.protocol == CCP:
        take_compression(own, said)
    elif said.protocol == IPCP:
        take_ipv4(own, said)
    elif said.protocol == IPV6CP:
        take_ipv6(own, said)
    return True

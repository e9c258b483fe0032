"""Numbers and row layouts, generated from ``wire`` by ``tools/generate_numbers.py``: do not edit."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    MESSAGE_CUT = 1
    MESSAGE_WRONG_LENGTH = 2
    MESSAGE_UNKNOWN_TYPE = 4
    MESSAGE_MANAGEMENT = 8
    MESSAGE_AFTER_GAP = 16
    MESSAGE_RESYNCHRONISED = 32
    MESSAGE_MIDSTREAM = 64
    MESSAGE_OVERLAP_CONFLICT = 128
    MESSAGE_BAD_CHECKSUM = 256
    MESSAGE_AFTER_CLOSE = 512
    MESSAGE_URGENT = 1024
    MESSAGE_NUMBER_LENGTH = 2048
    MESSAGE_TEXT_TAIL = 4096
    MESSAGE_TIME_FRACTION = 8192
    MESSAGE_FRAGMENTED = 16384

cdef enum:
    GRE_HEADER_CUT = 1
    GRE_PAYLOAD_CUT = 2
    GRE_PAYLOAD_SHORT = 4
    GRE_PAYLOAD_SURPLUS = 8
    GRE_FORBIDDEN_FLAGS = 16
    GRE_NO_KEY = 32
    GRE_NO_SEQUENCE = 64
    GRE_EMPTY_SEQUENCE = 128
    GRE_NO_PROTOCOL = 256
    GRE_FRAGMENTED = 512
    GRE_TIME_FRACTION = 1024
    GRE_DUPLICATED = 2048
    GRE_REORDERED = 4096
    GRE_MULTILINK_IP = 8192

cdef enum:
    PPP_CUT = 1
    PPP_HEAD_CUT = 2
    PPP_MALFORMED = 4
    PPP_PADDED = 8
    PPP_BAD_OPTION = 16
    PPP_OPTION_LIMIT = 32
    PPP_BAD_FIELD = 64
    PPP_MULTILINK_STATUS = 128
    PPP_NO_SEQUENCE = 256
    PPP_NO_HEAD = 512

cdef enum:
    CARRIER_NONE = 0
    CARRIER_GRE = 1
    CARRIER_NVGRE = 2
    CARRIER_ERSPAN = 3
    CARRIER_EOIP = 4
    CARRIER_ETHERIP = 5
    CARRIER_MPLS = 6
    CARRIER_PPP_IN_GRE = 7
    CARRIER_ESP = 8
    CARRIER_IP_OTHER = 9
    CARRIER_VXLAN = 16
    CARRIER_VXLAN_GPE = 17
    CARRIER_GENEVE = 18
    CARRIER_TZSP = 19
    CARRIER_GTP_U = 20
    CARRIER_CAPWAP = 21
    CARRIER_JMIRROR = 22
    CARRIER_L2TP = 23
    CARRIER_TEREDO = 24
    CARRIER_GUE = 25
    CARRIER_PBB = 32
    CARRIER_NSH = 33
    CARRIER_TRILL = 34
    CARRIER_BATMAN = 35
    CARRIER_PSEUDOWIRE = 36
    CARRIER_MACSEC = 37
    CARRIER_CISCO_METADATA = 38
    CARRIER_TIMESTAMP = 39
    CARRIER_WIRELESS = 40
    CARRIER_ETHERTYPE = 41
    CARRIER_LINK_HEADER = 42

cdef inline bint in_CARRIER_NAMED_ONLY(int number) noexcept nogil:
    return (
        number == 22
        or number == 25
    )


cdef inline bint in_CARRIER_EITHER_PORT(int number) noexcept nogil:
    return (
        number == 20
        or number == 21
        or number == 23
        or number == 24
    )


cdef enum:
    LAYER_CONTAINER = 1
    LAYER_LINK = 2
    LAYER_IP = 3
    LAYER_TCP = 4
    LAYER_CONTROL = 5
    LAYER_GRE = 6
    LAYER_PPP = 7

cdef enum:
    KIND_TRUNCATED_RECORD = 1
    KIND_CORRUPT_RECORD = 2
    KIND_CAPTURED_EXCEEDS_ORIGINAL = 3
    KIND_TIME_FRACTION = 4
    KIND_CORRUPT_BLOCK = 5
    KIND_UNKNOWN_INTERFACE = 6
    KIND_BAD_OPTION = 7
    KIND_TIME_RANGE = 8
    KIND_CAPTURED_EXCEEDS_BLOCK = 9
    KIND_UNSUPPORTED_LINK = 10
    KIND_FRAME_CUT = 11
    KIND_TOO_DEEP = 12
    KIND_INTERFACE_LIMIT = 13
    KIND_UNFOLLOWED = 18
    KIND_CORRUPT_COMPRESSION = 14
    KIND_SKIPPED_OCTETS = 15
    KIND_CLOCK_BACK = 16
    KIND_CLOCK_STANDS = 17
    KIND_HEADER_CUT = 20
    KIND_MALFORMED = 21
    KIND_LENGTH_EXCEEDS_FRAME = 22
    KIND_FRAGMENT_CONFLICT = 23
    KIND_FRAGMENT_INCOMPLETE = 24
    KIND_FRAGMENT_TOO_LONG = 25
    KIND_FRAGMENT_LIMIT = 26
    KIND_GAP = 30
    KIND_OVERLAP_CONFLICT = 31
    KIND_OUT_OF_WINDOW = 32
    KIND_RESET_IGNORED = 33
    KIND_EVICTED = 34
    KIND_WAITING_LIMIT = 35
    KIND_BAD_CHECKSUM = 36
    KIND_MESSAGE_CUT = 40
    KIND_WRONG_LENGTH = 41
    KIND_WRONG_COOKIE = 42
    KIND_BAD_LENGTH = 43
    KIND_UNKNOWN_TYPE = 44
    KIND_MANAGEMENT = 45
    KIND_SKIPPED = 46
    KIND_NUMBER_LENGTH = 47
    KIND_WRONG_VERSION = 60
    KIND_FORBIDDEN_FLAGS = 61
    KIND_NO_KEY = 62
    KIND_PAYLOAD_SHORT = 63
    KIND_NO_SEQUENCE = 64
    KIND_NO_PROTOCOL = 70
    KIND_PPP_OPTION = 71
    KIND_PPP_OPTION_LIMIT = 72
    KIND_PPP_LENGTH = 73
    KIND_PPP_FIELD = 74
    KIND_UNKNOWN_CALL = 80
    KIND_ENTITY_LIMIT = 81
    KIND_SHARED_ID = 82
    KIND_ZEROS = 90
    KIND_NO_PACKETS = 91
    KIND_FILES_OUT_OF_ORDER = 92
    KIND_NO_CAPTURE = 93
    KIND_LOCAL_TIME = 94
    KIND_MISSING_RECORDS = 95
    KIND_DROPPED_PACKETS = 96
    KIND_BEGUN_ANEW = 97

cdef enum:
    END_OPEN = 0
    END_FIN = 1
    END_RST = 2
    END_NEW_CONNECTION = 3
    END_EVICTED = 4

cdef enum:
    PRESENT_INITIATOR = 1
    PRESENT_RESPONDER = 2
    PRESENT_RESULT = 4

cdef enum:
    CALL_KIND_UNKNOWN = 0
    CALL_KIND_OUTGOING = 1
    CALL_KIND_INCOMING = 2

cdef enum:
    CALL_END_OPEN = 0
    CALL_END_CALL_CLEAR = 1
    CALL_END_DISCONNECT_NOTIFY = 2
    CALL_END_STOP = 3
    CALL_END_FIN = 4
    CALL_END_RST = 5
    CALL_END_NEW_CONNECTION = 6
    CALL_END_EVICTED = 7
    CALL_END_REFUSED = 8
    CALL_END_SILENCE = 9

cdef enum:
    PHASE_NONE = 0
    PHASE_REQUESTED = 1
    PHASE_CONNECTED = 2
    PHASE_LINK = 3
    PHASE_AUTHENTICATED = 4
    PHASE_NETWORK = 5

cdef enum:
    REASON_OPEN = 0
    REASON_REFUSED = 1
    REASON_NO_REPLY = 2
    REASON_ONE_WAY = 3
    REASON_LINK_NOT_AGREED = 4
    REASON_AUTHENTICATION_NOT_AGREED = 5
    REASON_AUTHENTICATION_FAILED = 6
    REASON_NETWORK_NOT_AGREED = 7
    REASON_PEER_SILENT = 8
    REASON_TERMINATED = 9
    REASON_DISCONNECTED = 10
    REASON_CLEARED = 11
    REASON_CONNECTION_LOST = 12
    REASON_SILENCE = 13

cdef enum:
    SIDE_NONE = 0
    SIDE_PNS = 1
    SIDE_PAC = 2

cdef enum:
    CALL_STATUS_REQUEST_NOT_SEEN = 1
    CALL_STATUS_ROLES_ASSUMED = 2
    CALL_STATUS_OTHER_ID = 4
    CALL_STATUS_TUNNEL_INFERRED = 8
    CALL_STATUS_ROLES_FROM_PPP = 16
    CALL_STATUS_SHARED_ID = 32

cdef enum:
    CALL_PRESENT_PNS_CALL_ID = 1
    CALL_PRESENT_PAC_CALL_ID = 2
    CALL_PRESENT_SERIAL = 4
    CALL_PRESENT_RESULT = 8
    CALL_PRESENT_DISCONNECT = 16
    CALL_PRESENT_PNS_TERMINATE = 32
    CALL_PRESENT_PAC_TERMINATE = 64

cdef enum:
    AUTHENTICATION_NOT_SEEN = 0
    AUTHENTICATION_NONE = 1
    AUTHENTICATION_PAP = 2
    AUTHENTICATION_CHAP_MD5 = 3
    AUTHENTICATION_CHAP_SHA1 = 4
    AUTHENTICATION_MS_CHAP = 5
    AUTHENTICATION_MS_CHAP_V2 = 6
    AUTHENTICATION_EAP = 7
    AUTHENTICATION_OTHER = 8

cdef enum:
    AUTHENTICATED_NOT_SEEN = 0
    AUTHENTICATED_YES = 1
    AUTHENTICATED_REFUSED = 2

cdef enum:
    COMPRESSION_NOT_SEEN = 0
    COMPRESSION_NONE = 1
    COMPRESSION_MPPE = 2
    COMPRESSION_MPPC = 3
    COMPRESSION_DEFLATE = 4
    COMPRESSION_BSD_COMPRESS = 5
    COMPRESSION_PREDICTOR = 6
    COMPRESSION_STAC_LZS = 7
    COMPRESSION_OTHER = 8

cdef enum:
    COUNT_PACKETS = 0
    COUNT_CAPTURED_OCTETS = 1
    COUNT_ORIGINAL_OCTETS = 2
    COUNT_UNSUPPORTED_LINK = 3
    COUNT_FRAMES_CUT = 4
    COUNT_NOT_IP = 5
    COUNT_IP_MALFORMED = 6
    COUNT_IP_OTHER = 7
    COUNT_FRAGMENTS = 8
    COUNT_CONTROL_SEGMENTS = 9
    COUNT_CHECKSUMS_OFFLOADED = 10
    COUNT_GRE_PACKETS = 11
    COUNT_GRE_OTHER = 12
    COUNT_COPIES = 13
    COUNT_DATAGRAMS_REASSEMBLED = 14
    COUNT_FRAGMENTS_COPIED = 15
    COUNT_CONNECTIONS_UNLISTED = 16
    COUNT_GRE_UNLISTED = 17
    COUNT_CALLS_UNLISTED = 18

cdef enum:
    COUNTERS = 19
    CARRIERS = 64
    FIRST_IN_FRAMES = 32
    RECORD_CHAIN = 4
    BLOCK_CHAIN = 3
    CHAIN_SECONDS = 86400
    BACK_SECONDS = 1
    STANDS_PACKETS = 8
    SECTION_HEADER_BLOCK = 168627466
    INTERFACE_DESCRIPTION_BLOCK = 1
    PACKET_BLOCK = 2
    SIMPLE_PACKET_BLOCK = 3
    ENHANCED_PACKET_BLOCK = 6
    PCAP_HEADER_SIZE = 24
    RECORD_HEADER_SIZE = 16
    PCAP_MICROSECONDS = 2712847316U
    PCAP_NANOSECONDS = 2712812621U
    PCAP_KUZNETZOV = 2712849716U
    ZERO_RUN = 1024
    BYTE_ORDER_MAGIC = 439041101
    OPTION_TIME_RESOLUTION = 9
    OPTION_TIME_OFFSET = 14
    MAGIC_COOKIE = 439041101
    CONTROL_MESSAGE = 1
    HEADER_SIZE = 12
    MAXIMUM_LENGTH = 1024
    LARGEST_MESSAGE = 220
    MESSAGE_TYPES = 15
    PIECE_COST = 64
    EXTENT_COST = 128
    DATAGRAM_AGE_SECONDS = 60
    DATAGRAM_DISTANCE = 128
    DATAGRAM_PACKETS = 4096
    DATAGRAM_SPAN_SECONDS = 1
    WINDOW = 1073741824
    RESET_WINDOW = 1048576
    COPY_WINDOW = 1024
    COPY_MILLISECONDS = 100
    COPY_VANTAGES = 8
    COPY_LOOKS = 32
    COPY_EVIDENCE = 8
    COPY_TIMES = 4
    TIMED = 64
    RANGES = 64
    ECHOES = 4
    UNANSWERED = 2
    SILENCE_SECONDS = 120
    TEXT_WIDTH = 64

cdef enum:
    TYPE_START_CONTROL_CONNECTION_REQUEST = 1
    TYPE_START_CONTROL_CONNECTION_REPLY = 2
    TYPE_STOP_CONTROL_CONNECTION_REQUEST = 3
    TYPE_STOP_CONTROL_CONNECTION_REPLY = 4
    TYPE_ECHO_REQUEST = 5
    TYPE_ECHO_REPLY = 6
    TYPE_OUTGOING_CALL_REQUEST = 7
    TYPE_OUTGOING_CALL_REPLY = 8
    TYPE_INCOMING_CALL_REQUEST = 9
    TYPE_INCOMING_CALL_REPLY = 10
    TYPE_INCOMING_CALL_CONNECTED = 11
    TYPE_CALL_CLEAR_REQUEST = 12
    TYPE_CALL_DISCONNECT_NOTIFY = 13
    TYPE_WAN_ERROR_NOTIFY = 14
    TYPE_SET_LINK_INFO = 15

cdef enum:
    LINK_ETHERNET = 1
    LINK_RAW = 101
    LINK_RAW_OPENBSD = 12
    LINK_RAW_BSDOS = 14
    LINK_IPV4 = 228
    LINK_IPV6 = 229
    LINK_NULL = 0
    LINK_LOOP = 108
    LINK_LINUX_SLL = 113
    LINK_LINUX_SLL2 = 276
    LINK_PPP = 9
    LINK_PPP_HDLC = 50
    LINK_PPP_ETHER = 51
    LINK_C_HDLC = 104
    LINK_IEEE802_11 = 105
    LINK_RADIOTAP = 127
    LINK_PPP_WITH_DIRECTION = 204
    LINK_TOKEN_RING = 6
    LINK_FDDI = 10
    LINK_ATM_RFC1483 = 100
    LINK_FRELAY = 107
    LINK_ENC = 109
    LINK_PFLOG = 117
    LINK_PRISM = 119
    LINK_SUNATM = 123
    LINK_DOCSIS = 143
    LINK_PKTAP_USER = 149
    LINK_AVS = 163
    LINK_JUNIPER_ETHER = 178
    LINK_PPI = 192
    LINK_ERF = 197
    LINK_IPNET = 226
    LINK_NFLOG = 239
    LINK_IPOIB = 242
    LINK_PKTAP = 258
    LINK_ETHERTYPE_IPV4 = 2048
    LINK_ETHERTYPE_IPV6 = 34525
    LINK_ETHERTYPE_MPLS = 34887
    LINK_ETHERTYPE_PPPOE = 34916
    LINK_LEAST_ETHERTYPE = 1536
    LINK_VLAN_ID = 4095
    LINK_ETHERTYPE_VN_TAG = 35110
    LINK_ETHERTYPE_E_TAG = 35135
    LINK_ETHERTYPE_HSR = 35119
    LINK_ETHERTYPE_CISCO_METADATA = 35081
    LINK_ETHERTYPE_TIMESTAMP = 53899
    LINK_ETHERTYPE_MACSEC = 35045
    LINK_ETHERTYPE_NSH = 35151
    LINK_ETHERTYPE_PBB = 35047
    LINK_ETHERTYPE_TRILL = 8947
    LINK_ETHERTYPE_FABRICPATH = 35075
    LINK_ETHERTYPE_BATMAN = 17157
    LINK_TRANSPARENT_ETHERNET = 25944
    LINK_MACSEC_NOT_CLEAR = 140
    LINK_MACSEC_HAS_CHANNEL = 32
    LINK_MACSEC_SHORT_LENGTH = 63
    LINK_MACSEC_CHECK_VALUE = 16
    LINK_NSH_VERSION = 49152
    LINK_NSH_OAM = 8192
    LINK_NSH_LENGTH = 63
    LINK_PBB_RESERVED = 50331648
    LINK_PBB_SERVICE = 16777215
    LINK_TRILL_VERSION = 49152
    LINK_TRILL_OPTIONS = 1984
    LINK_BATMAN_VERSION = 15
    LINK_BATMAN_UNICAST = 64
    LINK_BATMAN_UNICAST_4 = 66
    LINK_BATMAN_BROADCAST = 1
    LINK_LABEL_IPV4 = 0
    LINK_LABEL_IPV6 = 2
    LINK_LABEL_CHANNEL = 13
    LINK_CONTROL_FLAGS = 4032
    LINK_CONTROL_LENGTH = 63
    LINK_LEAST_CONTROL_LENGTH = 18
    LINK_ARPHRD_FRELAY = 770
    LINK_ARPHRD_GRE = 778
    LINK_ARPHRD_RADIOTAP = 803
    LINK_ARPHRD_NETLINK = 824
    LINK_COOKED_ETHERNET = 3
    LINK_COOKED_LLC = 4
    LINK_FAMILY_IPV4 = 2
    LINK_NFLOG_IPV6 = 10
    LINK_NFLOG_BRIDGE = 7
    LINK_NFLOG_PACKET_HEADER = 1
    LINK_NFLOG_PAYLOAD = 9
    LINK_IPNET_IPV6 = 26
    LINK_AVS_MAGIC = 8397072
    LINK_PRISM_SIZE = 144
    LINK_PRISM_LEAST = 24
    LINK_PRISM_MOST = 512
    LINK_AVS_LEAST = 64
    LINK_PFLOG_LEAST = 45
    LINK_PKTAP_LEAST = 108
    LINK_PKTAP_MOST = 512
    LINK_JUNIPER_MAGIC = 5064515
    LINK_JUNIPER_EXTENDED = 128
    LINK_JUNIPER_NO_LINK = 2
    LINK_ERF_EXTENDED = 128
    LINK_ERF_IPV4 = 22
    LINK_ERF_IPV6 = 23
    LINK_ERF_PADDING = 48
    LINK_NLPID_SNAP = 128
    LINK_NLPID_IPV6 = 142
    LINK_NLPID_IPV4 = 204
    LINK_NLPID_PPP = 207
    LINK_BRIDGED = 32962
    LINK_PPPOE_VERSION_AND_TYPE = 17
    LINK_DOT11_VERSION = 3
    LINK_DOT11_TYPE = 12
    LINK_DOT11_DATA = 8
    LINK_DOT11_NO_DATA = 64
    LINK_DOT11_QOS = 128
    LINK_DOT11_TO_DS = 256
    LINK_DOT11_FROM_DS = 512
    LINK_DOT11_PROTECTED = 16384
    LINK_DOT11_ORDER = 32768
    LINK_DOT11_AGGREGATE = 128
    LINK_RADIOTAP_TSFT = 1
    LINK_RADIOTAP_FLAGS = 2
    LINK_RADIOTAP_MORE = 2147483648U
    LINK_RADIOTAP_PADDED = 32

cdef inline bint in_LINK_RAW_TYPES(int number) noexcept nogil:
    return (
        number == 12
        or number == 14
        or number == 101
    )


cdef inline bint in_LINK_FAMILY_TYPES(int number) noexcept nogil:
    return (
        number == 0
        or number == 108
    )


cdef inline bint in_LINK_PPP_TYPES(int number) noexcept nogil:
    return (
        number == 9
        or number == 50
    )


cdef inline bint in_LINK_ETHERTYPES_MPLS(int number) noexcept nogil:
    return (
        number == 34887
        or number == 34888
    )


cdef inline bint in_LINK_VLAN_ETHERTYPES(int number) noexcept nogil:
    return (
        number == 33024
        or number == 34984
        or number == 37120
        or number == 37376
        or number == 37632
    )


cdef inline bint in_LINK_TAG_ETHERTYPES(int number) noexcept nogil:
    return (
        number == 8947
        or number == 17157
        or number == 35045
        or number == 35047
        or number == 35075
        or number == 35081
        or number == 35110
        or number == 35119
        or number == 35135
        or number == 35151
        or number == 53899
    )


cdef inline bint in_LINK_OTHER_ETHERTYPES(int number) noexcept nogil:
    return (
        number == 2054
        or number == 2114
        or number == 8192
        or number == 8938
        or number == 8944
        or number == 8948
        or number == 24576
        or number == 24577
        or number == 24578
        or number == 24579
        or number == 24580
        or number == 24581
        or number == 24582
        or number == 24583
        or number == 24584
        or number == 24585
        or number == 32821
        or number == 32923
        or number == 33011
        or number == 33079
        or number == 33080
        or number == 34824
        or number == 34825
        or number == 34915
        or number == 34927
        or number == 34939
        or number == 34958
        or number == 34962
        or number == 34969
        or number == 34978
        or number == 34980
        or number == 34987
        or number == 34997
        or number == 34998
        or number == 34999
        or number == 35000
        or number == 35001
        or number == 35002
        or number == 35015
        or number == 35018
        or number == 35020
        or number == 35021
        or number == 35036
        or number == 35041
        or number == 35043
        or number == 35061
        or number == 35062
        or number == 35063
        or number == 35064
        or number == 35067
        or number == 35074
        or number == 35078
        or number == 35085
        or number == 35092
        or number == 35093
        or number == 35130
        or number == 36864
        or number == 65278
    )


cdef inline bint in_LINK_ETHERTYPES_KNOWN(int number) noexcept nogil:
    return (
        number == 2054
        or number == 2114
        or number == 8192
        or number == 8938
        or number == 8944
        or number == 8947
        or number == 8948
        or number == 17157
        or number == 24576
        or number == 24577
        or number == 24578
        or number == 24579
        or number == 24580
        or number == 24581
        or number == 24582
        or number == 24583
        or number == 24584
        or number == 24585
        or number == 32821
        or number == 32923
        or number == 33011
        or number == 33079
        or number == 33080
        or number == 34824
        or number == 34825
        or number == 34887
        or number == 34888
        or number == 34915
        or number == 34916
        or number == 34927
        or number == 34939
        or number == 34958
        or number == 34962
        or number == 34969
        or number == 34978
        or number == 34980
        or number == 34987
        or number == 34997
        or number == 34998
        or number == 34999
        or number == 35000
        or number == 35001
        or number == 35002
        or number == 35015
        or number == 35018
        or number == 35020
        or number == 35021
        or number == 35036
        or number == 35041
        or number == 35043
        or number == 35045
        or number == 35047
        or number == 35061
        or number == 35062
        or number == 35063
        or number == 35064
        or number == 35067
        or number == 35074
        or number == 35075
        or number == 35078
        or number == 35081
        or number == 35085
        or number == 35092
        or number == 35093
        or number == 35110
        or number == 35119
        or number == 35130
        or number == 35135
        or number == 35151
        or number == 36864
        or number == 53899
        or number == 65278
    )


cdef inline bint in_LINK_BATMAN_OWN(int number) noexcept nogil:
    return (
        number == 0
        or number == 3
        or number == 4
        or number == 67
        or number == 68
    )


cdef inline bint in_LINK_FAMILIES_IPV6(int number) noexcept nogil:
    return (
        number == 10
        or number == 23
        or number == 24
        or number == 28
        or number == 30
    )


cdef inline bint in_LINK_AVS_VERSIONS(int number) noexcept nogil:
    return (
        number == 1
        or number == 2
    )


cdef inline bint in_LINK_ERF_ETHERNET(int number) noexcept nogil:
    return (
        number == 2
        or number == 11
        or number == 16
        or number == 20
    )


cdef inline bint in_LINK_ERF_HDLC(int number) noexcept nogil:
    return (
        number == 1
        or number == 10
        or number == 15
        or number == 19
    )


cdef inline bint in_LINK_ERF_CHANNEL_HDLC(int number) noexcept nogil:
    return (
        number == 5
        or number == 17
    )


cdef inline bint in_LINK_BRIDGED_ETHERNET(int number) noexcept nogil:
    return (
        number == 1
        or number == 7
    )


cdef inline bint in_LINK_CISCO_ADDRESSES(int number) noexcept nogil:
    return (
        number == 15
        or number == 143
    )


cdef enum:
    IP_ADDRESS = 16
    IP_PROTOCOL_IPV4 = 4
    IP_PROTOCOL_TCP = 6
    IP_PROTOCOL_IPV6 = 41
    IP_PROTOCOL_GRE = 47
    IP_PROTOCOL_UDP = 17
    IP_PROTOCOL_ICMPV6 = 58
    IP_PROTOCOL_ESP = 50
    IP_PROTOCOL_ETHERIP = 97
    IP_PROTOCOL_L2TP = 115
    IP_PROTOCOL_UDP_LITE = 136
    IP_PROTOCOL_MPLS = 137
    IP_PROTOCOL_ETHERNET = 143
    IP_FRAGMENT_HEADER = 44
    IP_AUTHENTICATION_HEADER = 51

cdef inline bint in_IP_FOLLOWED(int number) noexcept nogil:
    return (
        number == 4
        or number == 6
        or number == 41
        or number == 47
    )


cdef inline bint in_IP_PROTOCOLS_UDP(int number) noexcept nogil:
    return (
        number == 17
        or number == 136
    )


cdef inline bint in_IP_REASSEMBLED(int number) noexcept nogil:
    return (
        number == 17
        or number == 97
        or number == 137
        or number == 143
    )


cdef inline bint in_IP_UNFOLLOWED(int number) noexcept nogil:
    return (
        number == 55
        or number == 94
        or number == 98
        or number == 108
    )


cdef inline bint in_IP_CARRIERS(int number) noexcept nogil:
    return (
        number == 17
        or number == 50
        or number == 55
        or number == 94
        or number == 97
        or number == 98
        or number == 108
        or number == 115
        or number == 136
        or number == 137
        or number == 143
    )


cdef inline bint in_IP_EXTENSIONS_IN_EIGHTS(int number) noexcept nogil:
    return (
        number == 0
        or number == 43
        or number == 60
        or number == 135
        or number == 139
        or number == 140
    )


cdef inline bint in_IP_EXTENSIONS(int number) noexcept nogil:
    return (
        number == 0
        or number == 43
        or number == 44
        or number == 51
        or number == 60
        or number == 135
        or number == 139
        or number == 140
    )


cdef enum:
    TCP_FIN = 1
    TCP_SYN = 2
    TCP_RST = 4
    TCP_ACK = 16
    TCP_URG = 32

cdef enum:
    GRE_PROTOCOL_TYPE = 34827
    GRE_VERSION = 1
    GRE_FIXED_SIZE = 8
    GRE_KEY_PRESENT = 8192
    GRE_SEQUENCE_PRESENT = 4096
    GRE_ACKNOWLEDGMENT_PRESENT = 128
    GRE_FORBIDDEN = 53112
    GRE_VERSION_MASK = 7
    GRE_CHECKSUM_PRESENT = 32768
    GRE_ROUTING_PRESENT = 16384
    GRE_RESERVED_BITS = 248
    GRE_EOIP_FLAGS = 8193
    GRE_EOIP_TYPE = 25600
    GRE_KEEPALIVE = 0
    GRE_WCCP = 34878
    GRE_ERSPAN = 35006
    GRE_ERSPAN_III = 8939
    GRE_LEAST_SUBNET = 4096

cdef enum:
    PPP_FIRST_CONTROL = 32768
    PPP_FIRST_LINK_CONTROL = 49152
    PPP_HEAD_SIZE = 4
    PPP_IPV4 = 33
    PPP_VJ_COMPRESSED = 45
    PPP_VJ_UNCOMPRESSED = 47
    PPP_MULTILINK = 61
    PPP_IPV6 = 87
    PPP_LINK_COMPRESSED = 251
    PPP_COMPRESSED = 253
    PPP_IPCP = 32801
    PPP_IPV6CP = 32855
    PPP_CCP = 33021
    PPP_LCP = 49185
    PPP_PAP = 49187
    PPP_QUALITY_REPORT = 49189
    PPP_CBCP = 49193
    PPP_BACP = 49195
    PPP_CHAP = 49699
    PPP_EAP = 49703
    PPP_MULTILINK_WHOLE = 192
    PPP_MULTILINK_HEADER = 4
    PPP_MULTILINK_FIRST = 128
    PPP_MULTILINK_LAST = 64
    PPP_MULTILINK_SHORT_HEADER = 2
    PPP_MULTILINK_RESERVED = 63
    PPP_MULTILINK_SHORT_RESERVED = 48
    PPP_CONFIGURE_REQUEST = 1
    PPP_CONFIGURE_ACK = 2
    PPP_CONFIGURE_NAK = 3
    PPP_CONFIGURE_REJECT = 4
    PPP_TERMINATE_REQUEST = 5
    PPP_TERMINATE_ACK = 6
    PPP_ECHO_REQUEST = 9
    PPP_ECHO_REPLY = 10
    PPP_LAST_CBCP = 3
    PPP_LCP_MRU = 1
    PPP_LCP_ACCM = 2
    PPP_LCP_AUTHENTICATION = 3
    PPP_CHAP_MD5 = 5
    PPP_CHAP_SHA1 = 6
    PPP_CHAP_MS = 128
    PPP_CHAP_MS_V2 = 129
    PPP_IPCP_COMPRESSION = 2
    PPP_IPCP_ADDRESS = 3
    PPP_IPV6CP_IDENTIFIER = 1

cdef inline bint in_PPP_WITH_OPTIONS(int number) noexcept nogil:
    return (
        number == 49185
        or number == 49195
    )


cdef inline bint in_PPP_OPENS_NO_NETWORK(int number) noexcept nogil:
    return (
        number == 32851
        or number == 32853
        or number == 33019
        or number == 33021
    )


cdef enum:
    MPPE_OPTION = 18
    MPPE_OPTION_LENGTH = 6
    MPPE_STATELESS = 16777216
    MPPE_BITS_56 = 128
    MPPE_BITS_128 = 64
    MPPE_BITS_40 = 32
    MPPE_MPPC = 1
    MPPE_MPPE_BITS = 224

cdef struct Caps:
    int64_t frame_length
    int64_t captured_length
    int64_t block_length
    int64_t interfaces
    int64_t link_headers
    int64_t network_headers
    int64_t carriers
    int64_t extension_headers
    int64_t datagrams
    int64_t carrier_datagrams
    int64_t datagram_length
    int64_t fragments
    int64_t remembered_octets
    int64_t ppp_options
    int64_t connections
    int64_t connection_rows
    int64_t tunnels
    int64_t calls
    int64_t pieces
    int64_t waiting_octets
    int64_t history
    int64_t held_octets


cdef packed struct MessageRow:
    int64_t time
    uint32_t file
    uint64_t packet
    int64_t record_offset
    int32_t connection
    int32_t call
    uint8_t from_initiator
    uint16_t segments
    uint16_t status
    int64_t row
    uint16_t length
    uint16_t message_type
    uint32_t magic_cookie
    uint16_t control_message_type
    uint16_t reserved0
    uint16_t available

cdef packed struct GreRow:
    int64_t time
    uint32_t file
    uint64_t packet
    int64_t record_offset
    uint16_t flags_and_version
    uint16_t call_id
    uint16_t payload_length
    uint32_t sequence_number
    uint32_t acknowledgment_number
    uint16_t ppp_protocol
    uint16_t available
    int32_t tunnel
    uint32_t skipped
    uint16_t status

cdef packed struct PppRow:
    int64_t time
    uint32_t file
    uint64_t packet
    int64_t record_offset
    int64_t gre
    int32_t tunnel
    uint16_t protocol
    uint8_t code
    uint8_t identifier
    uint16_t length
    uint16_t available
    uint16_t options
    uint16_t status

cdef packed struct PppOptionRow:
    int64_t ppp
    uint8_t type
    uint8_t length
    uint64_t value

cdef packed struct SideRow:
    uint16_t protocol_version
    uint16_t firmware_revision
    uint8_t host_name[64]
    uint8_t vendor_name[64]
    uint64_t messages
    uint64_t segments
    uint64_t data_segments
    uint64_t octets
    uint64_t retransmitted
    uint64_t copies
    uint64_t out_of_order
    uint64_t gaps
    uint64_t gap_octets
    uint64_t conflicts
    uint32_t echo_rtt_samples
    int64_t echo_rtt_min_ns
    int64_t echo_rtt_mean_ns
    uint32_t echo_rtt_unanswered

cdef packed struct ConnectionRow:
    uint8_t initiator_address[16]
    uint8_t responder_address[16]
    uint16_t initiator_port
    uint16_t responder_port
    int16_t vlan
    int16_t inner_vlan
    uint8_t carrier
    int64_t network_id
    int64_t first_time
    int64_t last_time
    uint64_t first_packet
    uint64_t last_packet
    SideRow side[2]
    uint8_t result_code
    uint8_t error_code
    uint8_t present
    uint8_t midstream
    uint8_t end
    uint8_t end_from_initiator
    int64_t end_time
    uint64_t end_packet

cdef packed struct FiguresRow:
    uint64_t packets
    uint64_t payload_octets
    uint64_t acks
    uint32_t first_sequence
    uint32_t last_sequence
    uint64_t lost
    uint64_t duplicated
    uint64_t reordered
    uint64_t copies
    uint64_t ack_delay_samples
    int64_t ack_delay_min_ns
    int64_t ack_delay_mean_ns

cdef packed struct ContentsRow:
    uint64_t ipv4_packets
    uint64_t ipv6_packets
    uint64_t encrypted_packets
    uint64_t compressed_packets
    uint64_t control_packets
    uint64_t multilink_ip_packets
    uint64_t other_packets

cdef packed struct TunnelRow:
    uint8_t source[16]
    uint8_t destination[16]
    uint16_t call_id
    int16_t vlan
    int16_t inner_vlan
    uint8_t carrier
    int64_t network_id
    uint32_t generation
    int32_t call
    uint8_t from_pns
    int64_t first_time
    int64_t last_time
    uint64_t first_packet
    uint64_t last_packet
    FiguresRow figures
    ContentsRow contents

cdef packed struct CallSideRow:
    FiguresRow figures
    uint16_t mru
    uint32_t accm
    uint8_t authentication
    uint8_t eap_method
    uint8_t authentication_asked
    uint8_t authenticated
    uint32_t authentication_error
    uint8_t compression
    uint32_t mppe_bits
    uint16_t ip_compression
    uint8_t ipv4[16]
    uint64_t interface_identifier
    uint32_t lcp_echo_requests
    uint32_t lcp_echo_replies
    uint32_t echo_rtt_samples
    int64_t echo_rtt_min_ns
    int64_t echo_rtt_mean_ns
    uint32_t echo_rtt_unanswered
    uint8_t terminate_reason[64]
    uint8_t name[64]

cdef packed struct CallRow:
    int32_t connection
    int32_t pns_tunnel
    int32_t pac_tunnel
    int64_t request_message
    int64_t reply_message
    int64_t disconnect_message
    uint8_t kind
    uint16_t status
    uint16_t present
    uint8_t pns_address[16]
    uint8_t pac_address[16]
    uint16_t pns_call_id
    uint16_t pac_call_id
    uint16_t call_serial_number
    uint64_t first_packet
    uint64_t last_packet
    int64_t start_time
    int64_t last_time
    int64_t connect_time
    int64_t clear_time
    int64_t disconnect_time
    int64_t end_time
    uint64_t end_packet
    uint8_t end
    uint8_t end_from_pns
    uint8_t phase
    uint8_t reason
    uint8_t ended_by
    uint8_t result_code
    uint8_t error_code
    uint16_t cause_code
    uint8_t disconnect_result_code
    uint8_t disconnect_error_code
    uint16_t disconnect_cause_code
    uint32_t set_link_infos
    uint32_t wan_error_notifies
    CallSideRow side[2]
    uint16_t mru
    uint8_t authentication
    uint8_t authenticated
    uint8_t compression
    uint32_t mppe_bits
    ContentsRow contents

cdef packed struct IssueRow:
    int64_t time
    uint32_t file
    uint64_t packet
    int64_t record_offset
    int32_t connection
    uint8_t layer
    uint8_t kind
    uint64_t needed
    uint64_t had

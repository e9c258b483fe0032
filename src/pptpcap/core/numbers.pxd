"""Numbers and row layouts, generated from ``wire`` by ``tools/generate_numbers.py``: do not edit."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

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
    KIND_CORRUPT_COMPRESSION = 14
    KIND_SKIPPED_OCTETS = 15
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
    COUNT_GRE_PACKETS = 10
    COUNT_GRE_OTHER = 11
    COUNT_DATAGRAMS_REASSEMBLED = 12

cdef enum:
    COUNTERS = 13
    RECORD_CHAIN = 4
    BLOCK_CHAIN = 3
    CHAIN_SECONDS = 86400
    SECTION_HEADER_BLOCK = 168627466
    INTERFACE_DESCRIPTION_BLOCK = 1
    PACKET_BLOCK = 2
    SIMPLE_PACKET_BLOCK = 3
    ENHANCED_PACKET_BLOCK = 6
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
    WINDOW = 1073741824
    RESET_WINDOW = 1048576

cdef enum:
    LINK_NULL = 0
    LINK_ETHERNET = 1
    LINK_RAW_OPENBSD = 12
    LINK_RAW_BSDOS = 14
    LINK_RAW = 101
    LINK_LOOP = 108
    LINK_LINUX_SLL = 113
    LINK_IPV4 = 228
    LINK_IPV6 = 229
    LINK_LINUX_SLL2 = 276
    LINK_PPP = 9
    LINK_PPP_HDLC = 50
    LINK_PPP_ETHER = 51
    LINK_C_HDLC = 104
    LINK_IEEE802_11 = 105
    LINK_RADIOTAP = 127
    LINK_PPP_WITH_DIRECTION = 204

cdef enum:
    GRE_PROTOCOL_TYPE = 34827
    GRE_VERSION = 1
    GRE_FIXED_SIZE = 8
    GRE_KEY_PRESENT = 8192
    GRE_SEQUENCE_PRESENT = 4096
    GRE_ACKNOWLEDGMENT_PRESENT = 128
    GRE_FORBIDDEN = 53112
    GRE_VERSION_MASK = 7

cdef packed struct MessageRow:
    int64_t time
    uint32_t file
    uint64_t packet
    int64_t record_offset
    int32_t connection
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
    uint16_t status

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
    uint64_t out_of_order
    uint64_t gaps
    uint64_t gap_octets
    uint64_t conflicts

cdef packed struct ConnectionRow:
    uint8_t initiator_address[16]
    uint8_t responder_address[16]
    uint16_t initiator_port
    uint16_t responder_port
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

cdef packed struct TunnelRow:
    uint8_t source[16]
    uint8_t destination[16]
    uint16_t call_id
    int64_t first_time
    int64_t last_time
    uint64_t first_packet
    uint64_t last_packet
    uint64_t packets
    uint64_t payload_octets
    uint64_t acks
    uint32_t first_sequence
    uint32_t last_sequence

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

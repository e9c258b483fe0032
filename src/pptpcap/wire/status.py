"""Status bits of rows, layers and kinds of issues, ends of connections.

A number is never reused, because exported files have it; names are what people see.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class MessageStatus(IntFlag):
    """Bits of ``messages.status``."""

    CUT = 0x0001  # octets of the message are missing: `available` < `length`
    WRONG_LENGTH = 0x0002  # `length` is not the fixed size of the type
    UNKNOWN_TYPE = 0x0004  # control message type 0 or above 15
    MANAGEMENT = 0x0008  # message type is not 1: nothing but the header is defined
    AFTER_GAP = 0x0010  # first message after lost octets
    RESYNCHRONISED = 0x0020  # first message after a resynchronisation
    MIDSTREAM = 0x0040  # first message of a direction whose start is not in the capture
    OVERLAP_CONFLICT = 0x0080  # another copy of some of its octets was different
    BAD_CHECKSUM = 0x0100  # octets come from a segment whose TCP checksum does not verify
    AFTER_CLOSE = 0x0200  # octets came after the sender's FIN or after a reset
    URGENT = 0x0400  # octets come from a segment with the URG flag
    NUMBER_LENGTH = 0x0800  # a number's length field exceeds the field that it counts
    TEXT_TAIL = 0x1000  # octets other than zero stand behind the first zero of a text field
    TIME_FRACTION = 0x2000  # the packet's time has a fraction of a second or more
    FRAGMENTED = 0x4000  # octets came in IP fragments


class GreStatus(IntFlag):
    """Bits of ``gre.status``."""

    HEADER_CUT = 0x0001  # the capture ends inside the GRE header; missing fields are 0
    PAYLOAD_CUT = 0x0002  # PPP octets were on the wire and are not in the capture
    PAYLOAD_SHORT = 0x0004  # the packet itself has fewer octets than `payload_length`
    PAYLOAD_SURPLUS = 0x0008  # the packet has octets behind the payload
    FORBIDDEN_FLAGS = 0x0010  # C, R, s, recursion or reserved flags are set
    NO_KEY = 0x0020  # K is clear: PPTP requires it
    NO_SEQUENCE = 0x0040  # S is clear, yet `payload_length` is not 0
    EMPTY_SEQUENCE = 0x0080  # S is set, yet `payload_length` is 0
    NO_PROTOCOL = 0x0100  # the payload holds no valid PPP protocol number
    FRAGMENTED = 0x0200  # the packet came in IP fragments
    TIME_FRACTION = 0x0400  # the packet's time has a fraction of a second or more


class PppStatus(IntFlag):
    """Bits of ``ppp.status``."""

    CUT = 0x0001  # octets of the packet are not in the capture: `available` < `length`
    HEAD_CUT = 0x0002  # code, identifier and length are not all in the capture; missing ones are 0
    MALFORMED = 0x0004  # the length is impossible
    PADDED = 0x0008  # bytes follow the end that the length gives
    BAD_OPTION = 0x0010  # an option's length is impossible; the list ends there
    OPTION_LIMIT = 0x0020  # more options than are listed
    BAD_FIELD = 0x0040  # a length inside an authentication packet is more than there is
    MULTILINK = 0x0080  # the packet is a multilink fragment that is a whole packet
    NO_SEQUENCE = 0x0100  # the GRE packet has no sequence number, so no real stack would take it
    NO_HEAD = 0x0200  # a link quality report, which has no code, identifier and length


class Layer(IntEnum):
    """Where an issue was found."""

    CONTAINER = 1
    LINK = 2
    IP = 3
    TCP = 4
    CONTROL = 5
    GRE = 6
    PPP = 7


class Kind(IntEnum):
    """What an issue is; `needed` and `had` mean what the comment says."""

    # container
    TRUNCATED_RECORD = 1  # octets that the record needs, octets that the file has
    CORRUPT_RECORD = 2  # greatest captured length, captured length
    CAPTURED_EXCEEDS_ORIGINAL = 3  # original length, captured length
    TIME_FRACTION = 4  # ticks in a second, fraction
    CORRUPT_BLOCK = 5  # value that would be right or the nearest that is, value found
    UNKNOWN_INTERFACE = 6  # interfaces that the section has, interface number
    BAD_OPTION = 7  # length or greatest value that is right, value found
    TIME_RANGE = 8  # 0, whole seconds of a time that no datetime64[ns] can hold
    CAPTURED_EXCEEDS_BLOCK = 9  # captured length, octets of the block
    # link
    UNSUPPORTED_LINK = 10  # interface number, link type; once per interface
    FRAME_CUT = 11  # octets of the header, octets captured
    TOO_DEEP = 12  # greatest number of headers, one more
    INTERFACE_LIMIT = 13  # cap that was reached, one more
    # container again
    CORRUPT_COMPRESSION = 14  # octets decompressed before, 0
    SKIPPED_OCTETS = 15  # offset at which the walk continues, octets skipped from the corrupt record on
    # IP
    HEADER_CUT = 20  # octets of the header, octets captured (IP, TCP, control, GRE)
    MALFORMED = 21  # least legal value, value found (IP, TCP)
    LENGTH_EXCEEDS_FRAME = 22  # total length, octets that were on the wire
    FRAGMENT_CONFLICT = 23  # octets compared, octets that differ
    FRAGMENT_INCOMPLETE = 24  # octets of the datagram (0: unknown), octets that came
    FRAGMENT_TOO_LONG = 25  # greatest length, length
    FRAGMENT_LIMIT = 26  # cap that was reached, one more
    # TCP
    GAP = 30  # octets lost, 0
    OVERLAP_CONFLICT = 31  # octets compared, octets that differ
    OUT_OF_WINDOW = 32  # greatest distance, distance
    RESET_IGNORED = 33  # greatest distance, distance
    EVICTED = 34  # cap that was reached, one more
    WAITING_LIMIT = 35  # cap that was reached, value found
    BAD_CHECKSUM = 36  # checksum that verifies, checksum found
    # control
    MESSAGE_CUT = 40  # length, octets there were (end of stream or gap, not the snap length)
    WRONG_LENGTH = 41  # size of the type, length
    WRONG_COOKIE = 42  # 0x1A2B3C4D, cookie
    BAD_LENGTH = 43  # nearest legal length, length
    UNKNOWN_TYPE = 44  # 0, control message type
    MANAGEMENT = 45  # 1, message type
    SKIPPED = 46  # 0, octets skipped in search of a header
    NUMBER_LENGTH = 47  # width of the field, length given
    # GRE
    WRONG_VERSION = 60  # 1, version (protocol type is 0x880B)
    FORBIDDEN_FLAGS = 61  # 0, the forbidden bits
    NO_KEY = 62  # K bit, 0
    PAYLOAD_SHORT = 63  # payload length, octets that were on the wire
    NO_SEQUENCE = 64  # 0, payload length
    # PPP
    NO_PROTOCOL = 70  # 0, octets of the payload
    PPP_OPTION = 71  # octets left (2: one octet is none), length
    PPP_OPTION_LIMIT = 72  # cap that was reached, one more
    PPP_LENGTH = 73  # nearest legal length, length
    PPP_FIELD = 74  # octets that lengths inside claim, octets behind the head
    # calls
    UNKNOWN_CALL = 80  # 0, call id of a message that belongs to no call
    # rows that stay until the end: connections in layer TCP, tunnels in layer GRE, calls in layer control
    ENTITY_LIMIT = 81  # cap that was reached, one more; once a layer


class End(IntEnum):
    """What ended a control connection: ``connections.end``."""

    OPEN = 0  # the capture ends first
    FIN = 1
    RST = 2
    NEW_CONNECTION = 3  # the same addresses and ports were used again
    EVICTED = 4  # state was dropped at a cap


class Present(IntFlag):
    """Bits of ``connections.present``: which Start-Control-Connection fields were seen."""

    INITIATOR = 0x01
    RESPONDER = 0x02
    RESULT = 0x04


class CallKind(IntEnum):
    """Who asked for a call: ``calls.kind``."""

    UNKNOWN = 0  # no request and no reply was seen
    OUTGOING = 1  # the PNS asked the PAC to dial
    INCOMING = 2  # the PAC told the PNS of a caller


class CallEnd(IntEnum):
    """What ended a call: ``calls.end``."""

    OPEN = 0  # the capture ends first
    CALL_CLEAR = 1  # a Call-Clear-Request, and nothing that ends the call was seen behind it
    DISCONNECT_NOTIFY = 2
    STOP = 3  # a Stop-Control-Connection-Request
    FIN = 4  # of the control connection
    RST = 5  # of the control connection
    NEW_CONNECTION = 6  # the addresses and ports of the control connection were used again
    EVICTED = 7  # state of the control connection was dropped at a cap
    REFUSED = 8  # a reply whose result code is not 1
    SILENCE = 9  # nothing was seen of it for two minutes before the capture ends


class CallStatus(IntFlag):
    """Bits of ``calls.status``."""

    REQUEST_NOT_SEEN = 0x0001  # control messages tell of it, its request is not among them
    ROLES_ASSUMED = 0x0002  # no message told who the PNS is: it is the sender of the first packet
    OTHER_ID = 0x0004  # a Call-Clear-Request or Call-Disconnect-Notify had the id of its receiver
    TUNNEL_INFERRED = 0x0008  # a tunnel was joined by its addresses alone


class CallPresent(IntFlag):
    """Bits of ``calls.present``: which columns were on the wire."""

    PNS_CALL_ID = 0x0001  # in a message or in Enhanced GRE
    PAC_CALL_ID = 0x0002  # in a message or in Enhanced GRE
    SERIAL = 0x0004
    RESULT = 0x0008
    DISCONNECT = 0x0010
    PNS_TERMINATE = 0x0020
    PAC_TERMINATE = 0x0040


class Authentication(IntEnum):
    """How one side of a PPP link proves who it is."""

    NOT_SEEN = 0
    NONE = 1  # LCP was agreed on without it
    PAP = 2
    CHAP_MD5 = 3
    CHAP_SHA1 = 4
    MS_CHAP = 5
    MS_CHAP_V2 = 6
    EAP = 7
    OTHER = 8


class Authenticated(IntEnum):
    """What became of it."""

    NOT_SEEN = 0
    YES = 1
    REFUSED = 2


class Compression(IntEnum):
    """What CCP agreed on for one direction."""

    NOT_SEEN = 0
    NONE = 1  # CCP was agreed on without any method
    MPPE = 2
    MPPC = 3
    DEFLATE = 4
    BSD_COMPRESS = 5
    PREDICTOR = 6
    STAC_LZS = 7
    OTHER = 8

"""Status bits of rows, layers and kinds of issues, ends of connections.

Numbers never change, because exported files hold them.  The comment of a member is its meaning in ``docs/tables.md``;
``issues`` has the meanings of kinds.  Knows no packet.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class MessageStatus(IntFlag):
    """Bits of ``messages.status``."""

    CUT = 0x0001  # octets of the message are missing: `available` < `length`
    WRONG_LENGTH = 0x0002  # `length` is not the fixed size of the type
    UNKNOWN_TYPE = 0x0004  # control message type 0 or above 15
    MANAGEMENT = 0x0008  # message type is not 1: nothing but the header is defined
    AFTER_GAP = 0x0010  # first message after a gap
    RESYNCHRONISED = 0x0020  # first message after the cutter was out of step
    MIDSTREAM = 0x0040  # first message of a direction whose start is not in the capture
    OVERLAP_CONFLICT = 0x0080  # another copy of some of its octets was different
    BAD_CHECKSUM = 0x0100  # a segment of the message has a wrong TCP checksum
    AFTER_CLOSE = 0x0200  # octets arrived after the sender's FIN or after a reset
    URGENT = 0x0400  # a segment of the message has the URG flag
    NUMBER_LENGTH = 0x0800  # a number's length field exceeds the field that it counts
    TEXT_TAIL = 0x1000  # a text field has octets other than zero behind its first zero
    TIME_FRACTION = 0x2000  # the fraction in the packet's time is a full second or more
    FRAGMENTED = 0x4000  # octets arrived in IP fragments


class GreStatus(IntFlag):
    """Bits of ``gre.status``."""

    HEADER_CUT = 0x0001  # the capture ends inside the GRE header; missing fields are 0
    PAYLOAD_CUT = 0x0002  # PPP octets that were on the wire are not in the capture
    PAYLOAD_SHORT = 0x0004  # the packet itself has fewer octets than `payload_length`
    PAYLOAD_SURPLUS = 0x0008  # the packet has octets behind the payload
    FORBIDDEN_FLAGS = 0x0010  # C, R, s, recursion or reserved flags are set
    NO_KEY = 0x0020  # K is clear: PPTP requires it
    NO_SEQUENCE = 0x0040  # S is clear, yet `payload_length` is not 0
    EMPTY_SEQUENCE = 0x0080  # S is set, yet `payload_length` is 0
    NO_PROTOCOL = 0x0100  # the payload holds no valid PPP protocol number
    FRAGMENTED = 0x0200  # the packet arrived in IP fragments
    TIME_FRACTION = 0x0400  # the fraction in the packet's time is a full second or more
    DUPLICATED = 0x0800  # a packet of the tunnel with the same sequence number arrived before
    REORDERED = 0x1000  # a packet of the tunnel with a higher sequence number arrived before, and none with the same
    MULTILINK_IP = 0x2000  # a multilink fragment that begins an IPv4 or IPv6 packet in clear


#: A packet that does not have the highest number of its tunnel so far.
OUT_OF_TURN = GreStatus.DUPLICATED | GreStatus.REORDERED


class PppStatus(IntFlag):
    """Bits of ``ppp.status``."""

    CUT = 0x0001  # octets of the packet are not in the capture: `available` < `length`
    HEAD_CUT = 0x0002  # code, identifier and length are not all in the capture; missing ones are 0
    MALFORMED = 0x0004  # the length is impossible
    PADDED = 0x0008  # the packet has octets behind its length
    BAD_OPTION = 0x0010  # the length of an option is impossible; the list ends there
    OPTION_LIMIT = 0x0020  # the packet has more options than the cap `ppp_options`
    BAD_FIELD = 0x0040  # a length inside an authentication packet exceeds the packet
    MULTILINK = 0x0080  # the packet is inside a multilink fragment that holds all of it
    NO_SEQUENCE = 0x0100  # the GRE packet has no sequence number; a PPTP endpoint drops it
    NO_HEAD = 0x0200  # a link quality report, which has no code, identifier or length


#: A packet of PPP without a whole head: it says nothing.
HEADLESS = PppStatus.HEAD_CUT | PppStatus.MALFORMED | PppStatus.NO_HEAD


class Layer(IntEnum):
    """Where an issue was found."""

    CONTAINER = 1  # records, blocks and compression of the file
    LINK = 2  # link headers
    IP = 3  # IP headers and fragments
    TCP = 4  # TCP headers, connections and streams
    CONTROL = 5  # control messages and the calls that they tell of
    GRE = 6  # Enhanced GRE and tunnels
    PPP = 7  # PPP inside Enhanced GRE


class Severity(IntEnum):
    """What an issue says of the capture, by its kind; the worst first."""

    DAMAGE = 1  # the file is damaged or wrong
    VIOLATION = 2  # octets on the wire break a rule of their protocol, or contradict each other
    LOSS = 3  # octets that were on the wire are not in the capture
    LIMIT = 4  # a cap was reached: what is beyond it is not read
    NOTE = 5  # nothing is wrong with the octets, but a reader should know


class Kind(IntEnum):
    """What an issue is; ``issues`` says what `needed` and `had` mean."""

    # container
    TRUNCATED_RECORD = 1
    CORRUPT_RECORD = 2
    CAPTURED_EXCEEDS_ORIGINAL = 3
    TIME_FRACTION = 4
    CORRUPT_BLOCK = 5
    UNKNOWN_INTERFACE = 6
    BAD_OPTION = 7
    TIME_RANGE = 8
    CAPTURED_EXCEEDS_BLOCK = 9
    # link
    UNSUPPORTED_LINK = 10
    FRAME_CUT = 11
    TOO_DEEP = 12
    INTERFACE_LIMIT = 13
    # link and IP
    UNFOLLOWED = 18
    # container again
    CORRUPT_COMPRESSION = 14
    SKIPPED_OCTETS = 15
    CLOCK_BACK = 16
    CLOCK_STANDS = 17
    # IP
    HEADER_CUT = 20
    MALFORMED = 21
    LENGTH_EXCEEDS_FRAME = 22
    FRAGMENT_CONFLICT = 23
    FRAGMENT_INCOMPLETE = 24
    FRAGMENT_TOO_LONG = 25
    FRAGMENT_LIMIT = 26
    # TCP
    GAP = 30
    OVERLAP_CONFLICT = 31
    OUT_OF_WINDOW = 32
    RESET_IGNORED = 33
    EVICTED = 34
    WAITING_LIMIT = 35
    BAD_CHECKSUM = 36
    # control
    MESSAGE_CUT = 40
    WRONG_LENGTH = 41
    WRONG_COOKIE = 42
    BAD_LENGTH = 43
    UNKNOWN_TYPE = 44
    MANAGEMENT = 45
    SKIPPED = 46
    NUMBER_LENGTH = 47
    # GRE
    WRONG_VERSION = 60
    FORBIDDEN_FLAGS = 61
    NO_KEY = 62
    PAYLOAD_SHORT = 63
    NO_SEQUENCE = 64
    # PPP
    NO_PROTOCOL = 70
    PPP_OPTION = 71
    PPP_OPTION_LIMIT = 72
    PPP_LENGTH = 73
    PPP_FIELD = 74
    # calls
    UNKNOWN_CALL = 80
    # rows that stay until the end: connections in layer TCP, tunnels in layer GRE, calls in layer control
    ENTITY_LIMIT = 81
    SHARED_ID = 82
    # files
    ZEROS = 90
    NO_PACKETS = 91
    FILES_OUT_OF_ORDER = 92
    # files of other formats and in archives
    NO_CAPTURE = 93
    LOCAL_TIME = 94
    MISSING_RECORDS = 95
    DROPPED_PACKETS = 96
    # files that are followed
    BEGUN_ANEW = 97


class End(IntEnum):
    """What ended a control connection: ``connections.end``."""

    OPEN = 0  # the capture ends first
    FIN = 1  # one side sent FIN
    RST = 2  # one side sent a reset
    NEW_CONNECTION = 3  # a new connection used the same addresses and ports
    EVICTED = 4  # the state was dropped at a cap


class Present(IntFlag):
    """Bits of ``connections.present``: which Start-Control-Connection fields were seen."""

    INITIATOR = 0x01  # what the initiator says in its Start-Control-Connection message
    RESPONDER = 0x02  # what the responder says in its Start-Control-Connection message
    RESULT = 0x04  # the codes of a Start-Control-Connection-Reply


class CallKind(IntEnum):
    """Who asked for a call: ``calls.kind``."""

    UNKNOWN = 0  # no request and no reply was seen
    OUTGOING = 1  # the PNS asked the PAC to dial
    INCOMING = 2  # the PAC told the PNS of a caller


class CallPhase(IntEnum):
    """The furthest step of a call that was seen: ``calls.phase``."""

    NONE = 0  # no step was seen
    REQUESTED = 1  # a request or a reply
    CONNECTED = 2  # a reply that connects, Incoming-Call-Connected, or Enhanced GRE
    LINK = 3  # each side that was captured acknowledged LCP
    AUTHENTICATED = 4  # the same, and one side accepted the other
    NETWORK = 5  # each side that was captured acknowledged IPCP, IPv6CP or the like; or there are inner packets


class CallReason(IntEnum):
    """Why a call ended: ``calls.reason``."""

    OPEN = 0  # the capture has no end of it
    REFUSED = 1  # the reply said so
    NO_REPLY = 2  # the request had no reply
    ONE_WAY = 3  # one side sent LCP, and no PPP of the other side came back
    LINK_NOT_AGREED = 4  # both sides sent LCP, and it never opened
    AUTHENTICATION_NOT_AGREED = 5  # one side asked for authentication, the other would not
    AUTHENTICATION_FAILED = 6  # one side refused the other
    NETWORK_NOT_AGREED = 7  # the link was ready, and no network protocol opened
    PEER_SILENT = 8  # the side that ended it had no answer to its last echoes, of LCP or of the control connection
    TERMINATED = 9  # an LCP Terminate-Request
    DISCONNECTED = 10  # a Call-Disconnect-Notify
    CLEARED = 11  # a Call-Clear-Request or a Stop-Control-Connection-Request
    CONNECTION_LOST = 12  # the control connection ended without any of these
    SILENCE = 13  # one side went on for more than two minutes, and nothing came of the other


class Side(IntEnum):
    """Which side of a call: ``calls.ended_by``."""

    NONE = 0  # neither, or not known
    PNS = 1  # the PPTP network server, as a rule the client
    PAC = 2  # the PPTP access concentrator, as a rule the server


class CallEnd(IntEnum):
    """What ended a call on its control connection: ``calls.end``."""

    OPEN = 0  # the capture has no end of it
    CALL_CLEAR = 1  # a Call-Clear-Request
    DISCONNECT_NOTIFY = 2  # a Call-Disconnect-Notify
    STOP = 3  # a Stop-Control-Connection-Request
    FIN = 4  # a FIN of the control connection
    RST = 5  # a reset of the control connection
    NEW_CONNECTION = 6  # a new connection used the same addresses and ports
    EVICTED = 7  # the state of the control connection was dropped at a cap
    REFUSED = 8  # a reply whose result code is not 1
    SILENCE = 9  # one side went on for more than two minutes, and nothing came of the other


class CallStatus(IntFlag):
    """Bits of ``calls.status``."""

    REQUEST_NOT_SEEN = 0x0001  # control messages of the call were seen, but not its request
    ROLES_ASSUMED = 0x0002  # no message says who the PNS is; the sender of the first packet is taken to be it
    OTHER_ID = 0x0004  # a Call-Clear-Request or Call-Disconnect-Notify carries the id of its receiver
    TUNNEL_INFERRED = 0x0008  # a tunnel joined the call by its addresses alone
    ROLES_FROM_PPP = 0x0010  # no message says who the PNS is; the side that authenticates the other is the PAC
    SHARED_ID = (
        0x0020  # another call between the same addresses got one of its ids before it ended, or it got one of another
    )


class CallPresent(IntFlag):
    """Bits of ``calls.present``: which values were seen."""

    PNS_CALL_ID = 0x0001  # the id that the PNS assigned, in a message or in Enhanced GRE
    PAC_CALL_ID = 0x0002  # the id that the PAC assigned, in a message or in Enhanced GRE
    SERIAL = 0x0004  # the serial number, in the request
    RESULT = 0x0008  # the codes of the reply
    DISCONNECT = 0x0010  # a Call-Disconnect-Notify
    PNS_TERMINATE = 0x0020  # an LCP Terminate-Request of the PNS
    PAC_TERMINATE = 0x0040  # an LCP Terminate-Request of the PAC


class Authentication(IntEnum):
    """How one side of a PPP link proves its identity."""

    NOT_SEEN = 0  # neither agreed on nor seen
    NONE = 1  # LCP was agreed on without authentication
    PAP = 2  # PAP (RFC 1334)
    CHAP_MD5 = 3  # CHAP with MD5 (RFC 1994)
    CHAP_SHA1 = 4  # CHAP with SHA-1
    MS_CHAP = 5  # MS-CHAP (RFC 2433)
    MS_CHAP_V2 = 6  # MS-CHAP-V2 (RFC 2759)
    EAP = 7  # EAP (RFC 3748)
    OTHER = 8  # any other protocol or algorithm


class EapMethod(IntEnum):
    """The type of an EAP Response that names a method: ``calls.pns_eap_method``, ``calls.pac_eap_method``."""

    MD5 = 4  # MD5-Challenge (RFC 3748)
    OTP = 5  # One-Time Password (RFC 3748)
    GTC = 6  # Generic Token Card (RFC 3748)
    TLS = 13  # EAP-TLS (RFC 5216)
    LEAP = 17  # Cisco LEAP
    SIM = 18  # EAP-SIM (RFC 4186)
    TTLS = 21  # EAP-TTLS (RFC 5281)
    AKA = 23  # EAP-AKA (RFC 4187)
    PEAP = 25  # PEAP
    MS_CHAP_V2 = 26  # MS-CHAP-V2 as Microsoft carries it in EAP
    FAST = 43  # EAP-FAST (RFC 4851)
    PSK = 47  # EAP-PSK (RFC 4764)
    IKEV2 = 49  # EAP-IKEv2 (RFC 5106)
    AKA_PRIME = 50  # EAP-AKA' (RFC 5448)
    PWD = 52  # EAP-pwd (RFC 5931)
    TEAP = 55  # TEAP (RFC 7170)


class Authenticated(IntEnum):
    """The outcome of an authentication."""

    NOT_SEEN = 0  # no outcome was seen
    YES = 1  # the peer accepted it
    REFUSED = 2  # the peer refused it


class Compression(IntEnum):
    """What CCP agreed on for one direction."""

    NOT_SEEN = 0  # no Configure-Ack of CCP was seen
    NONE = 1  # CCP was agreed on without a method
    MPPE = 2  # MPPE encryption (RFC 3078), with or without MPPC
    MPPC = 3  # MPPC (RFC 2118)
    DEFLATE = 4  # Deflate (RFC 1979)
    BSD_COMPRESS = 5  # BSD Compress (RFC 1977)
    PREDICTOR = 6  # Predictor (RFC 1978)
    STAC_LZS = 7  # Stac LZS (RFC 1974)
    OTHER = 8  # any other method

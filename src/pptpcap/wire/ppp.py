"""PPP inside Enhanced GRE: protocol numbers, codes, and the options that relating reads (RFC 1661).

Must not know packets.
"""

from __future__ import annotations

ADDRESS_CONTROL = b"\xff\x03"

# Protocols of this number and above control a link or a network protocol.
FIRST_CONTROL = 0x8000
FIRST_LINK_CONTROL = 0xC000
HEAD_SIZE = 4

IPV4 = 0x0021
VJ_COMPRESSED = 0x002D
VJ_UNCOMPRESSED = 0x002F
MULTILINK = 0x003D
IPV6 = 0x0057
LINK_COMPRESSED = 0x00FB
COMPRESSED = 0x00FD
IPCP = 0x8021
IPV6CP = 0x8057
CCP = 0x80FD
LCP = 0xC021
PAP = 0xC023
QUALITY_REPORT = 0xC025
CBCP = 0xC029
BACP = 0xC02B
CHAP = 0xC223
EAP = 0xC227

# Protocols from FIRST_LINK_CONTROL on whose Configure packets have options; those below all have them.
WITH_OPTIONS = frozenset({LCP, BACP})

# Protocols below FIRST_LINK_CONTROL that open no network: encryption and compression, and those of one link (RFC 1968,
# RFC 1962).
OPENS_NO_NETWORK = frozenset({0x8053, 0x8055, 0x80FB, CCP})

# A multilink fragment that begins and ends a packet, behind the header of 4 octets (RFC 1990 section 3).
MULTILINK_WHOLE = 0xC0
MULTILINK_HEADER = 4
# The bits of its first and last fragment; the header with short sequence numbers; reserved bits of both headers.
MULTILINK_FIRST = 0x80
MULTILINK_LAST = 0x40
MULTILINK_SHORT_HEADER = 2
MULTILINK_RESERVED = 0x3F
MULTILINK_SHORT_RESERVED = 0x30

CONFIGURE_REQUEST = 1
CONFIGURE_ACK = 2
CONFIGURE_NAK = 3
CONFIGURE_REJECT = 4
TERMINATE_REQUEST = 5
TERMINATE_ACK = 6
ECHO_REQUEST = 9
ECHO_REPLY = 10
LAST_CBCP = 3

LCP_MRU = 1
LCP_ACCM = 2
LCP_AUTHENTICATION = 3
# Algorithms of CHAP (RFC 1994, RFC 2433, RFC 2759).
CHAP_MD5 = 5
CHAP_SHA1 = 6
CHAP_MS = 0x80
CHAP_MS_V2 = 0x81
IPCP_COMPRESSION = 2
IPCP_ADDRESS = 3
IPV6CP_IDENTIFIER = 1

CODES: dict[int, str] = {
    0: "Vendor-Specific",
    1: "Configure-Request",
    2: "Configure-Ack",
    3: "Configure-Nak",
    4: "Configure-Reject",
    5: "Terminate-Request",
    6: "Terminate-Ack",
    7: "Code-Reject",
    8: "Protocol-Reject",
    9: "Echo-Request",
    10: "Echo-Reply",
    11: "Discard-Request",
    12: "Identification",
    13: "Time-Remaining",
    14: "Reset-Request",
    15: "Reset-Ack",
}
# Protocols whose codes mean something else.
CODES_OF: dict[int, dict[int, str]] = {
    PAP: {1: "Authenticate-Request", 2: "Authenticate-Ack", 3: "Authenticate-Nak"},
    CHAP: {1: "Challenge", 2: "Response", 3: "Success", 4: "Failure"},
    EAP: {1: "Request", 2: "Response", 3: "Success", 4: "Failure"},
    CBCP: {1: "Request", 2: "Response", 3: "Ack"},
}

PROTOCOLS: dict[int, str] = {
    0x0001: "padding",
    0x0003: "ROHC small",
    0x0005: "ROHC large",
    0x0021: "IPv4",
    0x0029: "AppleTalk",
    0x002B: "IPX",
    0x002D: "VJ compressed TCP/IP",
    0x002F: "VJ uncompressed TCP/IP",
    0x0031: "bridging PDU",
    0x003D: "multilink",
    0x003F: "NetBIOS framing",
    0x0053: "encryption",
    0x0055: "per-link encryption",
    0x0057: "IPv6",
    0x0059: "PPP multiplexing",
    0x00FB: "per-link compressed datagram",
    0x00FD: "compressed datagram",
    0x0281: "MPLS unicast",
    0x0283: "MPLS multicast",
    0x8021: "IPCP",
    0x8029: "ATCP",
    0x802B: "IPXCP",
    0x8031: "BCP",
    0x803D: "multilink control",
    0x803F: "NBFCP",
    0x8053: "ECP",
    0x8057: "IPv6CP",
    0x8059: "PPPMuxCP",
    0x80FB: "per-link CCP",
    0x80FD: "CCP",
    0x8281: "MPLSCP",
    0xC021: "LCP",
    0xC023: "PAP",
    0xC025: "LQR",
    0xC027: "SPAP",
    0xC029: "CBCP",
    0xC02B: "BACP",
    0xC02D: "BAP",
    0xC123: "old SPAP",
    0xC223: "CHAP",
    0xC227: "EAP",
}

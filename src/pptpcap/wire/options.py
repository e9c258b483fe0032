"""Options of PPP control protocols and what else engines need not know of them: names for people (RFC 1661).

Must not know packets.
"""

from __future__ import annotations

from .ppp import BACP, CBCP, CCP, CHAP, EAP, IPCP, IPV6CP, LCP, PAP

# Protocols that engines know by number alone.
LINK_CCP = 0x80FB
SPAP = 0xC027
OLD_SPAP = 0xC123

# Codes with which a side refuses or accepts the other (RFC 1334, 1994, 3748).
REFUSALS = {PAP: 3, CHAP: 4, EAP: 4}
SUCCESSES = {PAP: 2, CHAP: 3, EAP: 3}
# Protocol-Reject of LCP (RFC 1661 section 5.7).
PROTOCOL_REJECT = 8
# Reset-Request and Reset-Ack of CCP and ECP, which come with each loss (RFC 1962).
RESETS = (14, 15)

# Types of options.  LCP.
MRU = 1
ACCM = 2
AUTHENTICATION = 3
QUALITY = 4
MAGIC_NUMBER = 5
CALLBACK = 13
MRRU = 17
ENDPOINT = 19
# Of IPCP and IPv6CP.
IP_COMPRESSION = 2
IP_ADDRESSES = frozenset({3, 4, 129, 130, 131, 132})
INTERFACE_IDENTIFIER = 1

_CCP: dict[int, str] = {
    0: "OUI",
    1: "Predictor-1",
    2: "Predictor-2",
    3: "Puddle-Jumper",
    16: "HP-PPC",
    17: "Stac-LZS",
    18: "MPPE",
    19: "Gandalf-FZA",
    20: "V.42bis",
    21: "BSD-Compress",
    23: "LZS-DCP",
    24: "Deflate-Draft",
    26: "Deflate",
}
# By protocol and type (RFC 1332, 1570, 1661, 1662, 1877, 1962, 1990, 2125, 3078, 5072).
OPTIONS: dict[int, dict[int, str]] = {
    LCP: {
        0: "Vendor-Specific",
        MRU: "MRU",
        ACCM: "ACCM",
        AUTHENTICATION: "Authentication-Protocol",
        QUALITY: "Quality-Protocol",
        MAGIC_NUMBER: "Magic-Number",
        7: "PFC",
        8: "ACFC",
        9: "FCS-Alternatives",
        10: "Self-Describing-Padding",
        CALLBACK: "Callback",
        15: "Compound-Frames",
        MRRU: "MRRU",
        18: "Short-Sequence-Numbers",
        ENDPOINT: "Endpoint-Discriminator",
        23: "Link-Discriminator",
        27: "Multilink-Header-Format",
    },
    IPCP: {
        1: "IP-Addresses",
        IP_COMPRESSION: "IP-Compression-Protocol",
        3: "IP-Address",
        4: "Mobile-IPv4",
        129: "Primary-DNS",
        130: "Primary-NBNS",
        131: "Secondary-DNS",
        132: "Secondary-NBNS",
    },
    IPV6CP: {INTERFACE_IDENTIFIER: "Interface-Identifier", 2: "IPv6-Compression-Protocol"},
    CCP: _CCP,
    LINK_CCP: _CCP,
    BACP: {1: "Favored-Peer"},
    CBCP: {1: "No-Callback", 2: "User-Specified-Number", 3: "Administrator-Specified-Number", 4: "List-of-Numbers"},
}
# What the octet of an LCP Callback option asks for (RFC 1570 section 2.3; 6 is Microsoft's CBCP).
CALLBACKS: dict[int, str] = {
    0: "by authentication",
    1: "dialing string",
    2: "location",
    3: "E.164 number",
    4: "distinguished name",
    6: "CBCP",
}
# Classes of an LCP Endpoint-Discriminator (RFC 1990 section 5.1.3).
ENDPOINTS: dict[int, str] = {
    0: "null",
    1: "local",
    2: "IPv4",
    3: "MAC",
    4: "magic numbers",
    5: "directory number",
}
# Error codes in the text of an MS-CHAP Failure (RFC 2433 section 6, RFC 2759 section 6).
MS_CHAP_ERRORS: dict[int, str] = {
    646: "restricted logon hours",
    647: "account disabled",
    648: "password expired",
    649: "no dial-in permission",
    691: "authentication failure",
    709: "error changing the password",
}

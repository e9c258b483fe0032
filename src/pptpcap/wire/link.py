"""Link types, and the numbers that lead from a link header to IP.

Must not know packets.
"""

from __future__ import annotations

ETHERNET = 1
RAW = 101
RAW_OPENBSD = 12
RAW_BSDOS = 14
IPV4 = 228
IPV6 = 229
NULL = 0
LOOP = 108
LINUX_SLL = 113
LINUX_SLL2 = 276
PPP = 9
PPP_HDLC = 50
PPP_ETHER = 51
C_HDLC = 104
IEEE802_11 = 105
RADIOTAP = 127
PRISM = 119
AVS = 163
PPP_WITH_DIRECTION = 204

# Link types whose headers are alike: none, an address family, PPP or Cisco's HDLC.
RAW_TYPES = frozenset({RAW, RAW_OPENBSD, RAW_BSDOS})
FAMILY_TYPES = frozenset({NULL, LOOP})
PPP_TYPES = frozenset({PPP, PPP_HDLC})

NAMES: dict[int, str] = {
    NULL: "NULL",
    ETHERNET: "ETHERNET",
    RAW_OPENBSD: "RAW",
    RAW_BSDOS: "RAW",
    RAW: "RAW",
    LOOP: "LOOP",
    LINUX_SLL: "LINUX_SLL",
    IPV4: "IPV4",
    IPV6: "IPV6",
    LINUX_SLL2: "LINUX_SLL2",
    PPP: "PPP",
    PPP_HDLC: "PPP_HDLC",
    PPP_ETHER: "PPP_ETHER",
    C_HDLC: "C_HDLC",
    IEEE802_11: "IEEE802_11",
    RADIOTAP: "IEEE802_11_RADIOTAP",
    PPP_WITH_DIRECTION: "PPP_WITH_DIRECTION",
}

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_ETHERNET = 0x6558
ETHERTYPE_METADATA = 0x8909
ETHERTYPE_NSH = 0x894F
ETHERTYPE_MPLS = 0x8847
ETHERTYPES_MPLS = frozenset({ETHERTYPE_MPLS, 0x8848})
ETHERTYPE_PPPOE = 0x8864
# What stands in the place of an EtherType below this is a length, and LLC follows.
LEAST_ETHERTYPE = 0x0600
# Customer and service tags, and the numbers that switches used for outer tags before 802.1ad.
# Of a tag's control information, the VLAN; 0 is a tag of priority alone.
VLAN_ID = 0x0FFF
VLAN_ETHERTYPES = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})
# Other EtherTypes that prove a frame: further tags and link headers, and protocols that are not IP.
ETHERTYPES_KNOWN = frozenset(
    {0x22F3, 0x4305, 0x8847, 0x8848, 0x8864, 0x88E5, 0x88E7, 0x8903, 0x8909, 0x8926, 0x892F, 0x893F, 0x894F, 0xD28B}
    | {0x0806, 0x0842, 0x8035, 0x809B, 0x80F3, 0x8137, 0x8808, 0x8809, 0x8863, 0x886F, 0x888E, 0x8892, 0x8899, 0x88A2}
    | {0x88A4, 0x88B5, 0x88B6, 0x88CC, 0x88E1, 0x88F5, 0x88F6, 0x88F7, 0x8902, 0x8906, 0x890D, 0x8914, 0x9000}
)

# Address families that stand in NULL and LOOP headers: 2 everywhere, IPv6 by operating system.
FAMILY_IPV4 = 2
FAMILIES_IPV6 = frozenset({10, 23, 24, 28, 30})

# Version 1, type 1 (RFC 2516 section 4).
PPPOE_VERSION_AND_TYPE = 0x11
# What begins Cisco's HDLC: unicast, broadcast.
CISCO_ADDRESSES = frozenset({0x0F, 0x8F})

# Of the frame control field of 802.11, which is little-endian.
DOT11_VERSION = 0x0003
DOT11_TYPE = 0x000C
DOT11_DATA = 0x0008
DOT11_NO_DATA = 0x0040
DOT11_QOS = 0x0080
DOT11_TO_DS = 0x0100
DOT11_FROM_DS = 0x0200
DOT11_PROTECTED = 0x4000
DOT11_ORDER = 0x8000
# Of QoS control: several frames behind one header (A-MSDU).
DOT11_AGGREGATE = 0x80
# Of the words that say what a radiotap header holds, and of its flags: the 802.11 header is padded to 4 octets.
RADIOTAP_TSFT = 1 << 0
RADIOTAP_FLAGS = 1 << 1
RADIOTAP_MORE = 1 << 31
RADIOTAP_PADDED = 0x20

"""Link types and the numbers that lead from a link header to IP.

Knows no packet.  Called by both engines, and by ``reading`` and the command line for names.
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
PPP_WITH_DIRECTION = 204

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

SUPPORTED = frozenset(NAMES)

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPES_MPLS = frozenset({0x8847, 0x8848})
ETHERTYPE_PPPOE = 0x8864
# What stands in the place of an EtherType below this is a length, and LLC follows.
LEAST_ETHERTYPE = 0x0600
# Customer and service tags, and the numbers that switches used for outer tags before 802.1ad.
VLAN_ETHERTYPES = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})

# Address families that stand in NULL and LOOP headers: 2 everywhere, IPv6 by operating system.
FAMILY_IPV4 = 2
FAMILIES_IPV6 = frozenset({10, 23, 24, 28, 30})

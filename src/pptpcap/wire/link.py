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
}

SUPPORTED = frozenset(NAMES)

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
# Customer and service tags, and the numbers that switches used for outer tags before 802.1ad.
VLAN_ETHERTYPES = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})

# Address families that stand in NULL and LOOP headers: 2 everywhere, IPv6 by operating system.
FAMILY_IPV4 = 2
FAMILIES_IPV6 = frozenset({10, 23, 24, 28, 30})

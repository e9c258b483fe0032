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
PPP_WITH_DIRECTION = 204
# In front of another link, or of IP: taps, firewalls, capture cards.
TOKEN_RING = 6
FDDI = 10
ATM_RFC1483 = 100
FRELAY = 107
ENC = 109
PFLOG = 117
PRISM = 119
SUNATM = 123
DOCSIS = 143
PKTAP_USER = 149
AVS = 163
JUNIPER_ETHER = 178
PPI = 192
ERF = 197
IPNET = 226
NFLOG = 239
IPOIB = 242
PKTAP = 258

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
    TOKEN_RING: "TOKEN_RING",
    FDDI: "FDDI",
    ATM_RFC1483: "ATM_RFC1483",
    FRELAY: "FRELAY",
    ENC: "ENC",
    PFLOG: "PFLOG",
    PRISM: "PRISM",
    SUNATM: "SUNATM",
    DOCSIS: "DOCSIS",
    PKTAP_USER: "USER2",
    AVS: "IEEE802_11_AVS",
    JUNIPER_ETHER: "JUNIPER_ETHER",
    PPI: "PPI",
    ERF: "ERF",
    IPNET: "IPNET",
    NFLOG: "NFLOG",
    IPOIB: "IPOIB",
    PKTAP: "PKTAP",
}

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
ETHERTYPE_MPLS = 0x8847
ETHERTYPES_MPLS = frozenset({ETHERTYPE_MPLS, 0x8848})
ETHERTYPE_PPPOE = 0x8864
# What stands in the place of an EtherType below this is a length, and LLC follows.
LEAST_ETHERTYPE = 0x0600
# Customer and service tags, and the numbers that switches used for outer tags before 802.1ad.
# Of a tag's control information, the VLAN; 0 is a tag of priority alone.
VLAN_ID = 0x0FFF
VLAN_ETHERTYPES = frozenset({0x8100, 0x88A8, 0x9100, 0x9200, 0x9300})
# Tags that end with an EtherType, and headers with a whole frame behind them.
ETHERTYPE_VN_TAG = 0x8926
ETHERTYPE_E_TAG = 0x893F
ETHERTYPE_HSR = 0x892F
ETHERTYPE_CISCO_METADATA = 0x8909
ETHERTYPE_TIMESTAMP = 0xD28B
ETHERTYPE_MACSEC = 0x88E5
ETHERTYPE_NSH = 0x894F
ETHERTYPE_PBB = 0x88E7
ETHERTYPE_TRILL = 0x22F3
ETHERTYPE_FABRICPATH = 0x8903
ETHERTYPE_BATMAN = 0x4305
TAG_ETHERTYPES = frozenset({0x8926, 0x893F, 0x892F, 0x8909, 0xD28B, 0x88E5, 0x894F, 0x88E7, 0x22F3, 0x8903, 0x4305})
# Protocols that are not IP.
OTHER_ETHERTYPES = frozenset(
    {0x0806, 0x0842, 0x2000, 0x22EA, 0x22F0, 0x22F4, *range(0x6000, 0x600A), 0x8035, 0x809B, 0x80F3, 0x8137, 0x8138}
    | {0x8808, 0x8809, 0x8863, 0x886F, 0x887B, 0x888E, 0x8892, 0x8899, 0x88A2, 0x88A4, 0x88AB, 0x88B5, 0x88B6, 0x88B7}
    | {0x88B8, 0x88B9, 0x88BA, 0x88C7, 0x88CA, 0x88CC, 0x88CD, 0x88DC, 0x88E1, 0x88E3, 0x88F5, 0x88F6, 0x88F7, 0x88F8}
    | {0x88FB, 0x8902, 0x8906, 0x890D, 0x8914, 0x8915, 0x893A, 0x9000, 0xFEFE}
)
# EtherTypes, but of IP and VLAN tags, that prove a frame.
ETHERTYPES_KNOWN = TAG_ETHERTYPES | OTHER_ETHERTYPES | ETHERTYPES_MPLS | {ETHERTYPE_PPPOE}
TRANSPARENT_ETHERNET = 0x6558

# Of the first octet of MACsec: version, encrypted, changed, a channel follows.  How long its check value is.
MACSEC_NOT_CLEAR = 0x8C
MACSEC_HAS_CHANNEL = 0x20
MACSEC_SHORT_LENGTH = 0x3F
MACSEC_CHECK_VALUE = 16
# Of the first word of NSH: version, of OAM, length.
NSH_VERSION = 0xC000
NSH_OAM = 0x2000
NSH_LENGTH = 0x003F
# Of the first word of PBB: bits that no bridge forwards, the service id.
PBB_RESERVED = 0x03000000
PBB_SERVICE = 0x00FFFFFF
TRILL_VERSION = 0xC000
TRILL_OPTIONS = 0x07C0
BATMAN_VERSION = 15
BATMAN_UNICAST = 0x40
BATMAN_UNICAST_4 = 0x42
BATMAN_BROADCAST = 0x01
# Its own packets, which hold no frame.
BATMAN_OWN = frozenset({0x00, 0x03, 0x04, 0x43, 0x44})

LABEL_IPV4 = 0
LABEL_IPV6 = 2
LABEL_CHANNEL = 13
# Of the first word of a control word of Ethernet: flags, length; the least one that is not 0.
CONTROL_FLAGS = 0x0FC0
CONTROL_LENGTH = 0x003F
LEAST_CONTROL_LENGTH = 18

# Types of hardware in LINUX_SLL and LINUX_SLL2, and numbers that stand there for an EtherType.
ARPHRD_FRELAY = 770
ARPHRD_GRE = 778
ARPHRD_RADIOTAP = 803
ARPHRD_NETLINK = 824
COOKED_ETHERNET = 3
COOKED_LLC = 4

# Address families that stand in NULL and LOOP headers: 2 everywhere, IPv6 by operating system.
FAMILY_IPV4 = 2
FAMILIES_IPV6 = frozenset({10, 23, 24, 28, 30})
# In NFLOG: Linux' own numbers, and of frames on a bridge.
NFLOG_IPV6 = 10
NFLOG_BRIDGE = 7
NFLOG_PACKET_HEADER = 1
NFLOG_PAYLOAD = 9
IPNET_IPV6 = 26

# The first three octets of AVS headers, and the fourth.
AVS_MAGIC = 0x802110
AVS_VERSIONS = frozenset({1, 2})
PRISM_SIZE = 144
PRISM_LEAST = 24
PRISM_MOST = 512
AVS_LEAST = 64
PFLOG_LEAST = 45
PKTAP_LEAST = 108
PKTAP_MOST = 512
JUNIPER_MAGIC = 0x4D4743
JUNIPER_EXTENDED = 0x80
JUNIPER_NO_LINK = 0x02
# Record types of ERF by what follows; of the type: extension headers follow.
ERF_EXTENDED = 0x80
ERF_ETHERNET = frozenset({2, 11, 16, 20})
ERF_IPV4 = 22
ERF_IPV6 = 23
ERF_HDLC = frozenset({1, 10, 15, 19})
ERF_CHANNEL_HDLC = frozenset({5, 17})
ERF_PADDING = 48

# Protocol identifiers of frame relay, the organisation of bridged frames, and the kinds of it that are Ethernet.
NLPID_SNAP = 0x80
NLPID_IPV6 = 0x8E
NLPID_IPV4 = 0xCC
NLPID_PPP = 0xCF
BRIDGED = 0x0080C2
BRIDGED_ETHERNET = frozenset({1, 7})

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

"""What can carry an IP packet inside a frame or packet, besides a plain link: mirrors, overlays, tunnels, tags.

Must not know packets.
"""

from __future__ import annotations

from enum import IntEnum


class Carrier(IntEnum):
    """A header that carries IP, as `connections`, `tunnels` and issues of kind UNFOLLOWED name it."""

    NONE = 0  # no carrier
    # over IP
    GRE = 1  # GRE version 0
    NVGRE = 2  # GRE with a virtual subnet in its key
    ERSPAN = 3  # types I, II and III
    EOIP = 4  # Ethernet over IP of RouterOS
    ETHERIP = 5  # EtherIP, and Ethernet in IP
    MPLS = 6  # MPLS in IP or UDP
    PPP_IN_GRE = 7  # PPP in GRE version 0
    ESP = 8  # IPsec's encrypted payload
    IP_OTHER = 9  # another IP protocol that can carry IP
    # over UDP
    VXLAN = 16  # VXLAN
    VXLAN_GPE = 17  # VXLAN with a protocol field
    GENEVE = 18  # GENEVE
    TZSP = 19  # TaZmen Sniffer Protocol
    GTP_U = 20  # user plane of GTP
    CAPWAP = 21  # data of CAPWAP
    JMIRROR = 22  # Juniper packet mirroring
    L2TP = 23  # L2TP
    TEREDO = 24  # Teredo
    GUE = 25  # generic UDP encapsulation
    # in frames
    PBB = 32  # provider backbone bridges
    NSH = 33  # network service header
    TRILL = 34  # TRILL and FabricPath
    BATMAN = 35  # B.A.T.M.A.N. advanced
    PSEUDOWIRE = 36  # Ethernet behind MPLS labels
    MACSEC = 37  # MACsec
    CISCO_METADATA = 38  # Cisco MetaData
    TIMESTAMP = 39  # Arista timestamps
    WIRELESS = 40  # 802.11
    ETHERTYPE = 41  # an EtherType that is not known
    LINK_HEADER = 42  # a header in front of another link


# From this number on, carriers stand in frames; below, behind IP headers.
FIRST_IN_FRAMES = 32
# Numbers are below it.
CARRIERS = 64

# UDP ports of their own; `Options.mirrors` names more.
PORTS: dict[Carrier, tuple[int, ...]] = {
    Carrier.GRE: (4754,),
    Carrier.MPLS: (6635,),
    Carrier.VXLAN: (4789, 8472),
    Carrier.VXLAN_GPE: (4790,),
    Carrier.GENEVE: (6081,),
    Carrier.TZSP: (37008,),
    Carrier.GTP_U: (2152,),
    Carrier.CAPWAP: (5247,),
    Carrier.JMIRROR: (30030,),
    Carrier.L2TP: (1701,),
    Carrier.TEREDO: (3544,),
    Carrier.GUE: (6080,),
}
# Their headers hold too little that can be checked: followed on ports that were named, told of on their own.
NAMED_ONLY = frozenset({Carrier.JMIRROR.value, Carrier.GUE.value})
# Those whose answers come from the port; of the others the destination port decides.
EITHER_PORT = frozenset({Carrier.GTP_U.value, Carrier.CAPWAP.value, Carrier.L2TP.value, Carrier.TEREDO.value})
# By the names that `Options.mirrors` has.
NAMES: dict[str, Carrier] = {carrier.name.lower(): carrier for carrier in PORTS}

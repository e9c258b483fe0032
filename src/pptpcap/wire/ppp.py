"""PPP inside Enhanced GRE: the numbers of the protocol field (RFC 1661 section 2).

Knows no packet.  Called by the command line for names; engines need only the framing rules.
"""

from __future__ import annotations

ADDRESS_CONTROL = b"\xff\x03"

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

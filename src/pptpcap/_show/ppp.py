"""Says PPP control packets in words: protocols, codes, options.

Knows the lists of ``wire``.  Must not know tables or files.
"""

from __future__ import annotations

import ipaddress

from ..wire import options
from ..wire.mppe import MPPC, MPPE_BITS, OPTION, STATELESS, strengths
from ..wire.ppp import (
    CCP,
    CHAP,
    CHAP_MD5,
    CHAP_MS,
    CHAP_MS_V2,
    CHAP_SHA1,
    CODES,
    CODES_OF,
    EAP,
    IPCP,
    IPV6CP,
    LCP,
    PAP,
    PROTOCOLS,
    VJ_COMPRESSED,
)
from ..wire.status import Authenticated, Authentication
from . import words

__all__ = ["authentication_of", "code_name", "is_authentication", "option", "protocol_name"]

_ALGORITHMS = {
    CHAP_MD5: Authentication.CHAP_MD5,
    CHAP_SHA1: Authentication.CHAP_SHA1,
    CHAP_MS: Authentication.MS_CHAP,
    CHAP_MS_V2: Authentication.MS_CHAP_V2,
}
_AUTHENTICATING = frozenset({PAP, options.SPAP, options.OLD_SPAP, CHAP, EAP})
# Octets of an option's data that its row has.
_KEPT = 8


def protocol_name(number: int) -> str:
    """Name of a PPP protocol, or its number."""
    return PROTOCOLS.get(number) or f"protocol 0x{number:04X}"


def code_name(protocol: int, code: int) -> str:
    """Name of a packet's code."""
    return CODES_OF.get(protocol, CODES).get(code) or f"code {code}"


def is_authentication(protocol: int) -> bool:
    """Whether the protocol authenticates a side."""
    return protocol in _AUTHENTICATING


def option(protocol: int, kind: int, length: int, value: int) -> str:
    """One option of a Configure packet: its name, and what it says.

    Parameters
    ----------
    protocol, kind, length, value : int
        Of a row of ``ppp_options``, and the protocol of its packet; `value` is the number of the first 8 octets.
    """
    name = options.OPTIONS.get(protocol, {}).get(kind) or f"option {kind}"
    size = length - 2
    if size <= 0:
        return name
    octets = value.to_bytes(_KEPT, "big") if size > _KEPT else value.to_bytes(size, "big")
    said = _said(protocol, kind, size, octets)
    return f"{name} {said if said is not None else _raw(size, octets)}"


def _raw(size: int, octets: bytes) -> str:
    return f"0x{octets.hex()}{'...' if size > _KEPT else ''}"


def _said(protocol: int, kind: int, size: int, octets: bytes) -> str | None:
    """What the data of an option say; None if they are shown as they are."""
    number = int.from_bytes(octets, "big")
    match protocol:
        case _ if protocol == LCP:
            return _lcp(kind, size, octets)
        case _ if protocol == IPCP and kind in options.IP_ADDRESSES and size == 4:
            return str(ipaddress.IPv4Address(octets))
        case _ if protocol == IPCP and kind == options.IP_COMPRESSION and size == 4:
            vj = number >> 16 == VJ_COMPRESSED
            return f"VJ ({octets[2] + 1} slots{', slot ids compressed' if octets[3] else ''})" if vj else None
        case _ if protocol == IPV6CP and kind == options.INTERFACE_IDENTIFIER and size == 8:
            return octets.hex(":", 2)
        case _ if protocol in (CCP, options.LINK_CCP) and kind == OPTION and size == 4:
            return _mppe(number)
    return None


def _lcp(kind: int, size: int, octets: bytes) -> str | None:
    number = int.from_bytes(octets, "big")
    match kind, size:
        case ((options.MRU | options.MRRU), 2):
            return str(number)
        case ((options.ACCM | options.MAGIC_NUMBER), 4):
            return f"0x{number:08x}"
        case options.AUTHENTICATION, _ if size >= 2:
            method = authentication_of(octets[:3])
            return None if method is Authentication.OTHER else words.authentication(method, Authenticated.NOT_SEEN)
        case options.QUALITY, 6:
            period = int.from_bytes(octets[2:], "big")
            return f"{protocol_name(number >> 32)} every {period // 100}.{period % 100:02} s"
        case options.CALLBACK, _:
            return options.CALLBACKS.get(octets[0])
        case options.ENDPOINT, _:
            return _endpoint(size, octets)
    return None


def _endpoint(size: int, octets: bytes) -> str:
    """Class and address; what is no address may be a name, which is not shown."""
    kind = options.ENDPOINTS.get(octets[0], f"class {octets[0]}")
    if kind == "IPv4" and size == 5:
        return f"{kind} {ipaddress.IPv4Address(octets[1:])}"
    if kind == "MAC" and size == 7:
        return f"{kind} {octets[1:].hex(':')}"
    return f"{kind} of {size - 1} octets"


def _mppe(bits: int) -> str:
    found = []
    if bits & MPPE_BITS:
        found.append(f"{'/'.join(map(str, strengths(bits)))} bits {'stateless' if bits & STATELESS else 'stateful'}")
    elif bits & STATELESS:
        found.append("stateless")
    if bits & MPPC:
        found.append("MPPC")
    if rest := bits & ~(MPPE_BITS | STATELESS | MPPC):
        found.append(f"0x{rest:08x}")
    return " and ".join(found) or "nothing"


def authentication_of(octets: bytes) -> Authentication:
    """The method that the data of an LCP Authentication-Protocol option name."""
    protocol = int.from_bytes(octets[:2], "big")
    if protocol == CHAP and len(octets) > 2:
        return _ALGORITHMS.get(octets[2], Authentication.OTHER)
    return {PAP: Authentication.PAP, EAP: Authentication.EAP}.get(protocol, Authentication.OTHER)

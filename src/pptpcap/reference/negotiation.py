"""Records what one side of a PPP link said in its control packets (decoding 10.4).

Knows codes and options.  Must not know tunnels.  Of an authentication packet it keeps only what the rules name.
"""

from __future__ import annotations

from ..wire import mppe, ppp
from ..wire.calls import ECHOES, TEXT_WIDTH
from ..wire.status import Authenticated, Authentication, Compression, PppStatus
from .echoes import Echoes
from .events import ControlPacket, Option

# All network control protocols but IPCP and IPv6CP are one.
_OTHER_NETWORK = 0

_UNUSED = (PppStatus.MALFORMED | PppStatus.HEAD_CUT | PppStatus.NO_HEAD | PppStatus.BAD_OPTION).value

_ALGORITHMS = {
    ppp.CHAP_MD5: Authentication.CHAP_MD5,
    ppp.CHAP_SHA1: Authentication.CHAP_SHA1,
    ppp.CHAP_MS: Authentication.MS_CHAP,
    ppp.CHAP_MS_V2: Authentication.MS_CHAP_V2,
}
_METHODS = {
    1: Compression.PREDICTOR,
    2: Compression.PREDICTOR,
    17: Compression.STAC_LZS,
    21: Compression.BSD_COMPRESS,
    24: Compression.DEFLATE,
    26: Compression.DEFLATE,
}
# Octets of a CHAP value that tell its kind.
_VALUES = {16: Authentication.CHAP_MD5, 20: Authentication.CHAP_SHA1}
_MS_CHAP_VALUE = 49
_MS_CHAP_RESERVED = slice(16, 24)
_EAP_IDENTITY = 1
# None, Identity, Notification and Nak.
_EAP_NO_METHODS = (0, 1, 2, 3)
_MOST_DIGITS = 9


class Said:
    """What the sender of one tunnel requested, acknowledged, proved and accepted.

    Parameters
    ----------
    identities : bool
        Keep its name.
    """

    def __init__(self, identities: bool) -> None:
        self._identities = identities
        self.mru = 0
        self.accm = 0
        self.acknowledged = Authentication.NOT_SEEN
        self.asked = Authentication.NOT_SEEN
        self.seen = Authentication.NOT_SEEN
        self.eap_method = 0
        self.believed = Authenticated.NOT_SEEN
        self.error = 0
        self.compression = Compression.NOT_SEEN
        self.bits = 0
        self.is_encrypted = False
        self.ip_compression = 0
        self.ipv4: bytes | None = None
        self.interface_identifier = 0
        self.echoes = Echoes(ECHOES)
        self.echo_requests = 0
        self.echo_replies = 0
        self.terminate_reason: bytes | None = None
        self.name = b""
        # Protocols of which it acknowledged a Configure-Request: LCP, IPCP, IPv6CP, _OTHER_NETWORK.
        self.opened: set[int] = set()
        self.requested_link = False
        # It rejected the authentication option, or proposed another.
        self.declined = False
        self.challenged = False
        self.accepted = False
        # Packets of its first Terminate-Request and Terminate-Ack since it acknowledged LCP, None without.
        self.terminate: int | None = None
        self.terminate_ack: int | None = None

    @property
    def opened_networks(self) -> set[int]:
        """Network control protocols of which it acknowledged a Configure-Request."""
        return self.opened - {ppp.LCP}

    def take(self, packet: ControlPacket, number: int, time: int | None) -> bool:
        """Take in one control packet, of the packet of this number and time; False if it is not used."""
        if packet.status & _UNUSED:
            return False
        data = packet.octets[ppp.HEAD_SIZE :]
        match packet.protocol:
            case ppp.LCP:
                self._lcp(packet, data, number, time)
            case ppp.CCP:
                self._ccp(packet)
            case ppp.IPCP if packet.code == ppp.CONFIGURE_ACK:
                address = _option(packet, ppp.IPCP_ADDRESS, 6)
                self.ipv4 = address.data if address else None
                compression = _option(packet, ppp.IPCP_COMPRESSION)
                self.ip_compression = _number(compression.data[:2]) if compression and compression.length >= 4 else 0
            case ppp.IPV6CP if packet.code == ppp.CONFIGURE_ACK:
                identifier = _option(packet, ppp.IPV6CP_IDENTIFIER, 10)
                self.interface_identifier = _number(identifier.data) if identifier else 0
            case ppp.PAP:
                self._pap(packet, data)
            case ppp.CHAP:
                self._chap(packet, data)
            case ppp.EAP:
                self._eap(packet, data)
        if packet.code == ppp.CONFIGURE_ACK and _is_network(packet.protocol):
            self.opened.add(packet.protocol if packet.protocol in (ppp.IPCP, ppp.IPV6CP) else _OTHER_NETWORK)
        return True

    def _lcp(self, packet: ControlPacket, data: bytes, number: int, time: int | None) -> None:
        if packet.code == ppp.CONFIGURE_ACK:
            self.opened.add(ppp.LCP)
            self.terminate = self.terminate_ack = None
            mru, accm = _option(packet, ppp.LCP_MRU, 4), _option(packet, ppp.LCP_ACCM, 6)
            self.mru = _number(mru.data) if mru else 0
            self.accm = _number(accm.data) if accm else 0
            self.acknowledged = _authentication(packet) or Authentication.NONE
            self.is_encrypted = False
        elif packet.code == ppp.CONFIGURE_REQUEST:
            self.requested_link = True
            self.asked = self.asked or _authentication(packet)
            self.is_encrypted = False
        elif packet.code == ppp.ECHO_REQUEST:
            self.echo_requests += 1
            if self.terminate is None:
                self.echoes.ask(packet.identifier, time)
        elif packet.code == ppp.ECHO_REPLY:
            self.echo_replies += 1
        elif packet.code == ppp.TERMINATE_REQUEST:
            self.terminate = number if self.terminate is None else self.terminate
            if self.terminate_reason is None:
                self.terminate_reason = data[:TEXT_WIDTH]
        elif packet.code == ppp.TERMINATE_ACK:
            self.terminate_ack = number if self.terminate_ack is None else self.terminate_ack
        elif packet.code in (ppp.CONFIGURE_NAK, ppp.CONFIGURE_REJECT):
            self.declined = self.declined or _option(packet, ppp.LCP_AUTHENTICATION) is not None

    def _ccp(self, packet: ControlPacket) -> None:
        if packet.code in (ppp.TERMINATE_REQUEST, ppp.TERMINATE_ACK):
            self.is_encrypted = False
        if packet.code != ppp.CONFIGURE_ACK:
            return
        self.bits = 0
        if not packet.options:
            self.compression = Compression.NONE
        else:
            first = packet.options[0]
            self.compression = _METHODS.get(first.type, Compression.OTHER)
            if first.type == mppe.OPTION and first.length == mppe.OPTION_LENGTH:
                self.bits = _number(first.data)
                if self.bits & mppe.MPPE_BITS:
                    self.compression = Compression.MPPE
                else:
                    self.compression = Compression.MPPC if self.bits & mppe.MPPC else Compression.NONE
        self.is_encrypted = self.compression is Compression.MPPE

    def _believe(self, yes: bool, error: int = 0) -> None:
        self.believed = Authenticated.YES if yes else Authenticated.REFUSED
        self.accepted = self.accepted or yes
        self.error = error

    def _call(self, name: bytes) -> None:
        if self._identities and name:
            self.name = name[:TEXT_WIDTH]

    def _pap(self, packet: ControlPacket, data: bytes) -> None:
        if packet.code in (2, 3):
            self._believe(packet.code == 2)
        elif packet.code == 1:
            self.seen = Authentication.PAP
            if data and not packet.status & PppStatus.BAD_FIELD:
                self._call(data[1 : 1 + data[0]])

    def _chap(self, packet: ControlPacket, data: bytes) -> None:
        if packet.code in (3, 4):
            error = _error(data, is_cut=bool(packet.status & PppStatus.CUT)) if packet.code == 4 else 0
            self._believe(packet.code == 3, error)
        self.challenged = self.challenged or packet.code == 1
        if packet.code != 2 or not data or packet.status & PppStatus.BAD_FIELD:
            return
        size, value = data[0], data[1 : 1 + data[0]]
        if size in _VALUES:
            self.seen = _VALUES[size]
        elif size == _MS_CHAP_VALUE and len(value) == size:
            is_second = not any(value[_MS_CHAP_RESERVED]) and not value[-1]
            self.seen = Authentication.MS_CHAP_V2 if is_second else Authentication.MS_CHAP
        else:
            return
        self._call(data[1 + size :])

    def _eap(self, packet: ControlPacket, data: bytes) -> None:
        if packet.code in (3, 4):
            self._believe(packet.code == 3)
        elif packet.code == 1:
            self.challenged = True
        elif packet.code == 2:
            self.seen = Authentication.EAP
            kind = data[0] if data else 0
            if kind == _EAP_IDENTITY:
                self._call(data[1:])
            elif kind not in _EAP_NO_METHODS:
                self.eap_method = kind


def _is_network(protocol: int) -> bool:
    return ppp.FIRST_CONTROL <= protocol < ppp.FIRST_LINK_CONTROL and protocol not in ppp.OPENS_NO_NETWORK


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _option(packet: ControlPacket, kind: int, length: int = 0) -> Option | None:
    """The first option of a type, where it has that length."""
    for option in packet.options:
        if option.type == kind:
            return option if not length or option.length == length else None
    return None


def _authentication(packet: ControlPacket) -> Authentication:
    """What the authentication option says, NOT_SEEN without one."""
    option = _option(packet, ppp.LCP_AUTHENTICATION)
    if option is None:
        return Authentication.NOT_SEEN
    protocol = _number(option.data[:2]) if len(option.data) >= 2 else 0
    if protocol == ppp.PAP:
        return Authentication.PAP
    if protocol == ppp.EAP:
        return Authentication.EAP
    if protocol == ppp.CHAP and len(option.data) > 2:
        return _ALGORITHMS.get(option.data[2], Authentication.OTHER)
    return Authentication.OTHER


def _error(data: bytes, *, is_cut: bool) -> int:
    """The number behind "E=" at the start of a failure's text, where all its digits are captured."""
    if data[:2] != b"E=":
        return 0
    digits = data[2 : 2 + _MOST_DIGITS]
    end = next((index for index, octet in enumerate(digits) if not 0x30 <= octet <= 0x39), len(digits))
    if is_cut and end < _MOST_DIGITS and 2 + end == len(data):
        return 0
    return int(digits[:end] or b"0")

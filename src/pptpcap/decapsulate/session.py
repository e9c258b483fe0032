"""One call: what both sides agreed on, and each of their packets undone by that.

Knows which layer holds which, not how any is undone, and no file.
"""

from __future__ import annotations

from typing import NamedTuple

from . import inner, mppe, negotiation
from .deflate import Deflate
from .login import Login, Password
from .mppe import Mppe
from .multilink import Multilink
from .order import Given, Payload, ReorderWindow
from .outcome import Outcome
from .vj import Decompressor

__all__ = ["Done", "Session"]

_SHORT_NUMBERS = 18
_MPPE = 18
_DEFLATE = 26
# What pppd asks for too, from a draft of RFC 1979; told from MVRCA by its length and method.
_DEFLATE_DRAFT = 24
_PER_LINK_COMPRESSED = 0x00FB
# Stands for fragments that are dropped at the end of a call.
_NO_PACKET = Payload(0, 0, 0, b"", 0)
# A frame in a frame: compressed in multilink, and encrypted.
_DEEPEST = 4


class Done(NamedTuple):
    """The outcome of a packet; `octets` is the inner IP packet if it is written."""

    packet: Payload
    outcome: Outcome
    octets: bytes = b""
    times: int = 1


class _Unsupported:
    """A negotiated method that is not undone."""


class _Agreed(NamedTuple):
    """Negotiated MPPE; its keys are derived at the first packet."""

    bits: int
    stateless: bool
    sequence: int


class _Side:
    """What one side sends: its sequence numbers, and its negotiated methods."""

    __slots__ = ("method", "multilink", "order", "vj")

    def __init__(self) -> None:
        self.order = ReorderWindow()
        self.multilink = Multilink()
        self.vj = Decompressor()
        self.method: _Unsupported | _Agreed | Mppe | Deflate | None = None

    @property
    def octets(self) -> int:
        """Size of its histories."""
        octets = self.method.OCTETS if isinstance(self.method, Mppe | Deflate) else 0
        return octets + self.multilink.octets + self.vj.octets


class Session:
    """Both sides of one call.

    Parameters
    ----------
    password : Password or None
        With which to try logins.

    Attributes
    ----------
    octets : int
        Octets that the histories of its layers hold; packets that wait are not among them.
    """

    __slots__ = ("_login", "_sides", "octets")

    def __init__(self, password: Password | None) -> None:
        self._sides = (_Side(), _Side())
        self._login = Login(password)
        self.octets = 0

    def order(self, side: int) -> ReorderWindow:
        """The window of a side."""
        return self._sides[side].order

    def take(self, side: int, given: list[Given]) -> list[Done]:
        """The outcomes of packets of one side, in processing order."""
        done: list[Done] = []
        for one in given:
            self._undo(side, one, done)
        return done

    def finish(self) -> list[Done]:
        """End or drop the call: missing packets will not arrive."""
        done: list[Done] = []
        orders = [side.order for side in self._sides]
        while waiting := [(order.first(), side) for side, order in enumerate(orders) if order.is_waiting]:
            side = min(waiting)[1]
            done += self.take(side, orders[side].release())
        for one in self._sides:
            dropped = one.multilink.drop()
            if dropped:
                done.append(Done(_NO_PACKET, Outcome.INCOMPLETE, times=dropped))
        return done

    def _weigh(self) -> None:
        self.octets = self._login.octets + sum(side.octets for side in self._sides)

    def _undo(self, side: int, given: Given, done: list[Done]) -> None:
        packet = given.packet
        if given.duplicate:
            done.append(Done(packet, Outcome.DUPLICATE))
            return
        if given.lost:
            self._sides[side].vj.lose()
        protocol, information = inner.split(packet.octets)
        if protocol != inner.MULTILINK:
            done.append(Done(packet, *self._frame(side, given, packet.octets, packet.missing, 0)))
            return
        multilink = self._sides[side].multilink
        whole, cut, used, dropped = multilink.add(information, packet.missing)
        self._weigh()
        if dropped:
            done.append(Done(packet, Outcome.INCOMPLETE, times=dropped))
        if whole is None:
            return
        if used:
            done.append(Done(packet, Outcome.FRAGMENT, times=used))
        if cut:
            self._lose(side)
            done.append(Done(packet, Outcome.CUT))
            return
        done.append(Done(packet, *self._frame(side, given, whole, 0, 0)))

    def _lose(self, side: int) -> None:
        self._sides[side].vj.lose()
        method = self._sides[side].method
        if isinstance(method, Deflate):
            method.lose()

    def _frame(self, side: int, given: Given, octets: bytes, missing: int, depth: int) -> tuple[Outcome, bytes]:
        """Undo one frame, whose last `missing` bytes were not captured."""
        protocol, information = inner.split(octets)
        if not protocol:
            return (Outcome.CUT if missing and len(octets) < 4 else Outcome.MALFORMED), b""
        if protocol >= negotiation.FIRST_CONTROL:
            if not missing:
                self._control(side, given.packet.sequence, protocol, information)
                self._weigh()
            return Outcome.CONTROL, b""
        if protocol in (inner.COMPRESSED, _PER_LINK_COMPRESSED):
            if depth >= _DEEPEST:
                return Outcome.MALFORMED, b""
            if protocol == _PER_LINK_COMPRESSED:
                return Outcome.UNSUPPORTED_METHOD, b""
            return self._compressed(side, given, information, missing, depth)
        method = self._sides[side].method
        if isinstance(method, Deflate) and not depth and not given.late:
            # A packet that is too long for its cut to be known is not part of the history.
            if missing:
                method.lose()
            elif protocol < 0x4000:
                method.plain(protocol, information)
        return self._datagram(side, given, protocol, information, missing)

    def _datagram(
        self, side: int, given: Given, protocol: int, information: bytes, missing: int
    ) -> tuple[Outcome, bytes]:
        vj = self._sides[side].vj
        if protocol in (inner.IPV4, inner.IPV6):
            length = inner.ip_length(protocol, information, missing)
            if length and length <= len(information):
                return Outcome.WRITTEN, information[:length]
            return (Outcome.CUT if missing else Outcome.MALFORMED), b""
        if protocol not in (inner.VJ_COMPRESSED, inner.VJ_UNCOMPRESSED):
            return Outcome.NOT_IP, b""
        if missing:
            vj.lose()
            return Outcome.CUT, b""
        if protocol == inner.VJ_UNCOMPRESSED:
            packet = vj.uncompressed(information, keep=not given.late)
            self._weigh()
            return (Outcome.WRITTEN, packet) if packet else (Outcome.MALFORMED, b"")
        packet = None if given.late else vj.compressed(information)
        return (Outcome.WRITTEN, packet) if packet else (Outcome.OUT_OF_STEP, b"")

    def _compressed(
        self, side: int, given: Given, information: bytes, missing: int, depth: int
    ) -> tuple[Outcome, bytes]:
        sender = self._sides[side]
        if isinstance(sender.method, _Agreed):
            agreed = sender.method
            chains = self._login.chains(side, agreed.bits)
            if isinstance(chains, Outcome):
                return chains, b""
            sender.method = Mppe(chains, stateless=agreed.stateless, sequence=agreed.sequence)
            self._weigh()
        method = sender.method
        if method is None:
            return Outcome.UNKNOWN_METHOD, b""
        if isinstance(method, Mppe):
            return self._decrypted(method, side, given, information, missing, depth)
        if not isinstance(method, Deflate):
            return Outcome.UNSUPPORTED_METHOD, b""
        if missing:
            method.lose()
            return Outcome.CUT, b""
        plain = None if given.late else method.decompress(information)
        if plain is None:
            sender.vj.lose()
            return Outcome.OUT_OF_STEP, b""
        return self._frame(side, given, plain, 0, depth + 1)

    def _decrypted(
        self, method: Mppe, side: int, given: Given, information: bytes, missing: int, depth: int
    ) -> tuple[Outcome, bytes]:
        if len(information) < 3:
            return (Outcome.CUT if missing else Outcome.MALFORMED), b""
        word = information[0] << 8 | information[1]
        if word & mppe.COMPRESSED:
            return Outcome.UNSUPPORTED_METHOD, b""
        if not word & mppe.ENCRYPTED:
            return Outcome.MALFORMED, b""
        plain = method.decrypt(word, information[2:], missing, given.packet.sequence, inner.plausible, late=given.late)
        if plain is None:
            self._sides[side].vj.lose()
            return Outcome.OUT_OF_STEP, b""
        return self._frame(side, given, plain, missing, depth + 1)

    def _control(self, side: int, sequence: int, protocol: int, information: bytes) -> None:
        head = negotiation.read_head(information)
        if head is None:
            return
        code, data = head
        if protocol == negotiation.CHAP:
            self._login.read(side, code, data)
            return
        sender = self._sides[side]
        if protocol == negotiation.CCP and code == negotiation.RESET_ACK and isinstance(sender.method, Deflate):
            sender.method.reset()
        if code != negotiation.CONFIGURE_ACK or protocol not in (negotiation.CCP, negotiation.LCP):
            return
        agreed = negotiation.options(data)
        if agreed is None:
            return
        # A side that acknowledges an option will send accordingly.
        if protocol == negotiation.LCP:
            sender.multilink.short = _SHORT_NUMBERS in agreed
        else:
            sender.method = _method(agreed, sequence)


def _method(agreed: dict[int, bytes], sequence: int) -> _Unsupported | _Agreed | Deflate | None:
    if not agreed:
        return None
    if len(agreed.get(_MPPE, b"")) == 4:
        supported = int.from_bytes(agreed[_MPPE], "big")
        bits = mppe.key_bits(supported)
        return _Agreed(bits, bool(supported & mppe.STATELESS), sequence) if bits else _Unsupported()
    for number in (_DEFLATE, _DEFLATE_DRAFT):
        if Deflate.supported(agreed.get(number, b"")):
            return Deflate(agreed[number])
    return _Unsupported()

"""Calls that were connected, and what a diagnosis says of captures, as tests of diagnoses compare it.

Imports of the package nothing but what reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from call_builder import Session, octets, packet
from helpers import EngineName

import pptpcap

__all__ = ["CCP", "CHAP", "IPCP", "LCP", "PAP", "REQUEST", "Call", "Told", "kinds", "only", "told"]

LCP, CCP, IPCP, CHAP, PAP = "c021", "80fd", "8021", "c223", "c023"
REQUEST = packet(LCP, 1)

Told = tuple[int, str, tuple[int, ...], str]


class Call(Session):
    """A call that was connected, whose sides number their packets of Enhanced GRE."""

    def __init__(self, *arguments: Any, ids: tuple[int, int] = (0x11, 0x22), **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.ids = ids
        self.sent = [0, 0]
        self.outgoing(*ids)

    def c(self, *texts: str, ack: int | None = None) -> Self:
        """Packets of the client."""
        return self.sends(0, texts, ack)

    def s(self, *texts: str, ack: int | None = None) -> Self:
        """Packets of the server."""
        return self.sends(1, texts, ack)

    def sends(self, side: int, texts: Iterable[str], ack: int | None) -> Self:
        for text in texts:
            self.tunnelled(side, self.ids[1 - side], self.sent[side], ack, octets(text))
            self.sent[side] += 1
        return self

    def link(self) -> Self:
        """LCP opens without authentication, in packets 6 to 9."""
        return self.c(packet(LCP, 1)).s(packet(LCP, 1)).c(packet(LCP, 2)).s(packet(LCP, 2))

    def network(self) -> Self:
        """The same, and IPCP in packets 10 to 13."""
        return self.link().c(packet(IPCP, 1)).s(packet(IPCP, 1)).c(packet(IPCP, 2)).s(packet(IPCP, 2))


def told(source: bytes, engine: EngineName = "compiled") -> list[Told]:
    """Call, kind, packets and sentence of each diagnosis; a sentence names the packets that it has."""
    found = pptpcap.read(source, engine=engine).diagnose()
    for one in found:
        assert all(str(number) in one.sentence.replace(",", "") for number in one.packets)
        assert one.sentence.isprintable()
    return [(one.call, one.kind.name, one.packets, one.sentence) for one in found]


def only(source: bytes, engine: EngineName = "compiled") -> Told:
    """The only diagnosis."""
    (found,) = told(source, engine)
    return found


def kinds(talk: Session) -> list[str]:
    """The kinds of all diagnoses."""
    return [kind for _, kind, _, _ in told(talk.pcap())]

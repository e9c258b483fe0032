"""Captures made block by block: sections, interfaces, packets and options of pcapng, in either byte order.

Knows the format from its specification and imports nothing of the package: what is built here judges the decoder.
Whatever a block says can be set to something else than the truth; None stands for the truth.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from builder import ETHERNET, time_of

SHB, IDB, PB, SPB, NRB, ISB, EPB = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
MAGIC = 0x1A2B3C4D
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14
OTHER_ORDER = {"<": ">", ">": "<"}

Option = tuple[int, bytes] | bytes


def padded(octets: bytes) -> bytes:
    """With zeros up to a multiple of 4."""
    return octets + bytes(-len(octets) % 4)


def option(order: str, code: int, value: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(order + "HH", code, len(value) if length is None else length) + padded(value)


def tsresol(value: int) -> Option:
    return IF_TSRESOL, bytes([value])


def tsoffset(order: str, seconds: int) -> Option:
    return IF_TSOFFSET, struct.pack(order + "q", seconds)


def block(order: str, kind: int, body: bytes = b"", length: int | None = None, trailer: int | None = None) -> bytes:
    """A block; its body is padded, `length` and `trailer` replace the two total lengths."""
    body = padded(body)
    total = 12 + len(body) if length is None else length
    end = total if trailer is None else trailer
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", end)


class File:
    """Blocks that are appended in the order of the calls, in one byte order until a section chooses another.

    Octets of options may be given instead of (code, value): they are taken as they are.
    """

    def __init__(self, order: str = "<") -> None:
        self.order = order
        self.blocks: list[bytes] = []

    @property
    def octets(self) -> bytes:
        return b"".join(self.blocks)

    def offset(self, number: int) -> int:
        """Where block `number`, counted from 0, starts; -1 is the last."""
        return sum(map(len, self.blocks[: number % len(self.blocks)]))

    def options(self, several: Iterable[Option], end: bool = True) -> bytes:
        parts = [one if isinstance(one, bytes) else option(self.order, *one) for one in several]
        return b"".join(parts) + (option(self.order, 0) if parts and end else b"")

    def add(self, kind: int, body: bytes = b"", **more: int | None) -> File:
        self.blocks.append(block(self.order, kind, body, **more))
        return self

    def raw(self, octets: bytes) -> File:
        self.blocks.append(octets)
        return self

    def section(
        self,
        order: str | None = None,
        options: Iterable[Option] = (),
        *,
        major: int = 1,
        minor: int = 0,
        section_length: int = -1,
        magic: int = MAGIC,
        **more: int | None,
    ) -> File:
        self.order = order or self.order
        body = struct.pack(self.order + "IHHq", magic, major, minor, section_length) + self.options(options)
        return self.add(SHB, body, **more)

    def interface(
        self,
        link: int = ETHERNET,
        options: Iterable[Option] = (),
        *,
        snap: int = 0,
        end: bool = True,
        **more: int | None,
    ) -> File:
        body = struct.pack(self.order + "HHI", link, 0xABCD, snap) + self.options(options, end)
        return self.add(IDB, body, **more)

    def packet(
        self,
        data: bytes,
        interface: int = 0,
        ticks: int = 0,
        *,
        captured: int | None = None,
        original: int | None = None,
        options: Iterable[Option] = (),
        **more: int | None,
    ) -> File:
        """An Enhanced Packet Block; `original` is `captured` unless said."""
        return self._packet(
            EPB, struct.pack(self.order + "I", interface), data, ticks, captured, original, options, more
        )

    def old_packet(
        self,
        data: bytes,
        interface: int = 0,
        ticks: int = 0,
        *,
        drops: int = 0xFFFF,
        captured: int | None = None,
        original: int | None = None,
        options: Iterable[Option] = (),
        **more: int | None,
    ) -> File:
        """An obsolete Packet Block."""
        first = struct.pack(self.order + "HH", interface, drops)
        return self._packet(PB, first, data, ticks, captured, original, options, more)

    def _packet(
        self,
        kind: int,
        first: bytes,
        data: bytes,
        ticks: int,
        captured: int | None,
        original: int | None,
        options: Iterable[Option],
        more: dict[str, int | None],
    ) -> File:
        size = len(data) if captured is None else captured
        lengths = (ticks >> 32, ticks & 0xFFFFFFFF, size, size if original is None else original)
        body = first + struct.pack(self.order + "IIII", *lengths) + padded(data) + self.options(options)
        return self.add(kind, body, **more)

    def simple(self, data: bytes, original: int | None = None, **more: int | None) -> File:
        """A Simple Packet Block."""
        size = len(data) if original is None else original
        return self.add(SPB, struct.pack(self.order + "I", size) + data, **more)

    def packets(self, *several: bytes, interface: int = 0, ticks: int = 1_000_000) -> File:
        """Enhanced Packet Blocks with the builder's times, number 1 first, in `ticks` a second."""
        for number, data in enumerate(several, 1):
            self.packet(data, interface, time_of(number) * ticks // 10**9)
        return self


def started(order: str = "<", link: int = ETHERNET, options: Iterable[Option] = (), **more: Any) -> File:
    """A section header of 28 octets and one interface: its block starts at 28, what follows at 48 without options."""
    return File(order).section().interface(link, options, **more)

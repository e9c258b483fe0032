"""Link headers of every kind that the decoder reads, mostly right, and files of either format around them.

Knows headers of links and of files from their specifications.  What it takes from a ``random.Random`` decides about
everything.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from builder import ethernet, tagged
from tag_builder import AROUND, KINDS, Wrap

from fuzz.traffic import edge, octets

ETHERNET, SLL, SLL2, RAW, IPV4, IPV6, NULL, LOOP = 1, 113, 276, 101, 228, 229, 0, 108
WIFI, RADIOTAP, PPP, PPP_HDLC, PPP_DIRECTION, PPPOE, C_HDLC = 105, 127, 9, 50, 204, 51, 104
LINKS: tuple[int, ...] = (ETHERNET, ETHERNET, ETHERNET, SLL, SLL2, RAW, 12, 14, IPV4, IPV6, NULL, LOOP)
LINKS += (WIFI, RADIOTAP, PPP, PPP_HDLC, PPP_DIRECTION, PPPOE, C_HDLC, 147, 65535)
TAGS = (0x8100, 0x88A8, 0x9100, 0x9200, 0x9300)
# What makes a frame of each link that has tags, or a frame inside; those of links of their own are the only ones.
BY_LINK: dict[int, list[Wrap]] = {}
for _link, _wrap in KINDS.values():
    BY_LINK.setdefault(_link, []).append(_wrap)
OF_THEIR_OWN = tuple(sorted(BY_LINK.keys() - {*LINKS}))
LINKS += OF_THEIR_OWN


@dataclass
class Frame:
    """A captured packet: its link type, its octets, how many there were on the wire, when it came."""

    link: int
    data: bytes
    original: int
    seconds: int
    fraction: int


def _is_six(packet: bytes) -> bool:
    return bool(packet) and packet[0] >> 4 == 6


def _ppp(rng: Random, packet: bytes) -> bytes:
    number = 0x57 if _is_six(packet) else 0x21
    return (bytes([number]) if rng.random() < 0.5 else struct.pack(">H", number)) + packet


def _mpls(rng: Random, packet: bytes) -> bytes:
    labels = rng.randrange(1, 4) if rng.random() < 0.9 else rng.randrange(12)
    words = [rng.getrandbits(20) << 12 | 64 for _ in range(labels)]
    if words and rng.random() < 0.95:
        words[-1] |= 0x100
    return struct.pack(f">{labels}I", *words) + packet


def _typed(rng: Random, packet: bytes) -> tuple[int, bytes]:
    """An EtherType and what stands behind it."""
    kind = 0x86DD if _is_six(packet) else 0x0800
    choice = rng.random()
    if choice < 0.06:
        kind, packet = rng.choice((0x8847, 0x8848)), _mpls(rng, packet)
    elif choice < 0.12:
        packet = _ppp(rng, packet)
        kind, packet = 0x8864, struct.pack(">BBHH", 0x11, rng.random() < 0.03, 5, len(packet)) + packet
    elif choice < 0.18:
        snap = rng.choice((b"\0\0\0", b"\0\0\xf8", b"\0\0\x0c"))
        packet = b"\xaa\xaa\x03" + snap + struct.pack(">H", kind) + packet
        kind = min(len(packet), 1500)
    if rng.random() < 0.15:
        count = rng.randrange(1, 4) if rng.random() < 0.9 else rng.randrange(12)
        kind, packet = tagged(kind, [rng.choice(TAGS) for _ in range(count)], packet)
    return kind, packet


def _wifi(rng: Random, packet: bytes) -> tuple[bytes, int]:
    """An 802.11 data frame, and the octets of its header."""
    control = 0x0008 | rng.choice((0, 0x0100, 0x0200, 0x0300)) | rng.choice((0, 0x80)) | rng.choice((0, 0, 0, 0x8000))
    if rng.random() < 0.06:
        control ^= 1 << rng.randrange(16)
    header = struct.pack("<HH", control, 0) + octets(rng, 18) + b"\0\0"
    if control & 0x0300 == 0x0300:
        header += octets(rng, 6)
    if control & 0x80:
        header += bytes([0x80 if rng.random() < 0.05 else 0, 0])
        if control & 0x8000:
            header += octets(rng, 4)
    kind = 0x86DD if _is_six(packet) else 0x0800
    return header + b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", kind) + packet, len(header)


def _radiotap(rng: Random, packet: bytes) -> bytes:
    frame, header = _wifi(rng, packet)
    present, fields = 0x2, b""
    if rng.random() < 0.3:
        present, fields = 0x3, b"\0" * 8
    flags = rng.choice((0, 0x10, 0x20))
    words = [present]
    while rng.random() < 0.2 and len(words) < 5:
        words[-1] |= 0x80000000
        words.append(rng.getrandbits(31))
    head = struct.pack(f"<{len(words)}I", *words)
    if present & 1:
        head += bytes(-(4 + len(head)) % 8)
    head += fields + bytes([flags])
    if flags & 0x20:
        frame = frame[:header] + bytes(-header % 4) + frame[header:]
    length = 4 + len(head) if rng.random() < 0.95 else edge(rng, 2)
    return struct.pack("<BBH", rng.random() < 0.02, 0, length) + head + frame


def _spoiled(rng: Random, frame: bytes) -> bytes:
    """The frame, of which some octets of the headers may be others."""
    changed = bytearray(frame)
    while changed and rng.random() < 0.1:
        changed[rng.randrange(min(len(changed), 150))] = rng.choice((0, 1, 2, 4, 0x7F, 0x80, 0xFF, rng.getrandbits(8)))
    return bytes(changed)


def _carried(rng: Random, link: int, packet: bytes) -> bytes:
    """A frame of this link with tags, or with frames in each other."""
    if link == ETHERNET and rng.random() < 0.5:
        frame = ethernet(packet)
        while rng.random() < 0.6:
            frame = _spoiled(rng, rng.choice([wrap for outer, wrap in AROUND.values() if outer == ETHERNET])(frame))
        return frame
    around = [wrap for outer, wrap in AROUND.values() if outer == link]
    if around and link != ETHERNET and rng.random() < 0.3:
        return _spoiled(rng, rng.choice(around)(_carried(rng, ETHERNET, packet)))
    return _spoiled(rng, rng.choice(BY_LINK[link])(packet))


def wrap(rng: Random, link: int, packet: bytes) -> bytes:
    """The packet behind a header of this link."""
    if link in OF_THEIR_OWN or (link in BY_LINK and rng.random() < 0.2):
        return _carried(rng, link, packet)
    if link in (ETHERNET, SLL, SLL2, C_HDLC):
        kind, rest = _typed(rng, packet)
        if link == ETHERNET:
            return octets(rng, 12) + struct.pack(">H", kind) + rest
        if link == SLL:
            return octets(rng, 14) + struct.pack(">H", kind) + rest
        if link == SLL2:
            return struct.pack(">H", kind) + octets(rng, 18) + rest
        return b"\x0f\0" + struct.pack(">H", kind) + rest
    if link in (NULL, LOOP):
        family = rng.choice((10, 23, 24, 28, 30)) if _is_six(packet) else 2
        if rng.random() < 0.03:
            family = edge(rng, 4)
        return struct.pack(rng.choice("<>") + "I", family) + packet
    if link in (PPP, PPP_HDLC, PPP_DIRECTION):
        direction = b"\1" if link == PPP_DIRECTION else b""
        if rng.random() < 0.2:
            kind, rest = _typed(rng, packet)
            return direction + bytes([rng.choice((0x0F, 0x8F)), 0]) + struct.pack(">H", kind) + rest
        return direction + (b"\xff\x03" if rng.random() < 0.6 else b"") + _ppp(rng, packet)
    if link == PPPOE:
        inner = _ppp(rng, packet)
        return struct.pack(">BBHH", 0x11, rng.random() < 0.03, 5, len(inner)) + inner
    if link == WIFI:
        return _wifi(rng, packet)[0]
    if link == RADIOTAP:
        return _radiotap(rng, packet)
    return packet


# ---- files


def pcap(rng: Random, frames: Sequence[Frame]) -> bytes:
    """A pcap file; its link type is that of the first frame."""
    order = rng.choice("<<<>")
    magic = rng.choice((0xA1B2C3D4, 0xA1B2C3D4, 0xA1B23C4D))
    link = frames[0].link if frames else ETHERNET
    parts = [struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, link)]
    for frame in frames:
        captured = len(frame.data) if rng.random() > 0.002 else edge(rng, 4)
        parts.append(struct.pack(order + "IIII", frame.seconds, frame.fraction, captured, frame.original))
        parts.append(frame.data)
    return b"".join(parts)


def _options(rng: Random, order: str, codes: Sequence[int]) -> bytes:
    parts = []
    for _ in range(rng.randrange(4)):
        code = rng.choice((*codes, 1, 2, 0x8000 | rng.getrandbits(4), rng.getrandbits(16)))
        value = octets(rng, {9: 1, 14: 8}.get(code, rng.randrange(9)))
        if code == 9:
            value = bytes([rng.choice((0, 3, 6, 6, 9, 9, 12, 19, 20, 0x80, 0x8A, 0xBF, 0xC0, 0xFF))])
        elif code == 14 and rng.random() < 0.8:
            value = struct.pack(order + "q", rng.choice((0, 3600, -3600, 2**62, -(2**63))))
        if rng.random() < 0.06:
            value = octets(rng, rng.randrange(12))
        length = len(value) if rng.random() > 0.03 else edge(rng, 2)
        parts.append(struct.pack(order + "HH", code, length) + value + bytes(-len(value) % 4))
    if rng.random() < 0.7:
        parts.append(bytes(4))
    return b"".join(parts)


def _block(rng: Random, order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    total = trailer = 12 + len(body)
    if rng.random() < 0.004:
        total = rng.choice((edge(rng, 4), total + 4, total - 4, total + 1)) & 0xFFFFFFFF
    if rng.random() < 0.004:
        trailer = edge(rng, 4)
    return struct.pack(order + "II", kind, total) + body + struct.pack(order + "I", trailer)


def _section(rng: Random, order: str) -> bytes:
    version = (1, rng.choice((0, 0, 2))) if rng.random() > 0.01 else (2, 0)
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, *version, rng.choice((-1, 0, 100))) + _options(rng, order, (1, 2, 3))
    return _block(rng, order, 0x0A0D0D0A, body)


def pcapng(rng: Random, frames: Sequence[Frame]) -> bytes:
    """A pcapng file: sections of either byte order, an interface for each link, every kind of block."""
    order = rng.choice("<<>")
    parts = [_section(rng, order)]
    interfaces: list[int] = []
    for frame in frames:
        if rng.random() < 0.03:
            order = rng.choice("<>")
            parts.append(_section(rng, order))
            interfaces = []
        if rng.random() < 0.05:
            parts.append(
                _block(rng, order, rng.choice((4, 5, 0xBAD, rng.getrandbits(32))), octets(rng, rng.randrange(30)))
            )
        if frame.link not in interfaces or rng.random() < 0.03:
            snap = rng.choice((0, 65535, 262144, 60))
            body = struct.pack(order + "HHI", frame.link & 0xFFFF, 0, snap) + _options(rng, order, (9, 14, 9, 14))
            parts.append(_block(rng, order, 1, body))
            interfaces.append(frame.link)
        number = len(interfaces) - 1 - interfaces[::-1].index(frame.link)
        if rng.random() < 0.01:
            number = edge(rng, 2)
        ticks = frame.seconds * 10**6 + frame.fraction if rng.random() < 0.97 else rng.getrandbits(64)
        captured = len(frame.data) if rng.random() > 0.005 else edge(rng, 4)
        padded = frame.data + bytes(-len(frame.data) % 4)
        sizes = (ticks >> 32 & 0xFFFFFFFF, ticks & 0xFFFFFFFF, captured, frame.original)
        kind = rng.random()
        if kind < 0.8:
            body = struct.pack(order + "IIIII", number, *sizes) + padded
            body += _options(rng, order, (2, 4)) if rng.random() < 0.1 else b""
            parts.append(_block(rng, order, 6, body))
        elif kind < 0.9:
            parts.append(_block(rng, order, 2, struct.pack(order + "HHIIII", number & 0xFFFF, 0, *sizes) + padded))
        else:
            parts.append(_block(rng, order, 3, struct.pack(order + "I", frame.original) + padded))
    return b"".join(parts)

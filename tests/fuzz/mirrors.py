"""Carriers around packets, one in the other, mostly right: what mirrors, overlays and tunnels put in front.

Knows the headers from ``mirror_builder`` and takes every choice from a ``random.Random``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from builder import ethernet, ipv4
from mirror_builder import FRAMES, PACKETS, WIRELESS, erspan, jmirror, tzsp
from tag_builder import KINDS as TAGS
from tag_builder import Wrap, aggregate

# Of everything that may stand inside, and may not.
KINDS = [
    *((wrap, True) for wrap in (*FRAMES.values(), *WIRELESS.values())),
    *((wrap, False) for wrap in PACKETS.values()),
]
KINDS.append((jmirror, False))


def _cut(number: int, tag: Wrap) -> Wrap:
    """A mirror that sends the head of a frame with a tag only, of so many octets that it may end anywhere."""
    kind, most = number % 4, 30 + 6 * number
    return lambda packet: tzsp(tag(packet)[:most]) if kind == 3 else erspan(tag(packet)[:most], 1 + kind)


KINDS += [(_cut(number, tag), False) for number, (link, tag) in enumerate(TAGS.values()) if link == 1]
KINDS.append((lambda packet: tzsp(aggregate([packet, packet])[:130], 18), False))
# Octets in which the headers of a carrier are.
REACH = 90


def mirrored(rng: Random, packet: bytes) -> list[bytes]:
    """An IP packet inside one or more carriers, as IP packets: perhaps damaged, perhaps in two fragments."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        wrap, holds_frame = rng.choice(KINDS)
        if holds_frame:
            tags = [0x8100] * rng.choice((0, 0, 0, 1, 2))
            packet = wrap(ethernet(packet, tags=tags))
        else:
            packet = wrap(packet)
        if rng.random() < 0.15:
            packet = _damaged(rng, packet)
    if rng.random() < 0.2 and packet[0] == 0x45:
        return _in_two(rng, packet)
    return [packet]


def _damaged(rng: Random, packet: bytes) -> bytes:
    """A bit of a header turned, an octet put in or taken out."""
    at = rng.randrange(20, min(len(packet), REACH))
    choice = rng.random()
    if choice < 0.6:
        return packet[:at] + bytes([packet[at] ^ 1 << rng.randrange(8)]) + packet[at + 1 :]
    if choice < 0.8:
        return packet[:at] + packet[at + 1 :]
    return packet[:at] + bytes([rng.choice((0, 1, 4, 0x45, 0x60, 0x88, 255))]) + packet[at:]


def _in_two(rng: Random, packet: bytes) -> list[bytes]:
    payload, ends, key = packet[20:], (packet[12:16], packet[16:20]), rng.randrange(3)
    at = 8 * rng.randrange(1, 6)
    found = [
        ipv4(payload[:at], packet[9], *ends, identification=key, more=True),
        ipv4(payload[at:], packet[9], *ends, identification=key, offset=at),
    ]
    if rng.random() < 0.2:
        found.reverse()
    return found if rng.random() < 0.9 else found[:1]

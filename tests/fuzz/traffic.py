"""Packets that try the decoder: conversations that overlap, reorder, lose and lie; GRE and PPP; fragments.

Knows the protocols from ``builder`` and takes every choice from a ``random.Random``, so that whoever supplies its
numbers (a seed, or a search that is guided by coverage) decides what comes out.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from random import Random

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
import call_builder as said
from builder import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    authentication,
    control,
    extension,
    fragment_header,
    gre,
    ipv4,
    ipv6,
    tcp,
)

from fuzz.mirrors import mirrored

# Control message type -> octets.
SIZES = {
    1: 156,
    2: 156,
    3: 16,
    4: 16,
    5: 16,
    6: 20,
    7: 168,
    8: 32,
    9: 220,
    10: 24,
    11: 28,
    12: 16,
    13: 148,
    14: 40,
    15: 24,
}

# The numbers around which comparisons turn.
EDGES = (0, 1, 2, 3, 4, 7, 8, 11, 12, 13, 15, 16, 19, 20, 21, 39, 40, 41, 127, 128, 255, 256, 1023, 1024, 1025, 65535)

# Call ids of messages and of tunnels alike, so that they meet.
IDS = (0, 1, 2, 0xFFFF)

# What sets a call up inside its tunnel: protocol, code and body of PPP control packets.
CONTENTS = (
    ("c021", 1, "0305c22305 0104 05dc 0702 0802"),
    ("c021", 2, "0304c227 0104 0578"),
    ("c227", 2, "01 6e616d65"),
    ("c227", 3, ""),
    ("c223", 1, "10 000102030405060708090a0b0c0d0e0f 6e"),
    ("c223", 2, "31" + "11" * 16 + "00" * 8 + "22" * 24 + "00 6e616d65"),
    ("c223", 4, "453d36393120523d31"),
    ("c023", 1, "04 6e616d65 01 70"),
    ("c023", 3, "00"),
    ("80fd", 1, "1206 01000040"),
    ("80fd", 2, "1206 01000040"),
    ("8021", 1, "03060a000005 81060a000001"),
    ("8057", 2, "010a0102030405060708"),
    ("00fd", 0x90, "000000"),
    ("c021", 5, ""),
)

Flow = tuple[bytes, bytes, int, int]


def octets(rng: Random, count: int) -> bytes:
    return bytes(rng.getrandbits(8) for _ in range(count))


def edge(rng: Random, width: int) -> int:
    """A number of `width` octets, near a place where something changes."""
    most = (1 << 8 * width) - 1
    number = rng.choice([*EDGES, most, most - 1, most // 2, most // 2 + 1, rng.getrandbits(8 * width)])
    return (number + rng.choice((0, 0, 1, -1))) & most


def message(rng: Random) -> bytes:
    """A control message, mostly a right one."""
    kind = rng.choice((*SIZES, 1, 2, 7, 8, 9))
    body = bytes(rng.getrandbits(8) if rng.random() < 0.3 else 0 for _ in range(SIZES[kind] - 12))
    if kind >= 7 and rng.random() < 0.8:
        # Both ids, and that all is well, where the message has them.
        body = (struct.pack(">HHB", rng.choice(IDS), rng.choice(IDS), 1) + body[5:])[: len(body)]
    lie = rng.random()
    if lie < 0.86:
        return control(kind, body)
    if lie < 0.90:
        return control(kind, body, length=edge(rng, 2))
    if lie < 0.92:
        return control(rng.choice((0, 16, 255, 65535)), body)
    if lie < 0.94:
        return control(kind, body, message_type=rng.choice((0, 2, 65535)))
    if lie < 0.96:
        return control(kind, body, cookie=0x1A2B3C4D ^ 1 << rng.randrange(32))
    if lie < 0.98:
        return control(kind, body)[: rng.randrange(SIZES[kind])]
    return octets(rng, rng.randrange(40))


def _cuts(rng: Random, size: int) -> list[tuple[int, int]]:
    """Segments of a stream as (start, end): in order, then repeated, moved about, some lost."""
    most = rng.choice((1, 3, 20, 100, 600))
    found: list[tuple[int, int]] = []
    start = 0
    while start < size and len(found) < 150:
        end = min(size, start + rng.randrange(1, most + 1))
        found.append((start, end))
        start = end
    if not found:
        return found
    for _ in range(rng.randrange(4)):
        start = rng.randrange(size)
        found.insert(rng.randrange(len(found) + 1), (start, min(size, start + rng.randrange(1, 300))))
    order = rng.random()
    if order < 0.15:
        found.reverse()
    elif order < 0.6:
        for _ in range(rng.randrange(1, 8)):
            piece = found.pop(rng.randrange(len(found)))
            found.insert(rng.randrange(len(found) + 1), piece)
    if rng.random() < 0.3:
        found = [piece for piece in found if rng.random() > 0.15]
    return found


class _Side:
    """One side of a connection: its numbers, its stream, what it sends."""

    def __init__(self, rng: Random, flow: Flow) -> None:
        self.flow = flow
        self.first = rng.choice((0, 0xFFFFFF00, 0x7FFFFFF0, rng.getrandbits(32)))
        self.stream = b"".join(message(rng) for _ in range(rng.randrange(8)))


def _segment(rng: Random, side: _Side, number: int, data: bytes, flags: str, acknowledgment: int = 0) -> bytes:
    source, destination, source_port, destination_port = side.flow
    return tcp(
        data,
        number,
        acknowledgment,
        flags,
        source=source,
        destination=destination,
        source_port=source_port,
        destination_port=destination_port,
        options=bytes(4 * rng.randrange(11)) if rng.random() < 0.05 else b"",
        header_length=4 * rng.randrange(16) if rng.random() < 0.01 else None,
        spoil=rng.randrange(1, 65536) if rng.random() < 0.1 else 0,
    )


def _sent(rng: Random, side: _Side, other: _Side) -> list[tuple[_Side, bytes]]:
    """Segments with data of one side, with what may stand between them."""
    found: list[tuple[_Side, bytes]] = []
    for start, end in _cuts(rng, len(side.stream)):
        data = side.stream[start:end]
        number = side.first + 1 + start
        if rng.random() < 0.08:
            data = bytes(octet ^ (rng.random() < 0.2) for octet in data)
        found.append((side, _segment(rng, side, number, data, rng.choice(("A", "PA", "", "PAU")))))
        event = rng.random()
        if event < 0.2:
            reached = side.first + 1 + rng.randrange(len(side.stream) + 3)
            found.append((other, _segment(rng, other, rng.getrandbits(32), b"", "A", reached)))
        elif event < 0.23:
            found.append((side, _segment(rng, side, number - 1, b"x", "A")))
        elif event < 0.26:
            flags = rng.choice(("R", "RA", "S", "SA", "FA", "A", "SFRA"))
            far = rng.choice((rng.getrandbits(32), side.first + (1 << 30), side.first - (1 << 20), number))
            found.append((side, _segment(rng, side, far, octets(rng, rng.randrange(20)), flags, rng.getrandbits(32))))
    if rng.random() < 0.5:
        found.append((side, _segment(rng, side, side.first + 1 + len(side.stream), b"", "FA")))
    return found


def conversation(rng: Random, six: bool = False) -> list[tuple[bytes, bytes, int, bytes]]:
    """Packets (source, destination, protocol, payload) of one connection, both directions interleaved."""
    ends = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    port = rng.choice((40000, 40001, 1723))
    sides = _Side(rng, (*ends, port, 1723)), _Side(rng, (*ends[::-1], 1723, port))
    if rng.random() < 0.5:
        ids = rng.choice(IDS), rng.choice(IDS)
        sides[0].stream = said.outgoing_request(ids[0]) + sides[0].stream
        sides[1].stream = said.outgoing_reply(ids[1], ids[0]) + sides[1].stream
    start: list[tuple[_Side, bytes]] = []
    if rng.random() < 0.8:
        early = sides[0].stream[: rng.randrange(20)] if rng.random() < 0.1 else b""
        start.append((sides[0], _segment(rng, sides[0], sides[0].first, early, "S")))
        start.append((sides[1], _segment(rng, sides[1], sides[1].first, b"", "SA", sides[0].first + 1)))
        if rng.random() < 0.2:
            start.reverse()
    queues = [_sent(rng, sides[0], sides[1]), _sent(rng, sides[1], sides[0])]
    sent = start
    while queues[0] or queues[1]:
        queue = queues[rng.randrange(2)] or queues[0] or queues[1]
        sent.append(queue.pop(0))
    if rng.random() < 0.2:
        number = sides[0].first + rng.choice((0, 1, 100000))
        sent.insert(rng.randrange(len(sent) + 1), (sides[0], _segment(rng, sides[0], number, b"", "S")))
    if rng.random() < 0.2:
        side = sides[rng.randrange(2)]
        sent.append((side, _segment(rng, side, side.first + 1, b"", "R")))
    return [(side.flow[0], side.flow[1], 6, segment) for side, segment in sent]


def ppp(rng: Random) -> bytes:
    """A PPP frame as the payload of GRE: any compression of its header, any protocol, or none."""
    kind = rng.random()
    if kind < 0.1:
        return octets(rng, rng.randrange(5))
    if kind < 0.4:
        return said.octets(said.packet(*rng.choice(CONTENTS)))
    address = b"\xff\x03" if rng.random() < 0.5 else b""
    number = rng.choice((0x21, 0x57, 0xC021, 0xC023, 0xC223, 0x8021, 0x80FD, 0xFD, rng.getrandbits(16)))
    protocol = bytes([number]) if number < 256 and rng.random() < 0.5 else struct.pack(">H", number)
    inner = octets(rng, rng.randrange(60))
    if rng.random() < 0.3:
        inner = struct.pack(">BBH", rng.randrange(13), rng.getrandbits(8), edge(rng, 2)) + inner
    return address[: 2 if rng.random() < 0.9 else 1] + protocol + inner


def tunnelled(rng: Random) -> bytes:
    """An Enhanced GRE packet, or nearly one."""
    sequence = edge(rng, 4) if rng.random() < 0.8 else None
    acknowledgment = edge(rng, 4) if rng.random() < 0.4 else None
    payload = ppp(rng) if rng.random() < 0.85 else b""
    flags = None
    if rng.random() < 0.15:
        flags = rng.choice((0x2001, 0x3001, 0x2081, 0x3081, 0x0001, 0xB001, rng.getrandbits(16)))
    return gre(
        payload,
        rng.choice((*IDS, rng.getrandbits(16))),
        sequence,
        acknowledgment,
        flags=flags,
        payload_length=edge(rng, 2) if rng.random() < 0.1 else None,
        protocol_type=0x880B if rng.random() < 0.96 else rng.choice((0x0800, 0x6558, 0x880C)),
    )


def network(rng: Random, source: bytes, destination: bytes, protocol: int, payload: bytes) -> list[bytes]:
    """One or more IP packets: with options or extension headers, in fragments, inside other packets; with lies."""
    if rng.random() < 0.12:
        found = _fragments(rng, source, destination, protocol, payload)
    elif len(source) == 4:
        found = [
            ipv4(
                payload,
                protocol,
                source,
                destination,
                options=bytes(4 * rng.randrange(11)) if rng.random() < 0.05 else b"",
                total_length=rng.choice((0, edge(rng, 2))) if rng.random() < 0.03 else None,
                header_length=4 * rng.randrange(16) if rng.random() < 0.01 else None,
            )
        ]
    else:
        several = [_extension(rng) for _ in range(rng.randrange(5))] if rng.random() < 0.2 else []
        length = rng.choice((0, edge(rng, 2))) if rng.random() < 0.03 else None
        found = [ipv6(payload, protocol, source, destination, extensions=several, payload_length=length)]
    for _ in range(5):
        if rng.random() > 0.06:
            break
        found = [_inside(rng, packet) for packet in found]
    if rng.random() < 0.1:
        found = [outer for packet in found for outer in mirrored(rng, packet)]
    return found


def _extension(rng: Random) -> tuple[int, bytes]:
    return rng.choice(
        (extension(rng.choice((0, 43, 60, 135, 139, 140)), rng.randrange(3)), authentication(rng.randrange(4)))
    )


def _inside(rng: Random, packet: bytes) -> bytes:
    protocol = 4 if packet[0] >> 4 == 4 else 41
    if rng.random() < 0.03:
        protocol ^= 4 ^ 41
    return (ipv4 if rng.random() < 0.5 else ipv6)(packet, protocol)


def _fragments(rng: Random, source: bytes, destination: bytes, protocol: int, payload: bytes) -> list[bytes]:
    """The payload in fragments: overlapping, repeated, in any order, some lost, some with other octets."""
    key = rng.choice((7, 8, rng.getrandbits(16)))
    step = 8 * rng.randrange(1, 6)
    bounds = [*range(0, len(payload), step), len(payload)] if payload else [0, 0]
    parts = [(a, bounds[i + 1], i + 2 < len(bounds)) for i, a in enumerate(bounds[:-1])][:40]
    for _ in range(rng.randrange(3) if rng.random() < 0.4 else 0):
        start = 8 * rng.randrange(len(payload) // 8 + 1)
        parts.append((start, start + rng.choice((8, 16, 40, rng.randrange(1, 50))), rng.random() < 0.8))
    if rng.random() < 0.2:
        parts += parts
    if rng.random() < 0.4:
        rng.shuffle(parts)
    if rng.random() < 0.2:
        parts.pop()
    found = []
    for start, end, more in parts:
        data = payload[start:end]
        if rng.random() < 0.05:
            data = bytes(octet ^ 1 for octet in data)
        where = 8 * rng.randrange(8192) if rng.random() < 0.01 else start
        if len(source) == 4:
            found.append(
                ipv4(data, protocol, source, destination, identification=key & 0xFFFF, offset=where, more=more)
            )
        else:
            extra = [_extension(rng)] if rng.random() < 0.1 else []
            extensions = [*extra, fragment_header(where, more, key)]
            found.append(ipv6(data, protocol, source, destination, extensions=extensions))
    return found

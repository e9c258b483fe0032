"""Numbered captures of control connections that go wrong in every way that the TCP oracle models.

Knows how streams are cut, lost, repeated and contradicted, and writes plain pcap, Ethernet and IPv4 by itself; imports
nothing of the package, nor any builder of the tests.  The same seed and number give the same octets everywhere.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from random import Random

COOKIE = 0x1A2B3C4D
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
SIZES = dict(enumerate((156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24), 1))
SHORT = (3, 4, 5, 5, 6, 8, 10, 11, 12, 14, 15)
# Where texts stand behind the header.
TEXTS = {1: ((16, 144),), 2: ((16, 144),), 7: ((28, 156),), 9: ((16, 208),), 13: ((8, 136),)}
ODD_FLAGS: tuple[int, ...] = (0, SYN, SYN | ACK, SYN | FIN, SYN | RST, SYN | ACK | FIN, SYN | ACK | RST)
ODD_FLAGS += (RST, RST | ACK, FIN | ACK, FIN, ACK | URG)
CLIENT, SERVER = bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])
SPOILT = 0x5A


@dataclass(frozen=True)
class Packet:
    """A segment from one side of a connection; `snap` octets of its frame are captured, `wire` of its own are sent.

    `words` is what it says of the length of its header, where that is not the truth.
    """

    source: tuple[bytes, int]
    destination: tuple[bytes, int]
    sequence: int
    acknowledgment: int
    flags: int
    data: bytes = b""
    options: bytes = b""
    spoil: int = 0
    snap: int | None = None
    wire: int | None = None
    words: int | None = None


def ones_sum(data: bytes) -> int:
    """Internet checksum."""
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(packet: Packet) -> bytes:
    """Ethernet, IPv4 and TCP with right checksums, the last spoilt where the packet says so."""
    (source, source_port), (destination, destination_port) = packet.source, packet.destination
    words = (20 + len(packet.options)) // 4 if packet.words is None else packet.words
    head = struct.pack(
        ">HHIIHHHH",
        source_port,
        destination_port,
        packet.sequence % 2**32,
        packet.acknowledgment % 2**32,
        words << 12 | packet.flags,
        8192,
        0,
        0,
    )
    segment = head + packet.options + packet.data
    pseudo = source + destination + struct.pack(">HH", 6, len(segment))
    checksum = ones_sum(pseudo + segment) ^ packet.spoil
    segment = (segment[:16] + struct.pack(">H", checksum) + segment[18:])[: packet.wire]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + source + destination
    ip = ip[:10] + struct.pack(">H", ones_sum(ip)) + ip[12:]
    return bytes.fromhex("0200000000010200000000020800") + ip + segment


def capture(packets: list[Packet]) -> bytes:
    """A pcap file, a packet a second."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for number, packet in enumerate(packets):
        octets = frame(packet)
        kept = octets[: packet.snap]
        parts.append(struct.pack("<IIII", 1_600_000_000 + number, 0, len(kept), len(octets)) + kept)
    return b"".join(parts)


def message(rng: Random) -> bytes:
    """One of the 15 messages, mostly as it should be."""
    kind = rng.choice(SHORT) if rng.random() < 0.8 else rng.randrange(1, 16)
    size = SIZES[kind]
    body = bytearray(rng.randbytes(size - 12))
    for start, stop in TEXTS.get(kind, ()):
        name = rng.randbytes(rng.randrange(20))
        body[start:stop] = (name + bytes(stop - start))[: stop - start]
        if rng.random() < 0.3:
            body[rng.randrange(start, stop)] = 7
    for at in {7: (24,), 9: (12, 14)}.get(kind, ()):
        body[at : at + 2] = struct.pack(">H", rng.choice((0, 9, 64, 65, 300)))
    length, message_type, cookie = size, 1, COOKIE
    odd = rng.random()
    if odd < 0.03:
        length = rng.choice((0, 11, 12, 13, size - 2, size + 1, size + 8, 1024, 1025, 65535))
        body = (body + bytes(20))[: max(0, min(length, size + 8) - 12)]
    elif odd < 0.05:
        message_type = rng.choice((0, 2, 3))
    elif odd < 0.07:
        kind = rng.choice((0, 16, 99))
    elif odd < 0.09:
        cookie ^= 1 << rng.randrange(32)
    return struct.pack(">HHIHH", length, message_type, cookie, kind, rng.choice((0, 0, 9))) + bytes(body)


def stream(rng: Random) -> bytes:
    """Messages, and now and then what is none."""
    parts = []
    for _ in range(rng.randrange(1, 8)):
        if rng.random() < 0.1:
            head = struct.pack(">HHI", 16, 1, COOKIE)
            parts.append(rng.choice((rng.randbytes(rng.randrange(1, 40)), bytes(9), head, head * 2, message(rng)[:-3])))
        parts.append(message(rng))
    return b"".join(parts)


@dataclass
class Side:
    """One side of a connection: what it will say, and how far it is."""

    here: tuple[bytes, int]
    there: tuple[bytes, int]
    first: int
    octets: bytes
    sent: int = 0
    queue: list[Packet] = field(default_factory=list)

    def packet(self, at: int, data: bytes, flags: int, other: Side) -> Packet:
        """The octets at a position of the stream."""
        return Packet(self.here, self.there, self.first + 1 + at, other.first + 1 + other.sent, flags, data)


def sizes(rng: Random) -> int:
    return rng.choice((1, rng.randrange(1, 12), rng.randrange(1, 40), 16, rng.randrange(20, 200), 300))


def conversation(rng: Random, source: tuple[bytes, int], destination: tuple[bytes, int]) -> list[Packet]:
    """Both directions in the order in which they were sent, before anything goes wrong."""
    starts = (0, 2**32 - 1, 2**32 - rng.randrange(1, 400), 2**31 - 30, rng.getrandbits(32))
    firsts = rng.choice(starts), rng.choice(starts)
    one = Side(source, destination, firsts[0], stream(rng))
    two = Side(destination, source, firsts[1], stream(rng))
    found: list[Packet] = []
    start = rng.random()
    if start < 0.75:
        early = one.octets[: rng.randrange(30)] if rng.random() < 0.1 else b""
        found.append(replace(one.packet(-1, early, SYN, two), acknowledgment=0))
        one.sent = len(early)
        answer = two.octets[: rng.randrange(30)] if rng.random() < 0.05 else b""
        found.append(replace(two.packet(-1, answer, SYN | ACK, one), acknowledgment=one.first + 1 + one.sent))
        if rng.random() < 0.2:
            found.reverse()
        if rng.random() < 0.2:
            found.pop(rng.randrange(2))
    for _ in range(60):
        side, other = (one, two) if rng.random() < 0.5 else (two, one)
        if side.sent == len(side.octets):
            side, other = other, side
        if side.sent == len(side.octets):
            break
        size = sizes(rng)
        data = side.octets[side.sent : side.sent + size]
        flags = ACK if rng.random() < 0.9 else rng.choice((0, PSH, ACK | URG, ACK | PSH))
        found.append(side.packet(side.sent, data, flags, other))
        side.sent += len(data)
        if rng.random() < 0.35:
            found.append(other.packet(other.sent, b"", ACK, side))
        if rng.random() < 0.05:
            found.append(side.packet(side.sent - 1, b"\0", ACK, other))
        if rng.random() < 0.25:
            found.append(again(rng, side, other))
    for side, other in ((one, two), (two, one)):
        if rng.random() < 0.5:
            data = side.octets[side.sent - rng.randrange(20) :] if rng.random() < 0.3 else b""
            at = side.sent if not data else len(side.octets) - len(data)
            found.append(side.packet(at, data, rng.choice((FIN | ACK, FIN)), other))
        if rng.random() < 0.15:
            found.append(side.packet(side.sent, b"", rng.choice((RST, RST | ACK)), other))
    return found


def again(rng: Random, side: Side, other: Side) -> Packet:
    """A part of what was said, or will be, once more: as it was, or with other octets."""
    at = rng.randrange(max(0, side.sent - 120), side.sent + 30)
    data = bytearray(side.octets[at : at + sizes(rng)])
    if data and rng.random() < 0.4:
        data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
    return side.packet(at, bytes(data), ACK, other)


def disturbed(rng: Random, packets: list[Packet]) -> list[Packet]:
    """Lost, repeated, moved, changed, cut, and far away."""
    found = list(packets)
    loss = rng.choice((0, 0, 0.03, 0.1, 0.25))
    found = [packet for packet in found if rng.random() >= loss] or found
    for _ in range(rng.choice((0, 1, 2, 5, 10))):
        at = rng.randrange(len(found))
        moved = found.pop(at)
        found.insert(min(len(found), max(0, at + rng.randrange(-8, 9))), moved)
    for _ in range(rng.choice((0, 0, 1, 3))):
        at = rng.randrange(len(found))
        found.insert(rng.randrange(at, len(found) + 1), changed(rng, found[at]))
    share = rng.choice((0, 0, 0.05, 0.3))
    found = [snapped(rng, packet) if rng.random() < share else packet for packet in found]
    spoilt = rng.choice((0, 0, 0, 0.05, 0.3))
    return [replace(packet, spoil=SPOILT) if rng.random() < spoilt else packet for packet in found]


def changed(rng: Random, packet: Packet) -> Packet:
    """The same segment with one thing that is not as it was."""
    choice = rng.randrange(11)
    if choice == 0:
        far = rng.choice((2**30, 2**30 - 1, 2**30 + 50, 2**31, -(2**30), 2**20, 2**20 - 1, -(2**20), 70_000))
        return replace(packet, sequence=packet.sequence + far)
    if choice == 1:
        far = rng.choice((2**30, 2**31, -(2**30), 400, 60, 20, -20, 1))
        return replace(packet, acknowledgment=packet.acknowledgment + far)
    if choice == 2:
        near = rng.randrange(-60, 60)
        return replace(packet, sequence=packet.sequence + near)
    if choice == 3:
        data = bytearray(packet.data or b"x")
        for _ in range(rng.choice((1, 2, 9))):
            data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        return replace(packet, data=bytes(data), spoil=rng.choice((0, SPOILT)))
    if choice == 4:
        flags = rng.choice(ODD_FLAGS)
        return replace(packet, flags=flags, data=packet.data if rng.random() < 0.3 else b"")
    if choice == 5:
        extra = rng.choice((0, 1, -1, 1000))
        return replace(packet, flags=SYN, data=b"", sequence=packet.sequence + extra, acknowledgment=0)
    if choice == 6:
        return replace(packet, options=bytes([1] * 4 * rng.randrange(1, 11)))
    if choice == 7:
        return replace(packet, data=packet.data + message(rng))
    if choice == 8:
        return replace(packet, wire=rng.randrange(20))
    if choice == 9:
        return replace(packet, words=rng.choice((0, 4, 6, 15)))
    return packet


def snapped(rng: Random, packet: Packet) -> Packet:
    """Captured in part; never less than its IP header."""
    return replace(packet, snap=rng.choice((34 + rng.randrange(24), 54 + rng.randrange(60), 96, 68)))


def input_of(seed: int, number: int) -> bytes:
    """Capture `number`: some connections, woven into each other and disturbed."""
    rng = Random(f"{seed} tcp {number}")
    talks: list[list[Packet]] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        port = rng.choice((40000, 40000, 40001, 1723))
        ends = ((CLIENT, port), (SERVER, 1723 if rng.random() < 0.97 else 1724))
        talk = conversation(rng, *(ends if rng.random() < 0.95 else ends[::-1]))
        if rng.random() < 0.3 and talks:
            talks[-1] += talk
        else:
            talks.append(talk)
    packets: list[Packet] = []
    while any(talks):
        talk = rng.choice([talk for talk in talks if talk])
        for _ in range(rng.choice((1, 1, 2, 5, 30))):
            if talk:
                packets.append(talk.pop(0))
    return capture(disturbed(rng, packets)[:60])

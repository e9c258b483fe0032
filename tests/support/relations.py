"""Captures in which calls, their ids and their tunnels meet in every way that a few ids and addresses allow.

Knows messages and Enhanced GRE from their specifications; every choice comes from a ``random.Random``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from random import Random

from builder import SERVER, Conversation, Record, control, gre, gre_frame, time_of

HOSTS = (SERVER, bytes([10, 0, 0, 2]), bytes([10, 0, 0, 3]))
IDS = (0, 1, 2, 3, 0x8000)
# PPP payloads by what is counted of them, and one without a protocol.
PAYLOADS = (
    b"\x21\0",
    b"\xff\x03\x00\x57\0",
    b"\x00\x2d\0",
    b"\xfd\x90\x00\0",
    b"\x00\xfb\0",
    b"\xc0\x21\x09\0\0\4",
    b"\0\0",
    bytes.fromhex("003d c0000001 0021 4500 0014 0000 0000 40 11 66d7 0a000001 0a000002"),
    bytes.fromhex("003d c0000001 0021 4500 0014 0000 0000 40 11 66d8 0a000001 0a000002"),
)
# PPP control packets of every kind that tells how far a call came: protocol, code, identifier, what follows.
CONTROLS = tuple(
    bytes.fromhex(text)
    for text in (
        "c021 01 01 0004",
        "c021 01 01 0008 0304c023",
        *["c021 02 01 0004"] * 4,
        "c021 02 01 0009 0305c22381",
        "c021 03 01 0008 0304c023",
        "c021 04 01 0008 0304c023",
        "c021 05 02 0004",
        "c021 06 02 0004",
        *("c021 09 01 0004", "c021 09 02 0004", "c021 09 03 0004") * 2,
        "c021 0a 01 0004",
        "c021 0a 02 0004",
        "c023 01 01 0006 0000",
        *["c023 02 01 0005 00"] * 2,
        "c023 03 01 0005 00",
        "c223 01 01 0006 0141",
        "c223 03 01 0004",
        "c223 04 01 0009 453d363931",
        "c227 01 01 0005 01",
        "c227 02 01 0005 01",
        "8021 02 01 0004",
        "8057 02 01 0004",
        "802b 02 01 0004",
        "8053 02 01 0004",
        "80fd 02 01 0004",
    )
)
# Packets of LCP with which a link is not agreed on, and ends; among all kinds that is rare.
LINK = tuple(
    bytes.fromhex(text)
    for text in ("c021 01 01 0008 0304c023", "c021 02 01 0004", "c021 04 01 0008 0304c023", "c021 05 02 0004")
)
# EAP Responses of a method, of none, and without a type.
RESPONSES = tuple(
    bytes.fromhex(text)
    for text in ("c227 02 01 0005 03", "c227 02 01 0005 04", "c227 02 01 0005 1a", "c227 02 01 0004")
)


def message(rng: Random, kind: int, one: int, other: int) -> bytes:
    """A control message with the id of its sender, or of the receiver where the type has that one first."""
    result = rng.choice((1, 1, 1, 2))
    bodies = {
        3: struct.pack(">BBH", 1, 0, 0),
        5: struct.pack(">I", 7),
        7: struct.pack(">HH152x", one, rng.randrange(9)),
        8: struct.pack(">HHBBH12x", one, other, result, 3, 17),
        9: struct.pack(">HH204x", one, rng.randrange(9)),
        10: struct.pack(">HHBB6x", one, other, result, 4),
        11: struct.pack(">H14x", other),
        12: struct.pack(">H2x", one),
        13: struct.pack(">HBBH2x128x", one, 2, 5, 16),
        14: struct.pack(">H26x", other),
        15: struct.pack(">H10x", other),
    }
    return control(kind, bodies[kind])


class Talk:
    """A control connection, whose packets go to a list that it shares with everything else."""

    def __init__(self, rng: Random, port: int, packets: list[bytes | Record]) -> None:
        self.rng = rng
        self.conversation = Conversation(client=rng.choice(HOSTS), server=rng.choice(HOSTS), port=port)
        self.conversation.packets = packets
        self.begin()

    def begin(self) -> None:
        """A first SYN, or one more on the same ports; at times none at all."""
        isn = self.rng.choice((1000, 500_000_000))
        self.conversation.isn = (isn, isn + 4000)
        self.said = [0, 0]
        if self.rng.random() < 0.9:
            self.conversation.handshake()

    def step(self) -> None:
        """A message or several, or an end."""
        rng, side = self.rng, self.rng.randrange(2)
        dice = rng.random()
        if dice < 0.02:
            self.begin()
            return
        if dice < 0.05:
            self.conversation.add(side, self.said[side], flags=rng.choice(("R", "FA", "FA")))
            return
        kinds = rng.choices(
            (7, 8, 9, 10, 11, 12, 13, 14, 15, 5, 3), (9, 9, 5, 5, 3, 3, 3, 2, 2, 1, 1), k=rng.choice((1, 1, 1, 2))
        )
        data = b"".join(message(rng, kind, rng.choice(IDS), rng.choice(IDS)) for kind in kinds)
        if rng.random() < 0.03:
            self.said[side] += rng.choice((8, 40))
        snap = None if rng.random() < 0.95 else rng.randrange(len(data))
        self.conversation.add(side, self.said[side], data, snap=snap, ack=self.said[1 - side])
        self.said[side] += len(data)


def tunnelled(rng: Random, numbers: dict[tuple[bytes, bytes], int], payloads: Sequence[bytes]) -> bytes:
    """A packet of Enhanced GRE, its numbers near those of its way and of the way back."""
    source, destination = rng.choice(HOSTS), rng.choice(HOSTS)
    there, back = (source, destination), (destination, source)
    sequence = acknowledgment = None
    if rng.random() < 0.8:
        step = rng.choice((1, 1, 1, 1, 1, 2, 3, 0, -1, -2, 1 << 31, -(1 << 30)))
        sequence = numbers[there] = (numbers.get(there, rng.choice((0, 1, 0xFFFFFFFE))) + step) & 0xFFFFFFFF
    if rng.random() < 0.5:
        acknowledgment = (numbers.get(back, 0) + rng.choice((0, 0, 0, -1, -3, 1))) & 0xFFFFFFFF
    payload = b"" if sequence is None else rng.choice(payloads)
    return gre_frame(gre(payload, rng.choice(IDS), sequence, acknowledgment), source, destination)


def relations(rng: Random, count: int) -> list[bytes | Record]:
    """Packets of some connections and tunnels, about `count` of them, whose times are at times late or early."""
    packets: list[bytes | Record] = []
    talks = [Talk(rng, 40_000 + number, packets) for number in range(rng.randrange(1, 4))]
    numbers: dict[tuple[bytes, bytes], int] = {}
    share = rng.choice((0.2, 0.5, 0.8))
    # All kinds; what opens a link or does not; or a few alone, so that calls stay at every step and what comes in a row does.
    payloads = rng.choice(
        (
            (*PAYLOADS, *CONTROLS, *RESPONSES),
            CONTROLS,
            LINK,
            rng.sample(CONTROLS, 5),
            rng.sample(CONTROLS, 8),
        )
    )
    while len(packets) < count:
        if rng.random() < share:
            packets.append(tunnelled(rng, numbers, payloads))
        else:
            rng.choice(talks).step()
    for number in range(len(packets)):
        if rng.random() < 0.1:
            packet = packets[number]
            seconds = time_of(number + 1) // 10**9 + rng.choice((-1, -200, 1, 130, 200))
            old = packet if isinstance(packet, Record) else Record(packet)
            packets[number] = Record(old.data, old.original, seconds=seconds)
    return packets

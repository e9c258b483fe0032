"""Captures that hypothesis writes: packets of a few connections and datagrams that get in each other's way, and damage.

Numbers are drawn from few and near values, so that segments meet; caps are small, so that they are reached.  What is
made here need not mean anything.
"""

from __future__ import annotations

import struct
from typing import Any

from builder import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    Conversation,
    Record,
    authentication,
    control,
    cut,
    echo,
    ethernet,
    extension,
    fragment_header,
    gre,
    ipv4,
    ipv6,
    pcap,
)
from hypothesis import strategies as st
from mirror_builder import FRAMES, PACKETS
from vectors import CONTROL_HEX

from pptpcap.wire.limits import Limits

# What a stream is made of: whole messages of every length, and every way to lose the step.
PARTS = [
    echo(1),
    echo(2),
    CONTROL_HEX[6],
    CONTROL_HEX[11],
    CONTROL_HEX[15],
    CONTROL_HEX[1],
    CONTROL_HEX[2],
    CONTROL_HEX[7],
    CONTROL_HEX[1][:70] + echo(3) + CONTROL_HEX[1][86:],
    echo(4, length=0),
    echo(5, length=2000),
    echo(6, length=20),
    echo(7, length=12),
    echo(8, length=100),
    echo(9, cookie=0x1A2B3C4E),
    echo(10, message_type=2),
    control(16, bytes(4)),
    control(0x0105, bytes(4)),
    CONTROL_HEX[7][:36] + b"\xff\xff" + CONTROL_HEX[7][38:],
    CONTROL_HEX[13][:140] + b"tail" + CONTROL_HEX[13][144:],
    b"\0",
    bytes(11),
    b"\x00\x10\x00\x01\x1a\x2b\x3c\x4d",
]

limits = st.builds(
    Limits,
    carriers=st.sampled_from([0, 1, 16]),
    datagrams=st.sampled_from([1, 2, 1024]),
    carrier_datagrams=st.sampled_from([1, 2, 256]),
    datagram_length=st.sampled_from([40, 200, 65_535]),
    fragments=st.sampled_from([1, 2, 3, 1024]),
    remembered_octets=st.sampled_from([0, 350, 4 << 20]),
    connections=st.sampled_from([1, 2, 1 << 20]),
    connection_rows=st.sampled_from([0, 1, 2, 1 << 20]),
    tunnels=st.sampled_from([0, 1, 3, 1 << 20]),
    calls=st.sampled_from([0, 1, 3, 1 << 20]),
    pieces=st.sampled_from([0, 1, 3, 128]),
    waiting_octets=st.sampled_from([0, 30, 200, 65_536]),
    history=st.sampled_from([0, 5, 40, 4_096]),
    held_octets=st.sampled_from([0, 100, 300, 32 << 20]),
)

OFFSETS = [0, 0, 0, 0, 0, 0, 2**20, -(2**20), 2**20 - 1, 2**30, 2**30 - 1, -(2**30), 2**31]
FLAGS = ["A", "A", "A", "PA", "A", "A", "", "FA", "FA", "S", "S", "SA", "R", "RA", "UA", "SFA", "SRA", "FR", "SF"]


KINDS = [(wrap, True) for wrap in FRAMES.values()] + [(wrap, False) for wrap in PACKETS.values()]


@st.composite
def carried(draw: st.DrawFn, packet: bytes) -> bytes:
    """The packet inside one or two carriers, of whose headers a bit may be turned."""
    for _ in range(draw(st.integers(1, 2))):
        wrap, holds_frame = draw(st.sampled_from(KINDS))
        packet = wrap(ethernet(packet) if holds_frame else packet)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(20, min(len(packet), 90) - 1))
        packet = packet[:at] + bytes([packet[at] ^ 1 << draw(st.integers(0, 7))]) + packet[at + 1 :]
    return packet


@st.composite
def wrapped(draw: st.DrawFn, packet: bytes) -> list[bytes | Record]:
    """The packet in one frame, or in a tunnel, or in fragments, perhaps cut."""
    if draw(st.integers(0, 6)) == 0:
        packet = draw(carried(packet))
    how = draw(st.sampled_from(["plain"] * 6 + ["vlan", "tunnel", "fragments", "fragments", "reversed"]))
    if how == "vlan":
        frames = [ethernet(packet, tags=[0x8100])]
    elif how == "tunnel":
        frames = [ethernet(ipv6(packet, 41 if packet[0] >> 4 == 6 else 4))]
    elif how == "plain":
        frames = [ethernet(packet)]
    else:
        key = draw(st.integers(0, 2))
        at = 8 * draw(st.integers(1, 4))
        if packet[0] >> 4 == 4:
            body, protocol, ends = packet[20:], packet[9], (packet[12:16], packet[16:20])
            first = ipv4(body[:at], protocol, *ends, identification=key, more=True)
            last = ipv4(body[at:], protocol, *ends, identification=key, offset=at)
        else:
            body, protocol, ends = packet[40:], packet[6], (packet[8:24], packet[24:40])
            first = ipv6(body[:at], protocol, *ends, extensions=[fragment_header(0, True, key)])
            last = ipv6(body[at:], protocol, *ends, extensions=[fragment_header(at, False, key)])
        frames = [ethernet(first), ethernet(last)]
        if how == "reversed":
            frames.reverse()
    kept: list[bytes | Record] = []
    for frame in frames:
        fate = draw(st.sampled_from(["whole"] * 6 + ["cut", "cut", "fraction", "original", "padded", "lost"]))
        if fate == "cut":
            kept.append(cut(frame, draw(st.integers(max(0, len(frame) - 200), len(frame)))))
        elif fate == "fraction":
            kept.append(Record(frame, fraction=1_000_000))
        elif fate == "original":
            kept.append(Record(frame, original=max(0, len(frame) - draw(st.integers(1, 40)))))
        elif fate == "padded":
            kept.append(frame + bytes(draw(st.integers(1, 20))))
        elif fate == "whole":
            kept.append(frame)
    return kept


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes | Record]:
    """Frames of up to three conversations on few ports, whose segments overlap, contradict, vanish and end."""
    streams = {}
    talks = {}
    frames: list[bytes | Record] = []
    for _ in range(draw(st.integers(1, 40))):
        port = draw(st.sampled_from([40000, 40000, 40001, 1723]))
        side = draw(st.integers(0, 1))
        isn = draw(st.sampled_from([(1000, 5000)] * 9 + [(2**32 - 20, 9), (70_000, 80_000)]))
        six = draw(st.booleans()) if port == 40001 else False
        key = (port, six, isn)
        if key not in talks:
            ends: dict[str, Any] = {"client": CLIENT6, "server": SERVER6} if six else {}
            talks[key] = Conversation(port=port, isn=isn, **ends)
        if (key, side) not in streams:
            streams[key, side] = b"".join(draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=6)))
        stream = streams[key, side]
        flags = draw(st.sampled_from(FLAGS))
        start = draw(st.integers(0, len(stream)))
        end = draw(st.integers(start, min(len(stream), start + draw(st.sampled_from([0, 1, 20, 160, 1000])))))
        data = stream[start:end]
        if data and draw(st.integers(0, 7)) == 0:
            at = draw(st.integers(0, len(data) - 1))
            data = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        position = -1 if "S" in flags else start + draw(st.sampled_from(OFFSETS))
        if draw(st.integers(0, 15)) == 0:
            position -= draw(st.integers(1, 30))
        segment = talks[key].segment(
            side,
            position,
            data,
            flags,
            ack=draw(st.sampled_from([0, 0, start, end, len(stream), 2**30, -5])),
            options=bytes(4 * draw(st.sampled_from([0, 0, 0, 3]))),
            spoil=draw(st.sampled_from([0, 0, 0, 1])),
        )
        frames += draw(wrapped(segment))
    return frames


@st.composite
def packets(draw: st.DrawFn) -> list[bytes | Record]:
    """Frames of Enhanced GRE and of IP headers that are nearly right."""
    frames: list[bytes | Record] = []
    for _ in range(draw(st.integers(1, 12))):
        payload = draw(st.sampled_from([b"", b"\xff\x03\xc0\x21ab", b"\x21", b"\x00", b"\xfd\x90", bytes(30), b"\xff"]))
        octets = gre(
            payload,
            draw(st.integers(0, 2)),
            draw(st.sampled_from([None, 0, 1, 2, 2**31, 2**32 - 1])),
            draw(st.sampled_from([None, 7])),
            payload_length=draw(st.sampled_from([None, None, 0, 5, 65535])),
            protocol_type=draw(st.sampled_from([0x880B] * 5 + [0x0800])),
        )
        if draw(st.integers(0, 3)) == 0:
            octets = struct.pack(">H", draw(st.integers(0, 0xFFFF))) + octets[2:]
        if draw(st.integers(0, 9)) == 0:
            octets = octets[: draw(st.integers(0, len(octets)))]
        kind = draw(st.sampled_from(["4", "4", "6", "options", "chain", "deep", "bent"]))
        if kind == "options":
            packet = ipv4(octets, 47, options=bytes(4 * draw(st.integers(0, 10))))
        elif kind == "6":
            packet = ipv6(octets, 47)
        elif kind == "chain":
            links = [extension(0), extension(60, 1), extension(43), authentication(1), fragment_header(0, False, 1)]
            chain = draw(st.lists(st.sampled_from(links), max_size=18))
            packet = ipv6(octets, 47, extensions=chain)
        else:
            packet = ipv4(octets, 47)
        if kind == "deep":
            for _ in range(draw(st.integers(0, 4))):
                around = ipv4 if draw(st.booleans()) else ipv6
                packet = around(packet, 41 if packet[0] >> 4 == 6 else 4)
        if kind == "bent":
            bent = bytearray(
                draw(st.sampled_from([packet, ipv6(packet, 4), ipv6(octets, 47, extensions=[extension(0)])]))
            )
            for _ in range(draw(st.integers(1, 3))):
                bent[draw(st.integers(0, min(len(bent), 60) - 1))] = draw(st.integers(0, 255))
            packet = bytes(bent)
        frames += draw(wrapped(packet))
    return frames


@st.composite
def fragments(draw: st.DrawFn) -> list[bytes | Record]:
    """Frames of fragments of few datagrams, of two contents, at near offsets; many never fit.

    Some come again; times are near each other, or jump about the ages of datagrams.
    """
    whole = [gre(bytes([0xFF, 0x03, 0xC0, 0x21, *range(60)]), 5, 6), Conversation().segment(0, 0, PARTS[5])[20:]]
    other = [bytes(octet ^ 0x0F for octet in datagram) for datagram in whole]
    frames: list[bytes | Record] = []
    jumps = draw(st.sampled_from([[0], [0, 0, 0, 1, 2], [0, 0, 0, 1, 60, 61, -60, -61, 2**31]]))
    for number in range(draw(st.integers(1, 25))):
        which = draw(st.integers(0, 1))
        datagram = draw(st.sampled_from([whole[which]] * 5 + [other[which]]))
        protocol = draw(st.sampled_from([(47, 6)[which]] * 8 + [4, 17]))
        offset = 8 * draw(st.integers(0, (len(datagram) + 7) // 8))
        data = datagram[offset : offset + draw(st.sampled_from([8, 16, 24, 48, 96, 200, 0, 5]))]
        more = draw(st.sampled_from([offset + len(data) < len(datagram)] * 5 + [True, False]))
        if draw(st.integers(0, 19)) == 0:
            offset = 65_520
        key = draw(st.integers(0, 1))
        if draw(st.booleans()):
            packet = ipv4(data, protocol, identification=key, offset=offset, more=more)
        else:
            packet = ipv6(data, protocol, CLIENT6, SERVER6, extensions=[fragment_header(offset, more, key)])
        if draw(st.integers(0, 5)) == 0:
            packet = ipv4(packet, 41 if packet[0] >> 4 == 6 else 4, CLIENT, SERVER)
        frame = ethernet(packet)
        captured = draw(st.integers(20, len(frame))) if draw(st.integers(0, 5)) == 0 else len(frame)
        seconds = 1_600_000_000 + draw(st.sampled_from(jumps))
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            frames.append(Record(frame[:captured], len(frame), seconds=seconds, fraction=number % 2))
    return frames


def records(data: bytes) -> list[tuple[int, int, int, int, bytes]]:
    """(seconds, fraction, captured, original, octets) of each record of a little-endian capture that is whole."""
    found = []
    position = 24
    while position < len(data):
        header = struct.unpack_from("<IIII", data, position)
        found.append((*header, data[position + 16 : position + 16 + header[2]]))
        position += 16 + header[2]
    return found


@st.composite
def damaged(draw: st.DrawFn, captures: list[bytes]) -> bytes:
    """A capture with records dropped, repeated, moved, changed and taken from others, some with broken headers."""
    own = records(draw(st.sampled_from(captures)))
    others = records(draw(st.sampled_from(captures)))
    start = draw(st.integers(0, len(own) - 1))
    chosen = own[start : start + draw(st.integers(1, 60))]
    for _ in range(draw(st.integers(0, 12))):
        at = draw(st.integers(0, len(chosen) - 1))
        what = draw(st.sampled_from(["drop", "repeat", "move", "octet", "octet", "octet", "cut", "other", "fraction"]))
        seconds, fraction, captured, original, octets = chosen[at]
        if what == "drop" and len(chosen) > 1:
            del chosen[at]
        elif what == "repeat":
            chosen.insert(draw(st.integers(0, len(chosen))), chosen[at])
        elif what == "move":
            chosen.insert(draw(st.integers(0, len(chosen) - 1)), chosen.pop(at))
        elif what == "octet" and octets:
            changed = bytearray(octets)
            changed[draw(st.integers(0, min(len(octets), 120) - 1))] = draw(st.integers(0, 255))
            chosen[at] = (seconds, fraction, captured, original, bytes(changed))
        elif what == "cut":
            size = draw(st.integers(0, len(octets)))
            chosen[at] = (seconds, fraction, size, original, octets[:size])
        elif what == "fraction":
            chosen[at] = (seconds, 2_000_000, captured, draw(st.integers(0, 100)), octets)
        elif what == "other":
            chosen.insert(at, draw(st.sampled_from(others)))
    made = pcap([])
    for *header, octets in chosen:
        made += struct.pack("<IIII", *header) + octets
    fate = draw(st.sampled_from(["whole"] * 5 + ["cut", "octet", "splice"]))
    if fate == "cut":
        made = made[: draw(st.integers(24, len(made)))]
    elif fate != "whole":
        at = draw(st.integers(24, len(made) - 1))
        replacement = draw(st.binary(min_size=1, max_size=1 if fate == "octet" else 40))
        made = made[:at] + replacement + made[at + (1 if fate == "octet" else draw(st.integers(0, 40))) :]
    return made

"""Captures of any size that are made to be slow, each in its own way.

Knows the builders, not what comes out.
"""

from __future__ import annotations

import struct

from builder import Conversation, echo, ethernet, extension, gre, gre_frame, ipv4, ipv6, pcap, pcap_header
from mirror_builder import tzsp, vxlan
from pcapng_builder import File, block, option

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))


def syns(count: int) -> bytes:
    ends = ((bytes([10, 1, n // 60_000, 1]), 2000 + n % 60_000) for n in range(count))
    talks = (Conversation(client=client, port=port) for client, port in ends)
    return pcap(ethernet(talk.segment(0, -1, flags="S")) for talk in talks)


def tunnels(count: int) -> bytes:
    return pcap(gre_frame(gre(b"\x21", n & 0xFFFF, n), bytes([10, 1, n >> 16, 1])) for n in range(count))


def reverse(count: int) -> bytes:
    talk = Conversation().handshake()
    for position in range(count, 0, -1):
        talk.client(position, b"x")
    return talk.pcap()


def holes(count: int) -> bytes:
    talk = Conversation().handshake()
    for number in range(count):
        talk.client(2 + number % 120 * 3, b"ab")
    return talk.pcap()


def datagrams(count: int) -> bytes:
    return pcap(ethernet(ipv4(bytes(16), 47, identification=n & 0xFFFF, more=True)) for n in range(count))


def fragments_twice(count: int) -> bytes:
    """Each fragment and a copy of it; two and two are a datagram."""
    return pcap(
        ethernet(ipv4(bytes(16), 47, identification=n // 4 & 0xFFFF, offset=n % 4 // 2 * 16, more=n % 4 < 2))
        for n in range(count)
    )


def sections(count: int) -> bytes:
    return File().section().interface().packet(FRAME).octets * count


def interfaces(count: int) -> bytes:
    return File().section().octets + File().interface(147).octets * count + File().packet(FRAME, 5).octets


def damaged_options(count: int) -> bytes:
    return File().section().octets + block("<", 1, bytes(8) + struct.pack("<HHI", 9, 2, 0) * count)


def overlaps(count: int) -> bytes:
    """Each segment overlaps every other, and none of them completes anything."""
    talk = Conversation().handshake()
    for number in range(count):
        talk.client(1 + number % 40, bytes([number % 251]) * 80)
    return talk.pcap()


def retransmissions(count: int) -> bytes:
    talk = Conversation().handshake()
    for number in range(count):
        talk.client(0, echo(number % 2))
    return talk.pcap()


def nearly_records(count: int) -> bytes:
    """Behind a corrupt record, chains of good ones that are one too short."""
    chain = struct.pack("<IIII", 1_600_000_000, 0, 1, 1) + b"\0"
    return pcap_header() + b"\xff" * 16 + (chain * 3 + b"\xff" * 7) * count + b"\xff" * 99


def extension_headers(count: int) -> bytes:
    """Chains of a thousand, in packets of IPv6."""
    chain = [extension(60)] * 1000
    return pcap(ethernet(ipv6(b"", 47, extensions=chain[: count - start])) for start in range(0, count, 1000))


def packet_options(count: int) -> bytes:
    """All of them in one block, behind its packet."""
    storm = option("<", 2988, b"") * count
    body = struct.pack("<IIIII", 0, 0, 0, len(FRAME), len(FRAME)) + FRAME + bytes(-len(FRAME) % 4)
    return File().section().interface().octets + block("<", 6, body + storm)


def interface_options(count: int) -> bytes:
    """All of them tell the resolution of times; the last one counts."""
    storm = option("<", 9, b"\6") * count
    return File().section().octets + block("<", 1, struct.pack("<HHI", 1, 0, 0) + storm) + File().packet(FRAME).octets


def ppp_options(count: int) -> bytes:
    """As many as a Configure-Request holds, again and again."""
    storm = gre_frame(gre(bytes.fromhex("c0210101") + struct.pack(">H", 4 + 2 * 700) + b"\7\2" * 700, 1, 1))
    return pcap([storm] * -(-count // 700))


def carriers(count: int) -> bytes:
    """One in the other, twenty deep, of which the caps allow a few."""
    packet = FRAME[14:]
    for _ in range(20):
        packet = vxlan(ethernet(packet))
    return pcap([ethernet(packet)] * count)


def carrier_tags(count: int) -> bytes:
    """As much padding as TZSP may have in front of its end, again and again."""
    return pcap([ethernet(tzsp(FRAME, tags=bytes(1000)))] * -(-count // 1000))


def carrier_fragments(count: int) -> bytes:
    """Of ordinary UDP; the first ones are not there."""
    return pcap(ethernet(ipv4(bytes(16), 17, identification=n & 0xFFFF, offset=16)) for n in range(count))


SHAPES = {
    shape.__name__: shape
    for shape in (
        syns,
        tunnels,
        reverse,
        holes,
        overlaps,
        retransmissions,
        datagrams,
        fragments_twice,
        sections,
        interfaces,
        damaged_options,
        interface_options,
        packet_options,
        extension_headers,
        ppp_options,
        carriers,
        carrier_tags,
        carrier_fragments,
        nearly_records,
    )
}

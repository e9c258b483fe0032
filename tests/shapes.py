"""Captures of any size that are made to be slow, each in its own way.

Knows the builders, not what comes out.  Called by the tests of hostile input and by ``fuzz/growth.py``, which prints how
time grows with each.
"""

from __future__ import annotations

import struct

from builder import Conversation, echo, ethernet, gre, gre_frame, ipv4, pcap, pcap_header
from pcapng_builder import File, block

FRAME = gre_frame(gre(b"\xc0\x21", sequence=1))


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
        sections,
        interfaces,
        damaged_options,
        nearly_records,
    )
}

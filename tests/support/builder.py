"""Captures made octet by octet: pcap records, link headers, IP, TCP, Enhanced GRE, control messages.

Knows these formats from their specifications and imports nothing of the package: what is built here judges the decoder.
Whatever a header says can be set to something else than the truth.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

CLIENT = bytes([10, 0, 0, 2])
SERVER = bytes([10, 0, 0, 1])
CLIENT6 = bytes.fromhex("20010db8000000000000000000000002")
SERVER6 = bytes.fromhex("20010db8000000000000000000000001")
PORT = 40000
COOKIE = 0x1A2B3C4D

NULL, ETHERNET, RAW, LOOP, SLL, IPV4, IPV6, SLL2 = 0, 1, 101, 108, 113, 228, 229, 276

# Packet i of a capture, counted from 0, has this time unless its record says otherwise.
FIRST_TIME = 1_600_000_000_000_000_000
TIME_STEP = 1_000_007_000


def time_of(packet: int) -> int:
    """Nanoseconds since 1970 of packet number `packet`, counted from 1."""
    return FIRST_TIME + (packet - 1) * TIME_STEP


# ---- pcap


@dataclass(frozen=True)
class Record:
    """A packet and what its record header says; None stands for the truth, or for the default time."""

    data: bytes
    original: int | None = None
    captured: int | None = None
    seconds: int | None = None
    fraction: int | None = None


def cut(packet: bytes | Record, octets: int) -> Record:
    """The packet as a capture with a snap length of `octets` holds it."""
    data = packet.data if isinstance(packet, Record) else packet
    return Record(data[:octets], original=len(data))


def pcap_header(order: str = "<", nanoseconds: bool = False, link: int = ETHERNET, snap_length: int = 262144) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap_length, link)


def pcap(
    packets: Iterable[bytes | Record],
    *,
    order: str = "<",
    nanoseconds: bool = False,
    link: int = ETHERNET,
    snap_length: int = 262144,
) -> bytes:
    """A capture file."""
    parts = [pcap_header(order, nanoseconds, link, snap_length)]
    for number, packet in enumerate(packets, 1):
        record = packet if isinstance(packet, Record) else Record(packet)
        seconds, rest = divmod(time_of(number), 1_000_000_000)
        fraction = rest if nanoseconds else rest // 1000
        captured = len(record.data) if record.captured is None else record.captured
        header = (
            seconds if record.seconds is None else record.seconds,
            fraction if record.fraction is None else record.fraction,
            captured,
            captured if record.original is None else record.original,
        )
        parts += [struct.pack(order + "IIII", *header), record.data]
    return b"".join(parts)


# ---- link


def ether_type_of(packet: bytes) -> int:
    return 0x86DD if packet[:1] and packet[0] >> 4 == 6 else 0x0800


def tagged(ether_type: int, tags: Sequence[int], packet: bytes) -> tuple[int, bytes]:
    """EtherType of the outermost tag, and the tags with what they carry."""
    for tag in reversed(tags):
        packet = struct.pack(">HH", 10, ether_type) + packet
        ether_type = tag
    return ether_type, packet


def ethernet(packet: bytes, ether_type: int | None = None, tags: Sequence[int] = ()) -> bytes:
    kind, rest = tagged(ether_type_of(packet) if ether_type is None else ether_type, tags, packet)
    return bytes.fromhex("020000000001020000000002") + struct.pack(">H", kind) + rest


def sll(packet: bytes, ether_type: int | None = None, tags: Sequence[int] = ()) -> bytes:
    kind, rest = tagged(ether_type_of(packet) if ether_type is None else ether_type, tags, packet)
    return struct.pack(">HHH8sH", 0, 1, 6, b"\x02\0\0\0\0\x02", kind) + rest


def sll2(packet: bytes, ether_type: int | None = None, tags: Sequence[int] = ()) -> bytes:
    kind, rest = tagged(ether_type_of(packet) if ether_type is None else ether_type, tags, packet)
    return struct.pack(">HHIHBB8s", kind, 0, 3, 1, 0, 6, b"\x02\0\0\0\0\x02") + rest


def family(packet: bytes, number: int = 2, order: str = "<") -> bytes:
    """Header of NULL (host order) and LOOP (big-endian)."""
    return struct.pack(order + "I", number) + packet


# ---- IP


def ones_sum(data: bytes) -> int:
    """Internet checksum."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(
    payload: bytes,
    protocol: int,
    source: bytes = CLIENT,
    destination: bytes = SERVER,
    *,
    options: bytes = b"",
    identification: int = 0,
    offset: int = 0,
    more: bool = False,
    total_length: int | None = None,
    header_length: int | None = None,
    version: int = 4,
) -> bytes:
    """An IPv4 packet; `offset` in octets."""
    size = 20 + len(options)
    first = version << 4 | (size if header_length is None else header_length) // 4
    total = size + len(payload) if total_length is None else total_length
    word = (0x2000 if more else 0) | offset // 8
    head = (
        struct.pack(">BBHHHBBH", first, 0, total, identification, word, 64, protocol, 0)
        + source
        + destination
        + options
    )
    return head[:10] + struct.pack(">H", ones_sum(head)) + head[12:] + payload


def ipv6(
    payload: bytes,
    protocol: int,
    source: bytes = CLIENT6,
    destination: bytes = SERVER6,
    *,
    extensions: Sequence[tuple[int, bytes]] = (),
    payload_length: int | None = None,
    version: int = 6,
) -> bytes:
    """An IPv6 packet; an extension is its number and its octets behind the octet that names the next header."""
    chain = b""
    following = protocol
    for number, body in reversed(extensions):
        chain = bytes([following]) + body + chain
        following = number
    length = len(chain) + len(payload) if payload_length is None else payload_length
    return struct.pack(">IHBB", version << 28, length, following, 64) + source + destination + chain + payload


def extension(number: int, units: int = 0) -> tuple[int, bytes]:
    """An IPv6 extension header of 8 x (units + 1) octets."""
    return number, bytes([units]) + bytes(6 + 8 * units)


def authentication(words: int = 4) -> tuple[int, bytes]:
    """An IPv6 authentication header of 4 x (words + 2) octets."""
    return 51, bytes([words]) + bytes(4 * (words + 2) - 2)


def fragment_header(offset: int, more: bool, identification: int) -> tuple[int, bytes]:
    return 44, struct.pack(">BHI", 0, offset | more, identification)


def ip(payload: bytes, protocol: int, source: bytes, destination: bytes) -> bytes:
    return (ipv4 if len(source) == 4 else ipv6)(payload, protocol, source, destination)


def piece4(data: bytes, offset: int, more: bool, key: int = 7, protocol: int = 47) -> bytes:
    """A frame with an IPv4 fragment."""
    return ethernet(ipv4(data, protocol, identification=key, offset=offset, more=more))


def piece6(data: bytes, offset: int, more: bool, key: int = 7, protocol: int = 47) -> bytes:
    """A frame with an IPv6 fragment."""
    return ethernet(ipv6(data, protocol, extensions=[fragment_header(offset, more, key)]))


def split(
    piece: Callable[[bytes, int, bool, int, int], bytes], payload: bytes, *bounds: int, key: int = 7, protocol: int = 47
) -> list[bytes]:
    """The payload in fragments that end at `bounds` and at its end."""
    ends = [0, *bounds, len(payload)]
    return [piece(payload[a:b], a, b < len(payload), key, protocol) for a, b in pairwise(ends)]


# ---- TCP

FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}


def tcp(
    payload: bytes,
    sequence: int,
    acknowledgment: int = 0,
    flags: str = "A",
    *,
    source: bytes = CLIENT,
    destination: bytes = SERVER,
    source_port: int = PORT,
    destination_port: int = 1723,
    options: bytes = b"",
    header_length: int | None = None,
    checksum: int | None = None,
    spoil: int = 0,
) -> bytes:
    """A TCP segment, its checksum right but for `checksum`, which replaces it, and `spoil`, which is added to it."""
    size = 20 + len(options)
    word = ((size if header_length is None else header_length) // 4 << 12) | sum(FLAGS[flag] for flag in flags)
    numbers = (sequence % 2**32, acknowledgment % 2**32)
    head = struct.pack(">HHIIHHHH", source_port, destination_port, *numbers, word, 8192, 0, 0) + options
    length = len(head) + len(payload)
    pseudo = (
        source
        + destination
        + (struct.pack(">BBH", 0, 6, length) if len(source) == 4 else struct.pack(">II", length, 6))
    )
    right = ones_sum(pseudo + head + payload)
    found = (right + spoil) % 0x10000 if checksum is None else checksum
    return head[:16] + struct.pack(">H", found) + head[18:] + payload


class Conversation:
    """Two sides of one TCP connection, whose packets are appended in the order of the calls.

    Positions are those of the stream: 0 is the first octet of data, -1 the SYN.  `wrap` puts an IP packet in a frame.
    """

    def __init__(
        self,
        *,
        client: bytes = CLIENT,
        server: bytes = SERVER,
        port: int = PORT,
        server_port: int = 1723,
        isn: tuple[int, int] = (1000, 5000),
        wrap: Callable[[bytes], bytes] = ethernet,
    ) -> None:
        self.ends = ((client, port), (server, server_port))
        self.isn = isn
        self.wrap = wrap
        self.packets: list[bytes | Record] = []

    def segment(
        self, side: int, position: int, data: bytes = b"", flags: str = "A", ack: int = 0, **more: Any
    ) -> bytes:
        """An IP packet of the client (0) or the server (1)."""
        (source, source_port), (destination, destination_port) = self.ends[side], self.ends[1 - side]
        number, reply = self.isn[side] + 1 + position, self.isn[1 - side] + 1 + ack if "A" in flags else 0
        more |= {
            "source": source,
            "destination": destination,
            "source_port": source_port,
            "destination_port": destination_port,
        }
        return ip(tcp(data, number, reply, flags, **more), 6, source, destination)

    def add(
        self,
        side: int,
        position: int,
        data: bytes = b"",
        flags: str = "A",
        ack: int = 0,
        snap: int | None = None,
        **more: Any,
    ) -> Self:
        """Append a segment, of which `snap` octets of TCP data are captured (all unless said)."""
        frame = self.wrap(self.segment(side, position, data, flags, ack, **more))
        self.packets.append(frame if snap is None else cut(frame, len(frame) - len(data) + snap))
        return self

    def client(self, position: int, data: bytes = b"", flags: str = "A", ack: int = 0, **more: Any) -> Self:
        return self.add(0, position, data, flags, ack, **more)

    def server(self, position: int, data: bytes = b"", flags: str = "A", ack: int = 0, **more: Any) -> Self:
        return self.add(1, position, data, flags, ack, **more)

    def handshake(self) -> Self:
        """Packets 1, 2 and 3."""
        return self.client(-1, flags="S").server(-1, flags="SA").client(0)

    def frames(self) -> list[bytes]:
        """The packets, none of which is cut or has a header of its own."""
        whole = [packet for packet in self.packets if isinstance(packet, bytes)]
        assert len(whole) == len(self.packets)
        return whole

    def pcap(self, **more: Any) -> bytes:
        return pcap(self.packets, **more)


# ---- PPTP


def control(
    kind: int,
    body: bytes,
    *,
    length: int | None = None,
    message_type: int = 1,
    cookie: int = COOKIE,
    reserved0: int = 0,
) -> bytes:
    """A control message with its 12 octets of header."""
    size = 12 + len(body) if length is None else length
    return struct.pack(">HHIHH", size, message_type, cookie, kind, reserved0) + body


def stream(*chunks: bytes) -> bytes:
    """A capture of a handshake in packets 1 to 3, then each chunk of the client's stream in a packet of its own."""
    talk = Conversation().handshake()
    position = 0
    for chunk in chunks:
        talk.client(position, chunk)
        position += len(chunk)
    return talk.pcap()


def echo(identifier: int, **more: Any) -> bytes:
    """An Echo-Request, 16 octets."""
    return control(5, struct.pack(">I", identifier), **more)


def gre(
    payload: bytes = b"",
    call_id: int = 0x2222,
    sequence: int | None = None,
    acknowledgment: int | None = None,
    *,
    flags: int | None = None,
    payload_length: int | None = None,
    protocol_type: int = 0x880B,
) -> bytes:
    """An Enhanced GRE packet; `flags` replaces the whole first word and moves nothing."""
    word = 0x2001 | (0 if sequence is None else 0x1000) | (0 if acknowledgment is None else 0x0080)
    length = len(payload) if payload_length is None else payload_length
    head = struct.pack(">HHHH", word if flags is None else flags, protocol_type, length, call_id)
    return head + b"".join(struct.pack(">I", n) for n in (sequence, acknowledgment) if n is not None) + payload


def gre_frame(packet: bytes, source: bytes = CLIENT, destination: bytes = SERVER) -> bytes:
    """An Enhanced GRE packet in IP in Ethernet."""
    return ethernet(ip(packet, 47, source, destination))

"""Captures that are damaged in every way that we could think of: a seed and a kind give the same files everywhere.

Stands for the captures of other tools' own tests, which may not be copied.  Must not know what is right.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from random import Random

import call_builder as said
from builder import (
    CLIENT,
    FIRST_TIME,
    SERVER,
    Conversation,
    Record,
    authentication,
    control,
    echo,
    ethernet,
    extension,
    fragment_header,
    gre,
    ipv4,
    ipv6,
    pcap,
    tcp,
)
from compressors import COMPRESSORS
from fuzz.links import LINKS, wrap
from oracles.inputs import input_of
from other_formats import as_netmon, as_snoop, snoop, snoop_record
from pcapng_builder import EPB, IDB, NRB, PB, SHB, SPB, File, block, option, started, tsoffset
from places import CAPTURES
from zip_builder import Member, archive

EDGES32 = (0, 1, 11, 12, 13, 15, 16, 28, 0x7FFF, 0xFFFF, 0x10000, 262144, 262145, 2**31 - 1, 2**31, 2**32 - 1)
EDGES16 = (0, 1, 3, 7, 8, 11, 12, 15, 16, 20, 255, 1023, 1024, 1025, 0x7FFF, 0x8000, 0xFFFF)
UNREAD_LINKS: tuple[int, ...] = (2, 3, 7, 8, 11, 13, 15, 16, 99, 106, 112, 120, 129, 144, 147, 149, 162, 166, 189, 195)
UNREAD_LINKS += (203, 209, 215, 220, 230, 240, 245, 249, 253, 266, 272, 277, 300, 0xFFFF)
BUNDLED = sorted(CAPTURES.glob("*.pcap"))

Files = Iterator[bytes]


def session() -> list[bytes]:
    """IP packets of a call from the SYN to the FIN, with PPP inside."""
    talk = said.Session().client_says(control(1, bytes(144))).server_says(control(2, bytes(144))).outgoing(1, 2)
    for number, text in enumerate(
        ("c021 0107 0008 0304 c023", "c021 0207 0008 0304 c023", "c023 0101 0008 016e 0170", "21 4500")
    ):
        talk.tunnelled(number % 2, 2 - number % 2, number, number, said.octets(text))
    talk.client_says(echo(1)).server_says(control(6, bytes(8)), said.link_info(1))
    talk.client_says(said.clear(1)).server_says(said.disconnect(2)).client_says(said.stop())
    talk.client(talk.said[0], flags="FA").server(talk.said[1], flags="R")
    return [octets(packet)[14:] for packet in talk.packets]


def octets(packet: bytes | Record) -> bytes:
    return packet.data if isinstance(packet, Record) else packet


SESSION = session()
FRAMES = [ethernet(packet) for packet in SESSION]


def hurt(rng: Random, data: bytes) -> bytes:
    """Octets lost, doubled, changed, put in or zeroed at one place."""
    at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, rng.randrange(1, 40)))
    gone = data[at : at + size]
    return data[:at] + rng.choice((
        b"",
        gone * 2,
        bytes(len(gone)),
        b"\xff" * len(gone),
        bytes(octet ^ 1 << rng.randrange(8) for octet in gone),
        gone + rng.randbytes(size),
        gone[::-1],
    )) + data[at + size :]  # fmt: skip


def with_number(rng: Random, data: bytes, at: int, width: int, order: str = ">") -> bytes:
    """A number at a place, near where something changes."""
    most: int = 256**width - 1
    number = rng.choice((*EDGES32, len(data), len(data) - at, rng.getrandbits(8 * width))) & most
    number = number if rng.random() < 0.7 else (number + rng.choice((1, -1))) & most
    return data[:at] + number.to_bytes(width, "big" if order == ">" else "little") + data[at + width :]


def each(
    rng: Random, packets: Sequence[bytes], how: Callable[[Random, bytes], bytes], share: float = 0.5
) -> list[bytes]:
    """The packets, a share of them damaged."""
    return [how(rng, packet) if rng.random() < share else packet for packet in packets]


# ---- pcap


def headers(rng: Random) -> Files:
    whole = pcap(FRAMES[:4])
    for at, width in ((0, 4), (4, 2), (6, 2), (8, 4), (12, 4), (16, 4), (20, 2), (22, 2)):
        for _ in range(4):
            yield with_number(rng, whole, at, width, "<")
    for magic, order in product((0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34, 0xA1E2CB12, 0x0A0D0D0A, 0x1F8B0800), "<>"):
        yield struct.pack(order + "I", magic) + whole[4:]
    for size in range(0, 60, 3):
        yield whole[:size]
        yield rng.randbytes(size)


def records(rng: Random) -> Files:
    for order, fine in product("<>", (False, True)):
        whole = pcap(FRAMES, order=order, nanoseconds=fine)
        starts = [24]
        for frame in FRAMES[:-1]:
            starts.append(starts[-1] + 16 + len(frame))
        for field in (0, 4, 8, 8, 8, 12):
            for _ in range(3):
                yield with_number(rng, whole, rng.choice(starts) + field, 4, order)
        at = rng.choice(starts)
        swapped = b"".join(whole[n : n + 4][::-1] for n in range(at, at + 16, 4))
        yield whole[:at] + swapped + whole[at + 16 :]
        yield whole[:at] + rng.randbytes(rng.randrange(1, 200)) + whole[at:]
        yield whole[:at] + whole[:24] + whole[at:]
        yield whole + bytes(16 * rng.randrange(1, 40)) + whole[24:]
        yield whole[:at] + whole[at + rng.randrange(1, 90) :]


def cuts(rng: Random) -> Files:
    for whole in (pcap(FRAMES), started().packets(*FRAMES).octets):
        for _ in range(30):
            yield whole[: rng.randrange(len(whole))]


def times(rng: Random) -> Files:
    edges = (0, 1, 2**31 - 1, 2**31, 2**32 - 1)
    for fine in (False, True):
        several = product(edges, (0, 999_999, 10**6, 999_999_999, 10**9, 2**32 - 1))
        yield pcap((Record(rng.choice(FRAMES), None, None, *time) for time in several), nanoseconds=fine)
    ticks = (0, 1, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
    for order, resolution in product(
        "<>", (0, 1, 3, 6, 9, 10, 12, 18, 19, 20, 63, 127, 128, 138, 158, 159, 191, 192, 255)
    ):
        seconds = rng.choice((0, 1, -1, 2**31, 2**62, -(2**63), 2**63 - 1))
        file = started(order, options=[(9, bytes([resolution])), tsoffset(order, seconds)])
        for tick in ticks:
            file.packet(rng.choice(FRAMES), 0, tick)
        yield file.octets


# ---- pcapng


def blocks(rng: Random) -> Files:
    for order in "<>" * 14:
        file = started(order).packets(*FRAMES[:6]).simple(FRAMES[0]).old_packet(FRAMES[1])
        file.add(
            rng.choice((0, NRB, 5, 9, 10, 0xBAD, 0x80000001, rng.getrandbits(32))), rng.randbytes(rng.randrange(50))
        )
        file.packets(*FRAMES[6:])
        parts = list(file.blocks)
        at = rng.randrange(len(parts))
        yield b"".join([*parts[:at], with_number(rng, parts[at], 4, 4, order), *parts[at + 1 :]])
        yield b"".join([*parts[:at], with_number(rng, parts[at], len(parts[at]) - 4, 4, order), *parts[at + 1 :]])
        yield b"".join(
            [*parts[:at], with_number(rng, parts[at], rng.choice((0, 8, 12, 20, 24)), 4, order), *parts[at + 1 :]]
        )
        yield b"".join([*parts[:at], *parts[at + 1 :]])
        yield b"".join(rng.sample(parts, len(parts)))
        parts[at] = hurt(rng, parts[at])
        yield b"".join(parts)


def packet_blocks(rng: Random) -> Files:
    for order, kind in product("<>", (EPB, PB, SPB, IDB, SHB)):
        for size in (0, 1, 3, 4, 7, 8, 11, 12, 16, 19, 20, 24, 40):
            yield started(order).raw(block(order, kind, rng.randbytes(size))).packets(*FRAMES[:3]).octets
    for order in "<>":
        file = started(order)
        for captured, original in product(EDGES32[::2], EDGES32[::3]):
            file.packet(FRAMES[3], rng.choice((0, 0, 0, 1, 2**32 - 1)), 5, captured=captured, original=original)
            file.simple(FRAMES[3], original)
            yield started(order).old_packet(FRAMES[3], captured=captured, original=original).packets(FRAMES[4]).octets
        yield file.octets


def sections(rng: Random) -> Files:
    for order, (major, minor) in product("<>", ((1, 0), (1, 2), (1, 65535), (0, 0), (2, 0), (65535, 1))):
        file = started(order).packets(*FRAMES[:3]).section(rng.choice("<>"), major=major, minor=minor)
        yield file.packets(*FRAMES[3:6]).interface().packets(*FRAMES[6:]).octets
    for length in (-1, 0, 1, 8, -2, 2**62, -(2**63)):
        yield started().section(section_length=length).interface().packets(*FRAMES).octets
    for magic in (0, 0x1A2B3C4D, 0x4D3C2B1A, 0xFFFFFFFF, 0x1A2B3C4E):
        yield started().packets(FRAMES[0]).section(magic=magic).interface().packets(*FRAMES).octets


def options(rng: Random) -> Files:
    for order in "<>":
        for code in (0, 1, 2, 3, 8, 9, 11, 12, 13, 14, 2988, 0x8001, 0xFFFF):
            file = File(order).section()
            for length in EDGES16:
                wrong = option(order, code, rng.randbytes(rng.randrange(9)), length)
                file.interface(1, [wrong, (9, b"\x09")], end=rng.random() < 0.5)
                file.packet(FRAMES[3], rng.randrange(3), 7, options=[wrong, (1, b"text")])
            yield (
                file.section(options=[option(order, code, b"abc", rng.choice(EDGES16))])
                .interface()
                .packets(*FRAMES)
                .octets
            )
        for body in (
            b"\0",
            b"\0\0\0",
            b"\0\0\0\0\0",
            bytes([9, 0, 1]),
            bytes(4) + b"\x09\0\x01\0\x06",
            rng.randbytes(50),
        ):
            yield (
                File(order)
                .section()
                .raw(block(order, IDB, struct.pack(order + "HHI", 1, 0, 0) + body))
                .packets(*FRAMES)
                .octets
            )


def interfaces(rng: Random) -> Files:
    """Many of them, of every link, and packets of some that are not there."""
    for order in "<>":
        file, links = File(order).section(), [rng.choice((*LINKS, *UNREAD_LINKS)) & 0xFFFF for _ in range(300)]
        for link in links:
            file.interface(link, snap=rng.choice((0, 1, 40, 65535)))
        for _ in range(200):
            number = rng.randrange(310)
            link = links[number] if number < 300 else 1
            file.packet(wrap(rng, link, rng.choice(SESSION)), number, rng.getrandbits(50))
        yield file.octets
        yield b"".join(started(order, rng.choice(UNREAD_LINKS)).packets(*FRAMES[:2]).octets for _ in range(60))


# ---- links


def links(rng: Random) -> Files:
    """Each link that is read, its headers damaged, and many that are not."""
    for link in dict.fromkeys((*LINKS, 13, 15)):
        whole = [wrap(rng, link, packet) for packet in SESSION for _ in range(3)]
        frames = each(rng, whole, hurt)
        yield pcap(frames, link=link)
        yield pcap([Record(frame[: rng.randrange(60)], len(frame)) for frame in whole], link=link)
        places = [with_number(rng, frame, rng.randrange(24), rng.choice((1, 2, 4))) for frame in whole]
        yield started(link=link & 0xFFFF).packets(*places).octets
        yield pcap([rng.randbytes(rng.randrange(70)) for _ in range(60)], link=link)
    for link in UNREAD_LINKS:
        yield pcap(FRAMES[:3], link=link)


def nested_headers(rng: Random) -> Files:
    kinds = (
        0x8100,
        0x88A8,
        0x9100,
        0x9200,
        0x8847,
        0x8848,
        0x8864,
        0x8863,
        0x0806,
        0x88E7,
        0x05DC,
        0x0600,
        0x05FF,
        0,
        0x0800,
    )
    for _ in range(12):
        frames = []
        for packet in SESSION * 3:
            chain = b"".join(
                struct.pack(">H", rng.choice(kinds)) + rng.randbytes(rng.choice((2, 2, 4, 6)))
                for _ in range(rng.randrange(1, 12))
            )
            frames.append(rng.randbytes(12) + chain + struct.pack(">H", rng.choice((0x0800, 0x86DD))) + packet)
        yield pcap(frames)
    for count in (7, 8, 9, 200):
        yield pcap([ethernet(packet, tags=[0x8100] * count) for packet in SESSION])


# ---- IP


def internet(rng: Random) -> Files:
    for _ in range(12):
        packets = []
        for packet in SESSION * 3:
            at, width = rng.choice(((0, 1), (2, 2), (6, 2), (8, 1), (9, 1), (12, 4), (20, 2), (22, 2), (32, 2)))
            packets.append(with_number(rng, packet, at, width) if len(packet) >= at + width else packet[:at])
        yield pcap([ethernet(packet, rng.choice((0x0800, 0x0800, 0x86DD))) for packet in packets])
    for words in range(16):
        options = rng.randbytes(40)
        yield pcap(
            [ethernet(ipv4(packet[20:], packet[9], options=options, header_length=4 * words)) for packet in SESSION]
        )


def chains(rng: Random) -> Files:
    """Extension headers of IPv6 in every order, too long, too many, cut."""
    for _ in range(20):
        frames = []
        for packet in SESSION:
            chain = []
            for _ in range(rng.choice((1, 2, 3, 8, 9, 20))):
                number = rng.choice((0, 43, 60, 135, 139, 140, 253, 254, 4, 41, 50, 59))
                chain.append(
                    rng.choice(
                        (extension(number, rng.choice((0, 0, 1, 31))), authentication(rng.choice((0, 1, 4, 255))))
                    )
                )
            if rng.random() < 0.4:
                offset = rng.choice((0, 8, 64, 1400, 65528))
                chain.insert(rng.randrange(len(chain)), fragment_header(offset, rng.random() < 0.5, rng.randrange(3)))
            whole = ipv6(packet[20:], packet[9], extensions=chain)
            if rng.random() < 0.3:
                whole = with_number(rng, whole, rng.choice((4, 6, 40, 41)), 1)
            frames.append(ethernet(whole if rng.random() < 0.7 else whole[: rng.randrange(len(whole))]))
        yield pcap(frames)


def fragments(rng: Random) -> Files:
    """Overlapping, doubled, missing, in any order, old, beyond 65,535 octets, of other lengths and contents."""
    base = 1_600_000_000
    for ages in ((0,), (0, 0, 0, 1), (0, 0, 0, 2, 60, 61, -62)) * 8:
        frames = []
        for key in range(12):
            protocol, payload = rng.choice(
                ((47, gre(rng.randbytes(200), 5, key)), (6, tcp(echo(key) * 9, 1 + 144 * key)), (17, bytes(99)))
            )
            six = rng.random() < 0.4
            for _ in range(rng.randrange(1, 9)):
                start = (
                    8 * rng.randrange(len(payload) // 8 + 1) if rng.random() < 0.9 else rng.choice((65_528, 65_512, 0))
                )
                piece, more = payload[start : start + 8 * rng.randrange(1, 12)], rng.random() < 0.7
                piece = piece if rng.random() < 0.8 else piece[: rng.randrange(len(piece) + 1)]
                piece = piece if rng.random() < 0.8 else rng.randbytes(len(piece))
                number = key if rng.random() < 0.9 else rng.randrange(12)
                frame = ethernet(
                    ipv6(piece, protocol, extensions=[fragment_header(start, more, number)])
                    if six else ipv4(piece, protocol, identification=number, offset=start, more=more)
                )  # fmt: skip
                frames += [Record(frame, seconds=base + rng.choice(ages))] * rng.choice((1, 1, 2))
        if rng.random() < 0.5:
            rng.shuffle(frames)
        yield pcap(frames)


def tunnels(rng: Random) -> Files:
    """Packets in packets: IP in IP, IP in GRE of either version, PPP in PPP, and all of it in itself."""
    for _ in range(12):
        frames = []
        for packet in SESSION * 2:
            whole = packet
            for _ in range(rng.choice((1, 1, 2, 4, 8, 9, 30))):
                six = whole[:1] >= b"\x60"
                kind = rng.randrange(5)
                if kind == 0:
                    whole = ipv4(whole, 41 if six else 4)
                elif kind == 1:
                    whole = ipv6(whole, 41 if six else 4)
                elif kind == 2:
                    whole = ipv4(
                        struct.pack(">HH", rng.choice((0, 0x2000, 0x8000)), 0x86DD if six else 0x0800) + whole, 47
                    )
                elif kind == 3:
                    whole = ipv4(gre(b"\x21" + whole, rng.randrange(4), rng.randrange(9)), 47)
                else:
                    whole = ipv4(gre(b"\xff\x03\x00\x3d" + rng.randbytes(4) + whole, 1, 1), 47, SERVER, CLIENT)
            frames.append(ethernet(whole[:65_000] if rng.random() < 0.9 else whole[: rng.randrange(len(whole))]))
        yield pcap(frames)


# ---- GRE and PPP


def first_words(rng: Random) -> Files:
    """A sample of all 2^16 first words of GRE, and other protocol types."""
    words = rng.sample(range(1 << 16), 4000) + [1 << bit | 1 for bit in range(16)]
    body = gre(b"\xc0\x21\x01\x07\x00\x04" + bytes(20), 1, 2, 3)[2:]
    for start in range(0, len(words), 400):
        yield pcap([ethernet(ipv4(struct.pack(">H", word) + body, 47)) for word in words[start : start + 400]])
    kinds = (0x880B, 0x0800, 0x86DD, 0x6558, 0x88BE, 0, 0xFFFF)
    yield pcap(
        [ethernet(ipv4(gre(b"\x21", 1, 1, flags=rng.getrandbits(16), protocol_type=kind), 47)) for kind in kinds * 20]
    )


def tunnelled(rng: Random) -> Files:
    for _ in range(8):
        frames = []
        for _ in range(120):
            sequence, acknowledgment = (rng.choice((None, 0, 1, rng.getrandbits(32), 2**32 - 1)) for _ in range(2))
            payload = rng.randbytes(rng.choice((0, 1, 2, 5, 60)))
            length = rng.choice((None, None, *EDGES16))
            packet = gre(payload, rng.choice((0, 1, 2, 0xFFFF)), sequence, acknowledgment, payload_length=length)
            packet = packet if rng.random() < 0.8 else packet[: rng.randrange(len(packet))]
            frames.append(ethernet(ipv4(packet, 47, *rng.choice(((CLIENT, SERVER), (SERVER, CLIENT))))))
        yield pcap(frames)


def point_to_point(rng: Random) -> Files:
    """Framings, protocols, codes, lengths and options of PPP control packets."""
    heads = (b"", b"\xff\x03", b"\xff", b"\xff\x04", b"\x00\x3d\xc0\x00\x00\x01", b"\x3d\x80\x00")
    protocols = (
        "c021",
        "8021",
        "8057",
        "80fd",
        "80fb",
        "8053",
        "8281",
        "c023",
        "c223",
        "c227",
        "c025",
        "c081",
        "0021",
        "fd",
        "c0",
        "01",
    )
    for _ in range(12):
        frames = []
        for number in range(150):
            listed = b"".join(
                bytes([rng.choice((*range(32), 129, 255)), rng.choice((0, 1, 2, 3, 4, 6, 255))])
                + rng.randbytes(rng.choice((0, 1, 2, 4)))
                for _ in range(rng.choice((0, 1, 2, 3, 70)))
            )
            length = 4 + len(listed) if rng.random() < 0.7 else rng.choice(EDGES16)
            code = rng.choice((*range(16), 255)) if rng.random() < 0.95 else rng.randrange(256)
            body = bytes.fromhex(rng.choice(protocols)) + struct.pack(">BBH", code, number & 3, length) + listed
            body = rng.choice(heads) + body
            body = body if rng.random() < 0.85 else body[: rng.randrange(len(body))]
            frames.append(
                ethernet(ipv4(gre(body, 1 + number % 2, number), 47, *((CLIENT, SERVER)[:: 1 if number % 2 else -1])))
            )
        yield pcap(frames)


# ---- TCP and messages


def messages(rng: Random) -> Files:
    """Lengths, types and cookies of each message, in one segment, in many, and with what is none between them."""
    sizes = (156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24)
    for kind, size in enumerate(sizes, 1):
        parts = [
            control(kind, rng.randbytes(size - 12), length=length)
            for length in (*rng.sample(EDGES16, 4), size - 1, size + 1)
        ]
        parts += [
            control(kind, bytes(size - 12), cookie=0x1A2B3C4D ^ 1 << rng.randrange(32)),
            control(kind, bytes(size - 12), message_type=2),
        ]
        parts += [
            control(kind, rng.randbytes(size - 12)),
            control(rng.choice((0, 16, 255, 65535)), bytes(20)),
            rng.randbytes(rng.randrange(50)),
        ]
        rng.shuffle(parts)
        for most in (3000, 100, 7):
            stream, at = b"".join(each(rng, parts, hurt, 0.1)), 0
            talk = Conversation().handshake()
            while at < min(len(stream), 140 * most):
                size = rng.randrange(1, most + 1)
                talk.client(at, stream[at : at + size], snap=rng.choice((None,) * 9 + (0, 5)))
                at += size
            yield talk.pcap()


def segments(rng: Random) -> Files:
    for _ in range(40):
        yield input_of(7, rng.randrange(10_000))
    for size in (1, 100, 1400, 1400):
        talk = Conversation().handshake()
        for position in rng.sample(range(8, 400, 3), 60):
            talk.client(position * size, bytes(size * rng.randrange(1, 5)))
        yield talk.pcap()
    for _ in range(10):
        talk = Conversation().handshake()
        for _ in range(60):
            flags = "".join(flag for flag in "FSRPAU" if rng.random() < 0.25)
            position = rng.choice((0, 16, 32, rng.randrange(-40, 200), rng.getrandbits(32)))
            more = {"header_length": 4 * rng.randrange(16)} if rng.random() < 0.2 else {"spoil": rng.choice((0, 0, 1))}
            talk.add(
                rng.randrange(2), position, rng.choice((echo(1), echo(2)[:5], b"")), flags, rng.getrandbits(32), **more
            )
        yield talk.pcap()


# ---- whole files


def flipped(rng: Random) -> Files:
    """Real captures with some octets that are not what they were."""
    for path in BUNDLED:
        whole = path.read_bytes()[:30_000]
        for _ in range(5):
            data = whole
            for _ in range(rng.choice((1, 3, 30))):
                data = hurt(rng, data)
            yield data


def spliced(rng: Random) -> Files:
    wholes = [path.read_bytes()[:9_000] for path in BUNDLED] + [
        started(order).packets(*FRAMES).octets for order in "<>"
    ]
    for _ in range(30):
        one, other = rng.sample(wholes, 2)
        yield one[: rng.randrange(len(one))] + other[rng.choice((0, rng.randrange(len(other)))) :]


def compressed(rng: Random) -> Files:
    whole = pcap(FRAMES)
    for compress in COMPRESSORS.values():
        packed = compress(whole)
        for _ in range(5):
            yield hurt(rng, packed)
            yield packed[: rng.randrange(len(packed))]
        yield packed + rng.randbytes(30)
        yield packed + packed
        yield compress(packed)


def boxes(rng: Random) -> Files:
    """Other formats, and archives of them."""
    several = [(FIRST_TIME + number * 10**6, len(frame), frame) for number, frame in enumerate(FRAMES)]
    dropped = snoop(*(snoop_record(frame, drops=number) for number, frame in enumerate(FRAMES)))
    files = [dropped, as_snoop(several), *(as_netmon(several, version) for version in ((1, 1), (2, 0), (2, 2), (2, 3)))]
    for file in files:
        yield file
        for _ in range(20):
            yield hurt(rng, file)
            yield file[: rng.randrange(len(file))]
    for behind in ("", "signed"):
        whole = archive(*(Member(b"%d" % number, file, behind=behind) for number, file in enumerate([*files, b"text"])))
        yield whole
        for _ in range(20):
            yield hurt(rng, whole)
            yield whole[: rng.randrange(len(whole))]


KINDS = {
    make.__name__: make
    for make in (
        headers, records, cuts, times, blocks, packet_blocks, sections, options, interfaces, links, nested_headers, internet,
        chains, fragments, tunnels, first_words, tunnelled, point_to_point, messages, segments, flipped, spliced, compressed,
        boxes,
    )
}  # fmt: skip


def damaged(kind: str, seed: int = 1) -> Files:
    """The files of one kind of damage."""
    return KINDS[kind](Random(f"{seed} {kind}"))

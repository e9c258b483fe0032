"""What a coverage-guided fuzzer tries on the compiled engine: octets become a file, and its readings must agree.

Knows atheris, which brings libFuzzer, and how octets become frames; ``engines`` judges.  ``--seed TARGET FOLDER``
writes where the search begins.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
import call_builder as said
from builder import CLIENT, FLAGS, SERVER, ethernet, ipv4, pcap_header, tcp

from fuzz.engines import PORTS, SMALL, compare, container_of, timed
from fuzz.targets import seeds
from fuzz.traffic import CONTENTS
from pptpcap import core
from pptpcap.wire.limits import DEFAULT

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
LINKS: tuple[int, ...] = (1, 113, 276, 101, 0, 108, 12, 50, 9, 51, 104, 105, 127, 228, 229)
LINKS += (239, 192, 119, 163, 117, 109, 258, 226, 197, 178, 100, 107, 123, 10, 6, 242, 143)
TCP, GRE = 6, 47


def containers(data: bytes) -> bytes:
    """The octets are the file."""
    return data


def frames(data: bytes) -> bytes:
    """The first octet chooses the link; then frames, each behind two octets of length."""
    link = LINKS[data[0] % len(LINKS)] if data else 1
    return pcap_header(link=link) + b"".join(_record(number, frame) for number, frame in enumerate(_cut(data[1:])))


def tunnelled(data: bytes) -> bytes:
    """Packets of Enhanced GRE, each behind two octets of length, of which the high bit turns it round."""
    records = []
    for number, packet in enumerate(_cut(data)):
        ends = (SERVER, CLIENT) if number % 2 else (CLIENT, SERVER)
        records.append(_record(number, ethernet(ipv4(packet, GRE, *ends))))
    return pcap_header() + b"".join(records)


def calls(data: bytes) -> bytes:
    """Segments of four control connections, and the Enhanced GRE beside them, each behind two octets of length.

    Two octets more say whose packet it is and what is odd about it; a number that is not said is the one that is due, so
    that messages, call ids and what is inside calls is all that the search has to find.  The first octet of all says where
    what is said at once is cut in two, from its end where the high bit is set.
    """
    due = [[0, 0] for _ in range(4)]
    packets = []
    for piece in _cut(data[1:]):
        if len(piece) < 2:
            continue
        how, flags, rest = piece[0], piece[1], piece[2:]
        place = len(rest) - (data[0] & 0x7F) if data[0] & 0x80 else data[0]
        if how & 8 or not 0 < place < len(rest):
            packets.append((_said(due, how, flags, rest), how))
        else:
            packets.append((_said(due, how, flags & ~1, rest[:place]), how))
            packets.append((_said(due, how & ~0x30, flags & ~2, rest[place:]), how))
    return pcap_header() + b"".join(
        _record(number, ethernet(packet), 5 if how >> 6 == 3 else 0) for number, (packet, how) in enumerate(packets)
    )


def _said(due: list[list[int]], how: int, flags: int, rest: bytes) -> bytes:
    """A packet of ``calls``; `due` has the number of each side's next octet."""
    side, talk, step = how & 1, how >> 1 & 3, how >> 4 & 3
    # The first two are between the same addresses.
    ends = (CLIENT, SERVER[:3] + bytes([SERVER[3] + (talk >> 1) * talk]))[:: -1 if side else 1]
    ports = (40000 + talk, 1723)[:: -1 if side else 1]
    if how & 8:
        return ipv4(rest, GRE, *ends)
    sequence = due[talk][side]
    if step and rest:
        sequence += (0, rest[0], -rest[0], rest[0] << 24)[step]
        rest = rest[1:]
    if step != 3:
        due[talk][side] = (sequence + len(rest) + (flags & 3 != 0)) % 2**32
    segment = tcp(
        rest,
        sequence,
        due[talk][1 - side] + (8 if flags & 0x40 else 0),
        "".join(letter for letter, bit in FLAGS.items() if flags & bit),
        source=ends[0],
        destination=ends[1],
        source_port=ports[0],
        destination_port=ports[1],
        spoil=how >> 6 == 2,
    )
    return ipv4(segment, TCP, *ends)


TARGETS = {"containers": containers, "frames": frames, "tunnelled": tunnelled, "calls": calls}


def _cut(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(found) < 64:
        length = int.from_bytes(data[at : at + 2], "big") % 2048
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def _record(number: int, frame: bytes, lost: int = 0) -> bytes:
    """A record of a frame, the last octets of which may not be captured."""
    size = len(frame)
    return struct.pack("<IIII", 1_600_000_000 + number, 0, size - lost, size) + frame[: size - lost]


# Every so many inputs, the readings are compared with each other and with the reference's: that takes longer.
THOROUGH = 50
_tried = 0


def examine(data: bytes) -> None:
    """With usual and with tiny caps, ending at corrupt records or not; now and then in every way that must not matter."""
    global _tried
    _tried += 1
    container = container_of(data)
    if container is None:
        return
    for limits, salvage in ((DEFAULT, True), (SMALL, False)):
        assembler = core.Assembler(PORTS, limits)
        # Octets of their own, so that the sanitizer sees the first one behind them.
        octets = bytes(bytearray(data))
        assembler.feed(
            core.scan_range(octets, container.first_record, len(data), container, PORTS, limits, salvage=salvage)
        )
        assembler.finish()
        assembler.take()
    if _tried % THOROUGH == 0:
        for limits, salvage in ((DEFAULT, False), (SMALL, False), (DEFAULT, True)):
            whole = timed("compiled", data, limits, "whole", 97, salvage)
            compare(timed("compiled", data, limits, "windows", 97, salvage), whole, "windows")
            compare(timed("reference", data, limits, "whole", 97, salvage), whole, "twins")


def _pieces(target: str, frames: list[bytes], talks: tuple[int, ...]) -> bytes:
    """Frames of Ethernet and IPv4 in the form that a target takes, those of calls as said by each of some clients."""
    found = []
    server = next((frame[30:34] for frame in frames if frame[36:38] == b"\x06\xbb"), b"")
    for frame in frames:
        packet = frame[14 : 14 + int.from_bytes(frame[16:18], "big")]
        side, inner = packet[12:16] == server, packet[20:]
        if target == "frames":
            found.append(frame)
        elif packet[9:10] == bytes([GRE]):
            found += [bytes([8 | side | talk << 1, 0])[: 2 * (target == "calls")] + inner for talk in talks]
        elif target == "calls" and packet[9:10] == bytes([TCP]) and len(inner) >= 20:
            data = inner[(inner[12] >> 4) * 4 :]
            found += [bytes([side | talk << 1, inner[13]]) + data for talk in talks]
    return b"".join(struct.pack(">H", len(part)) + part for part in found)[:4000]


def _typed() -> list[bytes]:
    """Frames of what the captures do not hold: every message about a call, every login, every end."""
    talk = said.Session().outgoing(1, 2, 3).client_says(said.incoming_request(4, 5))
    talk.server_says(said.incoming_reply(6, 4)).client_says(said.connected(6), said.wan_error(6), said.link_info(2))
    for number, (protocol, code, body) in enumerate(CONTENTS):
        payload = said.octets(said.packet(protocol, code, body))
        talk.client_sends(2, number, number - 1 if number else None, payload)
        talk.server_sends(1, number, number, payload).client_sends(2, None, number)
    talk.client_says(said.clear(1)).server_says(said.disconnect(2, 4), said.disconnect(6, 1), said.stop())
    return [frame for frame in talk.packets if isinstance(frame, bytes)]


def write_seeds(target: str, folder: Path) -> None:
    """The captures that come with the tests, in the form that the target takes."""
    if target == "containers":
        several = [path.read_bytes()[:4096] for path in sorted(CAPTURES.glob("*.pcap"))]
    else:
        head = b"" if target == "tunnelled" else b"\0"
        captures = [[frame.data for frame in capture if frame.link == 1] for capture in seeds()] + [_typed()]
        several = [
            head + _pieces(target, frames, talks)
            for frames in captures
            for talks in ((0,), (0, 1, 2))[: 1 + (target == "calls")]
        ]
    for number, octets in enumerate(several):
        (folder / f"seed-{number}").write_bytes(octets)


def main() -> None:
    """Hand over to libFuzzer."""
    if sys.argv[1] == "--seed":
        write_seeds(sys.argv[2], Path(sys.argv[3]))
        return
    import atheris

    build = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: examine(build(bytes(data))))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""What a coverage-guided fuzzer tries on the compiled engine: octets become a file, and its readings must agree.

Knows atheris, which brings libFuzzer, and how octets become frames; ``engines`` judges.  Run by ``make fuzz`` on a build
whose branches are counted and whose memory is checked.  ``--seed TARGET FOLDER`` writes where the search begins.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from builder import CLIENT, SERVER, ethernet, ipv4, pcap_header

from fuzz.engines import PORTS, SMALL, compare, container_of, timed
from fuzz.targets import seeds
from pptpcap import core
from pptpcap.wire.limits import DEFAULT

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
LINKS = (1, 113, 276, 101, 0, 108, 12, 50, 9, 51, 104, 105, 127, 228, 229)
GRE = 47


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


TARGETS = {"containers": containers, "frames": frames, "tunnelled": tunnelled}


def _cut(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at + 2 <= len(data) and len(found) < 64:
        length = int.from_bytes(data[at : at + 2], "big") % 2048
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def _record(number: int, frame: bytes) -> bytes:
    return struct.pack("<IIII", 1_600_000_000 + number, 0, len(frame), len(frame)) + frame


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
        assembler.feed(core.scan(octets, container.first_record, len(data), container, PORTS, limits, salvage=salvage))
        assembler.finish()
        assembler.take()
    if _tried % THOROUGH == 0:
        for limits, salvage in ((DEFAULT, False), (SMALL, False), (DEFAULT, True)):
            whole = timed("compiled", data, limits, "whole", 97, salvage)
            compare(timed("compiled", data, limits, "windows", 97, salvage), whole, "windows")
            compare(timed("reference", data, limits, "whole", 97, salvage), whole, "twins")


def write_seeds(target: str, folder: Path) -> None:
    """The captures that come with the tests, in the form that the target takes."""
    if target == "containers":
        several = [path.read_bytes()[:4096] for path in sorted(CAPTURES.glob("*.pcap"))]
    else:
        several = []
        for capture in seeds():
            parts = [frame.data for frame in capture if frame.link == 1]
            if target == "tunnelled":
                parts = [data[34:] for data in parts if data[23:24] == bytes([GRE])]
            head = b"\0" if target == "frames" else b""
            several.append(head + b"".join(struct.pack(">H", len(part)) + part for part in parts[:40]))
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

"""Peak memory of every command on captures in which each packet begins something that stays until the end.

Knows how such captures are made and nothing of what a command does.  Each run is a process of its own; what is told is
the greatest resident memory that the system saw of it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from vectors import CONTROL_HEX

FILE_HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000000004 0065000000".replace(" ", ""))
# Packets that are made at once.
PIECE = 1 << 18
OUTGOING_CALL_REQUEST = CONTROL_HEX[7]
TCP, GRE = 6, 47
# Calls of one connection.
CALLS = 1 << 14

ITERATE = """
import pptpcap, sys
most = int(sys.argv[3].removesuffix("M")) << 20 if sys.argv[2:] else None
for batch in pptpcap.iterate(sys.argv[1], io="read", max_memory=most):
    del batch
"""


def records(bodies: np.ndarray) -> bytes:
    """Records of IPv4 packets of one length, all of one second."""
    count, length = bodies.shape
    rows = np.zeros((count, 16 + length), np.uint8)
    rows[:, :16] = np.frombuffer(np.array([1_600_000_000, 0, length, length], "<u4").tobytes(), np.uint8)
    rows[:, 16:] = bodies
    return rows.tobytes()


def ipv4(numbers: np.ndarray, protocol: int, payload: np.ndarray) -> np.ndarray:
    """Packets from 16.0.0.0 + number to 10.0.0.1."""
    count, length = payload.shape
    rows = np.zeros((count, 20 + length), np.uint8)
    rows[:, :20] = np.frombuffer(bytes.fromhex("45000000000040004000000000000000 0a000001".replace(" ", "")), np.uint8)
    rows[:, 2:4] = np.frombuffer((20 + length).to_bytes(2, "big"), np.uint8)
    rows[:, 9] = protocol
    rows[:, 12:16] = (numbers + (16 << 24)).astype(">u4").view(np.uint8).reshape(-1, 4)
    rows[:, 20:] = payload
    if protocol == TCP:
        # Addresses, protocol and length stand in front of what is summed (RFC 9293 section 3.1).
        total = rows[:, 12:].reshape(count, -1, 2).astype(np.uint32) @ np.array([256, 1], np.uint32)
        total = total.sum(axis=1, dtype=np.uint32) + TCP + length
        total = (total & 0xFFFF) + (total >> 16)
        rows[:, 36:38] = (0xFFFF - (total & 0xFFFF) - (total >> 16)).astype(">u2").view(np.uint8).reshape(-1, 2)
    return rows


def tunnels(numbers: np.ndarray) -> np.ndarray:
    """One Enhanced GRE packet of each of as many sources."""
    octets = np.frombuffer(bytes.fromhex("3001880b000100070000000021"), np.uint8)
    return ipv4(numbers, GRE, np.tile(octets, (len(numbers), 1)))


def connections(numbers: np.ndarray) -> np.ndarray:
    """One SYN of each of as many sources."""
    octets = np.frombuffer(bytes.fromhex("c00006bb000000010000000050020000 00000000".replace(" ", "")), np.uint8)
    return ipv4(numbers, TCP, np.tile(octets, (len(numbers), 1)))


def calls(numbers: np.ndarray) -> np.ndarray:
    """One Outgoing-Call-Request of each of as many calls, some thousand on a connection."""
    header = np.frombuffer(bytes.fromhex("c00006bb000000010000000050100000 00000000".replace(" ", "")), np.uint8)
    rows = np.zeros((len(numbers), 20 + len(OUTGOING_CALL_REQUEST)), np.uint8)
    rows[:, :20] = header
    place = numbers % CALLS
    rows[:, 4:8] = (1 + place * len(OUTGOING_CALL_REQUEST)).astype(">u4").view(np.uint8).reshape(-1, 4)
    rows[:, 20:] = np.frombuffer(OUTGOING_CALL_REQUEST, np.uint8)
    rows[:, 32:34] = place.astype(">u2").view(np.uint8).reshape(-1, 2)
    return ipv4(numbers // CALLS, TCP, rows)


SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tunnels": tunnels,
    "calls": calls,
    "connections": connections,
}


def write(shape: str, count: int, path: Path) -> None:
    """A capture of so many packets."""
    with path.open("wb") as file:
        file.write(FILE_HEADER)
        for start in range(0, count, PIECE):
            file.write(records(SHAPES[shape](np.arange(start, min(start + PIECE, count), dtype=np.int64))))


def commands(capture: Path, folder: Path) -> dict[str, list[str]]:
    """What is run on a capture."""
    run = [sys.executable, "-m", "pptpcap"]
    return {
        "info": [*run, "info", str(capture)],
        "calls": [*run, "calls", str(capture)],
        "messages": [*run, "messages", str(capture)],
        "convert": [*run, "convert", "-o", str(folder / "tables"), str(capture)],
        "decapsulate": [*run, "decapsulate", "-o", str(folder / "inner.pcap"), str(capture)],
        "report": [*run, "report", "-o", str(folder / "page.html"), str(capture)],
        "iterate": [sys.executable, "-c", ITERATE, str(capture)],
    }


def peak(command: list[str], more: list[str]) -> int:
    """Most resident octets of a process; CalledProcessError where it failed."""
    program = [*command, *more]
    # As a child of this process alone, so that the system tells its peak and no other's.
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, program)
    return usage.ru_maxrss << 10


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[10**6, 4 * 10**6], metavar="N", help="packets")
    parser.add_argument("--shape", choices=tuple(SHAPES), action="append", help="all unless said")
    parser.add_argument("--command", action="append", metavar="NAME", help="all unless said")
    parser.add_argument("--max-memory", type=int, metavar="MIB", help="handed to the commands")
    options = parser.parse_args(arguments)
    more = ["--max-memory", f"{options.max_memory}M"] if options.max_memory else []
    print("| packets | command | " + " | ".join(f"MB at {count:,}" for count in options.counts) + " |")
    print("|---|---|" + "---:|" * len(options.counts))
    for shape in options.shape or SHAPES:
        figures: dict[str, list[int]] = {}
        for count in options.counts:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                # In a process of its own: what a process takes counts for those that it starts, too.
                writer = multiprocessing.get_context("spawn").Process(
                    target=write, args=(shape, count, folder / "capture.pcap")
                )
                writer.start()
                writer.join()
                for what, command in commands(folder / "capture.pcap", folder).items():
                    if not options.command or what in options.command:
                        figures.setdefault(what, []).append(peak(command, more))
        for what, peaks in figures.items():
            print(f"| {shape} | {what} | " + " | ".join(f"{one / 1e6:,.0f}" for one in peaks) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

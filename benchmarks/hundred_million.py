"""A capture of 10^8 records through a file object: ``python benchmarks/hundred_million.py``; no file is written.

Knows the public face of ``pptpcap``.  Records hold a header and no octets, but every `apart`-th, which is an Enhanced
GRE packet whose sequence number says its place; so packet numbers and offsets of rows are known beforehand.
"""

from __future__ import annotations

import argparse
import io
import struct
import sys
from typing import Any

import numpy as np

import pptpcap
from pptpcap.wire.status import Kind

FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
# A microsecond behind 1970, because zeros are no records.
EMPTY = struct.pack("<IIII", 0, 1, 0, 0)
# Ethernet, IPv4 from 10.0.0.1 to 10.0.0.2, Enhanced GRE with S: no payload, call 7, then the sequence number.
PACKET = bytes.fromhex("020000000002 020000000001 080045000020 00004000 402f0000 0a000001 0a0000023001880b 00000007")
MARK = struct.pack("<IIII", 0, 1, len(PACKET) + 4, len(PACKET) + 4) + PACKET


class Stream(io.RawIOBase):
    """The capture, made while it is read: blocks of `apart` - 1 empty records and a mark."""

    def __init__(self, blocks: int, apart: int) -> None:
        self._blocks, self._empty = blocks, EMPTY * (apart - 1)
        self._made, self._rest = 0, memoryview(FILE_HEADER)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give what is left of a block, or begin the next."""
        if not self._rest and self._made < self._blocks:
            self._rest = memoryview(self._empty + MARK + struct.pack(">I", self._made))
            self._made += 1
        octets = min(len(buffer), len(self._rest))
        buffer[:octets] = self._rest[:octets]
        self._rest = self._rest[octets:]
        return octets


class WrongError(Exception):
    """A number is not what it must be."""


def require(what: str, found: Any, expected: Any) -> None:
    """Raise where two numbers, or two columns, differ."""
    if not np.array_equal(found, expected):
        raise WrongError(f"{what}: {found}, not {expected}")


def check(blocks: int, apart: int) -> list[str]:
    """Walk the capture batch by batch and compare every row; what was compared comes back as lines."""
    packets = marks = issues = 0
    block_octets = len(EMPTY) * (apart - 1) + len(MARK) + 4
    tunnels: Any = None
    for batch in pptpcap.iterate(Stream(blocks, apart)):
        # The clock of these records stands; that is one more issue, at the end.
        rows, wrong = batch.gre, batch.issues[batch.issues["kind"] != Kind.CLOCK_STANDS]
        place = np.arange(marks, marks + len(rows))
        require("first row of gre", batch.first_row["gre"], marks)
        require("sequence numbers of gre", rows["sequence_number"], place)
        require("packets of gre", rows["packet"], (place + 1) * apart)
        offsets = len(FILE_HEADER) + place * block_octets + len(EMPTY) * (apart - 1)
        require("record offsets of gre", rows["record_offset"], offsets)
        require("tunnels of gre", rows["tunnel"], np.zeros(len(rows)))
        # An issue for each empty record, in order.
        place = np.arange(issues, issues + len(wrong))
        block, inside = np.divmod(place, apart - 1)
        require("packets of issues", wrong["packet"], block * apart + inside + 1)
        packets, marks, issues = batch.summary.packets, marks + len(rows), issues + len(wrong)
        tunnels = batch.tunnels
    require("packets", packets, blocks * apart)
    require("rows of gre", marks, blocks)
    require("rows of issues", issues, blocks * (apart - 1))
    require("packets of the tunnel", tunnels["packets"], [blocks])
    require("last packet of the tunnel", tunnels["last_packet"], [blocks * apart])
    return [
        f"records: {packets}, in {len(FILE_HEADER) + blocks * block_octets} octets",
        f"gre: {marks} rows; packet, record_offset, sequence_number and tunnel of each",
        f"issues: {issues} rows; packet of each",
        "tunnels: packets, last_packet",
    ]


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    parser = argparse.ArgumentParser(description="Check that nothing overflows in a capture of very many records.")
    parser.add_argument("--records", type=int, default=100_000_000, metavar="N", help="in all (100000000)")
    parser.add_argument("--apart", type=int, default=10_000, metavar="N", help="every Nth is a packet (10000)")
    options = parser.parse_args(given_arguments)
    if options.apart < 2 or options.records < options.apart:
        parser.error("--apart must be at least 2 and --records at least as many")
    try:
        print("\n".join(check(options.records // options.apart, options.apart)))
    except WrongError as error:
        print(f"wrong: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

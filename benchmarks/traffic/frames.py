"""Records of a capture as rows of a matrix: headers are columns, written for thousands of packets at once.

Knows pcap, Ethernet, IP, TCP and UDP headers and their checksums, and nothing of what the packets are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draw import Draw, Numbers, Octets

FILE_HEADER = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000".replace(" ", ""))
START_SECOND = 1_600_000_000
# Where things stand in a record: its header, the frame, the IP header, what follows an IPv4 and an IPv6 header.
FRAME, IP, BEHIND_IPV4, BEHIND_IPV6 = 16, 30, 50, 70
SMALLEST_FRAME = 60
TCP, UDP, GRE = 6, 17, 47

# Each kind of packet: first octet that its checksum covers (addresses, then everything behind them) and where the
# checksum stands, as offsets in the record; 0 where there is none.
KINDS = ("tcp4", "udp4", "tcp6", "udp6", "gre", "arp")
TCP4, UDP4, TCP6, UDP6, GRE4, ARP = range(len(KINDS))
_SUMMED_FROM = np.array([42, 42, 38, 38, 0, 0], dtype=np.int64)
_SUM_AT = np.array([66, 56, 86, 76, 0, 0], dtype=np.int64)
_PROTOCOL = np.array([TCP, UDP, TCP, UDP, 0, 0], dtype=np.int64)
_BEHIND_IP = np.array([BEHIND_IPV4, BEHIND_IPV4, BEHIND_IPV6, BEHIND_IPV6, BEHIND_IPV4, 0], dtype=np.int64)

_COLUMNS: dict[str, tuple[str, int]] = {
    "seconds": ("<u4", 0),
    "microseconds": ("<u4", 4),
    "captured": ("<u4", 8),
    "original": ("<u4", 12),
    "ether_type": (">u2", 28),
    "total_length": (">u2", 32),
    "identification": (">u2", 34),
    "protocol": ("u1", 39),
    "header_checksum": (">u2", 40),
    "source": (">u4", 42),
    "destination": (">u4", 46),
    "ipv6_length": (">u2", 34),
    "ipv6_source": (">u4", 50),
    "ipv6_destination": (">u4", 66),
    "source_port": (">u2", 50),
    "destination_port": (">u2", 52),
    "sequence": (">u4", 54),
    "acknowledgment": (">u4", 58),
    "tcp_flags": (">u2", 62),
    "udp_length": (">u2", 54),
    "ipv6_source_port": (">u2", 70),
    "ipv6_destination_port": (">u2", 72),
    "ipv6_sequence": (">u4", 74),
    "ipv6_acknowledgment": (">u4", 78),
    "ipv6_tcp_flags": (">u2", 82),
    "ipv6_udp_length": (">u2", 74),
    "gre_flags": (">u2", 50),
    "gre_protocol": (">u2", 52),
    "payload_length": (">u2", 54),
    "call_id": (">u2", 56),
    "gre_first": (">u4", 58),
    "gre_second": (">u4", 62),
}


def columns(rows: Octets) -> NDArray[np.void]:
    """The header fields of rows of octets, each a column that can be assigned to."""
    dtype: Any = {
        "names": list(_COLUMNS),
        "formats": [form for form, _ in _COLUMNS.values()],
        "offsets": [offset for _, offset in _COLUMNS.values()],
        "itemsize": rows.shape[1],
    }
    fields: NDArray[np.void] = rows.view(np.dtype(dtype)).reshape(len(rows))
    return fields


def template(kind: int) -> bytes:
    """Record of a kind with what never changes filled in, up to the end of its transport header."""
    link = bytes.fromhex("020000000001020000000002")
    ipv4 = bytes.fromhex("4500000000004000") + bytes([64, _PROTOCOL[kind]]) + bytes(10)
    ipv6 = bytes.fromhex("600000000000") + bytes([_PROTOCOL[kind], 64]) + 2 * bytes.fromhex("20010db8" + 24 * "0")
    tcp = bytes(12) + bytes.fromhex("801001f6000000000101080a") + bytes(8)
    arp = bytes.fromhex("0001080006040001") + bytes(38)
    body = {
        TCP4: b"\x08\x00" + ipv4 + tcp,
        UDP4: b"\x08\x00" + ipv4 + bytes(8),
        TCP6: b"\x86\xdd" + ipv6 + tcp,
        UDP6: b"\x86\xdd" + ipv6 + bytes(8),
        GRE4: b"\x08\x00" + ipv4[:9] + bytes([GRE]) + ipv4[10:] + bytes.fromhex("2001880b"),
        ARP: b"\x08\x06" + arp,
    }[kind]
    return bytes(FRAME) + link + body


class Clock:
    """Time of the capture, in microseconds since its first packet."""

    def __init__(self, most_apart: int) -> None:
        self.now = 0
        self.most_apart = most_apart

    def stamp(self, fields: NDArray[np.void], draw: Draw) -> None:
        """Give each row a time a little later than the one before."""
        times = self.now + np.cumsum(draw.between(len(fields), 0, self.most_apart))
        self.now = int(times[-1])
        fields["seconds"] = START_SECOND + times // 1_000_000
        fields["microseconds"] = times % 1_000_000


def starts(lengths: Numbers) -> Numbers:
    """Where each record stands, from the lengths of their frames; one more entry for the end."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths + FRAME, out=offsets[1:])
    return offsets


def pack(
    rows: Octets, lengths: Numbers, kinds: Numbers, draw: Draw | None, payloads: Iterable[tuple[int, bytes]] = ()
) -> Octets:
    """Lay records end to end, with random octets behind their rows and with right checksums.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, width)
        Each record up to `width` octets; what is shorter is cut at its length.
    lengths : ndarray of int64, shape (n,)
        Octets of each frame.
    kinds : ndarray of int64, shape (n,)
        Index into ``KINDS``.
    draw : Draw or None
        Source of the random octets; None where no record is longer than its row.
    payloads : iterable of (int, bytes)
        Last octets of some records, by index.

    Returns
    -------
    ndarray of uint8
        The records.
    """
    fields = columns(rows)
    fields["captured"] = lengths
    fields["original"] = lengths
    ipv4 = (kinds == TCP4) | (kinds == UDP4) | (kinds == GRE4)
    header = rows[:, IP:BEHIND_IPV4].view(">u2").sum(axis=1, dtype=np.int64)
    fields["header_checksum"][ipv4] = (0xFFFF - _fold(header))[ipv4]

    width = rows.shape[1]
    offsets = starts(lengths)
    end = int(offsets[-1])
    room = -(-(end + width) // 8) * 8
    octets = draw.octets(room) if draw else np.empty(room, dtype=np.uint8)
    # Assignment goes in order, so each row overwrites what the one before it has too many.
    anywhere: NDArray[np.void] = np.ndarray((end + 1,), dtype=f"V{width}", buffer=octets.data, strides=(1,))
    anywhere[offsets[:-1]] = rows.view(f"V{width}").reshape(len(rows))
    octets[end:] = 0
    for index, payload in payloads:
        place = int(offsets[index + 1]) - len(payload)
        octets[place : place + len(payload)] = np.frombuffer(payload, dtype=np.uint8)

    summed = np.flatnonzero(_SUM_AT[kinds] != 0)
    if len(summed):
        kind = kinds[summed]
        first = offsets[summed] + _SUMMED_FROM[kind]
        last = offsets[summed + 1]
        pseudo = _PROTOCOL[kind] + lengths[summed] + FRAME - _BEHIND_IP[kind]
        sums = 0xFFFF - _fold(_sums(octets, first, last) + pseudo)
        sums[(sums == 0) & (_PROTOCOL[kind] == UDP)] = 0xFFFF
        sum_at = offsets[summed] + _SUM_AT[kind]
        octets[sum_at] = sums >> 8
        octets[sum_at + 1] = sums & 0xFF
    return octets[:end]


def _fold(sums: Numbers) -> Numbers:
    while (sums >> 16).any():
        sums = (sums & 0xFFFF) + (sums >> 16)
    return sums


def _sums(octets: Octets, first: Numbers, last: Numbers) -> Numbers:
    """Sum of the 16-bit big-endian words of each range; ranges are in order, not empty and do not meet."""
    words = octets.view("<u2")
    bounds = np.stack((first // 2, (last + 1) // 2), axis=1).reshape(-1)
    sums = np.add.reduceat(words, bounds, dtype=np.uint32)[::2].astype(np.int64)
    odd = (first & 1).astype(bool)
    sums -= np.where(odd, octets[first - 1], 0)
    sums -= np.where(last & 1, octets[last].astype(np.int64) << 8, 0)
    sums = _fold(sums)
    # Words were read little-endian at even offsets: a range that starts at an even one has its octets swapped.
    return np.where(odd, sums, (sums >> 8) | ((sums & 0xFF) << 8))

"""Calls through VPN servers: control connections segment by segment, tunnelled packets by the thousand.

Knows control messages, Enhanced GRE and PPP headers, and not what else is on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import messages as m
from .draw import Draw, Numbers, Octets
from .frames import BEHIND_IPV4, FRAME, SMALLEST_FRAME, columns

SYN, FIN, PUSH, ACK = 0x02, 0x01, 0x08, 0x10
CLIENT, SERVER = 0, 1
GRE_SEQUENCE, GRE_ACKNOWLEDGMENT = 0x1000, 0x0080
# What stands in front of MPPE's two octets: PPP protocol 00FD, compressed as a call agreed.
_ENCRYPTED = (b"\xfd", b"\x00\xfd", b"\xff\x03\x00\xfd")
# An LCP Echo-Request in clear, up to its identifier, and its octets in all.
_LCP_ECHO = b"\xff\x03\xc0\x21\x09"
_LCP_ECHO_LENGTH = 12
_LCP_START = bytes.fromhex("ff03c0210100000e0104057805061234abcd")


@dataclass(frozen=True)
class Sizes:
    """Payload lengths of tunnelled data: share in a thousand, least and greatest octets."""

    shares: tuple[tuple[int, int, int], ...]

    def draw(self, draw: Draw, count: int) -> Numbers:
        """`count` payload lengths."""
        shares, low, high = np.array(self.shares).T
        pick = np.searchsorted(np.cumsum(shares), draw.below(count, 1_000), side="right")
        return np.asarray(low[pick] + draw.below(count, 1 << 16) % (high - low + 1)[pick], dtype=np.int64)


USUAL = Sizes(((360, 47, 100), (190, 101, 1_299), (450, 1_300, 1_406)))
SMALL = Sizes(((1_000, 47, 220),))


@dataclass(frozen=True)
class Segment:
    """One packet of a call's opening or of its control connection; `kinds` are the messages that it brings."""

    call: int
    sender: int
    sequence: int
    acknowledgment: int
    flags: int
    payload: bytes
    kinds: tuple[int, ...]
    is_gre: bool = False


class Calls:
    """State of some calls, each with its own client and control connection.

    Parameters
    ----------
    count : int
        Number of calls.
    seed : int
        Seed of addresses, ports, ids and of what the control connections say.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self._draw = draw = Draw(seed, 1)
        self.addresses = np.stack((0x0A010000 + 1 + np.arange(count), 0xC0000201 + np.arange(count) % 4), axis=1)
        self.ports = np.stack((draw.between(count, 49_152, 65_535), np.full(count, m.PORT)), axis=1)
        # Ids that the receiver assigned: of packets from a client the server's, and the other way round.
        self.ids = np.stack((draw.order(1, 65_536)[0, :count], draw.order(1, 65_536)[0, :count]), axis=1)
        self._starts = draw.raw(2 * count).reshape(count, 2).astype(np.uint32)
        self._said = np.zeros((count, 2), dtype=np.int64)
        self._payloads = np.zeros((count, 2), dtype=np.int64)
        self._encrypted = draw.below(count, len(_ENCRYPTED))
        self._echoes = 0

    def _segment(self, call: int, sender: int, *kinds: int, flags: int = ACK) -> Segment:
        server_id, client_id = (int(number) for number in self.ids[call])
        call_id, peer_id = (client_id, server_id) if sender == CLIENT else (server_id, client_id)
        payload = b"".join(m.message(kind, self._draw, call_id, peer_id, self._echoes) for kind in kinds)
        said, heard = int(self._said[call, sender]), int(self._said[call, 1 - sender])
        segment = Segment(
            call,
            sender,
            (int(self._starts[call, sender]) + said) & 0xFFFFFFFF,
            (int(self._starts[call, 1 - sender]) + heard) & 0xFFFFFFFF if flags & ACK else 0,
            flags | (PUSH if payload else 0),
            payload,
            kinds,
        )
        self._said[call, sender] += len(payload) + bool(flags & (SYN | FIN))
        return segment

    def opening(self) -> Iterator[Segment]:
        """All calls come up: TCP, control connection, call, first PPP packet of each side."""
        calls = range(self.count)
        yield from (self._segment(call, CLIENT, flags=SYN) for call in calls)
        yield from (self._segment(call, SERVER, flags=SYN | ACK) for call in calls)
        yield from (self._segment(call, CLIENT) for call in calls)
        yield from (self._segment(call, CLIENT, m.START_REQUEST) for call in calls)
        yield from (self._segment(call, SERVER, m.START_REPLY) for call in calls)
        yield from (self._segment(call, CLIENT, m.OUTGOING_REQUEST) for call in calls)
        yield from (self._segment(call, SERVER, m.OUTGOING_REPLY) for call in calls)
        yield from (self._segment(call, CLIENT, m.SET_LINK) for call in calls)
        for sender in (SERVER, CLIENT):
            yield from (Segment(call, sender, 0, 0, GRE_SEQUENCE, _LCP_START, (), is_gre=True) for call in calls)
            self._payloads[:, sender] = 1

    def control(self) -> Iterator[Segment]:
        """What control connections say while calls are up, without end: mostly echoes."""
        while True:
            call, what = self._draw.one(self.count), self._draw.one(100)
            if what < 85:
                self._echoes += 1
                sender = self._draw.one(2)
                yield self._segment(call, sender, m.ECHO_REQUEST)
                yield self._segment(call, 1 - sender, m.ECHO_REPLY)
                yield self._segment(call, sender)
            elif what < 95:
                yield self._segment(call, CLIENT, m.SET_LINK)
                yield self._segment(call, SERVER)
            else:
                yield self._segment(call, SERVER, m.WAN_ERROR, m.SET_LINK)
                yield self._segment(call, CLIENT)

    def write(self, fields: NDArray[np.void], segments: list[tuple[int, Segment]]) -> Numbers:
        """Fill the header fields of some packets, given with their rows; frame lengths come back."""
        lengths = []
        for row, segment in segments:
            at = fields[row : row + 1]
            at["source"] = self.addresses[segment.call, segment.sender]
            at["destination"] = self.addresses[segment.call, 1 - segment.sender]
            if segment.is_gre:
                at["gre_flags"] |= GRE_SEQUENCE
                at["call_id"] = self.ids[segment.call, segment.sender]
                at["payload_length"] = len(segment.payload)
                at["gre_first"] = segment.sequence
                ip_length = 20 + 12 + len(segment.payload)
            else:
                at["source_port"] = self.ports[segment.call, segment.sender]
                at["destination_port"] = self.ports[segment.call, 1 - segment.sender]
                at["sequence"] = segment.sequence
                at["acknowledgment"] = segment.acknowledgment
                at["tcp_flags"] = 0x8000 | segment.flags
                ip_length = 20 + 32 + len(segment.payload)
            at["total_length"] = ip_length
            lengths.append(max(14 + ip_length, SMALLEST_FRAME))
        return np.array(lengths, dtype=np.int64)

    def tunnel(self, rows: Octets, draw: Draw, sizes: Sizes) -> tuple[Octets, Numbers, Numbers, Numbers]:
        """Tunnelled packets in the order in which they are sent.

        Parameters
        ----------
        rows : ndarray of uint8, shape (n, width)
            Rows of kind gre, random behind their template.
        draw : Draw
            Source of what each packet is.
        sizes : Sizes
            Payload lengths.

        Returns
        -------
        rows, lengths, tunnels, payload_lengths
            Rows filled, octets of each frame, ``2 * call + sender``, octets of PPP.
        """
        count = len(rows)
        call, sender = draw.below(count, self.count), draw.below(count, 2)
        dice = draw.below(count, 1_000)
        data, is_echo = dice >= 150, dice >= 998
        has_ack = ~data | (dice < 450)
        payload = np.where(is_echo, _LCP_ECHO_LENGTH, sizes.draw(draw, count)) * data

        # Numbers run per call and sender: sort by call, count, and take off what the calls before have counted.
        order = np.argsort(call, kind="stable")
        first = np.searchsorted(call[order], np.arange(self.count))
        numbers = np.empty((count, 2), dtype=np.int64)
        for side in (CLIENT, SERVER):
            mine = (data & (sender == side))[order]
            before = np.concatenate(([0], np.cumsum(mine)))
            numbers[order, side] = before[1:] - before[first][call[order]]
            numbers[:, side] += self._payloads[call, side]
            self._payloads[:, side] += np.bincount(call[order][mine], minlength=self.count)
        every = np.arange(count)
        sequence = numbers[every, sender] - 1
        acknowledgment = numbers[every, 1 - sender] - 1

        fields = columns(rows)
        fields["source"] = self.addresses[call, sender]
        fields["destination"] = self.addresses[call, 1 - sender]
        fields["gre_flags"] = 0x2001 + GRE_SEQUENCE * data + GRE_ACKNOWLEDGMENT * has_ack
        fields["call_id"] = self.ids[call, sender]
        fields["payload_length"] = payload
        fields["gre_first"] = np.where(data, sequence, acknowledgment)
        fields["gre_second"][data & has_ack] = acknowledgment[data & has_ack]
        header = 8 + 4 * data + 4 * has_ack
        ip_length = 20 + header + payload
        fields["total_length"] = ip_length

        for octets in (12, 16):
            place = BEHIND_IPV4 + octets
            here = data & (header == octets)
            for number, prefix in enumerate(_ENCRYPTED):
                these = np.flatnonzero(here & ~is_echo & (self._encrypted[call] == number))
                _put(rows, these, place, prefix)
                coherency = 0x9000 | (sequence[these] & 0x0FFF)
                rows[these, place + len(prefix)] = coherency >> 8
                rows[these, place + len(prefix) + 1] = coherency & 0xFF
            these = np.flatnonzero(here & is_echo)
            _put(rows, these, place, _LCP_ECHO)
            rows[these, place + len(_LCP_ECHO) + 1] = 0
            rows[these, place + len(_LCP_ECHO) + 2] = _LCP_ECHO_LENGTH - 4
        lengths = 14 + ip_length
        for length in np.unique(lengths[lengths < SMALLEST_FRAME]):
            rows[np.flatnonzero(lengths == length), FRAME + length : FRAME + SMALLEST_FRAME] = 0
        return rows, np.maximum(lengths, SMALLEST_FRAME), 2 * call + sender, payload


def _put(rows: Octets, which: Numbers, place: int, octets: bytes) -> None:
    rows[which, place : place + len(octets)] = np.frombuffer(octets, dtype=np.uint8)

"""Haystack, mirrored and tunnel: calls among other traffic, in shares that hold for every thousand packets.

Knows how traffic is mixed, and leaves calls to ``calls`` and records to ``frames``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from .calls import SMALL, USUAL, Calls, Segment, Sizes
from .counts import Counts
from .draw import Draw, Numbers, Octets
from .frames import ARP, GRE4, KINDS, SMALLEST_FRAME, TCP4, TCP6, UDP4, UDP6, Clock, columns, pack, starts, template
from .mirror import AROUND, wrapped

_GROUP = 1_000
_GROUPS = 16
_WIDTH = 104
_OTHER, _GRE, _CONTROL = range(3)

# Traffic that is neither: share in a thousand, kind, least and greatest IP length.
_OTHERS = (
    (250, TCP4, 52, 52),
    (300, TCP4, 1_500, 1_500),
    (120, TCP4, 53, 1_499),
    (40, TCP6, 72, 72),
    (60, TCP6, 1_500, 1_500),
    (90, UDP4, 60, 300),
    (90, UDP4, 1_228, 1_280),
    (45, UDP6, 1_228, 1_280),
    (5, ARP, SMALLEST_FRAME - 14, SMALLEST_FRAME - 14),
)
_SERVICE = 443


@dataclass(frozen=True)
class Mix:
    """Shares in a thousand packets, calls, sizes of tunnelled data, and the most microseconds between two packets.

    Of `mirrored` in a thousand, whatever they are, a mirror's headers stand in front.
    """

    control: int
    gre: int
    calls: int
    sizes: Sizes
    most_apart: int
    mirrored: int = 0


HAYSTACK = Mix(control=1, gre=10, calls=8, sizes=USUAL, most_apart=14)
MIRRORED = Mix(control=1, gre=10, calls=8, sizes=USUAL, most_apart=14, mirrored=300)
TUNNEL = Mix(control=2, gre=900, calls=32, sizes=USUAL, most_apart=20)
TUNNEL_SMALL = Mix(control=2, gre=900, calls=32, sizes=SMALL, most_apart=8)


def mixed(mix: Mix, octets: int, seed: int, counts: Counts) -> Iterator[Octets]:
    """Records of a capture, cut behind the last one that fits.

    Parameters
    ----------
    mix : Mix
        What is in it.
    octets : int
        Most octets of all records together.
    seed : int
        Any number.
    counts : Counts
        Filled on the way.

    Yields
    ------
    ndarray of uint8
        Some records.
    """
    calls = Calls(mix.calls, seed)
    clock = Clock(mix.most_apart)
    control = calls.control()
    for chunk in count():
        draw = Draw(seed, 2, chunk)
        if chunk == 0:
            segments = list(enumerate(calls.opening()))
            roles = np.array([_GRE if segment.is_gre else _CONTROL for _, segment in segments])
        else:
            roles = _roles(mix, draw)
            places = np.flatnonzero(roles == _CONTROL).tolist()
            segments = list(zip(places, islice(control, len(places)), strict=True))
        records, fitting = _chunk(calls, clock, mix, roles, segments, octets, draw, counts)
        if chunk == 0:
            counts.opening_packets = fitting
        yield records
        octets -= len(records)
        if fitting < len(roles):
            return


def _roles(mix: Mix, draw: Draw) -> Numbers:
    group = np.full(_GROUP, _OTHER)
    group[: mix.control] = _CONTROL
    group[mix.control : mix.control + mix.gre] = _GRE
    return group[draw.order(_GROUPS, _GROUP)].reshape(-1)


def _chunk(
    calls: Calls,
    clock: Clock,
    mix: Mix,
    roles: Numbers,
    segments: list[tuple[int, Segment]],
    octets: int,
    draw: Draw,
    counts: Counts,
) -> tuple[Octets, int]:
    """Records of the packets whose roles are given, and how many of them fit."""
    number = len(roles)
    kinds = np.where(roles == _GRE, GRE4, TCP4)
    lengths = np.zeros(number, dtype=np.int64)
    shares, other_kinds, low, high = np.array(_OTHERS).T
    others = np.flatnonzero(roles == _OTHER)
    pick = np.searchsorted(np.cumsum(shares), draw.below(len(others), 1_000), side="right")
    kinds[others] = other_kinds[pick]
    lengths[others] = 14 + low[pick] + draw.below(len(others), 1 << 16) % (high - low + 1)[pick]

    rows = draw.octets(number * _WIDTH).reshape(number, _WIDTH).copy()
    for kind in range(len(KINDS)):
        octets_of_kind = np.frombuffer(template(kind), dtype=np.uint8)
        rows[np.flatnonzero(kinds == kind), : len(octets_of_kind)] = octets_of_kind
    _others(rows, others, kinds, lengths, draw)

    tunnels = np.full(number, -1)
    payloads = np.zeros(number, dtype=np.int64)
    lengths[[row for row, _ in segments]] = calls.write(columns(rows), segments)
    for row, segment in segments:
        if segment.is_gre:
            tunnels[row], payloads[row] = 2 * segment.call + segment.sender, len(segment.payload)
    in_bulk = np.flatnonzero((roles == _GRE) & (tunnels < 0))
    if len(in_bulk):
        rows[in_bulk], lengths[in_bulk], tunnels[in_bulk], payloads[in_bulk] = calls.tunnel(
            rows[in_bulk], draw, mix.sizes
        )
    clock.stamp(columns(rows), draw)

    inside = np.flatnonzero(draw.below(number, 1_000) < mix.mirrored) if mix.mirrored else np.arange(0)
    offsets = starts(lengths + AROUND * np.bincount(inside, minlength=number))
    fitting = int(np.searchsorted(offsets, octets, side="right")) - 1
    counts.packets += fitting
    counts.gre += int((roles[:fitting] == _GRE).sum())
    counts.gre_payload_octets += int(payloads[:fitting].sum())
    counts.tunnels.update(np.unique(tunnels[:fitting][tunnels[:fitting] >= 0]).tolist())
    counts.control_segments += int((roles[:fitting] == _CONTROL).sum())
    for row, segment in segments:
        if row < fitting and not segment.is_gre:
            counts.connections.add(segment.call)
            np.add.at(counts.messages, list(segment.kinds), 1)
    written = [(row, segment.payload) for row, segment in segments]
    packed = pack(rows, lengths, kinds, draw, written)
    return (wrapped(packed, lengths, inside) if mix.mirrored else packed)[: offsets[fitting]], fitting


def _others(rows: Octets, others: Numbers, kinds: Numbers, lengths: Numbers, draw: Draw) -> None:
    """Addresses, ports and lengths of packets that no one looks for; an ephemeral port is never the control port."""
    fields = columns(rows)
    hosts = 0x0A020000 + draw.below(len(rows), 1 << 12)
    servers = 0xC6336400 + draw.below(len(rows), 1 << 8)
    ports = 32_768 + draw.below(len(rows), 28_000)
    inbound = draw.below(len(rows), 2).astype(bool)
    for kind in (TCP4, UDP4, TCP6, UDP6):
        these = others[kinds[others] == kind]
        version = "ipv6_" if kind in (TCP6, UDP6) else ""
        near, far = hosts[these], servers[these]
        fields[version + "source"][these] = np.where(inbound[these], far, near)
        fields[version + "destination"][these] = np.where(inbound[these], near, far)
        fields[version + "source_port"][these] = np.where(inbound[these], _SERVICE, ports[these])
        fields[version + "destination_port"][these] = np.where(inbound[these], ports[these], _SERVICE)
        if version:
            fields["ipv6_length"][these] = lengths[these] - 54
        else:
            fields["total_length"][these] = lengths[these] - 14
        if kind in (TCP4, TCP6):
            fields[version + "sequence"][these] = draw.raw(len(these)) & np.uint64(0xFFFFFFFF)
            fields[version + "acknowledgment"][these] = draw.raw(len(these)) & np.uint64(0xFFFFFFFF)
        else:
            fields[version + "udp_length"][these] = lengths[these] - (54 if version else 34)

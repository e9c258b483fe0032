"""Control only: many connections at once, every packet a control message, several of them, or a part of one.

Knows scripts of connections, written once and followed by thousands, and leaves records to ``frames``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np

from . import messages as m
from .calls import ACK, CLIENT, FIN, PUSH, SERVER
from .counts import Counts
from .draw import Draw, Numbers, Octets
from .frames import BEHIND_IPV4, FRAME, TCP4, Clock, columns, pack, template

_PAYLOAD = BEHIND_IPV4 + 20
# Connections at once, scripts, steps of a script (a step is one segment, or the parts of one message or more).
_SLOTS = 1_024
_SCRIPTS = 64
_STEPS = 48
_WAVES = 8
_SPLIT_PERCENT = 12
_MOST_APART = 10
_PACKETS_AT_ONCE = 1 << 14
_PLACE_BITS, _INDEX_BITS = 20, 16


@dataclass(frozen=True)
class _Scripts:
    """Packets of all scripts, one behind the other; `first` and `parts` are found by script and step."""

    first: Numbers
    parts: Numbers
    rows: Octets
    lengths: Numbers
    sender: Numbers
    sequence: Numbers
    acknowledgment: Numbers
    messages: Numbers


def _steps(draw: Draw) -> list[tuple[int, tuple[int, ...]]]:
    """Who says what in the life of a connection: sender and messages of each step."""
    outgoing = [
        (CLIENT, (m.OUTGOING_REQUEST,)),
        (SERVER, (m.OUTGOING_REPLY, m.SET_LINK)),
        (CLIENT, (m.SET_LINK,)),
        (SERVER, (m.WAN_ERROR,)),
        (CLIENT, (m.CLEAR_REQUEST,)),
        (SERVER, (m.DISCONNECT_NOTIFY,)),
    ]
    incoming = [
        (SERVER, (m.INCOMING_REQUEST,)),
        (CLIENT, (m.INCOMING_REPLY,)),
        (SERVER, (m.INCOMING_CONNECTED,)),
        (CLIENT, (m.SET_LINK, m.ECHO_REQUEST)),
        (SERVER, (m.ECHO_REPLY, m.WAN_ERROR)),
        (SERVER, (m.DISCONNECT_NOTIFY,)),
    ]
    steps: list[tuple[int, tuple[int, ...]]] = [(CLIENT, (m.START_REQUEST,)), (SERVER, (m.START_REPLY,))]
    calls = [outgoing, outgoing, incoming]
    room = _STEPS - len(steps) - 2 - sum(len(call) for call in calls)
    blocks = [*calls, *(_echo(draw) for _ in range(room // 2))]
    for place in draw.order(1, len(blocks))[0]:
        steps += blocks[place]
    return [*steps, (CLIENT, (m.STOP_REQUEST,)), (SERVER, (m.STOP_REPLY,))]


def _echo(draw: Draw) -> list[tuple[int, tuple[int, ...]]]:
    """One echo, or three at once."""
    sender, number = draw.one(2), (1, 1, 1, 3)[draw.one(4)]
    return [(sender, (m.ECHO_REQUEST,) * number), (1 - sender, (m.ECHO_REPLY,) * number)]


def _cuts(draw: Draw, length: int) -> list[int]:
    """Where a segment of so many octets is split, with its ends: mostly nowhere, at times in the message's header."""
    if draw.one(100) >= _SPLIT_PERCENT:
        return [0, length]
    inside = sorted({1 + draw.one(length - 1) for _ in range(1 + draw.one(2))})
    return [0, *inside, length]


def _write_scripts(seed: int) -> _Scripts:
    draw = Draw(seed, 3)
    head = template(TCP4)[:_PAYLOAD]
    records: list[tuple[bytes, int, int, int, int, list[int]]] = []
    first, parts = np.zeros((2, _SCRIPTS, _STEPS), dtype=np.int64)
    for script in range(_SCRIPTS):
        said = [1, 1]
        call, peer = draw.one(65_536), draw.one(65_536)
        for step, (sender, kinds) in enumerate(_steps(draw)):
            number = draw.one(1 << 31)
            ids = (call, peer) if sender == CLIENT else (peer, call)
            payload = b"".join(m.message(kind, draw, *ids, number) for kind in kinds)
            cuts = _cuts(draw, len(payload))
            first[script, step], parts[script, step] = len(records), len(cuts) - 1
            for low, high in pairwise(cuts):
                ends = high == len(payload)
                flags = ACK | (PUSH if ends else 0) | (FIN if ends and step >= _STEPS - 2 else 0)
                done = [kinds.count(kind) if ends else 0 for kind in range(len(m.NAMES))]
                records.append((payload[low:high], sender, flags, said[sender], said[1 - sender], done))
                said[sender] += high - low
            said[sender] += step >= _STEPS - 2
    payloads, senders, flags_, sequences, acknowledgments, messages = zip(*records, strict=True)
    width = -(-(_PAYLOAD + max(len(payload) for payload in payloads)) // 8) * 8
    rows = np.zeros((len(records), width), dtype=np.uint8)
    for row, payload in zip(rows, payloads, strict=True):
        row[: _PAYLOAD + len(payload)] = np.frombuffer(head + payload, dtype=np.uint8)
    lengths = np.array([_PAYLOAD - FRAME + len(payload) for payload in payloads], dtype=np.int64)
    fields = columns(rows)
    fields["tcp_flags"] = 0x5000 | np.array(flags_)
    fields["total_length"] = lengths - 14
    numbers = (np.array(column, dtype=np.int64) for column in (senders, sequences, acknowledgments, messages))
    return _Scripts(first, parts, rows, lengths, *numbers)


def _endpoints(rows: Octets, connection: Numbers, sender: Numbers, sequence: Numbers, acknowledgment: Numbers) -> None:
    """Addresses, ports and numbers of a packet from the number of its connection; no two connections share a client."""
    fields = columns(rows)
    client = 0x0A000000 + (connection * 0x9E3779 & 0xFFFFFF)
    server = 0xC0000200 + (connection & 7)
    port = 49_152 + (connection * 7_919 & 0x3FFF)
    starts_ = np.stack((connection * 0x9E3779B1, connection * 0x85EBCA77), axis=0) & 0xFFFFFFFF
    from_client = sender == CLIENT
    every = np.arange(len(connection))
    fields["source"] = np.where(from_client, client, server)
    fields["destination"] = np.where(from_client, server, client)
    fields["source_port"] = np.where(from_client, port, m.PORT)
    fields["destination_port"] = np.where(from_client, m.PORT, port)
    fields["sequence"] = starts_[sender, every] + sequence & 0xFFFFFFFF
    fields["acknowledgment"] = starts_[1 - sender, every] + acknowledgment & 0xFFFFFFFF


def control_only(octets: int, seed: int, counts: Counts) -> Iterator[Octets]:
    """Records of a capture that begins while connections are up, each at another step of its script.

    Parameters
    ----------
    octets : int
        Most octets of all records together; no message is left half.
    seed : int
        Any number.
    counts : Counts
        Filled on the way.

    Yields
    ------
    ndarray of uint8
        Some records.
    """
    scripts = _write_scripts(seed)
    phase = Draw(seed, 4).below(_SLOTS, _STEPS)
    octets_of_step = np.add.reduceat(scripts.lengths + FRAME, scripts.first.reshape(-1)).reshape(scripts.first.shape)
    clock = Clock(_MOST_APART)
    for chunk in count():
        draw = Draw(seed, 5, chunk)
        wave, slot = np.divmod(np.arange(_WAVES * _SLOTS), _SLOTS)
        generation, step = np.divmod(phase[slot] + chunk * _WAVES + wave, _STEPS)
        connection = slot + _SLOTS * generation
        script = (connection * 0x9E3779B1 >> 16) % _SCRIPTS
        fitting = int(np.searchsorted(np.cumsum(octets_of_step[script, step]), octets, side="right"))
        if fitting:
            chosen = slice(0, fitting)
            counts.connections.update(connection[chosen][(step[chosen] == 0) | (wave[chosen] + chunk == 0)].tolist())
            packet, owner = _interleaved(scripts, script[chosen], step[chosen], wave[chosen], draw)
            connection = connection[owner]
            rows, lengths = scripts.rows.take(packet, axis=0), scripts.lengths[packet]
            sender = scripts.sender[packet]
            _endpoints(rows, connection, sender, scripts.sequence[packet], scripts.acknowledgment[packet])
            clock.stamp(columns(rows), draw)
            counts.packets += len(packet)
            counts.control_segments += len(packet)
            counts.messages += np.bincount(packet, minlength=len(scripts.messages)) @ scripts.messages
            records = pack(rows, lengths, np.full(len(rows), TCP4), None)
            yield records
            octets -= len(records)
        if fitting < _WAVES * _SLOTS:
            return


def _interleaved(
    scripts: _Scripts, script: Numbers, step: Numbers, wave: Numbers, draw: Draw
) -> tuple[Numbers, Numbers]:
    """Packets of steps, and the step of each by index, in an order that mixes a wave but not the parts of a step."""
    parts = scripts.parts[script, step]
    owner = np.repeat(np.arange(len(step)), parts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    # A random place in its wave for each packet; the places of one step's parts are put in order.  What is sorted and
    # what goes along share a number, since sorting numbers is much faster than sorting indexes.
    place = np.sort((owner << _PLACE_BITS) + draw.below(len(owner), 1 << _PLACE_BITS)) & (1 << _PLACE_BITS) - 1
    place += wave[owner] << _PLACE_BITS
    order = np.sort((place << _INDEX_BITS) + np.arange(len(owner))) & (1 << _INDEX_BITS) - 1
    return (scripts.first[script, step][owner] + part)[order], owner[order]


def many_flows(octets: int | None, seed: int, counts: Counts, connections: int) -> Iterator[Octets]:
    """Records of echo requests, the same number on each of `connections` connections as near as `octets` allows.

    Parameters
    ----------
    octets : int or None
        Most octets of all records together; None for one message on each connection.
    seed : int
        Any number.
    counts : Counts
        Filled on the way.
    connections : int
        Number of connections, at most 2**24.

    Yields
    ------
    ndarray of uint8
        Some records.
    """
    draw = Draw(seed, 6)
    echo = m.message(m.ECHO_REQUEST, draw)
    row = np.frombuffer(template(TCP4)[:_PAYLOAD] + echo, dtype=np.uint8)
    packets = connections if octets is None else octets // len(row)
    clock = Clock(_MOST_APART)
    for begin in range(0, packets, _PACKETS_AT_ONCE):
        draw = Draw(seed, 7, begin)
        number = np.arange(begin, min(begin + _PACKETS_AT_ONCE, packets))
        turn, connection = np.divmod(number, connections)
        rows = np.tile(row, (len(number), 1))
        lengths = np.full(len(number), len(row) - FRAME)
        fields = columns(rows)
        fields["tcp_flags"] = 0x5000 | ACK | PUSH
        fields["total_length"] = lengths - 14
        rows[:, -4:] = number.astype(">u4").view(np.uint8).reshape(-1, 4)
        sender = np.full(len(number), CLIENT)
        _endpoints(rows, connection, sender, 1 + turn * len(echo), np.ones(len(number), dtype=np.int64))
        clock.stamp(fields, draw)
        counts.packets += len(number)
        counts.control_segments += len(number)
        counts.messages[m.ECHO_REQUEST] += len(number)
        yield pack(rows, lengths, np.full(len(rows), TCP4), None)
    counts.connections.update(range(min(connections, packets)))

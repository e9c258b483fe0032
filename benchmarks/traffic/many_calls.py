"""Many calls, each as short as a call can be: request and reply, two packets each way, clear request and disconnect.

Knows the order of a call's packets and where its octets stand in the streams; messages and records are made by
``messages`` and ``frames``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import messages as m
from .calls import ACK, CLIENT, GRE_ACKNOWLEDGMENT, GRE_SEQUENCE, PUSH, SERVER
from .counts import Counts
from .draw import Draw, Numbers, Octets
from .frames import BEHIND_IPV4, FRAME, GRE4, IP, SMALLEST_FRAME, TCP4, Clock, columns, pack, template

# Calls of one connection, which are up together, and connections at once.
_CALLS = 32
_CONNECTIONS = 64
_MOST_APART = 10
# Room for the longest record.
_WIDTH = 240
# An LCP Configure-Request with the options that everybody asks for, and IPv4 in clear.
_LCP = bytes.fromhex("ff03c02101010012010405780304c0230506a1b2c3d4")
_DATA = bytes.fromhex("ff030021") + bytes(28)
# What a call's packets are, in order: sender, then the message, or payload and numbers.
_STEPS: tuple[tuple[int, int | bytes, int, int], ...] = (
    (CLIENT, m.OUTGOING_REQUEST, 0, 0),
    (SERVER, m.OUTGOING_REPLY, 0, 0),
    (SERVER, _LCP, 0, -1),
    (CLIENT, _LCP, 0, 0),
    (SERVER, _DATA, 1, 0),
    (CLIENT, _DATA, 1, 1),
    (CLIENT, m.CLEAR_REQUEST, 0, 0),
    (SERVER, m.DISCONNECT_NOTIFY, 0, 0),
)


def many_calls(calls: int, seed: int, counts: Counts) -> Iterator[Octets]:
    """Records of `calls` calls, of which some thousand are up at a time; connections were up before the capture.

    Parameters
    ----------
    calls : int
        Number of calls, at most 2**24.
    seed : int
        Any number.
    counts : Counts
        Filled on the way.

    Yields
    ------
    ndarray of uint8
        Some records.
    """
    clock = Clock(_MOST_APART)
    for begin in range(0, calls, _CALLS * _CONNECTIONS):
        number = np.arange(begin, min(begin + _CALLS * _CONNECTIONS, calls))
        draw = Draw(seed, 8, begin)
        # Calls of each one's connection, of which the last may have fewer.
        together = np.minimum(_CALLS, calls - number // _CALLS * _CALLS)
        said = [0, 0]
        for step in range(len(_STEPS)):
            yield _step(step, number, together, said, draw, clock)
            sender, what, _, _ = _STEPS[step]
            counts.packets += len(number)
            if isinstance(what, bytes):
                counts.gre += len(number)
                counts.gre_payload_octets += len(number) * len(what)
                counts.tunnels.update((2 * number + sender).tolist())
            else:
                counts.control_segments += len(number)
                counts.messages[what] += len(number)
        counts.connections.update((number // _CALLS).tolist())


def _step(step: int, number: Numbers, together: Numbers, said: list[int], draw: Draw, clock: Clock) -> Octets:
    """One packet of each of some calls; `said` is what both sides said of one call before, and grows."""
    sender, what, sequence, acknowledgment = _STEPS[step]
    connection, place = np.divmod(number, _CALLS)
    # Ids are dealt out anew on every connection: of the sender, of the receiver.
    ids = (1 + place, 0x8000 + place)[:: 1 if sender == CLIENT else -1]
    if isinstance(what, bytes):
        kind, head = GRE4, BEHIND_IPV4
        body = bytes(16 if acknowledgment >= 0 else 12) + what
    else:
        kind, head = TCP4, BEHIND_IPV4 + 20
        body = m.message(what, draw)
    rows = np.zeros((len(number), _WIDTH), dtype=np.uint8)
    known = np.frombuffer(template(kind)[:head], dtype=np.uint8)
    rows[:, head : head + len(body)] = np.frombuffer(body, dtype=np.uint8)
    rows[:, : len(known)] = known
    fields = columns(rows)
    ends = (0x0A000000 + connection, 0xC0000200 + (connection & 7))[:: 1 if sender == CLIENT else -1]
    fields["source"], fields["destination"] = ends
    fields["total_length"] = head + len(body) - IP
    if isinstance(what, bytes):
        fields["gre_flags"] = 0x2001 | GRE_SEQUENCE | GRE_ACKNOWLEDGMENT * (acknowledgment >= 0)
        fields["gre_protocol"] = 0x880B
        fields["call_id"], fields["payload_length"] = ids[1], len(what)
        fields["gre_first"] = sequence
        if acknowledgment >= 0:
            fields["gre_second"] = acknowledgment
    else:
        ports = (49_152, m.PORT)[:: 1 if sender == CLIENT else -1]
        fields["source_port"], fields["destination_port"] = ports
        fields["sequence"] = 1 + together * said[sender] + place * len(body)
        fields["acknowledgment"] = 1 + together * said[1 - sender]
        fields["tcp_flags"] = 0x5000 | ACK | PUSH
        said[sender] += len(body)
        rows[:, head + 12 : head + 14] = ids[0].astype(">u2").view(np.uint8).reshape(-1, 2)
        if what == m.OUTGOING_REPLY:
            rows[:, head + 14 : head + 16] = ids[1].astype(">u2").view(np.uint8).reshape(-1, 2)
    clock.stamp(fields, draw)
    lengths = np.full(len(number), max(head + len(body) - FRAME, SMALLEST_FRAME))
    return pack(rows, lengths, np.full(len(number), kind), None)

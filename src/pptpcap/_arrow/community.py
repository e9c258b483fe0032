"""Community ID version 1 of flows: a text by which other tools name the same flow.

Knows NumPy and the definition.  Must not know tables.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, TypeAlias

import numpy as np

from ..wire.ip import ADDRESS, MAPPED, PROTOCOL_GRE, PROTOCOL_TCP

__all__ = ["community_ids", "require_seed"]

Values: TypeAlias = np.ndarray[Any, np.dtype[Any]]

_PORT = 2
_END = ADDRESS + _PORT


def require_seed(seed: int) -> int:
    """The seed; ValueError unless it is one of 16 bits."""
    if not 0 <= seed <= 0xFFFF:
        raise ValueError(f"community_seed must be from 0 to 65535, not {seed}")
    return seed


def community_ids(addresses: tuple[Values, Values], ports: tuple[Values, ...], seed: int) -> Values:
    """The Community ID of each flow.

    Parameters
    ----------
    addresses : tuple of two numpy.ndarray
        Of both ends, 16 octets each; IPv4 as ::ffff:a.b.c.d.
    ports : tuple of numpy.ndarray
        Those of both ends of TCP; none is Enhanced GRE.
    seed : int
        What all have in common who compare IDs.

    Returns
    -------
    numpy.ndarray
        ASCII text.
    """
    ends = np.zeros((len(addresses[0]), 2, _END), np.uint8)
    for side, octets in enumerate(addresses):
        ends[:, side, :ADDRESS] = octets
    for side, numbers in enumerate(ports):
        ends[:, side, ADDRESS:] = numbers.astype(">u2")[:, np.newaxis].view(np.uint8)
    # Both directions are one flow: the lower end stands first.
    apart = ends[:, 0].astype(np.int16) - ends[:, 1]
    first = (apart != 0).argmax(axis=1)
    is_higher = apart[np.arange(len(ends)), first] > 0
    ends[is_higher] = ends[is_higher, ::-1]
    flows, places = np.unique(ends.reshape(len(ends), 2 * _END).view(f"V{2 * _END}"), return_inverse=True)
    protocol = PROTOCOL_TCP if ports else PROTOCOL_GRE
    hashed = [_hashed(flow.tobytes(), protocol, bool(ports), seed) for flow in flows]
    ids: Values = np.array(hashed, "S30")[places.reshape(-1)]
    return ids


def _hashed(flow: bytes, protocol: int, has_ports: bool, seed: int) -> bytes:
    low, high = flow[:_END], flow[_END:]
    addresses = [low[:ADDRESS], high[:ADDRESS]]
    if all(address.startswith(MAPPED) for address in addresses):
        addresses = [address.removeprefix(MAPPED) for address in addresses]
    octets = seed.to_bytes(2, "big") + b"".join(addresses) + bytes([protocol, 0])
    if has_ports:
        octets += low[ADDRESS:] + high[ADDRESS:]
    return b"1:" + base64.b64encode(hashlib.sha1(octets, usedforsecurity=False).digest())

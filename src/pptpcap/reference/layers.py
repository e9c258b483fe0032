"""What tells layers apart: the VLANs of a frame, behind each of its addresses (decoding 2b).

So that whatever is keyed by addresses is keyed by layers too.
"""

from __future__ import annotations

from ..wire.ip import ADDRESS

_SIZE = 3
_BITS = 12


def pack_layers(vlans: list[int]) -> bytes:
    """The octets that stand behind the addresses of a frame with these tags, the outermost first."""
    outer, inner = (*vlans, 0, 0)[:2]
    return (outer << _BITS | inner).to_bytes(_SIZE, "big")


def vlans_of(address: bytes) -> tuple[int, int]:
    """``vlan`` and ``inner_vlan`` of what has this address."""
    layers = int.from_bytes(address[ADDRESS:], "big")
    return layers >> _BITS or -1, layers & ((1 << _BITS) - 1) or -1

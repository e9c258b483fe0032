"""The layers that a packet came through: VLANs, carrier, network (decoding 2b).

Must not know headers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from ..wire.carriers import Carrier


@dataclass(frozen=True, slots=True)
class Layers:
    """What the columns of these names hold.

    Parameters
    ----------
    vlan, inner_vlan : int
        -1 where there is none.
    carrier : Carrier
        The innermost one.
    network_id : int
        -1 where there is none.
    """

    vlan: int = -1
    inner_vlan: int = -1
    carrier: Carrier = Carrier.NONE
    network_id: int = -1

    def tagged(self, vlan: int) -> Layers:
        """With one more tag; 0 is a tag of priority alone."""
        if not vlan:
            return self
        if self.vlan < 0:
            return replace(self, vlan=vlan)
        return replace(self, inner_vlan=vlan) if self.inner_vlan < 0 else self

    def carried(self, carrier: Carrier, network_id: int = -1) -> Layers:
        """Inside a carrier."""
        return replace(self, carrier=carrier, network_id=network_id)

    def untagged(self) -> Layers:
        """In an Ethernet frame inside a carrier, whose tags count anew."""
        return replace(self, vlan=-1, inner_vlan=-1)

    def row(self) -> tuple[int, int, int, int]:
        """The columns."""
        return self.vlan, self.inner_vlan, self.carrier.value, self.network_id

    def key(self) -> bytes:
        """What stands behind each address where layers are kept apart, so that keys of addresses are keys of both."""
        return struct.pack(">hhBq", *self.row())

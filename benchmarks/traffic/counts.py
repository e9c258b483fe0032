"""What a generated capture holds, and so what every reader of it must find.

Knows no engine and no file.  ``generate`` keeps it beside the capture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .draw import Numbers
from .messages import NAMES


@dataclass
class Counts:
    """Counters of one capture; `connections` and `tunnels` hold a key for each that was seen."""

    packets: int = 0
    control_segments: int = 0
    gre: int = 0
    gre_payload_octets: int = 0
    opening_packets: int = 0
    messages: Numbers = field(default_factory=lambda: np.zeros(len(NAMES), dtype=np.int64))
    connections: set[int] = field(default_factory=set)
    tunnels: set[int] = field(default_factory=set)

    def promise(self, octets: int) -> dict[str, Any]:
        """The same as plain numbers, with the size of the file."""
        return {
            "octets": octets,
            "packets": self.packets,
            "opening_packets": self.opening_packets,
            "control_segments": self.control_segments,
            "gre": self.gre,
            "gre_payload_octets": self.gre_payload_octets,
            "connections": len(self.connections),
            "tunnels": len(self.tunnels),
            "messages": int(self.messages.sum()),
            "messages_by_type": {name: int(self.messages[kind]) for kind, name in enumerate(NAMES) if kind},
        }

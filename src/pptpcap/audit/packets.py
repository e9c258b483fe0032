"""Numbers of packets that show what a finding says, from the tables ``ppp`` and ``gre``.

Knows tunnels.  Must not know findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

import numpy as np

from ..engine import Rows
from ..wire import ppp
from ..wire.gre import SEQUENCE_PRESENT
from ..wire.status import HEADLESS, GreStatus, PppStatus

__all__ = ["Mark", "Packets"]


class Mark(Enum):
    """Packets of a tunnel that show something."""

    LCP_ACK = "last Configure-Ack of LCP"
    CCP_ACK = "last Configure-Ack of CCP"
    PROOF = "last PAP Authenticate-Request, CHAP Response or EAP Response"
    OUTCOME = "last packet that accepts or refuses the peer"
    CLEAR = "first IP packet in clear"
    COMPRESSED = "first compressed or encrypted packet"
    OTHER = "first packet that is neither, and no control packet"


# Protocol and codes of the control packets.
_CODES: dict[Mark, dict[int, tuple[int, ...]]] = {
    Mark.LCP_ACK: {ppp.LCP: (ppp.CONFIGURE_ACK,)},
    Mark.CCP_ACK: {ppp.CCP: (ppp.CONFIGURE_ACK,)},
    Mark.PROOF: {ppp.PAP: (1,), ppp.CHAP: (2,), ppp.EAP: (2,)},
    Mark.OUTCOME: {ppp.PAP: (2, 3), ppp.CHAP: (3, 4), ppp.EAP: (3, 4)},
}
# decoding 10.4: packets that negotiate nothing.
_UNUSED = (HEADLESS | PppStatus.BAD_OPTION).value
_CLEAR = (ppp.IPV4, ppp.VJ_COMPRESSED, ppp.VJ_UNCOMPRESSED, ppp.IPV6)
_COMPRESSED = (ppp.COMPRESSED, ppp.LINK_COMPRESSED)


class Packets:
    """Numbers of packets that show something, by mark and tunnel; 0 where there is none."""

    def __init__(self) -> None:
        self._numbers = {mark: np.zeros(0, np.uint64) for mark in Mark}

    def take(self, tables: Mapping[str, Rows]) -> None:
        """Note packets of the tables ``ppp`` and ``gre``, where these are there."""
        if "ppp" in tables:
            rows = tables["ppp"]
            rows = rows[(rows["tunnel"] >= 0) & (rows["status"] & _UNUSED == 0)]
            for mark, codes in _CODES.items():
                wanted = [(rows["protocol"] == protocol) & np.isin(rows["code"], of) for protocol, of in codes.items()]
                self._note(mark, rows[np.logical_or.reduce(wanted)], keep=False)
        if "gre" in tables:
            rows = tables["gre"]
            rows = rows[(rows["tunnel"] >= 0) & (rows["flags_and_version"] & SEQUENCE_PRESENT != 0)]
            protocol = rows["ppp_protocol"]
            is_clear = np.isin(protocol, _CLEAR) | (rows["status"] & GreStatus.MULTILINK_IP != 0)
            is_compressed = np.isin(protocol, _COMPRESSED)
            self._note(Mark.CLEAR, rows[is_clear], keep=True)
            self._note(Mark.COMPRESSED, rows[is_compressed], keep=True)
            is_other = ~is_clear & ~is_compressed & (protocol < ppp.FIRST_CONTROL)
            self._note(Mark.OTHER, rows[is_other], keep=True)

    def _note(self, mark: Mark, rows: Rows, *, keep: bool) -> None:
        """Note the last packet of each tunnel, or the first if `keep`."""
        if not len(rows):
            return
        numbers, most = self._numbers[mark], int(rows["tunnel"].max()) + 1
        if most > len(numbers):
            numbers = self._numbers[mark] = np.pad(numbers, (0, max(most, 2 * len(numbers)) - len(numbers)))
        if keep:
            rows = rows[numbers[rows["tunnel"]] == 0][::-1]
        # Of packets of the same tunnel the last that is assigned stays.
        numbers[rows["tunnel"]] = rows["packet"]

    def of(self, call: Any, wanted: Iterable[tuple[str, Mark]]) -> tuple[int, ...]:
        """Packets of the tunnels that the sides of a call send."""
        found = set()
        for side, mark in wanted:
            tunnel, numbers = int(call[f"{side}_tunnel"]), self._numbers[mark]
            if 0 <= tunnel < len(numbers):
                found.add(int(numbers[tunnel]))
        return tuple(sorted(found - {0}))

"""Headers of 802.11: how long they are, and whether what they carry can be read.

Knows nothing of LLC and what follows.  Called by ``link``.
"""

from __future__ import annotations

FRAME_CONTROL_SIZE = 2
RADIOTAP_SIZE = 8

_VERSION = 0x0003
_TYPE = 0x000C
_DATA = 0x0008
_NO_DATA = 0x0040
_QOS = 0x0080
_TO_DS = 0x0100
_FROM_DS = 0x0200
_PROTECTED = 0x4000
_ORDER = 0x8000
# Three addresses; with a fourth one, with QoS control, with HT control.
_HEADER_SIZE = 24
_ADDRESS_SIZE = 6
_QOS_CONTROL_SIZE = 2
_HT_CONTROL_SIZE = 4
_AGGREGATE = 0x80

_MORE_PRESENT = 1 << 31
_TSFT_PRESENT = 1 << 0
_FLAGS_PRESENT = 1 << 1
_TSFT_SIZE = 8
_DATA_PAD = 0x20


def frame_control(octets: bytes, at: int) -> int:
    """The first two octets of an 802.11 header."""
    return octets[at] | octets[at + 1] << 8


def carries_data(control: int) -> bool:
    """Whether data in the clear stand behind the header."""
    return control & (_VERSION | _TYPE | _NO_DATA | _PROTECTED) == _DATA


def header_size(control: int) -> int:
    """Octets of the header."""
    size = _HEADER_SIZE + _ADDRESS_SIZE * _has_four_addresses(control)
    if control & _QOS:
        size += _QOS_CONTROL_SIZE
        if control & _ORDER:
            size += _HT_CONTROL_SIZE
    return size


def is_aggregate(control: int, octets: bytes, at: int) -> bool:
    """Whether several frames stand behind the header (A-MSDU)."""
    if not control & _QOS:
        return False
    qos_control = at + _HEADER_SIZE + _ADDRESS_SIZE * _has_four_addresses(control)
    return bool(octets[qos_control] & _AGGREGATE)


def pads_header(radiotap: bytes) -> bool:
    """Whether a radiotap header says that the 802.11 header is padded.

    Parameters
    ----------
    radiotap : bytes
        The header, all of it.
    """
    at = 4
    present = word = int.from_bytes(radiotap[at : at + 4], "little")
    at += 4
    while word & _MORE_PRESENT and at < len(radiotap):
        word = int.from_bytes(radiotap[at : at + 4], "little")
        at += 4
    if not present & _FLAGS_PRESENT:
        return False
    if present & _TSFT_PRESENT:
        at = (at + 7) // 8 * 8 + _TSFT_SIZE
    return at < len(radiotap) and bool(radiotap[at] & _DATA_PAD)


def _has_four_addresses(control: int) -> bool:
    return bool(control & _TO_DS and control & _FROM_DS)

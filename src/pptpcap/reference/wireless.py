"""The length of 802.11 headers, and whether their payload can be read.

Must not know LLC, or what follows it.
"""

from __future__ import annotations

from ..wire import link

FRAME_CONTROL_SIZE = 2
RADIOTAP_SIZE = 8

# Three addresses; with a fourth one, with QoS control, with HT control.
_HEADER_SIZE = 24
_ADDRESS_SIZE = 6
_QOS_CONTROL_SIZE = 2
_HT_CONTROL_SIZE = 4

_TSFT_SIZE = 8


def frame_control(octets: bytes, at: int) -> int:
    """The first two octets of an 802.11 header."""
    return octets[at] | octets[at + 1] << 8


def carries_data(control: int) -> bool:
    """Whether data stand behind the header."""
    return control & (link.DOT11_VERSION | link.DOT11_TYPE | link.DOT11_NO_DATA) == link.DOT11_DATA


def is_protected(control: int) -> bool:
    """Whether the data are encrypted."""
    return bool(control & link.DOT11_PROTECTED)


def header_size(control: int) -> int:
    """Octets of the header."""
    size = _HEADER_SIZE + _ADDRESS_SIZE * _has_four_addresses(control)
    if control & link.DOT11_QOS:
        size += _QOS_CONTROL_SIZE
        if control & link.DOT11_ORDER:
            size += _HT_CONTROL_SIZE
    return size


def is_aggregate(control: int, octets: bytes, at: int) -> bool:
    """Whether several frames stand behind the header (A-MSDU)."""
    if not control & link.DOT11_QOS:
        return False
    qos_control = at + _HEADER_SIZE + _ADDRESS_SIZE * _has_four_addresses(control)
    return bool(octets[qos_control] & link.DOT11_AGGREGATE)


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
    while word & link.RADIOTAP_MORE and at < len(radiotap):
        word = int.from_bytes(radiotap[at : at + 4], "little")
        at += 4
    if not present & link.RADIOTAP_FLAGS:
        return False
    if present & link.RADIOTAP_TSFT:
        at = (at + 7) // 8 * 8 + _TSFT_SIZE
    return at < len(radiotap) and bool(radiotap[at] & link.RADIOTAP_PADDED)


def _has_four_addresses(control: int) -> bool:
    return bool(control & link.DOT11_TO_DS and control & link.DOT11_FROM_DS)

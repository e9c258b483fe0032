"""MPPE and MPPC (RFC 3078 section 2.1): the supported bits of CCP option 18.

Must not know packets or keys.
"""

from __future__ import annotations

OPTION = 18
OPTION_LENGTH = 6

STATELESS = 0x01000000
BITS_56 = 0x00000080
BITS_128 = 0x00000040
BITS_40 = 0x00000020
MPPC = 0x00000001
# Any of these: packets are encrypted.
MPPE_BITS = BITS_128 | BITS_56 | BITS_40


def strengths(bits: int) -> tuple[int, ...]:
    """Key lengths that the bits name, the greatest first; one where both sides have agreed."""
    return tuple(length for bit, length in ((BITS_128, 128), (BITS_56, 56), (BITS_40, 40)) if bits & bit)

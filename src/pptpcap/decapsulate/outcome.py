"""What becomes of a packet: every Enhanced GRE packet with a payload has one outcome.

Knows words only.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Outcome"]


class Outcome(Enum):
    """An outcome and what it means; the names are the keys of the counts.

    Examples
    --------
    >>> from pptpcap.decapsulate import Outcome
    >>> Outcome.CUT.value
    'cut by the snap length'
    """

    WRITTEN = "inner IP packets written"
    FRAGMENT = "multilink fragments whose packet counts at the last of them"
    CONTROL = "PPP control packets"
    DUPLICATE = "packets whose sequence number came before"
    ENCRYPTED = "encrypted, and no password was given"
    WRONG_PASSWORD = "encrypted, and the password does not answer the challenge of the login"
    NO_LOGIN = "encrypted, and the login is not in the capture or is none of MS-CHAP"
    UNKNOWN_METHOD = "compressed or encrypted by what was agreed outside the capture"
    UNSUPPORTED_METHOD = "compressed or encrypted by a method that is not undone"
    CUT = "cut by the snap length"
    OUT_OF_STEP = "behind a loss, for what keeps history"
    INCOMPLETE = "multilink fragments whose packet is not whole"
    MALFORMED = "malformed"
    NOT_IP = "neither IPv4 nor IPv6"
    FORGOTTEN = "of calls that were forgotten because too many were open at once"
    NO_CALL = "of no call, because there are more tunnels than are told apart"

    # That of Enum is a function in Python; members are counted for every packet.
    __hash__ = object.__hash__

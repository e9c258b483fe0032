"""Finds what is weak about a call, each finding with its evidence.

Knows rows of the table ``calls``.  Must not know engines or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from .engine import Rows
from .wire.mppe import MPPE_BITS, STATELESS, strengths
from .wire.status import Authenticated, Authentication, CallPhase, Compression

__all__ = ["Finding", "Weakness", "audit"]


class Weakness(Enum):
    """Kinds of finding; the value is a sentence for people.

    Examples
    --------
    >>> from pptpcap.audit import Weakness
    >>> Weakness.PAP.value
    'the password crosses the tunnel in clear'
    """

    IN_CLEAR = "inner packets are in clear"
    NOT_KNOWN = "inner packets are compressed or encrypted: which of the two was not seen"
    NO_AUTHENTICATION = "the link was agreed on without authentication"
    PAP = "the password crosses the tunnel in clear"
    CHAP_MD5 = "challenge and response allow passwords to be tried offline, and no MPPE keys come of it"
    MS_CHAP = "MS-CHAPv1: challenge and response give away the password's hash"
    MS_CHAP_V2 = "MS-CHAPv2: challenge and response give away the password's hash, at the cost of one DES key"
    BITS_40 = "MPPE keys of 40 bits"
    BITS_56 = "MPPE keys of 56 bits"
    STATELESS = "stateless MPPE: a new key for each packet, so a packet that was changed on the way is not noticed"
    NOT_USED = "MPPE was agreed on, and inner packets are in clear all the same"


@dataclass(frozen=True)
class Finding:
    """One weakness of one call.

    Attributes
    ----------
    call : int
        Row in calls.
    weakness : Weakness
        What it is.
    evidence : str
        What was seen: columns of the call and their values.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.audit import audit
    >>> finding = audit(pptpcap.read("vpn.pcap").calls)[0]
    >>> finding.weakness.name, finding.evidence
    ('MS_CHAP_V2', 'pns_authentication MS_CHAP_V2, pns_authenticated YES')
    """

    call: int
    weakness: Weakness
    evidence: str


_METHODS = {
    Authentication.NONE: Weakness.NO_AUTHENTICATION,
    Authentication.PAP: Weakness.PAP,
    Authentication.CHAP_MD5: Weakness.CHAP_MD5,
    Authentication.MS_CHAP: Weakness.MS_CHAP,
    Authentication.MS_CHAP_V2: Weakness.MS_CHAP_V2,
}


# Methods with which a compressed packet may be encrypted, or that compress nothing.
_NOT_IN_CLEAR = {Compression.NONE, Compression.MPPE}


def audit(calls: Rows, first_row: int = 0) -> list[Finding]:
    """Weaknesses of each call, in the order of the calls.

    Parameters
    ----------
    calls : numpy.ndarray
        Rows of the table ``calls``, shape ``(n,)``.
    first_row : int
        Number of the first of them in the table of the whole capture.

    Returns
    -------
    list of Finding
        Nothing of a call that has no weakness, or of which nothing was seen that would tell.

    Raises
    ------
    ValueError
        Where a column that it needs was not read.

    Notes
    -----
    MS-CHAPv2 is RFC 2759, MPPE is RFC 3078.

    Examples
    --------
    >>> import pptpcap
    >>> from pptpcap.audit import audit
    >>> calls = pptpcap.read("vpn.pcap", tables=["calls"]).calls
    >>> [finding.weakness.name for finding in audit(calls)]
    ['MS_CHAP_V2', 'STATELESS']
    """
    return [
        Finding(index, weakness, evidence)
        for index, call in enumerate(calls, first_row)
        for weakness, evidence in (*_authentication(call), *_encryption(call))
    ]


def _authentication(call: Any) -> list[tuple[Weakness, str]]:
    found = []
    for side in ("pns", "pac"):
        method = Authentication(int(call[f"{side}_authentication"]))
        weakness = _METHODS.get(method)
        if weakness is None or (method is Authentication.NONE and not _is_open_to_all(call)):
            continue
        outcome = Authenticated(int(call[f"{side}_authenticated"]))
        found.append((weakness, f"{side}_authentication {method.name}, {side}_authenticated {outcome.name}"))
    if all(weakness is Weakness.NO_AUTHENTICATION for weakness, _ in found):
        return found[:1]
    return found


def _is_open_to_all(call: Any) -> bool:
    """Whether a network was opened and neither side had to prove itself."""
    return bool(call["authentication"] == Authentication.NONE and call["phase"] == CallPhase.NETWORK)


def _encryption(call: Any) -> list[tuple[Weakness, str]]:
    found = []
    clear = [f"{name} {int(call[name]):,}" for name in ("ipv4_packets", "ipv6_packets") if call[name]]
    compressed = int(call["compressed_packets"])
    told = {Compression(int(call[f"{side}_compression"])) for side in ("pns", "pac")} - {Compression.NOT_SEEN}
    if compressed and told - _NOT_IN_CLEAR:
        clear.append(f"compressed_packets {compressed:,} of {' and '.join(sorted(method.name for method in told))}")
    elif compressed and not told:
        found.append((Weakness.NOT_KNOWN, f"compressed_packets {compressed:,}, compression NOT_SEEN"))
    agreed = {int(call[f"{side}_mppe_bits"]) for side in ("pns", "pac")} - {0}
    if clear:
        found.append((Weakness.IN_CLEAR, ", ".join(clear)))
    for bits in sorted(agreed):
        evidence = f"mppe_bits {bits:#010x}, encrypted_packets {int(call['encrypted_packets']):,}"
        if not bits & MPPE_BITS:
            continue
        if clear:
            found.append((Weakness.NOT_USED, f"{evidence}, {', '.join(clear)}"))
        for strength, weakness in ((40, Weakness.BITS_40), (56, Weakness.BITS_56)):
            if strength in strengths(bits):
                found.append((weakness, evidence))
        if bits & STATELESS:
            found.append((Weakness.STATELESS, evidence))
    return found

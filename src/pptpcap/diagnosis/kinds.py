"""Kinds of diagnosis: what each means, and what to try.

Must not know rows.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["DiagnosisKind"]

_PASS_GRE = (
    "Let IP protocol 47 pass in both directions, on every firewall and router between the two, and switch on PPTP "
    "pass-through (on Linux, the modules nf_conntrack_pptp and nf_nat_pptp, with the rule CT --helper pptp, or "
    "nf_conntrack_helper=1 where it still exists). Capture at both ends to see where it is lost. A Windows client "
    "shows error 619, 721 or 806."
)
_TWO_PLACES = (
    "Capture at the sender and at the receiver: the packets that only one of the two has are lost between them"
)


class DiagnosisKind(Enum):
    """Kinds of diagnosis.

    Attributes
    ----------
    meaning : str
        What it is, for people.
    advice : str
        What to try.
    is_note : bool
        It is no fault of the traffic: it says what cannot be told from this capture, or what to distrust.

    Examples
    --------
    >>> from pptpcap.diagnosis import DiagnosisKind
    >>> DiagnosisKind.GRE_BLOCKED.meaning
    'one side sends Enhanced GRE, and none comes of the other'
    >>> [kind.name for kind in DiagnosisKind if kind.is_note]
    ['NO_GRE', 'ONE_DIRECTION', 'COPIES', 'MIXED', 'CLOCK', 'FRAGMENTS_LOST', 'CUT', 'GAP', 'ID_MISMATCH']
    """

    def __init__(self, meaning: str, advice: str, is_note: bool = False) -> None:
        self.meaning = meaning
        self.advice = advice
        self.is_note = is_note

    def __repr__(self) -> str:
        return f"<DiagnosisKind.{self.name}>"

    # The TCP connection and its first messages.
    NO_ANSWER = (
        "nobody answers the SYN",
        "Check that the server is up, and that no firewall drops TCP port 1723. A Windows client shows error 800.",
    )
    CONNECTION_REFUSED = (
        "the SYN is answered with a reset",
        "Check that the PPTP service runs and listens on TCP port 1723, and that no firewall rejects it. A Windows "
        "client shows error 800.",
    )
    SERVER_CLOSED = (
        "the server accepts the TCP connection and closes it without a PPTP message",
        "Look into the log of the server: its access list, the number of calls that it allows, or a port forwarding "
        "that leads elsewhere.",
    )
    START_NOT_ANSWERED = (
        "the Start-Control-Connection-Request has no reply",
        "Look into the log of the server, and check that it is a PPTP server that has TCP port 1723, and no proxy.",
    )
    START_REFUSED = (
        "the Start-Control-Connection-Reply says no",
        "Look into the log of the server for the result that the sentence names.",
    )
    CALL_NOT_ANSWERED = (
        "the request of the call has no reply",
        "Look into the log of the side that did not reply.",
    )
    CALL_REFUSED = (
        "the reply refuses the call",
        "Look into the log of the side that refused: busy and no-resource mean that it has no free port or address.",
    )
    # Enhanced GRE.
    GRE_BLOCKED = ("one side sends Enhanced GRE, and none comes of the other", _PASS_GRE)
    GRE_NOT_RECEIVED = ("a side does not receive the Enhanced GRE that the other sends", _PASS_GRE)
    GRE_OTHER_ID = (
        "a side sends Enhanced GRE with an id that the other did not give",
        "Look for a router that translates addresses and rewrites call ids: update it, or replace its PPTP helper.",
    )
    NO_PPP = (
        "a side acknowledges Enhanced GRE, and sends no PPP",
        "Protocol 47 gets through both ways: look into the log of that side for why its PPP did not start.",
    )
    # PPP.
    LINK_NOT_AGREED = (
        "LCP does not open",
        "Allow on one side what the other insists on, as the sentence names it.",
    )
    AUTHENTICATION_NOT_AGREED = (
        "one side asks for an authentication that the other would not use",
        "Allow one method on both sides; MPPE needs MS-CHAPv2, MS-CHAPv1 or EAP-TLS.",
    )
    AUTHENTICATION_FAILED = (
        "one side refuses the name or the password of the other",
        "Check name, password and domain, and look into the log of the side that refused.",
    )
    MPPE_REQUIRED = (
        "one side requires encryption, the other does not offer it",
        "Allow MPPE with 128 bits on both sides, with MS-CHAPv2. A Windows client shows error 741 or 742.",
    )
    NETWORK_NOT_AGREED = (
        "the link is ready, and no network protocol opens",
        "Check that the server has a free address for the client, and that both sides allow IPv4. A Windows client "
        "shows error 720 or 733.",
    )
    # While the call lasts.
    PEER_SILENT = (
        "a side does not answer any more",
        "Look for what ended at that time: the other side's host or link, or the entry of a NAT that timed out. "
        "Echoes that are more frequent keep such an entry.",
    )
    CONTROL_LOST = (
        "the control connection ends while the call is up",
        "Look into the log of that side: its program may have crashed or been killed.",
    )
    DISCONNECTED = (
        "a Call-Disconnect-Notify says that something failed",
        "Look into the log of the side that sent it.",
    )
    SHARED_ID = (
        "two calls between the same addresses have one id",
        "Nothing tells their packets apart. If two clients stand behind one address, let the router rewrite call ids "
        "(on Linux, nf_nat_pptp), or give each client an address.",
    )
    LOSS = (
        "many packets are not in the capture",
        f"{_TWO_PLACES}. If the receiver sends an acknowledgment number equal to a missing one, it is the capture "
        "that dropped that packet.",
    )
    REORDERED = (
        "many packets come late",
        "Look for a path with several links: many PPTP endpoints drop what comes late, and MPPE suffers.",
    )
    DUPLICATES = ("many packets come twice", f"{_TWO_PLACES}.")
    # What cannot be told.
    NO_GRE = (
        "the capture has no Enhanced GRE of a call that was connected",
        "Capture with a filter that takes protocol 47 too: tcp port 1723 or ip proto 47.",
        True,
    )
    ONE_DIRECTION = (
        "the capture holds packets of one side only",
        "Capture both directions: nothing can be told about a side whose packets are not there.",
        True,
    )
    COPIES = (
        "the capture holds packets several times",
        "Read with --drop-duplicates, or mirror one direction only, or capture on one interface: copies count in all "
        "figures.",
        True,
    )
    MIXED = (
        "packets of two calls are taken for one",
        "If the capture has several VLANs or tunnels with the same addresses, read with --separate layers.",
        True,
    )
    CLOCK = (
        "the clock of the capture jumps or stands",
        "Distrust times and durations.",
        True,
    )
    FRAGMENTS_LOST = (
        "IP fragments are not in the capture",
        "Capture at both ends. If the path drops them, lower MTU and MRU of PPP on both sides (1400 or less), so that "
        "nothing is fragmented.",
        True,
    )
    CUT = (
        "the capture has only the beginnings of packets that matter",
        "Capture with a larger snap length (tcpdump -s 0).",
        True,
    )
    GAP = (
        "the capture lacks a part of the control connection, or most packets of a side",
        "Look for packets that the capture dropped: what they held cannot be told.",
        True,
    )
    ID_MISMATCH = (
        "a control message has an id that does not fit",
        "None if the call works: some clients and servers mix up the two ids. A router that rewrites call ids is "
        "another possible cause.",
        True,
    )

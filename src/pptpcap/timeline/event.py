"""What a line of a timeline is.

Must not know tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

__all__ = ["Event", "EventKind"]


class EventKind(Enum):
    """Kinds of event; the value is a sentence for people.

    Examples
    --------
    >>> from pptpcap.timeline import EventKind
    >>> EventKind.LOSS.value
    'packets with these sequence numbers never came'
    """

    MISSING = "a part of the conversation that is not in the capture"
    CONNECTION = "the TCP connection begins or ends"
    CONTROL = "a control message"
    LCP = "a packet of LCP"
    AUTHENTICATION = "a packet of PAP, CHAP, EAP or the like"
    COMPRESSION = "a packet of CCP or ECP"
    NETWORK = "a packet of IPCP, IPv6CP or another network control protocol"
    PPP = "a packet of another PPP control protocol"
    ECHO = "echo requests with an answer, and their times"
    UNANSWERED = "echo requests without an answer"
    DATA = "first or last data"
    LOSS = "packets with these sequence numbers never came"
    REORDERED = "packets with these sequence numbers came late"
    DUPLICATES = "packets with these sequence numbers came again"
    ISSUE = "a fault of the control connection"
    LEFT_OUT = "lines that were left out, because there are too many"
    END = "why the call ended"


@dataclass(frozen=True)
class Event:
    """One line of the timeline of a call.

    Attributes
    ----------
    time : numpy.datetime64
        When it happened, ns in UTC; of several packets, when the first was captured.  Of what is missing, the start
        of the call; of the last line, when the packet came that ended the call.  NaT if it is not known.
    packets : tuple of int
        Numbers of the packets that prove it, lowest first; of more than two the first and the last, unless the text
        names each.  Empty if no table has the number.
    side : str
        "PNS" or "PAC" for its sender, "" if it concerns both.
    kind : EventKind
        What it is.
    name : str
        The RFC's name of the message, or of the packet's code; "" if it is not one packet.
    text : str
        What is to be said about it, without secrets, with all that came from the wire escaped.

    Examples
    --------
    >>> import pptpcap
    >>> events = pptpcap.read("vpn.pcap").timeline(0)
    >>> event = next(event for event in events if event.name == "Configure-Request")
    >>> event.packets, event.side, event.kind.name
    ((27,), 'PNS', 'LCP')
    >>> event.text
    'LCP Configure-Request id 1: ACCM 0x00000000, Magic-Number 0xee8f3ae5, PFC, ACFC'
    """

    time: np.datetime64
    packets: tuple[int, ...]
    side: str
    kind: EventKind
    name: str
    text: str

"""Kinds of finding: how bad each is, what it means, what to do.

Knows no row.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Severity", "Weakness"]


class Severity(Enum):
    """How bad a weakness is, the worst first; the value is a sentence for people.

    Examples
    --------
    >>> from pptpcap.audit import Severity
    >>> [severity.name for severity in Severity]
    ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO']
    """

    CRITICAL = "content, password or access is open to whoever sees the packets or reaches the server"
    HIGH = "a recording of the packets is enough: the rest can be computed at a known cost, however good the password"
    MEDIUM = "it takes one more condition: a password that can be guessed, or an attacker who changes packets"
    LOW = "it is a weakness only if a setting is wrong that the capture does not show"
    INFO = "no weakness was seen: the finding names what the capture does not show"


_REPLACE = "Replace PPTP by IPsec with IKEv2, or by another VPN that authenticates every packet"
_USE_TLS = "Use EAP-TLS instead, or replace PPTP"


class Weakness(Enum):
    """Kinds of finding, the worst first.

    Attributes
    ----------
    severity : Severity
        How bad it is.
    meaning : str
        What it is, for people.
    advice : str
        What to do.

    Examples
    --------
    >>> from pptpcap.audit import Weakness
    >>> Weakness.PAP.severity.name, Weakness.PAP.meaning
    ('CRITICAL', 'PAP sends the password in clear: whoever is on the path reads it')
    """

    def __init__(self, severity: Severity, meaning: str, advice: str) -> None:
        self.severity = severity
        self.meaning = meaning
        self.advice = advice

    def __repr__(self) -> str:
        return f"<Weakness.{self.name}>"

    IN_CLEAR = (
        Severity.CRITICAL,
        "inner packets cross the tunnel without encryption: whoever is on the path reads them",
        f"Require MPPE with 128 bits until PPTP is replaced. {_REPLACE}.",
    )
    NOT_USED = (
        Severity.CRITICAL,
        "MPPE was agreed on, and inner packets crossed the tunnel in clear, before that or in spite of it",
        "Find which side sent the packets, and set it to close a link that is not encrypted.",
    )
    ONE_DIRECTION = (
        Severity.CRITICAL,
        "MPPE was agreed on in one direction only: it does not encrypt the packets of the other",
        "Require MPPE in both directions, on both sides.",
    )
    NO_AUTHENTICATION = (
        Severity.CRITICAL,
        "both sides agreed on a link without authentication, and a network opened: nobody had to prove who they are",
        "Require authentication on the server.",
    )
    PAP = (
        Severity.CRITICAL,
        "PAP sends the password in clear: whoever is on the path reads it",
        f"Disable PAP on both sides, and change every password that was used with it. {_USE_TLS}.",
    )
    MS_CHAP = (
        Severity.HIGH,
        "MS-CHAPv1: trying 2^56 DES keys yields the password's hash from challenge and response, and a response with "
        "the LAN Manager hash makes it cheaper; with the hash anyone can log in, and decrypt every session of that "
        "password with 128 bits",
        f"Disable MS-CHAPv1 on both sides, and change the passwords. {_USE_TLS}.",
    )
    MS_CHAP_V2 = (
        Severity.HIGH,
        "MS-CHAPv2: trying 2^56 DES keys yields the password's hash from challenge and response; with the hash anyone "
        "can log in, pose as the server, and decrypt every session of that password",
        f"A long password does not help. {_USE_TLS}, and change the passwords then.",
    )
    EAP_MS_CHAP_V2 = (
        Severity.HIGH,
        "EAP carries MS-CHAPv2 without a TLS tunnel: trying 2^56 DES keys yields the password's hash from challenge "
        "and response; with the hash anyone can log in, pose as the server, and decrypt every session of that password",
        f"A long password does not help. {_USE_TLS}, and change the passwords then.",
    )
    EAP_LEAP = (
        Severity.HIGH,
        "LEAP: its responses are made as those of MS-CHAPv1, so trying 2^56 DES keys yields the password's hash",
        f"Disable LEAP on both sides, and change the passwords. {_USE_TLS}.",
    )
    BITS_40 = (
        Severity.HIGH,
        "MPPE with 40 bits: all keys can be tried on one recorded packet, whatever the authentication",
        f"Require 128 bits on both sides until PPTP is replaced. {_REPLACE}.",
    )
    BITS_56 = (
        Severity.HIGH,
        "MPPE with 56 bits: all keys can be tried on one recorded packet, at the cost of one DES key",
        f"Require 128 bits on both sides until PPTP is replaced. {_REPLACE}.",
    )
    SAME_KEY = (
        Severity.HIGH,
        "MS-CHAPv1 gives MPPE one start key for both directions: packets of both share RC4 key streams, so two "
        "recorded packets tell the XOR of their contents",
        "Disable MS-CHAPv1 on both sides; MS-CHAPv2 gives each direction its own key.",
    )
    CHAP_MD5 = (
        Severity.MEDIUM,
        "CHAP with MD5: whoever recorded challenge and response can try passwords offline, and no MPPE keys come of it",
        f"Disable it: without keys there is no encryption. {_USE_TLS}.",
    )
    CHAP_SHA1 = (
        Severity.MEDIUM,
        "CHAP with SHA-1: whoever recorded challenge and response can try passwords offline, and no MPPE keys come of "
        "it",
        f"Disable it: without keys there is no encryption. {_USE_TLS}.",
    )
    EAP_MD5 = (
        Severity.MEDIUM,
        "EAP-MD5: whoever recorded challenge and response can try passwords offline, and no MPPE keys come of it",
        f"Disable it: without keys there is no encryption. {_USE_TLS}.",
    )
    EAP_PASSCODE = (
        Severity.MEDIUM,
        "EAP-OTP or EAP-GTC without a TLS tunnel sends the passcode in clear, and no MPPE keys come of it; a code that "
        "is valid once cannot be used later, a password can",
        f"Disable it: without keys there is no encryption. {_USE_TLS}.",
    )
    STATEFUL = (
        Severity.MEDIUM,
        "stateful MPPE: the key changes every 256 packets, and on a CCP Reset-Request the sender starts RC4 again, as "
        "a rule with the same key, so packets can share a key stream; after a lost packet the following ones are lost "
        "until that reset",
        "Allow only stateless MPPE, in which each packet has a key of its own.",
    )
    NO_INTEGRITY = (
        Severity.MEDIUM,
        "MPPE is RC4 without an integrity check, stateless or stateful: whoever flips bits on the path flips the same "
        "bits of what was encrypted, unnoticed; and if MS-CHAP made its keys, 128 bits are no stronger than that",
        f"Use TLS or SSH inside the tunnel for what matters. {_REPLACE}.",
    )
    PPTP = (
        Severity.MEDIUM,
        "PPTP authenticates neither control messages nor Enhanced GRE: whoever is on the path can forge, change and "
        "drop them, and change what PPP negotiates in clear",
        f"{_REPLACE}.",
    )
    EAP_TUNNEL = (
        Severity.LOW,
        "PEAP, EAP-TTLS, EAP-FAST or TEAP: what is inside is as safe as the client's check of the server, which the "
        "capture does not show",
        "Verify that every client checks the server's certificate and its name, and cannot be told to skip that.",
    )
    NOT_KNOWN = (
        Severity.INFO,
        "the capture does not show how the call, or a part of it, is protected or authenticated",
        "Capture both directions from the start of the call, with whole packets, and audit again.",
    )

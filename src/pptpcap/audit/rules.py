"""What each row of ``calls`` shows of its weaknesses, and which packets show it.

Concludes nothing from what was not captured.  Must not know batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from ..wire.mppe import MPPE_BITS, STATELESS, strengths
from ..wire.status import Authenticated, Authentication, CallPhase, CallStatus, Compression, EapMethod
from .kinds import Weakness
from .packets import Mark, Packets

__all__ = ["INNER", "Found", "weaknesses"]


class Found(NamedTuple):
    """A weakness and what shows it."""

    weakness: Weakness
    evidence: str
    packets: tuple[int, ...]


_PEERS = {"pns": "pac", "pac": "pns"}
_METHODS = {
    Authentication.PAP: Weakness.PAP,
    Authentication.CHAP_MD5: Weakness.CHAP_MD5,
    Authentication.CHAP_SHA1: Weakness.CHAP_SHA1,
    Authentication.MS_CHAP: Weakness.MS_CHAP,
    Authentication.MS_CHAP_V2: Weakness.MS_CHAP_V2,
    Authentication.OTHER: Weakness.NOT_KNOWN,
}
# Of EAP; TLS is no finding of its own, and of any other method it is not known.
_EAP_METHODS: dict[int, Weakness | None] = {
    EapMethod.MD5: Weakness.EAP_MD5,
    EapMethod.OTP: Weakness.EAP_PASSCODE,
    EapMethod.GTC: Weakness.EAP_PASSCODE,
    EapMethod.TLS: None,
    EapMethod.LEAP: Weakness.EAP_LEAP,
    EapMethod.TTLS: Weakness.EAP_TUNNEL,
    EapMethod.PEAP: Weakness.EAP_TUNNEL,
    EapMethod.MS_CHAP_V2: Weakness.EAP_MS_CHAP_V2,
    EapMethod.FAST: Weakness.EAP_TUNNEL,
    EapMethod.TEAP: Weakness.EAP_TUNNEL,
}
# Those that give away a hash, which is of no use if the password was not right.
_HASHES = (Weakness.MS_CHAP, Weakness.MS_CHAP_V2, Weakness.EAP_MS_CHAP_V2, Weakness.EAP_LEAP)
# Methods of CCP that compress and do not encrypt.
_IN_CLEAR = frozenset(
    (Compression.MPPC, Compression.DEFLATE, Compression.BSD_COMPRESS, Compression.PREDICTOR, Compression.STAC_LZS)
)
_IP = ("ipv4_packets", "ipv6_packets", "multilink_ip_packets")
INNER = (*_IP, "encrypted_packets", "compressed_packets", "other_packets")
_Findings: TypeAlias = Iterator[Found]


def weaknesses(call: Any, packets: Packets) -> _Findings:
    """Each weakness that a row of ``calls`` shows."""
    for of in (_authentication, _content, _mppe):
        for found in of(call, packets):
            doubt = ", status SHARED_ID" if call["status"] & CallStatus.SHARED_ID else ""
            yield found._replace(evidence=f"{found.evidence}{doubt}")


def _both(*marks: Mark) -> Iterator[tuple[str, Mark]]:
    return ((side, mark) for side in _PEERS for mark in marks)


def _authentication(call: Any, packets: Packets) -> _Findings:
    """How each side proved who it is."""
    methods = {side: Authentication(int(call[f"{side}_authentication"])) for side in _PEERS}
    for side, method in methods.items():
        evidence = f"{side}_authentication {method.name}"
        weakness = _METHODS.get(method)
        if method is Authentication.EAP:
            number = int(call[f"{side}_eap_method"])
            name = EapMethod(number).name if number in set(EapMethod) else str(number)
            evidence += f", {side}_eap_method {name}"
            weakness = _EAP_METHODS.get(number, Weakness.NOT_KNOWN)
        if weakness is not None:
            outcome = Authenticated(int(call[f"{side}_authenticated"]))
            is_doubtful = outcome is Authenticated.REFUSED and weakness in _HASHES
            doubt = ": the hash may be of another password than the account's" if is_doubtful else ""
            shown = ((side, Mark.LCP_ACK), (side, Mark.PROOF), (_PEERS[side], Mark.OUTCOME))
            yield Found(weakness, f"{evidence}, {side}_authenticated {outcome.name}{doubt}", packets.of(call, shown))
    if call["phase"] == CallPhase.NETWORK and max(methods.values()) <= Authentication.NONE:
        # One Configure-Ack tells of one direction: only both together show that neither side had to prove anything.
        is_open = call["authentication"] == Authentication.NONE == min(methods.values())
        weakness = Weakness.NO_AUTHENTICATION if is_open else Weakness.NOT_KNOWN
        told = [f"{side}_authentication {method.name}" for side, method in methods.items()]
        for side in _PEERS:
            if call[f"{side}_authentication_asked"]:
                asked = Authentication(int(call[f"{side}_authentication_asked"]))
                told.append(f"{side}_authentication_asked {asked.name}")
            if call[f"{side}_authenticated"]:
                told.append(f"{side}_authenticated {Authenticated(int(call[f'{side}_authenticated'])).name}")
        yield Found(weakness, ", ".join((*told, "phase NETWORK")), packets.of(call, _both(Mark.LCP_ACK, Mark.OUTCOME)))


def _content(call: Any, packets: Packets) -> _Findings:
    """What of the inner packets is in clear, and of which ones that is not known."""
    methods = {side: Compression(int(call[f"{side}_compression"])) for side in _PEERS}
    told = ", ".join(f"{side}_compression {method.name}" for side, method in methods.items())
    clear = [f"{name} {int(call[name]):,}" for name in _IP if call[name]]
    marks = [Mark.CLEAR]
    if call["compressed_packets"]:
        evidence = f"compressed_packets {int(call['compressed_packets']):,}, {told}"
        if _IN_CLEAR.issuperset(method for side, method in methods.items() if call[f"{side}_tunnel"] >= 0):
            clear.append(evidence)
            marks += (Mark.COMPRESSED, Mark.CCP_ACK)
        else:
            yield Found(Weakness.NOT_KNOWN, evidence, packets.of(call, _both(Mark.COMPRESSED)))
    if call["other_packets"]:
        evidence = f"other_packets {int(call['other_packets']):,}"
        yield Found(Weakness.NOT_KNOWN, evidence, packets.of(call, _both(Mark.OTHER)))
    seen = ", ".join(clear)
    if clear:
        yield Found(Weakness.IN_CLEAR, seen, packets.of(call, _both(*marks)))
    if Compression.MPPE not in methods.values():
        return
    if not {Compression.NONE, *_IN_CLEAR}.isdisjoint(methods.values()):
        yield Found(Weakness.ONE_DIRECTION, told, packets.of(call, _both(Mark.CCP_ACK)))
    elif clear:
        yield Found(Weakness.NOT_USED, f"{told}, {seen}", packets.of(call, _both(Mark.CCP_ACK, *marks)))


def _mppe(call: Any, packets: Packets) -> _Findings:
    """How strong the encryption is that was agreed on."""
    agreed = {side: int(call[f"{side}_mppe_bits"]) for side in _PEERS}
    agreed = {side: bits for side, bits in agreed.items() if bits & MPPE_BITS}
    methods = {int(call[f"{side}_authentication"]) for side in _PEERS} - {Authentication.NOT_SEEN, Authentication.NONE}
    shown = {
        Weakness.BITS_40: [side for side, bits in agreed.items() if 40 in strengths(bits)],
        Weakness.BITS_56: [side for side, bits in agreed.items() if 56 in strengths(bits)],
        Weakness.SAME_KEY: list(agreed) if methods == {Authentication.MS_CHAP} and len(agreed) == len(_PEERS) else [],
        Weakness.STATEFUL: [side for side, bits in agreed.items() if not bits & STATELESS],
        Weakness.NO_INTEGRITY: list(agreed),
    }
    for weakness, sides in shown.items():
        if sides:
            bits = ", ".join(f"{side}_mppe_bits {agreed[side]:#010x}" for side in sides)
            numbers = packets.of(call, ((side, mark) for side in sides for mark in (Mark.CCP_ACK, Mark.COMPRESSED)))
            yield Found(weakness, f"{bits}, encrypted_packets {int(call['encrypted_packets']):,}", numbers)

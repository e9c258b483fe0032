"""Says in words how far a call came, why it ended, who acted first, and what of it the capture lacks.

Knows rows of ``calls``.  Must not know other tables or files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..wire.enumerations import ENUMERATIONS
from ..wire.options import MS_CHAP_ERRORS
from ..wire.status import CallEnd, CallKind, CallPhase, CallReason, CallStatus, Side
from . import words

__all__ = [
    "assumed",
    "by",
    "ended",
    "heard",
    "initiator",
    "lacks_agreement",
    "lacks_messages",
    "lasted",
    "missing",
    "other",
    "reached",
    "refusal",
    "refusal_words",
    "shared",
    "silent_side",
    "story",
    "terminate_reason",
    "was_ended",
    "why",
    "with_side",
]

_SIDES = ("PNS", "PAC")
_REACHED = {
    CallPhase.NONE: "-",
    CallPhase.REQUESTED: "request",
    CallPhase.CONNECTED: "connected",
    CallPhase.LINK: "link",
    CallPhase.AUTHENTICATED: "authenticated",
    CallPhase.NETWORK: "network",
}
_LOST = {
    CallEnd.FIN: "FIN",
    CallEnd.RST: "RST",
    CallEnd.NEW_CONNECTION: "new connection",
    CallEnd.EVICTED: "evicted",
}
# Ends that a side sent.
_SENT = frozenset(
    (CallEnd.CALL_CLEAR, CallEnd.DISCONNECT_NOTIFY, CallEnd.STOP, CallEnd.FIN, CallEnd.RST, CallEnd.REFUSED)
)
# Reasons that are acts of a side.
_ACTS = frozenset(
    (CallReason.REFUSED, CallReason.TERMINATED, CallReason.DISCONNECTED, CallReason.CLEARED, CallReason.CONNECTION_LOST)
)


def reached(call: Any) -> str:
    """How far a call came."""
    return _REACHED[CallPhase(int(call["phase"]))]


def why(call: Any) -> str:
    """Why a call ended, in at most 25 characters."""
    reason = CallReason(int(call["reason"]))
    match reason:
        case CallReason.REFUSED:
            return f"refused ({int(call['result_code'])})"
        case CallReason.ONE_WAY:
            return f"no PPP from the {silent_side(call)}"
        case CallReason.AUTHENTICATION_FAILED:
            error = refusal(call)
            return f"login failed ({error})" if error else "login failed"
        case CallReason.PEER_SILENT:
            return f"{other(by(call))} silent"
        case CallReason.DISCONNECTED:
            return f"disconnected ({int(call['disconnect_result_code'])})"
        case CallReason.CLEARED:
            return "stopped" if call["end"] == CallEnd.STOP else "cleared"
        case CallReason.CONNECTION_LOST:
            return f"lost ({_LOST.get(CallEnd(int(call['end'])), 'end')})"
    return {
        CallReason.OPEN: "open",
        CallReason.NO_REPLY: "no reply",
        CallReason.LINK_NOT_AGREED: "LCP not agreed",
        CallReason.AUTHENTICATION_NOT_AGREED: "authentication not agreed",
        CallReason.NETWORK_NOT_AGREED: "no network protocol",
        CallReason.TERMINATED: "terminated",
        CallReason.SILENCE: "silence",
    }[reason]


def by(call: Any) -> str:
    """The side that acted first to end a call: PNS, PAC, or nothing where it was neither."""
    side = Side(int(call["ended_by"]))
    return "" if side is Side.NONE else side.name


def assumed(call: Any) -> bool:
    """Whether nothing in the capture says which side is the PNS."""
    return bool(call["status"] & CallStatus.ROLES_ASSUMED)


def shared(call: Any) -> bool:
    """Whether another call has one of its ids, so packets that are counted in either may be of the other."""
    return bool(call["status"] & CallStatus.SHARED_ID)


def lacks_agreement(call: Any) -> bool:
    """Whether the link was open, and the capture does not have that LCP was agreed on."""
    # Every Configure-Ack of LCP tells of authentication, that there is none at least.
    told = call["pns_authentication"] or call["pac_authentication"]
    return bool(call["phase"] >= CallPhase.AUTHENTICATED and not told)


def ended(call: Any) -> str:
    """Why a call ended, and which side acted first."""
    side = by(call)
    if not side or call["reason"] == CallReason.OPEN:
        return why(call)
    verb = " by" if CallReason(int(call["reason"])) in _ACTS else ", ended by"
    return f"{why(call)}{verb} {side}{' (assumed)' if assumed(call) else ''}"


def was_ended(call: Any) -> bool:
    """Whether a side ended a call on its control connection."""
    return CallEnd(int(call["end"])) in _SENT


def lasted(call: Any, digits: int = 3) -> str:
    """How long a call lasted: to what ended it on the control connection, or to its last packet."""
    span = call["end_time" if was_ended(call) else "last_time"] - call["start_time"]
    # Nobody knows how long a call lasted during which the clock was put back.
    return "-" if np.isnat(span) or span.astype(np.int64) < 0 else words.duration(int(span.astype(np.int64)), digits)


def story(call: Any, *, is_half: bool = False) -> str:
    """Why a call ended, what the code of the reason means, and which side acted first.

    Of half a conversation that is not certain: what the other side did before is not in the capture.
    """
    reason = CallReason(int(call["reason"]))
    if reason is CallReason.OPEN:
        return "open: the capture has no end of it"
    said = why(call)
    if meaning := _meaning(call, reason):
        said = f"{said.removesuffix(')')}: {meaning})"
    side, doubts = by(call), ["assumed"] if assumed(call) else []
    doubts += ["half a conversation"] if is_half or missing(call) in _SIDES else []
    first = f", {side} first" + (f" ({', '.join(doubts)})" if doubts else "")
    return f"ended: {said}{first if side else ''}"


def _meaning(call: Any, reason: CallReason) -> str:
    """What the code means that `why` has between parentheses; "" if it has none."""
    match reason:
        case CallReason.REFUSED:
            names = ENUMERATIONS["incoming_result" if call["kind"] == CallKind.INCOMING else "outgoing_result"]
            return names.get(int(call["result_code"]), "unknown")
        case CallReason.DISCONNECTED:
            return ENUMERATIONS["disconnect_result"].get(int(call["disconnect_result_code"]), "unknown")
        case CallReason.AUTHENTICATION_FAILED if error := refusal(call):
            return refusal_words(error)
    return ""


def with_side(what: str, side: str) -> str:
    """What a side did."""
    return f"{what} of the {side}" if side else what


def other(side: str) -> str:
    """The other side."""
    return "PAC" if side == "PNS" else "PNS"


def initiator(call: Any, connection: Any) -> str:
    """The side that opened the control connection: the PNS, unless only the responder has its address."""
    theirs = (bytes(connection[f"{side}_address"]) for side in ("initiator", "responder"))
    by_pns, of_pns = (address == bytes(call["pns_address"]) for address in theirs)
    return "PAC" if of_pns and not by_pns else "PNS"


def heard(call: Any, connection: Any) -> set[str]:
    """The sides of which the capture has TCP segments."""
    opened_by = initiator(call, connection)
    sides = {"initiator": opened_by, "responder": other(opened_by)}
    return {side for role, side in sides.items() if connection[f"{role}_segments"]}


def silent_side(call: Any) -> str:
    """Of a call with PPP of one side, the side that sent none."""
    return "PAC" if call["pns_packets"] else "PNS"


def refusal(call: Any) -> int:
    """The MS-CHAP error code with which a side was refused; 0 if there is none."""
    return int(call["pns_authentication_error"]) or int(call["pac_authentication_error"])


def refusal_words(error: int) -> str:
    """What an MS-CHAP error code means."""
    return MS_CHAP_ERRORS.get(error, "unknown")


def terminate_reason(call: Any, side: str, octets: int, *, is_cut: bool) -> str:
    """The text of the first Terminate-Request of a side, which has so many octets; "" if it has none."""
    text = call[f"{side.lower()}_terminate_reason"]
    if not text:
        return ""
    said = words.quote(bytes(text))
    if is_cut:
        return f"{said}, of which the end is not captured"
    room = call.dtype[f"{side.lower()}_terminate_reason"].itemsize
    return f"{said}, the first {room} of {octets} octets" if octets > room else said


def _asking(call: Any) -> str:
    """The side that asked for a call; "" if its kind is not known."""
    return {CallKind.OUTGOING: "PNS", CallKind.INCOMING: "PAC"}.get(CallKind(int(call["kind"])), "")


def lacks_messages(call: Any) -> Iterator[tuple[str, str]]:
    """The side whose request or reply is not in the capture, and which of the two it is; no side if it is both."""
    asking = _asking(call)
    if not asking and call["connection"] >= 0:
        yield "", "request and reply"
    elif asking and call["status"] & CallStatus.REQUEST_NOT_SEEN:
        yield asking, "request"
    elif asking and call["reply_message"] < 0 and call["phase"] >= CallPhase.CONNECTED:
        yield other(asking), "reply"


def _is_request_alone(call: Any) -> bool:
    """Whether a call ended with a request, and nothing was heard of the other side: else its reason tells of that."""
    if call["phase"] != CallPhase.REQUESTED or call["status"] & CallStatus.REQUEST_NOT_SEEN:
        return False
    return call["reason"] not in (CallReason.OPEN, CallReason.NO_REPLY, CallReason.REFUSED)


def missing(call: Any) -> str:
    """What of a call is not in the capture; "" if there is something of each part.

    "PNS" and "PAC" stand for a whole side: nothing of a call tells of it but the other side.
    """
    controlled = call["connection"] >= 0
    linked = {side for side in _SIDES if call[f"{side.lower()}_tunnel"] >= 0}
    connected = call["phase"] >= CallPhase.CONNECTED
    asking, told = _asking(call), set()
    if asking and not call["status"] & CallStatus.REQUEST_NOT_SEEN:
        told.add(asking)
    if asking and call["reply_message"] >= 0:
        told.add(other(asking))
    if call["end"] in _SENT:
        told.add("PNS" if call["end_from_pns"] else "PAC")
    sides = linked | told
    # Enhanced GRE of a call with a shared id can be counted in the other one.
    is_half = connected or _is_request_alone(call)
    if not shared(call) and is_half and len(sides) == 1 and (asking or not controlled):
        return other(*sides)
    lacking = ["an id of its own"] if shared(call) else []
    if not controlled:
        lacking.append("control, roles assumed" if assumed(call) else "control")
    lacking += [what for _, what in lacks_messages(call)]
    if lacks_agreement(call):
        lacking.append("LCP")
    if connected and len(linked) < 2:
        said = f"GRE of {other(*linked)}" if linked else "GRE"
        lacking.append(f"{said}?" if shared(call) else said)
    return ", ".join(lacking)

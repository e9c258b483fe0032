"""Diagnoses of how a call ended, and of its ids.

Knows one call.  Must not know event rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._show import stories, words
from ..wire.calls import UNANSWERED
from ..wire.control import BY_NAME
from ..wire.status import CallEnd, CallKind, CallPhase, CallReason, CallStatus
from .case import SIDES, Case, Found, Packets, outcome
from .facts import Span
from .kinds import DiagnosisKind

__all__ = ["ended", "ids", "refused", "silent"]

# Echo-Requests that were not answered, from which on a side is silent though nothing ended.
_ASKED = 3
_LOST_CARRIER, _GENERAL_ERROR = 1, 2
# So soon no call is over.
_AT_ONCE = np.timedelta64(3, "s")
_REPLIES = (BY_NAME["outgoing_call_reply"].code, BY_NAME["incoming_call_reply"].code)
_REQUESTS = (BY_NAME["outgoing_call_request"].code, BY_NAME["incoming_call_request"].code)
_DISCONNECT = BY_NAME["call_disconnect_notify"].code
_CLEARS = tuple(BY_NAME[name].code for name in ("call_clear_request", "stop_control_connection_request"))
_SENT = {CallEnd.FIN: "a FIN", CallEnd.RST: "a reset"}


def refused(case: Case) -> Iterator[Found]:
    """A call that the reply refused, or that had none."""
    call, packets = case.call, Packets()
    match CallReason(int(call["reason"])):
        case CallReason.REFUSED:
            is_incoming = call["kind"] == CallKind.INCOMING
            codes = "incoming_result" if is_incoming else "outgoing_result"
            refusing = "PNS" if is_incoming else "PAC"
            said = f"The {case.who(refusing)} refused the call ({packets.of(case.message(*_REPLIES))}): "
            said += outcome(codes, int(call["result_code"]), int(call["error_code"]))
            if cause := int(call["cause_code"]):
                said += f", cause code {cause}"
            yield Found(DiagnosisKind.CALL_REFUSED, f"{said}.", packets)
        case CallReason.NO_REPLY:
            asking = "PAC" if call["kind"] == CallKind.INCOMING else "PNS"
            said = f"The {case.who(asking)} asked for the call ({packets.of(case.message(*_REQUESTS))}), and the "
            said += f"capture has no reply of the {case.who(stories.other(asking))}"
            yield Found(DiagnosisKind.CALL_NOT_ANSWERED, f"{said}.", packets)


def silent(case: Case) -> Iterator[Found]:
    """A side that does not answer any more."""
    call = case.call
    # A side whose id changed is not silent.
    if case.is_unsure or any(_changed(case)):
        return
    reason, by = CallReason(int(call["reason"])), stories.by(call)
    if reason is CallReason.PEER_SILENT:
        echoes, what = case.links[by].echoes.span, "LCP"
        # Where the capture has one side alone, the replies can be there.
        if len(case.linked) < 2:
            echoes = Span()
        if echoes.count < UNANSWERED and case.connection is not None and case.is_heard:
            echoes, what = case.connection.unanswered(case.number, by == case.initiator), "control"
        if echoes.count >= UNANSWERED and echoes.last <= _act(case, by):
            yield _unanswered(case, by, echoes, what, ", and ended the call")
        return
    if reason is CallReason.CLEARED and by:
        yield from _gave_up(case, by)
    if reason not in (CallReason.OPEN, CallReason.SILENCE) or len(case.linked) < 2:
        return
    for side in SIDES:
        echoes = case.links[side].echoes.span
        if echoes.count >= _ASKED and _last(case, stories.other(side)) < echoes.first:
            yield _unanswered(case, side, echoes, "LCP", "")
            return
    if reason is CallReason.SILENCE:
        packets = Packets()
        quiet, other = sorted(SIDES, key=lambda side: _last(case, side))
        said = (
            f"The call has no Enhanced GRE of the {case.who(quiet)} behind {packets.at(_last(case, quiet))}, while the "
        )
        said += f"{case.who(other)} went on to {packets.at(_last(case, other))}"
        yield Found(DiagnosisKind.PEER_SILENT, f"{said}.", packets)


def _act(case: Case, side: str) -> int:
    """The packet with which a side ended the call; the last one of call and connection if no table has it."""
    spans = (case.links[side].termination, case.message(*_CLEARS), case.message(_DISCONNECT))
    return min((span.first for span in spans if span), default=case.last_packet)


def _gave_up(case: Case, side: str) -> Iterator[Found]:
    """A request and the end of the call came at once: what was sent between the two did not come."""
    if case.connection is None or not case.is_heard:
        return
    clear, packets = case.message(*_CLEARS), Packets()
    role = "initiator" if side == case.initiator else "responder"
    # In a stream out of order, the packet of a message can be that of an octet before it.
    if case.connection.row[f"{role}_out_of_order"]:
        return
    if clear and clear.first == case.connection.last_echo[side == case.initiator]:
        said = f"An Echo-Request of the {case.who(side)} and the message with which it ended the call came in one "
        said += f"packet ({packets.at(clear.first)}): packets before it were probably lost, or both were sent at once; "
        said += f"the {case.short(side)} probably gave up because it had no reply"
        yield Found(DiagnosisKind.PEER_SILENT, f"{said}.", packets)


def _last(case: Case, side: str) -> int:
    """The last packet of Enhanced GRE of a side; 0 if there is none."""
    return max((int(flow.row["last_packet"]) for flow in case.flows_of(side)), default=0)


def _unanswered(case: Case, side: str, echoes: Span, what: str, then: str) -> Found:
    packets, peer = Packets(), stories.other(side)
    last = _last(case, peer)
    said = f"The {case.who(side)} had no reply to its last {words.times(echoes.count, f'{what} Echo-Request')} "
    said += f"({packets.of(echoes)}){then}"
    if 0 < last < echoes.first:
        said += f": the call has no Enhanced GRE of the {case.who(peer)} behind {packets.at(last)}"
    elif last:
        said += f", though Enhanced GRE of the {case.who(peer)} came up to {packets.at(last)}"
    # Replies to echoes of LCP are in the tunnel of the other side.
    said += case.but(packets, *([peer] if what == "LCP" else []), behind=echoes.first)
    if last < echoes.first:
        return Found(DiagnosisKind.PEER_SILENT, f"{said}.", packets)
    advice = (
        f"Look why the {case.short(peer)} answers no {what} echoes, or let the {case.short(side)} not require them."
    )
    return Found(DiagnosisKind.PEER_SILENT, f"{said}.", packets, advice)


def ended(case: Case) -> Iterator[Found]:
    """A control connection that ended too early, or a notice that something failed."""
    call, packets = case.call, Packets()
    by, end = stories.by(call), CallEnd(int(call["end"]))
    match CallReason(int(call["reason"])):
        case CallReason.CONNECTION_LOST if end in _SENT and by and _is_known_whole(case):
            up = "while the network was up" if case.phase is CallPhase.NETWORK else "before the network was up"
            said = f"The {case.who(by)} ended the control connection with {_SENT[end]} {up} "
            said += f"({packets.at(int(call['end_packet']))}); "
            said += "for this call the capture has no Terminate-Request and no Call-Clear-Request before it"
            advice = DiagnosisKind.CONTROL_LOST.advice
            if end is CallEnd.RST:
                advice += " A reset can also come of a firewall on the path."
            if by != case.initiator:
                advice += " A Windows client shows error 807."
            yield Found(DiagnosisKind.CONTROL_LOST, f"{said}.", packets, advice)
        case CallReason.CONNECTION_LOST | CallReason.ONE_WAY if end in _SENT and by and _is_at_once(case, by):
            after = words.duration(int((call["end_time"] - call["connect_time"]).astype(np.int64)), 1)
            said = f"The {case.who(by)} ended the control connection with {_SENT[end]} {after} after the call was "
            said += f"connected ({packets.at(int(call['end_packet']))}), and the call has no Enhanced GRE of it"
            yield Found(DiagnosisKind.CONTROL_LOST, f"{said}.", packets)
        case CallReason.DISCONNECTED if call["disconnect_result_code"] in (_LOST_CARRIER, _GENERAL_ERROR):
            said = f"The {case.who(by)} ended the call with a Call-Disconnect-Notify "
            said += f"({packets.of(case.message(_DISCONNECT))}): "
            codes = int(call["disconnect_result_code"]), int(call["disconnect_error_code"])
            said += outcome("disconnect_result", *codes)
            yield Found(DiagnosisKind.DISCONNECTED, f"{said}.", packets)


def _is_known_whole(case: Case) -> bool:
    """What would have ended the call would be known: no message of the connection and no packet may have done it."""
    if case.connection is None or case.connection.no_header or not case.is_heard:
        return False
    # Without an id, or with one that no call has.
    stray = (case.connection.messages.get((-1, kind)) for kind in (*_CLEARS, _DISCONNECT))
    if any(span and span.first < case.call["end_packet"] for span in stray):
        return False
    return len(case.linked) == 2 and not any(_changed(case))


def _is_at_once(case: Case, by: str) -> bool:
    """A side closed the connection as soon as the call was connected, and sent no Enhanced GRE."""
    if not case.is_heard or case.is_unsure or by in case.linked:
        return False
    # Clocks step back.
    return bool(np.timedelta64(0, "s") <= case.call["end_time"] - case.call["connect_time"] < _AT_ONCE)


def ids(case: Case) -> Iterator[Found]:
    """Ids that two calls have at once, or that messages mix up."""
    if case.connection is None:
        return
    call = case.call
    yield from _changed(case)
    if case.is_shared:
        for other, (number, packet) in case.connection.shared.items():
            # The issues of the other calls of the connection are here too.
            is_own = other != case.number and number in (call["pns_call_id"], call["pac_call_id"])
            if not is_own or case.last_packet <= packet:
                continue
            packets = Packets()
            said = (
                f"Call {case.number} and call {other} between the same addresses have id {number} at the same time "
                f"(from {packets.at(packet)} on): probably two clients behind one address, or the end of one of them "
                "was not captured"
            )
            yield Found(DiagnosisKind.SHARED_ID, f"{said}.", packets)
    if call["status"] & CallStatus.OTHER_ID:
        packets = Packets()
        clears = [case.message(BY_NAME[name].code) for name in ("call_clear_request", "call_disconnect_notify")]
        places = " and ".join(packets.of(span) for span in clears if span)
        said = (
            f"A Call-Clear-Request or Call-Disconnect-Notify ({places}) has the id that its receiver gave, not its own"
        )
        yield Found(DiagnosisKind.ID_MISMATCH, f"{said}.", packets)


def _changed(case: Case) -> Iterator[Found]:
    """Enhanced GRE of a side that goes on with an id that nobody gave."""
    if not case.is_heard or case.is_unsure or len(case.linked) < 2:
        return
    ended = min(_act(case, side) for side in SIDES)
    for side in SIDES:
        peer, packets = stories.other(side), Packets()
        last, goes_on = _last(case, side), min(_last(case, peer), ended)
        given = int(case.call[f"{peer.lower()}_call_id"])
        if other := next((one for one in case.other_ids(side) if last < one[1] < goes_on), None):
            number, first = other
            said = f"Enhanced GRE of the {case.who(side)} has id {given} up to {packets.at(last)} and id {number} from "
            said += f"{packets.at(first)} on, while that of the {case.who(peer)} goes on (to "
            said += f"{packets.at(_last(case, peer))}): probably something between the two rewrites ids"
            yield Found(DiagnosisKind.GRE_OTHER_ID, f"{said}.", packets)

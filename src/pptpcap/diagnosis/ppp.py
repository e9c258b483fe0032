"""Diagnoses of a call that did not come up: Enhanced GRE, LCP, authentication, encryption, network.

Knows one call.  Must not know event rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._show import ppp as show
from .._show import stories, words
from ..wire.control import BY_NAME
from ..wire.ppp import CCP, LCP
from ..wire.status import Authenticated, Authentication, CallPhase, CallReason, Compression
from .case import SIDES, Case, Found, Packets, Whole
from .facts import Link
from .kinds import DiagnosisKind

__all__ = ["authentication_failed", "encryption", "enhanced_gre", "negotiation"]

# As many requests without an answer are no accident, nor is so long a time without a request: RFC 1661 section 4.6
# waits 3 s for an answer.
_ASKED = 3
_WAIT = np.timedelta64(3, "s")
_ANSWERED = 2
_TELLING = (BY_NAME["outgoing_call_reply"].code, BY_NAME["incoming_call_connected"].code)
_NO_KEYS = (Authentication.PAP, Authentication.CHAP_MD5, Authentication.CHAP_SHA1)
_SAYS_MPPE = b"mppe required"
_SAYS_LOGIN = b"authenticat"

_ACCOUNT = {
    646: "Let the account log on at this time.",
    647: "Enable the account.",
    648: "Change the password, or let it not expire.",
    649: "Give the account the permission to dial in, or check the network policy of the server.",
    691: "Check name, password and domain, and that the server allows this account and this method.",
    709: "Change the password in another way: the new one may not fit the rules of the domain.",
}


def enhanced_gre(case: Case, whole: Whole) -> Iterator[Found]:
    """Enhanced GRE that is blocked, lost or of another id, while LCP did not open."""
    if not case.is_heard or case.phase is not CallPhase.CONNECTED or case.is_unsure or whole.no_tunnel:
        return
    sending = [side for side in SIDES if case.call[f"{side.lower()}_packets"]]
    if not case.linked:
        yield from _no_gre(case, whole)
    elif len(sending) == 1 and _asks_in_vain(case.links[sending[0]]):
        yield _one_way(case, sending[0])
    elif len(sending) == 2:
        yield from _not_received(case)


def _no_gre(case: Case, whole: Whole) -> Iterator[Found]:
    call = case.call
    assert case.connection is not None
    last = max(call["last_time"], case.connection.row["last_time"])
    # The connection can live on without the call.
    last = last if np.isnat(call["end_time"]) else call["end_time"]
    if not last - call["connect_time"] >= _WAIT:
        return
    packets = Packets()
    connected = case.message(*_TELLING)
    said = f"The call was connected{f' ({packets.of(connected)})' if connected else ''}, and no Enhanced GRE of it came"
    if strangers := case.strangers:
        ids = " and ".join(map(str, sorted({number for one in strangers for number in _ids(one)})))
        said = f"{said}: that between the two has id {ids} ({packets.at(strangers[0]['first_packet'])})"
        yield Found(DiagnosisKind.GRE_OTHER_ID, f"{said}.", packets)
    elif whole.gre_packets:
        said = f"{said}, though the capture has that of other calls: protocol 47 is probably blocked from both sides"
        yield Found(DiagnosisKind.GRE_BLOCKED, f"{said}.", packets)
    else:
        said = f"{said}, nor of any other: the capture filter probably left out protocol 47"
        yield Found(DiagnosisKind.NO_GRE, f"{said}; if it did not, it is blocked from both sides.", packets)


def _ids(stranger: Any) -> list[int]:
    """The ids that tunnels of a call carry."""
    sides = [side for side in ("pns", "pac") if stranger[f"{side}_tunnel"] >= 0]
    return [int(stranger[f"{'pac' if side == 'pns' else 'pns'}_call_id"]) for side in sides]


def _asks_in_vain(link: Link) -> bool:
    return link.requests.count >= _ASKED and not link.answers


def _one_way(case: Case, sending: str) -> Found:
    """LCP requests of one side, and no PPP of the other."""
    silent, packets = stories.other(sending), Packets()
    requests = case.links[sending].requests
    said = f"The {case.who(sending)} sent {requests.count} LCP Configure-Requests ({packets.of(requests)})"
    if flow := next((flow for flow in case.flows_of(silent) if flow.acks), None):
        said += f", and the {case.who(silent)} acknowledged them ({packets.of(flow.acks)}), but sent no PPP"
        return Found(DiagnosisKind.NO_PPP, f"{said}: protocol 47 gets through, and its PPP did not start.", packets)
    given = int(case.call[f"{sending.lower()}_call_id"])
    for number, first in case.other_ids(silent):
        said += f", and got Enhanced GRE back with id {number} instead of {given} (from {packets.at(first)} on): "
        said += "probably something between the two rewrites ids"
        return Found(DiagnosisKind.GRE_OTHER_ID, f"{said}.", packets)
    said += f" and got no Enhanced GRE back: protocol 47 is probably blocked on the side of the {case.who(silent)}"
    return Found(DiagnosisKind.GRE_BLOCKED, f"{said}, or the {case.short(silent)} sent none.", packets)


def _not_received(case: Case) -> Iterator[Found]:
    """Both sides send, and one behaves as if nothing came."""
    deaf = [side for side in SIDES if _asks_in_vain(case.links[side]) and not case.acks(side)]
    packets = Packets()
    if len(deaf) == 2:
        spans = [
            f"{case.links[side].requests.count} of the {case.who(side)} ({packets.of(case.links[side].requests)})"
            for side in SIDES
        ]
        said = f"Neither side answers the LCP Configure-Requests of the other, {' and '.join(spans)}"
        said += f": protocol 47 is probably blocked both ways{case.but(packets, *SIDES)}"
        yield Found(DiagnosisKind.GRE_NOT_RECEIVED, f"{said}.", packets)
        return
    for side in deaf:
        other = stories.other(side)
        own, peer = case.links[side], case.links[other]
        if peer.answers.count < _ANSWERED or not peer.requests or own.requests.last < peer.answers.first:
            continue
        said = (
            f"The {case.who(other)} answered LCP Configure-Requests of the {case.who(side)} "
            f"({packets.of(peer.answers)}); the {case.short(side)} goes on asking ({packets.of(own.requests)}), and "
            f"answers and acknowledges nothing: the Enhanced GRE of the {case.short(other)} probably does not reach "
            f"the {case.short(side)}{case.but(packets, side, behind=peer.answers.first)}"
        )
        yield Found(DiagnosisKind.GRE_NOT_RECEIVED, f"{said}.", packets)


def negotiation(case: Case) -> Iterator[Found]:
    """LCP, authentication or the network that both sides could not agree on."""
    if case.is_unsure:
        return
    match CallReason(int(case.call["reason"])):
        case CallReason.LINK_NOT_AGREED:
            yield from _link(case)
        case CallReason.AUTHENTICATION_NOT_AGREED:
            yield from _method(case)
        case CallReason.NETWORK_NOT_AGREED:
            yield from _network(case)


def _refusals(case: Case, packets: Packets, protocols: set[int]) -> list[str]:
    """What each side refused again and again, the most often first."""
    found = []
    for side in SIDES:
        for (protocol, _), refused in case.links[side].refused.items():
            if protocol in protocols:
                found.append((-refused.count, side, protocol, refused))
    found.sort(key=lambda one: one[:2])
    said = []
    for _, side, protocol, refused in found[:3]:
        what = refused.in_turn(*(f"{verb} {show.protocol_name(protocol)} {{}}" for verb in ("wanted", "rejected")))
        said.append(f"the {case.who(side)} {what} ({_often(refused.count)}{packets.of(refused)})")
    return said


def _often(count: int) -> str:
    return "" if count == 1 else f"{count} times, "


def _ending(case: Case, packets: Packets) -> str:
    """With which words a side ended the link, the first of both."""
    ended = [(case.links[side].termination.first, side) for side in SIDES if case.links[side].termination]
    for packet, side in sorted(ended):
        text = bytes(case.call[f"{side.lower()}_terminate_reason"])
        if text and words.plain(text):
            return f" The {case.short(side)} ended it with {case.quoted_ending(side)} ({packets.at(packet)})."
    return ""


def _link(case: Case) -> Iterator[Found]:
    packets = Packets()
    refused = [one for side in SIDES for one in case.links[side].refused.items() if one[0][0] == LCP]
    requests = [case.links[side].requests for side in SIDES]
    if not any(one.count >= _ANSWERED for _, one in refused) and max(one.count for one in requests) < _ASKED:
        return
    said = "; ".join(_refusals(case, packets, {LCP}))
    if not said:
        said = " and ".join(
            f"the {case.who(side)} sent {words.times(case.links[side].requests.count, 'Configure-Request')} "
            f"({packets.of(case.links[side].requests)})"
            for side in SIDES
        )
    said += f"{case.but(packets, *SIDES)}.{_ending(case, packets)}"
    yield Found(DiagnosisKind.LINK_NOT_AGREED, f"LCP did not open: {said}", packets)


def _method(case: Case) -> Iterator[Found]:
    for side in SIDES:
        peer = stories.other(side)
        asks, declines = case.links[peer].asks, case.links[side].declines
        if not asks or not declines:
            continue
        packets = Packets()
        said = f"The {case.who(peer)} asks for {asks.in_turn()} ({packets.of(asks)}); the {case.who(side)} "
        said += f"{declines.in_turn('would use {} instead', 'rejected any authentication')} ({packets.of(declines)})"
        said += f", and they agreed on none{case.but(packets, *SIDES)}.{_ending(case, packets)}"
        yield Found(DiagnosisKind.AUTHENTICATION_NOT_AGREED, said, packets)
        return


def authentication_failed(case: Case) -> Iterator[Found]:
    """A name or a password that was refused."""
    if case.phase is CallPhase.NETWORK or case.is_unsure:
        return
    for side in SIDES:
        column, peer = side.lower(), stories.other(side)
        refusal = case.links[peer].refusal
        if case.call[f"{column}_authenticated"] != Authenticated.REFUSED or not refusal:
            continue
        packets, error = Packets(), int(case.call[f"{column}_authentication_error"])
        method = int(case.call[f"{column}_authentication"])
        said = f"The {case.who(peer)} refused the login of the {case.who(side)}"
        said += f" with {words.authentication(method, Authenticated.NOT_SEEN)}" if method > Authentication.NONE else ""
        said += f": {refusal.in_turn()}"
        if error:
            said += f" with error {error} ({stories.refusal_words(error)})"
        advice = _ACCOUNT.get(error, DiagnosisKind.AUTHENTICATION_FAILED.advice)
        cut = case.links[peer].cut
        # Which error a failure has that is cut, nobody knows.
        if error or not (cut and cut.first <= refusal.last <= cut.last):
            advice += f" A Windows client shows error {error or 691}."
        yield Found(DiagnosisKind.AUTHENTICATION_FAILED, f"{said} ({packets.at(refusal.last)}).", packets, advice)


def encryption(case: Case) -> Iterator[Found]:
    """MPPE that one side requires, and the other does not offer."""
    if case.is_unsure or case.has_data or case.phase < CallPhase.LINK:
        return
    for side in SIDES:
        own, peer = case.links[side], stories.other(side)
        text = bytes(case.call[f"{side.lower()}_terminate_reason"])
        packets = Packets()
        if _SAYS_MPPE in text.lower() and own.termination:
            said = (
                f"The {case.who(side)} requires MPPE and ended the call for lack of it: its Terminate-Request "
                f"({packets.at(own.termination.first)}) says {case.quoted_ending(side)}"
            )
            said += _why_no_mppe(case, peer, packets)
        elif _ended_for_mppe(case, side):
            said = f"The {case.who(side)} asked for {own.mppe.in_turn()} ({packets.of(own.mppe)})"
            said += _why_no_mppe(case, peer, packets)
            said += f", and the {case.short(side)} ended the call: it probably requires encryption"
        else:
            continue
        yield Found(DiagnosisKind.MPPE_REQUIRED, f"{said}.", packets)
        return


def _ended_for_mppe(case: Case, side: str) -> bool:
    """A side asked for MPPE, was refused, and then ended the call before any data."""
    own, peer = case.links[side], case.links[stories.other(side)]
    if stories.by(case.call) != side or not own.mppe or len(case.linked) < 2:
        return False
    if any(case.call[f"{column.lower()}_compression"] == Compression.MPPE for column in SIDES):
        return False
    return bool(peer.no_mppe or _rejected_later(peer, own))


def _rejected_later(peer: Link, own: Link) -> bool:
    return bool(peer.protocol_rejects) and peer.protocol_rejects.last > own.mppe.first


def _why_no_mppe(case: Case, peer: str, packets: Packets) -> str:
    """What the other side said to MPPE, or why there are no keys."""
    own, link = case.links[stories.other(peer)], case.links[peer]
    if link.no_mppe:
        said = link.no_mppe.in_turn("answered with {}", "rejected it")
        return f"; the {case.who(peer)} {said} ({packets.of(link.no_mppe)})"
    if own.mppe and _rejected_later(link, own):
        rejected = f"sent a Protocol-Reject, probably of {show.protocol_name(CCP)}"
        return f"; the {case.who(peer)} {rejected} ({packets.at(link.protocol_rejects.last)})"
    if case.call["authentication"] in _NO_KEYS:
        method = words.authentication(int(case.call["authentication"]), Authenticated.NOT_SEEN)
        return f"; the authentication was {method}, which makes no keys for it"
    return ""


def _is_ready(case: Case) -> bool:
    """LCP was agreed on in this capture, with all options, and nobody ended the link because of authentication."""
    if stories.lacks_agreement(case.call) or any(link.cut for link in case.links.values()):
        return False
    texts = (bytes(case.call[f"{side.lower()}_terminate_reason"]).lower() for side in SIDES)
    return not any(_SAYS_LOGIN in text for text in texts)


def _network(case: Case) -> Iterator[Found]:
    """What is neither MPPE nor an authentication that the capture does not have."""
    if any(encryption(case)) or not _is_ready(case):
        return
    packets = Packets()
    protocols = {protocol for side in SIDES for protocol in case.links[side].networks}
    said = _refusals(case, packets, protocols)
    for side in SIDES:
        peer = case.links[stories.other(side)]
        for protocol, asked in case.links[side].networks.items():
            if asked.count >= _ASKED:
                name = show.protocol_name(protocol)
                said.append(f"the {case.who(side)} sent {asked.count} {name} Configure-Requests ({packets.of(asked)})")
        rejects = case.links[side].protocol_rejects
        if rejects and peer.networks:
            said.append(f"the {case.who(side)} sent a Protocol-Reject ({packets.of(rejects)})")
    ending = _ending(case, packets)
    if said or ending:
        text = "The link was ready, and no network protocol opened"
        text += f": {'; '.join(said)}" if said else ""
        yield Found(DiagnosisKind.NETWORK_NOT_AGREED, f"{text}{case.but(packets, *SIDES)}.{ending}", packets)

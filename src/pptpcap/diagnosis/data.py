"""Diagnoses of the data of a call, and notes that limit what can be told.

Knows one call and the whole capture.  Must not know event rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from .._show import stories, words
from .case import SIDES, Case, Found, Packets, Whole
from .facts import Flow
from .kinds import DiagnosisKind

__all__ = ["is_mixed", "losses", "notes", "of_capture"]

# Loss and the like count from this share of the packets on, and from this number.
_SHARE = 0.01
_NUMBER = 10
# Copies: from this share of the packets on, and from this number.
_COPIES = 0.1
_LEAST_COPIES = 4
# Datagrams without all fragments: fewer can stand at the ends of the capture.
_INCOMPLETE = 3


def _is_copied(flow: Flow) -> bool:
    """The capture has many packets of the tunnel several times."""
    copies = int(flow.row["copies"])
    return copies >= _LEAST_COPIES and copies >= _COPIES * int(flow.row["packets"] + flow.row["acks"])


def is_mixed(case: Case) -> bool:
    """Packets of the call, or of its connection, are those of two."""
    is_foreign = case.connection is not None and case.connection.foreign
    return bool(is_foreign) or any(_is_mixed(flow) for flow in case.flows.values())


def _is_mixed(flow: Flow) -> bool:
    """Most numbers of the tunnel come again, and not as copies: no network does that."""
    again = int(flow.row["duplicated"])
    return again >= _NUMBER and 2 * again > int(flow.row["packets"]) - again and not _is_copied(flow)


def losses(case: Case, whole: Whole) -> Iterator[Found]:
    """Packets that did not come, came late, or came again."""
    if case.is_unsure:
        return
    for place, flow in case.flows.items():
        who = case.who(case.side_of(place))
        lost, late, again, packets = (int(flow.row[name]) for name in ("lost", "reordered", "duplicated", "packets"))
        sent = packets - again + lost
        if _is_much(lost, sent) and lost <= sent // 2:
            numbers = Packets()
            # Fragments of them can be.
            how = "not in the capture, or not whole" if whole.incomplete else "not in the capture"
            said = f"Of {sent:,} packets of the {who}, {lost:,} are {how} ({lost / sent:.1%}), "
            if late:
                said += f"between packets {numbers.bounds(flow.missing())}"
                if any(period.late for period in flow.numbers.missing()):
                    said += ", where packets that came late filled other gaps"
            else:
                said += f"in {words.times(flow.gaps.count, 'gap')} ({numbers.of(flow.gaps)})"
                said += f", the largest of {words.times(flow.burst, 'number')} before {numbers.at(flow.burst_at)}"
            yield Found(DiagnosisKind.LOSS, f"{said}.", numbers)
        for kind, count, span, how in (
            (DiagnosisKind.REORDERED, late, flow.late, "late"),
            (DiagnosisKind.DUPLICATES, 0 if _is_copied(flow) or _is_mixed(flow) else again, flow.again, "again"),
        ):
            if _is_much(count, sent):
                numbers = Packets()
                said = f"Of {sent:,} packets of the {who}, {count:,} came {how} ({count / sent:.1%}, "
                yield Found(kind, f"{said}{numbers.of(span)}).", numbers)


def _is_much(number: int, of: int) -> bool:
    return number >= _NUMBER and number >= _SHARE * of


def notes(case: Case, whole: Whole) -> Iterator[Found]:
    """What cannot be told of the call, and what to distrust."""
    yield from _one_direction(case)
    if copied := [flow for flow in case.flows.values() if _is_copied(flow)]:
        packets = Packets()
        copies = sum(int(flow.row["copies"]) for flow in copied)
        total = sum(int(flow.row["packets"] + flow.row["acks"]) for flow in copied)
        said = f"The capture has packets of the call several times: {copies:,} of {total:,} are copies"
        if again := [packets.of(flow.again) for flow in copied if flow.again]:
            said += f" (numbers come again in {' and '.join(again)})"
        yield Found(DiagnosisKind.COPIES, f"{said}.", packets)
    for place, flow in case.flows.items():
        if _is_mixed(flow) and not case.is_shared:
            packets = Packets()
            said = f"Most numbers of the {case.who(case.side_of(place))} come again ({packets.of(flow.again)}), though "
            said += "the packets are no copies: probably packets of two calls with the same addresses are mixed"
            yield Found(DiagnosisKind.MIXED, f"{said}.", packets)
    yield from _clock(case, whole)
    yield from _cut(case)
    if case.connection is not None and (foreign := case.connection.foreign):
        packets = Packets()
        said = f"{words.times(foreign.count, 'segment')} of the control connection cannot be of its stream "
        said += f"({packets.of(foreign)}): probably packets of two connections with the same addresses are mixed"
        yield Found(DiagnosisKind.MIXED, f"{said}.", packets)
    elif case.connection is not None and case.connection.gaps:
        packets = Packets()
        said = f"The capture lacks {case.connection.gap_octets:,} octets of the control connection "
        yield Found(DiagnosisKind.GAP, f"{said}({packets.of(case.connection.gaps)}).", packets)
    for place, flow in case.flows.items():
        lost, packets_of = int(flow.row["lost"]), int(flow.row["packets"] - flow.row["duplicated"])
        if lost >= _NUMBER and lost > packets_of:
            packets = Packets()
            said = f"The capture has only {packets_of:,} of {packets_of + lost:,} sequence numbers of the "
            said += f"{case.who(case.side_of(place))} (others are passed over in {packets.of(flow.gaps)})"
            yield Found(DiagnosisKind.GAP, f"{said}.", packets)
    if case.connection is not None and case.connection.unknown and not case.connection.row["midstream"]:
        packets, unknown = Packets(), case.connection.unknown
        said = f"No call of the connection has the id of {words.times(unknown.count, 'control message')} "
        said += f"({packets.of(unknown)}{'; the last is' if unknown.count > 1 else ':'} {case.connection.unknown_id})"
        yield Found(DiagnosisKind.ID_MISMATCH, f"{said}.", packets)


def _one_direction(case: Case) -> Iterator[Found]:
    heard, linked = case.heard, case.linked
    for side in SIDES:
        other = stories.other(side)
        lacks_tcp = case.connection is not None and heard == {other}
        lacks_gre = linked == {other} and side not in heard and not case.is_unsure
        if lacks_tcp or lacks_gre:
            parts = [*(["TCP segment"] if lacks_tcp else []), *(["Enhanced GRE"] if lacks_gre else [])]
            packets = Packets()
            said = f"For this call the capture has no {' and no '.join(parts)} of the {case.who(side)} "
            said += f"({packets.at(case.call['first_packet'])} is its first packet): "
            said += "what it sent, and whether it sent anything, cannot be told"
            yield Found(DiagnosisKind.ONE_DIRECTION, f"{said}.", packets)


def _clock(case: Case, whole: Whole) -> Iterator[Found]:
    first, last = int(case.call["first_packet"]), int(case.call["last_packet"])
    steps = [(packet, back) for packet, back in whole.clock_backs if first < packet <= last]
    if not steps:
        return
    packets = Packets()
    packet, back = max(steps, key=lambda step: step[1])
    said = f"The clock of the capture goes back by {words.duration(back)} at {packets.at(packet)}, during the call"
    if len(steps) > 1:
        said += f", and {words.times(len(steps) - 1, 'other time')}"
    yield Found(DiagnosisKind.CLOCK, f"{said}.", packets)


def _cut(case: Case) -> Iterator[Found]:
    packets, parts = Packets(), []
    connection = case.connection
    if connection is not None and not connection.gaps:
        if cut := connection.cut:
            parts.append(f"{words.times(cut.count, 'control message')} ({packets.of(cut)})")
        # The fixed part is cut too, so these messages have no row.
        if cut := connection.no_header:
            parts.append(f"headers of control messages ({packets.of(cut)})")
    for side in SIDES:
        if cut := case.links[side].cut:
            parts.append(f"{words.times(cut.count, 'PPP control packet')} of the {case.who(side)} ({packets.of(cut)})")
    if parts:
        said = f"The capture lacks the end of {', and of '.join(parts)}: what follows cannot be told"
        yield Found(DiagnosisKind.CUT, f"{said}.", packets)


def of_capture(whole: Whole) -> Iterator[Found]:
    """What concerns no single call."""
    incomplete = whole.incomplete
    # Each packet of Enhanced GRE that is lost with its fragments leaves a number out.
    if _INCOMPLETE <= incomplete.count <= whole.skipped:
        packets = Packets()
        said = f"{incomplete.count:,} datagrams lack IP fragments (the first that came of each: "
        said += f"{packets.of(incomplete)}); they may be of Enhanced GRE, of which "
        said += f"{words.times(whole.fragmented, 'fragmented packet')} became whole"
        advice = DiagnosisKind.FRAGMENTS_LOST.advice
        advice += "" if whole.fragmented else " Look for a firewall that drops fragments."
        yield Found(DiagnosisKind.FRAGMENTS_LOST, f"{said}.", packets, advice)
    if whole.clock_stands:
        packets = Packets()
        said = f"All packets of the capture have one time (up to {packets.at(whole.clock_stands.last)})"
        yield Found(DiagnosisKind.CLOCK, f"{said}.", packets)

"""Round trips of echoes, on the link and on the control connection: decoding 10.4.1."""

from __future__ import annotations

import numpy as np
import pytest
from builder import Record, control, cut, pcap
from call_builder import CLIENT_SIDE, SERVER_SIDE, Session, outgoing_request
from helpers import decode

from pptpcap.wire.status import CallReason

NAMES = ("samples", "min_ns", "mean_ns", "unanswered")
C, S = CLIENT_SIDE, SERVER_SIDE
SECOND = 10**9


def lcp(code: int, identifier: int) -> bytes:
    """An LCP packet with a magic number of zeros."""
    return bytes([0xC0, 0x21, code, identifier, 0, 8, 0, 0, 0, 0])


def at(talk: Session, times: list[int]) -> bytes:
    """The last packets of a conversation come at these times, in ns."""
    frames = talk.frames()
    first = len(frames) - len(times)
    times = [0] * first + times
    return pcap(
        [Record(frame, seconds=t // SECOND, fraction=t % SECOND) for frame, t in zip(frames, times, strict=True)],
        nanoseconds=True,
    )


def on_the_link(*echoes: tuple[int, int, int, int]) -> bytes:
    """Side, code, identifier and time of each echo, behind one packet of each side."""
    talk = Session(begins=False).client_sends(0x22, 0).server_sends(0x11, 0)
    for number, (side, code, identifier, _) in enumerate(echoes, 1):
        talk.tunnelled(side, 0x22 if side == C else 0x11, number, payload=lcp(code, identifier))
    return at(talk, [time for *_, time in echoes])


def on_the_connection(*echoes: tuple[int, int, int, int]) -> bytes:
    """The same, in messages of types 5 and 6."""
    talk = Session()
    for side, code, identifier, _ in echoes:
        body = identifier.to_bytes(4, "big") + bytes(0 if code == 5 else 4)
        talk.say(side, control(code, body))
    return at(talk, [time for *_, time in echoes])


# What was said, with codes 5 and 6 of the control connection, and what each side's echoes come to.
CASES = {
    "one round trip": ([(C, 5, 1, 10), (S, 6, 1, 35)], (1, 25, 25, 0), (0, 0, 0, 0)),
    "of the other side": ([(S, 5, 1, 10), (C, 6, 1, 35)], (0, 0, 0, 0), (1, 25, 25, 0)),
    "both sides with one identifier": (
        [(C, 5, 1, 10), (S, 5, 1, 11), (S, 6, 1, 30), (C, 6, 1, 41)], (1, 20, 20, 0), (1, 30, 30, 0)),
    "two": ([(C, 5, 1, 0), (S, 6, 1, 3), (C, 5, 2, 10), (S, 6, 2, 18)], (2, 3, 5, 0), (0, 0, 0, 0)),
    "answered out of order": (
        [(C, 5, 1, 0), (C, 5, 2, 5), (S, 6, 2, 7), (S, 6, 1, 8)], (2, 2, 5, 0), (0, 0, 0, 0)),
    "no answer": ([(C, 5, 1, 0), (C, 5, 2, 5), (S, 6, 1, 8)], (1, 8, 8, 1), (0, 0, 0, 0)),
    "answered twice": ([(C, 5, 1, 0), (S, 6, 1, 8), (S, 6, 1, 9)], (1, 8, 8, 0), (0, 0, 0, 0)),
    "an answer to nothing": ([(S, 6, 1, 8)], (0, 0, 0, 0), (0, 0, 0, 0)),
    "an answer to another": ([(C, 5, 1, 0), (S, 6, 2, 8)], (0, 0, 0, 1), (0, 0, 0, 0)),
    "its own answer": ([(C, 5, 1, 0), (C, 6, 1, 8)], (0, 0, 0, 1), (0, 0, 0, 0)),
    "one identifier again": ([(C, 5, 1, 0), (C, 5, 1, 6), (S, 6, 1, 8)], (1, 2, 2, 1), (0, 0, 0, 0)),
    "the fourth last": ([*((C, 5, n, n) for n in range(4)), (S, 6, 0, 8)], (1, 8, 8, 3), (0, 0, 0, 0)),
    "the fifth last": ([*((C, 5, n, n) for n in range(5)), (S, 6, 0, 8)], (0, 0, 0, 5), (0, 0, 0, 0)),
    "in no time": ([(C, 5, 1, 9), (S, 6, 1, 9)], (1, 0, 0, 0), (0, 0, 0, 0)),
    "back in time": ([(C, 5, 1, 9), (S, 6, 1, 8)], (0, 0, 0, 0), (0, 0, 0, 0)),
    "two minutes": ([(C, 5, 1, 9), (S, 6, 1, 9 + 120 * SECOND)], (1, 120 * SECOND, 120 * SECOND, 0), (0, 0, 0, 0)),
    "more than two minutes": ([(C, 5, 1, 9), (S, 6, 1, 10 + 120 * SECOND)], (0, 0, 0, 0), (0, 0, 0, 0)),
}  # fmt: skip


def figures(row: np.void, side: str) -> tuple[int, ...]:
    return tuple(int(row[f"{side}_echo_rtt_{name}"]) for name in NAMES)


@pytest.mark.parametrize("name", CASES)
def test_on_the_link(engine, name):
    echoes, client, server = CASES[name]
    data = on_the_link(*((side, code + 4, identifier, time) for side, code, identifier, time in echoes))
    (call,) = decode(data, engine)["calls"]
    assert (figures(call, "pns"), figures(call, "pac")) == (client, server)


# Of the connection, the last request alone is kept.
CONTROL_CASES = CASES | {
    "answered out of order": ([(C, 5, 1, 0), (C, 5, 2, 5), (S, 6, 2, 7), (S, 6, 1, 8)], (1, 2, 2, 1), (0, 0, 0, 0)),
    "no answer": ([(C, 5, 1, 0), (C, 5, 2, 5), (S, 6, 1, 8)], (0, 0, 0, 2), (0, 0, 0, 0)),
    "the fourth last": ([*((C, 5, n, n) for n in range(4)), (S, 6, 0, 8)], (0, 0, 0, 4), (0, 0, 0, 0)),
}


@pytest.mark.parametrize("name", CONTROL_CASES)
def test_on_the_connection(engine, name):
    echoes, client, server = CONTROL_CASES[name]
    (row,) = decode(on_the_connection(*echoes), engine)["connections"]
    assert (figures(row, "initiator"), figures(row, "responder")) == (client, server)


def test_identifiers_of_the_connection_have_32_bits(engine):
    (row,) = decode(on_the_connection((C, 5, 1, 0), (S, 6, 1 << 16 | 1, 3), (S, 6, 1, 9)), engine)["connections"]
    assert figures(row, "initiator") == (1, 9, 9, 0)


def test_reply_of_a_tunnel_without_a_partner(engine):
    """Two calls of the same addresses: nobody knows whose echo it answers."""
    talk = Session(begins=False).client_sends(0x22, 0, payload=lcp(9, 1))
    (call,) = decode(at(talk, [5]), engine)["calls"]
    assert figures(call, "pns") == (0, 0, 0, 1)


def test_a_capture_of_one_direction_has_no_round_trips(engine):
    (row,) = decode(on_the_connection((C, 5, 1, 0), (C, 5, 2, 9)), engine)["connections"]
    assert figures(row, "initiator") == (0, 0, 0, 2)


def in_vain(talk: Session, engine) -> str:
    """Why the call ended, which the server did with a FIN."""
    got = decode(talk.server_says(flags="FA").pcap(), engine)
    return CallReason(int(got["calls"]["reason"][0])).name


@pytest.mark.parametrize(("reply", "reason"), [(None, "PEER_SILENT"), (b"\xc0\x21\x0a", "CONNECTION_LOST")])
def test_a_reply_that_the_snap_length_cut(engine, reply, reason):
    """Of the client's packet, protocol and code alone are captured, or there is none."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0).server_sends(0x11, 0)
    talk.server_sends(0x11, 1, payload=lcp(9, 1)).server_sends(0x11, 2, payload=lcp(9, 2))
    if reply is not None:
        talk.client_sends(0x22, 1, payload=lcp(10, 2))
        whole = talk.frames()[-1]
        talk.packets[-1] = cut(whole, len(whole) - 7)
    assert in_vain(talk, engine) == reason


def test_echoes_whose_replies_nobody_can_tell(engine):
    """The reply that tells the server's id is not captured: the tunnels are no partners, and join at the end."""
    talk = Session().client_says(outgoing_request(0x11)).client_sends(0x22, 0).server_sends(0x11, 0)
    talk.server_sends(0x11, 1, payload=lcp(9, 1)).client_sends(0x22, 1, payload=lcp(10, 1))
    talk.server_sends(0x11, 2, payload=lcp(9, 2)).client_sends(0x22, 2, payload=lcp(10, 2))
    assert in_vain(talk, engine) == "CONNECTION_LOST"


@pytest.mark.parametrize(("acknowledges", "unanswered", "reason"), [(False, 0, "TERMINATED"), (True, 2, "PEER_SILENT")])
def test_requests_of_a_side_that_closes_the_link(engine, acknowledges, unanswered, reason):
    """Behind its Terminate-Request they are no echoes, until it acknowledges LCP again."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0).server_sends(0x11, 0)
    talk.server_sends(0x11, 1, payload=lcp(9, 1)).client_sends(0x22, 1, payload=lcp(10, 1))
    talk.server_sends(0x11, 2, payload=lcp(5, 2))
    if acknowledges:
        talk.server_sends(0x11, 3, payload=b"\xc0\x21\x02\x03\x00\x04")
    talk.server_sends(0x11, 4, payload=lcp(9, 4)).server_sends(0x11, 5, payload=lcp(9, 5))
    talk.server_says(flags="FA")
    (call,) = decode(talk.pcap(), engine)["calls"]
    assert CallReason(int(call["reason"])).name == reason
    assert (int(call["pac_lcp_echo_requests"]), int(call["pac_echo_rtt_unanswered"])) == (3, unanswered)
    assert int(call["pac_echo_rtt_samples"]) == 1

"""Diagnoses of how calls and connections end, of data, and notes.

Each on a made conversation, and beside it one that differs in one thing and has none.  The client is the PNS,
10.0.0.2.  Its connection and its call take packets 1 to 5; each packet comes a second later.
"""

from __future__ import annotations

import struct

from builder import Conversation, Record, control, echo, pcap, piece4
from call_builder import (
    Session,
    clear,
    disconnect,
    incoming_reply,
    incoming_request,
    octets,
    outgoing_reply,
    outgoing_request,
    packet,
    stop,
)
from diagnosed import LCP, Call, kinds, only, told

import pptpcap

# ---- the ends


def lcp_echo(code: int, identifier: int) -> str:
    return f"{LCP} {code:02x}{identifier:02x}0008 00000000"


def test_peer_silent(engine):
    talk = Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2), packet(LCP, 5))
    assert only(talk.pcap(), engine) == (
        *(0, "PEER_SILENT", (12, 14, 15)),
        "The server (PAC) had no reply to its last 2 LCP Echo-Requests (packets 14 and 15), and ended the call: the "
        "call has no Enhanced GRE of the client (PNS) behind packet 12.",
    )
    talk = Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2)).c("21 45").s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The server (PAC) had no reply to its last 2 LCP Echo-Requests (packets 14 and 15), and ended the call, though "
        "Enhanced GRE of the client (PNS) came up to packet 16."
    )


def test_echoes_behind_the_terminate_request_are_not_counted(engine):
    talk = Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2), packet(LCP, 5), lcp_echo(9, 3))
    assert only(talk.pcap(), engine)[2:] == (
        (12, 14, 15),
        "The server (PAC) had no reply to its last 2 LCP Echo-Requests (packets 14 and 15), and ended the call: the "
        "call has no Enhanced GRE of the client (PNS) behind packet 12.",
    )


def test_the_last_echoes_are_counted(engine):
    """A late reply to an old request changes nothing."""
    talk = Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2), lcp_echo(9, 3)).c(lcp_echo(10, 3), lcp_echo(10, 1))
    assert only(talk.s(lcp_echo(9, 4), lcp_echo(9, 5), packet(LCP, 5)).pcap(), engine)[2:] == (
        (18, 19, 20),
        "The server (PAC) had no reply to its last 2 LCP Echo-Requests (packets 19 and 20), and ended the call: the "
        "call has no Enhanced GRE of the client (PNS) behind packet 18.",
    )


def test_peer_that_answers():
    talk = Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2)).c(lcp_echo(10, 2)).s(packet(LCP, 5))
    assert kinds(talk) == []
    # One request may be lost.
    assert kinds(Call().network().s(lcp_echo(9, 1), packet(LCP, 5))) == []


def test_peer_silent_at_the_end_of_the_capture(engine):
    talk = Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2), lcp_echo(9, 3))
    assert only(talk.pcap(), engine)[3] == (
        "The server (PAC) had no reply to its last 3 LCP Echo-Requests (packets 14 to 16): the call has no Enhanced "
        "GRE of the client (PNS) behind packet 12."
    )
    assert kinds(talk.c("21 45")) == []
    assert kinds(Call().network().s(lcp_echo(9, 1), lcp_echo(9, 2))) == []


def test_echoes_of_one_direction_prove_nothing():
    talk = Session(begins=False)
    for number in range(4):
        talk.server_sends(0x11, number, payload=octets(lcp_echo(9, number)))
    assert kinds(talk) == ["ONE_DIRECTION"]


def test_silence_without_echoes(engine):
    talk = Call().network().s("21 45").after(300).s("21 45").after(301)
    assert only(talk.pcap(), engine)[3] == (
        "The call has no Enhanced GRE of the client (PNS) behind packet 12, while the server (PAC) went on to packet 15."
    )
    assert kinds(Call().network().s("21 45").after(60).s("21 45").after(61)) == []


def echo_reply(identifier: int) -> bytes:
    return control(6, identifier.to_bytes(4, "big") + bytes([1, 0, 0, 0]))


def test_control_echoes_without_reply(engine):
    talk = Call().network().client_says(echo(1)).client_says(echo(2)).client_says(clear(0x11))
    assert only(talk.pcap(), engine)[3] == (
        "The client (PNS) had no reply to its last 2 control Echo-Requests (packets 14 and 15), and ended the call: "
        "the call has no Enhanced GRE of the server (PAC) behind packet 13."
    )
    # One LCP echo without a reply is not the reason.
    talk = Call().network().s(lcp_echo(9, 1)).server_says(echo(1)).server_says(echo(2)).s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The server (PAC) had no reply to its last 2 control Echo-Requests (packets 15 and 16), and ended the call: "
        "the call has no Enhanced GRE of the client (PNS) behind packet 12."
    )
    # What was asked behind the end is not why it ended.
    talk = Call().network().client_says(clear(0x11)).client_says(echo(1)).client_says(echo(2))
    assert kinds(talk) == []
    talk = Call().network().client_says(echo(1)).client_says(echo(2)).client_says(flags="FA")
    assert kinds(talk) == ["PEER_SILENT"]
    # Without any Enhanced GRE.
    talk = Call().client_says(echo(1)).client_says(echo(2)).client_says(clear(0x11)).after(7)
    assert only(talk.pcap(), engine)[3] == (
        "The client (PNS) had no reply to its last 2 control Echo-Requests (packets 6 and 7), and ended the call."
    )
    talk = Call().network().client_says(echo(1)).client_says(echo(2)).server_says(echo_reply(2))
    assert kinds(talk.client_says(clear(0x11))) == []


def test_control_echoes_of_one_direction_prove_nothing():
    talk = Call().network().client_says(echo(1)).client_says(echo(2)).client_says(clear(0x11))
    assert kinds(talk) == ["PEER_SILENT"]
    by_client = [frame for frame in talk.frames() if frame[26:30] == bytes([10, 0, 0, 2])]
    assert len(by_client) == 10
    assert "PEER_SILENT" not in {kind for _, kind, _, _ in told(pcap(by_client))}


def test_an_echo_and_the_end_in_one_packet(engine):
    talk = Call().network().client_says(echo(1), clear(0x11), stop())
    assert only(talk.pcap(), engine) == (
        *(0, "PEER_SILENT", (14,)),
        "An Echo-Request of the client (PNS) and the message with which it ended the call came in one packet "
        "(packet 14): packets before it were probably lost, or both were sent at once; the client probably gave up "
        "because it had no reply.",
    )
    assert kinds(Call().network().client_says(echo(1)).client_says(clear(0x11), stop())) == []
    # The packet of both messages is that of the first, which came last.
    talk = Call().network().client_says(echo(1)).client_says(clear(0x11))
    talk.packets[-2:] = reversed(talk.packets[-2:])
    assert kinds(talk) == []


def test_an_id_that_changes(engine):
    """Enhanced GRE of the client goes on with id 35; the server is not told to be without replies."""
    talk = Call().network().s("21 45").c("21 45").client_sends(0x23, 6).s("21 45")
    found = told(talk.client_sends(0x23, 7).s(lcp_echo(9, 1), lcp_echo(9, 2), packet(LCP, 5)).pcap(), engine)
    assert found[0] == (
        *(0, "GRE_OTHER_ID", (15, 16, 21)),
        "Enhanced GRE of the client (PNS) has id 34 up to packet 15 and id 35 from packet 16 on, while that of the "
        "server (PAC) goes on (to packet 21): probably something between the two rewrites ids.",
    )
    # The rest is a note on the call that nothing else is known of.
    assert [(call, kind) for call, kind, _, _ in found[1:]] == [(1, "ONE_DIRECTION")]


def test_ids_that_do_not_change():
    def begins() -> Call:
        return Call().network().s("21 45").c("21 45")

    # The server does not go on.
    assert kinds(begins().client_sends(0x23, 6)) == ["ONE_DIRECTION"]
    # The client goes on with its id too.
    assert kinds(begins().client_sends(0x23, 6).s("21 45").c("21 45")) == ["ONE_DIRECTION"]
    # A call of which the capture has no message.
    assert kinds(begins().client_sends(0x23, 6).server_sends(0x12, 0).s("21 45")) == []
    # The call ended before.
    assert kinds(begins().s(packet(LCP, 5)).client_sends(0x23, 6).s("21 45")) == ["ONE_DIRECTION"]
    assert kinds(begins().client_says(clear(0x11)).client_sends(0x23, 6).s("21 45")) == ["ONE_DIRECTION"]


def test_control_lost(engine):
    talk = Call().network().server_says(flags="FA")
    assert only(talk.pcap(), engine) == (
        *(0, "CONTROL_LOST", (14,)),
        "The server (PAC) ended the control connection with a FIN while the network was up "
        "(packet 14); for this call the capture has no Terminate-Request and no Call-Clear-Request before it.",
    )
    assert kinds(Call().network().c(packet(LCP, 5)).server_says(flags="FA")) == []
    # Without Enhanced GRE of both, a Terminate-Request may be missing.
    assert "CONTROL_LOST" not in kinds(Call().s("21 45").server_says(flags="FA"))
    # The message that ended the call, of which the header or the id is cut; behind the FIN it ended nothing.
    for snap in (8, 12):
        assert kinds(Call().network().client_says(clear(0x11), snap=snap).server_says(flags="FA")) == ["CUT"]
    assert kinds(Call().network().server_says(flags="FA").client_says(clear(0x11), snap=12)) == ["CONTROL_LOST", "CUT"]
    # It is in the capture, with an id that nobody gave.
    talk = Call().network().client_sends(0x23, 5).s("21 45").client_sends(0x23, 6, payload=octets(packet(LCP, 5)))
    assert kinds(talk.client_says(flags="FA")) == ["GRE_OTHER_ID", "ONE_DIRECTION"]


def test_control_lost_at_once(engine):
    assert only(Call().server_says(flags="FA").pcap(), engine) == (
        *(0, "CONTROL_LOST", (6,)),
        "The server (PAC) ended the control connection with a FIN 1.0 s after the call was connected (packet 6), and "
        "the call has no Enhanced GRE of it.",
    )
    assert kinds(Call().c(packet(LCP, 1)).server_says(flags="RA")) == ["CONTROL_LOST"]
    # The client had sent something, some time has gone by, or the clock was put back.
    assert "CONTROL_LOST" not in kinds(Call().server_says(flags="FA").after(-9))
    assert kinds(Call().c(packet(LCP, 1)).client_says(flags="FA")) == []
    assert kinds(Call().c("21 45", "21 45").server_says(flags="FA")) == []


def test_disconnected(engine):
    talk = Call().network().server_says(disconnect(0x22, 2, 4))
    assert only(talk.pcap(), engine) == (
        *(0, "DISCONNECTED", (14,)),
        "The server (PAC) ended the call with a Call-Disconnect-Notify (packet 14): result 2 (general error), error 4 "
        "(no-resource).",
    )
    assert kinds(Call().network().server_says(disconnect(0x22, 3))) == []


def test_call_refused(engine):
    talk = Session().client_says(outgoing_request(0x11)).server_says(outgoing_reply(0, 0x11, 2, 4))
    assert only(talk.pcap(), engine) == (
        *(0, "CALL_REFUSED", (5,)),
        "The server (PAC) refused the call (packet 5): result 2 (general error), error 4 (no-resource).",
    )
    talk = Session().server_says(incoming_request(0x33)).client_says(incoming_reply(0, 0x33, 3))
    assert only(talk.pcap(), engine)[3] == "The client (PNS) refused the call (packet 5): result 3 (do not accept)."
    assert kinds(Session().outgoing(0x11, 0x22)) == []


def test_call_not_answered(engine):
    talk = Session().client_says(outgoing_request(0x11)).client_says(clear(0x11))
    assert only(talk.pcap(), engine) == (
        *(0, "CALL_NOT_ANSWERED", (4,)),
        "The client (PNS) asked for the call (packet 4), and the capture has no reply of the server (PAC).",
    )
    assert kinds(Session().client_says(outgoing_request(0x11))) == []


def test_shared_id(engine):
    one = Session().outgoing(0x11, 0x22)
    another = Session(one.packets, port=40001).outgoing(0x11, 0x23)
    one.client_says(echo(1))
    another.client_says(echo(1))
    assert told(one.pcap(), engine) == [
        (
            *(call, "SHARED_ID", (9,)),
            f"Call {call} and call {1 - call} between the same addresses have id 17 at the same time (from packet 9 "
            "on): probably two clients behind one address, or the end of one of them was not captured.",
        )
        for call in (0, 1)
    ]


def test_shared_id_of_a_call_of_which_nothing_comes_any_more():
    one = Session().outgoing(0x11, 0x22)
    Session(one.packets, port=40001).outgoing(0x11, 0x23).client_says(echo(1))
    assert [call for call, _, _, _ in told(one.pcap())] == [1]


def test_shared_id_on_one_connection(engine):
    talk = Session().outgoing(0x11, 0x22).outgoing(0x11, 0x23).client_says(echo(1))
    assert [(call, kind, packets) for call, kind, packets, _ in told(talk.pcap(), engine)] == [
        (0, "SHARED_ID", (6,)),
        (1, "SHARED_ID", (6,)),
    ]


def test_packets_of_two_calls_are_not_counted():
    one = Session().outgoing(0x11, 0x22)
    another = Session(one.packets, port=40001).outgoing(0x11, 0x23)
    for number in (*range(30), *range(10)):
        one.server_sends(0x11, number)
    another.client_says(echo(1))
    assert {kind for _, kind, _, _ in told(one.pcap())} == {"SHARED_ID"}
    # The replies to these echoes are in the tunnel of the other call.
    one = Session().outgoing(0x11, 0x22)
    another = Session(one.packets, port=40001).outgoing(0x11, 0x23).client_sends(0x23, 0)
    for number in range(3):
        another.server_sends(0x11, number, payload=octets(lcp_echo(9, number)))
        one.client_sends(0x22, number, payload=octets(lcp_echo(10, number)))
    assert {kind for _, kind, _, _ in told(one.client_says(echo(1)).pcap())} == {"SHARED_ID"}


def test_an_id_that_was_free_again():
    one = Session().outgoing(0x11, 0x22).client_says(clear(0x11))
    Session(one.packets, port=40001).outgoing(0x11, 0x23)
    assert kinds(one) == []


# ---- connections without a call


def start(kind: int, result: int = 0) -> bytes:
    return control(kind, struct.pack(">HBB140x", 0x0100, result, 0))


def syns(*seconds: int) -> list[bytes | Record]:
    talk = Session(begins=False)
    for second in seconds:
        talk.client(-1, flags="S").after(second)
    return talk.packets


def test_no_answer(engine):
    assert only(pcap(syns(0, 1, 3)), engine) == (
        *(-1, "NO_ANSWER", (1, 3)),
        "10.0.0.2:40000 sent a SYN to 10.0.0.1:1723, 3 segments without data in all (packets 1 to 3), and no answer is "
        "in the capture: probably the SYN was repeated and nobody answered, if the capture has both directions.",
    )
    # A Windows client repeats its SYN after a reset too, which a capture of one direction lacks.
    assert told(pcap(syns(0, 1, 2))) == []
    assert told(pcap(syns(0, 9))) == []
    # The client goes on: the capture has one direction only.
    talk = Session(begins=False).client(-1, flags="S").client(0).client_says(start(1)).client_says(echo(1))
    assert kinds(talk) == []


def test_connection_refused(engine):
    talk = Conversation().client(-1, flags="S").server(-1, flags="RA")
    assert only(talk.pcap(), engine) == (
        *(-1, "CONNECTION_REFUSED", (1, 2)),
        "10.0.0.1:1723 answered the SYN of 10.0.0.2:40000 with a reset (packets 1 and 2): nothing listens there, or a "
        "firewall rejects it.",
    )
    # An acknowledgment: there was a SYN-ACK, which the capture lacks.
    talk = Conversation().client(-1, flags="S").client(0).server(0, flags="R")
    assert told(talk.pcap()) == []


def test_server_closed(engine):
    talk = Session().client_says(start(1)).server_says(flags="FA")
    assert only(talk.pcap(), engine) == (
        *(-1, "SERVER_CLOSED", (1, 5)),
        "10.0.0.1:1723 accepted the TCP connection of 10.0.0.2:40000 and closed it with a FIN (packets 1 to 5); no "
        "PPTP message of it is in the capture, though the client had sent 1 message.",
    )
    assert only(Session().server_says(flags="RA").pcap(), engine)[3] == (
        "10.0.0.1:1723 accepted the TCP connection of 10.0.0.2:40000 and reset it (packets 1 to 4); no PPTP message of "
        "it is in the capture."
    )
    # A client goes on only behind a reply, which the capture lacks.
    talk = Session().client_says(start(1)).client_says(echo(1)).client_says(echo(2)).server_says(flags="FA")
    assert kinds(talk) == []
    # The client closed it, and had sent nothing.
    assert kinds(Session().client_says(flags="FA")) == []


def test_start_not_answered(engine):
    talk = Session().client_says(start(1)).client_says(flags="FA")
    assert only(talk.pcap(), engine) == (
        *(-1, "START_NOT_ANSWERED", (1, 5)),
        "10.0.0.1:1723 accepted the TCP connection of 10.0.0.2:40000 (packets 1 to 5), and no reply to its "
        "Start-Control-Connection-Request is in the capture.",
    )
    assert kinds(Session().client_says(start(1)).server_says(start(2, 1)).client_says(flags="FA")) == []
    # The capture ends before the client lost patience.
    assert kinds(Session().client_says(start(1))) == []


def test_start_refused(engine):
    talk = Session().client_says(start(1)).server_says(start(2, 4))
    assert only(talk.pcap(), engine) == (
        *(-1, "START_REFUSED", (5,)),
        "10.0.0.1:1723 refused the control connection of 10.0.0.2:40000 (packet 5): result 4 (requester is not "
        "authorized).",
    )


def test_a_connection_that_is_older_than_the_capture():
    assert told(Session(begins=False).server_says(flags="RA").pcap()) == []


# ---- data


def numbered(*numbers: int) -> Call:
    """The client's packets have these sequence numbers, from packet 15 on."""
    talk = Call().network().s("21 45")
    for number in numbers:
        talk.client_sends(0x22, number)
    # The other side is not silent.
    return talk.s("21 45")


def test_loss(engine):
    talk = numbered(4, *range(14, 998), 999)
    assert only(talk.pcap(), engine) == (
        *(0, "LOSS", (16, 1000)),
        "Of 1,000 packets of the client (PNS), 10 are not in the capture (1.0%), in 2 gaps (packets 16 and 1000), the "
        "largest of 9 numbers before packet 16.",
    )
    # Nine, or less than one of a hundred.
    assert kinds(numbered(4, *range(14, 100))) == []
    assert kinds(numbered(4, *range(15, 1100))) == []


def test_late_packets(engine):
    numbers = [number for pair in range(5, 25, 2) for number in (pair + 1, pair)]
    assert only(numbered(4, *numbers).pcap(), engine) == (
        *(0, "REORDERED", (17, 35)),
        "Of 25 packets of the client (PNS), 10 came late (40.0%, packets 17 to 35).",
    )
    assert kinds(numbered(4, *numbers[:18])) == []


def test_packets_that_came_again(engine):
    numbers = [*range(4, 40), *range(30, 40)]
    assert only(numbered(*numbers).pcap(), engine) == (
        *(0, "DUPLICATES", (51, 60)),
        "Of 40 packets of the client (PNS), 10 came again (25.0%, packets 51 to 60).",
    )
    assert kinds(numbered(*numbers[:-1])) == []


def twice(talk: Session, apart: int) -> bytes:
    """Each packet again, so many microseconds later."""
    pairs = [(index, frame, late) for index, frame in enumerate(talk.frames()) for late in (0, apart)]
    return pcap([Record(frame, seconds=1_600_000_000 + index, fraction=late) for index, frame, late in pairs])


def test_copies(engine):
    talk = Call().network().s("21 45")
    assert only(twice(talk, 10), engine) == (
        *(0, "COPIES", (12, 14, 24, 28)),
        "The capture has packets of the call several times: 9 of 18 are copies (numbers come again in packets 12 to 24 "
        "and packets 14 to 28).",
    )
    # After so long a time it is no copy.
    assert told(twice(talk, 500_000)) == []


def test_packets_of_two_calls_that_look_like_one(engine):
    talk = Call().network().s("21 45")
    for number in range(4, 12):
        talk.client_sends(0x22, number)
    for number in range(2, 12):
        talk.client_sends(0x22, number, payload=octets("21 4600"))
    assert only(talk.s("21 45").pcap(), engine) == (
        *(0, "MIXED", (23, 32)),
        "Most numbers of the client (PNS) come again (packets 23 to 32), though the packets are no copies: probably "
        "packets of two calls with the same addresses are mixed.",
    )


def test_one_copy_is_none_of_the_capture():
    frames = Call().network().frames()
    records = [Record(frame, seconds=1_600_000_000 + index, fraction=0) for index, frame in enumerate(frames)]
    # On another VLAN.
    tagged = frames[-1][:12] + octets("8100 0001") + frames[-1][12:]
    again = Record(tagged, seconds=records[-1].seconds, fraction=10)
    capture = pptpcap.read(pcap([*records, again]))
    assert capture.tunnels["copies"].sum() == 1
    assert capture.diagnose() == []


def first_fragments(count: int) -> list[bytes | Record]:
    return [piece4(bytes(24), 0, True, key) for key in range(count)]


def test_fragments_that_never_came(engine):
    talk = Call().network().client_sends(0x22, 7)
    assert only(pcap([*talk.packets, *first_fragments(3)]), engine) == (
        *(-1, "FRAGMENTS_LOST", (15, 17)),
        "3 datagrams lack IP fragments (the first that came of each: packets 15 to 17); they may be of Enhanced GRE, of "
        "which 0 fragmented packets became whole.",
    )
    # The first one is touched again, so it is given up last.
    again = piece4(bytes(24), 48, True, 0)
    assert only(pcap([*talk.packets, *first_fragments(3), again]), engine)[2] == (15, 17)
    assert told(pcap([*talk.packets, *first_fragments(2)])) == []
    # No number is missing for the third: it is of other traffic.
    assert told(pcap([*Call().network().client_sends(0x22, 6).packets, *first_fragments(3)])) == []


# ---- notes


def test_clock(engine):
    talk = Call().network().s("21 45").after(-500).s("21 45").after(-499)
    assert only(talk.pcap(), engine) == (
        *(0, "CLOCK", (14,)),
        "The clock of the capture goes back by 0:08:32 at packet 14, during the call.",
    )


def test_clock_that_stands(engine):
    frames = [Record(frame, seconds=1_600_000_000, fraction=0) for frame in Call().network().frames()]
    assert only(pcap(frames), engine) == (
        *(-1, "CLOCK", (13,)),
        "All packets of the capture have one time (up to packet 13).",
    )


def test_cut_packets(engine):
    talk = Call().network().client_says(clear(0x11), snap=14)
    assert only(talk.pcap(), engine) == (
        *(0, "CUT", (14,)),
        "The capture lacks the end of 1 control message (packet 14): what follows cannot be told.",
    )
    # Nothing of the message is captured, and so neither is where the next one begins.
    talk = Call().network().client_says(clear(0x11), snap=0)
    assert only(talk.pcap(), engine) == (
        *(0, "CUT", (14,)),
        "The capture lacks the end of headers of control messages (packet 14): what follows cannot be told.",
    )
    assert only(Session().client_says(start(1), snap=0).pcap(), engine) == (
        *(-1, "CUT", (4,)),
        "The capture lacks the end of headers of control messages (packet 4): which calls the connection had cannot be "
        "told.",
    )


def test_gap(engine):
    talk = Call().network()
    talk.client_says(echo(0)[:14])
    talk.said[0] += 2 + 104
    talk.client_says(echo(1)).client_says(echo(2))
    assert only(talk.pcap(), engine)[1:] == (
        *("GAP", (16,)),
        "The capture lacks 106 octets of the control connection (packet 16).",
    )


def test_ids_of_calls_before_the_capture():
    talk = Session(begins=False).outgoing(0x11, 0x22).client_sends(0x22, 0).server_sends(0x11, 0)
    assert kinds(talk.client_says(clear(0x77))) == []


def test_ids_that_do_not_fit(engine):
    talk = Call().network().client_says(clear(0x77))
    assert only(talk.pcap(), engine) == (
        *(0, "ID_MISMATCH", (14,)),
        "No call of the connection has the id of 1 control message (packet 14: 119).",
    )
    talk = Call().network().client_says(clear(0x22))
    assert only(talk.pcap(), engine) == (
        *(0, "ID_MISMATCH", (14,)),
        "A Call-Clear-Request or Call-Disconnect-Notify (packet 14) has the id that its receiver gave, not its own.",
    )


def test_packets_of_a_pair_that_is_mixed_prove_nothing():
    """Enhanced GRE that one call lacks can be in the other one, whose numbers come again."""
    one = Call().network().s("21 45")
    for number in (*range(4, 16), *range(4, 16)):
        one.client_sends(0x22, number, payload=octets(f"21 45{number:02x}"))
    one.s("21 45")
    another = Call(one.packets, port=40001, ids=(0x33, 0x44))
    another.c(*[packet(LCP, 1)] * 4)
    found = [(call, kind) for call, kind, _, _ in told(one.pcap())]
    assert (0, "MIXED") in found
    assert [kind for call, kind in found if call == 1] == []
    # The second call alone looks as if the server were blocked.
    assert kinds(Call(port=40001, ids=(0x33, 0x44)).c(*[packet(LCP, 1)] * 4)) == ["GRE_BLOCKED"]


def test_loss_among_packets_that_came_late():
    """The first gap was filled, and the sentence does not say that it is lost."""
    numbers = [5, 4, *range(6, 20), *range(30, 500)]
    assert [sentence for _, kind, _, sentence in told(numbered(*numbers).pcap()) if kind == "LOSS"] == [
        "Of 500 packets of the client (PNS), 10 are not in the capture (2.0%), between packets 30 and 31."
    ]


def test_the_advice_of_a_lost_connection():
    by_server, by_client = (
        pptpcap.read(talk.pcap()).diagnose()
        for talk in (Call().network().server_says(flags="FA"), Call().network().client_says(flags="R"))
    )
    assert "807" in by_server[0].advice
    assert "reset" not in by_server[0].advice
    assert "807" not in by_client[0].advice
    assert "reset" in by_client[0].advice

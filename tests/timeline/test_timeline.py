"""What each kind of traffic becomes in a timeline, on made conversations.  The client is the PNS."""

from __future__ import annotations

import pytest
from builder import control, cut, echo
from call_builder import (
    Session,
    clear,
    disconnect,
    octets,
    outgoing_reply,
    outgoing_request,
    packet,
    wan_error,
)
from helpers import names_of

import pptpcap
from pptpcap.timeline import EVENTS, EventKind

LCP, CCP, IPCP, CHAP, PAP = "c021", "80fd", "8021", "c223", "c023"


def events(talk: Session, engine="compiled", call: int = 0, **more):
    return pptpcap.read(talk.pcap(), engine=engine, **more).timeline(call)


def of_kind(found, *kinds: EventKind):
    return [(event.packets, event.side, event.text) for event in found if event.kind in kinds]


def call_with_numbers(*numbers: int) -> Session:
    """The client's packets have these sequence numbers, from packet 6 on, and come within a second."""
    talk = Session().outgoing(0x11, 0x22)
    for place, number in enumerate(numbers):
        talk.client_sends(0x22, number).after(10, place)
    return talk


# ---- loss


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1, 2, 3], []),
        ([1, 3], [((6, 7), EventKind.LOSS, "1 packet lost: sequence number 2")]),
        ([1, 5], [((6, 7), EventKind.LOSS, "3 packets lost: sequence numbers 2 to 4")]),
        ([1, 3, 2], [((6, 8), EventKind.REORDERED, "1 packet came late: sequence number 2")]),
        ([1, 5, 3], [((6, 8), EventKind.LOSS, "2 packets lost: of sequence numbers 2 to 4; 1 packet came late")]),
        # Less than a second apart.
        ([1, 3, 4, 6], [((6, 9), EventKind.LOSS, "2 packets lost: sequence numbers 2, 5")]),
        ([1, 1], [((7,), EventKind.DUPLICATES, "1 packet came again: sequence number 1")]),
        ([1, 2, 2, 1], [((8, 9), EventKind.DUPLICATES, "2 packets came again: sequence numbers 1 to 2")]),
        ([9, 7, 10], [((7,), EventKind.REORDERED, "1 packet came late, with sequence numbers below the first")]),
        ([1, 3, 2, 4, 6, 5], [((6, 11), EventKind.REORDERED, "2 packets came late: sequence numbers 2, 5")]),
        # Nine gaps are too many to name.
        (
            range(1, 20, 2),
            [((6, 15), EventKind.LOSS, "9 packets lost: among sequence numbers 2 to 18")],
        ),
        # Numbers wrap.
        ([0xFFFFFFFE, 1], [((6, 7), EventKind.LOSS, "2 packets lost: sequence numbers 4294967295 to 0")]),
    ],
)
def test_numbers(engine, numbers, expected):
    found = events(call_with_numbers(*numbers), engine)
    kinds = (EventKind.LOSS, EventKind.REORDERED, EventKind.DUPLICATES)
    assert [(event.packets, event.kind, event.text) for event in found if event.kind in kinds] == expected
    assert all(event.side == "PNS" for event in found if event.kind in kinds)


def test_losses_more_than_a_second_apart_have_a_line_each():
    talk = Session().outgoing(0x11, 0x22)
    for place, number in enumerate([1, 3, 4, 6]):
        talk.client_sends(0x22, number).after(10 + 2 * place)
    assert of_kind(events(talk), EventKind.LOSS) == [
        ((6, 7), "PNS", "1 packet lost: sequence number 2"),
        ((8, 9), "PNS", "1 packet lost: sequence number 5"),
    ]


def test_many_losses_are_64_lines():
    talk = Session().outgoing(0x11, 0x22)
    # Gap n comes n seconds after the one before it, so the first ones become one.
    second = 0
    for place in range(1, 100):
        second += place + 1
        talk.client_sends(0x22, 3 * place).after(second)
        talk.client_sends(0x22, 3 * place + 1).after(second)
    found = of_kind(events(talk), EventKind.LOSS)
    assert len(found) == 64
    # Of 98 gaps, the last 63 have a line each.
    assert found[0] == ((7, 76), "PNS", "35 packets lost: among sequence numbers 5 to 107")
    assert found[1] == ((77, 78), "PNS", "1 packet lost: sequence number 110")
    assert found[-1] == ((201, 202), "PNS", "1 packet lost: sequence number 296")


# ---- data


def test_first_and_last_data(engine):
    talk = call_with_numbers().client_sends(0x22, 0, payload=octets("21 450000"))
    talk.client_sends(0x22, 1, payload=octets("57 60")).server_sends(0x11, 0, payload=octets("21 45"))
    talk.client_sends(0x22, 2, payload=octets("21 45")).client_sends(0x22, ack=0)
    assert of_kind(events(talk, engine), EventKind.DATA) == [
        ((6,), "PNS", "first data: IPv4"),
        ((7,), "PNS", "first data of another kind: IPv6"),
        ((8,), "PAC", "first data: IPv4"),
        ((8,), "PAC", "last data: 1 packet of 2 octets in all"),
        ((9,), "PNS", "last data: 3 packets of 8 octets in all"),
    ]


def test_encrypted_or_compressed_data():
    """Protocol 00FD is MPPE after a Configure-Ack with MPPE."""
    compressed = call_with_numbers().client_sends(0x22, 0, payload=octets("fd 9000"))
    assert of_kind(events(compressed), EventKind.DATA)[0][2] == "first data: compressed datagram"
    agreed = call_with_numbers().client_sends(0x22, 0, payload=octets(packet(CCP, 2, "12 06 01000040")))
    encrypted = agreed.client_sends(0x22, 1, payload=octets("fd 9000"))
    assert of_kind(events(encrypted), EventKind.DATA)[0][2] == "first data: encrypted with MPPE"


# ---- echoes


def echo_reply(identifier: int) -> bytes:
    return control(6, identifier.to_bytes(4, "big") + bytes([1, 0, 0, 0]))


def test_control_echoes(engine):
    talk = Session().outgoing(0x11, 0x22)
    talk.client_says(echo(1)).after(10).server_says(echo_reply(1)).after(10, 2_500)
    talk.client_says(echo(2)).after(20).server_says(echo_reply(2)).after(20, 4_500)
    talk.client_says(echo(3)).after(30).client_says(echo(4)).after(40).client_says(clear(0x11)).after(50)
    found = events(talk, engine)
    assert of_kind(found, EventKind.ECHO) == [
        ((6, 9), "PNS", "2 control Echo-Requests answered in 2.5, 3.5, 4.5 ms (least, mean, greatest)")
    ]
    assert of_kind(found, EventKind.UNANSWERED) == [
        ((10, 11), "PNS", "2 control Echo-Requests not answered: packets 10, 11")
    ]


def test_echoes_of_another_time_are_of_no_call():
    """Before the call, and after its end."""
    talk = Session().client_says(echo(1)).server_says(echo_reply(1)).outgoing(0x11, 0x22)
    talk.client_says(clear(0x11)).server_says(disconnect(0x22, 4))
    talk.client_says(echo(2)).server_says(echo_reply(2))
    assert not of_kind(events(talk), EventKind.ECHO, EventKind.UNANSWERED)


def lcp_echo(code: int, identifier: int) -> bytes:
    return octets(f"{LCP} {code:02x}{identifier:02x}0008 00000000")


def test_lcp_echoes(engine):
    """A packet is a second behind the one before it."""
    talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0).client_sends(0x22, 0)
    talk.server_sends(0x11, 1, payload=lcp_echo(9, 1)).client_sends(0x22, 1, payload=lcp_echo(10, 1))
    talk.server_sends(0x11, 2, payload=lcp_echo(9, 2)).server_sends(0x11, 3, payload=lcp_echo(9, 3))
    talk.client_sends(0x22, 2, payload=lcp_echo(10, 3))
    assert of_kind(events(talk, engine), EventKind.ECHO, EventKind.UNANSWERED) == [
        ((8, 9), "PAC", "LCP Echo-Request answered in 1000.0 ms"),
        ((10,), "PAC", "LCP Echo-Request not answered"),
        ((11, 12), "PAC", "LCP Echo-Request answered in 1000.0 ms"),
    ]


def test_copies_of_echoes_are_no_requests_and_no_replies():
    talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0).client_sends(0x22, 0)
    for _ in range(2):
        talk.server_sends(0x11, 1, payload=lcp_echo(9, 1))
    for _ in range(2):
        talk.client_sends(0x22, 1, payload=lcp_echo(10, 1))
    (found,) = of_kind(events(talk), EventKind.ECHO, EventKind.UNANSWERED)
    assert found[:2] == ((8, 10), "PAC")
    assert "not answered" not in found[2]


def test_requests_of_a_side_that_closes_the_link(engine):
    """Nobody answers them, so they have a line of their own; behind a Configure-Ack they are echoes again."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0)
    talk.server_sends(0x11, 0, payload=octets(packet(LCP, 5))).server_sends(0x11, 1, payload=lcp_echo(9, 1))
    talk.server_sends(0x11, 2, payload=octets(packet(LCP, 2))).server_sends(0x11, 3, payload=lcp_echo(9, 2))
    assert of_kind(events(talk, engine), EventKind.LCP, EventKind.UNANSWERED) == [
        ((7,), "PAC", "LCP Terminate-Request id 7"),
        ((8,), "PAC", "LCP Echo-Request id 1"),
        ((9,), "PAC", "LCP Configure-Ack id 7"),
        ((10,), "PAC", "LCP Echo-Request not answered"),
    ]


def test_echoes_of_one_side_are_not_called_unanswered():
    talk = Session(begins=False).server_sends(0x11, 1, payload=lcp_echo(9, 1))
    assert of_kind(events(talk), EventKind.ECHO, EventKind.UNANSWERED) == [
        ((1,), "PNS", "LCP Echo-Request; the call has no Enhanced GRE of the side that answers")
    ]
    talk = Session(begins=False).server_sends(0x11, 1, payload=lcp_echo(10, 1))
    assert of_kind(events(talk), EventKind.ECHO, EventKind.UNANSWERED) == [
        ((1,), "PNS", "LCP Echo-Reply; the call has no Enhanced GRE of the side that asks")
    ]


# ---- half a conversation


def test_half_a_conversation():
    """Of the server alone: its segments and its tunnel."""
    talk = Session(begins=False)
    talk.server_says(outgoing_reply(0x22, 0x11)).server_sends(0x11, 0, payload=octets(packet(LCP, 1)))
    assert of_kind(events(talk), EventKind.MISSING) == [
        ((), "PNS", "half a conversation: the control connection has no TCP segment of the PNS"),
        ((), "PNS", "half a conversation: the call has no Enhanced GRE of the PNS"),
    ]


def test_who_acted_first_in_half_a_conversation(engine):
    """The client may have ended it before: that is not in the capture."""
    talk = Session(begins=False).server_says(outgoing_reply(0x22, 0x11)).server_sends(0x11, 0)
    assert events(talk.server_says(flags="FA"))[-1].text == (
        "ended: lost (FIN), PAC first (half a conversation); reached: network; FIN of the PAC in packet 3"
    )
    # The Enhanced GRE of both sides, and TCP of the server alone; TCP of both, and Enhanced GRE of the server alone.
    talk = Session(begins=False).server_says(outgoing_reply(0x22, 0x11)).server_sends(0x11, 0).client_sends(0x22, 0)
    assert "lost (FIN), PAC first (half a conversation); " in events(talk.server_says(flags="FA"), engine)[-1].text
    talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0).server_says(flags="FA")
    assert "lost (FIN), PAC first (half a conversation); " in events(talk, engine)[-1].text
    # The link did not open: the client may have sent none.
    talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0, payload=octets(packet(LCP, 1)))
    assert "no PPP from the PNS, PAC first; " in events(talk.server_says(flags="FA"), engine)[-1].text
    # Nobody knows of a reply that there was none.
    talk = Session(begins=False).client_says(outgoing_request(0x11)).client_says(clear(0x11))
    assert events(talk, engine)[-1].text == (
        "ended: cleared, PNS first (half a conversation); reached: request; Call-Clear-Request of the PNS in packet 2"
    )
    talk = Session().client_says(outgoing_request(0x11)).client_says(clear(0x11))
    assert "ended: no reply, PNS first; " in events(talk, engine)[-1].text
    talk = Session(begins=False).server_sends(0x11, 0, payload=octets(packet(LCP, 5)))
    assert "terminated, PNS first (assumed, half a conversation); " in events(talk)[-1].text


def test_a_request_and_a_reply_that_are_missing(engine):
    talk = Session().server_says(outgoing_reply(0x22, 0x11)).client_sends(0x22, 0).server_sends(0x11, 0)
    assert ((), "PNS", "the request of the call is not in the capture") in of_kind(
        events(talk, engine), EventKind.MISSING
    )
    talk = Session().client_says(outgoing_request(0x11)).client_sends(0x22, 0).server_sends(0x11, 0)
    assert ((), "PAC", "the reply of the call is not in the capture") in of_kind(
        events(talk, engine), EventKind.MISSING
    )
    # The client said goodbye to a call of which no message came before.
    talk = Session().client_sends(0x22, 0).server_sends(0x11, 0).client_says(clear(0x11))
    assert ((), "", "the request and reply of the call are not in the capture") in of_kind(
        events(talk, engine), EventKind.MISSING
    )
    # The reply is there, but not its result.
    talk = Session().client_says(outgoing_request(0x11)).server_says(outgoing_reply(0x22, 0x11), snap=16)
    found = of_kind(events(talk.client_sends(0x22, 0).server_sends(0x11, 0), engine), EventKind.MISSING)
    assert ((), "PAC", "the reply of the call is cut, or not in the capture") in found
    talk = Session().client_says(outgoing_request(0x11)).server_says(outgoing_reply(0x22, 0x11), snap=8)
    found = of_kind(events(talk.client_sends(0x22, 0).server_sends(0x11, 0), engine), EventKind.MISSING)
    assert ((), "PAC", "the reply of the call is cut, or not in the capture") in found
    # It has no call yet.
    talk = Session().client_says(outgoing_request(0x11))
    assert not of_kind(events(talk, engine), EventKind.MISSING)


def test_a_call_that_goes_on():
    assert events(call_with_numbers(1, 2))[-1].text == (
        "open: the capture has no end of it; reached: network; last seen in packet 7"
    )


def test_a_whole_conversation_lacks_nothing():
    talk = call_with_numbers(1).server_sends(0x11, 1)
    (link,) = of_kind(events(talk), EventKind.MISSING)
    assert link[2] == "how the link was agreed on is not in the capture: it has no LCP Configure-Ack of the call"
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0, payload=octets(packet(LCP, 2)))
    talk.client_sends(0x22, 1).server_sends(0x11, 1)
    assert not of_kind(events(talk), EventKind.MISSING)


def test_roles():
    assumed = Session(begins=False).client_sends(0x22, 0)
    assert of_kind(events(assumed), EventKind.MISSING)[0][2].startswith("PNS and PAC are assumed")
    told = Session(begins=False).client_sends(0x22, 0).server_sends(0x11, 0, payload=octets(packet(CHAP, 1, "00")))
    assert of_kind(events(told), EventKind.MISSING)[0][2] == (
        "no control message says who the PNS is: the side that authenticates the other is the PAC"
    )


# ---- PPP

TEXTS = [
    (packet(LCP, 1, "0104 05aa"), "LCP Configure-Request id 7: MRU 1450"),
    (packet(LCP, 3, "0304 c023"), "LCP Configure-Nak id 7: Authentication-Protocol PAP"),
    (packet(LCP, 4, "0305 c223 80"), "LCP Configure-Reject id 7: Authentication-Protocol MS-CHAPv1"),
    (packet(LCP, 1, "0304 1234"), "LCP Configure-Request id 7: Authentication-Protocol 0x1234"),
    (packet(LCP, 1, "0408 c025 000001f4"), "LCP Configure-Request id 7: Quality-Protocol LQR every 5.00 s"),
    (packet(LCP, 1, "0d03 06"), "LCP Configure-Request id 7: Callback CBCP"),
    (packet(LCP, 1, "1104 064e"), "LCP Configure-Request id 7: MRRU 1614"),
    (
        packet(LCP, 1, "1309 03 001122334455"),
        "LCP Configure-Request id 7: Endpoint-Discriminator MAC 00:11:22:33:44:55",
    ),
    # A name, maybe.
    (packet(LCP, 1, "1306 01 6c6162"), "LCP Configure-Request id 7: Endpoint-Discriminator local of 3 octets"),
    # A length that is not the option's: as it is.
    (packet(LCP, 1, "0105 05aa00"), "LCP Configure-Request id 7: MRU 0x05aa00"),
    (packet(LCP, 1, "c80b 010203040506070809"), "LCP Configure-Request id 7: option 200 0x0102030405060708..."),
    (packet(LCP, 12, "00000000"), "LCP Identification id 7"),
    (packet(LCP, 99), "LCP code 99 id 7"),
    (
        packet(IPCP, 1, "0306 0a000005 8106 08080808"),
        "IPCP Configure-Request id 7: IP-Address 10.0.0.5, Primary-DNS 8.8.8.8",
    ),
    (packet(IPCP, 4, "0204 0061"), "IPCP Configure-Reject id 7: IP-Compression-Protocol 0x0061"),
    (packet("8057", 2, "010a 0211223344556677"), "IPv6CP Configure-Ack id 7: Interface-Identifier 0211:2233:4455:6677"),
    (packet(CCP, 1, "1206 010000e1"), "CCP Configure-Request id 7: MPPE 128/56/40 bits stateless and MPPC"),
    (packet(CCP, 1, "1206 00000020"), "CCP Configure-Request id 7: MPPE 40 bits stateful"),
    (packet(CCP, 3, "1206 00000000"), "CCP Configure-Nak id 7: MPPE nothing"),
    (packet(CCP, 1, "1206 01000050"), "CCP Configure-Request id 7: MPPE 128 bits stateless and 0x00000010"),
    (packet(CCP, 4, "1a04 7800"), "CCP Configure-Reject id 7: Deflate 0x7800"),
    (packet(CCP, 1), "CCP Configure-Request id 7"),
    (packet(PAP, 1, "03 6c6162 06 736563726574"), "PAP Authenticate-Request id 7"),
    (packet(PAP, 3, "00"), "PAP Authenticate-Nak id 7"),
    (packet("8225", 1), "protocol 0x8225 Configure-Request id 7"),
    # One octet of an option is left.
    (packet(LCP, 1, "01"), "LCP Configure-Request id 7 [BAD_OPTION]"),
    (f"{LCP} 01", "LCP packet without a whole head [MALFORMED]"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[expected for _, expected in TEXTS])
def test_packets_of_ppp(text, expected):
    talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0, payload=octets(text))
    found = of_kind(
        events(talk),
        *(EventKind.LCP, EventKind.AUTHENTICATION, EventKind.COMPRESSION, EventKind.NETWORK, EventKind.PPP),
    )
    assert found == [((6,), "PAC", expected)]


def test_kinds_of_ppp():
    kinds = {LCP: "LCP", PAP: "AUTHENTICATION", "c227": "AUTHENTICATION", CCP: "COMPRESSION", "8053": "COMPRESSION"}
    for protocol, kind in {**kinds, IPCP: "NETWORK", "8281": "NETWORK", "c029": "PPP"}.items():
        talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0, payload=octets(packet(protocol, 2, "00")))
        assert [event.kind.name for event in events(talk) if event.packets == (6,)][:1] == [kind], protocol


def test_resets_of_compression_are_summed_up():
    talk = Session().outgoing(0x11, 0x22)
    for number in range(5):
        talk.server_sends(0x11, number, payload=octets(packet(CCP, 14))).after(10, number)
    assert of_kind(events(talk), EventKind.COMPRESSION) == [((6, 10), "PAC", "5 CCP Reset-Requests")]


def test_only_the_first_terminate_request_has_the_reason():
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0)
    for number in range(2):
        talk.server_sends(0x11, number, payload=octets(packet(LCP, 5, b"bye \x1b[2J".hex())))
    assert of_kind(events(talk), EventKind.LCP) == [
        ((7,), "PAC", 'LCP Terminate-Request id 7: "bye \\x1b[2J"'),
        ((8,), "PAC", "LCP Terminate-Request id 7"),
    ]


def ends(talk: Session) -> str:
    """The last line, without how far the call came."""
    said: str = events(talk)[-1].text
    return said[said.index("; reached: ") :].partition("; ")[2].partition("; ")[2]


def network() -> Session:
    """Packets 6 to 13: LCP without authentication, and IPCP."""
    talk = Session().outgoing(0x11, 0x22)
    for number, (protocol, code) in enumerate([(LCP, 1), (LCP, 2), (IPCP, 1), (IPCP, 2)]):
        talk.client_sends(0x22, number, payload=octets(packet(protocol, code)))
        talk.server_sends(0x11, number, payload=octets(packet(protocol, code)))
    return talk


def test_all_echoes_that_prove_a_silent_side_are_counted():
    talk = network()
    for number in range(4, 14):
        talk.server_sends(0x11, number, payload=lcp_echo(9, number))
    talk.server_sends(0x11, 14, payload=octets(packet(LCP, 5)))
    assert ends(talk) == (
        "unanswered LCP Echo-Request of the PAC in 10 packets from 14 to 23, LCP Terminate-Request of the PAC in packet 24"
    )


def test_echoes_of_the_connection_prove_a_silent_side():
    talk = network().server_sends(0x11, 4, payload=lcp_echo(9, 1))
    talk.server_says(echo(1)).server_says(echo(2)).server_sends(0x11, 5, payload=octets(packet(LCP, 5)))
    assert ends(talk) == (
        "unanswered control Echo-Request of the PAC in 2 packets from 15 to 16, LCP Terminate-Request of the PAC in "
        "packet 17"
    )


def test_echoes_of_one_direction_prove_no_silent_side():
    talk = Session().outgoing(0x11, 0x22)
    for number in range(3):
        talk.server_sends(0x11, number, payload=lcp_echo(9, number))
    talk.server_says(echo(1)).server_says(echo(2)).server_says(flags="FA")
    assert ends(talk).startswith("unanswered control Echo-Request of the PAC in 2 packets from 9 to 10, FIN of the PAC")


def test_a_method_that_was_declined_in_two_ways():
    talk = Session().outgoing(0x11, 0x22).server_sends(0x11, 0, payload=octets(packet(LCP, 1, "0305 c223 81")))
    for number, code in enumerate((3, 4)):
        talk.client_sends(0x22, number, payload=octets(packet(LCP, code, "0304 c023")))
    talk.server_sends(0x11, 1, payload=octets(packet(LCP, 5)))
    assert "; LCP Configure-Request with authentication of the PAC in packet 6, LCP Configure-Nak and LCP " in (
        text := events(talk)[-1].text
    )
    assert "Configure-Reject of the PNS in 2 packets from 7 to 8, " in text


def test_a_refusal_that_was_taken_back_proves_nothing():
    talk = Session().outgoing(0x11, 0x22)
    for number, text in enumerate([packet(CHAP, 4, b"E=691 R=1".hex()), packet(CHAP, 3)]):
        talk.server_sends(0x11, number, payload=octets(text))
    talk.client_sends(0x22, 0, payload=octets(packet(CHAP, 4))).client_sends(0x22, 1, payload=octets(packet(LCP, 5)))
    assert ends(talk) == "CHAP Failure of the PNS in packet 8, LCP Terminate-Request of the PNS in packet 9"


def test_text_that_is_not_whole():
    talk = network().client_sends(0x22, 4, payload=octets(packet(LCP, 5, b"no more".hex())))
    whole = talk.frames()[-1]
    talk.packets[-1] = cut(whole, len(whole) - 3)
    said = '"no m", of which the end is not captured'
    assert [text for *_, text in of_kind(events(talk), EventKind.LCP)][-1].endswith(
        f"Terminate-Request id 7 [CUT]: {said}"
    )
    assert ends(talk) == f"LCP Terminate-Request of the PNS in packet 14: {said}"
    talk = network().client_sends(0x22, 4, payload=octets(packet(LCP, 5, (65 * b".").hex())))
    assert ends(talk) == f'LCP Terminate-Request of the PNS in packet 14: "{64 * "."}", the first 64 of 65 octets'


def test_a_refusal_has_its_error():
    failure = packet(CHAP, 4, b"E=649 R=0".hex())
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 0).server_sends(0x11, 0, payload=octets(failure))
    assert of_kind(events(talk), EventKind.AUTHENTICATION) == [
        ((7,), "PAC", "CHAP Failure id 7: error 649 (no dial-in permission)")
    ]


# ---- the control connection


def test_messages_of_another_call_are_not_in_it(engine):
    talk = Session().outgoing(0x11, 0x22).outgoing(0x12, 0x23).client_says(clear(0x12)).server_says(wan_error(0x11))
    one, other = (of_kind(events(talk, engine, number), EventKind.CONTROL) for number in (0, 1))
    assert [packets for packets, _, _ in one] == [(4,), (5,), (9,)]
    assert [packets for packets, _, _ in other] == [(6,), (7,), (8,)]


def test_the_connection_is_older_than_the_capture():
    talk = Session(begins=False).outgoing(0x11, 0x22)
    (found,) = of_kind(events(talk), EventKind.CONNECTION)
    assert found == ((1,), "", "TCP connection 10.0.0.2:40000 > 10.0.0.1:1723 is older than the capture")


def test_a_refused_call():
    talk = Session().client_says(outgoing_request(0x11)).server_says(outgoing_reply(0, 0x11, 4))
    end = events(talk)[-1]
    assert (end.packets, end.side) == ((5,), "PAC")
    assert end.text == (
        "ended: refused (4: busy), PAC first; reached: request; Outgoing-Call-Reply of the PAC in packet 5"
    )


def test_hostile_text_is_escaped():
    request = control(7, (0x11).to_bytes(2, "big") + bytes(26) + b"\x1b]0;x\x07" + bytes(122))
    talk = Session().client_says(request)
    assert all(event.text.isprintable() for event in events(talk))
    assert any("\\x1b]0;x\\x07" in event.text for event in events(talk))


def test_of_many_messages_the_middle_is_left_out():
    talk = Session().outgoing(0x11, 0x22)
    for _ in range(2_500):
        talk.server_says(wan_error(0x11))
    found = of_kind(events(talk), EventKind.CONTROL, EventKind.LEFT_OUT)
    assert len(found) == 2_001
    # Two messages of the call, then 998 of these.
    assert found[1_000] == ((1_004,), "", "502 control messages are left out here")
    assert found[999][0] == (1_003,)
    assert found[1_001][0] == (1_506,)
    assert found[-1][0] == (2_505,)


# ---- what cannot be told


def test_what_was_not_read():
    data = call_with_numbers(1).pcap()
    capture = pptpcap.read(data)
    for number in (-1, 1):
        with pytest.raises(ValueError, match=f"there is no call {number}; the capture has 1, counted from 0"):
            capture.timeline(number)
    with pytest.raises(KeyError, match="'tunnels' is not among the tables"):
        pptpcap.read(data, tables=["calls", "connections"]).timeline(0)
    columns = [name for name in names_of(capture.gre) if name != "sequence_number"]
    with pytest.raises(ValueError, match="a timeline needs columns of gre that were not read: sequence_number"):
        pptpcap.read(data, columns={"gre": columns}).timeline(0)
    *_, last = pptpcap.iterate(data, batch_packets=2)
    with pytest.raises(ValueError, match="a batch has a part of the call"):
        last.timeline(0)


def test_narrow_columns_are_enough():
    from pptpcap.timeline import COLUMNS, ENTITIES

    data = call_with_numbers(1, 3).pcap()
    narrow = pptpcap.read(data, tables=[*ENTITIES, *EVENTS], columns=COLUMNS)
    assert narrow.timeline(0) == pptpcap.read(data).timeline(0)


def test_sides_are_those_of_the_call():
    """The PAC may open the connection; which side sent its first packet is not known."""
    talk = Session().server_says(outgoing_request(0x11)).client_says(outgoing_reply(0x22, 0x11))
    found = of_kind(events(talk), EventKind.CONNECTION, EventKind.CONTROL)
    assert [side for _, side, _ in found] == ["", "PNS", "PAC"]


def test_the_time_of_the_end_is_that_of_the_packet_that_ended_the_call(engine):
    """Ten requests in vain prove the reason, and the FIN behind them ended the call."""
    talk = Session().outgoing(0x11, 0x22)
    for number in range(10):
        talk.server_sends(0x11, number, payload=octets(packet("c021", 1)))
    capture = pptpcap.read(talk.client_says(flags="FA").pcap(), engine=engine)
    (call,) = capture.calls
    *_, closing, ended = capture.timeline(0)
    assert call["end_packet"] == 16
    assert closing.text == "TCP connection ends: FIN"
    assert closing.packets == (16,)
    assert closing.time == ended.time == call["end_time"]
    assert 16 in ended.packets

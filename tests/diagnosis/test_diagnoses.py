"""Diagnoses of Enhanced GRE and of PPP, and how they are asked for.

Each on a made conversation, and beside it one that differs in one thing and has none.  The client is the PNS,
10.0.0.2.  Its connection and its call take packets 1 to 5; each packet comes a second later.
"""

from __future__ import annotations

import pytest
from builder import cut, echo, gre, gre_frame, pcap
from call_builder import (
    INNER,
    Session,
    clear,
    octets,
    outgoing_reply,
    packet,
)
from diagnosed import CCP, CHAP, IPCP, LCP, PAP, REQUEST, Call, kinds, only, told

import pptpcap
from pptpcap.diagnosis import DiagnosisKind

MPPE_128, MPPE_40 = "12 06 01000040", "12 06 01000020"


# ---- Enhanced GRE


def test_gre_blocked(engine):
    talk = Call().s(REQUEST, REQUEST, REQUEST)
    assert only(talk.pcap(), engine) == (
        *(0, "GRE_BLOCKED", (6, 8)),
        "The server (PAC) sent 3 LCP Configure-Requests (packets 6 to 8) and got no Enhanced GRE back: protocol 47 is "
        "probably blocked on the side of the client (PNS), or the client sent none.",
    )
    assert only(Call().c(REQUEST, REQUEST, REQUEST).pcap())[3].startswith("The client (PNS) sent 3 LCP Configure-Requ")


def test_gre_not_blocked():
    # Two requests may be an accident.
    assert kinds(Call().s(REQUEST, REQUEST)) == []
    # Something came back.
    assert kinds(Call().s(REQUEST, REQUEST, REQUEST).c(REQUEST)) == []
    # The server answers something.
    assert kinds(Call().s(REQUEST, REQUEST, REQUEST, packet(LCP, 3, "0104 05aa"))) == []
    # Of three packets two are copies.
    blocked = Call().s(REQUEST, REQUEST)
    assert told(pcap([one for one in blocked.packets for _ in range(2)])) == []
    # Data of a call whose LCP is older.
    assert kinds(Call().s(REQUEST, REQUEST, REQUEST, "21 45")) == []


def test_one_direction_proves_nothing_blocked(engine):
    """Of the server alone: its segments and its tunnel."""
    talk = Session(begins=False).server_says(outgoing_reply(0x22, 0x11))
    for number in range(4):
        talk.server_sends(0x11, number, payload=octets(REQUEST))
    assert only(talk.pcap(), engine) == (
        *(0, "ONE_DIRECTION", (1,)),
        "For this call the capture has no TCP segment and no Enhanced GRE of the client (PNS) (packet 1 is its first "
        "packet): what it sent, and whether it sent anything, cannot be told.",
    )


def test_what_another_call_has_is_in_the_capture():
    """The client sends with another id from some time on: the server's packets are those of the first call."""
    talk = Call().network().s("21 45").client_sends(0x77, 0).client_sends(0x77, 1)
    changed, note = told(talk.s("21 45").pcap())
    assert changed[:2] == (0, "GRE_OTHER_ID")
    assert note[3].startswith("For this call the capture has no Enhanced GRE of the PAC (assumed)")


def test_assumed_roles_are_marked():
    found = only(Session(begins=False).client_sends(0x22, 0).pcap())
    assert found[3].startswith("For this call the capture has no Enhanced GRE of the PAC (assumed) (packet 1 is ")


def test_gre_of_neither_side(engine):
    talk = Call().client_says(echo(1)).client_says(echo(2)).client_says(echo(3))
    assert only(talk.pcap(), engine) == (
        *(0, "NO_GRE", (5,)),
        "The call was connected (packet 5), and no Enhanced GRE of it came, nor of any other: the capture filter "
        "probably left out protocol 47; if it did not, it is blocked from both sides.",
    )
    # Not yet.
    assert kinds(Call().client_says(echo(1)).client_says(echo(2))) == []


def test_gre_of_which_the_tunnel_is_not_known_proves_nothing(engine):
    """The snap length cuts the header of Enhanced GRE."""
    talk = Call().s(REQUEST, REQUEST, REQUEST)
    whole = gre_frame(gre(octets(REQUEST), 0x22, 0))
    talk.packets.append(cut(whole, len(whole) - 14))
    assert told(talk.pcap(), engine) == []
    talk = Call().client_says(echo(1)).client_says(echo(2)).client_says(echo(3))
    talk.packets.append(cut(whole, len(whole) - 14))
    assert told(talk.pcap(), engine) == []


def test_gre_of_another_call_only(engine):
    talk = Call().client_says(echo(1)).client_says(echo(2)).client_says(echo(3))
    Session(talk.packets, begins=False, client=bytes([10, 0, 0, 9])).client_sends(0x33, 0).server_sends(0x44, 0)
    assert only(talk.pcap(), engine) == (
        *(0, "GRE_BLOCKED", (5,)),
        "The call was connected (packet 5), and no Enhanced GRE of it came, though the capture has that of other calls: "
        "protocol 47 is probably blocked from both sides.",
    )


def test_gre_with_another_id(engine):
    talk = Call().s(REQUEST).client_sends(0x23, 0, payload=octets(REQUEST)).s(REQUEST, REQUEST)
    found = told(talk.pcap(), engine)
    assert found[0] == (
        *(0, "GRE_OTHER_ID", (6, 7, 9)),
        "The server (PAC) sent 3 LCP Configure-Requests (packets 6 to 9), and got Enhanced GRE back with id 35 instead "
        "of 34 (from packet 7 on): probably something between the two rewrites ids.",
    )
    # The rest is a note on the call that nothing else is known of.
    assert [kind for _, kind, _, _ in found[1:]] == ["ONE_DIRECTION"]
    assert kinds(Call().s(REQUEST).client_sends(0x22, 0, payload=octets(REQUEST)).s(REQUEST, REQUEST)) == []


def test_gre_of_a_call_of_which_no_message_tells(engine):
    """Between the same addresses, in both directions."""
    talk = Call().s(REQUEST).client_sends(0x23, 0).server_sends(0x12, 0).s(REQUEST, REQUEST)
    assert only(talk.pcap(), engine)[1:3] == ("GRE_BLOCKED", (6, 10))


def test_gre_with_another_id_both_ways(engine):
    talk = Call().client_sends(0x23, 0).server_sends(0x12, 0).client_says(echo(1)).client_says(echo(2))
    assert only(talk.pcap(), engine) == (
        *(0, "GRE_OTHER_ID", (5, 6)),
        "The call was connected (packet 5), and no Enhanced GRE of it came: that between the two has id 18 and 35 "
        "(packet 6).",
    )
    # It was there before the call.
    older = Session(begins=False).client_sends(0x23, 0).server_sends(0x12, 0)
    blocked = Session(older.packets).outgoing(0x11, 0x22).client_says(echo(1)).client_says(echo(2)).client_says(echo(3))
    assert kinds(blocked) == ["GRE_BLOCKED"]


def test_no_ppp(engine):
    talk = Call().s(REQUEST).client_sends(0x22, ack=0).s(REQUEST).client_sends(0x22, ack=1).s(REQUEST)
    assert only(talk.pcap(), engine) == (
        *(0, "NO_PPP", (6, 7, 9, 10)),
        "The server (PAC) sent 3 LCP Configure-Requests (packets 6 to 10), and the client (PNS) acknowledged them "
        "(packets 7 and 9), but sent no PPP: protocol 47 gets through, and its PPP did not start.",
    )


def test_gre_not_received(engine):
    talk = Call().c(REQUEST).s(REQUEST, packet(LCP, 2)).c(REQUEST).s(packet(LCP, 2)).c(REQUEST)
    assert only(talk.pcap(), engine) == (
        *(0, "GRE_NOT_RECEIVED", (6, 8, 10, 11)),
        "The server (PAC) answered LCP Configure-Requests of the client (PNS) (packets 8 and 10); the client goes on "
        "asking (packets 6 to 11), and answers and acknowledges nothing: the Enhanced GRE of the server probably does "
        "not reach the client.",
    )
    # It asked before the server began.
    assert kinds(Call().c(REQUEST, REQUEST, REQUEST).s(REQUEST, packet(LCP, 2), packet(LCP, 2))) == []
    # It acknowledges the server's packets.
    talk = Call().c(REQUEST).s(REQUEST, packet(LCP, 2)).c(REQUEST, ack=0).s(packet(LCP, 2)).c(REQUEST)
    assert kinds(talk) == []


def test_gre_received_by_neither(engine):
    talk = Call().c(REQUEST, REQUEST, REQUEST).s(REQUEST, REQUEST, REQUEST)
    assert only(talk.pcap(), engine) == (
        *(0, "GRE_NOT_RECEIVED", (6, 8, 9, 11)),
        "Neither side answers the LCP Configure-Requests of the other, 3 of the client (PNS) (packets 6 to 8) and 3 of "
        "the server (PAC) (packets 9 to 11): protocol 47 is probably blocked both ways.",
    )
    assert kinds(Call().c(REQUEST, REQUEST, REQUEST).s(REQUEST, REQUEST)) == []


# ---- PPP


def test_link_not_agreed(engine):
    talk = Call().c(REQUEST).s(packet(LCP, 1, "0104 05dc"))
    talk.c(packet(LCP, 4, "0104 05dc")).s(packet(LCP, 1, "0104 05dc")).c(packet(LCP, 4, "0104 05dc"))
    talk.s(packet(LCP, 5, b"no MRU".hex()))
    assert only(talk.pcap(), engine) == (
        *(0, "LINK_NOT_AGREED", (8, 10, 11)),
        "LCP did not open: the client (PNS) rejected LCP MRU 1500 (2 times, packets 8 and 10). The server ended it "
        'with "no MRU" (packet 11).',
    )


def test_link_that_was_given_up_at_once_is_no_fault():
    talk = Call().c(REQUEST).s(packet(LCP, 1, "0104 05dc")).c(packet(LCP, 4, "0104 05dc"))
    assert kinds(talk.client_says(clear(0x11))) == []


def asks(*answers: str) -> Call:
    """The server asks for MS-CHAPv2; the client answers, and asks for nothing."""
    talk = Call().c(REQUEST).s(packet(LCP, 1, "0305 c223 81"), packet(LCP, 2))
    return talk.c(*answers)


def test_authentication_not_agreed(engine):
    talk = asks(packet(LCP, 4, "0305 c223 81")).s(packet(LCP, 5, b"peer refused to authenticate".hex()))
    assert only(talk.pcap(), engine) == (
        *(0, "AUTHENTICATION_NOT_AGREED", (7, 9, 10)),
        "The server (PAC) asks for MS-CHAPv2 (packet 7); the client (PNS) rejected any authentication (packet 9), and "
        'they agreed on none. The server ended it with "peer refused to authenticate" (packet 10).',
    )
    talk = asks(packet(LCP, 3, "0304 c023")).s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The server (PAC) asks for MS-CHAPv2 (packet 7); the client (PNS) would use PAP instead (packet 9), and they "
        "agreed on none."
    )


def test_authentication_that_was_agreed_on_after_all():
    talk = asks(packet(LCP, 3, "0304 c023")).s(packet(LCP, 1, "0304 c023")).c(packet(LCP, 2, "0304 c023"))
    assert kinds(talk.client_says(clear(0x11))) == []


def refused(text: str, method: str = "0305 c223 81") -> Call:
    talk = Call().c(REQUEST).s(packet(LCP, 1, method), packet(LCP, 2)).c(packet(LCP, 2, method))
    return talk.s(text)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (646, "restricted logon hours"),
        (647, "account disabled"),
        (648, "password expired"),
        (649, "no dial-in permission"),
        (691, "authentication failure"),
        (709, "error changing the password"),
        (999, "unknown"),
    ],
)
def test_login_failed(engine, code, name):
    talk = refused(packet(CHAP, 4, f"E={code} R=0".encode().hex()))
    assert only(talk.pcap(), engine) == (
        *(0, "AUTHENTICATION_FAILED", (10,)),
        f"The server (PAC) refused the login of the client (PNS) with MS-CHAPv2: CHAP Failure with error {code} "
        f"({name}) (packet 10).",
    )
    (found,) = pptpcap.read(talk.pcap()).diagnose()
    assert found.advice.endswith(f"A Windows client shows error {code}.")


@pytest.mark.parametrize(
    ("missing", "said", "advised"),
    [
        (3, "CHAP Failure with error 691 (authentication failure) (packet 10).", 691),
        (4, "CHAP Failure (packet 10).", 0),
    ],
)
def test_a_code_that_the_capture_cuts(engine, missing, said, advised):
    """E=691 R=0: behind its blank it is 691, before it there may be more digits."""
    talk = refused(packet(CHAP, 4, b"E=691 R=0".hex()))
    frame = talk.frames()[9]
    talk.packets[9] = cut(frame, len(frame) - missing)
    found = next(one for one in pptpcap.read(talk.pcap(), engine=engine).diagnose() if not one.kind.is_note)
    assert found.sentence.endswith(said)
    assert ("A Windows client shows" in found.advice) == bool(advised)


def test_login_failed_with_pap(engine):
    assert only(refused(packet(PAP, 3, "00"), "0304 c023").pcap(), engine)[3] == (
        "The server (PAC) refused the login of the client (PNS) with PAP: PAP Authenticate-Nak (packet 10)."
    )


def test_login_of_the_side_that_was_not_asked(engine):
    """The server acknowledged LCP without authentication, and the client refuses it all the same."""
    talk = refused(packet(CHAP, 3)).c(packet(CHAP, 4, b"E=691 R=0".hex()), packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The client (PNS) refused the login of the server (PAC): CHAP Failure with error 691 (authentication failure) "
        "(packet 11)."
    )


def test_login_that_was_accepted_in_the_end():
    talk = refused(packet(CHAP, 4, b"E=691 R=1".hex())).s(packet(CHAP, 3))
    assert kinds(talk) == []
    # The network is up.
    assert kinds(Call().network().s(packet(CHAP, 4, b"E=691 R=1".hex()))) == []


def test_mppe_required_as_a_side_says(engine):
    talk = Call().link().c(packet(LCP, 5, b"MPPE required but not available".hex())).s(packet(LCP, 6))
    assert only(talk.pcap(), engine) == (
        *(0, "MPPE_REQUIRED", (10,)),
        "The client (PNS) requires MPPE and ended the call for lack of it: its Terminate-Request (packet 10) says "
        '"MPPE required but not available".',
    )


def test_mppe_required_as_ccp_shows(engine):
    talk = Call().link().s(packet(CCP, 1, MPPE_128)).c(packet(CCP, 4, MPPE_128)).s(packet(LCP, 5))
    assert only(talk.pcap(), engine) == (
        *(0, "MPPE_REQUIRED", (10, 11)),
        "The server (PAC) asked for MPPE 128 bits stateless (packet 10); the client (PNS) rejected it (packet 11), and "
        "the server ended the call: it probably requires encryption.",
    )
    # Other strengths.
    talk = Call().link().s(packet(CCP, 1, MPPE_128)).c(packet(CCP, 3, MPPE_40)).s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The server (PAC) asked for MPPE 128 bits stateless (packet 10); the client (PNS) answered with MPPE 40 bits "
        "stateless (packet 11), and the server ended the call: it probably requires encryption."
    )
    talk = Call().link().s(packet(CCP, 1, MPPE_128)).c(packet(LCP, 8, "80fd")).s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The server (PAC) asked for MPPE 128 bits stateless (packet 10); the client (PNS) sent a Protocol-Reject, "
        "probably of CCP (packet 11), and the server ended the call: it probably requires encryption."
    )


def test_mppe_that_is_not_required():
    # The side that refused it ended the call.
    talk = Call().link().s(packet(CCP, 1, MPPE_128)).c(packet(CCP, 4, MPPE_128), packet(LCP, 5))
    assert "MPPE_REQUIRED" not in kinds(talk)
    # Another protocol was rejected, before.
    talk = Call().link().c(packet(LCP, 8, "8057")).s(packet(CCP, 1, MPPE_128), packet(LCP, 5))
    assert kinds(talk) == []
    # There is a strength that both have.
    talk = Call().link().s(packet(CCP, 1, "12 06 01000060")).c(packet(CCP, 3, MPPE_40)).s(packet(LCP, 5))
    assert kinds(talk) == []
    # There was data without it.
    talk = Call().network().s(packet(CCP, 1, MPPE_128)).c(packet(CCP, 4, MPPE_128), "21 45").s(packet(LCP, 5))
    assert kinds(talk) == []
    # It was agreed on.
    talk = Call().link().s(packet(CCP, 1, MPPE_128)).c(packet(CCP, 2, MPPE_128)).s(packet(LCP, 5))
    assert kinds(talk) == []


def test_network_not_agreed(engine):
    talk = Call().link().c(packet(IPCP, 1, "0306 00000000")).s(packet(IPCP, 4, "0306 00000000")).c(packet(LCP, 5))
    assert only(talk.pcap(), engine) == (
        *(0, "NETWORK_NOT_AGREED", (11,)),
        "The link was ready, and no network protocol opened: the server (PAC) rejected IPCP IP-Address 0.0.0.0 "
        "(packet 11).",
    )
    talk = Call().link().c(*[packet(IPCP, 1)] * 3).s(packet(LCP, 5, b"no address left".hex()))
    assert only(talk.pcap(), engine)[3] == (
        "The link was ready, and no network protocol opened: the client (PNS) sent 3 IPCP Configure-Requests "
        '(packets 10 to 12). The server ended it with "no address left" (packet 13).'
    )


def test_network_for_lack_of_authentication():
    """What ended the link is no matter of the network, and where LCP is not there nobody knows what was agreed on."""
    ipcp = [packet(IPCP, 1)] * 3
    assert kinds(Call().link().c(*ipcp).s(packet(LCP, 5, b"peer refused to authenticate".hex()))) == []
    talk = Call().c(packet(CHAP, 3)).s(packet(LCP, 9)).c(*ipcp).s(packet(LCP, 5, b"bye".hex()))
    assert "NETWORK_NOT_AGREED" not in kinds(talk)


def test_network_that_opened_or_was_not_asked_for():
    assert kinds(Call().network().c(packet(LCP, 5))) == []
    assert kinds(Call().link().c(packet(LCP, 5))) == []


# ---- the interface


def test_hostile_text_is_escaped():
    talk = Call().link().c(packet(LCP, 5, b"MPPE required \x1b[2J".hex()))
    assert only(talk.pcap())[3].endswith('says "MPPE required \\x1b[2J".')


def test_nothing_is_wrong(engine):
    talk = Call().network().s(f"{INNER.hex()}").c(packet(LCP, 5)).s(packet(LCP, 6)).client_says(clear(0x11))
    assert told(talk.pcap(), engine) == []


def test_what_it_needs():
    talk = Call().network()
    lacking = pptpcap.read(
        talk.pcap(), columns={"gre": ["time", "packet", "flags_and_version", "sequence_number", "tunnel", "status"]}
    )
    with pytest.raises(KeyError):
        pptpcap.read(talk.pcap(), tables=["calls"]).diagnose()
    with pytest.raises(ValueError, match="a diagnosis needs columns of gre that were not read: skipped"):
        lacking.diagnose()
    batches = list(pptpcap.iterate(talk.pcap(), batch_packets=4))
    with pytest.raises(ValueError, match="a batch has a part of the calls"):
        batches[-1].diagnose()


def test_kinds_say_what_they_are():
    for kind in DiagnosisKind:
        assert kind.meaning
        assert not kind.meaning.endswith(".")
        assert kind.advice.endswith(".")

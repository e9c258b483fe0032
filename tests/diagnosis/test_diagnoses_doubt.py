"""What a diagnosis says where the capture lacks something, and where a side says one thing after the other.

The client is the PNS, 10.0.0.2.  Its connection and its call take packets 1 to 5; each packet comes a second later.
"""

from __future__ import annotations

from builder import cut, echo, pcap, piece4
from call_builder import Session, clear, outgoing_request, packet
from diagnosed import CCP, CHAP, IPCP, LCP, REQUEST, Call, kinds, only, told

DATA = "21 45"


def lcp_echo(identifier: int) -> str:
    return f"{LCP} 09{identifier:02x}0008 00000000"


def lacks(talk: Call, side: int, numbers: int) -> Call:
    """The next packets of a side are not captured."""
    talk.sent[side] += numbers
    return talk


# ---- what is missing


def test_replies_that_may_be_lost(engine):
    talk = lacks(Call().network().s(lcp_echo(1), lcp_echo(2)), 0, 2).c(DATA).s(packet(LCP, 5))
    assert only(talk.pcap(), engine) == (
        *(0, "PEER_SILENT", (12, 14, 15, 16)),
        "The server (PAC) had no reply to its last 2 LCP Echo-Requests (packets 14 and 15), and ended the call, though "
        "Enhanced GRE of the client (PNS) came up to packet 16; but the capture lacks 2 packets of the client (between "
        "packets 12 and 16), which may tell otherwise.",
    )
    # What was lost before the requests is no reply.
    talk = lacks(Call().network(), 0, 2).c(DATA).s(lcp_echo(1), lcp_echo(2), packet(LCP, 5))
    assert only(talk.pcap())[3] == (
        "The server (PAC) had no reply to its last 2 LCP Echo-Requests (packets 15 and 16), and ended the call: the "
        "call has no Enhanced GRE of the client (PNS) behind packet 14."
    )
    # The packets came late.
    talk = lacks(Call().network().s(lcp_echo(1), lcp_echo(2)), 0, 1).c(DATA)
    talk.sent[0] -= 2
    assert "but" not in only(talk.c(DATA).s(packet(LCP, 5)).pcap())[3]


def test_replies_in_a_gap_of_the_control_connection(engine):
    talk = Call().network().client_says(echo(1)).client_says(echo(2))
    talk.said[1] += 40
    talk.server_says(echo(9)).client_says(clear(0x11))
    assert told(talk.pcap(), engine) == [
        (
            *(0, "PEER_SILENT", (13, 14, 15, 17)),
            "The client (PNS) had no reply to its last 2 control Echo-Requests (packets 14 and 15), and ended the call: "
            "the call has no Enhanced GRE of the server (PAC) behind packet 13; but the capture lacks 40 octets of the "
            "control connection (packet 17), which may tell otherwise.",
        ),
        (0, "GAP", (17,), "The capture lacks 40 octets of the control connection (packet 17)."),
    ]


def test_requests_behind_the_end_of_the_call():
    talk = Call().network().client_says(echo(1)).client_says(echo(2)).client_says(clear(0x11)).client_says(echo(3))
    assert only(talk.pcap())[2] == (13, 14, 15)


def test_acknowledgments_that_may_be_lost(engine):
    talk = Call().c(REQUEST, REQUEST, REQUEST).s(REQUEST)
    talk = lacks(talk, 1, 1).s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[1:] == (
        *("LINK_NOT_AGREED", (6, 8, 9, 10)),
        "LCP did not open: the client (PNS) sent 3 Configure-Requests (packets 6 to 8) and the server (PAC) sent 1 "
        "Configure-Request (packet 9); but the capture lacks 1 packet of the server (between packets 9 and 10), which "
        "may tell otherwise.",
    )
    talk = lacks(Call().link().c(*[packet(IPCP, 1)] * 3), 1, 1).s(packet(LCP, 5))
    assert only(talk.pcap(), engine)[3] == (
        "The link was ready, and no network protocol opened: the client (PNS) sent 3 IPCP Configure-Requests (packets "
        "10 to 12); but the capture lacks 1 packet of the server (between packets 9 and 13), which may tell otherwise."
    )


def test_a_reply_in_a_gap():
    talk = Session().client_says(outgoing_request(0x11))
    talk.said[1] += 32
    found = told(talk.server_says(echo(1)).client_says(clear(0x11)).pcap())
    assert [(kind, sentence) for _, kind, _, sentence in found] == [
        (
            "CALL_NOT_ANSWERED",
            "The client (PNS) asked for the call (packet 4), and the capture has no reply of the server (PAC).",
        ),
        ("GAP", "The capture lacks 32 octets of the control connection (packet 6)."),
    ]


def test_a_call_that_ended_at_once_lacks_no_gre():
    talk = Call().client_says(clear(0x11))
    for identifier in range(5):
        talk.client_says(echo(identifier))
    assert kinds(talk) == []


def test_lost_packets_of_which_fragments_are_there():
    talk = Call().network()
    for number in (*range(4, 500), *range(510, 512)):
        talk.client_sends(0x22, number)
    talk.s(DATA)
    assert "10 are not in the capture (2.0%)" in only(talk.pcap())[3]
    found = {kind: sentence for _, kind, _, sentence in told(pcap([*talk.packets, piece4(bytes(24), 0, True)]))}
    assert "10 are not in the capture, or not whole (2.0%)" in found["LOSS"]


def test_most_packets_of_a_side():
    talk = lacks(Call().network(), 0, 100).c(DATA).s(DATA)
    assert only(talk.pcap())[1:] == (
        *("GAP", (14,)),
        "The capture has only 5 of 105 sequence numbers of the client (PNS) (others are passed over in packet 14).",
    )


# ---- one thing after the other


def test_options_that_were_refused_in_several_ways(engine):
    talk = Call().link().s(packet(IPCP, 1, "0306 0a000001"))
    talk.c(packet(IPCP, 3, "0306 0a000002"), packet(IPCP, 3, "0306 0a000002"), packet(IPCP, 4, "0306 0a000001"))
    assert only(talk.c(packet(LCP, 5)).pcap(), engine)[3] == (
        "The link was ready, and no network protocol opened: the client (PNS) wanted IPCP IP-Address 10.0.0.2, then "
        "rejected IPCP IP-Address 10.0.0.1 (3 times, packets 11 to 13)."
    )


def test_authentication_that_was_refused_in_several_ways():
    talk = Call().c(REQUEST).s(packet(LCP, 1, "0305 c223 81"), packet(LCP, 2)).c(packet(LCP, 3, "0304 c023"))
    talk.s(packet(LCP, 1, "0305 c223 05")).c(packet(LCP, 4, "0305 c223 05")).s(packet(LCP, 5))
    assert only(talk.pcap())[3] == (
        "The server (PAC) asks for MS-CHAPv2, then CHAP-MD5 (packets 7 and 10); the client (PNS) would use PAP instead, "
        "then rejected any authentication (packets 9 and 11), and they agreed on none."
    )


def test_strengths_that_were_asked_for_one_after_the_other():
    talk = Call().link()
    for value in ("12 06 01000060", "12 06 01000040"):
        talk.s(packet(CCP, 1, value)).c(packet(CCP, 4, value))
    assert only(talk.s(packet(LCP, 5)).pcap())[3] == (
        "The server (PAC) asked for MPPE 128/40 bits stateless, then MPPE 128 bits stateless (packets 10 and 12); the "
        "client (PNS) rejected it (packets 11 and 13), and the server ended the call: it probably requires encryption."
    )


def test_the_first_three_and_the_last_are_told():
    talk = Call().link().s(packet(IPCP, 1, "0306 0a000001"))
    talk.c(*(packet(IPCP, 3, f"0306 0a0000{number:02x}") for number in range(2, 8)), packet(LCP, 5))
    wanted = ", then ".join(f"wanted IPCP IP-Address 10.0.0.{number}" for number in (2, 3, 4, 7))
    assert f"the client (PNS) {wanted} (6 times, packets 11 to 16)." in only(talk.pcap())[3]


def test_the_last_refusal_counts():
    """Of a side that may try again."""
    talk = Call().c(REQUEST).s(packet(LCP, 1, "0305 c223 81"), packet(LCP, 2)).c(packet(LCP, 2, "0305 c223 81"))
    talk.s(packet(CHAP, 4, b"E=691 R=1".hex()), packet(CHAP, 4, b"E=649 R=0".hex()))
    assert only(talk.pcap())[3].endswith("CHAP Failure with error 649 (no dial-in permission) (packet 11).")


# ---- text that is not whole


def test_text_that_is_longer_than_what_is_kept(engine):
    talk = Call().link().c(packet(LCP, 5, (b"MPPE required" + 87 * b".").hex()))
    assert only(talk.pcap(), engine)[3].endswith(f'says "MPPE required{51 * "."}", the first 64 of 100 octets.')


def test_text_that_is_cut(engine):
    talk = Call().link().c(packet(LCP, 5, b"MPPE required but not available".hex()))
    whole = talk.frames()[-1]
    talk.packets[-1] = cut(whole, len(whole) - 4)
    found = {kind: sentence for _, kind, _, sentence in told(talk.pcap(), engine)}
    assert found["MPPE_REQUIRED"].endswith('says "MPPE required but not avail", of which the end is not captured.')

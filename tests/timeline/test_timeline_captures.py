"""Timelines of captures of the lab, typed from what tshark shows of their packets."""

from __future__ import annotations

import pytest
from captures import lab
from helpers import EngineName
from places import CAPTURES

import pptpcap
from pptpcap.timeline import EventKind

SERVER = (
    "Start-Control-Connection-Reply: protocol version 1.0, result code 1 (successful channel establishment), "
    'maximum channels 1, firmware revision 1, host name "local", vendor name "linux"'
)
CLIENT = (
    "Start-Control-Connection-Request: protocol version 1.0, framing capabilities 3 (asynchronous, synchronous), "
    "bearer capabilities 3 (analog, digital), maximum channels 65535, firmware revision 1, "
    'host name "local", vendor name "cananian"'
)


def asks(number: int) -> str:
    return (
        f"Outgoing-Call-Request: call id {number}, minimum bps 2400 bit/s, maximum bps 10000000 bit/s, "
        "bearer type 3 (any), framing type 3 (either), packet recv window size 3"
    )


def answers(number: int) -> str:
    return (
        f"Outgoing-Call-Reply: call id 0, peer call id {number}, result code 1 (connected), "
        "connect speed 10000000 bit/s, packet recv window size 3"
    )


def lines(name: str, engine: EngineName, call: int = 0) -> list[tuple[tuple[int, ...], str, str]]:
    return [(event.packets, event.side, event.text) for event in pptpcap.read(lab(name), engine=engine).timeline(call)]


STORIES = {
    "auth_fail_mschapv2.pcap": [
        ((3,), "", "TCP connection 10.77.0.2:47582 > 10.77.0.1:1723 begins: SYN or SYN-ACK"),
        ((6,), "PNS", CLIENT),
        ((8,), "PAC", SERVER),
        ((10,), "PNS", asks(12370)),
        ((12,), "PAC", answers(12370)),
        ((14,), "PNS", "LCP Configure-Request id 1: ACCM 0x00000000, Magic-Number 0x839b2adc, PFC, ACFC"),
        (
            (15,),
            "PAC",
            "LCP Configure-Request id 1: ACCM 0x00000000, Authentication-Protocol MS-CHAPv2, "
            "Magic-Number 0xf2d3b6da, PFC, ACFC",
        ),
        (
            (16,),
            "PNS",
            "LCP Configure-Ack id 1: ACCM 0x00000000, Authentication-Protocol MS-CHAPv2, "
            "Magic-Number 0xf2d3b6da, PFC, ACFC",
        ),
        ((17,), "PAC", "LCP Configure-Ack id 1: ACCM 0x00000000, Magic-Number 0x839b2adc, PFC, ACFC"),
        ((18,), "PAC", "CHAP Challenge id 125"),
        ((20,), "PNS", "CHAP Response id 125"),
        ((21,), "PAC", "CHAP Failure id 125: error 691 (authentication failure)"),
        ((22,), "PAC", 'LCP Terminate-Request id 2: "Authentication failed"'),
        ((24,), "PNS", 'LCP Terminate-Request id 2: "Failed to authenticate ourselves to peer"'),
        ((25,), "PAC", "LCP Terminate-Ack id 2"),
        ((26,), "PNS", "LCP Terminate-Ack id 2"),
        # Packet 28, whose number no table has.
        ((28,), "PAC", "TCP connection ends: FIN"),
        ((29,), "PNS", "Call-Clear-Request: call id 12370"),
        (
            (21, 22),
            "PAC",
            "ended: login failed (691: authentication failure), PAC first; reached: link; "
            'CHAP Failure of the PAC in packet 21, LCP Terminate-Request of the PAC in packet 22: "Authentication failed"',
        ),
    ],
    "auth_mismatch_lcp_reject.pcap": [
        ((5,), "", "TCP connection 10.77.0.2:55766 > 10.77.0.1:1723 begins: SYN or SYN-ACK"),
        ((8,), "PNS", CLIENT),
        ((10,), "PAC", SERVER),
        ((12,), "PNS", asks(30415)),
        ((14,), "PAC", answers(30415)),
        ((16,), "PNS", "LCP Configure-Request id 1: ACCM 0x00000000, Magic-Number 0x5f110dd1, PFC, ACFC"),
        (
            (17,),
            "PAC",
            "LCP Configure-Request id 1: ACCM 0x00000000, Authentication-Protocol MS-CHAPv2, "
            "Magic-Number 0x650ec186, PFC, ACFC",
        ),
        ((18,), "PNS", "LCP Configure-Reject id 1: Authentication-Protocol MS-CHAPv2"),
        ((19,), "PAC", "LCP Configure-Ack id 1: ACCM 0x00000000, Magic-Number 0x5f110dd1, PFC, ACFC"),
        ((20,), "PAC", "LCP Configure-Request id 2: ACCM 0x00000000, Magic-Number 0x650ec186, PFC, ACFC"),
        ((22,), "PNS", "LCP Configure-Ack id 2: ACCM 0x00000000, Magic-Number 0x650ec186, PFC, ACFC"),
        (
            (23,),
            "PNS",
            "IPCP Configure-Request id 1: IP-Compression-Protocol VJ (16 slots, slot ids compressed), "
            "IP-Address 0.0.0.0",
        ),
        ((24,), "PNS", "IPv6CP Configure-Request id 1: Interface-Identifier 2414:3c0c:acaf:2035"),
        ((25,), "PAC", 'LCP Terminate-Request id 3: "peer refused to authenticate"'),
        ((26,), "PNS", "LCP Terminate-Ack id 3"),
        ((28,), "PAC", "TCP connection ends: FIN"),
        ((29,), "PNS", "Call-Clear-Request: call id 30415"),
        (
            (17, 25),
            "PAC",
            "ended: authentication not agreed, PAC first; reached: link; "
            "LCP Configure-Request with authentication of the PAC in packet 17, "
            "LCP Configure-Reject of the PNS in packet 18, LCP Terminate-Request of the PAC in packet 25: "
            '"peer refused to authenticate"',
        ),
    ],
    "echo_client_no_reply.pcap": [
        ((5,), "", "TCP connection 10.77.0.2:38596 > 10.77.0.1:1723 begins: SYN or SYN-ACK"),
        ((8,), "PNS", CLIENT),
        ((10,), "PAC", SERVER),
        ((12,), "PNS", asks(33916)),
        ((14,), "PAC", answers(33916)),
        ((16,), "PNS", "LCP Configure-Request id 1: ACCM 0x00000000, Magic-Number 0x5519c9ff, PFC, ACFC"),
        (
            (17,),
            "PAC",
            "LCP Configure-Request id 1: ACCM 0x00000000, Authentication-Protocol CHAP-MD5, "
            "Magic-Number 0x816f4f65, PFC, ACFC",
        ),
        (
            (18,),
            "PNS",
            "LCP Configure-Ack id 1: ACCM 0x00000000, Authentication-Protocol CHAP-MD5, "
            "Magic-Number 0x816f4f65, PFC, ACFC",
        ),
        ((19,), "PAC", "LCP Configure-Ack id 1: ACCM 0x00000000, Magic-Number 0x5519c9ff, PFC, ACFC"),
        ((20,), "PAC", "CHAP Challenge id 42"),
        ((22,), "PNS", "CHAP Response id 42"),
        ((23,), "PAC", "CHAP Success id 42"),
        ((24,), "PNS", "IPCP Configure-Request id 1: IP-Address 0.0.0.0"),
        ((25,), "PNS", "IPv6CP Configure-Request id 1: Interface-Identifier b887:6d05:8aaa:4f5f"),
        ((26,), "PAC", "IPCP Configure-Request id 1: IP-Address 192.168.77.1"),
        ((27,), "PNS", "IPCP Configure-Ack id 1: IP-Address 192.168.77.1"),
        ((28,), "PAC", "IPv6CP Configure-Request id 1: Interface-Identifier 0c9e:382e:ed20:1415"),
        ((29,), "PAC", "IPCP Configure-Nak id 1: IP-Address 192.168.77.100"),
        ((30,), "PAC", "IPv6CP Configure-Ack id 1: Interface-Identifier b887:6d05:8aaa:4f5f"),
        ((31,), "PNS", "IPv6CP Configure-Ack id 1: Interface-Identifier 0c9e:382e:ed20:1415"),
        ((32,), "PNS", "IPCP Configure-Request id 2: IP-Address 192.168.77.100"),
        ((33,), "PNS", "first data: IPv6"),
        ((34,), "PAC", "first data: IPv6"),
        ((35,), "PAC", "IPCP Configure-Ack id 2: IP-Address 192.168.77.100"),
        ((39,), "PNS", "last data: 2 packets of 98 octets in all"),
        # 42 to 43: 3.992 ms, 46 to 47: 5.459 ms, 52 to 53: 4.297 ms.
        ((42, 53), "PNS", "3 control Echo-Requests answered in 4.0, 4.6, 5.5 ms (least, mean, greatest)"),
        ((51,), "PAC", "last data: 4 packets of 196 octets in all"),
        # All in one segment, with a FIN.
        ((52,), "PNS", "Call-Clear-Request: call id 33916"),
        ((52,), "PNS", "Stop-Control-Connection-Request: reason 1 (none)"),
        ((52,), "PNS", "TCP connection ends: FIN"),
        ((52,), "PNS", "ended: cleared, PNS first; reached: network; Call-Clear-Request of the PNS in packet 52"),
    ],
    "killed_server.pcap": [
        ((5,), "", "TCP connection 10.77.0.2:49408 > 10.77.0.1:1723 begins: SYN or SYN-ACK"),
        ((8,), "PNS", CLIENT),
        ((10,), "PAC", SERVER),
        ((12,), "PNS", asks(61224)),
        ((14,), "PAC", answers(61224)),
        ((16,), "PNS", "LCP Configure-Request id 1: ACCM 0x00000000, Magic-Number 0x41483621, PFC, ACFC"),
        (
            (17,),
            "PAC",
            "LCP Configure-Request id 1: ACCM 0x00000000, Authentication-Protocol MS-CHAPv2, "
            "Magic-Number 0xa46cbbca, PFC, ACFC",
        ),
        ((18,), "PAC", "LCP Configure-Ack id 1: ACCM 0x00000000, Magic-Number 0x41483621, PFC, ACFC"),
        (
            (19,),
            "PNS",
            "LCP Configure-Ack id 1: ACCM 0x00000000, Authentication-Protocol MS-CHAPv2, "
            "Magic-Number 0xa46cbbca, PFC, ACFC",
        ),
        ((20,), "PAC", "CHAP Challenge id 67"),
        ((21,), "PNS", "CHAP Response id 67"),
        ((22,), "PAC", "CHAP Success id 67"),
        ((23,), "PAC", "CCP Configure-Request id 1: MPPE 128 bits stateless"),
        ((24,), "PNS", "CCP Configure-Request id 1: MPPE 128 bits stateless"),
        ((25,), "PNS", "CCP Configure-Ack id 1: MPPE 128 bits stateless"),
        ((26,), "PAC", "CCP Configure-Ack id 1: MPPE 128 bits stateless"),
        (
            (27,),
            "PAC",
            "IPCP Configure-Request id 1: IP-Compression-Protocol VJ (16 slots, slot ids compressed), "
            "IP-Address 192.168.77.1",
        ),
        ((28,), "PAC", "IPv6CP Configure-Request id 1: Interface-Identifier 5924:6c72:1b45:1783"),
        (
            (29,),
            "PNS",
            "IPCP Configure-Request id 1: IP-Compression-Protocol VJ (16 slots, slot ids compressed), "
            "IP-Address 0.0.0.0",
        ),
        ((30,), "PNS", "IPv6CP Configure-Request id 1: Interface-Identifier f533:998e:ca01:7127"),
        (
            (31,),
            "PNS",
            "IPCP Configure-Ack id 1: IP-Compression-Protocol VJ (16 slots, slot ids compressed), "
            "IP-Address 192.168.77.1",
        ),
        ((32,), "PNS", "IPv6CP Configure-Ack id 1: Interface-Identifier 5924:6c72:1b45:1783"),
        ((33,), "PAC", "IPCP Configure-Nak id 1: IP-Address 192.168.77.100"),
        ((34,), "PAC", "IPv6CP Configure-Ack id 1: Interface-Identifier f533:998e:ca01:7127"),
        ((35,), "PAC", "first data: encrypted with MPPE"),
        (
            (36,),
            "PNS",
            "IPCP Configure-Request id 2: IP-Compression-Protocol VJ (16 slots, slot ids compressed), "
            "IP-Address 192.168.77.100",
        ),
        (
            (37,),
            "PAC",
            "IPCP Configure-Ack id 2: IP-Compression-Protocol VJ (16 slots, slot ids compressed), "
            "IP-Address 192.168.77.100",
        ),
        ((38,), "PNS", "first data: encrypted with MPPE"),
        # 53 + 89 + 89 + 89 + 53 octets either way.
        ((47,), "PNS", "last data: 5 packets of 373 octets in all"),
        ((50,), "PAC", "last data: 5 packets of 373 octets in all"),
        ((53,), "PAC", "TCP connection ends: FIN"),
        ((54,), "PNS", "Call-Clear-Request: call id 61224"),
        (
            (53,),
            "PAC",
            "ended: lost (FIN), PAC first; reached: network; FIN of the PAC in packet 53",
        ),
    ],
    "quirk_bezeq_lcp_timeout.pcap": [
        ((), "PNS", "the call has no Enhanced GRE of the PNS, though the capture has its TCP segments"),
        ((5,), "", "TCP connection 10.77.0.2:48210 > 10.77.0.1:1723 begins: SYN or SYN-ACK"),
        (
            (8,),
            "PNS",
            "Start-Control-Connection-Request: protocol version 1.0, framing capabilities 1 (asynchronous), "
            'bearer capabilities 1 (analog), firmware revision 24609, host name "RELAY_PPP1", vendor name "MS Win NT"',
        ),
        ((10,), "PAC", SERVER),
        (
            (12,),
            "PNS",
            "Outgoing-Call-Request: call id 0, minimum bps 2400 bit/s, maximum bps 10000000 bit/s, "
            "bearer type 2 (digital), framing type 3 (either), packet recv window size 3, "
            'phone number "RELAY_PPP1"',
        ),
        ((14,), "PAC", answers(0)),
        *(
            (
                (packet,),
                "PAC",
                "LCP Configure-Request id 1: ACCM 0x00000000, Authentication-Protocol EAP, "
                "Magic-Number 0xd0ff0d98, PFC, ACFC",
            )
            for packet in (16, 17, 19, 21, 22, 23, 24, 26, 29, 31)
        ),
        ((32,), "PAC", "TCP connection ends: FIN"),
        ((33,), "", "UNKNOWN_CALL: a message has call id 12807, which no call has"),
        (
            (16, 32),
            "PAC",
            "ended: no PPP from the PNS, PAC first; reached: connected; "
            "LCP Configure-Request of the PAC in 10 packets from 16 to 31, "
            "FIN of the PAC in packet 32",
        ),
    ],
    "fmt_gre_only_midstream.pcap": [
        ((), "", "PNS and PAC are assumed: the sender of the first packet is taken to be the PNS"),
        ((), "", "the call has no control messages"),
        ((), "", "how the link was agreed on is not in the capture: it has no LCP Configure-Ack of the call"),
        ((1,), "PNS", "first data: IPv6"),
        ((3,), "PAC", "first data: IPv6"),
        ((5,), "PAC", "first data of another kind: IPv4"),
        ((6,), "PNS", "first data of another kind: IPv4"),
        # 155 packets with 117,928 octets and 2 with 98; 167 with 138,637 and 2 with 98.
        ((510,), "PAC", "last data: 157 packets of 118,026 octets in all"),
        ((511,), "PNS", "last data: 169 packets of 138,735 octets in all"),
        ((513,), "PAC", 'LCP Terminate-Request id 2: "User request"'),
        ((515,), "PNS", "LCP Terminate-Ack id 2"),
        (
            (513,),
            "PAC",
            "ended: terminated, PAC first (assumed); reached: network; LCP Terminate-Request of the PAC in packet 513: "
            '"User request"',
        ),
    ],
}


@pytest.mark.parametrize("name", STORIES)
def test_whole_stories(engine, name):
    assert lines(name, engine) == STORIES[name]


ENDS: dict[str, list[tuple[tuple[int, ...], str, str]]] = {
    "term_client_callmgr.pcap": [
        ((45,), "PNS", "last data: 5 packets of 353 octets in all"),
        ((46,), "PAC", "last data: 5 packets of 353 octets in all"),
        ((49,), "PNS", "Call-Clear-Request: call id 31169"),
        # Packet 51; the client's is 52.
        ((51,), "PAC", "TCP connection ends: FIN"),
        ((49,), "PNS", "ended: cleared, PNS first; reached: network; Call-Clear-Request of the PNS in packet 49"),
    ],
    "mppe128_normal.pcap": [
        ((2779,), "PNS", "last data: 1,097 packets of 1,103,669 octets in all"),
        ((2781,), "PAC", "last data: 1,101 packets of 1,126,286 octets in all"),
        ((2783,), "PNS", 'LCP Terminate-Request id 2: "MPPE disabled"'),
        ((2784,), "PNS", "LCP Terminate-Request id 3"),
        ((2786,), "PAC", "LCP Terminate-Ack id 2"),
        ((2787,), "PAC", "LCP Terminate-Ack id 3"),
        ((2789,), "PNS", "Call-Clear-Request: call id 13526"),
        ((2790,), "PNS", "TCP connection ends: FIN"),
        (
            (2783,),
            "PNS",
            "ended: terminated, PNS first; reached: network; LCP Terminate-Request of the PNS in packet 2783: "
            '"MPPE disabled"',
        ),
    ],
    "link_cut_then_server_lcp_timeout.pcap": [
        ((53, 57), "PAC", "3 LCP Echo-Requests not answered: packets 53, 55, 57"),
        ((54,), "PAC", "last data: 5 packets of 373 octets in all"),
        ((58,), "PAC", 'LCP Terminate-Request id 2: "MPPE disabled"'),
        ((59,), "PAC", "LCP Terminate-Request id 3"),
        ((60,), "PAC", "LCP Terminate-Request id 4"),
        ((61,), "PAC", "TCP connection ends: FIN"),
        (
            (53, 58),
            "PAC",
            "ended: PNS silent, PAC first; reached: network; "
            "unanswered LCP Echo-Request of the PAC in 3 packets from 53 to 57, "
            'LCP Terminate-Request of the PAC in packet 58: "MPPE disabled"',
        ),
    ],
    "fmt_control_only.pcap": [
        ((12,), "PNS", "Call-Clear-Request: call id 28635"),
        ((13,), "PNS", "TCP connection ends: FIN"),
        ((12,), "PNS", "ended: cleared, PNS first; reached: connected; Call-Clear-Request of the PNS in packet 12"),
    ],
    "synthetic_scapy_all15.pcap": [
        ((54,), "PNS", "Call-Clear-Request: call id 4369"),
        (
            (56,),
            "PAC",
            "Call-Disconnect-Notify: call id 8738, result code 4 (request), cause code 16, "
            'call statistics "synthetic call statistics"',
        ),
        ((60,), "PAC", "Stop-Control-Connection-Request: reason 3 (stop-local-shutdown)"),
        ((62,), "PNS", "Stop-Control-Connection-Reply: result code 1 (OK)"),
        ((64,), "PNS", "TCP connection ends: FIN"),
        ((54,), "PNS", "ended: cleared, PNS first; reached: network; Call-Clear-Request of the PNS in packet 54"),
    ],
}


@pytest.mark.parametrize("name", ENDS)
def test_how_stories_end(engine, name):
    assert lines(name, engine)[-len(ENDS[name]) :] == ENDS[name]


def test_no_gre_is_told():
    assert lines("fmt_control_only.pcap", "compiled")[0] == ((), "", "the call has no Enhanced GRE")


# Of the client's packets in loss5_reorder_dup.server.pcap, by the sequence numbers that tshark lists.
LOSS = [
    # 20 in packet 73, 22 in 78.
    ((73, 78), EventKind.LOSS, "1 packet lost: sequence number 21"),
    ((99, 101), EventKind.LOSS, "1 packet lost: sequence number 31"),
    # 785, 231; 790, 233; 791 has 232.
    ((786, 791), EventKind.REORDERED, "1 packet came late: sequence number 232"),
    ((840, 846), EventKind.REORDERED, "1 packet came late: sequence number 244"),
    ((946, 951), EventKind.LOSS, "1 packet lost: sequence number 271"),
    ((992, 994), EventKind.LOSS, "1 packet lost: sequence number 291"),
    ((1024, 1026), EventKind.LOSS, "1 packet lost: sequence number 306"),
    # Packet 1160 has 345, packet 1176 has 349.
    ((425,), EventKind.DUPLICATES, "1 packet came again: sequence number 146"),
    ((934,), EventKind.DUPLICATES, "1 packet came again: sequence number 268"),
    ((1195,), EventKind.DUPLICATES, "1 packet came again: sequence number 351"),
]


def test_loss_and_duplicates(engine):
    events = pptpcap.read(lab("loss5_reorder_dup.server.pcap"), engine=engine).timeline(0)
    told = [(event.packets, event.kind, event.text) for event in events if event.side == "PNS"]
    for line in LOSS:
        assert line in told
    echoes = [(event.packets, event.text) for event in events if event.kind is EventKind.UNANSWERED]
    assert echoes == [
        *(((packet,), "LCP Echo-Request not answered") for packet in (114, 492, 699, 865, 1048)),
        ((1145, 1183), "3 LCP Echo-Requests not answered: packets 1145, 1169, 1183"),
    ]


def test_secrets_are_nowhere(engine):
    """Neither the password, nor challenge and response, nor a name that nobody asked for."""
    capture = pptpcap.read(lab("auth_fail_pap.pcap"), engine=engine)
    texts = " ".join(event.text for event in capture.timeline(0))
    assert "PAP Authenticate-Request" in texts
    assert "wrong" not in texts
    texts = " ".join(event.text for event in pptpcap.read(lab("auth_fail_mschapv2.pcap"), engine=engine).timeline(0))
    assert "nobody" not in texts
    assert "2159e7d2" not in texts


def found(name: str, engine: EngineName, call: int = 0) -> list[tuple[tuple[int, ...], str, str]]:
    events = pptpcap.read(CAPTURES / "found" / name, engine=engine).timeline(call)
    return [(event.packets, event.side, event.text) for event in events]


def test_the_first_packet_may_be_the_syn_ack(engine):
    """Packet 1 is the SYN-ACK of the PAC; one capture has the SYN behind it, the other never."""
    begins = ((1,), "", "TCP connection 192.0.2.10:40000 > 198.51.100.1:1723 begins: SYN or SYN-ACK")
    assert begins in found("multiqueue_swapped.pcap", engine)
    assert begins in found("oneside_server_no_authentication.pcap", engine)


def test_of_two_calls_with_one_id_nothing_is_concluded(engine):
    """Both PACs count from 0: what looks like copies is the other stream, and all of it counts in call 1."""
    warning = "another call has the same id: Enhanced GRE to it is counted in the later call, and may be of either"
    first, second = (found("nat_same_callid.pcap", engine, call) for call in (0, 1))
    assert first[0] == second[0] == ((), "", warning)
    assert not [text for _, _, text in first if "no Enhanced GRE" in text]
    assert ((20, 62), "PAC", "12 packets came again or are of another call: sequence numbers 0 to 11") in second
    assert not [text for _, _, text in second if "DUPLICATED" in text]


def test_what_came_behind_the_end_does_not_prove_it(engine):
    """The PAC sends its Configure-Requests of CCP and IPCP in 61 and 62, behind the Terminate-Request in 54."""
    *_, end = pptpcap.read(lab("multi8_clients.server.pcap"), engine=engine).timeline(0)
    assert (end.packets, end.side) == ((53, 54), "PNS")
    assert end.text == (
        "ended: no network protocol, PNS first; reached: authenticated; CHAP Success of the PAC in packet 53, "
        'LCP Terminate-Request of the PNS in packet 54: "MPPE required but not available"'
    )


def test_the_end_has_the_time_of_what_decides_it(engine):
    """As tshark shows them: packet 22, the Terminate-Request, and packet 51, the FIN."""
    for name, time in {
        "auth_fail_mschapv2.pcap": "2026-11-22T12:55:27.230319",
        "killed_server.pcap": "2026-11-22T13:02:48.996624",
    }.items():
        *_, end = pptpcap.read(lab(name), engine=engine).timeline(0)
        assert str(end.time).rstrip("0") == time

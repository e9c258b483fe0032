"""Control connections: what their rows say, who opened one, when another begins on the same endpoints."""

from __future__ import annotations

import numpy as np
import pytest
from builder import CLIENT, CLIENT6, SERVER, SERVER6, Conversation, Record, echo, pcap, time_of
from helpers import column, decode, endings, identifiers, issues, names_of, nanoseconds, statuses
from vectors import CONTROL_HEX

SCCRQ, SCCRP = CONTROL_HEX[1], CONTROL_HEX[2]
OPEN, FIN, NEW_CONNECTION = 0, 1, 3


def mapped(address: bytes) -> list[int]:
    return [0] * 10 + [255, 255, *address]


def interleave(*talks: Conversation) -> bytes:
    """The packets of several conversations in turn."""
    longest = max(len(talk.packets) for talk in talks)
    return pcap(talk.packets[n] for n in range(longest) for talk in talks if n < len(talk.packets))


# ---- what a row says


ECHOES = [f"echo_rtt_{name}" for name in ("samples", "min_ns", "mean_ns", "unanswered")]


def test_row(engine):
    talk = Conversation().handshake().client(0, SCCRQ).server(0, SCCRP, ack=156).client(156, echo(1), ack=156)
    got = decode(talk.pcap(), engine)
    (row,) = got["connections"]
    expected = {
        "initiator_address": mapped(CLIENT),
        "responder_address": mapped(SERVER),
        "initiator_port": 40000,
        "responder_port": 1723,
        "first_packet": 1,
        "last_packet": 6,
        "initiator_protocol_version": 0x0100,
        "initiator_firmware_revision": 0x0203,
        "initiator_host_name": b"pns.example",
        "initiator_vendor_name": b"Acme PNS",
        "initiator_messages": 2,
        "initiator_segments": 4,
        "initiator_data_segments": 2,
        "initiator_octets": 172,
        "responder_protocol_version": 0x0100,
        "responder_firmware_revision": 0x0607,
        "responder_host_name": b"pac.example",
        "responder_vendor_name": b"Acme PAC",
        "responder_messages": 1,
        "responder_segments": 2,
        "responder_data_segments": 1,
        "responder_octets": 156,
        "result_code": 1,
        "error_code": 0,
        "present": 7,
        "midstream": False,
        "end": OPEN,
        "end_from_initiator": False,
        "end_packet": 0,
        "vlan": -1,
        "inner_vlan": -1,
        "carrier": 0,
        "network_id": -1,
    }
    for side in ("initiator", "responder"):
        expected |= {
            f"{side}_{name}": 0
            for name in ("retransmitted", "copies", "out_of_order", "gaps", "gap_octets", "conflicts", *ECHOES)
        }
    # The client's Echo-Request, in packet 6.
    expected["initiator_echo_rtt_unanswered"] = 1
    assert {name: row[name].tolist() for name in expected} == expected
    assert (row["first_time"], row["last_time"]) == (nanoseconds(time_of(1)), nanoseconds(time_of(6)))
    assert np.isnat(row["end_time"])
    assert set(names_of(got["connections"])) == {*expected, "first_time", "last_time", "end_time"}


@pytest.mark.parametrize(
    ("messages", "present"), [([], 0), ([(0, SCCRQ)], 1), ([(1, SCCRP)], 6), ([(0, SCCRQ), (1, SCCRP)], 7)]
)
def test_what_was_said_is_told_apart_from_nothing(engine, messages, present):
    talk = Conversation().handshake()
    for side, octets in messages:
        talk.add(side, 0, octets)
    got = decode(talk.pcap(), engine)
    assert column(got, "connections", "present") == [present]
    assert column(got, "connections", "initiator_vendor_name") == [b"Acme PNS" if present & 1 else b""]
    assert column(got, "connections", "responder_vendor_name") == [b"Acme PAC" if present & 2 else b""]


def test_the_first_start_message_of_a_side_counts(engine):
    """A second one changes nothing, and a request of the side that was asked says who that is."""
    other = SCCRQ.replace(b"pns.example", b"xxx.example")
    got = decode(Conversation().handshake().client(0, SCCRQ).client(156, other).server(0, other).pcap(), engine)
    assert column(got, "connections", "initiator_host_name") == [b"pns.example"]
    assert column(got, "connections", "responder_host_name") == [b"xxx.example"]
    assert column(got, "connections", "result_code") == [0]
    assert column(got, "connections", "present") == [3]


def test_start_message_that_is_cut(engine):
    """What is there of it."""
    got = decode(Conversation().handshake().client(0, SCCRQ[:35]).server(0, SCCRP, snap=14).pcap(), engine)
    assert column(got, "connections", "initiator_host_name") == [b"pns.exa"]
    assert column(got, "connections", "initiator_firmware_revision") == [0x0203]
    assert column(got, "connections", "responder_protocol_version") == [0x0100]
    assert column(got, "connections", "result_code") == [0]


def test_management_message_says_nothing(engine):
    octets = SCCRQ[:3] + b"\x02" + SCCRQ[4:]
    got = decode(Conversation().handshake().client(0, octets).client(156, SCCRQ).pcap(), engine)
    assert column(got, "connections", "present") == [1]
    got = decode(Conversation().handshake().client(0, octets).pcap(), engine)
    assert column(got, "connections", "present") == [0]


def test_refused_start(engine):
    refusal = SCCRP[:14] + b"\x02\x04" + SCCRP[16:]
    got = decode(Conversation().handshake().client(0, SCCRQ).server(0, refusal).pcap(), engine)
    assert column(got, "connections", "result_code") == [2]
    assert column(got, "connections", "error_code") == [4]


def test_many_connections(engine):
    """Rows in the order of first packets; messages name their own."""
    talks = [
        Conversation(port=1),
        Conversation(port=2),
        Conversation(port=1, client=CLIENT6, server=SERVER6),
        Conversation(port=1, client=bytes([10, 0, 0, 3])),
        Conversation(port=1723, server_port=1),
    ]
    for number, talk in enumerate(talks):
        talk.handshake().client(0, echo(number)[:7]).client(7, echo(number)[7:]).server(0, echo(100 + number))
    got = decode(interleave(*talks), engine)
    assert column(got, "connections", "first_packet") == [1, 2, 3, 4, 5]
    assert column(got, "connections", "initiator_port") == [1, 2, 1, 1, 1723]
    assert identifiers(got) == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]
    assert column(got, "messages", "connection") == [0, 1, 2, 3, 4] * 2
    assert issues(got) == []


# ---- who opened it


def test_sender_of_a_syn(engine):
    """Whatever the ports say: the PAC may open, too."""
    talk = Conversation(client=SERVER, port=1723, server=CLIENT, server_port=5555).handshake().client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert column(got, "connections", "initiator_port") == [1723]
    assert column(got, "connections", "initiator_address") == [mapped(SERVER)]
    assert column(got, "messages", "from_initiator") == [True]


def test_receiver_of_a_syn_with_ack(engine):
    """The SYN is not in the capture: its number is known from the answer, so both streams are in step."""
    talk = Conversation().server(-1, flags="SA").client(0, echo(1)).server(0, echo(2))
    got = decode(talk.pcap(), engine)
    assert column(got, "connections", "initiator_port") == [40000]
    assert column(got, "messages", "from_initiator") == [True, False]
    assert statuses(got) == [set(), set()]
    assert issues(got) == []


def test_syn_with_ack_gives_the_start_of_the_other_side(engine):
    """Four octets of its stream are missing in front: a gap, not a stream that starts in the middle."""
    talk = Conversation().server(-1, flags="SA").client(4, echo(1)[4:] + echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"AFTER_GAP"}]
    assert issues(got) == [(2, "TCP", "GAP", 4, 0), (2, "CONTROL", "SKIPPED", 0, 12)]


@pytest.mark.parametrize("first", [0, 1])
def test_no_syn(engine, first):
    """The side that talks to the port."""
    talk = Conversation().add(first, 0, echo(1)).add(1 - first, 0, echo(2))
    got = decode(talk.pcap(), engine)
    assert column(got, "connections", "initiator_port") == [40000]
    assert column(got, "messages", "from_initiator") == [first == 0, first == 1]
    assert column(got, "connections", "midstream") == [True]
    assert statuses(got) == [{"MIDSTREAM"}] * 2


# ---- midstream


def test_midstream(engine):
    """The first segment with data starts the stream, and a header is looked for."""
    talk = Conversation().client(5, echo(1)[5:] + echo(2)[:3]).client(19, echo(2)[3:] + echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2, 3]
    assert column(got, "messages", "packet") == [2, 2]
    assert column(got, "messages", "segments") == [2, 1]
    assert statuses(got) == [{"MIDSTREAM"}, set()]
    assert issues(got) == [(2, "CONTROL", "SKIPPED", 0, 11)]


def test_midstream_without_a_header(engine):
    got = decode(Conversation().client(0, bytes(100)).client(100, echo(1)[:15]).pcap(), engine)
    assert len(got["messages"]) == 1
    assert statuses(got) == [{"CUT", "MIDSTREAM"}]
    assert issues(got) == [(2, "CONTROL", "SKIPPED", 0, 100), (2, "CONTROL", "MESSAGE_CUT", 16, 15)]
    got = decode(Conversation().client(0, bytes(100)).client(100, echo(1)[:11]).pcap(), engine)
    assert len(got["messages"]) == 0
    assert issues(got) == [(2, "CONTROL", "SKIPPED", 0, 111)]


def test_acknowledgments_alone_start_nothing(engine):
    talk = Conversation().client(500).server(500, ack=500).client(0, echo(1)).client(-16, echo(9))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1]
    assert column(got, "connections", "first_packet") == [1]
    assert column(got, "connections", "initiator_segments") == [3]


# ---- when another begins


def test_same_syn_again(engine):
    """A retransmission, before and after data."""
    talk = Conversation().client(-1, flags="S").client(-1, flags="S").server(-1, flags="SA").server(-1, flags="SA")
    talk.client(0, echo(1)).client(-1, flags="S").server(-1, flags="SA").client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 1
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]
    assert endings(got) == [(OPEN, False, None)]
    assert issues(got) == []


def test_syn_with_another_number(engine):
    """The same endpoints again: what was in flight ends at that packet."""
    old = Conversation().handshake().client(0, SCCRQ[:50]).server(16, echo(12))
    new = Conversation(isn=(70000, 90000)).handshake().client(0, echo(3))
    got = decode(pcap(old.packets + new.packets), engine)
    assert len(got["connections"]) == 2
    assert column(got, "connections", "first_packet") == [1, 6]
    assert column(got, "connections", "last_packet") == [5, 9]
    assert endings(got) == [(NEW_CONNECTION, False, 6), (OPEN, False, None)]
    assert column(got, "messages", "connection") == [0, 0, 1]
    assert column(got, "messages", "packet") == [4, 5, 9]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}, set()]
    assert issues(got) == [(6, "CONTROL", "MESSAGE_CUT", 156, 50), (6, "TCP", "GAP", 16, 0)]
    assert column(got, "issues", "connection") == [0, 0]


def test_syn_with_another_number_after_the_end(engine):
    """It ended before, and that is what ended it."""
    old = Conversation().handshake().client(0, echo(1), "FA").server(0, flags="FA")
    new = Conversation(isn=(7, 9)).handshake()
    got = decode(pcap(old.packets + new.packets), engine)
    assert endings(got) == [(FIN, True, 4), (OPEN, False, None)]


@pytest.mark.parametrize("closing", [["F0", "F1"], ["R0"], ["R1"]])
def test_same_number_after_the_end(engine, closing):
    talk = Conversation().handshake()
    for what in closing:
        talk.add(int(what[1]), 0, flags=what[0] + "A")
    talk.handshake().client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 2
    assert column(got, "messages", "connection") == [1]
    assert statuses(got) == [set()]


def test_same_number_after_one_fin(engine):
    """Half closed is not closed."""
    talk = Conversation().handshake().client(0, flags="FA").client(-1, flags="S")
    assert len(decode(talk.pcap(), engine)["connections"]) == 1


def test_answer_after_the_end(engine):
    """A SYN with ACK, too, begins anew what was closed; its receiver opened it."""
    talk = Conversation().handshake().client(0, flags="R").server(-1, flags="SA").client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 2
    assert column(got, "connections", "initiator_port") == [40000, 40000]
    assert column(got, "messages", "connection") == [1]
    assert statuses(got) == [set()]


def test_syn_behind_a_bare_acknowledgment(engine):
    """Packets came out of order: the start was not known, and now it is."""
    talk = Conversation().client(0).client(-1, flags="S").server(-1, flags="SA").client(0, echo(1)).server(0, echo(2))
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 1
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]
    assert column(got, "connections", "midstream") == [False]


def test_times_are_those_of_the_first_and_the_last_packet(engine):
    """Whatever the clock did between them."""
    talk = Conversation().handshake()
    talk.packets = [
        Record(packet, seconds=second, fraction=0) for packet, second in zip(talk.frames(), (50, 90, 20), strict=True)
    ]
    got = decode(talk.pcap(), engine)
    assert column(got, "connections", "first_time") == [50 * 10**9]
    assert column(got, "connections", "last_time") == [20 * 10**9]


def test_syn_of_the_other_side(engine):
    """Both sides open at once, with the numbers that they keep: one connection, opened by the first."""
    talk = Conversation().client(-1, flags="S").server(-1, flags="S").client(-1, flags="SA").server(-1, flags="SA")
    got = decode(talk.client(0, echo(1)).server(0, echo(2)).pcap(), engine)
    assert len(got["connections"]) == 1
    assert column(got, "connections", "initiator_port") == [40000]
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]


def test_syn_after_midstream(engine):
    """A number other than that of the stream seen so far is another connection."""
    talk = Conversation().client(0, echo(1)).client(-1, flags="S").client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 1
    assert identifiers(got) == [1, 2]
    old = Conversation(isn=(99, 99)).client(0, echo(1))
    got = decode(pcap(old.packets + talk.packets), engine)
    assert column(got, "connections", "end") == [NEW_CONNECTION, OPEN]


def test_answer_with_another_number(engine):
    """A SYN with ACK that does not fit is ignored altogether, but for the count.

    It is told by how far it is from the start, also if the stream has come as far as its number.
    """
    talk = Conversation().handshake()
    for isn in (5100, 4900, 5000):
        talk.packets += Conversation(isn=(1000, isn)).server(-1, flags="SA").packets
    talk.server(0, echo(1))
    talk.packets += Conversation(isn=(1000, 5100)).server(-1, echo(9), "SA").packets
    talk.packets += Conversation(isn=(1000, 5016)).server(-1, flags="SA").packets
    got = decode(talk.pcap(), engine)
    assert len(got["connections"]) == 1
    assert identifiers(got) == [1]
    assert issues(got) == [
        (4, "TCP", "OUT_OF_WINDOW", 1, 100),
        (5, "TCP", "OUT_OF_WINDOW", 1, 100),
        (8, "TCP", "OUT_OF_WINDOW", 1, 100),
        (9, "TCP", "OUT_OF_WINDOW", 1, 16),
    ]
    assert column(got, "connections", "responder_segments") == [7]

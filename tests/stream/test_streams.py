"""A direction of a control connection in order again: order, overlap, windows, keep-alives, closing.

Positions are those of the stream; packets 1 to 3 are the handshake.
"""

from __future__ import annotations

from typing import Any

import pytest
from builder import Conversation, echo
from helpers import column, decode, identifiers, issues, only, statuses
from vectors import CONTROL_HEX

SCCRQ = CONTROL_HEX[1]  # 156 octets, host name at 28


def facts(got, side: str = "initiator", **expected: int) -> None:
    """Counts of one side of the only connection."""
    assert len(got["connections"]) == 1
    assert {name: int(got["connections"][0][f"{side}_{name}"]) for name in expected} == expected


# ---- order


def test_in_order(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(16, echo(2)).client(32, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "messages", "packet") == [4, 5, 6]
    assert statuses(got) == [set()] * 3
    facts(got, messages=3, segments=5, data_segments=3, octets=48, retransmitted=0, out_of_order=0, gaps=0, conflicts=0)
    facts(got, "responder", messages=0, segments=1, data_segments=0, octets=0)
    assert issues(got) == []


def test_out_of_order(engine):
    """A message that waited behind a hole has the packet that filled it."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).client(16, echo(2)).client(48, echo(4))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3, 4]
    assert column(got, "messages", "packet") == [4, 6, 6, 7]
    assert column(got, "messages", "segments") == [1, 1, 1, 1]
    assert statuses(got) == [set()] * 4
    facts(got, octets=64, retransmitted=0, out_of_order=1)
    assert issues(got) == []


def test_last_segment_first(engine):
    talk = Conversation().handshake().client(150, SCCRQ[150:] + echo(2)).client(60, SCCRQ[60:150]).client(0, SCCRQ[:60])
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "control_message_type") == [1, 5]
    assert column(got, "messages", "packet") == [6, 6]
    assert column(got, "messages", "segments") == [3, 1]
    facts(got, octets=172, out_of_order=2)


def test_packet_is_the_highest_up_to_the_end_of_the_message(engine):
    """The second message's own octets came in packets 4 and 5; those in front of it last in packet 6."""
    talk = (
        Conversation()
        .handshake()
        .client(16, echo(2)[:8])
        .client(24, echo(2)[8:])
        .client(0, echo(1))
        .client(32, echo(3))
    )
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "messages", "packet") == [6, 6, 7]
    assert column(got, "messages", "segments") == [1, 2, 1]


def test_retransmission(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(0, echo(1)).client(32, echo(3)).client(32, echo(3))
    talk.client(16, echo(2)).client(0, echo(1) + echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    facts(got, octets=48, data_segments=6, retransmitted=3, out_of_order=1, conflicts=0)
    assert issues(got) == []


def test_partial_overlap_brings_what_is_new(engine):
    """Segment of octets 8 to 40 over 0 to 16 and 32 to 48: sixteen are new."""
    octets = echo(1) + echo(2) + echo(3)
    talk = Conversation().handshake().client(0, octets[:16]).client(32, octets[32:]).client(8, octets[8:40])
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "messages", "packet") == [4, 6, 6]
    facts(got, octets=48, retransmitted=0, out_of_order=1, conflicts=0)


def test_segment_over_all(engine):
    octets = echo(1) + echo(2) + echo(3)
    talk = Conversation().handshake().client(4, octets[4:8]).client(20, octets[20:24]).client(0, octets)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "messages", "segments") == [2, 2, 1]
    assert column(got, "messages", "packet") == [6, 6, 6]
    facts(got, octets=48, out_of_order=1)


def test_both_directions(engine):
    talk = (
        Conversation()
        .handshake()
        .client(0, echo(1)[:8])
        .server(0, echo(11))
        .client(8, echo(1)[8:])
        .server(16, echo(12))
    )
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [11, 1, 12]
    assert column(got, "messages", "from_initiator") == [False, True, False]
    assert column(got, "messages", "packet") == [5, 6, 7]
    facts(got, messages=1, octets=16, data_segments=2, segments=4)
    facts(got, "responder", messages=2, octets=32, data_segments=2, segments=3)


# ---- copies that differ


def test_first_copy_wins_in_a_message_that_waits(engine):
    """Octets 12 and 13 came twice, both segments verify: the first stays, both messages are marked."""
    octets = echo(0x01020304)
    talk = (
        Conversation()
        .handshake()
        .client(0, octets[:14])
        .client(12, b"\xff\xff" + octets[14:] + echo(2))
        .client(32, echo(3))
    )
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [0x01020304, 2, 3]
    assert statuses(got) == [{"OVERLAP_CONFLICT"}, {"OVERLAP_CONFLICT"}, set()]
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 2, 2)]
    assert column(got, "issues", "connection") == [0]
    facts(got, conflicts=1, octets=48, retransmitted=0)


def test_first_copy_wins_behind_a_hole(engine):
    talk = Conversation().handshake().client(16, echo(2)).client(16, echo(0x0902)).client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), {"OVERLAP_CONFLICT"}]
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 16, 1)]
    facts(got, conflicts=1, retransmitted=1)


def test_copy_of_what_was_delivered(engine):
    """The row is out: the conflict is told, and the message of the first copy stays as it was."""
    talk = Conversation().handshake().client(0, echo(1)).client(0, echo(0x01000001)).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 16, 1)]
    facts(got, conflicts=1, retransmitted=1)


def test_one_issue_for_a_segment_over_history_and_pieces(engine):
    """Octets 0 to 16 delivered, 16 to 20 in a message that waits, 32 to 36 behind a hole; one octet differs in each."""
    octets = echo(1) + echo(2) + echo(3)
    other = bytearray(octets)
    for at in (15, 19, 35):
        other[at] ^= 0xFF
    talk = Conversation().handshake().client(0, octets[:20]).client(32, octets[32:36]).client(0, bytes(other))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert statuses(got) == [set(), {"OVERLAP_CONFLICT"}, {"OVERLAP_CONFLICT"}]
    assert issues(got) == [(6, "TCP", "OVERLAP_CONFLICT", 24, 3)]
    facts(got, conflicts=1)


def test_verified_copy_replaces_a_wrong_one(engine):
    """The first copy's checksum is wrong; while its message waits, a copy that verifies takes its place."""
    talk = Conversation().handshake().client(16, echo(0x0902), spoil=1).client(16, echo(2)).client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), {"OVERLAP_CONFLICT"}]
    assert column(got, "messages", "packet") == [6, 6]
    assert [issue[:3] for issue in issues(got)] == [(4, "TCP", "BAD_CHECKSUM"), (5, "TCP", "OVERLAP_CONFLICT")]
    assert issues(got)[1][3:] == (16, 1)


def test_verified_copy_replaces_one_left_to_the_network_card(engine):
    """Nothing is known of the first copy's checksum, 0, nor of the last one's; the one between them verifies."""
    talk = Conversation().handshake().client(16, echo(0x0902), checksum=0).client(16, echo(2))
    got = decode(talk.client(16, echo(3), checksum=0).client(0, echo(1)).pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), {"OVERLAP_CONFLICT"}]
    assert column(got, "messages", "packet") == [7, 7]
    assert [issue[:3] for issue in issues(got)] == [(5, "TCP", "OVERLAP_CONFLICT"), (6, "TCP", "OVERLAP_CONFLICT")]
    assert got.counters["checksums_offloaded"] == 2


def test_verified_copy_replaces_only_what_it_covers(engine):
    octets = echo(0x01020304)
    talk = Conversation().handshake().client(0, octets[:12] + b"\xff\xff", spoil=1).client(13, octets[13:])
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [0xFF020304]
    assert statuses(got) == [{"OVERLAP_CONFLICT", "BAD_CHECKSUM"}]
    assert column(got, "messages", "segments") == [2]
    assert issues(got)[1] == (5, "TCP", "OVERLAP_CONFLICT", 1, 1)


def test_equal_verified_copy_changes_nothing(engine):
    """The octets are as the wrong checksum left them: there is nothing to put right."""
    talk = Conversation().handshake().client(16, echo(2), spoil=1).client(16, echo(2)).client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [set(), {"BAD_CHECKSUM"}]
    assert column(got, "messages", "packet") == [6, 6]
    facts(got, retransmitted=1, conflicts=0)


def test_a_copy_that_does_not_verify_replaces_nothing(engine):
    talk = Conversation().handshake().client(16, echo(7), spoil=1).client(16, echo(8), spoil=2).client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 7]
    assert statuses(got) == [set(), {"OVERLAP_CONFLICT", "BAD_CHECKSUM"}]


def test_verified_copy_brings_octets_that_were_cut(engine):
    """The first segment was cut by the snap length, its retransmission was not; the message was not yet whole."""
    talk = Conversation().handshake().client(0, SCCRQ[:100], snap=60).client(0, SCCRQ[:100]).client(100, SCCRQ[100:])
    got = decode(talk.pcap(), engine)
    row = got["start_control_connection_request"][0]
    assert (row["host_name"], row["vendor_name"]) == (b"pns.example", b"Acme PNS")
    assert column(got, "messages", "available") == [156]
    assert statuses(got) == [set()]
    assert issues(got) == []


def test_unverified_copy_does_not_bring_octets_that_were_cut(engine):
    several: list[dict[str, Any]] = [{"spoil": 1}, {"snap": 99}]
    for more in several:
        talk = Conversation().handshake().client(0, SCCRQ[:100], snap=60).client(0, SCCRQ[:100], **more)
        got = decode(talk.client(100, SCCRQ[100:]).pcap(), engine)
        assert column(got, "messages", "available") == [60]
        assert statuses(got) == [{"CUT"}]


def test_octets_that_were_not_captured_are_not_compared(engine):
    other = SCCRQ[:30] + b"??" + SCCRQ[32:80] + b"??" + SCCRQ[82:100]
    talk = Conversation().handshake().client(0, SCCRQ[:100], snap=60).client(0, other, spoil=1).client(100, SCCRQ[100:])
    got = decode(talk.pcap(), engine)
    assert [issue[2:] for issue in issues(got) if issue[2] == "OVERLAP_CONFLICT"] == [("OVERLAP_CONFLICT", 60, 2)]


# ---- single octets


@pytest.mark.parametrize("octet", [b"\0", b"\x01"])
def test_keep_alive(engine, octet):
    """One octet in front of the next one: never data, never a conflict, whatever it holds."""
    talk = Conversation().handshake().client(0, echo(1)).client(15, octet).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert issues(got) == []
    facts(got, octets=32, data_segments=3, retransmitted=0, conflicts=0)


def test_keep_alive_in_front_of_the_first_octet(engine):
    talk = Conversation().handshake().client(-1, b"\0").client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1]
    assert issues(got) == []
    facts(got, octets=16, data_segments=2)


def test_an_octet_with_fin_is_no_keep_alive(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(15, b"\xee", "FA")
    got = decode(talk.pcap(), engine)
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 1, 1)]


def test_zero_window_probe(engine):
    """One octet at the next position is data; it is sent again with the rest."""
    talk = Conversation().handshake().client(0, echo(1)).client(16, echo(2)[:1]).client(16, echo(2)).client(32, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "messages", "segments") == [1, 2, 1]
    assert issues(got) == []
    facts(got, octets=48, data_segments=4)


# ---- sequence numbers


@pytest.mark.parametrize("isn", [0, 2**31 - 20, 2**32 - 1, 2**32 - 2, 2**32 - 20, 2**32 - 17])
def test_wrap(engine, isn):
    """Also out of order across the wrap."""
    talk = Conversation(isn=(isn, isn)).handshake()
    for position in (0, 32, 16, 48):
        talk.client(position, echo(position)).server(position, echo(position + 1))
    got = decode(talk.pcap(), engine)
    assert sorted(identifiers(got)) == [0, 1, 16, 17, 32, 33, 48, 49]
    assert statuses(got) == [set()] * 8
    assert issues(got) == []
    facts(got, octets=64, out_of_order=1)


@pytest.mark.parametrize("distance", [2**30, 2**31 - 1, -(2**30), -(2**31)])
def test_out_of_window(engine, distance):
    """Ignored, but for the count of segments."""
    talk = Conversation().handshake().client(0, echo(1)).client(16 + distance, echo(9)).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]
    assert issues(got) == [(5, "TCP", "OUT_OF_WINDOW", 2**30, abs(distance))]
    facts(got, octets=32, data_segments=3, segments=5, out_of_order=0, retransmitted=0)


def test_edge_of_the_window(engine):
    """The greatest distance waits like any; at the end the hole is a gap of that size."""
    talk = Conversation().handshake().client(0, echo(1)).client(16 + 2**30 - 1, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), {"AFTER_GAP"}]
    assert issues(got) == [(5, "TCP", "GAP", 2**30 - 1, 0)]
    facts(got, gaps=1, gap_octets=2**30 - 1, octets=32)


def test_octets_in_front_of_the_start(engine):
    """Cut off: the stream begins behind the SYN."""
    talk = Conversation().handshake().client(-4, b"\xaa" * 4 + echo(1)).client(16, echo(2)).client(-30, b"\xbb" * 30)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]
    assert issues(got) == []
    facts(got, octets=32)


# ---- flags


def test_data_of_a_syn(engine):
    """They stand behind the number of the SYN."""
    talk = (
        Conversation()
        .client(-1, echo(1), "S")
        .server(-1, echo(11)[:9], "SA")
        .client(16, echo(2))
        .server(9, echo(11)[9:])
    )
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 11]
    assert column(got, "messages", "packet") == [1, 3, 4]
    assert statuses(got) == [set()] * 3
    assert issues(got) == []
    facts(got, octets=32, data_segments=2)


def test_urgent(engine):
    """In line, and marked."""
    talk = Conversation().handshake().client(0, echo(1)[:9], "UA").client(9, echo(1)[9:]).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [{"URGENT"}, set()]
    assert issues(got) == []


def test_data_without_acknowledgment(engine):
    talk = Conversation().handshake().client(0, echo(1), "").client(16, echo(2), "P")
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    only(got, control_segments=5)

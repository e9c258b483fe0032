"""Holes that never fill: what declares them lost, what is said of the message they cut, where the stream goes on.

Positions are those of the client's stream; packets 1 to 3 are the handshake.
"""

from __future__ import annotations

import pytest
from builder import Conversation, echo
from helpers import column, decode, identifiers, issues, statuses
from vectors import CONTROL_HEX

SCCRQ = CONTROL_HEX[1]  # 156 octets
# The same with a whole Echo-Request in its host name, at 70 of the message: nothing but a name.
DECOY = SCCRQ[:70] + echo(0xFA6E) + SCCRQ[86:]


def facts(got, side: str = "initiator", **expected: int) -> None:
    assert {name: int(got["connections"][0][f"{side}_{name}"]) for name in expected} == expected


# ---- what declares a hole lost


def test_acknowledgment(engine):
    """The other side has it, so the capture lost it.  The row has its own packet, the gap the acknowledgment's."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).server(0, ack=48).client(48, echo(4))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3, 4]
    assert column(got, "messages", "packet") == [4, 5, 7]
    assert statuses(got) == [set(), {"AFTER_GAP"}, set()]
    assert issues(got) == [(6, "TCP", "GAP", 16, 0)]
    assert column(got, "issues", "connection") == [0]
    facts(got, gaps=1, gap_octets=16, octets=48)


@pytest.mark.parametrize(("ack", "packet"), [(16, 7), (31, 7), (32, 6), (33, 6)])
def test_acknowledgment_of_the_whole_hole(engine, ack, packet):
    """One octet less says nothing; then only the end of the capture does."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).server(0, ack=ack).client(48)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3]
    assert issues(got) == [(packet, "TCP", "GAP", 16, 0)]


def test_acknowledgment_that_came_first(engine):
    """Capture order is not the order of the wire: the acknowledgment is kept for data to come."""
    talk = Conversation().handshake().client(0, echo(1)).server(0, ack=48).client(32, echo(3)).client(48, echo(4))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3, 4]
    assert issues(got) == [(6, "TCP", "GAP", 16, 0)]


def test_acknowledgment_in_front_of_all_data(engine):
    """No data came at all up to 16."""
    talk = Conversation().handshake().server(0, ack=32).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"AFTER_GAP"}]
    assert issues(got) == [(5, "TCP", "GAP", 16, 0)]


def test_lower_acknowledgment_takes_nothing_back(engine):
    talk = (
        Conversation().handshake().client(0, echo(1)).server(0, ack=48).server(0, ack=16).client(32, echo(3)).client(48)
    )
    got = decode(talk.pcap(), engine)
    assert issues(got) == [(7, "TCP", "GAP", 16, 0)]


def test_acknowledgment_on_a_data_segment(engine):
    """What it says of the other side comes first, then the segment's own data."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).server(0, echo(11), ack=48)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3, 11]
    assert column(got, "messages", "packet") == [4, 5, 6]
    assert issues(got) == [(6, "TCP", "GAP", 16, 0)]


@pytest.mark.parametrize("ack", [16 + 2**30, 16 - 2**30, 16 + 2**31])
def test_acknowledgment_out_of_window(engine, ack):
    """Of no use, and no issue: acknowledgment numbers of nothing are common."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).server(0, ack=ack).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert issues(got) == []


def test_acknowledgment_of_one_hole_of_two(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).client(64, echo(5)).server(0, ack=48)
    got = decode(talk.client(48, echo(4)).pcap(), engine)
    assert identifiers(got) == [1, 3, 4, 5]
    assert column(got, "messages", "packet") == [4, 5, 8, 8]
    assert statuses(got) == [set(), {"AFTER_GAP"}, set(), set()]
    facts(got, gaps=1, gap_octets=16, out_of_order=1)


def test_end_of_the_capture(engine):
    """Both holes, in order, at the last packet."""
    talk = Conversation().handshake().client(32, echo(3)).client(0, echo(1)).client(64, echo(5)).server(0)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3, 5]
    assert column(got, "messages", "packet") == [5, 4, 6]
    assert statuses(got) == [set(), {"AFTER_GAP"}, {"AFTER_GAP"}]
    assert issues(got) == [(7, "TCP", "GAP", 16, 0), (7, "TCP", "GAP", 16, 0)]
    facts(got, gaps=2, gap_octets=32)


def test_fin_does_not_its_acknowledgment_does(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3), "FA").client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert statuses(got) == [set()] * 3
    assert issues(got) == []
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3), "FA").server(0, ack=49).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3]
    assert issues(got) == [(6, "TCP", "GAP", 16, 0)]


def test_reset(engine):
    """Holes of the initiator's direction first, whoever sent the reset."""
    talk = Conversation().handshake().server(32, echo(13)).client(16, echo(2)).server(0, flags="R")
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2, 13]
    assert column(got, "messages", "packet") == [5, 4]
    assert issues(got) == [(6, "TCP", "GAP", 16, 0), (6, "TCP", "GAP", 32, 0)]


def test_acknowledgment_of_a_reset_is_not_used(engine):
    """An acknowledged hole would be lost a packet before: here the reset closes, and declares all holes lost itself."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(3)).server(2**20, flags="RA", ack=48)
    got = decode(talk.client(16, echo(2)).pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert issues(got) == [(6, "TCP", "RESET_IGNORED", 2**20, 2**20)]


# ---- the message that a gap cuts


def test_message_cut_by_a_gap(engine):
    """What came of it is a row; the next message is found at its end."""
    talk = Conversation().handshake().client(0, SCCRQ[:40]).client(60, SCCRQ[60:] + echo(2)).server(0, ack=172)
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "control_message_type") == [1, 5]
    assert column(got, "messages", "available") == [40, 16]
    assert column(got, "messages", "packet") == [4, 5]
    assert column(got, "messages", "segments") == [1, 1]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}]
    assert column(got, "start_control_connection_request", "host_name") == [b"pns.example"]
    assert issues(got) == [(6, "CONTROL", "MESSAGE_CUT", 156, 40), (6, "TCP", "GAP", 20, 0)]


def test_header_in_the_tail_of_a_cut_message_is_not_believed(engine):
    """What stands between the gap and the end of the cut message is its rest, whatever it looks like."""
    talk = Conversation().handshake().client(0, DECOY[:40]).client(60, DECOY[60:] + echo(2)).server(0, ack=172)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}]
    assert issues(got) == [(6, "CONTROL", "MESSAGE_CUT", 156, 40), (6, "TCP", "GAP", 20, 0)]


def test_tail_of_a_cut_message_that_comes_later(engine):
    """While the place behind the cut message is not reached, nothing is cut."""
    talk = Conversation().handshake().client(0, DECOY[:40]).client(60, DECOY[60:90]).server(0, ack=90)
    talk.client(90, DECOY[90:] + echo(2)[:11]).client(167, echo(2)[11:] + echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2, 3]
    assert column(got, "messages", "packet") == [4, 8, 8]
    assert column(got, "messages", "segments") == [1, 2, 1]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}, set()]
    assert issues(got) == [(6, "CONTROL", "MESSAGE_CUT", 156, 40), (6, "TCP", "GAP", 20, 0)]


def test_nothing_plausible_behind_the_cut_message(engine):
    """Then the search starts behind the gap, and does believe what looks like a header."""
    talk = Conversation().handshake().client(0, DECOY[:40]).client(60, DECOY[60:] + b"\xaa" * 16 + echo(3)).server(0)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [0xFA6E, 3]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}, {"RESYNCHRONISED"}]
    assert issues(got) == [
        (6, "CONTROL", "MESSAGE_CUT", 156, 40),
        (6, "TCP", "GAP", 20, 0),
        (6, "CONTROL", "SKIPPED", 0, 10),
        (6, "CONTROL", "BAD_LENGTH", 12, 0),
        (6, "CONTROL", "SKIPPED", 0, 86),
    ]


@pytest.mark.parametrize("end", [150, 156, 167])
def test_end_of_the_capture_in_front_of_the_place(engine, end):
    """Fewer than 12 octets stand there: the search starts behind the gap."""
    octets = (DECOY + echo(2))[:end]
    got = decode(Conversation().handshake().client(0, octets[:40]).client(60, octets[60:]).pcap(), engine)
    assert identifiers(got) == [0xFA6E]
    assert issues(got) == [
        (5, "CONTROL", "MESSAGE_CUT", 156, 40),
        (5, "TCP", "GAP", 20, 0),
        (5, "CONTROL", "SKIPPED", 0, 10),
        (5, "CONTROL", "BAD_LENGTH", 12, 0),
        (5, "CONTROL", "SKIPPED", 0, end - 86),
    ]


def test_another_gap_in_front_of_the_place(engine):
    """Statuses add up until a message is made."""
    talk = Conversation().handshake().client(0, DECOY[:40]).client(60, DECOY[60:100]).client(110, DECOY[110:] + echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [0xFA6E, 2]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}, {"AFTER_GAP", "RESYNCHRONISED"}]
    assert issues(got) == [
        (6, "CONTROL", "MESSAGE_CUT", 156, 40),
        (6, "TCP", "GAP", 20, 0),
        (6, "CONTROL", "SKIPPED", 0, 10),
        (6, "CONTROL", "BAD_LENGTH", 12, 0),
        (6, "CONTROL", "SKIPPED", 0, 14),
        (6, "TCP", "GAP", 10, 0),
        (6, "CONTROL", "SKIPPED", 0, 46),
    ]


def test_gap_up_to_the_end_of_the_message(engine):
    talk = Conversation().handshake().client(0, SCCRQ[:100]).client(156, echo(2))
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "available") == [100, 16]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}]
    assert issues(got) == [(5, "CONTROL", "MESSAGE_CUT", 156, 100), (5, "TCP", "GAP", 56, 0)]


def test_gap_over_the_end_of_the_message(engine):
    """The gap ends in the middle of the next message, of which nothing can be said."""
    talk = Conversation().handshake().client(0, SCCRQ[:100]).client(160, echo(2)[4:] + echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [3]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}]
    assert issues(got) == [
        (5, "CONTROL", "MESSAGE_CUT", 156, 100),
        (5, "TCP", "GAP", 60, 0),
        (5, "CONTROL", "SKIPPED", 0, 12),
    ]


@pytest.mark.parametrize("known", [1, 5, 11])
def test_gap_in_a_header(engine, known):
    """No length is known, so no place behind the message either."""
    talk = Conversation().handshake().client(0, echo(1)[:known]).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"AFTER_GAP"}]
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, known), (5, "TCP", "GAP", 16 - known, 0)]


def test_gap_right_behind_a_header(engine):
    talk = Conversation().handshake().client(0, echo(1)[:12]).client(14, echo(1)[14:] + echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [0, 2]
    assert column(got, "messages", "available") == [12, 16]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}]
    assert issues(got) == [(5, "CONTROL", "MESSAGE_CUT", 16, 12), (5, "TCP", "GAP", 2, 0)]


def test_gap_while_out_of_step(engine):
    """What was passed over is told where the gap is met."""
    talk = Conversation().handshake().client(0, echo(1, cookie=0xDEADBEEF)).client(20, echo(2)).server(0, ack=36)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"AFTER_GAP", "RESYNCHRONISED"}]
    assert issues(got) == [
        (4, "CONTROL", "WRONG_COOKIE", 0x1A2B3C4D, 0xDEADBEEF),
        (6, "CONTROL", "SKIPPED", 0, 16),
        (6, "TCP", "GAP", 4, 0),
    ]


def test_message_of_another_type_length_behind_a_gap(engine):
    """A header is taken up again only where the length is that of its type."""
    talk = Conversation().handshake().client(8, echo(1)[8:] + echo(2, length=20) + bytes(4) + echo(3)).server(0)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [3]
    assert statuses(got) == [{"AFTER_GAP"}]
    assert issues(got) == [(5, "TCP", "GAP", 8, 0), (5, "CONTROL", "SKIPPED", 0, 28)]


@pytest.mark.parametrize("kind", [0, 16, 0x0105])
def test_unknown_type_is_no_place_to_start(engine, kind):
    odd = echo(2)[:8] + kind.to_bytes(2, "big") + echo(2)[10:]
    talk = Conversation().handshake().client(8, echo(1)[8:] + odd + echo(3, message_type=2) + echo(4)).server(0)
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [4]
    assert issues(got) == [(5, "TCP", "GAP", 8, 0), (5, "CONTROL", "SKIPPED", 0, 40)]


def test_each_type_is_a_place_to_start(engine):
    for kind, octets in CONTROL_HEX.items():
        got = decode(Conversation().handshake().client(8, b"\0\x10\0\x01" + octets).pcap(), engine)
        assert column(got, "messages", "control_message_type") == [kind]
        assert statuses(got) == [{"AFTER_GAP"}]
        found = [issue for issue in issues(got) if issue[2] != "UNKNOWN_CALL"]
        assert found == [(4, "TCP", "GAP", 8, 0), (4, "CONTROL", "SKIPPED", 0, 4)]

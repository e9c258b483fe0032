"""Segments cut by the snap length: octets that were on the wire count as arrived, with unknown value.

Packets 1 to 3 are the handshake.
"""

from __future__ import annotations

import struct

import pytest
from builder import Conversation, echo
from helpers import column, decode, identifiers, issues, statuses
from vectors import CONTROL_HEX

import pptpcap

SCCRQ = CONTROL_HEX[1]  # 156 octets


def test_snap_cut_in_the_middle_of_a_message(engine):
    """Octets not captured count as arrived: the step is kept, the fields behind the cut are 0."""
    talk = Conversation().handshake().client(0, SCCRQ[:100], snap=30).client(100, SCCRQ[100:]).client(156, echo(2))
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "available") == [30, 16]
    assert statuses(got) == [{"CUT"}, set()]
    assert column(got, "messages", "segments") == [2, 1]
    row = got["start_control_connection_request"][0]
    assert (row["host_name"], row["vendor_name"], row["bearer_capabilities"]) == (b"pn", b"", 2)
    assert issues(got) == []


def test_message_that_ends_with_the_capture_after_a_cut(engine):
    """The issue counts the octets that were there, the row those that are known."""
    got = decode(Conversation().handshake().client(0, SCCRQ[:100], snap=60).pcap(), engine)
    assert column(got, "messages", "available") == [60]
    assert issues(got) == [(4, "CONTROL", "MESSAGE_CUT", 156, 100)]


def test_cut_and_gap_in_one_message(engine):
    """60 octets known, 40 not, 20 lost; the next message is found behind the whole of it."""
    talk = (
        Conversation().handshake().client(0, SCCRQ[:100], snap=60).client(120, SCCRQ[120:] + echo(2)).server(0, ack=172)
    )
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "available") == [60, 16]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}]
    assert issues(got) == [(6, "CONTROL", "MESSAGE_CUT", 156, 100), (6, "TCP", "GAP", 20, 0)]


def test_search_in_octets_of_which_some_are_unknown(engine):
    """Twelve known octets are a header, also where what follows is not known."""
    talk = Conversation().client(0, b"?" * 5 + echo(1) + echo(2), snap=5 + 13).client(37, echo(3))
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "available") == [13, 16]
    assert statuses(got) == [{"CUT", "MIDSTREAM"}, {"RESYNCHRONISED"}]
    assert identifiers(got) == [0, 3]
    assert issues(got) == [
        (1, "CONTROL", "SKIPPED", 0, 5),
        (1, "CONTROL", "HEADER_CUT", 12, 0),
        (2, "CONTROL", "SKIPPED", 0, 16),
    ]


def test_search_passes_over_a_header_that_is_not_wholly_known(engine):
    talk = Conversation().client(0, b"?" * 5 + echo(1), snap=5 + 11).client(21, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"MIDSTREAM"}]
    assert issues(got) == [(2, "CONTROL", "SKIPPED", 0, 21)]


def test_known_octets_behind_unknown_ones(engine):
    """They are behind the first that is unknown: of no use to their message, and the next one is read."""
    talk = Conversation().handshake().client(0, SCCRQ[:30], snap=20).client(30, SCCRQ[30:]).client(156, echo(2))
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "available") == [20, 16]
    row = got["start_control_connection_request"][0]
    assert (row["framing_capabilities"], row["bearer_capabilities"], row["vendor_name"]) == (1, 0, b"")


# ---- headers cut by the snap length


@pytest.mark.parametrize("known", range(8))
def test_header_of_fewer_than_eight_known_octets(engine, known):
    talk = Conversation().handshake().client(0, echo(1)).client(16, echo(2), snap=known).client(32, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3]
    assert statuses(got) == [set(), {"RESYNCHRONISED"}]
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, known), (6, "CONTROL", "SKIPPED", 0, 16)]


@pytest.mark.parametrize("known", [8, 9, 11])
def test_header_whose_length_and_cookie_are_known(engine, known):
    """Its length is enough to keep the step; too little is known for a row."""
    talk = Conversation().handshake().client(0, echo(1)).client(16, echo(2), snap=known).client(32, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 3]
    assert statuses(got) == [set(), set()]
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, known)]


def test_stepping_over_waits_for_the_whole_message(engine):
    talk = Conversation().handshake().client(0, SCCRQ[:100], snap=10).client(100, SCCRQ[100:]).client(156, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [3]
    assert statuses(got) == [set()]
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, 10)]
    got = decode(Conversation().handshake().client(0, SCCRQ[:100], snap=10).client(100, SCCRQ[100:120]).pcap(), engine)
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, 10)]


@pytest.mark.parametrize("more", [{"length": 11}, {"length": 1025}, {"cookie": 0x1A2B3C4E}])
def test_cut_header_that_is_wrong_in_what_is_known(engine, more):
    talk = Conversation().handshake().client(0, echo(2, **more), snap=9).client(16, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [3]
    assert statuses(got) == [{"RESYNCHRONISED"}]
    assert issues(got) == [(4, "CONTROL", "HEADER_CUT", 12, 9), (5, "CONTROL", "SKIPPED", 0, 16)]


def test_unknown_octet_in_a_header_that_is_not_whole(engine):
    """Four octets came, two of them known: that there will be more cannot help."""
    talk = Conversation().handshake().client(0, echo(1)[:4], snap=2).client(4, echo(1)[4:] + echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [2]
    assert statuses(got) == [{"RESYNCHRONISED"}]
    assert issues(got) == [(4, "CONTROL", "HEADER_CUT", 12, 2), (5, "CONTROL", "SKIPPED", 0, 16)]


@pytest.mark.parametrize("claimed", [1 << 20, (1 << 20) + 1, 0xFFFFFF00])
def test_a_frame_is_walked_as_if_it_had_a_mebibyte_at_most(engine, claimed):
    """IPv6 that leaves its length to the frame, with a TCP segment: 60 octets of headers, 8 of data captured."""
    packet = bytes.fromhex(
        "60000000 0000 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
        "9c40 06bb 00000001 00000000 5010 03e8 0000 0000 0000000000000000"
    )
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 229)
    record = struct.pack("<IIII", 1_600_000_000, 0, len(packet), claimed) + packet
    capture = pptpcap.read(head + record, engine=engine)
    assert capture.summary.original_octets == claimed
    assert capture.connections["initiator_octets"].tolist() == [(1 << 20) - 60]

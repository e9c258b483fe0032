"""Control messages that are not as the RFC says: what is kept, what is marked, where the stream is taken up again.

The cases are those of the wire specification's list; outcomes are typed from the decoding rules.
"""

from __future__ import annotations

import struct

import pytest
from builder import Conversation, control, echo, stream
from helpers import column, decode, identifiers, issues, kinds, statuses
from vectors import CONTROL_HEX

SCCRQ, OCRQ, ICRQ, ICRP = (CONTROL_HEX[kind] for kind in (1, 7, 9, 10))
COOKIE = 0x1A2B3C4D


def patched(octets: bytes, offset: int, replacement: bytes) -> bytes:
    return octets[:offset] + replacement + octets[offset + len(replacement) :]


# ---- length


@pytest.mark.parametrize(("length", "legal"), [(0, 12), (1, 12), (8, 12), (11, 12), (1025, 1024), (65535, 1024)])
def test_impossible_length_loses_the_step(engine, length, legal):
    got = decode(stream(echo(1), echo(2, length=length), echo(3)), engine)
    assert identifiers(got) == [1, 3]
    assert statuses(got) == [set(), {"RESYNCHRONISED"}]
    assert column(got, "messages", "packet") == [4, 6]
    assert issues(got) == [(5, "CONTROL", "BAD_LENGTH", legal, length), (6, "CONTROL", "SKIPPED", 0, 16)]


def test_impossible_length_at_the_end(engine):
    got = decode(stream(echo(1), echo(2, length=0)), engine)
    assert identifiers(got) == [1]
    assert issues(got) == [(5, "CONTROL", "BAD_LENGTH", 12, 0), (5, "CONTROL", "SKIPPED", 0, 16)]


def test_length_of_a_header_alone(engine):
    """12 is legal: the message ends there, and what follows is not a header."""
    got = decode(stream(echo(0x01020304, length=12), echo(2)), engine)
    assert identifiers(got) == [0, 2]
    assert column(got, "messages", "length") == [12, 16]
    assert column(got, "messages", "available") == [12, 16]
    assert statuses(got) == [{"WRONG_LENGTH"}, {"RESYNCHRONISED"}]
    assert issues(got) == [
        (4, "CONTROL", "WRONG_LENGTH", 16, 12),
        (5, "CONTROL", "WRONG_COOKIE", COOKIE, 0x00100001),
        (5, "CONTROL", "SKIPPED", 0, 4),
    ]


def test_length_too_great_eats_into_the_next_message(engine):
    """A message is taken by its length: 20 octets here, 4 of them the next one's."""
    got = decode(stream(echo(1, length=20), echo(2), echo(3)), engine)
    assert identifiers(got) == [1, 3]
    assert column(got, "messages", "packet") == [5, 6]
    assert column(got, "messages", "segments") == [2, 1]
    assert column(got, "messages", "available") == [20, 16]
    assert statuses(got) == [{"WRONG_LENGTH"}, {"RESYNCHRONISED"}]
    assert issues(got) == [
        (5, "CONTROL", "WRONG_LENGTH", 16, 20),
        (5, "CONTROL", "BAD_LENGTH", 1024, 0x1A2B),
        (6, "CONTROL", "SKIPPED", 0, 12),
    ]


def test_wrong_length_with_octets_of_its_own_keeps_the_step(engine):
    got = decode(stream(echo(1, length=20) + b"\xaa\xbb\xcc\xdd", echo(2)), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [{"WRONG_LENGTH"}, set()]
    assert issues(got) == [(4, "CONTROL", "WRONG_LENGTH", 16, 20)]


def test_greatest_length(engine):
    got = decode(stream(control(5, b"\0\0\0\7" + bytes(1008)), echo(8)), engine)
    assert identifiers(got) == [7, 8]
    assert column(got, "messages", "length") == [1024, 16]
    assert issues(got) == [(4, "CONTROL", "WRONG_LENGTH", 16, 1024)]


def test_incoming_call_reply_with_length_148(engine):
    """What scapy sends: 24 octets that say 148.  At the end of the stream every field is there, with marks."""
    wrong = patched(ICRP, 0, b"\x00\x94")
    got = decode(stream(wrong), engine)
    row = got["incoming_call_reply"][0]
    assert (row["length"], row["call_id"], row["peer_call_id"], row["result_code"]) == (148, 0x1313, 0x2323, 1)
    assert (row["packet_recv_window_size"], row["packet_transmit_delay"]) == (48, 8)
    assert column(got, "messages", "available") == [24]
    assert statuses(got) == [{"CUT", "WRONG_LENGTH"}]
    assert issues(got) == [(4, "CONTROL", "MESSAGE_CUT", 148, 24), (4, "CONTROL", "WRONG_LENGTH", 24, 148)]


def test_incoming_call_reply_with_length_148_in_a_stream(engine):
    """It takes 124 octets of what follows: seven messages and 12 octets; the 4 octets behind them are no header."""
    got = decode(stream(patched(ICRP, 0, b"\x00\x94"), *(echo(n) for n in range(8))), engine)
    assert identifiers(got) == []
    assert column(got, "messages", "available") == [148]
    assert column(got, "messages", "segments") == [9]
    assert column(got, "messages", "packet") == [12]
    assert issues(got) == [(12, "CONTROL", "WRONG_LENGTH", 24, 148), (12, "CONTROL", "HEADER_CUT", 12, 4)]


# ---- segments


def test_two_messages_in_one_segment(engine):
    got = decode(stream(SCCRQ + echo(7) + OCRQ), engine)
    assert column(got, "messages", "control_message_type") == [1, 5, 7]
    assert column(got, "messages", "packet") == [4, 4, 4]
    assert column(got, "messages", "segments") == [1, 1, 1]
    assert statuses(got) == [set()] * 3
    assert issues(got) == []


def test_split_in_four(engine):
    got = decode(stream(SCCRQ[:1], SCCRQ[1:5], SCCRQ[5:20], SCCRQ[20:]), engine)
    assert column(got, "messages", "segments") == [4]
    assert column(got, "messages", "packet") == [7]
    assert column(got, "start_control_connection_request", "host_name") == [b"pns.example"]
    assert issues(got) == []


def test_split_at_each_octet(engine):
    for at in range(1, len(SCCRQ)):
        got = decode(stream(SCCRQ[:at], SCCRQ[at:] + echo(at)), engine)
        assert column(got, "messages", "segments") == [2, 1], at
        assert column(got, "messages", "packet") == [5, 5], at
        assert column(got, "start_control_connection_request", "vendor_name") == [b"Acme PNS"], at
        assert identifiers(got) == [at]
        assert issues(got) == [], at


def test_one_octet_a_segment(engine):
    octets = SCCRQ + OCRQ
    got = decode(stream(*(octets[at : at + 1] for at in range(len(octets)))), engine)
    assert column(got, "messages", "segments") == [156, 168]
    assert column(got, "messages", "packet") == [3 + 156, 3 + 324]
    assert issues(got) == []


# ---- cookie and types


def test_wrong_cookie(engine):
    got = decode(stream(echo(1), echo(2, cookie=0xDEADBEEF), echo(3)), engine)
    assert identifiers(got) == [1, 3]
    assert statuses(got) == [set(), {"RESYNCHRONISED"}]
    assert issues(got) == [(5, "CONTROL", "WRONG_COOKIE", COOKIE, 0xDEADBEEF), (6, "CONTROL", "SKIPPED", 0, 16)]


def test_bad_length_is_told_before_bad_cookie(engine):
    got = decode(stream(echo(2, length=3, cookie=0xDEADBEEF)), engine)
    assert issues(got)[0] == (4, "CONTROL", "BAD_LENGTH", 12, 3)


@pytest.mark.parametrize("kind", [0, 2, 3, 65535])
def test_message_type_other_than_control(engine, kind):
    """No management message is defined: nothing but the header is read, and nothing else of it is judged."""
    got = decode(stream(echo(1), echo(2, message_type=kind, length=20) + bytes(4), echo(3)), engine)
    assert identifiers(got) == [1, 3]
    assert column(got, "messages", "message_type") == [1, kind, 1]
    assert column(got, "messages", "row") == [0, -1, 1]
    assert column(got, "echo_request", "message") == [0, 2]
    assert statuses(got) == [set(), {"MANAGEMENT"}, set()]
    assert issues(got) == [(5, "CONTROL", "MANAGEMENT", 1, kind)]


@pytest.mark.parametrize("kind", [0, 16, 0x0105, 0x0F00, 65535])
def test_unknown_control_type(engine, kind):
    """A sane length is stepped over whatever the type; 0x0105 is not 5."""
    got = decode(stream(control(kind, bytes(28)), echo(3)), engine)
    assert identifiers(got) == [3]
    assert column(got, "messages", "control_message_type") == [kind, 5]
    assert column(got, "messages", "length") == [40, 16]
    assert column(got, "messages", "row") == [-1, 0]
    assert statuses(got) == [{"UNKNOWN_TYPE"}, set()]
    assert issues(got) == [(4, "CONTROL", "UNKNOWN_TYPE", 0, kind)]


def test_reserved_fields_are_kept_as_they_came(engine):
    octets = patched(patched(SCCRQ, 10, b"\xbe\xef"), 14, b"\xa1\x96")
    got = decode(stream(octets), engine)
    assert column(got, "messages", "reserved0") == [0xBEEF]
    assert column(got, "start_control_connection_request", "reserved0") == [0xBEEF]
    assert column(got, "start_control_connection_request", "reserved1") == [0xA196]
    assert statuses(got) == [set()]
    assert issues(got) == []


def test_call_ids_of_zero(engine):
    reply = patched(CONTROL_HEX[8], 12, bytes(4))
    got = decode(stream(patched(OCRQ, 12, bytes(2)), reply), engine)
    assert column(got, "outgoing_call_request", "call_id") == [0]
    assert column(got, "outgoing_call_reply", "peer_call_id") == [0]
    assert kinds(got) == ["SHARED_ID"] * 2, "the client answers itself: a second call with id 0"


# ---- cut messages

SCCRQ_FIELDS = [
    ("protocol_version", 12, 2, 0x0100),
    ("reserved1", 14, 2, 0x0A0B),
    ("framing_capabilities", 16, 4, 0x01020304),
    ("bearer_capabilities", 20, 4, 0x05060708),
    ("maximum_channels", 24, 2, 0x090A),
    ("firmware_revision", 26, 2, 0x0B0C),
]
FULL = struct.pack(">HHIIHH", *(value for _, _, _, value in SCCRQ_FIELDS)) + b"h" * 64 + b"v" * 64


@pytest.mark.parametrize("how", ["end of stream", "snap length", "length"])
def test_cut_at_each_octet(engine, how):
    """What lies wholly in front of the cut is there, what does not is 0, and texts keep what came."""
    for size in range(12, 156):
        octets = control(1, FULL)
        if how == "end of stream":
            capture = stream(octets[:size])
            expected = {"CUT"}, [(4, "CONTROL", "MESSAGE_CUT", 156, size)]
        elif how == "snap length":
            capture = Conversation().handshake().client(0, octets, snap=size).pcap()
            expected = {"CUT"}, []
        else:
            capture = stream(control(1, FULL, length=size)[:size])
            expected = {"WRONG_LENGTH"}, [(4, "CONTROL", "WRONG_LENGTH", 156, size)]
        got = decode(capture, engine)
        row = got["start_control_connection_request"][0]
        for name, offset, width, value in SCCRQ_FIELDS:
            assert row[name] == (value if offset + width <= size else 0), (name, size)
        assert row["host_name"] == b"h" * max(0, min(64, size - 28)), size
        assert row["vendor_name"] == b"v" * max(0, size - 92), size
        assert column(got, "messages", "available") == [size]
        assert (statuses(got)[0], issues(got)) == expected, size


def test_start_request_cut_at_100(engine):
    got = decode(stream(SCCRQ[:100]), engine)
    row = got["start_control_connection_request"][0]
    assert (row["host_name"], row["vendor_name"], row["firmware_revision"]) == (b"pns.example", b"Acme PNS", 0x0203)
    assert issues(got) == [(4, "CONTROL", "MESSAGE_CUT", 156, 100)]


@pytest.mark.parametrize("octets", range(1, 12))
def test_header_cut_by_the_end(engine, octets):
    got = decode(stream(echo(1), echo(2)[:octets]), engine)
    assert identifiers(got) == [1]
    assert len(got["messages"]) == 1
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, octets)]


# ---- texts and number lengths


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"x" * 64, set()),
        (b"", set()),
        (b"\0pns", {"TEXT_TAIL"}),
        (b"pns\0\0stale", {"TEXT_TAIL"}),
        (b"x" * 62 + b"\0y", {"TEXT_TAIL"}),
        ("pns-\u00fc\u20ac".encode(), set()),
        (b"\xff" * 64, set()),
        (b"\x1b[31m\r\n\x9b\x80", set()),
    ],
)
def test_text(engine, text, status):
    """64 octets as they came: no zero needed, none hidden."""
    octets = patched(SCCRQ, 28, text.ljust(64, b"\0"))
    got = decode(stream(octets, echo(1)), engine)
    assert column(got, "start_control_connection_request", "host_name") == [text.rstrip(b"\0")]
    assert statuses(got) == [status, set()]
    assert issues(got) == []


def test_text_tail_in_the_widest_field(engine):
    got = decode(stream(patched(CONTROL_HEX[13], 147, b"z")), engine)
    assert statuses(got) == [{"TEXT_TAIL"}]
    assert column(got, "call_disconnect_notify", "call_statistics") == [b"rx=1 tx=2" + bytes(118) + b"z"]


def test_text_tail_is_judged_by_the_octets_there(engine):
    """The octet behind the zero is not in the capture: nothing is known against the text."""
    octets = patched(SCCRQ, 28, b"pns\0\0stale".ljust(64, b"\0"))
    for size, status in ((32, {"CUT"}), (33, {"CUT"}), (34, {"CUT", "TEXT_TAIL"})):
        got = decode(Conversation().handshake().client(0, octets, snap=size).pcap(), engine)
        assert statuses(got) == [status], size


@pytest.mark.parametrize(("value", "bad"), [(0, False), (64, False), (65, True), (255, True), (65535, True)])
def test_phone_number_length(engine, value, bad):
    got = decode(stream(patched(OCRQ, 36, struct.pack(">H", value)), echo(1)), engine)
    assert column(got, "outgoing_call_request", "phone_number_length") == [value]
    assert column(got, "outgoing_call_request", "phone_number") == [b"5551"]
    assert statuses(got) == [{"NUMBER_LENGTH"} if bad else set(), set()]
    assert issues(got) == ([(4, "CONTROL", "NUMBER_LENGTH", 64, value)] if bad else [])


def test_both_number_lengths_of_an_incoming_call(engine):
    got = decode(stream(patched(ICRQ, 24, struct.pack(">HH", 65, 256))), engine)
    assert statuses(got) == [{"NUMBER_LENGTH"}]
    assert issues(got) == [(4, "CONTROL", "NUMBER_LENGTH", 64, 65), (4, "CONTROL", "NUMBER_LENGTH", 64, 256)]


def test_number_length_that_is_cut_is_not_judged(engine):
    got = decode(stream(patched(OCRQ, 36, b"\xff\xff")[:37]), engine)
    assert statuses(got) == [{"CUT"}]
    assert issues(got) == [(4, "CONTROL", "MESSAGE_CUT", 168, 37)]


def test_order_of_the_issues_of_one_message(engine):
    octets = patched(patched(OCRQ, 36, b"\0\xff"), 0, b"\0\xa9")
    got = decode(stream(octets), engine)
    assert statuses(got) == [{"CUT", "WRONG_LENGTH", "NUMBER_LENGTH"}]
    assert issues(got) == [
        (4, "CONTROL", "MESSAGE_CUT", 169, 168),
        (4, "CONTROL", "WRONG_LENGTH", 168, 169),
        (4, "CONTROL", "NUMBER_LENGTH", 64, 255),
    ]

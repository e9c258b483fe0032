"""What ends a call, by whom and when, and which calls: the last rows and sentences of decoding 10.1, and 10.5."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builder import CLIENT, SERVER, Record, gre, gre_frame, pcap
from call_builder import (
    CLIENT_SIDE,
    SERVER_SIDE,
    Session,
    clear,
    disconnect,
    incoming_request,
    outgoing_reply,
    outgoing_request,
    stop,
)
from helpers import decode, drive
from pcapng_builder import started
from related import all_calls, mapped, only_call, said

from pptpcap.wire.limits import DEFAULT


@pytest.mark.parametrize(("side", "from_pns"), [(CLIENT_SIDE, True), (SERVER_SIDE, False)])
def test_stop_ends_the_calls_of_its_connection(engine, side, from_pns):
    """Those that did not end before; the third is of another connection."""
    talk = Session().outgoing(1, 2).outgoing(3, 4).server_says(disconnect(4))
    Session(talk.packets, port=40001).outgoing(5, 6)
    got = decode(talk.say(side, stop()).pcap(), engine)
    assert all_calls(got, "end", "end_from_pns", "end_time", "last_packet") == [
        ("STOP", from_pns, 14, 14),
        ("DISCONNECT_NOTIFY", False, 8, 8),
        ("OPEN", False, None, 13),
    ]


def test_stop_of_a_side_that_is_both(engine):
    """The client is the PNS of the first call and the PAC of the second."""
    talk = Session().client_says(outgoing_request(1)).client_says(incoming_request(2)).client_says(stop())
    assert all_calls(decode(talk.pcap(), engine), "end", "end_from_pns") == [("STOP", True), ("STOP", False)]


def test_the_first_end_counts(engine):
    """What comes later is told, and does not end the call again."""
    talk = Session().outgoing(1, 2).client_says(stop()).server_says(disconnect(2, 1)).client(216, flags="FA", ack=180)
    got = decode(talk.pcap(), engine)
    only_call(got, end="STOP", end_time=6, disconnect_time=7, disconnect_result_code=1, last_packet=7)


@pytest.mark.parametrize(("side", "from_pns"), [(CLIENT_SIDE, True), (SERVER_SIDE, False)])
@pytest.mark.parametrize(("flags", "end"), [("FA", "FIN"), ("R", "RST"), ("RA", "RST")])
def test_end_of_the_connection(engine, side, from_pns, flags, end):
    talk = Session().outgoing(1, 2)
    got = decode(talk.say(side, flags=flags).pcap(), engine)
    only_call(got, end=end, end_from_pns=from_pns, end_time=6, last_packet=5, last_time=5)


def test_clear_in_front_of_the_end_of_the_connection_is_the_end(engine):
    got = decode(Session().outgoing(1, 2).client_says(clear(1)).server_says(flags="FA").pcap(), engine)
    only_call(got, clear_time=6, end="CALL_CLEAR", end_from_pns=True, end_time=6, last_packet=6)


def test_a_call_is_told_of_in_the_packet_that_ends_the_connection(engine):
    """Data of the segment come before its FIN."""
    got = decode(Session().client_says(outgoing_request(1), flags="FA").pcap(), engine)
    only_call(got, end="FIN", end_from_pns=True, end_time=4)


@pytest.mark.parametrize(("flags", "end"), [("FA", "FIN"), ("R", "RST")])
def test_a_later_call_is_not_ended_by_an_end_before_it(engine, flags, end):
    """The client ended the connection in packet 6; the second call, of the server, is behind that."""
    talk = Session().outgoing(1, 2).client_says(flags=flags).server_says(incoming_request(9))
    assert all_calls(decode(talk.pcap(), engine), "end", "end_time") == [(end, 6), ("OPEN", None)]


def test_only_the_first_end_of_a_connection_ends_calls(engine):
    """A FIN of the client ended the connection, a reset of the server ends nothing more."""
    talk = Session().client_says(flags="FA").server_says(incoming_request(9)).server_says(flags="R")
    only_call(decode(talk.pcap(), engine), end="OPEN", end_time=None)


def test_new_connection_on_the_same_ports(engine):
    """The SYN in packet 6 begins another: the call ends by it, by nobody."""
    one = Session().outgoing(1, 2)
    again = Session(one.packets, isn=(700_000, 800_000)).outgoing(1, 2, 1)
    got = decode(again.pcap(), engine)
    assert all_calls(got, "connection", "end", "end_from_pns", "end_time") == [
        (0, "NEW_CONNECTION", False, 6),
        (1, "OPEN", False, None),
    ]


def test_evicted(engine):
    """With state for one connection, packet 6 of another makes the first give way."""
    one = Session().outgoing(1, 2)
    Session(one.packets, port=40001)
    got = drive(one.pcap(), engine, limits=replace(DEFAULT, connections=1))
    only_call(got, end="EVICTED", end_from_pns=False, end_time=6)


def test_reset_that_is_not_believed_ends_nothing(engine):
    """Its sequence number is 2^20 away."""
    got = decode(Session().outgoing(1, 2).client(1 << 21, flags="R").pcap(), engine)
    only_call(got, end="OPEN", end_time=None)


# ---- the end of the capture


# A packet of hosts that have nothing to do with the call.
STRANGER = gre_frame(gre(b"\x21", 9, 1), bytes([10, 9, 9, 9]), bytes([10, 9, 9, 8]))


def half_silent(talk: Session, *seconds: tuple[int, int]) -> Session:
    """The client goes on alone: it sends at these seconds and microseconds behind the capture's first second."""
    for number, (whole, rest) in enumerate(seconds, 10):
        talk.client_sends(2, number).after(whole, rest)
    return talk


def both_ways() -> Session:
    """A call of which both sides send; the server's last packet is number 7, at 6.000042 s."""
    return Session().outgoing(1, 2).client_sends(2, 1).server_sends(1, 1)


@pytest.mark.parametrize(("microseconds", "end"), [(42, "OPEN"), (43, "SILENCE")])
def test_silence_begins_two_minutes_behind_the_last_sign(engine, microseconds, end):
    got = decode(half_silent(both_ways(), (126, microseconds), (126, microseconds)).pcap(), engine)
    row = got["calls"][0]
    assert said(row, "end") == end
    assert said(row, "end_time") == (7 if end == "SILENCE" else None)
    assert said(row, "end_from_pns") is False


def test_one_packet_with_a_wrong_time_is_no_silence(engine):
    """Neither the last one nor the one in front of it."""
    talk = half_silent(both_ways(), (10, 0), (90_000_000, 0))
    assert said(decode(talk.pcap(), engine)["calls"][0], "end") == "OPEN"
    talk = half_silent(both_ways(), (90_000_000, 0), (11, 0))
    assert said(decode(talk.pcap(), engine)["calls"][0], "end") == "OPEN"


def test_the_silent_side_may_speak_again(engine):
    talk = half_silent(both_ways(), (500, 0), (501, 0)).server_sends(1, 2).after(502)
    assert said(decode(talk.pcap(), engine)["calls"][0], "end") == "OPEN"


def test_the_connection_is_a_sign_of_life(engine):
    """An acknowledgment in packet 8, 14 s behind the first, is no packet of the call."""
    talk = both_ways().server_says().after(14)
    assert said(decode(half_silent(talk, (134, 0), (134, 0)).pcap(), engine)["calls"][0], "end") == "OPEN"
    talk = both_ways().server_says().after(14)
    got = decode(half_silent(talk, (134, 1), (134, 1)).pcap(), engine)
    assert said(got["calls"][0], "end") == "SILENCE"
    assert got["calls"]["end_time"][0].astype("i8") == 1_600_000_014_000_000_000


def test_the_connection_behind_the_last_packets(engine):
    talk = half_silent(both_ways(), (500, 0), (501, 0)).client_says()
    assert said(decode(talk.pcap(), engine)["calls"][0], "end") == "OPEN"


def test_silence_of_a_tunnel_without_control(engine):
    talk = Session(begins=False).client_sends(5, 1).server_sends(6, 1)
    talk.client_sends(5, 2).after(200).client_sends(5, 3).after(200)
    row = decode(talk.pcap(), engine)["calls"][0]
    assert (said(row, "connection"), said(row, "end"), said(row, "end_time")) == (-1, "SILENCE", 2)


def test_half_a_conversation_is_not_silent(engine):
    """Nothing of the server was captured: nobody knows whether it sent anything."""
    talk = half_silent(Session().outgoing(1, 2), (500, 0), (501, 0))
    assert said(decode(talk.pcap(), engine)["calls"][0], "end") == "OPEN"


@pytest.mark.parametrize("seconds", [-90_000_000, 500, 90_000_000])
def test_times_of_others_say_nothing(engine, seconds):
    """A stranger's packet in front, or behind, at any time: the calls of the capture keep each of their values."""
    talk = both_ways()
    alone = decode(talk.pcap(), engine)["calls"]
    stranger = Session([STRANGER], begins=False).after(seconds).packets[0]
    behind = decode(pcap([*talk.packets, stranger]), engine)["calls"]
    assert behind[:1].tobytes() == alone.tobytes()
    assert said(behind[1], "connection") == -1


def test_clear_before_silence(engine):
    """A call that was asked to end, and of which nothing more came, ended by that request."""
    row = decode(half_silent(both_ways().client_says(clear(1)), (900, 0), (901, 0)).pcap(), engine)["calls"][0]
    assert (said(row, "end"), said(row, "end_from_pns"), said(row, "end_time")) == ("CALL_CLEAR", True, 8)


def test_end_of_the_capture(engine):
    only_call(decode(Session().outgoing(1, 2).pcap(), engine), end="OPEN", end_from_pns=False, end_time=None)


def test_no_silence_without_times(engine):
    """Simple Packet Blocks have no time; a stranger's packet behind them has one."""
    talk = Session().outgoing(1, 2).client_says(clear(1)).server_says(disconnect(2)).outgoing(3, 4)
    file = started()
    for packet in talk.frames():
        file.simple(packet)
    got = decode(file.packet(STRANGER, ticks=900_000_000).octets, engine)
    names = ("end", "start_time", "last_time", "connect_time", "clear_time", "disconnect_time", "end_time")
    assert [tuple(said(row, name) for name in names) for row in got["calls"][:2]] == [
        ("CALL_CLEAR", None, None, None, None, None, None),
        ("OPEN", None, None, None, None, None, None),
    ]


def test_the_first_that_has_a_time_gives_it(engine):
    """The Call-Clear-Request of packet 6 has no time, that of packet 7 has."""
    talk = Session().outgoing(1, 2).client_says(clear(1)).client_says(clear(1))
    file = started()
    for packet in talk.frames()[:6]:
        file.simple(packet)
    got = decode(file.packet(talk.frames()[6], ticks=900_000_000).octets, engine)
    assert got["calls"]["clear_time"].astype("i8").tolist() == [900 * 10**9]
    assert np.isnat(got["calls"]["end_time"]).all(), "the first of them ended the call"


# ---- a call that is known from its end alone


@pytest.mark.parametrize(
    ("side", "message", "status", "present", "end"),
    [
        (CLIENT_SIDE, clear(0x11), {"REQUEST_NOT_SEEN"}, {"PNS_CALL_ID"}, "CALL_CLEAR"),
        (
            SERVER_SIDE, disconnect(0x11), {"REQUEST_NOT_SEEN", "OTHER_ID"}, {"PNS_CALL_ID", "DISCONNECT"},
            "DISCONNECT_NOTIFY",
        ),
    ],
)  # fmt: skip
def test_of_one_tunnel_to_the_client(engine, side, message, status, present, end):
    """What leads to the client with id 0x11 was seen in packet 1, and nothing else: the id is the client's.

    Who clears is the PNS, and who notifies is the PAC, so the client is the PNS of both.
    """
    packets = Session(begins=False).server_sends(0x11, 4).packets
    got = decode(Session(packets).say(side, message).pcap(), engine)
    only_call(
        got, kind="UNKNOWN", connection=0, status=status, present=present,
        pns_address=mapped(CLIENT), pac_address=mapped(SERVER), pns_call_id=0x11, pac_call_id=0, pns_tunnel=-1,
        pac_tunnel=0, first_packet=1, last_packet=5, request_message=-1, end=end, end_time=5,
        end_from_pns=side == CLIENT_SIDE,
    )  # fmt: skip


def test_fin_of_a_call_without_messages_is_no_end_of_it(engine):
    """The tunnel's call is of no connection, though one between the same addresses ends."""
    packets = Session(begins=False).server_sends(0x11, 4).packets
    got = decode(Session(packets).client_says(flags="FA").pcap(), engine)
    only_call(got, connection=-1, end="OPEN")


def test_refused_and_cleared(engine):
    """REFUSED stands, whatever is said of the call later."""
    talk = Session().client_says(outgoing_request(1)).server_says(outgoing_reply(0, 1, 3)).client_says(clear(1))
    only_call(decode(talk.client_says(flags="FA").pcap(), engine), end="REFUSED", end_time=5, clear_time=6)


def test_times_to_the_nanosecond(engine):
    """Packet 4 comes a nanosecond behind packet 3 of the default times."""
    packets = Session().outgoing(1, 2).packets
    assert isinstance(packets[3], bytes)
    packets[3] = Record(packets[3], seconds=1_600_000_002, fraction=14_001)
    got = decode(pcap(packets, nanoseconds=True), engine)
    assert got["calls"]["start_time"].astype("i8").tolist() == [1_600_000_002_000_014_001]

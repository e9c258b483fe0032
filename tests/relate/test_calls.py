"""Which call a message belongs to, and what it says of it: each row of the table in decoding 10.1, each sentence below it."""

from __future__ import annotations

import pytest
from builder import CLIENT, SERVER, control
from call_builder import (
    CLIENT_SIDE,
    SERVER_SIDE,
    Session,
    clear,
    connected,
    disconnect,
    incoming_reply,
    incoming_request,
    link_info,
    outgoing_reply,
    outgoing_request,
    stop,
    wan_error,
)
from helpers import decode, drive, issues
from related import all_calls, holds, mapped, only_call

from pptpcap.wire.status import Kind


def test_outgoing(engine):
    """The client asks in packet 4, the server connects in packet 5."""
    talk = Session().client_says(outgoing_request(0x11, 7)).server_says(outgoing_reply(0x22, 0x11, 1, 0, 3))
    got = decode(talk.pcap(), engine)
    only_call(
        got,
        connection=0, pns_tunnel=-1, pac_tunnel=-1, request_message=0, reply_message=1, disconnect_message=-1,
        kind="OUTGOING", status=set(), present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL", "RESULT"},
        pns_address=mapped(CLIENT), pac_address=mapped(SERVER), pns_call_id=0x11, pac_call_id=0x22,
        call_serial_number=7, first_packet=4, last_packet=5, start_time=4, last_time=5, connect_time=5,
        clear_time=None, disconnect_time=None, end_time=None, end="OPEN", end_from_pns=False, result_code=1,
        error_code=0, cause_code=3, disconnect_result_code=0, set_link_infos=0, wan_error_notifies=0,
    )  # fmt: skip
    assert issues(got) == []


def test_call_of_each_message(engine):
    """Two calls at once; the fifth message names a call that nobody knows, the last ends the connection and both."""
    talk = Session().outgoing(0x11, 0x22).outgoing(0x12, 0x23).client_says(clear(0x99))
    talk.client_says(link_info(0x23)).server_says(disconnect(0x22)).client_says(stop())
    got = decode(talk.pcap(), engine)
    assert got["messages"]["call"].tolist() == [0, 0, 1, 1, -1, 1, 0, -1]


def test_incoming(engine):
    """The server tells of a caller; it connects in packet 6, not in the reply of packet 5."""
    talk = Session().server_says(incoming_request(0x33, 9)).client_says(incoming_reply(0x44, 0x33))
    got = decode(talk.server_says(connected(0x44)).pcap(), engine)
    only_call(
        got,
        request_message=0, reply_message=1, kind="INCOMING", status=set(), pns_address=mapped(CLIENT),
        pac_address=mapped(SERVER), pns_call_id=0x44, pac_call_id=0x33, call_serial_number=9, first_packet=4,
        last_packet=6, connect_time=6, result_code=1, end="OPEN",
        present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL", "RESULT"},
    )  # fmt: skip


def test_who_is_the_pns_is_told_by_the_request_alone(engine):
    """Either side of the connection may be either, and each may be both."""
    talk = Session().server_says(outgoing_request(1)).client_says(outgoing_reply(2, 1))
    talk.client_says(incoming_request(3)).server_says(incoming_reply(4, 3))
    got = decode(talk.pcap(), engine)
    assert all_calls(got, "kind", "pns_address", "pac_address", "pns_call_id", "pac_call_id") == [
        ("OUTGOING", mapped(SERVER), mapped(CLIENT), 1, 2),
        ("INCOMING", mapped(SERVER), mapped(CLIENT), 4, 3),
    ]


def test_request_alone(engine):
    got = decode(Session().client_says(outgoing_request(0x11, 7)).pcap(), engine)
    only_call(got, present={"PNS_CALL_ID", "SERIAL"}, reply_message=-1, pac_call_id=0, connect_time=None, status=set())


def test_id_0_on_both_sides(engine):
    talk = Session().outgoing(0, 0).client_sends(0, 1).server_sends(0, 1).client_says(clear(0))
    got = decode(talk.pcap(), engine)
    only_call(
        got, pns_call_id=0, pac_call_id=0, present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL", "RESULT"}, status=set(),
        pns_tunnel=0, pac_tunnel=1, clear_time=8,
    )  # fmt: skip


@pytest.mark.parametrize("second", [outgoing_reply(0x99, 0x11, 2, 4, 5), outgoing_reply(0x22, 0x11)])
def test_a_second_reply_changes_nothing_but_the_last_packet(engine, second):
    got = decode(Session().outgoing(0x11, 0x22).server_says(second).pcap(), engine)
    only_call(
        got, reply_message=1, pac_call_id=0x22, result_code=1, error_code=0, cause_code=0, connect_time=5,
        last_packet=6, end="OPEN",
    )  # fmt: skip


def test_a_second_reply_behind_the_first_message_of_the_capture(engine):
    """Its row is number 0."""
    talk = Session().server_says(outgoing_reply(0x22, 0x11)).server_says(outgoing_reply(0x99, 0x11, 2))
    only_call(decode(talk.pcap(), engine), reply_message=0, pac_call_id=0x22, result_code=1, last_packet=5, end="OPEN")


def test_a_second_incoming_reply_changes_nothing_but_the_last_packet(engine):
    talk = Session().server_says(incoming_request(3)).client_says(incoming_reply(4, 3))
    got = decode(talk.client_says(incoming_reply(5, 3, 2, 6)).pcap(), engine)
    only_call(got, reply_message=1, pns_call_id=4, result_code=1, error_code=0, last_packet=6, end="OPEN")


def test_outgoing_reply_without_its_request(engine):
    got = decode(Session().server_says(outgoing_reply(0x22, 0x11)).pcap(), engine)
    only_call(
        got, kind="OUTGOING", status={"REQUEST_NOT_SEEN"}, pns_address=mapped(CLIENT), pns_call_id=0x11,
        pac_call_id=0x22, present={"PNS_CALL_ID", "PAC_CALL_ID", "RESULT"}, request_message=-1, reply_message=0,
        connect_time=4, first_packet=4, call_serial_number=0,
    )  # fmt: skip


def test_incoming_reply_without_its_request(engine):
    got = decode(Session().client_says(incoming_reply(0x44, 0x33)).pcap(), engine)
    only_call(
        got, kind="INCOMING", status={"REQUEST_NOT_SEEN"}, pns_address=mapped(CLIENT), pns_call_id=0x44,
        pac_call_id=0x33, present={"PNS_CALL_ID", "PAC_CALL_ID", "RESULT"}, request_message=-1, connect_time=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "reply", "kind", "side"),
    [
        (outgoing_request, outgoing_reply, "OUTGOING", "client"),
        (incoming_request, incoming_reply, "INCOMING", "server"),
    ],
)
def test_a_request_behind_its_reply_completes_the_call(engine, request_, reply, kind, side):
    """The capture holds the two directions out of order: all that the side that asks sends stands behind the reply."""
    talk = Session()
    asks, answers = (talk.client_says, talk.server_says) if side == "client" else (talk.server_says, talk.client_says)
    answers(reply(0x22, 0x11))
    asks(request_(0x11, 7))
    talk.client_sends(0x22 if side == "client" else 0x11, 0).server_sends(0x11 if side == "client" else 0x22, 0)
    pns, pac = (0x11, 0x22) if side == "client" else (0x22, 0x11)
    only_call(
        decode(talk.pcap(), engine), kind=kind, status=set(), request_message=1, reply_message=0, call_serial_number=7,
        present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL", "RESULT"}, pns_call_id=pns, pac_call_id=pac, first_packet=4,
        last_packet=7, pns_tunnel=0, pac_tunnel=1, end="OPEN",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("side", "between", "requests"),
    [(SERVER_SIDE, disconnect(0x22), [-1, 2]), (CLIENT_SIDE, clear(0x11), [-1, 2]),
     (CLIENT_SIDE, outgoing_request(0x11), [1, 2])],
)  # fmt: skip
def test_a_request_behind_the_end_or_the_request_of_a_call_is_another_one(engine, side, between, requests):
    talk = Session().server_says(outgoing_reply(0x22, 0x11)).say(side, between)
    got = decode(talk.client_says(outgoing_request(0x11)).pcap(), engine)
    assert got["calls"]["request_message"].tolist() == requests


def test_a_request_of_the_other_kind_or_side_completes_nothing(engine):
    talk = Session().server_says(outgoing_reply(0x22, 0x11))
    got = decode(talk.client_says(incoming_request(0x11)).server_says(outgoing_request(0x11)).pcap(), engine)
    assert all_calls(got, "kind", "status", "request_message", "reply_message") == [
        ("OUTGOING", {"REQUEST_NOT_SEEN", "SHARED_ID"}, -1, 0),
        ("INCOMING", {"SHARED_ID"}, 1, -1),
        ("OUTGOING", set(), 2, -1),
    ]


def test_reply_to_a_call_of_the_other_kind_makes_a_call(engine):
    """The server answers the client's Outgoing-Call-Request as if it had been told of a caller."""
    got = decode(Session().client_says(outgoing_request(0x11)).server_says(incoming_reply(0x22, 0x11)).pcap(), engine)
    assert all_calls(got, "kind", "status", "pns_address", "pns_call_id", "pac_call_id", "reply_message") == [
        ("OUTGOING", {"SHARED_ID"}, mapped(CLIENT), 0x11, 0, -1),
        ("INCOMING", {"REQUEST_NOT_SEEN", "SHARED_ID"}, mapped(SERVER), 0x22, 0x11, 1),
    ]


def test_outgoing_refused(engine):
    """Result 2 is an error; the id in the reply is none, so nothing finds the call by it."""
    talk = Session().client_says(outgoing_request(0x11)).server_says(outgoing_reply(0x22, 0x11, 2, 4, 17))
    got = decode(talk.server_says(disconnect(0x22)).pcap(), engine)
    only_call(
        got, end="REFUSED", end_from_pns=False, end_time=5, result_code=2, error_code=4, cause_code=17,
        present={"PNS_CALL_ID", "SERIAL", "RESULT"}, pac_call_id=0, connect_time=None, last_packet=5,
    )  # fmt: skip
    assert issues(got) == [(6, "CONTROL", "UNKNOWN_CALL", 0, 0x22)]


def test_incoming_refused(engine):
    """The PNS refuses, and its reply has no cause code: what stands there is the window size."""
    body = bytes.fromhex("00440033 02 06 0123 0000 0000")
    talk = Session().server_says(incoming_request(0x33)).client_says(control(10, body))
    got = decode(talk.pcap(), engine)
    only_call(
        got, end="REFUSED", end_from_pns=True, end_time=5, result_code=2, error_code=6, cause_code=0, pns_call_id=0,
        present={"PAC_CALL_ID", "SERIAL", "RESULT"},
    )  # fmt: skip


def test_a_call_that_ended_is_not_refused(engine):
    talk = Session().client_says(outgoing_request(0x11)).server_says(disconnect(0x11))
    got = decode(talk.server_says(outgoing_reply(0x22, 0x11, 2)).pcap(), engine)
    only_call(got, end="DISCONNECT_NOTIFY", end_time=5, reply_message=2, result_code=2, last_packet=6)


def test_connected_tells_the_time_of_an_incoming_call_only(engine):
    got = decode(Session().outgoing(0x11, 0x22).server_says(connected(0x11)).pcap(), engine)
    only_call(got, connect_time=5, last_packet=6)
    got = decode(Session().client_says(outgoing_request(0x11)).server_says(connected(0x11)).pcap(), engine)
    only_call(got, connect_time=None, last_packet=5)


def test_the_first_connected_counts(engine):
    talk = Session().server_says(incoming_request(3)).client_says(incoming_reply(4, 3))
    got = decode(talk.server_says(connected(4)).server_says(connected(4)).pcap(), engine)
    only_call(got, connect_time=6, last_packet=7)


@pytest.mark.parametrize(
    ("side", "call_id", "status"),
    [
        (CLIENT_SIDE, 0x11, set()),
        (CLIENT_SIDE, 0x22, {"OTHER_ID"}),
        (SERVER_SIDE, 0x22, set()),
        (SERVER_SIDE, 0x11, {"OTHER_ID"}),
    ],
)
def test_clear_and_disconnect_have_the_senders_id_or_the_others(engine, side, call_id, status):
    got = decode(Session().outgoing(0x11, 0x22).say(side, clear(call_id)).pcap(), engine)
    only_call(got, status=status, clear_time=6, end="CALL_CLEAR", end_time=6, end_from_pns=side == CLIENT_SIDE)
    got = decode(Session().outgoing(0x11, 0x22).say(side, disconnect(call_id, 3, 1, 16)).pcap(), engine)
    only_call(
        got, status=status, disconnect_time=6, disconnect_message=2, disconnect_result_code=3,
        disconnect_error_code=1, disconnect_cause_code=16, end="DISCONNECT_NOTIFY", end_time=6,
        end_from_pns=side == CLIENT_SIDE,
        present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL", "RESULT", "DISCONNECT"},
    )  # fmt: skip


def test_the_senders_own_id_comes_first(engine):
    """The client gave 5 to the first call, the server gave 5 to the second."""
    talk = Session().outgoing(5, 6).outgoing(7, 5)
    got = decode(talk.client_says(clear(5)).server_says(disconnect(5)).pcap(), engine)
    assert all_calls(got, "status", "clear_time", "disconnect_time", "end") == [
        (set(), 8, None, "CALL_CLEAR"),
        (set(), None, 9, "DISCONNECT_NOTIFY"),
    ]


def test_the_first_clear_and_the_first_disconnect_count(engine):
    talk = Session().outgoing(1, 2).client_says(clear(1)).client_says(clear(1))
    talk.server_says(disconnect(2, 4, 1, 16)).client_says(disconnect(1, 5, 2, 17))
    got = decode(talk.pcap(), engine)
    only_call(
        got, clear_time=6, disconnect_time=8, disconnect_message=4, disconnect_result_code=4, disconnect_error_code=1,
        disconnect_cause_code=16, end="CALL_CLEAR", end_time=6, end_from_pns=True, last_packet=9,
    )  # fmt: skip


def test_link_infos_and_wan_errors_are_counted(engine):
    """They carry the id of their receiver, never the sender's."""
    talk = Session().outgoing(1, 2).client_says(link_info(2)).client_says(link_info(2)).server_says(link_info(1))
    talk.server_says(wan_error(1), wan_error(1)).client_says(link_info(1)).server_says(wan_error(2))
    got = decode(talk.pcap(), engine)
    only_call(got, set_link_infos=3, wan_error_notifies=2, last_packet=9)
    assert issues(got) == [(10, "CONTROL", "UNKNOWN_CALL", 0, 1), (11, "CONTROL", "UNKNOWN_CALL", 0, 2)]


@pytest.mark.parametrize("message", [connected(7), clear(7), disconnect(7), wan_error(7), link_info(7)])
def test_message_of_no_call(engine, message):
    """An issue with its connection, and no call is made of it."""
    packets = Session().packets
    got = decode(Session(packets, port=40001).client_says(message).pcap(), engine)
    assert len(got["calls"]) == 0
    assert issues(got) == [(7, "CONTROL", "UNKNOWN_CALL", 0, 7)]
    assert got["issues"]["connection"].tolist() == [1]


def test_message_behind_a_hole(engine):
    """The first 16 octets never come; the server's acknowledgment in packet 5 says so and delivers what waits.

    The issue stands where the message was delivered, the call where its octets came.
    """
    got = decode(Session().client(16, clear(7)).server(0, ack=32).pcap(), engine)
    assert issues(got) == [(5, "TCP", "GAP", 16, 0), (5, "CONTROL", "UNKNOWN_CALL", 0, 7)]
    got = decode(Session().client(16, outgoing_request(7)).server(0, ack=184).pcap(), engine)
    only_call(got, first_packet=4, last_packet=4, start_time=4)


# What is begun, who then says which message, octets that are read of it, and what shows that it was used.
NEEDED = {
    7: (lambda talk: talk, CLIENT_SIDE, outgoing_request(9), 16, lambda calls: len(calls) == 1),
    9: (lambda talk: talk, CLIENT_SIDE, incoming_request(9), 16, lambda calls: len(calls) == 1),
    8: (
        lambda talk: talk.client_says(outgoing_request(1)), SERVER_SIDE, outgoing_reply(2, 1), 20,
        lambda calls: calls["reply_message"][0] == 1,
    ),
    10: (
        lambda talk: talk.server_says(incoming_request(1)), CLIENT_SIDE, incoming_reply(2, 1), 18,
        lambda calls: calls["reply_message"][0] == 1,
    ),
    11: (
        lambda talk: talk.server_says(incoming_request(1)).client_says(incoming_reply(2, 1)), SERVER_SIDE,
        connected(2), 14, lambda calls: calls["last_packet"][0] == 6,
    ),
    12: (lambda talk: talk.outgoing(1, 2), CLIENT_SIDE, clear(1), 14, lambda calls: calls["end"][0] == 1),
    13: (lambda talk: talk.outgoing(1, 2), SERVER_SIDE, disconnect(2), 18, lambda calls: calls["end"][0] == 2),
    14: (
        lambda talk: talk.outgoing(1, 2), SERVER_SIDE, wan_error(1), 14,
        lambda calls: calls["wan_error_notifies"][0] == 1,
    ),
    15: (
        lambda talk: talk.outgoing(1, 2), CLIENT_SIDE, link_info(2), 14, lambda calls: calls["set_link_infos"][0] == 1
    ),
    3: (lambda talk: talk.outgoing(1, 2), CLIENT_SIDE, stop(), 12, lambda calls: calls["end"][0] == 3),
}  # fmt: skip


@pytest.mark.parametrize("kind", NEEDED)
def test_octets_that_a_message_needs(engine, kind):
    """Captured up to the last octet that is read it is used, one octet less it is not."""
    begin, side, message, needed, was_used = NEEDED[kind]
    for snap, expected in ((needed, True), (needed - 1, False)):
        got = decode(begin(Session()).say(side, message, snap=snap).pcap(), engine)
        assert bool(was_used(got["calls"])) is expected, snap


def test_management_and_other_types_are_not_used(engine):
    talk = Session().client_says(outgoing_request(1, message_type=2)).client_says(control(16, bytes(4)))
    assert len(decode(talk.pcap(), engine)["calls"]) == 0


def test_several_messages_of_one_packet(engine):
    got = decode(Session().client_says(outgoing_request(1, 5), outgoing_request(2, 6), clear(2)).pcap(), engine)
    assert all_calls(got, "pns_call_id", "call_serial_number", "first_packet", "clear_time") == [
        (1, 5, 4, None),
        (2, 6, 4, 4),
    ]


def test_ids_reused_on_a_connection(engine):
    """The id means the call to which it was given last."""
    talk = Session().outgoing(1, 2, 70).client_says(clear(1)).server_says(disconnect(2)).outgoing(1, 2, 71)
    got = decode(talk.client_says(clear(1)).server_says(disconnect(2)).pcap(), engine)
    assert all_calls(got, "call_serial_number", "clear_time", "disconnect_time", "end") == [
        (70, 6, 7, "CALL_CLEAR"),
        (71, 10, 11, "CALL_CLEAR"),
    ]


def test_each_connection_has_its_own_ids(engine):
    """Two connections between the same addresses, and the same ids on both."""
    one = Session().outgoing(1, 2, 70)
    other = Session(one.packets, port=40001).outgoing(1, 2, 71)
    one.client_says(clear(1))
    other.server_says(disconnect(2))
    got = decode(one.pcap(), engine)
    assert all_calls(got, "connection", "call_serial_number", "clear_time", "disconnect_time") == [
        (0, 70, 11, None),
        (1, 71, None, 12),
    ]


# ---- shared ids


def shared(got) -> list[tuple[int, ...]]:
    """Packet, connection, the other call and id of each issue."""
    rows = got["issues"][got["issues"]["kind"] == Kind.SHARED_ID]
    return [tuple(int(row[name]) for name in ("packet", "connection", "needed", "had")) for row in rows]


def test_two_clients_behind_one_address(engine):
    """Both call with id 0x11; the server gives 0x22 and 0x23. What comes back goes to the second call."""
    one = Session().outgoing(0x11, 0x22).server_sends(0x11, 1)
    Session(one.packets, port=40001).outgoing(0x11, 0x23).server_sends(0x11, 9)
    got = decode(one.pcap(), engine)
    assert all_calls(got, "connection", "status", "pac_tunnel") == [(0, {"SHARED_ID"}, 0), (1, {"SHARED_ID"}, 1)]
    assert shared(got) == [(10, 1, 0, 0x11), (10, 0, 1, 0x11)]
    assert len(got["issues"]) == 2


def test_an_id_that_a_waiting_call_has(engine):
    """No tunnel of either was captured."""
    one = Session().outgoing(0x11, 0x22)
    Session(one.packets, port=40001).outgoing(0x11, 0x23)
    assert shared(decode(one.pcap(), engine)) == [(9, 1, 0, 0x11), (9, 0, 1, 0x11)]


@pytest.mark.parametrize("end", [clear(0x11), disconnect(0x11), stop()])
def test_the_id_of_a_call_that_ended_is_free(engine, end):
    one = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).client_says(end)
    Session(one.packets, port=40001).outgoing(0x11, 0x22)
    got = decode(one.pcap(), engine)
    assert all_calls(got, "connection", "status") == [(0, set()), (1, set())]
    assert len(got["issues"]) == 0


def test_ids_of_another_server(engine):
    """The same ids between other addresses are other ids."""
    one = Session().outgoing(0x11, 0x22)
    Session(one.packets, port=40001, server=bytes([10, 0, 0, 77])).outgoing(0x11, 0x22)
    assert shared(decode(one.pcap(), engine)) == []


def test_several_calls_of_a_connection_stand_in_the_order_of_their_first_packets(engine):
    talk = Session()
    for number in range(20):
        talk.outgoing(100 + number, 200 + number, number)
    for number in reversed(range(20)):
        talk.client_says(clear(100 + number))
    got = decode(talk.pcap(), engine)
    assert all_calls(got, "call_serial_number", "pac_call_id", "clear_time") == [
        (number, 200 + number, 63 - number) for number in range(20)
    ]


def test_a_message_counts_at_the_packet_of_its_last_octets(engine):
    """The row of the message says packet 5 and its time; so does the call."""
    message = outgoing_request(1)
    talk = Session().client(0, message[:100]).client(100, message[100:])
    talk.said[CLIENT_SIDE] = len(message)
    got = decode(talk.server_says(outgoing_reply(2, 1)).pcap(), engine)
    only_call(got, first_packet=5, start_time=5, connect_time=6)


def test_entities_as_they_stand(engine):
    """One scan a packet gives the same rows as one scan."""
    talk = Session().outgoing(1, 2).client_sends(2, 1).server_sends(1, 0, 1).client_says(clear(1))
    data = talk.server_says(disconnect(2)).pcap()
    for records in (1, 2):
        got = drive(data, engine, records=records)
        holds(got["calls"][0], end="CALL_CLEAR", pns_packets=1, pac_ack_delay_samples=0, pns_ack_delay_samples=0)
        assert len(got["calls"]) == 1

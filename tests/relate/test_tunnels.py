"""Which tunnel a row belongs to, which call a tunnel, which are partners: decoding 10.2, and calls of tunnels in 10.5.

In all of these the client gave id 0x11 and the server id 0x22, unless it is said: the client sends to 0x22.
"""

from __future__ import annotations

import pytest
from builder import CLIENT, CLIENT6, SERVER, SERVER6, cut, gre, gre_frame, pcap
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
    wan_error,
)
from helpers import column, decode, issues, names_of
from related import all_calls, all_tunnels, mapped, only_call

REQUEST_NOT_SEEN, ROLES_ASSUMED, TUNNEL_INFERRED = "REQUEST_NOT_SEEN", "ROLES_ASSUMED", "TUNNEL_INFERRED"
KEYS = ("source", "call_id", "generation", "call", "from_pns")
TO_SERVER, TO_CLIENT = mapped(CLIENT), mapped(SERVER)


# ---- ids that messages tell


def test_both_ways(engine):
    """Packets 6 and 8 of the client, 7 and 9 of the server."""
    talk = Session().outgoing(0x11, 0x22)
    talk.client_sends(0x22, 1).server_sends(0x11, 0, 1).client_sends(0x22, 2, 0).server_sends(0x11, ack=2)
    got = decode(talk.pcap(), engine)
    only_call(
        got, status=set(), pns_tunnel=0, pac_tunnel=1, pns_packets=2, pns_acks=0, pac_packets=1, pac_acks=1,
        pns_first_sequence=1, pns_last_sequence=2, pac_first_sequence=0, first_packet=4, last_packet=9, last_time=9,
        connect_time=5,
    )  # fmt: skip
    assert all_tunnels(got, *KEYS) == [(TO_SERVER, 0x22, 0, 0, True), (TO_CLIENT, 0x11, 0, 0, False)]
    assert all_tunnels(got, "destination", "first_packet", "last_packet", "first_time", "last_time") == [
        (mapped(SERVER), 6, 8, 6, 8),
        (mapped(CLIENT), 7, 9, 7, 9),
    ]
    assert column(got, "gre", "tunnel") == [0, 1, 0, 1]


def test_of_an_incoming_call(engine):
    """The server is the PAC, so what the client sends comes from the PNS here too."""
    talk = Session().server_says(incoming_request(0x22)).client_says(incoming_reply(0x11, 0x22))
    got = decode(talk.server_sends(0x11, 1).client_sends(0x22, 1).pcap(), engine)
    only_call(got, pns_tunnel=1, pac_tunnel=0, kind="INCOMING")
    assert all_tunnels(got, *KEYS) == [(TO_CLIENT, 0x11, 0, 0, False), (TO_SERVER, 0x22, 0, 0, True)]


def test_server_calls(engine):
    """The server is the PNS: what it sends comes from the PNS."""
    talk = Session().server_says(outgoing_request(0x22)).client_says(outgoing_reply(0x11, 0x22))
    got = decode(talk.client_sends(0x22, 1).server_sends(0x11, 1).pcap(), engine)
    only_call(got, pns_tunnel=1, pac_tunnel=0, pns_address=mapped(SERVER))
    assert all_tunnels(got, "from_pns") == [(False,), (True,)]


def test_one_way_only(engine):
    got = decode(Session().outgoing(0x11, 0x22).client_sends(0x22, 1).client_sends(0x22, 2).pcap(), engine)
    only_call(got, pns_tunnel=0, pac_tunnel=-1, pns_packets=2, pac_packets=0, status=set())


def test_control_without_tunnel(engine):
    got = decode(Session().outgoing(0x11, 0x22).client_says(clear(0x11)).pcap(), engine)
    only_call(got, pns_tunnel=-1, pac_tunnel=-1, status=set())
    assert len(got["tunnels"]) == 0
    columns = [name.removeprefix("pns_") for name in names_of(got["calls"]) if name.startswith("pns_")]
    for name in set(columns) - {"tunnel", "address", "call_id"}:
        assert not got["calls"][f"pns_{name}"].any(), name
        assert not got["calls"][f"pac_{name}"].any(), name


def test_over_ipv6(engine):
    talk = Session(client=CLIENT6, server=SERVER6).outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 1)
    only_call(decode(talk.pcap(), engine), pns_address=CLIENT6, pac_address=SERVER6, pns_tunnel=0, pac_tunnel=1)


def test_several_calls_of_a_connection(engine):
    """Each id has its own tunnel, whatever the order of packets."""
    talk = Session().outgoing(1, 11).outgoing(2, 12).outgoing(3, 13)
    talk.client_sends(12, 1).server_sends(3, 1).client_sends(11, 1).server_sends(2, 1).client_sends(13, 1)
    got = decode(talk.server_sends(1, 1).pcap(), engine)
    assert all_calls(got, "pns_call_id", "pns_tunnel", "pac_tunnel", "status") == [
        (1, 2, 5, set()),
        (2, 0, 3, set()),
        (3, 4, 1, set()),
    ]


def test_several_connections_of_two_hosts(engine):
    """Ids of both connections are told apart by nothing but their numbers."""
    one = Session()
    other = Session(one.packets, port=40001)
    one.outgoing(0x11, 0x22)
    other.outgoing(0x12, 0x23)
    one.client_sends(0x23, 1).client_sends(0x22, 1).server_sends(0x12, 1).server_sends(0x11, 1)
    assert all_calls(decode(one.pcap(), engine), "connection", "pns_tunnel", "pac_tunnel") == [(0, 1, 3), (1, 0, 2)]


def test_ids_may_be_the_same_both_ways(engine):
    got = decode(Session().outgoing(7, 7).server_sends(7, 1).client_sends(7, 1).pcap(), engine)
    only_call(got, pns_tunnel=1, pac_tunnel=0, status=set())


def test_other_hosts_with_the_same_id_are_another_tunnel(engine):
    talk = Session().outgoing(0x11, 0x22)
    talk.packets.append(gre_frame(gre(b"\x21", 0x22, 1), bytes([10, 0, 0, 9]), SERVER))
    got = decode(talk.client_sends(0x22, 1).pcap(), engine)
    assert all_calls(got, "connection", "pns_tunnel", "pns_address") == [
        (0, 1, mapped(CLIENT)),
        (-1, 0, mapped(bytes([10, 0, 0, 9]))),
    ]


def test_refused_call_gets_no_tunnel_of_the_reply(engine):
    talk = Session().client_says(outgoing_request(0x11)).server_says(outgoing_reply(0x22, 0x11, 2))
    got = decode(talk.client_sends(0x22, 1).pcap(), engine)
    assert all_calls(got, "connection", "end", "pns_tunnel") == [(0, "REFUSED", -1), (-1, "OPEN", 0)]


# ---- before the reply


def test_server_sends_before_the_reply(engine):
    """The request told the client's id, so the call waited for what leads there."""
    talk = Session().client_says(outgoing_request(0x11)).server_sends(0x11, 1).server_says(outgoing_reply(0x22, 0x11))
    got = decode(talk.client_sends(0x22, 1).pcap(), engine)
    only_call(got, pns_tunnel=1, pac_tunnel=0, status=set())


def test_client_sends_before_the_reply(engine):
    """Nothing told the server's id in packet 5; the reply claims the tunnel."""
    talk = Session().client_says(outgoing_request(0x11)).client_sends(0x22, 1)
    got = decode(talk.server_says(outgoing_reply(0x22, 0x11)).client_sends(0x22, 2).pcap(), engine)
    only_call(got, pns_tunnel=0, pac_tunnel=-1, status=set(), pns_packets=2)


def test_client_answers_before_the_reply(engine):
    """Packet 6 leads back to where packet 5 came from, so it is the call's though no message told its id yet."""
    talk = Session().client_says(outgoing_request(0x11)).server_sends(0x11, 1).client_sends(0x22, 1)
    got = decode(talk.pcap(), engine)
    inferred = {"status": {TUNNEL_INFERRED}, "pns_tunnel": 1, "pac_tunnel": 0, "pac_call_id": 0x22}
    only_call(got, present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL"}, **inferred)
    got = decode(talk.server_says(outgoing_reply(0x22, 0x11)).client_sends(0x22, 2).pcap(), engine)
    only_call(got, present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL", "RESULT"}, pns_packets=2, **inferred)


def test_an_inferred_tunnel_is_found_by_its_id(engine):
    """A Call-Disconnect-Notify with the id that only the tunnel told."""
    talk = Session().client_says(outgoing_request(0x11)).server_sends(0x11, 1).client_sends(0x22, 1)
    only_call(decode(talk.server_says(disconnect(0x22)).pcap(), engine), end="DISCONNECT_NOTIFY", disconnect_time=7)


def test_the_reply_tells_another_id_than_was_inferred(engine):
    """Tunnel 1 to id 0x99 is no one's again and has no partner; tunnel 2 is the call's."""
    talk = Session().client_says(outgoing_request(0x11)).server_sends(0x11, 1).client_sends(0x99, 1)
    talk.server_says(outgoing_reply(0x22, 0x11)).client_sends(0x22, 1).client_sends(0x99, 2)
    got = decode(talk.pcap(), engine)
    assert all_calls(got, "connection", "pns_call_id", "pac_call_id", "pns_tunnel", "pac_tunnel") == [
        (0, 0x11, 0x22, 2, 0),
        (-1, 0, 0x99, 1, -1),
    ]
    assert all_calls(got, "status")[1] == ({ROLES_ASSUMED},)


def test_the_reply_tells_another_id_and_nothing_comes_of_it(engine):
    """The tunnel is let go when the reply is seen, whether or not another one comes."""
    talk = Session().client_says(outgoing_request(0x11)).server_sends(0x11, 1).client_sends(0x99, 1)
    got = decode(talk.server_says(outgoing_reply(0x22, 0x11)).pcap(), engine)
    assert all_calls(got, "pns_tunnel", "pac_tunnel") == [(-1, 0), (1, -1)]


def test_a_tunnel_before_the_request_is_none_of_the_call(engine):
    """The same key in packet 1 and, behind request and reply of packets 5 and 6, in packet 7."""
    packets = Session(begins=False).client_sends(0x22, 900).packets
    got = decode(Session(packets).outgoing(0x11, 0x22).client_sends(0x22, 1).pcap(), engine)
    assert all_tunnels(got, *KEYS) == [(TO_SERVER, 0x22, 0, 1, True), (TO_SERVER, 0x22, 1, 0, True)]
    assert all_calls(got, "connection", "pns_tunnel", "status") == [(0, 1, set()), (-1, 0, {ROLES_ASSUMED})]


def test_a_tunnel_before_a_request_that_was_not_seen_is_the_calls(engine):
    """The capture begins in the middle: packets 1 and 2 are older than the reply, and its call's all the same.

    The reply tells the client's id first; what leads back joins by its addresses, and has the id that is told next.
    """
    packets = Session(begins=False).client_sends(0x22, 900).server_sends(0x11, 700).packets
    got = decode(Session(packets).server_says(outgoing_reply(0x22, 0x11)).pcap(), engine)
    only_call(
        got, kind="OUTGOING", status={REQUEST_NOT_SEEN, TUNNEL_INFERRED}, pns_tunnel=0, pac_tunnel=1, first_packet=1,
        start_time=1, last_packet=6, connect_time=6,
    )  # fmt: skip


def test_request_that_was_not_seen_claims_both_tunnels_by_their_ids(engine):
    """Two tunnels of the client: the second is the partner of what comes back, and not the call's."""
    talk = Session(begins=False).client_sends(0x22, 900).client_sends(0x44, 5).server_sends(0x11, 700)
    got = decode(Session(talk.packets).server_says(outgoing_reply(0x22, 0x11)).pcap(), engine)
    assert all_calls(got, "connection", "pns_call_id", "pac_call_id", "pns_tunnel", "pac_tunnel", "status") == [
        (0, 0x11, 0x22, 0, 2, {REQUEST_NOT_SEEN, TUNNEL_INFERRED}),
        (-1, 0, 0x44, 1, -1, {ROLES_ASSUMED}),
    ]


# ---- ids that come again


def test_ids_reused_on_the_connection(engine):
    """The new call begins new tunnels, though nothing in packets 12 and 13 tells them from the old ones."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 7).server_sends(0x11, 8).client_says(clear(0x11))
    talk.server_says(disconnect(0x22)).outgoing(0x11, 0x22, 1).client_sends(0x22, 1).server_sends(0x11, 1)
    got = decode(talk.pcap(), engine)
    assert all_tunnels(got, *KEYS) == [
        (TO_SERVER, 0x22, 0, 0, True),
        (TO_CLIENT, 0x11, 0, 0, False),
        (TO_SERVER, 0x22, 1, 1, True),
        (TO_CLIENT, 0x11, 1, 1, False),
    ]
    assert all_calls(got, "pns_tunnel", "pac_tunnel", "pns_first_sequence") == [(0, 1, 7), (2, 3, 1)]


def test_only_the_id_that_is_told_again_moves(engine):
    """The second call has the client's id of the first, and another one of the server."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 1).outgoing(0x11, 0x33)
    talk.server_sends(0x11, 2).client_sends(0x22, 2).client_sends(0x33, 1)
    got = decode(talk.pcap(), engine)
    assert all_calls(got, "pns_tunnel", "pac_tunnel", "pns_packets", "pac_packets") == [(0, 1, 2, 1), (3, 2, 1, 1)]
    assert column(got, "gre", "tunnel") == [0, 1, 2, 0, 3]


def test_ids_reused_on_another_connection(engine):
    """A client that came back: the old connection was not seen to end."""
    one = Session().outgoing(0x11, 0x22).client_sends(0x22, 70)
    Session(one.packets, port=40001).outgoing(0x11, 0x22).client_sends(0x22, 1)
    got = decode(one.pcap(), engine)
    assert all_tunnels(got, "generation", "call", "first_sequence") == [(0, 0, 70), (1, 1, 1)]
    assert all_calls(got, "connection", "end", "pns_tunnel") == [(0, "OPEN", 0), (1, "OPEN", 1)]


def test_the_last_call_that_claims_a_key_waits_for_it(engine):
    """Nothing was sent for the first call."""
    one = Session().outgoing(0x11, 0x22)
    Session(one.packets, port=40001).outgoing(0x11, 0x22)
    got = decode(one.client_sends(0x22, 1).pcap(), engine)
    assert all_calls(got, "connection", "pns_tunnel") == [(0, -1), (1, 0)]
    assert all_tunnels(got, "generation", "call") == [(0, 1)]


# ---- Enhanced GRE alone


def test_both_ways_without_control(engine):
    """Who sent the first packet is taken for the PNS; the ids are those of the tunnels, and were on the wire."""
    got = decode(Session(begins=False).server_sends(0x11, 1).client_sends(0x22, 1).pcap(), engine)
    only_call(
        got, kind="UNKNOWN", connection=-1, status={ROLES_ASSUMED, TUNNEL_INFERRED}, pns_address=mapped(SERVER),
        pac_address=mapped(CLIENT), pns_tunnel=0, pac_tunnel=1, pac_call_id=0x11, pns_call_id=0x22,
        present={"PNS_CALL_ID", "PAC_CALL_ID"}, first_packet=1, last_packet=2, request_message=-1, reply_message=-1,
        end="OPEN",
    )  # fmt: skip
    assert all_tunnels(got, *KEYS) == [(TO_CLIENT, 0x11, 0, 0, True), (TO_SERVER, 0x22, 0, 0, False)]


def test_one_way_without_control(engine):
    got = decode(Session(begins=False).client_sends(0x22, 1).pcap(), engine)
    only_call(
        got, status={ROLES_ASSUMED}, pns_tunnel=0, pac_tunnel=-1, pac_call_id=0x22, pns_call_id=0,
        present={"PAC_CALL_ID"}, pns_address=mapped(CLIENT),
    )  # fmt: skip


def test_partner_is_the_tunnel_that_was_made_last(engine):
    """Tunnels 0 and 1 of the client, then 2 of the server, and 3, for which there is none."""
    talk = Session(begins=False).client_sends(1, 1).client_sends(2, 1).server_sends(9, 1).server_sends(8, 1)
    got = decode(talk.client_sends(1, 2).pcap(), engine)
    assert all_calls(got, "pns_address", "pns_tunnel", "pac_tunnel", "first_packet", "last_packet") == [
        (mapped(CLIENT), 0, -1, 1, 5),
        (mapped(CLIENT), 1, 2, 2, 3),
        (mapped(SERVER), 3, -1, 4, 4),
    ]


def test_partner_need_not_be_current(engine):
    """Another call waits in the place of tunnel 0, which is still what was made last on its way."""
    packets = Session(begins=False).client_sends(0x22, 900).packets
    got = decode(Session(packets).outgoing(0x11, 0x22).server_sends(0x77, 1).pcap(), engine)
    assert all_calls(got, "connection", "pns_tunnel", "pac_tunnel") == [(0, -1, -1), (-1, 0, 1)]


def test_ids_that_somebody_rewrote_on_one_way(engine):
    """What leads to the client has id 0x55 instead of 0x11: the call knows its ids, so nothing is inferred or lost."""
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x55, 1)
    got = decode(talk.pcap(), engine)
    assert all_calls(got, "connection", "pns_tunnel", "pac_tunnel", "status") == [
        (0, 0, -1, set()),
        (-1, 1, -1, {ROLES_ASSUMED}),
    ]


def test_former_partners_part(engine):
    """Tunnels 0 and 1 met by their addresses; the reply gives 0 to its call, and 2 then is its partner."""
    packets = Session(begins=False).client_sends(0x22, 1).server_sends(0x77, 1).packets
    talk = Session(packets).server_says(outgoing_reply(0x22, 0x11)).server_sends(0x11, 1)
    got = decode(talk.pcap(), engine)
    assert all_calls(got, "connection", "pns_tunnel", "pac_tunnel", "status") == [
        (0, 0, 2, {REQUEST_NOT_SEEN}),
        (-1, 1, -1, {ROLES_ASSUMED}),
    ]


def test_calls_of_messages_come_first(engine):
    """Packets 1 and 7 are of no call that messages tell of; those that they tell of begin in packets 5 and 8."""
    packets = Session(begins=False).client_sends(1, 1).packets
    talk = Session(packets).outgoing(0x11, 0x22)
    talk.packets.append(gre_frame(gre(b"\x21", 5, 1), bytes([10, 0, 0, 9]), SERVER))
    got = decode(talk.outgoing(0x12, 0x23).pcap(), engine)
    assert all_calls(got, "first_packet", "connection") == [(5, 0), (8, 0), (1, -1), (7, -1)]


def test_a_cut_header_is_of_no_tunnel(engine):
    frame = gre_frame(gre(acknowledgment=1))
    got = decode(pcap([cut(frame, len(frame) - 1)]), engine)
    assert column(got, "gre", "tunnel") == [-1]
    assert len(got["tunnels"]) == len(got["calls"]) == 0


# ---- the only tunnel


def one_way(*ids: int) -> Session:
    """What the client sends: a request with each of these ids, and no reply was captured."""
    talk = Session(begins=False)
    for call_id in ids:
        talk.client_says(outgoing_request(call_id))
    return talk


def test_the_only_tunnel_to_the_pac_is_that_of_the_only_call(engine):
    got = decode(one_way(0x11).client_sends(0x22, 1).client_sends(0x22, 2).pcap(), engine)
    only_call(
        got, pns_call_id=0x11, pac_call_id=0x22, pns_tunnel=0, pac_tunnel=-1, status={TUNNEL_INFERRED},
        present={"PNS_CALL_ID", "PAC_CALL_ID", "SERIAL"}, last_packet=3, pns_packets=2, phase="NETWORK",
    )  # fmt: skip
    assert all_tunnels(got, *KEYS) == [(TO_SERVER, 0x22, 0, 0, True)]


def test_the_only_tunnel_to_the_pns_of_an_incoming_call(engine):
    """The server asks, and nothing of the client was captured."""
    got = decode(Session(begins=False).server_says(incoming_request(0x33)).server_sends(0x44, 1).pcap(), engine)
    only_call(got, kind="INCOMING", pns_call_id=0x44, pac_call_id=0x33, pac_tunnel=0, status={TUNNEL_INFERRED})
    assert all_tunnels(got, "from_pns") == [(False,)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: one_way(0x11, 0x12).client_sends(0x22, 1),
        lambda: one_way(0x11).client_sends(0x22, 1).client_sends(0x23, 1),
        lambda: one_way(0x11).client_sends(0x22, 1).server_sends(0x77, 1),
        lambda: Session(one_way().client_sends(0x22, 1).packets, begins=False).client_says(outgoing_request(0x11)),
        lambda: one_way(0x11).server_says(outgoing_reply(0, 0x11, 2)).client_sends(0x22, 1),
        lambda: one_way(0x11).server_sends(0x22, 1),
    ],
    ids=["two calls", "two tunnels", "a partner of another id", "a tunnel in front", "refused", "the other way"],
)
def test_more_than_one_may_be_it_or_none(engine, make):
    got = decode(make().pcap(), engine)
    told = got["calls"]["connection"] >= 0
    assert (got["calls"]["pns_tunnel"][told] == -1).all()
    assert (got["calls"]["pac_tunnel"][told] == -1).all()


def test_while_the_capture_is_read_the_only_tunnel_may_change(engine):
    """It joins in the rows that are given then, and joins nothing once there are two."""
    talk = one_way(0x11).client_sends(0x22, 1)
    first = decode(talk.pcap(), engine)["calls"]
    assert len(first) == 1
    assert len(decode(talk.client_sends(0x23, 1).pcap(), engine)["calls"]) == 3


# ---- a capture that begins in the middle


@pytest.mark.parametrize(
    ("side", "message", "pns_is_client", "status"),
    [
        (CLIENT_SIDE, clear(0x11), True, set()),
        (SERVER_SIDE, clear(0x22), False, set()),
        (SERVER_SIDE, disconnect(0x22), True, set()),
        (CLIENT_SIDE, disconnect(0x11), False, set()),
        (SERVER_SIDE, connected(0x11), True, set()),
        (SERVER_SIDE, wan_error(0x11), True, set()),
        (CLIENT_SIDE, link_info(0x22), True, set()),
        (CLIENT_SIDE, clear(0x22), True, {"OTHER_ID"}),
        (SERVER_SIDE, disconnect(0x11), True, {"OTHER_ID"}),
    ],
)
def test_a_message_finds_the_call_of_tunnels(engine, side, message, pns_is_client, status):
    """One id finds one tunnel, whose partner comes along; both ids are known then."""
    packets = Session(begins=False).client_sends(0x22, 900).server_sends(0x11, 700).packets
    got = decode(Session(packets).say(side, message).pcap(), engine)
    ids = (0x11, 0x22) if pns_is_client else (0x22, 0x11)
    tunnels = (0, 1) if pns_is_client else (1, 0)
    only_call(
        got, kind="UNKNOWN", connection=0, status=status | {REQUEST_NOT_SEEN, TUNNEL_INFERRED},
        pns_address=mapped(CLIENT if pns_is_client else SERVER), pns_call_id=ids[0], pac_call_id=ids[1],
        pns_tunnel=tunnels[0], pac_tunnel=tunnels[1], first_packet=1, last_packet=6, request_message=-1,
    )  # fmt: skip
    assert issues(got) == []


def test_what_is_found_is_found_again(engine):
    """Set-Link-Info makes the call; what follows finds it by either id."""
    packets = Session(begins=False).client_sends(0x22, 900).server_sends(0x11, 700).packets
    talk = Session(packets).client_says(link_info(0x22)).server_says(link_info(0x11)).client_says(clear(0x11))
    got = decode(talk.server_says(disconnect(0x22, 4)).pcap(), engine)
    only_call(
        got, set_link_infos=2, clear_time=8, disconnect_time=9, disconnect_result_code=4, end="CALL_CLEAR",
        end_from_pns=True, pns_address=mapped(CLIENT),
    )  # fmt: skip


@pytest.mark.parametrize("message", [connected(0x11), wan_error(0x11), link_info(0x11), disconnect(0x22)])
def test_a_tunnel_that_has_a_call_is_not_found(engine, message):
    """A message of another connection between the same hosts."""
    one = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 1)
    got = decode(Session(one.packets, port=40001).server_says(message).pcap(), engine)
    only_call(got, connection=0, set_link_infos=0, wan_error_notifies=0, end="OPEN")
    assert [kind for *_, kind, _, _ in issues(got)] == ["UNKNOWN_CALL"]


def test_a_tunnel_of_the_wrong_direction_is_not_found(engine):
    """Set-Link-Info has its receiver's id, so the tunnel that leads to the sender is not meant."""
    packets = Session(begins=False).server_sends(0x11, 700).packets
    got = decode(Session(packets).client_says(link_info(0x11)).pcap(), engine)
    only_call(got, connection=-1)
    assert issues(got) == [(5, "CONTROL", "UNKNOWN_CALL", 0, 0x11)]

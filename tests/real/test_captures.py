"""Bundled captures of real software: what is in them, typed by hand from what an independent walk found."""

from __future__ import annotations

import pytest
from helpers import EngineName, column, decode, identifiers, issues, kinds, only, statuses
from places import CAPTURES


def found(name: str, engine: EngineName):
    return decode(CAPTURES / f"{name}.pcap", engine)


def messages(got) -> list[tuple[int, int, bool, int]]:
    """(packet, type, from the initiator, segments) of each message."""
    names = ("packet", "control_message_type", "from_initiator", "segments")
    return list(zip(*(column(got, "messages", name) for name in names), strict=True))


def connection(got, **expected) -> None:
    (row,) = got["connections"]
    assert {name: row[name].tolist() for name in expected} == expected


def ipv4(*octets: int) -> list[int]:
    return [0] * 10 + [255, 255, *octets]


def test_three_messages_in_one_segment(engine):
    """A client that heard nothing says all it has to say in packet 52."""
    got = found("echo_client_no_reply", engine)
    assert messages(got) == [
        (8, 1, True, 1),
        (10, 2, False, 1),
        (12, 7, True, 1),
        (14, 8, False, 1),
        (42, 5, True, 1),
        (43, 6, False, 1),
        (46, 5, True, 1),
        (47, 6, False, 1),
        (52, 5, True, 1),
        (52, 12, True, 1),
        (52, 3, True, 1),
        (53, 6, False, 1),
    ]
    assert identifiers(got) == [1, 2, 3]
    assert column(got, "echo_reply", "identifier") == [1, 2, 3]
    assert column(got, "call_clear_request", "call_id") == [0x847C]
    assert column(got, "stop_control_connection_request", "reason") == [1]
    assert column(got, "outgoing_call_request", "call_id") == [0x847C]
    assert column(got, "outgoing_call_request", "minimum_bps") == [2400]
    assert column(got, "outgoing_call_request", "maximum_bps") == [10_000_000]
    assert column(got, "outgoing_call_request", "packet_recv_window_size") == [3]
    assert column(got, "outgoing_call_reply", "peer_call_id") == [0x847C]
    assert column(got, "outgoing_call_reply", "call_id") == [0]
    assert column(got, "messages", "time")[0] // 10**9 == 1_795_351_486
    assert statuses(got) == [set()] * 12
    connection(
        got,
        initiator_address=ipv4(10, 77, 0, 2),
        responder_address=ipv4(10, 77, 0, 1),
        initiator_port=38596,
        responder_port=1723,
        first_packet=5,
        last_packet=54,
        initiator_segments=12,
        initiator_data_segments=5,
        initiator_octets=404,
        responder_segments=8,
        responder_data_segments=5,
        responder_octets=248,
        initiator_host_name=b"local",
        initiator_vendor_name=b"cananian",
        responder_host_name=b"local",
        initiator_protocol_version=0x0100,
        responder_firmware_revision=1,
        result_code=1,
        present=7,
        midstream=False,
        end=1,
        end_from_initiator=True,
    )
    assert len(got["gre"]) == 27
    assert got["tunnels"]["call_id"].tolist() == [0, 0x847C]
    assert got["tunnels"]["packets"].tolist() == [10, 13]
    assert got["tunnels"]["acks"].tolist() == [3, 1]
    assert got["tunnels"]["payload_octets"].tolist() == [245, 368]
    assert got["tunnels"]["first_sequence"].tolist() == [1, 0]
    assert got["tunnels"]["last_sequence"].tolist() == [10, 12]
    assert column(got, "gre", "ppp_protocol")[:8] == [0xC021] * 4 + [0xC223, 0, 0xC223, 0xC223]
    assert issues(got) == []
    only(got, not_ip=2, ip_other=54 - 2 - 20 - 27, control_segments=20, gre_packets=27)


def test_messages_in_three_segments(engine):
    got = found("mss88", engine)
    types = [1, 2, 7, 8, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 12]
    assert column(got, "messages", "control_message_type") == types
    assert column(got, "messages", "segments") == [3, 3, 3] + [1] * 14
    assert column(got, "messages", "packet")[0] == 11
    assert identifiers(got) == [1, 2, 3, 4, 5, 6]
    assert statuses(got) == [set()] * 17
    connection(
        got, initiator_segments=28, initiator_data_segments=13, initiator_octets=436, responder_octets=308, end=1
    )
    assert len(got["gre"]) == 57
    assert got["tunnels"]["payload_octets"].tolist() == [3565, 3565]
    assert issues(got) == []


def test_the_same_session_cut_by_a_snap_length(engine):
    """30 octets of each long message, and every short one whole."""
    got = found("mss88.snaplen96", engine)
    assert column(got, "messages", "available") == [30] * 4 + [16, 20] * 6 + [16]
    assert column(got, "messages", "length") == [156, 156, 168, 32] + [16, 20] * 6 + [16]
    assert statuses(got) == [{"CUT"}] * 4 + [set()] * 13
    assert column(got, "start_control_connection_request", "host_name") == [b"lo"]
    assert column(got, "outgoing_call_request", "call_id") == [0x481A]
    # the physical channel, 28 to 32, is not wholly there
    assert column(got, "outgoing_call_reply", "packet_recv_window_size") == [3]
    assert column(got, "outgoing_call_reply", "physical_channel_id") == [0]
    assert len(got["gre"]) == 57
    assert issues(got) == []
    connection(got, initiator_octets=436, responder_octets=308, initiator_vendor_name=b"", present=7)


def test_wrong_password(engine):
    """The GRE rows say PAP; what was said in it is in no table."""
    got = found("auth_fail_pap", engine)
    assert messages(got) == [(8, 1, True, 1), (10, 2, False, 1), (12, 7, True, 1), (14, 8, False, 1), (26, 12, True, 1)]
    lcp, pap = 0xC021, 0xC023
    assert column(got, "gre", "ppp_protocol") == [lcp, lcp, lcp, lcp, pap, pap, lcp, lcp, lcp, lcp]
    assert all(b"wrongp" not in got[name].tobytes() for name in got)
    connection(got, end=1, end_from_initiator=False)


def test_killed_server(engine):
    """FIN from the server, then a late Call-Clear-Request: the client's own side is still open."""
    got = found("killed_server", engine)
    assert messages(got)[-1] == (54, 12, True, 1)
    assert statuses(got) == [set()] * 5
    connection(got, end=1, end_from_initiator=False, initiator_segments=7, responder_segments=7, last_packet=55)
    assert column(got, "call_clear_request", "call_id") == [61224]


def test_nobody_listens(engine):
    got = found("connection_refused", engine)
    assert [name for name in got if len(got[name])] == ["connections"]
    connection(
        got,
        initiator_address=ipv4(10, 77, 0, 2),
        initiator_port=57824,
        responder_port=1723,
        first_packet=3,
        last_packet=4,
        initiator_segments=1,
        responder_segments=1,
        midstream=False,
        present=0,
        end=2,
        end_from_initiator=False,
    )
    only(got, not_ip=2, control_segments=2)


def test_call_ids_of_zero(engine):
    """One tunnel: the client sends no GRE.  Numbers that the client fills in as its modem wants them."""
    got = found("quirk_bezeq_lcp_timeout", engine)
    assert column(got, "outgoing_call_request", "call_id") == [0]
    assert column(got, "outgoing_call_reply", "call_id") == [0]
    assert column(got, "start_control_connection_request", "framing_capabilities") == [1]
    assert column(got, "start_control_connection_request", "bearer_capabilities") == [1]
    assert column(got, "start_control_connection_request", "firmware_revision") == [0x6021]
    assert column(got, "outgoing_call_request", "bearer_type") == [2]
    assert column(got, "call_clear_request", "call_id") == [0x3207]
    assert column(got, "gre", "packet") == [16, 17, 19, 21, 22, 23, 24, 26, 29, 31]
    assert column(got, "gre", "payload_length") == [28] * 10
    assert got["tunnels"]["source"].tolist() == [ipv4(10, 77, 0, 1)]
    assert got["tunnels"]["last_sequence"].tolist() == [9]


def test_all_fifteen_from_another_encoder(engine):
    """Sent through a kernel that leaves checksums to hardware: nothing is known of any of the 17, and nothing is told."""
    got = found("synthetic_scapy_all15", engine)
    types = [1, 2, 7, 8, 15, 5, 6, 9, 10, 11, 14, 8, 12, 13, 13, 3, 4]
    packets = [7, 9, 11, 13, 16, 18, 20, 34, 36, 38, 40, 52, 54, 56, 58, 60, 62]
    assert column(got, "messages", "control_message_type") == types
    assert column(got, "messages", "packet") == packets
    assert statuses(got) == [set()] * 17
    assert got.counters["checksums_offloaded"] == 17
    # Two LCP packets are shorter than their options: 16 octets with a length of 14.
    assert kinds(got) == ["PPP_OPTION"] * 2
    assert column(got, "issues", "packet") == [22, 23]
    assert column(got, "outgoing_call_reply", "result_code") == [1, 4]
    assert column(got, "outgoing_call_reply", "call_id") == [0x2222, 0]
    assert column(got, "set_link_info", "send_accm") == [0x000A0000]
    assert column(got, "echo_request", "identifier") == [0xDEADBEEF]
    assert column(got, "wan_error_notify", "alignment_errors") == [6]
    assert column(got, "call_disconnect_notify", "call_statistics")[1] == b""
    assert column(got, "incoming_call_connected", "connect_speed") == [64000]
    assert column(got, "incoming_call_connected", "framing_type") == [2]
    # the incoming call counts over the end of the numbers
    assert got["tunnels"]["call_id"].tolist() == [0x2222, 0x1111, 0x4444, 0x3333]
    for row in got["tunnels"][2:]:
        assert row["first_sequence"] > 0xFFFFFFF0
        assert row["last_sequence"] == (int(row["first_sequence"]) + 4) % 2**32
        assert row["last_sequence"] < 5


@pytest.mark.parametrize("name", ["echo_client_no_reply", "mss88", "killed_server"])
def test_call_ids_of_the_tunnels_are_those_of_the_call(engine, name):
    """The key toward the server is the id that the server gave, and the other way round."""
    got = found(name, engine)
    client = got["connections"]["initiator_address"][0].tolist()
    given = {
        True: column(got, "outgoing_call_reply", "call_id"),
        False: column(got, "outgoing_call_request", "call_id"),
    }
    for row in got["tunnels"]:
        assert [row["call_id"]] == given[row["source"].tolist() == client]

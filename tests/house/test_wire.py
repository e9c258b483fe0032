"""The one definition of the wire, against numbers typed by hand from the specification."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import names_of

from pptpcap.schema import ENTITIES, EVENTS, TABLE_NAMES, dtype, empty
from pptpcap.wire import container, control, gre, ip, limits, link, ppp, status
from pptpcap.wire.control import BY_CODE, BY_NAME, HEADER, MESSAGES
from pptpcap.wire.enumerations import ENUMERATIONS
from pptpcap.wire.model import Field, Message

# code, abbreviation, name, size, (field, offset, octets) behind the header
TYPED = [
    (1, "SCCRQ", "start_control_connection_request", 156, [
        ("protocol_version", 12, 2), ("reserved1", 14, 2), ("framing_capabilities", 16, 4),
        ("bearer_capabilities", 20, 4),
        ("maximum_channels", 24, 2), ("firmware_revision", 26, 2), ("host_name", 28, 64), ("vendor_name", 92, 64)]),
    (2, "SCCRP", "start_control_connection_reply", 156, [
        ("protocol_version", 12, 2), ("result_code", 14, 1), ("error_code", 15, 1), ("framing_capabilities", 16, 4),
        ("bearer_capabilities", 20, 4), ("maximum_channels", 24, 2), ("firmware_revision", 26, 2),
        ("host_name", 28, 64),
        ("vendor_name", 92, 64)]),
    (3, "StopCCRQ", "stop_control_connection_request", 16, [("reason", 12, 1), ("reserved1", 13, 1),
        ("reserved2", 14, 2)]),
    (4, "StopCCRP", "stop_control_connection_reply", 16, [
        ("result_code", 12, 1), ("error_code", 13, 1), ("reserved1", 14, 2)]),
    (5, "ECHORQ", "echo_request", 16, [("identifier", 12, 4)]),
    (6, "ECHORP", "echo_reply", 20, [
        ("identifier", 12, 4), ("result_code", 16, 1), ("error_code", 17, 1), ("reserved1", 18, 2)]),
    (7, "OCRQ", "outgoing_call_request", 168, [
        ("call_id", 12, 2), ("call_serial_number", 14, 2), ("minimum_bps", 16, 4), ("maximum_bps", 20, 4),
        ("bearer_type", 24, 4), ("framing_type", 28, 4), ("packet_recv_window_size", 32, 2),
        ("packet_processing_delay", 34, 2), ("phone_number_length", 36, 2), ("reserved1", 38, 2),
        ("phone_number", 40, 64),
        ("subaddress", 104, 64)]),
    (8, "OCRP", "outgoing_call_reply", 32, [
        ("call_id", 12, 2), ("peer_call_id", 14, 2), ("result_code", 16, 1), ("error_code", 17, 1),
        ("cause_code", 18, 2),
        ("connect_speed", 20, 4), ("packet_recv_window_size", 24, 2), ("packet_processing_delay", 26, 2),
        ("physical_channel_id", 28, 4)]),
    (9, "ICRQ", "incoming_call_request", 220, [
        ("call_id", 12, 2), ("call_serial_number", 14, 2), ("bearer_type", 16, 4), ("physical_channel_id", 20, 4),
        ("dialed_number_length", 24, 2), ("dialing_number_length", 26, 2), ("dialed_number", 28, 64),
        ("dialing_number", 92, 64), ("subaddress", 156, 64)]),
    (10, "ICRP", "incoming_call_reply", 24, [
        ("call_id", 12, 2), ("peer_call_id", 14, 2), ("result_code", 16, 1), ("error_code", 17, 1),
        ("packet_recv_window_size", 18, 2), ("packet_transmit_delay", 20, 2), ("reserved1", 22, 2)]),
    (11, "ICCN", "incoming_call_connected", 28, [
        ("peer_call_id", 12, 2), ("reserved1", 14, 2), ("connect_speed", 16, 4), ("packet_recv_window_size", 20, 2),
        ("packet_transmit_delay", 22, 2), ("framing_type", 24, 4)]),
    (12, "CCRQ", "call_clear_request", 16, [("call_id", 12, 2), ("reserved1", 14, 2)]),
    (13, "CDN", "call_disconnect_notify", 148, [
        ("call_id", 12, 2), ("result_code", 14, 1), ("error_code", 15, 1), ("cause_code", 16, 2), ("reserved1", 18, 2),
        ("call_statistics", 20, 128)]),
    (14, "WEN", "wan_error_notify", 40, [
        ("peer_call_id", 12, 2), ("reserved1", 14, 2), ("crc_errors", 16, 4), ("framing_errors", 20, 4),
        ("hardware_overruns", 24, 4), ("buffer_overruns", 28, 4), ("time_out_errors", 32, 4),
        ("alignment_errors", 36, 4)]),
    (15, "SLI", "set_link_info", 24, [
        ("peer_call_id", 12, 2), ("reserved1", 14, 2), ("send_accm", 16, 4), ("receive_accm", 20, 4)]),
]  # fmt: skip

COMMON = [
    ("length", 0, 2),
    ("message_type", 2, 2),
    ("magic_cookie", 4, 4),
    ("control_message_type", 8, 2),
    ("reserved0", 10, 2),
]
TEXTS = {"host_name", "vendor_name", "phone_number", "subaddress", "dialed_number", "dialing_number", "call_statistics"}


@pytest.mark.parametrize(("code", "abbreviation", "name", "size", "body"), TYPED, ids=[row[2] for row in TYPED])
def test_message(code, abbreviation, name, size, body):
    message = BY_CODE[code]
    assert message is BY_NAME[name]
    assert (message.code, message.abbreviation, message.name, message.size) == (code, abbreviation, name, size)
    assert message.section == f"RFC 2637 section 2.{code}"
    assert [(field.name, message.offset(field.name), field.width) for field in message.fields] == COMMON + body
    assert {field.name for field in message.fields if field.kind == "text"} == {n for n, _, _ in body if n in TEXTS}
    numbers = {1: "u1", 2: "<u2", 4: "<u4"}
    columns = [("message", np.dtype("i8"))]
    for field, _, width in COMMON + body:
        columns.append((field, np.dtype(f"S{width}" if field in TEXTS else numbers[width]).newbyteorder("=")))
    got = dtype(name)
    assert [(n, got[n]) for n in names_of(got)] == columns
    assert got.itemsize == 8 + size  # packed: the message's octets and one index


def test_fifteen_messages_in_order():
    assert [message.code for message in MESSAGES] == list(range(1, 16))
    assert [(field.name, field.width) for field in HEADER] == [(name, width) for name, _, width in COMMON]


def test_number_lengths_name_the_field_they_count():
    found = {(m.name, f.name): f.length_of for m in MESSAGES for f in m.fields if f.length_of}
    assert found == {
        ("outgoing_call_request", "phone_number_length"): "phone_number",
        ("incoming_call_request", "dialed_number_length"): "dialed_number",
        ("incoming_call_request", "dialing_number_length"): "dialing_number",
    }


def test_a_size_that_is_not_the_sum_of_the_fields_is_refused():
    with pytest.raises(ValueError, match="add up to 2"):
        Message(1, "wrong", "W", "none", 3, "nobody", (Field("a", 2, "unsigned", "a"),))
    with pytest.raises(ValueError, match="1, 2 or 4"):
        Field("a", 3, "unsigned", "a")


def test_numbers():
    assert (control.MAGIC_COOKIE, control.CONTROL_MESSAGE, control.HEADER_SIZE) == (0x1A2B3C4D, 1, 12)
    assert (control.MAXIMUM_LENGTH, control.DEFAULT_PORT) == (1024, 1723)
    assert (ip.PROTOCOL_GRE, gre.PROTOCOL_TYPE, gre.VERSION, gre.FIXED_SIZE) == (47, 0x880B, 1, 8)
    assert (gre.CHECKSUM_PRESENT, gre.ROUTING_PRESENT, gre.KEY_PRESENT) == (0x8000, 0x4000, 0x2000)
    assert (gre.SEQUENCE_PRESENT, gre.ACKNOWLEDGMENT_PRESENT, gre.VERSION_MASK) == (0x1000, 0x0080, 0x0007)
    # what FreeBSD's kernel lets through: (word & 0xEF7F) == 0x2001
    assert gre.FORBIDDEN == 0xEF7F & ~0x2007 == 0xCF78
    assert (container.MICROSECONDS, container.NANOSECONDS) == (0xA1B2C3D4, 0xA1B23C4D)
    assert (link.LINUX_SLL, link.LINUX_SLL2, link.IPV4, link.IPV6, link.LOOP) == (113, 276, 228, 229, 108)
    assert (limits.WINDOW, limits.RESET_WINDOW) == (1073741824, 1048576)
    assert (limits.DATAGRAM_AGE_NS, limits.DATAGRAM_SPAN_NS) == (60_000_000_000, 1_000_000_000)
    assert (limits.DATAGRAM_DISTANCE, limits.EXTENT_COST) == (128, 128)
    assert ppp.ADDRESS_CONTROL == b"\xff\x03"
    assert {n: ppp.PROTOCOLS[n] for n in (0x21, 0x57, 0xFD, 0xC021, 0xC023, 0xC223, 0x8021, 0x80FD)} == {
        0x21: "IPv4", 0x57: "IPv6", 0xFD: "compressed datagram", 0xC021: "LCP", 0xC023: "PAP", 0xC223: "CHAP",
        0x8021: "IPCP", 0x80FD: "CCP",
    }  # fmt: skip


# Which list explains a field: "3" means four different things.
LISTS = {
    ("start_control_connection_reply", "result_code"): [1, 2, 3, 4, 5],
    ("stop_control_connection_reply", "result_code"): [1, 2],
    ("echo_reply", "result_code"): [1, 2],
    ("outgoing_call_reply", "result_code"): [1, 2, 3, 4, 5, 6, 7],
    ("incoming_call_reply", "result_code"): [1, 2, 3],
    ("call_disconnect_notify", "result_code"): [1, 2, 3, 4],
    ("stop_control_connection_request", "reason"): [1, 2, 3],
    ("outgoing_call_reply", "error_code"): [0, 1, 2, 3, 4, 5, 6],
    ("outgoing_call_request", "bearer_type"): [1, 2, 3],
    ("outgoing_call_request", "framing_type"): [1, 2, 3],
}
MEANINGS = [
    ("start_control_connection_reply", "result_code", 3, "exists"),
    ("start_control_connection_reply", "result_code", 4, "not authorized"),
    ("outgoing_call_reply", "result_code", 1, "connected"),
    ("outgoing_call_reply", "result_code", 3, "no carrier"),
    ("outgoing_call_reply", "result_code", 5, "no dial tone"),
    ("outgoing_call_reply", "result_code", 7, "do not accept"),
    ("incoming_call_reply", "result_code", 3, "do not accept"),
    ("call_disconnect_notify", "result_code", 1, "lost carrier"),
    ("call_disconnect_notify", "result_code", 3, "admin shutdown"),
    ("stop_control_connection_request", "reason", 2, "stop-protocol"),
    ("stop_control_connection_request", "reason", 3, "stop-local-shutdown"),
    ("echo_reply", "error_code", 4, "no-resource"),
    ("call_disconnect_notify", "error_code", 6, "pac-error"),
]


def enumeration_of(message: str, field: str) -> dict[int, str]:
    (name,) = [f.enumeration for f in BY_NAME[message].fields if f.name == field]
    return ENUMERATIONS[name]


def test_enumerations():
    for (message, field), codes in LISTS.items():
        assert sorted(enumeration_of(message, field)) == codes, (message, field)
    for message, field, code, meaning in MEANINGS:
        assert meaning in enumeration_of(message, field)[code].lower(), (message, field, code)
    with_errors = {m.code for m in MESSAGES if any(f.name == "error_code" for f in m.fields)}
    assert with_errors == {2, 4, 6, 8, 10, 13}
    assert {f.enumeration for m in MESSAGES for f in m.fields if f.enumeration} <= set(ENUMERATIONS)
    assert ENUMERATIONS["message_type"] == {1: "control", 2: "management"}


def test_status_bits_are_final():
    """Files that were exported hold these numbers."""
    assert {bit.name: int(bit) for bit in status.MessageStatus} == {
        "CUT": 1, "WRONG_LENGTH": 2, "UNKNOWN_TYPE": 4, "MANAGEMENT": 8, "AFTER_GAP": 16, "RESYNCHRONISED": 32,
        "MIDSTREAM": 64, "OVERLAP_CONFLICT": 128, "BAD_CHECKSUM": 256, "AFTER_CLOSE": 512, "URGENT": 1024,
        "NUMBER_LENGTH": 2048, "TEXT_TAIL": 4096, "TIME_FRACTION": 8192, "FRAGMENTED": 16384,
    }  # fmt: skip
    assert {bit.name: int(bit) for bit in status.GreStatus} == {
        "HEADER_CUT": 1, "PAYLOAD_CUT": 2, "PAYLOAD_SHORT": 4, "PAYLOAD_SURPLUS": 8, "FORBIDDEN_FLAGS": 16,
        "NO_KEY": 32,
        "NO_SEQUENCE": 64, "EMPTY_SEQUENCE": 128, "NO_PROTOCOL": 256, "FRAGMENTED": 512, "TIME_FRACTION": 1024,
        "DUPLICATED": 2048, "REORDERED": 4096, "MULTILINK_IP": 8192,
    }  # fmt: skip
    assert [layer.name for layer in status.Layer] == ["CONTAINER", "LINK", "IP", "TCP", "CONTROL", "GRE", "PPP"]
    assert [int(layer) for layer in status.Layer] == [1, 2, 3, 4, 5, 6, 7]
    assert {end.name: int(end) for end in status.End} == {
        "OPEN": 0,
        "FIN": 1,
        "RST": 2,
        "NEW_CONNECTION": 3,
        "EVICTED": 4,
    }


TIME = "<M8[ns]"


def test_messages_table():
    assert [(name, dtype("messages")[name].str) for name in names_of(dtype("messages"))] == [
        ("time", TIME), ("file", "<u4"), ("packet", "<u8"), ("record_offset", "<i8"), ("connection", "<i4"),
        ("call", "<i4"), ("from_initiator", "|b1"), ("segments", "<u2"), ("status", "<u2"), ("row", "<i8"), ("length", "<u2"),
        ("message_type", "<u2"), ("magic_cookie", "<u4"), ("control_message_type", "<u2"), ("reserved0", "<u2"),
        ("available", "<u2"),
    ]  # fmt: skip


def test_gre_table_is_narrow():
    got = dtype("gre")
    assert [(name, got[name].str) for name in names_of(got)] == [
        ("time", TIME), ("file", "<u4"), ("packet", "<u8"), ("record_offset", "<i8"), ("flags_and_version", "<u2"),
        ("call_id", "<u2"), ("payload_length", "<u2"), ("sequence_number", "<u4"), ("acknowledgment_number", "<u4"),
        ("ppp_protocol", "<u2"), ("available", "<u2"), ("tunnel", "<i4"), ("skipped", "<u4"), ("status", "<u2"),
    ]  # fmt: skip
    assert got.itemsize == 56


def test_tables():
    types = [name for _, _, name, _, _ in TYPED]
    assert list(TABLE_NAMES) == [
        "messages",
        *types,
        "gre",
        "ppp",
        "ppp_options",
        "connections",
        "tunnels",
        "calls",
        "issues",
    ]
    assert set(ENTITIES) == {"connections", "tunnels", "calls"}
    assert set(EVENTS) == {"messages", *types, "gre", "ppp", "ppp_options", "issues"}
    for name in TABLE_NAMES:
        assert empty(name).shape == (0,)
        assert empty(name).dtype == dtype(name)
    for name in ("connections", "tunnels"):
        addresses = [c for c in names_of(dtype(name)) if c.endswith("address") or c in ("source", "destination")]
        assert len(addresses) == 2
        assert all(dtype(name)[c] == np.dtype(("u1", 16)) for c in addresses)
    with pytest.raises(KeyError):
        dtype("no such table")

"""The test vectors of the wire specification, typed by hand: octets, and the value of every field.

Nothing here comes from the package: one definition would make one mistake everywhere.
"""

from __future__ import annotations


def zeros(octets: int) -> str:
    return "00" * octets


HEADER_VALUES = {"message_type": 1, "magic_cookie": 0x1A2B3C4D, "reserved0": 0}

# (control message type, table, length, hex, every field behind the header)
CONTROL: list[tuple[int, str, int, str, dict[str, int | bytes]]] = [
    (
        1,
        "start_control_connection_request",
        156,
        "009c00011a2b3c4d0001000001000000000000010000000200000203706e732e6578616d706c65"
        + zeros(53)
        + "41636d6520504e53"
        + zeros(56),
        {
            "protocol_version": 0x0100,
            "reserved1": 0,
            "framing_capabilities": 1,
            "bearer_capabilities": 2,
            "maximum_channels": 0,
            "firmware_revision": 0x0203,
            "host_name": b"pns.example",
            "vendor_name": b"Acme PNS",
        },
    ),
    (
        2,
        "start_control_connection_reply",
        156,
        "009c00011a2b3c4d00020000010001000000000300000003040506077061632e6578616d706c65"
        + zeros(53)
        + "41636d6520504143"
        + zeros(56),
        {
            "protocol_version": 0x0100,
            "result_code": 1,
            "error_code": 0,
            "framing_capabilities": 3,
            "bearer_capabilities": 3,
            "maximum_channels": 0x0405,
            "firmware_revision": 0x0607,
            "host_name": b"pac.example",
            "vendor_name": b"Acme PAC",
        },
    ),
    (
        3,
        "stop_control_connection_request",
        16,
        "001000011a2b3c4d0003000003000000",
        {"reason": 3, "reserved1": 0, "reserved2": 0},
    ),
    (
        4,
        "stop_control_connection_reply",
        16,
        "001000011a2b3c4d0004000002060000",
        {"result_code": 2, "error_code": 6, "reserved1": 0},
    ),
    (5, "echo_request", 16, "001000011a2b3c4d0005000001020304", {"identifier": 0x01020304}),
    (
        6,
        "echo_reply",
        20,
        "001400011a2b3c4d000600000102030401000000",
        {"identifier": 0x01020304, "result_code": 1, "error_code": 0, "reserved1": 0},
    ),
    (
        7,
        "outgoing_call_request",
        168,
        "00a800011a2b3c4d000700001111000700000960800000000000000300000002004000050004000035353531"
        + zeros(60)
        + "73756237"
        + zeros(60),
        {
            "call_id": 0x1111,
            "call_serial_number": 7,
            "minimum_bps": 2400,
            "maximum_bps": 2147483648,
            "bearer_type": 3,
            "framing_type": 2,
            "packet_recv_window_size": 64,
            "packet_processing_delay": 5,
            "phone_number_length": 4,
            "reserved1": 0,
            "phone_number": b"5551",
            "subaddress": b"sub7",
        },
    ),
    (
        8,
        "outgoing_call_reply",
        32,
        "002000011a2b3c4d0008000022221111010000100000fa00002000060a0b0c0d",
        {
            "call_id": 0x2222,
            "peer_call_id": 0x1111,
            "result_code": 1,
            "error_code": 0,
            "cause_code": 16,
            "connect_speed": 64000,
            "packet_recv_window_size": 32,
            "packet_processing_delay": 6,
            "physical_channel_id": 0x0A0B0C0D,
        },
    ),
    (
        9,
        "incoming_call_request",
        220,
        "00dc00011a2b3c4d0009000023230009000000020e0f101100030004313030"
        + zeros(61)
        + "32303030"
        + zeros(60)
        + "73756239"
        + zeros(60),
        {
            "call_id": 0x2323,
            "call_serial_number": 9,
            "bearer_type": 2,
            "physical_channel_id": 0x0E0F1011,
            "dialed_number_length": 3,
            "dialing_number_length": 4,
            "dialed_number": b"100",
            "dialing_number": b"2000",
            "subaddress": b"sub9",
        },
    ),
    (
        10,
        "incoming_call_reply",
        24,
        "001800011a2b3c4d000a0000131323230100003000080000",
        {
            "call_id": 0x1313,
            "peer_call_id": 0x2323,
            "result_code": 1,
            "error_code": 0,
            "packet_recv_window_size": 48,
            "packet_transmit_delay": 8,
            "reserved1": 0,
        },
    ),
    (
        11,
        "incoming_call_connected",
        28,
        "001c00011a2b3c4d000b0000131300000001f4000018000900000001",
        {
            "peer_call_id": 0x1313,
            "reserved1": 0,
            "connect_speed": 128000,
            "packet_recv_window_size": 24,
            "packet_transmit_delay": 9,
            "framing_type": 1,
        },
    ),
    (12, "call_clear_request", 16, "001000011a2b3c4d000c000011110000", {"call_id": 0x1111, "reserved1": 0}),
    (
        13,
        "call_disconnect_notify",
        148,
        "009400011a2b3c4d000d000022220400001f000072783d312074783d32" + zeros(119),
        {
            "call_id": 0x2222,
            "result_code": 4,
            "error_code": 0,
            "cause_code": 31,
            "reserved1": 0,
            "call_statistics": b"rx=1 tx=2",
        },
    ),
    (
        14,
        "wan_error_notify",
        40,
        "002800011a2b3c4d000e000011110000000000010000000200000003000000040000000500000006",
        {
            "peer_call_id": 0x1111,
            "reserved1": 0,
            "crc_errors": 1,
            "framing_errors": 2,
            "hardware_overruns": 3,
            "buffer_overruns": 4,
            "time_out_errors": 5,
            "alignment_errors": 6,
        },
    ),
    (
        15,
        "set_link_info",
        24,
        "001800011a2b3c4d000f000022220000000a0000ffffffff",
        {"peer_call_id": 0x2222, "reserved1": 0, "send_accm": 0x000A0000, "receive_accm": 0xFFFFFFFF},
    ),
]

# (what, hex, flags and version, payload length, call id, sequence, acknowledgment, PPP protocol)
GRE: list[tuple[str, str, int, int, int, int, int, int]] = [
    (
        "LCP Configure-Request behind FF 03",
        "3001880b0021222200000000ff03c0210101001d010405780206000a00000305c223810506a1b2c3d407020802",
        0x3001, 33, 0x2222, 0, 0, 0xC021,
    ),
    (
        "LCP Echo-Request with an acknowledgment",
        "3081880b000c11110000000500000004ff03c02109010008a1b2c3d4",
        0x3081, 12, 0x1111, 5, 4, 0xC021,
    ),
    ("an acknowledgment alone", "2081880b0000222200000005", 0x2081, 0, 0x2222, 0, 5, 0),
    (
        "IPv4 behind one octet of protocol",
        "3001880b001d222200000006214500001c00010000400166de0a0000010a0000020800f7ff00000000",
        0x3001, 29, 0x2222, 6, 0, 0x0021,
    ),
    (
        "IPCP without address and control",
        "3001880b0012222200000007802101050010030600000000810600000000",
        0x3001, 18, 0x2222, 7, 0, 0x8021,
    ),
    (
        "MPPE behind one octet of protocol",
        "3001880b0007222200000008fd9001deadbeef",
        0x3001, 7, 0x2222, 8, 0, 0x00FD,
    ),
    (
        "CCP with an acknowledgment",
        "3081880b000c1111000000090000000780fd0106000a120601000040",
        0x3081, 12, 0x1111, 9, 7, 0x80FD,
    ),
]  # fmt: skip

CONTROL_HEX = {kind: bytes.fromhex(text) for kind, _, _, text, _ in CONTROL}

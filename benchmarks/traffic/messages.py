"""The 15 control messages as octets, typed from RFC 2637 section 2.

Knows nothing of TCP; every number that a sender may choose is drawn.
"""

from __future__ import annotations

import struct

from .draw import Draw

PORT = 1723
_COOKIE = 0x1A2B3C4D

# Names of the messages by control message type; the first place stays free.
NAMES = (
    "",
    "start_control_connection_request",
    "start_control_connection_reply",
    "stop_control_connection_request",
    "stop_control_connection_reply",
    "echo_request",
    "echo_reply",
    "outgoing_call_request",
    "outgoing_call_reply",
    "incoming_call_request",
    "incoming_call_reply",
    "incoming_call_connected",
    "call_clear_request",
    "call_disconnect_notify",
    "wan_error_notify",
    "set_link_info",
)
(
    _,
    START_REQUEST,
    START_REPLY,
    STOP_REQUEST,
    STOP_REPLY,
    ECHO_REQUEST,
    ECHO_REPLY,
    OUTGOING_REQUEST,
    OUTGOING_REPLY,
    INCOMING_REQUEST,
    INCOMING_REPLY,
    INCOMING_CONNECTED,
    CLEAR_REQUEST,
    DISCONNECT_NOTIFY,
    WAN_ERROR,
    SET_LINK,
) = range(16)


def message(kind: int, draw: Draw, call: int = 0, peer: int = 0, number: int = 0) -> bytes:
    """One control message.

    Parameters
    ----------
    kind : int
        Control message type, 1 to 15.
    draw : Draw
        Source of the numbers that the sender chooses.
    call, peer : int
        Call id of the sender and of the receiver, in the messages that carry them.
    number : int
        Identifier of an echo, serial number of a call.

    Returns
    -------
    bytes
        The message with its header.
    """
    body = _body(kind, draw, call, peer, number)
    return struct.pack(">HHIHH", len(body) + 12, 1, _COOKIE, kind, 0) + body


def _body(kind: int, draw: Draw, call: int, peer: int, number: int) -> bytes:
    digits = f"{draw.one(10**9):09d}".encode()
    match kind:
        case 1 | 2:
            result = 0x0100 if kind == START_REPLY else 0
            host = f"host-{draw.one(10_000)}.example.net".encode()
            return struct.pack(">HHIIHH64s64s", 0x0100, result, 3, 3, 0, 1 + draw.one(9_000), host, b"a vendor")
        case 3 | 4:
            return struct.pack(">BBH", 1, 0, 0)
        case 5:
            return struct.pack(">I", number)
        case 6:
            return struct.pack(">IBBH", number, 1, 0, 0)
        case 7:
            serial, most = number & 0xFFFF, 100_000_000
            head = struct.pack(">HHIIIIHHHH", call, serial, 2_400, most, 3, 3, 64, 0, len(digits), 0)
            return head + struct.pack(">64s64s", digits, b"")
        case 8:
            speed = 64_000 * (1 + draw.one(1_000))
            return struct.pack(">HHBBHIHHI", call, peer, 1, 0, 0, speed, 64, 0, draw.one(64))
        case 9:
            head = struct.pack(">HHIIHH", call, number & 0xFFFF, 1, draw.one(64), len(digits), len(digits))
            return head + struct.pack(">64s64s64s", digits, digits, b"")
        case 10:
            return struct.pack(">HHBBHHH", call, peer, 1, 0, 64, 0, 0)
        case 11:
            return struct.pack(">HHIHHI", peer, 0, 64_000, 64, 0, 1)
        case 12:
            return struct.pack(">HH", call, 0)
        case 13:
            statistics = f"octets in {draw.one(10**6)} octets out {draw.one(10**6)}".encode()
            return struct.pack(">HBBHH128s", call, 4, 0, 16, 0, statistics)
        case 14:
            return struct.pack(">HH6I", peer, 0, *(int(count) for count in draw.below(6, 1_000)))
        case 15:
            return struct.pack(">HHII", peer, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    raise ValueError(f"there is no control message of type {kind}")

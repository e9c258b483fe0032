"""The 15 control messages of RFC 2637, every field, reserved ones too.

Sizes are typed from the RFC and checked against the fields at import.  Derived from here: dtypes,
the compiled field plan, the pure-Python decode, the documentation.  A new field is an edit here.
"""

from __future__ import annotations

from .model import Field, Message

MAGIC_COOKIE = 0x1A2B3C4D
CONTROL_MESSAGE = 1
MANAGEMENT_MESSAGE = 2
HEADER_SIZE = 12
# No message of the RFC is longer than 220 octets; what claims more than this has lost its step.
MAXIMUM_LENGTH = 1024
DEFAULT_PORT = 1723


def _u8(name: str, meaning: str, **more: str) -> Field:
    return Field(name, 1, "unsigned", meaning, **more)


def _u16(name: str, meaning: str, **more: str) -> Field:
    return Field(name, 2, "unsigned", meaning, **more)


def _u32(name: str, meaning: str, **more: str) -> Field:
    return Field(name, 4, "unsigned", meaning, **more)


def _text(name: str, width: int, meaning: str, **more: str) -> Field:
    return Field(name, width, "text", meaning, **more)


HEADER = (
    _u16("length", "octets of the message, including this header", unit="octets", tshark="pptp.length"),
    _u16("message_type", "1 control, 2 management", tshark="pptp.type", enumeration="message_type"),
    _u32("magic_cookie", "always 0x1A2B3C4D", tshark="pptp.magic_cookie"),
    _u16(
        "control_message_type",
        "type of the message",
        tshark="pptp.control_message_type",
        enumeration="control_message_type",
    ),
    _u16("reserved0", "reserved, 0", tshark="pptp.reserved"),
)

_VERSION = _u16("protocol_version", "version in the high octet, revision in the low one", tshark="pptp.protocol_version")
_FRAMING_CAPABILITIES = _u32(
    "framing_capabilities",
    "bit set: 1 asynchronous, 2 synchronous",
    tshark="pptp.framing_capabilities",
    enumeration="framing_capabilities",
)
_BEARER_CAPABILITIES = _u32(
    "bearer_capabilities",
    "bit set: 1 analog, 2 digital",
    tshark="pptp.bearer_capabilities",
    enumeration="bearer_capabilities",
)
_MAXIMUM_CHANNELS = _u16("maximum_channels", "greatest number of sessions that the PAC supports", tshark="pptp.maximum_channels")
_FIRMWARE = _u16("firmware_revision", "firmware or software revision of the sender", tshark="pptp.firmware_revision")
_HOST = _text("host_name", 64, "DNS name of the sender", tshark="pptp.host_name")
_VENDOR = _text("vendor_name", 64, "vendor's description of the sender", tshark="pptp.vendor_name")
_ERROR = _u8("error_code", "general error; has a meaning with result code 2", tshark="pptp.error", enumeration="error_code")
_IDENTIFIER = _u32("identifier", "number that the reply copies from the request", tshark="pptp.identifier")
_SERIAL = _u16("call_serial_number", "number of the call for logs", tshark="pptp.call_serial_number")
_WINDOW = _u16(
    "packet_recv_window_size", "data packets that the sender of the message buffers", unit="packets", tshark="pptp.packet_receive_window_size"
)
_CHANNEL = _u32("physical_channel_id", "vendor's channel number", tshark="pptp.physical_channel_id")
_SPEED = _u32("connect_speed", "actual speed of the call", unit="bit/s", tshark="pptp.connect_speed")
_CAUSE = _u16("cause_code", "Q.931 cause code of an ISDN call", tshark="pptp.cause")
_SUBADDRESS = _text("subaddress", 64, "additional dialing information", tshark="pptp.subaddress")


def _call_id(whose: str) -> Field:
    return _u16("call_id", f"call id assigned by the {whose}", tshark="pptp.call_id")


def _peer_call_id(whose: str) -> Field:
    return _u16("peer_call_id", f"call id assigned by the {whose}", tshark="pptp.peer_call_id")


def _result(enumeration: str, tshark: str) -> Field:
    return _u8("result_code", "result of the request", tshark=tshark, enumeration=enumeration)


def _reserved(name: str, width: int = 2) -> Field:
    return Field(name, width, "unsigned", "reserved, 0")


def _delay(name: str) -> Field:
    return _u16(name, "processing delay of the sender of the message", unit="1/10 s", tshark="pptp.packet_processing_delay")


def _message(code: int, name: str, abbreviation: str, section: str, size: int, sent_by: str, *body: Field) -> Message:
    return Message(code, name, abbreviation, f"RFC 2637 section {section}", size, sent_by, HEADER + body)


MESSAGES: tuple[Message, ...] = (
    _message(
        1, "start_control_connection_request", "SCCRQ", "2.1", 156, "TCP originator",
        _VERSION, _reserved("reserved1"), _FRAMING_CAPABILITIES, _BEARER_CAPABILITIES, _MAXIMUM_CHANNELS, _FIRMWARE, _HOST, _VENDOR,
    ),
    _message(
        2, "start_control_connection_reply", "SCCRP", "2.2", 156, "TCP receiver",
        _VERSION, _result("start_result", "pptp.control_result"), _ERROR, _FRAMING_CAPABILITIES, _BEARER_CAPABILITIES,
        _MAXIMUM_CHANNELS, _FIRMWARE, _HOST, _VENDOR,
    ),
    _message(
        3, "stop_control_connection_request", "StopCCRQ", "2.3", 16, "either",
        _u8("reason", "reason for the end of the connection", tshark="pptp.reason", enumeration="stop_reason"),
        _reserved("reserved1", 1), _reserved("reserved2"),
    ),
    _message(
        4, "stop_control_connection_reply", "StopCCRP", "2.4", 16, "either",
        _result("stop_result", "pptp.stop_result"), _ERROR, _reserved("reserved1"),
    ),
    _message(5, "echo_request", "ECHORQ", "2.5", 16, "either", _IDENTIFIER),
    _message(
        6, "echo_reply", "ECHORP", "2.6", 20, "either",
        _IDENTIFIER, _result("echo_result", "pptp.echo_result"), _ERROR, _reserved("reserved1"),
    ),
    _message(
        7, "outgoing_call_request", "OCRQ", "2.7", 168, "PNS",
        _call_id("PNS"), _SERIAL,
        _u32("minimum_bps", "lowest acceptable line speed", unit="bit/s", tshark="pptp.minimum_bps"),
        _u32("maximum_bps", "highest acceptable line speed", unit="bit/s", tshark="pptp.maximum_bps"),
        _u32("bearer_type", "1 analog, 2 digital, 3 any", tshark="pptp.bearer_type", enumeration="bearer_type"),
        _u32("framing_type", "1 asynchronous, 2 synchronous, 3 either", tshark="pptp.framing_type", enumeration="framing_type"),
        _WINDOW, _delay("packet_processing_delay"),
        _u16("phone_number_length", "used octets of phone_number", unit="octets", tshark="pptp.phone_number_length", length_of="phone_number"),
        _reserved("reserved1"),
        _text("phone_number", 64, "number to dial", tshark="pptp.phone_number"), _SUBADDRESS,
    ),
    _message(
        8, "outgoing_call_reply", "OCRP", "2.8", 32, "PAC",
        _call_id("PAC"), _peer_call_id("PNS"), _result("outgoing_result", "pptp.out_result"), _ERROR, _CAUSE, _SPEED,
        _WINDOW, _delay("packet_processing_delay"), _CHANNEL,
    ),
    _message(
        9, "incoming_call_request", "ICRQ", "2.9", 220, "PAC",
        _call_id("PAC"), _SERIAL,
        _u32("bearer_type", "1 analog, 2 digital", tshark="pptp.bearer_type", enumeration="bearer_type"), _CHANNEL,
        _u16("dialed_number_length", "used octets of dialed_number", unit="octets", tshark="pptp.dialed_number_length", length_of="dialed_number"),
        _u16("dialing_number_length", "used octets of dialing_number", unit="octets", tshark="pptp.dialing_number_length", length_of="dialing_number"),
        _text("dialed_number", 64, "number that the caller dialed", tshark="pptp.dialed_number"),
        _text("dialing_number", 64, "number of the caller", tshark="pptp.dialing_number"), _SUBADDRESS,
    ),
    _message(
        10, "incoming_call_reply", "ICRP", "2.10", 24, "PNS",
        _call_id("PNS"), _peer_call_id("PAC"), _result("incoming_result", "pptp.in_result"), _ERROR,
        _WINDOW, _delay("packet_transmit_delay"), _reserved("reserved1"),
    ),
    _message(
        11, "incoming_call_connected", "ICCN", "2.11", 28, "PAC",
        _peer_call_id("PNS"), _reserved("reserved1"), _SPEED, _WINDOW, _delay("packet_transmit_delay"),
        _u32("framing_type", "1 asynchronous, 2 synchronous", tshark="pptp.framing_type", enumeration="framing_type"),
    ),
    _message(12, "call_clear_request", "CCRQ", "2.12", 16, "PNS", _call_id("PNS"), _reserved("reserved1")),
    _message(
        13, "call_disconnect_notify", "CDN", "2.13", 148, "PAC",
        _call_id("PAC"), _result("disconnect_result", "pptp.disc_result"), _ERROR, _CAUSE, _reserved("reserved1"),
        _text("call_statistics", 128, "statistics of the call, in a form that the vendor chooses", tshark="pptp.call_Statistics"),
    ),
    _message(
        14, "wan_error_notify", "WEN", "2.14", 40, "PAC",
        _peer_call_id("PNS"), _reserved("reserved1"),
        _u32("crc_errors", "PPP frames with a bad checksum", unit="frames", tshark="pptp.crc_errors"),
        _u32("framing_errors", "PPP packets with a framing error", unit="packets", tshark="pptp.framing_errors"),
        _u32("hardware_overruns", "overruns of the hardware's receive buffer", tshark="pptp.hardware_overruns"),
        _u32("buffer_overruns", "overruns of other buffers", tshark="pptp.buffer_overruns"),
        _u32("time_out_errors", "time-outs of the line", tshark="pptp.timeout_errors"),
        _u32("alignment_errors", "alignment errors", tshark="pptp.alignment_errors"),
    ),
    _message(
        15, "set_link_info", "SLI", "2.15", 24, "PNS",
        _peer_call_id("receiver"), _reserved("reserved1"),
        _u32("send_accm", "control characters that the PAC has to escape when it sends", tshark="pptp.send_accm"),
        _u32("receive_accm", "control characters that the PAC can expect to be escaped when it receives", tshark="pptp.receive_accm"),
    ),
)  # fmt: skip

BY_CODE = {message.code: message for message in MESSAGES}
BY_NAME = {message.name: message for message in MESSAGES}

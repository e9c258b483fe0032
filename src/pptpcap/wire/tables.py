"""The output tables: every column with dtype, unit, meaning, RFC section and tshark name.

The tables of the 15 messages are made from ``control``.  Knows no packet and no NumPy.
"""

from __future__ import annotations

from .calls import CALLS, LAYERS, TUNNELS, community_id, echo_columns
from .control import HEADER, MESSAGES
from .enumerations import ENUMERATIONS
from .gre import SEQUENCE_PRESENT
from .model import Column, Equal, Field, Message, Table, Unset, Zero
from .ppp import PROTOCOLS
from .status import End, GreStatus, Kind, Layer, MessageStatus, PppStatus, Present

TIME = "datetime64[ns]"

_UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32"}


def _column_of(field: Field, section: str) -> Column:
    dtype = _UNSIGNED[field.width] if field.kind == "unsigned" else f"S{field.width}"
    return Column(field.name, dtype, field.meaning, field.unit, section, field.tshark, names=ENUMERATIONS.get(field.enumeration))


def _address(name: str, meaning: str) -> Column:
    return Column(name, "uint8", meaning + "; IPv4 as ::ffff:a.b.c.d", shape=(16,))


_TIME = Column("time", TIME, "time at which the packet was captured", "ns since 1970, UTC", tshark="frame.time_epoch")
_FILE = Column("file", "uint32", "index of the file among those that were read")
_PACKET = Column("packet", "uint64", "number of the packet, from 1; it counts on through all files", tshark="frame.number")
_RECORD_OFFSET = Column("record_offset", "int64", "offset of the packet's record or block in its file", "octets")
_CONNECTION = Column("connection", "int32", "row in connections; -1 beyond the cap")

_MESSAGES = Table(
    "messages",
    "control message",
    "delivery: the packet that completes the message, then position in the stream",
    (
        _TIME,
        _FILE,
        Column("packet", "uint64", "highest packet among those that hold the stream from its start, or from the last gap, to the end of the message"),
        _RECORD_OFFSET,
        _CONNECTION,
        Column("call", "int32", "row in calls of the call that it belongs to; -1 if it belongs to none, or beyond the cap"),
        Column("from_initiator", "bool", "the side that opened the TCP connection sent it"),
        Column("segments", "uint16", "TCP segments that hold octets of the message", "segments"),
        Column("status", "uint16", "bits of MessageStatus", names=MessageStatus),
        Column("row", "int64", "row in the table of its type; -1 if there is none"),
        *(_column_of(field, "RFC 2637 section 1.4") for field in HEADER),
        Column("available", "uint16", "octets of the message that are in the capture", "octets"),
    ),
)


def _table_of(message: Message) -> Table:
    columns = (Column("message", "int64", "row in messages"),)
    return Table(
        message.name,
        f"{message.abbreviation} message ({message.section})",
        "as messages",
        columns + tuple(_column_of(field, message.section) for field in message.fields),
    )


_GRE = Table(
    "gre",
    "Enhanced GRE packet",
    "packet; a fragmented one stands at the packet that completes it",
    (
        _TIME,
        _FILE,
        _PACKET,
        _RECORD_OFFSET,
        Column("flags_and_version", "uint16", "first word of the header", section="RFC 2637 section 4.1", tshark="gre.flags_and_version"),
        Column("call_id", "uint16", "call id that the receiver assigned", section="RFC 2637 section 4.1", tshark="gre.key.call_id"),
        Column("payload_length", "uint16", "octets of PPP that the header claims", "octets", "RFC 2637 section 4.1", "gre.key.payload_length"),
        Column("sequence_number", "uint32", "sequence number; 0 if S is clear", section="RFC 2637 section 4.1", tshark="gre.sequence_number"),
        Column("acknowledgment_number", "uint32", "highest sequence number that the sender received; 0 if A is clear", section="RFC 2637 section 4.1", tshark="gre.ack_number"),
        Column("ppp_protocol", "uint16", "protocol of the payload; 0 if there is none", section="RFC 1661 section 2", tshark="ppp.protocol", names=PROTOCOLS, absent=(Zero(),)),
        Column("available", "uint16", "octets of the payload that are in the capture", "octets"),
        Column("tunnel", "int32", "row in tunnels; -1 if the header is cut, or beyond the cap"),
        Column("skipped", "uint32", "sequence numbers passed over when this packet became the highest of its tunnel; 1 if it is REORDERED and its number is below the first", "packets", absent=(Unset("flags_and_version", SEQUENCE_PRESENT), Equal("tunnel", -1))),
        Column("status", "uint16", "bits of GreStatus", names=GreStatus),
    ),
)


_PPP = Table(
    "ppp",
    "PPP control packet that is not encrypted: LCP, authentication, network control protocols and others",
    "packet",
    (
        _TIME,
        _FILE,
        _PACKET,
        _RECORD_OFFSET,
        Column("gre", "int64", "row in gre"),
        Column("tunnel", "int32", "row in tunnels; -1 beyond the cap"),
        Column("protocol", "uint16", "PPP protocol", section="RFC 1661 section 2", tshark="ppp.protocol", names=PROTOCOLS),
        Column("code", "uint8", "code, by protocol; of LCP, 1 is Configure-Request, 2 is Configure-Ack", section="RFC 1661 section 5", tshark="ppp.code"),
        Column("identifier", "uint8", "number that a reply copies from its request", section="RFC 1661 section 5", tshark="ppp.identifier"),
        Column("length", "uint16", "octets of the packet from its code on, as the packet claims", "octets", "RFC 1661 section 5", "ppp.length"),
        Column("available", "uint16", "octets of the packet that are in the capture", "octets"),
        Column("options", "uint16", "number of its rows in ppp_options"),
        Column("status", "uint16", "bits of PppStatus", names=PppStatus),
    ),
)

_PPP_OPTIONS = Table(
    "ppp_options",
    "option of a PPP Configure packet or of a CBCP packet",
    "row in ppp, then position",
    (
        Column("ppp", "int64", "row in ppp"),
        Column("type", "uint8", "type of the option, by protocol", section="RFC 1661 section 6", tshark="lcp.opt.type"),
        Column("length", "uint8", "octets of the option, including type and length", "octets", "RFC 1661 section 6", "lcp.opt.length"),
        Column("value", "uint64", "first 8 data octets as a big-endian number"),
    ),
)


def _side(side: str) -> tuple[Column, ...]:
    said = (Unset("present", Present[side.upper()]),)

    def count(name: str, meaning: str, unit: str = "") -> Column:
        return Column(f"{side}_{name}", "uint64", f"{meaning}, sent by the {side}", unit)

    return (
        Column(f"{side}_protocol_version", "uint16", f"protocol version of the {side}, in its Start-Control-Connection message", section="RFC 2637 section 2.1", tshark="pptp.protocol_version", absent=said),
        Column(f"{side}_firmware_revision", "uint16", f"firmware revision of the {side}, in its Start-Control-Connection message", section="RFC 2637 section 2.1", tshark="pptp.firmware_revision", absent=said),
        Column(f"{side}_host_name", "S64", f"host name of the {side}, in its Start-Control-Connection message", section="RFC 2637 section 2.1", tshark="pptp.host_name", absent=said),
        Column(f"{side}_vendor_name", "S64", f"vendor name of the {side}, in its Start-Control-Connection message", section="RFC 2637 section 2.1", tshark="pptp.vendor_name", absent=said),
        count("messages", "control messages"),
        count("segments", "TCP segments", "segments"),
        count("data_segments", "TCP segments with data", "segments"),
        count("octets", "octets of the stream, without retransmissions", "octets"),
        count("retransmitted", "segments without a new octet", "segments"),
        count("copies", "segments that are copies of earlier ones; they count in the other columns too", "segments"),
        count("out_of_order", "segments with new octets below the highest position seen", "segments"),
        count("gaps", "holes in the stream that were declared lost"),
        count("gap_octets", "octets of these holes", "octets"),
        count("conflicts", "segments that differ from an earlier copy", "segments"),
        *echo_columns(side, "Echo-Requests", side),
    )


_WITH_RESULT = (Unset("present", Present.RESULT),)

_CONNECTIONS = Table(
    "connections",
    "control connection",
    "first packet",
    (
        _address("initiator_address", "side that opened the TCP connection"),
        _address("responder_address", "side that accepted the TCP connection"),
        Column("initiator_port", "uint16", "TCP port of the initiator", section="RFC 9293 section 3.1", tshark="tcp.port"),
        Column("responder_port", "uint16", "TCP port of the responder", section="RFC 9293 section 3.1", tshark="tcp.port"),
        *LAYERS,
        Column("first_time", TIME, "time of the first packet", "ns since 1970, UTC"),
        Column("last_time", TIME, "time of the last packet", "ns since 1970, UTC"),
        Column("first_packet", "uint64", "number of the first packet"),
        Column("last_packet", "uint64", "number of the last packet"),
        *_side("initiator"),
        *_side("responder"),
        Column("result_code", "uint8", "result code of the Start-Control-Connection-Reply", section="RFC 2637 section 2.2", tshark="pptp.control_result", names=ENUMERATIONS["start_result"], absent=_WITH_RESULT),
        Column("error_code", "uint8", "error code of the Start-Control-Connection-Reply", section="RFC 2637 section 2.16", tshark="pptp.error", names=ENUMERATIONS["error_code"], absent=_WITH_RESULT),
        Column("present", "uint8", "bits of Present: which Start-Control-Connection fields were seen", names=Present),
        Column("midstream", "bool", "the capture has neither a SYN nor a SYN-ACK of the connection"),
        Column("end", "uint8", "what ended the connection first, a number of End", names=End),
        Column("end_from_initiator", "bool", "the initiator sent the FIN or reset that ended it"),
        Column("end_time", TIME, "time of the end; NaT while the connection is open", "ns since 1970, UTC"),
        Column("end_packet", "uint64", "number of the packet of the end; 0 while the connection is open", absent=(Zero(),)),
    ),
    is_entity=True,
    derived=(community_id("initiator_address", "responder_address", "initiator_port", "responder_port"),),
)

_ISSUES = Table(
    "issues",
    "fault in the capture or in the traffic",
    "packet",
    (
        Column("time", TIME, "time of the packet at which it was found; NaT if there is none", "ns since 1970, UTC"),
        _FILE,
        _PACKET,
        _RECORD_OFFSET,
        Column("connection", "int32", "row in connections; -1 if the issue concerns none"),
        Column("layer", "uint8", "a number of Layer", names=Layer),
        Column("kind", "uint8", "a number of Kind", names=Kind),
        Column("needed", "uint64", "what was needed; its meaning depends on the kind"),
        Column("had", "uint64", "what was there instead; its meaning depends on the kind"),
    ),
)

TABLES: tuple[Table, ...] = (_MESSAGES, *(_table_of(message) for message in MESSAGES), _GRE, _PPP, _PPP_OPTIONS, _CONNECTIONS, TUNNELS, CALLS, _ISSUES)
BY_NAME = {table.name: table for table in TABLES}

# Columns that point to rows of other tables.  Not `messages.row`: which table it points to depends on the message.
POINTERS: dict[str, dict[str, str]] = {message.name: {"message": "messages"} for message in MESSAGES} | {
    "messages": {"connection": "connections", "call": "calls"},
    "gre": {"tunnel": "tunnels"},
    "ppp": {"gre": "gre", "tunnel": "tunnels"},
    "ppp_options": {"ppp": "ppp"},
    "connections": {},
    "tunnels": {"call": "calls"},
    "calls": {
        "connection": "connections",
        "pns_tunnel": "tunnels",
        "pac_tunnel": "tunnels",
        "request_message": "messages",
        "reply_message": "messages",
        "disconnect_message": "messages",
    },
    "issues": {"connection": "connections"},
}

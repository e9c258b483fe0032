"""The output tables: every column with dtype, unit, meaning, RFC section and tshark name.

The tables of the 15 messages derive from ``control``.
"""

from __future__ import annotations

from .calls import CALLS, TUNNELS
from .control import HEADER, MESSAGES
from .enumerations import ENUMERATIONS
from .model import Column, Field, Message, Table, Unset, Zero
from .ppp import PROTOCOLS
from .status import End, GreStatus, Kind, Layer, MessageStatus, PppStatus, Present

TIME = "datetime64[ns]"

_UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32"}


def _column_of(field: Field, section: str) -> Column:
    dtype = _UNSIGNED[field.width] if field.kind == "unsigned" else f"S{field.width}"
    return Column(field.name, dtype, field.meaning, field.unit, section, field.tshark, names=ENUMERATIONS.get(field.enumeration))


def _address(name: str, meaning: str) -> Column:
    return Column(name, "uint8", meaning + "; IPv4 as ::ffff:a.b.c.d", shape=(16,))


_TIME = Column("time", TIME, "when that packet was captured", "ns since 1970, UTC", tshark="frame.time_epoch")
_FILE = Column("file", "uint32", "index of the file among those read")
_PACKET = Column("packet", "uint64", "number of the packet, from 1, on through all files", tshark="frame.number")
_RECORD_OFFSET = Column("record_offset", "int64", "where the packet's record starts in its file", "octets")
_CONNECTION = Column("connection", "int32", "row in connections")

_MESSAGES = Table(
    "messages",
    "control message",
    "delivery: the packet that let it go, then position in the stream",
    (
        _TIME,
        _FILE,
        Column("packet", "uint64", "last to arrive of the packets that hold the stream up to the message's end, since the last gap"),
        _RECORD_OFFSET,
        _CONNECTION,
        Column("from_initiator", "bool", "sent by the side that opened the TCP connection"),
        Column("segments", "uint16", "TCP segments that hold its octets", "segments"),
        Column("status", "uint16", "bits of MessageStatus", names=MessageStatus),
        Column("row", "int64", "row in the table of its type, -1 where it has none"),
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
    "packet; a fragmented one counts at the packet that completes it",
    (
        _TIME,
        _FILE,
        _PACKET,
        _RECORD_OFFSET,
        Column("flags_and_version", "uint16", "first word of the header", section="RFC 2637 section 4.1", tshark="gre.flags_and_version"),
        Column("call_id", "uint16", "call id that the receiver assigned", section="RFC 2637 section 4.1", tshark="gre.key.call_id"),
        Column("payload_length", "uint16", "octets of PPP", "octets", "RFC 2637 section 4.1", "gre.key.payload_length"),
        Column("sequence_number", "uint32", "0 unless S is set", section="RFC 2637 section 4.1", tshark="gre.sequence_number"),
        Column("acknowledgment_number", "uint32", "0 unless A is set", section="RFC 2637 section 4.1", tshark="gre.ack_number"),
        Column("ppp_protocol", "uint16", "0 where there is none", section="RFC 1661 section 2", tshark="ppp.protocol", names=PROTOCOLS, absent=(Zero(),)),
        Column("available", "uint16", "octets of the payload that are in the capture", "octets"),
        Column("tunnel", "int32", "row in tunnels, -1 where the header is cut"),
        Column("status", "uint16", "bits of GreStatus", names=GreStatus),
    ),
)


_PPP = Table(
    "ppp",
    "PPP control packet in clear: LCP, authentication, network control protocols and the like",
    "packet",
    (
        _TIME,
        _FILE,
        _PACKET,
        _RECORD_OFFSET,
        Column("gre", "int64", "row in gre"),
        Column("tunnel", "int32", "row in tunnels"),
        Column("protocol", "uint16", "PPP protocol", section="RFC 1661 section 2", tshark="ppp.protocol", names=PROTOCOLS),
        Column("code", "uint8", "by protocol: 1 Configure-Request, 2 Configure-Ack and so on", section="RFC 1661 section 5", tshark="ppp.code"),
        Column("identifier", "uint8", "that of the request, in a reply", section="RFC 1661 section 5", tshark="ppp.identifier"),
        Column("length", "uint16", "octets that the packet claims, from its code on", "octets", "RFC 1661 section 5", "ppp.length"),
        Column("available", "uint16", "octets of the packet that are in the capture", "octets"),
        Column("options", "uint16", "its rows in ppp_options"),
        Column("status", "uint16", "bits of PppStatus", names=PppStatus),
    ),
)

_PPP_OPTIONS = Table(
    "ppp_options",
    "option in a Configure packet of PPP, or in one of CBCP",
    "row in ppp, then position",
    (
        Column("ppp", "int64", "row in ppp"),
        Column("type", "uint8", "by protocol", section="RFC 1661 section 6", tshark="ppp.opt.type"),
        Column("length", "uint8", "octets of the option, type and length among them", "octets", "RFC 1661 section 6", "ppp.opt.length"),
        Column("value", "uint64", "big-endian number of its first 8 data octets"),
    ),
)


def _side(side: str) -> tuple[Column, ...]:
    said = (Unset("present", Present[side.upper()]),)

    def count(name: str, meaning: str, unit: str = "") -> Column:
        return Column(f"{side}_{name}", "uint64", f"{meaning}, sent by the {side}", unit)

    return (
        Column(f"{side}_protocol_version", "uint16", f"what the {side} said when it started the connection", absent=said),
        Column(f"{side}_firmware_revision", "uint16", f"what the {side} said when it started the connection", absent=said),
        Column(f"{side}_host_name", "S64", f"what the {side} said when it started the connection", absent=said),
        Column(f"{side}_vendor_name", "S64", f"what the {side} said when it started the connection", absent=said),
        count("messages", "control messages"),
        count("segments", "TCP segments", "segments"),
        count("data_segments", "TCP segments with data", "segments"),
        count("octets", "octets of the stream, each counted once", "octets"),
        count("retransmitted", "segments that brought nothing new", "segments"),
        count("out_of_order", "segments that brought octets below the highest seen", "segments"),
        count("gaps", "holes that were declared lost"),
        count("gap_octets", "octets in them", "octets"),
        count("conflicts", "segments that disagree with an earlier copy", "segments"),
    )


_WITH_RESULT = (Unset("present", Present.RESULT),)

_CONNECTIONS = Table(
    "connections",
    "control connection",
    "first packet",
    (
        _address("initiator_address", "side that opened the TCP connection"),
        _address("responder_address", "the other side"),
        Column("initiator_port", "uint16", "TCP port"),
        Column("responder_port", "uint16", "TCP port"),
        Column("first_time", TIME, "time of the first packet", "ns since 1970, UTC"),
        Column("last_time", TIME, "time of the last packet", "ns since 1970, UTC"),
        Column("first_packet", "uint64", "number of the first packet"),
        Column("last_packet", "uint64", "number of the last packet"),
        *_side("initiator"),
        *_side("responder"),
        Column("result_code", "uint8", "of the Start-Control-Connection-Reply", names=ENUMERATIONS["start_result"], absent=_WITH_RESULT),
        Column("error_code", "uint8", "of the Start-Control-Connection-Reply", names=ENUMERATIONS["error_code"], absent=_WITH_RESULT),
        Column("present", "uint8", "bits of Present: which of these fields were seen", names=Present),
        Column("midstream", "bool", "no SYN was seen"),
        Column("end", "uint8", "what ended it first, a number of End", names=End),
        Column("end_from_initiator", "bool", "the initiator ended it"),
        Column("end_time", TIME, "when it ended, NaT while open", "ns since 1970, UTC"),
    ),
    is_entity=True,
)

_ISSUES = Table(
    "issues",
    "thing that is wrong in the capture or in the traffic",
    "packet",
    (
        Column("time", TIME, "time of the packet at which it was found, NaT without one", "ns since 1970, UTC"),
        _FILE,
        _PACKET,
        _RECORD_OFFSET,
        Column("connection", "int32", "row in connections, -1 where it concerns none"),
        Column("layer", "uint8", "a number of Layer", names=Layer),
        Column("kind", "uint8", "a number of Kind", names=Kind),
        Column("needed", "uint64", "what was needed, by kind"),
        Column("had", "uint64", "what was there instead, by kind"),
    ),
)

TABLES: tuple[Table, ...] = (_MESSAGES, *(_table_of(message) for message in MESSAGES), _GRE, _PPP, _PPP_OPTIONS, _CONNECTIONS, TUNNELS, CALLS, _ISSUES)
BY_NAME = {table.name: table for table in TABLES}

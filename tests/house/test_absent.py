"""Which values were not seen: each line of the table in docs/exports.md, on octets of which is known what they lack."""

from __future__ import annotations

import numpy as np
import pytest
from builder import Conversation, control, cut, echo, gre, gre_frame, pcap, stream
from call_builder import (
    Session,
    disconnect,
    incoming_reply,
    incoming_request,
    octets,
    outgoing_reply,
    outgoing_request,
    packet,
    packets,
)
from helpers import TYPES, EngineName, names_of
from unseen import known_of
from vectors import CONTROL, CONTROL_HEX

import pptpcap
from pptpcap._show.null import absent

SCCRQ, SCCRP = CONTROL_HEX[1], CONTROL_HEX[2]
LCP = bytes.fromhex("ff03c02109010008a1b2c3d4")  # 12 octets
PNS, PAC = 0, 1


def masks(capture, table: str) -> dict[str, np.ndarray]:
    rows = capture[table]
    known = [known_of(capture, table, row) for row in range(len(rows))]
    found = absent(table, rows, np.array(known, np.uint16) if table in TYPES else None)
    assert set(found) <= set(names_of(rows))
    for name, mask in found.items():
        assert (mask.dtype, mask.shape) == (np.dtype(bool), rows.shape), name
    return found


def missing(source: bytes, table: str, engine: EngineName = "compiled", **more) -> list[set[str]]:
    """The columns of each row that were not seen.  Times that are not known may be among them or not."""
    capture = pptpcap.read(source, engine=engine, **more)
    found = masks(capture, table)
    times = {name for name in names_of(capture[table]) if capture[table].dtype[name].kind == "M"}
    return [{name for name in found if found[name][row]} - times for row in range(len(capture[table]))]


def both(*names: str) -> set[str]:
    return {f"{side}_{name}" for side in ("pns", "pac") for name in names}


# ---- the 15


# Where each field ends that is behind the header, from RFC 2637; of text, the octet behind its first one.
SCCRQ_SEEN = [
    (14, "protocol_version"), (16, "reserved1"), (20, "framing_capabilities"), (24, "bearer_capabilities"),
    (26, "maximum_channels"), (28, "firmware_revision"), (29, "host_name"), (93, "vendor_name"),
]  # fmt: skip


@pytest.mark.parametrize("available", [12, 13, 14, 15, 16, 19, 20, 23, 24, 25, 26, 27, 28, 29, 91, 92, 93, 155, 156])
def test_a_message_cut_anywhere(engine, available):
    data = Conversation().handshake().client(0, SCCRQ, snap=available).pcap()
    expected = {name for seen, name in SCCRQ_SEEN if seen > available}
    assert missing(data, "start_control_connection_request", engine) == [expected]


@pytest.mark.parametrize(("kind", "table", "fields"), [(kind, table, set(f)) for kind, table, *_, f in CONTROL])
def test_each_message_whole_and_as_a_header_alone(kind, table, fields):
    whole = CONTROL_HEX[kind]
    talk = Conversation().handshake().client(0, whole).client(len(whole), whole, snap=12)
    assert missing(talk.pcap(), table) == [set(), fields]


def test_a_message_that_claims_less_than_its_fields_need(engine):
    """Nothing is cut by the capture: the next message begins where the identifier would end."""
    short = [control(5, bytes(n)) for n in range(4)]
    data = stream(b"".join(short) + echo(7))
    assert missing(data, "echo_request", engine) == [{"identifier"}] * 4 + [set()]


def test_a_message_that_claims_more_than_its_fields_need(engine):
    long = control(5, b"\0\0\0\7" + b"\xff" * 40)
    data = Conversation().handshake().client(0, long).client(56, long, snap=16).client(112, long, snap=15).pcap()
    assert missing(data, "echo_request", engine) == [set(), set(), {"identifier"}]


def test_text_of_zeros_was_seen():
    silent = SCCRQ[:28] + bytes(128)
    assert missing(stream(silent), "start_control_connection_request") == [set()]


def test_an_empty_table_has_masks_of_no_rows():
    capture = pptpcap.read(pcap([]))
    for table in pptpcap.schema.TABLE_NAMES:
        masks(capture, table)


# ---- references


def test_rows_of_other_tables(engine):
    """A management message is in no table of a type, and an issue of the link concerns no connection."""
    management = control(5, bytes(4), message_type=2)
    talk = Conversation().handshake().client(0, management).client(16, echo(1))
    talk.packets.append(b"short")
    data = talk.pcap()
    assert missing(data, "messages", engine) == [{"row", "call"}, {"call"}]
    assert missing(data, "issues", engine) == [set(), {"connection"}]


# ---- Enhanced GRE

CUT_HEADER = {"tunnel", "skipped", "ppp_protocol"}


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (gre(LCP, 5, 6, 7), set()),
        (gre(LCP, 0, 0, 0), set()),
        (gre(LCP, 5, 6), {"acknowledgment_number"}),
        (gre(b"", 5, None, 7), {"sequence_number", "skipped", "ppp_protocol"}),
        (gre(b"", 5, None, 0), {"sequence_number", "skipped", "ppp_protocol"}),
        (gre(b"", 5), {"sequence_number", "skipped", "acknowledgment_number", "ppp_protocol"}),
        (gre(LCP, 5), {"sequence_number", "skipped", "acknowledgment_number"}),
        (gre(b"", 5, 6, 7), {"ppp_protocol"}),
        # an even octet, then another one: no protocol
        (gre(b"\x02\x02", 5, 6, 7), {"ppp_protocol"}),
        (gre(b"\x21", 0, 6, 7, payload_length=1), set()),
    ],
)
def test_numbers_of_gre(engine, octets, expected):
    assert missing(pcap([gre_frame(octets)]), "gre", engine) == [expected]


@pytest.mark.parametrize(
    ("octets", "captured", "expected"),
    [
        (gre(LCP, 5, 6, 7), 4, {"payload_length", "call_id", "sequence_number", "acknowledgment_number"}),
        (gre(LCP, 5, 6, 7), 5, {"payload_length", "call_id", "sequence_number", "acknowledgment_number"}),
        # on the wire the length comes first, in the table the call id
        (gre(LCP, 5, 6, 7), 6, {"call_id", "sequence_number", "acknowledgment_number"}),
        (gre(LCP, 5, 6, 7), 7, {"call_id", "sequence_number", "acknowledgment_number"}),
        (gre(LCP, 5, 6, 7), 8, {"sequence_number", "acknowledgment_number"}),
        (gre(LCP, 5, 6, 7), 11, {"sequence_number", "acknowledgment_number"}),
        (gre(LCP, 5, 6, 7), 12, {"acknowledgment_number"}),
        (gre(LCP, 5, 6, 7), 15, {"acknowledgment_number"}),
        # a 0 in front of what is not 0 was seen
        (gre(b"", 5, None, 7), 8, {"sequence_number", "acknowledgment_number"}),
        (gre(LCP, 0, 6, 7), 12, {"acknowledgment_number"}),
        (gre(b"", 0, 6, 7), 12, {"acknowledgment_number"}),
        # a 0 behind which are only zeros may have been cut
        (gre(LCP, 0, 6, 7), 8, {"call_id", "sequence_number", "acknowledgment_number"}),
        (gre(LCP, 5, 0, 7), 12, {"sequence_number", "acknowledgment_number"}),
        (gre(LCP, 0, 0, 7), 12, {"call_id", "sequence_number", "acknowledgment_number"}),
        (gre(b"", 0, 0, 7), 12, {"payload_length", "call_id", "sequence_number", "acknowledgment_number"}),
        # the first two octets are always there
        (gre(b"", 0, flags=0x1081), 8, {"payload_length", "call_id", "sequence_number", "acknowledgment_number"}),
    ],
)
def test_headers_that_are_cut(engine, octets, captured, expected):
    frame = gre_frame(octets)
    assert missing(pcap([cut(frame, 34 + captured)]), "gre", engine) == [expected | CUT_HEADER]
    # so they are where the packet itself ends there
    assert missing(pcap([gre_frame(octets[:captured])]), "gre", engine) == [expected | CUT_HEADER]


# ---- PPP


def control_packet(text: str, captured: int | None = None) -> bytes:
    frame = gre_frame(gre(octets(text), sequence=1))
    return pcap([frame if captured is None else cut(frame, 46 + captured)])


@pytest.mark.parametrize(
    ("text", "captured", "expected"),
    [
        ("c021 09010008 a1b2c3d4", 2, {"code", "identifier", "length"}),
        ("c021 09010008 a1b2c3d4", 3, {"identifier", "length"}),
        ("c021 09010008 a1b2c3d4", 4, {"length"}),
        ("c021 09010008 a1b2c3d4", 5, {"length"}),
        ("c021 09010008 a1b2c3d4", 6, set()),
        ("c021 09010008 a1b2c3d4", None, set()),
        ("c021 09000004", None, set()),
        # the packet itself ends in its head
        ("c021", None, {"code", "identifier", "length"}),
        ("c021 01", None, {"identifier", "length"}),
        ("c021 0101", None, {"length"}),
        ("c021 0000", None, {"length"}),
        ("c021 010100", None, {"length"}),
        # a length that none can be was seen all the same, and so was what is in front of it
        ("c021 01010003", None, set()),
        ("c021 01010002", None, set()),
        ("c021 01010001", None, set()),
        ("c021 01010000", None, set()),
        ("c021 01010000 01040578", None, set()),
        ("c021 0101ffff", None, set()),
        # a link quality report has no head
        ("c025 0102030405060708", None, {"code", "identifier", "length"}),
        ("003d c0000001 c021 09010008 a1b2c3d4", None, set()),
        ("003d c0000001 c021 09010008 a1b2c3d4", 9, {"identifier", "length"}),
    ],
)
def test_heads_of_ppp(engine, text, captured, expected):
    assert missing(control_packet(text, captured), "ppp", engine) == [expected]


def test_options_without_data(engine):
    data = control_packet("c021 01010012 0702 01040000 0802 0d03 00 1203ff")
    assert missing(data, "ppp_options", engine) == [{"value"}, set(), {"value"}, set(), set()]


# ---- connections

SAID = ("protocol_version", "firmware_revision", "host_name", "vendor_name")
INITIATOR = {f"initiator_{name}" for name in SAID}
RESPONDER = {f"responder_{name}" for name in SAID}
RESULT = {"result_code", "error_code"}


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        (b"", b"", INITIATOR | RESPONDER | RESULT),
        (SCCRQ, b"", RESPONDER | RESULT),
        (b"", SCCRP, INITIATOR),
        (SCCRQ, SCCRP, set()),
        # who answers a request with a request has said who it is, and no result
        (SCCRQ, SCCRQ, RESULT),
        # zeros were said
        (SCCRQ[:12] + bytes(144), SCCRP[:12] + bytes(144), set()),
    ],
)
def test_what_sides_of_a_connection_said(engine, client, server, expected):
    talk = Session()
    for side, message in enumerate((client, server)):
        if message:
            talk.say(side, message)
    echoes = {f"{side}_echo_rtt_{name}_ns" for side in ("initiator", "responder") for name in ("min", "mean")}
    assert missing(talk.pcap(), "connections", engine) == [expected | echoes | LAYERS | {"end_packet"}]


# ---- tunnels

# Nothing is kept apart.
LAYERS = {"vlan", "inner_vlan", "network_id"}
SEQUENCES = {"first_sequence", "last_sequence"}
TRIPS = {"ack_delay_min_ns", "ack_delay_mean_ns"}


def test_tunnels(engine):
    talk = Session().outgoing(0x11, 0x22)
    # packets are timed where their tunnel has a partner, so the second one is
    talk.client_sends(0x22, 0).server_sends(0x11, None, 0)
    # it is acknowledged in the same nanosecond: a delay of 0 is one
    talk.client_sends(0x22, 1).after(20).server_sends(0x11, None, 1).after(20)
    assert missing(talk.pcap(), "tunnels", engine) == [LAYERS, LAYERS | SEQUENCES | TRIPS]
    of_pac = {f"pac_{name}" for name in SEQUENCES | TRIPS}
    assert missing(talk.pcap(), "calls", engine)[0] & both(*SEQUENCES, *TRIPS) == of_pac
    # nobody acknowledges these
    talk = Session(begins=False).client_sends(0x22, 0).client_sends(0x22, 1)
    assert missing(talk.pcap(), "tunnels", engine) == [LAYERS | TRIPS]


# ---- calls

# What nobody agreed on, and what is known from tunnels.
LINK = both("mru", "mppe_bits", "ip_compression", "ipv4", "interface_identifier", "terminate_reason", "name")
LINK |= both("authentication_error", "eap_method") | {"mru", "mppe_bits"}
FLOWS = both(
    *("first_sequence", "last_sequence", "ack_delay_min_ns", "ack_delay_mean_ns", "tunnel"),
    *("echo_rtt_min_ns", "echo_rtt_mean_ns"),
)
REPLY = {"reply_message", "result_code", "error_code", "cause_code"}
DISCONNECT = {"disconnect_message", "disconnect_result_code", "disconnect_error_code", "disconnect_cause_code"}
END = DISCONNECT | {"end_packet"}
CALLS = {
    "a request": (lambda: Session().client_says(outgoing_request(0, 0)), LINK | FLOWS | REPLY | END | {"pac_call_id"}),
    # it tells both ids, and a result of zeros
    "a reply": (
        lambda: Session().server_says(outgoing_reply(0, 0)),
        LINK | FLOWS | END | {"request_message", "call_serial_number"},
    ),
    # the id of a refusal means nothing
    "refused": (
        lambda: Session().client_says(outgoing_request(7, 0)).server_says(outgoing_reply(9, 7, result=0)),
        LINK | FLOWS | DISCONNECT | {"pac_call_id"},
    ),
    # a reply to a caller has no cause
    "incoming": (
        lambda: Session().server_says(incoming_request(9, 0)).client_says(incoming_reply(7, 9)),
        LINK | FLOWS | END | {"cause_code"},
    ),
    "ended": (lambda: Session().outgoing(7, 9).server_says(disconnect(9, result=0)), LINK | FLOWS),
    "no control": (
        lambda: Session(begins=False).client_sends(0, 0),
        (LINK | FLOWS | REPLY | END | {"connection", "request_message", "pns_call_id", "call_serial_number"})
        - {"pns_tunnel", "pns_first_sequence", "pns_last_sequence"},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_half_seen_calls(engine, name):
    make, expected = CALLS[name]
    assert missing(make().pcap(), "calls", engine) == [expected]


def agreed(engine: EngineName, *texts: tuple[int, str], **more) -> set[str]:
    """What of the link was not seen, where these packets were."""
    (names,) = missing(pcap(packets(*texts)), "calls", engine, **more)
    return names & LINK


@pytest.mark.parametrize(
    ("texts", "seen"),
    [
        ([(PAC, packet("c021", 2, "01040578"))], {"pns_mru", "mru"}),
        ([(PNS, packet("c021", 2, "01040578"))], {"pac_mru", "mru"}),
        ([(PNS, packet("c021", 2, "01040000"))], set()),
        ([(PNS, packet("80fd", 2, "120600000040"))], {"pns_mppe_bits", "mppe_bits"}),
        ([(PAC, packet("80fd", 2, "120600000040"))], {"pac_mppe_bits", "mppe_bits"}),
        ([(PNS, packet("8021", 2, "0206002d0f01"))], {"pns_ip_compression"}),
        ([(PAC, packet("8021", 2, "0306c0a80001"))], {"pns_ipv4"}),
        # an address of four zeros that was acknowledged is not all 0: it stands as ::ffff:0.0.0.0
        ([(PNS, packet("8021", 2, "030600000000"))], {"pac_ipv4"}),
        ([(PAC, packet("8057", 2, "010a0000000000000001"))], {"pns_interface_identifier"}),
        ([(PNS, packet("8057", 2, "010a0000000000000000"))], set()),
        ([(PAC, packet("c223", 4, "453d363931"))], {"pns_authentication_error"}),
        ([(PNS, packet("c223", 4, "453d30"))], set()),
        ([(PNS, packet("c227", 2, "04"))], {"pns_eap_method"}),
        ([(PNS, packet("c021", 5, "627965"))], {"pns_terminate_reason"}),
        # a reason without any octet was given
        ([(PAC, packet("c021", 5))], {"pac_terminate_reason"}),
    ],
)
def test_what_a_link_agreed_on(engine, texts, seen):
    assert agreed(engine, *texts) == LINK - seen


def test_names_where_they_were_asked_for(engine):
    login = (PNS, packet("c023", 1, "05 616c696365 02 7077"))
    assert agreed(engine, login) == LINK
    assert agreed(engine, login, identities=True) == LINK - {"pns_name"}

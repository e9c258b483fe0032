"""Real captures against an independent walk: those of the lab, and those of others where they lie beside the repository."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from captures import NOT_OURS, PUBLIC, WALKED, walked
from helpers import TYPES, Decoded, EngineName, column, decode, names_of

pytestmark = pytest.mark.slow

FILES = [*WALKED, *PUBLIC]

# Where the walk and the decoder differ by definition: file, what differs, why.  An entry that no longer holds fails.
DIFFERENCES: dict[tuple[str, str], str] = {
    ("CERTCC+PoC-Exploits__cve-2020-8597-pptpd__gre-samples.pcap", "tunnels"): (
        "both packets have a payload and S clear; the walk adds up every payload, the table those of packets with S, "
        "as its column says"
    ),
}

# Both ends of a call: the walk reassembles the copies of fragments too, which the decoder drops (decoding 4.7).
COPIED = "loss5_reorder_dup.merged_both_ends.pcapng"


def test_there_is_something_to_compare():
    assert len(WALKED) == 69


def test_captures_of_others_are_there():
    if not PUBLIC:
        pytest.skip(NOT_OURS)
    assert len(PUBLIC) == 14


@cache
def expected(capture: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(walked(capture + ".ref.json").read_text())
    if capture == COPIED:
        leave_out_copies(told)
    return told


def leave_out_copies(told: dict[str, Any]) -> None:
    """Of packets that came in fragments, those of more than 1,480 octets, keep the first of each number."""
    seen, kept = set(), []
    for row in told["gre"]:
        key = (row["src"], row.get("seq"))
        if row["hl"] + row["plen"] > 1480 and key in seen:
            flow = next(flow for flow in told["gre_summary"] if flow["src"] == row["src"])
            side = told["calls"][row["ci"]]["from_pns" if row["from_pns"] else "from_pac"]
            for of_all, name, less in (
                (told["counts"], "datagrams_reassembled", 1),
                (flow, "with_sequence", 1),
                (flow, "payload_octets", row["plen"]),
                (side, "packets", 1),
                (side, "payload_octets", row["plen"]),
                (side, "duplicates", 1),
                (side["ppp_protocols"], f"{row['ppp']:04x}", 1),
            ):
                of_all[name] -= less
        else:
            kept.append(row)
            seen.add(key)
    assert len(told["gre"]) - len(kept) > 150
    told["gre"] = kept


@cache
def decoded(capture: str, engine: EngineName) -> Decoded:
    return decode(walked(capture), engine)


def differs(capture: str, what: str, one: object, other: object) -> None:
    """Equal, or listed as different and different."""
    if (capture, what) in DIFFERENCES:
        assert one != other, f"{capture}: {what} is listed as different and is not"
    else:
        assert one == other, f"{capture}: {what}"


# ---- messages

# Offsets and octets of each field behind the header, typed from the specification, by control message type.
FIELDS = {
    1: "protocol_version:2 reserved1:2 framing_capabilities:4 bearer_capabilities:4 maximum_channels:2 "
    "firmware_revision:2 host_name:64 vendor_name:64",
    2: "protocol_version:2 result_code:1 error_code:1 framing_capabilities:4 bearer_capabilities:4 maximum_channels:2 "
    "firmware_revision:2 host_name:64 vendor_name:64",
    3: "reason:1 reserved1:1 reserved2:2",
    4: "result_code:1 error_code:1 reserved1:2",
    5: "identifier:4",
    6: "identifier:4 result_code:1 error_code:1 reserved1:2",
    7: "call_id:2 call_serial_number:2 minimum_bps:4 maximum_bps:4 bearer_type:4 framing_type:4 "
    "packet_recv_window_size:2 packet_processing_delay:2 phone_number_length:2 reserved1:2 phone_number:64 "
    "subaddress:64",
    8: "call_id:2 peer_call_id:2 result_code:1 error_code:1 cause_code:2 connect_speed:4 packet_recv_window_size:2 "
    "packet_processing_delay:2 physical_channel_id:4",
    9: "call_id:2 call_serial_number:2 bearer_type:4 physical_channel_id:4 dialed_number_length:2 "
    "dialing_number_length:2 dialed_number:64 dialing_number:64 subaddress:64",
    10: "call_id:2 peer_call_id:2 result_code:1 error_code:1 packet_recv_window_size:2 packet_transmit_delay:2 "
    "reserved1:2",
    11: "peer_call_id:2 reserved1:2 connect_speed:4 packet_recv_window_size:2 packet_transmit_delay:2 framing_type:4",
    12: "call_id:2 reserved1:2",
    13: "call_id:2 result_code:1 error_code:1 cause_code:2 reserved1:2 call_statistics:128",
    14: "peer_call_id:2 reserved1:2 crc_errors:4 framing_errors:4 hardware_overruns:4 buffer_overruns:4 "
    "time_out_errors:4 alignment_errors:4",
    15: "peer_call_id:2 reserved1:2 send_accm:4 receive_accm:4",
}
HEADER = "length:2 message_type:2 magic_cookie:4 control_message_type:2 reserved0:2 "


def fields_of(kind: int, octets: bytes) -> dict[str, int | bytes]:
    """Every field of a message of which `octets` are known; a number that is not wholly there is 0."""
    values: dict[str, int | bytes] = {}
    position = 0
    for part in (HEADER + FIELDS[kind]).split():
        name, width = part.split(":")
        known = octets[position : position + int(width)]
        if int(width) > 4:
            values[name] = known.rstrip(b"\0")
        else:
            values[name] = int.from_bytes(known, "big") if len(known) == int(width) else 0
        position += int(width)
    return values


@pytest.mark.parametrize("capture", FILES)
def test_messages(engine, capture):
    got, reference = decoded(capture, engine), expected(capture)
    rows = got["messages"]
    found, sought = [], []
    for row in rows:
        kind, place = int(row["control_message_type"]), int(row["row"])
        values = {}
        if place >= 0:
            table = got[TYPES[kind - 1]]
            values = {name: table[name][place].item() for name in names_of(table) if name != "message"}
        facts = (row["packet"], row["time"].astype("i8"), row["connection"], row["from_initiator"], row["segments"])
        found.append((*(int(fact) for fact in facts), kind, int(row["length"]), int(row["available"]), values))
    for message in reference["messages"]:
        octets = bytes.fromhex(message["hex"])
        names = ("frame_completing", "time", "connection", "from_initiator", "frames", "type", "length")
        values = fields_of(message["type"], octets) if 1 <= message["type"] <= 15 else {}
        sought.append((*(int(message[name]) for name in names), len(octets), values))
    differs(capture, "messages", found, sought)


# ---- GRE

GRE_COLUMNS = (
    "packet",
    "time",
    "flags_and_version",
    "payload_length",
    "call_id",
    "sequence_number",
    "acknowledgment_number",
    "available",
    "ppp_protocol",
)


@pytest.mark.parametrize("capture", FILES)
def test_gre(engine, capture):
    got, reference = decoded(capture, engine), expected(capture)
    found = list(zip(*(column(got, "gre", name) for name in GRE_COLUMNS), strict=True))
    sought = [
        (
            row["n"],
            row["t"],
            int(row["raw"][:4], 16),
            row["plen"],
            row["call"],
            row.get("seq", 0),
            row.get("ack", 0),
            row["avail"],
            row.get("ppp", 0),
        )
        for row in reference["gre"]
        if row["proto"] == 0x880B and row["ver"] == 1
    ]
    differs(capture, "gre", found, sought)
    sources = [bytes(row).hex() for row in got["tunnels"]["source"][got["gre"]["tunnel"]]]
    addresses = [row["src"] for row in reference["gre"] if row["proto"] == 0x880B and row["ver"] == 1]
    differs(capture, "sources", sources, [text if len(text) == 32 else "0" * 20 + "ffff" + text for text in addresses])
    assert reference["gre_short"] == []  # else rows with a cut header would have to be told apart


@pytest.mark.parametrize("capture", FILES)
def test_tunnels(engine, capture):
    got, reference = decoded(capture, engine), expected(capture)
    found = [
        (
            int(row["call_id"]),
            int(row["packets"]),
            int(row["acks"]),
            int(row["payload_octets"]),
            int(row["first_packet"]),
            int(row["last_packet"]),
        )
        for row in got["tunnels"]
    ]
    names = ("call", "with_sequence", "ack_only", "payload_octets", "first_frame", "last_frame")
    sought = [tuple(row[name] for name in names) for row in reference["gre_summary"]]
    differs(capture, "tunnels", sorted(found), sorted(sought))


# ---- connections


def text(address: Any) -> str:
    octets = bytes(address)
    return ".".join(map(str, octets[12:])) if octets[:12] == bytes(10) + b"\xff\xff" else octets.hex()


@pytest.mark.parametrize("capture", FILES)
def test_connections(engine, capture):
    got, reference = decoded(capture, engine), expected(capture)
    found, sought = [], []
    for number, row in enumerate(got["connections"]):
        own = got["messages"][got["messages"]["connection"] == number]
        by_type: dict[str, int] = {}
        for kind in own["control_message_type"].tolist():
            by_type[str(kind)] = by_type.get(str(kind), 0) + 1
        end = {1: "FIN", 2: "RST"}.get(int(row["end"]))
        found.append(
            (
                text(row["initiator_address"]),
                int(row["initiator_port"]),
                text(row["responder_address"]),
                int(row["responder_port"]),
                int(row["first_packet"]),
                int(row["last_packet"]),
                int(row["first_time"].astype("i8")),
                int(row["last_time"].astype("i8")),
                not row["midstream"],
                by_type,
                tuple(
                    int(row[f"{side}_{name}"])
                    for side in ("initiator", "responder")
                    for name in ("segments", "data_segments", "octets")
                ),
                end and (end, bool(row["end_from_initiator"])),
            )
        )
    for one in reference["connections"]:
        sides = (one["tcp_from_initiator"], one["tcp_from_responder"])
        counts = tuple(side.get(name, 0) for side in sides for name in ("segments", "data_segments", "octets"))
        first = one["closed"][0] if one["closed"] else None
        sought.append(
            (
                one["initiator"],
                one["initiator_port"],
                one["responder"],
                one["responder_port"],
                one["first_frame"],
                one["last_frame"],
                one["first_time"],
                one["last_time"],
                one["syn_seen"],
                one["by_type"],
                counts,
                first and (first["by"], first["from_initiator"]),
            )
        )
    differs(capture, "connections", found, sought)


@pytest.mark.parametrize("capture", FILES)
def test_counters(engine, capture):
    got, reference = decoded(capture, engine), expected(capture)["counts"]
    pairs = {
        "packets": "frames",
        "control_segments": "tcp1723_segments",
        "datagrams_reassembled": "datagrams_reassembled",
        "unsupported_link": "unsupported_link",
    }
    found = {name: got.counters[name] for name in pairs}
    differs(capture, "counters", found, {name: reference[other] for name, other in pairs.items()})
    assert got.damaged == bool(expected(capture)["notes"])


@pytest.mark.skipif(not PUBLIC, reason=NOT_OURS)
def test_every_difference_is_of_a_file_that_is_there():
    assert {name for name, _ in DIFFERENCES} <= set(PUBLIC)

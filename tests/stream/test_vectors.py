"""The specification's test vectors: each gives each field, exactly, on each engine."""

from __future__ import annotations

import numpy as np
import pytest
from builder import CLIENT, RAW, SERVER, TIME_STEP, Conversation, gre_frame, ipv4, pcap, time_of
from helpers import TYPES, column, decode, issues, names_of, nanoseconds, only, statuses
from vectors import CONTROL, CONTROL_HEX, GRE, HEADER_VALUES

CONTROL_NAMES = [name for _, name, _, _, _ in CONTROL]


@pytest.mark.parametrize(("kind", "name", "length", "text", "fields"), CONTROL, ids=CONTROL_NAMES)
def test_control_vector(engine, kind, name, length, text, fields):
    octets = bytes.fromhex(text)
    assert len(octets) == length
    talk = Conversation().handshake().client(0, octets)
    got = decode(talk.pcap(), engine)
    row = got["messages"][0]
    header = {"length": length, "control_message_type": kind} | HEADER_VALUES
    assert {field: int(row[field]) for field in header} == header
    assert (row["available"], row["segments"], row["status"], row["row"], row["connection"]) == (length, 1, 0, 0, 0)
    assert (row["packet"], row["file"], bool(row["from_initiator"])) == (4, 0, True)
    assert row["time"] == nanoseconds(time_of(4))
    # three records of handshake: 16 of record header, 14 + 20 + 20 of packet
    assert row["record_offset"] == 24 + 3 * (16 + 54)
    for table in TYPES:
        assert len(got[table]) == (1 if table == name else 0), table
    assert set(names_of(got[name])) == {"message", *header, *fields}
    expected = {"message": 0} | header | fields
    assert {column: got[name][0][column].item() for column in expected} == expected
    # These speak of a call, and nothing tells of one.
    unknown = fields.get("peer_call_id", fields.get("call_id")) if kind >= 11 else None
    assert issues(got) == ([] if unknown is None else [(4, "CONTROL", "UNKNOWN_CALL", 0, unknown)])


def test_all_control_vectors_in_one_stream(engine):
    """Answers and questions in turn: tables and their rows stay tied to `messages`."""
    talk = Conversation().handshake()
    positions = [0, 0]
    for kind in CONTROL_HEX:
        octets = CONTROL_HEX[kind]
        for repeat in range(2):
            side = (kind + repeat) % 2
            talk.add(side, positions[side], octets)
            positions[side] += len(octets)
    got = decode(talk.pcap(), engine)
    assert column(got, "messages", "control_message_type") == [kind for kind in range(1, 16) for _ in range(2)]
    assert column(got, "messages", "from_initiator") == [
        (kind + repeat) % 2 == 0 for kind in range(1, 16) for repeat in range(2)
    ]
    assert column(got, "messages", "packet") == list(range(4, 34))
    for kind, name, _, _, fields in CONTROL:
        rows = got[name]
        assert rows["message"].tolist() == [2 * kind - 2, 2 * kind - 1]
        assert got["messages"]["row"][rows["message"]].tolist() == [0, 1]
        for field, value in fields.items():
            assert rows[field].tolist() == [value, value], field
    assert len(got["issues"]) == 0


@pytest.mark.parametrize(
    ("text", "word", "payload_length", "call_id", "sequence", "acknowledgment", "protocol"),
    [vector[1:] for vector in GRE],
    ids=[vector[0] for vector in GRE],
)
def test_gre_vector(engine, text, word, payload_length, call_id, sequence, acknowledgment, protocol):
    got = decode(pcap([gre_frame(bytes.fromhex(text))]), engine)
    assert len(got["gre"]) == 1
    expected = {
        "file": 0,
        "packet": 1,
        "record_offset": 24,
        "flags_and_version": word,
        "call_id": call_id,
        "payload_length": payload_length,
        "sequence_number": sequence,
        "acknowledgment_number": acknowledgment,
        "ppp_protocol": protocol,
        "available": payload_length,
        "tunnel": 0,
        "skipped": 0,
        "status": 0,
    }
    row = got["gre"][0]
    assert {name: int(row[name]) for name in expected} == expected
    assert row["time"] == nanoseconds(time_of(1))
    assert set(row.dtype.names) == {"time", *expected}
    assert len(got["issues"]) == 0
    only(got, gre_packets=1)


def test_all_gre_vectors_in_one_capture(engine):
    """Two call ids toward one server: two tunnels, numbered at first sight, and what each carried."""
    packets = [ipv4(bytes.fromhex(vector[1]), 47) for vector in GRE]
    got = decode(pcap(packets, link=RAW), engine)
    assert column(got, "gre", "tunnel") == [0, 1, 0, 0, 0, 0, 1]
    for place, name in enumerate(("flags_and_version", "payload_length", "call_id"), 2):
        assert column(got, "gre", name) == [vector[place] for vector in GRE]
    tunnels = got["tunnels"]
    assert tunnels["call_id"].tolist() == [0x2222, 0x1111]
    assert tunnels["source"].tolist() == [[0] * 10 + [255, 255, *CLIENT]] * 2
    assert tunnels["destination"].tolist() == [[0] * 10 + [255, 255, *SERVER]] * 2
    assert tunnels["first_packet"].tolist() == [1, 2]
    assert tunnels["last_packet"].tolist() == [6, 7]
    assert tunnels["packets"].tolist() == [4, 2]
    assert tunnels["payload_octets"].tolist() == [33 + 29 + 18 + 7, 12 + 12]
    assert tunnels["acks"].tolist() == [1, 0]
    assert tunnels["first_sequence"].tolist() == [0, 5]
    assert tunnels["last_sequence"].tolist() == [8, 9]
    assert tunnels["last_time"][1] - tunnels["first_time"][1] == np.timedelta64(5 * TIME_STEP, "ns")
    assert statuses(got, "gre") == [set()] * 7

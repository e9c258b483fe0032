"""Captures of other tools and other walks of the same pcapng files; skipped where the shared captures are not there.

Each ``.ref.json`` is an independent walk. In ``robustness`` another tool's count of packets stands beside each file.
"""

from __future__ import annotations

import csv
import ipaddress
import json

import numpy as np
import pytest
from helpers import MODULES, SHARED, TYPES, decode, same

import pptpcap
from pptpcap.schema import TABLE_NAMES

ROBUSTNESS = SHARED / "robustness"
REFERENCED = sorted(path for folder in ("lab", "public") for path in (SHARED / folder).glob("*.pcapng"))
FILES = sorted(ROBUSTNESS.glob("*"))
GENERATOR = "hadrielk+pcapng-test-generator__output_{order}__{kind}__test{number}.pcapng"

needs_captures = pytest.mark.skipif(not FILES, reason="the shared captures are not there")

# Enhanced and Simple Packet Blocks of each file of pcapng-test-generator, either byte order.
GENERATED = {
    "basic": {
        "001": 4,
        "002": 0,
        "003": 0,
        "004": 4,
        "005": 4,
        "006": 5,
        "007": 1,
        "008": 4,
        "009": 2,
        "010": 4,
        "011": 4,
        "012": 4,
        "013": 0,
        "015": 0,
        "016": 4,
        "017": 0,
    },
    "advanced": {"100": 5, "101": 4, "102": 5},
    "difficult": {"201": 4, "202": 8},
}

# Where this library counts otherwise than the other tool, and why.
COUNTS = {
    # a section of another major version ends the walk
    "gopacket+gopacket__pcapgo__tests__be__test901.pcapng": 1,
    "gopacket+gopacket__pcapgo__tests__le__test901.pcapng": 1,
    "the-tcpdump-group+libpcap__pcapng-invalid-vers-1.pcapng": 0,
    # the two lengths of its blocks differ
    "the-tcpdump-group+libpcap__shb-option-too-long.pcapng": 0,
}


def address(value: str) -> list[int]:
    parsed = ipaddress.ip_address(bytes.fromhex(value) if "." not in value and ":" not in value else value)
    mapped = parsed if parsed.version == 6 else ipaddress.IPv6Address(f"::ffff:{parsed}")
    return list(mapped.packed)


def contents(row: np.void) -> bytes:
    """The message as it was on the wire, from the fields of its row."""
    parts = []
    for name in row.dtype.names[1:]:
        kind, value = row.dtype[name], row[name]
        text = kind.kind == "S"
        parts.append(bytes(value).ljust(kind.itemsize, b"\0") if text else int(value).to_bytes(kind.itemsize, "big"))
    return b"".join(parts)


# ---- independent walks


def test_captures_are_there():
    if FILES:
        assert len(REFERENCED) == 7
        assert len(FILES) == 1335


@pytest.mark.parametrize("path", REFERENCED, ids=lambda path: path.name[:40])
def test_messages(engine, path):
    expected = json.loads(path.with_name(path.name + ".ref.json").read_text())
    got = decode(path, engine)
    rows = got["messages"]
    assert len(rows) == len(expected["messages"])
    assert not expected["messages_cut"]
    for row, wanted in zip(rows, expected["messages"], strict=True):
        assert contents(got[TYPES[row["control_message_type"] - 1]][row["row"]]).hex() == wanted["hex"]
        assert (row["packet"], row["connection"], row["segments"], row["time"].astype("i8")) == (
            wanted["frame_completing"],
            wanted["connection"],
            wanted["frames"],
            wanted["time"],
        )
        connection = got["connections"][row["connection"]]
        sides = ("initiator", "responder") if row["from_initiator"] else ("responder", "initiator")
        assert bool(row["from_initiator"]) == wanted["from_initiator"]
        for side, (host, port) in zip(sides, (("src", "sport"), ("dst", "dport")), strict=True):
            assert connection[f"{side}_address"].tolist() == address(wanted[host])
            assert connection[f"{side}_port"] == wanted[port]
    assert not (rows["status"] & ~np.uint16(0x4100)).any()  # of fragments and wrong checksums there are some


@pytest.mark.parametrize("path", REFERENCED, ids=lambda path: path.name[:40])
def test_gre(engine, path):
    expected = json.loads(path.with_name(path.name + ".ref.json").read_text())
    got = decode(path, engine)
    rows = got["gre"]
    assert not expected["gre_short"]
    wanted = expected["gre"]
    assert len(rows) == len(wanted)
    for name, key in (
        ("packet", "n"),
        ("time", "t"),
        ("payload_length", "plen"),
        ("call_id", "call"),
        ("sequence_number", "seq"),
        ("acknowledgment_number", "ack"),
        ("available", "avail"),
        ("ppp_protocol", "ppp"),
    ):
        assert rows[name].astype("i8").tolist() == [row.get(key, 0) for row in wanted], name
    assert rows["flags_and_version"].tolist() == [int(row["raw"][:4], 16) for row in wanted]
    for name, key in (("source", "src"), ("destination", "dst")):
        assert got["tunnels"][name][rows["tunnel"]].tolist() == [address(row[key]) for row in wanted]
    counts = expected["counts"]
    assert got.counters["packets"] == counts["frames"]
    assert got.counters["not_ip"] == counts["no_ip"]
    assert got.counters["unsupported_link"] == counts["unsupported_link"]
    assert got.counters["control_segments"] == counts["tcp1723_segments"]
    assert got.counters["fragments"] == counts["ip_fragments"]
    assert got.counters["datagrams_reassembled"] == counts["datagrams_reassembled"]


@pytest.mark.parametrize("path", REFERENCED, ids=lambda path: path.name[:40])
def test_connections(engine, path):
    expected = json.loads(path.with_name(path.name + ".ref.json").read_text())["connections"]
    rows = decode(path, engine)["connections"]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        for side in ("initiator", "responder"):
            assert row[f"{side}_address"].tolist() == address(wanted[side])
            assert row[f"{side}_port"] == wanted[f"{side}_port"]
            sent = wanted[f"tcp_from_{side}"]
            assert row[f"{side}_segments"] == sent.get("segments", 0)
            assert row[f"{side}_data_segments"] == sent.get("data_segments", 0)
            assert row[f"{side}_octets"] == sent.get("octets", 0)
        assert bool(row["midstream"]) != wanted["syn_seen"]
        assert (row["first_packet"], row["last_packet"]) == (wanted["first_frame"], wanted["last_frame"])
        assert row["first_time"].astype("i8") == wanted["first_time"]
        assert row["last_time"].astype("i8") == wanted["last_time"]
        assert row["initiator_messages"] + row["responder_messages"] == wanted["messages"]
        closed = wanted["closed"]
        assert row["end"] == ({"FIN": 1, "RST": 2}[closed[0]["by"]] if closed else 0)
        if closed:
            assert bool(row["end_from_initiator"]) == closed[0]["from_initiator"]


@needs_captures
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fmt_usec.pcap", "fmt_usec.editcap.pcapng"),
        ("fmt_nsec.pcap", "fmt_nsec.editcap.pcapng"),
        ("fmt_usec.pcap", "fmt_usec.bigendian.pcap"),
    ],
)
def test_one_capture_in_two_formats(engine, one, other):
    """Equal in all but where the records stand in the file."""
    first, second = (decode(SHARED / "lab" / name, engine) for name in (one, other))
    assert len(first["gre"]) == 385
    assert first.counters == second.counters
    for table in TABLE_NAMES:
        for column in set(first[table].dtype.names) - {"record_offset"}:
            assert first[table][column].tobytes() == second[table][column].tobytes(), (table, column)


# ---- pcapng-test-generator


@needs_captures
@pytest.mark.parametrize("kind", GENERATED)
def test_generated_files(engine, kind):
    """Packets are Enhanced and Simple Packet Blocks; both byte orders of one test give the same rows."""
    seen = 0
    for number, packets in GENERATED[kind].items():
        names = [GENERATOR.format(order=order, kind=kind, number=number) for order in ("be", "le")]
        found = [decode(ROBUSTNESS / name, engine) for name in names if (ROBUSTNESS / name).exists()]
        assert found, number
        for got in found:
            assert got.counters["packets"] == packets, number
            assert not got.damaged
            assert set(got["issues"]["kind"].tolist()) <= {22, 11}, number
        if len(found) == 2:
            same(*found, f"test{number}")
        seen += len(found)
    assert seen == {"basic": 22, "advanced": 3, "difficult": 3}[kind]


# ---- everybody's captures


@needs_captures
@pytest.mark.parametrize("part", range(5))
def test_robustness(part):
    """Both engines read the same of each file, or refuse it in the same words; the packets are as many as another tool counts."""
    with open(SHARED / "robustness.tsv", encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    refused = 0
    for path in FILES[part::5]:
        found = []
        for engine in MODULES:
            try:
                found.append(decode(path, engine))
            except pptpcap.CaptureError as error:
                found.append(str(error))
        if any(isinstance(one, str) for one in found):
            assert found[0] == found[1], path.name
            assert "version" in rows[path.name]["note"], path.name
            refused += 1
            continue
        same(*found, path.name)
        assert found[0].counters["packets"] == COUNTS.get(path.name, int(rows[path.name]["packets"])), path.name
    assert refused <= 5

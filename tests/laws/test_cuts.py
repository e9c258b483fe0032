"""Every bundled capture cut at each octet, and at each snap length: rows are those of what is left."""

from __future__ import annotations

import importlib
import struct
from collections import Counter

import numpy as np
import pytest
from builder import pcap
from helpers import (
    BUNDLED,
    ENGINES,
    MODULES,
    TYPES,
    Decoded,
    consistent,
    container_of,
    decode,
    drive,
    issues,
    names_of,
    same,
)
from scripts import records

import pptpcap
from pptpcap.wire.limits import DEFAULT

pytestmark = pytest.mark.slow

IDS = [path.stem for path in BUNDLED]


def boundaries(data: bytes) -> list[int]:
    """Where records end."""
    ends: list[int] = np.cumsum([24, *(16 + len(record[4]) for record in records(data))]).tolist()
    return ends


@pytest.mark.parametrize("path", BUNDLED, ids=IDS)
def test_cut_at_each_octet(path):
    """The compiled engine, down to the protocol for speed; the twins at boundaries and at a stride.

    In the first records of each length at each octet; in others at each octet of the header, and behind it at some.
    """
    data = path.read_bytes()
    whole = drive(data, "compiled")
    engine, container = importlib.import_module(MODULES["compiled"]), container_of(data)
    ends = boundaries(data)
    assert ends[-1] == len(data)
    walked = -1
    lengths = dict(zip(ends, [*np.diff(ends).tolist(), 0], strict=True))
    seen: Counter[int] = Counter()
    # Of long captures not more often: each time all is decoded by both.
    records_apart, octets_apart = max(3, len(ends) // 60), max(101, len(data) // 90 | 1)
    for size in range(24, len(data) + 1):
        if size in lengths:
            seen[lengths[size]] += 1
            header, at_each = size + 17, seen[lengths[size]] <= 2
        if not (at_each or size <= header or size % 7 == 0 or size % octets_apart == 0):
            continue
        if walked < 0 or (walked + 1 < len(ends) and size >= ends[walked + 1]):
            walked += 1
            gre, messages = (whole[name][whole[name]["packet"] <= walked].tobytes() for name in ("gre", "messages"))
        assembler = engine.Assembler((1723,), DEFAULT)
        assembler.begin_file()
        assembler.feed(engine.scan_range(data[:size], 24, size, container, (1723,), DEFAULT))
        assembler.finish()
        rows = assembler.take()
        # rows of the packets that are whole, to the bit; what the end let go stands behind them
        assert rows["gre"].tobytes() == gre, size
        assert rows["messages"].tobytes().startswith(messages), size
        assert assembler.counters["packets"] == walked, size
        left = size - ends[walked]
        assert assembler.damaged == (left > 0), size
        if left:
            needed = 16 if left < 16 else 16 + struct.unpack_from("<I", data, ends[walked] + 8)[0]
            container_issues = [issue for issue in issues(rows) if issue[1] == "CONTAINER"]
            assert container_issues == [(walked + 1, "CONTAINER", "TRUNCATED_RECORD", needed, left)], size
        if (left == 0 and walked % records_apart == 0) or size % octets_apart == 0:
            one, other = (drive(data[:size], name) for name in ENGINES)
            same(one, other, f"cut at {size}")
            consistent(one)
            assert one["messages"].tobytes() == rows["messages"].tobytes()
            assert one["issues"].tobytes() == rows["issues"].tobytes()


@pytest.mark.parametrize("path", BUNDLED[:2], ids=IDS[:2])
def test_cut_in_the_header_of_the_file(engine, path):
    """No capture: told with path, offset, what stands there and what should."""
    data = path.read_bytes()
    for size in range(1, 24):
        with pytest.raises(pptpcap.CaptureError) as caught:
            pptpcap.read(data[:size], engine=engine)
        assert caught.value.found
        assert caught.value.expected


TUNNEL_HEADERS = (
    "source destination call_id first_packet last_packet packets payload_octets acks first_sequence last_sequence lost "
    "duplicated reordered"
).split()


@pytest.mark.parametrize("name", ["mss88", "synthetic_scapy_all15"])
def test_each_snap_length(name):
    """Rows do not move with the snap length; what is known shrinks, and the twins agree at each within the headers.

    Headers in front: 14 + 20 + 32 for a control message that begins its segment, 14 + 20 + 16 for GRE.
    """
    (path,) = [path for path in BUNDLED if path.stem == name]
    data = path.read_bytes()
    whole = drive(data, "compiled")
    kept = records(data)
    longest = max(len(record[4]) for record in kept)
    for snap in range(longest + 1):
        made = pcap([])
        for seconds, fraction, captured, original, octets in kept:
            made += struct.pack("<IIII", seconds, fraction, min(snap, captured), original) + octets[:snap]
        compiled = drive(made, "compiled")
        if snap < 100 or snap % 5 == 0:
            same(compiled, drive(made, "reference"), f"snap length {snap}")
        consistent(compiled)
        if snap >= 14 + 20 + 16:
            for column in (
                "flags_and_version",
                "call_id",
                "payload_length",
                "sequence_number",
                "acknowledgment_number",
            ):
                assert (compiled["gre"][column] == whole["gre"][column]).all(), (snap, column)
            assert (compiled["gre"]["available"] <= whole["gre"]["available"]).all()
            # Calls are told by messages, contents by what stands behind the headers.
            for column in TUNNEL_HEADERS:
                assert compiled["tunnels"][column].tobytes() == whole["tunnels"][column].tobytes(), (snap, column)
        if snap >= 14 + 20 + 32 + 12:
            for column in (
                "packet",
                "segments",
                "connection",
                "from_initiator",
                "length",
                "control_message_type",
                "row",
            ):
                assert (compiled["messages"][column] == whole["messages"][column]).all(), (snap, column)
            known_fields_are_right(compiled, whole)


def known_fields_are_right(cut: Decoded, whole: Decoded) -> None:
    """A field is what it is, or 0; a text is what it is, or the beginning of it."""
    for name in TYPES:
        for column in names_of(whole[name]):
            for a, b in zip(cut[name][column].tolist(), whole[name][column].tolist(), strict=True):
                assert a == b or a == 0 or (isinstance(a, bytes) and b.startswith(a)), (name, column)


@pytest.mark.parametrize("path", BUNDLED, ids=IDS)
def test_byte_order_and_resolution_change_no_row(engine, path):
    """The same packets, four ways to write them down."""
    data = path.read_bytes()
    plain = decode(data, engine)
    for order in "<>":
        for scale in (1, 1000):
            made = pcap([], order=order, nanoseconds=scale == 1000)
            for seconds, fraction, captured, original, octets in records(data):
                made += struct.pack(order + "IIII", seconds, fraction * scale, captured, original) + octets
            same(decode(made, engine), plain, f"{order} {scale}")

"""The fuzzers themselves: some inputs of each, and that what is wrong is noticed."""

from __future__ import annotations

import gzip
import zlib

import places
import pytest
from fuzz import bare, growth, guided, mutations
from fuzz.engines import SMALL, Finding, compare, decode, examine
from fuzz.targets import TARGETS, input_of
from helpers import Decoded
from shapes import SHAPES

from pptpcap.wire.limits import DEFAULT, Limits

pytestmark = pytest.mark.slow

# How a connection ended that gave way at a cap.
EVICTED = 4
CAPTURES = sorted(places.CAPTURES.glob("*.pcap"))


@pytest.mark.parametrize("target", TARGETS)
def test_some_inputs(target):
    assert max(examine(input_of(target, 20, number), thorough=number % 4 == 0) for number in range(24)) > 5


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_captures(path):
    examine(path.read_bytes(), thorough=True)


def test_some_mutations():
    for number in range(30):
        examine(mutations.mutation(str(places.CAPTURES), 5, number)[1])


def test_mutations_of_a_compressed_capture_damage_both_sides_of_the_checksum(tmp_path):
    capture = (places.CAPTURES / "killed_server.pcap").read_bytes()
    (tmp_path / "one.pcap.gz").write_bytes(gzip.compress(capture, mtime=0))
    within, without = [], 0
    for number in range(40):
        data = mutations.mutation(str(tmp_path), 1, number)[1]
        try:
            within.append(gzip.decompress(data))
        except (OSError, EOFError, zlib.error):
            without += 1
    assert len([data for data in within if data != capture]) > 5
    assert without > 5


def test_an_input_is_the_same_everywhere():
    assert input_of("gre", 1, 2) == input_of("gre", 1, 2) != input_of("gre", 1, 3)
    assert mutations.mutation(str(places.CAPTURES), 1, 2) == mutations.mutation(str(places.CAPTURES), 1, 2)


def test_a_difference_is_a_finding():
    one, other = (decode("compiled", input_of("frames", 1, number)) for number in (3, 4))
    with pytest.raises(Finding):
        compare(one, other, "two captures")
    with pytest.raises(Finding):
        compare(one, None, "one capture")


@pytest.mark.parametrize("target", guided.TARGETS)
def test_seeds_of_the_guided_search_hold_packets(target, tmp_path):
    guided.write_seeds(target, tmp_path)
    packets = [examine(guided.TARGETS[target](path.read_bytes())) for path in sorted(tmp_path.iterdir())]
    assert max(packets) > 10


def decoded(data: bytes, limits: Limits = DEFAULT) -> Decoded:
    found = decode("compiled", data, limits)
    assert found is not None
    return found


def test_seeds_of_calls_reach_tunnels_every_message_and_the_caps(tmp_path):
    guided.write_seeds("calls", tmp_path)
    inputs = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    tables = [decoded(guided.calls(data)).tables for data in inputs]
    whole = [row for found in tables for row in found["calls"] if min(row["pns_tunnel"], row["pac_tunnel"]) >= 0]
    assert len([row for row in whole if row["connection"] >= 0]) > 5
    assert {kind for found in tables for kind in found["messages"]["control_message_type"]} >= {*range(1, 16)}
    assert len({row["authentication"] for row in whole}) > 4
    small = [decoded(guided.calls(data), SMALL).tables["connections"] for data in inputs]
    assert any((rows["end"] == EVICTED).any() for rows in small)


def test_what_is_said_at_once_is_cut_where_the_first_octet_says(tmp_path):
    guided.write_seeds("calls", tmp_path)
    # Behind the captures, what was typed: of one connection, of three.
    said = (tmp_path / f"seed-{len([*tmp_path.iterdir()]) - 2}").read_bytes()[1:]
    counts = []
    for place in (0, 1, 12, 0x81):
        found = decoded(guided.calls(bytes([place]) + said))
        counts.append((len(found.tables["messages"]), found.counters["packets"]))
    assert len({messages for messages, _ in counts}) == 1 < counts[0][0]
    assert counts[0][1] < counts[1][1] == counts[3][1]


def test_modules_without_the_interpreter_find_each_other():
    translated = (
        "static int (*__pyx_f_7pptpcap_4core_4base_5order_order_first)(struct Order *); /*proto*/\n"
        "static int32_t *__pyx_f_7pptpcap_4core_6relate_5calls_call_of(struct Relations *, int32_t); /*proto*/\n"
        "static CYTHON_INLINE int __pyx_f_7pptpcap_4core_6relate_5calls_field(int); /*proto*/\n"
        "static CYTHON_INLINE int __pyx_f_7pptpcap_4core_4base_5table_find(int); /*proto*/\n"
        "static int32_t *__pyx_f_7pptpcap_4core_6relate_5calls_call_of(struct Relations *state, int32_t number) {\n"
    )
    assert bare.shared(translated, ("relate", "calls")).splitlines() == [
        "int __pyx_f_7pptpcap_4core_4base_5order_order_first(struct Order *);",
        "int32_t *__pyx_f_7pptpcap_4core_6relate_5calls_call_of(struct Relations *, int32_t); /*proto*/",
        "static CYTHON_INLINE int __pyx_f_7pptpcap_4core_6relate_5calls_field(int); /*proto*/",
        "static CYTHON_INLINE int __pyx_f_7pptpcap_4core_4base_5table_find(int); /*proto*/",
        "int32_t *__pyx_f_7pptpcap_4core_6relate_5calls_call_of(struct Relations *state, int32_t number) {",
    ]


def test_inputs_of_the_search_without_the_interpreter_are_captures(tmp_path):
    bare.write_seeds(tmp_path)
    packets: dict[int, list[int]] = {}
    for path in sorted(tmp_path.iterdir())[::9]:
        data = path.read_bytes()
        packets.setdefault(data[0] & 3, []).append(examine(bare.capture_of(data)))
    assert set(packets) == {bare.RECORDS, bare.BLOCKS, bare.FRAMES, bare.CALLS}
    assert min(max(counts) for counts in packets.values()) > 20


def test_lost_octets_of_a_frame_are_not_in_its_capture():
    frame = bytes(range(60))
    data = bytes([bare.FRAMES, 0, 3 << 3, 60]) + frame
    assert bare.capture_of(data)[24 + 8 : 24 + 16] == bytes([57, 0, 0, 0, 60, 0, 0, 0])
    assert bare.capture_of(data)[40:] == frame[:57]


def test_growth_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(growth, "MOST", float("inf"))
    assert growth.main(["--count", "200", "--repeat", "1", "--shape", "syns", "--shape", "sections"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| shape | ns an item, 200 |")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| syns", "| sections"]


def test_quick_shapes_are_measured_with_more(capsys, monkeypatch):
    counts = []

    def row(*of):
        counts.append(of[1])
        return [1.0, 1.0, 1.0]

    monkeypatch.setattr(growth, "row", row)
    assert growth.main(["--count", "10", "--shape", "syns", "--shape", "ppp_options"]) == 0
    assert counts == [10, 200]
    assert "| ppp_options (n x 20) |" in capsys.readouterr().out
    assert growth.TIMES_AS_MANY.keys() <= SHAPES.keys()


def test_growth_that_is_not_linear_is_told(monkeypatch):
    monkeypatch.setattr(growth, "row", lambda *_: [1.0, 2.0, 4.0])
    assert growth.main(["--shape", "syns"]) == 1

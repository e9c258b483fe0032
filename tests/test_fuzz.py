"""The fuzzers themselves: some inputs of each, what was found before, and that what is wrong is noticed."""

from __future__ import annotations

import gzip
import zlib

import pytest
from fuzz import growth, guided, mutations
from fuzz.engines import Finding, compare, decode, examine
from fuzz.targets import TARGETS, input_of
from helpers import HERE

# What was found before stands in a folder beside the others.
CAPTURES = sorted((HERE / "captures").rglob("*.pcap*"))


@pytest.mark.parametrize("target", TARGETS)
def test_some_inputs(target):
    assert max(examine(input_of(target, 20, number), thorough=number % 4 == 0) for number in range(24)) > 5


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_captures_and_what_was_found_before(path):
    examine(path.read_bytes(), thorough=True)


def test_some_mutations():
    for number in range(30):
        examine(mutations.mutation(str(mutations.CAPTURES), 5, number)[1])


def test_mutations_of_a_compressed_capture_damage_both_sides_of_the_checksum(tmp_path):
    capture = (mutations.CAPTURES / "killed_server.pcap").read_bytes()
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
    assert mutations.mutation(str(mutations.CAPTURES), 1, 2) == mutations.mutation(str(mutations.CAPTURES), 1, 2)


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


def test_growth_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(growth, "MOST", float("inf"))
    assert growth.main(["--count", "200", "--repeat", "1", "--shape", "syns", "--shape", "sections"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| shape | ns an item, 200 |")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| syns", "| sections"]


def test_quick_shapes_are_measured_with_more(capsys, monkeypatch):
    counts = []
    monkeypatch.setattr(growth, "row", lambda *of: counts.append(of[1]) or [1.0, 1.0, 1.0])
    assert growth.main(["--count", "10", "--shape", "syns", "--shape", "ppp_options"]) == 0
    assert counts == [10, 200]
    assert "| ppp_options (n x 20) |" in capsys.readouterr().out
    assert growth.TIMES_AS_MANY.keys() <= growth.SHAPES.keys()


def test_growth_that_is_not_linear_is_told(monkeypatch):
    monkeypatch.setattr(growth, "row", lambda *_: [1.0, 2.0, 4.0])
    assert growth.main(["--shape", "syns"]) == 1

"""A run prints ratios when all answers are right, and no time at all when one is wrong.

Knows the command line of ``run`` and what it prints.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import compressed
import generate
import leaving
import many_flows
import peers
import pytest
import run
from generate import Parameters
from measuring import answers, floor, goals
from measuring.figures import Workload

# scapy takes a second to be imported; test_peers.py runs it.
SMALL = ["--repeat", "2", "--size", "0.2", "--small-size", "0.1", "--without", "scapy"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(generate, "DATA", tmp_path / "data")
    monkeypatch.setattr(run, "PLOT", tmp_path / "ratios.svg")
    return tmp_path / "data"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pcap"
    generate.generate(Parameters("tunnel", 1 << 17), path)
    return path


def test_a_run_prints_ratios_and_keeps_every_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the goals are about besides has tests of its own, and takes long.
    monkeypatch.setattr(many_flows, "measured", lambda *_: Workload(goals.CONNECTIONS))
    monkeypatch.setattr(compressed, "measured", lambda *_: [])
    monkeypatch.setattr(leaving, "measured", lambda *_: [])
    out = tmp_path / "out.json"
    assert run.main([*SMALL, "--json", str(out), "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    for workload in run.DEFAULT_WORKLOADS:
        assert f"| {workload:8} | pptpcap, 1 thread / floor  " in printed
        assert f"| {workload:8} | reference / pptpcap, 1 thread " in printed
    assert "haystack: not run: scapy (left out, as --without says)" in printed
    assert printed.count("not measured: `python benchmarks/flat.py --convert` does") == 3
    assert "Goals are stated for haystack at 2048 MiB, not at 0" in printed
    kept = json.loads(out.read_text())
    assert [workload["name"] for workload in kept["workloads"]] == [*run.DEFAULT_WORKLOADS, goals.CONNECTIONS]
    for workload in kept["workloads"][:3]:
        subjects = {figures["subject"] for figures in workload["figures"]}
        assert subjects >= {"floor", "floor and mapping", "pptpcap, 1 thread", "reference"}
        assert subjects | set(workload["absent"]) >= set(peers.PEERS)
        assert all(len(figures["seconds"]) == 2 for figures in workload["figures"])
    assert len(kept["goals"]) == len(goals.GOALS)


@pytest.mark.parametrize("name", ["gre", "messages_by_type", "packets", "issues"])
def test_a_wrong_answer_fails_the_run(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    promised = answers.promised

    def other(promise: dict[str, Any]) -> answers.Answer:
        return {**promised(promise), name: -1}

    monkeypatch.setattr(answers, "promised", other)
    assert run.main([*SMALL, "--without", "reference", "--workload", "haystack"]) == 1
    printed = capsys.readouterr()
    assert not printed.out
    # The floor knows packets and GRE, and comes first.
    who = "floor" if name in ("gre", "packets") else "pptpcap, 1 thread"
    assert f"wrong answer, so there are no times: haystack, {who}: {name} is " in printed.err


def test_a_wrong_floor_fails_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    true = floor.run
    monkeypatch.setattr(floor, "run", lambda path: {**true(path), "control": 0})
    assert run.main([*SMALL, "--workload", "haystack"]) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert "haystack, floor: control_segments is 0" in printed.err


def test_a_capture_of_the_users_is_measured(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--repeat", "1", "--small-size", "0.05", "--without", "scapy", "--file", str(capture)]) == 0
    printed = capsys.readouterr().out
    assert "| mine.pcap | pptpcap, 1 thread / floor " in printed
    assert "| mine.pcap | reference / pptpcap, 1 thread " in printed


def test_a_file_of_another_kind_fails_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text.pcap"
    path.write_text("no capture at all, but text that is longer than a header of one")
    assert run.main(["--repeat", "1", "--file", str(path)]) == 1
    printed = capfd.readouterr()
    assert not printed.out
    assert "the run failed" in printed.err


def test_the_floor_reads_both_byte_orders_and_counts_no_further_than_the_file(capture: Path, tmp_path: Path) -> None:
    data = capture.read_bytes()
    swapped = bytearray(struct.pack(">IHHiIII", *struct.unpack_from("<IHHiIII", data)))
    at, records = 24, 0
    while at < len(data):
        header = struct.unpack_from("<4I", data, at)
        swapped += struct.pack(">4I", *header) + data[at + 16 : at + 16 + header[2]]
        at, records = at + 16 + header[2], records + 1
    other = tmp_path / "swapped.pcap"
    other.write_bytes(swapped)
    counts = ("records", "octets", "control", "gre")
    found, found_swapped = floor.run(capture), floor.run(other)
    assert [found[name] for name in counts] == [found_swapped[name] for name in counts]
    assert found["records"] == records
    other.write_bytes(data[:-1])
    assert floor.run(other)["records"] == records - 1
    other.write_bytes(data[:23])
    with pytest.raises(floor.FloorError, match="no pcap file"):
        floor.run(other)

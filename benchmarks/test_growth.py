"""The commands about large and compressed captures, on small ones: what they print, and that they can fail.

Knows the command lines of ``flat``, ``hundred_million``, ``many_flows`` and ``compressed``.
"""

from __future__ import annotations

from pathlib import Path

import compressed
import flat
import generate
import hundred_million
import many_flows
import pytest
from measuring import goals

FLAT = ["--chunk", "0.1", "--sizes", "0.1", "0.2", "0.4", "--repeat", "1"]
MANY = ["--records", "20000", "--apart", "100"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(generate, "DATA", tmp_path / "data")


def test_many_records_are_counted_and_placed(capsys: pytest.CaptureFixture[str]) -> None:
    assert hundred_million.main(MANY) == 0
    printed = capsys.readouterr().out
    # A file header of 24; 19,800 empty records of 16; 200 of 16 + 14 + 20 + 12.
    assert "records: 20000, in 329224 octets" in printed
    assert "gre: 200 rows" in printed
    assert "issues: 19800 rows" in printed


@pytest.mark.parametrize("what", ["EMPTY", "FILE_HEADER"])
def test_a_wrong_offset_fails(what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stream = hundred_million.Stream(200, 100)
    monkeypatch.setattr(hundred_million, "Stream", lambda *_: stream)
    monkeypatch.setattr(hundred_million, what, getattr(hundred_million, what) + bytes(1))
    assert hundred_million.main(MANY) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert "wrong: record offsets of gre" in printed.err


def test_memory_and_time_are_printed_for_each_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert flat.main(FLAT) == 0
    printed = capsys.readouterr().out
    assert "| iterate  | 0.2 MiB / 0.1 MiB |" in printed
    assert "| iterate  | 0.4 MiB / 0.1 MiB |" in printed


@pytest.mark.parametrize(("under", "code"), [(1e6, 0), (1, 1)])
def test_memory_over_the_goal_fails(
    under: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(goals, "GOALS", (goals.MemoryGoal("iterate", "0.4 MiB", under),))
    assert flat.main(FLAT) == code
    assert f"| {'not met' if code else 'met'} " in capsys.readouterr().out


def test_a_wrong_count_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(flat, "repeated", lambda chunk, _, path: path.write_bytes(chunk.read_bytes()))
    assert flat.main(FLAT) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert "wrong answer, so there are no times: iterate, 0.2 MiB: packets is" in printed.err


def test_connections_of_two_numbers_are_compared_per_packet(capsys: pytest.CaptureFixture[str]) -> None:
    assert many_flows.main(["--most", "2000", "--fewest", "10", "--repeat", "1"]) == 0
    printed = capsys.readouterr().out
    rows = [line.split("|") for line in printed.splitlines() if line.startswith("| many connections | ")]
    assert [row[2].strip() for row in rows[:2]] == [
        "2000 connections / 10 connections",
        "2000 connections / 10 connections of as many messages",
    ]
    assert [row[4].strip() for row in rows[2:5]] == ["2000"] * 3


def test_compressed_captures_are_read_and_decompressed(capsys: pytest.CaptureFixture[str]) -> None:
    # A goal that such a short time does not meet is no failure of the measurement.
    assert compressed.main(["--size", "0.5", "--workload", "control", "--repeat", "1"]) in (0, 1)
    printed = capsys.readouterr().out
    for compression in goals.COMPRESSIONS:
        assert f"| control, {compression} | pptpcap, 1 thread / decompressing to nowhere |" in printed

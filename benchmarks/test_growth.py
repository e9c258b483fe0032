"""The commands about large captures, on small ones: what they print when all is right, and that they can fail.

Knows the command lines of ``flat`` and ``hundred_million``.
"""

from __future__ import annotations

import flat
import hundred_million
import pytest

FLAT = ["--chunk", "0.1", "--chunks", "1", "--repeat", "1"]
MANY = ["--records", "20000", "--apart", "100"]


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


def test_memory_and_time_are_printed_for_each_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Times of files as small as these say nothing.
    monkeypatch.setattr(flat, "MOST_FROM_LINEAR", 100)
    assert flat.main(FLAT) == 0
    printed = capsys.readouterr().out
    assert [line.split()[1] for line in printed.splitlines()[2:5]] == ["0.1", "0.2", "0.4"]
    assert "linear: met" in printed


def test_memory_over_the_goal_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(flat, "MOST_FROM_LINEAR", 100)
    monkeypatch.setattr(flat, "MOST_OCTETS", 1)
    assert flat.main(FLAT) == 1
    assert "linear: not met" in capsys.readouterr().out


def test_a_wrong_count_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(flat, "read", lambda _: [1.0, 1, 0, 1])
    assert flat.main(FLAT) == 1
    assert "wrong answer: 0 packets" in capsys.readouterr().err

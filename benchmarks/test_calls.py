"""The table of many calls is printed when all answers are right, and only then; its capture is what it promises.

Knows the command line of ``calls``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import calls
import pytest
from measuring import answers

import pptpcap
from pptpcap.wire.status import CallEnd


@pytest.mark.parametrize("number", [1, 31, 33, 2049])
def test_every_call_is_found_whole(number: int, tmp_path: Path) -> None:
    path = tmp_path / "calls.pcap"
    expected = calls.write(path, number, seed=3)
    capture = pptpcap.read(path)
    answers.require("the compiled engine", answers.of_capture(capture), expected)
    rows = capture["calls"]
    assert len(rows) == expected["calls"] == number
    assert set(rows["end"].tolist()) == {CallEnd.CALL_CLEAR}
    assert rows["pns_packets"].tolist() == rows["pac_packets"].tolist() == [2] * number
    assert rows["ipv4_packets"].tolist() == [2] * number


def test_a_line_for_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert calls.main(["--calls", "10", "50", "--repeat", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[2:4]] == ["10", "50"]
    assert [line.split()[3] for line in lines[2:4]] == ["80", "400"]


def test_a_wrong_answer_prints_no_time(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    promised = answers.promised

    def other(promise: dict[str, Any]) -> answers.Answer:
        return {**promised(promise), "gre": -1}

    monkeypatch.setattr(answers, "promised", other)
    assert calls.main(["--calls", "10", "--repeat", "1"]) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert "gre is 4, should be -1" in printed.err

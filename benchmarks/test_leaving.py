"""What leaves is counted before a time of it is printed.

Knows the workloads of ``leaving``, not what takes how long.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import generate
import leaving
import pytest
from measuring import answers, goals


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "DATA", tmp_path / "data")


def test_every_way_is_measured() -> None:
    found = {one.name: one for one in leaving.measured(1, 1, 0.25, 0.05)}
    assert list(found) == ["frames", "rows as csv", "rows as jsonl", "printed"]
    assert [one.subject for one in found["frames"].figures] == ["pptpcap, 1 thread", "to_polars", "two columns, lazily"]
    for name in ("rows as csv", "rows as jsonl"):
        assert [one.subject for one in found[name].figures] == ["convert", "polars", "duckdb"]
    printed = [one.subject for one in found["printed"].figures]
    assert printed[:3] == ["messages", "messages --json", "calls --json"]
    judged = goals.verdicts(found.values(), {}, goals.of_workloads(found))
    assert len(judged) == 15
    assert all(one.met is not None for one in judged if not one.why_not)


def test_a_row_that_is_missing_is_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(parameters: generate.Parameters) -> tuple[Path, dict[str, Any]]:
        path, promise = kept(parameters)
        return path, {**promise, "gre": promise["gre"] + 1}

    kept = generate.kept
    monkeypatch.setattr(generate, "kept", wrong)
    with pytest.raises(answers.WrongAnswerError, match="lines is"):
        leaving.texts("csv", 1, 1, 0.25)

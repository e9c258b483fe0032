"""Verdicts on goals, turns, the picture and comparisons of revisions, from figures that are typed here.

Knows ``measuring`` and ``compare``; nothing is timed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import compare
import generate
import pytest
from generate import Parameters
from measuring import answers, goals, plot, tables
from measuring.figures import FLOOR, Figures, Workload
from measuring.goals import ONE, Goal, MemoryGoal
from measuring.turns import Entrant, take_turns


def workload(*seconds: float) -> Workload:
    """One thread takes so many seconds, the floor half a second over twice the packets."""
    figures = [
        Figures(ONE, 100, 1000, list(seconds), list(seconds), 5_000_000),
        Figures(FLOOR, 200, 2000, [0.5] * len(seconds), [0.5] * len(seconds)),
    ]
    return Workload("some", figures, [(ONE, FLOOR)], {"tshark": "not installed"})


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("some", ONE, FLOOR, most=8), True),
        (Goal("some", ONE, FLOOR, most=7.9), False),
        (Goal("some", ONE, FLOOR, least=8), True),
        (Goal("some", ONE, FLOOR, least=8.1), False),
        (Goal("some", ONE, FLOOR, 7, 9), True),
        (Goal("some", ONE, FLOOR, 8.5, 9), False),
        (MemoryGoal("some", ONE, 5.1), True),
        (MemoryGoal("some", ONE, 5), False),
        (MemoryGoal("some", FLOOR, 5), None),
        (Goal("some", "tshark", ONE, least=1), None),
        (Goal("other", ONE, FLOOR, least=1), None),
    ],
)
def test_a_goal_is_met_where_the_median_is_within_its_bounds(goal: Goal | MemoryGoal, met: bool | None) -> None:
    # Per packet: 4, 8 and 40 times the floor's.
    (verdict,) = goals.verdicts([workload(1, 2, 10)], {}, [goal])
    assert verdict.met is met


def test_what_was_not_measured_says_why() -> None:
    of_peer, of_other = Goal("some", "tshark", ONE, least=1), Goal("other", ONE, FLOOR, most=1)
    table = tables.goals_table(goals.verdicts([workload(1)], {"other": "too large"}, [of_peer, of_other]))
    assert "not measured: tshark: not installed" in table
    assert "not measured: too large" in table


def test_every_goal_has_its_place() -> None:
    assert len({str(goal) + goal.workload for goal in goals.GOALS}) == len(goals.GOALS)
    assert all(goal.least or goal.most for goal in goals.GOALS if isinstance(goal, Goal))


def test_who_may_fail_is_absent_and_who_may_not_ends_the_run(tmp_path: Path) -> None:
    path = tmp_path / "text.pcap"
    path.write_text("no capture at all, but text that is longer than a header of one")
    found = Workload("some")
    take_turns(found, [Entrant(FLOOR, "walk", path, {"packets": 1}, may_fail=True)], 1)
    assert "no pcap file" in found.absent[FLOOR]
    with pytest.raises(Exception, match="no pcap file"):
        take_turns(found, [Entrant(FLOOR, "walk", path, {"packets": 1})], 1)


def test_who_may_differ_is_remarked_upon_but_not_in_packets(tmp_path: Path) -> None:
    path = tmp_path / "some.pcap"
    expected = answers.promised(generate.generate(Parameters("tunnel", 1 << 16), path))
    found = Workload("some")
    take_turns(found, [Entrant(FLOOR, "walk", path, expected | {"gre": 1}, may_differ=True)], 1)
    assert found.remarks == [f"floor: gre is {expected['gre']}, should be 1"]
    with pytest.raises(answers.WrongAnswerError, match="packets is"):
        take_turns(found, [Entrant(FLOOR, "walk", path, expected | {"packets": 1}, may_differ=True)], 1)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_ratios_to_the_floor_are_drawn(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"ratios{suffix}"
    assert str(path) in plot.draw([workload(1, 2, 10), Workload("without a floor")], path)
    assert path.stat().st_size > 1000


def test_without_matplotlib_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "matplotlib is not installed" in plot.draw([workload(1)], tmp_path / "ratios.svg")
    assert not list(tmp_path.iterdir())


def test_tables_of_two_revisions_are_compared() -> None:
    old: dict[str, Any] = {"same": [1, "a", "x"], "values": [1, "a", "x"], "rows": [1, "a", "x"], "gone": [1, "a", "x"]}
    new: dict[str, Any] = {
        "same": [1, "a", "x"],
        "values": [1, "a", "y"],
        "rows": [2, "b", "x"],
        "columns": [1, "b", "x"],
    }
    wrong, changed = compare.differences(old | {"columns": [1, "a", "y"]}, new)
    assert wrong == ["rows has 1 rows, then 2", "values has other values"]
    assert changed == ["columns has other columns: only its 1 rows were counted", "gone is only in the old one"]


def test_a_revision_that_is_none_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["no-such-revision"]) == 1
    assert "no-such-revision is no revision" in capsys.readouterr().err

"""Times of ``pptpcap.read`` beside the floor's, workload by workload, in pytest-benchmark's tables and JSON.

Knows the generator's promise: each answer is compared with it, and no time is.  All of one group read the same capture,
so the factors that pytest-benchmark prints behind the times are the ratios; ``run.py`` is for figures to quote.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import generate
import numpy as np
import pytest
from generate import MIB, Parameters
from measuring import answers
from measuring.floor import Function

import pptpcap

SIZE = float(os.environ.get("PPTPCAP_BENCHMARK_MIB", "1"))


@dataclass(frozen=True)
class Made:
    """A capture and what is in it."""

    path: Path
    expected: answers.Answer


@pytest.fixture(scope="module", params=generate.WORKLOADS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = tmp_path_factory.mktemp("captures") / f"{request.param}.pcap"
    promise = generate.generate(Parameters(request.param, int(SIZE * MIB), connections=10_000), path)
    return Made(path, answers.promised(promise))


@pytest.fixture
def take_time(benchmark: Any, made: Made) -> Callable[..., Any]:
    """Time a function in the workload's group; what it gave comes back."""

    def timed(function: Callable[[], Any], rounds: int) -> Any:
        benchmark.group = made.path.stem
        benchmark.extra_info |= {"packets": made.expected["packets"], "octets": made.path.stat().st_size}
        return benchmark.pedantic(function, rounds=rounds, warmup_rounds=1)

    return timed


def test_floor(take_time: Callable[..., Any], made: Made) -> None:
    walk, data = Function(), np.memmap(made.path, dtype=np.uint8, mode="r")
    answers.require("floor", answers.of_floor(take_time(lambda: walk(data), rounds=50)), made.expected)


@pytest.mark.parametrize(
    ("engine", "rounds"), [("compiled", 20), ("reference", 2)], ids=["compiled_1_thread", "reference"]
)
def test_read(take_time: Callable[..., Any], made: Made, engine: Any, rounds: int) -> None:
    capture = take_time(lambda: pptpcap.read(made.path, engine=engine, threads=1), rounds=rounds)
    answers.require(engine, answers.of_capture(capture), made.expected)

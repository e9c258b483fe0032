"""Both engines for each test that names one, and how long hypothesis may search.

A long search: ``pytest tests/laws/test_twins.py --hypothesis-profile=deep``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from helpers import ENGINES
from hypothesis import HealthCheck, settings

# Whoever starts the tests behind a shell has them ignore these, and every process that they start.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

settings.register_profile("default", deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile("deep", parent=settings.get_profile("default"), max_examples=3_000)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A command that is run in this process takes over its signals."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each twin in turn; none may be missing."""
    return request.param

"""Both engines for each test that names one, which tests may skip, and how long hypothesis may search.

A long search: ``pytest tests/laws/test_twins.py --hypothesis-profile=deep``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator

import pytest
from captures import NOT_OURS
from helpers import ENGINES, EngineName
from hypothesis import HealthCheck, settings
from pyarrows import IS_LEFT_OUT, NEEDED

# Whoever starts the tests behind a shell has them ignore these, and every process that they start.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

settings.register_profile("default", deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.register_profile("deep", parent=settings.get_profile("default"), max_examples=3_000)
settings.load_profile("ci" if os.environ.get("CI") else "default")


# Of the environment, what the code under test, its libraries or the compiler read.
READ = "COLUMNS LINES NO_COLOR FORCE_COLOR CLICOLOR CLICOLOR_FORCE TZ CFLAGS CPPFLAGS LDFLAGS".split()
READ_WITH = ("FAULTS_", "MALLOC_", "OMP_", "OPENBLAS_", "POLARS_", "PPTPCAP_", "PYTHON", "TQDM_")
# Where Python finds what it imports, the allocator that the sanitizers need, and what make tells the tests.
KEPT = ("PYTHONHOME", "PYTHONMALLOC", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "PPTPCAP_WITHOUT_PYARROW")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """No variable of whoever starts the tests changes a result, here or in a process that a test starts."""
    named = {name for name in os.environ if name.startswith(READ_WITH)}
    for name in named.union(READ).difference(KEPT):
        os.environ.pop(name, None)
        # The library readline, which pytest imports, sets COLUMNS and LINES where os.environ does not see it.
        os.unsetenv(name)


# Why a test may skip in CI, which has every tool and every file of the repository.
MAY_SKIP = {
    NOT_OURS: "they may not be copied; test_damage stands for them",
    "the sanitizer ends where memory is short": "CI runs the same test without the sanitizer",
    "the sanitizer stands in front of malloc too": "CI runs the same test without the sanitizer",
    "the sanitizer takes memory of its own": "CI runs the same test without the sanitizer",
    "asks glibc how much is in use": "the sanitizer has a malloc of its own, and CI runs the same test without it",
}

if IS_LEFT_OUT:
    MAY_SKIP[NEEDED] = "make test runs the same test with pyarrow"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that skips for any other reason fails: what it needs is missing."""
    report = yield
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in MAY_SKIP:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} skips in CI, and nothing says that it may: {reason}"
    return report


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """A command that is run in this process takes over its signals."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Each twin in turn; none may be missing."""
    name: EngineName = request.param
    return name

"""Captures from other tools' own test sets, malformed and fuzzed: documented errors or rows, and both twins alike.

They stand in the shared folder beside the repository and are never copied; without it these tests are skipped.
"""

from __future__ import annotations

import pytest
from captures import NOT_OURS
from helpers import ENGINES, Decoded, EngineName, consistent, decode, same
from places import SHARED

import pptpcap

FILES = sorted(path for path in (SHARED / "robustness").glob("*") if path.is_file())
GROUPS = 24

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not FILES, reason=NOT_OURS)]


def outcome(path, engine: EngineName) -> Decoded | tuple[type[Exception], str]:
    try:
        return decode(path, engine)
    except (pptpcap.CaptureError, OSError) as error:
        return type(error), str(error)


def test_there_are_many():
    assert len(FILES) > 1000


@pytest.mark.parametrize("group", range(GROUPS))
def test_files(group):
    """Read by both, or refused by both with the same words."""
    read = 0
    for path in FILES[group::GROUPS]:
        one, other = (outcome(path, engine) for engine in ENGINES)
        if isinstance(one, tuple) or isinstance(other, tuple):
            assert one == other, path.name
            continue
        same(one, other, path.name)
        consistent(one, aggregates=True)
        read += 1
    assert read > len(FILES) // GROUPS // 3

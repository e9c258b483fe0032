"""Files that are damaged in every way: rows or a documented error, and the same ones from both engines."""

from __future__ import annotations

import pytest
from damage import KINDS, damaged
from fuzz.engines import SMALL
from helpers import ENGINES, Decoded, EngineName, consistent, decode, iterate, of_capture, same
from walks import twins

import pptpcap
from pptpcap._reading import batches
from pptpcap.wire.status import Kind

pytestmark = pytest.mark.slow

# Every so many files are also read in pieces, and with caps that everything reaches.
STRIDE = 5
# Magic numbers that a walk of the tests' own begins with.
WALKED = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a")
EACH = pytest.mark.parametrize("kind", KINDS)


def outcome(data: bytes, engine: EngineName) -> Decoded | str:
    try:
        return decode(data, engine)
    except pptpcap.CaptureError as error:
        return str(error)


@EACH
@pytest.mark.parametrize("seed", [1, 2])
def test_twins(kind, seed):
    """Read by both, or refused by both in the same words."""
    read = 0
    for number, data in enumerate(damaged(kind, seed)):
        one, other = (outcome(data, engine) for engine in ENGINES)
        if isinstance(one, str) or isinstance(other, str):
            assert one == other, number
            continue
        same(one, other, f"{kind} {number}")
        consistent(one, aggregates=kind in ("links", "interfaces"))
        read += 1
    assert read > number // 4


@EACH
def test_law_of_the_split(kind, monkeypatch):
    """Batches, ranges and threads change no row."""
    for name in ("_RANGE", "_LEAST_RANGE", "_LARGE_RANGE"):
        monkeypatch.setattr(batches, name, 700)
    for number, data in enumerate(damaged(kind)):
        if number % STRIDE == 0 and isinstance(whole := outcome(data, "compiled"), Decoded):
            same(iterate(data, "compiled", 3), whole, f"{kind} {number}, batches")
            same(of_capture(pptpcap.read(data, threads=3)), whole, f"{kind} {number}, threads")


def test_damage_reaches_every_kind_of_issue():
    """With the usual caps or with small ones, of which the twins think alike too."""
    found: set[int] = set()
    for kind in KINDS:
        for number, data in enumerate(damaged(kind)):
            if isinstance(got := outcome(data, "compiled"), Decoded):
                found.update(got["issues"]["kind"].tolist())
                if number % STRIDE == 0 and data.startswith(WALKED):
                    found.update(twins(data, SMALL, salvage=number % 2 == 0)["issues"]["kind"].tolist())
    # A file that is followed is begun anew, and no octets are.
    assert set(Kind) - {Kind.BEGUN_ANEW} == found


def test_a_seed_gives_the_same_files():
    for kind in ("records", "segments", "compressed"):
        assert list(damaged(kind)) == list(damaged(kind)) != list(damaged(kind, 2))

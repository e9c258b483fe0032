"""What the fuzzers kept: every input once more through both engines, and the file in which they stand."""

from __future__ import annotations

import pytest
from fuzz import bare, corpus, guided
from fuzz.engines import examine
from fuzz.targets import input_of
from helpers import ENGINES
from oracles.run import HELD, SMALL, difference

pytestmark = pytest.mark.slow

GROUPS = 12
THOROUGH = 8


@pytest.mark.parametrize("group", range(GROUPS))
def test_everything_that_is_kept(group):
    """Both engines give the same rows in every way that must not matter, and raise nothing."""
    for number, each in list(enumerate(corpus.kept()))[group::GROUPS]:
        try:
            examine(each.capture, window=24 + number % 200, thorough=number % THOROUGH == 0)
        except AssertionError as error:
            raise AssertionError(f"{each.name}, kept because it {each.reason}: {error}") from error


def test_streams_that_the_oracle_saw_differently():
    """They failed with the usual caps or with small ones."""
    streams = [each for each in corpus.kept() if each.reason.startswith("the TCP oracle")]
    assert len(streams) > 3
    for each in streams:
        for caps in ({}, SMALL, HELD, SMALL | HELD):
            assert difference(each.capture, ENGINES, caps) is None, (each.name, caps)


def test_the_file_is_small_and_says_what_it_holds():
    kept = corpus.kept()
    assert len(kept) > 300
    assert corpus.KEPT.stat().st_size < 1_000_000
    assert [each.name for each in kept] == sorted({each.name for each in kept})
    assert all(each.form in corpus.FORMS and len(each.reason) > 10 for each in kept)


def test_the_same_inputs_make_the_same_file(tmp_path):
    """In whatever order they are given; what deflate makes of them may differ from one library to the next."""
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    corpus.write(list(corpus.kept()), one)
    corpus.write(list(reversed(corpus.kept())), other)
    assert one.read_bytes() == other.read_bytes()
    assert corpus.kept(one) == corpus.kept()


def test_a_file_is_added_once(tmp_path):
    path = tmp_path / "some.zip"
    corpus.write(list(corpus.kept()[:2]), path)
    (tmp_path / "one").write_bytes(b"\x0a\x0d\x0d\x0a")
    for _ in range(2):
        corpus.add([tmp_path / "one"], corpus.FILE, "a block that ends", path)
    added = [each for each in corpus.kept(path) if each.form == corpus.FILE]
    assert [(each.reason, each.data, each.capture) for each in added] == [
        ("a block that ends", *[b"\x0a\x0d\x0d\x0a"] * 2)
    ]
    assert len(corpus.kept(path)) == 3


@pytest.mark.parametrize("target", [corpus.BARE, "containers", "frames", "calls"])
def test_searches_begin_from_it(target, tmp_path):
    corpus.unpack(target, tmp_path)
    paths = sorted(tmp_path.iterdir())
    assert len(paths) > 50
    make = bare.capture_of if target == corpus.BARE else guided.TARGETS[target]
    assert max(examine(make(path.read_bytes())) for path in paths[::40]) > 3


@pytest.mark.parametrize("number", range(12))
def test_a_guided_input_means_the_same_without_the_interpreter(number, tmp_path):
    data = input_of(("containers", "frames", "gre")[number % 3], 1, number)
    if corpus.bare_form("containers", data)[0] == bare.RECORDS:
        # The header's version and snap length are not kept.
        assert bare.capture_of(corpus.bare_form("containers", data))[24:] == data[24:]
    else:
        assert bare.capture_of(corpus.bare_form("containers", data)) == data
    for target in ("frames", "calls"):
        octets = data[24:900]
        if target == "calls":
            assert bare.capture_of(corpus.bare_form(target, octets)) == guided.calls(octets)


def test_numbered_inputs_begin_with_it():
    several = corpus.kept()
    assert [input_of("kept", 1, number) for number in range(3)] == [each.capture for each in several[:3]]
    # Damage may put an octet where the same one stood.
    damaged = {input_of("kept", 1, len(several) + number) for number in range(20)}
    assert len(damaged - {each.capture for each in several}) > 10

"""The twins are equal to the bit: all tables, counters, damage, on whatever can be put in a capture.

A long search: ``pytest tests/laws/test_twins.py --hypothesis-profile=deep``.
"""

from __future__ import annotations

import pytest
from builder import LOOP, NULL, RAW, SLL, SLL2, pcap
from helpers import BUNDLED, consistent, decode, drive, same
from hypothesis import given
from hypothesis import strategies as st
from scripts import conversations, damaged, fragments, limits, packets

from pptpcap.wire.limits import DEFAULT, Limits

pytestmark = pytest.mark.slow

CAPTURES = [path.read_bytes() for path in BUNDLED]


def equal(data: bytes, limits: Limits = DEFAULT, **more) -> None:
    """Both twins, and each of them in other steps."""
    compiled, reference = (drive(data, engine, limits=limits) for engine in ("compiled", "reference"))
    same(compiled, reference, "compiled and reference")
    consistent(compiled)
    if more:
        for engine in ("compiled", "reference"):
            same(drive(data, engine, limits=limits, **more), compiled, f"{engine} {more}")


def test_captures_are_bundled():
    """An empty folder would make laws of nothing."""
    assert len(CAPTURES) >= 9


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_captures(path):
    one, other = (decode(path, engine) for engine in ("compiled", "reference"))
    same(one, other)
    assert one.counters["packets"] > 0
    consistent(one)


@given(frames=conversations(), limits=limits, step=st.integers(1, 9))
def test_conversations_with_small_caps(frames, limits, step):
    equal(pcap(frames), limits, records=step)


@given(frames=conversations())
def test_conversations(frames):
    equal(pcap(frames, order=">", nanoseconds=True))


@given(frames=fragments(), limits=limits, step=st.integers(1, 9))
def test_fragments(frames, limits, step):
    equal(pcap(frames), limits, records=step)


@given(frames=packets(), limits=limits)
def test_packets(frames, limits):
    equal(pcap(frames), limits)


@given(
    frames=st.lists(st.binary(max_size=200), max_size=20),
    link=st.sampled_from([1, NULL, LOOP, RAW, SLL, SLL2, 228, 229, 127]),
)
def test_noise(frames, link):
    equal(pcap(frames, link=link))


@given(noise=st.binary(max_size=600), big=st.booleans())
def test_noise_for_records(noise, big):
    equal(pcap([], order=">" if big else "<") + noise)


@given(data=damaged(CAPTURES), limits=limits, stops=st.sets(st.integers(24, 6000), max_size=5))
def test_damaged_captures(data, limits, stops):
    equal(data, limits, stops=stops)


@given(data=damaged(CAPTURES))
def test_damaged_captures_with_the_caps_as_they_are(data):
    equal(data)

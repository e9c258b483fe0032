"""Both engines agree on PPP control traffic that was broken on purpose."""

from __future__ import annotations

import pytest
from builder import Record, cut, gre, gre_frame, pcap, piece4, split
from helpers import consistent, drive, same
from hypothesis import given
from hypothesis import strategies as st

from pptpcap.wire.limits import Limits

pytestmark = pytest.mark.slow

PROTOCOLS = "8021 8057 80fd 8053 8031 8281 c021 c023 c025 c027 c029 c02b c223 c227".split()
FRAMES = ["", "ff03", "3dc0000001", "003dc0000001", "ff03003d80000001", "3dc000"]
SMALL = st.integers(0, 9)


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """A control packet whose code, length, options and fields are nearly right."""
    off_by = st.sampled_from([0, 0, 0, 0, -1, -2, 1, 200])
    options = draw(st.lists(st.tuples(SMALL, st.binary(max_size=10), off_by), max_size=5))
    data = b"".join(bytes([kind, max(0, len(value) + 2 + off)]) + value for kind, value, off in options)
    data = draw(st.sampled_from([data, data[1:], bytes([draw(SMALL)]) + data]))
    length = max(0, 4 + len(data) + draw(st.sampled_from([0, 0, 0, 0, -1, 1, -5, 300])))
    head = bytes([draw(st.integers(0, 15)), draw(SMALL)]) + length.to_bytes(2, "big")
    return bytes.fromhex(draw(st.sampled_from(FRAMES)) + draw(st.sampled_from(PROTOCOLS))) + head + data


@st.composite
def captures(draw: st.DrawFn) -> bytes:
    frames: list[bytes | Record] = []
    for key in range(draw(st.integers(1, 6))):
        packet = gre(draw(packets()), sequence=draw(st.sampled_from([None, key])))
        if draw(st.booleans()):
            frames += split(piece4, packet, 8, key=key) if len(packet) > 8 else [gre_frame(packet)]
        else:
            frame = gre_frame(packet)
            frames.append(cut(frame, len(frame) - draw(st.sampled_from([0, 0, 1, 3, 7]))))
    return pcap(draw(st.permutations(frames)))


@given(captures(), st.integers(1, 3), st.sampled_from([1, 2, 64]))
def test_twins_and_splits(data, records, cap):
    limits = Limits(ppp_options=cap)
    whole = drive(data, "reference", limits=limits)
    consistent(whole)
    same(whole, drive(data, "compiled", limits=limits), "engines")
    same(whole, drive(data, "compiled", limits=limits, records=records), "compiled, split")
    same(whole, drive(data, "reference", limits=limits, records=records), "reference, split")

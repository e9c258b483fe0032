"""The twins are equal on whatever can be put in the blocks of a pcapng file, in any ranges and windows."""

from __future__ import annotations

import struct

import pytest
from builder import CLIENT, SERVER, Conversation, echo, gre, gre_frame
from helpers import kinds, same
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import EPB, IDB, NRB, PB, SHB, SPB, File, option, tsresol
from walks import twins

from pptpcap.wire.limits import DEFAULT, Limits

pytestmark = pytest.mark.slow

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))

COUNTS = st.sampled_from([0, 1, 2, 3, 13, 14, 20, 34, 46, 47, 48, 49, 52, 0x7FFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF])
OPTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([1, 2, 9, 14]), st.binary(max_size=9)),
        st.integers(0, 255).map(tsresol),
        st.integers(-(2**63), 2**63 - 1).map(lambda seconds: (14, struct.pack("<q", seconds))),
        st.builds(lambda code, length: option("<", code, b"\x09", length), st.integers(0, 20), st.integers(0, 20)),
    ),
    max_size=4,
)


@st.composite
def files(draw) -> bytes:
    """Blocks that are nearly right, in any order, and perhaps a few octets of the whole changed, cut or moved."""
    talk = Conversation().handshake().client(0, echo(1)[:9]).client(9, echo(1)[9:]).server(0, echo(2))
    frames = [*talk.packets, FRAME, gre_frame(gre(b"\x21", 7, 9), SERVER, CLIENT), b"", FRAME[:20]]
    file = File(draw(st.sampled_from("<>")))
    if draw(st.integers(0, 19)):
        file.section(options=draw(OPTIONS))
    for _ in range(draw(st.integers(1, 20))):
        what = draw(st.sampled_from(["interface"] * 4 + ["packet"] * 8 + ["old", "simple", "other", "section", "bad"]))
        frame = draw(st.sampled_from(frames))
        interface = draw(st.sampled_from([0, 0, 0, 1, 1, 2, 3, 70_000 if what == "packet" else 9]))
        lengths = {
            "captured": draw(st.one_of(st.none(), st.none(), st.none(), COUNTS)),
            "original": draw(st.one_of(st.none(), st.none(), COUNTS)),
        }
        ticks = draw(st.one_of(st.integers(0, 9), st.integers(0, 2**64 - 1)))
        if what == "interface":
            link = draw(st.sampled_from([1, 1, 1, 0, 101, 147, 127, 105, 9]))
            file.interface(link, draw(OPTIONS), snap=draw(COUNTS), end=draw(st.booleans()))
        elif what == "packet":
            file.packet(frame, interface, ticks, **lengths)
        elif what == "old":
            file.old_packet(frame, interface, ticks, **lengths)
        elif what == "simple":
            file.simple(frame, lengths["original"])
        elif what == "section":
            file.section(draw(st.sampled_from("<>")), major=draw(st.sampled_from([1] * 9 + [2])))
        elif what == "other":
            file.add(draw(st.sampled_from([NRB, 0x0BAD, 0])), frame)
        elif draw(st.integers(0, 3)) == 0:
            file.add(draw(st.sampled_from([SHB, IDB, PB, SPB, EPB])), draw(st.binary(max_size=40)))
    data = file.octets
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data = data[:at] + draw(st.binary(max_size=8)) + data[at + draw(st.integers(0, 8)) :]
    if draw(st.integers(0, 5)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    # whoever tells formats apart lets nothing else through
    return data if data[:4] == b"\x0a\x0d\x0d\x0a" else File().section().octets + data


@given(
    data=files(),
    limits=st.sampled_from([DEFAULT, DEFAULT, Limits(interfaces=2), Limits(block_length=80)]),
    ranges=st.one_of(
        st.fixed_dictionaries({"records": st.integers(1, 3)}),
        st.fixed_dictionaries({"window": st.integers(1, 200)}),
        st.fixed_dictionaries({"stops": st.lists(st.integers(1, 2000), max_size=8)}),
    ),
)
def test_whatever_can_be_put_in_blocks(data, limits, ranges):
    """In ranges and windows of any size too."""
    whole = twins(data, limits)
    same(twins(data, limits, **ranges), whole, str(ranges))
    others = {"packets", "captured_octets", "original_octets", "datagrams_reassembled", "fragments_copied", "copies"}
    fates = sum(value for name, value in whole.counters.items() if name not in others)
    assert fates == whole.counters["packets"]
    assert whole.damaged == bool({"TRUNCATED_RECORD", "CORRUPT_BLOCK"} & set(kinds(whole)))

"""A capture in several files is one capture: cut in ten at any packets, in pcap and pcapng by turns, it gives the same rows."""

from __future__ import annotations

import struct
from functools import partial

import pytest
from helpers import BUNDLED, MODULES
from hypothesis import given, settings
from hypothesis import strategies as st
from pcapng_builder import ISB, NRB, File, tsoffset, tsresol
from walks import walk

from pptpcap.schema import TABLE_NAMES

# Of those that are bundled, four that differ: authentication, silence, split messages, every message.
NAMES = ("auth_fail_pap", "echo_client_no_reply", "mss88", "synthetic_scapy_all15")
# What says where in which file a packet stands.
PLACES = {"file", "record_offset"}
Packet = tuple[int, int, bytes]


def packets(data: bytes) -> tuple[int, list[Packet]]:
    """Link type, and nanoseconds, original length and octets of each packet of a little-endian pcap file that is whole."""
    magic, *_, link = struct.unpack_from("<IHHiIII", data)
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    found, position = [], 24
    while position < len(data):
        seconds, fraction, captured, original = struct.unpack_from("<IIII", data, position)
        found.append((seconds * 10**9 + fraction * unit, original, data[position + 16 : position + 16 + captured]))
        position += 16 + captured
    return link, found


def as_pcap(link: int, several: list[Packet], order: str) -> bytes:
    parts = [struct.pack(order + "IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 0, link)]
    for nanoseconds, original, octets in several:
        parts += [struct.pack(order + "IIII", *divmod(nanoseconds, 10**9), len(octets), original), octets]
    return b"".join(parts)


def as_pcapng(link: int, several: list[Packet], order: str) -> bytes:
    """With an interface that nobody uses, a clock that starts later, and blocks that are stepped over."""
    file = File(order).section(options=[(1, b"a file of a ring")]).interface(147)
    start = min((nanoseconds // 10**9 for nanoseconds, *_ in several), default=0) - 1
    file.interface(link, [tsresol(9), tsoffset(order, start)])
    for number, (nanoseconds, original, octets) in enumerate(several):
        ticks = nanoseconds - start * 10**9
        if number % 3 == 1:
            file.old_packet(octets, 1, ticks, original=original)
        else:
            file.packet(octets, 1, ticks, original=original, options=[(2, bytes(4))])
        if number % 4 == 0:
            file.add(NRB, bytes(4))
    return file.add(ISB, bytes(12)).octets


FORMATS = [
    partial(as_pcap, order="<"),
    partial(as_pcapng, order="<"),
    partial(as_pcap, order=">"),
    partial(as_pcapng, order=">"),
]
CAPTURES = {path.stem: packets(path.read_bytes()) for path in BUNDLED if path.stem in NAMES}
WHOLE = {
    (engine, name): walk(as_pcap(*capture, "<"), engine) for engine in MODULES for name, capture in CAPTURES.items()
}


def equal(got, whole) -> None:
    for table in TABLE_NAMES:
        assert len(got[table]) == len(whole[table]), table
        for column in set(whole[table].dtype.names) - PLACES:
            assert got[table][column].tobytes() == whole[table][column].tobytes(), (table, column)
    assert got.counters == whole.counters
    assert (got.earliest, got.latest) == (whole.earliest, whole.latest)
    assert not got.damaged


def test_captures_hold_something():
    """A law about nothing would hold."""
    assert set(CAPTURES) == set(NAMES)
    assert all(len(several) >= 30 for _, several in CAPTURES.values())
    assert sum(len(WHOLE["compiled", name]["messages"]) for name in CAPTURES) > 30
    assert sum(len(WHOLE["compiled", name]["gre"]) for name in CAPTURES) > 60


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("turn", range(len(FORMATS)))
def test_one_file_in_another_format(engine, name, turn):
    equal(walk(FORMATS[turn](*CAPTURES[name]), engine), WHOLE[engine, name])


@settings(max_examples=30)
@given(data=st.data())
def test_ten_files(data):
    """Cut anywhere, also in the middle of a message, of a datagram, and where nothing is in a file."""
    name = data.draw(st.sampled_from(sorted(CAPTURES)))
    link, several = CAPTURES[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(several)), min_size=9, max_size=9)))
    turns = data.draw(st.lists(st.integers(0, len(FORMATS) - 1), min_size=10, max_size=10))
    bounds = [0, *cuts, len(several)]
    files = [
        FORMATS[turn](link, several[start:end]) for turn, start, end in zip(turns, bounds, bounds[1:], strict=False)
    ]
    assert len(files) == 10
    step = data.draw(st.sampled_from([0, 0, 1, 7]))
    for engine in MODULES:
        got = walk(files, engine, records=step)
        equal(got, WHOLE[engine, name])
        for table in ("messages", "gre", "issues"):
            owner = got[table]["file"].astype(int)
            number = got[table]["packet"].astype(int)
            assert all(bounds[f] < n <= bounds[f + 1] for f, n in zip(owner, number, strict=True)), table


@pytest.mark.parametrize("name", CAPTURES)
def test_a_file_for_each_packet(engine, name):
    link, several = CAPTURES[name]
    files = [FORMATS[number % 4](link, [packet]) for number, packet in enumerate(several)]
    got = walk(files, engine)
    equal(got, WHOLE[engine, name])
    for table in ("messages", "gre"):
        assert (got[table]["file"] + 1 == got[table]["packet"]).all()

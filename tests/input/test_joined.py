"""Captures that are joined in one file (decoding 1.8): each part by its own header, whatever cuts the file in pieces."""

from __future__ import annotations

import gzip
import importlib
import io
import struct
from itertools import permutations, product

import pytest
from builder import ETHERNET, RAW, Record, echo, ethernet, gre, ipv4, pcap, pcap_header, stream
from helpers import MODULES, EngineName, column, decode, faults, issues, only, same, statuses
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import started
from tag_builder import NFLOG, nflog
from test_rotated import CAPTURES, FORMATS, WHOLE, equal
from walks import beginning, twins, walk

import pptpcap
from pptpcap.wire.limits import DEFAULT

GRE = [ipv4(gre(b"\x00\x57" + bytes(number), sequence=number), protocol=47) for number in range(1, 9)]
MAGICS = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
ORDERS = "<>"
HEADERS = [*product(MAGICS, ORDERS, (RAW, ETHERNET))]


def part(frames, order="<", magic=0xA1B2C3D4, link=RAW, version=(2, 4), snap_length=65535) -> bytes:
    """A file of one packet a second, from the second of its first frame's length on."""
    parts = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, snap_length, link)]
    for frame in frames:
        parts.append(struct.pack(order + "IIII", len(frame), 7, len(frame), len(frame)))
        parts.append(bytes(8) * (magic == 0xA1B2CD34) + frame)
    return b"".join(parts)


def sequences(got) -> list[int]:
    return column(got, "gre", "sequence_number")


# ---- by hand

# Two records in little-endian microseconds, then the file header of another capture: big-endian, nanoseconds, Ethernet.
TYPED = bytes.fromhex(
    "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 65000000"  # link type 101
    "00f15365 e8030000 01000000 04000000 45"  # 2023-11-14 22:13:20.001, 1 of 4 octets
    "a1b23c4d 0002 0004 00000000 00000000 0000ffff 00000001"
    "6553f101 00000005 0000000e 0000000e ffffffffffff 020000000001 0806"  # 22:13:21.000000005, ARP
)


@pytest.mark.parametrize("source", [TYPED, io.BytesIO(TYPED), gzip.compress(TYPED)], ids=["bytes", "stream", "gzip"])
def test_typed_by_hand(engine, source):
    if isinstance(source, io.BytesIO):
        source.seek(0)
    capture = pptpcap.read(source, engine=engine)
    assert issues(capture) == [(1, "IP", "HEADER_CUT", 20, 1)]
    summary = capture.summary
    assert (summary.packets, summary.captured_octets, summary.not_ip, summary.ip_malformed) == (2, 15, 1, 1)
    assert [int(time.astype(int)) for time in (summary.earliest, summary.latest)] == [
        1_700_000_000_001_000_000,
        1_700_000_001_000_000_005,
    ]
    (file,) = summary.files
    assert (file.parts, file.byte_order, file.resolution, file.link_type) == (2, "big", "ns", ETHERNET)
    assert (file.snap_length, file.packets, file.damaged) == (65535, 2, False)


@pytest.mark.parametrize("one", HEADERS, ids=str)
@pytest.mark.parametrize("other", HEADERS, ids=str)
def test_each_part_by_its_own_header(engine, one, other):
    frames = []
    for (magic, order, link), packets in ((one, GRE[:3]), (other, GRE[3:])):
        frames.append(
            part([ethernet(packet) if link == ETHERNET else packet for packet in packets], order, magic, link)
        )
    got = decode(b"".join(frames), engine)
    assert sequences(got) == [*range(1, 9)]
    assert column(got, "gre", "packet") == [*range(1, 9)]
    ticks = [1 if magic == 0xA1B23C4D else 1000 for magic, *_ in (one, other)]
    assert [time % 10**9 for time in column(got, "gre", "time")] == [7 * ticks[0]] * 3 + [7 * ticks[1]] * 5
    header = [24 if magic == 0xA1B2CD34 else 16 for magic, *_ in (one, other)]
    assert column(got, "gre", "record_offset")[3] == len(frames[0]) + 24
    assert column(got, "gre", "record_offset")[1] == 24 + header[0] + len(GRE[0]) + 14 * (one[2] == ETHERNET)
    assert faults(got) == []


def test_members_of_gzip_and_parts_without_packets(engine):
    parts = [
        part([]),
        part(GRE[:2]),
        part([], ">"),
        part([], "<", 0xA1B23C4D),
        part(GRE[2:], ">", 0xA1B23C4D),
        part([]),
    ]
    for source in (b"".join(parts), b"".join(map(gzip.compress, parts))):
        capture = pptpcap.read(source, engine=engine)
        assert sequences(capture) == [*range(1, 9)]
        assert issues(capture) == []
        assert capture.summary.files[0].parts == 6


def test_pcap_and_pcapng(engine):
    """In any order; of pcapng, each part has its own interfaces."""
    blocks = [started(order).packet(ethernet(GRE[at]), 0, 10**15 + at).octets for at, order in ((1, ">"), (3, "<"))]
    data = part(GRE[:1]) + blocks[0] + part(GRE[2:3], ">", 0xA1B23C4D) + blocks[1] + part(GRE[4:])
    capture = pptpcap.read(data, engine=engine)
    assert sequences(capture) == [*range(1, 9)]
    assert [issue for issue in issues(capture) if issue[2] != "CLOCK_BACK"] == []
    (file,) = capture.summary.files
    assert (file.format, file.parts, file.link_type) == ("pcap", 5, RAW)
    reverse = pptpcap.read(blocks[0] + part(GRE[2:3]) + blocks[1], engine=engine)
    assert (reverse.summary.files[0].format, reverse.summary.files[0].parts) == ("pcapng", 3)
    assert sequences(reverse) == [2, 3, 4]


@pytest.mark.parametrize("order", ORDERS)
def test_a_bad_section_behind_pcap(engine, order):
    """It is a block from there on."""
    bad = bytearray(started(order).octets)
    bad[12:16] = struct.pack(order + "HH", 2, 0)
    got = decode(part(GRE[:1]) + bytes(bad), engine)
    assert issues(got) == [(2, "CONTAINER", "CORRUPT_BLOCK", 1, 2)]
    assert got.damaged


# ---- what is no file header


def behind(rest: bytes) -> bytes:
    return part(GRE[:1]) + rest


def test_an_unsupported_link_is_told_once_a_file(engine):
    got = decode(part(GRE[:2], link=147) + part(GRE[:2], link=148) + part(GRE[:1], link=147), engine)
    assert faults(got) == [(1, "LINK", "UNSUPPORTED_LINK", 0, 147), (3, "LINK", "UNSUPPORTED_LINK", 0, 148)]
    only(got, unsupported_link=5)


def test_what_was_of_the_part_in_front(engine):
    """Neither the number of its interface, nor the fraction in a time."""
    first = started("<").interface(RAW).packet(GRE[0], 1, 10**9).octets
    second = pcap([Record(GRE[1], seconds=1000, fraction=0)], link=147)
    got = decode(first + second, engine)
    assert faults(got) == [(2, "LINK", "UNSUPPORTED_LINK", 0, 147)]
    second = pcap([Record(GRE[1], seconds=1000, fraction=10**6)], link=RAW)
    got = decode(second + started("<", link=RAW).packet(GRE[2], 0, 10**9 + 10**6).octets, engine)
    assert statuses(got, "gre") == [{"TIME_FRACTION"}, set()]


def test_copies_in_two_parts(engine):
    """A packet of interface 1, and the same in a file of pcap, where its interface is 0: seen at two places."""
    first = started("<").interface(RAW).packet(GRE[0], 1, 10**9).octets
    again = pcap([Record(GRE[0], seconds=1000, fraction=0)], link=RAW)
    assert decode(first + again, engine).counters["copies"] == 1
    assert decode(again + started("<", link=RAW).packet(GRE[0], 0, 10**9).octets, engine).counters["copies"] == 1


OTHER = part(GRE[1:2])
NO_HEADERS = {
    "magic": b"\xd5" + OTHER[1:],
    "version 1.4": OTHER[:4] + struct.pack("<HH", 1, 4) + OTHER[8:],
    "version 2.5": OTHER[:4] + struct.pack("<HH", 2, 5) + OTHER[8:],
    "version 543.0": OTHER[:4] + struct.pack("<HH", 543, 0) + OTHER[8:],
    "AIX": OTHER[:4] + struct.pack("<HH", 2, 2) + OTHER[8:20] + struct.pack("<I", 15) + OTHER[24:],
    "snap length": OTHER[:16] + bytes(4) + OTHER[20:],
    "captured length": OTHER[:32] + struct.pack("<I", 262_145) + OTHER[36:],
    "fraction": OTHER[:28] + struct.pack("<I", 10**6) + OTHER[32:],
    "cut": OTHER[:23],
}


@pytest.mark.parametrize("name", NO_HEADERS)
def test_what_is_no_file_header_is_a_record(engine, name):
    """Of no octets, with the time of the magic number."""
    got = decode(behind(NO_HEADERS[name]), engine)
    assert issues(got)[0] == (2, "LINK", "FRAME_CUT", 1, 0) or issues(got)[0][2] in ("TIME_FRACTION", "HEADER_CUT")
    assert got.counters["packets"] >= 2
    assert sequences(got)[:1] == [1]


@pytest.mark.parametrize("at", [8, 12])
def test_zone_and_accuracy_are_zero(engine, at):
    other = bytearray(OTHER)
    other[at] = 1
    got = decode(behind(bytes(other)), engine)
    assert got.counters["packets"] == 2 if at == 8 else got.counters["packets"] >= 2
    assert sequences(got) == [1]


def test_a_header_at_the_end_may_have_no_record(engine):
    for size in range(24, 24 + 16):
        got = decode(behind(OTHER[:size]), engine)
        left = size - 24
        assert issues(got) == ([(2, "CONTAINER", "TRUNCATED_RECORD", 16, left)] if left else [])
        assert sequences(got) == [1]


@pytest.mark.parametrize("edge", [0, 1])
def test_lengths_and_fractions_behind_the_header(engine, edge):
    """The greatest that are plausible, and the next ones."""
    captured = OTHER[:32] + struct.pack("<I", 262_144 + edge) + OTHER[36:] + bytes(262_144)
    fraction = OTHER[:28] + struct.pack("<I", 999_999 + edge) + OTHER[32:]
    for other in (captured, fraction):
        assert pptpcap.read(behind(other), engine=engine).summary.files[0].parts == 2 - edge


# ---- the law of the split

JOINED = (
    part(GRE[:2])
    + part([ethernet(packet) for packet in GRE[2:4]], ">", 0xA1B23C4D, ETHERNET)
    + part(GRE[4:5], "<", 0xA1B2CD34)
    + started(">").packet(ethernet(GRE[5]), 0, 9).octets
    + part([], ">")
    + part(GRE[6:], ">", 0xA1B23C4D, version=(2, 1))
)


@pytest.mark.slow
@pytest.mark.parametrize("salvage", [False, True])
def test_ranges_that_end_anywhere(salvage):
    whole = twins(JOINED, salvage=salvage)
    assert sequences(whole) == [*range(1, 9)]
    assert whole.containers[0].parts == 6
    for stop in range(24, len(JOINED)):
        found = twins(JOINED, stops=(stop,), salvage=salvage)
        same(found, whole, f"ends at {stop}")
        assert found.containers == whole.containers
    same(twins(JOINED, stops=range(25, len(JOINED)), salvage=salvage), whole, "ends everywhere")


@pytest.mark.slow
@pytest.mark.parametrize("salvage", [False, True])
def test_windows_of_any_size(salvage):
    whole = twins(JOINED, salvage=salvage)
    for window in range(1, 200):
        same(twins(JOINED, window=window, salvage=salvage), whole, f"windows of {window}")
    for records in (1, 2, 3):
        same(twins(JOINED, records=records, salvage=salvage), whole, f"{records} records")


@pytest.mark.slow
def test_cut_at_every_octet():
    for end in range(25, len(JOINED)):
        for salvage in (False, True):
            whole = twins(JOINED[:end], salvage=salvage)
            same(twins(JOINED[:end], window=37, salvage=salvage), whole, f"cut at {end}")


@given(data=st.data())
def test_joined_parts_are_one_capture(data):
    """Cut anywhere, in any formats: the rows of the whole."""
    name = data.draw(st.sampled_from(sorted(CAPTURES)))
    link, several = CAPTURES[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(several)), max_size=4)))
    bounds = [0, *cuts, len(several)]
    parts = []
    for start, end in zip(bounds, bounds[1:], strict=False):
        octets = bytearray(data.draw(st.sampled_from(FORMATS))(link, several[start:end]))
        if octets[:1] != b"\n":
            # A snap length, which that builder leaves out.
            octets[16:20] = b"\1\1\1\1"
        parts.append(bytes(octets))
    joined = b"".join(parts)
    how = data.draw(st.sampled_from([{}, {"records": 3}, {"window": 777}, {"stops": tuple(range(100, 9_000, 613))}]))
    for engine in MODULES:
        equal(walk(joined, engine, **how), WHOLE[engine, name])


def test_places_where_threads_may_start():
    """Both engines find the same ones; file headers are among them."""
    first, known = len(part(GRE[:2])), beginning(JOINED)
    for final in (False, True):
        for start in range(24, len(JOINED), 5):
            one, other = (
                importlib.import_module(MODULES[engine]).find_record(
                    JOINED, start, len(JOINED), known, DEFAULT, final=final
                )
                for engine in MODULES
            )
            assert one == other, start
    core = importlib.import_module(MODULES["compiled"])
    assert core.find_record(JOINED, first - 3, len(JOINED), known, DEFAULT) == first


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_batches(monkeypatch, tmp_path, threads):
    from pptpcap._reading import batches

    for name in ("_RANGE", "_LEAST_RANGE", "_LARGE_RANGE"):
        monkeypatch.setattr(batches, name, 700)
    packets = [GRE[number % 8] for number in range(60)]
    data = b"".join(part(packets, order, magic) for magic in MAGICS for order in ORDERS)
    path = tmp_path / "joined.pcap"
    path.write_bytes(data)
    whole = decode(data, "reference")
    assert len(whole["gre"]) == 360
    for source in (data, path):
        same(decode(source, "compiled", threads=threads), whole, "threads")
        found = list(pptpcap.iterate(source, batch_packets=7, threads=threads))
        assert sum(len(batch.gre) for batch in found) == 360
    assert pptpcap.read(path, threads=threads).summary.files[0].parts == 6


# ---- salvage


@pytest.mark.parametrize("second", [part(GRE[2:], ">", 0xA1B23C4D), started("<").packet(ethernet(GRE[2]), 0, 9).octets])
def test_salvage_finds_the_next_part(engine, second):
    """With the first one damaged at its last record."""
    first = bytearray(part(GRE[:2]))
    place = 24 + 16 + len(GRE[0])
    struct.pack_into("<I", first, place + 8, 0xFFFFFFFF)
    got = decode(bytes(first) + second, engine, on_corrupt="salvage")
    assert faults(got)[:2] == [
        (2, "CONTAINER", "CORRUPT_RECORD", 262_144, 0xFFFFFFFF),
        (2, "CONTAINER", "SKIPPED_OCTETS", len(first), len(first) - place),
    ]
    assert sequences(got)[:2] == [1, 3] and len(got["gre"]) == (7 if second[:1] == b"\xa1" else 2)


def test_salvage_in_pcapng_finds_a_file_of_pcap(engine):
    first = bytearray(started("<").packet(ethernet(GRE[0]), 0, 9).packet(ethernet(GRE[1]), 0, 9).octets)
    first[-4:] = bytes(4)
    got = decode(bytes(first) + part(GRE[2:]), engine, on_corrupt="salvage")
    assert sequences(got) == [1, *range(3, 9)]


# ---- other versions


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("version", "first", "second"),
    [((2, 0), 9, 2), ((2, 1), 9, 2), ((2, 2), 9, 2), ((2, 3), 9, 2), ((2, 3), 2, 9), ((2, 4), 2, 9), ((543, 0), 9, 2)],
)
def test_which_length_stands_first(engine, order, version, first, second):
    header = struct.pack(order + "IHHiIII", 0xA1B2C3D4, *version, 0, 0, 65535, RAW)
    data = header + struct.pack(order + "IIII", 1, 2, first, second) + b"\x45\x00"
    data += struct.pack(order + "IIII", 1, 2, 1, 1) + b"\x00"
    got = decode(data, engine)
    assert issues(got) == [(1, "IP", "HEADER_CUT", 20, 2)]
    assert (got.counters["captured_octets"], got.counters["original_octets"]) == (3, 10)


def test_version_2_4_is_never_swapped(engine):
    data = pcap_header(link=RAW) + struct.pack("<IIII", 1, 2, 9, 2) + bytes(9)
    got = decode(data, engine)
    assert issues(got) == [(1, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 2, 9)]


@pytest.mark.parametrize("version", [(2, 0), (2, 3), (543, 0)])
def test_old_versions_cut_and_corrupt(engine, version):
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, *version, 0, 0, 65535, RAW)
    cut = header + struct.pack("<IIII", 1, 2, 300, 9) + bytes(8)
    assert issues(decode(cut, engine)) == [(1, "CONTAINER", "TRUNCATED_RECORD", 25, 24)]
    corrupt = header + struct.pack("<IIII", 1, 2, 300_000, 262_145) + bytes(8)
    assert issues(decode(corrupt, engine)) == [(1, "CONTAINER", "CORRUPT_RECORD", 262_144, 262_145)]
    for between in (b"", b"\xff" * 30):
        parts = part(GRE, version=(2, 0)) + between + part(GRE, version=(2, 3)) + between + part(GRE)
        assert len(twins(parts, salvage=True)["gre"]) == 24


def test_link_headers_have_the_order_of_their_part(engine):
    """The attributes of NFLOG are in the order of the header in front: of pcap, or of a section."""
    parts = [
        part([nflog(GRE[0], "<")], "<", link=NFLOG),
        part([nflog(GRE[1], ">")], ">", link=NFLOG),
        started("<", link=NFLOG).packet(nflog(GRE[2], "<")).octets,
        started(">", link=NFLOG).packet(nflog(GRE[3], ">")).octets,
    ]
    for order in permutations(range(4)):
        data = b"".join(parts[place] for place in order)
        assert sequences(decode(data, engine)) == [place + 1 for place in order]
        batches = pptpcap.iterate(data, engine=engine, batch_packets=1)
        assert [number for batch in batches for number in sequences(batch)] == [place + 1 for place in order]


# ---- hostile


def test_a_hundred_thousand_headers(engine: EngineName):
    """Nothing but file headers costs no more than as many records."""
    count = 100_000 if engine == "compiled" else 5_000
    data = part([]) * count + part(GRE)
    capture = pptpcap.read(data, engine=engine)
    assert sequences(capture) == [*range(1, 9)]
    assert capture.summary.files[0].parts == count + 1


def test_a_file_inside_a_packet_is_payload(engine):
    """The walk looks only where a record is due."""
    assert pptpcap.read(stream(echo(1) + OTHER), engine=engine).summary.files[0].parts == 1
    assert len(decode(pcap([Record(OTHER)], link=RAW), engine)["gre"]) == 0

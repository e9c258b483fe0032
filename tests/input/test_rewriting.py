"""snoop and Network Monitor files: the rows of the pcap file that has the same packets, from every road; damage is told."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest
from builder import ethernet
from commands import call
from compressors import gzip_plain, xz_plain
from helpers import issues, kinds
from hypothesis import given, settings
from hypothesis import strategies as st
from link_builder import wireless
from other_formats import (
    START,
    START_NS,
    TICKS_1601,
    as_netmon,
    as_snoop,
    frame,
    netmon,
    snoop,
    snoop_record,
)
from places import CAPTURES, TESTS
from test_containers import MSS88, Reader, by_pipe, same, same_but_places, small
from test_rotated import as_pcap, packets
from zip_builder import Member, archive

import pptpcap
from pptpcap import schema

pytestmark = pytest.mark.slow

FOUND = CAPTURES / "found"
BASE = (FOUND / "base.pcap").read_bytes()
LINK, BASE_PACKETS = packets(BASE)
OLD = (1, 1)
VERSIONS = [(1, 1), (2, 0), (2, 1), (2, 2), (2, 3)]
IP = b"\x45\0\0\x18\0\0\0\0\x40\x2f\0\0\x0a\0\0\2\x0a\0\0\1\0\0\0\0"


def by_all_roads(octets, path, engine, **more):
    path.write_bytes(octets)
    with by_pipe(octets) as pipe:
        several = [path, octets, bytearray(octets), io.BytesIO(octets), Reader(octets), pipe]
        captures = [pptpcap.read(what, engine=engine, **more) for what in several]
    captures.append(pptpcap.read(path, engine=engine, io="read", **more))
    for capture in captures[1:]:
        assert same(capture, captures[0])
    return captures[0]


def same_but_issues(one, other):
    for name in schema.TABLE_NAMES:
        if name != "issues":
            for column in set(one[name].dtype.names) - {"file", "record_offset"}:
                assert one[name][column].tobytes() == other[name][column].tobytes(), (name, column)
    assert one.summary.counters == other.summary.counters
    return True


# ---- the same traffic


@pytest.mark.parametrize(
    ("name", "format_name", "told"),
    [("container_snoop.snoop", "snoop", []), ("container_netmon2.cap", "netmon", ["LOCAL_TIME"])],
)
def test_found_captures_have_the_rows_of_the_plain_one(engine, tmp_path, name, format_name, told):
    one = by_all_roads((FOUND / name).read_bytes(), tmp_path / "a", engine)
    assert same_but_issues(one, pptpcap.read(BASE, engine=engine))
    assert kinds(one) == told
    assert not one.summary.damaged
    (file,) = one.summary.files
    assert (file.format, file.packets, file.link, file.compression) == (format_name, 37, "ETHERNET", "")


@pytest.mark.parametrize("octets", [MSS88, BASE], ids=["mss88", "base"])
def test_same_packets_in_every_format(engine, tmp_path, octets):
    link, several = packets(octets)
    assert link == 1
    plain = pptpcap.read(octets, engine=engine)
    assert same_but_places(by_all_roads(as_snoop(several), tmp_path / "a", engine), plain)
    for version in VERSIONS:
        one = by_all_roads(as_netmon(several, version), tmp_path / "a", engine)
        assert kinds(one) == ([] if version == (2, 3) else ["LOCAL_TIME"])
        if version == OLD:
            # Milliseconds.
            assert one.summary.counters == plain.summary.counters
            assert np.array_equal(one.gre["time"], plain.gre["time"].astype("datetime64[ms]").astype("datetime64[ns]"))
        else:
            assert same_but_issues(one, plain)


@pytest.mark.parametrize("make", [as_snoop, as_netmon])
def test_formats_may_be_compressed_and_in_archives(engine, tmp_path, make):
    octets = make(BASE_PACKETS)
    plain = pptpcap.read(octets, engine=engine)
    assert same(by_all_roads(gzip_plain(octets), tmp_path / "a", engine), plain)
    assert same(by_all_roads(xz_plain(octets), tmp_path / "a", engine), plain)
    assert same(by_all_roads(archive(Member(b"a", octets)), tmp_path / "a", engine), plain)
    cut = pptpcap.read(gzip_plain(octets)[:-4], engine=engine)
    assert kinds(cut) == ["CORRUPT_COMPRESSION", *kinds(plain)]
    assert same_but_issues(cut, plain)


def test_set_of_files_in_all_formats_is_one_capture(engine, tmp_path):
    link, several = packets(MSS88)
    makers = (as_snoop, lambda part: as_netmon(part, (2, 3)), lambda part: as_pcap(link, part, "<"))
    paths = []
    for number, start in enumerate(range(0, len(several), 20)):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(makers[number % 3](several[start : start + 20]))
    assert same_but_places(pptpcap.read(paths, engine=engine), pptpcap.read(MSS88, engine=engine))


@pytest.mark.parametrize("window", [64, 1000])
@pytest.mark.parametrize("make", [as_snoop, as_netmon])
def test_windows_batches_and_threads_change_no_row(engine, monkeypatch, tmp_path, make, window):
    octets = make(packets(MSS88)[1])
    expected = pptpcap.read(octets, engine=engine)
    small(monkeypatch, window)
    assert same(by_all_roads(octets, tmp_path / "a", engine), expected)
    assert same(pptpcap.read(octets, engine=engine, threads=3), expected)
    batches = list(pptpcap.iterate(octets, engine=engine, batch_packets=10))
    for name in schema.EVENTS:
        assert b"".join(batch[name].tobytes() for batch in batches) == expected[name].tobytes()
    assert batches[-1].summary == expected.summary


def test_offsets_are_those_of_the_file_that_is_walked(engine):
    octets = as_snoop(BASE_PACKETS)
    expected = pptpcap.read(BASE, engine=engine)
    assert pptpcap.read(octets, engine=engine).gre["record_offset"].tolist() == expected.gre["record_offset"].tolist()
    assert pptpcap.read(octets, engine=engine).summary.files[0].size == len(BASE)


# ---- snoop


def test_snoop_record_by_record(engine):
    """The example of the specification, and times, lengths and padding by hand."""
    octets = bytes.fromhex(
        "736e6f6f70000000 00000002 00000004"
        "00000036 00000026 00000040 00000000 6553f100 00001388"
    ) + ethernet(IP) + b"\xee\xee" + bytes.fromhex("00000026 00000026 0000003e 00000000 6553f101 000f423f") + ethernet(IP)  # fmt: skip
    one = pptpcap.read(octets, engine=engine)
    assert one.summary.packets == 2
    assert (one.summary.captured_octets, one.summary.original_octets) == (76, 92)
    assert str(one.summary.earliest) == "2023-11-14T22:13:20.005000000"
    assert str(one.summary.latest) == "2023-11-14T22:13:21.999999000"
    assert one.summary.gre_other == 2
    assert one.summary.files[0].byte_order == "big"


@pytest.mark.parametrize("link", [0, 4])
def test_snoop_links_that_are_ethernet(engine, link):
    assert pptpcap.read(as_snoop(BASE_PACKETS, link=link), engine=engine).summary.gre_packets == 20


@pytest.mark.parametrize(
    ("link", "number"), [(2, 6), (8, 10), (18, 123), (26, 242), (0x80000005, 226)], ids="6 10 123 242 226".split()
)
def test_snoop_links_are_those_of_pcap(engine, link, number):
    one = pptpcap.read(snoop(snoop_record(bytes(60)), link=link), engine=engine)
    assert one.summary.files[0].link_types == (number,)


def test_snoop_null_has_the_family_in_either_order(engine):
    for link in (9, 14):
        for family in (b"\2\0\0\0", b"\0\0\0\2"):
            one = pptpcap.read(snoop(snoop_record(family + IP), link=link), engine=engine)
            assert one.summary.gre_other == 1


def test_snoop_of_surveyor(engine):
    """Its versions, or 16 octets of padding behind the first record, give numbers 10 and 12 another meaning."""
    record = snoop_record(ethernet(IP) + b"\x11\x22\x33\x44")
    for version in (3, 4, 5):
        for link in (4, 10, 12):
            assert pptpcap.read(snoop(record, version=version, link=link), engine=engine).summary.gre_other == 1
    padded = snoop_record(ethernet(IP), pad=16)
    for link in (10, 12):
        assert pptpcap.read(snoop(padded, link=link), engine=engine).summary.gre_other == 1
        with pytest.raises(pptpcap.CaptureError, match=f"link type {link} of snoop"):
            pptpcap.read(snoop(snoop_record(ethernet(IP), pad=15), padded, link=link), engine=engine)


@pytest.mark.parametrize(
    ("octets", "offset", "words"),
    [
        (snoop()[:8], 8, "the end of the file"),
        (snoop()[:15], 15, "the end of the file"),
        (snoop(version=1), 8, "snoop version 1"),
        (snoop(version=6), 8, "snoop version 6"),
        (snoop(link=3), 12, "link type 3 of snoop, which this version does not read"),
        (snoop(link=0x80000004), 12, "link type 2147483652 of snoop, which this version does not read"),
    ],
)
def test_snoop_that_is_not_read_is_refused_with_place_and_reason(engine, octets, offset, words):
    for what in (octets, Reader(octets)):
        with pytest.raises(pptpcap.CaptureError) as caught:
            pptpcap.read(what, engine=engine)
        assert (caught.value.offset, caught.value.found) == (offset, words)


def test_snoop_without_a_record(engine):
    one = pptpcap.read(snoop(), engine=engine)
    assert (one.summary.packets, one.summary.damaged, kinds(one)) == (0, False, [])


def test_snoop_drops_are_told_with_their_number(engine):
    records = [snoop_record(ethernet(IP), drops=drops) for drops in (0, 5, 5, 7)]
    one = pptpcap.read(snoop(*records), engine=engine)
    assert issues(one) == [(5, "CONTAINER", "DROPPED_PACKETS", 0, 7)]
    assert not one.summary.damaged
    assert kinds(pptpcap.read(snoop(*records[:1]), engine=engine)) == []


@pytest.mark.parametrize("length", [0, 23, 24 + 37, 24 + 38 + 262145, 0xFFFFFFFF])
def test_snoop_record_length_that_cannot_be(engine, length):
    good = snoop_record(ethernet(IP))
    one = pptpcap.read(snoop(good, snoop_record(ethernet(IP), length=length), good), engine=engine)
    assert issues(one) == [(2, "CONTAINER", "CORRUPT_BLOCK", 24 + 38, length)]
    assert (one.summary.packets, one.summary.damaged) == (1, True)


def test_snoop_captured_length_above_the_cap(engine):
    good = snoop_record(ethernet(IP))
    for captured in (262145, 0xFFFFFFFF):
        one = pptpcap.read(snoop(good, snoop_record(ethernet(IP), captured=captured), good), engine=engine)
        assert issues(one) == [(2, "CONTAINER", "CORRUPT_RECORD", 262144, captured)]
        assert (one.summary.packets, one.summary.damaged) == (1, True)
    large = snoop_record(bytes(262144), pad=262144)
    assert pptpcap.read(snoop(large, good), engine=engine).summary.packets == 2


def test_snoop_cut_anywhere_gives_the_records_before(engine):
    octets = as_snoop(BASE_PACKETS[:5])
    ends = [16]
    for _, _, packet in BASE_PACKETS[:5]:
        ends.append(ends[-1] + 24 + len(packet) + -len(packet) % 4)
    for end in range(16, len(octets)):
        whole = sum(
            stop - (-len(packet) % 4) <= end for stop, (_, _, packet) in zip(ends[1:], BASE_PACKETS, strict=False)
        )
        for what in (octets[:end], Reader(octets[:end])):
            one = pptpcap.read(what, engine=engine)
            assert one.summary.packets == whole
            # The padding of the last record may be missing.
            assert one.summary.damaged == (end > ends[whole])
            if one.summary.damaged:
                assert kinds(one)[0] == "TRUNCATED_RECORD"


# ---- Network Monitor


def test_netmon_record_by_record(engine):
    """The header of the specification's example, typed, and one record."""
    head = bytes.fromhex("474d4255 00 02 0100 e707 0b00 0200 0e00 1600 0d00 1400 0000") + struct.pack(
        "<II", 128 + 54, 4
    )
    record = struct.pack("<QII", 1_500_000, 60, 38) + ethernet(IP)
    one = pptpcap.read(head.ljust(128, b"\0") + record + struct.pack("<I", 128), engine=engine)
    assert one.summary.packets == 1
    assert (one.summary.captured_octets, one.summary.original_octets, one.summary.gre_other) == (38, 60, 1)
    assert str(one.summary.earliest) == "2023-11-14T22:13:21.500000000"
    assert issues(one) == [(2, "CONTAINER", "LOCAL_TIME", 0, 0)]


def test_netmon_table_gives_the_order(engine):
    """Records stand in another order and with gaps; the table stands in front of them."""
    several = [frame(ethernet(IP) + bytes(place), place * 1000) for place in range(3)]
    sizes = [len(record) + 5 for record in several]
    at = [140, 140 + sizes[2], 140 + sizes[2] + sizes[0]]
    table = [at[1], at[2], at[0]]
    body = b"".join(several[place] + b"\xff" * 5 for place in (2, 0, 1))
    octets = netmon(table=table, table_at=128)[:128] + struct.pack("<3I", *table) + body
    for what in (octets, Reader(octets)):
        one = pptpcap.read(what, engine=engine)
        assert one.summary.packets == 3
        assert kinds(one) == ["LOCAL_TIME"]
        assert one.summary.captured_octets == 3 * 38 + 3


@pytest.mark.parametrize("version", VERSIONS)
def test_netmon_times(engine, version):
    unit = {(1, 1): 1000}.get(version, 1_000_000)
    record = frame(ethernet(IP), unit * 3 // 2, version, utc=TICKS_1601 + 15_000_000)
    one = pptpcap.read(netmon(record, version=version, start=(*START[:7], 250)), engine=engine)
    later = ".500" if version == (2, 3) else ".750"
    assert str(one.summary.earliest) == f"2023-11-14T22:13:21{later}000000"


def test_netmon_frames_before_the_start(engine):
    one = pptpcap.read(netmon(frame(ethernet(IP), -1)), engine=engine)
    assert str(one.summary.earliest) == "2023-11-14T22:13:19.999999000"


@pytest.mark.parametrize("start", [(2023, 0, 0, 1, 0, 0, 0, 0), (0,) * 8, (2023, 2, 0, 30, 0, 0, 0, 0), (0xFFFF,) * 8])
def test_netmon_start_that_is_no_time(engine, start):
    one = pptpcap.read(netmon(frame(ethernet(IP), 1_000_000), start=start), engine=engine)
    assert str(one.summary.earliest) == "1970-01-01T00:00:01.000000000"


def test_netmon_times_that_no_array_can_hold(engine):
    for record, version in (
        (frame(ethernet(IP), 1 << 62), (2, 0)),
        (frame(ethernet(IP), 0, (2, 3), utc=0), (2, 3)),
        (frame(ethernet(IP), 0, (2, 3), utc=(1 << 64) - 1), (2, 3)),
    ):
        one = pptpcap.read(netmon(record, version=version), engine=engine)
        assert one.summary.packets == one.summary.gre_other == 1


@pytest.mark.parametrize(
    ("medium", "link"),
    [
        *((0, 1), (1, 1), (2, 6), (3, 10), (7, 101), (8, 101), (9, 101), (0xE001, 1), (0xE065, 101), (0xE071, 113)),
        *((4, 0x8004), (5, 0x8005), (10, 0x800A), (0xE080, 0xE080), (0xE08A, 0xE08A), (0xFFE0, 0xFFE0)),
        (0xFFFF, 0xFFFF),
    ],
)
def test_netmon_media(engine, medium, link):
    in_header = netmon(frame(IP, 0), medium=medium)
    in_record = netmon(frame(IP, 0, (2, 1), medium=medium), version=(2, 1), medium=2)
    for octets in (in_header, in_record):
        one = pptpcap.read(octets, engine=engine)
        assert one.summary.files[0].link_types == (link,)
        assert one.summary.packets == 1
        assert one.summary.gre_other == (link == 101)
        assert ("UNSUPPORTED_LINK" in kinds(one)) == (one.summary.unsupported_link == 1)


def test_netmon_media_of_each_record(engine):
    wrapped = b"\2\x20\0" + bytes(29) + wireless(IP)
    records = [
        frame(ethernet(IP), 0, (2, 2)), frame(IP, 1, (2, 2), medium=8), frame(wrapped, 2, (2, 2), medium=6),
        frame(b"event", 3, (2, 2), medium=0xFFE0), frame(ethernet(IP), 4, (2, 2)),
    ]  # fmt: skip
    one = pptpcap.read(netmon(*records, version=(2, 2)), engine=engine)
    assert one.summary.packets == 5
    assert (one.summary.gre_other, one.summary.unsupported_link) == (4, 1)
    assert one.summary.files[0].link_types == (1, 101, 105, 0xFFE0)
    assert one.summary.files[0].interfaces == 4
    (issue,) = one.issues[one.issues["kind"] == 10]
    assert (issue["packet"], issue["had"]) == (4, 0xFFE0)


@pytest.mark.parametrize("header", [b"\2\x1f\0" + bytes(29), b"\2\xff\xff" + bytes(29), b"", b"\2"])
def test_netmon_wireless_header_that_cannot_be(engine, header):
    one = pptpcap.read(netmon(frame(header, 0), frame(b"\2\x20\0" + bytes(29), 0), medium=6), engine=engine)
    assert one.summary.packets == 1
    assert (2, "CONTAINER", "MISSING_RECORDS", 2, 1) in issues(one)


@pytest.mark.parametrize(
    "wrong",
    [
        netmon(table=[128, 4000]),
        netmon(table=[128, 0xFFFFFFFF]),
        netmon(frame(ethernet(IP), 0), frame(ethernet(IP), 0, captured=262145)),
        netmon(frame(ethernet(IP), 0), frame(ethernet(IP), 0, captured=0xFFFFFFFF)),
        netmon(frame(ethernet(IP), 0), frame(ethernet(IP), 0, captured=200)),
    ],
)
def test_netmon_record_that_cannot_be_is_counted(engine, wrong):
    good = netmon(frame(ethernet(IP), 0))
    octets = wrong if len(wrong) > 150 else good[:24] + struct.pack("<II", 182, 8) + good[32:182] + wrong[-8:]
    for what in (octets, Reader(octets)):
        one = pptpcap.read(what, engine=engine)
        assert one.summary.packets == 1
        assert issues(one)[0] == (2, "CONTAINER", "MISSING_RECORDS", 2, 1)
        assert one.summary.damaged


def test_netmon_table_with_one_record_many_times_is_no_bomb(engine):
    octets = netmon(frame(bytes(100_000), 0), table=[128] * 100_000)
    one = pptpcap.read(octets, engine=engine)
    assert one.summary.packets == len(octets) // 100_016
    assert issues(one)[-2] == (
        one.summary.packets + 1,
        "CONTAINER",
        "MISSING_RECORDS",
        100_000,
        100_000 - one.summary.packets,
    )


@pytest.mark.parametrize(
    ("octets", "offset", "words"),
    [
        (netmon()[:4], 4, "the end of the file"),
        (netmon()[:127], 127, "the end of the file"),
        (netmon(version=(3, 0)), 4, "version 3.0 of Network Monitor"),
        (netmon(version=(0, 9)), 4, "version 0.9 of Network Monitor"),
        (netmon(), 28, "a table of frames of 0 octets"),
        (netmon(frame(IP, 0), table_size=3), 28, "a table of frames of 3 octets"),
    ],
)
def test_netmon_that_is_not_read_is_refused_with_place_and_reason(engine, octets, offset, words):
    for what in (octets, Reader(octets)):
        with pytest.raises(pptpcap.CaptureError) as caught:
            pptpcap.read(what, engine=engine)
        assert (caught.value.offset, caught.value.found) == (offset, words)


@pytest.mark.parametrize("version", VERSIONS)
def test_netmon_cut_anywhere_tells_what_is_missing(engine, version):
    octets = as_netmon(BASE_PACKETS[:4], version)
    table = len(octets) - 16
    for end in range(128, len(octets)):
        one = pptpcap.read(octets[:end], engine=engine)
        assert one.summary.damaged
        found = max(0, end - table) // 4
        assert one.summary.packets == found
        assert ("CONTAINER", "MISSING_RECORDS", 4, 4 - found) in [issue[1:] for issue in issues(one)]


# ---- hostile

SMALL = [as_snoop(BASE_PACKETS[:8]), *(as_netmon(BASE_PACKETS[:8], version) for version in VERSIONS)]


@settings(max_examples=200)
@given(st.data())
def test_no_damage_is_more_than_an_issue(data):
    found = bytearray(data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(found) - 1))
        found[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    captures, errors = [], []
    for what in (bytes(found), Reader(bytes(found))):
        try:
            captures.append(pptpcap.read(what))
        except pptpcap.CaptureError as error:
            errors.append(error.args[1:])
    if errors:
        assert errors[0] == errors[1]
    else:
        assert same(*captures)
        assert captures[0].summary.packets <= 50


def test_every_octet_may_be_wrong():
    rng = Random(16)
    for octets in SMALL:
        for place in range(4, len(octets)):
            found = bytearray(octets)
            found[place] ^= 1 << rng.randrange(8)
            try:
                assert pptpcap.read(found).summary.packets <= 50
            except pptpcap.CaptureError:
                continue


def test_info_says_what_the_file_is(tmp_path):
    path = tmp_path / "a.cap"
    path.write_bytes(as_netmon(BASE_PACKETS))
    code, out, err = call("info", path)
    assert (code, err) == (0, "")
    assert "netmon, little-endian" in out
    assert "CONTAINER LOCAL_TIME" in out
    path.write_bytes(netmon(frame(IP, 0), table=[128, 1 << 20]))
    code, _, err = call("info", path)
    assert code == 3
    assert "1 of 2 records that the file lists are missing or corrupt" in err


# ---- sizes

LARGE = """
import io, resource, sys
sys.path[:0] = sys.argv[2:]
import pptpcap
from other_formats import frame, netmon, snoop, snoop_record
if sys.argv[1] == "snoop":
    found = snoop(*[snoop_record(bytes(250_000))] * 600)
else:
    found = netmon(*[frame(bytes(250_000), 0)] * 600)
open(sys.argv[4], "wb").write(found)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
class Reader:
    def __init__(self): self.read = io.BytesIO(found).read
for what, engine in ((found, "compiled"), (Reader(), "reference"), (sys.argv[4], "compiled")):
    for last in pptpcap.iterate(what, engine=engine, batch_bytes=1 << 20): pass
    assert last.summary.packets == 600
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize("name", ["snoop", "netmon"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    arguments = [sys.executable, "-c", LARGE, name, str(TESTS / "support"), str(TESTS / "input"), str(tmp_path / "a")]
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 80, f"{run.stdout} MiB"


def test_starts_are_those_of_the_calendar():
    year, month, _, day, hour, minute, second, _ = START
    assert datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 10**9 == START_NS

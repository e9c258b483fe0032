"""Sets whose files are joined, compressed, in archives or rewritten: what holds of plain files holds of these too."""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable

import pytest
from builder import RAW, ethernet, gre, ipv4, pcap
from commands import call
from compressors import gzip_plain
from helpers import column, decode, issues, kinds, same
from other_formats import Packet, as_netmon, as_snoop
from pcapng_builder import started
from test_sets import capture, sequences, written
from zip_builder import STORED, Member, archive

import pptpcap
from pptpcap.wire.status import Kind


def packet(second: int) -> bytes:
    return ipv4(gre(b"\x00\x57", sequence=second), protocol=47)


def section(*seconds: int) -> bytes:
    """As `capture`, in pcapng; the resolution of an interface is microseconds."""
    blocks = started("<", link=RAW)
    for second in seconds:
        blocks.packet(packet(second), 0, second * 10**6)
    return bytes(blocks.octets)


def foreign(make: Callable[[list[Packet]], bytes], *seconds: int) -> bytes:
    frames = [ethernet(packet(second)) for second in seconds]
    return make([(second * 10**9, len(frame), frame) for second, frame in zip(seconds, frames, strict=True)])


def names(got) -> list[str]:
    return [file.path.rpartition("/")[2] for file in got.summary.files]


def zipped(method: int = 8, **files: bytes) -> bytes:
    return archive(*(Member(name.encode(), octets, method) for name, octets in files.items()))


# ---- captures that are joined, inside what is read through a window


JOINED = capture(1, 2) + section(3) + capture(4) + capture(5, 6)
INSIDE = {
    "gzip": gzip_plain(JOINED),
    "xz": lzma.compress(JOINED),
    "xz streams": lzma.compress(JOINED[:70]) + lzma.compress(JOINED[70:]),
    "bzip2": bz2.compress(JOINED),
    "zip": zipped(a=JOINED),
    "stored": zipped(STORED, a=JOINED),
    "xz in zip": zipped(STORED, a=lzma.compress(JOINED)),
}


@pytest.mark.parametrize("name", INSIDE)
def test_joined_captures_inside_other_data(engine, tmp_path, name):
    octets = INSIDE[name]
    (path,) = written(tmp_path, vpn=octets)
    for source in (path, octets, io.BytesIO(octets)):
        got = pptpcap.read(source, engine=engine)
        assert sequences(got) == [1, 2, 3, 4, 5, 6]
        assert issues(got) == []
        (file,) = got.summary.files
        assert (file.parts, file.format, file.size, file.damaged) == (4, "pcap", len(JOINED), False)
    for size in (1, 2, 5):
        batches = list(pptpcap.iterate(octets, batch_packets=size, engine=engine))
        assert [number for batch in batches for number in sequences(batch)] == [1, 2, 3, 4, 5, 6]
    assert sequences(pptpcap.read(octets, engine=engine, threads=3)) == [1, 2, 3, 4, 5, 6]


def test_zeros_in_a_member_are_told_with_its_name(engine, tmp_path):
    (path,) = written(tmp_path, **{"vpn.zip": zipped(a=capture(1) + bytes(2000), b=capture(2))})
    got = pptpcap.read(path, engine=engine)
    end = len(capture(1))
    assert issues(got) == [(2, "CONTAINER", "ZEROS", end + 2000, 2000)]
    assert [file.damaged for file in got.summary.files] == [True, False]
    assert sequences(got) == [1, 2]
    code, _, err = call("info", path)
    assert code == 3
    assert err.startswith(f"pptpcap: {path}/a: damaged: packet 2, offset {end}: ")


def test_zeros_to_the_end_of_compressed_data_that_are_cut(engine):
    """The walk ended behind them, so that the cut is told too."""
    octets = zipped(a=capture(1) + bytes(2000), b=capture(2))
    cut = archive(Member(b"a", capture(1) + bytes(2000), crc=1), Member(b"b", capture(2)))
    assert kinds(pptpcap.read(octets, engine=engine)) == ["ZEROS"]
    assert kinds(pptpcap.read(cut, engine=engine)) == ["ZEROS", "CORRUPT_COMPRESSION"]


# ---- files without packets


@pytest.mark.parametrize("octets", [b"", capture(), as_snoop([]), lzma.compress(b""), gzip_plain(capture())])
@pytest.mark.parametrize("method", [0, 8])
def test_member_without_packets(engine, octets, method):
    """It is a file of the capture as any other, even alone; the others are read."""
    alone = pptpcap.read(zipped(method, a=octets), engine=engine)
    assert issues(alone) == [(1, "CONTAINER", "NO_PACKETS", 1, 0)]
    assert not alone.summary.damaged
    for place in range(3):
        several = [(b"x", capture(1, 2)), (b"y", capture(3))]
        several.insert(place, (b"nothing", octets))
        got = pptpcap.read(archive(*(Member(*each, method) for each in several)), engine=engine)
        assert sequences(got) == [1, 2, 3]
        (row,) = got.issues
        assert (row["file"], row["packet"], Kind(row["kind"])) == (place, [1, 3, 4][place], Kind.NO_PACKETS)


def test_member_of_no_octets_is_damaged_where_the_archive_says_so(engine):
    octets = archive(Member(b"a", b"", STORED, crc=1), Member(b"b", capture(1)))
    got = pptpcap.read(octets, engine=engine)
    assert issues(got) == [(1, "CONTAINER", "CORRUPT_COMPRESSION", 0, 0)]
    assert [(file.format, file.damaged) for file in got.summary.files] == [("", True), ("pcap", False)]


def test_rewritten_file_that_is_damaged_from_the_start_is_no_file_without_packets(engine):
    cut = foreign(as_snoop, 1)[:30]
    assert kinds(pptpcap.read(cut, engine=engine)) == ["TRUNCATED_RECORD"]
    assert kinds(pptpcap.read(as_netmon([(10**18, 0, b"")])[:128], engine=engine))[-1] != "NO_PACKETS"


def test_issues_of_a_file_stand_before_those_of_the_next(engine):
    """What a file has at its end is told before that the next one is no capture, or holds no packets."""
    frame = ipv4(b"\0\0\0\1" * 4, protocol=50)
    unfollowed = pcap([frame], link=RAW)
    octets = archive(
        *(Member(b"a", unfollowed), Member(b"b", b"some text"), Member(b"c", unfollowed), Member(b"d", b"")),
        Member(b"e", unfollowed, crc=1),
    )
    whole = pptpcap.read(octets, engine=engine)
    assert kinds(whole) == ["UNFOLLOWED", "NO_CAPTURE", "UNFOLLOWED", "NO_PACKETS", "CORRUPT_COMPRESSION", "UNFOLLOWED"]
    assert whole.issues["file"].tolist() == [0, 1, 2, 3, 4, 4]
    batches = list(pptpcap.iterate(octets, batch_packets=1, engine=engine))
    assert b"".join(batch.issues.tobytes() for batch in batches) == whole.issues.tobytes()


# ---- order


def test_members_out_of_order(engine, tmp_path):
    octets = zipped(a=capture(5, 6), b=capture(1, 2))
    (path,) = written(tmp_path, **{"vpn.zip": octets})
    for source in (path, octets, io.BytesIO(octets)):
        got = pptpcap.read(source, engine=engine)
        assert sequences(got) == [5, 6, 1, 2]
        assert issues(got) == [
            (3, "CONTAINER", "FILES_OUT_OF_ORDER", 0, 1),
            (3, "CONTAINER", "CLOCK_BACK", 0, 5 * 10**9),
        ]
    code, out, err = call("info", path)
    assert code == 0
    assert f"file {path}/b begins before file {path}/a, which stands in front of it, ended" in out
    assert f"pptpcap: {path}/b: " in err
    for source in (path, octets):
        got = pptpcap.read(source, engine=engine, order="time")
        assert (names(got), sequences(got), issues(got)) == (["b", "a"], [1, 2, 5, 6], [])
        assert [file.compression for file in got.summary.files] == ["zip", "zip"]
    # One stream alone is read as it comes.
    assert sequences(pptpcap.read(io.BytesIO(octets), engine=engine, order="time")) == [5, 6, 1, 2]


def test_members_are_sorted_among_the_files(engine, tmp_path):
    """What is in archives, compressed or rewritten takes its place in time, and files without a time stand behind."""
    several = written(
        tmp_path,
        **{
            "vpn.zip": archive(
                Member(b"a", capture(5)),
                Member(b"readme", b"some text"),
                Member(b"b.xz", lzma.compress(capture() + section(1)), STORED),
                Member(b"c", foreign(as_snoop, 7), behind="signed"),
                Member(b"nothing", b""),
            ),
            "plain": capture(6),
            "other": foreign(as_netmon, 2),
            "more.zip": zipped(d=capture(3), e=foreign(as_snoop, 4)),
            "section": section(8),
        },
    )
    for how in ({}, {"threads": 3}, {"io": "read"}):
        got = pptpcap.read(several, engine=engine, order="time", **how)
        assert sequences(got) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert names(got) == ["b.xz", "other", "d", "e", "a", "plain", "c", "section", "readme", "nothing"]
        assert kinds(got) == ["LOCAL_TIME", "NO_CAPTURE", "NO_PACKETS"]
    code, out, err = call("info", "--sort", "--engine", engine, *several)
    assert code == 0
    assert err.count("\n") == 1 and "holds no packets" in err
    assert out.index("b.xz") < out.index("other") < out.index("vpn.zip/a") < out.index("plain")


def test_many_members_in_the_wrong_order(engine):
    """Each is found by its place in the directory, not by those in front of it."""
    octets = archive(*(Member(b"%d" % second, capture(second), STORED) for second in range(200, 0, -1)))
    got = pptpcap.read(octets, engine=engine, order="time")
    assert sequences(got) == [*range(1, 201)]
    assert issues(got) == []


def test_members_that_are_lost_stand_behind(engine):
    octets = archive(
        Member(b"a", capture(5)), Member(b"b", capture(3), offset=2), Member(b"c", capture(1), raw=b"\xff" * 9)
    )
    got = pptpcap.read([octets, capture(2)], engine=engine, order="time")
    assert sequences(got) == [2, 5]
    assert kinds(got) == ["CORRUPT_COMPRESSION", "CORRUPT_COMPRESSION"]
    assert [file.damaged for file in got.summary.files] == [False, False, True, True]


def test_an_archive_without_a_directory_stays_whole(engine):
    """Where its files begin is known only by those in front of them."""
    octets = zipped(a=capture(), b=capture(5), c=capture(1))
    cut = octets[: octets.index(b"PK\1\2")]
    got = pptpcap.read([capture(7), cut, capture(3)], engine=engine, order="time")
    assert sequences(got) == [3, 5, 1, 7]
    assert kinds(got) == ["NO_PACKETS", "FILES_OUT_OF_ORDER", "CLOCK_BACK", "CORRUPT_COMPRESSION"]


def test_an_archive_without_a_capture_is_refused_in_any_order(engine):
    octets = zipped(a=b"some text", b=b"\0\1\2\3")
    for order in ("given", "time"):
        with pytest.raises(pptpcap.CaptureError, match="found text, and no capture in 1 other file of the archive"):
            pptpcap.read([capture(1), octets], engine=engine, order=order)


@pytest.mark.parametrize("make", [as_snoop, as_netmon])
def test_rewritten_files_in_a_set(engine, make):
    """Their packets, numbers and places among the files are those of any."""
    files = [capture(1), foreign(make, 2, 3), capture(4), foreign(make, 7), foreign(make, 5)]
    got = pptpcap.read(files, engine=engine)
    assert sequences(got) == [1, 2, 3, 4, 7, 5]
    assert column(got, "gre", "file") == [0, 1, 1, 2, 3, 4]
    told = [issue for issue in issues(got) if issue[2] not in ("LOCAL_TIME", "CLOCK_BACK")]
    assert told == [(6, "CONTAINER", "FILES_OUT_OF_ORDER", 3, 4)]
    assert [file.format for file in got.summary.files][1::2] == [files_format(make)] * 2
    assert sequences(pptpcap.read(files, engine=engine, order="time")) == [1, 2, 3, 4, 5, 7]


def files_format(make) -> str:
    return {as_snoop: "snoop", as_netmon: "netmon"}[make]


def test_sorted_archives_are_the_rows_of_sorted_files(engine):
    parts = [capture(second, second + 1) for second in (9, 3, 6)]
    whole = decode(zipped(a=parts[0], b=parts[1], c=parts[2]), engine, order="time")
    same(whole, decode([parts[1], parts[2], parts[0]], engine), "of an archive")


# ---- folders


def test_archives_in_folders(engine, tmp_path):
    written(
        tmp_path,
        **{
            "vpn10.zip": zipped(readme=b"some text", a=capture(4)),
            "vpn9.snoop": foreign(as_snoop, 3),
            "notes.zip": zipped(a=b"some text", b=b"\0"),
            "secret.zip": archive(Member(b"a", capture(1), flags=1)),
        },
    )
    code, out, err = call("info", "--engine", engine, "-r", tmp_path)
    assert code == 0
    assert out.index("vpn9.snoop") < out.index("vpn10.zip/readme") < out.index("vpn10.zip/a")
    place = (tmp_path / "secret.zip").read_bytes().index(b"PK\1\2")
    assert err.splitlines() == [
        f"pptpcap: left out: {tmp_path}/notes.zip/a: at offset 0: found text, expected a pcap or pcapng file",
        f"pptpcap: left out: {tmp_path}/secret.zip: at offset {place}: found an encrypted file in a zip archive, 'a', "
        "expected files that are stored or deflated and not encrypted, as zip writes them unless told otherwise",
    ]

"""Zip archives: the captures in one are files of the capture, from every road; what is wrong with one is told."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
import zlib
from random import Random

import pytest
from commands import call
from compressors import gzip_plain, xz_plain, zstd_plain
from helpers import issues, kinds
from hypothesis import given, settings
from hypothesis import strategies as st
from places import CAPTURES, TESTS
from test_containers import MSS88, PCAPNG, Reader, by_pipe, same, same_but_places, small
from test_rotated import as_pcap, packets
from zip_builder import DEFLATED, STORED, Member, archive, deflated

import pptpcap
from pptpcap import schema
from pptpcap._input import archives

pytestmark = pytest.mark.slow

WHOLE = pptpcap.read(MSS88)
FOUND = CAPTURES / "found"
HALVES = [as_pcap(*(packets(MSS88)[0], part), "<") for part in (packets(MSS88)[1][:50], packets(MSS88)[1][50:])]


def by_all_roads(octets, tmp_path, engine, streams=True):
    """What is read from a file, from memory, from a file object; then from what cannot go back."""
    path = tmp_path / "archive.zip"
    path.write_bytes(octets)
    captures = [pptpcap.read(what, engine=engine) for what in (path, octets, bytearray(octets), io.BytesIO(octets))]
    if streams:
        with by_pipe(octets) as pipe:
            captures += [pptpcap.read(what, engine=engine) for what in (Reader(octets), pipe)]
    return captures


def named(capture):
    return [file.path.partition("/" if file.path.startswith("<") else ".zip/")[2] for file in capture.summary.files]


def alike(captures):
    for capture in captures[1:]:
        assert same(capture, captures[0])
        assert named(capture) == named(captures[0])
    return captures[0]


# ---- whole archives


@pytest.mark.parametrize(
    "octets",
    [
        archive(Member(b"a.pcap", MSS88)),
        archive(Member(b"a.pcap", MSS88, STORED)),
        archive(Member(b"a.pcap", MSS88, behind="signed")),
        archive(Member(b"a.pcap", MSS88, behind="plain")),
        archive(Member(b"a.pcap", MSS88, behind="signed 8")),
        archive(Member(b"a.pcap", MSS88, behind="plain 8")),
        archive(Member(b"a.pcap", MSS88, wide=True)),
        archive(Member(b"a.pcap", MSS88, behind="signed 8", wide=True), wide=True),
        archive(Member(b"a.pcap", MSS88, STORED, wide=True), wide=True, comment=b"PK\5\6 a comment"),
        archive(Member(b"a.pcap", MSS88), comment=bytes(65535)),
        archive(Member(b"a.pcap", MSS88), comment=b"PK\5\6" * 100),
        archive(Member(b"a.pcap", MSS88), comment=b"and") + b"octets behind PK",
        archive(Member(b"folder/", b"", STORED), Member(b"a.pcap", MSS88), Member(b"__MACOSX/._a.pcap", b"\0\5\x16\7")),
        archive(Member(b"folder/", b"", STORED, behind="signed"), Member(b"a.pcap", MSS88)),
        archive(Member(b"folder/", b"", behind="signed"), Member(b"a.pcap", MSS88)),
        archive(Member(b"folder/", b"", STORED, flags=8), Member(b"a.pcap", MSS88)),
    ],
)
def test_archive_of_one_capture_gives_its_rows(engine, tmp_path, octets):
    captures = by_all_roads(octets, tmp_path, engine)
    assert same(alike(captures), WHOLE)
    assert named(captures[0]) == ["a.pcap"]
    assert captures[0].summary.files[0].path == str(tmp_path / "archive.zip") + "/a.pcap"
    assert captures[0].summary.files[0].compression == "zip"
    assert captures[1].summary.files[0].path == "<bytes>/a.pcap"


class Unseekable(io.BytesIO):
    """What a pipe is for a writer."""

    def seekable(self):
        return False

    def tell(self):
        raise io.UnsupportedOperation

    def seek(self, *_):
        raise io.UnsupportedOperation


def test_archives_of_another_writer(engine, tmp_path):
    for level in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        for seekable in (True, False):
            octets = io.BytesIO() if seekable else Unseekable()
            with zipfile.ZipFile(octets, "w", level) as file:
                file.writestr("a.pcap", MSS88)
                file.writestr("b.pcapng", PCAPNG)
            found = octets.getvalue()
            captures = by_all_roads(found, tmp_path, engine, streams=seekable or level == zipfile.ZIP_DEFLATED)
            assert alike(captures).summary.packets == 218
            assert named(captures[0]) == ["a.pcap", "b.pcapng"]


def test_stored_member_without_size_needs_the_directory(engine, tmp_path):
    octets = archive(Member(b"a.pcap", MSS88, STORED, behind="signed"))
    assert same(alike(by_all_roads(octets, tmp_path, engine, streams=False)), WHOLE)
    with pytest.raises(pptpcap.CaptureError, match=r"only the directory delimits, 'a\.pcap', in a stream"):
        pptpcap.read(Reader(octets), engine=engine)


def test_several_members_are_one_capture_in_their_order(engine, tmp_path):
    octets = archive(Member(b"2", HALVES[0]), Member(b"1", HALVES[1], behind="signed"))
    captures = by_all_roads(octets, tmp_path, engine)
    one = alike(captures)
    assert same_but_places(one, WHOLE)
    assert named(one) == ["2", "1"]
    assert [file.packets for file in one.summary.files] == [50, 59]
    assert one.gre["file"].tolist() == sorted(one.gre["file"].tolist())
    # Together with files beside it, and twice.
    path = tmp_path / "archive.zip"
    capture = pptpcap.read([MSS88, path, path], engine=engine)
    assert [file.packets for file in capture.summary.files] == [109, 50, 59, 50, 59]


def test_directory_decides_order_and_content(engine, tmp_path):
    first, second = Member(b"first", HALVES[0]), Member(b"second", HALVES[1])
    turned = archive(second, first)
    # The entries the other way round, with the offsets that the members have.
    at = turned.index(b"PK\1\2")
    one, two, end = turned.index(b"PK\1\2", at + 1), turned.index(b"PK\5\6"), len(turned)
    octets = turned[:at] + turned[one:two] + turned[at:one] + turned[two:end]
    capture = pptpcap.read(octets, engine=engine)
    assert named(capture) == ["first", "second"]
    assert same_but_places(capture, WHOLE)
    # Two archives in one: the second has the directory, and its offsets count from its own start.
    assert named(pptpcap.read(archive(Member(b"x", b"old")) + octets, engine=engine)) == ["first", "second"]


def test_members_may_be_compressed_and_of_any_format(engine, tmp_path):
    snoop = (FOUND / "container_snoop.snoop").read_bytes()
    octets = archive(
        *(Member(b"a.gz", gzip_plain(MSS88)), Member(b"b.zst", zstd_plain(PCAPNG), STORED, behind="")),
        *(Member(b"c.xz", xz_plain(MSS88), STORED), Member(b"d.snoop", snoop)),
        Member(b"e.cap", (FOUND / "container_netmon2.cap").read_bytes(), behind="signed"),
    )
    captures = by_all_roads(octets, tmp_path, engine)
    one = alike(captures)
    assert [file.packets for file in one.summary.files] == [109, 109, 109, 37, 37]
    assert [file.compression for file in one.summary.files] == ["gzip in zip", "zstd in zip", "xz in zip", "zip", "zip"]
    assert [file.format for file in one.summary.files] == ["pcap", "pcapng", "pcap", "snoop", "netmon"]


@pytest.mark.parametrize("behind", ["", "signed"])
def test_progress_counts_octets_of_the_archive(engine, tmp_path, behind):
    path = tmp_path / "archive.zip"
    path.write_bytes(archive(Member(b"a", MSS88, behind=behind), Member(b"b", b"text"), Member(b"c", PCAPNG, STORED)))
    told: list[tuple[int, int | None]] = []
    pptpcap.read(path, engine=engine, progress=lambda walked, total: told.append((walked, total)))
    walked = [octets for octets, _ in told]
    assert walked == sorted(walked)
    assert len(PCAPNG) < walked[-1] < path.stat().st_size
    assert {total for _, total in told} == {path.stat().st_size}


@pytest.mark.parametrize("window", [64, 1000])
def test_windows_and_batches_change_no_row(engine, monkeypatch, tmp_path, window):
    small(monkeypatch, window)
    octets = archive(Member(b"a", HALVES[0]), Member(b"b", b"text"), Member(b"c", HALVES[1], behind="plain"))
    whole = alike(by_all_roads(octets, tmp_path, engine))
    batches = list(pptpcap.iterate(octets, engine=engine, batch_packets=10))
    for name in schema.EVENTS:
        assert b"".join(batch[name].tobytes() for batch in batches) == whole[name].tobytes()
    assert batches[-1].summary == pptpcap.read(octets, engine=engine).summary
    for threads in (1, 3):
        assert same(pptpcap.read(octets, engine=engine, threads=threads), whole)


# ---- what is no capture


def test_what_is_no_capture_is_an_issue_each(engine, tmp_path):
    octets = archive(
        *(Member(b"readme.txt", b"some text"), Member(b"empty", b"", STORED), Member(b"a.pcap", MSS88)),
        *(Member(b"inner.zip", archive(Member(b"b.pcap", MSS88))), Member(b"x.pcap", MSS88[:10])),
        Member(b"y.gz", gzip_plain(b"text"), behind="signed"),
    )
    one = alike(by_all_roads(octets, tmp_path, engine))
    assert one.summary.packets == 109
    assert not one.summary.damaged
    assert kinds(one) == ["NO_CAPTURE", "NO_PACKETS", *["NO_CAPTURE"] * 3]
    assert one.issues["file"].tolist() == [0, 1, 3, 4, 5]
    assert one.issues["packet"].tolist() == [1, 1, 110, 110, 110]
    assert one.issues["had"].tolist() == [0x736F6D65, 0, 0x504B0304, 0xD4C3B2A1, 0x1F8B0800]
    assert [file.format for file in one.summary.files] == ["", "empty", "pcap", "", "", ""]
    code, out, err = call("info", tmp_path / "archive.zip")
    assert (code, err.count("\n")) == (0, 1)
    assert err.endswith("archive.zip/empty: packet 1, offset 0: the file holds no packets\n")
    assert "archive.zip/readme.txt\n    no capture\n" in out
    assert "4  NOTE  CONTAINER NO_CAPTURE  first: packet 1, offset 0: the file in the archive is no capture" in out
    with pytest.raises(pptpcap.IssueError, match=r"readme\.txt: .*NO_CAPTURE"):
        pptpcap.read(octets, engine=engine, errors="raise")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([Member(b"a.txt", b"text")], "archive.zip/a.txt: at offset 0: found text, expected"),
        (
            [Member(b"a.txt", b"text"), Member(b"b", b"\0\1"), Member(b"c", b"\0")],
            "archive.zip/a.txt: at offset 0: found text, and no capture in 2 other files of the archive, expected",
        ),
        (
            [Member(b"a", MSS88, raw=b"\xff" * 9)],
            "archive.zip/a: at offset 0: found corrupt zip data (invalid block type)",
        ),
        ([Member(b"a/", b"", STORED)], "archive.zip: at offset 0: found a zip archive without a file, expected"),
        ([Member(b"__MACOSX/._a", b"\0\5")], "archive.zip: at offset 0: found a zip archive without a file, expected"),
        ([Member(b"a", MSS88, flags=1)], "found an encrypted file in a zip archive, 'a', expected"),
        ([Member(b"a", MSS88, 9)], "found a zip member of compression method 9, 'a', expected"),
        ([Member(b"a", MSS88), Member(b"b", MSS88, 14)], "found a zip member of compression method 14, 'b', expected"),
    ],
)
def test_archive_that_cannot_be_read_is_refused_with_the_reason(engine, tmp_path, members, words):
    path = tmp_path / "archive.zip"
    path.write_bytes(archive(*members))
    with pytest.raises(pptpcap.CaptureError) as caught:
        pptpcap.read(path, engine=engine)
    assert words in str(caught.value)
    with pytest.raises(pptpcap.CaptureError):
        pptpcap.read(Reader(path.read_bytes()), engine=engine)
    assert call("info", path)[0] == 1


def test_archive_inside_compressed_data_is_refused_by_name(engine):
    with pytest.raises(pptpcap.CaptureError, match="found a zip archive inside compressed data"):
        pptpcap.read(gzip_plain(archive(Member(b"a", MSS88))), engine=engine)


def test_names_are_shown_and_never_opened(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [
        b"../../etc/passwd",
        b"/dev/zero",
        b"\x1b[31mred\n",
        "größe".encode(),
        b"\x81\xe1",
        b"n" * 1000,
        b"",
        b"\xff",
    ]
    flags = [0, 0, 0, 0x800, 0, 0, 0, 0x800]
    several = [Member(name, MSS88, flags=flag) for name, flag in zip(names, flags, strict=True)]
    one = alike(by_all_roads(archive(*several), tmp_path, engine))
    assert one.summary.packets == 8 * 109
    assert named(one) == [
        *("../../etc/passwd", "/dev/zero", "\\x1b[31mred\\n", "größe", "üß", "n" * 255, "", "�"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.zip"]
    out = call("info", tmp_path / "archive.zip")[1]
    assert "\x1b" not in out


# ---- damage


@pytest.mark.parametrize(
    "octets",
    [
        archive(Member(b"a", MSS88[:2000]), Member(b"b", b"text"), Member(b"c", MSS88[:2000])),
        archive(Member(b"a", MSS88[:2000], behind="signed"), Member(b"__MACOSX/b", b"text", behind="plain"),
                Member(b"c", MSS88[:2000], behind="plain")),
        archive(Member(b"a", MSS88[:900], STORED, wide=True), Member(b"c", MSS88[:900]), wide=True),
    ],
)  # fmt: skip
def test_cut_anywhere_gives_what_comes_before_and_an_issue(engine, octets):
    """At each octet of headers, names and descriptors; in what is deflated, and for the engine that is slow, at some."""
    directory = octets.index(b"PK\1\2")
    heads = [found.start() for found in re.finditer(b"PK", octets)]
    most = 0
    for end in range(4, len(octets)):
        is_near = any(-40 < end - head < 60 for head in heads)
        if end % (11 if engine == "reference" else 1 if is_near else 4):
            continue
        captures, errors = [], 0
        for what in (octets[:end], Reader(octets[:end])):
            try:
                captures.append(pptpcap.read(what, engine=engine))
            except pptpcap.CaptureError:
                errors += 1
        if errors:
            assert errors == 2
            assert most == 0
            continue
        assert same(*captures)
        assert captures[0].summary.damaged or end >= directory + 4
        assert captures[0].summary.packets >= most
        most = captures[0].summary.packets
    assert most > 10


def test_cut_directory_takes_no_row(engine):
    octets = archive(Member(b"a", MSS88), Member(b"b", PCAPNG))
    directory = octets.index(b"PK\1\2")
    for end in range(directory + 4, len(octets), 5):
        capture = pptpcap.read(octets[:end], engine=engine)
        assert capture.summary.packets == 218
        assert not capture.summary.damaged
    for end in range(directory, directory + 4):
        capture = pptpcap.read(octets[:end], engine=engine)
        assert capture.summary.packets == 218
        assert [file.damaged for file in capture.summary.files] == [False, False, True]
        assert kinds(capture) == ["FILES_OUT_OF_ORDER", "CLOCK_BACK", "CORRUPT_COMPRESSION"]


@pytest.mark.parametrize("behind", ["", "signed"])
def test_wrong_check_and_sizes_take_no_row(engine, tmp_path, behind):
    for first in (Member(b"a", MSS88, behind=behind, crc=1), Member(b"a", MSS88, behind=behind, size=len(MSS88) + 1)):
        several = [first, Member(b"b", PCAPNG)]
        for capture in by_all_roads(archive(*several), tmp_path, engine, streams=not behind):
            assert [file.damaged for file in capture.summary.files] == [True, False]
            assert [file.packets for file in capture.summary.files] == [109, 109]
            assert issues(capture)[0] == (110, "CONTAINER", "CORRUPT_COMPRESSION", len(MSS88), 0)
            assert kinds(capture) == ["CORRUPT_COMPRESSION", "FILES_OUT_OF_ORDER", "CLOCK_BACK"]
        if behind:
            # Where the member ends cannot be known.
            capture = pptpcap.read(Reader(archive(*several)), engine=engine)
            assert [(file.packets, file.damaged) for file in capture.summary.files] == [(109, True)]


@pytest.mark.parametrize("behind", ["", "signed"])
def test_check_and_size_of_what_is_no_capture(engine, tmp_path, behind):
    """Its first octets may be those that are wrong."""
    text = b"some text" * 100_000
    wrong = [
        Member(b"a.txt", text, behind=behind, crc=1),
        Member(b"a.txt", text, behind=behind, size=len(text) + 1),
        Member(b"a.txt", bytes([MSS88[0] ^ 1]) + MSS88[1:], behind=behind, crc=zlib.crc32(MSS88)),
    ]
    if not behind:
        wrong += [Member(b"a.txt", text, STORED, crc=1), Member(b"a.txt", text, size=len(text) - 1)]
    for member in wrong:
        octets = archive(Member(b"b.pcap", MSS88), member, Member(b"c.txt", text))
        captures = by_all_roads(octets, tmp_path, engine, streams=not behind)
        one = alike(captures)
        size = min(len(member.content), member.said[2]) if not behind else len(member.content)
        assert issues(one) == [
            (110, "CONTAINER", "CORRUPT_COMPRESSION", size, 0),
            (110, "CONTAINER", "NO_CAPTURE", 0, int.from_bytes(b"some", "big")),
        ]
        assert [file.damaged for file in one.summary.files] == [False, True, False]
        assert call("info", tmp_path / "archive.zip")[0] == call("info", corrupt_gzip(tmp_path))[0] == 3
        if behind:
            # Where the member ends cannot be known.
            capture = pptpcap.read(Reader(octets), engine=engine)
            assert kinds(capture) == ["CORRUPT_COMPRESSION"]
            assert len(capture.summary.files) == 2
        with pytest.raises(pptpcap.CaptureError, match=r"a\.txt: at offset 0: found corrupt zip data"):
            pptpcap.read(archive(member), engine=engine)


def corrupt_gzip(folder):
    path = folder / "corrupt.gz"
    path.write_bytes(gzip_plain(MSS88)[:-8] + bytes(8))
    return path


def test_damage_behind_what_is_no_capture_does_not_depend_on_threads(engine):
    """How far is read ahead does: it may find the wrong check before the file is found to be none."""
    content = zstd_plain(zstd_plain(MSS88))
    for behind in ("", "signed"):
        octets = archive(
            Member(b"a", MSS88), Member(b"b.zst", content, STORED if not behind else DEFLATED, behind=behind, crc=1)
        )
        for what in (lambda octets=octets: octets, lambda octets=octets: Reader(octets)):
            one = pptpcap.read(what(), engine=engine, threads=1)
            assert same(one, pptpcap.read(what(), engine=engine, threads=4))
            assert issues(one) == [(110, "CONTAINER", "CORRUPT_COMPRESSION", len(content), 0)]


def test_more_octets_than_the_member_has_are_not_given(engine, tmp_path):
    """So many are, from every road."""
    large = MSS88 + MSS88[24:] * 40
    for content, size in ((MSS88, 1000), (large, len(large) - 1)):
        octets = archive(Member(b"a", content, size=size), Member(b"b", MSS88))
        one = alike(by_all_roads(octets, tmp_path, engine))
        assert one.summary.files[0].damaged
        assert one.summary.files[0].size == size
        assert one.summary.files[0].packets == pptpcap.read(content[:size]).summary.packets
        assert one.summary.files[1].packets == 109


def test_member_that_is_not_where_the_directory_says(engine):
    for offset in (5, 1 << 20, 0xFFFFFFFF):
        capture = pptpcap.read(archive(Member(b"a", MSS88), Member(b"b", MSS88, offset=offset)), engine=engine)
        assert [(file.packets, file.damaged) for file in capture.summary.files] == [(109, False), (0, True)]
        assert kinds(capture) == ["CORRUPT_COMPRESSION"]


def test_members_that_overlap_are_not_inflated_again(engine):
    """Many entries for one member: an archive would hold far more than deflate can."""
    member = Member(b"a", MSS88, offset=0)
    octets = archive(*[member] * 1000)
    first = len(member.local())
    octets = octets[:first] + octets[octets.index(b"PK\1\2") :]
    # The directory is where it is, whatever the end says: its size tells.
    capture = pptpcap.read(octets[:-6] + first.to_bytes(4, "little") + bytes(2), engine=engine)
    files = capture.summary.files
    assert len(files) == 1000
    assert sum(file.packets for file in files) * 100 < 109 * 1000
    assert files[-1].damaged


def test_too_many_members_are_refused(engine, monkeypatch):
    monkeypatch.setattr(archives, "ZIP_MEMBERS", 3)
    several = [Member(b"a", HALVES[0])] * 3
    assert pptpcap.read(archive(*several), engine=engine).summary.packets == 150
    with pytest.raises(pptpcap.CaptureError, match="a zip archive of more than 3 files"):
        pptpcap.read(archive(*several, several[0]), engine=engine)


MUTATED = archive(
    Member(b"a", MSS88[:2000]),
    Member(b"b", b"text"),
    Member(b"c", gzip_plain(MSS88[:2000]), behind="signed"),
    wide=True,
)


@settings(max_examples=200)
@given(st.data())
def test_no_damage_is_more_than_an_issue(data):
    found = bytearray(MUTATED)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(found) - 1))
        found[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    for what in (bytes(found), Reader(bytes(found))):
        try:
            capture = pptpcap.read(what)
        except pptpcap.CaptureError:
            continue
        assert capture.summary.packets <= 60


def test_every_octet_may_be_wrong():
    rng = Random(16)
    for place in range(4, len(MUTATED)):
        found = bytearray(MUTATED)
        found[place] ^= 1 << rng.randrange(8)
        for what in (found, Reader(bytes(found))):
            try:
                assert pptpcap.read(what).summary.packets <= 60
            except pptpcap.CaptureError:
                continue


# ---- sizes

BOMB = """
import io, resource, struct, sys
sys.path[:0] = sys.argv[2:]
import pptpcap
from zip_builder import DEFLATED, Member, archive, deflated
part = (struct.pack("<IIII", 1, 2, 250_000, 250_000) + bytes(250_000)) * 800
octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0, 1) + part
found = archive(Member(b"a", octets, behind=sys.argv[1]), Member(b"zeros", bytes(100 << 20), behind=sys.argv[1]))
del part, octets
assert len(found) * 500 < 300 << 20
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for what, engine in ((found, "compiled"), (type("Reader", (), {"read": io.BytesIO(found).read})(), "reference")):
    for last in pptpcap.iterate(what, engine=engine, batch_bytes=1 << 20): pass
    assert last.summary.packets == 800 and not last.summary.damaged
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize("behind", ["", "signed"])
def test_bomb_takes_time_and_no_memory(behind):
    arguments = [sys.executable, "-c", BOMB, behind, str(TESTS / "support")]
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 80, f"{run.stdout} MiB"


def test_end_of_deflate_is_found_at_any_size(engine):
    for size in (0, 1, 16 << 10, (16 << 10) + 1):
        content = Random(1).randbytes(size)
        several = [Member(b"a", content, behind="signed"), Member(b"b", MSS88, behind="plain")]
        capture = pptpcap.read(Reader(archive(*several)), engine=engine)
        assert [file.packets for file in capture.summary.files] == [0, 109]
    assert deflated(b"") == b"\3\0"
    assert DEFLATED == 8

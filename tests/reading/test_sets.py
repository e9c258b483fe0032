"""Sets of files (decoding 1.11): their order, those without packets, and the captures that people have of such sets."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import struct
from pathlib import Path

import pytest
from builder import RAW, gre, ipv4
from commands import MSS88, call, shell
from helpers import column, decode, issues, same
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import started
from places import CAPTURES

import pptpcap
from pptpcap._input.opening import items, natural
from pptpcap.wire.status import Kind

FOUND = CAPTURES / "found"
RING = sorted((FOUND / "ring_tcpdump_C").iterdir(), key=lambda path: int(path.name.removeprefix("vpn.pcap") or 0))
MESSAGES = [1, 2, 7, 8, 15, 5, 6, 12, 13, 3, 4]


def capture(*seconds: float) -> bytes:
    """A file with a packet of Enhanced GRE at each of these times, in ns, whose sequence number is the second."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, RAW)]
    for second in seconds:
        packet = ipv4(gre(b"\x00\x57", sequence=int(second)), protocol=47)
        whole, fraction = divmod(round(second * 10**9), 10**9)
        parts += [struct.pack("<IIII", whole, fraction, len(packet), len(packet)), packet]
    return b"".join(parts)


def sequences(got) -> list[int]:
    return column(got, "gre", "sequence_number")


def written(folder: Path, **files: bytes) -> list[Path]:
    paths = []
    for name, octets in files.items():
        paths.append(folder / name)
        paths[-1].write_bytes(octets)
    return paths


# ---- captures of such sets


@pytest.mark.parametrize("name", ["base", "container_pcap_2_3", "trailing_zeros", "concat_two_pcaps"])
@pytest.mark.parametrize("kind", ["file", "bytes", "pipe"])
def test_found_captures(engine, name, kind):
    path = FOUND / f"{name}.pcap"
    octets = path.read_bytes()
    source = {"file": path, "bytes": octets, "pipe": io.BytesIO(octets)}[kind]
    got = pptpcap.read(source, engine=engine)  # type: ignore[arg-type]
    times = 2 if name == "concat_two_pcaps" else 1
    assert got.summary.packets == 37 * times
    assert column(got, "messages", "control_message_type") == MESSAGES * times
    assert (len(got.gre), len(got.ppp), len(got.connections), len(got.calls)) == (20 * times, 13 * times, times, times)
    assert str(got.summary.earliest) == "2023-11-14T22:13:20.010000000"
    assert str(got.summary.latest) == (
        "2023-11-14T22:15:00.370000000" if times == 2 else "2023-11-14T22:13:20.370000000"
    )
    zeros = [(38, "CONTAINER", "ZEROS", 8064, 4096)] if name == "trailing_zeros" else []
    assert issues(got) == zeros
    assert got.summary.damaged is bool(zeros)


def test_ring_by_its_pattern(engine):
    """The numbers of ``tcpdump -C`` have no zeros in front."""
    got = pptpcap.read(str(FOUND / "ring_tcpdump_C" / "vpn.pcap*"), engine=engine)
    assert [Path(file.path).name for file in got.summary.files] == ["vpn.pcap", *(f"vpn.pcap{n}" for n in range(1, 12))]
    assert issues(got) == []
    (call,) = got.calls
    assert (call["pns_packets"], call["pac_packets"], call["pns_lost"], call["pac_lost"]) == (66, 67, 0, 0)
    assert (call["pns_reordered"], call["pac_reordered"]) == (0, 0)


def test_ring_in_the_order_of_its_names(engine):
    """10 and 11 before 2: told once, where it goes back."""
    got = pptpcap.read(sorted(RING), engine=engine)
    assert [issue for issue in issues(got) if issue[2] == "FILES_OUT_OF_ORDER"] == [
        (48, "CONTAINER", "FILES_OUT_OF_ORDER", 3, 4)
    ]
    sorted_again = pptpcap.read(sorted(RING), engine=engine, order="time")
    same(decode(sorted(RING), engine, order="time"), decode(RING, engine), "sorted by time")
    assert [file.path for file in sorted_again.summary.files] == [str(path) for path in RING]


@pytest.mark.parametrize("begin", [1, 5, 11])
def test_ring_that_began_anew(engine, begin):
    """``tcpdump -W`` writes over its first files: the oldest is somewhere in the middle."""
    wrapped = RING[begin:] + RING[:begin]
    assert "FILES_OUT_OF_ORDER" in {issue[2] for issue in issues(pptpcap.read(wrapped, engine=engine))}
    same(decode(wrapped, engine, order="time"), decode(RING, engine), "sorted by time")


# ---- files without packets


EMPTY = {"empty": b"", "header": capture(), "section": started("<").octets}


@pytest.mark.parametrize("name", EMPTY)
def test_file_without_packets_alone(engine, tmp_path, name):
    (path,) = written(tmp_path, vpn=EMPTY[name])
    for source in (path, EMPTY[name], io.BytesIO(EMPTY[name])):
        got = pptpcap.read(source, engine=engine)
        assert issues(got) == [(1, "CONTAINER", "NO_PACKETS", 1, 0)]
        assert got.summary.packets == 0 and not got.summary.damaged
        assert got.summary.files[0].size == len(EMPTY[name])
    assert pptpcap.read(EMPTY["empty"], engine=engine).summary.files[0].format == "empty"
    code, out, err = call("info", path)
    assert (code, err) == (
        0,
        f"pptpcap: {path}: packet 1, offset {got.issues['record_offset'][0]}: the file holds no packets\n",
    )
    assert "CONTAINER NO_PACKETS" in out


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_file_without_packets_in_a_set(engine, name, place):
    """The others are read; their streams, numbers and times go on."""
    files = [capture(1, 2), capture(3, 4)]
    files.insert(place, EMPTY[name])
    for how in ({}, {"order": "time"}, {"threads": 2}):
        got = pptpcap.read(files, engine=engine, **how)
        assert sequences(got) == [1, 2, 3, 4]
        told = got.issues
        at = 2 if how.get("order") else place
        assert [(row["file"], row["packet"], Kind(row["kind"])) for row in told] == [(at, 2 * at + 1, Kind.NO_PACKETS)]
    batches = list(pptpcap.iterate(files, batch_packets=1, engine=engine))
    assert sum(len(batch.issues) for batch in batches) == 1


def test_standard_input_without_octets():
    run = shell("$P info - < /dev/null 2>&1 | grep -c 'holds no packets'; true | $P calls -")
    assert (run.returncode, run.stdout.splitlines()[0]) == (0, "2")
    assert "the file holds no packets" in run.stderr


def test_a_cut_file_is_damaged_and_no_more(engine):
    assert [issue[2] for issue in issues(pptpcap.read(capture(1)[:30], engine=engine))] == ["TRUNCATED_RECORD"]


def test_errors_raise(engine):
    with pytest.raises(pptpcap.IssueError, match="the file holds no packets"):
        pptpcap.read(b"", engine=engine, errors="raise")


# ---- order


def test_a_file_that_begins_before_the_one_in_front_ended(engine, tmp_path):
    paths = written(tmp_path, a=capture(5, 6), b=b"", c=capture(1, 2), d=capture(3))
    whole = decode(paths, engine)
    told = [
        (3, "CONTAINER", "FILES_OUT_OF_ORDER", 0, 2),
        (3, "CONTAINER", "CLOCK_BACK", 0, 5 * 10**9),
    ]
    assert [issue for issue in issues(whole) if issue[2] != "NO_PACKETS"] == told
    assert column(whole, "issues", "file")[1:] == [2, 2]
    for size in (1, 2, 3):
        found = list(pptpcap.iterate(paths, batch_packets=size, engine=engine))
        assert [issue for batch in found for issue in issues(batch)] == issues(whole)
    code, out, err = call("info", *paths)
    assert code == 0
    place = f"packet 3, offset 24: file {paths[2]} begins before file {paths[0]}, which stands in front of it, ended"
    assert place in out
    assert f"pptpcap: {paths[2]}: {place}" in err
    with pytest.raises(pptpcap.IssueError, match="begins before file"):
        pptpcap.read([paths[0], *paths[2:]], engine=engine, errors="raise")


@pytest.mark.parametrize("back", [0.0, 0.5, 0.999999999, 1.0])
def test_less_than_a_second_is_no_other_order(engine, back):
    """Packets of several queues are out of order by less."""
    told = [issue[2] for issue in issues(decode([capture(7), capture(7 - back)], engine))]
    assert told == (["FILES_OUT_OF_ORDER", "CLOCK_BACK"] if back == 1.0 else [])


def test_a_clock_that_goes_back_inside_a_file_is_no_matter_of_files(engine):
    assert [issue[2] for issue in issues(decode([capture(7), capture(8, 1)], engine))] == ["CLOCK_BACK"]


@given(order=st.permutations(range(5)))
def test_any_order_is_sorted(order):
    """Files of one time keep their order, and stand in front of those without."""
    files = [capture(1, 9), capture(2), capture(2, 3), capture(), b""]
    for engine in ("compiled", "reference"):
        got = pptpcap.read([files[place] for place in order], engine=engine, order="time")
        twos = [[2], [2, 3]] if order.index(1) < order.index(2) else [[2, 3], [2]]
        assert sequences(got) == [1, 9, *itertools.chain(*twos)]
        assert [file.packets for file in got.summary.files][3:] == [0, 0]


def test_first_time_of_other_containers(engine, tmp_path):
    """Of pcapng the first packet with a time, of joined files the first part that has one; compressed or not."""
    packet = ipv4(gre(b"\x00\x57", sequence=1), protocol=47)
    blocks = started("<", link=RAW).simple(packet).packet(packet, 0, 4_000_000).octets
    files = [capture(5), gzip.compress(capture() + capture(3)), blocks, gzip.compress(capture(2))]
    got = pptpcap.read(files, engine=engine, order="time")
    assert [file.compression or file.format for file in got.summary.files] == ["gzip", "gzip", "pcapng", "pcap"]
    assert column(got, "gre", "sequence_number") == [2, 3, 1, 1, 5]


def test_what_can_be_read_once_is_not_sorted(engine, tmp_path):
    with pytest.raises(ValueError, match="read twice"):
        pptpcap.read([io.BytesIO(capture(1)), capture(2)], engine=engine, order="time")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="read twice"):
        pptpcap.read([pipe, capture(2)], engine=engine, order="time")
    assert pptpcap.read(io.BytesIO(capture(1)), engine=engine, order="time").summary.packets == 1
    code, _, err = call("info", "--sort", "-", MSS88)
    assert code == 2 and "--sort reads each FILE twice" in err
    code, _, err = call("info", "--sort", pipe, MSS88)
    assert code == 2 and "--sort reads each FILE twice" in err
    with pytest.raises(ValueError, match="order must be one of given, time"):
        pptpcap.read(capture(1), order="name")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        pptpcap.read([tmp_path / "missing", capture(1)], engine=engine, order="time")


def test_the_search_for_a_time_is_short():
    """A large file without times is not read twice."""
    packet = ipv4(gre(b"\x00\x57", sequence=1), protocol=47)
    timeless = started("<", link=RAW)
    for _ in range(30_000):
        timeless.simple(packet)
    got = pptpcap.read([timeless.octets, capture(1)], order="time")
    assert got.summary.files[1].packets == 30_000


# ---- names


@pytest.mark.parametrize(
    "names",
    [
        ["vpn.pcap", "vpn.pcap1", "vpn.pcap2", "vpn.pcap10", "vpn.pcap11", "vpn.pcap100"],
        ["vpn.pcap.gz", "vpn.pcap1.gz", "vpn.pcap2.zst", "vpn.pcap10"],
        ["a/2/x", "a/10/x", "a-1/x"],
        ["x_00001_20231114221320.pcapng", "x_00002_20231114221320.pcapng", "x_00010_20231114221320.pcapng"],
        ["7", "007", "8", "a7", "a7b"],
        ["1" * 250, "2" * 250],
        ["\u0661", "\u0662"],
    ],
)
def test_natural_order(names):
    key = lambda name: natural(name)[0]  # noqa: E731
    for several in itertools.permutations(names) if len(names) < 5 else [names, names[::-1]]:
        assert [*map(key, sorted(several, key=natural))] == [*map(key, names)]


def test_names_that_are_alike_have_an_order():
    assert sorted(["a1.gz", "a01", "a1", "a001"], key=natural) == sorted(["a001", "a01", "a1", "a1.gz"], key=natural)


@given(st.lists(st.text("a1/.0gz\u0663", min_size=1, max_size=8)))
def test_any_names_can_be_sorted(names):
    found = sorted(names, key=natural)
    backwards = [*reversed(names)]
    assert sorted(backwards, key=natural) == found


def test_pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("v10", "v9", "v1", "v"):
        Path(name).write_bytes(b"")
    assert items("v*") == ["v", "v1", "v9", "v10"]
    assert items(["v10", "v?"]) == ["v10", "v1", "v9"]


# ---- folders


def test_folders(engine, tmp_path):
    (tmp_path / "2023" / "b").mkdir(parents=True)
    written(tmp_path / "2023", **{"vpn.pcap10": capture(4), "vpn.pcap9": capture(3), "notes.txt": b"a note\n"})
    written(tmp_path / "2023" / "b", **{"a.pcap": capture(1)})
    written(tmp_path, last=capture(9))
    code, out, err = call("info", "--engine", engine, "-r", tmp_path / "2023", tmp_path / "last")
    assert code == 0
    names = ["b/a.pcap", "vpn.pcap9", "vpn.pcap10"]
    assert [line.strip() for line in out.splitlines() if str(tmp_path) in line] == [
        *(f"{tmp_path}/2023/{name}" for name in names),
        f"{tmp_path}/last",
    ]
    notes = tmp_path / "2023" / "notes.txt"
    assert err == f"pptpcap: left out: {notes}: at offset 0: found text, expected a pcap or pcapng file\n"
    code, out, _ = call("info", "-r", "--sort", tmp_path)
    assert out.index("b/a.pcap") < out.index("vpn.pcap9") < out.index("vpn.pcap10") < out.index(f"{tmp_path}/last")


def test_links_to_nothing_are_left_out(tmp_path):
    written(tmp_path, **{"a.pcap": capture(1)})
    for name, target in (("gone", "nowhere"), ("loop", "loop")):
        (tmp_path / name).symlink_to(target)
    code, out, err = call("info", "-r", tmp_path)
    assert code == 0 and f"{tmp_path}/a.pcap" in out
    assert err == "".join(
        f"pptpcap: left out: {tmp_path}/{name}: at offset 0: found a link to nothing, expected a pcap or pcapng file\n"
        for name in ("gone", "loop")
    )


def test_a_folder_without_a_capture(tmp_path):
    assert call("info", "-r", tmp_path) == (1, "", f"pptpcap: {tmp_path}: no capture in the folder\n")
    assert call("info", tmp_path)[0] == 1


def test_each_of_a_folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, **{"vpn.pcap": capture(1)})
    out = tmp_path / "out"
    assert call("convert", "-o", out, "--each", "-r", tmp_path / "a", tmp_path / "b")[0] == 0
    assert {str(path.relative_to(out)) for path in out.rglob("capture.json")} == {
        "a/vpn.pcap/capture.json",
        "b/vpn.pcap/capture.json",
    }

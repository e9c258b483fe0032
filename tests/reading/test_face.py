"""What people call: `read`, `iterate`, `Capture`."""

from __future__ import annotations

import copy
import io
import mmap
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from helpers import names_of
from places import CAPTURES

import pptpcap
from pptpcap import schema
from pptpcap._input import views
from pptpcap._reading import batches
from pptpcap.engine import COUNTERS
from pptpcap.wire.status import Kind

MSS88 = CAPTURES / "mss88.pcap"
ALL15 = CAPTURES / "synthetic_scapy_all15.pcap"
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def same(one, other):
    # To the bit: NaT is not equal to itself.
    return all(one[name].tobytes() == other[name].tobytes() for name in schema.TABLE_NAMES)


def joined(batches):
    """Tables of all batches: events strung together, entities of the last."""
    tables = {name: np.concatenate([batch[name] for batch in batches]) for name in schema.EVENTS}
    return tables | {name: batches[-1][name] for name in schema.ENTITIES}


# ---- sources


def test_every_kind_of_source_gives_the_same_rows(engine, tmp_path, monkeypatch):
    octets = MSS88.read_bytes()
    expected = pptpcap.read(MSS88, engine=engine)
    assert len(expected.messages) == 17
    monkeypatch.chdir(CAPTURES)
    with open(MSS88, "rb") as file, open(MSS88, "rb", buffering=0) as raw:
        for what in (str(MSS88), [MSS88], "mss88.pca?", octets, bytearray(octets), memoryview(octets), file, raw):
            assert same(pptpcap.read(what, engine=engine), expected)
        assert not file.closed
    with open(MSS88, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert same(pptpcap.read(memoryview(mapped), engine=engine), expected)


def test_file_object_is_read_from_where_it_stands(engine):
    stream = io.BytesIO(b"before" + MSS88.read_bytes())
    stream.seek(6)
    capture = pptpcap.read(stream, engine=engine)
    assert same(capture, pptpcap.read(MSS88, engine=engine))
    assert capture.summary.files[0].size == MSS88.stat().st_size


class Trickle(io.RawIOBase):
    """A pipe that gives a few octets at a time."""

    def __init__(self, octets, most):
        self.octets, self.most = octets, most

    def read(self, size=-1):
        part, self.octets = self.octets[: min(size, self.most)], self.octets[min(size, self.most) :]
        return part


@pytest.mark.parametrize("window", [64, 101, 1000])
def test_windows_of_a_stream_change_no_row(engine, monkeypatch, window):
    monkeypatch.setattr(views, "CHUNK", window)
    octets = MSS88.read_bytes()
    for cut in (len(octets), 3000, 3007, 24):
        expected = pptpcap.read(octets[:cut], engine=engine)
        capture = pptpcap.read(Trickle(octets[:cut], 7), engine=engine)
        assert same(capture, expected)
        assert capture.summary.damaged == expected.summary.damaged
        assert capture.summary.counters == expected.summary.counters


def test_list_is_one_capture(engine):
    octets = MSS88.read_bytes()
    whole = pptpcap.read(octets, engine=engine)
    cut = int(whole.gre["record_offset"][20])
    parts = pptpcap.read([octets[:cut], HEADER + octets[cut:]], engine=engine)
    for name in ("messages", "gre"):
        for column in set(names_of(whole[name])) - {"file", "record_offset"}:
            assert np.array_equal(parts[name][column], whole[name][column]), (name, column)
    assert len(parts.connections) == 1
    assert set(parts.gre["file"].tolist()) == {0, 1}
    assert parts.gre["record_offset"][20] == 24
    assert [file.packets for file in parts.summary.files] == [
        whole.gre["packet"][20] - 1,
        110 - whole.gre["packet"][20],
    ]


def test_pattern_is_sorted_unless_a_file_has_that_name(engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.pcap", "a.pcap", "[ab].pcap"):
        Path(name).write_bytes(HEADER)
    assert [file.path for file in pptpcap.read("?.pcap", engine=engine).summary.files] == ["a.pcap", "b.pcap"]
    assert [file.path for file in pptpcap.read("[ab].pcap", engine=engine).summary.files] == ["[ab].pcap"]
    with pytest.raises(FileNotFoundError, match="no file matches"):
        pptpcap.read("*.nothing", engine=engine)


def test_damaged_file_of_a_list_does_not_stop_the_others(engine):
    octets = MSS88.read_bytes()
    capture = pptpcap.read([octets[:1000], octets], engine=engine)
    assert capture.summary.damaged
    assert [file.damaged for file in capture.summary.files] == [True, False]
    assert capture.summary.files[1].packets == 109


# ---- files that change, and files of nothing


def test_file_that_shrinks_while_it_is_read_is_an_error_and_no_crash(engine, tmp_path):
    path = tmp_path / "shrinks.pcap"
    path.write_bytes(MSS88.read_bytes())
    batches = pptpcap.iterate(path, batch_packets=10, engine=engine)
    next(batches)
    os.truncate(path, 5000)
    with pytest.raises(pptpcap.CaptureError, match="shrank") as caught:
        list(batches)
    assert caught.value.offset == 5000


def test_file_that_grows_while_it_is_read_is_read_as_it_was(engine, tmp_path):
    path = tmp_path / "grows.pcap"
    octets = MSS88.read_bytes()
    path.write_bytes(octets)
    batches = pptpcap.iterate(path, batch_packets=10, engine=engine)
    first = next(batches)
    with open(path, "ab") as file:
        file.write(octets[24:])
    rest = list(batches)
    assert rest[-1].summary.packets == 109
    assert len(first.summary.files) == 1


def test_capture_without_packets(engine):
    capture = pptpcap.read(HEADER, engine=engine)
    assert all(len(table) == 0 for name, table in capture.items() if name != "issues")
    assert capture.issues["kind"].tolist() == [Kind.NO_PACKETS]
    assert capture.summary.packets == 0
    assert np.isnat(capture.summary.earliest)
    assert not capture.summary.damaged
    assert len(list(pptpcap.iterate(HEADER, engine=engine))) == 1


@pytest.mark.parametrize("upper", [0, 0x1400_0000, 0x03FF_0000])
def test_upper_bits_of_the_link_type_are_no_link_type(upper):
    octets = MSS88.read_bytes()
    changed = octets[:20] + struct.pack("<I", 1 | upper) + octets[24:]
    assert same(pptpcap.read(changed), pptpcap.read(octets))
    assert pptpcap.read(changed).summary.files[0].link == "ETHERNET"


# ---- arguments


@pytest.mark.parametrize("call", [pptpcap.read, pptpcap.iterate])
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"tables": ["gre", "nope"]}, ValueError, "no such table: nope; there are messages, "),
        ({"ports": ()}, ValueError, "at least one"),
        ({"ports": (0,)}, ValueError, "from 1 to 65535"),
        ({"ports": (65536,)}, ValueError, "from 1 to 65535"),
        ({"ports": ("1723",)}, TypeError, "integer"),
        ({"errors": "ignore"}, ValueError, "errors must be one of keep, raise"),
        ({"on_corrupt": "guess"}, ValueError, "on_corrupt must be one of stop, salvage"),
        ({"engine": "fast"}, ValueError, "compiled, reference"),
        ({"source": 5}, TypeError, "int"),
        ({"source": []}, ValueError, "no files"),
        ({"source": [MSS88, 5]}, TypeError, "int"),
        ({"source": None}, TypeError, "NoneType"),
    ],
)
def test_wrong_arguments_are_told_at_the_call(call, arguments, error, words):
    with pytest.raises(error, match=words):
        call(**{"source": MSS88, **arguments})


@pytest.mark.parametrize("arguments", [{"batch_bytes": 0}, {"batch_packets": 0}])
def test_batches_hold_something(arguments):
    with pytest.raises(ValueError, match="at least 1"):
        pptpcap.iterate(MSS88, **arguments)


def test_text_file_object_is_refused():
    with pytest.raises(TypeError, match="binary mode"):
        pptpcap.read(io.StringIO("text"))


def test_tables_limit_what_is_given(engine):
    whole = pptpcap.read(ALL15, engine=engine)
    some = pptpcap.read(ALL15, tables=["tunnels", "messages"], engine=engine)
    assert list(some) == ["messages", "tunnels"]
    assert np.array_equal(some.messages, whole.messages)
    assert np.array_equal(some.tunnels, whole.tunnels)
    with pytest.raises(KeyError, match="'gre' is not among the tables: messages, tunnels"):
        some["gre"]
    with pytest.raises(AttributeError):
        _ = some.gre
    assert list(pptpcap.read(ALL15, tables="gre", engine=engine)) == ["gre"]
    assert list(pptpcap.read(ALL15, tables=(), engine=engine)) == []


def test_errors_can_be_raised(engine):
    with pytest.raises(pptpcap.IssueError, match="PPP_OPTION at packet 22, offset 2294") as caught:
        pptpcap.read(ALL15, errors="raise", engine=engine)
    assert caught.value.issue["packet"] == 22
    assert pptpcap.read(MSS88, errors="raise", engine=engine).summary.packets == 109
    with pytest.raises(pptpcap.IssueError, match="TRUNCATED_RECORD"):
        pptpcap.read(MSS88.read_bytes()[:-1], errors="raise", tables=(), engine=engine)


def test_ports_are_an_argument(engine):
    assert len(pptpcap.read(MSS88, ports=[40306], engine=engine).messages) == 17
    assert len(pptpcap.read(MSS88, ports=[1], engine=engine).messages) == 0


def test_progress_is_told(engine, capsys):
    told: list[tuple[int, int | None]] = []
    pptpcap.read([MSS88, ALL15], progress=lambda walked, total: told.append((walked, total)), engine=engine)
    total = MSS88.stat().st_size + ALL15.stat().st_size
    assert [all_of_it for _, all_of_it in told] == [total] * len(told)
    assert [walked for walked, _ in told] == sorted({walked for walked, _ in told})
    assert told[-1][0] == total
    pptpcap.read(io.BytesIO(MSS88.read_bytes()), progress=lambda *both: told.append(both), engine=engine)
    assert told[-1][1] is None
    pptpcap.read(MSS88, progress=True, engine=engine)
    assert capsys.readouterr().out == ""


# ---- batches


@pytest.mark.parametrize(
    "arguments", [{"batch_packets": 1}, {"batch_packets": 7}, {"batch_bytes": 1}, {"batch_bytes": 999}, {}]
)
def test_batches_are_the_capture(engine, arguments):
    for path in (MSS88, ALL15):
        whole = pptpcap.read(path, engine=engine)
        batches = list(pptpcap.iterate(path, engine=engine, **arguments))
        assert same(joined(batches), whole)
        assert batches[-1].summary == whole.summary
        for name in schema.EVENTS:
            before = np.cumsum([0, *(len(batch[name]) for batch in batches)])[:-1]
            assert [batch.first_row[name] for batch in batches] == before.tolist()
        for batch in batches[:-1]:
            assert all(len(batch[name]) == 0 for name in schema.ENTITIES)
            assert batch.summary.packets <= whole.summary.packets


def test_batches_have_as_many_packets_as_asked_for(engine):
    batches = list(pptpcap.iterate([MSS88, ALL15], batch_packets=50, engine=engine))
    assert [batch.summary.packets for batch in batches] == [50, 100, 150, 175]
    assert len(list(pptpcap.iterate(MSS88, batch_packets=109, engine=engine))) == 1


def test_ranges_of_a_read_change_no_row(engine, monkeypatch):
    whole = pptpcap.read(MSS88, engine=engine)
    for octets in (1, 100, 4096):
        monkeypatch.setattr(batches, "_RANGE", octets)
        monkeypatch.setattr(batches, "_LARGE_RANGE", octets)
        assert same(pptpcap.read(MSS88, engine=engine), whole)


def test_iteration_that_is_given_up_closes_the_file(engine):
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    batches = pptpcap.iterate(MSS88, batch_packets=1, engine=engine)
    next(batches)
    batches.close()
    if descriptors is not None:
        assert len(os.listdir("/proc/self/fd")) == descriptors


# ---- Capture


def test_capture_is_a_mapping_with_attributes(engine):
    capture = pptpcap.read(MSS88, engine=engine)
    assert list(capture) == list(schema.TABLE_NAMES)
    assert len(capture) == len(schema.TABLE_NAMES)
    assert "gre" in capture
    assert "nope" not in capture
    assert capture.gre is capture["gre"]
    assert set(schema.TABLE_NAMES) <= set(dir(capture))
    for name in capture:
        assert capture[name].dtype == schema.dtype(name)
        assert capture[name].dtype.isnative
    with pytest.raises(AttributeError, match="nope"):
        _ = capture.nope  # type: ignore[attr-defined]
    assert capture == capture
    assert capture != pptpcap.read(MSS88, engine=engine)
    assert len({capture}) == 1


def test_arrays_are_the_callers_own(engine):
    capture = pptpcap.read(MSS88, engine=engine)
    for table in capture.values():
        assert table.flags.writeable
    before = pptpcap.read(MSS88, engine=engine)
    capture.gre["call_id"] = 7
    assert same(before, pptpcap.read(MSS88, engine=engine))


def test_capture_can_be_copied_and_pickled(engine):
    capture = pptpcap.read(ALL15, engine=engine)
    for other in (pickle.loads(pickle.dumps(capture)), copy.copy(capture), copy.deepcopy(capture)):
        assert same(other, capture)
        assert other.summary.counters == capture.summary.counters
        assert other.first_row == capture.first_row


def test_summary_says_what_was_read(engine):
    summary = pptpcap.read([MSS88, ALL15], engine=engine).summary
    assert tuple(summary.counters) == COUNTERS
    assert summary.packets == 175
    assert summary.gre_packets == 57 + 22
    assert summary.captured_octets == summary.original_octets == 13996 + 5906
    assert summary.earliest == np.datetime64("2026-11-22T13:02:48.997012", "ns")
    assert summary.latest == np.datetime64("2026-11-22T13:18:50.569299", "ns")
    assert not summary.damaged
    assert set(COUNTERS) <= set(dir(summary))
    with pytest.raises(AttributeError, match="nope"):
        _ = summary.nope  # type: ignore[attr-defined]
    first = summary.files[0]
    assert (first.path, first.format, first.byte_order, first.resolution) == (str(MSS88), "pcap", "little", "us")
    assert (first.link_type, first.link, first.snap_length) == (1, "ETHERNET", 262144)
    assert (first.size, first.packets, first.damaged) == (MSS88.stat().st_size, 109, False)


def test_representations_show_tables_and_escape_names(engine, tmp_path):
    path = tmp_path / "\x1b[31m<i>\u202e.pcap"
    path.write_bytes(MSS88.read_bytes()[:-1])
    capture = pptpcap.read(path, engine=engine)
    for text in (repr(capture), capture._repr_html_()):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[31m" in text
        assert "108 packets" in text
        assert "damaged" in text
        assert "messages" in text
        assert "echo_request" in text
        assert "set_link_info" not in text
    assert "<i>" not in capture._repr_html_()
    assert repr(pptpcap.read(HEADER)).startswith("<pptpcap.Capture: <bytes>, 0 packets>")

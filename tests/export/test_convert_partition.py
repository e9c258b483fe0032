"""Files for each day or hour: which rows are in which, that libraries read a folder of them, and whose files are there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from builder import gre, gre_frame, pcap
from call_builder import Session, octets, packet
from captures import lab
from cells import cells, duckdb, from_arrow, from_csv, from_frame, from_relation, pandas, polars
from commands import ALL15, MSS88, call
from pcapng_builder import started, tsoffset, tsresol
from pyarrows import pyarrow
from test_convert_folder import listed, state

import pptpcap
from pptpcap import schema
from pptpcap.export import convert

pytestmark = pytest.mark.slow

PART = ".pptpcap.part"
CONFIGURE = octets(packet("c021", 1, "0702 01040578"))
SECOND = 10**9
# 2025-01-31T14:00:00Z
TWO = 1_738_332_000 * SECOND

# When each packet of a conversation was captured, and the hour; the first three open the connection.
TIMES = [
    (TWO - 10 * SECOND, "2025-01-31T13"),
    (TWO - 9 * SECOND, "2025-01-31T13"),
    (TWO - 8 * SECOND, "2025-01-31T13"),
    (TWO - 1, "2025-01-31T13"),
    (TWO, "2025-01-31T14"),
    (TWO + 3_600 * SECOND - 1, "2025-01-31T14"),
    (TWO + 3_600 * SECOND, "2025-01-31T15"),
    (TWO + SECOND, "2025-01-31T14"),
    (TWO + 36_000 * SECOND, "2025-02-01T00"),
    (-1, "1969-12-31T23"),
    (None, "unknown"),
]


def hours() -> bytes:
    """A request, a reply, and six packets of the client, each with an LCP packet that has two options."""
    talk = Session().outgoing(7, 9)
    for sequence in range(6):
        talk.client_sends(9, sequence, payload=CONFIGURE)
    file = started("<", options=[tsresol(9)]).interface(options=[tsresol(9), tsoffset("<", -1)])
    for frame, (time, _) in zip(talk.frames(), TIMES, strict=True):
        if time is None:
            file.simple(frame)
        else:
            # The second interface begins a second before 1970.
            file.packet(frame, int(time < 0), time + SECOND * (time < 0))
    return file.octets


def inside(folder) -> dict[str, list[str]]:
    """Files in the folders of a folder, without endings."""
    return {
        above: sorted(name.rpartition(".")[0] for name in os.listdir(folder / above))
        for above in listed(folder)
        if (folder / above).is_dir()
    }


def read_all(path) -> Any:
    return pyarrow.parquet.read_table(path).sort_by("gre" if "gre" in str(path) else "row")


def test_hours(tmp_path):
    done = convert(hours(), tmp_path, partition="hour", format="csv")
    assert (done.rows["gre"], done.rows["ppp_options"], done.rows["messages"]) == (6, 12, 2)
    found = inside(tmp_path)
    assert found["messages"] == found["outgoing_call_request"] + found["outgoing_call_reply"]
    assert found["messages"] == ["2025-01-31T13", "2025-01-31T14"]
    assert found["gre"] == found["ppp"] == found["ppp_options"]
    assert found["gre"] == ["1969-12-31T23", "2025-01-31T14", "2025-01-31T15", "2025-02-01T00", "unknown"]
    keys = {}
    for hour in found["gre"]:
        names, *rows = from_csv((tmp_path / "gre" / f"{hour}.csv").read_text("ascii"))
        keys[hour] = [row[names.index("gre")] for row in rows]
    assert keys == {
        "1969-12-31T23": ["4"],
        "2025-01-31T14": ["0", "2"],
        "2025-01-31T15": ["1"],
        "2025-02-01T00": ["3"],
        "unknown": ["5"],
    }
    names, *rows = from_csv((tmp_path / "ppp_options" / "2025-01-31T14.csv").read_text("ascii"))
    assert [row[names.index("ppp")] for row in rows] == ["0", "0", "2", "2"]
    # Without rows, a file with the columns; connections, tunnels and calls last from one hour to another.
    assert found["echo_request"] == found["set_link_info"] == ["unknown"]
    assert {"calls.csv", "tunnels.csv", "connections.csv"} <= set(listed(tmp_path)) and "calls" not in found


def test_days(tmp_path):
    convert(hours(), tmp_path, partition="day", tables=["gre", "calls"])
    assert inside(tmp_path) == {"gre": ["1969-12-31", "2025-01-31", "2025-02-01", "unknown"]}
    assert read_all(tmp_path / "gre" / "2025-01-31.parquet")["sequence_number"].to_pylist() == [0, 1, 2]


READERS = {
    "pyarrow": lambda path: from_arrow(pyarrow.parquet.read_table(path)),
    "pandas": lambda path: from_arrow(pyarrow.Table.from_pandas(pandas.read_parquet(path))),
    "polars": lambda path: from_frame(polars.read_parquet(path)),
    "duckdb": lambda path: from_relation(duckdb.sql(f"from '{path}/*.parquet'")),
}


@pytest.mark.parametrize("source", ["hours", "multi8_clients.server.pcap"])
def test_libraries_read_a_folder_as_a_table(tmp_path, source):
    """Without an option, with the columns of the table and no others."""
    data = hours() if source == "hours" else lab(source)
    capture = pptpcap.read(data)
    convert(data, tmp_path, partition="hour")
    for table in schema.EVENTS:
        wanted = cells(capture, table)
        key = next(iter(wanted))
        for reader, read in READERS.items():
            found = read(tmp_path / table)
            assert list(found) == list(wanted), (table, reader)
            order = np.argsort(np.array(found[key], np.int64), kind="stable")
            found = {name: [values[place] for place in order] for name, values in found.items()}
            if reader == "pandas":
                # Numbers of a column with a null are floating-point numbers there.
                assert found[key] == wanted[key], table
            else:
                assert found == wanted, (table, reader)


def swinging(count: int) -> bytes:
    """Packets of five hours in turns."""
    header = pcap([])
    frame = gre_frame(gre(octets("c021 0901000a a1b2c3d4 0000"), 7, 0))
    times = 1_738_332_000 + 3_600 * (np.arange(count) % 5)
    rows = np.tile(np.frombuffer(pcap([frame])[len(header) :], np.uint8), (count, 1))
    rows[:, 0:4] = times.astype("<u4").view(np.uint8).reshape(-1, 4)
    return header + rows.tobytes()


@pytest.mark.parametrize("format_name", ["parquet", "arrow", "csv", "npy"])
def test_more_hours_than_files_that_are_open(tmp_path, monkeypatch, format_name):
    """A file that was closed is not opened again; rows go to a further one.  Batches make no difference."""
    monkeypatch.setattr("pptpcap.export.output._GROUP_ROWS", 2_000)
    most, descriptors = [], []

    def look(_):
        descriptors.append(len(os.listdir("/proc/self/fd")))

    results = []
    for size in (16 << 20, 70_000, 123_457):
        monkeypatch.setattr("pptpcap.export.conversion._BATCH_BYTES", size)
        folder = tmp_path / str(size)
        most.append(len(os.listdir("/proc/self/fd")))
        convert(swinging(9_000), folder, format=format_name, partition="hour", tables=["gre", "ppp"], watch=look)
        results.append({str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob(f"*.{format_name}")})
    assert results[0] == results[1] == results[2]
    assert max(descriptors) - min(most) <= 4 * 2 + 12
    names = sorted(name for name in results[0] if name.startswith("gre/"))
    assert names[:4] == [f"gre/2025-01-31T14.{end}{format_name}" for end in ("2.", "3.", "4.", "5.")]
    assert f"gre/2025-01-31T18.{format_name}" in names and len(names) == 5 * 5
    if format_name == "npy":
        rows = np.concatenate([np.load(folder / name) for name in names])
        assert sorted(rows["packet"].tolist()) == list(range(1, 9_001))


def test_more_files_than_a_table_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr("pptpcap.export.output._MOST_FILES", 4)
    path = tmp_path / "in.pcap"
    path.write_bytes(swinging(100))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = state(tmp_path / "out")
    code, out, err = call("convert", "-o", tmp_path / "out", "--partition", "hour", path)
    assert (code, out) == (1, "") and "more than 4 files: take longer periods" in err
    assert state(tmp_path / "out") == before


# ---- whose files are there


@pytest.fixture
def out(tmp_path):
    """A conversion by the hour, with files of somebody's in its folders."""
    convert(hours(), tmp_path / "out", partition="hour", tables=["gre", "ppp", "calls"])
    for name in ("notes.txt", "mine.parquet", "2025-01-31.txt", "2025-1-31T14.parquet", "old.2025-01-31T14.parquet"):
        (tmp_path / "out" / "gre" / name).write_bytes(b"mine")
    return tmp_path / "out"


def files(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_files_of_hours_are_replaced(out):
    before = files(out)
    theirs = {name: octets for name, octets in before.items() if octets == b"mine"}
    convert(hours(), out, tables=["gre", "ppp", "calls"], overwrite=True)
    whole = files(out)
    # The folder of the other table was empty.
    assert sorted(os.listdir(out)) == [
        "calls.parquet",
        "capture.json",
        "capture.sql",
        "gre",
        "gre.parquet",
        "ppp.parquet",
    ]
    assert {name: whole[name] for name in whole if name.startswith("gre/")} == theirs
    convert(hours(), out, tables=["gre", "ppp", "calls"], partition="hour", overwrite=True)
    after = files(out)
    after.pop("capture.json"), before.pop("capture.json")
    assert after == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_of_somebody_that_has_the_name_of_an_hour(out, overwrite):
    for name in ("2025-01-31T15.parquet", "1999-01-01.csv", "unknown.7.npy"):
        path = out / "gre" / name
        octets = path.read_bytes() if path.exists() else None
        path.write_bytes(b"mine")
        before = state(out)
        with pytest.raises(FileExistsError, match=name):
            convert(MSS88, out, tables=["gre"], partition="hour", overwrite=True)
        assert state(out) == before
        path.unlink() if octets is None else path.write_bytes(octets)


def test_a_file_that_comes_while_the_capture_is_read(tmp_path):
    out = tmp_path / "out"

    def plant(_):
        (out / "gre").mkdir(exist_ok=True)
        (out / "gre" / "2025-01-31T15.parquet").write_bytes(b"mine")

    with pytest.raises(FileExistsError, match="2025-01-31T15"):
        convert(hours(), out, tables=["gre"], partition="hour", watch=plant)
    assert files(out) == {"gre/2025-01-31T15.parquet": b"mine"}


@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_something_else_in_the_place_of_a_folder(out, tmp_path, kind):
    """A link is not followed: what it leads to has the files that the state lists."""
    shutil.move(out / "gre", tmp_path / "elsewhere")
    if kind == "link":
        os.symlink(tmp_path / "elsewhere", out / "gre")
    elif kind == "file":
        (out / "gre").write_bytes(b"mine")
    else:
        os.mkfifo(out / "gre")
    elsewhere, before = state(tmp_path / "elsewhere"), sorted(os.listdir(out))
    for partition in (None, "hour"):
        with pytest.raises(NotADirectoryError, match="gre"):
            convert(MSS88, out, tables=["gre"], partition=partition, overwrite=True)
    assert state(tmp_path / "elsewhere") == elsewhere and sorted(os.listdir(out)) == before


def test_a_state_that_leads_out_of_the_folder(out):
    octets = (out / "capture.json").read_bytes()
    for name in (b"../gre/2025-01-31T14", b"gre/../../x", b"gre//2025-01-31T14", b"gre/2025-01-31T14/x", b"/gre/2025-01-31T14",
                 b"calls/2025-01-31T14", b"gre/2025-01-31T14.0", b"gre/2025-01-31T14.1000000000"):  # fmt: skip
        (out / "capture.json").write_bytes(octets.replace(b'"gre/2025-01-31T14', b'"' + name, 1))
        with pytest.raises(FileExistsError, match="not written by convert"):
            convert(hours(), out, overwrite=True)


KILLED = """
import os, sys
from pptpcap.export import convert
count, replace = 0, os.replace
def killing(*arguments, **more):
    global count
    count += 1
    if count == int(sys.argv[3]):
        os._exit(9)
    replace(*arguments, **more)
os.replace = killing
convert(sys.argv[1], sys.argv[2], tables=["gre"], partition="hour", overwrite=True)
"""


def test_killed_at_each_move(tmp_path):
    """Files of hours replace others; the next run ends in what would have been, and in nothing else."""
    path = tmp_path / "in.pcapng"
    path.write_bytes(hours())
    convert(ALL15, tmp_path / "old", partition="hour", tables=["gre", "ppp", "calls"])
    (tmp_path / "old" / "gre" / "notes.txt").write_bytes(b"mine")
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    convert(path, tmp_path / "new", tables=["gre"], partition="hour", overwrite=True)
    # A state; the old views and an old file; five new ones, and the views; a state.
    assert inside(tmp_path / "old")["gre"] == ["2026-11-22T13", "notes"]
    moves = 1 + 2 + (5 + 1) + 1
    for at in range(1, moves + 1):
        out = tmp_path / str(at)
        shutil.copytree(tmp_path / "old", out)
        run = subprocess.run([sys.executable, "-c", KILLED, path, out, str(at)], check=False, timeout=60)
        assert run.returncode == 9
        done = convert(path, out, tables=["gre"], partition="hour", overwrite=at == 1)
        assert done.anew and files(out) == files(tmp_path / "new"), at
        shutil.rmtree(out)
    run = subprocess.run(
        [sys.executable, "-c", KILLED, path, tmp_path / "old", str(moves + 1)], check=False, timeout=60
    )
    assert run.returncode == 0


def test_capture_json_lists_the_files(out):
    told = json.loads((out / "capture.json").read_text("ascii"))
    assert told["options"]["partition"] == "hour"
    listed_files = {one["file"]: (one["rows"], one["size"]) for one in told["tables"]["gre"]["files"]}
    assert listed_files["gre/2025-01-31T14.parquet"] == (2, (out / "gre" / "2025-01-31T14.parquet").stat().st_size)
    assert sum(rows for rows, _ in listed_files.values()) == told["tables"]["gre"]["rows"] == 6
    assert [one["file"] for one in told["tables"]["calls"]["files"]] == ["calls.parquet"]

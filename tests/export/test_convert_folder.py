"""The folder of exported tables: whole or absent, not written twice, and not by two."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import shutil
import sys
from subprocess import CompletedProcess
from typing import Any

import pytest
from builder import gre, gre_frame, pcap
from commands import ALL15, MSS88, call, shell
from places import CAPTURES

from pptpcap import schema
from pptpcap.errors import CaptureError
from pptpcap.export import convert
from pptpcap.export.formats import Format

pytestmark = pytest.mark.slow

FORMATS = ("parquet", "arrow", "csv", "jsonl", "npy")
PART = ".pptpcap.part"
REFUSED, NO_REPLY = CAPTURES / "connection_refused.pcap", CAPTURES / "echo_client_no_reply.pcap"


def names(format_name: str, tables=schema.TABLE_NAMES) -> list[str]:
    """DuckDB reads three of the formats."""
    views = ["capture.sql"] if format_name in ("parquet", "csv", "jsonl") else []
    return sorted(["capture.json", *views, *(f"{table}.{format_name}" for table in tables)])


def listed(folder) -> list[str]:
    return sorted(os.listdir(folder))


def state(folder) -> dict[str, Any]:
    """What would change where a file is written anew, even with the same octets."""

    def of(path):
        return path.is_dir() or (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())

    return {str(path.relative_to(folder)): of(path) for path in folder.rglob("*")}


@pytest.fixture
def capture(tmp_path):
    return shutil.copy(MSS88, tmp_path / "in.pcap")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# ---- whole or absent


class Broken(io.BytesIO):
    """A file that cannot be read to its end."""

    def __init__(self, octets: bytes, error: BaseException) -> None:
        super().__init__(octets)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        octets = super().read(size)
        if not octets:
            raise self.error
        return octets


def failing() -> list[tuple[type[BaseException], Any, dict[str, Any]]]:
    def interrupt(*_):
        raise KeyboardInterrupt

    return [
        (CaptureError, b"nothing of the kind at all", {}),
        (CaptureError, MSS88.read_bytes()[:20], {}),
        (CaptureError, [MSS88, b"nothing of the kind at all"], {}),
        (OSError, "/nowhere/at.pcap", {}),
        (OSError, [MSS88, "/nowhere/at.pcap"], {}),
        (OSError, Broken(MSS88.read_bytes(), OSError(5, "the disk is gone")), {}),
        (KeyboardInterrupt, Broken(MSS88.read_bytes(), KeyboardInterrupt()), {}),
        (KeyboardInterrupt, MSS88, {"progress": interrupt}),
    ]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("number", range(len(failing())))
def test_a_failure_leaves_nothing(out, number, format_name):
    error, source, more = failing()[number]
    with pytest.raises(error):
        convert(source, out, format=format_name, **more)
    assert not out.exists() or listed(out) == []
    out.mkdir(exist_ok=True)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(error):
        convert(failing()[number][1], out, format=format_name, **more)
    assert listed(out) == ["notes.txt"]


@pytest.mark.parametrize("number", range(len(failing())))
def test_a_failure_leaves_what_was_there_before(out, number):
    convert(ALL15, out, format="csv")
    before = state(out)
    error, source, more = failing()[number]
    with pytest.raises(error):
        convert(source, out, overwrite=True, **more)
    assert state(out) == before


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_write_that_fails_leaves_nothing(tmp_path, format_name, limit):
    """Files of at most so many KiB, which are reached with the first octets or behind many rows of one table."""
    path, numbers = tmp_path / "in.pcap", random.Random(1)
    path.write_bytes(pcap([gre_frame(gre(sequence=numbers.getrandbits(32))) for _ in range(40_000)]))
    run = shell(f"ulimit -f {limit}; $P convert -o {tmp_path}/o --format {format_name} --table gre {path} 2>&1")
    assert run.returncode == 1
    assert run.stdout.startswith("pptpcap: ") and run.stdout.count("\n") == 1
    assert not (tmp_path / "o").exists() or listed(tmp_path / "o") == []


@pytest.mark.parametrize("error", [OSError(5, "the disk is gone"), KeyboardInterrupt()])
@pytest.mark.parametrize("number", [1, 12, 24])
def test_a_rename_that_fails_leaves_nothing(capture, out, monkeypatch, number, error):
    """The last moment at which something may fail; 23 tables and capture.json are renamed."""
    count, replace = itertools.count(1), os.replace

    def failing_once(*arguments, **more):
        if next(count) == number:
            raise error
        replace(*arguments, **more)

    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, failing_once)
    with pytest.raises(type(error)):
        convert(capture, out)
    assert not out.exists() or listed(out) == []


@pytest.mark.parametrize("name", ["gre.parquet", "gre.csv", "capture.json"])
def test_folders_that_have_names_of_files(capture, out, name):
    """Other programs write a folder gre.parquet; it is in the way, or it is not, and neither costs what was there."""
    if name != "capture.json":
        convert(capture, out, identities=True)
        (out / name).unlink(missing_ok=True)
    (out / name).mkdir(parents=True)
    (out / name / "part-0").write_bytes(b"theirs")
    before = state(out)
    try:
        convert(capture, out, overwrite=True)
    except OSError:
        assert state(out) == before
    assert (out / name / "part-0").read_bytes() == b"theirs"


def test_what_a_killed_process_left_is_no_leave_to_overwrite(capture, out):
    """It was told to overwrite, perhaps, and did not come to it; this one was not."""
    convert(ALL15, out, format="csv")
    (out / PART).mkdir()
    (out / PART / "gre.parquet").write_bytes(b"half")
    with pytest.raises(FileExistsError):
        convert(capture, out)
    assert convert(ALL15, out, format="csv").again


@pytest.mark.parametrize("line", ["o", "o/in.pcap/o"])
def test_no_place_to_write(capture, tmp_path, line):
    (tmp_path / "o").write_bytes(b"a file")
    code, said, err = call("convert", "-o", tmp_path / line, capture)
    assert code in (1, 2) and said == "" and err
    assert listed(tmp_path) == ["in.pcap", "o"] and (tmp_path / "o").read_bytes() == b"a file"


def test_a_library_that_is_missing(capture, out, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, said, err = call("convert", "-o", out, capture)
    assert (code, said) == (1, "") and "pptpcap[parquet]" in err and err.count("\n") == 1
    assert not out.exists() or listed(out) == []
    assert call("convert", "-o", out, "--format", "csv", capture)[0] == 0


# ---- once is enough


def test_nothing_is_done_again(capture, out):
    first = convert(capture, out, tables=["gre", "calls"])
    before = state(out)
    again = convert(capture, out, tables=["gre", "calls"])
    assert state(out) == before
    assert (again.again, again.summary, again.rows) == (True, None, first.rows) and not first.again
    # these give the same octets, so they are no other options
    for more in ({"threads": 1}, {"io": "read"}, {"progress": False}, {"overwrite": True}):
        assert convert(capture, out, tables=["gre", "calls"], **more).again
        assert state(out) == before
    code, said, err = call("convert", "-o", out, "--table", "calls", "--table", "gre", capture)
    assert (code, err) == (0, "") and str(out) in said
    assert state(out) == before


def test_damage_is_told_again(out, tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(MSS88.read_bytes()[:3000])
    assert call("convert", "-o", out, path)[0] == 3
    before = state(out)
    assert call("convert", "-o", out, path)[0] == 3
    assert state(out) == before
    assert convert(path, out).damaged


def grown(path):
    with open(path, "ab") as file:
        file.write(MSS88.read_bytes()[24:])


def touched(path):
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


def same_time(path):
    told = path.stat()
    grown(path)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))


@pytest.mark.parametrize("change", [grown, touched, same_time])
def test_a_source_that_changed(capture, out, change):
    convert(capture, out)
    before = state(out)
    change(capture)
    with pytest.raises(FileExistsError):
        convert(capture, out)
    code, said, err = call("convert", "-o", out, capture)
    assert (code, said) == (1, "") and err.count("\n") == 1 and "out" in err
    assert state(out) == before
    assert not convert(capture, out, overwrite=True).again
    assert convert(capture, out).again


@pytest.mark.parametrize(
    "more",
    [
        {"codes": True},
        {"partition": "day"},
        {"identities": True},
        {"ports": (1723, 99)},
        {"on_corrupt": "salvage"},
        {"mirrors": {"vxlan": 4800}},
    ],
)
def test_other_options(capture, out, more):
    convert(capture, out)
    before = state(out)
    with pytest.raises(FileExistsError):
        convert(capture, out, **more)
    assert state(out) == before
    assert not convert(capture, out, overwrite=True, **more).again
    assert convert(capture, out, **more).again


def test_another_version_and_other_sources(capture, out):
    convert(capture, out)
    for source in (ALL15, [capture, ALL15], [capture, capture], capture.read_bytes(), io.BytesIO(capture.read_bytes())):
        with pytest.raises(FileExistsError):
            convert(source, out)
    told = json.loads((out / "capture.json").read_text())
    (out / "capture.json").write_text(json.dumps(told | {"pptpcap": "0.0.0"}))
    with pytest.raises(FileExistsError):
        convert(capture, out)


@pytest.mark.parametrize("source", [bytes, io.BytesIO])
def test_what_is_no_path_is_never_the_same(out, source):
    convert(source(MSS88.read_bytes()), out)
    with pytest.raises(FileExistsError):
        convert(source(MSS88.read_bytes()), out)
    assert not convert(source(MSS88.read_bytes()), out, overwrite=True).again


def test_files_of_somebody_else(capture, out):
    out.mkdir()
    (out / "gre.parquet").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        convert(capture, out)
    assert listed(out) == ["gre.parquet"] and (out / "gre.parquet").read_bytes() == b"mine"
    (out / "gre.parquet").rename(out / "greetings.parquet")
    convert(capture, out)
    assert listed(out) == sorted([*names("parquet"), "greetings.parquet"])


FOREIGN = {"notes.txt", "other.csv", "gre.csv.bak", "gre", "calls.json", "capture.json~", ".hidden"}


def test_other_tables_and_formats_stay(capture, out):
    """Of the same capture they need no leave, of another one they do."""
    for name in FOREIGN:
        out.mkdir(exist_ok=True)
        (out / name).write_bytes(b"mine")
    convert(capture, out, tables=["gre", "calls"])
    before = state(out)
    done = convert(capture, out, tables=["ppp", "gre"])
    assert (done.rows, done.again) == ({"gre": 57, "ppp": 31}, False)
    assert convert(capture, out, tables=["ppp", "calls"]).again
    convert(capture, out, format="csv", tables=["gre"])
    written = set(names("parquet", ["gre", "calls", "ppp"])) | {"gre.csv"}
    assert set(listed(out)) == written | FOREIGN
    after = state(out)
    assert {name: after[name] for name in before if not name.startswith("capture.")} == {
        name: of for name, of in before.items() if not name.startswith("capture.")
    }
    with pytest.raises(FileExistsError, match="another conversion"):
        convert(ALL15, out, tables=["issues"])
    with pytest.raises(FileExistsError, match=r"another conversion.*gre\.csv"):
        convert(capture, out, format="csv", tables=["gre"], codes=True)
    assert state(out) == after
    convert(ALL15, out, tables=["issues", "gre"], overwrite=True)
    assert set(listed(out)) == written | FOREIGN | {"issues.parquet"}
    assert state(out)["calls.parquet"] == after["calls.parquet"] and state(out)["gre.csv"] == after["gre.csv"]
    told = json.loads((out / "capture.json").read_text("ascii"))
    assert [sorted(one["tables"]) for one in (told, *told["kept"])] == [["gre", "issues"], ["gre"], ["calls", "ppp"]]
    assert [one["sources"][0]["path"] for one in (told, *told["kept"])] == [str(ALL15), str(capture), str(capture)]
    # What is of another capture is in no view.
    assert b'"calls"' not in (out / "capture.sql").read_bytes()
    assert convert(capture, out, tables=["calls", "ppp"], overwrite=True).again


def test_files_that_somebody_removed(capture, out):
    """They are not listed any more, and what is left of their table is no whole table."""
    convert(capture, out, tables=["gre", "calls"])
    convert(capture, out, partition="hour", format="csv", tables=["gre", "ppp"])
    path = out / "gre" / "1969-12-31T23.csv"
    told = json.loads((out / "capture.json").read_text("ascii"))
    told["tables"]["gre"]["rows"] += 1
    told["tables"]["gre"]["files"].append({"file": "gre/1969-12-31T23.csv", "rows": 1, "size": 5})
    (out / "capture.json").write_text(json.dumps(told))
    path.write_text("gone\n")
    assert convert(capture, out, partition="hour", format="csv", tables=["gre"]).again
    path.unlink()
    (out / "calls.parquet").unlink()
    convert(capture, out, partition="hour", format="csv", tables=["issues"])
    told = json.loads((out / "capture.json").read_text("ascii"))
    assert [list(one["tables"]) for one in (told, *told["kept"])] == [["gre", "ppp", "issues"], ["gre"]]
    assert [one["file"] for one in told["tables"]["gre"]["files"]] == ["gre/2026-11-22T13.csv"]
    assert b"calls" not in (out / "capture.sql").read_bytes()
    assert convert(capture, out, partition="hour", format="csv", tables=["ppp"]).again
    assert not convert(capture, out, partition="hour", format="csv", tables=["gre"]).again


def test_only_what_is_written_now(capture, out):
    convert(capture, out, format="csv")
    for name in FOREIGN:
        (out / name).write_bytes(b"mine")
    (out / "folder").mkdir()
    format_name: Format
    for format_name, tables in (("npy", None), ("parquet", ["gre", "calls"]), ("parquet", ["calls"]), ("jsonl", None)):
        assert not convert(capture, out, format=format_name, tables=tables, only=True).again
        assert convert(capture, out, format=format_name, tables=tables, only=True).again
        written = set(names(format_name, tables or schema.TABLE_NAMES))
        assert set(listed(out)) == written | FOREIGN | {"folder"}
    assert all((out / name).read_bytes() == b"mine" for name in FOREIGN)


@pytest.mark.parametrize("overwrite", [False, True])
def test_two_do_not_write_into_one_folder(capture, out, overwrite):
    """The second comes while the first is reading."""
    outcomes: list[CompletedProcess[str]] = []

    def second(*_):
        if not outcomes:
            with pytest.raises(BlockingIOError):
                convert(ALL15, out, overwrite=overwrite)
            outcomes.append(shell(f"$P convert -o {out} {'--overwrite' * overwrite} {ALL15} 2>&1"))

    assert convert(capture, out, progress=second).rows["gre"] == 57
    assert outcomes[0].returncode == 1 and outcomes[0].stdout.count("\n") == 1
    assert listed(out) == names("parquet") and convert(capture, out).again

"""``capture.json``: what it says, and that nothing is believed that this package does not write."""

from __future__ import annotations

import json
import os
import shutil
import stat

import pytest
from commands import ALL15, MSS88
from test_convert_folder import listed, names, state

import pptpcap
from pptpcap import schema
from pptpcap.export import convert


@pytest.fixture
def capture(tmp_path):
    return shutil.copy(MSS88, tmp_path / "in.pcap")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_capture_json(capture, out, tmp_path):
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(ALL15.read_bytes()[:-3])
    os.utime(capture, ns=(1, 1_700_000_000_123_456_789))
    convert([capture, cut], out, format="csv", tables=["gre", "calls"], identities=True, ports=(1723, 99))
    told = json.loads((out / "capture.json").read_text("ascii"))
    assert told["pptpcap"] == pptpcap.__version__
    assert told["format"] == "csv"
    assert told["options"]["identities"] is True
    assert sorted(told["options"]["ports"]) == [99, 1723]
    assert (told["options"]["codes"], told["options"]["partition"], told["kept"]) == (False, None, [])
    first, second = told["sources"]
    assert (first["size"], first["modified_ns"]) == (15_764, 1_700_000_000_123_456_789)
    assert (second["size"], second["modified_ns"]) == (cut.stat().st_size, cut.stat().st_mtime_ns)
    assert first["path"].endswith("in.pcap") and second["path"].endswith("cut.pcap")
    counters = told["counters"]
    assert (counters["gre_packets"], counters["not_ip"]) == (57 + 22, 2 + 2)
    assert told["damaged"] is True
    assert [file["damaged"] for file in told["files"]] == [False, True]
    assert (told["files"][0]["packets"], told["files"][0]["link"]) == (109, "ETHERNET")
    assert {name: one["rows"] for name, one in told["tables"].items()} == {"gre": 79, "calls": 4}
    told_files = [*(file for one in told["tables"].values() for file in one["files"]), told["views"]]
    assert {one["file"]: one["size"] for one in told_files} == {
        name: (out / name).stat().st_size for name in ("gre.csv", "calls.csv", "capture.sql")
    }
    assert told["finished"] is True and "replaced" not in told


def test_an_unfinished_one_lists_old_and_new(capture, out, monkeypatch):
    convert(ALL15, out, format="npy", tables=["gre", "calls"])
    sizes = {name: (out / name).stat().st_size for name in ("gre.npy", "calls.npy")}
    replace, told = os.replace, []

    def looking(name, *arguments, **more):
        if name == "gre.csv":
            told.append(json.loads((out / "capture.json").read_text()))
        replace(name, *arguments, **more)

    monkeypatch.setattr(os, "replace", looking)
    convert(capture, out, format="csv", tables=["gre"], overwrite=True, only=True)
    assert told[0]["finished"] is False
    assert {one["file"]: one["size"] for one in told[0]["replaced"]} == sizes
    size = (out / "gre.csv").stat().st_size
    assert told[0]["tables"] == {"gre": {"rows": 57, "files": [{"file": "gre.csv", "rows": 57, "size": size}]}}


@pytest.mark.parametrize("identities", [False, True])
@pytest.mark.parametrize("umask", [0o022, 0o002])
def test_who_may_read_it(capture, out, identities, umask):
    before = os.umask(umask)
    try:
        convert(capture, out, format="csv", identities=identities)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert len(listed(out)) == 25 and modes == {0o600 if identities else 0o666 & ~umask}


def test_one_that_is_too_large(capture, out, monkeypatch):
    """Told before anything is read where that is certain, before anything is replaced where it is not."""
    convert([capture] * 3, out, format="csv", tables=["gre"])
    before, size = state(out), (out / "capture.json").stat().st_size
    monkeypatch.setattr("pptpcap.export.document._MOST_OCTETS", size)
    assert convert([capture] * 3, out, format="csv", tables=["gre"]).again
    monkeypatch.setattr("pptpcap.export.document._MOST_OCTETS", size - 1)
    with pytest.raises(FileExistsError, match="not written by convert"):
        convert([capture] * 3, out, format="csv", tables=["gre"], overwrite=True)
    with pytest.raises(OSError, match="too many files"):
        convert([capture] * 3, out / "new", format="csv", tables=["gre"])
    with pytest.raises(OSError, match="too many files"):
        convert(["/nowhere/at.pcap"] * (size // 400 + 1), out / "new", format="csv")
    assert state(out) == before


# What replaces what in capture.json; with nothing to be replaced, it replaces all.
LIES = [
    (None, b""), (None, b"{"), (None, b"[]"), (None, b"null"), (None, b"\xff\xfe"), (None, b"[" * 100_000), (None, b"5"),
    (None, b'{"pptpcap": "1"}'), (None, b'{"tables": {"gre": 1}, "sources": 5, "options": []}'), (None, b'"finished"'),
    (None, b'{"pptpcap": "1", "finished": true, "tables": []}'), (b'"finished": true', b'"finished": 1'),
    (b'"finished": true', b'"finished": false'), (b'"pptpcap": "', b'"pptpcap": 1, "x": "'),
    (b'"rows": 17', b'"rows": Infinity'), (b'"rows": 17', b'"rows": 1e999'), (b'"rows": 17', b'"rows": NaN'),
    (b'"rows": 17', b'"rows": []'), (b'"rows": 17', b'"rows": -17'), (b'"rows": 17', b'"rows": true'),
    (b'"rows": 17', b'"rows": ' + b"9" * 5_000), (b'"file": "gre.', b'"file": "../gre.'), (b'"file": "gre.', b'"file": "ppp.'),
    (b'"file": "gre.parquet"', b'"file": ["gre.parquet"]'), (b'"file": "gre.parquet"', b'"file": "gre.txt"'),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("instead_of", "lie"), LIES)
def test_a_capture_json_that_is_none(capture, out, instead_of, lie, overwrite):
    """Whoever wrote it: it is somebody's, and nothing says which files may be replaced."""
    convert(capture, out)
    octets = (out / "capture.json").read_bytes()
    assert instead_of is None or instead_of in octets
    octets = lie if instead_of is None else octets.replace(instead_of, lie, 1)
    (out / "capture.json").write_bytes(octets)
    before = state(out)
    with pytest.raises(FileExistsError, match=r"not written by convert.*capture\.json"):
        convert(capture, out, overwrite=overwrite)
    assert state(out) == before


@pytest.mark.parametrize(
    ("instead_of", "lie"),
    [
        (b'"size": 15764', b'"size": null'),
        (b'"sources": [', b'"sources": [5, '),
        (b'"csv"', b'"csw"'),
    ],
)
def test_a_capture_json_that_says_something_else(capture, out, instead_of, lie):
    """It lists the files all the same."""
    convert(capture, out, format="csv")
    octets = (out / "capture.json").read_bytes()
    assert instead_of in octets
    (out / "capture.json").write_bytes(octets.replace(instead_of, lie, 1))
    with pytest.raises(FileExistsError):
        convert(capture, out, format="csv")
    assert not convert(capture, out, format="csv", overwrite=True).again


@pytest.mark.parametrize("missing", ["gre.parquet", "issues.parquet"])
def test_a_file_that_is_missing(capture, out, missing):
    """It is written again, and no other."""
    convert(capture, out)
    before = state(out)
    (out / missing).unlink()
    done = convert(capture, out)
    assert not done.again and list(done.rows) == list(schema.TABLE_NAMES)
    assert listed(out) == names("parquet")
    same = {name for name, of in state(out).items() if of == before[name]}
    assert same == {*names("parquet")} - {missing, "capture.json", "capture.sql"}
    assert (out / missing).read_bytes() == before[missing][2]


def test_a_capture_json_that_does_not_say_whether_it_was_damaged(capture, out):
    convert(capture, out, format="csv")
    before = (out / "capture.json").read_bytes()
    (out / "capture.json").write_bytes(
        before.replace(b'"damaged": false,\n  "earliest"', b'"undamaged": 1,\n  "earliest"')
    )
    assert not convert(capture, out, format="csv").again
    assert (out / "capture.json").read_bytes() == before


def test_a_capture_json_that_is_missing(capture, out):
    """Then nothing says whose the files are."""
    convert(capture, out)
    (out / "capture.json").unlink()
    before = state(out)
    for overwrite in (False, True):
        with pytest.raises(FileExistsError):
            convert(capture, out, overwrite=overwrite)
    assert state(out) == before

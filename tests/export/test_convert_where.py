"""Conditions of ``convert``: each table has the rows that `scan` finds, with their keys; other tables are left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from captures import lab
from commands import call

import pptpcap
from pptpcap import schema
from pptpcap.export import convert

NAME = "multi8_clients.server.pcap"
# Of call 8, as the command calls tells: the second one of 10.77.0.13, from 13:00:04 on.
CASES = [
    ({"address": "10.77.0.13"}, ["--address", "10.77.0.13"], set()),
    ({"call": [8]}, ["--call", "8"], {"connections", "issues"}),
    ({"connection": [8]}, ["--connection", "8"], set()),
    ({"time": ("2026-11-22T13:00:00", None)}, ["--from", "2026-11-22T13:00:00"], set()),
    (
        {"time": (None, "2026-11-22T12:59:30"), "address": ["10.77.0.13", "10.77.0.12"], "connection": [2]},
        ["--to", "2026-11-22T12:59:30", "--address", "10.77.0.13", "--address", "10.77.0.12", "--connection", "2"],
        set(),
    ),
]


def keys(path):
    """The first cell of each line, which is the key."""
    return [int(line.partition(",")[0]) for line in path.read_text("ascii").splitlines()[1:]]


@pytest.mark.parametrize(("where", "options", "left_out"), CASES)
def test_rows_that_scan_finds(tmp_path, where, options, left_out):
    done = convert(lab(NAME), tmp_path / "a", format="csv", where=where, engine="compiled")
    assert {*done.rows} == {*schema.TABLE_NAMES} - left_out
    told = 0
    for table in done.rows:
        scan = pptpcap.scan(lab(NAME), table=table).where(**where)
        wanted = scan.to_polars()[scan.names[0]].to_list()
        assert keys(tmp_path / "a" / f"{table}.csv") == wanted, table
        assert done.rows[table] == len(wanted)
        told += len(wanted)
    assert 0 < told < sum(map(len, pptpcap.read(lab(NAME)).values()))
    assert call("convert", "--format", "csv", "-o", tmp_path / "b", *options, lab(NAME))[0] == 0
    for table in done.rows:
        assert (tmp_path / "b" / f"{table}.csv").read_bytes() == (tmp_path / "a" / f"{table}.csv").read_bytes()


def test_by_hand(tmp_path, engine):
    """Call 8 has connection 8, one request and one reply; what is asked of rows by number has these numbers."""
    more: dict[str, Any] = {
        "format": "jsonl",
        "tables": ["calls", "messages", "outgoing_call_request"],
        "engine": engine,
    }
    convert(lab(NAME), tmp_path, where={"call": 8}, **more)
    rows = {
        table: [json.loads(line) for line in (tmp_path / f"{table}.jsonl").read_text().splitlines()]
        for table in more["tables"]
    }
    assert [(row["call"], row["pns_address"], row["pns_call_id"]) for row in rows["calls"]] == [
        (8, "10.77.0.13", 12471)
    ]
    assert {(row["call"], row["connection"]) for row in rows["messages"]} == {(8, 8)}
    (request,) = rows["outgoing_call_request"]
    assert (request["row"], request["call_id"]) == (8, 12471)
    assert request["message"] in [row["message"] for row in rows["messages"]]


def test_periods_and_batches_do_not_matter(tmp_path, monkeypatch):
    from pptpcap.export import conversion

    where = {"address": "10.77.0.14"}
    convert(lab(NAME), tmp_path / "a", format="csv", where=where, tables=["gre", "ppp_options"])
    monkeypatch.setattr(conversion, "_BATCH_BYTES", 20_000)
    convert(lab(NAME), tmp_path / "b", format="csv", where=where, tables=["gre", "ppp_options"], partition="hour")
    for table in ("gre", "ppp_options"):
        parts = sorted((tmp_path / "b" / table).iterdir())
        assert parts[0].name == "2026-11-22T12.csv"
        assert sorted(key for part in parts for key in keys(part)) == keys(tmp_path / "a" / f"{table}.csv")


def test_other_conditions_are_another_conversion(tmp_path):
    more: dict[str, Any] = {"format": "csv", "tables": ["calls"]}
    assert convert(lab(NAME), tmp_path, where={"call": [1, 2]}, **more).rows == {"calls": 2}
    assert json.loads((tmp_path / "capture.json").read_text())["options"]["where"] == {"call": [1, 2]}
    assert convert(lab(NAME), tmp_path, where={"call": [2, 1]}, **more).again
    for where in ({"call": 1}, None):
        with pytest.raises(FileExistsError, match="another conversion"):
            convert(lab(NAME), tmp_path, where=where, **more)
    assert convert(lab(NAME), tmp_path, overwrite=True, **more).rows == {"calls": 10}
    assert "where" not in json.loads((tmp_path / "capture.json").read_text())["options"]


@pytest.mark.parametrize(
    ("tables", "where", "words"),
    [
        (["connections"], {"call": 1}, "connections has no column or condition 'call'"),
        (None, {"tiem": 1}, "messages has no column or condition 'tiem'; did you mean 'time'"),
        (None, {"address": "10.0.0.0/40"}, "address: '10.0.0.0/40' is no address or network"),
        (None, {"time": ("soon", None)}, "time: 'soon' is no time"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, tables, where, words):
    with pytest.raises(ValueError, match=words.split("/40")[0]):
        convert(lab(NAME), tmp_path / "out", tables=tables, where=where)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--table", "issues", "--call", "1"], "issues has no column or condition 'call'"),
        (["--from", "\x1b[31m"], "is no time such as"),
    ],
)
def test_usage(tmp_path, options, words):
    code, out, err = call("convert", "-o", tmp_path / "out", *options, lab(NAME))
    assert (code, out) == (2, "")
    assert words in err and "\x1b" not in err
    assert not (tmp_path / "out").exists()


def test_input_that_can_be_read_only_once_is_refused(tmp_path):
    code, out, err = call("convert", "-o", tmp_path / "out", "--call", "1", "-")
    assert (code, out) == (2, "")
    assert "reads its source twice" in err
    with (
        open(lab(NAME), "rb") as file,
        pytest.raises(ValueError, match="convert with conditions reads its source twice"),
    ):
        convert(file, tmp_path / "out", where={"connection": 1}, format="csv")
    assert not (tmp_path / "out").exists()
    # The times of messages need no second reading.
    with open(lab(NAME), "rb") as file:
        done = convert(file, tmp_path / "out", where={"time": (None, "2000")}, format="csv", tables=["echo_request"])
    assert done.rows == {"echo_request": 0}

"""A scan reads nothing before a result is asked for, and then what it needs; what is wrong is named."""

from __future__ import annotations

import datetime
import gc
import io
import os
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from captures import lab
from cells import READERS, cells, duckdb, from_arrow, from_polars, pandas, polars
from helpers import EngineName
from pyarrows import needs_pyarrow, pyarrow

import pptpcap
from pptpcap import schema
from pptpcap._reading import lazy as scanning

# Takes what no caller should give.
scan_of: Any = pptpcap.scan
NAME = "multi8_clients.server.pcap"


class Observed(os.PathLike[str]):
    """A path that knows how often it was asked for."""

    def __init__(self) -> None:
        self.path = str(lab(NAME))
        self.asked = 0

    def __fspath__(self) -> str:
        self.asked += 1
        return self.path


@pytest.mark.slow
@pytest.mark.parametrize("table", schema.TABLE_NAMES)
def test_without_conditions_it_is_the_table(engine: EngineName, table):
    capture = pptpcap.read(lab(NAME))
    scan = pptpcap.scan(lab(NAME), table=table, engine=engine)
    rows = scan.to_numpy()
    assert rows.dtype == schema.dtype(table)
    assert rows.tobytes() == capture[table].tobytes()
    assert scan.names == capture.table(table).names == tuple(scan.schema)
    # Each library has the capture read anew, and does not know by which engine.
    if engine == "compiled":
        wanted = cells(capture, table)
        assert all(reader(scan) == wanted for reader in READERS.values())


@pytest.mark.parametrize("table", schema.TABLE_NAMES)
def test_each_column_alone_has_its_nulls(table):
    whole = cells(pptpcap.read(lab("fmt_gre_only_midstream.pcap")), table)
    scan = pptpcap.scan(lab("fmt_gre_only_midstream.pcap"), table=table)
    for name in scan.names:
        assert from_polars(scan.select(name)) == {name: whole[name]}


@pytest.mark.parametrize("table", schema.TABLE_NAMES)
def test_the_schema_that_is_told_is_that_of_the_stream(table):
    for codes in (False, True):
        scan = pptpcap.scan(b"", table=table, codes=codes)
        told = {"dictionary<int32, utf8>": "dictionary<values=string, indices=int32, ordered=0>", "utf8": "string"}
        told["timestamp[ns, UTC]"] = "timestamp[ns, tz=UTC]"
        found = pyarrow.schema(scan)
        assert {field.name: str(field.type) for field in found} == {
            name: told.get(kind, kind) for name, kind in scan.schema.items()
        }


def test_nothing_is_read_before_a_result_is_asked_for():
    source = Observed()
    scan = pptpcap.scan(source, table="gre").select("packet", "time").where(call=1, address="10.0.0.0/8").head(5)
    scan = scan.where(polars.col("ppp_protocol") == "LCP")
    assert (scan.names, list(scan.schema), repr(scan)) == (
        ("packet", "time"),
        ["packet", "time"],
        "<pptpcap.Scan gre: 2 columns, 3 conditions, at most 5 rows>",
    )
    batches, frame = scan.batches(), scan.to_polars(lazy=True)
    stream, _ = scan.__arrow_c_stream__(), scan.__arrow_c_schema__()
    relation = scan.to_duckdb()
    query = frame.filter(polars.col("packet") > 1).select("time")
    assert (query.collect_schema().names(), relation.columns) == (["time"], ["packet", "time"])
    assert source.asked == 0
    del batches, stream
    gc.collect()
    assert source.asked == 0
    assert len(relation.fetchall()) == 5
    assert source.asked > 0


def test_a_stream_that_was_opened_has_read_nothing():
    source = Observed()
    reader = pyarrow.RecordBatchReader.from_stream(pptpcap.scan(source, table="gre").select("packet", "time"))
    assert (reader.schema.names, source.asked) == (["packet", "time"], 0)
    reader.read_all()
    assert source.asked > 0


@pytest.mark.parametrize("ask", [lambda s: s.to_numpy(), lambda s: s.to_polars(lazy=True).collect(), polars.DataFrame])
def test_no_rows_are_no_reading(ask):
    source = Observed()
    assert len(ask(pptpcap.scan(source, table="gre").head(0))) == 0
    assert source.asked == 0


def test_a_scan_does_not_change():
    scan = pptpcap.scan(lab(NAME), table="calls")
    before = scan.to_numpy().tobytes()
    narrow = scan.where(call=[1, 2]).select("call").head(1)
    assert narrow.to_numpy().tolist() == [(1,)]
    assert scan.to_numpy().tobytes() == before
    assert narrow.head(9).to_numpy().tolist() == [(1,)]
    assert narrow.where(call=2).to_numpy().tolist() == [(2,)]
    assert narrow.where(call=0).to_numpy().tolist() == []


@pytest.fixture
def walks(monkeypatch):
    """What each reading was told to read."""
    told: list[dict[str, list[str]]] = []
    true = scanning.__dict__["batches"]

    def batches(*args, columns, **more):
        told.append({table: sorted(some) for table, some in columns.items()})
        return true(*args, columns=columns, **more)

    monkeypatch.setattr(scanning, "batches", batches)
    return told


def test_what_is_read(walks):
    gre = pptpcap.scan(lab(NAME), table="gre")
    gre.select("packet").to_numpy()
    gre.select("gre").to_numpy()
    gre.select("packet").where(available=3).to_numpy()
    gre.select("skipped").to_polars()
    gre.to_polars(lazy=True).filter(polars.col("tunnel") == 0).select("packet").collect()
    gre.select("packet").where(polars.col("tunnel") == 0).to_numpy()
    assert walks == [
        {"gre": ["packet"]},
        {"gre": ["time"]},
        {"gre": ["available", "packet"]},
        {"gre": ["flags_and_version", "skipped", "tunnel"]},
        *[{"gre": ["packet", "tunnel"]}] * 2,
    ]
    walks.clear()
    gre.select("packet").where(connection=0).to_numpy()
    assert walks == [{"tunnels": ["call"], "calls": ["connection"]}, {"gre": ["packet", "tunnel"]}]
    walks.clear()
    pptpcap.scan(lab(NAME), table="echo_reply").select("row").where(call=0).to_numpy()
    assert walks == [{"echo_reply": ["message"], "messages": ["available", "call", "length"]}]


def test_the_first_rows_end_the_reading():
    told: list[int] = []
    scan = pptpcap.scan(lab(NAME), table="gre", batch_packets=10, progress=lambda walked, _: told.append(walked))
    assert len(scan.head(3).to_numpy()) == 3
    assert max(told) < lab(NAME).stat().st_size / 2


def test_batches_are_tables_with_rows(engine: EngineName):
    scan = pptpcap.scan(lab(NAME), table="messages", batch_packets=5, engine=engine).where(message="echo_request")
    batches = list(scan.batches())
    assert len(batches) > 1
    assert all(len(batch) for batch in batches)
    keys = [key for batch in batches for key in from_polars(batch)["message"]]
    assert keys == from_polars(scan)["message"]
    assert sum(len(batch.to_numpy()) for batch in batches) == len(keys)


def test_numbers_for_codes():
    scan = pptpcap.scan(lab(NAME), table="calls", codes=True)
    capture = pptpcap.read(lab(NAME))
    assert from_polars(scan) == cells(capture, "calls", codes=True)
    named = scan.where(phase=from_polars(pptpcap.scan(lab(NAME), table="calls"))["phase"][0])
    numbered = scan.where(phase=int(capture.calls["phase"][0]))
    digits = scan.where(phase=str(capture.calls["phase"][0]))
    asked = scan.where(polars.col("phase") == int(capture.calls["phase"][0]))
    rows = [one.to_numpy().tobytes() for one in (named, numbered, digits, asked)]
    assert len(set(rows)) == 1
    assert rows[0]


# ---- values


def test_ways_to_say_a_time():
    times = pptpcap.read(lab(NAME)).gre["time"]
    middle = times[len(times) // 2]
    count = int((times >= middle).sum())
    text = str(middle)
    ns = int(middle.astype("int64"))
    later = text.replace("T", " ")
    there = np.datetime64(ns + 7_200_000_000_000, "ns")
    micro = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=ns // 1000)
    assert ns % 1000 == 0
    abroad = micro.astimezone(datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))
    stamp = pandas.Timestamp(ns, tz="Asia/Tokyo")
    for one in (middle, text, later, text + "Z", f"{there}+02:00", ns, np.int64(ns), micro, abroad, stamp):
        assert len(pptpcap.scan(lab(NAME), table="gre").where(time=(one, None)).to_numpy()) == count, one
    for day in (
        middle.astype("datetime64[D]"),
        middle.astype("datetime64[D]").item(),
        str(middle)[:10],
        str(middle)[:4],
    ):
        assert len(pptpcap.scan(lab(NAME), table="gre").where(time=(day, None)).to_numpy()) == len(times), day
    assert len(pptpcap.scan(lab(NAME), table="gre").where(time=middle).to_numpy()) == int((times == middle).sum())
    far = pptpcap.scan(lab(NAME), table="gre").where(time=("0001-01-01", "9999-12-31"))
    assert len(far.to_numpy()) == len(times)


def test_a_time_of_what_lasts():
    calls = pptpcap.read(lab(NAME)).calls
    first, last = calls["start_time"][0], calls["last_time"][0]
    for time, is_there in ((first, True), (last, True), (first - 1, False), (last + 1, False)):
        keys = pptpcap.scan(lab(NAME), table="calls").where(time=time).select("call").to_numpy()["call"]
        assert (0 in keys) == is_there
    for span, is_there in (
        ((None, first), False),
        ((None, first + 1), True),
        ((last, None), True),
        ((last + 1, None), False),
    ):
        keys = pptpcap.scan(lab(NAME), table="calls").where(time=span).select("call").to_numpy()["call"]
        assert (0 in keys) == is_there


def test_texts_as_they_are_shown_and_as_octets():
    connections = pptpcap.scan(lab(NAME), table="connections")
    host = connections.to_numpy()["responder_host_name"][0]
    for one in (host, host.decode(), host.ljust(64, b"\0"), ["nobody", host.decode()]):
        assert len(connections.where(responder_host_name=one).to_numpy()), one
    assert not len(connections.where(responder_host_name="nobody").to_numpy())


def test_addresses_of_both_families():
    calls = pptpcap.scan(lab(NAME), table="calls")
    count = len(calls.to_numpy())
    address = from_polars(calls)["pns_address"][0]
    for one in (address, f"::ffff:{address}", "0.0.0.0/0", "::ffff:0:0/96", f"{address}/8"):
        assert len(calls.where(pns_address=one).to_numpy()) > 0, one
    assert len(calls.where(pns_address="::/0").to_numpy()) == 0
    assert len(calls.where(pns_address=["::/0", "0.0.0.0/0"]).to_numpy()) == count
    assert len(calls.where(pns_address=[]).to_numpy()) == 0


# ---- what is wrong


@pytest.mark.parametrize(
    ("conditions", "error", "words"),
    [
        ({"raeson": "OPEN"}, ValueError, "calls has no column or condition 'raeson'; did you mean 'reason'?"),
        ({"adress": "::1"}, ValueError, "did you mean 'address'?"),
        ({"reason": "REFUSE"}, ValueError, "reason: there is no 'REFUSE'; did you mean 'REFUSED'?"),
        ({"reason": ["OPEN", "SILENT"]}, ValueError, "'SILENT'; did you mean 'SILENCE'?"),
        ({"reason": None}, ValueError, "reason: None is no value"),
        ({"reason": ["OPEN", None]}, ValueError, "reason: None is no value"),
        ({"reason": 1.5}, TypeError, "reason: 1.5 is no value"),
        ({"call": (1, 2, 3)}, ValueError, "call: a tuple is a range and has two ends, not 3"),
        ({"call": "one"}, TypeError, "call: 'one' is no value"),
        ({"pns_address": "10.0.0.0/33"}, ValueError, "no address or network"),
        ({"address": ("10.0.0.1", None)}, ValueError, "addresses have no range"),
        ({"address": None}, ValueError, "address: None is no value"),
        ({"pns_name": ("a", "b")}, ValueError, "texts have no range"),
        ({"pns_name": 7}, TypeError, "pns_name is text, not 7"),
        ({"end_from_pns": 1}, TypeError, "end_from_pns is True or False, not 1"),
        ({"end_from_pns": (False, True)}, ValueError, "truths have no range"),
        ({"time": "now"}, ValueError, "time: 'now' is no time such as"),
        ({"time": ("NaT", None)}, ValueError, "'NaT' is no time"),
        ({"time": (np.datetime64("NaT"), None)}, ValueError, "'NaT' is no time"),
        ({"end_time": ("2024-13-01", None)}, ValueError, "'2024-13-01' is no time"),
        ({"time": ["2024-01-01", "2024-01-02"]}, ValueError, "one time or a range"),
        ({"message": "echo_request"}, ValueError, "calls has no column or condition 'message'"),
    ],
)
def test_a_condition_that_is_none(conditions, error, words):
    with pytest.raises(error) as caught:
        pptpcap.scan(b"", table="calls").where(**conditions)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: scan_of(b"", table="cals"), ValueError, "there is no table 'cals'; did you mean 'calls'?"),
        (lambda: scan_of(b"", table="gre", trheads=2), TypeError, "did you mean 'threads'?"),
        (lambda: scan_of(b"", table="gre", batch_bytes=0), ValueError, "batch_bytes must be at least 1"),
        (lambda: scan_of(b"", table="gre", errors="x"), ValueError, "errors must be one of"),
        (lambda: scan_of(b"", table="gre").select("tiem"), ValueError, "did you mean 'time'?"),
        (lambda: scan_of(b"", table="gre").select("time", "time"), ValueError, "named twice"),
        (lambda: scan_of(b"", table="gre").select(), ValueError, "no column is named"),
        (lambda: scan_of(b"", table="gre").head(-1), ValueError, "at least 0"),
        (lambda: scan_of(b"", table="gre").where("packet > 1"), TypeError, "is none of these"),
        (lambda: scan_of(b"", table="gre").where(polars.col("tiem") > 1), ValueError, "did you mean 'time'?"),
        (lambda: scan_of(7, table="gre").to_numpy(), TypeError, "not int"),
        (lambda: scan_of(b"nothing", table="gre").to_numpy(), pptpcap.CaptureError, ""),
    ],
)
def test_what_is_wrong_is_named(act, error, words):
    with pytest.raises(error) as caught:
        act()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        polars.col("available") > polars.col("available").mean(),
        polars.col("packet").cum_sum() < 100,
        polars.col("call_id").is_first_distinct(),
        (polars.col("packet") > 5) & (polars.col("available").sum().over("tunnel") > 2),
    ],
)
def test_an_expression_on_several_rows_is_refused(expression):
    """Batches would change what it says; on the lazy frame it is right, whatever the batches."""
    with pytest.raises(ValueError, match="looks at several rows"):
        pptpcap.scan(lab(NAME), table="gre").where(expression)
    capture = pptpcap.read(lab(NAME))
    for batch in (10, 10**6):
        frame = (
            pptpcap.scan(lab(NAME), table="gre", batch_packets=batch).to_polars(lazy=True).filter(expression).collect()
        )
        assert frame.equals(capture.table("gre").to_polars().filter(expression))


@pytest.mark.parametrize("expression", [polars.lit(True), polars.lit(False), polars.col("skipped").is_null()])
def test_expressions_without_a_column_and_for_nulls(expression):
    scan = pptpcap.scan(lab(NAME), table="gre")
    assert scan.where(expression).to_polars().equals(scan.to_polars().filter(expression))


@pytest.mark.parametrize("conditions", [{"call": 0}, {"address": "10.0.0.0/8"}, {"connection": 0}])
def test_a_stream_is_read_once(conditions):
    octets = lab(NAME).read_bytes()
    once = pptpcap.scan(io.BytesIO(octets), table="gre")
    assert len(once.where(ppp_protocol="LCP").to_numpy())
    for source in (io.BytesIO(octets), [lab(NAME), io.BytesIO(octets)]):
        scan = scan_of(source, table="gre").where(**conditions)
        with pytest.raises(ValueError, match=f"condition '{next(iter(conditions))}' reads its source twice"):
            scan.to_numpy()
    # Messages come with their connection.
    for table in ("messages", "outgoing_call_request"):
        assert len(pptpcap.scan(io.BytesIO(octets), table=table).where(**conditions).to_numpy())
    assert len(pptpcap.scan(octets, table="gre").where(**conditions).to_numpy())


def test_a_second_result_of_a_file_object_is_refused():
    # Its rows would be none.
    scan = pptpcap.scan(io.BytesIO(lab(NAME).read_bytes()), table="gre")
    assert len(scan.to_numpy())
    for again in (scan, scan.select("time"), scan.where(ppp_protocol="LCP")):
        with pytest.raises(ValueError, match="a file object has one result of a scan"):
            again.to_numpy()
        with pytest.raises(Exception, match="a file object has one result of a scan"):
            polars.DataFrame(again)


def test_a_named_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    scan = pptpcap.scan(tmp_path / "pipe", table="gre")
    with pytest.raises(ValueError, match=r"reads its source twice: .*pipe' is a pipe"):
        scan.where(call=0).to_numpy()
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(lab(NAME).read_bytes(),))
    writer.start()
    assert len(scan.where(packet=(0, 50)).to_numpy())
    writer.join()


def test_names_of_files_may_come_one_by_one():
    paths = (path for path in [lab(NAME)])
    scan = pptpcap.scan(paths, table="gre")
    assert len(scan.to_numpy()) == len(scan.to_numpy()) > 0


def test_a_source_that_changes_between_two_readings(tmp_path):
    path = tmp_path / "growing.pcap"
    whole = lab(NAME).read_bytes()
    first = 24 + 16 + int.from_bytes(whole[32:36], "little")
    path.write_bytes(whole[:first])
    scan = pptpcap.scan(path, table="gre", io="read", progress=lambda *_: path.write_bytes(whole)).where(call=0)
    with pytest.raises(OSError, match="changed while it was read"):
        scan.to_numpy()


@pytest.mark.slow
@needs_pyarrow
@pytest.mark.parametrize("table", schema.TABLE_NAMES)
def test_parquet_has_the_rows(table, tmp_path):
    for split in ({}, {"batch_packets": 10}):
        scan = scan_of(lab(NAME), table=table, **split)
        scan.write_parquet(tmp_path / "rows.parquet", overwrite=True)
        written = pyarrow.parquet.read_table(tmp_path / "rows.parquet")
        assert written.schema.equals(pyarrow.schema(scan), check_metadata=True)
        assert from_arrow(written) == cells(pptpcap.read(lab(NAME)), table)
        assert os.listdir(tmp_path) == ["rows.parquet"]


@needs_pyarrow
def test_parquet_is_whole_or_absent(tmp_path):
    path = tmp_path / "rows.parquet"
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes(lab(NAME).read_bytes()[:-1])
    with pytest.raises(Exception, match="TRUNCATED_RECORD"):
        pptpcap.scan(damaged, table="gre", errors="raise", batch_packets=5).write_parquet(path)
    assert not path.exists()
    scan = pptpcap.scan(lab(NAME), table="gre").where(ppp_protocol="LCP").select("gre", "ppp_protocol")
    scan.write_parquet(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        scan.head(1).write_parquet(path)
    assert path.read_bytes() == before
    scan.head(1).write_parquet(path, overwrite=True)
    assert from_arrow(pyarrow.parquet.read_table(path)) == from_arrow(scan.head(1))
    assert sorted(os.listdir(tmp_path)) == ["damaged.pcap", "rows.parquet"]


@needs_pyarrow
def test_parquet_of_many_groups(tmp_path, monkeypatch):
    from pptpcap._reading import parquet

    monkeypatch.setattr(parquet, "_GROUP_ROWS", 30)
    monkeypatch.setattr("pptpcap.tables._FEW", 20)
    scan = pptpcap.scan(lab(NAME), table="tunnels")
    many = pptpcap.scan(lab(NAME), table="gre", batch_packets=10)
    for one in (scan, many):
        one.write_parquet(tmp_path / one.table)
        assert from_arrow(pyarrow.parquet.read_table(tmp_path / one.table)) == from_arrow(one)
    assert pyarrow.parquet.ParquetFile(tmp_path / "gre").num_row_groups > 2


@pytest.mark.parametrize(
    ("module", "extra", "ask"),
    [
        ("pyarrow", "arrow", lambda scan: scan.to_arrow()),
        ("pyarrow", "parquet", lambda scan: scan.write_parquet("rows.parquet")),
        ("pandas", "pandas", lambda scan: scan.to_pandas()),
        ("polars", "polars", lambda scan: scan.to_polars()),
        ("polars", "polars", lambda scan: scan.to_polars(lazy=True)),
        ("duckdb", "duckdb", lambda scan: scan.to_duckdb()),
    ],
)
def test_an_extra_that_is_missing_is_named(monkeypatch, tmp_path, module, extra, ask):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    source = Observed()
    with pytest.raises(ImportError) as caught:
        ask(pptpcap.scan(source, table="gre"))
    assert f"pip install 'pptpcap[{extra}]'" in str(caught.value)
    assert (source.asked, os.listdir(tmp_path)) == (0, [])


def test_what_goes_wrong_in_a_stream_is_an_error_of_the_consumer(tmp_path):
    scan = pptpcap.scan(tmp_path / "nothing.pcap", table="gre")
    with pytest.raises(Exception, match=r"nothing\.pcap"):
        polars.DataFrame(scan)
    with pytest.raises(Exception, match=r"nothing\.pcap"):
        duckdb.from_arrow(scan).fetchall()


def test_a_relation_of_a_connection_can_be_asked_again():
    database = duckdb.connect()
    relation = pptpcap.scan(lab(NAME), table="gre").where(call=[0, 1]).to_duckdb(database)
    count = len(pptpcap.scan(lab(NAME), table="gre").where(call=[0, 1]).to_numpy())
    assert relation.count("*").fetchall() == relation.count("*").fetchall() == [(count,)]


@pytest.mark.parametrize(
    "conditions",
    [
        {"call": 0, "packet": [40, 41, 2**64 - 1], "ppp_protocol": "LCP"},
        {"packet": (40, 90), "time": ("2000-01-01", None), "address": ["10.0.0.0/8", "::/0"]},
        {"packet": (2, 1)},
    ],
)
def test_a_scan_can_be_sent_to_another_process(conditions):
    scan = pptpcap.scan(lab(NAME), table="gre").where(**conditions).select("packet", "time").head(5)
    sent = pickle.loads(pickle.dumps(scan))
    assert repr(sent) == repr(scan) and sent.to_numpy().tolist() == scan.to_numpy().tolist()
    calls = pptpcap.scan(lab(NAME), table="calls").where(time=("2000-01-01", None), end_from_pns=True, pns_name="")
    assert pickle.loads(pickle.dumps(calls)).to_numpy().tolist() == calls.to_numpy().tolist()


def test_arguments_of_no_use_are_named():
    scan = scan_of(lab(NAME), table="gre")
    for names in ((["time", "file"],), (1,), ("time", None)):
        with pytest.raises(TypeError, match="select takes names of columns one by one"):
            scan.select(*names)
    for most in (1.5, "1", None):
        with pytest.raises(TypeError):
            scan.head(most)

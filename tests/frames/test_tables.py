"""Tables leave through Arrow, Polars, DuckDB and pandas with each value, each null and the largest numbers."""

from __future__ import annotations

import gc
import ipaddress
import math
import weakref
from enum import IntFlag
from typing import Any

import numpy as np
import pytest
from captures import WALKED, lab
from places import CAPTURES as BUNDLED

import pptpcap
from pptpcap import schema
from pptpcap._show.null import absent, octets_known
from pptpcap.wire.tables import BY_NAME, TABLES

polars = pytest.importorskip("polars")
duckdb = pytest.importorskip("duckdb")
pandas = pytest.importorskip("pandas")
pyarrow = pytest.importorskip("pyarrow")

BASE = BUNDLED / "found" / "base.pcap"
SUMMARY = pptpcap.read(b"").summary


def text_of(octets: bytes) -> str:
    """As docs/exports.md says: printable ASCII unchanged, a backslash doubled, else its number."""
    spelled = (chr(one) if 32 <= one < 127 else f"\\x{one:02x}" for one in octets.rstrip(b"\0"))
    return "".join("\\\\" if one == "\\" else one for one in spelled)


def cells(capture, name: str, codes: bool = False) -> dict[str, list[Any]]:
    """The columns of a table as Python objects, value by value; times in ns since 1970."""
    rows = capture[name]
    missing = absent(name, rows, octets_known(name, capture, capture.first_row))
    key = {"ppp_options": "ppp_option", "messages": "message", "issues": "issue", "calls": "call"}
    key |= {"connections": "connection", "tunnels": "tunnel", "gre": "gre", "ppp": "ppp"}
    told: dict[str, list[Any]] = {key.get(name, "row"): list(range(len(rows)))}
    for column in BY_NAME[name].columns:
        values = rows[column.name]
        named = column.names is not None and not (isinstance(column.names, type) and issubclass(column.names, IntFlag))
        spelled: list[Any] = []
        for place, value in enumerate(values):
            if column.name in missing and missing[column.name][place]:
                spelled.append(None)
            elif column.shape:
                address = ipaddress.IPv6Address(bytes(value))
                spelled.append(str(address.ipv4_mapped or address))
            elif column.dtype.startswith("S"):
                spelled.append(text_of(bytes(value)))
            elif column.dtype.startswith("datetime64"):
                spelled.append(None if np.isnat(value) else int(value.astype("int64")))
            elif named and not codes:
                spelled.append(column.values.get(int(value), str(int(value))))
            else:
                spelled.append(value.item())
        told[column.name] = spelled
    return told


def from_arrow(table) -> dict[str, list[Any]]:
    read = pyarrow.table(table)
    read.validate(full=True)
    told = {}
    for name in read.column_names:
        column = read[name]
        if pyarrow.types.is_timestamp(column.type):
            assert column.type == pyarrow.timestamp("ns", "UTC")
            column = column.cast(pyarrow.int64())
        told[name] = column.to_pylist()
    return told


def from_polars(table) -> dict[str, list[Any]]:
    frame = polars.DataFrame(table)
    return {
        name: (
            frame[name].dt.epoch("ns") if frame.schema[name] == polars.Datetime("ns", "UTC") else frame[name]
        ).to_list()
        for name in frame.columns
    }


def from_duckdb(table) -> dict[str, list[Any]]:
    relation = duckdb.from_arrow(table)
    named = [
        f'epoch_ns("{name}") as "{name}"' if "TIMESTAMP" in str(kind) else f'"{name}"'
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    rows = relation.project(", ".join(named)).fetchall()
    return {name: [row[place] for row in rows] for place, name in enumerate(relation.columns)}


def from_pandas(table) -> dict[str, list[Any]]:
    told = {}
    frame = table.to_pandas()
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pandas.DatetimeTZDtype):
            told[name] = [None if one is pandas.NaT else one.value for one in column]
        else:
            told[name] = [
                None if one is None or one is pandas.NA or (isinstance(one, float) and math.isnan(one)) else one
                for one in column.tolist()
            ]
    return told


READERS = {"arrow": from_arrow, "polars": from_polars, "duckdb": from_duckdb, "pandas": from_pandas}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WALKED)
def test_each_value_of_each_table(name, reader):
    capture = pptpcap.read(lab(name))
    for table in capture:
        if len(capture[table]) > 3000:
            continue
        assert READERS[reader](capture.table(table)) == cells(capture, table), table


@pytest.mark.parametrize("reader", READERS)
def test_codes_stay_numbers(reader):
    capture = pptpcap.read(BASE)
    assert READERS[reader](capture.table("calls", codes=True)) == cells(capture, "calls", codes=True)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_empty_tables_have_their_columns(table, reader):
    capture = pptpcap.Capture({name: schema.empty(name) for name in schema.TABLE_NAMES}, SUMMARY)
    told = READERS[reader](capture.table(table))
    assert list(told) == list(cells(capture, table))
    assert all(values == [] for values in told.values())


@pytest.mark.parametrize("reader", READERS)
def test_extremes(reader):
    """Rows of all bits set, of all octets FE, and more rows than a batch has."""
    rows = np.concatenate(
        [
            np.full(n * schema.dtype("issues").itemsize, fill, np.uint8).view(schema.dtype("issues"))
            for n, fill in ((2, 255), (2, 254), (70_000, 1))
        ]
    )
    capture = pptpcap.Capture({"issues": rows}, SUMMARY)
    told = READERS[reader](capture.table("issues"))
    assert told["had"][:4] == [2**64 - 1] * 2 + [0xFEFEFEFEFEFEFEFE] * 2
    assert told["kind"][0] == "255"
    assert told["issue"] == list(range(len(rows)))
    assert told["packet"][-1] == 0x0101010101010101
    assert told == cells(capture, "issues")


@pytest.mark.parametrize("reader", READERS)
def test_text_from_the_wire_is_escaped(reader):
    rows = schema.empty("connections")
    rows = np.zeros(3, rows.dtype)
    rows["present"] = 255
    rows["initiator_host_name"] = [b"\x1b[31m=cmd|'/C'!A0\\", b"\xff\xfe\n\r", b"x" * 64]
    told = READERS[reader](pptpcap.Capture({"connections": rows}, SUMMARY).table("connections"))
    assert told["initiator_host_name"] == ["\\x1b[31m=cmd|'/C'!A0\\\\", "\\xff\\xfe\\x0a\\x0d", "x" * 64]


def test_keys_count_in_the_whole_capture():
    batches = list(pptpcap.iterate(BASE, batch_packets=5))
    keys = [key for batch in batches for key in from_arrow(batch.table("gre"))["gre"]]
    assert keys == list(range(20))


def test_a_stream_lets_go_of_what_it_read():
    capture = pptpcap.read(BASE)
    rows = capture.gre
    table = capture.table("gre")
    held = weakref.ref(table)
    frame = polars.DataFrame(table)
    capsule = table.__arrow_c_stream__()
    del table, capsule, capture
    gc.collect()
    assert held() is None
    assert frame["sequence_number"].to_list() == cells(pptpcap.read(BASE), "gre")["sequence_number"]
    assert len(rows) == 20


def test_two_streams_of_one_table_and_a_stream_that_nobody_reads():
    table = pptpcap.read(BASE).table("messages")
    first, second = pyarrow.RecordBatchReader.from_stream(table), pyarrow.RecordBatchReader.from_stream(table)
    assert first.read_all() == second.read_all()
    for _ in range(100):
        table.__arrow_c_stream__()
        table.__arrow_c_schema__()


def test_what_goes_wrong_in_a_batch_is_an_error_of_the_consumer():
    table = pptpcap.read(BASE).table("gre")
    table.name = "nothing"
    with pytest.raises(Exception, match="nothing"):
        pyarrow.table(table)


@pytest.mark.parametrize(("table", "error"), [("gre", ValueError), ("issues", KeyError), ("nothing", KeyError)])
def test_what_was_not_read_is_no_table(table, error):
    capture = pptpcap.read(BASE, tables=["gre"], columns={"gre": ["time"]})
    with pytest.raises(error):
        capture.table(table)


def test_metadata_of_columns_as_in_files(tmp_path):
    from pptpcap.export import convert

    convert(BASE, tmp_path, format="arrow")
    written = pyarrow.ipc.open_file(tmp_path / "calls.arrow").schema
    read = pyarrow.table(pptpcap.read(BASE).table("calls")).schema
    assert read.metadata == written.metadata
    for field in written:
        assert read.field(field.name).metadata == field.metadata


def test_chosen_columns_in_the_order_asked_for():
    capture = pptpcap.read(BASE)
    table = pptpcap.Table("gre", capture.gre, columns=["status", "gre", "time"])
    assert table.names == ("status", "gre", "time")
    assert polars.DataFrame(table).columns == ["status", "gre", "time"]
    with pytest.raises(ValueError, match="gre has no column 'tiem'; did you mean 'time'"):
        pptpcap.Table("gre", capture.gre, columns=["tiem"])

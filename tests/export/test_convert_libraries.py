"""Files of every lab capture have what ``Capture.table`` gives: names, types, values, nulls; read by other libraries."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from captures import WALKED, lab
from cells import cells, from_arrow, from_csv, from_frame
from pyarrows import needs_pyarrow, pyarrow

import pptpcap
from pptpcap import schema
from pptpcap.export import convert
from pptpcap.export.formats import FORMATS
from pptpcap.tables import Table
from pptpcap.wire.tables import BY_NAME

duckdb = pytest.importorskip("duckdb")
pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

pytestmark = pytest.mark.slow

READERS = {
    "parquet": {
        "pyarrow": lambda path: from_arrow(pyarrow.parquet.read_table(path)),
        "polars": lambda path: from_frame(polars.read_parquet(path)),
    },
    "arrow": {
        "pyarrow": lambda path: from_arrow(pyarrow.ipc.open_file(path).read_all()),
        "polars": lambda path: from_frame(polars.read_ipc(path)),
    },
}

OF_ARROW = [pytest.param(form, marks=needs_pyarrow) for form in ("parquet", "arrow")]
EACH = [*OF_ARROW, *(form for form in FORMATS if form not in READERS)]


def instant(nanoseconds: int | None) -> str | None:
    if nanoseconds is None:
        return None
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def as_text(table: str, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Columns with their times as text."""
    times = {column.name for column in BY_NAME[table].columns if column.dtype.startswith("datetime64")}
    return {name: [*map(instant, values)] if name in times else values for name, values in columns.items()}


def as_cells(value) -> str | None:
    """A cell of CSV: text that a spreadsheet would run begins with an escape."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: None}[value]
    text = str(value)
    behind = text.lstrip(" ")
    if isinstance(value, str) and behind[:1] in tuple("=+-@|"):
        return f"{text[: len(text) - len(behind)]}\\x{ord(behind[0]):02x}{behind[1:]}"
    return text


def transposed(names: list[str], rows: list[list[Any]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


@lru_cache(maxsize=1)
def told(name: str) -> tuple[pptpcap.Capture, dict[str, dict[str, list[Any]]]]:
    """A capture, and what the cells of its tables hold that are not long; the formats have it in turn."""
    capture = pptpcap.read(lab(name), identities=True)
    return capture, {table: cells(capture, table) for table in schema.TABLE_NAMES if len(capture[table]) <= 3000}


@pytest.mark.parametrize("format_name", EACH)
@pytest.mark.parametrize("name", WALKED)
def test_each_value_of_each_table(tmp_path, name, format_name):
    capture, short = told(name)
    convert(lab(name), tmp_path, format=format_name, identities=True)
    for table in schema.TABLE_NAMES:
        path = tmp_path / f"{table}.{format_name}"
        if format_name == "npy":
            assert np.load(path, allow_pickle=False).tobytes() == capture[table].tobytes()
            continue
        if table not in short:
            continue
        wanted = short[table]
        for reader, read in READERS.get(format_name, {}).items():
            assert read(path) == wanted, (table, reader)
        if format_name == "csv":
            names, *rows = from_csv(path.read_text("ascii"))
            expected = {column: [*map(as_cells, values)] for column, values in as_text(table, wanted).items()}
            assert transposed(names, rows) == expected, table
        if format_name == "jsonl":
            lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
            assert transposed([*wanted], [[*line.values()] for line in lines]) == as_text(table, wanted), table
            assert all([*line] == [*wanted] for line in lines)


@pytest.mark.parametrize("format_name", OF_ARROW)
@pytest.mark.parametrize("codes", [False, True])
def test_the_schema_is_that_of_the_table(tmp_path, format_name, codes):
    capture = pptpcap.read(lab(WALKED[0]))
    convert(lab(WALKED[0]), tmp_path, format=format_name, codes=codes)
    for table in schema.TABLE_NAMES:
        path = tmp_path / f"{table}.{format_name}"
        read = pyarrow.parquet.read_schema(path) if format_name == "parquet" else pyarrow.ipc.open_file(path).schema
        wanted = pyarrow.table(capture.table(table, codes=codes)).schema
        assert read.remove_metadata().equals(wanted.remove_metadata())
        assert {k: v for k, v in read.metadata.items() if k != b"ARROW:schema"} == wanted.metadata
        for field in wanted:
            assert {
                k: v for k, v in read.field(field.name).metadata.items() if not k.startswith(b"PARQUET")
            } == field.metadata


def extremes() -> dict[str, np.ndarray]:
    """Rows of all bits set, of all octets FE, of zeros, and others; of one table more than a batch has."""
    tables = {}
    for table, more in (("issues", 70_000), ("calls", 10)):
        dtype = schema.dtype(table)
        fills = ((2, 255), (2, 254), (1, 0), (more, 1))
        tables[table] = np.concatenate([np.full(n * dtype.itemsize, fill, np.uint8).view(dtype) for n, fill in fills])
        for name in dtype.names or ():
            if dtype[name].kind == "b":
                tables[table][name] = tables[table][name].view(np.uint8) & 1
    return tables


@pytest.mark.parametrize("format_name", [*OF_ARROW, "csv", "jsonl"])
def test_extremes(tmp_path, format_name):
    tables = extremes()
    capture = pptpcap.Capture(tables, pptpcap.read(b"").summary)
    for name, rows in tables.items():
        path = tmp_path / f"{name}.{format_name}"
        with open(path, "wb") as file:
            writer = FORMATS[format_name](file, Table(name, rows[:0]))
            writer.write(Table(name, rows))
            assert writer.close() is None
        few = pptpcap.Capture({name: rows[:10]}, capture.summary)
        wanted = cells(few, name)
        if format_name in READERS:
            found = [
                {column: values[:10] for column, values in read(path).items()} for read in READERS[format_name].values()
            ]
            assert all(one == wanted for one in found)
        elif format_name == "csv":
            names, *lines = from_csv(path.read_text("ascii"))
            assert len(lines) == len(rows)
            expected = {column: [*map(as_cells, values)] for column, values in as_text(name, wanted).items()}
            assert transposed(names, lines[:10]) == expected
        else:
            objects = [json.loads(line) for line in path.read_text("ascii").splitlines()]
            assert len(objects) == len(rows)
            assert transposed([*wanted], [[*one.values()] for one in objects[:10]]) == as_text(name, wanted)
        if name == "issues":
            assert wanted["had"][:5] == [2**64 - 1] * 2 + [0xFEFEFEFEFEFEFEFE] * 2 + [0]


@needs_pyarrow
def test_a_dictionary_that_grows(tmp_path):
    """More than a group of tunnels, each with addresses of its own, and a code without a name at the end."""
    rows = np.zeros(60_000, schema.dtype("tunnels"))
    rows["source"][:, 10:12] = 255
    rows["source"][:, 12:] = np.arange(len(rows), dtype=">u4").view(np.uint8).reshape(-1, 4)
    rows["carrier"][-1] = 200
    path, copy = tmp_path / "first", tmp_path / "second"
    with open(path, "wb") as file:
        writer = FORMATS["arrow"](file, Table("tunnels", rows[:0]))
        for start in (0, 20_000, 40_000):
            writer.write(Table("tunnels", rows[start : start + 20_000]))
        whole = writer.close()
    assert whole is not None
    with open(path, "rb") as old, open(copy, "wb") as new:
        whole(old, new)
    read = pyarrow.ipc.open_file(copy)
    assert read.num_record_batches == 3
    for frame in (polars.read_ipc(copy), polars.DataFrame(read.read_all())):
        assert frame["source"].to_list() == [
            f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(len(rows))
        ]
        assert frame["carrier"].to_list()[-2:] == ["NONE", "200"]

"""Tables leave through Arrow, Polars, DuckDB and pandas with each value, each null and the largest numbers."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from captures import WALKED, lab
from cells import READERS, cells, from_polars
from places import CAPTURES as BUNDLED
from pyarrows import needs_pyarrow, pyarrow

import pptpcap
from pptpcap import schema
from pptpcap.wire.tables import TABLES

polars = pytest.importorskip("polars")

BASE = BUNDLED / "found" / "base.pcap"
SUMMARY = pptpcap.read(b"").summary


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_each_value_of_each_table(name):
    capture = pptpcap.read(lab(name))
    for table in capture:
        if len(capture[table]) > 3000:
            continue
        wanted = cells(capture, table)
        for reader, read in READERS.items():
            assert read(capture.table(table)) == wanted, (table, reader)


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


@pytest.mark.slow
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
    keys = [key for batch in batches for key in from_polars(batch.table("gre"))["gre"]]
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


@needs_pyarrow
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

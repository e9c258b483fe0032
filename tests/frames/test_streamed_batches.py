"""Streams of a scan: batches are filled from several tables in order, and a stream may fail or be left at any time."""

from __future__ import annotations

import gc
import io
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from captures import lab
from cells import cells, from_arrow, from_polars
from pyarrows import pyarrow

import pptpcap
from pptpcap import schema
from pptpcap._arrow.stream import Cells, stream_capsule
from pptpcap._reading import lazy as scanning
from pptpcap.tables import Table, streamed

NAME = "multi8_clients.server.pcap"


def pieces(sizes: list[int]) -> list[Table]:
    """Tables of these sizes, one behind the other."""
    rows = np.zeros(sum(sizes), schema.dtype("gre"))
    rows["packet"] = np.arange(len(rows)) + 1
    # What is absent in one and not in another, numbers with a name and without one.
    rows["flags_and_version"] = np.where(np.arange(len(rows)) % 3, 0x3081, 0x2081)
    rows["ppp_protocol"] = [(0x21, 0xC021, 0x1234, 0)[number % 4] for number in range(len(rows))]
    ends = np.cumsum(sizes)
    return [
        Table("gre", rows[end - size : end], keys=np.arange(end - size, end))
        for size, end in zip(sizes, ends.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        # Of 100 rows, or of 10 where one begins with fewer than these.
        ([], []),
        ([0, 0], []),
        ([1], [1]),
        ([10], [10]),
        ([9, 1, 9, 3], [10, 10, 2]),
        ([9, 30], [10, 29]),
        ([30, 0, 30, 40, 1], [100, 1]),
        ([250, 49, 2], [100, 100, 100, 1]),
        ([99, 2, 1], [100, 2]),
    ],
)
def test_batches_of_a_stream_are_filled_from_several_tables(monkeypatch, sizes, lengths):
    monkeypatch.setattr("pptpcap.tables._BATCH", 100)
    monkeypatch.setattr("pptpcap.tables._FEW", 10)
    (whole,) = pieces([sum(sizes)])
    stream = Stream(whole, streamed(iter(pieces(sizes))))
    batches = list(pyarrow.RecordBatchReader.from_stream(stream))
    assert [len(one) for one in batches] == lengths
    assert from_arrow(pyarrow.Table.from_batches(batches, pyarrow.schema(whole))) == from_arrow(whole)
    assert from_polars(Stream(whole, streamed(iter(pieces(sizes))))) == from_polars(whole)


class Stream:
    """Cells of a table, for who takes a stream."""

    def __init__(self, table: Table, cells: Iterator[Cells]) -> None:
        self._table, self._cells = table, cells

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return stream_capsule(self._table.field, self._cells)


def test_a_stream_lets_go_of_a_table_before_it_asks_for_the_next():
    held: list[weakref.ref[Table]] = []

    def given():
        for number in range(3):
            assert [one() for one in held] == [None] * number
            (table,) = pieces([10])
            held.append(weakref.ref(table))
            yield table
            del table

    reader = pyarrow.RecordBatchReader.from_stream(Stream(pieces([0])[0], streamed(given())))
    assert len(reader.read_all()) == 30


class Failing(io.BytesIO):
    """A file that fails behind its first octets."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 200_000:
            raise OSError("the disk is gone")
        return super().read(min(size or 0, 65536))


@pytest.mark.parametrize("threads", [1, 3])
def test_what_fails_in_the_middle_is_an_error_of_the_consumer(threads):
    octets = lab(NAME).read_bytes()
    source = Failing(octets[:24] + octets[24:] * (1 + 400_000 // len(octets)))
    with pytest.raises(Exception, match="the disk is gone"):
        pptpcap.scan(source, table="gre", threads=threads, batch_packets=10).to_polars()


def test_a_consumer_that_stops_early_ends_the_reading(monkeypatch):
    ended: list[bool] = []
    true = scanning.__dict__["batches"]

    def batches(*args, **more):
        try:
            yield from true(*args, **more)
        finally:
            ended.append(True)

    monkeypatch.setattr(scanning, "batches", batches)
    monkeypatch.setattr("pptpcap.tables._FEW", 20)
    reader = pyarrow.RecordBatchReader.from_stream(pptpcap.scan(lab(NAME), table="gre", batch_packets=10))
    assert reader.read_next_batch()["gre"].to_pylist() == [*range(20)]
    assert ended == []
    del reader
    gc.collect()
    assert ended == [True]


@pytest.mark.parametrize("options", [{"threads": 1}, {"threads": 3}, {"batch_bytes": 3000}, {"batch_packets": 7}])
def test_rows_of_a_stream_are_the_same_whatever_the_batches(monkeypatch, options):
    wanted = cells(pptpcap.read(lab(NAME)), "gre")
    monkeypatch.setattr(scanning, "_STREAMED_BYTES", 5000)
    monkeypatch.setattr("pptpcap.tables._BATCH", 50)
    assert from_polars(pptpcap.scan(lab(NAME), table="gre", **options)) == wanted

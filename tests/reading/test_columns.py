"""``columns=``: some columns of a table, and no memory for the others."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import names_of
from places import CAPTURES

import pptpcap
from pptpcap import schema
from pptpcap._reading import batches

# Messages, GRE, PPP with options, tunnels, a call.
CAPTURE = max(CAPTURES.glob("*.pcap"), key=lambda path: path.stat().st_size)


def every_other(table):
    return names_of(schema.dtype(table))[::2]


@pytest.fixture(scope="module")
def whole():
    return pptpcap.read(CAPTURE)


def test_capture_has_rows_in_the_tables_that_matter(whole):
    assert all(len(whole[name]) for name in ("messages", "gre", "ppp", "ppp_options", "tunnels", "calls"))


@pytest.mark.parametrize("table", schema.TABLE_NAMES)
def test_columns_are_those_of_the_whole_table(engine, whole, table):
    columns = every_other(table)
    # Asked for in another order, once too often: the documented order holds.
    capture = pptpcap.read(CAPTURE, columns={table: [*reversed(columns), columns[0]]}, engine=engine)
    assert capture[table].dtype.names == columns
    assert capture[table].dtype.itemsize == sum(schema.dtype(table)[name].itemsize for name in columns)
    for name in columns:
        assert capture[table][name].tobytes() == whole[table][name].tobytes()
    for other in set(schema.TABLE_NAMES) - {table}:
        assert capture[other].tobytes() == whole[other].tobytes()


@pytest.mark.parametrize("arguments", [{"batch_packets": 1}, {"batch_bytes": 700}, {}, {"threads": 3}])
def test_batches_change_no_column(engine, whole, arguments):
    columns = {table: every_other(table) for table in schema.TABLE_NAMES}
    batches = list(pptpcap.iterate(CAPTURE, columns=columns, engine=engine, **arguments))
    for table in schema.EVENTS:
        rows = np.concatenate([batch[table] for batch in batches])
        for name in columns[table]:
            assert rows[name].tobytes() == whole[table][name].tobytes()
    for table in schema.ENTITIES:
        for name in columns[table]:
            assert batches[-1][table][name].tobytes() == whole[table][name].tobytes()


def test_other_columns_are_let_go_range_by_range(engine, monkeypatch):
    """Not at the end: between two ranges nothing is held but what was asked for."""
    monkeypatch.setattr(batches, "_RANGE", 512)
    monkeypatch.setattr(batches, "_LARGE_RANGE", 512)
    held = []
    step = batches.Batches.step

    def watched(self, *arguments):
        container = step(self, *arguments)
        left = sum(rows.nbytes for rows in self.assembler.take().values())
        pieces = [piece for pieces in self.pieces.values() for piece in pieces]
        held.append((left, sum(piece.nbytes for piece in pieces), sum(len(piece) for piece in pieces)))
        assert all(piece.base is None for piece in pieces)
        return container

    monkeypatch.setattr(batches.Batches, "step", watched)
    capture = pptpcap.read(CAPTURE, tables=["gre"], columns={"gre": ["call_id"]}, engine=engine, threads=1)
    assert len(held) > 10
    assert all(left == 0 and octets == 2 * rows for left, octets, rows in held)
    assert held[-1][2] == len(capture.gre) > 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"columns": {"gre": ["call_id", "colour"]}}, "no such column in gre: colour; there are time, "),
        ({"columns": {"gre": []}}, "no such column in gre: none; there are time, "),
        ({"columns": {"grey": ["call_id"]}}, "columns of a table that is not among tables: grey"),
        ({"tables": ["calls"], "columns": {"gre": ["call_id"]}}, "columns of a table that is not among tables: gre"),
    ],
)
def test_what_is_not_there_is_told_at_the_call(arguments, words):
    for call in (pptpcap.read, pptpcap.iterate):
        with pytest.raises(ValueError, match=words):
            call(CAPTURE, **arguments)


def test_one_name_is_one_column():
    assert pptpcap.read(CAPTURE, columns={"gre": "call_id"}).gre.dtype.names == ("call_id",)

"""Rows beside those to which they point: each value, null where there is none, and names for all."""

from __future__ import annotations

import itertools
import re
from functools import cache

import numpy as np
import pytest
from captures import WALKED, lab
from cells import READERS, cells, from_polars
from places import CAPTURES as BUNDLED

import pptpcap
from pptpcap.wire.tables import POINTERS, TABLES

BASE = BUNDLED / "found" / "base.pcap"

# Typed by hand: the tables, the columns that lead from the first one to the second, and the names in front.
JOINS = [
    ("messages", "connections", [["connection"]]),
    ("messages", "calls", [["call"]]),
    ("messages", "tunnels", [["call", "pns_tunnel"], ["call", "pac_tunnel"]]),
    ("outgoing_call_request", "messages", [["message"]]),
    ("outgoing_call_request", "calls", [["message", "call"]]),
    ("gre", "calls", [["tunnel", "call"]]),
    ("gre", "connections", [["tunnel", "call", "connection"]]),
    ("ppp", "gre", [["gre"]]),
    ("ppp_options", "ppp", [["ppp"]]),
    ("ppp_options", "calls", [["ppp", "tunnel", "call"]]),
    ("tunnels", "calls", [["call"]]),
    ("calls", "messages", [["request_message"], ["reply_message"], ["disconnect_message"]]),
    ("calls", "tunnels", [["pns_tunnel"], ["pac_tunnel"]]),
    ("issues", "connections", [["connection"]]),
]


def beside(capture, values, first, ways):
    """The columns of another table, value by value."""
    told = {}
    for way in ways:
        at, places = first, list(range(len(capture[first])))
        for column in way:
            places = [-1 if place < 0 else int(capture[at][column][place]) for place in places]
            at = POINTERS[at][column]
        _, *rest = values
        if len(way) > 1:
            told[way[-1]] = [None if place < 0 else place for place in places]
        for name in rest:
            told[f"{way[-1]}_{name}"] = [None if place < 0 else values[name][place] for place in places]
    return told


def compare(capture, reader):
    told = cache(lambda table: cells(capture, table))
    for first, other, ways in JOINS:
        if len(capture[first]) < 1000:
            wanted = told(first) | beside(capture, told(other), first, ways)
            assert reader(capture.joined(first, other)) == wanted, (first, other)


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_each_value(name):
    compare(pptpcap.read(lab(name)), from_polars)


@pytest.mark.parametrize("reader", READERS)
def test_each_reader(reader):
    compare(pptpcap.read(BASE), READERS[reader])


def test_by_hand():
    """Two columns of each message of a capture whose only connection and call are known."""
    table = pptpcap.read(BASE).joined("messages", "connections", "calls")
    told = from_polars(table)
    assert told["connection_initiator_address"] == ["192.0.2.10"] * 11
    assert told["control_message_type"][2:4] == ["outgoing_call_request", "outgoing_call_reply"]
    assert told["call_reason"][:4] == [None, None, "CLEARED", "CLEARED"]
    assert repr(table) == "<pptpcap.Table messages with connection with call: 11 rows, 186 columns>"


def test_pointers_are_those_of_the_tables():
    for table in TABLES:
        said = {column.name: re.match(r"row in (\w+)", column.meaning) for column in table.columns}
        pointers = {name: found[1] for name, found in said.items() if found and name != "row"}
        assert POINTERS[table.name] == pointers


def test_names_differ():
    capture = pptpcap.read(b"")
    for first, other in itertools.product(POINTERS, POINTERS):
        try:
            names = capture.joined(first, other).names
        except ValueError:
            continue
        assert len(names) == len(set(names)), (first, other)


def test_arrays():
    """Where there is no row stand 0, -1, NaT and no text."""
    capture = pptpcap.read(BASE)
    rows = capture.joined("messages", "calls").to_numpy()
    assert len(rows) == 11
    for name in (rows.dtype.names or ())[-100:]:
        assert np.array_equal(rows[name][2:4], np.repeat(capture.calls[name.removeprefix("call_")], 2, axis=0)), name
    assert rows["call_mru"].tolist()[:3] == [0, 0, 1400]
    assert rows["call_connection"].tolist()[:3] == [-1, -1, 0]
    assert np.isnat(rows["call_end_time"]).tolist()[:3] == [True, True, False]
    assert rows["call_pns_address"][0].tolist() == [0] * 16


def test_codes():
    told = from_polars(pptpcap.read(BASE).joined("gre", "calls", codes=True))
    assert told["call_reason"] == [11] * 20


def test_with_call():
    capture = pptpcap.read(BASE)
    assert from_polars(capture.table("gre").with_call()) == from_polars(capture.joined("gre", "calls"))
    coded = capture.table("gre", codes=True).with_call()
    assert from_polars(coded) == from_polars(capture.joined("gre", "calls", codes=True))
    with pytest.raises(ValueError, match=r"^the calls of these rows of gre are not at hand: use Capture.table$"):
        next(iter(pptpcap.scan(BASE, table="gre").batches())).with_call()


def test_refusals():
    capture = pptpcap.read(BASE)
    with pytest.raises(ValueError, match=r"^no column of gre leads to 'issues'$"):
        capture.joined("gre", "issues")
    with pytest.raises(ValueError, match=r"^no column of gre leads to 'cals'; did you mean 'calls'\?$"):
        capture.joined("gre", "cals")
    with pytest.raises(ValueError, match=r"^no column of calls leads to 'calls'$"):
        capture.joined("calls", "calls")
    with pytest.raises(KeyError, match=r"'gree' is not among the tables"):
        capture.joined("gree", "calls")
    with pytest.raises(KeyError, match=r"'tunnels' is not among the tables"):
        pptpcap.read(BASE, tables=["gre", "calls"]).joined("gre", "calls")
    with pytest.raises(ValueError, match=r"^some columns of calls were not read"):
        pptpcap.read(BASE, tables=["messages", "calls"], columns={"calls": ["call_serial_number"]}).joined(
            "messages", "calls"
        )
    *_, last = pptpcap.iterate(BASE, batch_packets=20)
    with pytest.raises(ValueError, match=r"^a batch has a part of the rows to which others point$"):
        last.joined("messages", "calls")

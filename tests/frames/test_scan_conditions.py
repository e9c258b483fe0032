"""The matrix of filters: each condition, on a selected and on an unselected column, through each library.

What is expected is told from the arrays that `read` returns, value by value.
"""

from __future__ import annotations

import ipaddress
import itertools
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from captures import PACKED, lab
from cells import KEYS, cells, duckdb, from_arrow, from_frame, from_relation, polars
from cells import READERS as LIBRARIES
from places import CAPTURES as BUNDLED
from pyarrows import IS_LEFT_OUT

import pptpcap
from pptpcap.wire.status import CallPhase
from pptpcap.wire.tables import BY_NAME

CAPTURES = [
    "auth_fail_mschapv2.pcap",
    "multi8_clients.server.pcap",
    "fmt_gre_only_midstream.pcap",
    "pap_plain_snaplen64.pcap",
    "nat_same_callid.pcap",
]
OWNERS = {
    "messages": ("connection", "connections"),
    "issues": ("connection", "connections"),
    "calls": ("connection", "connections"),
    "tunnels": ("call", "calls"),
    "gre": ("tunnel", "tunnels"),
    "ppp": ("tunnel", "tunnels"),
    "ppp_options": ("ppp", "ppp"),
}
MESSAGE = ("message", "messages")
SPANS = {"connections": ("first_time", "last_time"), "tunnels": ("first_time", "last_time")}
SPANS["calls"] = ("start_time", "last_time")


def place(name: str) -> Path:
    return lab(name) if (PACKED / f"{name}.xz").exists() else BUNDLED / "found" / name


@cache
def world(name: str) -> dict[str, dict[str, list[Any]]]:
    capture = pptpcap.read(place(name))
    return {table: cells(capture, table) for table in capture}


def owned(told, table: str, row: int):
    """The row that a row belongs to: its table and number."""
    if table not in OWNERS and table not in SPANS:
        column, owner = MESSAGE
    elif table in OWNERS:
        column, owner = OWNERS[table]
    else:
        return None
    number = told[table][column][row]
    return None if number is None else (owner, number)


def inherited(told, table: str, row: int, tells):
    """What the first table says that can say it, from the row's own on; None where nothing is known."""
    while (found := tells(table, row)) is None:
        above = owned(told, table, row)
        if above is None:
            return None
        table, row = above
    return found


def key(table: str) -> str:
    return KEYS.get(table, "row")


def within(value, wanted) -> bool:
    if value is None:
        return False
    if isinstance(wanted, tuple):
        return (wanted[0] is None or wanted[0] <= value) and (wanted[1] is None or value < wanted[1])
    return value in wanted if isinstance(wanted, list) else value == wanted


def is_kind(wanted) -> bool:
    return isinstance(wanted, str) or (isinstance(wanted, list) and isinstance(wanted[0], str))


def fulfils(told, table: str, row: int, name: str, wanted) -> bool:
    own = told[table]
    if name == "address":
        networks = [ipaddress.ip_network(one) for one in (wanted if isinstance(wanted, list) else [wanted])]

        def addresses(at, number):
            columns = [column.name for column in BY_NAME[at].columns if column.shape]
            return [told[at][column][number] for column in columns] or None

        found = inherited(told, table, row, addresses)
        return any(ipaddress.ip_address(one) in net for one in found or [] if one is not None for net in networks)
    if name == "time":

        def span(at, number):
            first, last = SPANS.get(at, ("time", "time"))
            return (told[at][first][number], told[at][last][number]) if first in told[at] else None

        first, last = inherited(told, table, row, span) or (None, None)
        if first is None or last is None:
            return False
        return (wanted[1] is None or first < wanted[1]) and (wanted[0] is None or last >= wanted[0])
    if name == "message" and is_kind(wanted):

        def kind(at, number):
            return told[at]["control_message_type"][number] if at == "messages" else None

        return within(inherited(told, table, row, kind), wanted)
    if name in ("call", "connection"):

        def pointer(at, number):
            # A row that has the column says what it has, even nothing.
            return (told[at][name][number],) if name in told[at] else None

        return within((inherited(told, table, row, pointer) or (None,))[0], wanted)
    if name == "phase" and isinstance(wanted, tuple):
        limits = tuple(None if one is None else CallPhase[one] for one in wanted)
        return within(CallPhase[own[name][row]], limits)
    if name.endswith("ipv4") and own[name][row] is not None:
        return ipaddress.ip_address(own[name][row]) in ipaddress.ip_network(wanted)
    return within(own[name][row], wanted)


def expected(told, table: str, conditions) -> list[int]:
    rows = range(len(told[table][key(table)]))
    return [row for row in rows if all(fulfils(told, table, row, *one) for one in conditions.items())]


def conditions_of(told, table: str):
    """Conditions that some of the rows fulfil, if there are rows."""
    own = told[table]
    peers = [one for one in [*told["tunnels"]["source"], *told["connections"]["initiator_address"]] if one]
    times = sorted(time for one in ("gre", "messages") for time in told[one]["time"])
    some = times[len(times) // 4], times[3 * len(times) // 4]
    yield {"time": some}
    yield {"time": (None, some[0])}
    yield {"address": peers[0]}
    yield {"address": ["10.0.0.0/8", "192.168.0.0/16"]}
    yield {"address": "fe80::/10"}
    yield {key(table): [0, 2, 5, 10**15]}
    yield {"connection": 0}
    if table not in ("connections", "issues"):
        yield {"call": [0, 3]}
        yield {"call": (1, 4)}
        yield {"call": (0, 2), "time": (some[0], None), "address": peers[-1]}
    if table == "messages" or table not in KEYS:
        yield {"message": "echo_request"}
        yield {"message": ["echo_reply", "outgoing_call_request"], "connection": (0, None)}
        yield {"message": (1, 6)}
    for name, wanted in COLUMNS.get(table, ()):
        if wanted is None:
            wanted = next((one for one in reversed(own[name]) if one is not None), None)
        if wanted is not None:
            yield {name: wanted}


# Columns with a value; with None, that of the last row.
COLUMNS: dict[str, list[tuple[str, Any]]] = {
    "messages": [("from_initiator", True), ("row", (0, 3)), ("control_message_type", "echo_reply"), ("time", (0, None))],
    "gre": [("ppp_protocol", "LCP"), ("sequence_number", (0, 5)), ("acknowledgment_number", [0, 1, 2]), ("call_id", None)],
    "ppp": [("protocol", ["LCP", "CCP"]), ("code", 1), ("length", (5, 20)), ("gre", (2, 9))],
    "ppp_options": [("type", 5), ("value", (1, 2**64 - 1)), ("ppp", [0, 1])],
    "connections": [("initiator_host_name", None), ("initiator_port", (1, 50_000)), ("end", None), ("midstream", False)],
    "tunnels": [("from_pns", True), ("call_id", None), ("ack_delay_min_ns", (0, 10**7)), ("source", None)],
    "calls": [("reason", None), ("phase", ("LINK", None)), ("pns_ipv4", "0.0.0.0/0"), ("end_time", (0, None)), ("mru", None)],
    "issues": [("kind", None), ("needed", (0, 2**64))],
    "outgoing_call_request": [("maximum_bps", (1, None)), ("row", 0)],
    "echo_request": [("identifier", (0, 4))],
}  # fmt: skip
TABLES = list(COLUMNS)


def selected(scan, key_name: str, columns: list[str]):
    return scan.select(*dict.fromkeys([key_name, *columns]))


READERS = {
    **LIBRARIES,
    "numpy": lambda scan: {name: scan.to_numpy()[name].tolist() for name in scan.names},
    "to_polars": lambda scan: from_frame(scan.to_polars()),
    "to_duckdb": lambda scan: from_relation(scan.to_duckdb()),
    "lazy": lambda scan: from_frame(scan.to_polars(lazy=True).collect(engine="in-memory")),
    "streaming": lambda scan: from_frame(scan.to_polars(lazy=True).collect(engine="streaming")),
}
if "arrow" in LIBRARIES:
    READERS["to_arrow"] = lambda scan: from_arrow(scan.to_arrow())


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", CAPTURES)
def test_matrix(name, table):
    told = world(name)
    for conditions in conditions_of(told, table):
        rows = expected(told, table, conditions)
        scan = pptpcap.scan(place(name), table=table).where(**conditions)
        projected = [one for one in conditions if one in told[table]]
        for columns in ([], projected):
            narrow = selected(scan, key(table), columns)
            for reader, read in READERS.items():
                found = read(narrow)
                assert found[key(table)] == rows, (conditions, columns, reader)
                for column in columns:
                    if reader != "numpy":
                        assert found[column] == [told[table][column][row] for row in rows], (conditions, reader)


def predicate(name: str, wanted, time: bool):
    """The same condition as an expression of Polars."""
    column = polars.col(name)
    if not isinstance(wanted, tuple):
        return column.is_in(wanted) if isinstance(wanted, list) else column == wanted
    ends = [polars.lit(one).cast(polars.Datetime("ns", "UTC")) if time and one is not None else one for one in wanted]
    tests = [] if ends[0] is None else [column >= ends[0]]
    tests += [] if ends[1] is None else [column < ends[1]]
    return polars.all_horizontal(tests)


def literal(value) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def clause(name: str, wanted, time: bool) -> str:
    """The same condition in SQL."""
    column = f'epoch_ns("{name}")' if time else f'"{name}"'
    if isinstance(wanted, tuple):
        tests = [f"{column} {sign} {end}" for sign, end in zip((">=", "<"), wanted, strict=True) if end is not None]
        return " and ".join(tests)
    return f"{column} in ({', '.join(map(literal, wanted if isinstance(wanted, list) else [wanted]))})"


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", CAPTURES)
def test_matrix_of_what_libraries_ask(name, table):
    """The condition is one of Polars or DuckDB, pushed down as far as the library does that."""
    told = world(name)
    scan = pptpcap.scan(place(name), table=table)
    lazy = scan.to_polars(lazy=True)
    for conditions in conditions_of(told, table):
        ((column, wanted), *more) = conditions.items()
        is_time = BY_NAME[table].name in SPANS and column == "time"
        special = column not in told[table] or is_time or (column == "phase" and isinstance(wanted, tuple))
        if more or special or (column == "message" and is_kind(wanted)) or column == "pns_ipv4":
            continue
        rows = expected(told, table, conditions)
        time = "time" in column
        expression = predicate(column, wanted, time)
        for columns in ([], [column]):
            names = list(dict.fromkeys([key(table), *columns]))
            values = {one: [told[table][one][row] for row in rows] for one in names}
            for engine in ("in-memory", "streaming"):
                found = lazy.filter(expression).select(names).collect(engine=engine)
                assert from_frame(found) == values, (conditions, engine)
                first = lazy.filter(expression).select(names).head(2).collect(engine=engine)
                assert from_frame(first) == {one: some[:2] for one, some in values.items()}, (conditions, engine)
            assert from_frame(scan.where(expression).select(*names).to_polars()) == values, conditions
            quoted = ", ".join(f'"{one}"' for one in names)
            query = f"select {quoted} from {{}} where {clause(column, wanted, time)}"
            assert from_relation(duckdb.sql(query.format("scan"))) == values, conditions
            # DuckDB reads what Polars has through pyarrow.
            if not IS_LEFT_OUT:
                assert from_relation(duckdb.sql(query.format("lazy"))) == values, conditions


@pytest.mark.parametrize("table", TABLES)
def test_the_first_rows_are_taken_before_they_are_filtered(table):
    told = world(CAPTURES[1])
    scan = pptpcap.scan(place(CAPTURES[1]), table=table)
    is_odd = polars.col(key(table)) % 2 == 1
    rows = told[table][key(table)]
    for engine in ("in-memory", "streaming"):
        lazy = scan.to_polars(lazy=True)
        assert lazy.head(5).filter(is_odd).collect(engine=engine)[key(table)].to_list() == rows[:5][1::2]
        assert lazy.filter(is_odd).head(5).collect(engine=engine)[key(table)].to_list() == rows[1::2][:5]
        lazy = scan.head(5).to_polars(lazy=True)
        assert lazy.filter(is_odd).collect(engine=engine)[key(table)].to_list() == rows[:5][1::2]
        assert lazy.slice(1, 2).collect(engine=engine)[key(table)].to_list() == rows[:5][1:3]
        assert lazy.select(polars.len()).collect(engine=engine).item() == min(5, len(rows))


@pytest.mark.slow
@pytest.mark.parametrize(
    "split", [{"batch_packets": 30}, {"batch_bytes": 5000}, {"engine": "reference"}, {"threads": 2}]
)
@pytest.mark.parametrize("table", TABLES)
def test_law_of_the_split(table, split):
    for name in CAPTURES[:2]:
        told, whole = world(name), pptpcap.read(place(name))[table]
        # The slow engine has each of them on the short capture, and some on the long one.
        every = 3 if "engine" in split and name == CAPTURES[1] else 1
        for conditions in itertools.islice(conditions_of(told, table), 0, None, every):
            scan = pptpcap.scan(place(name), table=table, **split).where(**conditions)
            rows = expected(told, table, conditions)
            assert scan.to_numpy().tobytes() == whole[rows].tobytes(), conditions
        # The first rows are the first, however many a batch has.
        assert scan.head(3).select(key(table)).to_numpy()[key(table)].tolist() == rows[:3]


@pytest.mark.parametrize("table", TABLES)
def test_the_matrix_says_something(table):
    """Some conditions hold for some rows and not for others."""
    shares = [
        len(expected(world(name), table, conditions)) / len(world(name)[table][key(table)])
        for name in CAPTURES
        if world(name)[table][key(table)]
        for conditions in conditions_of(world(name), table)
    ]
    assert 0 in shares
    assert 1 in shares
    assert any(0 < share < 1 for share in shares)

"""``capture.sql``: DuckDB runs it, its views have the rows of the tables, and what they add is right."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from call_builder import Session, clear, disconnect, incoming_reply, incoming_request, octets, packet
from captures import lab
from cells import cells, duckdb, from_relation
from test_convert_folder import listed

import pptpcap
from pptpcap import schema
from pptpcap.export import convert
from pptpcap.wire.tables import BY_NAME

pytestmark = pytest.mark.slow

LOSSY = "loss5_reorder_dup.client.pcap"
FORMATS = ("parquet", "csv", "jsonl")
JOINED = {"messages_with_addresses", "calls_in_words", "loss_per_second"}


def opened(folder, monkeypatch):
    """A connection to a database in memory that ran the file, in its folder."""
    monkeypatch.chdir(folder)
    connection = duckdb.connect()
    connection.execute((folder / "capture.sql").read_text("ascii"))
    return connection


def names(connection) -> set[str]:
    return {name for (name,) in connection.sql("select view_name from duckdb_views() where not internal").fetchall()}


def in_microseconds(table: str, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Times of text lose what is less, since DuckDB's own type has no more."""
    times = {column.name for column in BY_NAME[table].columns if column.dtype.startswith("datetime64")}
    return {
        name: [None if one is None else one // 1000 * 1000 for one in values] if name in times else values
        for name, values in columns.items()
    }


@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("format_name", FORMATS)
def test_each_value_of_each_table(tmp_path, monkeypatch, format_name, codes):
    path = lab("multi8_clients.server.pcap")
    capture = pptpcap.read(path, identities=True)
    convert(path, tmp_path, format=format_name, codes=codes, identities=True)
    connection = opened(tmp_path, monkeypatch)
    assert names(connection) == {*schema.TABLE_NAMES} | JOINED
    for table in schema.TABLE_NAMES:
        if len(capture[table]) > 3000:
            continue
        key = next(iter(cells(capture, table)))
        found = from_relation(connection.sql(f"select * from {table} order by {key}"))
        # pyarrow writes the nanoseconds of a Parquet file, and not each version of DuckDB reads them.
        found, wanted = (in_microseconds(table, one) for one in (found, cells(capture, table, codes)))
        assert found == wanted, table


@pytest.mark.parametrize("partition", [None, "hour"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_loss_adds_up_to_that_of_each_tunnel(tmp_path, monkeypatch, format_name, partition):
    capture = pptpcap.read(lab(LOSSY))
    convert(lab(LOSSY), tmp_path, format=format_name, partition=partition)
    connection = opened(tmp_path, monkeypatch)
    found = connection.sql(
        "select tunnel, sum(lost), sum(reordered), sum(duplicated), sum(packets), count(*) from loss_per_second group by 1 order by 1"
    ).fetchall()
    tunnels = capture.tunnels
    assert tunnels["lost"].sum() > 0
    told = [tuple(map(int, row)) for row in found]
    columns = ("lost", "reordered", "duplicated", "packets")
    assert [row[:5] for row in told] == [
        (number, *(int(tunnel[name]) for name in columns)) for number, tunnel in enumerate(tunnels) if tunnel["packets"]
    ]
    # Each second that has a packet is a row.
    gre = capture.gre[(capture.gre["flags_and_version"] & 0x1000 != 0) & (capture.gre["tunnel"] == told[0][0])]
    assert told[0][5] == len(np.unique(gre["time"].astype("M8[s]")))


def conversation() -> bytes:
    """The client calls and hangs up; the server calls, and is refused; an LCP packet that is lost."""
    talk = Session().outgoing(7, 9)
    for sequence in (0, 3):
        talk.client_sends(9, sequence, payload=octets(packet("c021", 9, "00000000"))).after(10)
    talk.client_sends(9, 2, payload=octets(packet("c021", 9, "00000000"))).after(11)
    talk.client_says(clear(7)).server_says(disconnect(9))
    talk.server_says(incoming_request(11)).client_says(incoming_reply(12, 11, result=2, error=5))
    return talk.pcap()


@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("format_name", FORMATS)
def test_calls_and_messages_in_words(tmp_path, monkeypatch, format_name, codes):
    convert(conversation(), tmp_path, format=format_name, codes=codes)
    connection = opened(tmp_path, monkeypatch)
    calls = connection.sql('select "call", caller, called, kind, phase, reason, story from calls_in_words').fetchall()
    assert calls == [
        (0, "10.0.0.2", "10.0.0.1", "OUTGOING", "CONNECTED", "CLEARED", "cleared, PNS first"),
        (1, "10.0.0.1", "10.0.0.2", "INCOMING", "REQUESTED", "REFUSED", "refused, PNS first"),
    ]
    messages = connection.sql("select message, control_message_type, source, destination from messages_with_addresses")
    assert messages.fetchall() == [
        (0, "outgoing_call_request", "10.0.0.2", "10.0.0.1"),
        (1, "outgoing_call_reply", "10.0.0.1", "10.0.0.2"),
        (2, "call_clear_request", "10.0.0.2", "10.0.0.1"),
        (3, "call_disconnect_notify", "10.0.0.1", "10.0.0.2"),
        (4, "incoming_call_request", "10.0.0.1", "10.0.0.2"),
        (5, "incoming_call_reply", "10.0.0.2", "10.0.0.1"),
    ]
    loss = connection.sql("select tunnel, epoch(second)::bigint, packets, lost, reordered from loss_per_second")
    # Two are passed over in the first second, and one of them comes in the next.
    assert loss.fetchall() == [(0, 1_600_000_010, 2, 2, 0), (0, 1_600_000_011, 1, -1, 1)]


def test_from_elsewhere_and_again(tmp_path, monkeypatch):
    """With the folder named, whatever its name is; and twice into one database."""
    folder = tmp_path / 'it\'s "a" folder'
    convert(conversation(), folder, tables=["gre"])
    monkeypatch.chdir(tmp_path)
    connection = duckdb.connect()
    with pytest.raises(duckdb.Error):
        connection.execute((folder / "capture.sql").read_text("ascii"))
    path = str(folder).replace("'", "''")
    connection.execute(f"set file_search_path = '{path}'")
    for _ in range(2):
        connection.execute((folder / "capture.sql").read_text("ascii"))
    assert connection.sql("select count(*) from gre").fetchall() == [(3,)]
    assert names(connection) == {"gre", "loss_per_second"}
    assert opened(folder, monkeypatch).sql("select count(*) from gre").fetchall() == [(3,)]


def test_views_of_several_formats(tmp_path, monkeypatch):
    """The last conversion of a table that DuckDB can read; none of what it cannot."""
    data = tmp_path / "in.pcap"
    data.write_bytes(conversation())
    out = tmp_path / "out"
    convert(data, out, format="npy")
    assert "capture.sql" not in listed(out)
    convert(data, out, format="csv", tables=["gre", "ppp"])
    convert(data, out, format="arrow", tables=["messages", "gre"])
    convert(data, out, tables=["ppp"], codes=True)
    text = (out / "capture.sql").read_text("ascii")
    assert ["gre.csv" in text, "ppp.csv" in text, "ppp.parquet" in text, "arrow" in text, "npy" in text] == [
        True, False, True, False, False,
    ]  # fmt: skip
    connection = opened(out, monkeypatch)
    assert names(connection) == {"gre", "ppp", "loss_per_second"}
    assert connection.sql("select distinct protocol from ppp").fetchall() == [(0xC021,)]
    told = json.loads((out / "capture.json").read_text("ascii"))
    assert told["views"] == {"file": "capture.sql", "size": len(text)}
    assert [one["format"] for one in (told, *told["kept"])] == ["parquet", "arrow", "csv", "npy"]
    convert(data, out, format="npy", only=True)
    assert "capture.sql" not in listed(out) and "views" not in json.loads((out / "capture.json").read_text("ascii"))

"""Community IDs: those of the package of their authors, and of vectors that they published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builder import CLIENT6, SERVER6, pcap
from call_builder import Session
from captures import lab
from cells import FLOWS, READERS, community_ids, duckdb, from_frame, from_polars, polars
from commands import call
from pyarrows import needs_pyarrow

import pptpcap
from pptpcap._arrow.community import community_ids as ids_of
from pptpcap.export import convert
from pptpcap.schema import dtype

# Of the specification's baseline: source, destination, their ports, seed, ID.
PUBLISHED = [
    ("128.232.110.120", "66.35.250.204", 34855, 80, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("66.35.250.204", "128.232.110.120", 80, 34855, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("128.232.110.120", "66.35.250.204", 34855, 80, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="),
]


def octets(address: str) -> np.ndarray:
    return np.frombuffer(bytes(10) + b"\xff\xff" + bytes(map(int, address.split("."))), np.uint8).reshape(1, 16)


@pytest.mark.parametrize(("source", "destination", "port", "other", "seed", "expected"), PUBLISHED)
def test_published_vectors(source, destination, port, other, seed, expected):
    ports = np.array([port], np.uint16), np.array([other], np.uint16)
    assert ids_of((octets(source), octets(destination)), ports, seed).tolist() == [expected.encode()]


@pytest.mark.parametrize("seed", [0, 1, 65535])
@pytest.mark.parametrize("table", FLOWS)
def test_any_ends(table, seed):
    """Equal addresses, equal ports, zeros, IPv4 and IPv6 with one, and a number of each order."""
    _, addresses, ports = FLOWS[table]
    ends = [b"\0" * 16, b"\xff" * 16, bytes(10) + b"\xff\xff\x0a\0\0\x01", bytes(10) + b"\xff\xff\x0a\0\0\0"]
    ends += [bytes(10) + b"\xff\xff" + b"\xff" * 4, b"\x20\1" + bytes(13) + b"\1", b"\x20\1" + bytes(14)]
    # One header has addresses of one version.
    pairs = [(a, b) for a in ends for b in ends if (a[:12] == ends[2][:12]) == (b[:12] == ends[2][:12])]
    numbers = [(a, b) for a in (0, 1, 255, 256, 65535) for b in (1, 256, 65535)] if ports else [(0, 0)]
    rows = np.zeros(len(pairs) * len(numbers), dtype(table))
    for place, ((a, b), (c, d)) in enumerate((pair, two) for pair in pairs for two in numbers):
        for column, value in zip(addresses, (a, b), strict=True):
            rows[column][place] = np.frombuffer(value, np.uint8)
        for column, number in zip(ports, (c, d), strict=False):
            rows[column][place] = number
    found = ids_of((rows[addresses[0]], rows[addresses[1]]), tuple(rows[column] for column in ports), seed)
    assert [one.decode() for one in found.tolist()] == community_ids(rows, table, seed)


@pytest.fixture(scope="module")
def capture():
    """IPv4 and IPv6, with many connections."""
    packets: list[Any] = []
    for number in range(3):
        Session(packets, port=1000 + number).outgoing(7 + number, 70 + number).client_sends(70 + number, 0)
    Session(packets, client=CLIENT6, server=SERVER6).outgoing(9, 90).server_sends(9, 0)
    return pptpcap.read([pcap(packets), lab("multi8_clients.server.pcap")])


@pytest.mark.parametrize("table", FLOWS)
def test_every_library_has_it(capture, table):
    expected = community_ids(capture[table], table)
    assert len(set(expected)) > 3
    one = capture.table(table)
    assert one.names[-1] == "community_id"
    told = [from_frame(one.to_polars()), *(reader(one) for reader in READERS.values())]
    assert [one["community_id"] for one in told] == [expected] * len(told)


@pytest.mark.parametrize("table", FLOWS)
def test_the_seed(capture, table):
    expected = community_ids(capture[table], table, 7)
    assert from_polars(capture.table(table, community_seed=7))["community_id"] == expected
    source = lab("multi8_clients.server.pcap")
    expected = community_ids(pptpcap.read(source)[table], table, 7)
    scan = pptpcap.scan(source, table=table, community_seed=7)
    assert scan.select("community_id").to_polars()["community_id"].to_list() == expected
    assert scan.to_pandas()["community_id"].tolist() == expected
    for seed in (-1, 65536):
        with pytest.raises(ValueError, match="community_seed must be from 0 to 65535"):
            capture.table(table, community_seed=seed)
        with pytest.raises(ValueError, match="community_seed must be from 0 to 65535"):
            pptpcap.scan(source, table=table, community_seed=seed)


def test_beside_other_tables(capture):
    joined = from_polars(capture.joined("messages", "connections", community_seed=7))
    of_connections = community_ids(capture.connections, "connections", 7)
    assert joined["connection_community_id"] == [of_connections[row] for row in capture.messages["connection"]]
    both = from_polars(capture.joined("calls", "tunnels"))
    of_tunnels = [*community_ids(capture.tunnels, "tunnels"), None]
    assert both["pns_tunnel_community_id"] == [of_tunnels[row] for row in capture.calls["pns_tunnel"]]


def test_arrays_do_not_have_it(capture):
    assert "community_id" not in (capture.tunnels.dtype.names or ())
    assert capture.table("tunnels").to_numpy() is capture.tunnels
    assert "community_id" not in capture.table("tunnels").columns()
    chosen = (
        pptpcap.scan(lab("multi8_clients.server.pcap"), table="tunnels").select("community_id", "tunnel").to_numpy()
    )
    assert chosen.dtype.names == ("community_id", "tunnel")
    assert chosen["community_id"].tolist()[0].startswith(b"1:")


def test_expressions(capture):
    source = lab("multi8_clients.server.pcap")
    scan = pptpcap.scan(source, table="tunnels")
    wanted = community_ids(pptpcap.read(source).tunnels, "tunnels")[2]
    rows = scan.where(polars.col("community_id") == wanted).select("tunnel").to_polars()["tunnel"].to_list()
    assert 2 in rows
    assert scan.to_polars(lazy=True).filter(polars.col("community_id") == wanted).collect()["tunnel"].to_list() == rows
    with pytest.raises(ValueError, match="tunnels has no column or condition 'community_id'"):
        scan.where(community_id=wanted)


def test_no_rows():
    table = pptpcap.read(pcap([])).table("connections")
    assert from_polars(table)["community_id"] == []


@pytest.mark.parametrize("form", [pytest.param("parquet", marks=needs_pyarrow), "csv", "jsonl"])
def test_exported_files_have_it(tmp_path, form):
    """With the seed; another seed is another conversion."""
    source = lab("multi8_clients.server.pcap")
    more: dict[str, Any] = {"format": form, "tables": ["connections", "tunnels"]}
    for seed in (0, 7):
        convert(source, tmp_path, community_seed=seed, overwrite=True, **more)
        for table in FLOWS:
            found = duckdb.sql(f"select community_id from '{tmp_path}/{table}.{form}'").fetchall()
            assert [one for (one,) in found] == community_ids(pptpcap.read(source)[table], table, seed)
    with pytest.raises(ValueError, match="community_seed must be from 0 to 65535"):
        convert(source, tmp_path, community_seed=65536, **more)
    out = tmp_path / "out"
    assert call("convert", source, "-o", out, "--table", "tunnels", "--format", "csv", "--community-seed", "7")[0] == 0
    assert (
        (out / "tunnels.csv")
        .read_text()
        .splitlines()[1]
        .endswith(community_ids(pptpcap.read(source).tunnels, "tunnels", 7)[0])
    )
    assert call("convert", source, "-o", out, "--community-seed", "65536")[0] == 2

"""Caps on the rows that stay until the end: connections, tunnels, calls; and the memory that they take."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random

import numpy as np
import pytest
from builder import Conversation, echo, pcap
from call_builder import Session, clear, connected, disconnect, outgoing_request
from commands import call
from fuzz import peaks
from helpers import ENGINES, column, drive, faults, identifiers, issues, joined, same
from hypothesis import given
from hypothesis import strategies as st
from relations import relations

import pptpcap
from pptpcap._reading import batches
from pptpcap.schema import ENTITIES, TABLE_NAMES
from pptpcap.wire import limits as caps
from pptpcap.wire.limits import DEFAULT, Limits


def unlisted(got) -> list[int]:
    return [got.counters[f"{what}_unlisted"] for what in ("connections", "gre", "calls")]


# ---- connections


def test_connections_beyond_the_cap_are_decoded_all_the_same(engine):
    """Packets 1 to 4, 5 to 8, 9 to 12: the second and third connection have no row."""
    packets = []
    for number in range(3):
        talk = Conversation(port=40000 + number).handshake().client(0, echo(number))
        packets += talk.packets
    got = drive(pcap(packets), engine, limits=Limits(connection_rows=1))
    assert identifiers(got) == [0, 1, 2]
    assert column(got, "messages", "connection") == [0, -1, -1]
    assert column(got, "connections", "initiator_port") == [40000]
    assert column(got, "connections", "initiator_segments") == [3]
    assert issues(got) == [(5, "TCP", "ENTITY_LIMIT", 1, 2)]
    assert column(got, "issues", "connection") == [-1]
    assert unlisted(got) == [2, 0, 0]


def test_as_many_connections_as_there_may_be(engine):
    packets = [*Conversation(port=1).handshake().packets, *Conversation(port=2).handshake().packets]
    got = drive(pcap(packets), engine, limits=Limits(connection_rows=2))
    assert (len(got["connections"]), issues(got), unlisted(got)) == (2, [], [0, 0, 0])


def test_no_row_at_all(engine):
    got = drive(Conversation().handshake().client(0, echo(1)).pcap(), engine, limits=Limits(connection_rows=0))
    assert (len(got["connections"]), identifiers(got), column(got, "messages", "connection")) == (0, [1], [-1])
    assert issues(got) == [(1, "TCP", "ENTITY_LIMIT", 0, 1)]


def test_what_is_wrong_with_a_connection_without_a_row(engine):
    """A hole that is never filled, in a connection that nothing tells from others: its issues point to no row."""
    packets = [*Conversation(port=1).handshake().packets]
    packets += Conversation(port=2).handshake().client(16, echo(1)).packets
    got = drive(pcap(packets), engine, limits=Limits(connection_rows=1))
    assert issues(got) == [(4, "TCP", "ENTITY_LIMIT", 1, 2), (7, "TCP", "GAP", 16, 0)]
    assert column(got, "issues", "connection") == [-1, -1]
    assert column(got, "connections", "initiator_gaps") == [0]


def test_connections_without_a_row_end_in_the_order_in_which_they_began(engine):
    """Both lack their first octets when the capture ends; the one that was seen last began first."""
    first = Conversation(port=1).handshake().client(16, echo(1)).packets
    second = Conversation(port=2).handshake().client(16, echo(2)).packets
    again = Conversation(port=1).client(16, echo(1)).packets
    got = drive(pcap([*first, *second, *again]), engine, limits=Limits(connection_rows=0))
    assert identifiers(got) == [1, 2]


def test_calls_of_a_connection_without_a_row_are_not_told(engine):
    packets = [*Conversation(port=1).handshake().packets]
    Session(packets, port=2).client_says(outgoing_request(7)).client_says(clear(9))
    got = drive(pcap(packets), engine, limits=Limits(connection_rows=1))
    assert len(got["outgoing_call_request"]) == 1
    assert len(got["calls"]) == 0
    assert issues(got) == [(4, "TCP", "ENTITY_LIMIT", 1, 2)]


def test_a_row_is_spent_once_for_each_instance(engine):
    """The same ports are used again: a new instance, for which there is no row; the end of the old one is told."""
    first = Conversation(port=1).handshake().client(0, echo(1))
    second = Conversation(port=1, isn=(700_000_000, 800_000_000)).handshake().client(0, echo(2))
    got = drive(pcap([*first.packets, *second.packets]), engine, limits=Limits(connection_rows=1))
    assert identifiers(got) == [1, 2]
    assert column(got, "messages", "connection") == [0, -1]
    assert column(got, "connections", "end") == [3]
    assert issues(got) == [(5, "TCP", "ENTITY_LIMIT", 1, 2)]


# ---- tunnels


def test_tunnels_beyond_the_cap(engine):
    """Three flows; rows of the third have no tunnel, those of the first go on."""
    talk = Session(begins=False).client_sends(1, 0).client_sends(2, 0).client_sends(3, 0).client_sends(1, 1)
    talk.client_sends(3, 1)
    got = drive(talk.pcap(), engine, limits=Limits(tunnels=2))
    assert column(got, "gre", "tunnel") == [0, 1, -1, 0, -1]
    assert column(got, "tunnels", "packets") == [2, 1]
    assert issues(got) == [(3, "GRE", "ENTITY_LIMIT", 2, 3)]
    assert unlisted(got) == [0, 2, 0]


def test_control_packets_without_a_tunnel(engine):
    """Two LCP packets with an option each in a flow without a tunnel; the third, of the flow that has one, counts there."""
    request = bytes.fromhex("ff03c021010100080104057c")
    talk = Session(begins=False).client_sends(1, 0)
    talk.client_sends(2, 0, payload=request).client_sends(2, 1, payload=request).client_sends(1, 1, payload=request)
    got = drive(talk.pcap(), engine, limits=Limits(tunnels=1))
    assert column(got, "ppp", "tunnel") == [-1, -1, 0]
    assert column(got, "ppp_options", "ppp") == [0, 1, 2]
    assert column(got, "tunnels", "control_packets") == [1]


def test_a_call_that_waits_beyond_the_cap_never_gets_its_tunnel(engine):
    talk = Session().client_sends(99, 0).outgoing(0x11, 0x22).client_sends(0x22, 0).server_sends(0x11, 0)
    got = drive(talk.pcap(), engine, limits=Limits(tunnels=1))
    assert column(got, "gre", "tunnel") == [0, -1, -1]
    assert column(got, "calls", "pns_tunnel") == [-1, 0]
    assert column(got, "calls", "pac_call_id") == [0x22, 99]


# ---- calls


def test_calls_beyond_the_cap(engine):
    """Packets 4 and 5 make a call, 6 and 7 would make one each; 8 is of the first, 9 of none that is known."""
    talk = Session().outgoing(0x11, 0x22).outgoing(0x33, 0x44)
    talk.client_says(clear(0x11)).server_says(disconnect(0x44))
    got = drive(talk.pcap(), engine, limits=Limits(calls=1))
    assert column(got, "calls", "pns_call_id") == [0x11]
    assert column(got, "calls", "last_packet") == [8]
    assert issues(got) == [(6, "CONTROL", "ENTITY_LIMIT", 1, 2), (9, "CONTROL", "UNKNOWN_CALL", 0, 0x44)]
    assert column(got, "issues", "connection") == [0, 0]
    assert unlisted(got) == [0, 0, 2]


@pytest.mark.parametrize("message", [clear(0x22), disconnect(0x22), connected(0x11)])
def test_a_message_that_would_make_a_call_of_its_tunnel(engine, message):
    """Beyond the cap it is no message of an unknown call either: its call would be known."""
    talk = Session().client_sends(0x22, 0).server_sends(0x11, 0).server_says(message)
    got = drive(talk.pcap(), engine, limits=Limits(calls=0))
    assert issues(got) == [(6, "CONTROL", "ENTITY_LIMIT", 0, 1)]
    assert unlisted(got) == [0, 0, 1]
    # The tunnels' own call is there: it is not among those that messages tell of.
    assert column(got, "calls", "connection") == [-1]


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), rows=st.integers(0, 4), tunnels=st.integers(0, 6), calls=st.integers(0, 6))
def test_twins_and_split_with_small_caps(seed, rows, tunnels, calls):
    data = pcap(relations(Random(seed), 60))
    limits = Limits(connection_rows=rows, tunnels=tunnels, calls=calls, connections=3)
    whole = drive(data, "compiled", limits=limits)
    same(drive(data, "reference", limits=limits), whole, "reference")
    for engine in ENGINES:
        same(drive(data, engine, limits=limits, records=7), whole, f"{engine}, 7 records a scan")


# ---- groups of rows


def test_entities_come_in_groups_behind_the_events(engine, monkeypatch):
    monkeypatch.setattr(batches, "_ENTITIES", 1)
    data = pcap(relations(Random(11), 120))
    whole = pptpcap.read(data, engine=engine)
    assert min(len(whole[table]) for table in ENTITIES) > 1
    parts = list(pptpcap.iterate(data, engine=engine, batch_bytes=1000))
    for table in TABLE_NAMES:
        assert joined([batch[table] for batch in parts]).tobytes() == whole[table].tobytes(), table
        starts = np.cumsum([0, *(len(batch[table]) for batch in parts)])[:-1]
        assert [batch.first_row[table] for batch in parts] == starts.tolist(), table
    assert max(len(batch[table]) for batch in parts for table in ENTITIES) == 1
    first = next(number for number, batch in enumerate(parts) if len(batch["calls"]))
    assert not any(len(batch[table]) for batch in parts[first + 1 :] for table in set(TABLE_NAMES) - set(ENTITIES))


@pytest.mark.parametrize("command", ["info", "calls", "calls --json", "calls --audit", "messages", "messages --json"])
def test_commands_say_the_same_of_groups(monkeypatch, tmp_path, command):
    """As of one group, but for the widths of columns."""
    path = tmp_path / "relations.pcap"
    path.write_bytes(pcap(relations(Random(11), 120)))
    words = call(*command.split(), path)[1].split()
    monkeypatch.setattr(batches, "_ENTITIES", 2)
    assert call(*command.split(), path)[1].split() == words


def test_a_message_of_a_connection_without_a_row_is_shown(monkeypatch, tmp_path):
    path = tmp_path / "one.pcap"
    path.write_bytes(Conversation().handshake().client(0, echo(1)).pcap())
    monkeypatch.setattr(caps, "DEFAULT", Limits(connection_rows=0))
    code, out, _ = call("messages", path)
    assert (code, out.split()[2:5]) == (0, ["4", "-", "ECHORQ"])
    code, out, _ = call("messages", "--json", path)
    assert '"source_address": null, "source_port": null' in out


# ---- how much memory


def test_caps_within_an_amount_of_memory():
    """By hand: (512 - 192) MiB / 2,432 is 137,970.5."""
    limits = DEFAULT.within(512 << 20)
    assert (limits.connections, limits.connection_rows, limits.tunnels, limits.calls) == (
        137_970,
        137_970,
        275_940,
        137_970,
    )
    assert limits.history == DEFAULT.history
    assert DEFAULT.within(1 << 40) == DEFAULT


def test_too_little_memory():
    with pytest.raises(ValueError, match="at least 268435456 octets, not 1000"):
        pptpcap.read(b"", max_memory=1000)


@pytest.mark.parametrize("size", ["", "x", "12", "255M", "1T", "-1G", "0x100M", "1e9", "\u0662\u0665\u0666M", "9" * 40])
def test_sizes_that_are_none(size, tmp_path):
    code, _, err = call("info", "--max-memory", size, tmp_path / "none.pcap")
    assert code == 2
    assert "--max-memory" in err


@pytest.mark.parametrize("size", ["256M", "256m", "256MiB", "268435456", "1G", "1gb"])
def test_sizes(size, tmp_path):
    path = tmp_path / "one.pcap"
    path.write_bytes(Conversation().handshake().pcap())
    assert call("info", "--max-memory", size, path)[0] == 0


def test_max_memory_lowers_the_caps(tmp_path):
    """27,594 connections and calls, 55,188 tunnels: of one tunnel more the row has none."""
    path = tmp_path / "tunnels.pcap"
    peaks.write("tunnels", 55_189, path)
    capture = pptpcap.read(path, max_memory=256 << 20, tables=["tunnels", "issues"])
    assert len(capture.tunnels) == 55_188
    assert faults(capture) == [(55_189, "GRE", "ENTITY_LIMIT", 55_188, 55_189)]


MEASURE = """
import sys
import pptpcap
from pptpcap._reading import batches

def resident():
    with open("/proc/self/status") as lines:
        # What the system has put aside is held too.
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon", "VmSwap")))

def last(self):
    print(resident())
    yield self.batch()

batches.Batches.last_batches = last
list(pptpcap.iterate(sys.argv[1], io="read", threads=1, batch_bytes=1 << 20, tables=["calls"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the anonymous memory of a process")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer takes memory of its own")
@pytest.mark.parametrize(
    ("shape", "most"),
    [
        ("tunnels", caps.TUNNEL_OCTETS),
        ("calls", caps.CALL_OCTETS),
        ("connections", caps.CONNECTION_OCTETS),
    ],
)
def test_octets_of_one_more(shape, most, tmp_path):
    """What is held behind all events, of 2^18 and of 2^16."""
    held = []
    for count in (1 << 16, 1 << 18):
        path = tmp_path / "capture.pcap"
        peaks.write(shape, count, path)
        done = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True)
        held.append(int(done.stdout))
    assert 100 < (held[1] - held[0]) / (3 << 16) < most


def test_shapes_are_what_they_are_called(tmp_path):
    """Each packet begins one; a test of memory on others would show nothing."""
    path = tmp_path / "capture.pcap"
    for shape in peaks.SHAPES:
        peaks.write(shape, 1000, path)
        capture = pptpcap.read(path)
        assert len(capture[shape]) == 1000
        assert faults(capture) == []

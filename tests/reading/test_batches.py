"""The law of the split: batches, ranges and windows change no row."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from builder import CLIENT6, SERVER6, Conversation, cut, echo, ethernet, gre, gre_frame, pcap, piece4, split
from helpers import BUNDLED, ENGINES, MODULES, container_of, decode, drive, issues, iterate, joined, same
from scripts import records
from vectors import CONTROL_HEX

import pptpcap
from pptpcap.schema import ENTITIES, EVENTS, TABLE_NAMES
from pptpcap.wire.limits import DEFAULT

pytestmark = pytest.mark.slow


def made() -> bytes:
    """State of every kind that must live from one batch to the next."""
    datagram = gre(b"\x00\x57" + bytes(34), sequence=9)
    first, middle, last = split(piece4, datagram, 16, 32)
    octets = CONTROL_HEX[1] + echo(1) + CONTROL_HEX[7]
    one = Conversation().handshake()
    one.client(0, octets[:40]).client(60, octets[60:100], spoil=1).client(40, octets[40:60]).client(60, octets[60:100])
    one.client(100, octets[100:170], snap=30).client(200, octets[200:]).server(0, ack=len(octets))
    two = (
        Conversation(port=7, client=CLIENT6, server=SERVER6).client(3, bytes(20) + echo(5)[:5]).client(28, echo(5)[5:])
    )
    three = Conversation(isn=(9, 9)).handshake().client(0, CONTROL_HEX[9][:100])
    frames = [first, *one.packets[:6], middle, *two.packets, gre_frame(gre(sequence=3)), b"", *one.packets[6:]]
    frames += [last, cut(gre_frame(gre(b"\x00\x57", sequence=4)), 44), first, piece4(bytes(8), 8, True)]
    frames += [*three.packets, ethernet(b"", 0x0806)]
    return pcap(frames)


CAPTURES = {"made": made()} | {path.stem: path.read_bytes() for path in BUNDLED}


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("packets", [1, 7, 10**9])
def test_batches(engine, name, packets):
    """Of one packet, of seven, of everything."""
    same(iterate(CAPTURES[name], engine, packets), decode(CAPTURES[name], engine), f"batches of {packets}")


@pytest.mark.parametrize("name", CAPTURES)
def test_batches_of_one_twin_are_those_of_the_other(name):
    """Batch by batch: a row comes with the batch of the packet that lets it go."""
    pairs = [list(pptpcap.iterate(CAPTURES[name], batch_packets=3, engine=engine)) for engine in ENGINES]
    assert len(pairs[0]) == len(pairs[1])
    for one, other in zip(*pairs, strict=True):
        for table in TABLE_NAMES:
            assert one[table].tobytes() == other[table].tobytes(), table
        assert dict(one.summary.counters) == dict(other.summary.counters)


def test_what_is_made_holds_every_state(engine):
    """Else the laws above would be easy to keep."""
    got = decode(CAPTURES["made"], engine)
    kinds = {kind for _, _, kind, _, _ in issues(got)}
    assert {"GAP", "MESSAGE_CUT", "BAD_CHECKSUM", "SKIPPED", "FRAGMENT_INCOMPLETE", "FRAME_CUT"} <= kinds
    assert len(got["connections"]) == 3
    assert (got.counters["datagrams_reassembled"], got.counters["fragments_copied"]) == (1, 1)


@pytest.mark.parametrize("name", ["made", "mss88", "echo_client_no_reply"])
def test_rows_come_when_their_packet_has_come(engine, name):
    """What a batch of one packet gives is of that packet, but for what the end of the capture lets go."""
    batches = list(pptpcap.iterate(CAPTURES[name], batch_packets=1, engine=engine))
    for number, batch in enumerate(batches[:-1], 1):
        assert batch.summary.counters["packets"] == number
        for table in ("gre", "issues"):
            assert set(batch[table]["packet"].tolist()) <= {number}
        assert (batch["messages"]["packet"] <= number).all()
        assert all(len(batch[table]) == 0 for table in ENTITIES)


@pytest.mark.parametrize("name", CAPTURES)
def test_ranges(engine, name):
    """A range may end anywhere: the record that begins in it is walked whole."""
    data = CAPTURES[name]
    whole = drive(data, engine)
    generator = np.random.default_rng(1)
    for count in (1, 3, 40):
        stops = generator.integers(25, len(data), count).tolist()
        same(drive(data, engine, stops=stops), whole, f"stops {stops}")


def test_each_range_of_two(engine):
    data = CAPTURES["made"]
    whole = drive(data, engine)
    for stop in range(25, len(data), 1 if engine == "compiled" else 7):
        same(drive(data, engine, stops=[stop]), whole, f"stop {stop}")


@pytest.mark.parametrize("octets", [40, 41, 100, 333, 5000])
@pytest.mark.parametrize("name", ["made", "mss88.snaplen96"])
def test_windows_of_a_stream(engine, name, octets):
    """A record that reaches behind the window is not yet there; offsets are those of the file."""
    data = CAPTURES[name]
    module = importlib.import_module(MODULES[engine])
    container = container_of(data)
    assembler = module.Assembler((1723,), DEFAULT)
    assembler.begin_file()
    parts: dict[str, list[np.ndarray]] = {table: [] for table in EVENTS}
    origin, size, packets = 24, octets, 0
    while origin < len(data):
        window = data[origin : origin + size]
        final = origin + size >= len(data)
        scan = module.scan_range(
            window, 0, len(window), container, (1723,), DEFAULT, packets_before=packets, origin=origin, final=final
        )
        assert not scan.damaged
        assembler.feed(scan)
        for table, rows in assembler.take().items():
            parts[table].append(rows)
        packets += scan.records
        origin += scan.end
        size = octets if scan.end else size * 2
    assembler.finish()
    for table, rows in assembler.take().items():
        parts[table].append(rows)
    whole = drive(data, engine)
    for table in EVENTS:
        assert joined(parts[table]).tobytes() == whole[table].tobytes(), table
    for table, rows in assembler.entities().items():
        assert rows.tobytes() == whole[table].tobytes(), table
    assert dict(assembler.counters) == whole.counters


def test_window_that_ends_in_a_record(engine):
    """Not final: nothing is wrong, nothing is walked, and the scan says where to go on."""
    data = CAPTURES["mss88"]
    module = importlib.import_module(MODULES[engine])
    for size in (0, 1, 15, 16, 17, 80):
        window = data[24 : 24 + size]
        scan = module.scan_range(window, 0, len(window), container_of(data), (1723,), DEFAULT, origin=24, final=False)
        assert (scan.end, scan.records, scan.damaged) == (0, 0, False)


def test_most_records(engine):
    data = CAPTURES["mss88"]
    module = importlib.import_module(MODULES[engine])
    scan = module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT, most_records=5)
    assert scan.records == 5
    assert scan.end == 24 + sum(16 + len(record[4]) for record in records(data)[:5])
    rest = module.scan_range(data, scan.end, len(data), container_of(data), (1723,), DEFAULT, packets_before=5)
    assert rest.records == 109 - 5
    assert rest.end == len(data)


def test_rows_that_were_taken_are_the_callers(engine):
    """Later batches change nothing in them."""
    data = CAPTURES["made"]
    batches, copies = [], []
    for batch in pptpcap.iterate(data, batch_packets=1, engine=engine):
        batches.append(batch)
        copies.append({table: batch[table].tobytes() for table in TABLE_NAMES})
    for batch, copied in zip(batches, copies, strict=True):
        for table in TABLE_NAMES:
            assert batch[table].tobytes() == copied[table], table


def test_entities_as_they_stand(engine):
    """A copy: what comes later does not change what was given before."""
    data = CAPTURES["mss88"]
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler((1723,), DEFAULT)
    assembler.begin_file()
    scan = module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT, most_records=20)
    assembler.feed(scan)
    before = assembler.entities()["connections"]
    octets = before.tobytes()
    assembler.feed(
        module.scan_range(data, scan.end, len(data), container_of(data), (1723,), DEFAULT, packets_before=20)
    )
    after = assembler.entities()["connections"]
    assert before.tobytes() == octets
    assert after["last_packet"][0] == 109 > before["last_packet"][0]

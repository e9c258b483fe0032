"""What an assembler tells beside rows, and where a scan finds records: the same of both engines, however it is split."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builder import Conversation, Record, echo, ethernet, gre, pcap, pcap_header, piece4, split, time_of
from captures import lab
from helpers import BUNDLED, ENGINES, MODULES, container_of
from mirror_builder import vxlan
from pcapng_builder import NRB, OTHER_ORDER, started
from places import CAPTURES

from pptpcap._input.options import Options
from pptpcap._reading.api import batches
from pptpcap.wire.limits import DEFAULT, Limits

GRE = gre(b"\x00\x57" + bytes(range(34)), sequence=9)  # 48 octets
FOUND = sorted(path for path in (CAPTURES / "found").iterdir() if path.suffix not in ("", ".txt"))
LAB = ["gre_ipfrag_mtu576.pcap", "fmt_dumpcap_ng_2if.pcapng", "loss5_reorder_dup.merged_both_ends.pcapng"]


def beside(source: Any, engine: str, batch_packets: int | None = None, **more: Any) -> dict[str, list[Any]]:
    """Segments and parts."""
    options = Options(engine=engine, **more)  # type: ignore[arg-type]
    walk = list(batches(source, options=options, tables=(), members=True, batch_packets=batch_packets))
    joined = {name: np.concatenate([batch.beside[name] for batch in walk]) for name in ("segments", "parts")}
    joined["segments"] = joined["segments"].astype([("time", "i8"), ("packet", "u8"), ("connection", "i8")])
    return {name: rows.tolist() for name, rows in joined.items()}


def parts(frames: Sequence[bytes | Record], engine: str, **more: Any) -> list[tuple[int, int]]:
    return beside(pcap(frames), engine, **more)["parts"]


class Visitor:
    """Takes the places of each range, and how many packets are in front of it."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.ranges: list[tuple[int, int]] = []

    def begin(self, *_: Any) -> None:
        self.places.append(-1 << 32)

    def take(self, _: Any, scan: Any, packets: int) -> None:
        found = scan.take_places()
        self.ranges.append((packets, int((found >= 0).sum())))
        self.places += found.tolist()


def places(source: Any, engine: str, batch_packets: int | None = None, **more: Any) -> list[int]:
    """Where records begin and, as ~place, headers; a file begins with a number that is no place."""
    visitor = Visitor()
    options = Options(engine=engine, **more)  # type: ignore[arg-type]
    for _ in batches(source, options=options, tables=(), visitor=visitor, batch_packets=batch_packets):
        pass
    packets = 0
    for before, found in visitor.ranges:
        assert before == packets
        packets += found
    return visitor.places


# ---- segments


def test_every_segment_has_its_connection(engine):
    """Also one that no row names, and one that ends a connection by beginning another."""
    talk = Conversation().handshake().client(0, echo(1)).server(0, ack=16).client(16, flags="FA")
    talk.client(999, flags="S").server(-1, flags="SA")
    talk.packets.insert(4, ethernet(b"\x45"))
    expected = [(1, 0), (2, 0), (3, 0), (4, 0), (6, 0), (7, 0), (8, 1), (9, 1)]
    rows = beside(talk.pcap(), engine)["segments"]
    assert [(packet, connection) for _, packet, connection in rows] == expected
    assert [time for time, _, _ in rows] == [time_of(packet) // 1000 * 1000 for packet, _ in expected]


def test_a_connection_without_a_row(engine):
    module = importlib.import_module(MODULES[engine])
    data = pcap(Conversation().handshake().packets + Conversation(port=9).handshake().packets)
    limits = Limits(connection_rows=1)
    assembler = module.Assembler((1723,), limits, members=True)
    assembler.feed(module.scan_range(data, 24, len(data), container_of(data), (1723,), limits))
    assert assembler.take()["segments"]["connection"].tolist() == [0, 0, 0, -1, -1, -1]
    assembler.finish()
    assert len(assembler.take()["segments"]) == 0


def test_copies_that_are_left_out(engine):
    frame = Conversation().handshake().frames()[0]
    data = pcap([Record(frame, seconds=1, fraction=0)] * 2 + [Record(frame, seconds=9)])
    assert len(beside(data, engine)["segments"]) == 3
    assert [packet for _, packet, _ in beside(data, engine, duplicates="drop")["segments"]] == [1, 3]


def test_segments_in_fragments(engine):
    """It is that of the packet that completes it."""
    segment = Conversation().segment(0, -1, flags="S")[20:]
    got = beside(pcap(split(piece4, segment, 8, protocol=6)), engine)
    assert [(packet, connection) for _, packet, connection in got["segments"]] == [(2, 0)]
    assert got["parts"] == [(1, 2), (2, 2)]


# ---- parts


def test_packets_of_a_datagram(engine):
    one, two, three = split(piece4, GRE, 16, 32)
    other = split(piece4, GRE, 24, key=8)
    assert parts([one, two, three], engine) == [(1, 3), (2, 3), (3, 3)]
    assert parts([three, other[0], one, b"", two, other[1]], engine) == [(1, 5), (3, 5), (5, 5), (2, 6), (6, 6)]
    assert parts([one, three], engine) == []


def test_fragments_that_come_again(engine):
    """While the datagram is incomplete they are parts as others are; then they point to the packet that completed it."""
    one, two = split(piece4, GRE, 24)
    assert parts([one, one, two], engine) == [(1, 3), (2, 3), (3, 3)]
    assert parts([one, two, two, one], engine) == [(1, 2), (2, 2), (3, -2), (4, -2)]
    near = [Record(frame, seconds=1, fraction=0) for frame in (one, one, two, two)]
    assert parts(near, engine, duplicates="drop") == [(1, 3), (3, 3)]


def test_what_is_no_part(engine):
    """Fragments that nobody can tell from those of another datagram, and those that are none."""
    one, two = split(piece4, GRE, 24)
    wrong = split(piece4, bytes(48), 24)[0]
    near = [Record(frame, seconds=1, fraction=0) for frame in (one, wrong, two)]
    assert parts(near, engine) == []
    assert parts([piece4(b"", 0, True), piece4(bytes(7), 0, True), one, two], engine) == [(3, 4), (4, 4)]


def test_fragments_inside_fragments(engine):
    """Inner ones come with all packets of the datagram that holds them."""
    carried = [
        fragment
        for key, inner in enumerate(split(piece4, GRE, 24))
        for fragment in split(piece4, vxlan(inner)[20:], 40, key=100 + key, protocol=17)
    ]
    outer = [(1, 2), (2, 2), (3, 4), (4, 4)]
    assert parts(carried, engine) == [*outer, *[(packet, 4) for packet in (1, 2, 3, 4)]]
    # The first one again: that of an inner one too.
    again = [*carried, *split(piece4, vxlan(split(piece4, GRE, 24)[0])[20:], 40, key=200, protocol=17)]
    assert parts(again, engine)[8:] == [(5, 6), (6, 6), (5, -4), (6, -4)]


def test_numbers_of_packets_are_kept_up_to_a_cap(engine):
    """The cap is 4,096; what comes behind it is forgotten."""
    one, two = (Record(frame, seconds=1, fraction=0) for frame in split(piece4, GRE, 24))
    assert parts([one] * 4095 + [two], engine) == [(packet, 4096) for packet in range(1, 4097)]
    assert parts([one] * 4097 + [two], engine) == [(packet, 4098) for packet in range(1, 4097)]


def test_nothing_is_told_unasked(engine):
    module = importlib.import_module(MODULES[engine])
    data = pcap(split(piece4, GRE, 24))
    assembler = module.Assembler((1723,), DEFAULT)
    assembler.feed(module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT))
    assert not {"segments", "parts"} & set(assembler.take())


# ---- places

BEGIN = -1 << 32


def test_places_of_records(engine):
    data = pcap([b"abc", b"", b"d"])
    assert places(data, engine) == [BEGIN, 24, 43, 59]
    assert places([data, data], engine) == [BEGIN, 24, 43, 59] * 2


def test_places_in_joined_files(engine):
    """Of each header behind the first, ~place."""
    first, second = pcap([b"abc"]), pcap([b"d"], order=">", nanoseconds=True)
    blocks = started().packet(b"abcd", 0).octets
    assert places(first + second + blocks + first, engine) == [
        *(BEGIN, 24),
        *(~43, 67),
        *(~84, ~112, 132),
        *(~168, 192),
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_places_of_blocks(engine, order):
    file = started(order).add(NRB, bytes(4)).packet(b"abcd").simple(b"abcd").old_packet(b"abcd")
    file.section(OTHER_ORDER[order]).interface().packet(b"", interface=3).packet(b"", captured=9)
    ends = np.cumsum([0, *map(len, file.blocks)]).tolist()
    head, interface, _, *packets = ends[:6]
    assert places(file.octets, engine) == [
        *(BEGIN, ~head, ~interface, *packets, ~ends[6], ~ends[7], ends[8], ends[9]),
    ]


def test_places_behind_damage(engine):
    """What is skipped has none."""
    good = [bytes(range(1, 40))] * 5
    data = pcap(good) + b"\xff" * 30 + pcap(good)[24:]
    first = [24 + 55 * number for number in range(5)]
    second = [24 + 5 * 55 + 30 + 55 * number for number in range(5)]
    assert places(data, engine, on_corrupt="salvage") == [BEGIN, *first, *second]
    assert places(data, engine) == [BEGIN, *first]


def test_no_place_unasked(engine):
    module = importlib.import_module(MODULES[engine])
    data = pcap([b"abc"])
    scan = module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT, places=True)
    assert scan.take_places().tolist() == [24]
    assert scan.take_places().tolist() == []


# ---- both engines, however it is split

CAPTURED = [*BUNDLED, *FOUND, *map(lab, LAB)]


@pytest.mark.slow
@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.name)
def test_both_engines_and_every_split(path):
    more: dict[str, Any] = {"on_corrupt": "salvage"}
    told = [beside(path, engine, step, **more) for engine in ENGINES for step in (None, 7)]
    found = [places(path, engine, step, **more) for engine in ENGINES for step in (None, 7)]
    assert all(other == told[0] for other in told)
    assert all(other == found[0] for other in found)


def test_threads():
    """Ranges that were scanned ahead have the places of the file."""
    data = pcap_header() + pcap([bytes(1400)] * 2000)[24:] * 6
    assert len(data) > 15 << 20
    assert places(data, "compiled", threads=3) == places(data, "compiled", threads=1)

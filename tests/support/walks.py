"""Drives an engine over files of either format, in ranges and windows of the tests' own.

Knows the protocol of an engine: what a scan learnt of a file goes to the next scan of that file.  ``helpers.drive``
does the same for pcap alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from builder import ETHERNET, Record, pcap
from helpers import MODULES, Decoded, column, container_of, faults, issues, joined, only, same

from pptpcap.schema import EVENTS
from pptpcap.wire.carriers import Carrier
from pptpcap.wire.container import Container
from pptpcap.wire.limits import DEFAULT, Limits


@dataclass
class Walked(Decoded):
    """What came out, what was known at the end of each file, and how many scans it took."""

    containers: list[Container] = field(default_factory=list)
    scans: int = 0


def beginning(data: bytes) -> Container:
    """What can be known of a file by its first octets."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return Container("pcapng", "big" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "little", 0, -1, 0, 0)
    return container_of(data)


def walk(
    files: bytes | Sequence[bytes],
    engine: str,
    *,
    ports: tuple[int, ...] = (1723,),
    limits: Limits = DEFAULT,
    records: int = 0,
    stops: Iterable[int] = (),
    window: int = 0,
    salvage: bool = False,
) -> Walked:
    """Decode by scans of at most `records` packets, of ranges that end at `stops`, or of windows of `window` octets.

    A window begins where the last scan ended and grows where the scan could not move; what is behind it is not there
    yet.
    """
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler(ports, limits)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in EVENTS}
    containers = []
    packets = scans = 0

    def collect() -> None:
        for name, rows in assembler.take().items():
            if len(rows) or not parts[name]:
                parts[name].append(rows)

    for index, data in enumerate([files] if isinstance(files, bytes) else files):
        assembler.begin_file()
        container = beginning(data)
        start = container.first_record
        ends = [*sorted(stop for stop in stops if stop > start), len(data)]
        damaged = False
        room = window
        while not damaged and start < len(data):
            stop = next(end for end in ends if end > start)
            seen = min(len(data), start + room) if window else len(data)
            origin = start if window else 0
            scan = module.scan_range(
                data[origin:seen],
                start - origin,
                min(stop, seen) - origin,
                container,
                ports,
                limits,
                file=index,
                packets_before=packets,
                origin=origin,
                final=seen == len(data),
                most_records=records,
                salvage=salvage,
            )
            moved = origin + scan.end - start
            assert moved > 0 or scan.damaged or seen < len(data), "a scan that does not move forward"
            assert moved >= 0, "a scan that moves back"
            assert start + moved <= seen, "a scan that moves behind what it was shown"
            assert not records or scan.records <= records
            assembler.feed(scan)
            collect()
            packets += scan.records
            scans += 1
            start, damaged, container = start + moved, scan.damaged and not salvage, scan.container
            room = window if moved else room + window
            assert container.parts > 1 or container.format == beginning(data).format
        containers.append(container)
    assembler.finish()
    collect()
    tables = {name: joined(rows) for name, rows in parts.items()} | assembler.entities()
    found = Walked(tables, dict(assembler.counters), bool(assembler.damaged), assembler.earliest, assembler.latest)
    found.containers, found.scans = containers, scans
    return found


def twins(files: bytes | Sequence[bytes], limits: Limits = DEFAULT, **more: Any) -> Walked:
    """What both engines make of it, which is the same."""
    one, other = (walk(files, engine, limits=limits, **more) for engine in MODULES)
    same(one, other, f"twins {more}")
    assert one.containers == other.containers
    return one


# ---- one frame of one link


def found(engine: str, frame: bytes | Record, link: int = ETHERNET) -> Walked:
    return walk(pcap([frame], link=link), engine)


def is_read(engine: str, frame: bytes | Record, link: int = ETHERNET) -> None:
    """It holds an Enhanced GRE packet of two octets, and nothing is wrong with it."""
    got = found(engine, frame, link)
    assert column(got, "gre", "available") == [2]
    assert column(got, "gre", "status") == [0]
    assert issues(got) == []
    only(got, gre_packets=1)


def is_not_ip(engine: str, frame: bytes | Record, link: int = ETHERNET) -> None:
    got = found(engine, frame, link)
    assert issues(got) == []
    only(got, not_ip=1)


def is_not_followed(engine: str, frame: bytes | Record, carrier: str, link: int = ETHERNET) -> None:
    """It is not IP, and told as what a carrier of this name holds."""
    got = found(engine, frame, link)
    assert faults(got) == [(1, "LINK", "UNFOLLOWED", Carrier[carrier].value, 1)]
    only(got, not_ip=1)

"""How tests decode a capture, and how they say what came out of it.

Knows the public face and the protocol of an engine; knows nothing of what is right.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from builder import time_of
from places import CAPTURES

from pptpcap.schema import ENTITIES, EVENTS, TABLE_NAMES
from pptpcap.wire.container import Container
from pptpcap.wire.limits import DEFAULT, Limits
from pptpcap.wire.status import GreStatus, Kind, Layer, MessageStatus

EngineName: TypeAlias = Literal["compiled", "reference"]
ENGINES: tuple[EngineName, ...] = ("compiled", "reference")
MODULES = {"compiled": "pptpcap.core", "reference": "pptpcap.reference"}
BUNDLED = sorted(CAPTURES.glob("*.pcap"))

TYPES = (
    "start_control_connection_request",
    "start_control_connection_reply",
    "stop_control_connection_request",
    "stop_control_connection_reply",
    "echo_request",
    "echo_reply",
    "outgoing_call_request",
    "outgoing_call_reply",
    "incoming_call_request",
    "incoming_call_reply",
    "incoming_call_connected",
    "call_clear_request",
    "call_disconnect_notify",
    "wan_error_notify",
    "set_link_info",
)

# A frame counts in one of these, where its walk ends.
FATES = (
    "not_ip",
    "ip_other",
    "ip_malformed",
    "fragments",
    "control_segments",
    "gre_packets",
    "gre_other",
    "unsupported_link",
    "frames_cut",
)


@dataclass
class Decoded(Mapping[str, np.ndarray]):
    """Everything that came out of a capture."""

    tables: dict[str, np.ndarray]
    counters: dict[str, int]
    damaged: bool
    earliest: Any = None
    latest: Any = None

    def __getitem__(self, name: str) -> np.ndarray:
        return self.tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            table: np.ndarray = self.__dict__["tables"][name]
        except KeyError:
            raise AttributeError(name) from None
        return table


def decode(source: Any, engine: EngineName, ports: tuple[int, ...] = (1723,), **more: Any) -> Decoded:
    """Decode through the public face."""
    import pptpcap

    return of_capture(pptpcap.read(source, engine=engine, ports=ports, **more))


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The rows of all parts, as ``numpy.concatenate`` would have them, without its minute over each dtype."""
    filled = [part for part in parts if len(part)]
    if len(filled) < 2:
        return filled[0] if filled else parts[0]
    assert len({part.dtype for part in filled}) == 1
    rows = np.empty(sum(map(len, filled)), dtype=filled[0].dtype)
    position = 0
    for part in filled:
        rows[position : position + len(part)] = part
        position += len(part)
    return rows


def of_capture(capture: Any) -> Decoded:
    summary = capture.summary
    tables = {name: capture[name] for name in TABLE_NAMES}
    return Decoded(tables, dict(summary.counters), bool(summary.damaged))


def iterate(source: Any, engine: EngineName, batch_packets: int) -> Decoded:
    """Decode through the public face in batches, and string their rows together."""
    import pptpcap

    batches = list(pptpcap.iterate(source, batch_packets=batch_packets, engine=engine))
    summary = batches[-1].summary
    tables = {name: joined([batch[name] for batch in batches]) for name in TABLE_NAMES}
    return Decoded(tables, dict(summary.counters), bool(summary.damaged))


def container_of(data: bytes | bytearray) -> Container:
    """What the header of a pcap file says."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    magic, _, _, _, _, snap_length, link = struct.unpack_from(order + "IHHiIII", data)
    ticks = {0xA1B2C3D4: 10**6, 0xA1B23C4D: 10**9}[magic]
    return Container("pcap", "little" if order == "<" else "big", ticks, link & 0xFFFF, snap_length, 24)


def drive(
    files: bytes | Sequence[bytes],
    engine: str,
    ports: tuple[int, ...] = (1723,),
    limits: Limits = DEFAULT,
    records: int = 0,
    stops: Iterable[int] = (),
    drops_copies: bool = False,
) -> Decoded:
    """Decode through the protocol of the engine, for caps and splits of the tests' own.

    `records` is the most that one scan walks; `stops` are offsets at which a range ends.
    """
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler(ports, limits, drops_copies=drops_copies)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in EVENTS}

    def collect() -> None:
        taken = assembler.take()
        assert set(taken) == set(EVENTS)
        for name, rows in taken.items():
            parts[name].append(rows)

    packets = 0
    for index, data in enumerate([files] if isinstance(files, bytes) else files):
        assembler.begin_file()
        container = container_of(data)
        start = container.first_record
        ends = [*sorted(stop for stop in stops if stop > start), len(data)]
        damaged = False
        while not damaged and start < len(data):
            stop = next(end for end in ends if end > start)
            scan = module.scan_range(
                data, start, stop, container, ports, limits, file=index, packets_before=packets, most_records=records
            )
            assert scan.damaged or scan.end > start, "a scan that does not move forward"
            assembler.feed(scan)
            collect()
            packets += scan.records
            start, damaged = scan.end, scan.damaged
    assembler.finish()
    collect()
    tables = {name: joined(rows) for name, rows in parts.items()}
    tables |= assembler.entities()
    assert set(tables) == set(EVENTS) | set(ENTITIES)
    return Decoded(tables, dict(assembler.counters), bool(assembler.damaged), assembler.earliest, assembler.latest)


def same(one: Decoded, other: Decoded, what: str = "") -> None:
    """All tables to the bit, counters and damage."""
    assert set(one) == set(other)
    for name in TABLE_NAMES:
        a, b = one[name], other[name]
        assert a.dtype == b.dtype, (what, name)
        if a.tobytes() != b.tobytes():
            raise AssertionError(f"{what}: table {name} differs\n{difference(a, b)}")
    assert one.counters == other.counters, what
    assert one.damaged == other.damaged, what
    assert (one.earliest, one.latest) == (other.earliest, other.latest), what


# Where rows of a capture that is wrapped may differ: in places of the file, and in what it came through.
OWN = ("record_offset", "vlan", "inner_vlan", "carrier", "network_id")
OCTETS = ("captured_octets", "original_octets")


def without_own(decoded: Decoded) -> Decoded:
    """What came out, without what says where it was."""
    tables = {name: table.copy() for name, table in decoded.tables.items()}
    for table in tables.values():
        for name in set(OWN).intersection(names_of(table)):
            table[name] = 0
    counters = decoded.counters | dict.fromkeys(OCTETS, 0)
    return replace(decoded, tables=tables, counters=counters)


def same_but_around(one: Decoded, other: Decoded, what: str = "") -> None:
    """The same, but for what says where it was."""
    same(without_own(one), without_own(other), what)


def difference(a: np.ndarray, b: np.ndarray) -> str:
    lines = [f"rows: {len(a)} and {len(b)}"]
    for row in range(min(len(a), len(b))):
        if a[row].tobytes() != b[row].tobytes():
            columns = [n for n in names_of(a) if a[n][row].tobytes() != b[n][row].tobytes()]
            lines += [f"row {row} {n}: {a[n][row]!r} and {b[n][row]!r}" for n in columns]
            break
    longer = a if len(a) > len(b) else b
    if len(a) != len(b):
        lines.append(f"surplus: {longer[min(len(a), len(b))]}")
    return "\n".join(lines)


UNWALKED = (
    *(Kind.TRUNCATED_RECORD, Kind.CORRUPT_RECORD, Kind.CORRUPT_BLOCK, Kind.CORRUPT_COMPRESSION),
    *(Kind.NO_CAPTURE, Kind.LOCAL_TIME, Kind.MISSING_RECORDS, Kind.DROPPED_PACKETS),
    Kind.UNFOLLOWED,
)


def consistent(decoded: Decoded, *, aggregates: bool = False) -> None:
    """What must hold of any capture: indices point where they should, and counts add up.

    Frames of 802.11 may be `aggregates` of several packets, each of which has a fate.
    """
    messages, gre, connections, found = (decoded[name] for name in ("messages", "gre", "connections", "issues"))
    for kind, name in enumerate(TYPES, 1):
        rows = decoded[name]
        assert (messages["row"][rows["message"]] == np.arange(len(rows))).all(), name
        assert (messages["control_message_type"][rows["message"]] == kind).all(), name
        for field in ("length", "message_type", "magic_cookie", "control_message_type", "reserved0"):
            assert (messages[field][rows["message"]] == rows[field]).all(), (name, field)
    assert (messages["row"] >= 0).sum() == sum(len(decoded[name]) for name in TYPES)
    assert (messages["available"] <= messages["length"]).all()
    assert ((messages["available"] < messages["length"]) == ((messages["status"] & MessageStatus.CUT) != 0)).all()
    assert (messages["available"] >= 12).all()
    assert ((messages["length"] >= 12) & (messages["length"] <= 1024)).all()
    counters = decoded.counters
    assert (messages["connection"] < len(connections)).all()
    assert counters["connections_unlisted"] or (messages["connection"] >= 0).all()
    listed = messages["connection"] >= 0
    for side, sent in (("initiator", messages["from_initiator"]), ("responder", ~messages["from_initiator"])):
        counted = np.bincount(messages["connection"][sent & listed], minlength=len(connections))
        assert (connections[f"{side}_messages"] == counted).all()
    assert ((found["connection"] >= -1) & (found["connection"] < len(connections))).all()
    assert (gre["available"] <= gre["payload_length"]).all()
    cut = (gre["status"] & GreStatus.HEADER_CUT) != 0
    assert (gre["tunnel"][cut] == -1).all()
    assert (gre["tunnel"][~cut] == -1).sum() == counters["gre_unlisted"]
    assert (gre["tunnel"] < len(decoded["tunnels"])).all()
    adds_up(decoded)
    assert (np.diff(gre["packet"].astype("i8")) >= 0).all()
    # a record that was not walked has the number that it would have had, and so has what is told of a whole file; what
    # the end lets go comes behind it
    walked = found[~np.isin(found["kind"], UNWALKED)]
    assert (np.diff(walked["packet"].astype("i8")) >= 0).all()
    assert (np.diff(connections["first_packet"].astype("i8")) >= (0 if aggregates else 1)).all()
    assert len(gre) == counters["gre_packets"]
    segments = connections["initiator_segments"].sum() + connections["responder_segments"].sum()
    assert segments == counters["control_segments"] or counters["connections_unlisted"]
    fates = sum(counters[name] for name in FATES)
    assert fates >= counters["packets"]
    assert aggregates or fates - counters["packets"] <= counters["datagrams_reassembled"]


def adds_up(decoded: Mapping[str, np.ndarray]) -> None:
    """What the rows of each tunnel say of their numbers is what the tunnel says (decoding 10.3.4)."""
    tunnels = decoded["tunnels"]
    rows = decoded["gre"][decoded["gre"]["tunnel"] >= 0]

    def summed(values: np.ndarray) -> list[int]:
        sums: list[int] = np.bincount(rows["tunnel"], values, len(tunnels)).astype(np.int64).tolist()
        return sums

    duplicated, reordered = (summed(rows["status"] & bit != 0) for bit in (GreStatus.DUPLICATED, GreStatus.REORDERED))
    skipped = summed(rows["skipped"])
    assert duplicated == tunnels["duplicated"].tolist()
    assert reordered == tunnels["reordered"].tolist()
    assert [passed - late for passed, late in zip(skipped, reordered, strict=True)] == tunnels["lost"].tolist()


# ---- what came out, in words


def issues(decoded: Mapping[str, np.ndarray]) -> list[tuple[int, str, str, int, int]]:
    """(packet, layer, kind, needed, had) of each issue."""
    return [
        (int(row["packet"]), Layer(row["layer"]).name, Kind(row["kind"]).name, int(row["needed"]), int(row["had"]))
        for row in decoded["issues"]
    ]


CLOCKS = frozenset({"CLOCK_BACK", "CLOCK_STANDS", "FILES_OUT_OF_ORDER"})


def faults(decoded: Mapping[str, np.ndarray]) -> list[tuple[int, str, str, int, int]]:
    """The same, but for those of clocks: for captures whose times are not those of a clock."""
    return [issue for issue in issues(decoded) if issue[2] not in CLOCKS]


def kinds(decoded: Mapping[str, np.ndarray]) -> list[str]:
    return [Kind(kind).name for kind in decoded["issues"]["kind"]]


def statuses(decoded: Mapping[str, np.ndarray], table: str = "messages") -> list[set[str | None]]:
    """Names of the bits of each row's status."""
    bits = MessageStatus if table == "messages" else GreStatus
    return [{bit.name for bit in bits if status & bit} for status in decoded[table]["status"].tolist()]


def names_of(table: np.ndarray | np.void | np.dtype[Any]) -> tuple[str, ...]:
    """The columns of a table, of a row or of a dtype."""
    dtype = table if isinstance(table, np.dtype) else table.dtype
    assert dtype.names is not None
    return dtype.names


def column(decoded: Mapping[str, np.ndarray], table: str, name: str) -> list[Any]:
    values: list[Any] = decoded[table][name].tolist()
    return values


def identifiers(decoded: Mapping[str, np.ndarray]) -> list[int]:
    """Identifiers of the Echo-Requests."""
    return column(decoded, "echo_request", "identifier")


def only(decoded: Mapping[str, np.ndarray], **expected: int) -> None:
    """These counters have these values, and each other one of a frame's fate is 0."""
    counters = decoded.counters  # type: ignore[attr-defined]
    fates = (*FATES, "datagrams_reassembled")
    found = {name: value for name, value in counters.items() if name in fates and value}
    assert found == {name: value for name, value in expected.items() if value}


def nanoseconds(value: int) -> np.datetime64:
    return np.datetime64(value, "ns")


def endings(got: Mapping[str, np.ndarray]) -> list[tuple[int, bool, int | None]]:
    """(end, by the initiator, packet of that time) of each connection."""
    found = []
    for row in got["connections"]:
        packet = None
        if not np.isnat(row["end_time"]):
            packet = next(n for n in range(1, 100) if nanoseconds(time_of(n)) == row["end_time"])
        found.append((int(row["end"]), bool(row["end_from_initiator"]), packet))
    return found

"""Numbered captures through the TCP oracle and the engines: how many, how long, and every difference.

Knows what the tables of the engines are called, and how the tests drive an engine; the oracle it only asks.  Usage:
``python tests/oracles/run.py --count 100000 --jobs 2``.
"""

from __future__ import annotations

import argparse
import struct
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from fuzz.run import keep
from fuzz.watch import watch
from helpers import ENGINES, TYPES, Decoded, drive, names_of

from oracles.inputs import input_of
from oracles.tcp import COUNTS, Caps, Oracle
from pptpcap.wire.limits import Limits
from pptpcap.wire.status import Kind, Layer

FOUND = Path("build/oracle")
# One input in so many is read with caps that it reaches.
SMALL = {"connections": 2, "connection_rows": 2, "pieces": 3, "waiting_octets": 150, "history": 24}
HELD = {"held_octets": 500}
SMALL_SHARE = 8
# One input in so many goes through the reference, too.
REFERENCE_SHARE = 20
HEADER = ("length", "message_type", "magic_cookie", "control_message_type", "reserved0")
# The oracle knows nothing of calls.
OF_CALLS = {"UNKNOWN_CALL"}


def caps_of(number: int) -> dict[str, int]:
    """The caps with which an input is read, where they are not the usual ones."""
    return (SMALL, HELD, SMALL | HELD)[number % SMALL_SHARE] if number % SMALL_SHARE < 3 else {}


def offsets(data: bytes) -> list[int]:
    """Where each record starts."""
    found, at = [], 24
    while at < len(data):
        found.append(at)
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return found


def time_of(packet: int) -> int:
    return (1_600_000_000 + packet - 1) * 1_000_000_000


def expected(data: bytes, caps: Caps) -> dict[str, Any]:
    """What the oracle says, in plain tuples."""
    oracle = Oracle(caps).read(data)
    starts = offsets(data)
    rows: Counter[int] = Counter()
    messages = []
    for found in oracle.messages:
        header = found["header"]
        listed = header[1] == 1 and header[3] in range(1, 16)
        row = rows[header[3]] if listed else -1
        rows[header[3]] += listed
        place = found["packet"], time_of(found["packet"]), starts[found["packet"] - 1]
        about = found["connection"], found["from_initiator"], found["segments"], found["status"]
        messages.append((*place, *about, row, *header, found["available"], found["fields"]))
    connections = []
    for instance in oracle.instances:
        row_of: list[Any] = []
        for address, port in instance.ends:
            row_of += [bytes(10) + b"\xff\xff" + address, port]
        row_of += [instance.first, instance.last, time_of(instance.first), time_of(instance.last)]
        present = 0
        for bit, side in ((1, instance.sides[0]), (2, instance.sides[1])):
            present |= bit if side.said else 0
            row_of += [side.said or (0, 0, b"", b""), *(side.counts[name] for name in COUNTS)]
        present |= 4 if instance.result else 0
        ended = time_of(instance.end_packet) if instance.end else None
        row_of += [instance.result or (0, 0), present, not instance.syn]
        connections.append((*row_of, instance.end, instance.end_from_initiator, ended))
    counters = oracle.counters | {"connections_unlisted": oracle.unlisted}
    return {"issues": oracle.issues, "messages": messages, "connections": connections, "counters": counters}


def found_by(decoded: Decoded) -> dict[str, Any]:
    """What an engine says, in the same tuples."""
    tables = {name: decoded[name].tolist() for name in TYPES}
    names = names_of(decoded["messages"])
    messages = []
    for values in decoded["messages"].tolist():
        row = dict(zip(names, values, strict=True))
        fields: tuple[Any, ...] = ()
        if row["row"] >= 0:
            # Behind the row in messages and the five fields of the header.
            fields = tables[TYPES[row["control_message_type"] - 1]][row["row"]][6:]
        place = row["packet"], row["time"], row["record_offset"]
        about = row["connection"], row["from_initiator"], row["segments"], row["status"], row["row"]
        header = tuple(row[name] for name in HEADER)
        messages.append((*place, *about, *header, row["available"], fields))
    connections = []
    for row in decoded["connections"]:
        row_of: list[Any] = []
        for side in ("initiator", "responder"):
            row_of += [row[f"{side}_address"].tobytes(), int(row[f"{side}_port"])]
        row_of += [int(row["first_packet"]), int(row["last_packet"])]
        row_of += [int(row[name].astype("i8")) for name in ("first_time", "last_time")]
        for side in ("initiator", "responder"):
            numbers = (int(row[f"{side}_{name}"]) for name in ("protocol_version", "firmware_revision"))
            texts = (bytes(row[f"{side}_{name}"]) for name in ("host_name", "vendor_name"))
            row_of += [(*numbers, *texts), *(int(row[f"{side}_{name}"]) for name in COUNTS)]
        row_of += [(int(row["result_code"]), int(row["error_code"])), int(row["present"]), bool(row["midstream"])]
        ended = int(row["end_time"].astype("i8")) if row["end"] else None
        connections.append((*row_of, int(row["end"]), bool(row["end_from_initiator"]), ended))
    issues = [
        (packet, connection, Layer(layer).name, Kind(kind).name, needed, had)
        for _, _, packet, _, connection, layer, kind, needed, had in decoded["issues"].tolist()
        if Kind(kind).name not in OF_CALLS
    ]
    counters = {name: decoded.counters[name] for name in ("packets", "ip_malformed", "ip_other", "control_segments")}
    counters["connections_unlisted"] = decoded.counters["connections_unlisted"]
    return {"issues": issues, "messages": messages, "connections": connections, "counters": counters}


def difference(data: bytes, engines: tuple[str, ...], caps: dict[str, int]) -> str | None:
    """The first thing on which the oracle and one of the engines do not agree."""
    right = expected(data, Caps(**caps))
    for engine in engines:
        found = found_by(drive(data, engine, limits=Limits(**caps)))
        for name, values in right.items():
            if values != found[name]:
                return f"{engine}, {name}: {first_of(found[name], values)}"
    return None


def first_of(found: Any, right: Any) -> str:
    """Where two lists begin to differ."""
    if isinstance(right, dict):
        return f"{found}, the oracle has {right}"
    index = next((n for n, (one, other) in enumerate(zip(found, right)) if one != other), min(len(found), len(right)))  # noqa: B905
    return f"row {index} is {found[index : index + 1]}, the oracle has {right[index : index + 1]}"


def work(task: int, seed: int) -> str | None:
    """Task of ``watch``."""
    engines = ENGINES if task % REFERENCE_SHARE == 0 else ENGINES[:1]
    return difference(input_of(seed, task), engines, caps_of(task))


def main(arguments: list[str] | None = None) -> int:
    """Compare; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--most", type=int, default=5, help="stop after this many differences")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    done = [0]
    differences = 0
    for task, fault in watch(
        work,
        (options.seed,),
        count=options.first + options.count,
        first=options.first,
        jobs=options.jobs,
        progress=lambda number: done.__setitem__(0, number),
    ):
        path = keep(FOUND, f"tcp-{options.seed}-{task}", input_of(options.seed, task), fault)
        print(f"input {task}, kept as {path}: {fault}", flush=True)
        differences += 1
        if differences == options.most:
            break
    took = time.monotonic() - began
    print(f"oracle: {done[0]} inputs, seed {options.seed}, {took:.0f} s, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())

"""``pptpcap info``: summarises a capture on one page.

Knows how to count and lay out.  Keeps no event rows, so memory does not grow with the capture.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import schema
from .._input.options import Options, ReadOptions
from .._reading.api import batches
from .._show import words
from ..capture import Capture, CaptureFile, Summary
from ..engine import COUNTERS, Rows
from ..wire.container import EMPTY
from ..wire.control import BY_CODE
from ..wire.issues import MEANINGS
from ..wire.status import End, Kind, Layer, Present
from .columns import aligned
from .common import Damage, copies_told, wants_progress
from .info_document import Seen, document, flat
from .inputs import sources

__all__ = ["info"]

_BATCH_BYTES = 16 << 20

_COUNTERS = {
    "packets": "",
    "captured_octets": "in the files",
    "original_octets": "on the wire",
    "unsupported_link": "link type is not read",
    "frames_cut": "captured octets end inside the link header",
    "not_ip": "neither IPv4 nor IPv6",
    "ip_malformed": "a header is cut or contradicts itself",
    "ip_other": "IP, but neither the control port nor GRE",
    "fragments": "IP fragments",
    "control_segments": "TCP segments of control connections",
    "checksums_offloaded": "of these, checksum left to the sender's network card",
    "gre_packets": "Enhanced GRE",
    "gre_other": "other GRE",
    "copies": "copies of packets that the capture holds already",
    "datagrams_reassembled": "made whole from fragments",
    "fragments_copied": "copies of fragments that came before",
    "connections_unlisted": "control connections without a row, beyond the cap on rows",
    "gre_unlisted": "Enhanced GRE without a tunnel, beyond the cap on tunnels",
    "calls_unlisted": "messages that would begin a call, beyond the cap on calls",
}


def info(files: tuple[str, ...], reading: ReadOptions, form: str, limit: int) -> int:
    """Print the summary."""
    tally, damage, options = _Tally(), Damage(), Options.of(reading)
    connections, tunnels = _Listed("connections", limit), _Listed("tunnels", limit)
    summary: Summary | None = None
    for batch in batches(
        sources(files),
        batch_bytes=_BATCH_BYTES,
        tables=("messages", "connections", "tunnels", "issues"),
        options=options,
        progress=wants_progress(while_printing=False),
    ):
        tally.add(batch)
        damage.note(batch)
        connections.add(batch["connections"])
        tunnels.add(batch["tunnels"])
        summary = batch.summary
    assert summary is not None
    if form != "table":
        entities = {"connections": (connections.rows, connections.count), "tunnels": (tunnels.rows, tunnels.count)}
        seen = Seen(tally.messages, tally.issues_told(), entities)
        said = document(summary, seen, drops=options.drops_copies)
        print(said if form == "json" else "\n".join(["name\tvalue", *flat("", json.loads(said))]))
        return damage.finish(summary)
    sections = (
        ("files", [line for file in summary.files for line in _file(file)]),
        ("time (UTC)", _time(summary)),
        ("packets", [*_counters(summary), *copies_told(summary, drops=options.drops_copies)]),
        ("control messages", tally.message_lines()),
        (
            "control connections",
            [*(line for row in connections.rows for line in _connection(row)), *connections.more()],
        ),
        ("GRE tunnels, one way each", [*_tunnels(tunnels.rows), *tunnels.more()]),
        ("issues", tally.issue_lines([file.path for file in summary.files])),
    )
    print("\n\n".join("\n".join([title, *(lines or ["  none"])]) for title, lines in sections))
    return damage.finish(summary)


class _Tally:
    """Messages by type and sender, issues by kind with the first of each."""

    def __init__(self) -> None:
        self.messages: Counter[tuple[int, int, int]] = Counter()
        self.issues: Counter[tuple[int, int]] = Counter()
        self.first: dict[tuple[int, int], Any] = {}

    def add(self, batch: Capture) -> None:
        for key, count, _ in _counted(batch["messages"], "message_type", "control_message_type", "from_initiator"):
            self.messages[key] += count
        for key, count, first in _counted(batch["issues"], "layer", "kind"):
            self.issues[key] += count
            self.first.setdefault(key, batch["issues"][first])

    def message_lines(self) -> list[str]:
        types = sorted({(message_type, code) for message_type, code, _ in self.messages})
        if not types:
            return []
        rows = [("from initiator", "from responder", "")]
        for message_type, code in types:
            known = BY_CODE.get(code) if message_type == 1 else None
            name = words.message_abbreviation(message_type, code) + (f" {known.name}" if known else "")
            sent, answered = (self.messages[message_type, code, side] for side in (True, False))
            rows.append((f"{sent:,}", f"{answered:,}", name))
        return aligned(rows, right=[0, 1])

    def issues_told(self) -> list[tuple[int, int, int, Any]]:
        """Layer, kind, how many and the first of them, the worst kind first."""
        ordered = sorted(self.issues.items(), key=_by_severity)
        return [(layer, kind, count, self.first[layer, kind]) for (layer, kind), count in ordered]

    def issue_lines(self, paths: list[str]) -> list[str]:
        rows = [
            (
                *(f"{count:,}", MEANINGS[Kind(kind)].severity.name),
                *(f"{Layer(layer).name} {words.issue_kind(kind)}", f"first: {words.issue_place(first, paths)}"),
            )
            for layer, kind, count, first in self.issues_told()
        ]
        return aligned(rows, right=[0])


def _by_severity(issues: tuple[tuple[int, int], int]) -> tuple[int, int, int]:
    (layer, kind), _ = issues
    return MEANINGS[Kind(kind)].severity, layer, kind


def _counted(rows: Rows, *names: str) -> list[tuple[Any, int, int]]:
    """Values of the columns that occur together, how often, and where first."""
    # As one number a row: NumPy sorts structured rows a hundred times more slowly.
    key = np.zeros(len(rows), np.uint64)
    for name in names:
        key = key << np.uint64(16) | rows[name].astype(np.uint64)
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    found = [tuple(int(rows[name][index]) for name in names) for index in first.tolist()]
    return list(zip(found, counts.tolist(), first.tolist(), strict=True))


def _file(file: CaptureFile) -> Iterable[str]:
    yield f"  {words.escape(file.path)}"
    if not file.format:
        yield "    no capture" + (", DAMAGED" if file.damaged else "")
        return
    if file.format == EMPTY:
        yield "    0 octets"
        return
    interfaces = (
        "" if file.format in ("pcap", "snoop") else f"{file.interfaces:,} interface{'s' * (file.interfaces != 1)}, "
    )
    inside = f" in {file.compression}" if file.compression else ""
    yield (
        f"    {file.format}{inside}, {file.byte_order}-endian, times in {file.resolution}, {interfaces}"
        f"link type {file.link}, snap length {file.snap_length:,}"
    )
    if file.parts > 1:
        yield f"    {file.parts:,} captures are joined in it; these are the facts of the last one"
    yield f"    {file.size:,} octets, {file.packets:,} packets" + (", DAMAGED" if file.damaged else "")


def _time(summary: Summary) -> list[str]:
    if np.isnat(summary.earliest):
        return []
    span = words.duration(int((summary.latest - summary.earliest).astype(np.int64)))
    nanoseconds = any(file.resolution == "ns" for file in summary.files)
    ends = ("earliest", summary.earliest), ("latest", summary.latest)
    return aligned([*((name, words.instant(time, nanoseconds)) for name, time in ends), ("span", span)])


def _counters(summary: Summary) -> list[str]:
    counted = [(name, summary.counters[name]) for name in COUNTERS]
    rows = [(name, f"{count:,}", _COUNTERS[name]) for name, count in counted if count or name == "packets"]
    return aligned(rows, right=[1])


class _Listed:
    """The first rows of an entity table, and how many there are."""

    def __init__(self, table: str, limit: int) -> None:
        self._parts = [np.zeros(0, schema.dtype(table))]
        self._room = limit or sys.maxsize
        self.count = 0

    def add(self, rows: Rows) -> None:
        self.count += len(rows)
        # A copy: a part of an array keeps all of it.
        part = rows[: self._room].copy()
        if len(part):
            self._parts.append(part)
            self._room -= len(part)

    @property
    def rows(self) -> Rows:
        return np.concatenate(self._parts)

    def more(self) -> list[str]:
        hidden = self.count - sum(map(len, self._parts))
        return [f"  ... and {hidden:,} more (--limit 0 shows all)"] if hidden else []


def _connection(row: Any) -> Iterable[str]:
    initiator, responder = (
        words.endpoint(words.address(row[f"{side}_address"]), int(row[f"{side}_port"]))
        for side in ("initiator", "responder")
    )
    yield f"  {initiator} > {responder}" + (", start not in the capture" if row["midstream"] else "")
    # Some packets of pcapng have no time, and clocks are put back.
    span = row["last_time"] - row["first_time"]
    lasted = (
        "of unknown duration"
        if np.isnat(span) or span.astype(np.int64) < 0
        else words.duration(int(span.astype(np.int64)))
    )
    end = End(int(row["end"]))
    side = "initiator" if row["end_from_initiator"] else "responder"
    ended = {
        End.OPEN: "open at the end of the capture",
        End.FIN: f"ended by a FIN of the {side}",
        End.RST: f"ended by a RST of the {side}",
        End.NEW_CONNECTION: "ended by a new connection on the same ports",
        End.EVICTED: "state was dropped at a cap",
    }[end]
    yield f"    packets {int(row['first_packet'])} to {int(row['last_packet'])}, {lasted}, {ended}"
    for name, bit in (("initiator", Present.INITIATOR), ("responder", Present.RESPONDER)):
        said = ""
        if int(row["present"]) & bit:
            version = int(row[f"{name}_protocol_version"])
            said = (
                f", version {version >> 8}.{version & 0xFF}, firmware {int(row[f'{name}_firmware_revision'])}, "
                f"host {words.quote(row[f'{name}_host_name'])}, vendor {words.quote(row[f'{name}_vendor_name'])}"
            )
        again, late, gaps, conflicts, messages, octets = (
            int(row[f"{name}_{column}"])
            for column in ("retransmitted", "out_of_order", "gaps", "conflicts", "messages", "octets")
        )
        trouble = f", {again:,} retransmitted" if again else ""
        trouble += f", {late:,} out of order" if late else ""
        trouble += f", {words.times(gaps, 'gap')}" if gaps else ""
        trouble += f", {words.times(conflicts, 'conflict')}" if conflicts else ""
        counts = f"{words.times(messages, 'message')} in {words.times(octets, 'octet')}"
        yield f"    {name}: {counts}{trouble}{said}"


def _tunnels(rows: Rows) -> list[str]:
    if not len(rows):
        return []
    table = [("source", "destination", "call id", "packets", "octets", "acks only", "sequence")]
    for row in rows:
        sequence = f"{int(row['first_sequence'])} to {int(row['last_sequence'])}" if row["packets"] else "-"
        table.append(
            (
                words.address(row["source"]),
                words.address(row["destination"]),
                str(int(row["call_id"])),
                f"{int(row['packets']):,}",
                f"{int(row['payload_octets']):,}",
                f"{int(row['acks']):,}",
                sequence,
            )
        )
    return aligned(table, right=[2, 3, 4, 5])

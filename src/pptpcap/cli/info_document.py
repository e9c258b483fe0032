"""Formats the summary of a capture as one JSON object.

Knows how the summary is printed.  Must not know files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from .._show import words
from ..capture import CaptureFile, Summary
from ..engine import COUNTERS, Rows
from ..wire.control import BY_CODE
from ..wire.issues import MEANINGS
from ..wire.status import Kind, Layer
from .row_lines import row_lines

__all__ = ["Seen", "document", "flat"]


class Seen(NamedTuple):
    """What is in the tables.

    Attributes
    ----------
    messages : dict
        Messages by type: ``message_type``, ``control_message_type``, whether the initiator sent them.
    issues : list of tuple
        Layer, kind, how many and the first of them, the worst kind first.
    entities : dict of str to tuple
        By table: the first of its rows, and how many there are.
    """

    messages: Mapping[tuple[int, int, int], int]
    issues: Iterable[tuple[int, int, int, Any]]
    entities: Mapping[str, tuple[Rows, int]]


def document(summary: Summary, seen: Seen, *, drops: bool) -> str:
    """All that ``info`` tells, on one line; `drops` says that copies were left out."""
    paths = [file.path for file in summary.files]
    is_timed = not np.isnat(summary.earliest)
    said: dict[str, Any] = {
        "files": [_file(file) for file in summary.files],
        "damaged": summary.damaged,
        "earliest": _time(summary.earliest),
        "latest": _time(summary.latest),
        "span_ns": int((summary.latest - summary.earliest).astype(np.int64)) if is_timed else None,
        "duplicates": "drop" if drops else "keep",
        "counters": {name: summary.counters[name] for name in COUNTERS},
        "messages": _messages(seen.messages),
        "issues": [_issue(*one, paths) for one in seen.issues],
    }
    parts = [json.dumps(said)[1:-1]]
    for table, (rows, count) in seen.entities.items():
        objects = ", ".join(row_lines(table, rows, range(len(rows))))
        parts.append(f'"{table}": {{"count": {count}, "rows": [{objects}]}}')
    return "{" + ", ".join(parts) + "}"


def flat(place: str, said: Any) -> Iterator[str]:
    """A line for each value in a JSON object: its place and itself, between them a tabulator."""
    if isinstance(said, (dict, list)):
        for name, value in said.items() if isinstance(said, dict) else enumerate(said):
            yield from flat(f"{place}.{name}" if place else str(name), value)
    else:
        yield f"{place}\t{'' if said is None else said if isinstance(said, str) else json.dumps(said)}"


def _file(file: CaptureFile) -> dict[str, Any]:
    is_capture = bool(file.packets or file.interfaces)
    return {
        "path": words.escape(file.path),
        "format": file.format or None,
        "compression": file.compression or None,
        "byte_order": file.byte_order if is_capture else None,
        "resolution": file.resolution if is_capture else None,
        "interfaces": file.interfaces,
        "link_types": list(file.link_types),
        "link": file.link if is_capture else None,
        "snap_length": file.snap_length if is_capture else None,
        "parts": file.parts,
        "size": file.size,
        "packets": file.packets,
        "damaged": file.damaged,
    }


def _time(time: np.datetime64) -> str | None:
    return None if np.isnat(time) else words.instant(time).replace(" ", "T") + "Z"


def _messages(counted: Mapping[tuple[int, int, int], int]) -> list[dict[str, Any]]:
    told = []
    for message_type, code in sorted({(message_type, code) for message_type, code, _ in counted}):
        known = BY_CODE.get(code) if message_type == 1 else None
        told.append(
            {
                "message": words.message_abbreviation(message_type, code),
                "name": known.name if known else None,
                "message_type": message_type,
                "control_message_type": code,
                "from_initiator": counted.get((message_type, code, True), 0),
                "from_responder": counted.get((message_type, code, False), 0),
            }
        )
    return told


def _issue(layer: int, kind: int, count: int, first: Any, paths: list[str]) -> dict[str, Any]:
    return {
        "severity": MEANINGS[Kind(kind)].severity.name,
        "layer": Layer(layer).name,
        "kind": words.issue_kind(kind),
        "count": count,
        "first_time": _time(first["time"]),
        "first_file": int(first["file"]),
        "first_packet": int(first["packet"]),
        "first_record_offset": int(first["record_offset"]),
        "first": words.issue_place(first, paths),
    }

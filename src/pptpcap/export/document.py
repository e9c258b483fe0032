"""``capture.json``: what was converted and how, so that it need not be done again.

Knows JSON and the summary, and no table.  Called by the package.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from .. import __version__
from ..capture import Summary
from ..describe import escape, instant
from ..source import Item

__all__ = ["NAME", "document", "found", "job"]

NAME = "capture.json"


def job(sources: list[Item], form: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be done: by which version, from what, into what."""
    return {"pptpcap": __version__, "format": form, "options": dict(options), "sources": _identities(sources)}


def _identities(sources: list[Item]) -> list[dict[str, Any]] | None:
    """Name, size and time of change of each file; None where something else is among them."""
    identities = []
    for item in sources:
        if not isinstance(item, str | os.PathLike):
            return None
        status = os.stat(item)
        if not stat.S_ISREG(status.st_mode):
            return None
        path = escape(os.fsdecode(item))
        identities.append({"path": path, "size": status.st_size, "modified_ns": status.st_mtime_ns})
    return identities


def document(job: Mapping[str, Any], summary: Summary, tables: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The file that says what was done."""
    earliest, latest = (
        None if np.isnat(time) else instant(time).replace(" ", "T") + "Z" for time in (summary.earliest, summary.latest)
    )
    files = [{**asdict(file), "path": escape(file.path)} for file in summary.files]
    whole = {
        **job,
        "damaged": summary.damaged,
        "earliest": earliest,
        "latest": latest,
        "counters": summary.counters,
        "files": files,
        "tables": tables,
    }
    return (json.dumps(whole, indent=2) + "\n").encode()


def found(folder: str, job: Mapping[str, Any], file_of: Callable[[str], str]) -> tuple[dict[str, int], bool] | None:
    """Rows of each table, and whether a file was damaged, where the job was done there before; else None.

    Parameters
    ----------
    folder : str
        Where to look.
    job : mapping
        What is to be done.
    file_of : callable
        Name of a table's file, which has to be there.
    """
    if job["sources"] is None:
        return None
    path = os.path.join(folder, NAME)
    try:
        # A named pipe would be waited for.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            before = json.load(file)
        same = all(before[name] == job[name] for name in job if name != "sources")
        if not same or [*map(_same, before["sources"])] != [*map(_same, job["sources"])]:
            return None
        rows = {table: int(before["tables"][table]["rows"]) for table in job["options"]["tables"]}
        damaged = bool(before["damaged"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    there = all(os.path.isfile(os.path.join(folder, file_of(table))) for table in rows)
    return (rows, damaged) if there else None


def _same(source: Mapping[str, Any]) -> tuple[Any, ...]:
    # A folder that was moved, or is seen from elsewhere, is the same.
    return os.path.basename(source["path"]), source["size"], source["modified_ns"]

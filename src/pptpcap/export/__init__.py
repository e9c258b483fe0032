"""Writes the tables of a capture into a folder, batch by batch: Parquet, Arrow, CSV, JSON lines, NumPy's files.

Knows ``reading`` and the parts of this package.  Called by users and the command line.
"""

from __future__ import annotations

import contextlib
import errno
import operator
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from .. import schema
from ..capture import Capture, Summary
from ..reading import EngineName, Progress, batches, table_names
from ..source import IO, Source, items
from ..wire.control import DEFAULT_PORT, MESSAGES
from ..wire.tables import BY_NAME
from . import document
from .folder import PART, Folder
from .formats import FORMATS, Grouped, file_name

__all__ = ["FORMATS", "Converted", "Format", "convert"]

Format: TypeAlias = Literal["parquet", "arrow", "csv", "jsonl", "npy"]

_BATCH_BYTES = 16 << 20
_MESSAGES = frozenset(message.name for message in MESSAGES)


@dataclass(frozen=True)
class Converted:
    """What `convert` did.

    Attributes
    ----------
    folder : str
        Where the files are.
    rows : dict of str to int
        Rows of each table.
    damaged : bool
        A file of the capture is damaged.
    again : bool
        All had been done before, so nothing was.
    summary : Summary or None
        Counters and files of the capture; None where nothing was done.
    """

    folder: str
    rows: dict[str, int]
    damaged: bool
    again: bool
    summary: Summary | None


def convert(
    source: Source,
    folder: str | os.PathLike[str],
    *,
    format: Format = "parquet",  # noqa: A002
    tables: Iterable[str] | None = None,
    overwrite: bool = False,
    identities: bool = False,
    ports: Iterable[int] = (DEFAULT_PORT,),
    on_corrupt: Literal["stop", "salvage"] = "stop",
    threads: int | None = None,
    engine: EngineName = "compiled",
    io: IO = "mmap",
    max_memory: int | None = None,
    progress: Progress = None,
    watch: Callable[[Capture], object] | None = None,
) -> Converted:
    """Write the tables of a capture into a folder, a file each, and ``capture.json``, which says what was done.

    Files are written beside and renamed when the capture is at its end.  Where ``capture.json`` says that the same was
    done before, nothing is.  Memory does not grow with the capture, but for connections, tunnels and calls.

    Parameters
    ----------
    source, identities, ports, on_corrupt, threads, engine, io, max_memory, progress
        As for `pptpcap.read`.
    folder : path
        Made where it is not there.  Other files in it stay.
    format : {"parquet", "arrow", "csv", "jsonl", "npy"}
        Of the tables' files.
    tables : iterable of str, optional
        Names of the tables to write; all by default.
    overwrite : bool
        Put the new files in the place of others that were converted.
    watch : callable, optional
        Called with each batch, which has the table ``issues`` at least.

    Returns
    -------
    Converted
        How many rows were written.

    Raises
    ------
    BlockingIOError
        Where another process is writing into the folder.
    CaptureError
        Where a file is no capture.
    FileExistsError
        Where the folder holds other tables, and they are not to be overwritten.
    ImportError
        Where the library for the format, or for compressed data, is missing.
    OSError
        Where a file cannot be read or written.
    ValueError
        Where there is no such format or table.
    """
    if format not in FORMATS:
        raise ValueError(f"no such format: {format!r}; there are {', '.join(FORMATS)}")
    wanted = list(table_names(tables))
    several = items(source)
    place = os.fsdecode(folder)
    control_ports = tuple(map(operator.index, ports))
    job = document.job(
        several,
        format,
        {
            "tables": wanted,
            "ports": sorted({*control_ports}),
            "on_corrupt": on_corrupt,
            "identities": bool(identities),
            "max_memory": max_memory,
        },
    )
    names = {table: file_name(table, format) for table in wanted}
    if done := document.found(place, job, names.__getitem__):
        _tidy(place)
        return Converted(place, *done, again=True, summary=None)

    reading = batches(
        several,
        batch_bytes=_BATCH_BYTES,
        tables=_needed(wanted),
        identities=identities,
        ports=control_ports,
        errors="keep",
        on_corrupt=on_corrupt,
        threads=threads,
        engine=engine,
        io=io,
        max_memory=max_memory,
        progress=progress,
    )
    others = {document.NAME, *(file_name(table, form) for table in schema.TABLE_NAMES for form in FORMATS)}
    with Folder(place) as opened:
        # Another process may have come to its end just now.
        if done := document.found(place, job, names.__getitem__):
            return Converted(place, *done, again=True, summary=None)
        if not overwrite:
            _require_nothing_there(place, others)
        outputs: dict[str, Grouped] = {}
        try:
            for table, name in names.items():
                outputs[table] = Grouped(FORMATS[format](opened.open(name), BY_NAME[table]), BY_NAME[table])
            summary = _pour(reading, outputs, watch)
        except BaseException:
            # Else they would be closed when they are forgotten, and complain.
            for output in outputs.values():
                with contextlib.suppress(Exception):
                    output.writer.close()
            raise
        rows = {table: output.rows for table, output in outputs.items()}
        written = {table: {"file": name, "rows": rows[table]} for table, name in names.items()}
        opened.open(document.NAME).write(document.document(job, summary, written))
        opened.keep(names.values(), document.NAME, others.difference(names.values(), [document.NAME]))
    return Converted(place, rows, summary.damaged, again=False, summary=summary)


def _pour(
    reading: Iterable[Capture], outputs: dict[str, Grouped], watch: Callable[[Capture], object] | None
) -> Summary:
    for batch in reading:
        for table, output in outputs.items():
            output.add(batch[table], _known(batch, table))
        summary = batch.summary
        if watch is not None:
            watch(batch)
    for output in outputs.values():
        output.close()
    return summary


def _known(batch: Capture, table: str) -> Any:
    """Octets of each row's message that can be read, for a table of messages."""
    if table not in _MESSAGES:
        return None
    messages = batch["messages"]
    known = np.minimum(messages["available"], messages["length"])
    return known[batch[table]["message"] - batch.first_row["messages"]]


def _needed(wanted: Iterable[str]) -> list[str]:
    """With what a message's row says of the row in its type's table, and with what is watched."""
    return [*wanted, "issues", *(["messages"] if _MESSAGES.intersection(wanted) else [])]


def _tidy(folder: str) -> None:
    """Remove what a process that was killed left."""
    if os.path.lexists(os.path.join(folder, PART)):
        with contextlib.suppress(OSError), Folder(folder):
            pass


def _require_nothing_there(folder: str, names: Iterable[str]) -> None:
    for name in sorted(names):
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "is there already, and is not to be overwritten", path)

"""Writes the tables of a capture into a folder, batch by batch.

Knows ``_reading`` and the modules of this package.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from .._input.opening import Item, Source, items
from .._input.options import Options, ReadOptions, taking_options
from .._reading.api import Progress, batches, table_names
from .._show.null import octets_known
from ..capture import Capture, Summary
from ..wire.control import MESSAGES
from ..wire.tables import BY_NAME
from . import document
from .commit import replace
from .folder import PART, Folder
from .formats import FORMATS, Format, Grouped, file_name
from .system import Inode, inode, naming

__all__ = ["FORMATS", "Converted", "Format", "convert", "inodes"]

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

    Examples
    --------
    >>> from pptpcap.export import convert
    >>> done = convert("vpn.pcap", "tables", format="csv", tables=["calls"], overwrite=True)
    >>> done.rows, done.damaged
    ({'calls': 1}, False)
    """

    folder: str
    rows: dict[str, int]
    damaged: bool
    again: bool
    summary: Summary | None


@taking_options
def convert(
    source: Source,
    folder: str | os.PathLike[str],
    *,
    format: Format = "parquet",  # noqa: A002
    tables: Iterable[str] | None = None,
    overwrite: bool = False,
    spare: dict[Inode, str] | None = None,
    identities: bool = False,
    progress: Progress = None,
    watch: Callable[[Capture], object] | None = None,
    **options: Unpack[ReadOptions],
) -> Converted:
    """Write the tables of a capture into a folder, a file each, and ``capture.json``, which says what was done.

    Files are written aside, renamed at the end of the capture, and synced before this returns.  Nothing is done if
    ``capture.json`` says that the same conversion was finished before.  Only files that it lists are replaced or
    removed. Memory grows with connections, tunnels and calls only.

    Parameters
    ----------
    source, identities, ports, on_corrupt, threads, engine, io, max_memory, max_window, progress
        As for `pptpcap.read`.
    folder : path
        Created if missing.  Other files in it stay.  With `identities` only their owner may read the new ones.
    format : str
        Of the tables' files, a key of `FORMATS`.
    tables : iterable of str, optional
        Names of the tables to write; all by default.
    overwrite : bool
        Replace the files of another conversion.  An unfinished conversion is replaced without this, too.
    spare : dict, optional
        Further files that must not be replaced or removed, as `inodes` returns them.
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
        If the folder has other tables and `overwrite` is false; if a file with a table's name was not written by this
        function, has changed since, or is an input or spared.
    ImportError
        Where the library for the format, or for compressed data, is missing.
    OSError
        If a file cannot be read or written.  A note of a late error says what the folder holds.
    ValueError
        Where there is no such format or table.

    Examples
    --------
    >>> import os
    >>> from pptpcap.export import convert
    >>> convert("vpn.pcap", "tables", format="csv", tables=["gre", "calls"], overwrite=True).rows
    {'gre': 57, 'calls': 1}
    >>> sorted(os.listdir("tables"))
    ['calls.csv', 'capture.json', 'gre.csv']
    """
    if format not in FORMATS:
        raise ValueError(f"no such format: {format!r}; there are {', '.join(FORMATS)}")
    wanted = list(table_names(tables))
    several = items(source)
    place = os.fsdecode(folder)
    how = Options.of(options)
    job = document.job(
        several,
        format,
        {
            "tables": wanted,
            "ports": sorted({*how.ports}),
            "on_corrupt": how.on_corrupt,
            "duplicates": how.duplicates,
            "separate": how.separate,
            "order": how.order,
            "identities": bool(identities),
            "max_memory": how.max_memory,
        },
    )
    names = {table: file_name(table, format) for table in wanted}
    spared = ChainMap(inodes(several), spare or {})
    if done := _done_before(place, job):
        _tidy(place, spared)
        return Converted(place, *done, again=True, summary=None)

    reading = batches(
        several,
        options=how,
        batch_bytes=_BATCH_BYTES,
        tables=_needed(wanted),
        identities=identities,
        progress=progress,
    )
    with Folder(place, document.NAMES, spared, mode=0o600 if identities else 0o666) as opened:
        found = document.read(opened.descriptor, place)
        # Another process may have come to its end just now.
        if done := document.done(found, opened.descriptor, job):
            return Converted(place, *done, again=True, summary=None)
        if found is not None and found.finished and not overwrite:
            where = os.path.join(place, document.NAME)
            raise FileExistsError(errno.EEXIST, "is of another conversion, which is not to be overwritten", where)
        old = opened.standing(found.sizes if found else {})
        opened.clear()
        outputs: dict[str, Grouped] = {}
        try:
            for table, name in names.items():
                outputs[table] = Grouped(FORMATS[format](opened.open(name), BY_NAME[table]), BY_NAME[table])
            summary = _pour(reading, outputs, {table: os.path.join(place, names[table]) for table in names}, watch)
        except BaseException:
            # Else they would be closed when they are forgotten, and complain.
            for output in outputs.values():
                with contextlib.suppress(Exception):
                    output.writer.close()
            raise
        sizes = opened.sizes()
        rows = {table: output.rows for table, output in outputs.items()}
        before = [(name, file.size) for name, file in old.items() if name != document.NAME]
        unfinished, finished = document.documents(job, summary, rows, sizes, before)
        opened.require_unchanged(old)
        replace(opened, old, [*names.values()], unfinished, finished, found.octets if found else b"")
    return Converted(place, rows, summary.damaged, again=False, summary=summary)


def _pour(
    reading: Iterable[Capture],
    outputs: dict[str, Grouped],
    paths: Mapping[str, str],
    watch: Callable[[Capture], object] | None,
) -> Summary:
    for batch in reading:
        for table, output in outputs.items():
            with naming(paths[table]):
                output.add(batch[table], octets_known(table, batch, batch.first_row))
        summary = batch.summary
        if watch is not None:
            watch(batch)
    for table, output in outputs.items():
        with naming(paths[table]):
            output.close()
    return summary


def _needed(wanted: Iterable[str]) -> list[str]:
    """With what a message's row says of the row in its type's table, and with what is watched."""
    return [*wanted, "issues", *(["messages"] if _MESSAGES.intersection(wanted) else [])]


def _done_before(folder: str, job: Mapping[str, Any]) -> tuple[dict[str, int], bool] | None:
    """As `document.done`, without touching the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        # It is not there, or `Folder` will say what is wrong.
        return None
    try:
        return document.done(document.read(descriptor, folder), descriptor, job)
    finally:
        os.close(descriptor)


def _tidy(folder: str, spared: Mapping[Inode, str]) -> None:
    """Remove leftovers of a killed process, and nothing else."""
    if os.path.lexists(os.path.join(folder, PART)):
        with contextlib.suppress(OSError), Folder(folder, document.NAMES, spared):
            pass


def inodes(several: Iterable[Item]) -> dict[Inode, str]:
    """Device and inode of each source that is a file, under all its names, and one name.

    Parameters
    ----------
    several : iterable of path, bytes-like or binary file object
        What is to be read.

    Returns
    -------
    dict of tuple of int to str
        What is no file is not in it.

    Examples
    --------
    >>> from pptpcap.export import inodes
    >>> list(inodes(["vpn.pcap", b""]).values())
    ['vpn.pcap']
    """
    found = {}
    for item in several:
        with contextlib.suppress(AttributeError, OSError, TypeError, ValueError):
            if isinstance(item, str | os.PathLike):
                found[inode(os.stat(item))] = os.fsdecode(item)
            else:
                found[inode(os.fstat(item.fileno()))] = "<stream>"  # type: ignore[union-attr]
    return found

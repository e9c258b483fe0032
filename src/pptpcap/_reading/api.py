"""Gives the rows of a capture to people: all at once, or batch by batch.

The only place that knows both engines by name; what is done with one is in ``walk``.  Called by users and the command
line.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Unpack, cast

import numpy as np

from .. import schema
from .._input.opening import Source, items
from .._input.options import Options, ReadOptions, require_one_of, taking_options
from ..capture import Capture
from ..engine import Engine
from .batches import Batches, Progress

__all__ = ["Progress", "batches", "iterate", "read", "table_names"]

_ENGINES = {"compiled": "pptpcap.core", "reference": "pptpcap.reference"}


@taking_options
def read(
    source: Source,
    *,
    tables: Iterable[str] | None = None,
    columns: Mapping[str, Iterable[str]] | None = None,
    errors: Literal["keep", "raise"] = "keep",
    identities: bool = False,
    progress: Progress = None,
    **options: Unpack[ReadOptions],
) -> Capture:
    """Read a capture into memory.

    Parameters
    ----------
    source : str, os.PathLike, bytes-like, binary file object, or iterable of these
        A path, a pattern such as ``"vpn-*.pcap"``, the octets themselves, or several of these, which are one capture in
        the order given: streams go on across the border of two files.  Each may be compressed with gzip, zstd or lz4,
        told by its first octets.  A file object is read from where it stands, and not closed.
    tables : iterable of str, optional
        Names of the tables to give; all by default.  The others take no memory.
    columns : mapping of str to iterable of str, optional
        By table, names of the columns to give, in the documented order; all of a table that is not named.  The others
        take no memory: rows are narrowed range by range.
    ports : iterable of int
        TCP ports of the control connection.
    errors : {"keep", "raise"}
        What to do with an issue: keep it as a row of the table ``issues``, or raise at the first one.
    on_corrupt : {"stop", "salvage"}
        What to do behind a corrupt record or block: stop there, or look for the next place at which several good ones
        stand in a row, say in an issue what was passed over, and go on.
    identities : bool
        Give the names by which the sides of calls made themselves known, in ``calls``.
    threads : int, optional
        Ranges of a file that are scanned at once; by default as many as there are cores that this process may use, with
        the reference engine 1.  The rows are the same.
    engine : {"compiled", "reference"}
        The Cython engine, or its slow twin in pure Python.  Neither stands in for the other.
    io : {"mmap", "read"}
        How regular files are read.  "read" takes a copy more.  A file that somebody cuts short raises CaptureError;
        with "mmap" a handler of SIGBUS sees to that, on Linux only, see ``docs/trust.md``.  What is compressed or no
        regular file is always read.
    progress : bool or callable, optional
        True for a bar on standard error, or a function that is called with the octets walked and the octets in all
        files together, None where that is not known.  Both count files as they are found, compressed ones too.
    max_memory : int, optional
        Octets of memory that the state of the reading may take: connections, tunnels and calls, which stay until the
        capture ends, and what waits to be put in order.  Their caps follow from it, see `Limits.within`, so the rows do
        too where a cap is reached.  The arrays that are given come on top.
    max_window : int, optional
        Octets of the window that a zstd frame may ask for, at least the default, 33,554,432, and at most 2,147,483,648.
        That memory is taken before there is any content, so a frame that asks for more is refused.

    Returns
    -------
    Capture
        Structured arrays in native byte order, the caller's own; rows in the order that ``pptpcap.schema`` documents.

    Raises
    ------
    CaptureError
        Where a file is no capture, or needs a larger `max_window`.  A capture that is cut or corrupt somewhere behind
        its header raises nothing: all rows before that place are given, with an issue, and ``summary.damaged`` is true.
    IssueError
        With ``errors="raise"``, at the first issue.
    ImportError
        Where the library for zstd or lz4 data is missing.
    OSError
        Where the system does not let a file be read.
    ValueError, TypeError
        Where an argument is none of these.
    """
    (whole,) = batches(
        source,
        options=Options.of(options),
        tables=tables,
        columns=columns,
        errors=errors,
        identities=identities,
        progress=progress,
    )
    return whole


@taking_options
def iterate(
    source: Source,
    *,
    batch_bytes: int = 64 << 20,
    batch_packets: int | None = None,
    tables: Iterable[str] | None = None,
    columns: Mapping[str, Iterable[str]] | None = None,
    errors: Literal["keep", "raise"] = "keep",
    identities: bool = False,
    progress: Progress = None,
    **options: Unpack[ReadOptions],
) -> Iterator[Capture]:
    """Read a capture batch by batch, in memory that does not grow with the file.

    The rows of all batches, one behind the other, are the rows of `read`.  The entity tables (``connections``,
    ``tunnels``, ``calls``) are empty until all events were given.  They come with the last batch of events and, where
    one of them has more than 16,384 rows, in further batches of as many rows that hold no event.

    Parameters
    ----------
    source, tables, columns, ports, errors, on_corrupt, identities, threads, engine, io, progress, max_memory,
    max_window
        As for `read`.
    batch_bytes : int
        Octets of the capture files in one batch; a record that begins in a batch is walked in it.
    batch_packets : int, optional
        Packets in one batch at most.  Where such a batch ends is not known beforehand, so that one thread does all.

    Yields
    ------
    Capture
        One batch; there is always at least one.  Columns that point to rows count in the whole capture, see
        ``Capture.first_row``.

    Raises
    ------
    CaptureError, IssueError, ImportError, OSError, ValueError, TypeError
        As `read`; those about arguments at the call, those about a file when its turn comes.
    """
    if batch_bytes < 1:
        raise ValueError(f"batch_bytes must be at least 1, not {batch_bytes}")
    if batch_packets is not None and batch_packets < 1:
        raise ValueError(f"batch_packets must be at least 1, not {batch_packets}")
    return batches(
        source,
        batch_bytes=batch_bytes,
        batch_packets=batch_packets,
        options=Options.of(options),
        tables=tables,
        columns=columns,
        errors=errors,
        identities=identities,
        progress=progress,
    )


def batches(
    source: Source,
    *,
    options: Options,
    tables: Iterable[str] | None,
    columns: Mapping[str, Iterable[str]] | None = None,
    errors: str = "keep",
    identities: bool = False,
    payloads: bool = False,
    ends: bool = False,
    batch_bytes: int | None = None,
    batch_packets: int | None = None,
    progress: Progress = None,
) -> Iterator[Capture]:
    """What `read` and `iterate` are made of; with `ends`, batches have the connections that their messages name."""
    require_one_of("errors", errors, "keep", "raise")
    walk = Batches(
        engine=cast(Engine, importlib.import_module(_ENGINES[options.engine])),
        options=options,
        tables=_dtypes(table_names(tables), columns or {}),
        raises=errors == "raise",
        identities=identities,
        payloads=payloads,
        batch_bytes=batch_bytes,
        batch_packets=batch_packets,
        ends=ends,
    )
    return walk.batches(items(source), progress)


def table_names(names: Iterable[str] | None) -> tuple[str, ...]:
    """Tables that are asked for, in the documented order; ValueError where there is no such table."""
    if names is None:
        return schema.TABLE_NAMES
    wanted = {names} if isinstance(names, str) else set(names)
    unknown = sorted(map(str, wanted.difference(schema.TABLE_NAMES)))
    if unknown:
        raise ValueError(f"no such table: {', '.join(unknown)}; there are {', '.join(schema.TABLE_NAMES)}")
    return tuple(name for name in schema.TABLE_NAMES if name in wanted)


def _dtypes(tables: tuple[str, ...], columns: Mapping[str, Iterable[str]]) -> dict[str, np.dtype[np.void]]:
    """What a row of each table is to hold."""
    unknown = sorted(map(str, set(columns).difference(tables)))
    if unknown:
        raise ValueError(f"columns of a table that is not asked for: {', '.join(unknown)}")
    return {name: schema.narrowed(name, columns[name]) if name in columns else schema.dtype(name) for name in tables}

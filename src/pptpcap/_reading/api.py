"""The public functions ``read`` and ``iterate``, and how they check their arguments.

The only module that knows both engines by name.  Must not know how an engine is driven; see ``batches``.
"""

from __future__ import annotations

import importlib
import operator
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias, cast

import numpy as np

from .. import schema
from .._input.opening import IO, Source, items
from ..capture import Capture
from ..engine import Engine
from ..wire import limits
from ..wire.control import DEFAULT_PORT
from .batches import Batches, Progress

__all__ = ["Progress", "batches", "iterate", "read", "table_names"]

EngineName: TypeAlias = Literal["compiled", "reference"]

_ENGINES = {"compiled": "pptpcap.core", "reference": "pptpcap.reference"}


def read(
    source: Source,
    *,
    tables: Iterable[str] | None = None,
    columns: Mapping[str, Iterable[str]] | None = None,
    ports: Iterable[int] = (DEFAULT_PORT,),
    errors: Literal["keep", "raise"] = "keep",
    on_corrupt: Literal["stop", "salvage"] = "stop",
    identities: bool = False,
    threads: int | None = None,
    engine: EngineName = "compiled",
    io: IO = "mmap",
    progress: Progress = None,
    max_memory: int | None = None,
    max_window: int | None = None,
) -> Capture:
    """Read a capture into memory.

    Parameters
    ----------
    source : str, os.PathLike, bytes-like, binary file object, or iterable of these
        A path, a pattern such as ``"vpn-*.pcap"``, the bytes of a capture, or several of these.  Several are one
        capture in the order given: streams continue from one file to the next.  Each may be compressed with gzip, zstd
        or lz4.  A file object is read from its current position and is not closed.
    tables : iterable of str, optional
        Names of the tables to return; all by default.  Others take no memory.
    columns : mapping of str to iterable of str, optional
        Names of the columns to return, by table, in the documented order.  A table that is not named has all columns.
        Other columns take no memory: rows are narrowed range by range.
    ports : iterable of int
        TCP ports of the control connection.
    errors : {"keep", "raise"}
        Keep issues as rows of the table ``issues``, or raise the first one.
    on_corrupt : {"stop", "salvage"}
        After a corrupt record or block: stop, or search for the next place with several good ones in a row and continue
        there.  An issue says what was skipped.
    identities : bool
        Fill the columns of ``calls`` that have the user names of both sides.
    threads : int, optional
        Number of threads; by default the number of cores that this process may use, and 1 with the reference engine.
        The rows do not depend on it.
    engine : {"compiled", "reference"}
        The Cython engine, or the slow reference in Python.  Neither replaces the other silently.
    io : {"mmap", "read"}
        How regular files are read.  "read" makes one copy more.  A file that is truncated meanwhile raises
        CaptureError; with "mmap" that needs a SIGBUS handler and works on Linux only, see ``docs/trust.md``.
        Compressed input, and input that is not a regular file, is always read.
    progress : bool or callable, optional
        True for a progress bar on standard error, or a function that is called with the number of bytes read and the
        total of all files, None if unknown.  Both count compressed bytes of compressed files.
    max_memory : int, optional
        Bytes of memory for the state of the reading: connections, tunnels and calls, which stay until the capture ends,
        and undelivered data.  It lowers their caps, see `Limits.within`, so it changes the rows if a cap is reached.
        The returned arrays come on top.
    max_window : int, optional
        Largest window of a zstd frame in bytes, from the default, 33,554,432, to 2,147,483,648.  A frame allocates its
        window before it has any content, so a frame that needs more is refused.

    Returns
    -------
    Capture
        Structured arrays in native byte order, owned by the caller; rows in the order that ``pptpcap.schema``
        documents.

    Raises
    ------
    CaptureError
        If a file is not a capture, or needs a larger `max_window`.  A capture that is cut or corrupt after its header
        raises nothing: the rows before the damage are returned, with an issue, and ``summary.damaged`` is true.
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
        tables=tables,
        columns=columns,
        ports=ports,
        errors=errors,
        on_corrupt=on_corrupt,
        identities=identities,
        threads=threads,
        engine=engine,
        io=io,
        progress=progress,
        max_memory=max_memory,
        max_window=max_window,
    )
    return whole


def iterate(
    source: Source,
    *,
    batch_bytes: int = 64 << 20,
    batch_packets: int | None = None,
    tables: Iterable[str] | None = None,
    columns: Mapping[str, Iterable[str]] | None = None,
    ports: Iterable[int] = (DEFAULT_PORT,),
    errors: Literal["keep", "raise"] = "keep",
    on_corrupt: Literal["stop", "salvage"] = "stop",
    identities: bool = False,
    threads: int | None = None,
    engine: EngineName = "compiled",
    io: IO = "mmap",
    progress: Progress = None,
    max_memory: int | None = None,
    max_window: int | None = None,
) -> Iterator[Capture]:
    """Read a capture batch by batch, in memory that does not grow with the file.

    The rows of all batches, concatenated, are the rows of `read`.  The entity tables (``connections``, ``tunnels``,
    ``calls``) are empty until the last batch of events.  If one of them has more than 16,384 rows, further batches
    without events have the rest, 16,384 rows each.

    Parameters
    ----------
    source, tables, columns, ports, errors, on_corrupt, identities, threads, engine, io, progress, max_memory,
    max_window
        As for `read`.
    batch_bytes : int
        Bytes of the capture files per batch; a record belongs to the batch in which it begins.
    batch_packets : int, optional
        Most packets per batch.  The end of such a batch is unknown in advance, so one thread does everything.

    Yields
    ------
    Capture
        One batch; there is always at least one.  Columns that are indexes of rows count from the start of the capture,
        see ``Capture.first_row``.

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
        tables=tables,
        columns=columns,
        ports=ports,
        errors=errors,
        on_corrupt=on_corrupt,
        identities=identities,
        threads=threads,
        engine=engine,
        io=io,
        progress=progress,
        max_memory=max_memory,
        max_window=max_window,
    )


def batches(
    source: Source,
    *,
    batch_bytes: int | None = None,
    batch_packets: int | None = None,
    ends: bool = False,
    tables: Iterable[str] | None,
    ports: Iterable[int],
    errors: str,
    on_corrupt: str,
    threads: int | None,
    engine: str,
    io: str,
    progress: Progress,
    columns: Mapping[str, Iterable[str]] | None = None,
    identities: bool = False,
    payloads: bool = False,
    max_memory: int | None = None,
    max_window: int | None = None,
) -> Iterator[Capture]:
    """What `read` and `iterate` are made of; with `ends`, batches have the connections that their messages name."""
    wanted = table_names(tables)
    walk = Batches(
        engine=cast(Engine, importlib.import_module(_ENGINES[_one_of("engine", engine, *_ENGINES)])),
        ports=_ports(ports),
        tables=_dtypes(wanted, columns or {}),
        raises=_one_of("errors", errors, "keep", "raise") == "raise",
        io=cast(IO, _one_of("io", io, "mmap", "read")),
        salvage=_one_of("on_corrupt", on_corrupt, "stop", "salvage") == "salvage",
        identities=identities,
        payloads=payloads,
        threads=_threads(threads, engine),
        max_window=_max_window(max_window),
        caps=limits.DEFAULT if max_memory is None else limits.DEFAULT.within(operator.index(max_memory)),
        batch_bytes=batch_bytes,
        batch_packets=batch_packets,
        ends=ends,
    )
    return walk.batches(items(source), progress)


def _one_of(argument: str, value: str, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _threads(threads: int | None, engine: str) -> int:
    if threads is None:
        # The reference holds the interpreter's lock all the time.
        return 1 if engine == "reference" else _cores()
    if operator.index(threads) < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    return threads


def _max_window(octets: int | None) -> int:
    if octets is None:
        return limits.ZSTD_WINDOW
    if not limits.ZSTD_WINDOW <= operator.index(octets) <= limits.MOST_ZSTD_WINDOW:
        raise ValueError(
            f"max_window must be from {limits.ZSTD_WINDOW} to {limits.MOST_ZSTD_WINDOW} octets, not {octets}"
        )
    return octets


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ports(ports: Iterable[int]) -> tuple[int, ...]:
    numbers = tuple(operator.index(port) for port in ports)
    if not numbers or not all(0 < number < 0x10000 for number in numbers):
        raise ValueError(f"ports must be numbers from 1 to 65535, at least one, not {numbers}")
    return numbers


def table_names(names: Iterable[str] | None) -> tuple[str, ...]:
    """The wanted tables, in the documented order; ValueError for an unknown name."""
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
        raise ValueError(f"columns of a table that is not among tables: {', '.join(unknown)}")
    return {name: schema.narrowed(name, columns[name]) if name in columns else schema.dtype(name) for name in tables}

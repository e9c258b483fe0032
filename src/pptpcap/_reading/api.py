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

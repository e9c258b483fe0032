"""The public functions ``read`` and ``iterate``, and how they check their arguments.

The only module that knows both engines by name.  Must not know how an engine is driven; see ``batches``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Generator, Iterable, Mapping
from typing import Literal, Unpack, cast

import numpy as np

from .. import schema
from .._input.opening import Source, items
from .._input.options import Options, ReadOptions, require_one_of, taking_options
from ..capture import Capture
from ..engine import Engine
from .batches import Batches, Progress, Visitor
from .order import require_files

__all__ = ["Progress", "batches", "engine_of", "iterate", "read", "table_names"]

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
        A path, a pattern such as ``"vpn-*.pcap"``, the bytes of a capture, or several of these.  Several are one
        capture in the order given: streams continue from one file to the next.  The files of a pattern stand in the
        order of the numbers in their names: ``vpn.pcap2`` before ``vpn.pcap10``.  Each may be compressed with gzip,
        zstd, lz4, xz or bzip2, and a zip archive stands for the captures in it.  A file object is read from its current
        position and is not closed.
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
    duplicates : {"keep", "drop"}
        Packets that the capture holds more than once, as from a mirror port, from ``any``, or with both ends merged:
        keep the copies and count them (``summary.copies``, ``calls.pns_copies``), or leave them out before anything
        counts.  A retransmission and a packet that the network duplicated are no copies; see
        ``docs/decoding/copies.md``.
    separate : {"none", "layers"}
        What tells connections, tunnels and IP fragments apart beside their addresses: nothing, or the VLANs that they
        came through.  With "layers", two customers with the same addresses in two VLANs are two.  With "none", a call
        is one although its two directions carry different tags, as on some trunks, or although the capture holds it
        with and without a tag; see ``docs/decoding/links.md``.
    order : {"given", "time"}
        Read several files in the order given, or whole files in the order of their first packets, as those of a ring
        that began anew.  For the latter each is opened twice, so it must be a path or bytes.  The files in a zip
        archive are sorted one by one.
    mirrors : mapping of str to int or iterable of int, optional
        UDP ports of mirrors and overlays besides their own, by the name of the kind: ``{"vxlan": 4800}``.  Kinds are
        gre, mpls, vxlan, vxlan_gpe, geneve, tzsp, gtp_u, capwap, jmirror, l2tp, teredo and gue.  The headers of jmirror
        and gue hold too little that can be checked, so they are followed on ports that are named here only; see
        ``docs/decoding/mirrors.md``.
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
        Largest window of a zstd frame or an xz stream in bytes, from the default, 33,554,432, to 2,147,483,648.  A
        decoder allocates it before there is any content, so what needs more is refused.  xz may always have 67,108,864.

    Returns
    -------
    Capture
        One-dimensional structured arrays in native byte order, owned by the caller; columns in the order of
        ``pptpcap.schema.dtype``, rows in the order of ``docs/decoding/``.  ``docs/tables.md`` has the dtype and the
        unit of each column.

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

    Examples
    --------
    >>> import pptpcap
    >>> capture = pptpcap.read("vpn.pcap", tables=["outgoing_call_request", "gre"])
    >>> capture.outgoing_call_request["maximum_bps"].tolist()
    [10000000]
    >>> capture.gre.shape, capture.gre.dtype["sequence_number"].name
    ((57,), 'uint32')
    >>> narrow = pptpcap.read("vpn.pcap", tables=["gre"], columns={"gre": ["time", "call_id"]})
    >>> narrow.gre.dtype.names
    ('time', 'call_id')
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
    live: bool = False,
    follow: bool = False,
    tables: Iterable[str] | None = None,
    columns: Mapping[str, Iterable[str]] | None = None,
    errors: Literal["keep", "raise"] = "keep",
    identities: bool = False,
    progress: Progress = None,
    **options: Unpack[ReadOptions],
) -> Generator[Capture, None, None]:
    """Read a capture batch by batch, in memory that does not grow with the file.

    The rows of all batches, concatenated, are the rows of `read`.  The entity tables (``connections``, ``tunnels``,
    ``calls``) are empty until the last batch of events.  If one of them has more than 16,384 rows, further batches
    without events have the rest, 16,384 rows each.

    Parameters
    ----------
    source, tables, columns, ports, errors, on_corrupt, duplicates, separate, order, mirrors, identities, threads,
    engine, io, progress, max_memory, max_window
        As for `read`.
    batch_bytes : int
        Bytes of the capture files per batch; a record belongs to the batch in which it begins.
    batch_packets : int, optional
        Most packets per batch.  The end of such a batch is unknown in advance, so one thread does everything.
    live : bool
        Where `source` is a pipe or another stream that cannot seek, end a batch too when no more octets have come: what
        came goes into a batch within a fraction of a second.  The rows are the same.
    follow : bool
        Go on as a file grows and is rotated, like ``tail -F``, until the generator is closed or interrupted; `source`
        is a path or a pattern.  Batches end as with `live`.  See ``docs/live.md``.

    Yields
    ------
    Capture
        One batch; there is always at least one.  Columns that are indexes of rows count from the start of the capture,
        see ``Capture.first_row``.

    Raises
    ------
    CaptureError, IssueError, ImportError, OSError, ValueError, TypeError
        As `read`; those about arguments at the call, those about a file when its turn comes.

    Examples
    --------
    >>> import pptpcap
    >>> for batch in pptpcap.iterate("vpn.pcap", batch_packets=40):
    ...     print(batch.summary.packets, len(batch.gre), len(batch.calls))
    40 14 0
    80 32 0
    109 11 1
    """
    if batch_bytes < 1:
        raise ValueError(f"batch_bytes must be at least 1, not {batch_bytes}")
    if batch_packets is not None and batch_packets < 1:
        raise ValueError(f"batch_packets must be at least 1, not {batch_packets}")
    return batches(
        source,
        batch_bytes=batch_bytes,
        batch_packets=batch_packets,
        live=live,
        follow=follow,
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
    members: bool = False,
    visitor: Visitor | None = None,
    batch_bytes: int | None = None,
    batch_packets: int | None = None,
    live: bool = False,
    follow: bool = False,
    progress: Progress = None,
) -> Generator[Capture, None, None]:
    """What `read` and `iterate` are made of.

    With `ends`, batches have the connections that their messages name; with `payloads` and `members`, what an assembler
    gives beside tables.  With a visitor, nothing is assembled.
    """
    require_one_of("errors", errors, "keep", "raise")
    walk = Batches(
        engine=engine_of(options),
        options=options,
        tables=_dtypes(table_names(tables), columns or {}),
        raises=errors == "raise",
        identities=identities,
        payloads=payloads,
        batch_bytes=batch_bytes,
        batch_packets=batch_packets,
        ends=ends,
        members=members,
        visitor=visitor,
        live=live or follow,
    )
    if follow:
        if not isinstance(source, str | os.PathLike):
            raise TypeError(f"only a path or a pattern can be followed, not {type(source).__name__}")
        if options.sorts:
            raise ValueError("files that are followed cannot be sorted by time")
        return walk.followed_batches(source, progress)
    several = items(source)
    if options.sorts:
        require_files(several)
    return walk.batches(several, progress)


def engine_of(options: Options) -> Engine:
    """The engine of these options."""
    return cast(Engine, importlib.import_module(_ENGINES[options.engine]))


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

"""Writes the tables of a capture into a folder, batch by batch.

Checks arguments.  Must not know files of folders, or what is in them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Unpack, overload

from .._arrow.community import require_seed
from .._input.opening import Source, items
from .._input.options import Options, ReadOptions, require_one_of, taking_options
from .._reading.api import Progress, table_names
from .._reading.known import choices
from ..capture import Capture
from .conversion import Converted, Request, by_name, convert_each, convert_one, inodes
from .formats import FORMATS, UNITS, Format, Partition

__all__ = ["convert"]


class ConvertOptions(ReadOptions, total=False):
    """What callers of `convert` may say; it documents each."""

    format: Format
    tables: Iterable[str] | None
    codes: bool
    community_seed: int
    partition: Partition | None
    only: bool
    overwrite: bool
    identities: bool
    progress: Progress
    watch: Callable[[Capture], object] | None
    where: Mapping[str, Any] | None


@overload
def convert(
    source: Source,
    folder: str | os.PathLike[str],
    *,
    each: Literal[False] = False,
    **options: Unpack[ConvertOptions],
) -> Converted: ...
@overload
def convert(
    source: Source, folder: str | os.PathLike[str], *, each: Literal[True], **options: Unpack[ConvertOptions]
) -> list[Converted]: ...


@taking_options
def convert(
    source: Source,
    folder: str | os.PathLike[str],
    *,
    format: Format = "parquet",  # noqa: A002
    tables: Iterable[str] | None = None,
    codes: bool = False,
    community_seed: int = 0,
    partition: Partition | None = None,
    each: bool = False,
    only: bool = False,
    overwrite: bool = False,
    identities: bool = False,
    progress: Progress = None,
    watch: Callable[[Capture], object] | None = None,
    where: Mapping[str, Any] | None = None,
    **options: Unpack[ReadOptions],
) -> Converted | list[Converted]:
    """Write the tables of a capture into a folder, with ``capture.json``, which says what was done.

    Files are written aside, renamed at the end of the capture, and synced before this returns.  Tables that
    ``capture.json`` says are there from the same conversion are not written again.  Only files that it lists are
    replaced or removed.  Memory grows with connections, tunnels and calls only.

    Parameters
    ----------
    source, identities, ports, on_corrupt, duplicates, separate, order, mirrors, threads, engine, io, max_memory,
    max_window, progress
        As for `pptpcap.read`.
    folder : path
        Created if missing.  Other files in it stay.  With `identities` only their owner may read the new ones.
    format : str
        Of the tables' files, a key of `FORMATS`.
    tables : iterable of str, optional
        Names of the tables to write; all by default.
    codes : bool
        Numbers of enumerations stay numbers; without, they are their names.
    community_seed : int
        Seed of the column ``community_id`` of connections and tunnels, from 0 to 65,535: that of the other tool.
    partition : {"day", "hour"}, optional
        Rows of events go to a file for each day or hour (UTC), in a folder for each table.
    each : bool
        Each file is a capture of its own, and gets a folder of its name inside `folder`.
    only : bool
        Remove the tables of earlier conversions that are not written now; without, they stay.
    overwrite : bool
        Replace tables of another conversion.  An unfinished conversion is replaced without this, too.
    watch : callable, optional
        Called with each batch, which has the table ``issues`` at least.
    where : mapping of str to object, optional
        Conditions as `pptpcap.Scan.where` has them, by name: only rows that fulfil all of them are written, with their
        keys.  Tables that cannot have one of them are written only without this.

    Returns
    -------
    Converted or list of Converted
        How many rows there are; with `each`, of each capture.

    Raises
    ------
    BlockingIOError
        Where another process is writing into the folder.
    CaptureError
        Where a file is no capture.
    ExceptionGroup
        With `each`: the errors of captures that were not converted, when all others are.
    FileExistsError
        If the folder has other tables and `overwrite` is false; if a file with a table's name was not written by this
        function, has changed since, or is an input.
    ImportError
        Where the library for the format, or for compressed data, is missing.
    OSError
        If a file cannot be read or written.  A note of a late error says what the folder holds.
    ValueError
        Where there is no such format, table, seed or condition; where a table that is named cannot have a condition;
        where a condition needs a second reading of what can be read only once; with `each`, where a capture has no name
        or two would be in one folder.

    Examples
    --------
    >>> import os
    >>> from pptpcap.export import convert
    >>> convert("vpn.pcap", "tables", format="csv", tables=["gre", "calls"], overwrite=True).rows
    {'gre': 57, 'calls': 1}
    >>> sorted(os.listdir("tables"))
    ['calls.csv', 'capture.json', 'capture.sql', 'gre.csv']
    """
    if format not in FORMATS:
        raise ValueError(f"no such format: {format!r}; there are {', '.join(FORMATS)}")
    if partition is not None:
        require_one_of("partition", partition, *UNITS)
    chosen = choices(table_names(tables), where or {}, named=tables is not None)
    request = Request(
        form=format,
        tables=tuple(chosen),
        codes=bool(codes),
        community_seed=require_seed(community_seed),
        partition=partition,
        only=bool(only),
        overwrite=bool(overwrite),
        identities=bool(identities),
        options=Options.of(options),
        where=where or {},
        choices=chosen if where else {},
        progress=progress,
        watch=watch,
    )
    several = items(source)
    place = os.fsdecode(folder)
    if not each:
        return convert_one(request, several, place, inodes(several))
    outcomes = list(convert_each(request, by_name(several), place))
    done = [one for one in outcomes if isinstance(one, Converted)]
    errors = [one for one in outcomes if isinstance(one, Exception)]
    if errors:
        raise ExceptionGroup("captures that were not converted", errors)
    return done

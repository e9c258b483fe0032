"""Writes a page about a capture.

Knows ``_reading`` and ``_output``; the package ``_page`` makes the page.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Unpack

from .._input.again import require_unchanged, states
from .._input.opening import Source, items
from .._input.options import Options, ReadOptions, taking_options
from .._output.destination import opened
from .._page import page
from .._reading.api import Progress, batches
from ..capture import Capture, Summary

__all__ = ["report"]

_BATCH_BYTES = 16 << 20
_BEGIN = b"<!DOCTYPE html>"


@taking_options
def report(
    source: Source,
    destination: str | os.PathLike[str] | BinaryIO,
    *,
    identities: bool = False,
    overwrite: bool = False,
    progress: Progress = None,
    watch: Callable[[Capture], object] | None = None,
    **options: Unpack[ReadOptions],
) -> Summary:
    """Write one page about a capture: calls and their stories, plots, security, control messages, issues.

    ``docs/report.md`` says what is on it.

    Parameters
    ----------
    source : path, bytes-like, or iterable of these
        As for `read`, but what can be read several times: no pipe and no file object.
    destination : path or binary file object
        The HTML file, which gets its name when it is whole; its owner alone can read it.
    identities : bool
        Name users.
    overwrite : bool
        Whether a page that is there is replaced.
    ports, on_corrupt, duplicates, separate, order, mirrors, threads, engine, io, max_memory, max_window
        As for `read`.
    progress
        As for `read`; the source is read three times, and each time counts from 0.
    watch : callable, optional
        Called with each batch of one reading, which has the table ``issues``.

    Returns
    -------
    Summary
        Counters and files of the capture.

    Raises
    ------
    CaptureError
        Where a file is no capture.
    FileExistsError
        Where the destination is there, and is not to be overwritten.
    ImportError
        Where Jinja2 is not installed.
    OSError
        Where a file cannot be read or written, or changed while it was read.
    ValueError, TypeError
        Where the source cannot be read several times, or the destination is one of its files.

    Examples
    --------
    >>> import pptpcap
    >>> pptpcap.report("vpn.pcap", "vpn.html", overwrite=True).packets
    109
    """
    several = items(source)
    before = states(several, "report")
    chosen_options = Options.of(options)
    summaries: list[Summary] = []

    def readings(
        *, tables: Sequence[str], columns: Mapping[str, Sequence[str]], identities: bool = False
    ) -> Iterator[Capture]:
        summary = None
        for batch in batches(
            several,
            options=chosen_options,
            batch_bytes=_BATCH_BYTES,
            tables=tables,
            columns=columns,
            identities=identities,
            progress=progress,
        ):
            if not summaries and watch is not None:
                watch(batch)
            summary = batch.summary
            yield batch
        assert summary is not None
        summaries.append(summary)

    read = {identity for identity, _, _ in before.values()}
    with opened(destination, _BEGIN, read=read, overwrite=overwrite) as write:
        html = page(readings, identities=identities)
        require_unchanged(before)
        write(html.encode())
    return summaries[0]

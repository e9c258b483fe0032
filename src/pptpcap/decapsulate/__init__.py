"""Writes the packets inside calls to a pcap file.

Knows ``_reading`` and the modules of this package.  Decrypts and decompresses nothing itself.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from .._input.again import require_unchanged, state, states
from .._input.opening import Source, items
from .._input.options import Options, ReadOptions, taking_options
from .._reading.api import Progress, batches
from ..capture import Capture, Summary
from .login import Password
from .outcome import Outcome
from .places import TUNNEL_COLUMNS, Places
from .sorter import GRE_COLUMNS, Sorter
from .writer import PcapWriter

__all__ = ["Decapsulated", "Outcome", "decapsulate"]

_BATCH_BYTES = 16 << 20


@dataclass(frozen=True)
class Decapsulated:
    """The result of `decapsulate`.

    Attributes
    ----------
    packets : int
        Inner IP packets written.
    counts : dict of Outcome to int
        Packets with a payload by what became of them; those that are not 0, in the order of `Outcome`.
    calls : mapping of int to dict of Outcome to int
        The same by row of the table ``calls``, of those that have any; -1 for packets that belong to none.
    summary : Summary
        Counters and files of the capture.

    Examples
    --------
    >>> from pptpcap.decapsulate import decapsulate
    >>> result = decapsulate("vpn.pcap", "inner.pcap", overwrite=True)
    >>> {outcome.name: packets for outcome, packets in result.calls[0].items()}
    {'CONTROL': 31, 'ENCRYPTED': 14}
    """

    packets: int
    counts: dict[Outcome, int]
    calls: Mapping[int, dict[Outcome, int]]
    summary: Summary


@taking_options
def decapsulate(
    source: Source,
    destination: str | os.PathLike[str],
    *,
    calls: Iterable[int] | None = None,
    password: str | None = None,
    overwrite: bool = False,
    progress: Progress = None,
    watch: Callable[[Capture], object] | None = None,
    **options: Unpack[ReadOptions],
) -> Decapsulated:
    """Write the IP packets inside calls to a pcap file: nanoseconds, link type RAW.

    PPP framing, VJ header compression, Multilink within one call and Deflate are undone; with the user's own password,
    MPPE behind a login with MS-CHAP too.  Packets are undone in the order of their sequence numbers, and written in
    the order of the capture.

    Parameters
    ----------
    source : path, bytes-like, or iterable of these
        As for `pptpcap.read`, but what can be read twice: no pipe and no file object.
    destination : path
        The file, which gets its name when it is whole.  Its owner alone can read it.
    calls : iterable of int, optional
        Rows of the table ``calls``; all by default.
    password : str, optional
        Tried on every login, never guessed, not kept.  A login that it does not answer is counted.
    overwrite : bool
        Whether a file that is there is replaced.
    ports, engine, io, on_corrupt, threads, max_memory, max_window, progress
        As for `pptpcap.read`.
    watch : callable, optional
        Called with each batch of the second reading, which has the table ``issues``.

    Returns
    -------
    Decapsulated
        How many packets were written, and what became of the others.

    Raises
    ------
    CaptureError
        Where a file is no capture.
    FileExistsError
        Where the destination is there, and is not to be overwritten.
    ImportError
        With a password, where the extra ``decrypt`` is not installed.
    IndexError
        Where there is no such call.
    OSError
        Where a file cannot be read or written, or changed while it was read.
    ValueError
        Where the source cannot be read twice, or the destination is one of its files.

    Notes
    -----
    VJ header compression is RFC 1144, Multilink RFC 1990, Deflate RFC 1979, MS-CHAP RFC 2433 and RFC 2759, MPPE
    RFC 3078.  ``docs/decapsulation.md`` says what is undone.

    Examples
    --------
    >>> from pptpcap.decapsulate import decapsulate
    >>> decapsulate("vpn.pcap", "inner.pcap", overwrite=True).packets  # the packets are encrypted
    0
    """
    several = items(source)
    path = os.fsdecode(destination)
    before = states(several, "decapsulate")
    identities = {identity for identity, _, _ in before.values()}
    with contextlib.suppress(OSError):
        if state(path)[0] in identities:
            raise ValueError(f"the output {path!r} is one of the files that are read")
    secret = None if password is None else Password(password)
    wanted = None if calls is None else {operator.index(call) for call in calls}
    readings = functools.partial(batches, several, options=Options.of(options))
    with PcapWriter(path, overwrite=overwrite, spared=identities) as writer:
        sorter = Sorter(_first(readings, wanted), secret, others=wanted is None)
        columns = {"gre": GRE_COLUMNS}
        for batch in readings(
            tables=("gre", "issues"), columns=columns, batch_bytes=_BATCH_BYTES, progress=progress, payloads=True
        ):
            for time, octets in sorter.take(batch["gre"], batch.beside["payloads"]):
                writer.write(time, octets)
            summary = batch.summary
            if watch is not None:
                watch(batch)
        for time, octets in sorter.finish():
            writer.write(time, octets)
        require_unchanged(before)
    counts = sorter.counts.total()
    return Decapsulated(counts.get(Outcome.WRITTEN, 0), counts, sorter.counts, summary)


def _first(readings: Callable[..., Iterator[Capture]], wanted: set[int] | None) -> Places:
    """Read the capture for its calls."""
    # One column is enough to count the calls.
    columns = {"calls": ("connection",), "tunnels": TUNNEL_COLUMNS}
    calls, tunnels = 0, []
    for batch in readings(tables=("calls", "tunnels"), columns=columns, batch_bytes=_BATCH_BYTES):
        calls += len(batch["calls"])
        tunnels.append(batch["tunnels"])
    missing = sorted((wanted or set()).difference(range(calls)))
    if missing:
        raise IndexError(f"there is no call {missing[0]}; the capture has {calls}, counted from 0")
    return Places(np.concatenate(tunnels), calls, wanted)

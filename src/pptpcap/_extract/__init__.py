"""Writes chosen records of a capture to a capture file.

Knows ``_reading`` and the modules of this package.  Decodes nothing itself.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, Unpack

from .._input.again import require_unchanged, states
from .._input.opening import Source, items
from .._input.options import Options, ReadOptions, taking_options
from .._output.destination import opened
from .._reading.api import Progress, batches, engine_of
from ..capture import Capture, Summary
from ..wire.container import Container
from .choice import GRE_COLUMNS, Choice, Wanted
from .records import Records
from .targets import BEGINNINGS, PcapngTarget, PcapTarget

__all__ = ["Extracted", "extract"]

_BATCH_BYTES = 16 << 20
_PCAP = ".pcap"


@dataclass(frozen=True)
class Extracted:
    """The result of `extract`.

    Attributes
    ----------
    packets : int
        Packets written.
    summary : Summary
        Counters and files of the capture that was read.

    Examples
    --------
    >>> import pptpcap
    >>> done = pptpcap.extract("vpn.pcap", "start.pcapng", packets=range(1, 4), overwrite=True)
    >>> done.packets, done.summary.packets
    (3, 109)
    """

    packets: int
    summary: Summary


@taking_options
def extract(
    source: Source,
    destination: str | os.PathLike[str] | BinaryIO,
    *,
    time: Any = None,
    address: Any = None,
    call: Any = None,
    connection: Any = None,
    issue: Any = None,
    packets: int | range | Iterable[int | range] | None = None,
    overwrite: bool = False,
    progress: Progress = None,
    watch: Callable[[Capture], object] | None = None,
    **options: Unpack[ReadOptions],
) -> Extracted:
    """Write the packets of chosen calls, connections, addresses, times or issues to a capture file, octet for octet.

    A packet is written if it fulfils all conditions that are given, and with it all fragments of its datagram.  Without
    any, every packet of a control connection or of a tunnel is written.  ``docs/extract.md`` has the rules.

    Parameters
    ----------
    source : path, bytes-like, or iterable of these
        As for `read`, but what can be read several times: no pipe and no file object.
    destination : path or binary file object
        The file, which gets its name when it is whole; its owner alone can read it.  It is pcap if its name ends in
        ``.pcap``, and else pcapng.
    time, address, call, connection
        What a packet has to fulfil, or the connection or tunnel that it belongs to: values as `Scan.where` takes them.
        A packet belongs to a call if it belongs to its control connection or to one of its tunnels.
    issue : str, int, or iterable of these
        Kinds of issues, by name or number: packets that have one.
    packets : int, range, or iterable of these
        Numbers of packets, from 1.
    overwrite : bool
        Whether a file that is there is replaced.
    ports, on_corrupt, duplicates, separate, order, mirrors, threads, engine, io, max_memory, max_window
        As for `read`.  ``duplicates="drop"`` leaves copies out.
    progress
        As for `read`; the source is read two or three times, and each time counts from 0.
    watch : callable, optional
        Called with each batch of one reading, which has the table ``issues``.

    Returns
    -------
    Extracted
        How many packets were written.

    Raises
    ------
    CaptureError
        Where a file is no capture.
    FileExistsError
        Where the destination is there, and is not to be overwritten.
    IndexError
        Where a call, connection or packet is named that is not there.
    OSError
        Where a file cannot be read or written, or changed while it was read.
    ValueError, TypeError
        Where a condition has no such value, no packet fulfils all, a pcap file cannot hold what is chosen, the source
        cannot be read several times, or the destination is one of its files.

    Examples
    --------
    >>> import pptpcap
    >>> pptpcap.extract("vpn.pcap", "call.pcapng", call=0, overwrite=True).packets
    104
    >>> calls = pptpcap.read("call.pcapng").calls
    >>> len(calls), int(calls["pns_packets"][0])
    (1, 22)
    """
    choice = Choice(Wanted(time, address, call, connection, issue, packets))
    several = items(source)
    before = states(several, "extract")
    chosen_options = Options.of(options)
    reading = functools.partial(batches, several, options=chosen_options, batch_bytes=_BATCH_BYTES, progress=progress)
    is_pcap = isinstance(destination, str | os.PathLike) and os.fsdecode(destination).lower().endswith(_PCAP)
    read = {identity for identity, _, _ in before.values()}
    with opened(destination, BEGINNINGS, read=read, overwrite=overwrite) as write:
        if choice.needs_entities:
            choice.learn(reading)
        for batch in reading(tables=("gre", "issues"), columns={"gre": GRE_COLUMNS}, members=True):
            choice.take(batch)
            summary = batch.summary
            if watch is not None:
                watch(batch)
        choice.finish()
        learn = functools.partial(_learn, chosen_options)
        records = Records(choice.packets, PcapTarget(write, learn) if is_pcap else PcapngTarget(write))
        for _ in reading(tables=(), visitor=records):
            pass
        require_unchanged(before)
    return Extracted(records.packets, summary)


def _learn(options: Options, octets: bytes, known: Container | None) -> Container:
    """What the engine knows of a section behind some of its blocks."""
    if known is None:
        known = Container("pcapng", "little", 0, -1, 0, 0)
    scan = engine_of(options).scan_range(octets, 0, len(octets), known, options.ports, options.caps)
    return scan.container

"""Gives the rows of a capture to people: all at once, or batch by batch.

The only place that knows both engines, and it knows neither's inside: it opens files, calls scan, feed and take, and
hands out what comes.  Called by users and the command line.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from . import describe, schema
from .capture import Capture, CaptureFile, Summary
from .containers import HEAD_SIZE, identify
from .engine import Assembler, Engine, Rows
from .errors import IssueError
from .source import Item, Source, View, items, opened, total_size
from .wire import limits, link
from .wire.container import Container, Interface
from .wire.control import DEFAULT_PORT

__all__ = ["Progress", "batches", "iterate", "read"]

Progress: TypeAlias = bool | Callable[[int, int | None], object] | None
EngineName: TypeAlias = Literal["compiled", "reference"]

_ENGINES = {"compiled": "pptpcap.core", "reference": "pptpcap.reference"}

# Octets of one scan: so few that Ctrl-C is heard soon and the pages of the map stay few.
_RANGE = 8 << 20

# Ticks in a second that the coarser of the two units can hold, and link types of one file that are named.
_MICROSECONDS = 10**6
_NAMED = 4

_NOT_A_TIME = np.datetime64("NaT", "ns")


def read(
    source: Source,
    *,
    tables: Iterable[str] | None = None,
    ports: Iterable[int] = (DEFAULT_PORT,),
    errors: Literal["keep", "raise"] = "keep",
    engine: EngineName = "compiled",
    progress: Progress = None,
) -> Capture:
    """Read a capture into memory.

    Parameters
    ----------
    source : str, os.PathLike, bytes-like, binary file object, or iterable of these
        A path, a pattern such as ``"vpn-*.pcap"``, the octets themselves, or several of these, which are one capture in
        the order given: streams go on across the border of two files.
    tables : iterable of str, optional
        Names of the tables to give; all by default.  The others take no memory.
    ports : iterable of int
        TCP ports of the control connection.
    errors : {"keep", "raise"}
        What to do with an issue: keep it as a row of the table ``issues``, or raise at the first one.
    engine : {"compiled", "reference"}
        The Cython engine, or its slow twin in pure Python.  Neither stands in for the other.
    progress : bool or callable, optional
        True for a bar on standard error, or a function that is called with the octets walked and the octets in all
        files together, None where that is not known.

    Returns
    -------
    Capture
        Structured arrays in native byte order, the caller's own; rows in the order that ``pptpcap.schema`` documents.

    Raises
    ------
    CaptureError
        Where a file is no capture.  A capture that is cut or corrupt somewhere behind its header raises nothing: all
        rows before that place are given, with an issue, and ``summary.damaged`` is true.
    IssueError
        With ``errors="raise"``, at the first issue.
    OSError
        Where the system does not let a file be read.
    ValueError, TypeError
        Where an argument is none of these.
    """
    (whole,) = batches(source, tables=tables, ports=ports, errors=errors, engine=engine, progress=progress)
    return whole


def iterate(
    source: Source,
    *,
    batch_bytes: int = 64 << 20,
    batch_packets: int | None = None,
    tables: Iterable[str] | None = None,
    ports: Iterable[int] = (DEFAULT_PORT,),
    errors: Literal["keep", "raise"] = "keep",
    engine: EngineName = "compiled",
    progress: Progress = None,
) -> Iterator[Capture]:
    """Read a capture batch by batch, in memory that does not grow with the file.

    The rows of all batches, one behind the other, are the rows of `read`.  The entity tables (``connections``,
    ``tunnels``) come whole with the last batch and are empty before.

    Parameters
    ----------
    source, tables, ports, errors, engine, progress
        As for `read`.
    batch_bytes : int
        Octets of the capture files in one batch; a record that begins in a batch is walked in it.
    batch_packets : int, optional
        Packets in one batch at most.

    Yields
    ------
    Capture
        One batch; there is always at least one.  Columns that point to rows count in the whole capture, see
        ``Capture.first_row``.

    Raises
    ------
    CaptureError, IssueError, OSError, ValueError, TypeError
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
        ports=ports,
        errors=errors,
        engine=engine,
        progress=progress,
    )


def batches(
    source: Source,
    *,
    batch_bytes: int | None = None,
    batch_packets: int | None = None,
    entities_always: bool = False,
    tables: Iterable[str] | None,
    ports: Iterable[int],
    errors: str,
    engine: str,
    progress: Progress,
) -> Iterator[Capture]:
    """What `read` and `iterate` are made of; with `entities_always`, each batch has the entities as they then stand."""
    walk = _Walk(
        engine=_engine(engine),
        ports=_ports(ports),
        tables=_tables(tables),
        raises=_raises(errors),
        entities_always=entities_always,
    )
    return walk.batches(items(source), batch_bytes, batch_packets, progress)


def _engine(name: str) -> Engine:
    if name not in _ENGINES:
        raise ValueError(f"engine must be one of {', '.join(_ENGINES)}, not {name!r}")
    return cast(Engine, importlib.import_module(_ENGINES[name]))


def _ports(ports: Iterable[int]) -> tuple[int, ...]:
    numbers = tuple(operator.index(port) for port in ports)
    if not numbers or not all(0 < number < 0x10000 for number in numbers):
        raise ValueError(f"ports must be numbers from 1 to 65535, at least one, not {numbers}")
    return numbers


def _tables(names: Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return schema.TABLE_NAMES
    wanted = {names} if isinstance(names, str) else set(names)
    unknown = sorted(map(str, wanted.difference(schema.TABLE_NAMES)))
    if unknown:
        raise ValueError(f"no such table: {', '.join(unknown)}; there are {', '.join(schema.TABLE_NAMES)}")
    return tuple(name for name in schema.TABLE_NAMES if name in wanted)


def _raises(errors: str) -> bool:
    if errors not in ("keep", "raise"):
        raise ValueError(f'errors must be "keep" or "raise", not {errors!r}')
    return errors == "raise"


class _Walk:
    """The state of one reading: the assembler, the rows of the batch that is being made, the files so far."""

    def __init__(
        self, *, engine: Engine, ports: tuple[int, ...], tables: tuple[str, ...], raises: bool, entities_always: bool
    ) -> None:
        self.engine = engine
        self.ports = ports
        self.tables = tables
        self.raises = raises
        self.entities_always = entities_always
        self.limits = limits.DEFAULT
        self.assembler: Assembler = engine.Assembler(ports, self.limits)
        self.files: list[CaptureFile] = []
        self.packets = 0
        self.octets = 0
        self.pieces: dict[str, list[Rows]] = {name: [] for name in tables}
        self.rows_before = dict.fromkeys(tables, 0)
        self.batch_octets = 0
        self.batch_packets = 0

    def batches(
        self, several: list[Item], batch_bytes: int | None, batch_packets: int | None, progress: Progress
    ) -> Iterator[Capture]:
        """Walk all files; stop where a batch is full and something follows, and at the end."""
        with ExitStack() as stack:
            report = _reporter(progress, total_size(several), stack)
            for item in several:
                with opened(item) as view:
                    container = self.begin(view)
                    while view.left() and not self.files[-1].damaged:
                        octets = _RANGE if batch_bytes is None else min(_RANGE, batch_bytes - self.batch_octets)
                        packets = 0 if batch_packets is None else batch_packets - self.batch_packets
                        if octets <= 0 or (batch_packets is not None and packets <= 0):
                            yield self.batch(last=False)
                            continue
                        container = self.step(view, container, octets, packets)
                        report(self.octets)
            self.assembler.finish()
            self.take()
            yield self.batch(last=True)

    def begin(self, view: View) -> Container:
        """Tell the file's format, and tell the assembler that a file begins."""
        with memoryview(view.data) as data:
            container = identify(bytes(data[:HEAD_SIZE]), len(data), view.path)
        view.position = container.first_record
        self.assembler.begin_file()
        self.files.append(
            CaptureFile(
                path=view.path,
                format=container.format,
                size=len(view.data),
                packets=0,
                damaged=False,
                **_described(container),
            )
        )
        return container

    def step(self, view: View, container: Container, octets: int, packets: int) -> Container:
        """Scan one range, take its rows in; what is known of the file behind it."""
        view.check()
        start = view.position
        scan = self.engine.scan(
            view.data,
            start,
            min(start + octets, len(view.data)),
            container,
            self.ports,
            self.limits,
            file=len(self.files) - 1,
            packets_before=self.packets,
            origin=view.origin,
            final=view.final,
            most_records=packets,
        )
        self.assembler.feed(scan)
        end, records, learnt = scan.end, scan.records, scan.container
        self.packets += records
        self.batch_packets += records
        self.octets += end - start
        self.batch_octets += end - start
        self.files[-1] = replace(
            self.files[-1],
            packets=self.files[-1].packets + records,
            size=view.origin + len(view.data),
            damaged=scan.damaged,
        )
        if learnt is not container:
            self.files[-1] = replace(self.files[-1], **_described(learnt))
        self.take()
        # A scan may hold the data; what it holds cannot be let go.
        del scan
        if not self.files[-1].damaged:
            view.advance(end)
        return learnt

    def take(self) -> None:
        """Take the rows that the assembler has finished; keep those of the tables that were asked for."""
        rows = self.assembler.take()
        if self.raises and len(rows["issues"]):
            first = rows["issues"][0]
            path = self.files[int(first["file"])].path
            raise IssueError(f"{path}: {describe.issue(first)}", first)
        for name, pieces in self.pieces.items():
            if name in rows and len(rows[name]):
                pieces.append(rows[name])

    def batch(self, *, last: bool) -> Capture:
        """What was taken since the last batch; the entities too where it is the last one."""
        tables = {}
        for name, pieces in self.pieces.items():
            tables[name] = _joined(name, pieces)
            # One table at a time is held twice, not all of them.
            pieces.clear()
        entities = [name for name in self.tables if name in schema.ENTITIES]
        if entities and (last or self.entities_always):
            rows = self.assembler.entities()
            tables.update((name, rows[name]) for name in entities)
        batch = Capture(tables, self.summary(), dict(self.rows_before))
        for name in self.rows_before:
            if name in schema.EVENTS:
                self.rows_before[name] += len(tables[name])
        self.batch_octets = self.batch_packets = 0
        return batch

    def summary(self) -> Summary:
        """Counters as they stand."""
        return Summary(
            counters=dict(self.assembler.counters),
            earliest=_time(self.assembler.earliest),
            latest=_time(self.assembler.latest),
            damaged=self.assembler.damaged,
            files=tuple(self.files),
        )


def _described(container: Container) -> dict[str, Any]:
    """What the attributes of a `CaptureFile` say of its interfaces."""
    interfaces = container.interfaces
    if container.format == "pcap":
        interfaces = (Interface(container.link_type, container.snap_length, container.ticks),)
    # Each once, in the order of the interfaces.
    link_types = tuple(dict.fromkeys(interface.link_type for interface in interfaces))
    snap_lengths = {interface.snap_length for interface in interfaces}
    names = [link.NAMES.get(number, f"link type {number}") for number in link_types[:_NAMED]]
    if len(link_types) > _NAMED:
        names.append(f"{len(link_types) - _NAMED} more")
    return {
        "byte_order": container.byte_order,
        "resolution": "ns" if any(_MICROSECONDS % (interface.ticks or 1) for interface in interfaces) else "us",
        "interfaces": len(interfaces),
        "link_types": link_types,
        "link_type": link_types[0] if len(link_types) == 1 else -1,
        "link": ", ".join(names) or "none",
        "snap_length": 0 if 0 in snap_lengths else max(snap_lengths, default=0),
    }


def _joined(name: str, pieces: list[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return schema.empty(name)
    # As octets: to join structured arrays, NumPy compares their fields one by one, which takes longer than the copy.
    return np.concatenate([piece.view(np.uint8) for piece in pieces]).view(schema.dtype(name))


def _time(nanoseconds: int | None) -> np.datetime64:
    return _NOT_A_TIME if nanoseconds is None else np.datetime64(nanoseconds, "ns")


def _reporter(progress: Progress, total: int | None, stack: ExitStack) -> Callable[[int], object]:
    if progress is None or progress is False:
        return lambda _: None
    if progress is not True:
        function = progress
        return lambda walked: function(walked, total)
    from tqdm import tqdm

    # What is read in no time needs no bar.
    bar = stack.enter_context(tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, delay=0.5, leave=False))
    return lambda walked: bar.update(walked - bar.n)

"""Drives one engine through the files of a capture, and collects its rows into batches.

Knows the interface of an engine, not which one it is.  Must not decode or check arguments.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from .. import schema
from .._input.following import following
from .._input.identify import HEAD_SIZE, identify
from .._input.opening import Input, Item, Pieces, Stored, View, opened, total_size, unpacked
from .._input.options import Options
from .._input.views import Remark
from .._show import words
from ..capture import Capture, CaptureFile, Summary
from ..engine import PART, SEGMENT, Assembler, Engine, Rows, Scan
from ..errors import CaptureError, IssueError
from ..wire import link
from ..wire.container import Container, Interface
from ..wire.status import Kind, Layer
from .order import in_time
from .prescan import Ahead, Stretch

__all__ = ["Progress", "Batches", "Visitor"]

Progress: TypeAlias = bool | Callable[[int, int | None], object] | None

# Bytes per scan: few, so that Python handles Ctrl-C soon and few pages of the map are resident.
_RANGE = 16 << 20
# With threads, which wait for one another between ranges, a range may be this large.  The data are divided into one
# range per thread, but none below the minimum; the first range of a pcapng file, which has its interfaces, gets the
# minimum.  A window is one range: scanning it takes less time than waking a thread twice.
_LARGE_RANGE = 32 << 20
_LEAST_RANGE = 5 << 20
# Rows of an entity table in one batch.
_ENTITIES = 1 << 14

# Ticks per second up to which the resolution is "us", and the most link types of a file that are named.
_MICROSECONDS = 10**6
_NAMED = 4

_NOT_A_TIME = np.datetime64("NaT", "ns")


class Visitor(Protocol):
    """Who looks at the octets of each range in place of the assembler."""

    def begin(self, view: View, container: Container) -> None:
        """A file begins."""

    def take(self, view: View, scan: Scan, packets: int) -> None:
        """Take a range, which is in the view; so many packets are in front of it."""


class Batches:
    """The state of one reading: the assembler, the rows of the present batch, the files so far."""

    def __init__(
        self,
        *,
        engine: Engine,
        options: Options,
        tables: dict[str, np.dtype[np.void]],
        raises: bool,
        identities: bool,
        payloads: bool,
        batch_bytes: int | None,
        batch_packets: int | None,
        ends: bool,
        members: bool,
        visitor: Visitor | None,
        live: bool,
    ) -> None:
        self.engine = engine
        self.options = options
        self.tables = tables
        self.raises = raises
        # What a batch has beside tables.
        self.beside: dict[str, list[np.ndarray[Any, Any]]] = {}
        if payloads:
            self.beside["payloads"] = [np.empty(0, np.uint8)]
        if members:
            self.beside |= {"segments": [np.empty(0, SEGMENT)], "parts": [np.empty(0, PART)]}
        self.visitor = visitor
        self.threads = options.scanners
        self.batch_bytes = batch_bytes
        self.batch_packets = batch_packets
        self.with_ends = ends
        self.live = live
        # Unwanted rows are freed soon; without any, rows stay in the assembler, so that nothing is held twice.
        self.takes_often = raises or any(tables.get(name) != schema.dtype(name) for name in schema.EVENTS)
        self.limits = options.caps
        self.assembler: Assembler = engine.Assembler(
            options.ports,
            self.limits,
            identities=identities,
            payloads=payloads,
            drops_copies=options.drops_copies,
            members=members,
            separate=options.keeps_layers,
            mirrors=options.mirror_ports,
        )
        self.files: list[CaptureFile] = []
        self.packets = 0
        self.consumed = 0
        self.walked = 0
        # The walk of this file ended at damage.
        self.ended = False
        # Behind what was walked last, more may have to be waited for.
        self.waits = False
        self.last_issue = 0
        self.pieces: dict[str, list[Rows]] = {name: [] for name in tables}
        self.rows_before = dict.fromkeys(tables, 0)
        self.batch_octets = 0
        self.batch_packets_walked = 0

    def batches(self, several: list[Item], progress: Progress) -> Generator[Capture, None, None]:
        """Walk all files; pause when a batch is full and more follows, where more is waited for, and at the end."""
        with ExitStack() as stack:
            report = _reporter(progress, total_size(several), stack)
            for item in in_time(several, self.engine, self.options) if self.options.sorts else several:
                with closing(unpacked(item)) as files:
                    refused: list[CaptureError] = []
                    before = len(self.files)
                    for file in files:
                        yield from self.file_batches(file, report, refused)
                    if len(refused) == len(self.files) - before and not isinstance(item, Stored):
                        raise _refusal(refused)
            self.assembler.finish()
            yield from self.last_batches()

    def followed_batches(self, source: str | os.PathLike[str], progress: Progress) -> Generator[Capture, None, None]:
        """Walk files that are followed, for ever; pause as `batches` does."""
        with ExitStack() as stack:
            report = _reporter(progress, None, stack)
            for file in stack.enter_context(closing(following(source))):
                yield from self.file_batches(file, report, [])

    def file_batches(
        self, file: Item | Input, report: Callable[[int], object], refused: list[CaptureError]
    ) -> Generator[Capture, None, None]:
        """Walk one file.  If it is of an archive and no capture, that is an issue, and `refused` gets the reason."""
        head = file.peek(4) if isinstance(file, Pieces) else b""
        with ExitStack() as held:
            try:
                view = held.enter_context(opened(file, self.options, live=self.live))
                container = self.begin(view)
            except CaptureError as error:
                if not isinstance(file, Pieces):
                    raise
                # From here on nobody else reads it.
                held.close()
                refused.append(self.leave_out(file, head, error))
                return
            # Threads read the view's bytes until `ahead` is closed.
            ahead = held.enter_context(closing(self.ahead()))
            while view.left() and not self.ended:
                if self.is_full(view):
                    yield self.batch()
                    continue
                container = self.step(view, container, ahead)
                report(self.consumed + view.consumed)
                if self.waits:
                    yield self.batch()
            is_told = self.end(view)
            if isinstance(file, Pieces):
                file.is_told = is_told
            if view.live:
                yield self.batch()

    def begin(self, view: View) -> Container:
        """Identify the file, and announce it to the assembler."""
        with memoryview(view.data) as data:
            head, size = bytes(data[:HEAD_SIZE]), len(data)
        view.check()
        container = identify(head, size, view.path)
        view.position = self.walked = container.first_record
        self.ended = False
        self.assembler.begin_file()
        self.files.append(
            CaptureFile(
                path=view.path,
                format=view.format or container.format,
                size=len(view.data),
                packets=0,
                damaged=False,
                compression=view.compression,
                **_described(container),
            )
        )
        if self.visitor is not None:
            self.visitor.begin(view, container)
        return container

    def ahead(self) -> Ahead:
        """Scans ahead in one file; none if batches are limited by packets, because their ends are unknown."""
        return Ahead(self.threads if self.batch_packets is None else 1, self.scan, self.find, self.span)

    def is_full(self, view: View) -> bool:
        """Whether the batch is full."""
        full = self.batch_packets is not None and self.batch_packets <= self.batch_packets_walked
        return full or self.span(view, self.batch_octets) <= 0

    def span(self, view: View, batch_octets: int) -> int:
        """Size of the range that begins after so many bytes of a batch."""
        most = _RANGE
        if self.threads > 1:
            most = min(_LARGE_RANGE, max(_LEAST_RANGE, -(-len(view.data) // self.threads)))
        return most if self.batch_bytes is None else min(most, self.batch_bytes - batch_octets)

    def scan(self, view: View, wanted: Stretch, packets_before: int = 0, most_records: int = 0) -> Scan:
        """Scan a range, in any thread."""
        return self.engine.scan_range(
            view.data,
            wanted.start,
            wanted.stop,
            wanted.container,
            self.options.ports,
            self.limits,
            file=len(self.files) - 1,
            packets_before=packets_before,
            origin=view.origin,
            final=view.final,
            most_records=most_records,
            salvage=self.options.salvage,
            mirrors=self.options.mirror_ports,
            payloads="payloads" in self.beside,
            places=self.visitor is not None,
        )

    def find(self, view: View, start: int, container: Container) -> int | None:
        """The first plausible record at or after `start`."""
        # An earlier record ends within these bytes; if none begins in them, a longer search costs too much.
        stop = min(start + self.limits.captured_length, len(view.data))
        found = self.engine.find_record(view.data, start, stop, container, self.limits, final=view.final)
        return found if found < stop else None

    def step(self, view: View, container: Container, ahead: Ahead) -> Container:
        """Scan one range and feed the assembler; return what is known of the file after it."""
        view.check()
        start = view.position
        octets = self.span(view, self.batch_octets)
        first = container.format == "pcapng" and view.origin + start == container.first_record
        if first and self.threads > 1:
            octets = min(octets, _LEAST_RANGE)
        wanted = Stretch(start, min(start + octets, len(view.data)), container)
        scan = ahead.take(wanted)
        if scan is not None:
            scan.rebase(self.packets)
        else:
            if not first:
                ahead.begin_behind(view, wanted, self.batch_octets)
            most_records = 0 if self.batch_packets is None else self.batch_packets - self.batch_packets_walked
            scan = self.scan(view, wanted, self.packets, most_records)
        if scan.end > start and not self.ends(scan):
            ahead.begin(view, scan.end, scan.container, self.batch_octets + scan.end - start)
        else:
            # From here on the view may have other bytes.
            ahead.discard()
        if self.visitor is None:
            self.assembler.feed(scan)
        else:
            self.visitor.take(view, scan, self.packets)
        # Lost pages of a map were read as zeros: do not return such rows.
        view.check()
        end, records, learnt = scan.end, scan.records, scan.container
        self.packets += records
        self.batch_packets_walked += records
        self.walked = view.origin + end
        self.batch_octets += end - start
        self.files[-1] = replace(
            self.files[-1],
            packets=self.files[-1].packets + records,
            size=view.origin + len(view.data),
            damaged=self.files[-1].damaged or scan.damaged,
        )
        self.ended = self.ends(scan)
        self.waits = view.paused and end > start
        if learnt.parts != container.parts or (learnt.interfaces, learnt.byte_order) != (
            container.interfaces,
            container.byte_order,
        ):
            self.files[-1] = replace(self.files[-1], format=view.format or learnt.format, **_described(learnt))
        if self.takes_often:
            self.take()
        # A scan may refer to the data, which then cannot be released.
        del scan
        if not self.ended:
            view.advance(end)
        return learnt

    def ends(self, scan: Scan) -> bool:
        """Whether the walk of the file ends here."""
        return scan.damaged and not self.options.salvage

    def end(self, view: View) -> bool:
        """Tell of the file as a whole: that it is damaged, unless the walk ended at earlier damage, or has no packet.

        Returns
        -------
        bool
            Whether damage of compressed data was told.
        """
        self.consumed += view.consumed
        if view.damage or view.remarks or not self.files[-1].packets:
            self.take()
        end = view.origin + len(view.data)
        is_earlier = self.ended and self.last_issue != Kind.TRUNCATED_RECORD and self.walked < end
        is_told = bool(view.damage) and not is_earlier
        if is_told:
            self.tell(Remark(Kind.CORRUPT_COMPRESSION, end, 0, damages=True))
        for remark in view.remarks:
            self.tell(remark)
        if not self.files[-1].packets and not self.files[-1].damaged:
            self.tell(Remark(Kind.NO_PACKETS, 1, 0))
        return is_told

    def leave_out(self, file: Pieces, head: bytes, error: CaptureError) -> CaptureError:
        """List a file of an archive that is no capture, unless it is damaged; give the reason.

        Its first octets may be wrong, so it is read to its check.
        """
        file.drain()
        self.assembler.begin_file()
        self.take()
        self.walked = 0
        nothing = Container(format="", byte_order="little", ticks=0, link_type=-1, snap_length=0, first_record=0)
        self.files.append(
            CaptureFile(path=file.path, format="", size=0, packets=0, damaged=False, **_described(nothing))
        )
        if file.damage:
            file.is_told = True
            self.tell(Remark(Kind.CORRUPT_COMPRESSION, file.position, 0, damages=True))
            return CaptureError(file.path, 0, file.damage, error.expected)
        self.tell(Remark(Kind.NO_CAPTURE, 0, int.from_bytes(head, "big")))
        return error

    def tell(self, remark: Remark) -> None:
        """Add an issue of the present file as a whole; it has the number of the next packet."""
        if remark.damages:
            self.files[-1] = replace(self.files[-1], damaged=True)
        issues = np.zeros(1, schema.dtype("issues"))
        issues["time"], issues["connection"] = _NOT_A_TIME, -1
        issues["file"], issues["packet"] = len(self.files) - 1, self.packets + 1
        issues["record_offset"], issues["needed"], issues["had"] = self.walked, remark.needed, remark.had
        issues["layer"], issues["kind"] = Layer.CONTAINER, remark.kind
        self.keep({"issues": issues})

    def take(self) -> None:
        """Take the rows that the assembler has finished."""
        self.keep(self.assembler.take())

    def keep(self, rows: dict[str, Rows]) -> None:
        """Keep the rows of wanted tables; raise the first issue if requested."""
        if len(rows["issues"]):
            self.last_issue = int(rows["issues"]["kind"][-1])
            if self.raises:
                first = rows["issues"][0]
                path = self.files[int(first["file"])].path
                raise IssueError(f"{path}: {words.issue(first, [file.path for file in self.files])}", first)
        for name, pieces in self.pieces.items():
            if name in rows and len(rows[name]):
                pieces.append(_narrowed(rows[name], self.tables[name]))
        for name, pieces in self.beside.items():
            if name in rows:
                pieces.append(rows[name])

    def last_batches(self) -> Generator[Capture, None, None]:
        """The last events with the first entities, then the other entities in groups of rows."""
        wanted = [name for name in self.tables if name in schema.ENTITIES]
        if self.batch_bytes is None:
            for name, rows in self.assembler.entities().items() if wanted else ():
                if name in wanted:
                    self.pieces[name].append(_narrowed(rows, self.tables[name]))
            yield self.batch()
            return
        counts = self.assembler.entity_counts() if wanted else {}
        for start in range(0, max([1, *(counts[name] for name in wanted)]), _ENTITIES):
            for name in wanted:
                rows = self.assembler.entity_rows(name, start, start + _ENTITIES)
                self.pieces[name].append(_narrowed(rows, self.tables[name]))
            yield self.batch()

    def batch(self) -> Capture:
        """The rows since the last batch."""
        self.take()
        tables = {}
        for name, pieces in self.pieces.items():
            tables[name] = _joined(pieces, self.tables[name])
            # Hold only one table twice at a time.
            pieces.clear()
        batch = Capture(tables, self.summary(), dict(self.rows_before))
        for name, pieces in self.beside.items():
            batch.beside[name] = np.concatenate(pieces)
            del pieces[1:]
        if self.with_ends:
            numbers = np.unique(tables["messages"]["connection"])
            numbers = numbers[numbers >= 0]
            batch.ends = dict(zip(numbers.tolist(), self.assembler.connections_at(numbers), strict=True))
        for name in self.rows_before:
            self.rows_before[name] += len(tables[name])
        self.batch_octets = self.batch_packets_walked = 0
        return batch

    def summary(self) -> Summary:
        """Counters as they stand."""
        return Summary(
            counters=dict(self.assembler.counters),
            earliest=_time(self.assembler.earliest),
            latest=_time(self.assembler.latest),
            damaged=any(file.damaged for file in self.files),
            files=tuple(self.files),
        )


def _described(container: Container) -> dict[str, Any]:
    """What the attributes of a `CaptureFile` say of its interfaces."""
    interfaces = container.interfaces
    if container.format == "pcap":
        interfaces = (Interface(container.link_type, container.snap_length, container.ticks),)
    # Without duplicates, in the order of the interfaces.
    link_types = tuple(dict.fromkeys(interface.link_type for interface in interfaces))
    snap_lengths = {interface.snap_length for interface in interfaces}
    names = [link.NAMES.get(number, f"link type {number}") for number in link_types[:_NAMED]]
    if len(link_types) > _NAMED:
        names.append(f"{len(link_types) - _NAMED} more")
    return {
        "parts": container.parts,
        "byte_order": container.byte_order,
        "resolution": "ns" if any(_MICROSECONDS % (interface.ticks or 1) for interface in interfaces) else "us",
        "interfaces": len(interfaces),
        "link_types": link_types,
        "link_type": link_types[0] if len(link_types) == 1 else -1,
        "link": ", ".join(names) or "none",
        "snap_length": 0 if 0 in snap_lengths else max(snap_lengths, default=0),
    }


def _refusal(refused: list[CaptureError]) -> CaptureError:
    """The error of an archive without a capture."""
    first, others = refused[0], len(refused) - 1
    if others:
        first.found += f", and no capture in {others:,} other file{'s' * (others > 1)} of the archive"
    return first


def _narrowed(rows: Rows, dtype: np.dtype[np.void]) -> Rows:
    """A packed copy of the columns of `dtype`."""
    if rows.dtype == dtype:
        return rows
    narrow = np.empty(len(rows), dtype)
    for name in dtype.names or ():
        narrow[name] = rows[name]
    return narrow


def _joined(pieces: list[Rows], dtype: np.dtype[np.void]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return np.empty(0, dtype)
    # Join as bytes: for structured arrays NumPy compares field by field, which takes longer than the copy.
    return np.concatenate([piece.view(np.uint8) for piece in pieces]).view(dtype)


def _time(nanoseconds: int | None) -> np.datetime64:
    return _NOT_A_TIME if nanoseconds is None else np.datetime64(nanoseconds, "ns")


def _reporter(progress: Progress, total: int | None, stack: ExitStack) -> Callable[[int], object]:
    if progress is None or progress is False:
        return lambda _: None
    if progress is not True:
        function = progress
        return lambda walked: function(walked, total)
    from tqdm import tqdm

    # A short reading needs no progress bar.
    bar = stack.enter_context(tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, delay=0.5, leave=False))
    return lambda walked: bar.update(walked - bar.n)

"""Scans one range: walks pcap records and reads each packet (decoding section 1).

Must not know what came before the range.  The assembler takes a result once, while the scanned bytes are still there.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from ..base.numbers cimport (
    BYTE_ORDER_MAGIC, CARRIERS, KIND_CORRUPT_RECORD, KIND_TIME_FRACTION, KIND_TRUNCATED_RECORD, LAYER_CONTAINER,
    PCAP_HEADER_SIZE, RECORD_HEADER_SIZE, Caps, GreRow, IssueRow, PppRow,
)
from ..base.octets cimport CACHE_LINE, load32, prefetch
from ..base.packets cimport Packet, add_issue, not_a_time
from ..base.rows cimport take_items
from ..base.table cimport table_free, table_init
from .blocks cimport Section, forget_interfaces, walk_blocks
from .packets cimport walk_packet
from .parts cimport (
    CAPTURED_FIRST, LESSER_CAPTURED, ORIGINAL_FIRST, PART, SECTION, UNTOLD, ZEROS, Due, Format, captured_of, header32,
    what_is_due,
)
from .salvage cimport IMPLAUSIBLE, UNDECIDED, cross_zeros, lose, records_plausible, step_over, tell_skipped
from .sections cimport Interfaces, free_section, load_section, store_section
from .segments cimport Fragment, Segment
from .sink cimport MIRROR_ONLY_TOLD, Sink, add_place, sink_failed, sink_free, sink_init
from .walk cimport Walk, count_packet, damage

from ...wire import carriers

from dataclasses import fields, replace
from functools import lru_cache
from os import urandom

import numpy as np


_LENGTHS = {"captured": CAPTURED_FIRST, "original": ORIGINAL_FIRST, "lesser": LESSER_CAPTURED}
_ORDERS = {number: name for name, number in _LENGTHS.items()}


cdef Caps caps_of(object limits):
    """The caps of a ``Limits`` object as a struct with the same fields."""
    cdef Caps caps
    cdef int64_t* cap = <int64_t*>&caps
    cdef int64_t index = 0
    for field in fields(limits):
        cap[index] = getattr(limits, field.name)
        index += 1
    return caps


cdef Format format_of(object container):
    """What a walk takes from the ``Container`` of its file."""
    cdef Format format
    format.has_blocks = container.format == "pcapng"
    format.big_endian = container.byte_order == "big"
    format.ticks = container.ticks
    format.ns_per_tick = 1_000_000_000 // max(container.ticks, 1)
    format.link_type = container.link_type
    format.snap_length = container.snap_length
    format.record_header = container.record_header
    format.lengths = _LENGTHS[container.lengths]
    return format


cdef object container_of(const Format* format, const Walk* walk, object container):
    """The container as it is known behind the walk, but for interfaces."""
    if walk.parts:
        container = replace(
            container,
            format="pcapng" if format.has_blocks else "pcap",
            byte_order="big" if format.big_endian else "little",
            ticks=format.ticks,
            link_type=format.link_type,
            snap_length=format.snap_length,
            interfaces=(),
            record_header=format.record_header,
            lengths=_ORDERS[<int>format.lengths],
            parts=container.parts + walk.parts,
            prepared=None,
        )
    if container.lost_at != walk.lost_at or container.zeros_at != walk.zeros_at:
        container = replace(container, lost_at=walk.lost_at, zeros_at=walk.zeros_at)
    return container


cdef int fill_ports(unsigned char* bitmap, object ports) except -1:
    cdef int port
    memset(bitmap, 0, 8192)
    for number in ports:
        port = number
        if not 0 <= port <= 65535:
            raise ValueError(f"{port} is not a TCP port")
        bitmap[port >> 3] = <unsigned char>(bitmap[port >> 3] | (1 << (port & 7)))
    return 0


@cython.final
cdef class Ports:
    """UDP ports that carry something: those of each kind, and pairs of kind and port that the user named."""

    def __cinit__(self, tuple named):
        kinds = {
            port: carrier | (MIRROR_ONLY_TOLD if carrier in carriers.NAMED_ONLY else 0)
            for carrier, ports in carriers.PORTS.items() for port in ports
        }
        kinds.update({port: kind for kind, port in named})
        for port, kind in kinds.items():
            self.mirrors.kinds[port] = kind
            self.mirrors.ports[port >> 3] |= 1 << (port & 7)


# Filling them takes longer than a small capture.
ports_of = lru_cache(maxsize=16)(Ports)


cdef enum:
    # How far ahead of the walk bytes are prefetched.
    AHEAD = 4096


cdef void walk_records(
    Sink* sink, Format* format, const uint8_t* data, int64_t stop, int64_t size, int64_t origin, bint final,
    int64_t most_records, Walk* walk,
) noexcept nogil:
    """Walk records that start before `stop`; each step moves forward, by a record header where none is corrupt.

    The records may be those of several files that were joined: `format` is that of the last one.
    """
    cdef const uint8_t* header
    cdef int64_t header_size = format.record_header
    cdef Format found
    cdef Due due
    cdef int verdict
    cdef Packet packet = walk.last
    cdef int64_t left
    cdef int64_t captured
    cdef int64_t original
    cdef uint32_t fraction
    cdef int64_t asked = walk.position
    sink.big_endian = format.big_endian
    while walk.position < stop and (most_records == 0 or walk.records < most_records):
        left = size - walk.position
        header = data + walk.position
        packet.record_offset = origin + walk.position
        if walk.zeros_at >= 0:
            if not cross_zeros(sink, format, walk, data, stop, size, origin, final):
                return
            continue
        if walk.lost_at >= 0:
            verdict = records_plausible(format, &sink.caps, data, walk.position, size, final)
            if verdict == UNDECIDED:
                return
            if verdict == IMPLAUSIBLE:
                step_over(sink, walk, origin, size, final)
                continue
            tell_skipped(sink, walk, packet.record_offset)
        if left < header_size:
            if final:
                damage(sink, walk, packet.record_offset, KIND_TRUNCATED_RECORD, header_size, left)
            if lose(sink, walk, origin, size):
                continue
            return
        captured = captured_of(format, header, &original)
        # Of what is no record, the captured length would be 0, or above any cap.
        if <uint64_t>(captured - 1) >= <uint64_t>sink.caps.captured_length or format.lengths != CAPTURED_FIRST:
            due = what_is_due(format, &sink.caps, data, walk.position, size, final, &found)
            if due == PART:
                format[0] = found
                header_size = format.record_header
                sink.big_endian = format.big_endian
                add_place(sink, ~packet.record_offset)
                walk.position += PCAP_HEADER_SIZE
                walk.parts += 1
                sink.unsupported_seen = False
                continue
            if due == SECTION:
                format.has_blocks = True
                walk.joined = True
                return
            if due == UNTOLD:
                return
            if due == ZEROS:
                walk.zeros_at = packet.record_offset
                continue
        if captured > sink.caps.captured_length:
            damage(sink, walk, packet.record_offset, KIND_CORRUPT_RECORD, sink.caps.captured_length, captured)
            if lose(sink, walk, origin, size):
                continue
            return
        if left < header_size + captured:
            if final:
                damage(sink, walk, packet.record_offset, KIND_TRUNCATED_RECORD, header_size + captured, left)
            if lose(sink, walk, origin, size):
                continue
            return
        # Each length leads to the next cache miss: prefetching in address order avoids them.
        while asked < min(walk.position + captured + AHEAD, size):
            prefetch(data + asked)
            asked += CACHE_LINE
        fraction = header32(format, header + 4)
        packet.packet = walk.last.packet + 1
        packet.time = (
            <int64_t>header32(format, header) * 1_000_000_000 + <int64_t>fraction * <int64_t>format.ns_per_tick
        )
        packet.time_fraction = fraction >= format.ticks
        original = count_packet(sink, walk, &packet, captured, captured, original)
        if packet.time_fraction:
            add_issue(&sink.issues, &packet, LAYER_CONTAINER, KIND_TIME_FRACTION, format.ticks, fraction)
        walk_packet(sink, &packet, format.link_type, header + header_size, captured, original)
        walk.position += header_size + captured


cdef void walk_parts(
    Sink* sink, Format* format, Section* section, const uint8_t* data, int64_t stop, int64_t size, int64_t origin,
    bint final, int64_t most_records, Walk* walk,
) noexcept nogil:
    """Walk the range, which may begin in one kind of file and end in another."""
    while True:
        walk.joined = False
        if format.has_blocks:
            walk_blocks(sink, format, section, data, stop, size, origin, final, most_records, walk)
        else:
            walk_records(sink, format, data, stop, size, origin, final, most_records, walk)
        if not walk.joined:
            return
        walk.parts += 1
        sink.interface = 0
        sink.unsupported_seen = False
        forget_interfaces(section)
        if format.has_blocks:
            section.big_endian = load32(data + walk.position + 8) == BYTE_ORDER_MAGIC
            format.big_endian = section.big_endian
            format.ticks = 0
            format.link_type = -1
            format.snap_length = 0
            format.record_header = RECORD_HEADER_SIZE
            format.lengths = CAPTURED_FIRST


@cython.final
cdef class Scan:
    """What one range gave; see ``pptpcap.engine.Scan``."""

    def __cinit__(self):
        sink_init(&self.sink)
        table_init(&self.flows, int.from_bytes(urandom(8), "little"))
        self.sink.flows = &self.flows
        self.sink.ports = self.ports

    def __dealloc__(self):
        sink_free(&self.sink)
        table_free(&self.flows)

    def __reduce__(self):
        raise TypeError("a scan holds on to the data that it scanned and cannot be pickled")

    def rebase(self, uint64_t packets):
        """Add `packets` to the number of packets before the range."""
        cdef Py_ssize_t index
        if self.data is None:
            raise ValueError("a scan that was taken in is no longer the caller's")
        with nogil:
            self.last.packet += packets
            for index in range(self.sink.gre.count):
                (<GreRow*>self.sink.gre.data)[index].packet += packets
            for index in range(self.sink.ppp.count):
                (<PppRow*>self.sink.ppp.data)[index].packet += packets
            for index in range(self.sink.segments.count):
                (<Segment*>self.sink.segments.data)[index].packet.packet += packets
            for index in range(self.sink.fragments.count):
                (<Fragment*>self.sink.fragments.data)[index].packet.packet += packets
            for index in range(CARRIERS):
                self.sink.unfollowed[index].first.packet += packets
            for index in range(self.sink.issues.count):
                (<IssueRow*>self.sink.issues.data)[index].packet += packets

    def take_places(self):
        """Where the records and headers of the range begin."""
        return take_items(&self.sink.places, np.int64)

    cdef int check(self) except -1:
        """Raise if memory ran out during the walk."""
        if sink_failed(&self.sink) or self.flows.failed:
            raise MemoryError
        return 0


def scan_range(
    const unsigned char[::1] data not None,
    Py_ssize_t start,
    Py_ssize_t stop,
    object container,
    tuple ports,
    object limits,
    *,
    uint32_t file=0,
    uint64_t packets_before=0,
    int64_t origin=0,
    bint final=True,
    Py_ssize_t most_records=0,
    bint salvage=False,
    tuple mirrors=(),
    bint payloads=False,
    bint places=False,
):
    """Walk the records that start in ``data[start:stop]``; see ``pptpcap.engine.Engine.scan``."""
    cdef Scan result = Scan.__new__(Scan)
    cdef Format format
    cdef Section section
    cdef Interfaces known
    cdef Walk walk
    cdef const uint8_t* base = NULL
    cdef int64_t size = data.shape[0]
    if not 0 <= start <= size:
        raise ValueError(f"start {start} is outside the data of {size} octets")
    fill_ports(result.ports, ports)
    result.carriers = ports_of(mirrors)
    result.sink.mirrors = &result.carriers.mirrors
    result.sink.caps = caps_of(limits)
    result.sink.keep_payloads = payloads
    result.sink.keep_places = places
    format = format_of(container)
    memset(&walk, 0, sizeof(walk))
    walk.position = start
    walk.salvage = salvage
    walk.damaged_at = -1
    walk.lost_at = container.lost_at
    walk.zeros_at = container.zeros_at
    walk.last.file = file
    walk.last.packet = packets_before
    walk.earliest = <int64_t>((<uint64_t>1 << 63) - 1)
    walk.latest = not_a_time()
    walk.newest = not_a_time()
    if size > 0:
        base = &data[0]
    stop = min(stop, size)
    known = load_section(&section, container)
    try:
        with nogil:
            walk_parts(&result.sink, &format, &section, base, stop, size, origin, final, most_records, &walk)
        if section.found.failed or section.told.failed:
            raise MemoryError
        result.container = container_of(&format, &walk, container)
        if format.has_blocks:
            result.container = store_section(&section, result.container, known)
    finally:
        free_section(&section)
    result.check()
    result.data = data
    result.end = walk.position
    result.records = walk.records
    result.damaged = walk.damaged
    result.file = file
    result.last = walk.last
    result.earliest = walk.earliest
    result.latest = walk.latest
    result.newest = walk.newest
    return result

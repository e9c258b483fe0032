"""Walk the records of a range and peel each (decoding section 1): stateless, without the interpreter.

Knows records, not what came before the range.  Called through ``reading``; its result goes to
``assemble``, once, while the scanned data are still there.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from .buffers cimport buffer_free, buffer_init
from .frames cimport walk_frame
from .numbers cimport (
    COUNT_CAPTURED_OCTETS, COUNT_ORIGINAL_OCTETS, COUNT_PACKETS, GreRow, IssueRow,
    KIND_CAPTURED_EXCEEDS_ORIGINAL, KIND_CORRUPT_RECORD, KIND_TIME_FRACTION, KIND_TRUNCATED_RECORD,
    LAYER_CONTAINER, RECORD_HEADER_SIZE,
)
from .octets cimport load32, load32_little
from .sink cimport Caps, Fragment, Packet, Segment, Sink, add_issue, not_a_time
from .table cimport Key, table_free, table_init

from os import urandom


cdef Caps caps_of(object limits):
    """The caps of a ``Limits`` object."""
    cdef Caps caps
    caps.captured_length = limits.captured_length
    caps.link_headers = limits.link_headers
    caps.network_headers = limits.network_headers
    caps.extension_headers = limits.extension_headers
    caps.datagrams = limits.datagrams
    caps.datagram_length = limits.datagram_length
    caps.fragments = limits.fragments
    caps.connections = limits.connections
    caps.pieces = limits.pieces
    caps.waiting_octets = limits.waiting_octets
    caps.history = limits.history
    caps.held_octets = limits.held_octets
    return caps


cdef int fill_ports(unsigned char* bitmap, object ports) except -1:
    cdef int port
    memset(bitmap, 0, 8192)
    for number in ports:
        port = number
        if not 0 <= port <= 65535:
            raise ValueError(f"{port} is not a TCP port")
        bitmap[port >> 3] = <unsigned char>(bitmap[port >> 3] | (1 << (port & 7)))
    return 0


cdef extern from *:
    """
    #if defined(__GNUC__)
    #define pptpcap_prefetch(p) __builtin_prefetch(p)
    #else
    #define pptpcap_prefetch(p) ((void)(p))
    #endif
    """
    void prefetch "pptpcap_prefetch"(const uint8_t* p) noexcept nogil

cdef enum:
    # How far ahead of the walk octets are asked for, and by how much at a time.
    AHEAD = 4096
    CACHE_LINE = 64


cdef struct Format:
    bint big_endian
    uint32_t ticks
    uint32_t ns_per_tick
    int link_type


cdef struct Walk:
    int64_t position
    int64_t records
    bint damaged
    Packet last
    int64_t earliest
    int64_t latest


cdef inline uint32_t header32(const Format* format, const uint8_t* p) noexcept nogil:
    return load32(p) if format.big_endian else load32_little(p)


cdef void damage(Sink* sink, Walk* walk, Packet* packet, int kind, int64_t needed, int64_t had) noexcept nogil:
    """The record at which the walk ends is not counted, but has the number that it would have had."""
    packet.time = not_a_time()
    add_issue(&sink.issues, packet, LAYER_CONTAINER, kind, needed, had)
    walk.damaged = True


cdef void walk_records(
    Sink* sink, const Format* format, const uint8_t* data, int64_t stop, int64_t size, int64_t origin, bint final,
    int64_t most_records, Walk* walk,
) noexcept nogil:
    """Walk records that start before `stop`; each step moves forward by a record header at least."""
    cdef const uint8_t* header
    cdef Packet packet = walk.last
    cdef int64_t left
    cdef int64_t captured
    cdef int64_t original
    cdef uint32_t fraction
    cdef int64_t asked = walk.position
    while walk.position < stop and (most_records == 0 or walk.records < most_records):
        left = size - walk.position
        header = data + walk.position
        packet.packet = walk.last.packet + 1
        packet.record_offset = origin + walk.position
        if left < RECORD_HEADER_SIZE:
            if final:
                damage(sink, walk, &packet, KIND_TRUNCATED_RECORD, RECORD_HEADER_SIZE, left)
            return
        captured = header32(format, header + 8)
        if captured > sink.caps.captured_length:
            damage(sink, walk, &packet, KIND_CORRUPT_RECORD, sink.caps.captured_length, captured)
            return
        if left < RECORD_HEADER_SIZE + captured:
            if final:
                damage(sink, walk, &packet, KIND_TRUNCATED_RECORD, RECORD_HEADER_SIZE + captured, left)
            return
        # The chain of lengths leads from one cache miss to the next: asking ahead in order breaks it.
        while asked < min(walk.position + captured + AHEAD, size):
            prefetch(data + asked)
            asked += CACHE_LINE
        original = header32(format, header + 12)
        fraction = header32(format, header + 4)
        packet.time = (
            <int64_t>header32(format, header) * 1_000_000_000 + <int64_t>fraction * <int64_t>format.ns_per_tick
        )
        packet.time_fraction = fraction >= format.ticks
        walk.records += 1
        walk.last = packet
        walk.earliest = min(walk.earliest, packet.time)
        walk.latest = max(walk.latest, packet.time)
        sink.counters[COUNT_PACKETS] += 1
        sink.counters[COUNT_CAPTURED_OCTETS] += <uint64_t>captured
        sink.counters[COUNT_ORIGINAL_OCTETS] += <uint64_t>original
        if captured > original:
            add_issue(&sink.issues, &packet, LAYER_CONTAINER, KIND_CAPTURED_EXCEEDS_ORIGINAL, original, captured)
            original = captured
        if packet.time_fraction:
            add_issue(&sink.issues, &packet, LAYER_CONTAINER, KIND_TIME_FRACTION, format.ticks, fraction)
        walk_frame(sink, &packet, format.link_type, header + RECORD_HEADER_SIZE, captured, original)
        walk.position += RECORD_HEADER_SIZE + captured


@cython.final
cdef class Scan:
    """What one range gave; see ``pptpcap.engine.Scan``."""

    def __cinit__(self):
        buffer_init(&self.sink.gre, sizeof(GreRow))
        buffer_init(&self.sink.segments, sizeof(Segment))
        buffer_init(&self.sink.fragments, sizeof(Fragment))
        buffer_init(&self.sink.issues, sizeof(IssueRow))
        buffer_init(&self.flow_keys, sizeof(Key))
        table_init(&self.flows, int.from_bytes(urandom(8), "little"))
        self.sink.flows = &self.flows
        self.sink.flow_keys = &self.flow_keys
        self.sink.ports = self.ports

    def __dealloc__(self):
        buffer_free(&self.sink.gre)
        buffer_free(&self.sink.segments)
        buffer_free(&self.sink.fragments)
        buffer_free(&self.sink.issues)
        buffer_free(&self.flow_keys)
        table_free(&self.flows)

    def __reduce__(self):
        raise TypeError("a scan holds on to the data that it scanned and cannot be pickled")

    cdef int check(self) except -1:
        """Raise where memory ran out in the walk."""
        if (
            self.sink.gre.failed or self.sink.segments.failed or self.sink.fragments.failed
            or self.sink.issues.failed or self.flow_keys.failed or self.flows.failed
        ):
            raise MemoryError
        return 0


def scan(
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
):
    """Walk the records that start in ``data[start:stop]``; see ``pptpcap.engine.Engine.scan``."""
    cdef Scan result = Scan.__new__(Scan)
    cdef Format format
    cdef Walk walk
    cdef const uint8_t* base = NULL
    cdef int64_t size = data.shape[0]
    if not 0 <= start <= size:
        raise ValueError(f"start {start} is outside the data of {size} octets")
    fill_ports(result.ports, ports)
    result.sink.caps = caps_of(limits)
    format.big_endian = container.byte_order == "big"
    format.ticks = container.ticks
    format.ns_per_tick = <uint32_t>(1_000_000_000 // <int64_t>format.ticks)
    format.link_type = container.link_type
    memset(&walk, 0, sizeof(walk))
    walk.position = start
    walk.last.file = file
    walk.last.packet = packets_before
    walk.earliest = <int64_t>((<uint64_t>1 << 63) - 1)
    walk.latest = not_a_time()
    if size > 0:
        base = &data[0]
    stop = min(stop, size)
    with nogil:
        walk_records(&result.sink, &format, base, stop, size, origin, final, most_records, &walk)
    result.check()
    result.data = data
    result.end = walk.position
    result.records = walk.records
    result.damaged = walk.damaged
    result.file = file
    result.last = walk.last
    result.earliest = walk.earliest
    result.latest = walk.latest
    return result

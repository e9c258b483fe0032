"""Where a walk of records or blocks stands, and what both do for each packet (decoding 1.4 and 1.5)."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from .numbers cimport (
    COUNT_CAPTURED_OCTETS, COUNT_ORIGINAL_OCTETS, COUNT_PACKETS, KIND_CAPTURED_EXCEEDS_ORIGINAL, LAYER_CONTAINER,
)
from .sink cimport Packet, Sink, add_issue, not_a_time


cdef struct Walk:
    int64_t position
    int64_t records
    bint damaged
    # The last packet that was walked.
    Packet last
    int64_t earliest
    int64_t latest


cdef inline void damage(
    Sink* sink, Walk* walk, int64_t record_offset, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """The record at which the walk ends is not counted, but has the number that it would have had."""
    tell(sink, walk, record_offset, kind, needed, had)
    walk.damaged = True


cdef inline void tell(
    Sink* sink, const Walk* walk, int64_t record_offset, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """An issue that concerns no packet."""
    cdef Packet packet = walk.last
    packet.packet += 1
    packet.record_offset = record_offset
    packet.time = not_a_time()
    add_issue(&sink.issues, &packet, LAYER_CONTAINER, kind, needed, had)


cdef inline int64_t count_packet(
    Sink* sink, Walk* walk, const Packet* packet, int64_t captured, int64_t original
) noexcept nogil:
    """Count a packet; gives how many octets of it were on the wire."""
    walk.records += 1
    walk.last = packet[0]
    if packet.time != not_a_time():
        walk.earliest = min(walk.earliest, packet.time)
        walk.latest = max(walk.latest, packet.time)
    sink.counters[COUNT_PACKETS] += 1
    sink.counters[COUNT_CAPTURED_OCTETS] += <uint64_t>captured
    sink.counters[COUNT_ORIGINAL_OCTETS] += <uint64_t>original
    if captured > original:
        add_issue(&sink.issues, packet, LAYER_CONTAINER, KIND_CAPTURED_EXCEEDS_ORIGINAL, original, captured)
    return max(captured, original)

"""Where a walk of records or blocks stands, and what both do for each packet (decoding 1.4 and 1.5)."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from ..base.numbers cimport (
    BACK_SECONDS, COUNT_CAPTURED_OCTETS, COUNT_ORIGINAL_OCTETS, COUNT_PACKETS, ENHANCED_PACKET_BLOCK,
    INTERFACE_DESCRIPTION_BLOCK, KIND_CAPTURED_EXCEEDS_ORIGINAL, KIND_CLOCK_BACK, LAYER_CONTAINER, PACKET_BLOCK,
    SECTION_HEADER_BLOCK, SIMPLE_PACKET_BLOCK,
)
from ..base.packets cimport Packet, add_issue, not_a_time
from .sink cimport Sink, add_place


cdef struct Walk:
    int64_t position
    int64_t records
    bint damaged
    # Whether to go on behind what is corrupt; offset in the file of the last such place, and of that behind which the
    # walk looks for a good one, -1 where it does not.
    bint salvage
    int64_t damaged_at
    int64_t lost_at
    # Offset in the file of the zeros in which the walk stands, -1 where it does not.
    int64_t zeros_at
    # Captures that the walk met behind the one in which it began; the other kind of walk is to go on.
    int64_t parts
    bint joined
    # The last packet that was walked.
    Packet last
    int64_t earliest
    int64_t latest
    # Time of the last packet that has one, NaT before.
    int64_t newest


cdef inline int64_t least_length(uint32_t kind) noexcept nogil:
    if kind == ENHANCED_PACKET_BLOCK or kind == PACKET_BLOCK:
        return 32
    if kind == SECTION_HEADER_BLOCK:
        return 28
    if kind == INTERFACE_DESCRIPTION_BLOCK:
        return 20
    if kind == SIMPLE_PACKET_BLOCK:
        return 16
    return 12


cdef inline void damage(
    Sink* sink, Walk* walk, int64_t record_offset, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """The record at which the walk ends is not counted, but has the number that it would have had."""
    tell(sink, walk, record_offset, kind, needed, had)
    walk.damaged = True
    walk.damaged_at = record_offset


cdef inline void tell(
    Sink* sink, const Walk* walk, int64_t record_offset, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """An issue that concerns no packet."""
    cdef Packet packet = walk.last
    packet.packet += 1
    packet.record_offset = record_offset
    packet.time = not_a_time()
    add_issue(&sink.issues, &packet, LAYER_CONTAINER, kind, needed, had)


cdef inline void check_clock(Sink* sink, Walk* walk, const Packet* packet) noexcept nogil:
    """Report a time before that of the last packet (1.7).

    The first time of a range is reported as going back by 0 ns: whoever knows what comes before the range corrects it.
    """
    cdef uint64_t back = 0
    if walk.newest != not_a_time():
        if packet.time < walk.newest:
            back = <uint64_t>walk.newest - <uint64_t>packet.time
        if back < <uint64_t>BACK_SECONDS * 1_000_000_000:
            walk.newest = packet.time
            return
    add_issue(&sink.issues, packet, LAYER_CONTAINER, KIND_CLOCK_BACK, 0, <int64_t>back)
    walk.newest = packet.time


cdef inline int64_t count_packet(
    Sink* sink, Walk* walk, const Packet* packet, int64_t captured, int64_t claimed, int64_t original
) noexcept nogil:
    """Count a packet, of which the record claims to have `claimed` octets; gives how many of it are walked (1.5)."""
    walk.records += 1
    # One by one: what was written by its fields and is read as a whole waits until all of it is in the cache.
    walk.last.packet = packet.packet
    walk.last.record_offset = packet.record_offset
    walk.last.time = packet.time
    walk.last.time_fraction = packet.time_fraction
    add_place(sink, packet.record_offset)
    if packet.time != not_a_time():
        check_clock(sink, walk, packet)
        walk.earliest = min(walk.earliest, packet.time)
        walk.latest = max(walk.latest, packet.time)
    sink.counters[COUNT_PACKETS] += 1
    sink.counters[COUNT_CAPTURED_OCTETS] += <uint64_t>captured
    sink.counters[COUNT_ORIGINAL_OCTETS] += <uint64_t>original
    if claimed > original:
        add_issue(&sink.issues, packet, LAYER_CONTAINER, KIND_CAPTURED_EXCEEDS_ORIGINAL, original, claimed)
    return max(captured, min(original, sink.caps.frame_length))

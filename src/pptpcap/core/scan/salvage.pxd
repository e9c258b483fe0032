"""Decides whether a record or block at a place is plausible (decoding section 1d).

Knows record and block headers, not what is in them.  Reads a few headers at most.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from ..base.numbers cimport (
    BLOCK_CHAIN, BYTE_ORDER_MAGIC, CHAIN_SECONDS, ENHANCED_PACKET_BLOCK, KIND_SKIPPED_OCTETS, KIND_ZEROS,
    PACKET_BLOCK, RECORD_CHAIN, SECTION_HEADER_BLOCK, Caps,
)
from ..base.octets cimport load16, load16_little, load32, load32_little
from .sink cimport Sink
from .parts cimport RECORD, SECTION, UNTOLD, Due, Format, captured_of, header32, part_at
from .walk cimport Walk, damage, least_length, tell


cdef enum Verdict:
    IMPLAUSIBLE
    PLAUSIBLE
    # The octets that would tell are not there yet.
    UNDECIDED


cdef inline Verdict at_end(bint final, bint enough) noexcept nogil:
    """What a chain is that runs into the end of the data."""
    if not final:
        return UNDECIDED
    return PLAUSIBLE if enough else IMPLAUSIBLE


cdef inline Verdict at_part(Due due, int whole) noexcept nogil:
    """What a chain is that runs into another capture."""
    if due == UNTOLD:
        return UNDECIDED
    return IMPLAUSIBLE if whole == 1 else PLAUSIBLE


cdef inline Verdict records_plausible(
    const Format* format, const Caps* caps, const uint8_t* data, int64_t at, int64_t size, bint final
) noexcept nogil:
    """Whether a chain of good record headers starts at `at`."""
    cdef int64_t seconds
    cdef int64_t before = 0
    cdef int64_t captured
    cdef int64_t original
    cdef Format found
    cdef Due due
    cdef int whole
    for whole in range(RECORD_CHAIN):
        if size - at < format.record_header:
            return at_end(final, whole > 1)
        due = part_at(caps, data, at, size, final, &found)
        if due != RECORD:
            return at_part(due, whole)
        seconds = header32(format, data + at)
        captured = captured_of(format, data + at, &original)
        if captured == 0 or captured > original or original > caps.captured_length:
            return IMPLAUSIBLE
        if header32(format, data + at + 4) >= format.ticks:
            return IMPLAUSIBLE
        if whole > 0 and not -CHAIN_SECONDS <= seconds - before <= CHAIN_SECONDS:
            return IMPLAUSIBLE
        if size - at < format.record_header + captured:
            return at_end(final, whole > 1)
        at += format.record_header + captured
        before = seconds
    return PLAUSIBLE


cdef inline bint is_known_block(uint32_t kind) noexcept nogil:
    return 1 <= kind <= 6 or kind in (9, 10, 0x0BAD, 0x40000BAD, SECTION_HEADER_BLOCK)


cdef inline Verdict blocks_plausible(
    bint big_endian, const Caps* caps, const uint8_t* data, int64_t at, int64_t size, bint final
) noexcept nogil:
    """Whether a chain of good blocks starts at `at`."""
    cdef const uint8_t* block
    cdef int64_t left
    cdef int64_t length
    cdef uint32_t kind
    cdef Format found
    cdef Due due
    cdef int whole
    for whole in range(BLOCK_CHAIN):
        left = size - at
        block = data + at
        if left < 16:
            return at_end(final, whole > 1)
        due = part_at(caps, data, at, size, final, &found)
        if due != RECORD and due != SECTION:
            return at_part(due, whole)
        kind = load32(block) if big_endian else load32_little(block)
        if kind == SECTION_HEADER_BLOCK:
            if load32(block + 8) == BYTE_ORDER_MAGIC:
                big_endian = True
            elif load32_little(block + 8) == BYTE_ORDER_MAGIC:
                big_endian = False
            else:
                return IMPLAUSIBLE
            if (load16(block + 12) if big_endian else load16_little(block + 12)) != 1:
                return IMPLAUSIBLE
        length = load32(block + 4) if big_endian else load32_little(block + 4)
        if not is_known_block(kind) or length & 3 or length < least_length(kind) or length > caps.block_length:
            return IMPLAUSIBLE
        if length > left:
            return at_end(final, whole > 1)
        if kind == ENHANCED_PACKET_BLOCK or kind == PACKET_BLOCK:
            if (load32(block + 20) if big_endian else load32_little(block + 20)) > length - 32:
                return IMPLAUSIBLE
        block += length - 4
        if (load32(block) if big_endian else load32_little(block)) != length:
            return IMPLAUSIBLE
        at += length
    return PLAUSIBLE


cdef inline void tell_skipped(Sink* sink, Walk* walk, int64_t end) noexcept nogil:
    """The walk goes on, or the file ends, at `end`."""
    tell(sink, walk, walk.lost_at, KIND_SKIPPED_OCTETS, end, end - walk.lost_at)
    walk.lost_at = -1


cdef inline bint lose(Sink* sink, Walk* walk, int64_t origin, int64_t size) noexcept nogil:
    """Begin to search behind what is corrupt; False where the walk ends there instead, or at an unfinished record."""
    if not walk.salvage or walk.damaged_at != origin + walk.position:
        return False
    walk.lost_at = walk.damaged_at
    step_over(sink, walk, origin, size, True)
    return True


cdef inline void step_over(Sink* sink, Walk* walk, int64_t origin, int64_t size, bint final) noexcept nogil:
    """One octet further; at the end of the file the search is over."""
    walk.position += 1
    if final and walk.position == size:
        tell_skipped(sink, walk, origin + size)


cdef inline bint cross_zeros(
    Sink* sink, const Format* format, Walk* walk, const uint8_t* data, int64_t stop, int64_t size, int64_t origin,
    bint final,
) noexcept nogil:
    """Step over zeros as far as the range has any; False where the walk stops (decoding 1.9)."""
    # A record may begin with zeros, but its header has another octet.
    cdef int64_t reach = format.record_header - 1
    cdef int64_t most = min(stop + reach, size)
    cdef int64_t start = walk.zeros_at
    cdef int64_t end = walk.position
    while end < most and data[end] == 0:
        end += 1
    walk.position = max(walk.position, end - reach)
    if final and end == size:
        walk.position = size
    elif end == most:
        return False
    damage(sink, walk, start, KIND_ZEROS, origin + end, origin + end - start)
    walk.zeros_at = -1
    if not walk.salvage or walk.position == size:
        return False
    walk.lost_at = start
    return True

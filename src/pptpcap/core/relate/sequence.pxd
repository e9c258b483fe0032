"""The sequence numbers of a tunnel: received, lost, and delays of acknowledgments (decoding section 10.3).

Knows one tunnel and its partner.  Must not know calls.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memmove

from ..base.numbers cimport GRE_DUPLICATED, GRE_REORDERED, RANGES, SILENCE_SECONDS, TIMED, GreRow
from .state cimport Range, Timed, Tunnel

cdef enum:
    LEAST_CAPACITY = 4


cdef inline int64_t position_of(const Tunnel* tunnel, uint32_t number) noexcept nogil:
    """Needs a tunnel that has a number."""
    return tunnel.highest + <int32_t>(number - tunnel.figures.last_sequence)


cdef inline void remove_range(Tunnel* tunnel, int place) noexcept nogil:
    cdef Range* below = tunnel.below
    tunnel.below_count -= 1
    memmove(below + place, below + place + 1, <size_t>(tunnel.below_count - place) * sizeof(Range))


cdef inline bint insert_range(Tunnel* tunnel, int place, int64_t low, int64_t high) noexcept nogil:
    """A range of its own at `place` of those below; False if memory runs out.

    Of the ranges, of which one is not at ``below``, no more than ``RANGES`` are told apart.
    """
    cdef int capacity
    cdef Range* below
    if tunnel.below_count == tunnel.below_capacity:
        # One more than may stay, for as long as it takes to join the two lowest.
        capacity = min(max(2 * tunnel.below_capacity, <int>LEAST_CAPACITY), <int>RANGES)
        below = <Range*>realloc(tunnel.below, <size_t>capacity * sizeof(Range))
        if below == NULL:
            return False
        tunnel.below = below
        tunnel.below_capacity = <uint8_t>capacity
    below = tunnel.below
    memmove(below + place + 1, below + place, <size_t>(tunnel.below_count - place) * sizeof(Range))
    below[place].low = low
    below[place].high = high
    tunnel.below_count += 1
    if tunnel.below_count == RANGES:
        below[1].low = below[0].low
        remove_range(tunnel, 0)
    return True


cdef inline bint add_below(Tunnel* tunnel, GreRow* row, int64_t position) noexcept nogil:
    """A position that is not above the highest one; False if memory runs out."""
    cdef Range* below = tunnel.below
    cdef int place = tunnel.below_count
    cdef int64_t above
    if position >= tunnel.low:
        row.status |= GRE_DUPLICATED
        tunnel.figures.duplicated += 1
        return True
    # The first range that is wholly above the position is at `place`: late packets are late by little.
    while place > 0 and below[place - 1].low > position:
        place -= 1
    if place > 0 and position <= below[place - 1].high:
        row.status |= GRE_DUPLICATED
        tunnel.figures.duplicated += 1
        return True
    row.status |= GRE_REORDERED
    tunnel.figures.reordered += 1
    if position >= 0:
        tunnel.came += 1
    else:
        row.skipped = 1
    above = below[place].low if place < tunnel.below_count else tunnel.low
    if place > 0 and below[place - 1].high == position - 1:
        below[place - 1].high = position
        if above == position + 1:
            # The hole between two ranges is filled.
            if place < tunnel.below_count:
                below[place].low = below[place - 1].low
            else:
                tunnel.low = below[place - 1].low
            remove_range(tunnel, place - 1)
    elif above == position + 1:
        if place < tunnel.below_count:
            below[place].low = position
        else:
            tunnel.low = position
    else:
        return insert_range(tunnel, place, position, position)
    return True


cdef inline bint add_number(Tunnel* tunnel, GreRow* row) noexcept nogil:
    """Count the number of a row with S, and mark the row unless its number is the highest; False if memory runs out."""
    cdef uint32_t number = row.sequence_number
    cdef int64_t position
    cdef bint enough = True
    if tunnel.figures.packets == 0:
        tunnel.figures.first_sequence = number
        tunnel.figures.last_sequence = number
        tunnel.came = 1
        return True
    position = position_of(tunnel, number)
    if position <= tunnel.highest:
        return add_below(tunnel, row, position)
    if position != tunnel.highest + 1:
        row.skipped = <uint32_t>(position - tunnel.highest - 1)
        enough = insert_range(tunnel, tunnel.below_count, tunnel.low, tunnel.highest)
        tunnel.low = position
    tunnel.highest = position
    tunnel.figures.last_sequence = number
    tunnel.came += 1
    return enough


cdef inline bint time_packet(Tunnel* tunnel, int64_t time) noexcept nogil:
    """The packet with the highest number waits for its acknowledgment; False if memory runs out."""
    cdef Timed* ring = tunnel.timed
    cdef int capacity = tunnel.timed_capacity
    cdef int index
    if tunnel.timed_count == TIMED:
        return True
    if tunnel.timed_count == capacity:
        # A power of two.
        ring = <Timed*>malloc(<size_t>max(2 * capacity, <int>LEAST_CAPACITY) * sizeof(Timed))
        if ring == NULL:
            return False
        for index in range(tunnel.timed_count):
            ring[index] = tunnel.timed[(tunnel.timed_first + index) & (capacity - 1)]
        free(tunnel.timed)
        capacity = max(2 * capacity, <int>LEAST_CAPACITY)
        tunnel.timed = ring
        tunnel.timed_first = 0
        tunnel.timed_capacity = <uint8_t>capacity
    index = (tunnel.timed_first + tunnel.timed_count) & (capacity - 1)
    ring[index].position = tunnel.highest
    ring[index].time = time
    tunnel.timed_count += 1
    return True


cdef inline void take_acknowledged(Tunnel* tunnel, uint32_t number, int64_t time, bint has_time) noexcept nogil:
    """The other side has everything up to `number`, it says at `time`."""
    cdef const Timed* oldest
    cdef int64_t position
    cdef uint64_t sample
    if tunnel.timed_count == 0:
        return
    position = position_of(tunnel, number)
    while tunnel.timed_count:
        oldest = &tunnel.timed[tunnel.timed_first]
        if oldest.position > position:
            return
        tunnel.timed_first = <uint8_t>((tunnel.timed_first + 1) & (tunnel.timed_capacity - 1))
        tunnel.timed_count -= 1
        if not has_time or time < oldest.time:
            continue
        sample = <uint64_t>time - <uint64_t>oldest.time
        if sample > <uint64_t>SILENCE_SECONDS * 1_000_000_000:
            continue
        if sample > <uint64_t>0x7FFFFFFFFFFFFFFF - <uint64_t>tunnel.ack_delay_sum:
            continue
        tunnel.ack_delay_sum += <int64_t>sample
        if tunnel.figures.ack_delay_samples == 0 or <int64_t>sample < tunnel.figures.ack_delay_min_ns:
            tunnel.figures.ack_delay_min_ns = <int64_t>sample
        tunnel.figures.ack_delay_samples += 1


cdef inline void forget_timed(Tunnel* tunnel) noexcept nogil:
    tunnel.timed_count = 0

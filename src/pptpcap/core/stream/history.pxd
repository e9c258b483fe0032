"""The delivered bytes of a direction that are kept for comparison.

Must not know messages.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from .state cimport Direction, Streams

cdef enum:
    # The smallest block of malloc.
    LEAST_HISTORY = 24


cdef inline int64_t history_weight(const Streams* streams, const Direction* direction) noexcept nogil:
    return min(<int64_t>direction.history_count, streams.caps.history)


cdef inline void forget_history(Streams* streams, Direction* direction) noexcept nogil:
    streams.octets -= history_weight(streams, direction)
    # Memory that is not counted must not be held.
    free(direction.history)
    direction.history = NULL
    direction.history_count = 0
    direction.history_room = 0


cdef inline bint reserve_history(const Streams* streams, Direction* direction, int64_t count) noexcept nogil:
    """Room for so many octets of history, of which there are never more than twice what counts."""
    cdef int64_t room = min(max(count, 4 * <int64_t>direction.history_room, LEAST_HISTORY), 2 * streams.caps.history)
    cdef uint8_t* larger
    if count <= direction.history_room:
        return True
    larger = <uint8_t*>realloc(direction.history, <size_t>room)
    if larger == NULL:
        return False
    direction.history = larger
    direction.history_room = <uint32_t>room
    return True


cdef inline void add_history(
    Streams* streams, Direction* direction, const uint8_t* data, int64_t n
) noexcept nogil:
    """Keep what is delivered, of which the last ``streams.caps.history`` octets count."""
    cdef int64_t kept = history_weight(streams, direction)
    cdef int64_t before = kept
    if n > streams.caps.history:
        data += n - streams.caps.history
        n = streams.caps.history
    if n <= 0:
        return
    if direction.history_count + n > 2 * streams.caps.history:
        memmove(direction.history, direction.history + direction.history_count - kept, <size_t>kept)
        direction.history_count = <uint32_t>kept
    if not reserve_history(streams, direction, direction.history_count + n):
        streams.directions.failed = True
        return
    memcpy(direction.history + direction.history_count, data, <size_t>n)
    direction.history_count += <uint32_t>n
    streams.octets += history_weight(streams, direction) - before

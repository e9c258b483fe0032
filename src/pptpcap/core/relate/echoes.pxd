"""LCP Echo-Requests of one side and their replies (decoding section 10.4.1).

Must not know packets.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memmove

from ..base.echoes cimport is_round_trip
from ..base.numbers cimport ECHOES
from ..base.packets cimport not_a_time


cdef struct Echoes:
    # Of the last requests, newest first; which of them are answered is a bit each.
    int64_t times[ECHOES]
    uint32_t identifiers[ECHOES]
    uint32_t answered_marks
    uint32_t requests
    uint32_t answered
    uint32_t samples
    int64_t least
    int64_t sum
    # How many of the last ones are not answered, nor one behind them.
    uint32_t in_vain


cdef inline void ask_echo(Echoes* own, uint32_t identifier, int64_t time) noexcept nogil:
    memmove(&own.times[1], &own.times[0], (ECHOES - 1) * sizeof(int64_t))
    memmove(&own.identifiers[1], &own.identifiers[0], (ECHOES - 1) * sizeof(uint32_t))
    own.times[0] = time
    own.identifiers[0] = identifier
    own.answered_marks <<= 1
    own.requests += 1
    own.in_vain += 1


cdef inline void time_echo(Echoes* own, int64_t asked, int64_t time) noexcept nogil:
    cdef uint64_t sample
    if asked == not_a_time() or time < asked:
        return
    sample = <uint64_t>time - <uint64_t>asked
    if not is_round_trip(sample, own.sum):
        return
    if own.samples == 0 or <int64_t>sample < own.least:
        own.least = <int64_t>sample
    own.sum += <int64_t>sample
    own.samples += 1


cdef inline void answer_echo(Echoes* own, uint32_t identifier, int64_t time) noexcept nogil:
    """The other side sent a reply."""
    cdef uint32_t place
    for place in range(min(own.requests, <uint32_t>ECHOES)):
        if own.identifiers[place] == identifier:
            own.in_vain = min(own.in_vain, place)
            if not own.answered_marks & (<uint32_t>1 << place):
                own.answered_marks |= <uint32_t>1 << place
                own.answered += 1
                time_echo(own, own.times[place], time)
            return


cdef inline int64_t mean_echo(const Echoes* own) noexcept nogil:
    return own.sum // own.samples if own.samples else 0

"""What counts as the time of an echo (decoding section 10.4.1).

Must not know packets.
"""

from libc.stdint cimport int64_t, uint64_t

from .numbers cimport SILENCE_SECONDS


cdef inline bint is_round_trip(uint64_t sample, int64_t total) noexcept nogil:
    """Whether a time counts: none takes longer than silence, and the sum stays below 2^63."""
    return (
        sample <= <uint64_t>SILENCE_SECONDS * 1_000_000_000
        and sample <= <uint64_t>0x7FFFFFFFFFFFFFFF - <uint64_t>total
    )

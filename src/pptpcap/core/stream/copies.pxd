"""State that recognises packets which the capture holds more than once (decoding section 4b)."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport Buffer
from ..base.keys cimport mix
from ..base.memory cimport Memory
from ..base.numbers cimport COPY_WINDOW
from ..scan.segments cimport Fragment


cdef enum:
    # So many that an identity seldom shares one.
    BUCKETS = 4 * COPY_WINDOW


cdef struct Entry:
    # A packet at one vantage: when it came there first, how often, and how many of these were no copies.
    uint64_t identity
    int64_t time
    uint32_t vantage
    # How many entries before it the one before it in its bucket is; 0 for none in the ring.
    uint16_t before
    uint32_t times
    uint32_t kept


cdef struct Copies:
    # A ring of entries; by the identity, the last entry of a bucket, its number plus one.
    Memory memory
    Entry* ring
    uint32_t* buckets
    # Entries that were made.
    uint64_t count
    uint64_t seed
    bint failed
    # Whether copies are left out.
    bint drops
    uint64_t found
    # Packets of the present scan that were left out, in order.
    Buffer dropped


cdef void copies_init(Copies* state, uint64_t seed, bint drops) noexcept nogil
cdef void copies_free(Copies* state) noexcept nogil
cdef bint copies_failed(const Copies* state) noexcept nogil
cdef bint copies_begin(Copies* state) noexcept nogil
cdef bint is_copy_of_any(
    Copies* state, uint64_t identity, uint32_t vantage, int64_t time, uint32_t* bucket
) noexcept nogil
cdef bint is_copied_fragment(Copies* state, const Fragment* fragment) noexcept nogil
cdef void drop_copy(Copies* state, uint64_t packet) noexcept nogil


cdef inline uint64_t digest(uint64_t one, uint64_t other) noexcept nogil:
    return mix(one ^ 0xA0761D6478BD642FU, other ^ 0xEB44ACCAB455D165U)


cdef inline uint32_t* bucket_of(const Copies* state, uint64_t identity) noexcept nogil:
    """Needs memory.  The seed keeps traffic from choosing identities of one bucket."""
    return &state.buckets[((identity * state.seed) >> 32) & (BUCKETS - 1)]


cdef inline void add_entry(
    Copies* state, uint64_t identity, uint32_t vantage, int64_t time, uint32_t* bucket, uint32_t kept
) noexcept nogil:
    cdef Entry* entry = &state.ring[state.count & (COPY_WINDOW - 1)]
    cdef uint32_t before = <uint32_t>state.count + 1 - bucket[0]
    entry.identity = identity
    entry.vantage = vantage
    entry.time = time
    entry.before = <uint16_t>before if bucket[0] and before < COPY_WINDOW else 0
    entry.times = 1
    entry.kept = kept
    state.count += 1
    bucket[0] = <uint32_t>state.count


cdef inline void pass_packet(Copies* state, uint64_t identity, uint32_t vantage, int64_t time) noexcept nogil:
    """The next packet, which is no copy."""
    add_entry(state, identity, vantage, time, bucket_of(state, identity), 1)


cdef inline bint is_copy(Copies* state, uint64_t identity, uint32_t vantage, int64_t time) noexcept nogil:
    """Whether the next packet is a copy of an earlier one."""
    cdef uint32_t* bucket = bucket_of(state, identity)
    cdef const Entry* last
    if bucket[0] and <uint32_t>(state.count - bucket[0]) < COPY_WINDOW:
        last = &state.ring[(bucket[0] - 1) & (COPY_WINDOW - 1)]
        if last.before or last.identity == identity:
            return is_copy_of_any(state, identity, vantage, time, bucket)
    add_entry(state, identity, vantage, time, bucket, 1)
    return False

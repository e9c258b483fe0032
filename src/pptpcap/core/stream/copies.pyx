"""Recognises packets that the capture holds more than once (decoding section 4b).

Knows digests and times.  Must not know what a packet holds.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from ..base.buffers cimport buffer_free, buffer_init, buffer_push
from ..base.keys cimport Key, mix
from ..base.memory cimport memory_free, memory_init, memory_zeroed
from ..base.numbers cimport COPY_EVIDENCE, COPY_LOOKS, COPY_MILLISECONDS, COPY_TIMES, COPY_VANTAGES, COPY_WINDOW
from ..base.packets cimport not_a_time


cdef void copies_init(Copies* state, uint64_t seed, bint drops) noexcept nogil:
    memset(state, 0, sizeof(Copies))
    memory_init(&state.memory)
    state.seed = seed | 1
    state.drops = drops
    buffer_init(&state.dropped, sizeof(uint64_t))


cdef void copies_free(Copies* state) noexcept nogil:
    memory_free(&state.memory)
    buffer_free(&state.dropped)


cdef bint copies_failed(const Copies* state) noexcept nogil:
    """Whether memory has run out."""
    return state.failed or state.dropped.failed


cdef bint copies_begin(Copies* state) noexcept nogil:
    """Get memory before the first packet; False if there is none."""
    if state.ring == NULL:
        if not memory_zeroed(&state.memory, COPY_WINDOW * sizeof(Entry) + BUCKETS * sizeof(uint32_t)):
            state.failed = True
            return False
        state.ring = <Entry*>state.memory.data
        state.buckets = <uint32_t*>(state.memory.data + COPY_WINDOW * sizeof(Entry))
    return True


cdef void drop_copy(Copies* state, uint64_t packet) noexcept nogil:
    cdef uint64_t* place = <uint64_t*>buffer_push(&state.dropped)
    if place != NULL:
        place[0] = packet


cdef inline Entry* entry_at(const Copies* state, uint64_t number) noexcept nogil:
    return &state.ring[number & (COPY_WINDOW - 1)]


cdef inline bint is_near(int64_t one, int64_t other) noexcept nogil:
    """Whether two times are those of copies; a packet without a time may be a copy of any."""
    cdef uint64_t apart = <uint64_t>one - <uint64_t>other if one > other else <uint64_t>other - <uint64_t>one
    return apart <= COPY_MILLISECONDS * 1_000_000U or one == not_a_time() or other == not_a_time()


cdef bint came_often(const Copies* state, uint64_t number, uint32_t times) noexcept nogil:
    """Whether packets came `times` times where the packet of entry `number` did (4b.3)."""
    cdef uint32_t vantage = entry_at(state, number).vantage
    cdef uint64_t least = max(
        state.count - min(state.count, <uint64_t>COPY_WINDOW), number - min(number, <uint64_t>COPY_LOOKS)
    )
    cdef const Entry* entry
    cdef uint32_t here = 0
    cdef uint32_t often_here = 0
    cdef uint32_t all = 0
    cdef uint32_t often = 0
    while number > least:
        number -= 1
        entry = entry_at(state, number)
        all += 1
        often += entry.times >= times
        if entry.vantage == vantage:
            here += 1
            often_here += entry.times >= times
            if here >= COPY_EVIDENCE and 2 * often_here >= here:
                return True
    if here > 0:
        return 2 * often_here >= here
    return all < COPY_EVIDENCE or 2 * often >= all


cdef uint32_t times_as_a_rule(const Copies* state, uint64_t number) noexcept nogil:
    """How often the capture holds a packet, by what it holds of those before it."""
    cdef uint32_t most = min(entry_at(state, number).times, <uint32_t>COPY_TIMES)
    cdef uint32_t times = 1
    while times < most and came_often(state, number, times + 1):
        times += 1
    return times


cdef bint is_copy_of_any(
    Copies* state, uint64_t identity, uint32_t vantage, int64_t time, uint32_t* bucket
) noexcept nogil:
    """Whether the next packet is a copy of one in its bucket, whose last entry is still in the ring."""
    cdef uint32_t turn = <uint32_t>state.count + 1 - bucket[0]
    cdef uint64_t own = 0
    cdef Entry* entry
    cdef Entry* same = NULL
    cdef uint32_t kept = 0
    cdef uint32_t vantages = 0
    # `turn` is how many entries ago it was, from 1 on.
    while True:
        entry = entry_at(state, state.count - turn)
        if entry.identity == identity and is_near(entry.time, time):
            vantages += 1
            kept += entry.kept
            if entry.vantage == vantage and same == NULL:
                same = entry
                own = state.count - turn
        turn += entry.before
        if entry.before == 0 or turn > COPY_WINDOW:
            break
    if same == NULL:
        if vantages < COPY_VANTAGES:
            add_entry(state, identity, vantage, time, bucket, kept == 0)
        state.found += kept > 0
        return kept > 0
    same.times += 1
    if (same.times - 1) // times_as_a_rule(state, own) < kept:
        state.found += 1
        return True
    same.kept += 1
    return False


cdef inline uint64_t digest_pair(const Key* addresses) noexcept nogil:
    """A digest of two addresses."""
    # The first words of IPv4 addresses are all the same.
    return mix(
        addresses.words[1] + addresses.words[0] * 0x9E3779B97F4A7C15U ^ 0x8EBC6AF09C88C6E3U,
        addresses.words[3] + addresses.words[2] * 0xD6E8FEB86659FD93U ^ 0x1D8E4E27C47D124FU,
    )


cdef bint is_copied_fragment(Copies* state, const Fragment* fragment) noexcept nogil:
    """Whether a fragment is a copy; its first and last octets stand for all."""
    cdef uint64_t pair = digest_pair(&fragment.key)
    cdef uint64_t identity = digest(
        pair ^ fragment.key.words[4] ^ fragment.key.words[5], <uint64_t>fragment.wire << 1 | fragment.more
    )
    cdef int64_t octets = min(fragment.captured, <int64_t>8)
    cdef uint64_t ends[2]
    memset(ends, 0, sizeof(ends))
    if fragment.captured == fragment.wire:
        memcpy(&ends[0], fragment.data, <size_t>octets)
        memcpy(&ends[1], fragment.data + max(fragment.captured - 8, <int64_t>0), <size_t>octets)
    identity = digest(identity ^ ends[0], ends[1])
    identity = digest(identity, <uint64_t>fragment.position << 1 | (fragment.captured == fragment.wire))
    return is_copy(state, identity, <uint32_t>pair ^ fragment.sighting.vantage, fragment.packet.time)

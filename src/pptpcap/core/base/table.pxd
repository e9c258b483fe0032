"""A hash table from 48-byte keys to small numbers.

A new key gets the lowest number that was never used, or one that was freed, so callers keep their state in arrays
indexed by it.  Open addressing, linear probing, backward-shift deletion.  A slot has 4 bytes: the number, and above it
hash bits that the place does not imply, so that keys are rarely compared in vain.  The hash is seeded by the operating
system with a secret factor for each part of the key; traffic cannot choose keys that collide, and no order of rows
depends on it.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from .buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push
from .keys cimport Key, mix, same_key
from .memory cimport Memory, memory_free, memory_init, memory_zeroed
from .octets cimport prefetch

cdef enum:
    # While keys are placed again, slots are prefetched this many keys ahead.
    AHEAD = 16


cdef struct HashTable:
    # Twice as many slots as keys at least.  The number plus one, which `mask` holds; 0 is an empty slot.
    Memory memory
    uint32_t* slots
    Py_ssize_t mask
    Py_ssize_t count
    # Keys by number.  The first word of a freed key is the next freed number, plus one.
    Buffer keys
    uint64_t vacant
    uint64_t seed
    uint64_t salt
    bint failed


cdef inline void table_init(HashTable* table, uint64_t seed) noexcept nogil:
    memory_init(&table.memory)
    table.slots = NULL
    table.mask = -1
    table.count = 0
    buffer_init(&table.keys, sizeof(Key))
    table.vacant = 0
    table.seed = seed | 1
    table.salt = mix(table.seed, 0x9E3779B97F4A7C15ULL)
    table.failed = False


cdef inline void table_free(HashTable* table) noexcept nogil:
    memory_free(&table.memory)
    table.slots = NULL
    table.mask = -1
    table.count = 0
    buffer_free(&table.keys)


cdef inline const Key* table_key(const HashTable* table, int64_t number) noexcept nogil:
    return <const Key*>table.keys.data + number


cdef inline uint64_t table_digest(const HashTable* table, const Key* key, uint64_t* pair=NULL) noexcept nogil:
    """A digest of a key, of which ``hash_of`` is the hash; `pair` gets one of the first four words alone."""
    # A factor that traffic can make zero would cancel the other one.
    cdef uint64_t a = mix(key.words[0] ^ table.seed, key.words[1] ^ table.salt)
    cdef uint64_t b = mix(key.words[2] ^ table.salt, key.words[3] ^ table.seed)
    if pair != NULL:
        pair[0] = a ^ b
    # Most keys have no layers.
    if key.words[5]:
        b ^= mix(key.words[5] ^ table.salt, table.seed)
    return mix(a ^ key.words[4], b ^ table.seed)


cdef inline uint32_t hash_of(uint64_t digest) noexcept nogil:
    return <uint32_t>(digest ^ (digest >> 32))


cdef inline uint32_t table_hash(const HashTable* table, const Key* key) noexcept nogil:
    return hash_of(table_digest(table, key))


cdef inline uint32_t slot_of(const HashTable* table, uint32_t code, int64_t number) noexcept nogil:
    return (code & ~<uint32_t>table.mask) | <uint32_t>(number + 1)


cdef inline int64_t number_in(const HashTable* table, uint32_t slot) noexcept nogil:
    return <int64_t>(slot & <uint32_t>table.mask) - 1


cdef inline void table_prefetch(const HashTable* table, uint32_t code) noexcept nogil:
    """Prefetch the slot of a hash."""
    if table.mask >= 0:
        prefetch(&table.slots[<Py_ssize_t>code & table.mask])


cdef inline int64_t table_guess(const HashTable* table, uint32_t code) noexcept nogil:
    """The likely number of a key with this hash, without comparing keys; -1 for none."""
    cdef uint32_t slot
    if table.mask < 0:
        return -1
    slot = table.slots[<Py_ssize_t>code & table.mask]
    return number_in(table, slot) if ((slot ^ code) & ~<uint32_t>table.mask) == 0 else -1


cdef inline int64_t table_find(const HashTable* table, const Key* key) noexcept nogil:
    """The number of `key`, -1 if it is absent."""
    return table_find_hashed(table, key, table_hash(table, key))


cdef inline int64_t table_find_hashed(const HashTable* table, const Key* key, uint32_t code) noexcept nogil:
    """The same, for a known hash."""
    cdef Py_ssize_t index
    cdef uint32_t slot
    if table.mask < 0:
        return -1
    index = <Py_ssize_t>code & table.mask
    while True:
        slot = table.slots[index]
        if slot == 0:
            return -1
        if ((slot ^ code) & ~<uint32_t>table.mask) == 0 and same_key(table_key(table, number_in(table, slot)), key):
            return number_in(table, slot)
        index = (index + 1) & table.mask


cdef inline void table_place(HashTable* table, uint32_t code, int64_t number) noexcept nogil:
    cdef Py_ssize_t index = <Py_ssize_t>code & table.mask
    while table.slots[index] != 0:
        index = (index + 1) & table.mask
    table.slots[index] = slot_of(table, code, number)


cdef inline bint table_grow(HashTable* table) noexcept nogil:
    cdef Memory memory
    cdef Py_ssize_t larger = max(64, 2 * (table.mask + 1))
    cdef int64_t number
    if not memory_zeroed(&memory, <size_t>larger * sizeof(uint32_t)):
        return False
    memory_free(&table.memory)
    table.memory = memory
    table.slots = <uint32_t*>memory.data
    table.mask = larger - 1
    # The table is full, so no number is free.
    for number in range(table.keys.count):
        if number + AHEAD < table.keys.count:
            table_prefetch(table, table_hash(table, table_key(table, number + AHEAD)))
        table_place(table, table_hash(table, table_key(table, number)), number)
    return True


cdef inline int64_t table_add(HashTable* table, const Key* key) noexcept nogil:
    """Add `key`, which must be absent, and return its number; -1 if memory runs out."""
    cdef int64_t number = table.keys.count
    # Numbers are also row indexes, which are signed 32-bit.
    if (
        number > 0x7FFFFFFE
        or (2 * (table.count + 1) > table.mask + 1 and not table_grow(table))
        or (table.vacant == 0 and buffer_push(&table.keys) == NULL)
    ):
        table.failed = True
        return -1
    if table.vacant:
        number = <int64_t>table.vacant - 1
        table.vacant = table_key(table, number).words[0]
    (<Key*>buffer_at(&table.keys, number))[0] = key[0]
    table_place(table, table_hash(table, key), number)
    table.count += 1
    return number


cdef inline void table_remove(HashTable* table, int64_t number) noexcept nogil:
    """Remove the key of a number, free the number, and close the gap in the slots."""
    cdef Key* key = <Key*>buffer_at(&table.keys, number)
    cdef uint32_t code = table_hash(table, key)
    cdef uint32_t slot = slot_of(table, code, number)
    cdef Py_ssize_t hole = <Py_ssize_t>code & table.mask
    cdef Py_ssize_t index
    cdef Py_ssize_t home
    while table.slots[hole] != slot:
        hole = (hole + 1) & table.mask
    index = hole
    while True:
        index = (index + 1) & table.mask
        slot = table.slots[index]
        if slot == 0:
            break
        home = <Py_ssize_t>table_hash(table, table_key(table, number_in(table, slot))) & table.mask
        # An entry may move back only as far as its home slot.
        if ((index - home) & table.mask) >= ((index - hole) & table.mask):
            table.slots[hole] = slot
            hole = index
    table.slots[hole] = 0
    table.count -= 1
    key.words[0] = table.vacant
    table.vacant = <uint64_t>number + 1

"""Numbers for keys of 40 octets: connections, tunnels, datagrams.

A key that is added gets the least number that was never given, or one that was given back, so what is kept of it can
stand in an array beside the keys.  Open addressing with linear probing and backward-shift deletion: a slot holds the
hash and the number, and the keys stand by themselves, so that growing moves eight octets a key.  The hash is seeded
from the operating system, every factor of its products with a secret of its own, so traffic cannot choose keys that
collide; no order of rows depends on it.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

from .buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push
from .octets cimport prefetch

cdef extern from *:
    """
    static inline uint64_t pptpcap_mix(uint64_t a, uint64_t b) {
        __extension__ typedef unsigned __int128 wide;
        wide product = (wide)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    uint64_t mix "pptpcap_mix"(uint64_t a, uint64_t b) noexcept nogil


cdef struct Key:
    uint64_t words[5]


cdef struct Slot:
    uint32_t hash
    # The number plus one: 0 is an empty slot.
    uint32_t number


cdef struct Table:
    Slot* slots
    Py_ssize_t mask
    Py_ssize_t count
    # By number; the first word of one that was given back is the next such number, plus one.
    Buffer keys
    uint64_t vacant
    uint64_t seed
    uint64_t salt
    bint failed


cdef inline void flow_key(Key* key, const uint8_t* source, const uint8_t* destination, uint64_t rest) noexcept nogil:
    """A key of two addresses of 16 octets, and of a number that tells their flows apart."""
    memcpy(&key.words[0], source, 16)
    memcpy(&key.words[2], destination, 16)
    key.words[4] = rest


cdef inline void table_init(Table* table, uint64_t seed) noexcept nogil:
    table.slots = NULL
    table.mask = -1
    table.count = 0
    buffer_init(&table.keys, sizeof(Key))
    table.vacant = 0
    table.seed = seed | 1
    table.salt = mix(table.seed, 0x9E3779B97F4A7C15ULL)
    table.failed = False


cdef inline void table_free(Table* table) noexcept nogil:
    free(table.slots)
    table.slots = NULL
    table.mask = -1
    table.count = 0
    buffer_free(&table.keys)


cdef inline const Key* table_key(const Table* table, int64_t number) noexcept nogil:
    return <const Key*>table.keys.data + number


cdef inline uint32_t table_hash(const Table* table, const Key* key) noexcept nogil:
    # A factor that traffic can make zero would hide the other one.
    cdef uint64_t a = mix(key.words[0] ^ table.seed, key.words[1] ^ table.salt)
    cdef uint64_t b = mix(key.words[2] ^ table.salt, key.words[3] ^ table.seed)
    a = mix(a ^ key.words[4], b ^ table.seed)
    return <uint32_t>(a ^ (a >> 32))


cdef inline void table_prefetch(const Table* table, uint32_t code) noexcept nogil:
    """A hint to the memory that a key of this hash is looked for soon."""
    if table.mask >= 0:
        prefetch(&table.slots[<Py_ssize_t>code & table.mask])


cdef inline int64_t table_guess(const Table* table, uint32_t code) noexcept nogil:
    """The number that a key of this hash most likely has, -1 where none is at hand; the key is not looked at."""
    cdef const Slot* slot
    if table.mask < 0:
        return -1
    slot = &table.slots[<Py_ssize_t>code & table.mask]
    return <int64_t>slot.number - 1 if slot.hash == code else -1


cdef inline int64_t table_find(const Table* table, const Key* key) noexcept nogil:
    """The number of `key`, -1 where it is not there."""
    return table_find_hashed(table, key, table_hash(table, key))


cdef inline int64_t table_find_hashed(const Table* table, const Key* key, uint32_t code) noexcept nogil:
    """The same, its hash being known."""
    cdef Py_ssize_t index
    cdef const Slot* slot
    if table.mask < 0:
        return -1
    index = <Py_ssize_t>code & table.mask
    while True:
        slot = &table.slots[index]
        if slot.number == 0:
            return -1
        if slot.hash == code and memcmp(table_key(table, <int64_t>slot.number - 1), key, sizeof(Key)) == 0:
            return <int64_t>slot.number - 1
        index = (index + 1) & table.mask


cdef inline void table_place(Table* table, Slot slot) noexcept nogil:
    cdef Py_ssize_t index = <Py_ssize_t>slot.hash & table.mask
    while table.slots[index].number != 0:
        index = (index + 1) & table.mask
    table.slots[index] = slot


cdef inline bint table_grow(Table* table) noexcept nogil:
    cdef Slot* old = table.slots
    cdef Py_ssize_t size = table.mask + 1
    cdef Py_ssize_t index
    cdef Py_ssize_t larger = max(64, 2 * size)
    cdef Slot* slots = <Slot*>calloc(<size_t>larger, sizeof(Slot))
    if slots == NULL:
        return False
    table.slots = slots
    table.mask = larger - 1
    for index in range(size):
        if old[index].number != 0:
            table_place(table, old[index])
    free(old)
    return True


cdef inline int64_t table_add(Table* table, const Key* key) noexcept nogil:
    """The number of `key`, which is not there yet; -1 when memory is out."""
    cdef int64_t number = table.keys.count
    cdef Slot slot
    # Numbers are indexes of rows too, which have 32 bits and a sign.
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
    slot.hash = table_hash(table, key)
    slot.number = <uint32_t>(number + 1)
    table_place(table, slot)
    table.count += 1
    return number


cdef inline void table_remove(Table* table, int64_t number) noexcept nogil:
    """Take out the key of that number, which is given back, and close the hole that it leaves."""
    cdef Key* key = <Key*>buffer_at(&table.keys, number)
    cdef Py_ssize_t hole = <Py_ssize_t>table_hash(table, key) & table.mask
    cdef Py_ssize_t index
    cdef Py_ssize_t home
    while table.slots[hole].number != <uint32_t>(number + 1):
        hole = (hole + 1) & table.mask
    index = hole
    while True:
        index = (index + 1) & table.mask
        if table.slots[index].number == 0:
            break
        home = <Py_ssize_t>table.slots[index].hash & table.mask
        # An entry may move back only as far as its home slot.
        if ((index - home) & table.mask) >= ((index - hole) & table.mask):
            table.slots[hole] = table.slots[index]
            hole = index
    table.slots[hole].number = 0
    table.count -= 1
    key.words[0] = table.vacant
    table.vacant = <uint64_t>number + 1

"""A hash table from a key of 40 octets to a number: connections, tunnels, datagrams.

Open addressing with linear probing and backward-shift deletion.  The hash is seeded from the
operating system, every factor of its products with a secret of its own, so traffic cannot choose keys
that collide; no order of rows depends on it.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy

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
    Key key
    uint32_t hash
    # The number plus one: 0 is an empty slot.
    uint32_t value


cdef struct Table:
    Slot* slots
    Py_ssize_t mask
    Py_ssize_t count
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
    table.seed = seed | 1
    table.salt = mix(table.seed, 0x9E3779B97F4A7C15ULL)
    table.failed = False


cdef inline void table_free(Table* table) noexcept nogil:
    free(table.slots)
    table.slots = NULL
    table.mask = -1
    table.count = 0


cdef inline uint32_t table_hash(const Table* table, const Key* key) noexcept nogil:
    # A factor that traffic can make zero would hide the other one.
    cdef uint64_t a = mix(key.words[0] ^ table.seed, key.words[1] ^ table.salt)
    cdef uint64_t b = mix(key.words[2] ^ table.salt, key.words[3] ^ table.seed)
    a = mix(a ^ key.words[4], b ^ table.seed)
    return <uint32_t>(a ^ (a >> 32))


cdef inline Slot* table_find(const Table* table, const Key* key) noexcept nogil:
    """The slot of `key`, NULL where there is none."""
    cdef uint32_t code
    cdef Py_ssize_t index
    cdef Slot* slot
    if table.mask < 0:
        return NULL
    code = table_hash(table, key)
    index = <Py_ssize_t>code & table.mask
    while True:
        slot = &table.slots[index]
        if slot.value == 0:
            return NULL
        if slot.hash == code and memcmp(&slot.key, key, sizeof(Key)) == 0:
            return slot
        index = (index + 1) & table.mask


cdef inline void table_place(Table* table, const Slot* slot) noexcept nogil:
    cdef Py_ssize_t index = <Py_ssize_t>slot.hash & table.mask
    while table.slots[index].value != 0:
        index = (index + 1) & table.mask
    table.slots[index] = slot[0]


cdef inline bint table_grow(Table* table) noexcept nogil:
    cdef Slot* old = table.slots
    cdef Py_ssize_t size = table.mask + 1
    cdef Py_ssize_t index
    cdef Py_ssize_t larger = max(64, 2 * size)
    cdef Slot* slots = <Slot*>calloc(<size_t>larger, sizeof(Slot))
    if slots == NULL:
        table.failed = True
        return False
    table.slots = slots
    table.mask = larger - 1
    for index in range(size):
        if old[index].value != 0:
            table_place(table, &old[index])
    free(old)
    return True


cdef inline bint table_insert(Table* table, const Key* key, uint32_t number) noexcept nogil:
    """Add `key`, which is not there; False when memory is out."""
    cdef Slot slot
    if 2 * (table.count + 1) > table.mask + 1 and not table_grow(table):
        return False
    slot.key = key[0]
    slot.hash = table_hash(table, key)
    slot.value = number + 1
    table_place(table, &slot)
    table.count += 1
    return True


cdef inline void table_remove(Table* table, const Key* key) noexcept nogil:
    """Take `key` out, if it is there, and close the hole that it leaves."""
    cdef Slot* found = table_find(table, key)
    cdef Py_ssize_t hole
    cdef Py_ssize_t index
    cdef Py_ssize_t home
    if found == NULL:
        return
    hole = found - table.slots
    index = hole
    while True:
        index = (index + 1) & table.mask
        if table.slots[index].value == 0:
            break
        home = <Py_ssize_t>table.slots[index].hash & table.mask
        # An entry may move back only as far as its home slot.
        if ((index - home) & table.mask) >= ((index - hole) & table.mask):
            table.slots[hole] = table.slots[index]
            hole = index
    table.slots[hole].value = 0
    table.count -= 1

"""An LRU list of small numbers, from which caps on state evict.

Must not know what the numbers stand for.  The list is built lazily, when a cap is first reached.
"""

from libc.stdint cimport int32_t, uint64_t

from .buffers cimport Buffer


cdef struct Link:
    # Neighbours in the list, -1 at either end.
    int32_t before
    int32_t behind


cdef struct Order:
    # By number: when it was touched last, 0 if it is not in the list; and its links, once the list is built.
    Buffer touches
    Buffer links
    uint64_t clock
    # The list is built lazily, when a cap is first reached: most captures reach none, and a touch is then one store.
    bint linked
    int32_t first
    int32_t last


cdef void order_init(Order* order) noexcept nogil
cdef void order_free(Order* order) noexcept nogil
cdef bint order_reserve(Order* order, int32_t numbers) noexcept nogil
cdef void order_relink(Order* order, int32_t number) noexcept nogil
cdef void order_remove(Order* order, int32_t number) noexcept nogil
cdef int32_t order_first(Order* order) noexcept nogil


cdef inline void order_touch(Order* order, int32_t number) noexcept nogil:
    """Make `number` the most recently used; needs room for it."""
    if order.linked:
        order_relink(order, number)
    order.clock += 1
    (<uint64_t*>order.touches.data)[number] = order.clock


cdef inline bint order_failed(const Order* order) noexcept nogil:
    """Whether memory has run out."""
    return order.touches.failed or order.links.failed

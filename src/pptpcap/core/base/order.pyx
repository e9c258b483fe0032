"""An LRU list of small numbers; see ``order.pxd``."""

from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memset

from .buffers cimport buffer_free, buffer_init, buffer_reserve


cdef struct Touch:
    uint64_t when
    int32_t number


cdef inline uint64_t* touched_at(const Order* order, int32_t number) noexcept nogil:
    return <uint64_t*>order.touches.data + number


cdef inline Link* link_at(const Order* order, int32_t number) noexcept nogil:
    return <Link*>order.links.data + number


cdef void order_init(Order* order) noexcept nogil:
    memset(order, 0, sizeof(Order))
    buffer_init(&order.touches, sizeof(uint64_t))
    buffer_init(&order.links, sizeof(Link))
    order.first = -1
    order.last = -1


cdef void order_free(Order* order) noexcept nogil:
    buffer_free(&order.touches)
    buffer_free(&order.links)


cdef bint order_reserve(Order* order, int32_t numbers) noexcept nogil:
    """Reserve room for `numbers` numbers from 0 on; False if memory runs out."""
    cdef Py_ssize_t more = numbers - order.touches.count
    if more <= 0:
        return True
    if not buffer_reserve(&order.touches, more) or (order.linked and not buffer_reserve(&order.links, more)):
        return False
    memset(touched_at(order, <int32_t>order.touches.count), 0, <size_t>more * sizeof(uint64_t))
    order.touches.count = numbers
    if order.linked:
        order.links.count = numbers
    return True


cdef void append(Order* order, int32_t number) noexcept nogil:
    cdef Link* link = link_at(order, number)
    link.before = order.last
    link.behind = -1
    if order.last >= 0:
        link_at(order, order.last).behind = number
    else:
        order.first = number
    order.last = number


cdef void take_out(Order* order, int32_t number) noexcept nogil:
    cdef const Link* link = link_at(order, number)
    if link.before >= 0:
        link_at(order, link.before).behind = link.behind
    else:
        order.first = link.behind
    if link.behind >= 0:
        link_at(order, link.behind).before = link.before
    else:
        order.last = link.before


cdef void order_relink(Order* order, int32_t number) noexcept nogil:
    """Move `number` to the end of the built list."""
    if order.last != number:
        if touched_at(order, number)[0]:
            take_out(order, number)
        append(order, number)


cdef void order_remove(Order* order, int32_t number) noexcept nogil:
    """Remove `number`, if it is in the list."""
    if order.linked and touched_at(order, number)[0]:
        take_out(order, number)
    touched_at(order, number)[0] = 0


cdef int compare_touches(const void* left, const void* right) noexcept nogil:
    return -1 if (<const Touch*>left).when < (<const Touch*>right).when else 1


cdef void link_all(Order* order) noexcept nogil:
    """Build the list in the order of touches."""
    cdef Touch* touches = <Touch*>malloc(<size_t>max(order.touches.count, 1) * sizeof(Touch))
    cdef size_t count = 0
    cdef size_t index
    cdef int32_t number
    if touches == NULL or not buffer_reserve(&order.links, order.touches.count):
        order.links.failed = True
        free(touches)
        return
    order.links.count = order.touches.count
    for number in range(<int32_t>order.touches.count):
        if touched_at(order, number)[0]:
            touches[count].when = touched_at(order, number)[0]
            touches[count].number = number
            count += 1
    qsort(touches, count, sizeof(Touch), &compare_touches)
    for index in range(count):
        append(order, touches[index].number)
    free(touches)
    order.linked = True


cdef int32_t order_first(Order* order) noexcept nogil:
    """The least recently used number; -1 if there is none, or if memory runs out."""
    if not order.linked:
        link_all(order)
    return order.first

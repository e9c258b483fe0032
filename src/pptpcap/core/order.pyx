"""Which of some numbered things was touched least recently; see ``order.pxd``."""

from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memset

from .buffers cimport buffer_at, buffer_free, buffer_init, buffer_reserve


cdef struct Touch:
    uint64_t touched
    int32_t number


cdef inline Place* place_at(const Order* order, int32_t number) noexcept nogil:
    return <Place*>order.places.data + number


cdef void order_init(Order* order) noexcept nogil:
    memset(order, 0, sizeof(Order))
    buffer_init(&order.places, sizeof(Place))
    order.first = -1
    order.last = -1


cdef void order_free(Order* order) noexcept nogil:
    buffer_free(&order.places)


cdef bint order_reserve(Order* order, int32_t numbers) noexcept nogil:
    """Room for the numbers from 0 on, so many of them; False when memory is out."""
    cdef Py_ssize_t more = numbers - order.places.count
    if more > 0:
        if not buffer_reserve(&order.places, more):
            return False
        memset(buffer_at(&order.places, order.places.count), 0, <size_t>more * sizeof(Place))
        order.places.count = numbers
    return True


cdef void append(Order* order, int32_t number) noexcept nogil:
    cdef Place* place = place_at(order, number)
    place.before = order.last
    place.behind = -1
    if order.last >= 0:
        place_at(order, order.last).behind = number
    else:
        order.first = number
    order.last = number


cdef void take_out(Order* order, int32_t number) noexcept nogil:
    cdef Place* place = place_at(order, number)
    if place.before >= 0:
        place_at(order, place.before).behind = place.behind
    else:
        order.first = place.behind
    if place.behind >= 0:
        place_at(order, place.behind).before = place.before
    else:
        order.last = place.before


cdef void order_relink(Order* order, int32_t number) noexcept nogil:
    """Put it last, in an order that is linked."""
    if order.last != number:
        if place_at(order, number).touched:
            take_out(order, number)
        append(order, number)


cdef void order_remove(Order* order, int32_t number) noexcept nogil:
    """It is not in the order any more, whether or not it was."""
    cdef Place* place = place_at(order, number)
    if order.linked and place.touched:
        take_out(order, number)
    place.touched = 0


cdef int compare_touches(const void* left, const void* right) noexcept nogil:
    return -1 if (<const Touch*>left).touched < (<const Touch*>right).touched else 1


cdef void link(Order* order) noexcept nogil:
    """Link all that are in the order, as they were touched."""
    cdef Touch* touches = <Touch*>malloc(<size_t>max(order.places.count, 1) * sizeof(Touch))
    cdef size_t count = 0
    cdef size_t index
    cdef int32_t number
    if touches == NULL:
        order.places.failed = True
        return
    for number in range(<int32_t>order.places.count):
        if place_at(order, number).touched:
            touches[count].touched = place_at(order, number).touched
            touches[count].number = number
            count += 1
    qsort(touches, count, sizeof(Touch), &compare_touches)
    for index in range(count):
        append(order, touches[index].number)
    free(touches)
    order.linked = True


cdef int32_t order_first(Order* order) noexcept nogil:
    """The least recently touched; -1 where there is none, or when memory is out."""
    if not order.linked:
        link(order)
    return order.first

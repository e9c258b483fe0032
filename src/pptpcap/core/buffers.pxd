"""A growing array of fixed-size items that lives without the interpreter.

Knows no row.  Called by every nogil function that gives rows; ``rows`` hands the memory to NumPy.
``push`` gives NULL when memory is out, and ``failed`` stays set: whoever holds the GIL next raises.
"""

from libc.stdlib cimport free, realloc


cdef struct Buffer:
    char* data
    Py_ssize_t count
    Py_ssize_t capacity
    Py_ssize_t item
    bint failed


cdef inline void buffer_init(Buffer* buffer, Py_ssize_t item) noexcept nogil:
    buffer.data = NULL
    buffer.count = 0
    buffer.capacity = 0
    buffer.item = item
    buffer.failed = False


cdef inline bint buffer_reserve(Buffer* buffer, Py_ssize_t more) noexcept nogil:
    """Room for `more` items; False when memory is out."""
    cdef Py_ssize_t capacity
    cdef char* data
    if buffer.count + more <= buffer.capacity:
        return True
    capacity = max(buffer.count + more, 2 * buffer.capacity, 4)
    data = <char*>realloc(buffer.data, <size_t>(capacity * buffer.item))
    if data == NULL:
        buffer.failed = True
        return False
    buffer.data = data
    buffer.capacity = capacity
    return True


cdef inline char* buffer_push(Buffer* buffer) noexcept nogil:
    """One more item, not initialised; NULL when memory is out."""
    cdef char* item
    if buffer.count == buffer.capacity and not buffer_reserve(buffer, 1):
        return NULL
    item = buffer.data + buffer.count * buffer.item
    buffer.count += 1
    return item


cdef inline char* buffer_at(const Buffer* buffer, Py_ssize_t index) noexcept nogil:
    return buffer.data + index * buffer.item


cdef inline void buffer_free(Buffer* buffer) noexcept nogil:
    free(buffer.data)
    buffer_init(buffer, buffer.item)

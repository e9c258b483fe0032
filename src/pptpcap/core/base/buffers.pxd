"""A growing array of fixed-size items that needs no interpreter.

Must not know rows.  ``buffer_push`` returns NULL if memory runs out, and ``failed`` stays set: the next code that holds
the GIL raises.
"""

from .memory cimport Memory, memory_bring, memory_free, memory_init, memory_resize


cdef enum:
    MANY_PAGES = 64 << 10


cdef struct Buffer:
    char* data
    Py_ssize_t count
    # Items whose pages are populated.
    Py_ssize_t capacity
    Py_ssize_t item
    Memory memory
    bint failed


cdef inline void buffer_init(Buffer* buffer, Py_ssize_t item) noexcept nogil:
    buffer.data = NULL
    buffer.count = 0
    buffer.capacity = 0
    buffer.item = item
    memory_init(&buffer.memory)
    buffer.failed = False


cdef inline bint buffer_resize(Buffer* buffer, Py_ssize_t room) noexcept nogil:
    """Resize to `room` items, at least the present number; False, and no change, if memory runs out."""
    cdef size_t used = <size_t>(buffer.count * buffer.item)
    if not memory_resize(&buffer.memory, <size_t>(room * buffer.item), used):
        return False
    buffer.data = buffer.memory.data
    buffer.capacity = <Py_ssize_t>buffer.memory.present // buffer.item
    return True


cdef inline bint buffer_reserve(Buffer* buffer, Py_ssize_t more) noexcept nogil:
    """Reserve room for `more` items; False if memory runs out."""
    cdef Py_ssize_t count = buffer.count + more
    cdef Py_ssize_t room
    # Growth copies memory that is not mapped.  Of memory of many pages, those that are not written cost nothing.
    cdef Py_ssize_t growth = 4 if not buffer.memory.mapped and buffer.memory.size >= MANY_PAGES else 2
    if count <= buffer.capacity:
        return True
    room = <Py_ssize_t>buffer.memory.size // buffer.item
    if count > room and not buffer_resize(buffer, max(count, growth * room, 4)):
        buffer.failed = True
        return False
    memory_bring(&buffer.memory, <size_t>(count * buffer.item))
    buffer.capacity = <Py_ssize_t>buffer.memory.present // buffer.item
    return True


cdef inline char* buffer_push(Buffer* buffer) noexcept nogil:
    """Add an uninitialised item; NULL if memory runs out."""
    cdef char* item
    if buffer.count == buffer.capacity and not buffer_reserve(buffer, 1):
        return NULL
    item = buffer.data + buffer.count * buffer.item
    buffer.count += 1
    return item


cdef inline char* buffer_at(const Buffer* buffer, Py_ssize_t index) noexcept nogil:
    return buffer.data + index * buffer.item


cdef inline void buffer_free(Buffer* buffer) noexcept nogil:
    memory_free(&buffer.memory)
    buffer_init(buffer, buffer.item)

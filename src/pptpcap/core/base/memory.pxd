"""Memory of arrays, from ``malloc`` or mapped; see ``memory.pyx``."""


cdef struct Memory:
    char* data
    # Its size, and how much of that is populated.
    size_t size
    size_t present
    bint mapped
    bint huge_pages


cdef void memory_init(Memory* memory) noexcept nogil
cdef void memory_free(Memory* memory) noexcept nogil
cdef bint memory_resize(Memory* memory, size_t size, size_t used) noexcept nogil
cdef void memory_bring(Memory* memory, size_t size) noexcept nogil
cdef bint memory_zeroed(Memory* memory, size_t size) noexcept nogil

"""Hand the memory of a buffer to NumPy, without a copy.

Knows the buffer protocol and the names of tables, no row.  Called by ``assemble`` with the GIL held.
"""

import numpy as np

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

from .buffers cimport Buffer, buffer_init

from ..schema import dtype, empty


cdef class Block:
    """Memory from malloc that lives as long as an array looks at it."""

    cdef char* data
    cdef Py_ssize_t size

    def __dealloc__(self):
        free(self.data)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.data, self.size, 0, flags)

    def __reduce__(self):
        raise TypeError("a block of memory cannot be pickled; pickle the array")


cdef object take_rows(Buffer* buffer, str table):
    """The rows of `buffer` as an array that owns them; the buffer is empty afterwards."""
    cdef Block block
    cdef char* smaller
    if buffer.failed:
        raise MemoryError
    if buffer.count == 0:
        return empty(table)
    block = Block.__new__(Block)
    block.size = buffer.count * buffer.item
    smaller = <char*>realloc(buffer.data, <size_t>block.size)
    block.data = smaller if smaller != NULL else buffer.data
    buffer_init(buffer, buffer.item)
    return np.frombuffer(block, dtype=dtype(table))


cdef object take_octets(Buffer* buffer):
    """The octets of `buffer` as an array that owns them; the buffer is empty afterwards."""
    cdef Block block
    if buffer.failed:
        raise MemoryError
    if buffer.count == 0:
        return np.empty(0, np.uint8)
    block = Block.__new__(Block)
    block.size = buffer.count
    block.data = buffer.data
    buffer_init(buffer, buffer.item)
    return np.frombuffer(block, dtype=np.uint8)


cdef object copy_rows(Buffer* buffer, str table):
    """A copy of the rows of `buffer`."""
    cdef Block block
    if buffer.failed:
        raise MemoryError
    if buffer.count == 0:
        return empty(table)
    block = Block.__new__(Block)
    block.size = buffer.count * buffer.item
    block.data = <char*>malloc(<size_t>block.size)
    if block.data == NULL:
        raise MemoryError
    memcpy(block.data, buffer.data, <size_t>block.size)
    return np.frombuffer(block, dtype=dtype(table))


cdef int check_layout(Py_ssize_t item, str table) except -1:
    """The compiled row of `table` must be as long as its dtype: a stale build fails at import."""
    if dtype(table).itemsize != item:
        raise ImportError(f"the compiled core was built for another layout of the table {table}: build it again")
    return 0

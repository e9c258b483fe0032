"""Hands the memory of a buffer to NumPy without a copy.

Knows the buffer protocol and the names of tables.  Needs the GIL.  Must not know columns.
"""

import numpy as np

from cpython.buffer cimport PyBuffer_FillInfo
from libc.string cimport memcpy

from .buffers cimport Buffer, buffer_at, buffer_init, buffer_resize
from .memory cimport Memory, memory_free, memory_resize

from ...schema import dtype, empty


cdef class Block:
    """Memory that lives as long as an array refers to it."""

    cdef Memory memory
    # Size of the exported memory.
    cdef Py_ssize_t size

    def __dealloc__(self):
        memory_free(&self.memory)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.memory.data, self.size, 0, flags)

    def __reduce__(self):
        raise TypeError("a block of memory cannot be pickled; pickle the array")


cdef Block take_memory(Buffer* buffer):
    """Take the memory of `buffer`, and leave it empty."""
    cdef Block block = Block.__new__(Block)
    block.size = buffer.count * buffer.item
    block.memory = buffer.memory
    buffer_init(buffer, buffer.item)
    return block


cdef object take_rows(Buffer* buffer, str table):
    """Turn the rows of `buffer` into an array that owns them, and leave the buffer empty."""
    if buffer.failed:
        raise MemoryError
    if buffer.count == 0:
        return empty(table)
    # If shrinking fails, the rows keep the memory.
    buffer_resize(buffer, buffer.count)
    return np.frombuffer(take_memory(buffer), dtype=dtype(table))


cdef object take_items(Buffer* buffer, object kind):
    """Turn the items of `buffer` into an array of this dtype that owns them, and leave the buffer empty."""
    if buffer.failed:
        raise MemoryError
    if buffer.count == 0:
        return np.empty(0, kind)
    return np.frombuffer(take_memory(buffer), dtype=kind)


cdef object copy_rows(const Buffer* buffer, str table, Py_ssize_t start, Py_ssize_t stop):
    """A copy of the rows ``start:stop`` of `buffer`, which are there."""
    cdef Block block
    if start == stop:
        return empty(table)
    block = Block.__new__(Block)
    block.size = (stop - start) * buffer.item
    if not memory_resize(&block.memory, <size_t>block.size, 0):
        raise MemoryError
    memcpy(block.memory.data, buffer_at(buffer, start), <size_t>block.size)
    return np.frombuffer(block, dtype=dtype(table))


cdef int check_layout(Py_ssize_t item, str table) except -1:
    """The compiled row of `table` must be as long as its dtype: a stale build fails at import."""
    if dtype(table).itemsize != item:
        raise ImportError(f"the compiled core was built for another layout of the table {table}: build it again")
    return 0

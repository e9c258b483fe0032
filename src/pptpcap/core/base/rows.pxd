"""Declarations of ``rows``."""

from .buffers cimport Buffer


cdef object take_rows(Buffer* buffer, str table)

cdef object take_items(Buffer* buffer, object kind)

cdef object copy_rows(const Buffer* buffer, str table, Py_ssize_t start, Py_ssize_t stop)

cdef int check_layout(Py_ssize_t item, str table) except -1

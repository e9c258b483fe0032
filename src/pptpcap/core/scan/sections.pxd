"""Declarations of ``sections``."""

from libc.stdint cimport int64_t

from ..base.buffers cimport Buffer
from .blocks cimport Section


cdef class Interfaces:
    cdef Buffer rows
    cdef readonly tuple described


cdef Interfaces load_section(Section* section, object container)

cdef object store_section(const Section* section, object container, Interfaces known, int64_t lost_at)

cdef void free_section(Section* section) noexcept nogil

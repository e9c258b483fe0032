"""Declarations of ``sections``."""

from ..base.buffers cimport Buffer
from .blocks cimport Section


cdef class Interfaces:
    cdef Buffer rows
    cdef readonly tuple described


cdef Interfaces load_section(Section* section, object container)

cdef object store_section(const Section* section, object container, Interfaces known)

cdef void free_section(Section* section) noexcept nogil

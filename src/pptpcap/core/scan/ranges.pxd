"""The result of a scan as ``assemble`` sees it."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from ..base.numbers cimport Caps
from ..base.packets cimport Packet
from ..base.table cimport HashTable
from .sink cimport Mirrors, Sink
from .walk cimport Format


cdef class Ports:
    cdef Mirrors mirrors


cdef class Scan:
    cdef Sink sink
    cdef HashTable flows
    cdef unsigned char ports[8192]
    # Held while the sink points into it.
    cdef Ports carriers
    # Held until the assembler has read the payloads to which segments and fragments point.
    cdef const unsigned char[::1] data
    cdef readonly Py_ssize_t end
    cdef readonly Py_ssize_t records
    cdef readonly bint damaged
    cdef readonly uint32_t file
    cdef readonly object container
    # Of the last record, for what is found at the end of the capture.
    cdef Packet last
    cdef int64_t earliest
    cdef int64_t latest
    # Time of its last packet that has one, NaT without.
    cdef int64_t newest

    cdef int check(self) except -1


cdef Caps caps_of(object limits)

cdef Format format_of(object container)

cdef int fill_ports(unsigned char* bitmap, object ports) except -1
cdef object ports_of

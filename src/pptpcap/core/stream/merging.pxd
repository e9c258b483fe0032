"""Rows of scans and of reassembled datagrams that were merged and not taken yet."""

from libc.stdint cimport int64_t

from ..base.buffers cimport Buffer
from ..scan.sink cimport Sink


cdef struct Merged:
    Buffer gre
    Buffer ppp
    # Parallel to `ppp`; good only while the scan is taken in.
    Buffer ppp_bodies
    Buffer ppp_options
    Buffer payloads
    # Rows that were taken before.
    int64_t gre_before
    int64_t ppp_before


cdef enum:
    # In the place of the tunnel of a row that is to be left out.
    LEFT_OUT = -2


cdef struct RowStart:
    # Where the rows of this scan begin in `gre`, `ppp`, `ppp_options` and `payloads`.
    Py_ssize_t gre
    Py_ssize_t ppp
    Py_ssize_t options
    Py_ssize_t payloads


cdef bint append(Buffer* rows, Buffer* more) noexcept nogil
cdef void merged_init(Merged* rows) noexcept nogil
cdef void merged_free(Merged* rows) noexcept nogil
cdef bint merged_failed(const Merged* rows) noexcept nogil
cdef void leave_out(Merged* rows, const RowStart* start) noexcept nogil
cdef bint merge(Merged* rows, Sink* scanned, const Sink* again, RowStart* start) noexcept nogil

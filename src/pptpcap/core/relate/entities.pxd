"""Declarations of ``entities``."""

from libc.stdint cimport int32_t, int64_t, uint16_t

from ..base.buffers cimport Buffer
from .state cimport Relations


cdef struct Half:
    # What each role sends in a call that tunnels alone tell of, -1 without.
    int32_t tunnel[2]
    # ROLES_ASSUMED or ROLES_FROM_PPP.
    uint16_t status


cdef struct Entities:
    # Row of the call of each tunnel.
    int32_t* calls_of
    # Of the calls behind those that messages tell of.
    Buffer halves


cdef bint entities_init(Entities* entities, const Relations* state) noexcept nogil
cdef void entities_free(Entities* entities) noexcept nogil
cdef Py_ssize_t count_calls(const Entities* entities, const Relations* state) noexcept nogil
cdef bint write_tunnels(
    const Entities* entities, const Relations* state, Py_ssize_t start, Py_ssize_t stop, Buffer* rows
) noexcept nogil
cdef bint write_calls(
    const Entities* entities, const Relations* state, const Buffer* connections, Py_ssize_t start, Py_ssize_t stop,
    Buffer* rows,
) noexcept nogil

"""Declarations of ``entities``."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t

from ..base.buffers cimport Buffer
from .state cimport Relations


cdef struct Half:
    # What each role sends in a call that tunnels alone tell of, -1 without.
    int32_t tunnel[2]
    # ROLES_ASSUMED or ROLES_FROM_PPP.
    uint16_t status


cdef struct Turn:
    # First packet of a call, and its place among those that messages tell of and the halves behind them.
    uint64_t packet
    int32_t index


cdef struct Entities:
    # Row of the call of each tunnel.
    int32_t* calls_of
    # By row of calls.
    Turn* turns
    Buffer halves


cdef bint entities_init(Entities* entities, const Relations* state) noexcept nogil
cdef void entities_free(Entities* entities) noexcept nogil
cdef Py_ssize_t count_calls(const Entities* entities, const Relations* state) noexcept nogil
cdef bint write_tunnels(
    const Entities* entities, const Relations* state, Py_ssize_t start, Py_ssize_t stop, Buffer* rows
) noexcept nogil
cdef bint write_calls(
    const Entities* entities, const Relations* state, const Buffer* connections, int64_t latest, Py_ssize_t start,
    Py_ssize_t stop, Buffer* rows,
) noexcept nogil

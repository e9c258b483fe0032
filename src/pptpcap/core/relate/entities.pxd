"""Declarations of ``entities``."""

from libc.stdint cimport int32_t, uint16_t

from ..base.buffers cimport Buffer
from ..stream.control cimport Output
from .state cimport Relations


cdef struct Half:
    # What each role sends in a call that tunnels alone tell of, -1 without.
    int32_t tunnel[2]
    # ROLES_ASSUMED or ROLES_FROM_PPP.
    uint16_t status


cdef struct Pair:
    # Of two addresses: the tunnel without a call or partner, and the call that lacks the id of where it leads; NOBODY
    # where there is none, SEVERAL where there are more.
    int32_t tunnel
    int32_t call


cdef struct Entities:
    # Row of the call of each tunnel.
    int32_t* calls_of
    # Of the calls behind those that messages tell of.
    Buffer halves
    # Of those that messages tell of: the tunnel that joins the call as the only one, -1 without; NULL for none at all.
    int32_t* joined


cdef bint entities_init(Entities* entities, const Relations* state, const Buffer* connections) noexcept nogil
cdef void entities_free(Entities* entities) noexcept nogil
cdef Py_ssize_t count_calls(const Entities* entities, const Relations* state) noexcept nogil
cdef bint write_tunnels(
    const Entities* entities, const Relations* state, Py_ssize_t start, Py_ssize_t stop, Buffer* rows
) noexcept nogil
cdef bint write_calls(
    const Entities* entities, const Relations* state, const Output* out, Py_ssize_t start, Py_ssize_t stop,
    Buffer* rows,
) noexcept nogil

"""Declarations of ``tunnels`` (decoding section 10.2)."""

from libc.stdint cimport int32_t, uint16_t, uint64_t

from ..base.keys cimport Key
from ..base.numbers cimport Caps, GreRow
from .state cimport Relations


cdef void relations_init(
    Relations* state, uint64_t seed, const Caps* caps, uint64_t key_layers, bint identities, bint drops_copies
) noexcept nogil
cdef void relations_free(Relations* state) noexcept nogil
cdef bint relations_failed(const Relations* state) noexcept nogil
cdef int32_t tunnel_of(Relations* state, const Key* flow, const GreRow* row) noexcept nogil
cdef int32_t current_tunnel(const Relations* state, const Key* key) noexcept nogil
cdef int32_t claim(Relations* state, const Key* key, int32_t call, int role) noexcept nogil
cdef bint give_id(Relations* state, int32_t call, int role, uint16_t call_id) noexcept nogil

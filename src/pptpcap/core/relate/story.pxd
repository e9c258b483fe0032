"""Declarations of ``story``."""

from ..base.numbers cimport CallRow
from ..stream.control cimport InVain
from .state cimport Call, Relations, Tunnel


cdef int role_of(const Tunnel* tunnel) noexcept nogil
cdef void tell_story(CallRow* row, const Relations* state, const Call* call, const InVain* in_vain) noexcept nogil

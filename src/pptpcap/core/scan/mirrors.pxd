"""Declarations of ``mirrors``."""

from ..base.packets cimport Packet
from .sink cimport Inner, Sink


cdef bint open_mirror(Sink* sink, const Packet* packet, Inner* inner) noexcept nogil

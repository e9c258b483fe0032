"""Declarations of ``blocks``."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from ..base.buffers cimport Buffer
from .parts cimport Format
from .sink cimport Sink
from .walk cimport Walk


cdef struct Interface:
    int link_type
    uint32_t snap_length
    # Ticks in a second, 0 where times are not known; seconds to add.
    uint64_t ticks
    int64_t offset


cdef struct Section:
    bint big_endian
    # Interfaces that were known before, and those that the walk found behind them.
    const Interface* known
    Py_ssize_t known_count
    Buffer found
    # By interface number: whether its unsupported link type was reported in this range.
    Buffer told
    # The walk learnt something.
    bint changed


cdef void walk_blocks(
    Sink* sink, Format* format, Section* section, const uint8_t* data, int64_t stop, int64_t size, int64_t origin,
    bint final, int64_t most_records, Walk* walk,
) noexcept nogil

cdef void forget_interfaces(Section* section) noexcept nogil

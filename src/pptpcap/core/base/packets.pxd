"""The facts of one packet, and how an issue is added at one.

Must not know headers.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from .buffers cimport Buffer, buffer_push
from .numbers cimport IssueRow


cdef struct Packet:
    int64_t time
    uint64_t packet
    int64_t record_offset
    uint32_t file
    uint8_t time_fraction
    uint8_t fragmented


cdef inline int64_t not_a_time() noexcept nogil:
    """NumPy's NaT."""
    return <int64_t>(<uint64_t>1 << 63)


cdef inline void add_issue(
    Buffer* issues, const Packet* packet, int layer, int kind, int64_t needed, int64_t had
) noexcept nogil:
    """An issue at `packet` that concerns no connection."""
    cdef IssueRow* row = <IssueRow*>buffer_push(issues)
    if row == NULL:
        return
    row.time = packet.time
    row.file = packet.file
    row.packet = packet.packet
    row.record_offset = packet.record_offset
    row.connection = -1
    row.layer = <uint8_t>layer
    row.kind = <uint8_t>kind
    row.needed = <uint64_t>needed
    row.had = <uint64_t>had

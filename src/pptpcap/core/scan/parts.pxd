"""Decides whether what stands where a record is due is one (decoding 1.8 to 1.10).

Knows file headers of pcap and runs of zeros, not what is in a record.  Reads `ZERO_RUN` octets at most.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.numbers cimport (
    BYTE_ORDER_MAGIC, PCAP_HEADER_SIZE, PCAP_KUZNETZOV, PCAP_MICROSECONDS, PCAP_NANOSECONDS, RECORD_HEADER_SIZE,
    SECTION_HEADER_BLOCK, ZERO_RUN, Caps,
)
from ..base.octets cimport load16, load16_little, load32, load32_little


cdef enum Lengths:
    # Which length stands first in a record header.
    CAPTURED_FIRST
    ORIGINAL_FIRST
    LESSER_CAPTURED


cdef struct Format:
    # Blocks of pcapng; the rest is about records.
    bint has_blocks
    bint big_endian
    uint32_t ticks
    uint32_t ns_per_tick
    int link_type
    uint32_t snap_length
    int64_t record_header
    Lengths lengths


cdef enum Due:
    RECORD
    # Another file of pcap, or of pcapng.
    PART
    SECTION
    ZEROS
    # The octets that would tell are not there yet.
    UNTOLD


cdef inline uint32_t header32(const Format* format, const uint8_t* p) noexcept nogil:
    return load32(p) if format.big_endian else load32_little(p)


cdef inline int64_t captured_of(const Format* format, const uint8_t* header, int64_t* original) noexcept nogil:
    """The captured length in a record header, and the original one."""
    cdef int64_t captured = header32(format, header + 8)
    original[0] = header32(format, header + 12)
    if format.lengths != CAPTURED_FIRST and (format.lengths == ORIGINAL_FIRST or captured > original[0]):
        captured, original[0] = original[0], captured
    return captured


cdef inline bint is_magic(uint32_t number) noexcept nogil:
    return number == PCAP_MICROSECONDS or number == PCAP_NANOSECONDS or number == PCAP_KUZNETZOV


cdef inline bint has_magic(const uint8_t* p) noexcept nogil:
    """Whether a file header may begin at `p`."""
    cdef uint32_t number = load32(p)
    return number == SECTION_HEADER_BLOCK or is_magic(number) or is_magic(load32_little(p))


cdef inline bint read_header(const uint8_t* p, Format* found) noexcept nogil:
    """What a file header of pcap at `p` says; False where there is none that can be joined."""
    cdef bint big_endian = is_magic(load32(p))
    cdef uint32_t magic = load32(p) if big_endian else load32_little(p)
    cdef uint16_t major = load16(p + 4) if big_endian else load16_little(p + 4)
    cdef uint16_t minor = load16(p + 6) if big_endian else load16_little(p + 6)
    if not is_magic(magic) or major != 2 or minor > 4 or load32(p + 8) | load32(p + 12):
        return False
    found.has_blocks = False
    found.big_endian = big_endian
    found.ticks = 1_000_000_000 if magic == PCAP_NANOSECONDS else 1_000_000
    found.ns_per_tick = 1_000_000_000 // found.ticks
    found.snap_length = header32(found, p + 16)
    found.link_type = <int>(header32(found, p + 20) & 0xFFFF)
    found.record_header = RECORD_HEADER_SIZE + 8 if magic == PCAP_KUZNETZOV else RECORD_HEADER_SIZE
    found.lengths = CAPTURED_FIRST
    if minor < 4:
        found.lengths = LESSER_CAPTURED if minor == 3 else ORIGINAL_FIRST
    # Such a file is one of AIX.
    return found.snap_length != 0 and not (minor == 2 and found.link_type in (6, 9, 15, 24))


cdef inline Due part_at(
    const Caps* caps, const uint8_t* data, int64_t at, int64_t size, bint final, Format* found
) noexcept nogil:
    """Whether another capture begins at `at`, where four octets are; if one of pcap, what its header says."""
    cdef const uint8_t* behind = data + at + PCAP_HEADER_SIZE
    cdef int64_t left = size - at
    cdef int64_t original
    if not has_magic(data + at):
        return RECORD
    if load32(data + at) == SECTION_HEADER_BLOCK:
        if left < 12:
            return RECORD if final else UNTOLD
        if load32(data + at + 8) == BYTE_ORDER_MAGIC or load32_little(data + at + 8) == BYTE_ORDER_MAGIC:
            return SECTION
        return RECORD
    if left < PCAP_HEADER_SIZE:
        return RECORD if final else UNTOLD
    if not read_header(data + at, found):
        return RECORD
    if left - PCAP_HEADER_SIZE < found.record_header:
        return PART if final else UNTOLD
    if has_magic(behind):
        return PART
    if header32(found, behind + 4) >= found.ticks or captured_of(found, behind, &original) > caps.captured_length:
        return RECORD
    return PART


cdef inline Due zeros_at(const uint8_t* data, int64_t at, int64_t size, bint final) noexcept nogil:
    """Whether a run of zeros begins at `at` that is no record."""
    cdef int64_t end = min(at + ZERO_RUN, size)
    cdef int64_t position = at
    while position < end:
        if data[position]:
            return RECORD
        position += 1
    return ZEROS if final or position == at + ZERO_RUN else UNTOLD


cdef inline Due what_is_due(
    const Format* format, const Caps* caps, const uint8_t* data, int64_t at, int64_t size, bint final, Format* found
) noexcept nogil:
    """What stands at `at`, where a record header is whole."""
    cdef const uint8_t* header = data + at
    cdef int64_t index
    for index in range(format.record_header):
        if header[index]:
            return part_at(caps, data, at, size, final, found)
    return zeros_at(data, at, size, final)

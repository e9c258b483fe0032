"""Walks the blocks of a pcapng range (decoding section 1b).

Knows blocks, options and time resolutions.  Must not know what a packet holds.  Each step advances by a block, 12 bytes
at least.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.buffers cimport buffer_at, buffer_push
from ..base.numbers cimport (
    BYTE_ORDER_MAGIC, COUNT_FRAMES_CUT, COUNT_UNSUPPORTED_LINK, ENHANCED_PACKET_BLOCK, INTERFACE_DESCRIPTION_BLOCK,
    KIND_BAD_OPTION, KIND_CAPTURED_EXCEEDS_BLOCK, KIND_CORRUPT_BLOCK, KIND_INTERFACE_LIMIT, KIND_TIME_RANGE,
    KIND_TRUNCATED_RECORD, KIND_UNKNOWN_INTERFACE, LAYER_CONTAINER, OPTION_TIME_OFFSET, OPTION_TIME_RESOLUTION,
    PACKET_BLOCK, PCAP_HEADER_SIZE, SECTION_HEADER_BLOCK, SIMPLE_PACKET_BLOCK,
)
from ..base.octets cimport load16, load16_little, load32, load32_little
from ..base.packets cimport Packet, add_issue, not_a_time
from .packets cimport walk_packet
from .parts cimport PART, RECORD, Due, Format, part_at
from .salvage cimport IMPLAUSIBLE, UNDECIDED, blocks_plausible, lose, step_over, tell_skipped
from .sink cimport Sink, add_place
from .walk cimport Walk, count_packet, damage, least_length, tell

cdef extern from *:
    """
    /* Floor of ticks x 10^9 / resolution plus offset x 10^9; 0 where no int64 but the least one holds it. */
    static int pptpcap_nanoseconds(uint64_t ticks, uint64_t resolution, int64_t offset, int64_t* time) {
        __extension__ typedef __int128 wide;
        wide fraction = (wide)(ticks % resolution) * 1000000000 / resolution;
        wide total = ((wide)(ticks / resolution) + offset) * 1000000000 + fraction;
        if (total <= INT64_MIN || total > INT64_MAX) return 0;
        *time = (int64_t)total;
        return 1;
    }
    """
    bint nanoseconds "pptpcap_nanoseconds"(
        uint64_t ticks, uint64_t resolution, int64_t offset, int64_t* time
    ) noexcept nogil

cdef enum:
    # Where an Enhanced Packet Block and a Simple Packet Block have their data, and both their trailing length.
    ENHANCED_DATA = 28
    SIMPLE_DATA = 12
    TRAILER = 4
    # Least first octet of the magic numbers of pcap, in either byte order.
    LEAST_MAGIC = 0x34


cdef inline uint16_t get16(const Section* section, const uint8_t* p) noexcept nogil:
    return load16(p) if section.big_endian else load16_little(p)


cdef inline uint32_t get32(const Section* section, const uint8_t* p) noexcept nogil:
    return load32(p) if section.big_endian else load32_little(p)


cdef uint64_t resolution(uint8_t value) noexcept nogil:
    """Ticks in a second that ``if_tsresol`` means; 0 where 64 bits do not hold it."""
    cdef uint64_t ticks = 1
    cdef int _digit
    if value & 0x80:
        return <uint64_t>1 << (value & 0x7F) if value & 0x7F <= 63 else 0
    if value > 19:
        return 0
    for _digit in range(value):
        ticks *= 10
    return ticks


cdef void read_options(
    Sink* sink, const Walk* walk, const Section* section, Interface* interface, const uint8_t* p, int64_t left,
    int64_t record_offset,
) noexcept nogil:
    """The options of an Interface Description Block, of `left` octets at `p`."""
    cdef uint16_t code
    cdef int64_t length
    cdef int64_t padded
    while left >= 4:
        code = get16(section, p)
        length = get16(section, p + 2)
        p += 4
        left -= 4
        if code == 0:
            return
        if length > left:
            tell(sink, walk, record_offset, KIND_BAD_OPTION, length, left)
            return
        if code == OPTION_TIME_RESOLUTION:
            if length != 1:
                tell(sink, walk, record_offset, KIND_BAD_OPTION, 1, length)
            else:
                interface.ticks = resolution(p[0])
                if interface.ticks == 0:
                    tell(sink, walk, record_offset, KIND_BAD_OPTION, 63 if p[0] & 0x80 else 19, p[0] & 0x7F)
        elif code == OPTION_TIME_OFFSET:
            if length != 8:
                tell(sink, walk, record_offset, KIND_BAD_OPTION, 8, length)
            elif section.big_endian:
                interface.offset = <int64_t>((<uint64_t>load32(p) << 32) | load32(p + 4))
            else:
                interface.offset = <int64_t>((<uint64_t>load32_little(p + 4) << 32) | load32_little(p))
        padded = min((length + 3) & ~3, left)
        p += padded
        left -= padded


cdef inline Py_ssize_t interface_count(const Section* section) noexcept nogil:
    return section.known_count + section.found.count


cdef inline const Interface* interface_at(const Section* section, int64_t number) noexcept nogil:
    """The interface with this number, NULL if there is none."""
    if number < section.known_count:
        return section.known + number
    number -= section.known_count
    return <const Interface*>buffer_at(&section.found, number) if number < section.found.count else NULL


cdef void remember(Section* section, int64_t number) noexcept nogil:
    """Remember that this unsupported link type was reported; out of memory, it is reported again."""
    cdef char* flag
    while section.told.count <= number:
        flag = buffer_push(&section.told)
        if flag == NULL:
            return
        flag[0] = 0
    section.told.data[number] = 1


cdef void read_interface(
    Sink* sink, const Walk* walk, Section* section, const uint8_t* block, int64_t length, int64_t record_offset
) noexcept nogil:
    cdef Interface* interface
    if interface_count(section) >= sink.caps.interfaces:
        tell(sink, walk, record_offset, KIND_INTERFACE_LIMIT, sink.caps.interfaces, sink.caps.interfaces + 1)
        return
    interface = <Interface*>buffer_push(&section.found)
    if interface == NULL:
        return
    section.changed = True
    add_place(sink, ~record_offset)
    interface.link_type = get16(section, block + 8)
    interface.snap_length = get32(section, block + 12)
    interface.ticks = 1_000_000
    interface.offset = 0
    read_options(sink, walk, section, interface, block + 16, length - 16 - TRAILER, record_offset)


cdef void read_packet(
    Sink* sink, Walk* walk, Section* section, uint32_t kind, const uint8_t* block, int64_t length, Packet* packet
) noexcept nogil:
    """A packet of any of the three kinds of block."""
    cdef const Interface* interface
    cdef int64_t data = SIMPLE_DATA if kind == SIMPLE_PACKET_BLOCK else ENHANCED_DATA
    cdef int64_t room = length - data - TRAILER
    cdef int64_t number = 0
    cdef int64_t captured
    cdef int64_t claimed
    cdef int64_t original
    cdef uint64_t ticks
    cdef bint told
    if kind == ENHANCED_PACKET_BLOCK:
        number = get32(section, block + 8)
    elif kind == PACKET_BLOCK:
        number = get16(section, block + 8)
    interface = interface_at(section, number)
    packet.time = not_a_time()
    if kind == SIMPLE_PACKET_BLOCK:
        original = get32(section, block + 8)
        captured = min(original, room)
        if interface != NULL and interface.snap_length != 0:
            captured = min(captured, <int64_t>interface.snap_length)
        claimed = captured
    else:
        claimed = get32(section, block + 20)
        original = get32(section, block + 24)
        captured = claimed if claimed <= room else 0
        if interface != NULL:
            ticks = (<uint64_t>get32(section, block + 12) << 32) | get32(section, block + 16)
            if interface.ticks != 0 and not nanoseconds(ticks, interface.ticks, interface.offset, &packet.time):
                add_issue(
                    &sink.issues, packet, LAYER_CONTAINER, KIND_TIME_RANGE, 0, <int64_t>(ticks // interface.ticks)
                )
    original = count_packet(sink, walk, packet, captured, claimed, original)
    if claimed > room:
        sink.counters[COUNT_FRAMES_CUT] += 1
        add_issue(&sink.issues, packet, LAYER_CONTAINER, KIND_CAPTURED_EXCEEDS_BLOCK, claimed, room)
    elif interface == NULL:
        sink.counters[COUNT_UNSUPPORTED_LINK] += 1
        add_issue(
            &sink.issues, packet, LAYER_CONTAINER, KIND_UNKNOWN_INTERFACE, interface_count(section), number
        )
    else:
        sink.interface = number
        told = number < section.told.count and section.told.data[number]
        sink.unsupported_seen = told
        sink.big_endian = section.big_endian
        walk_packet(sink, packet, interface.link_type, block + data, captured, original)
        if sink.unsupported_seen and not told:
            remember(section, number)


cdef int64_t read_head(
    Sink* sink, Walk* walk, Section* section, const uint8_t* block, int64_t left, int64_t offset, bint final
) noexcept nogil:
    """Total length of the block of which `left` octets are there, with the byte order that a section header gives.

    Gives 0 where it is corrupt, or is cut; without `final`, what is cut will come.
    """
    cdef bint big_endian = section.big_endian
    cdef uint32_t kind
    cdef int64_t length
    cdef int64_t least
    cdef int64_t trailing
    if left < 12:
        if final:
            damage(sink, walk, offset, KIND_TRUNCATED_RECORD, 12, left)
        return 0
    kind = get32(section, block)
    if kind == SECTION_HEADER_BLOCK:
        if left < 16:
            if final:
                damage(sink, walk, offset, KIND_TRUNCATED_RECORD, 16, left)
            return 0
        big_endian = load32(block + 8) == BYTE_ORDER_MAGIC
        if not big_endian and load32_little(block + 8) != BYTE_ORDER_MAGIC:
            damage(sink, walk, offset, KIND_CORRUPT_BLOCK, BYTE_ORDER_MAGIC, load32(block + 8))
            return 0
    length = load32(block + 4) if big_endian else load32_little(block + 4)
    least = least_length(kind)
    if length < least or length & 3:
        damage(sink, walk, offset, KIND_CORRUPT_BLOCK, least, length)
        return 0
    if length > sink.caps.block_length:
        damage(sink, walk, offset, KIND_CORRUPT_BLOCK, sink.caps.block_length, length)
        return 0
    if length > left:
        if final:
            damage(sink, walk, offset, KIND_TRUNCATED_RECORD, length, left)
        return 0
    block += length - TRAILER
    trailing = load32(block) if big_endian else load32_little(block)
    if trailing != length:
        damage(sink, walk, offset, KIND_CORRUPT_BLOCK, length, trailing)
        return 0
    # The block is complete, so its byte order is valid.
    section.big_endian = big_endian
    return length


cdef void forget_interfaces(Section* section) noexcept nogil:
    """A new section begins."""
    section.known_count = 0
    section.found.count = 0
    section.told.count = 0
    section.changed = True


cdef bint begin_section(
    Sink* sink, Walk* walk, Section* section, const uint8_t* block, int64_t offset
) noexcept nogil:
    """Begin a section; False if its version is not supported."""
    if get16(section, block + 12) != 1:
        damage(sink, walk, offset, KIND_CORRUPT_BLOCK, 1, get16(section, block + 12))
        return False
    add_place(sink, ~offset)
    forget_interfaces(section)
    return True


cdef void walk_blocks(
    Sink* sink, Format* format, Section* section, const uint8_t* data, int64_t stop, int64_t size, int64_t origin,
    bint final, int64_t most_records, Walk* walk,
) noexcept nogil:
    """Walk blocks that start before `stop`; without `final`, leave an incomplete one for later."""
    cdef const uint8_t* block
    cdef Packet packet = walk.last
    cdef int64_t length
    cdef int64_t offset
    cdef uint32_t kind
    cdef bint before
    cdef Format found
    cdef Due due
    cdef int verdict
    # The last packet may be one of a file of pcap that stands in front.
    packet.time_fraction = False
    while walk.position < stop and (most_records == 0 or walk.records < most_records):
        block = data + walk.position
        offset = origin + walk.position
        if walk.lost_at >= 0:
            verdict = blocks_plausible(section.big_endian, &sink.caps, data, walk.position, size, final)
            if verdict == UNDECIDED:
                return
            if verdict == IMPLAUSIBLE:
                step_over(sink, walk, origin, size, final)
                continue
            tell_skipped(sink, walk, offset)
        # No type of block that is in use begins with a magic number of pcap.
        if block[0] >= LEAST_MAGIC and size - walk.position >= 12:
            due = part_at(&sink.caps, data, walk.position, size, final, &found)
            if due == PART:
                format[0] = found
                add_place(sink, ~offset)
                walk.position += PCAP_HEADER_SIZE
                walk.joined = True
            if due != RECORD:
                return
        before = section.big_endian
        length = read_head(sink, walk, section, block, size - walk.position, offset, final)
        if length != 0:
            kind = get32(section, block)
            if kind == SECTION_HEADER_BLOCK and not begin_section(sink, walk, section, block, offset):
                section.big_endian = before
                length = 0
        if length == 0:
            if lose(sink, walk, origin, size):
                continue
            return
        if kind == INTERFACE_DESCRIPTION_BLOCK:
            read_interface(sink, walk, section, block, length, offset)
        elif kind == ENHANCED_PACKET_BLOCK or kind == PACKET_BLOCK or kind == SIMPLE_PACKET_BLOCK:
            packet.packet = walk.last.packet + 1
            packet.record_offset = offset
            read_packet(sink, walk, section, kind, block, length, &packet)
        walk.position += length

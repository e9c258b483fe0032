"""The compiled core without the interpreter, as libFuzzer calls it: octets become records, blocks, frames or calls.

Knows what the core's walks want, and no Python; ``bare_state`` is what they fill.
Each input is read whole and in parts, which must give the same rows; every octet of every row is looked at, so that the
memory sanitizer tells of one that nobody wrote.  Built by ``bare.py``, which also writes the seeds in the same form.

An input begins with two octets: what it is, and how it is read.  What a scan sees stands in memory of exactly its
size, which is given back when it was taken in.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport abort, free
from libc.string cimport memcpy, memset

from fuzz.bare_state cimport (
    MOST_FRAMES, STARVES, State, begin, end_scan, own_malloc, refuse, refused, shown,
)
from pptpcap.core.base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push
from pptpcap.core.base.numbers cimport MESSAGE_TYPES, CallRow, IssueRow, TunnelRow
from pptpcap.core.base.packets cimport Packet
from pptpcap.core.base.table cimport table_free
from pptpcap.core.relate.entities cimport (
    Entities, count_calls, entities_free, entities_init, write_calls, write_tunnels,
)
from pptpcap.core.relate.relate cimport relate
from pptpcap.core.relate.tunnels cimport relations_free
from pptpcap.core.scan.blocks cimport Interface, Section
from pptpcap.core.scan.frames cimport walk_protocol
from pptpcap.core.scan.packets cimport open_inner, walk_packet
from pptpcap.core.scan.parts cimport CAPTURED_FIRST, Format
from pptpcap.core.scan.segments cimport Segment
from pptpcap.core.scan.sink cimport sink_free
from pptpcap.core.stream.connections cimport connections_free, finish_all
from pptpcap.core.stream.control cimport listed_connections
from pptpcap.core.stream.fragments cimport give_up, reassembly_free
from pptpcap.core.stream.merging cimport RowStart, merge, merged_free

cdef extern from *:
    """
    #if defined(__has_feature)
    #if __has_feature(memory_sanitizer)
    #include <sanitizer/msan_interface.h>
    #define pptpcap_look(data, size) __msan_check_mem_is_initialized(data, size)
    #endif
    #endif
    #ifndef pptpcap_look
    #define pptpcap_look(data, size) ((void)0)
    #endif
    /* Of Fowler, Noll and Vo. */
    #define PPTPCAP_PRIME 1099511628211ULL
    /* No other module of the core calls it, so that no .pxd has it. */
    extern void __pyx_f_7pptpcap_4core_4scan_6ranges_walk_parts(
        void*, void*, void*, const uint8_t*, int64_t, int64_t, int64_t, int, int64_t, void*);
    """
    const uint64_t PRIME "PPTPCAP_PRIME"
    void look "pptpcap_look"(const void* data, size_t size) noexcept nogil
    void walk_parts "__pyx_f_7pptpcap_4core_4scan_6ranges_walk_parts"(
        void* sink, void* format, void* section, const uint8_t* data, int64_t stop, int64_t size, int64_t origin,
        bint final, int64_t most_records, void* walk,
    ) noexcept nogil

cdef extern from "facts.h":
    const int* links "pptpcap_links"
    int link_count "PPTPCAP_LINKS"

cdef enum:
    RECORDS
    BLOCKS
    FRAMES
    CALLS

cdef enum:
    FIN = 1
    SYN = 2
    # Of what is said of a segment: which number it has.
    STEP = 0x30


cdef void read_file(State* state, int what, uint8_t form, const uint8_t* data, int64_t size, int part) noexcept nogil:
    """Walk records or blocks: in one scan, record by record, or through windows."""
    cdef Format format
    cdef Section section
    cdef Buffer known
    cdef Interface* place
    cdef Py_ssize_t index
    cdef int64_t origin = 0
    cdef int64_t window = 150 * part
    cdef int64_t there
    cdef const uint8_t* octets
    cdef bint final
    format.has_blocks = what == BLOCKS
    format.big_endian = form & 1
    format.ticks = 1_000_000_000 if form & 2 else 1_000_000
    format.ns_per_tick = 1_000_000_000 // format.ticks
    format.snap_length = 0
    format.record_header = 24 if form & 4 else 16
    format.lengths = CAPTURED_FIRST
    format.link_type = links[(form >> 3) % link_count]
    buffer_init(&known, sizeof(Interface))
    section.big_endian = form & 1
    while origin < size:
        there = size - origin if part < 2 else min(window, size - origin)
        final = origin + there == size
        octets = shown(state, data + origin, there)
        state.walk.position = 0
        state.walk.records = 0
        state.walk.damaged = False
        buffer_init(&section.found, sizeof(Interface))
        buffer_init(&section.told, 1)
        section.changed = False
        section.known = <const Interface*>known.data
        section.known_count = known.count
        walk_parts(&state.sink, &format, &section, octets, there, there, origin, final, part == 1, &state.walk)
        state.flows.failed = state.flows.failed or section.found.failed or section.told.failed
        known.count = section.known_count
        for index in range(section.found.count):
            place = <Interface*>buffer_push(&known)
            if place == NULL:
                state.flows.failed = True
                break
            place[0] = (<Interface*>buffer_at(&section.found, index))[0]
        buffer_free(&section.found)
        buffer_free(&section.told)
        if state.walk.position < 0 or state.walk.position > there:
            abort()
        end_scan(state)
        if refused or (state.walk.damaged and not state.walk.salvage):
            break
        if state.walk.position > 0:
            origin += state.walk.position
            window = 150 * part
        elif final:
            abort()
        else:
            window *= 2
    buffer_free(&known)


cdef void read_segment(
    State* state, const Packet* packet, uint8_t how, uint8_t flags, const uint8_t* p, int64_t size
) noexcept nogil:
    """A segment of one of four connections, or their Enhanced GRE; `how` says which, and what is odd."""
    cdef uint8_t endpoint[2][16]
    cdef Segment* segment
    cdef int side = how & 1
    cdef int number = how >> 1 & 3
    cdef int step = how >> 4 & 3
    cdef uint32_t sequence = state.next[number][side]
    cdef uint8_t odd = p[0] if size > 0 else 0
    memset(endpoint, 0, sizeof(endpoint))
    endpoint[0][15] = 2
    # The first two are between the same addresses.
    endpoint[1][15] = <uint8_t>(3 + (number >> 1) * number)
    if how & 8:
        walk_protocol(
            &state.sink, packet, 47, endpoint[side], endpoint[1 - side], p, size,
            size + (5 if how >> 6 == 3 else 0), 1,
        )
        state.sink.headers = 1
        open_inner(&state.sink, packet)
        return
    if step and size > 0:
        p += 1
        size -= 1
        sequence += odd if step == 1 else <uint32_t>-odd if step == 2 else <uint32_t>odd << 24
    segment = <Segment*>buffer_push(&state.sink.segments)
    if segment == NULL:
        return
    segment.packet = packet[0]
    memcpy(segment.source, endpoint[side], 16)
    memcpy(segment.destination, endpoint[1 - side], 16)
    segment.source_port = 1723 if side else <uint32_t>(40000 + number) & 0xFFFF
    segment.destination_port = <uint32_t>(40000 + number) & 0xFFFF if side else 1723
    segment.sequence = sequence
    segment.acknowledgment = state.next[number][1 - side] + (8 if flags & 0x40 else 0)
    segment.flags = flags
    segment.checksum = (how >> 6) % 3
    segment.data = p
    segment.captured = size
    segment.wire = size + (5 if how >> 6 == 3 else 0)
    if step != 3:
        state.next[number][side] = sequence + <uint32_t>segment.wire + ((flags & (SYN | FIN)) != 0)


cdef void next_packet(Packet* packet) noexcept nogil:
    packet.packet += 1
    packet.time += 1_000_000
    packet.record_offset += 16


cdef int read_call(
    State* state, Packet* packet, uint8_t form, const uint8_t* data, int64_t size
) noexcept nogil:
    """What stands behind two octets, in one segment or two, as `form` says; gives how many packets that were."""
    cdef uint8_t how = data[0]
    cdef uint8_t flags = data[1]
    cdef int64_t place = size - 2 - (form & 0x7F) if form & 0x80 else form & 0x7F
    data += 2
    size -= 2
    if how & 8 or not 0 < place < size:
        read_segment(state, packet, how, flags, shown(state, data, size), size)
        return 1
    read_segment(state, packet, how, <uint8_t>(flags & ~FIN), shown(state, data, place), place)
    next_packet(packet)
    how &= ~STEP & 0xFF
    read_segment(
        state, packet, how, <uint8_t>(flags & ~SYN), shown(state, data + place, size - place), size - place
    )
    return 2


cdef void read_pieces(State* state, int what, uint8_t form, const uint8_t* data, int64_t size, int part) noexcept nogil:
    """Frames, or what is said, each behind two octets: 11 bits of length, and above them how many octets are lost."""
    cdef Packet packet
    cdef int64_t at = 0
    cdef int64_t length
    cdef int64_t left
    cdef int count = 0
    cdef int since = 0
    memset(&packet, 0, sizeof(packet))
    while at + 2 <= size and count < MOST_FRAMES - 1 and not refused:
        length = min((data[at] & 7) << 8 | data[at + 1], size - at - 2)
        left = max(length - (data[at] >> 3), 0)
        at += 2
        next_packet(&packet)
        if what == FRAMES:
            walk_packet(&state.sink, &packet, links[form % link_count], shown(state, data + at, left), left, length)
            count += 1
        elif length >= 2:
            count += read_call(state, &packet, form, data + at, length)
        state.walk.last = packet
        at += length
        since += 1
        if since == part:
            end_scan(state)
            since = 0
    if since:
        end_scan(state)


cdef uint64_t digest(uint64_t before, const Buffer* rows) noexcept nogil:
    """What tells rows from others, all of whose octets were written."""
    cdef Py_ssize_t index
    cdef Py_ssize_t size = rows.count * rows.item
    if size:
        look(rows.data, <size_t>size)
    before = (before ^ <uint64_t>size) * PRIME
    for index in range(size):
        before = (before ^ <uint8_t>rows.data[index]) * PRIME
    return before


cdef uint64_t end(State* state) noexcept nogil:
    """The capture ends; gives a number that stands for all rows."""
    cdef uint64_t found = 0
    cdef Buffer nothing
    cdef Buffer tunnels
    cdef Buffer calls
    cdef Entities entities
    cdef RowStart start
    cdef int kind
    buffer_init(&nothing, sizeof(IssueRow))
    buffer_init(&tunnels, sizeof(TunnelRow))
    buffer_init(&calls, sizeof(CallRow))
    give_up(&state.reassembly, &state.again.issues, &state.walk.last)
    finish_all(&state.connections, &state.walk.last)
    if merge(&state.rows, &state.again, &state.again, &start):
        relate(&state.relations, &state.out, &nothing, &state.rows, &start, &nothing)
    # Who is refused memory has no rows; what is freed must be right all the same.
    if not refused:
        if entities_init(&entities, &state.relations, &state.out.connections):
            write_tunnels(&entities, &state.relations, 0, state.relations.tunnels.count, &tunnels)
            write_calls(
                &entities, &state.relations, &state.out, 0, count_calls(&entities, &state.relations),
                &calls,
            )
        entities_free(&entities)
    # The row of those that have none is nobody's.
    state.out.connections.count = listed_connections(&state.out)
    found = digest(found, &state.out.messages)
    for kind in range(1, MESSAGE_TYPES + 1):
        found = digest(found, &state.out.bodies[kind])
        buffer_free(&state.out.bodies[kind])
    found = digest(found, &state.rows.gre)
    found = digest(found, &state.rows.ppp)
    found = digest(found, &state.rows.ppp_options)
    found = digest(found, &state.rows.payloads)
    found = digest(found, &state.out.connections)
    found = digest(found, &tunnels)
    found = digest(found, &calls)
    found = digest(found, &state.issues)
    found = digest(found, &state.again.issues)
    found = digest(found, &state.out.issues)
    found = digest(found, &state.relations.issues)
    sink_free(&state.sink)
    table_free(&state.flows)
    connections_free(&state.connections)
    reassembly_free(&state.reassembly)
    relations_free(&state.relations)
    buffer_free(&state.out.messages)
    buffer_free(&state.out.issues)
    buffer_free(&state.out.connections)
    buffer_free(&state.out.in_vain)
    buffer_free(&state.out.events)
    buffer_free(&state.out.segments)
    sink_free(&state.again)
    merged_free(&state.rows)
    buffer_free(&state.issues)
    buffer_free(&tunnels)
    buffer_free(&calls)
    return found


cdef uint64_t read_all(const uint8_t* data, size_t size, int part) noexcept nogil:
    cdef State* state = <State*>own_malloc(sizeof(State))
    cdef int what = data[0] & 3
    cdef uint64_t found
    begin(state, data[0])
    if what == RECORDS or what == BLOCKS:
        read_file(state, what, data[1], data + 2, <int64_t>size - 2, part)
    else:
        read_pieces(state, what, data[1], data + 2, <int64_t>size - 2, part)
    found = end(state)
    free(state)
    return found


cdef public int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) noexcept nogil:
    """Read an input whole and in parts; or, where memory is refused, in parts only, the last octet saying when."""
    cdef int part
    if size < 2:
        return 0
    part = 1 + (data[0] >> 6)
    if STARVES:
        refuse(data[size - 1])
        read_all(data, size, part)
        refuse(-1)
    elif read_all(data, size, 0) != read_all(data, size, part):
        abort()
    return 0

"""The compiled core without the interpreter, as libFuzzer calls it: octets become records, blocks, frames or calls.

Knows the core's functions below its classes, in the order in which ``scan`` and ``assemble`` call them, and no Python.
Each input is read whole and in parts, which must give the same rows; every octet of every row is looked at, so that the
memory sanitizer tells of one that nobody wrote.  Built by ``bare.py``, which also writes the seeds in the same form.

An input begins with two octets: what it is, and how it is read.  What a scan sees stands in memory of exactly its
size, which is given back when it was taken in.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport abort, free, malloc
from libc.string cimport memcpy, memset

from pptpcap.core.blocks cimport Interface, Section, walk_blocks
from pptpcap.core.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push
from pptpcap.core.connections cimport Connections, connections_free, connections_init, finish_all, take_segments
from pptpcap.core.control cimport Event, Output, Plan
from pptpcap.core.entities cimport write_entities
from pptpcap.core.fragments cimport (
    Reassembly, give_up, reassembly_free, reassembly_init, release_complete, take_fragment,
)
from pptpcap.core.frames cimport walk_protocol
from pptpcap.core.links cimport walk_frame
from pptpcap.core.merging cimport Merged, Start, merge, merged_free, merged_init
from pptpcap.core.numbers cimport (
    CallRow, ConnectionRow, COUNTERS, GreRow, IssueRow, KIND_UNSUPPORTED_LINK, MESSAGE_TYPES, MessageRow, TunnelRow,
)
from pptpcap.core.relate cimport relate
from pptpcap.core.sink cimport (
    Caps, Fragment, Packet, Segment, Sink, not_a_time,
    sink_empty, sink_free, sink_init,
)
from pptpcap.core.table cimport Table, table_free, table_init
from pptpcap.core.tunnels cimport Relations, relations_free, relations_init
from pptpcap.core.walk cimport Format, Walk

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
    extern void __pyx_f_7pptpcap_4core_4scan_walk_records(
        void*, const void*, const uint8_t*, int64_t, int64_t, int64_t, int, int64_t, void*);
    """
    const uint64_t PRIME "PPTPCAP_PRIME"
    void look "pptpcap_look"(const void* data, size_t size) noexcept nogil
    void walk_records "__pyx_f_7pptpcap_4core_4scan_walk_records"(
        void* sink, const void* format, const uint8_t* data, int64_t stop, int64_t size, int64_t origin, bint final,
        int64_t most_records, void* walk,
    ) noexcept nogil

cdef extern from "facts.h":
    # As the package makes them of ``wire``.
    const uint8_t* usual_plans "pptpcap_plans"
    const int64_t* usual_caps "pptpcap_usual_caps"
    const int64_t* small_caps "pptpcap_small_caps"
    const int* links "pptpcap_links"
    int link_count "PPTPCAP_LINKS"

cdef enum:
    RECORDS
    BLOCKS
    FRAMES
    CALLS

cdef enum:
    # What the bits of the first octet mean above the two that say what it is.
    SMALL_CAPS = 4
    SALVAGE = 8
    KEEP_PAYLOADS = 16
    IDENTITIES = 32
    MOST_FRAMES = 64
    SEED = 12345
    SYN_OR_FIN = 3


cdef struct State:
    # What a scan and what an assembler hold.
    Sink sink
    Table flows
    Walk walk
    Caps caps
    uint8_t ports[8192]
    Connections connections
    Reassembly reassembly
    Output out
    Sink again
    Merged rows
    Relations relations
    Buffer issues
    # What the scan looks at.
    uint8_t* seen[MOST_FRAMES]
    int seen_count
    # Of each side of each connection, the number of its next octet.
    uint32_t next[4][2]


cdef void begin_scan(State* state) noexcept nogil:
    sink_init(&state.sink)
    table_init(&state.flows, SEED)
    state.sink.flows = &state.flows
    state.sink.ports = state.ports
    state.sink.caps = state.caps
    state.sink.keep_payloads = state.again.keep_payloads
    memset(state.sink.counters, 0, sizeof(state.sink.counters))
    state.sink.interface = 0
    state.sink.unsupported_seen = False
    state.sink.inside_datagram = False
    state.sink.last_flow = 0
    state.seen_count = 0


cdef const uint8_t* shown(State* state, const uint8_t* data, int64_t size) noexcept nogil:
    """A copy that ends where its memory does."""
    cdef uint8_t* copy = <uint8_t*>malloc(<size_t>size)
    if size:
        memcpy(copy, data, <size_t>size)
    state.seen[state.seen_count] = copy
    state.seen_count += 1
    return copy


cdef void end_scan(State* state) noexcept nogil:
    """Take in the scan, as an assembler does."""
    cdef Start start
    cdef Py_ssize_t index
    cdef IssueRow* issue
    if state.sink.fragments.count:
        state.again.flows = &state.flows
        state.again.last_flow = 0
        memset(state.again.counters, 0, sizeof(state.again.counters))
        for index in range(state.sink.fragments.count):
            take_fragment(&state.reassembly, &state.again, <Fragment*>buffer_at(&state.sink.fragments, index))
    merge(&state.rows, &state.sink, &state.again, &start)
    take_segments(&state.connections, &state.out, &state.caps, &state.sink.segments, &state.again.segments)
    relate(&state.relations, &state.out, &state.flows.keys, &state.rows, &start)
    for index in range(state.sink.issues.count):
        issue = <IssueRow*>buffer_at(&state.sink.issues, index)
        # Each scan tells of a link; the assembler lets the first of them pass.
        if issue.kind != KIND_UNSUPPORTED_LINK:
            (<IssueRow*>buffer_push(&state.issues))[0] = issue[0]
    sink_empty(&state.again)
    state.rows.ppp_bodies.count = 0
    release_complete(&state.reassembly)
    sink_free(&state.sink)
    table_free(&state.flows)
    for index in range(state.seen_count):
        free(state.seen[index])
    begin_scan(state)


cdef void begin(State* state, uint8_t how) noexcept nogil:
    cdef int kind
    cdef const Plan* plans = <const Plan*>usual_plans
    memset(state, 0, sizeof(State))
    memcpy(&state.caps, small_caps if how & SMALL_CAPS else usual_caps, sizeof(Caps))
    state.ports[1723 >> 3] = 1 << (1723 & 7)
    connections_init(&state.connections, state.ports, SEED)
    reassembly_init(&state.reassembly, SEED)
    relations_init(&state.relations, SEED, how & IDENTITIES)
    state.out.plans = plans
    buffer_init(&state.out.messages, sizeof(MessageRow))
    buffer_init(&state.out.issues, sizeof(IssueRow))
    buffer_init(&state.out.connections, sizeof(ConnectionRow))
    buffer_init(&state.out.events, sizeof(Event))
    for kind in range(1, MESSAGE_TYPES + 1):
        buffer_init(&state.out.bodies[kind], <Py_ssize_t>sizeof(int64_t) + plans[kind].size)
    sink_init(&state.again)
    state.again.keep_payloads = how & KEEP_PAYLOADS
    state.again.ports = state.ports
    state.again.caps = state.caps
    merged_init(&state.rows)
    buffer_init(&state.issues, sizeof(IssueRow))
    state.walk.salvage = how & SALVAGE
    state.walk.damaged_at = -1
    state.walk.lost_at = -1
    state.walk.earliest = <int64_t>((<uint64_t>1 << 63) - 1)
    state.walk.latest = not_a_time()
    begin_scan(state)


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
    cdef Start start
    cdef int kind
    buffer_init(&nothing, sizeof(IssueRow))
    buffer_init(&tunnels, sizeof(TunnelRow))
    buffer_init(&calls, sizeof(CallRow))
    give_up(&state.reassembly, &state.again.issues, &state.walk.last)
    finish_all(&state.connections, &state.out, &state.caps, &state.walk.last)
    merge(&state.rows, &state.again, &state.again, &start)
    relate(&state.relations, &state.out, &nothing, &state.rows, &start)
    write_entities(&state.relations, &state.out.connections, state.walk.latest, &tunnels, &calls)
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
    buffer_free(&state.out.events)
    sink_free(&state.again)
    merged_free(&state.rows)
    buffer_free(&state.issues)
    buffer_free(&tunnels)
    buffer_free(&calls)
    return found


cdef void read_file(State* state, int what, uint8_t form, const uint8_t* data, int64_t size, int part) noexcept nogil:
    """Walk records or blocks: in one scan, record by record, or through windows."""
    cdef Format format
    cdef Section section
    cdef Buffer known
    cdef Py_ssize_t index
    cdef int64_t origin = 0
    cdef int64_t window = 150 * part
    cdef int64_t there
    cdef const uint8_t* octets
    cdef bint final
    format.big_endian = form & 1
    format.ticks = 1_000_000_000 if form & 2 else 1_000_000
    format.ns_per_tick = 1_000_000_000 // format.ticks
    format.record_header = 24 if form & 4 else 16
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
        if what == RECORDS:
            walk_records(&state.sink, &format, octets, there, there, origin, final, part == 1, &state.walk)
        else:
            buffer_init(&section.found, sizeof(Interface))
            buffer_init(&section.told, 1)
            section.changed = False
            section.known = <const Interface*>known.data
            section.known_count = known.count
            walk_blocks(&state.sink, &section, octets, there, there, origin, final, part == 1, &state.walk)
            known.count = section.known_count
            for index in range(section.found.count):
                (<Interface*>buffer_push(&known))[0] = (<Interface*>buffer_at(&section.found, index))[0]
            buffer_free(&section.found)
            buffer_free(&section.told)
        if state.walk.position < 0 or state.walk.position > there:
            abort()
        end_scan(state)
        if state.walk.damaged and not state.walk.salvage:
            break
        if state.walk.position > 0:
            origin += state.walk.position
            window = 150 * part
        elif final:
            abort()
        else:
            window *= 2
    buffer_free(&known)


cdef void read_segment(State* state, const Packet* packet, const uint8_t* p, int64_t size) noexcept nogil:
    """A segment of one of four connections, or their Enhanced GRE; two octets in front say which, and what is odd."""
    cdef uint8_t endpoint[2][16]
    cdef Segment* segment
    cdef uint8_t how = p[0]
    cdef uint8_t flags = p[1]
    cdef int side = how & 1
    cdef int number = how >> 1 & 3
    cdef int step = how >> 4 & 3
    cdef uint32_t sequence = state.next[number][side]
    cdef uint8_t odd = p[2] if size > 2 else 0
    memset(endpoint, 0, sizeof(endpoint))
    endpoint[0][15] = 2
    # The first two are between the same addresses.
    endpoint[1][15] = <uint8_t>(3 + (number >> 1) * number)
    p += 2
    size -= 2
    if how & 8:
        walk_protocol(
            &state.sink, packet, 47, endpoint[side], endpoint[1 - side], p, size,
            size + (5 if how >> 6 == 3 else 0), 20,
        )
        return
    if step and size > 0:
        p += 1
        size -= 1
        sequence += odd if step == 1 else <uint32_t>-odd if step == 2 else <uint32_t>odd << 24
    segment = <Segment*>buffer_push(&state.sink.segments)
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
        state.next[number][side] = sequence + <uint32_t>segment.wire + ((flags & SYN_OR_FIN) != 0)


cdef void read_pieces(State* state, int what, uint8_t form, const uint8_t* data, int64_t size, int part) noexcept nogil:
    """Frames or segments, each behind two octets of length, of which the high bit says that the wire had more."""
    cdef Packet packet
    cdef int64_t at = 0
    cdef int64_t length
    cdef int64_t wire
    cdef int count = 0
    cdef int since = 0
    cdef const uint8_t* octets
    memset(&packet, 0, sizeof(packet))
    while at + 2 <= size and count < MOST_FRAMES:
        length = min((data[at] & 7) << 8 | data[at + 1], size - at - 2)
        wire = length + (100 if data[at] & 0x80 else 0)
        packet.packet += 1
        packet.time += 1_000_000
        packet.record_offset += 16
        octets = shown(state, data + at + 2, length)
        if what == FRAMES:
            walk_frame(&state.sink, &packet, links[form % link_count], octets, length, wire)
        elif length >= 2:
            read_segment(state, &packet, octets, length)
        state.walk.last = packet
        state.walk.latest = packet.time
        at += 2 + length
        count += 1
        since += 1
        if since == part:
            end_scan(state)
            since = 0
    end_scan(state)


cdef uint64_t read_all(const uint8_t* data, size_t size, int part) noexcept nogil:
    cdef State* state = <State*>malloc(sizeof(State))
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
    """Read an input whole and in parts."""
    cdef int part
    if size < 2:
        return 0
    part = 1 + (data[0] >> 6)
    if read_all(data, size, 0) != read_all(data, size, part):
        abort()
    return 0

"""What a scan and an assembler hold, without the interpreter: begun and taken in as ``assemble`` does.

Knows the core's functions below its classes.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport abort, free
from libc.string cimport memcpy, memset

from pptpcap.core.base.buffers cimport Buffer, buffer_at, buffer_init, buffer_push
from pptpcap.core.base.numbers cimport KIND_UNSUPPORTED_LINK, MESSAGE_TYPES, Caps, ConnectionRow, IssueRow, MessageRow
from pptpcap.core.base.packets cimport not_a_time
from pptpcap.core.base.table cimport HashTable, table_free, table_init
from pptpcap.core.relate.relate cimport relate
from pptpcap.core.relate.state cimport Relations
from pptpcap.core.relate.tunnels cimport relations_failed, relations_init
from pptpcap.core.scan.segments cimport Fragment
from pptpcap.core.scan.sink cimport Mirrors, Sink, sink_empty, sink_failed, sink_free, sink_init
from pptpcap.core.scan.walk cimport Walk
from pptpcap.core.stream.connections cimport Connections, connections_failed, connections_init, take_segments
from pptpcap.core.stream.control cimport Event, InVain, Output, Plan, SegmentRow
from pptpcap.core.stream.fragments cimport (
    Reassembly, reassembly_failed, reassembly_init, release_complete, take_fragment,
)
from pptpcap.core.stream.merging cimport Merged, RowStart, merge, merged_failed, merged_init

cdef extern from *:
    """
    #ifdef PPTPCAP_STARVED
    /* The linker sends requests for memory here: one of them is refused. */
    static long pptpcap_left = -1;
    static int pptpcap_refused = 0;
    static int pptpcap_refuses(void) { return pptpcap_left >= 0 && pptpcap_left-- == 0 && (pptpcap_refused = 1); }
    static void pptpcap_refuse(long request) { pptpcap_left = request; pptpcap_refused = 0; }
    extern void* __real_malloc(size_t);
    extern void* __real_calloc(size_t, size_t);
    extern void* __real_realloc(void*, size_t);
    void* __wrap_malloc(size_t n) { return pptpcap_refuses() ? 0 : __real_malloc(n); }
    void* __wrap_calloc(size_t n, size_t m) { return pptpcap_refuses() ? 0 : __real_calloc(n, m); }
    void* __wrap_realloc(void* p, size_t n) { return pptpcap_refuses() ? 0 : __real_realloc(p, n); }
    #define pptpcap_own_malloc __real_malloc
    #define PPTPCAP_STARVES 1
    #else
    #define pptpcap_refuse(request) ((void)0)
    #define pptpcap_refused 0
    #define pptpcap_own_malloc malloc
    #define PPTPCAP_STARVES 0
    #endif
    """
    bint STARVES "PPTPCAP_STARVES"
    # Whether a request was refused since it was said which one would be.
    bint refused "pptpcap_refused"
    void refuse "pptpcap_refuse"(long request) noexcept nogil
    void* own_malloc "pptpcap_own_malloc"(size_t size) noexcept nogil

cdef extern from "facts.h":
    # As the package makes them of ``wire``.
    const uint8_t* usual_plans "pptpcap_plans"
    const int64_t* usual_caps "pptpcap_usual_caps"
    const int64_t* small_caps "pptpcap_small_caps"
    # Carriers, each with its port.
    const int* mirrors "pptpcap_mirrors"
    int mirror_count "PPTPCAP_MIRRORS"

cdef enum:
    # What the bits of the first octet mean above the two that say what it is.  With payloads, all that is kept on
    # request is.
    SMALL_CAPS = 4
    SALVAGE = 8
    KEEP_PAYLOADS = 16
    IDENTITIES = 32
    DROP_COPIES = 64
    SEPARATE = 128
    MOST_FRAMES = 64
    SEED = 12345


cdef struct State:
    # What a scan and what an assembler hold.
    Sink sink
    HashTable flows
    Walk walk
    Caps caps
    uint8_t ports[8192]
    Mirrors mirrors
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


cdef inline void begin_scan(State* state) noexcept nogil:
    memset(&state.sink, 0, sizeof(Sink))
    sink_init(&state.sink)
    table_init(&state.flows, SEED)
    state.sink.flows = &state.flows
    state.sink.ports = state.ports
    state.sink.mirrors = &state.mirrors
    state.sink.caps = state.caps
    state.sink.keep_payloads = state.sink.keep_places = state.again.keep_payloads
    state.seen_count = 0


cdef inline const uint8_t* shown(State* state, const uint8_t* data, int64_t size) noexcept nogil:
    """A copy that ends where its memory does."""
    cdef uint8_t* copy = <uint8_t*>own_malloc(<size_t>size)
    if size:
        memcpy(copy, data, <size_t>size)
    state.seen[state.seen_count] = copy
    state.seen_count += 1
    return copy


cdef inline bint told_of_memory(State* state) noexcept nogil:
    """Whether it shows that a request was refused, as whoever holds the interpreter next asks."""
    cdef int kind
    cdef bint failed = (
        sink_failed(&state.sink) or state.flows.failed or sink_failed(&state.again)
        or merged_failed(&state.rows) or connections_failed(&state.connections)
        or reassembly_failed(&state.reassembly) or relations_failed(&state.relations) or state.out.messages.failed
        or state.out.issues.failed or state.out.connections.failed or state.out.in_vain.failed
        or state.out.events.failed or state.out.segments.failed
    )
    for kind in range(1, MESSAGE_TYPES + 1):
        failed = failed or state.out.bodies[kind].failed
    return failed


cdef inline void take_in(State* state) noexcept nogil:
    """As an assembler does."""
    cdef RowStart start
    cdef Fragment* fragment
    cdef Py_ssize_t index
    cdef bint enough
    if state.sink.fragments.count:
        state.again.flows = &state.flows
        state.again.last_flow = 0
        memset(state.again.counters, 0, sizeof(state.again.counters))
        for index in range(state.sink.fragments.count):
            fragment = <Fragment*>buffer_at(&state.sink.fragments, index)
            fragment.key.words[5] = fragment.layers & state.reassembly.key_layers
            take_fragment(&state.reassembly, &state.again, fragment)
    enough = not sink_failed(&state.again) and merge(&state.rows, &state.sink, &state.again, &start)
    take_segments(&state.connections, &state.sink.segments, &state.again.segments)
    enough = enough and relate(
        &state.relations, &state.out, &state.flows.keys, &state.rows, &start, &state.sink.sightings
    )
    state.relations.failed = state.relations.failed or not enough
    state.connections.copies.dropped.count = 0
    state.relations.copies.dropped.count = 0
    sink_empty(&state.again)
    state.rows.ppp_bodies.count = 0
    release_complete(&state.reassembly)
    if refused and not told_of_memory(state):
        abort()


cdef inline void end_scan(State* state) noexcept nogil:
    """Take in the scan, unless its walk had too little memory; then forget what it looked at."""
    cdef Py_ssize_t index
    cdef IssueRow* issue
    cdef IssueRow* place
    if refused:
        if not told_of_memory(state):
            abort()
    else:
        take_in(state)
    for index in range(state.sink.issues.count):
        issue = <IssueRow*>buffer_at(&state.sink.issues, index)
        # Each scan tells of a link; the assembler lets the first of them pass.
        if issue.kind != KIND_UNSUPPORTED_LINK:
            place = <IssueRow*>buffer_push(&state.issues)
            if place == NULL:
                state.relations.failed = True
                break
            place[0] = issue[0]
    sink_free(&state.sink)
    table_free(&state.flows)
    for index in range(state.seen_count):
        free(state.seen[index])
    begin_scan(state)


cdef inline void begin(State* state, uint8_t how) noexcept nogil:
    cdef int kind
    cdef int index
    cdef int port
    cdef uint64_t key_layers = ~<uint64_t>0 if how & SEPARATE else 0
    cdef const Plan* plans = <const Plan*>usual_plans
    memset(state, 0, sizeof(State))
    memcpy(&state.caps, small_caps if how & SMALL_CAPS else usual_caps, sizeof(Caps))
    state.ports[1723 >> 3] = 1 << (1723 & 7)
    for index in range(mirror_count):
        port = mirrors[2 * index + 1]
        state.mirrors.kinds[port] = <uint8_t>mirrors[2 * index]
        state.mirrors.ports[port >> 3] = <uint8_t>(state.mirrors.ports[port >> 3] | (1 << (port & 7)))
    connections_init(&state.connections, &state.out, &state.caps, state.ports, SEED, key_layers, how & DROP_COPIES != 0)
    reassembly_init(&state.reassembly, SEED, key_layers, how & KEEP_PAYLOADS != 0)
    relations_init(&state.relations, SEED, &state.caps, key_layers, how & IDENTITIES, how & DROP_COPIES != 0)
    state.out.plans = plans
    buffer_init(&state.out.messages, sizeof(MessageRow))
    buffer_init(&state.out.issues, sizeof(IssueRow))
    buffer_init(&state.out.connections, sizeof(ConnectionRow))
    buffer_init(&state.out.in_vain, sizeof(InVain))
    state.out.connection_rows = state.caps.connection_rows
    buffer_init(&state.out.events, sizeof(Event))
    state.out.keep_segments = how & KEEP_PAYLOADS
    buffer_init(&state.out.segments, sizeof(SegmentRow))
    for kind in range(1, MESSAGE_TYPES + 1):
        buffer_init(&state.out.bodies[kind], <Py_ssize_t>sizeof(int64_t) + plans[kind].size)
    sink_init(&state.again)
    state.again.keep_payloads = how & KEEP_PAYLOADS
    state.again.ports = state.ports
    state.again.mirrors = &state.mirrors
    state.again.caps = state.caps
    merged_init(&state.rows)
    buffer_init(&state.issues, sizeof(IssueRow))
    state.walk.salvage = how & SALVAGE
    state.walk.damaged_at = -1
    state.walk.lost_at = -1
    state.walk.zeros_at = -1
    state.walk.parts = 0
    state.walk.earliest = <int64_t>((<uint64_t>1 << 63) - 1)
    state.walk.latest = not_a_time()
    state.walk.newest = not_a_time()
    begin_scan(state)

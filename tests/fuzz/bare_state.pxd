"""What a scan and an assembler hold, without the interpreter: begun and taken in as ``assemble`` does.

Knows the core's functions below its classes.  Called by ``bare``.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from pptpcap.core.buffers cimport Buffer, buffer_at, buffer_init, buffer_push
from pptpcap.core.connections cimport Connections, connections_init, take_segments
from pptpcap.core.control cimport Event, Output, Plan
from pptpcap.core.fragments cimport Reassembly, reassembly_init, release_complete, take_fragment
from pptpcap.core.merging cimport Merged, Start, merge, merged_init
from pptpcap.core.numbers cimport ConnectionRow, IssueRow, KIND_UNSUPPORTED_LINK, MESSAGE_TYPES, MessageRow
from pptpcap.core.relate cimport relate
from pptpcap.core.sink cimport Caps, Fragment, Sink, not_a_time, sink_empty, sink_free, sink_init
from pptpcap.core.table cimport Table, table_free, table_init
from pptpcap.core.tunnels cimport Relations, relations_init
from pptpcap.core.walk cimport Walk

cdef extern from "facts.h":
    # As the package makes them of ``wire``.
    const uint8_t* usual_plans "pptpcap_plans"
    const int64_t* usual_caps "pptpcap_usual_caps"
    const int64_t* small_caps "pptpcap_small_caps"

cdef enum:
    # What the bits of the first octet mean above the two that say what it is.
    SMALL_CAPS = 4
    SALVAGE = 8
    KEEP_PAYLOADS = 16
    IDENTITIES = 32
    MOST_FRAMES = 64
    SEED = 12345


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


cdef inline void begin_scan(State* state) noexcept nogil:
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


cdef inline const uint8_t* shown(State* state, const uint8_t* data, int64_t size) noexcept nogil:
    """A copy that ends where its memory does."""
    cdef uint8_t* copy = <uint8_t*>malloc(<size_t>size)
    if size:
        memcpy(copy, data, <size_t>size)
    state.seen[state.seen_count] = copy
    state.seen_count += 1
    return copy


cdef inline void end_scan(State* state) noexcept nogil:
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


cdef inline void begin(State* state, uint8_t how) noexcept nogil:
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

"""Processes GRE rows, messages and ends of connections in packet order (decoding section 10).

Knows that order, and what a row counts.  Tunnels, numbers and calls are modules of their own.
"""

from libc.stdint cimport int32_t, uint16_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from ..base.buffers cimport Buffer, buffer_at
from ..base.keys cimport Key
from ..base.numbers cimport (
    GRE_ACKNOWLEDGMENT_PRESENT, GRE_DUPLICATED, GRE_MULTILINK_IP, GRE_REORDERED, GRE_SEQUENCE_PRESENT, PPP_COMPRESSED,
    PPP_ECHO_REPLY, PPP_FIRST_CONTROL, PPP_IPV4, PPP_IPV6, PPP_LCP, PPP_LINK_COMPRESSED, PPP_VJ_COMPRESSED,
    PPP_VJ_UNCOMPRESSED, ContentsRow, GreRow, PppOptionRow, PppRow,
)
from ..base.packets cimport not_a_time
from ..scan.segments cimport PppBody
from ..stream.control cimport Event, Output
from ..stream.merging cimport Merged, RowStart
from .calls cimport take_event
from .echoes cimport answer_echo
from .negotiation cimport Negotiation, is_used, negotiate
from .sequence cimport add_number, take_acknowledged, time_packet
from .state cimport NO_MEMORY, NO_ROOM, Relations, Tunnel, tunnel_at
from .tunnels cimport tunnel_of


cdef struct Controls:
    # The PPP control packets that were not related yet, and the options of the first of them.
    PppRow* row
    const PppRow* end
    const PppBody* body
    const PppOptionRow* options


cdef inline void count_content(
    ContentsRow* contents, uint16_t protocol, uint16_t status, bint encrypted
) noexcept nogil:
    """Count a packet by what it carries (10.3.6)."""
    if protocol == PPP_COMPRESSED:
        if encrypted:
            contents.encrypted_packets += 1
        else:
            contents.compressed_packets += 1
    elif protocol == PPP_IPV4 or protocol == PPP_VJ_COMPRESSED or protocol == PPP_VJ_UNCOMPRESSED:
        contents.ipv4_packets += 1
    elif protocol == PPP_IPV6:
        contents.ipv6_packets += 1
    elif protocol >= PPP_FIRST_CONTROL:
        contents.control_packets += 1
    elif protocol == PPP_LINK_COMPRESSED:
        contents.compressed_packets += 1
    elif status & GRE_MULTILINK_IP:
        contents.multilink_ip_packets += 1
    else:
        contents.other_packets += 1


cdef inline bint take_row(Relations* state, Tunnel* tunnel, GreRow* row) noexcept nogil:
    """Count a row in its tunnel (10.3); False if memory runs out."""
    cdef bint has_time = row.time != not_a_time()
    cdef bint enough = True
    tunnel.before = tunnel.last
    tunnel.last.packet = row.packet
    tunnel.last.time = row.time
    if row.flags_and_version & GRE_ACKNOWLEDGMENT_PRESENT and tunnel.partner >= 0:
        take_acknowledged(tunnel_at(state, tunnel.partner), row.acknowledgment_number, row.time, has_time)
    if row.flags_and_version & GRE_SEQUENCE_PRESENT:
        enough = add_number(tunnel, row)
        if not row.status & (GRE_DUPLICATED | GRE_REORDERED) and has_time and tunnel.partner >= 0:
            enough = time_packet(tunnel, row.time) and enough
        tunnel.figures.packets += 1
        tunnel.figures.payload_octets += row.payload_length
        count_content(&tunnel.contents, row.ppp_protocol, row.status, tunnel.encrypted)
    elif row.flags_and_version & GRE_ACKNOWLEDGMENT_PRESENT:
        tunnel.figures.acks += 1
    return enough


cdef bint take_control(Relations* state, Tunnel* tunnel, Controls* controls, int32_t index) noexcept nogil:
    """The control packet of a row, before the row counts; False if memory runs out."""
    cdef PppRow* row = controls.row
    cdef Negotiation* asked
    cdef bint enough = negotiate(
        &tunnel.negotiation, &tunnel.encrypted, row, controls.options, controls.body, state.identities
    )
    if row.protocol == PPP_LCP and row.code == PPP_ECHO_REPLY and tunnel.partner >= 0 and is_used(row):
        asked = tunnel_at(state, tunnel.partner).negotiation
        if asked != NULL:
            answer_echo(&asked.echoes, row.identifier, row.time)
    row.tunnel = index
    controls.options += row.options
    controls.body += 1
    controls.row += 1
    return enough


cdef void pass_control(Controls* controls, uint64_t packet) noexcept nogil:
    """The control packet of a row that has no tunnel."""
    if controls.row < controls.end and controls.row.packet == packet:
        controls.row.tunnel = -1
        controls.options += controls.row.options
        controls.body += 1
        controls.row += 1


cdef inline bint relate_row(
    Relations* state, int32_t* known, const Key* keys, GreRow* row, Controls* controls
) noexcept nogil:
    """Change the index of a flow in its scan into that of its tunnel; False if memory runs out."""
    cdef int32_t flow = row.tunnel
    cdef int32_t index
    cdef Tunnel* tunnel = NULL
    if flow < 0:
        return True
    index = known[flow]
    if index >= 0:
        tunnel = tunnel_at(state, index)
    # A tunnel may lose its key.
    if tunnel == NULL or not tunnel.current:
        index = tunnel_of(state, &keys[flow], row)
        if index == NO_MEMORY:
            return False
        known[flow] = index
        if index == NO_ROOM:
            row.tunnel = -1
            pass_control(controls, row.packet)
            return True
        tunnel = tunnel_at(state, index)
    row.tunnel = index
    if controls.row < controls.end and controls.row.packet == row.packet:
        if not take_control(state, tunnel, controls, index):
            return False
    return take_row(state, tunnel, row)


cdef bint relate(
    Relations* state, Output* out, const Buffer* keys, Merged* merged, const RowStart* start
) noexcept nogil:
    """Take in the merged rows from `start` on, whose ``tunnel`` is an index in `keys`, and all events.

    False if memory runs out.
    """
    cdef GreRow* row = <GreRow*>buffer_at(&merged.gre, start.gre)
    cdef const GreRow* rows_end = <const GreRow*>buffer_at(&merged.gre, merged.gre.count)
    cdef Controls controls
    cdef const Event* event = <const Event*>out.events.data
    cdef const Event* events_end = event + out.events.count
    cdef bint enough = True
    cdef uint64_t before
    cdef int32_t* known = <int32_t*>malloc(<size_t>max(keys.count, 1) * sizeof(int32_t))
    if known == NULL:
        return False
    memset(known, 0xFF, <size_t>keys.count * sizeof(int32_t))
    controls.row = <PppRow*>buffer_at(&merged.ppp, start.ppp)
    controls.end = <const PppRow*>buffer_at(&merged.ppp, merged.ppp.count)
    controls.body = <const PppBody*>merged.ppp_bodies.data
    controls.options = <const PppOptionRow*>buffer_at(&merged.ppp_options, start.options)
    while enough and (row < rows_end or event < events_end):
        before = event.now.packet if event < events_end else ~<uint64_t>0
        while enough and row < rows_end and row.packet < before:
            enough = relate_row(state, known, <const Key*>keys.data, row, &controls)
            row += 1
        if event < events_end:
            take_event(state, out, event)
            event += 1
    out.events.count = 0
    free(known)
    return enough

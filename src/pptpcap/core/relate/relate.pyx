"""Processes GRE rows, messages and ends of connections in packet order (decoding section 10).

Knows that order, and what a row counts.  Tunnels, numbers and calls are modules of their own.
"""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from ..base.buffers cimport Buffer, buffer_at
from ..base.keys cimport Key
from ..base.numbers cimport (
    COPY_WINDOW, GRE_ACKNOWLEDGMENT_PRESENT, GRE_DUPLICATED, GRE_FRAGMENTED, GRE_MULTILINK_IP, GRE_REORDERED,
    GRE_SEQUENCE_PRESENT, PPP_COMPRESSED, PPP_ECHO_REPLY, PPP_FIRST_CONTROL, PPP_HEAD_CUT, PPP_IPV4, PPP_IPV6, PPP_LCP,
    PPP_LINK_COMPRESSED, PPP_VJ_COMPRESSED, PPP_VJ_UNCOMPRESSED, ContentsRow, GreRow, PppOptionRow, PppRow,
)
from ..base.packets cimport not_a_time
from ..scan.segments cimport PppBody, Sighting
from ..stream.control cimport Event, Output
from ..stream.copies cimport copies_begin, digest, drop_copy, is_copy, pass_packet
from ..stream.merging cimport LEFT_OUT, Merged, RowStart
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


cdef struct Seen:
    # The first row, with its sighting, of which no copy can be recognised yet.
    const GreRow* row
    const Sighting* sighting


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


cdef void take_echo(Relations* state, Tunnel* tunnel, const PppRow* row) noexcept nogil:
    """What an LCP packet means for the echoes of both sides (10.4.1)."""
    cdef Negotiation* asked
    if tunnel.partner < 0:
        if tunnel.negotiation != NULL:
            # Nobody could tell which replies are to this side.
            tunnel.negotiation.echoes.in_vain = 0
        return
    asked = tunnel_at(state, tunnel.partner).negotiation
    if asked == NULL:
        return
    if is_used(row):
        if row.code == PPP_ECHO_REPLY:
            answer_echo(&asked.echoes, row.identifier, row.time)
    elif row.status & PPP_HEAD_CUT:
        # It may be a reply.
        asked.echoes.in_vain = 0


cdef bint take_control(Relations* state, Tunnel* tunnel, Controls* controls, int32_t index) noexcept nogil:
    """The control packet of a row, before the row counts; False if memory runs out."""
    cdef PppRow* row = controls.row
    cdef bint enough = negotiate(
        &tunnel.negotiation, &tunnel.encrypted, row, controls.options, controls.body, state.identities
    )
    if row.protocol == PPP_LCP:
        take_echo(state, tunnel, row)
    row.tunnel = index
    controls.options += row.options
    controls.body += 1
    controls.row += 1
    return enough


cdef inline bint has_control(const Controls* controls, int64_t number) noexcept nogil:
    """Whether the next control packet is that of a row, by the row's number in the capture."""
    return controls.row < controls.end and controls.row.gre == number


cdef void pass_control(Controls* controls, int64_t number) noexcept nogil:
    """The control packet of a row that has no tunnel."""
    if has_control(controls, number):
        controls.row.tunnel = -1
        controls.options += controls.row.options
        controls.body += 1
        controls.row += 1


cdef inline uint64_t identity_of(const GreRow* row, const Sighting* sighting) noexcept nogil:
    """A digest of a row of a tunnel, which stands for addresses and call id (4b.1)."""
    cdef uint64_t rest = (
        <uint64_t>row.flags_and_version << 32 | <uint64_t>row.payload_length << 16 | row.ppp_protocol
    ) * 0x9E3779B97F4A7C15U
    return digest(
        <uint64_t>row.sequence_number << 32 | row.acknowledgment_number,
        rest + (<uint64_t>sighting.facts << 32 | <uint32_t>row.tunnel),
    )


cdef inline uint32_t vantage_of(const GreRow* row, const Sighting* sighting) noexcept nogil:
    return sighting.vantage + <uint32_t>row.tunnel * 0x9E3779B1U


cdef inline bint is_numbered(const GreRow* row) noexcept nogil:
    """Whether a row that was related is one of those with a number among which there may be copies."""
    return row.flags_and_version & GRE_SEQUENCE_PRESENT and row.tunnel >= 0 and not row.status & GRE_FRAGMENTED


cdef void pass_rows(Relations* state, Seen* seen, const GreRow* end) noexcept nogil:
    """Catch up with the numbered rows before `end`, which are no copies, as far as the window reaches."""
    cdef const GreRow* row = end
    cdef int many = 0
    while row > seen.row and many < COPY_WINDOW:
        row -= 1
        many += is_numbered(row)
    seen.sighting += row - seen.row
    seen.row = row
    while seen.row < end:
        if is_numbered(seen.row):
            pass_packet(
                &state.copies, identity_of(seen.row, seen.sighting), vantage_of(seen.row, seen.sighting), seen.row.time
            )
        seen.row += 1
        seen.sighting += 1


cdef inline bint is_copied_row(Relations* state, Seen* seen, const Tunnel* tunnel, const GreRow* row) noexcept nogil:
    """Whether a row is a copy (4b)."""
    cdef const Sighting* sighting
    if row.status & GRE_FRAGMENTED:
        return False
    if not row.flags_and_version & GRE_SEQUENCE_PRESENT:
        sighting = seen.sighting + (row - seen.row)
        return is_copy(&state.ack_copies, identity_of(row, sighting), vantage_of(row, sighting), row.time)
    # There is none before the first row with its number (4b.4).
    if tunnel.figures.packets == 0 or <int32_t>(row.sequence_number - tunnel.figures.last_sequence) > 0:
        return False
    pass_rows(state, seen, row)
    sighting = seen.sighting
    seen.row += 1
    seen.sighting += 1
    return is_copy(&state.copies, identity_of(row, sighting), vantage_of(row, sighting), row.time)


cdef inline bint relate_row(
    Relations* state, int32_t* known, const Key* keys, GreRow* row, int64_t number, Controls* controls, Seen* seen
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
            pass_control(controls, number)
            return True
        tunnel = tunnel_at(state, index)
    row.tunnel = index
    if is_copied_row(state, seen, tunnel, row):
        if state.copies.drops:
            drop_copy(&state.copies, row.packet)
            pass_control(controls, number)
            row.tunnel = LEFT_OUT
            return True
        tunnel.figures.copies += 1
    if has_control(controls, number):
        if not take_control(state, tunnel, controls, index):
            return False
    return take_row(state, tunnel, row)


cdef bint relate(
    Relations* state, Output* out, const Buffer* keys, Merged* merged, const RowStart* start, const Buffer* sightings
) noexcept nogil:
    """Take in the merged rows from `start` on, whose ``tunnel`` is an index in `keys`, and all events.

    Each row has its sighting.

    False if memory runs out.
    """
    cdef GreRow* row = <GreRow*>buffer_at(&merged.gre, start.gre)
    cdef const GreRow* rows_end = <const GreRow*>buffer_at(&merged.gre, merged.gre.count)
    cdef int64_t number = merged.gre_before + start.gre
    cdef Controls controls
    cdef const Event* event = <const Event*>out.events.data
    cdef const Event* events_end = event + out.events.count
    cdef bint enough = True
    cdef uint64_t before
    cdef Seen seen
    cdef int32_t* known = <int32_t*>malloc(<size_t>max(keys.count, 1) * sizeof(int32_t))
    if known == NULL or (row < rows_end and not (
        copies_begin(&state.copies) and copies_begin(&state.ack_copies)
    )):
        free(known)
        return False
    seen.row = row
    seen.sighting = <const Sighting*>sightings.data
    memset(known, 0xFF, <size_t>keys.count * sizeof(int32_t))
    controls.row = <PppRow*>buffer_at(&merged.ppp, start.ppp)
    controls.end = <const PppRow*>buffer_at(&merged.ppp, merged.ppp.count)
    controls.body = <const PppBody*>merged.ppp_bodies.data
    controls.options = <const PppOptionRow*>buffer_at(&merged.ppp_options, start.options)
    while enough and (row < rows_end or event < events_end):
        before = event.now.packet if event < events_end else ~<uint64_t>0
        while enough and row < rows_end and row.packet < before:
            enough = relate_row(state, known, <const Key*>keys.data, row, number, &controls, &seen)
            row += 1
            number += 1
        if event < events_end:
            take_event(state, out, event)
            event += 1
    pass_rows(state, &seen, row)
    out.events.count = 0
    free(known)
    return enough

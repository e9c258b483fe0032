"""Cuts the byte stream of one direction into messages, and resynchronises after a loss.

Knows message headers.  Must not know holes (``streams``) or message bodies (``control``).
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ..base.buffers cimport buffer_at
from ..base.echoes cimport is_round_trip
from ..base.numbers cimport (
    CONTROL_MESSAGE, HEADER_SIZE, KIND_BAD_LENGTH, KIND_HEADER_CUT, KIND_MESSAGE_CUT, KIND_SKIPPED, KIND_WRONG_COOKIE,
    LAYER_CONTROL, MAGIC_COOKIE, MAXIMUM_LENGTH, MESSAGE_RESYNCHRONISED, MESSAGE_TYPES, PRESENT_INITIATOR,
    PRESENT_RESPONDER, PRESENT_RESULT, TYPE_ECHO_REPLY, TYPE_ECHO_REQUEST, ConnectionRow, SideRow,
)
from ..base.octets cimport load16, load32
from ..base.packets cimport Packet, not_a_time
from ..scan.segments cimport Segment
from .control cimport Delivery, InVain, Output, connection_issue, give_message, listed
from .history cimport add_history
from .pieces cimport advance, marks_of, peek, piece_at, piece_end, see
from .state cimport ECHO_ANSWERED, ECHO_NONE, ECHO_WAITS, Direction, Piece, Streams


cdef enum:
    # Octets of an echo up to its identifier.
    ECHO_READ = 16


cdef void note_start(ConnectionRow* row, const Direction* direction, int kind, const char* body) noexcept nogil:
    """What a side says in its first Start-Control-Connection message goes to its connection."""
    cdef SideRow* side = &row.side[direction.side]
    cdef int bit = PRESENT_RESPONDER if direction.side else PRESENT_INITIATOR
    cdef const char* fields = body + sizeof(int64_t)
    if row.present & bit:
        return
    row.present |= <uint8_t>bit
    # Both messages have the version at 12, the firmware at 26, host and vendor at 28 and 92, as in their rows.
    memcpy(&side.protocol_version, fields + 12, 2)
    memcpy(&side.firmware_revision, fields + 26, 2)
    memcpy(side.host_name, fields + 28, 64)
    memcpy(side.vendor_name, fields + 92, 64)
    if kind == 2 and not row.present & PRESENT_RESULT:
        row.present |= PRESENT_RESULT
        row.result_code = <uint8_t>fields[14]
        row.error_code = <uint8_t>fields[15]


cdef void note_echo(
    Output* out, ConnectionRow* connection, Direction* direction, int kind, const char* body, int64_t time
) noexcept nogil:
    """An echo of a side, or its answer to the last one of the other side (10.4.1)."""
    cdef Direction* asking = direction
    cdef SideRow* row
    cdef InVain* in_vain
    cdef uint32_t identifier
    cdef uint64_t sample
    # Without memory there are fewer.
    if listed(out, direction.connection) < 0 or direction.connection >= out.in_vain.count:
        return
    if kind == TYPE_ECHO_REPLY:
        # The two directions of a connection stand side by side.
        asking = direction - 1 if direction.side else direction + 1
    row = &connection.side[asking.side]
    in_vain = <InVain*>buffer_at(&out.in_vain, direction.connection)
    memcpy(&identifier, body + sizeof(int64_t) + 12, 4)
    if kind == TYPE_ECHO_REQUEST:
        asking.echo = ECHO_WAITS
        asking.echo_identifier = identifier
        asking.echo_time = time
        row.echo_rtt_unanswered += 1
        in_vain.side[asking.side] += 1
        return
    if asking.echo == ECHO_NONE or asking.echo_identifier != identifier:
        return
    in_vain.side[asking.side] = 0
    if asking.echo == ECHO_ANSWERED:
        return
    asking.echo = ECHO_ANSWERED
    row.echo_rtt_unanswered -= 1
    if asking.echo_time == not_a_time() or time < asking.echo_time:
        return
    sample = <uint64_t>time - <uint64_t>asking.echo_time
    if not is_round_trip(sample, asking.echo_sum):
        return
    if row.echo_rtt_samples == 0 or <int64_t>sample < row.echo_rtt_min_ns:
        row.echo_rtt_min_ns = <int64_t>sample
    asking.echo_sum += <int64_t>sample
    row.echo_rtt_samples += 1
    row.echo_rtt_mean_ns = asking.echo_sum // row.echo_rtt_samples


cdef inline void give(Streams* streams, Direction* direction, ConnectionRow* row, Delivery* delivery) noexcept nogil:
    """Write the rows of a message."""
    cdef int kind
    cdef char* body
    delivery.connection = direction.connection
    delivery.from_initiator = direction.side == 0
    direction.pending = 0
    body = give_message(streams.out, delivery)
    row.side[direction.side].messages += 1
    if body != NULL:
        # As in its row, which says which table `body` is of: octets of a map may change while they are read.
        kind = delivery.row.control_message_type
        if kind == TYPE_ECHO_REQUEST or kind == TYPE_ECHO_REPLY:
            if delivery.row.available >= ECHO_READ:
                note_echo(streams.out, row, direction, kind, body, delivery.row.time)
        elif kind == 1 or kind == 2:
            note_start(row, direction, kind, body)


cdef int count_segments(const Direction* direction, int64_t end, int* marks) noexcept nogil:
    """Different packets that hold the octets from the cursor to `end`, and the marks of their pieces."""
    cdef uint64_t packets[MAXIMUM_LENGTH]
    cdef Piece* piece
    cdef Py_ssize_t index
    cdef int found = 0
    cdef int place
    for index in range(direction.waiting.contiguous):
        piece = piece_at(direction, index)
        if piece.position >= end:
            break
        marks[0] |= piece.marks
        place = found
        while place > 0 and packets[place - 1] > piece.packet.packet:
            packets[place] = packets[place - 1]
            place -= 1
        if place > 0 and packets[place - 1] == piece.packet.packet:
            while place < found:
                packets[place] = packets[place + 1]
                place += 1
            continue
        packets[place] = piece.packet.packet
        found += 1
    return found


cdef void deliver(
    Streams* streams, Direction* direction, const Packet* now, int64_t length,
    int64_t present,
) noexcept nogil:
    """The message at the cursor, of which `present` octets are there, becomes rows; the cursor steps over it."""
    cdef uint8_t scratch[MAXIMUM_LENGTH]
    cdef Delivery delivery
    cdef Piece* piece
    cdef Py_ssize_t index
    cdef int marks = direction.pending
    cdef int64_t end = direction.cursor + present
    for index in range(direction.waiting.contiguous):
        piece = piece_at(direction, index)
        if piece.position >= end:
            break
        see(direction, piece)
    delivery.octets = peek(direction, direction.cursor, present, scratch, &delivery.available)
    delivery.segments = count_segments(direction, end, &marks)
    delivery.now = now
    delivery.arrival = &direction.waiting.arrival
    delivery.status = marks
    give(
        streams, direction, <ConnectionRow*>buffer_at(&streams.out.connections, direction.connection), &delivery
    )
    advance(streams, direction, end)


cdef bint is_plausible(const Streams* streams, const uint8_t* p) noexcept nogil:
    """Whether the 12 octets at `p` are the header of one of the 15 messages, of its fixed length."""
    cdef int kind
    if load32(p + 4) != MAGIC_COOKIE or load16(p + 2) != CONTROL_MESSAGE:
        return False
    kind = load16(p + 8)
    return 1 <= kind <= MESSAGE_TYPES and load16(p) == streams.out.plans[kind].size


cdef void tell_skipped(Streams* streams, Direction* direction, const Packet* now) noexcept nogil:
    if direction.waiting.skipped:
        connection_issue(
            streams.out, now, direction.connection, LAYER_CONTROL, KIND_SKIPPED, 0, direction.waiting.skipped
        )
        direction.waiting.skipped = 0


cdef void skip(Streams* streams, Direction* direction, int64_t position) noexcept nogil:
    if position > direction.cursor:
        direction.waiting.skipped += position - direction.cursor
        advance(streams, direction, position)


cdef void search(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    """Out of step: move the cursor to the next plausible header, or to where one may yet begin (7.3)."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef const uint8_t* p
    cdef Piece* piece
    cdef Py_ssize_t index = 0
    cdef int64_t position = direction.cursor
    cdef int64_t known
    while position + HEADER_SIZE <= direction.waiting.end:
        while piece_end(piece_at(direction, index)) <= position:
            index += 1
        piece = piece_at(direction, index)
        known = piece.position + piece.captured - position
        if known <= 0:
            # Nothing that overlaps octets which are not captured can be a header.
            position = piece_end(piece)
            continue
        if known >= HEADER_SIZE:
            p = piece.data + (position - piece.position)
        else:
            p = peek(direction, position, HEADER_SIZE, scratch, &known)
            if known < HEADER_SIZE:
                # The octet at position + known is not captured.
                position += known + 1
                continue
        if is_plausible(streams, p):
            skip(streams, direction, position)
            tell_skipped(streams, direction, now)
            direction.in_step = True
            return
        position += 1
    position = max(direction.cursor, direction.waiting.end - (HEADER_SIZE - 1))
    for index in range(direction.waiting.contiguous - 1, -1, -1):
        piece = piece_at(direction, index)
        if piece_end(piece) <= position:
            break
        if piece.captured < piece.length:
            position = piece_end(piece)
            break
    skip(streams, direction, position)


cdef void lose_step(Direction* direction) noexcept nogil:
    direction.in_step = False
    direction.pending |= MESSAGE_RESYNCHRONISED


cdef bint step(Streams* streams, Direction* direction, const Packet* now) noexcept nogil:
    """In step: take one message or lose the step (7.1); False where more octets are needed."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef int64_t known
    cdef int64_t length
    cdef int64_t n = direction.waiting.end - direction.cursor
    cdef const uint8_t* p = peek(direction, direction.cursor, HEADER_SIZE, scratch, &known)
    if n < HEADER_SIZE and known == n:
        return False
    length = load16(p) if known >= 2 else 0
    if known < HEADER_SIZE:
        if known >= 8 and HEADER_SIZE <= length <= MAXIMUM_LENGTH and load32(p + 4) == MAGIC_COOKIE:
            if n < length:
                return False
            connection_issue(streams.out, now, direction.connection, LAYER_CONTROL, KIND_HEADER_CUT, HEADER_SIZE, known)
            advance(streams, direction, direction.cursor + length)
            return True
        connection_issue(streams.out, now, direction.connection, LAYER_CONTROL, KIND_HEADER_CUT, HEADER_SIZE, known)
        lose_step(direction)
    elif not HEADER_SIZE <= length <= MAXIMUM_LENGTH:
        connection_issue(
            streams.out, now, direction.connection, LAYER_CONTROL, KIND_BAD_LENGTH,
            HEADER_SIZE if length < HEADER_SIZE else MAXIMUM_LENGTH, length,
        )
        lose_step(direction)
    elif load32(p + 4) != MAGIC_COOKIE:
        connection_issue(
            streams.out, now, direction.connection, LAYER_CONTROL, KIND_WRONG_COOKIE, <int64_t>MAGIC_COOKIE,
            load32(p + 4),
        )
        lose_step(direction)
    elif n < length:
        return False
    else:
        deliver(streams, direction, now, length, length)
    return True


cdef void cut(Streams* streams, Direction* direction, const Packet* now) noexcept nogil:
    """Cut all complete messages."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef int64_t known
    cdef const uint8_t* p
    if direction.waiting.resume >= 0:
        if direction.waiting.end < direction.waiting.resume + HEADER_SIZE:
            return
        p = peek(direction, direction.waiting.resume, HEADER_SIZE, scratch, &known)
        if known == HEADER_SIZE and is_plausible(streams, p):
            advance(streams, direction, direction.waiting.resume)
            direction.in_step = True
        direction.waiting.resume = -1
    while True:
        if not direction.in_step:
            search(streams, direction, now)
            if not direction.in_step:
                return
        if not step(streams, direction, now):
            return


cdef int64_t end_partial(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    """No more octets follow here (7.5); gives where the cut message would have ended, -1 without one."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef int64_t known
    cdef int64_t length
    cdef int64_t expected = -1
    cdef int64_t n
    cdef const uint8_t* p
    if direction.waiting.resume >= 0:
        direction.waiting.resume = -1
        cut(streams, direction, now)
    n = direction.waiting.end - direction.cursor
    if not direction.in_step:
        skip(streams, direction, direction.waiting.end)
        tell_skipped(streams, direction, now)
    elif n > 0:
        p = peek(direction, direction.cursor, HEADER_SIZE, scratch, &known)
        if known == HEADER_SIZE:
            length = load16(p)
            expected = direction.cursor + length
            connection_issue(streams.out, now, direction.connection, LAYER_CONTROL, KIND_MESSAGE_CUT, length, n)
            deliver(streams, direction, now, length, n)
        else:
            connection_issue(streams.out, now, direction.connection, LAYER_CONTROL, KIND_HEADER_CUT, HEADER_SIZE, known)
            advance(streams, direction, direction.waiting.end)
    return expected


cdef int64_t cut_whole(
    Streams* streams, Direction* direction, const Segment* segment, bint closed
) noexcept nogil:
    """Cut the whole messages at the beginning of a segment that stands at the cursor, where nothing waits.

    What ``insert`` and ``cut`` would make of them, without a piece: so most messages come.  Gives the octets that are
    delivered; the rest is theirs.
    """
    cdef Delivery delivery
    cdef const uint8_t* p = segment.data
    cdef const uint8_t* end = p + segment.wire
    cdef uint16_t marks = marks_of(segment, closed or 0 <= direction.fin < direction.cursor + segment.wire)
    cdef ConnectionRow* row = <ConnectionRow*>buffer_at(&streams.out.connections, direction.connection)
    cdef int64_t length
    cdef int64_t cut_octets
    delivery.now = &segment.packet
    delivery.arrival = &segment.packet
    delivery.segments = 1
    while end - p >= HEADER_SIZE:
        length = load16(p)
        if not direction.in_step:
            direction.in_step = is_plausible(streams, p)
        if (
            not direction.in_step or not HEADER_SIZE <= length <= MAXIMUM_LENGTH or load32(p + 4) != MAGIC_COOKIE
            or end - p < length
        ):
            break
        delivery.octets = p
        delivery.available = length
        delivery.status = marks | direction.pending
        give(streams, direction, row, &delivery)
        p += length
    cut_octets = p - segment.data
    if cut_octets:
        add_history(streams, direction, segment.data, cut_octets)
        direction.cursor += cut_octets
        direction.highest = direction.cursor
        row.side[direction.side].octets += <uint64_t>cut_octets
    return cut_octets

"""One direction of a control connection: order its octets and cut them into messages (decoding 6.6, 6.7 and 7).

Knows positions and the message header; the meaning of bodies is ``control``'s.  Called by
``assemble``, segment by segment, in the order of packets.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from .buffers cimport buffer_at, buffer_free, buffer_init
from .control cimport Delivery, Output, connection_issue, give_message
from .inserts cimport insert
from .numbers cimport (
    CONTROL_MESSAGE, ConnectionRow, HEADER_SIZE, KIND_BAD_LENGTH, KIND_EVICTED, KIND_GAP, KIND_HEADER_CUT,
    KIND_MESSAGE_CUT, KIND_OUT_OF_WINDOW, KIND_SKIPPED, KIND_WAITING_LIMIT, KIND_WRONG_COOKIE,
    LAYER_CONTROL, LAYER_TCP, MAGIC_COOKIE, MAXIMUM_LENGTH,
    MESSAGE_AFTER_GAP, MESSAGE_MIDSTREAM, MESSAGE_RESYNCHRONISED, MESSAGE_TYPES,
    PRESENT_INITIATOR, PRESENT_RESPONDER, PRESENT_RESULT, SideRow, WINDOW,
)
from .octets cimport load16, load32
from .pieces cimport advance, extend, forget_history, own, peek, piece_at, piece_end, see
from .sink cimport Caps, Packet, Segment

cdef enum:
    SYN = 0x02
    FIN = 0x01


cdef void direction_init(Direction* direction, int32_t connection, int side) noexcept nogil:
    memset(direction, 0, sizeof(Direction))
    direction.connection = connection
    direction.side = side
    direction.resume = -1
    direction.acked = -1
    direction.fin = -1
    buffer_init(&direction.pieces, sizeof(Piece))
    buffer_init(&direction.history, 1)


cdef void unlink(Direction* direction, Held* held) noexcept nogil:
    if direction.held_before != NULL:
        direction.held_before.held_behind = direction.held_behind
    elif held.first == direction:
        held.first = direction.held_behind
    if direction.held_behind != NULL:
        direction.held_behind.held_before = direction.held_before
    elif held.last == direction:
        held.last = direction.held_before
    direction.held_before = NULL
    direction.held_behind = NULL


cdef void touch(Direction* direction, Held* held) noexcept nogil:
    """It becomes the most recently touched of those that hold anything."""
    unlink(direction, held)
    if direction.weight == 0:
        return
    direction.held_before = held.last
    if held.last != NULL:
        held.last.held_behind = direction
    else:
        held.first = direction
    held.last = direction


cdef void direction_free(Direction* direction, Held* held) noexcept nogil:
    cdef Py_ssize_t index
    unlink(direction, held)
    held.octets -= direction.weight
    for index in range(direction.pieces.count):
        free(piece_at(direction, index).storage)
    buffer_free(&direction.pieces)
    buffer_free(&direction.history)


cdef void set_start(Direction* direction, uint32_t start, Start how) noexcept nogil:
    direction.start_known = how
    direction.start = start
    direction.in_step = how == START_FROM_SYN
    if how == START_FROM_DATA:
        direction.pending = MESSAGE_MIDSTREAM


cdef int64_t distance(const Direction* direction, uint32_t sequence) noexcept nogil:
    """From the contiguous end to a sequence number, signed, by the 32 bits that are on the wire."""
    cdef uint32_t expected = direction.start + <uint32_t>(<uint64_t>direction.end & 0xFFFFFFFFU)
    return <int32_t>(sequence - expected)


cdef bint waits(const Direction* direction) noexcept nogil:
    """Whether octets wait behind a hole."""
    return direction.contiguous < direction.pieces.count


cdef void note_start(Output* out, const Direction* direction, int kind, const char* body) noexcept nogil:
    """What a side says in its first Start-Control-Connection message goes to its connection."""
    cdef ConnectionRow* row = <ConnectionRow*>buffer_at(&out.connections, direction.connection)
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


cdef int count_segments(const Direction* direction, int64_t end, int* marks) noexcept nogil:
    """Different packets that hold the octets from the cursor to `end`, and the marks of their pieces."""
    cdef uint64_t packets[MAXIMUM_LENGTH]
    cdef Piece* piece
    cdef Py_ssize_t index
    cdef int found = 0
    cdef int place
    for index in range(direction.contiguous):
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
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now, int64_t length, int64_t present
) noexcept nogil:
    """The message at the cursor, of which `present` octets are there, becomes rows; the cursor steps over it."""
    cdef uint8_t scratch[MAXIMUM_LENGTH]
    cdef Delivery delivery
    cdef Piece* piece
    cdef Py_ssize_t index
    cdef int marks = direction.pending
    cdef int kind
    cdef int64_t end = direction.cursor + present
    cdef char* body
    for index in range(direction.contiguous):
        piece = piece_at(direction, index)
        if piece.position >= end:
            break
        see(direction, piece)
    delivery.octets = peek(direction, direction.cursor, present, scratch, &delivery.available)
    delivery.segments = count_segments(direction, end, &marks)
    delivery.now = now
    delivery.arrival = &direction.arrival
    delivery.connection = direction.connection
    delivery.from_initiator = direction.side == 0
    delivery.status = marks
    direction.pending = 0
    kind = load16(delivery.octets + 8)
    body = give_message(out, &delivery)
    (<ConnectionRow*>buffer_at(&out.connections, direction.connection)).side[direction.side].messages += 1
    if body != NULL and (kind == 1 or kind == 2):
        note_start(out, direction, kind, body)
    advance(direction, held, caps, end)


cdef bint is_plausible(const Output* out, const uint8_t* p) noexcept nogil:
    """Whether the 12 octets at `p` are the header of one of the 15 messages, of its fixed length."""
    cdef int kind
    if load32(p + 4) != MAGIC_COOKIE or load16(p + 2) != CONTROL_MESSAGE:
        return False
    kind = load16(p + 8)
    return 1 <= kind <= MESSAGE_TYPES and load16(p) == out.plans[kind].size


cdef void tell_skipped(Direction* direction, Output* out, const Packet* now) noexcept nogil:
    if direction.skipped:
        connection_issue(out, now, direction.connection, LAYER_CONTROL, KIND_SKIPPED, 0, direction.skipped)
        direction.skipped = 0


cdef void skip(Direction* direction, Held* held, const Caps* caps, int64_t position) noexcept nogil:
    if position > direction.cursor:
        direction.skipped += position - direction.cursor
        advance(direction, held, caps, position)


cdef void search(Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now) noexcept nogil:
    """Out of step: move the cursor to the next plausible header, or to where one may yet begin (7.3)."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef const uint8_t* p
    cdef Piece* piece
    cdef Py_ssize_t index = 0
    cdef int64_t position = direction.cursor
    cdef int64_t known
    while position + HEADER_SIZE <= direction.end:
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
        if is_plausible(out, p):
            skip(direction, held, caps, position)
            tell_skipped(direction, out, now)
            direction.in_step = True
            return
        position += 1
    position = max(direction.cursor, direction.end - (HEADER_SIZE - 1))
    for index in range(direction.contiguous - 1, -1, -1):
        piece = piece_at(direction, index)
        if piece_end(piece) <= position:
            break
        if piece.captured < piece.length:
            position = piece_end(piece)
            break
    skip(direction, held, caps, position)


cdef void lose_step(Direction* direction) noexcept nogil:
    direction.in_step = False
    direction.pending |= MESSAGE_RESYNCHRONISED


cdef bint step(Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now) noexcept nogil:
    """In step: take one message or lose the step (7.1); False where more octets are needed."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef int64_t known
    cdef int64_t length
    cdef int64_t n = direction.end - direction.cursor
    cdef const uint8_t* p = peek(direction, direction.cursor, HEADER_SIZE, scratch, &known)
    if n < HEADER_SIZE and known == n:
        return False
    length = load16(p) if known >= 2 else 0
    if known < HEADER_SIZE:
        if known >= 8 and HEADER_SIZE <= length <= MAXIMUM_LENGTH and load32(p + 4) == MAGIC_COOKIE:
            if n < length:
                return False
            connection_issue(out, now, direction.connection, LAYER_CONTROL, KIND_HEADER_CUT, HEADER_SIZE, known)
            advance(direction, held, caps, direction.cursor + length)
            return True
        connection_issue(out, now, direction.connection, LAYER_CONTROL, KIND_HEADER_CUT, HEADER_SIZE, known)
        lose_step(direction)
    elif not HEADER_SIZE <= length <= MAXIMUM_LENGTH:
        connection_issue(
            out, now, direction.connection, LAYER_CONTROL, KIND_BAD_LENGTH,
            HEADER_SIZE if length < HEADER_SIZE else MAXIMUM_LENGTH, length,
        )
        lose_step(direction)
    elif load32(p + 4) != MAGIC_COOKIE:
        connection_issue(
            out, now, direction.connection, LAYER_CONTROL, KIND_WRONG_COOKIE, <int64_t>MAGIC_COOKIE, load32(p + 4)
        )
        lose_step(direction)
    elif n < length:
        return False
    else:
        deliver(direction, out, caps, held, now, length, length)
    return True


cdef void cut(Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now) noexcept nogil:
    """Cut all messages that are there."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef int64_t known
    cdef const uint8_t* p
    if direction.resume >= 0:
        if direction.end < direction.resume + HEADER_SIZE:
            return
        p = peek(direction, direction.resume, HEADER_SIZE, scratch, &known)
        if known == HEADER_SIZE and is_plausible(out, p):
            advance(direction, held, caps, direction.resume)
            direction.in_step = True
        direction.resume = -1
    while True:
        if not direction.in_step:
            search(direction, out, caps, held, now)
            if not direction.in_step:
                return
        if not step(direction, out, caps, held, now):
            return


cdef int64_t end_partial(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil:
    """No more octets follow here (7.5); gives where the cut message would have ended, -1 without one."""
    cdef uint8_t scratch[HEADER_SIZE]
    cdef int64_t known
    cdef int64_t length
    cdef int64_t expected = -1
    cdef int64_t n
    cdef const uint8_t* p
    if direction.resume >= 0:
        direction.resume = -1
        cut(direction, out, caps, held, now)
    n = direction.end - direction.cursor
    if not direction.in_step:
        skip(direction, held, caps, direction.end)
        tell_skipped(direction, out, now)
    elif n > 0:
        p = peek(direction, direction.cursor, HEADER_SIZE, scratch, &known)
        if known == HEADER_SIZE:
            length = load16(p)
            expected = direction.cursor + length
            connection_issue(out, now, direction.connection, LAYER_CONTROL, KIND_MESSAGE_CUT, length, n)
            deliver(direction, out, caps, held, now, length, n)
        else:
            connection_issue(out, now, direction.connection, LAYER_CONTROL, KIND_HEADER_CUT, HEADER_SIZE, known)
            advance(direction, held, caps, direction.end)
    return expected


cdef void declare_lost(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil:
    """The lowest hole will not be filled (7.4)."""
    cdef SideRow* side
    cdef int64_t behind
    cdef int64_t expected = end_partial(direction, out, caps, held, now)
    behind = piece_at(direction, 0).position
    connection_issue(out, now, direction.connection, LAYER_TCP, KIND_GAP, behind - direction.end, 0)
    side = &(<ConnectionRow*>buffer_at(&out.connections, direction.connection)).side[direction.side]
    side.gaps += 1
    side.gap_octets += <uint64_t>(behind - direction.end)
    forget_history(direction, held, caps)
    memset(&direction.arrival, 0, sizeof(Packet))
    direction.in_step = False
    direction.pending |= MESSAGE_AFTER_GAP
    direction.cursor = behind
    direction.end = behind
    extend(direction)
    if expected > behind:
        direction.resume = expected
    cut(direction, out, caps, held, now)


cdef void finish_direction(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil:
    """Nothing more will come, or nothing more may be held (7.6)."""
    while waits(direction):
        declare_lost(direction, out, caps, held, now)
    end_partial(direction, out, caps, held, now)
    lose_step(direction)


cdef void lose_acknowledged(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil:
    while waits(direction) and piece_at(direction, direction.contiguous).position <= direction.acked:
        declare_lost(direction, out, caps, held, now)


cdef void take_acknowledgment(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now, uint32_t number
) noexcept nogil:
    """The other side has everything below `number` (6.6)."""
    cdef int64_t away
    if direction.start_known == START_UNKNOWN:
        return
    away = distance(direction, number)
    if -WINDOW < away < WINDOW:
        direction.acked = max(direction.acked, direction.end + away)
        lose_acknowledged(direction, out, caps, held, now)


cdef void limit_waiting(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil:
    """The caps on what waits behind the lowest hole."""
    cdef Py_ssize_t index
    cdef int64_t waiting
    cdef int64_t octets
    while waits(direction):
        waiting = direction.pieces.count - direction.contiguous
        octets = 0
        for index in range(direction.contiguous, direction.pieces.count):
            octets += piece_at(direction, index).length
        if waiting > caps.pieces:
            connection_issue(
                out, now, direction.connection, LAYER_TCP, KIND_WAITING_LIMIT, caps.pieces, waiting
            )
        elif octets > caps.waiting_octets:
            connection_issue(
                out, now, direction.connection, LAYER_TCP, KIND_WAITING_LIMIT, caps.waiting_octets, octets
            )
        else:
            return
        declare_lost(direction, out, caps, held, now)


cdef void limit_held(Output* out, const Caps* caps, Held* held, const Packet* now) noexcept nogil:
    """The cap on what all directions hold together: the least recently touched gives way."""
    cdef Direction* oldest
    cdef int64_t value
    cdef bint had_pieces
    while held.octets > caps.held_octets and held.first != NULL:
        oldest = held.first
        value = held.octets
        had_pieces = oldest.pieces.count > 0
        if had_pieces:
            finish_direction(oldest, out, caps, held, now)
            connection_issue(out, now, oldest.connection, LAYER_TCP, KIND_EVICTED, caps.held_octets, value)
        forget_history(oldest, held, caps)
        buffer_free(&oldest.history)
        unlink(oldest, held)


cdef void take_data(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Segment* segment, bint closed
) noexcept nogil:
    """The data of one segment (6.7)."""
    cdef Py_ssize_t index
    cdef int64_t away
    cdef uint32_t sequence = segment.sequence
    if segment.flags & SYN:
        sequence += 1
    if direction.start_known == START_UNKNOWN:
        set_start(direction, sequence, START_FROM_DATA)
    away = distance(direction, sequence)
    if away <= -WINDOW or away >= WINDOW:
        connection_issue(
            out, &segment.packet, direction.connection, LAYER_TCP, KIND_OUT_OF_WINDOW, WINDOW,
            away if away > 0 else -away,
        )
        return
    if segment.wire == 1 and away == -1 and not segment.flags & (SYN | FIN):
        return
    if direction.pieces.capacity == 0:
        direction.pieces = held.spare
        buffer_init(&held.spare, sizeof(Piece))
    insert(direction, out, caps, held, segment, direction.end + away, closed)
    extend(direction)
    cut(direction, out, caps, held, &segment.packet)
    lose_acknowledged(direction, out, caps, held, &segment.packet)
    limit_waiting(direction, out, caps, held, &segment.packet)
    # What is still held must outlive the scanned data; the segment's pieces are the only ones that point there.
    for index in range(direction.pieces.count):
        own(direction, piece_at(direction, index))
    if direction.pieces.failed or direction.history.failed:
        out.issues.failed = True
    if direction.pieces.count == 0:
        buffer_free(&held.spare)
        held.spare = direction.pieces
        buffer_init(&direction.pieces, sizeof(Piece))
    touch(direction, held)
    limit_held(out, caps, held, &segment.packet)

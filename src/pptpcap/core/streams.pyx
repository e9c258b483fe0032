"""One direction of a control connection: put its octets in order and in bounds (decoding 6.6, 6.7, 7.4 and 7.6).

Knows positions, holes and caps; where a message begins and ends is ``cutter``'s matter.  Called by
``connections``, segment by segment, in the order of packets.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from .buffers cimport Buffer, buffer_at, buffer_free, buffer_init
from .control cimport Output, connection_issue
from .cutter cimport cut, end_partial, lose_step
from .inserts cimport insert
from .numbers cimport (
    ConnectionRow, KIND_EVICTED, KIND_GAP, KIND_OUT_OF_WINDOW, KIND_WAITING_LIMIT, LAYER_TCP, MESSAGE_AFTER_GAP,
    MESSAGE_MIDSTREAM, SideRow, WINDOW,
)
from .pieces cimport extend, forget_history, own, piece_at
from .sink cimport Caps, Packet, Segment

cdef enum:
    SYN = 0x02
    FIN = 0x01
    # Room for so many pieces is not worth being made smaller.
    LEAST_PIECES = 16


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


cdef void shrink(Direction* direction) noexcept nogil:
    """Room for many pieces is let go when few are left: what is not weighed must not be held."""
    cdef Buffer* pieces = &direction.pieces
    cdef Py_ssize_t fewer = 2 * pieces.count
    cdef char* data
    if pieces.count == 0:
        buffer_free(pieces)
    elif pieces.capacity > 4 * pieces.count and pieces.capacity > LEAST_PIECES:
        data = <char*>realloc(pieces.data, <size_t>(fewer * pieces.item))
        if data != NULL:
            pieces.data = data
            pieces.capacity = fewer


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
    shrink(direction)


cdef void finish_direction(
    Direction* direction, Output* out, const Caps* caps, Held* held, const Packet* now
) noexcept nogil:
    """Nothing more will come, or nothing more may be held (7.6)."""
    while waits(direction):
        declare_lost(direction, out, caps, held, now)
    end_partial(direction, out, caps, held, now)
    lose_step(direction)
    shrink(direction)


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
    else:
        shrink(direction)
    touch(direction, held)
    limit_held(out, caps, held, &segment.packet)

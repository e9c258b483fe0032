"""One direction of a control connection: put its octets in order and in bounds (decoding 6.6, 6.7, 7.4 and 7.6).

Knows positions, holes and caps; where a message begins and ends is ``cutter``'s matter.  Called by
``connections``, segment by segment, in the order of packets.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from ..base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_resize
from ..base.numbers cimport (
    KIND_EVICTED, KIND_GAP, KIND_OUT_OF_WINDOW, KIND_WAITING_LIMIT, LAYER_TCP, MESSAGE_AFTER_GAP, MESSAGE_MIDSTREAM,
    TCP_FIN, TCP_SYN, WINDOW, Caps, ConnectionRow, SideRow,
)
from ..base.order cimport order_first, order_free, order_init, order_remove, order_touch
from ..base.packets cimport Packet
from ..scan.segments cimport Segment
from .control cimport Output, connection_issue
from .cutter cimport cut, cut_whole, end_partial, lose_step
from .history cimport forget_history
from .inserts cimport insert
from .pieces cimport extend, own, piece_at
from .state cimport (
    START_FROM_DATA, START_FROM_SYN, START_UNKNOWN, Direction, Piece, Start, Streams, Undelivered, contiguous_end,
    direction_at, distance, waits,
)

cdef enum:
    # Room for so many pieces is not worth being made smaller, and so many that no direction needs are kept.
    LEAST_PIECES = 16
    MOST_SPARES = 64


cdef void streams_init(Streams* streams, Output* out, const Caps* caps) noexcept nogil:
    memset(streams, 0, sizeof(Streams))
    streams.out = out
    streams.caps = caps
    buffer_init(&streams.directions, sizeof(Direction))
    order_init(&streams.order)


cdef void waiting_free(Undelivered* waiting) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(waiting.pieces.count):
        free((<Piece*>buffer_at(&waiting.pieces, index)).storage)
    buffer_free(&waiting.pieces)
    free(waiting)


cdef void streams_free(Streams* streams) noexcept nogil:
    cdef Undelivered* waiting
    cdef Direction* direction
    cdef Py_ssize_t number
    for number in range(streams.directions.count):
        direction = direction_at(streams, number)
        if direction.waiting != NULL:
            waiting_free(direction.waiting)
        free(direction.history)
    while streams.spare != NULL:
        waiting = streams.spare
        streams.spare = waiting.next
        waiting_free(waiting)
    buffer_free(&streams.directions)
    order_free(&streams.order)


cdef void direction_init(Direction* direction, int32_t connection, int side) noexcept nogil:
    memset(direction, 0, sizeof(Direction))
    direction.connection = connection
    direction.side = <uint8_t>side
    direction.acked = -1
    direction.fin = -1


cdef void direction_free(Streams* streams, int64_t number) noexcept nogil:
    """Forget the direction of that number; what it holds is no longer weighed."""
    cdef Direction* direction = direction_at(streams, number)
    order_remove(&streams.order, <int32_t>number)
    forget_history(streams, direction)
    if direction.waiting != NULL:
        streams.octets -= direction.waiting.weight
        waiting_free(direction.waiting)
        direction.waiting = NULL
        streams.waiting -= 1


cdef bint wait(Streams* streams, Direction* direction) noexcept nogil:
    """The direction gets what it needs to hold pieces; False when memory is streams.out."""
    cdef Undelivered* waiting = streams.spare
    if direction.waiting != NULL:
        return True
    if waiting != NULL:
        streams.spare = waiting.next
        streams.spares -= 1
    else:
        waiting = <Undelivered*>calloc(1, sizeof(Undelivered))
        if waiting == NULL:
            streams.directions.failed = True
            return False
        buffer_init(&waiting.pieces, sizeof(Piece))
    memset(&waiting.arrival, 0, sizeof(Packet))
    waiting.contiguous = 0
    waiting.end = direction.cursor
    waiting.resume = -1
    waiting.skipped = 0
    waiting.weight = 0
    direction.waiting = waiting
    streams.waiting += 1
    return True


cdef void settle(Streams* streams, Direction* direction) noexcept nogil:
    """What the direction does not need is let go: what is not weighed must not be held."""
    cdef Undelivered* waiting = direction.waiting
    cdef Buffer* pieces
    cdef Py_ssize_t fewer
    if waiting == NULL:
        return
    pieces = &waiting.pieces
    fewer = max(2 * pieces.count, LEAST_PIECES)
    if pieces.failed:
        streams.directions.failed = True
    if pieces.capacity > 2 * fewer:
        buffer_resize(pieces, fewer)
    if pieces.count or waiting.resume >= 0 or waiting.skipped:
        return
    direction.waiting = NULL
    streams.waiting -= 1
    if streams.spares == MOST_SPARES:
        waiting_free(waiting)
        return
    waiting.next = streams.spare
    streams.spare = waiting
    streams.spares += 1


cdef void set_start(Direction* direction, uint32_t start, Start how) noexcept nogil:
    direction.start_known = <uint8_t>how
    direction.start = start
    direction.in_step = how == START_FROM_SYN
    if how == START_FROM_DATA:
        direction.pending = MESSAGE_MIDSTREAM


cdef void declare_lost(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    """The lowest hole will not be filled (7.4)."""
    cdef SideRow* side
    cdef int64_t behind
    cdef int64_t expected = end_partial(streams, direction, now)
    behind = piece_at(direction, 0).position
    connection_issue(streams.out, now, direction.connection, LAYER_TCP, KIND_GAP, behind - direction.waiting.end, 0)
    side = &(<ConnectionRow*>buffer_at(&streams.out.connections, direction.connection)).side[direction.side]
    side.gaps += 1
    side.gap_octets += <uint64_t>(behind - direction.waiting.end)
    forget_history(streams, direction)
    memset(&direction.waiting.arrival, 0, sizeof(Packet))
    direction.in_step = False
    direction.pending |= MESSAGE_AFTER_GAP
    direction.cursor = behind
    direction.waiting.end = behind
    extend(direction)
    if expected > behind:
        direction.waiting.resume = expected
    cut(streams, direction, now)


cdef void lose_holes(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    """No hole will be filled."""
    while waits(direction):
        declare_lost(streams, direction, now)
    settle(streams, direction)


cdef void finish_direction(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    """Nothing more will come, or nothing more may be held (7.6)."""
    lose_holes(streams, direction, now)
    if direction.waiting != NULL:
        end_partial(streams, direction, now)
        settle(streams, direction)
    lose_step(direction)


cdef void lose_acknowledged(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    while waits(direction) and piece_at(direction, direction.waiting.contiguous).position <= direction.acked:
        declare_lost(streams, direction, now)


cdef void take_acknowledgment(
    Streams* streams, Direction* direction, const Packet* now, uint32_t number
) noexcept nogil:
    """The other side has everything below `number` (6.6)."""
    cdef int64_t away
    if direction.start_known == START_UNKNOWN:
        return
    away = distance(direction, number)
    if -WINDOW < away < WINDOW:
        direction.acked = max(direction.acked, contiguous_end(direction) + away)
        if waits(direction):
            lose_acknowledged(streams, direction, now)
            settle(streams, direction)


cdef void limit_waiting(
    Streams* streams, Direction* direction, const Packet* now
) noexcept nogil:
    """The caps on what waits behind the lowest hole."""
    cdef Py_ssize_t index
    cdef int64_t waiting
    cdef int64_t octets
    while waits(direction):
        waiting = direction.waiting.pieces.count - direction.waiting.contiguous
        octets = 0
        for index in range(direction.waiting.contiguous, direction.waiting.pieces.count):
            octets += piece_at(direction, index).length
        if waiting > streams.caps.pieces:
            connection_issue(
                streams.out, now, direction.connection, LAYER_TCP, KIND_WAITING_LIMIT, streams.caps.pieces, waiting
            )
        elif octets > streams.caps.waiting_octets:
            connection_issue(
                streams.out, now, direction.connection, LAYER_TCP, KIND_WAITING_LIMIT, streams.caps.waiting_octets,
                octets,
            )
        else:
            return
        declare_lost(streams, direction, now)


cdef void limit_held(Streams* streams, const Packet* now) noexcept nogil:
    """The cap on what all directions hold together: the least recently touched gives way."""
    cdef Direction* oldest
    cdef int32_t number
    cdef int64_t value
    cdef bint had_pieces
    while streams.octets > streams.caps.held_octets:
        number = order_first(&streams.order)
        if number < 0:
            return
        oldest = direction_at(streams, number)
        value = streams.octets
        had_pieces = oldest.waiting != NULL and oldest.waiting.pieces.count > 0
        if had_pieces:
            finish_direction(streams, oldest, now)
            connection_issue(
                streams.out, now, oldest.connection, LAYER_TCP, KIND_EVICTED, streams.caps.held_octets, value
            )
        forget_history(streams, oldest)
        order_remove(&streams.order, number)


cdef void hold(
    Streams* streams, Direction* direction, const Segment* segment, int64_t position,
    bint closed,
) noexcept nogil:
    """Data that do not end where a message does, or not begin where one is due."""
    cdef Undelivered* waiting
    cdef Py_ssize_t index
    if not wait(streams, direction):
        return
    waiting = direction.waiting
    insert(streams, direction, segment, position, closed)
    extend(direction)
    cut(streams, direction, &segment.packet)
    lose_acknowledged(streams, direction, &segment.packet)
    limit_waiting(streams, direction, &segment.packet)
    # What is still held must outlive the scanned data; the segment's pieces are the only ones that point there.
    for index in range(waiting.pieces.count):
        own(direction, piece_at(direction, index))
    settle(streams, direction)


cdef void take_data(
    Streams* streams, Direction* direction, const Segment* segment, bint closed
) noexcept nogil:
    """The data of one segment (6.7)."""
    cdef Segment rest
    cdef int64_t away
    cdef int64_t octets = 0
    cdef int32_t number = <int32_t>(direction - direction_at(streams, 0))
    cdef uint32_t sequence = segment.sequence
    if segment.flags & TCP_SYN:
        sequence += 1
    if direction.start_known == START_UNKNOWN:
        set_start(direction, sequence, START_FROM_DATA)
    away = distance(direction, sequence)
    if away <= -WINDOW or away >= WINDOW:
        connection_issue(
            streams.out, &segment.packet, direction.connection, LAYER_TCP, KIND_OUT_OF_WINDOW, WINDOW,
            away if away > 0 else -away,
        )
        return
    if segment.wire == 1 and away == -1 and not segment.flags & (TCP_SYN | TCP_FIN):
        return
    if (
        away == 0 and direction.waiting == NULL and direction.highest == direction.cursor
        and segment.captured == segment.wire
    ):
        octets = cut_whole(streams, direction, segment, closed)
    if octets == 0:
        hold(streams, direction, segment, contiguous_end(direction) + away, closed)
    elif octets < segment.wire:
        rest = segment[0]
        rest.data += octets
        rest.captured -= octets
        rest.wire -= octets
        hold(streams, direction, &rest, direction.cursor, closed)
    if direction.waiting != NULL or direction.history_count:
        order_touch(&streams.order, number)
    else:
        order_remove(&streams.order, number)
    limit_held(streams, &segment.packet)

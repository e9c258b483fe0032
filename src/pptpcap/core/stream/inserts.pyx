"""Put the data of one segment among the held pieces: which copy of an octet stays (decoding 6.7).

Knows positions, copies and checksums; nothing of messages.  Called by ``streams``.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcmp, memcpy, memmove

from ..base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.numbers cimport (
    KIND_OVERLAP_CONFLICT, LAYER_TCP, MESSAGE_OVERLAP_CONFLICT, PIECE_COST, ConnectionRow, SideRow,
)
from ..scan.segments cimport CHECKSUM_VERIFIES, Segment
from .control cimport connection_issue
from .history cimport history_weight
from .pieces cimport keep_part, marks_of, own, piece_at, piece_end, weigh
from .state cimport Direction, Piece, Streams

cdef struct Overlap:
    int64_t compared
    int64_t differing
    int64_t fresh
    # Position of the first new octet, -1 without one.
    int64_t first_fresh


cdef int64_t count_differing(const uint8_t* a, const uint8_t* b, int64_t n) noexcept nogil:
    cdef int64_t i
    cdef int64_t differing = 0
    if n <= 0 or memcmp(a, b, <size_t>n) == 0:
        return 0
    for i in range(n):
        differing += a[i] != b[i]
    return differing


cdef int64_t compare_pieces(const Piece* held, const Piece* fresh, Overlap* overlap) noexcept nogil:
    """Compare what both have captured; gives how many octets differ."""
    cdef int64_t start = max(held.position, fresh.position)
    cdef int64_t end = min(held.position + held.captured, fresh.position + fresh.captured)
    cdef int64_t differing
    if start >= end:
        return 0
    differing = count_differing(held.data + (start - held.position), fresh.data + (start - fresh.position), end - start)
    overlap.compared += end - start
    overlap.differing += differing
    return differing


cdef void compare_history(
    const Streams* streams, const Direction* direction, const Piece* fresh, Overlap* overlap
) noexcept nogil:
    cdef Piece delivered
    cdef int64_t kept = history_weight(streams, direction)
    if kept == 0 or fresh.position >= direction.cursor:
        return
    delivered.position = direction.cursor - kept
    delivered.length = kept
    delivered.captured = kept
    delivered.data = direction.history + direction.history_count - kept
    compare_pieces(&delivered, fresh, overlap)


cdef void add_part(
    Streams* streams, Direction* direction, Buffer* parts, const Piece* whole, int64_t start, int64_t end
) noexcept nogil:
    """The octets of `whole` in [start, end) as a piece of its own."""
    cdef Piece* part
    if start >= end:
        return
    part = <Piece*>buffer_push(parts)
    if part == NULL:
        return
    keep_part(part, whole, start, end)
    weigh(streams, direction, PIECE_COST + part.captured)


cdef void add_fresh(
    Streams* streams, Direction* direction, Buffer* parts, const Piece* whole, int64_t start, int64_t end,
    Overlap* overlap,
) noexcept nogil:
    if start < end:
        if overlap.first_fresh < 0:
            overlap.first_fresh = start
        overlap.fresh += end - start
        add_part(streams, direction, parts, whole, start, end)


cdef void merge_piece(
    Streams* streams, Direction* direction, Buffer* parts, Piece* old, const Piece* fresh, Overlap* overlap
) noexcept nogil:
    """`old` overlaps `fresh`: keep it, or let the overlap be replaced by the copy that verifies."""
    cdef Piece* part
    cdef int64_t start = max(old.position, fresh.position)
    cdef int64_t end = min(piece_end(old), piece_end(fresh))
    cdef int64_t differing = compare_pieces(old, fresh, overlap)
    if differing:
        old.marks |= MESSAGE_OVERLAP_CONFLICT
    if (
        fresh.checksum != CHECKSUM_VERIFIES or old.checksum == CHECKSUM_VERIFIES
        or not (differing or old.position + old.captured < end)
    ):
        part = <Piece*>buffer_push(parts)
        if part != NULL:
            part[0] = old[0]
        return
    # The parts that stay are copied first: the memory of the old piece goes.
    weigh(streams, direction, -(PIECE_COST + old.captured))
    add_part(streams, direction, parts, old, old.position, start)
    if old.position < start and parts.count:
        own(direction, <Piece*>buffer_at(parts, parts.count - 1))
    add_part(streams, direction, parts, fresh, start, end)
    add_part(streams, direction, parts, old, end, piece_end(old))
    if end < piece_end(old) and parts.count:
        own(direction, <Piece*>buffer_at(parts, parts.count - 1))
    free(old.storage)


cdef bint reserve_parts(
    Direction* direction, Buffer* parts, Py_ssize_t first, Py_ssize_t last, const Piece* fresh, int64_t start,
    int64_t end,
) noexcept nogil:
    """Room for what [start, end) of `fresh` makes of the pieces [first, last), while nothing is changed yet."""
    cdef Piece* piece
    cdef Py_ssize_t index
    cdef Py_ssize_t more = 0
    for index in range(first, last):
        piece = piece_at(direction, index)
        if start < piece.position:
            more += 1
        if fresh.checksum == CHECKSUM_VERIFIES and piece.checksum != CHECKSUM_VERIFIES:
            more += 2
        start = max(start, piece_end(piece))
    if start < end:
        more += 1
    return buffer_reserve(parts, last - first + more) and buffer_reserve(&direction.waiting.pieces, more)


cdef void splice(Direction* direction, Py_ssize_t first, Py_ssize_t last, const Buffer* parts) noexcept nogil:
    """Put `parts` in the place of the pieces [first, last); needs room for them."""
    cdef Buffer* pieces = &direction.waiting.pieces
    cdef Py_ssize_t more = parts.count - (last - first)
    cdef Py_ssize_t behind = pieces.count - last
    if behind and more:
        memmove(buffer_at(pieces, last + more), buffer_at(pieces, last), <size_t>(behind * pieces.item))
    if parts.count:
        memcpy(buffer_at(pieces, first), parts.data, <size_t>(parts.count * pieces.item))
    pieces.count += more


cdef void insert(
    Streams* streams, Direction* direction, const Segment* segment, int64_t position,
    bint closed,
) noexcept nogil:
    """Needs `segment` with data at `position` of the stream; its pieces point into the capture until they are owned."""
    cdef Piece whole
    cdef Piece fresh
    cdef Overlap overlap
    cdef Buffer parts
    cdef Piece* piece
    cdef ConnectionRow* row = <ConnectionRow*>buffer_at(&streams.out.connections, direction.connection)
    cdef SideRow* side = &row.side[direction.side]
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef Py_ssize_t index
    cdef int64_t end = position + segment.wire
    cdef int64_t start
    overlap.compared = 0
    overlap.differing = 0
    overlap.fresh = 0
    overlap.first_fresh = -1
    fresh.position = position
    fresh.length = segment.wire
    fresh.captured = segment.captured
    fresh.data = segment.data
    fresh.storage = NULL
    fresh.packet = segment.packet
    fresh.checksum = segment.checksum
    fresh.marks = marks_of(segment, closed or 0 <= direction.fin < end)

    # Octets before the start of the stream are nobody's.
    if position < 0:
        whole = fresh
        keep_part(&fresh, &whole, min(0, end), end)
    compare_history(streams, direction, &fresh, &overlap)
    start = max(fresh.position, direction.cursor)
    buffer_init(&parts, sizeof(Piece))
    last = direction.waiting.pieces.count
    while last > 0 and piece_at(direction, last - 1).position >= end:
        last -= 1
    first = last
    while first > 0 and piece_end(piece_at(direction, first - 1)) > start:
        first -= 1
    if first == last and first == direction.waiting.pieces.count and start < end:
        # The common case: behind everything that is held.
        overlap.first_fresh = start
        overlap.fresh = end - start
        add_part(streams, direction, &direction.waiting.pieces, &fresh, start, end)
        last = -1
    elif not reserve_parts(direction, &parts, first, last, &fresh, start, end):
        # Nothing of this segment is taken; feed will raise.
        streams.out.issues.failed = True
        last = first
        start = end
    for index in range(first, last):
        piece = piece_at(direction, index)
        add_fresh(streams, direction, &parts, &fresh, start, piece.position, &overlap)
        merge_piece(streams, direction, &parts, piece, &fresh, &overlap)
        start = max(start, min(piece_end(piece), end))
    if last >= 0:
        add_fresh(streams, direction, &parts, &fresh, start, end, &overlap)
        splice(direction, first, last, &parts)
        last = first + parts.count
        buffer_free(&parts)
    else:
        last = direction.waiting.pieces.count
    if overlap.differing:
        for index in range(first, last):
            piece = piece_at(direction, index)
            if piece.packet.packet == segment.packet.packet:
                piece.marks |= MESSAGE_OVERLAP_CONFLICT
    if first < direction.waiting.contiguous:
        # Pieces within the contiguous part may have been split: count them anew.
        direction.waiting.contiguous = 0
        direction.waiting.end = direction.cursor

    side.octets += <uint64_t>overlap.fresh
    if overlap.fresh == 0:
        side.retransmitted += 1
    elif overlap.first_fresh < direction.highest:
        side.out_of_order += 1
    direction.highest = max(direction.highest, end)
    if overlap.differing:
        side.conflicts += 1
        connection_issue(
            streams.out, &segment.packet, direction.connection, LAYER_TCP, KIND_OVERLAP_CONFLICT, overlap.compared,
            overlap.differing,
        )

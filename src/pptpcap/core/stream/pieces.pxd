"""The pieces of a direction that are not delivered yet.

Knows positions and memory.  Must not know messages.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove

from ..base.numbers cimport (
    MESSAGE_AFTER_CLOSE, MESSAGE_BAD_CHECKSUM, MESSAGE_FRAGMENTED, MESSAGE_TIME_FRACTION, MESSAGE_URGENT, PIECE_COST,
    TCP_URG,
)
from ..scan.segments cimport CHECKSUM_WRONG, Segment
from .history cimport add_history, forget_history
from .state cimport Direction, Piece, Streams


cdef inline Piece* piece_at(const Direction* direction, Py_ssize_t index) noexcept nogil:
    return <Piece*>direction.waiting.pieces.data + index


cdef inline int64_t piece_end(const Piece* piece) noexcept nogil:
    return piece.position + piece.length


cdef inline void weigh(Streams* streams, Direction* direction, int64_t more) noexcept nogil:
    direction.waiting.weight += more
    streams.octets += more


cdef inline uint16_t marks_of(const Segment* segment, bint after_close) noexcept nogil:
    """What the messages of a segment are marked with."""
    cdef int marks = 0
    if segment.checksum == CHECKSUM_WRONG:
        marks |= MESSAGE_BAD_CHECKSUM
    if segment.flags & TCP_URG:
        marks |= MESSAGE_URGENT
    if segment.packet.fragmented:
        marks |= MESSAGE_FRAGMENTED
    if segment.packet.time_fraction:
        marks |= MESSAGE_TIME_FRACTION
    if after_close:
        marks |= MESSAGE_AFTER_CLOSE
    return <uint16_t>marks


cdef inline bint own(Direction* direction, Piece* piece) noexcept nogil:
    """Copy octets that still stand in the capture; False if memory runs out."""
    cdef uint8_t* storage
    if piece.storage != NULL or piece.captured == 0:
        return True
    storage = <uint8_t*>malloc(<size_t>piece.captured)
    if storage == NULL:
        direction.waiting.pieces.failed = True
        piece.captured = 0
        return False
    memcpy(storage, piece.data, <size_t>piece.captured)
    piece.storage = storage
    piece.data = storage
    return True


cdef inline void keep_part(Piece* part, const Piece* whole, int64_t start, int64_t end) noexcept nogil:
    """`part` becomes the octets of `whole` in [start, end), pointing where `whole` points, owning nothing."""
    cdef int64_t skipped = start - whole.position
    part[0] = whole[0]
    part.position = start
    part.length = end - start
    part.captured = max(0, min(whole.captured - skipped, part.length))
    part.data = whole.data + min(skipped, whole.captured)
    part.storage = NULL


cdef inline void see(Direction* direction, const Piece* piece) noexcept nogil:
    """The arrival of the stream up to here is that of its latest packet."""
    if piece.packet.packet > direction.waiting.arrival.packet:
        direction.waiting.arrival = piece.packet


cdef inline void advance(Streams* streams, Direction* direction, int64_t position) noexcept nogil:
    """Move the cursor to `position`, which is contiguous: its octets become history."""
    cdef Piece* piece
    cdef Py_ssize_t gone = 0
    cdef Py_ssize_t left
    cdef int64_t taken
    cdef int64_t known
    while gone < direction.waiting.contiguous:
        piece = piece_at(direction, gone)
        taken = min(piece_end(piece), position) - piece.position
        if taken <= 0:
            break
        see(direction, piece)
        known = min(taken, piece.captured)
        add_history(streams, direction, piece.data, known)
        if known < taken:
            forget_history(streams, direction)
        weigh(streams, direction, -known)
        piece.position += taken
        piece.length -= taken
        piece.captured -= known
        piece.data += known
        if piece.length > 0:
            break
        weigh(streams, direction, -PIECE_COST)
        free(piece.storage)
        gone += 1
    direction.cursor = position
    if gone:
        left = direction.waiting.pieces.count - gone
        if left:
            memmove(piece_at(direction, 0), piece_at(direction, gone), <size_t>left * sizeof(Piece))
        direction.waiting.pieces.count = left
        direction.waiting.contiguous -= gone


cdef inline void extend(Direction* direction) noexcept nogil:
    """Take in the pieces that are contiguous now."""
    cdef Piece* piece
    while direction.waiting.contiguous < direction.waiting.pieces.count:
        piece = piece_at(direction, direction.waiting.contiguous)
        if piece.position != direction.waiting.end:
            break
        direction.waiting.end = piece_end(piece)
        direction.waiting.contiguous += 1


cdef inline const uint8_t* peek(
    const Direction* direction, int64_t position, int64_t n, uint8_t* scratch, int64_t* known
) noexcept nogil:
    """Octets from `position` on, at most `n`: how many are contiguous and known, and where they stand.

    `scratch` has room for `n` octets and is used where they stand in more than one piece.
    """
    cdef Piece* piece
    cdef Py_ssize_t index = 0
    cdef int64_t skipped
    cdef int64_t taken
    cdef int64_t got = 0
    while index < direction.waiting.contiguous and piece_end(piece_at(direction, index)) <= position:
        index += 1
    if index < direction.waiting.contiguous:
        piece = piece_at(direction, index)
        skipped = position - piece.position
        if piece.captured - skipped >= n:
            known[0] = n
            return piece.data + skipped
    while index < direction.waiting.contiguous and got < n:
        piece = piece_at(direction, index)
        skipped = position + got - piece.position
        taken = min(piece.captured - skipped, n - got)
        if taken > 0:
            memcpy(scratch + got, piece.data + skipped, <size_t>taken)
            got += taken
        if got < n and piece.captured < piece.length:
            break
        index += 1
    known[0] = got
    return scratch

"""Held octets of one direction: pieces in order of position, and the history of what was delivered.

Knows positions and memory, no message.  Called by ``streams``.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove

from .buffers cimport Buffer, buffer_at, buffer_free, buffer_reserve
from .numbers cimport PIECE_COST
from .sink cimport Caps, Packet
from .streams cimport Direction, Held, Piece


cdef inline Piece* piece_at(const Direction* direction, Py_ssize_t index) noexcept nogil:
    return <Piece*>direction.pieces.data + index


cdef inline int64_t piece_end(const Piece* piece) noexcept nogil:
    return piece.position + piece.length


cdef inline void weigh(Direction* direction, Held* held, int64_t more) noexcept nogil:
    direction.weight += more
    held.octets += more


cdef inline bint own(Direction* direction, Piece* piece) noexcept nogil:
    """Copy octets that still stand in the capture; False when memory is out."""
    cdef uint8_t* storage
    if piece.storage != NULL or piece.captured == 0:
        return True
    storage = <uint8_t*>malloc(<size_t>piece.captured)
    if storage == NULL:
        direction.pieces.failed = True
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


cdef inline void forget_history(Direction* direction, Held* held, const Caps* caps) noexcept nogil:
    weigh(direction, held, -min(<int64_t>direction.history.count, caps.history))
    # What is not weighed must not be held.
    buffer_free(&direction.history)


cdef inline void add_history(
    Direction* direction, Held* held, const Caps* caps, const uint8_t* data, int64_t n
) noexcept nogil:
    """Keep what is delivered, of which the last ``caps.history`` octets count."""
    cdef Buffer* history = &direction.history
    cdef int64_t before = min(<int64_t>history.count, caps.history)
    cdef int64_t kept
    if n > caps.history:
        data += n - caps.history
        n = caps.history
    if history.count + n > 2 * caps.history:
        kept = min(<int64_t>history.count, caps.history)
        memmove(history.data, history.data + history.count - kept, <size_t>kept)
        history.count = kept
    if n > 0 and buffer_reserve(history, n):
        memcpy(history.data + history.count, data, <size_t>n)
        history.count += n
    weigh(direction, held, min(<int64_t>history.count, caps.history) - before)


cdef inline void see(Direction* direction, const Piece* piece) noexcept nogil:
    """The arrival of the stream up to here is that of its latest packet."""
    if piece.packet.packet > direction.arrival.packet:
        direction.arrival = piece.packet


cdef inline void advance(Direction* direction, Held* held, const Caps* caps, int64_t position) noexcept nogil:
    """Move the cursor to `position`, which is contiguous: its octets become history."""
    cdef Piece* piece
    cdef Py_ssize_t gone = 0
    cdef Py_ssize_t left
    cdef int64_t taken
    cdef int64_t known
    while gone < direction.contiguous:
        piece = piece_at(direction, gone)
        taken = min(piece_end(piece), position) - piece.position
        if taken <= 0:
            break
        see(direction, piece)
        known = min(taken, piece.captured)
        add_history(direction, held, caps, piece.data, known)
        if known < taken:
            forget_history(direction, held, caps)
        weigh(direction, held, -known)
        piece.position += taken
        piece.length -= taken
        piece.captured -= known
        piece.data += known
        if piece.length > 0:
            break
        weigh(direction, held, -PIECE_COST)
        free(piece.storage)
        gone += 1
    direction.cursor = position
    if gone:
        left = direction.pieces.count - gone
        if left:
            memmove(direction.pieces.data, buffer_at(&direction.pieces, gone), <size_t>left * sizeof(Piece))
        direction.pieces.count = left
        direction.contiguous -= gone


cdef inline void extend(Direction* direction) noexcept nogil:
    """Take in the pieces that are contiguous now."""
    cdef Piece* piece
    while direction.contiguous < direction.pieces.count:
        piece = piece_at(direction, direction.contiguous)
        if piece.position != direction.end:
            break
        direction.end = piece_end(piece)
        direction.contiguous += 1


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
    while index < direction.contiguous and piece_end(piece_at(direction, index)) <= position:
        index += 1
    if index < direction.contiguous:
        piece = piece_at(direction, index)
        skipped = position - piece.position
        if piece.captured - skipped >= n:
            known[0] = n
            return piece.data + skipped
    while index < direction.contiguous and got < n:
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

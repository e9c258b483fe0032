"""IP reassembly, within the caps (decoding section 4).

Knows extents of bytes.  Must not know protocols; ``frames`` reads a complete datagram.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memmove

from ..base.buffers cimport Buffer, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.numbers cimport (
    KIND_FRAGMENT_CONFLICT, KIND_FRAGMENT_INCOMPLETE, KIND_FRAGMENT_LIMIT, KIND_FRAGMENT_TOO_LONG, KIND_MALFORMED,
    LAYER_IP,
)
from ..base.order cimport order_failed, order_first, order_free, order_init, order_remove, order_reserve, order_touch
from ..base.packets cimport Packet, add_issue
from ..base.table cimport table_add, table_find, table_free, table_init, table_remove
from ..scan.frames cimport walk_protocol
from ..scan.segments cimport Fragment
from ..scan.sink cimport Sink


cdef void reassembly_init(Reassembly* state, unsigned long long seed) noexcept nogil:
    table_init(&state.table, seed)
    buffer_init(&state.datagrams, sizeof(Datagram*))
    buffer_init(&state.complete, sizeof(uint8_t*))
    order_init(&state.order)


cdef bint reassembly_failed(const Reassembly* state) noexcept nogil:
    return state.table.failed or state.datagrams.failed or order_failed(&state.order) or state.complete.failed


cdef inline Extent* extent_at(const Datagram* datagram, Py_ssize_t index) noexcept nogil:
    return <Extent*>datagram.extents.data + index


cdef void datagram_free(Datagram* datagram) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(datagram.extents.count):
        free(extent_at(datagram, index).data)
    buffer_free(&datagram.extents)
    free(datagram)


cdef int64_t release_complete(Reassembly* state) noexcept nogil:
    """Free the reassembled datagrams, and return their number."""
    cdef Py_ssize_t index
    cdef int64_t count = state.complete.count
    for index in range(state.complete.count):
        free((<uint8_t**>state.complete.data)[index])
    state.complete.count = 0
    return count


cdef inline Datagram** datagram_at(const Reassembly* state, int64_t number) noexcept nogil:
    return <Datagram**>state.datagrams.data + number


cdef void drop(Reassembly* state, Datagram* datagram) noexcept nogil:
    datagram_at(state, datagram.number)[0] = NULL
    table_remove(&state.table, datagram.number)
    order_remove(&state.order, datagram.number)
    datagram_free(datagram)


cdef void reassembly_free(Reassembly* state) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(state.datagrams.count):
        if datagram_at(state, index)[0] != NULL:
            datagram_free(datagram_at(state, index)[0])
    release_complete(state)
    buffer_free(&state.datagrams)
    order_free(&state.order)
    buffer_free(&state.complete)
    table_free(&state.table)


cdef void incomplete(Reassembly* state, Datagram* datagram, Buffer* issues, const Packet* now) noexcept nogil:
    add_issue(issues, now, LAYER_IP, KIND_FRAGMENT_INCOMPLETE, max(datagram.total, <int64_t>0), datagram.came)
    drop(state, datagram)


cdef void give_up(Reassembly* state, Buffer* issues, const Packet* now) noexcept nogil:
    """Give up all incomplete datagrams at the end of the capture."""
    cdef int32_t number = order_first(&state.order)
    while number >= 0:
        incomplete(state, datagram_at(state, number)[0], issues, now)
        number = order_first(&state.order)


cdef Datagram* find_datagram(Reassembly* state, Sink* sink, const Fragment* fragment) noexcept nogil:
    """The datagram of a fragment, a new one where none is in flight; NULL if memory runs out."""
    cdef Datagram* datagram
    cdef int32_t oldest
    cdef int64_t number = table_find(&state.table, &fragment.key)
    if number >= 0:
        return datagram_at(state, number)[0]
    if state.table.count >= sink.caps.datagrams:
        oldest = order_first(&state.order)
        if oldest >= 0:
            incomplete(state, datagram_at(state, oldest)[0], &sink.issues, &fragment.packet)
    if not buffer_reserve(&state.datagrams, 1) or not order_reserve(&state.order, <int32_t>state.datagrams.count + 1):
        return NULL
    datagram = <Datagram*>calloc(1, sizeof(Datagram))
    if datagram == NULL:
        state.datagrams.failed = True
        return NULL
    number = table_add(&state.table, &fragment.key)
    if number < 0:
        free(datagram)
        return NULL
    if number == state.datagrams.count:
        buffer_push(&state.datagrams)
    datagram_at(state, number)[0] = datagram
    datagram.number = <int32_t>number
    datagram.protocol = fragment.protocol
    datagram.headers = fragment.headers
    datagram.total = -1
    buffer_init(&datagram.extents, sizeof(Extent))
    return datagram


cdef void cut_at_total(Datagram* datagram) noexcept nogil:
    """Drop the bytes after the end that the last fragment set."""
    cdef Extent* extent
    while datagram.extents.count:
        extent = extent_at(datagram, datagram.extents.count - 1)
        if extent.position + extent.length <= datagram.total:
            return
        if extent.position < datagram.total:
            datagram.came -= extent.position + extent.length - datagram.total
            extent.length = datagram.total - extent.position
            extent.captured = min(extent.captured, extent.length)
            return
        datagram.came -= extent.length
        free(extent.data)
        datagram.extents.count -= 1


cdef bint add_extent(
    Datagram* datagram, Sink* sink, const Fragment* fragment, Py_ssize_t index, int64_t start, int64_t end
) noexcept nogil:
    """New octets [start, end) of `fragment` become the extent `index`; False where the cap is reached."""
    cdef Extent* extent
    cdef int64_t skipped = start - fragment.position
    if datagram.extents.count >= sink.caps.fragments:
        return False
    if buffer_push(&datagram.extents) == NULL:
        sink.issues.failed = True
        return False
    extent = extent_at(datagram, index)
    memmove(extent + 1, extent, <size_t>(datagram.extents.count - 1 - index) * sizeof(Extent))
    extent.position = start
    extent.length = end - start
    extent.captured = max(0, min(fragment.captured - skipped, extent.length))
    extent.data = NULL
    if extent.captured:
        extent.data = <uint8_t*>malloc(<size_t>extent.captured)
        if extent.data == NULL:
            sink.issues.failed = True
            extent.captured = 0
        else:
            memcpy(extent.data, fragment.data + skipped, <size_t>extent.captured)
    datagram.came += extent.length
    return True


cdef void compare(
    const Extent* extent, const Fragment* fragment, int64_t end, int64_t* compared, int64_t* differing
) noexcept nogil:
    """Compare the octets below `end` that both have captured."""
    cdef int64_t start = max(extent.position, fragment.position)
    cdef int64_t stop = min(min(extent.position + extent.captured, fragment.position + fragment.captured), end)
    cdef const uint8_t* a = extent.data + (start - extent.position)
    cdef const uint8_t* b = fragment.data + (start - fragment.position)
    cdef int64_t i
    if start >= stop:
        return
    compared[0] += stop - start
    if memcmp(a, b, <size_t>(stop - start)) == 0:
        return
    for i in range(stop - start):
        differing[0] += a[i] != b[i]


cdef bint merge(Datagram* datagram, Sink* sink, const Fragment* fragment) noexcept nogil:
    """Take the new octets of a fragment; False where the datagram reached the cap on extents."""
    cdef Extent* extent
    cdef Py_ssize_t index = datagram.extents.count
    cdef int64_t end = fragment.position + fragment.wire
    cdef int64_t start = fragment.position
    cdef int64_t compared = 0
    cdef int64_t differing = 0
    cdef bint within = True
    if datagram.total >= 0:
        end = min(end, datagram.total)
    while index > 0:
        extent = extent_at(datagram, index - 1)
        if extent.position + extent.length <= start:
            break
        index -= 1
    while start < end and index < datagram.extents.count:
        extent = extent_at(datagram, index)
        if extent.position >= end:
            break
        if start < extent.position:
            # Beyond the cap nothing is kept, but overlaps are still compared.
            within = within and add_extent(datagram, sink, fragment, index, start, extent.position)
            index += within
            extent = extent_at(datagram, index)
        compare(extent, fragment, end, &compared, &differing)
        start = extent.position + extent.length
        index += 1
    if within and start < end:
        within = add_extent(datagram, sink, fragment, index, start, end)
    if differing:
        add_issue(&sink.issues, &fragment.packet, LAYER_IP, KIND_FRAGMENT_CONFLICT, compared, differing)
    if not within:
        add_issue(
            &sink.issues, &fragment.packet, LAYER_IP, KIND_FRAGMENT_LIMIT, sink.caps.fragments, sink.caps.fragments + 1
        )
    return within


cdef void complete(Reassembly* state, Sink* sink, Datagram* datagram, const Fragment* fragment) noexcept nogil:
    """Walk the payload of a complete datagram, as at the packet of the fragment that arrived last."""
    cdef Packet packet = fragment.packet
    cdef Extent* extent
    cdef Py_ssize_t index
    cdef int64_t captured = 0
    cdef uint8_t** place
    cdef uint8_t* data
    for index in range(datagram.extents.count):
        captured += extent_at(datagram, index).captured
    # Not the length on the wire, which a capture may merely claim.
    data = <uint8_t*>malloc(<size_t>max(captured, <int64_t>1))
    if data == NULL:
        sink.issues.failed = True
        return
    place = <uint8_t**>buffer_push(&state.complete)
    if place == NULL:
        free(data)
        return
    place[0] = data
    captured = 0
    for index in range(datagram.extents.count):
        extent = extent_at(datagram, index)
        if extent.captured:
            memcpy(data + captured, extent.data, <size_t>extent.captured)
        captured += extent.captured
        if extent.captured < extent.length:
            break
    packet.fragmented = True
    sink.inside_datagram = True
    walk_protocol(
        sink, &packet, datagram.protocol, <const uint8_t*>&fragment.key.words[0],
        <const uint8_t*>&fragment.key.words[2], data, captured, datagram.total, datagram.headers,
    )
    sink.inside_datagram = False


cdef void take_fragment(Reassembly* state, Sink* sink, const Fragment* fragment) noexcept nogil:
    cdef Datagram* datagram
    cdef int64_t end = fragment.position + fragment.wire
    if fragment.wire == 0:
        add_issue(&sink.issues, &fragment.packet, LAYER_IP, KIND_MALFORMED, 1, 0)
        return
    if fragment.more and fragment.wire & 7:
        add_issue(&sink.issues, &fragment.packet, LAYER_IP, KIND_MALFORMED, (fragment.wire + 7) & ~7, fragment.wire)
        return
    if end > sink.caps.datagram_length:
        add_issue(&sink.issues, &fragment.packet, LAYER_IP, KIND_FRAGMENT_TOO_LONG, sink.caps.datagram_length, end)
        return
    datagram = find_datagram(state, sink, fragment)
    if datagram == NULL:
        return
    order_touch(&state.order, datagram.number)
    if not fragment.more and datagram.total < 0:
        datagram.total = end
        cut_at_total(datagram)
    if not merge(datagram, sink, fragment):
        drop(state, datagram)
    elif datagram.came == datagram.total:
        complete(state, sink, datagram, fragment)
        drop(state, datagram)

"""Put IP datagrams together (decoding section 4).

Knows extents of octets, no protocol; a complete datagram goes back to ``frames``.  Called by
``assemble``, fragment by fragment, in the order of packets.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memmove

from .buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push
from .frames cimport walk_protocol
from .numbers cimport (
    KIND_FRAGMENT_CONFLICT, KIND_FRAGMENT_INCOMPLETE, KIND_FRAGMENT_LIMIT, KIND_FRAGMENT_TOO_LONG, KIND_MALFORMED,
    LAYER_IP,
)
from .sink cimport Fragment, Packet, Sink, add_issue
from .table cimport Slot, table_find, table_free, table_init, table_insert, table_remove


cdef void reassembly_init(Reassembly* state, unsigned long long seed) noexcept nogil:
    table_init(&state.table, seed)
    buffer_init(&state.datagrams, sizeof(Datagram*))
    buffer_init(&state.vacant, sizeof(uint32_t))
    buffer_init(&state.complete, sizeof(uint8_t*))
    state.first = NULL
    state.last = NULL


cdef bint reassembly_failed(const Reassembly* state) noexcept nogil:
    return state.table.failed or state.datagrams.failed or state.vacant.failed or state.complete.failed


cdef inline Extent* extent_at(const Datagram* datagram, Py_ssize_t index) noexcept nogil:
    return <Extent*>datagram.extents.data + index


cdef void datagram_free(Datagram* datagram) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(datagram.extents.count):
        free(extent_at(datagram, index).data)
    buffer_free(&datagram.extents)
    free(datagram)


cdef int64_t release_complete(Reassembly* state) noexcept nogil:
    """Free what segments pointed to; gives how many datagrams that were."""
    cdef Py_ssize_t index
    cdef int64_t count = state.complete.count
    for index in range(state.complete.count):
        free((<uint8_t**>state.complete.data)[index])
    state.complete.count = 0
    return count


cdef void unlink(Reassembly* state, Datagram* datagram) noexcept nogil:
    if datagram.before != NULL:
        datagram.before.behind = datagram.behind
    elif state.first == datagram:
        state.first = datagram.behind
    if datagram.behind != NULL:
        datagram.behind.before = datagram.before
    elif state.last == datagram:
        state.last = datagram.before
    datagram.before = NULL
    datagram.behind = NULL


cdef void touch(Reassembly* state, Datagram* datagram) noexcept nogil:
    unlink(state, datagram)
    datagram.before = state.last
    if state.last != NULL:
        state.last.behind = datagram
    else:
        state.first = datagram
    state.last = datagram


cdef void drop(Reassembly* state, Datagram* datagram) noexcept nogil:
    cdef Slot* slot = table_find(&state.table, &datagram.key)
    cdef uint32_t* vacant
    if slot != NULL:
        vacant = <uint32_t*>buffer_push(&state.vacant)
        if vacant != NULL:
            vacant[0] = slot.value - 1
        (<Datagram**>state.datagrams.data)[slot.value - 1] = NULL
    table_remove(&state.table, &datagram.key)
    unlink(state, datagram)
    datagram_free(datagram)


cdef void reassembly_free(Reassembly* state) noexcept nogil:
    while state.first != NULL:
        drop(state, state.first)
    release_complete(state)
    buffer_free(&state.datagrams)
    buffer_free(&state.vacant)
    buffer_free(&state.complete)
    table_free(&state.table)


cdef void incomplete(Reassembly* state, Datagram* datagram, Buffer* issues, const Packet* now) noexcept nogil:
    add_issue(issues, now, LAYER_IP, KIND_FRAGMENT_INCOMPLETE, max(datagram.total, <int64_t>0), datagram.came)
    drop(state, datagram)


cdef void give_up(Reassembly* state, Buffer* issues, const Packet* now) noexcept nogil:
    """The capture ends: what is in flight will not be complete."""
    while state.first != NULL:
        incomplete(state, state.first, issues, now)


cdef Datagram* find_datagram(Reassembly* state, Sink* sink, const Fragment* fragment) noexcept nogil:
    """The datagram of a fragment, a new one where none is in flight; NULL when memory is out."""
    cdef Datagram* datagram
    cdef uint32_t* vacant
    cdef uint32_t index
    cdef char* place
    cdef Slot* slot = table_find(&state.table, &fragment.key)
    if slot != NULL:
        return (<Datagram**>state.datagrams.data)[slot.value - 1]
    if state.table.count >= sink.caps.datagrams and state.first != NULL:
        incomplete(state, state.first, &sink.issues, &fragment.packet)
    datagram = <Datagram*>calloc(1, sizeof(Datagram))
    if datagram == NULL:
        state.datagrams.failed = True
        return NULL
    datagram.key = fragment.key
    datagram.protocol = fragment.protocol
    datagram.headers = fragment.headers
    datagram.total = -1
    buffer_init(&datagram.extents, sizeof(Extent))
    if state.vacant.count:
        state.vacant.count -= 1
        vacant = <uint32_t*>buffer_at(&state.vacant, state.vacant.count)
        index = vacant[0]
    else:
        index = <uint32_t>state.datagrams.count
        place = buffer_push(&state.datagrams)
        if place == NULL:
            free(datagram)
            return NULL
    (<Datagram**>state.datagrams.data)[index] = datagram
    if not table_insert(&state.table, &fragment.key, index):
        (<Datagram**>state.datagrams.data)[index] = NULL
        free(datagram)
        return NULL
    return datagram


cdef void cut_at_total(Datagram* datagram) noexcept nogil:
    """Octets behind the end that the last fragment gave are nobody's."""
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
            # Beyond the cap nothing is kept, but all that overlaps is still compared.
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
    """All octets are there: walk the payload, as at the packet of the last fragment to come."""
    cdef Packet packet = fragment.packet
    cdef Extent* extent
    cdef Py_ssize_t index
    cdef int64_t captured = 0
    cdef uint8_t** place
    cdef uint8_t* data
    for index in range(datagram.extents.count):
        captured += extent_at(datagram, index).captured
    # Not its length on the wire, which a capture may only claim.
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
        sink, &packet, datagram.protocol, <const uint8_t*>&datagram.key.words[0],
        <const uint8_t*>&datagram.key.words[2], data, captured, datagram.total, datagram.headers,
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
    touch(state, datagram)
    if not fragment.more and datagram.total < 0:
        datagram.total = end
        cut_at_total(datagram)
    if not merge(datagram, sink, fragment):
        drop(state, datagram)
    elif datagram.came == datagram.total:
        complete(state, sink, datagram, fragment)
        drop(state, datagram)

"""IP reassembly, within the caps (decoding section 4).

Knows extents of bytes.  Must not know protocols; ``frames`` reads a complete datagram.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memmove, memset

from ..base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.keys cimport Key
from ..base.numbers cimport (
    COUNT_FRAGMENTS_COPIED, DATAGRAM_AGE_SECONDS, DATAGRAM_DISTANCE, DATAGRAM_PACKETS, DATAGRAM_SPAN_SECONDS,
    EXTENT_COST, KIND_FRAGMENT_CONFLICT, KIND_FRAGMENT_INCOMPLETE, KIND_FRAGMENT_LIMIT, KIND_FRAGMENT_TOO_LONG,
    KIND_MALFORMED, LAYER_IP, in_IP_REASSEMBLED,
)
from ..base.order cimport order_failed, order_first, order_free, order_init, order_remove, order_reserve, order_touch
from ..base.packets cimport Packet, add_issue, not_a_time
from ..base.table cimport HashTable, table_add, table_find, table_free, table_init, table_remove
from ..scan.packets cimport walk_datagram
from ..scan.segments cimport Fragment
from ..scan.sink cimport Sink, count


cdef void pool_init(Pool* state, unsigned long long seed, bint carried) noexcept nogil:
    memset(state, 0, sizeof(Pool))
    state.carried = carried
    table_init(&state.table, seed)
    buffer_init(&state.slots, sizeof(Slot))
    order_init(&state.flying)
    order_init(&state.complete)
    table_init(&state.flow_table, seed)
    buffer_init(&state.flows, sizeof(Flow))
    buffer_init(&state.payloads, sizeof(uint8_t*))


cdef bint pool_failed(const Pool* state) noexcept nogil:
    return (
        state.table.failed or state.slots.failed or order_failed(&state.flying) or order_failed(&state.complete)
        or state.flow_table.failed or state.flows.failed or state.payloads.failed
    )


cdef inline Extent* extent_at(const Datagram* datagram, Py_ssize_t index) noexcept nogil:
    return <Extent*>datagram.extents.data + index


cdef inline Slot* slot_at(const Pool* state, int64_t number) noexcept nogil:
    return <Slot*>state.slots.data + number


cdef inline Flow* flow_at(const Pool* state, int64_t number) noexcept nogil:
    return <Flow*>state.flows.data + number


cdef void free_extents(Datagram* datagram) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(datagram.extents.count):
        free(extent_at(datagram, index).data)
    buffer_free(&datagram.extents)
    buffer_free(&datagram.packets)


cdef void datagram_free(Datagram* datagram) noexcept nogil:
    if datagram != NULL:
        free_extents(datagram)
        free(datagram)


cdef int64_t pool_release(Pool* state) noexcept nogil:
    cdef Py_ssize_t index
    cdef int64_t payloads = state.payloads.count
    for index in range(state.payloads.count):
        free((<uint8_t**>state.payloads.data)[index])
    state.payloads.count = 0
    return payloads


cdef void pool_free(Pool* state) noexcept nogil:
    cdef Py_ssize_t index
    for index in range(state.slots.count):
        datagram_free(slot_at(state, index).flying)
        datagram_free(slot_at(state, index).complete)
    pool_release(state)
    buffer_free(&state.slots)
    order_free(&state.flying)
    order_free(&state.complete)
    buffer_free(&state.flows)
    buffer_free(&state.payloads)
    table_free(&state.flow_table)
    table_free(&state.table)


# ---- where datagrams are kept


cdef void vacate(Pool* state, int32_t number) noexcept nogil:
    """Forget a key that no datagram has."""
    if slot_at(state, number).flying == NULL and slot_at(state, number).complete == NULL:
        table_remove(&state.table, number)


cdef void land(Pool* state, Datagram* datagram) noexcept nogil:
    """Take a datagram from those in flight; its key stays."""
    cdef Flow* flow = flow_at(state, datagram.flow)
    slot_at(state, datagram.number).flying = NULL
    order_remove(&state.flying, datagram.number)
    state.in_flight -= 1
    flow.datagrams -= 1
    if flow.datagrams == 0:
        table_remove(&state.flow_table, datagram.flow)


cdef void drop(Pool* state, Datagram* datagram) noexcept nogil:
    land(state, datagram)
    vacate(state, datagram.number)
    datagram_free(datagram)


cdef bint is_told(const Pool* state, const Datagram* datagram, const Fragment* fragment) noexcept nogil:
    """Whether faults of a datagram and of its fragment, either of which may be NULL, are told."""
    return (
        not state.carried or (fragment != NULL and fragment.position == 0)
        or (datagram != NULL and datagram.extents.count > 0 and extent_at(datagram, 0).position == 0)
    )


cdef void incomplete(Pool* state, Datagram* datagram, Buffer* issues, const Packet* now) noexcept nogil:
    # The conflict of a mixed one was told.
    if not datagram.mixed and is_told(state, datagram, NULL):
        add_issue(issues, now, LAYER_IP, KIND_FRAGMENT_INCOMPLETE, datagram.packet, datagram.came)
    drop(state, datagram)


cdef void pool_give_up(Pool* state, Buffer* issues, const Packet* now) noexcept nogil:
    cdef int32_t number = order_first(&state.flying)
    while number >= 0:
        incomplete(state, slot_at(state, number).flying, issues, now)
        number = order_first(&state.flying)


cdef int64_t cost(const Datagram* datagram) noexcept nogil:
    cdef int64_t octets = EXTENT_COST * datagram.extents.count
    cdef Py_ssize_t index
    for index in range(datagram.extents.count):
        octets += extent_at(datagram, index).captured
    return octets


cdef void forget(Pool* state, int32_t number) noexcept nogil:
    """Forget the complete datagram of a key; the key stays."""
    cdef Datagram* datagram = slot_at(state, number).complete
    slot_at(state, number).complete = NULL
    order_remove(&state.complete, number)
    state.remembered -= cost(datagram)
    datagram_free(datagram)


cdef void remember(Pool* state, Sink* sink, Datagram* datagram) noexcept nogil:
    """Keep a datagram that is complete, in place of another one with its key."""
    cdef int32_t number = datagram.number
    land(state, datagram)
    if slot_at(state, number).complete != NULL:
        forget(state, number)
    slot_at(state, number).complete = datagram
    order_touch(&state.complete, number)
    state.remembered += cost(datagram)
    while state.remembered > sink.caps.remembered_octets:
        number = order_first(&state.complete)
        if number < 0:
            return
        forget(state, number)
        vacate(state, number)


cdef int64_t number_of(HashTable* table, Buffer* items, const Key* key) noexcept nogil:
    """The number of a key, and a zeroed item for it if it is new; -1 if memory runs out."""
    cdef int64_t number = table_find(table, key)
    if number >= 0:
        return number
    if not buffer_reserve(items, 1):
        return -1
    number = table_add(table, key)
    if number >= 0:
        if number == items.count:
            buffer_push(items)
        memset(items.data + number * items.item, 0, <size_t>items.item)
    return number


cdef inline Key flow_of(const Key* key) noexcept nogil:
    cdef Key flow = key[0]
    # Without the identification.
    flow.words[4] &= ~<uint64_t>0xFFFFFFFF
    return flow


cdef Datagram* begin(Pool* state, Sink* sink, const Fragment* fragment) noexcept nogil:
    """A new datagram in flight, where its key has none; NULL if memory runs out."""
    cdef Datagram* datagram
    cdef Key key = flow_of(&fragment.key)
    cdef int32_t oldest
    cdef int64_t number
    cdef int64_t flow
    if state.in_flight >= (sink.caps.carrier_datagrams if state.carried else sink.caps.datagrams):
        oldest = order_first(&state.flying)
        if oldest >= 0:
            incomplete(state, slot_at(state, oldest).flying, &sink.issues, &fragment.packet)
    number = number_of(&state.table, &state.slots, &fragment.key)
    if (
        number < 0
        or not order_reserve(&state.flying, <int32_t>state.slots.count)
        or not order_reserve(&state.complete, <int32_t>state.slots.count)
    ):
        return NULL
    flow = number_of(&state.flow_table, &state.flows, &key)
    if flow < 0:
        return NULL
    datagram = <Datagram*>calloc(1, sizeof(Datagram))
    if datagram == NULL:
        state.slots.failed = True
        return NULL
    datagram.number = <int32_t>number
    datagram.flow = <int32_t>flow
    datagram.protocol = fragment.protocol
    datagram.headers = fragment.headers
    datagram.packet = <int64_t>fragment.packet.packet
    datagram.time = fragment.packet.time
    datagram.touched = flow_at(state, flow).fragments
    datagram.total = -1
    buffer_init(&datagram.extents, sizeof(Extent))
    buffer_init(&datagram.packets, sizeof(uint64_t))
    slot_at(state, number).flying = datagram
    flow_at(state, flow).datagrams += 1
    state.in_flight += 1
    order_touch(&state.flying, datagram.number)
    return datagram


# ---- what a fragment is to a datagram


cdef bint apart(const Datagram* datagram, const Fragment* fragment, int64_t seconds) noexcept nogil:
    """Whether a fragment came at quite another time; not if a time is missing."""
    cdef int64_t one = datagram.time
    cdef int64_t other = fragment.packet.time
    if one == not_a_time() or other == not_a_time():
        return False
    return <uint64_t>max(one, other) - <uint64_t>min(one, other) > <uint64_t>seconds * 1_000_000_000


cdef bint stale(const Pool* state, const Datagram* datagram, const Fragment* fragment) noexcept nogil:
    return (
        flow_at(state, datagram.flow).fragments - datagram.touched - 1 > DATAGRAM_DISTANCE
        or apart(datagram, fragment, DATAGRAM_SPAN_SECONDS if datagram.mixed else DATAGRAM_AGE_SECONDS)
    )


cdef Py_ssize_t first_extent(const Datagram* datagram, int64_t position) noexcept nogil:
    """Index of the first extent that ends behind a position."""
    cdef Py_ssize_t low = 0
    cdef Py_ssize_t high = datagram.extents.count
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) >> 1
        if extent_at(datagram, middle).position + extent_at(datagram, middle).length <= position:
            low = middle + 1
        else:
            high = middle
    return low


cdef bint contradicts(
    const Datagram* datagram, const Fragment* fragment, int64_t* compared, int64_t* differing
) noexcept nogil:
    """Whether a fragment is of another datagram; adds how many octets both have, and how many of them differ."""
    cdef Extent* extent
    cdef const uint8_t* a
    cdef const uint8_t* b
    cdef int64_t end = fragment.position + fragment.wire
    cdef int64_t captured_end = fragment.position + fragment.captured
    cdef int64_t start
    cdef int64_t stop
    cdef int64_t i
    cdef Py_ssize_t index
    for index in range(first_extent(datagram, fragment.position), datagram.extents.count):
        extent = extent_at(datagram, index)
        start = max(extent.position, fragment.position)
        stop = min(extent.position + extent.captured, captured_end)
        if extent.position >= captured_end:
            break
        if start >= stop:
            continue
        compared[0] += stop - start
        a = extent.data + (start - extent.position)
        b = fragment.data + (start - fragment.position)
        if memcmp(a, b, <size_t>(stop - start)):
            for i in range(stop - start):
                differing[0] += a[i] != b[i]
    if differing[0]:
        return True
    if fragment.more:
        return 0 <= datagram.total <= end
    return end <= datagram.beyond or 0 <= datagram.total != end


cdef Datagram* copied(Pool* state, const Fragment* fragment) noexcept nogil:
    """The complete datagram in which a fragment came, NULL if none; it is forgotten once another one has its key."""
    cdef Datagram* datagram
    cdef int64_t compared = 0
    cdef int64_t differing = 0
    cdef int64_t number = table_find(&state.table, &fragment.key)
    if number < 0 or slot_at(state, number).complete == NULL:
        return NULL
    datagram = slot_at(state, number).complete
    if (
        not apart(datagram, fragment, DATAGRAM_AGE_SECONDS)
        and not contradicts(datagram, fragment, &compared, &differing)
    ):
        return datagram
    if apart(datagram, fragment, DATAGRAM_SPAN_SECONDS):
        forget(state, <int32_t>number)
        vacate(state, <int32_t>number)
    return NULL


cdef Datagram* find_datagram(Pool* state, Sink* sink, const Fragment* fragment) noexcept nogil:
    """The datagram in flight of a fragment, perhaps a new or a mixed one; NULL if memory runs out."""
    cdef Datagram* datagram
    cdef int64_t compared = 0
    cdef int64_t differing = 0
    cdef int64_t number = table_find(&state.table, &fragment.key)
    if number < 0 or slot_at(state, number).flying == NULL:
        return begin(state, sink, fragment)
    datagram = slot_at(state, number).flying
    if stale(state, datagram, fragment):
        incomplete(state, datagram, &sink.issues, &fragment.packet)
        return begin(state, sink, fragment)
    if not datagram.mixed and contradicts(datagram, fragment, &compared, &differing):
        if is_told(state, datagram, fragment):
            add_issue(&sink.issues, &fragment.packet, LAYER_IP, KIND_FRAGMENT_CONFLICT, compared, differing)
        if apart(datagram, fragment, DATAGRAM_SPAN_SECONDS):
            drop(state, datagram)
            return begin(state, sink, fragment)
        datagram.mixed = True
        free_extents(datagram)
    if datagram.mixed:
        datagram.time = fragment.packet.time
    datagram.touched = flow_at(state, datagram.flow).fragments
    order_touch(&state.flying, datagram.number)
    return datagram


# ---- what a fragment brings


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


cdef bint merge(Datagram* datagram, Sink* sink, const Fragment* fragment) noexcept nogil:
    """Take the new octets and the end of a fragment; False where the datagram reached the cap on extents."""
    cdef Extent* extent
    cdef int64_t start = fragment.position
    cdef int64_t end = start + fragment.wire
    cdef Py_ssize_t index = first_extent(datagram, start)
    if fragment.more:
        datagram.beyond = max(datagram.beyond, end)
    else:
        datagram.total = end
    while start < end and index < datagram.extents.count:
        extent = extent_at(datagram, index)
        if extent.position >= end:
            break
        if start < extent.position:
            if not add_extent(datagram, sink, fragment, index, start, extent.position):
                return False
            index += 1
            extent = extent_at(datagram, index)
        start = extent.position + extent.length
        index += 1
    return start >= end or add_extent(datagram, sink, fragment, index, start, end)


cdef void walk(Pool* state, Sink* sink, Datagram* datagram, const Fragment* fragment) noexcept nogil:
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
    place = <uint8_t**>buffer_push(&state.payloads)
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
    walk_datagram(
        sink, &packet, datagram.protocol, <const uint8_t*>&fragment.key.words[0],
        <const uint8_t*>&fragment.key.words[2], data, captured, datagram.total, datagram.headers, fragment.layers,
    )


# ---- which packets brought it


cdef bint add_packets(Buffer* packets, const Buffer* more, Py_ssize_t most) noexcept nogil:
    """Add at most so many numbers of packets; False if memory runs out."""
    most = min(more.count, most)
    if most <= 0:
        return True
    if not buffer_reserve(packets, most):
        return False
    memcpy(buffer_at(packets, packets.count), more.data, <size_t>most * sizeof(uint64_t))
    packets.count += most
    return True


cdef void tell_parts(Parts* parts, int64_t whole) noexcept nogil:
    """The packets in `came` brought fragments of the datagram of `whole`."""
    cdef PartRow* row
    cdef Py_ssize_t index
    for index in range(parts.came.count):
        row = <PartRow*>buffer_push(&parts.rows)
        if row == NULL:
            return
        row.packet = (<const uint64_t*>parts.came.data)[index]
        row.whole = whole


cdef void note_packets(Parts* parts, Datagram* datagram) noexcept nogil:
    """The packets in `came` brought a fragment of this datagram."""
    if parts.kept and not add_packets(&datagram.packets, &parts.came, DATAGRAM_PACKETS - datagram.packets.count):
        parts.rows.failed = True


cdef void complete(Parts* parts, Datagram* datagram, uint64_t whole) noexcept nogil:
    """Tell which packets a datagram has; fragments inside it come with all of them."""
    datagram.whole = whole
    parts.came.count = 0
    add_packets(&parts.came, &datagram.packets, datagram.packets.count)
    # Copies ask only for the last one.
    buffer_free(&datagram.packets)
    tell_parts(parts, <int64_t>whole)


# ---- one fragment


cdef void pool_take(Pool* state, Sink* sink, Parts* parts, const Fragment* fragment) noexcept nogil:
    cdef Datagram* datagram
    cdef Key key
    cdef int64_t end = fragment.position + fragment.wire
    cdef int64_t flow
    cdef int64_t came
    cdef int kind = KIND_MALFORMED
    cdef int64_t needed = 0
    cdef int64_t had = fragment.wire
    if fragment.wire == 0:
        needed = 1
    elif fragment.more and fragment.wire & 7:
        needed = (fragment.wire + 7) & ~7
    elif end > sink.caps.datagram_length:
        kind = KIND_FRAGMENT_TOO_LONG
        needed = sink.caps.datagram_length
        had = end
    if needed:
        if is_told(state, NULL, fragment):
            add_issue(&sink.issues, &fragment.packet, LAYER_IP, kind, needed, had)
        return
    key = flow_of(&fragment.key)
    flow = table_find(&state.flow_table, &key)
    if flow >= 0:
        flow_at(state, flow).fragments += 1
    datagram = copied(state, fragment)
    if datagram != NULL:
        count(sink, COUNT_FRAGMENTS_COPIED)
        tell_parts(parts, -<int64_t>datagram.whole)
        return
    datagram = find_datagram(state, sink, fragment)
    if datagram == NULL or datagram.mixed:
        return
    note_packets(parts, datagram)
    came = datagram.came
    if not merge(datagram, sink, fragment):
        if is_told(state, datagram, fragment):
            add_issue(
                &sink.issues, &fragment.packet, LAYER_IP, KIND_FRAGMENT_LIMIT, sink.caps.fragments,
                sink.caps.fragments + 1,
            )
        drop(state, datagram)
    elif datagram.came == came:
        count(sink, COUNT_FRAGMENTS_COPIED)
    elif datagram.came == datagram.total:
        walk(state, sink, datagram, fragment)
        complete(parts, datagram, fragment.packet.packet)
        remember(state, sink, datagram)


# ---- the two pools


cdef inline Pool* pool_of(Reassembly* state, const Fragment* fragment) noexcept nogil:
    return &state.carried if in_IP_REASSEMBLED(fragment.protocol) else &state.plain


cdef void reassembly_init(
    Reassembly* state, unsigned long long seed, uint64_t key_layers, bint members
) noexcept nogil:
    pool_init(&state.plain, seed, False)
    pool_init(&state.carried, seed, True)
    state.parts.kept = members
    buffer_init(&state.parts.rows, sizeof(PartRow))
    buffer_init(&state.parts.came, sizeof(uint64_t))
    state.key_layers = key_layers


cdef void reassembly_free(Reassembly* state) noexcept nogil:
    pool_free(&state.plain)
    pool_free(&state.carried)
    buffer_free(&state.parts.rows)
    buffer_free(&state.parts.came)


cdef bint reassembly_failed(const Reassembly* state) noexcept nogil:
    return (
        pool_failed(&state.plain) or pool_failed(&state.carried) or state.parts.rows.failed or state.parts.came.failed
    )


cdef int64_t release_complete(Reassembly* state) noexcept nogil:
    """Free the payloads of reassembled datagrams, and return their number."""
    return pool_release(&state.plain) + pool_release(&state.carried)


cdef void give_up(Reassembly* state, Buffer* issues, const Packet* now) noexcept nogil:
    """Give up all incomplete datagrams at the end of the capture."""
    pool_give_up(&state.plain, issues, now)
    pool_give_up(&state.carried, issues, now)


cdef void take_fragment(Reassembly* state, Sink* sink, const Fragment* fragment) noexcept nogil:
    """Take a fragment, and those that stand inside the datagram which it completes."""
    cdef Fragment inner
    cdef uint64_t* came
    cdef Py_ssize_t index = 0
    state.parts.came.count = 0
    if state.parts.kept:
        came = <uint64_t*>buffer_push(&state.parts.came)
        if came == NULL:
            return
        came[0] = fragment.packet.packet
    pool_take(pool_of(state, fragment), sink, &state.parts, fragment)
    while index < sink.fragments.count:
        # The buffer may move.
        inner = (<Fragment*>sink.fragments.data)[index]
        index += 1
        inner.key.words[5] = inner.layers & state.key_layers
        pool_take(pool_of(state, &inner), sink, &state.parts, &inner)
    sink.fragments.count = 0

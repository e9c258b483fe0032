"""Merges the rows of a scan with those of reassembled datagrams, in packet order (decoding section 9).

Knows that a row of Enhanced GRE has at most one of PPP, and that rows of datagrams have a status that says so.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy, memmove, memset

from ..base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from ..base.numbers cimport GRE_FRAGMENTED, GreRow, PppOptionRow, PppRow
from ..scan.segments cimport PppBody, Sighting
from ..scan.sink cimport Sink


cdef void merged_init(Merged* rows) noexcept nogil:
    buffer_init(&rows.gre, sizeof(GreRow))
    buffer_init(&rows.ppp, sizeof(PppRow))
    buffer_init(&rows.ppp_bodies, sizeof(PppBody))
    buffer_init(&rows.ppp_options, sizeof(PppOptionRow))
    buffer_init(&rows.payloads, 1)
    rows.gre_before = 0
    rows.ppp_before = 0


cdef void merged_free(Merged* rows) noexcept nogil:
    buffer_free(&rows.gre)
    buffer_free(&rows.ppp)
    buffer_free(&rows.ppp_bodies)
    buffer_free(&rows.ppp_options)
    buffer_free(&rows.payloads)


cdef bint merged_failed(const Merged* rows) noexcept nogil:
    """Whether memory has run out."""
    return (
        rows.gre.failed or rows.ppp.failed or rows.ppp_bodies.failed or rows.ppp_options.failed
        or rows.payloads.failed
    )


cdef bint append(Buffer* rows, Buffer* more) noexcept nogil:
    """Append `more` to `rows` and empty it; False if memory runs out."""
    if rows.count == 0 and not rows.failed:
        # After each ``take`` the target is empty: swap the buffers.
        buffer_free(rows)
        rows[0] = more[0]
        buffer_init(more, rows.item)
        return True
    if not buffer_reserve(rows, more.count):
        return False
    if more.count:
        memcpy(buffer_at(rows, rows.count), more.data, <size_t>(more.count * more.item))
    rows.count += more.count
    buffer_free(more)
    return True


cdef bint merge_gre(Buffer* rows, Py_ssize_t start, const Buffer* more) noexcept nogil:
    """Merge rows into those from `start` on, both in the order of packets, from the back."""
    cdef Py_ssize_t left = rows.count
    cdef Py_ssize_t right = more.count
    cdef Py_ssize_t place = rows.count + more.count
    cdef GreRow* target
    cdef GreRow* source = <GreRow*>more.data
    if right == 0:
        return True
    if not buffer_reserve(rows, right):
        return False
    rows.count = place
    target = <GreRow*>rows.data
    while right > 0:
        place -= 1
        if left > start and target[left - 1].packet > source[right - 1].packet:
            left -= 1
            target[place] = target[left]
        else:
            right -= 1
            target[place] = source[right]
    return True


cdef inline bint is_of_datagram(const GreRow* row) noexcept nogil:
    return row.status & GRE_FRAGMENTED != 0


cdef bint spread_sightings(Buffer* sightings, const Buffer* rows, Py_ssize_t start) noexcept nogil:
    """Give each row from `start` on a sighting; one that came in fragments was not seen as a whole."""
    cdef Py_ssize_t left = sightings.count
    cdef Py_ssize_t place = rows.count - start
    cdef const GreRow* row = <const GreRow*>buffer_at(rows, start)
    cdef Sighting* all
    if not buffer_reserve(sightings, place - left):
        return False
    sightings.count = place
    all = <Sighting*>sightings.data
    while place > left:
        place -= 1
        if is_of_datagram(&row[place]):
            memset(&all[place], 0, sizeof(Sighting))
        else:
            left -= 1
            all[place] = all[left]
    return True


cdef bint add_control(Merged* rows, const PppRow* row, const PppBody* body, const PppOptionRow* options) noexcept nogil:
    """A row with its options, which count in the whole capture from now on; False if memory runs out."""
    cdef PppOptionRow* option
    cdef int index
    if not (
        buffer_reserve(&rows.ppp, 1) and buffer_reserve(&rows.ppp_bodies, 1)
        and buffer_reserve(&rows.ppp_options, row.options)
    ):
        return False
    for index in range(row.options):
        option = <PppOptionRow*>buffer_push(&rows.ppp_options)
        option[0] = options[index]
        option.ppp = rows.ppp_before + rows.ppp.count
    (<PppBody*>buffer_push(&rows.ppp_bodies))[0] = body[0]
    (<PppRow*>buffer_push(&rows.ppp))[0] = row[0]
    return True


cdef bint merge_ppp(Merged* rows, Py_ssize_t place, const Sink* scanned, const Sink* again) noexcept nogil:
    """The control packets of both, each pointing to its row of Enhanced GRE, of which those from `place` on are new."""
    cdef const Sink* sinks[2]
    cdef const PppOptionRow* options[2]
    cdef Py_ssize_t next[2]
    # Rows of Enhanced GRE of each in front of `place`.
    cdef int64_t passed[2]
    cdef const PppRow* row
    cdef const PppRow* other
    cdef int chosen
    cdef int passes
    sinks[0] = scanned
    sinks[1] = again
    options[0] = <const PppOptionRow*>scanned.ppp_options.data
    options[1] = <const PppOptionRow*>again.ppp_options.data
    memset(next, 0, sizeof(next))
    memset(passed, 0, sizeof(passed))
    while next[0] < scanned.ppp.count or next[1] < again.ppp.count:
        chosen = 0
        if next[0] == scanned.ppp.count:
            chosen = 1
        elif next[1] < again.ppp.count:
            row = <const PppRow*>scanned.ppp.data + next[0]
            other = <const PppRow*>again.ppp.data + next[1]
            chosen = other.packet < row.packet
        row = <const PppRow*>sinks[chosen].ppp.data + next[chosen]
        if not add_control(rows, row, <const PppBody*>sinks[chosen].ppp_bodies.data + next[chosen], options[chosen]):
            return False
        while True:
            passes = is_of_datagram(<const GreRow*>buffer_at(&rows.gre, place))
            if passes == chosen and passed[passes] == row.gre:
                break
            passed[passes] += 1
            place += 1
        (<PppRow*>buffer_at(&rows.ppp, rows.ppp.count - 1)).gre = rows.gre_before + place
        options[chosen] += row.options
        next[chosen] += 1
    return True


cdef bint merge_payloads(Merged* rows, Py_ssize_t place, Sink* scanned, const Sink* again) noexcept nogil:
    """Payloads in the order of the merged rows, of which those from `place` on are new."""
    cdef const GreRow* row
    cdef const char* octets[2]
    cdef int chosen
    if again.gre.count == 0:
        return append(&rows.payloads, &scanned.payloads)
    if not buffer_reserve(&rows.payloads, scanned.payloads.count + again.payloads.count):
        return False
    octets[0] = scanned.payloads.data
    octets[1] = again.payloads.data
    while place < rows.gre.count:
        row = <const GreRow*>buffer_at(&rows.gre, place)
        chosen = is_of_datagram(row)
        if row.available:
            memcpy(buffer_at(&rows.payloads, rows.payloads.count), octets[chosen], row.available)
            rows.payloads.count += row.available
            octets[chosen] += row.available
        place += 1
    return True


cdef void leave_out(Merged* rows, const RowStart* start) noexcept nogil:
    """Take out the rows that are to be left out from those that were merged last."""
    cdef GreRow* row = <GreRow*>buffer_at(&rows.gre, start.gre)
    cdef GreRow* end = <GreRow*>buffer_at(&rows.gre, rows.gre.count)
    cdef GreRow* kept = row
    cdef PppRow* control = <PppRow*>buffer_at(&rows.ppp, start.ppp)
    cdef PppRow* controls_end = <PppRow*>buffer_at(&rows.ppp, rows.ppp.count)
    cdef PppRow* kept_control = control
    cdef PppOptionRow* option = <PppOptionRow*>buffer_at(&rows.ppp_options, start.options)
    cdef PppOptionRow* kept_option = option
    cdef char* octets = buffer_at(&rows.payloads, start.payloads)
    cdef char* kept_octets = octets
    cdef bint drops
    cdef bint has_control
    cdef int index
    while row < end:
        drops = row.tunnel == LEFT_OUT
        has_control = control < controls_end and control.gre == rows.gre_before + (row - <GreRow*>rows.gre.data)
        if has_control:
            if not drops:
                for index in range(control.options):
                    kept_option[index] = option[index]
                    kept_option[index].ppp = rows.ppp_before + (kept_control - <PppRow*>rows.ppp.data)
                kept_option += control.options
            option += control.options
            if not drops:
                kept_control[0] = control[0]
                kept_control.gre = rows.gre_before + (kept - <GreRow*>rows.gre.data)
                kept_control += 1
            control += 1
        if rows.payloads.count:
            if not drops:
                memmove(kept_octets, octets, row.available)
                kept_octets += row.available
            octets += row.available
        if not drops:
            kept[0] = row[0]
            kept += 1
        row += 1
    rows.gre.count = kept - <GreRow*>rows.gre.data
    rows.ppp.count = kept_control - <PppRow*>rows.ppp.data
    rows.ppp_options.count = kept_option - <PppOptionRow*>rows.ppp_options.data
    if rows.payloads.count:
        rows.payloads.count = kept_octets - rows.payloads.data


cdef bint merge(Merged* rows, Sink* scanned, const Sink* again, RowStart* start) noexcept nogil:
    """Take the rows of both; `start` tells where they begin.  False if memory runs out."""
    start.gre = rows.gre.count
    start.ppp = rows.ppp.count
    start.options = rows.ppp_options.count
    start.payloads = rows.payloads.count
    return (
        append(&rows.gre, &scanned.gre)
        and merge_gre(&rows.gre, start.gre, &again.gre)
        and spread_sightings(&scanned.sightings, &rows.gre, start.gre)
        and merge_ppp(rows, start.gre, scanned, again)
        and (not again.keep_payloads or merge_payloads(rows, start.gre, scanned, again))
    )

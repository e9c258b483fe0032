"""The state of one capture: takes scans in file order, returns rows (decoding section 9).

Knows the order of the stages.  Each stage is a module of its own.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from .base.buffers cimport Buffer, buffer_at, buffer_free, buffer_init, buffer_push, buffer_reserve
from .base.keys cimport Key
from .base.numbers cimport (
    BACK_SECONDS, CARRIERS, COUNTERS, COUNT_CHECKSUMS_OFFLOADED, COUNT_CONTROL_SEGMENTS, COUNT_DATAGRAMS_REASSEMBLED,
    COUNT_FRAGMENTS, COUNT_GRE_PACKETS, COUNT_PACKETS, FIRST_IN_FRAMES, KIND_CLOCK_BACK, KIND_CLOCK_STANDS,
    KIND_FILES_OUT_OF_ORDER, KIND_UNFOLLOWED, KIND_UNSUPPORTED_LINK, LAYER_CONTAINER, LAYER_IP, LAYER_LINK,
    MESSAGE_TYPES, STANDS_PACKETS, CallRow, Caps, ConnectionRow, GreRow, IssueRow, MessageRow, PppOptionRow, PppRow,
    TunnelRow, in_IP_REASSEMBLED,
)
from .base.packets cimport Packet, add_issue, not_a_time
from .base.rows cimport check_layout, copy_rows, take_items, take_rows
from .base.table cimport HashTable, table_add, table_find, table_free, table_init
from .relate.entities cimport Entities, count_calls, entities_free, entities_init, write_calls, write_tunnels
from .relate.relate cimport relate
from .relate.state cimport Relations
from .relate.tunnels cimport relations_failed, relations_free, relations_init
from .scan.ranges cimport Ports, Scan, caps_of, fill_ports, ports_of
from .scan.segments cimport Fragment
from .scan.sink cimport Sink, Unfollowed, sink_empty, sink_failed, sink_free, sink_init, take_unfollowed
from .stream.connections cimport (
    Connections, connections_failed, connections_free, connections_init, finish_all, take_segments,
)
from .stream.control cimport ControlPlan, Event, InVain, Output, SegmentRow, listed_connections
from .stream.copies cimport (
    Copies, copies_begin, copies_failed, copies_free, copies_init, drop_copy, is_copied_fragment,
)
from .stream.fragments cimport (
    Reassembly, give_up, reassembly_failed, reassembly_free, reassembly_init, release_complete, take_fragment,
)
from .stream.merging cimport Merged, RowStart, leave_out, merge, merged_failed, merged_free, merged_init

from os import urandom

import numpy as np

from ..engine import COUNTERS as COUNTER_NAMES, PART, SEGMENT
from ..schema import dtype
from ..wire.control import MESSAGES


check_layout(sizeof(MessageRow), "messages")
check_layout(sizeof(GreRow), "gre")
check_layout(sizeof(PppRow), "ppp")
check_layout(sizeof(PppOptionRow), "ppp_options")
check_layout(sizeof(ConnectionRow), "connections")
check_layout(sizeof(TunnelRow), "tunnels")
check_layout(sizeof(CallRow), "calls")
check_layout(sizeof(IssueRow), "issues")

# The same for every assembler, which only read it.
cdef ControlPlan PLAN = ControlPlan()


@cython.final
cdef class Assembler:
    """State of one capture; see ``pptpcap.engine.Assembler``."""

    cdef Connections connections
    cdef Copies fragment_copies
    cdef Reassembly reassembly
    cdef Output out
    cdef ControlPlan plan
    cdef Caps caps
    cdef unsigned char ports[8192]
    cdef Ports carriers
    # Rows that reassembled datagrams give.
    cdef Sink again
    cdef Merged rows
    cdef Buffer issues
    cdef Relations relations
    cdef uint64_t counted[COUNTERS]
    cdef Packet last
    cdef int64_t first_time
    cdef int64_t last_time
    cdef bint seen
    # Time of the last packet that has one, NaT before.
    cdef int64_t newest
    # The file of that packet.
    cdef uint32_t newest_file
    # Interfaces and link types of this file that were reported as unsupported.
    cdef HashTable unsupported
    # By carrier, the packets of this file that are not followed.
    cdef Unfollowed unfollowed[CARRIERS]
    cdef readonly bint damaged
    # A thread is in `feed` or `finish`, perhaps without the GIL.
    cdef bint busy
    cdef bint finished
    # The calls that only tunnels reveal, and the order of all calls, while they are valid.
    cdef Entities related
    # The entities of a finished capture, once all were returned, so that their memory is not held twice.
    cdef dict whole

    def __cinit__(
        self, tuple ports not None, object limits not None, *, bint identities=False, bint payloads=False,
        bint drops_copies=False, bint members=False, bint separate=False, tuple mirrors=(),
    ):
        cdef int kind
        cdef uint64_t key_layers = ~<uint64_t>0 if separate else 0
        seed = int.from_bytes(urandom(8), "little")
        fill_ports(self.ports, ports)
        self.carriers = ports_of(mirrors)
        self.caps = caps_of(limits)
        connections_init(&self.connections, &self.out, &self.caps, self.ports, seed, key_layers, drops_copies)
        copies_init(&self.fragment_copies, seed, drops_copies)
        reassembly_init(&self.reassembly, seed, key_layers, members)
        relations_init(&self.relations, seed, &self.caps, key_layers, identities, drops_copies)
        memset(&self.related, 0, sizeof(Entities))
        table_init(&self.unsupported, seed)
        self.plan = PLAN
        self.out.plans = self.plan.plans
        buffer_init(&self.out.messages, sizeof(MessageRow))
        buffer_init(&self.out.issues, sizeof(IssueRow))
        buffer_init(&self.out.connections, sizeof(ConnectionRow))
        buffer_init(&self.out.in_vain, sizeof(InVain))
        self.out.connection_rows = self.caps.connection_rows
        buffer_init(&self.out.events, sizeof(Event))
        self.out.keep_segments = members
        buffer_init(&self.out.segments, sizeof(SegmentRow))
        for message in MESSAGES:
            kind = message.code
            buffer_init(&self.out.bodies[kind], dtype(message.name).itemsize)
        sink_init(&self.again)
        self.again.keep_payloads = payloads
        self.again.ports = self.ports
        self.again.mirrors = &self.carriers.mirrors
        self.again.caps = self.caps
        merged_init(&self.rows)
        buffer_init(&self.issues, sizeof(IssueRow))
        memset(&self.last, 0, sizeof(Packet))
        self.newest = not_a_time()

    def __dealloc__(self):
        cdef int kind
        connections_free(&self.connections)
        copies_free(&self.fragment_copies)
        reassembly_free(&self.reassembly)
        relations_free(&self.relations)
        entities_free(&self.related)
        table_free(&self.unsupported)
        buffer_free(&self.out.messages)
        buffer_free(&self.out.issues)
        buffer_free(&self.out.connections)
        buffer_free(&self.out.in_vain)
        buffer_free(&self.out.events)
        buffer_free(&self.out.segments)
        for kind in range(1, MESSAGE_TYPES + 1):
            buffer_free(&self.out.bodies[kind])
        sink_free(&self.again)
        merged_free(&self.rows)
        buffer_free(&self.issues)

    def __reduce__(self):
        raise TypeError("an assembler is the state of a capture that is being read and cannot be pickled")

    def begin_file(self):
        """The next scan is of a new file, as its rows say."""
        self.enter()
        try:
            table_free(&self.unsupported)
            self.tell_unfollowed()
            self.check()
        finally:
            self.busy = False

    def feed(self, Scan scan not None):
        """Take in a scan that follows the last one."""
        # From here on the scan is empty, so it cannot be fed twice.
        cdef const unsigned char[::1] data = scan.data
        if data is None:
            raise ValueError("a scan is taken in once")
        if self.finished:
            raise ValueError("the capture of this assembler has ended")
        scan.data = None
        self.enter()
        try:
            self.take_in(scan)
        finally:
            self.busy = False

    cdef int enter(self) except -1:
        """Reserve the state for this call: another thread may call meanwhile."""
        cdef bint busy
        with cython.critical_section(self):
            busy = self.busy
            self.busy = True
        if busy:
            raise RuntimeError("an assembler is used by one thread at a time")
        return 0

    cdef int take_in(self, Scan scan) except -1:
        cdef RowStart start
        cdef int index
        cdef bint enough
        with nogil:
            for index in range(COUNTERS):
                self.counted[index] += scan.sink.counters[index]
            self.reassemble(scan)
            take_unfollowed(self.unfollowed, &scan.sink)
            take_unfollowed(self.unfollowed, &self.again)
            # Rows and payloads are merged by one another's positions, so all must be present.
            enough = not sink_failed(&self.again) and merge(&self.rows, &scan.sink, &self.again, &start)
            take_segments(&self.connections, &scan.sink.segments, &self.again.segments)
            enough = enough and self.relate_rows(&scan.flows.keys, &start, &scan.sink.sightings)
            if self.relations.copies.dropped.count:
                leave_out(&self.rows, &start)
            enough = enough and self.merge_issues(&scan.sink.issues)
            self.count_dropped()
            sink_empty(&self.again)
            # They point into the scanned data.
            self.rows.ppp_bodies.count = 0
            self.counted[COUNT_DATAGRAMS_REASSEMBLED] += <uint64_t>release_complete(&self.reassembly)
        if not enough:
            raise MemoryError
        scan.check()
        self.check()
        if scan.newest != not_a_time():
            self.newest = scan.newest
            self.newest_file = scan.file
        if scan.records:
            self.last = scan.last
            # Packets may have no times, as in Simple Packet Blocks.
            if scan.earliest <= scan.latest:
                if not self.seen:
                    self.first_time = scan.earliest
                    self.last_time = scan.latest
                    self.seen = True
                self.first_time = min(self.first_time, scan.earliest)
                self.last_time = max(self.last_time, scan.latest)
        self.damaged = self.damaged or scan.damaged
        return 0

    cdef int check(self) except -1:
        """Raise if memory ran out while the GIL was released."""
        cdef int kind
        cdef bint failed = (
            connections_failed(&self.connections) or reassembly_failed(&self.reassembly)
            or relations_failed(&self.relations) or self.unsupported.failed or copies_failed(&self.fragment_copies)
            or self.out.messages.failed or self.out.issues.failed or self.out.connections.failed
            or self.out.in_vain.failed or self.out.segments.failed
            or self.out.events.failed or sink_failed(&self.again) or merged_failed(&self.rows) or self.issues.failed
        )
        for kind in range(1, MESSAGE_TYPES + 1):
            failed = failed or self.out.bodies[kind].failed
        if failed:
            raise MemoryError
        return 0

    cdef void reassemble(self, Scan scan) noexcept nogil:
        """Reassemble the fragments of this scan; completed datagrams go to `again`."""
        cdef Fragment* fragment
        cdef Py_ssize_t index
        cdef int counter
        if scan.sink.fragments.count == 0 or not copies_begin(&self.fragment_copies):
            return
        self.again.flows = &scan.flows
        self.again.last_flow = 0
        memset(self.again.counters, 0, sizeof(self.again.counters))
        for index in range(scan.sink.fragments.count):
            fragment = <Fragment*>buffer_at(&scan.sink.fragments, index)
            fragment.key.words[5] = fragment.layers & self.connections.key_layers
            # Of carriers only the reassembler looks for copies, so that ordinary UDP takes nobody's place.
            if (
                not in_IP_REASSEMBLED(fragment.protocol) and is_copied_fragment(&self.fragment_copies, fragment)
                and self.fragment_copies.drops
            ):
                drop_copy(&self.fragment_copies, fragment.packet.packet)
            else:
                take_fragment(&self.reassembly, &self.again, fragment)
        for counter in range(COUNTERS):
            self.counted[counter] += self.again.counters[counter]

    cdef bint relate_rows(self, const Buffer* keys, const RowStart* start, const Buffer* sightings) noexcept nogil:
        if not relate(&self.relations, &self.out, keys, &self.rows, start, sightings):
            self.relations.failed = True
        return not self.relations.failed

    cdef bint merge_issues(self, const Buffer* scanned) noexcept nogil:
        """Merge the issues of the four stages by packet, earlier stages first.

        An unsupported link is reported once; so is a clock that goes back from the range before to this one.
        """
        cdef const Buffer* stages[4]
        cdef Py_ssize_t next[4]
        cdef Py_ssize_t passed[3]
        cdef const IssueRow* row
        cdef const IssueRow* least
        cdef IssueRow* place
        cdef uint64_t back
        cdef int stage
        cdef int chosen
        memset(passed, 0, sizeof(passed))
        stages[0] = scanned
        stages[1] = &self.again.issues
        stages[2] = &self.out.issues
        stages[3] = &self.relations.issues
        memset(next, 0, sizeof(next))
        while True:
            least = NULL
            chosen = 0
            for stage in range(4):
                if next[stage] < stages[stage].count:
                    row = <const IssueRow*>stages[stage].data + next[stage]
                    if least == NULL or row.packet < least.packet:
                        least = row
                        chosen = stage
            if least == NULL:
                break
            next[chosen] += 1
            # Those of the container concern the file.
            if chosen == 0 and least.layer != LAYER_CONTAINER and self.was_dropped(least.packet, passed):
                continue
            if least.kind == KIND_UNSUPPORTED_LINK and self.was_told(least):
                continue
            back = least.had
            if least.kind == KIND_CLOCK_BACK and back == 0:
                if self.newest == not_a_time() or self.newest <= least.time:
                    continue
                back = <uint64_t>self.newest - <uint64_t>least.time
                if back < <uint64_t>BACK_SECONDS * 1_000_000_000:
                    continue
                if least.file != self.newest_file and not self.tell_order(least):
                    return False
            place = <IssueRow*>buffer_push(&self.issues)
            if place == NULL:
                return False
            place[0] = least[0]
            place.had = back
        self.again.issues.count = 0
        self.out.issues.count = 0
        self.relations.issues.count = 0
        return True

    cdef bint tell_order(self, const IssueRow* first) noexcept nogil:
        """The file of this packet, its first one with a time, begins before the file in front of it ended."""
        cdef IssueRow* place = <IssueRow*>buffer_push(&self.issues)
        if place == NULL:
            return False
        place[0] = first[0]
        place.kind = KIND_FILES_OUT_OF_ORDER
        place.needed = self.newest_file
        place.had = first.file
        return True

    cdef bint was_dropped(self, uint64_t packet, Py_ssize_t* passed) noexcept nogil:
        """Whether a packet of this scan was left out; packets are asked for in order, of which so many were passed."""
        cdef const Buffer* dropped
        cdef int kind
        for kind in range(3):
            dropped = &self.copies_of(kind).dropped
            while passed[kind] < dropped.count and (<const uint64_t*>dropped.data)[passed[kind]] < packet:
                passed[kind] += 1
            if passed[kind] < dropped.count and (<const uint64_t*>dropped.data)[passed[kind]] == packet:
                return True
        return False

    cdef Copies* copies_of(self, int kind) noexcept nogil:
        """What is known of the copies of fragments, segments and rows of Enhanced GRE."""
        if kind == 0:
            return &self.fragment_copies
        return &self.connections.copies if kind == 1 else &self.relations.copies

    cdef void count_dropped(self) noexcept nogil:
        """Take the packets that were left out off the counters of the scan."""
        self.counted[COUNT_FRAGMENTS] -= <uint64_t>self.fragment_copies.dropped.count
        self.counted[COUNT_CONTROL_SEGMENTS] -= <uint64_t>self.connections.copies.dropped.count
        self.counted[COUNT_CHECKSUMS_OFFLOADED] -= self.connections.offloaded_dropped
        self.counted[COUNT_GRE_PACKETS] -= <uint64_t>self.relations.copies.dropped.count
        self.connections.offloaded_dropped = 0
        for kind in range(3):
            self.copies_of(kind).dropped.count = 0

    cdef void tell_unfollowed(self) noexcept nogil:
        """At the end of a file, an issue for each carrier that was not followed, in the order of first packets."""
        cdef Unfollowed* next
        cdef int carrier
        cdef int chosen
        while True:
            chosen = -1
            for carrier in range(CARRIERS):
                next = &self.unfollowed[carrier]
                if next.packets and (chosen < 0 or next.first.packet < self.unfollowed[chosen].first.packet):
                    chosen = carrier
            if chosen < 0:
                return
            next = &self.unfollowed[chosen]
            add_issue(
                &self.issues, &next.first, LAYER_LINK if chosen >= FIRST_IN_FRAMES else LAYER_IP, KIND_UNFOLLOWED,
                chosen, <int64_t>next.packets,
            )
            next.packets = 0

    cdef bint was_told(self, const IssueRow* row) noexcept nogil:
        cdef Key key
        memset(&key, 0, sizeof(Key))
        key.words[0] = row.needed
        key.words[1] = row.had
        if table_find(&self.unsupported, &key) >= 0 or self.unsupported.count >= self.caps.interfaces:
            return True
        table_add(&self.unsupported, &key)
        return False

    def finish(self):
        """The capture ends here."""
        cdef Buffer nothing
        cdef Buffer found
        cdef RowStart start
        cdef bint enough
        buffer_init(&nothing, sizeof(IssueRow))
        buffer_init(&found, sizeof(IssueRow))
        self.enter()
        try:
            with nogil:
                if self.seen and self.first_time == self.last_time and self.counted[COUNT_PACKETS] >= STANDS_PACKETS:
                    add_issue(
                        &found, &self.last, LAYER_CONTAINER, KIND_CLOCK_STANDS, 0, <int64_t>self.counted[COUNT_PACKETS]
                    )
                self.tell_unfollowed()
                give_up(&self.reassembly, &self.again.issues, &self.last)
                finish_all(&self.connections, &self.last)
                enough = merge(&self.rows, &self.again, &self.again, &start)
                enough = enough and self.relate_rows(&nothing, &start, &nothing) and self.merge_issues(&found)
            if not enough or found.failed:
                raise MemoryError
            self.check()
            self.finished = True
        finally:
            buffer_free(&found)
            self.busy = False

    def take(self):
        """Rows of the event tables since the last call."""
        self.enter()
        try:
            self.check()
            return self.taken()
        finally:
            self.busy = False

    cdef dict taken(self):
        cdef int kind
        cdef Py_ssize_t rows
        rows = self.out.messages.count
        tables = {"messages": take_rows(&self.out.messages, "messages")}
        self.out.messages_before += rows
        for message in MESSAGES:
            kind = message.code
            rows = self.out.bodies[kind].count
            tables[message.name] = take_rows(&self.out.bodies[kind], message.name)
            self.out.bodies_before[kind] += rows
        self.rows.gre_before += self.rows.gre.count
        self.rows.ppp_before += self.rows.ppp.count
        tables["gre"] = take_rows(&self.rows.gre, "gre")
        tables["ppp"] = take_rows(&self.rows.ppp, "ppp")
        tables["ppp_options"] = take_rows(&self.rows.ppp_options, "ppp_options")
        if self.again.keep_payloads:
            tables["payloads"] = take_items(&self.rows.payloads, np.uint8)
        if self.out.keep_segments:
            tables["segments"] = take_items(&self.out.segments, SEGMENT)
            tables["parts"] = take_items(&self.reassembly.parts.rows, PART)
        tables["issues"] = take_rows(&self.issues, "issues")
        return tables

    def entities(self):
        """Rows of the entity tables as they stand."""
        self.enter()
        try:
            if self.whole is None:
                self.check()
                # Rows of calls derive from those of connections, so connections are handed over last.
                counts = self.count_entities()
                rows = {table: self.entity_slice(table, 0, counts[table]) for table in ("calls", "tunnels")}
                if not self.finished:
                    entities_free(&self.related)
                    return rows | {"connections": self.entity_slice("connections", 0, counts["connections"])}
                self.out.connections.count = counts["connections"]
                self.whole = rows | {"connections": take_rows(&self.out.connections, "connections")}
            return dict(self.whole)
        finally:
            self.busy = False

    def entity_counts(self):
        """Rows of each entity table of a capture that has ended."""
        self.enter()
        try:
            self.check_ended()
            if self.whole is not None:
                return {table: len(rows) for table, rows in self.whole.items()}
            return self.count_entities()
        finally:
            self.busy = False

    def entity_rows(self, str table not None, Py_ssize_t start, Py_ssize_t stop):
        """Rows ``start:stop`` of an entity table of a capture that has ended."""
        self.enter()
        try:
            self.check_ended()
            if self.whole is not None:
                return self.whole[table][start:stop].copy()
            start, stop, _ = slice(start, stop).indices(self.count_entities()[table])
            return self.entity_slice(table, start, max(start, stop))
        finally:
            self.busy = False

    def connections_at(self, numbers):
        """Rows of ``connections`` with these numbers as they stand."""
        cdef const int32_t[::1] wanted = np.ascontiguousarray(numbers, np.int32)
        cdef Buffer rows
        cdef Py_ssize_t index
        buffer_init(&rows, sizeof(ConnectionRow))
        self.enter()
        try:
            if self.whole is not None:
                return self.whole["connections"][numbers]
            if not buffer_reserve(&rows, wanted.shape[0]):
                raise MemoryError
            for index in range(wanted.shape[0]):
                if not 0 <= wanted[index] < listed_connections(&self.out):
                    raise IndexError(f"there is no connection {wanted[index]}")
                (<ConnectionRow*>buffer_push(&rows))[0] = (
                    <ConnectionRow*>buffer_at(&self.out.connections, wanted[index])
                )[0]
            return take_rows(&rows, "connections")
        finally:
            buffer_free(&rows)
            self.busy = False

    cdef int check_ended(self) except -1:
        self.check()
        if not self.finished:
            raise ValueError("the capture of this assembler has not ended")
        return 0

    cdef dict count_entities(self):
        cdef bint enough = True
        if self.related.calls_of == NULL:
            with nogil:
                enough = entities_init(&self.related, &self.relations, &self.out.connections)
        if not enough:
            entities_free(&self.related)
            raise MemoryError
        return {
            "connections": listed_connections(&self.out),
            "tunnels": self.relations.tunnels.count,
            "calls": count_calls(&self.related, &self.relations),
        }

    cdef object entity_slice(self, str table, Py_ssize_t start, Py_ssize_t stop):
        cdef Buffer rows
        cdef bint enough
        if table == "connections":
            return copy_rows(&self.out.connections, table, start, stop)
        buffer_init(&rows, sizeof(TunnelRow) if table == "tunnels" else sizeof(CallRow))
        try:
            with nogil:
                if rows.item == sizeof(TunnelRow):
                    enough = write_tunnels(&self.related, &self.relations, start, stop, &rows)
                else:
                    enough = write_calls(
                        &self.related, &self.relations, &self.out, start, stop, &rows
                    )
            if not enough:
                raise MemoryError
            return take_rows(&rows, table)
        finally:
            buffer_free(&rows)

    @property
    def counters(self):
        """Counts by name."""
        counts = {name: self.counted[index] for index, name in enumerate(COUNTER_NAMES)}
        counts["copies"] = (
            self.fragment_copies.found + self.connections.copies.found + self.relations.copies.found
            + self.relations.ack_copies.found
        )
        counts["connections_unlisted"] = max(self.out.instances - self.out.connection_rows, 0)
        counts["gre_unlisted"] = self.relations.gre_unlisted
        counts["calls_unlisted"] = self.relations.calls_unlisted
        return counts

    @property
    def earliest(self):
        """Least time of a record, ns since 1970, None without one."""
        return self.first_time if self.seen else None

    @property
    def latest(self):
        """Greatest time of a record, ns since 1970, None without one."""
        return self.last_time if self.seen else None

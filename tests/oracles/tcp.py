"""The plainest decoder of control connections: a dict of octets for each direction of each TCP connection.

Written from sections 5 to 7 of ``docs/decoding/`` alone, and imports nothing of the package, nor any builder of the tests.
It keeps every octet that came under its position, and computes pieces, holes and history anew whenever a rule asks for them.

Not modelled, and avoided by the inputs: other link types than Ethernet, VLAN tags, IPv6, IPv4 options, lengths of IP that
lie, frames cut inside the IP header, fragments, Enhanced GRE, other ports than 1723, several files, damaged records, times
with a fraction of a second or more, and everything that relating finds (section 10).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from oracles.messages import COOKIE, plausible, read_message
from oracles.segments import ACK, FIN, PORTS, RST, SYN, URG, Segment, read_segment

WINDOW, RESET_WINDOW = 1 << 30, 1 << 20

# Bits of `messages.status`.
CUT, AFTER_GAP, RESYNCHRONISED, MIDSTREAM = 0x01, 0x10, 0x20, 0x40
CONFLICT, BAD_CHECKSUM, AFTER_CLOSE, URGENT = 0x80, 0x100, 0x200, 0x400
# Values of `connections.end`.
ENDS = {"OPEN": 0, "FIN": 1, "RST": 2, "NEW_CONNECTION": 3, "EVICTED": 4}

COUNTS: tuple[str, ...] = ("messages", "segments", "data_segments", "octets", "retransmitted", "out_of_order", "gaps")
COUNTS += ("gap_octets", "conflicts")


@dataclass(frozen=True)
class Caps:
    """The caps that concern streams, by their names in ``Limits``."""

    connections: int = 1 << 20
    connection_rows: int = 1 << 20
    pieces: int = 128
    waiting_octets: int = 65_536
    history: int = 4_096
    held_octets: int = 32 << 20


# What a piece costs in `held_octets`, beside its octets.
PIECE_COST = 64


def signed(number: int) -> int:
    """A difference of sequence numbers, as a signed number of 32 bits."""
    return (number + 2**31) % 2**32 - 2**31


@dataclass
class Octet:
    """One octet of a stream: its value, None where it was not captured, what its segment was, and which piece it is of."""

    value: int | None
    packet: int
    piece: tuple[Any, ...]
    verifies: bool
    marks: int


@dataclass
class Direction:
    """What one side sent."""

    octets: dict[int, Octet] = field(default_factory=dict)
    start: int | None = None
    # Of contiguous octets; `cursor` is where the next message is looked for; `highest` is behind the last octet seen.
    end: int = 0
    cursor: int = 0
    highest: int = 0
    in_step: bool = True
    passed_over: int = 0
    statuses: int = 0
    resume: int | None = None
    # Behind the last gap, for the packet of a message; where the history begins, which is dropped at a cap, too.
    fresh: int = 0
    remembered: int = 0
    # When data came last: a number that grows.
    touched: int = 0
    acknowledged: int = -1
    fin: int | None = None
    sent_fin: bool = False
    said: tuple[Any, ...] | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))


@dataclass
class Instance:
    """A connection; its directions are those of the initiator and of the responder."""

    number: int
    ends: tuple[tuple[bytes, int], tuple[bytes, int]]
    first: int
    last: int = 0
    sides: tuple[Direction, Direction] = field(default_factory=lambda: (Direction(), Direction()))
    closed: bool = False
    syn: bool = False
    end: int = 0
    end_from_initiator: bool = False
    end_packet: int = 0
    result: tuple[int, int] | None = None


@dataclass
class Oracle:
    """Packets of one capture, in their order; messages and issues as they are found."""

    caps: Caps = field(default_factory=Caps)
    packet: int = 0
    live: dict[frozenset[tuple[bytes, int]], Instance] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)
    unlisted: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    # (packet, connection, layer, kind, needed, had)
    issues: list[tuple[int, int, str, str, int, int]] = field(default_factory=list)
    counters: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("packets", "ip_malformed", "ip_other", "control_segments"), 0)
    )

    # ---- 5. TCP

    def read(self, capture: bytes) -> Oracle:
        """Every packet of a little-endian pcap file of Ethernet and IPv4, then the end of the capture."""
        at = 24
        while at < len(capture):
            _, _, captured, original = struct.unpack_from("<IIII", capture, at)
            self.packet += 1
            self.counters["packets"] += 1
            self.frame(capture[at + 16 : at + 16 + captured], original)
            at += 16 + captured
        for instance in sorted(self.live.values(), key=lambda instance: instance.first):
            self.finish(instance)
        return self

    def frame(self, frame: bytes, original: int) -> None:
        fate, issues, segment = read_segment(self.packet, frame, original)
        self.counters[fate] += 1
        for issue in issues:
            self.issue(-1, "TCP", *issue)
        if segment is not None:
            self.segment(segment)

    def issue(self, connection: int, layer: str, kind: str, needed: int, had: int) -> None:
        self.issues.append((self.packet, connection, layer, kind, needed, had))

    # ---- 6. Control connections

    def segment(self, segment: Segment) -> None:
        """Rules 6.1 to 6.8, in their order."""
        syn, ack = bool(segment.flags & SYN), bool(segment.flags & ACK)
        key = frozenset((segment.source, segment.destination))
        instance = self.live.get(key)
        after = (segment.sequence + 1) % 2**32
        if instance is None or (syn and self.is_anew(instance, segment, after, ack)):
            instance = self.make(key, segment)
        side = instance.ends.index(segment.source)
        sender, other = instance.sides[side], instance.sides[1 - side]
        instance.last = self.packet
        sender.counts["segments"] += 1
        sender.counts["data_segments"] += segment.size > 0
        if syn:
            if ack and sender.start is not None and sender.start != after:
                self.issue(instance.number, "TCP", "OUT_OF_WINDOW", 1, abs(signed(after - sender.start)))
                return
            instance.syn = True
            if sender.start is None:
                sender.start = after
            if ack and other.start is None:
                other.start = segment.acknowledgment
        if segment.flags & RST:
            self.reset(instance, side, segment)
            return
        if ack and not syn and other.start is not None:
            distance = signed(segment.acknowledgment - other.start - other.end)
            if abs(distance) < WINDOW:
                other.acknowledged = max(other.acknowledged, other.end + distance)
                self.lose_acknowledged(instance, 1 - side)
        if segment.size:
            self.data(instance, side, segment, after if syn else segment.sequence)
        if segment.flags & FIN:
            self.fin(instance, side, segment)

    def is_anew(self, instance: Instance, segment: Segment, after: int, ack: bool) -> bool:
        """Whether a SYN on live endpoints begins a new instance."""
        start = instance.sides[instance.ends.index(segment.source)].start
        return instance.closed or (not ack and start is not None and start != after)

    def make(self, key: frozenset[tuple[bytes, int]], segment: Segment) -> Instance:
        """A new instance (6.1 to 6.3, 6.9, 6.10)."""
        old = self.live.pop(key, None)
        if old is not None:
            self.finish(old)
            self.ended(old, "NEW_CONNECTION", False)
        by_sender = segment.destination[1] in PORTS
        if segment.flags & SYN:
            by_sender = not segment.flags & ACK
        ends = (segment.source, segment.destination)
        cap = self.caps.connections
        if len(self.live) == cap:
            oldest = min(self.live, key=lambda each: self.live[each].last)
            gone = self.live.pop(oldest)
            self.issue(gone.number, "TCP", "EVICTED", cap, cap + 1)
            self.finish(gone)
            self.ended(gone, "EVICTED", False)
        number = len(self.instances)
        instance = Instance(number, ends if by_sender else ends[::-1], self.packet)
        if number >= self.caps.connection_rows:
            instance.number = -1
            if not self.unlisted:
                cap = self.caps.connection_rows
                self.issue(-1, "TCP", "ENTITY_LIMIT", cap, cap + 1)
            self.unlisted += 1
        else:
            self.instances.append(instance)
        self.live[key] = instance
        return instance

    def ended(self, instance: Instance, how: str, from_initiator: bool) -> None:
        if not instance.end:
            instance.end, instance.end_from_initiator, instance.end_packet = ENDS[how], from_initiator, self.packet

    def reset(self, instance: Instance, side: int, segment: Segment) -> None:
        sender = instance.sides[side]
        if sender.start is not None:
            distance = abs(signed(segment.sequence - sender.start - sender.end))
            if distance >= RESET_WINDOW:
                self.issue(instance.number, "TCP", "RESET_IGNORED", RESET_WINDOW, distance)
                return
        instance.closed = True
        self.ended(instance, "RST", side == 0)
        for each in (0, 1):
            while self.waiting(instance.sides[each]):
                self.lose(instance, each)

    def fin(self, instance: Instance, side: int, segment: Segment) -> None:
        sender = instance.sides[side]
        if sender.start is not None:
            distance = signed(segment.sequence - sender.start - sender.end)
            if abs(distance) >= WINDOW:
                return
            if sender.fin is None:
                sender.fin = sender.end + distance + segment.size + bool(segment.flags & SYN)
        sender.sent_fin = True
        if instance.sides[1 - side].sent_fin:
            instance.closed = True
        self.ended(instance, "FIN", side == 0)

    def waiting(self, of: Direction) -> list[int]:
        """Positions of octets that wait behind a hole, in their order."""
        return sorted(position for position in of.octets if position >= of.end)

    def lose_acknowledged(self, instance: Instance, side: int) -> None:
        """Holes that the receiver acknowledged are lost (6.6)."""
        of = instance.sides[side]
        while of.acknowledged > of.end and (waiting := self.waiting(of)) and waiting[0] <= of.acknowledged:
            self.lose(instance, side)

    def data(self, instance: Instance, side: int, segment: Segment, sequence: int) -> None:
        """Rule 6.7."""
        of = instance.sides[side]
        if of.start is None:
            of.start = sequence
            of.in_step = False
            of.statuses |= MIDSTREAM
        distance = signed(sequence - of.start - of.end)
        if abs(distance) >= WINDOW:
            self.issue(instance.number, "TCP", "OUT_OF_WINDOW", WINDOW, abs(distance))
            return
        if segment.size == 1 and distance == -1 and not segment.flags & (SYN | FIN | RST):
            return
        first = of.end + distance
        copies = {
            first + index: segment.data[index] if index < len(segment.data) else None
            for index in range(segment.size)
            if first + index >= 0
        }
        new = [position for position in copies if position >= of.end and position not in of.octets]
        of.counts["octets"] += len(new)
        of.counts["retransmitted"] += not new
        of.counts["out_of_order"] += any(position < of.highest for position in new)
        of.highest = max(of.highest, first + segment.size)
        marks = BAD_CHECKSUM if segment.wrong else 0
        marks |= URGENT if segment.flags & URG else 0
        if instance.closed or (of.fin is not None and first + segment.size > of.fin):
            marks |= AFTER_CLOSE
        conflict, replaced = self.compared(instance, of, segment, copies)
        marks |= CONFLICT if conflict else 0
        for position in new + replaced:
            old = of.octets.get(position)
            # What replaces octets of one piece is a piece by itself.
            piece = (segment.packet, old.piece if old else None)
            of.octets[position] = Octet(copies[position], segment.packet, piece, segment.verifies, marks)
        self.extend(of)
        self.cut(instance, side)
        self.lose_acknowledged(instance, side)
        self.keep_caps(instance, side)
        of.touched = self.packet
        self.keep_held()

    def compared(
        self, instance: Instance, of: Direction, segment: Segment, copies: dict[int, int | None]
    ) -> tuple[bool, list[int]]:
        """Compare with what is there: whether some octets differ, and positions at which this copy replaces the first one."""
        history = self.history(of)
        compared = differing = 0
        replaced: list[int] = []
        for run in self.pieces(of):
            both = [position for position in run if position in copies]
            unlike = self.unlike(of, copies, both)
            compared += unlike[0]
            differing += unlike[1]
            if unlike[1]:
                for position in run:
                    of.octets[position].marks |= CONFLICT
            lacking = any(of.octets[position].value is None for position in both)
            if both and segment.verifies and not of.octets[both[0]].verifies and (unlike[1] or lacking):
                replaced += both
        before = self.unlike(of, copies, [position for position in history if position in copies])
        compared += before[0]
        differing += before[1]
        if differing:
            of.counts["conflicts"] += 1
            self.issue(instance.number, "TCP", "OVERLAP_CONFLICT", compared, differing)
        return differing > 0, replaced

    def unlike(self, of: Direction, copies: dict[int, int | None], both: list[int]) -> tuple[int, int]:
        """Octets captured in both copies, and how many of them differ."""
        pairs = [(of.octets[position].value, copies[position]) for position in both]
        known = [(one, other) for one, other in pairs if one is not None and other is not None]
        return len(known), sum(one != other for one, other in known)

    def history(self, of: Direction) -> range:
        """The last delivered octets, as far as they are captured without break."""
        first = of.cursor
        while first > max(of.remembered, of.cursor - self.caps.history) and of.octets[first - 1].value is not None:
            first -= 1
        return range(first, of.cursor)

    def pieces(self, of: Direction) -> list[list[int]]:
        """Positions of undelivered octets, in the runs that are pieces."""
        runs: list[list[int]] = []
        for position in sorted(position for position in of.octets if position >= of.cursor):
            before = runs[-1][-1] if runs else None
            if before == position - 1 and of.octets[before].piece == of.octets[position].piece:
                runs[-1].append(position)
            else:
                runs.append([position])
        return runs

    def keep_caps(self, instance: Instance, side: int) -> None:
        """Caps on what waits behind the lowest hole."""
        of, caps = instance.sides[side], self.caps
        while True:
            runs = [run for run in self.pieces(of) if run[0] >= of.end]
            octets = sum(len(run) for run in runs)
            if len(runs) > caps.pieces:
                self.issue(instance.number, "TCP", "WAITING_LIMIT", caps.pieces, len(runs))
            elif octets > caps.waiting_octets:
                self.issue(instance.number, "TCP", "WAITING_LIMIT", caps.waiting_octets, octets)
            else:
                return
            self.lose(instance, side)

    def keep_held(self) -> None:
        """The cap on what all directions hold together."""
        every = [(instance, side) for instance in self.live.values() for side in (0, 1)]
        every.sort(key=lambda each: each[0].sides[each[1]].touched)
        while (held := sum(self.held(instance.sides[side]) for instance, side in every)) > self.caps.held_octets:
            instance, side = every.pop(0)
            of = instance.sides[side]
            if self.pieces(of):
                self.finish_side(instance, side)
                of.in_step = False
                of.statuses |= RESYNCHRONISED
                self.issue(instance.number, "TCP", "EVICTED", self.caps.held_octets, held)
            of.remembered = of.cursor

    def held(self, of: Direction) -> int:
        captured = sum(of.octets[position].value is not None for run in self.pieces(of) for position in run)
        return len(self.history(of)) + captured + PIECE_COST * len(self.pieces(of))

    # ---- 7. Cutting messages

    def extend(self, of: Direction) -> None:
        while of.end in of.octets:
            of.end += 1

    def known(self, of: Direction, start: int) -> bytes:
        """Octets from `start` to the first that is not captured, within the contiguous ones."""
        found = bytearray()
        for position in range(start, of.end):
            value = of.octets[position].value
            if value is None:
                break
            found.append(value)
        return bytes(found)

    def cut(self, instance: Instance, side: int) -> None:
        """Take what can be taken (7.1 to 7.3)."""
        of = instance.sides[side]
        if of.resume is not None:
            if of.end < of.resume + 12:
                return
            if plausible(self.known(of, of.resume)):
                of.cursor = of.resume
                of.in_step = True
            of.resume = None
        while self.take(instance, of, side) if of.in_step else self.search(instance, of):
            pass

    def take(self, instance: Instance, of: Direction, side: int) -> bool:
        """In step; False where more octets are needed."""
        there = of.end - of.cursor
        known = self.known(of, of.cursor)
        k = min(len(known), 12)
        if there == k and k < 12:
            return False
        length, cookie = struct.unpack_from(">HxxI", known) if k >= 8 else (0, 0)
        if k < 12:
            legal = 12 <= length <= 1024 and cookie == COOKIE
            if legal and there < length:
                return False
            self.issue(instance.number, "CONTROL", "HEADER_CUT", 12, k)
            if legal:
                of.cursor += length
                return True
        elif not 12 <= length <= 1024:
            self.issue(instance.number, "CONTROL", "BAD_LENGTH", 12 if length < 12 else 1024, length)
        elif cookie != COOKIE:
            self.issue(instance.number, "CONTROL", "WRONG_COOKIE", COOKIE, cookie)
        elif there < length:
            return False
        else:
            self.message(instance, side, length, known)
            of.cursor += length
            return True
        of.in_step = False
        of.statuses |= RESYNCHRONISED
        return True

    def search(self, instance: Instance, of: Direction) -> bool:
        """Out of step; False where no header is there yet."""
        values = [of.octets[position].value for position in range(of.cursor, of.end)]
        unknown = -1
        for index, value in enumerate(values):
            unknown = index if value is None else unknown
            header = values[index : index + 12]
            if value == 0 and len(header) == 12 and None not in header and plausible(bytes(header)):  # type: ignore[arg-type]
                of.cursor += index
                of.passed_over += index
                self.skipped(instance, of)
                of.in_step = True
                return True
        step = max(len(values) - 11, unknown + 1, 0)
        of.cursor += step
        of.passed_over += step
        return False

    def skipped(self, instance: Instance, of: Direction) -> None:
        if of.passed_over:
            self.issue(instance.number, "CONTROL", "SKIPPED", 0, of.passed_over)
        of.passed_over = 0

    def message(self, instance: Instance, side: int, length: int, known: bytes) -> None:
        """A row, of the octets that are there (7.2)."""
        of = instance.sides[side]
        octets = known[:length]
        there = [of.octets[position] for position in range(of.cursor, min(of.cursor + length, of.end))]
        since = [of.octets[position].packet for position in range(of.fresh, min(of.cursor + length, of.end))]
        _, message_type, cookie, kind, reserved = struct.unpack_from(">HHIHH", octets)
        status = of.statuses
        of.statuses = 0
        for octet in there:
            status |= octet.marks
        if len(octets) < length:
            status |= CUT
        found = read_message(octets, length)
        status |= found.status
        for issue in found.issues:
            self.issue(instance.number, "CONTROL", *issue)
        if found.fields and kind <= 2:
            self.said(instance, of, kind, found.fields)
        of.counts["messages"] += 1
        self.messages.append(
            {
                "packet": max(since),
                "connection": instance.number,
                "from_initiator": side == 0,
                "segments": len({octet.packet for octet in there}),
                "status": status,
                "header": (length, message_type, cookie, kind, reserved),
                "available": len(octets),
                "octets": octets,
                "fields": found.fields,
            }
        )

    def said(self, instance: Instance, of: Direction, kind: int, fields: tuple[Any, ...]) -> None:
        if of.said is not None:
            return
        of.said = (fields[0], *fields[-3:])
        if kind == 2 and instance.result is None:
            instance.result = (fields[1], fields[2])

    def lose(self, instance: Instance, side: int) -> None:
        """The lowest hole is declared lost (7.4)."""
        of = instance.sides[side]
        gap_end = self.waiting(of)[0]
        self.close_resume(instance, side)
        known = self.known(of, of.cursor)
        resume = None
        if of.in_step and len(known) >= 12:
            resume = of.cursor + int.from_bytes(known[:2], "big")
        self.end_partial(instance, side)
        self.issue(instance.number, "TCP", "GAP", gap_end - of.end, 0)
        of.counts["gaps"] += 1
        of.counts["gap_octets"] += gap_end - of.end
        of.end = of.cursor = of.fresh = of.remembered = gap_end
        of.in_step = False
        of.statuses |= AFTER_GAP
        if resume is not None and resume > gap_end:
            of.resume = resume
        self.extend(of)
        self.cut(instance, side)

    def close_resume(self, instance: Instance, side: int) -> None:
        """Nothing came that says whether a header stands where a lost message ends: the search starts."""
        of = instance.sides[side]
        if of.resume is not None:
            of.resume = None
            self.cut(instance, side)

    def end_partial(self, instance: Instance, side: int) -> None:
        """What is left in front of a gap or of the end (7.5)."""
        of = instance.sides[side]
        there = of.end - of.cursor
        known = self.known(of, of.cursor)
        if not of.in_step:
            of.passed_over += there
            self.skipped(instance, of)
        elif len(known) >= 12:
            length = int.from_bytes(known[:2], "big")
            self.issue(instance.number, "CONTROL", "MESSAGE_CUT", length, there)
            self.message(instance, side, length, known)
        elif there:
            self.issue(instance.number, "CONTROL", "HEADER_CUT", 12, len(known))
        of.cursor = of.end

    def finish(self, instance: Instance) -> None:
        """All that waits is let go (7.6)."""
        for side in (0, 1):
            self.finish_side(instance, side)

    def finish_side(self, instance: Instance, side: int) -> None:
        of = instance.sides[side]
        while self.waiting(of):
            self.lose(instance, side)
        self.close_resume(instance, side)
        self.end_partial(instance, side)

"""IP reassembly, within the caps.

Must not know what a payload holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from ..wire.limits import DATAGRAM_AGE_NS, DATAGRAM_DISTANCE, DATAGRAM_PACKETS, DATAGRAM_SPAN_NS, EXTENT_COST, Limits
from ..wire.status import Kind, Layer
from .events import Findings, Fragment, FragmentKey, Packet
from .overlap import differing

# What a datagram ends in counts here; its frames were counted as fragments (decoding 4.4).
_COUNTED_AGAIN = frozenset({"control_segments", "checksums_offloaded", "gre_packets", "gre_other"})
_COPIED = "fragments_copied"
_position = attrgetter("position")


class Reassembled(Findings):
    """Findings of the walks of reassembled datagrams.

    Parameters
    ----------
    counters : iterable of str
        Keys of the counters.
    members : bool
        Tell which packets brought the fragments of each datagram.
    """

    reassembled = True

    def __init__(self, counters: Iterable[str], members: bool) -> None:
        super().__init__(counters)
        self._parts: list[tuple[int, int]] | None = [] if members else None

    def part(self, packets: Iterable[int], whole: int) -> None:
        """These packets brought fragments of the datagram of `whole`, as ``engine.PART`` says."""
        if self._parts is not None:
            self._parts += [(packet, whole) for packet in packets]

    def take_parts(self) -> list[tuple[int, int]] | None:
        """What `part` was told since the last call; None without members."""
        taken = self._parts
        if taken is not None:
            self._parts = []
        return taken

    def count(self, counter: str) -> None:
        """Count only what the fragments did not count."""
        if counter in _COUNTED_AGAIN:
            super().count(counter)


@dataclass(slots=True)
class Extent:
    """Octets of a datagram that came together: `length` on the wire, the first of them in `octets`."""

    position: int
    length: int
    octets: bytes

    @property
    def end(self) -> int:
        """Position behind the last octet."""
        return self.position + self.length

    @property
    def captured_end(self) -> int:
        """Position behind the last octet that was captured."""
        return self.position + len(self.octets)

    def part(self, start: int, end: int) -> Extent:
        """The octets between two positions inside."""
        return Extent(start, end - start, self.octets[start - self.position : end - self.position])


@dataclass(slots=True)
class Whole:
    """A payload that is complete: `length` octets on the wire, the first of them in `octets`."""

    key: FragmentKey
    length: int
    octets: bytes
    headers: int


class Flow:
    """Fragments of all identifications between two addresses, counted while one of their datagrams is in flight."""

    def __init__(self) -> None:
        self.fragments = 0
        self.datagrams = 0


class Datagram:
    """Extents of one datagram: in order, none overlaps another, none is joined with another.

    Parameters
    ----------
    packet : Packet
        That of the fragment that came first.
    headers : int
        IP headers in front of the payload of that fragment.
    flow : Flow
        What counts the fragments beside it.
    """

    def __init__(self, packet: Packet, headers: int, flow: Flow) -> None:
        self.packet = packet.number
        self.time = packet.time
        self.headers = headers
        self.flow = flow
        self.extents: list[Extent] = []
        self.total: int | None = None
        # Greatest end of a fragment with more-fragments: the total length is beyond it.
        self.beyond = 0
        self.came = 0
        # The number in its flow of the fragment that touched it last.
        self.touched = 0
        self.mixed = False
        # Packets that brought its fragments, and the one that made it complete.
        self.packets: list[int] = []
        self.whole = 0

    def is_apart(self, time: int | None, nanoseconds: int) -> bool:
        """Whether a fragment came at quite another time; not if a time is missing (decoding 4)."""
        return self.time is not None and time is not None and abs(self.time - time) > nanoseconds

    def is_stale(self, time: int | None) -> bool:
        """Whether it is too old for a fragment of its key (decoding 4.6)."""
        others = self.flow.fragments - self.touched - 1
        return others > DATAGRAM_DISTANCE or self.is_apart(time, DATAGRAM_SPAN_NS if self.mixed else DATAGRAM_AGE_NS)

    def mix(self) -> None:
        """Drop its octets, and those to come (decoding 4.2)."""
        self.mixed = True
        self.extents = []
        self.packets = []

    def ends_otherwise(self, end: int, more: bool) -> bool:
        """Whether the end of a fragment contradicts those that came (decoding 4.2)."""
        if more:
            return self.total is not None and self.total <= end
        return end <= self.beyond or self.total not in (None, end)

    def compare(self, copy: Extent) -> tuple[int, int]:
        """How many octets are captured in both, and how many of them differ."""
        compared = differ = 0
        for old in self.extents[self._first(copy) :]:
            if old.position >= copy.captured_end:
                break
            start = max(copy.position, old.position)
            end = min(old.captured_end, copy.captured_end)
            if start < end:
                compared += end - start
                differ += differing(
                    old.octets[start - old.position : end - old.position],
                    copy.octets[start - copy.position : end - copy.position],
                )
        return compared, differ

    def add(self, copy: Extent, more: bool) -> int:
        """Take the octets that are new, and the end; give how many octets were new."""
        if more:
            self.beyond = max(self.beyond, copy.end)
        else:
            self.total = copy.end
        first = index = self._first(copy)
        position = copy.position
        merged: list[Extent] = []
        new: list[Extent] = []
        while index < len(self.extents) and self.extents[index].position < copy.end:
            old = self.extents[index]
            if position < old.position:
                new.append(copy.part(position, old.position))
                merged.append(new[-1])
            position = old.end
            merged.append(old)
            index += 1
        if position < copy.end:
            new.append(copy.part(position, copy.end))
            merged.append(new[-1])
        self.extents[first:index] = merged
        octets = sum(extent.length for extent in new)
        self.came += octets
        return octets

    def _first(self, copy: Extent) -> int:
        # Index of the first extent that ends behind the start of the copy.
        first = bisect_right(self.extents, copy.position, key=_position)
        return first - 1 if first and self.extents[first - 1].end > copy.position else first

    def captured(self) -> bytes:
        """Octets before the first one that was not captured; the datagram is complete (decoding 4.4)."""
        parts: list[bytes] = []
        for extent in self.extents:
            parts.append(extent.octets)
            if len(extent.octets) < extent.length:
                break
        return b"".join(parts)

    def cost(self) -> int:
        """What it counts in ``remembered_octets``."""
        return sum(EXTENT_COST + len(extent.octets) for extent in self.extents)


class Memory:
    """Complete datagrams, the one that was complete first in front (decoding 4.7).

    Parameters
    ----------
    octets : int
        The cap on what they count together.
    """

    def __init__(self, octets: int) -> None:
        self._most = octets
        self._held = 0
        self._datagrams: OrderedDict[FragmentKey, Datagram] = OrderedDict()

    def copied(self, fragment: Fragment, copy: Extent) -> Datagram | None:
        """The datagram in which a fragment came before; if none, forget that of its key once no copy is expected."""
        datagram = self._datagrams.get(fragment.key)
        if datagram is None:
            return None
        time = fragment.packet.time
        if (
            not datagram.is_apart(time, DATAGRAM_AGE_NS)
            and not datagram.ends_otherwise(copy.end, fragment.more)
            and datagram.compare(copy)[1] == 0
        ):
            return datagram
        if datagram.is_apart(time, DATAGRAM_SPAN_NS):
            self._forget(fragment.key)
        return None

    def add(self, key: FragmentKey, datagram: Datagram) -> None:
        """Remember a datagram in place of another one with its key."""
        if key in self._datagrams:
            self._forget(key)
        self._datagrams[key] = datagram
        self._held += datagram.cost()
        while self._held > self._most:
            self._forget(next(iter(self._datagrams)))

    def _forget(self, key: FragmentKey) -> None:
        self._held -= self._datagrams.pop(key).cost()


class Reassembler:
    """Datagrams in flight, least recently touched first (decoding 4).

    Parameters
    ----------
    limits : Limits
        Caps.
    findings : Findings
        Takes the issues, and the packets of datagrams.
    carried : bool
        Datagrams of carriers, which give issues only where their first octets came (decoding 3b.10).
    """

    def __init__(self, limits: Limits, findings: Reassembled, *, carried: bool = False) -> None:
        self._limits = limits
        self._findings = findings
        self._carried = carried
        self._most = limits.carrier_datagrams if carried else limits.datagrams
        self._datagrams: OrderedDict[FragmentKey, Datagram] = OrderedDict()
        # By key without identification.
        self._flows: dict[FragmentKey, Flow] = {}
        self._memory = Memory(limits.remembered_octets)

    def add(self, fragment: Fragment, came: list[int]) -> Whole | None:
        """Take a fragment that these packets brought, and give the payload that it completes.

        Then `came` has the packets of that payload.
        """
        if not self._is_legal(fragment):
            return None
        key, packet = fragment.key, fragment.packet
        flow = self._flows.get(_flow_of(key))
        if flow is not None:
            flow.fragments += 1
        copy = Extent(fragment.offset, fragment.length, fragment.octets)
        copied = self._memory.copied(fragment, copy)
        if copied is not None:
            self._findings.counters[_COPIED] += 1
            self._findings.part(came, -copied.whole)
            return None
        datagram = self._datagram_of(fragment, copy)
        if datagram.mixed:
            return None
        datagram.packets += came[: DATAGRAM_PACKETS - len(datagram.packets)]
        if datagram.add(copy, fragment.more) == 0:
            self._findings.counters[_COPIED] += 1
            return None
        if len(datagram.extents) > self._limits.fragments:
            cap = self._limits.fragments
            if self._is_told(fragment, datagram):
                self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_LIMIT, cap, cap + 1)
            self._remove(key)
            return None
        if datagram.came != datagram.total:
            return None
        self._remove(key)
        came[:] = datagram.packets
        self._findings.part(came, packet.number)
        # Copies ask only for the last one.
        datagram.packets, datagram.whole = [], packet.number
        self._memory.add(key, datagram)
        return Whole(key, datagram.total, datagram.captured(), datagram.headers)

    def finish(self, packet: Packet) -> None:
        """Drop incomplete datagrams at the last packet of the capture (decoding 4.5)."""
        while self._datagrams:
            self._let_go(next(iter(self._datagrams)), packet)

    def _is_legal(self, fragment: Fragment) -> bool:
        # decoding 4.1
        length, end = fragment.length, fragment.offset + fragment.length
        fault = None
        if fragment.more and length % 8:
            fault = Kind.MALFORMED, length + 8 - length % 8, length
        elif length == 0:
            fault = Kind.MALFORMED, 1, 0
        elif end > self._limits.datagram_length:
            fault = Kind.FRAGMENT_TOO_LONG, self._limits.datagram_length, end
        if fault and self._is_told(fragment):
            self._findings.issue(fragment.packet, Layer.IP, *fault)
        return fault is None

    def _is_told(self, fragment: Fragment | None, datagram: Datagram | None = None) -> bool:
        if not self._carried or (fragment is not None and fragment.offset == 0):
            return True
        return datagram is not None and bool(datagram.extents) and datagram.extents[0].position == 0

    def _datagram_of(self, fragment: Fragment, copy: Extent) -> Datagram:
        # The datagram in flight that a fragment belongs to, perhaps a new one; or the mixed one of its key.
        key, packet = fragment.key, fragment.packet
        datagram = self._datagrams.get(key)
        if datagram is not None and datagram.is_stale(packet.time):
            self._let_go(key, packet)
            datagram = None
        if datagram is None:
            return self._begin(fragment)
        if not datagram.mixed:
            compared, differ = datagram.compare(copy)
            if differ or datagram.ends_otherwise(copy.end, fragment.more):
                if self._is_told(fragment, datagram):
                    self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_CONFLICT, compared, differ)
                if datagram.is_apart(packet.time, DATAGRAM_SPAN_NS):
                    self._remove(key)
                    return self._begin(fragment)
                datagram.mix()
        if datagram.mixed:
            datagram.time = packet.time
        datagram.touched = datagram.flow.fragments
        self._datagrams.move_to_end(key)
        return datagram

    def _begin(self, fragment: Fragment) -> Datagram:
        if self._datagrams and len(self._datagrams) >= self._most:
            self._let_go(next(iter(self._datagrams)), fragment.packet)
        flow = self._flows.setdefault(_flow_of(fragment.key), Flow())
        flow.datagrams += 1
        datagram = Datagram(fragment.packet, fragment.headers, flow)
        datagram.touched = flow.fragments
        self._datagrams[fragment.key] = datagram
        return datagram

    def _remove(self, key: FragmentKey) -> Datagram:
        datagram = self._datagrams.pop(key)
        datagram.flow.datagrams -= 1
        if datagram.flow.datagrams == 0:
            del self._flows[_flow_of(key)]
        return datagram

    def _let_go(self, key: FragmentKey, packet: Packet) -> None:
        # decoding 4.5; the conflict of a mixed one was told.
        datagram = self._remove(key)
        if not datagram.mixed and self._is_told(None, datagram):
            self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_INCOMPLETE, datagram.packet, datagram.came)


def _flow_of(key: FragmentKey) -> FragmentKey:
    return key._replace(identification=0)

"""IP reassembly, within the caps.

Must not know what a payload holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from operator import attrgetter

from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .events import Findings, Fragment, FragmentKey, Packet
from .overlap import differing

# What a datagram ends in counts here; its frames were counted as fragments (decoding 4.4).
_COUNTED_AGAIN = frozenset({"control_segments", "checksums_offloaded", "gre_packets", "gre_other"})
_position = attrgetter("position")


class Reassembled(Findings):
    """Findings of the walks of reassembled datagrams.

    Parameters
    ----------
    counters : iterable of str
        Keys of the counters.
    """

    reassembled = True

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


class Datagram:
    """Extents of one datagram: in order, none overlaps another, none is joined with another.

    Parameters
    ----------
    headers : int
        IP headers in front of the payload of the fragment that came first.
    """

    def __init__(self, headers: int) -> None:
        self.headers = headers
        self.extents: list[Extent] = []
        self.total: int | None = None
        self.came = 0

    def end_at(self, total: int) -> None:
        """Set the total length and drop bytes after it (decoding 4.3)."""
        self.total = total
        while self.extents and self.extents[-1].end > total:
            last = self.extents.pop()
            self.came -= last.end - max(last.position, total)
            if last.position < total:
                self.extents.append(last.part(last.position, total))

    def add(self, copy: Extent) -> tuple[int, int]:
        """Take the octets that are new; give how many were compared and how many of them differ (4.2)."""
        first = bisect_right(self.extents, copy.position, key=_position)
        if first and self.extents[first - 1].end > copy.position:
            first -= 1
        compared = differ = 0
        position = copy.position
        index = first
        merged: list[Extent] = []
        new: list[Extent] = []
        while index < len(self.extents) and self.extents[index].position < copy.end:
            old = self.extents[index]
            if position < old.position:
                new.append(copy.part(position, old.position))
                merged.append(new[-1])
            start = max(position, old.position)
            end = min(old.captured_end, copy.captured_end)
            if start < end:
                compared += end - start
                differ += differing(
                    old.octets[start - old.position : end - old.position],
                    copy.octets[start - copy.position : end - copy.position],
                )
            position = old.end
            merged.append(old)
            index += 1
        if position < copy.end:
            new.append(copy.part(position, copy.end))
            merged.append(new[-1])
        self.extents[first:index] = merged
        self.came += sum(extent.length for extent in new)
        return compared, differ

    def captured(self) -> bytes:
        """Octets before the first one that was not captured; the datagram is complete (decoding 4.4)."""
        parts: list[bytes] = []
        for extent in self.extents:
            parts.append(extent.octets)
            if len(extent.octets) < extent.length:
                break
        return b"".join(parts)


class Reassembler:
    """Datagrams in flight, least recently touched first (decoding 4).

    Parameters
    ----------
    limits : Limits
        Caps.
    findings : Findings
        Takes the issues.
    """

    def __init__(self, limits: Limits, findings: Findings) -> None:
        self._limits = limits
        self._findings = findings
        self._datagrams: OrderedDict[FragmentKey, Datagram] = OrderedDict()

    def add(self, fragment: Fragment) -> Whole | None:
        """Take a fragment; give the payload that it completes."""
        if not self._is_legal(fragment):
            return None
        packet = fragment.packet
        datagram = self._datagrams.get(fragment.key)
        if datagram is None:
            if len(self._datagrams) >= self._limits.datagrams:
                self._let_go(packet)
            datagram = self._datagrams[fragment.key] = Datagram(fragment.headers)
        else:
            self._datagrams.move_to_end(fragment.key)

        copy = Extent(fragment.offset, fragment.length, fragment.octets)
        if datagram.total is None and not fragment.more:
            datagram.end_at(copy.end)
        if datagram.total is not None and copy.end > datagram.total:
            if copy.position >= datagram.total:
                return None
            copy = copy.part(copy.position, datagram.total)
        compared, differ = datagram.add(copy)
        if differ:
            self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_CONFLICT, compared, differ)
        if len(datagram.extents) > self._limits.fragments:
            cap = self._limits.fragments
            self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_LIMIT, cap, cap + 1)
            del self._datagrams[fragment.key]
            return None
        if datagram.came != datagram.total:
            return None
        del self._datagrams[fragment.key]
        return Whole(fragment.key, datagram.total, datagram.captured(), datagram.headers)

    def finish(self, packet: Packet) -> None:
        """Drop incomplete datagrams at the last packet of the capture (decoding 4.5)."""
        while self._datagrams:
            self._let_go(packet)

    def _is_legal(self, fragment: Fragment) -> bool:
        # decoding 4.1
        packet, length = fragment.packet, fragment.length
        if fragment.more and length % 8:
            self._findings.issue(packet, Layer.IP, Kind.MALFORMED, length + 8 - length % 8, length)
            return False
        if length == 0:
            self._findings.issue(packet, Layer.IP, Kind.MALFORMED, 1, 0)
            return False
        end = fragment.offset + length
        if end > self._limits.datagram_length:
            self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_TOO_LONG, self._limits.datagram_length, end)
            return False
        return True

    def _let_go(self, packet: Packet) -> None:
        # decoding 4.5
        _, datagram = self._datagrams.popitem(last=False)
        self._findings.issue(packet, Layer.IP, Kind.FRAGMENT_INCOMPLETE, datagram.total or 0, datagram.came)

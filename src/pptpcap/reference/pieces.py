"""The octets of one direction: those that wait in pieces, and the last that were delivered.

Knows positions and copies, nothing of TCP's numbers and nothing of messages.  Called by ``streams``,
which puts segments in, and by ``cutter``, which takes octets out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from ..wire.limits import PIECE_COST
from .events import Checksum, Packet
from .overlap import differing

_position = attrgetter("position")


@dataclass(slots=True)
class Piece:
    """Part of a segment: `length` octets of the stream from `position` on.

    Those that were captured stand in `octets` from `first` on, up to its end; `octets` may be longer.
    """

    position: int
    length: int
    octets: bytes
    first: int
    packet: Packet
    marks: int
    checksum: Checksum

    @property
    def end(self) -> int:
        """Position behind the last octet."""
        return self.position + self.length

    @property
    def captured(self) -> int:
        """Octets of it that were captured."""
        return max(0, min(self.length, len(self.octets) - self.first))

    @property
    def cost(self) -> int:
        """What it counts in ``held_octets`` (decoding 6.7)."""
        return self.captured + PIECE_COST

    def part(self, start: int, end: int) -> Piece:
        """The octets between two positions inside."""
        first = self.first + start - self.position
        return Piece(start, end - start, self.octets, first, self.packet, self.marks, self.checksum)

    def read(self, start: int, end: int) -> bytes:
        """Captured octets between two positions inside."""
        end = min(end, self.position + self.captured)
        return self.octets[self.first + start - self.position : self.first + max(start, end) - self.position]


class Fit(NamedTuple):
    """What a copy brought."""

    new: int
    is_out_of_order: bool
    compared: int
    differ: int


class Pieces:
    """Pieces in the order of their positions, none overlaps another; the first `ready` have no hole before them.

    Parameters
    ----------
    history : int
        Octets that are kept when they are delivered.
    """

    def __init__(self, history: int) -> None:
        self._history_limit = history
        self._history = bytearray()
        self._pieces: list[Piece] = []
        self._cost = 0
        self._ready = 0
        self.cursor = 0
        self.end = 0
        self.waiting_octets = 0
        # Of the packets that hold octets from the start or the last gap to the cursor (decoding 7.2).
        self.highest: Packet | None = None

    @property
    def waiting(self) -> int:
        """Pieces that wait behind a hole."""
        return len(self._pieces) - self._ready

    @property
    def hole_end(self) -> int:
        """Where the lowest hole ends; there is one."""
        return self._pieces[self._ready].position

    @property
    def is_empty(self) -> bool:
        """No octet waits, for a hole to fill or for the rest of a message."""
        return not self._pieces

    @property
    def held(self) -> int:
        """What this direction counts in ``held_octets``."""
        return len(self._history) + self._cost

    def add(self, copy: Piece, conflict: int) -> Fit:
        """Take the octets of a segment that are new or better (decoding 6.7).

        Parameters
        ----------
        copy : Piece
            The segment, from position 0 of the stream on.
        conflict : int
            Mark for pieces in which copies differ.
        """
        highest = self._pieces[-1].end if self._pieces else self.end
        compared, differ = self._compare_with_history(copy)
        position = max(copy.position, self.cursor)
        first = self._index(position)
        index = first
        merged: list[Piece] = []
        taken: list[Piece] = []
        new = 0
        lowest_new: int | None = None

        def take(start: int, end: int) -> None:
            taken.append(copy.part(start, end))
            merged.append(taken[-1])

        while index < len(self._pieces) and self._pieces[index].position < copy.end:
            old = self._pieces[index]
            index += 1
            if position < old.position:
                lowest_new = position if lowest_new is None else lowest_new
                new += old.position - position
                take(position, old.position)
            start, end = max(position, old.position), min(old.end, copy.end)
            both = min(end, old.position + old.captured, copy.position + copy.captured)
            here = 0
            if start < both:
                compared += both - start
                here = differing(old.read(start, both), copy.read(start, both))
            if here:
                differ += here
                old.marks |= conflict
            has_unknown = old.position + old.captured < end
            is_better = copy.checksum is Checksum.VERIFIES and old.checksum is not Checksum.VERIFIES
            if is_better and (here or has_unknown):
                if old.position < start:
                    merged.append(old.part(old.position, start))
                take(start, end)
                if end < old.end:
                    merged.append(old.part(end, old.end))
            else:
                merged.append(old)
            position = end
        if position < copy.end:
            lowest_new = position if lowest_new is None else lowest_new
            new += copy.end - position
            take(position, copy.end)
        if differ:
            for piece in taken:
                piece.marks |= conflict
        self._replace(first, index, merged)
        self.waiting_octets += new
        self._extend()
        return Fit(new, lowest_new is not None and lowest_new < highest, compared, differ)

    def peek(self, offset: int, count: int) -> bytes:
        """Octets from the cursor + `offset` on, up to `count`, up to the first that is not there or not captured."""
        position = self.cursor + offset
        parts: list[bytes] = []
        for index in range(self._ready):
            piece = self._pieces[index]
            if piece.end <= position:
                continue
            part = piece.read(position, position + count)
            parts.append(part)
            position += len(part)
            count -= len(part)
            if count == 0 or position < piece.end:
                break
        return b"".join(parts)

    @property
    def unknown(self) -> int:
        """Octets of the first piece, none of which was captured; 0 where one was."""
        return self._pieces[0].length if self._ready and not self._pieces[0].captured else 0

    def advance(self, position: int) -> tuple[int, int]:
        """Deliver the octets before `position`; give the marks and the number of packets that hold them."""
        marks = 0
        packets: set[int] = set()
        done = 0
        while self.cursor < position:
            piece = self._pieces[done]
            end = min(position, piece.end)
            marks |= piece.marks
            packets.add(piece.packet.number)
            if self.highest is None or piece.packet.number > self.highest.number:
                self.highest = piece.packet
            self._remember(piece.read(piece.position, end), end - piece.position)
            self._cost -= piece.cost
            if end == piece.end:
                done += 1
            else:
                self._pieces[done] = piece.part(end, piece.end)
                self._cost += self._pieces[done].cost
            self.cursor = end
        del self._pieces[:done]
        self._ready -= done
        return marks, len(packets)

    def jump(self) -> int:
        """Give up the lowest hole, the cursor being at its start; give the octets that are lost (decoding 7.4)."""
        lost = self.hole_end - self.end
        self._history.clear()
        self.highest = None
        self.cursor = self.end = self.hole_end
        self._extend()
        return lost

    def forget(self) -> None:
        """Drop the history."""
        self._history.clear()

    def _compare_with_history(self, copy: Piece) -> tuple[int, int]:
        start = max(copy.position, self.cursor - len(self._history))
        end = min(copy.position + copy.captured, self.cursor)
        if start >= end:
            return 0, 0
        base = self.cursor - len(self._history)
        return end - start, differing(self._history[start - base : end - base], copy.read(start, end))

    def _remember(self, octets: bytes, length: int) -> None:
        if len(octets) < length:
            self._history.clear()
            return
        self._history += octets
        excess = len(self._history) - self._history_limit
        if excess > 0:
            del self._history[:excess]

    def _index(self, position: int) -> int:
        index = bisect_right(self._pieces, position, key=_position)
        if index and self._pieces[index - 1].end > position:
            index -= 1
        return index

    def _replace(self, first: int, end: int, merged: list[Piece]) -> None:
        self._cost += sum(piece.cost for piece in merged) - sum(piece.cost for piece in self._pieces[first:end])
        self._pieces[first:end] = merged

    def _extend(self) -> None:
        self._ready = bisect_left(self._pieces, self.end, key=_position)
        while self._ready < len(self._pieces) and self._pieces[self._ready].position == self.end:
            self.end += self._pieces[self._ready].length
            self.waiting_octets -= self._pieces[self._ready].length
            self._ready += 1

"""The octets of one direction, one by one: those that are not delivered, and the last that were.

Knows positions and copies.  Must not know TCP's numbers or messages.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from ..wire.limits import PIECE_COST
from .events import Packet
from .overlap import differing

_start = attrgetter("start")
_stop = attrgetter("stop")


@dataclass(slots=True, eq=False)
class Piece:
    """What octets have from their segment.  Those that have the same object are one piece (decoding 6.7)."""

    packet: Packet
    marks: int
    is_verified: bool

    def part(self) -> Piece:
        """Another piece of the segment."""
        return Piece(self.packet, self.marks, self.is_verified)


class Fit(NamedTuple):
    """What a copy brought."""

    new: int
    is_out_of_order: bool
    compared: int
    differ: int


class Octets:
    """Octets that arrived and are not delivered, and the history.

    Parameters
    ----------
    history : int
        Octets that are kept when they are delivered.
    """

    def __init__(self, history: int) -> None:
        self._history_limit = history
        self._history = bytearray()
        # Positions of the octets.  The first range begins at the cursor and may be empty; holes are between the ranges.
        self._ranges = [range(0)]
        # Of each octet, in order: its value, 1 where it was captured, its piece.
        self._values = bytearray()
        self._known = bytearray()
        self._pieces: list[Piece] = []
        # Ones in `_known`, and different pieces.
        self._captured = 0
        self._count = 0
        # Of the packets that hold octets from the start or the last gap to the cursor (decoding 7.2).
        self.highest: Packet | None = None

    @property
    def cursor(self) -> int:
        """Position of the first octet that is not delivered."""
        return self._ranges[0].start

    @property
    def end(self) -> int:
        """Position behind the contiguous octets."""
        return self._ranges[0].stop

    @property
    def hole_end(self) -> int | None:
        """Where the lowest hole ends; None where no octet waits behind one."""
        return self._ranges[1].start if len(self._ranges) > 1 else None

    @property
    def waiting_octets(self) -> int:
        """Octets that wait behind a hole."""
        return len(self._values) - len(self._ranges[0])

    @property
    def waiting_pieces(self) -> int:
        """Pieces that wait behind a hole."""
        return self._count - len(set(self._pieces[: len(self._ranges[0])]))

    @property
    def is_empty(self) -> bool:
        """No octet waits, for a hole to fill or for the rest of a message."""
        return not self._values

    @property
    def held(self) -> int:
        """What this direction counts in ``held_octets``."""
        return len(self._history) + self._captured + PIECE_COST * self._count

    def add(self, start: int, length: int, octets: bytes, piece: Piece, conflict: int) -> Fit:
        """Take the octets of a segment that are new or better (decoding 6.7).

        Parameters
        ----------
        start, length : int
            Where the segment stands, from position 0 of the stream on.
        octets : bytes
            The first ones of it, as many as were captured.
        piece : Piece
            What its pieces are made from.
        conflict : int
            Mark for pieces in which copies differ.
        """
        compared, differ = self._compare_with_history(start, octets)
        end = start + length
        octets = octets[max(0, self.cursor - start) :]
        start = max(start, self.cursor)
        if start >= end:
            return Fit(0, False, compared, differ)
        lower = bisect_left(self._ranges, start, key=_stop)
        upper = bisect_right(self._ranges, end, key=_start)
        touched = self._ranges[lower:upper]
        first = sum(map(len, self._ranges[:lower]))
        if touched:
            first += max(0, start - touched[0].start)
        runs = list(self._runs(start, end, touched, first))
        last = first + sum(count for old, count in runs if old)
        # A piece that is replaced stays where it goes on before or behind the segment.
        beside = self._pieces[first - 1 : first] + self._pieces[last : last + 1]

        values = bytearray(octets.ljust(end - start, b"\0"))
        known = bytearray(b"\1" * len(octets)).ljust(end - start, b"\0")
        pieces: list[Piece] = []
        taken: list[Piece] = []
        new = 0
        is_out_of_order = False
        index = first
        for old, count in runs:
            here = slice(len(pieces), len(pieces) + count)
            if old:
                old_values, old_known = self._values[index : index + count], self._known[index : index + count]
                index += count
                # The captured octets of a piece come first.
                both = min(old_known.count(1), known[here].count(1))
                wrong = differing(old_values[:both], values[here][:both])
                compared += both
                differ += wrong
                if wrong:
                    old.marks |= conflict
                is_better = piece.is_verified and not old.is_verified
                if not (is_better and (wrong or 0 in old_known)):
                    values[here], known[here] = old_values, old_known
                    pieces += [old] * count
                    continue
                self._count += beside.count(old) - 1
                self._part_from(last, old)
            else:
                new += count
                is_out_of_order |= start + here.start < self._ranges[-1].stop
            self._count += 1
            taken.append(piece.part())
            pieces += taken[-1:] * count
        if differ:
            for part in taken:
                part.marks |= conflict

        self._captured += known.count(1) - self._known.count(1, first, last)
        self._values[first:last], self._known[first:last], self._pieces[first:last] = values, known, pieces
        union = [range(start, end), *touched]
        self._ranges[lower:upper] = [range(min(map(_start, union)), max(map(_stop, union)))]
        return Fit(new, is_out_of_order, compared, differ)

    def peek(self, offset: int, count: int) -> bytes:
        """Octets from the cursor + `offset` on, up to `count`, up to the first that is not there or not captured."""
        stop = min(offset + count, len(self._ranges[0]))
        unknown = self._known.find(0, offset, stop)
        return bytes(self._values[offset : stop if unknown < 0 else unknown])

    @property
    def unknown(self) -> int:
        """Contiguous octets from the cursor up to the first that was captured."""
        there = len(self._ranges[0])
        found = self._known.find(1, 0, there)
        return there if found < 0 else found

    def advance(self, position: int) -> tuple[int, int]:
        """Deliver the octets before `position`; give the marks and the number of packets that hold them."""
        count = position - self.cursor
        marks = 0
        packets: set[int] = set()
        pieces = set(self._pieces[:count])
        for piece in pieces:
            marks |= piece.marks
            packets.add(piece.packet.number)
            if self.highest is None or piece.packet.number > self.highest.number:
                self.highest = piece.packet
        self._captured -= self._known.count(1, 0, count)
        self._count -= len(pieces.difference(self._pieces[count : count + 1]))
        last_unknown = self._known.rfind(0, 0, count)
        if last_unknown >= 0:
            self._history.clear()
        self._history += self._values[last_unknown + 1 : count]
        del self._history[: -self._history_limit or None]
        del self._values[:count], self._known[:count], self._pieces[:count]
        self._ranges[0] = range(position, self.end)
        return marks, len(packets)

    def jump(self) -> int:
        """Give up the lowest hole, the cursor being at its start; give the octets that are lost (decoding 7.4)."""
        lost = self._ranges[1].start - self.end
        del self._ranges[0]
        self._history.clear()
        self.highest = None
        return lost

    def forget(self) -> None:
        """Drop the history."""
        self._history.clear()

    def _compare_with_history(self, position: int, octets: bytes) -> tuple[int, int]:
        base = self.cursor - len(self._history)
        start = max(position, base)
        end = min(position + len(octets), self.cursor)
        if start >= end:
            return 0, 0
        copy = octets[start - position : end - position]
        return end - start, differing(self._history[start - base : end - base], copy)

    def _runs(self, start: int, end: int, touched: list[range], index: int) -> Iterator[tuple[Piece | None, int]]:
        # Which piece how many octets have from start to end, in order; None is a hole.  The first has the index.
        for found in touched:
            if start < found.start:
                yield None, found.start - start
            start = max(start, found.start)
            there = len(range(start, min(end, found.stop)))
            yield from ((piece, len(list(run))) for piece, run in groupby(self._pieces[index : index + there]))
            index += there
            start += there
        if start < end:
            yield None, end - start

    def _part_from(self, index: int, piece: Piece) -> None:
        # Octets of a piece from an index on become a piece of their own.
        end = bisect_left(self._pieces, True, index, key=lambda other: other is not piece)
        self._pieces[index:end] = [piece.part()] * (end - index)

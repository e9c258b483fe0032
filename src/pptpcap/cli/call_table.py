"""How ``pptpcap calls`` prints calls: every column, or what fits a line.

Knows rows of ``calls``.  Must not know options or files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from .._show import stories, words
from .._show.null import Mask, absent
from ..engine import Rows
from ..wire.status import CallKind
from .columns import Table

__all__ = ["CallTable", "Fitted", "line_width"]


def line_width() -> int | None:
    """Columns of a line: COLUMNS of the environment, else those of the terminal; None if the output is neither."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told):
        return int(told)
    if not sys.stdout.isatty():
        return None
    return os.get_terminal_size(sys.stdout.fileno()).columns


class CallTable(Table):
    """Calls with every column; a line can be of any width."""

    def __init__(self, *, identities: bool) -> None:
        self._names = (
            *("call", "start (UTC)", "lasted", "PNS", "PAC", "ids", "kind", "reached", "ended", "packets", "lost"),
            *("ack delay", "authentication", "encryption", "missing"),
            *(["names"] if identities else []),
        )
        super().__init__(self._names, right=[0, 2])

    def of(self, rows: Rows, numbers: Sequence[int]) -> Iterator[str]:
        """Lines of the next calls."""
        starts = words.instants(rows["start_time"], nanoseconds=False)
        lines = []
        for number, start, row, cells in zip(numbers, starts, rows, _cells(rows), strict=True):
            own = {
                "call": str(number),
                "start (UTC)": start,
                "lasted": stories.lasted(row),
                "ended": stories.ended(row),
            }
            lines.append([own[name] if name in own else cells[name] for name in self._names])
        yield from self.lines(lines)

    def notes(self) -> list[str]:
        """Lines below the table."""
        return []


# Columns of every line, and those for which there may be room, the most important first.
_ALWAYS = ("call", "start", "lasted", "PNS", "PAC", "reached", "ended", "by")
_MORE = ("packets", "lost", "authentication", "encryption", "missing", "ack delay", "ids", "kind")
_RIGHT = frozenset({"call", "lasted"})
_ADDRESSES = ("PNS", "PAC")
_LEAST_ADDRESS = 6
_HALF = "* half a conversation: of this call the capture has packets of one side alone"
_ASSUMED = "? PNS and PAC are assumed: nothing in the capture tells which is which"
_SHARED = "+ another call has the same id: what is counted and concluded may be of either call"


class Fitted:
    """Calls in lines of a width: columns that have no room are left out, and addresses are cut on the left.

    The first calls decide which columns there are.
    """

    def __init__(self, width: int, *, identities: bool) -> None:
        self._width = width
        # Names were asked for, so they are shown whatever the width is.
        self._names = ("names",) if identities else ()
        self._columns: tuple[str, ...] = ()
        self._widths: dict[str, int] = {}
        self._date = ""
        self._notes: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether there was no call."""
        return not self._columns

    def of(self, rows: Rows, numbers: Sequence[int]) -> Iterator[str]:
        """Lines of the next calls; where the date changes, a line with it."""
        if not len(rows):
            return
        cells = list(self._own_cells(rows, numbers))
        heads = [] if self._columns else [{name: name for name in cells[0]}]
        for name in cells[0]:
            self._widths[name] = max(self._widths.get(name, 0), *(len(row[name]) for row in (*heads, *cells)))
        self._columns = self._columns or self._fitting()
        widths = {**self._widths, **dict.fromkeys(_ADDRESSES, self._address_width())}
        dates = words.instants(rows["start_time"], nanoseconds=False)
        for row in heads:
            yield self._line(row, widths)
        for date, row in zip(dates, cells, strict=True):
            if date[:10] != self._date:
                self._date = date[:10]
                yield f"{self._date} (UTC)"
            yield self._line(row, widths)

    def notes(self) -> list[str]:
        """Lines below the table."""
        return [note for note in (_HALF, _ASSUMED, _SHARED) if note in self._notes]

    def _fitting(self) -> tuple[str, ...]:
        columns = [*_ALWAYS]
        for name in _MORE:
            if self._taken([*columns, name]) > self._width:
                break
            columns.append(name)
        return (*columns, *self._names)

    def _taken(self, columns: Sequence[str]) -> int:
        return sum(self._widths[name] for name in columns) + len(columns) - 1

    def _address_width(self) -> int:
        """What is left for an address."""
        columns = [name for name in self._columns if name not in self._names]
        widest = max(self._widths[name] for name in _ADDRESSES)
        others = self._taken(columns) - sum(self._widths[name] for name in _ADDRESSES)
        return min(widest, max(_LEAST_ADDRESS, (self._width - others) // 2))

    def _line(self, row: dict[str, str], widths: dict[str, int]) -> str:
        shown = []
        for name in self._columns:
            cell, width = row[name], widths[name]
            if len(cell) > width:
                cell = f"..{cell[2 - width :]}"
            shown.append(cell.rjust(width) if name in _RIGHT else cell.ljust(width))
        return " ".join(shown).rstrip()

    def _own_cells(self, rows: Rows, numbers: Sequence[int]) -> Iterator[dict[str, str]]:
        starts = words.instants(rows["start_time"], nanoseconds=False)
        for number, start, row, cells in zip(numbers, starts, rows, _cells(rows), strict=True):
            is_half, is_assumed, is_shared = cells["missing"] in _ADDRESSES, stories.assumed(row), stories.shared(row)
            marked = {_HALF: is_half, _ASSUMED: is_assumed, _SHARED: is_shared}
            self._notes |= {note for note, is_there in marked.items() if is_there}
            yield {
                **cells,
                "call": f"{number}{'*' if is_half else ''}{'+' if is_shared else ''}",
                "start": start[11:19] or "-",
                "lasted": stories.lasted(row, digits=1),
                "ended": stories.why(row).replace("authentication", "login"),
                "by": f"{stories.by(row) or '-'}{'?' if is_assumed else ''}",
            }


def _cells(rows: Rows) -> Iterator[dict[str, str]]:
    """What both tables show alike of each call."""
    missing = absent("calls", rows)
    for index, row in enumerate(rows):
        # Whose they are nobody knows if another call has the same id.
        doubt = "?" if stories.shared(row) else ""
        yield {
            "PNS": words.address(row["pns_address"]),
            "PAC": words.address(row["pac_address"]),
            "ids": _ids(row, missing, index),
            "kind": CallKind(int(row["kind"])).name.lower(),
            "reached": stories.reached(row),
            "packets": " + ".join(f"{int(row[f'{side}_packets']):,}" for side in ("pns", "pac")),
            "lost": " + ".join(f"{int(row[f'{side}_lost']):,}" for side in ("pns", "pac")),
            "ack delay": " + ".join(_milliseconds(row, side) for side in ("pns", "pac")),
            "authentication": f"{words.authentication(int(row['authentication']), int(row['authenticated']))}{doubt}",
            "encryption": f"{words.encryption(row)}{doubt}",
            "missing": stories.missing(row) or "-",
            "names": _names(row),
        }


def _ids(row: Any, missing: dict[str, Mask], index: int) -> str:
    names = ("pns_call_id", "pac_call_id")
    return " + ".join("-" if missing[name][index] else str(int(row[name])) for name in names)


def _names(row: Any) -> str:
    return " + ".join(words.quote(row[f"{side}_name"]) for side in ("pns", "pac") if row[f"{side}_name"])


def _milliseconds(row: Any, side: str) -> str:
    if not row[f"{side}_ack_delay_samples"]:
        return "-"
    return f"{int(row[f'{side}_ack_delay_mean_ns']) / 1e6:.1f} ms"

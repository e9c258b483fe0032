"""The files of one table: rows wait until there is a group of them, which one file takes, or one for each day or hour.

Knows formats and the folder.  Must not know other tables' files.
"""

from __future__ import annotations

import contextlib
import errno
import io
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import schema
from .._show.null import Octets, octets_known
from ..capture import Capture
from ..engine import Rows
from ..tables import Table
from .folder import Folder
from .formats import FORMATS, UNITS, Format, Partition, Writer, file_name
from .system import naming

__all__ = ["Output"]

Times: TypeAlias = np.ndarray[Any, np.dtype[np.datetime64]]
Keys: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

# Most rows and bytes of a group, so that the waiting rows of all tables stay small.
_GROUP_ROWS = 1 << 17
_GROUP_OCTETS = 8 << 20
# Files of periods that a table has open, and that it may have.  Packets in the order of their times need one open file,
# or two at midnight.
_MOST_OPEN = 4
_MOST_FILES = 10_000
# Where the time of a row is that of another: its column that points there, and that table.
_OWNERS = {"ppp_options": ("ppp", "ppp")}
_OWNER_OF_A_MESSAGE = ("message", "messages")


class _Rows(NamedTuple):
    """Some rows, what is known of their messages, and their times where files are of periods."""

    rows: Rows
    known: Octets | None
    times: Times | None
    # Numbers of the rows in the whole capture, where some were left out.
    keys: Keys | None

    def part(self, places: slice | Keys) -> _Rows:
        known = None if self.known is None else self.known[places]
        times = None if self.times is None else self.times[places]
        return _Rows(self.rows[places], known, times, None if self.keys is None else self.keys[places])


class _Open(NamedTuple):
    name: str
    writer: Writer


class Output:
    """Writes the rows of a table in groups that do not depend on the batches.

    Parameters
    ----------
    folder : Folder
        Has the files.
    table : str
        Name of the table.
    form : str
        A key of `FORMATS`.
    codes : bool
        Numbers of enumerations stay numbers.
    partition : str, optional
        A key of `UNITS`: rows go to a file for each of them, by their times.
    community_seed : int
        Seed of the column ``community_id``.

    Attributes
    ----------
    files : dict of str to int
        Rows of each file.
    """

    def __init__(
        self,
        folder: Folder,
        table: str,
        form: Format,
        codes: bool,
        partition: Partition | None,
        *,
        community_seed: int = 0,
    ) -> None:
        self.files: dict[str, int] = {}
        self._folder = folder
        self._table = table
        self._form = form
        self._how: dict[str, Any] = {"codes": codes, "community_seed": community_seed}
        self._partition = partition
        self._size = min(_GROUP_ROWS, _GROUP_OCTETS // schema.dtype(table).itemsize)
        self._waiting: list[_Rows] = []
        self._wait = 0
        # By period, those that were used last at the end.
        self._open: dict[str, _Open] = {}
        self._numbers: dict[str, int] = {}
        if partition is None:
            self._begin("")
        else:
            # That a library is missing is to be told before anything is read.
            FORMATS[form](io.BytesIO(), self._empty()).close()

    @property
    def rows(self) -> int:
        """Rows that were written."""
        return sum(self.files.values())

    def add(self, batch: Capture, places: Keys | None = None) -> None:
        """Take the rows of a batch, or those at some places."""
        rows = batch[self._table]
        times = self._times(batch) if self._partition else None
        more = _Rows(rows, octets_known(self._table, batch, batch.first_row), times, None)
        if places is not None:
            more = more.part(places)._replace(keys=batch.first_row[self._table] + places)
        while self._wait + len(more.rows) >= self._size:
            end = self._size - self._wait
            self._waiting.append(more.part(slice(end)))
            self._write()
            more = more.part(slice(end, None))
        if len(more.rows):
            # A part is copied, so that a few rows do not keep those of a batch alive.
            self._waiting.append(more if len(more.rows) == len(rows) else _joined([more]))
            self._wait += len(more.rows)

    def _times(self, batch: Capture) -> Times:
        rows, first_row = batch[self._table], batch.first_row
        if "time" in (rows.dtype.names or ()):
            times: Times = rows["time"]
        else:
            column, owner = _OWNERS.get(self._table, _OWNER_OF_A_MESSAGE)
            times = batch[owner]["time"][rows[column] - first_row[owner]]
        return times

    def _write(self) -> None:
        """Write the rows that wait."""
        rows, known, times, keys = self._waiting[0] if len(self._waiting) == 1 else _joined(self._waiting)
        self._waiting, self._wait = [], 0
        if keys is None:
            keys = np.arange(self.rows, self.rows + len(rows), dtype=np.int64)
        for period, places in self._periods(times):
            some = None if known is None else known[places]
            self._into(period, Table(self._table, rows[places], some, keys=keys[places], **self._how))

    def _periods(self, times: Times | None) -> Iterator[tuple[str, Any]]:
        """Names of periods, with the places of the rows whose times are in each; an empty name for all."""
        if times is None or self._partition is None:
            yield "", slice(None)
            return
        starts = times.astype(f"datetime64[{UNITS[self._partition]}]")
        different, indexes, counts = np.unique(starts.view(np.int64), return_inverse=True, return_counts=True)
        places = np.split(np.argsort(indexes, kind="stable"), np.cumsum(counts)[:-1])
        for start, some in zip(different.view(starts.dtype), places, strict=True):
            yield "unknown" if np.isnat(start) else str(start), some

    def _into(self, period: str, table: Table) -> None:
        one = self._open.pop(period, None) or self._begin(period)
        self._open[period] = one
        with naming(self._folder.where(one.name)):
            one.writer.write(table)
        self.files[one.name] += len(table)

    def _begin(self, period: str) -> _Open:
        """Begin a file."""
        if len(self._open) == _MOST_OPEN:
            self._folder.finish(self._end(next(iter(self._open))))
        self._numbers[period] = number = self._numbers.get(period, 0) + 1
        name = file_name(self._table, self._form, period, number)
        where = self._folder.where(name)
        if len(self.files) == _MOST_FILES:
            raise OSError(errno.EFBIG, f"would be one of more than {_MOST_FILES:,} files: take longer periods", where)
        self.files[name] = 0
        with naming(where):
            one = self._open[period] = _Open(name, FORMATS[self._form](self._folder.open(name), self._empty()))
        return one

    def _end(self, period: str) -> str:
        """Write the end of a file; its name."""
        one = self._open[period]
        with naming(self._folder.where(one.name)):
            copy = one.writer.close()
        del self._open[period]
        if copy is not None:
            old, new = self._folder.renew(one.name)
            with naming(self._folder.where(one.name)), old:
                copy(old, new)
        return one.name

    def _empty(self) -> Table:
        return Table(self._table, schema.empty(self._table), np.empty(0, np.uint16), **self._how)

    def close(self) -> None:
        """Write the rows that wait, and the ends of files."""
        if self._waiting:
            self._write()
        if not self.files:
            self._begin("unknown")
        for period in [*self._open]:
            self._end(period)

    def abandon(self) -> None:
        """Close the writers of files that are thrown away, which would do it when they are collected, and complain."""
        for one in self._open.values():
            with contextlib.suppress(Exception):
                one.writer.close()


def _joined(several: list[_Rows]) -> _Rows:
    """A copy of rows."""
    # As bytes: NumPy joins structured arrays field by field.
    rows = np.concatenate([one.rows.view(np.uint8) for one in several]).view(several[0].rows.dtype)
    known = [one.known for one in several if one.known is not None]
    times = [one.times for one in several if one.times is not None]
    keys = [one.keys for one in several if one.keys is not None]
    return _Rows(
        rows,
        np.concatenate(known) if known else None,
        np.concatenate(times) if times else None,
        np.concatenate(keys) if keys else None,
    )

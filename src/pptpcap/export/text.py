"""Writes CSV and JSON lines.

Knows both formats, and what a spreadsheet would take for a formula.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any, BinaryIO

from .._show.null import Mask
from .._show.words import escape_all_octets
from ..engine import Rows
from ..wire.model import Table
from .values import objects

__all__ = ["CsvWriter", "JsonLinesWriter"]

# A spreadsheet may run a cell that begins with one of these, even after blanks.  Other white space needs no
# care: `escape_all_octets` turns it into text that begins with a backslash.
_FORMULA = b"=+-@|"


class _TextWriter:
    """ASCII lines into a file that is not closed."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        self._table = table
        self._lines = io.TextIOWrapper(file, encoding="ascii", newline="")

    def close(self) -> None:
        """Flush."""
        self._lines.detach()


class CsvWriter(_TextWriter):
    """A line of names, then a line each row."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        super().__init__(file, table)
        self._csv = csv.writer(self._lines, lineterminator="\n")
        self._csv.writerow([column.name for column in table.columns])

    def write(self, rows: Rows, missing: dict[str, Mask]) -> None:
        """Add rows; `missing` is what `absent` says of them."""
        for row in objects(self._table, rows, missing, _no_formula):
            self._csv.writerow([_cell(value) for value in row])


class JsonLinesWriter(_TextWriter):
    """An object each row."""

    def write(self, rows: Rows, missing: dict[str, Mask]) -> None:
        """Add rows; `missing` is what `absent` says of them."""
        names = [column.name for column in self._table.columns]
        for row in objects(self._table, rows, missing):
            self._lines.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")


def _cell(value: Any) -> Any:
    if value is True or value is False:
        return "true" if value else "false"
    return value


def _no_formula(octets: bytes) -> str:
    behind = octets.lstrip(b" ")
    if not behind or behind[0] not in _FORMULA:
        return escape_all_octets(octets)
    blanks = " " * (len(octets) - len(behind))
    return f"{blanks}\\x{behind[0]:02x}{escape_all_octets(behind[1:])}"

"""Writes CSV and JSON lines.

Knows both formats, and what a spreadsheet would take for a formula.
"""

from __future__ import annotations

import json
from typing import BinaryIO

from ..tables import Table
from .formatting import write_lines

__all__ = ["CsvWriter", "JsonLinesWriter"]

# A spreadsheet may run a cell that begins with one of these, even after blanks.  Other white space is escaped already,
# and begins with a backslash.
_FORMULA = ("=", "+", "-", "@", "|")


class _TextWriter:
    """ASCII lines into a file that is not closed.

    Parameters
    ----------
    file : binary file object
        Takes the lines.
    before : list of bytes
        What stands before each cell of a line.
    """

    _null = b""
    _quote = b""
    _end = b"\n"

    def __init__(self, file: BinaryIO, before: list[bytes]) -> None:
        self._file = file
        self._before = before

    def write(self, table: Table) -> None:
        """Add rows."""
        for columns in table.vectors():
            cells = [
                (before, column.values, column.mask, self._cells(column.texts))
                for before, column in zip(self._before, columns, strict=True)
            ]
            write_lines(
                self._file.write, cells, len(columns[0].values), null=self._null, quote=self._quote, end=self._end
            )

    def _cells(self, texts: list[str] | None) -> list[bytes] | None:
        return None if texts is None else [self._cell(text).encode("ascii") for text in texts]

    def _cell(self, text: str) -> str:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is left to be written."""


class CsvWriter(_TextWriter):
    """A line of names, then a line each row.  What was not seen is an empty cell, and an empty text is quoted."""

    def __init__(self, file: BinaryIO, table: Table) -> None:
        names = table.names
        super().__init__(file, [b"", *[b","] * (len(names) - 1)])
        file.write(",".join(names).encode() + b"\n")

    def _cell(self, text: str) -> str:
        behind = text.lstrip(" ")
        if behind.startswith(_FORMULA):
            text = f"{text[: -len(behind)]}\\x{ord(behind[0]):02x}{behind[1:]}"
        if not text or "," in text or '"' in text:
            text = '"' + text.replace('"', '""') + '"'
        return text


class JsonLinesWriter(_TextWriter):
    """An object each row."""

    _null = b"null"
    _quote = b'"'
    _end = b"}\n"

    def __init__(self, file: BinaryIO, table: Table) -> None:
        marks = ["{", *[","] * (len(table.names) - 1)]
        super().__init__(file, [f'{mark}"{name}":'.encode() for mark, name in zip(marks, table.names, strict=True)])

    def _cell(self, text: str) -> str:
        return json.dumps(text)

"""The formats by name, and the names of files.

Knows the writers.  Must not know folders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO, Literal, Protocol, TypeAlias, get_args

from ..schema import EVENTS, TABLE_NAMES
from ..tables import Table
from .arrow import ArrowWriter, Copy, ParquetWriter
from .npy import NpyWriter
from .text import CsvWriter, JsonLinesWriter

__all__ = ["FORMATS", "Format", "Partition", "UNITS", "Writer", "file_name", "table_of"]

Format: TypeAlias = Literal["parquet", "arrow", "csv", "jsonl", "npy"]
Partition: TypeAlias = Literal["day", "hour"]

# What NumPy calls them.
UNITS: dict[Partition, str] = {"day": "D", "hour": "h"}


class Writer(Protocol):
    """A file of rows in some format."""

    def write(self, table: Table) -> None:
        """Add rows."""

    def close(self) -> Copy | None:
        """Write the end of the file, and leave the file open.

        What it returns copies the file to another, where the beginning has to have what was not known before the end.
        """


# Each is called with the file and a table of no rows.
FORMATS: dict[Format, Callable[[BinaryIO, Table], Writer]] = {
    "parquet": ParquetWriter,
    "arrow": ArrowWriter,
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "npy": NpyWriter,
}

_NAME = re.compile(rf"({'|'.join(TABLE_NAMES)})\.({'|'.join(get_args(Format))})", re.ASCII)
_NAME_IN_FOLDER = re.compile(
    rf"({'|'.join(EVENTS)})/(?:unknown|\d{{4}}-\d\d-\d\d(?:T\d\d)?)(?:\.[1-9]\d{{0,8}})?\.({'|'.join(get_args(Format))})",
    re.ASCII,
)


def file_name(table: str, form: str, period: str = "", number: int = 1) -> str:
    """Name of a table's file, or of one of its files of a period."""
    if not period:
        return f"{table}.{form}"
    return f"{table}/{period}.{form}" if number == 1 else f"{table}/{period}.{number}.{form}"


def table_of(name: str) -> tuple[str, str] | None:
    """Table and format of a file of this name; None where no table's file has it."""
    match = (_NAME_IN_FOLDER if "/" in name else _NAME).fullmatch(name)
    return (match[1], match[2]) if match else None

"""The ways in which rows leave, each in the form of ``subjects.Subject``: frames, text files, and what commands print.

Knows the public face of ``pptpcap``, its command, and how Polars, DuckDB, tshark and tcpdump write the same.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .answers import Answer

_TABLE = "gre"
_PROGRAMS = {
    "tcpdump": ("tcpdump", "-nn", "-v", "-r"),
    "tshark": ("tshark", "-n", "-Y", "pptp", "-r"),
}


class Frame:
    """``Scan.to_polars`` of Enhanced GRE, whole, or some columns of it lazily."""

    PROGRAM = False

    def __init__(self, *columns: str) -> None:
        import pptpcap

        self._scan: Any = pptpcap.scan
        self._columns = columns
        importlib.import_module("polars")

    def read(self, path: Path) -> Any:
        """The frame."""
        scan = self._scan(path, table=_TABLE, threads=1)
        return scan.to_polars(lazy=True).select(self._columns).collect() if self._columns else scan.to_polars()

    def answer(self, result: Any) -> Answer:
        """How many rows it has."""
        return {"gre": result.height}


class _Written:
    """Something that writes a file, whose lines are counted behind the clock."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()

    def lines(self, path: Path) -> int:
        """How many lines a file has, which is removed."""
        with path.open("rb") as file:
            found = sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))
        path.unlink()
        return found

    def file(self, name: str) -> Path:
        """A place for a file."""
        return Path(self._folder.name) / name


class Text(_Written):
    """Enhanced GRE of a capture as CSV or JSON lines: by ``pptpcap.convert``, or from a scan by another library.

    Parameters
    ----------
    who : str
        "convert", "polars" or "duckdb".
    kind : str
        "csv" or "jsonl".
    """

    PROGRAM = False

    def __init__(self, who: str, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self._write: Any = {"convert": self._convert, "polars": self._polars, "duckdb": self._duckdb}[who]
        self._pptpcap: Any = importlib.import_module("pptpcap")
        self._export: Any = importlib.import_module("pptpcap.export")
        if who != "convert":
            self._library: Any = importlib.import_module(who)

    def read(self, path: Path) -> Path:
        """The file that was written."""
        made = self.file(f"gre.{self._kind}")
        self._write(path, made)
        return made

    def answer(self, result: Path) -> Answer:
        """How many rows it has; CSV has a line of names too."""
        return {"lines": self.lines(result) - (self._kind == "csv")}

    def _convert(self, path: Path, made: Path) -> None:
        self._export.convert(path, made.parent, format=self._kind, tables=[_TABLE], only=True, overwrite=True)

    def _polars(self, path: Path, made: Path) -> None:
        frame = self._pptpcap.scan(path, table=_TABLE).to_polars()
        frame.write_csv(made) if self._kind == "csv" else frame.write_ndjson(made)

    def _duckdb(self, path: Path, made: Path) -> None:
        with self._library.connect() as connection:
            connection.register("rows", self._pptpcap.scan(path, table=_TABLE))
            how = "CSV, HEADER" if self._kind == "csv" else "JSON"
            connection.execute(f"COPY (SELECT * FROM rows) TO '{made}' (FORMAT {how})")


class Printed(_Written):
    """What a command prints of a capture, into a file: ``pptpcap``'s, tcpdump's or tshark's."""

    PROGRAM = True

    def __init__(self, *words: str) -> None:
        super().__init__()
        self._words = words

    def read(self, path: Path) -> Path:
        """What was printed."""
        made = self.file(f"printed of {path.name}")
        command = _PROGRAMS.get(self._words[0]) or (sys.executable, "-m", "pptpcap", *self._words)
        with made.open("wb") as file:
            subprocess.run([*command, str(path)], check=True, stdout=file, stderr=subprocess.DEVNULL)
        return made

    def answer(self, result: Path) -> Answer:
        """Of a line for each message, how many there are; of others, whether anything was printed."""
        lines = self.lines(result)
        return {"messages": lines} if self._words[0] == "messages" else {"is_empty": lines == 0}

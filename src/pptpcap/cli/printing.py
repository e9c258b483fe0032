"""Prints rows with chosen columns: aligned, between tabulators, or as JSON.

Must not know tables or files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from .cells import Cells, json_lines, tsv_lines
from .columns import Table

__all__ = ["Printed"]


class Printed:
    """Lines of rows on standard output.

    Parameters
    ----------
    form : str
        "table", "tsv" or "json".
    names : sequence of str
        Of the columns.
    """

    def __init__(self, form: str, names: Sequence[str]) -> None:
        self._form = form
        self._table = Table(names, right=())
        if form == "tsv":
            sys.stdout.write("\t".join(names) + "\n")

    @property
    def lines_of(self) -> Callable[[Sequence[Cells], int], list[str]]:
        """What makes the lines that `lines` takes."""
        return json_lines if self._form == "json" else tsv_lines

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines of the next rows."""
        if self._form == "table":
            lines = self._table.lines([[cell or "-" for cell in line.split("\t")] for line in lines])
        sys.stdout.writelines(line + "\n" for line in lines)

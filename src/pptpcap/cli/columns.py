"""Aligns columns of text.

Must not know what is in them, or import anything slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["Table", "aligned"]


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = (), indent: str = "  ") -> list[str]:
    """Lines with aligned columns; `right` lists the columns that are aligned on the right."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        indent
        + "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


class Table:
    """Aligned lines below titles; each group of rows is at least as wide as those before."""

    def __init__(self, titles: Sequence[str], right: Sequence[int]) -> None:
        self.is_empty = True
        self._titles = titles
        self._right = right
        self._widths = [0] * len(titles)

    def lines(self, rows: Sequence[Sequence[str]]) -> Iterator[str]:
        """Lines of the next rows."""
        if not rows:
            return
        shown = [self._titles, *rows] if self.is_empty else rows
        self.is_empty = False
        self._widths = [max(width, *map(len, cells)) for width, *cells in zip(self._widths, *shown, strict=True)]
        yield from aligned([[" " * width for width in self._widths], *shown], right=self._right, indent="")[1:]

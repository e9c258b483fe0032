"""``pptpcap schema``: prints the tables and their columns.

Must not read captures.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

from ..wire.model import Column, Table
from ..wire.tables import BY_NAME, TABLES
from .columns import aligned
from .exits import FINE

__all__ = ["schema"]


def schema(table: str | None, as_json: bool) -> int:
    """Print the tables, or the columns of one."""
    chosen = TABLES if table is None else (BY_NAME[table],)
    if as_json:
        print(json.dumps([_document(one) for one in chosen], indent=2))
    elif table is None:
        rows = [("table", "columns", "one row per")]
        rows += [(one.name, str(len(one.columns)), one.one_row_per) for one in TABLES]
        print("\n".join(aligned(rows, right=[1], indent="")))
    else:
        print("\n".join(_page(BY_NAME[table])))
    return FINE


def _dtype(column: Column) -> str:
    return column.dtype + (f" x {column.shape[0]}" if column.shape else "")


def _page(table: Table) -> list[str]:
    lines = [f"{table.name}: one row per {table.one_row_per}; order: {table.order}", ""]
    rows = [("column", "type", "unit", "meaning", "section", "tshark")]
    rows += [(c.name, _dtype(c), c.unit, c.meaning, c.section, c.tshark) for c in table.columns]
    lines += aligned(rows, indent="")
    if table.derived:
        lines += ["", "only in frames and exports:", *aligned([(c.name, c.meaning) for c in table.derived])]
    for column in table.columns:
        if column.values:
            text = ", ".join(f"{number} {word}" for number, word in column.values.items())
            lines += ["", *textwrap.wrap(f"{column.name}: {text}", 100, subsequent_indent="    ")]
    return lines


def _document(table: Table) -> dict[str, Any]:
    return {
        "table": table.name,
        "one_row_per": table.one_row_per,
        "order": table.order,
        "columns": [_described(column) for column in table.columns],
        "derived": [_described(column) for column in table.derived],
    }


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "dtype": column.dtype,
        "shape": list(column.shape),
        "unit": column.unit,
        "meaning": column.meaning,
        "section": column.section,
        "tshark": column.tshark,
        "values": {str(number): word for number, word in column.values.items()},
    }

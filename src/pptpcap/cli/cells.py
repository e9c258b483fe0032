"""Formats named cells as lines: JSON objects, or values between tabulators.

Must not know tables or files.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..export.formatting import write_lines

__all__ = ["Cells", "Values", "json_lines", "tsv_lines"]

Values: TypeAlias = np.ndarray[Any, Any]


class Cells(NamedTuple):
    """The cells of a column.

    Attributes
    ----------
    name : str
        Of the column.
    values : numpy.ndarray
        Numbers, truths or times; with `texts`, an index of one for each cell.
    missing : numpy.ndarray, optional
        Which were not seen.
    texts : list, optional
        Text that needs no more escaping, numbers, or names that go together.
    """

    name: str
    values: Values
    missing: Values | None = None
    texts: Sequence[str | int | list[str]] | None = None


def json_lines(columns: Sequence[Cells], count: int) -> list[str]:
    """An object for each row; null for what was not seen."""
    given = []
    for place, one in enumerate(columns):
        texts = None if one.texts is None else [json.dumps(text).encode() for text in one.texts]
        given.append((f'{", " if place else "{"}"{one.name}": '.encode(), one.values, one.missing, texts))
    octets = io.BytesIO()
    write_lines(octets.write, given, count, null=b"null", quote=b'"', end=b"}\n")
    return octets.getvalue().decode("ascii").splitlines()


def tsv_lines(columns: Sequence[Cells], count: int) -> list[str]:
    """Values between tabulators; nothing for what was not seen, and blanks between names that go together."""
    given = []
    for place, one in enumerate(columns):
        texts = None if one.texts is None else [_plain(text).encode() for text in one.texts]
        given.append((b"\t" if place else b"", one.values, one.missing, texts))
    octets = io.BytesIO()
    write_lines(octets.write, given, count, null=b"", quote=b"", end=b"\n")
    return octets.getvalue().decode("ascii").splitlines()


def _plain(text: str | int | list[str]) -> str:
    return " ".join(text) if isinstance(text, list) else str(text)

"""The shapes in which the wire is described: a field, a message, a column, a table.

Knows nothing of any protocol and nothing of NumPy.  Called by the other modules of this folder,
which fill these shapes, and by ``schema``, which turns them into dtypes and documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["unsigned", "text"]


@dataclass(frozen=True)
class Field:
    """One field of a control message.

    Parameters
    ----------
    name : str
        RFC name in snake_case.
    width : int
        Octets on the wire.
    kind : {"unsigned", "text"}
        Big-endian unsigned integer, or zero-padded octets.
    meaning : str
        One line for people.
    unit : str
        Unit of the number, empty where it has none.
    tshark : str
        Wireshark's name of the same field, empty where it has none.
    enumeration : str
        Name of the code list in ``enumerations`` that explains the value, empty where none does.
    length_of : str
        For a count of used octets: the text field that it counts.
    """

    name: str
    width: int
    kind: FieldKind
    meaning: str
    unit: str = ""
    tshark: str = ""
    enumeration: str = ""
    length_of: str = ""

    def __post_init__(self) -> None:
        if self.kind == "unsigned" and self.width not in (1, 2, 4):
            raise ValueError(f"{self.name}: an unsigned field has 1, 2 or 4 octets, not {self.width}")


@dataclass(frozen=True)
class Message:
    """One control message: its fixed size was counted by hand and must equal the sum of its fields.

    Raises
    ------
    ValueError
        Where the size that was typed and the size that the fields add up to differ.
    """

    code: int
    name: str
    abbreviation: str
    section: str
    size: int
    sent_by: str
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        total = sum(field.width for field in self.fields)
        if total != self.size:
            raise ValueError(f"{self.name}: fields add up to {total} octets, the RFC says {self.size}")

    def offset(self, name: str) -> int:
        """Octets from the start of the message to the field `name`."""
        position = 0
        for field in self.fields:
            if field.name == name:
                return position
            position += field.width
        raise KeyError(name)


@dataclass(frozen=True)
class Column:
    """One column of an output table; `dtype` is NumPy's string for it, `shape` () or (16,)."""

    name: str
    dtype: str
    meaning: str
    unit: str = ""
    section: str = ""
    tshark: str = ""
    shape: tuple[int, ...] = ()
    enumeration: str = ""


@dataclass(frozen=True)
class Table:
    """An output table: what one row is, and in which order rows stand."""

    name: str
    one_row_per: str
    order: str
    columns: tuple[Column, ...]
    is_entity: bool = False

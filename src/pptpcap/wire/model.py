"""The types that describe the wire: a field, a message, a column, a table.

Must not know protocols or NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from typing import Literal, TypeAlias

FieldKind = Literal["unsigned", "text"]
# Names of numbers, or of bits.
Names: TypeAlias = Mapping[int, str] | type[IntEnum] | type[IntFlag]


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

    @property
    def title(self) -> str:
        """The RFC's name: words with hyphens."""
        return "-".join(word.upper() if word == "wan" else word.capitalize() for word in self.name.split("_"))

    def offset(self, name: str) -> int:
        """Octets from the start of the message to the field `name`."""
        position = 0
        for field in self.fields:
            if field.name == name:
                return position
            position += field.width
        raise KeyError(name)


@dataclass(frozen=True)
class Zero:
    """A column has no value in rows where it is 0, or empty."""


@dataclass(frozen=True)
class Unset:
    """A column has no value in rows where none of these bits of `column` is set."""

    column: str
    bits: int = -1


@dataclass(frozen=True)
class Equal:
    """A column has no value in rows where `column` is this number."""

    column: str
    value: int


Absence: TypeAlias = Zero | Unset | Equal


@dataclass(frozen=True)
class Column:
    """One column of an output table.

    Parameters
    ----------
    name : str
        Snake case; a unit that is not in `unit` is part of it.
    dtype : str
        NumPy's string.
    meaning, unit, section, tshark : str
        One line for people; unit of the number; where the specification defines it; Wireshark's name.
    shape : tuple of int
        () or (16,).
    names : Names
        Names of its numbers, or of its bits.
    absent : tuple of Absence
        When a row has no value here, though the array has a 0: each of these is enough.  A signed number below 0 that
        points to a row of another table, and a time that is NaT, are no values either.
    made_of : tuple of str
        Of a column that no array has, the columns that it is made of.
    """

    name: str
    dtype: str
    meaning: str
    unit: str = ""
    section: str = ""
    tshark: str = ""
    shape: tuple[int, ...] = ()
    names: Names | None = None
    absent: tuple[Absence, ...] = ()
    made_of: tuple[str, ...] = ()

    def of(self, side: str, meaning: str) -> Column:
        """The same column for one side of several: its name, and those of the columns that it depends on, with a prefix."""
        absent = tuple(
            replace(one, column=f"{side}_{one.column}") if isinstance(one, Unset) else one for one in self.absent
        )
        return replace(self, name=f"{side}_{self.name}", meaning=meaning, absent=absent)

    @property
    def values(self) -> dict[int, str]:
        """Names by number or bit; empty where they have none."""
        if self.names is None:
            return {}
        if isinstance(self.names, Mapping):
            return dict(self.names)
        return {int(member): str(member.name) for member in self.names}


@dataclass(frozen=True)
class Table:
    """An output table: what one row is, and in which order rows stand; `derived` are columns of frames and exports."""

    name: str
    one_row_per: str
    order: str
    columns: tuple[Column, ...]
    is_entity: bool = False
    derived: tuple[Column, ...] = ()

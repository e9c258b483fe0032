"""What one control message says, from its octets: sizes, fields and lengths as RFC 2637 has them, typed by hand.

Written from section 7.2 of ``docs/decoding/`` and the RFC; knows no stream and imports nothing of the package.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

COOKIE = 0x1A2B3C4D
# Bits of `messages.status`.
WRONG_LENGTH, UNKNOWN_TYPE, MANAGEMENT, NUMBER_LENGTH, TEXT_TAIL = 0x02, 0x04, 0x08, 0x800, 0x1000
LONGEST_NUMBER = 64

# Fields behind the 12 octets of the header, by message type; a number is the width of a text field.
BODIES: dict[int, tuple[Any, ...]] = {
    1: ("H", "H", "I", "I", "H", "H", 64, 64),
    2: ("H", "B", "B", "I", "I", "H", "H", 64, 64),
    3: ("B", "B", "H"),
    4: ("B", "B", "H"),
    5: ("I",),
    6: ("I", "B", "B", "H"),
    7: ("H", "H", "I", "I", "I", "I", "H", "H", "H", "H", 64, 64),
    8: ("H", "H", "B", "B", "H", "I", "H", "H", "I"),
    9: ("H", "H", "I", "I", "H", "H", 64, 64, 64),
    10: ("H", "H", "B", "B", "H", "H", "H"),
    11: ("H", "H", "I", "H", "H", "I"),
    12: ("H", "H"),
    13: ("H", "B", "B", "H", "H", 128),
    14: ("H", "H", "I", "I", "I", "I", "I", "I"),
    15: ("H", "H", "I", "I"),
}
SIZES = dict(enumerate((156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24), 1))
# Where the length of a number stands, and where text fields begin and end.
NUMBER_LENGTHS = {7: (36,), 9: (24, 26)}
TEXTS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((28, 92), (92, 156)),
    2: ((28, 92), (92, 156)),
    7: ((40, 104), (104, 168)),
    9: ((28, 92), (92, 156), (156, 220)),
    13: ((20, 148),),
}


@dataclass
class Message:
    """Status bits, issues (kind, needed, had) in their order, and fields behind the header, if its type has a table."""

    status: int = 0
    issues: list[tuple[str, int, int]] = field(default_factory=list)
    fields: tuple[Any, ...] = ()

    def add(self, status: int, kind: str, needed: int, had: int) -> None:
        self.status |= status
        self.issues.append((kind, needed, had))


def plausible(header: bytes) -> bool:
    """Whether 12 octets are the header of a control message, with the length of its type."""
    if len(header) < 12:
        return False
    length, message_type, cookie, kind = struct.unpack_from(">HHIH", header)
    return bool(message_type == 1 and cookie == COOKIE and SIZES.get(kind) == length)


def read_message(octets: bytes, length: int) -> Message:
    """A message of `length` octets, of which the first ones are there, 12 at least."""
    found = Message()
    message_type, kind = struct.unpack_from(">2xH4xH", octets)
    size = SIZES.get(kind)
    if message_type != 1:
        found.add(MANAGEMENT, "MANAGEMENT", 1, message_type)
        return found
    if size is None:
        found.add(UNKNOWN_TYPE, "UNKNOWN_TYPE", 0, kind)
        return found
    if length != size:
        found.add(WRONG_LENGTH, "WRONG_LENGTH", size, length)
    for at in NUMBER_LENGTHS.get(kind, ()):
        if at + 2 <= len(octets) and (number := int.from_bytes(octets[at : at + 2], "big")) > LONGEST_NUMBER:
            found.add(NUMBER_LENGTH, "NUMBER_LENGTH", LONGEST_NUMBER, number)
    if any(any(octets[begin:stop].partition(b"\0")[2]) for begin, stop in TEXTS.get(kind, ())):
        found.status |= TEXT_TAIL
    found.fields = fields_of(kind, octets)
    return found


def fields_of(kind: int, octets: bytes) -> tuple[Any, ...]:
    """Fields of a type's table behind the header: 0 where not wholly there, text as far as it is there."""
    found: list[Any] = []
    at = 12
    for form in BODIES[kind]:
        width = form if isinstance(form, int) else struct.calcsize(form)
        part = octets[at : at + width]
        if isinstance(form, int):
            found.append(part.rstrip(b"\0"))
        else:
            found.append(int.from_bytes(part, "big") if len(part) == width else 0)
        at += width
    return tuple(found)

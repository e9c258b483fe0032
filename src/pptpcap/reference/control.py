"""Control messages: headers, plausibility, field values, faults.

Knows one message at a time.  Must not know streams.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from ..wire.control import BY_CODE, CONTROL_MESSAGE, HEADER_SIZE, MAGIC_COOKIE, MAXIMUM_LENGTH
from ..wire.model import Field, Message

_HEADER = struct.Struct(">HHIHH")
# Message type 1 and the cookie, which stand behind the length of every header that is plausible.
_MARK = struct.pack(">HI", CONTROL_MESSAGE, MAGIC_COOKIE)
_MARK_OFFSET = 2
# Length, message type and cookie.
COOKIE_END = 8


class Header(NamedTuple):
    """The 12 octets in front of every message."""

    length: int
    message_type: int
    magic_cookie: int
    control_message_type: int
    reserved0: int

    @property
    def is_control(self) -> bool:
        """Whether it is a control message, not a management message."""
        return self.message_type == CONTROL_MESSAGE


@dataclass(frozen=True, slots=True)
class _Place:
    field: Field
    start: int
    end: int
    # Octets in the text field that this number counts, 0 where it counts none.
    counted_width: int


def _places(message: Message) -> tuple[_Place, ...]:
    widths = {field.name: field.width for field in message.fields}
    starts = {field.name: message.offset(field.name) for field in message.fields}
    return tuple(
        _Place(
            field,
            starts[field.name],
            starts[field.name] + field.width,
            widths[field.length_of] if field.length_of else 0,
        )
        for field in message.fields
    )


_PLACES = {code: _places(message) for code, message in BY_CODE.items()}


def read_header(octets: bytes) -> Header:
    """The header in the first 12 octets, all of which are there."""
    return Header._make(_HEADER.unpack_from(octets))


def is_legal_length(length: int) -> bool:
    """A message in step may have this length (decoding 7.1)."""
    return HEADER_SIZE <= length <= MAXIMUM_LENGTH


def legal_length(octets: bytes) -> int:
    """Length that a header claims, 0 where its length or its cookie is not legal; 8 octets are there."""
    length, _, cookie = struct.unpack_from(">HHI", octets)
    return int(length) if cookie == MAGIC_COOKIE and is_legal_length(length) else 0


def is_plausible(octets: bytes) -> bool:
    """The first octets are a header that only a control message has (decoding 7.3)."""
    if len(octets) < HEADER_SIZE:
        return False
    header = read_header(octets)
    message = BY_CODE.get(header.control_message_type)
    return (
        header.is_control
        and header.magic_cookie == MAGIC_COOKIE
        and message is not None
        and header.length == message.size
    )


def find_plausible(octets: bytes) -> int:
    """Where the first plausible header stands, -1 where there is none."""
    mark = octets.find(_MARK, _MARK_OFFSET)
    while mark >= 0:
        start = mark - _MARK_OFFSET
        if is_plausible(octets[start : start + HEADER_SIZE]):
            return start
        mark = octets.find(_MARK, mark + 1)
    return -1


def read_fields(code: int, octets: bytes) -> dict[str, int | bytes]:
    """Value of each field of a type (decoding 7.2).

    Parameters
    ----------
    code : int
        Control message type, 1 to 15.
    octets : bytes
        The message, as far as it is there.

    Returns
    -------
    dict
        In the order of the fields: numbers, 0 where one is not wholly there; text, as far as it is there.
    """
    values: dict[str, int | bytes] = {}
    for place in _PLACES[code]:
        value = octets[place.start : place.end]
        if place.field.kind == "text":
            values[place.field.name] = value
        else:
            values[place.field.name] = int.from_bytes(value, "big") if place.end <= len(octets) else 0
    return values


def number_lengths(code: int, octets: bytes) -> list[tuple[int, int]]:
    """Width and claimed length of each number that claims more than its field holds (decoding 7.2)."""
    found: list[tuple[int, int]] = []
    for place in _PLACES[code]:
        if place.counted_width and place.end <= len(octets):
            length = int.from_bytes(octets[place.start : place.end], "big")
            if length > place.counted_width:
                found.append((place.counted_width, length))
    return found


def has_text_tail(code: int, octets: bytes) -> bool:
    """Octets other than zero stand behind the first zero of a text field (decoding 7.2)."""
    for place in _PLACES[code]:
        if place.field.kind == "text":
            _, _, tail = octets[place.start : place.end].partition(b"\0")
            if tail.strip(b"\0"):
                return True
    return False

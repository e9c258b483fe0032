"""Escapes text that others chose: fields from the wire, names of files, arguments.

Needs the standard library alone, so that a command that only prints a word on usage imports nothing more.
"""

from __future__ import annotations

__all__ = ["escape", "escape_all_octets", "escape_octets", "plain", "quote"]


def escape(text: str) -> str:
    r"""Escape the backslash and what does not print as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    Controls, format and direction marks, line separators and lone surrogates do not print.  An octet of a file name
    that is no text in the file system's encoding is ``\xNN``.
    """
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    number = ord(character)
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def escape_octets(octets: bytes) -> str:
    r"""The text of a field up to its first zero: printable ASCII unchanged, backslash doubled, else ``\xNN``."""
    return escape_all_octets(octets.partition(b"\0")[0])


def escape_all_octets(octets: bytes) -> str:
    r"""Escape bytes reversibly: printable ASCII unchanged, backslash doubled, else ``\xNN``."""
    return "".join(
        "\\\\" if octet == 0x5C else chr(octet) if 0x20 <= octet < 0x7F else f"\\x{octet:02x}" for octet in octets
    )


def plain(octets: bytes) -> bool:
    """Whether a text field is printable ASCII with zeros after it."""
    return all(0x20 <= octet < 0x7F for octet in octets.rstrip(b"\0"))


def quote(octets: bytes) -> str:
    """A text field between quotation marks, escaped."""
    return '"' + escape_octets(octets).replace('"', '\\"') + '"'

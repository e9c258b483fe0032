"""Zip archives made octet by octet: local headers, data, descriptors, the directory and its end.

Knows the format from its specification and nothing of the package.  Whatever a header says can be something else than
the truth.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

STORED, DEFLATED = 0, 8
IN_EXTRA = 0xFFFFFFFF


def deflated(octets: bytes, level: int = 6) -> bytes:
    return zlib.compress(octets, level, wbits=-15)


@dataclass
class Member:
    """A file of an archive; None stands for the truth.

    `behind` has the check and the sizes behind the data: with a signature or without, of 4 octets or 8; `wide` has the
    sizes in an extra field.
    """

    name: bytes
    content: bytes
    method: int = DEFLATED
    flags: int = 0
    behind: str = ""
    wide: bool = False
    crc: int | None = None
    size: int | None = None
    compressed: int | None = None
    raw: bytes | None = None
    offset: int | None = None

    @property
    def data(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return self.content if self.method == STORED else deflated(self.content)

    @property
    def said(self) -> tuple[int, int, int]:
        """CRC, compressed size and size."""
        return (
            zlib.crc32(self.content) if self.crc is None else self.crc,
            len(self.data) if self.compressed is None else self.compressed,
            len(self.content) if self.size is None else self.size,
        )

    def local(self) -> bytes:
        crc, compressed, size = (0, 0, 0) if self.behind else self.said
        extra = struct.pack("<HHQQ", 1, 16, size, compressed) if self.wide else b""
        if self.wide:
            compressed = size = IN_EXTRA
        flags = self.flags | (8 if self.behind else 0)
        head = struct.pack(
            "<4sHHHHHIIIHH",
            b"PK\3\4", 20, flags, self.method, 0x99A5, 0x5D7C, crc, compressed, size, len(self.name), len(extra),
        )  # fmt: skip
        return head + self.name + extra + self.data + self.descriptor()

    def descriptor(self) -> bytes:
        if not self.behind:
            return b""
        signature = b"PK\7\x08" if "signed" in self.behind else b""
        return signature + struct.pack("<IQQ" if "8" in self.behind else "<III", *self.said)

    def entry(self, offset: int) -> bytes:
        crc, compressed, size = self.said
        offset = offset if self.offset is None else self.offset
        extra = struct.pack("<HHHHQQQ", 0x7875, 0, 1, 24, size, compressed, offset) if self.wide else b""
        if self.wide:
            compressed = size = offset = IN_EXTRA
        flags = self.flags | (8 if self.behind else 0)
        return struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            b"PK\1\2", 0x031E, 20, flags, self.method, 0x99A5, 0x5D7C, crc, compressed, size,
            len(self.name), len(extra), 3, 0, 0, 0, offset,
        ) + self.name + extra + b"why"  # fmt: skip


def archive(*members: Member, wide: bool = False, comment: bytes = b"", front: bytes = b"") -> bytes:
    """All members, the directory and its end."""
    body, entries = front, b""
    for member in members:
        entries += member.entry(len(body) - len(front))
        body += member.local()
    offset, count = len(body) - len(front), len(members)
    end = b""
    said = (count, count, len(entries), offset)
    if wide:
        end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, *said)
        end += struct.pack("<4sIQI", b"PK\6\7", 0, offset + len(entries), 1)
        said = (0xFFFF, 0xFFFF, IN_EXTRA, IN_EXTRA)
    end += struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, *said, len(comment))
    return body + entries + end + comment

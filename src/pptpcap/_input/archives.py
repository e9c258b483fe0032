"""Finds the files in a zip archive and inflates one after the other.

Knows the format of zip.  Names of members are shown to people and never opened as paths.  Must not know captures.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from ..errors import CaptureError
from ..wire.container import READABLE, ZIP_LOCAL
from ..wire.limits import ZIP_MEMBERS
from .codecs import DamageError, inflated
from .streams import Input, Pieces

__all__ = ["is_archive", "members"]

_LOCAL_SIZE = 30
_ENTRY, _ENTRY_SIZE = b"PK\x01\x02", 46
_DESCRIPTOR = b"PK\x07\x08"
_END, _END_SIZE = b"PK\x05\x06", 22
_END_64, _END_64_SIZE = b"PK\x06\x06", 56
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
# What may stand behind a member: another, the directory, or one of its signatures.
_BEHIND = (ZIP_LOCAL, _ENTRY, _END, _END_64, b"PK\x06\x08")
# The end record has a comment of at most so many octets behind it.
_COMMENT = 0xFFFF
# Octets of the directory that are read at once; no entry is longer.
_CHUNK = 256 << 10
_ENCRYPTED, _SIZES_BEHIND, _UTF_8 = 0x0001, 0x0008, 0x0800
_STORED, _DEFLATED = 0, 8
_IN_EXTRA, _EXTRA_64 = 0xFFFFFFFF, 1
_LONGEST_NAME = 255


def is_archive(head: bytes) -> bool:
    """Whether a file that begins with these octets is a zip archive with a member."""
    return head[:4] == ZIP_LOCAL


class _Header(NamedTuple):
    """What the archive says of a member."""

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    is_left_out: bool


class Member(Pieces):
    """The octets of one file in an archive, as an input.

    Parameters
    ----------
    archive : Input
        It stands where the data of the member begin.
    header : _Header
        What the archive says of it.
    is_open : int
        Not 0 where the header does not know the sizes, because they stand behind the data.
    """

    compression = "zip"

    def __init__(self, archive: Input, header: _Header, *, is_open: int = 0) -> None:
        super().__init__(f"{archive.path}/{header.name}", self._content())
        self.prompt = archive.prompt
        self._archive = archive
        self._header = header
        self._is_open = is_open
        self._start = archive.position
        self._raw = archive if is_open else _Part(archive, header.compressed)

    @property
    def taken(self) -> int:
        """Octets of the archive that the member took."""
        return self._raw.position - (self._start if self._is_open else 0)

    def check(self) -> None:
        """Raise CaptureError if the archive shrank."""
        self._archive.check()

    def finish(self) -> bool:
        """Step over what was not read; False where that shows the end of the member to be lost."""
        if self._is_open:
            self.drain()
        else:
            for _ in iter(partial(self._raw.some, _CHUNK), b""):
                pass
        return not (self._is_open and self.damage)

    def _content(self) -> Iterator[bytes]:
        """What is inflated, checked against what the archive says."""
        header, raw = self._header, self._raw
        crc = size = 0
        for piece in inflated(raw, "zip") if header.method == _DEFLATED else iter(partial(raw.some, _CHUNK), b""):
            if size + len(piece) > header.size and not self._is_open:
                yield piece[: header.size - size]
                raise DamageError("corrupt zip data (more octets than the member has)")
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            yield piece
        if self._is_open:
            if not _take_descriptor(raw, crc, self.taken, size):
                raise DamageError("corrupt zip data (incorrect data check)")
        elif self.taken < header.compressed and not raw.peek(1):
            raise DamageError("zip data that are cut")
        elif (crc, self.taken, size) != (header.crc, header.compressed, header.size):
            raise DamageError("corrupt zip data (incorrect data check)")


class _Part(Input):
    """So many octets of another input, from where it stands."""

    def __init__(self, octets: Input, size: int) -> None:
        super().__init__()
        self.path = octets.path
        self._octets = octets
        self._left = size

    def _read(self, size: int) -> bytes:
        part = self._octets.some(min(size, self._left)) if self._left else b""
        self._left -= len(part)
        return part


def members(archive: Input) -> Iterator[Pieces]:
    """The files in an archive, each good until the next is asked for.

    Parameters
    ----------
    archive : Input
        Where it can be begun again and has a directory, that says what the archive holds; else the headers in front of
        the members do.

    Yields
    ------
    Pieces
        The content of a file.  Where the archive is cut or corrupt between files, the last one has nothing but damage.

    Raises
    ------
    CaptureError
        Where a file is encrypted, compressed in another way or cannot be delimited, or the archive has too many.
    """
    directory = _directory(archive) if archive.again else None
    number = -1
    for number, member in enumerate(_in_order(archive) if directory is None else _by_directory(archive, *directory)):
        if number == ZIP_MEMBERS:
            raise _refusal(archive, archive.position, f"a zip archive of more than {ZIP_MEMBERS:,} files")
        yield member
    if number < 0:
        raise CaptureError(archive.path, 0, "a zip archive without a file", READABLE)


def _in_order(archive: Input) -> Iterator[Pieces]:
    """The files as they stand in the archive."""
    if archive.again:
        archive.begin_again()
    is_told = False
    while (start := archive.peek(4)) == ZIP_LOCAL:
        place = archive.position
        header = _local_header(archive)
        if header is None:
            yield _broken(archive.path, "zip data that are cut")
            return
        # What is left out and stored is empty.
        is_open = header.flags & _SIZES_BEHIND and (header.method != _STORED or not header.is_left_out)
        _require_readable(archive, place, header, is_open=is_open)
        member = Member(archive, header, is_open=is_open)
        if not header.is_left_out:
            yield member
        is_told = member.is_told
        if not member.finish():
            if not is_told:
                yield _broken(member.path, member.damage)
            return
        if header.flags & _SIZES_BEHIND and not is_open:
            _take_descriptor(archive, 0, 0, 0)
    if start not in _BEHIND and not is_told:
        yield _broken(
            archive.path, "zip data that are cut" if len(start) < 4 else "octets behind zip data that are none"
        )
    # A writer that is not heard to the end would complain.
    while archive.some(_CHUNK):
        pass


def _by_directory(archive: Input, place: int, stop: int, before: int) -> Iterator[Pieces]:
    """The files that the directory names, in its order; it lies between `place` and `stop`.

    All offsets in the archive count from `before`.
    """
    chunk = b""
    left = archive.size
    while place < stop:
        entry = _entry(chunk)
        if entry is None:
            archive.begin_at(place)
            chunk = archive.take(min(_CHUNK, stop - place))
            entry = _entry(chunk)
        if entry is None:
            yield _apart(archive, partial(_lost, archive.path, "corrupt zip data (no entry of a directory)"))
            return
        header, offset, size = entry
        place, chunk = place + size, chunk[size:]
        if header.is_left_out:
            continue
        _require_readable(archive, place - size, header, is_open=0)
        # Members that overlap would make an archive hold far more than deflate can.
        left -= _LOCAL_SIZE + header.compressed
        archive.begin_at(min(before + offset, archive.size))
        if left < 0 or archive.peek(4) != ZIP_LOCAL or _local_header(archive) is None:
            damage = "corrupt zip data (no member where the directory says)"
            yield _apart(archive, partial(_lost, f"{archive.path}/{header.name}", damage))
            continue
        yield _apart(archive, partial(_stored, header, archive.position))


def _apart(archive: Input, found: Callable[[Input], Pieces]) -> Pieces:
    """A file that the directory names, which can be found again without those in front of it."""
    file = found(archive)
    file.found_again = found
    return file


def _stored(header: _Header, start: int, archive: Input) -> Pieces:
    archive.begin_at(start)
    return Member(archive, header)


def _lost(path: str, damage: str, _: Input) -> Pieces:
    return _broken(path, damage)


def _directory(archive: Input) -> tuple[int, int, int] | None:
    """Where the directory begins and ends, and how much stands in front of the archive; None where there is none."""
    tail_at = max(0, archive.size - _END_SIZE - _COMMENT)
    archive.begin_at(tail_at)
    tail = archive.take(_END_SIZE + _COMMENT)
    places = [found.start() for found in re.finditer(_END, tail) if found.start() + _END_SIZE <= len(tail)]
    if not places:
        return None
    # A comment may look like an end, and octets may stand behind the archive.
    exact = [place for place in places if place + _END_SIZE + _number(tail, place + 20, 2) == len(tail)]
    at = (exact or places)[-1]
    end, size, offset = tail_at + at, _number(tail, at + 12, 4), _number(tail, at + 16, 4)
    stop = end
    archive.begin_at(max(0, end - _LOCATOR_SIZE - _END_64_SIZE))
    wide = archive.take(_END_64_SIZE + _LOCATOR_SIZE)
    if wide[:4] == _END_64 and wide[_END_64_SIZE:].startswith(_LOCATOR):
        stop, size, offset = end - len(wide), _number(wide, 40, 8), _number(wide, 48, 8)
    before = stop - size - offset
    return (stop - size, stop, before) if before >= 0 else None


def _entry(chunk: bytes) -> tuple[_Header, int, int] | None:
    """An entry of the directory, the offset of its member and its own size; None where it is not whole or none."""
    if len(chunk) < _ENTRY_SIZE or not chunk.startswith(_ENTRY):
        return None
    name_at, extra_at = _ENTRY_SIZE, _ENTRY_SIZE + _number(chunk, 28, 2)
    comment_at = extra_at + _number(chunk, 30, 2)
    end = comment_at + _number(chunk, 32, 2)
    if len(chunk) < end:
        return None
    said = _number(chunk, 24, 4), _number(chunk, 20, 4), _number(chunk, 42, 4)
    size, compressed, offset = _widened(said, chunk[extra_at:comment_at])
    return _header(chunk[8:], chunk[name_at:extra_at], compressed, size), offset, end


def _local_header(archive: Input) -> _Header | None:
    """Take the header in front of a member; None where it is cut."""
    head = archive.take(_LOCAL_SIZE)
    if len(head) < _LOCAL_SIZE:
        return None
    name_size, extra_size = _number(head, 26, 2), _number(head, 28, 2)
    name, extra = archive.take(name_size), archive.take(extra_size)
    if len(name) + len(extra) < name_size + extra_size:
        return None
    size, compressed = _widened((_number(head, 22, 4), _number(head, 18, 4)), extra)
    return _header(head[6:], name, compressed, size)


def _header(common: bytes, name: bytes, compressed: int, size: int) -> _Header:
    """What a header says; both kinds have the same fields from the flags on."""
    flags, method, crc = _number(common, 0, 2), _number(common, 2, 2), _number(common, 8, 4)
    is_left_out = name.endswith(b"/") or name.startswith(b"__MACOSX/")
    return _Header(_name(name, flags), flags, method, crc, compressed, size, is_left_out)


def _require_readable(archive: Input, place: int, header: _Header, *, is_open: int) -> None:
    """Refuse a member that cannot be read."""
    if header.is_left_out and not is_open:
        return
    if header.flags & _ENCRYPTED:
        raise _refusal(archive, place, f"an encrypted file in a zip archive, {header.name!r}")
    if header.method not in (_STORED, _DEFLATED):
        raise _refusal(archive, place, f"a zip member of compression method {header.method}, {header.name!r}")
    if is_open and header.method == _STORED:
        raise _refusal(archive, place, f"a zip member that only the directory delimits, {header.name!r}, in a stream")


def _refusal(archive: Input, place: int, found: str) -> CaptureError:
    return CaptureError(
        archive.path,
        place,
        found,
        "files that are stored or deflated and not encrypted, as zip writes them unless told otherwise",
    )


def _broken(path: str, damage: str) -> Pieces:
    """A file that has nothing but damage."""

    def content() -> Iterator[bytes]:
        yield from ()
        raise DamageError(damage)

    return Pieces(path, content())


def _take_descriptor(octets: Input, crc: int, *sizes: int) -> bool:
    """Take the check and the sizes behind a member; False where they are not these."""
    for layout in ("<III", "<IQQ"):
        values = struct.pack(layout, crc, *(size & (1 << 8 * struct.calcsize(layout[-1])) - 1 for size in sizes))
        for descriptor in (_DESCRIPTOR + values, values):
            # An archive goes on behind it: that tells the widths apart where the sizes are 0.
            found = octets.peek(len(descriptor) + 4)
            behind = found[len(descriptor) :]
            if found.startswith(descriptor) and (behind in _BEHIND or len(behind) < 4):
                octets.take(len(descriptor))
                return True
    return False


def _widened(said: tuple[int, ...], extra: bytes) -> list[int]:
    """The numbers of a header, those that do not fit from its extra field."""
    wide: list[int] = []
    while len(extra) >= 4:
        end = 4 + _number(extra, 2, 2)
        if _number(extra, 0, 2) == _EXTRA_64:
            wide = [_number(extra, at, 8) for at in range(4, min(end, len(extra)) - 7, 8)]
        extra = extra[end:]
    return [wide.pop(0) if number == _IN_EXTRA and wide else number for number in said]


def _name(octets: bytes, flags: int) -> str:
    """A name for people: short, and without characters that would do something to a terminal."""
    name = octets[:_LONGEST_NAME].decode("utf-8" if flags & _UTF_8 else "cp437", "replace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def _number(octets: bytes, offset: int, width: int) -> int:
    return int.from_bytes(octets[offset : offset + width], "little")

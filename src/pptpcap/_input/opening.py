"""Finds and opens what the user named: paths, patterns, pipes, file objects, bytes in memory, files in archives.

Knows kinds of files and the best way to read each.  Must not know what their bytes mean.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple, TypeAlias

from ..errors import CaptureError
from ..wire.container import READABLE
from .archives import is_archive, members
from .fill import MAGIC_SIZE, Decompressed, Plain, name_of
from .identify import HEAD_SIZE
from .options import Options
from .rewriting import rewritten
from .streams import FileInput, Input, MemoryInput, Pieces, Readable, StreamInput
from .views import Map, Octets, View, Window

__all__ = [
    "Input",
    "Item",
    "Pieces",
    "Source",
    "Stored",
    "View",
    "items",
    "natural",
    "open_regular",
    "opened",
    "total_size",
    "unpacked",
]

_COMPRESSED = re.compile(r"\.(?:gz|zst|lz4|xz|bz2)\Z")

Item: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Readable
Source: TypeAlias = Item | Iterable[Item]


class Stored(NamedTuple):
    """A file in an archive, to be read apart from the others there."""

    archive: Item
    found_again: Callable[[Input], Pieces]


_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def items(source: Source) -> list[Item]:
    """The files that a source names, in the order in which they are read.

    Parameters
    ----------
    source : path, bytes-like, binary file object, or iterable of these
        A string with the marks ``*``, ``?`` or ``[`` that names no file as it stands is a pattern; the files that it
        matches stand in `natural` order.

    Raises
    ------
    FileNotFoundError
        Where a pattern matches nothing.
    TypeError
        Where something is none of these.
    ValueError
        Where the iterable is empty.
    """
    if _is_item(source):
        return _expanded(source)
    if not isinstance(source, Iterable):
        raise TypeError(
            f"a capture is a path, bytes, a binary file object, or several of these, not {type(source).__name__}"
        )
    several: list[Item] = []
    for item in source:
        if not _is_item(item):
            raise TypeError(f"a capture file is a path, bytes or a binary file object, not {type(item).__name__}")
        several += _expanded(item)
    if not several:
        raise ValueError("no files were given")
    return several


def _is_item(thing: Any) -> bool:
    return isinstance(thing, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(thing, "read")


def _expanded(item: Any) -> list[Item]:
    if not isinstance(item, str) or not glob.has_magic(item) or os.path.lexists(item):
        return [item]
    found = sorted(glob.glob(item, recursive=True), key=natural)
    if not found:
        raise FileNotFoundError(errno.ENOENT, "no file matches the pattern", item)
    return list(found)


def natural(path: str) -> tuple[list[list[str | int]], str]:
    """A key for sorting: numbers in names compare as numbers, and the suffix of a compressed file does not count.

    Examples
    --------
    >>> from pptpcap._input.opening import natural
    >>> sorted(["vpn.pcap10.gz", "vpn.pcap2.gz", "vpn.pcap.gz"], key=natural)
    ['vpn.pcap.gz', 'vpn.pcap2.gz', 'vpn.pcap10.gz']
    """
    names = _COMPRESSED.sub("", path).split(os.sep)
    return [_parts(name) for name in names], path


def _parts(name: str) -> list[str | int]:
    """Text and numbers in turns, so that like is compared with like."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split("([0-9]+)", name))]


def total_size(several: list[Item]) -> int | None:
    """Octets in all files together as they lie, None where that cannot be known beforehand."""
    total = 0
    for item in several:
        if isinstance(item, bytes | bytearray | memoryview):
            total += memoryview(item).nbytes
        elif isinstance(item, str | os.PathLike):
            try:
                status = os.stat(item)
            except OSError:
                return None
            if not stat.S_ISREG(status.st_mode):
                return None
            total += status.st_size
        else:
            return None
    return total


def unpacked(item: Item | Stored) -> Generator[Item | Input, None, None]:
    """The files in an item: those of a zip archive, else the item itself, or an input that has begun to read it.

    Parameters
    ----------
    item : path, bytes-like, binary file object or Stored
        What names no regular file and no pipe is given back; `opened` refuses it.

    Yields
    ------
    item or Input
        Each is for `opened`, and of an archive it is `Pieces`, good until the next is asked for.

    Raises
    ------
    CaptureError
        Where the archive has files that cannot be read.
    OSError
        Where the system does not let the item be read.
    """
    if isinstance(item, Stored):
        octets = _looked_into(item.archive)
        assert octets is not None
        with closing(octets):
            yield item.found_again(octets)
        return
    octets = _looked_into(item)
    if octets is not None:
        with closing(octets):
            if is_archive(octets.peek(MAGIC_SIZE)):
                yield from members(octets)
                return
            if not isinstance(octets, FileInput | MemoryInput):
                yield octets
                return
    yield item


def _looked_into(item: Item) -> Input | None:
    """An input for what may be an archive."""
    if isinstance(item, bytes | bytearray | memoryview):
        return MemoryInput(memoryview(item).cast("B"))
    if not isinstance(item, str | os.PathLike):
        return StreamInput(item)
    path = os.fsdecode(item)
    # Asked before opening: to open a device may do something to it.
    mode = os.stat(path).st_mode
    if stat.S_ISFIFO(mode):
        return StreamInput(io.FileIO(path, opener=_open_pipe), path)
    return FileInput(path, open_regular(path)) if stat.S_ISREG(mode) else None


@contextmanager
def opened(item: Item | Input, options: Options, *, live: bool = False) -> Iterator[View]:
    """One file, open for as long as the context lasts.

    Parameters
    ----------
    item : path, bytes-like, binary file object or input
        A named pipe comes as the input that `unpacked` gives.  Of what is compressed, the octets that it holds are
        shown; of what is rewritten, those of the pcap or pcapng file that it becomes.
    options : Options
        How a regular file is read, how many threads decompress it, how large the window of a zstd frame may be.
    live : bool
        Of an input that waits for a writer, show what has come.  What is rewritten has to fill its window first.

    Raises
    ------
    CaptureError
        Where the path names a directory, a socket or a device, or compressed data hold no octet or compressed data.
        What gives the view's octets raises it too, where a zstd frame needs a larger window.
    ImportError
        Where the library for compressed data is missing.
    OSError
        Where the system does not let it be read.
    """
    if isinstance(item, Input):
        view = _of_input(item, options, live=live)
    elif isinstance(item, bytes | bytearray | memoryview):
        view = _of_octets(item, options)
    elif isinstance(item, str | os.PathLike):
        view = _of_path(os.fsdecode(item), options)
    else:
        view = _of_input(StreamInput(item), options, live=live)
    try:
        view = rewritten(view, options.caps.captured_length)
        yield view
    finally:
        view.close()


def _of_octets(item: bytes | bytearray | memoryview, options: Options) -> View:
    octets = item if isinstance(item, bytes) else memoryview(item).cast("B")
    if name_of(bytes(octets[:MAGIC_SIZE])):
        return _of_input(MemoryInput(octets), options)
    return Octets(octets)


def _of_path(path: str, options: Options) -> View:
    descriptor = open_regular(path)
    try:
        if options.io == "mmap" and not name_of(os.pread(descriptor, MAGIC_SIZE, 0)):
            return Map(path, descriptor)
        octets = FileInput(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return _of_input(octets, options)


def open_regular(path: str) -> int:
    """Open a regular file, and nothing else; give the descriptor.

    Raises
    ------
    CaptureError
        Where the path names something else.
    OSError
        Where the system does not let it be read.
    """
    # Asked before opening: to open a device may do something to it.
    _require_regular(path, os.stat(path).st_mode)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open_pipe(path: str, flags: int) -> int:
    """Open a named pipe; its writer is waited for where it is read, which hears signals.

    Elsewhere than on Linux, a pipe that had no writer yet looks like one whose writer has closed it.
    """
    if sys.platform != "linux":
        return os.open(path, flags)
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor


def _require_regular(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise CaptureError(path, 0, _KINDS.get(stat.S_IFMT(mode), "no regular file"), READABLE)


def _of_input(octets: Input, options: Options, *, live: bool = False) -> View:
    flow: Plain | Input = octets
    try:
        name = name_of(octets.peek(MAGIC_SIZE))
        flow = Decompressed(octets, options.scanners, options.window, live=live) if name else Plain(octets, live=live)
        view = Window(flow)
        # It is recognised by octets that may come one by one.
        while len(view.data) < HEAD_SIZE and not view.final:
            view.advance(view.position)
        view.compression = " in ".join(filter(None, (name, octets.compression)))
        view.remarks = octets.remarks
        _require_capture(view)
    except BaseException:
        flow.close()
        raise
    return view


def _require_capture(view: View) -> None:
    """Refuse compressed data that hold compressed data, and what is damaged from its first octet on."""
    inner = name_of(bytes(view.data[:MAGIC_SIZE]))
    if inner:
        raise CaptureError(view.path, 0, f"{inner} data inside {view.compression} data", READABLE)
    if view.damage and not len(view.data):
        raise CaptureError(view.path, 0, view.damage, READABLE)

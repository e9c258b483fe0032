"""Puts whole files in the order of their first packets (decoding 1.11).

Knows the interface of an engine.  Must not know what a packet holds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing

from .._input.identify import HEAD_SIZE, identify
from .._input.opening import Item, Pieces, Stored, View, opened, unpacked
from .._input.options import Options
from ..engine import Engine
from ..errors import CaptureError
from ..wire.container import Container

__all__ = ["in_time", "require_files"]

# Octets of a file that are searched for a packet with a time.
_SEARCHED = 1 << 20


def require_files(several: list[Item]) -> None:
    """ValueError where something of several cannot be read twice, as the search for its first packet needs."""
    if len(several) > 1 and any(map(_is_stream, several)):
        raise ValueError("only files and bytes can be sorted by time, since they are read twice")


def _is_stream(item: Item) -> bool:
    if isinstance(item, str | os.PathLike):
        # What is missing, or a folder, is told where it is opened.
        return os.path.exists(item) and stat.S_ISFIFO(os.stat(item).st_mode)
    return not isinstance(item, bytes | bytearray | memoryview)


def in_time(several: list[Item], engine: Engine, options: Options) -> list[Item | Stored]:
    """The files by the time of their first packet that has one; those without at the end."""
    timed = [found for item in several for found in _timed(item, engine, options)]
    timed.sort(key=lambda found: (found[0] is None, found[0] or 0))
    return [file for _, file in timed]


def _timed(item: Item, engine: Engine, options: Options) -> Iterator[tuple[int | None, Item | Stored]]:
    """An item with its first time, or each file in it; it stays whole where these cannot be found again one by one.

    So does an archive without a capture, which is refused as a whole, and one stream alone.
    """
    if _is_stream(item):
        yield None, item
        return
    times: list[int | None] = []
    apart: list[Stored] = []
    captures = 0
    with closing(unpacked(item)) as files:
        for file in files:
            if isinstance(file, Pieces) and file.found_again is not None:
                apart.append(Stored(item, file.found_again))
            time = None
            with ExitStack() as held:
                try:
                    view = held.enter_context(opened(file, options))
                    container = identify(bytes(view.data[:HEAD_SIZE]), len(view.data), view.path)
                except CaptureError:
                    if not isinstance(file, Pieces):
                        raise
                else:
                    captures += 1
                    time = _first_time(view, container, engine, options)
            times.append(time)
    if captures and apart:
        yield from zip(times, apart, strict=True)
    else:
        yield next((time for time in times if time is not None), None), item


def _first_time(view: View, container: Container, engine: Engine, options: Options) -> int | None:
    assembler = engine.Assembler(options.ports, options.caps)
    view.position = container.first_record
    while view.left() and view.origin + view.position < _SEARCHED:
        scan = engine.scan_range(
            view.data,
            view.position,
            min(len(view.data), _SEARCHED - view.origin),
            container,
            options.ports,
            options.caps,
            origin=view.origin,
            final=view.final,
            most_records=1,
            salvage=options.salvage,
        )
        assembler.feed(scan)
        container, end, damaged = scan.container, scan.end, scan.damaged
        # It may refer to the data, which then cannot be released.
        del scan
        view.check()
        if assembler.earliest is not None or (damaged and not options.salvage):
            break
        view.advance(end)
    return assembler.earliest

"""Puts whole files in the order of their first packets (decoding 1.11).

Knows the interface of an engine.  Must not know what a packet holds.
"""

from __future__ import annotations

import os
import stat

from .._input.identify import HEAD_SIZE, identify
from .._input.opening import Item, opened
from .._input.options import Options
from ..engine import Engine

__all__ = ["in_time", "require_files"]

# Octets of a file that are searched for a packet with a time.
_SEARCHED = 1 << 20


def require_files(several: list[Item]) -> None:
    """ValueError where something cannot be read twice, as the search for its first packet needs."""
    for item in several:
        if isinstance(item, str | os.PathLike):
            # What is missing, or a folder, is told where it is opened.
            once = os.path.exists(item) and stat.S_ISFIFO(os.stat(item).st_mode)
        else:
            once = not isinstance(item, bytes | bytearray | memoryview)
        if once:
            raise ValueError("only files and bytes can be sorted by time, since they are read twice")


def in_time(several: list[Item], engine: Engine, options: Options) -> list[Item]:
    """The files by the time of their first packet that has one; those without at the end."""
    times = [_first_time(item, engine, options) for item in several]
    order = sorted(range(len(several)), key=lambda index: (times[index] is None, times[index] or 0))
    return [several[index] for index in order]


def _first_time(item: Item, engine: Engine, options: Options) -> int | None:
    assembler = engine.Assembler(options.ports, options.caps)
    with opened(item, options) as view:
        container = identify(bytes(view.data[:HEAD_SIZE]), len(view.data), view.path)
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

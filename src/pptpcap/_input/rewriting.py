"""Shows files of other formats as the pcap or pcapng file that they are rewritten to, a piece at a time.

Knows which formats are rewritten, and views.  Must not know their records.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from functools import partial

from . import netmon, snoop
from .fill import Plain
from .streams import DamageError, Input, Pieces
from .views import Remark, View, Window

__all__ = ["rewritten"]

_HEAD = 8
_CHUNK = 256 << 10


def rewritten(view: View, most: int) -> View:
    """What the engines see of a file.

    Parameters
    ----------
    view : View
        The file; it is closed with the view that is returned.
    most : int
        Captured octets of a record, at most.

    Returns
    -------
    View
        The same, or where the file is of a format that is rewritten, a window on what it becomes.

    Raises
    ------
    CaptureError
        Where the header of such a file is cut, or says what is not read.
    OSError
        Where there is no room for a file that cannot be read in the order of its octets.
    """
    with memoryview(view.data) as data:
        head = bytes(data[:_HEAD])
    remarks: list[Remark] = []
    if head == snoop.MAGIC:
        name, pieces = "snoop", snoop.rewritten(_Octets(view), most, remarks)
    elif head.startswith(netmon.MAGICS):
        name, pieces = "netmon", _netmon(view, most, remarks)
    else:
        return view
    window = Window(Plain(_Rewritten(view, pieces)))
    window.compression, window.format, window.remarks = view.compression, name, remarks
    return window


class _Octets(Input):
    """The octets of a view, as an input."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.path = view.path
        self._view = view

    def _read(self, size: int) -> bytes:
        view = self._view
        if not view.left():
            return b""
        with memoryview(view.data) as data:
            part = bytes(data[view.position : view.position + size])
        view.advance(view.position + len(part))
        return part


class _Rewritten(Pieces):
    """What a view becomes."""

    def __init__(self, view: View, made: Generator[bytes, None, None]) -> None:
        super().__init__(view.path, self._all())
        self._view = view
        self._made = made

    @property
    def taken(self) -> int:
        """Octets that were taken from the file, as it was found."""
        return self._view.consumed

    def check(self) -> None:
        """Raise CaptureError if the file shrank."""
        self._view.check()

    def close(self) -> None:
        """Close the file."""
        self._made.close()
        self._view.close()

    def _all(self) -> Iterator[bytes]:
        yield from self._made
        if self._view.damage:
            raise DamageError(self._view.damage)


def _netmon(view: View, most: int, remarks: list[Remark]) -> Generator[bytes, None, None]:
    """A file whose table of frames may stand behind the frames, so that all of it is needed first."""
    if view.final and not view.origin:
        table, at = partial(_part, view), partial(_part, view, advances=True)
        yield from netmon.rewritten(view.path, table, at, len(view.data), most, remarks)
        return
    octets = _Octets(view)
    with tempfile.TemporaryFile() as whole:

        def place(offset: int, size: int) -> bytes:
            whole.seek(offset)
            return whole.read(size)

        # Such files have offsets of 32 bits, which limits the room that they take.
        left = netmon.most_octets(most)
        while part := octets.some(min(_CHUNK, left)):
            left -= whole.write(part)
        yield from netmon.rewritten(view.path, place, place, whole.tell(), most, remarks)


def _part(view: View, offset: int, size: int, *, advances: bool = False) -> bytes:
    """Octets of a view that shows all; where it advances, what lies before them is let go."""
    with memoryview(view.data) as data:
        part = bytes(data[offset : offset + size])
    if advances and view.position < offset <= len(view.data):
        view.advance(offset)
    return part

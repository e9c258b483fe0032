"""Memory that ends, and begins, at a page that may not be touched: a read of one octet too many ends the process.

Knows the system's pages and no capture.
"""

from __future__ import annotations

import ctypes
import mmap

_PROT_NONE = 0


class Guard:
    """Pages between two pages without access.

    Parameters
    ----------
    room : int
        Octets that are to fit; more are made when more are asked for.
    """

    def __init__(self, room: int = 1 << 16) -> None:
        self._make(room)

    def _make(self, room: int) -> None:
        self.room = -(-max(room, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = mmap.mmap(-1, self.room + 2 * mmap.PAGESIZE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for page in (address, address + mmap.PAGESIZE + self.room):
            if protect(page, mmap.PAGESIZE, _PROT_NONE):
                raise OSError(ctypes.get_errno(), "mprotect")
        # Address of the octet behind the last that may be read.
        self.end = address + mmap.PAGESIZE + self.room

    def before_end(self, octets: bytes | memoryview) -> memoryview:
        """The octets, the last of them in front of the page behind; what was held before is gone."""
        if len(octets) > self.room:
            self._make(2 * len(octets))
        stop = mmap.PAGESIZE + self.room
        return self._put(octets, stop - len(octets))

    def behind_start(self, octets: bytes | memoryview) -> memoryview:
        """The octets, the first of them behind the page in front."""
        if len(octets) > self.room:
            self._make(2 * len(octets))
        return self._put(octets, mmap.PAGESIZE)

    def _put(self, octets: bytes | memoryview, start: int) -> memoryview:
        self._map[start : start + len(octets)] = bytes(octets)
        return memoryview(self._map)[start : start + len(octets)].toreadonly()

    def spoil(self, octets: int = 1 << 16) -> None:
        """Overwrite the last octets: whoever still looks at what stood there sees something else."""
        octets = min(octets, self.room)
        stop = mmap.PAGESIZE + self.room
        self._map[stop - octets : stop] = b"\xa5" * octets

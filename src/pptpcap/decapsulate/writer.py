"""Writes a pcap file of IP packets: nanoseconds, link type RAW; whole or not at all.

Knows the file format and no packet.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from types import TracebackType

from .._output.whole import Identity, WholeFile

__all__ = ["PcapWriter"]

_MAGIC_NANOSECONDS = 0xA1B23C4D
_RAW = 101
_SNAP_LENGTH = 262_144
_HEADER = struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAP_LENGTH, _RAW)
_RECORD = struct.Struct("<IIII")
_SECOND = 10**9
_LAST_SECOND = 0xFFFFFFFF


class PcapWriter:
    """A context that leaves the file where it was left without an error, and nothing otherwise.

    Only its owner can read the file: it holds what was secret.

    Parameters
    ----------
    path : str
        Where the file shall be.
    overwrite : bool
        Whether a file that is there is replaced.
    spared : collection of (int, int)
        Device and inode of files that are not touched.
    """

    def __init__(self, path: str, *, overwrite: bool = False, spared: Collection[Identity] = ()) -> None:
        self._whole = WholeFile(path, _HEADER, overwrite=overwrite, spared=spared)

    def __enter__(self) -> PcapWriter:
        self._file = self._whole.__enter__()
        # Into the buffer, which it fits into.
        self._file.write(_HEADER)
        return self

    def write(self, time: int, octets: bytes) -> None:
        """Add a packet that was captured at `time`, ns since 1970; what the format cannot say is 0."""
        seconds, nanoseconds = divmod(time, _SECOND)
        if not 0 <= seconds <= _LAST_SECOND:
            seconds = nanoseconds = 0
        try:
            self._file.write(_RECORD.pack(seconds, nanoseconds, len(octets), len(octets)))
            self._file.write(octets)
        except OSError as error:
            raise self._whole.named(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._whole.__exit__(kind, error, trace)

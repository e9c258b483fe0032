"""Writes a pcap file of IP packets: nanoseconds, link type RAW; whole or not at all.

Knows the file format and no packet.  Called by ``decapsulate``.
"""

from __future__ import annotations

import os
import secrets
import struct
from types import TracebackType

__all__ = ["PcapWriter"]

_MAGIC_NANOSECONDS = 0xA1B23C4D
_RAW = 101
_SNAP_LENGTH = 262_144
_SECOND = 10**9
_LAST_SECOND = 0xFFFFFFFF


class PcapWriter:
    """A context that leaves the file where it was left without an error, and nothing otherwise.

    The file is written beside its place and renamed, and only its owner can read it: it holds what was secret.

    Parameters
    ----------
    path : str
        Where the file shall be; what was there is replaced.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._beside = f"{path}.{secrets.token_hex(4)}.part"

    def __enter__(self) -> PcapWriter:
        descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = open(descriptor, "wb", buffering=1 << 20)
        self._file.write(struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, _SNAP_LENGTH, _RAW))
        return self

    def write(self, time: int, octets: bytes) -> None:
        """Add a packet that was captured at `time`, ns since 1970; what the format cannot say is 0."""
        seconds, nanoseconds = divmod(time, _SECOND)
        if not 0 <= seconds <= _LAST_SECOND:
            seconds = nanoseconds = 0
        self._file.write(struct.pack("<IIII", seconds, nanoseconds, len(octets), len(octets)))
        self._file.write(octets)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # What does not fit on the disk is told here at the latest.
            self._file.close()
            if kind is None:
                os.replace(self._beside, self._path)
        finally:
            if os.path.lexists(self._beside):
                os.unlink(self._beside)

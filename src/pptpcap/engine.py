"""The interface of an engine: a stateless scan, and an assembler that holds the state of one capture.

Must not know either engine.  ``_reading`` drives both through these protocols.
"""

from __future__ import annotations

import mmap
from typing import Any, Protocol, TypeAlias

import numpy as np

from .wire.container import Container
from .wire.limits import Limits

Data: TypeAlias = bytes | bytearray | memoryview | mmap.mmap
Rows: TypeAlias = np.ndarray[tuple[int], np.dtype[np.void]]

# A segment of a control connection: its row in ``connections``, -1 if it has none.
SEGMENT = np.dtype([("time", "datetime64[ns]"), ("packet", "uint64"), ("connection", "int64")])
# A packet that brought a fragment, and the packet that made its datagram complete; of a fragment that came again after
# that, the negative number of it.
PART = np.dtype([("packet", "uint64"), ("whole", "int64")])

# Keys of the counters of a scan and of an assembler, in the order in which people see them.
SCAN_COUNTERS = (
    "packets",
    "captured_octets",
    "original_octets",
    "unsupported_link",
    "frames_cut",
    "not_ip",
    "ip_malformed",
    "ip_other",
    "fragments",
    "control_segments",
    "checksums_offloaded",
    "gre_packets",
    "gre_other",
)
COUNTERS = (
    *SCAN_COUNTERS,
    "copies",
    "datagrams_reassembled",
    "fragments_copied",
    "connections_unlisted",
    "gre_unlisted",
    "calls_unlisted",
)


class Scan(Protocol):
    """Result of the scan of one range, opaque except for where the walk ended.

    Attributes
    ----------
    end : int
        Offset in `data` of the first octet that was not walked.
    records : int
        Records walked.
    damaged : bool
        The walk met a record that is corrupt, or cut by the end of the file; without `salvage`, it ended there.
    container : Container
        What is known at `end`: the argument of the scan, with what the walk learnt of a pcapng section.
    """

    container: Container
    end: int
    records: int
    damaged: bool

    def rebase(self, packets: int) -> None:
        """Add `packets` to the number of packets before the range; not after `feed`."""

    def take_places(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Where in the file the records of its packets begin, in order; asked for once.

        Between them, ~offset of each header of a file, of a section or of an interface that is met behind `start`.
        """


class Assembler(Protocol):
    """State of one capture: connections, datagrams in reassembly, counters, rows not yet taken.

    Attributes
    ----------
    counters : dict of str to int
        Keys of ``COUNTERS``.
    earliest, latest : int or None
        Least and greatest time of a record, ns since 1970.
    damaged : bool
        A file ended in a record that is corrupt or cut.
    """

    counters: dict[str, int]
    earliest: int | None
    latest: int | None
    damaged: bool

    def begin_file(self) -> None:
        """The next scan is of a new file; its rows have the next file index, from 0."""

    def feed(self, scan: Any) -> None:
        """Process the scan that follows the last one; the scanned data must still be there.

        Raises
        ------
        ValueError
            Where the capture has ended.
        """

    def finish(self) -> None:
        """End the capture and release what still waits."""

    def take(self) -> dict[str, Rows]:
        """Rows of the event tables since the last call, owned by the caller."""

    def entities(self) -> dict[str, Rows]:
        """Present rows of the entity tables; later events do not change them."""

    def entity_counts(self) -> dict[str, int]:
        """Rows of each entity table of a capture that has ended."""

    def entity_rows(self, table: str, start: int, stop: int) -> Rows:
        """Rows ``start:stop`` of an entity table of a capture that has ended, owned by the caller."""

    def connections_at(self, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> Rows:
        """Rows of ``connections`` with these numbers as they stand, owned by the caller."""


class Engine(Protocol):
    """A module with ``scan_range``, ``find_record`` and ``Assembler``."""

    def scan_range(
        self,
        data: Data,
        start: int,
        stop: int,
        container: Container,
        ports: tuple[int, ...],
        limits: Limits,
        *,
        file: int = 0,
        packets_before: int = 0,
        origin: int = 0,
        final: bool = True,
        most_records: int = 0,
        salvage: bool = False,
        mirrors: tuple[tuple[int, int], ...] = (),
        payloads: bool = False,
        places: bool = False,
    ) -> Scan:
        """Walk the records that start in ``data[start:stop]``.

        Parameters
        ----------
        data : buffer
            The file, or a window of it.
        start, stop : int
            Range in `data`.  A record starts at `start`; a record that begins before `stop` is walked completely.
        container : Container
            What is known of the file.
        ports : tuple of int
            TCP ports of the control connection.
        limits : Limits
            Caps.
        file, packets_before : int
            Index of the file, and packets of the capture before `start`.
        origin : int
            Offset of ``data[0]`` in the file.
        final : bool
            The end of `data` is the end of the file, so a record that reaches past it is cut.
        most_records : int
            Stop after this many records; 0 for no such limit.
        salvage : bool
            After a corrupt record, continue at the next good one.
        mirrors : tuple of tuple of int
            UDP ports that carry something, besides those in ``wire.carriers``: number of the Carrier, and port.
        payloads : bool
            Keep the payloads of Enhanced GRE, for an assembler that returns them.
        places : bool
            Keep the places of packets and headers.
        """

    def find_record(
        self, data: Data, start: int, stop: int, container: Container, limits: Limits, *, final: bool = True
    ) -> int:
        """The first place in ``data[start:stop]`` where plausible records or blocks begin, else `stop`.

        A place is plausible if salvage would accept it; not if that depends on data that are not there yet.

        Parameters
        ----------
        data, container, limits, final
            As for `scan`.
        start, stop : int
            Range in `data` to search.
        """

    def Assembler(  # noqa: N802
        self,
        ports: tuple[int, ...],
        limits: Limits,
        *,
        identities: bool = False,
        payloads: bool = False,
        drops_copies: bool = False,
        members: bool = False,
        separate: bool = False,
        mirrors: tuple[tuple[int, int], ...] = (),
    ) -> Assembler:
        """A new capture.

        Parameters
        ----------
        ports : tuple of int
            TCP ports of the control connection.
        limits : Limits
            Caps.
        identities : bool
            Keep the user names of both sides of calls.
        payloads : bool
            ``take`` gives, under the key "payloads", the captured octets of the payloads of its rows of ``gre`` too: an
            array of uint8, those of each row (``available``) behind those of the row before.
        drops_copies : bool
            Leave out packets that are copies of earlier ones, before they count in anything but ``copies``.
        members : bool
            ``take`` gives two arrays more: under the key "segments", of `SEGMENT`, every segment of a connection; under
            the key "parts", of `PART`, the packets of every datagram that is complete.
        separate : bool
            Keep traffic of different layers apart.
        mirrors : tuple of tuple of int
            As for `scan_range`; datagrams can carry something too.
        """

"""The half with state: turns the events of scans into rows, in packet order.

Knows the parts and the order in which they run.  Decides nothing about a layer.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from ..engine import COUNTERS, PART, Rows
from ..wire.carriers import FIRST_IN_FRAMES, Carrier
from ..wire.container import STANDS_PACKETS
from ..wire.ip import REASSEMBLED
from ..wire.limits import Limits
from ..wire.status import Kind, Layer
from .columns import Output, to_array
from .connections import Connections
from .copies import Copies
from .events import Checksum, Event, Fragment, GrePacket, Issue, Packet, Segment
from .fragments import Reassembled, Reassembler
from .packets import PacketWalk
from .ranges import Scan
from .records import goes_back
from .relate import Relating


class Assembler:
    """State of one capture, as ``engine.Assembler`` says.

    Parameters
    ----------
    ports : tuple of int
        TCP ports of the control connection.
    limits : Limits
        Caps.
    identities : bool
        Keep the user names of both sides of calls.
    payloads : bool
        Give the payloads of rows of ``gre`` too.
    drops_copies : bool
        Leave out packets that are copies of earlier ones.
    members : bool
        Give the packets of connections and of datagrams too.
    separate : bool
        Keep traffic of different layers apart.
    mirrors : tuple of tuple of int
        UDP ports that carry something, besides those that are known: number of the Carrier, and port.
    """

    def __init__(
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
    ) -> None:
        control_ports = frozenset(ports)
        self._limits = limits
        self._reassembled = Reassembled(COUNTERS, members)
        self.counters = self._reassembled.counters
        self.earliest: int | None = None
        self.latest: int | None = None
        self.damaged = False
        self._last: Packet | None = None
        # Time of the last packet that has one.
        self._newest: int | None = None
        # The file of that packet.
        self._newest_file = 0
        self._finished = False
        # Interface number and link type, in this file.
        self._unsupported: set[tuple[int, int]] = set()
        self._output = Output(payloads, members)
        self._reassembler = Reassembler(limits, self._reassembled)
        self._carried = Reassembler(limits, self._reassembled, carried=True)
        self._packets = PacketWalk(self._reassembled, ports, limits, mirrors)
        self._connections = Connections(control_ports, limits, self._output)
        self._relating = Relating(
            self._output, self._connections.ends, self._connections.echoes, limits, identities, drops_copies
        )
        self._separate = separate
        # Packets of this file inside carriers that are not followed, and the first of them.
        self._unfollowed: dict[Carrier, tuple[int, Packet]] = {}
        self._drops_copies = drops_copies
        self._segment_copies = Copies()
        self._fragment_copies = Copies()
        self._entities: dict[str, Rows] | None = None

    def begin_file(self) -> None:
        """The next scan is of a new file."""
        self._unsupported = set()
        self._tell_unfollowed()

    def feed(self, scan: Scan) -> None:
        """Take in a scan that follows the last one; ValueError where the capture has ended."""
        if self._finished:
            raise ValueError("the capture of this assembler has ended")
        for counter, value in scan.counters.items():
            self.counters[counter] += value
        if scan.earliest is not None and scan.latest is not None:
            self.earliest = scan.earliest if self.earliest is None else min(self.earliest, scan.earliest)
            self.latest = scan.latest if self.latest is None else max(self.latest, scan.latest)
        self.damaged = self.damaged or scan.damaged
        for _, events in groupby(scan.events, key=lambda event: event.packet.number):
            self._take_packet([self._keyed(event) for event in events])
        self._add_unfollowed(scan.unfollowed)
        self._add_unfollowed(self._reassembled.unfollowed)
        self._last = scan.last or self._last
        if scan.newest is not None and scan.last is not None:
            self._newest, self._newest_file = scan.newest, scan.last.file
        kinds = self._segment_copies, self._fragment_copies, *self._relating.copies.values()
        self.counters["copies"] = sum(copies.found for copies in kinds)
        self.counters["connections_unlisted"] = self._connections.unlisted
        self.counters["gre_unlisted"], self.counters["calls_unlisted"] = self._relating.unlisted()

    def finish(self) -> None:
        """The capture ends here (decoding 4.5, 6.11)."""
        self._finished = True
        if self._last is None:
            return
        self._tell_unfollowed()
        packets = self.counters["packets"]
        if self.earliest is not None and self.earliest == self.latest and packets >= STANDS_PACKETS:
            self._output.issue(self._last, -1, Layer.CONTAINER, Kind.CLOCK_STANDS, 0, packets)
        self._reassembler.finish(self._last)
        self._carried.finish(self._last)
        self._drain()
        self._connections.finish(self._last)
        self._relating.drain()
        self.counters["calls_unlisted"] = self._relating.unlisted()[1]

    def take(self) -> dict[str, Rows]:
        """Rows of the event tables since the last call."""
        taken = self._output.take()
        parts = self._reassembled.take_parts()
        return taken if parts is None else taken | {"parts": np.array(parts, PART)}

    def entities(self) -> dict[str, Rows]:
        """Rows of the entity tables as they stand."""
        tunnels, calls = self._relating.rows(self._connections.last_packets(), self._connections.both_heard())
        return {
            "connections": to_array("connections", self._connections.rows()),
            "tunnels": to_array("tunnels", tunnels),
            "calls": to_array("calls", calls),
        }

    def entity_counts(self) -> dict[str, int]:
        """Rows of each entity table of a capture that has ended."""
        return {table: len(rows) for table, rows in self._at_the_end().items()}

    def entity_rows(self, table: str, start: int, stop: int) -> Rows:
        """Rows ``start:stop`` of an entity table of a capture that has ended."""
        return self._at_the_end()[table][start:stop].copy()

    def _at_the_end(self) -> dict[str, Rows]:
        if not self._finished:
            raise ValueError("the capture of this assembler has not ended")
        if self._entities is None:
            self._entities = self.entities()
        return self._entities

    def connections_at(self, numbers: np.ndarray[Any, np.dtype[np.int32]]) -> Rows:
        """Rows of ``connections`` with these numbers as they stand."""
        return to_array("connections", [self._connections.row(number) for number in numbers.tolist()])

    def _take_packet(self, events: list[Event]) -> None:
        """Take in what the scan found in one packet, which may hold several IP packets, step by step (decoding 9)."""
        scanned = [event for event in events if isinstance(event, Issue)]
        for issue in scanned:
            if issue.layer is Layer.CONTAINER:
                self._issue(issue)
        place, is_left_out = self._output.issues(), False
        reassembled: list[Event] = []
        for kind in (Fragment, Segment, GrePacket):
            for event in events:
                if isinstance(event, kind):
                    is_copy = self._is_copy(event)
                    if is_copy and self._drops_copies:
                        self._leave_out(event)
                        is_left_out = True
                    else:
                        reassembled += self._take_in(event, is_copy)
            for event in reassembled:
                if isinstance(event, kind):
                    self._take_in(event)
            self._relating.drain()
        # Those of the container concern the file (decoding 4b.5).
        start = self._output.issues()
        for issue in scanned:
            if issue.layer is not Layer.CONTAINER and not is_left_out:
                self._issue(issue)
        self._output.move_issues(start, place)

    def _is_copy(self, event: Event) -> bool:
        if isinstance(event, Issue):
            return False
        if isinstance(event, GrePacket):
            return self._relating.is_copy(event)
        sighting, time = event.sighting, event.packet.time
        if isinstance(event, Segment):
            ends = event.source, event.source_port, event.destination, event.destination_port
            numbers = event.sequence_number, event.acknowledgment_number, event.flags, event.length
            identity = (*ends, *numbers, sighting.identification, sighting.content)
            return self._segment_copies.is_copy(identity, (sighting.vantage, event.source, event.destination), time)
        key = event.key
        if key.protocol in REASSEMBLED:  # decoding 3b.10
            return False
        place = (key, event.offset, event.length, event.more, sighting.content)
        return self._fragment_copies.is_copy(place, (sighting.vantage, key.source, key.destination), time)

    def _leave_out(self, event: Event) -> None:
        """Take a packet off the counters of its scan."""
        if isinstance(event, Segment):
            self.counters["control_segments"] -= 1
            is_whole = event.length > 0 and len(event.octets) == event.length
            self.counters["checksums_offloaded"] -= event.checksum is Checksum.UNKNOWN and is_whole
        else:
            self.counters["fragments" if isinstance(event, Fragment) else "gre_packets"] -= 1

    def _take_in(self, event: Event, is_copy: bool = False) -> list[Event]:
        """Take in one event; what it completes is for later."""
        if isinstance(event, Issue):
            self._issue(event)
        elif isinstance(event, Segment):
            self._connections.segment(event, is_copy)
        elif isinstance(event, Fragment):
            return self._fragment(event)
        else:
            self._output.gre(event, *self._relating.tunnel(event))
        return []

    def _issue(self, issue: Issue) -> None:
        if issue.kind is Kind.UNSUPPORTED_LINK:
            # Each scan finds it; report it once per file (decoding 1b.8).
            if (issue.needed, issue.had) in self._unsupported or len(self._unsupported) >= self._limits.interfaces:
                return
            self._unsupported.add((issue.needed, issue.had))
        if issue.kind is Kind.CLOCK_BACK and not issue.had:
            # The first time of a scan.
            assert issue.packet.time is not None
            back = 0 if self._newest is None else self._newest - issue.packet.time
            if not goes_back(back):
                return
            issue = issue._replace(had=back)
            files = self._newest_file, issue.packet.file
            if files[0] != files[1]:  # decoding 1.11
                self._output.issue(issue.packet, -1, issue.layer, Kind.FILES_OUT_OF_ORDER, *files)
        self._output.issue(issue.packet, -1, issue.layer, issue.kind, issue.needed, issue.had)

    def _fragment(self, fragment: Fragment) -> list[Event]:
        """What a datagram gives that is complete now, and those whose fragments are inside it."""
        found: list[Event] = []
        several = [fragment]
        came = [fragment.packet.number]
        for one in several:
            for event in self._add_fragment(one, came):
                if isinstance(event, Fragment):
                    several.append(event)
                else:
                    found.append(event)
        return found

    def _add_fragment(self, fragment: Fragment, came: list[int]) -> list[Event]:
        reassembler = self._carried if fragment.key.protocol in REASSEMBLED else self._reassembler
        whole = reassembler.add(fragment, came)
        if whole is not None:
            self.counters["datagrams_reassembled"] += 1
            self._packets.datagram(
                fragment.packet, whole.octets, whole.length, whole.key, whole.headers, fragment.layers
            )
        return self._drain()

    def _drain(self) -> list[Event]:
        """Tell the issues of the reassembler and of the walk of its result, in that order (decoding 9); the rest."""
        events, self._reassembled.events = self._reassembled.events, []
        for event in events:
            if isinstance(event, Issue):
                self._issue(event)
        return [self._keyed(event) for event in events if not isinstance(event, Issue)]

    def _keyed(self, event: Event) -> Event:
        """The event with its layers behind each address, where they are kept apart (decoding 2b)."""
        if not self._separate or isinstance(event, Issue):
            return event
        key = event.layers.key()
        if isinstance(event, Fragment):
            ends = event.key
            return replace(event, key=ends._replace(source=ends.source + key, destination=ends.destination + key))
        if isinstance(event, Segment):
            return replace(event, source=event.source + key, destination=event.destination + key)
        return event._replace(source=event.source + key, destination=event.destination + key)

    def _add_unfollowed(self, found: dict[Carrier, tuple[int, Packet]]) -> None:
        for carrier, (packets, first) in found.items():
            known, before = self._unfollowed.get(carrier, (0, first))
            self._unfollowed[carrier] = known + packets, min(before, first)
        found.clear()

    def _tell_unfollowed(self) -> None:
        """At the end of a file, an issue for each carrier, by first packets (decoding 2c)."""
        told = sorted((first.number, carrier) for carrier, (_, first) in self._unfollowed.items())
        for _, carrier in told:
            packets, first = self._unfollowed.pop(carrier)
            layer = Layer.LINK if carrier >= FIRST_IN_FRAMES else Layer.IP
            self._output.issue(first, -1, layer, Kind.UNFOLLOWED, carrier, packets)

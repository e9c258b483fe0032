"""Control connections: which segment belongs to which, when one begins, what ends it.

Knows both directions of each and the caps on all of them.  Must not know messages.
"""

from __future__ import annotations

from collections import OrderedDict
from operator import attrgetter
from typing import TypeAlias

from ..wire.ip import ADDRESS
from ..wire.limits import RESET_WINDOW, Limits
from ..wire.status import End, Kind, Layer, Present
from ..wire.tcp import ACK, FIN, RST, SYN
from .columns import Ended, Output, Row
from .echoes import Echoes
from .events import Packet, Segment
from .streams import Direction, signed_difference

Endpoint: TypeAlias = tuple[bytes, int]
# The two endpoints, the lesser first.
Key: TypeAlias = tuple[Endpoint, Endpoint]


class Connection:
    """One instance of two endpoints, and the row that it will have.

    Parameters
    ----------
    serial : int
        How many instances were made before.
    index : int
        Row in connections, -1 where it has none.
    initiator, responder : tuple of bytes and int
        Address and port.
    segment : Segment
        The first one.
    output : Output
        Takes rows and issues.
    limits : Limits
        Caps.
    """

    def __init__(
        self,
        serial: int,
        index: int,
        initiator: Endpoint,
        responder: Endpoint,
        segment: Segment,
        output: Output,
        limits: Limits,
    ) -> None:
        self.serial = serial
        self.index = index
        self.initiator = initiator
        self.responder = responder
        self.first = segment.packet
        self.last = segment.packet
        self._layers = segment.layers
        self._output = output
        self.from_initiator = Direction(output, index, True, limits)
        self.from_responder = Direction(output, index, False, limits)
        self.was_reset = False
        self.has_syn = False
        self.end = End.OPEN
        self._ended_by_initiator = False
        self._end_packet: Packet | None = None

    @property
    def is_closed(self) -> bool:
        """A reset was taken, or both sides sent FIN (decoding 6.1)."""
        return self.was_reset or (self.from_initiator.has_finished and self.from_responder.has_finished)

    def is_from_initiator(self, segment: Segment) -> bool:
        """Which side sent it."""
        return (segment.source, segment.source_port) == self.initiator

    def sides(self, segment: Segment) -> tuple[Direction, Direction]:
        """The direction of the segment's sender, and the other."""
        if self.is_from_initiator(segment):
            return self.from_initiator, self.from_responder
        return self.from_responder, self.from_initiator

    def end_at(self, end: End, packet: Packet, by_initiator: bool) -> None:
        """Note what ended it; the first one counts.  Only FIN and RST are sent by a side (decoding 6.2)."""
        if self.end is End.OPEN:
            self.end = end
            self._end_packet = packet
            self._ended_by_initiator = by_initiator
            if self.index >= 0:
                self._output.told.append(Ended(packet, self.index, end, by_initiator))

    def row(self) -> Row:
        """Its row in ``connections`` as it stands."""
        end_packet = self._end_packet
        return (
            tuple(self.initiator[0][:ADDRESS]),
            tuple(self.responder[0][:ADDRESS]),
            self.initiator[1],
            self.responder[1],
            *self._layers.row(),
            self.first.time,
            self.last.time,
            self.first.number,
            self.last.number,
            *self.from_initiator.row(),
            *self.from_responder.row(),
            *self._result(),
            not self.has_syn,
            self.end.value,
            self._ended_by_initiator,
            end_packet.time if end_packet else None,
            end_packet.number if end_packet else 0,
        )

    def _result(self) -> tuple[int | bytes, int | bytes, int]:
        # Result code, error code, and what is present.
        first_by_initiator = self.from_initiator.cutter.start
        first_by_responder = self.from_responder.cutter.start
        present = 0
        if first_by_initiator:
            present |= Present.INITIATOR.value
        if first_by_responder:
            present |= Present.RESPONDER.value
        replies = [start for start in (first_by_initiator, first_by_responder) if start and start.is_reply]
        if not replies:
            return 0, 0, present
        values = min(replies, key=attrgetter("message")).values
        return values["result_code"], values["error_code"], present | Present.RESULT.value


class Connections:
    """All instances of one capture (decoding 6).

    Parameters
    ----------
    ports : frozenset of int
        TCP ports of the control connection.
    limits : Limits
        Caps.
    output : Output
        Takes rows and issues.
    """

    def __init__(self, ports: frozenset[int], limits: Limits, output: Output) -> None:
        self._ports = ports
        self._limits = limits
        self._output = output
        self._all: list[Connection] = []
        # Instances that were made after the cap on rows was reached (decoding 6.10).
        self.unlisted = 0
        # Least recently seen first.
        self._live: OrderedDict[Key, Connection] = OrderedDict()
        # Directions that hold octets, least recently touched by data first, and what they hold together.
        self._holders: OrderedDict[Direction, None] = OrderedDict()
        self._held = 0

    def segment(self, segment: Segment, is_copy: bool) -> None:
        """Take one segment, which may be a copy of an earlier one."""
        packet, flags = segment.packet, segment.flags
        connection = self._instance(segment)
        sender, receiver = connection.sides(segment)
        connection.last = packet  # decoding 6.4
        self._output.segment(packet, connection.index)
        sender.segments += 1
        sender.copies += is_copy
        sender.data_segments += segment.length > 0
        if flags & SYN and not self._learn_start(connection, segment, sender, receiver):
            return
        if flags & RST:
            self._reset(connection, segment, sender)
            return
        was_closed = connection.is_closed
        if flags & ACK and not flags & SYN:
            receiver.acknowledge(segment.acknowledgment_number, packet)
            self._account(receiver)
        if segment.length and sender.data(segment, was_closed):
            self._touch(sender)
            self._account(sender)
            self._keep_held(packet)
        if flags & FIN and sender.fin(segment):
            connection.end_at(End.FIN, packet, connection.is_from_initiator(segment))

    def finish(self, packet: Packet) -> None:
        """The capture ends with this packet (decoding 6.11)."""
        for connection in sorted(self._live.values(), key=attrgetter("serial")):
            self._finish(connection, packet)
        self._live.clear()

    def rows(self) -> list[Row]:
        """The rows of ``connections`` as they stand."""
        return [connection.row() for connection in self._all]

    def row(self, index: int) -> Row:
        """One row of ``connections`` as it stands."""
        return self._all[index].row()

    def ends(self, index: int) -> tuple[bytes, bytes]:
        """Addresses of initiator and responder of the connection with this row."""
        connection = self._all[index]
        return connection.initiator[0], connection.responder[0]

    def echoes(self, index: int, from_initiator: bool) -> Echoes:
        """Echo-Requests of one side of the connection with this row."""
        connection = self._all[index]
        return (connection.from_initiator if from_initiator else connection.from_responder).echoes

    def last_packets(self) -> list[Packet]:
        """The last packet of each connection."""
        return [connection.last for connection in self._all]

    def both_heard(self) -> list[bool]:
        """Whether each connection has segments of both sides."""
        return [bool(one.from_initiator.segments and one.from_responder.segments) for one in self._all]

    def _instance(self, segment: Segment) -> Connection:
        # decoding 6.1, 6.3
        source = (segment.source, segment.source_port)
        destination = (segment.destination, segment.destination_port)
        key = (source, destination) if source < destination else (destination, source)
        connection = self._live.get(key)
        if connection is None:
            return self._open(key, segment)
        if segment.flags & SYN and self._begins_anew(connection, segment):
            del self._live[key]
            self._finish(connection, segment.packet)
            connection.end_at(End.NEW_CONNECTION, segment.packet, False)
            return self._open(key, segment)
        self._live.move_to_end(key)
        return connection

    @staticmethod
    def _begins_anew(connection: Connection, segment: Segment) -> bool:
        # decoding 6.1
        if connection.is_closed:
            return True
        sender, _ = connection.sides(segment)
        is_request = not segment.flags & ACK
        return is_request and sender.start is not None and sender.start != _following(segment.sequence_number)

    def _open(self, key: Key, segment: Segment) -> Connection:
        packet = segment.packet
        if len(self._live) >= self._limits.connections:  # decoding 6.9
            cap = self._limits.connections
            _, evicted = self._live.popitem(last=False)
            self._output.issue(packet, evicted.index, Layer.TCP, Kind.EVICTED, cap, cap + 1)
            self._finish(evicted, packet)
            evicted.end_at(End.EVICTED, packet, False)
        source = (segment.source, segment.source_port)
        destination = (segment.destination, segment.destination_port)
        if segment.flags & SYN:  # decoding 6.2
            is_by_initiator = not segment.flags & ACK
        else:
            is_by_initiator = segment.destination_port in self._ports
        initiator, responder = (source, destination) if is_by_initiator else (destination, source)
        serial = len(self._all) + self.unlisted
        is_listed = serial < self._limits.connection_rows
        connection = Connection(
            serial, serial if is_listed else -1, initiator, responder, segment, self._output, self._limits
        )
        if is_listed:
            self._all.append(connection)
        else:
            if not self.unlisted:
                self._output.entity_limit(packet, -1, Layer.TCP, self._limits.connection_rows)
            self.unlisted += 1
        self._live[key] = connection
        return connection

    def _learn_start(self, connection: Connection, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        # decoding 6.1; gives whether the segment is to be looked at further
        start = _following(segment.sequence_number)
        if segment.flags & ACK and sender.start is not None and sender.start != start:
            distance = abs(signed_difference(start, sender.start))
            self._output.issue(segment.packet, connection.index, Layer.TCP, Kind.OUT_OF_WINDOW, 1, distance)
            return False
        connection.has_syn = True
        sender.start = start
        if segment.flags & ACK and receiver.start is None:
            receiver.start = segment.acknowledgment_number
        return True

    def _reset(self, connection: Connection, segment: Segment, sender: Direction) -> None:
        # decoding 6.5
        packet = segment.packet
        distance = sender.distance(segment.sequence_number)
        if distance is not None and abs(distance) >= RESET_WINDOW:
            self._output.issue(packet, connection.index, Layer.TCP, Kind.RESET_IGNORED, RESET_WINDOW, abs(distance))
            return
        connection.was_reset = True
        connection.end_at(End.RST, packet, connection.is_from_initiator(segment))
        for direction in (connection.from_initiator, connection.from_responder):
            direction.lose_holes(packet)
            self._account(direction)

    def _finish(self, connection: Connection, packet: Packet) -> None:
        # decoding 7.6
        for direction in (connection.from_initiator, connection.from_responder):
            direction.cutter.finish(packet)
            direction.octets.forget()
            self._account(direction)

    def _touch(self, direction: Direction) -> None:
        self._holders[direction] = None
        self._holders.move_to_end(direction)

    def _account(self, direction: Direction) -> None:
        held = direction.octets.held
        self._held += held - direction.accounted
        direction.accounted = held
        if not held:
            self._holders.pop(direction, None)

    def _keep_held(self, packet: Packet) -> None:
        # decoding 6.7
        cap = self._limits.held_octets
        while self._held > cap:
            direction = next(iter(self._holders))
            value = self._held
            if not direction.octets.is_empty:
                direction.cutter.finish(packet)
                self._output.issue(packet, direction.connection, Layer.TCP, Kind.EVICTED, cap, value)
            direction.octets.forget()
            self._account(direction)


def _following(sequence_number: int) -> int:
    # The SYN takes a number of its own.
    return (sequence_number + 1) % (1 << 32)

"""One direction of a control connection: sequence numbers become positions.

Knows numbers, marks and the caps on one direction.  Must not know the other direction.
"""

from __future__ import annotations

from ..wire.calls import CONTROL_ECHOES
from ..wire.limits import WINDOW, Limits
from ..wire.status import Kind, Layer, MessageStatus
from ..wire.tcp import FIN, RST, SYN, URG
from .columns import Output, Row
from .cutter import Cutter
from .echoes import Echoes
from .events import Checksum, Packet, Segment
from .pieces import Octets, Piece

_MODULUS = 1 << 32
_SIGN = 1 << 31


def signed_difference(first: int, second: int) -> int:
    """`first` - `second` of 32-bit numbers that wrap."""
    return (first - second + _SIGN) % _MODULUS - _SIGN


class Direction:
    """One direction of one connection (decoding 6).

    Parameters
    ----------
    output : Output
        Takes rows and issues.
    connection : int
        Row in connections.
    from_initiator : bool
        Which direction it is.
    limits : Limits
        Caps.
    """

    def __init__(self, output: Output, connection: int, from_initiator: bool, limits: Limits) -> None:
        self._output = output
        self._limits = limits
        self.connection = connection
        self.octets = Octets(limits.history)
        self.cutter = Cutter(self.octets, output, connection, from_initiator)
        # Sequence number of octet 0 of the stream.
        self.start: int | None = None
        # A FIN was sent; where it stands, if that is known.
        self.has_finished = False
        self._fin_position: int | None = None
        self._acknowledged = 0
        # What this direction counted in the sum of held octets when it was last looked at.
        self.accounted = 0
        self.segments = 0
        self.data_segments = 0
        self.copies = 0
        self._new_octets = 0
        self._retransmitted = 0
        self._out_of_order = 0
        self._conflicts = 0
        self.echoes = Echoes(CONTROL_ECHOES)

    def distance(self, number: int) -> int | None:
        """Octets from the contiguous end to a sequence number, None where the start is not known."""
        if self.start is None:
            return None
        return signed_difference(number, self.start + self.octets.end)

    def acknowledge(self, number: int, packet: Packet) -> None:
        """Take an acknowledgment of the other side (decoding 6.6)."""
        distance = self.distance(number)
        if distance is None or abs(distance) >= WINDOW:
            return
        self._acknowledged = max(self._acknowledged, self.octets.end + distance)
        self._lose_acknowledged(packet)

    def lose_holes(self, packet: Packet) -> None:
        """Declare all holes lost (decoding 6.5)."""
        while self.octets.waiting_octets:
            self.cutter.lose_hole(packet)

    def data(self, segment: Segment, is_closed: bool) -> bool:
        """Take the data of a segment; give whether they were looked at (decoding 6.7)."""
        packet = segment.packet
        number = segment.sequence_number + bool(segment.flags & SYN)
        if self.start is None:
            self.start = number % _MODULUS
            self.cutter.begin_midstream()
        distance = signed_difference(number, self.start + self.octets.end)
        if abs(distance) >= WINDOW:
            self._issue(packet, Kind.OUT_OF_WINDOW, WINDOW, abs(distance))
            return False
        if segment.length == 1 and distance == -1 and not segment.flags & (SYN | FIN | RST):
            return False
        self._place(segment, self.octets.end + distance, is_closed)
        self.cutter.run(packet)
        self._lose_acknowledged(packet)
        self._keep_caps(packet)
        return True

    def fin(self, segment: Segment) -> bool:
        """Take a FIN, the first that has a position gives it; give whether it is none to be ignored (decoding 6.8)."""
        distance = self.distance(segment.sequence_number + bool(segment.flags & SYN))
        if distance is not None and abs(distance) >= WINDOW:
            return False
        if self._fin_position is None and distance is not None:
            self._fin_position = self.octets.end + distance + segment.length
        self.has_finished = True
        return True

    def row(self) -> Row:
        """What this side said when it started the connection, and the counters of its columns."""
        said = self.cutter.start.values if self.cutter.start else {}
        return (
            said.get("protocol_version", 0),
            said.get("firmware_revision", 0),
            said.get("host_name", b""),
            said.get("vendor_name", b""),
            self.cutter.messages,
            self.segments,
            self.data_segments,
            self._new_octets,
            self._retransmitted,
            self.copies,
            self._out_of_order,
            self.cutter.gaps,
            self.cutter.gap_octets,
            self._conflicts,
            *self.echoes.row(),
        )

    def _place(self, segment: Segment, position: int, is_closed: bool) -> None:
        # decoding 6.7: octets before the start are cut off
        before = min(max(0, -position), segment.length)
        piece = Piece(segment.packet, self._marks(segment, position, is_closed), segment.checksum is Checksum.VERIFIES)
        outcome = self.octets.add(
            position + before,
            segment.length - before,
            segment.octets[before:],
            piece,
            MessageStatus.OVERLAP_CONFLICT.value,
        )
        self._new_octets += outcome.new
        self._retransmitted += outcome.new == 0
        self._out_of_order += outcome.is_out_of_order
        if outcome.differ:
            self._conflicts += 1
            self._issue(segment.packet, Kind.OVERLAP_CONFLICT, outcome.compared, outcome.differ)

    def _marks(self, segment: Segment, position: int, is_closed: bool) -> int:
        marks = 0
        if segment.checksum is Checksum.WRONG:
            marks |= MessageStatus.BAD_CHECKSUM.value
        if segment.flags & URG:
            marks |= MessageStatus.URGENT.value
        if segment.fragmented:
            marks |= MessageStatus.FRAGMENTED.value
        if segment.packet.time_fraction:
            marks |= MessageStatus.TIME_FRACTION.value
        is_behind_fin = self._fin_position is not None and position + segment.length > self._fin_position
        if is_closed or is_behind_fin:
            marks |= MessageStatus.AFTER_CLOSE.value
        return marks

    def _lose_acknowledged(self, packet: Packet) -> None:
        while (hole_end := self.octets.hole_end) is not None and hole_end <= self._acknowledged:
            self.cutter.lose_hole(packet)

    def _keep_caps(self, packet: Packet) -> None:
        while waiting := self.octets.waiting_octets:
            if (pieces := self.octets.waiting_pieces) > self._limits.pieces:
                cap, value = self._limits.pieces, pieces
            elif waiting > self._limits.waiting_octets:
                cap, value = self._limits.waiting_octets, waiting
            else:
                return
            self._issue(packet, Kind.WAITING_LIMIT, cap, value)
            self.cutter.lose_hole(packet)

    def _issue(self, packet: Packet, kind: Kind, needed: int, had: int) -> None:
        self._output.issue(packet, self.connection, Layer.TCP, kind, needed, had)

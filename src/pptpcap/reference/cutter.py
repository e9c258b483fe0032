"""Cuts the stream of one direction into messages, and finds its step again where it is lost.

Knows positions and octets.  Must not know TCP's numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from ..wire.control import BY_CODE, HEADER_SIZE, MAGIC_COOKIE, MAXIMUM_LENGTH
from ..wire.status import Kind, Layer, MessageStatus
from .columns import Output
from .control import (
    COOKIE_END,
    Header,
    find_plausible,
    has_text_tail,
    is_legal_length,
    is_plausible,
    legal_length,
    number_lengths,
    read_header,
)
from .events import Packet
from .pieces import Octets

# Octets that are searched at a time, so that what stands behind a header is not read again and again.
_WINDOW = 4096
# A header may still begin in the last octets that are there.
_UNDECIDED = HEADER_SIZE - 1
_MOST_SEGMENTS = 0xFFFF
_START_REQUEST = 1
_START_REPLY = 2


class StartMessage(NamedTuple):
    """A Start-Control-Connection message: its row in messages, and its fields."""

    message: int
    is_reply: bool
    values: dict[str, int | bytes]


class Cutter:
    """The cutter of one direction (decoding 7).

    Parameters
    ----------
    octets : Octets
        Those of the direction.
    output : Output
        Takes messages and issues.
    connection : int
        Row in connections.
    from_initiator : bool
        Which direction it is.
    """

    def __init__(self, octets: Octets, output: Output, connection: int, from_initiator: bool) -> None:
        self._octets = octets
        self._output = output
        self._connection = connection
        self._from_initiator = from_initiator
        self._in_step = True
        self._resume: int | None = None
        self._passed = 0
        # Statuses that the next message will have.
        self._pending = 0
        self.messages = 0
        self.gaps = 0
        self.gap_octets = 0
        # The first Start-Control-Connection message.
        self.start: StartMessage | None = None

    def begin_midstream(self) -> None:
        """The start of the stream was set by data (decoding 7.3)."""
        self._lose_step(MessageStatus.MIDSTREAM)

    def run(self, packet: Packet) -> None:
        """Cut what can be cut; issues found are at `packet`."""
        while self._advance(packet):
            pass

    def lose_hole(self, packet: Packet) -> None:
        """Declare the lowest hole lost; there is one (decoding 7.4)."""
        self._give_up_resume(packet)
        resume = self._end_partial(packet)
        lost = self._octets.jump()
        self._issue(packet, Layer.TCP, Kind.GAP, lost, 0)
        self.gaps += 1
        self.gap_octets += lost
        self._lose_step(MessageStatus.AFTER_GAP)
        if resume > self._octets.cursor:
            self._resume = resume
        self.run(packet)

    def finish(self, packet: Packet) -> None:
        """Let go of all that waits; the direction is out of step (decoding 7.6)."""
        while self._octets.waiting_octets:
            self.lose_hole(packet)
        self._give_up_resume(packet)
        self._end_partial(packet)
        self._lose_step(MessageStatus.RESYNCHRONISED)

    def _advance(self, packet: Packet) -> bool:
        # Each of the three gives whether the cutter should look again.
        if self._resume is not None:
            return self._take_up(self._resume)
        if self._in_step:
            return self._cut(packet)
        return self._search(packet)

    def _take_up(self, resume: int) -> bool:
        # decoding 7.4
        if self._octets.end < resume + HEADER_SIZE:
            return False
        self._resume = None
        if is_plausible(self._octets.peek(resume - self._octets.cursor, HEADER_SIZE)):
            self._octets.advance(resume)
            self._in_step = True
        return True

    def _give_up_resume(self, packet: Packet) -> None:
        if self._resume is not None:
            self._resume = None
            self.run(packet)

    def _cut(self, packet: Packet) -> bool:
        # decoding 7.1
        there = self._octets.end - self._octets.cursor
        start = self._octets.peek(0, HEADER_SIZE)
        if len(start) < HEADER_SIZE:
            if len(start) == there:
                return False
            length = legal_length(start) if len(start) >= COOKIE_END else 0
            if length > there:
                return False
            self._issue(packet, Layer.CONTROL, Kind.HEADER_CUT, HEADER_SIZE, len(start))
            if length:
                self._octets.advance(self._octets.cursor + length)
            else:
                self._lose_step(MessageStatus.RESYNCHRONISED)
            return True
        header = read_header(start)
        if not is_legal_length(header.length):
            nearest = HEADER_SIZE if header.length < HEADER_SIZE else MAXIMUM_LENGTH
            self._issue(packet, Layer.CONTROL, Kind.BAD_LENGTH, nearest, header.length)
            self._lose_step(MessageStatus.RESYNCHRONISED)
            return True
        if header.magic_cookie != MAGIC_COOKIE:
            self._issue(packet, Layer.CONTROL, Kind.WRONG_COOKIE, MAGIC_COOKIE, header.magic_cookie)
            self._lose_step(MessageStatus.RESYNCHRONISED)
            return True
        if there < header.length:
            return False
        self._message(packet, header, header.length)
        return True

    def _message(self, packet: Packet, header: Header, there: int) -> None:
        # decoding 7.2; `there` octets of it arrived, captured or not
        octets = self._octets.peek(0, there)
        status, segments = self._octets.advance(self._octets.cursor + there)
        status |= self._pending
        self._pending = 0
        if len(octets) < header.length:
            status |= MessageStatus.CUT.value
        status |= self._check(packet, header, octets)
        last = self._octets.highest or packet
        message, values = self._output.message(
            packet,
            last,
            self._connection,
            self._from_initiator,
            min(segments, _MOST_SEGMENTS),
            status,
            header,
            octets,
        )
        self.messages += 1
        if self.start is None and header.is_control and header.control_message_type in (_START_REQUEST, _START_REPLY):
            self.start = StartMessage(message, header.control_message_type == _START_REPLY, values)

    def _check(self, packet: Packet, header: Header, octets: bytes) -> int:
        code = header.control_message_type
        if not header.is_control:
            self._issue(packet, Layer.CONTROL, Kind.MANAGEMENT, 1, header.message_type)
            return MessageStatus.MANAGEMENT.value
        message = BY_CODE.get(code)
        if message is None:
            self._issue(packet, Layer.CONTROL, Kind.UNKNOWN_TYPE, 0, code)
            return MessageStatus.UNKNOWN_TYPE.value
        status = 0
        if header.length != message.size:
            self._issue(packet, Layer.CONTROL, Kind.WRONG_LENGTH, message.size, header.length)
            status |= MessageStatus.WRONG_LENGTH.value
        for width, length in number_lengths(code, octets):
            self._issue(packet, Layer.CONTROL, Kind.NUMBER_LENGTH, width, length)
            status |= MessageStatus.NUMBER_LENGTH.value
        if has_text_tail(code, octets):
            status |= MessageStatus.TEXT_TAIL.value
        return status

    def _search(self, packet: Packet) -> bool:
        # decoding 7.3
        there = self._octets.end - self._octets.cursor
        window = self._octets.peek(0, _WINDOW)
        found = find_plausible(window)
        if found >= 0:
            self._pass_over(found)
            self._tell_skipped(packet)
            self._in_step = True
            return True
        if len(window) == there:
            self._pass_over(max(0, there - _UNDECIDED))
            return False
        if len(window) == _WINDOW:
            self._pass_over(_WINDOW - _UNDECIDED)
            return True
        self._pass_over(len(window))
        self._pass_over(self._octets.unknown)
        return True

    def _end_partial(self, packet: Packet) -> int:
        # decoding 7.5; gives where the message in progress would have ended, 0 where there is none
        there = self._octets.end - self._octets.cursor
        if not self._in_step:
            self._pass_over(there)
            self._tell_skipped(packet)
            return 0
        if there == 0:
            return 0
        start = self._octets.peek(0, HEADER_SIZE)
        if len(start) < HEADER_SIZE:
            self._issue(packet, Layer.CONTROL, Kind.HEADER_CUT, HEADER_SIZE, len(start))
            self._octets.advance(self._octets.end)
            return 0
        header = read_header(start)
        resume = self._octets.cursor + header.length
        self._issue(packet, Layer.CONTROL, Kind.MESSAGE_CUT, header.length, there)
        self._message(packet, header, there)
        return resume

    def _pass_over(self, octets: int) -> None:
        self._octets.advance(self._octets.cursor + octets)
        self._passed += octets

    def _tell_skipped(self, packet: Packet) -> None:
        if self._passed:
            self._issue(packet, Layer.CONTROL, Kind.SKIPPED, 0, self._passed)
            self._passed = 0

    def _lose_step(self, reason: MessageStatus) -> None:
        self._in_step = False
        self._pending |= reason.value

    def _issue(self, packet: Packet, layer: Layer, kind: Kind, needed: int, had: int) -> None:
        self._output.issue(packet, self._connection, layer, kind, needed, had)

"""Assigns messages to calls, records what they say, and ends calls (decoding 10.1).

Knows the fields of messages.  Of tunnels it knows only that ids claim them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..wire.control import BY_CODE
from ..wire.status import CallEnd, CallKind, CallPresent, CallStatus, End, Kind, Layer
from .columns import Ended, Output, Told
from .echoes import Echoes
from .entities import Call, Key
from .events import Packet
from .tunnels import Tunnels

# Addresses of the initiator and of the responder of a connection.
Ends: TypeAlias = tuple[bytes, bytes]
# Echo-Requests of one side of a connection, by its row and whether that is the initiator.
EchoesOf: TypeAlias = Callable[[int, bool], Echoes]

_NAMES = {message.name: code for code, message in BY_CODE.items()}
_STOP = _NAMES["stop_control_connection_request"]
_STOP_REPLY = _NAMES["stop_control_connection_reply"]
_ECHO_REQUEST = _NAMES["echo_request"]
_ECHO_REPLY = _NAMES["echo_reply"]
_OUTGOING_REQUEST = _NAMES["outgoing_call_request"]
_OUTGOING_REPLY = _NAMES["outgoing_call_reply"]
_INCOMING_REQUEST = _NAMES["incoming_call_request"]
_INCOMING_REPLY = _NAMES["incoming_call_reply"]
_CONNECTED = _NAMES["incoming_call_connected"]
_CLEAR = _NAMES["call_clear_request"]
_DISCONNECT = _NAMES["call_disconnect_notify"]
_WAN_ERROR = _NAMES["wan_error_notify"]
_LINK_INFO = _NAMES["set_link_info"]

# Octets of a message that are read here.
_READ = {
    **dict.fromkeys((_OUTGOING_REQUEST, _INCOMING_REQUEST, _ECHO_REQUEST, _ECHO_REPLY), 16),
    _OUTGOING_REPLY: 20,
    **dict.fromkeys((_INCOMING_REPLY, _DISCONNECT), 18),
    **dict.fromkeys((_CONNECTED, _CLEAR, _WAN_ERROR, _LINK_INFO), 14),
    **dict.fromkeys((_STOP, _STOP_REPLY), 12),
}
_CONNECTS = 1
_ENDS = {
    End.FIN: CallEnd.FIN,
    End.RST: CallEnd.RST,
    End.NEW_CONNECTION: CallEnd.NEW_CONNECTION,
    End.EVICTED: CallEnd.EVICTED,
}
_BY_NOBODY = (End.NEW_CONNECTION, End.EVICTED)


class Calls:
    """All calls of one capture that messages tell of.

    Parameters
    ----------
    output : Output
        Takes issues.
    tunnels : Tunnels
        Takes claims.
    ends : callable
        Addresses of a connection by its row.
    echoes : callable
        Takes the echoes of connections.
    most : int
        Calls at most.
    """

    def __init__(
        self, output: Output, tunnels: Tunnels, ends: Callable[[int], Ends], echoes: EchoesOf, most: int
    ) -> None:
        self._output = output
        self._tunnels = tunnels
        self._ends = ends
        self._echoes = echoes
        self._most = most
        self.all: list[Call] = []
        # Calls that were not added because of the cap.
        self.unlisted = 0
        self._ids: dict[tuple[int, bool, int], Call] = {}
        # Of each connection, those that did not end, in the order in which they were made; the values mean nothing.
        self._open: dict[int, dict[Call, None]] = {}

    def message(self, told: Told) -> None:
        """A message was delivered."""
        if told.available < _READ.get(told.code, _NEVER):
            return
        sender = told.from_initiator
        if told.code in (_STOP, _STOP_REPLY):
            # A reply shows that the other side asked.
            by = sender if told.code == _STOP else not sender
            self._end_all(told.connection, CallEnd.STOP, by, told.packet, is_message=True)
            return
        if told.code == _ECHO_REQUEST:
            self._echoes(told.connection, sender).ask(_number(told.values, "identifier"), told.packet.time)
            return
        if told.code == _ECHO_REPLY:
            self._echoes(told.connection, not sender).answer(_number(told.values, "identifier"), told.packet.time)
            return
        call = self._of(told)
        if call is not None:
            call.see(told.packet)
            self._output.belongs(told.number, call.index)

    def _of(self, told: Told) -> Call | None:
        """The call of a message, which has taken effect on it; None without."""
        sender, values = told.from_initiator, told.values
        if told.code == _OUTGOING_REQUEST:
            return self._request(told, CallKind.OUTGOING, sender)
        if told.code == _INCOMING_REQUEST:
            return self._request(told, CallKind.INCOMING, not sender)
        if told.code == _OUTGOING_REPLY:
            return self._reply(told, CallKind.OUTGOING, not sender)
        if told.code == _INCOMING_REPLY:
            return self._reply(told, CallKind.INCOMING, sender)
        if told.code in (_CLEAR, _DISCONNECT):
            call = self._find(told, _number(values, "call_id"), sender, not sender)
        else:
            call = self._find(told, _number(values, "peer_call_id"), not sender)
        if call is not None:
            self._other(told, call)
        return call

    def in_vain(self, call: Call) -> dict[bool, int]:
        """How many of the last echoes of its connection the PNS, or the PAC, sent in vain until the call ended."""
        if not call.is_live:
            return call.in_vain
        sides = {of_pns: of_pns == call.pns_is_initiator for of_pns in (True, False)}
        return {of_pns: self._echoes(call.connection, is_one).in_vain for of_pns, is_one in sides.items()}

    def ended(self, ended: Ended) -> None:
        """A connection ended."""
        sender = None if ended.end in _BY_NOBODY else ended.from_initiator
        self._end_all(ended.connection, _ENDS[ended.end], sender, ended.now, is_message=False)

    def _request(self, told: Told, kind: CallKind, pns_is_initiator: bool) -> Call | None:
        call_id = _number(told.values, "call_id")
        known = self._ids.get((told.connection, told.from_initiator, call_id))
        call: Call | None
        if known is not None and known.kind is kind and known.request_message < 0 and known.is_live:
            # The capture has the reply in front of it.
            call = known
            call.status &= ~CallStatus.REQUEST_NOT_SEEN
        else:
            call = self._new(told, kind, pns_is_initiator)
            if call is None:
                return None
            call.request_packet = told.packet.number
        call.request_message = told.number
        call.serial = _number(told.values, "call_serial_number")
        call.present |= CallPresent.SERIAL
        self._tell(told, call, kind is CallKind.OUTGOING, call_id)
        return call

    def _reply(self, told: Told, kind: CallKind, pns_is_initiator: bool) -> Call | None:
        values = told.values
        is_outgoing = kind is CallKind.OUTGOING
        peer = _number(values, "peer_call_id")
        call = self._ids.get((told.connection, not told.from_initiator, peer))
        if call is None or call.kind is not kind:
            call = self._new(told, kind, pns_is_initiator)
            if call is None:
                return None
            call.status |= CallStatus.REQUEST_NOT_SEEN
            self._tell(told, call, is_outgoing, peer)
        if call.reply_message >= 0:
            return call
        call.reply_message = told.number
        call.present |= CallPresent.RESULT
        call.result, call.error = _number(values, "result_code"), _number(values, "error_code")
        if is_outgoing:
            call.cause = _number(values, "cause_code")
        if call.result != _CONNECTS:
            self._finish(call, CallEnd.REFUSED, not is_outgoing, told.packet)
            return call
        if is_outgoing:
            call.is_connected, call.connect_time = True, told.packet.time
        self._tell(told, call, not is_outgoing, _number(values, "call_id"))
        return call

    def _find(self, told: Told, call_id: int, *sides: bool) -> Call | None:
        """The call to which one of these sides gave the id, or a new one for a tunnel; an issue if there is none."""
        call, by = None, sides[0]
        for by in sides:
            call = self._ids.get((told.connection, by, call_id))
            if call is not None:
                break
        if call is None:
            for by in sides:
                tunnel = self._tunnels.current(self._key(told.connection, by, call_id))
                if tunnel is None:
                    continue
                if tunnel.call is None:
                    call = self._of_tunnel(told, by, call_id)
                    if call is None:
                        return None
                break
        if call is None:
            self._output.issue(told.now, told.connection, Layer.CONTROL, Kind.UNKNOWN_CALL, 0, call_id)
        elif by is not sides[0]:
            call.status |= CallStatus.OTHER_ID
        return call

    def _of_tunnel(self, told: Told, by: bool, call_id: int) -> Call | None:
        """A call of which nothing but its tunnel was seen."""
        is_from_pns = told.code in (_CLEAR, _LINK_INFO)
        call = self._new(told, CallKind.UNKNOWN, told.from_initiator == is_from_pns)
        if call is None:
            return None
        call.status |= CallStatus.REQUEST_NOT_SEEN
        self._tell(told, call, by == call.pns_is_initiator, call_id)
        return call

    def _other(self, told: Told, call: Call) -> None:
        values, packet = told.values, told.packet
        if told.code == _CONNECTED:
            if call.kind is CallKind.INCOMING:
                call.is_connected = True
                call.connect_time = packet.time if call.connect_time is None else call.connect_time
        elif told.code == _CLEAR:
            call.clear_time = packet.time if call.clear_time is None else call.clear_time
            self._finish(call, CallEnd.CALL_CLEAR, told.from_initiator == call.pns_is_initiator, packet)
        elif told.code == _WAN_ERROR:
            call.wan_error_notifies += 1
        elif told.code == _LINK_INFO:
            call.set_link_infos += 1
        elif not call.present & CallPresent.DISCONNECT:
            call.present |= CallPresent.DISCONNECT
            call.disconnect_message, call.disconnect_time = told.number, packet.time
            call.disconnect_result = _number(values, "result_code")
            call.disconnect_error = _number(values, "error_code")
            call.disconnect_cause = _number(values, "cause_code")
            from_pns = told.from_initiator == call.pns_is_initiator
            self._finish(call, CallEnd.DISCONNECT_NOTIFY, from_pns, packet)

    def _new(self, told: Told, kind: CallKind, pns_is_initiator: bool) -> Call | None:
        """A new call; None at the cap."""
        if len(self.all) >= self._most:
            if not self.unlisted:
                self._output.entity_limit(told.now, told.connection, Layer.CONTROL, self._most)
            self.unlisted += 1
            return None
        call = Call(self._ids, len(self.all), told.connection, kind, pns_is_initiator)
        self.all.append(call)
        self._open.setdefault(told.connection, {})[call] = None
        return call

    def _tell(self, told: Told, call: Call, of_pns: bool, call_id: int) -> None:
        """A message tells the id that this side gave (decoding 10.2.2)."""
        call.give_id(of_pns, call_id)
        key = self._key(call.connection, of_pns == call.pns_is_initiator, call_id)
        former = self._tunnels.claim(call, key, of_pns)
        if former is not None and former.is_live:
            for one, other in ((call, former), (former, call)):
                one.status |= CallStatus.SHARED_ID
                self._output.issue(told.now, one.connection, Layer.CONTROL, Kind.SHARED_ID, other.index, call_id)

    def _key(self, connection: int, to_initiator: bool, call_id: int) -> Key:
        initiator, responder = self._ends(connection)
        return (responder, initiator, call_id) if to_initiator else (initiator, responder, call_id)

    def _finish(self, call: Call, end: CallEnd, from_pns: bool, packet: Packet) -> None:
        call.in_vain = self.in_vain(call)
        call.finish(end, from_pns, packet)
        self._open[call.connection].pop(call, None)

    def _end_all(self, connection: int, end: CallEnd, sender: bool | None, packet: Packet, *, is_message: bool) -> None:
        for call in list(self._open.setdefault(connection, {})):
            if is_message:
                call.see(packet)
            self._finish(call, end, sender is not None and sender == call.pns_is_initiator, packet)


# Longer than any message.
_NEVER = 1 << 16


def _number(values: dict[str, int | bytes], name: str) -> int:
    number = values[name]
    assert isinstance(number, int)
    return number

"""Control messages of calls, and conversations in which they stand among packets of Enhanced GRE.

Typed from RFC 2637; imports nothing of the package.
"""

from __future__ import annotations

import struct
from typing import Any, Self

from builder import Conversation, Record, control, gre, gre_frame

CLIENT_SIDE, SERVER_SIDE = 0, 1
# An inner IPv4 header's first octets, behind the compressed PPP protocol.
INNER = b"\x21\x45\x00"


def stop() -> bytes:
    """Stop-Control-Connection-Request, 16 octets."""
    return control(3, struct.pack(">BBH", 1, 0, 0))


def outgoing_request(call_id: int, serial: int = 0, **more: int) -> bytes:
    """168 octets."""
    return control(7, struct.pack(">HH152x", call_id, serial), **more)


def outgoing_reply(call_id: int, peer: int, result: int = 1, error: int = 0, cause: int = 0) -> bytes:
    """32 octets."""
    return control(8, struct.pack(">HHBBH12x", call_id, peer, result, error, cause))


def incoming_request(call_id: int, serial: int = 0) -> bytes:
    """220 octets."""
    return control(9, struct.pack(">HH204x", call_id, serial))


def incoming_reply(call_id: int, peer: int, result: int = 1, error: int = 0) -> bytes:
    """24 octets."""
    return control(10, struct.pack(">HHBB6x", call_id, peer, result, error))


def connected(peer: int) -> bytes:
    """Incoming-Call-Connected, 28 octets."""
    return control(11, struct.pack(">H14x", peer))


def clear(call_id: int) -> bytes:
    """Call-Clear-Request, 16 octets."""
    return control(12, struct.pack(">H2x", call_id))


def disconnect(call_id: int, result: int = 1, error: int = 0, cause: int = 0) -> bytes:
    """Call-Disconnect-Notify, 148 octets."""
    return control(13, struct.pack(">HBBH2x128x", call_id, result, error, cause))


def wan_error(peer: int) -> bytes:
    """WAN-Error-Notify, 40 octets."""
    return control(14, struct.pack(">H26x", peer))


def link_info(peer: int) -> bytes:
    """Set-Link-Info, 24 octets."""
    return control(15, struct.pack(">H10x", peer))


class Session(Conversation):
    """A control connection whose sides say one message after the other, each in a packet of its own, and their GRE.

    The client is at 10.0.0.2 and begins the connection in packets 1 to 3 unless `begins` is false.  Sessions that are
    given the same list of packets stand in one capture.
    """

    def __init__(self, packets: list[bytes | Record] | None = None, *, begins: bool = True, **more: Any) -> None:
        super().__init__(**more)
        if packets is not None:
            self.packets = packets
        self.said = [0, 0]
        if begins:
            self.handshake()

    def say(self, side: int, *messages: bytes, flags: str = "A", snap: int | None = None) -> Self:
        """One packet with these messages."""
        data = b"".join(messages)
        self.add(side, self.said[side], data, flags, self.said[1 - side], snap)
        self.said[side] += len(data)
        return self

    def client_says(self, *messages: bytes, **more: Any) -> Self:
        return self.say(CLIENT_SIDE, *messages, **more)

    def server_says(self, *messages: bytes, **more: Any) -> Self:
        return self.say(SERVER_SIDE, *messages, **more)

    def outgoing(self, client_id: int, server_id: int, serial: int = 0) -> Self:
        """The client calls, and the server connects, in two packets."""
        return self.client_says(outgoing_request(client_id, serial)).server_says(outgoing_reply(server_id, client_id))

    def tunnelled(
        self, side: int, call_id: int, sequence: int | None = None, ack: int | None = None, payload: bytes = INNER
    ) -> Self:
        """A packet of Enhanced GRE that this side sends: the id is the one that the other side gave."""
        packet = gre(b"" if sequence is None else payload, call_id, sequence, ack)
        self.packets.append(gre_frame(packet, self.ends[side][0], self.ends[1 - side][0]))
        return self

    def client_sends(
        self, call_id: int, sequence: int | None = None, ack: int | None = None, payload: bytes = INNER
    ) -> Self:
        return self.tunnelled(CLIENT_SIDE, call_id, sequence, ack, payload)

    def server_sends(
        self, call_id: int, sequence: int | None = None, ack: int | None = None, payload: bytes = INNER
    ) -> Self:
        return self.tunnelled(SERVER_SIDE, call_id, sequence, ack, payload)

    def after(self, seconds: int, microseconds: int = 0) -> Self:
        """The last packet comes so long behind the first second of the capture, whatever its number."""
        last = self.packets[-1]
        data = last.data if isinstance(last, Record) else last
        self.packets[-1] = Record(data, seconds=1_600_000_000 + seconds, fraction=microseconds)
        return self


# ---- PPP


def octets(text: str) -> bytes:
    """Hexadecimal digits, with blanks anywhere."""
    return bytes.fromhex(text.replace(" ", ""))


def packet(protocol: str, code: int, body: str = "") -> str:
    """A control packet with identifier 7 and its right length."""
    return f"{protocol} {code:02x}07{4 + len(octets(body)):04x} {body}"


def packets(*texts: tuple[int, str]) -> list[bytes]:
    """A packet of the client, then these of either side, each with a sequence number, and no control connection."""
    talk = Session(begins=False).client_sends(0x22, 0)
    for number, (side, text) in enumerate(texts, 1):
        talk.tunnelled(side, 0x22 if side == CLIENT_SIDE else 0x11, number, payload=octets(text))
    return talk.frames()

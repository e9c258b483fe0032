"""What a scan returns to the assembler: one plain object for each thing found in a packet.

Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from ..wire.carriers import Carrier
from ..wire.status import Kind, Layer
from .layers import Layers


class Packet(NamedTuple):
    """Where and when: what every row and issue says of its packet.

    `number` counts from 1 through the capture, `time` is ns since 1970 (None where the record is
    damaged), `time_fraction` says that the fraction is a second or more.
    """

    number: int
    time: int | None
    file: int
    record_offset: int
    time_fraction: bool = False


class Sighting(NamedTuple):
    """What tells whether two packets are the same IP packet, and where it was seen (decoding 4b).

    Parameters
    ----------
    identification : int
        Of the IPv4 header, 0 in IPv6.
    content : tuple of int or bytes
        What no other field of the event says of its octets.
    vantage : tuple
        Link header, interface, and TTL or hop limit.
    """

    identification: int
    content: tuple[int | bytes, ...]
    vantage: tuple[bytes, int, int]


class Issue(NamedTuple):
    """One row of ``issues`` that concerns no connection."""

    packet: Packet
    layer: Layer
    kind: Kind
    needed: int
    had: int


class FragmentKey(NamedTuple):
    """What the fragments of one datagram share; `version` keeps IPv4 and IPv6 apart."""

    version: int
    source: bytes
    destination: bytes
    protocol: int
    identification: int


@dataclass(slots=True)
class Fragment:
    """One IP fragment: `length` octets on the wire at `offset`, the first of them in `octets`."""

    packet: Packet
    key: FragmentKey
    offset: int
    length: int
    octets: bytes
    more: bool
    headers: int
    sighting: Sighting
    layers: Layers


class Checksum(Enum):
    """What is known of a TCP checksum."""

    UNKNOWN = auto()
    VERIFIES = auto()
    WRONG = auto()


@dataclass(slots=True)
class Segment:
    """One TCP segment of a control port: `length` data octets on the wire, the first in `octets`."""

    packet: Packet
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    sequence_number: int
    acknowledgment_number: int
    flags: int
    length: int
    octets: bytes
    checksum: Checksum
    fragmented: bool
    sighting: Sighting
    layers: Layers


class Option(NamedTuple):
    """One option of a PPP packet: type, length, and the data behind these."""

    type: int
    length: int
    data: bytes


class ControlPacket(NamedTuple):
    """One row of ``ppp``, with its options, and its octets from the code on as far as they are captured."""

    protocol: int
    code: int
    identifier: int
    length: int
    octets: bytes
    options: tuple[Option, ...]
    status: int


class GrePacket(NamedTuple):
    """One row of ``gre`` with the addresses that make its tunnel, and what is captured of its payload."""

    packet: Packet
    source: bytes
    destination: bytes
    flags_and_version: int
    call_id: int
    payload_length: int
    sequence_number: int
    acknowledgment_number: int
    ppp_protocol: int
    payload: bytes
    status: int
    control: ControlPacket | None
    sighting: Sighting
    layers: Layers


Event: TypeAlias = Issue | Fragment | Segment | GrePacket


class Findings:
    """What the walks of packets find: counters, and events in order.

    Parameters
    ----------
    counters : iterable of str
        Keys of the counters.
    """

    # Rows and segments that come out of IP fragments carry a status (decoding 4.4).
    reassembled = False
    # Of the present packet.
    vantage: tuple[bytes, int, int] = (b"", 0, 0)
    identification = 0
    layers = Layers()
    # Carriers in front of where its walk is.
    carriers = 0

    def __init__(self, counters: Iterable[str]) -> None:
        self.counters: dict[str, int] = dict.fromkeys(counters, 0)
        self.events: list[Event] = []
        # Offset in the file of each packet's record or block; ~offset of each header of a file, section or interface.
        self.places: list[int] = []
        # Packets inside carriers that are not followed, and the first of them.
        self.unfollowed: dict[Carrier, tuple[int, Packet]] = {}

    def count(self, counter: str) -> None:
        """Count one frame, or one thing in it."""
        self.counters[counter] += 1

    def not_followed(self, packet: Packet, carrier: Carrier) -> None:
        """Count a packet whose carrier was recognised while what it holds is not followed (decoding 2c)."""
        packets, first = self.unfollowed.get(carrier, (0, packet))
        self.unfollowed[carrier] = packets + 1, first

    def sighting(self, *content: int | bytes) -> Sighting:
        """The sighting of the present packet."""
        return Sighting(self.identification, content, self.vantage)

    def issue(self, packet: Packet, layer: Layer, kind: Kind, needed: int, had: int) -> None:
        """Add an issue."""
        self.events.append(Issue(packet, layer, kind, needed, had))

"""What each kind of issue means: how bad it is, its layers and numbers, and what a reader of the capture can do.

Knows no packet and no engine; ``status`` has the numbers of the kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

from .status import Kind, Layer, Severity

_CONTAINER, _LINK, _IP, _TCP, _CONTROL, _GRE, _PPP = ((layer,) for layer in Layer)


@dataclass(frozen=True)
class Meaning:
    """One kind of issue.

    Parameters
    ----------
    severity : Severity
        What it says of the capture.
    layers : tuple of Layer
        Layers in which it is found.
    needed, had : str
        What the columns of these names hold.
    advice : str
        What to do about it.
    """

    severity: Severity
    layers: tuple[Layer, ...]
    needed: str
    had: str
    advice: str


_CUT_FILE = "Nothing can be done: the file ends there. Packets before it are complete."
_SALVAGE = 'Read with `on_corrupt="salvage"` to continue behind it.'
_SNAP_LENGTH = "Capture with a larger snap length."
_CAP = "No option raises this cap: report real traffic that reaches it."
_LOSS = "Look for packets that the capture dropped."
_SENDER = "Look at the sender: no correct implementation sends this."
_NOISE = "None, unless many packets have it: then suspect the network or an attack."

MEANINGS: dict[Kind, Meaning] = {
    Kind.TRUNCATED_RECORD: Meaning(Severity.DAMAGE, _CONTAINER, "octets that the record or block needs", "octets that the file has", _CUT_FILE),
    Kind.CORRUPT_RECORD: Meaning(Severity.DAMAGE, _CONTAINER, "the cap `captured_length`", "captured length", _SALVAGE),
    Kind.CAPTURED_EXCEEDS_ORIGINAL: Meaning(Severity.DAMAGE, _CONTAINER, "original length", "captured length", "Distrust the tool that wrote the file."),
    Kind.TIME_FRACTION: Meaning(Severity.DAMAGE, _CONTAINER, "ticks in a second", "fraction of the second", "Distrust the times of the packet."),
    Kind.CORRUPT_BLOCK: Meaning(Severity.DAMAGE, _CONTAINER, "the right value, or the nearest one", "value found", _SALVAGE),
    Kind.UNKNOWN_INTERFACE: Meaning(Severity.DAMAGE, _CONTAINER, "interfaces of the section", "interface number", "Look for a block that is missing or was skipped."),
    Kind.BAD_OPTION: Meaning(Severity.DAMAGE, _CONTAINER, "the right length, or the greatest right value", "value found", "Distrust the times of the interface."),
    Kind.TIME_RANGE: Meaning(Severity.DAMAGE, _CONTAINER, "0", "whole seconds of the time", "The packet has no time; all else of it is read."),
    Kind.CAPTURED_EXCEEDS_BLOCK: Meaning(Severity.DAMAGE, _CONTAINER, "captured length", "octets that the block has room for", "Distrust the tool that wrote the file; the packet is not read."),
    Kind.UNSUPPORTED_LINK: Meaning(Severity.NOTE, _LINK, "interface number", "link type", "Capture on an interface with a supported link type; see docs/supported.md."),
    Kind.FRAME_CUT: Meaning(Severity.LOSS, _LINK, "octets that the header needs", "octets captured", _SNAP_LENGTH),
    Kind.TOO_DEEP: Meaning(Severity.LIMIT, (Layer.LINK, Layer.IP), "the cap `link_headers`, `network_headers`, `extension_headers` or `carriers`", "the cap + 1", _CAP),
    Kind.UNFOLLOWED: Meaning(Severity.NOTE, (Layer.LINK, Layer.IP), "number of the Carrier", "packets of the file", "PPTP inside them is not seen: capture in front of the tunnel; see docs/supported.md."),
    Kind.INTERFACE_LIMIT: Meaning(Severity.LIMIT, _CONTAINER, "the cap `interfaces`", "the cap + 1", _CAP),
    Kind.CORRUPT_COMPRESSION: Meaning(Severity.DAMAGE, _CONTAINER, "octets decompressed before", "0", "Get the file again; what was decompressed before is read."),
    Kind.SKIPPED_OCTETS: Meaning(Severity.DAMAGE, _CONTAINER, "offset at which the walk continues", "octets skipped, from the corrupt record on", "Count the packets in between as lost."),
    Kind.CLOCK_BACK: Meaning(Severity.NOTE, _CONTAINER, "0", "ns by which the time lies before that of the last packet with one", "Distrust times and durations around the packet: look for a clock that was set, or files in the wrong order."),
    Kind.CLOCK_STANDS: Meaning(Severity.NOTE, _CONTAINER, "0", "packets, all with one time", "Distrust all times and durations of the capture."),
    Kind.HEADER_CUT: Meaning(Severity.LOSS, (Layer.IP, Layer.TCP, Layer.CONTROL, Layer.GRE), "octets that the header needs", "octets captured", _SNAP_LENGTH),
    Kind.MALFORMED: Meaning(Severity.VIOLATION, (Layer.IP, Layer.TCP, Layer.GRE), "nearest legal value", "value found", _SENDER),
    Kind.LENGTH_EXCEEDS_FRAME: Meaning(Severity.VIOLATION, _IP, "octets that the header claims", "octets on the wire", "Look at the sender, or distrust the original length in the record."),
    Kind.FRAGMENT_CONFLICT: Meaning(Severity.VIOLATION, _IP, "octets compared", "octets that differ, 0 if only the ends do", "Suspect an attack, or identifications that wrap."),
    Kind.FRAGMENT_INCOMPLETE: Meaning(Severity.LOSS, _IP, "packet of the fragment that came first", "octets that arrived", _LOSS),
    Kind.FRAGMENT_TOO_LONG: Meaning(Severity.VIOLATION, _IP, "the cap `datagram_length`", "offset + length", _SENDER),
    Kind.FRAGMENT_LIMIT: Meaning(Severity.LIMIT, _IP, "the cap `fragments`", "the cap + 1", _CAP),
    Kind.GAP: Meaning(Severity.LOSS, _TCP, "octets lost", "0", _LOSS),
    Kind.OVERLAP_CONFLICT: Meaning(Severity.VIOLATION, _TCP, "octets compared", "octets that differ", "Suspect an attack, or a middlebox that rewrites."),
    Kind.OUT_OF_WINDOW: Meaning(Severity.NOTE, _TCP, "distance that is too far", "distance found", _NOISE),
    Kind.RESET_IGNORED: Meaning(Severity.NOTE, _TCP, "distance that is too far", "distance found", "Suspect a forged reset."),
    Kind.EVICTED: Meaning(Severity.LIMIT, _TCP, "the cap `connections` or `held_octets`", "value found", "Raise `max_memory` if it was given; messages of the connection can be lost."),
    Kind.WAITING_LIMIT: Meaning(Severity.LIMIT, _TCP, "the cap `pieces` or `waiting_octets`", "value found", _LOSS),
    Kind.BAD_CHECKSUM: Meaning(Severity.VIOLATION, _TCP, "checksum that verifies", "checksum found", "Suspect a network or a middlebox that damages packets."),
    Kind.MESSAGE_CUT: Meaning(Severity.LOSS, _CONTROL, "length of the message", "octets that arrived", _LOSS),
    Kind.WRONG_LENGTH: Meaning(Severity.VIOLATION, _CONTROL, "size of the type", "length", _SENDER),
    Kind.WRONG_COOKIE: Meaning(Severity.VIOLATION, _CONTROL, "0x1A2B3C4D", "cookie found", "Suspect another protocol on the control port."),
    Kind.BAD_LENGTH: Meaning(Severity.VIOLATION, _CONTROL, "nearest legal length", "length", "Suspect another protocol on the control port."),
    Kind.UNKNOWN_TYPE: Meaning(Severity.VIOLATION, _CONTROL, "0", "control message type", _SENDER),
    Kind.MANAGEMENT: Meaning(Severity.VIOLATION, _CONTROL, "1", "message type", "RFC 2637 defines no management message: look at the sender."),
    Kind.SKIPPED: Meaning(Severity.VIOLATION, _CONTROL, "0", "octets skipped in search of a header", "Messages in these octets are not read."),
    Kind.NUMBER_LENGTH: Meaning(Severity.VIOLATION, _CONTROL, "width of the field", "length given", _SENDER),
    Kind.WRONG_VERSION: Meaning(Severity.VIOLATION, _GRE, "1", "version", _SENDER),
    Kind.FORBIDDEN_FLAGS: Meaning(Severity.VIOLATION, _GRE, "0", "the forbidden bits", _SENDER),
    Kind.NO_KEY: Meaning(Severity.VIOLATION, _GRE, "0x2000, the K bit", "0", _SENDER),
    Kind.PAYLOAD_SHORT: Meaning(Severity.VIOLATION, _GRE, "payload length", "octets on the wire", _SENDER),
    Kind.NO_SEQUENCE: Meaning(Severity.VIOLATION, _GRE, "0", "payload length", "Suspect injected packets: a PPTP endpoint drops them."),
    Kind.NO_PROTOCOL: Meaning(Severity.VIOLATION, _PPP, "0", "octets of the payload", _SENDER),
    Kind.PPP_OPTION: Meaning(Severity.VIOLATION, _PPP, "octets left; 2 if one is left", "length of the option", _SENDER),
    Kind.PPP_OPTION_LIMIT: Meaning(Severity.LIMIT, _PPP, "the cap `ppp_options`", "the cap + 1", _CAP),
    Kind.PPP_LENGTH: Meaning(Severity.VIOLATION, _PPP, "nearest legal length", "length", _SENDER),
    Kind.PPP_FIELD: Meaning(Severity.VIOLATION, _PPP, "octets that lengths inside claim", "octets behind the head", _SENDER),
    Kind.UNKNOWN_CALL: Meaning(Severity.NOTE, _CONTROL, "0", "call id of the message", "Check whether the capture starts after the request of the call."),
    Kind.SHARED_ID: Meaning(Severity.NOTE, _CONTROL, "row in calls of the other call", "the call id", "Nothing tells the packets of the two calls apart: look for clients behind one address, or a call whose end was not captured."),
    Kind.ENTITY_LIMIT: Meaning(Severity.LIMIT, (Layer.TCP, Layer.CONTROL, Layer.GRE), "the cap `connection_rows`, `calls` or `tunnels`", "the cap + 1", "Raise `max_memory` if it was given; later connections, calls or tunnels have no row."),
    Kind.ZEROS: Meaning(Severity.DAMAGE, _CONTAINER, "offset at which they end", "octets that are all 0", "Count what stood there as lost, unless the file was allocated before it was written."),
    Kind.NO_PACKETS: Meaning(Severity.NOTE, _CONTAINER, "1", "0", "Look whether the capture had ended, or was written to the disk, when the file was copied."),
    Kind.FILES_OUT_OF_ORDER: Meaning(Severity.NOTE, _CONTAINER, "number of the file in front", "number of the file that begins before that one ended", 'Read with `order="time"`, or list the files in the order of their first packets.'),
    Kind.NO_CAPTURE: Meaning(Severity.NOTE, _CONTAINER, "0", "its first 4 octets as a number", "None, if the archive has it for another purpose. Else convert it, as with `editcap -F pcapng`."),
    Kind.LOCAL_TIME: Meaning(Severity.NOTE, _CONTAINER, "0", "0", "Shift times by the zone of the machine that captured, if it is known."),
    Kind.MISSING_RECORDS: Meaning(Severity.DAMAGE, _CONTAINER, "records that the file lists", "of these, records that are not there or corrupt", "Get the file again, or count these packets as lost."),
    Kind.DROPPED_PACKETS: Meaning(Severity.LOSS, _CONTAINER, "0", "packets that the capture dropped", "Expect gaps; capture with a larger buffer or a filter."),
    Kind.BEGUN_ANEW: Meaning(Severity.NOTE, _CONTAINER, "octets of the file that were read", "octets that it has now", "Expect gaps if something was written and not read: give each file of a rotation a name of its own."),
}  # fmt: skip

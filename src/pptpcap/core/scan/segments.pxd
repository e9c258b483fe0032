"""What a scan hands to the stages behind it, as it stands in the scanned data: TCP segments, fragments, PPP packets."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from ..base.keys cimport Key
from ..base.packets cimport Packet


cdef enum Checksum:
    CHECKSUM_UNKNOWN
    CHECKSUM_VERIFIES
    CHECKSUM_WRONG


cdef struct Sighting:
    # Of an IP packet, what no other field says, the identification above it; a digest of where it was seen.
    uint32_t facts
    uint32_t vantage


cdef struct Segment:
    Packet packet
    const uint8_t* data
    uint8_t source[16]
    uint8_t destination[16]
    Sighting sighting
    uint64_t layers
    uint32_t sequence
    uint32_t acknowledgment
    # Octets of data in the capture, and on the wire.
    uint32_t captured
    uint32_t wire
    uint16_t source_port
    uint16_t destination_port
    uint8_t flags
    uint8_t checksum


cdef struct Fragment:
    Packet packet
    Sighting sighting
    # Source, destination, protocol and identification, as a table key without layers.
    Key key
    uint64_t layers
    uint8_t version
    uint8_t protocol
    bint more
    int64_t headers
    int64_t position
    const uint8_t* data
    int64_t captured
    int64_t wire


cdef struct PppBody:
    # The octets of a PPP control packet from its code on, in the scanned data.
    const uint8_t* octets
    int64_t available

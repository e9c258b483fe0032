"""The state of tunnels and calls.

Structs only.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from libc.string cimport memset

from ..base.buffers cimport Buffer
from ..base.keys cimport Key, pack_layers
from ..base.numbers cimport ConnectionRow, ContentsRow, FiguresRow
from ..base.table cimport HashTable
from ..stream.copies cimport Copies
from .negotiation cimport Negotiation


cdef enum:
    # Of the two sides of a call; what each sends, says and gave is at its role.
    PNS
    PAC


cdef enum:
    # In the place of an index.
    NO_ROOM = -1
    NO_MEMORY = -2


cdef struct Moment:
    uint64_t packet
    int64_t time


cdef struct Range:
    int64_t low
    int64_t high


cdef struct Timed:
    int64_t position
    int64_t time


cdef struct Tunnel:
    FiguresRow figures
    ContentsRow contents
    # Positions: the range of the highest number is here, the ranges below it, lowest first, are at `below`.
    int64_t low
    int64_t highest
    Range* below
    # Numbers from 0 on that came.
    uint64_t came
    # A ring of packets that wait for their acknowledgment, lowest position first.
    Timed* timed
    int64_t ack_delay_sum
    Negotiation* negotiation
    Moment first
    # The last two packets; that before the last is packet 0 where there is none.
    Moment before
    Moment last
    int32_t partner
    int32_t call
    uint64_t layers
    uint32_t generation
    uint16_t call_id
    # The role of the side to which it leads, where it belongs to a call.
    uint8_t role
    # It holds its key.
    uint8_t current
    # It joined its call by its addresses alone.
    uint8_t inferred
    # What it carries as compressed is MPPE's.
    uint8_t encrypted
    uint8_t below_count
    uint8_t below_capacity
    uint8_t timed_first
    uint8_t timed_count
    uint8_t timed_capacity
    uint8_t source[16]
    uint8_t destination[16]


cdef struct Call:
    # Rows of `messages`, -1 where there is none.
    int64_t request
    int64_t reply
    int64_t disconnect
    uint64_t request_packet
    # That of the end.
    uint64_t end_packet
    Moment first
    Moment last
    int64_t connect_time
    int64_t clear_time
    int64_t disconnect_time
    int64_t end_time
    int32_t connection
    # What each role sends, -1 without.
    int32_t tunnel[2]
    uint16_t call_id[2]
    uint16_t serial
    uint16_t status
    uint16_t present
    uint16_t cause
    uint16_t disconnect_cause
    uint32_t set_link_infos
    uint32_t wan_error_notifies
    uint8_t kind
    uint8_t result
    uint8_t error
    uint8_t disconnect_result
    uint8_t disconnect_error
    uint8_t end
    uint8_t end_from_pns
    # By its reply, or by Incoming-Call-Connected.
    uint8_t connected
    # Which side of its connection is the PNS: 0 the initiator, 1 the responder.
    uint8_t pns_side
    # When it ended: a bit for each side of its connection whose last echoes nobody had answered.
    uint8_t unanswered
    # Among the calls of its connection that did not end, -1 at either end.
    int32_t before
    int32_t behind


cdef struct Holder:
    # Of a key: its current tunnel, else the call that waits for one and the role that gave the id, else -1.
    int32_t tunnel
    int32_t call
    uint8_t role
    uint32_t generation


cdef struct Relations:
    # Source, destination, call id; source, destination of the tunnel made last.  By their numbers, who holds them.
    HashTable keys
    Buffer holders
    Buffer tunnels
    Buffer calls
    # Connection, side, id; by their numbers, the call to which the id was given last.
    HashTable ids
    Buffer id_calls
    # Of each connection, its first call that did not end, plus one.
    Buffer open
    Buffer issues
    # Of rows with a sequence number, and without.
    Copies copies
    Copies ack_copies
    # Caps on tunnels and on calls that messages tell of; rows and calls for which there was no room.
    int64_t most_tunnels
    int64_t most_calls
    uint64_t gre_unlisted
    uint64_t calls_unlisted
    # Of the layers of a packet, those that are part of keys: all or none.
    uint64_t key_layers
    bint identities
    bint failed


cdef inline uint64_t layers_of(const Relations* state, const ConnectionRow* row) noexcept nogil:
    """The layers of a connection, as keys have them."""
    return pack_layers(row.vlan, row.inner_vlan, row.carrier, row.network_id) & state.key_layers


cdef inline Tunnel* tunnel_at(const Relations* state, int32_t index) noexcept nogil:
    return <Tunnel*>state.tunnels.data + index


cdef inline Call* call_at(const Relations* state, int32_t index) noexcept nogil:
    return <Call*>state.calls.data + index


cdef inline void id_key(Key* key, int32_t connection, int side, uint16_t call_id) noexcept nogil:
    memset(key, 0, sizeof(Key))
    key.words[0] = <uint32_t>connection
    key.words[1] = (<uint32_t>side << 16) | call_id

"""From rows of Enhanced GRE to tunnels (decoding 8.6): numbers at first sight, in the order of packets."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from .buffers cimport Buffer, buffer_at, buffer_push, buffer_reserve
from .numbers cimport GRE_ACKNOWLEDGMENT_PRESENT, GRE_SEQUENCE_PRESENT, GreRow, TunnelRow
from .table cimport Key, Slot, Table, table_find, table_insert


cdef inline int32_t tunnel_of(Table* table, Buffer* tunnels, const Key* key, const GreRow* row) noexcept nogil:
    """The tunnel of a flow, a new one where it was never seen; -1 when memory is out."""
    cdef TunnelRow* tunnel
    cdef Slot* slot = table_find(table, key)
    if slot != NULL:
        return <int32_t>(slot.value - 1)
    if not buffer_reserve(tunnels, 1) or not table_insert(table, key, <uint32_t>tunnels.count):
        return -1
    tunnel = <TunnelRow*>buffer_push(tunnels)
    memset(tunnel, 0, sizeof(TunnelRow))
    memcpy(tunnel.source, &key.words[0], 16)
    memcpy(tunnel.destination, &key.words[2], 16)
    tunnel.call_id = <uint16_t>key.words[4]
    tunnel.first_time = row.time
    tunnel.first_packet = row.packet
    return <int32_t>(tunnels.count - 1)


cdef inline void add_to_tunnel(TunnelRow* tunnel, const GreRow* row) noexcept nogil:
    tunnel.last_time = row.time
    tunnel.last_packet = row.packet
    if row.flags_and_version & GRE_SEQUENCE_PRESENT:
        if tunnel.packets == 0:
            tunnel.first_sequence = row.sequence_number
            tunnel.last_sequence = row.sequence_number
        elif <int32_t>(row.sequence_number - tunnel.last_sequence) > 0:
            tunnel.last_sequence = row.sequence_number
        tunnel.packets += 1
        tunnel.payload_octets += row.payload_length
    elif row.flags_and_version & GRE_ACKNOWLEDGMENT_PRESENT:
        tunnel.acks += 1


cdef inline bint relate(
    Table* table, Buffer* tunnels, int32_t* numbers, const Key* keys, GreRow* rows, Py_ssize_t count
) noexcept nogil:
    """Change the index of a flow in its scan into that of its tunnel, row by row.

    `numbers` has one entry a flow of the scan, -1 at first.  False when memory is out.
    """
    cdef GreRow* row
    cdef Py_ssize_t index
    cdef int32_t flow
    for index in range(count):
        row = &rows[index]
        flow = row.tunnel
        if flow < 0:
            continue
        if numbers[flow] < 0:
            numbers[flow] = tunnel_of(table, tunnels, &keys[flow], row)
            if numbers[flow] < 0:
                return False
        row.tunnel = numbers[flow]
        add_to_tunnel(<TunnelRow*>buffer_at(tunnels, row.tunnel), row)
    return True

"""Every cap on state.  Reaching one is an issue, never a crash.

Must not know packets.  Tests pass smaller caps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limits:
    """Caps on what traffic may make the decoder hold.

    Parameters
    ----------
    captured_length : int
        Octets of one record; a record that claims more is corrupt (libpcap's own cap).
    block_length : int
        Octets of one pcapng block; one that claims more is corrupt.
    interfaces : int
        Interfaces of one pcapng section.
    link_headers : int
        VLAN tags and MPLS labels in front of the network layer.
    network_headers : int
        IPv4 and IPv6 headers in one packet, counted from the outermost.
    extension_headers : int
        IPv6 extension headers of one IPv6 header.
    datagrams : int
        IP datagrams in reassembly at once; the least recently touched gives way.
    datagram_length : int
        Octets of one reassembled IP payload.
    fragments : int
        Extents of one datagram in reassembly.
    ppp_options : int
        Options of one PPP packet that are listed.
    connections : int
        Control connections with live state; the least recently seen gives way.
    connection_rows : int
        Rows of ``connections`` in one capture; messages of later connections are decoded and point to no row.
    tunnels : int
        Rows of ``tunnels`` in one capture; packets of later tunnels are decoded and point to no row.
    calls : int
        Calls of one capture that messages tell of; messages of later calls are decoded and belong to no call.
    pieces : int
        Segments of one direction that wait behind a hole.
    waiting_octets : int
        Octets (as on the wire) of one direction that wait behind a hole.
    history : int
        Delivered octets of one direction kept to compare retransmissions with.
    held_octets : int
        Octets held for all directions together; the least recently touched gives way.
    """

    captured_length: int = 262_144
    block_length: int = 16 << 20
    interfaces: int = 65_536
    link_headers: int = 8
    network_headers: int = 4
    extension_headers: int = 16
    datagrams: int = 1_024
    datagram_length: int = 65_535
    fragments: int = 1_024
    ppp_options: int = 64
    connections: int = 1 << 20
    connection_rows: int = 1 << 20
    tunnels: int = 2 << 20
    calls: int = 1 << 20
    pieces: int = 128
    waiting_octets: int = 65_536
    history: int = 4_096
    held_octets: int = 32 << 20

    def within(self, octets: int) -> Limits:
        """These caps, with those on rows that stay until the end so low that a command needs no more memory.

        Parameters
        ----------
        octets : int
            Resident memory of a process that reads batch by batch; `LEAST_MEMORY` at least.

        Raises
        ------
        ValueError
            Where it is less.
        """
        if octets < LEAST_MEMORY:
            raise ValueError(f"max_memory must be at least {LEAST_MEMORY} octets, not {octets}")
        calls = (octets - BASE_OCTETS) // (CONNECTION_OCTETS + 2 * TUNNEL_OCTETS + CALL_OCTETS)
        return replace(
            self,
            connections=min(self.connections, calls),
            connection_rows=min(self.connection_rows, calls),
            tunnels=min(self.tunnels, 2 * calls),
            calls=min(self.calls, calls),
        )


# Memory of the compiled engine and of what stands around it: the program, batches, windows and what waits for its turn;
# a connection with its live state; a tunnel; a call.  A tunnel with the most ranges, packets that wait for their
# acknowledgment, and names that it may have takes WORST_TUNNEL_OCTETS.
BASE_OCTETS = 192 << 20
LEAST_MEMORY = 256 << 20
CONNECTION_OCTETS = 1024
TUNNEL_OCTETS = 512
CALL_OCTETS = 384
WORST_TUNNEL_OCTETS = 3072

DEFAULT = Limits()

# What one held segment costs beside its octets; counted into held_octets.
PIECE_COST = 64
# A sequence or acknowledgment number this far from what is expected belongs to no window.
WINDOW = 1 << 30
# A reset is believed when its number is this near to the end of the data seen.
RESET_WINDOW = 1 << 20

# Octets of the window that a zstd frame may ask for, unless more is allowed, and what can be allowed at most.  A decoder takes
# memory for it before there is any content.
ZSTD_WINDOW = 32 << 20
MOST_ZSTD_WINDOW = 1 << 31

# What decapsulating holds: calls that are undone at once, of which the least recently seen gives way; octets of their
# histories, that is of fragments, headers, windows and keys; octets of packets that wait for one before them.
SESSIONS = 4_096
SESSION_OCTETS = 64 << 20
WAITING_OCTETS = 16 << 20

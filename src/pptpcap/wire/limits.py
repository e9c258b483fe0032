"""Every cap on state.  Reaching one is an issue, never a crash.

Must not know packets.  Tests pass smaller caps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limits:
    """Caps on the state that traffic can create.

    Parameters
    ----------
    frame_length : int
        Octets of one frame on the wire; a record that claims more is walked as if it had these.
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
    carriers : int
        Carriers in one packet, one inside the other.
    extension_headers : int
        IPv6 extension headers of one IPv6 header.
    datagrams : int
        IP datagrams in reassembly at once; the least recently used is evicted.
    carrier_datagrams : int
        Datagrams of UDP and of other carriers in reassembly at once, besides the others.
    datagram_length : int
        Octets of one reassembled IP payload.
    fragments : int
        Extents of one datagram in reassembly.
    remembered_octets : int
        Octets of complete datagrams that are kept to recognise copies of fragments; the oldest is forgotten.
    ppp_options : int
        Options of one PPP packet that are listed.
    connections : int
        Control connections with live state; the least recently used is evicted.
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
        Octets held for all directions together; the least recently used is evicted.
    """

    frame_length: int = 1 << 20
    captured_length: int = 262_144
    block_length: int = 16 << 20
    interfaces: int = 65_536
    link_headers: int = 8
    network_headers: int = 4
    carriers: int = 16
    extension_headers: int = 16
    datagrams: int = 1_024
    carrier_datagrams: int = 256
    datagram_length: int = 65_535
    fragments: int = 1_024
    remembered_octets: int = 4 << 20
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


# Memory of the compiled engine and its environment: the program, batches, windows and waiting data; a connection
# with its live state; a tunnel; a call.  A tunnel takes WORST_TUNNEL_OCTETS with the most ranges, waiting packets
# and names that it can have.
BASE_OCTETS = 192 << 20
LEAST_MEMORY = 256 << 20
CONNECTION_OCTETS = 1024
TUNNEL_OCTETS = 512
CALL_OCTETS = 384
WORST_TUNNEL_OCTETS = 3072

DEFAULT = Limits()

# Overhead of a held segment, counted in held_octets.
PIECE_COST = 64
# Overhead of an extent of a complete datagram, counted in remembered_octets.
EXTENT_COST = 128
# A fragment begins a new datagram if it comes this much later than the first one with its key, or earlier; or if more
# other fragments between the same addresses came in between.
DATAGRAM_AGE_NS = 60_000_000_000
DATAGRAM_DISTANCE = 128
# All fragments of a datagram, and the copies of them, are expected within this time.
DATAGRAM_SPAN_NS = 1_000_000_000
# Packets of one datagram whose numbers are kept.
DATAGRAM_PACKETS = 4_096
# A sequence or acknowledgment number this far from the expected one is out of window.
WINDOW = 1 << 30
# A reset counts if its number is this near to the end of the data.
RESET_WINDOW = 1 << 20

# Packets of one kind before a packet among which it may have a copy, and how far apart in time those are at most: less
# than the least time after which TCP sends again.
COPY_WINDOW = 1_024
COPY_MILLISECONDS = 100
# Places where one packet may be seen; how often a place gives each packet, at most; how many packets in front of one
# tell that, and how many of its own place are enough.
COPY_VANTAGES = 8
COPY_TIMES = 4
COPY_LOOKS = 32
COPY_EVIDENCE = 8

# Largest window of a zstd frame by default, and the largest that can be allowed.  A decoder allocates it before
# there is any content.
ZSTD_WINDOW = 32 << 20
# A window of xz that is always allowed: `xz -9` needs it.
XZ_WINDOW = 64 << 20
MOST_ZSTD_WINDOW = 1 << 31

# Files in one zip archive.
ZIP_MEMBERS = 16_384

# Caps of decapsulating: sessions, of which the least recently used is evicted; bytes of their histories, which
# are fragments, headers, windows and keys; bytes of packets that wait for an earlier one.
SESSIONS = 4_096
SESSION_OCTETS = 64 << 20
WAITING_OCTETS = 16 << 20

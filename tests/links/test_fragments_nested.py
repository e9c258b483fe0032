"""IP fragments of tunnels and in tunnels: what is reassembled once, and what is left alone."""

from __future__ import annotations

import pytest
from builder import (
    CLIENT,
    CLIENT6,
    SERVER6,
    Conversation,
    ethernet,
    extension,
    fragment_header,
    gre,
    ipv4,
    ipv6,
    pcap,
    piece4,
    piece6,
    split,
    time_of,
)
from helpers import decode, issues, nanoseconds, only, statuses

GRE = gre(b"\x00\x57" + bytes(range(34)), sequence=9)  # 12 octets of header and 36 of payload


def whole(got, packet: int) -> None:
    """One GRE packet, all of it, at this packet."""
    row = got["gre"][0]
    assert len(got["gre"]) == 1
    assert (row["packet"], row["time"]) == (packet, nanoseconds(time_of(packet)))
    assert (row["sequence_number"], row["payload_length"], row["available"], row["ppp_protocol"]) == (9, 36, 36, 0x0057)
    assert statuses(got, "gre") == [{"FRAGMENTED"}]


def test_fragments_of_a_packet_that_holds_a_packet(engine):
    inner = ipv4(GRE, 47)
    got = decode(pcap(split(piece4, inner, 8, 32, protocol=4)), engine)
    whole(got, 3)
    got = decode(pcap(split(piece6, inner, 8, 32, protocol=4)), engine)
    whole(got, 3)


def test_fragments_inside_a_tunnel(engine):
    """The outer packets are whole, the inner ones are fragments."""
    frames = [ethernet(ipv6(frame[14:], 4)) for frame in split(piece4, GRE, 24)]
    got = decode(pcap(frames), engine)
    whole(got, 2)
    assert got["tunnels"]["source"][0].tolist() == [0] * 10 + [255, 255, *CLIENT]


def test_fragments_in_fragments_are_not_followed(engine):
    frames = []
    for key, inner in enumerate(split(piece4, GRE, 24)):
        frames += split(piece4, inner[14:], 16, key=100 + key, protocol=4)
    got = decode(pcap(frames), engine)
    assert len(got["gre"]) == 0
    assert (got.counters["fragments"], got.counters["datagrams_reassembled"], got.counters["gre_packets"]) == (4, 2, 0)
    assert issues(got) == []


def test_depth_goes_on_behind_reassembly(engine):
    """Four IP headers in all, in front of the fragment and in the datagram together."""
    two = ipv4(ipv4(GRE, 47), 4)
    got = decode(pcap([ethernet(ipv4(frame[14:], 4)) for frame in split(piece4, two, 40, protocol=4)]), engine)
    whole(got, 2)
    got = decode(pcap([ethernet(ipv4(frame[14:], 4)) for frame in split(piece4, ipv4(two, 4), 40, protocol=4)]), engine)
    assert len(got["gre"]) == 0
    assert issues(got) == [(2, "IP", "TOO_DEEP", 4, 5)]
    only(got, fragments=2, datagrams_reassembled=1)


def test_fragment_behind_extension_headers(engine):
    chain = [extension(0, 1), extension(43)]
    frames = [
        ethernet(ipv6(GRE[a:b], 47, CLIENT6, SERVER6, extensions=[*chain, fragment_header(a, b < 48, 1)]))
        for a, b in ((24, 48), (0, 24))
    ]
    got = decode(pcap(frames), engine)
    whole(got, 2)
    only(got, fragments=2, datagrams_reassembled=1, gre_packets=1)


@pytest.mark.parametrize("protocol", [58, 60, 0, 50])
def test_fragment_of_what_is_not_read(engine, protocol):
    """Of ICMP, ESP, and of extension headers behind the fragment header: left alone, never reassembled."""
    got = decode(pcap(split(piece6, GRE, 24, protocol=protocol)), engine)
    assert issues(got) == []
    only(got, ip_other=2)


def test_what_is_reassembled_and_is_nobodys(engine):
    """TCP of another port: reassembled, and counted nowhere else."""
    segment = Conversation(server_port=80).segment(0, 0, bytes(60))[20:]
    got = decode(pcap(split(piece4, segment, 16, protocol=6)), engine)
    assert issues(got) == []
    only(got, fragments=2, datagrams_reassembled=1)

"""The generated captures are what they promise: same bytes each time, well-formed packets, the counts beside them.

Reads captures with a plain parser of its own, written from the specifications, and neither engine: what the engines are
measured on must not depend on them.
"""

from __future__ import annotations

import io
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import generate
import numpy as np
import pytest
from generate import MIB, Parameters

# Sizes of the 15 messages, from the RFC.
SIZES = dict(enumerate((156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24), start=1))
MIXES = {"haystack": (1, 10), "mirrored": (1, 10), "tunnel": (2, 900), "tunnel_small": (2, 900)}
LINK, HEADER = 14, 16
# Of VXLAN: its port, and what stands in front of the frame in it.
VXLAN, AROUND = b"\x12\xb5", 50


@dataclass
class Packet:
    """One packet: addresses, protocol, and what the transport header is in front of."""

    time: tuple[int, int]
    source: bytes
    destination: bytes
    protocol: int
    transport: bytes


def parsed(data: bytes) -> Iterator[Packet]:
    assert struct.unpack_from("<IHHiIII", data) == (0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    at = 24
    while at < len(data):
        seconds, microseconds, captured, original = struct.unpack_from("<4I", data, at)
        assert microseconds < 1_000_000
        assert 0 < captured == original <= LINK + 1500 + AROUND
        frame = data[at + HEADER : at + HEADER + captured]
        assert len(frame) == captured
        at += HEADER + captured
        yield Packet((seconds, microseconds), *network(frame))
    assert at == len(data)


def network(frame: bytes) -> tuple[bytes, bytes, int, bytes]:
    ether_type, ip = int.from_bytes(frame[12:14], "big"), frame[LINK:]
    if ether_type == 0x0806:
        return b"", b"", 0, ip
    if ether_type == 0x0800:
        assert ip[0] == 0x45
        assert checksum(ip[:20]) == 0
        length = int.from_bytes(ip[2:4], "big")
        source, destination, protocol, transport = ip[12:16], ip[16:20], ip[9], ip[20:length]
    else:
        assert ether_type == 0x86DD
        assert ip[0] >> 4 == 6
        length = 40 + int.from_bytes(ip[4:6], "big")
        source, destination, protocol, transport = ip[8:24], ip[24:40], ip[6], ip[40:length]
    assert length <= len(ip)
    assert length == len(ip) or len(frame) == 60
    assert not any(ip[length:])
    if protocol == 17 and transport[2:4] == VXLAN:
        assert int.from_bytes(transport[4:6], "big") == len(transport)
        assert transport[6:16] == bytes.fromhex("0000 08000000 00000700")
        return network(transport[16:])
    if protocol in (6, 17):
        pseudo = source + destination + struct.pack(">II", len(transport), protocol)
        assert checksum(pseudo + transport) == 0
    if protocol == 17:
        assert int.from_bytes(transport[4:6], "big") == len(transport)
    return source, destination, protocol, transport


def checksum(octets: bytes) -> int:
    # 2**16 is 1 modulo 0xFFFF, so the ones' complement sum of 16-bit words is the whole number modulo 0xFFFF.
    return -int.from_bytes(octets + bytes(len(octets) % 2), "big") % 0xFFFF


@cache
def made(workload: str, octets: int = MIB, seed: int = 1) -> tuple[bytes, dict[str, Any]]:
    file = io.BytesIO()
    promise = generate.write(Parameters(workload, octets, seed, 1_000), file)
    return file.getvalue(), promise


@cache
def packets(workload: str, octets: int = MIB) -> list[Packet]:
    return list(parsed(made(workload, octets)[0]))


def control(workload: str, octets: int = MIB) -> list[Packet]:
    return [packet for packet in packets(workload, octets) if packet.protocol == 6 and 1723 in ports(packet)]


def gre(workload: str, octets: int = MIB) -> list[Packet]:
    return [packet for packet in packets(workload, octets) if packet.protocol == 47]


def ports(packet: Packet) -> tuple[int, int]:
    source, destination = struct.unpack_from(">HH", packet.transport)
    return source, destination


def segment_data(packet: Packet) -> bytes:
    return packet.transport[(packet.transport[12] >> 4) * 4 :]


def streams(workload: str) -> dict[Any, bytes]:
    """Data of each direction; its segments must follow one another, and acknowledge what was said by then."""
    ends: dict[Any, int] = {}
    data: dict[Any, bytes] = defaultdict(bytes)
    for packet in control(workload):
        source, destination = (packet.source, ports(packet)[0]), (packet.destination, ports(packet)[1])
        here, there = (source, destination), (destination, source)
        sequence, acknowledgment = struct.unpack_from(">II", packet.transport, 4)
        flags, payload = packet.transport[13], segment_data(packet)
        assert ends.get(here, sequence) == sequence
        ends[here] = (sequence + len(payload) + bool(flags & 3)) % 2**32
        if flags & 16:
            assert ends.setdefault(there, acknowledgment) == acknowledgment
        data[here] += payload
    return data


def messages(stream: bytes) -> Iterator[int]:
    while stream:
        length, message_type, cookie, kind, reserved = struct.unpack_from(">HHIHH", stream)
        assert (length, message_type, cookie, reserved) == (SIZES[kind], 1, 0x1A2B3C4D, 0)
        assert len(stream) >= length
        yield kind
        stream = stream[length:]


@pytest.mark.parametrize("workload", generate.WORKLOADS)
def test_the_same_seed_gives_the_same_bytes(workload: str) -> None:
    assert generate.digest(workload) == generate.DIGESTS[workload]
    assert made(workload, 1 << 17, seed=2)[0] != made(workload, 1 << 17)[0]


@pytest.mark.parametrize("workload", generate.WORKLOADS)
@pytest.mark.parametrize("octets", [24, 100, 5_000, 1 << 17])
def test_any_size_is_reached_and_not_passed(workload: str, octets: int) -> None:
    data, promise = made(workload, octets)
    assert len(data) == promise["octets"] <= octets
    assert octets - len(data) < 1600
    assert len(list(parsed(data))) == promise["packets"]


@pytest.mark.parametrize("workload", generate.WORKLOADS)
def test_packets_are_well_formed_and_in_order_of_time(workload: str) -> None:
    times = [packet.time for packet in packets(workload)]
    assert times == sorted(times)
    assert times[-1] > times[0]


@pytest.mark.parametrize("workload", generate.WORKLOADS)
def test_counts_are_as_promised(workload: str) -> None:
    promise = made(workload)[1]
    found = Counter(kind for stream in streams(workload).values() for kind in messages(stream))
    tunnels = {(packet.source, packet.destination, packet.transport[6:8]) for packet in gre(workload)}
    connections = {frozenset(zip((one.source, one.destination), ports(one), strict=True)) for one in control(workload)}
    assert promise["packets"] == len(packets(workload))
    assert promise["control_segments"] == len(control(workload))
    assert promise["connections"] == len(connections)
    assert promise["gre"] == len(gre(workload))
    assert promise["gre_payload_octets"] == sum(int.from_bytes(one.transport[4:6], "big") for one in gre(workload))
    assert promise["tunnels"] == len(tunnels)
    assert promise["messages"] == found.total()
    assert list(promise["messages_by_type"].values()) == [found[kind] for kind in SIZES]


def test_three_in_ten_are_mirrored() -> None:
    data, promise = made("mirrored", 4 * MIB)
    at, mirrored = 24, 0
    while at < len(data):
        frame = data[at + HEADER : at + HEADER + int.from_bytes(data[at + 8 : at + 12], "little")]
        mirrored += frame[23:24] + frame[36:38] == b"\x11" + VXLAN
        at += HEADER + len(frame)
    assert 0.27 < mirrored / promise["packets"] < 0.33


@pytest.mark.parametrize("workload", MIXES)
def test_shares_hold_in_each_thousand_packets(workload: str) -> None:
    several = packets(workload, 4 * MIB)[made(workload, 4 * MIB)[1]["opening_packets"] :]
    assert len(several) > 3_000
    for begin in range(0, len(several) - 999, 1_000):
        thousand = several[begin : begin + 1_000]
        with_port = [one for one in thousand if one.protocol == 6 and 1723 in ports(one)]
        assert (len(with_port), sum(one.protocol == 47 for one in thousand)) == MIXES[workload]


def test_other_traffic_is_of_many_kinds_and_sizes() -> None:
    several = packets("haystack", 4 * MIB)
    protocols = Counter((len(packet.source), packet.protocol) for packet in several)
    assert {(4, 6), (4, 17), (16, 6), (16, 17), (0, 0)} < set(protocols)
    assert 700 < 4 * MIB / len(several) < 950


@pytest.mark.parametrize(("workload", "low", "high"), [("tunnel", 600, 800), ("tunnel_small", 80, 160)])
def test_tunnelled_packets_are_numbered_and_acknowledged(workload: str, low: int, high: int) -> None:
    sent: dict[Any, int] = {}
    words: Counter[int] = Counter()
    lengths, prefixes = [], set()
    for packet in gre(workload):
        word, protocol, payload_length, call = struct.unpack_from(">HHHH", packet.transport)
        pair = (packet.source, packet.destination)
        assert protocol == 0x880B
        assert word in (0x3001, 0x3081, 0x2081)
        words[word] += 1
        at = 8
        if word & 0x1000:
            number = int.from_bytes(packet.transport[at : at + 4], "big")
            assert number == sent.get((pair, call), -1) + 1
            sent[pair, call] = number
            at += 4
        if word & 0x0080:
            # One call for each pair of addresses, so the way back is the one other tunnel of the pair.
            back = max(number for (other, _), number in sent.items() if other == pair[::-1])
            assert int.from_bytes(packet.transport[at : at + 4], "big") == back
            at += 4
        assert len(packet.transport) - at == payload_length
        lengths.append(len(packet.transport) + 20)
        prefixes.add(packet.transport[at : at + 1])
    assert min(words.values()) > 100
    assert prefixes >= {b"\xfd", b"\x00", b"\xff"}
    assert low < sum(lengths) / len(lengths) < high


def test_control_splits_and_joins_messages_of_every_type() -> None:
    data = [segment_data(packet) for packet in control("control")]
    promise = made("control")[1]
    echoes = promise["messages_by_type"]["echo_request"] + promise["messages_by_type"]["echo_reply"]
    assert all(data)
    assert all(promise["messages_by_type"].values())
    assert 0.4 < echoes / promise["messages"] < 0.8
    begun = [one for one in data if one[2:8] == bytes.fromhex("00011a2b3c4d")]
    whole = sum(int.from_bytes(one[:2], "big") == len(one) for one in begun)
    joined = sum(int.from_bytes(one[:2], "big") < len(one) for one in begun)
    assert whole > len(data) / 2
    assert joined > len(data) / 10
    assert len(data) - whole - joined > len(data) / 20
    assert any(len(one) < 8 for one in data)


def test_many_flows_take_turns() -> None:
    several = control("many_flows")
    clients = [packet.source for packet in several]
    assert len(set(clients)) == 1_000
    assert all(clients[index] == clients[index + 1_000] for index in range(1_000))
    data, promise = made("many_flows", 0)
    assert promise["packets"] == promise["connections"] == len(list(parsed(data))) == 1_000


def test_a_file_is_kept_while_its_parameters_stay(tmp_path: Path) -> None:
    path = tmp_path / "some.pcap"
    promise = generate.generate(Parameters("control", 1 << 16), path)
    written = path.stat().st_mtime_ns, path.stat().st_ino
    assert generate.generate(Parameters("control", 1 << 16), path) == promise
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == written
    generate.generate(Parameters("control", 1 << 16, seed=2), path)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) != written
    path.write_bytes(b"cut")
    generate.generate(Parameters("control", 1 << 16, seed=2), path)
    assert path.stat().st_size > 60_000


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterator[Any]:
        yield np.zeros(16, dtype=np.uint8)
        raise RuntimeError("broken")

    monkeypatch.setitem(generate.WORKLOADS, "control", broken)
    with pytest.raises(RuntimeError, match="broken"):
        generate.generate(Parameters("control", 1 << 16), tmp_path / "some.pcap")
    assert not list(tmp_path.iterdir())

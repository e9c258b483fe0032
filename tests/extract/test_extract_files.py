"""The files that `extract` reads and writes: formats, joined captures, several files, and what is refused."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
from pathlib import Path
from typing import Any

import pytest
import stored
from builder import Record, pcap, pcap_header
from call_builder import Session
from commands import MSS88
from pcapng_builder import NRB, OTHER_ORDER, File, started, tsoffset, tsresol
from places import CAPTURES
from stored import Interface, Packet
from zip_builder import Member, archive

import pptpcap

FRAMES = Session().outgoing(7, 70).client_sends(70, 0).frames()  # 6 packets
ETHERNET = 1


def extract(source: Any, destination: Path, **more: Any) -> list[Packet]:
    """The packets that were written."""
    done = pptpcap.extract(source, destination, **more)
    found = stored.packets(destination.read_bytes())
    assert done.packets == len(found)
    return found


def of(data: bytes, *numbers: int) -> list[Packet]:
    every = stored.packets(data)
    return [every[number - 1] for number in numbers]


# ---- from pcap


def test_the_octets_of_a_section(tmp_path):
    """Section Header Block, interface with if_tsresol, Enhanced Packet Block, typed by hand."""
    data = pcap_header(link=147, snap_length=500) + bytes.fromhex(
        "0100000002000000 0300000009000000 aabbcc".replace(" ", "")
    )
    pptpcap.extract(data, tmp_path / "out", packets=1)
    section = "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"
    interface = "01000000 20000000 9300 0000 f4010000 0900 0100 06000000 00000000 20000000"
    # 1,000,002 us
    packet = "06000000 24000000 00000000 00000000 42420f00 03000000 09000000 aabbcc00 24000000"
    assert (tmp_path / "out").read_bytes() == bytes.fromhex((section + interface + packet).replace(" ", ""))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("name", ["out.pcapng", "out.pcap", "OUT.PCAP"])
def test_every_kind_of_pcap(engine, tmp_path, order, nanoseconds, name):
    """Byte order, unit of time, link type with all its bits, snap length, and lengths as they stand."""
    records: list[bytes | Record] = [Record(FRAMES[0], original=9_000), *FRAMES[1:], Record(b"", original=0)]
    data = pcap(records, order=order, nanoseconds=nanoseconds, link=0x14000001, snap_length=77)
    found = extract(data, tmp_path / name, engine=engine, packets=[1, 2, 7])
    expected = of(data, 1, 2, 7)
    if name == "out.pcapng":
        expected = [one._replace(interface=one.interface._replace(link=ETHERNET)) for one in expected]
        assert (tmp_path / name).read_bytes()[8:12] == struct.pack(order + "I", 0x1A2B3C4D)
    assert found == expected


@pytest.mark.parametrize("minor", [2, 3, 4])
def test_lengths_in_other_places(tmp_path, minor):
    """Version 2.2 has the original length first, 2.3 either."""
    records = pcap([Record(FRAMES[0], captured=len(FRAMES[0]), original=100)])[24:]
    old = records[:8] + records[12:16] + records[8:12] + records[16:]
    head = bytearray(pcap_header())
    head[6] = minor
    data = bytes(head) + (records if minor == 4 else old)
    (found,) = extract(data, tmp_path / "out.pcap")
    assert (found.octets, found.original) == (FRAMES[0], 100)


def test_longer_record_headers(tmp_path):
    """Of Kuznetzov's kind."""
    head = struct.pack("<I", 0xA1B2CD34) + pcap_header()[4:]
    record = struct.pack("<IIII", 1, 2, len(FRAMES[0]), 99) + bytes(8) + FRAMES[0]
    for name in ("out.pcap", "out.pcapng"):
        (found,) = extract(head + record, tmp_path / name)
        assert found == Packet(Interface(ETHERNET, 262144, 10**6), 1_000_002_000, 99, FRAMES[0])


def test_a_fraction_of_more_than_a_second(tmp_path):
    data = pcap([Record(FRAMES[0], seconds=1, fraction=2_500_000)])
    assert extract(data, tmp_path / "out.pcapng")[0].time == 3_500_000_000


# ---- from pcapng


@pytest.mark.parametrize("order", ["<", ">"])
def test_blocks_are_written_as_they_are(engine, tmp_path, order):
    """With all options; sections without a chosen packet, and blocks of other kinds, are left out."""
    file = File(order).section(options=[(4, b"program"), (1, b"of the section")], section_length=4_000)
    file.interface(options=[(2, b"eth0"), tsresol(9)], snap=99).interface(113)
    file.packet(FRAMES[0], 0, 7, options=[(1, b"of the packet"), (2, bytes(4))])
    file.add(NRB, bytes(4)).old_packet(FRAMES[1], 0, 8).simple(FRAMES[2])
    file.interface(101, [tsoffset(order, 5)]).packet(FRAMES[3], 2, 9)
    file.section(OTHER_ORDER[order]).interface().packet(FRAMES[4])
    file.section().interface(options=[(2, b"eth1")]).packet(FRAMES[5])
    blocks = file.blocks
    head = blocks[0][:16] + b"\xff" * 8 + blocks[0][24:]
    out = tmp_path / "out"
    pptpcap.extract(file.octets, out, engine=engine, packets=[1, 2, 3, 4, 6])
    chosen = [head, *blocks[1:4], *blocks[5:9], *blocks[12:15]]
    assert out.read_bytes() == b"".join(chosen)
    pptpcap.extract(file.octets, out, engine=engine, packets=5, overwrite=True)
    assert out.read_bytes() == b"".join(blocks[9:12])


def test_interfaces_that_wait_take_little_memory(monkeypatch, tmp_path):
    """Beyond a megabyte they are written before a packet is chosen."""
    file = File().section()
    for number in range(40):
        file.interface(options=[(1, bytes([number]) * 60_000)])
    file.packet(FRAMES[0], 39)
    blocks = file.blocks
    file.section().interface().packet(FRAMES[1])
    pptpcap.extract(file.octets, tmp_path / "out", packets=1)
    assert (tmp_path / "out").read_bytes() == b"".join(blocks[:42])
    pptpcap.extract(file.octets, tmp_path / "out", packets=2, overwrite=True)
    # The first 18 had been written when the section ended, and what still waited was left out.
    written = (tmp_path / "out").read_bytes()
    assert written.endswith(b"".join(file.blocks[42:]))
    assert len(written) < len(b"".join(blocks))
    (found,) = stored.packets(written)
    assert found.octets == FRAMES[1]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("exponent", "ticks"), [(6, 10**6), (9, 10**9)])
def test_blocks_as_pcap(engine, tmp_path, order, exponent, ticks):
    interface = [tsresol(exponent), tsoffset(order, 5)]
    file = File(order).section().interface(113).interface(ETHERNET, interface, snap=99)
    file.packet(FRAMES[0], 1, 7 * ticks + 1, original=500).old_packet(FRAMES[1], 1, 8 * ticks).packet(FRAMES[2], 0, 9)
    file.section().interface(ETHERNET, interface, snap=99).packet(FRAMES[3], 0, 9 * ticks)
    expected = Interface(ETHERNET, 99, ticks)
    assert extract(file.octets, tmp_path / "out.pcap", engine=engine, packets=[1, 2, 4]) == [
        Packet(expected, 12 * 10**9 + 10**9 // ticks, 500, FRAMES[0]),
        Packet(expected, 13 * 10**9, len(FRAMES[1]), FRAMES[1]),
        Packet(expected, 14 * 10**9, len(FRAMES[3]), FRAMES[3]),
    ]


UNLIKE = "more than one byte order, unit of time, link type or snap length"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (started().interface(101).packet(FRAMES[0]).packet(FRAMES[1], 1).octets, UNLIKE),
        (started().interface(snap=9).packet(FRAMES[0]).packet(FRAMES[1], 1).octets, UNLIKE),
        ([pcap(FRAMES[:1]), pcap(FRAMES[:1], nanoseconds=True)], UNLIKE),
        ([pcap(FRAMES[:1]), pcap(FRAMES[:1], order=">")], UNLIKE),
        (pcap(FRAMES[:1]) + pcap(FRAMES[:1], link=0x14000001), UNLIKE),
        (started(options=[tsresol(3)]).packet(FRAMES[0]).octets, "times in other units"),
        (started(options=[tsresol(0x80 | 64)]).packet(FRAMES[0]).octets, "times in other units"),
        (started().packet(FRAMES[0], 0, 10**6 << 32).octets, "a time outside of 1970 to 2106"),
        (started(options=[tsoffset("<", -1)]).packet(FRAMES[0]).octets, "a time outside of 1970 to 2106"),
        (started().simple(FRAMES[0]).octets, "a packet without a time"),
        (started().simple(b"").octets, "a packet without a time"),
        (started().packet(FRAMES[0], 1).octets, "a packet whose block is wrong"),
        (started().packet(FRAMES[0], captured=999).octets, "a packet whose block is wrong"),
    ],
)
def test_what_pcap_cannot_hold(engine, tmp_path, source, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        pptpcap.extract(source, tmp_path / "out.pcap", packets=range(1, 9), engine=engine)
    assert ".pcapng" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    pptpcap.extract(source, tmp_path / "out.pcapng", packets=range(1, 9), engine=engine)


# ---- several files, joined ones, and those that are unpacked


def test_several_files(tmp_path):
    """One capture: a connection goes on in the next file, and each file has a section."""
    several = [pcap(FRAMES[:4]), pcap([]), pcap(FRAMES[4:], nanoseconds=True)]
    found = extract(several, tmp_path / "out.pcapng", call=0)
    assert found == [packet for data in several for packet in stored.packets(data)]
    assert (tmp_path / "out.pcapng").read_bytes().count(b"\n\r\r\n") == 2


def test_files_in_the_order_of_time(tmp_path):
    data = pcap(FRAMES)
    first, second = data[: 24 + 3 * 16 + sum(map(len, FRAMES[:3]))], pcap([])
    second = data[:24] + data[len(first) :]
    found = extract([second, first], tmp_path / "out.pcap", order="time", call=0)
    assert found == stored.packets(data)


def test_joined_files(engine, tmp_path):
    blocks = started().packets(FRAMES[4]).octets
    source = pcap(FRAMES[:2]) + pcap(FRAMES[2:4], order=">", link=ETHERNET, snap_length=9) + blocks + pcap(FRAMES[5:])
    found = extract(source, tmp_path / "out.pcapng", engine=engine)
    assert [packet.octets for packet in found] == FRAMES
    assert [packet.interface.snap_length for packet in found] == [262144, 262144, 9, 9, 0, 262144]


@pytest.mark.parametrize("how", ["mmap", "read"])
def test_windows_and_maps(tmp_path, how):
    """A file of more than one window."""
    filler = Record(bytes(60_000))
    data = pcap([one for frame in FRAMES for one in (filler, frame) * 20])
    path = tmp_path / "in.pcap"
    path.write_bytes(data)
    assert len(data) > 4 << 20
    for threads in (1, 2):
        found = extract(path, tmp_path / f"{threads}.pcap", io=how, threads=threads)
        assert found == [packet for packet in stored.packets(data) if packet.original < 60_000]


def test_what_is_unpacked(tmp_path):
    data = pcap(FRAMES)
    (tmp_path / "in.gz").write_bytes(gzip.compress(data))
    halves = pcap(FRAMES[:3]), pcap(FRAMES[3:])
    members = [Member(b"1.pcap", halves[0]), Member(b"readme", b"no capture"), Member(b"2", halves[1])]
    (tmp_path / "in.zip").write_bytes(archive(*members))
    assert extract(tmp_path / "in.gz", tmp_path / "1.pcap", call=0) == stored.packets(data)
    expected = [packet for half in halves for packet in stored.packets(half)]
    assert extract(tmp_path / "in.zip", tmp_path / "2.pcap", call=0) == expected


@pytest.mark.parametrize("name", ["container_snoop.snoop", "container_netmon2.cap"])
def test_what_is_rewritten(tmp_path, name):
    """It has the packets of the same capture in pcap."""
    found = extract(CAPTURES / "found" / name, tmp_path / "out.pcap", call=0)
    expected = extract(CAPTURES / "found" / "base.pcap", tmp_path / "base.pcap", call=0)
    assert [packet.octets for packet in found] == [packet.octets for packet in expected]


def test_behind_damage(tmp_path):
    data = pcap(FRAMES)
    cut = 24 + 3 * 16 + sum(map(len, FRAMES[:3]))
    damaged = data[:cut] + b"\xff" * 40 + data[cut:]
    done = pptpcap.extract(damaged, tmp_path / "out.pcap")
    assert (done.packets, done.summary.damaged) == (3, True)
    assert extract(damaged, tmp_path / "all.pcap", on_corrupt="salvage") == stored.packets(data)
    assert extract(data[:-1], tmp_path / "cut.pcap") == stored.packets(data)[:5]


def test_a_capture_without_a_packet(tmp_path):
    for source in (b"", pcap([])):
        with pytest.raises(ValueError, match="nothing is chosen"):
            pptpcap.extract(source, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# ---- the output


def test_a_file_object(tmp_path):
    out = io.BytesIO()
    assert pptpcap.extract(MSS88, out, call=0).packets == 104
    pptpcap.extract(MSS88, tmp_path / "out", call=0)
    assert out.getvalue() == (tmp_path / "out").read_bytes()


def test_it_is_whole_or_absent(tmp_path):
    out = tmp_path / "out.pcap"
    done = pptpcap.extract(MSS88, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    before = out.read_bytes()
    with pytest.raises(FileExistsError, match="is not to be overwritten"):
        pptpcap.extract(MSS88, out)
    with pytest.raises(ValueError, match="nothing is chosen"):
        pptpcap.extract(MSS88, out, address="192.0.2.1", overwrite=True)
    assert out.read_bytes() == before
    assert pptpcap.extract(MSS88, out, packets=range(1, 3), overwrite=True).packets == 2
    assert len(stored.packets(out.read_bytes())) == 2
    assert done.packets == len(stored.packets(before)) == 104
    assert os.listdir(tmp_path) == ["out.pcap"]


def test_the_output_is_no_input(tmp_path):
    path = tmp_path / "in.pcap"
    path.write_bytes(MSS88.read_bytes())
    (tmp_path / "link").symlink_to(path)
    os.link(path, tmp_path / "same")
    for name in ("in.pcap", "link", "same"):
        with pytest.raises(ValueError, match="is one of the files that are read"):
            pptpcap.extract([MSS88, path], tmp_path / name, overwrite=True)
    assert path.read_bytes() == MSS88.read_bytes()


def test_sources_that_cannot_be_read_twice(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="is a pipe"):
        pptpcap.extract(tmp_path / "pipe", tmp_path / "out")
    with pytest.raises(ValueError, match="not a file object"):
        pptpcap.extract(io.BytesIO(MSS88.read_bytes()), tmp_path / "out")
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.parametrize("reading", [1, 2])
def test_a_source_that_changes(tmp_path, reading):
    """Between two readings, or in the last."""
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap(FRAMES))
    seen: list[int] = []

    def progress(walked: int, _: int | None) -> None:
        seen.append(walked)
        if len(seen) == reading:
            with open(path, "ab") as file:
                file.write(pcap(FRAMES)[24:])

    with pytest.raises(OSError, match="changed while it was read"):
        pptpcap.extract(path, tmp_path / "out", progress=progress)
    assert os.listdir(tmp_path) == ["in.pcap"]


def test_a_disk_that_is_full(tmp_path):
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
        pptpcap.extract(MSS88, full)

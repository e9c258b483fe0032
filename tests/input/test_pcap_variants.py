"""pcap as others write it: Kuznetzov's longer record headers, frame check sequences."""

from __future__ import annotations

import struct

import pytest
from builder import echo, gre, gre_frame, stream
from helpers import column, decode, identifiers, issues

import pptpcap

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))


def kuznetzov(frames, order: str) -> bytes:
    """The extra 8 octets of each header: interface index, protocol, packet type, padding."""
    parts = [struct.pack(order + "IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)]
    for number, frame in enumerate(frames, 1):
        parts.append(struct.pack(order + "IIIIIHBB", number, 5, len(frame), len(frame), 0xFFFFFFFF, 0x0800, 4, 0xEE))
        parts.append(frame)
    return b"".join(parts)


def with_link(frames, link: int, order: str) -> bytes:
    parts = [struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)]
    for frame in frames:
        parts.append(struct.pack(order + "IIII", 1, 0, len(frame), len(frame)) + frame)
    return b"".join(parts)


@pytest.mark.parametrize("order", ["<", ">"])
def test_kuznetzov(engine, order):
    data = kuznetzov([FRAME, b"", FRAME], order)
    got = decode(data, engine)
    size = len(FRAME)
    assert column(got, "gre", "packet") == [1, 3]
    assert column(got, "gre", "record_offset") == [24, 24 + 24 + size + 24]
    assert column(got, "gre", "time") == [1_000_005_000, 3_000_005_000]
    assert column(got, "gre", "available") == [2, 2]
    assert got.counters["captured_octets"] == 2 * size
    assert issues(got) == [(2, "LINK", "FRAME_CUT", 14, 0)]
    (file,) = pptpcap.read(data, engine=engine).summary.files
    assert (file.format, file.resolution, file.byte_order) == ("pcap", "us", {"<": "little", ">": "big"}[order])


@pytest.mark.parametrize("order", ["<", ">"])
def test_kuznetzov_cut_at_every_octet(engine, order):
    data = kuznetzov([FRAME, FRAME], order)
    start = 24 + 24 + len(FRAME)
    for end in range(start + 1, len(data)):
        got = decode(data[:end], engine)
        left = end - start
        needed = 24 if left < 24 else 24 + len(FRAME)
        assert issues(got) == [(2, "CONTAINER", "TRUNCATED_RECORD", needed, left)]
        assert column(got, "gre", "packet") == [1]


def test_longer_headers_behind_the_usual_magic_number(engine):
    """Nothing tells such a file apart, so the second record is looked for 8 octets too early."""
    header = struct.pack("<IIIIIHBB", 1_700_000_000, 0, len(FRAME), len(FRAME), 1, 0x0800, 0, 0)
    got = decode(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + (header + FRAME) * 2, engine)
    assert (got.counters["packets"], got.damaged) == (1, True)
    # What it takes for the captured length is the seconds.
    assert issues(got)[-1] == (2, "CONTAINER", "CORRUPT_RECORD", 262144, 1_700_000_000)


def test_kuznetzov_batches_and_windows_change_nothing(engine):
    talk = stream(echo(1), echo(2), echo(3))
    frames, at = [], 24
    while at < len(talk):
        length = struct.unpack_from("<I", talk, at + 8)[0]
        frames.append(talk[at + 16 : at + 16 + length])
        at += 16 + length
    data = kuznetzov(frames, ">")
    assert identifiers(decode(data, engine)) == [1, 2, 3]
    batches = pptpcap.iterate(data, batch_packets=1, engine=engine)
    assert [int(row) for batch in batches for row in batch["echo_request"]["identifier"]] == [1, 2, 3]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("octets", [0, 2, 4, 30])
def test_frame_check_sequence_is_no_payload(engine, order, octets):
    """As many octets as the header says, or none."""
    link = (octets // 2) << 28 | 0x04000001
    for tail in (b"", b"\xfc" * octets):
        got = decode(with_link([FRAME + tail] * 2, link, order), engine)
        assert column(got, "gre", "available") == [2, 2]
        assert issues(got) == []

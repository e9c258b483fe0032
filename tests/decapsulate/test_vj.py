"""Van Jacobson header compression: packets typed by hand from RFC 1144 section 3.2."""

from __future__ import annotations

import struct

import pytest
from builder import ones_sum

from pptpcap.decapsulate.vj import Decompressor, internet_checksum

ENDS = bytes((10, 0, 0, 1)) + bytes((10, 0, 0, 2))


def packet(
    data=b"abcd",
    *,
    identification=1,
    sequence=1000,
    acknowledgment=2000,
    window=4096,
    flags=0x10,
    urgent=0,
    options=b"",
):
    """A TCP segment in IPv4 as it was before it was compressed."""
    tcp = struct.pack(
        ">HHIIBBHHH", 1234, 80, sequence, acknowledgment, (20 + len(options)) // 4 << 4, flags, window, 0, urgent
    )
    tcp += options + data
    pseudo = ENDS + bytes((0, 6)) + struct.pack(">H", len(tcp))
    tcp = tcp[:16] + struct.pack(">H", ones_sum(pseudo + tcp)) + tcp[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), identification, 0, 64, 6, 0) + ENDS
    return head[:10] + struct.pack(">H", ones_sum(head)) + head[12:] + tcp


def uncompressed(original, number):
    """With the connection number where the protocol was."""
    return original[:9] + bytes((number,)) + original[10:]


def compressed(original, changes, data, *, options=0):
    """`changes`: the mask, the connection number where it has one, and what follows the checksum."""
    mask, number, deltas = changes
    return bytes((mask,)) + number + original[36:38] + deltas + data


def started(number=7, **more):
    vj = Decompressor()
    first = packet(**more)
    assert vj.uncompressed(uncompressed(first, number), keep=True) == first
    return vj


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # Data that flows one way: S moved by the four octets of the last packet.
        ((0x0F, b"", b""), {"sequence": 1004, "identification": 2}),
        # Echoed: S and A both moved by them.
        ((0x0B, b"", b""), {"sequence": 1004, "acknowledgment": 2004, "identification": 2}),
        ((0x08, b"", b"\x04"), {"sequence": 1004, "identification": 2}),
        ((0x48, b"\x07", b"\x04"), {"sequence": 1004, "identification": 2}),
        ((0x28, b"", b"\x04\x05"), {"sequence": 1004, "identification": 6}),
        # Three octets for a delta above 255.
        ((0x08, b"", b"\x00\x01\x00"), {"sequence": 1256, "identification": 2}),
        ((0x04, b"", b"\x0a"), {"acknowledgment": 2010, "identification": 2}),
        # A window that shrinks by one.
        ((0x02, b"", b"\x00\xff\xff"), {"window": 4095, "identification": 2}),
        ((0x18, b"", b"\x04"), {"sequence": 1004, "flags": 0x18, "identification": 2}),
        ((0x01, b"", b"\x09"), {"urgent": 9, "flags": 0x30, "identification": 2}),
        # Window, acknowledgment, sequence, identification stand in this order.
        (
            (0x2E, b"", b"\x01\x02\x03\x04"),
            {"window": 4097, "acknowledgment": 2002, "sequence": 1003, "identification": 5},
        ),
    ],
)
def test_each_change(changes, expected):
    original = packet(b"efgh", **expected)
    assert started().compressed(compressed(original, changes, b"efgh")) == original


def test_packets_one_after_another():
    vj = started()
    for number in range(1, 400):
        original = packet(b"wxyz", sequence=1000 + 4 * number, identification=1 + number)
        assert vj.compressed(compressed(original, (0x0F, b"", b""), b"wxyz")) == original


def test_numbers_wrap():
    vj = started(sequence=0xFFFFFFFE, identification=0xFFFF)
    original = packet(b"", sequence=2, identification=0)
    assert vj.compressed(compressed(original, (0x0F, b"", b""), b"")) == original


def test_connections_are_kept_apart():
    vj = started(number=7)
    other = packet(sequence=5000)
    assert vj.uncompressed(uncompressed(other, 8), keep=True) == other
    original = packet(b"", sequence=1004, identification=2)
    assert vj.compressed(compressed(original, (0x48, b"\x07", b"\x04"), b"")) == original
    assert vj.compressed(compressed(original, (0x48, b"\x09", b"\x04"), b"")) is None


def test_tcp_options_stay():
    options = b"\x01\x01\x08\x0a" + bytes(8)
    original = packet(b"efgh", sequence=1004, identification=2, options=options)
    assert started(options=options).compressed(compressed(original, (0x0F, b"", b""), b"efgh")) == original


def test_behind_a_loss_only_a_named_connection_counts():
    vj = started()
    vj.lose()
    original = packet(b"", sequence=1004, identification=2)
    assert vj.compressed(compressed(original, (0x08, b"", b"\x04"), b"")) is None
    assert vj.compressed(compressed(original, (0x48, b"\x07", b"\x04"), b"")) == original


def test_a_delta_that_was_lost_is_noticed():
    vj = started()
    skipped = packet(b"", sequence=1012, identification=4)
    assert vj.compressed(compressed(skipped, (0x48, b"\x07", b"\x04"), b"")) is None


def test_cut_at_every_octet():
    original = packet(b"", sequence=1003, acknowledgment=2002, window=4097, identification=5)
    whole = compressed(original, (0x6E, b"\x07", b"\x01\x02\x03\x04"), b"")
    for length in range(len(whole)):
        assert started().compressed(whole[:length]) is None
    assert started().compressed(whole) == original
    first = uncompressed(packet(), 7)
    for length in range(len(first)):
        assert Decompressor().uncompressed(first[:length], keep=True) is None


def test_headers_that_contradict_themselves():
    first = uncompressed(packet(b""), 7)
    for at, value in ((0, 0x65), (0, 0x44), (0, 0x4F), (32, 0x40), (32, 0xF0), (3, 19), (3, 39)):
        broken = bytearray(first)
        broken[at] = value
        assert Decompressor().uncompressed(bytes(broken), keep=True) is None


def test_a_packet_that_would_be_too_long():
    assert started().compressed(b"\x0f\x00\x00" + bytes(65_500)) is None


@pytest.mark.parametrize("octets", [b"", b"\0", b"\xff\xff", b"\x01", bytes(40), b"\xff" * 41, bytes(range(99))])
def test_checksum(octets):
    assert internet_checksum(octets) == ones_sum(octets)

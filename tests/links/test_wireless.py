"""802.11 and radiotap: which frames hold IP, how long their headers are, and every octet at which they can be cut."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from builder import Conversation, cut, echo, gre, ipv4, ipv6, pcap
from helpers import identifiers, issues, only
from link_builder import (
    DATA,
    FROM_DS,
    IEEE802_11,
    NO_DATA,
    ORDER,
    PROTECTED,
    QOS,
    RADIOTAP,
    RETRY,
    TO_DS,
    TUNNEL_OUI,
    mpls,
    ppp,
    pppoe,
    radiotap,
    snap,
    vlan,
    wireless,
    wireless_header,
)
from tag_builder import subframe
from walks import found, is_not_followed, is_not_ip, is_read, walk

from pptpcap.wire.carriers import Carrier

GRE = gre(b"\x00\x57", sequence=1)
V4 = ipv4(GRE, 47)  # 34 octets
V6 = ipv6(GRE, 47)
WDS = TO_DS | FROM_DS

# Frame control of frames that hold data, and octets of their header.
FRAMES = [
    (DATA, 24),
    (DATA | TO_DS, 24),
    (DATA | FROM_DS, 24),
    (DATA | WDS, 30),
    (DATA | QOS, 26),
    (DATA | QOS | TO_DS, 26),
    (DATA | QOS | WDS, 32),
    (DATA | QOS | ORDER, 30),
    (DATA | QOS | ORDER | WDS, 36),
    (DATA | ORDER, 24),
    (DATA | ORDER | WDS, 30),
    (DATA | RETRY | 0x0010, 24),
    (DATA | 0x0020 | 0x1000, 24),
    (DATA | 0x0030 | 0x2000, 24),
    (DATA | QOS | 0x0030, 26),
]


def is_cut(engine: str, frame, size: int, needs: list[tuple[int, int]], network: int, link: int = IEEE802_11) -> None:
    """`needs` are headers as (offset, octets needed from there); behind them IP begins, at `network`."""
    got = found(engine, cut(frame, size), link)
    short = [(need, size - start) for start, need in needs if size < start + need]
    if short:
        assert issues(got) == [(1, "LINK", "FRAME_CUT", *short[0])], size
        only(got, frames_cut=1)
    else:
        assert issues(got) == [(1, "IP", "HEADER_CUT", 20, size - network)], size
        only(got, ip_malformed=1)


# ---- 802.11


@pytest.mark.parametrize(("control", "size"), FRAMES)
def test_data(engine, control, size):
    assert len(wireless_header(control)) == size
    is_read(engine, wireless(V4, control), IEEE802_11)
    is_read(engine, wireless(V6, control), IEEE802_11)
    is_read(engine, wireless(V4, control) + b"fcs!", IEEE802_11)
    is_read(engine, wireless_header(control) + snap(V4, oui=TUNNEL_OUI), IEEE802_11)
    is_read(engine, wireless_header(control) + snap(mpls(V4), 0x8847), IEEE802_11)
    is_read(engine, wireless_header(control) + snap(pppoe(ppp(V4)), 0x8864), IEEE802_11)
    is_read(engine, wireless_header(control) + snap(vlan(V4, 0x0800), 0x8100), IEEE802_11)
    is_not_ip(engine, wireless_header(control) + snap(V4, 0x888E), IEEE802_11)
    is_not_ip(engine, wireless_header(control) + snap(V4, llc=b"\xe0\xe0\x03"), IEEE802_11)
    is_not_ip(engine, wireless_header(control) + V4, IEEE802_11)


@pytest.mark.parametrize(("control", "size"), FRAMES)
def test_cut_at_each_octet(engine, control, size):
    frame = wireless(V4, control)
    for octets in range(size + 28):
        is_cut(engine, frame, octets, [(0, 2), (0, size), (size, 3), (size, 8)], size + 8)


def test_every_frame_control(engine):
    """All types and subtypes, all addresses, protection and order: what the standard calls a header is one here."""
    frames, read, protected = [], 0, 0
    for low in range(256):
        for high in (0x00, 0x01, 0x02, 0x03, 0x40, 0x43, 0x80, 0x81, 0x82, 0x83, 0xC0, 0x3C):
            version, kind, subtype = low & 3, low >> 2 & 3, low >> 4
            size = 24 + (6 if high & 3 == 3 else 0)
            if subtype & 8:
                size += 2 + (4 if high & 0x80 else 0)
            frames.append(struct.pack("<H", low | high << 8).ljust(size, b"\0") + snap(V4))
            read += version == 0 and kind == 2 and not subtype & 4 and not high & 0x40
            protected += version == 0 and kind == 2 and not subtype & 4 and bool(high & 0x40)
    got = walk(pcap(frames, link=IEEE802_11), engine)
    assert read == 8 * 9
    only(got, gre_packets=read, not_ip=len(frames) - read)
    assert [(kind, needed, had) for _, _, kind, needed, had in issues(got)] == [
        ("UNFOLLOWED", Carrier.WIRELESS, protected)
    ]


@pytest.mark.parametrize(
    "control",
    [
        0x0000,
        0x0080,
        0x00D4,
        0x00B4,
        0x000C,
        DATA | 1,
        DATA | 2,
        DATA | 3,
        DATA | NO_DATA,
        DATA | NO_DATA | QOS,
        DATA | NO_DATA | PROTECTED,
        0x0800,
        0x0888 | 1,
    ],
)
def test_frames_without_readable_data(engine, control):
    """Two octets tell: management, control, null data are not cut, however short."""
    frame = struct.pack("<H", control) + bytes(60)
    for size in (2, 3, 10, 23, 62):
        is_not_ip(engine, cut(frame, size), IEEE802_11)
    for size in (0, 1):
        is_cut(engine, frame, size, [(0, 2)], 0)


@pytest.mark.parametrize("control", [DATA | PROTECTED, DATA | QOS | PROTECTED, DATA | WDS | PROTECTED])
def test_encrypted_data(engine, control):
    """Two octets tell these too, and they are told."""
    frame = struct.pack("<H", control) + bytes(60)
    for size in (2, 3, 10, 23, 62):
        is_not_followed(engine, cut(frame, size), "WIRELESS", IEEE802_11)
    is_not_followed(engine, radiotap(frame, (FLAGS,), flags(0x20)), "WIRELESS", RADIOTAP)


@pytest.mark.parametrize("control", [DATA | QOS, DATA | QOS | WDS, DATA | QOS | ORDER, DATA | QOS | ORDER | WDS])
def test_qos_control(engine, control):
    """Its bit 7 says that several frames are in this one; the others say nothing here."""
    for qos in (0x0000, 0x0007, 0x0060, 0xFF7F, 0x8000):
        is_read(engine, wireless(V4, control, qos), IEEE802_11)
    for qos in (0x0080, 0x00FF, 0xFF80):
        frame = wireless_header(control, qos) + subframe(snap(V4))
        is_read(engine, frame, IEEE802_11)
        size = len(frame) - 22 - len(V4)
        is_cut(engine, frame, size - 1, [(0, size)], 0)


def test_bit_of_qos_control_in_other_places(engine):
    """Without QoS, what stands at 24 is LLC; with four addresses, an address does."""
    is_read(engine, wireless(V4, DATA), IEEE802_11)
    header = bytearray(wireless_header(DATA | QOS | WDS))
    header[24:30] = b"\xff" * 6
    is_read(engine, bytes(header) + snap(V4), IEEE802_11)


def test_control_connection_over_the_air(engine):
    """Each side in its own direction of the distribution system, through radiotap too."""

    def to_server(around: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        return lambda packet: around(wireless(packet, DATA | QOS | TO_DS))

    def to_client(around: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        return lambda packet: around(wireless(packet, DATA | FROM_DS) + b"\0\0\0\0")

    for link, around in ((IEEE802_11, bytes), (RADIOTAP, radiotap)):
        talk = Conversation(wrap=to_server(around)).handshake()
        talk.client(0, echo(1)[:7])
        talk.wrap = to_client(around)
        talk.client(7, echo(1)[7:]).server(0, echo(2))
        got = walk(talk.pcap(link=link), engine)
        assert sorted(identifiers(got)) == [1, 2]
        assert issues(got) == []
        only(got, control_segments=6)


# ---- radiotap


def flags(value: int) -> bytes:
    return bytes([value])


TSFT, FLAGS, MORE = 1, 2, 1 << 31
# Present words, fields behind them: of each, the flags field is found and has the data pad bit.
WITH_FLAGS = [
    ((FLAGS,), flags(0x20)),
    ((FLAGS,), flags(0xFF)),
    ((FLAGS | 0x0000486C,), flags(0x20) + bytes(13)),
    ((TSFT | FLAGS,), bytes(8) + flags(0x20)),
    ((TSFT | FLAGS | 0x7FFFFFFC,), b"\xdf" * 8 + flags(0x20) + bytes(40)),
    ((FLAGS | MORE, 0), flags(0x20)),
    ((TSFT | FLAGS | MORE, 0), bytes(4) + b"\xdf" * 8 + flags(0x20)),
    ((TSFT | FLAGS | MORE, MORE, 0), b"\xdf" * 8 + flags(0x20)),
    ((TSFT | FLAGS | MORE, MORE, MORE, 5), b"\xdf" * 12 + flags(0x20)),
    ((FLAGS | MORE, TSFT | MORE, 0xFFFF), flags(0x30)),
]
# Of these, none is found, or it has no such bit.
WITHOUT_FLAGS = [
    ((0,), b""),
    ((0,), b"\x20" * 20),
    ((TSFT,), b"\x20" * 9),
    ((FLAGS,), flags(0xDF)),
    ((TSFT | FLAGS,), b"\x20" * 8 + flags(0xDF) + b"\x20" * 7),
    ((0x7FFFFFFC,), b"\x20" * 40),
    ((MORE, FLAGS), b"\x20" * 16),
    ((FLAGS | MORE, 0), flags(0xDF) + b"\x20" * 8),
    ((TSFT | FLAGS | MORE, 0), b"\x20" * 12 + flags(0xDF) + b"\x20" * 3),
    ((TSFT | FLAGS | MORE, MORE, 0), b"\x20" * 8 + flags(0xDF) + b"\x20" * 3),
    # the field would lie behind the length
    ((FLAGS,), b""),
    ((TSFT | FLAGS,), b"\x20" * 8),
    ((TSFT | FLAGS,), b"\x20" * 3),
    ((FLAGS | MORE, 0), b""),
    ((FLAGS | MORE, FLAGS | MORE), b"\x20" * 0),
    ((FLAGS | MORE,) * 40, b""),
    ((FLAGS | MORE,), b""),
    ((FLAGS | MORE,), b"\x20" * 3),
]


@pytest.mark.parametrize(("present", "fields"), WITH_FLAGS)
def test_data_pad(engine, present, fields):
    """The 802.11 header is followed by as many octets as make it a multiple of 4."""
    for control, size in FRAMES:
        frame = wireless(V4, control, pad=-size % 4)
        is_read(engine, radiotap(frame, present, fields), RADIOTAP)


@pytest.mark.parametrize(("present", "fields"), WITHOUT_FLAGS)
def test_no_data_pad(engine, present, fields):
    for control, _ in FRAMES:
        is_read(engine, radiotap(wireless(V4, control), present, fields), RADIOTAP)
    padded = radiotap(wireless(V4, DATA | QOS, pad=2), present, fields)
    is_not_ip(engine, padded, RADIOTAP)


def test_flags_behind_the_length_are_the_frames_own_octets(engine):
    """The first octet of the frame would be a flags field with the data pad bit."""
    frame = wireless(V4, DATA | 0x0020 | QOS)
    assert frame[0] & 0x20
    is_read(engine, radiotap(frame, (FLAGS,)), RADIOTAP)
    is_read(engine, radiotap(frame, (TSFT | FLAGS,), bytes(8)), RADIOTAP)


@pytest.mark.parametrize(("present", "fields"), [((0,), b""), ((TSFT | FLAGS,), bytes(9)), ((MORE, 0), bytes(7))])
def test_radiotap_cut_at_each_octet(engine, present, fields):
    size = 4 + 4 * len(present) + len(fields)
    frame = radiotap(wireless(V4, DATA | QOS), present, fields)
    needs = [(0, 8), (0, size), (size, 2), (size, 26), (size + 26, 3), (size + 26, 8)]
    for octets in range(size + 34 + 20):
        is_cut(engine, frame, octets, needs, size + 34, RADIOTAP)


def test_padded_header_cut_at_each_octet(engine):
    """The padding is part of the header, and is needed with it."""
    frame = radiotap(wireless(V4, DATA | QOS, pad=2), (FLAGS,), flags(0x20))
    needs = [(0, 8), (0, 9), (9, 2), (9, 28), (37, 3), (37, 8)]
    for octets in range(45 + 20):
        is_cut(engine, frame, octets, needs, 45, RADIOTAP)


def test_radiotap_that_is_none(engine):
    frame = wireless(V4)
    for version in (1, 2, 255):
        is_not_ip(engine, radiotap(frame, version=version), RADIOTAP)
    for length in range(8):
        is_not_ip(engine, radiotap(frame, length=length), RADIOTAP)


@pytest.mark.parametrize("length", [67, 100, 0x0800, 0xFFFF])
def test_radiotap_longer_than_the_frame(engine, length):
    frame = radiotap(wireless(V4), length=length)
    got = found(engine, frame, RADIOTAP)
    assert len(frame) == 74
    if length > 74:
        assert issues(got) == [(1, "LINK", "FRAME_CUT", length, 74)]
        only(got, frames_cut=1)
    else:
        assert issues(got) == []
        only(got, not_ip=1)


def test_what_radiotap_may_carry(engine):
    """Beacons are not IP, behind any header; aggregates are read."""
    for control in (0x0080, DATA | NO_DATA):
        is_not_ip(engine, radiotap(struct.pack("<H", control) + bytes(40), (FLAGS,), flags(0x20)), RADIOTAP)
    is_read(engine, radiotap(wireless_header(DATA | QOS, 0x80) + subframe(snap(V4)), (FLAGS,), flags(0)), RADIOTAP)

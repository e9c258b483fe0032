"""Enhanced GRE: every word, every cut, and the PPP protocol whatever the compression."""

from __future__ import annotations

import pytest
from builder import CLIENT, CLIENT6, SERVER, SERVER6, cut, ethernet, gre, gre_frame, ipv4, pcap, time_of
from helpers import EngineName, column, decode, issues, nanoseconds, only, statuses

from pptpcap.wire.carriers import Carrier

LCP = bytes.fromhex("ff03c02109010008a1b2c3d4")  # 12 octets


def one(engine: EngineName, packet: bytes, snap: int | None = None):
    """A GRE packet in Ethernet and IPv4: 34 octets in front of it."""
    frame = gre_frame(packet)
    return decode(pcap([frame if snap is None else cut(frame, 34 + snap)]), engine)


def fields(got, *names: str) -> list[int]:
    assert len(got["gre"]) == 1
    return [int(got["gre"][0][name]) for name in names]


# ---- the length that the header claims


def test_surplus_octets_are_no_payload(engine):
    got = one(engine, gre(LCP + bytes(5), sequence=1, payload_length=12))
    assert fields(got, "payload_length", "available", "ppp_protocol") == [12, 12, 0xC021]
    assert statuses(got, "gre") == [{"PAYLOAD_SURPLUS"}]
    assert issues(got) == []


def test_payload_length_above_the_packet(engine):
    got = one(engine, gre(LCP, sequence=1, payload_length=13))
    assert fields(got, "payload_length", "available", "ppp_protocol", "tunnel") == [13, 12, 0xC021, 0]
    assert statuses(got, "gre") == [{"PAYLOAD_SHORT"}]
    assert issues(got) == [(1, "GRE", "PAYLOAD_SHORT", 13, 12)]
    only(got, gre_packets=1)


def test_acknowledgment_with_octets_behind_it(engine):
    """tshark makes PPP of them; payload length 0 says that they are none."""
    got = one(engine, gre(acknowledgment=5) + bytes(20))
    assert fields(got, "flags_and_version", "payload_length", "available", "ppp_protocol") == [0x2081, 0, 0, 0]
    assert fields(got, "sequence_number", "acknowledgment_number") == [0, 5]
    assert statuses(got, "gre") == [{"PAYLOAD_SURPLUS"}]
    assert issues(got) == []


def test_ethernet_padding_is_not_seen(engine):
    frame = gre_frame(gre(acknowledgment=5))
    assert len(frame) == 46
    got = decode(pcap([frame.ljust(60, b"\xff")]), engine)
    assert statuses(got, "gre") == [set()]
    assert column(got, "gre", "available") == [0]
    assert issues(got) == []


def test_sequence_without_payload(engine):
    got = one(engine, gre(sequence=9))
    assert fields(got, "sequence_number", "payload_length", "ppp_protocol") == [9, 0, 0]
    assert statuses(got, "gre") == [{"EMPTY_SEQUENCE"}]
    got = one(engine, gre(LCP, sequence=9, payload_length=0))
    assert fields(got, "available", "ppp_protocol") == [0, 0]
    assert statuses(got, "gre") == [{"EMPTY_SEQUENCE", "PAYLOAD_SURPLUS"}]
    assert issues(got) == []


def test_payload_without_sequence(engine):
    """The shape of the CVE-2020-8597 packets: S clear says that there is none, and one wants to see it."""
    got = one(engine, gre(LCP))
    assert fields(got, "flags_and_version", "payload_length", "available", "ppp_protocol") == [0x2001, 12, 12, 0xC021]
    assert statuses(got, "gre") == [{"NO_SEQUENCE"}]
    assert issues(got) == [(1, "GRE", "NO_SEQUENCE", 0, 12)]
    got = one(engine, gre(LCP, acknowledgment=3))
    assert fields(got, "acknowledgment_number", "available", "ppp_protocol") == [3, 12, 0xC021]
    assert issues(got) == [(1, "GRE", "NO_SEQUENCE", 0, 12)]
    got = one(engine, gre(b"\x00\x00\x00"))
    assert statuses(got, "gre") == [{"NO_SEQUENCE", "NO_PROTOCOL"}]
    assert issues(got) == [(1, "GRE", "NO_SEQUENCE", 0, 3), (1, "PPP", "NO_PROTOCOL", 0, 3)]


# ---- flags


@pytest.mark.parametrize("bit", [0x8000, 0x4000, 0x0800, 0x0400, 0x0200, 0x0100, 0x0040, 0x0020, 0x0010, 0x0008])
def test_forbidden_flag_moves_nothing(engine, bit):
    got = one(engine, gre(LCP, 7, 11, 12, flags=0x3081 | bit))
    assert fields(got, "flags_and_version", "call_id", "sequence_number") == [0x3081 | bit, 7, 11]
    assert fields(got, "acknowledgment_number", "ppp_protocol", "available") == [12, 0xC021, 12]
    assert statuses(got, "gre") == [{"FORBIDDEN_FLAGS"}]
    assert issues(got) == [(1, "GRE", "FORBIDDEN_FLAGS", 0, bit)]


def test_no_key(engine):
    """K clear with C set: both marks, in the order of the rules, then what is wrong with the payload."""
    got = one(engine, gre(LCP, 7, 11, flags=0x1001))
    assert fields(got, "call_id", "payload_length", "sequence_number", "ppp_protocol") == [7, 12, 11, 0xC021]
    assert statuses(got, "gre") == [{"NO_KEY"}]
    assert issues(got) == [(1, "GRE", "NO_KEY", 0x2000, 0)]
    got = one(engine, gre(LCP, 7, 11, flags=0x9001, payload_length=99))
    assert statuses(got, "gre") == [{"NO_KEY", "FORBIDDEN_FLAGS", "PAYLOAD_SHORT"}]
    assert issues(got) == [
        (1, "GRE", "FORBIDDEN_FLAGS", 0, 0x8000),
        (1, "GRE", "NO_KEY", 0x2000, 0),
        (1, "GRE", "PAYLOAD_SHORT", 99, 12),
    ]


def test_every_issue_of_one_packet_in_order(engine):
    got = one(engine, gre(LCP, 7, flags=0xCF79, payload_length=99))
    assert issues(got) == [
        (1, "GRE", "FORBIDDEN_FLAGS", 0, 0xCF78),
        (1, "GRE", "NO_KEY", 0x2000, 0),
        (1, "GRE", "PAYLOAD_SHORT", 99, 12),
        (1, "GRE", "NO_SEQUENCE", 0, 99),
    ]


@pytest.mark.parametrize("version", [0, 2, 3, 4, 5, 6, 7])
def test_other_version(engine, version):
    got = one(engine, gre(LCP, sequence=1, flags=0x3000 | version))
    assert len(got["gre"]) == 0
    assert len(got["tunnels"]) == 0
    told = [] if version else [(1, "IP", "UNFOLLOWED", Carrier.PPP_IN_GRE.value, 1)]
    assert issues(got) == [(1, "GRE", "WRONG_VERSION", 1, version), *told]
    only(got, gre_other=1)


@pytest.mark.parametrize("protocol_type", [0x0800, 0x6400, 0x6558, 0x880A, 0x0B88])
def test_other_protocol_type(engine, protocol_type):
    """Version 0 carries something, of which nothing here proves itself."""
    for flags in (0x3001, 0x3000):
        got = one(engine, gre(LCP, sequence=1, flags=flags, protocol_type=protocol_type))
        assert len(got["gre"]) == 0
        assert issues(got) == ([] if flags & 1 else [(1, "IP", "UNFOLLOWED", Carrier.GRE.value, 1)])
        only(got, gre_other=1)


# ---- cuts


def test_cut_by_the_snap_length_at_each_octet(engine):
    """16 octets of header, 12 of payload; the protocol number stands at 18 and 19."""
    packet = gre(LCP, 0x1234, 0x01020304, 0x05060708)
    for size in range(4):
        got = one(engine, packet, size)
        assert len(got["gre"]) == 0
        assert issues(got) == [(1, "GRE", "HEADER_CUT", 4, size)]
        only(got, ip_malformed=1)
    for size in range(4, 28):
        got = one(engine, packet, size)
        available = max(0, size - 16)
        # one octet of FF 03 is an odd octet: it reads as a protocol of one octet, as the rules have it
        protocol = {1: 0xFF}.get(available, 0xC021 if available >= 4 else 0)
        whole = [
            (6, "payload_length", 12),
            (8, "call_id", 0x1234),
            (12, "sequence_number", 0x01020304),
            (16, "acknowledgment_number", 0x05060708),
        ]
        for end, name, value in whole:
            assert fields(got, name) == [value if size >= end else 0], (size, name)
        assert fields(got, "flags_and_version", "available", "ppp_protocol") == [0x3081, available, protocol]
        assert fields(got, "tunnel") == [-1 if size < 16 else 0]
        assert len(got["tunnels"]) == (0 if size < 16 else 1)
        expected = {"HEADER_CUT"} if size < 16 else {"PAYLOAD_CUT"} | ({"NO_PROTOCOL"} if protocol == 0 else set())
        assert statuses(got, "gre") == [expected], size
        assert issues(got) == [], size
        only(got, gre_packets=1)


def test_cut_on_the_wire_at_each_octet(engine):
    """The IP packet itself ends in the header: nothing was cut by the capture, the packet is wrong."""
    packet = gre(LCP, 0x1234, 0x01020304, 0x05060708)
    for size in range(4):
        got = one(engine, packet[:size])
        assert len(got["gre"]) == 0
        assert issues(got) == [(1, "GRE", "MALFORMED", 4, size)]
        only(got, ip_malformed=1)
    for size in range(4, 16):
        got = one(engine, packet[:size])
        assert statuses(got, "gre") == [{"HEADER_CUT"}]
        assert fields(got, "tunnel", "available", "call_id") == [-1, 0, 0x1234 if size >= 8 else 0]
        assert issues(got) == [(1, "GRE", "MALFORMED", 16, size)]
        only(got, gre_packets=1)
    got = one(engine, packet[:20])
    assert fields(got, "available", "ppp_protocol") == [4, 0xC021]
    assert issues(got) == [(1, "GRE", "PAYLOAD_SHORT", 12, 4), (1, "PPP", "PPP_LENGTH", 4, 0)]


def test_cut_header_keeps_the_marks_of_its_flags(engine):
    packet = gre(LCP, 7, 11, flags=0x9001)
    got = one(engine, packet, 5)
    assert statuses(got, "gre") == [{"HEADER_CUT", "FORBIDDEN_FLAGS", "NO_KEY"}]
    assert issues(got) == [(1, "GRE", "FORBIDDEN_FLAGS", 0, 0x8000), (1, "GRE", "NO_KEY", 0x2000, 0)]
    got = one(engine, packet[:11])
    assert issues(got) == [
        (1, "GRE", "FORBIDDEN_FLAGS", 0, 0x8000),
        (1, "GRE", "NO_KEY", 0x2000, 0),
        (1, "GRE", "MALFORMED", 12, 11),
    ]


def test_cut_header_of_another_protocol(engine):
    """The first four octets decide: what is not Enhanced GRE for PPP has no row, cut or not."""
    for snap in (4, 7):
        got = one(engine, gre(LCP, sequence=1, protocol_type=0x0800), snap)
        assert len(got["gre"]) == 0
        only(got, gre_other=1)


def test_short_and_cut_at_once(engine):
    """20 octets claimed, 12 on the wire, 6 captured: the packet is short and the capture is cut."""
    got = one(engine, gre(LCP, sequence=1, payload_length=20), 12 + 6)
    assert fields(got, "available", "ppp_protocol") == [6, 0xC021]
    assert statuses(got, "gre") == [{"PAYLOAD_SHORT", "PAYLOAD_CUT"}]
    assert issues(got) == [(1, "GRE", "PAYLOAD_SHORT", 20, 12)]


def test_only_surplus_is_cut(engine):
    got = one(engine, gre(LCP + bytes(9), sequence=1, payload_length=12), 12 + 12)
    assert fields(got, "available") == [12]
    assert statuses(got, "gre") == [{"PAYLOAD_SURPLUS"}]


# ---- PPP


@pytest.mark.parametrize(
    ("payload", "protocol"),
    [
        ("ff03c02105aa0004", 0xC021),
        ("ff030021", 0x0021),
        ("ff0321", 0x0021),
        ("ff03fd9001", 0x00FD),
        ("c02105aa0004", 0xC021),
        ("80fd05060004", 0x80FD),
        ("0021", 0x0021),
        ("21450000", 0x0021),
        ("fd9001", 0x00FD),
        ("21", 0x0021),
        ("ff", 0x00FF),
        ("ff04c021", 0x00FF),
        ("03ff", 0x0003),
        ("ff03ff03c021", 0x00FF),
        ("ff0303", 0x0003),
        ("0001", 0x0001),
        ("feff00000004", 0xFEFF),
    ],
)
def test_protocol(engine, payload, protocol):
    """Address and control or not, one octet of protocol or two, in any packet."""
    octets = bytes.fromhex(payload)
    for packet in (gre(octets, sequence=1), gre(octets, sequence=1, acknowledgment=2)):
        got = one(engine, packet)
        assert fields(got, "ppp_protocol", "available") == [protocol, len(octets)]
        assert statuses(got, "gre") == [set()]
        assert issues(got) == []


@pytest.mark.parametrize(
    "payload", ["00", "c0", "ff03", "ff0300", "ff03c0", "0020", "c022", "ff030000", "ff03c0220909", "fe02"]
)
def test_no_protocol(engine, payload):
    octets = bytes.fromhex(payload)
    got = one(engine, gre(octets, sequence=1))
    assert fields(got, "ppp_protocol", "available") == [0, len(octets)]
    assert statuses(got, "gre") == [{"NO_PROTOCOL"}]
    assert issues(got) == [(1, "PPP", "NO_PROTOCOL", 0, len(octets))]


def test_protocol_never_reaches_behind_the_payload(engine):
    got = one(engine, gre(bytes.fromhex("c021"), sequence=1, payload_length=1))
    assert fields(got, "ppp_protocol", "available") == [0, 1]
    assert statuses(got, "gre") == [{"NO_PROTOCOL", "PAYLOAD_SURPLUS"}]
    assert issues(got) == [(1, "PPP", "NO_PROTOCOL", 0, 1)]
    got = one(engine, gre(bytes.fromhex("ff03"), sequence=1, payload_length=1))
    assert fields(got, "ppp_protocol") == [0xFF]


# ---- tunnels


def test_tunnels_are_one_way(engine):
    packets = [
        gre_frame(gre(acknowledgment=0, call_id=1)),
        gre_frame(gre(LCP, 1, 5)),
        gre_frame(gre(LCP, 1, 7)),
        gre_frame(gre(LCP, 1, 6)),
        gre_frame(gre(LCP, 1, 9), SERVER, CLIENT),
        gre_frame(gre(LCP, 2, 9)),
        gre_frame(gre(LCP, 1, 9), CLIENT6, SERVER6),
        gre_frame(gre(LCP, 1)),
        gre_frame(gre(LCP, 1, 8, 4)),
    ]
    got = decode(pcap(packets), engine)
    assert column(got, "gre", "tunnel") == [0, 0, 0, 0, 1, 2, 3, 0, 0]
    tunnels = got["tunnels"]
    assert tunnels["call_id"].tolist() == [1, 1, 2, 1]
    assert tunnels["packets"].tolist() == [4, 1, 1, 1]
    assert tunnels["acks"].tolist() == [1, 0, 0, 0]
    assert tunnels["payload_octets"].tolist() == [48, 12, 12, 12]
    assert tunnels["first_sequence"].tolist() == [5, 9, 9, 9]
    assert tunnels["last_sequence"].tolist() == [8, 9, 9, 9]
    assert tunnels["first_packet"].tolist() == [1, 5, 6, 7]
    assert tunnels["last_packet"].tolist() == [9, 5, 6, 7]
    assert tunnels["first_time"][0] == nanoseconds(time_of(1))
    assert tunnels["last_time"][0] == nanoseconds(time_of(9))
    assert tunnels["source"][3].tolist() == list(CLIENT6)
    assert tunnels["source"][1].tolist() == [0] * 10 + [255, 255, *SERVER]


def test_last_sequence_is_the_highest_by_signed_difference(engine):
    numbers = [0xFFFFFFFD, 0xFFFFFFFF, 1, 0, 0xFFFFFFFE]
    got = decode(pcap(gre_frame(gre(LCP, 1, number)) for number in numbers), engine)
    assert column(got, "gre", "sequence_number") == numbers
    assert got["tunnels"]["first_sequence"].tolist() == [0xFFFFFFFD]
    assert got["tunnels"]["last_sequence"].tolist() == [1]


def test_payload_octets_are_those_claimed(engine):
    """A snap length takes nothing from what was carried."""
    frames = [cut(gre_frame(gre(LCP, 1, number)), 34 + 14) for number in range(3)]
    got = decode(pcap(frames), engine)
    assert got["tunnels"]["payload_octets"].tolist() == [36]


def test_greatest_payload_length(engine):
    """65,535 claimed in an IP packet of the same size."""
    packet = gre(bytes(65535 - 20 - 12), sequence=1, payload_length=65535)
    got = decode(pcap([ethernet(ipv4(packet, 47))]), engine)
    assert fields(got, "payload_length", "available") == [65535, 65503]
    assert statuses(got, "gre") == [{"PAYLOAD_SHORT", "NO_PROTOCOL"}]
    assert issues(got) == [(1, "GRE", "PAYLOAD_SHORT", 65535, 65503), (1, "PPP", "NO_PROTOCOL", 0, 65503)]


# ---- IP in a multilink fragment (decoding 8.7, RFC 1990 section 3)

# FFFF - (4500 + 14 + 4011 + A00 + 1 + A00 + 2) is 66D7.  With four octets of options the first word is 4600; the sum of
# the options is 0200, so the checksum is 66D7 - 0300 = 63D7.  A payload length of 4 octets, next header 59, limit 64.
IPV4 = "4500 0014 0000 0000 40 11 66d7 0a000001 0a000002"
OPTIONS = "4600 0014 0000 0000 40 11 63d7 0a000001 0a000002 01000100"
IPV6 = "60000000 0004 3b 40" + "00" * 31 + "01" + "00000000"
FRAGMENTS = {
    "IPv4": f"003d c0000001 0021 {IPV4}",
    "IPv4, protocols of one octet": f"3d c0000001 21 {IPV4}",
    "IPv4 behind FF 03": f"ff03 003d c0000001 ff03 0021 {IPV4}",
    "the first of several": f"003d 80000001 0021 {IPV4}",
    "IPv4 with options": f"003d c0000001 0021 {OPTIONS}",
    "any sequence number": f"003d c0ffffff 0021 {IPV4}",
    "short sequence number": f"003d c001 0021 {IPV4}",
    "short sequence number, protocol of one octet": f"003d 8fff 21 {IPV4}",
    "IPv6": f"003d c0000001 0057 {IPV6}",
    "IPv6, short sequence number": f"003d c001 57 {IPV6}",
}
NO_PROOF = {
    "not the first fragment": f"003d 40000001 0021 {IPV4}",
    "reserved bit": f"003d e0000001 0021 {IPV4}",
    "last reserved bit": f"003d c1000001 0021 {IPV4}",
    "reserved bit of the short header": f"003d d001 0021 {IPV4}",
    "another checksum": f"003d c0000001 0021 {IPV4.replace('66d7', '66d8')}",
    "version 5": f"003d c0000001 0021 {IPV4.replace('4500', '5500').replace('66d7', '56d7')}",
    "header of 16 octets": f"003d c0000001 0021 {IPV4.replace('4500', '4400').replace('66d7', '67d7')}",
    "header longer than the packet": f"003d c0000001 0021 {IPV4.replace('4500', '4600').replace('66d7', '65d7')}",
    "one octet of options is missing": f"003d c0000001 0021 {OPTIONS[:-2]}",
    "last octet is missing": f"003d c0000001 0021 {IPV4[:-2]}",
    "encrypted": f"003d c0000001 00fd {IPV4}",
    "VJ": f"003d c0000001 002f {IPV4}",
    "IPv6, another version": f"003d c0000001 0057 7{IPV6[1:]}",
    "IPv6, an octet more": f"003d c0000001 0057 {IPV6} 00",
    "IPv6, an octet less": f"003d c0000001 0057 {IPV6[:-2]}",
    "IPv6 that goes on in another fragment": f"003d 80000001 0057 {IPV6}",
    "not multilink": f"0021 {IPV4}",
    "nothing": "003d",
    "one octet": "003d c0",
    "header alone": "003d c0000001",
    "short header alone": "003d c001",
    "no protocol": "003d c0000001 0020",
}


@pytest.mark.parametrize("name", FRAGMENTS)
def test_ip_in_a_multilink_fragment(engine, name):
    packet = bytes.fromhex(FRAGMENTS[name])
    assert statuses(one(engine, gre(packet, sequence=1)), "gre") == [{"MULTILINK_IP"}]
    # Nothing is proved by a header that is cut; of IPv6, the four octets behind its header need not be there.
    behind = 4 if "IPv6" in name else 0
    for size in range(len(packet) - behind, len(packet)):
        assert statuses(one(engine, gre(packet, sequence=1), 12 + size), "gre") == [{"MULTILINK_IP", "PAYLOAD_CUT"}]
    for size in range(len(packet) - behind):
        assert "MULTILINK_IP" not in statuses(one(engine, gre(packet, sequence=1), 12 + size), "gre")[0]


@pytest.mark.parametrize("name", NO_PROOF)
def test_no_proof_of_ip_in_a_multilink_fragment(engine, name):
    got = one(engine, gre(bytes.fromhex(NO_PROOF[name]), sequence=1))
    assert statuses(got, "gre") == [set()]


def test_ip_in_a_multilink_fragment_without_a_sequence_number(engine):
    """Marked, as such a packet can be an attack; it counts nowhere (10.3.6)."""
    got = one(engine, gre(bytes.fromhex(FRAGMENTS["IPv4"]), flags=0x2001))
    assert statuses(got, "gre") == [{"MULTILINK_IP", "NO_SEQUENCE"}]
    assert column(got, "tunnels", "multilink_ip_packets") == [0]

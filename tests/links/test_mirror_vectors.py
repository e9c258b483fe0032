"""Octets of each mirror and overlay, typed by hand, and where the IP header in them is; and octets that must not be read.

A vector is a line of words.  A name stands for the octets that `PARTS` gives it, ``00*16`` for 16 octets of zero, any
other word is hexadecimal.  It begins behind an outer IPv4 header of a protocol, or behind a UDP header to a port.
"""

from __future__ import annotations

import re

import pytest
from builder import pcap
from helpers import column, decode, issues, only
from mirror_builder import link, outer, udp
from walks import walk

from pptpcap.wire.carriers import Carrier

PARTS = {
    "D": "020000000002 020000000001",
    "I4": "45000028 00010000 40068e90 c000020a c6336401 9c4006bb 000003e8 00000000 5002fde8 00000000",
    "I6": "60000000 00140640 20010db8 0000000000000000 00000001 20010db8 0000000000000000 00000002"
    "9c4006bb 000003e8 00000000 5002fde8 00000000",
}
PARTS["E4"] = f"{PARTS['D']} 0800 {PARTS['I4']}"
PARTS["E6"] = f"{PARTS['D']} 86dd {PARTS['I6']}"
PARTS["W4"] = f"08010000 0200000000a1 020000000001 020000000002 0000 aaaa03000000 0800 {PARTS['I4']}"
# The two octets of frame control the other way round.
PARTS["V4"] = "0108" + PARTS["W4"][4:]
# Teredo's prefix in the source, and a trailer behind the packet.
PARTS["T6"] = PARTS["I6"].replace("20010db8 0000000000000000 00000001", "20010000 cb007101 0000000000000001")


def octets(text: str) -> bytes:
    words = (PARTS.get(word, word) for word in text.split())
    return bytes.fromhex("".join(re.sub(r"00\*(\d+)", lambda found: "00" * int(found[1]), word) for word in words))


def in_ip(protocol: int, text: str) -> bytes:
    return link(outer(octets(text), protocol))


def in_udp(port: int, text: str, source: int = 54321) -> bytes:
    return link(udp(octets(text), port, source))


# Frame, where its IP header begins, carrier, network.
READ = [
    (in_ip(47, "00000800 I4"), 38, Carrier.GRE, -1),
    (in_ip(47, "000086dd I6"), 38, Carrier.GRE, -1),
    (in_ip(47, "f0000800 00000000 00000007 00000009 08000004 0a000001 00000000 I4"), 62, Carrier.GRE, 7),
    (in_ip(47, "40000800 00000000 00000000 I4"), 46, Carrier.GRE, -1),
    (in_ip(47, "80000800 00000000 I4"), 42, Carrier.GRE, -1),
    (in_ip(47, "17000800 00000001 I4"), 42, Carrier.GRE, -1),
    (in_ip(47, "00006558 E4"), 52, Carrier.GRE, -1),
    (in_ip(47, "00006558 E6"), 52, Carrier.GRE, -1),
    (in_ip(47, "00008847 000641ff I4"), 42, Carrier.GRE, -1),
    (in_ip(47, "00008848 00064000 000641ff I4"), 46, Carrier.GRE, -1),
    (in_ip(47, "00008100 0005 0800 I4"), 42, Carrier.GRE, -1),
    (in_ip(47, "0000883e I4"), 38, Carrier.GRE, -1),
    (in_ip(47, "0000883e 00010000 I4"), 42, Carrier.GRE, -1),
    (in_ip(47, "20008909 00000028 0800010100010000 I4"), 50, Carrier.GRE, 40),
    (in_ip(47, "20006558 00123400 E4"), 56, Carrier.NVGRE, 0x1234),
    (in_ip(47, "20006558 000fff00 E4"), 56, Carrier.GRE, 0xFFF00),
    (in_ip(47, "30006558 00123400 00000001 E4"), 60, Carrier.GRE, 0x123400),
    (in_ip(47, "000088be E4"), 52, Carrier.ERSPAN, -1),
    (in_ip(47, "100088be 00000001 100a0064 00000000 E4"), 64, Carrier.ERSPAN, -1),
    (in_ip(47, "100022eb 00000001 200a0064 00000000 00000001 14000000 00000000 E4"), 76, Carrier.ERSPAN, -1),
    (in_ip(47, "000022eb 200a0064 00000000 00000000 E4"), 64, Carrier.ERSPAN, -1),
    (in_ip(47, "100022eb 00000001 200a0064 00000000 00000800 I4"), 54, Carrier.ERSPAN, -1),
    # version 2 behind the other protocol
    (in_ip(47, "100088be 00000001 200a0064 00000000 00000000 E4"), 68, Carrier.ERSPAN, -1),
    (in_ip(47, "20016400 00360700 E4"), 56, Carrier.EOIP, -1),
    (in_udp(4754, "00000800 I4"), 46, Carrier.GRE, -1),
    (in_udp(4789, "0800000000123400 E4"), 64, Carrier.VXLAN, 0x1234),
    (in_udp(8472, "0800000000123400 E4"), 64, Carrier.VXLAN, 0x1234),
    (in_udp(4789, "8848000500123400 E6"), 64, Carrier.VXLAN, 0x1234),
    (in_udp(4789, "0c00000100123400 I4"), 50, Carrier.VXLAN_GPE, 0x1234),
    (in_udp(4790, "0c00000100123400 I4"), 50, Carrier.VXLAN_GPE, 0x1234),
    (in_udp(4790, "0c00000200123400 I6"), 50, Carrier.VXLAN_GPE, 0x1234),
    (in_udp(4790, "0c00000300123400 E4"), 64, Carrier.VXLAN_GPE, 0x1234),
    (in_udp(4790, "0c00000500123400 000641ff I4"), 54, Carrier.VXLAN_GPE, 0x1234),
    (in_udp(6081, "0000655800005500 E4"), 64, Carrier.GENEVE, 0x55),
    (in_udp(6081, "0200080000005500 0108010141414141 I4"), 58, Carrier.GENEVE, 0x55),
    (in_udp(6081, "000086dd00005500 I6"), 50, Carrier.GENEVE, 0x55),
    (in_udp(6081, "0000884700005500 000641ff I4"), 54, Carrier.GENEVE, 0x55),
    (in_udp(37008, "01000001 01 E4"), 61, Carrier.TZSP, -1),
    (in_udp(37008, "01000001 0d0400000001 00 29020036 01 E4"), 72, Carrier.TZSP, -1),
    (in_udp(37008, "01010001 01 E4"), 61, Carrier.TZSP, -1),
    (in_udp(37008, "01000012 01 W4"), 79, Carrier.TZSP, -1),
    (in_udp(37008, "01000077 01 4400000090000000 00*136 W4"), 223, Carrier.TZSP, -1),
    (in_udp(37008, "01000077 01 8021100100000040 00*56 W4"), 143, Carrier.TZSP, -1),
    (in_udp(37008, "0100007f 01 8021100100000040 00*56 W4"), 143, Carrier.TZSP, -1),
    (in_udp(2152, "30ff0028 00000099 I4"), 50, Carrier.GTP_U, -1),
    (in_udp(54321, "30ff0028 00000099 I4", source=2152), 50, Carrier.GTP_U, -1),
    (in_udp(2152, "32ff002c 00000099 000100ff I4"), 54, Carrier.GTP_U, -1),
    (in_udp(2152, "34ff0038 00000099 00000085 01000940 0201020304050600 I4"), 66, Carrier.GTP_U, -1),
    (in_udp(5247, "00100200 00000000 E4"), 64, Carrier.CAPWAP, -1),
    (in_udp(5247, "00200010 00000000 060200000000a100 E4"), 72, Carrier.CAPWAP, -1),
    (in_udp(5247, "00180020 00000000 03aaaaaa E4"), 68, Carrier.CAPWAP, -1),
    (in_udp(5247, "00100300 00000000 W4"), 82, Carrier.CAPWAP, -1),
    (in_udp(5247, "00100300 00000000 V4"), 82, Carrier.CAPWAP, -1),
    (link(udp(octets("00100200 00000000 E4"), 5247, length=8, protocol=136)), 64, Carrier.CAPWAP, -1),
    (in_udp(6635, "000641ff I4"), 46, Carrier.MPLS, -1),
    (in_udp(6635, "000641ff 00000000 E4"), 64, Carrier.PSEUDOWIRE, -1),
    (in_udp(4790, "0c00000400123400 0fc20201 000000ff I4"), 58, Carrier.NSH, -1),
    (in_ip(137, "00064000 000641ff I6"), 42, Carrier.MPLS, -1),
    (in_udp(1701, "0002 0005 0006 ff030021 I4"), 52, Carrier.L2TP, -1),
    (in_udp(1701, "4a02 003c 00050006 00010001 0004 00000000 0021 I4"), 62, Carrier.L2TP, -1),
    (in_udp(1701, "0002 0005 0006 57 I6 00000000"), 49, Carrier.L2TP, -1),
    (in_ip(97, "3000 E4"), 50, Carrier.ETHERIP, -1),
    (in_ip(97, "0300 E4"), 50, Carrier.ETHERIP, -1),
    (in_ip(143, "E4"), 48, Carrier.ETHERIP, -1),
    (in_udp(3544, "0000 2bcf 00000000 I6"), 50, Carrier.TEREDO, -1),
    (in_udp(3544, "0001 0200 aabb 0000000000000000 00 0000 2bcf 00000000 I6"), 65, Carrier.TEREDO, -1),
    (in_udp(3544, "T6 04080000000000000000"), 42, Carrier.TEREDO, -1),
    (in_udp(54321, "I6", source=3544), 42, Carrier.TEREDO, -1),
]
# On ports that were named.
NAMED = [
    (in_udp(30030, "1234567800000044 I4"), 50, Carrier.JMIRROR),
    (in_udp(30030, "1234567800000044 I6"), 50, Carrier.JMIRROR),
    (in_udp(30030, "1234567800000044 ff030021 I4"), 54, Carrier.JMIRROR),
    (in_udp(6080, "00040000 I4"), 46, Carrier.GUE),
    (in_udp(6080, "01290000 00000000 I6"), 50, Carrier.GUE),
    (in_udp(6080, "I4"), 42, Carrier.GUE),
]
NAMES = {"jmirror": 30030, "gue": 6080, "vxlan": (5000, 5001)}


def name(vector) -> str:
    return vector.hex()[46:70] if isinstance(vector, bytes) else str(vector)


def is_syn(got, carrier: Carrier, network: int = -1) -> None:
    """The one SYN of the parts came through, and nothing is wrong with it."""
    assert issues(got) == []
    only(got, control_segments=1)
    assert column(got, "connections", "initiator_port") == [40000]
    assert column(got, "connections", "carrier") == [carrier.value]
    assert column(got, "connections", "network_id") == [network]


@pytest.mark.parametrize(("frame", "at", "carrier", "network"), READ, ids=name)
def test_what_is_inside_is_read(engine, frame, at, carrier, network):
    assert frame[at] in (0x45, 0x60)
    is_syn(walk(pcap([frame]), engine), carrier, network)


@pytest.mark.parametrize(("frame", "at", "carrier"), NAMED, ids=name)
def test_a_port_that_was_named(engine, frame, at, carrier):
    assert frame[at] in (0x45, 0x60)
    is_syn(decode(pcap([frame]), engine, mirrors=NAMES), carrier)
    got = decode(pcap([frame, frame]), engine)
    only(got, ip_other=2)
    assert issues(got) == [(1, "IP", "UNFOLLOWED", carrier.value, 2)]


def test_a_port_that_was_named_of_a_kind_with_a_port_of_its_own(engine):
    frames = [in_udp(port, "0800000000123400 E4") for port in (5000, 5001, 4789)]
    got = decode(pcap(frames), engine, mirrors=NAMES)
    assert column(got, "connections", "carrier") == [Carrier.VXLAN.value]
    only(got, control_segments=3)


def test_what_was_named_goes_first(engine):
    frame = in_udp(4789, "0000080000005500 I4")
    only(decode(pcap([frame]), engine), ip_other=1)
    is_syn(decode(pcap([frame]), engine, mirrors={"geneve": 4789}), Carrier.GENEVE, 0x55)


# Frames that are counted and no more, with the carrier that is told, or none.
NOT_READ = [
    (in_udp(4789, "0000000000000700 E4"), None),
    (in_udp(4789, "08000000000007ff E4"), None),
    (in_udp(4789, "0800010000000700 E4"), None),
    (in_udp(4789, "8880000000000700 E4"), None),
    (in_udp(4789, "0800000000000700 020000000002 030000000001 0800 I4"), Carrier.VXLAN),
    (in_udp(4789, "0800000000000700 020000000002 000000000000 0800 I4"), Carrier.VXLAN),
    (in_udp(4789, "0800000000000700 D 0028 I4"), Carrier.VXLAN),
    (in_udp(4789, "0800000000000700 D 0024 aaaa03 000000 1234 00*28"), Carrier.VXLAN),
    (in_udp(4789, "0800000000000700 E4 00*51"), Carrier.VXLAN),
    (in_udp(4790, "0d00000100123400 I4"), Carrier.VXLAN_GPE),
    (in_udp(4790, "1c00000100123400 I4"), Carrier.VXLAN_GPE),
    (in_udp(4790, "0c00000600123400 I4"), Carrier.VXLAN_GPE),
    (in_udp(4790, "0c00000100123400 I4 00"), Carrier.VXLAN_GPE),
    (in_udp(6081, "4000080000000700 I4"), Carrier.GENEVE),
    (in_udp(6081, "0200080000000700 0101000941424344 I4"), Carrier.GENEVE),
    (in_udp(6081, "0080080000000700 I4"), Carrier.GENEVE),
    (in_udp(6081, "0001080000000700 I4"), None),
    (in_udp(6081, "0000080600000700 00*28"), Carrier.GENEVE),
    (in_udp(37008, "01040000"), None),
    (in_udp(37008, "01000001 E4"), Carrier.TZSP),
    (in_udp(37008, "02000001 01 E4"), Carrier.TZSP),
    (in_udp(37008, "01000077 01 4300000090000000 00*136 W4"), Carrier.TZSP),
    (in_udp(37008, "0100007f 01 4400000090000000 00*136 W4"), Carrier.TZSP),
    (in_udp(37008, "01020001 01 E4"), None),
    (in_udp(37008, "01000012 01 08010000 00*28 I4"), Carrier.TZSP),
    (in_udp(37008, "01000012 01 09010000 00*28 I4"), Carrier.TZSP),
    (in_udp(37008, "01000012 01 08"), Carrier.TZSP),
    (in_udp(2152, "30ff0029 00000099 I4"), None),
    (in_udp(2152, "32010004 00000000 00010000"), None),
    (in_udp(2152, "34ff0030 00000099 00000085 00000900 I4"), Carrier.GTP_U),
    (in_udp(2152, "38ff0028 00000099 I4"), None),
    (in_udp(1701, "0001 0005 0006 ff030021 I4"), Carrier.L2TP),
    # L2F with PPP, and with a key and SLIP; its own messages; STUN, TFTP, CoAP
    (in_udp(1701, "0001 02 00 0005 0006 0036 ff030021 I4"), Carrier.L2TP),
    (in_udp(1701, "4001 03 00 0005 0006 0036 12345678 I4"), Carrier.L2TP),
    (in_udp(1701, "0001 01 00 0000 0006 0010 00*6"), None),
    (in_udp(1701, "0001 0008 2112a442 00*12 0003 0004 00000000"), None),
    (in_udp(1701, "0001 612e70636170 00 6f63746574 00"), None),
    (in_udp(1701, "4001 1234 b3 666f6f"), None),
    (in_udp(1701, "4001 04"), None),
    (in_udp(1701, "0001 0405 0006 ff"), None),
    (in_udp(1701, "0003 0000 00000005 E4"), Carrier.L2TP),
    (in_udp(1701, "c802 000c 0005 0000 0001 0001"), None),
    (in_udp(1701, "4002 01f4 0005 0006 ff030021 I4"), None),
    (in_udp(1701, "0002 0005 0000 ff030021 I4"), None),
    (in_udp(1701, "0002 0005 0006 ff03c021 0101000a05061234 5678"), None),
    (in_udp(1701, "0002 0005 0006 ff0300fd I4"), Carrier.L2TP),
    (in_udp(5247, "01000000 17fefd 00*40"), Carrier.CAPWAP),
    (in_udp(5247, "00100280 00050000 E4"), Carrier.CAPWAP),
    (in_udp(5247, "00100208 00000000 E4"), None),
    (in_udp(5247, "00100201 00000000 E4"), None),
    (in_udp(5247, "00100210 00000000 E4"), Carrier.CAPWAP),
    # 802.11 of management and control, and without data, in either order of frame control; ARP
    (in_udp(5247, "00100300 00000000 0000 00*30 I4"), None),
    (in_udp(5247, "00100300 00000000 80000000 ffffffffffff 0200000000a1 0200000000a1 0000 00*10 1104"), None),
    (in_udp(5247, "00100300 00000000 00800000 ffffffffffff 0200000000a1 0200000000a1 0000 00*10 1104"), None),
    (in_udp(5247, "00100300 00000000 d4000000 0200000000a1"), None),
    (in_udp(5247, "00100300 00000000 48010000 0200000000a1 020000000001 0200000000a1 0000"), None),
    (in_udp(5247, "00100300 00000000 01480000 0200000000a1 020000000001 0200000000a1 0000"), None),
    (in_udp(5247, "00100300 00000000 08010000 0200000000a1 D 0000 aaaa03000000 0806 00*28"), None),
    (in_udp(5247, "00100300 00000000 01080000 0200000000a1 D 0000 aaaa03000000 0806 00*28"), None),
    # encrypted, an aggregate, IP that does not prove itself, of another version, cut
    (in_udp(5247, "00100300 00000000 08410000 0200000000a1 D 0000 00*40"), Carrier.CAPWAP),
    (in_udp(5247, "00100300 00000000 41080000 0200000000a1 D 0000 00*40"), Carrier.CAPWAP),
    (in_udp(5247, "00100300 00000000 88010000 0200000000a1 D 0000 8000 D 0030 aaaa03000000 0800 I4"), Carrier.CAPWAP),
    (in_udp(5247, "00100300 00000000 W4 00*51"), Carrier.CAPWAP),
    (in_udp(5247, "00100300 00000000 03030000 00*20 I4"), Carrier.CAPWAP),
    (in_udp(5247, "00100300 00000000 0801 00*10"), Carrier.CAPWAP),
    (in_udp(5247, "00100300 00000000 08"), Carrier.CAPWAP),
    (in_udp(6635, "000641ff 00*40"), None),
    (in_udp(6635, "00064000 00064000 00064000 00064000 00064000 00064000 00064000 00064000 000641ff I4"), None),
    (in_udp(6636, "000641ff I4"), None),
    (in_udp(3544, "I6 00"), None),
    (in_udp(3544, "20 T6"), None),
    (in_udp(3544, "60000000 00ff0640 20010000 cb007101 0000000000000001 20010db8 00*12 00*20"), Carrier.TEREDO),
    (in_udp(1701, "0002 0005 0006 00fd I4"), None),
    (in_udp(1701, "4002 0032 0005 0006 00fd I4"), Carrier.L2TP),
    (in_udp(6081, "0000818300000000 00*20"), None),
    (in_udp(4754, "00008183 00*20"), None),
    (in_udp(4754, "000086dd I4"), Carrier.GRE),
    (in_udp(37008, "03000001 01 E4"), None),
    (in_udp(5247, "00100400 00000000 E4"), None),
    (in_udp(3544, "I4"), None),
    (in_udp(30030, "1234567800000044 45000028 00010000 40060000 c000020a c6336401 00*20"), None),
    (in_udp(6080, "20040000 I4"), None),
    (in_udp(53, "0800000000123400 E4"), None),
    (in_ip(97, "4000 E4"), Carrier.ETHERIP),
    (in_ip(143, "I4"), Carrier.ETHERIP),
    (in_ip(137, "00064000 I4"), Carrier.MPLS),
    (in_ip(115, "00000011 00000000 E4"), Carrier.L2TP),
    (in_ip(115, "00000000 c8030014"), None),
    (in_ip(50, "00001234 00000001 00*40"), Carrier.ESP),
    (in_ip(94, "I4"), Carrier.IP_OTHER),
    (in_ip(108, "04000001 00*20"), Carrier.IP_OTHER),
    (in_ip(1, "08000000 00*20"), None),
    # UDP lengths below the header, and beyond the packet
    (link(udp(octets("0800000000123400 E4"), 4789, length=7)), None),
    (link(udp(octets("0800000000123400 E4"), 4789, length=71)), None),
]
NOT_READ_GRE = [
    (in_ip(47, "100088be 00000001 300a0064 00000000 E4"), Carrier.ERSPAN),
    (in_ip(47, "000088be 100a0064 00000000 E4"), Carrier.ERSPAN),
    (in_ip(47, "100022eb 00000001 200a0064 00000000 00001c00 E4"), Carrier.ERSPAN),
    (in_ip(47, "00010800 I4"), None),
    (in_ip(47, "00800800 I4"), Carrier.GRE),
    (in_ip(47, "00080800 I4"), Carrier.GRE),
    (in_ip(47, "00000800 I4 00"), Carrier.GRE),
    (in_ip(47, "000086dd I4"), Carrier.GRE),
    (in_ip(47, "40000800 00000000 08000004 0a000001 I4"), Carrier.GRE),
    (in_ip(47, "00002000 00*20"), Carrier.GRE),
    (in_ip(47, "00000000"), None),
    (in_ip(47, "20016400 00370700 E4"), Carrier.EOIP),
    (in_ip(47, "20016400 00000700"), None),
    (in_ip(47, "30016400 00360700 E4"), None),
    (in_ip(47, "20008909 00000028 0800020100010000 I4"), Carrier.GRE),
]


def is_told(got, carrier: Carrier | None) -> None:
    assert issues(got) == ([(1, "IP", "UNFOLLOWED", carrier.value, 1)] if carrier else [])


@pytest.mark.parametrize(("frame", "carrier"), NOT_READ, ids=name)
def test_what_is_counted_as_before(engine, frame, carrier):
    got = walk(pcap([frame]), engine)
    only(got, ip_other=1)
    is_told(got, carrier)


@pytest.mark.parametrize(("frame", "carrier"), NOT_READ_GRE, ids=name)
def test_what_is_counted_as_other_gre(engine, frame, carrier):
    got = walk(pcap([frame]), engine)
    only(got, gre_other=1)
    is_told(got, carrier)


def test_a_keepalive_of_gre_ends_inside(engine):
    frame = link(outer(octets("00000800") + outer(octets("00000000"), 47), 47))
    got = walk(pcap([frame]), engine)
    only(got, gre_other=1)
    is_told(got, None)


def test_ppp_in_gre_of_version_0_is_no_pptp(engine):
    got = walk(pcap([in_ip(47, "0000880b ff030021 I4")]), engine)
    only(got, gre_other=1)
    assert issues(got) == [
        (1, "GRE", "WRONG_VERSION", 1, 0),
        (1, "IP", "UNFOLLOWED", Carrier.PPP_IN_GRE.value, 1),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("80000000 ffffffffffff 0200000000a1 0200000000a1 0000 00*10 1104", []),
        ("d4000000 0200000000a1", []),
        ("08010000 0200000000a1 D 0000 aaaa03000000 0806 00*28", []),
        ("08410000 0200000000a1 D 0000 00*40", [(1, "LINK", "UNFOLLOWED", Carrier.WIRELESS.value, 1)]),
    ],
)
def test_802_11_in_tzsp_is_as_in_a_capture_of_it(engine, text, told):
    got = walk(pcap([in_udp(37008, f"01000012 01 {text}")]), engine)
    only(got, not_ip=1)
    assert issues(got) == issues(walk(pcap([octets(text)], link=105), engine)) == told


@pytest.mark.parametrize(
    "text",
    [
        "D 0806 0001 00*26",
        "D 88cc 00*20",
        "D 0026 424203 00*35",
        "D 0040 aaaa03 00000c 2000 00*56",
        "D 0024 aaaa03 000000 0806 00*28",
        "D 8863 1109 00*18",
    ],
)
def test_a_frame_that_is_not_ip_is_followed(engine, text):
    got = walk(pcap([in_udp(4789, f"0800000000123400 {text}")]), engine)
    only(got, not_ip=1)
    assert issues(got) == []


# ---- layers


@pytest.mark.parametrize(
    ("frame", "vlans"),
    [
        (in_ip(47, "100088be 00000001 100a0064 00000000 E4"), (10, -1)),
        (in_ip(47, "100088be 00000001 10000064 00000000 E4"), (-1, -1)),
        (in_ip(47, "100088be 00000001 100a1864 00000000 D 8100 000a 0800 I4"), (10, -1)),
        (in_ip(47, "100088be 00000001 100a0064 00000000 D 8100 0014 0800 I4"), (10, 20)),
        (in_ip(47, "100022eb 00000001 200a0064 00000000 00000000 D 8100 0014 0800 I4"), (10, 20)),
        (in_udp(4789, "0800000000123400 D 8100 0014 8100 0015 0800 I4"), (20, 21)),
    ],
)
def test_vlans_are_those_of_the_innermost_frame(engine, frame, vlans):
    tagged = frame[:12] + bytes.fromhex("8100 0063") + frame[12:]
    got = walk(pcap([tagged]), engine)
    assert (*column(got, "connections", "vlan"), *column(got, "connections", "inner_vlan")) == vlans


def test_ip_in_a_carrier_keeps_the_tags_in_front(engine):
    frame = in_udp(6081, "0000080000005500 I4")
    got = walk(pcap([frame[:12] + bytes.fromhex("8100 0063") + frame[12:]]), engine)
    assert column(got, "connections", "vlan") == [0x63]

"""Octets of each tag and link header, typed by hand, and where the IP header in them is; and octets that must not be read.

A vector is a line of words.  A name stands for the octets that `PARTS` gives it, ``00*16`` for 16 octets of zero, any
other word is hexadecimal.
"""

from __future__ import annotations

import re

import pytest
from builder import pcap
from helpers import faults, issues, only
from walks import found, walk

from pptpcap.wire.carriers import Carrier

# Two outer addresses, two inner ones; a TCP SYN to port 1723 in IPv4 and in IPv6.
PARTS = {
    "A": "0200000000a2 0200000000a1",
    "D": "020000000002 020000000001",
    "I4": "45000028 00010000 40068e90 c000020a c6336401 9c4006bb 000003e8 00000000 5002fde8 00000000",
    "I6": "60000000 00140640 20010db8 0000000000000000 00000001 20010db8 0000000000000000 00000002"
    "9c4006bb 000003e8 00000000 5002fde8 00000000",
}
PARTS["E4"] = f"{PARTS['D']} 0800 {PARTS['I4']}"
PARTS["W4"] = f"08010000 0200000000a1 020000000001 020000000002 0000 aaaa03000000 0800 {PARTS['I4']}"


def octets(text: str) -> bytes:
    words = (PARTS.get(word, word) for word in text.split())
    return bytes.fromhex("".join(re.sub(r"00\*(\d+)", lambda found: "00" * int(found[1]), word) for word in words))


I4 = octets("I4")

# Link type, octets, where IPv4 begins.
READ = [
    (1, "D 8926 00000014 0800 I4", 20),
    (1, "D 893f 000010050000 0800 I4", 22),
    (1, "A 88a8 0005 88e7 00001234 E4", 36),
    (1, "A 88e7 00001234 E4", 32),
    (1, "D 8909 010100010005 0800 I4", 22),
    (1, "A 894f 0fc60103 000000ff 00*16 E4", 52),
    (1, "A 894f 0fc20201 000000ff I4", 22),
    (113, "0000 0001 0006 0200000000010000 0004 aaaa03000000 0800 I4", 24),
    (113, "0000 030a 0000 00*8 6558 E4", 30),
    (1, "A 8847 000641ff 00000000 E4", 36),
    (1, "A 8847 000641ff E4", 32),
    # a pseudowire without control word, whose first address looks like an IPv4 header
    (1, "A 8847 000641ff 450000000002 020000000001 0800 I4", 32),
    (1, "A 8847 000641ff 600000000002 020000000001 0800 I4", 32),
    (1, "A 8847 000641ff 000000000002 020000000001 0800 I4", 32),
    # or like an associated channel
    (1, "A 8847 000641ff 100000000002 020000000001 0800 I4", 32),
    (1, "A 8847 000641ff 166715269641 020000000001 0800 I4", 32),
    # a control word with a sequence number, and one with the length of a short frame
    (1, "A 8847 000641ff 00000007 E4", 36),
    (1, "A 8847 000641ff 003a0000 E4", 36),
    (1, "A 8847 00064000 000071ff I4", 22),
    # explicit null
    (1, "A 8847 000001ff I4", 18),
    (127, "0000080000000000 88020000 020000000002 0200000000a1 020000000001 0000 8000 D 0030 aaaa03000000 0800 I4", 56),
    (1, "D 88e5 000000000009 0800 I4 00*16", 22),
    (1, "D 88e5 200000000009 00*8 0800 I4 00*16", 30),
    (1, "D 88e5 002a00000009 0800 I4 00*16", 22),
    (1, "D 892f 002e 0001 0800 I4", 20),
    (1, "D d28b 0001 0010 00*8 0800 I4", 28),
    (1, "D d28b 0001 0120 00*6 0800 I4", 26),
    (1, "A 22f3 0014 0001 0002 E4", 34),
    (1, "A 22f3 0894 0001 0002 00*8 E4", 42),
    (1, "020202020202 020202020202 8903 0420 E4", 30),
    (1, "A 8100 0005 8903 0420 E4", 34),
    (1, "A 4305 400f3201 0200000000a2 E4", 38),
    (1, "A 4305 420f3201 0200000000a2 0200000000a1 0100 E4", 46),
    (1, "A 4305 010f3200 00000001 0200000000a1 E4", 42),
    (239, "02000005 2c000900 I4", 8),
    (239, "02000005 08000100 08000100 2c000900 I4", 16),
    (239, "07000005 08000100 08000100 2c000900 I4", 16),
    (192, "0000080001000000 E4", 22),
    (192, "0000080069000000 W4", 40),
    (192, "000008000c000000 I4", 8),
    (119, "4400000090000000 00*136 W4", 176),
    (119, "4400000018000000 00*16 W4", 56),
    (119, "8021100100000040 00*56 W4", 96),
    (163, "8021100100000040 00*56 W4", 96),
    (117, "3d02 00*62 I4", 64),
    (117, "4502 00*70 I4", 72),
    (117, "6402 00*98 I4", 100),
    (258, "6c000000 01000000 01000000 00*96 E4", 122),
    (258, "6c000000 01000000 00000000 00*96 02000000 I4", 112),
    (149, "6c000000 01000000 01000000 656e3000 00*92 E4", 122),
    (109, "02000000 00000000 00000000 I4", 12),
    (109, "00000002 12345678 00000000 I4", 12),
    (226, "01020000 00000028 00000002 00*12 I4", 24),
    (197, "00*8 02 04 0048 0000 0036 0000 E4", 32),
    (197, "00*8 82 04 0058 0000 0036 8300000000000000 0300000000000000 0000 E4", 48),
    (197, "00*8 16 04 0038 0000 0028 I4", 16),
    (197, "00*8 01 04 003c 0000 002c 0f00 0800 I4", 20),
    (197, "00*8 05 04 0040 0000 002c 00000000 ff03 0021 I4", 24),
    (178, "4d474300 E4", 18),
    (178, "4d474380 0004 03020001 E4", 24),
    (178, "4d474302 00000000 I4", 8),
    (100, "aaaa03000000 0800 I4", 8),
    (100, "aaaa030080c2 0007 0000 E4", 24),
    (100, "aaaa030080c2 0001 0000 E4 00000000", 24),
    (100, "fefe03 cc I4", 4),
    (100, "060603 I4", 3),
    (123, "02000064 aaaa03000000 0800 I4", 12),
    (107, "1841 03cc I4", 4),
    (107, "1841 0300cc I4", 5),
    (107, "1841 0800 I4", 4),
    (107, "184001 03cc I4", 5),
    (107, "18404041 03cc I4", 6),
    (107, "1841 0380000000 0800 I4", 9),
    (107, "1841 03800080c2 0007 E4", 23),
    (107, "1841 03cf 0021 I4", 6),
    (10, "50 A aaaa03000000 0800 I4", 21),
    (6, "1040 A aaaa03000000 0800 I4", 22),
    (6, "1040 0200000000a2 8200000000a1 0630 0011 0020 aaaa03000000 0800 I4", 28),
    (242, "00*40 0800 0000 I4", 44),
    (143, "00000036 6ba8 E4", 20),
    (143, "01020038 aabb 6ba8 E4", 22),
]  # fmt: skip

# Link type, octets, the carrier of the issue; None where the frame is silently not IP.
NOT_READ = [
    # NSH of length 0, of OAM, of another version, with metadata of another size, with something else behind it
    (1, "A 894f 0fc00103 000000ff E4", "NSH"),
    (1, "A 894f 0fc10103 000000ff E4", "NSH"),
    (1, "A 894f 2fc20201 000000ff I4", None),
    (1, "A 894f 4fc20201 000000ff I4", "NSH"),
    (1, "A 894f 0fc20103 000000ff E4", "NSH"),
    (1, "A 894f 0fc20206 000000ff I4", "NSH"),
    # encrypted, although the octets look clear; changed; of another version
    (1, "D 88e5 0c0000000009 0800 I4 00*16", "MACSEC"),
    (1, "D 88e5 080000000009 0800 I4 00*16", "MACSEC"),
    (1, "D 88e5 040000000009 0800 I4 00*16", "MACSEC"),
    (1, "D 88e5 800000000009 0800 I4 00*16", "MACSEC"),
    (1, "D 88e5 000000000009 0800 00*15", "MACSEC"),
    (1, "D 8909 020100010005 0800 I4", "CISCO_METADATA"),
    (1, "D 8909 010200010005 0800 I4", "CISCO_METADATA"),
    (1, "D d28b 0002 0010 00*8 0800 I4", "TIMESTAMP"),
    (1, "D d28b 0001 0030 00*8 0800 I4", "TIMESTAMP"),
    (1, "A 88e7 01001234 E4", "PBB"),
    (1, "A 88e7 02001234 E4", "PBB"),
    # the source address of what should be a frame is a group address
    (1, "A 88e7 00001234 020000000002 030000000001 0800 I4", "PBB"),
    (1, "A 22f3 4014 0001 0002 E4", "TRILL"),
    (1, "A 22f3 0014 0001 0002 020000000002 000000000000 0800 I4", "TRILL"),
    (1, "A 8903 0420 020000000002 010000000001 0800 I4", "TRILL"),
    (1, "A 4305 400e3201 0200000000a2 E4", "BATMAN"),
    (1, "A 4305 410f3201 0200000000a2 E4", "BATMAN"),
    (1, "A 4305 020f3201 0200000000a2 E4", "BATMAN"),
    (1, "A 4305 000f3201 0200000000a2 E4", None),
    (1, "A 4305 430f3201 0200000000a2 E4", None),
    # labels with a channel behind them, and with what is neither IP nor Ethernet
    (1, "A 8847 0000d1ff 10000021 I4", None),
    (1, "A 8847 000641ff 10000021 I4", None),
    (1, "A 8847 000641ff 00000000 020000000002 010000000001 0800 I4", "PSEUDOWIRE"),
    (1, "A 8847 000641ff 45000128 00*60", "PSEUDOWIRE"),
    # a control word with flags, and one with a length beyond the frame
    (1, "A 8847 000641ff 01000000 E4", "PSEUDOWIRE"),
    (1, "A 8847 000641ff 003f0000 E4", "PSEUDOWIRE"),
    (1, "A 88b5 I4", None),
    (1, "A 0806 I4", None),
    (1, "A 88cc I4", None),
    (1, "A 888e I4", None),
    (1, "A 9998 I4", "ETHERTYPE"),
    (1, "A 6558 E4", "ETHERTYPE"),
    (113, "0000 0001 0006 0200000000010000 0001 aaaa03000000 0800 I4", None),
    (113, "0000 0302 0006 0200000000010000 0800 I4", "LINK_HEADER"),
    (113, "0000 0338 0006 0200000000010000 0800 I4", None),
    (239, "02000005 00000900 I4", "LINK_HEADER"),
    (239, "02000005 ff000900 I4", "LINK_HEADER"),
    (239, "02010005 2c000900 I4", "LINK_HEADER"),
    (239, "03000005 2c000900 I4", None),
    (239, "07000005 2c000900 I4", None),
    (239, "02000005 08000100 08000100", None),
    # attributes in the other byte order
    (239, "02000005 002c0009 I4", "LINK_HEADER"),
    (192, "0000040001000000 E4", "LINK_HEADER"),
    (192, "0100080001000000 E4", "LINK_HEADER"),
    (192, "00000800e7030000 E4", "LINK_HEADER"),
    (163, "8021100300000040 00*56 W4", "LINK_HEADER"),
    (163, "802110010000003f 00*56 W4", "LINK_HEADER"),
    (117, "2c02 00*62 I4", "LINK_HEADER"),
    (117, "3d18 00*62 I4", "LINK_HEADER"),
    (117, "3d07 00*62 I4", None),
    (258, "6b000000 01000000 01000000 00*96 E4", "LINK_HEADER"),
    (258, "6c000000 00000000 01000000 00*96 E4", None),
    (226, "02020000 00000028 00000002 00*12 I4", "LINK_HEADER"),
    (226, "01030000 00000028 00000002 00*12 I4", None),
    (109, "07000000 00000000 00000000 I4", None),
    (197, "00*8 30 04 0048 0000 0036 0000 E4", None),
    (197, "00*8 03 04 0048 0000 0036 0000 E4", "LINK_HEADER"),
    (197, "00*8 02 04 0011 0000 0036 0000 E4", "LINK_HEADER"),
    (178, "4d474400 E4", "LINK_HEADER"),
    (100, "0021 I4", None),
    (100, "aaaa030080c2 0006 0000 E4", "LINK_HEADER"),
    (107, "1841 03cd I4", None),
    (10, "40 A aaaa03000000 0800 I4", None),
    (6, "1000 A aaaa03000000 0800 I4", None),
    (143, "40000036 6ba8 E4", "LINK_HEADER"),
    (105, "08400000 0200000000a1 020000000001 020000000002 0000 aaaa03000000 0800 I4", "WIRELESS"),
    (105, "d0400000 0200000000a1 020000000001 020000000002 0000 aaaa03000000 0800 I4", None),
]  # fmt: skip


@pytest.mark.parametrize(("link", "text", "network"), READ)
def test_read(engine, link, text, network):
    """IPv4 is where it was typed; so is IPv6 in its place, where nothing else says which one it is."""
    frame = octets(text)
    assert frame[network : network + len(I4)] == I4
    got = found(engine, frame, link)
    assert issues(got) == []
    only(got, control_segments=1)
    row = got["connections"][0]
    assert bytes(row["initiator_address"])[-4:] == I4[12:16]
    assert (row["initiator_port"], row["responder_port"]) == (40000, 1723)


@pytest.mark.parametrize(("link", "text", "carrier"), NOT_READ)
def test_not_read(engine, link, text, carrier):
    """Counted, and told once a kind of carrier and file."""
    frame = octets(text)
    got = walk(pcap([frame, frame], link=link), engine)
    only(got, not_ip=2)
    assert faults(got) == ([] if carrier is None else [(1, "LINK", "UNFOLLOWED", Carrier[carrier].value, 2)])

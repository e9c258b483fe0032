"""PPP, PPPoE and Cisco HDLC as links: what is not IP, what says nothing, and which octets begin what."""

from __future__ import annotations

import pytest
from builder import cut, ethernet, gre, ipv4, ipv6
from helpers import issues
from link_builder import C_HDLC, PPP, PPP_ETHER, PPP_HDLC, PPP_WITH_DIRECTION, cisco, ppp, pppoe
from walks import found, is_not_ip, is_read

GRE = gre(b"\x00\x57", sequence=1)
V4 = ipv4(GRE, 47)
V6 = ipv6(GRE, 47)


def test_pppoe_that_is_no_session(engine):
    for kind in (0x00, 0x01, 0x10, 0x12, 0x21, 0x22, 0xFF):
        is_not_ip(engine, ethernet(pppoe(ppp(V4), kind), 0x8864))
        is_not_ip(engine, pppoe(ppp(V4), kind), PPP_ETHER)
    for code in (0x09, 0x07, 0x19, 0x65, 0xA7, 0x01, 0xFF):
        is_not_ip(engine, ethernet(pppoe(ppp(V4), code=code), 0x8864))
        is_not_ip(engine, pppoe(ppp(V4), code=code), PPP_ETHER)
    is_not_ip(engine, ethernet(pppoe(ppp(V4)), 0x8863))


@pytest.mark.parametrize("length", [0, 1, 2, 35, 0xFFFF])
def test_length_of_pppoe_is_not_used(engine, length):
    is_read(engine, ethernet(pppoe(ppp(V4), length=length), 0x8864))


def test_pppoe_has_no_framing(engine):
    """FF there is a protocol of one octet."""
    is_not_ip(engine, ethernet(pppoe(ppp(V4, b"\xff\x03")), 0x8864))
    is_not_ip(engine, pppoe(ppp(V4, b"\xff\x03")), PPP_ETHER)


@pytest.mark.parametrize("protocol", ["c021", "0020", "0023", "0121", "0281", "002d", "00fd", "8021", "23", "ff", "01"])
def test_other_ppp_protocols(engine, protocol):
    octets = bytes.fromhex(protocol)
    for link in (PPP, PPP_HDLC):
        is_not_ip(engine, octets + V4, link)
        is_not_ip(engine, b"\xff\x03" + octets + V4, link)
    is_not_ip(engine, b"\0" + octets + V4, PPP_WITH_DIRECTION)
    is_not_ip(engine, pppoe(octets + V4), PPP_ETHER)


def test_protocol_decides_against_the_version(engine):
    got = found(engine, ppp(V6, protocol=0x21), PPP)
    assert issues(got) == [(1, "IP", "MALFORMED", 4, 6)]
    got = found(engine, ppp(V4 + bytes(20), protocol=0x57, octets=1), PPP)
    assert issues(got) == [(1, "IP", "MALFORMED", 6, 4)]


def test_half_a_framing_is_none(engine):
    """FF, FE 03, FF 04 and 03: the first octet is odd or even, and that is that."""
    for octets in ("ff04", "ff00", "0303", "03"):
        is_not_ip(engine, bytes.fromhex(octets) + ppp(V4), PPP)
    is_not_ip(engine, b"\xfe\x03" + ppp(V4), PPP)
    # framing is stepped over once
    is_not_ip(engine, b"\xff\x03\xff\x03" + ppp(V4), PPP_HDLC)


def test_cisco_in_ppp_has_two_addresses(engine):
    for address in (0x0D, 0x11, 0x8D, 0x8E, 0xFF, 0x00):
        is_not_ip(engine, cisco(V4, address), PPP)
    for kind in (0x8035, 0x0806, 0x2000, 46):
        is_not_ip(engine, cisco(V4, ether_type=kind), PPP)
        is_not_ip(engine, cisco(V4, ether_type=kind), C_HDLC)


def test_direction_says_nothing(engine):
    for direction in range(256):
        is_read(engine, bytes([direction]) + ppp(V4, b"\xff\x03"), PPP_WITH_DIRECTION)


def test_direction_is_followed_by_ppp_alone(engine):
    """Cisco HDLC with a direction is another link type, so 0F and 8F are protocols of one octet."""
    for address in (0x0F, 0x8F):
        is_not_ip(engine, b"\0" + cisco(V4, address), PPP_WITH_DIRECTION)
        is_not_ip(engine, cut(b"\0" + cisco(V4, address), 2), PPP_WITH_DIRECTION)
        is_not_ip(engine, pppoe(cisco(V4, address)), PPP_ETHER)

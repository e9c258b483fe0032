"""Link headers of the second kind: LLC and SNAP, MPLS, PPPoE, PPP and Cisco HDLC. What is read, what is cut, what is not IP.

Those of the first kind are in ``test_frames``, 802.11 is in ``test_wireless``, more of PPP in ``test_links_ppp``.
"""

from __future__ import annotations

import pytest
from builder import (
    ETHERNET,
    SLL,
    SLL2,
    Conversation,
    cut,
    echo,
    ether_type_of,
    ethernet,
    gre,
    ipv4,
    ipv6,
    sll,
    sll2,
)
from helpers import column, identifiers, issues, only, statuses
from link_builder import (
    C_HDLC,
    PPP,
    PPP_ETHER,
    PPP_HDLC,
    PPP_WITH_DIRECTION,
    TUNNEL_OUI,
    cisco,
    mpls,
    of_length,
    ppp,
    pppoe,
    snap,
    vlan,
)
from walks import found, is_not_followed, is_not_ip, is_read, walk

GRE = gre(b"\x00\x57", sequence=1)  # 14 octets
V4 = ipv4(GRE, 47)  # 34
V6 = ipv6(GRE, 47)  # 54

# Name: link type, wrapper, headers in front of IP as (offset, octets that are needed from there), offset of IP.
HEADERS = {
    "snap": (ETHERNET, lambda p: of_length(snap(p)), [(0, 14), (14, 3), (14, 8)], 22),
    "bridge tunnel": (ETHERNET, lambda p: of_length(snap(p, oui=TUNNEL_OUI)), [(0, 14), (14, 3), (14, 8)], 22),
    "vlan, snap": (
        ETHERNET,
        lambda p: ethernet(vlan(snap(p), len(p) + 8), 0x8100),
        [(0, 14), (14, 4), (18, 3), (18, 8)],
        26,
    ),
    "sll, vlan, snap": (
        SLL,
        lambda p: sll(vlan(snap(p), 0), 0x8100),
        [(0, 16), (16, 4), (20, 3), (20, 8)],
        28,
    ),
    "mpls": (ETHERNET, lambda p: ethernet(mpls(p), 0x8847), [(0, 14), (14, 4), (18, 1)], 18),
    "mpls multicast": (ETHERNET, lambda p: ethernet(mpls(p), 0x8848), [(0, 14), (14, 4), (18, 1)], 18),
    "mpls, 3 labels": (
        ETHERNET,
        lambda p: ethernet(mpls(p, 3), 0x8847),
        [(0, 14), (14, 4), (18, 4), (22, 4), (26, 1)],
        26,
    ),
    "vlan, mpls": (
        ETHERNET,
        lambda p: ethernet(mpls(p), 0x8847, tags=[0x88A8]),
        [(0, 14), (14, 4), (18, 4), (22, 1)],
        22,
    ),
    "snap, mpls": (
        ETHERNET,
        lambda p: of_length(snap(mpls(p), 0x8847)),
        [(0, 14), (14, 3), (14, 8), (22, 4), (26, 1)],
        26,
    ),
    "sll, mpls": (SLL, lambda p: sll(mpls(p), 0x8847), [(0, 16), (16, 4), (20, 1)], 20),
    "sll2, mpls": (SLL2, lambda p: sll2(mpls(p), 0x8848), [(0, 20), (20, 4), (24, 1)], 24),
    "pppoe": (ETHERNET, lambda p: ethernet(pppoe(ppp(p)), 0x8864), [(0, 14), (14, 6), (20, 1), (20, 2)], 22),
    "pppoe, one octet": (
        ETHERNET,
        lambda p: ethernet(pppoe(ppp(p, octets=1)), 0x8864),
        [(0, 14), (14, 6), (20, 1)],
        21,
    ),
    "vlan, vlan, pppoe": (
        ETHERNET,
        lambda p: ethernet(pppoe(ppp(p)), 0x8864, tags=[0x88A8, 0x8100]),
        [(0, 14), (14, 4), (18, 4), (22, 6), (28, 1), (28, 2)],
        30,
    ),
    "snap, pppoe": (
        ETHERNET,
        lambda p: of_length(snap(pppoe(ppp(p)), 0x8864)),
        [(0, 14), (14, 3), (14, 8), (22, 6), (28, 1), (28, 2)],
        30,
    ),
    "sll, pppoe": (SLL, lambda p: sll(pppoe(ppp(p)), 0x8864), [(0, 16), (16, 6), (22, 1), (22, 2)], 24),
    "ppp_ether": (PPP_ETHER, lambda p: pppoe(ppp(p)), [(0, 6), (6, 1), (6, 2)], 8),
    "ppp_ether, one octet": (PPP_ETHER, lambda p: pppoe(ppp(p, octets=1)), [(0, 6), (6, 1)], 7),
    "ppp": (PPP, ppp, [(0, 1), (0, 2)], 2),
    "ppp, one octet": (PPP, lambda p: ppp(p, octets=1), [(0, 1)], 1),
    "ppp hdlc": (PPP_HDLC, ppp, [(0, 1), (0, 2)], 2),
    "ppp hdlc, one octet": (PPP_HDLC, lambda p: ppp(p, octets=1), [(0, 1)], 1),
    "cisco": (PPP, cisco, [(0, 1), (0, 4)], 4),
    "cisco multicast": (PPP_HDLC, lambda p: cisco(p, 0x8F), [(0, 1), (0, 4)], 4),
    "cisco, mpls": (
        PPP_HDLC,
        lambda p: cisco(mpls(p, 2), ether_type=0x8847),
        [(0, 1), (0, 4), (4, 4), (8, 4), (12, 1)],
        12,
    ),
    "c_hdlc": (C_HDLC, cisco, [(0, 4)], 4),
    "c_hdlc, another address": (C_HDLC, lambda p: cisco(p, 0x00), [(0, 4)], 4),
    "c_hdlc, mpls": (C_HDLC, lambda p: cisco(mpls(p), ether_type=0x8847), [(0, 4), (4, 4), (8, 1)], 8),
    "snap, vlan": (
        ETHERNET,
        lambda p: of_length(snap(vlan(p, ether_type_of(p)), 0x8100)),
        [(0, 14), (14, 3), (14, 8), (22, 4)],
        26,
    ),
    "snap, vlan, snap, vlan, mpls": (
        ETHERNET,
        lambda p: of_length(snap(vlan(snap(vlan(mpls(p), 0x8847), 0x88A8), 46), 0x9100)),
        [(0, 14), (14, 3), (14, 8), (22, 4), (26, 3), (26, 8), (34, 4), (38, 4), (42, 1)],
        42,
    ),
    "cisco, vlan": (
        PPP,
        lambda p: cisco(vlan(p, ether_type_of(p)), ether_type=0x8100),
        [(0, 1), (0, 4), (4, 4)],
        8,
    ),
    "c_hdlc, vlan, vlan, snap": (
        C_HDLC,
        lambda p: cisco(vlan(vlan(snap(p), 0), 0x9300), ether_type=0x9200),
        [(0, 4), (4, 4), (8, 4), (12, 3), (12, 8)],
        20,
    ),
    "direction": (PPP_WITH_DIRECTION, lambda p: b"\0" + ppp(p), [(0, 1), (1, 1), (1, 2)], 3),
    "direction, one octet": (PPP_WITH_DIRECTION, lambda p: b"\1" + ppp(p, octets=1), [(0, 1), (1, 1)], 2),
}
FRAMED = {
    "ppp, framed": (PPP, lambda p: ppp(p, b"\xff\x03"), 4),
    "ppp, framed, one octet": (PPP, lambda p: ppp(p, b"\xff\x03", 1), 3),
    "ppp hdlc, framed": (PPP_HDLC, lambda p: ppp(p, b"\xff\x03"), 4),
    "ppp hdlc, framed, one octet": (PPP_HDLC, lambda p: ppp(p, b"\xff\x03", 1), 3),
    "direction, framed": (PPP_WITH_DIRECTION, lambda p: b"\xff" + ppp(p, b"\xff\x03"), 5),
    "direction, framed, one octet": (PPP_WITH_DIRECTION, lambda p: b"\0" + ppp(p, b"\xff\x03", 1), 4),
}
ALL = {name: (link, wrap) for name, (link, wrap, *_) in (HEADERS | FRAMED).items()}


# ---- what is read


@pytest.mark.parametrize("name", ALL)
def test_control_and_gre(engine, name):
    """A control connection, and Enhanced GRE in both versions of IP, behind each header; padding is never payload."""
    link, wrap = ALL[name]
    talk = Conversation(wrap=wrap).handshake().client(0, echo(1)[:7]).client(7, echo(1)[7:])
    talk.packets += [wrap(V4), wrap(V6), wrap(V4) + bytes(20)]
    got = walk(talk.pcap(link=link), engine)
    assert identifiers(got) == [1]
    assert column(got, "messages", "packet") == [5]
    assert column(got, "gre", "available") == [2, 2, 2]
    # The third is the first once more.
    assert statuses(got, "gre") == [set(), set(), {"DUPLICATED"}]
    assert issues(got) == []
    only(got, control_segments=5, gre_packets=3)


@pytest.mark.parametrize("name", HEADERS)
def test_cut_at_each_octet(engine, name):
    """The first header that is not whole says what it needs and has, each from its own start; then IP says it."""
    link, wrap, needs, network = HEADERS[name]
    frame = wrap(V4)
    for size in range(network + 20):
        got = found(engine, cut(frame, size), link)
        short = [(need, size - start) for start, need in needs if size < start + need]
        if short:
            assert issues(got) == [(1, "LINK", "FRAME_CUT", *short[0])], size
            only(got, frames_cut=1)
        else:
            assert issues(got) == [(1, "IP", "HEADER_CUT", 20, size - network)], size
            only(got, ip_malformed=1)


@pytest.mark.parametrize("name", FRAMED)
def test_framed_ppp_cut_at_each_octet(engine, name):
    """FF alone is no framing: it is a protocol of one octet. Behind FF 03 the protocol's needs count from it."""
    link, wrap, network = FRAMED[name]
    frame = wrap(V4)
    front = 1 if link == PPP_WITH_DIRECTION else 0
    width = network - front - 2
    for size in range(network + 20):
        got = found(engine, cut(frame, size), link)
        if size <= front:
            assert issues(got) == [(1, "LINK", "FRAME_CUT", 1, 0)]
        elif size == front + 1:
            assert issues(got) == []
            only(got, not_ip=1)
        elif size < network:
            had = size - front - 2
            assert issues(got) == [(1, "LINK", "FRAME_CUT", 1 if had == 0 else width, had)]
            only(got, frames_cut=1)
        else:
            assert issues(got) == [(1, "IP", "HEADER_CUT", 20, size - network)]


# ---- LLC


@pytest.mark.parametrize("length", [0, 1, 46, 1500, 0x05FF])
def test_a_value_below_1536_is_a_length(engine, length):
    """Whatever it says: the IP packet has a length of its own."""
    is_read(engine, of_length(snap(V4), length))
    is_read(engine, of_length(snap(V6), length))
    is_read(engine, ethernet(vlan(snap(V4), length), 0x8100))
    is_not_ip(engine, of_length(V4, length))


def test_a_value_of_1536_is_a_type(engine):
    for kind in (0x0600, 0x0601, 0x07FF):
        is_not_followed(engine, of_length(snap(V4), kind), "ETHERTYPE")


@pytest.mark.parametrize(
    "llc", ["424203", "e0e003", "060603", "aaaa00", "aaab03", "abaa03", "ffff00", "aaaa13", "f0f003"]
)
def test_other_llc(engine, llc):
    """Three octets tell; so a frame of three is not cut but not IP."""
    is_not_ip(engine, of_length(snap(V4, llc=bytes.fromhex(llc))))
    for size in range(3, 9):
        is_not_ip(engine, cut(of_length(snap(V4, llc=bytes.fromhex(llc))), 14 + size))


@pytest.mark.parametrize("oui", ["00000c", "0000f9", "0001f8", "010000", "f80000", "ffffff"])
def test_other_organisations(engine, oui):
    is_not_ip(engine, of_length(snap(V4, oui=bytes.fromhex(oui))))
    got = found(engine, cut(of_length(snap(V4, oui=bytes.fromhex(oui))), 14 + 7))
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 8, 7)]


@pytest.mark.parametrize("kind", [0, 8, 46, 0x05FF, 0x0806, 0x8863])
def test_types_behind_snap(engine, kind):
    """A length there is none: LLC does not begin again."""
    is_not_ip(engine, of_length(snap(V4, kind)))
    is_not_ip(engine, of_length(snap(snap(V4), kind)))


@pytest.mark.parametrize("kind", [0x0600, 0x880B, 0xFFFF])
def test_unknown_types_behind_snap(engine, kind):
    is_not_followed(engine, of_length(snap(V4, kind)), "ETHERTYPE")
    is_not_followed(engine, of_length(snap(snap(V4), kind)), "ETHERTYPE")


def test_llc_is_not_looked_for_behind_cooked_headers(engine):
    """What is below 1536 there is no length: 1 is 802.3. In SLL, 4 is 802.2."""
    is_not_ip(engine, cisco(snap(V4), ether_type=4), C_HDLC)
    for kind in (1, 46, 0x05FF):
        is_not_ip(engine, sll(snap(V4), kind), SLL)
        is_not_ip(engine, sll2(snap(V4), kind), SLL2)
        is_not_ip(engine, cisco(snap(V4), ether_type=kind), C_HDLC)


# ---- MPLS


def test_depth_of_tags_and_labels(engine):
    """They count together."""
    for tags, labels in ((0, 8), (1, 7), (4, 4), (7, 1)):
        is_read(engine, ethernet(mpls(V4, labels), 0x8847, tags=[0x8100] * tags))
        is_read(engine, ethernet(mpls(V6, labels), 0x8848, tags=[0x9100] * tags))
    for tags, labels in ((0, 9), (1, 8), (4, 5), (7, 2), (8, 1), (0, 300)):
        got = found(engine, ethernet(mpls(V4, labels), 0x8847, tags=[0x8100] * tags))
        assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]
        only(got, ip_malformed=1)
    got = found(engine, sll2(mpls(V4, 9), 0x8847), SLL2)
    assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]


def test_depth_of_tags_behind_llc(engine):
    """Tags in front of LLC and behind it, and labels, count together wherever they stand."""
    for before, behind, labels in ((4, 4, 0), (0, 8, 0), (3, 2, 3), (4, 5, 0), (0, 9, 0), (3, 3, 3)):
        inner = mpls(V4, labels) if labels else V4
        kind = 0x8847 if labels else 0x0800
        for _ in range(behind):
            inner, kind = vlan(inner, kind), 0x8100
        frame = ethernet(snap(inner, kind), 46, tags=[0x88A8] * before)
        if before + behind + labels <= 8:
            is_read(engine, frame)
        else:
            got = found(engine, frame)
            assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]
            only(got, ip_malformed=1)


def test_stack_without_an_end(engine):
    got = found(engine, ethernet(mpls(b"", 3, bottom=False), 0x8847))
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 4, 0)]
    got = found(engine, ethernet(mpls(b"\0\0", 3, bottom=False), 0x8847))
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 4, 2)]


def test_bottom_bit_alone_ends_a_stack(engine):
    """Not the label's value, traffic class or time to live."""
    for word in ("fffffeff", "00000100", "0000e1ff"):
        stack = bytes.fromhex(word)
        rest = b"" if stack[2] & 1 else mpls(b"")
        is_read(engine, ethernet(stack + rest + V4, 0x8847))


@pytest.mark.parametrize("first", [0x00, 0x35, 0x50, 0x70, 0xF6])
def test_what_else_a_label_carries(engine, first):
    """Neither IP nor a frame."""
    is_not_followed(engine, ethernet(mpls(bytes([first]) + V4[1:]), 0x8847), "PSEUDOWIRE")
    got = found(engine, cut(ethernet(mpls(bytes([first]) + V4[1:]), 0x8847), 31))
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 14, 13)]
    only(got, frames_cut=1)


def test_a_channel_behind_a_label(engine):
    """It is for operation and maintenance, not IP."""
    is_not_ip(engine, ethernet(mpls(bytes([0x15]) + V4[1:]), 0x8847))
    is_not_ip(engine, cut(ethernet(mpls(b"\x10\0\0\x21" + V4), 0x8847), 19))
    is_not_ip(engine, ethernet(b"\0\0\xd1\x40" + V4, 0x8847))

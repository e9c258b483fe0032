"""Tags, frames inside frames, and headers of taps: each is read, cut at each octet, nested, and put around whole captures.

Octets typed by hand are in ``test_tag_vectors``, aggregates of 802.11 in ``test_aggregates``.
"""

from __future__ import annotations

from functools import partial

import pytest
from builder import Conversation, cut, echo, ethernet, gre, ipv4, ipv6, pcap
from helpers import column, faults, identifiers, issues, only, statuses
from hypothesis import given
from hypothesis import strategies as st
from link_builder import mpls, ppp, pppoe, snap, vlan
from pcapng_builder import File
from places import CAPTURES
from tag_builder import (
    AROUND,
    AVS,
    DOCSIS,
    ERF,
    FRELAY,
    JUNIPER_ETHER,
    KINDS,
    MACSEC,
    MPLS,
    NFLOG,
    NSH,
    PBB,
    PFLOG,
    PKTAP,
    PKTAP_OLD,
    PPI,
    PRISM,
    TOKEN_RING,
    TRILL,
    VN_TAG,
    Wrap,
    attribute,
    avs,
    docsis,
    erf,
    frame_relay,
    juniper,
    macsec,
    nflog,
    nsh,
    pbb,
    pflog,
    pktap,
    ppi,
    prism,
    pseudowire,
    token_ring,
    trill,
    vn_tag,
)
from walks import found, is_not_followed, is_not_ip, is_read, twins, walk

import pptpcap
from pptpcap.wire.carriers import Carrier
from pptpcap.wire.limits import Limits

GRE = gre(b"\x00\x57", sequence=1)
V4 = ipv4(GRE, 47)  # 34 octets
V6 = ipv6(GRE, 47)
FOUND = CAPTURES / "found"


# ---- what is read


@pytest.mark.parametrize("name", KINDS)
def test_control_and_gre(engine, name):
    """A control connection, and Enhanced GRE in both versions of IP, behind each header."""
    link, wrap = KINDS[name]
    talk = Conversation(wrap=wrap).handshake().client(0, echo(1)[:7]).client(7, echo(1)[7:])
    talk.packets += [wrap(V4), wrap(V6), wrap(V4)]
    got = walk(talk.pcap(link=link), engine)
    assert identifiers(got) == [1]
    assert column(got, "messages", "packet") == [5]
    assert column(got, "gre", "available") == [2, 2, 2]
    assert statuses(got, "gre") == [set(), set(), {"DUPLICATED"}]
    assert issues(got) == []
    only(got, control_segments=5, gre_packets=3)


CARRIERS = {
    "pbb": ("PBB", 0x1234),
    "nsh_ip": ("NSH", -1),
    "nsh_frame": ("NSH", -1),
    "trill": ("TRILL", -1),
    "fabricpath": ("TRILL", -1),
    "batman": ("BATMAN", -1),
    "pseudowire": ("PSEUDOWIRE", -1),
    "vn_tag": ("NONE", -1),
    "macsec": ("NONE", -1),
    "ppi_ethernet": ("NONE", -1),
    "aggregate": ("NONE", -1),
}


@pytest.mark.parametrize("name", CARRIERS)
def test_carrier_and_network(engine, name):
    carrier, network = CARRIERS[name]
    link, wrap = KINDS[name]
    got = walk(Conversation(wrap=wrap).handshake().pcap(link=link), engine)
    assert column(got, "connections", "carrier") == [Carrier[carrier]]
    assert column(got, "connections", "network_id") == [network]


def test_tags_count_anew_in_a_frame_inside(engine):
    inner = ethernet(V4, tags=[0x8100])
    for wrap, vlans in (
        (lambda: ethernet(pbb(inner), PBB, tags=[0x88A8, 0x8100]), (10, -1)),
        (lambda: ethernet(pbb(ethernet(V4)), PBB, tags=[0x88A8]), (-1, -1)),
        (lambda: ethernet(nsh(V4, 1), NSH, tags=[0x88A8]), (10, -1)),
        (lambda: ethernet(vn_tag(vlan(V4, 0x0800), 0x8100), VN_TAG, tags=[0x88A8]), (10, 10)),
    ):
        got = found(engine, wrap())
        assert (column(got, "tunnels", "vlan"), column(got, "tunnels", "inner_vlan")) == ([vlans[0]], [vlans[1]])


def in_service(number: int, packet: bytes) -> bytes:
    return ethernet(pbb(ethernet(packet), number), PBB)


def test_two_service_ids_are_apart_on_request(engine):
    talks = [Conversation(wrap=partial(in_service, number)).handshake() for number in (1, 2)]
    data = pcap([packet for pair in zip(*(talk.packets for talk in talks), strict=True) for packet in pair])
    assert pptpcap.read(data, engine=engine).connections["network_id"].tolist() == [1]
    assert pptpcap.read(data, engine=engine, separate="layers").connections["network_id"].tolist() == [1, 2]


# ---- what is cut

# Name: headers in front of IP as (offset, octets that are needed from there), offset of IP.
NEEDS = {
    "vn_tag": ([(0, 14), (14, 6)], 20),
    "e_tag": ([(0, 14), (14, 8)], 22),
    "cisco_metadata": ([(0, 14), (14, 8)], 22),
    "hsr": ([(0, 14), (14, 6)], 20),
    "timestamp": ([(0, 14), (14, 4), (14, 14)], 28),
    "timestamp_48": ([(0, 14), (14, 4), (14, 12)], 26),
    "macsec": ([(0, 14), (14, 6), (14, 8)], 22),
    "macsec_channel": ([(0, 14), (14, 6), (14, 16)], 30),
    "nsh_ip": ([(0, 14), (14, 8), (14, 24)], 38),
    "nsh_mpls": ([(0, 14), (14, 8), (22, 4), (26, 1)], 26),
    "nsh_frame": ([(0, 14), (14, 8), (14, 24), (38, 14)], 52),
    "pbb": ([(0, 14), (14, 4), (18, 14)], 32),
    "pbb_tagged": ([(0, 14), (14, 4), (18, 4), (22, 14)], 36),
    "trill": ([(0, 14), (14, 6), (20, 14)], 34),
    "trill_options": ([(0, 14), (14, 6), (14, 14), (28, 14)], 42),
    "fabricpath": ([(0, 14), (14, 2), (16, 14)], 30),
    "batman": ([(0, 14), (14, 2), (14, 10), (24, 14)], 38),
    "batman_4": ([(0, 14), (14, 2), (14, 18), (32, 14)], 46),
    "batman_broadcast": ([(0, 14), (14, 2), (14, 14), (28, 14)], 42),
    "sll_802_2": ([(0, 16), (16, 3), (16, 8)], 24),
    "sll2_802_2": ([(0, 20), (20, 3), (20, 8)], 28),
    "sll_ethernet": ([(0, 16), (16, 14)], 30),
    "sll_gre": ([(0, 16)], 16),
    "sll_gre_ethernet": ([(0, 16), (16, 14)], 30),
    "sll_radiotap": ([(0, 16), (16, 8), (24, 2), (24, 24), (48, 3), (48, 8)], 56),
    "nflog": ([(0, 4), (4, 4)], 8),
    "nflog_attributes": ([(0, 4), (4, 4), (4, 8), (12, 4), (12, 11), (24, 4)], 28),
    "nflog_bridge": ([(0, 4), (4, 4), (4, 8), (12, 4)], 16),
    "ppi_ethernet": ([(0, 8), (8, 14)], 22),
    "ppi_wireless": ([(0, 8), (0, 20), (20, 2), (20, 24), (44, 3), (44, 8)], 52),
    "ppi_raw": ([(0, 8), (8, 1)], 8),
    "ppi_ppi": ([(0, 8), (8, 8), (16, 14)], 30),
    "prism": ([(0, 4), (0, 144), (144, 2), (144, 24), (168, 3), (168, 8)], 176),
    "prism_avs": ([(0, 4), (0, 8), (0, 64), (64, 2), (64, 24), (88, 3), (88, 8)], 96),
    "avs": ([(0, 8), (0, 64), (64, 2), (64, 24), (88, 3), (88, 8)], 96),
    "pflog_61": ([(0, 2), (0, 65)], 64),
    "pflog_69": ([(0, 2), (0, 73)], 72),
    "enc": ([(0, 12)], 12),
    "pktap_ethernet": ([(0, 12), (0, 108), (108, 14)], 122),
    "ipnet": ([(0, 24)], 24),
    "erf_ethernet": ([(0, 16), (0, 18), (18, 14)], 32),
    "erf_extended": ([(0, 16), (0, 24), (0, 32), (0, 34), (34, 14)], 48),
    "erf_ip": ([(0, 16)], 16),
    "erf_hdlc": ([(0, 16), (16, 1), (16, 4)], 20),
    "juniper": ([(0, 4), (4, 14)], 18),
    "juniper_extended": ([(0, 4), (0, 6), (0, 10), (10, 14)], 24),
    "juniper_no_link": ([(0, 4), (4, 5)], 8),
    "atm": ([(0, 3), (0, 8)], 8),
    "atm_bridged": ([(0, 3), (0, 8), (3, 7), (10, 14)], 24),
    "sunatm": ([(0, 4), (4, 3), (4, 8)], 12),
    "frelay": ([(0, 2), (2, 1), (3, 1)], 4),
    "frelay_cisco": ([(0, 2), (0, 3), (3, 1), (3, 2)], 5),
    "frelay_snap": ([(0, 2), (2, 1), (3, 1), (4, 1), (4, 6)], 10),
    "frelay_ppp": ([(0, 2), (2, 1), (3, 1), (4, 1), (4, 2)], 6),
    "fddi": ([(0, 13), (13, 3), (13, 8)], 21),
    "token_ring": ([(0, 14), (14, 3), (14, 8)], 22),
    "token_ring_route": ([(0, 14), (0, 15), (0, 20), (20, 3), (20, 8)], 28),
    "ipoib": ([(0, 44)], 44),
    "docsis": ([(0, 6), (6, 14)], 20),
    "docsis_extended": ([(0, 6), (0, 11), (11, 14)], 25),
}


@pytest.mark.parametrize("name", NEEDS)
def test_cut_at_each_octet(engine, name):
    """The first header that is not whole says what it needs and has, each from its own start; then IP says it."""
    link, wrap = KINDS[name]
    needs, network = NEEDS[name]
    frame = wrap(V4)
    assert frame[network : network + 34] == V4
    for size in range(network + 20):
        got = found(engine, cut(frame, size), link)
        short = [(need, max(size - start, 0)) for start, need in needs if size < start + need]
        if short:
            assert issues(got) == [(1, "LINK", "FRAME_CUT", *short[0])], size
            only(got, frames_cut=1)
        else:
            assert issues(got) == [(1, "IP", "HEADER_CUT", 20, size - network)], size
            only(got, ip_malformed=1)


@pytest.mark.parametrize("name", KINDS)
def test_twins_on_each_cut(name):
    """Cut on the wire too, and with lengths that a snap length left."""
    link, wrap = KINDS[name]
    for packet in (V4, V6):
        frame = wrap(packet)
        twins(pcap([frame[:size] for size in range(len(frame))], link=link))
        twins(pcap([cut(frame, size) for size in range(len(frame))], link=link))


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_twins_on_each_octet_of_a_header(name):
    """Each has a value at an edge, or one bit that is another one."""
    link, wrap = KINDS[name]
    frame = wrap(V4)
    changed = []
    for place in range(min(frame.index(V4) + 20, 180)):
        old = frame[place]
        for value in {0, 1, 2, 0x7F, 0x80, 0xFF, *(old ^ 1 << bit for bit in range(8))} - {old}:
            changed.append(frame[:place] + bytes([value]) + frame[place + 1 :])
    twins(pcap(changed, link=link))


def test_a_length_behind_labels_that_is_wrong_alone(engine):
    """The checksum says that it is IP, and then the length is told as elsewhere."""
    for total in (0, 34 + 300, 0xFFFF):
        packet = ipv4(GRE, 47, total_length=total)
        got = found(engine, ethernet(mpls(packet), MPLS))
        only(got, gre_packets=1)
        assert issues(got) == ([(1, "IP", "LENGTH_EXCEEDS_FRAME", total, 34)] if total else [])
        is_not_followed(engine, ethernet(mpls(packet[:10] + b"\1\1" + packet[12:]), MPLS), "PSEUDOWIRE")


def test_a_pseudowire_is_told_where_too_little_is_captured(engine):
    """Without the inner IP header nothing proves the frame."""
    frame = ethernet(pseudowire(ethernet(V4)), MPLS)
    for size in range(19, 32):
        assert issues(found(engine, cut(frame, size))) == [(1, "LINK", "FRAME_CUT", 14, size - 18)]
    for size in range(32, 56):
        is_not_followed(engine, cut(frame, size), "PSEUDOWIRE")
    only(found(engine, cut(frame, 56)), ip_malformed=1)


def test_frames_inside_are_checked_where_enough_is_captured(engine):
    """From 64 octets of a cut frame on, and where nothing is cut."""
    bad = bytearray(ethernet(ipv4(bytes(80), 47)))
    bad[6] |= 1
    for header, ether_type, carrier in ((pbb, PBB, "PBB"), (trill, TRILL, "TRILL")):
        size = len(header(b"")) + 14
        is_not_followed(engine, ethernet(header(bytes(bad)), ether_type), carrier)
        is_not_followed(engine, cut(ethernet(header(bytes(bad)), ether_type), size + 64), carrier)
        only(found(engine, cut(ethernet(header(bytes(bad)), ether_type), size + 63)), gre_other=1)
        is_not_followed(engine, ethernet(header(bytes(bad[:20])), ether_type), carrier)


# ---- lengths at their limits


def test_lengths_of_nsh(engine):
    for words in range(64):
        frame = ethernet(nsh(V4, 1, words=words, metadata=bytes(max(4 * words - 8, 0))), NSH)
        if words < 2:
            is_not_followed(engine, frame, "NSH")
        else:
            is_read(engine, frame)
    got = found(engine, ethernet(nsh(V4, 1, words=63), NSH))
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 252, 42)]


def test_options_of_trill(engine):
    for words in range(32):
        is_read(engine, ethernet(trill(ethernet(V4), bytes(4 * words)), TRILL))


@pytest.mark.parametrize("short", range(64))
def test_short_lengths_of_macsec(engine, short):
    """They say how long EtherType and data are; one beyond the frame says nothing."""
    frame = ethernet(macsec(V4, 0x0800, short=short), MACSEC)
    if short == 1:
        is_not_followed(engine, frame, "MACSEC")
        return
    got = found(engine, frame)
    if 0 < short < 22:
        assert issues(got) == [(1, "IP", "HEADER_CUT", 20, short - 2)]
    elif 0 < short < 36:
        assert ("LENGTH_EXCEEDS_FRAME", 34, short - 2) in [issue[2:] for issue in issues(got)]
    else:
        assert issues(got) == []
        only(got, gre_packets=1)


def test_lengths_of_ppi(engine):
    frame = ethernet(V4)
    for length in range(8):
        is_not_followed(engine, ppi(frame, 1, length=length), "LINK_HEADER", PPI)
    for length in (57, 0x8000, 0xFFFF):
        got = found(engine, ppi(frame, 1, length=length), PPI)
        assert issues(got) == [(1, "LINK", "FRAME_CUT", length, 56)]
    is_read(engine, ppi(frame, 1, bytes(0xFFFF - 8)), PPI)
    only(found(engine, ppi(frame, 1, length=56), PPI), frames_cut=1)


@pytest.mark.parametrize("link", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 147, 65535, 2])
def test_an_inner_link_that_is_not_supported(engine, link):
    is_not_followed(engine, ppi(ethernet(V4), link), "LINK_HEADER", PPI)
    is_not_followed(engine, pktap(ethernet(V4), link), "LINK_HEADER", PKTAP)


@pytest.mark.parametrize("order", ["<", ">"])
def test_attributes_have_the_order_of_the_file(engine, order):
    """Of the pcap header, or of the section."""
    attributes = attribute(1, b"\0\0\0\1", order) + attribute(1000, bytes(5), order)
    frame = nflog(V4, order, attributes=attributes)
    other = nflog(V4, ">" if order == "<" else "<")
    for data in (
        pcap([frame], order=order, link=NFLOG),
        File(order).section().interface(NFLOG).packet(frame).octets,
        File(">" if order == "<" else "<").section().interface(1).section(order).interface(NFLOG).packet(frame).octets,
    ):
        got = walk(data, engine)
        only(got, gre_packets=1)
        assert issues(got) == []
    got = walk(pcap([other], order=order, link=NFLOG), engine)
    assert [(kind, needed, had) for _, _, kind, needed, had in faults(got)] == [("UNFOLLOWED", Carrier.LINK_HEADER, 1)]


def test_lengths_of_attributes(engine):
    head = bytes([2, 0, 0, 5])
    for length in range(4):
        is_not_followed(engine, head + attribute(1, b"", length=length) + attribute(9, V4), "LINK_HEADER", NFLOG)
        is_not_followed(engine, head + attribute(9, V4, length=length), "LINK_HEADER", NFLOG)
    is_not_followed(engine, head + attribute(9, V4, length=41), "LINK_HEADER", NFLOG)
    is_not_followed(engine, head + attribute(9, V4, length=0xFFFF)[:42], "LINK_HEADER", NFLOG)
    is_not_ip(engine, head + attribute(9, b"")[:3], NFLOG)
    only(found(engine, head + attribute(9, b"", length=4), NFLOG), ip_malformed=1)
    # What stands behind the packet does not matter, and neither does padding that is not there.
    is_read(engine, head + attribute(9, V4)[:38], NFLOG)
    is_read(engine, head + attribute(9, V4) + attribute(9, V6) + b"\xff\xff", NFLOG)
    is_not_ip(engine, head + attribute(5, b"\1")[:5], NFLOG)


def test_many_attributes_take_linear_time(engine):
    only(found(engine, bytes([2, 0, 0, 5]) + attribute(1, b"") * 60_000 + attribute(9, V4), NFLOG), gre_packets=1)


def test_lengths_of_avs_and_prism(engine):
    air = KINDS["avs"][1](V4)[64:]
    for length in (0, 63):
        is_not_followed(engine, avs(air, length=length), "LINK_HEADER", AVS)
    for length in (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        got = found(engine, avs(air, length=length), AVS)
        assert issues(got) == [(1, "LINK", "FRAME_CUT", length, 64 + len(air))]
        assert issues(found(engine, avs(air, length=length), PRISM)) == issues(got)
    for order in "<>":
        for length in (0, 23, 143, 145, 513, 0xFFFFFFFF):
            got = walk(pcap([prism(air, order, length=length)], order=order, link=PRISM), engine)
            only(got, gre_packets=1)
        for size in (24, 143, 145, 512):
            only(walk(pcap([prism(air, order, size)], order=order, link=PRISM), engine), gre_packets=1)


@pytest.mark.parametrize("length", [0, 44, 45, 48, 61, 100, 253, 254, 255])
def test_lengths_of_pflog(engine, length):
    if length < 45:
        is_not_followed(engine, pflog(V4, length), "LINK_HEADER", PFLOG)
    else:
        is_read(engine, pflog(V4, length), PFLOG)
        for family in (10, 23, 24, 28, 30):
            is_read(engine, pflog(V6, length, family), PFLOG)


def test_lengths_of_pktap(engine):
    frame = ethernet(V4)
    for length in (0, 107):
        is_not_followed(engine, pktap(frame, 1, length=length), "LINK_HEADER", PKTAP)
    for size in (108, 109, 512, 5000):
        is_read(engine, pktap(frame, 1, size=size), PKTAP)
    got = found(engine, pktap(frame, 1, length=0xFFFFFFFF), PKTAP)
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 0xFFFFFFFF, 108 + len(frame))]


def test_a_users_link_type_is_pktap_if_it_looks_like_it(engine):
    frame = ethernet(V4)
    is_read(engine, pktap(frame, 1), PKTAP_OLD)
    is_read(engine, pktap(frame, 1, size=512, name=b"e" * 24), PKTAP_OLD)
    is_not_ip(engine, pktap(frame, 1, kind=0), PKTAP_OLD)
    for other in (
        pktap(frame, 1, size=513),
        pktap(frame, 1, length=107),
        pktap(frame, 1, kind=2),
        pktap(frame, 1, name=b""),
        pktap(frame, 1, name=b"en0\0x"),
        pktap(frame, 1, name=b"en\x07"),
        pktap(frame, 1)[:35],
    ):
        got = found(engine, other, PKTAP_OLD)
        assert issues(got) == [(1, "LINK", "UNSUPPORTED_LINK", 0, PKTAP_OLD)]
        only(got, unsupported_link=1)


def test_lengths_of_erf(engine):
    frame = ethernet(V4)
    for length in (0, 15, 17):
        is_not_followed(engine, erf(frame, length=length), "LINK_HEADER", ERF)
    only(found(engine, erf(frame, length=18), ERF), frames_cut=1)
    is_read(engine, erf(frame, length=0xFFFF), ERF)
    # The record is shorter than the frame was.
    got = found(engine, erf(frame[:34], wire=len(frame)), ERF)
    assert issues(got) == [(1, "GRE", "HEADER_CUT", 4, 0)]
    for count in (1, 7, 500):
        is_read(engine, erf(frame, extensions=count), ERF)
    got = found(engine, erf(b"", extensions=1)[:16] + b"\x80" * 800, ERF)
    assert issues(got) == [(1, "LINK", "FRAME_CUT", 824, 816)]


def test_other_kinds_of_erf(engine):
    for kind in range(128):
        got = found(engine, erf(ethernet(V4), kind), ERF)
        read = kind in (2, 11, 16, 20)
        assert (got.counters["gre_packets"] == 1) is read, kind
        told = kind not in (1, 2, 5, 10, 11, 15, 16, 17, 19, 20, 22, 23, 48)
        assert ("UNFOLLOWED" in [issue[2] for issue in issues(got)]) is told, kind


def test_lengths_of_other_links(engine):
    frame = ethernet(V4)
    for size in (0, 1, 300, 0x1000):
        is_read(engine, juniper(frame, 0, bytes(size)), JUNIPER_ETHER)
    for size in (1, 240, 255):
        is_read(engine, docsis(frame, bytes(size)), DOCSIS)
    for size in range(2, 32, 2):
        is_read(engine, token_ring(snap(V4), bytes([size]).ljust(size, b"\0")), TOKEN_RING)
    for first in (0x00, 0x01, 0x03, 0x1F, 0xE0):
        is_not_ip(engine, token_ring(snap(V4), bytes([first, 0])), TOKEN_RING)
    is_not_ip(engine, frame_relay(b"\x03\xcc" + V4, b"\0\0\0\0"), FRELAY)


# ---- nesting


def nested(depth: int, tag: bytes) -> bytes:
    """VLAN tags, or other tags of 4 octets and an EtherType, in each other."""
    return ethernet(V4)[:12] + tag * depth + ethernet(V4)[12:]


@pytest.mark.parametrize(
    "tag", ["8926 00000014", "893f 000010050000", "892f 002e0001", "8909 010100010005", "d28b 0001 0120 010203040506"]
)
def test_tags_to_the_cap(engine, tag):
    octets = bytes.fromhex(tag)
    is_read(engine, nested(8, octets))
    for depth in (9, 300):
        got = found(engine, nested(depth, octets))
        assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]
        only(got, ip_malformed=1)


def test_headers_of_nsh_to_the_cap(engine):
    packet = nsh(V4, 1)
    for _ in range(7):
        packet = nsh(packet, 4)
    is_read(engine, ethernet(packet, NSH))
    assert issues(found(engine, ethernet(nsh(packet, 4), NSH))) == [(1, "LINK", "TOO_DEEP", 8, 9)]


@pytest.mark.parametrize("name", AROUND)
def test_frames_to_the_cap(engine, name):
    """16 of one kind in each other."""
    link, wrap = AROUND[name]
    frame = ethernet(V4)
    if link != 1:
        for _ in range(15):
            frame = ethernet(pbb(frame), PBB)
        is_read(engine, wrap(frame), link)
        got = found(engine, wrap(ethernet(pbb(frame), PBB)), link)
        if name == "sll":  # its frame counts for no cap
            is_read(engine, wrap(ethernet(pbb(frame), PBB)), link)
            return
    elif name in ("vn_tag", "macsec"):
        return
    else:
        for _ in range(16):
            frame = wrap(frame)
        is_read(engine, frame)
        got = found(engine, wrap(frame))
    assert issues(got) == [(1, "LINK", "TOO_DEEP", 16, 17)]
    only(got, ip_malformed=1)


@pytest.mark.parametrize("cap", range(4))
def test_other_caps(engine, cap):
    frame = ethernet(pbb(ethernet(pbb(ethernet(V4)), PBB)), PBB)
    got = walk(pcap([frame]), engine, limits=Limits(carriers=cap))
    if cap >= 2:
        only(got, gre_packets=1)
    else:
        assert issues(got) == [(1, "LINK", "TOO_DEEP", cap, cap + 1)]


# ---- what is told


def test_a_kind_is_told_once_a_file(engine):
    """At the end of the file, at its first packet, with their number; in the order of the first ones."""
    frames = [ethernet(V4, 0x9998), ethernet(V4), ethernet(macsec(V4, 0x0800, 0x0C), MACSEC), ethernet(V4, 0x9997)]
    one = [(1, "LINK", "UNFOLLOWED", Carrier.ETHERTYPE, 2), (3, "LINK", "UNFOLLOWED", Carrier.MACSEC, 1)]
    data = pcap(frames)
    for more in ({}, {"records": 1}, {"stops": range(40, len(data), 30)}):
        got = walk([data, data], engine, **more)
        assert faults(got) == one + [(4 + packet, *rest) for packet, *rest in one]


@pytest.mark.parametrize(
    "ether_type", [0x0806, 0x88CC, 0x888E, 0x8863, 0x8809, 0x88F7, 0x8902, 0x6003, 0x9000, 0x893A, 0x890D]
)
def test_what_is_not_ip_is_silent(engine, ether_type):
    is_not_ip(engine, ethernet(bytes(60), ether_type))
    is_not_ip(engine, ethernet(pbb(ethernet(bytes(60), ether_type)), PBB))


# ---- twins

TAGGED: list[tuple[int, Wrap]] = [
    (0x8926, lambda p: vn_tag(p, 0x0800)),
    (0x8926, lambda p: vn_tag(p, 0x8100)),
    (0x88E5, lambda p: macsec(p, 0x8926)),
    (0x88E7, lambda p: pbb(ethernet(p))),
    (0x88E7, pbb),
    (0x22F3, lambda p: trill(ethernet(p, 0x88E7))),
    (0x8903, lambda p: b"\4\x20" + ethernet(p)),
    (0x4305, lambda p: bytes([0x40, 15]) + bytes(8) + ethernet(p)),
    (0x894F, lambda p: nsh(p, 1)),
    (0x894F, lambda p: nsh(p, 4)),
    (0x894F, lambda p: nsh(ethernet(p), 3)),
    (0x8847, lambda p: pseudowire(ethernet(p))),
    (0x8847, lambda p: pseudowire(ethernet(p), b"")),
    (0x8847, mpls),
    (0x8864, lambda p: pppoe(ppp(p))),
    (0x8100, lambda p: vlan(p, 0x0800)),
    (46, snap),
]


@st.composite
def frames(draw) -> tuple[int, bytes]:
    """A few headers in each other, then some of their octets changed, then perhaps cut."""
    kind, packet = 0x0800, draw(st.sampled_from([V4, V6, b"", V4[:10]]))
    for _ in range(draw(st.integers(0, 5))):
        kind, wrap = draw(st.sampled_from(TAGGED))
        packet = wrap(packet)
    frame = ethernet(packet, kind)
    link = 1
    if draw(st.booleans()):
        link, outer = draw(st.sampled_from([(link, wrap) for link, wrap in AROUND.values() if link != 1]))
        frame = outer(frame)
    elif draw(st.booleans()):
        link, outer = draw(st.sampled_from([*KINDS.values()]))
        frame = outer(draw(st.sampled_from([V4, V6])))
    changed = bytearray(frame)
    for _ in range(draw(st.integers(0, 3)) if frame else 0):
        changed[draw(st.integers(0, min(len(frame), 120) - 1))] = draw(st.integers(0, 255))
    size = draw(st.one_of(st.just(len(frame)), st.integers(0, len(frame))))
    return link, bytes(changed[:size])


@given(several=st.lists(frames(), min_size=1, max_size=8))
def test_twins_on_any_frame(several):
    file = File().section()
    for number, (link, frame) in enumerate(several):
        file.interface(link).packet(frame, number, number, original=len(frame) + number % 3)
    twins(file.octets)

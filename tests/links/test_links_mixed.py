"""Link headers in each other in every order, and links that are not read, of many interfaces."""

from __future__ import annotations

import pytest
from builder import ETHERNET, SLL, ethernet, gre, ipv4, ipv6, pcap, sll, sll2
from helpers import column, faults, issues, only
from hypothesis import given
from hypothesis import strategies as st
from link_builder import (
    C_HDLC,
    IEEE802_11,
    PPP,
    PPP_ETHER,
    PPP_HDLC,
    PPP_WITH_DIRECTION,
    RADIOTAP,
    TUNNEL_OUI,
    cisco,
    mpls,
    ppp,
    pppoe,
    radiotap,
    snap,
    vlan,
    wireless,
)
from pcapng_builder import File
from walks import twins, walk

GRE = gre(b"\x00\x57", sequence=1)
V4 = ipv4(GRE, 47)

# ---- unsupported links


def test_unsupported_link_is_told_once_for_each_interface(engine):
    """Other interfaces go on; the same number with another link type in a later section is told again."""
    file = File().section().interface(147).interface(1).interface(148).interface(147)
    for interface in (1, 0, 0, 2, 1, 0, 3, 2, 3, 1):
        file.packet(ethernet(V4), interface)
    file.section(">").interface(147).interface(148).interface(1).packet(V4, 0).packet(V4, 1).packet(V4, 1)
    file.section().interface(148).interface(148).packet(V4, 1).packet(V4, 0)
    data = file.octets
    told: list[tuple[int, int, int]] = [(2, 0, 147), (4, 2, 148), (7, 3, 147), (12, 1, 148), (15, 0, 148)]
    expected = [(packet, "LINK", "UNSUPPORTED_LINK", interface, link) for packet, interface, link in told]
    for more in ({}, {"records": 1}, {"window": 40}, {"stops": range(1, len(data), 100)}):
        got = walk(data, engine, **more)
        assert faults(got) == expected, more
        assert column(got, "gre", "packet") == [1, 5, 10]
        only(got, gre_packets=3, unsupported_link=12)
    twice = walk([data, data], engine, records=1)
    assert faults(twice) == expected + [(15 + packet, *rest) for packet, *rest in expected]


@pytest.mark.parametrize("link", [2, 8, 147, 149, 240, 277, 65535])
def test_unsupported_link_of_packets_without_octets(engine, link):
    file = File(">").section().interface(1).interface(link).packet(b"", 1).packet(b"", 1).packet(ethernet(V4), 0)
    got = walk(file.octets, engine)
    assert issues(got) == [(1, "LINK", "UNSUPPORTED_LINK", 1, link)]
    only(got, unsupported_link=2, gre_packets=1)


def test_headers_in_each_other():
    """Tags, LLC, labels and sessions in any order of two."""
    kinds = {
        0x8100: lambda p, t: vlan(p, t),
        46: lambda p, t: snap(p, t),
        0x8847: lambda p, _: mpls(p),
        0x8864: lambda p, _: pppoe(ppp(p)),
    }
    frames = []
    for inner, wrap_inner in kinds.items():
        for outer, wrap_outer in kinds.items():
            for innermost in (0x0800, 46, 0x8100):
                payload = wrap_outer(wrap_inner(snap(V4), innermost), inner)
                frames += [ethernet(payload, outer), sll(payload, outer), cisco(payload, ether_type=outer)]
    for link in (ETHERNET, SLL, C_HDLC, PPP):
        assert twins(pcap(frames, link=link)).counters["packets"] == len(frames)


PACKETS = [V4, ipv6(GRE, 47), b"", V4[:10]]
INNER = [
    (0x0800, lambda p: p),
    (0x86DD, lambda p: p),
    (46, snap),
    (0, lambda p: snap(p, oui=TUNNEL_OUI)),
    (0x05FF, lambda p: snap(p, 0x8100)),
    (0x8100, lambda p: vlan(p, 0x0800)),
    (0x88A8, lambda p: vlan(p, 46)),
    (0x9300, lambda p: vlan(p, 0x8847)),
    (0x8847, mpls),
    (0x8848, lambda p: mpls(p, 7)),
    (0x8864, lambda p: pppoe(ppp(p))),
    (0x8864, lambda p: pppoe(ppp(p, octets=1))),
]


@st.composite
def frames(draw) -> tuple[int, bytes]:
    """A frame of any link with a few headers in each other, then some of its octets changed, then perhaps cut."""
    kind, packet = 0x0800, draw(st.sampled_from(PACKETS))
    for _ in range(draw(st.integers(0, 5))):
        kind, wrap = draw(st.sampled_from(INNER))
        packet = wrap(packet)
    control = 0x0008 | draw(st.sampled_from([0, 0x80, 0x8080, 0x0380, 0x8380, 0x0300, 0x40, 0x4000, 0x0100]))
    present = tuple(
        draw(st.lists(st.sampled_from([0, 1, 2, 3, 2**31, 2**31 | 2, 2**31 | 3, 0xFFFFFFFF]), min_size=1, max_size=4))
    )
    air = wireless(packet, control, draw(st.sampled_from([0, 0, 0x80])), draw(st.integers(0, 2)))
    link, frame = draw(
        st.sampled_from(
            [
                (ETHERNET, ethernet(packet, kind)),
                (SLL, sll(packet, kind)),
                (276, sll2(packet, kind)),
                (PPP, ppp(packet, b"\xff\x03")),
                (PPP_HDLC, cisco(packet, ether_type=kind)),
                (PPP, ppp(packet, octets=1)),
                (PPP_WITH_DIRECTION, b"\1" + ppp(packet)),
                (PPP_WITH_DIRECTION, b"\1" + cisco(packet, 0x8F, kind)),
                (PPP_ETHER, pppoe(ppp(packet))),
                (C_HDLC, cisco(packet, ether_type=kind)),
                (IEEE802_11, air),
                (
                    RADIOTAP,
                    radiotap(air, present, draw(st.binary(max_size=24)), draw(st.sampled_from([None, 8, 11, 30]))),
                ),
            ]
        )
    )
    frame = bytearray(frame)
    for _ in range(draw(st.integers(0, 3)) if frame else 0):
        frame[draw(st.integers(0, min(len(frame), 60) - 1))] = draw(st.integers(0, 255))
    size = draw(st.one_of(st.just(len(frame)), st.integers(0, len(frame))))
    return link, bytes(frame[:size])


@given(several=st.lists(frames(), min_size=1, max_size=12))
def test_twins_on_any_frame(several):
    file = File().section()
    for number, (link, frame) in enumerate(several):
        file.interface(link).packet(frame, number, number, original=len(frame) + number % 3)
    got = twins(file.octets)
    fates = (
        "not_ip",
        "ip_other",
        "ip_malformed",
        "fragments",
        "control_segments",
        "gre_packets",
        "gre_other",
        "frames_cut",
    )
    # An aggregate holds several packets.
    assert sum(got.counters[name] for name in fates) >= len(several)

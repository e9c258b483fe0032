"""Whole captures wrapped in mirrors and overlays: the rows are those of the capture without them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from captures import lab
from helpers import (
    FATES,
    OWN,
    Decoded,
    EngineName,
    column,
    decode,
    drive,
    issues,
    kinds,
    names_of,
    only,
    same,
    same_but_around,
)
from mirror_builder import (
    FRAMES,
    PACKETS,
    WIRELESS,
    Stored,
    fragmented,
    jmirror,
    link,
    outer,
    records,
    stored,
    udp,
    vxlan,
    wrap_frame,
    wrap_packet,
    wrapped,
)
from numpy.lib.recfunctions import repack_fields
from places import CAPTURES
from walks import twins, walk

from pptpcap.wire.carriers import Carrier
from pptpcap.wire.limits import Limits
from pptpcap.wire.status import GreStatus, MessageStatus

FOUND = CAPTURES / "found"
KINDS = {name: (wrap, wrap_frame) for name, wrap in FRAMES.items()} | {
    name: (wrap, wrap_packet) for name, wrap in PACKETS.items()
}


@cache
def plain(name: str) -> bytes:
    """A capture, of the lab or one that was found."""
    path = FOUND / name
    return (path if path.exists() else lab(name)).read_bytes()


SMALL = "base.pcap"


@cache
def rows_of(name: str, engine: EngineName) -> Decoded:
    return decode(plain(name), engine)


# ---- captures that were found


@pytest.mark.parametrize("path", sorted(FOUND.glob("tunnel_*.pcap")), ids=lambda path: path.stem)
def test_captures_that_were_found(engine, path):
    got = decode(path.read_bytes(), engine, mirrors={"jmirror": 30030})
    base = rows_of(SMALL, engine)
    if "erspan" in path.stem or "vxlan" in path.stem or "teb" in path.stem or "tzsp" in path.stem:
        assert set(column(got, "tunnels", "vlan")) in ({-1}, {10}, {100})
    same_but_around(got, base)


# ---- one capture of the lab; test_mirrors_captures has all


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(engine, kind):
    same_but_around(decode(wrapped(plain(SMALL), *KINDS[kind]), engine), rows_of(SMALL, engine), kind)


@pytest.mark.parametrize("kind", WIRELESS)
def test_802_11_inside(engine, kind):
    same_but_around(decode(wrapped(plain(SMALL), WIRELESS[kind], wrap_frame), engine), rows_of(SMALL, engine), kind)


@pytest.mark.parametrize("capture", ["span_dup.pcap", "multi8_clients.server.pcap"])
@pytest.mark.parametrize("kind", ["vxlan", "erspan 2", "tzsp"])
def test_copies_are_told_as_without_a_mirror(engine, capture, kind):
    """What tells vantages apart is the link header inside."""
    if engine == "reference" and capture != "span_dup.pcap":
        return
    base = rows_of(capture, engine)
    assert capture != "span_dup.pcap" or base.counters["copies"] == 37
    same_but_around(decode(wrapped(plain(capture), *KINDS[kind]), engine), base)


@pytest.mark.parametrize("outermost", KINDS)
def test_two_kinds(outermost):
    """Each kind inside each, in Ethernet."""
    base = rows_of(SMALL, "compiled")
    for kind in KINDS:
        data = wrapped(wrapped(plain(SMALL), *KINDS[kind]), *KINDS[outermost])
        same_but_around(decode(data, "compiled"), base, f"{kind} in {outermost}")


def test_two_kinds_by_the_reference():
    several = sorted(KINDS)
    for kind, outermost in zip(several, several[7:] + several[:7], strict=True):
        data = wrapped(wrapped(plain(SMALL), *KINDS[kind]), *KINDS[outermost])
        same_but_around(decode(data, "reference"), rows_of(SMALL, "reference"), f"{kind} in {outermost}")


@pytest.mark.parametrize("kind", ["vxlan", "gre", "tzsp", "gtp", "nvgre"])
def test_the_law_of_the_split(engine, kind):
    data = wrapped(plain("gre_ipfrag_mtu576.pcap" if engine == "compiled" else SMALL), *KINDS[kind])
    whole = drive(data, engine)
    for size in (1, 2, 7):
        same(drive(data, engine, records=size), whole, f"{size} records")
    for stops in ([200], [*range(100, len(data), 997)]):
        same(drive(data, engine, stops=stops), whole, f"stops {stops[:3]}")
    same(decode(data, engine, threads=3), decode(data, engine, threads=1))


@pytest.mark.parametrize("snap", [0, 20, 33, 34, 53, 54, 70, 96, 128])
@pytest.mark.parametrize("kind", ["vxlan", "tzsp", "gre", "erspan 3", "l2tp full"])
def test_a_snap_length_in_front_of_the_mirror(engine, kind, snap):
    """What the capture cuts off a mirror is cut off the frame inside."""
    wrap, one = KINDS[kind]
    head = plain(SMALL)
    cut = [Stored(each.time, each.octets[: 14 + snap], each.on_wire) for each in records(plain(SMALL))]
    around = stored(head[:24], [one(Stored(each.time, each.octets, each.on_wire), wrap) for each in cut])
    got = decode(around, engine)
    if snap >= 20:
        same_but_around(got, decode(stored(head[:24], cut), engine))
    else:
        # Not even the check of the inner header is possible.
        assert kinds(got) == ["UNFOLLOWED"]
        assert got.counters["ip_other"] + got.counters["gre_other"] == len(cut)


def test_what_is_told_does_not_depend_on_the_split(engine):
    data = wrapped(plain(SMALL), jmirror, wrap_packet)
    whole = drive(data, engine)
    assert issues(whole) == [(1, "IP", "UNFOLLOWED", Carrier.JMIRROR.value, 37)]
    for size in (1, 5):
        same(drive(data, engine, records=size), whole)
    same(drive(data, engine, stops=[500, 2000]), whole)
    several = drive([data, data], engine)
    assert issues(several) == [(packet, "IP", "UNFOLLOWED", Carrier.JMIRROR.value, 37) for packet in (1, 38)]


# ---- layers


def two_networks(first: int, second: int) -> bytes:
    """Each packet twice, in two networks; the second one 1 ms later."""
    data = plain(SMALL)
    both: list[Stored] = []
    for record in records(data):
        later = record.time[:4] + (int.from_bytes(record.time[4:], "little") + 1000).to_bytes(4, "little")
        both.append(wrap_frame(record, lambda frame: vxlan(frame, first)))
        both.append(replace(wrap_frame(record, lambda frame: vxlan(frame, second)), time=later))
    return stored(data[:24], both)


def test_two_networks_with_equal_addresses_are_two(engine):
    data = two_networks(7, 8)
    got = decode(data, engine, separate="layers")
    base = rows_of(SMALL, engine)
    assert column(got, "connections", "network_id") == [7, 8]
    assert column(got, "connections", "carrier") == [Carrier.VXLAN.value] * 2
    assert column(got, "tunnels", "network_id") == [7, 8, 7, 8]
    for table in ("messages", "gre", "connections", "tunnels", "calls"):
        assert len(got[table]) == 2 * len(base[table])
    assert got.counters["copies"] == 0
    assert issues(got) == []
    one = decode(two_networks(7, 7), engine, separate="layers")
    assert len(one["connections"]) == len(base["connections"])
    assert column(one, "connections", "network_id") == [7]


# ---- depth


def nested(depth: int, wrap=vxlan) -> bytes:
    """One SYN, so many times wrapped."""
    record = next(records(plain(SMALL)))
    for _ in range(depth):
        record = wrap_frame(record, wrap)
    return stored(plain(SMALL)[:24], [record])


def test_the_cap_on_ip_headers_is_that_of_all_carriers(engine):
    for depth in range(4):
        only(walk(nested(depth), engine), control_segments=1)
    got = walk(nested(4), engine)
    only(got, ip_malformed=1)
    assert issues(got) == [(1, "IP", "TOO_DEEP", 4, 5)]
    got = walk(nested(60), engine)
    assert issues(got) == [(1, "IP", "TOO_DEEP", 4, 5)]


def test_the_cap_on_carriers(engine):
    limits = Limits(network_headers=40, carriers=3)
    only(walk(nested(3), engine, limits=limits), control_segments=1)
    for depth in (4, 5, 16):
        got = walk(nested(depth), engine, limits=limits)
        only(got, ip_malformed=1)
        assert issues(got) == [(1, "LINK", "TOO_DEEP", 3, 4)]
    deep = Limits(network_headers=40)
    only(walk(nested(16), engine, limits=deep), control_segments=1)
    assert issues(walk(nested(17), engine, limits=deep)) == [(1, "LINK", "TOO_DEEP", 16, 17)]
    # A carrier beyond the cap that is none is not too deep.
    mistaken = nested(3, lambda frame: udp(bytes(8) + frame, 4789))
    only(walk(mistaken, engine, limits=Limits(carriers=0)), ip_other=1)


# ---- cuts


@pytest.mark.parametrize("kind", KINDS)
def test_each_cut(kind):
    """Of three packets, of which each is cut at each octet: the twins agree, and nothing is counted twice."""
    data = wrapped(plain(SMALL), *KINDS[kind])
    frame, segment, gre = (list(records(data))[number] for number in (0, 4, 20))
    cut = [
        Stored(one.time, one.octets[:size], one.on_wire)
        for one in (frame, segment, gre)
        for size in range(len(one.octets) + 1)
    ]
    got = twins(stored(data[:24], cut))
    assert sum(got.counters[fate] for fate in FATES) == len(cut)
    # And so that the lengths of the link tell of no cut.
    got = twins(stored(data[:24], [Stored(one.time, one.octets, len(one.octets)) for one in cut]))
    assert sum(got.counters[fate] for fate in FATES) == len(cut)


# ---- fragments of carriers


def in_pieces(data: bytes, size: int = 40) -> bytes:
    """Each packet in two fragments."""
    several = enumerate(records(data))
    return stored(data[:24], [piece for number, record in several for piece in fragmented(record, size, number)])


@pytest.mark.parametrize("capture", [SMALL, "gre_ipfrag_mtu576.pcap"])
@pytest.mark.parametrize(
    "kind", ["vxlan", "nvgre", "tzsp", "etherip", "ethernet in ip", "mpls in ip", "gtp", "geneve ip"]
)
def test_fragments_of_a_carrier(engine, kind, capture):
    """Each packet comes with its second fragment, those that are fragments themselves too."""
    if engine == "reference" and capture != SMALL:
        return
    data = plain(capture)
    data = stored(data[:24], [record for record in records(data) if record.octets[12:14] == b"\x08\0"])
    base = decode(data, engine)
    got = decode(in_pieces(wrapped(data, *KINDS[kind])), engine)
    packets = base.counters["packets"]
    assert issues(got) == [(2 * packet, *rest) for packet, *rest in issues(base)]
    assert got.counters["fragments"] == got.counters["packets"] == 2 * packets
    assert got.counters["datagrams_reassembled"] == packets + base.counters["datagrams_reassembled"]
    for table in ("messages", "gre", "ppp", "connections", "tunnels", "calls"):
        columns = [name for name in names_of(base[table]) if name not in OWN and "packet" not in name]
        columns = [name for name in columns if name != "status"]
        assert repack_fields(got[table][columns]).tobytes() == repack_fields(base[table][columns]).tobytes(), table
    assert (got["gre"]["packet"] == 2 * base["gre"]["packet"]).all()
    assert (got["gre"]["status"] | GreStatus.FRAGMENTED == base["gre"]["status"] | GreStatus.FRAGMENTED).all()
    assert (got["messages"]["status"] & MessageStatus.FRAGMENTED != 0).all()
    pieces = in_pieces(wrapped(data, *KINDS[kind]))
    same(drive(pieces, engine), drive(pieces, engine, records=1))


def pieces_of(number: int, payload: bytes, size: int, protocol: int = 17) -> list[Stored]:
    frame = link(outer(payload, protocol, identification=number))
    return fragmented(Stored(bytes(8), frame, len(frame)), size)


def datagram(port: int, octets: int = 80) -> bytes:
    return (54321).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + octets).to_bytes(2, "big") + bytes(2 + octets)


def capture_of(pieces: list[Stored]) -> bytes:
    return stored(plain(SMALL)[:24], pieces)


def test_ordinary_udp_leaves_no_trace(engine):
    """The first fragment shows a port of no carrier; the others wait for nothing, and nobody is told."""
    pieces = [piece for number in range(600) for piece in pieces_of(number, datagram(53), 48)]
    got = walk(capture_of(pieces), engine)
    only(got, ip_other=600, fragments=600)
    assert set(kinds(got)) <= {"CLOCK_BACK", "CLOCK_STANDS"}


def test_what_is_missing_of_a_carrier_is_told(engine):
    first, last = pieces_of(7, datagram(4789), 48)
    got = walk(capture_of([first]), engine)
    only(got, fragments=1)
    assert kinds(got) == ["FRAGMENT_INCOMPLETE"]
    assert kinds(walk(capture_of([last]), engine)) == []
    # Contradictions likewise: a fragment of the same octets that says otherwise.
    other = Stored(first.time, first.octets[:-1] + b"\1", first.on_wire)
    assert kinds(walk(capture_of([first, other]), engine)) == ["FRAGMENT_CONFLICT"]
    other = Stored(last.time, last.octets[:-1] + b"\1", last.on_wire)
    assert kinds(walk(capture_of([last, other]), engine)) == []


def test_carriers_have_places_of_their_own(engine):
    """Fragments of UDP that wait do not take the place of a datagram of Enhanced GRE, nor the other way round."""
    gre = bytes.fromhex("3001880b 0000 0009 00000005") + bytes(20)
    waiting = pieces_of(1, gre, 8, protocol=47)
    others = [pieces_of(number, datagram(4789), 48)[1] for number in range(2, 40)]
    limits = Limits(datagrams=1, carrier_datagrams=4)
    got = walk(capture_of([waiting[0], *others, waiting[1]]), engine, limits=limits)
    assert len(got["gre"]) == 1
    own = pieces_of(1, vxlan(next(records(plain(SMALL))).octets)[20:], 48)
    got = walk(
        capture_of([own[0], *(pieces_of(number, gre, 8, 47)[0] for number in range(2, 9)), own[1]]),
        engine,
        limits=limits,
    )
    assert got.counters["control_segments"] == 1
    # With one more than there are places, the one that was touched least recently gives way.
    assert walk(capture_of([own[0], *others[:3], own[1]]), engine, limits=limits).counters["control_segments"] == 1
    got = walk(capture_of([own[0], *others[:4], own[1]]), engine, limits=limits)
    assert got.counters["control_segments"] == 0
    assert kinds(got).count("FRAGMENT_INCOMPLETE") == 1


def test_copies_of_fragments_are_known_by_what_was_reassembled(engine):
    pieces = pieces_of(1, vxlan(next(records(plain(SMALL))).octets)[20:], 48)
    got = walk(capture_of(pieces + pieces), engine)
    only(got, fragments=4, datagrams_reassembled=1, control_segments=1)
    assert got.counters["fragments_copied"] == 2
    assert got.counters["copies"] == 0


def test_jmirror_is_told_by_its_own_port_only(engine):
    data = wrapped(plain(SMALL), jmirror, wrap_packet)
    assert issues(decode(data, engine)) == [(1, "IP", "UNFOLLOWED", Carrier.JMIRROR.value, 37)]
    same_but_around(decode(data, engine, mirrors={"jmirror": 30030}), rows_of(SMALL, engine))
    elsewhere = wrapped(plain(SMALL), lambda packet: jmirror(packet, 30031), wrap_packet)
    assert issues(decode(elsewhere, engine)) == []


# ---- lengths at their limits


def test_every_value_of_every_octet_of_a_header():
    """The twins agree on a header of each kind of which one octet is anything."""
    for kind in KINDS:
        record = next(records(wrapped(plain(SMALL), *KINDS[kind])))
        header = len(record.octets) - 54
        changed = [
            Stored(record.time, record.octets[:at] + bytes([value]) + record.octets[at + 1 :], record.on_wire)
            for at, value in product(range(23, max(header, 35)), (0, 1, 0x7F, 0x80, 0xFF))
        ]
        twins(stored(plain(SMALL)[:24], changed))

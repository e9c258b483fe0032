"""Packets that the capture holds more than once: what a copy is, what it counts, and what is left without it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pytest
from builder import CLIENT, RAW, SERVER, Record, ethernet, gre, ipv4, ipv6, pcap, piece4, split, tcp
from call_builder import Session, outgoing_reply, outgoing_request
from captures import lab
from helpers import ENGINES, Decoded, EngineName, column, decode, drive, issues, same
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import started
from places import CAPTURES

import pptpcap
from pptpcap._input.options import Options
from pptpcap._reading.api import batches

# Columns that say which packet of the file a row is of; they differ where packets were left out.
PLACES = {"packet", "record_offset", "first_packet", "last_packet"}
MS = 1_000


def at(frame: bytes, microseconds: int, **more: Any) -> Record:
    seconds, fraction = divmod(microseconds, 1_000_000)
    return Record(frame, seconds=1_600_000_000 + seconds, fraction=fraction, **more)


def changed(frame: bytes, place: int, value: int) -> bytes:
    """The frame with another octet at `place`."""
    return frame[:place] + bytes([value]) + frame[place + 1 :]


def numbered(sequence: int, identification: int = 7, ack: int | None = None, payload: bytes = b"\x21\x45") -> bytes:
    """A packet with sequence number in Ethernet."""
    return ethernet(ipv4(gre(payload, 9, sequence, ack), 47, identification=identification))


def acknowledgment(ack: int, identification: int = 7) -> bytes:
    return ethernet(ipv4(gre(b"", 9, None, ack), 47, identification=identification))


def segment(data: bytes, sequence: int = 1, **more: Any) -> bytes:
    return ethernet(ipv4(tcp(data, sequence, **more), 6, identification=7))


FRAGMENT = ethernet(ipv4(bytes(range(32)), 47, identification=7, more=True))
EVENTS = {
    "numbered": numbered(5),
    "acknowledgment": acknowledgment(5),
    "segment": segment(b"octets"),
    "segment without data": segment(b""),
    "fragment": FRAGMENT,
}
# Of an IPv4 packet in Ethernet: the last octet of the source's MAC, the TTL, and header octets that routers change.
MAC, TTL, DSCP, HEADER_CHECKSUM, IDENTIFICATION = 11, 14 + 8, 14 + 1, 14 + 10, 14 + 5


def copies(source: Any, engine: EngineName, **more: Any) -> int:
    """How many copies both options find."""
    kept, dropped = (decode(source, engine, duplicates=how, **more) for how in ("keep", "drop"))
    assert kept.counters["copies"] == dropped.counters["copies"]
    fates = ("fragments", "control_segments", "gre_packets")
    assert sum(kept.counters[name] - dropped.counters[name] for name in fates) == kept.counters["copies"]
    return kept.counters["copies"]


def without_places(got: Decoded) -> dict[str, list[Any]]:
    return {
        name: [rows[column].tolist() for column in rows.dtype.names or () if column not in PLACES]
        for name, rows in got.items()
    }


def undoubled(doubled: Any, single: Any, engine: EngineName) -> None:
    """What is left of the one are the rows of the other."""
    left, right = decode(doubled, engine, duplicates="drop"), decode(single, engine)
    assert without_places(left) == without_places(right)
    counted = {"packets", "captured_octets", "original_octets", "copies"}
    assert {k: v for k, v in left.counters.items() if k not in counted} == {
        k: v for k, v in right.counters.items() if k not in counted
    }
    assert right.counters["copies"] == 0
    assert left.counters["copies"] == left.counters["packets"] - right.counters["packets"]


# ---- the same packet at another vantage (4b.1, 4b.2)


@pytest.mark.parametrize("place", [MAC, TTL])
@pytest.mark.parametrize("kind", EVENTS)
def test_two_vantages(engine, kind, place):
    frame = EVENTS[kind]
    twice = pcap([at(frame, 0), at(changed(frame, place, 9), 0)])
    assert copies(twice, engine) == 1
    undoubled(twice, pcap([at(frame, 0)]), engine)


@pytest.mark.parametrize("kind", EVENTS)
def test_what_routers_change_is_not_compared(engine, kind):
    frame = changed(changed(EVENTS[kind], DSCP, 0xB8), HEADER_CHECKSUM, 0x55)
    assert copies(pcap([at(EVENTS[kind], 0), at(changed(frame, TTL, 9), 10)]), engine) == 1


@pytest.mark.parametrize("kind", EVENTS)
def test_another_packet(engine, kind):
    """Each octet that is compared, at another vantage."""
    frame = EVENTS[kind]
    payload = 14 + 20
    places = [IDENTIFICATION, 14 + 12 + 3, 14 + 16 + 3]
    places += {
        "numbered": [payload + 7, payload + 11, payload + 12],
        "acknowledgment": [payload + 7, payload + 11],
        "segment": [payload + 7, payload + 11, payload + 13, payload + 15, payload + 20, payload + 25],
        "segment without data": [payload + 7, payload + 11, payload + 13, payload + 15],
        "fragment": [payload, payload + 7, payload + 24, payload + 31],
    }[kind]
    for place in places:
        other = changed(changed(frame, place, frame[place] ^ 0x11), MAC, 9)
        assert copies(pcap([at(frame, 0), at(other, 10)]), engine) == 0, place


def test_octets_that_are_not_compared(engine):
    """In the middle of a fragment: only its ends are."""
    other = changed(changed(FRAGMENT, 14 + 20 + 12, 0xAA), MAC, 9)
    assert copies(pcap([at(FRAGMENT, 0), at(other, 10)]), engine) == 1


def test_a_checksum_that_the_network_card_made(engine):
    frames = [at(segment(b"octets", checksum=0), 0), at(changed(segment(b"octets"), MAC, 9), 10)]
    assert copies(pcap(frames), engine) == 1
    got = decode(pcap(frames), engine, duplicates="drop")
    assert got.counters["checksums_offloaded"] == 1
    got = decode(pcap(frames[::-1]), engine, duplicates="drop")
    assert got.counters["checksums_offloaded"] == 0


def test_snap_length_and_a_tag(engine):
    """Of the packet behind a VLAN tag, 4 octets fewer were captured."""
    packet = ipv4(gre(b"\x21" + bytes(100), 9, 5), 47, identification=7)
    frames = [ethernet(packet)[:96], ethernet(packet, tags=[0x8100])[:96]]
    records = [at(frame, 10 * n, original=14 + 4 * n + len(packet)) for n, frame in enumerate(frames)]
    assert copies(pcap(records), engine) == 1


def test_ipv6(engine):
    frames = [ethernet(ipv6(gre(b"\x21", 9, number), 47)) for number in (1, 2)]
    hop_limit = 14 + 7
    records = [at(f, 10 * n) for n, f in enumerate((*frames, *(changed(frame, hop_limit, 9) for frame in frames)))]
    assert copies(pcap(records), engine) == 2


def test_interfaces(engine):
    """Two interfaces of a pcapng file; Linux cooked headers say in and out."""
    two = started().interface()
    for number, interface in enumerate((0, 1)):
        two.packet(numbered(5), interface, 1_600_000_000_000_000 + number)
    assert copies(two.octets, engine) == 1


def test_tunnel_of_ip_in_ip(engine):
    """The innermost header is compared; the outer one stands in front of it."""
    inner = ipv4(gre(b"\x21", 9, 5), 47, identification=7)
    frames = [ethernet(inner), ethernet(ipv4(inner, 4, identification=1)), ethernet(ipv4(inner, 4, identification=2))]
    assert copies(pcap([at(frame, number) for number, frame in enumerate(frames)]), engine) == 2


# ---- the window


@pytest.mark.parametrize(("apart", "found"), [(100 * MS, 1), (100 * MS + 1, 0), (-100 * MS, 1), (-100 * MS - 1, 0)])
@pytest.mark.parametrize("kind", EVENTS)
def test_time(engine, kind, apart, found):
    frame = EVENTS[kind]
    records = [at(frame, 10_000 * MS), at(changed(frame, TTL, 9), 10_000 * MS + apart)]
    assert copies(pcap(records), engine) == found


def test_a_packet_without_a_time(engine):
    two = started().simple(numbered(5)).simple(changed(numbered(5), TTL, 9))
    assert copies(two.octets, engine) == 1


@pytest.mark.parametrize(("between", "found"), [(1_023, 1), (1_024, 0)])
def test_window(engine, between, found):
    """Others of the kind stand between a packet and its copy; those of other kinds do not count."""
    for first, others in (
        (numbered(0), [numbered(n + 1) for n in range(between)]),
        (acknowledgment(0), [acknowledgment(n + 1) for n in range(between)]),
        (segment(b"octets"), [segment(b"octets", n + 7) for n in range(between)]),
        (FRAGMENT, [changed(changed(FRAGMENT, 18, n >> 8), 19, n & 0xFF) for n in range(8, between + 8)]),
    ):
        frames = [first, *others, changed(first, TTL, 9)]
        assert copies(pcap([at(frame, number) for number, frame in enumerate(frames)]), engine) == found
    mixed = [numbered(0), *(acknowledgment(n) for n in range(between)), changed(numbered(0), TTL, 9)]
    assert copies(pcap([at(frame, number) for number, frame in enumerate(mixed)]), engine) == 1


def test_vantages_of_one_packet(engine):
    """Each is a copy, however many there are."""
    frames = [changed(numbered(5), TTL, n) for n in range(1, 21)]
    assert copies(pcap([at(frame, number) for number, frame in enumerate(frames)]), engine) == 19


# ---- the same vantage (4b.3)


def at_one_vantage(times: Sequence[int], make: Any = numbered) -> bytes:
    """Packets in order, each so many times, 10 us apart."""
    frames = [make(number, number + 1) for number, many in enumerate(times) for _ in range(many)]
    return pcap([at(frame, 10 * place) for place, frame in enumerate(frames)])


@pytest.mark.parametrize("make", [numbered, acknowledgment])
@pytest.mark.parametrize(
    ("times", "found"),
    [
        # The first packet of all: nothing else tells.
        ([2], 1),
        ([3], 2),
        ([1, 2], 0),
        ([1, 2, 2], 1),
        ([1] * 20 + [2] + [1] * 20 + [2], 0),
        ([2] * 20, 20),
        ([2] * 10 + [1] * 3 + [2] * 10, 20),
        # A mirror of both directions, where the network duplicated a packet.
        ([2] * 10 + [4] + [2] * 10, 22),
        ([2] * 10 + [3] + [2] * 10, 21),
        ([3] * 20, 40),
        ([4] * 20, 60),
        # More than 4 are not told apart.
        ([5] * 20, 60),
    ],
)
def test_one_vantage(engine, make, times, found):
    assert copies(at_one_vantage(times, make), engine) == found


def test_which_of_them_is_left(engine):
    """The first, and of a packet that was there twice the first of each pair."""
    got = decode(at_one_vantage([2] * 10 + [4] + [2]), engine, duplicates="drop")
    assert column(got, "gre", "packet") == [*range(1, 20, 2), 21, 23, 25]
    assert got["tunnels"]["duplicated"].tolist() == [1]
    assert got["tunnels"]["copies"].tolist() == [0]


def test_ports_are_no_place(engine):
    """A packet of another connection between the same addresses, which came once, tells that this vantage has no copies."""
    other, twice = segment(b"", source_port=41000), segment(b"octets")
    assert copies(pcap([at(other, 0), at(twice, 5), at(twice, 5)]), engine) == 0
    assert copies(pcap([at(twice, 5), at(twice, 5)]), engine) == 1


def test_the_nearest_8_are_enough(engine):
    """Singles, then doubled ones: with 4 of the nearest 8, and from there on."""
    times = [1] * 40 + [2] * 30
    assert copies(at_one_vantage(times), engine) == 30 - 4


def test_what_is_too_far_in_front_tells_nothing(engine):
    """32 others stand between: the rule is theirs."""
    first = [at(numbered(n, n + 1), n) for n in range(8) for _ in range(2)]
    others = [at(changed(numbered(n, n + 1), MAC, 9), n) for n in range(100, 132)]
    last = [at(numbered(n, n + 1), n) for n in (200, 200)]
    assert copies(pcap([*first, *others, *last]), engine) == 8
    assert copies(pcap([*first, *others[:-1], *last]), engine) == 9


def test_both_ends_merged(engine):
    """What each end saw twice was there twice, and what one end saw alone was there."""
    near, far = (lambda n: numbered(n, n + 1)), (lambda n: changed(numbered(n, n + 1), TTL, 63))
    frames = [near(1), near(2), far(1), far(2), far(2), near(3), far(4), near(5), near(5), far(5), far(5)]
    data = pcap([at(frame, 10 * place) for place, frame in enumerate(frames)])
    got = decode(data, engine, duplicates="drop")
    assert column(got, "gre", "packet") == [1, 2, 5, 6, 7, 8, 9]
    assert got["tunnels"]["duplicated"].tolist() == [2]


def test_an_acknowledgment_that_was_sent_twice(engine):
    """With identification 0: each place shows both."""
    one = acknowledgment(5, 0)
    frames = [acknowledgment(n, 0) for n in (1, 2, 3)] + [one, changed(one, TTL, 9), one, changed(one, TTL, 9)]
    got = decode(pcap([at(frame, place) for place, frame in enumerate(frames)]), engine, duplicates="drop")
    assert column(got, "gre", "packet") == [1, 2, 3, 4, 6]


def test_a_retransmission_is_no_copy(engine):
    talk = Session()
    talk.client_says(outgoing_request(1)).server_says(outgoing_reply(2, 1))
    again = changed(talk.frames()[3], IDENTIFICATION, 9)
    data = pcap([at(frame, MS * place) for place, frame in enumerate([*talk.frames(), again])])
    assert copies(data, engine) == 0
    assert decode(data, engine)["connections"]["initiator_retransmitted"].tolist() == [1]


# ---- what copies do (4b.5)


def a_call() -> list[bytes]:
    """A connection, a call and its tunnels, each packet with its own identification."""
    talk = Session().outgoing(1, 2)
    talk.client_sends(2, 0).server_sends(1, 0, 0).client_sends(2, None, 0).client_sends(
        2, 1, 0, b"\xc0\x21\x01\x07\0\x04"
    )
    return [frame[:18] + struct.pack(">H", n) + frame[20:] for n, frame in enumerate(talk.frames(), 1)]


def test_columns(engine):
    frames = [frame for frame in a_call() for _ in range(2)]
    got = decode(pcap([at(frame, place) for place, frame in enumerate(frames)]), engine)
    assert got.counters["copies"] == 9
    assert [got["connections"][f"{side}_copies"].tolist() for side in ("initiator", "responder")] == [[3], [2]]
    assert got["tunnels"]["copies"].tolist() == [3, 1]
    assert [got["calls"][f"{side}_copies"].tolist() for side in ("pns", "pac")] == [[3], [1]]
    assert got["tunnels"]["packets"].tolist() == [4, 2]


@pytest.mark.parametrize("place", [None, MAC, TTL])
def test_a_call(engine, place):
    frames = a_call()
    others = [frame if place is None else changed(frame, place, 9) for frame in frames]
    doubled = [record for n, pair in enumerate(zip(frames, others, strict=True)) for record in (at(f, n) for f in pair)]
    undoubled(pcap(doubled), pcap([at(frame, n) for n, frame in enumerate(frames)]), engine)


def test_fragments(engine):
    frames = [f for key in range(1, 9) for f in split(piece4, gre(bytes(range(40)), 9, key), 24, key=key)]
    doubled = [at(frame, place) for place, frame in enumerate(frames) for _ in range(2)]
    undoubled(pcap(doubled), pcap([at(frame, place) for place, frame in enumerate(frames)]), engine)


def test_issues(engine):
    """Those of a copy are left out, but for those of the file."""
    bad = ethernet(ipv4(gre(b"\x21", 9, 5, flags=0xB001), 47, identification=7))
    records = [at(bad, 0), Record(changed(bad, TTL, 9), seconds=1_600_000_000, fraction=1_000_000 - 1, original=20)]
    records[0] = at(bad, 1_000_000 - 2)
    expected = [(1, "GRE", "FORBIDDEN_FLAGS", 0, 0x8000), (2, "CONTAINER", "CAPTURED_EXCEEDS_ORIGINAL", 20, len(bad))]
    assert issues(decode(pcap(records), engine, duplicates="drop")) == expected
    assert len(issues(decode(pcap(records), engine))) == 3


def test_payloads(engine):
    frames = [f for n in range(4) for f in [numbered(n, n + 1, payload=bytes([0x21, n] * (n + 1)))] * 2]
    data = pcap([at(frame, place) for place, frame in enumerate(frames)])
    capture = next(batches(data, options=Options(engine=engine, duplicates="drop"), tables=["gre"], payloads=True))
    expected = [bytes([0x21, n] * (n + 1)) for n in range(4)]
    assert capture.beside["payloads"].tobytes() == b"".join(expected)
    assert capture["gre"]["available"].tolist() == [len(payload) for payload in expected]


def test_an_option_that_there_is_not():
    with pytest.raises(ValueError, match="duplicates must be one of keep, drop, not 'no'"):
        pptpcap.read(pcap([]), duplicates="no")  # type: ignore[arg-type]


# ---- captures


def test_a_mirror_of_both_directions(engine):
    path = CAPTURES / "found" / "span_dup.pcap"
    got = decode(path, engine)
    assert (got.counters["copies"], got["tunnels"]["duplicated"].tolist()) == (37, [9, 10])
    got = decode(path, engine, duplicates="drop")
    assert [got["calls"][f"{side}_packets"].tolist() for side in ("pns", "pac")] == [[9], [10]]
    assert (len(got["ppp"]), got["tunnels"]["duplicated"].tolist()) == (13, [0, 0])


def test_any_on_a_router(engine):
    got = decode(CAPTURES / "found" / "any_router_fragments_dup.pcap", engine, duplicates="drop")
    assert (column(got, "gre", "sequence_number"), issues(got)) == ([1, 2, 3], [])


@pytest.mark.parametrize("name", ["vlan10_any_sll.pcap", "vlan10_any_sll2.pcap"])
def test_any_on_a_vlan(engine, name):
    """What is left is what the interface of the VLAN alone showed."""
    got, alone = decode(lab(name), engine, duplicates="drop"), decode(lab("vlan10_subif.pcap"), engine)
    assert got.counters["copies"] == 275
    for counter in ("gre_packets", "control_segments", "fragments", "datagrams_reassembled"):
        assert got.counters[counter] == alone.counters[counter]
    for column_name in ("pns_packets", "pac_packets", "pns_acks", "pac_acks", "pns_lost", "pac_duplicated"):
        assert got["calls"][column_name].tolist() == alone["calls"][column_name].tolist()


@pytest.mark.parametrize("name", ["loss5_reorder_dup.client.pcap", "loss5_reorder_dup.server.pcap", "fmt_any_sll.pcap"])
def test_a_network_that_duplicates(engine, name):
    assert copies(lab(name), engine) == 0


def test_merged_ends_of_a_network_that_duplicates(engine):
    """What the network duplicated for either end is left, and nothing else twice."""
    ends = [decode(lab(f"loss5_reorder_dup.{end}.pcap"), engine) for end in ("client", "server")]
    got = decode(lab("loss5_reorder_dup.merged_both_ends.pcapng"), engine, duplicates="drop")
    assert got.counters["copies"] == 1_204
    assert got["tunnels"]["duplicated"].sum() == sum(end["tunnels"]["duplicated"].sum() for end in ends) == 10
    assert got["tunnels"]["lost"].sum() == 0


# ---- laws

FEW = st.integers(0, 3)


@st.composite
def traffic(draw: st.DrawFn) -> list[Record]:
    """Packets of few identities, seen at few places, near and far in time."""
    records = []
    now = 0
    for _ in range(draw(st.integers(1, 40))):
        number, identification = draw(FEW), draw(FEW)
        kind = draw(st.sampled_from(["numbered", "numbered", "acknowledgment", "segment", "fragment", "other", "cut"]))
        frame = {
            "numbered": numbered(number, identification, payload=b"\xc0\x21\x01\x07\0\x04"),
            "acknowledgment": acknowledgment(number, identification),
            "segment": segment(b"octets", number),
            "fragment": piece4(bytes(16), 16 * number, number < 3, key=identification),
            "other": ethernet(ipv4(gre(b"\x21", 9, number, flags=0xB001), 47, CLIENT, SERVER)),
            "cut": numbered(number, identification)[: 14 + 20 + 10],
        }[kind]
        for _ in range(draw(st.sampled_from([1, 1, 2, 2, 3, 5]))):
            now += draw(st.sampled_from([0, 1, 10, 60 * MS, 200 * MS]))
            seen = draw(st.sampled_from([(TTL, 64), (TTL, 64), (TTL, 63), (MAC, 9)]))
            records.append(at(changed(frame, *seen), now))
    return records


@pytest.mark.slow
@given(records=traffic(), step=st.integers(1, 7), drops=st.booleans())
def test_twins_and_steps(records, step, drops):
    data = pcap(records)
    one = drive(data, "compiled", drops_copies=drops)
    for engine in ENGINES:
        same(drive(data, engine, drops_copies=drops), one, engine)
        same(drive(data, engine, drops_copies=drops, records=step), one, f"{engine} {step}")


@pytest.mark.slow
@given(records=traffic())
def test_keeping_changes_no_row(records):
    """Copies count, and nothing else is different from what was there before."""
    data = pcap(records)
    kept, dropped = drive(data, "compiled"), drive(data, "compiled", drops_copies=True)
    assert kept.counters["copies"] == dropped.counters["copies"]
    gone = kept.counters["gre_packets"] - dropped.counters["gre_packets"]
    assert len(kept["gre"]) - len(dropped["gre"]) >= gone >= kept["tunnels"]["copies"].sum()


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """Frames of a call and of datagrams, no two of them the same packet."""
    talk = Session().outgoing(1, 2)
    for number in range(draw(st.integers(0, 30))):
        what = draw(st.integers(0, 4))
        if what == 0:
            talk.client_sends(2, draw(st.integers(0, 20)), draw(st.sampled_from([None, number])))
        elif what == 1:
            talk.server_sends(1, draw(st.integers(0, 20)), None, b"\xc0\x21\x01\x07\0\x04")
        elif what == 2:
            talk.client_sends(2, None, draw(st.integers(0, 20)))
        elif what == 3:
            talk.client_says(outgoing_request(number + 3))
        else:
            talk.packets += split(piece4, gre(bytes(40), 2, number), 24, key=1_000 + number)
    frames = talk.frames()
    return [
        frame if frame[20] & 0x3F or frame[21] else frame[:18] + struct.pack(">H", n) + frame[20:]
        for n, frame in enumerate(frames, 1)
    ]


@given(frames=conversations(), place=st.sampled_from([None, MAC, TTL]), distance=st.integers(1, 9))
def test_what_was_doubled_is_as_before(frames, place, distance):
    """Each packet comes again some packets later, at another vantage or at the same."""
    queue: list[bytes] = []
    doubled = []
    for frame in frames:
        doubled.append(frame)
        queue.append(frame if place is None else changed(frame, place, 9))
        if len(queue) == distance:
            doubled.append(queue.pop(0))
    data = pcap([at(frame, number) for number, frame in enumerate([*doubled, *queue])])
    left = drive(data, "compiled", drops_copies=True)
    assert left.counters["copies"] == len(frames)
    places = {frame: number for number, frame in reversed([*enumerate([*doubled, *queue])])}
    single = pcap([at(frame, places[frame]) for frame in frames])
    right = drive(single, "compiled", drops_copies=True)
    assert right.counters["copies"] == 0
    assert without_places(left) == without_places(right)


def test_raw_ip_has_no_link_header(engine):
    """TTL and addresses are all that a vantage is made of."""
    packet = ipv4(gre(b"\x21", 9, 5), 47, identification=7)
    records = [at(packet, 0), at(changed(packet, 8, 63), 1)]
    assert copies(pcap(records, link=RAW), engine) == 1

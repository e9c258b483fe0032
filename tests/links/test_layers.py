"""Traffic of different VLANs, kept apart or not: decoding 2b."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from builder import CLIENT, SERVER, Record, ethernet, gre, ipv4, pcap
from call_builder import Session, outgoing_reply, outgoing_request
from helpers import ENGINES, of_capture, same
from hypothesis import given
from hypothesis import strategies as st

import pptpcap
from pptpcap.wire.status import CallStatus

FOUND = Path(__file__).parent.parent / "captures" / "found" / "vlan_overlap.pcap"


def tagged(frame: bytes, *tags: int) -> bytes:
    """An Ethernet frame with these control informations of 802.1Q tags, the outermost first."""
    return frame[:12] + b"".join(struct.pack(">HH", 0x8100, tag) for tag in tags) + frame[12:]


def read(data: bytes, engine, separate="layers", **more):
    return pptpcap.read(data, engine=engine, separate=separate, **more)


def customers(*vlans: tuple[int, ...]) -> bytes:
    """The same conversation in each of these stacks of tags, packet by packet in turn, a millisecond from each to the next."""
    frames = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 1).frames()
    packets = [tagged(frame, *tags) for frame in frames for tags in vlans]
    return pcap([Record(packet, seconds=1_600_000_000, fraction=1000 * n) for n, packet in enumerate(packets)])


def layers(rows: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(rows["vlan"].tolist(), rows["inner_vlan"].tolist(), strict=True))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("vlans", "told"),
    [
        ([(10,), (20,)], [(10, -1), (20, -1)]),
        ([(10, 5), (10, 6)], [(10, 5), (10, 6)]),
        ([(), (10,)], [(-1, -1), (10, -1)]),
        ([(5, 10), (10, 5)], [(5, 10), (10, 5)]),
        ([(4094, 4094), (4094,)], [(4094, 4094), (4094, -1)]),
    ],
)
def test_two_customers_with_the_same_addresses(engine, vlans, told):
    got = read(customers(*vlans), engine)
    assert layers(got.connections) == told
    assert sorted(layers(got.tunnels)) == sorted(told * 2)
    assert len(got.calls) == 2
    assert (got.calls["pns_tunnel"] >= 0).all()
    assert (got.calls["pac_tunnel"] >= 0).all()
    assert (got.calls["pns_packets"] == 1).all()
    assert not (got.calls["status"] & CallStatus.SHARED_ID).any()
    assert len(got.issues) == 0
    assert got.connections["initiator_address"].tolist() == [[*bytes(10), 255, 255, *CLIENT]] * 2


@pytest.mark.parametrize("engine", ENGINES)
def test_not_kept_apart(engine):
    got = read(customers((10,), (20,)), engine, "none")
    assert layers(got.connections) == [(10, -1)]
    assert len(got.calls) == 1
    assert got.summary.copies > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_third_tag_and_a_priority_do_not_count(engine):
    """Priority 7 in VLAN 0 in front; the drop bit and priority 5 in the tag of VLAN 10."""
    frames = Session().outgoing(0x11, 0x22).frames()
    data = pcap([tagged(frame, *((0xE000, 0xB00A, 20, 30), (10, 20, 31))[n % 2]) for n, frame in enumerate(frames)])
    assert layers(read(data, engine).connections) == [(10, 20)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_trunk_with_a_tag_for_each_direction(engine):
    """One call; kept apart it falls to pieces, which is why that is not the default."""
    frames = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 1).frames()
    sides = [frame[26:30] == CLIENT for frame in frames]
    assert any(sides)
    assert not all(sides)
    data = pcap([tagged(frame, 10 if client else 20) for frame, client in zip(frames, sides, strict=True)])
    whole = pptpcap.read(data, engine=engine)
    assert (len(whole.connections), len(whole.calls)) == (1, 1)
    assert (whole.calls["pns_tunnel"][0], whole.calls["pac_tunnel"][0]) == (0, 1)
    assert len(read(data, engine).connections) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_fragments_of_two_customers(engine):
    """The same identification in VLAN 10 and 20, the halves in turn: each datagram is of one customer."""
    fragments = []
    for fill in (b"A", b"B"):
        packet = gre(b"\x21" + fill * 31, 0x22, 1)
        fragments.append(
            (
                ethernet(ipv4(packet[:24], 47, identification=7, more=True, source=CLIENT, destination=SERVER)),
                ethernet(ipv4(packet[24:], 47, identification=7, offset=24, source=CLIENT, destination=SERVER)),
            )
        )
    (a, b), (c, d) = fragments
    data = pcap([tagged(a, 10), tagged(c, 20), tagged(b, 10), tagged(d, 20)])
    got = read(data, engine)
    assert layers(got.tunnels) == [(10, -1), (20, -1)]
    assert got.gre["packet"].tolist() == [3, 4]
    assert len(got.issues) == 0
    assert len(read(data, engine, "none").gre) < 2


@pytest.mark.parametrize("engine", ENGINES)
def test_copies_are_of_one_customer(engine):
    """Equal packets of two customers are no copies of each other where they are kept apart."""
    data = customers((10,), (20,))
    assert read(data, engine).summary.copies == 0
    assert len(read(data, engine, duplicates="drop").connections) == 2
    assert len(read(data, engine, "none", duplicates="drop").connections) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_only_tunnel_of_its_vlan(engine):
    frames = []
    for vlan in (10, 20):
        talk = Session(begins=False).client_says(outgoing_request(0x11)).client_sends(vlan, 1)
        frames += [tagged(frame, vlan) for frame in talk.frames()]
    got = read(pcap(frames), engine)
    assert got.calls["pac_call_id"].tolist() == [10, 20]
    assert (got.calls["status"] & CallStatus.TUNNEL_INFERRED).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_two_customers_captured(engine):
    """Two customers with the same addresses, ports and ids in VLAN 10 and 20."""
    got = read(FOUND.read_bytes(), engine)
    assert (len(got.messages), len(got.connections), len(got.tunnels), len(got.calls)) == (22, 2, 4, 2)
    assert layers(got.connections) == [(10, -1), (20, -1)]
    assert not len(got.issues)


@given(data=st.data())
def test_engines_and_splits(data):
    """Any tags on any packets of two conversations, in any batch."""
    one = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 1)
    Session(one.packets, port=40001).client_says(outgoing_request(0x11)).server_says(outgoing_reply(0x33, 0x11))
    one.client_sends(0x33, 1).server_sends(0x11, 2)
    stacks = st.lists(st.sampled_from([0, 1, 2, 10, 0xFFF, 0xE001]), max_size=3)
    capture = pcap([tagged(frame, *data.draw(stacks)) for frame in one.frames()])
    separate = data.draw(st.sampled_from(["none", "layers"]))
    whole = read(capture, "reference", separate)
    same(of_capture(read(capture, "compiled", separate)), of_capture(whole))
    size = data.draw(st.integers(1, 400))
    for engine in ENGINES:
        batches = list(pptpcap.iterate(capture, engine=engine, separate=separate, batch_bytes=size))
        for table in whole:
            rows = [batch[table] for batch in batches if len(batch[table])]
            assert (np.concatenate(rows).tobytes() if rows else b"") == whole[table].tobytes(), table


def test_what_there_is_not():
    with pytest.raises(ValueError, match="separate"):
        pptpcap.read(b"", separate="vlan")  # type: ignore[arg-type]

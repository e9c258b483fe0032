"""Which packets are extracted: those of calls, connections, addresses, times and issues, and the fragments with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import stored
from builder import Record, ethernet, gre, ipv4, pcap, piece4, split, time_of
from call_builder import INNER, Session
from captures import lab
from mirror_builder import vxlan

import pptpcap

OTHER = bytes([10, 0, 0, 9])
DNS = ethernet(ipv4(bytes(20), 17))


def capture() -> bytes:
    """Two clients, one of which calls twice over one connection and then connects anew; 27 packets."""
    packets: list[bytes | Record] = []
    one = Session(packets).outgoing(7, 70).client_sends(70, 0).server_sends(7, 0)
    other = Session(packets, client=OTHER, port=40000).outgoing(9, 90).client_sends(90, 0)
    packets.append(DNS)  # 14
    one.say(0)  # 15: an acknowledgment
    first, second = split(piece4, gre(INNER, 70, 1), 8)
    packets += [first]  # 16
    other.server_sends(9, 0)  # 17
    packets += [second, first]  # 18, and 19 again
    one.outgoing(8, 80).client_sends(80, 0)  # 20 to 22
    one.say(0, flags="FA")  # 23
    one.client_sends(70, 2)  # 24
    Session(packets, isn=(99, 999))  # 25 to 27, with the same ports
    return pcap(packets)


DATA = capture()
FIRST_CONNECTION = {1, 2, 3, 4, 5, 15, 20, 21, 23}
FIRST_CALL = FIRST_CONNECTION | {6, 7, 16, 18, 19, 24}
SECOND_CALL = {8, 9, 10, 11, 12, 13, 17}
THIRD_CALL = FIRST_CONNECTION | {22}
LAST_CONNECTION = {25, 26, 27}
ALL = FIRST_CALL | SECOND_CALL | THIRD_CALL | LAST_CONNECTION


def extracted(source: Any, folder: Path, engine: str = "compiled", **named: Any) -> set[int]:
    """Numbers of the packets, which can be told apart by their times."""
    out = folder / "out.pcapng"
    done = pptpcap.extract(source, out, engine=engine, overwrite=True, **named)  # type: ignore[arg-type]
    before = stored.packets(source) if isinstance(source, bytes) else stored.packets(source.read_bytes())
    after = stored.packets(out.read_bytes())
    assert done.packets == len(after)
    assert done.summary.packets == len(before)
    numbers = [number for number, packet in enumerate(before, 1) if packet in after]
    # In order, each once, octet for octet.
    assert [before[number - 1] for number in numbers] == after
    return set(numbers)


def at(number: int) -> int:
    """The time of a packet, which the file has in microseconds."""
    return time_of(number) // 1000 * 1000


CASES: list[tuple[dict[str, Any], set[int]]] = [
    ({}, ALL),
    ({"call": 0}, FIRST_CALL),
    ({"call": [1]}, SECOND_CALL),
    ({"call": {2}}, THIRD_CALL),
    ({"call": [0, 1]}, FIRST_CALL | SECOND_CALL),
    ({"call": (1, None)}, SECOND_CALL | THIRD_CALL),
    ({"connection": 0}, FIRST_CALL | THIRD_CALL),
    ({"connection": [1]}, SECOND_CALL),
    ({"connection": 2}, LAST_CONNECTION),
    ({"address": "10.0.0.9"}, SECOND_CALL),
    ({"address": ["10.0.0.9", "10.0.0.2/32"]}, ALL),
    ({"address": "10.0.0.0/29"}, ALL),
    ({"address": "10.0.0.9", "call": [0, 1]}, SECOND_CALL),
    ({"connection": 0, "call": 0}, FIRST_CALL),
    ({"time": (at(4), at(7))}, {4, 5, 6}),
    ({"time": at(6)}, {6}),
    ({"time": (None, at(3)), "call": 0}, {1, 2}),
    # A fragmented packet has the time of the packet that completes it.
    ({"time": (at(18), at(19))}, {16, 18, 19}),
    ({"packets": 14}, {14}),
    ({"packets": [1, range(13, 16), 27]}, {1, 13, 14, 15, 27}),
    ({"packets": range(26, 1000)}, {26, 27}),
    ({"packets": range(1, 1 << 62)}, set(range(1, 28))),
    ({"packets": [range(2, 9), range(3, 5), 8, 8]}, set(range(2, 9))),
    # Fragments come together, and with those of the datagram the one that came again.
    ({"packets": [16]}, {16, 18, 19}),
    ({"packets": [18]}, {16, 18, 19}),
    ({"packets": [19]}, {19}),
    ({"packets": range(5, 15), "call": 1}, {8, 9, 10, 11, 12, 13}),
]


@pytest.mark.parametrize(("named", "expected"), CASES, ids=[str(named) for named, _ in CASES])
def test_conditions(engine, tmp_path, named, expected):
    assert extracted(DATA, tmp_path, engine, **named) == expected


@pytest.mark.parametrize(("named", "expected"), CASES, ids=[str(named) for named, _ in CASES])
def test_batches_change_nothing(monkeypatch, tmp_path, named, expected):
    """Not even one of a record each."""
    monkeypatch.setattr("pptpcap._extract._BATCH_BYTES", 1)
    assert extracted(DATA, tmp_path, **named) == expected


def test_copies_are_left_out_on_request(tmp_path):
    frames = Session().outgoing(7, 70).client_sends(70, 0).frames()
    first, second = split(piece4, gre(INNER, 70, 1), 8)
    near = [frame for frame in [*frames, first, second] for _ in range(2)]
    data = pcap([Record(frame, seconds=1, fraction=number) for number, frame in enumerate(near)])
    assert extracted(data, tmp_path, call=0) == set(range(1, 17))
    assert extracted(data, tmp_path, call=0, duplicates="drop") == set(range(1, 17, 2))


def test_layers_that_are_kept_apart(tmp_path):
    """The same addresses in two VLANs."""
    frames = Session().outgoing(7, 70).client_sends(70, 0).frames()
    tagged = [frame[:12] + b"\x81\0\0\5" + frame[12:] for frame in frames]
    data = pcap([*frames, *tagged])
    assert extracted(data, tmp_path, connection=0, separate="layers") == set(range(1, 7))
    assert extracted(data, tmp_path, connection=1, separate="layers") == set(range(7, 13))


def test_fragments_of_a_mirror(engine, tmp_path):
    """Those that hold a fragment of a packet of the call, in both layers."""
    frames = Session().outgoing(7, 70).frames()
    carried = [
        fragment
        for key, inner in enumerate(split(piece4, gre(INNER, 70, 1), 8))
        for fragment in split(piece4, vxlan(inner)[20:], 40, key=100 + key, protocol=17)
    ]
    others = split(piece4, vxlan(DNS)[20:], 40, key=300, protocol=17)
    data = pcap([*frames, carried[0], others[0], *carried[1:], others[1]])
    assert extracted(data, tmp_path, engine, call=0) == {1, 2, 3, 4, 5, 6, 8, 9, 10}


def test_what_has_no_row_is_chosen_with_all_others(engine, tmp_path):
    """A tunnel of which the header is cut belongs to none, but it is a packet of one."""
    frame = Session().client_sends(70, 0).packets[-1]
    assert isinstance(frame, bytes)
    data = pcap([Record(frame[:38], original=len(frame)), frame, DNS])
    assert extracted(data, tmp_path, engine) == {1, 2}
    assert extracted(data, tmp_path, engine, address="0.0.0.0/0") == {2}


# ---- issues


def with_issues() -> bytes:
    """Packets 7 and 9 have forbidden flags, packet 8 no key; 9 is of another client."""
    packets: list[bytes | Record] = []
    one = Session(packets).outgoing(7, 70).client_sends(70, 0)
    packets += [
        ethernet(ipv4(gre(INNER, 70, 1, flags=0xB001), 47)),
        ethernet(ipv4(gre(INNER, 70, 2, flags=0x1001), 47)),
        ethernet(ipv4(gre(INNER, 70, 3, flags=0xB001), 47, source=OTHER)),
    ]
    one.say(0)
    return pcap(packets)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"issue": "FORBIDDEN_FLAGS"}, {7, 9}),
        ({"issue": ["FORBIDDEN_FLAGS", "NO_KEY"]}, {7, 8, 9}),
        ({"issue": ["NO_KEY", "GAP"], "packets": range(1, 9)}, {8}),
        ({"issue": "FORBIDDEN_FLAGS", "address": "10.0.0.9"}, {9}),
        ({"issue": "FORBIDDEN_FLAGS", "time": (None, at(8))}, {7}),
    ],
    ids=str,
)
def test_issues(engine, tmp_path, named, expected):
    assert extracted(with_issues(), tmp_path, engine, **named) == expected


# ---- what cannot be chosen


@pytest.mark.parametrize(
    ("named", "error", "words"),
    [
        ({"call": 3}, IndexError, "there is no call 3; the capture has 3, counted from 0"),
        ({"call": [0, 7]}, IndexError, "there is no call 7"),
        ({"connection": 3}, IndexError, "there is no connection 3; the capture has 3"),
        ({"packets": 28}, IndexError, "there is no packet 28; the capture has 27, counted from 1"),
        ({"packets": [3, range(99, 200)]}, IndexError, "there is no packet 99"),
        ({"packets": 0}, ValueError, "packets are counted from 1, and 0 is less"),
        ({"packets": []}, ValueError, "no number is given"),
        ({"packets": range(5, 5)}, ValueError, "is no range of numbers that follow one another"),
        ({"packets": range(1, 9, 2)}, ValueError, "is no range"),
        ({"packets": "5"}, TypeError, "integer"),
        ({"issue": "GAPS"}, ValueError, "kind: there is no 'GAPS'; did you mean 'GAP'?"),
        ({"issue": ["GAP", "ZEROS"]}, ValueError, "issue: ZEROS concerns no packet"),
        ({"issue": "GAP"}, ValueError, "nothing is chosen"),
        ({"call": (3, None)}, ValueError, "nothing is chosen"),
        ({"address": "192.0.2.1"}, ValueError, "nothing is chosen"),
        ({"time": (at(16), at(17))}, ValueError, "nothing is chosen"),
        ({"call": 0, "packets": 14}, ValueError, "nothing is chosen"),
        ({"address": "10.0.0"}, ValueError, "address: '10.0.0' is no address or network"),
        ({"time": "noon"}, ValueError, "time: 'noon' is no time"),
        ({"call": None, "calls": 1}, TypeError, "there is no option 'calls'"),
    ],
    ids=str,
)
def test_what_cannot_be_chosen(tmp_path, named, error, words):
    with pytest.raises(error) as caught:
        pptpcap.extract(DATA, tmp_path / "out.pcapng", **named)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# ---- whole calls of real software

LAB = [
    *("mss88.pcap", "gre_ipfrag_mtu576.pcap", "fmt_dumpcap_ng_2if.pcapng", "fmt_nsec.pcap", "fmt_usec.bigendian.pcap"),
    *("vlan10_any_sll2.pcap", "multi8_clients.server.pcap", "loss5_reorder_dup.merged_both_ends.pcapng"),
    *("ipip_outer_eth.pcap", "killed_server.pcap", "pap_plain_snaplen96.pcap", "mss88_second.pcap"),
]
# What counts rows of other tables.
ROWS = ("connection", "pns_tunnel", "pac_tunnel", "pns_partner", "pac_partner")


def facts(row: Any) -> dict[str, Any]:
    """A row without numbers of packets and of rows."""
    names = [name for name in row.dtype.names if name not in ROWS and not name.endswith(("packet", "message"))]
    return {name: row[name].tolist() for name in names}


@pytest.mark.parametrize("name", LAB)
def test_a_call_reads_as_it_did(tmp_path, name):
    """And its connection, which counts every segment."""
    before = pptpcap.read(lab(name))
    assert len(before.calls)
    for number, call in enumerate(before.calls):
        extracted(lab(name), tmp_path, call=number)
        after = pptpcap.read(tmp_path / "out.pcapng")
        (one,) = [one for one in after.calls if facts(one) == facts(call)]
        assert (one["connection"] < 0) == (call["connection"] < 0)
        if one["connection"] >= 0:
            assert facts(after.connections[one["connection"]]) == facts(before.connections[call["connection"]])


@pytest.mark.parametrize("name", ["gre_ipfrag_mtu576.pcap", "loss5_reorder_dup.merged_both_ends.pcapng"])
def test_both_engines_extract_the_same(tmp_path, name):
    for engine in ("compiled", "reference"):
        pptpcap.extract(lab(name), tmp_path / engine, call=0, engine=engine)
    assert (tmp_path / "compiled").read_bytes() == (tmp_path / "reference").read_bytes()

"""What decapsulating holds: a call as long as it lasts, so many calls and octets, and what happens beyond."""

from __future__ import annotations

import gc
import pickle
import struct
import tracemalloc
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from builder import SERVER, Record, gre, gre_frame, pcap
from payloads import inner_of
from test_decapsulate import ACK_DEFLATE, IPV4, numbered
from test_vj import packet as segment
from test_vj import uncompressed

from pptpcap import schema
from pptpcap.decapsulate.counts import Counts
from pptpcap.decapsulate.deflate import Deflate
from pptpcap.decapsulate.login import Login
from pptpcap.decapsulate.mppe import KeyChain, Mppe
from pptpcap.decapsulate.order import Payload
from pptpcap.decapsulate.outcome import Outcome
from pptpcap.decapsulate.places import Places
from pptpcap.decapsulate.session import Session
from pptpcap.decapsulate.sorter import Sorter
from pptpcap.wire import limits
from pptpcap.wire.status import GreStatus

pytestmark = pytest.mark.slow

PLAIN = b"\x21" + IPV4
# Multilink, long numbers: the first fragment of number 1, and one that ends what number 2 began.
BEGINNING = b"\x3d" + struct.pack(">I", 0x80 << 24 | 1) + PLAIN[:9]


def client(call):
    return bytes((10, 1, call >> 8, call & 255))


def sent(call, payload, sequence, *, back=False, milliseconds=0):
    """A packet of one of the calls, all in one second; without a number it has no payload."""
    packet = gre(payload, 7, sequence) if sequence is not None else gre(b"", 7, None, 1)
    ends = (SERVER, client(call)) if back else (client(call), SERVER)
    return Record(gre_frame(packet, *ends), seconds=1_600_000_000, fraction=milliseconds * 1000)


def both_ways(packets, **caps):
    """What comes of them, which is the same whatever the batches."""
    capture = pcap(packets)
    inner = inner_of(capture, **caps)
    for batch_rows in (1, 2, 5):
        assert inner_of(capture, None, batch_rows, **caps) == inner
    return inner


# ---- calls at once


def test_calls_that_follow_one_another_need_one_session():
    packets = [sent(call, PLAIN, number) for call in range(5) for number in (1, 2)]
    assert both_ways(packets, sessions=1).counts == {"WRITTEN": 10}


def test_the_call_that_was_seen_last_stays():
    order = [1, 2, 1, 3, 1, 2, 3, 1]
    packets = [sent(call, PLAIN, number) for number, call in enumerate(order)]
    # The third call ends the second, of which one packet follows.
    assert both_ways(packets, sessions=2).counts == {"WRITTEN": 7, "FORGOTTEN": 1}
    assert both_ways(packets, sessions=3).counts == {"WRITTEN": 8}


def test_a_call_ends_with_its_last_packet_whatever_that_is():
    """An acknowledgment, or one that is malformed: then the next has its place."""
    acknowledged = [sent(1, PLAIN, 1), sent(1, b"", None), sent(2, PLAIN, 1), sent(2, PLAIN, 2)]
    assert both_ways(acknowledged, sessions=1).counts == {"WRITTEN": 3}
    broken = Record(gre_frame(gre(PLAIN, 7), client(1), SERVER), seconds=1_600_000_000, fraction=0)
    malformed = [sent(1, PLAIN, 1), broken, sent(2, PLAIN, 1), sent(2, PLAIN, 2)]
    assert both_ways(malformed, sessions=1).counts == {"WRITTEN": 3, "MALFORMED": 1}
    # The other side's last packet is behind it.
    longer = [sent(1, PLAIN, 1), sent(2, PLAIN, 1), sent(1, PLAIN, 1, back=True), sent(2, PLAIN, 2)]
    assert both_ways(longer, sessions=1).counts == {"WRITTEN": 3, "FORGOTTEN": 1}


def test_what_waits_of_a_call_that_is_forgotten_is_given_up():
    packets = [sent(1, numbered(1), 1), sent(1, numbered(3), 3), sent(2, numbered(9), 1), sent(1, numbered(2), 2)]
    packets += [sent(2, numbered(8), 2)]
    inner = both_ways(packets, sessions=1)
    assert inner.counts == {"WRITTEN": 4, "FORGOTTEN": 1}
    assert [int.from_bytes(octets[4:6], "big") for _, octets in inner.packets] == [1, 3, 9, 8]
    whole = both_ways(packets)
    assert [int.from_bytes(octets[4:6], "big") for _, octets in whole.packets] == [1, 3, 9, 2, 8]


def test_fragments_of_a_call_that_ends_or_is_forgotten():
    packets = [sent(1, BEGINNING, 1), sent(2, PLAIN, 1), sent(1, PLAIN, 2), sent(2, PLAIN, 2)]
    assert both_ways(packets, sessions=1).counts == {"INCOMPLETE": 1, "WRITTEN": 2, "FORGOTTEN": 1}
    assert both_ways(packets[:2]).counts == {"INCOMPLETE": 1, "WRITTEN": 1}


def test_logins_come_before_what_waits_behind_them_at_the_end_of_a_call():
    """What waits at the end is given up in the order of the capture, not side by side."""
    frames = [*deflated([numbered(1)])]
    # The server's packet 2 agrees to what it sends in packet 3; packet 1 never comes, so all wait to the end.
    packets = [sent(1, PLAIN, 0, back=True), sent(1, PLAIN, 0), sent(1, PLAIN, 9)]
    packets += [sent(1, ACK_DEFLATE, 2, back=True), sent(1, frames[0], 3, back=True)]
    assert both_ways(packets).counts == {"WRITTEN": 4, "CONTROL": 1}


# ---- octets


def deflated(frames) -> Iterator[bytes]:
    sender = zlib.compressobj(wbits=-15)
    for number, frame in enumerate(frames):
        octets = sender.compress(frame) + sender.flush(zlib.Z_SYNC_FLUSH)
        yield b"\xfd" + struct.pack(">H", number) + octets[:-4]


def fragments():
    yield b"\x3d" + struct.pack(">I", 0x80 << 24 | 1) + bytes(30_000)
    yield b"\x3d" + struct.pack(">I", 2) + bytes(30_000)


def headers():
    for number in range(100):
        yield b"\x2f" + uncompressed(segment(b"abcd"), number)


HISTORIES = {"Deflate": (ACK_DEFLATE, *deflated([numbered(1)])), "VJ": (*headers(),), "Multilink": (*fragments(),)}


@pytest.mark.parametrize("history", HISTORIES)
def test_histories_have_a_cap_together(history):
    """The call that was seen longest ago gives way, though it holds less than the other."""
    frames = HISTORIES[history]
    packets = [sent(1, PLAIN, 1), *(sent(2, frame, number) for number, frame in enumerate(frames))]
    packets += [sent(1, PLAIN, 2), sent(2, PLAIN, 999)]
    assert "FORGOTTEN" not in both_ways(packets).counts
    assert both_ways(packets, session_octets=70_000).counts.get("FORGOTTEN") is None
    counts = both_ways(packets, session_octets=20_000).counts
    # Both, since the first takes next to nothing.
    assert counts["FORGOTTEN"] >= 2


def test_a_history_that_is_gone_counts_no_more():
    packets = []
    for call in range(40):
        packets += [sent(call, frame, number) for number, frame in enumerate(fragments())]
    assert both_ways(packets, session_octets=61_000).counts == {"INCOMPLETE": 80}


def test_what_waits_has_a_cap():
    """Packets wait for one that is missing, until they are too many octets; then it is late."""
    data = b"\x21" + bytes.fromhex("45000400000100004 03b00000a0000010a000002".replace(" ", "")) + bytes(1004)
    numbers = [1, *range(3, 23), 2]
    packets = [sent(1, data, number) for number in numbers]
    assert both_ways(packets).counts == {"WRITTEN": 22}
    assert [octets for _, octets in both_ways(packets).packets] == [data[1:]] * 22
    history = [sent(1, b"\x2f" + uncompressed(segment(b"abcd"), 3), 0), *packets]
    history += [sent(1, b"\x2d\x0f" + segment(b"abcd")[36:38] + b"efgh", 23)]
    # A gap that was given up is a loss, behind which the last header is not to be trusted.
    assert both_ways(history, waiting_octets=10_000).counts["OUT_OF_STEP"] == 1


# ---- no call


def rows(*tunnels, status=0):
    """Rows of gre with a payload of one octet."""
    table = np.zeros(len(tunnels), schema.dtype("gre"))
    table["tunnel"], table["payload_length"], table["available"], table["status"] = tunnels, 1, 1, status
    table["packet"] = np.arange(len(tunnels)) + 1
    return table


def known(*calls):
    """Tunnels of these calls, one each, that end far behind."""
    table = np.zeros(len(calls), schema.dtype("tunnels"))
    table["call"], table["last_packet"] = calls, 1_000
    return table


@pytest.mark.parametrize("others", [True, False])
def test_packets_of_no_tunnel_and_of_tunnels_without_a_call(others):
    sorter = Sorter(Places(known(0, -1), 1), None, others=others)
    table = rows(-1, 0, 1, -1)
    assert [*sorter.take(table, np.zeros(4, np.uint8))] == []
    cut = rows(-1, status=GreStatus.HEADER_CUT.value)
    assert [*sorter.take(cut, np.zeros(1, np.uint8))] == []
    expected = {0: {Outcome.MALFORMED: 1}}
    if others:
        expected[-1] = {Outcome.CUT: 1, Outcome.NO_CALL: 3}
    assert sorter.counts == expected


def test_calls_that_are_not_wanted_are_passed_over():
    sorter = Sorter(Places(known(0, 1, 2), 3, [1]), None, others=False)
    assert [*sorter.take(rows(0, 1, 2, -1), np.zeros(4, np.uint8))] == []
    assert sorter.counts == {1: {Outcome.MALFORMED: 1}}


# ---- counts


def test_counts_are_a_mapping():
    counts = Counts(1_000)
    assert (len(counts), [*counts], counts.total()) == (0, [], {})
    counts.add(999, Outcome.CUT, 2)
    counts.add(0, Outcome.WRITTEN)
    counts.add(0, Outcome.CONTROL, 3)
    counts.add_rows(np.array([-1, -1, 0], np.int32), Outcome.MALFORMED)
    assert [*counts] == [-1, 0, 999]
    assert counts[0] == {Outcome.WRITTEN: 1, Outcome.CONTROL: 3, Outcome.MALFORMED: 1}
    assert [*counts[0]] == [Outcome.WRITTEN, Outcome.CONTROL, Outcome.MALFORMED]
    assert counts == {-1: {Outcome.MALFORMED: 2}, 0: counts[0], 999: {Outcome.CUT: 2}}
    assert counts.total() == {Outcome.WRITTEN: 1, Outcome.CONTROL: 3, Outcome.CUT: 2, Outcome.MALFORMED: 3}
    for missing in (1, 1_000, -2):
        assert missing not in counts
        with pytest.raises(KeyError):
            counts[missing]
    assert len(counts) == 3
    assert "3 calls" in repr(counts)
    again = pickle.loads(pickle.dumps(counts))
    again.add(0, Outcome.WRITTEN)
    assert (again[0][Outcome.WRITTEN], counts[0][Outcome.WRITTEN]) == (2, 1)


# ---- memory


def held(make, times=200):
    """Octets that one of them holds."""
    # Modules that it imports are not its own.
    make()
    gc.collect()
    tracemalloc.start()
    try:
        kept = [make() for _ in range(times)]
        octets = tracemalloc.get_traced_memory()[0] / times
        assert len(kept) == times
        return octets
    finally:
        tracemalloc.stop()


def session(*payloads):
    made = Session(None)
    for side in (0, 1):
        for number, octets in enumerate((PLAIN, *payloads)):
            made.take(side, made.order(side).add(Payload(0, 0, number, octets, 0)))
    return made


def test_octets_of_a_session_are_as_documented():
    """3 KiB, and what its histories are counted as; the latter is never less than they take."""
    # All the numbers that are remembered came.
    assert held(lambda: session(*[PLAIN] * 4_100), 5) < 3_072
    for frames in HISTORIES.values():
        made = session(*frames)
        assert made.octets > 0
        taken = held(lambda frames=frames: session(*frames), 20)
        assert taken < 3_072 + made.octets
    most = session(*fragments(), *headers(), *headers(), ACK_DEFLATE, *deflated([numbered(1)]))
    assert most.octets < 400 << 10


def test_octets_of_deflate_and_mppe():
    def inflating():
        one = Deflate(bytes.fromhex("7800"))
        (frame,) = deflated([bytes(60_000)])
        assert one.decompress(frame[1:]) == bytes(60_000)
        return one

    assert held(inflating, 20) < Deflate.OCTETS

    def leaping():
        one = Mppe([KeyChain(bytes(16), 128)], stateless=True, sequence=0)
        for count in range(70, 4_000, 70):
            assert one.decrypt(0x9000 | count, b"abcd", 0, count + 1, lambda *_: 2, late=False) is not None
        return one

    assert held(leaping, 5) < Mppe.OCTETS


def test_octets_of_logins():
    """Eight are remembered, with names of a length that somebody may have."""
    login = Login(None)
    for number in range(20):
        login.read(0, 2, bytes((49,)) + bytes((number,) * 49) + b"n" * 1_024)
    assert login.octets == 8 * (512 + 1_024)
    assert held(lambda: [bytes(1_024), bytes(49)], 20) < 512 + 1_024
    login.read(0, 2, bytes((49,)) + bytes(49) + b"n" * 1_025)
    assert login.octets == 8 * (512 + 1_024)
    fresh = Login(None)
    fresh.read(1, 2, bytes((49,)) + bytes(49) + b"n" * 60_000)
    assert fresh.octets == 0


def test_calls_of_one_packet_take_no_more_than_their_counts():
    """20,000 of them; each was 5 kB, to the end."""
    count = 20_000
    table = np.zeros(count, schema.dtype("gre"))
    table["tunnel"], table["packet"] = np.arange(count), np.arange(count) + 1
    table["payload_length"] = table["available"] = len(PLAIN)
    tunnels = known(*range(count))
    tunnels["last_packet"] = table["packet"]
    octets = np.frombuffer(PLAIN * 1_000, np.uint8)
    gc.collect()
    tracemalloc.start()
    try:
        sorter = Sorter(Places(tunnels, count), None, others=True)
        written = 0
        for start in range(0, count, 1_000):
            for _ in sorter.take(table[start : start + 1_000], octets):
                written += 1
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written == count == len(sorter.counts)
    assert most < 8 << 20


def test_the_caps_are_as_documented():
    assert (limits.SESSIONS, limits.SESSION_OCTETS, limits.WAITING_OCTETS) == (4_096, 64 << 20, 16 << 20)

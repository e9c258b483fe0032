"""Every cap on the state of connections, reached with small limits: told, in order, and nothing else is harmed.

Packets 1 to 3 of a conversation are its handshake.
"""

from __future__ import annotations

from builder import Conversation, Record, echo, pcap
from helpers import column, drive, identifiers, issues, kinds, statuses
from vectors import CONTROL_HEX

from pptpcap.wire.limits import Limits

SCCRQ = CONTROL_HEX[1]
OPEN, EVICTED = 0, 4


def talks(count: int) -> list[Conversation]:
    return [Conversation(port=40000 + number) for number in range(count)]


def in_turn(*conversations: Conversation) -> list[bytes | Record]:
    """All packets of the first conversation, then all of the next."""
    return [packet for conversation in conversations for packet in conversation.packets]


def test_defaults_are_those_of_the_design():
    """Caps are part of what a capture decodes to."""
    assert Limits() == Limits(
        captured_length=262_144,
        link_headers=8,
        network_headers=4,
        extension_headers=16,
        datagrams=1_024,
        datagram_length=65_535,
        fragments=1_024,
        remembered_octets=4_194_304,
        connections=1_048_576,
        connection_rows=1_048_576,
        tunnels=2_097_152,
        calls=1_048_576,
        pieces=128,
        waiting_octets=65_536,
        history=4_096,
        held_octets=33_554_432,
    )


# ---- behind a hole


def test_pieces(engine):
    """The third piece behind the hole is one too many; all three are let go: no other hole stands in front."""
    talk = Conversation().handshake().client(0, echo(1))
    for position in (32, 48, 64, 80):
        talk.client(position, echo(position))
    got = drive(talk.pcap(), engine, limits=Limits(pieces=2))
    assert identifiers(got) == [1, 32, 48, 64, 80]
    assert column(got, "messages", "packet") == [4, 5, 6, 7, 8]
    assert statuses(got) == [set(), {"AFTER_GAP"}, set(), set(), set()]
    assert issues(got) == [(7, "TCP", "WAITING_LIMIT", 2, 3), (7, "TCP", "GAP", 16, 0)]
    assert column(got, "issues", "connection") == [0, 0]


def test_pieces_behind_several_holes(engine):
    """Only the lowest hole gives way; the others may still be filled."""
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(32)).client(64, echo(64)).client(96, echo(96))
    talk.client(48, echo(48)).client(80, echo(80))
    got = drive(talk.pcap(), engine, limits=Limits(pieces=2))
    assert identifiers(got) == [1, 32, 48, 64, 80, 96]
    assert issues(got) == [(7, "TCP", "WAITING_LIMIT", 2, 3), (7, "TCP", "GAP", 16, 0)]


def test_as_many_pieces_as_may_wait(engine):
    """128 of them, in reverse; then the hole in front of all is filled, or one piece more is one too many."""
    talk = Conversation().handshake()
    for number in range(129, 1, -1):
        talk.client(16 * number, echo(number))
    whole = drive(pcap([*talk.packets, *Conversation().client(0, echo(0) + echo(1)).packets]), engine)
    assert identifiers(whole) == list(range(130))
    assert issues(whole) == []
    broken = drive(pcap([*talk.packets, *Conversation().client(16, echo(1)).packets]), engine)
    assert identifiers(broken) == list(range(1, 130))
    assert issues(broken) == [(132, "TCP", "WAITING_LIMIT", 128, 129), (132, "TCP", "GAP", 16, 0)]


def test_waiting_octets(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(32, echo(32)).client(64, echo(64)).client(96, echo(96))
    got = drive(talk.client(48, echo(48)).pcap(), engine, limits=Limits(waiting_octets=40))
    assert identifiers(got) == [1, 32, 48, 64, 96]
    assert issues(got) == [
        (7, "TCP", "WAITING_LIMIT", 40, 48),
        (7, "TCP", "GAP", 16, 0),
        (8, "TCP", "GAP", 16, 0),
    ]


def test_waiting_octets_as_on_the_wire(engine):
    """156 octets of which 20 were captured wait as 156."""
    talk = Conversation().handshake().client(16, SCCRQ, snap=20)
    got = drive(talk.pcap(), engine, limits=Limits(waiting_octets=155))
    assert issues(got) == [(4, "TCP", "WAITING_LIMIT", 155, 156), (4, "TCP", "GAP", 16, 0)]
    got = drive(talk.client(0, echo(1)).pcap(), engine, limits=Limits(waiting_octets=156))
    assert issues(got) == []
    assert column(got, "messages", "available") == [16, 20]


def test_pieces_are_tried_first(engine):
    talk = Conversation().handshake().client(16, echo(1)).client(48, echo(2)).client(0, echo(0))
    got = drive(talk.pcap(), engine, limits=Limits(pieces=1, waiting_octets=31))
    assert issues(got)[0] == (5, "TCP", "WAITING_LIMIT", 1, 2)


def test_one_segment_over_several_caps(engine):
    """While too much waits, holes give way one after the other."""
    talk = Conversation().handshake().client(16, echo(1)).client(48, echo(3)).client(80, echo(5))
    got = drive(talk.pcap(), engine, limits=Limits(pieces=0))
    assert issues(got) == [
        (packet, "TCP", kind, *numbers)
        for packet in (4, 5, 6)
        for kind, numbers in (("WAITING_LIMIT", (0, 1)), ("GAP", (16, 0)))
    ]
    talk = Conversation().handshake().client(16, echo(1)).client(48, echo(3)).client(80, SCCRQ)
    got = drive(talk.pcap(), engine, limits=Limits(waiting_octets=100))
    assert issues(got) == [
        (6, "TCP", "WAITING_LIMIT", 100, 188),
        (6, "TCP", "GAP", 16, 0),
        (6, "TCP", "WAITING_LIMIT", 100, 172),
        (6, "TCP", "GAP", 16, 0),
        (6, "TCP", "WAITING_LIMIT", 100, 156),
        (6, "TCP", "GAP", 16, 0),
    ]


# ---- history


def test_history(engine):
    """Only the last delivered octets are compared: 8 of 32 here, one of which differs."""
    octets = echo(1) + echo(2)
    other = bytearray(octets)
    other[3] ^= 1
    other[23] ^= 1
    other[24] ^= 1
    talk = Conversation().handshake().client(0, octets).client(0, bytes(other))
    got = drive(talk.pcap(), engine, limits=Limits(history=8))
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 8, 1)]
    got = drive(talk.pcap(), engine, limits=Limits(history=9))
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 9, 2)]
    got = drive(talk.pcap(), engine)
    assert issues(got) == [(5, "TCP", "OVERLAP_CONFLICT", 32, 3)]
    got = drive(talk.pcap(), engine, limits=Limits(history=0))
    assert issues(got) == []
    assert column(got, "connections", "initiator_retransmitted") == [1]
    assert column(got, "connections", "initiator_conflicts") == [0]


def test_history_across_segments(engine):
    talk = Conversation().handshake()
    for position in range(0, 160, 16):
        talk.client(position, echo(position))
    talk.client(0, bytes(160))
    got = drive(talk.pcap(), engine, limits=Limits(history=40))
    assert [issue[:4] for issue in issues(got)] == [(14, "TCP", "OVERLAP_CONFLICT", 40)]


def test_history_ends_where_octets_were_not_captured(engine):
    """Behind the cut message 16 octets were delivered; what stands in front of the cut is out of reach."""
    other = bytearray(SCCRQ + echo(2))
    other[20] ^= 1
    other[-1] ^= 1
    talk = Conversation().handshake().client(0, SCCRQ, snap=60).client(156, echo(2)).client(0, bytes(other))
    got = drive(talk.pcap(), engine)
    assert issues(got) == [(6, "TCP", "OVERLAP_CONFLICT", 16, 1)]


# ---- connections


def test_connections(engine):
    """The one seen least recently gives way, whole: what it held is cut, and it says so."""
    a, b, c = talks(3)
    a.handshake().client(0, SCCRQ[:50])
    b.handshake()
    packets = in_turn(a, b)
    packets += Conversation(port=40000).client(50, SCCRQ[50:60]).packets  # a again: b is older now
    packets += c.handshake().packets
    packets += Conversation(port=40000).client(60, SCCRQ[60:]).packets
    got = drive(pcap(packets), engine, limits=Limits(connections=2))
    assert issues(got) == [(9, "TCP", "EVICTED", 2, 3)]
    assert column(got, "issues", "connection") == [1]
    assert column(got, "connections", "end") == [OPEN, EVICTED, OPEN]
    assert column(got, "messages", "connection") == [0]
    assert statuses(got) == [set()]


def test_evicted_connection_lets_go_of_what_it_held(engine):
    a, b = talks(2)
    a.handshake().client(0, SCCRQ[:50]).client(60, SCCRQ[60:] + echo(2)).server(0, echo(9)[:13])
    packets = in_turn(a, b.handshake())
    packets += Conversation(port=40000).client(172, echo(3)).packets
    got = drive(pcap(packets), engine, limits=Limits(connections=1))
    assert issues(got) == [
        (7, "TCP", "EVICTED", 1, 2),
        (7, "CONTROL", "MESSAGE_CUT", 156, 50),
        (7, "TCP", "GAP", 10, 0),
        (7, "CONTROL", "MESSAGE_CUT", 16, 13),
        (10, "TCP", "EVICTED", 1, 2),
    ]
    assert column(got, "issues", "connection") == [0, 0, 0, 0, 1]
    assert column(got, "connections", "end") == [EVICTED, EVICTED, OPEN]
    assert column(got, "connections", "midstream") == [False, False, True]
    assert column(got, "messages", "connection") == [0, 0, 0, 2]
    assert statuses(got) == [{"CUT"}, {"AFTER_GAP"}, {"CUT"}, {"MIDSTREAM"}]


def test_evicted_connection_that_had_ended(engine):
    a, b = talks(2)
    got = drive(pcap(in_turn(a.handshake().client(0, flags="FA"), b.handshake())), engine, limits=Limits(connections=1))
    assert column(got, "connections", "end") == [1, OPEN]
    assert kinds(got) == ["EVICTED"]


def test_another_connection_on_the_same_endpoints_takes_the_same_place(engine):
    """The old instance is ended, not evicted."""
    packets = Conversation().handshake().packets + Conversation(isn=(7, 8)).handshake().packets
    got = drive(pcap(packets), engine, limits=Limits(connections=1))
    assert issues(got) == []
    assert column(got, "connections", "end") == [3, OPEN]


def test_ten_thousand_connections(engine):
    """One SYN each; the cap holds two. Every one has its row."""
    count = 10_000
    packets = [
        Conversation(port=1 + n % 60000, client=bytes([10, 1, 0, n // 60000])).client(-1, flags="S").packets[0]
        for n in range(count)
    ]
    got = drive(pcap(packets), engine, limits=Limits(connections=2))
    assert len(got["connections"]) == count
    assert column(got, "issues", "connection") == list(range(count - 2))
    assert column(got, "issues", "packet") == list(range(3, count + 1))


# ---- octets held for all


def test_held_octets(engine):
    """16 of history, then pieces of 10 + 64, 20 + 64, 30 + 64: above 200, two are emptied."""
    a, b, c, d = talks(4)
    packets = in_turn(
        a.handshake().client(0, echo(1)),
        b.handshake().client(0, SCCRQ[:10]),
        c.handshake().client(0, SCCRQ[:20]),
        d.handshake().client(0, SCCRQ[:30]),
    )
    packets += Conversation(port=40001).client(10, SCCRQ[10:16] + echo(2)).packets
    packets += Conversation(port=40002).client(20, SCCRQ[20:]).packets
    got = drive(pcap(packets), engine, limits=Limits(held_octets=200))
    assert issues(got)[:2] == [(16, "CONTROL", "HEADER_CUT", 12, 10), (16, "TCP", "EVICTED", 200, 252)]
    assert column(got, "issues", "connection")[:2] == [1, 1]
    # emptied, not ended: a header is looked for in what comes next
    assert identifiers(got) == [1, 2]
    assert issues(got)[2] == (17, "CONTROL", "SKIPPED", 0, 6)
    assert column(got, "connections", "end") == [OPEN] * 4
    by_connection = dict(zip(column(got, "messages", "connection"), statuses(got), strict=False))
    assert by_connection[1] == {"RESYNCHRONISED"}
    assert by_connection[2] == set()


def test_direction_with_history_alone_gives_way_in_silence(engine):
    """What it lost is the comparison with a later copy."""
    a, b = talks(2)
    packets = in_turn(a.handshake().client(0, echo(1)), b.handshake().client(0, SCCRQ[:36]))
    packets += Conversation(port=40000).client(0, echo(2)).packets
    got = drive(pcap(packets), engine, limits=Limits(held_octets=100))
    assert [kind for kind in kinds(got) if kind != "MESSAGE_CUT"] == []
    got = drive(pcap(packets), engine, limits=Limits(held_octets=116))
    assert kinds(got)[0] == "OVERLAP_CONFLICT"


def test_direction_of_the_segment_is_the_last_to_give_way(engine):
    talk = Conversation().handshake().client(0, SCCRQ[:50]).client(50, SCCRQ[50:] + echo(1))
    got = drive(talk.pcap(), engine, limits=Limits(held_octets=113))
    assert issues(got) == [
        (4, "CONTROL", "MESSAGE_CUT", 156, 50),
        (4, "TCP", "EVICTED", 113, 114),
        (5, "CONTROL", "SKIPPED", 0, 106),
    ]
    assert statuses(got) == [{"CUT"}, {"RESYNCHRONISED"}]
    got = drive(talk.pcap(), engine, limits=Limits(held_octets=114))
    assert statuses(got) == [set(), set()]
    assert issues(got) == []


def test_held_octets_are_those_captured(engine):
    talk = Conversation().handshake().client(0, SCCRQ[:100], snap=30)
    for cap, told in ((93, ["EVICTED"]), (94, [])):
        got = drive(talk.pcap(), engine, limits=Limits(held_octets=cap))
        assert [kind for kind in kinds(got) if kind == "EVICTED"] == told


def test_emptying_declares_holes_lost(engine):
    talk = Conversation().handshake().client(16, echo(1)).client(48, echo(3))
    got = drive(talk.pcap(), engine, limits=Limits(held_octets=100))
    assert issues(got) == [(5, "TCP", "GAP", 16, 0), (5, "TCP", "GAP", 16, 0), (5, "TCP", "EVICTED", 100, 160)]
    assert identifiers(got) == [1, 3]


# ---- shapes made to be slow


def test_octets_in_reverse(engine):
    """Twenty thousand segments of one octet: 129 wait, then all in front of them is given up, and the rest is old."""
    talk = Conversation().handshake()
    for position in range(20_000, 0, -1):
        talk.client(position, b"x")
    got = drive(talk.pcap(), engine)
    assert issues(got) == [
        (132, "TCP", "WAITING_LIMIT", 128, 129),
        (132, "TCP", "GAP", 19_872, 0),
        (20_003, "CONTROL", "SKIPPED", 0, 129),
    ]
    assert column(got, "connections", "initiator_retransmitted") == [20_000 - 129]
    assert column(got, "connections", "initiator_octets") == [129]


def test_segments_that_overlap_all_others(engine):
    talk = Conversation().handshake()
    for number in range(2_000):
        talk.client(1 + number % 97, b"x" * 1000)
    got = drive(talk.pcap(), engine)
    assert issues(got) == [(2_003, "TCP", "GAP", 1, 0), (2_003, "CONTROL", "SKIPPED", 0, 1096)]
    assert column(got, "connections", "initiator_octets") == [1096]
    assert column(got, "connections", "initiator_retransmitted") == [2_000 - 97]
    assert column(got, "connections", "initiator_conflicts") == [0]

"""The TCP oracle: against answers typed by hand, and then the engines against the oracle."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pytest
from helpers import ENGINES
from oracles import run
from oracles.inputs import ACK, CLIENT, FIN, RST, SERVER, SYN, Packet, capture, input_of
from oracles.run import caps_of, difference
from oracles.tcp import AFTER_CLOSE, AFTER_GAP, BAD_CHECKSUM, CONFLICT, CUT, MIDSTREAM, RESYNCHRONISED, Caps, Oracle
from places import TESTS

from pptpcap.wire.limits import Limits

pytestmark = pytest.mark.slow

INPUTS, GROUPS = 1_500, 10
# Echo-Requests with the identifiers 1, 2 and 3.
ONE = bytes.fromhex("001000011a2b3c4d 00050000 00000001")
TWO = bytes.fromhex("001000011a2b3c4d 00050000 00000002")
THREE = bytes.fromhex("001000011a2b3c4d 00050000 00000003")
C, S = (CLIENT, 40000), (SERVER, 1723)


def client(sequence: int, data: bytes = b"", flags: int = ACK, acknowledgment: int = 5001, **more) -> Packet:
    return Packet(C, S, sequence, acknowledgment, flags, data, **more)


def server(acknowledgment: int, flags: int = ACK, sequence: int = 5001, data: bytes = b"") -> Packet:
    return Packet(S, C, sequence, acknowledgment, flags, data)


# The client's first octet has number 1000.
OPEN = [client(999, flags=SYN, acknowledgment=0), server(1000, SYN | ACK, 5000)]

# Packets behind the two of OPEN; (packet, octets, status) of each message; (packet, kind, needed, had) of each issue; counters
# of the client that are not 0, without those of segments and messages.
CASES = {
    "whole messages": (
        [client(1000, ONE + TWO)],
        [(3, ONE, 0), (3, TWO, 0)],
        [],
        {"octets": 32},
    ),
    "octet by octet": (
        [client(1000 + n, ONE[n : n + 1]) for n in range(16)],
        [(18, ONE, 0)],
        [],
        {"octets": 16},
    ),
    "out of order": (
        [client(1016, TWO), client(1000, ONE)],
        [(4, ONE, 0), (4, TWO, 0)],
        [],
        {"octets": 32, "out_of_order": 1},
    ),
    "retransmitted": (
        [client(1000, ONE), client(1000, ONE)],
        [(3, ONE, 0)],
        [],
        {"octets": 16, "retransmitted": 1},
    ),
    "retransmitted with another octet": (
        [client(1000, ONE), client(1000, TWO)],
        [(3, ONE, 0)],
        [(4, "OVERLAP_CONFLICT", 16, 1)],
        {"octets": 16, "retransmitted": 1, "conflicts": 1},
    ),
    "a waiting copy stays": (
        [client(1016, TWO), client(1016, THREE), client(1000, ONE)],
        [(5, ONE, 0), (5, TWO, CONFLICT)],
        [(4, "OVERLAP_CONFLICT", 16, 1)],
        {"octets": 32, "retransmitted": 1, "conflicts": 1, "out_of_order": 1},
    ),
    "a copy that verifies replaces one that does not": (
        [client(1016, TWO, spoil=1), client(1016, THREE), client(1000, ONE)],
        [(5, ONE, 0), (5, THREE, CONFLICT)],
        [(3, "BAD_CHECKSUM", 0x6AB5, 0x6AB4), (4, "OVERLAP_CONFLICT", 16, 1)],
        {"octets": 32, "retransmitted": 1, "conflicts": 1, "out_of_order": 1},
    ),
    "what replaces a piece is a piece by itself": (
        # The second segment replaces the first, which is not captured, and brings TWO; the third contradicts TWO alone.
        [client(1016, TWO, snap=54), client(1016, TWO + ONE), client(1032, THREE), client(1000, ONE)],
        [(6, ONE, 0), (6, TWO, 0), (6, ONE, CONFLICT)],
        [(5, "OVERLAP_CONFLICT", 16, 1)],
        {"octets": 48, "retransmitted": 1, "conflicts": 1, "out_of_order": 1},
    ),
    "an acknowledged hole is lost": (
        [client(1016, TWO), server(1032)],
        [(3, TWO, AFTER_GAP)],
        [(4, "GAP", 16, 0)],
        {"octets": 16, "gaps": 1, "gap_octets": 16},
    ),
    "a hole that is not acknowledged to its end waits": (
        [client(1016, TWO), server(1015), client(1000, ONE)],
        [(5, ONE, 0), (5, TWO, 0)],
        [],
        {"octets": 32, "out_of_order": 1},
    ),
    "a message with a hole inside, and the next at its place": (
        [client(1000, ONE[:13]), client(1015, ONE[15:] + TWO), server(1032)],
        [(3, ONE[:13], CUT), (4, TWO, AFTER_GAP)],
        [(5, "MESSAGE_CUT", 16, 13), (5, "GAP", 2, 0)],
        {"octets": 30, "gaps": 1, "gap_octets": 2},
    ),
    "a header that is lost": (
        [client(1000, ONE[:5]), client(1008, ONE[8:] + TWO), server(1032)],
        [(4, TWO, AFTER_GAP)],
        [(5, "HEADER_CUT", 12, 5), (5, "GAP", 3, 0), (5, "SKIPPED", 0, 8)],
        {"octets": 29, "gaps": 1, "gap_octets": 3},
    ),
    "junk between messages": (
        [client(1000, bytes([0, 13]) + b"x" * 9 + ONE)],
        [(3, ONE, RESYNCHRONISED)],
        [(3, "WRONG_COOKIE", 0x1A2B3C4D, 0x78787878), (3, "SKIPPED", 0, 11)],
        {"octets": 27},
    ),
    "a length that no message has": (
        [client(1000, bytes.fromhex("0401") + ONE[2:] + TWO)],
        [(3, TWO, RESYNCHRONISED)],
        [(3, "BAD_LENGTH", 1024, 1025), (3, "SKIPPED", 0, 16)],
        {"octets": 32},
    ),
    "the end of the capture inside a message": (
        [client(1000, ONE[:14])],
        [(3, ONE[:14], CUT)],
        [(3, "MESSAGE_CUT", 16, 14)],
        {"octets": 14},
    ),
    "octets that are not captured": (
        [client(1000, ONE, snap=54 + 14), client(1016, TWO)],
        [(3, ONE[:14], CUT), (4, TWO, 0)],
        [],
        {"octets": 32},
    ),
    "a header of which eight octets are captured": (
        [client(1000, ONE, snap=54 + 9), client(1016, TWO)],
        [(4, TWO, 0)],
        [(3, "HEADER_CUT", 12, 9)],
        {"octets": 32},
    ),
    "a keep-alive": (
        [client(1000, ONE), client(1015, b"\0"), client(1016, TWO)],
        [(3, ONE, 0), (5, TWO, 0)],
        [],
        {"octets": 32},
    ),
    "far out of the window": (
        [client(1000 + 2**30, ONE), client(1000, TWO)],
        [(4, TWO, 0)],
        [(3, "OUT_OF_WINDOW", 2**30, 2**30)],
        {"octets": 16},
    ),
    "a bad checksum": (
        [client(1000, ONE, spoil=1)],
        [(3, ONE, BAD_CHECKSUM)],
        [(3, "BAD_CHECKSUM", 0x6AC6, 0x6AC7)],
        {"octets": 16},
    ),
    "behind a FIN": (
        [client(1000, ONE), client(1016, flags=FIN), client(1016, TWO)],
        [(3, ONE, 0), (5, TWO, AFTER_CLOSE)],
        [],
        {"octets": 32},
    ),
    "a reset loses the holes": (
        [client(1016, TWO), client(1032, flags=RST)],
        [(3, TWO, AFTER_GAP)],
        [(4, "GAP", 16, 0)],
        {"octets": 16, "gaps": 1, "gap_octets": 16},
    ),
    "a reset from far away": (
        [client(1000, ONE), client(1016 + 2**20, flags=RST), client(1016, TWO)],
        [(3, ONE, 0), (5, TWO, 0)],
        [(4, "RESET_IGNORED", 2**20, 2**20)],
        {"octets": 32},
    ),
}


def plain(oracle: Oracle) -> tuple[list[Any], list[Any], dict[str, int]]:
    messages = [(found["packet"], found["octets"], found["status"]) for found in oracle.messages]
    issues = [(packet, kind, needed, had) for packet, _, _, kind, needed, had in oracle.issues]
    counts = oracle.instances[0].sides[0].counts
    without = ("segments", "data_segments", "messages")
    return messages, issues, {name: count for name, count in counts.items() if count and name not in without}


@pytest.mark.parametrize("name", CASES)
def test_answers_typed_by_hand(name):
    packets, messages, issues, counts = CASES[name]
    data = capture(OPEN + packets)
    assert plain(Oracle().read(data)) == (messages, issues, counts)
    assert difference(data, ENGINES, {}) is None


@pytest.mark.parametrize("name", CASES)
def test_numbers_that_wrap(name):
    """The same answers where the client's numbers pass 2^32, but for what checksums are."""
    packets, messages, issues, counts = CASES[name]
    moved = []
    for packet in OPEN + packets:
        if packet.source == C:
            moved.append(replace(packet, sequence=packet.sequence - 1007))
        else:
            moved.append(replace(packet, acknowledgment=packet.acknowledgment - 1007))
    data = capture(moved)
    found = plain(Oracle().read(data))
    assert (found[0], found[2]) == (messages, counts)
    assert [issue[:2] for issue in found[1]] == [issue[:2] for issue in issues]
    assert difference(data, ENGINES, {}) is None


def instances(packets: list[Packet], **caps: int) -> list[tuple[Any, ...]]:
    oracle = Oracle(Caps(**caps)).read(capture(packets))
    assert difference(capture(packets), ENGINES, caps) is None
    return [(each.first, each.last, each.end, each.end_packet, each.syn) for each in oracle.instances]


def test_endpoints_that_are_used_again():
    again = [replace(packet, sequence=packet.sequence + 70_000) for packet in OPEN]
    again[1] = replace(again[1], acknowledgment=71_000)
    assert instances([*OPEN, client(1000, ONE), *again]) == [(1, 3, 3, 4, True), (4, 5, 0, 0, True)]
    assert instances([*OPEN, client(1000, flags=FIN), *again]) == [(1, 3, 1, 3, True), (4, 5, 0, 0, True)]


def test_a_capture_that_begins_in_the_middle():
    packets = [client(1000, TWO[5:] + ONE), server(1027)]
    assert instances(packets) == [(1, 2, 0, 0, False)]
    assert plain(Oracle().read(capture(packets)))[:2] == ([(1, ONE, MIDSTREAM)], [(1, "SKIPPED", 0, 11)])


def test_a_fin_without_a_position_gives_none():
    """The first FIN comes when no number is known; the second one's position is that of the stream's second message."""
    packets = [client(1016, flags=FIN), *OPEN, client(1016, flags=FIN), client(1000, ONE), client(1016, TWO)]
    assert plain(Oracle().read(capture(packets)))[0] == [(5, ONE, 0), (6, TWO, AFTER_CLOSE)]
    assert difference(capture(packets), ENGINES, {}) is None


def test_caps():
    others = [replace(OPEN[0], source=(CLIENT, 40001 + n)) for n in range(2)]
    assert instances([*OPEN, *others], connections=2)[0] == (1, 2, 4, 4, True)
    holes = [client(1016 + 32 * n, ONE) for n in range(3)]
    found = plain(Oracle(Caps(pieces=2)).read(capture(OPEN + holes)))
    assert found[1][:2] == [(5, "WAITING_LIMIT", 2, 3), (5, "GAP", 16, 0)]
    found = plain(Oracle(Caps(waiting_octets=40)).read(capture(OPEN + holes)))
    assert found[1][:2] == [(5, "WAITING_LIMIT", 40, 48), (5, "GAP", 16, 0)]
    # Two pieces of 16 octets and 64 for each.
    found = plain(Oracle(Caps(held_octets=159)).read(capture(OPEN + holes[:2])))
    assert [issue[:2] for issue in found[1]] == [(4, "GAP"), (4, "GAP"), (4, "EVICTED")]
    assert found[1][2][2:] == (159, 160)


@pytest.mark.parametrize("group", range(GROUPS))
def test_numbered_inputs(group):
    for number in range(group, INPUTS, GROUPS):
        fault = difference(input_of(1, number), ENGINES, caps_of(number))
        assert fault is None, (number, fault)


def test_inputs_reach_what_the_oracle_tells():
    kinds: set[str] = set()
    statuses = ends = types = 0
    for number in range(200):
        oracle = Oracle(Caps(**caps_of(number))).read(input_of(1, number))
        kinds |= {issue[3] for issue in oracle.issues}
        for found in oracle.messages:
            statuses |= found["status"]
            types |= 1 << min(found["header"][3], 16)
        for instance in oracle.instances:
            ends |= 1 << instance.end
    assert kinds >= {"GAP", "OVERLAP_CONFLICT", "OUT_OF_WINDOW", "RESET_IGNORED", "EVICTED", "WAITING_LIMIT"}
    assert kinds >= {"BAD_CHECKSUM", "MESSAGE_CUT", "SKIPPED", "HEADER_CUT", "MALFORMED", "ENTITY_LIMIT"}
    assert (statuses, ends, types) == (0x1FFF, 0x1F, 0x1FFFF)


@pytest.mark.parametrize("module", ["inputs", "messages", "segments", "tcp"])
def test_the_oracle_shares_nothing_with_the_engines(module):
    tree = ast.parse((TESTS / "oracles" / f"{module}.py").read_text(encoding="utf-8"))
    imported = {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {
        each.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names
    }
    assert imported <= {"__future__", "dataclasses", "oracles", "random", "struct", "typing"}


def test_an_input_is_the_same_everywhere():
    assert input_of(1, 2) == input_of(1, 2) != input_of(1, 3)


def test_a_difference_is_told(monkeypatch):
    """An engine with other caps than the oracle gives other rows."""
    monkeypatch.setattr(run, "Limits", lambda **_: Limits())
    assert any(run.work(number, 1) for number in range(0, 80, 8))


def test_differences_are_kept(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "watch", lambda *_, **__: iter([(3, "an octet differs")]))
    assert run.main(["--count", "20"]) == 1
    assert (tmp_path / "build/oracle/tcp-1-3.pcap").read_bytes() == input_of(1, 3)
    assert "an octet differs" in capsys.readouterr().out

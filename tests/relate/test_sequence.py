"""Numbers of a tunnel: what was lost, came twice, came late, how long acknowledgments take, and what was in it: decoding 10.3."""

from __future__ import annotations

import pytest
from builder import TIME_STEP, Record, gre, gre_frame, pcap
from call_builder import INNER, Session, outgoing_reply, outgoing_request
from helpers import EngineName, decode
from related import all_tunnels, holds, only_call

FIGURES = ("packets", "lost", "duplicated", "reordered", "first_sequence", "last_sequence")
MOST = 0xFFFFFFFF

# Numbers in the order in which they came; packets, lost, duplicated, reordered, first, last.
NUMBERS = {
    "one": ([5], (1, 0, 0, 0, 5, 5)),
    "from 0": ([0, 1, 2], (3, 0, 0, 0, 0, 2)),
    "from 1": ([1, 2, 3], (3, 0, 0, 0, 1, 3)),
    "one lost": ([1, 3], (2, 1, 0, 0, 1, 3)),
    "many lost": ([1, 1001], (2, 999, 0, 0, 1, 1001)),
    "late": ([1, 3, 2], (3, 0, 0, 1, 1, 3)),
    "twice": ([1, 1], (2, 0, 1, 0, 1, 1)),
    "twice, late": ([1, 3, 3, 2, 2], (5, 0, 2, 1, 1, 3)),
    "three times": ([7, 7, 7, 8], (4, 0, 2, 0, 7, 8)),
    "backwards": ([1, 5, 4, 3, 2], (5, 0, 0, 3, 1, 5)),
    "late, beside what came": ([1, 5, 3, 4], (4, 1, 0, 2, 1, 5)),
    "some twice, of several ranges": ([0, 2, 4, 5, 2, 5], (6, 2, 2, 0, 0, 5)),
    "some never": ([1, 9, 4, 6], (4, 5, 0, 2, 1, 9)),
    "round": ([0xFFFFFFFE, MOST, 0, 1], (4, 0, 0, 0, 0xFFFFFFFE, 1)),
    "lost as it goes round": ([MOST, 1], (2, 1, 0, 0, MOST, 1)),
    "late as it goes round": ([MOST, 1, 0], (3, 0, 0, 1, MOST, 1)),
    "late, from before it went round": ([0xFFFFFFFD, MOST, 1, 0xFFFFFFFE, 0], (5, 0, 0, 2, 0xFFFFFFFD, 1)),
    "twice as it goes round": ([MOST, 0, MOST, 0], (4, 0, 2, 0, MOST, 0)),
    "below the first": ([10, 9, 11], (3, 0, 0, 1, 10, 11)),
    "below the first twice": ([10, 9, 9], (3, 0, 1, 1, 10, 10)),
    "below the first, one lost above": ([10, 8, 12, 9], (4, 1, 0, 2, 10, 12)),
    "below the first as it goes round": ([0, MOST, 1], (3, 0, 0, 1, 0, 1)),
    "as far ahead as there is": ([0, 0x7FFFFFFF], (2, 0x7FFFFFFE, 0, 0, 0, 0x7FFFFFFF)),
    "one further is behind": ([0, 0x80000000], (2, 0, 0, 1, 0, 0)),
    "farther than 32 bits": ([0, 0x7FFFFFFF, 0xFFFFFFFE, 0x7FFFFFFD], (4, 0x17FFFFFFA, 0, 0, 0, 0x7FFFFFFD)),
}


def sent(*numbers: int, engine: EngineName):
    talk = Session(begins=False)
    for number in numbers:
        talk.client_sends(0x22, number)
    return decode(talk.pcap(), engine)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(engine, name):
    numbers, expected = NUMBERS[name]
    got = sent(*numbers, engine=engine)
    assert all_tunnels(got, *FIGURES) == [expected]
    assert tuple(got["calls"][0][f"pns_{name}"] for name in FIGURES) == expected


def test_64_ranges_are_told_apart(engine):
    """Even numbers from 0 to 126, then 1: it was missing."""
    got = sent(*range(0, 127, 2), 1, engine=engine)
    assert all_tunnels(got, *FIGURES) == [(65, 62, 0, 1, 0, 126)]


def test_of_65_ranges_the_two_lowest_become_one(engine):
    """Even numbers from 0 to 128: 1 counts as having come, and stays lost; 3 was missing."""
    got = sent(*range(0, 129, 2), 1, engine=engine)
    assert all_tunnels(got, *FIGURES) == [(66, 64, 1, 0, 0, 128)]
    got = sent(*range(0, 129, 2), 3, engine=engine)
    assert all_tunnels(got, *FIGURES) == [(66, 63, 0, 1, 0, 128)]


def test_a_lowest_range_of_its_own_is_merged_too(engine):
    """64 ranges from 100 to 226 and then 90, below the first: 95 counts as having come."""
    got = sent(*range(100, 227, 2), 90, 95, engine=engine)
    assert all_tunnels(got, *FIGURES) == [(66, 63, 1, 1, 100, 226)]


def test_numbers_that_close_a_range_make_room(engine):
    """1 joins the first two of 64 ranges, so 128 is the 64th again, and 3 is known to be missing."""
    got = sent(*range(0, 127, 2), 1, 128, 3, engine=engine)
    assert all_tunnels(got, *FIGURES) == [(67, 62, 0, 2, 0, 128)]


def test_a_number_in_front_of_a_range_joins_it(engine):
    """9 joins 10 and 11: with 0 and 62 even numbers these are 64 ranges, and 5 is known to be missing."""
    got = sent(0, 10, 11, 9, *range(20, 143, 2), 5, engine=engine)
    assert all_tunnels(got, *FIGURES) == [(67, 76, 0, 2, 0, 142)]


def test_acknowledgments_alone_are_counted_apart(engine):
    talk = Session(begins=False).client_sends(0x22, 1).client_sends(0x22, ack=MOST).client_sends(0x22, ack=0)
    got = decode(talk.pcap(), engine)
    assert all_tunnels(got, *FIGURES, "acks", "payload_octets", "last_packet") == [(1, 0, 0, 0, 1, 1, 2, 3, 3)]


def test_tunnel_of_acknowledgments_alone(engine):
    got = decode(Session(begins=False).client_sends(0x22, ack=7).pcap(), engine)
    assert all_tunnels(got, *FIGURES, "acks", "first_packet") == [(0, 0, 0, 0, 0, 0, 1, 1)]


def test_neither_sequence_nor_acknowledgment(engine):
    """A payload that no real stack takes: nothing is counted but its packet and time."""
    frames = [gre_frame(gre(b"\xc0\x21\x09\0\0\4")), gre_frame(gre())]
    got = decode(pcap(frames), engine)
    assert all_tunnels(got, *FIGURES, "acks", "payload_octets", "control_packets", "last_packet", "last_time") == [
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2)
    ]


def test_payload_octets_are_those_that_headers_claim(engine):
    """3, 0, and 9 of which 3 are there."""
    frames = [gre(INNER, sequence=1), gre(sequence=2), gre(INNER, sequence=3, payload_length=9)]
    got = decode(pcap(gre_frame(frame) for frame in frames), engine)
    assert all_tunnels(got, "packets", "payload_octets") == [(3, 12)]


# ---- delays of acknowledgments

RTT = ("ack_delay_samples", "ack_delay_min_ns", "ack_delay_mean_ns")
# Packet 1 is the client's number 1, packet 2 the server's number 0: tunnels 0 and 1 are partners from packet 2 on.
STEP = TIME_STEP


def both() -> Session:
    return Session(begins=False).client_sends(0x22, 1).server_sends(0x11, 0)


def delays(talk: Session, engine: EngineName) -> list[tuple[int, int, int]]:
    return all_tunnels(decode(talk.pcap(), engine), *RTT)


def test_of_a_packet_and_its_acknowledgment(engine):
    """Packet 3 to 4, piggybacked; 4 to 6, alone."""
    talk = both().client_sends(0x22, 2).server_sends(0x11, 1, 2).client_sends(0x22, 3).client_sends(0x22, ack=1)
    assert delays(talk, engine) == [(1, STEP, STEP), (2, 2 * STEP, 3 * STEP)]


def test_before_there_is_a_partner_nothing_is_timed(engine):
    """Packet 1 was sent when no tunnel led back; packet 2 made one, and was timed."""
    assert delays(both().server_sends(0x11, ack=1).client_sends(0x22, ack=0), engine) == [
        (0, 0, 0),
        (1, 2 * STEP, 2 * STEP),
    ]


def test_an_acknowledgment_covers_all_below_it(engine):
    """Packets 3, 4 and 5 to packet 6: three, two and one step."""
    talk = both().client_sends(0x22, 2).client_sends(0x22, 3).client_sends(0x22, 4).server_sends(0x11, ack=4)
    assert delays(talk, engine)[0] == (3, STEP, 2 * STEP)


def test_the_mean_is_rounded_down(engine):
    """Samples of 2 and of 1 steps and 1 ns less: 1,500,010,499.5 ns."""
    talk = both().client_sends(0x22, 2).client_sends(0x22, 3).server_sends(0x11, ack=2).server_sends(0x11, ack=3)
    data = talk.frames()
    times = [0, 0, 0, STEP, 2 * STEP, 2 * STEP - 1]
    records = [
        Record(packet, seconds=1_600_000_000 + time // 10**9, fraction=time % 10**9)
        for packet, time in zip(data, times, strict=True)
    ]
    got = decode(pcap(records, nanoseconds=True), engine)
    assert all_tunnels(got, *RTT)[0] == (2, STEP - 1, (3 * STEP - 1) // 2)


def test_only_what_it_covers(engine):
    """Number 3 of packet 4 is acknowledged in packet 6, number 2 in packet 5."""
    talk = both().client_sends(0x22, 2).client_sends(0x22, 3).server_sends(0x11, ack=2).server_sends(0x11, ack=3)
    assert delays(talk, engine)[0] == (2, 2 * STEP, 2 * STEP)


def test_the_first_acknowledgment_counts(engine):
    talk = both().client_sends(0x22, 2).server_sends(0x11, ack=2).server_sends(0x11, ack=2)
    assert delays(talk, engine)[0] == (1, STEP, STEP)


def test_acknowledgment_of_nothing(engine):
    """RFC 2637 stacks begin with one less than 0: nothing is covered, as number 0 comes behind it."""
    talk = both().server_sends(0x11, 1).client_sends(0x22, ack=MOST).client_sends(0x22, ack=1)
    assert delays(talk, engine)[1] == (2, 2 * STEP, (3 * STEP + 2 * STEP) // 2)


def test_acknowledgment_above_all_numbers(engine):
    """It covers what is there."""
    assert delays(both().client_sends(0x22, 2).server_sends(0x11, ack=0x7FFFFFF0), engine)[0] == (1, STEP, STEP)


def test_as_numbers_go_round(engine):
    """Numbers FFFFFFFF and 0 of packets 3 and 4; FFFFFFFF is acknowledged in packet 5, then 0 in packet 6."""
    talk = Session(begins=False).client_sends(0x22, 0xFFFFFFFE).server_sends(0x11, 0).client_sends(0x22, MOST)
    talk.client_sends(0x22, 0).server_sends(0x11, ack=MOST).server_sends(0x11, ack=0)
    assert delays(talk, engine)[0] == (2, 2 * STEP, 2 * STEP)


def test_late_packets_and_those_that_came_twice_are_not_timed(engine):
    """Only packet 3, number 4, is: 3 and 4 again do not raise the highest."""
    talk = both().client_sends(0x22, 4).client_sends(0x22, 3).client_sends(0x22, 4).server_sends(0x11, ack=4)
    assert delays(talk, engine)[0] == (1, 3 * STEP, 3 * STEP)


def test_acknowledgment_comes_before_the_rows_own_number(engine):
    """A row acknowledges the partner, not itself: packet 3 of the client covers number 0 of the server."""
    talk = both().client_sends(0x22, 2, 0).server_sends(0x11, 1, 2)
    assert delays(talk, engine) == [(1, STEP, STEP), (1, STEP, STEP)]


def test_acknowledgment_to_a_partner_without_numbers(engine):
    """The server sent acknowledgments only, so there is nothing that the client's could mean."""
    talk = Session(begins=False).server_sends(0x11, ack=0).client_sends(0x22, 1, 0).server_sends(0x11, ack=1)
    assert delays(talk, engine) == [(0, 0, 0), (1, STEP, STEP)]


def test_at_most_64_wait(engine):
    """Packets 3 to 67 are numbers 2 to 66; the last of them, 66, is not timed."""
    talk = both()
    for number in range(2, 67):
        talk.client_sends(0x22, number)
    talk.server_sends(0x11, ack=66)
    assert delays(talk, engine)[0] == (64, 2 * STEP, (65 + 2) * STEP // 2)


def test_a_time_before_the_packet_is_no_sample(engine):
    """The acknowledgment comes a second before what it covers: taken away, not counted."""
    talk = both().client_sends(0x22, 2).after(9).server_sends(0x11, ack=2).after(8).server_sends(0x11, ack=2).after(10)
    assert delays(talk, engine)[0] == (0, 0, 0)


def test_no_time_at_all_is_a_sample_of_0(engine):
    talk = both().client_sends(0x22, 2).after(9).server_sends(0x11, ack=2).after(9)
    assert delays(talk, engine)[0] == (1, 0, 0)


@pytest.mark.parametrize(("nanoseconds", "samples"), [(120 * 10**9, 1), (120 * 10**9 + 1, 0)])
def test_no_acknowledgment_takes_longer_than_two_minutes(engine, nanoseconds, samples):
    """A clock that was set would spoil the mean."""
    talk = both().client_sends(0x22, 2).server_sends(0x11, ack=2)
    times = [0, 0, 5, 5 + nanoseconds]
    records = [
        Record(packet, seconds=time // 10**9, fraction=time % 10**9)
        for packet, time in zip(talk.frames(), times, strict=True)
    ]
    got = decode(pcap(records, nanoseconds=True), engine)
    assert all_tunnels(got, *RTT)[0] == (samples, nanoseconds * samples, nanoseconds * samples)


def test_what_waits_is_dropped_when_a_tunnel_is_let_go(engine):
    """Packet 5 of the server waits; the reply tells another id than tunnel 1 has, which is its partner no more."""
    talk = Session().client_says(outgoing_request(0x11)).server_sends(0x11, 0).client_sends(0x99, 1)
    talk.server_sends(0x11, 1).server_says(outgoing_reply(0x22, 0x11)).client_sends(0x99, ack=1)
    assert delays(talk, engine) == [(0, 0, 0), (0, 0, 0)]


def test_what_waits_is_dropped_when_partners_change(engine):
    """Packet 3 waits for the partner of that time, tunnel 1; the reply gives the client's tunnel to a call, whose
    other tunnel is a third one.  Its acknowledgment covers the number and gives no sample.
    """
    talk = Session(begins=False).client_sends(0x22, 1).server_sends(0x77, 0).client_sends(0x22, 2)
    talk = Session(talk.packets).server_says(outgoing_reply(0x22, 0x11)).server_sends(0x11, 0, 2)
    talk.client_sends(0x22, 3).server_sends(0x11, ack=3)
    got = decode(talk.pcap(), engine)
    assert all_tunnels(got, "call_id", *RTT) == [(0x22, 1, STEP, STEP), (0x77, 0, 0, 0), (0x11, 0, 0, 0)]


def test_columns_of_the_call(engine):
    talk = Session().outgoing(0x11, 0x22).client_sends(0x22, 1).server_sends(0x11, 0, 1).client_sends(0x22, 3, 0)
    got = decode(talk.server_sends(0x11, ack=3).pcap(), engine)
    only_call(
        got, pns_ack_delay_samples=1, pns_ack_delay_min_ns=STEP, pns_ack_delay_mean_ns=STEP, pac_ack_delay_samples=1, pac_ack_delay_min_ns=STEP,
        pns_lost=1, pac_lost=0, pns_payload_octets=6, pac_payload_octets=3, pac_acks=1,
    )  # fmt: skip


# ---- contents

CONTENTS = ("ipv4", "ipv6", "encrypted", "compressed", "control", "multilink_ip", "other")
# A header of IPv4: 20 octets in all, protocol 17, 10.0.0.1 to 10.0.0.2; FFFF - (4500 + 14 + 4011 + A00 + 1 + A00 + 2)
# is 66D7.  One of IPv6 without payload.
IPV4 = "4500 0014 0000 0000 40 11 66d7 0a000001 0a000002"
IPV6 = "60000000 0000 3b 40" + "00" * 32


@pytest.mark.parametrize(
    ("payload", "content"),
    [
        ("21 45", "ipv4"), ("0021 45", "ipv4"), ("ff03 0021 45", "ipv4"), ("002d 00", "ipv4"), ("2f 00", "ipv4"),
        ("0057 60", "ipv6"), ("57 60", "ipv6"), ("00fd 9000", "compressed"), ("fd 9000", "compressed"),
        ("00fb 00", "compressed"), ("8021 01010004", "control"), ("c021 09000004", "control"), ("8001 00", "control"),
        ("fe01 00", "control"), ("003d 80000001", "other"), ("7e01 00", "other"),
        (f"003d c0000001 0021 {IPV4}", "multilink_ip"), (f"3d c0000001 57 {IPV6}", "multilink_ip"),
        ("003d c0000001 80fd 01010004", "other"), ("003d c0000001 00fd 9000", "other"), ("0029 00", "other"),
        ("ffff 00", "other"), ("0020 00", "other"), ("", "other"),
    ],
)  # fmt: skip
def test_contents(engine, payload, content):
    """By the protocol number; FF is one of one octet, and 0020 is none, as its second octet is even."""
    got = decode(pcap([gre_frame(gre(bytes.fromhex(payload), sequence=1))]), engine)
    expected = {f"{name}_packets": int(name == content) for name in CONTENTS}
    holds(got["tunnels"][0], **expected)
    holds(got["calls"][0], **expected)


def test_contents_of_a_call_are_those_of_both_tunnels(engine):
    talk = Session().outgoing(1, 2).client_sends(2, 1).client_sends(2, 2, payload=b"\x57\x60").client_sends(2, ack=1)
    got = decode(talk.server_sends(1, 1).server_sends(1, 2, payload=b"\xc0\x21\x09\0\0\4").pcap(), engine)
    only_call(got, ipv4_packets=2, ipv6_packets=1, control_packets=1, encrypted_packets=0, other_packets=0)
    assert all_tunnels(got, "ipv4_packets", "ipv6_packets", "control_packets") == [(1, 1, 0), (1, 0, 1)]

"""Loss over time: what each packet's number says, and that it adds up to what its tunnel says: decoding 10.3."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from builder import gre, gre_frame, pcap
from call_builder import Session, outgoing_reply, outgoing_request
from captures import PUBLIC, WALKED, lab, walked
from helpers import ENGINES, adds_up, column, decode, drive, same
from hypothesis import given
from hypothesis import strategies as st

import pptpcap
from pptpcap.wire.limits import Limits
from pptpcap.wire.status import GreStatus

MOST = 0xFFFFFFFF
D, R = GreStatus.DUPLICATED, GreStatus.REORDERED

# Numbers in the order in which they came; of each, its bits and the numbers that it passed over.
ROWS = {
    "one": ([5], [(0, 0)]),
    "in order": ([0, 1, 2], [(0, 0)] * 3),
    "one lost": ([1, 3], [(0, 0), (0, 1)]),
    "lost twice": ([1, 3, 4, 104], [(0, 0), (0, 1), (0, 0), (0, 99)]),
    "late": ([1, 4, 2, 3], [(0, 0), (0, 2), (R, 0), (R, 0)]),
    "twice": ([1, 1, 2, 1], [(0, 0), (D, 0), (0, 0), (D, 0)]),
    "late, then twice": ([1, 3, 2, 2, 3], [(0, 0), (0, 1), (R, 0), (D, 0), (D, 0)]),
    "as numbers go round": ([MOST - 1, 1, MOST, MOST], [(0, 0), (0, 2), (R, 0), (D, 0)]),
    # 9 was passed over by the first packet, which is known now; 8 was not, as far as is known.
    "below the first": ([10, 9, 9, 7, 11], [(0, 0), (R, 1), (D, 0), (R, 1), (0, 0)]),
    "below the first as numbers go round": ([0, MOST, 1], [(0, 0), (R, 1), (0, 0)]),
    "as far ahead as there is": ([0, 0x7FFFFFFF], [(0, 0), (0, 0x7FFFFFFE)]),
    "one further is behind": ([0, 0x80000000], [(0, 0), (R, 1)]),
    "numbered anew": ([500, 501, 0, 1, 2], [(0, 0), (0, 0), (R, 1), (R, 1), (R, 1)]),
}


def told(got: Mapping[str, np.ndarray]) -> list[tuple[int, int]]:
    bits = (got["gre"]["status"] & (D | R).value).tolist()
    return list(zip(bits, column(got, "gre", "skipped"), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_rows(engine, name):
    numbers, expected = ROWS[name]
    talk = Session(begins=False)
    for number in numbers:
        talk.client_sends(0x22, number)
    got = decode(talk.pcap(), engine)
    assert told(got) == expected
    adds_up(got)


def test_a_packet_of_ranges_that_were_joined(engine):
    """Even numbers to 128 are 65 ranges: 1 counts as having come, so it is a duplicate, and 3 is late."""
    talk = Session(begins=False)
    for number in (*range(0, 129, 2), 1, 3):
        talk.client_sends(0x22, number)
    got = decode(talk.pcap(), engine)
    assert told(got) == [(0, 0)] + [(0, 1)] * 64 + [(D, 0), (R, 0)]
    adds_up(got)


def test_each_tunnel_by_itself(engine):
    talk = Session(begins=False).client_sends(0x22, 1).server_sends(0x11, 8).client_sends(0x22, 3)
    got = decode(talk.server_sends(0x11, 9).client_sends(0x33, 2).server_sends(0x11, 8).pcap(), engine)
    assert told(got) == [(0, 0), (0, 0), (0, 1), (0, 0), (0, 0), (D, 0)]
    adds_up(got)


def test_an_id_that_is_used_again_begins_anew(engine):
    """The second call claims the key of the first one's tunnel: packet 7 of 9 is the first of a new tunnel."""
    talk = Session().client_says(outgoing_request(1)).server_says(outgoing_reply(0x22, 1)).client_sends(0x22, 700)
    talk.client_says(outgoing_request(2)).server_says(outgoing_reply(0x22, 2)).client_sends(0x22, 0)
    got = decode(talk.client_sends(0x22, 2).pcap(), engine)
    assert column(got, "gre", "tunnel") == [0, 1, 1]
    assert told(got) == [(0, 0), (0, 0), (0, 1)]
    adds_up(got)


def test_packets_without_a_number_say_nothing(engine):
    """An acknowledgment, a payload without S, a header that is cut."""
    talk = Session(begins=False).client_sends(0x22, 5).client_sends(0x22, ack=7)
    cut = gre_frame(gre(b"", sequence=900, call_id=0x22)[:10])
    frames = [*talk.packets, gre_frame(gre(b"\xc0\x21", call_id=0x22)), cut]
    got = decode(pcap(frames), engine)
    assert column(got, "gre", "tunnel") == [0, 0, 0, -1]
    assert told(got) == [(0, 0)] * 4


def test_packets_beyond_the_cap_on_tunnels_say_nothing(engine):
    talk = Session(begins=False).client_sends(1, 0).client_sends(2, 0).client_sends(2, 9).client_sends(2, 9)
    got = drive(talk.pcap(), engine, limits=Limits(tunnels=1))
    assert column(got, "gre", "tunnel") == [0, -1, -1, -1]
    assert told(got) == [(0, 0)] * 4


# Steps from number to number: mostly one, duplicates, loss, late packets, and a new beginning.
STEPS = st.one_of(
    st.just(1),
    st.just(1),
    st.integers(-3, 4),
    st.integers(-200, 200),
    st.sampled_from([-(1 << 31), 1 - (1 << 31), (1 << 31) - 1, 1 << 30, -(1 << 30)]),
)
SENT = st.lists(st.tuples(st.integers(0, 3), STEPS), min_size=1, max_size=300)


@given(
    starts=st.lists(st.integers(0, MOST), min_size=4, max_size=4), sent=SENT, stops=st.lists(st.integers(24, 20_000))
)
def test_any_numbers_of_several_tunnels(starts, sent, stops):
    """Both engines, wherever scans end."""
    numbers = list(starts)
    talk = Session(begins=False)
    for tunnel, step in sent:
        numbers[tunnel] = (numbers[tunnel] + step) & MOST
        send = talk.server_sends if tunnel == 3 else talk.client_sends
        send(tunnel, numbers[tunnel])
    data = talk.pcap()
    got = drive(data, ENGINES[0])
    adds_up(got)
    for engine in ENGINES:
        same(drive(data, engine, records=7), got, engine)
        same(drive(data, engine, stops=stops), got, engine)


@pytest.mark.parametrize("name", [*WALKED, *PUBLIC])
def test_captures(engine, name):
    got = pptpcap.read(walked(name), tables=("gre", "tunnels"), engine=engine)
    adds_up(got)


def test_captures_lose_repeat_and_reorder():
    """Or the sums of captures would show nothing."""
    got = pptpcap.read([lab("loss5_reorder_dup.server.pcap")], tables=("tunnels",)).tunnels
    assert got["lost"].sum() > 0
    assert got["duplicated"].sum() > 0
    assert got["reordered"].sum() > 0

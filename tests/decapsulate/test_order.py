"""Sequence numbers in order: what waits, what is given up, late, and double."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pptpcap.decapsulate.order import Payload, ReorderWindow


def packet(sequence, row=0):
    return Payload(row, 0, sequence, b"", 0)


def run(*sequences):
    """Marks of each packet that was given: lost before it, late, duplicate."""
    order = ReorderWindow()
    said = [one for sequence in sequences for one in order.add(packet(sequence))] + order.finish()
    return [f"{one.packet.sequence}" + "!" * one.lost + "-" * one.late + "=" * one.duplicate for one in said]


def test_in_order_and_out_of_it():
    assert run(1, 2, 3) == ["1", "2", "3"]
    assert run(1, 3, 2, 4) == ["1", "2", "3", "4"]
    assert run(1, 3, 4) == ["1", "3!", "4"]
    # The first that comes is the first, though another had a lower number.
    assert run(2, 1, 1, 3) == ["2", "1-", "1=", "3"]


def test_duplicates_wherever_they_stand():
    assert run(1, 1, 3, 3, 2, 2, 3) == ["1", "1=", "3=", "2", "3", "2=", "3="]


def test_a_window_that_is_full():
    order = ReorderWindow()
    order.add(packet(0))
    for sequence in range(2, 66):
        assert order.add(packet(sequence)) == []
    given_now = order.add(packet(66))
    assert [one.packet.sequence for one in given_now] == list(range(2, 67))
    assert [one.lost for one in given_now] == [True] + [False] * 64
    assert [one.late for one in order.add(packet(1))] == [True]


def test_numbers_wrap():
    assert run(0xFFFFFFFE, 0, 0xFFFFFFFF, 1, 0xFFFFFFFE) == ["4294967294", "4294967295", "0", "1", "4294967294="]


def test_what_is_far_behind_begins_anew():
    assert run(10_000, 5_905, 10_000) == ["10000", "5905-", "10000="]
    assert run(10_000, 5_904, 5_905, 5_905) == ["10000", "5904", "5905", "5905="]


def test_a_leap_forgets():
    assert run(1, 2, 1_000_000, 999_999) == ["1", "2", "999999!", "1000000"]
    order = ReorderWindow()
    order.add(packet(1))
    order.add(packet(1_000_000))
    order.release()
    assert [(one.late, one.duplicate) for one in order.add(packet(999_999))] == [(True, False)]


@given(st.lists(st.integers(0, 0xFFFFFFFF) | st.integers(0, 200), max_size=300))
def test_each_packet_is_given_once(sequences):
    order = ReorderWindow()
    packets = [packet(sequence, row) for row, sequence in enumerate(sequences)]
    said = [one for each in packets for one in order.add(each)] + order.finish()
    assert sorted(one.packet.row for one in said) == list(range(len(packets)))
    assert all(not order.waits(each) for each in packets)

"""Timelines of any capture: they raise nothing, batches and engines do not matter, and figures add up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from builder import pcap
from call_builder import Session
from captures import WALKED, walked
from helpers import BUNDLED, ENGINES, EngineName
from hypothesis import given
from hypothesis import strategies as st
from scripts import conversations, damaged, packets

import pptpcap
from pptpcap.timeline import COLUMNS, ENTITIES, EVENTS, Event, EventKind, Timelines

pytestmark = pytest.mark.slow

CAPTURES = [path.read_bytes() for path in BUNDLED]


def told(events: list[Event]) -> list[str]:
    """A time that is not known is not equal to itself."""
    return [repr(event) for event in events]


def whole(source: Any, engine: EngineName) -> list[list[str]]:
    capture = pptpcap.read(source, engine=engine)
    return [told(capture.timeline(call)) for call in range(len(capture.calls))]


def in_batches(source: Any, engine: EngineName, batch_packets: int) -> list[list[str]]:
    of = pptpcap.read(source, tables=ENTITIES, engine=engine)
    entities = [dict(enumerate(of[name])) for name in ("calls", "connections", "tunnels")]
    timelines = Timelines(*entities)
    columns = {name: COLUMNS[name] for name in EVENTS if name in COLUMNS}
    for batch in pptpcap.iterate(source, tables=EVENTS, columns=columns, batch_packets=batch_packets, engine=engine):
        timelines.take(batch, batch.first_row)
    return [told(timelines.events(call)) for call in range(len(of.calls))]


def holds(source: Any, batch_packets: int) -> None:
    """All that must hold of the timelines of a capture."""
    expected = whole(source, "reference")
    for engine in ENGINES:
        assert whole(source, engine) == expected
        assert in_batches(source, engine, batch_packets) == expected
    capture = pptpcap.read(source)
    for call in range(len(capture.calls)):
        events = capture.timeline(call)
        assert events[-1].kind is EventKind.END
        first = [event.packets[0] for event in events[:-1] if event.packets]
        assert first == sorted(first)
        assert all(event.text.isprintable() for event in events)
        assert all(list(event.packets) == sorted(set(event.packets)) for event in events)
        adds_up(capture, call, events)


NUMBER = r"([\d,]+) packets?"


def summed(events: list[Event], side: str, pattern: str) -> int:
    texts = [event.text for event in events if event.side == side]
    found = [match[1] for text in texts for match in re.finditer(pattern, text)]
    return sum(int(number.replace(",", "")) for number in found)


def adds_up(capture: pptpcap.Capture, call: int, events: list[Event]) -> None:
    """What the lines of each side say is what its tunnels say (decoding 10.3.4)."""
    for side in ("PNS", "PAC"):
        tunnels = capture.tunnels[(capture.tunnels["call"] == call) & (capture.tunnels["from_pns"] == (side == "PNS"))]
        assert summed(events, side, f"^{NUMBER} lost") == tunnels["lost"].sum()
        assert summed(events, side, f"{NUMBER} came late") == tunnels["reordered"].sum()
        assert summed(events, side, f"^{NUMBER} came again") == tunnels["duplicated"].sum()


@pytest.mark.parametrize("name", [name for name in WALKED if "inner" not in name])
def test_captures(name):
    holds(walked(name), 97)


@given(frames=conversations(), step=st.integers(1, 9))
def test_conversations(frames, step):
    holds(pcap(frames), step)


@given(frames=packets(), step=st.integers(1, 9))
def test_packets(frames, step):
    holds(pcap(frames), step)


@given(data=damaged(CAPTURES), step=st.integers(1, 50))
def test_damaged_captures(data, step):
    holds(data, step)


steps = st.integers(-3, 5) | st.sampled_from([-(2**31), 2**31 - 1, 100, -100])


@given(first=st.integers(0, 2**32 - 1), steps=st.lists(steps, max_size=200), second=st.integers(0, 2))
def test_numbers(first, steps, second):
    """Sequence numbers of any order, with more than 64 ranges at times."""
    talk = Session(begins=False)
    number = first
    for place, step in enumerate(steps):
        talk.client_sends(0x22, number % 2**32).after(second * place)
        number += step
    holds(talk.pcap(), 7)

"""Diagnoses of any capture: they raise nothing, and batches and engines do not matter."""

from __future__ import annotations

from typing import Any

import pytest
from builder import pcap
from captures import WALKED, walked
from helpers import BUNDLED, ENGINES, EngineName
from hypothesis import given
from hypothesis import strategies as st
from scripts import conversations, damaged, packets

import pptpcap
from pptpcap.diagnosis import COLUMNS, ENTITIES, EVENTS, Diagnoses, Diagnosis

pytestmark = pytest.mark.slow

CAPTURES = [path.read_bytes() for path in BUNDLED]


def in_batches(source: Any, engine: EngineName, batch_packets: int) -> list[Diagnosis]:
    of = pptpcap.read(source, tables=ENTITIES, engine=engine)
    calls, connections, tunnels = (dict(enumerate(of[name])) for name in ("calls", "connections", "tunnels"))
    diagnoses = Diagnoses(calls, connections, tunnels, of.calls[of.calls["connection"] < 0])
    columns = {name: COLUMNS[name] for name in EVENTS if name in COLUMNS}
    for batch in pptpcap.iterate(source, tables=EVENTS, columns=columns, batch_packets=batch_packets, engine=engine):
        diagnoses.take(batch, batch.first_row)
    return diagnoses.all()


def holds(source: Any, batch_packets: int) -> None:
    """All that must hold of the diagnoses of a capture."""
    expected = pptpcap.read(source, engine="reference").diagnose()
    for engine in ENGINES:
        capture = pptpcap.read(source, engine=engine)
        assert capture.diagnose() == expected
        assert in_batches(source, engine, batch_packets) == expected
    calls = [one.call for one in expected]
    assert calls == sorted(calls)
    for one in expected:
        assert -1 <= one.call < len(capture.calls)
        assert -1 <= one.connection < len(capture.connections)
        assert list(one.packets) == sorted(set(one.packets))
        assert all(1 <= number <= capture.summary.packets for number in one.packets)
        assert all(f"{number}" in one.sentence for number in one.packets)
        assert one.sentence.isprintable()
        assert one.sentence.endswith(".")
        assert one.advice


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

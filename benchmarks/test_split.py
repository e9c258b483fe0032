"""The law of the split on generated workloads: threads and ranges change no row."""

from __future__ import annotations

from pathlib import Path

import generate
import pytest
from generate import MIB, Parameters

import pptpcap
from pptpcap._reading import batches

RANGES = (64 << 10, 1 << 20, 1 << 40)


@pytest.mark.parametrize("name", ["haystack", "tunnel", "tunnel_small", "control", "many_flows"])
def test_threads_and_ranges_change_no_row(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"{name}.pcap"
    promise = generate.generate(Parameters(name, 3 * MIB, 1, 1000), path)
    whole = pptpcap.read(path, threads=1)
    assert whole.summary.packets == promise["packets"] > 3000
    for octets in RANGES:
        monkeypatch.setattr(batches, "_RANGE", octets)
        monkeypatch.setattr(batches, "_LEAST_RANGE", octets)
        monkeypatch.setattr(batches, "_LARGE_RANGE", octets)
        for threads in (1, 2, 3, 7):
            split = pptpcap.read(path, threads=threads)
            assert split.summary.counters == whole.summary.counters
            for table, rows in whole.items():
                assert split[table].tobytes() == rows.tobytes(), f"{table}, {threads} threads, {octets} octets"

"""What the harnesses of ``tests/fuzz`` found, each with the outcome that the rules give it.

Small files that went wrong once are in ``corpus/kept.zip``; ``test_corpus`` puts them through both engines.
"""

from __future__ import annotations

from builder import pcap, piece4
from helpers import drive, issues

from pptpcap.wire.limits import Limits


def test_conflict_counts_all_that_overlaps(engine):
    """Behind the extent that is one too many as well; there, nothing of the datagram is kept."""
    held = [piece4(bytes(8), 8, True), piece4(bytes(8), 32, True)]
    got = drive(pcap([*held, piece4(b"\1" * 32, 0, True)]), engine, limits=Limits(fragments=2))
    assert issues(got) == [(3, "IP", "FRAGMENT_CONFLICT", 8, 8), (3, "IP", "FRAGMENT_INCOMPLETE", 3, 32)]
    got = drive(pcap([*held, piece4(b"\1" * 48, 0, True)]), engine, limits=Limits(fragments=2))
    assert issues(got) == [(3, "IP", "FRAGMENT_CONFLICT", 16, 16), (3, "IP", "FRAGMENT_INCOMPLETE", 3, 48)]
    got = drive(pcap([*held, piece4(bytes(32), 0, True)]), engine, limits=Limits(fragments=2))
    assert issues(got) == [(3, "IP", "FRAGMENT_LIMIT", 2, 3)]

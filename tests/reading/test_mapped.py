"""Arrays so large that the compiled engine maps their memory by itself: the same rows, zeros where nothing was said."""

from __future__ import annotations

import gc
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from builder import echo, ethernet, ipv4, pcap, tcp
from helpers import decode, iterate, same
from places import TESTS

import pptpcap
from pptpcap.wire.status import Kind

pytestmark = pytest.mark.slow

ADDRESSES = 60_000
# Rows of connections are 490 octets long.
LARGE = 2 * ADDRESSES


def connections(count: int) -> bytes:
    """A capture of so many connections, of an Echo-Request each.

    What is different in each packet has the same sum, so one checksum is right for all.
    """
    first = tcp(echo(7), 2000, flags="A", source=struct.pack(">HH", 1, ADDRESSES), source_port=40_000)
    record = pcap([ethernet(ipv4(first, 6, struct.pack(">HH", 1, ADDRESSES)))])[24:]
    octets = np.tile(np.frombuffer(record, np.uint8), count).reshape(count, len(record))
    number = np.arange(count, dtype=np.uint32)
    at = 16 + 14
    for place, values in (
        (at + 12, 1 + number % ADDRESSES),
        (at + 14, ADDRESSES - number % ADDRESSES),
        (at + 20, 40_000 + number // ADDRESSES),
        (at + 26, 2000 - number // ADDRESSES),
    ):
        octets[:, place] = values >> 8
        octets[:, place + 1] = values & 0xFF
    return pcap([]) + octets.tobytes()


def check(capture) -> None:
    number = np.arange(len(capture.connections))
    assert len(number) == LARGE
    rows = capture.connections
    assert [Kind(kind).name for kind in capture.issues["kind"]] == ["CLOCK_STANDS"]
    assert (rows["first_packet"] == number + 1).all()
    halves = np.stack([1 + number % ADDRESSES, ADDRESSES - number % ADDRESSES], axis=1)
    assert (rows["initiator_address"][:, 12:] == halves.astype(">u2").view("u1")).all()
    assert (rows["initiator_port"] == 40_000 + number // ADDRESSES).all()
    assert (rows["initiator_messages"] == 1).all()
    assert (rows["present"] == 0).all()
    for column in ("initiator_host_name", "responder_vendor_name", "responder_octets", "end"):
        assert not rows[column].astype(bool).any()
    assert (capture.messages["connection"] == number).all()
    assert (capture.echo_request["identifier"] == 7).all()


@pytest.fixture(scope="module")
def data() -> bytes:
    return connections(LARGE)


def test_rows_are_what_was_sent_and_outlive_their_capture(data):
    one = pptpcap.read(data)
    check(one)
    rows, copy = one.connections, one.connections.copy()
    del one
    gc.collect()
    # Other arrays, where those of the first capture were.
    check(pptpcap.read(data))
    assert (rows.view("u1") == copy.view("u1")).all()


def test_small_batches_give_the_same(data):
    """Theirs is malloc's memory."""
    same(decode(data, "compiled"), iterate(data, "compiled", 500))


def test_few_connections_give_the_same_in_both_engines():
    few = connections(300)
    same(decode(few, "compiled"), decode(few, "reference"))


CHILD = """
import resource, sys
import pptpcap

path = sys.argv[1]
few = pptpcap.read(sys.argv[2]).connections.tobytes()
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) for line in status if line.startswith("VmData:"))
for mib in range(0, 200, 8):
    resource.setrlimit(resource.RLIMIT_DATA, ((used + mib * 1024) * 1024, resource.RLIM_INFINITY))
    try:
        print(mib, len(pptpcap.read(path, threads=1).connections))
    except MemoryError:
        print(mib, "MemoryError")
        # What was there when memory ran out was given back.
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert pptpcap.read(sys.argv[2]).connections.tobytes() == few
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit on data")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer ends where memory is short")
def test_memory_that_is_not_given(tmp_path, data):
    """Limits from nothing to more than enough: an error or all rows."""
    path, few = tmp_path / "many.pcap", tmp_path / "few.pcap"
    path.write_bytes(data)
    few.write_bytes(connections(300))
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), str(few)],
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        cwd=TESTS / "support",
    )
    assert run.returncode == 0, run.stderr
    found = [line.split()[1] for line in run.stdout.splitlines()]
    assert set(found) == {"MemoryError", str(LARGE)}
    assert found[0] == "MemoryError"
    assert found[-1] == str(LARGE)
    assert found.count("MemoryError") > 10

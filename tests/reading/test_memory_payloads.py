"""What is kept on request of datagrams in fragments, where one request for memory fails: found by ``make fuzz-bare``."""

from __future__ import annotations

import ctypes

from builder import Conversation, gre, pcap, piece4, split
from test_memory import modules_of_the_core, run_starved, starves

import pptpcap.core
from pptpcap._input.identify import identify
from pptpcap.wire.limits import DEFAULT


def kept() -> list[bytes]:
    """Payloads, packets of connections and of datagrams, and places of records."""
    fragments = split(piece4, gre(b"\x21" + bytes(range(60)), 5, 6), 24)
    data = pcap([*Conversation().handshake().packets[:2], *fragments, fragments[0]])
    container = identify(data[:64], len(data), "input")
    assembler = pptpcap.core.Assembler((1723,), DEFAULT, payloads=True, members=True)
    scan = pptpcap.core.scan_range(data, 24, len(data), container, (1723,), DEFAULT, payloads=True, places=True)
    assembler.feed(scan)
    assembler.finish()
    taken = assembler.take()
    return [scan.take_places().tobytes(), *(taken[name].tobytes() for name in ("payloads", "segments", "parts"))]


def starved(library) -> None:
    """Each request for memory fails once; run in a process of its own by the test below."""
    whole = kept()
    assert [len(octets) for octets in whole] == [8 * 5, 61, 24 * 2, 16 * 3]
    for low, high in modules_of_the_core():
        library.starve_range(ctypes.c_void_p(low), ctypes.c_void_p(high))
    library.starve_after.restype = ctypes.c_long
    errors = 0
    for number in range(200):
        library.starve_after(number)
        try:
            assert kept() == whole
        except MemoryError:
            errors += 1
        if library.starve_after(-1) >= 0:
            break
    print(f"{errors} MemoryErrors")
    assert errors > 5


@starves
def test_each_request_for_memory_may_fail(tmp_path):
    assert "MemoryErrors" in run_starved(tmp_path, "test_memory_payloads")

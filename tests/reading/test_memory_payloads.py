"""Payloads that are kept of datagrams in fragments, where one request for memory fails: found by ``make fuzz-bare``."""

from __future__ import annotations

import ctypes

from builder import gre, pcap, piece4, split
from test_memory import modules_of_the_core, run_starved, starves

import pptpcap.core
from pptpcap._input.identify import identify
from pptpcap.wire.limits import DEFAULT


def payloads() -> bytes:
    data = pcap(split(piece4, gre(b"\x21" + bytes(range(60)), 5, 6), 24))
    container = identify(data[:64], len(data), "input")
    assembler = pptpcap.core.Assembler((1723,), DEFAULT, payloads=True)
    assembler.feed(pptpcap.core.scan_range(data, 24, len(data), container, (1723,), DEFAULT, payloads=True))
    assembler.finish()
    return assembler.take()["payloads"].tobytes()


def starved(library) -> None:
    """Each request for memory fails once; run in a process of its own by the test below."""
    whole = payloads()
    assert len(whole) == 61
    for low, high in modules_of_the_core():
        library.starve_range(ctypes.c_void_p(low), ctypes.c_void_p(high))
    library.starve_after.restype = ctypes.c_long
    errors = 0
    for number in range(200):
        library.starve_after(number)
        try:
            assert payloads() == whole
        except MemoryError:
            errors += 1
        if library.starve_after(-1) >= 0:
            break
    print(f"{errors} MemoryErrors")
    assert errors > 5


@starves
def test_each_request_for_memory_may_fail(tmp_path):
    assert "MemoryErrors" in run_starved(tmp_path, "test_memory_payloads")

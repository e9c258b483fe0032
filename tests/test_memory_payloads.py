"""Payloads that are kept of datagrams in fragments, where one request for memory fails: found by ``make fuzz-bare``."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

import pytest
from builder import gre, pcap, piece4, split
from helpers import HERE
from test_memory import LINUX, modules_of_the_core

import pptpcap.core
from pptpcap.containers import identify
from pptpcap.wire.limits import DEFAULT

CHILD = """
import ctypes, sys
sys.path.insert(0, {here!r})
from test_memory_payloads import starved
starved(ctypes.CDLL(None))
"""


def payloads() -> bytes:
    data = pcap(split(piece4, gre(b"\x21" + bytes(range(60)), 5, 6), 24))
    container = identify(data[:64], len(data), "input")
    assembler = pptpcap.core.Assembler((1723,), DEFAULT, payloads=True)
    assembler.feed(pptpcap.core.scan(data, 24, len(data), container, (1723,), DEFAULT, payloads=True))
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


@LINUX
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer stands in front of malloc too")
def test_each_request_for_memory_may_fail(tmp_path):
    library = tmp_path / "starve.so"
    subprocess.run(
        ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / "fuzz" / "starve.c"), "-ldl"], check=True
    )
    run = subprocess.run(
        [sys.executable, "-c", CHILD.format(here=str(HERE))],
        capture_output=True,
        text=True,
        env={**os.environ, "LD_PRELOAD": str(library), "MALLOC_PERTURB_": "85", "OPENBLAS_NUM_THREADS": "1"},
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "MemoryErrors" in run.stdout

"""Memory that the system does not give: an error that says so, or the whole result, and never a dead process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from builder import Conversation, echo, gre, gre_frame, pcap
from places import TESTS

pytestmark = pytest.mark.slow

CHILD = """
import hashlib, os, resource, sys
import numpy, pptpcap, pptpcap.core, pptpcap.reference

path, engine, packets = sys.argv[1], sys.argv[2], int(sys.argv[3])

def digest():
    with open(path, "rb") as file:
        capture = pptpcap.read(file if engine == "stream" else path, engine="reference" if engine == "reference" else "compiled")
    assert capture.summary.packets == packets
    return hashlib.sha256(b"".join(capture[name].tobytes() for name in capture)).digest()

whole = digest()
for kib in map(int, sys.argv[4:]):
    child = os.fork()
    if not child:
        with open("/proc/self/status") as status:
            used = next(int(line.split()[1]) for line in status if line.startswith("VmData:"))
        code = 9
        try:
            resource.setrlimit(resource.RLIMIT_DATA, ((used + kib) * 1024,) * 2)
            code = 0 if digest() == whole else 8
        except MemoryError:
            code = 7
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    print(kib, -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit on data")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer ends where memory is short")
@pytest.mark.parametrize("how", ["compiled", "reference", "stream"])
def test_memory_that_is_not_given(tmp_path, how):
    """Limits from nothing to enough, on a capture whose tables take some megabytes."""
    talk = Conversation().handshake()
    for number in range(500):
        talk.client(16 * (number ^ 1), echo(number))
    talk.packets += [gre_frame(gre(b"\x21", n, n)) for n in range(40_000 if how != "reference" else 3000)]
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(talk.packets))
    steps = [*range(0, 4000, 500), *range(4000, 30_000, 5000)] if how != "reference" else [0, 500, 1500, 6000]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), how, str(len(talk.packets)), *map(str, steps), "2000000"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=TESTS / "support",
    )
    assert run.returncode == 0, run.stderr
    codes = {int(kib): int(code) for kib, code in (line.split() for line in run.stdout.splitlines())}
    assert len(codes) == len(steps) + 1
    assert set(codes.values()) == {0, 7}, (Counter(codes.values()), codes, run.stderr[-2000:])
    assert codes[2_000_000] == 0
    assert codes[0] == 7

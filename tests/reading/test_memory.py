"""Memory of the compiled engine: what it holds, what it gives back, and what it does where there is none.

The address sanitizer finds more of the same kind under ``make debug``; here is what can be seen without it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import shutil
import subprocess
import sys
import threading

import pytest
from builder import Conversation, Record, control, echo, ethernet, gre, ipv4, pcap, pcap_header
from fuzz.engines import decode
from fuzz.targets import input_of
from fuzz.traffic import conversation, network
from helpers import container_of, drive, same
from places import TESTS
from relations import relations
from vectors import CONTROL_HEX

import pptpcap.core
from pptpcap.wire.limits import DEFAULT, Limits

pytestmark = pytest.mark.slow

PORTS = (1723,)
SCCRQ = CONTROL_HEX[1]


def scanned(data: bytes, **more):
    return pptpcap.core.scan_range(data, 24, len(data), container_of(data), PORTS, DEFAULT, **more)


def busy() -> bytes:
    """A capture that uses every kind of memory: streams with holes and copies, fragments, tunnels, calls, messages."""
    rng = random.Random(5)
    packets = []
    for number in range(3):
        for source, destination, protocol, payload in conversation(rng, six=number == 1):
            packets += network(rng, source, destination, protocol, payload)
    frames = [ethernet(packet) for packet in packets]
    frames += [ethernet(ipv4(gre(b"\x21" + bytes(n % 7), n, n), 47)) for n in range(40)]
    return pcap([*frames, *relations(rng, 150)])


def test_scan_is_taken_in_once():
    """Its segments point into data that it let go."""
    data = Conversation().handshake().client(0, echo(1)).pcap()
    scan = scanned(data)
    assembler = pptpcap.core.Assembler(PORTS, DEFAULT)
    assembler.feed(scan)
    with pytest.raises(ValueError, match="once"):
        assembler.feed(scan)
    with pytest.raises(ValueError, match="once"):
        pptpcap.core.Assembler(PORTS, DEFAULT).feed(scan)
    assert len(assembler.take()["messages"]) == 1


def test_data_can_be_changed_behind_feed():
    """What is still needed was copied."""
    talk = Conversation().handshake().client(0, SCCRQ[:100]).client(120, SCCRQ[120:])
    talk.packets += [ethernet(ipv4(gre(bytes(16), 1, 1)[:16], 47, identification=3, more=True))]
    data = bytearray(talk.pcap())
    rest = Conversation().client(100, SCCRQ[100:120]).packets
    rest += [ethernet(ipv4(gre(bytes(16), 1, 1)[16:], 47, identification=3, offset=16))]
    whole = drive(pcap([*talk.packets, *rest]), "compiled")
    assembler = pptpcap.core.Assembler(PORTS, DEFAULT)
    assembler.begin_file()
    assembler.feed(pptpcap.core.scan_range(data, 24, len(data), container_of(data), PORTS, DEFAULT))
    data[:] = b"\xff" * len(data)
    more = pcap(rest)
    assembler.feed(scanned(more, packets_before=len(talk.packets)))
    assembler.finish()
    rows = assembler.take()
    assert rows["messages"]["status"].tolist() == whole["messages"]["status"].tolist() == [0]
    assert rows["start_control_connection_request"].tobytes() == whole["start_control_connection_request"].tobytes()
    assert rows["gre"]["sequence_number"].tolist() == [1]


def test_assembler_is_used_by_one_thread_at_a_time():
    """Another thread is refused, it does not find half of a state."""
    data = pcap([ethernet(ipv4(gre(b"\x21", n, n), 47)) for n in range(3000)])
    data += data[24:] * 100
    assembler = pptpcap.core.Assembler(PORTS, DEFAULT)
    refused = []
    done = threading.Event()

    def disturb() -> None:
        while not done.is_set():
            for call in (assembler.take, assembler.entities, lambda: assembler.feed(scanned(pcap_header()))):
                try:
                    call()
                except RuntimeError as error:
                    refused.append(str(error))

    other = threading.Thread(target=disturb)
    other.start()
    kept = False
    try:
        # Until the two meet, which takes longer where other processes are busy.
        for _ in range(1000):
            try:
                assembler.feed(scanned(data))
            except RuntimeError:
                kept = True
            if refused or kept:
                break
    finally:
        done.set()
        other.join()
    assert all("one thread" in message for message in refused)
    assert refused or kept


# ---- what is held stays within what the caps say


class Allocated(ctypes.Structure):
    """What glibc says of its memory."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


def in_use() -> int:
    """Octets that were asked of malloc and not given back."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = Allocated
    gc.collect()
    now = mallinfo()
    return int(now.uordblks + now.hblkhd)


COUNT = 400
HELD = 1 << 18
# What the state of a connection and its row take, and three times what the cap says: a piece of one octet is counted as
# 65 and takes more.
MOST = COUNT * 2048 + 3 * HELD


def growth(packets: list[bytes | Record]) -> int:
    """Octets that an assembler holds when it took these packets in, few at a time, and its rows were taken."""
    data = pcap(packets)
    container, limits = container_of(data), Limits(held_octets=HELD)
    assembler = pptpcap.core.Assembler(PORTS, limits)
    before = in_use()
    start = 24
    while start < len(data):
        scan = pptpcap.core.scan_range(data, start, len(data), container, PORTS, limits, most_records=500)
        assembler.feed(scan)
        assembler.take()
        start = scan.end
    del scan
    held = in_use() - before
    assert len(assembler.entities()["connections"]) == COUNT
    return held


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
GLIBC = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2") or "libasan" in os.environ.get("LD_PRELOAD", ""),
    reason="asks glibc how much is in use",
)


@GLIBC
def test_pieces_that_are_gone_take_no_memory():
    """120 pieces of one octet wait in each of 400 directions, then are given up."""
    packets = []
    for number in range(COUNT):
        talk = Conversation(port=1000 + number).client(-1, flags="S").server(-1, flags="SA")
        for position in range(1, 240, 2):
            talk.client(position, b"x")
        packets += talk.server(0, ack=1000).packets
    assert growth(packets) < MOST


@GLIBC
def test_pieces_that_give_way_take_no_memory():
    """As above, but it is the cap on held octets that ends their wait."""
    packets = []
    for number in range(COUNT):
        talk = Conversation(port=1000 + number).client(-1, flags="S")
        for position in range(1, 240, 2):
            talk.client(position, b"x")
        packets += talk.packets
    assert growth(packets) < MOST


@GLIBC
def test_history_that_is_forgotten_takes_no_memory():
    """7 kB are delivered in each of 400 directions, then an octet is not captured."""
    message = control(1, bytes(144))
    packets = []
    for number in range(COUNT):
        talk = Conversation(port=1000 + number).client(-1, flags="S")
        for position in range(46):
            talk.client(156 * position, message)
        packets += talk.client(156 * 46, message, snap=40).packets
    assert growth(packets) < MOST


@GLIBC
def test_datagrams_that_are_forgotten_take_no_memory():
    """30,000 complete ones of 12 octets, which count 268 each; the cap is 262,144."""
    packets = []
    for number in range(30_000):
        packets.append(ethernet(ipv4(bytes(8), 47, identification=number, more=True)))
        packets.append(ethernet(ipv4(bytes(4), 47, identification=number, offset=8)))
    data, limits = pcap(packets), Limits(remembered_octets=HELD)
    assembler = pptpcap.core.Assembler(PORTS, limits)
    before = in_use()
    start = 24
    while start < len(data):
        scan = pptpcap.core.scan_range(data, start, len(data), container_of(data), PORTS, limits, most_records=500)
        assembler.feed(scan)
        assembler.take()
        start = scan.end
    del scan
    assert in_use() - before < 3 * HELD
    assert assembler.counters["datagrams_reassembled"] == 30_000


@LINUX
def test_datagram_takes_what_is_captured_of_it():
    """4000 datagrams that claim 64 kB and hold nothing, all complete in one scan."""
    packets: list[bytes | Record] = []
    for number in range(4000):
        for offset, length in ((0, 65_504), (65_504, 16)):
            packet = ipv4(b"", 47, identification=number, offset=offset, more=not offset, total_length=20 + length)
            packets.append(Record(ethernet(packet), original=34 + length))
    data = pcap(packets)
    scan = scanned(data)
    assembler = pptpcap.core.Assembler(PORTS, DEFAULT)
    used = virtual()
    watch = Peak(used)
    with watch:
        assembler.feed(scan)
    assert assembler.counters["datagrams_reassembled"] == 4000
    assert watch.most - used < 64 << 20


def virtual() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmPeak")) * 1024


class Peak:
    """The most that the process ever had."""

    def __init__(self, before: int) -> None:
        self.most = before

    def __enter__(self) -> Peak:
        return self

    def __exit__(self, *_: object) -> None:
        self.most = virtual()


# ---- memory that is not given

STARVED = """
import ctypes, sys
sys.path[:0] = {paths!r}
import pptpcap.core
from {module} import starved
starved(ctypes.CDLL(None))
"""


def modules_of_the_core() -> list[tuple[int, int]]:
    found = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            fields = line.split()
            if len(fields) > 5 and "/pptpcap/core/" in fields[5] and "x" in fields[1]:
                low, high = fields[0].split("-")
                found.append((int(low, 16), int(high, 16)))
    return found


def starved(library) -> None:
    """Each request for memory fails once; run in a process of its own by the test below."""
    for low, high in modules_of_the_core():
        library.starve_range(ctypes.c_void_p(low), ctypes.c_void_p(high))
    library.starve_after.restype = library.starve_live.restype = ctypes.c_long
    data = busy()
    small = [input_of("frames", 3, number) for number in range(2)]
    tried = errors = 0
    for octets, how in [(data, "whole"), *((one, "whole") for one in small), (small[0], "windows")]:
        whole = decode("compiled", octets, how=how)
        gc.collect()
        number = 0
        while True:
            before = library.starve_live()
            library.starve_after(number)
            try:
                result = decode("compiled", octets, how=how)
            except MemoryError:
                errors += 1
                result = None
            was_reached = library.starve_after(-1) < 0
            if result is not None:
                assert whole is not None
                same(result, whole)
            del result
            gc.collect()
            assert library.starve_live() == before, f"request {number}: {library.starve_live() - before} not given back"
            if not was_reached:
                break
            tried += 1
            # The first ones are the most different.
            number += 1 if number < 60 else 7
    print(f"{tried} requests failed, {errors} MemoryErrors")
    assert tried > 100
    # Memory that was to be made smaller only may be denied without harm.
    assert errors > tried / 2


def starves(test):
    """The marks of a test that calls ``run_starved``."""
    asan = "libasan" in os.environ.get("LD_PRELOAD", "")
    test = pytest.mark.skipif(asan, reason="the sanitizer stands in front of malloc too")(test)
    return LINUX(pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")(test))


def run_starved(tmp_path, module: str) -> str:
    """Call ``starved`` of a module of tests in a process in which requests for memory can be refused; what it printed."""
    library = tmp_path / "starve.so"
    subprocess.run(
        ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(TESTS / "fuzz" / "starve.c"), "-ldl"], check=True
    )
    paths = [str(TESTS / name) for name in ("reading", "support", "")]
    run = subprocess.run(
        [sys.executable, "-c", STARVED.format(paths=paths, module=module)],
        capture_output=True,
        text=True,
        env={**os.environ, "LD_PRELOAD": str(library), "MALLOC_PERTURB_": "85", "OPENBLAS_NUM_THREADS": "1"},
        timeout=3600,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@starves
def test_each_request_for_memory_may_fail(tmp_path):
    """A MemoryError or the whole result; nothing is leaked, nothing is freed twice."""
    assert "requests failed" in run_starved(tmp_path, "test_memory")

"""A mapped file that shrinks: an error where that is a capture's, and the system's signal where it is not."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import shrinks
from commands import MSS88

import pptpcap
from pptpcap._input.views import Map

pytestmark = pytest.mark.slow

OCTETS = shrinks.octets(400_000)

BEGIN = """
import ctypes, faulthandler, mmap, os, signal, sys
import pptpcap
from pptpcap._input import guarded
from pptpcap._input import opening
from pptpcap._reading import batches
from pptpcap._input import views
path = sys.argv[1]
octets = open(path, "rb").read()
open(path + "2", "wb").write(octets)
batches._RANGE = batches._LEAST_RANGE = batches._LARGE_RANGE = 20_000

def read(name=path, **how):
    try:
        print("rows", len(pptpcap.read(name, **how).gre))
    except pptpcap.CaptureError as error:
        print(error)

def foreign(name=path, length=5_000):
    # A map that is nobody's business: reading it ends in a signal.
    with open(name, "w+b") as file:
        file.write(octets)
        file.flush()
        mapped = mmap.mmap(file.fileno(), len(octets), access=mmap.ACCESS_READ)
        file.truncate(length)
    return mapped

def ends(number):
    # A handler of somebody who knows what to do.
    os.write(1, b"their own handler\\n")
    os._exit(7)

libc = ctypes.CDLL(None)
ENDS = ctypes.CFUNCTYPE(None, ctypes.c_int)(ends)
"""


class Runner(NamedTuple):
    """A file that shrinks, and who reads it."""

    path: Path

    def __call__(self, program: str, *arguments: object) -> tuple[int, list[str], str]:
        words = [sys.executable, "-c", BEGIN + program, str(self.path), *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.fixture
def run(tmp_path):
    """Runs a program that has `BEGIN` before it in a process of its own; its exit code, its lines, and its errors."""
    path = tmp_path / "shrinks"
    path.write_bytes(OCTETS)

    return Runner(path)


def shrank(path: Path, offset: int) -> str:
    words = "found the end of the file, which shrank while it was read"
    return f"{path}: at offset {offset}: {words}, expected {len(OCTETS)} octets"


# ---- the file of a capture

BEHIND_A_CHECK = """
check = views.Map.check

def cut(self):
    global checks
    check(self)
    checks += 1
    if checks == turn:
        os.truncate(path, length)

views.Map.check = cut
for turn in 1, 2, 3, 8, 20, 30:
    for length in 0, 5, 5_000, 8_192, len(octets) - 9:
        open(path, "wb").write(octets)
        checks = 0
        read(threads=int(sys.argv[2]), engine=sys.argv[3])
"""


@pytest.mark.parametrize("threads", [1, 4])
def test_file_that_shrinks_behind_a_check_is_an_error(engine, run, threads):
    lines = [shrank(run.path, length) for length in (0, 5, 5_000, 8_192, len(OCTETS) - 9)]
    assert run(BEHIND_A_CHECK, threads, engine) == (0, lines * 6, "")


IN_A_SCAN = """
scan = batches.Batches.scan

def regrown(self, view, wanted, *rest):
    os.truncate(path, 5_000)
    try:
        return scan(self, view, wanted, *rest)
    finally:
        open(path, "r+b").write(octets)

batches.Batches.scan = regrown
read(threads=1, engine=sys.argv[2] if sys.argv[2:] else "compiled")
"""


def test_file_that_shrinks_and_grows_again_in_a_scan_is_an_error(engine, run):
    assert run(IN_A_SCAN, engine) == (0, [shrank(run.path, 8_192)], "")


DISK_FAILS = """
pread = os.pread

def fails(descriptor, count, offset):
    if offset:
        raise OSError(5, "Input/output error")
    return pread(descriptor, count, offset)

os.pread = fails
try:
"""


def test_page_that_the_disk_does_not_give_is_an_error_of_the_system(run):
    program = IN_A_SCAN.replace("read(", DISK_FAILS + "    read(") + "except OSError as error:\n    print(error)\n"
    assert run(program) == (0, ["[Errno 5] Input/output error"], "")


SEVERAL = """
names = [f"{path}.{number}" for number in range(100)]
for name in names:
    open(name, "wb").write(octets)
readings = [pptpcap.iterate(name, batch_bytes=50_000, threads=1) for name in names]
for reading in readings:
    next(reading)
scan = batches.Batches.scan

def cut(self, view, *rest):
    if view.path in names[30:60]:
        os.truncate(view.path, 60_000)
    return scan(self, view, *rest)

batches.Batches.scan = cut
for name, reading in zip(names, readings):
    try:
        print(sum(len(batch.gre) for batch in reading))
    except pptpcap.CaptureError as error:
        print(error)
"""


def test_of_several_maps_those_that_shrink_are_errors(run):
    code, lines, errors = run(SEVERAL)
    assert (code, errors) == (0, "")
    assert lines[30:60] == [shrank(Path(f"{run.path}.{number}"), 60_000) for number in range(30, 60)]
    (rest,) = {*lines[:30], *lines[60:]}
    assert int(rest) > 0


FORKED = """
reading = pptpcap.iterate(path, batch_bytes=50_000, threads=1)
next(reading)
scan = batches.Batches.scan

def cut(self, *rest):
    os.truncate(path, 60_000)
    return scan(self, *rest)

batches.Batches.scan = cut
child = os.fork()
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
try:
    list(reading)
except pptpcap.CaptureError as error:
    print(error, flush=True)
"""


def test_map_is_guarded_in_a_forked_process_too(run):
    assert run(FORKED) == (0, [shrank(run.path, 60_000)] * 2, "")


# ---- what is nobody's capture, and other handlers

FOREIGN = {
    "before any": "foreign()[9_000]",
    "behind a reading": "read(); foreign()[9_000]",
    "in a reading": "other = foreign(); reading = pptpcap.iterate(path + '2', threads=1); next(reading); other[9_000]",
    "map let go": "mapped = foreign(); guard = guarded.Guard(mapped); guard.close(); mapped[9_000]",
    "beside a guarded map": "other = foreign(); guard = guarded.Guard(foreign(path + '2')); other[9_000]",
    "sent": "read(); os.kill(os.getpid(), signal.SIGBUS)",
    "sent in a reading": "reading = pptpcap.iterate(path, threads=1); next(reading); os.kill(os.getpid(), signal.SIGBUS)",
    "given back": "read(); signal.signal(signal.SIGBUS, signal.SIG_DFL); foreign()[9_000]",
    "ignored before": "signal.signal(signal.SIGBUS, signal.SIG_IGN); read(); foreign()[9_000]",
}


@pytest.mark.parametrize("program", FOREIGN.values(), ids=FOREIGN)
def test_foreign_map_that_shrinks_ends_the_process_as_ever(run, program):
    code, _, errors = run(program)
    assert (code, errors) == (-signal.SIGBUS, "")


HANDLERS = {
    "before": "faulthandler.enable(); read()",
    "behind": "read(); faulthandler.enable()",
    "between": "read(); faulthandler.enable(); read()",
    "again and again": "for _ in range(20): read(); faulthandler.enable(); read(); faulthandler.disable()\nfaulthandler.enable()",
}


@pytest.mark.parametrize("program", HANDLERS.values(), ids=HANDLERS)
def test_fault_handler_tells_of_a_foreign_map_once(run, program):
    code, _, errors = run(program + "\nforeign()[9_000]")
    assert code == -signal.SIGBUS
    assert errors.count("Fatal Python error: Bus error") == 1


def test_fault_handler_that_is_gone_does_not_stand_in_the_way(run):
    gone = "read(); faulthandler.enable(); read(); faulthandler.disable(); foreign()[9_000]"
    code, _, errors = run(gone)
    assert (code, errors) == (-signal.SIGBUS, "")


OWN = {
    "before": "libc.signal(signal.SIGBUS, ENDS); read()",
    "behind": "read(); libc.signal(signal.SIGBUS, ENDS)",
    "between": "read(); libc.signal(signal.SIGBUS, ENDS); read()",
}


@pytest.mark.parametrize("what", ["foreign()[9_000]", "os.kill(os.getpid(), signal.SIGBUS)"], ids=["fault", "sent"])
@pytest.mark.parametrize("program", OWN.values(), ids=OWN)
def test_own_handler_is_called_for_what_is_foreign(run, program, what):
    code, lines, errors = run(program + "\n" + what)
    assert (code, lines[-1], errors) == (7, "their own handler", "")


def test_signal_that_is_ignored_stays_so_where_it_is_sent(run):
    program = (
        "signal.signal(signal.SIGBUS, signal.SIG_IGN); read(); os.kill(os.getpid(), signal.SIGBUS); print('alive')"
    )
    code, lines, errors = run(program)
    assert (code, lines[-1], errors) == (0, "alive", "")


GUARDED = {name: program for name, program in HANDLERS.items() if name != "again and again"}


@pytest.mark.parametrize(
    "program", [*GUARDED.values(), *OWN.values()], ids=[*GUARDED, *(f"own, {name}" for name in OWN)]
)
def test_next_reading_is_guarded_whatever_handler_there_is(run, program):
    code, lines, errors = run(program + IN_A_SCAN)
    assert (code, lines[-1], errors) == (0, shrank(run.path, 8_192), "")


def test_file_that_shrinks_before_it_is_mapped_is_a_short_file(tmp_path, monkeypatch):
    path = tmp_path / "shrinks.pcap"
    path.write_bytes(MSS88.read_bytes())
    mapped = mmap.mmap

    def shrunken(descriptor, *how, **more):
        os.truncate(path, 5_000)
        return mapped(descriptor, *how, **more)

    monkeypatch.setattr(mmap, "mmap", shrunken)
    capture = pptpcap.read(path)
    assert (capture.summary.files[0].size, capture.summary.damaged) == (5_000, True)


@pytest.mark.parametrize("octets", [b"", b"\0"])
def test_file_of_hardly_anything(tmp_path, octets):
    path = tmp_path / "short.pcap"
    path.write_bytes(octets)
    assert len(Map(str(path), os.open(path, os.O_RDONLY)).data) == len(octets)


# ---- the tool


def test_random_truncations_kill_nobody():
    found = shrinks.run(count=10, size=1 << 20, threads=2, engine="compiled", seed=1)
    assert sum(found.values()) == 10
    assert not set(found) - {shrinks.WHOLE, shrinks.EARLY, shrinks.ERROR}

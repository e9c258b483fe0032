"""Threads that scan come to an end with their reading: at Ctrl-C, at errors, where it is given up; and how many there are."""

from __future__ import annotations

import _thread
import gc
import importlib
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import closing
from typing import Any

import pytest
from builder import Record, echo, gre, gre_frame, pcap, pcap_header, stream
from commands import call
from compressors import bgzf, gzip_plain, zstd_frames
from helpers import MODULES, issues, of_capture, same

import pptpcap
from pptpcap._input import chunks, fill, views, workers
from pptpcap._reading import batches, prescan

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))
MAIN = threading.main_thread()


@pytest.fixture
def ranges(monkeypatch):
    """Sets how long ranges are."""

    def chosen(octets: int) -> None:
        monkeypatch.setattr(batches, "_RANGE", octets)
        monkeypatch.setattr(batches, "_LEAST_RANGE", octets)
        monkeypatch.setattr(batches, "_LARGE_RANGE", octets)

    return chosen


def rows(data, threads, **more):
    return of_capture(pptpcap.read(data, threads=threads, **more))


@pytest.fixture
def left(monkeypatch):
    """How many of the threads that were begun in this test do not end, however late they run; `begun` are all."""
    give, work = workers.Crew.give, workers.Crew._work
    ended = threading.Semaphore(0)

    def given(self, call) -> None:
        before = len(self._members)
        give(self, call)
        counted.begun += len(self._members) - before

    def tracked(self, member) -> None:
        try:
            work(self, member)
        finally:
            ended.release()

    class Counted:
        begun = ended = 0

        def __call__(self) -> int:
            while self.ended < self.begun and ended.acquire(timeout=60):
                self.ended += 1
            return self.begun - self.ended

    counted = Counted()
    monkeypatch.setattr(workers.Crew, "give", given)
    monkeypatch.setattr(workers.Crew, "_work", tracked)
    return counted


class ThreadedEngine:
    """The compiled engine, whose caller does not scan twice before a thread has; scans in threads take a while, or fail."""

    def __init__(self, module, seconds: float = 0.0, error: BaseException | None = None, during=None) -> None:
        self.Assembler, self.find_record = module.Assembler, module.find_record
        self._scan, self._seconds, self._error, self._during = module.scan_range, seconds, error, during
        self._begun = threading.Event()
        self._by_the_caller = 0

    def scan_range(self, *arguments, **more):
        if threading.get_ident() != MAIN.ident:
            self._begun.set()
            time.sleep(self._seconds)
            if self._during is not None:
                self._during()
            if self._error is not None:
                raise self._error
        else:
            self._by_the_caller += 1
            # Or the caller has done all before a thread runs, where other processes are busy.
            assert self._by_the_caller == 1 or self._begun.wait(60)
        return self._scan(*arguments, **more)


@pytest.fixture
def threaded_engine(monkeypatch, ranges):
    def chosen(**more) -> None:
        module = importlib.import_module(MODULES["compiled"])
        threaded = ThreadedEngine(module, **more)
        real = importlib.import_module
        monkeypatch.setattr(
            "pptpcap._reading.api.importlib.import_module",
            lambda name, *rest: threaded if name == MODULES["compiled"] else real(name, *rest),
        )
        ranges(1_000)

    return chosen


DATA = pcap([FRAME] * 500)


def test_interrupt_is_heard_while_threads_scan(threaded_engine, left):
    """Of 32 ranges, those whose scans were begun are waited for, and no other is."""
    heard, scanned = threading.Event(), []

    def during() -> None:
        scanned.append(1)
        assert MAIN.ident is not None
        signal.pthread_kill(MAIN.ident, signal.SIGALRM)
        assert heard.wait(60)

    def interrupt(*_) -> None:
        if not heard.is_set():
            heard.set()
            raise KeyboardInterrupt

    threaded_engine(during=during)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            pptpcap.read(DATA, threads=3)
        assert not left()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert 1 <= len(scanned) <= 4


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("as it may be")])
def test_error_in_a_thread_is_the_readers(threaded_engine, error, left):
    threaded_engine(error=error)
    with pytest.raises(type(error)):
        pptpcap.read(DATA, threads=3)
    assert not left()


@pytest.mark.parametrize("allowed", [0, 1])
def test_threads_that_the_system_does_not_give(monkeypatch, ranges, allowed, left):
    """Their work is the caller's; what was begun is waited for."""
    ranges(1_000)
    whole = rows(DATA, 1)
    start, begun = _thread.start_new_thread, []

    def refused(*arguments):
        begun.append(arguments)
        if len(begun) > allowed:
            raise RuntimeError("can't start new thread")
        return start(*arguments)

    monkeypatch.setattr(_thread, "start_new_thread", refused)
    same(rows(DATA, 4), whole)
    assert len(begun) == allowed + 1
    assert not left()


def test_thread_that_never_comes_to_run(monkeypatch, ranges):
    """The system has no memory for its first step: its calls are the caller's, and it is not waited for long."""
    ranges(1_000)
    whole = rows(DATA, 1)
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 1)
    monkeypatch.setattr(workers, "_LATE", 0.01)
    same(rows(DATA, 3), whole)


def test_thread_that_comes_late_does_nothing(monkeypatch):
    waiting = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, arguments: waiting.append((function, arguments)))
    monkeypatch.setattr(workers, "_LATE", 0.01)
    late, made = workers.Crew(1), []
    late.give(workers.Task(lambda: made.append(1)))
    late.close()
    for function, arguments in waiting:
        function(*arguments)
    assert (made, len(waiting)) == ([], 1)


@pytest.mark.parametrize("refuses", [True, False])
def test_calls_that_were_made_keep_nothing_where_no_thread_runs(monkeypatch, refuses):
    """Their units would stay until the file ends."""

    class Unit:
        def __call__(self):
            return 7

    def start(*_):
        if refuses:
            raise RuntimeError("can't start new thread")
        return 1

    monkeypatch.setattr(_thread, "start_new_thread", start)
    monkeypatch.setattr(workers, "_LATE", 0.01)
    threads, kept = workers.Crew(1), []
    for _ in range(3):
        unit = Unit()
        kept.append(weakref.ref(unit))
        call = workers.Task(unit)
        threads.give(call)
        del unit
        assert workers.come_to(call, ()) == 7
    del call
    gc.collect()
    assert [reference() for reference in kept] == [None] * 3
    threads.close()


def test_iteration_that_is_given_up_leaves_no_thread(threaded_engine, tmp_path, left):
    threaded_engine(seconds=0.02)
    path = tmp_path / "capture"
    path.write_bytes(DATA)
    for source in (DATA, path):
        batches = pptpcap.iterate(source, batch_bytes=3_000, threads=3)
        next(batches)
        batches.close()
        assert not left()
        batches = pptpcap.iterate(source, batch_bytes=3_000, threads=3)
        next(batches)
        del batches
        gc.collect()
        assert not left()
    assert left.begun


def test_file_that_ends_early_leaves_no_thread(ranges, left):
    ranges(1_000)
    data = DATA[:9_000] + b"\xff" * 16 + DATA[9_000:]
    assert rows(data, 3).damaged
    assert not left()
    with pytest.raises(pptpcap.IssueError):
        pptpcap.read(data, threads=3, errors="raise")
    assert not left()


def test_so_many_ranges_are_held(monkeypatch, ranges):
    ranges(1_000)
    most = []
    begin = prescan.Ahead.begin

    def counted(self, *rest):
        begin(self, *rest)
        most.append(len(self._begun))

    monkeypatch.setattr(prescan.Ahead, "begin", counted)
    pptpcap.read(DATA, threads=3)
    assert max(most) == 4


def test_whoever_waits_for_a_scan_makes_another():
    begun, later = threading.Event(), threading.Event()

    def scan(_, wanted):
        if wanted.start == 10:
            begun.set()
            # Ends only when the range behind it was scanned, for which only the caller is left.
            assert later.wait(60)
        elif wanted.start == 20:
            later.set()
        return wanted.start

    # Numbers stand for scans here, and a container is not looked at.
    stretch: Any = prescan.Stretch
    view = views.Octets(bytes(40))
    scans: Any = prescan.Ahead(2, scan, lambda _, start, __: start, lambda _, __: 10)
    with closing(scans):
        scans.begin_behind(view, stretch(0, 10, None), 0)
        assert begun.wait(60)
        assert scans.take(stretch(10, 20, None)) == 10
        assert scans.take(stretch(20, 30, None)) == 20


def test_wrong_guesses_are_given_up_for_a_while(ranges, monkeypatch):
    """A file of nothing but captures in packets costs little more than the walk."""
    inner = pcap([FRAME] * 6)[24:]
    data = pcap([bytes(30) + inner * 5] * 2_000)
    ranges(1_000)
    whole = rows(data, 1)
    begun = []
    discard = prescan.Ahead.discard

    def counted(self):
        begun.append(len(self._begun))
        discard(self)

    monkeypatch.setattr(prescan.Ahead, "discard", counted)
    same(rows(data, 2), whole)
    # One guess in each of these was wrong, of 2,000 ranges.
    assert 0 < sum(begun) < 250


# ---- threads that decompress

COMPRESSED = [gzip_plain(DATA), bgzf(DATA), zstd_frames(DATA)]


@pytest.mark.parametrize("allowed", [0, 1])
def test_decompressing_threads_that_the_system_does_not_give(monkeypatch, allowed, left):
    whole = rows(DATA, 1)
    monkeypatch.setattr(chunks, "_ENOUGH", 3_000)
    monkeypatch.setattr(views, "CHUNK", 3_000)
    start, begun = _thread.start_new_thread, []

    def refused(*arguments):
        begun.append(arguments)
        if len(begun) > allowed:
            raise RuntimeError("can't start new thread")
        return start(*arguments)

    monkeypatch.setattr(_thread, "start_new_thread", refused)
    for octets in COMPRESSED:
        for threads in (1, 4):
            begun.clear()
            same(rows(octets, threads), whole)
            assert begun
    assert not left()


def test_decompressing_thread_that_never_comes_to_run(monkeypatch):
    whole = rows(DATA, 1)
    monkeypatch.setattr(chunks, "_ENOUGH", 3_000)
    monkeypatch.setattr(views, "CHUNK", 3_000)
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: 1)
    monkeypatch.setattr(workers, "_LATE", 0.01)
    for octets in COMPRESSED:
        for threads in (1, 3):
            same(rows(octets, threads), whole)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("as it may be")])
def test_error_in_a_decompressing_thread_is_the_readers(monkeypatch, error, left):
    def fails(_):
        raise error

    monkeypatch.setattr(fill, "unpacked", fails)
    with pytest.raises(type(error)):
        pptpcap.read(COMPRESSED[1], threads=3)
    monkeypatch.setattr(fill, "pieces", lambda *_: map(fails, [0]))
    with pytest.raises(type(error)):
        pptpcap.read(COMPRESSED[0], threads=3)
    assert not left()
    assert left.begun


def test_decompressing_that_is_given_up_leaves_no_thread(monkeypatch, left):
    monkeypatch.setattr(chunks, "_ENOUGH", 3_000)
    monkeypatch.setattr("pptpcap._input.views.CHUNK", 3_000)

    def slowly(unit):
        time.sleep(0.02)
        return chunks.unpacked(unit)

    monkeypatch.setattr(fill, "unpacked", slowly)
    for octets in COMPRESSED:
        for collected in (False, True):
            batches = pptpcap.iterate(octets, batch_bytes=2_000, threads=3)
            next(batches)
            if not collected:
                batches.close()
            del batches
            gc.collect()
            assert not left()
    assert left.begun >= 6


# ---- the face


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_refused(threads):
    with pytest.raises(ValueError, match="threads must be at least 1"):
        pptpcap.read(DATA, threads=threads)


def test_number_of_threads_is_a_number():
    with pytest.raises(TypeError):
        pptpcap.read(DATA, threads=1.5)  # type: ignore[arg-type]


def test_command(tmp_path):
    path = tmp_path / "capture.pcap"
    path.write_bytes(stream(*[echo(number) for number in range(1, 40)]))
    one, several = (call("messages", "--threads", threads, path) for threads in (1, 3))
    assert one == several
    assert len(one[1].splitlines()) == 39
    assert call("info", "--threads", "0", path)[0] == 2


def test_header_alone(ranges):
    ranges(1_000)
    assert rows(pcap_header(), 3).counters["packets"] == 0
    assert issues(rows(pcap([Record(b"")]), 3)) == [(1, "LINK", "FRAME_CUT", 14, 0)]


UNFINISHED = """
import sys
import pptpcap
from pptpcap._reading import batches
batches._RANGE = batches._LEAST_RANGE = batches._LARGE_RANGE = 1_000
unfinished = pptpcap.iterate(sys.argv[1], batch_bytes=3_000, threads=4)
next(unfinished)
print("ends")
"""


def test_a_program_that_did_not_finish_an_iteration_ends(tmp_path):
    """Threads stop where they want the lock of an interpreter that ends; whoever waited for them did so for ever."""
    path = tmp_path / "capture"
    path.write_bytes(DATA + DATA[24:] * 100)
    run = subprocess.run([sys.executable, "-c", UNFINISHED, path], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "ends\n", "")

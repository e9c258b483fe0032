"""The shim that makes calls for files fail does so to the call that is named, and to no other."""

from __future__ import annotations

import errno
import signal
import sys

import pytest
from commands import MSS88
from faults import Call, Fault, Forks, is_possible, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_possible(), reason="needs Linux of 64 bits and a C compiler")]

# Three calls on a file below the folder, and one beside it.
PROGRAM = """
import os, sys
inside, beside = sys.argv[1:]
file = os.open(inside, os.O_RDWR | os.O_CREAT)
os.close(os.open(beside, os.O_RDWR | os.O_CREAT))
for octets in (b"ab", b"cdef"):
    try:
        print(os.write(file, octets))
    except OSError as error:
        print(error.errno)
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "under").mkdir()

    def start(what="", at=0, times=1, calls=""):
        arguments = [tmp_path / "under" / "file", tmp_path / "beside"]
        return run([sys.executable, "-c", PROGRAM, *arguments], tmp_path / "under", Fault(what, at, times, calls))

    return start


def test_calls_below_the_folder_are_numbered(program, tmp_path):
    path = str(tmp_path / "under" / "file")
    done = program()
    assert done.calls == [Call("open", path), Call("write", path), Call("write", path)]
    assert (done.code, done.out.split(), done.err) == (0, ["2", "4"], "")
    assert program(calls="open close").calls == [Call("open", path)]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("ENOSPC", 2), [errno.ENOSPC, 4]),
        (("EIO", 3), [2, errno.EIO]),
        (("EIO", 2, 0), [errno.EIO, errno.EIO]),
        (("EIO", 2, 0, "write"), [2, errno.EIO]),
        (("EIO", 4), [2, 4]),
        (("short", 3), [2, 2]),
    ],
)
def test_the_call_with_that_number_fails(program, fault, said):
    done = program(*fault)
    assert [int(number) for number in done.out.split()] == said
    assert (done.code, done.err) == (0, "")


def test_an_open_that_fails(program, tmp_path):
    done = program("EACCES", 1)
    assert done.code == 1 and "PermissionError" in done.err
    assert not (tmp_path / "beside").exists()


def test_killed_before_the_call(program, tmp_path):
    done = program("SIGKILL", 3)
    assert done.code == -signal.SIGKILL
    assert (tmp_path / "under" / "file").read_bytes() == b"ab"


def test_interrupted_before_the_call(program, tmp_path):
    """Also where the tests run in the background of a shell, which ignores the signal there."""
    done = program("SIGINT", 3)
    assert "KeyboardInterrupt" in done.err and done.out == "2\n"
    with Forks() as forks:
        run = forks.run(["convert", "-o", tmp_path / "under" / "o", MSS88], tmp_path / "under", Fault("SIGINT", 1))
    assert (run.code, run.out) == (130, "")


def test_forks_are_as_processes_of_their_own(tmp_path):
    arguments = ["convert", "--format", "csv", "--table", "gre", "-o"]
    alone = run([sys.executable, "-m", "pptpcap", *arguments, tmp_path / "a" / "o", MSS88], tmp_path / "a")
    with Forks() as forks:
        forked = forks.run([*arguments, tmp_path / "b" / "o", MSS88], tmp_path / "b")
        again = forks.run([*arguments, tmp_path / "b" / "o", MSS88], tmp_path / "b", Fault("SIGKILL", 1))
        usage = forks.run(["convert"])
    assert (forked.code, forked.out.replace("b/o", "a/o"), forked.err) == (0, alone.out, "")
    assert [call.name for call in forked.calls] == [call.name for call in alone.calls]
    assert "rename" in {call.name.removesuffix("at") for call in forked.calls}
    assert (again.code, len(again.calls)) == (-signal.SIGKILL, 1)
    assert (usage.code, "Usage:" in usage.err) == (2, True)

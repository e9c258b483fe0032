"""What SIGINT, SIGTERM and SIGHUP do to each command, wherever it is.

A command that is to be met at some place waits there for a named pipe; nothing here depends on time.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from commands import COMMAND, MSS88

pytestmark = pytest.mark.slow

SIGNALS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
READING = {"info": [], "messages": [], "calls": [], "convert": ["--format", "npy", "-o", "out"]}
EACH = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)

CAPTURE = MSS88.read_bytes()
OUTPUTS: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
# More than a pipe holds, so that who wrote it knows that it is read.
MUCH = CAPTURE + CAPTURE[24:] * 20


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@contextlib.contextmanager
def started(pipe, *command: str | os.PathLike[str], **more: Any) -> Iterator[tuple[subprocess.Popen[bytes], io.FileIO]]:
    """A command that has opened the pipe, and the other end of it."""
    process: subprocess.Popen[bytes] = subprocess.Popen(command, cwd=pipe.parent, **OUTPUTS, **more)
    try:
        # Waits until it is opened.
        with open(pipe, "wb", buffering=0) as file:
            yield process, file
    finally:
        process.kill()
        process.communicate()


@functools.cache
def printed() -> bytes:
    """The messages of all that is written."""
    return subprocess.run([*COMMAND, "messages", "-"], input=MUCH, stdout=subprocess.PIPE, check=True).stdout


def ended(process) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


# ---- while a command reads


@EACH
@pytest.mark.parametrize("octets", [MUCH, gzip.compress(MUCH, 0)], ids=["plain", "gzip"])
@pytest.mark.parametrize("command", READING)
def test_while_it_reads(pipe, command, octets, number):
    """Nothing is said, and nothing is left; what messages has printed by then is the beginning of all."""
    with started(pipe, *COMMAND, command, *READING[command], pipe) as (process, file):
        file.write(octets)
        process.send_signal(number)
        code, out, err = ended(process)
    assert (code, err) == (SIGNALS[number], b"")
    assert printed().startswith(out) if command == "messages" else out == b""
    assert os.listdir(pipe.parent) == ["pipe"]


@pytest.mark.parametrize("command", READING)
def test_twice_while_it_reads(pipe, command):
    with started(pipe, *COMMAND, command, *READING[command], pipe) as (process, file):
        file.write(CAPTURE[:1_000])
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (143, b"", b"")
    assert os.listdir(pipe.parent) == ["pipe"]


@EACH
def test_while_it_reads_standard_input(number):
    process = subprocess.Popen([*COMMAND, "info", "-"], stdin=subprocess.PIPE, **OUTPUTS)
    assert process.stdin is not None
    process.stdin.write(MUCH)
    process.send_signal(number)
    assert ended(process) == (SIGNALS[number], b"", b"")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_signals_that_were_ignored_from_the_start(pipe, number):
    """By nohup, or by a shell that runs the command behind itself."""

    def ignoring():
        signal.signal(number, signal.SIG_IGN)

    with started(pipe, *COMMAND, "info", pipe, preexec_fn=ignoring) as (process, file):
        process.send_signal(number)
        file.write(CAPTURE)
        process.send_signal(number)
        file.close()
        code, out, err = ended(process)
    assert (code, err) == (0, b"")
    assert out.startswith(b"files\n")


# ---- while decapsulate writes

# A signal that comes between two calls of Python is heard before the next; in the middle of `read` it might not be.
WAIT = """
def wait(name):
    import os, select
    file = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    while not select.select([file], [], [], 0.05)[0]:
        pass
"""

WAITING = """
import sys
from pptpcap._output import whole
from pptpcap.decapsulate import writer
{WAIT}

where, kind = sys.argv.pop(1), sys.argv.pop(1)
if where == "sync":
    whole.os.fsync = lambda _: wait("pipe")
else:
    writer.PcapWriter.write = lambda *_: wait("pipe")
if where == "clean-up":
    discard, waited = whole.WholeFile._discard, []
    def discard_late(self):
        if not waited:
            waited.append(1)
            wait("second")
        discard(self)
    whole.WholeFile._discard = discard_late
if kind == "named" and hasattr(whole.os, "O_TMPFILE"):
    del whole.os.O_TMPFILE
from pptpcap.cli import main
main()
"""


@pytest.fixture
def decapsulating(pipe):
    """Words of a command that waits for the pipe; it has a password, without which it writes nothing."""
    secret = pipe.with_name("secret")
    secret.write_text("labpass1")
    secret.chmod(0o600)

    def words(where, kind, *more):
        arguments = ["decapsulate", MSS88, "-o", "out", "--password-file", "secret", *more]
        return [sys.executable, "-c", WAITING.replace("{WAIT}", WAIT), where, kind, *arguments]

    return words


@EACH
@pytest.mark.parametrize(
    ("where", "kind", "before"),
    [
        ("write", "unnamed", None),
        ("write", "named", b"before"),
        ("sync", "named", None),
        ("sync", "unnamed", b"before"),
    ],
)
def test_while_decapsulate_writes(pipe, decapsulating, where, kind, before, number):
    """The file is as it was, or is not there."""
    out = pipe.with_name("out")
    if before is not None:
        out.write_bytes(before)
    names = sorted(os.listdir(pipe.parent))
    with started(pipe, *decapsulating(where, kind, "--overwrite")) as (process, _):
        process.send_signal(number)
        assert ended(process) == (SIGNALS[number], b"", b"")
    assert sorted(os.listdir(pipe.parent)) == names
    assert before is None or out.read_bytes() == before


@EACH
@pytest.mark.parametrize(("kind", "before"), [("unnamed", None), ("named", None), ("unnamed", b"before")])
def test_while_extract_writes(pipe, kind, before, number):
    """Likewise, though all is written and only to be synced."""
    out = pipe.with_name("out")
    if before is not None:
        out.write_bytes(before)
    names = sorted(os.listdir(pipe.parent))
    waiting = [sys.executable, "-c", WAITING.replace("{WAIT}", WAIT), "sync", kind]
    with started(pipe, *waiting, "extract", MSS88, "-o", "out", "--overwrite") as (process, _):
        process.send_signal(number)
        assert ended(process) == (SIGNALS[number], b"", b"")
    assert sorted(os.listdir(pipe.parent)) == names
    assert before is None or out.read_bytes() == before


@EACH
@pytest.mark.parametrize("second", SIGNALS, ids=lambda number: number.name)
def test_a_second_signal_does_not_end_the_clean_up(pipe, decapsulating, second, number):
    """It comes while the clean-up waits, and is passed over; the code is that of the first."""
    os.mkfifo(pipe.with_name("second"))
    with started(pipe, *decapsulating("clean-up", "named")) as (process, _):
        process.send_signal(number)
        with pipe.with_name("second").open("wb"):
            assert len(os.listdir(pipe.parent)) == 4
            process.send_signal(second)
            process.send_signal(second)
        assert ended(process) == (SIGNALS[number], b"", b"")
    assert sorted(os.listdir(pipe.parent)) == ["pipe", "second", "secret"]


# ---- before and behind

STARTING = WAIT + "wait({!r})\n"


@EACH
@pytest.mark.parametrize(
    ("module", "command"),
    [("click", "info"), *(("numpy", name) for name in [*READING, "decapsulate", "extract"])],
)
def test_while_modules_are_imported(pipe, command, module, number):
    """One of them waits for the pipe."""
    folder = pipe.with_name("modules")
    folder.mkdir()
    (folder / f"{module}.py").write_text(STARTING.format(str(pipe)))
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    # A wrong usage would import neither.
    options = READING.get(command, ["-o", "out"])
    with started(pipe, *COMMAND, command, *options, MSS88, env=environment) as (process, _):
        process.send_signal(number)
        assert ended(process) == (SIGNALS[number], b"", b"")


@EACH
def test_nobody_reads_the_output(number):
    """What waits to be written is given up, though nobody closes the pipe."""
    ours, theirs = os.pipe()
    with open(ours, "rb"), open(theirs, "wb"):
        command = [*COMMAND, "messages", *[str(MSS88)] * 80]
        process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE)
        # Until the pipe is full.
        while select.select([], [theirs], [], 0)[1]:
            assert process.poll() is None
        # The pipe may be full just before the call that will wait for it, which then does not hear the signal.
        while process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
        assert process.communicate()[1] == b""
        assert process.returncode == SIGNALS[number]


@EACH
def test_what_was_printed_before_is_written(pipe, number):
    """The first of two captures is printed before the second is read, though into a buffer only."""
    with started(pipe, sys.executable, "-c", PRINTING, pipe) as (process, _):
        process.send_signal(number)
        assert ended(process) == (SIGNALS[number], b"printed\n", b"")


PRINTING = """
import sys
from pptpcap.cli import info, main
def printing(*arguments, **more):
    sys.stdout.write("printed\\n")
    return batches(*arguments, **more)
batches, info.batches = info.batches, printing
sys.argv.insert(1, "info")
main()
"""


@pytest.mark.parametrize("arguments", [["info", MSS88], ["info", "no such file"]], ids=["done", "failed"])
def test_while_python_ends(arguments):
    """When it clears its modules, it has given signals with a handler back their default action."""
    codes = [
        subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False).returncode
        for code in (ENDING.format(late=""), ENDING.format(late="late = Late()"))
    ]
    assert codes[0] == codes[1] >= 0


ENDING = """
import os, signal
class Late:
    def __del__(self, kill=os.kill, process=os.getpid(), number=signal.SIGTERM):
        kill(process, number)
{late}
from pptpcap.cli import main
main()
"""

"""``pptpcap messages`` on what is still being written: a pipe, and a file with --follow.

Nothing depends on time: a packet is written when the line of the message before has come.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from commands import COMMAND, MSS88, call

pytestmark = pytest.mark.slow

OCTETS = MSS88.read_bytes()
# In a process of its own: one in this process would have later ones ignore signals.
LINES = subprocess.run(
    [*COMMAND, "messages", "--json", MSS88], stdout=subprocess.PIPE, check=True, text=True
).stdout.splitlines(keepends=True)
# Where the record of each message begins, and the end.
STARTS = [*(json.loads(line)["record_offset"] for line in LINES), len(OCTETS)]
FIRST = 3


@contextmanager
def started(*words: Any, **more: Any) -> Iterator[subprocess.Popen[str]]:
    command = [*COMMAND, "messages", "--json", *words]
    process: subprocess.Popen[str] = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def flushed(octets: bytes, compressor: Any) -> bytes:
    return bytes(compressor.compress(octets) + compressor.flush(zlib.Z_SYNC_FLUSH))


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("named", [False, True], ids=["standard input", "named pipe"])
def test_a_pipe(tmp_path, named, compressed):
    """The packet of each of the first messages waits for the line of the message before."""
    compressor = zlib.compressobj(wbits=31)
    ours, theirs = os.pipe()
    source: Any = "-"
    if named:
        os.close(ours)
        os.close(theirs)
        source = tmp_path / "pipe"
        os.mkfifo(source)
    with started(source, stdin=subprocess.DEVNULL if named else ours) as process:
        if named:
            theirs = os.open(source, os.O_WRONLY)
        else:
            os.close(ours)
        with open(theirs, "wb", buffering=0) as pipe:
            for start, stop, expected in zip([0, *STARTS[1:FIRST]], STARTS[1 : FIRST + 1], LINES, strict=False):
                part = OCTETS[start:stop]
                pipe.write(flushed(part, compressor) if compressed else part)
                assert line(process) == expected
            part = OCTETS[STARTS[FIRST] :]
            pipe.write(compressor.compress(part) + compressor.flush() if compressed else part)
        assert ended(process) == (0, "".join(LINES[FIRST:]), "")


def test_a_file_that_is_rotated(tmp_path):
    """It grows, another has its name, and that is begun anew."""
    path = tmp_path / "vpn.pcap"
    path.write_bytes(OCTETS[: STARTS[1]])
    with started("--follow", path) as process:
        assert line(process) == LINES[0]
        with path.open("ab") as file:
            file.write(OCTETS[STARTS[1] : STARTS[2]])
        assert line(process) == LINES[1]
        (tmp_path / "new").write_bytes(OCTETS[:24] + OCTETS[STARTS[2] : STARTS[3]])
        (tmp_path / "new").rename(path)
        third = json.loads(line(process))
        assert third == json.loads(LINES[2]) | {"file": 1, "record_offset": 24}
        read = path.stat().st_size
        path.write_bytes(OCTETS[:24] + OCTETS[STARTS[3] : STARTS[4]])
        assert json.loads(line(process)) == json.loads(LINES[3]) | {"file": 2, "record_offset": 24}
        assert process.stderr is not None
        said = process.stderr.readline()
        assert f"{path}: packet 25, offset {read}: the file was begun anew after {read} octets of it were read" in said
        process.send_signal(signal.SIGINT)
        assert ended(process) == (130, "", "")


def test_files_of_a_pattern(tmp_path):
    with started("-f", str(tmp_path / "vpn*.pcap"), cwd=tmp_path) as process:
        assert ended(process)[0] == 1
    (tmp_path / "vpn9.pcap").write_bytes(OCTETS[: STARTS[1]])
    with started("-f", "vpn*.pcap", cwd=tmp_path) as process:
        assert line(process) == LINES[0]
        (tmp_path / "vpn10.pcap").write_bytes(OCTETS[:24] + OCTETS[STARTS[1] : STARTS[2]])
        assert json.loads(line(process)) == json.loads(LINES[1]) | {"file": 1, "record_offset": 24}


def test_damage_is_told_at_once(tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(OCTETS[: STARTS[1]] + b"\xff" * 16)
    with started("--follow", path) as process:
        assert process.stderr is not None
        assert f"{path}: damaged: " in process.stderr.readline()
        assert line(process) == LINES[0]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signals_end_it(tmp_path, number):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(OCTETS)
    with started("--follow", path) as process:
        assert [line(process) for _ in LINES] == LINES
        process.send_signal(number)
        assert ended(process) == (128 + number, "", "")


def test_nobody_reads_the_lines_any_more(tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(OCTETS[: STARTS[1]])
    with started("--follow", path) as process:
        assert line(process) == LINES[0]
        assert process.stdout is not None
        process.stdout.close()
        with path.open("ab") as file:
            file.write(OCTETS[STARTS[1] :])
        assert process.wait(timeout=60) == 141


@pytest.mark.parametrize("words", [["-"], [MSS88, MSS88], ["--sort", MSS88]], ids=["input", "two", "sort"])
def test_wrong_usage(words):
    code, out, err = call("messages", "--follow", *words)
    assert (code, out) == (2, "")
    assert "--follow needs one FILE, which is a path or a quoted pattern, and no --sort." in err

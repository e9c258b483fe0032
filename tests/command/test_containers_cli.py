"""Compressed files, pipes and files that change, at the command line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import pytest
from commands import MSS88, call, shell
from compressors import bzip2_plain, gzip_members, lz4_plain, xz_streams, zstd_frames

pytestmark = pytest.mark.slow

OCTETS = MSS88.read_bytes()


@pytest.mark.parametrize("compress", [gzip_members, zstd_frames, lz4_plain, xz_streams, bzip2_plain])
def test_standard_input_may_be_compressed(tmp_path, compress):
    path = tmp_path / "found"
    path.write_bytes(compress(OCTETS))
    name = compress.__name__.partition("_")[0].replace("zstd", "zstd or lz4")
    assert f"    pcap in {name}, little-endian, times in us, " in call("info", path)[1]
    expected = call("messages", MSS88)
    assert call("messages", path) == expected
    for line in (f"cat {path} | $P messages -", f"$P messages - < {path}", f"$P messages <(cat {path})"):
        run = shell(line)
        assert (run.returncode, run.stdout, run.stderr) == expected, line
    (part,) = {
        shell(line).stdout
        for line in (f"head -c 3000 {path} | $P messages -", f"head -c 3000 {path} > {path}2; $P messages {path}2")
    }
    assert expected[1].startswith(part)


def test_substituted_processes_are_one_capture(tmp_path):
    run = shell(f"$P info <(cat {MSS88}) - <(cat {MSS88}) < {MSS88}")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count("15,764 octets, 109 packets") == 3


def test_standard_input_can_be_read_once_and_must_be_there():
    code, out, err = call("info", "-", "-")
    assert (code, out) == (2, "")
    assert "- is standard input, which can be read only once." in err
    run = shell("$P info - <&-")
    assert (run.returncode, run.stdout, run.stderr) == (1, "", "pptpcap: -: there is no standard input\n")


def test_devices_and_others_are_refused_at_once(tmp_path):
    for path, name in (("/dev/zero", "a device"), ("/dev/null", "a device"), (tmp_path, "a directory")):
        code, _, err = call("info", path)
        assert code == 1
        assert f"found {name}, expected a pcap or pcapng file" in err
    run = shell(
        "$P info - < /dev/zero",
    )
    assert run.returncode == 1
    assert "found the magic number 00000000" in run.stderr


@pytest.mark.parametrize("written", [None, gzip_members(OCTETS)[:500]], ids=["no writer", "some octets"])
def test_interrupt_is_heard_while_a_pipe_is_waited_for(tmp_path, written):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = [sys.executable, "-c", WAITS_FOR_A_WRITER, "info", pipe]
    run = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with contextlib.ExitStack() as open_until_the_end:
        if written is not None:
            open_until_the_end.enter_context(open(pipe, "wb", buffering=0)).write(written)
        # It has opened the pipe.
        assert run.stderr is not None and run.stderr.read(1) == b"."
        run.send_signal(signal.SIGINT)
        assert run.communicate(timeout=60) == (b"", b"")
        assert run.returncode == 130


WAITS_FOR_A_WRITER = """
import os, sys
from pptpcap._input import opening
from pptpcap.cli import main
before = opening._open_pipe
def announced(*arguments):
    descriptor = before(*arguments)
    os.write(2, b".")
    return descriptor
opening._open_pipe = announced
main()
"""


SHRINKS = """
import os, sys
from pptpcap._reading import batches
from pptpcap.cli import main
step = batches.Batches.step
def shrinking(self, view, *rest):
    # After the check, which would see it: what a map cannot survive.
    view.check = lambda: os.truncate(sys.argv[-1], 5000)
    return step(self, view, *rest)
batches.Batches.step = shrinking
main()
"""


def test_file_that_shrinks_ends_in_an_error_and_no_dead_process(tmp_path):
    path = tmp_path / "shrinks"
    octets = OCTETS + OCTETS[24:] * 1000
    path.write_bytes(octets)
    run = subprocess.run(
        [sys.executable, "-c", SHRINKS, "info", str(path)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 1
    words = f"found the end of the file, which shrank while it was read, expected {len(octets)} octets"
    assert words in run.stderr

"""How a command ends: its exit code, one line on standard error, whatever its outputs are."""

from __future__ import annotations

import os
import subprocess

import pytest
from click.testing import CliRunner
from commands import COMMAND, MSS88, call, shell

import pptpcap


@pytest.mark.parametrize("command", ["info", "messages"])
def test_what_is_no_capture_is_one_line_and_1(tmp_path, command):
    missing = tmp_path / "missing.pcap"
    assert call(command, missing) == (1, "", f"pptpcap: {missing}: No such file or directory\n")
    words = "at offset 0: found a directory, expected a pcap or pcapng file"
    assert call(command, tmp_path) == (1, "", f"pptpcap: {tmp_path}: {words}\n")
    assert call(command, "no*such") == (1, "", "pptpcap: no*such: no file matches the pattern\n")
    for octets in (b"", b"some text", b"\x1f\x8b\x08", b"\x1c\x00\x01\xac", bytes(10)):
        missing.write_bytes(octets)
        code, out, err = call(command, missing)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert err.startswith(f"pptpcap: {missing}: at offset 0: found ")


def test_lines_of_a_good_file_stand_before_a_bad_one(tmp_path):
    code, out, err = call("messages", MSS88, tmp_path / "missing")
    assert code == 1
    assert err.count("\n") == 1
    assert out == "" or len(out.splitlines()) == 17


@pytest.mark.parametrize("command", ["info", "messages"])
def test_damaged_input_is_finished_and_3(tmp_path, engine, command):
    path = tmp_path / "cut.pcap"
    octets = MSS88.read_bytes()
    path.write_bytes(octets[:3000])
    code, out, err = call(command, "--engine", engine, path)
    assert code == 3
    assert out
    place = "packet 31, offset 2998: the file ends inside a record: it needs 16 octets, 2 are left"
    assert err == f"pptpcap: {path}: damaged: {place}\n"
    path.write_bytes(octets + b"\xff" * 16)
    code, _, err = call(command, "--engine", engine, path)
    assert code == 3
    assert "a record claims 4294967295 captured octets" in err


@pytest.mark.parametrize(
    "arguments", [["info"], ["nope"], ["info", "--nope", "x"], ["info", "--port", "0", "x"], ["schema", "nope"], []]
)
def test_wrong_usage_is_2(arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: pptpcap" in err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["info", "-h"], ["messages", "--help"]])
def test_help_is_fine(arguments):
    code, out, err = call(*arguments)
    assert (code, err) == (0, "")
    assert "pptpcap" in out


def test_version_is_the_packages():
    assert call("--version")[1] == f"pptpcap {pptpcap.__version__}\n"


def test_help_fits_and_names_the_exit_codes():
    from pptpcap.cli.program import program

    text = " ".join(CliRunner().invoke(program, ["--help"]).output.split())
    assert "0 success, 1 failure, 2 wrong usage, 3 finished but the input is damaged" in text


def test_reader_that_goes_away_ends_it_quietly():
    run = shell(f"$P messages --json {' '.join([str(MSS88)] * 40)} | head -n 1")
    assert (run.returncode, run.stderr) == (141, "")
    assert len(run.stdout.splitlines()) == 1


def test_standard_input_is_a_file(tmp_path):
    octets = MSS88.read_bytes()
    expected = subprocess.run([*COMMAND, "messages", str(MSS88)], capture_output=True, check=True).stdout
    run = subprocess.run([*COMMAND, "messages", "-"], input=octets, capture_output=True, check=True)
    assert (run.stdout, run.stderr) == (expected, b"")
    os.mkfifo(tmp_path / "pipe")
    piped = shell(f"cat {MSS88} > {tmp_path}/pipe & $P messages - < {tmp_path}/pipe")
    assert (piped.returncode, piped.stdout) == (0, expected.decode())
    run = subprocess.run([*COMMAND, "info", "-"], input=b"", capture_output=True)
    assert run.returncode == 1
    assert run.stderr == b"pptpcap: <stdin>: at offset 0: found an empty file, expected a pcap or pcapng file\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("command", ["schema", f"messages {MSS88}", f"info {MSS88}"])
def test_full_disk_is_one_line_and_1(command):
    run = shell(f"$P {command} > /dev/full")
    assert run.returncode == 1
    assert run.stderr == "pptpcap: No space left on device\n"


def test_closed_outputs():
    assert shell(f"$P info {MSS88} >&-").stderr == "pptpcap: there is no standard output\n"
    assert shell(f"$P info {MSS88} >&-").returncode == 1
    run = shell("$P info /nowhere 2>&-")
    assert (run.returncode, run.stdout) == (1, "")
    run = shell("$P nope 2>&-")
    assert (run.returncode, run.stdout) == (2, "")


def test_output_that_knows_ascii_only(tmp_path):
    path = tmp_path / "Größe.pcap"
    path.write_bytes(MSS88.read_bytes())
    run = shell(f"$P info '{path}'", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert run.returncode == 0
    assert "Gr\\xf6\\xdfe.pcap" in run.stdout


def test_console_script_is_the_same_command():
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="pptpcap")
    assert script.value == "pptpcap.cli:main"

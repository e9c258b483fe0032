"""The file with the password: what of it counts, who may read it, and that it is nothing else."""

from __future__ import annotations

import os
import subprocess

import pytest
from commands import COMMAND, MSS88, call, shell

WRITTEN = "all calls\n  14  inner IP packets written\n  31  PPP control packets\n"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"labpass1\n")
    path.chmod(0o600)
    return path


def run(secret, *more):
    """Exit code, what was written to standard error, and whether the password was right."""
    out = secret.with_name("out.pcap")
    code, said, err = call("decapsulate", MSS88, "-o", out, "--overwrite", "--password-file", secret, *more)
    return code, err, said == WRITTEN


# ---- what of it counts


@pytest.mark.parametrize(
    "octets",
    [
        b"labpass1",
        b"labpass1\n",
        b"labpass1\r\n",
        b"labpass1\nanything\xff",
        b"\xef\xbb\xbflabpass1\r\n",
    ],
)
def test_the_first_line_without_its_end_and_without_a_byte_order_mark(secret, octets):
    secret.write_bytes(octets)
    assert run(secret) == (0, "", True)


@pytest.mark.parametrize(
    "octets",
    [b"labpass1 \n", b"labpass1\t\n", b" labpass1\n", b"labpass1\r\r\n", b"\xef\xbb\xbf\xef\xbb\xbflabpass1\n"],
)
def test_white_space_is_part_of_it(secret, octets):
    secret.write_bytes(octets)
    assert run(secret) == (0, "", False)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\n",
        b"\r\n",
        b"\nlabpass1",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\nlabpass1",
        b"x" * 1_025,
        b"x" * 9_999,
        b"lab\xffpass1",
    ],
)
def test_files_that_hold_none(secret, octets):
    secret.write_bytes(octets)
    code, err, _ = run(secret)
    assert code == 2
    assert err.splitlines()[-1].endswith(("a password of 1 to 1024 octets.", "is not UTF-8."))
    assert "pass1" not in err and "xxx" not in err and "xff" not in err
    assert os.listdir(secret.parent) == ["secret"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_longest(secret, mark, end):
    secret.write_bytes(mark + b"x" * 1_024 + end)
    assert run(secret) == (0, "", False)


def test_the_command_line_takes_no_password():
    code, out, _ = call("decapsulate", "--help")
    assert code == 0
    assert "--password-file" in out and "--password " not in out


# ---- who may read it


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_others_may_not_read_it(secret, mode):
    secret.chmod(mode)
    said = f"pptpcap: {secret}: others may read this password: chmod 600, or --insecure\n"
    assert run(secret) == (1, said, False)
    assert os.listdir(secret.parent) == ["secret"]
    assert run(secret, "--insecure") == (0, "", True)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o611])
def test_its_owner_may(secret, mode):
    secret.chmod(mode)
    assert run(secret) == (0, "", True)


def test_a_link_is_as_safe_as_what_it_leads_to(secret, tmp_path):
    (tmp_path / "link").symlink_to(secret)
    assert run(tmp_path / "link") == (0, "", True)
    secret.chmod(0o644)
    assert run(tmp_path / "link")[0] == 1


# ---- where it may come from


def test_a_pipe_lies_nowhere(secret):
    """As process substitution gives it, or by name with whatever mode; it need not come to its end."""
    out = secret.with_name("out.pcap")
    done = shell(f"$P decapsulate {MSS88} -o {out} --password-file <(echo labpass1)")
    assert (done.returncode, done.stdout, done.stderr) == (0, WRITTEN, "")
    pipe = secret.with_name("pipe")
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    arguments = ["decapsulate", MSS88, "-o", out, "--overwrite", "--password-file", pipe]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    with open(pipe, "wb", buffering=0) as file:
        file.write(b"labpass1\n")
        assert process.communicate(timeout=60)[0] == WRITTEN


def test_standard_input(secret):
    out = secret.with_name("out.pcap")
    command = f"$P decapsulate {MSS88} -o {out} --overwrite --password-file -"
    for line in (f"echo labpass1 | {command}", f"{command} < {secret}"):
        done = shell(line)
        assert (done.returncode, done.stdout, done.stderr) == (0, WRITTEN, "")
    secret.chmod(0o644)
    assert shell(f"{command} < {secret}").returncode == 1
    assert shell(f"{command} <&-").stderr == "pptpcap: -: there is no standard input\n"


def test_a_terminal_would_show_it(secret):
    mine, theirs = os.openpty()
    try:
        arguments = ["decapsulate", MSS88, "-o", secret.with_name("out.pcap"), "--password-file", "-"]
        done = subprocess.run([*COMMAND, *arguments], stdin=theirs, capture_output=True, text=True, timeout=60)
    finally:
        os.close(mine)
        os.close(theirs)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: The password cannot come from a terminal, which would show it."


def test_it_is_not_there(tmp_path):
    missing = tmp_path / "missing"
    assert run(missing) == (1, f"pptpcap: {missing}: No such file or directory\n", False)


# ---- what it must not be


@pytest.mark.parametrize("kind", ["path", "link", "hard link"])
def test_it_is_neither_output_nor_capture(secret, kind):
    other = secret if kind == "path" else secret.with_name("other")
    if kind == "link":
        other.symlink_to(secret)
    elif kind == "hard link":
        os.link(secret, other)
    before = sorted(os.listdir(secret.parent))
    options = ["--overwrite", "--insecure", "--password-file", secret]
    for arguments in ([MSS88, "-o", other], [MSS88, other, "-o", secret.with_name("out.pcap")]):
        code, out, err = call("decapsulate", *arguments, *options)
        assert (code, out) == (2, "")
        assert err.splitlines()[-1] == f"Error: The password file is also {other}."
    assert secret.read_bytes() == b"labpass1\n"
    assert sorted(os.listdir(secret.parent)) == before

"""The file that is written, the function and the command: whole or absent, and without the secret."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from typing import Any

import pytest
from builder import gre, gre_frame, pcap
from commands import MSS88, call
from payloads import inner_of
from places import CAPTURES

import pptpcap.decapsulate as decapsulation
from pptpcap._reading.api import batches
from pptpcap.decapsulate import Outcome, decapsulate
from pptpcap.decapsulate.writer import PcapWriter

# Magic for nanoseconds, 2.4, two zeros, snap length, link type RAW.
HEADER = bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 00000400 65000000".replace(" ", ""))


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password"
    path.write_text("labpass1\n")
    path.chmod(0o600)
    return path


def records(path):
    data = path.read_bytes()
    assert data[:24] == HEADER
    at = 24
    while at < len(data):
        seconds, nanoseconds, captured, original = (
            int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4, 8, 12)
        )
        assert captured == original <= len(data) - at - 16
        yield seconds * 10**9 + nanoseconds, data[at + 16 : at + 16 + captured]
        at += 16 + captured


# ---- the file


def test_a_file_of_nanoseconds(tmp_path):
    path = tmp_path / "out.pcap"
    with PcapWriter(str(path)) as writer:
        writer.write(1_000_000_001, b"abc")
        # Not a time, and one that the format cannot hold.
        writer.write(-(1 << 63), b"d")
        writer.write(5_000_000_000 * 10**9, b"")
        assert not path.exists()
    first = bytes.fromhex("01000000 01000000 03000000 03000000".replace(" ", "")) + b"abc"
    second = bytes(8) + b"\1\0\0\0\1\0\0\0d"
    assert path.read_bytes() == HEADER + first + second + bytes(16)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["out.pcap"]


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "out.pcap"
    path.write_bytes(b"before")
    with contextlib.suppress(ZeroDivisionError), PcapWriter(str(path), overwrite=True) as writer:
        writer.write(1 // 0, b"abc")
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["out.pcap"]


@pytest.mark.parametrize("octets", [3, 3 << 20])
def test_a_disk_that_is_full(tmp_path, octets):
    """It is told when the file is closed, or when the buffer is full."""
    path = tmp_path / "out.pcap"

    def fill():
        with PcapWriter(str(path)) as writer, open("/dev/full", "wb") as full:
            os.dup2(full.fileno(), writer._file.fileno())
            writer.write(0, bytes(octets))

    with pytest.raises(OSError, match="No space") as caught:
        fill()
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == []


# ---- what is refused before anything is read


def test_sources_that_cannot_be_read_twice(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="is a pipe"):
        decapsulate(pipe, tmp_path / "out.pcap")
    with pytest.raises(ValueError, match="not a file object"):
        decapsulate(io.BytesIO(MSS88.read_bytes()), tmp_path / "out.pcap")
    code, _, err = call("decapsulate", "-", "-o", tmp_path / "out.pcap")
    assert code == 2 and "read twice" in err
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.fixture(params=["path", "link", "hard link", "other spelling"])
def again(request, tmp_path):
    """A function that gives another name of a file."""

    def name(path):
        other = tmp_path / "other"
        if request.param == "path":
            return path
        if request.param == "other spelling":
            return path.parent / ".." / path.parent.name / path.name
        if request.param == "link":
            other.symlink_to(path)
        else:
            os.link(path, other)
        return other

    return name


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_the_output_is_no_input(tmp_path, again, overwrite):
    path = tmp_path / "in.pcap"
    path.write_bytes(MSS88.read_bytes())
    out = again(path)
    before = sorted(os.listdir(tmp_path))
    for files in ([path], [MSS88, path], [tmp_path / "i*.pcap"]):
        code, _, err = call("decapsulate", *files, "-o", out, *overwrite)
        assert code == 2 and "one of the files that are read" in err
    assert path.read_bytes() == MSS88.read_bytes()
    assert sorted(os.listdir(tmp_path)) == before


def test_nothing_is_replaced_unasked(tmp_path):
    out = tmp_path / "out.pcap"
    out.write_bytes(b"before")
    said = f"pptpcap: {out}: is there already, and is not to be overwritten\n"
    assert call("decapsulate", MSS88, "-o", out) == (1, "", said)
    with pytest.raises(FileExistsError):
        decapsulate(MSS88, out)
    assert out.read_bytes() == b"before"
    assert call("decapsulate", MSS88, "-o", out, "--overwrite")[0] == 0
    assert out.read_bytes() == HEADER
    assert decapsulate(MSS88, out, password="labpass1", overwrite=True).packets == 14
    assert len(list(records(out))) == 14


# ---- the whole road


def test_one_capture_with_both_engines(engine, tmp_path):
    out = tmp_path / "out.pcap"
    result = decapsulate(MSS88, out, password="labpass1", engine=engine)
    assert result.packets == 14
    assert result.counts == {Outcome.WRITTEN: 14, Outcome.CONTROL: 31}
    assert result.calls == {0: result.counts}
    assert list(records(out)) == inner_of(MSS88, "labpass1").packets


def test_octets_and_several_files_are_sources(tmp_path):
    out = tmp_path / "out.pcap"
    assert decapsulate(MSS88.read_bytes(), out, password="labpass1").packets == 14
    both = [MSS88, CAPTURES / "pap_plain_snaplen96.pcap"]
    more: dict[str, Any] = {"password": "labpass1", "overwrite": True}
    result = decapsulate(both, out, **more)
    assert result.packets == 14 + 13 == len(list(records(out)))
    assert [decapsulate(both, out, calls=[row], **more).packets for row in (0, 1)] == [14, 13]


def test_calls_that_are_not_there(tmp_path):
    out = tmp_path / "out.pcap"
    with pytest.raises(IndexError, match="no call 1; the capture has 1"):
        decapsulate(MSS88, out, calls=[0, 1])
    with pytest.raises(IndexError, match="no call -1"):
        decapsulate(MSS88, out, calls=[-1])
    assert not out.exists()


def test_the_command_with_a_password(tmp_path, secret):
    out = tmp_path / "out.pcap"
    code, said, err = call("decapsulate", MSS88, "-o", out, "--password-file", secret)
    assert (code, err) == (0, "")
    assert said == "all calls\n  14  inner IP packets written\n  31  PPP control packets\n"
    assert len(list(records(out))) == 14
    assert b"labpass1" not in out.read_bytes()


def test_the_command_with_a_wrong_password(tmp_path):
    path = tmp_path / "password"
    path.write_bytes(b"labpass2\r\n")
    path.chmod(0o600)
    code, said, err = call("decapsulate", MSS88, "-o", tmp_path / "out.pcap", "--password-file", path, "--call", 0)
    assert (code, err) == (0, "")
    assert "  14  encrypted, and the password does not answer the challenge of the login\n" in said
    assert (tmp_path / "out.pcap").read_bytes() == HEADER
    assert "labpass" not in said


def test_a_damaged_capture_gives_what_is_before(tmp_path, secret):
    path = tmp_path / "in.pcap"
    path.write_bytes(MSS88.read_bytes()[:-7])
    code, said, err = call("decapsulate", path, "-o", tmp_path / "out.pcap", "--password-file", secret)
    assert code == 3 and "damaged" in err and "inner IP packets written" in said


def test_no_capture_and_no_place_to_write(tmp_path):
    path = tmp_path / "in.pcap"
    path.write_bytes(b"nothing of the kind at all")
    assert call("decapsulate", path, "-o", tmp_path / "out.pcap")[0] == 1
    assert call("decapsulate", MSS88, "-o", tmp_path / "no" / "out.pcap")[0] == 1
    assert os.listdir(tmp_path) == ["in.pcap"]


def test_packets_without_any_call_control(tmp_path):
    ipv4 = bytes.fromhex("4500001400010000403b00000a0000010a000002")
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap([gre_frame(gre(b"\x21" + ipv4, sequence=1))]))
    result = decapsulate(path, tmp_path / "out.pcap")
    assert result.packets == 1
    assert [octets for _, octets in records(tmp_path / "out.pcap")] == [ipv4]


def test_a_capture_that_changes_between_the_readings(tmp_path):
    """Numbers of packets and tunnels of both belong together."""
    path = tmp_path / "in.pcap"
    path.write_bytes(MSS88.read_bytes())

    def grow(_):
        with path.open("ab") as file:
            file.write(MSS88.read_bytes()[24:])

    with pytest.raises(OSError, match="changed while it was read") as caught:
        decapsulate(path, tmp_path / "out.pcap", watch=grow)
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == ["in.pcap"]


@pytest.mark.parametrize("after", [1, 2])
def test_tunnels_that_the_first_reading_did_not_see(tmp_path, monkeypatch, after):
    """The capture has so many files more in the second reading: it ends in the same error, not in another one."""
    path = tmp_path / "in.pcap"
    path.write_bytes(MSS88.read_bytes())
    real, more = batches, CAPTURES / "pap_plain_snaplen96.pcap"

    def growing(several, **options):
        if "gre" in options["tables"]:
            os.utime(path, ns=(0, 0))
            several = [*several, *[more] * after]
        return real(several, **options)

    monkeypatch.setattr(decapsulation, "batches", growing)
    with pytest.raises(OSError, match="changed while it was read"):
        decapsulate(path, tmp_path / "out.pcap")


def test_lines_of_so_many_calls(tmp_path):
    path = tmp_path / "in.pcap"
    packet = gre(b"\x21" + bytes.fromhex("4500001400010000403b00000a0000010a000002"), sequence=1)
    path.write_bytes(pcap(gre_frame(packet, bytes((10, 1, 0, number))) for number in range(25)))

    def listed(*options):
        code, said, err = call("decapsulate", path, "-o", tmp_path / "out.pcap", "--overwrite", *options)
        assert (code, err) == (0, "")
        assert said.startswith("all calls\n  25  inner IP packets written\n")
        return [line for line in said.splitlines() if line.startswith(("call ", "..."))]

    assert listed() == [*(f"call {number}" for number in range(20)), "... and 5 more (--limit 0 shows all)"]
    assert listed("--limit", 24)[-1] == "... and 1 more (--limit 0 shows all)"
    assert listed("--limit", 0) == listed("--limit", 25) == [f"call {number}" for number in range(25)]

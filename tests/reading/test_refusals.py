"""Files that are no capture, or none that is read: each is refused with its place and the reason."""

from __future__ import annotations

import os
import socket
import struct
import tempfile
from pathlib import Path

import pytest

import pptpcap

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def refused(what, offset, found, engine="compiled"):
    with pytest.raises(pptpcap.CaptureError) as caught:
        pptpcap.read(what, engine=engine)
    error = caught.value
    assert (error.offset, error.found) == (offset, found)
    assert error.expected
    assert str(error.path) in str(error)


@pytest.mark.parametrize(
    ("octets", "offset", "found"),
    [
        (b"", 0, "an empty file"),
        (b"time,packet\n1,2\n", 0, "text"),
        ("Grüße\n".encode(), 0, "text"),
        (b"\xef\xbb\xbfwith a byte-order mark", 0, "text"),
        ("ü".encode() * 40, 0, "text"),
        (b"a", 0, "text"),
        (b"\x00\x01", 0, "2 octets"),
        (b"\x7fELF\x02\x01", 0, "the magic number 7f454c46"),
        (b"\x1b[31m\x00\x00", 0, "the magic number 1b5b3331"),
        (HEADER[:4], 4, "the end of the file"),
        (HEADER[:23], 23, "the end of the file"),
        (HEADER[:4] + b"\x02\x00\x03\x00" + HEADER[8:], 4, "pcap version 2.3"),
        (HEADER[:4] + b"\x1f\x02\x00\x00" + HEADER[8:], 4, "pcap version 543.0"),
        (b"\xa1\xb2\xc3\xd4\x00\x02\x00\x05" + bytes(16), 4, "pcap version 2.5"),
        (b"\n\r\r\n a text that begins oddly", 8, "no byte-order magic, as pcapng would have"),
        (b"\n\r\r\n", 4, "no byte-order magic, as pcapng would have"),
    ],
)
def test_what_is_no_capture_is_refused_with_place_and_reason(octets, offset, found):
    refused(octets, offset, found)


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"\x1c\x00\x01\xac" + bytes(24), "an IXIA capture in nanoseconds"),
        (b"\xab\x01\x00\x1c" + bytes(24), "an IXIA capture in microseconds"),
        (b"\xa1\x2b\x3c\x4d" + bytes(24), "a Navtel capture"),
        (b"\xcd\x34\xb2\xa1" + bytes(24), "a pcap file of the reserved kind a1b234cd"),
        (b"\xa1\xb2\xc3\xcb" + bytes(24), "a pcap file of the reserved kind a1b2c3cb"),
        (b"TRSNIFF data    \x1a" + bytes(24), "a Sniffer capture"),
        (b"XCP\x00002.002", "a capture of Sniffer for Windows or NetXRay"),
        (b"\x01\x00\x50\x00\x01\x00\x00\x00NetScaler V20 Performance Data", "a NetScaler trace"),
        (bytes.fromhex("00000000 00f15365 02 04 0050 0000 003c"), "what may be an ERF file"),
        (b"PK\x05\x06" + bytes(18), "a zip archive without a file"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive"),
        (b"Rar!\x1a\x07\x01\x00", "a rar archive"),
        (b"\x1f\x9d\x90", "data of compress"),
    ],
)
def test_formats_that_are_not_read_are_refused_by_name(octets, name):
    refused(octets, 0, f"{name}, which this version does not read")


def test_what_is_no_file_is_refused_and_nothing_hangs(tmp_path, monkeypatch):
    sock = "sock"
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sock)
        refused(sock, 0, "a socket")
    refused(tmp_path, 0, "a directory")
    refused("/dev/zero", 0, "a device")
    with pytest.raises(FileNotFoundError):
        pptpcap.read(tmp_path / "missing")


def test_unreadable_file_is_an_error_of_the_system():
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "secret.pcap"
        path.write_bytes(HEADER)
        path.chmod(0)
        try:
            # Root may read everything, so the test is nobody for a moment.
            if user == 0:
                os.seteuid(65534)
            with pytest.raises(PermissionError) as caught:
                pptpcap.read(path, engine="reference")
        finally:
            os.seteuid(user)
    assert caught.value.filename == str(path)

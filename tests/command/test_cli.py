"""The command line: what it says, and what it escapes."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from builder import CLIENT6, SERVER6, Conversation, control, echo, stream
from commands import ALL15, MSS88, NO_REPLY, call
from helpers import names_of
from places import CAPTURES

import pptpcap
from pptpcap._show import words
from pptpcap.wire.control import HEADER, MESSAGES

# ESC, a line end, C1, quotes and a backslash, then octets behind the first zero.
HOSTILE = b'\x1b[31mred\r\n\x9b\x7f"\\' + "\u202e\u2028".encode() + b"\0tail"
HOSTILE_TEXT = '\\x1b[31mred\\x0d\\x0a\\x9b\\x7f"\\\\\\xe2\\x80\\xae\\xe2\\x80\\xa8'
HOSTILE_NAME = "\x1b]0;owned\x07\u202e\x85\n\udcff.pcap"
HOSTILE_NAME_SHOWN = "\\x1b]0;owned\\x07\\u202e\\u0085\\x0a\\xff.pcap"


def request(host=b"host", vendor=b"vendor"):
    body = struct.pack(">HHIIHH64s64s", 0x0102, 0, 1, 2, 3, 4, host, vendor)
    return control(1, body)


def safe(text):
    """Whether nothing but lines of printable characters is in it."""
    return all(line.isprintable() for line in text.split("\n"))


# ---- info


def test_info_says_what_is_in_a_capture(engine):
    code, out, err = call("info", "--engine", engine, ALL15)
    assert (code, err) == (0, "")
    for line in (
        str(ALL15),
        "pcap, little-endian, times in us, link type ETHERNET, snap length 262,144",
        "6,986 octets, 66 packets",
        "2026-11-22 13:18:48.965220",
        "span      1.604 s",
        "10.78.0.2:39506 > 10.78.0.1:1723",
        "ended by a FIN of the initiator",
        'initiator: 7 messages in 424 octets, version 1.0, firmware 258, host "synth-pns.example", vendor "scapy synth"',
        "4294967293 to 1",
    ):
        assert line in out
    assert re.search(r"gre_packets +22  Enhanced GRE", out)
    assert re.search(r"0 +2  CDN call_disconnect_notify", out)
    assert re.search(r"checksums_offloaded +17  of these, checksum left to the sender's network card", out)
    assert re.search(
        r"2  VIOLATION  PPP PPP_OPTION +first: packet 22, offset 2294: an option of a PPP packet claims 6 octets, 4 are left",
        out,
    )
    assert not any(line != line.rstrip() for line in out.splitlines())


def test_info_of_nothing(engine, tmp_path):
    path = tmp_path / "empty.pcap"
    path.write_bytes(MSS88.read_bytes()[:24])
    code, out, err = call("info", "--engine", engine, path)
    assert (code, err) == (0, f"pptpcap: {path}: packet 1, offset 24: the file holds no packets\n")
    assert out.count("  none") == 4
    assert "CONTAINER NO_PACKETS" in out


def test_info_of_several_files_is_one_capture():
    code, out, _ = call("info", MSS88, NO_REPLY, ALL15)
    assert code == 0
    assert re.search(r"packets +229\n", out)
    assert out.count("link type ETHERNET") == 3
    code, out, _ = call("info", "--limit", "1", MSS88, NO_REPLY)
    assert "... and 1 more" in out
    # Both calls have id 0 towards the server: that makes two tunnels.
    assert "... and 3 more" in out
    assert call("info", CAPTURES / "*.pcap")[0] == 0


def test_info_tells_the_worst_issues_first():
    _, out, _ = call("info", CAPTURES / "found" / "vlan_overlap.pcap")
    told = out[out.index("\nissues\n") :].split("\n")[2:-1]
    assert [line.split()[1:4] for line in told] == [["LOSS", "TCP", "GAP"], ["NOTE", "TCP", "OUT_OF_WINDOW"]]
    assert "responder: 6 messages in 528 octets, 4 retransmitted, 1 gap, version" in out


@pytest.mark.parametrize(
    ("nanoseconds", "digits", "expected"),
    [
        (1_499_999, 3, "0.001 s"),
        (1_500_000, 3, "0.002 s"),
        (12_549_999_999, 1, "12.5 s"),
        (12_550_000_000, 1, "12.6 s"),
        (0, 1, "0.0 s"),
        (119_949_999_999, 1, "119.9 s"),
        # Two minutes and more.
        (119_950_000_000, 1, "0:02:00"),
        (299_990_000_000, 3, "0:05:00"),
        (3_600_000_000_000, 3, "1:00:00"),
        (86_399_499_999_999, 3, "23:59:59"),
        (86_399_500_000_000, 3, "1 d 0:00:00"),
    ],
)
def test_durations_are_rounded(nanoseconds, digits, expected):
    assert words.duration(nanoseconds, digits) == expected


def test_info_and_messages_tell_of_a_wrong_checksum(tmp_path):
    """The words of segment and pseudo header add up to 953A without the checksum."""
    path = tmp_path / "wrong.pcap"
    path.write_bytes(Conversation().handshake().client(0, echo(1), checksum=0x1561).pcap())
    _, out, _ = call("info", path)
    assert re.search(
        r"1  VIOLATION  TCP BAD_CHECKSUM +first: packet 4, offset 234: the TCP checksum is 0x1561, 0x6AC5 would", out
    )
    _, out, _ = call("messages", path)
    assert out.endswith("[BAD_CHECKSUM]\n")


def test_info_counts_what_is_no_known_message(tmp_path):
    path = tmp_path / "odd.pcap"
    path.write_bytes(
        stream(control(99, b"1234"), control(0, b"", message_type=2), echo(1), control(5, b"", message_type=7))
    )
    _, out, _ = call("info", path)
    for name in ("control-type-99", "management", "message-type-7", "ECHORQ echo_request"):
        assert re.search(rf"1 +0  {name}\n", out), name


# ---- messages


def test_messages_are_lines_for_people(engine):
    code, out, err = call("messages", "--engine", engine, NO_REPLY)
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 12)
    assert lines[0] == (
        "2026-11-22 12:44:46.853928      8  10.77.0.2:38596 > 10.77.0.1:1723  SCCRQ    protocol_version=1.0 "
        "framing_capabilities=3 (asynchronous, synchronous) bearer_capabilities=3 (analog, digital) "
        'maximum_channels=65535 firmware_revision=1 host_name="local" vendor_name="cananian"'
    )
    assert lines[10].endswith("10.77.0.2:38596 > 10.77.0.1:1723  StopCCRQ reason=1 (none)")
    assert "10.77.0.1:1723 > 10.77.0.2:38596  ECHORP   identifier=3 result_code=1 (OK) error_code=0 (none)" in lines[11]


def test_every_kind_of_message_shows_every_field_that_is_not_reserved():
    _, out, _ = call("messages", ALL15)
    for message in MESSAGES:
        line = next(line for line in out.splitlines() if f"  {message.abbreviation} " in line)
        for field in message.fields:
            shown = field not in HEADER and not field.name.startswith("reserved")
            assert (f" {field.name}=" in line) == shown, (message.name, field.name)
        assert not line.endswith("]")
    assert "connect_speed=56000 bit/s" in out
    assert "packet_processing_delay=0.5 s" in out
    assert "physical_channel_id=0x0000A0B0" in out
    assert "disconnect" not in out


def test_json_has_every_field(engine):
    code, out, _ = call("messages", "--json", "--engine", engine, ALL15)
    documents = [json.loads(line) for line in out.splitlines()]
    capture = pptpcap.read(ALL15)
    assert code == 0
    assert len(documents) == len(capture.messages) == 17
    seen = set()
    for index, (document, row) in enumerate(zip(documents, capture.messages, strict=True)):
        message = next(message for message in MESSAGES if message.code == row["control_message_type"])
        body = capture[message.name][row["row"]]
        seen.add(message.code)
        assert document["index"] == index
        assert document["message"] == message.abbreviation
        assert document["status"] == []
        for name in ("packet", "record_offset", "connection", "from_initiator", "segments", "available", "file"):
            assert document[name] == row[name]
        for field in message.fields:
            expected = body[field.name] if field not in HEADER else row[field.name]
            if field.kind == "text":
                assert document[field.name] == expected.decode()
                assert f"{field.name}_hex" not in document
            else:
                assert document[field.name] == expected
    assert len(seen) == 15
    first = documents[0]
    assert first["time"] == "2026-11-22T13:18:49.305743000Z"
    assert (first["source_address"], first["source_port"]) == ("10.78.0.2", 39506)
    assert (first["destination_address"], first["destination_port"]) == ("10.78.0.1", 1723)


def test_what_is_not_in_the_capture_is_null(engine, tmp_path):
    path = tmp_path / "cut.pcap"
    talk = Conversation().handshake().client(0, request(b"hostname"), snap=31)
    path.write_bytes(talk.pcap())
    document = json.loads(call("messages", "--json", "--engine", engine, path)[1])
    assert document["available"] == 31
    assert document["status"] == ["CUT"]
    assert document["firmware_revision"] == 4
    assert document["host_name"] == "hos"
    assert document["vendor_name"] is None
    line = call("messages", path)[1]
    assert 'host_name="hos"... [CUT]' in line
    assert "vendor_name" not in line
    path.write_bytes(Conversation().handshake().client(0, request(), snap=25).pcap())
    document = json.loads(call("messages", "--json", "--engine", engine, path)[1])
    assert (document["bearer_capabilities"], document["maximum_channels"]) == (2, None)


def test_unknown_messages_have_a_line(engine, tmp_path):
    path = tmp_path / "odd.pcap"
    path.write_bytes(stream(control(99, b"1234"), control(0, b"", message_type=2), control(7, b"12")))
    _, out, _ = call("messages", "--engine", engine, path)
    assert [re.split("1723  ", line)[1] for line in out.splitlines()] == [
        "control-type-99 [UNKNOWN_TYPE]",
        "management [MANAGEMENT]",
        "OCRQ     call_id=12594 [WRONG_LENGTH]",
    ]
    _, out, _ = call("messages", "--json", "--engine", engine, path)
    documents = [json.loads(line) for line in out.splitlines()]
    assert [document["message"] for document in documents] == ["control-type-99", "management", "OCRQ"]
    assert "call_id" not in documents[0]
    assert documents[2]["minimum_bps"] is None


def test_reserved_fields_show_where_they_are_not_zero(tmp_path):
    path = tmp_path / "reserved.pcap"
    path.write_bytes(stream(control(12, struct.pack(">HH", 1, 0)), control(12, struct.pack(">HH", 1, 7))))
    _, out, _ = call("messages", path)
    assert [line.rpartition("CCRQ ")[2].strip() for line in out.splitlines()] == ["call_id=1", "call_id=1 reserved1=7"]


def test_bit_sets_and_unknown_codes_in_words(tmp_path):
    path = tmp_path / "codes.pcap"
    body = struct.pack(">HHIIHH64s64s", 0x0100, 0, 0, 5, 0, 0, b"", b"")
    path.write_bytes(stream(control(1, body), control(3, b"\x09\0\0\0")))
    _, out, _ = call("messages", path)
    assert "framing_capabilities=0 (none) bearer_capabilities=5 (analog)" in out
    assert "reason=9 (unknown)" in out


def test_ipv6_ends_are_in_brackets(tmp_path):
    path = tmp_path / "six.pcap"
    path.write_bytes(Conversation(client=CLIENT6, server=SERVER6).handshake().client(0, echo(1)).pcap())
    assert "[2001:db8::2]:40000 > [2001:db8::1]:1723" in call("messages", path)[1]


def test_messages_stream_in_small_batches_alike(monkeypatch):
    whole = call("messages", MSS88, NO_REPLY)
    monkeypatch.setattr("pptpcap.cli.messages._BATCH_BYTES", 100)
    monkeypatch.setattr("pptpcap.cli.message_lines._SLICE", 2)
    assert call("messages", MSS88, NO_REPLY) == whole
    jsons = call("messages", "--json", MSS88, NO_REPLY)[1].splitlines()
    assert [json.loads(line)["index"] for line in jsons] == list(range(29))
    assert {json.loads(line)["file"] for line in jsons} == {0, 1}


def test_nanoseconds_show_where_the_file_has_them(tmp_path):
    path = tmp_path / "nano.pcap"
    path.write_bytes(Conversation().handshake().client(0, echo(1)).pcap(nanoseconds=True))
    assert call("messages", path)[1].startswith("2020-09-13 12:26:43.000021000 ")


# ---- what others chose is escaped


@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["messages"], ["messages", "--json"]])
def test_text_from_the_wire_is_escaped(engine, tmp_path, command):
    path = tmp_path / "hostile.pcap"
    path.write_bytes(stream(request(HOSTILE, HOSTILE)))
    code, out, _ = call(*command, "--engine", engine, path)
    assert code == 0
    assert safe(out)
    if command == ["info", "--json"]:
        (connection,) = json.loads(out)["connections"]["rows"]
        assert connection["initiator_host_name"] == connection["initiator_vendor_name"] == HOSTILE_TEXT
    elif "--json" in command:
        document = json.loads(out)
        assert document["host_name"] == HOSTILE_TEXT
        assert bytes.fromhex(document["host_name_hex"]) == HOSTILE
        assert document["status"] == ["TEXT_TAIL"]
    else:
        assert '"' + HOSTILE_TEXT.replace('"', '\\"') + '"' in out


@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["messages"]])
def test_names_of_files_are_escaped(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    octets = MSS88.read_bytes()
    Path(HOSTILE_NAME).write_bytes(octets[:-1])
    code, out, err = call(*command, HOSTILE_NAME)
    assert code == 3
    assert safe(out + err)
    if command == ["info", "--json"]:
        assert [file["path"] for file in json.loads(out)["files"]] == [HOSTILE_NAME_SHOWN]
    assert err.startswith(f"pptpcap: {HOSTILE_NAME_SHOWN}: damaged: packet 109, offset ")
    for content in (b"text", None):
        Path(HOSTILE_NAME).unlink()
        if content:
            Path(HOSTILE_NAME).write_bytes(content)
        code, out, err = call(*command, HOSTILE_NAME)
        assert (code, out) == (1, "")
        assert safe(err)
        assert err.startswith(f"pptpcap: {HOSTILE_NAME_SHOWN}: ")
        assert err.count("\n") == 1
        Path(HOSTILE_NAME).touch()


@pytest.mark.parametrize(
    "arguments", [["\x1b[31m"], ["schema", "\x1b[31m\u202e"], ["info", "--\x1b[31m"], ["info", "x", "--port", "\x1b"]]
)
def test_arguments_are_escaped_in_the_word_on_usage(arguments):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert safe(err)


def test_escape_is_one_to_one():
    every = "".join(map(chr, range(0x3000))) + "\udc80\udcff\ud800\U000e0001\\x1b"
    shown = words.escape(every)
    assert shown.isprintable()
    assert len({words.escape(character) for character in set(every)}) == len(set(every))
    octets = bytes(range(1, 256))
    text = words.escape_octets(octets)
    assert text.isascii()
    assert text.isprintable()
    assert (
        re.sub(r"\\(x..|\\)", lambda found: chr(int(found[1][1:], 16)) if found[1] != "\\" else "\\", text).encode(
            "latin-1"
        )
        == octets
    )


# ---- schema


def test_schema_lists_tables_and_columns():
    code, out, _ = call("schema")
    assert code == 0
    for name in pptpcap.schema.TABLE_NAMES:
        assert f"\n{name} " in out
        code, page, _ = call("schema", name)
        assert code == 0
        for column in names_of(pptpcap.schema.dtype(name)):
            assert f"\n{column} " in page
    page = call("schema", "outgoing_call_reply")[1]
    assert re.search(
        r"connect_speed +uint32 +bit/s +actual speed of the call +RFC 2637 section 2.8 +pptp.connect_speed", page
    )
    assert "4 busy" in page
    assert "46 SKIPPED" in call("schema", "issues")[1]


def test_schema_as_json():
    documents = json.loads(call("schema", "--json")[1])
    assert [document["table"] for document in documents] == list(pptpcap.schema.TABLE_NAMES)
    (one,) = json.loads(call("schema", "connections", "--json")[1])
    assert one["columns"][0]["shape"] == [16]
    end = next(column for column in one["columns"] if column["name"] == "end")
    assert end["values"]["2"] == "RST"

"""What stands in the cells of an exported table: text, times, addresses, numbers and nulls, each typed by hand."""

from __future__ import annotations

import csv
import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from builder import Conversation, Record, control, cut, echo, ethernet, gre, gre_frame, ipv6, pcap, stream
from call_builder import Session, clear, octets, outgoing_reply, outgoing_request, packet, packets
from cells import KEYS
from commands import MSS88, call
from pcapng_builder import started, tsoffset, tsresol
from vectors import CONTROL_HEX

from pptpcap import schema
from pptpcap.export import convert
from pptpcap.export.formats import Format

# npy is the array itself, with its octets and zeros, and stands in tests/export/test_convert.py.
TEXTUAL = ("parquet", "arrow", "csv", "jsonl")
SCCRQ = CONTROL_HEX[1]
TABLE = "start_control_connection_request"
LCP = bytes.fromhex("ff03c02109010008a1b2c3d4")


def opened(path) -> pa.Table:
    return pa.parquet.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()


def rows(source, folder, table: str, format_name: Format, **more) -> list[dict[str, Any]]:
    """The cells of each row as the format has them, codes as numbers; a time of Parquet and Arrow as ns since 1970."""
    convert(source, folder, format=format_name, tables=[table], **{"codes": True, **more})
    path = folder / f"{table}.{format_name}"
    if format_name == "csv":
        with open(path, newline="", encoding="ascii") as file:
            return list(csv.DictReader(file, strict=True))
    if format_name == "jsonl":
        return [json.loads(line) for line in path.read_text("ascii").splitlines()]
    read = opened(path)
    for index, field in enumerate(read.schema):
        if pa.types.is_timestamp(field.type):
            assert field.type == pa.timestamp("ns", tz="UTC")
            read = read.set_column(index, field.name, read.column(index).cast(pa.int64()))
    found: list[dict[str, Any]] = read.to_pylist()
    return found


def cells(format_name: str, **typed) -> dict[str, Any]:
    """The same in CSV: all of it text, and nothing for null."""
    words = {None: "", True: "true", False: "false"}
    texts = {k: words[v] if v is None or isinstance(v, bool) else str(v) for k, v in typed.items()}
    return texts if format_name == "csv" else typed


def among(row: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {name: row[name] for name in expected} == expected


def request(host: bytes, vendor: bytes = b"") -> bytes:
    """A Start-Control-Connection-Request with these names."""
    return SCCRQ[:28] + host.ljust(64, b"\0") + vendor.ljust(64, b"\0")


# ---- text from the wire

# octets, the text, and the cell of a spreadsheet where it is another
TEXT = [
    (b"", "", None),
    (b"pns.example", "pns.example", None),
    (b"x" * 64, "x" * 64, None),
    (b"  two blanks  ", "  two blanks  ", None),
    (b" !#$%&()*/0:;<>?AZ[]^_`az{|}~", " !#$%&()*/0:;<>?AZ[]^_`az{|}~", None),
    # quotes, commas
    (b'say "hi", ok', 'say "hi", ok', None),
    (b'"', '"', None),
    (b"''", "''", None),
    (b",,,", ",,,", None),
    # the backslash, and what looks like an escape
    (b"\\", "\\\\", None),
    (b"\\x41", "\\\\x41", None),
    (b"\\\\n", "\\\\\\\\n", None),
    (b"C:\\new", "C:\\\\new", None),
    # what a terminal obeys
    (b"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07", None),
    (b"\x9b31m", "\\x9b31m", None),
    (b"a\nb\r\nc", "a\\x0ab\\x0d\\x0ac", None),
    (b"\b\x7f\x1f\x20", "\\x08\\x7f\\x1f ", None),
    # zeros in front of something else, and in front of nothing
    (b"a\0b", "a\\x00b", None),
    (b"\0hidden", "\\x00hidden", None),
    (b"\0\0\0", "", None),
    (b"a\0\0", "a", None),
    # octets that are no ASCII, among them an override of the direction of writing
    (b"\xff\x80\x00\xfe", "\\xff\\x80\\x00\\xfe", None),
    (b"Gr\xc3\xbc\xc3\x9fe", "Gr\\xc3\\xbc\\xc3\\x9fe", None),
    (b"\xe2\x80\xaegpj", "\\xe2\\x80\\xaegpj", None),
    # what a spreadsheet takes for a formula
    (b"=1+1", "=1+1", "\\x3d1+1"),
    (b"+1", "+1", "\\x2b1"),
    (b"-1", "-1", "\\x2d1"),
    (b"@SUM(A1)", "@SUM(A1)", "\\x40SUM(A1)"),
    (b"=", "=", "\\x3d"),
    (b"==", "==", "\\x3d="),
    (b"=HYPERLINK(\"http://a\",\"b\")", '=HYPERLINK("http://a","b")', '\\x3dHYPERLINK("http://a","b")'),
    (b"|calc", "|calc", "\\x7ccalc"),
    (b"|", "|", "\\x7c"),
    (b"||", "||", "\\x7c|"),
    (b"a=1", "a=1", None),
    (b"a|calc", "a|calc", None),
    (b"'=1", "'=1", None),
    (b'"=1', '"=1', None),
    # the same behind white space, which a spreadsheet may take off
    (b" =1+1", " =1+1", " \\x3d1+1"),
    (b" +1", " +1", " \\x2b1"),
    (b" -1", " -1", " \\x2d1"),
    (b" @SUM(A1)", " @SUM(A1)", " \\x40SUM(A1)"),
    (b" |calc", " |calc", " \\x7ccalc"),
    (b"   ==", "   ==", "   \\x3d="),
    (b" \\=1", " \\\\=1", None),
    (b" a=1", " a=1", None),
    (b"   ", "   ", None),
    (b"\t=1", "\\x09=1", None),
    (b"\n=1", "\\x0a=1", None),
    (b"\v=1", "\\x0b=1", None),
    (b"\f=1", "\\x0c=1", None),
    (b"\r=1", "\\x0d=1", None),
    (b"\r\n=1", "\\x0d\\x0a=1", None),
    (b"\x85=1", "\\x85=1", None),
    (b"\xa0=1", "\\xa0=1", None),
    (b"\xc2\xa0=1", "\\xc2\\xa0=1", None),
    (b"\xe2\x80\x83=1", "\\xe2\\x80\\x83=1", None),
    (b"\xe3\x80\x80|calc", "\\xe3\\x80\\x80|calc", None),
    (b" \t =1", " \\x09 =1", None),
    (b"\0=1", "\\x00=1", None),
    # a sign of full width
    (b"\xef\xbc\x9d1", "\\xef\\xbc\\x9d1", None),
    # what other readers take for something else
    (b"null", "null", None),
    (b"true", "true", None),
    (b"NaN", "NaN", None),
    (b"0012", "0012", None),
    (b"%s%n{0}", "%s%n{0}", None),
    (b"</script>&amp;", "</script>&amp;", None),
]  # fmt: skip


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_text(tmp_path, format_name):
    found = rows(stream(*(request(text, text[::-1]) for text, _, _ in TEXT)), tmp_path, TABLE, format_name)
    expected = [cell if format_name == "csv" and cell is not None else text for _, text, cell in TEXT]
    assert [row["host_name"] for row in found] == expected
    # numbers that were seen stand beside them, whatever the names are
    assert {str(row["firmware_revision"]) for row in found} == {"515"}


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_text_goes_back_to_its_octets(tmp_path, format_name):
    every = [bytes([octet, 0x41, octet ^ 0x5C, octet]) for octet in range(1, 256)] + [bytes([0, n]) for n in (1, 92)]
    found = rows(stream(*(request(text) for text in every)), tmp_path, TABLE, format_name)

    def octets_of(cell: str) -> bytes:
        assert cell.isascii() and cell.isprintable()
        told = re.sub(r"\\(\\|x[0-9a-f]{2})", lambda m: "\\" if m[1] == "\\" else chr(int(m[1][1:], 16)), cell)
        return told.encode("latin-1")

    assert [octets_of(row["host_name"]) for row in found] == every


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_text_of_connections_and_calls(tmp_path, format_name):
    """The same octets stand in other tables too, and are as harmless there."""
    hostile = b'=1\x1b,"\\'
    text, cell = '=1\\x1b,"\\\\', '\\x3d1\\x1b,"\\\\'
    shown = cell if format_name == "csv" else text
    (row,) = rows(stream(request(hostile)), tmp_path / "a", "connections", format_name)
    assert row["initiator_host_name"] == shown
    said = packet("c021", 5, hostile.hex())
    login = packet("c023", 1, f"{len(hostile):02x}{hostile.hex()} 00")
    (row,) = rows(pcap(packets((0, said), (0, login))), tmp_path / "b", "calls", format_name, identities=True)
    assert (row["pns_terminate_reason"], row["pns_name"]) == (shown, shown)


def test_lines_of_csv_octet_for_octet(tmp_path):
    """A text that is empty is quoted, and one that was not seen is not."""
    said = [(0, request(b'a "b"', b"c,d"), 156), (156, request(b"-"), 156), (312, request(b"", b"x"), 92)]
    talk = Conversation().handshake()
    for position, message, snap in said:
        talk.client(position, message, snap=snap)
    convert(talk.pcap(), tmp_path, format="csv", tables=[TABLE, "echo_request"], codes=True)
    assert (tmp_path / f"{TABLE}.csv").read_bytes() == (
        b"row,message,length,message_type,magic_cookie,control_message_type,reserved0,protocol_version,reserved1,"
        b"framing_capabilities,bearer_capabilities,maximum_channels,firmware_revision,host_name,vendor_name\n"
        b'0,0,156,1,439041101,1,0,256,0,1,2,0,515,"a ""b""","c,d"\n'
        b'1,1,156,1,439041101,1,0,256,0,1,2,0,515,\\x2d,""\n'
        b'2,2,156,1,439041101,1,0,256,0,1,2,0,515,"",\n'
    )
    assert (tmp_path / "echo_request.csv").read_bytes() == (
        b"row,message,length,message_type,magic_cookie,control_message_type,reserved0,identifier\n"
    )


def test_names_of_numbers_and_numbers_without_one(tmp_path):
    """In the first table a code and bits; in the second a protocol that has no name."""
    convert(stream(SCCRQ), tmp_path / "a", format="csv", tables=["messages"])
    lines = list(csv.DictReader((tmp_path / "a" / "messages.csv").read_text("ascii").splitlines()))
    among(
        lines[0], {"control_message_type": "start_control_connection_request", "message_type": "control", "status": "0"}
    )
    data = pcap([gre_frame(gre(octets(text), sequence=n)) for n, text in enumerate(("c021 01010004", "c0f1 01"))])
    format_name: Format
    for format_name in ("parquet", "arrow", "csv", "jsonl"):
        found = rows(data, tmp_path / format_name, "gre", format_name, codes=False)
        assert [row["ppp_protocol"] for row in found] == ["LCP", str(0xC0F1)]


def test_lines_of_json(tmp_path):
    data = Conversation().handshake().client(0, echo(0x01020304)).client(16, echo(5), snap=12).pcap()
    convert(data, tmp_path, format="jsonl", tables=["echo_request", "echo_reply"], codes=True)
    lines = (tmp_path / "echo_request.jsonl").read_bytes().split(b"\n")
    assert lines[2:] == [b""]
    head = {"length": 16, "message_type": 1, "magic_cookie": 0x1A2B3C4D, "control_message_type": 5, "reserved0": 0}
    first, second = (json.loads(line, object_pairs_hook=list) for line in lines[:2])
    assert first == [("row", 0), ("message", 0), *head.items(), ("identifier", 16909060)]
    assert second == [("row", 1), ("message", 1), *head.items(), ("identifier", None)]
    assert lines[0].startswith(b'{"row":0,"message":0,"length":16,')
    assert (tmp_path / "echo_reply.jsonl").read_bytes() == b""


# ---- times

# resolution, offset in seconds, ticks, nanoseconds since 1970, text
TIMES = [
    (9, 0, 0, 0, "1970-01-01T00:00:00.000000000Z"),
    (9, 0, 1, 1, "1970-01-01T00:00:00.000000001Z"),
    (9, 0, 1_795_352_573_811_419_000, 1_795_352_573_811_419_000, "2026-11-22T13:02:53.811419000Z"),
    (9, 0, 951_782_400_000_000_007, 951_782_400_000_000_007, "2000-02-29T00:00:00.000000007Z"),
    (9, 0, 1_483_228_799_999_999_999, 1_483_228_799_999_999_999, "2016-12-31T23:59:59.999999999Z"),
    (9, -1, 999_999_999, -1, "1969-12-31T23:59:59.999999999Z"),
    (9, -1, 0, -1_000_000_000, "1969-12-31T23:59:59.000000000Z"),
    (9, 0, 2**63 - 1, 2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
    (9, -9_223_372_037, 145_224_193, 1 - 2**63, "1677-09-21T00:12:43.145224193Z"),
    # no signed number of 64 bits: not known
    (9, 0, 2**63, None, None),
    (0, 0, 2**40, None, None),
]  # fmt: skip


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_times(tmp_path, format_name):
    file = started("<", options=[tsresol(9), tsoffset("<", 0)])
    for number, (resolution, offset, ticks, _, _) in enumerate(TIMES, 1):
        file.interface(options=[tsresol(resolution), tsoffset("<", offset)])
        file.packet(gre_frame(gre(sequence=number)), number, ticks)
    # a Simple Packet Block has no time at all
    file.simple(gre_frame(gre(sequence=99)))
    found = rows(file.octets, tmp_path, "gre", format_name)
    column = {"csv": [time[4] or "" for time in TIMES] + [""], "jsonl": [time[4] for time in TIMES] + [None]}
    assert [row["time"] for row in found] == column.get(format_name, [time[3] for time in TIMES] + [None])


# ---- addresses

ADDRESSES = [
    ("0a4d0002", "10.77.0.2"),
    ("00000000", "0.0.0.0"),
    ("ffffffff", "255.255.255.255"),
    ("20010db8000000000000000000000001", "2001:db8::1"),
    ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
    ("20010000000000010000000000000001", "2001:0:0:1::1"),
    ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
    ("00000000000000000000000000000001", "::1"),
    ("fe800000000000000000000000000000", "fe80::"),
    ("ABCDEF01000200030004000500060007", "abcd:ef01:2:3:4:5:6:7"),
]


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_addresses(tmp_path, format_name):
    frames = []
    for text, _ in ADDRESSES:
        source = bytes.fromhex(text)
        frames.append(gre_frame(gre(sequence=0), source, source[::-1]))
    found = rows(pcap(frames), tmp_path, "tunnels", format_name)
    assert [row["source"] for row in found] == [text for _, text in ADDRESSES]
    assert found[0]["destination"] == "2.0.77.10"
    # the unspecified address is one where it is that of a tunnel
    nowhere = pcap([ethernet(ipv6(gre(sequence=0), 47, bytes(16), bytes(16)))])
    (row,) = rows(nowhere, tmp_path / "again", "tunnels", format_name)
    assert (row["source"], row["destination"]) == ("::", "::")


# ---- numbers


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_numbers_at_their_ends(tmp_path, format_name):
    option = packet("c021", 1, "420a ffffffffffffffff 430a 8000000000000000 440a 0000000000000000 4503ff")
    found = rows(pcap(packets((0, option))), tmp_path / "a", "ppp_options", format_name)
    values = [2**64 - 1, 2**63, 0, 255]
    assert [str(row["value"]) for row in found] == [str(value) for value in values]
    if format_name != "csv":
        assert [row["value"] for row in found] == values
    data = pcap([gre_frame(gre(LCP, 0xFFFF, 2**32 - 1, 2**31))])
    (row,) = rows(data, tmp_path / "b", "gre", format_name)
    among(row, cells(format_name, call_id=65535, sequence_number=2**32 - 1, acknowledgment_number=2**31,
                     flags_and_version=0x3081, ppp_protocol=0xC021, status=0, tunnel=0, packet=1))  # fmt: skip


@pytest.mark.parametrize("format_name", TEXTUAL)
def test_true_and_false(tmp_path, format_name):
    talk = Session().client_says(echo(1)).server_says(echo(2))
    found = rows(talk.pcap(), tmp_path, "messages", format_name)
    expected = ["true", "false"] if format_name == "csv" else [True, False]
    assert [row["from_initiator"] for row in found] == expected


# ---- what was not seen


def odd() -> bytes:
    """A capture of which each table has rows that lack something."""
    talk = Session().outgoing(7, 9)
    position = talk.said[0]
    for octets_of in CONTROL_HEX.values():
        talk.client(position, octets_of)
        talk.client(position + len(octets_of), octets_of, snap=len(octets_of) // 2)
        position += 2 * len(octets_of)
    for message in (control(5, bytes(2)), control(5, bytes(4), message_type=2), echo(1)):
        talk.client(position, message)
        position += len(message)
    for size in range(4, 28):
        talk.packets.append(cut(gre_frame(gre(LCP, 9, size, 7)), 34 + size))
    talk.packets += packets(
        (0, packet("c021", 1, "0702 01040578 420affffffffffffffff")), (1, "c025 0102"), (0, "c021 01")
    )
    talk.packets += packets((1, packet("8021", 2, "0306c0a80001")), (0, packet("c021", 5, "3d1b22")))
    talk.packets += [b"short", Record(gre_frame(gre(acknowledgment=3)), fraction=1_000_000)]
    other = Session(talk.packets, port=1234, client=bytes(15) + b"\1", server=bytes.fromhex("fe80" + "00" * 13 + "01"))
    other.client_says(outgoing_request(1)).server_says(outgoing_reply(2, 1, result=4), flags="FA")
    return talk.pcap()


def cut_messages() -> bytes:
    talk = Conversation().handshake().client(0, SCCRQ, snap=26).client(156, control(5, bytes(4), message_type=2))
    talk.packets.append(b"short")
    return talk.pcap()


def refused() -> bytes:
    return Session().client_says(outgoing_request(7, 3)).server_says(outgoing_reply(9, 7, result=4)).pcap()


ZEROS = {"call_id": 0, "payload_length": 12, "sequence_number": 0, "acknowledgment_number": 0, "tunnel": 0}
GRE = pcap([gre_frame(gre(LCP, 0, 0, 0)), gre_frame(gre(acknowledgment=0)), cut(gre_frame(gre(LCP, 5, 6, 7)), 40)])
PPP = pcap([gre_frame(gre(octets(text), sequence=n)) for n, text in enumerate(("c025 01020304", "c021 01010006 0702"))])
NULLS = [
    (cut_messages(), TABLE, 0, {"bearer_capabilities": 2, "maximum_channels": 0, "firmware_revision": None,
                                "host_name": None, "vendor_name": None, "message": 0}),
    (cut_messages(), "messages", 0, {"row": 0, "available": 26, "length": 156, "connection": 0}),
    (cut_messages(), "messages", 1, {"row": None, "message_type": 2}),
    (cut_messages(), "issues", 1, {"connection": None, "needed": 14, "had": 5}),
    (GRE, "gre", 0, ZEROS | {"ppp_protocol": 0xC021}),
    (GRE, "gre", 1, {"call_id": 0x2222, "sequence_number": None, "acknowledgment_number": 0, "ppp_protocol": None}),
    (GRE, "gre", 2, {"flags_and_version": 0x3081, "payload_length": 12, "call_id": None, "sequence_number": None,
                     "acknowledgment_number": None, "ppp_protocol": None, "tunnel": None, "available": 0}),
    (PPP, "ppp", 0, {"protocol": 0xC025, "code": None, "identifier": None, "length": None, "available": 4}),
    (PPP, "ppp", 1, {"protocol": 0xC021, "code": 1, "identifier": 1, "length": 6, "options": 1}),
    (PPP, "ppp_options", 0, {"ppp": 1, "type": 7, "length": 2, "value": None}),
    (Session().client_says(request(b"me")).pcap(), "connections", 0, {
        "initiator_host_name": "me", "initiator_vendor_name": "", "responder_host_name": None, "result_code": None,
        "responder_protocol_version": None, "error_code": None, "end_time": None, "end": 0, "responder_messages": 0,
        "end_from_initiator": False, "initiator_address": "10.0.0.2"}),
    (refused(), "calls", 0, {
        "pns_call_id": 7, "pac_call_id": None, "call_serial_number": 3, "result_code": 4, "error_code": 0, "mru": None,
        "disconnect_result_code": None, "connect_time": None, "pns_tunnel": None, "request_message": 0,
        "pns_ipv4": None, "pns_name": None, "pns_terminate_reason": None, "pns_ack_delay_mean_ns": None, "pns_packets": 0,
        "pns_first_sequence": None, "pns_ack_delay_samples": 0, "disconnect_message": None}),
    (Session().outgoing(7, 9).client_sends(9, None, 5).client_says(clear(7)).pcap(), "tunnels", 0, {
        "call_id": 9, "call": 0, "packets": 0, "acks": 1, "first_sequence": None, "last_sequence": None,
        "ack_delay_min_ns": None, "ack_delay_mean_ns": None, "lost": 0, "from_pns": True}),
]  # fmt: skip


@pytest.mark.parametrize("format_name", TEXTUAL)
@pytest.mark.parametrize("number", range(len(NULLS)))
def test_nulls(tmp_path, number, format_name):
    source, table, row, expected = NULLS[number]
    among(rows(source, tmp_path, table, format_name)[row], cells(format_name, **expected))


def test_npy_keeps_its_zeros(tmp_path):
    data = pcap([cut(gre_frame(gre(LCP, 5, 6, 7)), 34 + 6), Record(gre_frame(gre(acknowledgment=1)))])
    convert(data, tmp_path, format="npy", tables=["gre"])
    found = np.load(tmp_path / "gre.npy")
    assert found["tunnel"].tolist() == [-1, 0]
    assert found["call_id"].tolist() == [0, 0x2222]
    assert found["payload_length"].tolist() == [12, 0]


# ---- types


@pytest.mark.parametrize("format_name", ["parquet", "arrow"])
def test_types_and_what_the_schema_says(tmp_path, format_name):
    convert(MSS88, tmp_path, format=format_name)
    documents = {one["table"]: one for one in json.loads(call("schema", "--json")[1])}
    for table in schema.TABLE_NAMES:
        read, document = opened(tmp_path / f"{table}.{format_name}"), documents[table]
        for key in ("one_row_per", "order"):
            assert read.schema.metadata[key.encode()].decode() == document[key]
        assert read.schema.names[0] == KEYS.get(table, "row") and read.schema.types[0] == pa.int64()
        described = [*document["columns"], *document["derived"]]
        for field, column in zip([*read.schema][1:], described, strict=True):
            told_of = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            for key in ("meaning", "unit", "section", "tshark"):
                assert told_of.get(key, "") == column[key], (table, field.name, key)
            assert json.loads(told_of.get("values", "{}")) == column["values"]
            kind = np.dtype((column["dtype"], tuple(column["shape"])))
            if pa.types.is_dictionary(field.type):
                assert field.type == pa.dictionary(pa.int32(), pa.string())
                assert kind.shape or column["values"]
            elif kind.kind in "uib":
                assert field.type == pa.from_numpy_dtype(kind)
            elif kind.kind == "M":
                assert field.type == pa.timestamp("ns", tz="UTC")
            else:
                assert pa.types.is_string(field.type)


def test_encodings_of_parquet(tmp_path):
    convert(MSS88, tmp_path, tables=["gre", "messages"])
    group = pa.parquet.ParquetFile(tmp_path / "gre.parquet").metadata.row_group(0)
    chunks = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    assert {chunk.compression for chunk in chunks.values()} == {"ZSTD"}
    for name in ("time", "packet", "record_offset", "sequence_number", "acknowledgment_number", "file", "tunnel"):
        assert "DELTA_BINARY_PACKED" in chunks[name].encodings
        assert not chunks[name].has_dictionary_page
    for name in ("call_id", "ppp_protocol", "status"):
        assert chunks[name].has_dictionary_page


def test_arrow_can_be_mapped(tmp_path):
    convert(MSS88, tmp_path, format="arrow")
    before = pa.total_allocated_bytes()
    with pa.memory_map(str(tmp_path / "gre.arrow")) as file:
        read = pa.ipc.open_file(file).read_all()
        assert read.column("packet").to_pylist()[:1] == [27]
        assert pa.total_allocated_bytes() == before

"""Forms, chosen columns, order and limits of `info`, `calls` and `messages`."""

from __future__ import annotations

import json
import subprocess

import pytest
from builder import Conversation, control, stream
from commands import ALL15, COMMAND, MSS88, NO_REPLY, call
from test_cli import HOSTILE, HOSTILE_TEXT, request

from pptpcap.cli.names import CALLS, MESSAGES_ALL, MESSAGES_COMMON


def lines(*arguments: object) -> list[str]:
    code, out, err = call(*arguments)
    assert (code, err) == (0, "")
    return out.splitlines()


# ---- calls


def test_chosen_columns_of_calls(engine):
    chosen = ["--engine", engine, "--columns", "pns_call_id,call,pac_address,cause_code,clear_time,status"]
    assert lines("calls", *chosen, ALL15) == [
        "pns_call_id  call  pac_address  cause_code  clear_time                      status",
        "4369         0     10.78.0.1    0           2026-11-22T13:18:50.164438000Z  -",
        "17476        1     10.78.0.1    -           -                               -",
        "21845        2     10.78.0.1    17          -                               REQUEST_NOT_SEEN",
    ]
    assert lines("calls", *chosen, "--format", "tsv", ALL15) == [
        "pns_call_id\tcall\tpac_address\tcause_code\tclear_time\tstatus",
        "4369\t0\t10.78.0.1\t0\t2026-11-22T13:18:50.164438000Z\t",
        "17476\t1\t10.78.0.1\t\t\t",
        "21845\t2\t10.78.0.1\t17\t\tREQUEST_NOT_SEEN",
    ]
    assert lines("calls", *chosen, "--json", ALL15)[1:] == [
        '{"pns_call_id": 17476, "call": 1, "pac_address": "10.78.0.1", "cause_code": null, "clear_time": null, '
        '"status": []}',
        '{"pns_call_id": 21845, "call": 2, "pac_address": "10.78.0.1", "cause_code": 17, "clear_time": null, '
        '"status": ["REQUEST_NOT_SEEN"]}',
    ]


def test_every_column_of_calls():
    titles, *rows = (line.split("\t") for line in lines("calls", "--format", "tsv", ALL15))
    documents = [json.loads(line) for line in lines("calls", "--format", "json", ALL15)]
    assert lines("calls", "--json", ALL15) == lines("calls", "--format", "json", "--json", ALL15)
    assert titles == [*documents[0]] == [*CALLS]
    for row, document in zip(rows, documents, strict=True):
        for cell, value in zip(row, document.values(), strict=True):
            if isinstance(value, list):
                assert cell == " ".join(value)
            elif isinstance(value, bool):
                assert cell == ("true" if value else "false")
            else:
                assert cell == ("" if value is None else str(value))


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("end_time", [2, 0, 1]),
        ("-end_time", [1, 0, 2]),
        # Numbers and not their names: refused is 1, disconnected 10, cleared 11.
        ("reason", [2, 1, 0]),
        ("-pns_packets", [0, 1, 2]),
        ("pns_packets", [2, 0, 1]),
        ("call", [0, 1, 2]),
        ("-call", [2, 1, 0]),
        ("pns_address", [0, 1, 2]),
        # What was not seen comes last, either way.
        ("pac_call_id", [0, 1, 2]),
        ("-pac_call_id", [1, 0, 2]),
        ("disconnect_time", [0, 1, 2]),
        ("-disconnect_time", [1, 0, 2]),
    ],
)
def test_order_of_calls(by, expected):
    shown = lines("calls", "--json", "--columns", "call", "--order-by", by, ALL15)
    assert [json.loads(line)["call"] for line in shown] == expected
    # Without columns, in the table and its first column.
    assert [int(line.split()[0]) for line in lines("calls", "--order-by", by, ALL15)[1:]] == expected


def test_order_over_batches(monkeypatch):
    chosen = ("calls", "--format", "tsv", "--columns", "call,first_packet", "--order-by", "-first_packet")
    expected = lines(*chosen, MSS88, ALL15)
    assert [line.split("\t")[0] for line in expected] == ["call", "3", "2", "1", "0"]
    monkeypatch.setattr("pptpcap.cli.calls._BATCH_BYTES", 100)
    assert lines(*chosen, "--threads", "1", MSS88, ALL15) == expected


def test_limit_of_calls():
    first = lines("calls", "--limit", "1", "--columns", "call,pns_packets", ALL15)
    assert first == ["call  pns_packets", "0     5", "... and 2 more (--limit 0 shows all)"]
    assert lines("calls", "--limit", "2", "--columns", "call,pns_packets", "--order-by", "-call", "--json", ALL15) == [
        '{"call": 2, "pns_packets": 0}',
        '{"call": 1, "pns_packets": 5}',
    ]
    assert lines("calls", "--limit", "1", "--columns", "call,kind,call", "--json", ALL15) == [
        '{"call": 0, "kind": "OUTGOING"}'
    ]
    whole = lines("calls", ALL15)
    assert lines("calls", "--limit", "3", ALL15) == lines("calls", "--limit", "0", ALL15) == whole
    assert lines("calls", "--limit", "1", ALL15)[-1] == "... and 2 more (--limit 0 shows all)"


def test_no_calls(tmp_path):
    path = tmp_path / "none.pcap"
    path.write_bytes(stream(request()))
    assert lines("calls", "--columns", "call,kind", path) == ["no calls"]
    assert lines("calls", "--columns", "call,kind", "--format", "tsv", path) == ["call\tkind"]
    assert lines("calls", "--columns", "call,kind", "--json", "--order-by", "kind", path) == []


# ---- messages


def test_chosen_columns_of_messages(engine):
    chosen = ["--engine", engine, "--limit", "3", "--columns", "message,source_port,call_id,host_name"]
    assert lines("messages", *chosen, NO_REPLY) == [
        "message  source_port  call_id  host_name",
        "SCCRQ    38596        -        local",
        "SCCRP    1723         -        local",
        "OCRQ     38596        33916    -",
    ]
    assert lines("messages", *chosen, "--json", NO_REPLY)[1:] == [
        '{"message": "SCCRP", "source_port": 1723, "call_id": null, "host_name": "local"}',
        '{"message": "OCRQ", "source_port": 38596, "call_id": 33916, "host_name": null}',
    ]


def test_columns_of_messages_are_the_keys_of_json(tmp_path):
    documents = [json.loads(line) for line in lines("messages", "--json", ALL15)]
    keys = {key for document in documents for key in document}
    assert {*MESSAGES_ALL} == keys
    titles, *rows = (line.split("\t") for line in lines("messages", "--format", "tsv", ALL15))
    assert titles == [*MESSAGES_COMMON] == [key for key in documents[0] if key in MESSAGES_COMMON]
    for columns in (MESSAGES_ALL, MESSAGES_ALL[::-1]):
        chosen = lines("messages", "--json", "--columns", ",".join(columns), ALL15)
        assert [json.loads(line) for line in chosen] == [
            {name: document.get(name) for name in columns} for document in documents
        ]
    for row, document in zip(rows, documents, strict=True):
        assert row[:2] == [str(document["index"]), document["time"]]
        assert row[7] == document["source_address"]


def test_a_message_that_is_cut_or_unknown(engine, tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(Conversation().handshake().client(0, request(b"hostname"), snap=31).pcap())
    chosen = ("--engine", engine, "--format", "tsv", "--columns", "host_name,vendor_name,firmware_revision,status")
    assert lines("messages", *chosen, path)[1:] == ["hos\t\t4\tCUT"]
    path.write_bytes(stream(control(99, b"1234"), control(0, b"", message_type=2)))
    chosen = ("--engine", engine, "--format", "tsv", "--columns", "message,identifier,status")
    assert lines("messages", *chosen, path)[1:] == [
        "control-type-99\t\tUNKNOWN_TYPE",
        "management\t\tMANAGEMENT",
    ]


@pytest.mark.parametrize("form", ["table", "tsv", "json"])
def test_small_batches_alike(monkeypatch, form):
    chosen = ("messages", "--format", form, "--columns", "index,message,file", "--limit", "20")
    whole = lines(*chosen, NO_REPLY, MSS88)
    assert len(whole) == (20 if form == "json" else 21)
    monkeypatch.setattr("pptpcap.cli.messages._BATCH_BYTES", 100)
    assert [line.split() for line in lines(*chosen, NO_REPLY, MSS88)] == [line.split() for line in whole]


def test_the_first_messages_that_fulfil_all_options():
    whole = lines("messages", "--message", "echo_reply", MSS88)
    assert lines("messages", "--message", "echo_reply", "--limit", "2", MSS88) == whole[:2]
    assert lines("messages", "--limit", "0", MSS88) == lines("messages", MSS88)


def test_a_limit_ends_the_command_though_the_pipe_goes_on():
    """The pipe is open until the command has ended."""
    command = [*COMMAND, "messages", "--limit", "2", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(MSS88.read_bytes())
        process.stdin.flush()
        assert process.wait(60) == 0
        assert len(process.stdout.read().splitlines()) == 2


# ---- info


def test_info_between_tabulators(engine):
    told = [line.split("\t") for line in lines("info", "--engine", engine, "--format", "tsv", NO_REPLY, ALL15)]
    document = json.loads(call("info", "--engine", engine, "--json", NO_REPLY, ALL15)[1])
    assert told[0] == ["name", "value"]
    values = dict(told[1:])
    assert len(values) == len(told) - 1
    assert values["files.1.path"] == str(ALL15)
    assert values["files.1.packets"] == "66"
    assert values["files.0.compression"] == ""
    assert values["damaged"] == "false"
    assert values["counters.gre_packets"] == str(document["counters"]["gre_packets"])
    assert values["connections.count"] == "2"
    assert values["connections.rows.1.initiator_host_name"] == "synth-pns.example"
    assert values["messages.0.name"] == "start_control_connection_request"
    assert lines("info", "--format", "json", ALL15) == lines("info", "--json", ALL15)
    assert lines("info", "--format", "table", ALL15) == lines("info", ALL15)


# ---- what others chose, and what is wrong


@pytest.mark.parametrize(
    "command", [["info"], ["messages", "--columns", "host_name,vendor_name"], ["messages", "--columns", "host_name"]]
)
@pytest.mark.parametrize("form", ["table", "tsv", "json"])
def test_text_from_the_wire_is_escaped(tmp_path, command, form):
    path = tmp_path / "hostile.pcap"
    path.write_bytes(stream(request(HOSTILE, b"a\tb\nc")))
    told = lines(*command, "--format", form, path)
    assert all(line.replace("\t", "").isprintable() for line in told)
    if command != ["info"]:
        cells = {"host_name": HOSTILE_TEXT, "vendor_name": "a\\x09b\\x0ac"}
        names = command[2].split(",")
        shown = json.loads(told[0]) if form == "json" else dict(zip(names, told[1].split(), strict=True))
        assert shown == {name: cells[name] for name in names}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["calls", "--columns", "call,pns_lots"], "there is no column 'pns_lots'; did you mean 'pns_lost'?"),
        (["calls", "--columns", ""], "there is no column ''; there are call, connection,"),
        (["calls", "--columns", "\x1b"], "there is no column"),
        (["calls", "--order-by", "-reasn"], "there is no column 'reasn'; did you mean 'reason'?"),
        (["calls", "--columns", "-call"], "there is no column '-call'; did you mean 'call'?"),
        (["messages", "--columns", "hostname"], "there is no column 'hostname'; did you mean 'host_name'?"),
        (["messages", "--order-by", "time"], "No such option"),
        (["info", "--format", "csv"], "'csv' is not one of 'table', 'tsv', 'json'"),
        (["calls", "--json", "--format", "tsv"], "--json is --format json"),
        (["calls", "--limit", "-1"], "'--limit'"),
        (["calls", "--audit", "--limit", "1"], "--audit has lines of its own"),
        (["calls", "--audit", "--format", "tsv"], "--audit has lines of its own"),
    ],
)
def test_what_is_wrong_is_named(arguments, words):
    code, out, told = call(*arguments, MSS88)
    assert (code, out) == (2, "")
    assert words in told
    assert "\x1b" not in told
